//! Programs that some tests need: what is absent is reported as skipped, and fails where `CI` is `true`.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

/// Where a program is: what the variable names, in the user's cache, where `tools/programs` puts it, or on the path.
#[track_caller]
pub(crate) fn find(program: &str, variable: &str, cached: &str) -> Option<PathBuf> {
    let named = std::env::var_os(variable).map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).map(|directory| directory.join(program));
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache
        .or_else(home)
        .map(|cache| cache.join("argocd-infisical").join(cached));
    let found = named
        .into_iter()
        .chain(cache)
        .chain(on_path)
        .find(|path| path.is_file());
    if found.is_none() {
        assert!(
            std::env::var_os("CI").is_none_or(|ci| ci != "true"),
            "`{program}` is missing"
        );
        std::io::stderr()
            .write_all(format!("SKIPPED: `{program}` is not there\n").as_bytes())
            .unwrap();
    }
    found
}

pub(crate) fn git() -> Option<PathBuf> {
    find("git", "GIT", "")
}

/// The kustomize that the goldens were recorded with.
pub(crate) fn kustomize() -> Option<PathBuf> {
    find("kustomize", "KUSTOMIZE", "kustomize-v5.8.2/kustomize")
}

pub(crate) fn helm() -> Option<PathBuf> {
    find("helm", "HELM", "helm-v3.22.0/helm")
}

/// What a program prints, which must succeed.
#[track_caller]
pub(crate) fn printed(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {stderr}");
    String::from_utf8(output.stdout).unwrap()
}

/// The manifests of a version of Argo CD, which come with its Go module.
#[track_caller]
pub(crate) fn argo_cd_manifests(module: &str) -> Option<PathBuf> {
    let go = find("go", "GO", "")?;
    let mut command = Command::new(go);
    command
        .args(["mod", "download", "-json", module])
        // The newest asks for a newer Go than the one that is there, even to be unpacked.
        .env("GOTOOLCHAIN", "go1.27.0")
        .current_dir("/");
    let described: Value = serde_json::from_str(&printed(&mut command)).unwrap();
    let directory = described["Dir"].as_str().unwrap();
    Some(PathBuf::from(directory).join("manifests"))
}
