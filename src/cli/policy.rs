//! The file with the controller's policy.

use std::path::Path;

use crate::failure::{Failure, Problem};
use crate::files;
use crate::steer::policy::{Fault, Policy};

/// What production is called by default.
const PROD: &str = "prod";

/// The policy that is named, or the usual one.
///
/// # Errors
/// Where one is named that cannot be read or understood: it may forbid something.
pub(super) fn named(file: Option<&Path>) -> Result<Policy, Failure> {
    file.map_or_else(|| Ok(Policy::default()), read)
}

/// A word on a policy whose `prod` the breaker does not watch: of an environment that is written nothing is as it usually is.
pub(super) fn unprotected(policy: &Policy, file: Option<&Path>) -> Option<Problem> {
    let prod = policy.environments.get(PROD);
    prod.filter(|environment| !environment.is_protected)?;
    let message = format!(
        "the environment `{PROD}` of the policy is not protected: no breaker stops a change of all of it"
    );
    let hint = format!(
        "write `protected: true` in `environments.{PROD}`; what is left out of an environment does not come from the default policy"
    );
    let name = file.map(|file| file.display().to_string());
    Some(
        Problem::new(message)
            .at(name.unwrap_or_default(), 0)
            .hint(hint),
    )
}

fn read(path: &Path) -> Result<Policy, Failure> {
    let problem = |message: String, line, hint: String| {
        let problem = Problem::new(message).at(path.display().to_string(), line);
        problem.hint(hint).into_failure()
    };
    let bytes = files::read_regular(path).map_err(|error| {
        let message = format!("cannot read the policy: {error}");
        let hint =
            "name the file with the policy of the controller; without one, the usual policy counts";
        problem(message, 0, hint.into())
    })?;
    Policy::of_text(&bytes).map_err(|fault| {
        let Fault {
            message,
            line,
            hint,
        } = fault;
        problem(message, line, hint)
    })
}
