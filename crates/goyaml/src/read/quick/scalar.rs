//! Scalars: one that is a piece of the text is taken from there, all others are put together by the scanner.

use std::iter::once_with;

use super::{Reader, only_if};
use crate::node::{Data, Node, Position, Style, Tag, Text};
use crate::read::cursor::Cursor;
use crate::read::flow_scalar::quoted;
use crate::resolve::implicit_tag;

impl<'a> Reader<'a> {
    /// Reads a scalar in quotes, or the line of one without.
    pub(super) fn scalar(&mut self, is_flow: bool) -> Option<()> {
        let cursor = &mut self.scanner.cursor;
        // A part of what the scanner takes for a plain scalar: what is refused here costs time, what is taken here alone would
        // be a mistake.
        let begins_plain = match cursor.byte() {
            quote @ (b'"' | b'\'') => return self.quoted_scalar(quote),
            b'-' => !cursor.is_blank_or_end(1),
            b'?' | b':' => !is_flow && !cursor.is_blank_or_end(1),
            0 | b'\t' | b'#' | b',' | b'[' | b']' | b'{' | b'}' | b'&' | b'*' | b'!' | b'|'
            | b'>' | b'%' | b'@' | b'`' => false,
            _ => !cursor.is_break(),
        };
        only_if(begins_plain)?;
        let (position, from) = (cursor.position(), cursor.offset());
        let to = cursor.skip_plain(is_flow);
        let text = cursor.slice(from, to);
        let tag = implicit_tag(text);
        only_if(tag != Tag::Merge)?;
        self.add_scalar(text, tag, Style::PLAIN, position);
        Some(())
    }

    fn quoted_scalar(&mut self, quote: u8) -> Option<()> {
        let start = self.scanner.cursor.clone();
        let (stops, style) = quoted(quote);
        let cursor = &mut self.scanner.cursor;
        cursor.advance(1);
        let from = cursor.offset();
        cursor.skip_until(stops);
        if cursor.byte() == quote && (quote == b'"' || cursor.peek(1) != quote) {
            let text = cursor.slice(from, cursor.offset());
            cursor.advance(1);
            self.add_scalar(text, Tag::Str, style, start.position());
            return Some(());
        }
        self.scanner.cursor = start;
        self.scanner.simple_key_allowed = false;
        self.scanner.scan_flow_scalar(quote).ok()?;
        self.take_scalar()
    }

    /// Reads a scalar without quotes once more, because lines follow that seem to belong to it.
    pub(super) fn plain_scalar_of_lines(&mut self, start: Cursor<'a>, parent: usize) -> Option<()> {
        self.children.pop();
        self.scanner.cursor = start;
        self.scanner.margin = parent + 1;
        self.scanner.simple_key_allowed = false;
        self.scanner.scan_plain_scalar().ok()?;
        self.take_scalar()?;
        self.find_next()
    }

    pub(super) fn block_scalar(&mut self, parent: usize) -> Option<()> {
        self.scanner.margin = parent + 1;
        self.scanner.scan_block_scalar(self.byte() == b'|').ok()?;
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

    pub(super) fn add_scalar(
        &mut self,
        text: impl Into<Text>,
        tag: Tag,
        style: Style,
        position: Position,
    ) {
        // To make the node when there is room for it takes less time than to move it there.
        self.children.extend(once_with(|| {
            Node::at(position, Data::Scalar(text.into()), tag, style)
        }));
    }
}
