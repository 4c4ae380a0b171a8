//! `.env` files.

use std::collections::BTreeMap;

use crate::failure::Problem;

/// A line of a `.env` file.
pub(super) struct Assignment {
    pub(super) key: String,
    pub(super) value: String,
    pub(super) line: u32,
}

/// Reads `KEY=VALUE` lines.
///
/// `export` in front, empty lines and `#` comments are allowed. In `"…"` the escapes `\n`, `\r`, `\t`, `\"`, `\\` and
/// `\$` count, in `'…'` nothing does; both may span lines. Without quotes a value ends where the line ends or where a
/// space and `#` follow.
pub(super) fn parse(text: &str, file: &str) -> Result<Vec<Assignment>, Problem> {
    let mut reader = Reader {
        rest: text.strip_prefix('\u{feff}').unwrap_or(text),
        line: 1,
        file,
    };
    let mut found: Vec<Assignment> = Vec::new();
    let mut lines = BTreeMap::new();
    while let Some(assignment) = reader.next()? {
        if let Some(first) = lines.insert(assignment.key.clone(), assignment.line) {
            // A line of an unquoted text over several lines looks like a key, so none is named.
            let message = format!("a key is set twice, first in line {first}");
            return Err(Problem::new(message)
                .at(file, assignment.line)
                .hint("remove one of the two lines; a value over several lines needs quotes"));
        }
        found.push(assignment);
    }
    Ok(found)
}

struct Reader<'a> {
    rest: &'a str,
    line: u32,
    file: &'a str,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<Option<Assignment>, Problem> {
        loop {
            let trimmed = self.rest.trim_start_matches([' ', '\t', '\r']);
            match trimmed.chars().next() {
                None => return Ok(None),
                Some('\n') => {
                    self.rest = trimmed.strip_prefix('\n').unwrap_or(trimmed);
                    self.line += 1;
                }
                Some('#') => drop(self.take_line()),
                Some(_) => {
                    self.rest = trimmed;
                    return self.assignment().map(Some);
                }
            }
        }
    }

    /// The rest of the line without its end.
    fn take_line(&mut self) -> &'a str {
        let (line, rest) = self.rest.split_once('\n').unwrap_or((self.rest, ""));
        self.rest = rest;
        self.line += 1;
        line.strip_suffix('\r').unwrap_or(line)
    }

    fn assignment(&mut self) -> Result<Assignment, Problem> {
        let line = self.line;
        let head = self.rest.lines().next().unwrap_or_default();
        let Some((name, _)) = head.split_once('=') else {
            return Err(self.problem(
                line,
                "a line is neither `KEY=VALUE` nor a comment",
                "write `KEY=VALUE`; a manifest ends in `.yaml`, `.yml` or `.json`, or begins with `apiVersion:`",
            ));
        };
        self.rest = self.rest.get(name.len() + 1..).unwrap_or_default();
        let name = name.trim();
        let key = name.strip_prefix("export ").map_or(name, str::trim_start);
        if !super::is_key(key) {
            return Err(self.problem(
                line,
                "a key holds characters that no key of a Secret or ConfigMap may have",
                "use letters, digits, `_`, `-` and `.`",
            ));
        }
        let value = self.value()?;
        Ok(Assignment {
            key: key.to_owned(),
            value,
            line,
        })
    }

    fn value(&mut self) -> Result<String, Problem> {
        let start = self.rest.trim_start_matches([' ', '\t']);
        if let Some(quote @ ('"' | '\'')) = start.chars().next() {
            self.rest = start.get(1..).unwrap_or_default();
            let value = self.quoted(quote)?;
            self.end_of_line()?;
            return Ok(value);
        }
        let line = self.take_line();
        let starts_comment = |index: usize| {
            line.get(..index)
                .is_some_and(|before| before.is_empty() || before.ends_with([' ', '\t']))
        };
        let comment = line
            .match_indices('#')
            .map(|(index, _)| index)
            .find(|index| starts_comment(*index));
        let value = comment.and_then(|index| line.get(..index)).unwrap_or(line);
        Ok(value.trim().to_owned())
    }

    fn quoted(&mut self, quote: char) -> Result<String, Problem> {
        let first_line = self.line;
        let mut value = String::new();
        let mut characters = self.rest.char_indices();
        while let Some((index, character)) = characters.next() {
            match character {
                _ if character == quote => {
                    self.rest = self.rest.get(index + 1..).unwrap_or_default();
                    return Ok(value.replace("\r\n", "\n"));
                }
                '\\' if quote == '"' => match characters.next() {
                    Some((_, 'n')) => value.push('\n'),
                    Some((_, 'r')) => value.push('\r'),
                    Some((_, 't')) => value.push('\t'),
                    Some((_, escaped @ ('"' | '\\' | '$'))) => value.push(escaped),
                    Some((_, other)) => {
                        self.line += u32::from(other == '\n');
                        value.extend(['\\', other]);
                    }
                    None => break,
                },
                _ => {
                    self.line += u32::from(character == '\n');
                    value.push(character);
                }
            }
        }
        let message = format!("a value begins with {quote} and does not end");
        Err(self.problem(first_line, message, "close the quotes"))
    }

    fn end_of_line(&mut self) -> Result<(), Problem> {
        let line = self.line;
        let rest = self.take_line().trim();
        if rest.is_empty() || rest.starts_with('#') {
            return Ok(());
        }
        Err(self.problem(
            line,
            "there is text after the closing quote",
            "escape quotes within the value as `\\\"`",
        ))
    }

    fn problem(&self, line: u32, message: impl Into<String>, hint: &str) -> Problem {
        Problem::new(message).at(self.file, line).hint(hint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Vec<(String, String, u32)> {
        let found = parse(text, "x.env").unwrap_or_else(|problem| panic!("{problem}"));
        found
            .into_iter()
            .map(|one| (one.key, one.value, one.line))
            .collect()
    }

    fn failure(text: &str) -> String {
        parse(text, "x.env")
            .err()
            .map(|problem| problem.to_string())
            .unwrap_or_default()
    }

    #[test]
    fn values_with_and_without_quotes() {
        let text = "\u{feff}# comment\r\n\nA=1\r\nexport B = two words # comment\nC='it #is $x'\nD=\"a\\nb \\\"q\\\" \\d\" # end\nE=\nF=a#b\nG=\"x\ny\"\nH=h";
        let expected = [
            ("A", "1", 3),
            ("B", "two words", 4),
            ("C", "it #is $x", 5),
            ("D", "a\nb \"q\" \\d", 6),
            ("E", "", 7),
            ("F", "a#b", 8),
            ("G", "x\ny", 9),
            ("H", "h", 11),
        ];
        let expected: Vec<_> = expected
            .iter()
            .map(|(k, v, line)| ((*k).to_owned(), (*v).to_owned(), *line))
            .collect();
        assert_eq!(pairs(text), expected);
    }

    #[test]
    fn what_is_wrong_is_told_without_the_value() {
        for (text, message, line) in [
            ("A=1\nA=hunter2", "a key is set twice, first in line 1", 2),
            ("hunter2", "a line is neither `KEY=VALUE` nor a comment", 1),
            (
                "\nA B=hunter2",
                "a key holds characters that no key of a Secret or ConfigMap may have",
                2,
            ),
            (
                "A=\"hunter2\n",
                "a value begins with \" and does not end",
                1,
            ),
            ("A='x' hunter2", "there is text after the closing quote", 1),
        ] {
            let failure = failure(text);
            assert!(
                failure.starts_with(&format!("error: x.env:{line}: {message}\n")),
                "{failure}"
            );
            assert!(!failure.contains("hunter2"), "{failure}");
        }
    }
}
