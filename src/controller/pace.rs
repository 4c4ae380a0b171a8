//! How long decisions wait after some were made.

use std::time::{Duration, Instant};

/// The least, and how many times as long as those took: so decisions of few, and those of many, take a fifth of a processor
/// at most, however fast things change.
const LEAST: Duration = Duration::from_millis(5);
const SHARE: u32 = 4;

/// Until when decisions wait. Those of a few Applications do not wait for what those of thousands took, which have a wait of
/// their own.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pace {
    few: Option<Instant>,
    many: Option<Instant>,
}

impl Pace {
    /// Decisions of few Applications or of many have taken so long.
    pub(super) fn after(&mut self, is_few: bool, took: Duration, now: Instant) {
        let long = now + LEAST.max(took * SHARE);
        self.few = Some(if is_few { long } else { now + LEAST });
        self.many = self.many.max(Some(long));
    }

    /// Until when it is too early to decide of few Applications or of many; `None` where it never was.
    pub(super) const fn until(&self, is_few: bool) -> Option<Instant> {
        if is_few { self.few } else { self.many }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_do_not_wait_for_what_many_took() {
        let now = Instant::now();
        let later = |milliseconds| Some(now + Duration::from_millis(milliseconds));
        let mut pace = Pace::default();
        assert_eq!((pace.until(true), pace.until(false)), (None, None));
        pace.after(false, Duration::from_millis(100), now);
        assert_eq!(
            (pace.until(true), pace.until(false)),
            (later(5), later(400))
        );
        pace.after(true, Duration::from_millis(3), now);
        assert_eq!(
            (pace.until(true), pace.until(false)),
            (later(12), later(400))
        );
        let now = now + Duration::from_secs(1);
        pace.after(true, Duration::ZERO, now);
        assert_eq!(pace.until(true), Some(now + LEAST));
        assert_eq!(pace.until(false), Some(now + LEAST));
    }
}
