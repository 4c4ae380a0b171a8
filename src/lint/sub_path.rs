//! Single files out of a Secret or `ConfigMap` that is not of this tree: what Kubernetes does with them.
//!
//! A file that is mounted by `subPath` stays as it was when the pod started. What the tree itself generates has a name with a
//! hash and starts other pods; what an operator keeps does not.

use goyaml::{Node, Position};
use kustomize::{Resource, Resources};
use regex::Regex;

use super::Found;

/// Where a workload has the template of its pods.
const TEMPLATES: [&[&str]; 2] = [
    &["spec", "template"],
    &["spec", "jobTemplate", "spec", "template"],
];
const CONTAINERS: [&str; 2] = ["initContainers", "containers"];

/// A volume with the data of an object.
struct Volume<'a> {
    field: String,
    node: &'a Node,
    kind: Kind,
    object: &'a str,
}

/// The kinds of objects that are mounted as files.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Secret,
    ConfigMap,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Secret => "Secret",
            Self::ConfigMap => "ConfigMap",
        }
    }

    /// What Reloader calls it.
    const fn of_reloader(self) -> &'static str {
        match self {
            Self::Secret => "secret",
            Self::ConfigMap => "configmap",
        }
    }
}

/// What is found of the files of one resource's pods.
pub(super) fn look(resource: &Resource, all: &Resources) -> Vec<Found> {
    let mut found = Vec::new();
    for path in TEMPLATES {
        let Some(template) = resource.node().get_path(path) else {
            continue;
        };
        let prefix = path.join(".");
        for volume in volumes(template, &prefix) {
            let mount = mount_of(template, &prefix, volume.node);
            let Some((field, position)) = mount.filter(|_| !is_of(all, &volume)) else {
                continue;
            };
            if !volume.names_its_keys() {
                found.push(volume.without_items());
            }
            let annotated = [resource.node(), template];
            if !annotated
                .iter()
                .any(|node| restarts(node, volume.kind, volume.object))
            {
                found.push(volume.never_changes(field, position));
            }
        }
    }
    found
}

/// Whether an object is one of the tree.
fn is_of(all: &Resources, volume: &Volume<'_>) -> bool {
    all.iter().any(|resource| {
        &*resource.gvk().kind == volume.kind.name() && resource.has_had_name(volume.object)
    })
}

fn volumes<'a>(template: &'a Node, prefix: &str) -> Vec<Volume<'a>> {
    let volumes = template
        .get_path(&["spec", "volumes"])
        .and_then(Node::items);
    let each = volumes.unwrap_or_default().iter().enumerate();
    each.filter_map(|(index, node)| {
        let secret = node.get_path(&["secret", "secretName"]);
        let config_map = node.get_path(&["configMap", "name"]);
        let (kind, object) = match (secret, config_map) {
            (Some(name), _) => (Kind::Secret, name),
            (None, Some(name)) => (Kind::ConfigMap, name),
            (None, None) => return None,
        };
        Some(Volume {
            field: format!("{prefix}.spec.volumes.{index}"),
            node,
            kind,
            object: object.as_str()?,
        })
    })
    .collect()
}

/// The first mount of a part of a volume.
fn mount_of(template: &Node, prefix: &str, volume: &Node) -> Option<(String, Position)> {
    let name = volume.get("name")?.as_str()?;
    CONTAINERS.iter().find_map(|list| {
        let containers = template.get_path(&["spec", list])?.items()?;
        containers.iter().enumerate().find_map(|(at, container)| {
            let mounts = container.get("volumeMounts")?.items()?;
            mounts.iter().enumerate().find_map(|(index, mount)| {
                let text = |key: &str| mount.get(key).and_then(Node::as_str).unwrap_or_default();
                let is_part = !text("subPath").is_empty() || !text("subPathExpr").is_empty();
                (is_part && text("name") == name).then(|| {
                    let field = format!("{prefix}.spec.{list}.{at}.volumeMounts.{index}");
                    (field, mount.position)
                })
            })
        })
    })
}

/// Whether the annotations of a workload, or of its pods, ask for a restart when an object changes.
fn restarts(node: &Node, kind: Kind, object: &str) -> bool {
    let annotations = node.get_path(&["metadata", "annotations"]);
    let entries = annotations.and_then(Node::entries).unwrap_or_default();
    entries.iter().any(|(key, value)| {
        let (Some(key), Some(value)) = (key.as_str(), value.as_str()) else {
            return false;
        };
        match key {
            "reloader.stakater.com/auto" | "reloader.stakater.com/search" => value == "true",
            "secrets.infisical.com/auto-reload" => value == "true" && kind == Kind::Secret,
            _ => match key.strip_prefix(kind.of_reloader()) {
                Some(".reloader.stakater.com/auto") => value == "true",
                Some(".reloader.stakater.com/reload") => names(value, object),
                _ => false,
            },
        }
    })
}

/// Whether one of the patterns of an annotation of Reloader's is for an object.
fn names(patterns: &str, object: &str) -> bool {
    patterns.split(',').any(|pattern| {
        let pattern = pattern.trim();
        let whole = Regex::new(&format!("^(?:{pattern})$"));
        pattern == object || whole.is_ok_and(|whole| whole.is_match(object))
    })
}

impl Volume<'_> {
    /// Whether the pod waits until the keys are there.
    fn names_its_keys(&self) -> bool {
        let source = match self.kind {
            Kind::Secret => "secret",
            Kind::ConfigMap => "configMap",
        };
        let items = self.node.get_path(&[source, "items"]);
        items
            .and_then(Node::items)
            .is_some_and(|items| !items.is_empty())
    }

    fn without_items(&self) -> Found {
        let Self { kind, object, .. } = self;
        Found {
            message: format!(
                "a file of {} `{object}` is mounted by `subPath`, and the volume has no `items`: a key that is not there becomes an empty directory",
                kind.name()
            ),
            hint: "name the key in `items` of the volume: the pod waits for it then".to_owned(),
            field: self.field.clone(),
            position: self.node.position,
        }
    }

    fn never_changes(&self, field: String, position: Position) -> Found {
        let Self { kind, object, .. } = self;
        Found {
            message: format!(
                "a file of {} `{object}` is mounted by `subPath`, which never changes in a running pod, and nothing restarts it",
                kind.name()
            ),
            hint: format!(
                "annotate the workload with `{}.reloader.stakater.com/reload: {object}` where Reloader runs, or mount the directory",
                kind.of_reloader()
            ),
            field,
            position,
        }
    }
}
