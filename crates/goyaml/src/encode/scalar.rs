//! Scalars, and what stands before a node: its anchor and its tag.

use super::{Encoder, Place};
use crate::analysis::{Analysis, analyze};
use crate::error::Error;
use crate::node::{Data, Node, Position, Style, Tag, Text};
use crate::resolve::implicit_tag;

/// The longest key with its properties, in bytes, that is written without `? `.
pub(crate) const SIMPLE_KEY: usize = 128;

impl Encoder<'_, '_> {
    /// Writes anchor and tag.
    pub(super) fn properties(&mut self, node: &Node) -> Result<(), Error> {
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

    pub(super) fn tag(&mut self, tag: &str) {
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

    pub(super) fn tag_content(&mut self, content: &str) {
        for byte in content.bytes() {
            if byte.is_ascii_alphanumeric() || b"-;/?:@&=+$,_.~*'()[]".contains(&byte) {
                self.output.push_char(char::from(byte));
            } else {
                self.output.push(&format!("%{byte:02X}"));
            }
        }
    }

    pub(super) fn scalar(&mut self, node: &Node, text: &str, place: Place) -> Result<(), Error> {
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
    pub(super) fn end_block_header(&mut self, indent: usize) {
        if self.pending.line.is_empty() {
            self.newline();
            return;
        }
        let outer = self.indent.replace(indent);
        self.line_comment();
        self.indent = outer;
    }

    pub(super) fn end_block(&mut self) {
        self.is_spaced = true;
        self.is_indention = self.output.is_line_start();
    }
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
fn scalar_style(node: &Node, text: &str, analysis: Analysis, is_key: bool, is_flow: bool) -> Style {
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

pub(super) fn check_anchor(name: &str, position: Position) -> Result<(), Error> {
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
