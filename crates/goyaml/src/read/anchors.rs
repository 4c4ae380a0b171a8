//! Aliases are replaced by what they refer to.

use std::collections::BTreeMap;

use crate::error::Error;
use crate::limits::Limits;
use crate::node::{Data, Node, Position, Text};

impl Node {
    /// Replaces all aliases in this tree by copies of what they refer to, applies merge keys (`<<`), and takes all
    /// anchors away, as kyaml's `DeAnchor` does. After an error the tree is good for nothing.
    ///
    /// # Errors
    ///
    /// Fails for an alias without its anchor before it, an anchor that contains itself, a merge of anything but mappings,
    /// and where the copies are past [`Limits::alias_nodes`] or [`Limits::depth`].
    pub fn expand_aliases(&mut self, limits: &Limits) -> Result<(), Error> {
        let mut anchors = Anchors::new(limits);
        anchors.number(self, &mut BTreeMap::new())?;
        anchors.collect(self)?;
        anchors.budget = limits.alias_nodes;
        anchors.expand(self)
    }
}

/// What an anchor stands for.
struct Anchor {
    name: Text,
    is_referenced: bool,
    expansion: Expansion,
}

enum Expansion {
    Missing,
    /// The node as it was read.
    Raw(Node),
    Running,
    /// The node with its aliases replaced, and how many levels of collections it has.
    Done(Node, usize),
}

/// The anchors of a tree, by number. While it is expanded, the aliases and anchors in it bear these numbers, because a
/// name may be defined several times.
pub(super) struct Anchors {
    known: Vec<Anchor>,
    budget: usize,
    level: usize,
    limits: Limits,
}

impl Anchors {
    const fn new(limits: &Limits) -> Self {
        Self {
            known: Vec::new(),
            budget: limits.alias_nodes,
            level: 0,
            limits: *limits,
        }
    }

    /// Gives each anchor a number, and each alias the number of the last anchor of its name before it.
    fn number(&mut self, node: &mut Node, names: &mut BTreeMap<Text, usize>) -> Result<(), Error> {
        if let Some(name) = node.anchor().cloned() {
            let number = self.known.len();
            node.set_anchor(Some(Text::from(number.to_string())));
            let expansion = Expansion::Missing;
            self.known.push(Anchor {
                name: name.clone(),
                is_referenced: false,
                expansion,
            });
            names.insert(name, number);
        }
        match &mut node.data {
            Data::Scalar(_) => {}
            Data::Sequence(items) => items
                .iter_mut()
                .try_for_each(|item| self.number(item, names))?,
            Data::Mapping(entries) => {
                for (key, value) in entries {
                    self.number(key, names)?;
                    self.number(value, names)?;
                }
            }
            Data::Alias(name) => {
                let number = names.get(name).copied();
                let Some((number, anchor)) =
                    number.and_then(|number| Some((number, self.known.get_mut(number)?)))
                else {
                    return Err(Error::unknown_anchor(node.position));
                };
                anchor.is_referenced = true;
                *name = Text::from(number.to_string());
            }
        }
        Ok(())
    }

    /// Keeps a copy of each node that an alias refers to.
    fn collect(&mut self, node: &Node) -> Result<(), Error> {
        if let Some(index) = anchor_number(node)
            && self
                .known
                .get(index)
                .is_some_and(|anchor| anchor.is_referenced)
        {
            self.charge(node, node.position)?;
            if let Some(anchor) = self.known.get_mut(index) {
                anchor.expansion = Expansion::Raw(node.clone());
            }
        }
        match &node.data {
            Data::Scalar(_) | Data::Alias(_) => Ok(()),
            Data::Sequence(items) => items.iter().try_for_each(|item| self.collect(item)),
            Data::Mapping(entries) => entries.iter().try_for_each(|(key, value)| {
                self.collect(key)?;
                self.collect(value)
            }),
        }
    }

    fn expand(&mut self, node: &mut Node) -> Result<(), Error> {
        if let Data::Alias(number) = &node.data {
            let number = number.parse().unwrap_or(usize::MAX);
            *node = self.expansion(number, node.position)?;
            return Ok(());
        }
        if !node.is_scalar() {
            self.level += 1;
            self.check_level(0, node.position)?;
            if let Data::Mapping(entries) = &mut node.data {
                self.merge(entries)?;
            }
            match &mut node.data {
                Data::Sequence(items) => items.iter_mut().try_for_each(|item| self.expand(item))?,
                Data::Mapping(entries) => {
                    for (key, value) in entries {
                        self.expand(key)?;
                        self.expand(value)?;
                    }
                }
                Data::Scalar(_) | Data::Alias(_) => {}
            }
            self.level -= 1;
        }
        node.set_anchor(None);
        Ok(())
    }

    /// A copy of what an anchor stands for, for the alias at a place.
    fn expansion(&mut self, number: usize, place: Position) -> Result<Node, Error> {
        let Some(anchor) = self.known.get_mut(number) else {
            return Err(Error::unknown_anchor(place));
        };
        let (node, depth) = match std::mem::replace(&mut anchor.expansion, Expansion::Running) {
            Expansion::Done(node, depth) => (node, depth),
            Expansion::Raw(mut node) => {
                self.expand(&mut node)?;
                let depth = depth(&node);
                (node, depth)
            }
            Expansion::Running | Expansion::Missing => {
                return Err(Error::new(
                    place,
                    format!("anchor '{}' value contains itself", anchor.name),
                ));
            }
        };
        self.check_level(depth, place)?;
        self.charge(&node, place)?;
        let copy = node.clone();
        if let Some(anchor) = self.known.get_mut(number) {
            anchor.expansion = Expansion::Done(node, depth);
        }
        Ok(copy)
    }

    /// The entries of the mapping that an alias in a merge key refers to.
    pub(super) fn merged_entries(
        &mut self,
        number: &str,
        place: Position,
    ) -> Result<Vec<(Node, Node)>, Error> {
        let number = number.parse().unwrap_or(usize::MAX);
        let node = match self.known.get(number).map(|anchor| &anchor.expansion) {
            // kustomize: deAnchor works on copies, so that a mapping is merged as it was read, with its own merge key, unless
            // an alias has made use of it before.
            Some(Expansion::Raw(node)) => {
                let node = node.clone();
                self.charge(&node, place)?;
                node
            }
            _ => self.expansion(number, place)?,
        };
        match node.data {
            Data::Mapping(entries) => Ok(entries),
            Data::Scalar(_) | Data::Sequence(_) | Data::Alias(_) => Err(Error::new(
                place,
                "invalid map merge: received alias for a non-map value",
            )),
        }
    }

    fn check_level(&self, more: usize, place: Position) -> Result<(), Error> {
        let depth = self.limits.depth;
        if self.level + more > depth {
            return Err(Error::new(place, format!("exceeded max depth of {depth}")));
        }
        Ok(())
    }

    fn charge(&mut self, node: &Node, place: Position) -> Result<(), Error> {
        let Some(budget) = self.budget.checked_sub(node.node_count()) else {
            let message = format!(
                "exceeded max number of {} nodes from aliases",
                self.limits.alias_nodes
            );
            return Err(Error::new(place, message));
        };
        self.budget = budget;
        Ok(())
    }
}

fn anchor_number(node: &Node) -> Option<usize> {
    node.anchor()?.parse().ok()
}

fn depth(node: &Node) -> usize {
    match &node.data {
        Data::Scalar(_) | Data::Alias(_) => 0,
        Data::Sequence(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Data::Mapping(entries) => {
            1 + entries
                .iter()
                .map(|(key, value)| depth(key).max(depth(value)))
                .max()
                .unwrap_or(0)
        }
    }
}
