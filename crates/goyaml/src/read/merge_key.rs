//! The merge key `<<`: entries of other mappings join a mapping unless it has them itself.

use std::collections::{BTreeMap, BTreeSet};

use super::anchors::Anchors;
use super::keys::key_text;
use crate::error::Error;
use crate::node::{Data, Node, Tag, Text};

type Entries = Vec<(Node, Node)>;

impl Anchors {
    /// Applies the merge key of a mapping, if it has one.
    pub(super) fn merge(&mut self, entries: &mut Entries) -> Result<(), Error> {
        let mut merge_keys = entries.iter().filter(|(key, _)| key.tag == Tag::Merge);
        let value = merge_keys.next().map(|(_, value)| value);
        if let Some((key, _)) = merge_keys.next() {
            return Err(Error::new(key.position, "duplicate merge key"));
        }
        let mut sources = Vec::new();
        if let Some(value) = value {
            self.find_sources(value, &mut sources)?;
        }
        // kustomize: removeMergeTags removes the first `<<`, even one in quotes, which is no merge key.
        if let Some(index) = entries.iter().position(|(key, _)| key_text(key) == "<<") {
            entries.remove(index);
        }
        join(entries, sources);
        Ok(())
    }

    /// Finds the mappings that a merge key refers to; of two with the same entry, the first one has the say.
    fn find_sources(&mut self, value: &Node, sources: &mut Vec<Entries>) -> Result<(), Error> {
        match &value.data {
            Data::Mapping(entries) => sources.push(entries.clone()),
            Data::Alias(number) => sources.push(self.merged_entries(number, value.position)?),
            Data::Sequence(items) => {
                for item in items.iter().rev() {
                    if item.is_sequence() {
                        return Err(Error::new(
                            item.position,
                            "invalid map merge: received a nested sequence",
                        ));
                    }
                    self.find_sources(item, sources)?;
                }
            }
            Data::Scalar(_) => {
                let message = "map merge requires map or sequence of maps as the value";
                return Err(Error::new(value.position, message));
            }
        }
        Ok(())
    }
}

/// Adds the entries of the sources that a mapping does not have; a later source overrides an earlier one in its place.
fn join(entries: &mut Entries, sources: Vec<Entries>) {
    if sources.is_empty() && !entries.iter().any(|(key, _)| is_written_null(key)) {
        return;
    }
    let own_count = entries.len();
    let mut places = BTreeMap::<Text, usize>::new();
    for (index, (key, _)) in entries.iter().enumerate() {
        places.entry(Text::from(key_text(key))).or_insert(index);
    }
    // kustomize: mergeAll sets a mapping's own entries as the last ones, which adds those with a null key once more.
    let own = entries
        .iter()
        .filter(|(key, _)| is_written_null(key))
        .cloned()
        .collect();
    for source in sources.into_iter().chain([own]) {
        let mut seen = BTreeSet::<Text>::new();
        for (key, value) in source {
            let text = Text::from(key_text(&key));
            if !seen.insert(text.clone()) {
                continue;
            }
            // kustomize: GetValue, which MapEntrySetter looks for, is empty for a null.
            let name = if key.is_null() { "" } else { text.as_str() };
            match places
                .get(name)
                .copied()
                .map(|place| (place, entries.get_mut(place)))
            {
                Some((place, Some(slot))) if place >= own_count => *slot = (key, value),
                Some(_) => {}
                None => {
                    places.entry(text).or_insert(entries.len());
                    entries.push((key, value));
                }
            }
        }
    }
}

/// Whether a key is a null that has a text, as `null` and `~` have.
pub(super) fn is_written_null(key: &Node) -> bool {
    key.is_null() && !key_text(key).is_empty()
}
