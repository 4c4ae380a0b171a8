//! Nobody moves what is not theirs, whatever they write where they may write.

use serde_json::{Value, json};

use super::objects::{KEY, Written};
use super::world::{World, application};
use crate::access::Kind;
use crate::kubeconfig::User;

impl World {
    fn create_in(&self, namespace: &str, application: Value) {
        self.admin
            .create_of(Kind::APPLICATION, namespace, application);
    }
}

/// A tenant's objects, with every label and key there is, and the tenant's own Application: it moves, nothing else does.
#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn a_tenants_objects_govern_the_tenants_applications_alone() {
    let Some(world) = World::new("theirs-objects") else {
        return;
    };
    let (tenant, other) = (world.tenant("tenant"), world.tenant("other"));
    world.create(application("lamp", "dev", "dev"));
    world.create_in(&other, application("lamp", "dev", "dev"));
    world.create_in(&tenant, application("lamp", "dev", "dev"));
    world.create_in(&tenant, application("fan", "staging", "dev"));
    let _controller = world.start();
    let key = |name: &str| format!("{KEY}__{}", name.to_uppercase().replace('-', "_"));
    let stolen = |object: Written| {
        let object = object.revision("stolen").with("TARGET_REVISION", "stolen");
        let names = [
            "lamp".to_owned(),
            format!("{other}_lamp"),
            format!("{}_lamp", world.argocd),
        ];
        let keys = names.iter().map(|name| key(name));
        keys.fold(object, |object, key| object.with(&key, "stolen"))
    };
    let put = |object: Written| {
        stolen(object.clone()).put(&world.admin, &tenant);
        stolen(object).config_map().put(&world.admin, &tenant);
    };
    put(Written::of_environment("environment", "dev"));
    put(Written::of_application("by-name", "dev", "fan"));
    for (index, name) in [format!("{other}_lamp"), format!("{}_lamp", world.argocd)]
        .iter()
        .enumerate()
    {
        put(Written::of_application(
            &format!("full-{index}"),
            "dev",
            name,
        ));
    }
    // The last one that is written tells that all are known.
    Written::of_application("fan", "staging", "fan")
        .revision("of-the-tenant")
        .put(&world.admin, &tenant);
    world.wait_for_revision_in(&tenant, "fan", "of-the-tenant");
    world.wait_for_revision_in(&tenant, "lamp", "stolen");
    world.settle();
    assert_eq!(world.revision("lamp"), "dev");
    assert!(world.moves_of("lamp").is_empty());
    assert!(world.writes_in(&other).is_empty());
}

/// Objects where the controller does not look: it does not even ask.
#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn objects_outside_the_watched_namespaces_are_nothing() {
    let Some(world) = World::new("theirs-outside") else {
        return;
    };
    world.create(application("lamp", "dev", "dev"));
    let outside = crate::namespace::Namespace::new(world.cluster, "theirs-outside-else");
    let stolen = Written::of_environment("dev", "dev").revision("stolen");
    for namespace in [outside.name, &world.argocd] {
        stolen.put(&world.admin, namespace);
        stolen.clone().config_map().put(&world.admin, namespace);
    }
    let _controller = world.start();
    world.settle();
    assert_eq!(world.revision("lamp"), "dev");
    assert!(world.moves_of("lamp").is_empty());
    let audit = world.cluster.audit();
    assert!(audit.requests(User::CONTROLLER, outside.name).is_empty());
    let asked = audit.requests(User::CONTROLLER, &world.argocd);
    assert!(
        !asked.iter().any(|request| request.contains("secrets")),
        "{asked:?}"
    );
}

/// Names that look the same in a key stand for none of those that have them.
#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn names_that_collide_move_neither() {
    let Some(world) = World::new("theirs-names") else {
        return;
    };
    let tenant = world.tenant("tenant");
    let joined = format!("{tenant}-lamp");
    for name in ["a-b", "a.b", &joined] {
        world.create(application(name, "dev", "dev"));
    }
    world.create_in(&tenant, application("lamp", "dev", "dev"));
    let _controller = world.start();
    let key = format!("{KEY}__{}", joined.to_uppercase().replace('-', "_"));
    let object = Written::of_environment("dev", "dev")
        .with(&format!("{KEY}__A_B"), "stolen")
        .with(&key, "stolen");
    world.put(&object);
    for name in ["a-b", "a.b", &joined] {
        world.wait_for_event(name, "KeyCollision");
    }
    world.settle();
    assert!(world.moves().is_empty());
    assert!(world.writes_in(&tenant).is_empty());
    // By their full names they are told apart.
    world.put(&Written::of_application("one", "dev", "a.b").revision("one"));
    world.put(&Written::of_application("two", "dev", &format!("{tenant}_lamp")).revision("two"));
    world.wait_for_revision("a.b", "one");
    world.wait_for_revision_in(&tenant, "lamp", "two");
    world.settle();
    assert_eq!(world.revision("a-b"), "dev");
    assert_eq!(world.revision(&joined), "dev");
}

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn an_application_of_another_project_has_no_part_in_the_environment() {
    let Some(world) = World::new("theirs-projects") else {
        return;
    };
    world.policy(json!({"environments": {
        "prod": {"default": "main", "projects": ["home"]},
        "test": {"default": "dev", "allowed": ["*"]},
    }}));
    let of = |name: &str, project: &str| {
        let mut application = application(name, "prod", "before");
        application["spec"]["project"] = json!(project);
        application
    };
    world.create(of("ours", "home"));
    world.create(of("theirs", "tenant"));
    world.create(of("nobodys", ""));
    let _controller = world.start();
    world.wait_for_revision("ours", "main");
    world.wait_for_event("theirs", "ProjectNotAllowed");
    world.settle();
    for name in ["theirs", "nobodys"] {
        assert_eq!(world.revision(name), "before");
        assert!(world.moves_of(name).is_empty());
    }
}

/// What a tenant writes on an Application speaks of that one alone: other labels, annotations of ours and of Argo CD's.
#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn labels_and_annotations_of_an_application_move_no_other() {
    let Some(world) = World::new("theirs-annotations") else {
        return;
    };
    world.create(application("lamp", "prod", "main"));
    let mut forged = application("forged", "dev", "before");
    forged["metadata"]["labels"]["argocd-infisical.io/application"] = json!("lamp");
    forged["metadata"]["labels"]["argocd-infisical.io/settings"] = json!("true");
    let record = json!({
        "environment": "prod", "revision": "stolen",
        "override": {"kind": "Secret", "namespace": world.own, "name": "prod", "key": KEY, "rank": "application"},
    });
    forged["metadata"]["annotations"] = json!({
        "argocd-infisical.io/state": record.to_string(),
        "argocd-infisical.io/sources": "https://git.example.org/home.git",
        "argocd-infisical.io/allowed": "*/*",
        "argocd.argoproj.io/tracking-id": "lamp:argoproj.io/Application:argocd/lamp",
        KEY: "stolen",
        "argocd-infisical.io/target-revision": "stolen",
    });
    world.create(forged);
    let _controller = world.start();
    world.settle();
    assert_eq!(world.revision("lamp"), "main");
    assert!(world.writes().iter().all(|write| write.name == "forged"));
    assert_ne!(world.revision("forged"), "stolen");
}
