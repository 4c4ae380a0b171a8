//! `plugin probe` at the real cmp-server, which reads the real `plugin.yaml`.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::tools;
use crate::watchdog::Watchdog;
use crate::workspace::binary;

/// What cmp-server may take to start; it is a second on an idle machine.
const DEADLINE: Duration = Duration::from_secs(90);

/// A cmp-server that ends, with its directory, when this is dropped.
struct CmpServer {
    directory: PathBuf,
    id: Pid,
    _watchdog: Watchdog,
}

impl CmpServer {
    /// Starts one with the files of an installation in a directory.
    fn start(argocd: &Path, directory: PathBuf) -> Self {
        let plugin = concat!(env!("CARGO_MANIFEST_DIR"), "/plugin.yaml");
        for name in ["config", "plugins", "work"] {
            fs::create_dir_all(directory.join(name)).unwrap();
        }
        fs::copy(plugin, directory.join("config/plugin.yaml")).unwrap();
        let log = File::create(directory.join("log")).unwrap();
        let mut watchdog = Watchdog::new(&directory);
        let id = watchdog.start(
            Command::new(argocd)
                .arg("--config-dir-path")
                .arg(directory.join("config"))
                .env("ARGOCD_BINARY_NAME", "argocd-cmp-server")
                .env("ARGOCD_PLUGINSOCKFILEPATH", directory.join("plugins"))
                .env("ARGOCD_CMP_WORKDIR", directory.join("work"))
                .stdin(Stdio::null())
                .stdout(log.try_clone().unwrap())
                .stderr(log),
        );
        Self {
            directory,
            id: Pid::from_raw(i32::try_from(id).unwrap()).unwrap(),
            _watchdog: watchdog,
        }
    }

    fn send(&self, signal: Signal) {
        kill_process(self.id, signal).unwrap();
    }

    fn log(&self) -> String {
        fs::read_to_string(self.directory.join("log")).unwrap_or_default()
    }
}

/// What is wrong; nothing where all is well.
fn probe(directory: &Path, timeout: &str) -> String {
    let output = binary()
        .args(["plugin", "probe", "--timeout", timeout, "--socket"])
        .arg(directory.join("plugins/argocd-infisical.sock"))
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.success(), stderr.is_empty(), "{stderr}");
    stderr
}

#[test]
#[ignore = "needs Argo CD: tools/cluster-tier runs it"]
fn a_real_cmp_server_is_well_hangs_and_ends() {
    let Some(argocd) = tools::find("argocd", "ARGOCD") else {
        return;
    };
    let directory = tempfile::Builder::new()
        .prefix("argocd-infisical-probe-")
        .tempdir()
        .unwrap()
        .keep();
    let told = probe(&directory, "3");
    assert!(told.contains("cmp-server has no socket here"), "{told}");

    let server = CmpServer::start(&argocd, directory);
    let directory = &server.directory;
    let start = Instant::now();
    loop {
        let told = probe(directory, "3");
        if told.is_empty() {
            break;
        }
        assert!(start.elapsed() < DEADLINE, "{told}{}", server.log());
        thread::sleep(Duration::from_millis(100));
    }

    server.send(Signal::STOP);
    let told = probe(directory, "1");
    assert!(told.contains("does not answer within 1 seconds"), "{told}");
    server.send(Signal::CONT);
    assert_eq!(probe(directory, "60"), "");

    server.send(Signal::KILL);
    let start = Instant::now();
    while !probe(directory, "1").contains("nobody listens on the socket") {
        assert!(start.elapsed() < DEADLINE);
        thread::sleep(Duration::from_millis(50));
    }
}
