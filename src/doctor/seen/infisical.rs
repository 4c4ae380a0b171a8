//! Objects of the Infisical operator, as far as they say how and whether it syncs.

use serde::Deserialize;
use serde_json::Value;

use crate::settings::object::{ObjectKind, ObjectName};
use crate::steer::Name;

/// Something that the operator syncs from Infisical.
#[derive(Clone, Debug)]
pub struct Synced {
    /// Its kind.
    pub kind: &'static str,
    /// Its name.
    pub name: Name,
    /// How often.
    pub interval: Interval,
    /// What the operator says of it. Messages are not kept: they may quote anything.
    pub conditions: Vec<Condition>,
    /// The objects that are written.
    pub targets: Vec<ObjectName>,
}

/// How often something is synced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Interval {
    /// As the operator's default says, in seconds.
    Default(u64),
    /// Written as a text.
    Text(String),
    /// Written as a number of seconds.
    Seconds(u64),
}

/// One of `status.conditions`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Condition {
    /// Which one.
    #[serde(rename = "type")]
    pub kind: String,
    /// `True`, `False` or `Unknown`.
    pub status: String,
}

/// An `InfisicalConnection`.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Its name.
    pub name: Name,
    /// Its address; `None` where the operator's own is meant.
    pub address: Option<String>,
}

fn name(value: &Value) -> Name {
    let text = |field: &str| value["metadata"][field].as_str().unwrap_or_default();
    Name::new(text("namespace"), text("name"))
}

fn conditions(value: &Value) -> Vec<Condition> {
    let conditions = value["status"]["conditions"].clone();
    serde_json::from_value(conditions).unwrap_or_default()
}

fn items<'a>(value: &'a Value, field: &str) -> impl Iterator<Item = &'a Value> {
    value[field].as_array().into_iter().flatten()
}

fn target(kind: ObjectKind, namespace: &Value, name: &Value) -> Option<ObjectName> {
    Some(ObjectName {
        kind,
        namespace: namespace.as_str()?.to_owned(),
        name: name.as_str()?.to_owned(),
    })
}

impl Connection {
    /// Reads a connection; `None` where it is not made as one.
    pub fn read(json: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(json).ok()?;
        let address = value["spec"]["address"].as_str();
        Some(Self {
            name: name(&value),
            address: address
                .filter(|address| !address.is_empty())
                .map(Into::into),
        })
    }
}

impl Synced {
    /// Reads an `InfisicalStaticSecret` (v1beta1); `None` where it is not made as one.
    pub fn read_static(json: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(json).ok()?;
        let spec = &value["spec"];
        let interval = spec["syncOptions"]["refreshInterval"].as_str();
        let targets = items(spec, "targets").filter_map(|each| {
            let kind = match each["kind"].as_str()? {
                "ConfigMap" => ObjectKind::ConfigMap,
                _ => ObjectKind::Secret,
            };
            target(kind, &each["namespace"], &each["name"])
        });
        Some(Self {
            kind: "InfisicalStaticSecret",
            name: name(&value),
            interval: Interval::Text(interval.unwrap_or_default().to_owned()),
            conditions: conditions(&value),
            targets: targets.collect(),
        })
    }

    /// Reads an `InfisicalSecret` (v1alpha1); `None` where it is not made as one.
    pub fn read_secret(json: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(json).ok()?;
        let spec = &value["spec"];
        let options = &spec["syncConfig"];
        let is_instant = [&options["instantUpdates"], &spec["instantUpdates"]]
            .into_iter()
            .any(|value| value == &Value::Bool(true));
        // The operator: 5 minutes, or an hour where it is told of changes.
        let usual = Interval::Default(if is_instant { 3600 } else { 300 });
        let text = options["resyncInterval"].as_str();
        let interval = match (text, spec["resyncInterval"].as_u64()) {
            (Some(text), _) if !matches!(text, "" | "0s") => Interval::Text(text.to_owned()),
            (None, Some(seconds)) if seconds > 0 => Interval::Seconds(seconds),
            _ => usual,
        };
        let secret = |each: &Value| {
            target(
                ObjectKind::Secret,
                &each["secretNamespace"],
                &each["secretName"],
            )
        };
        let map = |each: &Value| {
            target(
                ObjectKind::ConfigMap,
                &each["configMapNamespace"],
                &each["configMapName"],
            )
        };
        let mut targets: Vec<_> = items(spec, "managedKubeSecretReferences")
            .filter_map(secret)
            .collect();
        targets.extend(items(spec, "managedKubeConfigMapReferences").filter_map(map));
        targets.extend(secret(&spec["managedSecretReference"]));
        Some(Self {
            kind: "InfisicalSecret",
            name: name(&value),
            interval,
            conditions: conditions(&value),
            targets,
        })
    }
}
