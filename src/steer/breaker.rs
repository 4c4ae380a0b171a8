//! The breaker of protected environments: too many changes at once stop until somebody says that they are meant.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::plan::{Counted, Decision, Tripped, Wanted};
use super::policy::Policy;
use super::reason::{Code, Reason};
use super::record::Record;
use super::state::{Remembered, State, is_within};
use crate::hex::hex;

/// Bytes of a hash that people copy.
const HASH: usize = 8;

/// What was and would be changed of one environment.
#[derive(Default)]
struct Changes<'a> {
    all: usize,
    recent: usize,
    pending: Vec<&'a Decision>,
}

/// The changes that are too many at once and not acknowledged.
pub(super) fn tripped(
    state: &State,
    policy: &Policy,
    decisions: &[Decision],
    now: Timestamp,
) -> Vec<Tripped> {
    let mut environments: BTreeMap<&str, Changes<'_>> = BTreeMap::new();
    for decision in decisions {
        if decision.counted == Counted::Not {
            continue;
        }
        let changes = environments.entry(&decision.environment).or_default();
        changes.all += 1;
        if decision.moves() {
            changes.pending.push(decision);
        } else if decision.counted == Counted::Changes {
            changes.recent += 1;
        }
    }
    let mut tripped = Vec::new();
    for (environment, changes) in environments {
        let allowed = policy.breaker.least;
        let allowed = allowed.max(changes.all.saturating_mul(policy.breaker.percent) / 100);
        let count = changes.recent + changes.pending.len();
        if count <= allowed {
            continue;
        }
        let pending = changes.pending.iter();
        let wanted = pending.filter_map(|decision| decision.revision.wanted.as_ref());
        let by_hash: BTreeMap<String, &Wanted> = wanted
            .map(|wanted| (hash(environment, wanted), wanted))
            .collect();
        for (hash, wanted) in by_hash {
            if !state.controls.acknowledges(&hash, now) {
                tripped.push(Tripped {
                    environment: environment.to_owned(),
                    wanted: wanted.clone(),
                    hash,
                    changes: count,
                    allowed,
                });
            }
        }
    }
    tripped
}

/// Whether the revision of an Application was set a short time ago. `record` is one of the environment that it is in.
pub(super) fn has_moved(
    remembered: Option<&Remembered>,
    record: Option<&Record>,
    within: Duration,
    now: Timestamp,
) -> bool {
    let is_within = |time: &Timestamp| is_within(*time, now, within);
    let last = remembered.and_then(|remembered| remembered.moves.last());
    let recorded = record.and_then(|record| record.moved.as_ref());
    last.is_some_and(is_within) || recorded.is_some_and(is_within)
}

/// What a change is acknowledged by: it stays the same while Applications follow one after the other.
fn hash(environment: &str, wanted: &Wanted) -> String {
    let mut hash = Sha256::new();
    for text in [environment, &wanted.revision, &wanted.origin.to_string()] {
        hash.update(text.len().to_be_bytes());
        hash.update(text);
    }
    hex(hash.finalize().get(..HASH).unwrap_or_default())
}

impl Tripped {
    /// Why an Application does not move; `None` where this is not about it.
    pub(super) fn stops(&self, decision: &Decision) -> Option<Reason> {
        let is_of = decision.environment == self.environment
            && decision.revision.wanted.as_ref() == Some(&self.wanted);
        is_of.then(|| self.reason())
    }

    /// What people are told.
    pub fn reason(&self) -> Reason {
        let Self {
            environment,
            wanted: _,
            hash,
            changes,
            allowed,
        } = self;
        let message = format!(
            "the breaker of `{environment}` stopped a change of {changes} Applications at once, where {allowed} are allowed"
        );
        Reason::new(Code::Breaker, message).hint(format!(
            "if it is meant: `argocd-infisical revisions acknowledge {hash}`"
        ))
    }
}
