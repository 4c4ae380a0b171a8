//! Parts of an Application that are told by less than what they are written with.

use std::sync::Arc;

use jiff::Timestamp;
use serde::de::{Error, IgnoredAny};
use serde::{Deserialize, Deserializer};

use super::Cause;

/// Who last wrote the fields that matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Managers {
    /// `spec.source.targetRevision`.
    pub target_revision: Vec<Manager>,
    /// `spec.source.plugin.env`, which is one field with all its entries.
    pub env: Vec<Manager>,
    /// `spec.sources`, which is one field with all its entries.
    pub sources: Vec<Manager>,
    /// The annotation `argocd.argoproj.io/ignore-differences`.
    pub ignore_differences: Vec<Manager>,
}

/// A field manager.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manager {
    /// Its name.
    pub name: String,
    /// Whether it applies (`Apply`) and does not write (`Update`).
    pub applies: bool,
    /// When it last wrote anything of the object.
    pub time: Option<Timestamp>,
}

/// Which of the fields that matter a manifest has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each tells of a field of its own"
)]
pub struct GitFields {
    /// `spec.source.targetRevision`.
    pub target_revision: bool,
    /// `spec.source.plugin.env`.
    pub env: bool,
    /// `spec.sources`.
    pub sources: bool,
    /// The annotation `argocd.argoproj.io/ignore-differences`.
    pub ignore_differences: bool,
}

/// A field that may be null.
pub(super) fn or_default<'a, T, D>(from: D) -> Result<T, D::Error>
where
    T: Deserialize<'a> + Default,
    D: Deserializer<'a>,
{
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

/// A list that may be null. A list grows ahead of what comes, and what it has ahead is of no use once it is whole.
pub(super) fn list<'a, T, D>(from: D) -> Result<Vec<T>, D::Error>
where
    T: Deserialize<'a>,
    D: Deserializer<'a>,
{
    Ok(list_or_none(from)?.unwrap_or_default())
}

/// The same where null, or nothing, is no empty list.
pub(super) fn list_or_none<'a, T, D>(from: D) -> Result<Option<Vec<T>>, D::Error>
where
    T: Deserialize<'a>,
    D: Deserializer<'a>,
{
    let list: Option<Vec<T>> = Option::deserialize(from)?;
    Ok(list.map(|mut list| {
        list.shrink_to_fit();
        list
    }))
}

/// A field that is held once by several.
pub(super) fn shared<'a, T, D>(from: D) -> Result<Option<Arc<T>>, D::Error>
where
    T: Deserialize<'a>,
    D: Deserializer<'a>,
{
    Ok(Option::deserialize(from)?.map(Arc::new))
}

/// The same of a list; it may be null.
pub(super) fn shared_list<'a, T, D>(from: D) -> Result<Arc<[T]>, D::Error>
where
    T: Deserialize<'a>,
    D: Deserializer<'a>,
{
    let list: Option<Vec<T>> = Option::deserialize(from)?;
    Ok(list.map_or_else(Arc::default, Arc::from))
}

/// A time; what is none counts as none, since one odd Application must not stop the reading of all.
pub(super) fn time<'a, D: Deserializer<'a>>(from: D) -> Result<Option<Timestamp>, D::Error> {
    let text = Option::<String>::deserialize(from)?;
    Ok(text.and_then(|text| text.parse().ok()))
}

/// Whether a field is there, and not null.
pub(super) fn is_there<'a, D: Deserializer<'a>>(from: D) -> Result<bool, D::Error> {
    Ok(Option::<IgnoredAny>::deserialize(from)?.is_some())
}

/// The cause that the message of a condition tells.
pub(super) fn cause<'a, D: Deserializer<'a>>(from: D) -> Result<Cause, D::Error> {
    let message = Option::<String>::deserialize(from)?.unwrap_or_default();
    let has = |text: &str| message.contains(text);
    Ok(if has("Manifest generation error (cached)") {
        Cause::Paused
    } else if has("unable to resolve") && has("to a commit SHA") {
        Cause::NoRevision
    } else if has("app path does not exist") {
        Cause::NoPath
    } else {
        Cause::Other
    })
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    manager: String,
    #[serde(default)]
    operation: String,
    #[serde(default, deserialize_with = "time")]
    time: Option<Timestamp>,
    #[serde(default, rename = "fieldsV1")]
    fields: Option<Fields>,
}

#[derive(Deserialize)]
struct Fields {
    #[serde(default, rename = "f:metadata")]
    metadata: Option<MetadataFields>,
    #[serde(default, rename = "f:spec")]
    spec: Option<SpecFields>,
}

#[derive(Deserialize)]
struct MetadataFields {
    #[serde(default, rename = "f:annotations")]
    annotations: Option<AnnotationFields>,
}

#[derive(Deserialize)]
struct AnnotationFields {
    #[serde(default, rename = "f:argocd.argoproj.io/ignore-differences")]
    ignore_differences: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct SpecFields {
    #[serde(default, rename = "f:source")]
    source: Option<SourceFields>,
    #[serde(default, rename = "f:sources")]
    sources: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct SourceFields {
    #[serde(default, rename = "f:targetRevision")]
    target_revision: Option<IgnoredAny>,
    #[serde(default, rename = "f:plugin")]
    plugin: Option<PluginFields>,
}

#[derive(Deserialize)]
struct PluginFields {
    #[serde(default, rename = "f:env")]
    env: Option<IgnoredAny>,
}

/// `metadata.managedFields`.
pub(super) fn managers<'a, D: Deserializer<'a>>(from: D) -> Result<Managers, D::Error> {
    let entries = Option::<Vec<Entry>>::deserialize(from)?.unwrap_or_default();
    let mut managers = Managers::default();
    for entry in entries {
        let Entry {
            manager,
            operation,
            time,
            fields,
        } = entry;
        let Some(Fields { metadata, spec }) = fields else {
            continue;
        };
        let manager = Manager {
            name: manager,
            applies: operation == "Apply",
            time,
        };
        let annotations = metadata.and_then(|metadata| metadata.annotations);
        if annotations.is_some_and(|annotations| annotations.ignore_differences.is_some()) {
            managers.ignore_differences.push(manager.clone());
        }
        let Some(spec) = spec else {
            continue;
        };
        let source = spec.source.as_ref();
        if source.is_some_and(|source| source.target_revision.is_some()) {
            managers.target_revision.push(manager.clone());
        }
        let plugin = source.and_then(|source| source.plugin.as_ref());
        if plugin.is_some_and(|plugin| plugin.env.is_some()) {
            managers.env.push(manager.clone());
        }
        if spec.sources.is_some() {
            managers.sources.push(manager);
        }
    }
    let Managers {
        target_revision,
        env,
        sources,
        ignore_differences,
    } = &mut managers;
    for list in [target_revision, env, sources, ignore_differences] {
        list.shrink_to_fit();
    }
    Ok(managers)
}

#[derive(Deserialize)]
struct Manifest {
    #[serde(default)]
    metadata: Option<ManifestMetadata>,
    #[serde(default)]
    spec: Option<ManifestSpec>,
}

#[derive(Deserialize)]
struct ManifestMetadata {
    #[serde(default)]
    annotations: Option<ManifestAnnotations>,
}

#[derive(Deserialize)]
struct ManifestAnnotations {
    #[serde(default, rename = "argocd.argoproj.io/ignore-differences")]
    ignore_differences: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct ManifestSpec {
    #[serde(default)]
    source: Option<ManifestSource>,
    #[serde(default)]
    sources: Option<Vec<IgnoredAny>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ManifestSource {
    #[serde(default)]
    target_revision: Option<IgnoredAny>,
    #[serde(default)]
    plugin: Option<ManifestPlugin>,
}

#[derive(Deserialize)]
struct ManifestPlugin {
    #[serde(default)]
    env: Option<IgnoredAny>,
}

/// The manifest that was applied last, in an annotation.
///
/// One that cannot be read counts as one that has all fields, and no rule that leaves any alone: then nothing is written that
/// it might revert.
pub(super) fn last_applied<'a, D: Deserializer<'a>>(
    from: D,
) -> Result<Option<GitFields>, D::Error> {
    let Some(text) = Option::<String>::deserialize(from).map_err(D::Error::custom)? else {
        return Ok(None);
    };
    let Ok(manifest) = serde_json::from_str::<Manifest>(&text) else {
        return Ok(Some(GitFields {
            target_revision: true,
            env: true,
            sources: true,
            ignore_differences: false,
        }));
    };
    let metadata = manifest.metadata.as_ref();
    let annotations = metadata.and_then(|metadata| metadata.annotations.as_ref());
    let spec = manifest.spec.as_ref();
    let source = spec.and_then(|spec| spec.source.as_ref());
    let plugin = source.and_then(|source| source.plugin.as_ref());
    Ok(Some(GitFields {
        target_revision: source.is_some_and(|source| source.target_revision.is_some()),
        env: plugin.is_some_and(|plugin| plugin.env.is_some()),
        sources: spec.is_some_and(|spec| spec.sources.is_some()),
        ignore_differences: annotations
            .is_some_and(|annotations| annotations.ignore_differences.is_some()),
    }))
}
