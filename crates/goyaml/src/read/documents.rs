//! Streams of documents, split as kustomize splits them.

use std::borrow::Cow;

use super::compose::{Document, compose, compose_with_comments};
use super::reader::Source;
use crate::error::Error;
use crate::limits::Limits;
use crate::node::{Node, Position};

/// Reads the first document of a text as go-yaml's `yaml.Unmarshal` into a `yaml.Node` does: aliases and anchors are
/// kept. It is `None` where the text has no document.
///
/// # Errors
///
/// Fails where go-yaml fails, and where the text is past a limit.
pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Option<Node>, Error> {
    check_length(bytes, limits)?;
    let document = compose(&Source::new(bytes, 1), limits.depth)?;
    Ok(document.map(|document| document.root))
}

/// Reads the first document as [`parse`] does, and keeps its comments at the nodes to which go-yaml gives them.
///
/// # Errors
///
/// As for [`parse`].
pub fn parse_with_comments(bytes: &[u8], limits: &Limits) -> Result<Option<Node>, Error> {
    check_length(bytes, limits)?;
    let document = compose_with_comments(&Source::new(bytes, 1), limits.depth)?;
    Ok(document.map(|document| document.root))
}

/// Reads all documents of a text as kyaml's `kio.FromBytes` does before it unwraps lists: empty documents are left out,
/// aliases and merge keys are replaced by what they stand for. Places are places in the whole text.
///
/// # Errors
///
/// Fails where kyaml fails, where an anchor contains itself, and where the text is past a limit.
pub fn parse_documents(bytes: &[u8], limits: &Limits) -> Result<Vec<Node>, Error> {
    documents(bytes, limits, compose)
}

/// Reads all documents as [`parse_documents`] does, with their comments as [`parse_with_comments`] keeps them.
///
/// # Errors
///
/// As for [`parse_documents`].
pub fn parse_documents_with_comments(bytes: &[u8], limits: &Limits) -> Result<Vec<Node>, Error> {
    documents(bytes, limits, compose_with_comments)
}

/// Whether a text is one document, as kyaml counts them: an empty one behind a separator counts too.
///
/// # Errors
///
/// Where a separator has something else than a comment behind it.
pub fn is_one_document(bytes: &[u8]) -> Result<bool, Error> {
    Ok(split(&without_carriage_returns(bytes))?.len() == 1)
}

fn documents(
    bytes: &[u8],
    limits: &Limits,
    compose: impl Fn(&Source<'_>, usize) -> Result<Option<Document>, Error>,
) -> Result<Vec<Node>, Error> {
    check_length(bytes, limits)?;
    let bytes = without_carriage_returns(bytes);
    let mut documents = Vec::new();
    for (piece, first_line) in split(&bytes)? {
        match compose(&Source::new(piece, first_line), limits.depth)? {
            Some(document) if !document.root.is_null() => documents.push(document),
            _ => {}
        }
    }
    documents
        .into_iter()
        .map(|document| expanded(document, limits))
        .collect()
}

fn expanded(document: Document, limits: &Limits) -> Result<Node, Error> {
    let Document {
        mut root,
        has_references,
    } = document;
    if has_references {
        root.expand_aliases(limits)?;
    }
    Ok(root)
}

fn check_length(bytes: &[u8], limits: &Limits) -> Result<(), Error> {
    if bytes.len() > limits.bytes {
        let message = format!("exceeded max length of {} bytes", limits.bytes);
        return Err(Error::new(Position::default(), message));
    }
    Ok(())
}

/// The text with `\n` for `\r\n`.
fn without_carriage_returns(bytes: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'\r', bytes).is_none() {
        return Cow::Borrowed(bytes);
    }
    let mut next = bytes.iter().skip(1);
    Cow::Owned(
        bytes
            .iter()
            .filter(|&&byte| next.next() != Some(&b'\n') || byte != b'\r')
            .copied()
            .collect(),
    )
}

/// The pieces between separators, each with its first line.
// kustomize: splitDocuments, which wants a separator to be a line between two line breaks that no other separator uses.
fn split(bytes: &[u8]) -> Result<Vec<(&[u8], u32)>, Error> {
    let mut pieces = Vec::new();
    let mut rest = bytes;
    let mut line = 1_u32;
    while let Some(Separated {
        before,
        lines,
        text,
        behind,
    }) = next_separator(rest)
    {
        let next_line = line.saturating_add(lines);
        let text = String::from_utf8_lossy(text);
        let text = text.trim();
        if !text.is_empty() && !text.starts_with('#') {
            return Err(Error::new(
                Position {
                    line: next_line,
                    column: 1,
                    file: 0,
                },
                "invalid document separator",
            ));
        }
        pieces.push((before, line));
        line = next_line.saturating_add(1);
        rest = behind;
    }
    if !bytes.is_empty() {
        pieces.push((rest, line));
    }
    Ok(pieces)
}

/// What a separator separates.
struct Separated<'a> {
    /// What is before it, with its line break.
    before: &'a [u8],
    /// How many lines that is.
    lines: u32,
    /// What the separator says behind `---`.
    text: &'a [u8],
    behind: &'a [u8],
}

/// Splits at the first separator.
fn next_separator(bytes: &[u8]) -> Option<Separated<'_>> {
    let start = memchr::memmem::find(bytes, b"\n---")? + 1;
    let (before, rest) = bytes.split_at_checked(start)?;
    let lines = u32::try_from(memchr::memchr_iter(b'\n', before).count()).unwrap_or(u32::MAX);
    let end = memchr::memchr(b'\n', rest)?;
    let (text, behind) = (rest.get(3..end)?, rest.get(end + 1..)?);
    Some(Separated {
        before,
        lines,
        text,
        behind,
    })
}
