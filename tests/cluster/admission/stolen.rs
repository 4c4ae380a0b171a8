//! A stolen token of the controller is of no use for anything else.

use serde_json::{Value, json};

use super::{
    DIGEST, REPOSITORY, add, all_pass, is_refused, none_pass, remove, replace, with_plugin,
    with_sources,
};
use crate::installation::{installation, wait_until};

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn a_stolen_token_deploys_nowhere_else() {
    let Some(installation) = installation() else {
        return;
    };
    let controller = installation.controller();
    with_plugin(installation, "nowhere");
    let none = |words: &str, patches: &[Value]| none_pass(&controller, "nowhere", words, patches);
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
}

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn a_stolen_token_deploys_nothing_else() {
    let Some(installation) = installation() else {
        return;
    };
    let controller = installation.controller();
    with_plugin(installation, "nothing");
    let none = |words: &str, patches: &[Value]| none_pass(&controller, "nothing", words, patches);
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
}

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn a_stolen_token_hands_the_plugin_nothing_but_a_digest() {
    let Some(installation) = installation() else {
        return;
    };
    let controller = installation.controller();
    with_plugin(installation, "digest");
    let none = |words: &str, patches: &[Value]| none_pass(&controller, "digest", words, patches);
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
}

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn a_stolen_token_sets_no_revision_that_strangers_write() {
    let Some(installation) = installation() else {
        return;
    };
    let controller = installation.controller();
    with_plugin(installation, "strangers");
    let none = |words: &str, patches: &[Value]| none_pass(&controller, "strangers", words, patches);
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
fn a_stolen_token_says_nothing_for_people() {
    let Some(installation) = installation() else {
        return;
    };
    let controller = installation.controller();
    with_plugin(installation, "people");
    let none = |words: &str, patches: &[Value]| none_pass(&controller, "people", words, patches);
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
}

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn a_stolen_token_says_nothing_for_argo_cd() {
    let Some(installation) = installation() else {
        return;
    };
    let controller = installation.controller();
    with_plugin(installation, "argo-cd");
    let none = |words: &str, patches: &[Value]| none_pass(&controller, "argo-cd", words, patches);
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
}

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn it_does_not_matter_how_it_is_patched() {
    let Some(installation) = installation() else {
        return;
    };
    let controller = installation.controller();
    with_plugin(installation, "kinds");
    // Whatever the kind of patch.
    let object = json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "kinds"},
        "spec": {"project": "default", "destination": {"server": "https://kubernetes.default.svc"}},
    });
    for kind in [
        "application/merge-patch+json",
        "application/apply-patch+yaml",
    ] {
        assert!(
            is_refused(controller.would_change("kinds", kind, &object)),
            "{kind}"
        );
    }
}

/// What takes no part, and what somebody has put aside, stays out of reach.
#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn applications_without_an_environment_or_on_hold_stay() {
    let Some(installation) = installation() else {
        return;
    };
    let controller = installation.controller();
    let metadata = "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications";
    let moved = replace("/spec/source/targetRevision", "main");
    for (name, patch, words) in [
        (
            "unlabelled",
            remove("/metadata/labels/argocd-infisical.io~1environment"),
            "only Applications with the label",
        ),
        (
            "held",
            replace("/metadata/annotations/argocd-infisical.io~1hold", "true"),
            "no Application that somebody holds",
        ),
    ] {
        with_plugin(installation, name);
        all_pass(&controller, name, &[vec![moved.clone()]]);
        let one = format!("{metadata}/{name}");
        let kind = "application/json-patch+json";
        let admin = installation.admin();
        let changed = admin.send("PATCH", &one, kind, &json!([patch]));
        assert!(changed.is_ok(), "{changed:?}");
        none_pass(&controller, name, words, std::slice::from_ref(&moved));
        // A label that comes with the same patch is too late, and so is a hold that goes with it.
        let both = json!([
            add(
                "/metadata/labels",
                json!({"argocd-infisical.io/environment": "dev"})
            ),
            add("/metadata/annotations/argocd-infisical.io~1hold", "false"),
            moved,
        ]);
        assert!(is_refused(controller.would_patch(name, &both)), "{name}");
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

/// Whatever other Role somebody may give it.
#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn the_policy_holds_with_wider_rights_too() {
    let Some(installation) = installation() else {
        return;
    };
    with_plugin(installation, "wider");
    let admin = installation.admin();
    let labels = json!({"argocd-infisical.io/environment": "dev"});
    let metadata = json!({"name": "wider", "namespace": "team", "labels": labels});
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
