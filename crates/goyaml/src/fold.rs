//! What go-yaml v3 makes of a folded scalar by writing and reading it again.

use std::borrow::Cow;

use crate::analysis::is_break;
use crate::scalar_writer::Output;

/// The text that a folded (`>`) scalar has after go-yaml v3 wrote and read it once.
///
/// kustomize: `RNode.MarshalJSON` goes through YAML text, and `yaml_emitter_write_folded_scalar` writes an empty line
/// too many before a line that is indented more than the one above it, and none at all in a text that begins with a
/// space.
pub(crate) fn round_trip(text: &str) -> Cow<'_, str> {
    if !text.trim_end_matches('\n').contains(is_break) {
        return Cow::Borrowed(text);
    }
    let mut written = String::with_capacity(text.len() + 16);
    Output::new(&mut written, usize::MAX).folded(text, 0);
    let (header, lines) = written.split_once('\n').unwrap_or_default();
    Cow::Owned(read(lines, header.ends_with('-'), header.ends_with('+')))
}

/// Reads the lines of a folded scalar; `strips` and `keeps` say what becomes of the line breaks at its end.
fn read(lines: &str, strips: bool, keeps: bool) -> String {
    let mut text = String::with_capacity(lines.len());
    let mut line_end = "";
    let mut empty_lines = String::new();
    let mut was_indented = false;
    for line in lines.split_inclusive(is_break) {
        let content = line.trim_end_matches(is_break);
        let end = line.get(content.len()..).unwrap_or_default();
        if content.is_empty() {
            empty_lines.push_str(end);
            continue;
        }
        let is_indented = content.starts_with([' ', '\t']);
        if line_end == "\n" && !was_indented && !is_indented {
            if empty_lines.is_empty() {
                text.push(' ');
            }
        } else {
            text.push_str(line_end);
        }
        text.push_str(&empty_lines);
        empty_lines.clear();
        text.push_str(content);
        line_end = end;
        was_indented = is_indented;
    }
    if !strips {
        text.push_str(line_end);
    }
    if keeps {
        text.push_str(&empty_lines);
    }
    text
}
