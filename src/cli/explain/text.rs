//! The report for people: the fields of each object, then the settings.

use std::fmt::Write as _;

use super::{Report, State, source};
use crate::cli::table;
use crate::diff::shortened;
use crate::failure::printable_name;
use crate::inject::{Use, Way};
use crate::settings::Place;
use kustomize::Resource;

/// The report as text.
pub(super) fn text(report: &Report) -> String {
    let mut text = String::new();
    let fields = report.fields();
    for (resource, uses) in &fields {
        let _ = writeln!(text, "{}", title(resource));
        let mut rows = vec![["FIELD", "SETTING", "BY", "AT"].map(str::to_owned)];
        let mut lines: Vec<[String; 4]> = uses.iter().map(|used| row(used)).collect();
        // A list that is used twice has its placeholders twice.
        lines.dedup();
        rows.append(&mut lines);
        text.push_str(&table::text("  ", &rows));
        text.push('\n');
    }
    if fields.is_empty() {
        text.push_str("no field takes a setting\n");
    }
    if !report.rendered.record.resolved.is_empty() {
        if fields.is_empty() {
            text.push('\n');
        }
        settings(report, &mut text);
    }
    text
}

/// An object by its kind and the name that it has in the output.
pub(in crate::cli) fn title(resource: &Resource) -> String {
    let kind = &resource.gvk().kind;
    let name = printable_name(&format!("{kind} {}", resource.name()));
    match resource.namespace().as_str() {
        "" => name,
        namespace => format!("{name} in namespace {}", printable_name(namespace)),
    }
}

fn row(used: &Use) -> [String; 4] {
    let keys: Vec<&str> = used.keys.iter().map(String::as_str).collect();
    let way = match used.way {
        Way::Placeholder => "placeholder",
        Way::Copy => "copy",
    };
    [
        used.field.to_string(),
        keys.join(", "),
        way.to_owned(),
        place(&used.place),
    ]
}

fn settings(report: &Report, text: &mut String) {
    let mut head = ["SETTING", "VALUE", "FROM", "ALLOWED BY", "FIELDS", ""].map(str::to_owned);
    if report.are_values_shown {
        "TEXT".clone_into(&mut head[5]);
    }
    let mut rows = vec![head];
    for (key, setting) in report.rendered.record.resolved.iter() {
        let from = match State::of(setting) {
            State::None => "-".to_owned(),
            State::Set | State::Default => place(source(setting)),
        };
        let fields = match report.count(key) {
            0 if report.unknown.iter().any(|unknown| unknown == key) => "?".to_owned(),
            count => count.to_string(),
        };
        rows.push([
            key.to_owned(),
            State::of(setting).word().to_owned(),
            from,
            report.allowed(setting).unwrap_or_else(|| "-".to_owned()),
            fields,
            report
                .value(setting)
                .map_or_else(String::new, |value| shortened(&value)),
        ]);
    }
    text.push_str(&table::text("", &rows));
}

fn place(place: &Place) -> String {
    match (place.file.as_str(), place.line) {
        ("", _) => "-".to_owned(),
        (file, 0) => file.to_owned(),
        (file, line) => format!("{file}:{line}"),
    }
}
