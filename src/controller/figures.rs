//! When figures are set, and those that are counted for it.

use std::time::{Duration, Instant};

use super::overview::Overview;
use crate::steer::application::{Application, Cause, Name};
use crate::steer::state::State;

/// How often the controller shows that it goes on.
pub(super) const BEAT: Duration = Duration::from_secs(5);

/// When figures were set.
#[derive(Debug, Default)]
pub(super) struct Figures {
    set_at: Option<Instant>,
}

impl Figures {
    /// They are to be set at once.
    pub(super) const fn are_due(&mut self) {
        self.set_at = None;
    }

    /// Whether they are to be set now.
    pub(super) fn begin(&mut self, now: Instant) -> bool {
        let is_due = self.set_at.is_none_or(|at| now >= at + BEAT);
        if is_due {
            self.set_at = Some(now);
        }
        is_due
    }
}

/// Of how many Applications Argo CD does not try to render again for a while. Only those count whose settings are watched over:
/// the controller has nothing to do with the others.
pub(super) fn paused(state: &State, overview: &Overview) -> usize {
    let is_paused = |application: &Application| {
        let mut conditions = application.status.conditions.iter();
        conditions.any(|condition| condition.cause == Cause::Paused)
    };
    let counts = |name: &Name, application: &Application| {
        is_paused(application) && overview.has_settings(name)
    };
    let applications = state.applications.iter();
    applications
        .filter(|(name, application)| counts(name, application))
        .count()
}
