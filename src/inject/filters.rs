//! What may stand behind a `|` in a placeholder.
//!
//! A filter that cannot take a value says what it expected and nothing else: minijinja's own messages could quote.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use goyaml::Node;
use minijinja::value::{Object, ValueKind};
use minijinja::{Environment, Error, ErrorKind, Value};

use crate::settings::types;

/// The names of all filters, for messages.
pub(super) const NAMES: &str =
    "`default(…)`, `int`, `bool`, `float`, `b64encode`, `json` and `yaml`";

/// What `yaml` and `json` make of a value.
pub(super) struct Block(pub(super) Node);

// A block holds a value, which must not reach any text but the output.
impl fmt::Debug for Block {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Block")
    }
}

impl Object for Block {
    fn render(self: &Arc<Self>, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Err(fmt::Error)
    }
}

/// Adds the filters that need to know nothing but the value.
pub(super) fn add(environment: &mut Environment<'_>) {
    environment.add_filter("int", |value: Value| read(&value, types::int));
    environment.add_filter("bool", |value: Value| read(&value, types::bool));
    environment.add_filter("float", |value: Value| read(&value, types::float));
    environment.add_filter("b64encode", |value: Value| {
        text(&value).map(|text| Value::from(STANDARD.encode(text)))
    });
}

/// What a filter of ours expected, out of the error that it returned.
pub(super) fn expected(error: &Error) -> Option<&str> {
    (error.kind() == ErrorKind::BadSerialization)
        .then(|| error.detail())
        .flatten()
}

fn wrong_type(expected: &'static str) -> Error {
    // The kind serves as the mark of these errors: nothing else that is evaluated here serializes.
    Error::new(ErrorKind::BadSerialization, expected)
}

/// Makes a block of a value.
///
/// # Errors
/// Where the value is none.
pub(super) fn block(
    value: &Value,
    parse: fn(&str) -> Result<Node, &'static str>,
) -> Result<Value, Error> {
    let node = parse(&text(value)?).map_err(wrong_type)?;
    Ok(Value::from_object(Block(node)))
}

fn read<T: Into<Value>>(
    value: &Value,
    parse: fn(&str) -> Result<T, &'static str>,
) -> Result<Value, Error> {
    parse(&text(value)?).map(Into::into).map_err(wrong_type)
}

/// A value as text; only what a setting, a literal or another filter can be.
fn text(value: &Value) -> Result<String, Error> {
    match value.kind() {
        ValueKind::Undefined => Err(Error::new(ErrorKind::UndefinedError, "")),
        ValueKind::String | ValueKind::Number => Ok(value.to_string()),
        ValueKind::Bool => Ok(value.is_true().to_string()),
        _ => Err(wrong_type("a single text")),
    }
}
