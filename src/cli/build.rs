//! `build`: exactly `kustomize build`.

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
pub(super) struct Args {
    #[command(flatten)]
    place: Place,

    #[command(flatten)]
    flags: Flags,

    #[command(flatten)]
    engine: EngineFlags,
}

impl Args {
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
