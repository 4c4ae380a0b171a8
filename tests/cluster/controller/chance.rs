//! How long the tests of endurance last, and what happens in them by chance, the same again for the same seed.

use std::hash::{BuildHasher as _, RandomState};
use std::io::Write as _;
use std::time::Duration;

/// Whether tests take their long form.
pub(crate) fn is_long() -> bool {
    std::env::var_os("ARGOCD_INFISICAL_LONG").is_some_and(|value| value == "1")
}

/// One of two, by the form that tests take.
pub(crate) fn long_or<T>(long: T, short: T) -> T {
    if is_long() { long } else { short }
}

/// Says something where tests are run with `--nocapture`, and in the log of a failure.
pub(crate) fn say(line: &str) {
    // Not the macro, whose output is kept back.
    std::io::stderr()
        .write_all(format!("{line}\n").as_bytes())
        .unwrap();
}

/// Numbers by chance: `SplitMix64`.
#[derive(Clone, Debug)]
pub(crate) struct Chance(u64);

impl Chance {
    /// Of the seed in `ARGOCD_INFISICAL_SEED`; without one, another one each time in the long form, and the same one in the short.
    /// It is shown.
    pub(crate) fn new(what: &str) -> Self {
        let named = std::env::var("ARGOCD_INFISICAL_SEED").ok();
        let seed = named.map_or_else(
            || long_or(RandomState::new().hash_one(0) % 1_000_000, 1),
            |seed| seed.parse().unwrap(),
        );
        say(&format!("SEED {what}: ARGOCD_INFISICAL_SEED={seed}"));
        Self(seed)
    }

    /// Another row of numbers, for something that goes on beside.
    pub(crate) fn split(&mut self) -> Self {
        Self(self.next())
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below another one.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end).unwrap()).unwrap()
    }

    /// Whether something happens that does in so many of a hundred cases.
    pub(crate) fn happens(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of several.
    pub(crate) fn one_of<'t, T>(&mut self, all: &'t [T]) -> &'t T {
        &all[self.below(all.len())]
    }

    /// A time between two, in milliseconds.
    pub(crate) fn millis(&mut self, from: usize, to: usize) -> Duration {
        Duration::from_millis(u64::try_from(from + self.below(to - from)).unwrap())
    }
}
