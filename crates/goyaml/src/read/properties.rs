//! Anchors, aliases, tags and directives.

use super::comment_queue::CommentKeeper;
use super::scanner::Scanner;
use super::token::{Content, Kind};
use crate::error::Error;
use crate::node::Position;

impl<C: CommentKeeper> Scanner<'_, C> {
    pub(super) fn scan_anchor(&mut self, kind: Kind) -> Result<(), Error> {
        self.save_simple_key()?;
        self.simple_key_allowed = false;
        let start = self.cursor.position();
        self.cursor.advance(1);
        let name = self.scan_word();
        let is_ended = self.cursor.is_blank_or_end(0)
            || matches!(
                self.cursor.byte(),
                b'?' | b':' | b',' | b']' | b'}' | b'%' | b'@' | b'`'
            );
        if name.0 == name.1 || !is_ended {
            return Err(self.error(
                Some(start),
                "did not find expected alphabetic or numeric character",
            ));
        }
        let name = self.cursor.slice(name.0, name.1);
        self.push(kind, start, Content::Borrowed(name));
        Ok(())
    }

    /// Moves over letters, digits, `_` and `-`, and returns the offsets of the first and the last.
    fn scan_word(&mut self) -> (usize, usize) {
        let from = self.cursor.offset();
        while is_word(self.cursor.byte()) {
            self.cursor.advance(1);
        }
        (from, self.cursor.offset())
    }

    pub(super) fn scan_tag(&mut self) -> Result<(), Error> {
        self.save_simple_key()?;
        self.simple_key_allowed = false;
        let start = self.cursor.position();
        let (handle, suffix) = if self.cursor.peek(1) == b'<' {
            self.cursor.advance(2);
            let suffix = self.scan_uri(start, None)?;
            if self.cursor.byte() != b'>' {
                return Err(self.error(Some(start), "did not find the expected '>'"));
            }
            self.cursor.advance(1);
            (String::new(), suffix)
        } else {
            let handle = self.scan_tag_handle(start, false)?;
            if handle.len() > 1 && handle.ends_with('!') {
                let suffix = self.scan_uri(start, None)?;
                (handle, suffix)
            } else {
                let suffix = self.scan_uri(start, handle.strip_prefix('!'))?;
                if suffix.is_empty() {
                    (suffix, "!".to_owned())
                } else {
                    ("!".to_owned(), suffix)
                }
            }
        };
        if !self.cursor.is_blank_or_end(0) {
            return Err(self.error(
                Some(start),
                "did not find expected whitespace or line break",
            ));
        }
        self.push(Kind::Tag, start, Content::Tag(Box::new((handle, suffix))));
        Ok(())
    }

    fn scan_tag_handle(&mut self, start: Position, is_directive: bool) -> Result<String, Error> {
        if self.cursor.byte() != b'!' {
            return Err(self.error(Some(start), "did not find expected '!'"));
        }
        let from = self.cursor.offset();
        self.cursor.advance(1);
        let (word_start, word_end) = self.scan_word();
        if self.cursor.byte() == b'!' {
            self.cursor.advance(1);
        } else if is_directive && word_start != word_end {
            return Err(self.error(Some(start), "did not find expected '!'"));
        }
        Ok(self.cursor.slice(from, self.cursor.offset()).to_owned())
    }

    /// Scans the characters of a URI. Without a head, as behind a handle, there must be one.
    fn scan_uri(&mut self, start: Position, head: Option<&str>) -> Result<String, Error> {
        let mut uri = head.unwrap_or_default().as_bytes().to_vec();
        let from = self.cursor.offset();
        loop {
            match self.cursor.byte() {
                b'%' => self.scan_uri_escape(start, &mut uri)?,
                byte if is_word(byte) || b";/?:@&=+$,.!~*'()[]".contains(&byte) => {
                    uri.push(byte);
                    self.cursor.advance(1);
                }
                _ => break,
            }
        }
        if head.is_none() && self.cursor.offset() == from {
            return Err(self.error(Some(start), "did not find expected tag URI"));
        }
        Ok(String::from_utf8_lossy(&uri).into_owned())
    }

    /// Scans the escapes (`%C3%A9`) of one character.
    fn scan_uri_escape(&mut self, start: Position, uri: &mut Vec<u8>) -> Result<(), Error> {
        let mut missing = None;
        while missing != Some(0) {
            let digits = (
                char::from(self.cursor.peek(1)).to_digit(16),
                char::from(self.cursor.peek(2)).to_digit(16),
            );
            let (b'%', (Some(high), Some(low))) = (self.cursor.byte(), digits) else {
                return Err(self.error(Some(start), "did not find URI escaped octet"));
            };
            let octet = u8::try_from(high << 4 | low).unwrap_or(0);
            missing = match (missing, octet) {
                (None, 0..0x80) => Some(0),
                (None, 0xC0..0xE0) => Some(1),
                (None, 0xE0..0xF0) => Some(2),
                (None, 0xF0..0xF8) => Some(3),
                (None, _) => {
                    return Err(self.error(Some(start), "found an incorrect leading UTF-8 octet"));
                }
                (Some(count), 0x80..0xC0) => Some(count - 1),
                (Some(_), _) => {
                    return Err(self.error(Some(start), "found an incorrect trailing UTF-8 octet"));
                }
            };
            uri.push(octet);
            self.cursor.advance(3);
        }
        Ok(())
    }

    pub(super) fn scan_directive(&mut self) -> Result<(), Error> {
        let start = self.cursor.position();
        self.cursor.advance(1);
        let (from, to) = self.scan_word();
        if from == to {
            return Err(self.error(Some(start), "could not find expected directive name"));
        }
        if !self.cursor.is_blank_or_end(0) {
            return Err(self.error(Some(start), "found unexpected non-alphabetical character"));
        }
        let (kind, content) = match self.cursor.slice(from, to) {
            "YAML" => (Kind::VersionDirective, self.scan_version(start)?),
            "TAG" => (Kind::TagDirective, self.scan_tag_directive(start)?),
            _ => return Err(self.error(Some(start), "found unknown directive name")),
        };
        self.cursor.skip_blanks();
        if self.cursor.byte() == b'#' {
            self.cursor.skip_to_line_end();
        }
        if !self.cursor.is_break_or_end() {
            return Err(self.error(Some(start), "did not find expected comment or line break"));
        }
        self.cursor.read_break();
        self.push(kind, start, content);
        Ok(())
    }

    fn scan_version(&mut self, start: Position) -> Result<Content<'static>, Error> {
        self.cursor.skip_blanks();
        let major = self.scan_version_number(start)?;
        if self.cursor.byte() != b'.' {
            return Err(self.error(Some(start), "did not find expected digit or '.' character"));
        }
        self.cursor.advance(1);
        Ok(Content::Version(major, self.scan_version_number(start)?))
    }

    fn scan_version_number(&mut self, start: Position) -> Result<u8, Error> {
        let from = self.cursor.offset();
        let mut number = 0_u8;
        while self.cursor.byte().is_ascii_digit() {
            if self.cursor.offset() - from == 2 {
                return Err(self.error(Some(start), "found extremely long version number"));
            }
            number = number
                .saturating_mul(10)
                .saturating_add(self.cursor.byte() - b'0');
            self.cursor.advance(1);
        }
        if self.cursor.offset() == from {
            return Err(self.error(Some(start), "did not find expected version number"));
        }
        Ok(number)
    }

    fn scan_tag_directive(&mut self, start: Position) -> Result<Content<'static>, Error> {
        self.cursor.skip_blanks();
        let handle = self.scan_tag_handle(start, true)?;
        if !self.cursor.is_blank() {
            return Err(self.error(Some(start), "did not find expected whitespace"));
        }
        self.cursor.skip_blanks();
        let prefix = self.scan_uri(start, None)?;
        if !self.cursor.is_blank_or_end(0) {
            return Err(self.error(
                Some(start),
                "did not find expected whitespace or line break",
            ));
        }
        Ok(Content::Tag(Box::new((handle, prefix))))
    }
}

/// Whether a name may have this byte: letters and digits, `_` and `-`.
const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}
