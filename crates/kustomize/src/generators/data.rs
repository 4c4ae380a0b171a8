//! `data` and `binaryData`: how values are written, and how those of two resources become one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use goyaml::{Data, Dialect, Limits, Node, Scalar, Style, Tag, Text};

use crate::error::{Error, Result};
use crate::metadata::{self, StringMap};
use crate::resource::Resource;

/// Characters of base64 in a line.
const LINE_LENGTH: usize = 70;

/// Base64 as generators write it: in lines, where it is too long for one.
// kustomize: kyaml encodeBase64 ends the last line too, even where a single one is exactly full.
pub fn base64_lines(bytes: &[u8]) -> Text {
    let encoded = STANDARD.encode(bytes);
    if encoded.len() < LINE_LENGTH {
        return encoded.into();
    }
    let mut lines = Text::with_capacity(encoded.len() + encoded.len() / LINE_LENGTH + 1);
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, next) = rest.split_at_checked(LINE_LENGTH).unwrap_or((rest, ""));
        lines.push_str(line);
        lines.push('\n');
        rest = next;
    }
    lines
}

/// A text as generators write it: as a block where it has lines, in quotes where an older YAML would see another type.
///
/// The style is not seen in the output, but a text in quotes stays one whatever is written over it later.
// kustomize: kyaml FieldSetter and IsYaml1_1NonString
pub(super) fn text_node(text: Text) -> Node {
    let style = if text.contains('\n') {
        Style::LITERAL
    } else if is_other_type(&text) {
        Style::DOUBLE_QUOTED
    } else {
        Style::PLAIN
    };
    Node::new(Data::Scalar(text), Tag::Str, style)
}

/// Whether a line, taken for a YAML document, is anything but a text.
fn is_other_type(line: &str) -> bool {
    let is_text = |text: &str, style| {
        matches!(
            goyaml::resolve(text, Tag::Str, style, Dialect::V2),
            Ok(Scalar::Text(_))
        )
    };
    if line.is_empty() {
        return false;
    }
    let is_one_word = line.starts_with(|first: char| first.is_ascii_alphanumeric())
        && line
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'));
    if is_one_word {
        return !is_text(line, Style::PLAIN);
    }
    match goyaml::parse(line.as_bytes(), &Limits::default()) {
        Err(_) => false,
        Ok(None) => true,
        Ok(Some(node)) => !node.as_str().is_some_and(|text| is_text(text, node.style)),
    }
}

/// Gives a generated resource, beside its own, the data of the one that it is merged into.
///
/// # Errors
/// Where `stringData` of the old Secret holds anything but single values.
// kustomize: the data part of resWrangler.appendReplaceOrMerge
pub(crate) fn merge_data(resource: &mut Resource, old: &Resource) -> Result<()> {
    let mut data = metadata::values(old.node().get("data"));
    let gvk = resource.gvk();
    if gvk.group.is_empty() && gvk.version == "v1" && gvk.kind == "Secret" {
        data.extend(encoded_string_data(old)?);
    }
    let binary_data = metadata::values(old.node().get("binaryData"));
    for (field, mut merged) in [("data", data), ("binaryData", binary_data)] {
        let object = resource.node_mut();
        let own = object.remove(field);
        merged.extend(metadata::values(own.as_ref()));
        if !merged.is_empty() {
            let sources = [own.as_ref(), old.node().get(field)];
            object.set(field, map_node(merged, sources));
        }
    }
    Ok(())
}

/// The merged map; values that come from the generator keep their places.
/// A map whose values stand where the first source stands that has their key.
fn map_node(map: StringMap, sources: [Option<&Node>; 2]) -> Node {
    let entries = map.into_iter().map(|(key, value)| {
        let mut nodes = sources.iter().flatten().filter_map(|node| node.get(&key));
        let position = nodes.next().map(|node| node.position);
        let mut node = text_node(value);
        node.position = position.unwrap_or_default();
        (metadata::untagged(key), node)
    });
    Node::mapping(entries.collect())
}

/// `stringData` of a Secret as the API server would add it to `data`.
// kustomize: normalizeSecretStringData
fn encoded_string_data(secret: &Resource) -> Result<StringMap> {
    let Some(texts) = secret
        .node()
        .get("stringData")
        .filter(|texts| !texts.is_null())
    else {
        return Ok(StringMap::new());
    };
    let wrong = |node: &Node, message: String| {
        Error::new(message)
            .position(node.position)
            .field("stringData")
            .hint("write a text for each key; numbers and booleans need quotes")
    };
    let entries = texts
        .entries()
        .ok_or_else(|| wrong(texts, "`stringData` must be a map".to_owned()))?;
    let mut encoded = StringMap::new();
    for (key, value) in entries {
        let key = key.to_text().unwrap_or_default();
        let text = if value.is_null() {
            Some("")
        } else {
            value.as_str()
        };
        let text =
            text.ok_or_else(|| wrong(value, format!("the value of `{key}` must be a text")))?;
        encoded.insert(key, base64_lines(text.as_bytes()));
    }
    Ok(encoded)
}
