//! `render`: `build` with settings.

use kustomize::{Options, Output};

use super::build::Target;
use super::flags::{Flags, Place};
use super::output::{self, Done};
use super::settings::SettingsFlags;
use crate::failure::{Failure, Problem};
use crate::inject::{Identity, Injector};
use crate::settings::Settings;

/// Build a kustomization with settings in the places that ask for them
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    place: Place,

    #[command(flatten)]
    flags: Flags,

    #[command(flatten)]
    settings: SettingsFlags,
}

impl Args {
    pub(super) fn run(self) -> Result<Done, Failure> {
        let Self {
            place,
            flags,
            settings,
        } = self;
        let (options, mut warnings) = flags.options()?;
        let target = Target::new(&place.directory, flags.outside())?;
        let settings = settings.read()?;
        let output = build(&target, &options, &settings)?;
        if output.resources.is_empty() {
            return Err(Problem::new("the result is empty: it has no resources")
                .hint("Argo CD takes an empty result for the wish to delete everything; use `build` if it is meant")
                .into_failure());
        }
        let stdout =
            output::write(&output, place.output()).map_err(|failure| target.locate(failure))?;
        warnings.extend(target.warnings(&output));
        Ok(Done {
            warnings,
            stdout,
            is_well: true,
        })
    }
}

/// Builds the tree with the settings; one in which values are copied is built with its defaults first, and compared.
fn build(target: &Target, options: &Options, settings: &Settings) -> Result<Output, Failure> {
    let mut first = Injector::first(settings);
    let output = match target.build(options, &mut first) {
        Ok(output) => output,
        Err(error) => {
            let failure = first.into_failure().map(|failure| target.locate(failure));
            return Err(failure.unwrap_or_else(|| target.failure(&error)));
        }
    };
    let Some(defaults) = first.into_defaults() else {
        return Ok(output);
    };
    let identity = Identity::of(&output);
    let mut second = Injector::second(settings, &defaults);
    match target.build(options, &mut second) {
        Ok(output) => {
            let checked = Identity::of(&output).check(&identity);
            checked.map_err(|failure| target.locate(failure))?;
            Ok(output)
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
