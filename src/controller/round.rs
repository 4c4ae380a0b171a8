//! One round of decisions: what has changed is decided of, and what later rounds rest on is noted.

use std::collections::BTreeMap;
use std::time::Instant;

use jiff::Timestamp;

use super::knowledge::{Changed, Knowledge};
use super::overview::{Overview, Transition};
use crate::steer::Decider;
use crate::steer::application::{Application, Name};
use crate::steer::plan::Decision;
use crate::steer::policy::Policy;

/// What comes of a round.
pub(super) struct Round {
    /// What had changed.
    pub(super) changed: Changed,
    /// What was decided: of what has changed, and of all whose breaker has to do with it.
    pub(super) decisions: Vec<Decision>,
    /// The Applications that are not there any more.
    pub(super) gone: Vec<Name>,
}

/// Tells people of a field that stays for another reason than they were told of; nothing where nobody is told anything.
pub(super) type Tell<'a> = Option<&'a mut dyn FnMut(Transition)>;

impl Round {
    /// Decides of what has changed. `overview` has what was decided before.
    pub(super) fn of(
        knowledge: &mut Knowledge,
        overview: &mut Overview,
        policy: &Policy,
        mut tell: Tell,
        (now, wall): (Instant, Timestamp),
    ) -> Self {
        let changed = std::mem::take(&mut knowledge.changed);
        let applications = &knowledge.state.applications;
        let gone = changed.applications.iter();
        let gone = gone.filter(|name| !applications.contains_key(name));
        let gone: Vec<Name> = gone.cloned().collect();
        let decider = Decider::new(&knowledge.state, policy, wall);
        let decisions = decide(&decider, applications, overview, &changed, &gone);
        for name in &gone {
            overview.forget(name);
            knowledge.state.memory.forget(name);
        }
        if changed.all {
            overview.pack();
        }
        for decision in &decisions {
            let transitions = overview.note(decision, policy, tell.is_some());
            if let Some(tell) = &mut tell {
                transitions.into_iter().for_each(tell);
            }
            if knowledge.state.memory.saw(decision) {
                knowledge.changed.application(&decision.application, now);
            }
        }
        Self {
            changed,
            decisions,
            gone,
        }
    }
}

fn decide<'a>(
    decider: &Decider<'a>,
    applications: &'a BTreeMap<Name, Box<Application>>,
    overview: &Overview,
    changed: &Changed,
    gone: &[Name],
) -> Vec<Decision> {
    if changed.all {
        return decider.plan().decisions;
    }
    let found = changed.applications.iter();
    let found = found.filter_map(|name| applications.get(name));
    let decisions = found.filter_map(|application| decider.decision(application));
    let decisions: Vec<_> = decisions.collect();
    let stirred = overview.stirred(&decisions, gone);
    decider.with_breakers(decisions, stirred)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::settings::consent::{ALLOWED, LABEL};
    use crate::settings::digest::DigestKey;
    use crate::settings::object::{Object, ObjectKind, ObjectName};
    use crate::steer::state::State;

    struct Case {
        knowledge: Knowledge,
        overview: Overview,
        now: Instant,
        /// What people were told in the last round.
        told: Vec<Transition>,
    }

    impl Case {
        /// Applications of environments.
        fn new(applications: &[(&str, &str)]) -> Self {
            let state = State {
                digest_key: DigestKey::new(&[1; 32]).ok(),
                ..State::default()
            };
            let mut knowledge = Knowledge::new(state, 0);
            let now = Instant::now();
            for (name, environment) in applications {
                let application = json!({
                    "metadata": {
                        "namespace": "argocd", "name": name, "uid": "u",
                        "labels": {"argocd-infisical.io/environment": environment},
                    },
                    "spec": {
                        "source": {
                            "repoURL": "https://g/r",
                            "targetRevision": "dev",
                            "plugin": {"name": "argocd-infisical", "parameters": [
                                {"name": "settings", "array": ["argocd-infisical/values"]},
                            ]},
                        },
                        "syncPolicy": {"automated": {}},
                    },
                });
                let application = serde_json::from_value(application).unwrap();
                let name = Name::new("argocd", *name);
                knowledge.changed.application(&name, now);
                knowledge.state.applications.insert(name, application);
            }
            Self {
                knowledge,
                overview: Overview::default(),
                now,
                told: Vec::new(),
            }
        }

        fn lose(&mut self, name: &str) {
            let name = Name::new("argocd", name);
            self.knowledge.state.applications.remove(&name);
            self.knowledge.changed.application(&name, self.now);
        }

        fn round(&mut self, is_told: bool) -> Round {
            let wall = Timestamp::from_second(1_800_000_000).unwrap();
            let (knowledge, overview) = (&mut self.knowledge, &mut self.overview);
            let times = (self.now, wall);
            self.told.clear();
            let mut tell = |transition| self.told.push(transition);
            let tell: Tell = if is_told { Some(&mut tell) } else { None };
            Round::of(knowledge, overview, &Policy::default(), tell, times)
        }

        fn standing(&self) -> usize {
            let groups = self.overview.groups().into_iter();
            let revisions = groups.filter(|(group, _)| group.field == "revision");
            revisions.map(|(_, count)| count).sum()
        }

        /// The Applications that something is remembered of: that their settings are absent.
        fn remembered(&self) -> Vec<&str> {
            let memory = &self.knowledge.state.memory;
            let all = ["a", "b", "c"].into_iter();
            all.filter(|name| memory.of(&Name::new("argocd", *name), "u").is_some())
                .collect()
        }
    }

    fn names(round: &Round) -> Vec<&str> {
        let decisions = round.decisions.iter();
        decisions
            .map(|decision| &*decision.application.name)
            .collect()
    }

    #[test]
    fn what_has_changed_is_decided_of_once() {
        let mut case = Case::new(&[("a", "dev"), ("b", "dev")]);
        let round = case.round(true);
        assert_eq!(names(&round), ["a", "b"]);
        assert_eq!(round.changed.since, Some(case.now));
        assert!(case.knowledge.changed.is_empty());
        let name = Name::new("argocd", "b");
        case.knowledge.changed.application(&name, case.now);
        assert_eq!(names(&case.round(true)), ["b"]);
        case.knowledge.changed.everything(case.now);
        assert_eq!(names(&case.round(true)), ["a", "b"]);
    }

    #[test]
    fn who_is_gone_is_forgotten() {
        let mut case = Case::new(&[("a", "dev"), ("b", "dev"), ("c", "dev")]);
        case.round(true);
        assert_eq!(case.standing(), 3);
        assert_eq!(case.remembered(), ["a", "b", "c"]);
        case.lose("a");
        assert_eq!(case.round(true).gone, [Name::new("argocd", "a")]);
        assert_eq!(case.standing(), 2);
        assert_eq!(case.remembered(), ["b", "c"]);
        case.lose("b");
        case.knowledge.changed.everything(case.now);
        let round = case.round(true);
        assert_eq!(names(&round), ["c"]);
        assert_eq!(round.gone, [Name::new("argocd", "b")]);
        assert_eq!(case.standing(), 1);
        assert_eq!(case.remembered(), ["c"]);
    }

    #[test]
    fn who_has_its_settings_back_is_decided_of_once_more() {
        let mut case = Case::new(&[("a", "dev")]);
        case.round(true);
        assert!(case.knowledge.changed.is_empty());
        let name = ObjectName {
            kind: ObjectKind::ConfigMap,
            namespace: "argocd-infisical".into(),
            name: "values".into(),
        };
        let object = Object {
            labels: [(LABEL.into(), "true".into())].into(),
            annotations: [(ALLOWED.into(), "default/a".into())].into(),
            data: [("HOST".into(), b"x".to_vec())].into(),
        };
        case.knowledge.state.objects.insert(name, object);
        case.knowledge.changed.everything(case.now);
        case.round(true);
        assert!(!case.knowledge.changed.is_empty());
        assert_eq!(names(&case.round(true)), ["a"]);
        assert!(case.knowledge.changed.is_empty());
    }

    #[test]
    fn what_nobody_was_told_is_told_later() {
        let mut case = Case::new(&[("a", "qa")]);
        case.round(false);
        assert!(case.told.is_empty());
        case.knowledge.changed.everything(case.now);
        case.round(true);
        let told = case.told.drain(..);
        let told = told.map(|told| {
            let reason = format!("{} {}", told.field, told.reason.code);
            (told.application.name, told.uid, reason)
        });
        let expected = ["revision UnknownEnvironment", "settings UnknownEnvironment"];
        let expected = expected.map(|reason| ("a".into(), "u".into(), reason.into()));
        assert_eq!(told.collect::<Vec<_>>(), expected);
        case.knowledge.changed.everything(case.now);
        case.round(true);
        assert!(case.told.is_empty());
    }
}
