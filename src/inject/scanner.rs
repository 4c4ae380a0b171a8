//! Finds placeholders in a text.

use super::language::MAX_LENGTH;

/// A piece of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// Stays as it is.
    Text(&'a str),
    /// `$${{`, which stands for `${{`.
    Escape,
    /// `${{ … }}`.
    Placeholder(Placeholder<'a>),
}

/// What stands between `${{` and `}}`, and where the `${{` begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Placeholder<'a> {
    pub(super) expression: &'a str,
    pub(super) offset: usize,
}

/// A `${{` at this offset that nothing closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unterminated {
    pub(super) offset: usize,
}

const OPEN: &str = "${{";

/// Whether a text could hold a placeholder at all.
pub(super) fn may_hold_placeholders(text: &str) -> bool {
    // Few texts have a dollar sign, and to look for one character is quicker.
    text.as_bytes().contains(&b'$') && text.contains(OPEN)
}

/// Splits a text at its placeholders and escapes.
///
/// Other braces are text, so Jinja, Helm, Prometheus and shell variables need no escape. Within a placeholder `}}` in
/// quotes does not close it.
pub(super) fn scan(text: &str) -> Result<Vec<Piece<'_>>, Unterminated> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut from = 0;
    while let Some(found) = text.get(from..).and_then(|rest| rest.find(OPEN)) {
        let offset = from + found;
        let is_escaped = text
            .get(start..offset)
            .is_some_and(|before| before.ends_with('$'));
        let text_end = if is_escaped { offset - 1 } else { offset };
        push_text(&mut pieces, text.get(start..text_end));
        let inside = offset + OPEN.len();
        if is_escaped {
            pieces.push(Piece::Escape);
            start = inside;
        } else {
            let rest = text.get(inside..).unwrap_or_default();
            let length = end_of_expression(rest).ok_or(Unterminated { offset })?;
            let expression = rest.get(..length).unwrap_or_default().trim();
            pieces.push(Piece::Placeholder(Placeholder { expression, offset }));
            start = inside + length + "}}".len();
        }
        from = start;
    }
    push_text(&mut pieces, text.get(start..));
    Ok(pieces)
}

/// The offset of the first placeholder that reads a setting, for texts where there should be none.
pub(super) fn first_setting(text: &str) -> Option<usize> {
    if !may_hold_placeholders(text) {
        return None;
    }
    text.match_indices(OPEN)
        .map(|(offset, _)| offset)
        .find(|offset| {
            let is_escaped = text
                .get(..*offset)
                .is_some_and(|before| before.ends_with('$'));
            !is_escaped && {
                let rest = text.get(offset + OPEN.len()..).unwrap_or_default();
                reads_setting(start_of_expression(rest))
            }
        })
}

/// What may be the expression at the start of a text: no more than an expression can be long, and no more than its line
/// where it does not end.
fn start_of_expression(text: &str) -> &str {
    let text = text
        .get(..text.floor_char_boundary(MAX_LENGTH))
        .unwrap_or(text);
    let end = end_of_expression(text).or_else(|| {
        // What another placeholder has in it is found there.
        let ends = [text.find('\n'), text.find(OPEN)];
        ends.into_iter().flatten().min()
    });
    end.and_then(|end| text.get(..end)).unwrap_or(text)
}

/// Whether the word `settings` stands in an expression as it must to read one of them, in parentheses or not. A field
/// of that name of something else, and a text in quotes, are another's.
fn reads_setting(expression: &str) -> bool {
    const WORD: &str = "settings";
    let is_part_of_word =
        |character: char| character.is_alphanumeric() || matches!(character, '_' | '-');
    let mut open = None;
    let mut characters = expression.char_indices();
    while let Some((offset, character)) = characters.next() {
        match (open, character) {
            (Some(_), '\\') => drop(characters.next()),
            (Some(quote), character) if quote == character => open = None,
            (None, '"' | '\'') => open = Some(character),
            (None, 's') => {
                let (before, rest) = expression.split_at(offset);
                let is_setting = rest.strip_prefix(WORD).is_some_and(|after| {
                    !before.ends_with(is_part_of_word)
                        && !before.trim_end().ends_with('.')
                        && after.trim_start().starts_with(['.', '[', ')'])
                });
                if is_setting {
                    return true;
                }
            }
            _ => {}
        }
    }
    false
}

fn push_text<'a>(pieces: &mut Vec<Piece<'a>>, text: Option<&'a str>) {
    if let Some(text) = text.filter(|text| !text.is_empty()) {
        pieces.push(Piece::Text(text));
    }
}

/// The length of the text before `}}`; `None` where it does not come, or another `${{` comes first.
fn end_of_expression(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut quote = None;
    let mut index = 0;
    while let Some(byte) = bytes.get(index) {
        match (quote, byte) {
            (Some(_), b'\\') => index += 1,
            (Some(open), byte) if open == *byte => quote = None,
            (None, b'"' | b'\'') => quote = Some(*byte),
            (None, b'}') if bytes.get(index + 1) == Some(&b'}') => return Some(index),
            (None, b'$') if text.get(index..).is_some_and(|rest| rest.starts_with(OPEN)) => {
                return None;
            }
            _ => {}
        }
        index += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use proptest::prelude::*;

    use super::*;

    fn placeholder(expression: &str, offset: usize) -> Piece<'_> {
        Piece::Placeholder(Placeholder { expression, offset })
    }

    #[test]
    fn other_languages_are_text() {
        for text in [
            "{{ states('sensor.x') }}",
            "{% if a %}{{ b }}{% endif %}",
            "${HOME} $VAR $(NAME) $$",
            "{{ $labels.instance }} {{`{{`}}",
            "{{=<% %>=}}",
            "$ {{ x }}",
            "",
        ] {
            let expected = if text.is_empty() {
                vec![]
            } else {
                vec![Piece::Text(text)]
            };
            assert_eq!(scan(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn placeholders_and_escapes() {
        let pieces = scan("a ${{ settings.A }}é$${{ settings.B }} ${{settings.C|int}}");
        let expected = vec![
            Piece::Text("a "),
            placeholder("settings.A", 2),
            Piece::Text("é"),
            Piece::Escape,
            Piece::Text(" settings.B }} "),
            placeholder("settings.C|int", 40),
        ];
        assert_eq!(pieces, Ok(expected));
        assert_eq!(
            scan("$$${{ x"),
            Ok(vec![Piece::Text("$"), Piece::Escape, Piece::Text(" x")])
        );
    }

    #[test]
    fn an_escape_directly_behind_a_placeholder_is_one() {
        let pieces = scan("${{ a }}$${{ b");
        assert_eq!(
            pieces,
            Ok(vec![placeholder("a", 0), Piece::Escape, Piece::Text(" b")])
        );
    }

    #[test]
    fn braces_in_quotes_do_not_close() {
        let text = r#"${{ settings.A | default("}}\"}}") }}!"#;
        let expected = vec![
            placeholder(r#"settings.A | default("}}\"}}")"#, 0),
            Piece::Text("!"),
        ];
        assert_eq!(scan(text), Ok(expected));
    }

    #[test]
    fn what_is_not_closed_is_found() {
        assert_eq!(scan("x ${{ settings.A }"), Err(Unterminated { offset: 2 }));
        assert_eq!(
            scan("${{ settings.A ${{ settings.B }}"),
            Err(Unterminated { offset: 0 })
        );
        assert_eq!(scan("${{ \"}}"), Err(Unterminated { offset: 0 }));
    }

    proptest! {
        #[test]
        fn no_text_is_lost(text in r#"([a-z ${}"'\\é\n]|\$\{\{|\}\}){0,40}"#) {
            if let Ok(pieces) = scan(&text) {
                let mut rest = text.as_str();
                for piece in pieces {
                    let (is_there, length) = match piece {
                        Piece::Text(part) => (rest.starts_with(part), part.len()),
                        Piece::Escape => (rest.starts_with("$${{"), 4),
                        Piece::Placeholder(Placeholder { expression, offset }) => {
                            prop_assert_eq!(offset, text.len() - rest.len());
                            let inside = rest.get(3..).unwrap_or_default();
                            let blanks = inside.len() - inside.trim_start().len();
                            let end = inside.get(blanks + expression.len()..).unwrap_or_default();
                            let trailing = end.len() - end.trim_start().len();
                            let is_closed = end.trim_start().starts_with("}}");
                            (rest.starts_with("${{") && is_closed, 5 + blanks + expression.len() + trailing)
                        }
                    };
                    prop_assert!(is_there, "{:?} in {:?}", piece, rest);
                    rest = rest.get(length..).unwrap_or_default();
                }
                prop_assert_eq!(rest, "");
            }
        }
    }

    #[test]
    fn long_lines_take_no_long_time() {
        let start = Instant::now();
        for part in ["${{ settings ", "${{ \\\" settings ", "${{ ' settings. "] {
            let text = part.repeat(5_000);
            assert_eq!(first_setting(&text), None, "{part}");
        }
        // It took minutes once, and takes less than a second without optimisation.
        assert!(start.elapsed() < Duration::from_secs(20));
    }

    #[test]
    fn forgotten_marks_are_recognised() {
        assert_eq!(first_setting("x ${{settings.A"), Some(2));
        assert_eq!(first_setting("x ${{ settings [\"A\"]"), Some(2));
        assert_eq!(first_setting("${{ (settings.A) | b64encode }}"), Some(0));
        assert_eq!(first_setting("a ${{ ( settings ).A }}"), Some(2));
        assert_eq!(first_setting("${{ 'x' | default(settings.A) }}"), Some(0));
        assert_eq!(first_setting("$${{ settings.A }}"), None);
        assert_eq!(first_setting("${{ inputs.settings.a }} settings.A"), None);
        assert_eq!(first_setting("${{ inputs['settings.a'] }}"), None);
        assert_eq!(first_setting("${{ 'x ${{ settings.A }}"), Some(7));
        assert_eq!(first_setting("${{ 'x\\' settings.A' }}"), None);
        assert_eq!(first_setting("${{ github.sha }} ${{ settingsx.a }}"), None);
    }
}
