//! Comments on their way from the nodes to where the emitter writes them.

use super::Encoder;
use crate::analysis::is_break;
use crate::node::{Data, Node, Style};

/// The comments that have been met and not yet been written.
#[derive(Default)]
pub(super) struct Pending<'n> {
    pub(super) head: &'n str,
    pub(super) line: &'n str,
    pub(super) foot: &'n str,
    /// The foot of the entry before.
    pub(super) tail: &'n str,
    /// What stands on the line of a key whose value begins on the next line.
    pub(super) key_line: &'n str,
}

impl<'n> Pending<'n> {
    /// Takes up the comments of a scalar, an alias, or the beginning of a collection.
    pub(super) fn begin(&mut self, node: &'n Node, tail: &'n str, is_key: bool) {
        let has_tail = matches!(node.data, Data::Scalar(_) | Data::Mapping(_));
        set(&mut self.tail, if has_tail { tail } else { "" });
        let Some(comments) = node.comments() else {
            return;
        };
        set(&mut self.head, &comments.head);
        if matches!(node.data, Data::Scalar(_) | Data::Alias(_)) {
            set(&mut self.line, &comments.line);
            // The foot of a key is written behind its value.
            set(&mut self.foot, if is_key { "" } else { &comments.foot });
        }
    }

    /// Takes up the comments of the end of a collection.
    pub(super) fn end(&mut self, node: &'n Node, tail: &'n str, is_key: bool) {
        set(&mut self.tail, tail);
        if let Some(comments) = node.comments() {
            set(&mut self.line, &comments.line);
            set(&mut self.foot, if is_key { "" } else { &comments.foot });
        }
    }

    /// Whether there is a comment that comes before the end of a mapping.
    pub(super) const fn has_more(&self) -> bool {
        !(self.head.is_empty() && self.foot.is_empty() && self.tail.is_empty())
    }

    /// Whether there is a comment that comes behind an item, and behind the comma after it.
    pub(super) const fn has_trail(&self) -> bool {
        !(self.line.is_empty() && self.foot.is_empty() && self.tail.is_empty())
    }
}

pub(super) fn set<'n>(pending: &mut &'n str, comment: &'n str) {
    if !comment.is_empty() {
        *pending = comment;
    }
}

pub(super) fn foot(key: &Node) -> &str {
    key.comments().map_or("", |comments| &comments.foot)
}

impl Encoder<'_, '_> {
    /// Writes the comment on the line of a key, unless the value is to have it.
    pub(super) fn key_line_comment(&mut self, value: &Node) {
        let pending = &mut self.pending;
        match &value.data {
            Data::Scalar(_) if pending.line.is_empty() => {
                pending.line = std::mem::take(&mut pending.key_line);
            }
            Data::Sequence(_) | Data::Mapping(_) if !value.style.contains(Style::FLOW) => {
                std::mem::swap(&mut pending.line, &mut pending.key_line);
                self.line_comment();
                self.pending.line = std::mem::take(&mut self.pending.key_line);
            }
            _ => {}
        }
    }

    /// Writes the foot of the entry before and the head of what follows.
    pub(super) fn head_comment(&mut self) {
        let tail = std::mem::take(&mut self.pending.tail);
        if !tail.is_empty() {
            self.start_line();
            self.comment(tail);
            self.foot_indent = Some(self.indent.unwrap_or(0));
        }
        let head = std::mem::take(&mut self.pending.head);
        if !head.is_empty() {
            self.start_line();
            self.comment(head);
        }
    }

    pub(super) fn line_comment(&mut self) {
        let line = std::mem::take(&mut self.pending.line);
        if !line.is_empty() {
            if !self.is_spaced {
                self.output.push_char(' ');
            }
            self.comment(line);
        }
    }

    pub(super) fn foot_comment(&mut self) {
        let foot = std::mem::take(&mut self.pending.foot);
        if !foot.is_empty() {
            self.start_line();
            self.comment(foot);
            self.foot_indent = Some(self.indent.unwrap_or(0));
        }
    }

    /// Writes a comment and ends its line.
    pub(super) fn comment(&mut self, text: &str) {
        let mut was_break = false;
        let mut has_sign = false;
        for character in text.chars() {
            if is_break(character) {
                self.output.push_break(character);
                self.is_indention = true;
                was_break = true;
                has_sign = false;
                continue;
            }
            if was_break {
                self.start_line();
            }
            if !has_sign && character != '#' {
                self.output.push("# ");
            }
            has_sign = true;
            self.output.push_char(character);
            self.is_indention = false;
            was_break = false;
        }
        if !was_break {
            self.newline();
        }
        self.is_spaced = true;
    }
}
