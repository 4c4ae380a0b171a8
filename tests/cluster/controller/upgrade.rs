//! A controller of this version takes over: what those before have written on Applications makes it write nothing.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use k8s_openapi::api::core::v1::ConfigMap;
use serde_json::{Value, json};

use super::world::World;
use crate::access::Kind;
use crate::installation::{Installation, namespace, objects};
use crate::workspace::Workspace;

/// As it is installed, since records and digests name the namespaces of what they were made of. `tests/cli/upgrade.rs` decides on
/// the same files, and makes them.
#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn what_earlier_versions_have_written_stays_as_it_is() {
    let Some(installation) = Installation::new() else {
        return;
    };
    let installation: &'static Installation = Box::leak(Box::new(installation));
    let admin = installation.admin();
    let workspace = Workspace::of_manifests();
    workspace.write(
        "lamp/kustomization.yaml",
        "namespace: lamp\ncomponents: [../manifests/components/controller-namespace/objects]\n",
    );
    admin.apply(&namespace("lamp"));
    for object in objects(&workspace.prints(&["build", "lamp"])) {
        admin.apply(&object);
    }
    let policy = json!({
        "apiVersion": "argocd-infisical.io/v1alpha1", "kind": "ControllerPolicy", "objectNamespaces": ["lamp"],
    });
    let world = World::installed(installation.cluster(), policy);
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/upgrade");
    let mut versions: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "json"))
        .collect();
    versions.sort();
    assert!(!versions.is_empty());
    for version in versions {
        let list: Value = serde_json::from_str(&fs::read_to_string(&version).unwrap()).unwrap();
        let items = list["items"].as_array().unwrap();
        for item in items {
            let mut item = item.clone();
            item["metadata"].as_object_mut().unwrap().remove("uid");
            admin.apply(&item);
        }
        let names = ["lamp-dev", "lamp-prod"];
        let versions =
            || names.map(|name| world.application(name)["metadata"]["resourceVersion"].clone());
        let (before, writes) = (versions(), world.writes().len());
        let controller = world.launch_by("upgraded", installation.kubeconfig(), &[]);
        controller.wait();
        world.settle();
        // What it would write besides, it would have written by now.
        thread::sleep(Duration::from_secs(2));
        assert_eq!(world.writes().len(), writes, "{:?}", world.writes());
        assert_eq!(versions(), before, "{}", version.display());
        // And it does look at them: another value, and both have another digest.
        let other = json!({"data": {"HOSTNAME": "other.example.org"}});
        world.admin.change::<ConfigMap>("lamp", "common", &other);
        world.wait_for("two new digests", || {
            let now = versions();
            now[0] != before[0] && now[1] != before[1]
        });
        assert_eq!(controller.stop(), Some(0));
        for name in names {
            world.admin.delete_of(Kind::APPLICATION, "argocd", name);
        }
    }
}
