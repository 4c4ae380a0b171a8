//! The file with the controller's policy.

use std::path::Path;

use crate::failure::{Failure, Problem};
use crate::files;
use crate::steer::policy::{Fault, Policy};

/// The policy that is named, or the usual one.
///
/// # Errors
/// Where one is named that cannot be read or understood: it may forbid something.
pub(super) fn named(file: Option<&Path>) -> Result<Policy, Failure> {
    file.map_or_else(|| Ok(Policy::default()), read)
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
