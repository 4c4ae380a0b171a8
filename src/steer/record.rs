//! What was decided last of an Application, as an annotation of it says.
//!
//! The state of the controller lives here and nowhere else: whether an override was in force, so that an object that is
//! gone does not look like one that never was, and what was set, so that somebody else's change is told from an old value.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::desired::Rank;
use super::plan::Origin;
use crate::settings::object::{ObjectKind, ObjectName};

/// The annotation. Who may write the Application may write it, too; it speaks of that Application alone.
pub const ANNOTATION: &str = "argocd-infisical.io/state";

/// What was decided last of an Application.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Record {
    /// The environment that it was in. A record of another environment says nothing.
    pub environment: String,
    /// The revision that was set, or found where an override asks for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// The override that was in force; none means the default.
    #[serde(skip_serializing_if = "Option::is_none", rename = "override")]
    pub origin: Option<Recorded>,
    /// When the revision was set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moved: Option<Timestamp>,
    /// The digest that was set, with its time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// The refresh that was asked for last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh: Option<Refresh>,
}

/// An override that was in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Recorded {
    /// `Secret` or `ConfigMap`.
    pub kind: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its key.
    pub key: String,
    /// How specific it was.
    pub rank: Rank,
}

/// A refresh that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refresh {
    /// What for: the same cause is not asked for twice.
    pub cause: String,
    /// When.
    pub at: Timestamp,
}

impl Record {
    /// Reads a record. One that nobody can read says nothing, and is replaced by the next one.
    pub fn read(text: &str) -> Option<Self> {
        // The library takes a list for a record without fields.
        let is_object = text.trim_start().starts_with('{');
        is_object.then(|| serde_json::from_str(text).ok()).flatten()
    }

    /// The text of the annotation.
    pub fn text(&self) -> String {
        // Strings, numbers and times cannot fail to be written.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The record of an Application whose override is gone on purpose: its default applies.
    pub fn released(before: Option<Self>, environment: &str) -> Self {
        Self {
            environment: environment.to_owned(),
            revision: None,
            origin: None,
            ..before.unwrap_or_default()
        }
    }
}

impl Recorded {
    /// An override, to be remembered; `None` for the default.
    pub(super) fn of(origin: &Origin, rank: Option<Rank>) -> Option<Self> {
        match (origin, rank) {
            (Origin::Override { object, key }, Some(rank)) => Some(Self {
                kind: object.kind.as_str().into(),
                namespace: object.namespace.clone(),
                name: object.name.clone(),
                key: key.clone(),
                rank,
            }),
            _ => None,
        }
    }

    /// Whether it is of this object.
    pub(super) fn is_of(&self, object: &ObjectName) -> bool {
        self.kind == object.kind.as_str()
            && self.namespace == object.namespace
            && self.name == object.name
    }

    /// The object, for people.
    pub(super) fn object(&self) -> ObjectName {
        ObjectName {
            kind: match self.kind.as_str() {
                "ConfigMap" => ObjectKind::ConfigMap,
                _ => ObjectKind::Secret,
            },
            namespace: self.namespace.clone(),
            name: self.name.clone(),
        }
    }
}

/// A time without its parts of seconds.
pub(super) fn seconds(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_says_no_more_than_it_knows() {
        let record = Record::released(None, "dev");
        assert_eq!(record.text(), r#"{"environment":"dev"}"#);
        assert_eq!(Record::read(&record.text()), Some(record));
        for text in ["", "x", "[]", "null", r#"{"moved":"yesterday"}"#] {
            assert_eq!(Record::read(text), None, "{text}");
        }
    }

    #[test]
    fn a_release_forgets_the_override_and_keeps_the_rest() {
        let text = r#"{"environment":"dev","revision":"x","override":{"kind":"Secret","namespace":"a","name":"b","key":"K","rank":"environment"},"digest":"v1.0.1"}"#;
        let record = Record::read(text).unwrap();
        assert_eq!(record.text(), text);
        let released = Record::released(Some(record), "dev");
        assert_eq!(
            released.text(),
            r#"{"environment":"dev","digest":"v1.0.1"}"#
        );
    }
}
