//! What the controller is for is let through.

use argocd_infisical::settings::digest::DigestKey;
use argocd_infisical::settings::object::{Object, ObjectKind, ObjectName};
use argocd_infisical::steer::plan::Purpose;
use argocd_infisical::steer::{Application, Policy, State, decide};
use serde_json::{Value, json};

use super::{
    DIGEST, REPOSITORY, add, all_pass, application, none_pass, replace, with_plugin, with_sources,
};
use crate::installation::{Caller, installation};

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn the_controller_writes_what_it_is_for() {
    let Some(installation) = installation() else {
        return;
    };
    let controller = installation.controller();
    with_plugin(installation, "writes");
    let digest = json!({"name": "SETTINGS_DIGEST", "value": DIGEST});
    let revision = |value: &str| replace("/spec/source/targetRevision", value);
    all_pass(
        &controller,
        "writes",
        &[
            vec![revision("main")],
            vec![revision("feature/login")],
            vec![revision("refs/heads/feature/login")],
            vec![revision("refs/tags/v1.2.3")],
            vec![revision("0123456789abcdef0123456789abcdef01234567")],
            vec![add("/spec/source/plugin/env/-", digest.clone())],
            vec![add("/spec/source/plugin/env/0", digest.clone())],
            vec![
                revision("main"),
                add("/spec/source/plugin/env/-", digest.clone()),
                add("/metadata/annotations/argocd-infisical.io~1state", "{}"),
                add("/metadata/annotations/argocd.argoproj.io~1refresh", "hard"),
                add(
                    "/metadata/annotations/argocd.argoproj.io~1refresh-timestamp",
                    "2026-01-01T00:00:00Z",
                ),
                replace("/status/operationState/phase", "Terminating"),
            ],
        ],
    );
    // A digest that is there is replaced.
    let admin = installation.admin();
    let writes = "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/writes";
    let there = json!([add("/spec/source/plugin/env/-", digest)]);
    let patched = admin.send("PATCH", writes, "application/json-patch+json", &there);
    assert!(patched.is_ok(), "{patched:?}");
    let other = DIGEST.replace("v1.0", "v1.f");
    let patch = vec![replace("/spec/source/plugin/env/1/value", other)];
    all_pass(&controller, "writes", &[patch]);

    with_sources(installation, "writes-sources");
    all_pass(
        &controller,
        "writes-sources",
        &[vec![
            replace("/spec/sources/0/targetRevision", "main"),
            add("/spec/sources/1/targetRevision", "main"),
        ]],
    );
    // Nobody else is concerned.
    let labels = json!([add("/metadata/labels/a", "b")]);
    assert!(admin.would_patch("writes", &labels).is_ok());
}

/// What a decision on an Application as it is at the API server comes to there: what the patch is for, and the Application with it.
#[track_caller]
fn decided(controller: &Caller, name: &str, data: &[(&str, &str)]) -> (Purpose, Value) {
    let application: Application = serde_json::from_value(controller.application(name)).unwrap();
    let object = |kind, namespace: &str, name: &str, object: Object| {
        let (namespace, name) = (namespace.to_owned(), name.to_owned());
        (
            ObjectName {
                kind,
                namespace,
                name,
            },
            object,
        )
    };
    let map = |pairs: &[(&str, &str)]| {
        let pairs = pairs.iter();
        pairs
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    };
    let bytes = data
        .iter()
        .map(|(key, value)| ((*key).to_owned(), value.as_bytes().to_vec()));
    let revisions = Object {
        labels: map(&[("argocd-infisical.io/environment", "dev")]),
        data: bytes.collect(),
        ..Object::default()
    };
    let settings = Object {
        labels: map(&[("argocd-infisical.io/settings", "true")]),
        annotations: map(&[("argocd-infisical.io/allowed", "home/*")]),
        data: [("HOSTNAME".to_owned(), b"a".to_vec())].into(),
    };
    let state = State {
        applications: [(application.name(), Box::new(application))].into(),
        objects: [
            object(
                ObjectKind::Secret,
                "argocd-infisical",
                "revisions",
                revisions,
            ),
            object(
                ObjectKind::ConfigMap,
                "argocd-infisical",
                "settings",
                settings,
            ),
        ]
        .into_iter()
        .collect(),
        digest_key: Some(DigestKey::new(&[7; 32]).unwrap()),
        ..State::default()
    };
    let now = "2026-01-01T12:00:00Z".parse().unwrap();
    let plan = decide(&state, &Policy::default(), now);
    let decision = plan.decisions.into_iter().next().unwrap();
    let patch = decision
        .patch
        .unwrap_or_else(|| panic!("{:?}", decision.revision));
    let answer = controller.would_patch(name, &json!(patch.operations));
    let after =
        answer.unwrap_or_else(|refusal| panic!("{}: {:?}", refusal.message, patch.operations));
    (patch.purpose, after)
}

/// The policy leaves what decisions write, and these are all that they can write.
#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn what_is_decided_is_let_through() {
    let Some(installation) = installation() else {
        return;
    };
    let controller = installation.controller();
    let plugin = json!({
        "name": "argocd-infisical",
        "parameters": [{"name": "settings", "array": ["argocd-infisical/settings"]}],
    });
    let source = |revision: &str| json!({"repoURL": REPOSITORY, "path": "a", "targetRevision": revision, "plugin": plugin});
    let automated = json!({"automated": {}});
    // A retry of the revision before, which ends with the change.
    let one = json!({"source": source("main"), "syncPolicy": automated});
    let status = json!({"operationState": {
        "phase": "Running", "startedAt": "2026-01-01T00:00:00Z", "finishedAt": "2026-01-01T00:01:00Z",
        "operation": {"initiatedBy": {"automated": true}, "sync": {"source": source("main")}},
    }});
    application(installation, "decided", &one, &status);
    for revision in [
        "feature/login",
        "refs/tags/v1.2.3",
        "0123456789abcdef0123456789abcdef01234567",
    ] {
        let key = [("ARGOCD_TARGET_REVISION", revision)];
        let (purpose, after) = decided(&controller, "decided", &key);
        assert_eq!(purpose, Purpose::Revision);
        let source = &after["spec"]["source"];
        assert_eq!(source["targetRevision"], revision);
        assert_eq!(source["plugin"]["env"][0]["name"], "SETTINGS_DIGEST");
        assert_eq!(after["status"]["operationState"]["phase"], "Terminating");
        assert!(after["metadata"]["annotations"]["argocd-infisical.io/state"].is_string());
    }
    // Several sources, and a digest among other variables.
    let mut with_env = source("dev");
    with_env["plugin"]["env"] = json!([{"name": "ONE", "value": "1"}]);
    let sources = json!([with_env, {"repoURL": REPOSITORY, "ref": "values"}]);
    let several = json!({"sources": sources, "syncPolicy": automated});
    application(installation, "decided-several", &several, &json!({}));
    let (_, after) = decided(&controller, "decided-several", &[]);
    assert_eq!(after["spec"]["sources"][1]["targetRevision"], "dev");
    assert_eq!(
        after["spec"]["sources"][0]["plugin"]["env"][1]["name"],
        "SETTINGS_DIGEST"
    );
    // A render that is paused although its digest is there.
    let paused = json!({"source": source("dev"), "syncPolicy": automated});
    application(installation, "decided-paused", &paused, &json!({}));
    let (_, after) = decided(&controller, "decided-paused", &[]);
    let mut there = source("dev");
    there["plugin"]["env"] = after["spec"]["source"]["plugin"]["env"].clone();
    let paused = json!({"source": there, "syncPolicy": automated});
    let message = "Manifest generation error (cached): it failed";
    let status = json!({"conditions": [{"type": "ComparisonError", "message": message}]});
    application(installation, "decided-paused", &paused, &status);
    let (purpose, after) = decided(&controller, "decided-paused", &[]);
    let annotations = &after["metadata"]["annotations"];
    assert_eq!(
        (purpose, &annotations["argocd.argoproj.io/refresh"]),
        (Purpose::Refresh, &json!("hard"))
    );
}

/// Comparing has a price for the API server, and a limit.
#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn a_large_application_is_not_too_much_for_the_policy() {
    let Some(installation) = installation() else {
        return;
    };
    let controller = installation.controller();
    let range = |count: usize| 0..count;
    let sources: Vec<Value> = range(100)
        .map(|at| {
            let env: Vec<Value> = range(20).map(|at| json!({"name": format!("V{at}"), "value": "x".repeat(100)})).collect();
            let parameters: Vec<String> = range(50).map(|at| format!("home/settings-{at}")).collect();
            json!({
                "repoURL": REPOSITORY, "path": format!("overlays/{at}"), "targetRevision": "dev",
                "plugin": {"name": "argocd-infisical", "env": env, "parameters": [{"name": "settings", "array": parameters}]},
            })
        })
        .collect();
    let resources: Vec<Value> = range(3000)
        .map(|at| json!({"kind": "ConfigMap", "version": "v1", "namespace": "home", "name": format!("settings-{at}"), "status": "Synced", "health": {"status": "Healthy"}}))
        .collect();
    let (spec, status) = (json!({"sources": sources}), json!({"resources": resources}));
    application(installation, "large", &spec, &status);
    let revision = replace("/spec/sources/99/targetRevision", "main");
    all_pass(&controller, "large", &[vec![revision]]);
    let last = replace("/spec/sources/99/path", "overlays/prod");
    none_pass(&controller, "large", "nothing of a source", &[last]);
    let last = replace("/status/resources/2999/name", "other");
    none_pass(&controller, "large", "nothing of `status`", &[last]);
}
