//! Running Git and Helm: their environment, and what they say when they fail.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use kustomize::ExternalError;

use super::{failed, failed_with_hint};
use crate::files::plain;
use crate::process::{self, Bounds, Ended};

/// What a program inherits beside the `PATH`: whose it is, how to reach the network and whom to trust there. Everything
/// else, tokens and credentials of other tools above all, stays here.
const INHERITED: [&str; 14] = [
    "HOME",
    "SSH_AUTH_SOCK",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    "TMPDIR",
    "USER",
];

/// The longest part of a program's complaint that is repeated, in characters.
const LONGEST_COMPLAINT: usize = 2000;

/// A program with an environment of its own, which may go to the network.
pub(super) fn online(program: &OsStr) -> Command {
    let mut command = offline(program);
    command.envs(for_network());
    command
}

/// A program with an environment of its own, which needs nothing but other programs.
pub(super) fn offline(program: &OsStr) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("LC_ALL", "C").envs(path());
    command
}

/// The part of the environment that programs inherit which may go to the network.
pub fn for_network() -> impl Iterator<Item = (&'static str, OsString)> {
    let others = INHERITED
        .into_iter()
        .filter_map(|name| Some((name, std::env::var_os(name)?)));
    path().into_iter().chain(others)
}

/// Where programs are. What is relative would lead into what was fetched.
fn path() -> Option<(&'static str, OsString)> {
    let path = std::env::var_os("PATH")?;
    let absolute = std::env::split_paths(&path).filter(|directory| directory.is_absolute());
    Some(("PATH", std::env::join_paths(absolute).ok()?))
}

/// What keeps Git from asking questions, from running what a repository brings along, and from other ways to a
/// repository than the network, or this machine too.
pub fn git_environment(is_local_allowed: bool) -> [(&'static str, &'static str); 7] {
    [
        ("GIT_TERMINAL_PROMPT", "0"),
        ("GIT_SSH_COMMAND", "ssh -o BatchMode=yes"),
        (
            "GIT_ALLOW_PROTOCOL",
            if is_local_allowed {
                "file:https:http:ssh"
            } else {
                "https:http:ssh"
            },
        ),
        ("GIT_CONFIG_COUNT", "1"),
        ("GIT_CONFIG_KEY_0", "core.hooksPath"),
        ("GIT_CONFIG_VALUE_0", "/dev/null"),
        ("GIT_OPTIONAL_LOCKS", "0"),
    ]
}

/// Runs a program and returns what it prints.
///
/// # Errors
/// Where it cannot be started, with what to do then; where it does not end in time, goes past its bounds or fails; with what it says.
pub(super) fn run(
    command: &mut Command,
    bounds: Bounds,
    not_installed: &'static str,
    goes_on: &mut dyn FnMut() -> bool,
) -> Result<Vec<u8>, ExternalError> {
    let name = command.get_program().to_string_lossy().into_owned();
    let ended = process::run_while(command, bounds, goes_on);
    let not_started = |error: io::Error| {
        let message = format!("cannot run `{name}`: {}", plain(&error));
        failed_with_hint(message, not_installed)
    };
    match ended.map_err(not_started)? {
        Ended::Done { status, stdout, .. } if status.success() => Ok(stdout),
        Ended::Done { status, stderr, .. } => {
            let complaint = complaint(&stderr);
            Err(failed(match (complaint.as_str(), status.code()) {
                ("", Some(code)) => format!("`{name}` ends with status {code} and says nothing"),
                ("", None) => format!("`{name}` is killed"),
                (complaint, _) => format!("`{name}` says: {complaint}"),
            }))
        }
        Ended::TimedOut => Err(failed(format!(
            "`{name}` takes longer than {} s",
            bounds.time.as_secs_f32()
        ))),
        Ended::TooMuchOutput => Err(failed(format!(
            "`{name}` prints more than {} bytes",
            bounds.output
        ))),
        Ended::Stopped => Err(failed(format!("`{name}` was stopped"))),
    }
}

/// What a program says, without what steers a terminal and without names and passwords in addresses.
fn complaint(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    let whole = lines.join("; ");
    let cut: String = whole
        .chars()
        .filter(|c| !c.is_control())
        .take(LONGEST_COMPLAINT)
        .collect();
    without_credentials(&cut)
}

/// Takes `user:password@` out of addresses.
pub(super) fn without_credentials(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("://") {
        result.push_str(before);
        result.push_str("://");
        let end = after
            .find(|c: char| c == '/' || c.is_whitespace() || c == '\'' || c == '"')
            .unwrap_or(after.len());
        let (authority, tail) = after.split_at(end);
        result.push_str(authority.rsplit('@').next().unwrap_or(authority));
        rest = tail;
    }
    result.push_str(rest);
    result
}

/// What a file counts for at least, in bytes: many small ones are a burden too.
const SMALLEST_FILE: u64 = 4096;

/// A bound on what a directory holds, for a program that writes into it.
pub(super) struct Room<'a> {
    directory: &'a Path,
    limit: u64,
    /// When it is looked at again.
    next: Instant,
    is_full: bool,
}

impl<'a> Room<'a> {
    pub(super) fn new(directory: &'a Path, limit: u64) -> Self {
        Self {
            directory,
            limit,
            next: Instant::now(),
            is_full: false,
        }
    }

    /// Whether there is some left. A large directory is looked at less often.
    pub(super) fn is_left(&mut self) -> bool {
        let start = Instant::now();
        if start >= self.next {
            self.is_full = self.exceeds();
            self.next = start + (start.elapsed() * 10).max(Duration::from_secs(1));
        }
        !self.is_full
    }

    /// Whether there was some left to the end.
    pub(super) fn was_enough(&self) -> bool {
        !self.is_full && !self.exceeds()
    }

    /// Adds up what is there, no further than the limit; what vanishes meanwhile does not count.
    fn exceeds(&self) -> bool {
        let mut sum: u64 = 0;
        let entries = walkdir::WalkDir::new(self.directory).into_iter();
        entries.filter_map(Result::ok).any(|entry| {
            let size = entry.metadata().map_or(0, |metadata| metadata.len());
            sum = sum.saturating_add(size.max(SMALLEST_FILE));
            sum > self.limit
        })
    }
}

/// A path as text, for the engine.
///
/// # Errors
/// Where it is not UTF-8.
pub(super) fn text_of(path: PathBuf) -> Result<String, ExternalError> {
    path.into_os_string()
        .into_string()
        .map_err(|_| failed("the directory for temporary files has a name that is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_not_repeated() {
        assert_eq!(
            without_credentials(
                "fatal: unable to access 'https://me:secret@host/a.git/': no; ssh://git@h/x https://plain"
            ),
            "fatal: unable to access 'https://host/a.git/': no; ssh://h/x https://plain"
        );
        assert_eq!(complaint(b" a\n\n\x1b[31mb \n"), "a; [31mb");
    }

    #[test]
    fn many_small_files_fill_a_directory_too() {
        let directory = tempfile::tempdir().unwrap();
        for number in 0..20 {
            std::fs::write(directory.path().join(number.to_string()), "").unwrap();
        }
        assert!(Room::new(directory.path(), 30 * SMALLEST_FILE).is_left());
        assert!(!Room::new(directory.path(), 10 * SMALLEST_FILE).is_left());
        assert!(!Room::new(directory.path(), 10 * SMALLEST_FILE).was_enough());
    }

    #[test]
    fn a_program_gets_no_other_environment() {
        let bounds = Bounds {
            time: Duration::from_secs(20),
            output: 1 << 20,
            memory: process::MEMORY,
        };
        let env = OsStr::new("/usr/bin/env");
        for (mut command, inherited) in [(online(env), &INHERITED[..]), (offline(env), &[])] {
            let printed = run(&mut command, bounds, "", &mut || true).unwrap();
            let printed = String::from_utf8(printed).unwrap();
            for line in printed.lines() {
                let (name, _) = line.split_once('=').unwrap();
                let is_known = ["LC_ALL", "PATH"].contains(&name) || inherited.contains(&name);
                assert!(is_known, "{name}");
            }
        }
    }
}
