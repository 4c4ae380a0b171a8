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

/// A collection that is being read.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) state: State,
    /// Where the collection began, less its tag and anchor.
    pub(super) start: Position,
    node: Node,
    key: Option<Node>,
}

impl Frame {
    pub(super) const fn new(state: State, start: Position, node: Node) -> Self {
        Self {
            state,
            start,
            node,
            key: None,
        }
    }

    /// Adds an item, a key, or the value of the last key.
    pub(super) fn add(&mut self, child: Node) {
        match &mut self.node.data {
            Data::Sequence(items) => items.push(child),
            Data::Mapping(entries) => match self.key.take() {
                Some(key) => entries.push((key, child)),
                None => self.key = Some(child),
            },
            Data::Scalar(_) | Data::Alias(_) => {}
        }
    }

    /// Whether the next child is the key of an entry.
    pub(super) const fn is_key_next(&self) -> bool {
        self.key.is_none() && matches!(self.node.data, Data::Mapping(_))
    }

    pub(super) const fn node_mut(&mut self) -> &mut Node {
        &mut self.node
    }

    pub(super) fn finish(self) -> Node {
        self.node
    }
}
