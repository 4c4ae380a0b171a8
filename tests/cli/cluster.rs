//! Settings out of a cluster, as far as there is none: the command line, the policy, the kubeconfig.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use crate::workspace::Workspace;

/// What must not be quoted.
const TOKEN: &str = "hunter2";

fn workspace() -> Workspace {
    Workspace::new(&[
        ("kustomization.yaml", "resources: [one.yaml]\n"),
        (
            "one.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\n",
        ),
    ])
}

fn kubeconfig(server: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: a\ncontexts: [{{name: a, context: {{cluster: a, user: a}}}}]\n\
         clusters: [{{name: a, cluster: {{server: \"{server}\"}}}}]\nusers: [{{name: a, user: {{token: {TOKEN}}}}}]\n"
    )
}

/// Renders with an object of the cluster that the file `config` describes.
fn render(workspace: &Workspace, object: &str, more: &[&str]) -> (i32, String) {
    let mut arguments = vec![
        "render",
        "--from-cluster",
        object,
        "--application",
        "home/lamp",
    ];
    arguments.extend(more);
    let run = workspace.run(&arguments);
    assert_eq!(run.stdout, "");
    assert!(!run.stderr.contains(TOKEN), "{}", run.stderr);
    (run.code, run.stderr)
}

#[test]
fn the_command_line() {
    let workspace = workspace();
    let cases: [(&[&str], &str); 6] = [
        (&["render", "--from-cluster", "a/b"], "--application"),
        (&["render", "--application", "a/b"], "--from-cluster"),
        (&["render", "--context", "a"], "--from-cluster"),
        (
            &["render", "--from-cluster", "b", "--application", "a/b"],
            "has no `/` between a namespace and a name",
        ),
        (
            &["render", "--from-cluster", "a/*", "--application", "a/b"],
            "has a name that no such object can have",
        ),
        (
            &["render", "--from-cluster", "a/b", "--application", "a/*"],
            "has an Application that no Application can be called",
        ),
    ];
    for (arguments, expected) in cases {
        let run = workspace.run(arguments);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{arguments:?}");
        assert!(run.stderr.contains(expected), "{}", run.stderr);
    }
}

#[test]
fn what_a_policy_does_not_allow_is_not_asked_for() {
    let workspace = workspace();
    workspace.write(
        "policy.yaml",
        "apiVersion: argocd-infisical.io/v1alpha1\nkind: Policy\nsettings: {namespaces: [home], kinds: [ConfigMap]}\n",
    );
    // There is no cluster: nothing says so before the policy has been heard.
    let (code, told) = render(&workspace, "secret:home/a", &["--policy", "policy.yaml"]);
    assert_eq!(code, 1);
    assert!(
        told.contains("`Secret home/a`: the policy allows no Secret"),
        "{told}"
    );
    let (_, told) = render(&workspace, "work/a", &["--policy", "policy.yaml"]);
    assert!(
        told.contains("the policy does not allow its namespace"),
        "{told}"
    );

    workspace.write(
        "policy.yaml",
        "apiVersion: argocd-infisical.io/v1alpha1\nkind: Policy\nsettings: {namespace: [home]}\n",
    );
    let (_, told) = render(&workspace, "home/a", &["--policy", "policy.yaml"]);
    assert!(
        told.starts_with("error: policy.yaml:3: the policy is not valid: "),
        "{told}"
    );
    let (_, told) = render(&workspace, "home/a", &["--policy", "none.yaml"]);
    assert!(told.contains("none.yaml: cannot read the policy"), "{told}");
}

#[test]
fn a_kubeconfig_that_is_none() {
    let workspace = workspace();
    let good = kubeconfig("https://127.0.0.1:1");
    let cases = [
        (String::new(), "names no current context"),
        (
            format!("a: [\n{good}"),
            "config:3: the kubeconfig is not valid",
        ),
        (
            good.replace("current-context: a", "current-context: b"),
            "has no context `b`",
        ),
        (
            good.replace("cluster: a,", "cluster: c,"),
            "has no cluster `c`",
        ),
        (good.replace("https://127.0.0.1:1", "::"), "is no address"),
        (
            good.replace("token:", "client-certificate: none.pem, client-key-data:"),
            "its certificates or credentials cannot be used",
        ),
    ];
    for (text, expected) in cases {
        workspace.write("config", &text);
        let (code, told) = render(&workspace, "home/a", &["--kubeconfig", "config"]);
        assert_eq!(code, 1);
        assert!(told.contains(expected), "{expected}: {told}");
    }
    let (_, told) = render(&workspace, "home/a", &["--kubeconfig", "none"]);
    assert!(
        told.starts_with("error: none: cannot read the kubeconfig: no such file"),
        "{told}"
    );
    let (_, told) = render(
        &workspace,
        "home/a",
        &["--kubeconfig", "config", "--context", "x"],
    );
    assert!(told.contains("has no context `x`"), "{told}");
    // Without anything to go by.
    let (_, told) = render(&workspace, "home/a", &[]);
    assert!(
        told.starts_with("error: ") && told.contains("kubeconfig"),
        "{told}"
    );
}

#[test]
fn an_api_server_that_is_not_there_or_says_nothing_ends_in_time() {
    let workspace = workspace();
    // Nobody listens at the one; the other takes connections and never answers.
    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    for (address, expected) in [
        (closed, "connection refused"),
        (silent.local_addr().unwrap(), "it does not answer in time"),
    ] {
        workspace.write("config", kubeconfig(&format!("http://{address}")));
        let start = Instant::now();
        let (code, told) = render(
            &workspace,
            "home/a",
            &["--from-cluster", "secret:home/b", "--kubeconfig", "config"],
        );
        assert!(
            start.elapsed() < Duration::from_secs(15),
            "{:?}",
            start.elapsed()
        );
        assert_eq!(code, 1);
        let expected =
            format!("error: cannot read settings from the API server `{address}`: {expected}\n");
        // It is said once, not for each object.
        assert!(told.starts_with(&expected), "{told}");
        assert_eq!(told.matches("cannot read settings").count(), 1, "{told}");
    }
}
