//! Hashes recorded from kustomize v5.8.2.

use goyaml::Limits;

use super::{apply, hash};
use crate::resource::Resource;
use crate::resources::Resources;

#[test]
fn hashes_are_those_of_kustomize() {
    let cases = [
        (
            "{kind: ConfigMap, data: {a: \"1\", b: \"x<y&z\"}, binaryData: {k: AAEC}}",
            "9dbc79cm54",
        ),
        ("{kind: ConfigMap, data: {}}", "42745tchd9"),
        ("{kind: ConfigMap, metadata: {name: any}}", "6ct58987ht"),
        ("{kind: ConfigMap, data: null}", "g886t7dd28"),
        (
            "{kind: ConfigMap, data: {n: 12, f: 1.50, t: true, z: null, big: 9007199254740993}, binaryData: {}}",
            "h8tbftb47d",
        ),
        (
            "{kind: ConfigMap, data: [a, b], binaryData: [a]}",
            "t8bmh4kc6d",
        ),
        (
            "{kind: Secret, type: Opaque, data: {p: cGFzcw==}}",
            "gkchh6tb7f",
        ),
        (
            "{kind: Secret, data: {p: cGFzcw==}, stringData: {q: \"r\"}, immutable: true}",
            "hmtm4hb848",
        ),
        (
            "{kind: ConfigMap, data: {é: \"ü\\u2028\\U0001F600\", q: \"a\\tb\\\"\\\\\"}}",
            "gk4fkm6t96",
        ),
        ("{kind: Secret, type: 5, data: text}", "k4fmb6dkh9"),
    ];
    for (text, expected) in cases {
        let node = goyaml::parse(text.as_bytes(), &Limits::default())
            .unwrap()
            .unwrap();
        assert_eq!(hash(&node).unwrap(), expected, "{text}");
    }
}

#[test]
fn only_resources_that_ask_get_a_hash() {
    let text = "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {}}";
    let node = goyaml::parse(text.as_bytes(), &Limits::default())
        .unwrap()
        .unwrap();
    let mut resources = Resources::new();
    let mut generated = Resource::new(node.clone());
    generated.notes.needs_hash = true;
    generated.set_name("generated");
    resources
        .append_all([Resource::new(node), generated])
        .unwrap();
    apply(&mut resources, crate::threads::Threads::One).unwrap();
    let names: Vec<&str> = resources
        .iter()
        .map(|resource| resource.name().as_str())
        .collect();
    assert_eq!(names, ["a", "generated-42745tchd9"]);
    assert_eq!(resources.as_slice()[1].original_id().name, "generated");
}
