//! Figures of renders, for Prometheus.
//!
//! cmp-server starts a process for each render, so what they count stands in a file that they share, in the format in which
//! it is read: a second container serves it, and so can node-exporter, from its directory for text files. A render waits a
//! few milliseconds at most for its turn to count, and never fails for it.

mod totals;

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

pub use self::totals::Totals;

/// The file in the directory; node-exporter reads those that end like this.
pub const FILE: &str = "argocd-infisical.prom";
const UNFINISHED: &str = "argocd-infisical.unfinished";
const LOCK: &str = "lock";
/// How long a render waits for others to count, and how long between two looks.
const PATIENCE: Duration = Duration::from_millis(20);
const PAUSE: Duration = Duration::from_micros(500);

/// How a render ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Outcome {
    /// What an administrator has mounted cannot be used, or the machine has no room.
    Installation,
    /// The Application, or the call itself, is wrong.
    Request,
    /// There was no permit in time.
    Permit,
    /// The settings could not be had.
    Settings,
    /// The repository, or a value in it, is wrong.
    Render,
    /// The time was over.
    Deadline,
    /// The program has a fault.
    Fault,
    /// Argo CD has got its manifests.
    Success,
}

impl Outcome {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 8] = [
        Self::Installation,
        Self::Request,
        Self::Permit,
        Self::Settings,
        Self::Render,
        Self::Deadline,
        Self::Fault,
        Self::Success,
    ];

    /// Its name as a label.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Installation => "installation",
            Self::Request => "request",
            Self::Permit => "permit",
            Self::Settings => "settings",
            Self::Render => "render",
            Self::Deadline => "deadline",
            Self::Fault => "fault",
            Self::Success => "success",
        }
    }
}

/// How far a render has come. Where it fails, that is what it failed in.
#[derive(Debug, Default)]
pub struct Progress {
    stage: AtomicU8,
    project: OnceLock<String>,
    reads: AtomicU64,
}

impl Progress {
    /// Notes what is done from now on.
    pub fn enter(&self, stage: Outcome) {
        self.stage.store(stage as u8, Ordering::Relaxed);
    }

    /// Notes for whom it is done.
    pub fn is_for(&self, project: &str) {
        self.project.get_or_init(|| project.to_owned());
    }

    /// Notes that so many objects are asked for.
    pub fn reads(&self, objects: usize) {
        self.reads.fetch_add(
            u64::try_from(objects).unwrap_or(u64::MAX),
            Ordering::Relaxed,
        );
    }

    /// What is being done.
    pub fn stage(&self) -> Outcome {
        let stage = usize::from(self.stage.load(Ordering::Relaxed));
        Outcome::ALL.get(stage).copied().unwrap_or(Outcome::Fault)
    }
}

/// Counts a render. A directory that is not there means that nobody wants it counted.
///
/// # Errors
/// Where it could not be counted, for whoever looks after the installation.
pub fn count(
    directory: &Path,
    progress: &Progress,
    outcome: Outcome,
    time: Duration,
) -> io::Result<()> {
    let lock = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(directory.join(LOCK));
    let lock = match lock {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        lock => lock?,
    };
    let patience = Instant::now() + PATIENCE;
    loop {
        match lock.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) if Instant::now() < patience => thread::sleep(PAUSE),
            Err(error) => return Err(error.into()),
        }
    }
    let mut totals = Totals::read(directory);
    totals.add(
        progress.project.get().map_or("", String::as_str),
        outcome,
        time,
        progress.reads.load(Ordering::Relaxed),
    );
    // Others read it at any time, and never half of it. It need not outlive the machine. Who holds the lock is the only one
    // to write, so one name is enough, and a process that is killed leaves nothing behind that grows.
    let unfinished = directory.join(UNFINISHED);
    fs::write(&unfinished, totals.to_string())?;
    fs::rename(&unfinished, directory.join(FILE))
}

impl Totals {
    /// Reads what was counted in a directory. What is no such file counts as nothing: for Prometheus the counters begin
    /// anew.
    pub fn read(directory: &Path) -> Self {
        let text = fs::read_to_string(directory.join(FILE)).unwrap_or_default();
        Self::parse(&text).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(directory: &Path, project: &str, outcome: Outcome) {
        let progress = Progress::default();
        if !project.is_empty() {
            progress.is_for(project);
        }
        progress.reads(2);
        count(directory, &progress, outcome, Duration::from_millis(20)).unwrap();
    }

    fn text(directory: &Path) -> String {
        fs::read_to_string(directory.join(FILE)).unwrap()
    }

    #[test]
    fn renders_side_by_side_are_all_counted() {
        let directory = tempfile::tempdir().unwrap();
        thread::scope(|scope| {
            for project in ["home", "work"] {
                scope.spawn(|| {
                    for _ in 0..20 {
                        // A test's machine may be slower than the patience of a render.
                        let progress = Progress::default();
                        progress.is_for(project);
                        let time = Duration::from_millis(3);
                        while count(directory.path(), &progress, Outcome::Success, time).is_err() {}
                    }
                });
            }
        });
        let text = text(directory.path());
        for project in ["home", "work"] {
            let line = format!(
                "argocd_infisical_renders_total{{project=\"{project}\",outcome=\"success\"}} 20\n"
            );
            assert!(text.contains(&line), "{text}");
        }
        assert!(
            text.contains("argocd_infisical_render_duration_seconds_count 40\n"),
            "{text}"
        );
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_directory_that_is_not_there_is_no_error() {
        let directory = tempfile::tempdir().unwrap();
        let absent = directory.path().join("absent");
        let progress = Progress::default();
        assert!(count(&absent, &progress, Outcome::Success, Duration::ZERO).is_ok());
        assert!(!absent.exists());
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(count(file.path(), &progress, Outcome::Success, Duration::ZERO).is_err());
    }

    #[test]
    fn nobody_waits_long() {
        let directory = tempfile::tempdir().unwrap();
        render(directory.path(), "home", Outcome::Success);
        let held = File::options()
            .write(true)
            .open(directory.path().join(LOCK))
            .unwrap();
        held.lock().unwrap();
        let before = text(directory.path());
        let counted = count(
            directory.path(),
            &Progress::default(),
            Outcome::Success,
            Duration::ZERO,
        );
        assert!(counted.is_err());
        assert_eq!(text(directory.path()), before);
    }

    #[test]
    fn what_is_damaged_begins_anew() {
        let directory = tempfile::tempdir().unwrap();
        render(directory.path(), "home", Outcome::Success);
        let whole = text(directory.path());
        for damaged in ["", "\0\0", &whole[..whole.len() / 2], "x 1\n"] {
            fs::write(directory.path().join(FILE), damaged).unwrap();
            render(directory.path(), "home", Outcome::Success);
            assert_eq!(text(directory.path()), whole, "{damaged:?}");
        }
        render(directory.path(), "", Outcome::Request);
        assert!(
            text(directory.path()).contains("{project=\"\",outcome=\"request\"} 1\n"),
            "{}",
            text(directory.path())
        );
    }

    #[test]
    fn the_numbers_of_outcomes_are_their_order() {
        let progress = Progress::default();
        assert_eq!(progress.stage(), Outcome::Installation);
        for outcome in Outcome::ALL {
            progress.enter(outcome);
            assert_eq!(progress.stage(), outcome);
        }
    }
}
