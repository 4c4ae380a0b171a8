//! All namespaces, with `ClusterRole`s.

use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding};
use serde_json::json;

use super::objects::Written;
use super::world::{World, application};
use crate::access::Kind;
use crate::kubeconfig::User;

/// The label of environments here, so that the Applications of other tests take no part.
const LABEL: &str = "everywhere.example.org/environment";

fn allow(world: &World) {
    let rules = json!([
        {"apiGroups": ["argoproj.io"], "resources": ["applications"], "verbs": ["get", "list", "watch", "patch"]},
        {"apiGroups": ["argoproj.io"], "resources": ["appprojects"], "verbs": ["list", "watch"]},
        {"apiGroups": ["argoproj.io"], "resources": ["applicationsets"], "verbs": ["get"]},
        {"apiGroups": [""], "resources": ["configmaps", "secrets"], "verbs": ["get", "list", "watch"]},
        {"apiGroups": ["events.k8s.io"], "resources": ["events"], "verbs": ["create"]},
        {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["get", "create", "update"]},
    ]);
    let role = json!({"metadata": {"name": "everywhere"}, "rules": rules});
    world.admin.create_global::<ClusterRole>(role);
    world.admin.create_global::<ClusterRoleBinding>(json!({
        "metadata": {"name": "everywhere"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "everywhere"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": User::EVERYWHERE.name}],
    }));
}

fn create(world: &World, namespace: &str, name: &str) {
    let mut application = application(name, "dev", "dev");
    application["metadata"]["labels"] = json!({LABEL: "dev"});
    world
        .admin
        .create_of(Kind::APPLICATION, namespace, application);
}

/// Namespaces that the policy does not name are watched, those that come later too; Argo CD's own Secrets are not.
#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn all_namespaces_are_watched_but_for_argo_cds_secrets() {
    let Some(world) = World::new("everywhere") else {
        return;
    };
    allow(&world);
    // Named by the world's policy at first; here the stars are all that is said.
    let first = world.tenant("first");
    let all = json!(["*"]);
    world.policy(
        json!({"applicationNamespaces": all, "objectNamespaces": all, "environmentLabel": LABEL}),
    );
    create(&world, &world.argocd, "lamp");
    create(&world, &first, "lamp");
    let kubeconfig = world.cluster.kubeconfig(User::EVERYWHERE);
    let controller = world.launch_by("everywhere", kubeconfig, &[]);
    controller.wait();
    let revision =
        |name: &str, revision: &str| Written::of_environment(name, "dev").revision(revision);
    revision("stolen", "stolen").put(&world.admin, &world.argocd);
    revision("own", "feature/first").put(&world.admin, &first);
    world.wait_for_revision_in(&first, "lamp", "feature/first");
    // A namespace that comes later; what was written before is known by then.
    let second = world.tenant("second");
    revision("own", "feature/second").put(&world.admin, &second);
    create(&world, &second, "lamp");
    world.wait_for_revision_in(&second, "lamp", "feature/second");
    assert_eq!(world.revision("lamp"), "dev");
    assert!(world.moves_of("lamp").is_empty());
}
