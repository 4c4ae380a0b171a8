//! Trees as go-yaml v3 writes them with kyaml's settings: order, styles, tags, anchors and comments are kept.
//!
//! This follows the events of go-yaml's emitter, since a comment is written when the emitter comes to where it looks for
//! one: some go to the node behind the one that they belong to, and some are lost.

use crate::analysis::{Analysis, analyze, is_break};
use crate::error::Error;
use crate::node::{Data, Node, Position, Style, Tag, Text};
use crate::resolve::implicit_tag;
use crate::scalar_writer::Output;

/// The longest key with its properties, in bytes, that is written without `? `.
pub(crate) const SIMPLE_KEY: usize = 128;

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

/// The comments that have been met and not yet been written.
#[derive(Default)]
struct Pending<'n> {
    head: &'n str,
    line: &'n str,
    foot: &'n str,
    /// The foot of the entry before.
    tail: &'n str,
    /// What stands on the line of a key whose value begins on the next line.
    key_line: &'n str,
}

impl<'n> Pending<'n> {
    /// Takes up the comments of a scalar, an alias, or the beginning of a collection.
    fn begin(&mut self, node: &'n Node, tail: &'n str, is_key: bool) {
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
    fn end(&mut self, node: &'n Node, tail: &'n str, is_key: bool) {
        set(&mut self.tail, tail);
        if let Some(comments) = node.comments() {
            set(&mut self.line, &comments.line);
            set(&mut self.foot, if is_key { "" } else { &comments.foot });
        }
    }

    const fn has_trail(&self) -> bool {
        !(self.line.is_empty() && self.foot.is_empty() && self.tail.is_empty())
    }
}

fn set<'n>(pending: &mut &'n str, comment: &'n str) {
    if !comment.is_empty() {
        *pending = comment;
    }
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

    /// Writes the comment on the line of a key, unless the value is to have it.
    fn key_line_comment(&mut self, value: &Node) {
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
        let Pending { head, foot, tail, .. } = self.pending;
        if !has_comma && !(head.is_empty() && foot.is_empty() && tail.is_empty()) {
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

    /// Writes anchor and tag.
    fn properties(&mut self, node: &Node) -> Result<(), Error> {
        if let Some(anchor) = node.anchor() {
            check_anchor(anchor, node.position)?;
            self.indicator("&", true);
            self.output.push(anchor);
        }
        if let Some(tag) = written_tag(node) {
            self.space();
            self.tag(tag);
        }
        Ok(())
    }

    fn tag(&mut self, tag: &str) {
        if let Some(name) = tag
            .strip_prefix("tag:yaml.org,2002:")
            .or_else(|| tag.strip_prefix("!!"))
        {
            self.output.push("!!");
            self.tag_content(name);
        } else if let Some(name) = tag.strip_prefix('!') {
            self.output.push_char('!');
            self.tag_content(name);
        } else {
            self.output.push("!<");
            self.tag_content(tag);
            self.output.push_char('>');
        }
    }

    fn tag_content(&mut self, content: &str) {
        for byte in content.bytes() {
            if byte.is_ascii_alphanumeric() || b"-;/?:@&=+$,_.~*'()[]".contains(&byte) {
                self.output.push_char(char::from(byte));
            } else {
                self.output.push(&format!("%{byte:02X}"));
            }
        }
    }

    fn scalar(&mut self, node: &Node, text: &str, place: Place) -> Result<(), Error> {
        self.properties(node)?;
        let is_key = place == Place::SimpleKey;
        let style = scalar_style(node, text, analyze(text, true), is_key, self.flow_level > 0);
        if style == Style::PLAIN && text.is_empty() {
            self.is_indention = false;
            return Ok(());
        }
        self.space();
        let indent = self.indent_below();
        if style == Style::PLAIN {
            self.output.push(text);
        } else if style == Style::SINGLE_QUOTED {
            self.output.single_quoted(text, indent, false);
        } else if style == Style::LITERAL {
            self.output.block_header('|', text);
            self.end_block_header(indent);
            self.output.literal_lines(text, indent);
            self.end_block();
        } else if style == Style::FOLDED {
            self.output.block_header('>', text);
            self.end_block_header(indent);
            self.output.folded_lines(text, indent);
            self.end_block();
        } else {
            self.output.double_quoted(text, indent, false);
        }
        Ok(())
    }

    /// Ends the first line of a block scalar, where its comment stands.
    fn end_block_header(&mut self, indent: usize) {
        if self.pending.line.is_empty() {
            self.newline();
            return;
        }
        let outer = self.indent.replace(indent);
        self.line_comment();
        self.indent = outer;
    }

    fn end_block(&mut self) {
        self.is_spaced = true;
        self.is_indention = self.output.is_line_start();
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
        self.output.indent(indent.saturating_sub(self.output.column()));
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

    /// Writes the foot of the entry before and the head of what follows.
    fn head_comment(&mut self) {
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

    fn line_comment(&mut self) {
        let line = std::mem::take(&mut self.pending.line);
        if !line.is_empty() {
            if !self.is_spaced {
                self.output.push_char(' ');
            }
            self.comment(line);
        }
    }

    fn foot_comment(&mut self) {
        let foot = std::mem::take(&mut self.pending.foot);
        if !foot.is_empty() {
            self.start_line();
            self.comment(foot);
            self.foot_indent = Some(self.indent.unwrap_or(0));
        }
    }

    /// Writes a comment and ends its line.
    fn comment(&mut self, text: &str) {
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

fn foot(key: &Node) -> &str {
    key.comments().map_or("", |comments| &comments.foot)
}

/// The tag that has to be written so that reading gives the node's tag again.
fn written_tag(node: &Node) -> Option<&str> {
    let tag = node.custom_tag().unwrap_or(node.tag.as_str());
    if node.style.contains(Style::TAGGED) {
        return Some(tag);
    }
    match &node.data {
        Data::Scalar(_) if node.tag == Tag::Str => None,
        Data::Scalar(text) => (plain_tag(text) != node.tag).then_some(tag),
        Data::Sequence(_) => (node.tag != Tag::Seq).then_some(tag),
        Data::Mapping(_) => (node.tag != Tag::Map).then_some(tag),
        Data::Alias(_) => None,
    }
}

/// The tag of a plain text for go-yaml's `resolve`, which leaves the merge key to its parser.
fn plain_tag(text: &str) -> Tag {
    match implicit_tag(text) {
        Tag::Merge => Tag::Str,
        tag => tag,
    }
}

/// The style that a scalar is written in, given the one that it asks for.
fn scalar_style(
    node: &Node,
    text: &str,
    analysis: Analysis,
    is_key: bool,
    is_flow: bool,
) -> Style {
    let asked = [
        Style::DOUBLE_QUOTED,
        Style::SINGLE_QUOTED,
        Style::LITERAL,
        Style::FOLDED,
    ]
    .into_iter()
    .find(|&style| node.style.contains(style));
    let is_untagged_string = node.tag == Tag::Str && !node.style.contains(Style::TAGGED);
    let mut style = match asked {
        Some(style) => style,
        None if text.as_bytes().contains(&b'\n') => Style::LITERAL,
        None if is_untagged_string && plain_tag(text) != Tag::Str => Style::DOUBLE_QUOTED,
        None => Style::PLAIN,
    };
    if is_key && analysis.is_multiline {
        style = Style::DOUBLE_QUOTED;
    }
    if style == Style::PLAIN {
        let allows_plain = if is_flow {
            analysis.allows_flow_plain
        } else {
            analysis.allows_block_plain
        };
        if !allows_plain || text.is_empty() && (is_flow || is_key) {
            style = Style::SINGLE_QUOTED;
        }
    }
    if style == Style::SINGLE_QUOTED && !analysis.allows_single_quoted {
        style = Style::DOUBLE_QUOTED;
    }
    if (style == Style::LITERAL || style == Style::FOLDED)
        && (!analysis.allows_block || is_flow || is_key)
    {
        style = Style::DOUBLE_QUOTED;
    }
    style
}

/// Whether a key can stand on the line of its value.
pub(crate) fn is_simple_key(key: &Node) -> bool {
    let anchor = key.anchor().map_or(0, Text::len);
    let tag = written_tag(key).map_or(0, str::len);
    match &key.data {
        Data::Scalar(text) => {
            !analyze(text, true).is_multiline && anchor + tag + text.len() <= SIMPLE_KEY
        }
        Data::Sequence(items) => items.is_empty() && anchor + tag <= SIMPLE_KEY,
        Data::Mapping(entries) => entries.is_empty() && anchor + tag <= SIMPLE_KEY,
        Data::Alias(name) => name.len() <= SIMPLE_KEY,
    }
}

fn check_anchor(name: &str, position: Position) -> Result<(), Error> {
    if !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    {
        return Ok(());
    }
    Err(Error::new(
        position,
        "yaml: anchor value must contain alphanumerical characters only",
    ))
}
