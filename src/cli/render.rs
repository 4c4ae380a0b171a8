//! `render`: `build` with settings.

use super::flags::{Flags, Place};
use super::output::{self, Done};
use super::settings::SettingsFlags;
use super::watch::Watch;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::render::{self, Rendered};
use crate::target::Target;

/// Build a kustomization with settings in the places that ask for them
#[derive(clap::Args)]
#[command(after_help = "Examples:
  argocd-infisical render overlays/dev --settings settings.yaml
  argocd-infisical render overlays/dev --from-cluster secret:home/settings --application home/lamp
  argocd-infisical render overlays/dev --settings settings.yaml --output rendered.yaml --watch")]
pub(super) struct Args {
    #[command(flatten)]
    place: Place,

    #[command(flatten)]
    flags: Flags,

    #[command(flatten)]
    settings: SettingsFlags,

    /// Render again whenever a file that was read changes, until interrupted
    #[arg(long)]
    watch: bool,
}

impl Args {
    pub(super) fn run(self) -> Result<Done, Failure> {
        let Self {
            place,
            flags,
            settings,
            watch,
        } = self;
        let (options, mut warnings) = flags.options()?;
        if watch {
            let watch = Watch::new(&place, &flags, &settings)?;
            return watch.run(&options, &warnings);
        }
        let _progress = Progress::with("rendering", &place.directory);
        let target = Target::here(&place.directory, flags.outside())?;
        let settings = settings.read()?;
        let Rendered { output, record: _ } = render::render(&target, &options, &settings)?;
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
