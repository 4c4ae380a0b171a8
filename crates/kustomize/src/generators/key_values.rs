//! The sources of generated data: env files, literals and files, in this order.

use std::collections::BTreeMap;
use std::collections::btree_map::{Entry, IntoIter};

use goyaml::{Position, Text};

use crate::error::{Error, Result};
use crate::files;
use crate::kustomization::{GeneratorArgs, Located};
use crate::loader::Loader;
use crate::lost;

/// The longest line of an env file that kustomize reads, in bytes.
const LONGEST_LINE: usize = 65_535;

/// What the sources of one generator hold, sorted by key.
#[derive(Default)]
pub(super) struct KeyValues {
    values: BTreeMap<Text, Value>,
    /// What has not been read, without a word.
    notices: Vec<Error>,
}

/// A value and where it, or the entry that names its file, stands.
pub(super) struct Value {
    pub(super) bytes: Vec<u8>,
    pub(super) position: Position,
}

impl KeyValues {
    /// Reads all sources.
    ///
    /// # Errors
    /// Where a source is wrong or cannot be read, and where a key repeats.
    // kustomize: generators.makeValidatedDataMap and kv.loader.Load
    pub(super) fn load(args: &GeneratorArgs, loader: &Loader) -> Result<Self> {
        let mut found = Self::default();
        for source in &args.envs {
            found
                .add_env_file(source, loader)
                .map_err(|error| error.field("envs"))?;
        }
        for source in &args.literals {
            found
                .add_literal(source)
                .map_err(|error| error.position(source.position).field("literals"))?;
        }
        for source in &args.files {
            found.add_file(source, loader).map_err(|error| {
                let error = not_of_the_list(error, &args.files);
                error.position(source.position).field("files")
            })?;
        }
        Ok(found)
    }

    /// What has not been read, without a word.
    pub(super) fn take_notices(&mut self) -> Vec<Error> {
        std::mem::take(&mut self.notices)
    }

    fn add(&mut self, key: &str, value: Value) -> Result<()> {
        let position = value.position;
        let key = Text::from(key);
        super::check_key(&key).map_err(|error| error.position(position))?;
        if !is_data_key(&key) {
            self.notices.push(lost::data_key().position(position));
        }
        match self.values.entry(key) {
            Entry::Vacant(slot) => {
                slot.insert(value);
                Ok(())
            }
            Entry::Occupied(known) => Err(Error::new(format!(
                "key `{}` is given twice",
                known.key()
            ))
            .position(position)
            .hint(
                "keep one of the two; a generator with `behavior: merge` overrides one in a base",
            )),
        }
    }

    // kustomize: kv.keyValuesFromLines
    fn add_env_file(&mut self, source: &Located, loader: &Loader) -> Result<()> {
        let file = loader.load(source)?;
        for (line, number) in file.bytes.split(|byte| *byte == b'\n').zip(1..) {
            // kustomize: bufio.Scanner stops at a line that is too long, and nobody asks it for its error.
            if line.len() > LONGEST_LINE {
                let place = Position {
                    line: number,
                    column: 1,
                    file: file.number,
                };
                self.notices.push(lost::rest_of_env_file().position(place));
                break;
            }
            let position = Position {
                line: number,
                column: 1,
                file: file.number,
            };
            self.add_env_line(line, position)
                .map_err(|error| error.position(position).in_file(&file.name))?;
        }
        Ok(())
    }

    // kustomize: kv.keyValuesFromLine
    fn add_env_line(&mut self, line: &[u8], position: Position) -> Result<()> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line = std::str::from_utf8(line).map_err(|_| {
            Error::new("the line is not UTF-8 text")
                .hint("give binary content as one of `files`, not in an env file")
        })?;
        let line = if position.line == 1 {
            line.strip_prefix('\u{feff}').unwrap_or(line)
        } else {
            line
        };
        let line = line.trim_start();
        if line.starts_with('#') {
            return Ok(());
        }
        // A line without `=` is a key without a value; the environment plays no part.
        let (key, value) = line.split_once('=').unwrap_or((line, ""));
        if key.is_empty() {
            return Ok(());
        }
        self.add(
            key,
            Value {
                bytes: value.into(),
                position,
            },
        )
    }

    // kustomize: kv.parseLiteralSource
    fn add_literal(&mut self, source: &Located) -> Result<()> {
        let (key, value) = source
            .text
            .split_once('=')
            .filter(|(key, _)| !key.is_empty())
            .ok_or_else(|| {
                // The text may be a password that lacks its key.
                Error::new("a literal is not of the form `key=value`")
                    .hint("write `key=value`; an empty value is `key=`")
            })?;
        self.add(
            key,
            Value {
                bytes: without_quotes(value).into(),
                position: source.position,
            },
        )
    }

    // kustomize: generators.ParseFileSource
    fn add_file(&mut self, source: &Located, loader: &Loader) -> Result<()> {
        let text = source.text.as_str();
        let (key, path) = match text.split_once('=') {
            None => (files::base_name(text.trim_end_matches('/')), text),
            Some((_, path)) if path.contains('=') => {
                return Err(Error::new(format!("`{text}` has more than one `=`"))
                    .hint("neither the key nor the path may contain `=`; rename the file"));
            }
            Some(("", _)) => {
                return Err(
                    Error::new(format!("there is no key in front of the `=` of `{text}`"))
                        .hint("write `key=path`, or the path alone"),
                );
            }
            Some((_, "")) => {
                return Err(
                    Error::new(format!("there is no path behind the `=` of `{text}`"))
                        .hint("write `key=path`, or the path alone"),
                );
            }
            Some(parts) => parts,
        };
        let file = loader.load_path(path)?;
        let position = Position {
            line: 1,
            column: 1,
            file: file.number,
        };
        self.add(
            key,
            Value {
                bytes: file.bytes,
                position,
            },
        )
    }
}

impl IntoIterator for KeyValues {
    type Item = (Text, Value);
    type IntoIter = IntoIter<Text, Value>;

    fn into_iter(self) -> Self::IntoIter {
        self.values.into_iter()
    }
}

/// The error without the advice to name a file that the list has already, such as `tls.crt` for `tls.key`.
fn not_of_the_list(error: Error, files: &[Located]) -> Error {
    let path = |file: &Located| {
        let text = file.text.as_str();
        let (_, path) = text.split_once('=').unwrap_or(("", text));
        format!("did you mean `{path}`?")
    };
    let hint = error.details().hint.as_deref();
    if hint.is_some_and(|hint| files.iter().any(|file| path(file) == hint)) {
        return error.replace_hint(
            "put the file there: the path counts from the directory of the kustomization",
        );
    }
    error
}

/// Whether an API server takes a key of data.
fn is_data_key(key: &str) -> bool {
    let may_be_in = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    key.len() <= 253 && key != "." && !key.starts_with("..") && key.bytes().all(may_be_in)
}

/// The text without the quotes around it, if there is the same at both ends.
// kustomize: kv.removeQuotes
fn without_quotes(text: &str) -> &str {
    let inner = |quote: char| text.strip_prefix(quote)?.strip_suffix(quote);
    inner('"').or_else(|| inner('\'')).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_listed_is_not_the_one_that_was_meant() {
        let file = |text: &str| Located {
            text: text.into(),
            ..Located::default()
        };
        let hint = |files: &[Located]| {
            let error = Error::new("cannot read `tls.key`").hint("did you mean `tls.crt`?");
            not_of_the_list(error, files).details().hint.clone()
        };
        let kept = Some("did you mean `tls.crt`?".to_owned());
        assert_eq!(hint(&[file("tls.key")]), kept);
        assert_ne!(hint(&[file("tls.crt"), file("tls.key")]), kept);
        assert_ne!(hint(&[file("tls.crt=tls.crt"), file("tls.key")]), kept);
    }
}
