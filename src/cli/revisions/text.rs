//! The table for people, and below it why something stays.

use std::fmt::Write as _;

use super::{said, told, word};
use crate::cli::table;
use crate::failure::{printable, printable_name};
use crate::steer::Name;
use crate::steer::application::Told;
use crate::steer::plan::{Decision, Outcome, Plan};
use crate::steer::reason::Reason;
use crate::steer::state::State;

/// How many Applications are named that stay for the same reason.
const NAMED: usize = 3;

const HEADER: [&str; 9] = [
    "APPLICATION",
    "ENVIRONMENT",
    "DEFAULT",
    "WANTED",
    "ORIGIN",
    "CURRENT",
    "SYNC",
    "HEALTH",
    "OUTCOME",
];

/// The plan as a table.
pub(super) fn text(plan: &Plan, state: &State) -> String {
    let mut rows = vec![HEADER.map(str::to_owned)];
    rows.extend(plan.decisions.iter().map(|decision| row(decision, state)));
    let mut text = table::text("", &rows);
    for (reason, names) in reasons(plan) {
        add(&mut text, &names, &reason.message, reason.hint.as_deref());
    }
    for (told, names) in causes(plan, state) {
        add(&mut text, &names, told.message, Some(told.hint));
    }
    let changed = plan.decisions.iter().filter(|decision| {
        let settings = decision.settings.as_ref();
        settings.is_some_and(|settings| settings.outcome == Outcome::Change)
    });
    let changed: Vec<_> = changed
        .map(|decision| settings_of(&decision.application))
        .collect();
    if !changed.is_empty() {
        let _ = write!(
            text,
            "\n{}: the controller would write another digest\n",
            who(&changed)
        );
    }
    text
}

/// Adds what is to be said of some Applications, and what to do.
fn add(text: &mut String, names: &[String], message: &str, hint: Option<&str>) {
    let (who, message) = (who(names), printable_name(message));
    let _ = write!(text, "\n{who}: {message}\n");
    let hint = printable(hint.unwrap_or_default());
    for (index, line) in hint.trim_end().lines().enumerate() {
        let label = if index == 0 { "hint: " } else { "" };
        let indent = if line.is_empty() && index > 0 {
            ""
        } else {
            "  "
        };
        let _ = writeln!(text, "{indent}{label}{line}");
    }
}

/// What Argo CD says that holds up a deployment, each with the Applications in question.
fn causes(plan: &Plan, state: &State) -> Vec<(Told, Vec<String>)> {
    let mut causes: Vec<(Told, Vec<String>)> = Vec::new();
    for decision in &plan.decisions {
        for told in told(state, &decision.application) {
            let name = decision.application.to_string();
            group(&mut causes, told, name);
        }
    }
    causes
}

/// Adds the name of an Application to those of which the same is said.
fn group<T: PartialEq>(said: &mut Vec<(T, Vec<String>)>, what: T, name: String) {
    match said.iter_mut().find(|(other, _)| *other == what) {
        Some((_, names)) => names.push(name),
        None => said.push((what, vec![name])),
    }
}

/// Some Applications by their names, of many the first ones.
fn who(names: &[String]) -> String {
    let (first, rest) = names.split_at(names.len().min(NAMED));
    let mut who = first.join(", ");
    if !rest.is_empty() {
        let _ = write!(who, " and {} more", rest.len());
    }
    printable_name(&who)
}

fn settings_of(application: &Name) -> String {
    format!("{application} (settings)")
}

fn row(decision: &Decision, state: &State) -> [String; HEADER.len()] {
    let some = |text: &str| match text {
        "" => "-".to_owned(),
        text => text.to_owned(),
    };
    let revision = &decision.revision;
    let wanted = revision.wanted.as_ref();
    let (sync, health) = said(state, &decision.application);
    [
        decision.application.to_string(),
        some(&decision.environment),
        some(revision.default.as_deref().unwrap_or_default()),
        some(wanted.map_or("", |wanted| &wanted.revision)),
        wanted.map_or_else(|| "-".to_owned(), |wanted| wanted.origin.to_string()),
        some(&revision.current.join(",")),
        some(sync),
        some(health),
        word(&revision.outcome).to_owned(),
    ]
}

/// The reasons for which something stays, each with the Applications in question.
fn reasons(plan: &Plan) -> Vec<(&Reason, Vec<String>)> {
    let mut reasons: Vec<(&Reason, Vec<String>)> = Vec::new();
    let mut add = |reason, name| group(&mut reasons, reason, name);
    for decision in &plan.decisions {
        let name = decision.application.to_string();
        let revision = match &decision.revision.outcome {
            Outcome::Stays(reason) => Some(reason),
            Outcome::Same | Outcome::Change => None,
        };
        if let Some(reason) = revision {
            add(reason, name.clone());
        }
        if let Some(settings) = &decision.settings
            && let Outcome::Stays(reason) = &settings.outcome
            && Some(reason) != revision
        {
            add(reason, settings_of(&decision.application));
        }
    }
    reasons
}
