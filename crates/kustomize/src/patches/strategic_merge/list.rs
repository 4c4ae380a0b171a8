//! Merges lists element by element, where the schema says so.

use goyaml::{Data, Node, Text};
use indexmap::IndexMap;

use super::comment_schema;
use super::element::{self, ElementSelector, Fate};
use super::keyless::Before;
use super::walk::{Outcome, Walk};
use super::{MergeError, dropped};
use crate::schema::FieldSchema;

impl<'a> Walk<'a> {
    /// Merges the elements of two lists into the target's; with no patch, tidies the target's.
    pub(super) fn merge_elements(
        self,
        schema: FieldSchema<'a>,
        target: &mut Node,
        patch: Option<&mut Node>,
    ) -> Result<(), MergeError> {
        let Data::Sequence(items) = &mut target.data else {
            return Ok(());
        };
        let mut nodes = std::mem::take(items);
        let own = (0..nodes.len()).collect();
        if let Some(added) = patch.and_then(Node::items_mut) {
            nodes.append(added);
        }
        let is_empty = nodes.is_empty();
        let merge = ListMerge::new(self, schema, nodes, own);
        *items = merge.run()?;
        // kustomize: `setAssociativeSequenceElements` gathers the elements in a list that has no comments.
        if !is_empty {
            comment_schema::clear(target);
        }
        Ok(())
    }

    /// Tidies the elements of a list that comes from the patch alone, where kustomize lays the list over itself.
    pub(super) fn settle_elements(
        self,
        schema: FieldSchema<'a>,
        patch: &mut Node,
    ) -> Result<(), MergeError> {
        let Data::Sequence(items) = &mut patch.data else {
            return Ok(());
        };
        let nodes = std::mem::take(items);
        let own = (0..nodes.len()).collect();
        let is_empty = nodes.is_empty();
        let merge = ListMerge {
            is_self: true,
            ..ListMerge::new(self, schema, nodes, own)
        };
        *items = merge.run()?;
        if !is_empty {
            comment_schema::clear(patch);
        }
        Ok(())
    }
}

/// The merge of two lists. Elements are numbers into `nodes`, because kyaml's two lists share elements while it works.
struct ListMerge<'a> {
    walk: Walk<'a>,
    schema: Option<FieldSchema<'a>>,
    /// The merge keys; `[""]` for a list of scalars.
    keys: Vec<&'a str>,
    nodes: Vec<Node>,
    target: Vec<usize>,
    patch: Vec<usize>,
    /// Whether target and patch are one list.
    is_self: bool,
}

/// What is found under one value of the merge key.
#[derive(Default)]
struct Slot {
    target: Option<usize>,
    patch: Option<usize>,
    merged: Option<usize>,
}

impl<'a> ListMerge<'a> {
    fn new(walk: Walk<'a>, schema: FieldSchema<'a>, nodes: Vec<Node>, target: Vec<usize>) -> Self {
        let mut keys = schema.merge_keys();
        if keys.is_empty() {
            keys.push("");
        }
        let patch = (target.len()..nodes.len()).collect();
        Self {
            walk,
            schema: schema.elements(),
            keys,
            nodes,
            target,
            patch,
            is_self: false,
        }
    }

    fn run(mut self) -> Result<Vec<Node>, MergeError> {
        let own = self.target.len();
        let order = match self.keys.as_slice() {
            _ if self.nodes.is_empty() => Vec::new(),
            [key] if self.nodes.iter().all(|node| is_regular(node, key)) => {
                self.merge_regular(self.keys[0])?
            }
            _ => {
                let before = Before::find(&self.keys, &self.nodes, own);
                let order = self.merge_irregular()?;
                let keyless = before.and_then(|before| before.dropping(&self.keys, &order));
                if let Some(keyless) = keyless {
                    self.walk.note_keyless(keyless);
                }
                order
            }
        };
        self.note_dropped(own, &order);
        Ok(self.take(&order))
    }

    /// Notes which of the first `own` elements are not in the merged list because another one of them has their keys.
    fn note_dropped(&self, own: usize, order: &[usize]) {
        if self.keys.first().is_none_or(|key| key.is_empty()) {
            return;
        }
        let own = self.nodes.get(..own).unwrap_or_default();
        dropped::find(&self.keys, own, order, &mut |dropped| {
            self.walk.note_dropped(dropped);
        });
    }

    /// Merges lists in which every element has the one key: an element is what its key's value says.
    fn merge_regular(&mut self, key: &str) -> Result<Vec<usize>, MergeError> {
        let mut slots: IndexMap<Text, Slot> = IndexMap::with_capacity(self.nodes.len());
        for &id in &self.patch {
            slots
                .entry(element::key_text(&self.nodes[id], key))
                .or_default()
                .patch
                .get_or_insert(id);
        }
        let texts: Vec<Text> = self
            .target
            .iter()
            .map(|&id| element::key_text(&self.nodes[id], key))
            .collect();
        for (text, &id) in texts.iter().zip(&self.target) {
            slots
                .entry(text.clone())
                .or_default()
                .target
                .get_or_insert(id);
        }
        for (text, slot) in &mut slots {
            if self.is_self {
                slot.patch = slot.target;
            }
            slot.merged = self
                .merge_pair(slot.target, slot.patch)
                .map_err(|error| error.inside(&format!("[{text}]")))?;
        }
        // kustomize: `appendListNode` sets the target's elements once more, so that the last of several with one key
        // stays, and one that the patch wanted to replace comes back.
        for (text, &id) in texts.iter().zip(&self.target) {
            if let Some(merged) = slots.get_mut(text).and_then(|slot| slot.merged.as_mut()) {
                *merged = id;
            }
        }
        Ok(slots.values().filter_map(|slot| slot.merged).collect())
    }

    /// Merges lists with several keys, or with elements that lack theirs, as `setAssociativeSequenceElements` does.
    fn merge_irregular(&mut self) -> Result<Vec<usize>, MergeError> {
        let mut tuples = self.tuples();
        if self.keys.len() > 1 {
            unify(&mut tuples);
        }
        let mut keys = self.keys.clone();
        let is_used: Vec<bool> = (0..keys.len())
            .map(|index| tuples.iter().any(|tuple| !tuple[index].is_empty()))
            .collect();
        if is_used.contains(&true) {
            keys = retained(&keys, &is_used);
            tuples = tuples
                .iter()
                .map(|tuple| retained(tuple, &is_used))
                .collect();
        }
        let mut merged = Vec::new();
        for values in tuples {
            let selector = ElementSelector {
                keys: keys.clone(),
                values,
            };
            let found = selector.narrowed();
            let target = self
                .target
                .iter()
                .copied()
                .find(|&id| found.finds(&self.nodes[id]));
            let patch = if self.is_self {
                target
            } else {
                self.patch
                    .iter()
                    .copied()
                    .find(|&id| found.finds(&self.nodes[id]))
            };
            // What one combination puts into the target, another that finds the same element finds again.
            let original = patch.map(|id| self.nodes[id].clone());
            let outcome = self.merge_pair(target, patch)?;
            if let (Some(id), Some(original)) = (patch, original)
                && outcome.is_some_and(|merged| merged != id)
            {
                self.nodes[id] = original;
            }
            let Some(id) = outcome else {
                self.remove(&selector)?;
                continue;
            };
            self.complete(id, &selector);
            self.set(&mut merged, id, &selector)?;
        }
        for id in self.target.clone() {
            self.append(&mut merged, id, &keys)?;
        }
        Ok(merged)
    }

    /// The values of the merge keys of all elements, each combination once, those of the patch first.
    fn tuples(&self) -> Vec<Vec<Text>> {
        let mut tuples = indexmap::IndexSet::new();
        for &id in self.patch.iter().chain(&self.target) {
            let node = &self.nodes[id];
            tuples.insert(element::key_texts(node, &self.keys));
        }
        tuples.into_iter().collect()
    }

    /// Merges two elements; `None` where nothing stays that a list may hold.
    fn merge_pair(
        &mut self,
        target: Option<usize>,
        patch: Option<usize>,
    ) -> Result<Option<usize>, MergeError> {
        let Self {
            walk,
            schema,
            nodes,
            ..
        } = self;
        let (id, stays) = match (target, patch) {
            (Some(target), Some(patch)) if target == patch => {
                (target, walk.settle(*schema, &mut nodes[target])?)
            }
            (Some(target), Some(patch)) => {
                let Ok([old, new]) = nodes.get_disjoint_mut([target, patch]) else {
                    return Ok(None);
                };
                match walk.merge(*schema, old, new)? {
                    Outcome::Target => (target, true),
                    Outcome::Patch => (patch, true),
                    Outcome::Gone => (target, false),
                }
            }
            (Some(target), None) => (target, walk.keep(*schema, &mut nodes[target])?),
            (None, Some(patch)) => (patch, walk.adopt(*schema, &mut nodes[patch])?),
            (None, None) => return Ok(None),
        };
        // kustomize: `setAssociativeSequenceElements` makes a new scalar of the value that an element was found by.
        if nodes[id].is_scalar() {
            comment_schema::clear(&mut nodes[id]);
        }
        Ok((stays && !element::is_empty(&nodes[id])).then_some(id))
    }

    /// Takes the elements that match out of the target.
    fn remove(&mut self, selector: &ElementSelector<'_>) -> Result<(), MergeError> {
        let mut kept = Vec::with_capacity(self.target.len());
        for &id in &self.target {
            if selector.keeps(&self.nodes[id])? {
                kept.push(id);
            }
        }
        self.target = kept;
        Ok(())
    }

    /// Gives an element the keys it was merged by and lacks.
    fn complete(&mut self, id: usize, selector: &ElementSelector<'_>) {
        let node = &mut self.nodes[id];
        for (key, value) in selector.keys.iter().zip(&selector.values) {
            if !key.is_empty() && !value.is_empty() && node.get(key).is_none() {
                node.set(key, Node::string(value.clone()));
            }
        }
    }

    /// Puts an element in the place of those that match, or at the end.
    fn set(
        &self,
        list: &mut Vec<usize>,
        id: usize,
        selector: &ElementSelector<'_>,
    ) -> Result<(), MergeError> {
        let mut is_found = false;
        let mut kept = Vec::with_capacity(list.len() + 1);
        for &other in &*list {
            match selector.fate(&self.nodes[other])? {
                Fate::Stays => kept.push(other),
                Fate::Drops => {}
                Fate::Matches => {
                    is_found = true;
                    kept.push(id);
                }
            }
        }
        if !is_found && !self.nodes[id].is_null() {
            kept.push(id);
        }
        *list = kept;
        Ok(())
    }

    /// Sets an element of the target in the merged list.
    ///
    /// kustomize: `appendListNode` looks for an element that lacks keys with fewer values than keys, and loses others.
    fn append(&self, list: &mut Vec<usize>, id: usize, keys: &[&'a str]) -> Result<(), MergeError> {
        let node = &self.nodes[id];
        if keys.first().is_none_or(|key| key.is_empty()) {
            let values = vec![element::raw_text(node).into()];
            return self.set(
                list,
                id,
                &ElementSelector {
                    keys: vec![""],
                    values,
                },
            );
        }
        if !node.is_null() && !node.is_mapping() {
            return Err(MergeError::wrong_kind("a mapping", node));
        }
        let mut values = Vec::with_capacity(keys.len());
        for key in keys {
            match node.get(key) {
                Some(field) => values.push(element::raw_text(field).into()),
                None => list.push(id),
            }
        }
        let selector = ElementSelector {
            keys: keys.to_vec(),
            values,
        };
        if keys.len() > 1 {
            let mut kept = Vec::with_capacity(list.len());
            for &other in &*list {
                if selector.keeps(&self.nodes[other])? {
                    kept.push(other);
                }
            }
            *list = kept;
        }
        self.set(list, id, &selector)
    }

    /// The nodes in this order; one that is named again is copied.
    fn take(mut self, order: &[usize]) -> Vec<Node> {
        let mut uses = vec![0_usize; self.nodes.len()];
        for &id in order {
            uses[id] += 1;
        }
        let mut taken = Vec::with_capacity(order.len());
        for &id in order {
            uses[id] -= 1;
            let node = &mut self.nodes[id];
            taken.push(if uses[id] == 0 {
                std::mem::replace(node, Node::null())
            } else {
                node.clone()
            });
        }
        taken
    }
}

impl ElementSelector<'_> {
    /// The keys that have a value; all where none has.
    fn narrowed(&self) -> Self {
        let has_value: Vec<bool> = self.values.iter().map(|value| !value.is_empty()).collect();
        if !has_value.contains(&true) {
            return self.clone();
        }
        Self {
            keys: retained(&self.keys, &has_value),
            values: retained(&self.values, &has_value),
        }
    }
}

fn is_regular(element: &Node, key: &str) -> bool {
    let has_kind = if key.is_empty() {
        element.is_scalar()
    } else {
        element.is_mapping()
    };
    has_kind && !element.is_null() && !element::key_text(element, key).is_empty()
}

fn retained<T: Clone>(items: &[T], is_retained: &[bool]) -> Vec<T> {
    items
        .iter()
        .zip(is_retained)
        .filter(|(_, retained)| **retained)
        .map(|(item, _)| item.clone())
        .collect()
}

/// Makes combinations equal that share a value and differ only where one has none.
///
/// kustomize: `mergeValues` compares each with each, the outer one as it was when its turn came.
fn unify(tuples: &mut [Vec<Text>]) {
    for outer in 0..tuples.len() {
        let left = tuples[outer].clone();
        for inner in 0..tuples.len() {
            if let Some(both) = united(&left, &tuples[inner]) {
                tuples[outer].clone_from(&both);
                tuples[inner] = both;
            }
        }
    }
}

fn united(left: &[Text], right: &[Text]) -> Option<Vec<Text>> {
    let is_compatible = |(a, b): (&Text, &Text)| a == b || a.is_empty() || b.is_empty();
    if !left.iter().zip(right).all(is_compatible) || !left.iter().zip(right).any(|(a, b)| a == b) {
        return None;
    }
    Some(
        left.iter()
            .zip(right)
            .map(|(a, b)| if a.is_empty() { b.clone() } else { a.clone() })
            .collect(),
    )
}
