//! Sources of settings, declarations, and what is wrong with them.

use std::fs::File;
use std::io::Write as _;
use std::process::Stdio;

use crate::workspace::{Workspace, binary};

const KUSTOMIZATION: &str = "resources:\n- settings.yaml\n- one.yaml\n";
const DECLARED: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\n  annotations:\n    \
                        config.kubernetes.io/local-config: \"true\"\n    argocd-infisical.io/declare: settings\ndata:\n  A: a\n  \
                        B: \"\"\n  N: \"1\"\n";
const ONE: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: one\n  annotations:\n    argocd-infisical.io/template: \
                   \"true\"\ndata:\n  a: ${{ settings.A }}\n  b: ${{ settings.B }}\n";

fn workspace() -> Workspace {
    Workspace::new(&[
        ("kustomization.yaml", KUSTOMIZATION),
        ("settings.yaml", DECLARED),
        ("one.yaml", ONE),
    ])
}

fn printed(a: &str, b: &str) -> String {
    format!(
        "apiVersion: v1\ndata:\n  a: {a}\n  b: {b}\nkind: ConfigMap\nmetadata:\n  annotations:\n    \
         argocd-infisical.io/template: \"true\"\n  name: one\n"
    )
}

#[test]
fn every_kind_of_source() {
    let workspace = workspace();
    workspace.write(
        "secret.yaml",
        "apiVersion: v1\nkind: Secret\ndata: {A: b3V0ZXI=, B: Yg==}\n",
    );
    workspace.write(
        "secret.json",
        r#"{"apiVersion":"v1","kind":"Secret","stringData":{"A":"outer","B":"b"}}"#,
    );
    workspace.write(
        "map.yml",
        "apiVersion: v1\nkind: ConfigMap\ndata: {A: outer, B: b}\n",
    );
    workspace.write("values.env", "A=outer\nexport B='b'\n");
    workspace.write("values/A", "outer");
    workspace.write("values/B", "b");
    workspace.write("values/..data/A", "x");
    for source in [
        "secret.yaml",
        "secret.json",
        "map.yml",
        "values.env",
        "values",
    ] {
        assert_eq!(
            workspace.prints(&["render", "--settings", source]),
            printed("outer", "b"),
            "{source}"
        );
    }
}

#[test]
fn later_sources_win_and_missing_values_do_not() {
    let workspace = workspace();
    workspace.write("1.env", "A=first\nB=first\n");
    workspace.write("2.env", "A=second\nB=\n");
    workspace.write("3.env", "A=<no value>\n");
    let arguments = [
        "render",
        "--settings",
        "1.env",
        "--settings",
        "2.env",
        "--settings",
        "3.env",
    ];
    assert_eq!(workspace.prints(&arguments), printed("second", "first"));
}

#[test]
fn all_missing_settings_are_told_at_once() {
    let workspace = workspace();
    workspace.write("settings.yaml", format!("{DECLARED}  C: \"\"\n"));
    workspace.write("some.env", "A=x\n");
    let message = "error: 2 required settings have no value\n  `B`, declared at settings.yaml:10\n    asked for at one.yaml:9\n  \
                   `C`, declared at settings.yaml:12\nhint: set them in `some.env`, give them a default where they are \
                   declared, or write `default(\"…\")` into the placeholders\n";
    workspace.fails(&["render", "--settings", "some.env"], message);
}

#[test]
fn a_secret_with_broken_base64() {
    let workspace = workspace();
    workspace.write(
        "secret.yaml",
        "apiVersion: v1\nkind: Secret\ndata:\n  A: hunter2!\n",
    );
    let message = "error: secret.yaml:4: the value of `A` in `data` is not valid base64\nhint: encode the value, or move it to \
                   `stringData`\n";
    workspace.fails(&["render", "--settings", "secret.yaml"], message);
}

#[test]
fn a_value_that_is_not_utf8() {
    let workspace = workspace();
    workspace.write(
        "secret.yaml",
        "apiVersion: v1\nkind: Secret\ndata:\n  A: /w==\n  UNREAD: /w==\n",
    );
    let message = "error: secret.yaml:4: the value of setting `A` is not UTF-8 text\nhint: settings are text; keep binary data \
                   in a Secret that the pod mounts\n";
    workspace.fails(&["render", "--settings", "secret.yaml"], message);
}

#[test]
fn a_settings_file_that_is_not_there() {
    let message = "error: none.env: cannot read settings: no such file or directory\nhint: `--settings` takes a Secret or \
                   ConfigMap manifest, a `.env` file or a directory with a file for each key\n";
    workspace().fails(&["render", "--settings", "none.env"], message);
}

#[test]
fn a_setting_of_the_wrong_type() {
    let workspace = workspace();
    workspace.write(
        "one.yaml",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: one\n  annotations:\n    argocd-infisical.io/template: \
         \"true\"\nspec:\n  replicas: ${{ settings.N | int }}\n  x: ${{ settings.A | bool }}\n",
    );
    workspace.write("some.env", "B=b\n\nN=hunter2\n");
    let message = "error: one.yaml:8:13: setting `N` is not an integer\n  8 |   replicas: ${{ settings.N | int }}\n    |             ^\n  \
                   its value stands in some.env:3\n  in: Deployment.v1.apps/one.[noNs]\n  field: spec.replicas\nhint: change the \
                   value, or take a filter that fits it\n\nerror: one.yaml:9:6: setting `A` is not `true` or `false`\n  9 |   x: \
                   ${{ settings.A | bool }}\n    |      ^\n  its default stands in settings.yaml:9\n  in: \
                   Deployment.v1.apps/one.[noNs]\n  field: spec.x\nhint: change the value, or take a filter that fits it\n";
    workspace.fails(&["render", "--settings", "some.env"], message);
}

#[test]
fn a_declaration_that_would_reach_the_cluster() {
    let workspace = workspace();
    workspace.write(
        "settings.yaml",
        DECLARED.replace("config.kubernetes.io/local-config", "example.org/other"),
    );
    let message = "error: settings.yaml:1:1: the ConfigMap that declares settings has no annotation \
                   `config.kubernetes.io/local-config: \"true\"`\n  1 | apiVersion: v1\n    | ^\n  in: \
                   ConfigMap.v1.[noGrp]/settings.[noNs]\nhint: add `config.kubernetes.io/local-config: \"true\"`, so that \
                   kustomize keeps it out of the output\n";
    workspace.fails(&["render"], message);
    workspace.write(
        "settings.yaml",
        DECLARED.replace("local-config: \"true\"", "local-config: \"false\""),
    );
    workspace.fails(&["render"], message);
}

#[test]
fn declarations_that_contradict_themselves() {
    let workspace = workspace();
    for (text, expected) in [
        (
            format!("{DECLARED}  A: again\n"),
            "error: settings.yaml:12:3: ",
        ),
        (
            format!("{DECLARED}  D: 5\n"),
            "error: settings.yaml:12:6: the default of setting `D` is not a text\n",
        ),
        (
            DECLARED.replace("kind: ConfigMap", "kind: Secret"),
            "error: settings.yaml:1:1: settings are declared in an object",
        ),
        (
            DECLARED.replace("declare: settings", "declare: other"),
            "error: settings.yaml:1:1: annotation `argocd-infisical.io/declare`",
        ),
    ] {
        workspace.write("settings.yaml", text);
        let run = workspace.run(&["render"]);
        assert_eq!((run.code, run.stdout.as_str()), (1, ""));
        assert!(run.stderr.starts_with(expected), "{}", run.stderr);
    }
}

#[test]
fn one_key_has_one_declaration() {
    let workspace = workspace();
    workspace.write(
        "kustomization.yaml",
        format!("{KUSTOMIZATION}- more.yaml\n"),
    );
    workspace.write(
        "more.yaml",
        DECLARED.replace("name: settings", "name: more"),
    );
    let run = workspace.run(&["render"]);
    assert_eq!((run.code, run.stdout.as_str()), (1, ""));
    let expected = "error: more.yaml:9: setting `A` is declared twice\n  9 |   A: a\n  first at settings.yaml:9\n";
    assert!(run.stderr.starts_with(expected), "{}", run.stderr);
}

#[test]
fn values_stay_where_an_overlay_changes_defaults() {
    let workspace = Workspace::new(&[
        ("base/kustomization.yaml", KUSTOMIZATION),
        ("base/settings.yaml", DECLARED),
        ("base/one.yaml", ONE),
        (
            "kustomization.yaml",
            "resources:\n- base\nnamePrefix: x-\npatches:\n- patch: |\n    apiVersion: v1\n    kind: ConfigMap\n    metadata: \
             {name: settings}\n    data: {A: patched, B: patched}\nreplacements:\n- source: {kind: ConfigMap, name: settings, \
             fieldPath: data.A}\n  targets:\n  - select: {kind: ConfigMap, name: one}\n    fieldPaths: [data.replaced]\n    \
             options: {create: true}\n",
        ),
        ("some.env", "A=outer\n"),
    ]);
    let text = workspace.prints(&["render", "--settings", "some.env"]);
    assert!(
        text.starts_with("apiVersion: v1\ndata:\n  a: outer\n  b: patched\n  replaced: outer\n"),
        "{text}"
    );
}

#[test]
fn without_declared_settings_render_is_build() {
    let workspace = Workspace::new(&[
        (
            "kustomization.yaml",
            "resources:\n- one.yaml\nconfigMapGenerator:\n- name: x\n  literals: ['a=${{ settings.A }}']\n",
        ),
        (
            "one.yaml",
            "apiVersion: v1\nkind: Service\nmetadata: {name: one}\nspec: {x: '${{ settings.A }} $${{'}\n",
        ),
        ("some.env", "A=outer\n"),
    ]);
    let built = workspace.prints(&["build"]);
    assert_eq!(workspace.prints(&["render"]), built);
    assert_eq!(
        workspace.prints(&["render", "--settings", "some.env"]),
        built
    );
}

#[test]
fn a_manifest_is_known_by_its_beginning() {
    let workspace = workspace();
    for text in [
        "# of the operator\n\n---\napiVersion: v1\nkind: Secret\nstringData: {A: outer, B: b}\n",
        "kind: ConfigMap\napiVersion: v1\ndata: {A: outer, B: b}\n",
        "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"data\":{\"A\":\"outer\",\"B\":\"b\"}}",
        "A=outer\nB=b\nC='\napiVersion: v1\n'\n",
    ] {
        workspace.write("values", text);
        let printed_text = workspace.prints(&["render", "--settings", "values"]);
        assert_eq!(printed_text, printed("outer", "b"), "{text}");
    }
    workspace.write("values", "A: outer\n");
    let message = "error: values:1: a line is neither `KEY=VALUE` nor a comment\nhint: write `KEY=VALUE`; a manifest ends in \
                   `.yaml`, `.yml` or `.json`, or begins with `apiVersion:`\n";
    workspace.fails(&["render", "--settings", "values"], message);
}

#[test]
fn settings_may_come_through_a_pipe() {
    let workspace = workspace();
    let mut child = binary()
        .args(["render", "--settings", "/dev/stdin"])
        .current_dir(workspace.path())
        .stdin(Stdio::piped())
        .stdout(File::create(workspace.path().join("out")).unwrap())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(b"A=outer\nB=b\n")
        .unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(workspace.read("out"), printed("outer", "b"));
}

#[test]
fn a_missing_key_names_the_first_that_ask() {
    let workspace = workspace();
    workspace.write(
        "one.yaml",
        "apiVersion: v1\nkind: Service\nmetadata:\n  name: one\n  annotations: {argocd-infisical.io/template: \"true\"}\n\
         spec:\n  a: ${{ settings.B }}\n  b: ${{ settings.B }}\n  c: |\n    x\n    ${{ settings.B }}\n  d: ${{ settings.B }}\n",
    );
    let message = "error: a required setting has no value\n  `B`, declared at settings.yaml:10\n    asked for at \
                   one.yaml:7\n    asked for at one.yaml:8\n    asked for at one.yaml:11\nhint: give it with `--settings \
                   FILE`, give it a default where it is declared, or write `default(\"…\")` into the placeholder\n";
    workspace.fails(&["render"], message);
}

#[test]
fn a_default_of_an_overlay_is_named_by_its_own_line() {
    let workspace = Workspace::new(&[
        ("base/kustomization.yaml", KUSTOMIZATION),
        (
            "base/settings.yaml",
            &DECLARED.replace(
                "\ndata:",
                "\n    argocd-infisical.io/schema: \"N: {type: int}\"\ndata:",
            ),
        ),
        (
            "base/one.yaml",
            "apiVersion: v1\nkind: Service\nmetadata: {name: one}\n",
        ),
        (
            "kustomization.yaml",
            "resources: [base]\npatches:\n- path: patch.yaml\n",
        ),
        (
            "patch.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata:\n  B: b\n  N: many\n",
        ),
    ]);
    let message = "error: a setting breaks the schema\n  `N` must be an integer (base/settings.yaml:8); its default stands in \
                   patch.yaml:6\nhint: change the value, or the rule in the annotation `argocd-infisical.io/schema`\n";
    workspace.fails(&["render"], message);
}
