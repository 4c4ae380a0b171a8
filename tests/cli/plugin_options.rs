//! The options of Argo CD's own Kustomize source as parameters of the plugin: what comes out is what kustomize prints after
//! the edits that Argo CD makes by `kustomize edit`, recorded by `tools/record-plugin`.

use std::fs;
use std::path::{Path, PathBuf};

use crate::workspace::{Run, Workspace, binary};

/// The environment of the Application; the recorder has the same.
const ENVIRONMENT: [(&str, &str); 9] = [
    ("ARGOCD_APP_NAME", "lamp"),
    ("ARGOCD_APP_NAMESPACE", "house"),
    ("ARGOCD_APP_PROJECT_NAME", "home"),
    (
        "ARGOCD_APP_REVISION",
        "0123456789abcdef0123456789abcdef01234567",
    ),
    ("ARGOCD_APP_REVISION_SHORT", "0123456"),
    ("ARGOCD_APP_REVISION_SHORT_8", "01234567"),
    (
        "ARGOCD_APP_SOURCE_REPO_URL",
        "https://git.example.org/repository",
    ),
    ("ARGOCD_APP_SOURCE_PATH", "app"),
    ("ARGOCD_APP_SOURCE_TARGET_REVISION", "main"),
];

/// Calls the plugin for the Application in `app` of a repository.
fn generate(repository: &Path, parameters: &str) -> Run {
    let workspace = Workspace::new(&[]);
    copy(repository, &workspace.path().join("_cmp_server/id"));
    let output = binary()
        .args(["plugin", "generate", "--permits-directory"])
        .arg(workspace.path().join("permits"))
        .envs(ENVIRONMENT)
        .env("ARGOCD_APP_PARAMETERS", parameters)
        .current_dir(workspace.path().join("_cmp_server/id/app"))
        .output()
        .unwrap();
    Run {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (from, to) = {
            let entry = entry.unwrap();
            (entry.path(), to.join(entry.file_name()))
        };
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::copy(from, to).unwrap();
        }
    }
}

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/plugin");
    let mut cases: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    cases.sort();
    assert!(cases.len() > 50, "{}", cases.len());
    cases
}

#[test]
fn every_option_does_what_it_does_without_the_plugin() {
    let mut wrong = Vec::new();
    for case in cases() {
        let read = |name: &str| fs::read_to_string(case.join(name)).ok();
        let run = generate(&case.join("in"), &read("parameters.json").unwrap());
        if read("want.err").is_some() && std::env::var_os("UPDATE_PLUGIN").is_some() {
            fs::write(case.join("want.err"), &run.stderr).unwrap();
        }
        let is_right = match (read("want.yaml"), read("want.err")) {
            (Some(want), None) => run.code == 0 && run.stdout == want,
            (None, Some(want)) => {
                run.code == 1 && run.stdout.is_empty() && run.stderr == want && !want.is_empty()
            }
            _ => false,
        };
        if !is_right {
            let Run {
                code,
                stdout,
                stderr,
            } = run;
            wrong.push(format!("{}: {code}\n{stdout}{stderr}", case.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const SETTINGS: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\n  annotations: {config.kubernetes.io/local-config: \
                        \"true\", argocd-infisical.io/declare: settings}\ndata: {TIMEZONE: UTC}\n";

/// A repository with a declaration and a resource.
fn repository() -> Workspace {
    Workspace::new(&[
        (
            "app/kustomization.yaml",
            "resources: [settings.yaml, one.yaml]\n",
        ),
        ("app/settings.yaml", SETTINGS),
        (
            "app/one.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\ndata: {a: \"${{ settings.TIMEZONE }}\"}\n",
        ),
    ])
}

#[test]
fn what_options_write_is_injected_into_like_the_rest() {
    let repository = repository();
    let template = r#"{"name":"commonAnnotations","map":{"argocd-infisical.io/template":"true"}}"#;
    let patch = |key: &str| {
        format!(
            r#"{{"name":"patches","array":["patch: |-\n  apiVersion: v1\n  kind: ConfigMap\n  metadata: {{name: one}}\n  data:\n    b: ${{{{ settings.{key} }}}}"]}}"#
        )
    };
    let run = generate(
        repository.path(),
        &format!("[{template},{}]", patch("TIMEZONE")),
    );
    assert_eq!(run.stderr, "");
    assert!(
        run.stdout.contains("data:\n  a: UTC\n  b: UTC\n"),
        "{}",
        run.stdout
    );
    let run = generate(
        repository.path(),
        &format!("[{template},{}]", patch("TIMEZON")),
    );
    assert_eq!((run.code, run.stdout.as_str()), (1, ""));
    assert!(
        run.stderr.starts_with(
            "error: <plugin parameter patches[0]>:6:8: setting `TIMEZON` is not declared"
        ),
        "{}",
        run.stderr
    );
}

#[test]
fn options_take_no_declaration_away() {
    let repository = repository();
    for (parameter, expected) in [
        (
            r#"{"name":"patches","array":["patch: |-\n  $patch: delete\n  apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: settings}"]}"#,
            "a layer has taken away the ConfigMap",
        ),
        (
            r#"{"name":"patches","array":["patch: |-\n  - op: remove\n    path: /metadata/annotations/config.kubernetes.io~1local-config\ntarget: {name: settings}"]}"#,
            "has no annotation `config.kubernetes.io/local-config",
        ),
        (
            r#"{"name":"commonAnnotations","map":{"argocd-infisical.io/declare":"settings"}}"#,
            "has no annotation `config.kubernetes.io/local-config",
        ),
    ] {
        let run = generate(repository.path(), &format!("[{parameter}]"));
        assert_eq!((run.code, run.stdout.as_str()), (1, ""));
        assert!(run.stderr.contains(expected), "{}", run.stderr);
    }
}
