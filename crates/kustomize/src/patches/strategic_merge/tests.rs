use std::collections::BTreeMap;

use goyaml::{Limits, Node};

use super::{apply, comment_schema};
use crate::schema::{Builtin, Schema};

fn parse(text: &str) -> Node {
    let parsed = goyaml::parse_with_comments(text.as_bytes(), &Limits::default());
    let mut node = parsed.unwrap().unwrap();
    comment_schema::keep_in(&mut node);
    node
}

fn merged(schema: &Schema, target: &str, patch: &str) -> String {
    let mut out = String::new();
    match apply(schema, &parse(patch), parse(target)).map(|merged| merged.node) {
        Ok(Some(node)) => goyaml::emit_canonical(&node, &mut out).unwrap(),
        Ok(None) => {}
        Err(_) => out.push_str("error\n"),
    }
    out
}

/// What the real kustomize made of each merge; see `tools/schema/record.py`.
#[test]
fn merges_as_kustomize_does() {
    let cases = include_str!("cases.txt").split("\n=== ").skip(1);
    let mut count = 0;
    for case in cases {
        let (title, sections) = case.split_once('\n').unwrap();
        let sections: BTreeMap<_, _> = format!("\n{sections}\n")
            .split("\n--- ")
            .filter_map(|section| section.split_once('\n'))
            .map(|(name, text)| (name.to_owned(), format!("{text}\n")))
            .collect();
        let schema = sections
            .get("openapi")
            .map_or_else(Schema::builtin, |openapi| {
                Schema::with_custom(&parse(openapi), Builtin::Replaced).unwrap()
            });
        let got = merged(&schema, &sections["target"], &sections["patch"]);
        assert_eq!(got.trim_end(), sections["want"].trim_end(), "{title}");
        count += 1;
    }
    assert!(count > 30, "{count} cases");
}

#[test]
fn errors_say_where() {
    let target = "apiVersion: apps/v1\nkind: Deployment\nspec: {template: {spec: {containers: [{name: a, env: x}]}}}";
    let patch = "spec: {template: {spec: {containers: [{name: a, env: [1]}]}}}";
    let error = apply(&Schema::builtin(), &parse(patch), parse(target)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "spec.template.spec.containers[a].env: wrong node kind: expected a scalar but got a list"
    );
}

#[test]
fn only_comments_that_may_be_schemas_are_looked_for() {
    for (text, is_found) in [
        ("a: # {\"type\": \"array\"}", true),
        ("a: #{ \"type\": 1", true),
        ("a: b # {{ template }}", false),
        ("a: b # {}", false),
        ("a: {\"b\": c} # d", false),
    ] {
        assert_eq!(
            comment_schema::may_be_in(text.as_bytes()),
            is_found,
            "{text}"
        );
    }
    for text in [
        "a: b # c",
        "a: b # {",
        "a: b # {}",
        "a: b # [\"c\"]",
        "a: b # {c: \"d\"}",
    ] {
        assert!(parse(text).comments().is_none(), "{text}");
    }
}

#[test]
fn comments_beside_values_are_looked_for_and_kept() {
    for (text, is_found) in [
        ("a: b # c", true),
        ("a: b\t# c", true),
        ("a:\n  # b\n  - c", true),
        ("# a\nb: c#d", false),
    ] {
        assert_eq!(
            comment_schema::may_be_beside_values(text.as_bytes()),
            is_found,
            "{text}"
        );
    }
    let tree = parse("# above\na: b # c\nd: # e\n- f\n# foot");
    let line = |node: &Node| node.comments().map(|comments| comments.line.to_string());
    assert_eq!(tree.get("a").and_then(line).as_deref(), Some("# c"));
    let keys = tree.entries().unwrap().iter().map(|(key, _)| key);
    for key in keys.chain([&tree]) {
        let kept = key.comments().cloned().unwrap_or_default();
        assert_eq!(kept, goyaml::Comments::default(), "{key:?}");
    }
}
