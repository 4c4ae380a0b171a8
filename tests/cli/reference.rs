//! The real kustomize, and stand-ins for one that fails.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::tools::{self, printed};
use crate::workspace::Workspace;

/// The real kustomize, where there is one.
#[track_caller]
pub(crate) fn real() -> Option<PathBuf> {
    let named = env::var_os("ARGOCD_INFISICAL_KUSTOMIZE").map(PathBuf::from);
    named.or_else(tools::kustomize)
}

/// A program that says the version and fails, or prints what it should not, in the way of a shell script.
pub(crate) fn stand_in(workspace: &Workspace, build: &str) -> String {
    let script =
        format!("#!/bin/sh\nif [ \"$1\" = version ]; then echo v5.8.2; exit; fi\n{build}\n");
    let path = text(&workspace.path().join("kustomize"));
    // Were the file written here, a program that another test starts at the same time could hold it open for writing,
    // and it could not be run.
    let write = "printf %s \"$0\" >\"$1\" && chmod +x \"$1\"";
    printed(Command::new("/bin/sh").args(["-c", write, &script, &path]));
    path
}

pub(crate) fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}
