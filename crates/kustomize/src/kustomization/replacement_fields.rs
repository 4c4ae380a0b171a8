//! Replacements: their fields, in the kustomization and in files of their own.

use goyaml::Node;

use super::{FieldOptions, Replacement, ReplacementSource, ReplacementTarget};
use crate::decode::{
    boolean, fields, id_field, integer, list, located_list, selector, text, unknown,
};
use crate::error::{Error, Result};

/// Reads one replacement; `path`, which stands beside it in a kustomization, is left to the caller.
///
/// # Errors
/// Where a field is of another type or, if `strict`, unknown.
pub(crate) fn decode_replacement(node: &Node, strict: bool) -> Result<Replacement> {
    let mut replacement = Replacement {
        position: node.position,
        ..Replacement::default()
    };
    for (name, value) in fields(node, "replacements")? {
        match name.as_str() {
            "source" if !value.is_null() => replacement.source = Some(source(value, strict)?),
            "sourcevalue" if !value.is_null() => {
                replacement.source_value = Some(text(value, "sourceValue")?);
            }
            "targets" => replacement.targets = list(value, "targets", |item| target(item, strict))?,
            "source" | "sourcevalue" | "path" => {}
            _ if strict => {
                return Err(unknown(
                    node,
                    &name,
                    &["path", "source", "sourceValue", "targets"],
                ));
            }
            _ => {}
        }
    }
    Ok(replacement)
}

/// Reads the file that `path` of a replacement names: one replacement, or a list of them.
///
/// # Errors
/// Where it is neither, and where a field is of another type; unknown fields are ignored, as in kustomize.
// kustomize: ReplacementTransformerPlugin.Config
pub(crate) fn decode_file(node: &Node) -> Result<Vec<Replacement>> {
    if node.is_sequence() {
        return list(node, "replacements", |item| decode_replacement(item, false));
    }
    if let Some(wrapper) = node.get("replacements").filter(|list| list.is_sequence())
        && node.get("source").is_none()
        && node.get("targets").is_none()
    {
        return Err(Error::new(
            "a file of replacements holds a replacement or a list of them, without `replacements`",
        )
        .position(wrapper.position)
        .hint("remove the line `replacements:`"));
    }
    if node.is_mapping() {
        return Ok(vec![decode_replacement(node, false)?]);
    }
    Err(
        Error::new("a file of replacements holds a replacement or a list of them")
            .position(node.position)
            .hint("write `- source: …` and `  targets: …`"),
    )
}

fn source(node: &Node, strict: bool) -> Result<ReplacementSource> {
    let mut source = ReplacementSource {
        position: node.position,
        ..ReplacementSource::default()
    };
    for (name, value) in fields(node, "source")? {
        match name.as_str() {
            "fieldpath" => {
                source.field_path = text(value, "fieldPath")?;
                source.field_path_position = Some(value.position);
            }
            "options" => source.options = options(value, strict)?,
            _ if id_field(&mut source.id, &name, value)? => {}
            _ if strict => {
                let known = [
                    "group",
                    "version",
                    "kind",
                    "name",
                    "namespace",
                    "fieldPath",
                    "options",
                ];
                return Err(unknown(node, &name, &known));
            }
            _ => {}
        }
    }
    Ok(source)
}

fn target(node: &Node, strict: bool) -> Result<ReplacementTarget> {
    let mut target = ReplacementTarget {
        position: node.position,
        ..ReplacementTarget::default()
    };
    for (name, value) in fields(node, "targets")? {
        match name.as_str() {
            "select" if !value.is_null() => {
                target.select = Some(selector(value, "select", strict)?);
            }
            "select" => {}
            "reject" => {
                target.reject = list(value, "reject", |item| selector(item, "reject", strict))?;
            }
            "fieldpaths" => target.field_paths = located_list(value, "fieldPaths")?,
            "options" => target.options = options(value, strict)?,
            _ if strict => {
                return Err(unknown(
                    node,
                    &name,
                    &["select", "reject", "fieldPaths", "options"],
                ));
            }
            _ => {}
        }
    }
    Ok(target)
}

fn options(node: &Node, strict: bool) -> Result<Option<FieldOptions>> {
    if node.is_null() {
        return Ok(None);
    }
    let mut options = FieldOptions::default();
    for (name, value) in fields(node, "options")? {
        match name.as_str() {
            "delimiter" => options.delimiter = text(value, "delimiter")?,
            "index" => options.index = integer(value, "index")?,
            "encoding" => options.encoding = text(value, "encoding")?,
            "create" => options.create = boolean(value, "create")?,
            _ if strict => {
                return Err(unknown(
                    node,
                    &name,
                    &["delimiter", "index", "encoding", "create"],
                ));
            }
            _ => {}
        }
    }
    Ok(Some(options))
}
