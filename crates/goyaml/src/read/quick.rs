//! The quick way for documents like most: block and flow collections, keys in one line, scalars of all styles.
//!
//! What it reads, it reads as scanner and composer do, but without tokens. At the first thing that is not usual (an
//! anchor, a tag, a tab between tokens, another line break, a comment within brackets, a null or `<<` as a key, a second
//! document, more than [`DEPTH`] collections, and all that is an error) it gives up, and they read the document from its
//! beginning: only they know errors, and where go-yaml finds them. Each function returns `None` then.

mod flow;
mod scalar;

use super::comment_queue::NoComments;
use super::compose::behind;
use super::frame::take_entries;
use super::reader::Source;
use super::scanner::Scanner;
use crate::node::{Data, Node, Position, Style, Tag};

/// How deep it goes into collections, on the stack of the thread.
const DEPTH: usize = 64;

/// For how many nodes that wait for the end of their collection there is room at first.
const CHILDREN: usize = 32;

/// How many characters a key may have for certain: less than the limit, which only the scanner applies.
const KEY_LENGTH: usize = 1000;

/// Reads the only document of a text; `None` where that takes more.
pub(super) fn read(source: &Source<'_>, depth: usize) -> Option<Node> {
    only_if(source.fault.is_none() && !source.text.starts_with('\u{FEFF}'))?;
    let mut reader = Reader {
        scanner: Scanner::new(source, NoComments),
        children: Vec::with_capacity(CHILDREN),
        depth: depth.min(DEPTH),
    };
    reader.document()
}

/// Gives up unless it is so.
fn only_if(condition: bool) -> Option<()> {
    condition.then_some(())
}

struct Reader<'a> {
    /// For its cursor, and for the scalars that are not one piece of the text.
    scanner: Scanner<'a, NoComments>,
    /// What is in the open collections, the innermost last.
    children: Vec<Node>,
    /// How many more collections may be opened.
    depth: usize,
}

impl Reader<'_> {
    fn document(&mut self) -> Option<Node> {
        self.skip_space();
        if self.scanner.cursor.is_document_indicator() {
            only_if(self.byte() == b'-')?;
            self.scanner.cursor.advance(3);
            self.end_line()?;
        }
        self.block_node(None, true)?;
        only_if(self.is_at_end())?;
        self.children.pop()
    }

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

    fn skip_spaces(&mut self) {
        self.scanner.cursor.skip_spaces(usize::MAX);
    }

    /// Moves over spaces, line breaks and comments.
    fn skip_space(&mut self) {
        loop {
            self.skip_spaces();
            match self.byte() {
                b'\n' => _ = self.scanner.cursor.read_break(),
                b'#' => self.scanner.cursor.skip_to_line_end(),
                _ => return,
            }
        }
    }

    /// Moves to the next thing in the document.
    fn find_next(&mut self) -> Option<()> {
        self.skip_space();
        only_if(!self.scanner.cursor.is_document_indicator())
    }

    /// Moves from the end of a node to the first thing in the lines below.
    fn end_line(&mut self) -> Option<()> {
        let line = self.scanner.cursor.line();
        self.find_next()?;
        only_if(self.scanner.cursor.line() > line || self.is_at_end())
    }

    /// Reads the node that begins here, and moves to the first thing in the lines below. `parent` is the column of the
    /// collection around it, from 0; a block collection cannot begin behind a key.
    fn block_node(&mut self, parent: Option<usize>, may_be_block: bool) -> Option<()> {
        let column = self.scanner.cursor.column();
        match self.byte() {
            b'-' if self.is_indicator(b'-') => {
                only_if(may_be_block)?;
                return self.block_sequence(column, false);
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
        let start = self.scanner.cursor.clone();
        self.scalar(false)?;
        if self.is_indicator(b':') {
            only_if(may_be_block)?;
            return self.block_mapping(column, start.position());
        }
        let parent = parent?;
        self.end_line()?;
        let is_plain = !matches!(start.byte(), b'"' | b'\'');
        if is_plain && !self.is_at_end() && self.scanner.cursor.column() > parent {
            self.plain_scalar_of_lines(start, parent)?;
        }
        Some(())
    }

    /// Reads what is behind the `-` or the `:` of an entry in a block collection at a column, which may be nothing.
    fn block_content(&mut self, column: usize, is_mapping: bool) -> Option<()> {
        let nothing = behind(self.scanner.cursor.position());
        self.scanner.cursor.advance(1);
        self.skip_spaces();
        if !matches!(self.byte(), b'\n' | b'#' | 0) {
            return self.block_node(Some(column), !is_mapping);
        }
        self.find_next()?;
        let found = self.scanner.cursor.column();
        if found > column && !self.is_at_end() {
            return self.block_node(Some(column), true);
        }
        if found == column && is_mapping && self.is_indicator(b'-') {
            return self.block_sequence(column, true);
        }
        self.add_scalar("", Tag::Null, Style::PLAIN, nothing);
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
                only_if(is_indentless)?;
                break;
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
            only_if(self.is_indicator(b':'))?;
        }
        self.close_mapping(first, Style::PLAIN, position);
        Some(())
    }

    /// Whether the block collection at a column has no more entries.
    fn is_over(&self, column: usize) -> Option<bool> {
        let found = self.scanner.cursor.column();
        let is_over = self.is_at_end() || found < column;
        only_if(is_over || found == column)?;
        Some(is_over)
    }

    /// Refuses a key that is too long or in several lines, a null, and one that means a merge.
    fn check_key(&self) -> Option<()> {
        let key = self.children.last()?;
        let cursor = &self.scanner.cursor;
        only_if(
            key.position.line == cursor.line()
                && cursor.column() < key.position.column as usize + KEY_LENGTH
                && key.tag != Tag::Null
                && key.as_str() != Some("<<"),
        )
    }

    /// Begins a collection, and returns where its children will begin.
    fn open(&mut self) -> Option<usize> {
        self.depth = self.depth.checked_sub(1)?;
        Some(self.children.len())
    }

    /// Makes a mapping of the children from the first on.
    fn close_mapping(&mut self, first: usize, style: Style, position: Position) {
        self.depth += 1;
        let data = Data::Mapping(take_entries(&mut self.children, first));
        self.children
            .push(Node::at(position, data, Tag::Map, style));
    }

    /// Makes a sequence of the children from the first on.
    fn close_sequence(&mut self, first: usize, style: Style, position: Position) {
        self.depth += 1;
        let data = Data::Sequence(self.children.drain(first..).collect());
        self.children
            .push(Node::at(position, data, Tag::Seq, style));
    }
}
