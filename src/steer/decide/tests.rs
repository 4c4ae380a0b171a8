//! What the lines of the specification do not say: patches, settings, owners, limits, and what holds for everything.

mod properties;
mod relapse;
mod settings;

use serde_json::{Value, json};

use super::super::application::{Application, Name};
use super::super::owner::{Owner, OwnerName, Parent};
use super::super::plan::{Decision, Outcome, Purpose};
use super::super::policy::Policy;
use super::super::project::Project;
use super::super::state::{Controls, Memory, State};
use super::decide;
use super::specification::{happens, manifest, now, object, shown, state};
use crate::settings::digest::DigestKey;

fn first(state: &State) -> Decision {
    let plan = decide(state, &Policy::default(), now());
    plan.decisions.into_iter().next().unwrap()
}

/// A state with one Application.
fn one(manifest: &Value, objects: &[&str]) -> State {
    let application: Application = serde_json::from_value(manifest.clone()).unwrap();
    let mut state = state(&[], objects);
    state
        .applications
        .insert(application.name(), Box::new(application));
    state
}

/// Does what an API server does with a JSON Patch: a `test` for null holds where there is nothing.
pub(super) fn patched(manifest: &Value, operations: &[Value]) -> Result<Value, String> {
    let mut result = manifest.clone();
    for operation in operations {
        let field = |name: &str| operation[name].as_str().unwrap();
        let (parent, last) = field("path").rsplit_once('/').unwrap();
        let last = last.replace("~1", "/").replace("~0", "~");
        let parent = result
            .pointer_mut(parent)
            .ok_or_else(|| format!("missing: {operation}"))?;
        let value = operation["value"].clone();
        match (field("op"), parent) {
            ("test", Value::Object(map)) => {
                let found = map.get(&last).cloned().unwrap_or_default();
                if found != value {
                    return Err(format!("{operation}: {found}"));
                }
            }
            ("add", Value::Object(map)) => drop(map.insert(last, value)),
            ("replace", Value::Object(map)) if map.contains_key(&last) => {
                drop(map.insert(last, value));
            }
            ("add", Value::Array(items)) if last == "-" => items.push(value),
            (_, parent) => return Err(format!("{operation}: {parent}")),
        }
    }
    Ok(result)
}

fn operations(decision: &Decision) -> &[Value] {
    decision
        .patch
        .as_ref()
        .map(|patch| patch.operations.as_slice())
        .unwrap_or_default()
}

#[test]
fn a_patch_tests_all_that_it_rests_on() {
    let state = state(&["argocd/lamp dev@main"], &[]);
    let decision = first(&state);
    assert_eq!(
        json!(operations(&decision)),
        json!([
            {"op": "test", "path": "/metadata/uid", "value": "uid-lamp"},
            {"op": "test", "path": "/metadata/labels/argocd-infisical.io~1environment", "value": "dev"},
            {"op": "test", "path": "/spec/project", "value": "home"},
            {"op": "test", "path": "/metadata/annotations", "value": null},
            {"op": "test", "path": "/spec/source/repoURL", "value": "https://git/repo"},
            {"op": "test", "path": "/spec/source/chart", "value": null},
            {"op": "test", "path": "/spec/source/targetRevision", "value": "main"},
            {"op": "add", "path": "/spec/source/targetRevision", "value": "dev"},
            {"op": "add", "path": "/metadata/annotations", "value": {"argocd-infisical.io/state":
                r#"{"environment":"dev","revision":"dev","moved":"2026-11-29T12:00:00Z"}"#}},
        ])
    );
}

#[test]
fn all_sources_of_a_repository_move_together() {
    let mut manifest = manifest("argocd/lamp dev@main hold");
    manifest["metadata"]["annotations"] = json!({"a": "b"});
    manifest["spec"]["sources"] = json!([
        {"repoURL": "https://git/repo", "targetRevision": "main"},
        {"repoURL": "https://charts", "chart": "x", "targetRevision": "1.0"},
        {"repoURL": "https://git/repo.git", "ref": "values"},
        {"repoURL": "https://git/repo", "targetRevision": "refs/heads/dev"},
    ]);
    let decision = first(&one(&manifest, &[]));
    let after = patched(&manifest, operations(&decision)).unwrap();
    let sources = after["spec"]["sources"].as_array().unwrap();
    let revisions: Vec<_> = sources
        .iter()
        .map(|source| source["targetRevision"].clone())
        .collect();
    assert_eq!(
        json!(revisions),
        json!(["dev", "1.0", "dev", "refs/heads/dev"])
    );
    assert_eq!(after["spec"]["source"], manifest["spec"]["source"]);
    assert_eq!(
        decision.revision.current,
        ["main", "HEAD", "refs/heads/dev"]
    );
}

#[test]
fn what_changed_meanwhile_makes_a_patch_fail() {
    let before = manifest("argocd/lamp dev@main");
    let decision = first(&one(&before, &[]));
    let changes: [(&str, Value); 7] = [
        ("/metadata/uid", json!("another")),
        (
            "/metadata/labels/argocd-infisical.io~1environment",
            json!("prod"),
        ),
        (
            "/metadata/annotations",
            json!({"argocd-infisical.io/hold": "true"}),
        ),
        ("/spec/project", json!("other")),
        ("/spec/source/repoURL", json!("https://git/other")),
        ("/spec/source/chart", json!("x")),
        ("/spec/source/targetRevision", json!("mine")),
    ];
    assert!(patched(&before, operations(&decision)).is_ok());
    for (path, value) in changes {
        let change = json!({"op": "add", "path": path, "value": value});
        let other = patched(&before, &[change]).unwrap();
        assert!(patched(&other, operations(&decision)).is_err(), "{path}");
    }
}

#[test]
fn a_pause_keeps_everything_as_it_is() {
    let mut state = state(&["argocd/lamp dev@main"], &[]);
    state.controls = Controls::read(&[("pause".to_owned(), "true".to_owned())].into());
    assert_eq!(happens(&state, &Policy::default()), "Paused");
    state.controls = Controls::read(&[("pause".to_owned(), "false".to_owned())].into());
    assert_eq!(happens(&state, &Policy::default()), "dev from default");
}

#[test]
fn environments_may_be_bound_to_projects() {
    let mut policy = Policy::default();
    policy.environments.get_mut("prod").unwrap().projects = Some(["platform".to_owned()].into());
    let state = state(&["argocd/lamp prod@dev"], &[]);
    assert_eq!(happens(&state, &policy), "ProjectNotAllowed");
    policy.environments.get_mut("prod").unwrap().projects = Some(["home".to_owned()].into());
    assert_eq!(happens(&state, &policy), "main from default");
}

#[test]
fn the_label_of_environments_may_be_another_one() {
    let policy = Policy {
        environment_label: "env".into(),
        ..Policy::default()
    };
    let mut manifest = manifest("argocd/lamp dev@main");
    manifest["metadata"]["labels"] = json!({"env": "prod"});
    let state = one(&manifest, &[]);
    assert_eq!(happens(&state, &policy), "same");
    assert_eq!(happens(&state, &Policy::default()), "nothing");
}

#[test]
fn a_sync_window_that_denies_is_waited_for() {
    let mut state = state(&["argocd/lamp dev@main"], &[]);
    let project: Project = serde_json::from_value(json!({"spec": {"syncWindows": [
        {"kind": "deny", "schedule": "0 11 * * *", "duration": "2h", "applications": ["*"]}]}}))
    .unwrap();
    state.projects = Some([("home".to_owned(), project)].into());
    let decision = first(&state);
    assert_eq!(shown(&decision), "SyncWindow");
    assert_eq!(decision.again, "2026-11-29T13:00:00Z".parse().ok());
    let policy = Policy {
        writes_in_denied_windows: true,
        ..Policy::default()
    };
    assert_eq!(happens(&state, &policy), "dev from default");
}

fn breaker(count: usize, moved: usize) -> State {
    let mut state = State::default();
    for index in 0..count {
        let mut manifest = manifest(&format!("argocd/lamp-{index:03} prod@dev"));
        if index < moved {
            manifest["spec"]["source"]["targetRevision"] = json!("main");
            manifest["metadata"]["annotations"] = json!({"argocd-infisical.io/state":
                r#"{"environment":"prod","revision":"main","moved":"2026-11-29T11:55:00Z"}"#});
        }
        let application: Application = serde_json::from_value(manifest).unwrap();
        state
            .applications
            .insert(application.name(), Box::new(application));
    }
    state
}

#[test]
fn a_breaker_stops_many_changes_of_a_protected_environment() {
    let policy = Policy::default();
    for (count, moved, expected) in [
        (5, 0, "main from default"),
        (6, 0, "Breaker"),
        (6, 5, "Breaker"),
        (50, 45, "Breaker"),
        (100, 91, "Breaker"),
        (100, 90, "Breaker"),
    ] {
        let state = breaker(count, moved);
        let plan = decide(&state, &policy, now());
        assert_eq!(
            shown(plan.decisions.last().unwrap()),
            expected,
            "{count} {moved}"
        );
        assert_eq!(
            plan.decisions.iter().filter(|one| one.moves()).count(),
            if expected == "Breaker" { 0 } else { count }
        );
        assert_eq!(plan.breakers.len(), usize::from(expected == "Breaker"));
    }
    // Of a hundred, ten per cent are more than five.
    let mut state = breaker(100, 90);
    for application in state.applications.values_mut().take(90) {
        application.metadata.annotations = None;
    }
    let plan = decide(&state, &policy, now());
    assert_eq!(plan.decisions.iter().filter(|one| one.moves()).count(), 10);
    // An hour later those that moved count no more.
    let later = "2026-11-29T13:00:00Z".parse().unwrap();
    let plan = decide(&breaker(10, 5), &policy, later);
    assert_eq!(plan.decisions.iter().filter(|one| one.moves()).count(), 5);
}

#[test]
fn an_acknowledged_change_goes_on_while_it_is_made() {
    let policy = Policy::default();
    let plan = decide(&breaker(20, 0), &policy, now());
    let hash = plan.breakers[0].hash.clone();
    for (moved, until) in [(0, ""), (7, ""), (7, "@2026-11-29T12:00:01Z")] {
        let mut state = breaker(20, moved);
        let text = format!("other, {hash}{until}");
        state.controls = Controls::read(&[("acknowledged".to_owned(), text)].into());
        let plan = decide(&state, &policy, now());
        assert_eq!(
            plan.decisions.iter().filter(|one| one.moves()).count(),
            20 - moved
        );
        assert!(plan.breakers.is_empty());
    }
    for wrong in [
        "",
        &hash[1..],
        &format!("{hash}@2026-11-29T12:00:00Z"),
        &format!("{hash}@x"),
    ] {
        let mut state = breaker(20, 0);
        state.controls = Controls::read(&[("acknowledged".to_owned(), wrong.to_owned())].into());
        assert_eq!(decide(&state, &policy, now()).breakers.len(), 1, "{wrong}");
    }
    let mut state = breaker(20, 0);
    let soon = "2026-11-29T13:00:00Z".parse().unwrap();
    let text = Controls::default().acknowledging(&hash, soon, now());
    state.controls = Controls::read(&[("acknowledged".to_owned(), text)].into());
    assert!(decide(&state, &policy, now()).breakers.is_empty());
    assert_eq!(decide(&state, &policy, soon).breakers.len(), 1);
}

#[test]
fn unprotected_environments_have_no_breaker() {
    let texts: Vec<String> = (0..50)
        .map(|index| format!("argocd/lamp-{index} dev@main"))
        .collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let plan = decide(&state(&texts, &[]), &Policy::default(), now());
    assert_eq!(plan.decisions.iter().filter(|one| one.moves()).count(), 50);
}

#[test]
fn an_application_that_flaps_waits() {
    let policy = Policy::default();
    let mut manifest = manifest("argocd/lamp dev@main");
    let mut memory = Memory::default();
    let mut time = now();
    let world = |manifest: &Value, memory: &Memory, revision: &str| {
        let text = format!("Secret argocd-infisical/rev dev ARGOCD_TARGET_REVISION={revision}");
        State {
            memory: memory.clone(),
            ..one(manifest, &[&text])
        }
    };
    for change in 0..policy.flap.changes {
        let state = world(&manifest, &memory, ["a", "b"][change % 2]);
        let plan = decide(&state, &policy, time);
        let decision = plan.decisions.first().unwrap();
        assert!(decision.moves(), "{decision:?}");
        memory.wrote(decision, time, policy.flap.within);
        manifest = patched(&manifest, operations(decision)).unwrap();
        time = time
            .saturating_add(jiff::SignedDuration::from_secs(1))
            .unwrap();
    }
    let state = world(&manifest, &memory, "c");
    let plan = decide(&state, &policy, time);
    assert_eq!(shown(&plan.decisions[0]), "Flapping");
    assert_eq!(plan.decisions[0].again, "2026-11-29T12:10:00Z".parse().ok());
    let later = plan.decisions[0].again.unwrap();
    assert!(decide(&state, &policy, later).decisions[0].moves());
}

fn child(source: &str) -> Value {
    let mut manifest = manifest("argocd/lamp dev@main");
    manifest["metadata"]["annotations"] = json!({
        "argocd.argoproj.io/tracking-id": "apps:argoproj.io/Application:argocd/lamp",
        "kubectl.kubernetes.io/last-applied-configuration": source,
    });
    manifest
}

#[test]
fn a_patch_that_would_not_stay_is_not_made() {
    let parent = OwnerName::Application(Name::new("argocd", "apps"));
    let owner = |parent: Parent| Owner::Application(Box::new(parent));
    let git = r#"{"spec":{"source":{"targetRevision":"main"}}}"#;
    let mut state = one(&child(git), &[]);
    assert_eq!(shown(&first(&state)), "OwnerUnknown");
    state
        .owners
        .insert(parent.clone(), owner(Parent::default()));
    let decision = first(&state);
    let Outcome::Stays(reason) = &decision.revision.outcome else {
        panic!()
    };
    assert!(
        reason
            .hint
            .as_ref()
            .unwrap()
            .contains("RespectIgnoreDifferences=true")
    );
    assert!(decision.patch.is_none());
    let mut state = one(&child(r#"{"spec":{"source":{"repoURL":"x"}}}"#), &[]);
    state.owners.insert(parent, owner(Parent::default()));
    assert_eq!(shown(&first(&state)), "dev from default");
}

#[test]
fn an_operation_that_retries_what_is_old_is_ended() {
    let operation = |phase: &str, finished: bool, automated: bool, revision: &str| {
        let mut manifest = manifest("argocd/lamp dev@main");
        let source = json!({"repoURL": "https://git/repo", "targetRevision": revision});
        manifest["status"] = json!({"operationState": {"phase": phase, "startedAt": "2026-11-29T11:59:00Z",
            "operation": {"initiatedBy": {"automated": automated}, "sync": {"revision": "abc"}},
            "syncResult": {"source": source}}});
        if finished {
            manifest["status"]["operationState"]["finishedAt"] = json!("2026-11-29T11:59:10Z");
        }
        manifest
    };
    let ends = |manifest: &Value| {
        let decision = first(&one(manifest, &[]));
        let after = patched(manifest, operations(&decision)).unwrap();
        after["status"]["operationState"]["phase"] == "Terminating"
    };
    assert!(ends(&operation("Running", true, true, "main")));
    assert!(
        !ends(&operation("Running", false, true, "main")),
        "a hook may be running"
    );
    assert!(
        !ends(&operation("Running", true, false, "main")),
        "a person asked for it"
    );
    assert!(!ends(&operation("Failed", true, true, "main")));
    assert!(!ends(&operation("Running", true, true, "dev")));
    // Where the revision was set before, nothing else is written.
    let mut late = operation("Running", true, true, "main");
    late["spec"]["source"]["targetRevision"] = json!("dev");
    let decision = first(&one(&late, &[]));
    assert_eq!(
        decision.patch.as_ref().map(|patch| patch.purpose),
        Some(Purpose::Operation)
    );
    assert!(ends(&late));
}

#[test]
fn what_a_person_set_on_a_generated_application_is_left_until_another_one_is_wanted() {
    let set = OwnerName::ApplicationSet(Name::new("argocd", "lamps"));
    let mut manifest = manifest("argocd/lamp dev@mine by=argocd-server");
    manifest["metadata"]["ownerReferences"] = json!([
        {"apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet", "name": "lamps"}]);
    let owner = || {
        let spec = json!({"spec": {"ignoreApplicationDifferences": [{"jsonPointers": ["/spec/source/targetRevision"]}]}});
        Owner::ApplicationSet(serde_json::from_value(spec).unwrap())
    };
    let mut memory = Memory::default();
    let world = |memory: &Memory, revision: &str| {
        let text = format!("Secret argocd-infisical/rev dev ARGOCD_TARGET_REVISION={revision}");
        let mut state = one(&manifest, &[&text]);
        state.owners.insert(set.clone(), owner());
        state.memory = memory.clone();
        first(&state)
    };
    for _ in 0..2 {
        let decision = world(&memory, "one");
        assert_eq!(shown(&decision), "ChangedByPerson");
        memory.saw(&decision);
    }
    assert!(world(&memory, "two").moves());
}
