//! `doctor` of an installation as it is shipped, of one with faults in it, and of one that may not be looked at.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::infisical;
use crate::installation::{Caller, Installation, objects};
use crate::kubeconfig::User;
use crate::tools;
use crate::workspace::{Run, Workspace, run_in};

/// What no finding may show.
const VALUE: &str = "hunter2";

/// What a run of it says.
struct Report {
    code: i32,
    json: Value,
    text: String,
}

impl Report {
    fn of(kubeconfig: &Path) -> Self {
        let run = |output: &str| {
            let kubeconfig = kubeconfig.to_str().unwrap();
            run_in(
                Path::new("."),
                &["doctor", "--kubeconfig", kubeconfig, "-o", output],
            )
        };
        let Run {
            code,
            stdout,
            stderr,
        } = run("json");
        assert_eq!(stderr, "");
        let Run {
            code: again,
            stdout: text,
            ..
        } = run("text");
        assert_eq!(code, again);
        assert!(!stdout.contains(VALUE) && !text.contains(VALUE), "{text}");
        Self {
            code,
            json: serde_json::from_str(&stdout).unwrap(),
            text,
        }
    }

    fn codes(&self, severity: &str) -> BTreeSet<&str> {
        let findings = self.json["findings"].as_array().unwrap().iter();
        let findings = findings.filter(|finding| finding["severity"] == severity);
        findings
            .map(|finding| finding["code"].as_str().unwrap())
            .collect()
    }
}

/// A directory `argocd` with Argo CD's repo-server and configuration as they come, and the sidecar.
pub(crate) fn argo_cd(workspace: &Workspace) {
    let argo_cd = tools::argo_cd_manifests("argocd").unwrap();
    for file in [
        "repo-server/argocd-repo-server-deployment.yaml",
        "repo-server/argocd-repo-server-sa.yaml",
        "config/argocd-cmd-params-cm.yaml",
        "config/argocd-cm.yaml",
    ] {
        let name = file.rsplit('/').next().unwrap();
        let text = fs::read_to_string(argo_cd.join("base").join(file)).unwrap();
        workspace.write(&format!("argocd/{name}"), text);
    }
    let kustomization = "namespace: argocd
resources: [argocd-repo-server-deployment.yaml, argocd-repo-server-sa.yaml, argocd-cmd-params-cm.yaml, argocd-cm.yaml]
components: [../manifests/components/sidecar, ../manifests/components/sidecar-metrics]
images:
  - {name: argocd-infisical, newName: registry.example.org/argocd-infisical}
  - {name: quay.io/argoproj/argocd, newTag: VERSION}
";
    let kustomization = kustomization.replace("VERSION", tools::version("argocd").unwrap());
    workspace.write("argocd/kustomization.yaml", kustomization);
}

/// Argo CD's repo-server with the sidecar, the controller's policy and what the settings need, by the manifests.
fn manifests(admin: &Caller) {
    let workspace = Workspace::of_manifests();
    argo_cd(&workspace);
    let policy = workspace.path().join("manifests/install/policy.yaml");
    let policy = fs::read_to_string(policy).unwrap();
    workspace.write(
        "controller/policy.yaml",
        policy.replace("objectNamespaces: []", "objectNamespaces: [home]"),
    );
    workspace.write(
        "controller/kustomization.yaml",
        "resources: [../manifests/install]
configMapGenerator:
  - {name: controller-policy, namespace: argocd-infisical, behavior: replace, files: [policy.yaml]}
images:
  - {name: argocd-infisical, newName: registry.example.org/argocd-infisical}
",
    );
    workspace.write(
        "home/kustomization.yaml",
        "namespace: home
resources: [../manifests/examples/settings-access, ../manifests/examples/infisical]
components: [../manifests/components/controller-namespace/objects]
",
    );
    for directory in ["argocd", "controller", "home"] {
        for object in objects(&workspace.prints(&["build", directory])) {
            admin.apply(&object);
        }
    }
}

/// What is in the cluster besides.
fn contents(admin: &Caller) {
    let key = STANDARD.encode([7; 32]);
    for namespace in ["argocd", "argocd-infisical"] {
        admin.apply(&json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": "argocd-infisical-digest", "namespace": namespace}, "data": {"key": key},
        }));
    }
    let now = Timestamp::now()
        .strftime("%Y-%m-%dT%H:%M:%S.000000Z")
        .to_string();
    admin.apply(&json!({
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
        "metadata": {"name": "argocd-infisical", "namespace": "argocd-infisical"},
        "spec": {"holderIdentity": "one", "leaseDurationSeconds": 600, "renewTime": now},
    }));
    admin.apply(&json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {
            "name": "homeassistant-settings", "namespace": "home",
            "labels": {"argocd-infisical.io/settings": "true"},
            "annotations": {
                "argocd-infisical.io/allowed": "home/homeassistant", "argocd-infisical.io/keys": "HOSTNAME, REPLICAS",
            },
        },
        "stringData": {"HOSTNAME": VALUE, "REPLICAS": VALUE},
    }));
    admin.apply(&json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {
            "name": "revisions", "namespace": "argocd-infisical", "labels": {"argocd-infisical.io/environment": "dev"},
        },
        "stringData": {"ARGOCD_TARGET_REVISION": "feature/login"},
    }));
}

/// An Application with settings, its project, and what the operator says of them.
fn application(admin: &Caller) {
    admin.apply(&json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject", "metadata": {"name": "home", "namespace": "argocd"}, "spec": {},
    }));
    admin.apply(&json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
        "metadata": {
            "name": "homeassistant", "namespace": "argocd", "labels": {"argocd-infisical.io/environment": "dev"},
        },
        "spec": {
            "project": "home",
            "destination": {"server": "https://kubernetes.default.svc", "namespace": "home"},
            "source": {
                "repoURL": "https://git.example.org/home.git", "path": "overlays/dev", "targetRevision": "dev",
                "plugin": {
                    "name": "argocd-infisical",
                    "parameters": [{"name": "settings", "array": ["secret:home/homeassistant-settings"]}],
                },
            },
            "syncPolicy": {"automated": {"prune": true}},
        },
    }));
    let condition = json!({"type": "secrets.infisical.com/LastReconcileStatus", "status": "True"});
    let status = json!({"status": {"conditions": [condition]}});
    merge(
        admin,
        "/apis/secrets.infisical.com/v1beta1/namespaces/home/infisicalstaticsecrets/homeassistant-settings",
        &status,
    );
}

/// Changes an object.
#[track_caller]
fn patched(admin: &Caller, kind: &str, path: &str, change: &Value) {
    let content = format!("application/{kind}-patch+json");
    let patched = admin.send("PATCH", path, &content, change);
    patched.unwrap_or_else(|refusal| panic!("{path}: {}", refusal.message));
}

#[track_caller]
fn merge(admin: &Caller, path: &str, change: &Value) {
    patched(admin, "merge", path, change);
}

/// Faults of settings, revisions and Applications, and the codes by which they have to be found.
fn plant_in_contents(admin: &Caller) -> Vec<&'static str> {
    let core = "/api/v1/namespaces";
    let annotations = json!({"argocd-infisical.io/allowed": "lab/other"});
    merge(
        admin,
        &format!("{core}/home/secrets/homeassistant-settings"),
        &json!({"metadata": {"annotations": annotations}}),
    );
    merge(
        admin,
        &format!("{core}/argocd-infisical/secrets/revisions"),
        &json!({"metadata": {"labels": null}}),
    );
    merge(
        admin,
        "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/homeassistant",
        &json!({
            "metadata": {"labels": {"argocd-infisical.io/environment": "qa"}},
            "spec": {
                "syncPolicy": {"automated": null, "retry": {"limit": -1}},
                "source": {"kustomize": {"namePrefix": "x-"}},
            },
        }),
    );
    let infisical = "/apis/secrets.infisical.com/v1beta1/namespaces/home";
    let kind = "secrets.infisical.com/LastReconcileStatus";
    merge(
        admin,
        &format!("{infisical}/infisicalstaticsecrets/homeassistant-settings"),
        &json!({
            "spec": {"syncOptions": {"refreshInterval": "1m30s"}},
            "status": {"conditions": [{"type": kind, "status": "False", "message": VALUE}]},
        }),
    );
    merge(
        admin,
        &format!("{infisical}/infisicalconnections/infisical"),
        &json!({"spec": {"address": "https://app.infisical.com/api"}}),
    );
    vec![
        "automation-off",
        "connection-address",
        "environment-unknown",
        "not-synced",
        "override-unlabelled",
        "plugin-and-tool",
        "refresh-interval-invalid",
        "retry-limit",
        "settings-not-allowed",
    ]
}

/// Faults of the controller and of who may do what.
fn plant_in_controller(admin: &Caller) -> Vec<&'static str> {
    let name = json!({"name": "argocd-infisical-controls", "namespace": "argocd-infisical"});
    admin.apply(&json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": name, "data": {"pause": "true"},
    }));
    merge(
        admin,
        "/apis/coordination.k8s.io/v1/namespaces/argocd-infisical/leases/argocd-infisical",
        &json!({"spec": {"renewTime": "2020-01-01T00:00:00.000000Z"}}),
    );
    let image = json!({"name": "controller", "image": "argocd-infisical:0.0.9"});
    patched(
        admin,
        "strategic-merge",
        "/apis/apps/v1/namespaces/argocd-infisical/deployments/controller",
        &json!({"spec": {"template": {"spec": {"containers": [image]}}}}),
    );
    let roles = "/apis/rbac.authorization.k8s.io/v1/namespaces";
    let rule = json!({"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "list"]});
    merge(
        admin,
        &format!("{roles}/home/roles/argocd-infisical-settings"),
        &json!({"rules": [rule]}),
    );
    merge(
        admin,
        &format!("{roles}/argocd-infisical/roles/controller"),
        &json!({"rules": []}),
    );
    let bindings = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings";
    let binding = format!("{bindings}/argocd-infisical-controller");
    admin.send("DELETE", &binding, "", &json!({})).unwrap();
    vec![
        "admission-policy",
        "controller-lease",
        "controller-paused",
        "image-name",
        "image-versions",
        "rbac-controller-missing",
        "rbac-secrets-unnamed",
    ]
}

/// Faults of the sidecar.
fn plant_in_sidecar(admin: &Caller) -> Vec<&'static str> {
    let argocd = "/api/v1/namespaces/argocd";
    merge(
        admin,
        &format!("{argocd}/secrets/argocd-infisical-digest"),
        &json!({"data": {"key": STANDARD.encode([8; 32])}}),
    );
    merge(
        admin,
        &format!("{argocd}/configmaps/argocd-cmd-params-cm"),
        &json!({"data": null}),
    );
    let sidecar = json!({
        "name": "argocd-infisical", "args": ["--loglevel=debug"], "resources": {"$patch": "replace"},
    });
    let other = json!({
        "name": "helmfile", "image": "example.org/helmfile:1",
        "volumeMounts": [{"name": "plugins", "mountPath": "/home/argocd/cmp-server/plugins"}],
    });
    let spec = json!({"automountServiceAccountToken": true, "containers": [sidecar, other]});
    patched(
        admin,
        "strategic-merge",
        "/apis/apps/v1/namespaces/argocd/deployments/argocd-repo-server",
        &json!({"spec": {"template": {"spec": spec}}}),
    );
    vec![
        "digest-keys-differ",
        "git-in-tar",
        "log-level",
        "other-sidecars",
        "sidecar-memory",
        "token-shared",
    ]
}

#[test]
#[ignore = "needs etcd and kube-apiserver"]
fn doctor_finds_what_is_planted_and_nothing_in_what_is_shipped() {
    let Some(installation) = Installation::new() else {
        return;
    };
    let admin = installation.admin();
    infisical::define(&admin);
    manifests(&admin);
    contents(&admin);
    application(&admin);
    let kubeconfig = installation.kubeconfig_of(User::ADMIN);

    let report = Report::of(&kubeconfig);
    assert_eq!(
        (report.code, report.text.as_str()),
        (0, "0 errors, 0 warnings, 0 notes\n")
    );

    let hidden = Report::of(&installation.kubeconfig_of(User::NOBODY));
    assert_eq!(hidden.code, 1);
    assert_eq!(hidden.codes("error"), ["unreadable"].into());
    // One for each kind, and for each object that is asked for by name.
    assert_eq!(hidden.json["errors"], 23, "{}", hidden.text);

    let plant = [plant_in_contents, plant_in_controller, plant_in_sidecar];
    let planted: Vec<&str> = plant.iter().flat_map(|plant| plant(&admin)).collect();
    let report = Report::of(&kubeconfig);
    assert_eq!(report.code, 1);
    let found: BTreeSet<&str> = ["error", "warning", "note"]
        .iter()
        .flat_map(|severity| report.codes(severity))
        .collect();
    let missing: Vec<_> = planted
        .iter()
        .filter(|code| !found.contains(*code))
        .collect();
    assert!(missing.is_empty(), "{missing:?} of {}", report.text);
}
