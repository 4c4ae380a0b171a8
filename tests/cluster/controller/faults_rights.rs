//! Rights that are taken away while the controller runs, and given back.

use std::thread;
use std::time::Duration;

use serde_json::json;

use super::chance::Chance;
use super::objects::Written;
use super::unsteady::Unsteady;
use super::world::{World, application};

/// How long it is looked on while nothing may be written.
const WHILE: Duration = Duration::from_secs(2);

fn of_one(revision: &str) -> Written {
    Written::of_environment("one", "one").revision(revision)
}

#[track_caller]
fn stays(world: &World, revision: &str) {
    let before = world.writes().len();
    thread::sleep(WHILE);
    assert_eq!(world.revision("lamp"), revision);
    assert_eq!(world.writes().len(), before);
}

/// Without the right to look at something nothing is written, whatever changes; with it, what is asked for last.
#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn without_a_right_to_look_nothing_is_written_until_it_is_given_back() {
    let Some(world) = World::new("rights-look") else {
        return;
    };
    world.environments(["one"]);
    world.create(application("lamp", "one", "before"));
    let server = Unsteady::new(world.cluster, Chance::new("rights"));
    let controller = world.launch_by("controller", server.kubeconfig().to_owned(), &[]);
    world.wait_for_revision("lamp", "main");
    let mut revision = "main".to_owned();
    let roles = [
        (&world.own, "objects"),
        (&world.argocd, "applications"),
        (&world.argocd, "argocd"),
    ];
    for (namespace, role) in roles {
        world.deny(namespace, role);
        // A watch that runs goes on; it is the next one that is refused.
        server.hang_up();
        world.wait_for("it to notice", || !controller.is_ready());
        let next = format!("r/{role}");
        world.put(&of_one(&next));
        stays(&world, &revision);
        assert_eq!(controller.get("/healthz").0, 200);
        world.allow_again(namespace);
        world.wait_for_revision("lamp", &next);
        controller.wait();
        revision = next;
    }
    world.settle();
    world.comes_to_rest(&[("lamp".to_owned(), revision)].into());
    assert_eq!(world.moves_of("lamp").len(), 4);
}

/// Without the right to hold the Lease it writes no more, before the Lease ends.
#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn without_the_right_to_hold_the_lease_nothing_is_written() {
    let Some(world) = World::new("rights-lease") else {
        return;
    };
    world.environments(["one"]);
    world.create(application("lamp", "one", "before"));
    let controller = world.start();
    world.wait_for_revision("lamp", "main");
    world.deny(&world.own, "own");
    // Writes end ten seconds before the Lease does, which has fifteen.
    thread::sleep(Duration::from_secs(6));
    world.put(&of_one("dev"));
    stays(&world, "main");
    world.wait_for("its word on the Lease", || {
        controller.words().contains("cannot renew the lease")
    });
    assert!(controller.is_ready());
    world.allow_again(&world.own);
    world.wait_for_revision("lamp", "dev");
    world.settle();
    assert_eq!(world.moves_of("lamp").len(), 2);
}

/// Without the right to patch it says so once, and goes on trying.
#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn without_the_right_to_patch_it_says_so_and_tries_again() {
    let Some(world) = World::new("rights-patch") else {
        return;
    };
    world.environments(["one"]);
    for number in 0..4 {
        world.create(application(&format!("lamp-{number}"), "one", "before"));
    }
    let look = json!([
        {"apiGroups": ["argoproj.io"], "resources": ["applications"], "verbs": ["get", "list", "watch"]},
    ]);
    world.allow(&world.argocd, "applications", &look);
    let controller = world.start();
    world.wait_for("its word on the patch", || {
        controller.words().contains("may not patch it")
    });
    thread::sleep(WHILE);
    assert_eq!(controller.words().matches("may not patch it").count(), 1);
    assert!(world.writes().iter().all(|write| write.code == 403));
    world.allow_again(&world.argocd);
    for number in 0..4 {
        world.wait_for_revision(&format!("lamp-{number}"), "main");
    }
    let writes = world.writes();
    let done = writes.iter().filter(|write| write.code == 200).count();
    assert_eq!(done, 4, "{writes:?}");
}
