//! `build`: exactly `kustomize build`.

use std::path::PathBuf;

use super::engine::{EngineFlags, Task};
use super::flags::{Flags, Place};
use super::output::Done;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::target::Target;

/// Build a kustomization, byte for byte as `kustomize build` does
#[derive(clap::Args)]
#[command(after_help = "Examples:
  argocd-infisical build overlays/dev
  argocd-infisical build overlays/prod --output rendered.yaml
  argocd-infisical build overlays/prod --verify")]
#[cfg_attr(test, derive(Debug, PartialEq))]
pub(super) struct Args {
    #[command(flatten)]
    place: Place,

    #[command(flatten)]
    flags: Flags,

    #[command(flatten)]
    engine: EngineFlags,
}

impl Args {
    /// What clap makes of a command line that names the directory and nothing else.
    pub(super) fn of_directory(directory: PathBuf) -> Self {
        Self {
            place: Place::at(directory),
            flags: Flags::none(),
            engine: EngineFlags::none(),
        }
    }

    pub(super) fn run(self) -> Result<Done, Failure> {
        let Self {
            place,
            flags,
            engine,
        } = self;
        let (options, mut warnings) = flags.options()?;
        let target = Target::here(&place.directory, flags.outside())?;
        let _progress = Progress::with("building", &place.directory);
        let done = engine.build(&Task {
            target: &target,
            options: &options,
            output: place.output(),
            allowed: flags.allowed(),
        })?;
        warnings.extend(done.warnings);
        Ok(Done { warnings, ..done })
    }
}
