//! When nothing is written although another revision is wanted.

use serde_json::{Value, json};

use super::objects::Written;
use super::world::{World, application};
use crate::access::Kind;

/// An override of the whole of `dev`.
fn of_dev(revision: &str) -> Written {
    Written::of_environment("dev", "dev").revision(revision)
}

/// A world with one Application, `lamp`, that has `dev`, and nothing else.
#[track_caller]
fn with_lamp(name: &str, change: impl Fn(&mut Value)) -> Option<World> {
    let world = World::new(name)?;
    let mut lamp = application("lamp", "dev", "dev");
    change(&mut lamp);
    world.create(lamp);
    Some(world)
}

/// The override changes, and nothing happens, for a reason; then what keeps the Application goes away, and it does.
#[track_caller]
fn stays_until(world: &World, code: &str, release: impl Fn()) {
    world.put(&of_dev("feature/login"));
    world.wait_for_event("lamp", code);
    world.settle();
    assert_eq!(world.revision("lamp"), "dev");
    assert!(world.moves_of("lamp").is_empty());
    release();
    world.wait_for_revision("lamp", "feature/login");
    assert_eq!(world.moves_of("lamp").len(), 1);
}

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn an_annotation_holds_an_application() {
    let hold =
        |value: Value| json!({"metadata": {"annotations": {"argocd-infisical.io/hold": value}}});
    let Some(world) = with_lamp("hold-annotation", |lamp| {
        lamp["metadata"]["annotations"] = json!({"argocd-infisical.io/hold": "until Monday"});
    }) else {
        return;
    };
    let _controller = world.start();
    stays_until(&world, "Hold", || {
        world.change("lamp", "kubectl-annotate", hold(json!("false")));
    });
    world.change("lamp", "kubectl-annotate", hold(json!("true")));
    world.settle();
    world.put(&of_dev("other"));
    world.settle();
    assert_eq!(world.revision("lamp"), "feature/login");
    world.change("lamp", "kubectl-annotate", hold(Value::Null));
    world.wait_for_revision("lamp", "other");
}

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn the_pause_stops_everything() {
    let Some(world) = with_lamp("hold-pause", |_| {}) else {
        return;
    };
    world.create(application("fan", "test", "dev"));
    world.control(&json!({"pause": "true"}));
    let controller = world.start();
    world.put(&of_dev("feature/login"));
    world.put(&Written::of_environment("test", "test").revision("other"));
    for name in ["lamp", "fan"] {
        world.wait_for_event(name, "Paused");
    }
    // Nor when it starts again: it lists everything first.
    assert_eq!(controller.stop(), Some(0));
    let controller = world.start();
    // The Events of before are still there: the figures are this process's own.
    world.wait_for("the decisions after the restart", || {
        controller
            .metric(&["_applications{", "field=\"revision\"", "code=\"Paused\""])
            .is_some()
    });
    assert!(world.writes().is_empty());
    world.control(&json!({"pause": "false"}));
    world.wait_for_revision("lamp", "feature/login");
    world.wait_for_revision("fan", "other");
}

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn what_a_person_changed_stays_until_another_revision_is_wanted() {
    let Some(world) = with_lamp("hold-person", |_| {}) else {
        return;
    };
    let controller = world.start();
    world.put(&of_dev("feature/login"));
    world.wait_for_revision("lamp", "feature/login");
    for manager in ["argocd-server", "kubectl-edit"] {
        let mine = json!({"spec": {"source": {"targetRevision": format!("of-{manager}")}}});
        world.change("lamp", manager, mine);
    }
    world.wait_for_event("lamp", "ChangedByPerson");
    world.settle();
    assert_eq!(world.revision("lamp"), "of-kubectl-edit");
    // It is told from what is on the Application, not from what a process remembers.
    controller.kill();
    let _controller = world.start();
    world.settle();
    assert_eq!(world.revision("lamp"), "of-kubectl-edit");
    assert_eq!(world.moves_of("lamp").len(), 1);
    world.put(&of_dev("another"));
    world.wait_for_revision("lamp", "another");
}

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn automation_that_is_off_is_a_persons_decision() {
    let Some(world) = with_lamp("hold-automation", |lamp| {
        lamp["spec"]["syncPolicy"] = json!({"syncOptions": ["CreateNamespace=true"]});
    }) else {
        return;
    };
    let mut off = application("off", "dev", "dev");
    off["spec"]["syncPolicy"]["automated"]["enabled"] = json!(false);
    world.create(off);
    let controller = world.start();
    stays_until(&world, "AutomationOff", || {
        let on = json!({"spec": {"syncPolicy": {"automated": {}}}});
        world.change("lamp", "argocd-server", on);
    });
    assert_eq!(world.revision("off"), "dev");
    assert_eq!(controller.stop(), Some(0));
    world.policy(json!({"writes": {"automationOff": true}}));
    let _controller = world.start();
    world.wait_for_revision("off", "feature/login");
}

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn a_sync_window_that_denies() {
    let Some(world) = with_lamp("hold-window", |lamp| {
        lamp["spec"]["project"] = json!("home");
    }) else {
        return;
    };
    let project =
        |windows: Value| json!({"metadata": {"name": "home"}, "spec": {"syncWindows": windows}});
    let denies = json!([{
        "kind": "deny", "schedule": "* * * * *", "duration": "1h", "applications": ["la*"],
    }]);
    world
        .admin
        .create_of(Kind::PROJECT, &world.argocd, project(denies));
    let _controller = world.start();
    stays_until(&world, "SyncWindow", || {
        let patch = kube::api::Patch::Merge(json!({"spec": {"syncWindows": null}}));
        world.admin.patch_of(
            Kind::PROJECT,
            (&world.argocd, "home"),
            &patch,
            "kubectl-edit",
        );
    });
}

/// Twelve Applications of prod, of which five may move at once.
#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn the_breaker_of_a_protected_environment_stops_a_plan_until_it_is_acknowledged() {
    let Some(world) = World::new("hold-breaker") else {
        return;
    };
    let names: Vec<String> = (0..12).map(|number| format!("app-{number}")).collect();
    for name in &names {
        world.create(application(name, "prod", "main"));
    }
    let controller = world.start();
    world.put(&Written::of_environment("prod", "prod").revision("refs/tags/v1.0.0"));
    let event = world.wait_for_event("app-0", "Breaker");
    world.settle();
    let moves = world.moves();
    assert!(moves.is_empty(), "{moves:?}");
    let tripped = controller.metric(&["breaker_tripped", "prod"]);
    assert_eq!(tripped, Some(12.0));
    // Nor after a restart.
    assert_eq!(controller.stop(), Some(0));
    let _controller = world.start();
    world.settle();
    assert!(world.moves().is_empty());
    let hash = event.split_once("revisions acknowledge ").unwrap().1;
    let hash: String = hash.chars().take_while(char::is_ascii_hexdigit).collect();
    world.control(&json!({"acknowledged": "0011223344556677"}));
    world.settle();
    assert!(world.moves().is_empty());
    world.control(&json!({"acknowledged": hash}));
    for name in &names {
        world.wait_for_revision(name, "refs/tags/v1.0.0");
    }
    assert_eq!(world.moves().len(), names.len());
}

/// As many as may move at once do, and the next one does not.
#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn the_breaker_counts_what_has_moved_already() {
    let Some(world) = World::new("hold-breaker-slow") else {
        return;
    };
    let names: Vec<String> = (0..6).map(|number| format!("app-{number}")).collect();
    for name in &names {
        world.create(application(name, "prod", "main"));
    }
    let controller = world.start();
    let put = |name: &str| {
        world.put(&Written::of_application(name, "prod", name).revision("refs/tags/v1.0.0"));
    };
    for name in &names[..5] {
        put(name);
        world.wait_for_revision(name, "refs/tags/v1.0.0");
    }
    // The count is on the Applications.
    controller.kill();
    let _controller = world.start();
    put(&names[5]);
    world.wait_for_event(&names[5], "Breaker");
    world.settle();
    assert_eq!(world.revision(&names[5]), "main");
    assert_eq!(world.moves().len(), 5);
}

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn an_override_that_goes_to_and_fro_is_followed_so_often_only() {
    let Some(world) = with_lamp("hold-flap", |_| {}) else {
        return;
    };
    world.policy(json!({"flap": {"changes": 3, "minutes": 10}}));
    let _controller = world.start();
    for revision in ["one", "two", "three"] {
        world.put(&of_dev(revision));
        world.wait_for_revision("lamp", revision);
    }
    world.put(&of_dev("four"));
    world.wait_for_event("lamp", "Flapping");
    world.settle();
    assert_eq!(world.revision("lamp"), "three");
    assert_eq!(world.moves_of("lamp").len(), 3);
}

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn one_that_observes_writes_nothing() {
    let Some(world) = with_lamp("hold-observe", |_| {}) else {
        return;
    };
    world.put(&of_dev("feature/login"));
    let controller = world.launch("observer", &["--mode", "observe"]);
    controller.wait();
    world.wait_for("the decision in the metrics or the log", || {
        (world.words() + &controller.get("/metrics").1).contains("lamp")
            || controller.words().contains("feature/login")
    });
    assert_eq!(controller.stop(), Some(0));
    assert!(world.writes().is_empty());
    assert_eq!(world.events("lamp"), [""; 0]);
    let leases = world.admin.list_of(Kind::LEASE, &world.own).unwrap();
    assert!(leases.is_empty(), "{leases:?}");
    assert_eq!(world.revision("lamp"), "dev");
}
