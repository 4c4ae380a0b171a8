//! A tree as text, to compare with what go-yaml has recorded.

use std::fmt::Write;

use crate::node::{Data, Node, Style};

/// Writes one line for each node: depth, kind, tag, style, anchor, place if wanted, and text.
pub(super) fn dump(node: &Node, has_places: bool) -> String {
    let mut text = String::new();
    write_node(&mut text, node, 0, has_places);
    text
}

fn write_node(text: &mut String, node: &Node, depth: usize, has_places: bool) {
    let kind = match node.data {
        Data::Scalar(_) => "scalar",
        Data::Sequence(_) => "seq",
        Data::Mapping(_) => "map",
        Data::Alias(_) => "alias",
    };
    let flags = [
        Style::TAGGED,
        Style::DOUBLE_QUOTED,
        Style::SINGLE_QUOTED,
        Style::LITERAL,
        Style::FOLDED,
        Style::FLOW,
    ];
    let style: u32 = (0..)
        .zip(flags)
        .map(|(bit, flag)| u32::from(node.style.contains(flag)) << bit)
        .sum();
    let value = match &node.data {
        Data::Scalar(value) | Data::Alias(value) => value.as_bytes(),
        Data::Sequence(_) | Data::Mapping(_) => b"",
    };
    let value = value.escape_ascii();
    let tag = node.custom_tag().unwrap_or(node.tag.as_str());
    let anchor = node.anchor().map_or("", |anchor| anchor.as_str());
    let place = node.position;
    let place = if has_places {
        format!("{}:{} ", place.line, place.column)
    } else {
        String::new()
    };
    writeln!(
        text,
        "{depth} {kind} {tag} {style} &{anchor} {place}{value}"
    )
    .unwrap();
    match &node.data {
        Data::Sequence(items) => items
            .iter()
            .for_each(|item| write_node(text, item, depth + 1, has_places)),
        Data::Mapping(entries) => entries.iter().for_each(|(key, value)| {
            write_node(text, key, depth + 1, has_places);
            write_node(text, value, depth + 1, has_places);
        }),
        Data::Scalar(_) | Data::Alias(_) => {}
    }
}
