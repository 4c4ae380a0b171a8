//! A place in a text that moves forward, and what go-yaml calls blanks, line breaks and columns.

use crate::analysis::is_break;
use crate::node::Position;

/// The bytes at which a fast run over a text stops, besides every byte that is not ASCII.
pub(super) type Stops = [bool; 256];

/// Makes the table for [`Cursor::skip_until`].
pub(super) const fn stops(bytes: &[u8]) -> Stops {
    let mut table = [false; 256];
    let mut index = 128;
    while index < 256 {
        table[index] = true;
        index += 1;
    }
    let mut index = 0;
    while index < bytes.len() {
        table[bytes[index] as usize] = true;
        index += 1;
    }
    table
}

const LINE_END: Stops = stops(b"\r\n");

/// A position in a text. The text has no NUL in it, so that NUL stands for its end.
#[derive(Clone, Debug)]
pub(super) struct Cursor<'a> {
    text: &'a str,
    offset: usize,
    /// The offset at which the current line would begin if all its characters up to here were one byte long.
    origin: usize,
    line: u32,
}

impl<'a> Cursor<'a> {
    pub(super) const fn new(text: &'a str, first_line: u32) -> Self {
        Self {
            text,
            offset: 0,
            origin: 0,
            line: first_line,
        }
    }

    fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.offset..).unwrap_or_default()
    }

    pub(super) const fn offset(&self) -> usize {
        self.offset
    }

    pub(super) const fn line(&self) -> u32 {
        self.line
    }

    pub(super) const fn remaining(&self) -> usize {
        self.text.len().saturating_sub(self.offset)
    }

    /// The text between an earlier offset and a later one.
    pub(super) fn slice(&self, from: usize, to: usize) -> &'a str {
        self.text.get(from..to).unwrap_or_default()
    }

    /// Columns from 0, in characters.
    pub(super) const fn column(&self) -> usize {
        self.offset.saturating_sub(self.origin)
    }

    pub(super) fn position(&self) -> Position {
        Position {
            line: self.line,
            column: u32::try_from(self.column())
                .unwrap_or(u32::MAX)
                .saturating_add(1),
            file: 0,
        }
    }

    /// The current byte, NUL at the end.
    pub(super) fn byte(&self) -> u8 {
        self.peek(0)
    }

    pub(super) fn peek(&self, distance: usize) -> u8 {
        self.text
            .as_bytes()
            .get(self.offset + distance)
            .copied()
            .unwrap_or(0)
    }

    /// The length of the line break at a distance, 0 where there is none.
    pub(super) fn break_width(&self, distance: usize) -> usize {
        match self.peek(distance) {
            b'\r' if self.peek(distance + 1) == b'\n' => 2,
            b'\n' | b'\r' => 1,
            0xC2 if self.peek(distance + 1) == 0x85 => 2,
            0xE2 if self.peek(distance + 1) == 0x80
                && matches!(self.peek(distance + 2), 0xA8 | 0xA9) =>
            {
                3
            }
            _ => 0,
        }
    }

    /// How many line breaks stand between the last character that is no blank and this place.
    pub(super) fn breaks_before(&self) -> usize {
        let mut before = self.slice(0, self.offset);
        let mut count = 0;
        loop {
            before = before.trim_end_matches([' ', '\t']);
            let Some(rest) = before
                .strip_suffix("\r\n")
                .or_else(|| before.strip_suffix(is_break))
            else {
                return count;
            };
            before = rest;
            count += 1;
        }
    }

    #[inline]
    pub(super) fn is_break(&self) -> bool {
        match self.byte() {
            b'\n' | b'\r' => true,
            0xC2 | 0xE2 => self.break_width(0) > 0,
            _ => false,
        }
    }

    pub(super) fn is_blank(&self) -> bool {
        matches!(self.byte(), b' ' | b'\t')
    }

    pub(super) fn is_break_or_end(&self) -> bool {
        self.byte() == 0 || self.is_break()
    }

    /// Whether a blank, a line break or the end is at a distance.
    pub(super) fn is_blank_or_end(&self, distance: usize) -> bool {
        match self.peek(distance) {
            0 | b' ' | b'\t' | b'\n' | b'\r' => true,
            0xC2 | 0xE2 => self.break_width(distance) > 0,
            _ => false,
        }
    }

    /// Whether a line begins here with `---` or `...` and nothing glued to it.
    pub(super) fn is_document_indicator(&self) -> bool {
        self.offset == self.origin
            && (self.starts_with(b"---") || self.starts_with(b"..."))
            && self.is_blank_or_end(3)
    }

    pub(super) fn starts_with(&self, prefix: &[u8]) -> bool {
        self.rest().starts_with(prefix)
    }

    /// Moves over this many ASCII characters.
    pub(super) fn advance(&mut self, count: usize) {
        self.offset = self.text.len().min(self.offset + count);
    }

    /// Moves over one character of whatever length.
    pub(super) fn skip_character(&mut self) {
        let width = match self.byte() {
            0..0x80 => 1,
            0x80..0xE0 => 2,
            0xE0..0xF0 => 3,
            0xF0.. => 4,
        };
        self.advance(width);
        self.origin += width - 1;
    }

    pub(super) fn skip_blanks(&mut self) {
        while self.is_blank() {
            self.advance(1);
        }
    }

    pub(super) fn skip_spaces(&mut self, at_most: usize) {
        let spaces = self
            .rest()
            .iter()
            .take(at_most)
            .take_while(|&&byte| byte == b' ')
            .count();
        self.advance(spaces);
    }

    /// Moves to the next byte of the table, to the next line break that is not ASCII, or to the end.
    pub(super) fn skip_until(&mut self, table: &Stops) {
        loop {
            let rest = self.rest();
            let run = rest.iter().position(|&byte| table[usize::from(byte)]);
            self.advance(run.unwrap_or(rest.len()));
            if self.byte() < 0x80 || self.is_break() {
                return;
            }
            self.skip_character();
        }
    }

    pub(super) fn skip_to_line_end(&mut self) {
        let rest = self.rest();
        let run = memchr::memchr2(b'\r', b'\n', rest).unwrap_or(rest.len());
        if rest.get(..run).is_some_and(<[u8]>::is_ascii) {
            self.advance(run);
        } else {
            self.skip_until(&LINE_END);
        }
    }

    /// Moves over a line break and returns what it means in a scalar; `""` where there is no line break.
    #[inline]
    pub(super) fn read_break(&mut self) -> &'static str {
        match self.byte() {
            b'\n' => {
                self.advance(1);
                self.begin_line();
                "\n"
            }
            b'\r' | 0xC2 | 0xE2 => self.read_rare_break(),
            _ => "",
        }
    }

    #[cold]
    fn read_rare_break(&mut self) -> &'static str {
        let meaning = match (self.byte(), self.peek(2)) {
            (0xE2, 0xA8) => "\u{2028}",
            (0xE2, _) => "\u{2029}",
            _ => "\n",
        };
        let width = self.break_width(0);
        if width == 0 {
            return "";
        }
        self.advance(width);
        self.begin_line();
        meaning
    }

    /// Counts a line that begins here.
    pub(super) const fn begin_line(&mut self) {
        self.origin = self.offset;
        self.line = self.line.saturating_add(1);
    }
}
