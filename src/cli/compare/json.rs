//! The report for programs: every kustomization, with all that is known of it.

use std::time::Duration;

use goyaml::Value;

use super::super::json::{self, count, object, string};
use super::Report;
use super::pool::{Class, Comparison, Message};

/// The report as JSON.
pub(super) fn text(report: &Report) -> String {
    let counts = Class::ALL.map(|class| (class.key(), count(report.of_class(class).count())));
    let program = report.reference.program().display().to_string();
    let reference = object([
        ("program", string(program)),
        ("version", string(report.version.as_str())),
    ]);
    let comparisons = report.comparisons.iter().map(entry).collect();
    json::document(&object([
        ("kustomize", reference),
        ("counts", object(counts)),
        ("kustomizations", Value::Array(comparisons)),
    ]))
}

fn entry(comparison: &Comparison) -> Value {
    let Comparison {
        path,
        class,
        ours,
        theirs,
        diff,
        our_time,
        their_time,
    } = comparison;
    let said = |message: &Message| string(message.line());
    let fields = [
        ("path", Some(string(path.as_str()))),
        ("class", Some(string(class.key()))),
        ("message", ours.as_ref().map(said)),
        ("kustomizeMessage", theirs.as_ref().map(said)),
        ("diff", diff.as_deref().map(string)),
        ("seconds", Some(seconds(*our_time))),
        ("kustomizeSeconds", their_time.map(seconds)),
    ];
    json::some(fields)
}

fn seconds(time: Duration) -> Value {
    Value::Float(time.as_secs_f64())
}
