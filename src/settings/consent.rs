//! Consent: which values of an object its owner lets an Application read.
//!
//! The owner says it on the object itself, with a label and annotations that whoever may write the object can write. The
//! sidecar and the controller ask the one function here.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use super::object::{Object, ObjectKind, ObjectName, Reference, is_label, is_subdomain, items};
use super::{Place, Settings};

/// The label that an object needs to be read at all; its value is `true`.
pub const LABEL: &str = "argocd-infisical.io/settings";
/// The annotation that names who may read: `project/application`, comma separated.
pub const ALLOWED: &str = "argocd-infisical.io/allowed";
/// The annotation that names the keys that may be read, comma separated; a Secret needs it.
pub const KEYS: &str = "argocd-infisical.io/keys";

/// Keys with this in their name say which revision to deploy. They are no settings.
pub const REVISION: &str = "TARGET_REVISION";

/// What stands between the namespace and the name of an Application in what Argo CD calls it.
pub(crate) const BETWEEN: &str = "_";

/// The namespace, where it is not Argo CD's own, and the name of the Application that Argo CD calls this. Neither can have a
/// `_`, so there is one way to read it.
// Argo CD: ParseInstanceName
pub(crate) fn split_instance(instance: &str) -> (Option<&str>, &str) {
    match instance.split_once(BETWEEN) {
        Some((namespace, name)) => (Some(namespace), name),
        None => (None, instance),
    }
}

/// Who asks, as Argo CD says it: nothing that an author of the Application controls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The project, `ARGOCD_APP_PROJECT_NAME`.
    pub project: String,
    /// The Application, `ARGOCD_APP_NAME`: its name, with its namespace and `_` in front outside Argo CD's namespace.
    pub application: String,
}

impl Caller {
    /// Names a caller.
    ///
    /// # Errors
    /// Where no project or no Application can be called that; what is wrong, as the end of a sentence that names both.
    pub fn new(project: &str, application: &str) -> Result<Self, &'static str> {
        if !is_subdomain(project) {
            return Err("has a project that no AppProject can be called");
        }
        let (namespace, name) = split_instance(application);
        if !namespace.is_none_or(is_label) || !is_subdomain(name) {
            return Err("has an Application that no Application can be called");
        }
        Ok(Self {
            project: project.to_owned(),
            application: application.to_owned(),
        })
    }
}

impl FromStr for Caller {
    type Err = &'static str;

    /// Reads `project/application`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (project, application) = text
            .split_once('/')
            .ok_or("has no `/` between a project and an Application")?;
        Self::new(project, application)
    }
}

/// Why an object is not read. What an owner has not allowed looks to a caller like what is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is no such object.
    Absent,
    /// It does not carry the label.
    Unlabelled,
    /// No entry of its annotation names the caller.
    NotAllowed,
    /// It is a Secret without a list of keys.
    NoKeys,
    /// It may be read and holds nothing yet.
    NotSynced,
}

impl Refusal {
    /// Whether the caller may be told more than that there is nothing to read.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::NotSynced)
    }
}

/// An object that may be read, with the values that may be read of it.
pub struct Admitted<'a> {
    /// Which object.
    pub name: ObjectName,
    /// The entry of the annotation that names the caller.
    pub entry: &'a str,
    /// The values, by key.
    pub values: BTreeMap<&'a str, &'a [u8]>,
}

impl Admitted<'_> {
    /// Adds the values to settings.
    pub fn add_to(&self, settings: &mut Settings) {
        let file = self.name.to_string();
        for (key, bytes) in &self.values {
            let origin = Place {
                file: file.clone(),
                line: 0,
            };
            settings.insert(*key, bytes.to_vec(), origin);
        }
        let consent = format!("annotation `{ALLOWED}` has `{}`", self.entry);
        settings.add_object(file, consent);
    }
}

/// Decides what a caller may read of an object; `None` is an object that is not there.
///
/// # Errors
/// Where it may read nothing.
pub fn admit<'a>(
    reference: &Reference,
    object: Option<&'a Object>,
    caller: &Caller,
) -> Result<Admitted<'a>, Refusal> {
    let object = object.ok_or(Refusal::Absent)?;
    if object.labels.get(LABEL).is_none_or(|value| value != "true") {
        return Err(Refusal::Unlabelled);
    }
    let allowed = object.annotations.get(ALLOWED).ok_or(Refusal::NotAllowed)?;
    let entry = items(allowed)
        .find(|entry| names(entry, caller))
        .ok_or(Refusal::NotAllowed)?;
    let listed = object.listed_keys(KEYS);
    if listed.is_none() && reference.object.kind == ObjectKind::Secret {
        return Err(Refusal::NoKeys);
    }
    if object.data.is_empty() {
        return Err(Refusal::NotSynced);
    }
    // What says which revision to deploy is for the controller, and does not count in a digest: nobody renders it.
    let is_listed = |key: &str| {
        !key.contains(REVISION) && listed.as_ref().is_none_or(|listed| listed.contains(&key))
    };
    let values = object.data.iter();
    let values = values
        .filter(|(key, _)| is_listed(key))
        .map(|(key, bytes)| (key.as_str(), bytes.as_slice()))
        .collect();
    Ok(Admitted {
        name: reference.object.clone(),
        entry,
        values,
    })
}

/// Takes the values out of an object that nobody may read from it, whoever asks: of ten thousand objects of a megabyte, little
/// is left. The names of all keys stay, since an object that holds something nobody may read is not an empty one.
pub fn keep_what_may_be_read(object: &mut Object) {
    let has_settings = object
        .labels
        .get(LABEL)
        .is_some_and(|value| value == "true");
    let listed = object.annotations.get(KEYS);
    let listed: Option<BTreeSet<&str>> = listed.map(|list| items(list).collect());
    for (key, value) in &mut object.data {
        let is_listed = listed
            .as_ref()
            .is_none_or(|listed| listed.contains(key.as_str()));
        let is_read = key.contains(REVISION) || (has_settings && is_listed);
        if !is_read {
            *value = Vec::new();
        }
    }
}

/// Whether an entry, `project/application`, names a caller. The project is literal; in the application `*` stands for any
/// characters but `_`, so an entry without `_` names no Application outside Argo CD's namespace.
fn names(entry: &str, caller: &Caller) -> bool {
    let Some((project, application)) = entry.split_once('/') else {
        return false;
    };
    !project.is_empty()
        && project == caller.project
        && !caller.application.is_empty()
        && matches(application, &caller.application)
}

/// Whether a pattern with `*` matches the whole of a text, in time that is bounded by the product of their lengths.
fn matches(pattern: &str, text: &str) -> bool {
    // By length: whether what has been read of the pattern matches the beginning of the text of that length.
    let mut reached = vec![false; text.len() + 1];
    reached[0] = true;
    for step in pattern.bytes() {
        let mut before = false;
        for (length, is_reached) in reached.iter_mut().enumerate() {
            let last = length
                .checked_sub(1)
                .and_then(|last| text.as_bytes().get(last));
            let was_reached = *is_reached;
            *is_reached = if step == b'*' {
                // `before` is what a star reaches one byte earlier.
                was_reached || (before && last.is_some_and(|last| *last != b'_'))
            } else {
                before && last == Some(&step)
            };
            before = if step == b'*' {
                *is_reached
            } else {
                was_reached
            };
        }
    }
    reached.last() == Some(&true)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn caller(project: &str, application: &str) -> Caller {
        Caller {
            project: project.into(),
            application: application.into(),
        }
    }

    fn object(labels: &[(&str, &str)], annotations: &[(&str, &str)]) -> Object {
        let map = |pairs: &[(&str, &str)]| {
            let pairs = pairs.iter();
            pairs
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect()
        };
        Object {
            labels: map(labels),
            annotations: map(annotations),
            data: [("A", "1"), ("B", "2")]
                .map(|(key, value)| (key.to_owned(), value.as_bytes().to_vec()))
                .into(),
        }
    }

    fn decide(
        reference: &str,
        labels: &[(&str, &str)],
        annotations: &[(&str, &str)],
    ) -> Result<Vec<String>, Refusal> {
        let object = object(labels, annotations);
        let reference = reference.parse().unwrap();
        admit(&reference, Some(&object), &caller("home", "lamp"))
            .map(|admitted| admitted.values.keys().map(ToString::to_string).collect())
    }

    const ON: &[(&str, &str)] = &[(LABEL, "true")];

    #[test]
    fn label_annotation_and_keys_are_all_needed() {
        let allowed = (ALLOWED, "home/lamp");
        let read = |keys: &[&str]| Ok(keys.iter().map(ToString::to_string).collect());
        assert_eq!(decide("n/a", ON, &[allowed]), read(&["A", "B"]));
        assert_eq!(decide("n/a", &[], &[allowed]), Err(Refusal::Unlabelled));
        for value in ["false", "True", "1", "", "true "] {
            assert_eq!(
                decide("n/a", &[(LABEL, value)], &[allowed]),
                Err(Refusal::Unlabelled)
            );
        }
        assert_eq!(decide("n/a", ON, &[]), Err(Refusal::NotAllowed));
        assert_eq!(decide("secret:n/a", ON, &[allowed]), Err(Refusal::NoKeys));
        assert_eq!(
            decide("secret:n/a", ON, &[allowed, (KEYS, " B , C")]),
            read(&["B"])
        );
        assert_eq!(decide("secret:n/a", ON, &[allowed, (KEYS, "")]), read(&[]));
        assert_eq!(decide("secret:n/a", ON, &[allowed, (KEYS, "*")]), read(&[]));
        assert_eq!(decide("n/a", ON, &[allowed, (KEYS, "A")]), read(&["A"]));
    }

    #[test]
    fn what_is_not_there_and_what_is_not_filled() {
        let reference = "n/a".parse().unwrap();
        let who = caller("home", "lamp");
        assert_eq!(admit(&reference, None, &who).err(), Some(Refusal::Absent));
        let mut empty = object(ON, &[(ALLOWED, "home/lamp")]);
        empty.data.clear();
        assert_eq!(
            admit(&reference, Some(&empty), &who).err(),
            Some(Refusal::NotSynced)
        );
        // Nobody else learns that it is empty.
        assert_eq!(
            admit(&reference, Some(&empty), &caller("other", "lamp")).err(),
            Some(Refusal::NotAllowed)
        );
    }

    /// An entry, a caller, and whether the entry names it.
    const ENTRIES: [(&str, &str, &str, bool); 26] = [
        ("home/lamp", "home", "lamp", true),
        ("home/*", "home", "lamp", true),
        ("home/l*p", "home", "lamp", true),
        ("home/lamp*", "home", "lamp", true),
        ("home/*a*m*", "home", "lamp", true),
        ("home/tenant_lamp", "home", "tenant_lamp", true),
        ("home/tenant_*", "home", "tenant_lamp", true),
        ("home/*_*", "home", "tenant_lamp", true),
        // Applications outside Argo CD's namespace are named with it.
        ("home/*", "home", "tenant_lamp", false),
        ("home/lamp", "home", "tenant_lamp", false),
        ("home/*lamp", "home", "tenant_lamp", false),
        ("home/tenant*", "home", "tenant_lamp", false),
        ("home/*_*", "home", "lamp", false),
        // The project is no pattern.
        ("*/lamp", "home", "lamp", false),
        ("ho*/lamp", "home", "lamp", false),
        ("*", "home", "lamp", false),
        ("*/*", "home", "lamp", false),
        ("home", "home", "lamp", false),
        ("home/", "home", "lamp", false),
        ("/lamp", "", "lamp", false),
        ("/lamp", "home", "lamp", false),
        ("home/*", "home", "", false),
        ("home/LAMP", "home", "lamp", false),
        ("home/l?mp", "home", "lamp", false),
        ("home/[l]amp", "home", "lamp", false),
        ("home/lamp/x", "home", "lamp", false),
    ];

    #[test]
    fn entries_name_callers() {
        for (entry, project, application, expected) in ENTRIES {
            assert_eq!(
                names(entry, &caller(project, application)),
                expected,
                "{entry} for {project}/{application}"
            );
        }
    }

    #[test]
    fn what_is_a_caller() {
        for text in ["home/lamp", "home/tenant_lamp", "a.b/c.d", "home/a_b.c"] {
            let caller: Caller = text.parse().unwrap();
            assert_eq!(format!("{}/{}", caller.project, caller.application), text);
        }
        for text in [
            "",
            "home",
            "/lamp",
            "home/",
            "home/a_b_c",
            "home/_lamp",
            "home/tenant_",
            "ho_me/lamp",
            "home/a.b_c",
            "home/*",
            "*/lamp",
            "home/a/b",
            "home/lamp ",
            "home/lamp,work",
            "Home/lamp",
        ] {
            assert!(text.parse::<Caller>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn values_that_nobody_reads_are_not_kept() {
        let kept = |labels: &[(&str, &str)], annotations: &[(&str, &str)]| {
            let mut object = object(labels, annotations);
            let revision = ("ARGOCD_TARGET_REVISION".to_owned(), b"dev".to_vec());
            object.data.extend([revision]);
            keep_what_may_be_read(&mut object);
            let data = object.data.into_iter();
            data.map(|(key, value)| format!("{key}={}", String::from_utf8(value).unwrap()))
                .collect::<Vec<_>>()
                .join(" ")
        };
        for (labels, annotations, expected) in [
            (&[][..], &[][..], "A= ARGOCD_TARGET_REVISION=dev B="),
            (&[(LABEL, "false")], &[], "A= ARGOCD_TARGET_REVISION=dev B="),
            (ON, &[], "A=1 ARGOCD_TARGET_REVISION=dev B=2"),
            (ON, &[(KEYS, "C, B")], "A= ARGOCD_TARGET_REVISION=dev B=2"),
        ] {
            assert_eq!(kept(labels, annotations), expected);
        }
    }

    #[test]
    fn an_entry_of_many_stars_takes_no_time() {
        let pattern = "a*".repeat(2_000);
        let text = "a".repeat(2_000);
        assert!(matches(&pattern, &text));
        assert!(!matches(&pattern, &format!("{text}_")));
    }

    proptest! {
        #[test]
        fn no_entry_without_an_underscore_names_another_namespace(
            entry in "[a-z*/-]{0,20}", namespace in "[a-z]{1,5}", name in "[a-z]{1,5}"
        ) {
            let application = format!("{namespace}_{name}");
            prop_assert!(!names(&entry, &caller("a", &application)));
        }

        #[test]
        fn a_literal_names_itself_alone(one in "[a-z_]{1,6}", other in "[a-z_]{1,6}") {
            prop_assert_eq!(matches(&one, &other), one == other);
        }
    }
}
