//! Work on several things at once, where there is enough of it.

use std::panic::resume_unwind;
use std::sync::{Mutex, PoisonError};
use std::thread::{self, Builder};

/// Things for each thread that are worth starting it: fewer are done before it runs.
const WORTH_A_THREAD: usize = 8;

/// Parts of a list for each thread that works on it: whoever is done early takes another one.
const PARTS_OF_A_THREAD: usize = 4;

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
pub(crate) fn map<I, R>(
    items: I,
    threads: usize,
    work: impl Fn(I::Item) -> R + Sync,
) -> Vec<Option<R>>
where
    I: ExactSizeIterator + Send,
    R: Send,
{
    let mut all: Vec<Option<R>> = (0..items.len()).map(|_| None).collect();
    let items = Mutex::new(items.enumerate());
    let next = || items.lock().unwrap_or_else(PoisonError::into_inner).next();
    let run = || {
        let mut done = Vec::new();
        while let Some((index, item)) = next() {
            done.push((index, work(item)));
        }
        done
    };
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

/// Does something with each part of a list that may be changed, on so many threads, and returns what comes of the parts,
/// in order.
pub(crate) fn map_parts<T: Send, R: Send>(
    list: &mut [T],
    threads: usize,
    work: impl Fn(&mut [T]) -> R + Sync,
) -> Vec<R> {
    if threads < 2 {
        return vec![work(list)];
    }
    let length = list.len().div_ceil(threads * PARTS_OF_A_THREAD).max(1);
    let results = map(list.chunks_mut(length), threads, work);
    let results: Option<Vec<R>> = results.into_iter().collect();
    // What a thread has left behind can be changed no further.
    results.unwrap_or_else(|| resume_unwind(Box::new("a thread has ended in a panic")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_in_order_whoever_made_them() {
        let items: Vec<usize> = (0..1000).collect();
        for threads in [1, 2, 7] {
            let doubled = map(items.iter(), threads, |item| item * 2);
            let doubled: Vec<usize> = doubled.into_iter().flatten().collect();
            assert_eq!(
                doubled,
                items.iter().map(|item| item * 2).collect::<Vec<_>>()
            );
        }
    }

    #[test]
    fn parts_are_changed_and_their_results_in_order() {
        for threads in [1, 2, 7] {
            let mut items: Vec<usize> = (0..100).collect();
            let lengths = map_parts(&mut items, threads, |part| {
                for item in &mut *part {
                    *item *= 2;
                }
                (part.first().copied(), part.len())
            });
            assert_eq!(items, (0..100).map(|item| item * 2).collect::<Vec<_>>());
            assert!(lengths.is_sorted());
            assert_eq!(lengths.iter().map(|(_, length)| length).sum::<usize>(), 100);
        }
    }

    #[test]
    fn few_things_are_done_by_the_caller() {
        assert_eq!(Threads::OfMachine.worth(WORTH_A_THREAD * 2 - 1), 1);
        assert_eq!(Threads::One.worth(1000), 1);
        assert!(Threads::OfMachine.worth(1000) <= MOST);
    }
}
