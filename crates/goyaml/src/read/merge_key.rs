//! The merge key `<<`: entries of other mappings join a mapping unless it has them itself.

use std::collections::BTreeMap;

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
                        return Err(Error::new(item.position, "invalid map merge: received a nested sequence"));
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
    if sources.is_empty() {
        return;
    }
    let own_count = entries.len();
    let mut places = BTreeMap::<Text, usize>::new();
    for (index, (key, _)) in entries.iter().enumerate() {
        places.entry(Text::from(key_text(key))).or_insert(index);
    }
    for source in sources {
        let fresh = entries.len();
        let mut seen = std::collections::BTreeSet::<Text>::new();
        for (key, value) in source {
            let name = Text::from(key_text(&key));
            if !seen.insert(name.clone()) {
                continue;
            }
            match places.get(&name).copied() {
                Some(place) if place >= own_count && place < fresh => {
                    if let Some(slot) = entries.get_mut(place) {
                        *slot = (key, value);
                    }
                }
                Some(_) => {}
                None => {
                    places.insert(name, entries.len());
                    entries.push((key, value));
                }
            }
        }
    }
}
