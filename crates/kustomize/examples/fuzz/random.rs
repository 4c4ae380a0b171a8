//! Numbers that look random, the same in every run.

/// A generator of them; each execution has its own, so that any of them can be repeated alone.
pub(crate) struct Random(u64);

impl Random {
    /// The generator of one execution.
    pub(crate) fn of(seed: u64, execution: u64) -> Self {
        let mut random = Self(mixed(seed) ^ mixed(execution.wrapping_add(0x5851_F42D_4C95_7F2D)));
        random.next();
        random
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mixed(self.0)
    }

    /// A number below a bound; 0 where there is none.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.next() % bound).unwrap_or(0)
    }

    /// Whether something that happens once in so many times happens.
    pub(crate) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of a list.
    pub(crate) fn of_list<'l, T>(&mut self, list: &'l [T]) -> Option<&'l T> {
        list.get(self.below(list.len()))
    }

    /// One of a list of texts; an empty one where there is none.
    pub(crate) fn text<'l, T: AsRef<[u8]>>(&mut self, list: &'l [T]) -> &'l [u8] {
        self.of_list(list).map_or(b"", AsRef::as_ref)
    }
}

/// Spreads what distinguishes two numbers over all their bits.
const fn mixed(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ (number >> 31)
}
