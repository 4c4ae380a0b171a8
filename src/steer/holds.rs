//! What keeps an Application as it is although something else is wanted.

use jiff::{SignedDuration, Timestamp};

use super::application::{Annotations, Application, Manager};
use super::policy::{Flap, Policy};
use super::reason::{Code, Reason};
use super::state::{Controls, State, is_within};
use super::windows;

/// Whose fields ours are.
pub const FIELD_MANAGER: &str = "argocd-infisical";

/// Programs that write Applications. Whoever else does is taken for a person.
const PROGRAMS: [&str; 8] = [
    "argocd-controller",
    "argocd-application-controller",
    "argocd-applicationset-controller",
    "argocd-image-updater",
    "helm",
    "helm-controller",
    "kustomize-controller",
    "Terraform",
];

/// How long a refresh is waited for before it is asked for again.
const HEED: SignedDuration = SignedDuration::from_secs(60);

/// What keeps the whole Application.
pub(crate) struct Standing {
    /// The reason, where there is one.
    pub(crate) reason: Option<Reason>,
    /// When that may change by itself.
    pub(super) again: Option<Timestamp>,
}

/// What keeps the whole Application, whatever is wanted of it.
pub(crate) fn standing(
    state: &State,
    policy: &Policy,
    application: &Application,
    now: Timestamp,
) -> Standing {
    let annotations = application.metadata.annotations.as_ref();
    let is_on = |value: Option<&String>| value.is_some_and(|value| value != "false");
    let hold = annotations.and_then(|annotations| annotations.hold.as_ref());
    let skip = annotations.and_then(|annotations| annotations.skip_reconcile.as_deref());
    let because = |reason: Reason, hint: &str| Standing {
        reason: Some(reason.hint(hint)),
        again: None,
    };
    if application.metadata.deletion_timestamp.is_some() {
        let reason = Reason::new(Code::Deleting, "it is being deleted");
        return because(reason, "wait until it is gone");
    }
    if state.controls.is_paused {
        let hint = format!(
            "`argocd-infisical revisions resume`, or set `{}` of ConfigMap {}/{} to `false`",
            Controls::PAUSE,
            policy.own_namespace,
            Controls::NAME
        );
        let reason = Reason::new(Code::Paused, "the controller is paused");
        return because(reason, &hint);
    }
    if is_on(hold) {
        let hint = "remove the annotation `argocd-infisical.io/hold`";
        let reason = Reason::new(Code::Hold, "it is held by its annotation");
        return because(reason, hint);
    }
    if skip == Some("true") {
        let hint = "remove the annotation `argocd.argoproj.io/skip-reconcile`";
        let reason = Reason::new(Code::ReconcileSkipped, "Argo CD is told to skip it");
        return because(reason, hint);
    }
    if !application.is_automated() && !policy.writes_unautomated {
        let hint = "switch `spec.syncPolicy.automated` on, or set `writes.automationOff: true` in the policy";
        let reason = Reason::new(Code::AutomationOff, "its automated sync is off");
        return because(reason, hint);
    }
    denied(state, policy, application, now)
}

fn denied(state: &State, policy: &Policy, application: &Application, now: Timestamp) -> Standing {
    let free = Standing {
        reason: None,
        again: None,
    };
    let projects = state.projects.as_ref();
    let project = projects.and_then(|projects| projects.get(application.project()));
    let Some(project) = project.filter(|_| !policy.writes_in_denied_windows) else {
        return free;
    };
    match windows::denial(project, application, now) {
        Ok(None) => free,
        Ok(Some(denied)) => Standing {
            reason: Some(
                Reason::new(Code::SyncWindow, "a sync window of its project denies").hint(
                    "wait for the window, or set `writes.deniedSyncWindows: true` in the policy",
                ),
            ),
            again: denied.until,
        },
        Err(wrong) => Standing {
            reason: Some(
                Reason::new(
                    Code::InvalidSyncWindow,
                    format!("a sync window of its project cannot be read: {wrong}"),
                )
                .hint(
                    "mend `spec.syncWindows` of the AppProject; Argo CD syncs nothing of it before",
                ),
            ),
            again: None,
        },
    }
}

/// Whether a field is ours.
pub(super) fn is_own(manager: &Manager) -> bool {
    manager.name == FIELD_MANAGER
}

/// Whether a person wrote a field last.
pub(super) fn is_of_person(managers: &[Manager]) -> bool {
    let last = managers.iter().max_by_key(|manager| manager.time);
    last.is_some_and(|manager| !is_own(manager) && !PROGRAMS.contains(&manager.name.as_str()))
}

/// Why a revision stays that somebody else put in the place of ours.
pub(super) fn changed(managers: &[Manager]) -> Reason {
    let last = managers.iter().max_by_key(|manager| manager.time);
    // Where a digest has made the field ours since, nobody tells who it was.
    let is_told = !last.is_some_and(is_own);
    let last = last.filter(|_| is_told);
    let who = last.map_or_else(|| "somebody".to_owned(), |last| format!("`{}`", last.name));
    let hint = "it stays until another revision is wanted; to follow again at once, remove the annotation `argocd-infisical.io/state`";
    if !is_told || is_of_person(managers) {
        let message = format!("{who} changed the revision after it was set");
        Reason::new(Code::ChangedByPerson, message).hint(hint)
    } else {
        let message = format!("{who} put another revision in the place of the one that was set");
        Reason::new(Code::Reverted, message).hint(format!(
            "let whoever writes it leave `targetRevision` out, or ignore it; {hint}"
        ))
    }
}

/// Why a digest is not set once more.
pub(super) fn digest_removed() -> Reason {
    let message = "somebody removed the digest of the settings after it was set";
    Reason::new(Code::DigestReverted, message).hint(
        "let whoever writes the Application leave `SETTINGS_DIGEST` of `plugin.env` alone; until then a changed setting is rendered, and deployed where `selfHeal` is on",
    )
}

/// Whether the revision may change once more.
///
/// # Errors
/// Why not, and when it may.
pub(super) fn calm(
    moves: &[Timestamp],
    flap: Flap,
    now: Timestamp,
) -> Result<(), (Reason, Timestamp)> {
    let recent: Vec<_> = moves
        .iter()
        .filter(|time| is_within(**time, now, flap.within))
        .collect();
    let Some(excess) = recent.len().checked_sub(flap.changes) else {
        return Ok(());
    };
    let Some(oldest) = recent.get(excess) else {
        return Ok(());
    };
    let within = SignedDuration::try_from(flap.within).unwrap_or(HEED);
    let until = oldest.saturating_add(within).unwrap_or(now);
    let minutes = flap.within.as_secs() / 60;
    let message = format!(
        "its revision changed {} times in {minutes} minutes",
        recent.len()
    );
    let reason = Reason::new(Code::Flapping, message).hint(format!(
        "see who changes the override to and fro; the last one is set when the first of these changes is {minutes} minutes ago"
    ));
    Err((reason, until))
}

/// Whether a refresh is to be asked for again, since nobody heeded it.
///
/// # Errors
/// Until when there is time for it.
pub(super) fn refresh_is_due(
    application: &Application,
    annotations: &Annotations,
    asked: Timestamp,
    now: Timestamp,
) -> Result<bool, Timestamp> {
    // The time of a comparison has no parts of seconds.
    let heeded = application.status.reconciled_at;
    let is_heeded = heeded.is_some_and(|time| time.as_second() >= asked.as_second());
    if annotations.refresh.is_some() || is_heeded {
        return Ok(false);
    }
    let until = asked.saturating_add(HEED).unwrap_or(now);
    if until > now { Err(until) } else { Ok(true) }
}
