//! The report for people: differences first, then failures by class, times, and a line that sums up.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use super::Report;
use super::pool::{Class, Comparison, Message};
use crate::diff::shortened;
use crate::failure::printable;
use crate::reference;

/// Differences that are shown with their diffs.
const DIFFS: usize = 20;

/// Lines that are shown of each.
const DIFF_LINES: usize = 20;

/// Shapes of messages that are shown for a class.
const SHAPES: usize = 10;

/// Kustomizations that are named as the slowest.
const SLOWEST: usize = 5;

/// Digits, and what is quoted, make no shape.
const LONGEST_SHAPE: usize = 110;

/// The report as text.
pub(super) fn text(report: &Report) -> String {
    let mut text = String::new();
    head(report, &mut text);
    differences(report, &mut text);
    classes(report, &mut text);
    times(report, &mut text);
    let _ = writeln!(text, "{}", summary(report));
    text
}

fn head(report: &Report, text: &mut String) {
    let version = &report.version;
    let program = report.reference.program().display();
    let _ = writeln!(text, "compared with kustomize {version} ({program})");
    if version != reference::VERSION {
        let meant = reference::VERSION;
        let _ = writeln!(
            text,
            "this engine prints what kustomize {meant} prints: differences may be those of the versions"
        );
    }
    text.push('\n');
}

fn differences(report: &Report, text: &mut String) {
    let different = report
        .comparisons
        .iter()
        .filter(|c| c.class == Class::Different);
    for comparison in different.clone().take(DIFFS) {
        let _ = writeln!(text, "different: {}", printable(&comparison.path));
        let mut lines = comparison.diff.iter().flat_map(|diff| diff.lines());
        for line in lines.by_ref().take(DIFF_LINES) {
            let _ = writeln!(text, "  {line}");
        }
        if lines.next().is_some() {
            let _ = writeln!(text, "  (more: see `build --verify`)");
        }
        text.push('\n');
    }
    let more = different.skip(DIFFS).count();
    if more > 0 {
        let _ = writeln!(text, "({more} more are different: see `--format json`)\n");
    }
}

fn classes(report: &Report, text: &mut String) {
    for class in Class::ALL {
        let members: Vec<&Comparison> = report.of_class(class).collect();
        // What can go wrong only here or there is worth a line that says it does not.
        if members.is_empty() && matches!(class, Class::TimedOut | Class::OutOfReach | Class::Fault)
        {
            continue;
        }
        let _ = writeln!(text, "{:<36} {:>5}", class.name(), members.len());
        if class != Class::Identical && class != Class::Different {
            shapes(&members, text);
        }
    }
}

/// The members of a class by what is said about them, the commonest first.
fn shapes(members: &[&Comparison], text: &mut String) {
    let mut shapes: BTreeMap<String, Vec<&Comparison>> = BTreeMap::new();
    for member in members {
        let message = member.message().map_or("", |message| &message.text);
        shapes.entry(shape(message)).or_default().push(member);
    }
    let mut shapes: Vec<(String, Vec<&Comparison>)> = shapes.into_iter().collect();
    shapes.sort_by_key(|(_, members)| std::cmp::Reverse(members.len()));
    for (shape, members) in shapes.iter().take(SHAPES) {
        let Some(example) = members.first() else {
            continue;
        };
        let count = members.len();
        if !shape.is_empty() {
            let _ = writeln!(text, "  {count:>4}  {shape}");
        }
        let _ = writeln!(text, "        {}", shortened(&example.said()));
    }
    let more = shapes.len().saturating_sub(SHAPES);
    if more > 0 {
        let _ = writeln!(
            text,
            "        ({more} more kinds of messages: see `--format json`)"
        );
    }
}

/// A message without what is particular to one place: what is quoted, paths and numbers.
fn shape(message: &str) -> String {
    let first = message.lines().next().unwrap_or_default();
    let mut shape = String::new();
    let mut rest = first.chars();
    while let Some(c) = rest.next() {
        match c {
            '`' | '"' | '\'' if rest.clone().any(|other| other == c) => {
                rest.by_ref().find(|other| *other == c);
                let _ = write!(shape, "{c}…{c}");
            }
            c if c.is_ascii_digit() && shape.ends_with('#') => {}
            c if c.is_ascii_digit() => shape.push('#'),
            c => shape.push(c),
        }
    }
    let words = shape.split(' ');
    let words: Vec<&str> = words
        .map(|word| if word.contains('/') { "…" } else { word })
        .collect();
    let shape: String = printable(&words.join(" "));
    match shape.char_indices().nth(LONGEST_SHAPE) {
        None => shape,
        Some((end, _)) => format!("{}…", shape.get(..end).unwrap_or_default()),
    }
}

fn times(report: &Report, text: &mut String) {
    let mut both: Vec<&Comparison> = report
        .comparisons
        .iter()
        .filter(|c| c.class == Class::Identical || c.class == Class::Different)
        .collect();
    if both.is_empty() {
        text.push('\n');
        return;
    }
    let times = Times::of(&both);
    let _ = writeln!(
        text,
        "\ntimes of what both build {:>17} {:>12}",
        "total", "median"
    );
    let mut row = |name: &str, total: Duration, median: Duration| {
        let _ = writeln!(
            text,
            "  {name:<22} {:>15.2} s {:>9.1} ms",
            total.as_secs_f64(),
            milliseconds(median)
        );
    };
    row("kustomize", times.their_total, times.their_median);
    row("argocd-infisical", times.our_total, times.our_median);
    let _ = writeln!(
        text,
        "  {:<22} {:>15.0} x {:>9.0} x",
        "ratio",
        ratio(times.their_total, times.our_total),
        ratio(times.their_median, times.our_median)
    );
    let _ = writeln!(text, "\nslowest   kustomize   argocd-infisical");
    both.sort_by_key(|c| std::cmp::Reverse(c.their_time));
    for comparison in both.iter().take(SLOWEST) {
        let _ = writeln!(
            text,
            "  {:>14.1} ms {:>15.1} ms  {}",
            milliseconds(comparison.their_time.unwrap_or_default()),
            milliseconds(comparison.our_time),
            printable(&comparison.path)
        );
    }
    text.push('\n');
}

fn summary(report: &Report) -> String {
    let counts: Vec<String> = Class::ALL
        .into_iter()
        .map(|class| (class, report.of_class(class).count()))
        .filter(|(class, count)| *count > 0 || matches!(class, Class::Identical | Class::Different))
        .map(|(class, count)| format!("{count} {}", class.name()))
        .collect();
    let total = report.comparisons.len();
    let noun = if total == 1 {
        "kustomization"
    } else {
        "kustomizations"
    };
    format!("{total} {noun}: {}", counts.join(", "))
}

/// How long builds take that succeed with both.
pub(super) struct Times {
    pub(super) their_total: Duration,
    pub(super) their_median: Duration,
    pub(super) our_total: Duration,
    pub(super) our_median: Duration,
}

impl Times {
    pub(super) fn of(comparisons: &[&Comparison]) -> Self {
        let theirs = || comparisons.iter().filter_map(|c| c.their_time);
        let ours = || comparisons.iter().map(|c| c.our_time);
        Self {
            their_total: theirs().sum(),
            their_median: median(theirs().collect()),
            our_total: ours().sum(),
            our_median: median(ours().collect()),
        }
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn ratio(theirs: Duration, ours: Duration) -> f64 {
    theirs.as_secs_f64() / ours.as_secs_f64().max(f64::MIN_POSITIVE)
}

impl Report {
    pub(super) fn of_class(&self, class: Class) -> impl Iterator<Item = &Comparison> {
        self.comparisons.iter().filter(move |c| c.class == class)
    }
}

impl Comparison {
    /// What is said about it: by the engine here, else by kustomize.
    pub(super) fn message(&self) -> Option<&Message> {
        self.ours.as_ref().or(self.theirs.as_ref())
    }

    /// Its path and what is said about it; the path once.
    fn said(&self) -> String {
        let path = &self.path;
        match self.message().map(Message::line) {
            None => path.clone(),
            Some(line) if path != "." && line.contains(&format!("{path}/")) => line,
            Some(line) => format!("{path}: {line}"),
        }
    }
}

impl Message {
    /// The message in one line, with its place.
    pub(super) fn line(&self) -> String {
        let first = self.text.lines().next().unwrap_or_default();
        match &self.place {
            None => first.to_owned(),
            Some(place) => format!("{place}: {first}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_one_shape_are_one() {
        for (message, expected) in [
            (
                "cannot read `a/b`: no such file",
                "cannot read `…`: no such file",
            ),
            (
                "accumulating '/x/y': 'z' at line 123",
                "accumulating '…': '…' at line #",
            ),
            (
                "lstat /a/b: it isn't there\nsecond line",
                "lstat … it isn't there",
            ),
            ("", ""),
        ] {
            assert_eq!(shape(message), expected);
        }
        assert_eq!(shape(&"x".repeat(999)).chars().count(), LONGEST_SHAPE + 1);
    }

    #[test]
    fn a_median_stands_in_the_middle() {
        let times = |list: &[u64]| list.iter().copied().map(Duration::from_millis).collect();
        assert_eq!(median(times(&[9, 1, 5])), Duration::from_millis(5));
        assert_eq!(median(times(&[])), Duration::ZERO);
    }
}
