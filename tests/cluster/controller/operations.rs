//! Operations of Argo CD that stand in the way, and renders that it does not try any more.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use kube::api::Patch;
use serde_json::{Value, json};

use super::faults::{self, Answer};
use super::objects::Written;
use super::world::{REPOSITORY, World, application};
use crate::access::Kind;

/// What Argo CD notes of a sync of `dev` that runs.
fn running(by: &Value, finished: bool) -> Value {
    let source = json!({"repoURL": REPOSITORY, "path": "app", "targetRevision": "dev"});
    let mut state = json!({
        "phase": "Running",
        "message": "one or more synchronization tasks completed unsuccessfully. Retrying attempt #2 at 12:00AM.",
        "startedAt": "2026-11-29T12:00:00Z",
        "operation": {"initiatedBy": by, "sync": {"revision": "0123", "source": source}},
        "syncResult": {"revision": "0123", "source": source},
    });
    if finished {
        state["finishedAt"] = json!("2026-11-29T12:00:05Z");
    }
    json!({"status": {"operationState": state}})
}

fn phase(world: &World, name: &str) -> Value {
    world.application(name)["status"]["operationState"]["phase"].clone()
}

/// Only what Argo CD began by itself, has failed and waits to be tried again with what is no longer wanted.
#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn an_operation_that_waits_is_ended_and_no_other() {
    let Some(world) = World::new("operation-waits") else {
        return;
    };
    let (automated, person) = (json!({"automated": true}), json!({"username": "admin"}));
    let table = [
        ("waits", running(&automated, true), "Terminating"),
        ("runs", running(&automated, false), "Running"),
        ("of-a-person", running(&person, true), "Running"),
    ];
    for (name, status, _) in &table {
        world.create(application(name, "dev", "dev"));
        world.change(name, "argocd-application-controller", status.clone());
    }
    let _controller = world.start();
    world.settle();
    // What is tried again is what is wanted.
    assert!(world.writes().is_empty());
    world.put(&Written::of_environment("dev", "dev").revision("feature/login"));
    for (name, _, phase_then) in &table {
        world.wait_for_revision(name, "feature/login");
        assert_eq!(phase(&world, name), *phase_then, "{name}");
    }
    world.settle();
    for (name, _, phase_then) in &table {
        assert_eq!(phase(&world, name), *phase_then, "{name}");
    }
    let patch = world.moves_of("waits").remove(0).operations;
    let test = json!({
        "op": "test", "path": "/status/operationState/startedAt", "value": "2026-11-29T12:00:00Z",
    });
    assert!(patch.contains(&test), "{patch:?}");
}

/// Every patch tests what it is about to change, and that the source is the one that it was decided for.
#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn a_patch_tests_what_it_changes() {
    let Some(world) = World::new("operation-tests") else {
        return;
    };
    world.create(application("lamp", "dev", "before"));
    let _controller = world.start();
    world.wait_for_revision("lamp", "dev");
    let patch = world.moves_of("lamp").remove(0).operations;
    for (path, value) in [
        ("/spec/source/repoURL", json!(REPOSITORY)),
        ("/spec/source/targetRevision", json!("before")),
    ] {
        let test = json!({"op": "test", "path": path, "value": value});
        assert!(patch.contains(&test), "{path}: {patch:?}");
    }
    let managers = world.application("lamp")["metadata"]["managedFields"].clone();
    let managers = managers.as_array().unwrap();
    let ours = managers
        .iter()
        .find(|entry| entry["manager"] == "argocd-infisical");
    let ours = ours.unwrap();
    assert_eq!(ours["operation"], "Update");
    let source = &ours["fieldsV1"]["f:spec"]["f:source"];
    assert_eq!(*source, json!({"f:targetRevision": {}}));
}

/// The server compares JSON texts, and writes `<`, `>` and `&` as escapes.
#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn a_patch_tests_letters_that_the_server_escapes() {
    let Some(world) = World::new("operation-escapes") else {
        return;
    };
    let mut lamp = application("lamp", "dev", "before<&>\u{2028}\"\u{e9}'");
    lamp["spec"]["source"]["repoURL"] = json!("https://git.example.org/home.git?a=1&b=<2>");
    lamp["metadata"]["annotations"] = json!({"argocd-infisical.io/state": "<&>"});
    world.create(lamp);
    let controller = world.start();
    for revision in ["dev", "feature/a&b", "feature/<c>&", "feature/d\"e'", "dev"] {
        world.put(&Written::of_environment("dev", "dev").revision(revision));
        world.wait_for_revision("lamp", revision);
    }
    world.settle();
    let moves = world.moves_of("lamp");
    assert!(moves.iter().all(|write| write.code == 200), "{moves:?}");
    assert!(!controller.words().contains("may not patch it"));
}

/// A patch whose tests fail is late, and nothing else: whoever may patch is not told that he may not.
#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn a_patch_that_is_late_is_no_refusal() {
    let Some(world) = World::new("operation-late") else {
        return;
    };
    world.create(application("lamp", "dev", "dev"));
    let is_first = AtomicBool::new(true);
    let (admin, argocd) = (world.cluster.admin(), world.argocd.clone());
    let admin = Mutex::new(admin);
    // Between decision and patch somebody changes what is tested.
    let server = faults::start(world.cluster, move |method, target| {
        if method == "PATCH" && target.contains("/lamp?") && is_first.swap(false, Ordering::SeqCst)
        {
            let (admin, argocd) = (admin.lock().unwrap(), argocd.clone());
            let change =
                json!({"metadata": {"annotations": {"argocd-infisical.io/hold": "false"}}});
            thread::scope(|scope| {
                scope.spawn(|| {
                    let patch = Patch::Merge(change);
                    let name = (&*argocd, "lamp");
                    admin.patch_of(Kind::APPLICATION, name, &patch, "kubectl-annotate");
                });
            });
        }
        Answer::Pass
    });
    let controller = world.launch_by("controller", server.kubeconfig, &[]);
    controller.wait();
    world.put(&Written::of_environment("dev", "dev").revision("feature/login"));
    world.wait_for_revision("lamp", "feature/login");
    let codes: Vec<u64> = world
        .moves_of("lamp")
        .iter()
        .map(|write| write.code)
        .collect();
    assert_eq!(codes, [422, 200]);
    assert!(
        !controller.words().contains("may not patch it"),
        "{}",
        controller.words()
    );
    let outdated = ["patches_total", "revision", "outdated"];
    assert_eq!(controller.metric(&outdated), Some(1.0));
}

/// After three failures Argo CD renders no more for an hour, unless it is told to: once for each cause.
#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn a_paused_render_is_asked_for_once() {
    let Some(world) = World::new("operation-paused") else {
        return;
    };
    let tenant = world.tenant("tenant");
    let settings = Written::settings("map", "default/lamp").config_map();
    settings.clone().with("A", "one").put(&world.admin, &tenant);
    let mut lamp = application("lamp", "dev", "dev");
    lamp["spec"]["source"]["plugin"] = json!({
        "name": "argocd-infisical",
        "parameters": [{"name": "settings", "array": [format!("{tenant}/map")]}],
    });
    world.create(lamp);
    let _controller = world.start();
    let plugin = |world: &World| world.application("lamp")["spec"]["source"]["plugin"].to_string();
    world.wait_for("the digest", || plugin(&world).contains("SETTINGS_DIGEST"));
    let refresh = |world: &World| {
        let annotations = &world.application("lamp")["metadata"]["annotations"];
        annotations["argocd.argoproj.io/refresh"].clone()
    };
    assert_eq!(refresh(&world), Value::Null);
    let message = "Failed to load target state: failed to generate manifest for source 1 of 1: rpc error: code = Unknown \
                   desc = Manifest generation error (cached): plugin sidecar failed";
    let condition = json!([{"type": "ComparisonError", "message": message}]);
    world.change(
        "lamp",
        "argocd-application-controller",
        json!({"status": {"conditions": condition}}),
    );
    world.wait_for("a refresh", || refresh(&world) == "hard");
    // Argo CD heeds it, and it was of no use.
    let now = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(1);
    let seconds = jiff::Timestamp::from_second(now.as_second()).unwrap();
    world.change(
        "lamp",
        "argocd-application-controller",
        json!({
            "metadata": {"annotations": {
                "argocd.argoproj.io/refresh": null, "argocd.argoproj.io/refresh-timestamp": null,
            }},
            "status": {"reconciledAt": seconds.to_string()},
        }),
    );
    world.settle();
    assert_eq!(refresh(&world), Value::Null);
}
