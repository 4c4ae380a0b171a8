//! The world itself is what the other tests take it for.

use std::time::Instant;

use serde_json::json;

use super::live::{Branches, is_synced, live, wait_since};

use super::objects::Written;
use super::world::{World, application};

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn changes_of_applications_are_seen_with_who_made_them() {
    let Some(world) = World::new("world-observer") else { return };
    let observer = world.observe();
    world.create(application("lamp", "dev", "one"));
    world.change("lamp", "argocd-server", json!({"spec": {"source": {"targetRevision": "two"}}}));
    world.wait_for("two", || observer.history("lamp").len() == 2);
    assert_eq!(observer.history("lamp"), [["one"], ["two"]]);
    let seen = observer.of("lamp");
    let managers = seen.last().unwrap().object["metadata"]["managedFields"].to_string();
    assert!(managers.contains("argocd-server"), "{managers}");
    assert_eq!(world.revision("lamp"), "two");
    assert!(world.writes().is_empty());
    world.put(&Written::of_environment("dev", "dev").revision("three"));
}

#[test]
#[ignore = "needs Argo CD: tools/cluster-tier runs it"]
fn argo_cd_deploys_a_branch() {
    let Some(live) = live() else { return };
    let Some(world) = live.world() else { return };
    let branches = Branches::new(live.argo);
    let mut lamp = application("lamp", "dev", "main");
    lamp["spec"]["source"]["repoURL"] = json!(branches.git.url());
    world.create(lamp);
    let time = wait_since(Instant::now(), &world, "lamp", |application| is_synced(application, branches.commit("main")));
    eprintln!("{time:?}");
    for branch in ["dev", "feature/login", "main"] {
        world.change("lamp", "argocd-server", json!({"spec": {"source": {"targetRevision": branch}}}));
        let time = wait_since(Instant::now(), &world, "lamp", |application| is_synced(application, branches.commit(branch)));
        eprintln!("{time:?}");
    }
}
