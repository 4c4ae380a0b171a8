//! Which elements a merged list has lost although the patch does not say so.

use std::collections::BTreeMap;

use goyaml::{Node, Position, Text};

use super::element;

/// An element of a list that is gone because another one has the same merge keys.
#[derive(Clone, Debug)]
pub(crate) struct Dropped {
    /// Where it stood.
    pub(crate) position: Position,
    /// Where the one stands that has its place.
    pub(crate) other: Position,
    /// The merge keys.
    pub(crate) keys: String,
}

/// Finds the elements of a list, of which those in `order` are left, that are gone because another one has their keys.
pub(super) fn find(keys: &[&str], own: &[Node], order: &[usize], note: &mut dyn FnMut(Dropped)) {
    let mut is_left = vec![false; own.len()];
    for id in order {
        if let Some(is_left) = is_left.get_mut(*id) {
            *is_left = true;
        }
    }
    let gone = own.iter().zip(&is_left);
    let gone = gone.filter(|(node, is_left)| !**is_left && !element::is_empty(node));
    let mut gone = gone.map(|(node, _)| node).peekable();
    if gone.peek().is_none() {
        return;
    }
    let left = Left::new(keys, own, order);
    for node in gone {
        let Some(other) = left.with_keys_of(node) else {
            continue;
        };
        // What is there twice in all is no loss.
        if goyaml::encode(node).ok() != goyaml::encode(other).ok() {
            note(Dropped {
                position: node.position,
                other: other.position,
                keys: keys.join("` and `"),
            });
        }
    }
}

/// The elements that are left.
struct Left<'a> {
    keys: &'a [&'a str],
    /// By the values of their merge keys.
    by_values: BTreeMap<Vec<Text>, &'a Node>,
    /// Those without a value for one of them, which fits any.
    partial: Vec<(Vec<Text>, &'a Node)>,
}

impl<'a> Left<'a> {
    fn new(keys: &'a [&'a str], own: &'a [Node], order: &[usize]) -> Self {
        let mut by_values = BTreeMap::new();
        let mut partial = Vec::new();
        for node in order.iter().filter_map(|id| own.get(*id)) {
            let values = element::key_texts(node, keys);
            if is_partial(&values) {
                partial.push((values.clone(), node));
            }
            by_values.entry(values).or_insert(node);
        }
        Self {
            keys,
            by_values,
            partial,
        }
    }

    /// The element that has the keys of one that is gone.
    fn with_keys_of(&self, gone: &Node) -> Option<&'a Node> {
        let wanted = element::key_texts(gone, self.keys);
        let same = self.by_values.get(&wanted).copied();
        same.or_else(|| {
            let mut partial = self.partial.iter();
            partial
                .find(|(known, _)| fits(known, &wanted))
                .map(|(_, node)| *node)
        })
        .or_else(|| {
            let mut all = self.by_values.iter().filter(|_| is_partial(&wanted));
            all.find(|(known, _)| fits(known, &wanted))
                .map(|(_, node)| *node)
        })
    }
}

fn is_partial(values: &[Text]) -> bool {
    values.iter().any(Text::is_empty)
}

fn fits(known: &[Text], wanted: &[Text]) -> bool {
    let mut pairs = known.iter().zip(wanted);
    pairs.all(|(one, other)| one == other || one.is_empty() || other.is_empty())
}
