//! Aliases, merge keys and keys that come twice.

use std::fmt::Write;

use super::dump::dump;
use crate::{Limits, parse, parse_documents};

fn refusal(text: &str) -> String {
    let error = parse_documents(text.as_bytes(), &Limits::default()).unwrap_err();
    format!(
        "{}:{} {}",
        error.position.line, error.position.column, error.message
    )
}

#[test]
fn bad_references_are_refused() {
    for (text, want) in [
        (
            "a: *b",
            "1:4 an alias refers to an anchor that is not defined; a text that begins with `*` needs quotes",
        ),
        ("a: &a [*a]", "1:8 anchor 'a' value contains itself"),
        (
            "a: &a {b: c, <<: *a}",
            "1:18 anchor 'a' value contains itself",
        ),
        (
            "a: &a 1\nb: {<<: *a}",
            "2:9 invalid map merge: received alias for a non-map value",
        ),
        (
            "<<: 1",
            "1:5 map merge requires map or sequence of maps as the value",
        ),
        (
            "<<: [[a]]",
            "1:6 invalid map merge: received a nested sequence",
        ),
        ("a: &a {b: c}\n<<: *a\n<<: *a", "3:1 duplicate merge key"),
    ] {
        assert_eq!(refusal(text), want, "{text}");
    }
}

#[test]
fn an_anchor_may_be_defined_again() {
    let documents =
        parse_documents(b"a: &x 1\nb: *x\nc: &x 2\nd: *x\n", &Limits::default()).unwrap();
    let texts: Vec<_> = documents[0]
        .entries()
        .unwrap()
        .iter()
        .map(|(_, value)| value.as_str().unwrap())
        .collect();
    assert_eq!(texts, ["1", "1", "2", "2"]);
    assert!(!dump(&documents[0], false).contains("&x"));
}

#[test]
fn many_laughs_are_refused() {
    let mut text = "a0: &a0 [x, x]\n".to_owned();
    for level in 1..30 {
        writeln!(text, "a{level}: &a{level} [*a{0}, *a{0}]", level - 1).unwrap();
    }
    assert!(refusal(&text).ends_with("exceeded max number of 1000000 nodes from aliases"));
}

#[test]
fn aliases_do_not_get_past_the_depth() {
    let mut text = "- &a0 [x]\n".to_owned();
    for level in 1..1000 {
        writeln!(text, "- &a{level} [*a{}]", level - 1).unwrap();
    }
    assert!(refusal(&text).ends_with("exceeded max depth of 1000"));
}

#[test]
fn keys_that_come_twice_are_found() {
    for (text, want) in [
        (
            "a: 1\nb: 2\na: 3\nb: 4",
            "3:1 mapping key \"a\" already defined at line 1",
        ),
        (
            "- x: {b: 1,\n  'b': 2}",
            "2:3 mapping key \"b\" already defined at line 1",
        ),
        (
            "[a]: 1\n[b]: 2",
            "2:1 mapping key \"\" already defined at line 1",
        ),
    ] {
        let error = parse(text.as_bytes(), &Limits::default())
            .unwrap()
            .unwrap()
            .check_unique_keys()
            .unwrap_err();
        assert_eq!(
            format!(
                "{}:{} {}",
                error.position.line, error.position.column, error.message
            ),
            want
        );
    }
    let many = (0..1000).fold(String::new(), |text, number| {
        text + "k"
            + &(number % 990).to_string()
            + ": x
"
    });
    let error = parse(many.as_bytes(), &Limits::default())
        .unwrap()
        .unwrap()
        .check_unique_keys()
        .unwrap_err();
    assert_eq!(
        error.message,
        "mapping key \"k0\" already defined at line 1"
    );
    assert_eq!(error.position.line, 991);
    parse(b"a: {b: 1}\n[]: {b: 2}\n'': 3", &Limits::default())
        .unwrap()
        .unwrap()
        .check_unique_keys()
        .unwrap();
}
