//! The sources of a generator: `envs`, `literals` and `files`, in this order.

use goyaml::{Position, Text};

use crate::error::{Error, Result};
use crate::kustomization::{GeneratorArgs, Located};
use crate::loader::{Loader, top_of};

/// The buffer for a line of an env file, in bytes.
// Go: bufio.MaxScanTokenSize
const LONGEST_LINE: usize = 64 * 1024;

/// A key, its value and where the value comes from.
#[derive(Debug)]
pub(super) struct KeyValue {
    pub(super) key: Text,
    pub(super) value: Vec<u8>,
    pub(super) position: Position,
}

/// Reads all sources.
///
/// # Errors
/// Where a file cannot be read, and where a source has no key or no value.
// kustomize: kv.loader.Load
pub(super) fn load(args: &GeneratorArgs, loader: &Loader) -> Result<Vec<KeyValue>> {
    let mut found = Vec::new();
    for source in &args.envs {
        let file = loader.load(source)?;
        env_file(&file.bytes, file.number, &mut found).map_err(|error| error.in_file(&file.name))?;
    }
    for source in &args.literals {
        found.push(literal(source)?);
    }
    for source in &args.files {
        let (key, path) = file_source(&source.text).map_err(|error| error.position(source.position))?;
        let file = loader.load_path(path).map_err(|error| error.position(source.position))?;
        found.push(KeyValue { key: key.into(), value: file.bytes, position: Position { line: 1, column: 1, ..top_of(file.number) } });
    }
    Ok(found)
}

// kustomize: parseLiteralSource
fn literal(source: &Located) -> Result<KeyValue> {
    let pair = source.text.split_once('=').filter(|(key, _)| !key.is_empty());
    let (key, value) = pair.ok_or_else(|| {
        Error::new("a literal of a generator is not of the form `key=value`").position(source.position).field("literals")
    })?;
    Ok(KeyValue { key: key.into(), value: unquoted(value).as_bytes().to_vec(), position: source.position })
}

fn unquoted(text: &str) -> &str {
    ['"', '\'']
        .into_iter()
        .find_map(|quote| text.strip_prefix(quote)?.strip_suffix(quote))
        .unwrap_or(text)
}

// kustomize: generators.ParseFileSource
fn file_source(source: &str) -> Result<(&str, &str)> {
    let refuse = |message: &str| {
        Err(Error::new(format!("{message}: `{source}`")).field("files").hint("write `path`, or `key=path`"))
    };
    let Some((key, path)) = source.split_once('=') else {
        return Ok((crate::files::base_name(source.trim_end_matches('/')), source));
    };
    match (key.is_empty(), path.is_empty(), path.contains('=')) {
        (_, _, true) => refuse("a file of a generator has more than one `=`"),
        (true, _, _) => refuse("a file of a generator has no key before the `=`"),
        (_, true, _) => refuse("a file of a generator has no path after the `=`"),
        _ => Ok((key, path)),
    }
}

// kustomize: keyValuesFromLines, whose validator takes any name, and which passes over a line without one.
fn env_file(bytes: &[u8], number: u32, found: &mut Vec<KeyValue>) -> Result<()> {
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        // kustomize: keyValuesFromLines ends at a line that fills bufio.Scanner's buffer, and says nothing.
        if line.len() >= LONGEST_LINE {
            break;
        }
        let line_number = u32::try_from(index).unwrap_or(u32::MAX).saturating_add(1);
        let position = Position { line: line_number, column: 1, ..top_of(number) };
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let text = std::str::from_utf8(line).map_err(|_| Error::new("a line is not UTF-8 text").position(position))?;
        let text = if index == 0 { text.strip_prefix('\u{feff}').unwrap_or(text) } else { text };
        let text = text.trim_start_matches(is_go_space);
        let (key, value) = text.split_once('=').unwrap_or((text, ""));
        if key.is_empty() || key.starts_with('#') {
            continue;
        }
        found.push(KeyValue { key: key.into(), value: value.as_bytes().to_vec(), position });
    }
    Ok(())
}

// Go: unicode.IsSpace
fn is_go_space(character: char) -> bool {
    character.is_whitespace()
}
