//! The scanner: a text becomes tokens, with the rules of libyaml and the lookahead of go-yaml.

use std::collections::VecDeque;

use super::comment_queue::CommentKeeper;
use super::cursor::Cursor;
use super::reader::Source;
use super::token::{Content, Kind, Prefix, Token};
use crate::error::Error;
use crate::node::{Position, Style, Text};

/// How far a `:` may be from the start of its key, in characters.
const SIMPLE_KEY_LENGTH: usize = 1024;

/// How many tokens go-yaml wants to see before it hands out the first of them, so as to place comments. It makes a
/// document fail for an error that stands shortly behind its end.
const TOKEN_LOOKAHEAD: usize = 3;

/// A place at which a key without `?` may have begun.
#[derive(Clone, Copy, Debug)]
struct SimpleKey {
    possible: bool,
    /// Whether the first token of the key has to wait for what follows.
    is_awaited: bool,
    /// Whether only a key can stand there.
    required: bool,
    /// The number of the token that the key begins with.
    token: usize,
    position: Position,
}

impl SimpleKey {
    const fn impossible(token: usize, position: Position) -> Self {
        Self {
            possible: false,
            is_awaited: false,
            required: false,
            token,
            position,
        }
    }
}

/// Turns a text into tokens.
pub(super) struct Scanner<'a, C> {
    pub(super) cursor: Cursor<'a>,
    pub(super) simple_key_allowed: bool,
    /// Whether the last token was a scalar that ran on to the next line: what follows it is no comment of its line.
    pub(super) is_line_over: bool,
    /// The column of the innermost block collection, from 1; 0 outside of all.
    pub(super) margin: usize,
    /// Where scalars that span lines are put together.
    pub(super) scratch: String,
    /// The line breaks that are not yet known to belong to a scalar.
    pub(super) breaks: String,
    margins: Vec<usize>,
    /// One for the block context and one for every open flow collection.
    simple_keys: Vec<SimpleKey>,
    pub(super) queue: VecDeque<Token<'a>>,
    /// How many tokens stand before those in the queue.
    prefixes: usize,
    is_front_ready: bool,
    taken: usize,
    /// What is wrong with the bytes behind the text.
    fault: Option<&'a Error>,
    /// What becomes of the comments.
    pub(super) comments: C,
}

impl<'a, C: CommentKeeper> Scanner<'a, C> {
    pub(super) fn new(source: &'a Source<'_>, comments: C) -> Self {
        let cursor = Cursor::new(&source.text, source.first_line);
        let outermost = SimpleKey::impossible(0, cursor.position());
        let mut scanner = Self {
            cursor,
            simple_key_allowed: true,
            is_line_over: false,
            margin: 0,
            scratch: String::new(),
            breaks: String::new(),
            margins: Vec::new(),
            simple_keys: vec![outermost],
            queue: VecDeque::new(),
            prefixes: 0,
            is_front_ready: false,
            taken: 0,
            fault: source.fault.as_ref(),
            comments,
        };
        if scanner.cursor.starts_with("\u{FEFF}".as_bytes()) {
            scanner.cursor.skip_character();
        }
        scanner
    }

    /// The kind and the place of the next token.
    #[inline]
    pub(super) fn peek(&mut self) -> Result<(Kind, Position), Error> {
        if !self.is_front_ready {
            self.fetch_lookahead()?;
        }
        let Some(front) = self.queue.front() else {
            return Ok((Kind::StreamEnd, self.cursor.position()));
        };
        let kind = match front.prefix {
            Prefix::None => front.kind,
            Prefix::Key => Kind::Key,
            Prefix::MappingAndKey => Kind::BlockMappingStart,
        };
        Ok((kind, front.position))
    }

    #[inline(never)]
    fn fetch_lookahead(&mut self) -> Result<(), Error> {
        while self.queue.len() + self.prefixes < TOKEN_LOOKAHEAD || self.may_front_be_key()? {
            self.fetch()?;
        }
        self.is_front_ready = true;
        self.unfold_comments();
        Ok(())
    }

    /// The kind of the next token.
    pub(super) fn peek_kind(&mut self) -> Result<Kind, Error> {
        self.peek().map(|(kind, _)| kind)
    }

    /// Consumes the token that has been peeked at.
    pub(super) fn take(&mut self) -> Token<'a> {
        let position = match self.queue.front() {
            Some(front) if front.prefix == Prefix::None => {
                self.is_front_ready = false;
                self.taken += 1;
                if let Some(token) = self.queue.pop_front() {
                    return token;
                }
                self.cursor.position()
            }
            Some(front) => front.position,
            None => self.cursor.position(),
        };
        self.skip();
        Token::new(Kind::Key, position, Content::None)
    }

    /// Consumes a token that has been peeked at and that carries nothing.
    pub(super) fn skip(&mut self) {
        self.is_front_ready = false;
        let Some(front) = self.queue.front_mut() else {
            return;
        };
        match front.prefix {
            Prefix::None => {
                self.taken += 1;
                self.queue.pop_front();
                return;
            }
            Prefix::Key => front.prefix = Prefix::None,
            Prefix::MappingAndKey => front.prefix = Prefix::Key,
        }
        self.prefixes -= 1;
    }

    /// An error here, or at the end of the input where the thing at hand began.
    pub(super) fn error(&self, context: Option<Position>, message: &str) -> Error {
        let is_at_end = self.cursor.remaining() == 0;
        match self.fault {
            Some(fault) if is_at_end => fault.clone(),
            // The end of the input says nothing about quotes that are not closed.
            _ => Error::new(
                context
                    .filter(|_| is_at_end)
                    .unwrap_or(self.cursor.position()),
                message,
            ),
        }
    }

    pub(super) const fn is_flow(&self) -> bool {
        self.simple_keys.len() > 1
    }

    pub(super) fn push(&mut self, kind: Kind, position: Position, content: Content<'a>) {
        self.queue.push_back(Token::new(kind, position, content));
    }

    pub(super) fn push_scalar(&mut self, style: Style, position: Position, content: Content<'a>) {
        self.queue.push_back(Token {
            style,
            ..Token::new(Kind::Scalar, position, content)
        });
    }

    /// Adds a block scalar: its text, and the column that its lines begin in, counted from 0.
    pub(super) fn push_block_scalar(
        &mut self,
        style: Style,
        position: Position,
        (text, indent): (Text, usize),
    ) {
        self.queue.push_back(Token {
            style,
            indent: u8::try_from(indent).unwrap_or_default(),
            ..Token::new(Kind::Scalar, position, Content::Owned(text))
        });
    }

    fn next_token(&self) -> usize {
        self.taken + self.queue.len()
    }

    /// Whether the front token begins what may still turn out to be a key, so that a token may have to go before it.
    fn may_front_be_key(&mut self) -> Result<bool, Error> {
        let index = self
            .simple_keys
            .partition_point(|key| key.token < self.taken);
        match self.simple_keys.get(index) {
            Some(key) if key.token == self.taken && key.is_awaited => self.is_key_valid(index),
            _ => Ok(false),
        }
    }

    fn is_key_valid(&mut self, index: usize) -> Result<bool, Error> {
        let Some(key) = self.simple_keys.get_mut(index).filter(|key| key.possible) else {
            return Ok(false);
        };
        let reach = key.position.column as usize + SIMPLE_KEY_LENGTH;
        if key.position.line == self.cursor.line() && self.cursor.column() < reach {
            return Ok(true);
        }
        key.possible = false;
        let key = *key;
        self.refuse_if_required(key)?;
        Ok(false)
    }

    fn refuse_if_required(&self, key: SimpleKey) -> Result<(), Error> {
        if key.required {
            Err(self.error(Some(key.position), "could not find expected ':'"))
        } else {
            Ok(())
        }
    }

    pub(super) fn save_simple_key(&mut self) -> Result<(), Error> {
        if !self.simple_key_allowed {
            return Ok(());
        }
        self.remove_simple_key()?;
        let required = !self.is_flow() && self.margin == self.cursor.column() + 1;
        let (token, position) = (self.next_token(), self.cursor.position());
        if let Some(key) = self.simple_keys.last_mut() {
            *key = SimpleKey {
                possible: true,
                is_awaited: true,
                required,
                token,
                position,
            };
        }
        Ok(())
    }

    pub(super) fn remove_simple_key(&mut self) -> Result<(), Error> {
        match self.simple_keys.last_mut() {
            Some(key) if key.possible => {
                key.possible = false;
                let key = *key;
                self.refuse_if_required(key)
            }
            _ => Ok(()),
        }
    }

    /// Opens a block collection if this column is further in than the current one.
    fn roll_indent(&mut self, kind: Kind, position: Position) {
        if self.moves_in(position) {
            self.push(kind, position, Content::None);
        }
    }

    fn moves_in(&mut self, position: Position) -> bool {
        let margin = position.column as usize;
        if self.is_flow() || self.margin >= margin {
            return false;
        }
        self.margins.push(self.margin);
        self.margin = margin;
        true
    }

    /// Puts the tokens that make a key of what was scanned before what was scanned.
    fn make_key(&mut self, key: SimpleKey) {
        let is_first = self.moves_in(key.position);
        let index = key.token.checked_sub(self.taken);
        if let Some(token) = index.and_then(|index| self.queue.get_mut(index)) {
            token.prefix = if is_first {
                Prefix::MappingAndKey
            } else {
                Prefix::Key
            };
            self.prefixes += if is_first { 2 } else { 1 };
            return;
        }
        // go-yaml: insert_token appends where the place to insert at has been passed.
        self.push(Kind::Key, key.position, Content::None);
        if is_first {
            self.push(Kind::BlockMappingStart, key.position, Content::None);
        }
    }

    /// Closes the block collections that are further in than a margin.
    fn unroll_indent(&mut self, margin: usize, position: Position) {
        if self.is_flow() {
            return;
        }
        let queue = self.comments.queue();
        let mut place = queue.map(|queue| queue.index(position).saturating_sub(1));
        while self.margin > margin {
            let content = self.block_end(&mut place);
            self.push(Kind::BlockEnd, position, content);
            self.margin = self.margins.pop().unwrap_or(0);
        }
    }

    /// Scans at least one more token into the queue.
    fn fetch(&mut self) -> Result<(), Error> {
        let before = self.cursor.position();
        self.scan_to_next_token();
        self.unroll_indent(self.cursor.column() + 1, before);
        if let Some(fault) = self.fault.filter(|_| self.cursor.remaining() < 4) {
            return Err(fault.clone());
        }
        let byte = self.cursor.byte();
        if byte == 0 {
            return self.fetch_stream_end();
        }
        if self.cursor.column() == 0 {
            if byte == b'%' {
                self.end_blocks()?;
                return self.scan_directive();
            }
            if self.cursor.is_document_indicator() {
                let kind = if byte == b'-' {
                    Kind::DocumentStart
                } else {
                    Kind::DocumentEnd
                };
                self.end_blocks()?;
                self.push_indicator(kind, 3);
                return Ok(());
            }
        }
        self.is_line_over = false;
        let owner = self.line_comment_owner(byte);
        self.fetch_content(byte)?;
        if !self.is_line_over
            && self
                .queue
                .back()
                .is_some_and(|token| token.kind != Kind::BlockEntry)
        {
            self.skip_line_comment(owner);
        }
        Ok(())
    }

    fn fetch_content(&mut self, byte: u8) -> Result<(), Error> {
        let is_flow = self.is_flow();
        match byte {
            b'[' => self.fetch_flow_start(Kind::FlowSequenceStart),
            b'{' => self.fetch_flow_start(Kind::FlowMappingStart),
            b']' => self.fetch_flow_end(Kind::FlowSequenceEnd),
            b'}' => self.fetch_flow_end(Kind::FlowMappingEnd),
            b',' => {
                self.remove_simple_key()?;
                self.simple_key_allowed = true;
                self.push_indicator(Kind::FlowEntry, 1);
                Ok(())
            }
            b'-' if self.cursor.is_blank_or_end(1) => self.fetch_block_entry(),
            b'?' if is_flow || self.cursor.is_blank_or_end(1) => self.fetch_key(),
            b':' if is_flow || self.cursor.is_blank_or_end(1) => self.fetch_value(),
            b'*' => self.scan_anchor(Kind::Alias),
            b'&' => self.scan_anchor(Kind::Anchor),
            b'!' => self.scan_tag(),
            b'|' if !is_flow => self.scan_block_scalar(true),
            b'>' if !is_flow => self.scan_block_scalar(false),
            b'\'' | b'"' => self.scan_flow_scalar(byte),
            b'\t' | b'#' | b'|' | b'>' | b'%' | b'@' | b'`' => {
                Err(self.error(None, "found character that cannot start any token"))
            }
            _ => self.scan_plain_scalar(),
        }
    }

    fn push_indicator(&mut self, kind: Kind, length: usize) {
        let position = self.cursor.position();
        self.cursor.advance(length);
        self.push(kind, position, Content::None);
    }

    fn end_blocks(&mut self) -> Result<(), Error> {
        self.unroll_indent(0, self.cursor.position());
        self.remove_simple_key()?;
        self.simple_key_allowed = false;
        Ok(())
    }

    fn fetch_stream_end(&mut self) -> Result<(), Error> {
        if self.cursor.column() != 0 {
            self.cursor.begin_line();
        }
        self.end_blocks()?;
        self.push(Kind::StreamEnd, self.cursor.position(), Content::None);
        Ok(())
    }

    fn fetch_flow_start(&mut self, kind: Kind) -> Result<(), Error> {
        self.save_simple_key()?;
        let position = self.cursor.position();
        self.simple_keys
            .push(SimpleKey::impossible(self.next_token(), position));
        self.simple_key_allowed = true;
        self.push_indicator(kind, 1);
        Ok(())
    }

    fn fetch_flow_end(&mut self, kind: Kind) -> Result<(), Error> {
        self.remove_simple_key()?;
        if self.is_flow()
            && let Some(inner) = self.simple_keys.pop()
            && let Some(outer) = self
                .simple_keys
                .last_mut()
                .filter(|outer| outer.token == inner.token)
        {
            // go-yaml: decrease_flow_level forgets the key that the collection is, if nothing in it could be a key.
            outer.is_awaited = false;
        }
        self.simple_key_allowed = false;
        self.push_indicator(kind, 1);
        Ok(())
    }

    fn fetch_block_entry(&mut self) -> Result<(), Error> {
        if !self.is_flow() {
            if !self.simple_key_allowed {
                return Err(self.error(
                    None,
                    "block sequence entries are not allowed in this context",
                ));
            }
            self.roll_indent(Kind::BlockSequenceStart, self.cursor.position());
        }
        self.remove_simple_key()?;
        self.simple_key_allowed = true;
        self.push_indicator(Kind::BlockEntry, 1);
        Ok(())
    }

    fn fetch_key(&mut self) -> Result<(), Error> {
        if !self.is_flow() {
            if !self.simple_key_allowed {
                return Err(self.error(None, "mapping keys are not allowed in this context"));
            }
            self.roll_indent(Kind::BlockMappingStart, self.cursor.position());
        }
        self.remove_simple_key()?;
        self.simple_key_allowed = !self.is_flow();
        self.push_indicator(Kind::Key, 1);
        Ok(())
    }

    fn fetch_value(&mut self) -> Result<(), Error> {
        let innermost = self.simple_keys.len().saturating_sub(1);
        if self.is_key_valid(innermost)? {
            if let Some(key) = self.simple_keys.last_mut() {
                key.possible = false;
                let key = *key;
                self.make_key(key);
            }
            self.simple_key_allowed = false;
        } else {
            if !self.is_flow() {
                if !self.simple_key_allowed {
                    return Err(self.error(None, "mapping values are not allowed in this context"));
                }
                self.roll_indent(Kind::BlockMappingStart, self.cursor.position());
            }
            self.simple_key_allowed = !self.is_flow();
        }
        self.push_indicator(Kind::Value, 1);
        Ok(())
    }
}
