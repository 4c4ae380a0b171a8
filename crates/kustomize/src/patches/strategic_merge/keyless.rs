//! Which elements of a patch's list lack the merge key and so take elements of the resource's list with them.

use std::collections::BTreeSet;

use goyaml::{Node, Position, Text};

use super::element;

/// An element of a patch without the merge keys of its list, which drops elements of the resource's.
#[derive(Clone, Debug)]
pub(crate) struct Keyless {
    /// Where it stands.
    pub(crate) position: Position,
    /// Where an element stands that it drops.
    pub(crate) other: Position,
    /// The merge keys.
    pub(crate) keys: String,
}

/// What is known of a merge of two lists before it is carried out.
pub(super) struct Before {
    /// The first element of the patch that lacks all keys.
    keyless: Position,
    /// The keys of the elements that the patch speaks of.
    spoken_of: BTreeSet<Vec<Text>>,
    /// The keys of the resource's own elements, and where they stand.
    own: Vec<(Vec<Text>, Position)>,
}

impl Before {
    /// Looks for an element of the patch that lacks all keys; the first `own` elements are the resource's.
    pub(super) fn find(keys: &[&str], nodes: &[Node], own: usize) -> Option<Self> {
        if keys.first().is_none_or(|key| key.is_empty()) {
            return None;
        }
        let (own, patch) = nodes.split_at_checked(own)?;
        let lacks_keys =
            |node: &&Node| is_element(node) && keys.iter().all(|key| node.get(key).is_none());
        let keyless = patch.iter().find(lacks_keys)?.position;
        let texts = |node: &Node| element::key_texts(node, keys);
        Some(Self {
            keyless,
            spoken_of: patch.iter().map(texts).collect(),
            own: own
                .iter()
                .map(|node| (texts(node), node.position))
                .collect(),
        })
    }

    /// What the element does, where an element that the patch does not speak of is not among those that are left.
    pub(super) fn dropping(&self, keys: &[&str], left: &[usize]) -> Option<Keyless> {
        let left: BTreeSet<usize> = left.iter().copied().collect();
        let mut own = self.own.iter().enumerate();
        let (_, (_, other)) = own.find(|(index, (texts, _))| {
            let is_named = texts.iter().any(|text| !text.is_empty());
            is_named && !left.contains(index) && !self.spoken_of.contains(texts)
        })?;
        Some(Keyless {
            position: self.keyless,
            other: *other,
            keys: keys.join("` and `"),
        })
    }
}

/// Whether an element is one to merge, and no directive.
fn is_element(node: &Node) -> bool {
    node.entries().is_some_and(|entries| !entries.is_empty()) && node.get("$patch").is_none()
}
