//! Two versions side by side agree: what one has written on Applications makes another write nothing.
//!
//! `testdata/upgrade` has a cluster that no controller has seen, and beside it the same after each version that wrote something
//! else. A change of what is written is a new file, and the files before it stay: Applications have what they say.

use std::fs;
use std::path::PathBuf;

use argocd_infisical::manifests::Manifests;
use argocd_infisical::settings::digest::DigestKey;
use argocd_infisical::steer::plan::Outcome;
use argocd_infisical::steer::policy::Namespaces;
use argocd_infisical::steer::{Plan, Policy, decide};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::manifests::{read, repository};

/// When the Applications are written for the first time.
const NOW: &str = "2026-11-29T12:00:00Z";

/// The file with what the present version writes: the version that wrote so first.
const PRESENT: &str = "v0.1.0.json";

fn directory() -> PathBuf {
    repository().join("testdata/upgrade")
}

fn policy() -> Policy {
    Policy {
        object_namespaces: Namespaces::Only(["lamp".to_owned()].into()),
        ..Policy::default()
    }
}

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

/// What is decided of a list of objects, with a key that tests know.
fn plan(list: &Value, policy: &Policy, now: Timestamp) -> Plan {
    let mut manifests = Manifests::new(policy, None);
    manifests.add(list.to_string().as_bytes(), "list").unwrap();
    let (mut state, left_out) = manifests.state();
    assert!(left_out.is_empty(), "{left_out:?}");
    state.digest_key = Some(DigestKey::new(&[7; 32]).unwrap());
    decide(&state, policy, now)
}

/// The list after a plan was carried out.
fn after(mut list: Value, plan: &Plan) -> Value {
    for decision in &plan.decisions {
        let mut items = list["items"].as_array_mut().unwrap().iter_mut();
        let application = items
            .find(|item| {
                item["kind"] == "Application" && item["metadata"]["uid"] == decision.uid.as_str()
            })
            .unwrap();
        let operations = decision.patch.iter().flat_map(|patch| &patch.operations);
        for operation in operations {
            carry_out(operation, application);
        }
    }
    list
}

/// One operation of a JSON Patch (RFC 6902), of those that the controller makes.
fn carry_out(operation: &Value, document: &mut Value) {
    let (path, value) = (operation["path"].as_str().unwrap(), &operation["value"]);
    let (parent, last) = path.rsplit_once('/').unwrap();
    match operation["op"].as_str().unwrap() {
        "test" => {
            let found = document.pointer(path).unwrap_or(&Value::Null);
            assert_eq!(found, value, "{path}");
        }
        "replace" => *document.pointer_mut(path).unwrap() = value.clone(),
        "add" => match document.pointer_mut(parent).unwrap() {
            Value::Object(fields) => {
                let name = last.replace("~1", "/").replace("~0", "~");
                fields.insert(name, value.clone());
            }
            Value::Array(items) if last == "-" => items.push(value.clone()),
            other => panic!("{path}: {other}"),
        },
        other => panic!("{other}"),
    }
}

#[test]
fn it_writes_what_it_has_always_written() {
    let (fresh, policy) = (read("testdata/upgrade/fresh.yaml"), policy());
    let plan = plan(&fresh, &policy, now());
    let changed = plan.decisions.iter().filter(|decision| {
        let settings = decision.settings.as_ref().map(|settings| &settings.outcome);
        (&decision.revision.outcome, settings) == (&Outcome::Change, Some(&Outcome::Change))
    });
    assert_eq!(changed.count(), 2, "{plan:#?}");
    let mut text = serde_json::to_string_pretty(&after(fresh, &plan)).unwrap();
    text.push('\n');
    let file = directory().join(PRESENT);
    if std::env::var_os("UPDATE_UPGRADE").is_some() {
        fs::write(&file, &text).unwrap();
    }
    assert_eq!(text, fs::read_to_string(file).unwrap());
}

#[test]
fn what_earlier_versions_have_written_makes_it_write_nothing() {
    let policy = policy();
    let mut checked = 0;
    for entry in fs::read_dir(directory()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if !name.starts_with('v') {
            continue;
        }
        let list: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        for hours in [0, 1, 1000] {
            let later = now() + SignedDuration::from_hours(hours);
            let plan = plan(&list, &policy, later);
            assert_eq!(plan.decisions.len(), 2);
            for decision in &plan.decisions {
                assert_eq!(decision.patch, None, "{name}, {hours} hours later");
                let settings = decision.settings.as_ref().unwrap();
                let outcomes = [&decision.revision.outcome, &settings.outcome];
                assert_eq!(outcomes, [&Outcome::Same; 2], "{name}");
            }
        }
        // It is these settings that are looked at: another value, and both are written again.
        let mut other = list;
        let items = other["items"].as_array_mut().unwrap().iter_mut();
        for item in items.filter(|item| item["kind"] == "ConfigMap") {
            item["data"]["HOSTNAME"] = json!("other.example.org");
        }
        let plan = plan(&other, &policy, now() + SignedDuration::from_hours(1));
        let patches = plan.decisions.iter().filter_map(|it| it.patch.as_ref());
        assert_eq!(patches.count(), 2, "{name}");
        checked += 1;
    }
    assert!(checked > 0);
}
