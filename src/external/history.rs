//! A repository on this machine as it was at another commit, by the real Git.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use kustomize::ExternalError;

use super::program::{Room, git_environment, online, run};
use super::{failed, failed_with_hint};
use crate::files::plain;
use crate::interrupt::Scratch;
use crate::process::{Bounds, MEMORY};

/// What one call of Git may take.
const BOUNDS: Bounds = Bounds {
    time: Duration::from_mins(1),
    output: 1 << 20,
    memory: MEMORY,
};

/// The bytes that the files of a commit may have on disk.
const SIZE_LIMIT: u64 = 1 << 30;

/// The files of a commit, until it is dropped.
#[derive(Debug)]
pub struct Checkout {
    scratch: Scratch,
    top: PathBuf,
}

impl Checkout {
    /// Writes the files of a commit of the repository that a directory lies in to a place of its own. The repository, its
    /// index and its files stay as they are; submodules are left out.
    ///
    /// # Errors
    /// Where the directory is in no repository, where there is no such commit, and where Git fails.
    pub fn new(directory: &Path, reference: &str) -> Result<Self, ExternalError> {
        if reference.is_empty()
            || reference.starts_with('-')
            || reference
                .chars()
                .any(|c| c.is_control() || c.is_whitespace())
        {
            return Err(failed_with_hint(
                "the reference is no name of a commit",
                "name a branch, a tag or a commit, such as `main` or `HEAD~1`",
            ));
        }
        let git = Git {
            directory,
            index: None,
        };
        let top = git.run(&["rev-parse", "--show-toplevel"])?;
        let top = PathBuf::from(OsString::from_vec(line(top)));
        let git = Git {
            directory: &top,
            index: None,
        };
        let commit = format!("{reference}^{{commit}}");
        let found = git.run(&["rev-parse", "--verify", "--end-of-options", &commit]);
        let found = found.map_err(|_| no_commit(reference))?;
        let commit = String::from_utf8(line(found)).map_err(|_| no_commit(reference))?;
        let scratch = Scratch::new(None)
            .map_err(|error| failed(format!("cannot make a directory: {}", plain(&error))))?;
        let checkout = Self { scratch, top };
        checkout.fill(&commit)?;
        Ok(checkout)
    }

    fn fill(&self, commit: &str) -> Result<(), ExternalError> {
        let files = self.files();
        fs::create_dir_all(&files)
            .map_err(|error| failed(format!("cannot make a directory: {}", plain(&error))))?;
        let index = self.scratch.path().join("index");
        let git = Git {
            directory: &self.top,
            index: Some(&index),
        };
        git.run(&["read-tree", commit])?;
        let mut prefix = OsString::from("--prefix=");
        prefix.push(&files);
        prefix.push("/");
        let arguments = ["checkout-index", "--all", "--force", "--quiet"].map(OsString::from);
        let arguments: Vec<OsString> = arguments.into_iter().chain([prefix]).collect();
        let mut room = Room::new(&files, SIZE_LIMIT);
        let done = git.run_while(&arguments, &mut || room.is_left());
        if !room.was_enough() {
            let message = format!("the files of the commit have more than {SIZE_LIMIT} bytes");
            return Err(failed(message));
        }
        done.map(drop)
    }

    /// Where the files are.
    pub fn files(&self) -> PathBuf {
        self.scratch.path().join("files")
    }

    /// Where those of the repository are.
    pub fn top(&self) -> &Path {
        &self.top
    }
}

fn no_commit(reference: &str) -> ExternalError {
    failed_with_hint(
        format!("the repository has no commit `{reference}`"),
        "name a branch, a tag or a commit that is there; what a server has must be fetched first",
    )
}

/// What a program prints, without the end of its line.
fn line(mut bytes: Vec<u8>) -> Vec<u8> {
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
    }
    bytes
}

struct Git<'a> {
    directory: &'a Path,
    /// The index to work with, which is not that of the repository.
    index: Option<&'a Path>,
}

impl Git<'_> {
    fn run(&self, arguments: &[&str]) -> Result<Vec<u8>, ExternalError> {
        let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
        self.run_while(&arguments, &mut || true)
    }

    fn run_while(
        &self,
        arguments: &[OsString],
        goes_on: &mut dyn FnMut() -> bool,
    ) -> Result<Vec<u8>, ExternalError> {
        let mut command: Command = online(OsStr::new("git"));
        command
            .current_dir(self.directory)
            .args(["-c", "core.fsmonitor=false", "-c", "gc.auto=0"])
            .args(arguments)
            .envs(git_environment(false))
            // What a partial clone lacks stays away.
            .env("GIT_NO_LAZY_FETCH", "1");
        if let Some(index) = self.index {
            command.env("GIT_INDEX_FILE", index);
        }
        run(&mut command, BOUNDS, "install Git", goes_on)
    }
}
