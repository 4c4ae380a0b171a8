//! A Deployment, `StatefulSet` or `DaemonSet`, as far as it matters to who restarts its pods.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value;

use crate::settings::object::{ObjectKind, ObjectName};
use crate::steer::Name;

/// What was applied last, by `kubectl` or Argo CD.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// What runs pods for long.
#[derive(Clone, Debug)]
pub struct Workload {
    /// Its kind.
    pub kind: &'static str,
    /// Its name.
    pub name: Name,
    /// The names of annotations that say `true` or name something, of it and of its pods, that ask for restarts.
    pub reloads: BTreeSet<String>,
    /// Its containers.
    pub containers: Vec<ContainerSeen>,
    /// The objects that its pods mount and do not start without.
    pub files: Vec<Mounted>,
    /// The fields that stand empty in what was applied last, and drift once something is added.
    pub empty: Vec<String>,
}

/// An object that pods mount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mounted {
    /// It.
    pub object: ObjectName,
    /// The keys that the volume names.
    pub keys: Vec<String>,
}

/// A container of a workload.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ContainerSeen {
    /// Its image.
    pub image: String,
    /// Its command.
    pub command: Vec<String>,
    /// Its arguments.
    pub args: Vec<String>,
}

/// The annotation by which the operator restarts a workload.
pub(crate) const AUTO_RELOAD: &str = "secrets.infisical.com/auto-reload";

/// Whether an annotation asks Reloader for restarts; others of its annotations say how, or except something.
pub(crate) fn is_reloader(annotation: &str) -> bool {
    let Some((group, wish)) = annotation.split_once('/') else {
        return false;
    };
    group.ends_with("reloader.stakater.com")
        && !group.contains("exclude")
        && matches!(wish, "auto" | "reload" | "search")
}

impl Workload {
    /// Reads one; `None` where it is not made as one.
    pub fn read(kind: &'static str, json: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(json).ok()?;
        let metadata = &value["metadata"];
        let text = |field: &str| metadata[field].as_str().unwrap_or_default();
        let template = &value["spec"]["template"];
        let on_pods = template["metadata"]["annotations"].as_object();
        let annotations = metadata["annotations"].as_object();
        let is_asking = |(name, value): (&String, &Value)| {
            let is_on = value
                .as_str()
                .is_some_and(|value| !value.is_empty() && value != "false");
            let is_wish = name == AUTO_RELOAD || is_reloader(name);
            (is_wish && is_on).then(|| name.clone())
        };
        let reloads = annotations.into_iter().chain(on_pods).flatten();
        let containers = template["spec"]["containers"].clone();
        let applied = annotations.and_then(|annotations| annotations.get(LAST_APPLIED));
        let applied = applied.and_then(Value::as_str).unwrap_or_default();
        Some(Self {
            kind,
            name: Name::new(text("namespace"), text("name")),
            reloads: reloads.filter_map(is_asking).collect(),
            containers: serde_json::from_value(containers).unwrap_or_default(),
            files: files(text("namespace"), &template["spec"]),
            empty: serde_json::from_str(applied)
                .map(|applied| empty(&applied))
                .unwrap_or_default(),
        })
    }
}

/// What the volumes of a pod are made of, without those that may be missing.
fn files(namespace: &str, pod: &Value) -> Vec<Mounted> {
    let volumes = pod["volumes"].as_array().into_iter().flatten();
    let sources = volumes.filter_map(|volume| {
        let secret = (ObjectKind::Secret, &volume["secret"], "secretName");
        let map = (ObjectKind::ConfigMap, &volume["configMap"], "name");
        [secret, map].into_iter().find(|(_, it, _)| it.is_object())
    });
    sources
        .filter(|(_, source, _)| source["optional"] != true)
        .filter_map(|(kind, source, field)| {
            let items = source["items"].as_array().into_iter().flatten();
            Some(Mounted {
                object: ObjectName {
                    kind,
                    namespace: namespace.to_owned(),
                    name: source[field].as_str()?.to_owned(),
                },
                keys: items
                    .filter_map(|item| Some(item["key"].as_str()?.to_owned()))
                    .collect(),
            })
        })
        .collect()
}

/// The empty fields of a pod template that others add to.
fn empty(applied: &Value) -> Vec<String> {
    let template = &applied["spec"]["template"];
    let mut found = Vec::new();
    let is_empty = |value: Option<&Value>| match value {
        Some(Value::Null) => true,
        Some(Value::Array(items)) => items.is_empty(),
        Some(Value::Object(fields)) => fields.is_empty(),
        _ => false,
    };
    if is_empty(template["metadata"].get("annotations")) {
        found.push("spec.template.metadata.annotations".to_owned());
    }
    for list in ["containers", "initContainers"] {
        let containers = template["spec"][list].as_array().into_iter().flatten();
        for (index, container) in containers.enumerate() {
            if is_empty(container.get("env")) {
                found.push(format!("spec.template.spec.{list}.{index}.env"));
            }
        }
    }
    found
}
