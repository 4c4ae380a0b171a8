//! `render`: `build` with settings.

use std::path::PathBuf;

use super::build::Target;
use super::flags::Flags;
use super::output::{self, Done};
use crate::failure::{Failure, Problem};
use crate::inject::{Injector, Witness};
use crate::settings::source;

/// Build a kustomization with settings in the places that ask for them
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    flags: Flags,

    /// Read settings from a manifest (Secret or `ConfigMap`), a `.env` file or a directory; later ones win
    #[arg(short, long, value_name = "FILE")]
    settings: Vec<PathBuf>,
}

impl Args {
    pub(super) fn run(self) -> Result<Done, Failure> {
        let Self { flags, settings } = self;
        let (options, mut warnings) = flags.options()?;
        let target = Target::new(&flags.directory)?;
        let settings = source::read(settings.iter().map(PathBuf::as_path))?;
        let mut injector = Injector::new(&settings);
        let output = match target.build(&options, &mut injector) {
            Ok(output) => output,
            Err(error) => {
                let failure = injector
                    .into_failure()
                    .map(|failure| target.locate(failure));
                return Err(failure.unwrap_or_else(|| target.failure(&error)));
            }
        };
        if let Some(identity) = injector.suspect() {
            let mut witness = Witness::default();
            let defaults = target.build(&options, &mut witness);
            match (witness.into_identity(), defaults) {
                (Some(defaults), _) => identity.check(&defaults)?,
                (None, Err(error)) => return Err(target.failure(&error)),
                (None, Ok(_)) => {}
            }
        }
        if output.resources.is_empty() {
            return Err(Problem::new("the result is empty: it has no resources")
                .hint("Argo CD takes an empty result for the wish to delete everything; use `build` if it is meant")
                .into_failure());
        }
        let stdout =
            output::write(&output, flags.output()).map_err(|failure| target.locate(failure))?;
        warnings.extend(output.warnings);
        Ok(Done { warnings, stdout })
    }
}
