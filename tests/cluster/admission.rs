//! What whoever holds the controller's token can do: the Roles and the admission policy of `manifests/install`.

mod allowed;
mod rights;
mod stolen;
pub(crate) mod taken;

use serde_json::{Value, json};

use crate::installation::{Caller, Installation, Refusal, wait_until};

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
