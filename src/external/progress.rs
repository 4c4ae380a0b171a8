//! A line on the terminal that says what is being waited for.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How long something may take before anybody is told.
const PATIENCE: Duration = Duration::from_secs(1);

/// A line that appears when something takes longer than a second, counts the seconds, and vanishes when this is
/// dropped. There is none where standard error is no terminal.
#[derive(Debug)]
pub(super) struct Progress {
    thread: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Progress {
    pub(super) fn start(what: &str) -> Self {
        if !io::stderr().is_terminal() {
            return Self { thread: None };
        }
        let (sender, receiver) = mpsc::channel();
        let what: String = what.chars().filter(|c| !c.is_control()).take(100).collect();
        let run = move || {
            let start = Instant::now();
            let mut is_shown = false;
            while receiver.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                let seconds = start.elapsed().as_secs();
                drop(write!(io::stderr().lock(), "\r\x1b[K{what} ({seconds} s)"));
                is_shown = true;
            }
            if is_shown {
                drop(write!(io::stderr().lock(), "\r\x1b[K"));
            }
        };
        // Without a thread there is no line, which is no reason to fail.
        let thread = thread::Builder::new().spawn(run).ok();
        Self {
            thread: thread.map(|thread| (sender, thread)),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((sender, thread)) = self.thread.take() {
            drop(sender);
            drop(thread.join());
        }
    }
}
