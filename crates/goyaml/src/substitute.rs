//! Aliases replaced by what they refer to, with merge keys left to the decoder.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::error::Error;
use crate::limits::Limits;
use crate::node::{Data, Node, Text};

/// The tree without aliases; it is the tree itself where it has none.
///
/// Fails for an alias that no anchor stands before, and where the copies are past [`Limits::alias_nodes`].
pub(crate) fn substitute_aliases(node: &Node) -> Result<Cow<'_, Node>, Error> {
    if !has_alias(node) {
        return Ok(Cow::Borrowed(node));
    }
    let mut tree = node.clone();
    let mut substitution = Substitution {
        anchors: BTreeMap::new(),
        budget: Limits::default().alias_nodes,
    };
    substitution.apply(&mut tree)?;
    Ok(Cow::Owned(tree))
}

fn has_alias(node: &Node) -> bool {
    match &node.data {
        Data::Alias(_) => true,
        Data::Scalar(_) => false,
        Data::Sequence(items) => items.iter().any(has_alias),
        Data::Mapping(entries) => entries
            .iter()
            .any(|(key, value)| has_alias(key) || has_alias(value)),
    }
}

/// What the anchors met so far stand for, and how many nodes may still be copied.
struct Substitution {
    anchors: BTreeMap<Text, Node>,
    budget: usize,
}

impl Substitution {
    fn apply(&mut self, node: &mut Node) -> Result<(), Error> {
        let anchor = node.anchor().cloned();
        if let Some(anchor) = &anchor {
            // An anchor counts from its start, so that one of the same name within its node has the last word.
            self.anchors.remove(anchor);
        }
        match &mut node.data {
            Data::Alias(name) => {
                let unknown = || Error::unknown_anchor(node.position);
                let target = self.anchors.get(name).ok_or_else(unknown)?;
                let too_many = || Error::new(node.position, "document contains excessive aliasing");
                self.budget = self
                    .budget
                    .checked_sub(target.node_count())
                    .ok_or_else(too_many)?;
                *node = target.clone();
            }
            Data::Scalar(_) => {}
            Data::Sequence(items) => items.iter_mut().try_for_each(|item| self.apply(item))?,
            Data::Mapping(entries) => {
                for (key, value) in entries {
                    self.apply(key)?;
                    self.apply(value)?;
                }
            }
        }
        if let Some(anchor) = anchor {
            node.set_anchor(None);
            self.anchors.entry(anchor).or_insert_with(|| node.clone());
        }
        Ok(())
    }
}
