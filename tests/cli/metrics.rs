//! What renders count, and how it is served.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::workspace::{Workspace, binary};

/// A server that ends with the test.
pub(crate) struct Served(pub(crate) Child);

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Renders an Application of a project, and returns what is said.
fn generate(workspace: &Workspace, project: &str, variables: &[(&str, &str)]) -> (i32, String) {
    let output = binary()
        .args(["plugin", "generate", "--permits-directory"])
        .arg(workspace.path().join("permits"))
        .arg("--metrics-directory")
        .arg(workspace.path().join("metrics"))
        .envs([
            ("ARGOCD_APP_NAME", "lamp"),
            ("ARGOCD_APP_PROJECT_NAME", project),
            (
                "ARGOCD_APP_REVISION",
                "0123456789abcdef0123456789abcdef01234567",
            ),
        ])
        .envs(variables.iter().copied())
        .current_dir(workspace.path().join("app"))
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    (output.status.code().unwrap(), stderr)
}

fn workspace() -> Workspace {
    Workspace::new(&[
        ("app/kustomization.yaml", "resources: [one.yaml]\n"),
        (
            "app/one.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: one\n",
        ),
    ])
}

/// Asks a server, as soon as it is there.
pub(crate) fn get(port: u16, request: &str) -> String {
    let start = Instant::now();
    let mut stream = loop {
        match TcpStream::connect(("127.0.0.1", port)) {
            Ok(stream) => break stream,
            Err(error) => assert!(start.elapsed() < Duration::from_secs(30), "{error}"),
        }
        thread::sleep(Duration::from_millis(20));
    };
    stream
        .write_all(format!("{request} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").as_bytes())
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn renders_are_counted_by_how_they_end_and_served() {
    let workspace = workspace();
    // Nobody wants them counted.
    assert_eq!(generate(&workspace, "home", &[]), (0, String::new()));
    assert!(!workspace.path().join("metrics").exists());

    std::fs::create_dir(workspace.path().join("metrics")).unwrap();
    assert_eq!(generate(&workspace, "home", &[]), (0, String::new()));
    assert_eq!(generate(&workspace, "home", &[]), (0, String::new()));
    let settings = r#"[{"name":"settings","array":["home/a"]}]"#;
    let parameters = ("ARGOCD_APP_PARAMETERS", settings);
    assert_eq!(generate(&workspace, "home", &[parameters]).0, 1);
    assert_eq!(generate(&workspace, "a/b", &[]).0, 1);
    workspace.write("app/one.yaml", "a: [\n");
    assert_eq!(generate(&workspace, "home", &[]).0, 1);

    // A port that was free a moment ago.
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let mut served = Served(
        binary()
            .args(["plugin", "metrics", "--listen"])
            .arg(format!("127.0.0.1:{port}"))
            .arg("--metrics-directory")
            .arg(workspace.path().join("metrics"))
            .stdout(Stdio::null())
            .spawn()
            .unwrap(),
    );
    let answer = get(port, "GET /metrics");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(
        answer.contains("content-type: text/plain; version=0.0.4"),
        "{answer}"
    );
    for line in [
        "renders_total{project=\"home\",outcome=\"success\"} 2",
        "renders_total{project=\"home\",outcome=\"settings\"} 1",
        "renders_total{project=\"home\",outcome=\"render\"} 1",
        "renders_total{project=\"\",outcome=\"request\"} 1",
        "render_duration_seconds_count 5",
        "build_info{version=\"0.1.0\"} 1",
    ] {
        let line = format!("\nargocd_infisical_{line}\n");
        assert!(answer.contains(&line), "{line}{answer}");
    }
    assert!(get(port, "GET /healthz").ends_with("\r\n\r\nok\n"));
    assert!(get(port, "GET /etc/passwd").starts_with("HTTP/1.1 404 "));
    assert!(get(port, "POST /metrics").starts_with("HTTP/1.1 405 "));
    // Who says nothing keeps nobody waiting.
    let _silent = TcpStream::connect(("127.0.0.1", port)).unwrap();
    assert!(get(port, "GET /healthz").starts_with("HTTP/1.1 200 "));
    // It ends well when it is told to, as the first process of a container has to.
    let id = i32::try_from(served.0.id()).unwrap();
    kill_process(Pid::from_raw(id).unwrap(), Signal::TERM).unwrap();
    assert!(served.0.wait().unwrap().success());
}

#[test]
fn what_cannot_be_counted_is_rendered_all_the_same() {
    let workspace = workspace();
    workspace.write("metrics", "no directory");
    let (code, stderr) = generate(&workspace, "home", &[]);
    assert_eq!(code, 0);
    assert!(
        stderr.starts_with("warning: ") && stderr.contains("the render is not counted"),
        "{stderr}"
    );
}

#[test]
fn an_address_that_cannot_be_had_is_told() {
    let workspace = Workspace::new(&[]);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let run = workspace.run(&[
        "plugin",
        "metrics",
        "--listen",
        &address,
        "--metrics-directory",
        ".",
    ]);
    assert_eq!((run.code, run.stdout.as_str()), (1, ""));
    assert!(
        run.stderr
            .contains(&format!("cannot listen on `{address}`")),
        "{}",
        run.stderr
    );
}
