//! Keys that a mapping has twice.

use std::mem::discriminant;

use crate::error::Error;
use crate::node::{Data, Node};

/// Up to this many entries, each key is compared with each other one.
const FEW: usize = 16;

impl Node {
    /// Checks that no mapping in this tree has a key twice, as go-yaml does when it decodes.
    ///
    /// # Errors
    ///
    /// Names the key that is there again, at its place, and the line of the first one.
    pub fn check_unique_keys(&self) -> Result<(), Error> {
        match &self.data {
            Data::Scalar(_) | Data::Alias(_) => Ok(()),
            Data::Sequence(items) => items.iter().try_for_each(Self::check_unique_keys),
            Data::Mapping(entries) => {
                if let Some((first, second)) = find_duplicate(entries) {
                    let text = key_text(second);
                    let line = first.position.line;
                    let message = format!("mapping key {text:?} already defined at line {line}");
                    return Err(Error::new(second.position, message));
                }
                entries.iter().try_for_each(|(key, value)| {
                    key.check_unique_keys()?;
                    value.check_unique_keys()
                })
            }
        }
    }
}

/// What go-yaml compares: a key that is a collection has no text, so that two of them are the same key.
pub(super) fn key_text(key: &Node) -> &str {
    match &key.data {
        Data::Scalar(text) | Data::Alias(text) => text,
        Data::Sequence(_) | Data::Mapping(_) => "",
    }
}

fn is_same(one: &Node, other: &Node) -> bool {
    key_text(one) == key_text(other) && discriminant(&one.data) == discriminant(&other.data)
}

/// The first key that comes again, and where it first comes again.
fn find_duplicate(entries: &[(Node, Node)]) -> Option<(&Node, &Node)> {
    if entries.len() <= FEW {
        return entries.iter().enumerate().find_map(|(index, (key, _))| {
            let (again, _) = entries
                .get(index + 1..)?
                .iter()
                .find(|(other, _)| is_same(key, other))?;
            Some((key, again))
        });
    }
    let mut sorted: Vec<(&str, u8, usize, &Node)> = entries
        .iter()
        .enumerate()
        .map(|(index, (key, _))| (key_text(key), kind(key), index, key))
        .collect();
    sorted.sort_unstable_by_key(|&(text, kind, index, _)| (text, kind, index));
    let duplicates = sorted
        .array_windows()
        .filter(|[one, other]| (one.0, one.1) == (other.0, other.1));
    duplicates
        .min_by_key(|[one, _]| one.2)
        .map(|[one, other]| (one.3, other.3))
}

const fn kind(key: &Node) -> u8 {
    match key.data {
        Data::Scalar(_) => 0,
        Data::Sequence(_) => 1,
        Data::Mapping(_) => 2,
        Data::Alias(_) => 3,
    }
}
