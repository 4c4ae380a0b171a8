//! `ApplicationSet`s.

use super::*;

const STATE: &str = "argocd-infisical.io/state";

/// Checks a row: what it says, the Application, `spec`, the fields, and which pointers are missing.
fn check(row: &str, child: &Application, spec: &Value, fields: &[Field], missing: &[&str]) {
    let judged = judge_set(child, fields, &set(spec));
    if missing.is_empty() {
        assert_eq!(judged, Ok(()), "{row}");
        return;
    }
    let reason = judged.expect_err(row);
    assert_eq!(reason.code, Code::OwnedByApplicationSet, "{row}");
    let quoted: Vec<String> = missing
        .iter()
        .map(|pointer| format!("`{pointer}`"))
        .collect();
    let wanted = format!(
        "{} in `spec.ignoreApplicationDifferences` and `{STATE}` in `spec.preservedFields.annotations`",
        quoted.join(" and ")
    );
    assert_eq!(lacks(&reason, "it lacks "), wanted, "{row}");
    let mut cured = spec.clone();
    merge(&mut cured, yaml(&reason)["spec"].take());
    assert_eq!(
        judge_set(child, fields, &set(&cured)),
        Ok(()),
        "{row}, cured"
    );
    assert!(keeps(&cured), "{row}, cured");
}

fn keeps(spec: &Value) -> bool {
    let owner = Owner::ApplicationSet(Box::new(set(spec)));
    keeps_annotation(&[(set_name(), &owner)], STATE)
}

#[test]
fn an_application_set_as_measured() {
    let ignores =
        |pointers: &[&str]| json!({"ignoreApplicationDifferences": [{"jsonPointers": pointers}]});
    let policy = |policy: &str| json!({"syncPolicy": {"applicationsSync": policy}});
    let named = |name: &str| json!({"ignoreApplicationDifferences": [{"name": name, "jsonPointers": [REVISION_AT]}]});
    let jq = |expression: &str| json!({"ignoreApplicationDifferences": [{"jqPathExpressions": [expression]}]});
    #[rustfmt::skip] // one row a line
    let rows: Vec<(&str, Value, &[Field], &[&str])> = vec![
        ("nothing ignored", json!({}), REVISION, &[REVISION_AT]),
        ("nothing ignored, env", json!({}), ENV, &[ENV_AT]),
        ("nothing ignored, both", json!({}), BOTH, &[REVISION_AT, ENV_AT]),
        ("targetRevision", ignores(&[REVISION_AT]), REVISION, &[]),
        ("targetRevision, and env is written", ignores(&[REVISION_AT]), ENV, &[ENV_AT]),
        ("env", ignores(&[ENV_AT]), ENV, &[]),
        ("env, and targetRevision is written", ignores(&[ENV_AT]), REVISION, &[REVISION_AT]),
        ("both pointers", ignores(&[REVISION_AT, ENV_AT]), BOTH, &[]),
        ("the plugin", ignores(&[REVISION_AT, "/spec/source/plugin"]), BOTH, &[]),
        ("one of both", ignores(&[REVISION_AT]), BOTH, &[ENV_AT]),
        ("for this Application", named("web"), REVISION, &[]),
        ("for another Application", named("other"), REVISION, &[REVISION_AT]),
        ("jq", jq(".spec.source.targetRevision"), REVISION, &[]),
        ("jq that is no path", jq(".spec.source.targetRevision // 1"), REVISION, &[REVISION_AT]),
        ("create-only", policy("create-only"), BOTH, &[]),
        ("create-delete", policy("create-delete"), BOTH, &[]),
        ("create-update", policy("create-update"), BOTH, &[REVISION_AT, ENV_AT]),
        ("sync", policy("sync"), REVISION, &[REVISION_AT]),
        ("sources", json!({}), SOURCES, &["/spec/sources"]),
        ("the whole list", ignores(&["/spec/sources"]), SOURCES, &[]),
        ("one element", ignores(&["/spec/sources/0/targetRevision"]), SOURCES, &["/spec/sources"]),
        ("no fields", json!({}), &[], &[]),
    ];
    // The annotation of the template is no help, and what Git had does not matter.
    let annotation = json!({"metadata": {"annotations": {
        "argocd.argoproj.io/ignore-differences": "jsonPointers: [/spec]"
    }}});
    for child in [json!({}), in_git(&json!({"source": {}})), annotation] {
        let child = application(child);
        for (row, spec, fields, missing) in &rows {
            check(row, &child, spec, fields, missing);
        }
    }
}

#[test]
fn the_whole_hint_of_an_application_set_keeps_what_it_has() {
    let set = set(&json!({
        "ignoreApplicationDifferences": [
            {"name": "web", "jsonPointers": ["/spec/syncPolicy"]},
            {"jsonPointers": ["/spec/source/plugin/env"]},
            {"jqPathExpressions": [".spec.source.helm.values"]},
        ],
        "preservedFields": {"annotations": ["example.org/note: x"]},
    }));
    let reason = judge_set(&application(json!({})), BOTH, &set).unwrap_err();
    assert_eq!(
        reason.message,
        "the ApplicationSet `argocd/webs` would put back `spec.source.targetRevision`"
    );
    assert_eq!(
        reason.hint.unwrap(),
        "let the ApplicationSet `argocd/webs`, where it is written, have this; it lacks `/spec/source/targetRevision` in `spec.ignoreApplicationDifferences` and `argocd-infisical.io/state` in `spec.preservedFields.annotations`

spec:
  ignoreApplicationDifferences:
  - jsonPointers:
    - /spec/syncPolicy
    name: web
  - jsonPointers:
    - /spec/source/plugin/env
    - /spec/source/targetRevision
  - jqPathExpressions:
    - .spec.source.helm.values
  preservedFields:
    annotations:
    - 'example.org/note: x'
    - argocd-infisical.io/state
"
    );
}

#[test]
fn what_an_application_set_has_is_not_shown_where_it_is_much() {
    let pointers: Vec<String> = (0..400).map(|number| format!("/spec/a{number}")).collect();
    let set =
        set(&json!({"ignoreApplicationDifferences": [{"name": "web", "jsonPointers": pointers}]}));
    let reason = judge_set(&application(json!({})), BOTH, &set).unwrap_err();
    let hint = reason.hint.unwrap();
    assert!(hint.len() < 1024 && !hint.contains("a399"), "{hint}");
    assert!(hint.contains(
        "too much to be shown:\n\nspec:\n  ignoreApplicationDifferences:\n  - jsonPointers:\n    - /spec/source/targetRevision\n"
    ));
}

#[test]
fn an_application_set_removes_annotations_that_it_does_not_preserve() {
    let ignores = |rule: Value| json!({"ignoreApplicationDifferences": [rule]});
    let preserves = |annotations: &[&str]| json!({"preservedFields": {"annotations": annotations}});
    let policy = |policy: &str| json!({"syncPolicy": {"applicationsSync": policy}});
    let pointer = "/metadata/annotations/argocd-infisical.io~1state";
    let jq = ".metadata.annotations[\"argocd-infisical.io/state\"]";
    #[rustfmt::skip] // one row a line
    let rows: Vec<(&str, Value, bool)> = vec![
        ("nothing", json!({}), false),
        ("preserved", preserves(&["a", STATE]), true),
        ("another one preserved", preserves(&["a"]), false),
        ("create-only", policy("create-only"), true),
        ("sync", policy("sync"), false),
        ("a pointer", ignores(json!({"jsonPointers": [pointer]})), true),
        ("all annotations", ignores(json!({"jsonPointers": ["/metadata/annotations"]})), true),
        ("jq", ignores(json!({"jqPathExpressions": [jq]})), true),
        ("another field", ignores(json!({"jsonPointers": ["/spec/source"]})), false),
        ("one Application", ignores(json!({"name": "web", "jsonPointers": [pointer]})), false),
    ];
    for (row, spec, wanted) in rows {
        assert_eq!(keeps(&spec), wanted, "{row}");
    }
}
