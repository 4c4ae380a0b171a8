//! The report for people.

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _};

use goyaml::Node;
use similar::{ChangeTag, TextDiff};

use super::{Cause, FieldChange, ObjectChange, Report, title};
use crate::cli::explain::title as title_in_output;
use crate::diff::{Mask, shortened};
use crate::failure::{printable, printable_name};

/// Lines that are shown of a field.
const LINES: usize = 40;

/// The report as text; nothing where nothing differs.
pub(super) fn text(report: &Report) -> String {
    let mut text = String::new();
    if report.objects.is_empty() {
        return text;
    }
    let paint = Paint::of_terminal();
    let _ = writeln!(
        text,
        "{}\n{}",
        paint.removed(&format!("--- {}", printable_name(&report.left.label()))),
        paint.added(&format!("+++ {}", printable_name(&report.right.label())))
    );
    let keys: Vec<&str> = report.keys.iter().copied().collect();
    let _ = match keys.as_slice() {
        [] => writeln!(text, "no setting differs"),
        keys => writeln!(text, "settings that differ: {}", keys.join(", ")),
    };
    let mut values = report.are_values_shown.then(Mask::default);
    for object in &report.objects {
        text.push('\n');
        write_object(object, values.as_mut(), &paint, &mut text);
    }
    text
}

fn write_object(
    object: &ObjectChange,
    mut values: Option<&mut Mask>,
    paint: &Paint,
    text: &mut String,
) {
    let ObjectChange {
        left,
        right,
        fields,
    } = object;
    let name = match (left, right) {
        (Some(_), Some(right)) => paint.strong(&title_in_output(right)),
        (None, Some(right)) => paint.added(&format!("+ {}", title_in_output(right))),
        (Some(left), None) => paint.removed(&format!("- {}", title_in_output(left))),
        (None, None) => return,
    };
    let _ = writeln!(text, "{name}");
    let names: Vec<String> = fields
        .iter()
        .map(|field| printable_name(&field.change.field.to_string()))
        .collect();
    let width = names.iter().map(|name| name.chars().count()).max();
    let width = width.unwrap_or_default();
    for (field, name) in fields.iter().zip(&names) {
        let sign = match (field.change.left, field.change.right) {
            (None, _) => paint.added("+"),
            (_, None) => paint.removed("-"),
            _ => "~".to_owned(),
        };
        let why = printable_name(&why(field));
        let _ = writeln!(text, "  {sign} {name:width$}  {why}");
        let is_hash = matches!(field.cause, Cause::Hash(_));
        if let Some(mask) = values.as_deref_mut().filter(|_| !is_hash) {
            let kind = right.or(*left).map(title).unwrap_or_default();
            write_values(field, (&kind, mask), paint, text);
        }
    }
}

fn why(field: &FieldChange) -> String {
    let keys: Vec<&str> = field.keys.iter().copied().collect();
    let keys = keys.join(", ");
    match &field.cause {
        Cause::Settings => keys,
        Cause::Hash(owner) if keys.is_empty() => format!("hash of {owner}"),
        Cause::Hash(owner) => format!("{keys} (hash of {owner})"),
        Cause::Repository => "the repository".to_owned(),
        Cause::Unknown => "?".to_owned(),
    }
}

fn write_values(
    field: &FieldChange,
    (kind, mask): (&str, &mut Mask),
    paint: &Paint,
    text: &mut String,
) {
    let mut shown = |node: Option<&Node>| value(node, field, kind, mask);
    let (left, right) = (shown(field.change.left), shown(field.change.right));
    let diff = TextDiff::from_lines(&left, &right);
    let changes = diff.iter_all_changes();
    let mut changes = changes.filter(|change| change.tag() != ChangeTag::Equal);
    for change in changes.by_ref().take(LINES) {
        let line = shortened(change.value_ref().trim_end_matches('\n'));
        let line = match change.tag() {
            ChangeTag::Delete => paint.removed(&format!("- {line}")),
            ChangeTag::Insert | ChangeTag::Equal => paint.added(&format!("+ {line}")),
        };
        let _ = writeln!(text, "      {line}");
    }
    let more = changes.count();
    if more > 0 {
        let _ = writeln!(text, "      ({more} more lines)");
    }
}

/// The text of a field, or a number for that of a Secret.
pub(super) fn value(
    node: Option<&Node>,
    field: &FieldChange,
    kind: &str,
    mask: &mut Mask,
) -> String {
    let Some(node) = node else {
        return String::new();
    };
    let text = node.to_text();
    let text = text.map_or_else(
        || goyaml::encode(node).unwrap_or_default(),
        |text| format!("{}\n", text.trim_end_matches('\n')),
    );
    if !kind.starts_with("Secret ") {
        return printable(&text);
    }
    // Of a Secret everything but what it is called may be its content.
    let key = field.change.field.to_string();
    let content = goyaml::Value::String(text.as_str().into()).to_json();
    let masked = mask.apply(&format!("kind: Secret\ndata:\n  {key}: {content}\n"));
    let masked = masked.lines().last().unwrap_or_default();
    let number = masked.rsplit_once(": ").map_or("", |(_, number)| number);
    format!("{number}\n")
}

/// Colours, on a terminal that wants them.
struct Paint {
    has_colours: bool,
}

impl Paint {
    fn of_terminal() -> Self {
        let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let is_dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
        Self {
            has_colours: io::stdout().is_terminal() && !is_set("NO_COLOR") && !is_dumb,
        }
    }

    fn added(&self, text: &str) -> String {
        self.paint("32", text)
    }

    fn removed(&self, text: &str) -> String {
        self.paint("31", text)
    }

    fn strong(&self, text: &str) -> String {
        self.paint("1", text)
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.has_colours {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_for_terminals() {
        let [with, without] = [true, false].map(|has_colours| Paint { has_colours });
        assert_eq!(with.added("x"), "\u{1b}[32mx\u{1b}[0m");
        assert_eq!(without.added("x"), "x");
    }
}
