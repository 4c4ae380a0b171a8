//! The plan for programs.

use goyaml::Value;

use super::{said, told, word};
use crate::cli::json::{array, count, document, filled, object, some, string};
use crate::settings::object::ObjectName;
use crate::steer::Name;
use crate::steer::plan::{Decision, Origin, Outcome, Plan, Revision, Settings, Tripped};
use crate::steer::reason::Reason;
use crate::steer::state::State;

/// The plan as JSON.
pub(super) fn text(plan: &Plan, state: &State) -> String {
    let decisions = plan.decisions.iter();
    document(&object([
        (
            "applications",
            array(decisions.map(|decision| application(decision, state))),
        ),
        ("breakers", array(plan.breakers.iter().map(breaker))),
    ]))
}

fn application(decision: &Decision, state: &State) -> Value {
    let Decision {
        application,
        uid: _,
        environment,
        project,
        revision,
        settings,
        patch: _,
        again,
        counted: _,
    } = decision;
    let Revision {
        default,
        wanted,
        current,
        outcome,
    } = revision;
    let (sync, health) = said(state, application);
    some([
        ("namespace", Some(string(application.namespace.as_str()))),
        ("name", Some(string(application.name.as_str()))),
        ("environment", Some(string(environment.as_str()))),
        ("project", Some(string(project.as_str()))),
        ("default", default.as_deref().and_then(filled)),
        (
            "wanted",
            wanted.as_ref().and_then(|wanted| filled(&wanted.revision)),
        ),
        (
            "origin",
            wanted.as_ref().map(|wanted| origin(&wanted.origin)),
        ),
        (
            "current",
            Some(array(current.iter().map(|text| string(text.as_str())))),
        ),
        ("sync", filled(sync)),
        ("health", filled(health)),
        ("conditions", conditions(state, application)),
        ("outcome", Some(string(word(outcome)))),
        ("reason", reason(outcome)),
        ("settings", settings.as_ref().map(of_settings)),
        ("again", again.map(|time| string(time.to_string()))),
    ])
}

/// What Argo CD says that holds it up.
fn conditions(state: &State, application: &Name) -> Option<Value> {
    let all = told(state, application);
    let each = all.iter().map(|told| {
        object([
            ("code", string(told.code)),
            ("message", string(told.message)),
            ("hint", string(told.hint)),
        ])
    });
    (!all.is_empty()).then(|| array(each))
}

fn origin(origin: &Origin) -> Value {
    match origin {
        Origin::Default => object([("kind", string("default"))]),
        Origin::Override { object: name, key } => some([
            ("kind", Some(string(name.kind.as_str()))),
            ("namespace", Some(string(name.namespace.as_str()))),
            ("name", Some(string(name.name.as_str()))),
            ("key", Some(string(key.as_str()))),
        ]),
    }
}

fn reason(outcome: &Outcome) -> Option<Value> {
    let Outcome::Stays(Reason {
        code,
        message,
        hint,
    }) = outcome
    else {
        return None;
    };
    Some(some([
        ("code", Some(string(code.as_str()))),
        ("message", Some(string(message.as_str()))),
        ("hint", hint.as_deref().map(string)),
    ]))
}

fn of_settings(settings: &Settings) -> Value {
    let Settings { objects, outcome } = settings;
    let named = |name: &ObjectName| {
        object([
            ("kind", string(name.kind.as_str())),
            ("namespace", string(name.namespace.as_str())),
            ("name", string(name.name.as_str())),
        ])
    };
    some([
        ("objects", Some(array(objects.iter().map(named)))),
        ("outcome", Some(string(word(outcome)))),
        ("reason", reason(outcome)),
    ])
}

fn breaker(tripped: &Tripped) -> Value {
    let Tripped {
        environment,
        wanted,
        hash,
        changes,
        allowed,
    } = tripped;
    object([
        ("environment", string(environment.as_str())),
        ("wanted", string(wanted.revision.as_str())),
        ("origin", origin(&wanted.origin)),
        ("hash", string(hash.as_str())),
        ("changes", count(*changes)),
        ("allowed", count(*allowed)),
    ])
}
