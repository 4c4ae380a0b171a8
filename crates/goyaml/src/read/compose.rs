//! Tokens become a node tree, by the grammar of libyaml. Open collections are kept on a stack of their own, so that
//! deep nesting takes no stack of the thread.

use std::collections::BTreeSet;

use super::frame::{Frame, State};
use super::merge_key::is_written_null;
use super::reader::Source;
use super::scanner::Scanner;
use super::tags::Tags;
use super::token::{Content, Kind, Token};
use crate::error::Error;
use crate::node::{Data, Node, Position, Style, Tag, Text};
use crate::resolve::implicit_tag;

/// The first document of a text.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) root: Node,
    /// Whether there is an anchor, an alias, a `<<` or a `null` for a key in it.
    pub(super) has_references: bool,
}

/// Reads the first document; `None` where the text has none.
pub(super) fn compose(source: &Source<'_>, depth: usize) -> Result<Option<Document>, Error> {
    let mut composer = Composer {
        scanner: Scanner::new(source),
        tags: Tags::default(),
        stack: Vec::new(),
        anchors: BTreeSet::new(),
        has_references: false,
        depth,
    };
    composer.document()
}

struct Composer<'a> {
    scanner: Scanner<'a>,
    tags: Tags,
    stack: Vec<Frame>,
    anchors: BTreeSet<Text>,
    has_references: bool,
    depth: usize,
}

/// What a step of the grammar leads to.
enum Step {
    /// A node without children, or one whose children have all been read.
    Node(Node),
    /// A collection begins.
    Open(Frame),
    /// The innermost collection ends.
    Close,
}

/// Where a node stands, which decides what it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Block,
    /// The key or value of a block mapping, where a sequence need not be indented.
    BlockEntry,
    Flow,
}

impl Composer<'_> {
    fn document(&mut self) -> Result<Option<Document>, Error> {
        let first = match self.scanner.peek_kind()? {
            Kind::StreamEnd => return Ok(None),
            Kind::VersionDirective | Kind::TagDirective | Kind::DocumentStart => {
                self.tags.read_directives(&mut self.scanner)?;
                let token = self.scanner.take()?;
                if token.kind != Kind::DocumentStart {
                    return Err(self.problem(&token, "did not find expected <document start>"));
                }
                self.explicit_content()?
            }
            _ => self.node(Place::Block)?,
        };
        let root = self.tree(first)?;
        // The document ends where the next token has been seen, and what go-yaml looks at in order to see it.
        self.scanner.peek()?;
        Ok(Some(Document { root, has_references: self.has_references }))
    }

    fn explicit_content(&mut self) -> Result<Step, Error> {
        let token = self.scanner.peek()?;
        let position = token.position;
        match token.kind {
            Kind::VersionDirective | Kind::TagDirective | Kind::DocumentStart | Kind::DocumentEnd | Kind::StreamEnd => {
                Ok(Step::Node(empty(position)))
            }
            _ => self.node(Place::Block),
        }
    }

    /// Takes steps until the outermost node is complete.
    fn tree(&mut self, first: Step) -> Result<Node, Error> {
        let mut step = first;
        loop {
            let complete = match step {
                Step::Node(node) => Some(node),
                Step::Open(frame) => {
                    if self.stack.len() >= self.depth {
                        let message = format!("exceeded max depth of {}", self.depth);
                        return Err(Error::new(frame.start, message));
                    }
                    self.stack.push(frame);
                    None
                }
                Step::Close => self.stack.pop().map(Frame::finish),
            };
            if let Some(node) = complete {
                match self.stack.last_mut() {
                    Some(frame) => {
                        self.has_references |= node.tag == Tag::Null && frame.is_key_next() && is_written_null(&node);
                        frame.add(node);
                    }
                    None => return Ok(node),
                }
            }
            step = self.advance()?;
        }
    }

    fn advance(&mut self) -> Result<Step, Error> {
        match self.stack.last().map(|frame| frame.state) {
            Some(State::BlockSequence) => self.block_item(),
            Some(State::IndentlessSequence) => self.indentless_item(),
            Some(State::BlockKey) => self.block_key(),
            Some(State::BlockValue) => self.block_value(),
            Some(State::FlowSequenceFirst) => self.flow_item(true),
            Some(State::FlowSequence) => self.flow_item(false),
            Some(State::PairKey) => self.pair_key(),
            Some(State::PairValue) => self.pair_value(),
            Some(State::FlowKeyFirst) => self.flow_key(true),
            Some(State::FlowKey) => self.flow_key(false),
            Some(State::FlowValue) => self.flow_value(),
            Some(State::FlowNoValue) => {
                self.expect(State::FlowKey);
                Ok(Step::Node(empty(self.scanner.peek()?.position)))
            }
            Some(State::PairEnd) | None => Ok(Step::Close),
        }
    }

    fn expect(&mut self, state: State) {
        if let Some(frame) = self.stack.last_mut() {
            frame.state = state;
        }
    }

    fn problem(&self, token: &Token<'_>, message: &str) -> Error {
        self.scanner.error_at(None, token.position, message)
    }

    /// An error about the innermost collection.
    fn problem_in_collection(&mut self, message: &str) -> Error {
        let context = self.stack.last().map(|frame| frame.start);
        match self.scanner.peek() {
            Ok(token) => {
                let problem = token.position;
                self.scanner.error_at(context, problem, message)
            }
            Err(error) => error,
        }
    }

    /// Consumes an indicator, and reads the node behind it unless one of these tokens follows.
    fn node_after_indicator(&mut self, place: Place, unless: &[Kind]) -> Result<Step, Error> {
        let end = self.scanner.take()?.end();
        if unless.contains(&self.scanner.peek_kind()?) { Ok(Step::Node(empty(end))) } else { self.node(place) }
    }

    fn block_item(&mut self) -> Result<Step, Error> {
        match self.scanner.peek_kind()? {
            Kind::BlockEntry => self.node_after_indicator(Place::Block, &[Kind::BlockEntry, Kind::BlockEnd]),
            Kind::BlockEnd => self.close(),
            _ => Err(self.problem_in_collection("did not find expected '-' indicator")),
        }
    }

    fn indentless_item(&mut self) -> Result<Step, Error> {
        if self.scanner.peek_kind()? != Kind::BlockEntry {
            return Ok(Step::Close);
        }
        let unless = [Kind::BlockEntry, Kind::Key, Kind::Value, Kind::BlockEnd];
        self.node_after_indicator(Place::Block, &unless)
    }

    fn block_key(&mut self) -> Result<Step, Error> {
        match self.scanner.peek_kind()? {
            Kind::Key => {
                self.expect(State::BlockValue);
                self.node_after_indicator(Place::BlockEntry, &[Kind::Key, Kind::Value, Kind::BlockEnd])
            }
            Kind::BlockEnd => self.close(),
            _ => Err(self.problem_in_collection("did not find expected key")),
        }
    }

    fn block_value(&mut self) -> Result<Step, Error> {
        self.expect(State::BlockKey);
        let token = self.scanner.peek()?;
        if token.kind != Kind::Value {
            return Ok(Step::Node(empty(token.position)));
        }
        self.node_after_indicator(Place::BlockEntry, &[Kind::Key, Kind::Value, Kind::BlockEnd])
    }

    fn close(&mut self) -> Result<Step, Error> {
        self.scanner.take()?;
        Ok(Step::Close)
    }

    fn flow_item(&mut self, is_first: bool) -> Result<Step, Error> {
        let mut kind = self.scanner.peek_kind()?;
        if !is_first && kind != Kind::FlowSequenceEnd {
            if kind != Kind::FlowEntry {
                return Err(self.problem_in_collection("did not find expected ',' or ']'"));
            }
            self.scanner.take()?;
            kind = self.scanner.peek_kind()?;
        }
        self.expect(State::FlowSequence);
        match kind {
            Kind::FlowSequenceEnd => self.close(),
            Kind::Key => {
                let start = self.scanner.take()?.position;
                let mut node = Node::new(Data::Mapping(Vec::new()), Tag::Map, Style::FLOW);
                node.position = start;
                Ok(Step::Open(Frame::new(State::PairKey, start, node)))
            }
            _ => self.node(Place::Flow),
        }
    }

    fn pair_key(&mut self) -> Result<Step, Error> {
        self.expect(State::PairValue);
        match self.scanner.peek_kind()? {
            // go-yaml: parse_flow_sequence_entry_mapping_key consumes the token that shows that the key is empty.
            Kind::Value | Kind::FlowEntry | Kind::FlowSequenceEnd => {
                Ok(Step::Node(empty(self.scanner.take()?.end())))
            }
            _ => self.node(Place::Flow),
        }
    }

    fn pair_value(&mut self) -> Result<Step, Error> {
        self.expect(State::PairEnd);
        let token = self.scanner.peek()?;
        let position = token.position;
        if token.kind == Kind::Value {
            self.scanner.take()?;
            if !matches!(self.scanner.peek_kind()?, Kind::FlowEntry | Kind::FlowSequenceEnd) {
                return self.node(Place::Flow);
            }
        }
        Ok(Step::Node(empty(position)))
    }

    fn flow_key(&mut self, is_first: bool) -> Result<Step, Error> {
        let mut kind = self.scanner.peek_kind()?;
        if !is_first && kind != Kind::FlowMappingEnd {
            if kind != Kind::FlowEntry {
                return Err(self.problem_in_collection("did not find expected ',' or '}'"));
            }
            self.scanner.take()?;
            kind = self.scanner.peek_kind()?;
        }
        match kind {
            Kind::FlowMappingEnd => self.close(),
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

    fn flow_value(&mut self) -> Result<Step, Error> {
        self.expect(State::FlowKey);
        let token = self.scanner.peek()?;
        if token.kind != Kind::Value {
            return Ok(Step::Node(empty(token.position)));
        }
        self.flow_node_after_indicator()
    }

    fn flow_node_after_indicator(&mut self) -> Result<Step, Error> {
        let kind_was_key = self.scanner.take()?.kind == Kind::Key;
        let token = self.scanner.peek()?;
        match token.kind {
            Kind::FlowEntry | Kind::FlowMappingEnd => Ok(Step::Node(empty(token.position))),
            Kind::Value if kind_was_key => Ok(Step::Node(empty(token.position))),
            _ => self.node(Place::Flow),
        }
    }

    /// Reads an alias, a scalar, or the beginning of a collection.
    fn node(&mut self, place: Place) -> Result<Step, Error> {
        if self.scanner.peek_kind()? == Kind::Alias {
            return self.alias();
        }
        let properties = self.properties()?;
        let token = self.scanner.peek()?;
        let start = token.position;
        let kind = token.kind;
        let (state, data, tag, style) = match kind {
            Kind::Scalar => return self.scalar(properties),
            Kind::BlockEntry if place == Place::BlockEntry => {
                (State::IndentlessSequence, Data::Sequence(Vec::new()), Tag::Seq, Style::PLAIN)
            }
            Kind::FlowSequenceStart => (State::FlowSequenceFirst, Data::Sequence(Vec::new()), Tag::Seq, Style::FLOW),
            Kind::FlowMappingStart => (State::FlowKeyFirst, Data::Mapping(Vec::new()), Tag::Map, Style::FLOW),
            Kind::BlockSequenceStart if place != Place::Flow => {
                (State::BlockSequence, Data::Sequence(Vec::new()), Tag::Seq, Style::PLAIN)
            }
            Kind::BlockMappingStart if place != Place::Flow => {
                (State::BlockKey, Data::Mapping(Vec::new()), Tag::Map, Style::PLAIN)
            }
            _ => return self.no_content(properties, start),
        };
        if state != State::IndentlessSequence {
            self.scanner.take()?;
        }
        let node = self.finish(Node::new(data, tag, style), properties, start);
        Ok(Step::Open(Frame::new(state, start, node)))
    }

    fn alias(&mut self) -> Result<Step, Error> {
        let token = self.scanner.take()?;
        let position = token.position;
        let name = token.into_text();
        if !self.anchors.contains(&name) {
            return Err(Error::new(position, format!("unknown anchor '{name}' referenced")));
        }
        self.has_references = true;
        let mut node = Node::new(Data::Alias(name), Tag::Custom, Style::PLAIN);
        node.position = position;
        Ok(Step::Node(node))
    }

    fn scalar(&mut self, properties: Properties) -> Result<Step, Error> {
        let token = self.scanner.take()?;
        let (style, position) = (token.style, token.position);
        let text = token.into_text();
        self.has_references |= text == "<<";
        let tag = match () {
            () if properties.tag.is_some() || style != Style::PLAIN => Tag::Str,
            () if text == "<<" => Tag::Merge,
            () => implicit_tag(&text),
        };
        Ok(Step::Node(self.finish(Node::new(Data::Scalar(text), tag, style), properties, position)))
    }

    /// Makes an empty scalar of a tag or an anchor that stands alone.
    fn no_content(&mut self, properties: Properties, problem: Position) -> Result<Step, Error> {
        if properties.anchor.is_none() && properties.start.is_none() {
            return Err(self.scanner.error_at(Some(problem), problem, "did not find expected node content"));
        }
        Ok(Step::Node(self.finish(empty(problem), properties, problem)))
    }

    /// Reads the tag and the anchor before a node, in whichever order.
    fn properties(&mut self) -> Result<Properties, Error> {
        let mut properties = Properties::default();
        loop {
            let kind = self.scanner.peek_kind()?;
            if !(kind == Kind::Anchor && properties.anchor.is_none() || kind == Kind::Tag && !properties.is_tagged) {
                break;
            }
            let token = self.scanner.take()?;
            let position = token.position;
            properties.start = properties.start.or(Some(position));
            if kind == Kind::Anchor {
                properties.anchor = Some(token.into_text());
            } else if let Content::Tag(tag) = token.content {
                properties.is_tagged = true;
                let (handle, suffix) = *tag;
                let Some(tag) = self.tags.resolve(&handle, &suffix) else {
                    return Err(self.scanner.error_at(properties.start, position, "found undefined tag handle"));
                };
                properties.tag = Some(tag).filter(|tag| tag != "!");
            }
        }
        Ok(properties)
    }

    /// Gives a node its properties and its place.
    fn finish(&mut self, mut node: Node, properties: Properties, position: Position) -> Node {
        node.position = properties.start.unwrap_or(position);
        if let Some(tag) = properties.tag {
            node.style = node.style.with(Style::TAGGED);
            match Tag::from_text(&tag) {
                Some(tag) => node.tag = tag,
                None => node.set_custom_tag(Text::from(short_tag(&tag).as_ref())),
            }
            self.has_references |= node.tag == Tag::Merge;
        }
        if let Some(anchor) = properties.anchor {
            self.has_references = true;
            self.anchors.insert(anchor.clone());
            node.set_anchor(Some(anchor));
        }
        node
    }
}

/// What stands before a node.
#[derive(Debug, Default)]
struct Properties {
    start: Option<Position>,
    anchor: Option<Text>,
    /// The tag, unless it is `!`, which says nothing.
    tag: Option<String>,
    is_tagged: bool,
}

fn short_tag(tag: &str) -> std::borrow::Cow<'_, str> {
    tag.strip_prefix("tag:yaml.org,2002:").map_or(tag.into(), |name| format!("!!{name}").into())
}

/// A scalar that nobody has written.
fn empty(position: Position) -> Node {
    let mut node = Node::scalar("", Tag::Null);
    node.position = position;
    node
}
