//! Comments on their way from the scanner to the nodes that they belong to.

use std::collections::VecDeque;
use std::mem::take;

use super::cursor::Cursor;
use super::token::Kind;
use crate::analysis::is_break;
use crate::node::{Data, Node, Position, Style, Text};

/// A place among the comments: the characters before it, its line from 0 and its column.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mark {
    pub(super) index: usize,
    pub(super) line: usize,
    pub(super) column: usize,
}

/// A comment that waits for its token.
#[derive(Clone, Debug, Default)]
pub(super) struct Comment {
    /// Where the blank space before it begins.
    pub(super) from: usize,
    /// The place from which on a token has the comment.
    pub(super) token: usize,
    /// Where it begins; its column counts from 1, unless it stands behind a token.
    pub(super) first: Mark,
    pub(super) end: usize,
    pub(super) head: String,
    pub(super) line: String,
    pub(super) foot: String,
}

/// What a reader does with comments; decided when it is compiled, so that dropping them costs nothing.
pub(super) trait CommentKeeper: Default {
    /// Whether comments are kept.
    const KEEPS: bool;

    /// Where they are kept.
    fn queue(&self) -> Option<&CommentQueue>;

    /// Where they are kept, to change.
    fn queue_mut(&mut self) -> Option<&mut CommentQueue>;
}

/// Drops comments.
#[derive(Debug, Default)]
pub(super) struct NoComments;

impl CommentKeeper for NoComments {
    const KEEPS: bool = false;

    #[inline]
    fn queue(&self) -> Option<&CommentQueue> {
        None
    }

    #[inline]
    fn queue_mut(&mut self) -> Option<&mut CommentQueue> {
        None
    }
}

impl CommentKeeper for CommentQueue {
    const KEEPS: bool = true;

    fn queue(&self) -> Option<&CommentQueue> {
        Some(self)
    }

    fn queue_mut(&mut self) -> Option<&mut CommentQueue> {
        Some(self)
    }
}

/// The comments that no node has yet.
#[derive(Debug, Default)]
pub(super) struct CommentQueue {
    first_line: u32,
    /// How many characters are before each line.
    lines: Vec<usize>,
    waiting: VecDeque<Comment>,
    /// What the next node has.
    head: String,
    line: String,
    foot: String,
    /// What the next block collection has above it, as the item of a sequence.
    stem: String,
}

impl CommentQueue {
    pub(super) fn new(text: &str, first_line: u32) -> Self {
        let mut lines = vec![0];
        let mut characters = text.chars().peekable();
        let mut index = 0;
        while let Some(character) = characters.next() {
            index += 1;
            if is_break(character) && !(character == '\r' && characters.peek() == Some(&'\n')) {
                lines.push(index);
            }
        }
        lines.push(index);
        Self {
            first_line,
            lines,
            waiting: VecDeque::new(),
            head: String::new(),
            line: String::new(),
            foot: String::new(),
            stem: String::new(),
        }
    }

    pub(super) fn mark(&self, cursor: &Cursor<'_>) -> Mark {
        let line = cursor.line().saturating_sub(self.first_line) as usize;
        Mark {
            index: self.line_start(line) + cursor.column(),
            line,
            column: cursor.column(),
        }
    }

    pub(super) fn index(&self, position: Position) -> usize {
        let line = position.line.saturating_sub(self.first_line) as usize;
        self.line_start(line) + position.column.saturating_sub(1) as usize
    }

    fn line_start(&self, line: usize) -> usize {
        self.lines
            .get(line)
            .or(self.lines.last())
            .copied()
            .unwrap_or(0)
    }

    pub(super) fn push(&mut self, comment: Comment) {
        self.waiting.push_back(comment);
    }

    /// Adds a comment that stands behind a token.
    pub(super) fn push_line(&mut self, text: &str, token: usize, first: Mark) {
        self.push(Comment {
            token,
            first,
            line: text.to_owned(),
            ..Comment::default()
        });
    }

    /// Makes the last comment, if it is one of a line, a head comment; of the token that begins here if it is right
    /// above it.
    pub(super) fn turn_last_into_head(&mut self, here: Mark) {
        if let Some(comment) = self
            .waiting
            .back_mut()
            .filter(|comment| !comment.line.is_empty())
        {
            comment.head = take(&mut comment.line);
            if comment.first.line + 1 == here.line {
                comment.token = here.index;
            }
        }
    }

    /// Where a block ends whose column, from 1, is given: before the comments right at its end that are at its column.
    // go-yaml: yaml_parser_unroll_indent
    pub(super) fn end_of_block(&self, place: usize, column: usize) -> usize {
        let mut found = place;
        let mut reach = place;
        for comment in self.waiting.iter().rev() {
            if comment.end < reach {
                break;
            }
            if comment.first.column == column {
                found = comment.first.index;
            }
            reach = comment.from;
        }
        found
    }

    /// Hands the comments that a token has to the next node.
    pub(super) fn unfold(&mut self, kind: Kind, index: usize) {
        while let Some(comment) = self
            .waiting
            .front()
            .filter(|comment| comment.token <= index)
        {
            // The end of a block has nothing below it that the comment could be the head of.
            if kind == Kind::BlockEnd && !comment.head.is_empty() {
                return;
            }
            join(&mut self.head, &comment.head);
            join(&mut self.foot, &comment.foot);
            join(&mut self.line, &comment.line);
            self.waiting.pop_front();
        }
    }

    pub(super) const fn head_length(&self) -> usize {
        self.head.len()
    }

    /// Keeps the first part of the head comment for the collection that an item of a sequence is.
    pub(super) fn split_stem(&mut self, length: usize) {
        if length > 0
            && let Some((stem, rest)) = self.head.split_at_checked(length)
        {
            self.stem = stem.to_owned();
            self.head = rest.strip_prefix('\n').unwrap_or(rest).to_owned();
        }
    }

    /// Takes what the document has above it, apart from its first node by an empty line.
    // go-yaml: yaml_parser_parse_document_start
    pub(super) fn take_document_head(&mut self) -> Text {
        let (head, rest) = match self.head.strip_suffix('\n') {
            Some(head) if !head.is_empty() => (head, ""),
            _ => match self.head.rsplit_once("\n\n") {
                Some(parts) => parts,
                None => return Text::new(),
            },
        };
        let head = Text::from(head);
        self.head = rest.to_owned();
        head
    }

    /// Gives the root of a document what the document has above and below it.
    pub(super) fn give_document(&mut self, root: &mut Node, head: Text) {
        if self.foot.is_empty() {
            std::mem::swap(&mut self.foot, &mut self.head);
        }
        if !head.is_empty() || !self.foot.is_empty() {
            let comments = root.comments_mut();
            comments.document_head = head;
            comments.document_foot = take_text(&mut self.foot);
        }
    }

    /// Gives a scalar, an alias or the beginning of a flow collection its comments.
    pub(super) fn give(&mut self, node: &mut Node) {
        self.stem.clear();
        if self.head.is_empty() && self.line.is_empty() && self.foot.is_empty() {
            return;
        }
        let comments = node.comments_mut();
        comments.head = take_text(&mut self.head);
        comments.line = take_text(&mut self.line);
        comments.foot = take_text(&mut self.foot);
    }

    /// Gives the beginning of a block collection its comment.
    pub(super) fn give_stem(&mut self, node: &mut Node) {
        if !self.stem.is_empty() {
            node.comments_mut().head = take_text(&mut self.stem);
        }
    }

    /// Gives the end of a collection its comments, in place of those that its beginning has besides the head.
    pub(super) fn give_end(&mut self, node: &mut Node) {
        self.stem.clear();
        self.head.clear();
        if node.comments().is_some() || !self.line.is_empty() || !self.foot.is_empty() {
            let comments = node.comments_mut();
            comments.line = take_text(&mut self.line);
            comments.foot = take_text(&mut self.foot);
        }
    }
}

fn take_text(text: &mut String) -> Text {
    let taken = Text::from(text.as_str());
    text.clear();
    taken
}

fn join(text: &mut String, more: &str) {
    if !more.is_empty() {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(more);
    }
}

fn take_foot(node: &mut Node) -> Option<Text> {
    let comments = node.extra.as_mut()?.comments.as_deref_mut()?;
    Some(take(&mut comments.foot)).filter(|foot| !foot.is_empty())
}

/// Moves the foot comments in a mapping to the keys that they are below.
// go-yaml: parser.mapping
pub(super) fn settle_feet(mapping: &mut Node) {
    let is_block = !mapping.style.contains(Style::FLOW);
    let mut last = if is_block { take_foot(mapping) } else { None };
    let Data::Mapping(entries) = &mut mapping.data else {
        return;
    };
    let mut before: Option<&mut Node> = None;
    for (key, value) in entries {
        let mut foot = take_foot(key);
        if is_block
            && let Some(before) = before
            && let Some(foot) = foot.take()
        {
            before.comments_mut().foot = foot;
        }
        if foot.is_none() {
            foot = take_foot(value);
        }
        if let Some(foot) = foot {
            key.comments_mut().foot = foot;
        }
        before = Some(key);
    }
    match (before, last.take()) {
        (Some(before), Some(foot)) => before.comments_mut().foot = foot,
        (None, Some(foot)) => mapping.comments_mut().foot = foot,
        (_, None) => {}
    }
}
