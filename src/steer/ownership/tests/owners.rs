//! Who the owners are, and what the `ConfigMap` of Argo CD says of that.

use Tracking::{Annotation, AnnotationAndLabel, Label, Unknown};

use super::*;

const THIS: &str = "argoproj.io/Application:argocd/web";

fn annotation(mark: &str) -> Value {
    json!({"annotations": {"argocd.argoproj.io/tracking-id": mark}})
}

fn owned(version: &str, kind: &str) -> Value {
    json!({"ownerReferences": [{"apiVersion": version, "kind": kind, "name": "webs"}]})
}

#[test]
fn owners_are_told_by_references_and_marks() {
    let label = |mark: &str| json!({"labels": {"app.kubernetes.io/instance": mark}});
    let both = |mark: &str, other: &str| {
        let mut both = annotation(mark);
        merge(&mut both, label(other));
        both
    };
    let apps = || OwnerName::Application(Name::new("argocd", "apps"));
    let others = || OwnerName::Application(Name::new("argocd", "others"));
    let team = || OwnerName::Application(Name::new("team", "apps"));
    let own = || OwnerName::Application(Name::new("argocd", "web"));
    #[rustfmt::skip] // one row a line
    let rows: Vec<(&str, Value, Tracking, Vec<OwnerName>)> = vec![
        ("no mark", json!({}), Unknown, vec![]),
        ("an ApplicationSet", owned("argoproj.io/v1alpha1", "ApplicationSet"), Annotation, vec![set_name()]),
        ("another group", owned("example.org/v1", "ApplicationSet"), Annotation, vec![]),
        ("no group", owned("argoproj.io", "ApplicationSet"), Annotation, vec![]),
        ("another kind", owned("argoproj.io/v1alpha1", "Application"), Annotation, vec![]),
        ("by annotation", annotation(&format!("apps:{THIS}")), Annotation, vec![apps()]),
        ("by annotation, of another namespace", annotation(&format!("team_apps:{THIS}")), Annotation, vec![team()]),
        ("both methods", annotation(&format!("apps:{THIS}")), AnnotationAndLabel, vec![apps()]),
        ("an unknown method", annotation(&format!("apps:{THIS}")), Unknown, vec![apps()]),
        ("an annotation, by label", annotation(&format!("apps:{THIS}")), Label, vec![]),
        ("copied from another name", annotation("apps:argoproj.io/Application:argocd/other"), Annotation, vec![]),
        ("copied from another namespace", annotation("apps:argoproj.io/Application:team/web"), Annotation, vec![]),
        ("copied from another kind", annotation("apps:apps/Deployment:argocd/web"), Annotation, vec![]),
        ("too few parts", annotation("apps:argoproj.io/Application"), Annotation, vec![]),
        ("no parent", annotation(&format!(":{THIS}")), Annotation, vec![]),
        ("half a name", annotation(&format!("team_:{THIS}")), Annotation, vec![]),
        ("a part of itself", annotation(&format!("web:{THIS}")), Annotation, vec![own()]),
        ("by label", label("apps"), Label, vec![apps()]),
        ("by label, of another namespace", label("team_apps"), Label, vec![team()]),
        ("a label, by annotation", label("apps"), Annotation, vec![]),
        ("a label, both methods", label("apps"), AnnotationAndLabel, vec![]),
        ("a label, an unknown method", label("apps"), Unknown, vec![apps()]),
        ("its own name in the label", label("web"), Label, vec![]),
        ("its own name in the label, an unknown method", label("web"), Unknown, vec![]),
        ("both marks agree", both(&format!("apps:{THIS}"), "apps"), Unknown, vec![apps()]),
        ("both marks differ", both(&format!("apps:{THIS}"), "others"), Unknown, vec![apps(), others()]),
    ];
    for (row, metadata, tracking, wanted) in rows {
        let instance = Instance {
            tracking,
            ..Instance::default()
        };
        let found = owners(
            &application(json!({"metadata": metadata})),
            &instance,
            &Policy::default(),
        );
        assert_eq!(found, wanted, "{row}");
    }
}

#[test]
fn an_application_can_have_two_owners() {
    let mut metadata = annotation(&format!("apps:{THIS}"));
    merge(
        &mut metadata,
        owned("argoproj.io/v1alpha1", "ApplicationSet"),
    );
    let child = application(json!({"metadata": metadata}));
    let found = owners(&child, &Instance::default(), &Policy::default());
    assert_eq!(found, [set_name(), parent_name()]);
}

#[test]
fn the_parent_of_an_application_elsewhere_is_in_argo_cds_namespace() {
    let child = application(json!({"metadata": {
        "namespace": "team",
        "annotations": {"argocd.argoproj.io/tracking-id": "web:argoproj.io/Application:team/web"},
    }}));
    let policy = Policy {
        argocd_namespace: "gitops".into(),
        ..Policy::default()
    };
    let found = owners(&child, &Instance::default(), &policy);
    assert_eq!(found, [OwnerName::Application(Name::new("gitops", "web"))]);
}

#[test]
fn what_another_installation_tracks_is_not_ours() {
    let child = |installation: Option<&str>| {
        let mut more = json!({"metadata": {"annotations": {
            "argocd.argoproj.io/tracking-id": "apps:argoproj.io/Application:argocd/web",
        }}});
        if let Some(installation) = installation {
            let annotation = json!({"argocd.argoproj.io/installation-id": installation});
            merge(&mut more, json!({"metadata": {"annotations": annotation}}));
        }
        application(more)
    };
    let count = |ours: Option<&str>, its: Option<&str>| {
        let instance = Instance {
            installation_id: ours.map(Into::into),
            ..Instance::default()
        };
        owners(&child(its), &instance, &Policy::default()).len()
    };
    assert_eq!(count(Some("a"), Some("a")), 1);
    assert_eq!(count(Some("a"), Some("b")), 0);
    assert_eq!(count(Some("a"), None), 0);
    // Without an identity, Argo CD does not ask for one.
    assert_eq!(count(None, Some("b")), 1);
    assert_eq!(count(None, None), 1);
}

#[test]
fn the_config_of_argo_cd() {
    assert_eq!(config(&[]), Instance::default());
    let method = "application.resourceTrackingMethod";
    for (value, wanted) in [
        ("annotation", Annotation),
        ("label", Label),
        ("annotation+label", AnnotationAndLabel),
        ("", Unknown),
        ("labels", Unknown),
    ] {
        assert_eq!(config(&[(method, value)]).tracking, wanted, "{value}");
    }
    let empty = config(&[("application.instanceLabelKey", ""), ("installationID", "")]);
    assert_eq!(empty, Instance::default());
    let named = config(&[
        ("application.instanceLabelKey", "a/b"),
        ("installationID", "c"),
    ]);
    assert_eq!(named.instance_label, "a/b");
    assert_eq!(named.installation_id.as_deref(), Some("c"));
}
