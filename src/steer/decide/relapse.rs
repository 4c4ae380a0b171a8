//! What an owner put back although its rules leave it alone.
//!
//! Argo CD syncs from its own copy of the cluster. Where that copy is older than a patch of ours, "leave the field as it is"
//! writes what the field was before: a mistake that neither side makes twice, but the change would be lost.

use jiff::{SignedDuration, Timestamp};

use super::work::Work;
use crate::steer::application::Manager;
use crate::steer::owner::{Owner, OwnerName};
use crate::steer::plan::Answers;

/// How long after a patch an owner's copy of the Application may still be from before it, clocks that differ included.
const LAG: SignedDuration = SignedDuration::from_secs(10);

/// For how long after it was put back it may be set once more.
const SOON: SignedDuration = SignedDuration::from_mins(1);

impl Work<'_, '_> {
    /// Whether what was set at a time is to be set once more, since an owner put it back out of an old copy. That its rules
    /// leave the field alone is asked for elsewhere. Each change is set once more at most, and soon or not at all: if it is no
    /// mistake, there is no fight.
    pub(super) fn is_relapse(
        &self,
        managers: &[Manager],
        set: Option<Timestamp>,
        answered: impl FnOnce(Answers) -> bool,
    ) -> bool {
        let Some(set) = set else { return false };
        let Some(last) = managers.iter().max_by_key(|manager| manager.time) else {
            return false;
        };
        let now = self.decider.now;
        let is_late = |time: Timestamp| {
            time.duration_since(set).abs() <= LAG && now.duration_since(time).abs() <= SOON
        };
        !self
            .remembered
            .is_some_and(|remembered| answered(remembered.answered))
            && last.time.is_some_and(is_late)
            && self.owners.iter().any(|(name, owner)| {
                let is_there = matches!(owner, Owner::Application(_) | Owner::ApplicationSet(_));
                is_there && writes_as(name) == last.name
            })
    }
}

/// The field manager of what an owner writes.
// Argo CD: ArgoCDSSAManager, which kubectl's apply is given as well; the ApplicationSet controller's is its program's name
const fn writes_as(owner: &OwnerName) -> &'static str {
    match owner {
        OwnerName::Application(_) => "argocd-controller",
        OwnerName::ApplicationSet(_) => "argocd-applicationset-controller",
    }
}
