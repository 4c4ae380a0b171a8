//! The patches that wait and those that are under way, and what is told of what became of them.

use std::collections::BTreeSet;
use std::time::Instant;

use tokio::task::JoinSet;

use super::metrics::{Metrics, Written};
use super::queue::{Job, Limits, Queue};
use super::request::{Api, Refusal};
use super::writer::{Attempt, audit, kind, write};
use crate::steer::application::{Application, Name};

/// What is missing where Applications may not be patched.
const RULE: &str = "a Role in its namespace needs the rule {apiGroups: [argoproj.io], resources: [applications], verbs: [get, list, watch, patch]}";

/// What became of a patch: the Application as it is since, or why it was not patched.
type Result = std::result::Result<Option<Box<Application>>, Refusal>;

/// Patches.
pub(super) struct Writes {
    /// Those that wait.
    pub(super) queue: Queue,
    under_way: JoinSet<Attempt>,
    forbidden: Forbidden,
}

/// What namespaces' Applications may not be patched, so that it is said once.
#[derive(Debug, Default)]
struct Forbidden(BTreeSet<(String, u16)>);

impl Writes {
    /// None yet.
    pub(super) fn new(limits: Limits, now: Instant) -> Self {
        Self {
            queue: Queue::new(limits, now),
            under_way: JoinSet::new(),
            forbidden: Forbidden::default(),
        }
    }

    /// Starts a patch that waits.
    pub(super) fn start(&mut self, name: &Name, api: &Api, now: Instant) {
        if let Some(job) = self.queue.start(name, now) {
            self.under_way.spawn(write(api.clone(), job, now));
        }
    }

    /// The next patch that has ended; `None` where none is under way.
    pub(super) async fn next(&mut self) -> Option<Attempt> {
        // None ends by itself: what could is contained.
        self.under_way.join_next().await?.ok()
    }

    /// Notes what became of a patch, for those that wait, for Prometheus and in the log.
    pub(super) fn note(&mut self, job: &Job, result: &Result, metrics: &Metrics, now: Instant) {
        let took = now.saturating_duration_since(job.since);
        match result {
            Ok(application) => {
                metrics.patch(job.purpose, Written::Done);
                metrics.changed(took);
                audit(job, application.as_deref(), "patched");
                self.forbidden.lift(&job.name.namespace);
                self.queue.done(job, now);
            }
            Err(refusal) => {
                metrics.patch(job.purpose, kind(refusal));
                self.forbidden.tell(&job.name, refusal);
                let is_busy = refusal.is_passing();
                self.queue.failed(job, refusal.retry_after, is_busy, now);
            }
        }
    }
}

impl Forbidden {
    fn lift(&mut self, namespace: &str) {
        self.0.retain(|(other, _)| other != namespace);
    }

    /// Says why a patch was not made.
    fn tell(&mut self, application: &Name, refusal: &Refusal) {
        let cause = &refusal.cause;
        match kind(refusal) {
            Written::Done | Written::Outdated => {
                tracing::debug!(%application, %cause, "the Application has changed");
            }
            Written::Failed => tracing::warn!(%application, %cause, "cannot patch it now"),
            Written::Refused => {
                let namespace = &application.namespace;
                if !self.0.insert((namespace.clone(), refusal.code)) {
                    return;
                }
                let hint = match refusal.code {
                    403 => RULE,
                    _ => "look at what the API server says, and at admission policies",
                };
                tracing::error!(%application, %cause, hint, "may not patch it");
            }
        }
    }
}
