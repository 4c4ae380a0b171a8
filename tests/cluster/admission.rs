//! What whoever holds the controller's token can do: the Roles and the admission policy of `manifests/install`.

use argocd_infisical::settings::digest::DigestKey;
use argocd_infisical::settings::object::{Object, ObjectKind, ObjectName};
use argocd_infisical::steer::plan::Purpose;
use argocd_infisical::steer::{Application, Policy, State, decide};
use serde_json::{Value, json};

use crate::installation::{Caller, Installation, Refusal, installation, objects, wait_until};
use crate::workspace::Workspace;

const REPOSITORY: &str = "https://git.example.org/a.git";
/// A digest, as the controller writes them.
const DIGEST: &str =
    "v1.0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.1750000000";

/// Creates an Application that is a test's own, and waits until the policy is in force.
fn application(installation: &Installation, name: &str, spec: &Value, status: &Value) {
    let mut whole = json!({"project": "home", "destination": {"server": "https://kubernetes.default.svc", "namespace": "home"}});
    for (key, value) in spec.as_object().unwrap() {
        whole[key] = value.clone();
    }
    installation.admin().apply(&json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {
            "name": name,
            "namespace": "argocd",
            "labels": {"argocd-infisical.io/environment": "dev"},
            "annotations": {"team": "a", "argocd-infisical.io/hold": "false"},
            "finalizers": ["resources-finalizer.argocd.argoproj.io/background"],
        },
        "spec": whole,
        "status": status,
    }));
    let controller = installation.controller();
    let other_project = json!([replace("/spec/project", "default")]);
    wait_until(|| is_refused(controller.would_patch(name, &other_project)));
}

/// With one source that a plugin renders, and an operation that runs.
fn with_plugin(installation: &Installation, name: &str) {
    let source = json!({
        "repoURL": REPOSITORY, "path": "overlays/dev", "targetRevision": "dev",
        "plugin": {
            "name": "argocd-infisical",
            "env": [{"name": "ONE", "value": "1"}],
            "parameters": [{"name": "settings", "array": ["home/settings"]}],
        },
    });
    let spec = json!({"source": source, "syncPolicy": {"automated": {"prune": true}}});
    let status = json!({
        "sync": {"status": "Synced", "revision": "0123"},
        "operationState": {"phase": "Running", "startedAt": "2026-01-01T00:00:00Z", "operation": {"sync": {"revision": "0123"}}},
    });
    application(installation, name, &spec, &status);
}

/// With several sources: two of one repository, and a chart.
fn with_sources(installation: &Installation, name: &str) {
    let sources = json!([
        {"repoURL": REPOSITORY, "path": "a", "targetRevision": "dev"},
        {"repoURL": REPOSITORY, "ref": "values"},
        {"repoURL": "https://charts.example.org", "chart": "web", "targetRevision": "1.0.0"},
        {"repoURL": "OCI://registry.example.org/web", "path": ".", "targetRevision": "1.0.0"},
    ]);
    application(installation, name, &json!({"sources": sources}), &json!({}));
}

fn replace(path: &str, value: impl Into<Value>) -> Value {
    json!({"op": "replace", "path": path, "value": value.into()})
}

fn add(path: &str, value: impl Into<Value>) -> Value {
    json!({"op": "add", "path": path, "value": value.into()})
}

fn remove(path: &str) -> Value {
    json!({"op": "remove", "path": path})
}

/// Whether it is the policy that refuses.
fn is_refused<T>(answer: Result<T, Refusal>) -> bool {
    answer.is_err_and(|refusal| {
        let Refusal { code, message } = refusal;
        code == 422 && message.contains("ValidatingAdmissionPolicy 'argocd-infisical-controller'")
    })
}

#[track_caller]
fn all_pass(controller: &Caller, name: &str, patches: &[Vec<Value>]) {
    for patch in patches {
        let answer = controller.would_patch(name, &json!(patch));
        assert!(answer.is_ok(), "{patch:?}: {answer:?}");
    }
}

/// Each is refused with words of one of the validations.
#[track_caller]
fn none_pass(controller: &Caller, name: &str, words: &str, patches: &[Value]) {
    for patch in patches {
        let answer = controller.would_patch(name, &json!([patch]));
        let message = answer.as_ref().err().map(|refusal| refusal.message.clone());
        assert!(is_refused(answer), "{patch}: {message:?}");
        assert!(message.unwrap().contains(words), "{patch}");
    }
}

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
    let path = "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/writes";
    let there = json!([add("/spec/source/plugin/env/-", digest)]);
    let patched = admin.send("PATCH", path, "application/json-patch+json", &there);
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
        applications: [(application.name(), application)].into(),
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
        .into(),
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

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn a_stolen_token_deploys_nothing_else_and_nowhere_else() {
    let Some(installation) = installation() else {
        return;
    };
    let controller = installation.controller();
    with_plugin(installation, "stolen");
    let none = |words: &str, patches: &[Value]| none_pass(&controller, "stolen", words, patches);
    let hydrator = json!({
        "drySource": {"repoURL": REPOSITORY, "path": "a", "targetRevision": "dev"},
        "syncSource": {"path": "a", "targetBranch": "dev"},
    });
    let ignored = json!([{"kind": "Secret", "jsonPointers": ["/data"]}]);
    none(
        "nothing of `spec`",
        &[
            replace("/spec/project", "default"),
            replace("/spec/destination/server", "https://other.example.org"),
            replace("/spec/destination/namespace", "kube-system"),
            replace("/spec/destination", json!({"name": "other"})),
            replace("/spec/syncPolicy/automated/prune", false),
            add("/spec/syncPolicy/automated/selfHeal", true),
            remove("/spec/syncPolicy"),
            add("/spec/ignoreDifferences", ignored),
            add("/spec/info", json!([{"name": "a", "value": "b"}])),
            add("/spec/revisionHistoryLimit", 0),
            add("/spec/sourceHydrator", hydrator),
        ],
    );
    let parameters = "/spec/source/plugin/parameters";
    none(
        "nothing of a source",
        &[
            replace(
                "/spec/source/repoURL",
                "https://elsewhere.example.org/a.git",
            ),
            replace("/spec/source/path", "overlays/prod"),
            remove("/spec/source/path"),
            remove("/spec/source/targetRevision"),
            add("/spec/source/chart", "web"),
            add("/spec/source/ref", "a"),
            add("/spec/source/kustomize", json!({"namePrefix": "a-"})),
            add("/spec/source/directory", json!({"recurse": true})),
            replace("/spec/source/plugin/name", "another"),
            remove("/spec/source/plugin/name"),
            remove("/spec/source/plugin"),
            remove(parameters),
            replace(&format!("{parameters}/0/array/0"), "secret:home/other"),
            add(
                &format!("{parameters}/-"),
                json!({"name": "images", "array": ["a:1"]}),
            ),
        ],
    );
    let entry = |name: &str, value: &str| json!({"name": name, "value": value});
    none(
        "no variable of a plugin",
        &[
            replace("/spec/source/plugin/env/0/value", "2"),
            replace("/spec/source/plugin/env/0/name", "SETTINGS_DIGEST"),
            add("/spec/source/plugin/env/-", entry("TWO", DIGEST)),
            add("/spec/source/plugin/env/-", entry("SETTINGS_DIGEST", "")),
            add(
                "/spec/source/plugin/env/-",
                entry("SETTINGS_DIGEST", "$(id)"),
            ),
            add(
                "/spec/source/plugin/env/-",
                entry("SETTINGS_DIGEST", &format!("{DIGEST}\n")),
            ),
            remove("/spec/source/plugin/env"),
        ],
    );
    let revisions = [
        "refs/pull/1/head",
        "refs/notes/a",
        "pull/1/head",
        "merge-requests/1/head",
        "refs/heads/",
        "",
        "-x",
        "1.*",
        "^1",
        "~1.2",
        "a b",
        "a\nb",
    ];
    for revision in revisions {
        let patch = replace("/spec/source/targetRevision", revision);
        none("to a branch, a tag or a commit", &[patch]);
    }
}

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn a_stolen_token_says_nothing_for_argo_cd_or_for_people() {
    let Some(installation) = installation() else {
        return;
    };
    let controller = installation.controller();
    with_plugin(installation, "says");
    let none = |words: &str, patches: &[Value]| none_pass(&controller, "says", words, patches);
    let owner = json!([{"apiVersion": "v1", "kind": "ConfigMap", "name": "a", "uid": "a"}]);
    none(
        "no labels, finalizers or owners",
        &[
            add("/metadata/labels/a", "b"),
            replace("/metadata/labels/argocd-infisical.io~1environment", "prod"),
            remove("/metadata/labels"),
            remove("/metadata/finalizers"),
            add("/metadata/finalizers/-", "example.org/a"),
            add("/metadata/ownerReferences", owner),
        ],
    );
    none(
        "no annotations but its own",
        &[
            add("/metadata/annotations/a", "b"),
            replace("/metadata/annotations/team", "b"),
            remove("/metadata/annotations/team"),
            remove("/metadata/annotations"),
            replace("/metadata/annotations/argocd-infisical.io~1hold", "true"),
            remove("/metadata/annotations/argocd-infisical.io~1hold"),
            add(
                "/metadata/annotations/argocd-infisical.io~1sources",
                REPOSITORY,
            ),
            add(
                "/metadata/annotations/argocd.argoproj.io~1skip-reconcile",
                "true",
            ),
        ],
    );
    let operation = json!({"sync": {"revision": "0123", "source": {"repoURL": "https://elsewhere.example.org/a.git"}}});
    none(
        "no operation",
        &[add("/operation", operation), remove("/status")],
    );
    none(
        "nothing of `status`",
        &[
            replace("/status/sync/status", "OutOfSync"),
            add("/status/health", json!({"status": "Healthy"})),
            remove("/status/operationState"),
            replace("/status/operationState/startedAt", "2026-01-02T00:00:00Z"),
            replace("/status/operationState/operation/sync/revision", "4567"),
            add("/status/operationState/message", "a"),
        ],
    );
    let phase = |phase: &str| replace("/status/operationState/phase", phase);
    none(
        "does nothing else to its phase",
        &["Succeeded", "Failed", "Error", ""].map(phase),
    );
    // Whatever the kind of patch.
    let object = json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "says"},
        "spec": {"project": "default", "destination": {"server": "https://kubernetes.default.svc"}},
    });
    for kind in [
        "application/merge-patch+json",
        "application/apply-patch+yaml",
    ] {
        assert!(
            is_refused(controller.would_change("says", kind, &object)),
            "{kind}"
        );
    }
}

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn sources_stay_in_number_and_order() {
    let Some(installation) = installation() else {
        return;
    };
    let controller = installation.controller();
    with_sources(installation, "sources");
    let none = |words: &str, patches: &[Value]| none_pass(&controller, "sources", words, patches);
    let source = json!({"repoURL": "https://elsewhere.example.org/a.git"});
    none(
        "adds no source",
        &[
            add("/spec/sources/-", source.clone()),
            remove("/spec/sources/1"),
            replace("/spec/sources", json!([])),
            add("/spec/source", source),
        ],
    );
    none(
        "nothing of a source",
        &[
            replace(
                "/spec/sources/0/repoURL",
                "https://elsewhere.example.org/a.git",
            ),
            replace("/spec/sources/1/ref", "other"),
            replace("/spec/sources/2/chart", "other"),
            add("/spec/sources/1/path", "a"),
            json!({"op": "move", "from": "/spec/sources/1", "path": "/spec/sources/0"}),
        ],
    );
    none(
        "of Git repositories alone",
        &[
            replace("/spec/sources/2/targetRevision", "2.0.0"),
            replace("/spec/sources/3/targetRevision", "2.0.0"),
        ],
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

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn the_roles_allow_this_and_no_more() {
    let Some(installation) = installation() else {
        return;
    };
    with_plugin(installation, "roles");
    let admin = installation.admin();
    for name in ["argocd-cm", "argocd-rbac-cm"] {
        let metadata = json!({"name": name, "namespace": "argocd"});
        admin.apply(&json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}));
    }
    for namespace in ["argocd", "home", "argocd-infisical"] {
        let metadata = json!({"name": "a", "namespace": namespace});
        admin.apply(&json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata}));
    }
    let controller = installation.controller();
    let argo = "/apis/argoproj.io/v1alpha1/namespaces/argocd";
    let own = "/api/v1/namespaces/argocd-infisical";
    let leases = "/apis/coordination.k8s.io/v1/namespaces/argocd-infisical/leases";
    let lease = |name: &str| json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": name}});
    let event = json!({
        "apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": {"name": "a"},
        "eventTime": "2026-01-01T00:00:00.000000Z", "action": "Steer", "reason": "Test", "type": "Normal",
        "reportingController": "argocd-infisical", "reportingInstance": "a",
        "regarding": {"kind": "Application", "name": "roles", "namespace": "argocd"},
    });
    let none = json!({});
    let json = "application/json";
    let events = "/apis/events.k8s.io/v1/namespaces/argocd/events";
    for (method, path, body) in [
        ("GET", format!("{argo}/applications/roles"), &none),
        ("GET", format!("{argo}/applications"), &none),
        ("GET", format!("{argo}/appprojects"), &none),
        (
            "GET",
            "/api/v1/namespaces/argocd/configmaps/argocd-cm".into(),
            &none,
        ),
        ("GET", format!("{own}/secrets"), &none),
        ("GET", format!("{own}/secrets/a"), &none),
        ("GET", format!("{own}/configmaps"), &none),
        ("POST", leases.into(), &lease("argocd-infisical")),
        ("GET", format!("{leases}/argocd-infisical"), &none),
        ("POST", events.into(), &event),
    ] {
        let answer = controller.send(method, &path, json, body);
        assert!(answer.is_ok(), "{method} {path}: {answer:?}");
    }
    let path = format!("{leases}/argocd-infisical");
    let held = controller.send("GET", &path, json, &none).unwrap();
    assert!(controller.send("PUT", &path, json, &held).is_ok());
    let merge = "application/merge-patch+json";
    // There is none of this name, and it may be asked for.
    let path = format!("{argo}/applicationsets/a");
    let answer = controller.send("GET", &path, json, &none);
    assert_eq!(answer.unwrap_err().code, 404);

    let admissions = "/apis/admissionregistration.k8s.io/v1";
    let roles = "/apis/rbac.authorization.k8s.io/v1";
    let policy = "validatingadmissionpolicies/argocd-infisical-controller";
    let binding = "validatingadmissionpolicybindings/argocd-infisical-controller";
    for (method, path) in [
        ("GET", "/api/v1/namespaces/argocd/secrets".to_owned()),
        ("GET", "/api/v1/namespaces/argocd/secrets/a".into()),
        ("GET", "/api/v1/namespaces/argocd/configmaps".into()),
        (
            "GET",
            "/api/v1/namespaces/argocd/configmaps/argocd-rbac-cm".into(),
        ),
        ("GET", "/api/v1/namespaces/home/secrets/a".into()),
        ("GET", "/api/v1/namespaces/home/secrets".into()),
        ("GET", "/api/v1/secrets".into()),
        ("GET", "/apis/argoproj.io/v1alpha1/applications".into()),
        ("GET", format!("{argo}/applicationsets")),
        ("POST", format!("{argo}/applications")),
        ("PUT", format!("{argo}/applications/roles")),
        ("DELETE", format!("{argo}/applications/roles")),
        ("DELETE", format!("{argo}/applications")),
        ("PATCH", format!("{argo}/appprojects/default")),
        ("PATCH", format!("{argo}/applicationsets/a")),
        (
            "PATCH",
            "/api/v1/namespaces/argocd/configmaps/argocd-cm".into(),
        ),
        ("POST", format!("{own}/secrets")),
        ("PATCH", format!("{own}/secrets/a")),
        (
            "PATCH",
            format!("{own}/configmaps/argocd-infisical-controls"),
        ),
        ("GET", format!("{leases}/other")),
        ("PUT", format!("{leases}/other")),
        ("PATCH", format!("{events}/a")),
        ("DELETE", format!("{leases}/argocd-infisical")),
        ("GET", format!("{own}/pods")),
        ("POST", format!("{own}/serviceaccounts/controller/token")),
        (
            "PATCH",
            "/apis/apps/v1/namespaces/argocd-infisical/deployments/controller".into(),
        ),
        ("DELETE", format!("{admissions}/{policy}")),
        ("PATCH", format!("{admissions}/{policy}")),
        ("DELETE", format!("{admissions}/{binding}")),
        (
            "PATCH",
            format!("{roles}/namespaces/argocd/roles/argocd-infisical-controller"),
        ),
        ("POST", format!("{roles}/clusterrolebindings")),
    ] {
        let content = if method == "PATCH" { merge } else { json };
        let answer = controller.send(method, &path, content, &none);
        let refusal = answer.expect_err(&path);
        assert_eq!(refusal.code, 403, "{method} {path}: {}", refusal.message);
        assert!(refusal.message.contains("cannot"), "{}", refusal.message);
    }
    // One that is applied and not there would be created.
    let object = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "new"},
        "spec": {"project": "default", "destination": {}},
    });
    let answer = controller.would_change("new", "application/apply-patch+yaml", &object);
    assert_eq!(answer.unwrap_err().code, 403);
}

/// Whatever other Role somebody may give it.
#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn the_policy_holds_with_wider_rights_too() {
    let Some(installation) = installation() else {
        return;
    };
    with_plugin(installation, "wider");
    let admin = installation.admin();
    let metadata = json!({"name": "wider", "namespace": "team"});
    let api = "rbac.authorization.k8s.io";
    admin.apply(&json!({
        "apiVersion": format!("{api}/v1"), "kind": "Role", "metadata": metadata,
        "rules": [{"apiGroups": ["argoproj.io"], "resources": ["applications"], "verbs": ["*"]}],
    }));
    admin.apply(&json!({
        "apiVersion": format!("{api}/v1"), "kind": "RoleBinding", "metadata": metadata,
        "roleRef": {"apiGroup": api, "kind": "Role", "name": "wider"},
        "subjects": [{"kind": "ServiceAccount", "name": "controller", "namespace": "argocd-infisical"}],
    }));
    let application = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": metadata,
        "spec": {"project": "home", "destination": {}, "source": {"repoURL": REPOSITORY, "targetRevision": "dev"}},
    });
    admin.apply(&application);
    let controller = installation.controller();
    let all = "/apis/argoproj.io/v1alpha1/namespaces/team/applications";
    let one = format!("{all}/wider");
    wait_until(|| controller.send("GET", &one, "", &json!({})).is_ok());
    let mut other = application.clone();
    other["metadata"]["name"] = json!("other");
    let mut changed = controller.send("GET", &one, "", &json!({})).unwrap();
    changed["spec"]["project"] = json!("default");
    let mut moved = controller.send("GET", &one, "", &json!({})).unwrap();
    moved["spec"]["source"]["targetRevision"] = json!("main");
    let json = "application/json";
    let none = json!({});
    assert!(is_refused(controller.send("POST", all, json, &other)));
    assert!(is_refused(controller.send("DELETE", &one, json, &none)));
    assert!(is_refused(controller.send("DELETE", all, json, &none)));
    assert!(is_refused(controller.send("PUT", &one, json, &changed)));
    let answer = controller.send("PUT", &one, json, &moved);
    assert!(answer.is_ok(), "{answer:?}");
}

/// A type of somebody else, as far as our manifests use it: what is written is looked at by its schema alone.
fn definition(group: &str, version: &str, kind: &str, spec: &Value) -> Value {
    let singular = kind.to_lowercase();
    let plural = format!("{singular}s");
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.{group}")},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"kind": kind, "plural": plural, "singular": singular},
            "versions": [{
                "name": version, "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}},
            }],
        },
    })
}

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn every_manifest_is_one_that_the_server_takes() {
    let Some(installation) = installation() else {
        return;
    };
    let admin = installation.admin();
    let any = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    for kind in [
        "InfisicalConnection",
        "InfisicalAuth",
        "InfisicalStaticSecret",
    ] {
        admin.apply(&definition("secrets.infisical.com", "v1beta1", kind, &any));
    }
    for kind in ["ServiceMonitor", "PrometheusRule"] {
        admin.apply(&definition("monitoring.coreos.com", "v1", kind, &any));
    }
    let workspace = Workspace::of_manifests();
    let component = |name: &str| format!("components: [../manifests/components/{name}]\n");
    let team = |name: &str| {
        let text = component(&format!("controller-namespace/{name}"));
        format!("namespace: team\n{text}")
    };
    workspace.write("objects/kustomization.yaml", team("objects"));
    workspace.write("applications/kustomization.yaml", team("applications"));
    let all = component("controller-all-namespaces");
    workspace.write("all/kustomization.yaml", all);
    let monitoring = component("controller-monitoring");
    workspace.write("monitoring/kustomization.yaml", monitoring);
    for (directory, count) in [
        ("manifests/install", 12),
        ("manifests/examples/settings-access", 2),
        ("manifests/examples/infisical", 3),
        ("objects", 2),
        ("applications", 2),
        ("all", 4),
        ("monitoring", 4),
    ] {
        let built = objects(&workspace.prints(&["build", directory]));
        assert_eq!(built.len(), count, "{directory}");
        for object in built {
            admin.would_apply(&object);
        }
    }
}
