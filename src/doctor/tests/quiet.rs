//! What looks like a fault and is none.

use serde_json::json;

use super::Fault;
use crate::doctor::Code;

const REPO: &str = "Deployment/argocd-repo-server";
const APP: &str = "Application/homeassistant";
const SECRET: &str = "Secret/homeassistant-settings";

/// All of them.
pub(super) const ALL: &[Fault] = &[
    // The container with the figures is of the same image and is no sidecar.
    (Code::SidecarCommand, |w| {
        let figures = json!({
            "name": "argocd-infisical-metrics", "image": "registry.example.org/argocd-infisical:0.1.0",
            "command": ["argocd-infisical", "plugin", "metrics"],
        });
        w.set(REPO, "/spec/template/spec/containers/2", figures);
    }),
    (Code::OtherSidecars, |w| {
        let other = json!({"name": "proxy", "image": "example.org/proxy:1", "volumeMounts": [{"name": "var-files", "mountPath": "/x"}]});
        w.set(REPO, "/spec/template/spec/containers/2", other);
    }),
    (Code::LogLevel, |w| {
        w.set(
            REPO,
            "/spec/template/spec/containers/1/env",
            json!([{"name": "ARGOCD_CMP_SERVER_LOGLEVEL", "value": "debug"}]),
        );
    }),
    (Code::SidecarUser, |w| {
        w.unset(
            REPO,
            "/spec/template/spec/containers/1/securityContext/runAsUser",
        )
    }),
    (Code::PluginFile, |w| w.plugin(|_| {})),
    (Code::PluginDiscover, |w| {
        w.plugin(|plugin| plugin["spec"]["discover"] = json!({}))
    }),
    (Code::ImageTag, |w| {
        w.set(
            REPO,
            "/spec/template/spec/containers/1/image",
            json!("example.org/argocd-infisical@sha256:00"),
        );
    }),
    (Code::ArgocdVersion, |w| {
        w.set(
            REPO,
            "/spec/template/spec/containers/0/image",
            json!("quay.io/argoproj/argocd:v2.14.21"),
        );
    }),
    (Code::GitInTar, |w| {
        w.set(
            "ConfigMap/argocd-cmd-params-cm",
            "/data/reposerver.plugin.tar.exclusions",
            json!("docs; .git"),
        );
    }),
    (Code::GitInTar, |w| {
        w.set(
            REPO,
            "/spec/template/spec/containers/0/args",
            json!(["--plugin-tar-exclude", ".git"]),
        );
        w.set("ConfigMap/argocd-cmd-params-cm", "/data", json!({}));
    }),
    (Code::ControllerPaused, |w| {
        let metadata =
            json!({"namespace": "argocd-infisical", "name": "argocd-infisical-controls"});
        w.add(json!({"kind": "ConfigMap", "metadata": metadata, "data": {"pause": "false"}}));
    }),
    // What is bound to everybody says nothing of the sidecar.
    (Code::RbacWrites, |w| {
        w.add(json!({"kind": "ClusterRole", "metadata": {"name": "basic"}, "rules": [
            {"apiGroups": ["authorization.k8s.io"], "resources": ["selfsubjectaccessreviews"], "verbs": ["create"]},
        ]}));
        w.add(json!({
            "kind": "ClusterRoleBinding", "metadata": {"name": "basic"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "basic"},
            "subjects": [{"kind": "Group", "name": "system:authenticated"}],
        }));
    }),
    // A binding of another namespace's account.
    (Code::RbacSecretsUnnamed, |w| {
        w.add(
            json!({"kind": "Role", "metadata": {"namespace": "home", "name": "all"}, "rules": [
                {"apiGroups": [""], "resources": ["secrets"], "verbs": ["list"]},
            ]}),
        );
        w.add(json!({
            "kind": "RoleBinding", "metadata": {"namespace": "home", "name": "all"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "all"},
            "subjects": [{"kind": "ServiceAccount", "namespace": "home", "name": "argocd-repo-server"}],
        }));
    }),
    (Code::PluginAndTool, |w| {
        w.set(APP, "/spec/source/kustomize", json!({}))
    }),
    (Code::PluginName, |w| {
        w.set(APP, "/spec/source/plugin", json!({"name": "helmfile"}))
    }),
    (Code::PluginUnnamed, |w| {
        w.set(APP, "/spec/source/plugin", json!({}))
    }),
    (Code::EnvironmentMissing, |w| {
        w.set(APP, "/metadata/labels", json!({}));
        w.unset(APP, "/spec/source/plugin");
    }),
    (Code::Hydrated, |w| {
        w.set(APP, "/spec/sourceHydrator", json!({"drySource": {}}));
        w.unset(APP, "/spec/source/plugin/parameters");
    }),
    (Code::SettingsAbsent, |w| {
        w.remove(SECRET);
        w.set(
            APP,
            "/spec/source/plugin/parameters/0/array",
            json!(["optional:secret:home/homeassistant-settings"]),
        );
    }),
    (Code::SettingsAbsent, |w| {
        w.remove(SECRET);
        w.hidden.insert("secrets");
    }),
    (Code::SettingsNotAllowed, |w| {
        w.set(
            SECRET,
            "/metadata/annotations/argocd-infisical.io~1allowed",
            json!("lab/x, home/home*"),
        );
    }),
    (Code::OverrideUnlabelled, |w| {
        w.set(SECRET, "/data/TARGET_REVISION", json!("x"))
    }),
    (Code::IgnoreRulesMissing, |w| {
        let owner = json!([{"apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet", "name": "all"}]);
        w.set(APP, "/metadata/ownerReferences", owner);
        let rules =
            json!([{"jsonPointers": ["/spec/source/targetRevision", "/spec/source/plugin/env"]}]);
        w.add(json!({
            "kind": "ApplicationSet", "metadata": {"namespace": "argocd", "name": "all"}, "spec": {"ignoreApplicationDifferences": rules},
        }));
    }),
    (Code::NeverDeploys, |w| {
        w.set(APP, "/spec/syncPolicy/automated", json!({}))
    }),
    (Code::RetryLimit, |w| {
        w.set(APP, "/spec/syncPolicy/retry/limit", json!(0))
    }),
    (Code::Held, |w| {
        w.set(
            APP,
            "/metadata/annotations/argocd-infisical.io~1hold",
            json!("false"),
        )
    }),
    (Code::SyncWindow, |w| {
        let window = json!({"kind": "deny", "schedule": "0 0 * * *", "duration": "1h", "applications": ["*"]});
        w.set("AppProject/home", "/spec/syncWindows", json!([window]));
    }),
    (Code::RefreshInterval, |w| {
        w.set(
            "InfisicalStaticSecret/homeassistant-settings",
            "/spec/syncOptions/refreshInterval",
            json!("1m"),
        );
    }),
    (Code::ReloaderMissing, |w| {
        w.remove("Deployment/reloader");
        w.set(
            "Deployment/homeassistant",
            "/metadata/annotations",
            json!({"reloader.stakater.com/ignore": "true"}),
        );
    }),
    (Code::ReloaderMissing, |w| {
        w.remove("Deployment/reloader");
        w.hidden.insert("workloads");
    }),
    (Code::TwoReloaders, |w| {
        w.set(
            "Deployment/homeassistant",
            "/metadata/annotations",
            json!({"secrets.infisical.com/auto-reload": "true"}),
        );
    }),
];
