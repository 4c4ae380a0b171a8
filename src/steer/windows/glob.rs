//! The globs of Argo CD: `*`, `?`, `[a-c]`, `[!abc]`, `{a,b*}` and `\`.
//!
//! `*` crosses `/`, and nothing is special about `**`; crates that match paths see both differently.

use std::iter::Peekable;
use std::str::Chars;

use regex::Regex;

use crate::steer::policy::pattern;

/// Whether a glob is for a text. What is no glob is for none.
// Argo CD: globMatch, with gobwas/glob and no separators
pub(super) fn matches(glob: &str, text: &str) -> bool {
    if !glob.contains(['?', '[', '{', '\\']) {
        return pattern::matches(glob, text);
    }
    let compiled = expression(glob).and_then(|expression| Regex::new(&expression).ok());
    compiled.is_some_and(|expression| expression.is_match(text))
}

/// The glob as a regular expression, which takes no longer the more stars there are.
fn expression(glob: &str) -> Option<String> {
    let mut characters = glob.chars().peekable();
    let mut expression = String::from(r"(?s)\A(?:");
    let mut depth = 0_usize;
    while let Some(c) = characters.next() {
        match c {
            '*' => expression.push_str(".*"),
            '?' => expression.push('.'),
            '[' => expression.push_str(&class(&mut characters)?),
            '{' => {
                depth += 1;
                expression.push_str("(?:");
            }
            '}' if depth > 0 => {
                depth -= 1;
                expression.push(')');
            }
            ',' if depth > 0 => expression.push('|'),
            '\\' => push(&mut expression, characters.next()?),
            literal => push(&mut expression, literal),
        }
    }
    expression.push_str(r")\z");
    (depth == 0).then_some(expression)
}

/// What stands behind a `[`: one range, or characters of which none is a range.
fn class(characters: &mut Peekable<Chars<'_>>) -> Option<String> {
    let mut class = String::from("[");
    if characters.next_if_eq(&'!').is_some() {
        class.push('^');
    }
    let mut behind = characters.clone();
    if let (Some(low), Some('-')) = (behind.next(), behind.next()) {
        let (high, close) = (behind.next()?, behind.next()?);
        if high < low || close != ']' {
            return None;
        }
        push(&mut class, low);
        class.push('-');
        push(&mut class, high);
        *characters = behind;
    } else {
        let start = class.len();
        loop {
            match characters.next()? {
                ']' => break,
                '\\' => push(&mut class, characters.next()?),
                literal => push(&mut class, literal),
            }
        }
        if class.len() == start {
            return None;
        }
    }
    class.push(']');
    Some(class)
}

/// Adds a character that stands for itself.
fn push(expression: &mut String, literal: char) {
    expression.push_str(&regex::escape(literal.encode_utf8(&mut [0; 4])));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A glob, a text, and what gobwas/glob v1.0.0 says.
    const GLOBS: [(&str, &str, bool); 44] = [
        ("*", "", true),
        ("*", "a/b", true),
        ("**", "a/b", true),
        ("a*", "a", true),
        ("a*c", "abbc", true),
        ("a/**/b", "a/b", false),
        ("", "", true),
        ("", "a", false),
        ("https://*.example.org", "https://a.b.example.org", true),
        ("a.c", "abc", false),
        ("a?c", "abc", true),
        ("a?c", "ac", false),
        ("a?c", "aéc", true),
        ("a?c", "a\nc", true),
        ("[ab]", "b", true),
        ("[ab]", "c", false),
        ("[!ab]", "c", true),
        ("[!ab]", "a", false),
        ("[a-c]", "b", true),
        ("[a-c]", "-", false),
        ("[!a-c]", "b", false),
        ("[ab-d]", "-", true),
        ("[ab-d]", "c", false),
        ("[^a]", "^", true),
        ("[^a]", "b", false),
        ("[&&~]", "&", true),
        (r"[\]a]", "]", true),
        ("[]-a]", "^", true),
        ("[c-a]", "b", false),
        ("[a-c-e]", "b", false),
        ("[]", "", false),
        ("[!]", "a", false),
        ("[a", "a", false),
        ("{a,b}", "b", true),
        ("{a,b}c", "ac", true),
        ("{a*,{b,c}}", "c", true),
        ("a{,b}", "a", true),
        ("{}a", "a", true),
        ("{a", "{a", false),
        ("a}", "a}", true),
        ("a,b", "a,b", true),
        (r"\*", "*", true),
        (r"\*", "a", false),
        (r"a\", "a", false),
    ];

    #[test]
    fn globs_are_for_texts() {
        for (glob, text, expected) in GLOBS {
            assert_eq!(matches(glob, text), expected, "{glob} for {text:?}");
        }
    }
}
