//! Projects take turns, so that thousands of changes in one hold back nobody else's.

use std::collections::BTreeMap;

/// The turns of what waits for the same.
#[derive(Debug, Default)]
pub(super) struct Turns {
    /// The last one that was taken.
    taken: u64,
    /// The last one that was given to each project, where that has yet to come.
    given: BTreeMap<String, u64>,
}

impl Turns {
    /// Gives a turn to a project: its next one after those that it has.
    pub(super) fn give(&mut self, project: &str) -> u64 {
        let last = self.given.get(project).copied().unwrap_or_default();
        let turn = last.max(self.taken).saturating_add(1);
        self.given.insert(project.to_owned(), turn);
        turn
    }

    /// A turn is taken.
    pub(super) fn take(&mut self, turn: u64) {
        if turn > self.taken {
            self.taken = turn;
            self.given.retain(|_, given| *given > turn);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_with_one_change_does_not_wait_for_all_of_another_one() {
        let mut turns = Turns::default();
        let many: Vec<u64> = (0..1000).map(|_| turns.give("many")).collect();
        assert_eq!(many, (1..=1000).collect::<Vec<_>>());
        assert_eq!(turns.give("few"), 1);
        for turn in 1..=10 {
            turns.take(turn);
        }
        assert_eq!((turns.give("few"), turns.give("few")), (11, 12));
        // One that waits longer than others does not fall back.
        turns.take(5);
        assert_eq!((turns.give("third"), turns.give("many")), (11, 1001));
    }

    #[test]
    fn what_was_long_ago_is_forgotten() {
        let mut turns = Turns::default();
        for number in 0..1000 {
            let turn = turns.give(&format!("project-{number}"));
            turns.take(turn);
        }
        assert!(turns.given.is_empty());
    }
}
