//! What Argo CD's own Kustomize makes of the same files: the plugin gives Argo CD the same, byte for byte.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::call::Call;
use super::git::Git;
use super::server::{Argo, argo};
use crate::tools::printed;

/// Renders a directory natively and by the plugin. Returns whether it is one that Argo CD can read: where kustomize prints
/// what is no object of Kubernetes, both fail.
#[track_caller]
fn same(argo: &Argo, git: &Git, path: &str) -> bool {
    let call = Call::new(argo, git, path);
    let (native, ours) = (call.clone().once(), call.by(argo.usual()).once());
    if native.error.is_empty() {
        let types = (native.source_type.as_str(), ours.source_type.as_str());
        assert_eq!(
            (ours.error.as_str(), types),
            ("", ("Kustomize", "Plugin")),
            "{path}"
        );
        assert!(!native.manifests().is_empty());
        assert_eq!(ours.manifests(), native.manifests(), "{path}");
    } else {
        let own = ["failed to unmarshal manifest", "error unmarshaling JSON"];
        assert!(
            own.iter().any(|text| native.error.contains(text)),
            "{path}: {native:?}"
        );
        assert_ne!(ours.error, "", "{path}");
    }
    native.error.is_empty()
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
    assert!(same(argo, &git, "overlay"));
    assert!(same(argo, &git, "apps/app-0003"));
}

/// The trees with an oddity each: what kustomize prints, and what Argo CD's decoder makes of it, hold for both.
#[test]
#[ignore = "needs Argo CD: tools/cluster-tier runs it"]
fn trees_with_oddities() {
    let Some(argo) = argo() else { return };
    let trees = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/kustomize");
    let mut cases = Vec::new();
    for area in sorted(&trees) {
        // Of each area one, which is another one when one is added.
        let whole = sorted(&area).into_iter().filter(|case| {
            let is_plain = !case.join("dir").exists() && !case.join("args").exists();
            is_plain
                && case
                    .join("want.yaml")
                    .metadata()
                    .is_ok_and(|want| want.len() > 0)
        });
        cases.extend(whole.take(1));
    }
    let directory = tempfile::tempdir().unwrap();
    let in_repository = |case: &Path| directory.path().join(case.strip_prefix(&trees).unwrap());
    for case in &cases {
        let parent = in_repository(case.parent().unwrap());
        std::fs::create_dir_all(&parent).unwrap();
        printed(Command::new("cp").arg("-R").arg(case).arg(parent));
    }
    let git = Git::of_directory(argo, directory.path());
    let read = cases.iter().filter(|case| {
        let path = case.strip_prefix(&trees).unwrap().join("in");
        same(argo, &git, path.to_str().unwrap())
    });
    assert!(read.count() > 10);
}

/// What a source with a plugin cannot say any more, `spec.source.kustomize`, the plugin's parameters say.
#[test]
#[ignore = "needs Argo CD: tools/cluster-tier runs it"]
fn every_option_of_a_kustomize_source() {
    let Some(argo) = argo() else { return };
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/plugin");
    let git = Git::of_directory(argo, &cases);
    let mut different = Vec::new();
    for case in sorted(&cases) {
        let read = |name: &str| std::fs::read_to_string(case.join(name)).unwrap();
        let options: Option<Value> =
            serde_saphyr::from_str(&read("source-kustomize.yaml")).unwrap();
        let parameters: Value = serde_json::from_str(&read("parameters.json")).unwrap();
        let name = case.file_name().unwrap().to_str().unwrap();
        let call = Call::new(argo, &git, &format!("{name}/in/app"));
        let native = call
            .clone()
            .kustomize(options.unwrap_or_else(|| json!({})))
            .once();
        let ours = call.by(argo.usual()).parameters(parameters).once();
        if native.error.is_empty() != case.join("want.yaml").exists() && argo.is_another_version() {
            // What an option does has changed from one version to the other.
            continue;
        }
        let is_same = if native.error.is_empty() {
            !native.manifests().is_empty()
                && ours.error.is_empty()
                && ours.manifests() == native.manifests()
        } else {
            // Ours says it in other words, and where.
            ours.error.contains("failed exit status 1: error: ")
        };
        assert_eq!(
            native.error.is_empty(),
            case.join("want.yaml").exists(),
            "{name}: {native:?}"
        );
        if !is_same {
            different.push(format!("{name}:\n{native:#?}\n{ours:#?}"));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}

fn sorted(directory: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(directory).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.is_dir());
    paths.sort();
    paths
}
