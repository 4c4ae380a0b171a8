//! One Application that is decided of, with what is known of it.

use jiff::Timestamp;

use super::Decider;
use super::moves::Moves;
use crate::steer::application::{Annotations, Application};
use crate::steer::breaker;
use crate::steer::holds;
use crate::steer::owner::{Owner, OwnerName};
use crate::steer::ownership::{self, Field};
use crate::steer::plan::{Counted, Decision, Outcome, Revision, Settings};
use crate::steer::reason::{Class, Reason};
use crate::steer::record::{self, Record};
use crate::steer::state::Remembered;

/// One Application that is decided of.
pub(super) struct Work<'w, 'a> {
    pub(super) decider: &'w Decider<'a>,
    pub(super) application: &'a Application,
    pub(super) annotations: Annotations,
    pub(super) environment: &'a str,
    /// What was decided last of it, in the same environment.
    pub(super) record: Option<Record>,
    /// The same, whatever environment it was in.
    pub(super) last: Option<Record>,
    pub(super) remembered: Option<&'a Remembered>,
    pub(super) owners: Vec<(OwnerName, &'a Owner)>,
    pub(super) again: Option<Timestamp>,
}

impl<'w, 'a> Work<'w, 'a> {
    pub(super) fn new(decider: &'w Decider<'a>, application: &'a Application) -> Option<Self> {
        let environment = decider.policy.environment_of(application)?;
        let annotations = application.annotations();
        let last = annotations.state.as_deref().and_then(Record::read);
        let record = last.clone();
        let record = record.filter(|record| record.environment == *environment);
        let state = decider.state;
        let owners = ownership::owners(application, &state.instance, decider.policy);
        let owners = owners.into_iter().map(|name| {
            let owner = state.owners.get(&name).unwrap_or(&Owner::Unreadable);
            (name, owner)
        });
        Some(Self {
            decider,
            application,
            environment,
            record,
            last,
            remembered: state
                .memory
                .of(&application.name(), &application.metadata.uid),
            owners: owners.collect(),
            annotations,
            again: None,
        })
    }

    pub(super) fn decision(mut self, stopped: Option<Reason>) -> Decision {
        let is_stopped = stopped.is_some();
        let held = holds::standing(
            self.decider.state,
            self.decider.policy,
            self.application,
            self.decider.now,
        );
        self.look_again(held.again);
        let moves = self.moves(held.reason.as_ref(), stopped);
        let digests = self.digests(held.reason.as_ref());
        let patch = self.patch(&moves, digests.as_ref(), held.reason.is_some());
        let counted = self.counted(&moves, is_stopped);
        let current = moves
            .sources
            .iter()
            .map(|moving| moving.source.revision().to_owned());
        let mut current: Vec<String> = current.collect();
        current.dedup();
        let Moves {
            default,
            wanted,
            outcome,
            ..
        } = moves;
        Decision {
            application: self.application.name(),
            uid: self.application.metadata.uid.clone(),
            environment: self.environment.to_owned(),
            project: self.application.project().to_owned(),
            revision: Revision {
                default,
                wanted,
                current,
                outcome,
            },
            settings: digests.map(|digests| Settings {
                objects: digests.objects(),
                outcome: digests.outcome,
            }),
            patch,
            again: self.again,
            counted,
        }
    }

    /// What the breaker counts it as. One that a breaker stops would change.
    fn counted(&self, moves: &Moves<'_>, is_stopped: bool) -> Counted {
        let Decider { policy, now, .. } = *self.decider;
        // Who may not be in the environment does not make its breaker wider, nor trip it.
        if moves.wanted.is_none() || !policy.protects(self.environment) {
            return Counted::Not;
        }
        let would_change = is_stopped || moves.outcome == Outcome::Change;
        let within = policy.breaker.within;
        let (remembered, record) = (self.remembered, self.record.as_ref());
        if would_change || breaker::has_moved(remembered, record, within, now) {
            Counted::Changes
        } else {
            Counted::Still
        }
    }

    pub(super) fn look_again(&mut self, at: Option<Timestamp>) {
        self.again = match (self.again, at) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
    }

    /// Whether a patch of a field will stay.
    ///
    /// # Errors
    /// Why not; what to do about it is said of all fields at once that will be written.
    pub(super) fn judge(&self, field: Field) -> Result<(), Reason> {
        let instance = &self.decider.state.instance;
        let judge =
            |fields: &[Field]| ownership::judge(self.application, fields, &self.owners, instance);
        judge(&[field]).map_err(|reason| {
            if reason.class() == Class::Contested && self.has_settings() && field != Field::Sources
            {
                let all = judge(&[Field::TargetRevision, Field::Env]);
                return all.err().unwrap_or(reason);
            }
            reason
        })
    }

    /// What was set last: what the record says, where there can be one; otherwise what this process remembers. Whoever
    /// removes the record wants it forgotten.
    pub(super) fn last_set<'s, T: ?Sized>(
        &'s self,
        recorded: Option<&'s T>,
        remembered: impl FnOnce(&'s Remembered) -> Option<&'s T>,
    ) -> Option<&'s T> {
        if ownership::keeps_annotation(&self.owners, record::ANNOTATION) {
            return recorded;
        }
        self.remembered.and_then(remembered).or(recorded)
    }
}
