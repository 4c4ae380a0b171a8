//! Places for a tree that was made anew from another one.

use std::collections::BTreeMap;

use goyaml::{Data, Node, Position};

/// Gives a tree the places of the one that it was made from: what is at the same path as before and says the same has its
/// own, all else that of the whole.
pub(super) fn restore(node: &mut Node, before: &Node) {
    set_position(node, before.position);
    keep_places(node, before);
}

/// Gives back their places to what is at the same path as before and says the same.
fn keep_places(node: &mut Node, before: &Node) {
    match (&mut node.data, &before.data) {
        (Data::Scalar(text), Data::Scalar(other)) if text == other => {
            node.position = before.position;
        }
        (Data::Mapping(entries), Data::Mapping(others)) => {
            node.position = before.position;
            let others = by_key(others);
            for (key, value) in entries {
                if let Some((other_key, other)) = others.get(&key.as_str()) {
                    key.position = other_key.position;
                    keep_places(value, other);
                }
            }
        }
        (Data::Sequence(items), Data::Sequence(others)) => {
            node.position = before.position;
            // Behind an item that has come or gone the others have other numbers.
            let is_shifted = items.len() != others.len();
            for (item, other) in items.iter_mut().zip(others) {
                if is_shifted && !is_same(item, other) {
                    break;
                }
                keep_places(item, other);
            }
        }
        _ => {}
    }
}

/// The entries of a mapping by their keys; the first one of those that repeat.
fn by_key(entries: &[(Node, Node)]) -> BTreeMap<Option<&str>, &(Node, Node)> {
    let entries = entries.iter().rev();
    entries.map(|entry| (entry.0.as_str(), entry)).collect()
}

fn is_same(node: &Node, other: &Node) -> bool {
    match (&node.data, &other.data) {
        (Data::Scalar(text), Data::Scalar(other)) => text == other,
        (Data::Sequence(items), Data::Sequence(others)) => {
            items.len() == others.len()
                && items
                    .iter()
                    .zip(others)
                    .all(|(item, other)| is_same(item, other))
        }
        (Data::Mapping(entries), Data::Mapping(others)) if entries.len() == others.len() => {
            let others = by_key(others);
            entries.iter().all(|(key, value)| {
                let key = key.as_str();
                let other = key.and_then(|_| others.get(&key));
                other.is_some_and(|(_, other)| is_same(value, other))
            })
        }
        _ => false,
    }
}

fn set_position(node: &mut Node, position: Position) {
    node.position = position;
    match &mut node.data {
        Data::Mapping(entries) => {
            for (key, value) in entries {
                key.position = position;
                set_position(value, position);
            }
        }
        Data::Sequence(items) => {
            for item in items {
                set_position(item, position);
            }
        }
        Data::Scalar(_) | Data::Alias(_) => {}
    }
}
