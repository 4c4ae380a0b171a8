//! `revisions`: which revision each Application gets, and why, as the controller would decide.

mod actions;
mod json;
mod settings;
mod source;
mod text;

use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Subcommand, ValueEnum};
use jiff::Timestamp;

use super::output::{Done, Parts};
use super::paint::tell;
use super::watch::{print, say, until_signal, wait_for_change};
use super::{policy, usage};
use crate::failure::{Failure, Problem, Warning};
use crate::files::{Seen, plain};
use crate::settings::digest::DigestKey;
use crate::steer::application::Told;
use crate::steer::plan::{Outcome, Plan};
use crate::steer::reason::{Class, Code};
use crate::steer::state::State;
use crate::steer::unheard::{Unheard, unheard};
use source::{ClusterFlags, Source};

/// How long a watch waits until it looks again although no file has changed: decisions depend on the time, too.
const PAUSE: Duration = Duration::from_secs(5);

/// Show which revision each Application gets, and why, as the controller decides
#[derive(clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:
  argocd-infisical revisions --from-cluster --policy policy.yaml
  argocd-infisical revisions manifests overrides.yaml -o json | jq '.applications[].reason'

Exit codes: 0 nothing would change, and nothing is refused, contested, waiting or unknown; 1 something would or \
                  is, or an input is wrong; 2 the command line is wrong; 3 a fault of the program. With --watch it is 0 when it is \
                  interrupted, whatever was shown"
)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Option<Action>,

    #[command(flatten)]
    show: Show,
}

#[derive(Subcommand)]
enum Action {
    Release(actions::Release),
    Acknowledge(actions::Acknowledge),
    Pause(actions::Pause),
    Resume(actions::Resume),
}

#[derive(clap::Args)]
struct Show {
    /// Read manifests from these files, and from all YAML and JSON files in and below these directories
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// Read a cluster instead of manifests
    #[arg(long, conflicts_with = "paths")]
    from_cluster: bool,

    #[command(flatten)]
    cluster: ClusterFlags,

    /// Take this namespace for objects of manifests that name none
    #[arg(long, value_name = "NAME", conflicts_with = "from_cluster")]
    namespace: Option<String>,

    /// Decide by this policy of the controller
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,

    /// Tell whether settings have changed, too, with the controller's key of digests in this file
    #[arg(long, value_name = "FILE")]
    digest_key: Option<PathBuf>,

    /// Show a `table` or `json`
    #[arg(
        short,
        long,
        visible_alias = "format",
        value_enum,
        value_name = "FORMAT",
        default_value_t,
        hide_possible_values = true
    )]
    output: Form,

    /// Show it again whenever it changes, until it is interrupted
    #[arg(short, long)]
    watch: bool,
}

/// The form of what is shown.
#[derive(Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Form {
    /// For people.
    #[default]
    Table,
    /// For programs.
    Json,
}

/// What is shown.
struct Shown {
    warnings: Vec<String>,
    text: String,
    is_well: bool,
}

impl Args {
    pub(super) fn run(self) -> Result<Done, Failure> {
        match self.action {
            None => self.show.run(),
            Some(Action::Release(action)) => action.run(),
            Some(Action::Acknowledge(action)) => action.run(),
            Some(Action::Pause(action)) => action.run(),
            Some(Action::Resume(action)) => action.run(),
        }
    }
}

impl Show {
    fn run(self) -> Result<Done, Failure> {
        if self.cluster.is_given() && !self.from_cluster {
            return Err(usage(
                "`--kubeconfig` and `--context` go with `--from-cluster`",
                "add `--from-cluster`, or leave them out",
            ));
        }
        if self.paths.is_empty() && !self.from_cluster {
            return Err(usage(
                "it is not said what to read",
                "name files or directories with manifests, or read a cluster with `--from-cluster`",
            ));
        }
        let source = if self.from_cluster {
            Source::Cluster(self.cluster.connect()?)
        } else {
            Source::Manifests(self.paths.clone(), self.namespace.clone())
        };
        if self.watch {
            return self.watch(&source);
        }
        let Shown {
            warnings,
            text,
            is_well,
        } = self.once(&source, &Seen::default())?;
        Ok(Done {
            warnings,
            stdout: text.into(),
            is_well,
        })
    }

    fn once(&self, source: &Source, seen: &Seen) -> Result<Shown, Failure> {
        let policy = policy::named(self.policy.as_deref())?;
        let key = self.digest_key.as_deref().map(DigestKey::read);
        let key = key.transpose()?;
        for file in [&self.policy, &self.digest_key].into_iter().flatten() {
            seen.note(file);
        }
        let (mut state, mut warnings) = source.read(&policy, seen)?;
        warnings.extend(policy::unprotected(&policy, self.policy.as_deref()));
        warnings.extend(unheard(&state, &policy).into_iter().map(without_effect));
        let plan = settings::decided(&mut state, &policy, key, Timestamp::now());
        if self.from_cluster && self.policy.is_none() {
            warnings.extend(unwatched(&plan));
        }
        let text = match self.output {
            Form::Table => text::text(&plan, &state),
            Form::Json => json::text(&plan, &state),
        };
        let warnings = warnings.into_iter().map(|problem| Warning(problem).text());
        Ok(Shown {
            warnings: warnings.collect(),
            text,
            is_well: is_well(&plan),
        })
    }

    /// Shows it again whenever it is another one.
    fn watch(&self, source: &Source) -> Result<Done, Failure> {
        let is_over = until_signal()?;
        let mut last = None;
        loop {
            let seen = Arc::new(Seen::default());
            let shown = self.once(source, &seen);
            let shown = shown.map_err(|failure| failure.to_string());
            let shown = shown.map(|shown| (shown.warnings, shown.text));
            if last.as_ref() != Some(&shown) {
                match &shown {
                    Ok((warnings, text)) => {
                        say(warnings);
                        let separator = if last.is_some() { "\n" } else { "" };
                        match print(&[separator, text]) {
                            Err(error) if error.kind() == ErrorKind::BrokenPipe => break,
                            Err(error) => {
                                let message = format!("cannot write the output: {}", plain(&error));
                                return Err(Failure::input(message));
                            }
                            Ok(()) => {}
                        }
                    }
                    // Nobody may be listening.
                    Err(failure) => drop(tell(failure)),
                }
                last = Some(shown);
            }
            if !wait_for_change(&seen, Some(PAUSE), &is_over) {
                break;
            }
        }
        Ok(Done {
            warnings: Vec::new(),
            stdout: Parts::default(),
            is_well: true,
        })
    }
}

fn without_effect(unheard: Unheard) -> Problem {
    let Unheard {
        object,
        message,
        hint,
    } = unheard;
    Problem::new(format!("`{object}` moves nothing here: {message}")).hint(hint)
}

/// A word on settings that the usual policy does not watch: the policy of the controller in the cluster may well do so.
fn unwatched(plan: &Plan) -> Option<Problem> {
    let mut settings = plan.decisions.iter().filter_map(|it| it.settings.as_ref());
    let is_unwatched = |outcome: &Outcome| matches!(outcome, Outcome::Stays(reason) if reason.code == Code::SettingsNotWatched);
    settings.find(|settings| is_unwatched(&settings.outcome))?;
    let message = "this is decided by the usual policy, which watches no namespace of settings";
    Some(Problem::new(message).hint("name the policy that the controller has: `--policy FILE`"))
}

/// Whether everything is as it should be. What a person holds on purpose is.
fn is_well(plan: &Plan) -> bool {
    let is_well = |outcome: &Outcome| match outcome {
        Outcome::Same => true,
        Outcome::Change => false,
        Outcome::Stays(reason) => reason.class() == Class::Held,
    };
    plan.decisions.iter().all(|decision| {
        let settings = decision.settings.as_ref();
        is_well(&decision.revision.outcome)
            && settings.is_none_or(|settings| is_well(&settings.outcome))
    })
}

/// An outcome in one word.
const fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Same => "same",
        Outcome::Change => "change",
        Outcome::Stays(reason) => reason.class().as_str(),
    }
}

/// What Argo CD says of an Application: whether it is synced, and whether it is well. Empty where it says nothing.
fn said<'a>(state: &'a State, name: &crate::steer::Name) -> (&'a str, &'a str) {
    let application = state.applications.get(name);
    application.map_or(("", ""), |application| {
        let status = &application.status;
        (&status.sync.status, &status.health.status)
    })
}

/// What Argo CD says that holds up the deployment of an Application.
fn told(state: &State, name: &crate::steer::Name) -> Vec<Told> {
    let application = state.applications.get(name);
    let conditions = application.map(|application| &application.status.conditions);
    let conditions = conditions.into_iter().flatten();
    let mut told: Vec<Told> = conditions.filter_map(|it| it.cause.told()).collect();
    told.dedup();
    told
}
