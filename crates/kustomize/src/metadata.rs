//! Reading and writing the few fields that every Kubernetes object has.

use std::collections::BTreeMap;

use goyaml::{Data, Node, Style, Tag, Text};

use crate::quoting;

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
        let mut value = value;
        quoting::quote_where_ambiguous(&mut value);
        // kustomize: the new key has no tag, so one that reads as a number or boolean is one, and the build fails.
        goyaml::push_entry(entries, untagged(key), value);
    }
}

/// As [`set_entry`] for many entries, without looking through the map for each.
pub fn set_entries<'t>(map: &mut Node, new: impl ExactSizeIterator<Item = (&'t Text, Node)>) {
    const FEW: usize = 16;
    if new.len() <= FEW {
        new.for_each(|(key, value)| set_entry(map, key, value));
        return;
    }
    let mut places: BTreeMap<Text, usize> = BTreeMap::new();
    for (index, (key, _)) in map.entries().unwrap_or_default().iter().enumerate() {
        if let Some(key) = key.as_str() {
            places.entry(key.into()).or_insert(index);
        }
    }
    for (key, mut value) in new {
        let Some(entries) = map.entries_mut() else {
            return;
        };
        if let Some((_, slot)) = places.get(key).and_then(|index| entries.get_mut(*index)) {
            replace_scalar(slot, value);
        } else {
            quoting::quote_where_ambiguous(&mut value);
            places.insert(key.clone(), entries.len());
            goyaml::push_entry(entries, untagged(key.clone()), value);
        }
    }
}

/// Overwrites a scalar, keeping its style and place.
pub fn replace_scalar(slot: &mut Node, mut value: Node) {
    value.style = slot.style;
    value.position = slot.position;
    value.set_mark(slot.mark());
    // A tag of its own that is written out counts for more than quotes.
    let has_tag = value.style.contains(Style::TAGGED) && !value.is_untyped();
    if is_text_style(value.style) && value.is_scalar() && !has_tag {
        value.tag = Tag::Str;
    }
    *slot = value;
}

/// Whether a scalar of this style is a string whatever its text says.
pub fn is_text_style(style: Style) -> bool {
    style != Style::PLAIN
        && [
            Style::DOUBLE_QUOTED,
            Style::SINGLE_QUOTED,
            Style::LITERAL,
            Style::FOLDED,
        ]
        .into_iter()
        .any(|quoted| style.contains(quoted))
}
