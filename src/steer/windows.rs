//! Whether the sync windows of a project deny an automated sync: with Argo CD's own rules, its oddities among them.

mod clock;
mod duration;
mod glob;
mod schedule;

use std::fmt;

use jiff::Timestamp;

use super::application::Application;
use super::project::{Project, SyncWindow};

/// That sync windows deny.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Denied {
    /// When the answer may be another one, not before; `None` where time alone changes nothing.
    pub until: Option<Timestamp>,
}

/// A sync window that Argo CD cannot read. It syncs nothing then of the Applications that the window is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrongWindow {
    /// Which of `spec.syncWindows`, from zero.
    pub index: usize,
    /// The field that is wrong.
    pub field: &'static str,
    /// What is wrong with it, without the text.
    pub cause: String,
}

impl fmt::Display for WrongWindow {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            index,
            field,
            cause,
        } = self;
        write!(
            formatter,
            "`{field}` of entry {} of `spec.syncWindows` {cause}",
            index + 1
        )
    }
}

impl std::error::Error for WrongWindow {}

/// Whether the windows of a project deny an automated sync of an Application of it.
///
/// # Errors
/// Where a window cannot be read that is for the Application; Argo CD syncs nothing of it then.
// Argo CD: SyncWindows.Matches, SyncWindows.CanSync without an operation that runs
pub fn denial(
    project: &Project,
    application: &Application,
    now: Timestamp,
) -> Result<Option<Denied>, WrongWindow> {
    let windows = project.spec.sync_windows.iter().flatten().enumerate();
    let mut decision = Decision::default();
    for (index, window) in windows.filter(|(_, window)| is_for(window, application)) {
        let phase = clock::phase(window, now).map_err(|(field, cause)| WrongWindow {
            index,
            field,
            cause,
        })?;
        decision.add(&window.kind, phase);
    }
    Ok(decision.denial())
}

/// Where a window is in its schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Phase {
    is_active: bool,
    /// When it may be in another one.
    until: Option<Timestamp>,
}

/// What the windows that were looked at say together.
#[derive(Default)]
struct Decision {
    is_denied: bool,
    is_allowed: bool,
    is_allowed_at_other_times: bool,
    until: Option<Timestamp>,
}

impl Decision {
    fn add(&mut self, kind: &str, phase: Phase) {
        match (kind, phase.is_active) {
            ("deny", true) => self.is_denied = true,
            ("allow", true) => self.is_allowed = true,
            ("allow", false) => self.is_allowed_at_other_times = true,
            ("deny", false) => {}
            // Argo CD reads windows of other kinds, and they say nothing.
            _ => return,
        }
        self.until = self.until.into_iter().chain(phase.until).min();
    }

    fn denial(&self) -> Option<Denied> {
        let is_denied = self.is_denied || (self.is_allowed_at_other_times && !self.is_allowed);
        is_denied.then_some(Denied { until: self.until })
    }
}

/// Whether a window is for an Application.
// Argo CD: SyncWindows.Matches
fn is_for(window: &SyncWindow, application: &Application) -> bool {
    let destination = &application.spec.destination;
    let given = [&destination.name, &destination.server].into_iter();
    let clusters: Vec<&str> = given
        .filter_map(Option::as_deref)
        .filter(|text| !text.is_empty())
        .collect();
    let namespace = destination.namespace.as_deref().unwrap_or_default();
    let questions = [
        ask(
            window.applications.as_deref(),
            &[&application.metadata.name],
        ),
        ask(window.clusters.as_deref(), &clusters),
        ask(window.namespaces.as_deref(), &[namespace]),
    ];
    if window.and {
        // One that asks nothing is for none.
        let mut asked = questions.into_iter().flatten().peekable();
        asked.peek().is_some() && asked.all(|matches| matches)
    } else {
        questions.contains(&Some(true))
    }
}

/// Whether one of the patterns is for one of the texts; `None` where there is no pattern.
fn ask(patterns: Option<&[String]>, texts: &[&str]) -> Option<bool> {
    let patterns = patterns.filter(|patterns| !patterns.is_empty())?;
    let is_for_one = |pattern: &String| texts.iter().any(|text| glob::matches(pattern, text));
    Some(patterns.iter().any(is_for_one))
}

#[cfg(test)]
mod tests;
