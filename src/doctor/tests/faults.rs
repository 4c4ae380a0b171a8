//! What makes each finding.

use serde_json::json;

use super::Fault;
use super::world::World;
use crate::doctor::Code;

/// All of them.
pub(super) fn all() -> impl Iterator<Item = Fault> {
    let tables = [
        SIDECAR,
        ARGOCD,
        CONTROLLER,
        ACCESS,
        APPLICATIONS,
        OBJECTS,
        AROUND,
    ];
    tables.into_iter().flatten().copied()
}

const REPO: &str = "Deployment/argocd-repo-server";
const CONTROL: &str = "Deployment/controller";
const APP: &str = "Application/homeassistant";
const SECRET: &str = "Secret/homeassistant-settings";
const STATIC: &str = "InfisicalStaticSecret/homeassistant-settings";
/// The pods of a Deployment.
const PODS: &str = "/spec/template/spec";

fn sidecar(world: &mut World, field: &str, value: serde_json::Value) {
    world.set(REPO, &format!("{PODS}/containers/1/{field}"), value);
}

fn policy(world: &mut World, from: &str, to: &str) {
    let text = include_str!("../../../manifests/install/policy.yaml");
    let text = text.replace("objectNamespaces: []", "objectNamespaces: [home]");
    assert!(text.contains(from), "{from}");
    let text = text.replace(from, to);
    world.set(
        "ConfigMap/controller-policy",
        "/data/policy.yaml",
        json!(text),
    );
}

/// Binds an account to a `ClusterRole`.
fn bind(world: &mut World, account: (&str, &str), rule: &serde_json::Value) {
    world.add(json!({"kind": "ClusterRole", "metadata": {"name": "wide"}, "rules": [rule]}));
    world.add(json!({
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "wide"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "wide"},
        "subjects": [{"kind": "ServiceAccount", "namespace": account.0, "name": account.1}],
    }));
}

const PLUGIN_SA: (&str, &str) = ("argocd", "argocd-repo-server");
const CONTROLLER_SA: (&str, &str) = ("argocd-infisical", "controller");

const SIDECAR: &[Fault] = &[
    (Code::RepoServerMissing, |w| w.remove(REPO)),
    (Code::SidecarMissing, |w| {
        w.unset(REPO, "/spec/template/spec/containers/1");
    }),
    (Code::SidecarCommand, |w| {
        sidecar(w, "command", json!(["sleep"]));
    }),
    (Code::SidecarMount, |w| {
        w.unmount("/home/argocd/cmp-server/plugins");
    }),
    (Code::SidecarMount, |w| w.unmount("/var/run/argocd")),
    (Code::SidecarMount, |w| w.unmount("/tmp")),
    (Code::SidecarMount, |w| {
        let mount = json!({"name": "argocd-infisical-tmp", "mountPath": "/tmp"});
        w.set(REPO, &format!("{PODS}/containers/0/volumeMounts/1"), mount);
    }),
    (Code::SidecarToken, |w| {
        w.unmount("/var/run/secrets/kubernetes.io/serviceaccount");
    }),
    (Code::TokenShared, |w| {
        w.unset(REPO, "/spec/template/spec/automountServiceAccountToken");
    }),
    (Code::TokenShared, |w| {
        let mount = json!({"name": "argocd-infisical-token", "mountPath": "/token"});
        w.set(REPO, &format!("{PODS}/containers/0/volumeMounts/1"), mount);
    }),
    (Code::SidecarUser, |w| {
        sidecar(w, "securityContext/runAsUser", json!(1000));
    }),
    (Code::SidecarUnconfined, |w| {
        sidecar(w, "securityContext/readOnlyRootFilesystem", json!(false));
    }),
    (Code::SidecarUnconfined, |w| {
        sidecar(w, "securityContext", json!({"privileged": true}));
    }),
    (Code::SidecarMemory, |w| {
        sidecar(w, "resources", json!({"requests": {"memory": "1Gi"}}));
    }),
    (Code::SidecarNotReady, |w| {
        w.set(REPO, "/status/unavailableReplicas", json!(1));
    }),
    (Code::OtherSidecars, |w| {
        let other = json!({
            "name": "helmfile", "image": "example.org/helmfile:1", "command": ["/var/run/argocd/argocd-cmp-server"],
            "volumeMounts": [{"name": "plugins", "mountPath": "/home/argocd/cmp-server/plugins"}],
        });
        w.set(REPO, &format!("{PODS}/containers/2"), other);
    }),
    (Code::LogLevel, |w| {
        sidecar(w, "args", json!(["--loglevel", "debug"]));
    }),
    (Code::LogLevel, |w| {
        sidecar(w, "args", json!(["--loglevel=Trace"]));
    }),
    (Code::LogLevel, |w| {
        sidecar(w, "args", json!([]));
        sidecar(
            w,
            "env",
            json!([{"name": "ARGOCD_CMP_SERVER_LOGLEVEL", "value": "debug"}]),
        );
    }),
    (Code::LogLevel, |w| {
        let from = json!({"configMapKeyRef": {"name": "argocd-cmd-params-cm", "key": "reposerver.log.level"}});
        sidecar(w, "args", json!([]));
        sidecar(
            w,
            "env",
            json!([{"name": "ARGOCD_CMP_SERVER_LOGLEVEL", "valueFrom": from}]),
        );
        w.set(
            "ConfigMap/argocd-cmd-params-cm",
            "/data/reposerver.log.level",
            json!("debug"),
        );
    }),
    (Code::PluginFile, |w| {
        w.plugin(|plugin| plugin["kind"] = json!("Other"));
    }),
    (Code::PluginFile, |w| {
        w.plugin(|plugin| plugin["spec"]["generate"]["command"] = json!(["sh"]));
    }),
    (Code::PluginFile, |w| {
        w.plugin(|_| {});
        w.remove("ConfigMap/plugin");
    }),
    (Code::PluginFile, |w| {
        w.plugin(|_| {});
        w.set("ConfigMap/plugin", "/data", json!({"plugin.yaml": "a: ["}));
    }),
    (Code::PluginDiscover, |w| {
        w.plugin(|plugin| plugin["spec"]["discover"] = json!({"fileName": "kustomization.yaml"}));
    }),
    (Code::PluginPolicy, |w| {
        w.plugin(|plugin| {
            plugin["spec"]["generate"]["args"] =
                json!(["--digest-key=/etc/argocd-infisical/digest/key"]);
        });
    }),
    (Code::SidecarPolicy, |w| {
        w.remove("ConfigMap/argocd-infisical-policy");
    }),
    (Code::SidecarPolicy, |w| {
        w.unmount("/etc/argocd-infisical/policy");
    }),
    (Code::SidecarPolicy, |w| {
        w.set(
            "ConfigMap/argocd-infisical-policy",
            "/data/policy.yaml",
            json!("kind: Other"),
        );
    }),
    (Code::ImageName, |w| {
        sidecar(w, "image", json!("argocd-infisical:0.1.0"));
    }),
    (Code::ImageName, |w| {
        w.set(
            CONTROL,
            &format!("{PODS}/containers/0/image"),
            json!("argocd-infisical:0.1.0"),
        );
    }),
    (Code::ImageTag, |w| {
        sidecar(w, "image", json!("example.org/argocd-infisical"));
    }),
    (Code::ImageTag, |w| {
        sidecar(w, "image", json!("example.org/argocd-infisical:latest"));
    }),
    (Code::ImageVersions, |w| {
        sidecar(w, "image", json!("example.org/argocd-infisical:0.0.9"));
    }),
];

fn argocd(world: &mut World, image: &str) {
    world.set(REPO, &format!("{PODS}/containers/0/image"), json!(image));
}

const ARGOCD: &[Fault] = &[
    (Code::ArgocdVersion, |w| {
        argocd(w, "quay.io/argoproj/argocd:v2.13.9");
    }),
    (Code::ArgocdVersion, |w| {
        argocd(w, "quay.io/argoproj/argocd:v3.7.0@sha256:00");
    }),
    (Code::ArgocdVersion, |w| {
        argocd(w, "quay.io/argoproj/argocd:v4.0.0");
    }),
    (Code::ArgocdVersionUnknown, |w| {
        argocd(w, "quay.io/argoproj/argocd:stable");
    }),
    (Code::ArgocdRefreshLost, |w| {
        argocd(w, "quay.io/argoproj/argocd:v3.5.7");
    }),
    (Code::GitInTar, |w| {
        w.set("ConfigMap/argocd-cmd-params-cm", "/data", json!({}));
    }),
    (Code::GitInTar, |w| {
        w.unset(REPO, "/spec/template/spec/containers/0/env");
    }),
    (Code::GitInTar, |w| {
        w.set(
            "ConfigMap/argocd-cmd-params-cm",
            "/data/reposerver.plugin.tar.exclusions",
            json!(".github;docs"),
        );
    }),
];

const CONTROLLER: &[Fault] = &[
    (Code::ControllerMissing, |w| w.remove(CONTROL)),
    (Code::ControllerNotReady, |w| {
        w.set(CONTROL, "/status/unavailableReplicas", json!(2));
    }),
    (Code::ControllerLease, |w| {
        w.remove("Lease/argocd-infisical");
    }),
    (Code::ControllerLease, |w| {
        w.set("Lease/argocd-infisical", "/spec/holderIdentity", json!(""));
    }),
    (Code::ControllerLease, |w| {
        w.set(
            "Lease/argocd-infisical",
            "/spec/renewTime",
            json!("2026-05-01T11:58:00.000000Z"),
        );
    }),
    (Code::ModeObserve, |w| {
        w.set(
            CONTROL,
            &format!("{PODS}/containers/0/args/2"),
            json!("--mode=observe"),
        );
    }),
    (Code::ControllerPaused, |w| {
        let metadata =
            json!({"namespace": "argocd-infisical", "name": "argocd-infisical-controls"});
        w.add(json!({"kind": "ConfigMap", "metadata": metadata, "data": {"pause": "true"}}));
    }),
    (Code::ControllerPolicy, |w| {
        w.remove("ConfigMap/controller-policy");
    }),
    (Code::ControllerPolicy, |w| {
        policy(w, "environments:", "environmnets:");
    }),
    (Code::ControllerPolicy, |w| {
        w.set(
            "ConfigMap/controller-policy",
            "/data",
            json!({"other.yaml": ""}),
        );
    }),
    (Code::PolicyNamespaces, |w| {
        policy(
            w,
            "argocdNamespace: argocd",
            "argocdNamespace: openshift-gitops",
        );
    }),
    (Code::PolicyNamespaces, |w| {
        policy(w, "ownNamespace: argocd-infisical", "ownNamespace: other");
    }),
    (Code::DigestNotMounted, |w| {
        w.unmount("/etc/argocd-infisical/digest");
    }),
    (Code::DigestNotMounted, |w| {
        w.set(
            CONTROL,
            &format!("{PODS}/containers/0/args"),
            json!(["--policy=/etc/argocd-infisical/policy/policy.yaml"]),
        );
    }),
    (Code::DigestNotMounted, |w| {
        w.plugin(|plugin| {
            plugin["spec"]["generate"]["args"] =
                json!(["--policy=/etc/argocd-infisical/policy/policy.yaml"]);
        });
    }),
    (Code::DigestKeyMissing, |w| drop(w.keys.remove("argocd"))),
    (Code::DigestKeyMissing, |w| {
        drop(w.keys.remove("argocd-infisical"));
    }),
    (Code::DigestKeyShort, |w| {
        drop(w.keys.insert("argocd", vec![7; 31]));
    }),
    (Code::DigestKeysDiffer, |w| {
        drop(w.keys.insert("argocd", vec![8; 32]));
    }),
    (Code::AdmissionPolicy, |w| {
        w.remove("ValidatingAdmissionPolicy/argocd-infisical-controller");
    }),
    (Code::AdmissionPolicy, |w| {
        w.remove("ValidatingAdmissionPolicyBinding/argocd-infisical-controller");
    }),
    (Code::AdmissionPolicy, |w| {
        w.set(
            "ValidatingAdmissionPolicyBinding/argocd-infisical-controller",
            "/spec/validationActions",
            json!(["Audit"]),
        );
    }),
    (Code::AdmissionPolicy, |w| {
        w.set(
            CONTROL,
            &format!("{PODS}/serviceAccountName"),
            json!("other"),
        );
    }),
];

const ACCESS: &[Fault] = &[
    (Code::Unreadable, |w| {
        w.hidden.insert("secrets");
    }),
    (Code::OddObject, |w| {
        w.odd.push("Application argocd/odd".into());
    }),
    (Code::RbacWildcard, |w| {
        bind(
            w,
            PLUGIN_SA,
            &json!({"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}),
        );
    }),
    (Code::RbacWildcard, |w| {
        bind(
            w,
            CONTROLLER_SA,
            &json!({"apiGroups": [""], "resources": ["*"], "verbs": ["get"]}),
        );
    }),
    (Code::RbacSecretsUnnamed, |w| {
        w.unset("Role/argocd-infisical-settings", "/rules/0/resourceNames");
    }),
    (Code::RbacSecretsUnnamed, |w| {
        // A group is as good as the account.
        bind(
            w,
            PLUGIN_SA,
            &json!({"apiGroups": [""], "resources": ["secrets"], "verbs": ["list"]}),
        );
        let group = json!([{"kind": "Group", "name": "system:serviceaccounts:argocd"}]);
        w.set("ClusterRoleBinding/wide", "/subjects", group);
    }),
    (Code::RbacArgocdSecrets, |w| {
        bind(
            w,
            CONTROLLER_SA,
            &json!({"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}),
        );
    }),
    (Code::RbacArgocdSecrets, |w| {
        w.set("Role/argocd-infisical-sidecar", "/rules/1", json!({
            "apiGroups": [""], "resources": ["secrets"], "resourceNames": ["argocd-secret"], "verbs": ["get"],
        }));
    }),
    (Code::RbacWrites, |w| {
        w.set(
            "Role/argocd-infisical-sidecar",
            "/rules/0/verbs",
            json!(["get", "patch"]),
        );
    }),
    (Code::RbacWrites, |w| {
        w.set(
            "Role/argocd-infisical-controller",
            "/rules/0/verbs/4",
            json!("delete"),
        );
    }),
    (Code::RbacWrites, |w| {
        w.set("Role/controller", "/rules/0/verbs/3", json!("update"));
    }),
    (Code::RbacControllerWide, |w| {
        policy(w, "objectNamespaces: [home]", "objectNamespaces: []");
    }),
    (Code::RbacSettingsMissing, |w| {
        w.remove("RoleBinding/argocd-infisical-settings");
    }),
    (Code::RbacSettingsMissing, |w| {
        w.set(
            "Role/argocd-infisical-settings",
            "/rules/0/resourceNames",
            json!(["other"]),
        );
    }),
    (Code::RbacApplicationsMissing, |w| {
        w.remove("Role/argocd-infisical-sidecar");
    }),
    (Code::RbacControllerMissing, |w| {
        w.remove("RoleBinding/argocd-infisical-controller");
    }),
    (Code::RbacControllerMissing, |w| {
        w.set("Role/controller", "/rules/0/verbs", json!(["get", "list"]));
    }),
    (Code::RbacControllerMissing, |w| {
        policy(
            w,
            "objectNamespaces: [home]",
            "objectNamespaces: [home, work]",
        );
    }),
    (Code::RbacControllerMissing, |w| {
        policy(
            w,
            "applicationNamespaces: [argocd]",
            "applicationNamespaces: [\"*\"]",
        );
    }),
];

fn owned(world: &mut World, spec: &serde_json::Value) {
    let owner =
        json!([{"apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet", "name": "all"}]);
    world.set(APP, "/metadata/ownerReferences", owner);
    world.add(json!({"kind": "ApplicationSet", "metadata": {"namespace": "argocd", "name": "all"}, "spec": spec}));
}

fn condition(world: &mut World, message: &str) {
    world.set(
        APP,
        "/status/conditions",
        json!([{"type": "ComparisonError", "message": message}]),
    );
}

fn windows(world: &mut World, schedule: &str) {
    let window =
        json!({"kind": "deny", "schedule": schedule, "duration": "24h", "applications": ["*"]});
    world.set("AppProject/home", "/spec/syncWindows", json!([window]));
}

const APPLICATIONS: &[Fault] = &[
    (Code::ArgocdMissing, |w| {
        w.unknown.insert("applications");
    }),
    (Code::PluginName, |w| {
        w.set(
            APP,
            "/spec/source/plugin/name",
            json!("argocd-infisical-v1.0"),
        );
    }),
    (Code::PluginName, |w| {
        w.plugin(|plugin| plugin["spec"]["version"] = json!("v1.0"));
    }),
    (Code::PluginUnnamed, |w| {
        w.unset(APP, "/spec/source/plugin/name");
    }),
    (Code::PluginAndTool, |w| {
        w.set(APP, "/spec/source/kustomize", json!({"namePrefix": "x-"}));
    }),
    (Code::PluginUnknown, |w| {
        policy(w, "plugins: [argocd-infisical]", "plugins: [other]");
    }),
    (Code::SettingsParameter, |w| {
        w.set(
            APP,
            "/spec/source/plugin/parameters/0/array",
            json!(["secret:Home/x"]),
        );
    }),
    (Code::SettingsDenied, |w| {
        w.set(
            APP,
            "/spec/source/plugin/parameters/0/array",
            json!(["secret:argocd/argocd-secret"]),
        );
    }),
    (Code::SettingsDenied, |w| {
        let text = "apiVersion: argocd-infisical.io/v1alpha1\nkind: Policy\nsettings: {namespaces: [work]}\n";
        w.set(
            "ConfigMap/argocd-infisical-policy",
            "/data/policy.yaml",
            json!(text),
        );
    }),
    (Code::Hydrated, |w| {
        w.set(APP, "/spec/sourceHydrator", json!({"drySource": {}}));
    }),
    (Code::EnvironmentMissing, |w| {
        w.set(APP, "/metadata/labels", json!({}));
    }),
    (Code::EnvironmentUnknown, |w| {
        w.set(
            APP,
            "/metadata/labels/argocd-infisical.io~1environment",
            json!("qa"),
        );
    }),
    (Code::ProjectNotInEnvironment, |w| {
        policy(
            w,
            "  dev:\n    default: dev\n",
            "  dev:\n    default: dev\n    projects: [other]\n",
        );
    }),
    (Code::ApplicationNotWatched, |w| {
        w.set(APP, "/metadata/namespace", json!("team"));
    }),
    (Code::IgnoreRulesMissing, |w| owned(w, &json!({}))),
    (Code::OwnerUnknown, |w| {
        owned(w, &json!({}));
        w.hidden.insert("applicationsets");
    }),
    (Code::AutomationOff, |w| {
        w.unset(APP, "/spec/syncPolicy/automated");
    }),
    (Code::AutomationOff, |w| {
        w.set(APP, "/spec/syncPolicy/automated/enabled", json!(false));
    }),
    (Code::NeverDeploys, |w| {
        owned(
            w,
            &json!({"ignoreApplicationDifferences": [{"jsonPointers": ["/spec/source/targetRevision"]}]}),
        );
        w.set(APP, "/spec/syncPolicy/automated", json!({}));
    }),
    (Code::RetryLimit, |w| {
        w.set(APP, "/spec/syncPolicy/retry/limit", json!(-1));
    }),
    (Code::RetryLimit, |w| {
        w.set(APP, "/spec/syncPolicy/retry/limit", json!(50));
    }),
    (Code::Held, |w| {
        w.set(
            APP,
            "/metadata/annotations/argocd-infisical.io~1hold",
            json!("true"),
        );
    }),
    (Code::Held, |w| {
        w.set(
            APP,
            "/metadata/annotations/argocd.argoproj.io~1skip-reconcile",
            json!("true"),
        );
    }),
    (Code::SyncWindow, |w| windows(w, "0 0 * * *")),
    (Code::SyncWindowInvalid, |w| windows(w, "whenever")),
    (Code::RevisionRefused, |w| {
        w.set(
            "Secret/revisions",
            "/data/ARGOCD_TARGET_REVISION",
            json!("refs/pull/hunter2/head"),
        );
    }),
    (Code::RevisionNotFound, |w| {
        condition(w, "unable to resolve 'x' to a commit SHA");
    }),
    (Code::RevisionNotFound, |w| {
        condition(w, "app path does not exist");
    }),
    (Code::RenderPaused, |w| {
        condition(w, "Manifest generation error (cached): hunter2");
    }),
];

fn annotation(world: &mut World, name: &str, value: &str) {
    world.set(
        SECRET,
        &format!("/metadata/annotations/argocd-infisical.io~1{name}"),
        json!(value),
    );
}

const OBJECTS: &[Fault] = &[
    (Code::SettingsAbsent, |w| w.remove(SECRET)),
    (Code::SettingsUnlabelled, |w| {
        w.set(SECRET, "/metadata/labels", json!({}));
    }),
    (Code::SettingsUnlabelled, |w| {
        w.set(
            SECRET,
            "/metadata/labels/argocd-infisical.io~1settings",
            json!("yes"),
        );
    }),
    (Code::SettingsNotAllowed, |w| {
        annotation(w, "allowed", "home/other");
    }),
    (Code::SettingsNotAllowed, |w| {
        // Outside Argo CD's namespace an Application is called otherwise.
        w.set(APP, "/metadata/namespace", json!("team"));
    }),
    (Code::SettingsNoKeys, |w| {
        w.unset(SECRET, "/metadata/annotations/argocd-infisical.io~1keys");
    }),
    (Code::SettingsEmpty, |w| w.set(SECRET, "/data", json!({}))),
    (Code::SettingsNotWatched, |w| {
        policy(w, "objectNamespaces: [home]", "objectNamespaces: []");
    }),
    (Code::ValueMissing, |w| {
        w.set(SECRET, "/data/HOSTNAME", json!("<no value>"));
    }),
    (Code::ValueMissing, |w| {
        annotation(w, "keys", "HOSTNAME, REPLICAS, TIMEZONE");
    }),
    (Code::OverrideUnlabelled, |w| {
        w.set("Secret/revisions", "/metadata/labels", json!({}));
    }),
    (Code::OverrideUnlabelled, |w| {
        w.set("Secret/revisions", "/metadata/labels", json!({}));
        w.set(
            "Secret/revisions",
            "/data",
            json!({"TARGET_REVISION": "dev"}),
        );
    }),
    (Code::OverrideUnlabelled, |w| {
        w.set(
            SECRET,
            "/data/ARGOCD_TARGET_REVISION__HOMEASSISTANT",
            json!("dev"),
        );
    }),
    (Code::OverrideNotWatched, |w| {
        w.set("Secret/revisions", "/metadata/namespace", json!("work"));
    }),
    (Code::OverrideEnvironment, |w| {
        w.set(
            "Secret/revisions",
            "/metadata/labels/argocd-infisical.io~1environment",
            json!("qa"),
        );
    }),
    (Code::OverrideUnheard, |w| {
        w.set("Secret/revisions", "/data/TARGET_REVISON", json!("dev"));
    }),
    (Code::OverrideUnheard, |w| {
        w.set(
            "Secret/revisions",
            "/data/ARGOCD_TARGET_REVISION__nobody",
            json!("dev"),
        );
    }),
    (Code::OverrideUnheard, |w| {
        w.set(
            "Secret/revisions",
            "/metadata/labels/argocd-infisical.io~1application",
            json!("nobody"),
        );
    }),
];

fn interval(world: &mut World, text: &str) {
    world.set(STATIC, "/spec/syncOptions/refreshInterval", json!(text));
}

fn old(world: &mut World, spec: &serde_json::Value) {
    let status = json!({"conditions": [{"type": "secrets.infisical.com/ReadyToSyncSecrets", "status": "True"}]});
    world.add(json!({"kind": "InfisicalSecret", "metadata": {"namespace": "home", "name": "old"}, "spec": spec, "status": status}));
}

fn reloader(world: &mut World, args: &[&str]) {
    world.set(
        "Deployment/reloader",
        &format!("{PODS}/containers/0/args"),
        json!(args),
    );
}

fn applied(world: &mut World, template: &str) {
    let text = format!(r#"{{"spec":{{"template":{template}}}}}"#);
    world.set(
        "Deployment/homeassistant",
        "/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration",
        json!(text),
    );
}

const AROUND: &[Fault] = &[
    (Code::OperatorMissing, |w| {
        w.unknown.insert("infisicalstaticsecrets");
        w.unknown.insert("infisicalsecrets");
    }),
    (Code::NotSynced, |w| {
        w.set(STATIC, "/status/conditions/0/status", json!("False"));
    }),
    (Code::NotSynced, |w| {
        old(w, &json!({"syncConfig": {"resyncInterval": "30s"}}));
        w.set(
            "InfisicalSecret/old",
            "/status/conditions/0/status",
            json!("False"),
        );
    }),
    (Code::NeverSynced, |w| w.unset(STATIC, "/status")),
    (Code::RefreshInterval, |w| interval(w, "2m")),
    (Code::RefreshInterval, |w| interval(w, "61s")),
    (Code::RefreshInterval, |w| old(w, &json!({}))),
    (Code::RefreshInterval, |w| {
        old(w, &json!({"resyncInterval": 300}));
    }),
    (Code::RefreshIntervalInvalid, |w| interval(w, "1m30s")),
    (Code::RefreshIntervalInvalid, |w| interval(w, "3s")),
    (Code::RefreshIntervalInvalid, |w| interval(w, "")),
    (Code::ConnectionAddress, |w| {
        w.set(
            "InfisicalConnection/infisical",
            "/spec/address",
            json!("https://app.infisical.com/api/"),
        );
    }),
    (Code::ConnectionAddress, |w| {
        w.set("InfisicalConnection/infisical", "/spec", json!({}));
    }),
    (Code::ReloaderMissing, |w| w.remove("Deployment/reloader")),
    (Code::ReloaderFlags, |w| reloader(w, &[])),
    (Code::ReloaderFlags, |w| {
        reloader(w, &["--reload-on-create=true"]);
    }),
    (Code::ReloaderFlags, |w| {
        reloader(w, &["--reload-on-create=false", "--sync-after-restart"]);
    }),
    (Code::ReloaderStrategy, |w| {
        reloader(
            w,
            &[
                "--reload-on-create",
                "--sync-after-restart=true",
                "--reload-strategy=annotations",
            ],
        );
    }),
    (Code::ReloaderNamespaces, |w| {
        reloader(
            w,
            &[
                "--reload-on-create",
                "--sync-after-restart",
                "--namespaces=work,lab",
            ],
        );
    }),
    (Code::TwoReloaders, |w| {
        w.set(
            "Deployment/homeassistant",
            "/metadata/annotations/secrets.infisical.com~1auto-reload",
            json!("true"),
        );
    }),
    (Code::EmptyField, |w| {
        applied(w, r#"{"spec":{"containers":[{"name":"app","env":[]}]}}"#);
    }),
    (Code::EmptyField, |w| {
        applied(w, r#"{"metadata":{"annotations":null}}"#);
    }),
    (Code::FileMissing, |w| w.remove("Secret/configuration")),
    (Code::FileMissing, |w| {
        w.unset("Secret/configuration", "/data/configuration.yaml");
    }),
    (Code::FileMissing, |w| {
        let volume = json!({"name": "whole", "configMap": {"name": "other"}});
        let volumes = format!("{PODS}/volumes/3");
        w.set("Deployment/homeassistant", &volumes, volume);
    }),
    (Code::FileEmpty, |w| {
        w.set(
            "Secret/configuration",
            "/data/configuration.yaml",
            json!(""),
        );
    }),
    (Code::ObjectLarge, |w| {
        w.set("Secret/configuration", "/data/more.yaml", json!("43713"));
    }),
];
