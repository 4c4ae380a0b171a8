//! The time of day.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

/// How far the time of day may be from what a steady clock says of it.
const APART: Duration = Duration::from_secs(2);

/// What tells the time of day: overrides end by it, and sync windows open. Waits, limits and the lease go by another clock, which
/// never jumps.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// Somebody's own, such as a test's, which may jump.
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// What it is.
    pub(super) fn now(&self) -> Timestamp {
        (self.0)()
    }
}

impl Default for Clock {
    /// The system's.
    fn default() -> Self {
        Self::new(Timestamp::now)
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Clock").field(&self.now()).finish()
    }
}

/// Compares the time of day with a clock that never jumps.
#[derive(Debug, Default)]
pub(super) struct Jumps(Option<(Instant, Timestamp)>);

impl Jumps {
    /// Whether the time of day has jumped since it was looked at last: what was due may not be any more, and the other way round.
    pub(super) fn see(&mut self, now: Instant, wall: Timestamp) -> bool {
        let before = self.0.replace((now, wall));
        before.is_some_and(|(then, wall_then)| {
            let passed = SignedDuration::try_from(now.saturating_duration_since(then));
            let passed = passed.unwrap_or(SignedDuration::MAX);
            let apart = wall.duration_since(wall_then).checked_sub(passed);
            apart.is_none_or(|apart| apart.unsigned_abs() > APART)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jump_is_what_a_steady_clock_does_not_say() {
        let (start, wall) = (Instant::now(), Timestamp::UNIX_EPOCH);
        let at = |seconds: i64| Timestamp::from_second(seconds).unwrap();
        let after = |seconds| start + Duration::from_secs(seconds);
        let mut jumps = Jumps::default();
        assert!(!jumps.see(start, wall));
        assert!(!jumps.see(after(5), at(5)));
        assert!(!jumps.see(after(10), at(12)));
        // Forwards, as after a machine was asleep.
        assert!(jumps.see(after(11), at(3600)));
        assert!(!jumps.see(after(12), at(3601)));
        // And back.
        assert!(jumps.see(after(13), at(13)));
        assert!(jumps.see(after(14), Timestamp::MAX) && jumps.see(after(15), Timestamp::MIN));
    }
}
