//! Events of Kubernetes on Applications: why a field stays as it is, and what was written.
//!
//! An Event is named after what it says, so that a restart or another leader does not say the same twice within the hour
//! that the API server keeps it.

use std::time::{Duration, Instant};

use http::Method;
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc::{Receiver, Sender};
use tokio::time::sleep_until;

use super::bucket::Bucket;
use super::metrics::Verb;
use super::overview::Transition;
use super::request::{Api, Ask};
use crate::hex::hex;
use crate::steer::application::Name;
use crate::steer::plan::Decision;

/// How many wait to be made at most; what is more is left out.
pub(super) const WAITING: usize = 1000;
/// How many are made in a second.
const PER_SECOND: u32 = 10;
/// How long one may take.
const LIMIT: Duration = Duration::from_secs(10);
/// The longest note, in bytes.
// Kubernetes: NoteLengthLimit
const NOTE: usize = 1024;
/// How one ends that does not have everything.
const MORE: &str = "… `argocd-infisical revisions` has all of it";
/// The reason of one that tells what was written; those of others are the codes of what keeps a field.
const CHANGED: &str = "RevisionChanged";
/// The longest name, in bytes, and how much of it tells what is said.
const NAME: usize = 253;
const HASH: usize = 8;

/// Something to tell about an Application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Event {
    application: Name,
    uid: String,
    reason: &'static str,
    note: String,
    is_warning: bool,
}

impl Event {
    /// Why a field stays.
    pub(super) fn stays(transition: Transition) -> Self {
        let is_warning = transition.is_warning();
        let Transition {
            application,
            uid,
            field,
            reason,
        } = transition;
        let message = &reason.message;
        let note = match &reason.hint {
            None => format!("{field}: {message}"),
            Some(hint) => format!("{field}: {message}; {hint}"),
        };
        Self::new((application, uid), reason.code.as_str(), note, is_warning)
    }

    /// What was written; `None` where nobody has to know.
    pub(super) fn written(decision: &Decision) -> Option<Self> {
        let patch = decision.patch.as_ref()?;
        let (change, origin) = patch
            .changes
            .iter()
            .find_map(|change| Some((change, change.origin.as_ref()?)))?;
        let old = change.old.as_deref().unwrap_or("HEAD");
        let note = format!(
            "{} is `{}` and was `{old}` ({origin})",
            change.field, change.new
        );
        let of = (decision.application.clone(), decision.uid.clone());
        Some(Self::new(of, CHANGED, note, false))
    }

    fn new(
        (application, uid): (Name, String),
        reason: &'static str,
        mut note: String,
        is_warning: bool,
    ) -> Self {
        if note.len() > NOTE {
            note.truncate(note.floor_char_boundary(NOTE - MORE.len()));
            note.push_str(MORE);
        }
        Self {
            application,
            uid,
            reason,
            note,
            is_warning,
        }
    }

    fn name(&self, reporter: &str) -> String {
        let mut hash = Sha256::new();
        for text in [&*self.uid, self.reason, &self.note] {
            hash.update(text.len().to_be_bytes());
            hash.update(text);
        }
        // What was written may be written again, and is told each time.
        if self.reason == CHANGED {
            hash.update(reporter);
            hash.update(Timestamp::now().to_string());
        }
        let hash = hex(hash.finalize().get(..HASH).unwrap_or_default());
        let mut name = self.application.name.clone();
        name.truncate(name.floor_char_boundary(NAME - hash.len() - 1));
        format!("{}.{hash}", name.trim_end_matches(['.', '-']))
    }

    fn manifest(&self, reporter: &str, now: Timestamp) -> Value {
        let Name { namespace, name } = &self.application;
        json!({
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            "metadata": {"name": self.name(reporter), "namespace": namespace},
            "eventTime": format!("{now:.6}"),
            "reportingController": "argocd-infisical",
            "reportingInstance": reporter,
            "action": "Steer",
            "reason": self.reason,
            "note": self.note,
            "type": if self.is_warning { "Warning" } else { "Normal" },
            "regarding": {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "namespace": namespace, "name": name, "uid": self.uid},
        })
    }
}

/// Tells something, if there is room for it.
pub(super) fn tell(to: &Sender<Event>, event: Event) {
    // Whoever has a thousand to read misses none.
    drop(to.try_send(event));
}

/// Makes Events, not too fast, until nobody tells anything any more.
pub(super) async fn run(api: Api, mut from: Receiver<Event>, reporter: String) {
    let mut bucket = Bucket::new(PER_SECOND, Instant::now());
    let mut was_refused = false;
    while let Some(event) = from.recv().await {
        if let Some(until) = bucket.wait(Instant::now()) {
            sleep_until(until.into()).await;
        }
        bucket.take(Instant::now());
        let namespace = &event.application.namespace;
        let path = format!("/apis/events.k8s.io/v1/namespaces/{namespace}/events");
        let body = event.manifest(&reporter, Timestamp::now()).to_string();
        let ask = Ask::send(Verb::Event, Method::POST, path, body.into_bytes());
        let refused = match api.ask(ask, LIMIT).await {
            // It has been told.
            Err(refusal) if refusal.code == 409 => None,
            result => result.err(),
        };
        if let Some(refusal) = refused.as_ref().filter(|_| !was_refused) {
            let hint = "a Role in the namespaces of Applications needs the rule {apiGroups: [events.k8s.io], resources: [events], verbs: [create]}";
            tracing::warn!(cause = %refusal.cause, hint, "cannot make Events");
        }
        was_refused = refused.is_some();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::steer::reason::{Code, Reason};

    fn event(note: &str) -> Event {
        Event {
            application: Name::new("argocd", "a".repeat(253)),
            uid: "u".into(),
            reason: "Conflict",
            note: note.into(),
            is_warning: true,
        }
    }

    #[test]
    fn what_is_said_twice_has_one_name_that_an_object_can_have() {
        let name = event("x").name("pod-1");
        assert_eq!(name, event("x").name("pod-2"));
        assert_ne!(name, event("y").name("pod-1"));
        assert!(name.len() <= NAME, "{name}");
    }

    #[test]
    fn a_note_that_is_too_long_says_where_the_rest_is() {
        let note = |text: &str| {
            let transition = Transition {
                application: Name::new("argocd", "a"),
                uid: "u".into(),
                field: "revision",
                reason: Reason::new(Code::Conflict, text),
            };
            Event::stays(transition).note
        };
        let whole = "x".repeat(NOTE - "revision: ".len());
        assert_eq!(note(&whole), format!("revision: {whole}"));
        // The cut is within a letter.
        for text in ["x".repeat(NOTE), "ä".repeat(NOTE), "aä".repeat(NOTE)] {
            let note = note(&text);
            assert!(note.len() <= NOTE && note.len() > NOTE - 4, "{note}");
            assert!(note.ends_with(MORE), "{note}");
        }
    }

    #[test]
    fn an_event_regards_its_application() {
        let now = Timestamp::from_second(5).unwrap();
        let manifest = event("x").manifest("pod-1", now);
        assert_eq!(manifest["regarding"]["uid"], "u");
        assert_eq!(manifest["type"], "Warning");
        assert_eq!(manifest["eventTime"], "1970-01-01T00:00:05.000000Z");
    }
}
