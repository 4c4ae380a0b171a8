//! What was measured, for people.

use std::time::Duration;

use super::super::chance::say;
use super::usage::Memory;

/// What a start took, where nothing was to be written.
pub(super) struct Started {
    /// How many Applications there were.
    pub(super) size: usize,
    /// How long until the first decision.
    pub(super) took: Duration,
    /// Of the processor until then.
    pub(super) processor: Duration,
    /// What was resident when it was idle.
    pub(super) memory: Memory,
    /// How long it takes to decide of all.
    pub(super) decision: Duration,
    /// The processor's seconds in a minute in which nothing happens.
    pub(super) idle: f64,
}

impl Started {
    pub(super) fn count(&self) -> String {
        format!("{} Applications", self.size)
    }
}

/// Says what was measured.
pub(super) fn figure(text: &str) {
    say(&format!("FIGURE {text}"));
}

pub(super) fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// A table in Markdown.
pub(super) fn print_table<const N: usize>(head: &[&str; N], rows: &[[String; N]]) {
    figure(&format!("| {} |", head.join(" | ")));
    figure(&format!("| {} |", ["---"; N].join(" | ")));
    for row in rows {
        figure(&format!("| {} |", row.join(" | ")));
    }
}

/// What starts with few Applications and with all took.
pub(super) fn started(few: &Started, all: &Started) -> Vec<[String; 3]> {
    let row = |what: &str, of: &dyn Fn(&Started) -> String| [what.to_owned(), of(few), of(all)];
    let mebibytes = |kibibytes: u64| format!("{:.1} MiB", kibibytes as f64 / 1024.0);
    let each = |start: &Started, time: Duration| {
        let each = milliseconds(time) * 1000.0 / start.size as f64;
        format!("{:.1} ms, {each:.1} µs each", milliseconds(time))
    };
    vec![
        row("start to steady state, nothing to write", &|start| {
            format!("{:.2} s", start.took.as_secs_f64())
        }),
        row("processor's time for it", &|start| {
            each(start, start.processor)
        }),
        row("memory when steady", &|start| {
            mebibytes(start.memory.resident)
        }),
        row("of it its own (anonymous)", &|start| {
            mebibytes(start.memory.anonymous)
        }),
        row("to decide of all", &|start| each(start, start.decision)),
        row(
            "processor's time of a minute in which nothing happens",
            &|start| format!("{:.3} s", start.idle),
        ),
    ]
}
