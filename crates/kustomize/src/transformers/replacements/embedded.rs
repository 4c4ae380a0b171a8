//! Fields of YAML or JSON that is itself the text of a field, as the files in a `ConfigMap` are.

use goyaml::{Limits, Node};

use crate::error::{Error, Result};
use crate::field_path::{self, Kind};

/// Sets fields inside a text on the way of a path; says whether there was such a text with such a field.
///
/// Where anything about it fails nothing has changed, and the path may still be an ordinary one.
// kustomize: setValueInStructuredData, whose errors copyValueToTarget drops.
pub(super) fn set(
    node: &mut Node,
    path: &[String],
    create: Option<Kind>,
    set: &mut dyn FnMut(&mut Node) -> Result<()>,
) -> bool {
    let Some((outer, inner, mut document)) = find(node, path) else {
        return false;
    };
    if !matches!(
        field_path::for_each_match(&mut document, inner, create, set),
        Ok(1..)
    ) {
        return false;
    }
    let Ok(Some(slot)) = field_path::lookup_mut(node, outer) else {
        return false;
    };
    let original = slot.as_str().unwrap_or_default();
    let Ok(text) = serialize(document, original) else {
        return false;
    };
    slot.data = goyaml::Data::Scalar(text.into());
    true
}

/// Splits a path where it enters a text that can be read, and reads the text with its comments.
fn find<'p>(node: &Node, path: &'p [String]) -> Option<(&'p [String], &'p [String], Node)> {
    (1..path.len()).find_map(|length| {
        let (outer, inner) = path.split_at_checked(length)?;
        let field = field_path::lookup(node, outer).ok().flatten()?;
        if !field.is_scalar() {
            return None;
        }
        let text = field.as_str().unwrap_or_default();
        goyaml::parse_with_comments(text.as_bytes(), &Limits::default())
            .ok()
            .flatten()
            .map(|document| (outer, inner, document))
    })
}

/// Writes a document in the form that the original has: JSON with or without line breaks, or YAML.
// kustomize: serializeStructuredData
fn serialize(mut document: Node, original: &str) -> Result<String> {
    let malformed = |error: goyaml::Error| Error::malformed(&error);
    if !original.trim_start().starts_with(['{', '[']) {
        return Ok(goyaml::encode(&document)
            .map_err(malformed)?
            .trim()
            .to_owned());
    }
    document
        .expand_aliases(&Limits::default())
        .map_err(malformed)?;
    let value = document.to_reencoded_value().map_err(malformed)?;
    let is_indented = original.contains('\n') && original.contains("  ");
    Ok(if is_indented {
        value.to_json_indented()
    } else {
        value.to_json()
    })
}
