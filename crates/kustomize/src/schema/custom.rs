//! A schema that a kustomization brings along with `openapi.path`, read where it stands in its document.

use goyaml::{Node, Text};
use indexmap::IndexMap;

use super::SchemaError;

const KIND_EXTENSION: &str = "x-kubernetes-group-version-kind";
const NAMESPACE_IN_PATH: &str = "namespaces/{namespace}";

/// The definitions of a custom schema and what is found by apiVersion and kind.
#[derive(Clone, Debug, Default)]
pub(super) struct Custom {
    pub(super) definitions: IndexMap<Text, Node>,
    kinds: IndexMap<(Text, Text), Text>,
    namespaced: IndexMap<(Text, Text), bool>,
}

impl Custom {
    /// Indexes an `OpenAPI` v2 document.
    ///
    /// # Errors
    ///
    /// Where the document, its `definitions` or its `paths` is no mapping.
    pub(super) fn new(document: &Node) -> Result<Self, SchemaError> {
        if !document.is_mapping() {
            return Err(SchemaError::NotMapping("the document"));
        }
        let mut custom = Self::default();
        for (name, definition) in section(document, "definitions")? {
            let Some(name) = name.to_text() else { continue };
            let kinds = definition
                .get(KIND_EXTENSION)
                .and_then(Node::items)
                .unwrap_or_default();
            for type_meta in kinds.iter().filter_map(type_meta) {
                custom.kinds.insert(type_meta, name.clone());
            }
            custom.definitions.insert(name, definition.clone());
        }
        for (path, operations) in section(document, "paths")? {
            let get = operations
                .get("get")
                .and_then(|get| get.get(KIND_EXTENSION));
            let (Some(path), Some(type_meta)) = (path.as_str(), get.and_then(type_meta)) else {
                continue;
            };
            let namespaced = custom.namespaced.entry(type_meta).or_default();
            *namespaced |= path.contains(NAMESPACE_IN_PATH);
        }
        Ok(custom)
    }

    /// The definition for an apiVersion and kind.
    pub(super) fn resource(&self, api_version: &str, kind: &str) -> Option<&Node> {
        self.definitions
            .get(self.kinds.get(&(api_version.into(), kind.into()))?)
    }

    /// Whether a kind lives in a namespace, by the document's paths.
    pub(super) fn is_namespaced(&self, api_version: &str, kind: &str) -> Option<bool> {
        self.namespaced
            .get(&(api_version.into(), kind.into()))
            .copied()
    }
}

fn section<'a>(document: &'a Node, name: &'static str) -> Result<&'a [(Node, Node)], SchemaError> {
    match document.get(name) {
        Some(node) if !node.is_null() => node.entries().ok_or(SchemaError::NotMapping(name)),
        _ => Ok(&[]),
    }
}

fn type_meta(extension: &Node) -> Option<(Text, Text)> {
    let text = |key| extension.get(key).and_then(Node::to_text);
    let version = text("version")?;
    let api_version = match text("group") {
        Some(group) if !group.is_empty() => Text::from(format!("{group}/{version}")),
        _ => version,
    };
    Some((api_version, text("kind")?))
}

/// The schema of a property of an object.
pub(super) fn property<'a>(schema: &'a Node, name: &str) -> Option<&'a Node> {
    schema.get("properties")?.get(name)
}

/// The schema of a map's values.
pub(super) fn map_values(schema: &Node) -> Option<&Node> {
    schema
        .get("additionalProperties")
        .filter(|values| values.is_mapping())
}

/// The schema of a list's elements.
pub(super) fn elements(schema: &Node) -> Option<&Node> {
    let kind = schema.get("type")?;
    let is_array = match kind.items() {
        Some([only]) => only.as_str() == Some("array"),
        Some(_) => false,
        None => kind.as_str() == Some("array"),
    };
    schema
        .get("items")
        .filter(|items| is_array && items.is_mapping())
}

/// The patch strategy, as it is written.
pub(super) fn patch_strategy(schema: &Node) -> Option<&str> {
    schema.get("x-kubernetes-patch-strategy")?.as_str()
}

/// The merge keys of a list.
pub(super) fn merge_keys(schema: &Node) -> Vec<&str> {
    match schema
        .get("x-kubernetes-list-map-keys")
        .and_then(Node::items)
    {
        Some(keys) => keys.iter().filter_map(Node::as_str).collect(),
        None => schema
            .get("x-kubernetes-patch-merge-key")
            .and_then(Node::as_str)
            .into_iter()
            .collect(),
    }
}

/// The name of the definition that a schema refers to with `$ref: '#/definitions/NAME'`; `Err` for any other `$ref`.
pub(super) fn reference(schema: &Node) -> Result<Option<Text>, ()> {
    let Some(reference) = schema
        .get("$ref")
        .and_then(Node::as_str)
        .filter(|reference| !reference.is_empty())
    else {
        return Ok(None);
    };
    let name = reference.strip_prefix("#/definitions/").ok_or(())?;
    Ok(Some(name.replace("~1", "/").replace("~0", "~").into()))
}
