//! Block scalars: `|` keeps its lines, `>` folds them.

use super::comment_queue::CommentKeeper;
use super::scanner::Scanner;
use crate::error::Error;
use crate::node::{Position, Style, Text};

/// What happens to the line breaks at the end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Chomping {
    Strip,
    Clip,
    Keep,
}

impl<C: CommentKeeper> Scanner<'_, C> {
    pub(super) fn scan_block_scalar(&mut self, is_literal: bool) -> Result<(), Error> {
        self.remove_simple_key()?;
        self.simple_key_allowed = true;
        self.is_line_over = true;
        let start = self.cursor.position();
        let (chomping, increment) = self.scan_block_header(start)?;
        let mut indent = increment.map_or(0, |increment| self.margin.saturating_sub(1) + increment);
        self.scratch.clear();
        self.breaks.clear();
        self.scan_block_breaks(&mut indent, start)?;
        let mut line_break = "";
        let mut was_blank = false;
        while self.cursor.column() == indent && self.cursor.byte() != 0 {
            let is_blank = self.cursor.is_blank();
            if is_literal || was_blank || is_blank || line_break != "\n" {
                self.scratch.push_str(line_break);
            } else if self.breaks.is_empty() {
                self.scratch.push(' ');
            }
            self.scratch.push_str(&self.breaks);
            self.breaks.clear();
            was_blank = is_blank;
            let from = self.cursor.offset();
            self.cursor.skip_to_line_end();
            self.scratch
                .push_str(self.cursor.slice(from, self.cursor.offset()));
            line_break = self.cursor.read_break();
            self.scan_block_breaks(&mut indent, start)?;
        }
        if chomping != Chomping::Strip {
            self.scratch.push_str(line_break);
        }
        if chomping == Chomping::Keep {
            self.scratch.push_str(&self.breaks);
        }
        let style = if is_literal {
            Style::LITERAL
        } else {
            Style::FOLDED
        };
        let text = Text::from(self.scratch.as_str());
        self.push_block_scalar(style, start, (text, indent));
        Ok(())
    }

    /// Moves over the first line; the indentation is `None` where it is to be found out.
    fn scan_block_header(&mut self, start: Position) -> Result<(Chomping, Option<usize>), Error> {
        self.cursor.advance(1);
        let mut chomping = self.scan_chomping();
        let increment = match self.cursor.byte() {
            b'0' => {
                return Err(self.error(Some(start), "found an indentation indicator equal to 0"));
            }
            digit @ b'1'..=b'9' => {
                self.cursor.advance(1);
                Some(usize::from(digit - b'0'))
            }
            _ => None,
        };
        if increment.is_some() && chomping.is_none() {
            chomping = self.scan_chomping();
        }
        self.cursor.skip_blanks();
        if self.cursor.byte() == b'#' {
            let owner = self.comments.queue().map(|queue| queue.index(start));
            self.skip_line_comment(owner);
        }
        if !self.cursor.is_break_or_end() {
            return Err(self.error(Some(start), "did not find expected comment or line break"));
        }
        self.cursor.read_break();
        Ok((chomping.unwrap_or(Chomping::Clip), increment))
    }

    fn scan_chomping(&mut self) -> Option<Chomping> {
        let chomping = match self.cursor.byte() {
            b'+' => Chomping::Keep,
            b'-' => Chomping::Strip,
            _ => return None,
        };
        self.cursor.advance(1);
        Some(chomping)
    }

    /// Moves over empty lines and the indentation of the line behind them; an indentation of 0 is set to what is found.
    fn scan_block_breaks(&mut self, indent: &mut usize, start: Position) -> Result<(), Error> {
        let mut widest = 0;
        loop {
            let wanted = if *indent == 0 { usize::MAX } else { *indent };
            self.cursor
                .skip_spaces(wanted.saturating_sub(self.cursor.column()));
            widest = widest.max(self.cursor.column());
            if self.cursor.byte() == b'\t' && self.cursor.column() < wanted {
                let message = "found a tab character where an indentation space is expected";
                return Err(self.error(Some(start), message));
            }
            let line_break = self.cursor.read_break();
            if line_break.is_empty() {
                break;
            }
            self.breaks.push_str(line_break);
        }
        if *indent == 0 {
            *indent = widest.max(self.margin).max(1);
        }
        Ok(())
    }
}
