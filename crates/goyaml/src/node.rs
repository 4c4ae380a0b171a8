//! The node tree that a YAML document becomes: kinds, tags, styles and positions, as go-yaml v3 keeps them.

use ecow::EcoString;

/// The text of a scalar, a key or a tag: short texts are stored in place, long ones are shared between clones.
pub type Text = EcoString;

/// One YAML node with everything that decides how it is written again.
///
/// A node is a plain tree: it owns its children, and cloning it is a deep copy. Line and column speak of the file that
/// the node was read from and are zero for nodes that were made by a program.
#[derive(Clone, Debug)]
pub struct Node {
    /// What the node is and holds.
    pub data: Data,
    /// The node's short tag, resolved when it was read (`Int` for a plain `12`, `Str` for a quoted one).
    pub tag: Tag,
    /// How the node was written.
    pub style: Style,
    /// How far the lines of a literal block are indented; zero where that is not known, and for all other nodes.
    pub(crate) indent: u8,
    /// Where the node begins in its file.
    pub position: Position,
    /// Whether a program made the node without a tag, so that its type is always what its text says.
    untyped: bool,
    /// What few nodes have: an anchor, a tag that is not one of YAML's own, comments.
    pub(crate) extra: Option<Box<Extra>>,
}

/// The kinds of node.
#[derive(Clone, Debug)]
pub enum Data {
    /// A scalar and its text, with quotes, escapes, folding and indentation resolved.
    Scalar(Text),
    /// A sequence and its items.
    Sequence(Vec<Node>),
    /// A mapping and its entries, in the order in which they were written; keys may repeat.
    Mapping(Vec<(Node, Node)>),
    /// A reference (`*name`) to the anchor of that name; only where a document was read with its aliases kept.
    Alias(Text),
}

/// What a node's tag says; the short forms of go-yaml.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tag {
    /// `!!null`
    Null,
    /// `!!bool`
    Bool,
    /// `!!int`
    Int,
    /// `!!float`
    Float,
    /// `!!str`
    Str,
    /// `!!timestamp`
    Timestamp,
    /// `!!binary`
    Binary,
    /// `!!merge`, the plain scalar `<<`
    Merge,
    /// `!!seq`
    Seq,
    /// `!!map`
    Map,
    /// Any other tag; [`Node::custom_tag`] has its text.
    Custom,
}

/// How a node was written; a set of flags, because a tagged node also has a quoting style.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style(u8);

impl Style {
    /// Plain scalar or block collection.
    pub const PLAIN: Self = Self(0);
    /// The tag was written out.
    pub const TAGGED: Self = Self(1);
    /// `"text"`
    pub const DOUBLE_QUOTED: Self = Self(2);
    /// `'text'`
    pub const SINGLE_QUOTED: Self = Self(4);
    /// `|` block scalar
    pub const LITERAL: Self = Self(8);
    /// `>` block scalar
    pub const FOLDED: Self = Self(16);
    /// `[a, b]` or `{a: b}`
    pub const FLOW: Self = Self(32);
    /// A text that [`emit_canonical`](crate::emit_canonical) writes within double quotes and with escapes, whatever it
    /// would choose by itself. Nothing that is read has it; [`Node::protect`] sets it.
    pub const ESCAPED: Self = Self(64);

    /// Whether all flags of `other` are set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both sets of flags together.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// These flags less those of `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

/// A place in a file: line and column count from 1, columns in characters. Zero means unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1.
    pub column: u32,
    /// Which file: a number that means something to whoever read it; zero as the parser makes it.
    pub file: u32,
}

/// The rare properties of a node.
#[derive(Clone, Debug, Default)]
pub(crate) struct Extra {
    pub(crate) anchor: Option<Text>,
    pub(crate) tag: Option<Text>,
    pub(crate) mark: u32,
    pub(crate) comments: Option<Box<Comments>>,
}

/// The comments that belong to a node, each with its `#`; a text of several lines is a comment of several lines. What
/// is not there is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comments {
    /// What stands in the lines above the node.
    pub head: Text,
    /// What stands at the end of the node's line.
    pub line: Text,
    /// What stands in the lines below the node, before an empty line or at the end of its block.
    pub foot: Text,
    /// What stands above the document and apart from it; only a document's root has it.
    pub document_head: Text,
    /// What stands below the document; only a document's root has it.
    pub document_foot: Text,
}

impl Position {
    /// A line and column of a text whose file is not known yet.
    pub const fn at(line: u32, column: u32) -> Self {
        Self {
            line,
            column,
            file: 0,
        }
    }
}

/// Adds an entry to those of a mapping, as [`Vec::push`] does, and takes memory for a quarter more at most: what doubling
/// leaves empty most mappings never fill, and with it objects take more of the processor's caches.
pub fn push_entry(entries: &mut Vec<(Node, Node)>, key: Node, value: Node) {
    if entries.len() == entries.capacity() {
        entries.reserve_exact(1 + entries.len() / 4);
    }
    entries.push((key, value));
}

impl Node {
    /// Makes a node without position, anchor or custom tag.
    pub const fn new(data: Data, tag: Tag, style: Style) -> Self {
        Self {
            data,
            tag,
            style,
            indent: 0,
            position: Position {
                line: 0,
                column: 0,
                file: 0,
            },
            untyped: false,
            extra: None,
        }
    }

    /// As [`Self::new`], for what was read at a place.
    #[inline]
    pub(crate) const fn at(position: Position, data: Data, tag: Tag, style: Style) -> Self {
        Self {
            data,
            tag,
            style,
            indent: 0,
            position,
            untyped: false,
            extra: None,
        }
    }

    /// Makes a plain scalar whose type is what its text says, now and after [`Self::set_text`].
    pub fn untyped(text: impl Into<Text>) -> Self {
        let text = text.into();
        let tag = crate::implicit_tag(&text);
        Self {
            untyped: true,
            ..Self::scalar(text, tag)
        }
    }

    /// Sets the style, on which depends what the text of a scalar without a tag means.
    pub fn set_style(&mut self, style: Style) {
        self.style = style;
        if self.untyped
            && let Some(text) = self.to_text()
        {
            self.set_text(text);
        }
    }

    /// Gives the node a tag of its own.
    pub const fn set_tag(&mut self, tag: Tag) {
        self.tag = tag;
        self.untyped = false;
    }

    /// Whether the node was made by [`Self::untyped`] and has got no tag since.
    pub const fn is_untyped(&self) -> bool {
        self.untyped
    }

    /// Sets the text of a scalar and leaves its type as it is, unless it never had one of its own.
    pub fn set_text(&mut self, text: Text) {
        if self.untyped {
            self.tag = if self.style.without(Style::TAGGED) == Style::PLAIN {
                crate::implicit_tag(&text)
            } else {
                Tag::Str
            };
        }
        self.data = Data::Scalar(text);
    }

    /// Makes a plain string scalar; the writer quotes it where it must.
    pub fn string(text: impl Into<Text>) -> Self {
        Self::new(Data::Scalar(text.into()), Tag::Str, Style::PLAIN)
    }

    /// Makes a plain scalar with the given tag.
    pub fn scalar(text: impl Into<Text>, tag: Tag) -> Self {
        Self::new(Data::Scalar(text.into()), tag, Style::PLAIN)
    }

    /// Makes a `null`.
    pub fn null() -> Self {
        Self::scalar("null", Tag::Null)
    }

    /// Makes a block mapping of the given entries.
    pub const fn mapping(entries: Vec<(Self, Self)>) -> Self {
        Self::new(Data::Mapping(entries), Tag::Map, Style::PLAIN)
    }

    /// Makes a block sequence of the given items.
    pub const fn sequence(items: Vec<Self>) -> Self {
        Self::new(Data::Sequence(items), Tag::Seq, Style::PLAIN)
    }

    /// The text of a scalar, whatever its tag; `None` for collections.
    pub fn as_str(&self) -> Option<&str> {
        match &self.data {
            Data::Scalar(text) => Some(text),
            Data::Sequence(_) | Data::Mapping(_) | Data::Alias(_) => None,
        }
    }

    /// The text of a scalar, whatever its tag, as a cheap clone; `None` for collections.
    pub fn to_text(&self) -> Option<Text> {
        match &self.data {
            Data::Scalar(text) => Some(text.clone()),
            Data::Sequence(_) | Data::Mapping(_) | Data::Alias(_) => None,
        }
    }

    /// The entries of a mapping.
    pub fn entries(&self) -> Option<&[(Self, Self)]> {
        match &self.data {
            Data::Mapping(entries) => Some(entries),
            Data::Scalar(_) | Data::Sequence(_) | Data::Alias(_) => None,
        }
    }

    /// The entries of a mapping, to change.
    pub const fn entries_mut(&mut self) -> Option<&mut Vec<(Self, Self)>> {
        match &mut self.data {
            Data::Mapping(entries) => Some(entries),
            Data::Scalar(_) | Data::Sequence(_) | Data::Alias(_) => None,
        }
    }

    /// The items of a sequence.
    pub fn items(&self) -> Option<&[Self]> {
        match &self.data {
            Data::Sequence(items) => Some(items),
            Data::Scalar(_) | Data::Mapping(_) | Data::Alias(_) => None,
        }
    }

    /// The items of a sequence, to change.
    pub const fn items_mut(&mut self) -> Option<&mut Vec<Self>> {
        match &mut self.data {
            Data::Sequence(items) => Some(items),
            Data::Scalar(_) | Data::Mapping(_) | Data::Alias(_) => None,
        }
    }

    /// Whether the node is a scalar.
    pub const fn is_scalar(&self) -> bool {
        matches!(self.data, Data::Scalar(_))
    }

    /// Whether the node is a mapping.
    pub const fn is_mapping(&self) -> bool {
        matches!(self.data, Data::Mapping(_))
    }

    /// Whether the node is a sequence.
    pub const fn is_sequence(&self) -> bool {
        matches!(self.data, Data::Sequence(_))
    }

    /// Whether the node is a scalar with the tag `!!null`; one that never had a tag is not, whatever its text.
    pub fn is_null(&self) -> bool {
        self.tag == Tag::Null && !self.untyped
    }

    /// The value of the first entry whose key has this text, `None` where there is none or the node is no mapping.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.entries()?
            .iter()
            .find(|(name, _)| name.as_str() == Some(key))
            .map(|(_, value)| value)
    }

    /// As [`Self::get`], to change.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Self> {
        self.entries_mut()?
            .iter_mut()
            .find(|(name, _)| name.as_str() == Some(key))
            .map(|(_, value)| value)
    }

    /// The value under a path of keys.
    pub fn get_path(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |node, key| node.get(key))
    }

    /// Sets the value of a key: in place where the key exists, at the end otherwise. Does nothing to a scalar or sequence.
    pub fn set(&mut self, key: &str, value: Self) {
        if let Some(slot) = self.get_mut(key) {
            *slot = value;
        } else if let Some(entries) = self.entries_mut() {
            push_entry(entries, Self::string(key), value);
        }
    }

    /// Removes the first entry with this key and returns its value.
    pub fn remove(&mut self, key: &str) -> Option<Self> {
        let entries = self.entries_mut()?;
        let index = entries
            .iter()
            .position(|(name, _)| name.as_str() == Some(key))?;
        Some(entries.remove(index).1)
    }

    /// How many nodes the tree has, this one and keys included.
    pub(crate) fn node_count(&self) -> usize {
        match &self.data {
            Data::Scalar(_) | Data::Alias(_) => 1,
            Data::Sequence(items) => 1 + items.iter().map(Self::node_count).sum::<usize>(),
            Data::Mapping(entries) => {
                let entry = |(key, value): &(Self, Self)| key.node_count() + value.node_count();
                1 + entries.iter().map(entry).sum::<usize>()
            }
        }
    }

    /// Says of the node and all below it which file they were read from.
    pub fn set_file(&mut self, file: u32) {
        self.for_each_place(&mut |place, _| place.file = file);
    }

    /// Says which file those places of the node and below it are in that have a line and no file.
    pub fn complete_file(&mut self, file: u32) {
        self.for_each_place(&mut |place, _| {
            if place.line > 0 && place.file == 0 {
                place.file = file;
            }
        });
    }

    pub(crate) fn for_each_place<F: FnMut(&mut Position, &mut u8)>(&mut self, change: &mut F) {
        change(&mut self.position, &mut self.indent);
        match &mut self.data {
            Data::Scalar(_) | Data::Alias(_) => {}
            Data::Sequence(items) => {
                for item in items {
                    item.for_each_place(change);
                }
            }
            Data::Mapping(entries) => {
                for (key, value) in entries {
                    key.for_each_place(change);
                    value.for_each_place(change);
                }
            }
        }
    }

    /// The anchor (`&name`) of the node.
    pub fn anchor(&self) -> Option<&Text> {
        self.extra.as_ref()?.anchor.as_ref()
    }

    /// Sets or takes away the anchor of the node.
    pub fn set_anchor(&mut self, anchor: Option<Text>) {
        if anchor.is_some() || self.extra.is_some() {
            self.extra.get_or_insert_default().anchor = anchor;
        }
    }

    /// The comments of the node; `None` where it has none, as all nodes that were read without comments.
    pub fn comments(&self) -> Option<&Comments> {
        self.extra.as_ref()?.comments.as_deref()
    }

    /// The comments of the node, to change.
    pub fn comments_mut(&mut self) -> &mut Comments {
        self.extra
            .get_or_insert_default()
            .comments
            .get_or_insert_default()
    }

    /// The text of a tag that is not one of YAML's own (`!include`); `None` unless [`Self::tag`] is [`Tag::Custom`].
    pub fn custom_tag(&self) -> Option<&str> {
        self.extra.as_ref()?.tag.as_deref()
    }

    /// By what a program knows the node again, wherever it has moved; zero where it has no mark. Copies bear it, too.
    pub fn mark(&self) -> u32 {
        self.extra.as_ref().map_or(0, |extra| extra.mark)
    }

    /// Marks the node; zero takes the mark away.
    pub fn set_mark(&mut self, mark: u32) {
        if mark != 0 || self.extra.is_some() {
            self.extra.get_or_insert_default().mark = mark;
        }
    }

    /// Gives the node a tag that is not one of YAML's own.
    pub fn set_custom_tag(&mut self, tag: Text) {
        self.tag = Tag::Custom;
        self.extra.get_or_insert_default().tag = Some(tag);
    }
}

impl Tag {
    /// The tag's short form, `""` for [`Tag::Custom`].
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Null => "!!null",
            Self::Bool => "!!bool",
            Self::Int => "!!int",
            Self::Float => "!!float",
            Self::Str => "!!str",
            Self::Timestamp => "!!timestamp",
            Self::Binary => "!!binary",
            Self::Merge => "!!merge",
            Self::Seq => "!!seq",
            Self::Map => "!!map",
            Self::Custom => "",
        }
    }

    /// The tag with this short (`!!int`) or long (`tag:yaml.org,2002:int`) form.
    pub fn from_text(text: &str) -> Option<Self> {
        let name = text
            .strip_prefix("!!")
            .or_else(|| text.strip_prefix("tag:yaml.org,2002:"))?;
        Some(match name {
            "null" => Self::Null,
            "bool" => Self::Bool,
            "int" => Self::Int,
            "float" => Self::Float,
            "str" => Self::Str,
            "timestamp" => Self::Timestamp,
            "binary" => Self::Binary,
            "merge" => Self::Merge,
            "seq" => Self::Seq,
            "map" => Self::Map,
            _ => return None,
        })
    }
}
