//! Values of Rust types out of YAML nodes, with the place of what does not fit.

use std::fmt;

use goyaml::{Data, Dialect, Node, Scalar, resolve};
use serde::Deserialize;
use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{Deserializer, Expected, IntoDeserializer, Unexpected, Visitor};
use serde::forward_to_deserialize_any;

/// Decodes a node.
///
/// # Errors
/// Where a field is not what the type asks for. No value is quoted.
pub(super) fn decode<'a, T: Deserialize<'a>>(node: &'a Node) -> Result<T, Mismatch> {
    T::deserialize(Typed::root(node))
}

/// A field that is not what it has to be.
#[derive(Debug)]
pub(super) struct Mismatch {
    /// What it has to be.
    pub(super) message: String,
    /// The line of the field.
    pub(super) line: u32,
    /// The names of the fields around it and its own, the innermost first.
    path: Vec<String>,
}

impl Mismatch {
    fn new(message: String) -> Self {
        Self {
            message,
            line: 0,
            path: Vec::new(),
        }
    }

    fn at(mut self, node: &Node) -> Self {
        if self.line == 0 {
            self.line = node.position.line;
        }
        self
    }

    fn within(mut self, name: String) -> Self {
        self.path.push(name);
        self
    }

    /// The field, from the outermost.
    pub(super) fn field(&self) -> Option<String> {
        let names: Vec<&str> = self.path.iter().rev().map(String::as_str).collect();
        (!names.is_empty()).then(|| names.join("."))
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Mismatch {}

impl serde::de::Error for Mismatch {
    fn custom<T: fmt::Display>(_: T) -> Self {
        // Whatever it is, it may quote a value.
        Self::new("has a value that it cannot have".into())
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let found = match found {
            Unexpected::Bool(_) => "a boolean",
            Unexpected::Unsigned(_) | Unexpected::Signed(_) | Unexpected::Float(_) => "a number",
            Unexpected::Unit | Unexpected::Option => "null",
            Unexpected::Seq => "a list",
            Unexpected::Map => "a map",
            _ => "a text",
        };
        let expected = expected.to_string();
        let expected = match expected.as_str() {
            "a string" => "a text",
            "a sequence" => "a list",
            "i64" | "u64" | "f64" => "a number",
            other if other.starts_with("struct ") => "a map",
            other => other,
        };
        Self::new(format!("has to be {expected}, and is {found}"))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(format!("has no `{field}`"))
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::new(format!("has `{field}` twice"))
    }
}

/// A node to decode, and where it stands in the one around it.
#[derive(Clone, Copy)]
struct Typed<'a> {
    node: &'a Node,
    step: Option<Step<'a>>,
}

/// The way from a node to one in it.
#[derive(Clone, Copy)]
enum Step<'a> {
    Field(&'a str),
    Item(usize),
}

impl<'a> Typed<'a> {
    const fn root(node: &'a Node) -> Self {
        Self { node, step: None }
    }

    const fn below(node: &'a Node, step: Step<'a>) -> Self {
        Self {
            node,
            step: Some(step),
        }
    }

    fn locate(self, mismatch: Mismatch) -> Mismatch {
        let mismatch = mismatch.at(self.node);
        match self.step {
            None => mismatch,
            Some(Step::Field(name)) => mismatch.within(name.to_owned()),
            Some(Step::Item(index)) => mismatch.within(index.to_string()),
        }
    }
}

impl<'de> IntoDeserializer<'de, Mismatch> for Typed<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Typed<'de> {
    type Error = Mismatch;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        let node = self.node;
        let decoded = match &node.data {
            Data::Mapping(entries) => {
                let entries = entries.iter().map(|(key, value)| {
                    let name = key.as_str().unwrap_or_default();
                    (name, Self::below(value, Step::Field(name)))
                });
                visitor.visit_map(MapDeserializer::new(entries))
            }
            Data::Sequence(items) => {
                let items = items.iter().enumerate();
                let items = items.map(|(index, node)| Self::below(node, Step::Item(index)));
                visitor.visit_seq(SeqDeserializer::new(items))
            }
            Data::Alias(_) => visitor.visit_unit(),
            Data::Scalar(text) => match resolve(text, node.tag, node.style, Dialect::V2) {
                Ok(Scalar::Null) => visitor.visit_unit(),
                Ok(Scalar::Bool(value)) => visitor.visit_bool(value),
                Ok(Scalar::Int(number)) => visitor.visit_i64(number),
                Ok(Scalar::Uint(number)) => visitor.visit_u64(number),
                Ok(Scalar::Float(number)) => visitor.visit_f64(number),
                Ok(Scalar::Text(_) | Scalar::Timestamp(_)) => visitor.visit_str(text),
                Err(_) => Err(Mismatch::new("does not fit its tag".into())),
            },
        };
        decoded.map_err(|mismatch| self.locate(mismatch))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        if self.node.is_null() {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        // The fields of a struct would be taken from a list by their order.
        if self.node.is_sequence() {
            let mismatch = <Mismatch as serde::de::Error>::invalid_type(Unexpected::Seq, &visitor);
            return Err(self.locate(mismatch));
        }
        self.deserialize_any(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct newtype_struct
        seq tuple tuple_struct map enum identifier
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default)]
    struct Sample {
        text: Option<String>,
        flag: bool,
        list: Vec<Inner>,
        #[serde(rename = "with")]
        map: BTreeMap<String, String>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Inner {
        number: i64,
    }

    fn read(text: &str) -> Result<Sample, String> {
        let node = goyaml::parse(text.as_bytes(), &goyaml::Limits::default())
            .unwrap()
            .unwrap();
        decode(&node).map_err(|mismatch| {
            let field = mismatch.field().unwrap_or_default();
            format!("{}: {field}: {mismatch}", mismatch.line)
        })
    }

    #[test]
    fn what_fits() {
        let text = "text: null\nother: {deep: [1, {}]}\nflag: yes\nlist:\n- number: 0x10\nwith: {a: \"1\", b: 2026-01-01}\n";
        let expected = Sample {
            text: None,
            flag: true,
            list: vec![Inner { number: 16 }],
            map: [("a", "1"), ("b", "2026-01-01")]
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .into(),
        };
        assert_eq!(read(text), Ok(expected));
    }

    #[test]
    fn what_does_not_fit_is_told_with_its_place_and_without_its_value() {
        for (text, expected) in [
            (
                "text: 31415\n",
                "1: text: has to be a text, and is a number",
            ),
            (
                "flag: hunter2\n",
                "1: flag: has to be a boolean, and is a text",
            ),
            (
                "list:\n- number: 1\n- number: hunter2\n",
                "3: list.1.number: has to be a number, and is a text",
            ),
            ("list:\n- {}\n", "2: list.0: has no `number`"),
            (
                "list: hunter2\n",
                "1: list: has to be a list, and is a text",
            ),
            (
                "with:\n  a:\n  - hunter2\n",
                "3: with.a: has to be a text, and is a list",
            ),
            ("flag: true\nflag: true\n", "1: : has `flag` twice"),
            (
                "- 1\n- 1\n- 1\n- 1\n- 1\n",
                "1: : has to be a map, and is a list",
            ),
        ] {
            let told = read(text).unwrap_err();
            assert_eq!(told, expected, "{text}");
        }
    }
}
