//! The command line of the controller, as far as there is no cluster.

use std::process::Output;

use crate::workspace::{Workspace, binary};

const KUBECONFIG: &str = "apiVersion: v1\nkind: Config\ncurrent-context: a\ncontexts: [{name: a, context: {cluster: a, user: a}}]\n\
     clusters: [{name: a, cluster: {server: \"https://127.0.0.1:9\"}}]\nusers: [{name: a, user: {token: a}}]\n";

/// Runs a controller that ends by itself, for somebody who has a kubeconfig.
fn fails(arguments: &[&str], code: i32) -> String {
    let workspace = Workspace::new(&[(".kube/config", KUBECONFIG), ("other", KUBECONFIG)]);
    let Output {
        status,
        stdout,
        stderr,
    } = binary()
        .arg("controller")
        .args(arguments)
        .args(["--listen", "127.0.0.1:0"])
        .env("HOME", workspace.path())
        .env("KUBECONFIG", workspace.path().join("other"))
        .output()
        .unwrap();
    let stderr = String::from_utf8(stderr).unwrap();
    assert_eq!((status.code(), &*stdout), (Some(code), &[][..]), "{stderr}");
    stderr
}

#[test]
fn no_kubeconfig_is_taken_that_nobody_named() {
    let told = fails(&[], 1);
    assert!(told.contains("does not run in a pod"), "{told}");
    assert!(told.contains("`--kubeconfig`"), "{told}");
    // A context is one of the usual kubeconfig.
    let told = fails(&["--context", "b"], 1);
    assert!(told.contains("no context `b`"), "{told}");
}

#[test]
fn a_holder_and_a_lease_have_names() {
    for name in ["", " ", "a b", "a\n"] {
        let told = fails(&["--identity", name], 2);
        assert!(told.contains("cannot be called"), "{told}");
        assert!(told.contains("`--identity`"), "{told}");
        let told = fails(&["--lease-name", name], 2);
        assert!(told.contains("a lease cannot be called"), "{told}");
    }
}
