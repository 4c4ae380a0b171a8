//! What is refused, in which words and at which place.

use crate::{Limits, parse, parse_documents};

fn error(text: &[u8]) -> String {
    let error = parse(text, &Limits::default()).unwrap_err();
    format!(
        "{}:{} {}",
        error.position.line, error.position.column, error.message
    )
}

#[test]
fn errors_have_the_words_of_go_yaml_and_a_place() {
    for (text, want) in ERRORS {
        assert_eq!(error(text.as_bytes()), *want, "{text}");
    }
}

const ERRORS: &[(&str, &str)] = &[
    ("a: [b", "1:4 did not find expected ',' or ']'"),
    ("c: {d", "1:4 did not find expected ',' or '}'"),
    (
        "a: b: c",
        "1:5 mapping values are not allowed in this context",
    ),
    (
        "- a\n b: c",
        "2:3 mapping values are not allowed in this context",
    ),
    ("a: b\n- c", "2:1 did not find expected key"),
    (
        "a\n  b: c",
        "2:4 mapping values are not allowed in this context",
    ),
    (
        "a:\n\tb: c",
        "2:1 found character that cannot start any token",
    ),
    (
        "a: |\n\t x",
        "2:1 found a tab character where an indentation space is expected",
    ),
    ("a: \"b", "1:4 found unexpected end of stream"),
    ("a: 'b\n---\n'", "2:1 found unexpected document indicator"),
    ("a: \"\\q\"", "1:5 found unknown escape character"),
    (
        "a: \"\\xZZ\"",
        "1:7 did not find expected hexdecimal number",
    ),
    (
        "a: \"\\uD800\"",
        "1:7 found invalid Unicode character escape code",
    ),
    ("a: @b", "1:4 found character that cannot start any token"),
    ("a: `b", "1:4 found character that cannot start any token"),
    ("%FOO\n---\na", "1:5 found unknown directive name"),
    ("%YAML 1.2\n---\na", "1:1 found incompatible YAML document"),
    (
        "%YAML 1.1\n%YAML 1.1\n---\na",
        "2:1 found duplicate %YAML directive",
    ),
    (
        "%YAML 1\n---\na",
        "1:8 did not find expected digit or '.' character",
    ),
    (
        "%YAML 123.1\n---\na",
        "1:9 found extremely long version number",
    ),
    (
        "%TAG ! x\n%TAG ! y\n---\na",
        "2:1 found duplicate %TAG directive",
    ),
    ("%TAG e x\n---\na", "1:6 did not find expected '!'"),
    ("%TAG !e x\n---\na", "1:8 did not find expected '!'"),
    ("%TAG !e!\n---\na", "1:9 did not find expected whitespace"),
    (
        "%TAG !e!x y\n---\na",
        "1:9 did not find expected whitespace",
    ),
    ("%\n---\na", "1:2 could not find expected directive name"),
    ("%YAML 1.1\na", "2:1 did not find expected <document start>"),
    ("a: !e!x b", "1:4 found undefined tag handle"),
    ("a: !<x b", "1:7 did not find the expected '>'"),
    ("a: !<> b", "1:6 did not find expected tag URI"),
    ("a: !x%zz b", "1:6 did not find URI escaped octet"),
    ("a: !x%FF b", "1:6 found an incorrect leading UTF-8 octet"),
    (
        "a: !x\"b\"",
        "1:6 did not find expected whitespace or line break",
    ),
    (
        "a: & b",
        "1:5 did not find expected alphabetic or numeric character",
    ),
    (
        "a: *\nb: c",
        "1:5 did not find expected alphabetic or numeric character",
    ),
    (
        "a: &x\"y\"",
        "1:6 did not find expected alphabetic or numeric character",
    ),
    ("a: |0\n b", "1:5 found an indentation indicator equal to 0"),
    (
        "a: |x\n b",
        "1:5 did not find expected comment or line break",
    ),
    ("a: |\n  x\n y: z\nb: c: d", "3:2 did not find expected key"),
    (
        "x:\n  a: [b, c\n  d: e",
        "2:6 did not find expected ',' or ']'",
    ),
    (
        "x:\n  a: {b: c\n  d: e",
        "2:6 did not find expected ',' or '}'",
    ),
    ("x:\n - a\n b: c", "3:2 did not find expected '-' indicator"),
    ("x:\n  a: 1\n  b", "3:3 could not find expected ':'"),
    ("x:\n  a: b\n  - c", "3:3 did not find expected key"),
    ("x: ]", "1:4 did not find expected node content"),
    ("? a\n- b\n: c", "2:1 did not find expected key"),
    (
        "x:\n  \"y\n  z\": w",
        "3:5 mapping values are not allowed in this context",
    ),
    ("- a\nb", "2:1 could not find expected ':'"),
    ("? - a\n b", "2:2 did not find expected key"),
    (
        "key: -\n",
        "1:6 block sequence entries are not allowed in this context",
    ),
];

#[test]
fn bytes_that_are_no_text_are_refused() {
    for (bytes, want) in [
        (&b"a: b\nc: \xFF"[..], "2:4 invalid leading UTF-8 octet"),
        (b"a: \xC3", "1:4 incomplete UTF-8 octet sequence"),
        (b"a: \xC3a", "1:4 invalid trailing UTF-8 octet"),
        (b"a: \xC0\x80", "1:4 invalid length of a UTF-8 sequence"),
        (b"a: \xED\xA0\x80", "1:4 invalid Unicode character"),
        (b"a: \x00", "1:4 control characters are not allowed"),
        (b"a: \x7F", "1:4 control characters are not allowed"),
        (b"a: \xC2\x80", "1:4 control characters are not allowed"),
        (b"\xFF\xFEa", "1:1 incomplete UTF-16 character"),
        (b"\xFE\xFF\xDC\x00", "1:1 unexpected low surrogate area"),
        (b"\xFE\xFF\xD8\x00", "1:1 incomplete UTF-16 surrogate pair"),
        (b"\xFE\xFF\xD8\x00\x00a", "1:1 expected low surrogate area"),
    ] {
        assert_eq!(error(bytes), want);
    }
}

#[test]
fn bad_bytes_far_behind_the_document_are_not_seen() {
    let mut text = b"a: b\n...\n".to_vec();
    text.extend([b' '; 1000]);
    text.push(0);
    assert_eq!(error(&text), "3:1001 control characters are not allowed");
    let mut text = b"a: b\n...\n--- a\n...\n--- b\n...\n".to_vec();
    text.extend(b"# comment\n".repeat(100));
    text.push(0);
    parse(&text, &Limits::default()).unwrap();
}

#[test]
fn errors_of_a_later_document_have_their_line_in_the_whole_text() {
    let error = parse_documents(b"a: b\n---\n\nc: [\n", &Limits::default()).unwrap_err();
    assert_eq!(
        (error.position.line, error.message.as_str()),
        (5, "did not find expected node content")
    );
    let error = parse_documents(b"a: b\n--- c\nd: e\n", &Limits::default()).unwrap_err();
    assert_eq!(
        (error.position.line, error.message.as_str()),
        (2, "invalid document separator")
    );
}

#[test]
fn limits_are_kept() {
    let limits = Limits {
        bytes: 10,
        depth: 3,
        alias_nodes: 100,
    };
    assert_eq!(
        parse(b"a: bcdefghijk", &limits).unwrap_err().message,
        "exceeded max length of 10 bytes"
    );
    assert!(parse(b"[[[a]]]", &limits).is_ok());
    assert_eq!(
        parse(b"[[[[a]]]]", &limits).unwrap_err().message,
        "exceeded max depth of 3"
    );
    assert_eq!(parse(b"- - - - a", &limits).unwrap_err().position.column, 7);
}
