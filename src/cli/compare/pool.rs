//! Builds many kustomizations with both engines, several at a time.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

use kustomize::{NoHooks, Options};

use super::super::engine::is_out_of_reach;
use crate::contained::contained;
use crate::diff;
use crate::external::Outside;
use crate::failure::{Failure, place, printable};
use crate::files::plain;
use crate::progress::Progress;
use crate::reference::{Answer, Reference};
use crate::target::Target;

/// The lines of a diff that are kept.
const DIFF_LINES: usize = 200;

/// How two builds of one kustomization compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    /// The same bytes.
    Identical,
    /// Both print, and not the same.
    Different,
    /// Neither prints.
    BothFail,
    /// Only the engine here prints.
    OnlyKustomizeFails,
    /// Only kustomize prints.
    OnlyThisFails,
    /// Kustomize was stopped.
    TimedOut,
    /// It needs what is switched off.
    OutOfReach,
    /// The engine here has a fault.
    Fault,
}

impl Class {
    pub(super) const ALL: [Self; 8] = [
        Self::Identical,
        Self::Different,
        Self::BothFail,
        Self::OnlyKustomizeFails,
        Self::OnlyThisFails,
        Self::TimedOut,
        Self::OutOfReach,
        Self::Fault,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Identical => "identical",
            Self::Different => "different",
            Self::BothFail => "both fail",
            Self::OnlyKustomizeFails => "only kustomize fails",
            Self::OnlyThisFails => "only argocd-infisical fails",
            Self::TimedOut => "timed out",
            Self::OutOfReach => "needs remote or helm (not compared)",
            Self::Fault => "fault",
        }
    }

    /// The name in a report for programs.
    pub(super) const fn key(self) -> &'static str {
        match self {
            Self::Identical => "identical",
            Self::Different => "different",
            Self::BothFail => "bothFail",
            Self::OnlyKustomizeFails => "onlyKustomizeFails",
            Self::OnlyThisFails => "onlyArgocdInfisicalFails",
            Self::TimedOut => "timedOut",
            Self::OutOfReach => "needsRemoteOrHelm",
            Self::Fault => "fault",
        }
    }

    /// Whether nothing speaks against a switch.
    pub(super) const fn is_well(self) -> bool {
        matches!(self, Self::Identical | Self::BothFail | Self::OutOfReach)
    }
}

/// One kustomization, built twice.
pub(super) struct Comparison {
    /// Its directory, relative to the one that was asked for.
    pub(super) path: String,
    pub(super) class: Class,
    /// Why the engine here fails, with the place.
    pub(super) ours: Option<Message>,
    /// Why kustomize fails.
    pub(super) theirs: Option<Message>,
    /// What is different.
    pub(super) diff: Option<String>,
    pub(super) our_time: Duration,
    /// Nothing where kustomize was not asked.
    pub(super) their_time: Option<Duration>,
}

/// Why a build fails.
#[derive(Clone, Debug)]
pub(super) struct Message {
    /// Where, if that is known.
    pub(super) place: Option<String>,
    pub(super) text: String,
}

/// What is to be compared, and how.
pub(super) struct Pool<'a> {
    pub(super) directory: &'a Path,
    pub(super) paths: &'a [PathBuf],
    pub(super) options: &'a Options,
    pub(super) reference: &'a Reference,
    pub(super) outside: &'a Arc<Outside>,
}

impl Pool<'_> {
    /// Compares all, in order.
    ///
    /// # Errors
    /// Where kustomize cannot be run.
    pub(super) fn run(&self, jobs: usize) -> Result<Vec<Comparison>, Failure> {
        let next = AtomicUsize::new(0);
        let (sender, receiver) = mpsc::channel();
        thread::scope(|scope| {
            let spawned = (0..jobs.min(self.paths.len())).try_for_each(|_| {
                let (next, sender) = (&next, sender.clone());
                let thread = thread::Builder::new().stack_size(kustomize::STACK_SIZE);
                let spawned = thread.spawn_scoped(scope, move || self.work(next, &sender));
                spawned.map(drop).map_err(|error| cannot_start(&error))
            });
            drop(sender);
            let collected = spawned.and_then(|()| self.collect(&receiver));
            // Whoever is still at work need not begin with another.
            next.store(self.paths.len(), Ordering::Relaxed);
            collected
        })
    }

    fn work(&self, next: &AtomicUsize, sender: &Sender<Result<(usize, Comparison), Failure>>) {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(path) = self.paths.get(index) else {
                return;
            };
            let compared = self.compare(path).map(|comparison| (index, comparison));
            if sender.send(compared).is_err() {
                return;
            }
        }
    }

    fn collect(
        &self,
        receiver: &Receiver<Result<(usize, Comparison), Failure>>,
    ) -> Result<Vec<Comparison>, Failure> {
        let total = self.paths.len();
        let progress = Progress::start(&format!("comparing {total} kustomizations"));
        let mut wrong = 0;
        let mut done = Vec::with_capacity(total);
        for compared in receiver {
            let (index, comparison) = compared?;
            wrong += usize::from(!comparison.class.is_well());
            let path = comparison.path.clone();
            done.push((index, comparison));
            let count = done.len();
            progress.say(|| format!("{count}/{total} compared, {wrong} not equal, {path}"));
        }
        done.sort_by_key(|(index, _)| *index);
        Ok(done.into_iter().map(|(_, comparison)| comparison).collect())
    }

    fn compare(&self, path: &Path) -> Result<Comparison, Failure> {
        // An absolute path is never taken for an address.
        let root = std::path::absolute(self.directory.join(path)).map_err(|error| {
            Failure::input(format!(
                "cannot tell the working directory: {}",
                plain(&error)
            ))
        })?;
        let start = Instant::now();
        let built = contained(|| self.build(&root));
        let our_time = start.elapsed();
        let mut comparison = Comparison {
            path: path.display().to_string(),
            class: Class::Fault,
            ours: None,
            theirs: None,
            diff: None,
            our_time,
            their_time: None,
        };
        let built = match built {
            Ok(built) => built,
            Err(fault) => {
                comparison.ours = Some(Message::of_failure(&fault));
                return Ok(comparison);
            }
        };
        if let Err(Unbuilt::Engine(error)) = &built
            && is_out_of_reach(error)
        {
            comparison.class = Class::OutOfReach;
            comparison.ours = Some(Message::of_error(error));
            return Ok(comparison);
        }
        let start = Instant::now();
        let answer = self
            .reference
            .build_beside(built.is_ok(), &root, self.options)?;
        comparison.their_time = Some(start.elapsed());
        comparison.judge(built, answer);
        Ok(comparison)
    }

    fn build(&self, root: &Path) -> Result<String, Unbuilt> {
        let target = Target::here(root, Arc::clone(self.outside)).map_err(Unbuilt::Target)?;
        let built = target.build(self.options, &mut NoHooks);
        let text = built.and_then(|output| output.to_yaml());
        text.map_err(Unbuilt::Engine)
    }
}

/// Why there is no output.
enum Unbuilt {
    /// The directory cannot be used.
    Target(Failure),
    /// The engine says no.
    Engine(kustomize::Error),
}

impl Comparison {
    fn judge(&mut self, built: Result<String, Unbuilt>, answer: Answer) {
        let ours = built.map_err(|unbuilt| match unbuilt {
            Unbuilt::Target(failure) => Message::of_failure(&failure),
            Unbuilt::Engine(error) => Message::of_error(&error),
        });
        self.class = match (&ours, &answer) {
            (_, Answer::TimedOut) => Class::TimedOut,
            (Ok(ours), Answer::Built(theirs, _)) if ours.as_bytes() == theirs => Class::Identical,
            (Ok(_), Answer::Built(..)) => Class::Different,
            (Ok(_), Answer::Failed(_)) => Class::OnlyKustomizeFails,
            (Err(_), Answer::Failed(_)) => Class::BothFail,
            (Err(_), Answer::Built(..)) => Class::OnlyThisFails,
        };
        if self.class == Class::Different
            && let (Ok(ours), Answer::Built(theirs, _)) = (&ours, &answer)
        {
            let theirs = String::from_utf8_lossy(theirs);
            self.diff = Some(diff::unified(&theirs, ours, DIFF_LINES));
        }
        self.ours = ours.err();
        if let Answer::Failed(text) = answer {
            self.theirs = Some(Message { place: None, text });
        }
    }
}

impl Message {
    fn of_error(error: &kustomize::Error) -> Self {
        let details = error.details();
        Self {
            place: details
                .file
                .as_deref()
                .map(|file| printable(&place(file, details.position))),
            text: printable(&details.message),
        }
    }

    fn of_failure(failure: &Failure) -> Self {
        let text = failure
            .problems()
            .first()
            .map(|problem| problem.message.clone());
        Self {
            place: None,
            text: text.unwrap_or_default(),
        }
    }
}

fn cannot_start(error: &io::Error) -> Failure {
    Failure::input(format!("cannot start a thread: {}", plain(error)))
        .hint("build fewer at a time with `--jobs`")
}
