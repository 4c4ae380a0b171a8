//! Tokens become a node tree, by the grammar of libyaml. Open collections are kept on a stack of their own, so that
//! deep nesting takes no stack of the thread.

use std::collections::BTreeSet;

use super::comment_queue::{CommentKeeper, CommentQueue, NoComments, settle_feet};
use super::frame::{Frame, State};
use super::merge_key::is_written_null;
use super::quick;
use super::reader::Source;
use super::scanner::Scanner;
use super::tags::Tags;
use super::token::{Content, Kind};
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
    match quick::read(source, depth) {
        Some(root) => Ok(Some(Document {
            root,
            has_references: false,
        })),
        None => compose_any(source, depth),
    }
}

/// Reads the first document, whatever is in it; `None` where the text has none.
pub(super) fn compose_any(source: &Source<'_>, depth: usize) -> Result<Option<Document>, Error> {
    Composer::new(Scanner::new(source, NoComments), depth).document()
}

/// Reads the first document with its comments; `None` where the text has none.
pub(super) fn compose_with_comments(
    source: &Source<'_>,
    depth: usize,
) -> Result<Option<Document>, Error> {
    let queue = CommentQueue::new(&source.text, source.first_line);
    Composer::new(Scanner::new(source, queue), depth).document()
}

/// Reads the first document of a text.
pub(super) struct Composer<'a, C> {
    pub(super) scanner: Scanner<'a, C>,
    tags: Tags,
    stack: Vec<Frame>,
    /// What is in the open collections, the innermost last; in the end the root alone.
    children: Vec<Node>,
    anchors: BTreeSet<Text>,
    has_references: bool,
    depth: usize,
}

/// Where a node stands, which decides what it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Block,
    /// The key or value of a block mapping, where a sequence need not be indented.
    BlockEntry,
    Flow,
}

impl<'a, C: CommentKeeper> Composer<'a, C> {
    fn new(scanner: Scanner<'a, C>, depth: usize) -> Self {
        Self {
            scanner,
            tags: Tags::default(),
            stack: Vec::new(),
            children: Vec::new(),
            anchors: BTreeSet::new(),
            has_references: false,
            depth,
        }
    }

    fn document(&mut self) -> Result<Option<Document>, Error> {
        let mut head = Text::new();
        match self.scanner.peek_kind()? {
            Kind::StreamEnd => return Ok(None),
            Kind::VersionDirective | Kind::TagDirective | Kind::DocumentStart => {
                self.tags.read_directives(&mut self.scanner)?;
                let (kind, position) = self.scanner.peek()?;
                if kind != Kind::DocumentStart {
                    return Err(Error::new(
                        position,
                        "did not find expected <document start>",
                    ));
                }
                self.scanner.skip();
                self.explicit_content()?;
            }
            _ => {
                if let Some(queue) = self.scanner.comments.queue_mut() {
                    head = queue.take_document_head();
                }
                self.node(Place::Block)?;
            }
        }
        while !self.stack.is_empty() {
            self.advance()?;
        }
        // The document ends where the next token has been seen, and what go-yaml looks at in order to see it.
        self.scanner.peek()?;
        let mut root = self.children.pop();
        if let (Some(queue), Some(root)) = (self.scanner.comments.queue_mut(), &mut root) {
            queue.give_document(root, head);
        }
        let has_references = self.has_references;
        Ok(root.map(|root| Document {
            root,
            has_references,
        }))
    }

    fn explicit_content(&mut self) -> Result<(), Error> {
        let (kind, position) = self.scanner.peek()?;
        match kind {
            Kind::VersionDirective
            | Kind::TagDirective
            | Kind::DocumentStart
            | Kind::DocumentEnd
            | Kind::StreamEnd => {
                self.add_empty(position);
                Ok(())
            }
            _ => self.node(Place::Block),
        }
    }

    /// Adds a complete node to the innermost collection.
    fn add(&mut self, node: Node) {
        self.has_references |= node.tag == Tag::Null
            && is_written_null(&node)
            && self
                .stack
                .last()
                .is_some_and(|frame| frame.is_key_next(&self.children));
        self.children.push(node);
    }

    /// Opens a collection that begins at a place, less its tag and anchor.
    pub(super) fn open(&mut self, state: State, start: Position, node: Node) -> Result<(), Error> {
        if self.stack.len() >= self.depth {
            return Err(Error::new(
                start,
                format!("exceeded max depth of {}", self.depth),
            ));
        }
        self.stack.push(Frame {
            state,
            start,
            first: self.children.len(),
            node,
        });
        Ok(())
    }

    pub(super) fn close(&mut self) {
        if let Some(frame) = self.stack.pop() {
            let mut node = frame.finish(&mut self.children);
            if C::KEEPS {
                settle_feet(&mut node);
            }
            self.add(node);
        }
    }

    /// Adds a scalar that nobody has written.
    pub(super) fn add_empty(&mut self, position: Position) {
        self.add(empty(position));
    }

    fn advance(&mut self) -> Result<(), Error> {
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
                let (_, position) = self.scanner.peek()?;
                self.add_empty(position);
                Ok(())
            }
            Some(State::PairEnd) | None => {
                self.scanner.peek()?;
                self.close();
                Ok(())
            }
        }
    }

    pub(super) fn expect(&mut self, state: State) {
        if let Some(frame) = self.stack.last_mut() {
            frame.state = state;
        }
    }

    /// An error about the innermost collection: where it goes wrong, or where brackets begin that lines below do not close.
    pub(super) fn problem_in_collection(&mut self, message: &str) -> Error {
        let is_flow = self.scanner.is_flow();
        let start = self.stack.last().map(|frame| frame.start);
        match self.scanner.peek() {
            Ok((_, problem)) => {
                let brackets = start.filter(|start| is_flow && start.line != problem.line);
                Error::new(brackets.unwrap_or(problem), message)
            }
            Err(error) => error,
        }
    }

    /// Consumes an indicator, and reads the node behind it unless one of these tokens follows.
    fn node_after_indicator(&mut self, place: Place, unless: &[Kind]) -> Result<(), Error> {
        let (indicator, start) = self.scanner.peek()?;
        let queue = self.scanner.comments.queue();
        let head = queue.map_or(0, CommentQueue::head_length);
        self.scanner.skip();
        let kind = self.scanner.peek_kind()?;
        if let Some(queue) = self.scanner.comments.queue_mut()
            && indicator == Kind::BlockEntry
            && matches!(kind, Kind::BlockSequenceStart | Kind::BlockMappingStart)
        {
            queue.split_stem(head);
        }
        if unless.contains(&kind) {
            self.add_empty(behind(start));
            Ok(())
        } else {
            self.node(place)
        }
    }

    fn block_item(&mut self) -> Result<(), Error> {
        match self.scanner.peek_kind()? {
            Kind::BlockEntry => {
                self.node_after_indicator(Place::Block, &[Kind::BlockEntry, Kind::BlockEnd])
            }
            Kind::BlockEnd => {
                self.close_with_token();
                Ok(())
            }
            _ => Err(self.problem_in_collection("did not find expected '-' indicator")),
        }
    }

    fn indentless_item(&mut self) -> Result<(), Error> {
        if self.scanner.peek_kind()? != Kind::BlockEntry {
            self.close();
            return Ok(());
        }
        let unless = [Kind::BlockEntry, Kind::Key, Kind::Value, Kind::BlockEnd];
        self.node_after_indicator(Place::Block, &unless)
    }

    fn block_key(&mut self) -> Result<(), Error> {
        match self.scanner.peek_kind()? {
            Kind::Key => {
                self.expect(State::BlockValue);
                self.node_after_indicator(
                    Place::BlockEntry,
                    &[Kind::Key, Kind::Value, Kind::BlockEnd],
                )
            }
            Kind::BlockEnd => {
                self.close_with_token();
                Ok(())
            }
            _ => Err(self.problem_in_collection("did not find expected key")),
        }
    }

    fn block_value(&mut self) -> Result<(), Error> {
        self.expect(State::BlockKey);
        let (kind, position) = self.scanner.peek()?;
        if kind != Kind::Value {
            self.add_empty(position);
            return Ok(());
        }
        self.node_after_indicator(Place::BlockEntry, &[Kind::Key, Kind::Value, Kind::BlockEnd])
    }

    pub(super) fn close_with_token(&mut self) {
        if let Some(queue) = self.scanner.comments.queue_mut()
            && let Some(frame) = self.stack.last_mut()
            && frame.state != State::BlockSequence
        {
            queue.give_end(&mut frame.node);
        }
        self.scanner.skip();
        self.close();
    }

    /// Reads an alias, a scalar, or the beginning of a collection.
    pub(super) fn node(&mut self, place: Place) -> Result<(), Error> {
        let (mut kind, mut start) = self.scanner.peek()?;
        let mut properties = None;
        match kind {
            Kind::Alias => return self.alias(),
            Kind::Anchor | Kind::Tag => {
                properties = Some(self.properties()?);
                (kind, start) = self.scanner.peek()?;
            }
            _ => {}
        }
        let (state, data, tag, style) = match kind {
            Kind::Scalar => {
                self.scalar(properties);
                return Ok(());
            }
            Kind::BlockEntry if place == Place::BlockEntry => (
                State::IndentlessSequence,
                Data::Sequence(Vec::new()),
                Tag::Seq,
                Style::PLAIN,
            ),
            Kind::FlowSequenceStart => (
                State::FlowSequenceFirst,
                Data::Sequence(Vec::new()),
                Tag::Seq,
                Style::FLOW,
            ),
            Kind::FlowMappingStart => (
                State::FlowKeyFirst,
                Data::Mapping(Vec::new()),
                Tag::Map,
                Style::FLOW,
            ),
            Kind::BlockSequenceStart if place != Place::Flow => (
                State::BlockSequence,
                Data::Sequence(Vec::new()),
                Tag::Seq,
                Style::PLAIN,
            ),
            Kind::BlockMappingStart if place != Place::Flow => (
                State::BlockKey,
                Data::Mapping(Vec::new()),
                Tag::Map,
                Style::PLAIN,
            ),
            _ => return self.no_content(properties, start),
        };
        if state != State::IndentlessSequence {
            self.scanner.skip();
        }
        let mut node = self.finish(Node::new(data, tag, style), properties, start);
        if let Some(queue) = self.scanner.comments.queue_mut() {
            match kind {
                Kind::FlowSequenceStart | Kind::FlowMappingStart => queue.give(&mut node),
                Kind::BlockSequenceStart | Kind::BlockMappingStart => queue.give_stem(&mut node),
                _ => {}
            }
        }
        self.open(state, start, node)
    }

    fn alias(&mut self) -> Result<(), Error> {
        let token = self.scanner.take();
        let position = token.position;
        let name = token.into_text();
        if !self.anchors.contains(&name) {
            return Err(Error::unknown_anchor(position));
        }
        self.has_references = true;
        let mut node = Node::new(Data::Alias(name), Tag::Custom, Style::PLAIN);
        node.position = position;
        self.scanner.give_comments(&mut node);
        self.add(node);
        Ok(())
    }

    fn scalar(&mut self, properties: Option<Box<Properties>>) {
        let token = self.scanner.take();
        let (style, position, indent) = (token.style, token.position, token.indent);
        let text = token.into_text();
        self.has_references |= text == "<<";
        let tag = match () {
            () if properties
                .as_ref()
                .is_some_and(|properties| properties.tag.is_some())
                || style != Style::PLAIN =>
            {
                Tag::Str
            }
            () if text == "<<" => Tag::Merge,
            () => implicit_tag(&text),
        };
        let mut node = self.finish(
            Node::new(Data::Scalar(text), tag, style),
            properties,
            position,
        );
        // With a tag or an anchor in a line above, the node does not begin where its text does.
        if node.position.line == position.line {
            node.set_indent(indent);
        }
        self.scanner.give_comments(&mut node);
        self.add(node);
    }

    /// Makes an empty scalar of a tag or an anchor that stands alone.
    fn no_content(
        &mut self,
        properties: Option<Box<Properties>>,
        problem: Position,
    ) -> Result<(), Error> {
        if properties.is_none() {
            return Err(Error::new(problem, "did not find expected node content"));
        }
        let node = self.finish(empty(problem), properties, problem);
        self.add(node);
        Ok(())
    }

    /// Reads the tag and the anchor before a node, in whichever order.
    fn properties(&mut self) -> Result<Box<Properties>, Error> {
        let mut properties = Box::<Properties>::default();
        loop {
            let kind = self.scanner.peek_kind()?;
            if !(kind == Kind::Anchor && properties.anchor.is_none()
                || kind == Kind::Tag && !properties.is_tagged)
            {
                break;
            }
            let token = self.scanner.take();
            let position = token.position;
            properties.start = properties.start.or(Some(position));
            if kind == Kind::Anchor {
                properties.anchor = Some(token.into_text());
            } else if let Content::Tag(tag) = token.content {
                properties.is_tagged = true;
                let (handle, suffix) = *tag;
                let Some(tag) = self.tags.resolve(&handle, &suffix) else {
                    return Err(Error::new(position, "found undefined tag handle"));
                };
                properties.tag = Some(tag).filter(|tag| tag != "!");
            }
        }
        Ok(properties)
    }

    /// Gives a node its properties and its place.
    fn finish(
        &mut self,
        mut node: Node,
        properties: Option<Box<Properties>>,
        position: Position,
    ) -> Node {
        node.position = position;
        let Some(properties) = properties else {
            return node;
        };
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
    tag.strip_prefix("tag:yaml.org,2002:")
        .map_or(tag.into(), |name| format!("!!{name}").into())
}

/// Where an indicator of one character ends.
pub(super) const fn behind(start: Position) -> Position {
    Position {
        line: start.line,
        column: start.column.saturating_add(1),
        file: 0,
    }
}

/// A scalar that nobody has written.
fn empty(position: Position) -> Node {
    let mut node = Node::scalar("", Tag::Null);
    node.position = position;
    node
}
