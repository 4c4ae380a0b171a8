//! The cluster itself is what the other tests take it for.

use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use serde_json::json;

use crate::cluster::cluster;
use crate::kubeconfig::User;
use crate::namespace::Namespace;

/// The HTTP status of an answer that is no object.
#[track_caller]
fn status<T>(answer: Result<T, kube::Error>) -> u16 {
    match answer {
        Err(kube::Error::Api(status)) => status.code,
        Err(error) => panic!("no answer: {error}"),
        Ok(_) => 200,
    }
}

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn objects_are_created_and_read() {
    let Some(cluster) = cluster() else { return };
    let namespace = Namespace::new(cluster, "smoke-objects");
    namespace.config_map(json!({"metadata": {"name": "one"}, "data": {"A": "1"}}));
    namespace.secret(json!({"metadata": {"name": "two"}, "stringData": {"B": "2"}}));
    let admin = cluster.admin();
    let one: ConfigMap = admin.get(namespace.name, "one").unwrap();
    assert_eq!(one.data.unwrap()["A"], "1");
    let two: Secret = admin.get(namespace.name, "two").unwrap();
    assert_eq!(two.data.unwrap()["B"].0, b"2");
    assert_eq!(status(admin.get::<Secret>(namespace.name, "one")), 404);
}

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn a_user_reads_what_a_role_names() {
    let Some(cluster) = cluster() else { return };
    let namespace = Namespace::new(cluster, "smoke-roles");
    for name in ["one", "other"] {
        namespace.config_map(json!({"metadata": {"name": name}}));
        namespace.secret(json!({"metadata": {"name": name}}));
    }
    namespace.allow(User::SIDECAR, "configmaps", &["one", "none"]);
    let sidecar = cluster.access(User::SIDECAR);
    let read = |name| status(sidecar.get::<ConfigMap>(namespace.name, name));
    assert_eq!([read("one"), read("other"), read("none")], [200, 403, 404]);
    assert_eq!(status(sidecar.get::<Secret>(namespace.name, "one")), 403);
    let nobody = cluster.access(User::NOBODY);
    assert_eq!(status(nobody.get::<ConfigMap>(namespace.name, "one")), 403);
    let stranger = cluster.access(User::STRANGER);
    assert_eq!(
        status(stranger.get::<ConfigMap>(namespace.name, "one")),
        401
    );
}

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn requests_are_counted() {
    let Some(cluster) = cluster() else { return };
    let namespace = Namespace::new(cluster, "smoke-audit");
    namespace.config_map(json!({"metadata": {"name": "one"}}));
    namespace.allow(User::SIDECAR, "configmaps", &["one"]);
    let counted = || cluster.audit().requests(User::SIDECAR, namespace.name);
    assert!(counted().is_empty());
    let sidecar = cluster.access(User::SIDECAR);
    assert_eq!(status(sidecar.get::<ConfigMap>(namespace.name, "one")), 200);
    assert_eq!(status(sidecar.get::<Secret>(namespace.name, "one")), 403);
    assert_eq!(counted(), ["get configmaps one", "get secrets one"]);
}
