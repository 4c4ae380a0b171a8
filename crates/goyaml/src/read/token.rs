//! What the scanner makes of a text, before any grammar.

use crate::node::{Position, Style, Text};

/// The kinds of token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    StreamEnd,
    VersionDirective,
    TagDirective,
    DocumentStart,
    DocumentEnd,
    BlockSequenceStart,
    BlockMappingStart,
    BlockEnd,
    FlowSequenceStart,
    FlowSequenceEnd,
    FlowMappingStart,
    FlowMappingEnd,
    BlockEntry,
    FlowEntry,
    Key,
    Value,
    Alias,
    Anchor,
    Tag,
    Scalar,
}

/// Tokens that come before another one, at the same place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Prefix {
    None,
    Key,
    MappingAndKey,
}

/// A token and where it begins.
#[derive(Clone, Debug)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    /// What turned out to come before the token.
    pub(super) prefix: Prefix,
    pub(super) style: Style,
    /// How far the lines of a block scalar are indented; zero for too far to say.
    pub(super) indent: u8,
    pub(super) position: Position,
    pub(super) content: Content<'a>,
}

/// What a token carries.
#[derive(Clone, Debug)]
pub(super) enum Content<'a> {
    None,
    /// A scalar that stands in the input as it is, or the name of an alias or an anchor.
    Borrowed(&'a str),
    /// A scalar that had to be put together.
    Owned(Text),
    /// The handle and the suffix of a tag, or the handle and the prefix of a `%TAG` directive.
    Tag(Box<(String, String)>),
    /// The version of a `%YAML` directive.
    Version(u8, u8),
    /// Where a block ends for the comments around its end.
    BlockEnd(usize),
}

impl<'a> Token<'a> {
    pub(super) const fn new(kind: Kind, position: Position, content: Content<'a>) -> Self {
        Self {
            kind,
            prefix: Prefix::None,
            style: Style::PLAIN,
            indent: 0,
            position,
            content,
        }
    }

    /// The text of a scalar, an alias or an anchor.
    pub(super) fn into_text(self) -> Text {
        match self.content {
            Content::Borrowed(text) => Text::from(text),
            Content::Owned(text) => text,
            Content::None | Content::Tag(_) | Content::Version(..) | Content::BlockEnd(_) => {
                Text::new()
            }
        }
    }
}
