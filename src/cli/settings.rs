//! Where a command takes settings from.

use std::path::PathBuf;
use std::time::Duration;

use crate::cluster::{Access, Cluster};
use crate::failure::Failure;
use crate::progress::Progress;
use crate::settings::consent::Caller;
use crate::settings::object::Reference;
use crate::settings::policy::Policy;
use crate::settings::reading::Audience;
use crate::settings::{Settings, source};

/// How long all objects together may take.
const LIMIT: Duration = Duration::from_secs(5);

/// The settings that are handed in.
#[derive(clap::Args, Default)]
pub(super) struct SettingsFlags {
    /// Read settings from a manifest (Secret or `ConfigMap`), a `.env` file or a directory; later ones win
    #[arg(short, long, value_name = "FILE")]
    settings: Vec<PathBuf>,

    /// Read settings from an object of a cluster as the sidecar does: `namespace/name` for a `ConfigMap`,
    /// `secret:namespace/name` for a Secret, `optional:` in front if it may be missing; later ones win, files over all
    #[arg(long, value_name = "OBJECT", requires = "application")]
    from_cluster: Vec<Reference>,

    /// The Application that reads them, for the consent of their owners
    #[arg(long, value_name = "PROJECT/NAME", requires = "from_cluster")]
    application: Option<Caller>,

    /// The kubeconfig of the cluster
    #[arg(long, value_name = "FILE", requires = "from_cluster")]
    kubeconfig: Option<PathBuf>,

    /// The context of the kubeconfig
    #[arg(long, value_name = "NAME", requires = "from_cluster")]
    context: Option<String>,

    /// Hold the objects and values against a policy of the sidecar
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
}

impl SettingsFlags {
    /// Reads them.
    ///
    /// # Errors
    /// Where one cannot be read, or may not be.
    pub(super) fn read(&self) -> Result<Settings, Failure> {
        let policy = Policy::named(self.policy.as_deref())?;
        let mut settings = match &self.application {
            Some(caller) => {
                let references = &self.from_cluster;
                policy.check(references).map_err(Failure::several)?;
                let access = Access::of_person(self.kubeconfig.clone(), self.context.clone());
                let _progress = Progress::start("reading settings from the cluster");
                let cluster = Cluster::new(&access)?;
                cluster
                    .read(references, Audience::Person, LIMIT)?
                    .settings(caller)?
            }
            None => Settings::default(),
        }
        .with_value_bytes(policy.value_bytes);
        source::read(self.settings.iter().map(PathBuf::as_path), &mut settings)?;
        Ok(settings)
    }
}
