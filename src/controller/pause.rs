//! How long to wait before something that failed is tried again.

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

/// Waits that grow with each failure.
#[derive(Clone, Debug)]
pub(super) struct Pause {
    first: Duration,
    longest: Duration,
    failures: u32,
}

impl Pause {
    /// Waits that begin with one time and double up to another.
    pub(super) const fn new(first: Duration, longest: Duration) -> Self {
        Self {
            first,
            longest,
            failures: 0,
        }
    }

    /// Something succeeded.
    pub(super) const fn reset(&mut self) {
        self.failures = 0;
    }

    /// How long to wait after another failure: between half and all of the time, and at least as long as was asked for.
    pub(super) fn next(&mut self, asked: Option<Duration>) -> Duration {
        let doubled = self.first.saturating_mul(1 << self.failures.min(20));
        self.failures = self.failures.saturating_add(1);
        let most = doubled.min(self.longest);
        let wait = most / 2 + (most / 2).mul_f64(share());
        asked.map_or(wait, |asked| asked + wait / 2)
    }
}

/// A number from zero to one by chance, so that not all who wait try again at once.
fn share() -> f64 {
    let number = RandomState::new().hash_one(0) % 1024;
    u32::try_from(number).map_or(0.0, |number| f64::from(number) / 1023.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(pause: &mut Pause, asked: Option<u64>) -> f64 {
        pause.next(asked.map(Duration::from_secs)).as_secs_f64()
    }

    #[test]
    fn waits_double_up_to_the_longest() {
        let mut pause = Pause::new(Duration::from_secs(1), Duration::from_secs(30));
        for expected in [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0] {
            let wait = seconds(&mut pause, None);
            assert!((expected / 2.0..=expected).contains(&wait), "{wait}");
        }
        pause.reset();
        assert!(seconds(&mut pause, None) <= 1.0);
    }

    #[test]
    fn who_is_asked_to_wait_does() {
        let mut pause = Pause::new(Duration::from_secs(1), Duration::from_secs(30));
        assert!(seconds(&mut pause, Some(7)) >= 7.0);
    }

    #[test]
    fn not_all_try_again_at_once() {
        let wait = |_| Pause::new(Duration::from_secs(8), Duration::from_secs(30)).next(None);
        let waits: std::collections::BTreeSet<_> = (0..16).map(wait).collect();
        assert!(waits.len() > 1);
    }
}
