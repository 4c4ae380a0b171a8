//! Comments and the blank space between tokens; go-yaml collects comments, and accepts a little more where it does.

use super::comment_queue::{Comment, CommentKeeper, CommentQueue, Mark};
use super::scanner::Scanner;
use super::token::{Content, Kind, Token};
use crate::node::Node;

/// How far go-yaml looks for the next comment, in bytes.
const COMMENT_LOOKAHEAD: usize = 512;

impl<'a, C: CommentKeeper> Scanner<'a, C> {
    /// Moves over blanks, line breaks and comments.
    pub(super) fn scan_to_next_token(&mut self) {
        let start = self.comments.queue().map(|queue| queue.mark(&self.cursor));
        loop {
            let are_tabs_blank = self.is_flow() || !self.simple_key_allowed;
            while self.cursor.byte() == b' ' || (are_tabs_blank && self.cursor.byte() == b'\t') {
                self.cursor.advance(1);
            }
            if start.is_some() {
                self.turn_line_comment_into_head();
            }
            if self.cursor.byte() == b'#' {
                if let Some(start) = start {
                    let mut comments = std::mem::take(&mut self.comments);
                    if let Some(queue) = comments.queue_mut() {
                        self.gather_comments(queue, start);
                    }
                    self.comments = comments;
                } else {
                    self.skip_comments();
                }
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
            self.move_by(distance);
        }
    }

    /// Moves over blanks and line breaks.
    fn move_by(&mut self, distance: usize) {
        let target = self.cursor.offset() + distance;
        while self.cursor.offset() < target {
            if self.cursor.read_break().is_empty() {
                self.cursor.advance(1);
            }
        }
    }

    /// Moves as [`Self::skip_comments`] does, and decides of what stands there what belongs to the token before it and
    /// what to the one behind it.
    fn gather_comments(&mut self, queue: &mut CommentQueue, start: Mark) {
        let mut gathering = Gathering::new(self, queue, start);
        let mut distance = 0;
        while distance < COMMENT_LOOKAHEAD {
            gathering.column += 1;
            let byte = self.cursor.peek(distance);
            if matches!(byte, b' ' | b'\t') {
                distance += 1;
                continue;
            }
            let here = queue.mark(&self.cursor).index + distance;
            let closes_flow = self.is_flow() && matches!(byte, b']' | b'}');
            let is_break = self.cursor.break_width(distance) > 0;
            if closes_flow || is_break || byte == 0 {
                gathering.end_line(queue, here, closes_flow, byte == 0);
                if !is_break {
                    break;
                }
                distance += 1;
                continue;
            }
            if gathering.column <= gathering.indent && gathering.column != gathering.first.column {
                gathering.push_foot(queue, here);
            }
            if byte != b'#' {
                break;
            }
            gathering.begin_comment(here);
            self.move_by(distance);
            let from = self.cursor.offset();
            self.cursor.skip_to_line_end();
            gathering
                .text
                .push_str(self.cursor.slice(from, self.cursor.offset()));
            gathering.column = 0;
            gathering.line = queue.mark(&self.cursor).line;
            distance = 1;
        }
        let end = queue.mark(&self.cursor).index + distance;
        gathering.push_head(queue, end.saturating_sub(1));
    }

    /// Moves over a comment behind a token; here, too, tabs are blanks.
    pub(super) fn skip_line_comment(&mut self, token: Option<usize>) {
        if !matches!(self.cursor.byte(), b' ' | b'\t' | b'#') {
            return;
        }
        let blanks = (0..COMMENT_LOOKAHEAD)
            .find(|&distance| !matches!(self.cursor.peek(distance), b' ' | b'\t'));
        if let Some(distance) = blanks.filter(|&distance| self.cursor.peek(distance) == b'#') {
            self.cursor.advance(distance);
            let from = self.cursor.clone();
            self.cursor.skip_to_line_end();
            if let (Some(token), Some(queue)) = (token, self.comments.queue_mut()) {
                let text = self.cursor.slice(from.offset(), self.cursor.offset());
                queue.push_line(text, token, queue.mark(&from));
            }
        }
    }

    /// The token to which a comment behind the token that begins here will belong, as its place.
    pub(super) fn line_comment_owner(&self, byte: u8) -> Option<usize> {
        let queue = self.comments.queue()?;
        let is_behind_last = byte == if self.is_flow() { b',' } else { b':' };
        Some(if is_behind_last {
            self.last_tokens()
                .0
                .map_or(0, |token| token_index(queue, token))
        } else {
            queue.mark(&self.cursor).index
        })
    }

    /// Hands the comments that belong to the next token to the next node.
    pub(super) fn unfold_comments(&mut self) {
        if let (Some(queue), Some(front)) = (self.comments.queue_mut(), self.queue.front()) {
            queue.unfold(front.kind, token_index(queue, front));
        }
    }

    /// Gives a scalar, an alias or the beginning of a flow collection its comments.
    pub(super) fn give_comments(&mut self, node: &mut Node) {
        if let Some(queue) = self.comments.queue_mut() {
            queue.give(node);
        }
    }

    /// The last token that was scanned, and the one before it.
    fn last_tokens(&self) -> (Option<&Token<'a>>, Option<&Token<'a>>) {
        let mut backwards = self.queue.iter().rev();
        (backwards.next(), backwards.next())
    }

    /// Makes a line comment above the first item of a sequence a head comment.
    // go-yaml: yaml_parser_scan_to_next_token
    fn turn_line_comment_into_head(&mut self) {
        let (Some(last), Some(before)) = self.last_tokens() else {
            return;
        };
        if (before.kind, last.kind) != (Kind::BlockSequenceStart, Kind::BlockEntry)
            || self.cursor.is_break()
        {
            return;
        }
        if let Some(queue) = self.comments.queue_mut() {
            let here = queue.mark(&self.cursor);
            queue.turn_last_into_head(here);
        }
    }

    /// The place of a block's end among the comments, which come before it if they stand in the column of what is in
    /// the block.
    pub(super) fn block_end(&self, place: &mut Option<usize>) -> Content<'static> {
        match (self.comments.queue(), place) {
            (Some(queue), Some(index)) => {
                *index = queue.end_of_block(*index, self.margin);
                Content::BlockEnd(*index)
            }
            _ => Content::None,
        }
    }
}

/// The place of a token among the comments.
fn token_index(queue: &CommentQueue, token: &Token<'_>) -> usize {
    match token.content {
        Content::BlockEnd(index) => index,
        _ => queue.index(token.position),
    }
}

/// Lines of comments that are being gathered.
struct Gathering {
    /// The column at which the innermost block stands, from 0.
    indent: usize,
    /// Whether the token before the comments is a `:`.
    is_value_open: bool,
    /// The line in which a comment is still one of the token before it.
    foot_line: Option<usize>,
    /// Whether no empty line has been seen.
    is_close: bool,
    is_line_empty: bool,
    line: usize,
    column: usize,
    /// Where the blank space before the comment begins.
    from: usize,
    /// Which token the comment belongs to if it is one of the token before it.
    owner: usize,
    /// Where the comment begins.
    first: Mark,
    text: String,
}

impl Gathering {
    fn new<C: CommentKeeper>(scanner: &Scanner<'_, C>, queue: &CommentQueue, start: Mark) -> Self {
        let (last, before) = scanner.last_tokens();
        let token = match (last, before) {
            (Some(last), Some(before)) if last.kind == Kind::FlowEntry => Some(before),
            _ => last,
        };
        let here = queue.mark(&scanner.cursor);
        let breaks = scanner.cursor.breaks_before();
        let is_below_content = breaks == 0 && here.column > 1;
        let foot_line = (here.line + 1 + usize::from(is_below_content)).saturating_sub(breaks);
        Self {
            indent: scanner.margin.saturating_sub(1),
            is_value_open: token.is_some_and(|token| token.kind == Kind::Value),
            foot_line: (start.line > 0).then_some(foot_line),
            is_close: breaks <= 1,
            is_line_empty: false,
            line: here.line,
            column: here.column,
            from: start.index,
            owner: token.map_or(0, |token| token_index(queue, token)),
            first: Mark::default(),
            text: String::new(),
        }
    }

    const fn is_dedented(&self) -> bool {
        self.first.column <= self.indent
    }

    fn begin_comment(&mut self, index: usize) {
        if self.text.is_empty() {
            self.first = Mark {
                index,
                line: self.line,
                column: self.column,
            };
        } else {
            self.text.push('\n');
        }
        self.is_line_empty = false;
    }

    /// Ends a line without a comment: what was gathered until the first such line may belong to the token before it.
    fn end_line(&mut self, queue: &mut CommentQueue, here: usize, closes_flow: bool, is_end: bool) {
        if closes_flow || !self.is_line_empty {
            let is_below_token = self.foot_line == Some(self.first.line) && !self.is_value_open;
            if closes_flow || self.is_close && (is_below_token || self.is_dedented()) {
                if self.is_dedented() && !self.text.is_empty() {
                    self.owner = self.first.index;
                }
                self.push_foot(queue, here);
            } else if !self.text.is_empty() && !is_end {
                self.text.push('\n');
            }
        }
        self.is_close = false;
        self.is_line_empty = true;
        self.column = 0;
        self.line += 1;
    }

    fn push_foot(&mut self, queue: &mut CommentQueue, end: usize) {
        if self.text.is_empty() {
            return;
        }
        queue.push(Comment {
            from: self.from,
            token: self.owner,
            first: self.first,
            end,
            foot: std::mem::take(&mut self.text),
            ..Comment::default()
        });
        self.from = end;
        self.owner = end;
    }

    fn push_head(self, queue: &mut CommentQueue, end: usize) {
        if !self.text.is_empty() {
            queue.push(Comment {
                from: self.from,
                token: self.first.index,
                first: self.first,
                end,
                head: self.text,
                ..Comment::default()
            });
        }
    }
}
