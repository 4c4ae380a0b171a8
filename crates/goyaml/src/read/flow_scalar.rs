//! Quoted scalars: `'text'` and `"text"`.

use super::comment_queue::CommentKeeper;
use super::cursor::{Stops, stops};
use super::scanner::Scanner;
use super::token::Content;
use crate::error::Error;
use crate::node::{Position, Style, Text};

static IN_SINGLE: Stops = stops(b"'\r\n");
static IN_DOUBLE: Stops = stops(b"\"\\\r\n");

/// Where to look closer between the given quotes, and the style that they make.
pub(super) const fn quoted(quote: u8) -> (&'static Stops, Style) {
    if quote == b'"' {
        (&IN_DOUBLE, Style::DOUBLE_QUOTED)
    } else {
        (&IN_SINGLE, Style::SINGLE_QUOTED)
    }
}

impl<C: CommentKeeper> Scanner<'_, C> {
    /// Scans a scalar in the given quotes.
    pub(super) fn scan_flow_scalar(&mut self, quote: u8) -> Result<(), Error> {
        self.save_simple_key()?;
        self.simple_key_allowed = false;
        let start = self.cursor.position();
        let (table, style) = quoted(quote);
        self.cursor.advance(1);
        self.scratch.clear();
        let mut from = self.cursor.offset();
        let mut is_borrowed = true;
        loop {
            self.cursor.skip_until(table);
            let piece = self.cursor.slice(from, self.cursor.offset());
            match self.cursor.byte() {
                b'\'' if quote == b'\'' && self.cursor.peek(1) == b'\'' => {
                    self.scratch.push_str(piece);
                    self.scratch.push('\'');
                    self.cursor.advance(2);
                }
                byte if byte == quote => {
                    let content = if is_borrowed {
                        Content::Borrowed(piece)
                    } else {
                        self.scratch.push_str(piece);
                        Content::Owned(Text::from(self.scratch.as_str()))
                    };
                    self.cursor.advance(1);
                    self.push_scalar(style, start, content);
                    return Ok(());
                }
                b'\\' if self.cursor.break_width(1) > 0 => {
                    self.scratch.push_str(piece);
                    self.cursor.advance(1);
                    self.cursor.read_break();
                    self.scan_quoted_breaks(start)?;
                    self.scratch.push_str(&self.breaks);
                }
                b'\\' => {
                    self.scratch.push_str(piece);
                    let character = self.scan_escape(start)?;
                    self.scratch.push(character);
                }
                0 => return Err(self.error(Some(start), "found unexpected end of stream")),
                _ => {
                    self.scratch.push_str(piece.trim_end_matches([' ', '\t']));
                    self.scan_quoted_breaks(start)?;
                    self.fold_breaks();
                }
            }
            is_borrowed = false;
            from = self.cursor.offset();
        }
    }

    /// Moves over line breaks and indentation to the next text, and keeps the line breaks.
    fn scan_quoted_breaks(&mut self, start: Position) -> Result<(), Error> {
        self.breaks.clear();
        loop {
            self.cursor.skip_blanks();
            let line_break = self.cursor.read_break();
            if line_break.is_empty() {
                break;
            }
            self.breaks.push_str(line_break);
        }
        if self.cursor.is_document_indicator() {
            return Err(self.error(Some(start), "found unexpected document indicator"));
        }
        Ok(())
    }

    fn scan_escape(&mut self, start: Position) -> Result<char, Error> {
        let character = match self.cursor.peek(1) {
            b'0' => '\0',
            b'a' => '\x07',
            b'b' => '\x08',
            b't' | b'\t' => '\t',
            b'n' => '\n',
            b'v' => '\x0B',
            b'f' => '\x0C',
            b'r' => '\r',
            b'e' => '\x1B',
            byte @ (b' ' | b'"' | b'\'' | b'\\') => char::from(byte),
            b'N' => '\u{85}',
            b'_' => '\u{A0}',
            b'L' => '\u{2028}',
            b'P' => '\u{2029}',
            b'x' => return self.scan_code(start, 2),
            b'u' => return self.scan_code(start, 4),
            b'U' => return self.scan_code(start, 8),
            _ => return Err(self.error(Some(start), "found unknown escape character")),
        };
        self.cursor.advance(2);
        Ok(character)
    }

    fn scan_code(&mut self, start: Position, digits: usize) -> Result<char, Error> {
        self.cursor.advance(2);
        let mut code = 0;
        for distance in 0..digits {
            let Some(digit) = char::from(self.cursor.peek(distance)).to_digit(16) else {
                return Err(self.error(Some(start), "did not find expected hexdecimal number"));
            };
            code = code << 4 | digit;
        }
        let Some(character) = char::from_u32(code) else {
            return Err(self.error(Some(start), "found invalid Unicode character escape code"));
        };
        self.cursor.advance(digits);
        Ok(character)
    }
}
