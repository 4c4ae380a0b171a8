//! The rules that a declaration gives its keys.

use std::fmt::Write as _;

use crate::workspace::Workspace;

/// A workspace whose schema is this, in lines 9 and after, and which declares these keys with these defaults.
fn workspace(schema: &str, data: &[(&str, &str)]) -> Workspace {
    let mut text = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\n  annotations:\n    \
                    config.kubernetes.io/local-config: \"true\"\n    argocd-infisical.io/declare: settings\n    \
                    argocd-infisical.io/schema: |\n"
        .to_owned();
    for line in schema.lines() {
        text.extend(["      ", line, "\n"]);
    }
    text.push_str("data:\n");
    for (key, value) in data {
        writeln!(text, "  {key}: {value:?}").unwrap();
    }
    Workspace::new(&[
        (
            "kustomization.yaml",
            "resources: [settings.yaml, one.yaml]\n",
        ),
        ("settings.yaml", &text),
        (
            "one.yaml",
            "apiVersion: v1\nkind: Service\nmetadata: {name: one}\n",
        ),
    ])
}

/// A marked object with this text in it, in line 6.
fn marked(text: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Service\nmetadata: {{name: one, annotations: {{argocd-infisical.io/template: \"true\"}}}}\n\
         spec:\n  x:\n    a: {text}\n"
    )
}

#[test]
fn values_and_defaults_are_checked_together() {
    let workspace = workspace(
        "HIGH: {type: int, min: 1, max: 5}\nLOW: {type: float, min: 0.5}\nON: {type: bool}\nZONE: {pattern: '[A-Z]+'}\n\
         WORD: {type: int}\nBLOCK: {type: yaml}\nDATA: {type: json}",
        &[
            ("HIGH", "1"),
            ("LOW", "0.25"),
            ("ON", "true"),
            ("ZONE", "Ax"),
            ("WORD", ""),
            ("BLOCK", "a: 1"),
            ("DATA", "{}"),
        ],
    );
    workspace.write(
        "some.env",
        "HIGH=99\nON=hunter2\nWORD=hunter2\nBLOCK=5\nDATA='{a: 1}'\n",
    );
    let rule = |line: u32| format!("(settings.yaml:{line})");
    let message = format!(
        "error: settings break the schema\n  `BLOCK` must be a mapping or a list in YAML {}; its value stands in some.env:4\n  \
         `DATA` must be an object or an array in JSON {}; its value stands in some.env:5\n  `HIGH` must be at most 5 {}; its \
         value stands in some.env:1\n  `LOW` must be at least 0.5 {}; its default stands in settings.yaml:18\n  `ON` must be \
         `true` or `false` {}; its value stands in some.env:2\n  `WORD` must be an integer {}; its value stands in some.env:3\n  \
         `ZONE` must match the pattern `[A-Z]+` as a whole {}; its default stands in settings.yaml:20\nhint: change the value, \
         or the rule in the annotation `argocd-infisical.io/schema`\n",
        rule(14),
        rule(15),
        rule(9),
        rule(10),
        rule(11),
        rule(13),
        rule(12),
    );
    workspace.fails(&["render", "--settings", "some.env"], &message);
    assert_eq!(workspace.run(&["build"]).code, 0);
}

#[test]
fn what_fits_is_rendered() {
    let workspace = workspace(
        "N: {type: int, min: -1, max: 5}\nZONE: {type: string, pattern: 'a|b', required: true}\nBLOCK: {type: json}\n",
        &[("N", "5"), ("ZONE", "b"), ("BLOCK", "{\"x\": 1.50}")],
    );
    workspace.write(
        "one.yaml",
        marked("\"${{ settings.BLOCK | yaml }}\"\n    count: ${{ settings.N | int }}"),
    );
    let printed = workspace.prints(&["render"]);
    assert!(
        printed.ends_with("    a:\n      x: 1.5\n    count: 5\n"),
        "{printed}"
    );
    // The pattern is for the whole of the value, whatever alternatives it has.
    workspace.write("some.env", "ZONE=bx\n");
    assert_eq!(workspace.run(&["render", "--settings", "some.env"]).code, 1);
}

#[test]
fn an_overlay_may_tighten_the_rules() {
    let workspace = workspace("N: {type: int}", &[("N", "3")]);
    for file in ["kustomization.yaml", "settings.yaml", "one.yaml"] {
        workspace.write(&format!("base/{file}"), workspace.read(file));
    }
    workspace.write(
        "dev/kustomization.yaml",
        "resources: [../base]\npatches:\n- patch: |\n    apiVersion: v1\n    kind: ConfigMap\n    metadata:\n      name: settings\n      \
         annotations:\n        argocd-infisical.io/schema: 'N: {type: int, max: 2}'\n",
    );
    workspace.prints(&["render"]);
    let run = workspace.run(&["render", "dev"]);
    assert!(
        run.stderr
            .contains("\n  `N` must be at most 2 (dev/kustomization.yaml:"),
        "{}",
        run.stderr
    );
    assert_eq!(run.code, 1);
}

#[test]
fn a_key_is_required_whatever_placeholders_say() {
    let object = marked("${{ settings.A | default(\"x\") }}");
    let with = |required: &str| {
        let workspace = workspace(&format!("A: {{required: {required}}}"), &[("A", "")]);
        workspace.write("one.yaml", &object);
        workspace
    };
    let message = "error: a required setting has no value\n  `A`, declared at settings.yaml:11\nhint: give it with `--settings \
                   FILE`, or give it a default where it is declared\n";
    with("true").fails(&["render"], message);
    with("false").prints(&["render"]);
    let unused = workspace("A: {required: false}", &[("A", "")]);
    unused.prints(&["render"]);
    unused.write("one.yaml", marked("${{ settings.A }}"));
    let message = "error: a required setting has no value\n  `A`, declared at settings.yaml:11\n    asked for at \
                   one.yaml:6\nhint: give it with `--settings FILE`, give it a default where it is declared, or write \
                   `default(\"…\")` into the placeholder\n";
    unused.fails(&["render"], message);
    assert_eq!(
        workspace("A: {required: true}", &[("A", "a")])
            .run(&["render"])
            .code,
        0
    );
}

#[test]
fn a_block_needs_its_type() {
    let workspace = workspace("A: {type: string}", &[("A", "a: 1"), ("B", "b: 1")]);
    for (expression, key) in [
        ("A | yaml", "A"),
        ("B | json", "B"),
        ("B | default(\"{}\") | yaml", "B"),
    ] {
        workspace.write(
            "one.yaml",
            marked(&format!("${{{{ settings.{expression} }}}}")),
        );
        let run = workspace.run(&["render"]);
        let message = format!(
            "error: one.yaml:6:8: `yaml` and `json` are for settings that the schema gives such a type, and `{key}` is none\n"
        );
        assert!(run.stderr.starts_with(&message), "{}", run.stderr);
        let hint = format!(
            "\nhint: add `{key}: {{type: yaml}}` to the annotation `argocd-infisical.io/schema` of the ConfigMap"
        );
        assert!(run.stderr.contains(&hint), "{}", run.stderr);
        assert_eq!((run.code, run.stdout.as_str()), (1, ""));
    }
}

/// Schemas that are wrong, and what is said of them behind the name of the file.
const WRONG: [(&str, &str); 18] = [
    (
        "B: {}\nA: {type: integer}",
        "10: unknown type `integer` in the rule for `A`",
    ),
    (
        "B: {}\nA: {typ: int}",
        "10: unknown field `typ` in the rule for `A`",
    ),
    (
        "C: {}",
        "9: the schema has a rule for `C`, which is not declared",
    ),
    ("A: {}\nA: {}", "10: "),
    (
        "A: {max: 5}",
        "9: `min` and `max` of `A` need a type that is a number",
    ),
    (
        "A: {type: bool, min: 5}",
        "9: `min` and `max` of `A` need a type that is a number",
    ),
    (
        "A: {type: int, min: 1.5}",
        "9: `min` of `A` must be an integer",
    ),
    (
        "A: {type: float, max: \"5\"}",
        "9: `max` of `A` must be a number",
    ),
    (
        "A: {type: int, min: 2, max: 1}",
        "9: `min` of `A` is larger than its `max`",
    ),
    (
        "A:\n  pattern: '('",
        "10: `pattern` of `A` is not a valid regular expression: unclosed group",
    ),
    (
        "A: {pattern: 'a)|(b'}",
        "9: `pattern` of `A` is not a valid regular expression: ",
    ),
    (
        "A: {pattern: '(\\w{900}){900}'}",
        "9: `pattern` of `A` is not a valid regular expression: it is too large",
    ),
    ("A: {pattern: 5}", "9: `pattern` of `A` must be a text"),
    (
        "A: {required: 1}",
        "9: `required` of `A` must be `true` or `false`",
    ),
    ("A: int", "9: the rule for `A` must be a map"),
    ("- A", "9: the schema must be one map from keys to rules"),
    (
        "A: {}\n---\nB: {}",
        "9: the schema must be one map from keys to rules",
    ),
    ("A: {}\nB: [", "10: the schema is not valid YAML: "),
];

#[test]
fn a_schema_that_is_wrong_is_told_with_its_line() {
    for (schema, expected) in WRONG {
        let workspace = workspace(schema, &[("A", "a"), ("B", "b")]);
        let run = workspace.run(&["render"]);
        let expected = format!("error: settings.yaml:{expected}");
        assert!(
            run.stderr.starts_with(&expected),
            "{schema}: {}",
            run.stderr
        );
        assert!(run.stderr.contains("\nhint: "), "{schema}: {}", run.stderr);
        assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{schema}");
        // A build asks nobody about settings.
        assert_eq!(workspace.run(&["build"]).code, 0, "{schema}");
    }
}

#[test]
fn a_generator_that_merges_keeps_the_line_of_a_rule() {
    let workspace = workspace("A: {}\nN: {type: int}", &[("A", "a"), ("N", "3")]);
    for file in ["kustomization.yaml", "settings.yaml", "one.yaml"] {
        workspace.write(&format!("base/{file}"), workspace.read(file));
    }
    workspace.write(
        "dev/kustomization.yaml",
        "resources: [../base]\nconfigMapGenerator:\n- name: settings\n  behavior: merge\n  literals:\n  - N=many\n",
    );
    let message = "error: a setting breaks the schema\n  `N` must be an integer (base/settings.yaml:10); its default stands in \
                   dev/kustomization.yaml:6\nhint: change the value, or the rule in the annotation \
                   `argocd-infisical.io/schema`\n";
    workspace.fails(&["render", "dev"], message);
}

#[test]
fn a_replacement_copies_an_empty_text_where_none_is_required() {
    let workspace = workspace("A: {required: false}", &[("A", "")]);
    workspace.write(
        "kustomization.yaml",
        "resources: [settings.yaml, one.yaml]\nreplacements:\n- source: {kind: ConfigMap, name: settings, fieldPath: data.A}\n  \
         targets: [{select: {name: one}, fieldPaths: [spec.a]}]\n",
    );
    workspace.write(
        "one.yaml",
        "apiVersion: v1\nkind: Service\nmetadata: {name: one}\nspec: {a: x}\n",
    );
    assert!(
        workspace
            .prints(&["render"])
            .ends_with("spec:\n  a: \"\"\n")
    );
}

#[test]
fn patterns_are_bounded_together() {
    let keys: Vec<String> = (0..40).map(|index| format!("K{index}")).collect();
    let schema = |pattern: &str| {
        let rules = keys
            .iter()
            .map(|key| format!("{key}: {{pattern: '{pattern}'}}\n"));
        rules.collect::<String>()
    };
    let data: Vec<(&str, &str)> = keys.iter().map(|key| (key.as_str(), "a")).collect();
    workspace(&schema("[a-z]{1,63}"), &data).prints(&["render"]);
    let run = workspace(&schema("[\\w]{1,20}"), &data).run(&["render"]);
    assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{}", run.stderr);
    let what = "the patterns of the schemas are together larger than the 16777216 bytes";
    assert_eq!(run.stderr.matches(what).count(), 1, "{}", run.stderr);
    assert_eq!(run.stderr.matches("error:").count(), 1, "{}", run.stderr);
}
