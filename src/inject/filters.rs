//! What may stand behind a `|` in a placeholder.
//!
//! A filter that cannot take a value says what it expected and nothing else: minijinja's own messages could quote.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use goyaml::{Dialect, Limits, Node};
use minijinja::value::{Object, ValueKind};
use minijinja::{Environment, Error, ErrorKind, Value};

/// Bounds on a setting that is a block of YAML.
const LIMITS: Limits = Limits {
    bytes: 1 << 20,
    depth: 100,
    alias_nodes: 10_000,
};

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

/// Adds all filters but `default`, which has to tell that it stood in.
pub(super) fn add(environment: &mut Environment<'_>) {
    environment.add_filter("int", |value: Value| int(&value));
    environment.add_filter("bool", |value: Value| bool(&value));
    environment.add_filter("float", |value: Value| float(&value));
    environment.add_filter("b64encode", |value: Value| {
        text(&value, "a text").map(|text| Value::from(STANDARD.encode(text)))
    });
    environment.add_filter("json", |value: Value| json(&value));
    environment.add_filter("yaml", |value: Value| yaml(&value));
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

/// A value as text; only what a setting, a literal or another filter can be.
fn text(value: &Value, expected: &'static str) -> Result<String, Error> {
    match value.kind() {
        ValueKind::Undefined => Err(Error::new(ErrorKind::UndefinedError, "")),
        ValueKind::String | ValueKind::Number => Ok(value.to_string()),
        ValueKind::Bool => Ok(value.is_true().to_string()),
        _ => Err(wrong_type(expected)),
    }
}

fn int(value: &Value) -> Result<Value, Error> {
    const EXPECTED: &str = "an integer";
    let text = text(value, EXPECTED)?;
    let text = text.trim();
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    // A leading zero is octal to some readers and decimal to others.
    if digits.is_empty()
        || !digits.bytes().all(|byte| byte.is_ascii_digit())
        || (digits.len() > 1 && digits.starts_with('0'))
    {
        return Err(wrong_type(EXPECTED));
    }
    text.parse::<i64>()
        .map_err(|_| wrong_type("an integer of at most 64 bits"))
        .map(Value::from)
}

fn float(value: &Value) -> Result<Value, Error> {
    const EXPECTED: &str = "a number";
    let text = text(value, EXPECTED)?;
    let text = text.trim();
    let is_plain = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E'));
    let number = text
        .parse::<f64>()
        .ok()
        .filter(|number| is_plain && number.is_finite());
    number.map(Value::from).ok_or_else(|| wrong_type(EXPECTED))
}

fn bool(value: &Value) -> Result<Value, Error> {
    const EXPECTED: &str = "`true` or `false`";
    match text(value, EXPECTED)?.trim() {
        "true" | "True" | "TRUE" => Ok(Value::from(true)),
        "false" | "False" | "FALSE" => Ok(Value::from(false)),
        _ => Err(wrong_type(EXPECTED)),
    }
}

// Any key may be a block for now; where a schema gives keys their types, it is for the schema to say.
fn yaml(value: &Value) -> Result<Value, Error> {
    block(value, "one document of valid YAML")
}

fn json(value: &Value) -> Result<Value, Error> {
    const EXPECTED: &str = "valid JSON";
    let text = text(value, EXPECTED)?;
    goyaml::Value::from_json(text.as_bytes()).map_err(|_| wrong_type(EXPECTED))?;
    // Numbers keep the text that they were written with when JSON is read as the YAML that it is.
    block(value, EXPECTED)
}

fn block(value: &Value, expected: &'static str) -> Result<Value, Error> {
    let text = text(value, expected)?;
    let documents =
        goyaml::parse_documents(text.as_bytes(), &LIMITS).map_err(|_| wrong_type(expected))?;
    let Ok([mut node]) = <[Node; 1]>::try_from(documents) else {
        return Err(wrong_type(expected));
    };
    // What cannot be written as JSON (a key twice, a key that is no text) is found here, where it can be told apart.
    node.to_value(Dialect::V3)
        .map_err(|_| wrong_type(expected))?;
    node.set_file(0);
    Ok(Value::from_object(Block(node)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(result: &Result<Value, Error>) -> String {
        match result {
            Ok(value) => text(value, "").unwrap_or_default(),
            Err(error) => format!("expected {}", expected(error).unwrap_or_default()),
        }
    }

    #[test]
    fn integers() {
        for (text, expected) in [
            ("12", "12"),
            (" -3\n", "-3"),
            ("9223372036854775807", "9223372036854775807"),
            (
                "9223372036854775808",
                "expected an integer of at most 64 bits",
            ),
            ("012", "expected an integer"),
            ("1.5", "expected an integer"),
            ("0x10", "expected an integer"),
            ("", "expected an integer"),
            ("latest", "expected an integer"),
        ] {
            assert_eq!(shown(&int(&Value::from(text))), expected, "{text}");
        }
    }

    #[test]
    fn numbers_and_booleans() {
        assert_eq!(shown(&float(&Value::from("1.50"))), "1.5");
        assert_eq!(shown(&float(&Value::from("NaN"))), "expected a number");
        assert_eq!(shown(&float(&Value::from("inf"))), "expected a number");
        assert_eq!(shown(&bool(&Value::from("True"))), "true");
        assert_eq!(
            shown(&bool(&Value::from("yes"))),
            "expected `true` or `false`"
        );
    }

    #[test]
    fn blocks() {
        assert!(yaml(&Value::from("a: 1\nb: [x]\n")).is_ok());
        assert!(json(&Value::from("{\"a\": 1}")).is_ok());
        assert_eq!(shown(&json(&Value::from("{a: 1}"))), "expected valid JSON");
        for text in ["a: 1\n---\nb: 2\n", "a: 1\na: 2\n", "a: [", ""] {
            assert_eq!(
                shown(&yaml(&Value::from(text))),
                "expected one document of valid YAML",
                "{text}"
            );
        }
    }
}
