//! A Git repository that a repo-server fetches from.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::server::Argo;
use crate::tools::printed;

/// A bare repository with a branch `main`.
pub(crate) struct Git<'a> {
    argo: &'a Argo,
    directory: TempDir,
}

impl<'a> Git<'a> {
    /// Makes one of some files.
    pub(crate) fn new(argo: &'a Argo, files: &[(&str, &str)]) -> Self {
        let git = Self::empty(argo);
        for (path, text) in files {
            git.write(path, text);
        }
        git.commit();
        git
    }

    /// Makes one of what a directory holds.
    pub(crate) fn of_directory(argo: &'a Argo, directory: &Path) -> Self {
        let git = Self::empty(argo);
        printed(
            Command::new("cp")
                .arg("-R")
                .arg(directory.join("."))
                .arg(git.work()),
        );
        git.commit();
        git
    }

    /// Makes one with nothing in it, and nothing to put into it yet.
    pub(crate) fn empty(argo: &'a Argo) -> Self {
        let git = Self {
            argo,
            directory: TempDir::new().unwrap(),
        };
        printed(
            argo.git()
                .args(["init", "--quiet", "--bare", "--initial-branch=main"])
                .arg(git.bare()),
        );
        printed(
            argo.git()
                .args(["init", "--quiet", "--initial-branch=main"])
                .arg(git.work()),
        );
        git
    }

    /// What is fetched.
    pub(crate) fn bare(&self) -> std::path::PathBuf {
        self.directory.path().join("repository.git")
    }

    /// The files.
    pub(crate) fn work(&self) -> std::path::PathBuf {
        self.directory.path().join("work")
    }

    /// Where it is fetched from.
    pub(crate) fn url(&self) -> String {
        format!("file://{}", self.bare().display())
    }

    /// Writes a file, which the next commit holds.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.work().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Commits all files and pushes them.
    pub(crate) fn commit(&self) {
        self.commit_to("main");
    }

    /// Commits all files and makes that a branch. Returns the commit.
    pub(crate) fn commit_to(&self, branch: &str) -> String {
        let run = |arguments: &[&str]| {
            printed(self.argo.git().arg("-C").arg(self.work()).args(arguments))
        };
        run(&["add", "--all"]);
        run(&["commit", "--quiet", "--allow-empty", "--message", "change"]);
        let branch = format!("HEAD:refs/heads/{branch}");
        run(&["push", "--quiet", "--force", &self.url(), &branch]);
        run(&["rev-parse", "HEAD"]).trim().to_owned()
    }
}
