//! What is left to do when the process is told to end: the programs that it has started end too, and what was made for
//! them goes away.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use std::thread;

use rustix::process::Pid;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;
use tempfile::TempDir;

use crate::process;

/// What has to end with the process. It belongs to the process and not to a build, as the signals do.
static HELD: Mutex<Held> = Mutex::new(Held {
    next: 0,
    things: BTreeMap::new(),
});

#[derive(Debug)]
struct Held {
    next: u64,
    things: BTreeMap<u64, Thing>,
}

#[derive(Debug)]
enum Thing {
    Program(Pid),
    Directory(PathBuf),
}

/// Something that ends with the process until this is dropped.
#[derive(Debug)]
pub(crate) struct Hold(u64);

impl Hold {
    /// A program that is running.
    pub(crate) fn program(program: Pid) -> Self {
        Self::of(Thing::Program(program))
    }

    fn of(thing: Thing) -> Self {
        listen();
        let mut held = held();
        let number = held.next;
        held.next = number.wrapping_add(1);
        held.things.insert(number, thing);
        Self(number)
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        held().things.remove(&self.0);
    }
}

/// A directory that goes when it is dropped, and when the process is told to end.
#[derive(Debug)]
pub(crate) struct Scratch {
    directory: TempDir,
    _hold: Hold,
}

impl Scratch {
    /// Makes one where temporary files are, or in a directory.
    pub(crate) fn new(within: Option<&Path>) -> std::io::Result<Self> {
        let directory = match within {
            Some(within) => TempDir::with_prefix_in("argocd-infisical-", within)?,
            None => TempDir::with_prefix("argocd-infisical-")?,
        };
        let hold = Hold::of(Thing::Directory(directory.path().to_owned()));
        Ok(Self {
            directory,
            _hold: hold,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }
}

fn held() -> MutexGuard<'static, Held> {
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Begins to wait for signals, once; a process that starts no program and makes no directory is left alone.
fn listen() {
    static LISTENING: Once = Once::new();
    LISTENING.call_once(|| {
        // Without it things end as they did before, by themselves.
        let Ok(mut signals) = Signals::new([SIGTERM, SIGINT, SIGHUP]) else {
            return;
        };
        let wait = move || {
            for signal in signals.forever() {
                end();
                drop(emulate_default_handler(signal));
            }
        };
        drop(thread::Builder::new().spawn(wait));
    });
}

fn end() {
    let held = held();
    for thing in held.things.values() {
        if let Thing::Program(program) = thing {
            process::kill_all(*program);
        }
    }
    for thing in held.things.values() {
        if let Thing::Directory(directory) = thing {
            drop(fs::remove_dir_all(directory));
        }
    }
}
