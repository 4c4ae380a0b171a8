//! Comments and the blank space between tokens; go-yaml collects comments, and accepts a little more where it does.

use super::scanner::Scanner;

/// How far go-yaml looks for the next comment, in bytes.
const COMMENT_LOOKAHEAD: usize = 512;

impl Scanner<'_> {
    /// Moves over blanks, line breaks and comments.
    pub(super) fn scan_to_next_token(&mut self) {
        loop {
            let are_tabs_blank = self.is_flow() || !self.simple_key_allowed;
            while self.cursor.byte() == b' ' || (are_tabs_blank && self.cursor.byte() == b'\t') {
                self.cursor.advance(1);
            }
            if self.cursor.byte() == b'#' {
                self.skip_comments();
            }
            if self.cursor.read_break().is_empty() {
                return;
            }
            if !self.is_flow() {
                self.simple_key_allowed = true;
            }
        }
    }

    /// Moves over a comment and those that follow it, with blanks and empty lines between them: there even tabs are
    /// blanks, which they are not before a comment that stands alone.
    fn skip_comments(&mut self) {
        loop {
            self.cursor.skip_to_line_end();
            let next = (1..COMMENT_LOOKAHEAD)
                .map(|distance| (distance, self.cursor.peek(distance)))
                .find(|(_, byte)| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n'));
            let Some((distance, b'#')) = next else { return };
            let target = self.cursor.offset() + distance;
            while self.cursor.offset() < target {
                if self.cursor.read_break().is_empty() {
                    self.cursor.advance(1);
                }
            }
        }
    }

    /// Moves over a comment behind a token; here, too, tabs are blanks.
    pub(super) fn skip_line_comment(&mut self) {
        if !matches!(self.cursor.byte(), b' ' | b'\t' | b'#') {
            return;
        }
        let blanks = (0..COMMENT_LOOKAHEAD)
            .find(|&distance| !matches!(self.cursor.peek(distance), b' ' | b'\t'));
        if let Some(distance) = blanks.filter(|&distance| self.cursor.peek(distance) == b'#') {
            self.cursor.advance(distance);
            self.cursor.skip_to_line_end();
        }
    }
}
