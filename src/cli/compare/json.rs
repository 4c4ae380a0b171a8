//! The report for programs: every kustomization, with all that is known of it.

use std::time::Duration;

use goyaml::{Text, Value};

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
    let document = object([
        ("kustomize", reference),
        ("counts", object(counts)),
        ("kustomizations", Value::Array(comparisons)),
    ]);
    let mut text = document.to_json_indented();
    text.push('\n');
    text
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
    object(
        fields
            .into_iter()
            .filter_map(|(key, value)| Some((key, value?))),
    )
}

fn object(fields: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
    let fields = fields.into_iter().map(|(key, value)| (key.into(), value));
    Value::Object(fields.collect())
}

fn string(text: impl Into<Text>) -> Value {
    Value::String(text.into())
}

fn count(number: usize) -> Value {
    Value::Uint(u64::try_from(number).unwrap_or(u64::MAX))
}

fn seconds(time: Duration) -> Value {
    Value::Float(time.as_secs_f64())
}
