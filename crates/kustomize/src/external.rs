//! What lies outside of the tree of files: HTTP, Git and Helm, as far as a caller provides them.

use crate::repository::Repository;

/// The way out of the tree of files. Every method refuses unless it is written.
///
/// What comes back is content of strangers and is treated as that: bounds on its size and on the time that it takes are
/// the implementation's.
pub trait External: Sync {
    /// The content behind an HTTP or HTTPS address, redirections followed.
    ///
    /// # Errors
    /// Where it cannot be had; an answer whose status is no success is [`ExternalError::Status`].
    fn get(&self, url: &str) -> Result<Vec<u8>, ExternalError> {
        let _ = url;
        Err(ExternalError::switched_off())
    }

    /// The directory with a checkout of a repository: an absolute path without symbolic links, readable through the
    /// [`Files`](crate::Files) of the build as long as the build lasts.
    ///
    /// # Errors
    /// Where it cannot be had.
    fn check_out(&self, repository: &Repository) -> Result<String, ExternalError> {
        let _ = repository;
        Err(ExternalError::switched_off())
    }

    /// The directory that a chart was unpacked into, readable through the [`Files`](crate::Files) of the build as long
    /// as the build lasts; the chart stands below it under its name.
    ///
    /// # Errors
    /// Where it cannot be had.
    fn pull_chart(&self, chart: &ChartSource) -> Result<String, ExternalError> {
        let _ = chart;
        Err(ExternalError::switched_off())
    }

    /// What `helm template` prints for a chart.
    ///
    /// # Errors
    /// Where it cannot be run, and where it fails.
    fn template_chart(&self, chart: &ChartTemplate) -> Result<Vec<u8>, ExternalError> {
        let _ = chart;
        Err(ExternalError::switched_off())
    }

    /// What the caller lays down about Helm charts.
    fn helm_defaults(&self) -> HelmDefaults {
        HelmDefaults::default()
    }
}

/// No way out.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoExternal;

impl External for NoExternal {}

/// Why something outside cannot be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExternalError {
    /// The caller does not allow it.
    SwitchedOff {
        /// How to allow it, where there is a way.
        hint: Option<&'static str>,
    },
    /// The status of an HTTP answer, where it is no success.
    Status(u16),
    /// It was tried and failed.
    Failed {
        /// What went wrong: lower case, no full stop.
        message: String,
        /// What to do, where it is known.
        hint: Option<&'static str>,
    },
}

impl ExternalError {
    const fn switched_off() -> Self {
        Self::SwitchedOff { hint: None }
    }
}

/// Where a chart comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChartSource {
    /// Its name.
    pub name: String,
    /// The repository: an HTTP or `oci://` address; empty for what `helm pull` makes of the name alone.
    pub repository: String,
    /// The version or a range of versions; empty for the newest.
    pub version: String,
    /// Whether versions in development count.
    pub devel: bool,
    /// Helm's own configuration, where the kustomization names one.
    pub config: Option<HelmConfig>,
}

/// A directory with Helm's own configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HelmConfig {
    /// An absolute path.
    pub directory: String,
    /// Whether credentials in it may be used: whoever builds has lifted what restricts a kustomization.
    pub is_trusted: bool,
}

/// A chart that is to be rendered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a field of the kustomization that stands for an option of Helm"
)]
pub struct ChartTemplate {
    /// The chart's directory: an absolute path.
    pub directory: String,
    /// Directories that symbolic links in the chart may lead into; none for no such bound.
    pub bounds: Vec<String>,
    /// The name of the release; empty for a generated one.
    pub release: String,
    /// The contents of values files, later ones win.
    pub values: Vec<Vec<u8>>,
    /// The namespace of the release; empty for Helm's default.
    pub namespace: String,
    /// The template for the name of the release; empty for none.
    pub name_template: String,
    /// What the chart is told about the cluster, and whether Helm shall print more.
    pub settings: HelmDefaults,
    /// Whether the definitions of custom resources are wanted too.
    pub includes_crds: bool,
    /// Whether tests are left out.
    pub skips_tests: bool,
    /// Whether hooks are left out.
    pub skips_hooks: bool,
    /// As for [`ChartSource::devel`].
    pub devel: bool,
    /// As for [`ChartSource::config`].
    pub config: Option<HelmConfig>,
}

/// What the caller lays down about Helm charts, where a kustomization says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HelmDefaults {
    /// The API versions of the cluster.
    pub api_versions: Vec<String>,
    /// The version of Kubernetes.
    pub kube_version: String,
    /// Whether Helm shall print more.
    pub debug: bool,
}
