//! Whether all that decisions are made from is known: every watch has shown all that there is, and none has failed for long.

use std::time::{Duration, Instant};

/// How long a watch may fail: what it showed last is then too old to act on.
const PATIENCE: Duration = Duration::from_secs(30);

/// How the watches stand.
#[derive(Debug)]
pub(super) struct Gate(Vec<Standing>);

#[derive(Clone, Copy, Debug, Default)]
struct Standing {
    is_listed: bool,
    failing_since: Option<Instant>,
    is_forbidden: bool,
}

impl Gate {
    /// So many watches, of which nothing is known yet.
    pub(super) fn new(watches: usize) -> Self {
        Self(vec![Standing::default(); watches])
    }

    /// A watch begins to list all that there is.
    pub(super) fn begin(&mut self, watch: usize) {
        self.change(watch, |standing| standing.is_listed = false);
    }

    /// A watch has listed all that there is.
    pub(super) fn complete(&mut self, watch: usize) {
        self.change(watch, |standing| {
            *standing = Standing {
                is_listed: true,
                ..Standing::default()
            };
        });
    }

    /// A watch goes on.
    pub(super) fn well(&mut self, watch: usize) {
        self.change(watch, |standing| {
            standing.failing_since = None;
            standing.is_forbidden = false;
        });
    }

    /// A watch fails; whether it did not before.
    pub(super) fn fail(&mut self, watch: usize, is_forbidden: bool, now: Instant) -> bool {
        let mut is_new = false;
        self.change(watch, |standing| {
            is_new = standing.failing_since.is_none() || standing.is_forbidden != is_forbidden;
            standing.failing_since.get_or_insert(now);
            standing.is_forbidden = is_forbidden;
        });
        is_new
    }

    fn change(&mut self, watch: usize, change: impl FnOnce(&mut Standing)) {
        if let Some(standing) = self.0.get_mut(watch) {
            change(standing);
        }
    }

    /// Whether what one watch shows may be acted on.
    pub(super) fn is_synced(&self, watch: usize, now: Instant) -> bool {
        self.0.get(watch).is_some_and(|standing| {
            let Standing {
                is_listed,
                failing_since,
                is_forbidden,
            } = *standing;
            let is_stale = failing_since.is_some_and(|since| since + PATIENCE <= now);
            is_listed && !is_forbidden && !is_stale
        })
    }

    /// Whether that is so of all of them.
    pub(super) fn is_complete(&self, now: Instant) -> bool {
        (0..self.0.len()).all(|watch| self.is_synced(watch, now))
    }

    /// When it closes if nothing else happens.
    pub(super) fn closes(&self, now: Instant) -> Option<Instant> {
        let since = self.0.iter().filter_map(|standing| standing.failing_since);
        let ends = since.map(|since| since + PATIENCE);
        ends.filter(|end| *end > now).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_when_the_last_watch_has_listed_all() {
        let now = Instant::now();
        let mut gate = Gate::new(2);
        assert!(!gate.is_complete(now));
        gate.begin(0);
        gate.complete(0);
        assert!(gate.is_synced(0, now) && !gate.is_complete(now));
        gate.begin(1);
        gate.complete(1);
        assert!(gate.is_complete(now));
        gate.begin(0);
        assert!(!gate.is_complete(now));
        // A list that breaks off is no list.
        gate.well(0);
        assert!(!gate.is_complete(now));
        gate.complete(0);
        assert!(gate.is_complete(now));
    }

    #[test]
    fn a_failing_watch_closes_it_after_a_while_and_a_forbidden_one_at_once() {
        let now = Instant::now();
        let later = |seconds| now + Duration::from_secs(seconds);
        let mut gate = Gate::new(1);
        gate.complete(0);
        assert!(gate.fail(0, false, now));
        assert!(!gate.fail(0, false, later(20)));
        assert_eq!(gate.closes(now), Some(later(30)));
        assert!(gate.is_complete(later(29)) && !gate.is_complete(later(30)));
        gate.well(0);
        assert!(gate.is_complete(later(31)) && gate.closes(now).is_none());
        assert!(gate.fail(0, true, now) && !gate.is_complete(now));
        // Only an answer opens it again.
        assert!(!gate.fail(0, true, now));
        assert!(gate.fail(0, false, now) && gate.is_complete(now));
    }

    #[test]
    fn without_a_watch_there_is_nothing_to_wait_for() {
        assert!(Gate::new(0).is_complete(Instant::now()));
    }
}
