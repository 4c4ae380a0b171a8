//! Whatever stands in a field or key that the controller reads: no crash, nothing written that may not be, and nothing written
//! again and again.

use std::collections::BTreeMap;

use argocd_infisical::cluster::{Applications, ConfigMaps, Kind as _, Projects, Secrets};
use argocd_infisical::settings::consent::keep_what_may_be_read;
use argocd_infisical::settings::digest::DigestKey;
use argocd_infisical::settings::object::{Object, ObjectKind, ObjectName};
use argocd_infisical::steer::owner::Instance;
use argocd_infisical::steer::plan::{Decision, Outcome};
use argocd_infisical::steer::state::Controls;
use argocd_infisical::steer::unheard::unheard;
use argocd_infisical::steer::{Policy, State, decide};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use serde_json::{Value, json};

use crate::hostile_values::{RECORDS, texts};
use crate::patches::refusal;

/// How a value gets into its place.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Form {
    /// As a text.
    Text,
    /// As bytes, which a Secret has in base64.
    Bytes,
    /// As any JSON.
    Json,
}

use Form::{Bytes, Json, Text};

/// Every place that is read: the object, a JSON pointer in it, and how a value gets there.
const PLACES: [(&str, &str, Form); 92] = [
    ("application", "/metadata/labels", Json),
    (
        "application",
        "/metadata/labels/argocd-infisical.io~1environment",
        Text,
    ),
    (
        "application",
        "/metadata/labels/argocd-infisical.io~1environment",
        Json,
    ),
    ("application", "/metadata/annotations", Json),
    (
        "application",
        "/metadata/annotations/argocd-infisical.io~1hold",
        Text,
    ),
    (
        "application",
        "/metadata/annotations/argocd-infisical.io~1hold",
        Json,
    ),
    (
        "application",
        "/metadata/annotations/argocd-infisical.io~1sources",
        Text,
    ),
    (
        "application",
        "/metadata/annotations/argocd-infisical.io~1state",
        Text,
    ),
    (
        "application",
        "/metadata/annotations/argocd-infisical.io~1state",
        Json,
    ),
    (
        "application",
        "/metadata/annotations/argocd.argoproj.io~1refresh",
        Text,
    ),
    (
        "application",
        "/metadata/annotations/argocd.argoproj.io~1skip-reconcile",
        Text,
    ),
    (
        "application",
        "/metadata/annotations/argocd.argoproj.io~1tracking-id",
        Text,
    ),
    (
        "application",
        "/metadata/annotations/argocd.argoproj.io~1installation-id",
        Text,
    ),
    (
        "application",
        "/metadata/annotations/argocd.argoproj.io~1sync-options",
        Text,
    ),
    (
        "application",
        "/metadata/annotations/argocd.argoproj.io~1ignore-differences",
        Text,
    ),
    (
        "application",
        "/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration",
        Text,
    ),
    ("application", "/metadata/deletionTimestamp", Text),
    ("application", "/metadata/deletionTimestamp", Json),
    ("application", "/metadata/ownerReferences", Json),
    ("application", "/metadata/managedFields", Json),
    ("application", "/metadata/managedFields/0/manager", Text),
    ("application", "/metadata/managedFields/0/time", Text),
    ("application", "/metadata/managedFields/0/fieldsV1", Json),
    ("application", "/spec", Json),
    ("application", "/spec/project", Text),
    ("application", "/spec/project", Json),
    ("application", "/spec/source", Json),
    ("application", "/spec/source/repoURL", Text),
    ("application", "/spec/source/repoURL", Json),
    ("application", "/spec/source/targetRevision", Text),
    ("application", "/spec/source/targetRevision", Json),
    ("application", "/spec/source/chart", Text),
    ("application", "/spec/source/chart", Json),
    ("application", "/spec/source/path", Text),
    ("application", "/spec/source/ref", Text),
    ("application", "/spec/source/plugin", Json),
    ("application", "/spec/source/plugin/name", Text),
    ("application", "/spec/source/plugin/env", Json),
    ("application", "/spec/source/plugin/env/0/name", Text),
    ("application", "/spec/source/plugin/env/0/value", Text),
    ("application", "/spec/source/plugin/env/0", Json),
    ("application", "/spec/source/plugin/parameters", Json),
    ("application", "/spec/source/plugin/parameters/0/name", Text),
    (
        "application",
        "/spec/source/plugin/parameters/0/array",
        Json,
    ),
    (
        "application",
        "/spec/source/plugin/parameters/0/array/0",
        Text,
    ),
    ("application", "/spec/sources", Json),
    ("application", "/spec/syncPolicy", Json),
    ("application", "/spec/syncPolicy/automated", Json),
    ("application", "/spec/sourceHydrator", Json),
    ("application", "/spec/destination", Json),
    ("application", "/spec/destination/namespace", Text),
    ("application", "/spec/ignoreDifferences", Json),
    ("application", "/status", Json),
    ("application", "/status/conditions", Json),
    ("application", "/status/conditions/0/message", Text),
    ("application", "/status/reconciledAt", Text),
    ("application", "/status/sync", Json),
    ("application", "/status/sync/comparedTo", Json),
    ("application", "/status/operationState", Json),
    ("application", "/status/operationState/phase", Text),
    ("application", "/status/operationState/startedAt", Text),
    ("application", "/status/operationState/operation", Json),
    ("application", "/operation", Json),
    ("secret", "/data", Json),
    ("secret", "/data/ARGOCD_TARGET_REVISION", Bytes),
    ("secret", "/data/ARGOCD_TARGET_REVISION", Json),
    ("secret", "/data/TARGET_REVISION", Bytes),
    ("secret", "/data/ARGOCD_TARGET_REVISION__LAMP", Bytes),
    ("secret", "/data/ARGOCD_TARGET_REVISION_UNTIL", Bytes),
    ("secret", "/data/ARGOCD_TARGET_REVISION_UNTIL__LAMP", Bytes),
    (
        "secret",
        "/metadata/labels/argocd-infisical.io~1environment",
        Text,
    ),
    (
        "secret",
        "/metadata/labels/argocd-infisical.io~1application",
        Text,
    ),
    ("map", "/data/ARGOCD_TARGET_REVISION", Text),
    ("map", "/binaryData/ARGOCD_TARGET_REVISION", Bytes),
    ("map", "/metadata/labels", Json),
    ("settings", "/data/A", Bytes),
    (
        "settings",
        "/metadata/labels/argocd-infisical.io~1settings",
        Text,
    ),
    (
        "settings",
        "/metadata/annotations/argocd-infisical.io~1allowed",
        Text,
    ),
    (
        "settings",
        "/metadata/annotations/argocd-infisical.io~1keys",
        Text,
    ),
    ("controls", "/data/pause", Text),
    ("controls", "/data/acknowledged", Text),
    ("project", "/spec", Json),
    ("project", "/spec/syncWindows", Json),
    ("project", "/spec/syncWindows/0/kind", Text),
    ("project", "/spec/syncWindows/0/schedule", Text),
    ("project", "/spec/syncWindows/0/duration", Text),
    ("project", "/spec/syncWindows/0/timeZone", Text),
    ("project", "/spec/syncWindows/0/applications", Json),
    ("argocd", "/data/application.resourceTrackingMethod", Text),
    ("argocd", "/data/application.instanceLabelKey", Text),
    ("argocd", "/data/installationID", Text),
    (
        "argocd",
        "/data/resource.customizations.ignoreDifferences.argoproj.io_Application",
        Text,
    ),
];

/// An Application that takes part, with all that matters of it.
fn lamp(labels: &Value) -> Value {
    let source = json!({
        "repoURL": "https://git.example.org/home.git", "path": "app", "targetRevision": "before",
        "plugin": {
            "name": "argocd-infisical",
            "env": [{"name": "OWN", "value": "kept"}],
            "parameters": [{"name": "settings", "array": ["secret:argocd-infisical/settings"]}],
        },
    });
    json!({
        "metadata": {
            "namespace": "argocd", "name": "lamp", "uid": "u", "resourceVersion": "7", "labels": labels,
            "annotations": {"other": "one"},
            "managedFields": [{"manager": "kubectl-create", "operation": "Update", "time": "2026-11-29T11:00:00Z",
                "fieldsV1": {"f:spec": {"f:source": {"f:targetRevision": {}}}}}],
        },
        "spec": {
            "project": "default", "source": source, "syncPolicy": {"automated": {}},
            "destination": {"namespace": "home", "server": "https://kubernetes.default.svc"},
        },
        "status": {
            "conditions": [{"type": "ComparisonError", "message": "Manifest generation error (cached): x"}],
            "reconciledAt": "2026-11-29T11:00:00Z",
            "sync": {"status": "Synced", "comparedTo": {"source": source}},
            "operationState": {"phase": "Running", "startedAt": "2026-11-29T11:00:00Z",
                "finishedAt": "2026-11-29T11:00:01Z", "message": "Retrying attempt #2",
                "operation": {"initiatedBy": {"automated": true}, "sync": {"source": source}}},
        },
    })
}

/// Everything as it should be.
fn objects() -> BTreeMap<&'static str, Value> {
    let labels = json!({"argocd-infisical.io/environment": "dev"});
    let named = |name: &str, labels: Value, annotations: Value| json!({"namespace": "argocd-infisical", "name": name, "labels": labels, "annotations": annotations});
    let settings = json!({"argocd-infisical.io/settings": "true"});
    let consent =
        json!({"argocd-infisical.io/allowed": "default/lamp", "argocd-infisical.io/keys": "A"});
    [
        ("application", lamp(&labels)),
        (
            "secret",
            json!({"metadata": named("of-dev", labels.clone(), json!({})), "data": {}}),
        ),
        (
            "map",
            json!({"metadata": named("of-dev", labels, json!({})), "data": {}}),
        ),
        (
            "settings",
            json!({"metadata": named("settings", settings, consent), "data": {"A": "b25l"}}),
        ),
        (
            "controls",
            json!({"metadata": {"name": "argocd-infisical-controls"}, "data": {}}),
        ),
        (
            "project",
            json!({"metadata": {"name": "default"}, "spec": {"syncWindows": [
            {"kind": "deny", "schedule": "0 3 * * *", "duration": "1h", "applications": ["*"]}]}}),
        ),
        (
            "argocd",
            json!({"metadata": {"name": "argocd-cm"}, "data": {}}),
        ),
    ]
    .into()
}

/// Puts a value at a JSON pointer; what is missing on the way is made.
fn put(object: &mut Value, pointer: &str, value: Value) {
    let mut place = object;
    for part in pointer.split('/').skip(1) {
        let part = part.replace("~1", "/");
        place = match part.parse::<usize>() {
            Ok(number) if place.is_array() => &mut place[number],
            _ => &mut place[part],
        };
    }
    *place = value;
}

fn now() -> Timestamp {
    "2026-11-29T12:00:00Z".parse().unwrap()
}

/// The state, by way of the decoders that the controller has.
fn state(objects: &BTreeMap<&'static str, Value>) -> State {
    let text = |name: &str| objects[name].to_string();
    let mut state = State {
        projects: Some(BTreeMap::new()),
        digest_key: DigestKey::new(&[7; 32]).ok(),
        ..State::default()
    };
    if let Some(application) = Applications::prune(&text("application")) {
        state
            .applications
            .insert(application.name(), Box::new(application));
    }
    let secret = |name: &str| Secrets::prune(&text(name));
    let map = |name: &str| ConfigMaps::prune(&text(name));
    let mut add = |kind, name: &str, object: Option<Object>| {
        let name = ObjectName {
            kind,
            namespace: "argocd-infisical".into(),
            name: name.into(),
        };
        if let Some(mut object) = object {
            keep_what_may_be_read(&mut object);
            state.objects.insert(name, object);
        }
    };
    add(ObjectKind::Secret, "of-dev", secret("secret"));
    add(ObjectKind::Secret, "settings", secret("settings"));
    add(ObjectKind::ConfigMap, "of-dev", map("map"));
    if let Some(project) = Projects::prune(&text("project")) {
        let projects = state.projects.get_or_insert_default();
        projects.insert("default".into(), project);
    }
    let data = |name: &str| -> BTreeMap<String, String> {
        let object = map(name).map(|object| object.data).unwrap_or_default();
        let text = |value: Vec<u8>| String::from_utf8_lossy(&value).into_owned();
        object
            .into_iter()
            .map(|(key, value)| (key, text(value)))
            .collect()
    };
    state.controls = Controls::read(&data("controls"));
    state.instance = Instance::from_config(&data("argocd"));
    state
}

/// The Application after a JSON Patch; `None` where a test of it fails.
fn patched(application: &Value, operations: &[Value]) -> Option<Value> {
    let mut application = application.clone();
    for operation in operations {
        let (path, value) = (operation["path"].as_str()?, &operation["value"]);
        if operation["op"] == "test" {
            if application.pointer(path).unwrap_or(&Value::Null) != value {
                return None;
            }
            continue;
        }
        let (parent, name) = path.rsplit_once('/')?;
        match application.pointer_mut(parent)? {
            Value::Array(items) if name == "-" => items.push(value.clone()),
            Value::Array(items) => *items.get_mut(name.parse::<usize>().ok()?)? = value.clone(),
            Value::Object(fields) => {
                let name = name.replace("~1", "/").replace("~0", "~");
                fields.insert(name, value.clone());
            }
            _ => return None,
        }
    }
    Some(application)
}

/// Whether a text is the name of a branch, a tag or a commit and nothing else, by rules of this test's own.
fn is_plain(text: &str) -> bool {
    let name = text
        .strip_prefix("refs/heads/")
        .or(text.strip_prefix("refs/tags/"));
    let is_full = name.is_some();
    let name = name.unwrap_or(text);
    let is_hex = name.chars().all(|c| c.is_ascii_hexdigit());
    let parts = || name.split('/');
    (1..=255).contains(&text.len())
        && text.trim() == text
        && !text.starts_with('-')
        && !name.contains(|c: char| c.is_control() || " ~^:?*[\\".contains(c))
        && !["..", "@{", "//"].iter().any(|bad| name.contains(bad))
        && parts().all(|part| {
            !part.is_empty() && !part.starts_with('.') && part.strip_suffix(".lock").is_none()
        })
        && !name.ends_with('.')
        && (is_full
            || !["HEAD", "@"].contains(&name)
                && !is_range(name)
                && ![
                    "refs",
                    "pull",
                    "pull-requests",
                    "merge-requests",
                    "changes",
                    "remotes",
                ]
                .contains(&parts().next().unwrap_or_default())
                && (!is_hex || name.len() < 7 || name.len() == 40))
}

/// Whether a text is a range of versions in its simplest forms: one comparison.
fn is_range(text: &str) -> bool {
    let mut operators = [">=", "<=", "!=", "=", ">", "<"].into_iter();
    let Some(version) = operators.find_map(|operator| text.strip_prefix(operator)) else {
        return false;
    };
    let is_number = |part: &str| {
        let is_one = !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
        is_one && part.len() < 9 && (part == "0" || !part.starts_with('0'))
    };
    let mut parts = version.split('.');
    version.split('.').count() <= 3 && parts.all(|part| is_number(part) || part == "x")
}

/// What the objects ask for, without the line break that a file ends with.
fn is_asked_for(objects: &BTreeMap<&'static str, Value>, revision: &str) -> bool {
    let is_it = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        text.trim_end_matches(['\n', '\r']) == revision
    };
    let decoded = |value: &Value| STANDARD.decode(value.as_str().unwrap_or_default()).ok();
    let fields = [("secret", "data"), ("map", "binaryData")];
    let in_base64 = fields
        .iter()
        .filter_map(|(name, field)| objects[name][field].as_object());
    let mut bytes = in_base64.flat_map(|data| data.values()).filter_map(decoded);
    let mut texts = objects["map"]["data"]
        .as_object()
        .into_iter()
        .flat_map(|data| data.values());
    is_plain(revision)
        && (revision == "dev"
            || bytes.any(|bytes| is_it(&bytes))
            || texts.any(|text| is_it(text.as_str().unwrap_or_default().as_bytes())))
}

/// As many patches may follow from one state: a revision with a digest, and a refresh of what Argo CD does not render.
const PATCHES: usize = 2;

/// What is wrong with what is decided.
fn fault(objects: &BTreeMap<&'static str, Value>, form: Form) -> Option<String> {
    let policy = Policy::default();
    let mut state = state(objects);
    // People are told of keys that nobody listens to: of any text.
    let _told = unheard(&state, &policy);
    let mut application = objects["application"].clone();
    let mut written = Vec::new();
    for _ in 0..=PATCHES {
        let decisions = decide(&state, &policy, now()).decisions;
        let decision = decisions.into_iter().next()?;
        if decision.again.is_some_and(|again| again <= now()) {
            return Some(format!(
                "it would be decided without end: {:?}",
                decision.again
            ));
        }
        if let Some(why) = told(objects, &decision) {
            return Some(why);
        }
        let patch = decision.patch.as_ref()?;
        if let Some(why) = refusal(&patch.operations, |revision| {
            is_asked_for(objects, revision)
        }) {
            return Some(why);
        }
        let Some(after) = patched(&application, &patch.operations) else {
            // What is of another type than Argo CD's, no server has.
            return (form != Json)
                .then(|| format!("the server would refuse it: {:?}", patch.operations));
        };
        application = after;
        state.memory.wrote(&decision, now(), policy.flap.within);
        let Some(read) = Applications::prune(&application.to_string()) else {
            return Some("nobody can read the Application any more".into());
        };
        state.applications.insert(read.name(), Box::new(read));
        written.push(patch.changes.clone());
    }
    Some(format!("it would be patched without end: {written:?}"))
}

/// A value of a Secret that is told to people although it is not written.
fn told(objects: &BTreeMap<&'static str, Value>, decision: &Decision) -> Option<String> {
    let settings = decision.settings.as_ref().map(|settings| &settings.outcome);
    let outcomes = [Some(&decision.revision.outcome), settings];
    let reasons = outcomes
        .into_iter()
        .flatten()
        .filter_map(|outcome| match outcome {
            Outcome::Stays(reason) => Some(format!("{reason:?}")),
            Outcome::Same | Outcome::Change => None,
        });
    let reasons: String = reasons.collect();
    let fields = ["secret", "settings"].into_iter();
    let values = fields.filter_map(|name| objects[name]["data"].as_object());
    let values = values.flat_map(|data| data.values()).filter_map(|value| {
        let bytes = STANDARD.decode(value.as_str()?).ok()?;
        String::from_utf8(bytes).ok()
    });
    // A shorter one may stand in any message and hint, and a hint shows how a time is written.
    let mut values =
        values.filter(|value| value.trim().len() > 12 && value.trim() != "2027-01-31T18:00:00Z");
    let found = values.find(|value| reasons.contains(value.trim()))?;
    Some(format!("{found:?} is told: {reasons}"))
}

fn json_values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        texts().prop_map(Value::from),
        Just(json!({})),
        Just(json!([])),
        Just(json!([null])),
        Just(json!([{}])),
    ];
    let key = proptest::sample::select(vec![
        "name",
        "value",
        "kind",
        "apiVersion",
        "manager",
        "f:spec",
        "f:source",
        "f:targetRevision",
        "time",
        "array",
        "string",
        "env",
        "repoURL",
        "targetRevision",
        "source",
        "sync",
        "status",
        "phase",
        "automated",
        "enabled",
        "operation",
        "initiatedBy",
        "startedAt",
        "message",
        "type",
        "schedule",
        "",
        "a/b",
        "~1",
    ]);
    leaf.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(key.clone(), inner, 0..4).prop_map(|fields| {
                Value::Object(
                    fields
                        .into_iter()
                        .map(|(key, value)| (key.into(), value))
                        .collect(),
                )
            }),
        ]
    })
}

/// As many values for each place; ten thousand take some ten minutes.
fn count() -> usize {
    let is_long = std::env::var_os("ARGOCD_INFISICAL_LONG").is_some_and(|value| value == "1");
    if is_long { 10_000 } else { 50 }
}

#[test]
fn whatever_stands_there_is_read_without_harm() {
    let seed = std::env::var("ARGOCD_INFISICAL_SEED").ok();
    let seed = seed.map_or(1, |seed| seed.parse().unwrap());
    let mut runner = TestRunner::new(Config {
        rng_seed: RngSeed::Fixed(seed),
        ..Config::default()
    });
    let bytes = prop::collection::vec(any::<u8>(), 0..40);
    let (texts, json_values) = (texts(), json_values());
    let usual = objects();
    assert_eq!(fault(&usual, Text), None);
    let (mut faults, mut patches) = (Vec::new(), 0);
    for (name, pointer, form) in PLACES {
        for number in 0..count() {
            let text = texts.new_tree(&mut runner).unwrap().current();
            let value = match form {
                // As it is asked of the record, more often than by chance.
                Text if pointer.ends_with("state") && number % 2 == 0 => {
                    json!(RECORDS[number / 2 % RECORDS.len()])
                }
                Text => json!(text),
                Bytes if number % 4 == 0 => {
                    json!(STANDARD.encode(bytes.new_tree(&mut runner).unwrap().current()))
                }
                Bytes => json!(STANDARD.encode(text)),
                Json => json_values.new_tree(&mut runner).unwrap().current(),
            };
            let mut objects = usual.clone();
            put(objects.get_mut(name).unwrap(), pointer, value.clone());
            patches += usize::from(
                !decide(&state(&objects), &Policy::default(), now())
                    .decisions
                    .is_empty(),
            );
            if let Some(why) = fault(&objects, form) {
                let value: String = value.to_string().chars().take(300).collect();
                let why: String = why.chars().take(1500).collect();
                faults.push(format!("{name} {pointer} {value}: {why}"));
                break;
            }
        }
    }
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults.join("\n")
    );
    // Most of it stands beside an Application that takes part all the same.
    assert!(patches > PLACES.len() * count() / 2, "{patches}");
}
