//! The API server takes every manifest as it is.

use serde_json::{Value, json};

use crate::infisical;
use crate::installation::{installation, objects};
use crate::workspace::Workspace;

/// A type of somebody else, as far as our manifests use it: what is written is looked at by its schema alone.
pub(crate) fn definition(group: &str, version: &str, kind: &str, spec: &Value) -> Value {
    let singular = kind.to_lowercase();
    let plural = format!("{singular}s");
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.{group}")},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"kind": kind, "plural": plural, "singular": singular},
            "versions": [{
                "name": version, "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}},
            }],
        },
    })
}

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn every_manifest_is_one_that_the_server_takes() {
    let Some(installation) = installation() else {
        return;
    };
    let admin = installation.admin();
    infisical::define(&admin);
    let any = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    for kind in ["ServiceMonitor", "PrometheusRule"] {
        admin.apply(&definition("monitoring.coreos.com", "v1", kind, &any));
    }
    let workspace = Workspace::of_manifests();
    let component = |name: &str| format!("components: [../manifests/components/{name}]\n");
    let team = |name: &str| {
        let text = component(&format!("controller-namespace/{name}"));
        format!("namespace: team\n{text}")
    };
    workspace.write("objects/kustomization.yaml", team("objects"));
    workspace.write("applications/kustomization.yaml", team("applications"));
    let all = component("controller-all-namespaces");
    workspace.write("all/kustomization.yaml", all);
    let monitoring = component("controller-monitoring");
    workspace.write("monitoring/kustomization.yaml", monitoring);
    for (directory, count) in [
        ("manifests/install", 12),
        ("manifests/examples/settings-access", 2),
        ("manifests/examples/infisical", 3),
        ("objects", 2),
        ("applications", 2),
        ("all", 4),
        ("monitoring", 4),
    ] {
        let built = objects(&workspace.prints(&["build", directory]));
        assert_eq!(built.len(), count, "{directory}");
        for object in built {
            admin.would_apply(&object);
        }
    }
}
