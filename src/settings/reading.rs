//! What the objects that an Application names say to it, all at one time.

use super::Settings;
use super::consent::{ALLOWED, Admitted, Caller, KEYS, LABEL, Refusal, admit};
use super::digest::{Digest, DigestKey};
use super::object::{Object, ObjectKind, ObjectName, Reference};
use crate::failure::{Failure, Problem};

/// The objects that were asked for, in the order in which they are named; later ones win.
pub struct Reading {
    objects: Vec<(Reference, Option<Object>)>,
    audience: Audience,
}

/// Who reads what is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// A person, who asks with rights of their own.
    Person,
    /// The author of an Application, for whom the sidecar asks with its rights. An object that it may not read looks like
    /// one that is not there: an author could otherwise find out which objects other Applications have.
    Author,
}

impl Reading {
    /// Takes objects as they were found; `None` is one that is not there.
    pub const fn new(objects: Vec<(Reference, Option<Object>)>, audience: Audience) -> Self {
        Self { objects, audience }
    }

    /// The settings that a caller may take from them.
    ///
    /// # Errors
    /// Where one of them, other than an optional one, gives the caller nothing: all of these. What does not exist and
    /// what does not name the caller are told in the same words.
    pub fn settings(&self, caller: &Caller) -> Result<Settings, Failure> {
        let mut settings = Settings::default();
        let mut problems = Vec::new();
        for (reference, object) in &self.objects {
            match admit(reference, object.as_ref(), caller) {
                Ok(admitted) => admitted.add_to(&mut settings),
                Err(_) if reference.is_optional => {}
                Err(refusal) => {
                    problems.push(self.audience.problem(refusal, &reference.object, caller));
                }
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
            .objects
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

impl Audience {
    /// What is told of an object that gives a caller nothing.
    fn problem(self, refusal: Refusal, object: &ObjectName, caller: &Caller) -> Problem {
        if refusal.is_open() {
            return Problem::new(format!("`{object}` holds nothing yet"))
                .hint("wait until the operator has synced it, and look at the status of what it is synced from");
        }
        let Caller {
            project,
            application,
        } = caller;
        let whose = format!("Application `{application}` of project `{project}`");
        let keys = match object.kind {
            ObjectKind::ConfigMap => String::new(),
            ObjectKind::Secret => format!(", and in `{KEYS}` the keys that may be read"),
        };
        let owner = format!(
            "its owner sets the label `{LABEL}: \"true\"` and the annotation `{ALLOWED}: {project}/{application}`{keys}"
        );
        match self {
            Self::Person => {
                Problem::new(format!("`{object}` is not there, or is not for {whose}")).hint(owner)
            }
            Self::Author => Problem::new(format!(
                "`{object}` is not there, is not for {whose}, or is not for the sidecar to read"
            ))
            .hint(format!(
                "{owner}; who runs Argo CD gives the sidecar the rule `{}` in namespace `{}`",
                object.rule(),
                object.namespace
            )),
        }
    }
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
        Reading::new(objects, Audience::Person)
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
