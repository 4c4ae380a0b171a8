//! Values as JSON knows them, and the ways between them and nodes.

use crate::analysis::analyze;
use crate::emit::is_base_60;
use crate::key_order;
use crate::node::{Data, Node, Style, Tag, Text};
use crate::number;
use crate::resolve::{Dialect, implicit_tag, is_plain_string};

/// A JSON value; objects keep the order in which their entries were added.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// `null`
    #[default]
    Null,
    /// `true` or `false`
    Bool(bool),
    /// An integer that fits 64 bits with a sign.
    Int(i64),
    /// An integer that only fits 64 bits without a sign.
    Uint(u64),
    /// Any other number.
    Float(f64),
    /// A string.
    String(Text),
    /// An array.
    Array(Vec<Self>),
    /// An object.
    Object(Vec<(Text, Self)>),
}

impl Value {
    /// The value of a key, `None` where there is none or the value is no object.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.as_object()?
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value)
    }

    /// As [`Self::get`], to change.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Self> {
        self.as_object_mut()?
            .iter_mut()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value)
    }

    /// Sets the value of a key: in place where the key exists, at the end otherwise. Does nothing to other than objects.
    pub fn set(&mut self, key: &str, value: Self) {
        if let Some(slot) = self.get_mut(key) {
            *slot = value;
        } else if let Some(entries) = self.as_object_mut() {
            entries.push((key.into(), value));
        }
    }

    /// Removes a key and returns its value.
    pub fn remove(&mut self, key: &str) -> Option<Self> {
        let entries = self.as_object_mut()?;
        let index = entries.iter().position(|(name, _)| name == key)?;
        Some(entries.remove(index).1)
    }

    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(text) = self {
            Some(text)
        } else {
            None
        }
    }

    /// The number, where it is an integer that fits.
    pub const fn as_i64(&self) -> Option<i64> {
        if let Self::Int(number) = self {
            Some(*number)
        } else {
            None
        }
    }

    /// The items of an array.
    pub fn as_array(&self) -> Option<&[Self]> {
        if let Self::Array(items) = self {
            Some(items)
        } else {
            None
        }
    }

    /// The entries of an object.
    pub fn as_object(&self) -> Option<&[(Text, Self)]> {
        if let Self::Object(entries) = self {
            Some(entries)
        } else {
            None
        }
    }

    /// The entries of an object, to change.
    pub const fn as_object_mut(&mut self) -> Option<&mut Vec<(Text, Self)>> {
        if let Self::Object(entries) = self {
            Some(entries)
        } else {
            None
        }
    }

    /// Whether the value is `null`.
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The value with every number a float, as Go's `json.Unmarshal` gives it where no type is asked for.
    #[must_use]
    pub fn through_float64(self) -> Self {
        match self {
            #[expect(
                clippy::cast_precision_loss,
                reason = "Go loses the precision of large integers here"
            )]
            Self::Int(number) => Self::Float(number as f64),
            #[expect(
                clippy::cast_precision_loss,
                reason = "Go loses the precision of large integers here"
            )]
            Self::Uint(number) => Self::Float(number as f64),
            Self::Array(items) => {
                Self::Array(items.into_iter().map(Self::through_float64).collect())
            }
            Self::Object(entries) => Self::Object(
                entries
                    .into_iter()
                    .map(|(key, value)| (key, value.through_float64()))
                    .collect(),
            ),
            Self::Null | Self::Bool(_) | Self::Float(_) | Self::String(_) => self,
        }
    }
}

impl Node {
    /// The node that kyaml makes of a JSON object (`RNode.UnmarshalJSON`): every number is a float first, keys are in
    /// go-yaml v3's order, and each scalar has the style and tag that go-yaml v3 would write it with.
    pub fn from_value(value: &Value) -> Self {
        match value {
            Value::Null => Self::null(),
            Value::Bool(truth) => Self::scalar(if *truth { "true" } else { "false" }, Tag::Bool),
            #[expect(
                clippy::cast_precision_loss,
                reason = "Go loses the precision of large integers here"
            )]
            Value::Int(number) => from_float(*number as f64),
            #[expect(
                clippy::cast_precision_loss,
                reason = "Go loses the precision of large integers here"
            )]
            Value::Uint(number) => from_float(*number as f64),
            Value::Float(number) => from_float(*number),
            Value::String(text) => from_text(text),
            Value::Array(items) => {
                let style = if items.is_empty() {
                    Style::FLOW
                } else {
                    Style::PLAIN
                };
                Self::new(
                    Data::Sequence(items.iter().map(Self::from_value).collect()),
                    Tag::Seq,
                    style,
                )
            }
            Value::Object(entries) => {
                let mut entries: Vec<&(Text, Value)> = entries.iter().collect();
                key_order::sort(&mut entries, Dialect::V3, |(key, _)| key);
                let style = if entries.is_empty() {
                    Style::FLOW
                } else {
                    Style::PLAIN
                };
                let entry =
                    |(key, value): &(Text, Value)| (from_text(key), Self::from_value(value));
                Self::new(
                    Data::Mapping(entries.into_iter().map(entry).collect()),
                    Tag::Map,
                    style,
                )
            }
        }
    }
}

fn from_float(number: f64) -> Node {
    let text = number::format_general(number);
    let tag = implicit_tag(&text);
    Node::scalar(text, tag)
}

fn from_text(text: &Text) -> Node {
    let style = string_style(text);
    // Nothing quotes the merge key on its way through text.
    let tag = if text == "<<" { Tag::Merge } else { Tag::Str };
    Node::new(Data::Scalar(text.clone()), tag, style)
}

/// The style that go-yaml v3 writes a string in where no style is asked for.
fn string_style(text: &str) -> Style {
    let analysis = analyze(text, true);
    if text.contains('\n') {
        return if analysis.allows_block {
            Style::LITERAL
        } else {
            Style::DOUBLE_QUOTED
        };
    }
    if !is_plain_string(text, Dialect::V2)
        || is_base_60(text)
        || implicit_tag(text) != Tag::Str && text != "<<"
    {
        return Style::DOUBLE_QUOTED;
    }
    if analysis.allows_block_plain {
        Style::PLAIN
    } else if analysis.allows_single_quoted {
        Style::SINGLE_QUOTED
    } else {
        Style::DOUBLE_QUOTED
    }
}
