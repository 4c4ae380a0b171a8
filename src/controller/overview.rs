//! How Applications stand: what was decided of each last, for figures, Events, and what comes due.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::metrics::Group;
use super::union::packed;
use crate::steer::application::Name;
use crate::steer::plan::{Counted, Decision, Outcome};
use crate::steer::policy::Policy;
use crate::steer::reason::{Class, Code, Reason};

/// What environments are called that the policy does not have: anybody may write any label.
const OTHERS: &str = "(other)";

/// How all Applications stand.
#[derive(Debug, Default)]
pub(super) struct Overview {
    of: BTreeMap<Name, Entry>,
    due: BTreeSet<(Timestamp, Name)>,
    /// Those whose change a breaker stops.
    stopped: BTreeSet<Name>,
    /// Those whose revision changes.
    moving: BTreeSet<Name>,
}

/// How one Application stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Entry {
    uid: Box<str>,
    environment: Box<str>,
    revision: Option<Summary>,
    settings: Option<Summary>,
    /// The codes that people were told, of both.
    told: [Option<Code>; 2],
    again: Option<Timestamp>,
    counted: Counted,
}

/// What happens to a field: the class and the code of a reason, where it stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Summary {
    outcome: &'static str,
    code: Option<Code>,
}

/// A field that stays for another reason than people were told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Transition {
    /// The Application.
    pub(super) application: Name,
    /// Which object of this name.
    pub(super) uid: String,
    /// `revision` or `settings`.
    pub(super) field: &'static str,
    /// Why it stays.
    pub(super) reason: Reason,
}

impl Summary {
    const fn of(outcome: &Outcome) -> Self {
        let (outcome, code) = match outcome {
            Outcome::Same => ("same", None),
            Outcome::Change => ("change", None),
            Outcome::Stays(reason) => (reason.class().as_str(), Some(reason.code)),
        };
        Self { outcome, code }
    }
}

impl Overview {
    /// Notes what was decided, and gives what people are told, if anybody tells them: fields that stay for another reason
    /// than they were told of.
    pub(super) fn note(
        &mut self,
        decision: &Decision,
        policy: &Policy,
        is_told: bool,
    ) -> Vec<Transition> {
        let name = &decision.application;
        let settings = decision.settings.as_ref().map(|settings| &settings.outcome);
        let is_known = policy.environments.contains_key(&decision.environment);
        let environment = if is_known {
            &decision.environment
        } else {
            OTHERS
        };
        let before = self.remove(name);
        let before = before.filter(|before| *before.uid == decision.uid);
        let mut told = before.map(|before| before.told).unwrap_or_default();
        let fields = [
            ("revision", Some(&decision.revision.outcome)),
            ("settings", settings),
        ];
        let mut transitions = Vec::new();
        for ((field, outcome), told) in fields.into_iter().zip(&mut told) {
            match outcome {
                Some(Outcome::Stays(reason)) if is_told && *told != Some(reason.code) => {
                    *told = Some(reason.code);
                    transitions.push(Transition {
                        application: name.clone(),
                        uid: decision.uid.clone(),
                        field,
                        reason: reason.clone(),
                    });
                }
                Some(Outcome::Stays(_)) => {}
                Some(Outcome::Same | Outcome::Change) | None => *told = None,
            }
        }
        if let Some(again) = decision.again {
            self.due.insert((again, name.clone()));
        }
        let revision = Summary::of(&decision.revision.outcome);
        if revision.code == Some(Code::Breaker) {
            self.stopped.insert(name.clone());
        }
        if decision.revision.outcome == Outcome::Change {
            self.moving.insert(name.clone());
        }
        let entry = Entry {
            uid: decision.uid.as_str().into(),
            environment: environment.into(),
            revision: Some(revision),
            settings: settings.map(Summary::of),
            told,
            again: decision.again,
            counted: decision.counted,
        };
        self.of.insert(name.clone(), entry);
        transitions
    }

    /// An Application does not take part any more.
    pub(super) fn forget(&mut self, name: &Name) {
        self.remove(name);
    }

    /// Takes no more room than it needs.
    pub(super) fn pack(&mut self) {
        packed(&mut self.of);
    }

    fn remove(&mut self, name: &Name) -> Option<Entry> {
        let before = self.of.remove(name)?;
        self.stopped.remove(name);
        self.moving.remove(name);
        if let Some(again) = before.again {
            self.due.remove(&(again, name.clone()));
        }
        Some(before)
    }

    /// The environments whose breaker counts otherwise than before, where a change waits: it may be stopped now, or not any
    /// more. `gone` are Applications that are not there any more.
    pub(super) fn stirred<'a>(
        &'a self,
        decisions: &'a [Decision],
        gone: &[Name],
    ) -> BTreeSet<String> {
        let gone = gone.iter().filter_map(|name| self.of.get(name));
        let mut stirred: BTreeSet<&str> = gone
            .filter(|before| before.counted != Counted::Not)
            .map(|before| &*before.environment)
            .collect();
        for decision in decisions {
            let before = self.of.get(&decision.application);
            let before = before.map(|before| (&*before.environment, before.counted));
            let after = (&*decision.environment, decision.counted);
            if before != Some(after) {
                let both = before.into_iter().chain([after]);
                let both = both.filter(|(_, counted)| *counted != Counted::Not);
                stirred.extend(both.map(|(environment, _)| environment));
            }
        }
        if stirred.is_empty() {
            return BTreeSet::new();
        }
        let waiting = self.stopped.iter().chain(&self.moving);
        let waiting = waiting.filter_map(|name| self.of.get(name));
        let waiting: BTreeSet<&str> = waiting.map(|entry| &*entry.environment).collect();
        let both = stirred.intersection(&waiting);
        both.map(|environment| (*environment).to_owned()).collect()
    }

    /// The next Application whose time has come to be decided of again. It is given once.
    pub(super) fn due(&mut self, now: Timestamp) -> Option<Name> {
        let (at, _) = self.due.first()?;
        if *at > now {
            return None;
        }
        let (_, name) = self.due.pop_first()?;
        if let Some(entry) = self.of.get_mut(&name) {
            entry.again = None;
        }
        Some(name)
    }

    /// When that is.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.due.first().map(|(at, _)| *at)
    }

    /// How many changes breakers stop, by environment.
    pub(super) fn stopped(&self) -> BTreeMap<String, usize> {
        let mut stopped = BTreeMap::new();
        for entry in self.stopped.iter().filter_map(|name| self.of.get(name)) {
            *stopped.entry(entry.environment.to_string()).or_default() += 1;
        }
        stopped
    }

    /// Whether the settings of an Application are watched over.
    pub(super) fn has_settings(&self, name: &Name) -> bool {
        self.of
            .get(name)
            .is_some_and(|entry| entry.settings.is_some())
    }

    /// How many stand how.
    pub(super) fn groups(&self) -> BTreeMap<Group, usize> {
        // Ten thousand Applications are a few groups: what these are called is written once for each.
        let mut counts: BTreeMap<_, usize> = BTreeMap::new();
        for entry in self.of.values() {
            let fields = [("revision", entry.revision), ("settings", entry.settings)];
            for (field, summary) in fields {
                let Some(Summary { outcome, code }) = summary else {
                    continue;
                };
                let group = (&*entry.environment, field, outcome, code);
                *counts.entry(group).or_default() += 1;
            }
        }
        let group =
            |((environment, field, outcome, code), count): ((&str, _, _, Option<Code>), _)| {
                let environment = environment.to_owned();
                let code = code.map_or("", Code::as_str);
                let group = Group {
                    environment,
                    field,
                    outcome,
                    code,
                };
                (group, count)
            };
        counts.into_iter().map(group).collect()
    }
}

impl Transition {
    /// Whether somebody has to act.
    pub(super) const fn is_warning(&self) -> bool {
        match self.reason.class() {
            Class::Unknown | Class::Refused | Class::Contested => true,
            Class::Held | Class::Waiting => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::steer::plan::{Origin, Revision, Settings, Tripped, Wanted};

    fn decision(name: &str, outcome: Outcome) -> Decision {
        Decision {
            application: Name::new("argocd", name),
            uid: "u".into(),
            environment: "dev".into(),
            project: "default".into(),
            revision: Revision {
                default: None,
                wanted: None,
                current: Vec::new(),
                outcome,
            },
            settings: None,
            patch: None,
            again: None,
            counted: Counted::Not,
        }
    }

    fn stays(code: Code, message: &str) -> Outcome {
        Outcome::Stays(Reason::new(code, message))
    }

    fn told(overview: &mut Overview, decision: &Decision) -> Vec<String> {
        let told = overview.note(decision, &Policy::default(), true);
        told.iter()
            .map(|told| format!("{} {} {}", told.field, told.reason.code, told.is_warning()))
            .collect()
    }

    #[test]
    fn people_are_told_when_the_reason_becomes_another_one() {
        let mut overview = Overview::default();
        let none = [""; 0];
        assert_eq!(told(&mut overview, &decision("a", Outcome::Same)), none);
        let conflict = decision("a", stays(Code::Conflict, "x"));
        assert_eq!(told(&mut overview, &conflict), ["revision Conflict true"]);
        // Other words for the same are no news.
        assert_eq!(
            told(&mut overview, &decision("a", stays(Code::Conflict, "y"))),
            none
        );
        assert_eq!(
            told(&mut overview, &decision("a", stays(Code::Hold, "y"))),
            ["revision Hold false"]
        );
        assert_eq!(told(&mut overview, &decision("a", Outcome::Same)), none);
        assert_eq!(told(&mut overview, &conflict), ["revision Conflict true"]);
        // Another Application of the same name is another matter.
        let mut other = conflict.clone();
        other.uid = "v".into();
        assert_eq!(told(&mut overview, &other), ["revision Conflict true"]);
        other.settings = Some(Settings {
            objects: Vec::new(),
            outcome: stays(Code::NoConsent, "z"),
        });
        assert_eq!(told(&mut overview, &other), ["settings NoConsent true"]);
    }

    #[test]
    fn groups_are_counted_and_labels_of_anybody_are_not_told_apart() {
        let mut overview = Overview::default();
        for number in 0..3 {
            let mut one = decision(&format!("a{number}"), Outcome::Same);
            one.environment = format!("made-up-{number}");
            told(&mut overview, &one);
        }
        told(&mut overview, &decision("b", stays(Code::Hold, "x")));
        let shown: Vec<String> = overview
            .groups()
            .into_iter()
            .map(|(group, count)| {
                let Group {
                    environment,
                    field,
                    outcome,
                    code,
                } = group;
                format!("{environment} {field} {outcome} {code} {count}")
            })
            .collect();
        assert_eq!(
            shown,
            ["(other) revision same  3", "dev revision held Hold 1"]
        );
        for number in 0..3 {
            overview.forget(&Name::new("argocd", format!("a{number}")));
        }
        assert_eq!(overview.groups().len(), 1);
    }

    #[test]
    fn changes_that_a_breaker_stops_are_counted_as_long_as_they_wait() {
        let tripped = Tripped {
            environment: "prod".into(),
            wanted: Wanted {
                revision: "main".into(),
                origin: Origin::Default,
            },
            hash: "abc".into(),
            changes: 9,
            allowed: 5,
        };
        let mut overview = Overview::default();
        for name in ["a", "b", "c"] {
            let mut stopped = decision(name, Outcome::Stays(tripped.reason()));
            stopped.environment = "prod".into();
            told(&mut overview, &stopped);
        }
        told(&mut overview, &decision("d", stays(Code::Hold, "x")));
        // What has moved before is none of those that wait.
        assert_eq!(overview.stopped(), [("prod".to_owned(), 3)].into());
        told(&mut overview, &decision("a", Outcome::Change));
        overview.forget(&Name::new("argocd", "b"));
        assert_eq!(overview.stopped(), [("prod".to_owned(), 1)].into());
        overview.forget(&Name::new("argocd", "c"));
        assert_eq!(overview.stopped(), BTreeMap::new());
    }

    #[test]
    fn only_watched_settings_are_settings() {
        let mut overview = Overview::default();
        let mut one = decision("a", Outcome::Same);
        told(&mut overview, &one);
        assert!(!overview.has_settings(&one.application));
        one.settings = Some(Settings {
            objects: Vec::new(),
            outcome: Outcome::Same,
        });
        told(&mut overview, &one);
        assert!(overview.has_settings(&one.application));
    }

    #[test]
    fn what_comes_due_is_given_once() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut overview = Overview::default();
        for (name, second) in [("a", 20), ("b", 10), ("c", 30)] {
            let mut one = decision(name, Outcome::Same);
            one.again = Some(at(second));
            told(&mut overview, &one);
        }
        told(&mut overview, &decision("c", Outcome::Same));
        assert_eq!(overview.next(), Some(at(10)));
        assert_eq!(overview.due(at(9)), None);
        let due: Vec<Name> = std::iter::from_fn(|| overview.due(at(100))).collect();
        assert_eq!(due, [Name::new("argocd", "b"), Name::new("argocd", "a")]);
        assert_eq!(overview.next(), None);
    }
}
