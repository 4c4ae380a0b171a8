//! Executions on several threads, watched: what panics, takes long or takes much memory is found and stored.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::os::unix::fs::FileExt as _;
use std::panic::{self, AssertUnwindSafe};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::Failure;
use crate::random::Random;
use crate::seeds::Seeds;
use crate::shrink::shrink;
use crate::target::{Fault, Outcome, Target};
use crate::tree::Tree;

/// What is run.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) target: Target,
    pub(crate) seed: u64,
    pub(crate) from: u64,
    pub(crate) executions: u64,
    pub(crate) time: Duration,
    pub(crate) threads: usize,
    /// Where findings are stored; without it they are only told.
    pub(crate) findings: Option<PathBuf>,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Summary {
    pub(crate) executions: u64,
    pub(crate) accepted: u64,
    pub(crate) elapsed: Duration,
    /// How often each kind of fault was seen, with the first execution that showed it.
    pub(crate) faults: BTreeMap<String, (u64, u64)>,
    /// The longest execution, and its time.
    pub(crate) longest: (u64, Duration),
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            executions,
            accepted,
            elapsed,
            faults,
            longest: (number, time),
        } = self;
        let rate = u128::from(*executions) * 1_000 / elapsed.as_millis().max(1);
        write!(
            f,
            "{executions} executions in {elapsed:.1?}, {rate} a second, {accepted} accepted, longest {time:.1?} (execution {number}), \
             {} MiB resident at most, {} kinds of faults",
            resident() >> 20,
            faults.len()
        )?;
        for (kind, (count, first)) in faults {
            write!(f, "\n{count} times, first in execution {first}: {kind}")?;
        }
        Ok(())
    }
}

/// Resident memory of the process that a few executions may add.
const MEMORY: u64 = 512 << 20;
/// How many executions stand between two looks at the memory.
const STRIDE: u64 = 64;
/// An execution that takes so long never ends.
const HANG: Duration = Duration::from_mins(2);

thread_local! {
    static PANIC: RefCell<Option<(String, String)>> = const { RefCell::new(None) };
}

struct State<'s> {
    plan: &'s Plan,
    seeds: &'s Seeds,
    next: AtomicU64,
    done: AtomicU64,
    accepted: AtomicU64,
    is_over: AtomicBool,
    start: Instant,
    /// What each thread does, and since when.
    running: Vec<Mutex<Option<(u64, Instant)>>>,
    faults: Mutex<Summary>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs the executions of a plan.
///
/// # Errors
/// Where a thread cannot be started or a finding not be stored.
pub(crate) fn run(
    plan: &Plan,
    seeds: &Seeds,
    tell: &(dyn Fn(&str) + Sync),
) -> Result<Summary, Failure> {
    catch_panics();
    if let Some(directory) = &plan.findings {
        fs::create_dir_all(directory)?;
    }
    let state = State {
        plan,
        seeds,
        next: AtomicU64::new(plan.from),
        done: AtomicU64::new(0),
        accepted: AtomicU64::new(0),
        is_over: AtomicBool::new(false),
        start: Instant::now(),
        running: (0..plan.threads).map(|_| Mutex::default()).collect(),
        faults: Mutex::default(),
    };
    thread::scope(|scope| -> Result<(), Failure> {
        let watch = scope.spawn(|| state.watch(tell));
        let workers: Vec<_> = (0..plan.threads)
            .map(|number| {
                let (state, builder) = (
                    &state,
                    thread::Builder::new().stack_size(kustomize::STACK_SIZE),
                );
                builder.spawn_scoped(scope, move || state.work(number, tell))
            })
            .collect::<Result<_, _>>()?;
        let ended = workers.into_iter().map(|worker| {
            worker
                .join()
                .map_err(|_| "a thread has ended in a panic".into())
                .flatten()
        });
        let ended: Result<(), Failure> = ended.collect();
        state.is_over.store(true, Ordering::Relaxed);
        watch.join().map_err(|_| "the watch has ended in a panic")?;
        ended
    })?;
    Ok(state.summary())
}

impl State<'_> {
    fn work(&self, thread: usize, tell: &(dyn Fn(&str) + Sync)) -> Result<(), Failure> {
        // Whoever ends the whole process, as a stack that is too small does, leaves its number there.
        let note = self.plan.findings.as_ref();
        let note =
            note.map(|directory| fs::File::create(directory.join(format!("running-{thread}"))));
        let note = note.transpose()?;
        let last = self.plan.from.saturating_add(self.plan.executions);
        let mut memory = resident();
        loop {
            let first = self.next.fetch_add(STRIDE, Ordering::Relaxed);
            if first >= last || self.start.elapsed() >= self.plan.time {
                return Ok(());
            }
            for number in first..last.min(first.saturating_add(STRIDE)) {
                if let Some(note) = &note {
                    note.write_all_at(format!("{number:20}\n").as_bytes(), 0)?;
                }
                *locked(&self.running[thread]) = Some((number, Instant::now()));
                self.execute(number, tell)?;
                *locked(&self.running[thread]) = None;
            }
            let now = resident();
            if now > memory.saturating_add(MEMORY) {
                let text = format!("from {memory} to {now} bytes");
                self.found(first, None, &Fault::new("much memory", text), tell)?;
            }
            memory = now.max(memory);
        }
    }

    fn execute(&self, number: u64, tell: &(dyn Fn(&str) + Sync)) -> Result<(), Failure> {
        let tree = make(self.plan, self.seeds, number);
        let begun = Instant::now();
        let outcome = check(self.plan.target, &tree);
        let taken = begun.elapsed();
        self.done.fetch_add(1, Ordering::Relaxed);
        match outcome {
            Ok(Outcome::Accepted) => drop(self.accepted.fetch_add(1, Ordering::Relaxed)),
            Ok(Outcome::Refused(_)) => {}
            Err(fault) => self.found(number, Some(&tree), &fault, tell)?,
        }
        let mut summary = locked(&self.faults);
        if taken > summary.longest.1 {
            summary.longest = (number, taken);
        }
        drop(summary);
        if taken > self.plan.target.time()
            && let Some(fault) = slow(self.plan.target, &tree)
        {
            self.found(number, Some(&tree), &fault, tell)?;
        }
        Ok(())
    }

    fn found(
        &self,
        number: u64,
        tree: Option<&Tree>,
        fault: &Fault,
        tell: &(dyn Fn(&str) + Sync),
    ) -> Result<(), Failure> {
        let mut summary = locked(&self.faults);
        let seen = summary
            .faults
            .entry(fault.kind.clone())
            .or_insert((0, number));
        seen.0 += 1;
        let kinds_seen = seen.0;
        drop(summary);
        // The same fault again says nothing.
        if kinds_seen > 1 {
            return Ok(());
        }
        let Fault { kind, text } = fault;
        let text: String = text.chars().take(2_000).collect();
        tell(&format!("execution {number}: {kind}: {text}"));
        let (Some(directory), Some(tree)) = (&self.plan.findings, tree) else {
            return Ok(());
        };
        let name: String = kind
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
            .collect();
        let name = format!("{}-{name}", self.plan.target.name());
        fs::write(directory.join(format!("{name}.whole")), tree.to_text())?;
        let small = shrink(self.plan.target, tree, fault);
        fs::write(directory.join(format!("{name}.small")), small.to_text())?;
        Ok(())
    }

    /// Tells how far it is, and ends the process where an execution does not end.
    fn watch(&self, tell: &(dyn Fn(&str) + Sync)) {
        let mut told = Instant::now();
        while !self.is_over.load(Ordering::Relaxed) {
            thread::sleep(Duration::from_millis(50));
            for running in &self.running {
                let Some((number, since)) = *locked(running) else {
                    continue;
                };
                if since.elapsed() > HANG {
                    tell(&format!("execution {number} has not ended after {HANG:?}"));
                    if let Some(directory) = &self.plan.findings {
                        let tree = make(self.plan, self.seeds, number);
                        let name = format!("{}-hang-{number}.whole", self.plan.target.name());
                        drop(fs::write(directory.join(name), tree.to_text()));
                    }
                    std::process::abort();
                }
            }
            if told.elapsed() > Duration::from_mins(1) {
                told = Instant::now();
                tell(&self.summary().to_string());
            }
        }
    }

    fn summary(&self) -> Summary {
        Summary {
            executions: self.done.load(Ordering::Relaxed),
            accepted: self.accepted.load(Ordering::Relaxed),
            elapsed: self.start.elapsed(),
            ..locked(&self.faults).clone()
        }
    }
}

/// The input of an execution.
pub(crate) fn make(plan: &Plan, seeds: &Seeds, number: u64) -> Tree {
    plan.target.make(&mut Random::of(plan.seed, number), seeds)
}

/// Tries an input; a panic is a fault.
///
/// # Errors
/// Where something is wrong with what comes of it.
pub(crate) fn check(target: Target, tree: &Tree) -> Result<Outcome, Fault> {
    caught(|| target.check(tree))
}

fn caught(run: impl FnOnce() -> Result<Outcome, Fault>) -> Result<Outcome, Fault> {
    panic::catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| {
        let (place, text) = PANIC.take().unwrap_or_default();
        Err(Fault::new(format!("panic at {place}"), text))
    })
}

/// Whether an input takes long of a processor, and not only where others need it too.
pub(crate) fn slow(target: Target, tree: &Tree) -> Option<Fault> {
    let before = processor_time();
    drop(check(target, tree));
    let taken = processor_time().saturating_sub(before);
    (taken > target.time()).then(|| Fault::new("slow", format!("{taken:?}")))
}

/// Keeps panics from being told, and keeps what they say.
pub(crate) fn catch_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            // A test has to say why it fails.
            if cfg!(test) {
                usual(panic);
            }
            let place = panic
                .location()
                .map_or_else(String::new, ToString::to_string);
            drop(PANIC.replace(Some((place, panic.to_string()))));
        }));
    });
}

/// The time of a processor that this thread has had.
fn processor_time() -> Duration {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split(' ').next().and_then(|time| time.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or_default())
}

/// The bytes of memory that the process has; none where the system does not tell.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kibibytes.unwrap_or_default() << 10
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_fault_with_its_place() {
        catch_panics();
        let fault = caught(|| panic!("it is broken")).unwrap_err();
        assert!(
            fault.kind.starts_with("panic at ") && fault.kind.contains("run.rs:"),
            "{fault:?}"
        );
        assert!(fault.text.contains("it is broken"), "{fault:?}");
        assert_eq!(caught(|| Ok(Outcome::Accepted)), Ok(Outcome::Accepted));
    }
}
