//! The types that a text can be read as. One reading serves the schema and the filters of placeholders.
//!
//! An error is what was expected, and never the text.

use goyaml::{Data, Dialect, Limits, Node, Tag};

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

/// What is expected of a block, and of what is in it.
struct Expected {
    block: &'static str,
    merge_key: &'static str,
    nul: &'static str,
    key: &'static str,
}

const YAML: Expected = Expected {
    block: "a mapping or a list in YAML",
    merge_key: "a mapping or a list in YAML without a text `<<` for a key",
    nul: "a mapping or a list in YAML without a NUL character",
    key: "a mapping or a list in YAML with keys that need no escapes",
};

const JSON: Expected = Expected {
    block: "an object or an array in JSON",
    merge_key: "an object or an array in JSON without a key `<<`, which YAML takes for another thing",
    nul: "an object or an array in JSON without a NUL character",
    key: "an object or an array in JSON with keys that need no escapes in YAML",
};

/// Reads a mapping or a list in YAML.
///
/// # Errors
/// Where it is not one document of that kind, or has what JSON cannot say: a key twice, a key that is no text. And as
/// for [`json`].
pub fn yaml(text: &str) -> Result<Node, &'static str> {
    // What is JSON means what it means there: a reader of YAML would change some of its texts.
    if let Some(node) = from_json(text) {
        return checked(node, &JSON);
    }
    let documents = goyaml::parse_documents(text.as_bytes(), &LIMITS).map_err(|_| YAML.block)?;
    let Ok([mut node]) = <[Node; 1]>::try_from(documents) else {
        return Err(YAML.block);
    };
    if node.is_scalar() {
        return Err(YAML.block);
    }
    node.to_value(Dialect::V3).map_err(|_| YAML.block)?;
    // Once merge keys have done their work, texts that are written like them are gone too.
    let written = goyaml::parse(text.as_bytes(), &LIMITS).ok().flatten();
    let written = written.filter(|node| !node.is_scalar()).ok_or(YAML.block)?;
    let is_text = |key: &Node| is_merge_key(key) && key.tag != Tag::Merge;
    if has_key(&written, &is_text) {
        return Err(YAML.merge_key);
    }
    node.set_file(0);
    checked(node, &YAML)
}

/// Reads an object or an array in JSON.
///
/// # Errors
/// Where it is none, and where kustomize cannot write it: it has a NUL character, a key `<<`, or a key that needs escapes.
pub fn json(text: &str) -> Result<Node, &'static str> {
    let node = from_json(text).ok_or(JSON.block)?;
    checked(node, &JSON)
}

fn from_json(text: &str) -> Option<Node> {
    let is_block = text.len() <= LIMITS.bytes && text.trim_start().starts_with(['{', '[']);
    let node = is_block.then(|| Node::from_json(text.as_bytes(), LIMITS.depth))?;
    node.ok()
}

fn checked(node: Node, expected: &Expected) -> Result<Node, &'static str> {
    if has_key(&node, &is_merge_key) {
        return Err(expected.merge_key);
    }
    if has_nul(&node) {
        return Err(expected.nul);
    }
    if node.has_fragile_key() {
        return Err(expected.key);
    }
    Ok(node)
}

fn is_merge_key(key: &Node) -> bool {
    key.as_str() == Some("<<")
}

fn has_key(node: &Node, is: &dyn Fn(&Node) -> bool) -> bool {
    match &node.data {
        Data::Alias(_) | Data::Scalar(_) => false,
        Data::Sequence(items) => items.iter().any(|item| has_key(item, is)),
        Data::Mapping(entries) => entries
            .iter()
            .any(|(key, value)| is(key) || has_key(key, is) || has_key(value, is)),
    }
}

fn has_nul(node: &Node) -> bool {
    match &node.data {
        Data::Alias(_) => false,
        Data::Scalar(text) => text.contains('\0'),
        Data::Sequence(items) => items.iter().any(has_nul),
        Data::Mapping(entries) => entries
            .iter()
            .any(|(key, value)| has_nul(key) || has_nul(value)),
    }
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

    #[test]
    fn json_says_what_it_says() {
        let text = "{\"a\": \"\\/\\ud83d\\ude00\u{85}\", \"b\": [1.50, 12345678901234567890123, 1e3, -0], \"c\": {\"n\": null}}";
        for read in [json, yaml] {
            let node = read(text).unwrap();
            let texts = |path: &[&str]| node.get_path(path).and_then(Node::as_str);
            assert_eq!(texts(&["a"]), Some("/😀\u{85}"));
            let numbers = node.get("b").and_then(Node::items).unwrap();
            let numbers: Vec<_> = numbers.iter().filter_map(Node::as_str).collect();
            assert_eq!(numbers, ["1.50", "12345678901234567890123", "1e3", "-0"]);
            assert!(node.get_path(&["c", "n"]).is_some_and(Node::is_null));
        }
        assert!(json("{\"a\": 1, \"a\": 2}").is_err());
        assert!(json("{\"a\": \"\\ud800\"}").is_err());
    }

    #[test]
    fn what_cannot_be_written_is_refused() {
        for (text, expected) in [
            ("{\"<<\": {\"a\": \"b\"}, \"c\": \"d\"}", JSON.merge_key),
            ("[{\"<<\": 1}]", JSON.merge_key),
            ("\"<<\": {a: b}\nc: d\n", YAML.merge_key),
            ("c: [{'<<': {a: b}}]\n", YAML.merge_key),
            ("\"\\x3c<\": {a: b}\n", YAML.merge_key),
            ("!!str <<: {a: b}\n", YAML.merge_key),
            ("---\n\"<<\": {a: b}\n", YAML.merge_key),
            ("---\n---\n\"<<\": {a: b}\n", YAML.block),
            ("{\"a\": \"\\u0000\"}", JSON.nul),
            ("{\"\\u0000\": 1}", JSON.nul),
            ("a: \"\\0\"\n", YAML.nul),
            ("{\"y\\ufffe\": 1}", JSON.key),
            ("a: {\"y\\x85\": 1}\n", YAML.key),
        ] {
            assert_eq!(yaml(text).err(), Some(expected), "{text}");
        }
        let merged = yaml("a: &a {b: 1}\nc: {<<: *a, d: 2}\n").unwrap();
        let inherited = merged.get_path(&["c", "b"]).and_then(Node::as_str);
        assert_eq!(inherited, Some("1"));
        for key in ["a: b", " a", "é", "", "~", "a\\nb", "'", "yes", "1", "\\t"] {
            let text = format!("{{\"{key}\": 1}}");
            assert!(json(&text).is_ok(), "{text}");
        }
    }
}
