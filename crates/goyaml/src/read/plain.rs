//! Plain scalars: text without quotes, over one line or several.

use super::comment_queue::CommentKeeper;
use super::cursor::{Cursor, Stops, stops};
use super::scanner::Scanner;
use super::token::Content;
use crate::error::Error;
use crate::node::{Position, Style, Text};

const IN_BLOCK: Stops = stops(b" \t\r\n:");
const IN_FLOW: Stops = stops(b" \t\r\n:,?[]{}");

impl Cursor<'_> {
    /// Moves to the line break, comment or indicator that ends the text of this line, and returns the offset at which
    /// the text less the blanks behind it ends.
    pub(super) fn skip_plain(&mut self, is_flow: bool) -> usize {
        let table = if is_flow { &IN_FLOW } else { &IN_BLOCK };
        if self.byte() == b'#' {
            return self.offset();
        }
        loop {
            self.skip_until(table);
            match self.byte() {
                b':' if !self.is_blank_or_end(1) => self.advance(1),
                b' ' | b'\t' => {
                    let end = self.offset();
                    self.skip_blanks();
                    if self.is_plain_over(is_flow) {
                        return end;
                    }
                }
                _ => return self.offset(),
            }
        }
    }

    /// Whether what follows blanks is no more of the scalar's text.
    fn is_plain_over(&self, is_flow: bool) -> bool {
        match self.byte() {
            b'#' => true,
            b':' => self.is_blank_or_end(1),
            b',' | b'?' | b'[' | b']' | b'{' | b'}' => is_flow,
            _ => self.is_break_or_end(),
        }
    }
}

impl<C: CommentKeeper> Scanner<'_, C> {
    pub(super) fn scan_plain_scalar(&mut self) -> Result<(), Error> {
        self.save_simple_key()?;
        self.simple_key_allowed = false;
        let position = self.cursor.position();
        let mut from = self.cursor.offset();
        let mut to = self.cursor.skip_plain(self.is_flow());
        let mut is_folded = false;
        while self.cursor.is_break() {
            self.scan_plain_breaks(position)?;
            if self.is_plain_over() {
                break;
            }
            let next_from = self.cursor.offset();
            let next_to = self.cursor.skip_plain(self.is_flow());
            if next_to == next_from {
                break;
            }
            if !is_folded {
                is_folded = true;
                self.scratch.clear();
            }
            self.scratch.push_str(self.cursor.slice(from, to));
            self.fold_breaks();
            self.is_line_over = false;
            (from, to) = (next_from, next_to);
        }
        let last = self.cursor.slice(from, to);
        let content = if is_folded {
            self.scratch.push_str(last);
            Content::Owned(Text::from(self.scratch.as_str()))
        } else {
            Content::Borrowed(last)
        };
        self.simple_key_allowed = self.is_line_over;
        self.push_scalar(Style::PLAIN, position, content);
        Ok(())
    }

    /// Moves over line breaks and indentation to the next line with text.
    fn scan_plain_breaks(&mut self, start: Position) -> Result<(), Error> {
        self.breaks.clear();
        self.is_line_over = true;
        loop {
            self.breaks.push_str(self.cursor.read_break());
            while self.cursor.is_blank() {
                if self.cursor.byte() == b'\t' && self.cursor.column() < self.margin {
                    return Err(self.error(
                        Some(start),
                        "found a tab character that violates indentation",
                    ));
                }
                self.cursor.advance(1);
            }
            if !self.cursor.is_break() {
                return Ok(());
            }
        }
    }

    fn is_plain_over(&self) -> bool {
        (!self.is_flow() && self.cursor.column() < self.margin)
            || self.cursor.byte() == 0
            || self.cursor.is_document_indicator()
    }

    /// Adds line breaks to a scalar that is folded: one becomes a space, of several the first goes away.
    pub(super) fn fold_breaks(&mut self) {
        match self.breaks.strip_prefix('\n') {
            Some("") => self.scratch.push(' '),
            Some(rest) => self.scratch.push_str(rest),
            None => self.scratch.push_str(&self.breaks),
        }
    }
}
