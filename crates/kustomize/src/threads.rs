//! Work on several things at once, where there is enough of it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, Builder};

/// Things for each thread that are worth starting it: fewer are done before it runs.
const WORTH_A_THREAD: usize = 8;

/// The most threads that work on one build.
const MOST: usize = 8;

/// Stack for a thread that builds, in bytes: objects may be nested a thousand deep, in kustomizations that are nested
/// themselves. Only what is used takes memory.
pub const STACK_SIZE: usize = 256 << 20;

/// On how many threads a build may work. What comes of it is the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Threads {
    /// On that of the caller: where several builds go on at the same time.
    #[default]
    One,
    /// On as many as the machine runs at once.
    OfMachine,
}

impl Threads {
    /// How many threads, the caller's among them, are worth having for so many things.
    pub(crate) fn worth(self, things: usize) -> usize {
        let most = (things / WORTH_A_THREAD).min(MOST);
        if self == Self::One || most < 2 {
            return 1;
        }
        // To find out takes longer than the build of a small directory needs for all else.
        thread::available_parallelism()
            .map_or(1, usize::from)
            .min(most)
    }
}

/// Does something with each of the items, on so many threads, and returns what comes of it, in order; nothing where a
/// thread has ended in a panic.
pub(crate) fn map<T: Sync, R: Send>(
    items: &[T],
    threads: usize,
    work: impl Fn(&T) -> R + Sync,
) -> Vec<Option<R>> {
    let next = AtomicUsize::new(0);
    let run = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(index) else {
                return done;
            };
            done.push((index, work(item)));
        }
    };
    let mut all: Vec<Option<R>> = items.iter().map(|_| None).collect();
    thread::scope(|scope| {
        let start = |_| {
            let builder = Builder::new().stack_size(STACK_SIZE);
            // Without a thread there are others.
            builder.spawn_scoped(scope, run).ok()
        };
        let helpers: Vec<_> = (1..threads).filter_map(start).collect();
        let own = run();
        let helped = helpers.into_iter().filter_map(|helper| helper.join().ok());
        for (index, result) in helped.chain([own]).flatten() {
            if let Some(slot) = all.get_mut(index) {
                *slot = Some(result);
            }
        }
    });
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_in_order_whoever_made_them() {
        let items: Vec<usize> = (0..1000).collect();
        for threads in [1, 2, 7] {
            let doubled = map(&items, threads, |item| item * 2);
            let doubled: Vec<usize> = doubled.into_iter().flatten().collect();
            assert_eq!(
                doubled,
                items.iter().map(|item| item * 2).collect::<Vec<_>>()
            );
        }
    }

    #[test]
    fn few_things_are_done_by_the_caller() {
        assert_eq!(Threads::OfMachine.worth(WORTH_A_THREAD * 2 - 1), 1);
        assert_eq!(Threads::One.worth(1000), 1);
        assert!(Threads::OfMachine.worth(1000) <= MOST);
    }
}
