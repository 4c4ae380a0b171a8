//! Decoding: from nodes to values, by the rules of go-yaml v3 or v2 and of Go's JSON encoder.

use std::borrow::Cow;

use crate::analysis::{analyze, is_break};
use crate::emit::{Place, Shape};
use crate::encode::{SIMPLE_KEY, is_simple_key};
use crate::error::Error;
use crate::fold;
use crate::node::{Data, Node, Position, Style, Tag, Text};
use crate::number;
use crate::resolve::{Dialect, Scalar, implicit_tag, resolve};
use crate::substitute::substitute_aliases;
use crate::value::Value;

impl Node {
    /// The JSON value that decoding the node and encoding the outcome gives in Go.
    ///
    /// Under [`Dialect::V3`] this is what kustomize's `RNode.MarshalJSON` does but for writing the node as text first;
    /// under [`Dialect::V2`] it is `sigs.k8s.io/yaml.YAMLToJSON` on the text that the node was read from.
    ///
    /// Fails where Go does: a scalar that does not fit its tag, a key that is no string (V3) or no scalar (V2), a key
    /// that repeats (V3), a merge key without a mapping, a float that is not finite, an alias without its anchor.
    pub fn to_value(&self, dialect: Dialect) -> Result<Value, Error> {
        let tree = substitute_aliases(self)?;
        ToValue {
            dialect,
            is_reencoded: false,
        }
        .value(&tree, Place::ROOT)
    }

    /// The JSON value that kustomize's `RNode.MarshalJSON` gives: [`Self::to_value`] under [`Dialect::V3`] after go-yaml
    /// v3 has written the node as text and read it again, which changes folded scalars.
    pub fn to_reencoded_value(&self) -> Result<Value, Error> {
        ToValue::REENCODED.value(self, Place::ROOT)
    }
}

/// How nodes become values.
#[derive(Clone, Copy)]
pub(crate) struct ToValue {
    dialect: Dialect,
    /// Whether go-yaml v3 writes the tree as text and reads it again first.
    is_reencoded: bool,
}

impl ToValue {
    pub(crate) const REENCODED: Self = Self {
        dialect: Dialect::V3,
        is_reencoded: true,
    };

    fn value(self, node: &Node, place: Place) -> Result<Value, Error> {
        if let (Dialect::V2, Data::Mapping(entries)) = (self.dialect, &node.data) {
            let mut object = Vec::with_capacity(entries.len());
            self.merge_entries(entries, &mut object)?;
            return Ok(Value::Object(object));
        }
        Ok(match self.shape(node, place)? {
            Shape::Null => Value::Null,
            Shape::Bool(value) => Value::Bool(value),
            Shape::Int(value) => Value::Int(value),
            Shape::Uint(value) => Value::Uint(value),
            Shape::Float(value) => self.float(value, node.position)?,
            Shape::Text(text) => Value::String(match (&text, &node.data) {
                // A text that is the node's own is shared with it.
                (Cow::Borrowed(same), Data::Scalar(own)) if same.len() == own.len() => own.clone(),
                _ => text.as_ref().into(),
            }),
            Shape::Sequence(items, place) => Value::Array(
                items
                    .iter()
                    .map(|item| self.value(item, place))
                    .collect::<Result<_, _>>()?,
            ),
            Shape::Mapping(entries, place) => {
                let entry = |(key, value): (Cow<'_, str>, &Node)| {
                    Ok((key.as_ref().into(), self.value(value, place)?))
                };
                Value::Object(
                    entries
                        .into_iter()
                        .map(entry)
                        .collect::<Result<_, Error>>()?,
                )
            }
            Shape::Value(value) => value,
        })
    }

    #[expect(clippy::unused_self, reason = "reads as the other conversions")]
    fn float(self, number: f64, position: Position) -> Result<Value, Error> {
        if number.is_finite() {
            return Ok(Value::Float(number));
        }
        Err(Error::new(
            position,
            "json: unsupported value: a float that is not a finite number",
        ))
    }

    /// What the root of a tree is.
    pub(crate) fn shape(self, node: &Node, place: Place) -> Result<Shape<'_, Node>, Error> {
        let below = Place {
            is_root: false,
            is_flow: place.is_flow || node.style.contains(Style::FLOW),
        };
        match &node.data {
            Data::Scalar(text) => self.scalar(node, text, place),
            Data::Sequence(items) => Ok(Shape::Sequence(items, below)),
            Data::Mapping(entries) => {
                refuse_repeated_keys(entries)?;
                let place = Place {
                    is_flow: below.is_flow,
                    ..place
                };
                if entries.iter().any(|(key, _)| is_merge(key)) {
                    let mut object = Vec::new();
                    self.inherit_entries(entries, place, below, &mut object)?;
                    return Ok(Shape::Value(Value::Object(object)));
                }
                let mut shape = Vec::with_capacity(entries.len());
                for (key, value) in entries {
                    if let Some(key) = self.key(key, place)? {
                        shape.push((key, value));
                    }
                }
                Ok(Shape::Mapping(shape, below))
            }
            Data::Alias(_) => Err(Error::unknown_anchor(node.position)),
        }
    }

    fn scalar<'n>(
        self,
        node: &'n Node,
        text: &'n Text,
        place: Place,
    ) -> Result<Shape<'n, Node>, Error> {
        if node.style.contains(Style::ESCAPED) {
            return Ok(Shape::Text(Cow::Borrowed(text)));
        }
        if self.is_reencoded
            && let Some(text) = reencoded(node, text, place)?
        {
            return Ok(Shape::Text(text));
        }
        Ok(
            match resolve(text, node.tag, node.style, self.dialect)
                .map_err(|error| at(node, error))?
            {
                Scalar::Null => Shape::Null,
                Scalar::Bool(value) => Shape::Bool(value),
                Scalar::Int(value) => Shape::Int(value),
                Scalar::Uint(value) => Shape::Uint(value),
                Scalar::Float(value) => Shape::Float(value),
                Scalar::Text(text) => Shape::Text(text),
                Scalar::Timestamp(time) if time.is_json_time() => {
                    Shape::Text(Cow::Owned(time.to_string()))
                }
                Scalar::Timestamp(_) => {
                    return Err(Error::new(
                        node.position,
                        "json: timezone hour outside of range [0,23]",
                    ));
                }
            },
        )
    }

    /// A key as go-yaml v3 decodes it; `None` for the `null` that a document's own mapping drops.
    fn key(self, key: &Node, place: Place) -> Result<Option<Cow<'_, str>>, Error> {
        let Data::Scalar(text) = &key.data else {
            return Err(Error::new(key.position, "yaml: invalid map key"));
        };
        if self.is_reencoded
            && is_complex_key(key, text)
            && let Some(text) = reencoded(key, text, place)?
        {
            return Ok(Some(text));
        }
        if key.tag == Tag::Str || self.is_reencoded && loses_tag(key, text, place) {
            return Ok(Some(Cow::Borrowed(text)));
        }
        if self.is_reencoded && key.tag == Tag::Null && text.is_empty() && key.style == Style::PLAIN
        {
            return Ok(Some(Cow::Borrowed("")));
        }
        if !place.is_root {
            return Err(Error::new(
                key.position,
                "json: unsupported type: a mapping with a key that is not a string",
            ));
        }
        Ok(
            match resolve(text, key.tag, key.style, self.dialect).map_err(|error| at(key, error))? {
                Scalar::Null => None,
                Scalar::Text(text) => Some(text),
                _ => Some(Cow::Borrowed(text)),
            },
        )
    }

    /// Adds the entries of a mapping to those that it inherits from merge keys, as go-yaml v3: the first one stays.
    fn inherit_entries(
        self,
        entries: &[(Node, Node)],
        place: Place,
        below: Place,
        object: &mut Vec<(Text, Value)>,
    ) -> Result<(), Error> {
        for (key, value) in entries.iter().filter(|(key, _)| !is_merge(key)) {
            let Some(key) = self.key(key, place)? else {
                continue;
            };
            let value = self.value(value, below)?;
            if !object.iter().any(|(name, _)| *name == *key) {
                object.push((key.as_ref().into(), value));
            }
        }
        for (_, source) in entries.iter().filter(|(key, _)| is_merge(key)) {
            for source in merge_sources(source)? {
                refuse_repeated_keys(source)?;
                self.inherit_entries(source, place, below, object)?;
            }
        }
        Ok(())
    }

    /// Adds the entries of a mapping, as go-yaml v2: the last one stays, merged or not.
    fn merge_entries(
        self,
        entries: &[(Node, Node)],
        object: &mut Vec<(Text, Value)>,
    ) -> Result<(), Error> {
        for (key, value) in entries {
            if is_merge(key) {
                for source in merge_sources(value)?.iter().rev() {
                    self.merge_entries(source, object)?;
                }
                continue;
            }
            let key = key_1_1(key)?;
            let value = self.value(value, Place::default())?;
            match object.iter_mut().find(|(name, _)| *name == key) {
                Some((_, slot)) => *slot = value,
                None => object.push((key, value)),
            }
        }
        Ok(())
    }
}

fn at(node: &Node, error: Error) -> Error {
    Error {
        position: node.position,
        ..error
    }
}

/// The text of a block scalar once go-yaml v3 wrote and read it; `None` where it is as it was, or cannot be read.
pub(crate) fn reencoded_text(node: &Node) -> Option<Cow<'_, str>> {
    let Data::Scalar(text) = &node.data else {
        return None;
    };
    reencoded(node, text, Place::default()).ok().flatten()
}

/// The text that a scalar has once go-yaml v3 wrote and read it, where that differs from decoding it as it is.
fn reencoded<'n>(node: &Node, text: &'n Text, place: Place) -> Result<Option<Cow<'n, str>>, Error> {
    let is_line = !text.as_bytes().contains(&b'\n');
    if is_line && node.tag == Tag::Str && node.style == Style::PLAIN {
        return Ok(None);
    }
    if place.is_flow && text.is_empty() && node.tag == Tag::Null && node.style == Style::PLAIN {
        // kustomize: yaml_emitter_select_scalar_style quotes an empty scalar within brackets, which makes it a string.
        return Ok(Some(Cow::Borrowed("")));
    }
    if loses_tag(node, text, place) {
        return Ok(Some(Cow::Borrowed(text)));
    }
    let is_folded = node.style.contains(Style::FOLDED);
    let is_block = is_folded
        || node.style.contains(Style::LITERAL)
        || node.style.without(Style::TAGGED) == Style::PLAIN && !is_line;
    // All others are read as they were.
    let may_change = is_folded || text.starts_with('\t');
    if !is_block || place.is_flow || !may_change || !analyze(text, true).allows_block {
        return Ok(None);
    }
    if text.starts_with('\t') {
        // kustomize: go-yaml v3 writes such a text without the indentation that its reader then needs.
        let message = "yaml: found a tab character where an indentation space is expected";
        return Err(Error::new(node.position, message));
    }
    Ok(if is_folded && matches!(node.tag, Tag::Str | Tag::Custom) {
        Some(fold::round_trip(text))
    } else {
        None
    })
}

/// Whether go-yaml v3 writes a key after `?`, where it may be a block scalar.
fn is_complex_key(key: &Node, text: &str) -> bool {
    let is_plain_ascii = text.bytes().all(|byte| (b' '..0x7f).contains(&byte));
    (text.len() > SIMPLE_KEY || !is_plain_ascii && text.contains(is_break)) && !is_simple_key(key)
}

/// Whether go-yaml v3 writes a scalar that is no string within quotes and without its tag, so that it is read as one.
fn loses_tag(node: &Node, text: &str, place: Place) -> bool {
    let is_quoted = node.style != Style::PLAIN
        || place.is_flow && node.tag == Tag::Timestamp && text.contains(':');
    is_quoted
        && node.tag != Tag::Str
        && !node.style.contains(Style::TAGGED)
        && implicit_tag(text) == node.tag
}

/// Whether a key is the merge key `<<`.
fn is_merge(key: &Node) -> bool {
    key.tag == Tag::Merge && key.as_str() == Some("<<")
        || key.tag == Tag::Str && key.style == Style::PLAIN && key.as_str() == Some("<<")
}

/// The mappings that the value of a merge key names.
fn merge_sources(source: &Node) -> Result<Vec<&[(Node, Node)]>, Error> {
    let invalid = || {
        Error::new(
            source.position,
            "yaml: map merge requires map or sequence of maps as the value",
        )
    };
    match &source.data {
        Data::Mapping(entries) => Ok(vec![entries]),
        Data::Sequence(items) => items
            .iter()
            .map(|item| item.entries().ok_or_else(invalid))
            .collect(),
        Data::Scalar(_) | Data::Alias(_) => Err(invalid()),
    }
}

/// Refuses a mapping in which two keys have the same text.
fn refuse_repeated_keys(entries: &[(Node, Node)]) -> Result<(), Error> {
    const FEW: usize = 12;
    let repeated = |key: &Node, first: &Node| {
        let name = key.as_str().unwrap_or_default();
        let message = format!(
            "mapping key `{name}` already defined at line {}",
            first.position.line
        );
        Err(Error::new(key.position, message))
    };
    if entries.len() <= FEW {
        for (index, (key, _)) in entries.iter().enumerate() {
            let earlier = entries
                .iter()
                .take(index)
                .find(|(first, _)| key.is_scalar() && first.as_str() == key.as_str());
            if let Some((first, _)) = earlier {
                return repeated(key, first);
            }
        }
        return Ok(());
    }
    let mut keys: Vec<&Node> = entries
        .iter()
        .map(|(key, _)| key)
        .filter(|key| key.is_scalar())
        .collect();
    keys.sort_by_key(|key| key.as_str());
    match keys
        .windows(2)
        .find(|pair| matches!(pair, [first, key] if first.as_str() == key.as_str()))
    {
        Some([first, key]) => repeated(key, first),
        _ => Ok(()),
    }
}

/// A key as `sigs.k8s.io/yaml` turns it into a string.
fn key_1_1(key: &Node) -> Result<Text, Error> {
    let Data::Scalar(text) = &key.data else {
        return Err(Error::new(key.position, "yaml: invalid map key"));
    };
    Ok(
        match resolve(text, key.tag, key.style, Dialect::V2).map_err(|error| at(key, error))? {
            Scalar::Bool(true) => "true".into(),
            Scalar::Bool(false) => "false".into(),
            Scalar::Int(number) => number.to_string().into(),
            Scalar::Float(number) => number::format_general_32(number).into(),
            Scalar::Text(text) => text.as_ref().into(),
            Scalar::Null | Scalar::Uint(_) | Scalar::Timestamp(_) => {
                return Err(Error::new(key.position, "unsupported map key"));
            }
        },
    )
}
