//! `render --watch`: renders again whenever something that was read changes.

use std::fs;
use std::io::Read as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::workspace::{Run, Workspace, binary};

const DECLARED: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\n  annotations:\n    \
                        config.kubernetes.io/local-config: \"true\"\n    argocd-infisical.io/declare: settings\ndata:\n  A: first\n";
const OBJECT: &str = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: one\n  annotations:\n    argocd-infisical.io/template: \
                      \"true\"\nspec:\n  a: ${{ settings.A }}\n";

fn workspace() -> Workspace {
    Workspace::new(&[
        (
            "tree/kustomization.yaml",
            "resources: [settings.yaml, one.yaml]\n",
        ),
        ("tree/settings.yaml", DECLARED),
        ("tree/one.yaml", OBJECT),
        ("values/A", "second"),
    ])
}

/// A watch that runs until it is ended.
pub(crate) struct Watch(Option<Child>);

impl Watch {
    fn start(workspace: &Workspace, arguments: &[&str]) -> Self {
        let arguments = [&["render", "tree", "--watch"], arguments].concat();
        Self::run(workspace, &arguments, Stdio::piped())
    }

    /// Starts the binary with these arguments; what it says stands in the file `log`.
    pub(crate) fn run(workspace: &Workspace, arguments: &[&str], stdout: impl Into<Stdio>) -> Self {
        let log = fs::File::create(workspace.path().join("log")).unwrap();
        let mut command = binary();
        command
            .args(arguments)
            .current_dir(workspace.path())
            .stdout(stdout)
            .stderr(log);
        Self(Some(command.spawn().unwrap()))
    }

    /// Interrupts it. It must end well; returns what it has printed, unless that went elsewhere.
    pub(crate) fn end(mut self) -> String {
        let mut child = self.0.take().unwrap();
        kill_process(Pid::from_child(&child), Signal::INT).unwrap();
        let mut printed = String::new();
        if let Some(mut stdout) = child.stdout.take() {
            stdout.read_to_string(&mut printed).unwrap();
        }
        let status = child.wait().unwrap();
        assert_eq!((status.code(), status.signal()), (Some(0), None));
        printed
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            drop(child.kill());
            drop(child.wait());
        }
    }
}

/// Waits until a file holds some words.
#[track_caller]
pub(crate) fn wait_for(path: &Path, words: &str) {
    let start = Instant::now();
    loop {
        let text = fs::read_to_string(path).unwrap_or_default();
        if text.contains(words) {
            return;
        }
        assert!(
            start.elapsed() < Duration::from_secs(30),
            "no `{words}` in: {text}"
        );
        sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_file_follows_changes_of_the_tree_and_of_settings() {
    let workspace = workspace();
    let watch = Watch::start(&workspace, &["-s", "values", "-o", "out.yaml"]);
    let (out, log) = (
        workspace.path().join("out.yaml"),
        workspace.path().join("log"),
    );
    wait_for(&out, "a: second\n");
    workspace.write("values/A", "third");
    wait_for(&out, "a: third\n");
    // A key that comes and goes changes the directory alone.
    fs::remove_file(workspace.path().join("values/A")).unwrap();
    wait_for(&out, "a: first\n");
    workspace.write(
        "tree/one.yaml",
        OBJECT.replace("spec:\n", "spec:\n  b: added\n"),
    );
    wait_for(&out, "b: added\n");
    workspace.write(
        "tree/kustomization.yaml",
        "resources: [settings.yaml, one.yaml, two.yaml]\n",
    );
    wait_for(&log, "two.yaml");
    // What failed leaves the file as it was, and what was missing is waited for.
    assert!(workspace.read("out.yaml").contains("b: added\n"));
    workspace.write(
        "tree/two.yaml",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: two}\n",
    );
    wait_for(&out, "name: two\n");
    assert_eq!(watch.end(), "");
    let names: Vec<String> = fs::read_dir(workspace.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with('.'))
        .collect();
    assert_eq!(names, [""; 0], "nothing is left behind");
}

#[test]
fn a_directory_loses_what_is_no_more() {
    let workspace = workspace();
    fs::create_dir(workspace.path().join("out")).unwrap();
    workspace.write("out/other.yaml", "x");
    let watch = Watch::start(&workspace, &["-o", "out"]);
    wait_for(&workspace.path().join("out/v1_pod_one.yaml"), "a: first\n");
    workspace.write("tree/one.yaml", OBJECT.replace("name: one", "name: new"));
    wait_for(&workspace.path().join("out/v1_pod_new.yaml"), "a: first\n");
    wait_for(
        &workspace.path().join("log"),
        "wrote 1 resources; waiting for changes\nwrote 1 resources",
    );
    assert!(!workspace.path().join("out/v1_pod_one.yaml").exists());
    assert_eq!(workspace.read("out/other.yaml"), "x");
    watch.end();
}

#[test]
fn standard_output_gets_one_document_after_another() {
    let workspace = workspace();
    let watch = Watch::start(&workspace, &["-s", "values"]);
    let log = workspace.path().join("log");
    wait_for(&log, "printed 1 resources; waiting for changes\n");
    workspace.write("values/A", "third");
    wait_for(&log, "changes\nprinted 1 resources");
    let printed = watch.end();
    let (first, second) = printed.split_once("---\n").unwrap();
    assert!(
        first.ends_with("  a: second\n") && second.ends_with("  a: third\n"),
        "{printed}"
    );
}

#[test]
fn what_cannot_be_watched_is_refused() {
    let workspace = workspace();
    workspace.write(
        "tree/out.yaml",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: two}\n",
    );
    workspace.write(
        "tree/kustomization.yaml",
        "resources: [settings.yaml, one.yaml, out.yaml]\n",
    );
    let watch = Watch::start(&workspace, &["-o", "tree/out.yaml"]);
    wait_for(
        &workspace.path().join("log"),
        "error: the output `tree/out.yaml` is a file that the kustomization reads\n",
    );
    watch.end();
    assert!(workspace.read("tree/out.yaml").contains("name: two"));
    let Run {
        code,
        stdout,
        stderr,
    } = workspace.run(&["render", "tree", "--watch", "-s", "none"]);
    assert_eq!((code, stdout.as_str()), (1, ""));
    assert!(stderr.contains("cannot read settings"), "{stderr}");
}
