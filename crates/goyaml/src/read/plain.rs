//! Plain scalars: text without quotes, over one line or several.

use super::comment_queue::CommentKeeper;
use super::cursor::{Stops, stops};
use super::scanner::Scanner;
use super::token::Content;
use crate::error::Error;
use crate::node::{Position, Style, Text};

const IN_BLOCK: Stops = stops(b" \t\r\n:");
const IN_FLOW: Stops = stops(b" \t\r\n:,?[]{}");

impl<C: CommentKeeper> Scanner<'_, C> {
    pub(super) fn scan_plain_scalar(&mut self) -> Result<(), Error> {
        self.save_simple_key()?;
        self.simple_key_allowed = false;
        let position = self.cursor.position();
        let mut from = self.cursor.offset();
        let mut to = self.scan_plain_line();
        let mut is_folded = false;
        while self.cursor.is_break() {
            self.scan_plain_breaks(position)?;
            if self.is_plain_over() {
                break;
            }
            let next_from = self.cursor.offset();
            let next_to = self.scan_plain_line();
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

    /// Moves to the line break, comment or indicator that ends the text of this line, and returns the offset at which
    /// the text less the blanks behind it ends.
    fn scan_plain_line(&mut self) -> usize {
        let table = if self.is_flow() { &IN_FLOW } else { &IN_BLOCK };
        if self.cursor.byte() == b'#' {
            return self.cursor.offset();
        }
        loop {
            self.cursor.skip_until(table);
            match self.cursor.byte() {
                b':' if !self.cursor.is_blank_or_end(1) => self.cursor.advance(1),
                b' ' | b'\t' => {
                    let end = self.cursor.offset();
                    self.cursor.skip_blanks();
                    if self.is_plain_line_over() {
                        return end;
                    }
                }
                _ => return self.cursor.offset(),
            }
        }
    }

    /// Whether what follows blanks is no more of the scalar's text.
    fn is_plain_line_over(&self) -> bool {
        match self.cursor.byte() {
            b'#' => true,
            b':' => self.cursor.is_blank_or_end(1),
            b',' | b'?' | b'[' | b']' | b'{' | b'}' => self.is_flow(),
            _ => self.cursor.is_break_or_end(),
        }
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
