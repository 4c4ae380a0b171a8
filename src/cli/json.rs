//! JSON for programs that read what a command reports.

use goyaml::{Text, Value};

/// A document, as it is printed.
pub(super) fn document(value: &Value) -> String {
    let mut text = value.to_json_indented();
    text.push('\n');
    text
}

pub(super) fn object(fields: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
    let fields = fields.into_iter().map(|(key, value)| (key.into(), value));
    Value::Object(fields.collect())
}

/// An object of those fields that there are.
pub(super) fn some(fields: impl IntoIterator<Item = (&'static str, Option<Value>)>) -> Value {
    let fields = fields.into_iter();
    object(fields.filter_map(|(key, value)| Some((key, value?))))
}

pub(super) fn array(items: impl IntoIterator<Item = Value>) -> Value {
    Value::Array(items.into_iter().collect())
}

pub(super) fn string(text: impl Into<Text>) -> Value {
    Value::String(text.into())
}

/// A text, unless it is empty.
pub(super) fn filled(text: &str) -> Option<Value> {
    (!text.is_empty()).then(|| string(text))
}

pub(super) fn count(number: usize) -> Value {
    Value::Uint(u64::try_from(number).unwrap_or(u64::MAX))
}

/// A line, unless it is unknown.
pub(super) fn line(number: u32) -> Option<Value> {
    (number > 0).then(|| Value::Uint(number.into()))
}
