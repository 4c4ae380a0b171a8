//! A render from its root: a tree and settings in, resources out, and what was injected where.

mod protect;
pub mod trace;

use kustomize::{Options, Output};

use crate::failure::{Failure, Problem};
use crate::inject::{Identity, Injector, Record};
use crate::settings::{Settings, Way};
use crate::target::Target;

/// What a render gives.
pub struct Rendered {
    /// The resources.
    pub output: Output,
    /// What was injected, and what the declared keys have come to. [`trace`](mod@trace) finds what was copied.
    pub record: Record,
}

/// Builds the tree with the settings; one in which values are copied is built with its defaults first, and compared.
///
/// # Errors
/// Where anything in the tree or among the settings is wrong, all that is wrong with the settings together; and where
/// nothing comes out.
pub fn render(
    target: &Target,
    options: &Options,
    settings: &Settings,
) -> Result<Rendered, Failure> {
    let mut rendered = inject(target, options, settings)?;
    if rendered.output.resources.is_empty() {
        let why = "Argo CD takes an empty result for the wish to delete everything";
        let hint = match settings.way() {
            Way::Flag => format!("{why}; use `build` if it is meant"),
            Way::Parameter => format!("{why}; if it is meant, delete the Application"),
        };
        return Err(Problem::new("the result is empty: it has no resources")
            .hint(hint)
            .into_failure());
    }
    protect::protect(&mut rendered.output, &rendered.record.resolved);
    Ok(rendered)
}

fn inject(target: &Target, options: &Options, settings: &Settings) -> Result<Rendered, Failure> {
    let mut first = Injector::first(settings);
    let output = match target.build(options, &mut first) {
        Ok(output) => output,
        Err(error) => {
            let failure = first.into_failure().map(|failure| target.locate(failure));
            return Err(failure.unwrap_or_else(|| target.failure(&error)));
        }
    };
    let Some(defaults) = first.take_defaults() else {
        let record = first.take_record();
        return Ok(Rendered { output, record });
    };
    let identity = Identity::of(&output);
    let mut second = Injector::second(settings, &defaults);
    match target.build(options, &mut second) {
        Ok(output) => {
            let checked = Identity::of(&output).check(&identity);
            checked.map_err(|failure| target.locate(failure))?;
            let record = second.take_record();
            Ok(Rendered { output, record })
        }
        Err(error) => {
            let failure = second.into_failure().unwrap_or_else(|| misfit(&error));
            Err(target.locate(failure))
        }
    }
}

/// The engine's complaint about a tree that builds with its defaults. Its words may hold a value, its place does not.
fn misfit(error: &kustomize::Error) -> Failure {
    let details = error.details();
    Problem::new("with the settings the build fails, with the defaults it does not: a value is copied to where it does not fit")
        .in_repository(details.file.as_deref(), details.position)
        .hint("look at the replacements and variables that read a declared ConfigMap, and at the values that they copy")
        .into_failure()
}
