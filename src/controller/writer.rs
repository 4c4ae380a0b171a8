//! Makes one patch, and says what became of it.

use std::time::Duration;

use super::lease::WRITE;
use super::metrics::{Metrics, Written};
use super::queue::Job;
use super::request::{Api, Ask, Refusal};
use crate::cluster::{Applications, Kind as _};
use crate::steer::application::{Application, Name};
use crate::steer::holds::FIELD_MANAGER;

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
    let result = match serde_json::to_vec(&job.patch.operations) {
        Err(_) => Err(Refusal::silent("the patch cannot be written")),
        Ok(body) => {
            let answer = api.ask(Ask::patch(path, body), WRITE).await;
            answer.map(|bytes| {
                let text = std::str::from_utf8(&bytes).ok()?;
                Applications::prune(text).map(Box::new)
            })
        }
    };
    Outcome { job, result }
}

/// Notes what became of a patch, for Prometheus and in the log. No value of a setting is in it.
pub(super) fn note(outcome: &Outcome, metrics: &Metrics, took: Duration) {
    let Outcome { job, result } = outcome;
    let purpose = super::metrics::purpose(job.patch.purpose);
    let application = &job.name;
    match result {
        Ok(written) => {
            metrics.patch(job.patch.purpose, Written::Done);
            metrics.changed(took);
            let after = written
                .as_ref()
                .map_or("", |written| &*written.metadata.resource_version);
            for change in &job.patch.changes {
                let origin = change.origin.as_ref().map(ToString::to_string);
                tracing::info!(
                    target: super::log::AUDIT,
                    %application,
                    uid = %job.decision.uid,
                    before = %job.version,
                    after = %after,
                    field = %change.field,
                    old = change.old.as_deref().unwrap_or_default(),
                    new = %change.new,
                    origin = origin.as_deref().unwrap_or_default(),
                    purpose,
                    "patched"
                );
            }
        }
        Err(refusal) => {
            let kind = kind(refusal);
            metrics.patch(job.patch.purpose, kind);
            let cause = &refusal.cause;
            match kind {
                Written::Done | Written::Outdated => {
                    tracing::debug!(%application, purpose, %cause, "the Application has changed");
                }
                Written::Failed => {
                    tracing::warn!(%application, purpose, %cause, "cannot patch the Application now");
                }
                Written::Refused => {
                    let hint = if refusal.code == 403 {
                        "a Role in its namespace needs the rule {apiGroups: [argoproj.io], resources: [applications], verbs: [get, list, watch, patch]}"
                    } else {
                        "look at what the API server says, and at admission policies"
                    };
                    tracing::error!(%application, purpose, %cause, hint, "may not patch the Application");
                }
            }
        }
    }
}
