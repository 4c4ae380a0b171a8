//! Argo CD itself: its version, and what it sends to the sidecar. And the images.

use serde_json::json;

use super::cure;
use super::finding::{Code, Finding};
use super::look::Look;
use super::pod::{self, Pod};
use super::seen::Part;
use super::sidecar::variable;

/// The oldest and the newest version that is known to work.
const OLDEST: (u32, u32) = (2, 14);
const NEWEST: (u32, u32) = (3, 6);

/// Finds what is wrong with it.
pub(super) fn examine(look: &Look<'_>, findings: &mut Vec<Finding>) {
    images(look, findings);
    let Some(pod) = look.repo_server else { return };
    version(pod, findings);
    if !look.sidecars.is_empty() {
        git_in_tar(look, pod, findings);
    }
}

/// The container of the repo-server itself.
fn own(pod: Pod<'_>) -> Option<&k8s_openapi::api::core::v1::Container> {
    let mut containers = pod.spec.containers.iter();
    let named = containers.find(|container| container.name.ends_with("repo-server"));
    named.or_else(|| {
        pod.spec
            .containers
            .iter()
            .find(|container| !pod::is_sidecar(container))
    })
}

fn version(pod: Pod<'_>, findings: &mut Vec<Finding>) {
    let Some(container) = own(pod) else { return };
    let image = pod::image(container);
    let Some((major, minor)) = image.tag.and_then(numbers) else {
        let message = "the tag of its image is no version";
        let cure = format!(
            "# supported are {} to {}\nargocd version --server-address ADDRESS",
            shown(OLDEST),
            shown(NEWEST)
        );
        findings.push(Finding::new(Code::ArgocdVersionUnknown, pod.what(), message).cure(cure));
        return;
    };
    let version = (major, minor);
    if version < OLDEST || version > NEWEST {
        let message = format!(
            "Argo CD {} is not among the versions that this is tested with",
            shown(version)
        );
        let cure = format!("# supported are {} to {}", shown(OLDEST), shown(NEWEST));
        findings.push(Finding::new(Code::ArgocdVersion, pod.what(), message).cure(cure));
    }
    // Argo CD: PR 28414
    if version < (3, 6) {
        let message = format!(
            "Argo CD {} may lose a refresh that is asked for while another one runs; the controller asks again after a minute",
            shown(version)
        );
        let cure = "# 3.6 does not";
        findings.push(Finding::new(Code::ArgocdRefreshLost, pod.what(), message).cure(cure));
    }
}

fn shown((major, minor): (u32, u32)) -> String {
    format!("{major}.{minor}")
}

fn numbers(tag: &str) -> Option<(u32, u32)> {
    let mut parts = tag.strip_prefix('v').unwrap_or(tag).split('.');
    let number = |text: Option<&str>| text?.parse().ok();
    Some((number(parts.next())?, number(parts.next())?))
}

fn git_in_tar(look: &Look<'_>, pod: Pod<'_>, findings: &mut Vec<Finding>) {
    let Some(container) = own(pod) else { return };
    if matches!(look.seen.parameters, Part::Unreadable(_)) {
        return;
    }
    let name = "ARGOCD_REPO_SERVER_PLUGIN_TAR_EXCLUSIONS";
    let excluded =
        pod::flag(container, "--plugin-tar-exclude").or_else(|| variable(look, container, name));
    let mut patterns = excluded.unwrap_or_default().split(';').map(str::trim);
    if patterns.any(|pattern| {
        matches!(
            pattern,
            ".git" | ".git/**" | "**/.git" | "**/.git/**" | ".git/*"
        )
    }) {
        return;
    }
    let message = "it sends the repository's `.git` to the sidecar: 250 ms more for each render of a small repository";
    let namespace = &look.seen.argocd_namespace;
    let patch = json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "argocd-cmd-params-cm", "namespace": namespace},
        "data": {"reposerver.plugin.tar.exclusions": ".git"},
    });
    let cure = format!(
        "{}\n# then: kubectl -n {namespace} rollout restart deployment {}",
        cure::with(
            "a patch; patterns that are there are joined with `;`",
            &patch
        ),
        pod.name()
    );
    findings.push(Finding::new(Code::GitInTar, pod.what(), message).cure(cure));
}

/// The images of sidecars and controller.
fn images(look: &Look<'_>, findings: &mut Vec<Finding>) {
    let sidecars = look.sidecars.iter().map(|sidecar| sidecar.container);
    let sidecars = look
        .repo_server
        .into_iter()
        .flat_map(|pod| sidecars.clone().map(move |container| (pod, container)));
    let all: Vec<_> = sidecars.chain(look.controller).collect();
    for (pod, container) in &all {
        let image = pod::image(container);
        let what = format!("{}, container {}", pod.what(), container.name);
        if !image.has_registry {
            let message = "its image names no registry, so that nodes look for it at Docker Hub";
            let cure = cure::with(
                "in the kustomization that installs it",
                &json!({"images": [{"name": "argocd-infisical", "newName": "registry.example.org/argocd-infisical"}]}),
            );
            findings.push(Finding::new(Code::ImageName, &what, message).cure(cure));
        }
        if !image.is_pinned && matches!(image.tag, None | Some("" | "latest")) {
            let message = "its image has no tag that stays: the next pod may run another version";
            let cure = cure::with(
                "in the kustomization that installs it",
                &json!({"images": [{"name": "argocd-infisical", "newTag": env!("CARGO_PKG_VERSION")}]}),
            );
            findings.push(Finding::new(Code::ImageTag, &what, message).cure(cure));
        }
    }
    let tags = all
        .iter()
        .filter_map(|(_, container)| pod::image(container).tag);
    let mut tags: Vec<&str> = tags.collect();
    tags.sort_unstable();
    tags.dedup();
    if tags.len() > 1 {
        let message = format!(
            "sidecar and controller are of different versions: {}",
            tags.join(", ")
        );
        let cure = "# set the same tag for both: they share the format of digests";
        let what = all.last().map(|(pod, _)| pod.what()).unwrap_or_default();
        findings.push(Finding::new(Code::ImageVersions, what, message).cure(cure));
    }
}
