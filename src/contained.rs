//! Panics, which are faults of this program: kept from ending it, and from telling what they say.

use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;
use std::thread::{self, JoinHandle};

use crate::failure::Failure;
use crate::files::plain;

thread_local! {
    /// Where the last panic of this thread was.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Runs something that has no part in what is used after it fails, and makes a failure of a panic.
///
/// # Errors
/// Where it panics.
pub(crate) fn contained<T>(run: impl FnOnce() -> T) -> Result<T, Failure> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        // What a panic says may quote a value, so only its place is kept. A test has to say why it fails.
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if cfg!(test) {
                usual(panic);
            }
            let place = panic.location().map(ToString::to_string);
            // The thread may be past its locals.
            drop(PLACE.try_with(|slot| slot.replace(place)));
        }));
    });
    panic::catch_unwind(AssertUnwindSafe(run)).map_err(|_| {
        let place = PLACE
            .take()
            .unwrap_or_else(|| "an unknown place".to_owned());
        Failure::internal(format!("the program has a fault at {place}"))
            .hint("report it with what was built")
    })
}

/// Runs something on a stack that is large enough to build on, and makes a failure of a panic. It is a stack on the same
/// thread: to start another one takes as long as half of the build of a small directory.
///
/// # Errors
/// Where it panics, and where there is no memory for the stack.
pub(crate) fn contained_on_large_stack<T>(run: impl FnOnce() -> T) -> Result<T, Failure> {
    let has_begun = Cell::new(false);
    let ended = contained(|| {
        stacker::grow(kustomize::STACK_SIZE, || {
            has_begun.set(true);
            run()
        })
    });
    ended.map_err(|fault| {
        if has_begun.get() {
            return fault;
        }
        let size = kustomize::STACK_SIZE >> 20;
        Failure::input(format!("there are no {size} MiB for a stack"))
            .hint("allow the process more address space (`ulimit -v`); only what is used of it takes memory")
    })
}

/// Starts some work on a thread whose stack is large enough to build on.
///
/// # Errors
/// Where there is no thread to be had.
pub(crate) fn on_large_stack<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, Failure> {
    thread::Builder::new()
        .stack_size(kustomize::STACK_SIZE)
        .spawn(work)
        .map_err(|error| Failure::input(format!("cannot start a thread: {}", plain(&error))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Kind;

    #[test]
    fn a_panic_is_a_failure_with_its_place_and_without_its_words() {
        let failure = contained(|| -> u8 { panic!("the password is hush") }).unwrap_err();
        assert_eq!(failure.kind(), Kind::Internal);
        let text = failure.to_string();
        assert!(
            text.contains("src/contained.rs:") && !text.contains("hush"),
            "{text}"
        );
        assert_eq!(contained(|| 1).unwrap(), 1);
    }

    #[test]
    fn a_large_stack_is_large_and_keeps_panics() {
        fn deep(levels: usize) -> usize {
            let here = std::hint::black_box([levels; 128]);
            if levels == 0 {
                return here[0];
            }
            1 + deep(levels - 1) + here[127] - levels
        }
        // More than the stack of any thread has by itself.
        assert_eq!(contained_on_large_stack(|| deep(50_000)).unwrap(), 50_000);
        let failure = contained_on_large_stack(|| -> u8 { panic!("hush") }).unwrap_err();
        assert_eq!(failure.kind(), Kind::Internal);
    }
}
