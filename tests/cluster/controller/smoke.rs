//! The world itself is what the other tests take it for.

use k8s_openapi::api::core::v1::Secret;
use serde_json::json;

use super::objects::Written;
use super::world::{World, application};

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn changes_of_applications_are_seen_with_who_made_them() {
    let Some(world) = World::new("world-observer") else {
        return;
    };
    let observer = world.observe();
    world.create(application("lamp", "dev", "one"));
    world.change(
        "lamp",
        "argocd-server",
        json!({"spec": {"source": {"targetRevision": "two"}}}),
    );
    world.wait_for("two", || observer.history("lamp").len() == 2);
    assert_eq!(observer.history("lamp"), [["one"], ["two"]]);
    let seen = observer.of("lamp");
    let managers = seen.last().unwrap()["metadata"]["managedFields"].to_string();
    assert!(managers.contains("argocd-server"), "{managers}");
    assert_eq!(world.revision("lamp"), "two");
    assert!(world.writes().is_empty());
    world.put(&Written::of_environment("dev", "dev").revision("three"));
    let secret: Secret = world.admin.get(&world.own, "dev").unwrap();
    let data = secret.data.unwrap();
    assert_eq!(data["ARGOCD_TARGET_REVISION"].0, b"three");
}
