//! Repositories, fetched by the real Git.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use kustomize::{ExternalError, Repository, without_credentials};
use sha2::{Digest as _, Sha256};

use super::program::{Room, git_environment, online, run, text_of};
use super::{failed, failed_with_hint};
use crate::files::plain;
use crate::hex::hex;
use crate::interrupt::Scratch;
use crate::process::{Bounds, MEMORY};
use crate::progress::Progress;

/// The bytes that a repository may have on disk.
const SIZE_LIMIT: u64 = 1 << 30;

/// The longest time that an address may ask for.
const LONGEST_TIMEOUT: Duration = Duration::from_mins(10);

/// Bytes that Git may print.
const OUTPUT_LIMIT: usize = 1 << 20;

/// Settings for every call: no daemon that looks at files, nothing that somebody must answer.
const SETTINGS: [&str; 4] = [
    "core.fsmonitor=false",
    "gc.auto=0",
    "advice.detachedHead=false",
    "credential.interactive=false",
];

/// Fetches one commit of a repository, unless the cache has it, and returns the directory with its files, and what must
/// be kept for that.
///
/// # Errors
/// Where the address or the reference could be taken for an option, where Git fails, and past the bounds.
pub(super) fn check_out(
    repository: &Repository,
    cache: Option<&Path>,
) -> Result<(String, Option<Scratch>), ExternalError> {
    check(repository)?;
    let kept = cache.and_then(|cache| Some(cache.join(key(repository)?)));
    if let Some(kept) = kept.as_deref().filter(|kept| kept.is_dir()) {
        return Ok((resolved(kept)?, None));
    }
    let within = kept.as_deref().and_then(Path::parent);
    let scratch = within
        .map_or(Ok(()), fs::create_dir_all)
        .and_then(|()| Scratch::new(within))
        .map_err(|error| failed(format!("cannot make a directory: {}", plain(&error))))?;
    let files = scratch.path().join("files");
    Checkout {
        repository,
        directory: &files,
    }
    .run()?;
    match kept {
        // Somebody else may have been faster; what is there then is the same.
        Some(kept) if fs::rename(&files, &kept).is_ok() || kept.is_dir() => {
            Ok((resolved(&kept)?, None))
        }
        _ => Ok((resolved(&files)?, Some(scratch))),
    }
}

/// The directory in the cache; only for a commit, as all else may mean another one tomorrow.
fn key(repository: &Repository) -> Option<PathBuf> {
    let commit = repository.commit()?;
    let submodules = if repository.submodules { "" } else { "-alone" };
    let address = hex(&Sha256::digest(&repository.url));
    Some(
        Path::new("git")
            .join(address)
            .join(format!("{}{submodules}", commit.to_ascii_lowercase())),
    )
}

fn resolved(directory: &Path) -> Result<String, ExternalError> {
    let resolved = fs::canonicalize(directory)
        .map_err(|error| failed(format!("cannot read what was fetched: {}", plain(&error))))?;
    text_of(resolved)
}

/// Refuses what Git or SSH could take for an option or for more than one thing.
fn check(repository: &Repository) -> Result<(), ExternalError> {
    let Repository { url, reference, .. } = repository;
    let host = url
        .split_once("://")
        .map_or(url.as_str(), |(_, rest)| rest)
        .rsplit('@')
        .next()
        .unwrap_or_default();
    if url.starts_with('-') || host.starts_with('-') || url.chars().any(char::is_control) {
        return Err(failed("the address could be taken for an option of Git"));
    }
    let is_plain = |c: char| !c.is_control() && !c.is_whitespace() && !"~^:?*[\\".contains(c);
    if reference.starts_with(['-', '+']) || !reference.chars().all(is_plain) {
        return Err(failed_with_hint(
            "the reference is no name of a branch, tag or commit",
            "write `?ref=` and a branch, a tag or a whole commit",
        ));
    }
    Ok(())
}

/// One commit on its way to the disk.
struct Checkout<'a> {
    repository: &'a Repository,
    directory: &'a Path,
}

impl Checkout<'_> {
    fn run(&self) -> Result<(), ExternalError> {
        let Repository { url, reference, .. } = self.repository;
        let _progress = Progress::start(&format!("fetching {}", without_credentials(url)));
        let reference = match reference.as_str() {
            "" => "HEAD",
            reference => reference,
        };
        fs::create_dir_all(self.directory)
            .map_err(|error| failed(format!("cannot make a directory: {}", plain(&error))))?;
        self.git(&["init", "--quiet", "--template="])?;
        // Submodules with relative addresses count from it.
        self.git(&["remote", "add", "--", "origin", url])?;
        self.git(&[
            "fetch",
            "--quiet",
            "--depth=1",
            "--no-tags",
            "--end-of-options",
            url,
            reference,
        ])?;
        self.git(&["checkout", "--quiet", "--detach", "FETCH_HEAD"])?;
        self.check_commit()?;
        if self.repository.submodules && self.directory.join(".gitmodules").exists() {
            self.git(&["submodule", "--quiet", "update", "--init", "--recursive"])?;
        }
        // The history is of no use to a build, and its settings are none of anybody's.
        fs::remove_dir_all(self.directory.join(".git"))
            .map_err(|error| failed(format!("cannot clean up: {}", plain(&error))))?;
        if Room::new(self.directory, SIZE_LIMIT).was_enough() {
            Ok(())
        } else {
            Err(too_large())
        }
    }

    /// Makes sure that the commit that was asked for is what is there, whatever the server meant.
    fn check_commit(&self) -> Result<(), ExternalError> {
        let Some(commit) = self.repository.commit() else {
            return Ok(());
        };
        let head = self.git(&["rev-parse", "HEAD"])?;
        if String::from_utf8_lossy(&head)
            .trim()
            .eq_ignore_ascii_case(commit)
        {
            Ok(())
        } else {
            Err(failed(
                "the server sends another commit than the one asked for",
            ))
        }
    }

    fn git(&self, arguments: &[&str]) -> Result<Vec<u8>, ExternalError> {
        let bounds = Bounds {
            time: self.repository.timeout.min(LONGEST_TIMEOUT),
            output: OUTPUT_LIMIT,
            memory: MEMORY,
        };
        let mut room = Room::new(self.directory, SIZE_LIMIT);
        let result = run(
            &mut self.command(arguments),
            bounds,
            "install Git",
            &mut || room.is_left(),
        );
        if !room.is_left() {
            return Err(too_large());
        }
        result.map_err(explain)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut git = online(OsStr::new("git"));
        git.current_dir(self.directory);
        for setting in SETTINGS {
            git.args(["-c", setting]);
        }
        // Submodules may come from this machine only where the repository does.
        git.args(arguments)
            .envs(git_environment(self.repository.is_local()));
        git
    }
}

fn too_large() -> ExternalError {
    failed(format!("the repository has more than {SIZE_LIMIT} bytes"))
}

/// Adds what to do where Git's complaint is a common one.
fn explain(error: ExternalError) -> ExternalError {
    const HINTS: [(&str, &str); 5] = [
        (
            "couldn't find remote ref",
            "there is no such branch or tag; a commit must be written whole",
        ),
        (
            "could not read Username",
            "the repository is private or does not exist; use an SSH address, or a credential helper of Git",
        ),
        (
            "Permission denied (publickey)",
            "the server does not take the SSH key; is an agent running, and does `SSH_AUTH_SOCK` lead to it?",
        ),
        (
            "Could not resolve host",
            "check the address, and the way to the network",
        ),
        (
            "transport 'file' not allowed",
            "a submodule is on this machine, which is not allowed",
        ),
    ];
    match error {
        ExternalError::Failed {
            message,
            hint: None,
        } => {
            let known = HINTS
                .iter()
                .find(|(complaint, _)| message.contains(complaint));
            ExternalError::Failed {
                hint: known.map(|(_, hint)| *hint),
                message,
            }
        }
        error => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repository(written: &str) -> Repository {
        Repository::parse(written).unwrap()
    }

    #[test]
    fn nothing_can_become_an_option() {
        for written in [
            "https://host.example/a/b?ref=--upload-pack=touch",
            "https://host.example/a/b?ref=-u",
            "https://host.example/a/b?ref=%2Dx",
            "https://host.example/a/b?ref=%2Brefs/heads/a:b",
            "https://host.example/a/b?ref=a%0Ab",
            "https://host.example/a/b?ref=a+b",
            "ssh://-oProxyCommand=x/a/b",
            "git@-oProxyCommand=x:a/b",
            "ssh://git@-oProxyCommand=x/a/b",
        ] {
            assert!(check(&repository(written)).is_err(), "{written}");
        }
        for written in [
            "https://host.example/a/b",
            "https://host.example/a/b?ref=v1.0.0",
            "https://host.example/a/b?ref=refs/heads/feature/x-y",
            "git@host.example:a/b.git?ref=main",
        ] {
            assert_eq!(check(&repository(written)), Ok(()), "{written}");
        }
    }

    #[test]
    fn only_commits_are_kept() {
        assert_eq!(key(&repository("https://host.example/a/b?ref=main")), None);
        let commit = "0123456789abcdef0123456789abcdef01234567";
        let kept = key(&repository(&format!(
            "https://host.example/a/b?ref={commit}"
        )));
        assert!(kept.is_some_and(|kept| kept.ends_with(commit)));
    }
}
