//! What Argo CD's own Kustomize makes of the same files: the plugin gives Argo CD the same, byte for byte.

use std::path::Path;
use std::process::Command;

use super::call::Call;
use super::git::Git;
use super::server::{Argo, argo};
use crate::tools::printed;

/// Renders a directory natively and by the plugin.
#[track_caller]
fn same(argo: &Argo, git: &Git, path: &str) {
    let call = Call::new(argo, git, path);
    let native = call.clone().once();
    assert_eq!(native.source_type, "Kustomize");
    let ours = call.by(argo.usual()).once();
    assert_eq!(ours.source_type, "Plugin");
    assert!(!native.manifests().is_empty());
    assert_eq!(ours.manifests(), native.manifests(), "{path}");
}

#[test]
#[ignore = "needs Argo CD: tools/cluster-tier runs it"]
fn a_tree_of_applications() {
    let Some(argo) = argo() else { return };
    let directory = tempfile::tempdir().unwrap();
    let tree = directory.path().join("tree");
    let tool = Path::new(env!("CARGO_MANIFEST_DIR")).join("tools/make-tree");
    printed(Command::new(tool).arg(&tree).arg("20"));
    let git = Git::of_directory(argo, &tree);
    same(argo, &git, "overlay");
    same(argo, &git, "apps/app-0003");
}

/// The trees with an oddity each: what kustomize prints, and what Argo CD's decoder makes of it, hold for both.
#[test]
#[ignore = "needs Argo CD: tools/cluster-tier runs it"]
fn trees_with_oddities() {
    let Some(argo) = argo() else { return };
    let trees = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/kustomize");
    let git = Git::of_directory(argo, &trees);
    let mut cases = Vec::new();
    for area in sorted(&trees) {
        // Of each area one, which is another one when one is added.
        let whole = sorted(&area).into_iter().filter(|case| {
            let is_plain = !case.join("dir").exists() && !case.join("flags").exists();
            is_plain
                && case
                    .join("want.yaml")
                    .metadata()
                    .is_ok_and(|want| want.len() > 0)
        });
        cases.extend(whole.take(1));
    }
    assert!(cases.len() > 10, "{cases:?}");
    for case in cases {
        let path = case.strip_prefix(&trees).unwrap().join("in");
        same(argo, &git, path.to_str().unwrap());
    }
}

fn sorted(directory: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(directory).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.is_dir());
    paths.sort();
    paths
}
