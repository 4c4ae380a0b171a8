//! What is written, against tables recorded from go-yaml v2 and v3, `sigs.k8s.io/yaml` and kyaml.

use goyaml::{Dialect, Error, Limits, Node, Value, emit, emit_canonical, encode, parse};
use proptest::prelude::*;

fn table(text: &str) -> Vec<Value> {
    let value = Value::from_json(text.as_bytes()).expect("the table is JSON");
    value.as_array().expect("the table is an array").to_vec()
}

fn read(source: &str) -> Node {
    parse(source.as_bytes(), &Limits::default())
        .expect("the source is YAML")
        .expect("the source has a node")
}

fn canonical(node: &Node) -> Result<String, Error> {
    let mut text = String::new();
    emit_canonical(node, &mut text).map(|()| text)
}

/// Compares with a cell of the table, where `null` stands for any error.
fn check(row: &Value, column: &str, found: Result<String, Error>) {
    let wanted = row.get(column).and_then(Value::as_str);
    assert_eq!(found.ok().as_deref(), wanted, "{column} of {row:?}");
}

#[test]
fn documents_are_written_as_kustomize_writes_them() {
    for row in table(include_str!("../testdata/documents.json")) {
        let node = read(
            row.get("source")
                .and_then(Value::as_str)
                .expect("every row has a source"),
        );
        check(&row, "canonical", canonical(&node));
        check(&row, "encoded", encode(&node));
        check(
            &row,
            "json",
            node.to_reencoded_value().map(|value| value.to_json()),
        );
        check(
            &row,
            "json_v2",
            node.to_value(Dialect::V2).map(|value| value.to_json()),
        );
    }
}

#[test]
fn values_are_written_as_sigs_yaml_and_kyaml_write_them() {
    for row in table(include_str!("../testdata/values.json")) {
        let json = row
            .get("json")
            .and_then(Value::as_str)
            .expect("every row has JSON");
        let value = Value::from_json(json.as_bytes()).expect("the JSON is valid");
        check(&row, "yaml", emit(&value));
        if row.get("node").is_some_and(|node| !node.is_null()) {
            check(&row, "node", encode(&Node::from_value(&value)));
        }
    }
}

#[test]
fn a_failure_leaves_the_text_alone() {
    let node = read("a: 1\nb: .nan\n");
    let mut text = "before\n".to_owned();
    assert!(emit_canonical(&node, &mut text).is_err());
    assert_eq!(text, "before\n");
}

#[test]
fn repeated_keys_are_refused_with_both_lines() {
    let error = canonical(&read("a: 1\nb: 2\na: 3\n")).expect_err("the key repeats");
    assert_eq!(error.position.line, 3);
    assert_eq!(error.message, "mapping key `a` already defined at line 1");
}

#[test]
fn many_repeated_keys_are_refused_too() {
    let keys: Vec<String> = (0..50).map(|key| format!("k{key}: 1\n")).collect();
    let source = keys.concat() + "k7: 2\n";
    let error = canonical(&read(&source)).expect_err("the key repeats");
    assert_eq!(
        (error.position.line, error.message.as_str()),
        (51, "mapping key `k7` already defined at line 8")
    );
}

#[test]
fn keys_in_a_cycle_come_out_in_one_order() {
    let orders = [
        "{a10: 1, a1b: 2, a2: 3}",
        "{a2: 3, a10: 1, a1b: 2}",
        "{a1b: 2, a2: 3, a10: 1}",
    ];
    let texts: Vec<_> = orders
        .into_iter()
        .map(|source| canonical(&read(source)))
        .collect();
    assert!(
        texts.windows(2).all(|pair| pair.first() == pair.last()),
        "{texts:?}"
    );
}

#[test]
fn invalid_json_is_refused_with_its_place() {
    let error =
        Value::from_json(b"{\"a\": 1,\n \"b\": nul}").expect_err("the literal is cut short");
    assert_eq!((error.position.line, error.position.column), (2, 10));
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~]{0,100}",
        "[a-z :#'\"\\\\\n\t-]{0,60}",
        "([a-z]{1,12} {1,2}){0,20}",
        // Neither DEL nor C1, which no YAML text may have, nor NEL, which becomes a space.
        "[ -~\u{a0}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]{0,20}",
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        text().prop_map(|text| Value::String(text.into())),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::Array),
            prop::collection::btree_map("[a-zA-Z0-9_. -]{0,9}", inner, 0..5).prop_map(|entries| {
                Value::Object(
                    entries
                        .into_iter()
                        .map(|(key, value)| (key.into(), value))
                        .collect(),
                )
            }),
        ]
    })
}

proptest! {
    #[test]
    fn emitted_text_reads_as_the_same_value(value in value()) {
        let root = Value::Object(vec![("root".into(), value)]);
        // A block scalar whose first line begins with a tab is written without the indentation hint it needs.
        let written = emit(&root).expect("the value has nothing that YAML refuses");
        if let Ok(Some(node)) = parse(written.as_bytes(), &Limits::default()) {
            prop_assert_eq!(node.to_value(Dialect::V2).expect("decodes").to_json(), root.to_json());
            if let Ok(again) = canonical(&node) {
                prop_assert_eq!(again, written);
            }
        } else {
            prop_assert!(written.contains("\n\t") || written.contains(" \t"), "{}", written);
        }
    }

    #[test]
    fn json_text_reads_as_the_same_value(value in value()) {
        prop_assert_eq!(Value::from_json(value.to_json().as_bytes()), Ok(Value::from_json(value.to_json_indented().as_bytes()).expect("reads")));
        prop_assert_eq!(Value::from_json(value.to_json().as_bytes()).expect("reads").to_json(), value.to_json());
    }

    #[test]
    fn no_json_text_panics(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        drop(Value::from_json(&bytes));
    }
}
