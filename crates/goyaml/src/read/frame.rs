//! A collection that is being read, and where in its grammar the reader is.

use crate::node::{Data, Node, Position};

/// What is expected next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    BlockSequence,
    /// A sequence in a mapping at the mapping's own indentation.
    IndentlessSequence,
    BlockKey,
    BlockValue,
    FlowSequenceFirst,
    FlowSequence,
    /// A `key: value` as an item of a flow sequence.
    PairKey,
    PairValue,
    PairEnd,
    FlowKeyFirst,
    FlowKey,
    FlowValue,
    /// The value of a flow mapping's key that has neither `?` nor `:`.
    FlowNoValue,
}

/// A collection that is being read. What is in it lies with the children of all open collections, above those of the
/// collections around it, until it is complete: so it takes exactly the memory that it needs.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) state: State,
    /// Where the collection began, less its tag and anchor.
    pub(super) start: Position,
    /// Where its children begin.
    pub(super) first: usize,
    /// The collection without its children.
    pub(super) node: Node,
}

impl Frame {
    /// Whether the next child is the key of an entry.
    pub(super) const fn is_key_next(&self, children: &[Node]) -> bool {
        matches!(self.node.data, Data::Mapping(_))
            && (children.len() - self.first).is_multiple_of(2)
    }

    /// The collection with its children.
    pub(super) fn finish(self, children: &mut Vec<Node>) -> Node {
        let mut node = self.node;
        match &mut node.data {
            Data::Sequence(items) => *items = children.drain(self.first..).collect(),
            Data::Mapping(entries) => *entries = take_entries(children, self.first),
            Data::Scalar(_) | Data::Alias(_) => {}
        }
        node
    }
}

/// Makes entries of keys and their values.
pub(super) fn take_entries(children: &mut Vec<Node>, first: usize) -> Vec<(Node, Node)> {
    let mut entries = Vec::with_capacity((children.len() - first) / 2);
    let mut children = children.drain(first..);
    while let Some(key) = children.next()
        && let Some(value) = children.next()
    {
        entries.push((key, value));
    }
    entries
}
