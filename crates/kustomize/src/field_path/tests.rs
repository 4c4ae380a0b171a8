use goyaml::{Limits, Node};

use super::{Kind, for_each_match, lookup, lookup_or_create, split};

fn parse(text: &str) -> Node {
    goyaml::parse(text.as_bytes(), &Limits::default())
        .unwrap()
        .unwrap()
}

#[test]
fn paths_split_at_dots_outside_brackets() {
    let cases: [(&str, &[&str]); 7] = [
        ("a.b.c", &["a", "b", "c"]),
        (".a.b", &["a", "b"]),
        (r"a\.b.c", &["a.b", "c"]),
        (
            "spec.[name=a.b.c].image",
            &["spec", "[name=a.b.c]", "image"],
        ),
        (
            "metadata.annotations.[a.b/c]",
            &["metadata", "annotations", "a.b/c"],
        ),
        ("a.[b]", &["a", "[b]"]),
        ("a.[b.c", &["a", "b.c"]),
    ];
    for (path, parts) in cases {
        assert_eq!(split(path), parts, "{path}");
    }
}

fn found(text: &str, path: &str) -> Option<String> {
    let node = parse(text);
    let found = lookup(&node, &split(path)).unwrap_or_else(|error| panic!("{path}: {error}"))?;
    Some(found.as_str().unwrap_or("collection").to_owned())
}

#[test]
fn lookup_finds_fields_and_items() {
    let text = "{a: {b: text}, l: [{n: x, v: 1}, {n: xy, v: 2}, plain], nul: null, empty: {}}";
    let cases = [
        ("a.b", Some("text")),
        ("l.[n=x].v", Some("1")),
        ("l.[n=xy].v", Some("2")),
        ("l.[n=y].v", None),
        ("l.[=plain]", Some("plain")),
        ("l.1.v", Some("2")),
        ("l.-", Some("plain")),
        ("l.3", None),
        ("nul", Some("null")),
        ("nul.x", None),
        ("a..b", Some("text")),
        ("empty", Some("collection")),
    ];
    for (path, expected) in cases {
        assert_eq!(found(text, path).as_deref(), expected, "{path}");
    }
    for path in ["l.n", "a.b.c", "a.0", "a.*", "l.-1", "l.[n]", "a.[n=x]"] {
        assert!(lookup(&parse(text), &split(path)).is_err(), "{path}");
    }
    assert!(lookup(&parse("{l: []}"), &split("l.-")).is_err());
}

#[test]
fn lookup_creates_what_is_missing() {
    let mut node = parse("{l: [], nul: null}");
    for (path, is_created) in [
        ("a.[n=x].v", true),
        ("l.[=y]", true),
        ("nul.x", false),
        ("new.0", false),
    ] {
        assert_eq!(
            lookup_or_create(&mut node, &split(path)).unwrap().is_some(),
            is_created,
            "{path}"
        );
    }
    let mut out = String::new();
    goyaml::emit_canonical(&node, &mut out).unwrap();
    assert_eq!(
        out,
        "a:\n- \"n\": x\n  v: \"\"\nl:\n- \"y\"\nnew: []\nnul: null\n"
    );
}

fn matches(text: &str, path: &str, create: Option<Kind>) -> (usize, String) {
    let mut node = parse(text);
    let mut seen = String::new();
    let count = for_each_match(&mut node, &split(path), create, &mut |found| {
        seen.push_str(found.as_str().unwrap_or("collection"));
        seen.push(' ');
        Ok(())
    });
    (count.unwrap(), seen)
}

#[test]
fn every_match_is_visited() {
    let text = "{l: [{n: app, v: 1}, {n: my-app, v: 2}, {n: other}], m: {l: [a, b]}}";
    assert_eq!(matches(text, "l.[n=app].v", None), (2, "1 2 ".into()));
    assert_eq!(matches(text, "l.[n=^app$].v", None), (1, "1 ".into()));
    assert_eq!(
        matches(text, "l.*.n", None),
        (3, "app my-app other ".into())
    );
    assert_eq!(matches(text, "m.l.*", None), (2, "a b ".into()));
    assert_eq!(
        matches(text, "l.*.v", Some(Kind::Scalar)),
        (3, "1 2  ".into())
    );
    assert_eq!(matches(text, "none.x", None), (0, String::new()));
    assert_eq!(
        matches(text, "none.x", Some(Kind::Mapping)),
        (1, "collection ".into())
    );
}

#[test]
fn patterns_that_create_what_they_do_not_match_are_refused() {
    let mut node = parse("{l: []}");
    let result = for_each_match(
        &mut node,
        &split("l.[n=^a+$].v"),
        Some(Kind::Scalar),
        &mut |_| Ok(()),
    );
    assert!(
        result
            .unwrap_err()
            .to_string()
            .contains("would not satisfy it")
    );
    let result = for_each_match(&mut node, &split("l.[n=(].v"), None, &mut |_| Ok(()));
    assert!(
        result
            .unwrap_err()
            .to_string()
            .contains("is not a regular expression")
    );
}
