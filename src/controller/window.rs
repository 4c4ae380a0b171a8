//! Which Applications Argo CD is busy with because they were patched.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::steer::application::{Application, Name, Source};

/// How long an Application counts at most.
const LONGEST: Duration = Duration::from_mins(5);

/// The Applications in flight.
#[derive(Debug)]
pub(super) struct Window {
    /// How many there may be; zero is no limit.
    size: usize,
    flights: BTreeMap<Name, Flight>,
    /// Before when none has been there for too long.
    expires: Option<Instant>,
}

#[derive(Debug)]
struct Flight {
    uid: String,
    since: Instant,
}

/// An Application that Argo CD has finished with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Landed {
    /// How long it took.
    pub(super) after: Duration,
    /// Whether it is synced.
    pub(super) is_synced: bool,
}

impl Window {
    /// An empty one; zero is no limit.
    pub(super) const fn new(size: usize) -> Self {
        Self {
            size,
            flights: BTreeMap::new(),
            expires: None,
        }
    }

    /// Whether an Application is in flight, and so has its place.
    pub(super) fn has(&self, name: &Name) -> bool {
        self.flights.contains_key(name)
    }

    /// Whether there is no room for one more, besides so many that are about to start.
    pub(super) fn is_full(&self, starting: usize) -> bool {
        self.size > 0 && self.flights.len() + starting >= self.size
    }

    /// Which ones there are.
    pub(super) fn names(&self) -> impl Iterator<Item = &Name> {
        self.flights.keys()
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.flights.len()
    }

    /// An Application has been patched.
    pub(super) fn start(&mut self, name: Name, uid: String, now: Instant) {
        self.flights.insert(name, Flight { uid, since: now });
        self.expires.get_or_insert(now + LONGEST);
    }

    /// An Application looks like this now; `None` is gone.
    pub(super) fn see(
        &mut self,
        name: &Name,
        application: Option<&Application>,
        now: Instant,
    ) -> Option<Landed> {
        let flight = self.flights.get(name)?;
        let Some(application) = application.filter(|found| found.metadata.uid == flight.uid) else {
            self.flights.remove(name);
            return None;
        };
        if !is_finished(application) {
            return None;
        }
        let landed = Landed {
            after: now.saturating_duration_since(flight.since),
            is_synced: application.status.sync.status == "Synced",
        };
        self.flights.remove(name);
        Some(landed)
    }

    /// Lets go of those that have been there for too long, and tells when to look again.
    pub(super) fn expire(&mut self, now: Instant) -> Option<Instant> {
        if self.expires? <= now {
            self.flights
                .retain(|_, flight| flight.since + LONGEST > now);
            let ends = self.flights.values().map(|flight| flight.since + LONGEST);
            self.expires = ends.min();
        }
        self.expires
    }
}

/// Whether Argo CD has compared an Application with its sources as they are, and does nothing with it.
fn is_finished(application: &Application) -> bool {
    let compared = application.status.sync.compared_to.all();
    let wanted: Vec<&Source> = application
        .sources()
        .into_iter()
        .map(|(_, source)| source)
        .collect();
    let state = application.status.operation_state.as_ref();
    let is_busy = application.operation
        || state.is_some_and(|state| matches!(&*state.phase, "Running" | "Terminating"));
    !is_busy && compared.len() == wanted.len() && compared.iter().zip(wanted).all(|(a, b)| a == b)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn application(spec: &Value, status: &Value) -> Application {
        let object = json!({"metadata": {"namespace": "argocd", "name": "a", "uid": "u"}, "spec": spec, "status": status});
        serde_json::from_value(object).unwrap()
    }

    fn source(revision: &str, digest: &str) -> Value {
        json!({"repoURL": "r", "path": "p", "targetRevision": revision, "plugin": {"env": [{"name": "SETTINGS_DIGEST", "value": digest}]}})
    }

    /// An Application that wants one source and was compared with another.
    fn compared(wanted: &Value, compared: &Value, phase: &str) -> Application {
        application(
            &json!({"source": wanted}),
            &json!({"sync": {"status": "Synced", "comparedTo": {"source": compared}}, "operationState": {"phase": phase, "startedAt": ""}}),
        )
    }

    #[test]
    fn an_application_lands_when_it_was_compared_with_what_it_wants_and_nothing_runs() {
        let now = Instant::now();
        let name = Name::new("argocd", "a");
        let mut window = Window::new(1);
        window.start(name.clone(), "u".into(), now);
        assert!(window.is_full(0) && window.has(&name) && !window.has(&Name::new("argocd", "b")));
        let later = now + Duration::from_secs(7);
        for busy in [
            compared(&source("dev", "1"), &source("main", "1"), "Succeeded"),
            compared(&source("dev", "2"), &source("dev", "1"), "Succeeded"),
            compared(&source("dev", "1"), &source("dev", "1"), "Running"),
            application(&json!({"source": source("dev", "1")}), &json!({})),
        ] {
            assert_eq!(window.see(&name, Some(&busy), later), None);
        }
        let done = compared(&source("dev", "1"), &source("dev", "1"), "Succeeded");
        let landed = Landed {
            after: Duration::from_secs(7),
            is_synced: true,
        };
        assert_eq!(window.see(&name, Some(&done), later), Some(landed));
        assert_eq!(window.see(&name, Some(&done), later), None);
        assert_eq!(window.len(), 0);
    }

    #[test]
    fn what_is_gone_or_another_one_or_late_is_let_go() {
        let now = Instant::now();
        let name = Name::new("argocd", "a");
        let mut window = Window::new(1);
        window.start(name.clone(), "u".into(), now);
        assert_eq!(window.see(&name, None, now), None);
        assert!(!window.is_full(0));
        window.start(name.clone(), "before".into(), now);
        let busy = compared(&source("dev", "1"), &source("main", "1"), "Running");
        assert_eq!(window.see(&name, Some(&busy), now), None);
        assert!(!window.is_full(0));
        let later = now + Duration::from_secs(1);
        window.start(name, "u".into(), later);
        assert_eq!(window.expire(now), Some(now + LONGEST));
        assert_eq!(window.expire(now + LONGEST), Some(later + LONGEST));
        assert!(window.is_full(0));
        assert_eq!(window.expire(later + LONGEST), None);
        assert!(!window.is_full(0));
    }

    #[test]
    fn zero_is_no_limit() {
        let mut window = Window::new(0);
        for number in 0..1000 {
            let name = Name::new("argocd", format!("a{number}"));
            assert!(!window.is_full(9));
            window.start(name, "u".into(), Instant::now());
        }
    }
}
