//! The command line of the controller, as far as there is no cluster.

use std::fs::{self, File};
use std::net::TcpListener;
use std::process::Output;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

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

/// What a controller has said once it has noticed that its API server takes connections and says nothing.
fn said_of_silence(form: &str) -> String {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = format!("http://{}", silent.local_addr().unwrap());
    let workspace = Workspace::new(&[("log", "")]);
    workspace.write(
        "kubeconfig",
        KUBECONFIG.replace("https://127.0.0.1:9", &server),
    );
    let log = workspace.path().join("log");
    let mut controller = binary()
        .args([
            "controller",
            "--listen",
            "127.0.0.1:0",
            "--log-format",
            form,
        ])
        .arg("--kubeconfig")
        .arg(workspace.path().join("kubeconfig"))
        .stderr(File::create(&log).unwrap())
        .spawn()
        .unwrap();
    let start = Instant::now();
    // The lease is asked for with a limit of four seconds.
    while !fs::read_to_string(&log).unwrap().contains("cannot renew") {
        assert!(start.elapsed() < Duration::from_mins(1), "{form}");
        assert!(controller.try_wait().unwrap().is_none(), "it has ended");
        thread::sleep(Duration::from_millis(50));
    }
    controller.kill().unwrap();
    controller.wait().unwrap();
    fs::read_to_string(&log).unwrap()
}

#[test]
fn a_silent_api_server_is_told_of_in_the_form_that_was_asked_for() {
    let text = said_of_silence("text");
    assert!(text.contains("it does not answer in time"), "{text}");
    assert!(text.contains(" INFO ") && !text.contains('{'), "{text}");
    let json = said_of_silence("json");
    let lines = json.lines().map(serde_json::from_str::<Value>);
    let lines: Vec<Value> = lines.map(Result::unwrap).collect();
    assert_eq!(lines[0]["message"], "begins");
    let last = lines
        .iter()
        .find(|line| line["message"] == "cannot renew the lease");
    assert_eq!(last.unwrap()["cause"], "it does not answer in time");
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
