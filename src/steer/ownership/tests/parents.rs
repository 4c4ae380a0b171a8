//! Apps of apps.

use super::*;

#[test]
fn an_app_of_apps_as_measured() {
    let only_env = || in_git(&json!({"source": {"plugin": {"env": []}}}));
    let only_revision = || in_git(&json!({"source": {"targetRevision": "main"}}));
    let respects = [RESPECT];
    #[rustfmt::skip] // one row a line
    let rows: Vec<Row> = vec![
        ("nothing", all_in_git(), parent(&[], &[]), REVISION, &[RULE, OPTION]),
        ("jsonPointers only", all_in_git(), parent(&[pointers(&[REVISION_AT])], &[]), REVISION, &[OPTION]),
        ("managedFieldsManagers only", all_in_git(), parent(&[managers(OURS)], &[]), REVISION, &[OPTION]),
        ("RespectIgnoreDifferences only", all_in_git(), parent(&[], &respects), REVISION, &[RULE]),
        ("jsonPointers and the option", all_in_git(), parent(&[pointers(&[REVISION_AT])], &respects), REVISION, &[]),
        ("managedFieldsManagers and the option", all_in_git(), parent(&[managers(OURS)], &respects), REVISION, &[]),
        ("with ServerSideApply", all_in_git(), parent(&[pointers(&[REVISION_AT])], &["ServerSideApply=true", RESPECT]), REVISION, &[]),
        ("env not in Git", only_revision(), parent(&[], &[]), ENV, &[]),
        ("env not in Git, the option", only_revision(), parent(&[], &respects), ENV, &[]),
        ("targetRevision not in Git", only_env(), parent(&[], &[]), REVISION, &[]),
        ("both, and only env in Git", only_env(), parent(&[], &[]), BOTH, &[RULE, OPTION]),
        ("env in Git", all_in_git(), parent(&[], &respects), ENV, &[RULE]),
        ("env in Git, jsonPointers", all_in_git(), parent(&[pointers(&[ENV_AT])], &respects), ENV, &[]),
        ("env in Git, managedFieldsManagers", all_in_git(), parent(&[managers(OURS)], &respects), ENV, &[]),
        ("both in Git, one pointer", all_in_git(), parent(&[pointers(&[ENV_AT])], &respects), BOTH, &[RULE]),
        ("both in Git, one manager", all_in_git(), parent(&[managers(OURS)], &respects), BOTH, &[]),
    ];
    check(rows, &Instance::default());
}

#[test]
fn the_rules_of_an_app_of_apps() {
    let with = |fields: Value| {
        let mut rule = pointers(&[REVISION_AT]);
        merge(&mut rule, fields);
        parent(&[rule], &[RESPECT])
    };
    #[rustfmt::skip] // one row a line
    let rows: Vec<Row> = vec![
        ("the version is no part of a group", all_in_git(), with(json!({"group": "argoproj.io/v1alpha1"})), REVISION, &[RULE]),
        ("no group is the core group", all_in_git(), with(json!({"group": null})), REVISION, &[RULE]),
        ("all groups and kinds", all_in_git(), with(json!({"group": "*", "kind": "*"})), REVISION, &[]),
        ("another kind", all_in_git(), with(json!({"kind": "AppProject"})), REVISION, &[RULE]),
        ("by name and namespace", all_in_git(), with(json!({"name": "web", "namespace": "argocd"})), REVISION, &[]),
        ("by empty name and namespace", all_in_git(), with(json!({"name": "", "namespace": ""})), REVISION, &[]),
        ("another name", all_in_git(), with(json!({"name": "other"})), REVISION, &[RULE]),
        ("a name is no pattern", all_in_git(), with(json!({"name": "*"})), REVISION, &[RULE]),
        ("another namespace", all_in_git(), with(json!({"namespace": "other"})), REVISION, &[RULE]),
        ("another manager", all_in_git(), parent(&[managers(&["kubectl"])], &[RESPECT]), REVISION, &[RULE]),
        ("an ancestor", all_in_git(), parent(&[pointers(&["/spec/source"])], &[RESPECT]), BOTH, &[]),
        ("jq", all_in_git(), parent(&[rule(json!({"jqPathExpressions": [".spec.source.targetRevision"]}))], &[RESPECT]), REVISION, &[]),
        ("jq that is no path", all_in_git(), parent(&[rule(json!({"jqPathExpressions": [".spec.source | .targetRevision"]}))], &[RESPECT]), REVISION, &[RULE]),
        ("two rules together", all_in_git(), parent(&[pointers(&[REVISION_AT]), pointers(&["/spec/source/plugin"])], &[RESPECT]), BOTH, &[]),
        ("the option in other letters", all_in_git(), parent(&[pointers(&[REVISION_AT])], &["respectIgnoreDifferences=true"]), REVISION, &[OPTION]),
        ("the option switched off", all_in_git(), parent(&[pointers(&[REVISION_AT])], &["RespectIgnoreDifferences=false"]), REVISION, &[OPTION]),
        ("no fields", all_in_git(), parent(&[], &[]), &[], &[]),
        ("sources", all_in_git(), parent(&[], &[]), SOURCES, &[RULE, OPTION]),
        ("sources, the whole list", all_in_git(), parent(&[pointers(&["/spec/sources"])], &[RESPECT]), SOURCES, &[]),
        ("sources, by manager", all_in_git(), parent(&[managers(OURS)], &[RESPECT]), SOURCES, &[]),
        ("sources, one element", all_in_git(), parent(&[pointers(&["/spec/sources/0/targetRevision"])], &[RESPECT]), SOURCES, &[RULE]),
        ("sources, each element", all_in_git(), parent(&[rule(json!({"jqPathExpressions": [".spec.sources[].targetRevision"]}))], &[RESPECT]), SOURCES, &[RULE]),
        ("sources not in Git", in_git(&json!({"source": {"targetRevision": "main"}})), parent(&[], &[]), SOURCES, &[]),
    ];
    check(rows, &Instance::default());
}

#[test]
fn what_git_has() {
    let none = || parent(&[], &[]);
    let unset = |mut more: Value| {
        merge(
            &mut more,
            json!({"spec": {"source": {"targetRevision": null}}}),
        );
        more
    };
    let merged = |mut one: Value, other: Value| {
        merge(&mut one, other);
        one
    };
    let other_field = (
        "argocd-controller",
        "Apply",
        json!({"f:spec": {"f:project": {}}}),
    );
    let ours = (
        "argocd-infisical",
        "Update",
        json!({"f:spec": {"f:source": {"f:targetRevision": {}}}}),
    );
    let unreadable = json!({"metadata": {"annotations": {
        "kubectl.kubernetes.io/last-applied-configuration": "{"
    }}});
    let contested: &[&str] = &[RULE, OPTION];
    #[rustfmt::skip] // one row a line
    let rows: Vec<Row> = vec![
        ("nothing known", json!({}), none(), REVISION, contested),
        ("nothing known, and no field", unset(json!({})), none(), REVISION, &[]),
        ("applied by Argo CD", revision_managed(&[("argocd-controller", "Apply")]), none(), REVISION, contested),
        ("applied by Argo CD, with a rule", revision_managed(&[("argocd-controller", "Apply"), ("argocd-infisical", "Update")]), parent(&[managers(OURS)], &[RESPECT]), REVISION, &[]),
        ("applied by Argo CD without the field", unset(managed(std::slice::from_ref(&other_field))), none(), REVISION, &[]),
        ("taken over by us", managed(&[other_field, ours]), none(), REVISION, &[]),
        ("taken over by us and taken back", revision_managed(&[("argocd-infisical", "Update"), ("argocd-controller", "Apply")]), none(), REVISION, contested),
        ("taken over by a person", revision_managed(&[("argocd-server", "Update")]), none(), REVISION, contested),
        ("ours and a person's", revision_managed(&[("argocd-infisical", "Update"), ("kubectl-edit", "Update")]), none(), REVISION, contested),
        ("replaced by Argo CD", revision_managed(&[("argocd-controller", "Update")]), none(), REVISION, contested),
        ("last applied without it, though a person wrote it", merged(in_git(&json!({"source": {}})), revision_managed(&[("argocd-server", "Update")])), none(), REVISION, &[]),
        ("last applied without it, applied with it since", merged(in_git(&json!({"source": {}})), revision_managed(&[("argocd-controller", "Apply")])), none(), REVISION, contested),
        ("last applied with it, though ours alone", merged(all_in_git(), revision_managed(&[("argocd-infisical", "Update")])), none(), REVISION, contested),
        ("last applied cannot be read", unreadable, none(), REVISION, contested),
    ];
    check(rows, &Instance::default());
}

#[test]
fn an_app_of_apps_that_replaces_objects_takes_what_git_does_not_have() {
    let bare = || in_git(&json!({"source": {}}));
    let annotated = |options: &str| {
        let mut more = bare();
        let annotation = json!({"argocd.argoproj.io/sync-options": options});
        merge(&mut more, json!({"metadata": {"annotations": annotation}}));
        more
    };
    #[rustfmt::skip] // one row a line
    let rows: Vec<Row> = vec![
        ("replaces", bare(), parent(&[], &[REPLACE]), REVISION, &[RULE, OPTION]),
        ("replaces, a rule on the manager", bare(), parent(&[managers(OURS)], &[REPLACE, RESPECT]), REVISION, &[RULE]),
        ("replaces, a pointer", bare(), parent(&[pointers(&[REVISION_AT])], &[REPLACE, RESPECT]), REVISION, &[]),
        ("replaces what Git has, a rule on the manager", all_in_git(), parent(&[managers(OURS)], &[REPLACE, RESPECT]), REVISION, &[]),
        ("the child says so", annotated("Prune=false, Replace=true"), parent(&[], &[]), REVISION, &[RULE, OPTION]),
        ("the child says something else", annotated("Prune=false,Replace=false"), parent(&[], &[]), REVISION, &[]),
    ];
    check(rows, &Instance::default());
}

#[test]
fn the_annotation_of_the_child_counts_where_git_has_it() {
    let annotation = "argocd.argoproj.io/ignore-differences";
    let pointers = "jsonPointers:\n- /spec/source/targetRevision\n";
    let spec = json!({"source": {"targetRevision": "main"}});
    let live = |text: &str| json!({"metadata": {"annotations": {annotation: text}}});
    let with = |mut more: Value, text: &str| {
        merge(&mut more, live(text));
        more
    };
    let in_git = |text: &str| {
        let mut manifest = live(text);
        merge(&mut manifest, json!({"spec": spec}));
        with(applied(&manifest), text)
    };
    let managed = |manager, text: &str| {
        let fields = json!({
            "f:metadata": {"f:annotations": {format!("f:{annotation}"): {}}},
            "f:spec": {"f:source": {"f:targetRevision": {}}},
        });
        let by_argo_cd = json!({"f:spec": {"f:source": {"f:targetRevision": {}}}});
        let entries = [
            (manager, "Apply", fields),
            ("argocd-controller", "Apply", by_argo_cd),
        ];
        with(managed(&entries), text)
    };
    let respects = || parent(&[], &[RESPECT]);
    #[rustfmt::skip] // one row a line
    let rows: Vec<Row> = vec![
        ("in Git", in_git(pointers), respects(), REVISION, &[]),
        ("in Git, without the option", in_git(pointers), parent(&[], &[]), REVISION, &[OPTION]),
        ("in Git, another field", in_git("jsonPointers: [/spec/project]"), respects(), REVISION, &[RULE]),
        ("in Git, no YAML", in_git("jsonPointers: ["), respects(), REVISION, &[RULE]),
        ("in Git, other rules", in_git("managedFieldsManagers: [argocd-infisical]"), respects(), REVISION, &[RULE]),
        ("in the cluster alone", with(all_in_git(), pointers), respects(), REVISION, &[RULE]),
        ("applied by Argo CD", managed("argocd-controller", pointers), respects(), REVISION, &[]),
        ("applied by a person", managed("kubectl", pointers), respects(), REVISION, &[RULE]),
    ];
    check(rows, &Instance::default());
}

#[test]
fn rules_of_argo_cd_as_a_whole() {
    let of_applications = "resource.customizations.ignoreDifferences.argoproj.io_Application";
    let of_all = "resource.customizations.ignoreDifferences.all";
    let manager = "managedFieldsManagers: [argocd-infisical]\n";
    let older = "argoproj.io/Application:\n  health.lua: x\n  ignoreDifferences: |\n    jsonPointers: [/spec/source/targetRevision]\n";
    let split = "resource.customizations.ignoreDifferences.apps_Deployment";
    let updates = "resource.customizations.ignoreResourceUpdates.all";
    let all = "resource.customizations";
    let respects = || parent(&[], &[RESPECT]);
    #[rustfmt::skip] // one row a line
    let rows: Vec<(&str, Instance, Parent, &[&str])> = vec![
        ("for Applications", config(&[(of_applications, manager)]), respects(), &[]),
        ("for all", config(&[(of_all, manager)]), respects(), &[]),
        ("in one text", config(&[(all, older)]), respects(), &[]),
        ("without the option", config(&[(of_applications, manager)]), parent(&[], &[]), &[OPTION]),
        ("for another kind", config(&[(split, manager)]), respects(), &[RULE]),
        ("for something else", config(&[(updates, manager)]), respects(), &[RULE]),
        ("no YAML", config(&[(of_applications, "jsonPointers: [")]), respects(), &[RULE]),
        ("another field", config(&[(of_applications, "jsonPointers: [/spec/project]")]), respects(), &[RULE]),
        ("in one text, no map", config(&[(all, "x")]), respects(), &[RULE]),
        ("a key of its own wins", config(&[(all, older), (of_applications, "{}")]), respects(), &[RULE]),
    ];
    for (row, instance, parent, missing) in rows {
        check(
            vec![(row, all_in_git(), parent, REVISION, missing)],
            &instance,
        );
    }
}

#[test]
fn the_whole_hint_of_an_app_of_apps() {
    let child = application(all_in_git());
    let judged = judge_parent(&child, BOTH, &parent(&[], &[]), &Instance::default());
    let reason = judged.unwrap_err();
    assert_eq!(
        reason.message,
        "the Application `argocd/apps` would put back `spec.source.targetRevision` and `spec.source.plugin.env`: its manifests in Git have it"
    );
    assert_eq!(
        reason.hint.unwrap(),
        "give the Application `argocd/apps`, where it is written, what it lacks of this: a rule in `spec.ignoreDifferences` and `RespectIgnoreDifferences=true` in `spec.syncPolicy.syncOptions`

spec:
  ignoreDifferences:
  - group: argoproj.io
    kind: Application
    managedFieldsManagers:
    - argocd-infisical
  syncPolicy:
    syncOptions:
    - RespectIgnoreDifferences=true
"
    );
}
