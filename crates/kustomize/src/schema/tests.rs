use super::*;

#[test]
fn finds_fields_lists_and_keys() {
    let schema = Schema::builtin();
    let deployment = schema.resource("apps/v1", "Deployment").unwrap();
    let containers = deployment
        .lookup(&["spec", "template", "spec", "containers"])
        .unwrap();
    assert!(containers.merges_elements());
    assert_eq!(containers.merge_keys(), ["name"]);
    let ports = containers.lookup(&["[]", "ports"]).unwrap();
    assert_eq!(ports.merge_keys(), ["containerPort", "protocol"]);
    assert_eq!(
        containers
            .lookup(&["[]", "command"])
            .unwrap()
            .patch_strategy(),
        None
    );
    let finalizers = deployment.lookup(&["metadata", "finalizers"]).unwrap();
    assert_eq!(
        (finalizers.patch_strategy(), finalizers.merge_keys()),
        (Some("merge"), vec![])
    );
    let label = deployment.lookup(&["metadata", "labels", "anything"]);
    assert!(label.is_some_and(|label| label.elements().is_none()));
    assert!(deployment.field("unknown").is_none());
    assert!(schema.resource("apps/v1", "Unknown").is_none());
}

#[test]
fn knows_scopes() {
    let schema = Schema::builtin();
    assert_eq!(
        schema.is_namespace_scoped("apps/v1", "Deployment"),
        Some(true)
    );
    assert_eq!(schema.is_namespace_scoped("v1", "Namespace"), Some(false));
    assert_eq!(schema.is_namespace_scoped("example.com/v1", "Thing"), None);
    assert!(schema.is_cluster_scoped("rbac.authorization.k8s.io/v1", "ClusterRole"));
    assert!(!schema.is_cluster_scoped("example.com/v1", "Thing"));
}
