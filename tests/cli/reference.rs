//! The real kustomize, and stand-ins for one that fails.

use std::env;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::workspace::Workspace;

const VERSION: &str = "v5.8.2";

/// The real kustomize, where there is one: named by the environment, on the `PATH`, or in the user's cache, where
/// `tools/record` puts it. Without it a test is skipped, visibly; in CI that is a failure.
pub(crate) fn real() -> Option<PathBuf> {
    let named = ["ARGOCD_INFISICAL_KUSTOMIZE", "KUSTOMIZE"]
        .into_iter()
        .filter_map(env::var_os)
        .map(PathBuf::from);
    let path = env::var_os("PATH").unwrap_or_default();
    let on_path: Vec<PathBuf> = env::split_paths(&path)
        .map(|directory| directory.join("kustomize"))
        .collect();
    let cache = env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cache")))
        .map(|cache| cache.join(format!("argocd-infisical/kustomize-{VERSION}/kustomize")));
    let found = named
        .chain(on_path)
        .chain(cache)
        .find(|path| path.is_file());
    if found.is_none() {
        let is_ci = env::var_os("CI").is_some_and(|ci| ci == "true");
        assert!(!is_ci, "there is no kustomize {VERSION} to compare with");
        // The test harness swallows what `eprintln!` of a passing test says.
        let line = b"SKIPPED: there is no kustomize to compare with; `tools/record` builds one\n";
        std::io::stderr().write_all(line).unwrap();
    }
    found
}

/// A program that says the version and fails, or prints what it should not, in the way of a shell script.
pub(crate) fn stand_in(workspace: &Workspace, build: &str) -> String {
    let script =
        format!("#!/bin/sh\nif [ \"$1\" = version ]; then echo {VERSION}; exit; fi\n{build}\n");
    workspace.write("bin/kustomize", script);
    let path = workspace.path().join("bin/kustomize");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    text(&path)
}

pub(crate) fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}
