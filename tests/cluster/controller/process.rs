//! A process of the controller.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::cluster::free_ports;
use crate::watchdog::Watchdog;

/// What it may take to be ready; it is a second on an idle machine.
const DEADLINE: Duration = Duration::from_mins(1);

/// The variables that make a test a controller: its arguments, a line each, and the file with its clock.
pub(crate) const ROLE: &str = "ARGOCD_INFISICAL_TEST_CONTROLLER";
pub(crate) const CLOCK: &str = "ARGOCD_INFISICAL_TEST_CLOCK";

/// What it is started with.
pub(crate) struct Start<'a> {
    pub(crate) name: String,
    pub(crate) directory: &'a Path,
    pub(crate) watchdog: &'a Mutex<Watchdog>,
    pub(crate) kubeconfig: PathBuf,
    pub(crate) flags: Vec<String>,
    /// The test that is the controller, in a process of its own, instead of the binary, and the file with its clock.
    pub(crate) test: Option<(&'static str, &'a Path)>,
}

/// A running controller, or one that has ended.
pub(crate) struct Controller<'a> {
    watchdog: &'a Mutex<Watchdog>,
    id: u32,
    port: u16,
    log: PathBuf,
}

impl<'a> Controller<'a> {
    /// Starts one that does not have to get ready.
    pub(crate) fn start(start: Start<'a>) -> Self {
        let Start {
            name,
            directory,
            watchdog,
            kubeconfig,
            flags,
            test,
        } = start;
        let [port] = free_ports();
        let log = directory.join(format!("{name}.log"));
        let output = File::create(&log).unwrap();
        let mut arguments = flags;
        for (flag, value) in [
            ("--kubeconfig", kubeconfig.to_str().unwrap()),
            ("--listen", &format!("127.0.0.1:{port}")),
            ("--log-format", "json"),
            ("--identity", &name),
        ] {
            if !arguments.iter().any(|argument| argument == flag) {
                arguments.extend([flag.to_owned(), value.to_owned()]);
            }
        }
        let mut command = Command::new(env!("CARGO_BIN_EXE_argocd-infisical"));
        command.env_clear();
        match test {
            None => drop(command.arg("controller").args(arguments)),
            Some((test, clock)) => {
                command = Command::new(std::env::current_exe().unwrap());
                command
                    .args(["--exact", test, "--ignored", "--nocapture"])
                    .env_clear()
                    .env(ROLE, arguments.join("\n"))
                    .env(CLOCK, clock);
            }
        }
        command
            .env("HOME", directory)
            // As manifests/install has it.
            .env("MIMALLOC_PURGE_DELAY", "0")
            .current_dir(directory)
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output);
        let id = lock(watchdog).start(&mut command);
        Self {
            watchdog,
            id,
            port,
            log,
        }
    }

    /// What it answers on a path: the status and the body.
    pub(crate) fn get(&self, path: &str) -> (u16, String) {
        let ask = || {
            let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
            stream.set_read_timeout(Some(Duration::from_secs(5)))?;
            write!(
                stream,
                "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            )?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            Ok::<_, std::io::Error>(answer)
        };
        let answer = ask().unwrap_or_default();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
        let status = head.split(' ').nth(1).unwrap_or_default();
        (status.parse().unwrap_or_default(), body.to_owned())
    }

    /// Whether it says that it is ready.
    pub(crate) fn is_ready(&self) -> bool {
        self.get("/readyz").0 == 200
    }

    /// Waits until it is.
    #[track_caller]
    pub(crate) fn wait(&self) {
        let start = Instant::now();
        while !self.is_ready() {
            assert!(
                start.elapsed() < DEADLINE,
                "the controller is not ready; {:?}; it said:\n{}",
                self.get("/readyz"),
                self.words()
            );
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// The value of a metric, of the first series whose name and labels have all these parts.
    pub(crate) fn metric(&self, parts: &[&str]) -> Option<f64> {
        let (_, body) = self.get("/metrics");
        let mut lines = body.lines().filter(|line| !line.starts_with('#'));
        let line = lines.find(|line| parts.iter().all(|part| line.contains(part)))?;
        line.rsplit(' ').next()?.parse().ok()
    }

    /// The id of the process.
    pub(crate) const fn id(&self) -> u32 {
        self.id
    }

    /// All that it has said.
    pub(crate) fn words(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Stops it where it stands.
    pub(crate) fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub(crate) fn wake(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        let id = Pid::from_raw(i32::try_from(self.id).unwrap()).unwrap();
        kill_process(id, signal).unwrap();
    }

    /// Asks it to end, and returns its exit code.
    pub(crate) fn stop(self) -> Option<i32> {
        lock(self.watchdog).terminate(self.id)
    }

    /// Kills it.
    pub(crate) fn kill(self) {
        lock(self.watchdog).kill(self.id);
    }
}

fn lock(watchdog: &Mutex<Watchdog>) -> std::sync::MutexGuard<'_, Watchdog> {
    watchdog.lock().unwrap_or_else(PoisonError::into_inner)
}
