//! One line that says how far it is, for somebody who waits at a terminal.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

/// The line is written anew this often.
const PAUSE: Duration = Duration::from_millis(100);

/// Columns that every terminal has.
const WIDTH: usize = 78;

/// A line on standard error, where that is a terminal.
pub(super) struct Progress {
    is_shown: bool,
    total: usize,
    done: usize,
    wrong: usize,
    next: Instant,
}

impl Progress {
    pub(super) fn new(total: usize) -> Self {
        Self {
            is_shown: io::stderr().is_terminal(),
            total,
            done: 0,
            wrong: 0,
            next: Instant::now(),
        }
    }

    /// Notes that one more is done.
    pub(super) fn note(&mut self, path: &str, is_well: bool) {
        self.done += 1;
        self.wrong += usize::from(!is_well);
        if self.is_shown && Instant::now() >= self.next {
            self.next = Instant::now() + PAUSE;
            write(&self.line(path));
        }
    }

    fn line(&self, path: &str) -> String {
        let Self {
            total, done, wrong, ..
        } = self;
        let text = format!("{done}/{total} compared, {wrong} not equal, {path}");
        let text: String = crate::failure::printable(&text)
            .chars()
            .take(WIDTH)
            .collect();
        format!("\r{text:<WIDTH$}")
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.is_shown {
            write(&format!("\r{:WIDTH$}\r", ""));
        }
    }
}

/// Nothing depends on whether the line can be seen.
fn write(text: &str) {
    let mut stderr = io::stderr().lock();
    drop(stderr.write_all(text.as_bytes()));
    drop(stderr.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_covers_the_one_before() {
        let mut progress = Progress::new(9);
        progress.is_shown = false;
        progress.note("a", false);
        for path in ["a", "b\u{1b}", &"long".repeat(100)] {
            let line = progress.line(path);
            assert_eq!(line.chars().count(), WIDTH + 1);
            assert!(line.starts_with("\r1/9 compared, 1 not equal, "), "{line}");
            assert!(!line.contains('\u{1b}'));
        }
    }
}
