//! Versions stand in one place: this program's in `Cargo.toml`, those of others in `tools/versions`.

use std::collections::BTreeSet;
use std::fs;

use regex::Regex;
use walkdir::WalkDir;

use crate::manifests::repository;
use crate::tools::version;

/// Every page, manifest and script, by its path.
fn texts() -> Vec<(String, String)> {
    let below = ["docs", "manifests", "tools"].into_iter().flat_map(|name| {
        let walk = WalkDir::new(repository().join(name)).into_iter();
        walk.map(|entry| entry.unwrap().into_path())
    });
    let beside = [
        "README.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "Dockerfile",
    ];
    let beside = beside.into_iter().map(|name| repository().join(name));
    let files = below.chain(beside).filter(|path| {
        // The sums of Go modules name many versions, and none of ours.
        path.is_file()
            && !path.to_string_lossy().contains("programs.d")
            && !path.ends_with("go.sum")
    });
    files
        .filter_map(|path| Some((path.display().to_string(), fs::read_to_string(path).ok()?)))
        .collect()
}

/// What a pattern finds anywhere, with the path of each; there have to be so many at least.
#[track_caller]
fn found(pattern: &str, least: usize) -> BTreeSet<(String, String)> {
    let pattern = Regex::new(pattern).unwrap();
    let mut found = BTreeSet::new();
    for (path, text) in texts() {
        let all = pattern.captures_iter(&text);
        found.extend(all.map(|one| (path.clone(), one[1].to_owned())));
    }
    assert!(found.len() >= least, "{found:#?}");
    found
}

#[test]
fn the_images_that_are_named_are_of_this_version() {
    for (path, tag) in found(
        r"argocd-infisical(?::|[^\n]*newTag: |\n *newTag: )(\d+\.\d+\.\d+)",
        6,
    ) {
        assert_eq!(tag, env!("CARGO_PKG_VERSION"), "{path}");
    }
}

#[test]
fn the_engine_is_the_kustomize_that_is_pinned() {
    let pinned = version("kustomize").unwrap();
    assert_eq!(kustomize::VERSION, pinned);
    let recorded = fs::read_to_string(repository().join("testdata/golden/KUSTOMIZE_VERSION"));
    assert_eq!(recorded.unwrap().trim(), pinned);
    for (path, named) in found(r"(?i)kustomize[^\n]{0,20}[ @-](v5\.\d+\.\d+)", 5) {
        assert_eq!(named, pinned, "{path}");
    }
}

#[test]
fn the_argo_cd_that_the_guides_install_is_the_one_that_is_tested() {
    let pinned = version("argocd").unwrap();
    for (path, named) in found(r"argoproj/argo-cd/(v\d+\.\d+\.\d+)/manifests", 2) {
        assert_eq!(named, pinned, "{path}");
    }
    let older = version("argocd-older").unwrap();
    for (path, named) in found(r"argocd@(v\d+\.\d+\.\d+)", 1) {
        assert_eq!(named, older, "{path}");
    }
    let module = repository().join("tools/programs.d/argocd/go.mod");
    let module = fs::read_to_string(module).unwrap();
    assert!(
        module.contains(&format!("argo-cd/v3 {pinned}\n")),
        "{module}"
    );
}

#[test]
fn the_image_is_built_with_the_pinned_toolchain() {
    let toolchain = fs::read_to_string(repository().join("rust-toolchain.toml")).unwrap();
    let (_, rest) = toolchain.split_once("channel = \"").unwrap();
    let (pinned, _) = rest.split_once('"').unwrap();
    let container = fs::read_to_string(repository().join("Dockerfile")).unwrap();
    assert!(container.contains(&format!("FROM rust:{pinned}-alpine ")));
    assert!(container.contains(&format!("ENV RUSTUP_TOOLCHAIN={pinned}\n")));
    assert!(pinned.starts_with(&format!("{}.", env!("CARGO_PKG_RUST_VERSION"))));
}
