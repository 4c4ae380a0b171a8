//! The grammar of flow collections: `[a, b: c]` and `{a: b, c}`.

use super::comment_queue::CommentKeeper;
use super::compose::{Composer, Place, behind};
use super::frame::State;
use super::token::Kind;
use crate::error::Error;
use crate::node::{Data, Node, Style, Tag};

impl<C: CommentKeeper> Composer<'_, C> {
    pub(super) fn flow_item(&mut self, is_first: bool) -> Result<(), Error> {
        let mut kind = self.scanner.peek_kind()?;
        if !is_first && kind != Kind::FlowSequenceEnd {
            if kind != Kind::FlowEntry {
                return Err(self.problem_in_collection("did not find expected ',' or ']'"));
            }
            self.scanner.skip();
            kind = self.scanner.peek_kind()?;
        }
        self.expect(State::FlowSequence);
        match kind {
            Kind::FlowSequenceEnd => {
                self.close_with_token();
                Ok(())
            }
            Kind::Key => {
                let (_, start) = self.scanner.peek()?;
                self.scanner.skip();
                let mut node = Node::new(Data::Mapping(Vec::new()), Tag::Map, Style::FLOW);
                node.position = start;
                self.open(State::PairKey, start, node)
            }
            _ => self.node(Place::Flow),
        }
    }

    pub(super) fn pair_key(&mut self) -> Result<(), Error> {
        self.expect(State::PairValue);
        let (kind, position) = self.scanner.peek()?;
        match kind {
            // go-yaml: parse_flow_sequence_entry_mapping_key consumes the token that shows that the key is empty.
            Kind::Value | Kind::FlowEntry | Kind::FlowSequenceEnd => {
                self.scanner.skip();
                self.add_empty(behind(position));
                Ok(())
            }
            _ => self.node(Place::Flow),
        }
    }

    pub(super) fn pair_value(&mut self) -> Result<(), Error> {
        self.expect(State::PairEnd);
        let (kind, position) = self.scanner.peek()?;
        if kind == Kind::Value {
            self.scanner.skip();
            if !matches!(
                self.scanner.peek_kind()?,
                Kind::FlowEntry | Kind::FlowSequenceEnd
            ) {
                return self.node(Place::Flow);
            }
        }
        self.add_empty(position);
        Ok(())
    }

    pub(super) fn flow_key(&mut self, is_first: bool) -> Result<(), Error> {
        let mut kind = self.scanner.peek_kind()?;
        if !is_first && kind != Kind::FlowMappingEnd {
            if kind != Kind::FlowEntry {
                return Err(self.problem_in_collection("did not find expected ',' or '}'"));
            }
            self.scanner.skip();
            kind = self.scanner.peek_kind()?;
        }
        match kind {
            Kind::FlowMappingEnd => {
                self.close_with_token();
                Ok(())
            }
            Kind::Key => {
                self.expect(State::FlowValue);
                self.flow_node_after_indicator()
            }
            _ => {
                self.expect(State::FlowNoValue);
                self.node(Place::Flow)
            }
        }
    }

    pub(super) fn flow_value(&mut self) -> Result<(), Error> {
        self.expect(State::FlowKey);
        let (kind, position) = self.scanner.peek()?;
        if kind != Kind::Value {
            self.add_empty(position);
            return Ok(());
        }
        self.flow_node_after_indicator()
    }

    fn flow_node_after_indicator(&mut self) -> Result<(), Error> {
        let was_key = self.scanner.peek_kind()? == Kind::Key;
        self.scanner.skip();
        let (kind, position) = self.scanner.peek()?;
        match kind {
            Kind::FlowEntry | Kind::FlowMappingEnd => {
                self.add_empty(position);
                Ok(())
            }
            Kind::Value if was_key => {
                self.add_empty(position);
                Ok(())
            }
            _ => self.node(Place::Flow),
        }
    }
}
