//! What may be written in a placeholder: less than what minijinja understands.

use super::evaluate::Refusal;

/// How long one expression may be, in bytes.
pub(super) const MAX_LENGTH: usize = 4_096;

/// Keeps the language to `settings.KEY | filter(argument)`: no operators, conditions or collections.
pub(super) fn check_language(expression: &str) -> Result<(), Refusal> {
    if expression.is_empty() {
        return Err(Refusal::Syntax("the placeholder is empty".into()));
    }
    if expression.len() > MAX_LENGTH {
        return Err(Refusal::Syntax(format!(
            "the placeholder is longer than {MAX_LENGTH} bytes"
        )));
    }
    let mut quote = None;
    let (mut word, mut before) = (String::new(), ' ');
    let mut characters = expression.chars().chain([' ']);
    while let Some(character) = characters.next() {
        if let Some(open) = quote {
            if character == '\\' {
                characters.next();
            } else if character == open {
                quote = None;
            }
            continue;
        }
        check_index(before, character)?;
        if character.is_ascii_alphanumeric() || character == '_' {
            word.push(character);
            continue;
        }
        if matches!(
            word.as_str(),
            "if" | "else" | "in" | "is" | "not" | "and" | "or"
        ) {
            return Err(Refusal::Syntax(format!(
                "`{word}` has no meaning in a placeholder"
            )));
        }
        let is_after_word = !word.is_empty() || before.is_ascii_alphanumeric();
        before = word.chars().last().unwrap_or(before);
        word.clear();
        if !character.is_ascii_whitespace() {
            before = character;
        }
        match character {
            '(' if !is_after_word => {
                return Err(Refusal::Syntax(
                    "`(` has a meaning only behind the name of a filter".into(),
                ));
            }
            '"' | '\'' => quote = Some(character),
            ' ' | '\t' | '\n' | '\r' | '.' | '|' | '(' | ')' | '[' | ']' => {}
            '-' => {
                return Err(Refusal::Syntax(
                    "`-` has no meaning in a placeholder; a key with a dash is read as `settings[\"the-key\"]`".into(),
                ));
            }
            other => {
                return Err(Refusal::Syntax(format!(
                    "`{other}` has no meaning in a placeholder"
                )));
            }
        }
    }
    Ok(())
}

/// Refuses an index: the characters of a value cannot be counted off.
fn check_index(before: char, character: char) -> Result<(), Refusal> {
    let is_key = matches!(character, '"' | '\'') || character.is_ascii_whitespace();
    if before != '[' || is_key {
        return Ok(());
    }
    Err(Refusal::Syntax(
        "`[` has a meaning only in `settings[\"KEY\"]`".into(),
    ))
}
