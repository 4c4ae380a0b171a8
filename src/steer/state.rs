//! What is known of a cluster, with the indexes that tell what a change concerns.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::application::{Application, Name};
use super::objects::Objects;
use super::owner::{Instance, Owner, OwnerName};
use super::plan::{Answers, Decision, Effect, Outcome};
use super::project::Project;
use super::reason::Class;
use super::record::Refresh;
use crate::settings::digest::DigestKey;

/// What is known of a cluster: everything that decisions are made from, besides the policy and the time.
#[derive(Default)]
pub struct State {
    /// The Applications that have the label of an environment, by name.
    pub applications: BTreeMap<Name, Box<Application>>,
    /// The watched objects: those with a label of ours.
    pub objects: Objects,
    /// The projects, by name; `None` where they cannot be had, so that no sync window is known.
    pub projects: Option<BTreeMap<String, Project>>,
    /// The owners that were asked for.
    pub owners: BTreeMap<OwnerName, Owner>,
    /// What `argocd-cm` says.
    pub instance: Instance,
    /// What people told the controller.
    pub controls: Controls,
    /// What was written, as far as it is remembered.
    pub memory: Memory,
    /// The key of digests; without one, settings are not watched over.
    pub digest_key: Option<DigestKey>,
}

/// What people told the controller, in its own namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Controls {
    /// Nothing is written.
    pub is_paused: bool,
    /// The hashes of changes that a breaker stopped and that may happen, each with the time until which they may.
    pub acknowledged: BTreeMap<String, Option<Timestamp>>,
}

impl Controls {
    /// The name of the `ConfigMap` that has them, in the controller's namespace.
    pub const NAME: &str = "argocd-infisical-controls";
    /// Its key that stops everything.
    pub const PAUSE: &str = "pause";
    /// Its key with acknowledged changes: hashes with commas between them, each with `@` and a time or without.
    pub const ACKNOWLEDGED: &str = "acknowledged";

    /// Reads them. Anything but `false` pauses; an entry that cannot be read acknowledges nothing.
    pub fn read(data: &BTreeMap<String, String>) -> Self {
        let pause = data.get(Self::PAUSE).map(|text| text.trim());
        let entries = data.get(Self::ACKNOWLEDGED);
        let entries = entries.iter().flat_map(|text| text.split([',', '\n']));
        let entry = |text: &str| match text.trim().split_once('@') {
            None => Some((text.trim().to_owned(), None)),
            Some((hash, until)) => Some((hash.to_owned(), Some(until.parse().ok()?))),
        };
        Self {
            is_paused: pause.is_some_and(|text| !matches!(text, "" | "false")),
            acknowledged: entries.filter_map(entry).collect(),
        }
    }

    /// The text of [`Self::ACKNOWLEDGED`] with one more hash, and without those whose time is over.
    pub fn acknowledging(&self, hash: &str, until: Timestamp, now: Timestamp) -> String {
        let mut all = self.acknowledged.clone();
        all.retain(|hash, until| !hash.is_empty() && until.is_none_or(|until| until > now));
        all.insert(hash.to_owned(), Some(until));
        let texts = all.into_iter().map(|(hash, until)| match until {
            None => hash,
            Some(until) => format!("{hash}@{until}"),
        });
        texts.collect::<Vec<_>>().join(",")
    }

    /// Whether a change may happen.
    pub fn acknowledges(&self, hash: &str, now: Timestamp) -> bool {
        let until = self.acknowledged.get(hash);
        until.is_some_and(|until| until.is_none_or(|until| until > now))
    }
}

/// What was written by this process, and what it saw. It is lost when the process ends, and nothing rests on it alone.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    applications: BTreeMap<Name, Remembered>,
}

/// What is remembered of one Application.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remembered {
    /// Which object of this name.
    pub uid: String,
    /// The revision that was set last.
    pub revision: Option<String>,
    /// When revisions were set, oldest first.
    pub moves: Vec<Timestamp>,
    /// The digest that was set last, with its time.
    pub digest: Option<String>,
    /// Whether what was set last had been put back by an owner by mistake, and was set once more.
    pub answered: Answers,
    /// The refresh that was asked for last.
    pub refresh: Option<Refresh>,
    /// The revision that was wanted when it was first left to a person who had set another one.
    pub left: Option<String>,
    /// Whether its settings could not be seen when it was looked at last.
    pub is_without_settings: bool,
    /// How often they were seen again after that.
    pub returns: u32,
}

impl Memory {
    /// What is remembered of an Application.
    pub fn of(&self, name: &Name, uid: &str) -> Option<&Remembered> {
        let found = self.applications.get(name);
        found.filter(|remembered| remembered.uid == uid)
    }

    fn entry(&mut self, name: &Name, uid: &str) -> &mut Remembered {
        let remembered = self.applications.entry(name.clone()).or_default();
        if remembered.uid != uid {
            *remembered = Remembered {
                uid: uid.to_owned(),
                ..Remembered::default()
            };
        }
        remembered
    }

    /// Remembers what a patch did that was written. `within` is how long a move matters.
    pub fn wrote(&mut self, decision: &Decision, now: Timestamp, within: Duration) {
        let Some(patch) = &decision.patch else { return };
        let Effect {
            revision,
            digest,
            refresh,
            answers,
        } = &patch.effect;
        let remembered = self.entry(&decision.application, &decision.uid);
        if revision.is_some() {
            remembered.answered.revision = answers.revision;
        }
        if digest.is_some() {
            remembered.answered.digest = answers.digest;
        }
        if let Some(revision) = revision {
            remembered.revision = Some(revision.clone());
            remembered.left = None;
            remembered
                .moves
                .retain(|time| is_within(*time, now, within));
            remembered.moves.push(now);
        }
        if let Some(digest) = digest {
            remembered.digest = Some(digest.clone());
        }
        if let Some(cause) = refresh {
            let cause = cause.clone();
            remembered.refresh = Some(Refresh { cause, at: now });
        }
    }

    /// Notes what was decided, as far as later decisions rest on it. Gives whether settings could not be seen before, and can
    /// now: then it is worth deciding again.
    pub fn saw(&mut self, decision: &Decision) -> bool {
        let (revision, settings) = (&decision.revision, decision.settings.as_ref());
        let is_left =
            matches!(&revision.outcome, Outcome::Stays(reason) if reason.class() == Class::Held);
        let wanted = revision.wanted.as_ref().filter(|_| is_left);
        let outcome = settings.map(|settings| &settings.outcome);
        let is_without =
            matches!(outcome, Some(Outcome::Stays(reason)) if reason.class() == Class::Unknown);
        let is_known = self.of(&decision.application, &decision.uid).is_some();
        if !is_without && !is_known && wanted.is_none() {
            return false;
        }
        let remembered = self.entry(&decision.application, &decision.uid);
        match wanted {
            Some(wanted) if remembered.left.is_none() => {
                remembered.left = Some(wanted.revision.clone());
            }
            None if revision.outcome == Outcome::Same => remembered.left = None,
            _ => {}
        }
        let is_back = remembered.is_without_settings && !is_without && settings.is_some();
        remembered.is_without_settings = is_without;
        if is_back {
            remembered.returns = remembered.returns.saturating_add(1);
        }
        is_back
    }

    /// Forgets an Application that is gone.
    pub fn forget(&mut self, name: &Name) {
        self.applications.remove(name);
    }
}

/// Whether a time is no longer ago than this. One that has yet to come was not written by a clock like this one.
pub(super) fn is_within(time: Timestamp, now: Timestamp, within: Duration) -> bool {
    /// How far two clocks are apart at most.
    const APART: SignedDuration = SignedDuration::from_mins(1);
    let ago = now.duration_since(time);
    ago > -APART && ago < SignedDuration::try_from(within).unwrap_or(SignedDuration::MAX)
}
