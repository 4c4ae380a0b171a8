//! Makes one patch, and says what became of it.

use std::time::Instant;

use serde_json::{Value, json};

use super::lease::WRITE;
use super::metrics::{Written, purpose};
use super::queue::Job;
use super::request::{Api, Ask, Refusal, contained};
use crate::cluster::{Applications, Kind as _};
use crate::steer::application::{Application, Name};
use crate::steer::holds::FIELD_MANAGER;

/// A patch that was tried.
pub(super) struct Attempt {
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

/// Makes a patch that was started at a time. It ends within the time that the lease leaves to writes.
pub(super) async fn write(api: Api, job: Job, start: Instant) -> Attempt {
    let Name { namespace, name } = &job.name;
    let path = format!(
        "/apis/argoproj.io/v1alpha1/namespaces/{namespace}/applications/{name}?fieldManager={FIELD_MANAGER}"
    );
    let ask = Ask::patch(path, job.body.to_vec());
    let result = contained(async move {
        let bytes = api.ask_until(ask, start + WRITE).await?;
        let text = std::str::from_utf8(&bytes).ok();
        Ok(text.and_then(Applications::prune).map(Box::new))
    });
    Attempt {
        result: result.await,
        job,
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

#[cfg(test)]
mod tests;
