//! `plugin probe` at sockets of all kinds; `tests/cluster/probe.rs` has the real cmp-server.

use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response};

use crate::workspace::{Run, Workspace};

/// What a server says about itself.
#[derive(Clone, Copy)]
enum Health {
    Status(u8),
    /// It has no such service.
    Unimplemented,
}

/// A server for gRPC, which answers one call after the other.
fn serve(socket: &Path, health: Health) {
    let listener = UnixListener::bind(socket).unwrap();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        listener.set_nonblocking(true).unwrap();
        runtime.block_on(async {
            let listener = tokio::net::UnixListener::from_std(listener).unwrap();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let mut connection = h2::server::handshake(stream).await.unwrap();
                while let Some(Ok((request, mut answer))) = connection.accept().await {
                    assert_eq!(request.uri().path(), "/grpc.health.v1.Health/Check");
                    assert_eq!(request.headers()["content-type"], "application/grpc");
                    assert_eq!(request.headers()["te"], "trailers");
                    let head = Response::builder().header("content-type", "application/grpc");
                    match health {
                        Health::Unimplemented => {
                            let head = head.header("grpc-status", "12").body(()).unwrap();
                            answer.send_response(head, true).unwrap();
                        }
                        Health::Status(status) => {
                            let head = head.body(()).unwrap();
                            let mut body = answer.send_response(head, false).unwrap();
                            // In two parts, as it may be.
                            body.send_data(Bytes::from_static(&[0, 0, 0]), false)
                                .unwrap();
                            body.send_data(Bytes::from(vec![0, 2, 8, status]), false)
                                .unwrap();
                            let mut trailers = HeaderMap::new();
                            trailers.insert("grpc-status", HeaderValue::from_static("0"));
                            body.send_trailers(trailers).unwrap();
                        }
                    }
                }
            }
        });
    });
}

fn probe(workspace: &Workspace, more: &[&str]) -> Run {
    let socket = workspace.path().join("socket");
    let socket = ["plugin", "probe", "--socket", socket.to_str().unwrap()];
    workspace.run(&[&socket[..], more].concat())
}

#[track_caller]
fn fails(run: &Run, expected: &str) {
    assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{}", run.stderr);
    assert!(run.stderr.contains(expected), "{expected}: {}", run.stderr);
    assert!(run.stderr.contains("hint: "), "{}", run.stderr);
}

#[test]
fn a_server_that_is_well_and_one_that_is_not() {
    let workspace = Workspace::new(&[]);
    let socket = workspace.path().join("socket");
    for (health, expected) in [
        (Health::Status(1), None),
        (Health::Status(2), Some("health status 2")),
        (Health::Unimplemented, Some("gRPC status 12")),
    ] {
        drop(std::fs::remove_file(&socket));
        serve(&socket, health);
        let run = probe(&workspace, &[]);
        match expected {
            None => assert_eq!((run.code, run.stderr.as_str()), (0, "")),
            Some(expected) => fails(&run, expected),
        }
    }
}

#[test]
fn a_socket_that_is_not_there_or_not_served() {
    let workspace = Workspace::new(&[]);
    fails(&probe(&workspace, &[]), "cmp-server has no socket here");
    // Its server is gone, and has left it behind.
    drop(UnixListener::bind(workspace.path().join("socket")).unwrap());
    fails(&probe(&workspace, &[]), "nobody listens on the socket");
    std::fs::remove_file(workspace.path().join("socket")).unwrap();
    workspace.write("socket", "no socket");
    fails(&probe(&workspace, &[]), "nobody listens on the socket");
}

#[test]
fn a_server_that_takes_connections_and_is_silent() {
    let workspace = Workspace::new(&[]);
    let _silent = UnixListener::bind(workspace.path().join("socket")).unwrap();
    let start = Instant::now();
    let run = probe(&workspace, &["--timeout", "1"]);
    assert!(start.elapsed() >= Duration::from_secs(1));
    fails(&run, "cmp-server does not answer within 1 seconds");
}

#[test]
fn a_server_for_something_else() {
    let workspace = Workspace::new(&[]);
    let listener = UnixListener::bind(workspace.path().join("socket")).unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            drop(stream.read(&mut [0; 24]));
            drop(stream.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"));
        }
    });
    fails(&probe(&workspace, &[]), "does not speak gRPC");
}

#[test]
fn what_is_mounted_has_to_be_readable() {
    let workspace = Workspace::new(&[("short", "x"), ("policy.yaml", "kind: Other\n")]);
    serve(&workspace.path().join("socket"), Health::Status(1));
    fails(
        &probe(&workspace, &["--policy", "absent.yaml"]),
        "absent.yaml: cannot read the policy",
    );
    fails(
        &probe(&workspace, &["--policy", "policy.yaml"]),
        "policy.yaml",
    );
    fails(
        &probe(&workspace, &["--digest-key", "absent"]),
        "absent: cannot read the key of the digest",
    );
    // That it may be missing does not mean that it may be wrong.
    let optional = ["--digest-key-may-be-missing", "--digest-key"];
    let run = probe(&workspace, &[optional[0], optional[1], "absent"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    fails(
        &probe(&workspace, &[optional[0], optional[1], "short"]),
        "fewer than 32 bytes",
    );
    let run = probe(&workspace, &[optional[0]]);
    assert_eq!(run.code, 2, "{}", run.stderr);
    // All that is wrong is told together.
    std::fs::remove_file(workspace.path().join("socket")).unwrap();
    let run = probe(
        &workspace,
        &["--policy", "absent.yaml", "--digest-key", "short"],
    );
    assert_eq!(run.stderr.matches("error: ").count(), 3, "{}", run.stderr);
}

#[test]
fn temporary_files_need_a_place() {
    let workspace = Workspace::new(&[]);
    let socket = workspace.path().join("socket");
    serve(&socket, Health::Status(1));
    let absent = workspace.path().join("absent");
    let output = crate::workspace::binary()
        .args(["plugin", "probe", "--socket"])
        .arg(&socket)
        .env("TMPDIR", &absent)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("cannot write temporary files"), "{stderr}");
}

#[test]
fn a_socket_of_somebody_else() {
    if rustix::process::geteuid().is_root() {
        // Nothing is forbidden to root.
        std::io::stderr()
            .write_all(b"SKIPPED: root may connect to every socket\n")
            .unwrap();
        return;
    }
    let workspace = Workspace::new(&[]);
    let socket = workspace.path().join("socket");
    serve(&socket, Health::Status(1));
    std::fs::set_permissions(&socket, std::fs::Permissions::from_mode(0o000)).unwrap();
    fails(&probe(&workspace, &[]), "may not connect to the socket");
}
