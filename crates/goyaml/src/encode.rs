//! Trees as go-yaml v3 writes them with kyaml's settings: order, styles, tags, anchors and comments are kept.
//!
//! This follows the events of go-yaml's emitter, since a comment is written when the emitter comes to where it looks for
//! one: some go to the node behind the one that they belong to, and some are lost.

mod comments;
mod scalar;

use crate::error::Error;
use crate::node::{Data, Node, Style};
use crate::scalar_writer::Output;
use comments::{Pending, foot, set};
use scalar::check_anchor;
pub(crate) use scalar::{SIMPLE_KEY, is_simple_key};

/// Writes a tree as kyaml's encoder does: two spaces, sequences as far out as their keys, no folding of long lines.
///
/// Fails on an anchor that is not made of letters, digits, `-` and `_`.
pub fn encode(node: &Node) -> Result<String, Error> {
    let mut text = String::new();
    let mut encoder = Encoder {
        output: Output::new(&mut text, usize::MAX),
        indent: None,
        flow_level: 0,
        is_spaced: true,
        is_indention: true,
        foot_indent: None,
        pending: Pending::default(),
    };
    encoder.document(node)?;
    Ok(text)
}

/// Where a node is written, which decides its layout.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// The document's own node, or an item.
    Item,
    /// A key on the line of its value.
    SimpleKey,
    /// A value, or a key after `?`.
    Entry,
}

struct Encoder<'n, 'o> {
    output: Output<'o>,
    /// The indentation of the innermost collection; none outside of all.
    indent: Option<usize>,
    flow_level: usize,
    /// Whether what follows needs no space before it.
    is_spaced: bool,
    /// Whether the line has nothing but indentation and indicators.
    is_indention: bool,
    /// The indentation of the foot comment that was written last, which an empty line has to part from what follows.
    foot_indent: Option<usize>,
    pending: Pending<'n>,
}

impl<'n> Encoder<'n, '_> {
    fn document(&mut self, root: &'n Node) -> Result<(), Error> {
        let comments = root.comments();
        self.pending.head = comments.map_or("", |comments| &comments.document_head);
        if !self.pending.head.is_empty() {
            self.head_comment();
            self.newline();
        }
        self.pending.begin(root, "", false);
        self.head_comment();
        self.whole(root, Place::Item, false)?;
        let foot = comments.map_or("", |comments| &comments.document_foot);
        set(&mut self.pending.foot, foot);
        self.foot_indent = Some(0);
        self.foot_comment();
        self.foot_indent = None;
        self.start_line();
        Ok(())
    }

    /// Writes a node whose comments have been taken up, those behind its beginning, and what is in it.
    fn whole(&mut self, node: &'n Node, place: Place, is_key: bool) -> Result<(), Error> {
        let is_flow_place = self.flow_level > 0;
        self.beginning(node, place)?;
        if !is_key {
            if is_flow_place && self.pending.has_trail() {
                self.indicator(",", false);
            }
            self.line_comment();
            self.foot_comment();
        }
        self.content(node, place, is_key)
    }

    /// Writes a scalar or an alias, and of a collection its anchor and its tag.
    fn beginning(&mut self, node: &'n Node, place: Place) -> Result<(), Error> {
        match &node.data {
            Data::Scalar(text) => self.scalar(node, text, place),
            Data::Alias(name) => {
                check_anchor(name, node.position)?;
                self.indicator("*", true);
                self.output.push(name);
                Ok(())
            }
            Data::Sequence(_) | Data::Mapping(_) => self.properties(node),
        }
    }

    /// Writes what is in a collection.
    fn content(&mut self, node: &'n Node, place: Place, is_key: bool) -> Result<(), Error> {
        let is_flow = self.flow_level > 0 || node.style.contains(Style::FLOW);
        let outer = self.indent;
        match &node.data {
            Data::Scalar(_) | Data::Alias(_) => return Ok(()),
            Data::Sequence(items) if is_flow || items.is_empty() => {
                return self.flow_sequence(node, items, is_key);
            }
            Data::Mapping(entries) if is_flow || entries.is_empty() => {
                return self.flow_mapping(node, entries, is_key);
            }
            Data::Sequence(items) => {
                let is_compact =
                    place == Place::Entry && (self.output.is_line_start() || !self.is_indention);
                self.indent = match outer {
                    Some(indent) if is_compact => Some(indent),
                    Some(indent) => Some(indent + 2),
                    None => Some(0),
                };
                self.block_sequence(items)?;
                self.pending.end(node, "", is_key);
            }
            Data::Mapping(entries) => {
                self.indent = Some(outer.map_or(0, |indent| indent + 2));
                let tail = self.block_mapping(entries)?;
                self.pending.end(node, tail, is_key);
                self.head_comment();
            }
        }
        self.indent = outer;
        Ok(())
    }

    /// Writes items, each on a line of its own.
    fn block_sequence(&mut self, items: &'n [Node]) -> Result<(), Error> {
        for item in items {
            self.pending.begin(item, "", false);
            self.head_comment();
            self.start_line();
            self.block_indicator("-");
            self.whole(item, Place::Item, false)?;
        }
        Ok(())
    }

    /// Writes entries, each on a line of its own, and returns the foot of the last one.
    fn block_mapping(&mut self, entries: &'n [(Node, Node)]) -> Result<&'n str, Error> {
        let mut tail = "";
        for (key, value) in entries {
            self.pending.begin(key, tail, true);
            tail = foot(key);
            self.head_comment();
            self.start_line();
            if !self.pending.line.is_empty() {
                self.pending.key_line = std::mem::take(&mut self.pending.line);
            }
            if is_simple_key(key) {
                self.whole(key, Place::SimpleKey, true)?;
                self.pending.begin(value, "", false);
                self.indicator(":", false);
            } else {
                self.block_indicator("?");
                self.whole(key, Place::Entry, true)?;
                self.pending.begin(value, "", false);
                self.start_line();
                self.block_indicator(":");
            }
            self.key_line_comment(value);
            self.whole(value, Place::Entry, false)?;
        }
        Ok(tail)
    }

    fn open(&mut self, bracket: &str) -> Option<usize> {
        self.indicator(bracket, true);
        self.is_spaced = true;
        self.flow_level += 1;
        let outer = self.indent;
        self.indent = Some(self.indent_below());
        outer
    }

    fn close(&mut self, bracket: &str) {
        self.indicator(bracket, false);
        self.line_comment();
        self.foot_comment();
    }

    fn flow_sequence(
        &mut self,
        node: &'n Node,
        items: &'n [Node],
        is_key: bool,
    ) -> Result<(), Error> {
        let mut has_comma = true;
        let mut outer = None;
        for (index, item) in items.iter().enumerate() {
            self.pending.begin(item, "", false);
            if index == 0 {
                outer = self.open("[");
            }
            self.start_flow_entry(has_comma);
            has_comma = self.pending.has_trail();
            self.whole(item, Place::Item, false)?;
        }
        self.pending.end(node, "", is_key);
        if items.is_empty() {
            outer = self.open("[");
        }
        self.flow_level -= 1;
        self.indent = outer;
        if self.output.is_line_start() {
            self.start_line();
        }
        self.close("]");
        Ok(())
    }

    fn flow_mapping(
        &mut self,
        node: &'n Node,
        entries: &'n [(Node, Node)],
        is_key: bool,
    ) -> Result<(), Error> {
        let mut has_comma = true;
        let mut outer = None;
        let mut tail = "";
        for (index, (key, value)) in entries.iter().enumerate() {
            self.pending.begin(key, tail, true);
            tail = foot(key);
            if index == 0 {
                outer = self.open("{");
            }
            self.start_flow_entry(has_comma);
            if is_simple_key(key) {
                self.whole(key, Place::SimpleKey, true)?;
                self.pending.begin(value, "", false);
                self.indicator(":", false);
            } else {
                self.indicator("?", true);
                self.whole(key, Place::Entry, true)?;
                self.pending.begin(value, "", false);
                self.indicator(":", true);
            }
            has_comma = self.pending.has_trail();
            self.whole(value, Place::Entry, false)?;
        }
        self.pending.end(node, tail, is_key);
        if entries.is_empty() {
            outer = self.open("{");
        }
        if !has_comma && self.pending.has_more() {
            self.indicator(",", false);
        }
        self.head_comment();
        self.flow_level -= 1;
        self.indent = outer;
        self.close("}");
        Ok(())
    }

    /// Goes to where an item or an entry of a flow collection begins.
    fn start_flow_entry(&mut self, has_comma: bool) {
        if !has_comma {
            self.indicator(",", false);
        }
        self.head_comment();
        if self.output.is_line_start() {
            self.start_line();
        }
    }

    /// The indentation of what is inside a node here.
    fn indent_below(&self) -> usize {
        self.indent.map_or(2, |indent| indent + 2)
    }

    /// Goes to a place that is indented as the current collection is: on this line, if nothing else is on it.
    fn start_line(&mut self) {
        let indent = self.indent.unwrap_or(0);
        let is_here = self.is_indention && {
            let column = self.output.column();
            column < indent || column == indent && self.is_spaced
        };
        if !is_here {
            self.newline();
        }
        if self.foot_indent.take() == Some(indent) {
            self.newline();
        }
        self.output
            .indent(indent.saturating_sub(self.output.column()));
        self.is_spaced = true;
    }

    fn newline(&mut self) {
        self.output.newline();
        self.is_indention = true;
    }

    /// Writes a space unless there is one.
    fn space(&mut self) {
        if !self.is_spaced {
            self.output.push_char(' ');
        }
        self.is_spaced = false;
        self.is_indention = false;
    }

    fn indicator(&mut self, indicator: &str, needs_space: bool) {
        if needs_space {
            self.space();
        }
        self.output.push(indicator);
        self.is_spaced = false;
        self.is_indention = false;
    }

    /// Writes an indicator behind which a block collection may begin on the same line.
    fn block_indicator(&mut self, indicator: &str) {
        let is_indention = self.is_indention;
        self.indicator(indicator, true);
        self.is_indention = is_indention;
    }
}
