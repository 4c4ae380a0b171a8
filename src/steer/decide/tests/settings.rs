//! Digests of settings, and asking Argo CD to render again.

use super::*;
use crate::settings::consent::{ALLOWED, KEYS, LABEL};
use crate::settings::object::Object;

const SETTINGS: &str = "Secret argocd-infisical/settings - HOSTNAME=a OTHER=b";

pub(super) fn manifest_with(env: &Value) -> Value {
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

pub(super) fn usual(manifest: &Value) -> State {
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
        Outcome::Stays(reason) => reason.code.as_str(),
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
