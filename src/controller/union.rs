//! What several watches show together: an object goes only when none of them shows it any more.

use std::collections::BTreeMap;

/// Which watches show which objects.
#[derive(Debug)]
pub(super) struct Union<K> {
    shown: BTreeMap<K, Shown>,
    /// How often each watch has begun anew.
    rounds: BTreeMap<u32, u32>,
}

/// At most so many watches show one object: there are two selectors.
const WATCHES: usize = 2;

/// Who tells of the versions that our own writes have made.
const OURSELVES: u32 = u32::MAX;

#[derive(Debug, Default)]
struct Shown {
    /// Which watch, and in which round of it.
    by: [Option<(u32, u32)>; WATCHES],
    /// The latest version, and which watch told it.
    version: Option<(u32, u64)>,
}

impl Shown {
    fn is_gone(&self) -> bool {
        self.by.iter().all(Option::is_none)
    }
}

impl<K: Ord + Clone> Union<K> {
    /// Nothing is shown yet.
    pub(super) const fn new() -> Self {
        Self {
            shown: BTreeMap::new(),
            rounds: BTreeMap::new(),
        }
    }

    /// A watch begins to list all that there is. What it lists is believed whatever its version: after a cluster was
    /// restored versions begin anew.
    pub(super) fn begin(&mut self, watch: usize) {
        let watch = number(watch);
        let round = self.rounds.entry(watch).or_default();
        *round = round.wrapping_add(1);
        for shown in self.shown.values_mut() {
            let is_of_it = |slot: &Option<(u32, u32)>| slot.is_some_and(|(of, _)| of == watch);
            if shown.by.iter().any(is_of_it) {
                shown.version = None;
            }
        }
    }

    /// An object has got a version by a write of our own: watches still show earlier ones, which are no news then.
    pub(super) fn write(&mut self, key: &K, version: &str) {
        if let (Some(shown), Ok(version)) = (self.shown.get_mut(key), version.parse()) {
            shown.version = Some((OURSELVES, version));
        }
    }

    /// A watch shows an object. Whether that is news: another watch may have shown a later version of it.
    pub(super) fn show(&mut self, watch: usize, key: &K, version: &str) -> bool {
        let watch = number(watch);
        let round = self.rounds.get(&watch).copied().unwrap_or_default();
        if !self.shown.contains_key(key) {
            self.shown.insert(key.clone(), Shown::default());
        }
        let Some(shown) = self.shown.get_mut(key) else {
            return true;
        };
        let slots = &mut shown.by;
        let own = slots
            .iter()
            .position(|slot| slot.is_some_and(|(of, _)| of == watch));
        let free = || slots.iter().position(Option::is_none);
        if let Some(slot) = own.or_else(free).and_then(|index| slots.get_mut(index)) {
            *slot = Some((watch, round));
        }
        let version: Option<u64> = version.parse().ok();
        match (shown.version, version) {
            (Some((of, known)), Some(version)) if of != watch && version < known => false,
            _ => {
                shown.version = version.map(|version| (watch, version));
                true
            }
        }
    }

    /// A watch does not show an object any more; whether none does.
    pub(super) fn hide(&mut self, watch: usize, key: &K) -> bool {
        let watch = number(watch);
        let Some(shown) = self.shown.get_mut(key) else {
            return true;
        };
        for slot in &mut shown.by {
            slot.take_if(|(of, _)| *of == watch);
        }
        let is_gone = shown.is_gone();
        if is_gone {
            self.shown.remove(key);
        }
        is_gone
    }

    /// A watch has listed all that there is; what none shows any more.
    pub(super) fn complete(&mut self, watch: usize) -> Vec<K> {
        let watch = number(watch);
        let round = self.rounds.get(&watch).copied().unwrap_or_default();
        let mut gone = Vec::new();
        self.shown.retain(|key, shown| {
            for slot in &mut shown.by {
                slot.take_if(|(of, of_round)| *of == watch && *of_round != round);
            }
            let is_gone = shown.is_gone();
            if is_gone {
                gone.push(key.clone());
            }
            !is_gone
        });
        packed(&mut self.shown);
        gone
    }
}

/// The number of a watch. There are as many as a policy has namespaces.
fn number(watch: usize) -> u32 {
    u32::try_from(watch).unwrap_or(OURSELVES - 1)
}

/// Makes a map anew. One that was filled in the order of its keys has nodes that are half empty, and one that is made of all at
/// once has none.
pub(super) fn packed<K: Ord, V>(map: &mut BTreeMap<K, V>) {
    *map = std::mem::take(map).into_iter().collect();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_of_two_watches_goes_with_the_second() {
        let mut union = Union::new();
        union.begin(0);
        union.begin(1);
        assert!(union.show(0, &"a", "5"));
        assert!(union.show(1, &"a", "5"));
        assert!(!union.hide(0, &"a"));
        assert!(!union.hide(0, &"a"));
        assert!(union.hide(1, &"a"));
        assert!(union.hide(1, &"a"));
    }

    #[test]
    fn what_a_new_list_lacks_goes_unless_another_watch_has_it() {
        let mut union = Union::new();
        union.begin(0);
        union.begin(1);
        for key in ["a", "b", "c"] {
            union.show(0, &key, "1");
        }
        union.show(1, &"b", "1");
        assert_eq!(union.complete(0), [""; 0]);
        union.begin(0);
        union.show(0, &"a", "2");
        // A list that breaks off and begins again.
        union.begin(0);
        union.show(0, &"c", "3");
        assert_eq!(union.complete(0), ["a"]);
        union.begin(1);
        assert_eq!(union.complete(1), ["b"]);
        assert!(union.hide(0, &"c"));
    }

    #[test]
    fn what_another_watch_has_shown_later_stays() {
        let mut union = Union::new();
        assert!(union.show(0, &"a", "10"));
        assert!(!union.show(1, &"a", "9"));
        assert!(union.show(1, &"a", "11"));
        assert!(!union.show(0, &"a", "10"));
        assert!(union.show(1, &"a", "12"));
        assert!(union.show(0, &"a", "no number"));
    }

    #[test]
    fn what_was_there_before_a_write_of_ours_is_no_news() {
        let mut union = Union::new();
        union.show(0, &"a", "10");
        union.write(&"a", "15");
        assert!(!union.show(0, &"a", "12"));
        assert!(union.show(0, &"a", "15"));
        union.write(&"a", "20");
        // After a restore all versions are lower.
        union.begin(0);
        assert!(union.show(0, &"a", "3"));
        union.write(&"b", "20");
        assert!(union.show(0, &"b", "3"));
    }
}
