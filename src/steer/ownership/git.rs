//! Which fields the manifest in Git has that an app of apps applies.

use super::Field;
use crate::steer::application::{Application, Manager};
use crate::steer::holds;

/// Under which name Argo CD applies manifests, on either side.
// Argo CD: common.ArgoCDSSAManager
const ARGO_CD: &str = "argocd-controller";

/// Whether Git has a field; where that cannot be told, it has.
///
/// Where the manifest was applied on the client's side, it stands in an annotation. Where it was applied on the server's side,
/// Argo CD is recorded as who applies the field, until somebody else writes another value: then the record is theirs alone. A
/// field that is ours alone was ours to write before, because Git did not have it or a rule let us. Were it taken for Git's, a
/// field that Git never had could be written once and no more. If the rule has gone since, Argo CD takes the field back, once,
/// and is recorded again. A field that is somebody else's alone, without either mark, may be Git's.
pub(super) fn has(application: &Application, field: Field) -> bool {
    let managers = field.managers(&application.metadata.managers);
    let annotations = application.metadata.annotations.as_ref();
    let applied = annotations.and_then(|annotations| annotations.last_applied);
    is_applied(managers, applied.map(|manifest| field.is_in(manifest))).unwrap_or_else(|| {
        if managers.is_empty() {
            // Records of managers may have been cleared; a field that is not there was not applied.
            return field.is_set(application);
        }
        managers.iter().any(|manager| !holds::is_own(manager))
    })
}

/// Whether Git has the annotation `argocd.argoproj.io/ignore-differences`, which Argo CD reads there alone; where that cannot
/// be told, it has not.
pub(super) fn has_ignore_differences(application: &Application) -> bool {
    let managers = &application.metadata.managers.ignore_differences;
    let annotations = application.metadata.annotations.as_ref();
    let applied = annotations.and_then(|annotations| annotations.last_applied);
    is_applied(
        managers,
        applied.map(|manifest| manifest.ignore_differences),
    ) == Some(true)
}

/// Whether Argo CD applied something; `None` where that cannot be told.
fn is_applied(managers: &[Manager], applied: Option<bool>) -> Option<bool> {
    let mut argo_cd = managers.iter().filter(|manager| manager.name == ARGO_CD);
    // The annotation stays behind where an app of apps has gone over from one side to the other.
    if argo_cd.clone().any(|manager| manager.applies) {
        return Some(true);
    }
    // Argo CD writes without either where it replaces the object.
    applied.or_else(|| argo_cd.next().map(|_| true))
}
