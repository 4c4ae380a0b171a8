//! A line on the terminal that says what takes its time.
//!
//! There is one for the whole process, whatever goes on at the same time: that of what was begun last, among what takes longer
//! than a second. It vanishes with the last of them, so nothing of it is left among what is said afterwards. Where standard error is
//! no terminal, or one that cannot take a line back, there is none.

use std::collections::BTreeMap;
use std::env;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::Path;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::failure::printable_name;

/// How long something may take before anybody is told.
const PATIENCE: Duration = Duration::from_secs(1);

/// The line is looked at this often.
const PAUSE: Duration = Duration::from_millis(200);

/// Columns that every terminal has. A line that wraps could not be taken back.
const WIDTH: usize = 78;

/// What takes a line back.
const ERASE: &str = "\r\x1b[K";

static BOARD: Mutex<Board> = Mutex::new(Board {
    next: 0,
    tasks: BTreeMap::new(),
    shown: String::new(),
    is_watched: false,
});

/// Wakes who waits to draw the line.
static CHANGED: Condvar = Condvar::new();

/// All that is going on.
struct Board {
    next: u64,
    tasks: BTreeMap<u64, Task>,
    /// The line on the terminal.
    shown: String,
    /// Whether a thread draws it.
    is_watched: bool,
}

/// One thing that is going on.
struct Task {
    what: String,
    start: Instant,
}

/// Something that takes its time until this is dropped.
#[derive(Debug)]
pub(crate) struct Progress(Option<u64>);

impl Progress {
    /// Begins something, such as `building overlays/dev`.
    pub(crate) fn start(what: &str) -> Self {
        if !can_be_seen() {
            return Self(None);
        }
        let mut board = board();
        let number = board.begin(what);
        if !board.is_watched {
            // Without a thread there is no line, which is no reason to fail.
            board.is_watched = thread::Builder::new().spawn(watch).is_ok();
        }
        Self(Some(number))
    }

    /// Begins something with a directory.
    pub(crate) fn with(verb: &str, directory: &Path) -> Self {
        Self::start(&format!("{verb} {}", directory.display()))
    }

    /// Says how far it is.
    pub(crate) fn say(&self, what: impl FnOnce() -> String) {
        if let Some(number) = self.0
            && let Some(task) = board().tasks.get_mut(&number)
        {
            task.what = what();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(number) = self.0 {
            let mut board = board();
            board.tasks.remove(&number);
            if board.tasks.is_empty() {
                board.show(String::new());
                CHANGED.notify_all();
            }
        }
    }
}

impl Board {
    fn begin(&mut self, what: &str) -> u64 {
        let number = self.next;
        self.next = number.wrapping_add(1);
        let task = Task {
            what: what.to_owned(),
            start: Instant::now(),
        };
        self.tasks.insert(number, task);
        number
    }

    /// The line that is due; empty where nothing takes long.
    fn line(&self, now: Instant) -> String {
        let times = |task: &Task| now.saturating_duration_since(task.start);
        let mut latest = self.tasks.values().rev();
        latest
            .find(|task| times(task) >= PATIENCE)
            .map(|task| line(&task.what, times(task)))
            .unwrap_or_default()
    }

    fn show(&mut self, line: String) {
        if line != self.shown {
            // Nothing depends on whether it can be seen.
            let mut stderr = io::stderr().lock();
            drop(write!(stderr, "{ERASE}{line}").and_then(|()| stderr.flush()));
            self.shown = line;
        }
    }
}

/// A text with its seconds, in one line that fits.
fn line(what: &str, time: Duration) -> String {
    let seconds = format!(" ({} s)", time.as_secs());
    let what = printable_name(what).replace('\t', " ");
    let room = WIDTH.saturating_sub(seconds.len());
    let shown: String = what.chars().take(room).collect();
    shown + &seconds
}

/// Draws the line until nothing goes on any more.
fn watch() {
    let mut board = board();
    while !board.tasks.is_empty() {
        let line = board.line(Instant::now());
        board.show(line);
        board = CHANGED
            .wait_timeout(board, PAUSE)
            .map_or_else(|poisoned| poisoned.into_inner().0, |(board, _)| board);
    }
    board.is_watched = false;
}

fn board() -> MutexGuard<'static, Board> {
    BOARD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether standard error is a terminal that takes lines back.
fn can_be_seen() -> bool {
    io::stderr().is_terminal() && env::var_os("TERM").is_some_and(|name| name != "dumb")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_that_of_what_was_begun_last_and_takes_long() {
        let mut board = Board {
            next: 0,
            tasks: BTreeMap::new(),
            shown: String::new(),
            is_watched: false,
        };
        let now = Instant::now();
        let mut begin = |what: &str, seconds: u64| {
            let number = board.begin(what);
            if let Some(task) = board.tasks.get_mut(&number) {
                task.start = now + Duration::from_secs(seconds);
            }
            let at = |seconds: u64| board.line(now + Duration::from_secs(seconds));
            [at(seconds), at(seconds + 1)]
        };
        assert_eq!(begin("building a", 0), ["", "building a (1 s)"]);
        assert_eq!(
            begin("fetching b", 5),
            ["building a (5 s)", "fetching b (1 s)"]
        );
        board.tasks.remove(&1);
        assert_eq!(board.line(now + Duration::from_secs(7)), "building a (7 s)");
    }

    #[test]
    fn a_line_fits_and_steers_nothing() {
        for what in ["a", "b\u{1b}[2J\nc\td", &"long".repeat(100)] {
            let line = line(what, Duration::from_secs(3));
            assert!(line.chars().count() <= WIDTH && line.ends_with(" (3 s)"));
            assert!(!line.contains(char::is_control), "{line}");
        }
    }
}
