//! What the lines of the specification do not say: patches, settings, owners, limits, and what holds for everything.

use proptest::prelude::*;
use proptest::sample::select;
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
    state.applications.insert(application.name(), application);
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
                drop(map.insert(last, value))
            }
            ("add", Value::Array(list)) if last == "-" => list.push(value),
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
        let changed = patched(&before, &[change]).unwrap();
        assert!(patched(&changed, operations(&decision)).is_err(), "{path}");
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
        state.applications.insert(application.name(), application);
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

mod settings {
    use super::*;
    use crate::settings::consent::{ALLOWED, KEYS, LABEL};
    use crate::settings::object::Object;

    const SETTINGS: &str = "Secret argocd-infisical/settings - HOSTNAME=a OTHER=b";

    fn manifest_with(env: &Value) -> Value {
        let mut manifest = manifest("argocd/lamp dev@dev");
        let references = [
            "secret:argocd-infisical/settings",
            "optional:argocd-infisical/more",
        ];
        manifest["spec"]["source"]["plugin"] = json!({"name": "argocd-infisical", "env": env,
            "parameters": [{"name": "settings", "array": references}]});
        manifest
    }

    fn world(manifest: &Value, text: &str, change: impl Fn(&mut Object)) -> State {
        let mut state = one(manifest, &[]);
        state.digest_key = DigestKey::new(&[1; 32]).ok();
        if !text.is_empty() {
            let (name, mut object) = object(text);
            object.labels.insert(LABEL.into(), "true".into());
            object
                .annotations
                .insert(ALLOWED.into(), "home/lamp".into());
            object.annotations.insert(KEYS.into(), "HOSTNAME".into());
            change(&mut object);
            state.objects.insert(name, object);
        }
        state
    }

    fn usual(manifest: &Value) -> State {
        world(manifest, SETTINGS, |_| ())
    }

    /// The manifest after the decision, as long as there is something to write.
    fn settled(manifest: &Value, state: impl Fn(&Value) -> State) -> Value {
        let mut manifest = manifest.clone();
        for _ in 0..3 {
            let decision = first(&state(&manifest));
            if decision.patch.is_none() {
                return manifest;
            }
            manifest = patched(&manifest, operations(&decision)).unwrap();
        }
        panic!("{manifest}")
    }

    fn digest(manifest: &Value) -> &str {
        let env = manifest["spec"]["source"]["plugin"]["env"].as_array();
        let entry = env
            .into_iter()
            .flatten()
            .find(|entry| entry["name"] == "SETTINGS_DIGEST");
        entry.map_or("", |entry| entry["value"].as_str().unwrap())
    }

    fn code(state: &State) -> &'static str {
        match first(state).settings.unwrap().outcome {
            Outcome::Same => "same",
            Outcome::Change => "change",
            Outcome::Stays(reason) => reason.code,
        }
    }

    #[test]
    fn a_digest_is_put_beside_what_is_there() {
        for env in [
            json!(null),
            json!([]),
            json!([{"name": "A", "value": "1"}, {"name": "B"}]),
        ] {
            let before = manifest_with(&env);
            let after = settled(&before, usual);
            let entries = after["spec"]["source"]["plugin"]["env"].as_array().unwrap();
            let others = env.as_array().cloned().unwrap_or_default();
            assert_eq!(entries[..others.len()], others);
            assert_eq!(entries.len(), others.len() + 1);
            assert!(digest(&after).starts_with("v1."), "{after}");
        }
    }

    #[test]
    fn what_concerns_it_changes_it_and_nothing_else() {
        let before = settled(&manifest_with(&json!(null)), usual);
        let again = |text, change: fn(&mut Object)| code(&world(&before, text, change));
        assert_eq!(again(SETTINGS, |_| ()), "same");
        assert_eq!(
            again(
                "Secret argocd-infisical/settings - HOSTNAME=a OTHER=c",
                |_| ()
            ),
            "same"
        );
        assert_eq!(
            again(
                "Secret argocd-infisical/settings - HOSTNAME=a TARGET_REVISION=c",
                |_| ()
            ),
            "same"
        );
        assert_eq!(
            again("Secret argocd-infisical/settings - HOSTNAME=b", |_| ()),
            "change"
        );
        assert_eq!(
            again("Secret argocd-infisical/settings - OTHER=b", |_| ()),
            "change"
        );
    }

    #[test]
    fn what_is_not_to_be_seen_changes_nothing() {
        let before = settled(&manifest_with(&json!(null)), usual);
        let again = |text, change: fn(&mut Object)| code(&world(&before, text, change));
        assert_eq!(again("", |_| ()), "SettingsAbsent");
        assert_eq!(
            again(SETTINGS, |object| object.labels.clear()),
            "SettingsAbsent"
        );
        assert_eq!(
            again(SETTINGS, |object| object.data.clear()),
            "SettingsNotSynced"
        );
    }

    #[test]
    fn consent_that_is_withdrawn_is_told_by_the_digest() {
        let before = settled(&manifest_with(&json!(null)), usual);
        let withdrawn = |manifest: &Value| {
            world(manifest, SETTINGS, |object| {
                object
                    .annotations
                    .insert(ALLOWED.into(), "other/lamp".into());
            })
        };
        assert_eq!(code(&withdrawn(&before)), "change");
        let after = settled(&before, withdrawn);
        assert_ne!(digest(&after), digest(&before));
        assert_eq!(code(&withdrawn(&after)), "NoConsent");
        // Without a digest there is nothing to take back.
        let state = withdrawn(&manifest_with(&json!(null)));
        assert_eq!(code(&state), "NoConsent");
        assert!(first(&state).patch.is_none());
    }

    #[test]
    fn no_digest_is_written_twice() {
        let mut manifest = manifest_with(&json!(null));
        let mut seen = std::collections::BTreeSet::new();
        for value in ["a", "b", "a", "b", "a"] {
            let text = format!("Secret argocd-infisical/settings - HOSTNAME={value}");
            manifest = settled(&manifest, |manifest| world(manifest, &text, |_| ()));
            assert!(seen.insert(digest(&manifest).to_owned()), "{manifest}");
        }
    }

    #[test]
    fn revision_and_digest_go_into_one_patch() {
        let mut manifest = manifest_with(&json!(null));
        manifest["spec"]["source"]["targetRevision"] = json!("main");
        let decision = first(&usual(&manifest));
        let after = patched(&manifest, operations(&decision)).unwrap();
        assert_eq!(after["spec"]["source"]["targetRevision"], "dev");
        assert!(!digest(&after).is_empty());
        assert_eq!(decision.patch.unwrap().purpose, Purpose::Revision);
    }

    #[test]
    fn without_the_key_or_the_plugin_there_is_nothing_to_watch_over() {
        let mut manifest = manifest_with(&json!(null));
        let mut state = usual(&manifest);
        state.digest_key = None;
        assert!(first(&state).settings.is_none());
        manifest["spec"]["source"]["plugin"]["name"] = json!("other");
        assert!(first(&usual(&manifest)).settings.is_none());
    }

    #[test]
    fn where_a_digest_does_not_stay_argo_cd_is_asked_to_render_again_once() {
        let mut before = manifest_with(&json!(null));
        before["metadata"]["annotations"] = json!({
            "argocd.argoproj.io/tracking-id": "apps:argoproj.io/Application:argocd/lamp",
            "kubectl.kubernetes.io/last-applied-configuration": r#"{"spec":{"source":{"targetRevision":"dev","plugin":{"env":[]}}}}"#,
        });
        let owned = |manifest: &Value, text: &str| {
            let mut state = world(manifest, text, |_| ());
            let parent = OwnerName::Application(Name::new("argocd", "apps"));
            state
                .owners
                .insert(parent, Owner::Application(Box::default()));
            state
        };
        let decision = first(&owned(&before, SETTINGS));
        assert_eq!(
            decision.patch.as_ref().map(|patch| patch.purpose),
            Some(Purpose::Refresh)
        );
        let mut after = patched(&before, operations(&decision)).unwrap();
        assert_eq!(digest(&after), "");
        assert_eq!(
            after["metadata"]["annotations"]["argocd.argoproj.io/refresh"],
            "hard"
        );
        assert!(first(&owned(&after, SETTINGS)).patch.is_none());
        // Argo CD takes the annotations away when it has done it.
        let annotations = after["metadata"]["annotations"].as_object_mut().unwrap();
        annotations.retain(|name, _| !name.contains("/refresh"));
        after["status"]["reconciledAt"] = json!("2026-11-29T12:00:00Z");
        assert!(first(&owned(&after, SETTINGS)).patch.is_none());
        let other = "Secret argocd-infisical/settings - HOSTNAME=b";
        assert!(first(&owned(&after, other)).patch.is_some());
        // Where it has not, it is asked again, after a while.
        after["status"]["reconciledAt"] = json!("2026-11-29T11:00:00Z");
        let state = owned(&after, SETTINGS);
        let again = first(&state).again.unwrap();
        let plan = decide(&state, &Policy::default(), again);
        assert!(plan.decisions[0].patch.is_some());
    }

    #[test]
    fn a_render_that_is_paused_is_asked_for_once_for_each_cause() {
        let mut paused = settled(&manifest_with(&json!(null)), usual);
        paused["status"]["conditions"] = json!([{"type": "ComparisonError",
            "message": "Manifest generation error (cached): x"}]);
        let decision = first(&usual(&paused));
        assert_eq!(
            decision.patch.as_ref().map(|patch| patch.purpose),
            Some(Purpose::Refresh)
        );
        let after = patched(&paused, operations(&decision)).unwrap();
        let mut state = usual(&after);
        assert!(first(&state).patch.is_none());
        // The object goes and comes back as it was.
        let gone = world(&after, "", |_| ());
        assert!(!state.memory.saw(&first(&gone)));
        assert!(state.memory.saw(&first(&usual(&after))));
        assert!(first(&state).patch.is_some());
    }

    #[test]
    fn nobody_is_asked_to_render_what_is_held() {
        let mut held = manifest_with(&json!(null));
        held["metadata"]["annotations"] = json!({"argocd-infisical.io/hold": ""});
        assert_eq!(code(&usual(&held)), "Hold");
        assert!(first(&usual(&held)).patch.is_none());
    }
}

fn names() -> impl Strategy<Value = &'static str> {
    select(vec![
        "argocd/lamp",
        "argocd/a-b",
        "argocd/a.b",
        "team/lamp",
        "team/a-b",
    ])
}

fn applications() -> impl Strategy<Value = Vec<String>> {
    let revision = select(vec![
        "",
        "dev",
        "main",
        "feature",
        "refs/heads/dev",
        "refs/tags/v1",
        "mine",
    ]);
    let environment = select(vec!["dev", "prod", "staging", "qa"]);
    let marks = select(vec![
        "",
        "hold",
        "manual",
        "by=argocd-infisical",
        "by=argocd-server",
        "by=kubectl-patch set=dev",
        "set=feature",
        "chart",
        "project=other",
        "was=feature:Secret:argocd-infisical/a#ARGOCD_TARGET_REVISION:environment",
        "was=feature:ConfigMap:argocd-infisical/b#ARGOCD_TARGET_REVISION__LAMP:key",
        "by=argocd-infisical was=main:Secret:team/c#TARGET_REVISION:application",
    ]);
    let one = (names(), environment, revision, marks);
    let text = one.prop_map(|(name, environment, revision, marks)| {
        format!("{name} {environment}@{revision} {marks}")
    });
    prop::collection::vec(text, 1..5)
}

fn objects() -> impl Strategy<Value = Vec<String>> {
    let place = select(vec![
        "Secret argocd-infisical/a",
        "ConfigMap argocd-infisical/b",
        "Secret team/c",
        "Secret argocd/d",
        "Secret argocd-infisical/e",
    ]);
    let labels = select(vec![
        "dev",
        "prod",
        "staging",
        "-",
        "dev/lamp",
        "prod/lamp",
        "dev/team_lamp",
        "staging/a-b",
    ]);
    let key = select(vec![
        "ARGOCD_TARGET_REVISION",
        "TARGET_REVISION",
        "ARGOCD_TARGET_REVISION__LAMP",
        "ARGOCD_TARGET_REVISION__A_B",
        "ARGOCD_TARGET_REVISION__TEAM_LAMP",
        "OTHER",
    ]);
    let value = select(vec![
        "",
        "dev",
        "main",
        "feature",
        "refs/heads/feature",
        "refs/tags/v1",
        "1.x",
        "--x",
        "refs/pull/1/head",
        "HEAD",
    ]);
    let data = prop::collection::vec((key, value), 0..3);
    let text = (place, labels, data).prop_map(|(place, labels, data)| {
        let data: Vec<_> = data
            .into_iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        format!("{place} {labels} {}", data.join(" "))
    });
    prop::collection::vec(text, 0..5)
}

fn texts(all: &[String]) -> Vec<&str> {
    all.iter().map(String::as_str).collect()
}

/// The last text of each Application: an API server has no two of a name.
fn manifests(all: &[String]) -> Vec<Value> {
    let mut by_name = std::collections::BTreeMap::new();
    for text in all {
        let manifest = manifest(text);
        by_name.insert(text.split(' ').next().unwrap().to_owned(), manifest);
    }
    by_name.into_values().collect()
}

fn world(manifests: &[Value], objects: &[String]) -> State {
    let mut state = state(&[], &texts(objects));
    for manifest in manifests {
        let application: Application = serde_json::from_value(manifest.clone()).unwrap();
        state.applications.insert(application.name(), application);
    }
    state
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_decision_that_is_carried_out_leaves_nothing_to_do(applications in applications(), objects in objects()) {
        let before = manifests(&applications);
        let plan = decide(&world(&before, &objects), &Policy::default(), now());
        let mut after = Vec::new();
        for manifest in &before {
            let name = &manifest["metadata"]["name"];
            let is_of = |decision: &&Decision| decision.application.name == *name
                && decision.application.namespace == manifest["metadata"]["namespace"];
            let decision = plan.decisions.iter().find(is_of).unwrap();
            after.push(patched(manifest, operations(decision)).unwrap());
        }
        let again = decide(&world(&after, &objects), &Policy::default(), now());
        for decision in &again.decisions {
            prop_assert!(decision.patch.is_none(), "{decision:#?}");
        }
    }

    #[test]
    fn the_order_of_things_does_not_matter(applications in applications(), objects in objects()) {
        let manifests = manifests(&applications);
        let forwards = decide(&world(&manifests, &objects), &Policy::default(), now());
        let names: std::collections::BTreeSet<_> = objects.iter().map(|text| text.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect();
        prop_assume!(names.len() == objects.len());
        let (mut manifests, mut objects) = (manifests, objects);
        manifests.reverse();
        objects.reverse();
        let backwards = decide(&world(&manifests, &objects), &Policy::default(), now());
        prop_assert_eq!(format!("{forwards:?}"), format!("{backwards:?}"));
    }

    #[test]
    fn a_patch_is_a_difference_and_sets_one_revision(applications in applications(), objects in objects()) {
        let manifests = manifests(&applications);
        let plan = decide(&world(&manifests, &objects), &Policy::default(), now());
        for decision in &plan.decisions {
            let changes = decision.patch.iter().flat_map(|patch| &patch.changes);
            let revisions: Vec<_> = changes.filter(|change| change.field.ends_with("targetRevision")).collect();
            prop_assert_eq!(!revisions.is_empty(), decision.revision.outcome == Outcome::Change);
            for change in revisions {
                prop_assert_ne!(change.old.as_ref(), Some(&change.new));
                prop_assert_eq!(Some(&change.new), decision.revision.wanted.as_ref().map(|wanted| &wanted.revision));
            }
        }
    }

    #[test]
    fn nothing_is_written_for_what_is_unknown(applications in applications(), objects in objects()) {
        // Whatever was in force, the objects that it came from are gone.
        let manifests = manifests(&applications);
        let mut state = world(&manifests, &objects);
        state.objects.clear();
        for decision in decide(&state, &Policy::default(), now()).decisions {
            let manifest = manifests.iter().find(|manifest| manifest["metadata"]["name"] == decision.application.name && manifest["metadata"]["namespace"] == decision.application.namespace).unwrap();
            let text = manifest.to_string();
            let was_overridden = text.contains("override") && manifest["metadata"]["annotations"]["argocd-infisical.io/state"].is_string();
            prop_assert!(!(was_overridden && decision.patch.is_some()), "{decision:#?}");
        }
    }
}
