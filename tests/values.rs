//! No value of a setting can be anything but the text of its field: whatever it holds, the output around it stays the same.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by a panic")]

use std::fs;
use std::path::Path;

use argocd_infisical::files::DiskFiles;
use argocd_infisical::render::render;
use argocd_infisical::settings::{Place, Settings, is_missing};
use argocd_infisical::target::Target;
use goyaml::Dialect;
use kustomize::Options;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Map, Value, json};
use tempfile::TempDir;

/// A tree with a placeholder, or a replacement, in every kind of place that takes a text.
const FILES: [(&str, &str); 6] = [
    (
        "kustomization.yaml",
        "\
namePrefix: x-
commonAnnotations: {a: b}
resources: [settings.yaml, one.yaml, two.yaml]
configMapGenerator:
- name: made
  files: [page.txt]
  envs: [made.env]
  literals: ['LITERAL=<${{ settings.A }}>']
  options: {annotations: {argocd-infisical.io/template: 'true'}}
secretGenerator:
- name: hidden
  files: [page.txt]
  options: {annotations: {argocd-infisical.io/template: 'true'}}
vars: [{name: A, objref: {apiVersion: v1, kind: ConfigMap, name: settings}, fieldref: {fieldPath: data.A}}]
replacements:
- source: {kind: ConfigMap, name: settings, fieldPath: data.A}
  targets:
  - select: {kind: Deployment, name: two}
    fieldPaths: [spec.template.metadata.annotations.whole]
  - select: {kind: Deployment, name: two}
    fieldPaths: [spec.template.spec.containers.0.args.0]
    options: {delimiter: ' ', index: 1}
",
    ),
    (
        "settings.yaml",
        "\
apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
  annotations: {config.kubernetes.io/local-config: 'true', argocd-infisical.io/declare: settings}
data: {A: default}
",
    ),
    (
        "one.yaml",
        "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: one
  annotations:
    argocd-infisical.io/template: 'true'
    whole: ${{ settings.A }}
spec:
  template:
    metadata:
      labels: {flow: '${{ settings.A }}', \"quoted\": \"${{ settings.A }}\"}
    spec:
      containers:
      - name: c
        image: registry/${{ settings.A }}:1
        args: [\"--x=${{ settings.A }}\", \"before ${{ settings.A }} after ${{ settings.A }}\"]
        env:
        - name: BLOCK
          value: |
            first
              ${{ settings.A }}
            last
        - name: FOLDED
          value: >-
            first
            ${{ settings.A }}
        - name: MIXED
          value: x $(A) y ${{ settings.A }}
        - name: ENCODED
          value: ${{ settings.A | b64encode }}
",
    ),
    (
        "two.yaml",
        "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: two}
spec:
  template:
    metadata: {annotations: {whole: w}}
    spec:
      containers: [{name: c, args: [a b c, <$(A)>]}]
",
    ),
    ("page.txt", "page\n${{ settings.A }}\nend\n"),
    ("made.env", "FROM_ENV=${{ settings.A }}\n"),
];

fn tree() -> TempDir {
    let directory = TempDir::new().unwrap();
    for (name, text) in FILES {
        fs::write(directory.path().join(name), text).unwrap();
    }
    directory
}

/// Renders with a value, and reads the output with a parser that is not ours.
fn rendered(tree: &Path, value: &str) -> Result<Vec<Value>, String> {
    let mut settings = Settings::default();
    settings.insert("A", value.as_bytes().to_vec(), Place::default());
    let target = Target::new(tree, "/", DiskFiles::new()).map_err(|failure| failure.to_string())?;
    let rendered =
        render(&target, &Options::default(), &settings).map_err(|failure| failure.to_string())?;
    let yaml = rendered.output.to_yaml().unwrap();
    let objects: Vec<Value> =
        serde_saphyr::from_multiple(&yaml).map_err(|error| format!("{error}\n{yaml}"))?;
    // As Argo CD reads it.
    let documents = goyaml::parse_documents(yaml.as_bytes(), &goyaml::Limits::default())
        .map_err(|error| format!("{}\n{yaml}", error.message))?;
    let as_go: Vec<Value> = documents
        .iter()
        .map(|node| node.to_value(Dialect::V2).unwrap().to_json())
        .map(|json| serde_json::from_str(&json).unwrap())
        .collect();
    assert_eq!(difference(&objects, &as_go), "", "{yaml}");
    Ok(objects)
}

/// The same objects with the value put into them as JSON.
fn expected(objects: &[Value], value: &str) -> Vec<Value> {
    fn fill(node: &Value, value: &str) -> Value {
        match node {
            Value::String(text) => Value::String(text.replace("@@", value)),
            Value::Array(items) => items.iter().map(|item| fill(item, value)).collect(),
            Value::Object(fields) => {
                let fields = fields.iter();
                let fields: Map<_, _> = fields
                    .map(|(key, node)| (key.clone(), fill(node, value)))
                    .collect();
                Value::Object(fields)
            }
            other => other.clone(),
        }
    }
    objects.iter().map(|object| fill(object, value)).collect()
}

/// What depends on the value other than by holding it: base64 is decoded and hashes are taken off.
fn comparable(mut objects: Vec<Value>) -> Vec<Value> {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let decode = |node: &mut Value| {
        // kustomize wraps what it encodes.
        let text = node.as_str().unwrap().replace('\n', "");
        let bytes = STANDARD.decode(text).unwrap();
        *node = json!(String::from_utf8(bytes).unwrap());
    };
    for object in &mut objects {
        let name = object["metadata"]["name"].as_str().unwrap().to_owned();
        if object["kind"] == "Secret" {
            object["data"]
                .as_object_mut()
                .unwrap()
                .values_mut()
                .for_each(decode);
        }
        if object["kind"] != "Deployment" {
            let (name, hash) = name.rsplit_once('-').unwrap();
            assert_eq!(hash.len(), 10);
            object["metadata"]["name"] = json!(name);
        } else if name == "x-one" {
            decode(&mut object["spec"]["template"]["spec"]["containers"][0]["env"][3]["value"]);
        }
    }
    objects
}

/// The first place at which two lists of objects differ.
fn difference(actual: &[Value], expected: &[Value]) -> String {
    fn find(path: &str, actual: &Value, expected: &Value) -> Option<String> {
        if actual == expected {
            return None;
        }
        let inner = match (actual, expected) {
            (Value::Object(actual), Value::Object(expected)) => actual
                .iter()
                .find_map(|(key, node)| find(&format!("{path}.{key}"), node, expected.get(key)?)),
            (Value::Array(actual), Value::Array(expected)) => actual
                .iter()
                .zip(expected)
                .enumerate()
                .find_map(|(index, (node, other))| find(&format!("{path}.{index}"), node, other)),
            _ => None,
        };
        Some(inner.unwrap_or_else(|| format!("{path} is {actual}, not {expected}")))
    }
    find("", &json!(actual), &json!(expected)).unwrap_or_default()
}

#[track_caller]
fn check(tree: &Path, value: &str) {
    let result = rendered(tree, value);
    if value.contains('\0') {
        let told = result.err().unwrap();
        assert!(told.contains("NUL"), "{told}");
        return;
    }
    let shown = if is_missing(value.as_bytes()) {
        "default"
    } else {
        value
    };
    let objects = comparable(result.unwrap_or_else(|told| panic!("{value:?}: {told}")));
    let model = comparable(rendered(tree, "@@").unwrap());
    let expected = expected(&model, shown);
    assert!(
        objects == expected,
        "{value:?}: {}",
        difference(&objects, &expected)
    );
}

/// Values that mean something to YAML, templates, shells or terminals.
const AWKWARD: &[&str] = &[
    "",
    "plain",
    "true",
    "null",
    "~",
    "0777",
    "1e3",
    ".5",
    "0x1F",
    "2026-01-01",
    "on",
    "=",
    "<<",
    "-",
    "- a",
    "? a",
    ": ",
    "a: b",
    "a: b\nc: d",
    "{a: b}",
    "[a]",
    "{{ x }}",
    "{% for %}",
    "${{ settings.A }}",
    "$${{ settings.A }}",
    "${{",
    "}}",
    "${A}",
    "$(A)",
    "'",
    "\"",
    "it's \"both\"",
    "\\",
    "\\n",
    "%",
    "@",
    "`",
    "!",
    "!!int 1",
    "&a",
    "*a",
    "#",
    " # no",
    "a #b",
    "---",
    "---\n",
    "...\n",
    "\n---\nkind: Role\n",
    "|",
    ">",
    "|-\n x",
    "\n",
    "\n\n",
    " ",
    "  x",
    "x  ",
    "\t",
    "a\tb",
    "\ta",
    "\r",
    "\r\n",
    "a\r\nb",
    "a\nb",
    "\na",
    "a\n",
    "a\n\n",
    "  a\nb",
    "\n  a\n b",
    "\u{85}",
    "\u{2028}",
    "\u{2029}",
    "\u{feff}",
    "\u{feff}a",
    "\u{7f}",
    "\u{1}",
    "\u{1b}[31m",
    "😀",
    "a😀\nb",
    "é",
    "e\u{301}",
    "\u{202e}",
    "\u{fffd}",
    "\u{fffe}",
    "\u{10ffff}",
    "a\0b",
    "\0",
    "<no value>",
    "@@",
    "<script>&amp;</script>",
    "x y",
    " y",
    "a b c",
];

#[test]
fn values_that_look_like_something() {
    let tree = tree();
    let long = "long words ".repeat(40);
    check(tree.path(), &long);
    check(tree.path(), &long.replace(' ', "\n"));
    for value in AWKWARD {
        check(tree.path(), value);
    }
}

/// The generated texts are short on average, so that many are tried; the pieces are what means something to YAML,
/// templates and shells.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just(": ".to_owned()),
        Just("\n".to_owned()),
        Just(" ".to_owned()),
        Just("  ".to_owned()),
        Just("- ".to_owned()),
        Just("#".to_owned()),
        Just(" #".to_owned()),
        Just("'".to_owned()),
        Just("\"".to_owned()),
        Just("\\".to_owned()),
        Just("\t".to_owned()),
        Just("${{ settings.A }}".to_owned()),
        Just("{{".to_owned()),
        Just("}}".to_owned()),
        Just("---\n".to_owned()),
        Just("|".to_owned()),
        Just("\r".to_owned()),
        Just("\u{85}".to_owned()),
        Just("😀".to_owned()),
        "[a-z0-9]{1,6}",
        "\\PC{1,4}",
        any::<char>().prop_map(String::from),
    ];
    let pieces = prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat());
    prop_oneof![4 => pieces, 1 => any::<String>(), 1 => "[ -~\n]{0,200}"]
}

#[test]
fn any_value_whatever() {
    let tree = tree();
    let mut runner = TestRunner::new(Config::with_cases(1_000));
    runner
        .run(&text(), |value| {
            check(tree.path(), &value);
            Ok(())
        })
        .unwrap();
}
