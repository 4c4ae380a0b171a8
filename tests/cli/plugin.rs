//! `plugin generate` as cmp-server calls it, where no cluster is needed; `tests/cluster` has the rest.

use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::workspace::{Run, Workspace, binary};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
const SETTINGS: &str = r#"[{"name":"settings","array":["home/a"]}]"#;
const KUSTOMIZATION: &str = "resources: [one.yaml]\n";
const ONE: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: one\n";

/// A checkout as cmp-server makes it, with the Application in `app`.
fn checkout(files: &[(&str, &str)]) -> Workspace {
    let workspace = Workspace::new(&[]);
    for (path, text) in files {
        workspace.write(&format!("_cmp_server/id/{path}"), text);
    }
    workspace
}

/// A call of the plugin for the Application in `app`.
fn call(workspace: &Workspace, more: &[&str], variables: &[(&str, &str)]) -> Command {
    let usual = [
        ("ARGOCD_APP_NAME", "lamp"),
        ("ARGOCD_APP_PROJECT_NAME", "home"),
        ("ARGOCD_APP_REVISION", COMMIT),
    ];
    let mut command = binary();
    command
        .args(["plugin", "generate", "--permits-directory"])
        .arg(workspace.path().join("permits"))
        .args(more)
        .envs(usual)
        .envs(variables.iter().copied())
        .current_dir(workspace.path().join("_cmp_server/id/app"));
    command
}

fn generate(workspace: &Workspace, more: &[&str], variables: &[(&str, &str)]) -> Run {
    let output = call(workspace, more, variables).output().unwrap();
    Run {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

#[track_caller]
fn refuses(run: &Run, expected: &str) {
    assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{}", run.stderr);
    assert!(run.stderr.contains(expected), "{expected}: {}", run.stderr);
}

#[test]
fn an_application_without_settings_gets_the_defaults() {
    let workspace = checkout(&[
        ("app/kustomization.yaml", "resources: [../base]\n"),
        (
            "base/kustomization.yaml",
            "resources: [settings.yaml, one.yaml]\n",
        ),
        (
            "base/settings.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\n  annotations: {config.kubernetes.io/local-config: \"true\", \
             argocd-infisical.io/declare: settings}\ndata: {A: default}\n",
        ),
        (
            "base/one.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one, annotations: {argocd-infisical.io/template: \"true\"}}\n\
             data: {a: \"${{ settings.A }}\"}\n",
        ),
    ]);
    for parameters in [None, Some("null"), Some("[]")] {
        let variables: Vec<_> = parameters
            .map(|parameters| ("ARGOCD_APP_PARAMETERS", parameters))
            .into_iter()
            .collect();
        let run = generate(&workspace, &[], &variables);
        assert_eq!((run.code, run.stderr.as_str()), (0, ""));
        assert!(run.stdout.contains("  a: default\n"), "{}", run.stdout);
    }
}

#[test]
fn what_an_author_writes_widens_nothing() {
    let workspace = checkout(&[
        ("app/kustomization.yaml", KUSTOMIZATION),
        ("app/one.yaml", ONE),
    ]);
    let call = |variables: &[(&str, &str)]| generate(&workspace, &[], variables);
    // There is no cluster to read from, so whatever asks for one fails: these have to fail before that.
    refuses(
        &call(&[
            ("ARGOCD_APP_PARAMETERS", SETTINGS),
            ("ARGOCD_APP_REVISION", "streamed"),
        ]),
        "is no full commit SHA or digest",
    );
    refuses(
        &call(&[(
            "ARGOCD_APP_PARAMETERS",
            r#"[{"name":"policy","string":"/x"}]"#,
        )]),
        "there is no plugin parameter `policy`",
    );
    refuses(
        &call(&[(
            "ARGOCD_APP_PARAMETERS",
            r#"[{"name":"settings","array":["a/*"]}]"#,
        )]),
        "has a name that no such object can have",
    );
    refuses(
        &call(&[("ARGOCD_APP_NAME", "a_b_c")]),
        "no Application can be called",
    );
    refuses(
        &call(&[
            ("ARGOCD_APP_PARAMETERS", SETTINGS),
            ("ARGOCD_ENV_SETTINGS_DIGEST", "v1.x.0"),
        ]),
        "has no key to check it with",
    );
    // What the environment says besides is not read.
    let run = call(&[
        ("PARAM_SETTINGS_0", "home/a"),
        ("ARGOCD_ENV_SETTINGS", "home/a"),
        ("ARGOCD_ENV_POLICY", "/none"),
    ]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));

    workspace.write(
        "policy.yaml",
        "apiVersion: argocd-infisical.io/v1alpha1\nkind: Policy\nsettings: {namespaces: [work]}\n",
    );
    let policy = workspace.path().join("policy.yaml");
    let policy = ["--policy", policy.to_str().unwrap()];
    refuses(
        &generate(&workspace, &policy, &[("ARGOCD_APP_PARAMETERS", SETTINGS)]),
        "the policy does not allow its namespace",
    );
    refuses(
        &generate(
            &workspace,
            &["--argocd-namespace", "argocd"],
            &[(
                "ARGOCD_APP_PARAMETERS",
                r#"[{"name":"settings","array":["secret:argocd/argocd-secret"]}]"#,
            )],
        ),
        "Secrets of Argo CD's own namespace are never read",
    );
    workspace.write(
        "_cmp_server/id/app/.argocd-source-lamp.yaml",
        "Plugin: {}\n",
    );
    refuses(
        &call(&[]),
        ".argocd-source-lamp.yaml:1: a file of the repository may not say which plugin",
    );
}

#[test]
fn the_checkout_is_a_bound() {
    let workspace = checkout(&[
        (
            "app/kustomization.yaml",
            "configMapGenerator: [{name: a, files: [token]}]\n",
        ),
        (
            "other/kustomization.yaml",
            "resources: [../../../elsewhere]\n",
        ),
    ]);
    workspace.write("token", "secret-token");
    workspace.write("elsewhere/kustomization.yaml", KUSTOMIZATION);
    workspace.write("elsewhere/one.yaml", ONE);
    let link = |to: &Path| {
        let link = workspace.path().join("_cmp_server/id/app/token");
        drop(std::fs::remove_file(&link));
        symlink(to, link).unwrap();
    };
    link(&workspace.path().join("token"));
    let run = generate(&workspace, &[], &[]);
    assert_eq!((run.code, run.stdout.as_str()), (1, ""));
    assert!(!run.stderr.contains("secret-token"), "{}", run.stderr);
    link(Path::new("/proc/self/environ"));
    assert_eq!(generate(&workspace, &[], &[]).code, 1);
    // A base may lie anywhere for kustomize; here it lies in the checkout.
    workspace.write(
        "_cmp_server/id/app/kustomization.yaml",
        "resources: [../../../elsewhere]\n",
    );
    refuses(&generate(&workspace, &[], &[]), "outside");
}

#[test]
fn nothing_is_not_a_result() {
    let workspace = checkout(&[("app/kustomization.yaml", "resources: []\nnamePrefix: a-\n")]);
    let run = generate(&workspace, &[], &[]);
    assert_eq!((run.code, run.stdout.as_str()), (1, ""));
    let workspace = checkout(&[
        ("app/kustomization.yaml", KUSTOMIZATION),
        (
            "app/one.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one, annotations: {config.kubernetes.io/local-config: \"true\"}}\n",
        ),
    ]);
    refuses(&generate(&workspace, &[], &[]), "the result is empty");
}

#[test]
fn the_time_is_over_before_it_is_done() {
    let workspace = checkout(&[
        ("app/kustomization.yaml", KUSTOMIZATION),
        ("app/one.yaml", ONE),
    ]);
    // A server that takes connections and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = silent.local_addr().unwrap();
    workspace.write(
        "config",
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: a\ncontexts: [{{name: a, context: {{cluster: a, user: a}}}}]\n\
             clusters: [{{name: a, cluster: {{server: \"http://{server}\"}}}}]\nusers: [{{name: a, user: {{token: x}}}}]\n"
        ),
    );
    let config = workspace.path().join("config");
    let more = [
        "--timeout",
        "1",
        "--argocd-namespace",
        "argocd",
        "--kubeconfig",
        config.to_str().unwrap(),
    ];
    let start = Instant::now();
    let run = generate(&workspace, &more, &[("ARGOCD_APP_PARAMETERS", SETTINGS)]);
    assert!(
        start.elapsed() < Duration::from_secs(5),
        "{:?}",
        start.elapsed()
    );
    assert_eq!((run.code, run.stdout.as_str()), (1, ""));
    let is_told = |text: &str| run.stderr.contains(text);
    assert!(
        is_told("is not done after 1 seconds") || is_told("does not answer in time"),
        "{}",
        run.stderr
    );
}

#[test]
fn renders_wait_for_one_another() {
    let workspace = checkout(&[
        ("app/kustomization.yaml", KUSTOMIZATION),
        ("app/one.yaml", ONE),
    ]);
    // Somebody holds the only permit.
    workspace.write("permits/render-0", "");
    let held = std::fs::File::options()
        .write(true)
        .open(workspace.path().join("permits/render-0"))
        .unwrap();
    held.lock().unwrap();
    let start = Instant::now();
    let run = generate(&workspace, &["--concurrency", "1", "--timeout", "1"], &[]);
    assert!(start.elapsed() >= Duration::from_millis(900));
    assert_eq!((run.code, run.stdout.as_str()), (1, ""));
    held.unlock().unwrap();
    assert_eq!(generate(&workspace, &["--concurrency", "1"], &[]).code, 0);
}

#[test]
fn what_is_small_in_a_repository_and_large_in_memory_ends_alone() {
    // Some 16 million nodes in 64 MiB, which a Git repository packs into next to nothing.
    let bomb = format!(
        "apiVersion: v1\nkind: X\nmetadata: {{name: x}}\na: [{}]\n",
        "{a},".repeat(15 << 20)
    );
    let workspace = checkout(&[
        ("app/kustomization.yaml", KUSTOMIZATION),
        ("app/one.yaml", &bomb),
    ]);
    let output = call(&workspace, &["--memory", "1024"], &[])
        .output()
        .unwrap();
    assert!(!output.status.success());
    assert!(output.stdout.is_empty());
    // Refused by count, or ended by the system.
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(
        told.contains("memory allocation of") || told.contains("bytes"),
        "{told}"
    );
    // As one that Argo CD reads as well.
    workspace.write("_cmp_server/id/app/one.yaml", ONE);
    workspace.write("_cmp_server/id/app/.argocd-source.yaml", bomb);
    refuses(
        &generate(&workspace, &[], &[]),
        "is a link, too large, or cannot be read",
    );
}
