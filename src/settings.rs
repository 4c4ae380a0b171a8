//! Settings: values that may be seen, which an application takes from outside its repository.
//!
//! The repository [declares](declared) which keys there are, their defaults and, in a [schema], what their values
//! must be. A [source] has values, and [`resolve`](mod@resolve) decides which of the two counts.

pub mod consent;
pub mod declared;
pub mod digest;
mod dotenv;
pub(crate) mod manifest;
pub mod object;
pub mod policy;
pub mod reading;
pub mod resolve;
pub mod schema;
pub mod source;
pub mod types;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use goyaml::{Position, Text};
use kustomize::FileNames;

use crate::failure::Problem;

/// The value of a setting.
///
/// It can be neither printed nor formatted, so it cannot reach a message by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct Value(Text);

impl Value {
    /// Wraps a text.
    pub fn new(text: impl Into<Text>) -> Self {
        Self(text.into())
    }

    /// The text, for writing it into a resource and for nothing else.
    pub const fn reveal(&self) -> &Text {
        &self.0
    }
}

/// Where something stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file, or the object where there is no file.
    pub file: String,
    /// Its line, from 1; zero where unknown.
    pub line: u32,
}

impl Place {
    /// The place that a node's position stands for.
    pub fn of(position: Position, names: &FileNames) -> Self {
        Self {
            file: names.get(position.file).unwrap_or_default().to_owned(),
            line: position.line,
        }
    }
}

/// What the sources say: raw values by key, and where each was found.
///
/// Nothing of a value is looked at before its key is asked for, so what the repository does not declare is never read.
pub struct Settings {
    entries: BTreeMap<String, Entry>,
    sources: Vec<String>,
    /// Why an object may be read, by its name.
    consents: BTreeMap<String, String>,
    /// How long a value may be, in bytes.
    value_bytes: usize,
    way: Way,
}

/// How whoever asks for a build names where settings come from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// A flag of the command line.
    Flag,
    /// A parameter of Argo CD's plugin.
    Parameter,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            entries: BTreeMap::new(),
            sources: Vec::new(),
            consents: BTreeMap::new(),
            value_bytes: policy::VALUE_BYTES,
            way: Way::Flag,
        }
    }
}

struct Entry {
    bytes: Vec<u8>,
    /// The bytes as a text, which all that ask for it share.
    text: OnceLock<Text>,
    origin: Place,
}

/// A value and where it was found.
pub struct Found {
    /// The value.
    pub value: Value,
    /// Where it was found.
    pub origin: Place,
}

impl Settings {
    /// Names a source, for messages that say where was looked.
    pub fn add_source(&mut self, name: impl Into<String>) {
        self.sources.push(name.into());
    }

    /// Names an object of a cluster as a source, and what its owner says that allows it.
    pub fn add_object(&mut self, name: impl Into<String>, consent: impl Into<String>) {
        let name = name.into();
        self.consents.insert(name.clone(), consent.into());
        self.sources.push(name);
    }

    /// What allows a value to be read that was found there; `None` for a file, which somebody has named.
    pub fn consent(&self, origin: &Place) -> Option<&str> {
        self.consents.get(&origin.file).map(String::as_str)
    }

    /// The sources that were read, in order.
    pub fn sources(&self) -> &[String] {
        &self.sources
    }

    /// Adds a value; it wins over an earlier one of its key, unless it [counts as missing](is_missing).
    pub fn insert(&mut self, key: impl Into<String>, bytes: Vec<u8>, origin: Place) {
        if !is_missing(&bytes) {
            let text = OnceLock::new();
            let entry = Entry {
                bytes,
                text,
                origin,
            };
            self.entries.insert(key.into(), entry);
        }
    }

    /// Sets how sources are named, for a message that says where none is; without it, by a flag.
    #[must_use]
    pub const fn given_by(mut self, way: Way) -> Self {
        self.way = way;
        self
    }

    /// How sources are named.
    pub const fn way(&self) -> Way {
        self.way
    }

    /// Sets how long a value may be, in bytes; without it, [`policy::VALUE_BYTES`].
    #[must_use]
    pub const fn with_value_bytes(mut self, bytes: usize) -> Self {
        self.value_bytes = bytes;
        self
    }

    /// The keys that have a value, and where each was found.
    pub fn keys(&self) -> impl Iterator<Item = (&str, &Place)> {
        let entries = self.entries.iter();
        entries.map(|(key, entry)| (key.as_str(), &entry.origin))
    }

    /// The value of a key.
    ///
    /// # Errors
    /// Where the value is no text, has a NUL in it, or is too long.
    pub fn get(&self, key: &str) -> Result<Option<Found>, Problem> {
        let Some(Entry {
            bytes,
            text: shared,
            origin,
        }) = self.entries.get(key)
        else {
            return Ok(None);
        };
        if bytes.len() > self.value_bytes {
            let message = format!(
                "the value of setting `{key}` is longer than the {} bytes that a value may have",
                self.value_bytes
            );
            return Err(Problem::new(message)
                .at(&origin.file, origin.line)
                .hint("make it shorter, or mount it in the pod instead of rendering it"));
        }
        if bytes.contains(&0) {
            let message = format!("the value of setting `{key}` has a NUL character in it");
            return Err(Problem::new(message)
                .at(&origin.file, origin.line)
                .hint("settings are text; keep binary data in a Secret that the pod mounts"));
        }
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Some(Found {
                value: Value::new(shared.get_or_init(|| text.into()).clone()),
                origin: origin.clone(),
            })),
            Err(_) => Err(
                Problem::new(format!("the value of setting `{key}` is not UTF-8 text"))
                    .at(&origin.file, origin.line)
                    .hint("settings are text; keep binary data in a Secret that the pod mounts"),
            ),
        }
    }
}

/// Whether a value says as little as none: the empty text, and what the Infisical operator writes for a key that its
/// template does not find.
pub fn is_missing(value: &[u8]) -> bool {
    value.is_empty() || value == b"<no value>"
}

/// Whether a key can be a key of a Secret or a `ConfigMap`.
pub fn is_key(key: &str) -> bool {
    !key.is_empty()
        && key.len() <= 253
        && key != "."
        && key != ".."
        && key
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_values_win_unless_they_are_missing() {
        let mut settings = Settings::default();
        let place = |file: &str| Place {
            file: file.into(),
            line: 0,
        };
        settings.insert("A", b"1".to_vec(), place("first"));
        settings.insert("B", b"1".to_vec(), place("first"));
        settings.insert("A", b"2".to_vec(), place("second"));
        settings.insert("B", b"<no value>".to_vec(), place("second"));
        settings.insert("C", Vec::new(), place("second"));
        let get = |key: &str| {
            settings
                .get(key)
                .unwrap_or(None)
                .map(|found| (found.value.0, found.origin.file))
        };
        assert_eq!(get("A"), Some(("2".into(), "second".into())));
        assert_eq!(get("B"), Some(("1".into(), "first".into())));
        assert_eq!(get("C"), None);
    }

    #[test]
    fn a_value_over_the_limit_is_an_error_when_it_is_asked_for() {
        let mut settings = Settings::default().with_value_bytes(3);
        settings.insert("A", b"long".to_vec(), Place::default());
        settings.insert("B", b"abc".to_vec(), Place::default());
        let problem = settings.get("A").err().expect("the value is too long");
        assert!(problem.message.contains("longer than the 3 bytes"));
        assert!(settings.get("B").ok().flatten().is_some());
    }

    #[test]
    fn a_value_with_a_nul_is_an_error_when_it_is_asked_for() {
        let mut settings = Settings::default();
        settings.insert("A", b"a\0b".to_vec(), Place::default());
        let problem = settings.get("A").err().expect("the value has a NUL");
        assert!(problem.message.contains("NUL"));
    }

    #[test]
    fn a_value_that_is_no_text_is_an_error_when_it_is_asked_for() {
        let mut settings = Settings::default();
        settings.insert(
            "A",
            vec![0xff],
            Place {
                file: "s.yaml".into(),
                line: 3,
            },
        );
        let problem = settings.get("A").err().expect("the value is not UTF-8");
        assert_eq!(
            problem.message,
            "the value of setting `A` is not UTF-8 text"
        );
        assert_eq!(problem.position.line, 3);
    }
}
