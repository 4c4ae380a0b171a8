//! `plugin parameters`: what Argo CD's UI is told.

use serde_json::Value;

use crate::workspace::{Run, Workspace, binary};

const SETTINGS: &str = "\
apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
  annotations:
    config.kubernetes.io/local-config: \"true\"
    argocd-infisical.io/declare: settings
    argocd-infisical.io/schema: |
      REPLICAS: {type: int, min: 1}
      OPTIONAL: {required: false}
      CONFIG: {type: yaml}
data:
  REPLICAS: \"1\"
  TIMEZONE: \"\"
  OPTIONAL: \"\"
  CONFIG: |
    a: b
    c: d
  LONG: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
";
const SECRET: &str =
    "apiVersion: v1\nkind: Secret\nmetadata: {name: hidden}\nstringData: {a: hush}\n";

/// Asks in the directory of an Application, in which cmp-server sets little.
fn ask(files: &[(&str, &str)], more: &[&str]) -> Run {
    let workspace = Workspace::new(&[]);
    workspace.write("_cmp_server/id/app/none", "");
    for (path, text) in files {
        workspace.write(&format!("_cmp_server/id/app/{path}"), text);
    }
    workspace.write(
        "policy.yaml",
        "apiVersion: argocd-infisical.io/v1alpha1\nkind: Policy\nparameters: [images]\n",
    );
    let policy = workspace.path().join("policy.yaml");
    let more = more.iter().map(|argument| match *argument {
        "POLICY" => policy.to_str().unwrap(),
        other => other,
    });
    let output = binary()
        .args(["plugin", "parameters"])
        .args(more)
        .env("ARGOCD_APP_NAME", "lamp")
        .current_dir(workspace.path().join("_cmp_server/id/app"))
        .output()
        .unwrap();
    Run {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

#[track_caller]
fn announced(run: &Run) -> Vec<Value> {
    assert_eq!(run.code, 0, "{}", run.stderr);
    serde_json::from_str(&run.stdout).unwrap()
}

fn text<'v>(parameter: &'v Value, field: &str) -> &'v str {
    parameter[field].as_str().unwrap()
}

#[test]
fn the_parameters_and_the_declared_keys() {
    let run = ask(
        &[
            (
                "kustomization.yaml",
                "resources: [settings.yaml, secret.yaml]\n",
            ),
            ("settings.yaml", SETTINGS),
            ("secret.yaml", SECRET),
        ],
        &[],
    );
    assert_eq!(run.stderr, "");
    let parameters = announced(&run);
    assert_eq!(parameters.len(), 19);
    let settings = &parameters[0];
    assert_eq!(
        (text(settings, "name"), text(settings, "collectionType")),
        ("settings", "array")
    );
    let keys = "CONFIG (yaml, default a: b…); LONG (string, default aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…); OPTIONAL (string, no \
                default); REPLICAS (int, default 1); TIMEZONE (string, required)";
    assert!(
        text(settings, "tooltip").ends_with(&format!(": {keys}")),
        "{settings}"
    );
    for parameter in &parameters {
        for field in ["name", "title", "tooltip", "itemType"] {
            assert!(!text(parameter, field).is_empty(), "{parameter}");
        }
        assert!(["string", "array", "map"].contains(&text(parameter, "collectionType")));
        assert_eq!(parameter["required"], Value::Bool(false));
        // A key that were a parameter of its own could be set, and would be refused.
        assert_ne!(text(parameter, "name"), "REPLICAS");
    }
    assert!(!run.stdout.contains("hush"));
}

#[test]
fn what_does_not_build_is_no_reason_to_fail() {
    for (files, reason) in [
        (vec![], "there is no kustomization file"),
        (
            vec![("kustomization.yaml", "resorces: []\n")],
            "kustomization.yaml:1:1: unknown field `resorces`",
        ),
        (
            vec![("kustomization.yaml", "resources: [\n")],
            "invalid YAML",
        ),
        (
            vec![
                ("kustomization.yaml", "resources: [settings.yaml]\n"),
                ("settings.yaml", "kind: Secret\n"),
            ],
            "settings.yaml",
        ),
        (
            vec![(
                "kustomization.yaml",
                "resources: [https://example.org/a.yaml]\n",
            )],
            "https://example.org/a.yaml",
        ),
    ] {
        let run = ask(&files, &[]);
        assert_eq!(announced(&run).len(), 19);
        assert!(
            run.stderr.starts_with("warning: ") && run.stderr.contains(reason),
            "{}",
            run.stderr
        );
        assert!(!run.stdout.contains("declares"));
    }
    // A declaration that is wrong in part.
    let wrong = SETTINGS.replace("REPLICAS: \"1\"", "REPLICAS: \"0\"");
    let files = [
        ("kustomization.yaml", "resources: [settings.yaml]\n"),
        ("settings.yaml", wrong.as_str()),
    ];
    let run = ask(&files, &[]);
    assert!(text(&announced(&run)[0], "tooltip").contains("REPLICAS (int, default 0)"));
    assert!(run.stderr.contains("must be at least 1"), "{}", run.stderr);
    let run = ask(&files, &["--timeout", "0"]);
    assert_eq!(announced(&run).len(), 19);
}

#[test]
fn what_the_policy_does_not_allow_is_not_announced() {
    let run = ask(&[], &["--policy", "POLICY"]);
    let parameters = announced(&run);
    let names: Vec<&str> = parameters
        .iter()
        .map(|parameter| text(parameter, "name"))
        .collect();
    assert_eq!(names, ["settings", "images"]);
}

#[test]
fn what_is_announced_is_read_in_that_form() {
    let parameters = announced(&ask(&[], &[]));
    let workspace = Workspace::new(&[
        ("kustomization.yaml", "resources: [one.yaml]\n"),
        (
            "one.yaml",
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: one}\n",
        ),
    ]);
    let generate = |name: &str, form: &str, value: &str| {
        let parameters = format!("[{{\"name\":\"{name}\",\"{form}\":{value}}}]");
        let output = binary()
            .args(["plugin", "generate", "--permits-directory"])
            .arg(workspace.path().join("permits"))
            .env("ARGOCD_APP_PARAMETERS", parameters)
            .env("ARGOCD_APP_NAME", "lamp")
            .env("ARGOCD_APP_PROJECT_NAME", "home")
            .current_dir(workspace.path())
            .output()
            .unwrap();
        (
            output.status.success(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    for parameter in &parameters {
        let name = text(parameter, "name");
        let form = text(parameter, "collectionType");
        let empty = |form: &str| match form {
            "array" => "[]",
            "map" => "{}",
            _ => parameter["string"].as_str().map_or("\"\"", |_| "\"false\""),
        };
        assert_eq!(
            generate(name, form, empty(form)),
            (true, String::new()),
            "{name}"
        );
        for other in ["string", "array", "map"]
            .into_iter()
            .filter(|other| *other != form)
        {
            let (is_well, stderr) = generate(name, other, empty(other));
            assert!(
                !is_well && stderr.contains(&format!("`{name}` is no `{form}`")),
                "{name}: {stderr}"
            );
        }
    }
}
