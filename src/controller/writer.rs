//! Makes one patch, and says what became of it.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::lease::WRITE;
use super::metrics::{Metrics, Written, purpose};
use super::queue::Job;
use super::request::{Api, Ask, Refusal};
use crate::cluster::{Applications, Kind as _};
use crate::steer::application::{Application, Name};
use crate::steer::holds::FIELD_MANAGER;

/// What is missing where Applications may not be patched.
const RULE: &str = "a Role in its namespace needs the rule {apiGroups: [argoproj.io], resources: [applications], verbs: [get, list, watch, patch]}";

/// What became of a patch.
pub(super) struct Outcome {
    /// The patch.
    pub(super) job: Job,
    /// The Application as it is since, or why it was not patched.
    pub(super) result: Result<Option<Box<Application>>, Refusal>,
}

/// What kind of failure a refusal is.
pub(super) const fn kind(refusal: &Refusal) -> Written {
    match refusal.code {
        404 | 409 => Written::Outdated,
        422 if refusal.is_test => Written::Outdated,
        _ if refusal.is_passing() => Written::Failed,
        _ => Written::Refused,
    }
}

/// Makes a patch. It ends within the time that the lease leaves to writes.
pub(super) async fn write(api: Api, job: Job) -> Outcome {
    let Name { namespace, name } = &job.name;
    let path = format!(
        "/apis/argoproj.io/v1alpha1/namespaces/{namespace}/applications/{name}?fieldManager={FIELD_MANAGER}"
    );
    let patch = Ask::patch(path, job.body.to_vec());
    let result = contained(async move {
        let bytes = api.ask(patch, WRITE).await?;
        let text = std::str::from_utf8(&bytes).ok();
        Ok(text.and_then(Applications::prune).map(Box::new))
    });
    Outcome {
        result: result.await,
        job,
    }
}

/// What comes of a request. If it ends by itself, which is a fault of this program, it counts as one without an answer: whoever
/// waits for it goes on, and tries again.
async fn contained<T: Send + 'static>(
    request: impl Future<Output = Result<T, Refusal>> + Send + 'static,
) -> Result<T, Refusal> {
    let mut task = JoinSet::new();
    task.spawn(request);
    match task.join_next().await {
        Some(Ok(result)) => result,
        Some(Err(_)) | None => Err(Refusal::silent("the program has a fault")),
    }
}

/// Says what a patch changes, in one line. No value of a setting is in it.
pub(super) fn audit(job: &Job, after: Option<&Application>, what: &str) {
    let after = after.map_or("", |after| &*after.metadata.resource_version);
    let changes = job.changes().iter().map(|change| {
        json!({
            "field": change.field,
            "old": change.old,
            "new": change.new,
            "origin": change.origin.as_ref().map(ToString::to_string),
        })
    });
    let changes = Value::Array(changes.collect());
    tracing::info!(
        target: super::log::AUDIT,
        application = %job.name,
        uid = %job.decision.uid,
        purpose = purpose(job.purpose),
        before = %job.version,
        %after,
        %changes,
        "{what}"
    );
}

/// What namespaces' Applications may not be patched, so that it is said once.
#[derive(Debug, Default)]
pub(super) struct Refused(BTreeSet<(String, u16)>);

impl Refused {
    /// Notes what became of a patch, for Prometheus and in the log.
    pub(super) fn note(&mut self, outcome: &Outcome, metrics: &Metrics, took: Duration) {
        let Outcome { job, result } = outcome;
        let refusal = match result {
            Ok(written) => {
                metrics.patch(job.purpose, Written::Done);
                metrics.changed(took);
                self.0
                    .retain(|(namespace, _)| *namespace != job.name.namespace);
                audit(job, written.as_deref(), "patched");
                return;
            }
            Err(refusal) => refusal,
        };
        let kind = kind(refusal);
        metrics.patch(job.purpose, kind);
        let (application, cause) = (&job.name, &refusal.cause);
        match kind {
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

#[cfg(test)]
mod tests;
