//! What people see at a terminal, and that nobody else does: colours, and a line while something takes its time.

use std::fs::File;
use std::io::Read as _;
use std::process::{Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};

use crate::reference::stand_in;
use crate::workspace::{Workspace, binary};

/// A tree that does not build, and what is said of it.
const BROKEN: (&str, &str) = ("kustomization.yaml", "resources: [absent.yaml]\n");

/// Runs the binary with a terminal for standard error: what appears there, with line ends as programs write them.
fn seen(workspace: &Workspace, arguments: &[&str], environment: &[(&str, &str)]) -> String {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let slave = ioctl_tiocgptpeer(&master, OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    let mut child = command(workspace, arguments, environment)
        .stdout(Stdio::null())
        .stderr(slave)
        .spawn()
        .unwrap();
    let mut text = Vec::new();
    let mut part = [0; 4096];
    let mut terminal = File::from(master);
    // Once nobody has the other side any more, reading it is an error.
    while let Ok(length) = terminal.read(&mut part) {
        if length == 0 {
            break;
        }
        text.extend_from_slice(&part[..length]);
    }
    child.wait().unwrap();
    String::from_utf8(text).unwrap().replace("\r\n", "\n")
}

/// What the binary writes to a standard error that is no terminal.
fn piped(workspace: &Workspace, arguments: &[&str], environment: &[(&str, &str)]) -> String {
    let output = command(workspace, arguments, environment).output().unwrap();
    String::from_utf8(output.stderr).unwrap()
}

fn command(workspace: &Workspace, arguments: &[&str], environment: &[(&str, &str)]) -> Command {
    let mut command = binary();
    command
        .args(arguments)
        .envs(environment.iter().copied())
        .current_dir(workspace.path());
    command
}

/// A text with the words in colours that begin its lines.
fn painted(text: &str) -> String {
    let error = text.replacen("error:", "\u{1b}[1m\u{1b}[31merror:\u{1b}[0m", 1);
    error.replacen("\nhint:", "\n\u{1b}[1m\u{1b}[36mhint:\u{1b}[0m", 1)
}

#[test]
fn errors_have_colours_at_a_terminal_that_wants_them() {
    let workspace = Workspace::new(&[BROKEN]);
    let plain = piped(&workspace, &["build"], &[]);
    assert!(
        plain.starts_with("error: ") && plain.contains("\nhint: "),
        "{plain}"
    );
    let color = painted(&plain);
    let xterm = ("TERM", "xterm");
    for (environment, at_terminal, in_pipe) in [
        (vec![xterm], &color, &plain),
        (vec![], &plain, &plain),
        (vec![("TERM", "dumb")], &plain, &plain),
        (vec![xterm, ("NO_COLOR", "1")], &plain, &plain),
        (vec![xterm, ("CLICOLOR", "0")], &plain, &plain),
        (vec![xterm, ("CLICOLOR_FORCE", "1")], &color, &color),
        (
            vec![xterm, ("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")],
            &plain,
            &plain,
        ),
    ] {
        assert_eq!(
            &seen(&workspace, &["build"], &environment),
            at_terminal,
            "{environment:?}"
        );
        assert_eq!(
            &piped(&workspace, &["build"], &environment),
            in_pipe,
            "{environment:?}"
        );
    }
}

#[test]
fn so_have_errors_of_the_command_line() {
    let workspace = Workspace::new(&[]);
    let arguments = ["build", "--nope"];
    let plain = piped(&workspace, &arguments, &[("TERM", "xterm")]);
    assert!(
        plain.starts_with("error: unexpected argument '--nope'"),
        "{plain}"
    );
    let color = seen(&workspace, &arguments, &[("TERM", "xterm")]);
    assert!(
        color.starts_with("\u{1b}[1m\u{1b}[31merror:\u{1b}[0m "),
        "{color}"
    );
    let without = seen(
        &workspace,
        &arguments,
        &[("TERM", "xterm"), ("NO_COLOR", "1")],
    );
    assert_eq!(without, plain);
}

/// Standard output is data, whatever the environment says.
#[test]
fn standard_output_has_no_colours() {
    let workspace = Workspace::new(&[
        ("kustomization.yaml", "resources: [one.yaml]\n"),
        (
            "one.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: one\n",
        ),
    ]);
    let force = [("TERM", "xterm"), ("CLICOLOR_FORCE", "1")];
    for arguments in [["build", "."], ["lint", "."], ["explain", "."]] {
        let usual = command(&workspace, &arguments, &[]).output().unwrap();
        let forced = command(&workspace, &arguments, &force).output().unwrap();
        assert_eq!(forced.stdout, usual.stdout, "{arguments:?}");
    }
}

#[test]
fn what_takes_its_time_is_said_at_a_terminal_and_taken_back() {
    let workspace = Workspace::new(&[("app/kustomization.yaml", "namePrefix: a-\n")]);
    let slow = stand_in(&workspace, "/bin/sleep 2; echo slow >&2; exit 1");
    let arguments = ["build", "--engine=kustomize", "--kustomize", &slow, "app"];
    let plain = piped(&workspace, &arguments, &[("TERM", "xterm")]);
    assert_eq!(plain, "error: kustomize fails: slow\n");
    let shown = seen(
        &workspace,
        &arguments,
        &[("TERM", "xterm"), ("NO_COLOR", "1")],
    );
    let (first, rest) = shown.split_once(" (1 s)").unwrap();
    assert_eq!(first, "\r\u{1b}[Kbuilding app");
    // It is gone when something else is written.
    assert!(rest.ends_with(&format!("\r\u{1b}[K{plain}")), "{shown:?}");
    let dumb = seen(&workspace, &arguments, &[("TERM", "dumb")]);
    assert_eq!(dumb, plain);
}
