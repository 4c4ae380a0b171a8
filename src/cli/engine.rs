//! `--engine` and `--verify`: building with the real kustomize, alone or beside the engine here.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::ValueEnum;
use kustomize::{ErrorKind, NoHooks, Options, Output};

use super::elsewhere::variable;
use super::output::{self, Done};
use crate::diff;
use crate::external::Allowed;
use crate::failure::{Failure, Problem};
use crate::reference::{self, Answer, Reference};
use crate::target::Target;

/// The lines of a diff that are shown.
const DIFF_LINES: usize = 200;

/// Seconds that the real kustomize gets.
const TIMEOUT: u32 = 120;

/// Who builds.
#[derive(clap::Args)]
#[cfg_attr(test, derive(Debug, PartialEq))]
pub(super) struct EngineFlags {
    /// Build with this engine, `builtin` or the real `kustomize`
    #[arg(
        long,
        value_enum,
        value_name = "ENGINE",
        default_value_t,
        hide_possible_values = true
    )]
    engine: Engine,

    /// Build with both engines, and fail with a diff where they do not print the same
    #[arg(long, conflicts_with = "engine")]
    verify: bool,

    #[command(flatten)]
    reference: ReferenceFlags,
}

/// The real kustomize: which, and for how long.
#[derive(clap::Args)]
#[cfg_attr(test, derive(Debug, PartialEq))]
pub(super) struct ReferenceFlags {
    /// Name the real kustomize [default: $`ARGOCD_INFISICAL_KUSTOMIZE`, else `kustomize` on the PATH]
    #[arg(long, value_name = "PATH")]
    kustomize: Option<PathBuf>,

    /// Stop the real kustomize after this time
    #[arg(long, value_name = "SECONDS", default_value_t = TIMEOUT, value_parser = clap::value_parser!(u32).range(1..))]
    timeout: u32,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
#[cfg_attr(test, derive(Debug))]
enum Engine {
    #[default]
    Builtin,
    Kustomize,
}

impl ReferenceFlags {
    /// Finds the program.
    ///
    /// # Errors
    /// Where there is none.
    pub(super) fn find(&self) -> Result<Reference, Failure> {
        let named = self.kustomize.clone();
        let named = named.or_else(|| variable(reference::VARIABLE));
        Reference::find(named.as_deref(), self.timeout())
    }

    pub(super) fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout.into())
    }
}

/// What is to be built.
pub(super) struct Task<'a> {
    pub(super) target: &'a Target,
    pub(super) options: &'a Options,
    pub(super) output: Option<&'a Path>,
    pub(super) allowed: Allowed,
}

impl EngineFlags {
    /// What clap makes of a command line without any of them.
    pub(super) fn none() -> Self {
        Self {
            engine: Engine::default(),
            verify: false,
            reference: ReferenceFlags {
                kustomize: None,
                timeout: TIMEOUT,
            },
        }
    }

    /// Builds with whom was asked for.
    pub(super) fn build(&self, task: &Task) -> Result<Done, Failure> {
        if self.verify {
            self.both(task)
        } else if self.engine == Engine::Kustomize {
            self.kustomize(task)
        } else {
            let built = task.target.build(task.options, &mut NoHooks);
            let built = built.map_err(|error| task.target.failure(&error))?;
            let done = task.done(&built);
            // The process is about to end, and would take the tree apart piece by piece for nothing.
            std::mem::forget(built);
            done
        }
    }

    fn kustomize(&self, task: &Task) -> Result<Done, Failure> {
        let Task {
            target,
            options,
            output,
            allowed,
        } = task;
        let reference = self.reference.find()?.with_allowed(allowed, options);
        // kustomize fetches what is remote without being asked to.
        if let Err(error) = target.build(options, &mut NoHooks)
            && is_out_of_reach(&error)
        {
            return Err(target.failure(&error));
        }
        let answer = match output.filter(|path| path.is_dir()) {
            None => reference.build(target.root(), options),
            Some(into) => {
                let into = std::path::absolute(into).unwrap_or_else(|_| into.to_owned());
                reference.build_into(target.root(), options, &into)
            }
        };
        match answer? {
            Answer::TimedOut => Err(self.too_long()),
            Answer::Failed(message) => Err(Failure::input(format!("kustomize fails: {message}"))),
            Answer::Built(stdout, warnings) => {
                let text = String::from_utf8(stdout)
                    .map_err(|_| Failure::input("what kustomize prints is not UTF-8"))?;
                let stdout = match output {
                    Some(path) if !path.is_dir() => {
                        output::write_file(path, &text)?;
                        String::new()
                    }
                    _ => text,
                };
                Ok(Done {
                    warnings,
                    stdout: stdout.into(),
                    is_well: true,
                })
            }
        }
    }

    fn both(&self, task: &Task) -> Result<Done, Failure> {
        let reference = self
            .reference
            .find()?
            .with_allowed(&task.allowed, task.options);
        let built = task.target.build(task.options, &mut NoHooks);
        let built = built.and_then(|output| output.to_yaml().map(|text| (output, text)));
        if let Err(error) = &built
            && is_out_of_reach(error)
        {
            return Err(task.target.failure(error));
        }
        let answer = reference.build_beside(built.is_ok(), task.target.root(), task.options)?;
        let (output, ours) = match built {
            Ok(built) => built,
            Err(error) => {
                let failure = task.target.failure(&error);
                return Err(failure.note(match answer {
                    Answer::Built(..) => "kustomize builds this directory".to_owned(),
                    Answer::Failed(message) => format!("kustomize fails too: {message}"),
                    Answer::TimedOut => self.too_long_for(),
                }));
            }
        };
        match answer {
            Answer::TimedOut => Err(self.too_long()),
            Answer::Failed(message) => Err(Failure::input(format!(
                "kustomize fails and `--engine builtin` does not: {message}"
            ))),
            Answer::Built(theirs, _) if theirs == ours.as_bytes() => task.done(&output),
            Answer::Built(theirs, _) => Err(differs(&reference, &theirs, &ours)),
        }
    }

    fn too_long_for(&self) -> String {
        let seconds = self.reference.timeout().as_secs();
        format!("kustomize has not ended after {seconds} seconds")
    }

    fn too_long(&self) -> Failure {
        Failure::input(self.too_long_for()).hint("give it more with `--timeout`")
    }
}

impl Task<'_> {
    fn done(&self, output: &Output) -> Result<Done, Failure> {
        let stdout = output::write(output, self.output);
        Ok(Done {
            stdout: stdout.map_err(|failure| self.target.locate(failure))?,
            warnings: self.target.warnings(output),
            is_well: true,
        })
    }
}

/// Whether a build needs what is switched off. The real kustomize must not be asked then: it would go and get it.
pub(super) fn is_out_of_reach(error: &kustomize::Error) -> bool {
    matches!(
        error.details().kind,
        ErrorKind::NeedsRemote | ErrorKind::NeedsLocalRepository | ErrorKind::NeedsHelm
    )
}

fn differs(reference: &Reference, theirs: &[u8], ours: &str) -> Failure {
    let mut problem =
        Problem::new("kustomize prints something else").hint("report it with what was built");
    let version = reference.version();
    if let Ok(version) = version.as_deref()
        && version != reference::VERSION
    {
        let meant = reference::VERSION;
        problem.notes.push(format!(
            "it is kustomize {version}; this engine prints what {meant} prints"
        ));
        problem = problem.hint(format!("compare with kustomize {meant}"));
    }
    let theirs = String::from_utf8_lossy(theirs);
    let diff = diff::unified(&theirs, ours, DIFF_LINES);
    problem.into_failure().attach(diff)
}
