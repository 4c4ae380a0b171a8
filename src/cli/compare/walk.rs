//! The directories that hold a kustomization.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use kustomize::files::KUSTOMIZATION_FILES;
use walkdir::{DirEntry, WalkDir};

use crate::failure::Failure;
use crate::files::plain;

/// What is below a directory.
pub(super) struct Found {
    /// The directories, relative to the one that was asked for, in order.
    pub(super) paths: Vec<PathBuf>,
    /// What could not be looked at.
    pub(super) warnings: Vec<String>,
}

/// Finds the kustomizations in and below a directory. Symbolic links to directories are not followed.
pub(super) fn kustomizations(directory: &Path) -> Result<Found, Failure> {
    if !directory.is_dir() {
        return Err(Failure::usage(format!(
            "there is no directory `{}`",
            directory.display()
        )));
    }
    let mut paths = BTreeSet::new();
    let mut warnings = Vec::new();
    let is_searched = |entry: &DirEntry| entry.file_name() != ".git";
    for entry in WalkDir::new(directory)
        .into_iter()
        .filter_entry(is_searched)
    {
        match entry {
            Ok(entry) => paths.extend(holder(directory, &entry)),
            Err(error) => {
                let path = error.path().unwrap_or(directory).display();
                let why = error.io_error().map(plain).unwrap_or_default();
                warnings.push(format!("warning: cannot look into `{path}`: {why}"));
            }
        }
    }
    if paths.is_empty() {
        let message = format!(
            "there is no kustomization in or below `{}`",
            directory.display()
        );
        return Err(Failure::input(message).hint("name the directory of a repository"));
    }
    Ok(Found {
        paths: paths.into_iter().collect(),
        warnings,
    })
}

/// The directory of a kustomization file, relative to where the search began.
fn holder(start: &Path, entry: &DirEntry) -> Option<PathBuf> {
    let name = entry.file_name().to_str()?;
    // The file itself may be a link.
    if !KUSTOMIZATION_FILES.contains(&name) || !entry.path().is_file() {
        return None;
    }
    let parent = entry.path().parent()?.strip_prefix(start).ok()?;
    Some(if parent.as_os_str().is_empty() {
        PathBuf::from(".")
    } else {
        parent.to_owned()
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn directories_with_a_kustomization_are_found_once_and_in_order() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        for path in [
            "b/Kustomization",
            "b/kustomization.yaml",
            "a/x/kustomization.yml",
            "a/y/other.yaml",
            ".git/kustomization.yaml",
        ] {
            fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
            fs::write(root.join(path), "").unwrap();
        }
        symlink("b", root.join("link")).unwrap();
        symlink("..", root.join("a/loop")).unwrap();
        fs::create_dir_all(root.join("c/kustomization.yaml")).unwrap();
        fs::create_dir(root.join("d")).unwrap();
        symlink("../b/Kustomization", root.join("d/Kustomization")).unwrap();
        let found = kustomizations(root).unwrap();
        assert_eq!(found.paths, ["a/x", "b", "d"].map(PathBuf::from));
        assert_eq!(
            kustomizations(&root.join("b")).unwrap().paths,
            [Path::new(".")]
        );
        assert!(kustomizations(&root.join("a/y")).is_err());
        assert!(kustomizations(&root.join("none")).is_err());
    }
}
