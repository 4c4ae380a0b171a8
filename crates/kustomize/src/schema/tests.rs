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

#[test]
fn a_custom_schema_replaces_extends_or_gives_way() {
    let text = r##"{
        "definitions": {
            "v1.Thing": {
                "properties": {"pod": {"$ref": "#/definitions/io.k8s.api.core.v1.PodSpec"}},
                "x-kubernetes-group-version-kind": [{"group": "example.com", "version": "v1", "kind": "Thing"}]
            },
            "io.k8s.api.core.v1.Container": {"properties": {"own": {"type": "string"}}}
        },
        "paths": {
            "/apis/example.com/v1/things": {
                "get": {"x-kubernetes-group-version-kind": {"group": "example.com", "version": "v1", "kind": "Thing"}}
            }
        }
    }"##;
    let document = goyaml::parse(text.as_bytes(), &goyaml::Limits::default())
        .unwrap()
        .unwrap();
    let with = |builtin| Schema::with_custom(&document, builtin).unwrap();
    let own = |schema: &Schema| {
        let pod = schema.resource("v1", "Pod")?;
        Some(pod.lookup(&["spec", "containers", "[]", "own"]).is_some())
    };
    let pod = |schema: &Schema| {
        schema
            .resource("example.com/v1", "Thing")
            .unwrap()
            .field("pod")
            .is_some()
    };

    let (replaced, extended, preferred) = (
        with(Builtin::Replaced),
        with(Builtin::Extended),
        with(Builtin::Preferred),
    );
    assert_eq!(
        (own(&replaced), own(&extended), own(&preferred)),
        (None, Some(true), Some(false))
    );
    assert_eq!(
        (pod(&replaced), pod(&extended), pod(&preferred)),
        (false, true, true)
    );
    assert!(replaced.is_cluster_scoped("example.com/v1", "Thing"));
    assert_eq!(replaced.is_namespace_scoped("v1", "Pod"), Some(true));
    assert!(
        replaced
            .resource("kustomize.config.k8s.io/v1beta1", "Kustomization")
            .is_some()
    );
    assert!(Schema::with_custom(&Node::null(), Builtin::Replaced).is_err());
}
