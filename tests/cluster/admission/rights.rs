//! Which requests the Roles let through.

use std::sync::Mutex;

use serde_json::json;

use super::{REPOSITORY, application, with_plugin};
use crate::controller::process::{Controller, Start};
use crate::installation::{Installation, installation, wait_until};
use crate::watchdog::Watchdog;

const ARGO: &str = "/apis/argoproj.io/v1alpha1/namespaces/argocd";
const OWN: &str = "/api/v1/namespaces/argocd-infisical";
const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/argocd-infisical/leases";
const EVENTS: &str = "/apis/events.k8s.io/v1/namespaces/argocd/events";
const JSON: &str = "application/json";
const MERGE: &str = "application/merge-patch+json";

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn the_roles_allow_what_the_controller_asks_for() {
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
    let lease = |name: &str| json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": name}});
    let event = json!({
        "apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": {"name": "a"},
        "eventTime": "2026-01-01T00:00:00.000000Z", "action": "Steer", "reason": "Test", "type": "Normal",
        "reportingController": "argocd-infisical", "reportingInstance": "a",
        "regarding": {"kind": "Application", "name": "roles", "namespace": "argocd"},
    });
    let none = json!({});
    for (method, path, body) in [
        ("GET", format!("{ARGO}/applications/roles"), &none),
        ("GET", format!("{ARGO}/applications"), &none),
        ("GET", format!("{ARGO}/appprojects"), &none),
        (
            "GET",
            "/api/v1/namespaces/argocd/configmaps/argocd-cm".into(),
            &none,
        ),
        ("GET", format!("{OWN}/secrets"), &none),
        ("GET", format!("{OWN}/secrets/a"), &none),
        ("GET", format!("{OWN}/configmaps"), &none),
        ("POST", LEASES.into(), &lease("argocd-infisical")),
        ("GET", format!("{LEASES}/argocd-infisical"), &none),
        ("POST", EVENTS.into(), &event),
    ] {
        let answer = controller.send(method, &path, JSON, body);
        assert!(answer.is_ok(), "{method} {path}: {answer:?}");
    }
    let path = format!("{LEASES}/argocd-infisical");
    let held = controller.send("GET", &path, JSON, &none).unwrap();
    assert!(controller.send("PUT", &path, JSON, &held).is_ok());
    // There is none of this name, and it may be asked for.
    let path = format!("{ARGO}/applicationsets/a");
    let answer = controller.send("GET", &path, JSON, &none);
    assert_eq!(answer.unwrap_err().code, 404);
}

/// Requests that nobody has a reason for.
fn unasked() -> Vec<(&'static str, String)> {
    let admissions = "/apis/admissionregistration.k8s.io/v1";
    let roles = "/apis/rbac.authorization.k8s.io/v1";
    let policy = "validatingadmissionpolicies/argocd-infisical-controller";
    let binding = "validatingadmissionpolicybindings/argocd-infisical-controller";
    vec![
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
        ("GET", format!("{ARGO}/applicationsets")),
        ("POST", format!("{ARGO}/applications")),
        ("PUT", format!("{ARGO}/applications/no-more")),
        ("DELETE", format!("{ARGO}/applications/no-more")),
        ("DELETE", format!("{ARGO}/applications")),
        ("PATCH", format!("{ARGO}/appprojects/default")),
        ("PATCH", format!("{ARGO}/applicationsets/a")),
        (
            "PATCH",
            "/api/v1/namespaces/argocd/configmaps/argocd-cm".into(),
        ),
        ("POST", format!("{OWN}/secrets")),
        ("PATCH", format!("{OWN}/secrets/a")),
        (
            "PATCH",
            format!("{OWN}/configmaps/argocd-infisical-controls"),
        ),
        ("GET", format!("{LEASES}/other")),
        ("PUT", format!("{LEASES}/other")),
        ("PATCH", format!("{EVENTS}/a")),
        ("DELETE", format!("{LEASES}/argocd-infisical")),
        ("GET", format!("{OWN}/pods")),
        ("POST", format!("{OWN}/serviceaccounts/controller/token")),
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
    ]
}

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn the_roles_allow_no_more() {
    let Some(installation) = installation() else {
        return;
    };
    with_plugin(installation, "no-more");
    let controller = installation.controller();
    let none = json!({});
    for (method, path) in unasked() {
        let content = if method == "PATCH" { MERGE } else { JSON };
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

/// An Application on `main`, settings for it, and an override.
fn an_application_with_all(installation: &Installation) {
    let admin = installation.admin();
    let plugin = json!({
        "name": "argocd-infisical",
        "parameters": [{"name": "settings", "array": ["argocd-infisical/rights-settings"]}],
    });
    let source =
        json!({"repoURL": REPOSITORY, "path": "a", "targetRevision": "main", "plugin": plugin});
    let spec = json!({"source": source, "syncPolicy": {"automated": {}}});
    application(installation, "rights", &spec, &json!({}));
    admin.apply(&json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {
            "name": "rights-settings", "namespace": "argocd-infisical",
            "labels": {"argocd-infisical.io/settings": "true"},
            "annotations": {"argocd-infisical.io/allowed": "home/rights"},
        },
        "data": {"HOSTNAME": "a"},
    }));
    admin.apply(&json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {
            "name": "rights", "namespace": "argocd-infisical",
            "labels": {"argocd-infisical.io/environment": "dev", "argocd-infisical.io/application": "rights"},
        },
        "stringData": {"ARGOCD_TARGET_REVISION": "feature/login"},
    }));
}

/// The program itself, with nothing but what it is given: the Roles, the policy of decisions and the admission policy.
#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn the_controller_does_its_work_with_these_rights() {
    // It writes every Application that there is.
    let Some(installation) = Installation::new() else {
        return;
    };
    let admin = installation.admin();
    an_application_with_all(&installation);
    let directory = tempfile::tempdir().unwrap().keep();
    let watchdog = Mutex::new(Watchdog::new(&directory));
    let key = directory.join("key");
    std::fs::write(&key, [7; 32]).unwrap();
    let policy = concat!(env!("CARGO_MANIFEST_DIR"), "/manifests/install/policy.yaml");
    let controller = Controller::start(Start {
        name: "rights".into(),
        directory: &directory,
        watchdog: &watchdog,
        kubeconfig: installation.kubeconfig(),
        flags: vec![
            format!("--policy={policy}"),
            format!("--digest-key={}", key.display()),
        ],
        test: None,
    });
    controller.wait();
    wait_until(|| {
        let source = &admin.application("rights")["spec"]["source"];
        source["targetRevision"] == "feature/login"
            && source["plugin"]["env"][0]["name"] == "SETTINGS_DIGEST"
    });
    let events = "/apis/events.k8s.io/v1/namespaces/argocd/events";
    wait_until(|| {
        let events = admin.send("GET", events, "", &json!({})).unwrap();
        let mut events = events["items"].as_array().unwrap().iter();
        events.any(|event| {
            event["reason"] == "RevisionChanged" && event["regarding"]["name"] == "rights"
        })
    });
    // Figures are a few seconds old.
    wait_until(|| controller.metric(&["_leader"]) == Some(1.0));
    let (_, figures) = controller.get("/metrics");
    let refused = figures
        .lines()
        .find(|line| line.contains("code=\"403\"") || line.contains("result=\"refused\""));
    assert_eq!(refused, None, "{}", controller.words());
    assert_eq!(controller.stop(), Some(0));
}
