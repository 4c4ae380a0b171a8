//! Containers of a Deployment: what they run, and what is mounted in them.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Container, PodSpec, Volume, VolumeMount};

/// A Deployment with its pods.
#[derive(Clone, Copy)]
pub(super) struct Pod<'a> {
    /// The Deployment.
    pub(super) deployment: &'a Deployment,
    /// Its pods.
    pub(super) spec: &'a PodSpec,
}

impl<'a> Pod<'a> {
    /// The pods of a Deployment.
    pub(super) fn of(deployment: &'a Deployment) -> Option<Self> {
        let spec = deployment.spec.template.spec.as_ref()?;
        Some(Self { deployment, spec })
    }

    /// The name of the Deployment.
    pub(super) fn name(&self) -> &'a str {
        self.deployment.metadata.name.as_deref().unwrap_or_default()
    }

    /// The Deployment, for messages.
    pub(super) fn what(&self) -> String {
        let namespace = self.deployment.metadata.namespace.as_deref();
        format!(
            "Deployment {}/{}",
            namespace.unwrap_or_default(),
            self.name()
        )
    }

    /// The `ServiceAccount` of the pods.
    pub(super) fn account(&self) -> &'a str {
        let named = self.spec.service_account_name.as_deref();
        named.filter(|name| !name.is_empty()).unwrap_or("default")
    }

    /// How many pods are wanted, and how many of those are not ready. While others take their place there are more than are wanted.
    pub(super) fn unready(&self) -> Option<(i32, i32)> {
        let wanted = self.deployment.spec.replicas.unwrap_or(1);
        let status = self.deployment.status.as_ref()?;
        let unavailable = status.unavailable_replicas.unwrap_or(0).min(wanted);
        (unavailable > 0).then_some((wanted, unavailable))
    }

    /// The volume that is mounted at a path or above it in a container, and what is left of the path.
    pub(super) fn mount<'p>(
        &self,
        container: &'a Container,
        path: &'p str,
    ) -> Option<(&'a Volume, &'a VolumeMount, &'p str)> {
        let mounts = container.volume_mounts.iter().flatten();
        let below = |mount: &'a VolumeMount| {
            let at = mount.mount_path.trim_end_matches('/');
            let rest = path.strip_prefix(at)?;
            let rest = match rest.strip_prefix('/') {
                Some(rest) => rest,
                None if rest.is_empty() => "",
                None => return None,
            };
            Some((at.len(), mount, rest))
        };
        let (_, mount, rest) = mounts
            .filter_map(below)
            .max_by_key(|(length, _, _)| *length)?;
        let volumes = self.spec.volumes.iter().flatten();
        let volume = volumes
            .into_iter()
            .find(|volume| volume.name == mount.name)?;
        Some((volume, mount, rest))
    }

    /// What a file is in a container.
    pub(super) fn file(&self, container: &'a Container, path: &str) -> Option<Mounted<'a>> {
        let (volume, mount, rest) = self.mount(container, path)?;
        let sub = mount.sub_path.as_deref().unwrap_or_default();
        let key = match (sub, rest) {
            ("", rest) => rest.to_owned(),
            (sub, "") => sub.to_owned(),
            (sub, rest) => format!("{sub}/{rest}"),
        };
        Mounted::of(volume, &key)
    }

    /// The `ConfigMap`s and Secrets that are mounted in a container.
    fn sources(&self, container: &'a Container) -> impl Iterator<Item = Mounted<'a>> {
        let volumes = self.spec.volumes.iter().flatten();
        let mounts = move |volume: &Volume| {
            let mut mounts = container.volume_mounts.iter().flatten();
            mounts.any(|mount| mount.name == volume.name)
        };
        volumes
            .filter(move |volume| mounts(volume))
            .filter_map(|volume| Mounted::of(volume, ""))
    }
}

/// What stands behind a file of a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mounted<'a> {
    /// A key of a `ConfigMap`.
    ConfigMap {
        /// Its name.
        name: &'a str,
        /// The key; empty for the whole.
        key: String,
    },
    /// A key of a Secret.
    Secret {
        /// Its name.
        name: &'a str,
        /// The key; empty for the whole.
        key: String,
    },
}

impl<'a> Mounted<'a> {
    fn of(volume: &'a Volume, path: &str) -> Option<Self> {
        let key = |items: Option<&Vec<k8s_openapi::api::core::v1::KeyToPath>>| {
            let mut items = items.into_iter().flatten();
            let item = items.find(|item| item.path == path);
            item.map_or_else(|| path.to_owned(), |item| item.key.clone())
        };
        if let Some(map) = &volume.config_map {
            return Some(Self::ConfigMap {
                name: &map.name,
                key: key(map.items.as_ref()),
            });
        }
        let secret = volume.secret.as_ref()?;
        Some(Self::Secret {
            name: secret.secret_name.as_deref()?,
            key: key(secret.items.as_ref()),
        })
    }
}

/// The `ConfigMap`s and Secrets that are mounted in our containers of some Deployments.
pub fn mounted_in(deployments: &[Deployment]) -> Vec<Mounted<'_>> {
    let pods = deployments.iter().filter_map(Pod::of);
    let ours = pods.flat_map(|pod| {
        let containers = pod.spec.containers.iter();
        let ours = containers.filter(|container| is_sidecar(container) || is_controller(container));
        ours.flat_map(|container| pod.sources(container).collect::<Vec<_>>())
            .collect::<Vec<_>>()
    });
    ours.collect()
}

/// The name of the Lease that the controller among some Deployments holds.
pub fn lease_in(deployments: &[Deployment]) -> &str {
    let pods = deployments.iter().filter_map(Pod::of);
    let mut containers = pods.flat_map(|pod| &pod.spec.containers);
    lease_name(containers.find(|container| is_controller(container)))
}

/// The name of the Lease that a controller holds.
pub(super) fn lease_name(container: Option<&Container>) -> &str {
    let named = container.and_then(|container| flag(container, "--lease-name"));
    named.unwrap_or("argocd-infisical")
}

/// Whether a container is the plugin's sidecar.
pub(super) fn is_sidecar(container: &Container) -> bool {
    let runs_cmp = || words(container).any(|word| word.ends_with("argocd-cmp-server"));
    container.name == "argocd-infisical"
        || image(container).name == "argocd-infisical" && runs_cmp()
}

/// Whether a container is the controller.
pub(super) fn is_controller(container: &Container) -> bool {
    let is_ours = image(container).name == "argocd-infisical"
        || words(container).any(|word| word.ends_with("argocd-infisical"));
    is_ours && words(container).any(|word| word == "controller")
}

/// The words of a container's command line.
pub(super) fn words(container: &Container) -> impl Iterator<Item = &str> {
    let command = container.command.iter().flatten();
    let words = command.chain(container.args.iter().flatten());
    words.map(String::as_str)
}

/// What a flag of the command line says; of several, the last one.
pub(super) fn flag<'a>(container: &'a Container, name: &str) -> Option<&'a str> {
    value_of(words(container), name)
}

/// What a flag says among some words; of several, the last one.
pub(super) fn value_of<'a>(words: impl Iterator<Item = &'a str>, name: &str) -> Option<&'a str> {
    let (mut found, mut is_next) = (None, false);
    for word in words {
        if std::mem::take(&mut is_next) {
            found = Some(word);
        } else if word == name {
            is_next = true;
        } else if let Some(value) = word
            .strip_prefix(name)
            .and_then(|rest| rest.strip_prefix('='))
        {
            found = Some(value);
        }
    }
    found
}

/// An image, taken apart.
pub(super) struct Image<'a> {
    /// Whether it says where it comes from.
    pub(super) has_registry: bool,
    /// The last part of its path.
    pub(super) name: &'a str,
    /// Its tag.
    pub(super) tag: Option<&'a str>,
    /// Whether a digest pins it.
    pub(super) is_pinned: bool,
}

/// The image of a container.
pub(super) fn image(container: &Container) -> Image<'_> {
    image_of(container.image.as_deref().unwrap_or_default())
}

/// An image, taken apart.
pub(super) fn image_of(image: &str) -> Image<'_> {
    let (image, is_pinned) = match image.split_once('@') {
        Some((image, _)) => (image, true),
        None => (image, false),
    };
    let (path, last) = image.rsplit_once('/').unwrap_or(("", image));
    let (name, tag) = match last.split_once(':') {
        Some((name, tag)) => (name, Some(tag)),
        None => (last, None),
    };
    Image {
        has_registry: !path.is_empty(),
        name,
        tag,
        is_pinned,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn images() {
        let parts = |text| {
            let Image {
                has_registry,
                name,
                tag,
                is_pinned,
            } = image_of(text);
            (has_registry, name, tag, is_pinned)
        };
        assert_eq!(
            parts("argocd-infisical:0.1.0"),
            (false, "argocd-infisical", Some("0.1.0"), false)
        );
        assert_eq!(parts("localhost:5000/a/b"), (true, "b", None, false));
        assert_eq!(
            parts("quay.io/argoproj/argocd:v3.6.1@sha256:00"),
            (true, "argocd", Some("v3.6.1"), true)
        );
    }

    #[test]
    fn flags() {
        let container: Container = serde_json::from_value(json!({
            "name": "c", "command": ["x", "--mode", "observe"], "args": ["--mode=enforce", "--modest=1", "--last"],
        }))
        .unwrap();
        assert_eq!(flag(&container, "--mode"), Some("enforce"));
        assert_eq!(flag(&container, "--last"), None);
        assert_eq!(flag(&container, "--mod"), None);
    }

    #[test]
    fn files_in_volumes() {
        let deployment: Deployment = serde_json::from_value(json!({"spec": {
            "selector": {},
            "template": {"spec": {
                "containers": [{"name": "c", "volumeMounts": [
                    {"name": "a", "mountPath": "/etc"},
                    {"name": "b", "mountPath": "/etc/b/"},
                    {"name": "a", "mountPath": "/one", "subPath": "plugin.yaml"},
                ]}],
                "volumes": [
                    {"name": "a", "configMap": {"name": "map"}},
                    {"name": "b", "secret": {"secretName": "secret", "items": [{"key": "k", "path": "key"}]}},
                ],
            }},
        }}))
        .unwrap();
        let pod = Pod::of(&deployment).unwrap();
        let container = &pod.spec.containers[0];
        let map = |key: &str| {
            Some(Mounted::ConfigMap {
                name: "map",
                key: key.into(),
            })
        };
        let secret = |key: &str| {
            Some(Mounted::Secret {
                name: "secret",
                key: key.into(),
            })
        };
        assert_eq!(pod.file(container, "/etc/x"), map("x"));
        assert_eq!(pod.file(container, "/one"), map("plugin.yaml"));
        assert_eq!(pod.file(container, "/etc/b/key"), secret("k"));
        assert_eq!(pod.file(container, "/etc/b"), secret(""));
        assert_eq!(pod.file(container, "/etcetera"), None);
    }
}
