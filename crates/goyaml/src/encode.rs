//! Trees as go-yaml v3 writes them with kyaml's settings: order, styles, tags and anchors are kept.

use crate::analysis::{Analysis, analyze};
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
    };
    encoder.node(
        node,
        Context {
            indent: 0,
            is_flow: false,
            place: Place::Root,
        },
    )?;
    encoder.output.end_line();
    Ok(text)
}

/// Where a node is written.
#[derive(Clone, Copy)]
struct Context {
    /// The indentation of the collection that the node is in; for the root, zero.
    indent: usize,
    is_flow: bool,
    place: Place,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// The document's own node.
    Root,
    /// An item, after its dash.
    Item,
    /// A key on the line of its value.
    SimpleKey,
    /// A key after `?`, or its value after the `:` on the next line.
    Complex,
    /// A value on the line of its key.
    Value,
}

struct Encoder<'a> {
    output: Output<'a>,
}

impl Encoder<'_> {
    /// Writes a node with the space before it, up to but without the line break after it.
    fn node(&mut self, node: &Node, context: Context) -> Result<(), Error> {
        let is_flow = context.is_flow || node.style.contains(Style::FLOW);
        match &node.data {
            Data::Scalar(text) => return self.scalar(node, text, context),
            Data::Alias(name) => {
                check_anchor(name, node.position)?;
                self.separate(context);
                self.output.push_char('*');
                self.output.push(name);
            }
            Data::Sequence(items) => {
                let has_properties = self.properties(node, context)?;
                if is_flow || items.is_empty() {
                    return self.flow_sequence(items, context, has_properties);
                }
                let is_compact = context.place == Place::Value;
                let indent = if is_compact {
                    context.indent
                } else {
                    below(context)
                };
                self.block_sequence(items, indent, starts_line(context, has_properties))?;
            }
            Data::Mapping(entries) => {
                let has_properties = self.properties(node, context)?;
                if is_flow || entries.is_empty() {
                    return self.flow_mapping(entries, context, has_properties);
                }
                self.block_mapping(
                    entries,
                    below(context),
                    starts_line(context, has_properties),
                )?;
            }
        }
        Ok(())
    }

    /// Writes the space that parts a node from what stands before it on its line.
    fn separate(&mut self, context: Context) {
        if matches!(context.place, Place::Value | Place::Item | Place::Complex) {
            self.output.push_char(' ');
        }
    }

    /// Writes anchor and tag, with the space before them; tells whether there were any.
    fn properties(&mut self, node: &Node, context: Context) -> Result<bool, Error> {
        let tag = written_tag(node);
        if let Some(anchor) = node.anchor() {
            check_anchor(anchor, node.position)?;
            self.separate(context);
            self.output.push_char('&');
            self.output.push(anchor);
        }
        if let Some(tag) = tag {
            if node.anchor().is_some() {
                self.output.push_char(' ');
            } else {
                self.separate(context);
            }
            self.tag(tag);
        }
        Ok(tag.is_some() || node.anchor().is_some())
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

    fn scalar(&mut self, node: &Node, text: &str, context: Context) -> Result<(), Error> {
        let has_properties = self.properties(node, context)?;
        let analysis = analyze(text, true);
        let style = scalar_style(node, text, analysis, context);
        // Nothing needs no space before it.
        if !(text.is_empty() && style == Style::PLAIN) {
            if has_properties {
                self.output.push_char(' ');
            } else {
                self.separate(context);
            }
        }
        let indent = below(context).max(2);
        if style == Style::PLAIN {
            self.output.push(text);
        } else if style == Style::SINGLE_QUOTED {
            self.output.single_quoted(text, indent, false);
        } else if style == Style::LITERAL {
            self.output.literal(text, indent);
        } else if style == Style::FOLDED {
            self.output.folded(text, indent);
        } else {
            self.output.double_quoted(text, indent, false);
        }
        Ok(())
    }

    /// Writes items, each on a line of its own.
    fn block_sequence(
        &mut self,
        items: &[Node],
        indent: usize,
        mut starts_line: bool,
    ) -> Result<(), Error> {
        for item in items {
            self.start_entry(indent, starts_line);
            starts_line = true;
            self.output.push_char('-');
            self.node(
                item,
                Context {
                    indent,
                    is_flow: false,
                    place: Place::Item,
                },
            )?;
        }
        Ok(())
    }

    fn block_mapping(
        &mut self,
        entries: &[(Node, Node)],
        indent: usize,
        mut starts_line: bool,
    ) -> Result<(), Error> {
        for (key, value) in entries {
            self.start_entry(indent, starts_line);
            starts_line = true;
            let context = Context {
                indent,
                is_flow: false,
                place: Place::Value,
            };
            if is_simple_key(key) {
                self.node(
                    key,
                    Context {
                        place: Place::SimpleKey,
                        ..context
                    },
                )?;
                self.output.push_char(':');
                self.node(value, context)?;
            } else {
                let context = Context {
                    place: Place::Complex,
                    ..context
                };
                self.output.push_char('?');
                self.node(key, context)?;
                self.start_entry(indent, true);
                self.output.push_char(':');
                self.node(value, context)?;
            }
        }
        Ok(())
    }

    /// Goes to the start of an entry: on a new line, or after the indicator that it follows.
    fn start_entry(&mut self, indent: usize, starts_line: bool) {
        if starts_line {
            self.output.end_line();
            self.output.indent(indent);
        } else {
            self.output.push_char(' ');
        }
    }

    fn open(&mut self, bracket: char, context: Context, has_properties: bool) {
        if has_properties {
            self.output.push_char(' ');
        } else {
            self.separate(context);
        }
        self.output.push_char(bracket);
    }

    fn flow_sequence(
        &mut self,
        items: &[Node],
        context: Context,
        has_properties: bool,
    ) -> Result<(), Error> {
        self.open('[', context, has_properties);
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.output.push_char(',');
            }
            let place = if index > 0 { Place::Item } else { Place::Root };
            self.node(
                item,
                Context {
                    indent: below(context),
                    is_flow: true,
                    place,
                },
            )?;
        }
        self.output.push_char(']');
        Ok(())
    }

    fn flow_mapping(
        &mut self,
        entries: &[(Node, Node)],
        context: Context,
        has_properties: bool,
    ) -> Result<(), Error> {
        self.open('{', context, has_properties);
        let inner = Context {
            indent: below(context),
            is_flow: true,
            place: Place::Value,
        };
        for (index, (key, value)) in entries.iter().enumerate() {
            if index > 0 {
                self.output.push(", ");
            }
            if is_simple_key(key) {
                self.node(
                    key,
                    Context {
                        place: Place::SimpleKey,
                        ..inner
                    },
                )?;
                self.output.push_char(':');
            } else {
                self.output.push_char('?');
                self.node(key, inner)?;
                self.output.push(" :");
            }
            self.node(value, inner)?;
        }
        self.output.push_char('}');
        Ok(())
    }
}

/// The indentation of what is inside a node that stands at a place.
const fn below(context: Context) -> usize {
    if matches!(context.place, Place::Root) && !context.is_flow {
        0
    } else {
        context.indent + 2
    }
}

/// Whether the first entry of a block collection starts a line, and does not follow a dash or the like.
fn starts_line(context: Context, has_properties: bool) -> bool {
    has_properties || matches!(context.place, Place::Value | Place::Root)
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
fn scalar_style(node: &Node, text: &str, analysis: Analysis, context: Context) -> Style {
    let asked = [
        Style::DOUBLE_QUOTED,
        Style::SINGLE_QUOTED,
        Style::LITERAL,
        Style::FOLDED,
    ]
    .into_iter()
    .find(|&style| node.style.contains(style));
    let is_key = context.place == Place::SimpleKey;
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
        let allows_plain = if context.is_flow {
            analysis.allows_flow_plain
        } else {
            analysis.allows_block_plain
        };
        if !allows_plain || text.is_empty() && (context.is_flow || is_key) {
            style = Style::SINGLE_QUOTED;
        }
    }
    if style == Style::SINGLE_QUOTED && !analysis.allows_single_quoted {
        style = Style::DOUBLE_QUOTED;
    }
    if (style == Style::LITERAL || style == Style::FOLDED)
        && (!analysis.allows_block || context.is_flow || is_key)
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
