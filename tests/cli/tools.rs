//! Programs that some tests need: what is absent is reported as skipped, and fails where `CI` is `true`.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

/// The versions of programs: a name and a version on each line.
const VERSIONS: &str = include_str!("../../tools/versions");

/// The pinned version of a program; `None` for one that is taken as it comes.
pub(crate) fn version(program: &str) -> Option<&'static str> {
    let mut lines = VERSIONS.lines().filter_map(|line| line.split_once(' '));
    lines.find_map(|(name, version)| (name == program).then_some(version))
}

/// Where a program is: what the variable names, in the user's cache, where `tools/programs` puts it, or on the path.
#[track_caller]
pub(crate) fn find(program: &str, variable: &str) -> Option<PathBuf> {
    let named = std::env::var_os(variable).map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).map(|directory| directory.join(program));
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache
        .or_else(home)
        .zip(version(program))
        .map(|(cache, version)| {
            let directory = format!("argocd-infisical/{program}-{version}");
            cache.join(directory).join(program)
        });
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
    find("git", "GIT")
}

/// The kustomize that the goldens were recorded with.
pub(crate) fn kustomize() -> Option<PathBuf> {
    find("kustomize", "KUSTOMIZE")
}

pub(crate) fn helm() -> Option<PathBuf> {
    find("helm", "HELM")
}

/// What a program prints, which must succeed.
#[track_caller]
pub(crate) fn printed(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {stderr}");
    String::from_utf8(output.stdout).unwrap()
}

/// The Argo CDs that the sidecar is for, by their names in `tools/versions`.
pub(crate) const ARGO_CDS: [&str; 2] = ["argocd-oldest", "argocd"];

/// The manifests of a version of Argo CD, which come with its Go module.
#[track_caller]
pub(crate) fn argo_cd_manifests(name: &str) -> Option<PathBuf> {
    let pinned = version(name).unwrap();
    let (major, _) = pinned.split_once('.').unwrap();
    let module = format!("github.com/argoproj/argo-cd/{major}@{pinned}");
    let go = find("go", "GO")?;
    let mut command = Command::new(go);
    command
        .args(["mod", "download", "-json", &module])
        // The newest asks for a newer Go than the one that is there, even to be unpacked.
        .env("GOTOOLCHAIN", version("argocd-toolchain").unwrap())
        .current_dir("/");
    let described: Value = serde_json::from_str(&printed(&mut command)).unwrap();
    let directory = described["Dir"].as_str().unwrap();
    Some(PathBuf::from(directory).join("manifests"))
}
