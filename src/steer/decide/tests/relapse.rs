//! What an owner put back although its rules leave it alone.

use super::*;
use crate::steer::plan::Effect;
use crate::steer::reason::Code;
use crate::steer::record::Record;

const GIT: &str = r#"{"spec":{"source":{"targetRevision":"main","plugin":{"env":[]}}}}"#;
const PARENT: &str = "argocd-controller";

fn parent(rules: &[&str]) -> Owner {
    let rule = json!({"group": "argoproj.io", "kind": "Application", "jsonPointers": rules});
    let parent = json!({"metadata": {"name": "apps"}, "spec": {
        "ignoreDifferences": [rule],
        "syncPolicy": {"syncOptions": ["RespectIgnoreDifferences=true"]},
    }});
    Owner::Application(Box::new(Parent::of(
        serde_json::from_value(parent).unwrap(),
    )))
}

/// A child whose revision was set at a time, and put back by somebody at another one.
fn put_back(set: &str, manager: &str, at: &str) -> Value {
    let mut manifest = child(GIT);
    let record = Record {
        environment: "dev".into(),
        revision: Some("dev".into()),
        moved: set.parse().ok(),
        ..Record::default()
    };
    manifest["metadata"]["annotations"]["argocd-infisical.io/state"] = json!(record.text());
    manifest["metadata"]["managedFields"] = json!([{"manager": manager, "operation": "Update", "time": at,
        "fieldsV1": {"f:spec": {"f:source": {"f:targetRevision": {}, "f:plugin": {"f:env": {}}}}}}]);
    manifest
}

fn world(manifest: &Value, owner: Owner, memory: &Memory) -> State {
    let mut state = one(manifest, &[]);
    let name = OwnerName::Application(Name::new("argocd", "apps"));
    state.owners.insert(name, owner);
    state.memory = memory.clone();
    state
}

#[test]
fn what_an_owner_puts_back_right_after_the_patch_is_set_once_more() {
    let rules: &[&str] = &["/spec/source/targetRevision"];
    let with_rules = || parent(rules);
    let cases: [(&str, &str, &str, Owner, &str); 7] = [
        (
            "12:00:00",
            PARENT,
            "12:00:00",
            with_rules(),
            "dev from default",
        ),
        (
            "11:59:51",
            PARENT,
            "12:00:00",
            with_rules(),
            "dev from default",
        ),
        ("11:59:49", PARENT, "12:00:00", with_rules(), "Reverted"),
        ("12:00:00", "helm", "12:00:00", with_rules(), "Reverted"),
        (
            "12:00:00",
            "argocd-server",
            "12:00:00",
            with_rules(),
            "ChangedByPerson",
        ),
        (
            "12:00:00",
            PARENT,
            "12:00:00",
            parent(&[]),
            "OwnedByApplication",
        ),
        ("12:00:00", PARENT, "12:00:00", Owner::Absent, "Reverted"),
    ];
    for (set, manager, at, owner, expected) in cases {
        let time = |time| format!("2026-11-29T{time}Z");
        let manifest = put_back(&time(set), manager, &time(at));
        let decision = first(&world(&manifest, owner, &Memory::default()));
        assert_eq!(shown(&decision), expected, "{set} {manager} {at}");
        let patch = decision.patch.as_ref();
        assert_eq!(
            patch.is_some_and(|patch| patch.effect.answers.revision),
            expected == "dev from default"
        );
    }
}

#[test]
fn it_is_not_set_a_third_time() {
    let policy = Policy::default();
    let now = now();
    let owner = || parent(&["/spec/source/targetRevision"]);
    let manifest = put_back(&now.to_string(), PARENT, &now.to_string());
    let mut memory = Memory::default();
    let decision = first(&world(&manifest, owner(), &memory));
    memory.wrote(&decision, now, policy.flap.within);
    let after = patched(&manifest, operations(&decision)).unwrap();
    assert_eq!(after["spec"]["source"]["targetRevision"], "dev");
    // The owner does it again, which is no mistake.
    assert_eq!(
        shown(&first(&world(&manifest, owner(), &memory))),
        "Reverted"
    );
    // Another revision is set as always, and a mistake with that one is answered.
    let with_override = |manifest: &Value, memory: &Memory| {
        let (name, other) = object("Secret argocd-infisical/rev dev ARGOCD_TARGET_REVISION=other");
        let mut state = world(manifest, owner(), memory);
        state.objects.insert(name, other);
        state
    };
    let decision = first(&with_override(&manifest, &memory));
    memory.wrote(&decision, now, policy.flap.within);
    let mut after = patched(&manifest, operations(&decision)).unwrap();
    after["spec"]["source"]["targetRevision"] = json!("dev");
    let decision = first(&with_override(&after, &memory));
    assert!(
        decision
            .patch
            .is_some_and(|patch| patch.effect.answers.revision)
    );
}

#[test]
fn a_digest_is_set_once_more_as_well() {
    let rules: &[&str] = &["/spec/source/targetRevision", "/spec/source/plugin/env"];
    let with_settings = |manifest: &Value, memory: &Memory| {
        let mut state = settings::usual(manifest);
        let name = OwnerName::Application(Name::new("argocd", "apps"));
        state.owners.insert(name, parent(rules));
        state.memory = memory.clone();
        state
    };
    let mut before = put_back(
        "2026-11-29T12:00:00Z",
        "argocd-infisical",
        "2026-11-29T12:00:00Z",
    );
    before["spec"]["source"]["targetRevision"] = json!("dev");
    before["spec"]["source"]["plugin"] =
        settings::manifest_with(&json!([]))["spec"]["source"]["plugin"].clone();
    let mut memory = Memory::default();
    let set = first(&with_settings(&before, &memory));
    assert!(set.patch.as_ref().unwrap().effect.digest.is_some());
    memory.wrote(&set, now(), Policy::default().flap.within);
    let mut relapsed = patched(&before, operations(&set)).unwrap();
    relapsed["spec"]["source"]["plugin"]["env"] = json!([]);
    relapsed["metadata"]["managedFields"][0]["manager"] = json!(PARENT);
    let again = first(&with_settings(&relapsed, &memory));
    let effect = &again.patch.as_ref().unwrap().effect;
    assert!(effect.answers.digest && effect.digest.is_some());
    // With a text that Argo CD has no render of.
    assert_ne!(effect.digest, set.patch.unwrap().effect.digest);
    memory.wrote(&again, now(), Policy::default().flap.within);
    let mut relapsed = patched(&relapsed, operations(&again)).unwrap();
    relapsed["spec"]["source"]["plugin"]["env"] = json!([]);
    let last = first(&with_settings(&relapsed, &memory));
    let Some(Outcome::Stays(reason)) = last.settings.map(|settings| settings.outcome) else {
        panic!()
    };
    assert_eq!(reason.code, Code::DigestReverted);
}

#[test]
fn what_a_person_wrote_in_a_list_of_sources_stays_although_a_digest_made_it_ours() {
    let mut manifest = manifest("argocd/lamp dev@mine set=dev");
    let source = manifest["spec"]["source"].take();
    manifest["spec"].as_object_mut().unwrap().remove("source");
    manifest["spec"]["sources"] = json!([source]);
    for (manager, expected) in [
        ("argocd-server", "ChangedByPerson"),
        ("argocd-infisical", "ChangedByPerson"),
        ("argocd-controller", "Reverted"),
    ] {
        manifest["metadata"]["managedFields"] = json!([{"manager": manager, "operation": "Update",
            "time": "2026-11-29T12:00:00Z", "fieldsV1": {"f:spec": {"f:sources": {}}}}]);
        assert_eq!(shown(&first(&one(&manifest, &[]))), expected, "{manager}");
        let other = "Secret argocd-infisical/rev dev ARGOCD_TARGET_REVISION=other";
        let decision = first(&one(&manifest, &[other]));
        assert!(decision.moves(), "{manager}");
    }
}

#[test]
fn a_digest_that_is_set_says_nothing_of_a_revision_that_was_set_twice_and_an_old_one_is_left() {
    let policy = Policy::default();
    let now = now();
    let owner = || parent(&["/spec/source/targetRevision"]);
    let manifest = put_back(&now.to_string(), PARENT, &now.to_string());
    let mut memory = Memory::default();
    let mut decision = first(&world(&manifest, owner(), &memory));
    memory.wrote(&decision, now, policy.flap.within);
    let effect = &mut decision.patch.as_mut().unwrap().effect;
    *effect = Effect {
        digest: Some("v1.0.1".into()),
        ..Effect::default()
    };
    memory.wrote(&decision, now, policy.flap.within);
    let state = world(&manifest, owner(), &memory);
    assert_eq!(shown(&first(&state)), "Reverted");
    // Whoever begins later does not set it either.
    let state = world(&manifest, owner(), &Memory::default());
    let later = now
        .saturating_add(jiff::SignedDuration::from_secs(61))
        .unwrap();
    assert_eq!(
        shown(&decide(&state, &policy, later).decisions[0]),
        "Reverted"
    );
}
