//! `render --watch`: renders again whenever something that was read changes.
//!
//! The files are looked at a few times a second. That needs nothing of the system, sees through links and mounts, and is
//! cheap: what a tree is made of are some dozens of files.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use kustomize::{Options, Output};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;

use super::flags::{Flags, Place};
use super::output::{self, Done, Kept, Parts};
use super::settings::SettingsFlags;
use super::{paint, print_warnings};
use crate::external::Outside;
use crate::failure::Failure;
use crate::files::{DiskFiles, Seen, Stamp, plain};
use crate::progress::Progress;
use crate::render::{Rendered, render};
use crate::target::Target;

/// How often files are looked at.
const PAUSE: Duration = Duration::from_millis(200);

/// A render that is done again and again.
pub(super) struct Watch<'a> {
    place: &'a Place,
    flags: &'a Flags,
    settings: &'a SettingsFlags,
    /// The files and directories of settings.
    sources: Vec<PathBuf>,
    kept: Kept,
    /// What was printed last.
    printed: Option<String>,
}

impl<'a> Watch<'a> {
    /// Prepares one.
    ///
    /// # Errors
    /// Where settings cannot be read, or cannot be read twice.
    pub(super) fn new(
        place: &'a Place,
        flags: &'a Flags,
        settings: &'a SettingsFlags,
    ) -> Result<Self, Failure> {
        let read = settings.read()?;
        let sources: Vec<PathBuf> = read.sources().iter().map(PathBuf::from).collect();
        let is_pipe = |path: &&PathBuf| {
            fs::metadata(path).is_ok_and(|metadata| metadata.file_type().is_fifo())
        };
        if let Some(pipe) = sources.iter().find(is_pipe) {
            return Err(Failure::usage(format!(
                "settings out of a pipe cannot be read again: `{}`",
                pipe.display()
            ))
            .hint("write them to a file, or leave out `--watch`"));
        }
        Ok(Self {
            place,
            flags,
            settings,
            sources,
            kept: Kept::default(),
            printed: None,
        })
    }

    /// Renders until a signal says that it is enough, or nobody reads what is printed.
    pub(super) fn run(mut self, options: &Options, warnings: &[String]) -> Result<Done, Failure> {
        let is_over = until_signal()?;
        say(warnings);
        let mut outside = self.flags.outside();
        loop {
            let seen = Arc::new(Seen::default());
            match self.once(options, &outside, &seen) {
                Ok(Written::Gone) => break,
                Ok(Written::Done(text)) => say(&[text]),
                Err(failure) => {
                    // Nobody may be listening.
                    drop(paint::tell(&failure.to_string()));
                    // What could not be fetched may be there the next time.
                    outside = self.flags.outside();
                }
            }
            if !wait_for_change(&seen, None, &is_over) {
                break;
            }
        }
        Ok(Done {
            warnings: Vec::new(),
            stdout: Parts::default(),
            is_well: true,
        })
    }

    fn once(
        &mut self,
        options: &Options,
        outside: &Arc<Outside>,
        seen: &Arc<Seen>,
    ) -> Result<Written, Failure> {
        for source in &self.sources {
            note_source(source, seen);
        }
        let files = DiskFiles::new()
            .with_outside(Arc::clone(outside))
            .noting(Arc::clone(seen));
        let target = Target::with_files(&self.place.directory, files)?;
        let settings = self.settings.read()?;
        let Rendered { output, record: _ } = {
            let _progress = Progress::with("rendering", &self.place.directory);
            render(&target, options, &settings)?
        };
        say(&target.warnings(&output));
        let written = self.write(&output, seen);
        written.map_err(|failure| target.locate(failure))
    }

    fn write(&mut self, output: &Output, seen: &Seen) -> Result<Written, Failure> {
        let count = output.resources.len();
        let done = |what: &str| {
            Ok(Written::Done(format!(
                "{what} {count} resources; waiting for changes"
            )))
        };
        if let Some(path) = self.place.output() {
            let own = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
            let is_read = |(path, stamp): (&PathBuf, &Stamp)| {
                *path == own && matches!(stamp, Stamp::File(..))
            };
            if seen.stamps().iter().any(is_read) {
                return Err(Failure::input(format!(
                    "the output `{}` is a file that the kustomization reads",
                    path.display()
                ))
                .hint("write to another file"));
            }
            self.kept.write(output, path)?;
            return done("wrote");
        }
        let text = output::text(output)?;
        if self.printed.as_ref() == Some(&text) {
            return done("unchanged:");
        }
        let separator = if self.printed.is_some() { "---\n" } else { "" };
        match print(&[separator, &text]) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(Written::Gone),
            Err(error) => {
                let message = format!("cannot write the output: {}", plain(&error));
                return Err(Failure::input(message));
            }
            Ok(()) => self.printed = Some(text),
        }
        done("printed")
    }
}

/// What says, once a signal has come, that it is enough. A second signal ends what takes too long.
pub(super) fn until_signal() -> Result<Arc<AtomicBool>, Failure> {
    let is_over = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        flag::register_conditional_default(signal, Arc::clone(&is_over))
            .and_then(|_| flag::register(signal, Arc::clone(&is_over)))
            .map_err(|error| {
                Failure::input(format!("cannot wait for signals: {}", plain(&error)))
            })?;
    }
    Ok(is_over)
}

/// What became of an output.
enum Written {
    /// It is where it belongs; what is said about it.
    Done(String),
    /// Nobody reads it any more.
    Gone,
}

/// Notes a source of settings; what is in it, where it is a directory.
fn note_source(source: &Path, seen: &Seen) {
    seen.note_whole(source);
    let entries = fs::read_dir(source).into_iter().flatten();
    for entry in entries.flatten() {
        seen.note(&entry.path());
    }
}

/// Waits until something is not what it was, and has been so for a moment, or until the time is over. Says whether to go on.
pub(super) fn wait_for_change(
    seen: &Seen,
    longest: Option<Duration>,
    is_over: &AtomicBool,
) -> bool {
    let before = seen.stamps();
    let mut last = before.clone();
    let begun = Instant::now();
    while longest.is_none_or(|longest| begun.elapsed() < longest) {
        if is_over.load(Ordering::Relaxed) {
            return false;
        }
        thread::sleep(PAUSE);
        let now: BTreeMap<PathBuf, Stamp> = before
            .keys()
            .map(|path| (path.clone(), seen.stamp(path)))
            .collect();
        // Who saves several files is not to be interrupted.
        if now != before && now == last {
            return true;
        }
        last = now;
    }
    true
}

pub(super) fn print(parts: &[&str]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    for part in parts {
        stdout.write_all(part.as_bytes())?;
    }
    stdout.flush()
}

pub(super) fn say(lines: &[String]) {
    // Nobody may be listening.
    drop(print_warnings(lines));
}
