//! What a string loses on its way through go-yaml v3's writer, JSON and go-yaml v2's reader.

use std::borrow::Cow;

use crate::error::Error;
use crate::node::Position;

/// How many characters of JSON text a key may have, its quotes included.
const SIMPLE_KEY: usize = 1024;

/// A string as go-yaml v2 reads it from JSON text.
pub(crate) fn json_text(text: &str, position: Position) -> Result<Cow<'_, str>, Error> {
    // Only DEL and characters beyond ASCII can be changed or refused.
    if text.bytes().all(|byte| byte < 0x7f) {
        return Ok(Cow::Borrowed(text));
    }
    if text.contains(is_refused) {
        return Err(Error::new(
            position,
            "yaml: control characters are not allowed",
        ));
    }
    if text.contains('\u{85}') {
        // What would end the document at the start of a line is refused even within quotes.
        let has_mark = |mark: &str| {
            text.contains(&format!("\u{85}{mark} "))
                || text.contains(&format!("\u{85}{mark}\u{85}"))
        };
        if has_mark("---") || has_mark("...") {
            return Err(Error::new(
                position,
                "yaml: found unexpected document indicator",
            ));
        }
        return Ok(Cow::Owned(fold_next_lines(text)));
    }
    Ok(Cow::Borrowed(text))
}

/// A key as go-yaml v2 reads it from JSON text.
pub(crate) fn json_key(text: &str, position: Position) -> Result<Cow<'_, str>, Error> {
    if text.len() <= SIMPLE_KEY / 6 && text.bytes().all(|byte| byte < 0x7f) {
        return Ok(Cow::Borrowed(text));
    }
    // JSON has every key on the line of its colon and, for go-yaml, not far from it.
    let is_too_long =
        text.len() > SIMPLE_KEY / 6 && text.chars().map(json_width).sum::<usize>() + 2 > SIMPLE_KEY;
    if is_too_long || text.contains('\u{85}') {
        return Err(Error::new(
            position,
            "yaml: did not find expected ',' or '}'",
        ));
    }
    json_text(text, position)
}

/// Whether go-yaml's reader refuses a character that JSON text has unescaped.
const fn is_refused(character: char) -> bool {
    matches!(character, '\u{7f}'..='\u{84}' | '\u{86}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}')
}

/// NEL ends a line for go-yaml, so that a single one within quotes is a space and more are line breaks.
fn fold_next_lines(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\u{85}') {
        let (before, after) = rest.split_at(at);
        folded.push_str(before.trim_end_matches(' '));
        let following = after.trim_start_matches(['\u{85}', ' ']);
        let blank = after.strip_suffix(following).unwrap_or(after);
        match blank.matches('\u{85}').count() {
            1 => folded.push(' '),
            breaks => folded.extend((1..breaks).map(|_| '\n')),
        }
        rest = following;
    }
    folded.push_str(rest);
    folded
}

/// How many characters Go's JSON encoder writes for one.
const fn json_width(character: char) -> usize {
    match character {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        '\0'..='\u{1f}' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => 6,
        _ => 1,
    }
}
