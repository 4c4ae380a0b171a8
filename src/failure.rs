//! What a command says when it fails: what is wrong, where, what to do, and the exit code.

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::ops::{Deref, DerefMut};

use goyaml::Position;
use kustomize::without_credentials;

/// Who has to act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The command line is wrong. Exit code 2.
    Usage,
    /// A file that was read, or one that was to be written, is wrong. Exit code 1.
    Input,
    /// The program itself is wrong. Exit code 3.
    Internal,
}

impl Kind {
    /// The exit code of the process.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Input => 1,
            Self::Usage => 2,
            Self::Internal => 3,
        }
    }
}

/// Why a command failed: one problem, or several that were found together.
#[derive(Debug)]
pub struct Failure {
    kind: Kind,
    problems: Vec<Problem>,
    /// Lines to print below, such as a diff.
    attachment: String,
}

/// One thing that is wrong.
#[derive(Clone, Debug, Default)]
pub struct Problem(Box<Details>);

/// What is known of a [`Problem`].
#[derive(Clone, Debug, Default)]
pub struct Details {
    /// What is wrong: lower case, no full stop, no value of a setting or a Secret.
    pub message: String,
    /// The file that has to be changed.
    pub file: Option<String>,
    /// Whether the file is of the repository.
    pub is_in_repository: bool,
    /// Where in that file; zero where unknown.
    pub position: Position,
    /// The line of the file, where it may be shown.
    pub source_line: Option<String>,
    /// The field within the object.
    pub field: Option<String>,
    /// The object.
    pub resource: Option<String>,
    /// Other places that matter, each on a line of its own.
    pub items: Vec<Item>,
    /// What else is known, each a sentence.
    pub notes: Vec<String>,
    /// What led there, the innermost first.
    pub trail: Vec<String>,
    /// What to do.
    pub hint: Option<String>,
    /// Whether the file could not be read as YAML at all.
    pub is_malformed_yaml: bool,
}

/// A place that matters for a [`Problem`], and why.
#[derive(Clone, Debug)]
pub struct Item {
    /// Words that the place follows.
    pub text: String,
    /// The file.
    pub file: String,
    /// Its line; zero where unknown.
    pub line: u32,
    /// Whether the file is of the repository.
    pub is_in_repository: bool,
}

impl Problem {
    /// Makes a problem of a sentence.
    pub fn new(message: impl Into<String>) -> Self {
        Self(Box::new(Details {
            message: message.into(),
            ..Details::default()
        }))
    }

    /// Names a file outside the repository, and the line in it; line zero is no line.
    #[must_use]
    pub fn at(mut self, file: impl Into<String>, line: u32) -> Self {
        self.file = Some(file.into());
        self.position.line = line;
        self
    }

    /// Names a file of the repository and the place in it.
    #[must_use]
    pub fn in_repository(mut self, file: Option<&str>, position: Position) -> Self {
        self.file = file.filter(|file| !file.is_empty()).map(str::to_owned);
        self.position = position;
        self.is_in_repository = true;
        self
    }

    /// Names the object.
    #[must_use]
    pub fn resource(mut self, resource: &dyn fmt::Display) -> Self {
        self.resource = Some(resource.to_string());
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Makes a failure of it that the person who wrote a file can repair.
    pub fn into_failure(self) -> Failure {
        Failure {
            kind: Kind::Input,
            problems: vec![self],
            attachment: String::new(),
        }
    }
}

impl From<&kustomize::Error> for Problem {
    fn from(error: &kustomize::Error) -> Self {
        Self::from(error.details())
    }
}

impl From<&kustomize::Details> for Problem {
    fn from(details: &kustomize::Details) -> Self {
        let kustomize::Details {
            kind: _,
            message,
            file,
            position,
            field,
            resource,
            hint,
            related,
            notes,
            trail,
            is_malformed_yaml,
        } = details;
        let item = |related: &kustomize::Related| {
            Some(Item {
                text: related.text.to_owned(),
                file: related.file.clone()?,
                line: related.position.line,
                is_in_repository: true,
            })
        };
        let usual = || {
            "correct the YAML there; indentation, tabs and quotes are the usual causes".to_owned()
        };
        Self(Box::new(Details {
            message: message.clone(),
            file: file.clone(),
            is_in_repository: true,
            position: *position,
            source_line: None,
            field: field.clone(),
            resource: resource.clone(),
            items: related.iter().filter_map(item).collect(),
            notes: notes.clone(),
            trail: trail.clone(),
            hint: hint.clone().or_else(|| is_malformed_yaml.then(usual)),
            is_malformed_yaml: *is_malformed_yaml,
        }))
    }
}

impl Deref for Problem {
    type Target = Details;

    fn deref(&self) -> &Details {
        &self.0
    }
}

impl DerefMut for Problem {
    fn deref_mut(&mut self) -> &mut Details {
        &mut self.0
    }
}

impl Failure {
    /// A wrong command line.
    pub fn usage(message: impl Into<String>) -> Self {
        Self {
            kind: Kind::Usage,
            problems: vec![Problem::new(message)],
            attachment: String::new(),
        }
    }

    /// A wrong file, or something else that whoever runs the command can repair.
    pub fn input(message: impl Into<String>) -> Self {
        Problem::new(message).into_failure()
    }

    /// A fault of the program.
    pub fn internal(message: impl Into<String>) -> Self {
        Self {
            kind: Kind::Internal,
            problems: vec![Problem::new(message)],
            attachment: String::new(),
        }
    }

    /// Several wrong things in what was read.
    pub const fn several(problems: Vec<Problem>) -> Self {
        Self {
            kind: Kind::Input,
            problems,
            attachment: String::new(),
        }
    }

    /// Says what to do about the first problem.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        if let Some(problem) = self.problems.first_mut() {
            problem.hint = Some(hint.into());
        }
        self
    }

    /// Says something else that is known, beside the first problem.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        if let Some(problem) = self.problems.first_mut() {
            problem.notes.push(note.into());
        }
        self
    }

    /// Puts lines below what is said, each with its end.
    #[must_use]
    pub fn attach(mut self, lines: String) -> Self {
        self.attachment = lines;
        self
    }

    /// Who has to act.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// What is wrong.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// What is wrong, to complete.
    pub fn problems_mut(&mut self) -> &mut [Problem] {
        &mut self.problems
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                formatter.write_char('\n')?;
            }
            write!(formatter, "{problem}")?;
        }
        formatter.write_str(&self.attachment)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(formatter, "error")
    }
}

/// A [`Problem`] that ends nothing.
#[derive(Clone, Debug)]
pub struct Warning(pub Problem);

impl Warning {
    /// What is printed, without the end of its last line.
    pub fn text(&self) -> String {
        self.to_string().trim_end_matches('\n').to_owned()
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.write(formatter, "warning")
    }
}

impl Problem {
    fn write(&self, formatter: &mut fmt::Formatter<'_>, label: &str) -> fmt::Result {
        write!(formatter, "{label}: ")?;
        if let Some(file) = &self.file {
            write!(
                formatter,
                "{}: ",
                printable_name(&place(file, self.position))
            )?;
        }
        writeln!(formatter, "{}", printable_message(&self.message))?;
        if let Some(line) = &self.source_line {
            self.write_source(formatter, line)?;
        }
        for item in &self.items {
            let position = Position {
                line: item.line,
                ..Position::default()
            };
            writeln!(
                formatter,
                "  {} {}",
                item.text,
                printable_name(&place(&item.file, position))
            )?;
        }
        if let Some(resource) = &self.resource {
            writeln!(formatter, "  in: {}", printable_name(resource))?;
        }
        if let Some(field) = &self.field {
            writeln!(formatter, "  field: {}", printable_name(field))?;
        }
        for note in &self.notes {
            writeln!(formatter, "  note: {}", printable_message(note))?;
        }
        for step in &self.trail {
            writeln!(formatter, "  needed by: {}", printable_name(step))?;
        }
        if let Some(hint) = &self.hint {
            writeln!(formatter, "hint: {}", printable_message(hint))?;
        }
        Ok(())
    }

    fn write_source(&self, formatter: &mut fmt::Formatter<'_>, line: &str) -> fmt::Result {
        let number = self.position.line.to_string();
        let column = usize::try_from(self.position.column).unwrap_or_default();
        let (line, column) = window(line, column);
        writeln!(formatter, "  {number} | {}", printable(&line))?;
        let is_shown = column <= line.chars().count() + 1;
        if let Some(before) = column.checked_sub(1).filter(|_| is_shown) {
            let indent: String = line
                .chars()
                .take(before)
                .map(|c| if c == '\t' { '\t' } else { ' ' })
                .collect();
            writeln!(
                formatter,
                "  {:width$} | {indent}^",
                "",
                width = number.len()
            )?;
        }
        Ok(())
    }
}

/// What is shown of a line: all of it, or what is around a column; and where that column is then.
fn window(line: &str, column: usize) -> (Cow<'_, str>, usize) {
    /// Characters that fit beside the number, and those of them that stand before the column.
    const WIDTH: usize = 120;
    const BEFORE: usize = 60;
    let length = line.chars().count();
    if length <= WIDTH {
        return (Cow::Borrowed(line), column);
    }
    let skipped = column.saturating_sub(BEFORE).min(length - WIDTH);
    let shown: String = line.chars().skip(skipped).take(WIDTH).collect();
    let (start, end) = (skipped > 0, skipped + WIDTH < length);
    let mark = |is_cut| if is_cut { "…" } else { "" };
    let column = if column == 0 { 0 } else { column - skipped };
    (
        Cow::Owned(format!("{}{shown}{}", mark(start), mark(end))),
        column + usize::from(start && column > 0),
    )
}

/// A file with its line and column, as far as they are known.
pub fn place(file: &str, position: Position) -> String {
    match (position.line, position.column) {
        (0, _) => file.to_owned(),
        (line, 0) => format!("{file}:{line}"),
        (line, column) => format!("{file}:{line}:{column}"),
    }
}

/// A text of others without what would steer a terminal, and without credentials in addresses.
pub fn printable(text: &str) -> String {
    // The last two ranges change the direction of a text.
    let steers = |c: char| {
        (c.is_control() && c != '\t' && c != '\n')
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let text: String = text
        .chars()
        .map(|c| if steers(c) { '\u{fffd}' } else { c })
        .collect();
    without_credentials(&text)
}

/// As [`printable`], in one line: what a file, a field or an object is called cannot look like a line of this program.
pub(crate) fn printable_name(text: &str) -> String {
    printable(text).replace('\n', "\u{fffd}")
}

/// As [`printable`]; lines after the first are set off, so that they cannot look like those of this program.
fn printable_message(text: &str) -> String {
    printable(text).replace('\n', "\n  ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_shows_its_line_and_a_caret() {
        let mut problem = Problem::new("unknown field `resorces`")
            .at("base/kustomization.yaml", 12)
            .hint("remove it");
        problem.position.column = 3;
        problem.source_line = Some("  resorces:".into());
        problem.trail = vec!["overlays/dev/kustomization.yaml".into()];
        let expected = "error: base/kustomization.yaml:12:3: unknown field `resorces`\n  12 |   resorces:\n     |   ^\n  \
                        needed by: overlays/dev/kustomization.yaml\nhint: remove it\n";
        assert_eq!(problem.into_failure().to_string(), expected);
    }

    #[test]
    fn of_a_long_line_the_part_around_the_caret_is_shown() {
        let line = format!("{}x{}", "a".repeat(300), "b".repeat(300));
        for column in [1, 59, 301, 601] {
            let (shown, caret) = window(&line, column);
            assert_eq!(shown.chars().nth(caret - 1), line.chars().nth(column - 1));
            assert!(shown.chars().count() <= 122, "{column}");
        }
        assert_eq!(window(&line, 0).1, 0);
        assert_eq!(window("short", 2), ("short".into(), 2));
    }

    #[test]
    fn what_steers_a_terminal_is_not_printed() {
        assert_eq!(
            Failure::input("a \u{1b}[31m b").to_string(),
            "error: a \u{fffd}[31m b\n"
        );
    }

    #[test]
    fn exit_codes_tell_who_has_to_act() {
        assert_eq!(Failure::input("x").kind().exit_code(), 1);
        assert_eq!(Failure::usage("x").kind().exit_code(), 2);
        assert_eq!(Failure::internal("x").kind().exit_code(), 3);
    }
}
