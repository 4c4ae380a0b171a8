//! A limit on how often something may happen.

use std::time::{Duration, Instant};

/// A bucket that tokens drip into; one is taken for each thing that happens.
#[derive(Debug)]
pub(super) struct Bucket {
    /// Between two tokens; `None` where there is no limit.
    every: Option<Duration>,
    /// How many it holds.
    size: u32,
    /// When it is full again.
    full: Instant,
}

impl Bucket {
    /// A full one, with so many tokens a second; as many fit into it, and one at least. Zero is no limit.
    pub(super) fn new(per_second: u32, now: Instant) -> Self {
        let every = Duration::from_secs(1).checked_div(per_second);
        Self {
            every,
            size: per_second.max(1),
            full: now,
        }
    }

    /// When there will be a token; `None` where there is one.
    pub(super) fn wait(&self, now: Instant) -> Option<Instant> {
        let every = self.every?;
        // Full but for less than `size` tokens means that one is there.
        let rest = every.saturating_mul(self.size.saturating_sub(1));
        let ready = self.full.checked_sub(rest)?;
        (ready > now).then_some(ready)
    }

    /// Takes a token, whether or not there is one.
    pub(super) fn take(&mut self, now: Instant) {
        if let Some(every) = self.every {
            self.full = self.full.max(now) + every;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_of_tokens_at_once_then_one_at_a_time() {
        let now = Instant::now();
        let mut bucket = Bucket::new(10, now);
        for _ in 0..10 {
            assert_eq!(bucket.wait(now), None);
            bucket.take(now);
        }
        let next = now + Duration::from_millis(100);
        assert_eq!(bucket.wait(now), Some(next));
        assert_eq!(bucket.wait(next), None);
        bucket.take(next);
        assert_eq!(bucket.wait(next), Some(now + Duration::from_millis(200)));
        // After a pause it is full, and no fuller.
        let later = now + Duration::from_mins(1);
        for _ in 0..10 {
            assert_eq!(bucket.wait(later), None);
            bucket.take(later);
        }
        assert!(bucket.wait(later).is_some());
    }

    #[test]
    fn in_the_long_run_no_more_than_the_rate() {
        let start = Instant::now();
        let mut bucket = Bucket::new(5, start);
        let mut taken = 0;
        for millisecond in 0..10_000 {
            let now = start + Duration::from_millis(millisecond);
            while bucket.wait(now).is_none() {
                bucket.take(now);
                taken += 1;
            }
        }
        assert!((50..=55).contains(&taken), "{taken}");
    }

    #[test]
    fn zero_is_no_limit() {
        let now = Instant::now();
        let mut bucket = Bucket::new(0, now);
        for _ in 0..1000 {
            assert_eq!(bucket.wait(now), None);
            bucket.take(now);
        }
    }
}
