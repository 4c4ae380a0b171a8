//! The objects with settings and revisions: whether they are there, and say what they have to.

use std::collections::BTreeSet;

use serde_json::json;

use super::cure;
use super::finding::{Code, Finding, Severity};
use super::look::{Look, Sight, named};
use super::seen::DescribedApplication;
use crate::settings::consent::{ALLOWED, Caller, KEYS, LABEL, Refusal, admit};
use crate::settings::object::{Object, ObjectKind, ObjectName, Reference};
use crate::steer::Name;
use crate::steer::desired::{KEY, PLAIN_KEY};
use crate::steer::policy::{APPLICATION, ENVIRONMENT, Namespaces};
use crate::steer::unheard::{Unheard, unheard};

/// What the Infisical operator writes on everything of its own.
pub(super) const MANAGED: &str = "secrets.infisical.com/version";

/// Finds what is wrong with them.
pub(super) fn examine(look: &Look<'_>, findings: &mut Vec<Finding>) {
    for (name, described) in look.applications() {
        for reference in look.references(described) {
            settings(look, (name, described), &reference, findings);
        }
    }
    for (name, object) in look.objects() {
        revision(look, name, object, findings);
    }
    // Whom an object names is known where the Applications are.
    if look.knows_policy && look.seen.applications.known().is_some() {
        for unheard in unheard(&look.state, &look.policy) {
            let Unheard {
                object,
                message,
                hint,
            } = unheard;
            let finding = Finding::new(Code::OverrideUnheard, object.to_string(), message);
            findings.push(finding.cure(format!("# {hint}")));
        }
    }
}

/// One object that an Application names.
fn settings(
    look: &Look<'_>,
    (name, described): (&Name, &DescribedApplication),
    reference: &Reference,
    findings: &mut Vec<Finding>,
) {
    let object_name = &reference.object;
    let object = match look.object(object_name) {
        Sight::There(object) => Some(object),
        Sight::Absent => None,
        Sight::Unknown => return,
    };
    if look.controller.is_some() && !look.is_watched(object_name.kind, &object_name.namespace) {
        let code = Code::SettingsNotWatched;
        not_watched(look, code, object_name, "it holds settings", findings);
    }
    let instance = name.instance(&look.seen.argocd_namespace);
    let Ok(caller) = Caller::new(described.application.project(), &instance) else {
        return;
    };
    match admit(reference, object, &caller) {
        Ok(admitted) => values(object_name, object, &admitted.values, findings),
        // That one may be missing is said by the Application itself.
        Err(Refusal::Absent) if reference.is_optional => {}
        Err(refusal) => {
            let finding = refused(refusal, (object_name, object), &caller, &named(name));
            findings.push(if reference.is_optional {
                finding.of_severity(Severity::Warning)
            } else {
                finding
            });
        }
    }
}

/// Why an Application reads nothing of an object.
fn refused(
    refusal: Refusal,
    (name, object): (&ObjectName, Option<&Object>),
    caller: &Caller,
    application: &str,
) -> Finding {
    let (code, message) = match refusal {
        Refusal::Absent => (
            Code::SettingsAbsent,
            format!("it is not there, and {application} asks for it"),
        ),
        Refusal::NotSynced => (
            Code::SettingsEmpty,
            format!("it holds nothing yet, and {application} asks for it"),
        ),
        Refusal::Unlabelled => (
            Code::SettingsUnlabelled,
            format!("it lacks the label `{LABEL}`, so that {application} cannot read it"),
        ),
        Refusal::NotAllowed => (
            Code::SettingsNotAllowed,
            format!("its annotation `{ALLOWED}` does not name {application}"),
        ),
        Refusal::NoKeys => (
            Code::SettingsNoKeys,
            format!(
                "it lacks the annotation `{KEYS}`, which a Secret needs, so that {application} cannot read it"
            ),
        ),
    };
    let cure = match refusal {
        Refusal::Absent | Refusal::NotSynced => {
            "# see what the operator says of what it is synced from\nkubectl describe infisicalstaticsecrets,infisicalsecrets -A".to_owned()
        }
        Refusal::Unlabelled | Refusal::NotAllowed | Refusal::NoKeys => {
            consent(name, object, caller)
        }
    };
    Finding::new(code, name.to_string(), message).cure(cure)
}

/// What an owner writes on an object to consent.
fn consent(name: &ObjectName, object: Option<&Object>, caller: &Caller) -> String {
    let entry = format!("{}/{}", caller.project, caller.application);
    let before = object.and_then(|object| object.annotations.get(ALLOWED));
    let allowed = match before
        .map(|before| before.trim())
        .filter(|before| !before.is_empty())
    {
        Some(before) if before.split(',').any(|each| each.trim() == entry) => before.to_owned(),
        Some(before) => format!("{before}, {entry}"),
        None => entry,
    };
    let mut annotations = json!({ALLOWED: allowed});
    let is_secret = name.kind == ObjectKind::Secret;
    let keys = object.and_then(|object| object.annotations.get(KEYS));
    if is_secret || keys.is_some() {
        annotations[KEYS] = json!(keys.map_or("THE, KEYS, THAT, MAY, BE, SEEN", String::as_str));
    }
    let metadata = json!({"labels": {LABEL: "true"}, "annotations": annotations});
    let is_managed = object.is_some_and(|object| object.annotations.contains_key(MANAGED));
    if is_managed {
        let words = "on the target of what the operator syncs (`targets[].metadata`; of an InfisicalSecret `template.metadata`); it discloses these keys";
        cure::with(words, &json!({"metadata": metadata}))
    } else {
        cure::with(
            "on the object; it discloses these keys",
            &json!({"metadata": metadata}),
        )
    }
}

/// Keys that may be read and have no value.
fn values(
    name: &ObjectName,
    object: Option<&Object>,
    values: &std::collections::BTreeMap<&str, &[u8]>,
    findings: &mut Vec<Finding>,
) {
    let mut missing: BTreeSet<String> = values
        .iter()
        .filter(|(_, value)| crate::settings::is_missing(value))
        .map(|(key, _)| format!("`{key}`"))
        .collect();
    let listed = object.and_then(|object| object.annotations.get(KEYS));
    let listed = listed.into_iter().flat_map(|listed| listed.split(','));
    let listed = listed.map(str::trim).filter(|key| !key.is_empty());
    missing.extend(
        listed
            .filter(|key| !values.contains_key(key))
            .map(|key| format!("`{key}`")),
    );
    if missing.is_empty() {
        return;
    }
    let missing: Vec<String> = missing.into_iter().collect();
    let message = format!(
        "these of its keys may be read and have no value, so that the repository's defaults count: {}",
        missing.join(", ")
    );
    let cure = format!(
        "# give them a value in Infisical, or take them out of `{KEYS}`; in a template of the operator `secretFrom` fails where `.KEY.Value` writes `<no value>`"
    );
    findings.push(Finding::new(Code::ValueMissing, name.to_string(), message).cure(cure));
}

fn not_watched(
    look: &Look<'_>,
    code: Code,
    name: &ObjectName,
    why: &str,
    findings: &mut Vec<Finding>,
) {
    let message = format!("{why}, and the controller does not look at objects of its namespace");
    let mut namespaces: Vec<&str> = match &look.policy.object_namespaces {
        Namespaces::All => Vec::new(),
        Namespaces::Only(names) => names.iter().map(String::as_str).collect(),
    };
    namespaces.push(&name.namespace);
    let cure = cure::with(
        "in the controller's policy, with manifests/components/controller-namespace/objects for the namespace",
        &json!({"objectNamespaces": namespaces}),
    );
    findings.push(Finding::new(code, name.to_string(), message).cure(cure));
}

/// An object that says a revision.
fn revision(look: &Look<'_>, name: &ObjectName, object: &Object, findings: &mut Vec<Finding>) {
    let is_believed = look.policy.override_namespaces.contains(&name.namespace);
    let key = object.data.keys().find(|key| {
        let is_ours = key
            .strip_prefix(KEY)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('_'));
        is_ours || is_believed && key.as_str() == PLAIN_KEY
    });
    let Some(key) = key else { return };
    let Some(environment) = object.labels.get(ENVIRONMENT) else {
        let message = format!(
            "it has the key `{key}` and lacks the label `{ENVIRONMENT}`: it changes no revision"
        );
        let words = if object.annotations.contains_key(MANAGED) {
            "on the target of what the operator syncs"
        } else {
            "on the object"
        };
        let words =
            format!("{words}; with `{APPLICATION}` as well where it is for one Application");
        let cure = cure::with(
            &words,
            &json!({"metadata": {"labels": {ENVIRONMENT: "dev"}}}),
        );
        findings.push(Finding::new(Code::OverrideUnlabelled, name.to_string(), message).cure(cure));
        return;
    };
    if look.knows_policy && !look.policy.environments.contains_key(environment) {
        let message = format!(
            "its label `{ENVIRONMENT}` says `{environment}`, and the policy has no such environment"
        );
        let environments: Vec<&str> = look
            .policy
            .environments
            .keys()
            .map(String::as_str)
            .collect();
        let cure = format!(
            "# name one of {}, or add it to the controller's policy",
            environments.join(", ")
        );
        findings
            .push(Finding::new(Code::OverrideEnvironment, name.to_string(), message).cure(cure));
    }
    if !look.is_watched(name.kind, &name.namespace) {
        not_watched(
            look,
            Code::OverrideNotWatched,
            name,
            "it says a revision",
            findings,
        );
    }
}
