//! The rows are those that were measured against a real Argo CD, and what its code adds to them.

mod owners;
mod parents;
mod sets;

use serde::Deserialize;
use serde_json::{Value, json};

use super::*;
use crate::steer::application::Name;
use crate::steer::owner::Tracking;
use crate::steer::policy::Policy;
use crate::steer::reason::Reason;

const REVISION: &[Field] = &[Field::TargetRevision];
const ENV: &[Field] = &[Field::Env];
const BOTH: &[Field] = &[Field::TargetRevision, Field::Env];
const SOURCES: &[Field] = &[Field::Sources];

const REVISION_AT: &str = "/spec/source/targetRevision";
const ENV_AT: &str = "/spec/source/plugin/env";
const OURS: &[&str] = &["argocd-infisical"];

const RULE: &str = "a rule in `spec.ignoreDifferences`";
const OPTION: &str = "`RespectIgnoreDifferences=true` in `spec.syncPolicy.syncOptions`";

fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}

/// An Application with all fields, and whatever else.
fn application(more: Value) -> Application {
    let mut value = json!({
        "metadata": {"namespace": "argocd", "name": "web"},
        "spec": {
            "source": {
                "repoURL": "https://git.example/web",
                "targetRevision": "dev",
                "plugin": {"name": "argocd-infisical", "env": [{"name": "A", "value": "b"}]},
            },
            "sources": [],
        },
    });
    merge(&mut value, more);
    Application::deserialize(value).unwrap()
}

/// What an Application looks like whose manifest in Git was applied on the client's side.
fn in_git(spec: &Value) -> Value {
    applied(&json!({"spec": spec}))
}

fn applied(manifest: &Value) -> Value {
    let key = "kubectl.kubernetes.io/last-applied-configuration";
    json!({"metadata": {"annotations": {key: manifest.to_string()}}})
}

fn all_in_git() -> Value {
    in_git(&json!({"source": {"targetRevision": "main", "plugin": {"env": []}}, "sources": [{}]}))
}

/// What an Application looks like whose fields have these managers: `(manager, operation, fieldsV1)`.
fn managed(managers: &[(&str, &str, Value)]) -> Value {
    let entries: Vec<Value> = managers
        .iter()
        .map(|(manager, operation, fields)| {
            json!({"manager": manager, "operation": operation, "fieldsV1": fields})
        })
        .collect();
    json!({"metadata": {"managedFields": entries}})
}

fn revision_managed(managers: &[(&str, &str)]) -> Value {
    let fields = json!({"f:spec": {"f:source": {"f:targetRevision": {}}}});
    let managers: Vec<_> = managers
        .iter()
        .map(|(manager, operation)| (*manager, *operation, fields.clone()))
        .collect();
    managed(&managers)
}

fn parent(rules: &[Value], options: &[&str]) -> Parent {
    let rules = rules.iter();
    Parent {
        ignore_differences: rules
            .map(|rule| Deserialize::deserialize(rule).unwrap())
            .collect(),
        sync_policy: Deserialize::deserialize(json!({"syncOptions": options})).unwrap(),
    }
}

fn rule(fields: Value) -> Value {
    let mut rule = json!({"group": "argoproj.io", "kind": "Application"});
    merge(&mut rule, fields);
    rule
}

fn pointers(pointers: &[&str]) -> Value {
    rule(json!({"jsonPointers": pointers}))
}

fn managers(managers: &[&str]) -> Value {
    rule(json!({"managedFieldsManagers": managers}))
}

fn set(spec: &Value) -> ApplicationSet {
    ApplicationSet::deserialize(json!({"spec": spec})).unwrap()
}

/// What is read of a `ConfigMap` with this data.
fn config(data: &[(&str, &str)]) -> Instance {
    let data = data.iter();
    let data = data.map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    Instance::from_config(&data.collect())
}

fn parent_name() -> OwnerName {
    OwnerName::Application(Name::new("argocd", "apps"))
}

fn set_name() -> OwnerName {
    OwnerName::ApplicationSet(Name::new("argocd", "webs"))
}

fn judge_parent(
    application: &Application,
    fields: &[Field],
    parent: &Parent,
    instance: &Instance,
) -> Result<(), Reason> {
    let owner = Owner::Application(Box::new(parent.clone()));
    judge(application, fields, &[(parent_name(), &owner)], instance)
}

fn judge_set(
    application: &Application,
    fields: &[Field],
    set: &ApplicationSet,
) -> Result<(), Reason> {
    let owner = Owner::ApplicationSet(Box::new(set.clone()));
    judge(
        application,
        fields,
        &[(set_name(), &owner)],
        &Instance::default(),
    )
}

/// The YAML of a hint.
fn yaml(reason: &Reason) -> Value {
    let hint = reason.hint.as_deref().unwrap();
    let (_, yaml) = hint.split_once("\n\n").unwrap();
    serde_saphyr::from_str(yaml).unwrap()
}

/// The words of a hint after those that say what it is about.
fn lacks<'a>(reason: &'a Reason, before: &str) -> &'a str {
    let hint = reason.hint.as_deref().unwrap();
    let first = hint.lines().next().unwrap();
    let (_, lacks) = first.split_once(before).unwrap();
    lacks
}

/// An app of apps that somebody gave what the hint says.
fn cured(parent: &Parent, reason: &Reason) -> Parent {
    let yaml = yaml(reason);
    let mut cured = parent.clone();
    let rules: Vec<_> = Deserialize::deserialize(&yaml["spec"]["ignoreDifferences"]).unwrap();
    cured.ignore_differences.extend(rules);
    let options: Vec<String> =
        Deserialize::deserialize(&yaml["spec"]["syncPolicy"]["syncOptions"]).unwrap();
    cured.sync_policy.sync_options.extend(options);
    cured
}

/// A row of a table for apps of apps: what it says, the child, the parent, the fields, and what the parent lacks.
type Row<'a> = (&'a str, Value, Parent, &'a [Field], &'a [&'a str]);

fn check(rows: Vec<Row>, instance: &Instance) {
    for (row, child, parent, fields, missing) in rows {
        let child = application(child);
        let judged = judge_parent(&child, fields, &parent, instance);
        if missing.is_empty() {
            assert_eq!(judged, Ok(()), "{row}");
            continue;
        }
        let reason = judged.expect_err(row);
        assert_eq!(reason.code, Code::OwnedByApplication, "{row}");
        assert_eq!(lacks(&reason, "of this: "), missing.join(" and "), "{row}");
        let cured = cured(&parent, &reason);
        assert_eq!(
            judge_parent(&child, fields, &cured, instance),
            Ok(()),
            "{row}, cured"
        );
    }
}

#[test]
fn a_hint_says_that_sources_are_one_field() {
    let child = application(all_in_git());
    let element = ["/spec/sources/0/targetRevision"];
    let of_parent = judge_parent(
        &child,
        SOURCES,
        &parent(&[pointers(&element)], &[]),
        &Instance::default(),
    );
    let of_set = judge_set(
        &child,
        SOURCES,
        &set(&json!({"ignoreApplicationDifferences": [{"jsonPointers": element}]})),
    );
    for reason in [of_parent, of_set] {
        let hint = reason.unwrap_err().hint.unwrap();
        assert!(hint.contains("`spec.sources` is one field"), "{hint}");
    }
    let of_revision = judge_parent(&child, REVISION, &parent(&[], &[]), &Instance::default());
    assert!(
        !of_revision
            .unwrap_err()
            .hint
            .unwrap()
            .contains("is one field")
    );
}

#[test]
fn owners_that_are_gone_write_nothing_and_those_not_known_may() {
    let child = application(all_in_git());
    let unknown = |owner| {
        judge(
            &child,
            REVISION,
            &[(parent_name(), owner)],
            &Instance::default(),
        )
    };
    assert_eq!(unknown(&Owner::Absent), Ok(()));
    let reason = unknown(&Owner::Unreadable).unwrap_err();
    assert_eq!(reason.code, Code::OwnerUnknown);
    assert!(
        reason
            .hint
            .unwrap()
            .contains("`applications` of `argoproj.io` in the namespace `argocd`")
    );

    // What is known to be contested is told first.
    let set = Owner::ApplicationSet(Box::default());
    let owners = [(parent_name(), &Owner::Unreadable), (set_name(), &set)];
    let reason = judge(&child, REVISION, &owners, &Instance::default()).unwrap_err();
    assert_eq!(reason.code, Code::OwnedByApplicationSet);

    assert_eq!(judge(&child, REVISION, &[], &Instance::default()), Ok(()));
}

#[test]
fn annotations_stay_where_nobody_removes_them() {
    let state = "argocd-infisical.io/state";
    let keeps = |owner: &Owner| keeps_annotation(&[(parent_name(), owner)], state);
    let (apps, webs) = (
        Owner::Application(Box::default()),
        Owner::ApplicationSet(Box::default()),
    );
    let replacing = Owner::Application(Box::new(parent(&[], &[REPLACE])));
    assert!(keeps(&apps));
    assert!(!keeps(&replacing));
    assert!(!keeps(&webs));
    assert!(keeps(&Owner::Absent));
    assert!(!keeps(&Owner::Unreadable));
    assert!(keeps_annotation(&[], state));
    assert!(!keeps_annotation(
        &[(parent_name(), &apps), (set_name(), &webs)],
        state
    ));
}
