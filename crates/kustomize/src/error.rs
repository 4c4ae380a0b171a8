//! The one error of the engine: what is wrong, where, in which object, and what to do about it.

use std::collections::BTreeSet;
use std::fmt;

use goyaml::{Position, TextPlace};

use crate::limits::Limits;
use crate::loader::FileNames;
use crate::patches::strategic_merge::MergeError;

/// Why a build failed.
///
/// The pieces are kept apart so that a caller can print them with a source line, or as one line through [`fmt::Display`].
#[derive(Clone, Debug)]
pub struct Error(Box<Details>);

/// What a build would have needed that its caller does not give, for callers that go another way then.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ErrorKind {
    /// Nothing of the kind: what was built is wrong.
    #[default]
    Other,
    /// Files or repositories elsewhere.
    NeedsRemote,
    /// A repository on this machine, outside of what may be read.
    NeedsLocalRepository,
    /// Helm.
    NeedsHelm,
    /// A plugin that is not built in.
    NeedsPlugin,
}

/// The pieces of an [`Error`].
#[derive(Clone, Debug, Default)]
pub struct Details {
    /// What the caller does not give.
    pub kind: ErrorKind,
    /// What is wrong: lower case, no full stop, no value of a Secret.
    pub message: String,
    /// The file that has to be changed, named from [`Options::named_from`](crate::Options::named_from).
    pub file: Option<String>,
    /// Where in that file; zero where unknown.
    pub position: Position,
    /// The field, as a path from the top of the object or the kustomization.
    pub field: Option<String>,
    /// The object, as `kind.version.group/name.namespace`.
    pub resource: Option<String>,
    /// What to do, where it is known.
    pub hint: Option<String>,
    /// Other places that matter.
    pub related: Vec<Related>,
    /// What else is known, each a sentence.
    pub notes: Vec<String>,
    /// Which kustomizations led there, the innermost first.
    pub trail: Vec<String>,
    /// Whether the text could not be read as YAML at all.
    pub is_malformed_yaml: bool,
}

/// A place that matters for an [`Error`], and why.
#[derive(Clone, Debug)]
pub struct Related {
    /// Words that the place follows.
    pub text: &'static str,
    /// The file, once its number has been looked up.
    pub file: Option<String>,
    /// Where in it.
    pub position: Position,
}

/// Short for results of the engine.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Makes an error of a sentence.
    pub fn new(message: impl Into<String>) -> Self {
        Self(Box::new(Details {
            message: message.into(),
            ..Details::default()
        }))
    }

    /// Makes an error of what YAML said about a text.
    pub fn malformed(error: &goyaml::Error) -> Self {
        let mut result =
            Self::new(format!("invalid YAML: {}", error.message)).position(error.position);
        result.0.is_malformed_yaml = true;
        match cure(&error.message) {
            Some(hint) => result.hint(hint),
            None => result,
        }
    }

    /// Names the file and the place in it, unless an inner step has named one.
    #[must_use]
    pub fn at(mut self, file: &str, position: Position) -> Self {
        if self.0.file.is_none() {
            self.0.file = Some(file.to_owned());
            self.0.position = position;
            for related in self
                .0
                .related
                .iter_mut()
                .filter(|other| other.position.file == 0)
            {
                related.file.get_or_insert_with(|| file.to_owned());
            }
        }
        self
    }

    /// Names the file, unless an inner step has named one or the place says itself which file it is in.
    #[must_use]
    pub fn in_file(self, file: &str) -> Self {
        let position = self.0.position;
        if position.file == 0 {
            self.at(file, position)
        } else {
            self
        }
    }

    /// Names the file that the place is in, by its number.
    #[must_use]
    pub fn with_names(mut self, names: &FileNames) -> Self {
        if self.0.file.is_none() {
            self.0.file = names.get(self.0.position.file).map(str::to_owned);
        }
        for related in self
            .0
            .related
            .iter_mut()
            .filter(|related| related.file.is_none())
        {
            related.file = names.get(related.position.file).map(str::to_owned);
        }
        self
    }

    /// Names the place, to be completed by [`Self::in_file`] or [`Self::with_names`].
    #[must_use]
    pub fn position(mut self, position: Position) -> Self {
        if self.0.file.is_none() && self.0.position == Position::default() {
            self.0.position = position;
        }
        self
    }

    /// Puts the place where somebody can find it, whatever place was named before.
    #[must_use]
    pub fn replace_position(mut self, position: Position) -> Self {
        self.0.position = position;
        self
    }

    /// Says what the caller does not give.
    #[must_use]
    pub fn kind(mut self, kind: ErrorKind) -> Self {
        self.0.kind = kind;
        self
    }

    /// Turns the place in a text into the place in the file that the text stands in.
    #[must_use]
    pub fn within(self, place: TextPlace) -> Self {
        let inner = self.0.position;
        let mut error = self.replace_position(place.locate(inner));
        for related in error
            .0
            .related
            .iter_mut()
            .filter(|other| other.position.file == 0)
        {
            related.position = place.locate(related.position);
        }
        error
    }

    /// Names the field, unless an inner step has named one.
    #[must_use]
    pub fn field(mut self, field: impl Into<String>) -> Self {
        self.0.field.get_or_insert_with(|| field.into());
        self
    }

    /// Names the field by its whole path, unless an inner step has named another one.
    #[must_use]
    pub(crate) fn complete_field(mut self, path: String) -> Self {
        let is_end = self
            .0
            .field
            .as_deref()
            .is_none_or(|field| path == field || is_in(&path, field));
        let is_below = |field: &str| {
            let is_key = |byte: u8| byte.is_ascii_alphanumeric();
            path.ends_with(']') && field.bytes().all(is_key)
        };
        if is_end {
            self.0.field = Some(path);
        } else if let Some(field) = self.0.field.as_deref().filter(|field| is_below(field)) {
            self.0.field = Some(format!("{path}.{field}"));
        }
        self
    }

    /// Names the object, unless an inner step has named one.
    #[must_use]
    pub fn resource(mut self, resource: &dyn fmt::Display) -> Self {
        self.0.resource.get_or_insert_with(|| resource.to_string());
        self
    }

    /// Says what to do, unless an inner step has said it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint.get_or_insert_with(|| hint.into());
        self
    }

    /// Says what to do, whatever an inner step has said.
    #[must_use]
    pub(crate) fn replace_hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// As [`Self::hint`], where there is something to do.
    #[must_use]
    pub fn hint_if_known(self, hint: Option<&'static str>) -> Self {
        match hint {
            Some(hint) => self.hint(hint),
            None => self,
        }
    }

    /// Adds another place that matters.
    #[must_use]
    pub fn related(mut self, text: &'static str, position: Position) -> Self {
        let is_known = |known: &Related| known.position == position;
        if !self.0.related.iter().any(is_known) {
            self.0.related.push(Related {
                text,
                file: None,
                position,
            });
        }
        self
    }

    /// Adds places that matter, as many as somebody looks at.
    #[must_use]
    pub(crate) fn related_to_each(
        mut self,
        text: &'static str,
        positions: impl IntoIterator<Item = Position>,
    ) -> Self {
        let mut known = BTreeSet::new();
        for position in positions {
            if known.insert(position) && known.len() <= Limits::PLACES {
                self = self.related(text, position);
            }
        }
        match known.len().saturating_sub(Limits::PLACES) {
            0 => self,
            more => self.note(format!("and {more} more")),
        }
    }

    /// Adds something else that is known.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.0.notes.push(note.into());
        self
    }

    /// Adds the kustomization (or other file) whose processing led here.
    #[must_use]
    pub fn needed_by(mut self, what: impl Into<String>) -> Self {
        self.0.trail.push(what.into());
        self
    }

    /// The pieces.
    pub fn details(&self) -> &Details {
        &self.0
    }

    /// The pieces, to keep.
    pub(crate) fn into_details(self) -> Details {
        *self.0
    }
}

/// Words of the YAML reader, and what to do about what it says.
const CURES: [(&str, &str); 11] = [
    (
        "cannot start any token",
        "indent by spaces, never by tabs; a text that begins with a tab, `@`, `%` or a backquote needs quotes",
    ),
    (
        "mapping values are not allowed",
        "check the indentation of this line and the one above; a text with `: ` in it needs quotes",
    ),
    (
        "<document start>",
        "a document begins in the first line, or behind a line `---`; remove a `%YAML` directive",
    ),
    (
        "did not find expected",
        "check the indentation: what belongs to one map or list begins in the same column; and that quotes and \
         brackets are closed",
    ),
    (
        "could not find expected ':'",
        "a key needs `: ` behind it; check the indentation, and that the quotes above are closed",
    ),
    (
        "invalid Unicode character escape",
        "write the character itself: a pair such as `\\ud83d\\ude00` is JSON, but not YAML",
    ),
    (
        "already defined at line",
        "keep one of the two, or merge them into one",
    ),
    ("unexpected end of stream", "close the quotes"),
    (
        "unknown escape character",
        "a backslash in double quotes begins an escape: write it twice, or use single quotes",
    ),
    ("found a tab character", "indent by spaces, never by tabs"),
    ("UTF-8", "save the file as UTF-8"),
];

fn cure(message: &str) -> Option<&'static str> {
    CURES
        .iter()
        .find(|(words, _)| message.contains(words))
        .map(|(_, hint)| *hint)
}

/// Whether a field is one of the steps of a path.
fn is_in(path: &str, field: &str) -> bool {
    path.split(['.', '[', ']']).any(|step| step == field)
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let details = &*self.0;
        if let Some(file) = &details.file {
            write!(formatter, "{file}:")?;
            if details.position.line > 0 {
                write!(formatter, "{}:", details.position.line)?;
                if details.position.column > 0 {
                    write!(formatter, "{}:", details.position.column)?;
                }
            }
            formatter.write_str(" ")?;
        }
        formatter.write_str(&details.message)?;
        let is_named = |field: &str| {
            // A JSON pointer says the same.
            let pointer = format!("`/{}`", field.replace(['.', '['], "/").replace(']', ""));
            details.message.contains(&format!("`{field}`")) || details.message.contains(&pointer)
        };
        if let Some(field) = details.field.as_ref().filter(|field| !is_named(field)) {
            write!(formatter, " (field `{field}`)")?;
        }
        if let Some(resource) = &details.resource {
            write!(formatter, " (in {resource})")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

impl From<MergeError> for Error {
    fn from(error: MergeError) -> Self {
        let MergeError {
            path,
            problem,
            position,
        } = error;
        let made = Self::new(format!("the patch does not fit: {problem}"))
            .position(position)
            .hint(problem.cure());
        if path.is_empty() {
            made
        } else {
            made.field(path)
        }
    }
}

#[cfg(test)]
mod tests {
    use goyaml::{Dialect, Limits, Node};

    use super::*;

    /// A text that the YAML reader refuses, for each of [`CURES`].
    const REFUSED: [&[u8]; 11] = [
        b"a:\n\tb: c",
        b"a: b: c",
        b"%YAML 1.1\na",
        b"a: b\n- c",
        b"- a\nb",
        b"a: \"\\ud83d\\ude00\"",
        b"a: b\na: c",
        b"a: \"b",
        b"a: \"\\q\"",
        b"a: |\n\tb",
        b"a: b\nc: \xFF",
    ];

    fn reading(text: &[u8]) -> Result<Option<Node>, goyaml::Error> {
        let parsed = goyaml::parse(text, &Limits::default())?;
        // What repeats in a map is found where the map is made.
        parsed
            .iter()
            .try_for_each(|node| node.to_value(Dialect::V3).map(drop))?;
        Ok(parsed)
    }

    #[test]
    fn what_the_reader_says_has_the_hint_that_is_meant_for_it() {
        for (text, (words, hint)) in REFUSED.iter().zip(CURES) {
            let error = reading(text).unwrap_err();
            let error = Error::malformed(&error);
            assert_eq!(error.details().hint.as_deref(), Some(hint), "{words}");
        }
    }
}
