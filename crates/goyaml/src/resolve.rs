//! What a scalar means: the rules by which go-yaml v3 and v2 turn a text into null, bool, number or string.

use std::borrow::Cow;

use crate::error::Error;
use crate::node::{Position, Style, Tag, Text};
use crate::number::{self, Number};
use crate::timestamp::Timestamp;

/// Which reader's rules decide what a scalar means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// go-yaml v3: `yes` and `on` are strings.
    V3,
    /// go-yaml v2, as `sigs.k8s.io/yaml` uses it: the YAML 1.1 words are booleans and timestamps stay strings.
    V2,
}

/// What a scalar stands for.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// An integer that fits 64 bits with a sign.
    Int(i64),
    /// An integer that only fits 64 bits without a sign.
    Uint(u64),
    /// A floating point number, which may be infinite or not a number.
    Float(f64),
    /// A text: the scalar's own, or what a `!!binary` scalar decodes to.
    Text(Cow<'a, str>),
    /// A date or a point in time.
    Timestamp(Timestamp),
}

impl Scalar<'_> {
    const fn tag(&self) -> Tag {
        match self {
            Self::Null => Tag::Null,
            Self::Bool(_) => Tag::Bool,
            Self::Int(_) | Self::Uint(_) => Tag::Int,
            Self::Float(_) => Tag::Float,
            Self::Text(_) => Tag::Str,
            Self::Timestamp(_) => Tag::Timestamp,
        }
    }

    /// The text that `sigs.k8s.io/yaml` makes of a number or boolean where a text is needed; `None` for all others.
    pub fn needed_text(&self) -> Option<Text> {
        match self {
            Self::Bool(value) => Some(if *value { "true" } else { "false" }.into()),
            Self::Int(number) => Some(number.to_string().into()),
            Self::Uint(number) => Some(number.to_string().into()),
            Self::Float(number) => Some(number::format_general_32(*number).into()),
            Self::Null | Self::Text(_) | Self::Timestamp(_) => None,
        }
    }
}

/// The tag that go-yaml v3 gives to a plain scalar without a tag.
pub fn implicit_tag(text: &str) -> Tag {
    match text.as_bytes() {
        b"<<" => Tag::Merge,
        // Most scalars are words; only these first bytes can begin anything else.
        []
        | [
            b'0'..=b'9' | b'+' | b'-' | b'.' | b'~' | b'n' | b'N' | b't' | b'T' | b'f' | b'F',
            ..,
        ] => untagged(text, Dialect::V3, true).tag(),
        _ => Tag::Str,
    }
}

/// The tag that a plain text has for go-yaml v2, which decides whether its writer must quote it.
pub(crate) fn is_plain_string(text: &str, dialect: Dialect) -> bool {
    match text.as_bytes() {
        [] => false,
        [
            b'0'..=b'9' | b'+' | b'-' | b'.' | b'~' | b'n' | b'N' | b't' | b'T' | b'f' | b'F',
            ..,
        ] => {
            matches!(untagged(text, dialect, true), Scalar::Text(_))
        }
        [b'y' | b'Y' | b'o' | b'O', ..] if dialect == Dialect::V2 => word_1_1(text).is_none(),
        _ => true,
    }
}

/// Finds what a scalar stands for.
///
/// `tag` and `style` are those of the node; an untagged plain scalar is resolved from its text alone under
/// [`Dialect::V2`], because the tag of a node is the one that go-yaml v3 would give it.
///
/// Fails where the text does not fit an explicit tag, as in `!!int abc`.
pub fn resolve(text: &str, tag: Tag, style: Style, dialect: Dialect) -> Result<Scalar<'_>, Error> {
    let is_tagged = style.contains(Style::TAGGED);
    if dialect == Dialect::V2 && !is_tagged {
        return Ok(if style == Style::PLAIN {
            match untagged(text, dialect, true) {
                // go-yaml v2 keeps the text of a timestamp where no type is asked for.
                Scalar::Timestamp(_) => Scalar::Text(text.into()),
                scalar => scalar,
            }
        } else {
            Scalar::Text(text.into())
        });
    }
    match tag {
        Tag::Str | Tag::Merge | Tag::Seq | Tag::Map | Tag::Custom => Ok(Scalar::Text(text.into())),
        Tag::Binary => binary(text),
        Tag::Null | Tag::Bool | Tag::Int | Tag::Float | Tag::Timestamp => {
            match (untagged(text, dialect, tag == Tag::Timestamp), tag) {
                (Scalar::Int(number), Tag::Float) => Ok(Scalar::Float(to_float(number))),
                (Scalar::Timestamp(_), Tag::Timestamp) if dialect == Dialect::V2 => {
                    Ok(Scalar::Text(text.into()))
                }
                (scalar, _) if scalar.tag() == tag => Ok(scalar),
                (scalar, _) => Err(Error::new(
                    Position::default(),
                    format!(
                        "cannot decode {} scalar as {}",
                        scalar.tag().as_str(),
                        tag.as_str()
                    ),
                )),
            }
        }
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "an integer tagged !!float becomes the nearest float, as in Go"
)]
const fn to_float(number: i64) -> f64 {
    number as f64
}

/// Resolves a text that has no tag, or whose tag only narrows what it may be.
fn untagged(text: &str, dialect: Dialect, may_be_timestamp: bool) -> Scalar<'_> {
    let Some(first) = text.bytes().next() else {
        return Scalar::Null;
    };
    let found = match first {
        b'0'..=b'9' | b'+' | b'-' => signed_or_digit(text, dialect, may_be_timestamp),
        b'.' => dotted(text),
        b'~' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'y' | b'Y' | b'o' | b'O' => {
            word(text, dialect)
        }
        _ => None,
    };
    found.unwrap_or(Scalar::Text(Cow::Borrowed(text)))
}

fn word(text: &str, dialect: Dialect) -> Option<Scalar<'static>> {
    match text {
        "~" | "null" | "Null" | "NULL" => Some(Scalar::Null),
        "true" | "True" | "TRUE" => Some(Scalar::Bool(true)),
        "false" | "False" | "FALSE" => Some(Scalar::Bool(false)),
        _ if dialect == Dialect::V2 => word_1_1(text).map(Scalar::Bool),
        _ => None,
    }
}

/// The booleans of YAML 1.1 that YAML 1.2 gave up, which go-yaml v3 still reads where it needs a boolean.
pub fn word_1_1(text: &str) -> Option<bool> {
    match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Some(true),
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}

fn dotted(text: &str) -> Option<Scalar<'static>> {
    match text {
        ".nan" | ".NaN" | ".NAN" => Some(Scalar::Float(f64::NAN)),
        ".inf" | ".Inf" | ".INF" => Some(Scalar::Float(f64::INFINITY)),
        _ => number::parse_dotted(text).map(Scalar::Float),
    }
}

fn signed_or_digit(
    text: &str,
    dialect: Dialect,
    may_be_timestamp: bool,
) -> Option<Scalar<'static>> {
    match text {
        "+.inf" | "+.Inf" | "+.INF" => return Some(Scalar::Float(f64::INFINITY)),
        "-.inf" | "-.Inf" | "-.INF" => return Some(Scalar::Float(f64::NEG_INFINITY)),
        _ => {}
    }
    if may_be_timestamp && let Some(time) = Timestamp::parse(text) {
        return Some(Scalar::Timestamp(time));
    }
    number::parse(text, dialect).map(|number| match number {
        Number::Int(number) => Scalar::Int(number),
        Number::Uint(number) => Scalar::Uint(number),
        Number::Float(number) => Scalar::Float(number),
    })
}

/// Decodes the text of a `!!binary` scalar; bytes that are not UTF-8 become U+FFFD, as Go's JSON encoder writes them.
fn binary(text: &str) -> Result<Scalar<'_>, Error> {
    let invalid = || {
        Error::new(
            Position::default(),
            "`!!binary` value contains invalid base64 data",
        )
    };
    let bytes = crate::base64::decode(text).ok_or_else(invalid)?;
    Ok(Scalar::Text(Cow::Owned(crate::base64::to_utf8(bytes))))
}
