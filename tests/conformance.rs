//! Builds the cases of the conformance set that lies beside the project, where it does.

#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::fs;
use std::io::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use goyaml::Value;

/// What one case may take.
const DEADLINE: Duration = Duration::from_secs(20);

#[test]
fn conformance() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/conformance/kustomize");
    if !cases.is_dir() {
        assert!(
            std::env::var_os("CI").is_none_or(|ci| ci != "true"),
            "{} is missing",
            cases.display()
        );
        say(&format!(
            "SKIPPED: the conformance set is not there: {}",
            cases.display()
        ));
        return;
    }
    let directories = directories(&cases);
    assert!(!directories.is_empty(), "{} is empty", cases.display());
    let (passed, results) = run_all(&directories);
    let wrong: Vec<String> = results
        .into_iter()
        .filter_map(|(name, result)| Some(format!("{name}: {}", result.err()?)))
        .collect();
    say(&format!(
        "{passed} of {} conformance cases pass",
        directories.len()
    ));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Writes to standard error itself, as the test harness swallows what `eprintln!` of a passing test says.
fn say(line: &str) {
    std::io::stderr()
        .write_all(format!("{line}\n").as_bytes())
        .unwrap();
}

fn directories(cases: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(cases)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("case.json").is_file())
        .collect();
    found.sort();
    found
}

/// A case's name, and why it does not pass.
type Outcome = (String, Result<(), String>);

/// The outcomes by name, and how many are good.
fn run_all(directories: &[PathBuf]) -> (usize, Vec<Outcome>) {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::with_capacity(directories.len()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                while let Some(directory) = directories.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let name = directory.file_name().unwrap().to_str().unwrap().to_owned();
                    let result = Case::read(directory).run();
                    results.lock().unwrap().push((name, result));
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap();
    results.sort_by(|(left, _), (right, _)| left.cmp(right));
    (
        results.iter().filter(|(_, result)| result.is_ok()).count(),
        results,
    )
}

struct Case<'a> {
    directory: &'a Path,
    description: Value,
}

impl<'a> Case<'a> {
    fn read(directory: &'a Path) -> Self {
        let text = fs::read(directory.join("case.json")).unwrap();
        Self {
            directory,
            description: Value::from_json(&text).unwrap(),
        }
    }

    fn texts(&self, field: &str) -> Vec<&str> {
        let items = self
            .description
            .get(field)
            .and_then(Value::as_array)
            .unwrap_or_default();
        items.iter().filter_map(Value::as_str).collect()
    }

    fn run(&self) -> Result<(), String> {
        let temporary = tempfile::tempdir().unwrap();
        let input = temporary.path().join("in");
        copy(&self.directory.join("in"), &input);
        for empty in self.texts("empty_dirs") {
            fs::create_dir_all(input.join(empty)).unwrap();
        }
        let arguments = self.texts("args");
        self.run_once(&input, &arguments, "want.yaml")?;
        if self.directory.join("want.default.yaml").exists() {
            let arguments: Vec<&str> = arguments
                .into_iter()
                .filter(|argument| *argument != "--reorder=none")
                .collect();
            self.run_once(&input, &arguments, "want.default.yaml")
                .map_err(|why| format!("{why} (default order)"))?;
        }
        Ok(())
    }

    fn run_once(&self, input: &Path, arguments: &[&str], want: &str) -> Result<(), String> {
        let must_succeed = self.description.get("exit").and_then(Value::as_i64) == Some(0);
        let directory = self.description.get("dir").and_then(Value::as_str).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_argocd-infisical"))
            .arg("build")
            .arg(directory)
            .args(arguments)
            .current_dir(input)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let Output {
            status,
            stdout,
            stderr,
        } = finish(child)?;
        let message = String::from_utf8_lossy(&stderr);
        match (status.code(), must_succeed) {
            (None, _) => Err(format!("killed by signal {:?}", status.signal())),
            (Some(0), false) => Err("must fail, and succeeds".into()),
            (Some(0), true) if stdout == fs::read(self.directory.join(want)).unwrap() => Ok(()),
            (Some(0), true) => Err(format!("prints something else than {want}")),
            (Some(1 | 2), false) if message.trim().is_empty() => {
                Err("fails without a message".into())
            }
            (Some(1 | 2), false) if stdout.is_empty() => Ok(()),
            (Some(1 | 2), false) => Err("fails and prints to standard output".into()),
            (Some(_), _) => Err(format!("must succeed: {}", message.trim())),
        }
    }
}

/// Waits for a child that prints less than the pipes hold before anybody reads, or reads what it prints.
fn finish(mut child: Child) -> Result<Output, String> {
    let mut stdout = child.stdout.take().unwrap();
    let mut stderr = child.stderr.take().unwrap();
    let read = |from: &mut dyn std::io::Read| {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes).unwrap();
        bytes
    };
    std::thread::scope(|scope| {
        let stdout = scope.spawn(move || read(&mut stdout));
        let stderr = scope.spawn(move || read(&mut stderr));
        let start = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if start.elapsed() > DEADLINE {
                child.kill().unwrap();
                child.wait().unwrap();
                return Err("does not end".into());
            }
            std::thread::sleep(Duration::from_millis(1));
        };
        Ok(Output {
            status,
            stdout: stdout.join().unwrap(),
            stderr: stderr.join().unwrap(),
        })
    })
}

/// Copies a tree with its symbolic links.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    let Ok(entries) = fs::read_dir(from) else {
        return;
    };
    for entry in entries {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        let kind = entry.file_type().unwrap();
        if kind.is_symlink() {
            std::os::unix::fs::symlink(fs::read_link(entry.path()).unwrap(), target).unwrap();
        } else if kind.is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
