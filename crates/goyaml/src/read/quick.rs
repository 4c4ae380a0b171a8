//! The quick way for documents like most: block and flow collections, keys in one line, scalars of all styles.
//!
//! What it reads, it reads as scanner and composer do, without tokens. At the first thing that is not of the usual kind
//! (anchors, tags, tabs, other line breaks, a second document, all that is an error) it gives up, and they read the
//! document from its beginning: only they know errors, and where go-yaml finds them.

use super::comment_queue::NoComments;
use super::compose::behind;
use super::flow_scalar::quoted;
use super::frame::take_entries;
use super::reader::Source;
use super::scanner::Scanner;
use crate::node::{Data, Node, Position, Style, Tag, Text};
use crate::resolve::implicit_tag;

/// How deep it goes into collections, on the stack of the thread.
const DEPTH: usize = 64;

/// For how many nodes that wait for the end of their collection there is room at first.
const CHILDREN: usize = 32;

/// How many characters a key may have for certain.
const KEY_LENGTH: usize = 1000;

/// Reads the only document of a text; `None` where that takes more.
pub(super) fn read(source: &Source<'_>, depth: usize) -> Option<Node> {
    if source.fault.is_some() || source.text.starts_with('\u{FEFF}') {
        return None;
    }
    let mut reader = Reader {
        scanner: Scanner::new(source, NoComments),
        children: Vec::with_capacity(CHILDREN),
        depth: depth.min(DEPTH),
    };
    reader.skip_space();
    if reader.scanner.cursor.is_document_indicator() {
        if reader.byte() != b'-' {
            return None;
        }
        reader.scanner.cursor.advance(3);
        reader.end_line()?;
    }
    reader.block_node(None, true)?;
    if reader.is_at_end() {
        reader.children.pop()
    } else {
        None
    }
}

struct Reader<'a> {
    /// For its place in the text, and for the scalars that are put together of several pieces.
    scanner: Scanner<'a, NoComments>,
    /// What is in the open collections, the innermost last.
    children: Vec<Node>,
    /// How many more collections may be opened.
    depth: usize,
}

impl Reader<'_> {
    fn byte(&self) -> u8 {
        self.scanner.cursor.byte()
    }

    fn is_at_end(&self) -> bool {
        self.byte() == 0
    }

    /// Whether an indicator is here that needs a blank behind it.
    fn is_indicator(&self, byte: u8) -> bool {
        self.byte() == byte && self.scanner.cursor.is_blank_or_end(1)
    }

    /// Moves over blanks, empty lines and comments.
    fn skip_space(&mut self) {
        loop {
            self.scanner.cursor.skip_spaces(usize::MAX);
            match self.byte() {
                b'\n' => {
                    self.scanner.cursor.read_break();
                }
                b'#' => self.scanner.cursor.skip_to_line_end(),
                _ => return,
            }
        }
    }

    /// Moves to the next thing of the document.
    fn find_next(&mut self) -> Option<()> {
        self.skip_space();
        (!self.scanner.cursor.is_document_indicator()).then_some(())
    }

    /// Moves from the end of a node to the first thing in the lines below.
    fn end_line(&mut self) -> Option<()> {
        let line = self.scanner.cursor.line();
        self.find_next()?;
        (self.scanner.cursor.line() > line || self.is_at_end()).then_some(())
    }

    /// Reads the node that begins here, and moves to the first thing in the lines below. `parent` is the column of the
    /// collection that it is in, from 0.
    fn block_node(&mut self, parent: Option<usize>, may_be_collection: bool) -> Option<()> {
        let column = self.scanner.cursor.column();
        match self.byte() {
            b'-' if self.scanner.cursor.is_blank_or_end(1) => {
                return may_be_collection
                    .then(|| self.block_sequence(column, false))
                    .flatten();
            }
            b'[' => {
                self.flow_sequence()?;
                return self.end_line();
            }
            b'{' => {
                self.flow_mapping()?;
                return self.end_line();
            }
            b'|' | b'>' => return self.block_scalar(parent?),
            _ => {}
        }
        let before = self.scanner.cursor.clone();
        self.scalar(false)?;
        if self.is_indicator(b':') {
            return may_be_collection
                .then(|| self.block_mapping(column, before.position()))
                .flatten();
        }
        let parent = parent?;
        self.end_line()?;
        let is_plain = !matches!(before.byte(), b'"' | b'\'');
        if is_plain && !self.is_at_end() && self.scanner.cursor.column() > parent {
            // The scalar may run on in the next line.
            self.children.pop();
            self.scanner.cursor = before;
            self.scanner.margin = parent + 1;
            self.scanner.simple_key_allowed = false;
            self.scanner.scan_plain_scalar().ok()?;
            self.take_scalar()?;
            self.find_next()?;
        }
        Some(())
    }

    /// Reads what is behind the `-` or the `:` of an entry, or nothing, in a collection at a column.
    fn block_content(&mut self, column: usize, is_mapping: bool) -> Option<()> {
        let nothing = behind(self.scanner.cursor.position());
        self.scanner.cursor.advance(1);
        self.scanner.cursor.skip_spaces(usize::MAX);
        if !matches!(self.byte(), b'\n' | b'#' | 0) {
            return self.block_node(Some(column), !is_mapping);
        }
        self.find_next()?;
        let found = self.scanner.cursor.column();
        if !self.is_at_end() && found > column {
            return self.block_node(Some(column), true);
        }
        if found == column && is_mapping && self.is_indicator(b'-') {
            return self.block_sequence(column, true);
        }
        let mut node = Node::scalar("", Tag::Null);
        node.position = nothing;
        self.children.push(node);
        Some(())
    }

    /// Reads a sequence whose entries begin at a column; one without indentation is in a mapping at the same column.
    fn block_sequence(&mut self, column: usize, is_indentless: bool) -> Option<()> {
        let position = self.scanner.cursor.position();
        let first = self.open()?;
        loop {
            self.block_content(column, false)?;
            if self.is_over(column)? {
                break;
            }
            if !self.is_indicator(b'-') {
                if is_indentless {
                    break;
                }
                return None;
            }
        }
        self.close_sequence(first, Style::PLAIN, position);
        Some(())
    }

    /// Reads a mapping whose first key has just been read.
    fn block_mapping(&mut self, column: usize, position: Position) -> Option<()> {
        let first = self.open()? - 1;
        loop {
            self.check_key()?;
            self.block_content(column, true)?;
            if self.is_over(column)? {
                break;
            }
            self.scalar(false)?;
            if !self.is_indicator(b':') {
                return None;
            }
        }
        self.close_mapping(first, Style::PLAIN, position);
        Some(())
    }

    /// Whether the block collection at a column has no more entries.
    fn is_over(&self, column: usize) -> Option<bool> {
        let found = self.scanner.cursor.column();
        if self.is_at_end() || found < column {
            Some(true)
        } else {
            (found == column).then_some(false)
        }
    }

    /// Refuses a key that is too long or in several lines, that has to do with merging, or that is a null.
    fn check_key(&self) -> Option<()> {
        let key = self.children.last()?;
        let begin = key.position.column as usize;
        let is_usual = key.position.line == self.scanner.cursor.line()
            && self.scanner.cursor.column() < begin + KEY_LENGTH
            && key.tag != Tag::Null
            && key.as_str() != Some("<<");
        is_usual.then_some(())
    }

    /// Reads a flow mapping; the usual one has a `:` and a value for each key.
    fn flow_mapping(&mut self) -> Option<()> {
        let position = self.scanner.cursor.position();
        let first = self.open()?;
        self.scanner.cursor.advance(1);
        while self.skip_in_flow()? != b'}' {
            self.scalar(true)?;
            self.scanner.cursor.skip_spaces(usize::MAX);
            if self.byte() != b':' {
                return None;
            }
            self.check_key()?;
            self.scanner.cursor.advance(1);
            self.skip_in_flow()?;
            self.flow_node()?;
            self.end_flow_entry(b'}')?;
        }
        self.scanner.cursor.advance(1);
        self.close_mapping(first, Style::FLOW, position);
        Some(())
    }

    fn flow_sequence(&mut self) -> Option<()> {
        let position = self.scanner.cursor.position();
        let first = self.open()?;
        self.scanner.cursor.advance(1);
        while self.skip_in_flow()? != b']' {
            self.flow_node()?;
            self.end_flow_entry(b']')?;
        }
        self.scanner.cursor.advance(1);
        self.close_sequence(first, Style::FLOW, position);
        Some(())
    }

    fn flow_node(&mut self) -> Option<()> {
        match self.byte() {
            b'[' => self.flow_sequence(),
            b'{' => self.flow_mapping(),
            _ => self.scalar(true),
        }
    }

    /// Moves over the comma behind an entry, which the last one need not have.
    fn end_flow_entry(&mut self, end: u8) -> Option<()> {
        let byte = self.skip_in_flow()?;
        if byte == b',' {
            self.scanner.cursor.advance(1);
        }
        (byte == b',' || byte == end).then_some(())
    }

    /// Moves over blanks and line breaks, and returns the byte behind them.
    fn skip_in_flow(&mut self) -> Option<u8> {
        self.scanner.cursor.skip_spaces(usize::MAX);
        while self.byte() == b'\n' {
            self.scanner.cursor.read_break();
            self.scanner.cursor.skip_spaces(usize::MAX);
        }
        (!self.scanner.cursor.is_document_indicator()).then(|| self.byte())
    }

    /// Reads a scalar without quotes up to the end of its line at most, or one in quotes.
    fn scalar(&mut self, is_flow: bool) -> Option<()> {
        match self.byte() {
            quote @ (b'"' | b'\'') => return self.quoted_scalar(quote),
            b'-' | b':' if self.scanner.cursor.is_blank_or_end(1) => return None,
            b'?' if is_flow || self.scanner.cursor.is_blank_or_end(1) => return None,
            b':' if is_flow => return None,
            0 | b'\t' | b'#' | b',' | b'[' | b']' | b'{' | b'}' | b'&' | b'*' | b'!' | b'|'
            | b'>' | b'%' | b'@' | b'`' => return None,
            _ if self.scanner.cursor.is_break() => return None,
            _ => {}
        }
        let position = self.scanner.cursor.position();
        let from = self.scanner.cursor.offset();
        let to = self.scanner.cursor.skip_plain(is_flow);
        let text = self.scanner.cursor.slice(from, to);
        let tag = implicit_tag(text);
        if tag == Tag::Merge {
            return None;
        }
        self.add_scalar(Text::from(text), tag, Style::PLAIN, position);
        Some(())
    }

    fn quoted_scalar(&mut self, quote: u8) -> Option<()> {
        let before = self.scanner.cursor.clone();
        let (stops, style) = quoted(quote);
        let cursor = &mut self.scanner.cursor;
        cursor.advance(1);
        let from = cursor.offset();
        cursor.skip_until(stops);
        if cursor.byte() == quote && (quote == b'"' || cursor.peek(1) != quote) {
            let text = Text::from(cursor.slice(from, cursor.offset()));
            cursor.advance(1);
            self.add_scalar(text, Tag::Str, style, before.position());
            return Some(());
        }
        self.scanner.cursor = before;
        self.scanner.simple_key_allowed = false;
        self.scanner.scan_flow_scalar(quote).ok()?;
        self.take_scalar()
    }

    fn block_scalar(&mut self, parent: usize) -> Option<()> {
        let is_literal = self.byte() == b'|';
        self.scanner.margin = parent + 1;
        self.scanner.scan_block_scalar(is_literal).ok()?;
        self.take_scalar()?;
        self.find_next()
    }

    /// Adds the scalar that the scanner has put together.
    fn take_scalar(&mut self) -> Option<()> {
        let token = self.scanner.queue.pop_front()?;
        let (style, position, indent) = (token.style, token.position, token.indent);
        let text = token.into_text();
        let tag = if style == Style::PLAIN {
            implicit_tag(&text)
        } else {
            Tag::Str
        };
        self.add_scalar(text, tag, style, position);
        self.children.last_mut()?.set_indent(indent);
        Some(())
    }

    fn add_scalar(&mut self, text: Text, tag: Tag, style: Style, position: Position) {
        self.children
            .extend(std::iter::once_with(|| Node::at(position, Data::Scalar(text), tag, style)));
    }

    /// Begins a collection, and returns where its children will begin.
    fn open(&mut self) -> Option<usize> {
        self.depth = self.depth.checked_sub(1)?;
        Some(self.children.len())
    }

    /// Puts what has been read since into a collection.
    fn close_mapping(&mut self, first: usize, style: Style, position: Position) {
        self.depth += 1;
        let data = Data::Mapping(take_entries(&mut self.children, first));
        self.children
            .push(Node::at(position, data, Tag::Map, style));
    }

    fn close_sequence(&mut self, first: usize, style: Style, position: Position) {
        self.depth += 1;
        let data = Data::Sequence(self.children.drain(first..).collect());
        self.children
            .push(Node::at(position, data, Tag::Seq, style));
    }
}
