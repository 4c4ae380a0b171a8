//! What the objects that an Application names say to it, all at one time.

use super::Settings;
use super::consent::{ALLOWED, Admitted, Caller, KEYS, LABEL, Refusal, admit};
use super::digest::{Digest, DigestKey};
use super::object::{Object, ObjectKind, ObjectName, Reference};
use crate::failure::{Failure, Problem};

/// The objects that were asked for, in the order in which they are named; later ones win.
pub struct Reading(Vec<(Reference, Option<Object>)>);

impl Reading {
    /// Takes objects as they were found; `None` is one that is not there.
    pub const fn new(objects: Vec<(Reference, Option<Object>)>) -> Self {
        Self(objects)
    }

    /// The settings that a caller may take from them.
    ///
    /// # Errors
    /// Where one of them, other than an optional one, gives the caller nothing: all of these. What does not exist and
    /// what does not name the caller are told in the same words.
    pub fn settings(&self, caller: &Caller) -> Result<Settings, Failure> {
        let mut settings = Settings::default();
        let mut problems = Vec::new();
        for (reference, object) in &self.0 {
            match admit(reference, object.as_ref(), caller) {
                Ok(admitted) => admitted.add_to(&mut settings),
                Err(_) if reference.is_optional => {}
                Err(refusal) => problems.push(problem(refusal, &reference.object, caller)),
            }
        }
        if problems.is_empty() {
            Ok(settings)
        } else {
            Err(Failure::several(problems))
        }
    }

    /// The digest of what a caller may read of them.
    pub fn digest(&self, key: &DigestKey, caller: &Caller) -> Digest {
        let objects: Vec<(&ObjectName, Option<Admitted<'_>>)> = self
            .0
            .iter()
            .map(|(reference, object)| {
                let admitted = admit(reference, object.as_ref(), caller);
                (&reference.object, admitted.ok())
            })
            .collect();
        let objects = objects.iter();
        Digest::of(
            key,
            caller,
            objects.map(|(name, admitted)| (*name, admitted.as_ref())),
        )
    }
}

/// What a caller is told that gets nothing.
fn problem(refusal: Refusal, object: &ObjectName, caller: &Caller) -> Problem {
    if refusal.is_open() {
        return Problem::new(format!("`{object}` holds nothing yet"))
            .hint("wait until the operator has synced it, and look at the status of what it is synced from");
    }
    let Caller {
        project,
        application,
    } = caller;
    let message = format!(
        "`{object}` is not there, or is not for Application `{application}` of project `{project}`"
    );
    let keys = match object.kind {
        ObjectKind::ConfigMap => String::new(),
        ObjectKind::Secret => format!(", and in `{KEYS}` the keys that may be read"),
    };
    Problem::new(message).hint(format!(
        "its owner sets the label `{LABEL}: \"true\"` and the annotation `{ALLOWED}: {project}/{application}`{keys}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(
        labels: &[(&str, &str)],
        annotations: &[(&str, &str)],
        data: &[(&str, &str)],
    ) -> Object {
        let own = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        Object {
            labels: labels.iter().map(own).collect(),
            annotations: annotations.iter().map(own).collect(),
            data: data
                .iter()
                .map(|(key, value)| ((*key).to_owned(), value.as_bytes().to_vec()))
                .collect(),
        }
    }

    const ON: &[(&str, &str)] = &[(LABEL, "true")];
    const ALL: &[(&str, &str)] = &[(ALLOWED, "home/*"), (KEYS, "A")];

    fn read(objects: Vec<(&str, Option<Object>)>) -> Result<Settings, String> {
        let objects = objects
            .into_iter()
            .map(|(reference, object)| (reference.parse().unwrap(), object))
            .collect();
        let caller = Caller {
            project: "home".into(),
            application: "lamp".into(),
        };
        Reading::new(objects)
            .settings(&caller)
            .map_err(|failure| failure.to_string())
    }

    #[test]
    fn later_objects_win_and_say_why_they_may_be_read() {
        let first = object(ON, ALL, &[("A", "1")]);
        let second = object(ON, ALL, &[("A", "2"), ("B", "secret")]);
        let settings = read(vec![("n/a", Some(first)), ("secret:n/b", Some(second))]).unwrap();
        let found = settings.get("A").ok().flatten().unwrap();
        assert_eq!(found.value.reveal(), "2");
        assert_eq!(found.origin.file, "Secret n/b");
        assert_eq!(
            settings.consent(&found.origin),
            Some("annotation `argocd-infisical.io/allowed` has `home/*`")
        );
        assert!(settings.get("B").ok().flatten().is_none());
        assert_eq!(settings.sources(), ["ConfigMap n/a", "Secret n/b"]);
    }

    #[test]
    fn absent_and_denied_read_the_same() {
        let data = &[("A", "1")];
        let objects = [
            None,
            Some(object(&[], ALL, data)),
            Some(object(ON, &[(ALLOWED, "other/lamp"), (KEYS, "A")], data)),
            Some(object(ON, &[(ALLOWED, "home/lamp")], data)),
            Some(object(ON, &[(ALLOWED, "other/lamp"), (KEYS, "A")], &[])),
        ];
        let told: Vec<_> = objects
            .into_iter()
            .map(|object| read(vec![("secret:n/a", object)]).err().unwrap())
            .collect();
        assert!(
            told[0].contains("`Secret n/a` is not there, or is not for Application `lamp`"),
            "{}",
            told[0]
        );
        assert!(told.iter().all(|text| *text == told[0]), "{told:?}");
    }

    #[test]
    fn what_is_optional_may_be_missing_and_all_that_is_wrong_is_told_at_once() {
        let empty = || Some(object(ON, ALL, &[]));
        assert!(read(vec![("optional:n/a", None), ("optional:n/b", empty())]).is_ok());
        let told = read(vec![
            ("n/a", None),
            ("n/b", empty()),
            ("optional:n/c", None),
        ]);
        let told = told.err().unwrap();
        assert!(told.contains("`ConfigMap n/a` is not there"), "{told}");
        assert!(told.contains("`ConfigMap n/b` holds nothing yet"), "{told}");
        assert!(!told.contains("n/c"), "{told}");
    }
}
