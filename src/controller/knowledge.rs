//! What watches have shown: the state that decisions are made from, and what has changed in it.

use std::collections::BTreeSet;
use std::time::Instant;

use super::gate::Gate;
use super::mentions::Mentions;
use super::notice::{Key, Notice, Shown, Thing};
use super::request::Refusal;
use super::union::{Union, packed};
use crate::settings::object::{Object, ObjectName};
use crate::steer::application::{Application, Name};
use crate::steer::desired::{Spoken, are_namesakes, may_speak, seat};
use crate::steer::policy::{APPLICATION, ENVIRONMENT, Policy};
use crate::steer::state::{Controls, State};

/// How many Applications are a few.
const FEW: usize = 64;

/// What is known, and how.
pub(super) struct Knowledge {
    /// The state that decisions are made from.
    pub(super) state: State,
    /// Whether it is all there.
    pub(super) gate: Gate,
    /// What has changed in it since it was decided last.
    pub(super) changed: Changed,
    shown: Union<Key>,
    mentions: Mentions,
}

/// Which Applications have to be decided of again.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Changed {
    /// All of them.
    pub(super) all: bool,
    /// These.
    pub(super) applications: BTreeSet<Name>,
    /// Since when.
    pub(super) since: Option<Instant>,
}

/// What is worth telling people.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// Nothing.
    Nothing,
    /// A watch fails that did not.
    Failing(Refusal),
    /// An object is not made as its kind asks for.
    Odd(Key),
}

impl Changed {
    /// An Application has to be decided of.
    pub(super) fn application(&mut self, name: &Name, now: Instant) {
        self.since.get_or_insert(now);
        if !self.applications.contains(name) {
            self.applications.insert(name.clone());
        }
    }

    /// All of them have.
    pub(super) fn everything(&mut self, now: Instant) {
        self.since.get_or_insert(now);
        self.all = true;
    }

    /// Whether they are so few that it takes no time to decide of them.
    pub(super) fn is_small(&self) -> bool {
        !self.all && self.applications.len() <= FEW
    }

    /// Whether any has.
    pub(super) fn is_empty(&self) -> bool {
        !self.all && self.applications.is_empty()
    }
}

impl Knowledge {
    /// Nothing yet, of so many watches.
    pub(super) fn new(state: State, watches: usize) -> Self {
        Self {
            state,
            gate: Gate::new(watches),
            changed: Changed::default(),
            shown: Union::new(),
            mentions: Mentions::default(),
        }
    }

    /// Takes in what a watch tells.
    pub(super) fn take(
        &mut self,
        watch: usize,
        notice: Notice,
        policy: &Policy,
        now: Instant,
    ) -> Told {
        match notice {
            Notice::Begin => {
                self.gate.begin(watch);
                self.shown.begin(watch);
                // Nothing is decided before it is complete, and everything then.
                self.changed.everything(now);
            }
            Notice::Shown(shown) => return self.show(watch, shown, policy, now),
            Notice::Gone(key) => {
                if self.shown.hide(watch, &key) {
                    self.lose(&key, policy, now);
                }
            }
            Notice::Complete => {
                for key in self.shown.complete(watch) {
                    self.lose(&key, policy, now);
                }
                packed(&mut self.state.applications);
                self.gate.complete(watch);
                self.changed.everything(now);
            }
            Notice::Well => self.gate.well(watch),
            Notice::Failing(refusal) => {
                if self.gate.fail(watch, refusal.code == 403, now) {
                    return Told::Failing(refusal);
                }
            }
        }
        Told::Nothing
    }

    fn show(&mut self, watch: usize, shown: Shown, policy: &Policy, now: Instant) -> Told {
        let Shown {
            key,
            version,
            thing,
        } = shown;
        if !self.shown.show(watch, &key, &version) {
            return Told::Nothing;
        }
        let Some(thing) = thing else {
            self.lose(&key, policy, now);
            return Told::Odd(key);
        };
        match (key, thing) {
            (Key::Application(name), Thing::Application(application)) => {
                self.application(&name, application, policy, now);
            }
            // Operators write objects again and again, and another version says nothing.
            (Key::Object(name), Thing::Object(object))
                if self.state.objects.get(&name) == Some(&object) => {}
            (Key::Object(name), Thing::Object(object)) => {
                self.concern(&name, Some(&object), policy, now);
                self.state.objects.insert(name, object);
            }
            (Key::Project(name), Thing::Project(project)) => {
                let projects = self.state.projects.get_or_insert_default();
                if projects.get(&name) != Some(&project) {
                    projects.insert(name, project);
                    self.changed.everything(now);
                }
            }
            (Key::Controls, Thing::Controls(controls)) => self.control(controls, now),
            _ => {}
        }
        Told::Nothing
    }

    fn application(
        &mut self,
        name: &Name,
        application: Box<Application>,
        policy: &Policy,
        now: Instant,
    ) {
        let known = self.state.applications.get(name).map(|known| &**known);
        let seat_of = |application| seat(application, policy);
        let is_moved = known.and_then(seat_of) != seat_of(&application);
        self.mentions.change(name, known, Some(&application));
        if !self.changed.all {
            self.changed.application(name, now);
        }
        self.state.applications.insert(name.clone(), application);
        if is_moved {
            self.concern_namesakes(name, policy, now);
        }
    }

    /// A key that stood for one Application alone may stand for several, or the other way about.
    fn concern_namesakes(&mut self, name: &Name, policy: &Policy, now: Instant) {
        if self.changed.all {
            return;
        }
        let own = &policy.argocd_namespace;
        for other in self.state.applications.keys() {
            if are_namesakes(name, other, own) {
                self.changed.application(other, now);
            }
        }
    }

    /// An Application is what our own patch made of it. Watches may still show what it was before.
    pub(super) fn written(&mut self, application: Box<Application>, policy: &Policy, now: Instant) {
        let name = application.name();
        let known = self.state.applications.get(&name);
        if known.is_none_or(|known| known.metadata.uid != application.metadata.uid) {
            return;
        }
        let version = application.metadata.resource_version.clone();
        let number = |application: &Application| -> Option<u64> {
            application.metadata.resource_version.parse().ok()
        };
        if known.and_then(|known| number(known)) > number(&application) {
            // The watch was faster than the answer.
            return;
        }
        self.shown.write(&Key::Application(name.clone()), &version);
        self.application(&name, application, policy, now);
    }

    fn lose(&mut self, key: &Key, policy: &Policy, now: Instant) {
        match key {
            Key::Application(name) => {
                if let Some(known) = self.state.applications.remove(name) {
                    self.mentions.change(name, Some(&known), None);
                    self.concern_namesakes(name, policy, now);
                }
                self.changed.application(name, now);
            }
            Key::Object(name) => {
                self.concern(name, None, policy, now);
                self.state.objects.remove(name);
            }
            Key::Project(name) => {
                let projects = self.state.projects.get_or_insert_default();
                if projects.remove(name).is_some() {
                    self.changed.everything(now);
                }
            }
            Key::Controls => self.control(Controls::default(), now),
        }
    }

    fn control(&mut self, controls: Controls, now: Instant) {
        if self.state.controls != controls {
            self.state.controls = controls;
            self.changed.everything(now);
        }
    }

    /// Finds the Applications that an object concerns, as it is known and as it will be.
    fn concern(&mut self, name: &ObjectName, new: Option<&Object>, policy: &Policy, now: Instant) {
        if self.changed.all {
            return;
        }
        let Self {
            state,
            changed,
            mentions,
            ..
        } = self;
        for application in mentions.of(name) {
            changed.application(application, now);
        }
        let known = state.objects.get(name);
        let mut environments: BTreeSet<&str> = BTreeSet::new();
        for object in known.into_iter().chain(new) {
            let Some(environment) = object.labels.get(ENVIRONMENT) else {
                continue;
            };
            // One that speaks of a single Application says nothing of others.
            let Some(application) = object.labels.get(APPLICATION) else {
                environments.insert(environment);
                continue;
            };
            for called in called(application, &name.namespace, policy) {
                let is_there = state.applications.contains_key(&called);
                if is_there && may_speak(name, &called.namespace, policy) {
                    changed.application(&called, now);
                }
            }
        }
        if environments.is_empty() {
            return;
        }
        let spoken = match (known, new) {
            (Some(known), Some(new)) if is_labelled_alike(known, new) => {
                Spoken::between(known, new)
            }
            _ => Spoken::OfAll,
        };
        let own = &policy.argocd_namespace;
        for (application, found) in &state.applications {
            let is_in = |environment: &str| environments.contains(environment);
            if may_speak(name, &application.namespace, policy)
                && spoken.is_of(application, own)
                && policy.environment_of(found).is_some_and(is_in)
            {
                changed.application(application, now);
            }
        }
    }
}

/// Whether two objects speak of the same.
fn is_labelled_alike(one: &Object, other: &Object) -> bool {
    let label = |key| one.labels.get(key) == other.labels.get(key);
    label(ENVIRONMENT) && label(APPLICATION)
}

/// The Applications that an object in a namespace may mean by a name: those that Argo CD calls that, and the one of its own
/// namespace.
fn called(application: &str, namespace: &str, policy: &Policy) -> Vec<Name> {
    let instance = Name::of_instance(application, &policy.argocd_namespace);
    vec![instance, Name::new(namespace, application)]
}

#[cfg(test)]
mod tests;
