//! `compare`.

use goyaml::Value;

use crate::reference::{real, stand_in, text};
use crate::workspace::{Run, Workspace, run_in};

const MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: v}\n";

/// A repository with something of each kind.
const FILES: &[(&str, &str)] = &[
    ("apps/good/kustomization.yaml", "resources: [a.yaml]\n"),
    ("apps/good/a.yaml", MAP),
    ("apps/bad/kustomization.yaml", "resources: [none.yaml]\n"),
    ("apps/worse/kustomization.yaml", "resources: [other.yaml]\n"),
    (
        "apps/far/kustomization.yaml",
        "resources: ['https://example.com/a.yaml']\n",
    ),
    (
        "apps/chart/kustomization.yaml",
        "helmCharts: [{name: a, repo: 'https://example.com', version: '1', releaseName: a}]\n",
    ),
    (".git/kustomization.yaml", "resources: [none.yaml]\n"),
];

fn compare(script: &str, arguments: &[&str]) -> Run {
    let workspace = Workspace::new(FILES);
    let kustomize = stand_in(&workspace, script);
    let all = [
        &["compare", "apps", "--kustomize", &kustomize][..],
        arguments,
    ]
    .concat();
    let run = workspace.run(&all);
    assert_eq!(
        run.stderr, "",
        "nothing but the report where nobody watches"
    );
    run
}

#[test]
fn failures_are_grouped_and_what_is_out_of_reach_is_left_out() {
    let Run { code, stdout, .. } = compare("echo 'Error: it is wrong' >&2; exit 1", &[]);
    assert_eq!(code, 1);
    for part in [
        "both fail                                2\n     2  cannot read `…`: no such file or directory\n",
        "        apps/bad/kustomization.yaml:1:13: cannot read `none.yaml`: no such file or directory\n",
        "only kustomize fails                     1\n     1  it is wrong\n        good: it is wrong\n",
        "needs remote or helm (not compared)      2\n",
    ] {
        assert!(stdout.contains(part), "{part}\nis not in\n{stdout}");
    }
    let summary = "5 kustomizations: 0 identical, 0 different, 2 both fail, 1 only kustomize fails, 2 needs remote or helm (not compared)\n";
    assert!(stdout.ends_with(summary), "{stdout}");
}

#[test]
fn a_difference_is_shown() {
    let script = "case $2 in */good) printf 'apiVersion: v1\\ndata:\\n  k: w\\nkind: ConfigMap\\nmetadata:\\n  name: a\\n';; *) exit 1;; esac";
    let Run { code, stdout, .. } = compare(script, &["--jobs", "3"]);
    assert_eq!(code, 1);
    let diff = "different: good\n  --- kustomize\n  +++ argocd-infisical\n  @@ -1,6 +1,6 @@ ConfigMap a\n   apiVersion: v1\n   data:\n  -  k: w\n  +  k: \
                v\n   kind: ConfigMap\n";
    assert!(stdout.contains(diff), "{stdout}");
}

#[test]
fn what_takes_too_long_is_told() {
    let Run { code, stdout, .. } = compare("while :; do :; done", &["--timeout", "1"]);
    assert_eq!(code, 1);
    assert!(
        stdout.ends_with(" 0 different, 3 timed out, 2 needs remote or helm (not compared)\n"),
        "{stdout}"
    );
}

#[test]
fn a_report_for_programs() {
    let Run { code, stdout, .. } = compare(
        "echo 'Error: it is wrong' >&2; exit 1",
        &["--format", "json"],
    );
    assert_eq!(code, 1);
    let report = Value::from_json(stdout.as_bytes()).unwrap();
    let counts = report.get("counts").unwrap();
    assert_eq!(counts.get("bothFail").and_then(Value::as_i64), Some(2));
    assert_eq!(counts.get("fault").and_then(Value::as_i64), Some(0));
    let entries = report
        .get("kustomizations")
        .and_then(Value::as_array)
        .unwrap();
    let field = |index: usize, key| entries[index].get(key).and_then(Value::as_str);
    let paths: Vec<_> = (0..entries.len())
        .map(|index| field(index, "path").unwrap())
        .collect();
    assert_eq!(paths, ["bad", "chart", "far", "good", "worse"]);
    assert_eq!(field(0, "kustomizeMessage"), Some("it is wrong"));
    assert_eq!(field(2, "class"), Some("needsRemoteOrHelm"));
    assert_eq!(entries[2].get("kustomizeSeconds"), None);
}

#[test]
fn wrong_command_lines() {
    let workspace = Workspace::new(&[("empty/a.yaml", MAP)]);
    let kustomize = stand_in(&workspace, "exit 1");
    let code = |arguments: &[&str]| workspace.run(&[&["compare"], arguments].concat()).code;
    assert_eq!(code(&["empty"]), 2, "there is no kustomize");
    assert_eq!(code(&["none", "--kustomize", &kustomize]), 2);
    assert_eq!(
        code(&["empty", "--kustomize", &kustomize, "--jobs", "0"]),
        2
    );
    workspace.write("plain", "");
    assert_eq!(code(&["empty", "--kustomize", "./plain"]), 2);
    assert_eq!(code(&["empty", "--kustomize", "/bin/false"]), 1);
}

#[test]
fn nothing_to_compare_is_no_success() {
    let workspace = Workspace::new(&[("empty/a.yaml", MAP)]);
    let kustomize = stand_in(&workspace, "exit 1");
    workspace.fails(
        &["compare", "empty", "--kustomize", &kustomize],
        "error: there is no kustomization in or below `empty`\nhint: name the directory of a repository\n",
    );
}

#[test]
fn the_trees_of_this_repository_are_identical() {
    let Some(kustomize) = real() else { return };
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let Run {
        code,
        stdout,
        stderr,
    } = run_in(
        root,
        &["compare", "testdata", "--kustomize", &text(&kustomize)],
    );
    assert_eq!((code, stderr.as_str()), (0, ""), "{stdout}");
    assert!(
        stdout.contains(" identical, 0 different, ")
            && stdout.contains("\ntimes of what both build"),
        "{stdout}"
    );
}
