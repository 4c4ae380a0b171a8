//! The types that a text can be read as. One reading serves the schema and the filters of placeholders.
//!
//! An error is what was expected, and never the text.

use goyaml::{Dialect, Limits, Node};

/// Bounds on a setting that is a block of YAML.
const LIMITS: Limits = Limits {
    bytes: 1 << 20,
    depth: 100,
    alias_nodes: 10_000,
};

/// Reads an integer.
///
/// # Errors
/// Where it is none of at most 64 bits, or has a leading zero.
pub fn int(text: &str) -> Result<i64, &'static str> {
    let text = text.trim();
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    // A leading zero is octal to some readers and decimal to others.
    if digits.is_empty()
        || !digits.bytes().all(|byte| byte.is_ascii_digit())
        || (digits.len() > 1 && digits.starts_with('0'))
    {
        return Err("an integer");
    }
    text.parse().map_err(|_| "an integer of at most 64 bits")
}

/// Reads a number.
///
/// # Errors
/// Where it is none, or none that is finite.
pub fn float(text: &str) -> Result<f64, &'static str> {
    let text = text.trim();
    let is_plain = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E'));
    text.parse()
        .ok()
        .filter(|number: &f64| is_plain && number.is_finite())
        .ok_or("a number")
}

/// Reads a boolean.
///
/// # Errors
/// Where it is neither `true` nor `false`.
pub fn bool(text: &str) -> Result<bool, &'static str> {
    match text.trim() {
        "true" | "True" | "TRUE" => Ok(true),
        "false" | "False" | "FALSE" => Ok(false),
        _ => Err("`true` or `false`"),
    }
}

/// Reads a mapping or a list in YAML.
///
/// # Errors
/// Where it is not one document of that kind, or has what JSON cannot say: a key twice, a key that is no text.
pub fn yaml(text: &str) -> Result<Node, &'static str> {
    block(text, "a mapping or a list in YAML")
}

/// Reads an object or an array in JSON.
///
/// # Errors
/// Where it is none.
pub fn json(text: &str) -> Result<Node, &'static str> {
    const EXPECTED: &str = "an object or an array in JSON";
    goyaml::Value::from_json(text.as_bytes()).map_err(|_| EXPECTED)?;
    // Numbers keep the text that they were written with when JSON is read as the YAML that it is.
    block(text, EXPECTED)
}

fn block(text: &str, expected: &'static str) -> Result<Node, &'static str> {
    let documents = goyaml::parse_documents(text.as_bytes(), &LIMITS).map_err(|_| expected)?;
    let Ok([mut node]) = <[Node; 1]>::try_from(documents) else {
        return Err(expected);
    };
    if node.is_scalar() {
        return Err(expected);
    }
    node.to_value(Dialect::V3).map_err(|_| expected)?;
    node.set_file(0);
    Ok(node)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers() {
        for (text, expected) in [
            ("12", Ok(12)),
            (" -3\n", Ok(-3)),
            ("9223372036854775807", Ok(i64::MAX)),
            ("9223372036854775808", Err("an integer of at most 64 bits")),
            ("012", Err("an integer")),
            ("1.5", Err("an integer")),
            ("0x10", Err("an integer")),
            ("", Err("an integer")),
            ("latest", Err("an integer")),
        ] {
            assert_eq!(int(text), expected, "{text}");
        }
    }

    #[test]
    fn numbers_and_booleans() {
        assert_eq!(float("1.50"), Ok(1.5));
        for text in ["NaN", "inf", "", "1e999"] {
            assert_eq!(float(text), Err("a number"), "{text}");
        }
        assert_eq!(bool("True"), Ok(true));
        assert_eq!(bool("yes"), Err("`true` or `false`"));
    }

    #[test]
    fn blocks() {
        assert!(yaml("a: 1\nb: [x]\n").is_ok());
        assert!(yaml("{\"a\": 1}").is_ok());
        assert!(json("{\"a\": 1}").is_ok());
        for text in ["{a: 1}", "5", "\"x\"", ""] {
            let error = json(text).err();
            assert_eq!(error, Some("an object or an array in JSON"), "{text}");
        }
        for text in ["a: 1\n---\nb: 2\n", "a: 1\na: 2\n", "a: [", "", "5", "~"] {
            let error = yaml(text).err();
            assert_eq!(error, Some("a mapping or a list in YAML"), "{text}");
        }
    }
}
