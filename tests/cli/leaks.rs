//! No error message holds a value, wherever it came from and however the build fails.

use crate::workspace::{Run, Workspace};

/// What must not be seen.
const VALUE: &str = "hunter2";

const OBJECT: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: one\n  annotations:\n    \
                      argocd-infisical.io/template: \"true\"\nspec:\n  x: FIELD\n";

fn declared(default: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\n  annotations:\n    config.kubernetes.io/local-config: \
         \"true\"\n    argocd-infisical.io/declare: settings\ndata:\n  A: \"{default}\"\n  REQUIRED: \"\"\n"
    )
}

fn sources() -> Vec<(&'static str, String)> {
    vec![
        ("s.env", format!("A=\"{VALUE}: [\"\n")),
        (
            "secret.yaml",
            format!("apiVersion: v1\nkind: Secret\nstringData:\n  A: \"{VALUE}: [\"\n"),
        ),
        (
            "map.yaml",
            format!("apiVersion: v1\nkind: ConfigMap\ndata:\n  A: \"{VALUE}: [\"\n"),
        ),
        (
            "secret.json",
            format!(
                "{{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"stringData\":{{\"A\":\"{VALUE}: [\"}}}}"
            ),
        ),
        ("directory/A", format!("{VALUE}: [")),
    ]
}

#[test]
fn whatever_a_placeholder_does_with_it() {
    for (source, text) in sources() {
        for expression in [
            "A | int",
            "A | bool",
            "A | float",
            "A | yaml",
            "A | json",
            "A | none",
            "A.x",
            "A()",
            "A.upper()",
            "A | int(1)",
            "A | default",
            "A[0]",
            "A + 1",
            "A | b64encode | int",
            "B | default(settings.A) | int",
            "A",
        ] {
            let object = OBJECT.replace("FIELD", &format!("${{{{ settings.{expression} }}}}"));
            let workspace = Workspace::new(&[
                (
                    "kustomization.yaml",
                    "resources: [settings.yaml, one.yaml]\n",
                ),
                ("settings.yaml", &declared("a")),
                ("one.yaml", &object),
            ]);
            workspace.write(source, &text);
            let settings = source.split('/').next().unwrap();
            let run = workspace.run(&["render", "--settings", settings]);
            // The required key is missing, so it always fails.
            assert_eq!(
                (run.code, run.stdout.as_str()),
                (1, ""),
                "{source} {expression}"
            );
            assert!(
                !run.stderr.contains(VALUE),
                "{source} {expression}: {}",
                run.stderr
            );
        }
    }
}

#[test]
fn whatever_is_wrong_with_the_source() {
    for (name, text) in [
        ("s.env", format!("A='{VALUE}")),
        ("s.env", format!("A=1\nA={VALUE}\n")),
        ("s.env", VALUE.to_owned()),
        ("s.env", format!("{VALUE} x=1\n")),
        ("s.env", format!("A='x' {VALUE}\n")),
        (
            "s.yaml",
            format!("apiVersion: v1\nkind: Secret\ndata:\n  A: {VALUE}\n"),
        ),
        (
            "s.yaml",
            format!("apiVersion: v1\nkind: Secret\ndata:\n  A: [{VALUE}]\n"),
        ),
        (
            "s.yaml",
            format!("apiVersion: v1\nkind: Secret\ndata: {VALUE}\n"),
        ),
        (
            "s.yaml",
            format!("apiVersion: v1\nkind: Secret\nstringData:\n  A: {VALUE}: {VALUE}\n"),
        ),
        (
            "s.yaml",
            format!("apiVersion: v1\nkind: Secret\nstringData:\n  A: *{VALUE}\n"),
        ),
        (
            "s.yaml",
            format!("apiVersion: v1\nkind: Secret\nstringData:\n  A: {VALUE}\n  A: {VALUE}\n"),
        ),
        ("s.yaml", format!("A: {VALUE}\n")),
        ("s.yaml", VALUE.to_owned()),
        ("s.json", format!("{{\"kind\": \"{VALUE}")),
    ] {
        let workspace = Workspace::new(&[
            ("kustomization.yaml", "resources: [settings.yaml]\n"),
            ("settings.yaml", &declared("a")),
            (name, &text),
        ]);
        let run = workspace.run(&["render", "--settings", name]);
        assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{name} {text}");
        assert!(!run.stderr.contains(VALUE), "{name} {text}: {}", run.stderr);
    }
}

#[test]
fn a_value_that_a_replacement_carries_into_a_wrong_place() {
    let workspace = Workspace::new(&[
        (
            "kustomization.yaml",
            "resources: [settings.yaml, one.yaml]\nreplacements:\n- source: {kind: ConfigMap, name: settings, fieldPath: data.A}\n  \
             targets:\n  - select: {name: one}\n    fieldPaths: [spec.x.y.z, spec.x.0]\n",
        ),
        (
            "settings.yaml",
            &declared("a").replace("  REQUIRED: \"\"\n", ""),
        ),
        ("one.yaml", OBJECT),
        ("s.env", &format!("A={VALUE}\n")),
    ]);
    let run = workspace.run(&["render", "--settings", "s.env"]);
    assert_eq!((run.code, run.stdout.as_str()), (1, ""));
    assert!(!run.stderr.contains(VALUE), "{}", run.stderr);
}

#[test]
fn lines_of_secrets_in_the_repository_are_not_shown() {
    for (kustomization, secret) in [
        (
            "resources: [secret.yaml]\n",
            format!(
                "apiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\nstringData:\n  A: {VALUE}: x\n"
            ),
        ),
        (
            "resources: [secret.yaml]\n",
            format!(
                "apiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\nstringData: {{A: {VALUE}\n"
            ),
        ),
        (
            "secretGenerator:\n- name: s\n  envs: [secret.yaml]\n",
            format!("A={VALUE}\nA={VALUE}\n"),
        ),
        (
            "secretGenerator:\n- name: s\n  literals: [hunter2]\n",
            String::new(),
        ),
        (
            "secretGenerator:\n- name: s\n  literals: [A=hunter2]\n  unknown: x\n",
            String::new(),
        ),
        (
            "patches:\n- patch: |\n    kind: Secret\n    stringData: {A: hunter2\n",
            String::new(),
        ),
    ] {
        let workspace = Workspace::new(&[
            ("kustomization.yaml", kustomization),
            ("secret.yaml", &secret),
        ]);
        for command in ["build", "render"] {
            let run = workspace.run(&[command]);
            assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{kustomization}");
            assert!(
                !run.stderr.contains(VALUE),
                "{kustomization}: {}",
                run.stderr
            );
        }
    }
}

#[test]
fn a_warning_shows_no_line_of_a_secret() {
    let workspace = Workspace::new(&[
        (
            "kustomization.yaml",
            "resources: [secret.yaml]\npatches:\n- path: patch.yaml\n  target: {name: s}\n",
        ),
        (
            "patch.yaml",
            "- op: add\n  path: /stringData/B\n  value: yes\n- op: add\n  path: /stringData/C\n  value:\n    x: yes\n",
        ),
        (
            "secret.yaml",
            "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData:\n  A: 9007199254740993\n  D: >\n    hunter2\n      x\n    y\n  E: 2020-01-01\n",
        ),
    ]);
    let run = workspace.run(&["build"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(run.stderr.matches("warning: ").count(), 5, "{}", run.stderr);
    for value in ["yes", VALUE, "9007", "2020"] {
        assert!(!run.stderr.contains(value), "{}", run.stderr);
    }
}

/// What the tools for people say of a tree whose every field holds the value, with and without an error in it.
#[test]
fn whatever_a_tool_reports_of_it() {
    let object = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: one\n  annotations:\n    \
                  argocd-infisical.io/template: \"true\"\nspec:\n  x: ${{ settings.A }}\n  y: copied\n";
    let kustomization = "resources: [settings.yaml, one.yaml]\nconfigMapGenerator:\n- name: made\n  literals: [\"A=${{ settings.A \
                         }}\"]\n  options:\n    annotations: {argocd-infisical.io/template: \"true\"}\nreplacements:\n- source: {kind: \
                         ConfigMap, name: settings, fieldPath: data.A}\n  targets:\n  - select: {name: one}\n    fieldPaths: [spec.y]\n";
    let sources = sources();
    let optional = declared("a").replace("  REQUIRED: \"\"\n", "");
    let broken = object.replace("settings.A }}", "settings.A | int }}");
    let ruled = optional.replace(
        "argocd-infisical.io/declare: settings\n",
        "argocd-infisical.io/declare: settings\n    argocd-infisical.io/schema: 'A: {pattern: x}'\n",
    );
    for (source, text) in &sources {
        let settings = source.split('/').next().unwrap();
        for (declared, object, is_well) in [
            (&optional, object, true),
            (&optional, broken.as_str(), false),
            (&ruled, object, false),
            (&declared("a"), object, false),
        ] {
            let workspace = Workspace::new(&[
                ("kustomization.yaml", kustomization),
                ("settings.yaml", declared),
                ("one.yaml", object),
                ("other.env", "A=other\n"),
            ]);
            workspace.write(source, text);
            let with = ["-s", settings];
            let mut silent = 0;
            for arguments in [
                &["explain"][..],
                &["explain", "--format", "json"],
                &["lint"],
                &["lint", "--format", "json"],
                &["diff"],
                &["diff", "--format", "json"],
                &["diff", "--against", "other.env"],
            ] {
                let run = workspace.run(&[arguments, &with].concat());
                assert!(run.code < 2, "{}", run.stderr);
                for said in [&run.stdout, &run.stderr] {
                    assert!(!said.contains(VALUE), "{source} {arguments:?}: {said}");
                }
                silent += usize::from(run.stdout.is_empty());
            }
            assert_eq!(silent == 0, is_well, "{source}");
            let against = workspace.run(&["diff", "-s", "other.env", "--against", settings]);
            assert!(
                !(against.stdout + &against.stderr).contains(VALUE),
                "{source}"
            );
            only_rendered(&workspace, settings, is_well);
            if is_well {
                for tool in ["explain", "diff"] {
                    let shown = workspace.run(&[tool, "--show-values", "-s", settings]);
                    assert!(shown.stdout.contains(VALUE), "{tool} {}", shown.stderr);
                }
            }
        }
    }
}

/// The value is in what `render` prints, where that works, and nowhere else.
#[track_caller]
fn only_rendered(workspace: &Workspace, settings: &str, is_well: bool) {
    let built = workspace.run(&["build"]);
    assert!(
        !(built.stdout + &built.stderr).contains(VALUE),
        "{settings}"
    );
    let rendered = workspace.run(&["render", "-s", settings]);
    assert!(!rendered.stderr.contains(VALUE), "{settings}");
    assert_eq!(rendered.stdout.contains(VALUE), is_well, "{settings}");
}

/// A block of YAML has names of fields that are part of the value.
#[test]
fn what_a_block_calls_its_fields() {
    let block = format!(
        "{{{VALUE}: {{template: {{metadata: {{annotations: ANNOTATIONS}}, spec: {{containers: []}}}}}}}}"
    );
    let workspace = Workspace::new(&[
        ("kustomization.yaml", "resources: [settings.yaml, one.yaml]\n"),
        (
            "settings.yaml",
            &declared("{}").replace("  REQUIRED: \"\"\n", "").replace(
                "argocd-infisical.io/declare: settings\n",
                "argocd-infisical.io/declare: settings\n    argocd-infisical.io/schema: 'A: {type: yaml}'\n",
            ),
        ),
        ("one.yaml", &OBJECT.replace("FIELD", "${{ settings.A | yaml }}")),
        ("full.env", &format!("A='{}'\n", block.replace("ANNOTATIONS", "{a: b}"))),
        ("empty.env", &format!("A='{}'\n", block.replace("ANNOTATIONS", "{}"))),
        ("other.env", &format!("A='{{other: x, {VALUE}: y}}'\n")),
    ]);
    for arguments in [
        &["diff", "-s", "full.env"][..],
        &["diff", "-s", "full.env", "--format", "json"],
        &["diff", "-s", "full.env", "--against", "other.env"],
        &["explain", "-s", "full.env"],
        &["explain", "-s", "full.env", "--format", "json"],
        &["lint", "-s", "full.env"],
        &["lint", "-s", "empty.env"],
        &["render", "-s", "empty.env"],
    ] {
        let run = workspace.run(arguments);
        assert!(run.code < 2 && run.stdout.len() + run.stderr.len() > 0);
        assert!(!(run.stdout + &run.stderr).contains(VALUE), "{arguments:?}");
    }
    let Run { code, stderr, .. } = workspace.run(&["render", "-s", "empty.env"]);
    assert_eq!(code, 1);
    assert!(
        stderr.contains("makes an empty `annotations` in a pod template"),
        "{stderr}"
    );
    assert!(stderr.contains("  field: spec.x\n"), "{stderr}");
    let shown = workspace.run(&["diff", "-s", "full.env", "--show-values"]);
    assert!(
        shown.stdout.contains(&format!("  + spec.x.{VALUE}  A\n")),
        "{}",
        shown.stdout
    );
    let hidden = workspace.run(&["diff", "-s", "full.env", "--against", "other.env"]);
    assert!(
        hidden.stdout.ends_with("\nDeployment one\n  ~ spec.x  A\n"),
        "{}",
        hidden.stdout
    );
}

/// Renders a block out of a value, with its schema; an error or a warning must come of it.
fn block(kind: &str, value: &str) -> Run {
    let object = OBJECT.replace("FIELD", "{inner: '${{ settings.A | yaml }}'}");
    let declared = declared("{}")
        .replace(
            "\ndata:\n",
            &format!("\n    argocd-infisical.io/schema: \"A: {{type: {kind}}}\"\ndata:\n"),
        )
        .replace("  REQUIRED: \"\"\n", "");
    let workspace = Workspace::new(&[
        (
            "kustomization.yaml",
            "resources: [settings.yaml, one.yaml]\n",
        ),
        ("settings.yaml", &declared),
        ("one.yaml", &object),
        ("values/A", value),
    ]);
    workspace.run(&["render", "--settings", "values"])
}

#[test]
fn a_warning_names_no_key_of_a_block() {
    for inner in [
        "\"x\u{85}\"",
        "2020-01-01",
        "12345678901234567890123456",
        "[{b: 2020-01-01}]",
    ] {
        let run = block(
            "yaml",
            &format!("{{\"{VALUE}\": {inner}, b: {{{VALUE}.a: 2020-01-01}}}}"),
        );
        assert_eq!(run.code, 0, "{}", run.stderr);
        assert!(
            run.stderr.contains("  field: spec.x.inner\n"),
            "{}",
            run.stderr
        );
        assert!(!run.stderr.contains(VALUE), "{}", run.stderr);
    }
}

#[test]
fn an_error_of_writing_names_no_key_of_a_block() {
    for (kind, value) in [
        ("yaml", format!("{{{VALUE}: {{\"y\u{fffe}\": 1}}}}")),
        ("yaml", format!("{{{VALUE}: {{\"y\\ufffe\": 1}}}}")),
        ("json", format!("{{\"{VALUE}\": {{\"y\\ufffe\": 1}}}}")),
        ("yaml", format!("{VALUE}: {{a: [.inf]}}")),
        ("yaml", format!("{VALUE}: {{1: [1], ? [2] : 3}}")),
    ] {
        let run = block(kind, &value);
        assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{}", run.stderr);
        assert!(!run.stderr.contains(VALUE), "{}", run.stderr);
    }
}
