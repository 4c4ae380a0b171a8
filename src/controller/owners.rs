//! The owners of Applications, asked for when decisions need them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use crate::steer::application::Name;
use crate::steer::owner::OwnerName;

/// How long what was found of an owner may be relied on.
const FRESH: Duration = Duration::from_mins(1);
/// How long to wait before one is asked for again that could not be read.
const RETRY: Duration = Duration::from_secs(15);
/// How many are asked for at a time.
const AT_ONCE: usize = 8;

/// What is known of when owners were asked for, and who waits for them.
#[derive(Debug, Default)]
pub(super) struct Owners {
    known: BTreeMap<OwnerName, Known>,
    wanted: BTreeMap<OwnerName, BTreeSet<Name>>,
    asked: BTreeSet<OwnerName>,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    at: Instant,
    is_readable: bool,
}

impl Owners {
    /// An Application waits for an owner, unless it is known well enough; whether it waits.
    pub(super) fn want(&mut self, owner: &OwnerName, name: &Name, now: Instant) -> bool {
        if self.is_fresh(owner, now) {
            return false;
        }
        let waiting = self.wanted.entry(owner.clone()).or_default();
        waiting.insert(name.clone());
        true
    }

    fn is_fresh(&self, owner: &OwnerName, now: Instant) -> bool {
        let known = self.known.get(owner);
        known.is_some_and(|known| known.is_readable && now < known.at + FRESH)
    }

    /// The owner to ask for next, if one may be asked for now.
    pub(super) fn next(&mut self, now: Instant) -> Option<OwnerName> {
        if self.asked.len() >= AT_ONCE {
            return None;
        }
        let is_due = |owner: &OwnerName| {
            let known = self.known.get(owner);
            let is_early = known.is_some_and(|known| !known.is_readable && now < known.at + RETRY);
            !self.asked.contains(owner) && !is_early
        };
        let owner = self.wanted.keys().find(|owner| is_due(owner))?.clone();
        self.asked.insert(owner.clone());
        Some(owner)
    }

    /// An owner was asked for; the Applications that waited for it.
    pub(super) fn found(
        &mut self,
        owner: &OwnerName,
        is_readable: bool,
        now: Instant,
    ) -> BTreeSet<Name> {
        self.asked.remove(owner);
        let at = now;
        self.known.insert(owner.clone(), Known { at, is_readable });
        if is_readable {
            return self.wanted.remove(owner).unwrap_or_default();
        }
        // They go on waiting, and are told.
        self.wanted.get(owner).cloned().unwrap_or_default()
    }

    /// An Application is gone, or waits for nothing any more.
    pub(super) fn forget(&mut self, name: &Name) {
        self.wanted.retain(|_, waiting| {
            waiting.remove(name);
            !waiting.is_empty()
        });
    }

    /// Forgets owners that nobody has needed for long; gives which.
    pub(super) fn tidy(&mut self, now: Instant) -> Vec<OwnerName> {
        let is_old = |known: &Known| now.saturating_duration_since(known.at) > FRESH * 10;
        let old = self.known.iter().filter(|(_, known)| is_old(known));
        let old: Vec<OwnerName> = old.map(|(owner, _)| owner.clone()).collect();
        for owner in &old {
            self.known.remove(owner);
        }
        old
    }

    /// When one may be asked for that may not be now.
    pub(super) fn wake(&self) -> Option<Instant> {
        let waiting = self
            .wanted
            .keys()
            .filter(|owner| !self.asked.contains(owner));
        let known = waiting.filter_map(|owner| self.known.get(owner));
        known
            .filter(|known| !known.is_readable)
            .map(|known| known.at + RETRY)
            .min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(name: &str) -> OwnerName {
        OwnerName::Application(Name::new("argocd", name))
    }

    #[test]
    fn an_owner_is_asked_for_once_and_relied_on_for_a_while() {
        let now = Instant::now();
        let (a, b) = (Name::new("argocd", "a"), Name::new("argocd", "b"));
        let mut owners = Owners::default();
        assert!(owners.want(&owner("root"), &a, now) && owners.want(&owner("root"), &b, now));
        assert_eq!(owners.next(now), Some(owner("root")));
        assert_eq!(owners.next(now), None);
        assert_eq!(
            owners.found(&owner("root"), true, now),
            [a.clone(), b].into()
        );
        assert!(!owners.want(&owner("root"), &a, now + Duration::from_secs(59)));
        assert_eq!(owners.next(now), None);
        assert!(owners.want(&owner("root"), &a, now + FRESH));
    }

    #[test]
    fn one_that_cannot_be_read_is_asked_for_again_after_a_while() {
        let now = Instant::now();
        let a = Name::new("argocd", "a");
        let mut owners = Owners::default();
        owners.want(&owner("root"), &a, now);
        owners.next(now);
        assert_eq!(owners.found(&owner("root"), false, now), [a.clone()].into());
        assert_eq!((owners.next(now), owners.wake()), (None, Some(now + RETRY)));
        assert_eq!(owners.next(now + RETRY), Some(owner("root")));
        owners.found(&owner("root"), false, now + RETRY);
        owners.forget(&a);
        assert_eq!(owners.wake(), None);
    }

    #[test]
    fn not_all_are_asked_for_at_once() {
        let now = Instant::now();
        let mut owners = Owners::default();
        for number in 0..20 {
            let name = format!("a{number}");
            owners.want(&owner(&name), &Name::new("argocd", name.as_str()), now);
        }
        let asked = std::iter::from_fn(|| owners.next(now)).count();
        assert_eq!(asked, AT_ONCE);
    }
}
