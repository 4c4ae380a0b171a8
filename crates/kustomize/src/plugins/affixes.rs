//! `PrefixTransformer`, `SuffixTransformer` and both in one: they read their configuration in a way of their own, with names
//! of fields as they are written and every scalar as its text.

use goyaml::{Dialect, Node, Scalar, Text};

use crate::error::{Error, Result};
use crate::field_spec::FieldSpec;
use crate::resource::Resource;
use crate::transformers::{Affix, Transformer};

/// The changes that a configuration of these kinds asks for; `None` for another kind.
// kustomize reads these two with go-yaml v3, all others with sigs.k8s.io/yaml.
pub(super) fn transformers(configuration: &Resource) -> Option<Result<Vec<Transformer>>> {
    let affixes: &[_] = match configuration.gvk().kind.as_str() {
        "PrefixTransformer" => &[(Affix::Prefix, "prefix")],
        "SuffixTransformer" => &[(Affix::Suffix, "suffix")],
        "PrefixSuffixTransformer" => &[(Affix::Prefix, "prefix"), (Affix::Suffix, "suffix")],
        _ => return None,
    };
    let made = super::written(configuration).and_then(|node| {
        let decode = |&(affix, field): &(Affix, &str)| decode(&node, affix, field);
        let made: Result<_> = affixes.iter().map(decode).collect();
        made.map_err(|error| error.position(node.position))
    });
    Some(made.map_err(|error| error.resource(configuration.id())))
}

fn decode(node: &Node, affix: Affix, field: &str) -> Result<Transformer> {
    let affix_text = node
        .get(field)
        .map(|value| text(value, field))
        .transpose()?;
    let specs = node.get("fieldSpecs").filter(|specs| !specs.is_null());
    let specs = specs.ok_or_else(|| {
        Error::new("the configuration needs `fieldSpecs`")
            .field("fieldSpecs")
            .hint("a configuration has no built-in fields: `fieldSpecs: [{path: metadata/name}]`")
    })?;
    let items = specs.items().ok_or_else(|| {
        Error::new("`fieldSpecs` must be a list")
            .position(specs.position)
            .field("fieldSpecs")
            .hint("begin each entry with `- `")
    })?;
    let specs = items.iter().filter(|item| !item.is_null()).map(field_spec);
    Ok(Transformer::NameAffix(
        affix,
        affix_text.unwrap_or_default(),
        specs.collect::<Result<Vec<_>>>()?.into(),
    ))
}

fn field_spec(node: &Node) -> Result<FieldSpec> {
    let entries = node.entries().ok_or_else(|| {
        Error::new("an entry of `fieldSpecs` must be a map")
            .position(node.position)
            .field("fieldSpecs")
            .hint("an entry is `{path: metadata/name, kind: …}`")
    })?;
    let mut spec = FieldSpec::default();
    for (key, value) in entries {
        match key.as_str().unwrap_or_default() {
            "group" => spec.gvk.group = text(value, "group")?,
            "version" => spec.gvk.version = text(value, "version")?,
            "kind" => spec.gvk.kind = text(value, "kind")?,
            "path" => spec.path = text(value, "path")?,
            "create" => spec.create = boolean(value)?,
            _ => {}
        }
    }
    Ok(spec)
}

/// The text of any scalar, as it is written.
fn text(node: &Node, field: &str) -> Result<Text> {
    if node.is_null() {
        return Ok(Text::new());
    }
    node.to_text().ok_or_else(|| {
        Error::new(format!("`{field}` must be a text"))
            .position(node.position)
            .field(field)
            .hint("write one text")
    })
}

/// A boolean, or one of the words that were booleans in YAML 1.1, in quotes or not.
fn boolean(node: &Node) -> Result<bool> {
    let scalar = node
        .as_str()
        .and_then(|text| goyaml::resolve(text, node.tag, node.style, Dialect::V3).ok());
    match scalar {
        Some(Scalar::Null) => Ok(false),
        Some(Scalar::Bool(value)) => Ok(value),
        Some(Scalar::Text(word)) if goyaml::word_1_1(&word).is_some() => {
            Ok(goyaml::word_1_1(&word) == Some(true))
        }
        _ => Err(Error::new("`create` must be a boolean")
            .position(node.position)
            .field("create")
            .hint("write `true` or `false`, without quotes")),
    }
}
