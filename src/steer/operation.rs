//! Operations of Argo CD that would deploy what is no longer wanted.

use super::application::{Application, OperationState, Source};
use super::digests;
use super::revision::same;

/// The operation that waits to be tried again with sources as they were, if there is one: an automated one. Between its tries
/// Argo CD would start nothing else, for minutes.
///
/// `is_wanted` tells of a source, by its place, whether revision and digest are what they should be.
// Argo CD: a retry takes the sources that the operation began with; `phase` stays `Running`, and `finishedAt` is that of the last
// try
pub(super) fn outdated(
    application: &Application,
    wanted: impl Fn(usize, &Source) -> bool,
) -> Option<&OperationState> {
    let state = application.status.operation_state.as_ref()?;
    let is_waiting = state.phase == "Running" && state.finished_at.is_some();
    let operation = &state.operation;
    if !is_waiting || !operation.initiated_by.automated {
        return None;
    }
    let sync = operation.sync.as_ref()?;
    let tried = match state.sync_result.all() {
        [] => sync.all(),
        tried => tried,
    };
    let is_old = tried
        .iter()
        .enumerate()
        .any(|(place, source)| !wanted(place, source));
    (!tried.is_empty() && is_old).then_some(state)
}

/// Whether two sources have the same revision, and the same digest.
pub(super) fn is_alike(one: &Source, revision: &str, digest: Option<&str>) -> bool {
    let plugin = one.plugin.as_ref();
    let own = plugin.and_then(|plugin| digests::current(plugin).map(|(_, text)| text));
    same(one.revision(), revision) && own == digest
}
