//! Trees as kustomize prints them: keys sorted, in the words of go-yaml v2.

use std::borrow::Cow;

use crate::analysis::{Analysis, analyze};
use crate::encode::SIMPLE_KEY;
use crate::error::Error;
use crate::key_order;
use crate::node::{Data, Node, Position, Style};
use crate::number::{self, Number};
use crate::reencode;
use crate::resolve::{Dialect, is_plain_string};
use crate::scalar_writer::Output;
use crate::to_value::ToValue;
use crate::value::Value;

/// The column after which go-yaml v2 folds a line.
const WIDTH: usize = 80;

/// Appends a resource as kustomize prints it (`Resource.AsYAML`): keys in go-yaml v2's order, styles chosen anew.
///
/// The text ends with a line break; where it fails, `out` is left as it was.
///
/// Fails where kustomize does: on a key that repeats, a key that is not a string, a float that JSON does not know, an
/// alias, a character that no YAML reader takes.
pub fn emit_canonical(node: &Node, out: &mut String) -> Result<(), Error> {
    emit_canonical_within(usize::MAX, node, out)
}

/// The message of an error of [`emit_canonical_within`] where there is too much to write.
pub const TOO_LONG: &str = "the text is too long";

/// As [`emit_canonical`], as long as no more than so many bytes are added.
///
/// Fails besides with [`TOO_LONG`], soon after more have been written.
pub fn emit_canonical_within(limit: usize, node: &Node, out: &mut String) -> Result<(), Error> {
    let length = out.len();
    let mut emitter = Emitter {
        output: Output::new(out, WIDTH).within(length.saturating_add(limit)),
    };
    let written = match &node.data {
        // kustomize: RNode.MarshalJSON decodes all but sequences into a mapping, which stays empty for null.
        Data::Scalar(_) if node.is_null() => emitter.root(&Value::Object(Vec::new())),
        Data::Scalar(_) => Err(Error::new(
            node.position,
            "yaml: cannot unmarshal a scalar into a mapping",
        )),
        _ => emitter.root(node),
    };
    let written = written.and_then(|()| emitter.check_length(node.position));
    if written.is_err() {
        out.truncate(length);
    }
    written
}

/// Writes a value as `sigs.k8s.io/yaml.Marshal` does.
///
/// Fails on characters that JSON may hold and YAML may not, as `sigs.k8s.io/yaml` does.
pub fn emit(value: &Value) -> Result<String, Error> {
    let mut out = String::new();
    Emitter {
        output: Output::new(&mut out, WIDTH),
    }
    .root(value)?;
    Ok(out)
}

/// What a tree may be made of, so that nodes and values are written by the same code.
pub(crate) trait Tree: Sized {
    /// What the tree is at its root; `is_root` and `is_flow` say where it stands.
    fn shape(&self, place: Place) -> Result<Shape<'_, Self>, Error>;
    /// Where the tree was read.
    fn position(&self) -> Position;
    /// Whether a text is to be written with escapes.
    fn is_escaped(&self) -> bool {
        false
    }
}

/// Where a node stands, as far as its meaning depends on it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Place {
    /// Whether the node is the whole document.
    pub(crate) is_root: bool,
    /// Whether the node stands within `[]` or `{}`.
    pub(crate) is_flow: bool,
}

impl Place {
    pub(crate) const ROOT: Self = Self {
        is_root: true,
        is_flow: false,
    };
}

/// A tree's root and the trees below it.
pub(crate) enum Shape<'a, T> {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    Text(Cow<'a, str>),
    Sequence(&'a [T], Place),
    Mapping(Vec<(Cow<'a, str>, &'a T)>, Place),
    /// A tree that only has a shape once it is rewritten, as a mapping with merge keys.
    Value(Value),
}

struct Emitter<'a> {
    output: Output<'a>,
}

impl Emitter<'_> {
    fn check_length(&self, position: Position) -> Result<(), Error> {
        if self.output.is_too_long() {
            return Err(Error::new(position, TOO_LONG));
        }
        Ok(())
    }

    fn root<T: Tree>(&mut self, tree: &T) -> Result<(), Error> {
        match tree.shape(Place::ROOT)? {
            Shape::Value(value) => self.root(&value),
            Shape::Mapping(entries, place) if !entries.is_empty() => {
                self.mapping(entries, place, 0, false)
            }
            Shape::Sequence(items, place) if !items.is_empty() => {
                self.sequence(items, place, 0, false)
            }
            shape => {
                self.scalar(&shape, 2, tree)?;
                self.output.end_line();
                Ok(())
            }
        }
    }

    /// Writes the entries of a mapping, each on lines of its own; the first goes on the line that `is_inline` says.
    fn mapping<T: Tree>(
        &mut self,
        mut entries: Vec<(Cow<'_, str>, &T)>,
        place: Place,
        indent: usize,
        mut is_inline: bool,
    ) -> Result<(), Error> {
        key_order::sort(&mut entries, Dialect::V2, |(key, _)| key);
        for (key, value) in entries {
            if !is_inline {
                self.output.indent(indent);
            }
            is_inline = false;
            self.check_length(value.position())?;
            let is_simple = self.key(&key, indent, value.position())?;
            self.value(value, place, indent, is_simple)?;
        }
        Ok(())
    }

    /// Writes a key with its colon, and tells whether it stands on the line of its value.
    fn key(&mut self, key: &str, indent: usize, position: Position) -> Result<bool, Error> {
        let key = reencode::json_key(key, position)?;
        let analysis = analyze(&key, false);
        let is_simple = key.len() <= SIMPLE_KEY && !analysis.is_multiline;
        if is_simple {
            self.text(&key, analysis, indent + 2, true);
        } else {
            self.output.push("? ");
            self.text(&key, analysis, indent + 2, false);
            self.output.end_line();
            self.output.indent(indent);
        }
        self.output.push_char(':');
        Ok(is_simple)
    }

    fn value<T: Tree>(
        &mut self,
        value: &T,
        place: Place,
        indent: usize,
        is_simple: bool,
    ) -> Result<(), Error> {
        match value.shape(place)? {
            Shape::Value(value) => return self.value(&value, place, indent, is_simple),
            Shape::Mapping(entries, place) if !entries.is_empty() => {
                self.start_block(is_simple);
                return self.mapping(entries, place, indent + 2, !is_simple);
            }
            Shape::Sequence(items, place) if !items.is_empty() => {
                self.start_block(is_simple);
                let indent = if is_simple { indent } else { indent + 2 };
                return self.sequence(items, place, indent, !is_simple);
            }
            shape => {
                self.output.push_char(' ');
                self.scalar(&shape, indent + 2, value)?;
            }
        }
        self.output.end_line();
        Ok(())
    }

    fn start_block(&mut self, is_below: bool) {
        if is_below {
            self.output.newline();
        } else {
            self.output.push_char(' ');
        }
    }

    fn sequence<T: Tree>(
        &mut self,
        items: &[T],
        place: Place,
        indent: usize,
        mut is_inline: bool,
    ) -> Result<(), Error> {
        for item in items {
            if !is_inline {
                self.output.indent(indent);
            }
            is_inline = false;
            self.output.push("- ");
            self.check_length(item.position())?;
            self.item(item, place, indent + 2)?;
        }
        Ok(())
    }

    fn item<T: Tree>(&mut self, item: &T, place: Place, indent: usize) -> Result<(), Error> {
        match item.shape(place)? {
            Shape::Value(value) => self.item(&value, place, indent),
            Shape::Mapping(entries, place) if !entries.is_empty() => {
                self.mapping(entries, place, indent, true)
            }
            Shape::Sequence(items, place) if !items.is_empty() => {
                self.sequence(items, place, indent, true)
            }
            shape => {
                self.scalar(&shape, indent, item)?;
                self.output.end_line();
                Ok(())
            }
        }
    }

    /// Writes what takes no lines of its own: a scalar or an empty collection.
    fn scalar<T: Tree>(
        &mut self,
        shape: &Shape<'_, T>,
        indent: usize,
        tree: &T,
    ) -> Result<(), Error> {
        let position = tree.position();
        match shape {
            Shape::Null | Shape::Value(_) => self.output.push("null"),
            Shape::Bool(true) => self.output.push("true"),
            Shape::Bool(false) => self.output.push("false"),
            Shape::Int(number) => self.output.push(&number.to_string()),
            Shape::Uint(number) => self.output.push(&number.to_string()),
            Shape::Float(number) => self.float(*number, position)?,
            Shape::Text(text) if tree.is_escaped() => {
                self.output.double_quoted(text, indent, false);
            }
            Shape::Text(text) => {
                let analysis = analyze(text, false);
                if analysis.is_common {
                    self.text(text, analysis, indent, false);
                } else {
                    let text = reencode::json_text(text, position)?;
                    self.text(&text, analyze(&text, false), indent, false);
                }
            }
            Shape::Sequence(..) => self.output.push("[]"),
            Shape::Mapping(..) => self.output.push("{}"),
        }
        Ok(())
    }

    fn float(&mut self, number: f64, position: Position) -> Result<(), Error> {
        if !number.is_finite() {
            return Err(Error::new(
                position,
                "json: unsupported value: a float that is not a finite number",
            ));
        }
        let text = match number::through_json(number) {
            Number::Int(number) => number.to_string(),
            Number::Uint(number) => number.to_string(),
            Number::Float(number) => number::format_general(number),
        };
        self.output.push(&text);
        Ok(())
    }

    /// Writes a string in the style that go-yaml v2 chooses for it.
    fn text(&mut self, text: &str, analysis: Analysis, indent: usize, is_simple_key: bool) {
        if analysis.is_multiline && text.contains('\n') {
            if analysis.allows_block && !is_simple_key {
                return self.output.literal(text, indent);
            }
        } else if is_plain_string(text, Dialect::V2) && !is_base_60(text) {
            if analysis.allows_block_plain {
                return self.output.plain(text, indent, !is_simple_key);
            }
            if analysis.allows_single_quoted {
                return self.output.single_quoted(text, indent, !is_simple_key);
            }
        }
        self.output.double_quoted(text, indent, !is_simple_key);
    }
}

/// Whether a text is a number to base 60, which go-yaml does not read but quotes for those who do:
/// `[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?`.
pub(crate) fn is_base_60(text: &str) -> bool {
    let bytes = text.as_bytes();
    if !matches!(bytes, [b'+' | b'-' | b'0'..=b'9', ..]) || !bytes.contains(&b':') {
        return false;
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let mut parts = whole.split(':');
    let is_digit_or_line = |byte: u8| byte.is_ascii_digit() || byte == b'_';
    let starts = parts.next().is_some_and(|first| {
        first.starts_with(|digit: char| digit.is_ascii_digit())
            && first.bytes().all(is_digit_or_line)
    });
    if !starts || !fraction.bytes().all(is_digit_or_line) {
        return false;
    }
    parts.all(|part| matches!(part.as_bytes(), [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9']))
}

impl Tree for Value {
    fn shape(&self, place: Place) -> Result<Shape<'_, Self>, Error> {
        Ok(match self {
            Self::Null => Shape::Null,
            Self::Bool(value) => Shape::Bool(*value),
            Self::Int(value) => Shape::Int(*value),
            Self::Uint(value) => Shape::Uint(*value),
            Self::Float(value) => Shape::Float(*value),
            Self::String(text) => Shape::Text(Cow::Borrowed(text)),
            Self::Array(items) => Shape::Sequence(items, place),
            Self::Object(entries) => Shape::Mapping(
                entries
                    .iter()
                    .map(|(key, value)| (Cow::Borrowed(key.as_str()), value))
                    .collect(),
                place,
            ),
        })
    }

    fn position(&self) -> Position {
        Position::default()
    }
}

impl Tree for Node {
    fn shape(&self, place: Place) -> Result<Shape<'_, Self>, Error> {
        ToValue::REENCODED.shape(self, place)
    }

    fn position(&self) -> Position {
        self.position
    }

    fn is_escaped(&self) -> bool {
        self.style.contains(Style::ESCAPED)
    }
}
