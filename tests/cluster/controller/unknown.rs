//! What is not known moves nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use k8s_openapi::api::core::v1::Secret;
use serde_json::json;

use super::faults::{self, Answer, Server};
use super::objects::Written;
use super::world::{World, application};

/// The ways in which an override can be in force.
fn overrides() -> Vec<(&'static str, Written)> {
    vec![
        ("environment", Written::of_environment("environment", "one")),
        ("own", Written::of_application("own", "two", "own")),
        ("map", Written::of_environment("map", "three").config_map()),
    ]
}

/// A world with an Application for each, which the controller has brought to `feature/login`.
#[track_caller]
fn with_overrides(name: &str) -> Option<World> {
    let world = World::new(name)?;
    world.environments(["one", "two", "three"]);
    for ((name, object), environment) in overrides().iter().zip(["one", "two", "three"]) {
        world.put(&object.clone().revision("feature/login"));
        world.create(application(name, environment, "before"));
    }
    let controller = world.start();
    for (name, _) in overrides() {
        world.wait_for_revision(name, "feature/login");
    }
    assert_eq!(controller.stop(), Some(0));
    Some(world)
}

/// None of them has moved since.
#[track_caller]
fn all_stay(world: &World) {
    for (name, _) in overrides() {
        assert_eq!(world.revision(name), "feature/login", "{name}");
        assert_eq!(world.moves_of(name).len(), 1, "{name}");
    }
}

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn objects_that_are_deleted_release_nothing() {
    let Some(world) = with_overrides("unknown-deleted") else {
        return;
    };
    let controller = world.start();
    for (_, object) in overrides() {
        object.delete(&world.admin, &world.own);
    }
    for (name, _) in overrides() {
        world.wait_for_event(name, "OverrideGone");
    }
    world.settle();
    all_stay(&world);
    // Nor after a restart, by which all that a process remembers is gone.
    controller.kill();
    let controller = world.start();
    world.settle();
    all_stay(&world);
    assert_eq!(controller.stop(), Some(0));
    // Nor when they were deleted while nobody looked on: the same.
    let controller = world.start();
    world.settle();
    all_stay(&world);
    // An empty one is an answer.
    for (_, object) in overrides() {
        world.put(&object.empty());
    }
    for (name, _) in overrides() {
        world.wait_for_revision(name, "main");
    }
    assert_eq!(controller.stop(), Some(0));
}

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn labels_that_are_stripped_release_nothing() {
    let Some(world) = with_overrides("unknown-labels") else {
        return;
    };
    let controller = world.start();
    for (_, object) in overrides() {
        world.put(&object.stripped().revision("main"));
    }
    for (name, _) in overrides() {
        world.wait_for_event(name, "OverrideGone");
    }
    world.settle();
    all_stay(&world);
    controller.kill();
    let _controller = world.start();
    world.settle();
    all_stay(&world);
    // With their labels they are believed again.
    for (_, object) in overrides() {
        world.put(&object.revision("dev"));
    }
    for (name, _) in overrides() {
        world.wait_for_revision(name, "dev");
    }
}

/// Neither of its watches may be missing: it is not ready, and writes nothing.
#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn without_one_of_its_watches_it_is_not_ready_and_writes_nothing() {
    let Some(world) = with_overrides("unknown-denied") else {
        return;
    };
    world.create(application("new", "one", "before"));
    let rules = |resources: &[&str]| json!([{"apiGroups": [""], "resources": resources, "verbs": ["get", "list", "watch"]}]);
    for rest in [&["secrets"][..], &["configmaps"], &["endpoints"]] {
        world.allow(&world.own, "objects", &rules(rest));
        let controller = world.launch("denied", &[]);
        world.wait_for("its word on what it may not", || {
            controller.words().contains("orbidden")
        });
        assert!(!controller.is_ready());
        let (status, answer) = controller.get("/readyz");
        assert_eq!(status, 503, "{answer}");
        assert_eq!(controller.get("/healthz").0, 200);
        assert_eq!(controller.stop(), Some(0));
        assert_eq!(world.revision("new"), "before");
    }
    all_stay(&world);
    // As soon as it may, it goes on by itself.
    let controller = world.launch("allowed", &[]);
    world.wait_for("its word on what it may not", || {
        controller.words().contains("orbidden")
    });
    world.allow(&world.own, "objects", &rules(&["secrets", "configmaps"]));
    world.wait_for_revision("new", "feature/login");
    controller.wait();
    all_stay(&world);
}

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn a_namespace_that_cannot_be_watched_keeps_all_as_it_is() {
    let Some(world) = with_overrides("unknown-namespace") else {
        return;
    };
    let tenant = world.tenant("tenant");
    world.deny(&tenant, "objects");
    world.create(application("new", "one", "before"));
    let controller = world.launch("denied", &[]);
    world.wait_for("its word on what it may not", || {
        controller.words().contains("orbidden")
    });
    assert_eq!(controller.get("/readyz").0, 503);
    assert_eq!(controller.stop(), Some(0));
    assert_eq!(world.revision("new"), "before");
    all_stay(&world);
}

/// A record that somebody took away: the field's manager tells that the revision was set here.
#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn without_its_record_an_override_that_is_gone_is_still_unknown() {
    let Some(world) = with_overrides("unknown-record") else {
        return;
    };
    for (name, object) in overrides() {
        let annotations = json!({"argocd-infisical.io/state": null});
        world.change(
            name,
            "kubectl-annotate",
            json!({"metadata": {"annotations": annotations}}),
        );
        object.delete(&world.admin, &world.own);
    }
    let _controller = world.start();
    world.settle();
    all_stay(&world);
}

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn a_person_releases_what_was_deleted_on_purpose() {
    let Some(world) = with_overrides("unknown-release") else {
        return;
    };
    world.admin.delete::<Secret>(&world.own, "environment");
    let _controller = world.start();
    world.wait_for_event("environment", "OverrideGone");
    let name = format!("{}/environment", world.argocd);
    let run = world.command(&["revisions", "release", &name]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{}", run.stdout);
    world.wait_for_revision("environment", "main");
}

/// What the server answers while it has forgotten the version of a list that has several pages, again and again.
struct Forgetful {
    server: Server,
    forgets: Arc<AtomicBool>,
    forgotten: Arc<AtomicUsize>,
}

impl Forgetful {
    /// Every list of Secrets and of Applications comes in pages of one object.
    fn new(world: &World) -> Self {
        let forgets = Arc::new(AtomicBool::new(false));
        let forgotten = Arc::new(AtomicUsize::new(0));
        let (on, count) = (Arc::clone(&forgets), Arc::clone(&forgotten));
        let server = faults::start(world.cluster, move |method, target| {
            let is_list = method == "GET"
                && (target.contains("/secrets?") || target.contains("/applications?"));
            if !is_list {
                return Answer::Pass;
            }
            let on = on.load(Ordering::SeqCst);
            let is_watch = target.contains("watch=true") || target.contains("watch=1");
            let forget = |answer| {
                count.fetch_add(1, Ordering::SeqCst);
                answer
            };
            match (on, is_watch) {
                (true, true) => forget(Answer::ExpiredEvent),
                (true, false) if target.contains("continue=") => forget(Answer::Expired),
                (_, true) => Answer::Pass,
                (_, false) => Answer::Instead(with_pages_of_one(target)),
            }
        });
        Self {
            server,
            forgets,
            forgotten,
        }
    }

    /// Begins or ends to forget. Watches that run break off.
    fn set(&self, forgets: bool) {
        self.forgets.store(forgets, Ordering::SeqCst);
        self.server.hang_up();
    }

    /// Waits until it has happened so often from now.
    fn wait(&self, world: &World, times: usize) {
        let before = self.forgotten.load(Ordering::SeqCst);
        world.wait_for("a list that breaks off", || {
            self.forgotten.load(Ordering::SeqCst) >= before + times
        });
    }
}

fn with_pages_of_one(target: &str) -> String {
    let (path, query) = target.split_once('?').unwrap();
    let query = query.split('&').filter(|part| !part.starts_with("limit="));
    let query: Vec<&str> = query.chain(["limit=1"]).collect();
    format!("{path}?{}", query.join("&"))
}

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn a_list_that_breaks_off_is_no_list() {
    let Some(world) = with_overrides("unknown-list") else {
        return;
    };
    // Lists have pages: there are two Secrets and four Applications.
    world.create(application("new", "one", "before"));
    let server = Forgetful::new(&world);
    server.set(true);
    let controller = world.launch_by("forgetful", server.server.kubeconfig.clone(), &[]);
    server.wait(&world, 6);
    assert_eq!(controller.get("/readyz").0, 503);
    assert_eq!(world.revision("new"), "before");
    all_stay(&world);
    server.set(false);
    controller.wait();
    world.wait_for_revision("new", "feature/login");
    // In the middle of its life: what it knew stays, whatever is missing in the pages that it gets.
    server.set(true);
    world.put(&Written::of_environment("unrelated", "qa"));
    server.wait(&world, 6);
    all_stay(&world);
    server.set(false);
    controller.wait();
    world.settle();
    all_stay(&world);
    assert_eq!(world.moves_of("new").len(), 1);
}
