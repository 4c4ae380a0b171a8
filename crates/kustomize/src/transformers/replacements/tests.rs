//! Replacements recorded from kustomize v5.8.2.

use goyaml::{Limits, Node};

use super::{apply, read_file};
use crate::error::{Error, Result};
use crate::kustomization::replacement_fields::decode_replacement;
use crate::limits::Budget;
use crate::resource::Resource;
use crate::resources::Resources;

const SOURCE: &str = r#"apiVersion: v1
kind: ConfigMap
metadata: {name: source}
data: {host: x.y.z, port: "8080", lines: "one\ntwo\n"}
number: 12
map: {k: v, list: [1, 2.5]}
"#;

fn parse(text: &str) -> Node {
    goyaml::parse(text.as_bytes(), &Limits::default())
        .unwrap()
        .unwrap()
}

fn resources(objects: &[&str]) -> Resources {
    let mut resources = Resources::new();
    resources
        .append_all(objects.iter().map(|text| Resource::new(parse(text))))
        .unwrap();
    resources
}

fn run(replacement: &str, objects: &[&str]) -> Result<Vec<String>> {
    let mut resources = resources(objects);
    apply(
        &[decode_replacement(&parse(replacement), true)?],
        &Budget::default(),
        &mut resources,
    )?;
    resources
        .iter()
        .map(|resource| {
            let mut out = String::new();
            let spec = resource
                .node()
                .get("spec")
                .cloned()
                .unwrap_or_else(Node::null);
            let only_spec = Node::mapping(vec![(Node::string("spec"), spec)]);
            goyaml::emit_canonical(&only_spec, &mut out)
                .map_err(|error| Error::malformed(&error))?;
            Ok(out)
        })
        .collect()
}

#[test]
fn replacements_do_what_they_do_in_kustomize() {
    for case in include_str!("cases.txt").split("# ").skip(1) {
        let (input, want) = case.split_once("===\n").unwrap();
        let (heading, target) = input.split_once("---\n").unwrap();
        let (name, replacement) = heading.split_once('\n').unwrap();
        let target =
            format!("apiVersion: x/v1\nkind: Target\nmetadata: {{name: target}}\n{target}");
        let result = run(replacement, &[SOURCE, &target]);
        let got = result.as_ref().map_or("error", |specs| &specs[1]);
        assert_eq!(got.trim_end(), want.trim_end(), "{name}: {result:?}");
    }
}

const ONE: &str = "{apiVersion: apps/v1, kind: Deployment, metadata: {name: one, labels: {tier: web}}, spec: {v: a}}";
const TWO: &str = "{apiVersion: apps/v1, kind: Deployment, metadata: {name: two, labels: {tier: db}}, spec: {v: b}}";
const POD: &str = "{apiVersion: v1, kind: Pod, metadata: {name: one}, spec: {v: c}}";

fn touched(target: &str) -> String {
    let replacement =
        format!("{{sourceValue: new, targets: [{{{target}, fieldPaths: [spec.v]}}]}}");
    let specs = run(&replacement, &[ONE, TWO, POD]).unwrap();
    specs
        .iter()
        .map(|spec| if spec.contains("new") { 'x' } else { '-' })
        .collect()
}

#[test]
fn targets_are_selected_and_rejected() {
    let cases = [
        ("select: {kind: Deployment}", "xx-"),
        ("select: {name: one}", "x-x"),
        ("select: {name: o.*, group: apps}", "x--"),
        ("select: {kind: Deploy}", "---"),
        ("select: {labelSelector: tier=db}", "-x-"),
        ("select: {}", "xxx"),
        ("select: {}, reject: [{kind: Pod}]", "xx-"),
        ("select: {}, reject: [{labelSelector: tier}]", "--x"),
        // Either half of a selector is enough to reject.
        (
            "select: {}, reject: [{kind: Deployment, labelSelector: tier=db}]",
            "--x",
        ),
        ("select: {}, reject: [{}]", "xxx"),
    ];
    for (target, expected) in cases {
        assert_eq!(touched(target), expected, "{target}");
    }
}

#[test]
fn errors_say_what_to_change_and_no_value() {
    let cases = [
        ("{targets: [{select: {}}]}", "a replacement has no `source`"),
        ("{sourceValue: hunter2}", "a replacement has no `targets`"),
        (
            "{sourceValue: a, source: {name: one}, targets: [{select: {}}]}",
            "a replacement has both",
        ),
        (
            "{sourceValue: a, targets: [{fieldPaths: [spec.v]}]}",
            "a target of a replacement has no `select`",
        ),
        (
            "{source: {name: none}, targets: [{select: {}}]}",
            "no resource matches the source",
        ),
        (
            "{source: {name: one}, targets: [{select: {}}]}",
            "several resources match the source",
        ),
        (
            "{source: {kind: Pod, fieldPath: spec.v, options: {delimiter: '.', index: 2}}, targets: [{select: {}}]}",
            "the source of a replacement has no part 2",
        ),
        (
            "{sourceValue: a, targets: [{select: {kind: Pod}, fieldPaths: [spec.w]}]}",
            "the target of a replacement has no such field (field `spec.w`) (in Pod.v1.[noGrp]/one.[noNs])",
        ),
    ];
    for (replacement, expected) in cases {
        let error = run(replacement, &[ONE, TWO, POD]).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[test]
fn sources_are_found_by_earlier_names() {
    let mut resources = resources(&[ONE, POD]);
    let deployment = &mut resources.as_mut_slice()[0];
    deployment.remember_id();
    deployment.set_name("prefix-one");
    let text = "{source: {kind: Deployment, name: one}, targets: [{select: {kind: Pod}, fieldPaths: [spec.v]}]}";
    apply(
        &[decode_replacement(&parse(text), true).unwrap()],
        &Budget::default(),
        &mut resources,
    )
    .unwrap();
    let value = resources.as_slice()[1]
        .node()
        .get_path(&["spec", "v"])
        .and_then(Node::as_str);
    assert_eq!(value, Some("prefix-one"));
}

#[test]
fn values_given_in_the_kustomization_are_plain() {
    let replacement = "{sourceValue: '7', targets: [{select: {kind: Pod}, fieldPaths: [spec.n], options: {create: true}}]}";
    assert_eq!(
        run(replacement, &[POD]).unwrap(),
        ["spec:\n  \"n\": 7\n  v: c\n"]
    );
}

#[test]
fn files_hold_one_replacement_or_a_list() {
    let one = "{sourceValue: a, targets: [{select: {}}], unknown: ignored}";
    assert_eq!(read_file(&parse(one)).unwrap().len(), 1);
    assert_eq!(
        read_file(&parse(&format!("[{one}, {one}]"))).unwrap().len(),
        2
    );
    assert!(read_file(&parse("text")).is_err());
    let error = decode_replacement(&parse(one), true).unwrap_err();
    assert!(
        error.to_string().contains("unknown field `unknown`"),
        "{error}"
    );
}
