//! Patches recorded from kustomize v5.8.2.

use goyaml::{Limits, Node};

use super::{JsonPatch, dotted, is_within, steps};
use crate::error::Result;

fn parse(text: &str) -> Node {
    goyaml::parse(text.as_bytes(), &Limits::default())
        .unwrap()
        .unwrap()
}

fn spec_after(patch: &str, target: &str) -> Result<String> {
    let patched = JsonPatch::parse(patch.trim())?.apply(&parse(target), &mut Vec::new())?;
    let spec = patched.get("spec").unwrap().clone();
    let mut out = String::new();
    goyaml::emit_canonical(&Node::mapping(vec![(Node::string("spec"), spec)]), &mut out).unwrap();
    Ok(out)
}

#[test]
fn patches_do_what_they_do_in_kustomize() {
    for case in include_str!("cases.txt").split("# ").skip(1) {
        let (input, want) = case.split_once("===\n").unwrap();
        let (heading, target) = input.split_once("---\n").unwrap();
        let (name, patch) = heading.split_once('\n').unwrap();
        let result = spec_after(patch, target);
        let got = result.as_ref().map_or("error", String::as_str);
        assert_eq!(got.trim_end(), want.trim_end(), "{name}: {result:?}");
    }
}

#[test]
fn errors_name_the_operation_and_no_value() {
    let target = "spec: {password: hunter2, list: [a]}";
    let cases = [
        (
            "- {op: test, path: /spec/list/0, value: a}\n- {op: test, path: /spec/password, value: other}",
            "operation 2 of the JSON patch, `test` at `/spec/password`, failed: the value there is another one",
        ),
        (
            "- {op: add, path: /spec/nothing/x, value: a}",
            "operation 1 of the JSON patch, `add` at `/spec/nothing/x`, failed: \
             `nothing` on the way there is missing, or is neither a map nor a list",
        ),
        (
            "- {op: remove, path: /spec/list/1}",
            "operation 1 of the JSON patch, `remove` at `/spec/list/1`, failed: the list is too short for index 1",
        ),
        (
            "- {op: replace, value: a}",
            "operation 1 of the JSON patch, `replace` at ``, failed: `path` is missing or no text",
        ),
    ];
    for (patch, expected) in cases {
        assert_eq!(spec_after(patch, target).unwrap_err().to_string(), expected);
    }
}

#[test]
fn only_the_form_is_checked_when_a_patch_is_read() {
    assert!(JsonPatch::parse("[]").unwrap().is_empty());
    assert!(JsonPatch::parse("null").unwrap().is_empty());
    assert_eq!(
        JsonPatch::parse("- op: nonsense\n- null")
            .unwrap()
            .operations
            .len(),
        2
    );
    assert_eq!(
        JsonPatch::parse("- {op: remove, path: /a}\n---\n- more")
            .unwrap()
            .operations
            .len(),
        1
    );
    for text in [
        "",
        "{}",
        "text",
        "[1]",
        "- text",
        "[{op: remove}]",
        "- a: *missing",
    ] {
        assert!(JsonPatch::parse(text).is_err(), "{text}");
    }
}

#[test]
fn objects_do_not_grow_without_bounds() {
    let wide = "- {op: copy, from: /spec, path: /spec/-}\n".repeat(40);
    let error = JsonPatch::parse(&wide)
        .unwrap()
        .apply(&parse("spec: [1]"), &mut Vec::new())
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("failed: the patch copies more than"),
        "{error}"
    );
    let deep = format!(
        "- {{op: add, path: /spec, value: {}1{}}}\n",
        "[".repeat(600),
        "]".repeat(600)
    );
    let deeper = format!(
        "{deep}- {{op: copy, from: /spec, path: {}/0}}\n",
        "/spec".to_owned() + &"/0".repeat(598)
    );
    let error = JsonPatch::parse(&deeper)
        .unwrap()
        .apply(&parse("spec: 1"), &mut Vec::new())
        .unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("the object would be deeper than 1000 levels"),
        "{error}"
    );
}

#[test]
fn pointers_are_paths_like_all_others() {
    for (pointer, path) in [
        ("", ""),
        ("/spec/replicas", "spec.replicas"),
        ("/spec/containers/0/image", "spec.containers[0].image"),
        ("/spec/list/-", "spec.list[-]"),
        (
            "/metadata/annotations/a.b~1c~0d",
            "metadata.annotations.a.b/c~d",
        ),
    ] {
        assert_eq!(dotted(pointer), path);
    }
}

#[test]
fn what_is_inside_of_a_changed_field_is_known() {
    let changed = [steps("spec.ids[1]"), steps("data.a.b")].into();
    for (field, is_changed) in [
        ("spec.ids[1]", true),
        ("spec.ids[1].x[0]", true),
        ("spec.ids[10]", false),
        ("spec.ids", false),
        ("data.a.b", true),
        ("data.a", false),
        ("data.a.bc", false),
    ] {
        assert_eq!(is_within(field, &changed), is_changed, "{field}");
    }
}
