//! Flags that allow what lies elsewhere: remote files and repositories, and Helm.

use std::path::PathBuf;

use clap::ArgAction;
use kustomize::HelmDefaults;

use super::flags::switch;
use crate::external::Allowed;

/// What a build may fetch and run. Nothing, unless it is said.
#[derive(clap::Args, Default)]
#[cfg_attr(test, derive(Debug, PartialEq))]
pub(super) struct Elsewhere {
    /// Fetch remote bases with Git, and remote files over HTTP
    #[arg(long)]
    enable_remote: bool,

    /// Keep repositories whose commit is named in this directory [default: $`ARGOCD_INFISICAL_CACHE`, else the user's cache]
    #[arg(long, value_name = "DIR")]
    cache_dir: Option<PathBuf>,

    /// Render Helm charts with Helm
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", hide_default_value = true, action = ArgAction::Set, value_name = "BOOL", value_parser = switch)]
    enable_helm: bool,

    /// Run this Helm program
    #[arg(long, value_name = "PROGRAM", default_value = "helm")]
    helm_command: PathBuf,

    /// Tell charts of these API versions where a kustomization names none
    #[arg(long, value_name = "VERSION")]
    helm_api_versions: Vec<String>,

    /// Tell charts of this Kubernetes version where a kustomization names none
    #[arg(
        long,
        value_name = "VERSION",
        default_value = "",
        hide_default_value = true
    )]
    helm_kube_version: String,

    /// Make Helm say more where a chart fails
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", hide_default_value = true, action = ArgAction::Set, value_name = "BOOL", value_parser = switch)]
    helm_debug: bool,
}

impl Elsewhere {
    /// What clap makes of a command line without any of them.
    pub(super) fn none() -> Self {
        Self {
            helm_command: "helm".into(),
            ..Self::default()
        }
    }

    /// The flags as what they allow.
    pub(super) fn allowed(&self) -> Allowed {
        let Self {
            enable_remote,
            cache_dir,
            enable_helm,
            helm_command,
            helm_api_versions,
            helm_kube_version,
            helm_debug,
        } = self;
        Allowed {
            remote: *enable_remote,
            helm: *enable_helm,
            is_sidecar: false,
            helm_command: helm_command.clone(),
            helm_defaults: HelmDefaults {
                api_versions: helm_api_versions.clone(),
                kube_version: helm_kube_version.clone(),
                debug: *helm_debug,
            },
            cache: cache_dir
                .clone()
                .or_else(|| variable("ARGOCD_INFISICAL_CACHE"))
                .or_else(cache_of_user),
        }
    }
}

/// A path that a variable names; an empty variable names none.
pub(super) fn variable(name: &str) -> Option<PathBuf> {
    let value = std::env::var_os(name).filter(|value| !value.is_empty());
    value.map(PathBuf::from)
}

/// Where a user's programs keep what they can fetch again.
fn cache_of_user() -> Option<PathBuf> {
    let absolute = |name: &str| variable(name).filter(|path| path.is_absolute());
    let cache =
        absolute("XDG_CACHE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".cache")));
    cache.map(|cache| cache.join("argocd-infisical"))
}
