//! Which revision an Application should have: the ranks of overrides, and what is not known.

use std::cell::{Cell, OnceCell};
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::application::{Application, Name};
use super::objects::Objects;
use super::plan::{Origin, Wanted};
use super::policy::{APPLICATION, Environment, Policy};
use super::reason::{Code, Reason};
use super::record::Record;
use super::revision::{Revision, same};
use super::state::State;
use crate::settings::object::{Object, ObjectKind, ObjectName};

/// The key of an override.
pub const KEY: &str = "ARGOCD_TARGET_REVISION";
/// The same without the product's prefix; the other one wins.
pub const PLAIN_KEY: &str = "TARGET_REVISION";
/// The key that says until when an override counts, as RFC 3339 writes times.
pub const UNTIL: &str = "ARGOCD_TARGET_REVISION_UNTIL";
/// What stands between a key and the name of an Application.
pub(super) const OF: &str = "__";
/// What the Infisical operator's templates write for a key that is not there.
const NO_VALUE: &str = "<no value>";
/// How many names may be compared one by one, before it is worth while to put them in order.
const SCANS: usize = 8;

/// How specific an override is; the most specific one counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rank {
    /// The object speaks of this Application.
    Application,
    /// The key does, in an object of the environment.
    Key,
    /// Object and key speak of the environment.
    Environment,
}

/// What is found of the revision that an Application should have.
pub(super) struct Desired {
    /// The revision, or why there is none.
    pub(super) wanted: Result<Wanted, Reason>,
    /// How specific the override is that says so.
    pub(super) rank: Option<Rank>,
    /// When that may change by itself.
    pub(super) again: Option<Timestamp>,
}

/// An object that may override revisions.
struct Candidate<'a> {
    name: &'a ObjectName,
    object: &'a Object,
    /// The Application that it speaks of.
    application: Option<&'a str>,
}

/// An override: what a key says.
struct Statement<'a> {
    object: &'a ObjectName,
    key: String,
    bytes: &'a [u8],
    rank: Rank,
    until: Result<Option<Timestamp>, Reason>,
}

/// The overrides of revisions.
pub(super) struct Overrides<'a> {
    objects: &'a Objects,
    applications: &'a BTreeMap<Name, Box<Application>>,
    /// The Applications by environment and by what they are called in keys; counted where many keys ask.
    by_key: OnceCell<BTreeMap<(&'a str, String), Vec<&'a Name>>>,
    /// How many have asked.
    asked: Cell<usize>,
    policy: &'a Policy,
    now: Timestamp,
}

impl<'a> Overrides<'a> {
    pub(super) fn new(state: &'a State, policy: &'a Policy, now: Timestamp) -> Self {
        Self {
            objects: &state.objects,
            applications: &state.applications,
            by_key: OnceCell::new(),
            asked: Cell::new(0),
            policy,
            now,
        }
    }

    /// The revision that an Application should have. `was_set` tells that its revision was set here and is not the
    /// default, where no record says why.
    pub(super) fn desired(
        &self,
        application: &Application,
        environment: (&str, &Environment),
        record: Option<&Record>,
        was_set: bool,
    ) -> Desired {
        let (name, environment) = environment;
        let candidates = self.candidates(application, name);
        let statements = self.statements(application, &candidates);
        let rank = statements.iter().map(|statement| statement.rank).min();
        if let Some(reason) = unknown(&candidates, record, was_set, rank) {
            return Desired {
                wanted: Err(reason),
                rank: None,
                again: None,
            };
        }
        let times = statements.iter().map(|statement| &statement.until);
        let again = times.flatten().flatten().min().copied();
        let best = |statement: &Statement<'_>| Some(statement.rank) == rank;
        let statements: Vec<_> = statements.into_iter().filter(best).collect();
        let wanted = match statements.first() {
            None => Ok(Wanted {
                revision: environment.default.clone(),
                origin: Origin::Default,
            }),
            Some(first) => self
                .agreed(application, name, (first, &statements), record)
                .and_then(|statement| statement.wanted(name, environment)),
        };
        Desired {
            wanted,
            rank,
            again,
        }
    }

    /// The objects that are believed for an Application, in the order of their names.
    fn candidates(&self, application: &Application, environment: &str) -> Vec<Candidate<'a>> {
        let instance = application.name().instance(&self.policy.argocd_namespace);
        let names = [instance.as_str(), &application.metadata.name];
        let namespaces = self.policy.override_namespaces.iter().map(String::as_str);
        let namespaces = namespaces.chain([&*application.metadata.namespace]);
        let speaking = self.objects.speaking(environment, namespaces, names);
        speaking
            .into_iter()
            .map(|(name, object)| Candidate {
                name,
                object,
                application: object.labels.get(APPLICATION).map(String::as_str),
            })
            .filter(|candidate| self.believes(candidate, application))
            .collect()
    }

    fn believes(&self, candidate: &Candidate<'_>, application: &Application) -> bool {
        let namespace = &candidate.name.namespace;
        let metadata = &application.metadata;
        let is_local = *namespace == metadata.namespace;
        let instance = || application.name().instance(&self.policy.argocd_namespace);
        match candidate.application {
            _ if !may_speak(candidate.name, &metadata.namespace, self.policy) => false,
            None => true,
            Some(name) => name == instance() || (is_local && name == metadata.name),
        }
    }

    /// What is said of an Application, by all that may speak of it.
    fn statements(
        &self,
        application: &Application,
        candidates: &[Candidate<'a>],
    ) -> Vec<Statement<'a>> {
        let suffix = in_keys(&application.name(), &self.policy.argocd_namespace);
        let own = [KEY, UNTIL].map(|key| format!("{key}{OF}{suffix}"));
        let [own_key, own_until] = &own;
        let mut statements = Vec::new();
        for candidate in candidates {
            let mut add = |keys: &[&str], until: &str, rank: Rank| {
                let found = keys
                    .iter()
                    .find_map(|key| Some((key, candidate.text(key)?)));
                let until = candidate.time(until);
                // What has expired counts as a key that is not there.
                let has_expired = matches!(until, Ok(Some(until)) if until <= self.now);
                if let Some((key, bytes)) = found.filter(|_| !has_expired) {
                    statements.push(Statement {
                        object: candidate.name,
                        key: (*key).to_owned(),
                        bytes,
                        rank,
                        until,
                    });
                }
            };
            if candidate.application.is_some() {
                add(&[KEY, PLAIN_KEY], UNTIL, Rank::Application);
            } else {
                add(&[own_key], own_until, Rank::Key);
                add(&[KEY, PLAIN_KEY], UNTIL, Rank::Environment);
            }
        }
        statements
    }

    /// The one thing that all statements of one rank say; the one that was in force before, where it is among them.
    fn agreed<'s>(
        &self,
        application: &Application,
        environment: &str,
        (first, statements): (&'s Statement<'a>, &'s [Statement<'a>]),
        record: Option<&Record>,
    ) -> Result<&'s Statement<'a>, Reason> {
        if let Some(Err(reason)) = statements
            .iter()
            .map(|statement| &statement.until)
            .find(|until| until.is_err())
        {
            return Err(reason.clone());
        }
        if first.rank == Rank::Key {
            self.is_alone(application, environment, first)?;
        }
        let text = |statement: &Statement<'_>| {
            let text = String::from_utf8_lossy(statement.bytes);
            text.trim_end_matches(['\n', '\r']).to_owned()
        };
        let other = statements
            .iter()
            .find(|other| !same(&text(first), &text(other)));
        if let Some(other) = other {
            let message = format!(
                "{} and {} ask for different revisions: key `{}`",
                first.object, other.object, first.key
            );
            return Err(Reason::new(Code::Conflict, message).hint(
                "let them agree, or remove the key from one of them; nothing moves until then",
            ));
        }
        let recorded = record.and_then(|record| record.origin.as_ref());
        let same_as_before = statements.iter().find(|statement| {
            recorded
                .is_some_and(|origin| origin.is_of(statement.object) && origin.key == statement.key)
        });
        Ok(same_as_before.unwrap_or(first))
    }

    /// Checks that a key speaks of one Application.
    fn is_alone(
        &self,
        application: &Application,
        environment: &str,
        statement: &Statement<'_>,
    ) -> Result<(), Reason> {
        let this = application.name();
        let is_platform = self
            .policy
            .override_namespaces
            .contains(&statement.object.namespace);
        let is_meant = |other: &&Name| {
            **other != this && (is_platform || other.namespace == statement.object.namespace)
        };
        let Some(other) = self.namesake(environment, &this, is_meant) else {
            return Ok(());
        };
        let message = format!(
            "{} has the key `{}`, which stands for {this} and {other} alike",
            statement.object, statement.key
        );
        Err(Reason::new(Code::KeyCollision, message).hint(format!(
            "give each an object of its own, with the label `{APPLICATION}`"
        )))
    }

    /// The first Application of an environment, of those that are looked for, that is called the same in keys.
    fn namesake(
        &self,
        environment: &str,
        name: &Name,
        is_looked_for: impl Fn(&&Name) -> bool,
    ) -> Option<&'a Name> {
        let own = &self.policy.argocd_namespace;
        let asked = self.asked.replace(self.asked.get() + 1);
        if asked < SCANS {
            let is_in = |of: &Application| seat(of, self.policy) == Some(environment);
            let all = self.applications.iter();
            return all
                .filter(|(other, of)| are_namesakes(name, other, own) && is_in(of))
                .map(|(other, _)| other)
                .find(is_looked_for);
        }
        let by_key = self.by_key.get_or_init(|| self.by_key());
        let namesakes = by_key.get(&(environment, in_keys(name, own)));
        namesakes.into_iter().flatten().copied().find(is_looked_for)
    }

    fn by_key(&self) -> BTreeMap<(&'a str, String), Vec<&'a Name>> {
        let mut by_key: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (name, application) in self.applications {
            if let Some(environment) = seat(application, self.policy) {
                let key = (environment, in_keys(name, &self.policy.argocd_namespace));
                by_key.entry(key).or_default().push(name);
            }
        }
        by_key
    }
}

/// The environment in which an Application is somebody's namesake: who may not be in its environment is nobody's.
pub fn seat<'a>(application: &'a Application, policy: &Policy) -> Option<&'a str> {
    let environment = policy.environment_of(application)?;
    let known = policy.environments.get(environment);
    let projects = known.and_then(|known| known.projects.as_ref());
    let may = projects.is_none_or(|projects| projects.contains(application.project()));
    may.then_some(environment)
}

impl<'a> Candidate<'a> {
    /// What a key says; nothing where it is empty.
    fn text(&self, key: &str) -> Option<&'a [u8]> {
        let bytes = self.object.data.get(key)?;
        let text = bytes.trim_ascii_end();
        (!text.is_empty() && text != NO_VALUE.as_bytes()).then_some(bytes.as_slice())
    }

    /// Whether an object without a value is about revisions at all: it speaks of one Application, has the key, or was made
    /// empty. Another object of the environment that happens to be there releases nothing.
    fn releases(&self) -> bool {
        self.application.is_some() || releases(self.object)
    }

    /// The time that a key says.
    fn time(&self, key: &str) -> Result<Option<Timestamp>, Reason> {
        let Some(bytes) = self.text(key) else {
            return Ok(None);
        };
        let text = std::str::from_utf8(bytes).ok();
        let time = text.and_then(|text| text.trim_ascii_end().parse().ok());
        time.map(Some).ok_or_else(|| {
            let message = format!("`{key}` of {} is no time", self.name);
            Reason::new(Code::InvalidExpiry, message)
                .hint("write a time with its zone, as `2027-01-31T18:00:00Z`")
        })
    }
}

impl Statement<'_> {
    /// The revision, where it may be one.
    fn wanted(&self, name: &str, environment: &Environment) -> Result<Wanted, Reason> {
        let Self { object, key, .. } = self;
        let refused = |what: &dyn std::fmt::Display, hint: &str| {
            let message = format!("`{key}` of {object} {what}");
            Reason::new(Code::InvalidRevision, message).hint(hint)
        };
        let text = std::str::from_utf8(self.bytes)
            .map_err(|_| refused(&"is not UTF-8 text", "name a branch or a tag"))?;
        let revision =
            Revision::parse(text).map_err(|illegal| refused(&illegal, illegal.hint()))?;
        if !environment.allows(&revision) {
            let message = format!(
                "`{key}` of {object} asks for a revision that the environment `{name}` may not have"
            );
            return Err(Reason::new(Code::NotAllowed, message)
                .hint("ask for one that its list in the policy allows, or extend the list"));
        }
        Ok(Wanted {
            revision: revision.as_str().to_owned(),
            origin: Origin::Override {
                object: (*object).clone(),
                key: key.clone(),
            },
        })
    }
}

/// What an object of an environment says of others than before.
#[derive(Debug, PartialEq, Eq)]
pub enum Spoken {
    /// Of all Applications of the environment.
    OfAll,
    /// Of those that are called this in keys.
    Of(BTreeSet<String>),
}

impl Spoken {
    /// What has changed from one object of an environment to the next one of that name.
    pub fn between(before: &Object, after: &Object) -> Self {
        let of_all = |object: &Object| {
            let values = [KEY, PLAIN_KEY, UNTIL].map(|key| object.data.get(key).cloned());
            (values, releases(object))
        };
        if of_all(before) != of_all(after) {
            return Self::OfAll;
        }
        let keys = before.data.keys().chain(after.data.keys());
        let changed = keys.filter(|key| before.data.get(*key) != after.data.get(*key));
        let names = changed.filter_map(|key| {
            let mut prefixes = [KEY, UNTIL].into_iter();
            prefixes.find_map(|prefix| key.strip_prefix(prefix)?.strip_prefix(OF))
        });
        Self::Of(names.map(str::to_owned).collect())
    }

    /// Whether it is of an Application of the environment. `own` is Argo CD's namespace.
    pub fn is_of(&self, name: &Name, own: &str) -> bool {
        match self {
            Self::OfAll => true,
            Self::Of(names) if names.len() > SCANS => names.contains(&in_keys(name, own)),
            Self::Of(names) => {
                let mut names = names.iter();
                names.any(|text| letters(name, own).rev().eq(text.chars().rev()))
            }
        }
    }
}

/// Whether an object may say anything of the revisions of Applications in a namespace, as far as its name tells.
pub fn may_speak(object: &ObjectName, applications: &str, policy: &Policy) -> bool {
    let namespace = &object.namespace;
    let is_near = namespace == applications || policy.override_namespaces.contains(namespace);
    // Argo CD's own Secrets are never looked at, whoever put a label on one.
    is_near && (object.kind != ObjectKind::Secret || *namespace != policy.argocd_namespace)
}

/// Whether an object that speaks of an environment is about revisions at all.
fn releases(object: &Object) -> bool {
    let mut keys = object.data.keys();
    object.data.is_empty() || keys.any(|key| key.contains(PLAIN_KEY))
}

/// What is not known: an override was in force, and what it came from is not to be seen. `rank` is how specific the best
/// statement is that is there.
fn unknown(
    candidates: &[Candidate<'_>],
    record: Option<&Record>,
    was_set: bool,
    rank: Option<Rank>,
) -> Option<Reason> {
    let reason = |message: String| {
        Reason::new(Code::OverrideGone, message).hint(
            "bring the object back, with its labels; or say that it is gone on purpose: `argocd-infisical revisions release`, or create it without the key",
        )
    };
    let Some(record) = record else {
        let is_unknown = was_set && rank.is_none() && !candidates.iter().any(Candidate::releases);
        return is_unknown.then(|| {
            reason("the revision was set here for an override that is not to be found".into())
        });
    };
    let origin = record.origin.as_ref()?;
    // An object that spoke of one Application and has lost that label speaks of nothing that is known.
    let is_there = candidates.iter().any(|candidate| {
        let is_as_it_was = origin.rank != Rank::Application || candidate.application.is_some();
        origin.is_of(candidate.name) && is_as_it_was
    });
    // Whatever is as specific, or more so, speaks for itself.
    if is_there || rank.is_some_and(|rank| rank <= origin.rank) {
        return None;
    }
    Some(reason(format!(
        "the override came from `{}` of {}, which is not to be found, or has lost its labels",
        origin.key,
        origin.object()
    )))
}

/// What an Application is called in keys: upper case, with `_` for what keys do not have.
pub(super) fn in_keys(name: &Name, own: &str) -> String {
    letters(name, own).collect()
}

/// Whether two Applications are called the same in keys.
pub fn are_namesakes(one: &Name, other: &Name, own: &str) -> bool {
    // Those of one project often begin with the same, and end otherwise.
    letters(one, own).rev().eq(letters(other, own).rev())
}

fn letters<'a>(name: &'a Name, own: &str) -> impl DoubleEndedIterator<Item = char> + use<'a> {
    let letters = name.instance_parts(own).into_iter().flat_map(str::chars);
    letters.map(|c| match c.to_ascii_uppercase() {
        c @ ('A'..='Z' | '0'..='9') => c,
        _ => '_',
    })
}
