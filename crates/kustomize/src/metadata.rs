//! Reading and writing the few fields that every Kubernetes object has.

use std::collections::BTreeMap;

use goyaml::{Data, Dialect, Limits, Node, Scalar, Style, Tag, Text};

/// The annotation of an object that only its kustomization uses, and that is kept out of the output.
pub const LOCAL_CONFIG: &str = "config.kubernetes.io/local-config";

/// A map of strings, sorted by key: what labels, annotations and data are.
pub type StringMap = BTreeMap<Text, Text>;

/// The text of a top field such as `kind`, empty where it is absent.
pub fn top_field<'a>(node: &'a Node, field: &str) -> &'a str {
    node.get(field).and_then(Node::as_str).unwrap_or_default()
}

/// The text of a field of `metadata`, empty where it is absent or null.
pub fn field<'a>(node: &'a Node, field: &str) -> &'a str {
    node.get("metadata")
        .and_then(|metadata| metadata.get(field))
        .filter(|value| !value.is_null())
        .and_then(Node::as_str)
        .unwrap_or_default()
}

/// A map of `metadata` (labels, annotations), or any other map of strings; every value counts as its text.
pub fn string_map(map: Option<&Node>) -> StringMap {
    let entries = map.and_then(Node::entries).unwrap_or_default();
    entries
        .iter()
        .filter_map(|(key, value)| Some((key.to_text()?, value.to_text().unwrap_or_default())))
        .collect()
}

/// As [`string_map`], with null counting as the empty text.
// kustomize: RNode.GetDataMap
pub fn values(map: Option<&Node>) -> StringMap {
    let entries = map.and_then(Node::entries).unwrap_or_default();
    entries
        .iter()
        .filter_map(|(key, value)| {
            let text = if value.is_null() {
                Text::new()
            } else {
                value.to_text().unwrap_or_default()
            };
            Some((key.to_text()?, text))
        })
        .collect()
}

/// The labels of an object.
pub fn labels(node: &Node) -> StringMap {
    string_map(node.get_path(&["metadata", "labels"]))
}

/// The annotations of an object.
pub fn annotations(node: &Node) -> StringMap {
    string_map(node.get_path(&["metadata", "annotations"]))
}

/// One annotation of an object.
pub fn annotation<'a>(node: &'a Node, name: &str) -> Option<&'a str> {
    node.get_path(&["metadata", "annotations"])?
        .get(name)?
        .as_str()
}

/// The map in a field of `metadata`, created where there is none; what is no map gives way to one.
pub fn map_mut<'a>(node: &'a mut Node, field: &str) -> Option<&'a mut Node> {
    for path in [&["metadata"][..], &["metadata", field]] {
        let (name, parents) = path.split_last()?;
        let mut parent = &mut *node;
        for part in parents {
            parent = parent.get_mut(part)?;
        }
        if parent.get(name).is_none_or(|map| !map.is_mapping()) {
            parent.set(name, Node::mapping(Vec::new()));
        }
    }
    node.get_mut("metadata")?.get_mut(field)
}

/// Writes a map of `metadata` anew, in sorted order and as strings; an empty one disappears.
pub fn set_string_map(node: &mut Node, field: &str, map: &StringMap) {
    if node
        .get("metadata")
        .is_none_or(|metadata| !metadata.is_mapping())
    {
        node.set("metadata", Node::mapping(Vec::new()));
    }
    let Some(metadata) = node.get_mut("metadata") else {
        return;
    };
    metadata.remove(field);
    if !map.is_empty() {
        metadata.set(field, string_map_node(map));
    }
}

/// A mapping of strings.
pub fn string_map_node(map: &StringMap) -> Node {
    Node::mapping(
        map.iter()
            .map(|(key, value)| (untagged(key.clone()), string_node(value.clone())))
            .collect(),
    )
}

/// A string, written as a block where it has lines.
pub fn string_node(text: Text) -> Node {
    let style = if text.contains('\n') {
        Style::LITERAL
    } else {
        Style::PLAIN
    };
    Node::new(Data::Scalar(text), Tag::Str, style)
}

/// Sets a field of `metadata` to a text without a tag.
pub fn set_field(node: &mut Node, field: &str, text: &str) {
    if node
        .get("metadata")
        .is_none_or(|metadata| !metadata.is_mapping())
    {
        node.set("metadata", Node::mapping(Vec::new()));
    }
    if let Some(metadata) = node.get_mut("metadata") {
        set_entry(metadata, field, untagged(text));
    }
}

/// A plain scalar whose type is what its text says.
pub fn untagged(text: impl Into<Text>) -> Node {
    Node::untyped(text)
}

/// Sets an entry of a mapping, keeping the style of a value that is there.
// kustomize: kyaml FieldSetter keeps the old style, so a quoted field stays a string whatever is written to it.
pub fn set_entry(map: &mut Node, key: &str, value: Node) {
    if let Some(slot) = map.get_mut(key) {
        replace_scalar(slot, value);
    } else if let Some(entries) = map.entries_mut() {
        // kustomize: the new key has no tag, so one that reads as a number or boolean is one, and the build fails.
        entries.push((untagged(key), quoted_where_ambiguous(value)));
    }
}

/// A text that is set in a map in quotes where YAML 1.1 would read something else.
// kustomize: kyaml FieldSetter and IsYaml1_1NonString
fn quoted_where_ambiguous(mut value: Node) -> Node {
    quote_where_ambiguous(&mut value);
    value
}

/// Puts a text in quotes where YAML 1.1 would read something else, as whatever sets a field of a map does.
// kustomize: kyaml FieldSetter and IsYaml1_1NonString
pub fn quote_where_ambiguous(value: &mut Node) {
    let is_text = value.is_untyped() || value.tag == Tag::Str;
    if is_text
        && value.style == Style::PLAIN
        && value
            .as_str()
            .is_some_and(|text| may_be_no_text(text) && reads_as_no_text(text))
    {
        value.style = Style::DOUBLE_QUOTED;
        value.tag = Tag::Str;
    }
}

/// Gives the texts of a tree that was made of values the quotes that go-yaml would write them with.
pub fn quote_texts_where_needed(node: &mut Node) {
    for_each_text(node, &mut |node| {
        let is_plain = node.as_str().is_some_and(|text| {
            let is_word = text.bytes().all(|byte| {
                byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/')
            });
            let begins_plain = text.starts_with(|first: char| first.is_ascii_alphabetic());
            if is_word && begins_plain {
                !WORDS.iter().any(|word| word.eq_ignore_ascii_case(text))
            } else {
                reads_as_itself(text)
            }
        });
        if !is_plain {
            node.style = Style::DOUBLE_QUOTED;
        }
    });
}

fn for_each_text(node: &mut Node, change: &mut dyn FnMut(&mut Node)) {
    match &mut node.data {
        Data::Mapping(entries) => {
            for (_, value) in entries {
                for_each_text(value, change);
            }
        }
        Data::Sequence(items) => {
            for item in items {
                for_each_text(item, change);
            }
        }
        Data::Scalar(_) if node.tag == Tag::Str => change(node),
        Data::Scalar(_) | Data::Alias(_) => {}
    }
}

/// Whether a text stands for itself without quotes.
fn reads_as_itself(text: &str) -> bool {
    let parsed = goyaml::parse(text.as_bytes(), &Limits::default());
    matches!(parsed, Ok(Some(node)) if node.tag == Tag::Str && node.style == Style::PLAIN && node.as_str() == Some(text))
        && !reads_as_no_text(text)
}

/// A quick look at what nearly every text fails.
fn may_be_no_text(text: &str) -> bool {
    match text.as_bytes() {
        [] => false,
        [
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'/' | b'$' | b'(',
            rest @ ..,
        ] => {
            (rest.len() < 5 && WORDS.iter().any(|word| word.eq_ignore_ascii_case(text)))
                || text.contains([':', '#'])
        }
        _ => true,
    }
}

/// Words that are no texts in YAML 1.1.
const WORDS: [&str; 9] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];

fn reads_as_no_text(text: &str) -> bool {
    if text.is_empty() || text.contains('\n') {
        return false;
    }
    match goyaml::parse(text.as_bytes(), &Limits::default()) {
        Err(_) => false,
        Ok(None) => true,
        Ok(Some(node)) => node.as_str().is_none_or(|written| {
            let resolved = goyaml::resolve(written, node.tag, node.style, Dialect::V2);
            !matches!(
                resolved,
                Ok(Scalar::Text(_) | Scalar::Timestamp(_)) | Err(_)
            )
        }),
    }
}

/// Overwrites a scalar, keeping its style and place.
pub fn replace_scalar(slot: &mut Node, mut value: Node) {
    value.style = slot.style;
    value.position = slot.position;
    value.set_mark(slot.mark());
    if is_text_style(value.style) && value.is_scalar() {
        value.tag = Tag::Str;
    }
    *slot = value;
}

/// Whether a scalar of this style is a string whatever its text says.
pub fn is_text_style(style: Style) -> bool {
    style != Style::PLAIN
        && !style.contains(Style::TAGGED)
        && [
            Style::DOUBLE_QUOTED,
            Style::SINGLE_QUOTED,
            Style::LITERAL,
            Style::FOLDED,
        ]
        .into_iter()
        .any(|quoted| style.contains(quoted))
}
