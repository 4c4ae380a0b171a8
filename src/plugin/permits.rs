//! Permits to render: how many renders run at a time in one sidecar, and how many of them for one project.
//!
//! cmp-server starts a process for each render, so the permits are locks on files of a directory that they share. A process
//! that ends, however it ends, gives its permit back.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};

use crate::failure::{Failure, Problem};
use crate::files::plain;
use crate::hex::hex;

/// How long to wait between two looks at the locks.
const PAUSE: Duration = Duration::from_millis(10);

/// How many renders there may be.
#[derive(Clone, Debug)]
pub struct Permits {
    directory: PathBuf,
    all: usize,
    each: usize,
}

/// The permission to render, until it is dropped.
#[derive(Debug)]
pub struct Permit {
    _project: File,
    _all: File,
}

impl Permits {
    /// Shares out `all` permits, at least one, by locks in a directory. One project holds at most three of four, and never
    /// all of several, so that the slow renders of one leave something to the others.
    pub fn new(directory: &Path, all: usize) -> Self {
        let all = all.max(1);
        Self {
            directory: directory.to_owned(),
            all,
            each: (all - (all / 4).max(1)).max(1),
        }
    }

    /// Waits for a permit.
    ///
    /// # Errors
    /// Where there is none before the deadline, or no lock can be made.
    pub fn wait(&self, project: &str, deadline: Instant) -> Result<Permit, Failure> {
        let cannot = |error: &std::io::Error| {
            Problem::new(format!("cannot take a permit to render: {}", plain(error)))
                .at(self.directory.display().to_string(), 0)
                .hint("the directory must be one that this process can write to; `--permits-directory` names another")
                .into_failure()
        };
        fs::create_dir_all(&self.directory).map_err(|error| cannot(&error))?;
        // A project's name may be long, and is somebody else's text.
        let project = hex(&Sha256::digest(project));
        let mut held = None;
        loop {
            if held.is_none() {
                held = self
                    .free(&format!("project-{project}"), self.each)
                    .map_err(|error| cannot(&error))?;
            }
            if held.is_some()
                && let Some(all) = self
                    .free("render", self.all)
                    .map_err(|error| cannot(&error))?
                && let Some(project) = held.take()
            {
                return Ok(Permit {
                    _project: project,
                    _all: all,
                });
            }
            if Instant::now() + PAUSE >= deadline {
                let whose = if held.is_some() {
                    "other renders"
                } else {
                    "other renders of this project"
                };
                let message = format!("the time was over before {whose} were done");
                return Err(Problem::new(message)
                    .hint("render again; if it happens often, give the sidecar more CPU, `--concurrency` or `--timeout`")
                    .into_failure());
            }
            thread::sleep(PAUSE);
        }
    }

    /// Locks the first of some files that nobody has locked.
    fn free(&self, name: &str, count: usize) -> std::io::Result<Option<File>> {
        for number in 0..count {
            let path = self.directory.join(format!("{name}-{number}"));
            let file = File::options()
                .create(true)
                .truncate(false)
                .write(true)
                .open(path)?;
            match file.try_lock() {
                Ok(()) => return Ok(Some(file)),
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at_once() -> Instant {
        Instant::now()
    }

    #[test]
    fn one_project_does_not_hold_them_all() {
        let directory = tempfile::tempdir().unwrap();
        let permits = Permits::new(directory.path(), 4);
        let held: Vec<Permit> = (0..3)
            .map(|_| permits.wait("one", at_once()).unwrap())
            .collect();
        let failure = permits.wait("one", at_once()).unwrap_err().to_string();
        assert!(
            failure.contains("other renders of this project"),
            "{failure}"
        );
        let other = permits.wait("two", at_once()).unwrap();
        let failure = permits.wait("three", at_once()).unwrap_err().to_string();
        assert!(
            failure.contains("before other renders were done"),
            "{failure}"
        );
        drop(other);
        drop(permits.wait("three", at_once()).unwrap());
        drop(held);
        drop(permits.wait("one", at_once()).unwrap());
    }

    #[test]
    fn there_is_one_at_least() {
        let directory = tempfile::tempdir().unwrap();
        let permits = Permits::new(directory.path(), 0);
        let held = permits.wait("one", at_once()).unwrap();
        assert!(permits.wait("two", at_once()).is_err());
        drop(held);
    }

    #[test]
    fn who_waits_gets_what_is_given_back() {
        let directory = tempfile::tempdir().unwrap();
        let permits = Permits::new(directory.path(), 1);
        let held = permits.wait("one", at_once()).unwrap();
        let waiting = {
            let permits = permits.clone();
            thread::spawn(move || {
                permits
                    .wait("two", Instant::now() + Duration::from_secs(10))
                    .is_ok()
            })
        };
        thread::sleep(Duration::from_millis(50));
        drop(held);
        assert!(waiting.join().unwrap());
    }

    #[test]
    fn a_directory_that_cannot_be_made_is_told() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let permits = Permits::new(&file.path().join("x"), 1);
        let failure = permits.wait("one", at_once()).unwrap_err().to_string();
        assert!(failure.contains("--permits-directory"), "{failure}");
    }
}
