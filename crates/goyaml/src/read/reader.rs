//! Bytes become text: encodings, and the characters that YAML does not allow.

use std::borrow::Cow;

use crate::error::Error;
use crate::node::Position;

/// How many bytes go-yaml reads at a time. What is wrong with a byte is noticed when its block is read, even if the
/// document has ended before it, and not at all where the document ended in an earlier block.
const BLOCK_LENGTH: usize = 512;

/// A text to scan.
#[derive(Debug)]
pub(super) struct Source<'a> {
    pub(super) text: Cow<'a, str>,
    /// The line at which the text begins in its file.
    pub(super) first_line: u32,
    /// What is wrong with the bytes behind the text.
    pub(super) fault: Option<Error>,
}

impl<'a> Source<'a> {
    /// Decodes UTF-8, or UTF-16 where a byte order mark says so.
    pub(super) fn new(bytes: &'a [u8], first_line: u32) -> Self {
        match bytes {
            [0xFF, 0xFE, rest @ ..] => Self::from_utf16(rest, first_line, u16::from_le_bytes),
            [0xFE, 0xFF, rest @ ..] => Self::from_utf16(rest, first_line, u16::from_be_bytes),
            [0xEF, 0xBB, 0xBF, rest @ ..] => Self::from_utf8(rest, 3, first_line),
            _ => Self::from_utf8(bytes, 0, first_line),
        }
    }

    fn from_utf8(bytes: &'a [u8], mark_length: usize, first_line: u32) -> Self {
        let (text, invalid) = match std::str::from_utf8(bytes) {
            Ok(text) => (text, None),
            Err(error) => {
                let (valid, rest) = bytes
                    .split_at_checked(error.valid_up_to())
                    .unwrap_or_default();
                (
                    std::str::from_utf8(valid).unwrap_or_default(),
                    Some(utf8_problem(rest)),
                )
            }
        };
        let (good, problem) = match find_control(text) {
            Some(offset) => (
                text.get(..offset).unwrap_or_default(),
                Some("control characters are not allowed"),
            ),
            None => (text, invalid),
        };
        let Some(problem) = problem else {
            return Self {
                text: Cow::Borrowed(text),
                first_line,
                fault: None,
            };
        };
        let fault = Error::new(end_of(good, first_line), problem);
        let mut start = block_start(bytes, good.len() + mark_length, mark_length);
        while !good.is_char_boundary(start) {
            start -= 1;
        }
        Self {
            text: Cow::Borrowed(good.get(..start).unwrap_or_default()),
            first_line,
            fault: Some(fault),
        }
    }

    fn from_utf16(bytes: &[u8], first_line: u32, unit: fn([u8; 2]) -> u16) -> Self {
        let (pairs, odd) = bytes.as_chunks::<2>();
        let mut text = String::with_capacity(bytes.len());
        let mut problem = None;
        let mut consumed = 0;
        for character in char::decode_utf16(pairs.iter().map(|&pair| unit(pair))) {
            match character {
                Ok(character) if is_allowed(character) => {
                    text.push(character);
                    consumed += character.len_utf16();
                }
                Ok(_) => problem = Some("control characters are not allowed"),
                Err(error) if (0xDC00..0xE000).contains(&error.unpaired_surrogate()) => {
                    problem = Some("unexpected low surrogate area");
                }
                Err(_) if consumed + 1 == pairs.len() => {
                    problem = Some("incomplete UTF-16 surrogate pair");
                }
                Err(_) => problem = Some("expected low surrogate area"),
            }
            if problem.is_some() {
                break;
            }
        }
        if problem.is_none() && !odd.is_empty() {
            problem = Some("incomplete UTF-16 character");
        }
        let fault = problem.map(|problem| Error::new(end_of(&text, first_line), problem));
        Self {
            text: Cow::Owned(text),
            first_line,
            fault,
        }
    }
}

/// Where the block of bytes starts in which go-yaml finds the bad byte, as an offset behind the byte order mark.
fn block_start(bytes: &[u8], bad: usize, mark_length: usize) -> usize {
    let mut start = 0;
    while start + BLOCK_LENGTH <= bad {
        start += BLOCK_LENGTH;
        // A character that does not fit into a block is kept for the next one.
        while start > mark_length
            && bytes
                .get(start - mark_length)
                .is_some_and(|byte| byte & 0xC0 == 0x80)
        {
            start -= 1;
        }
    }
    start.saturating_sub(mark_length)
}

/// What go-yaml says of the first bytes of a text that are not UTF-8.
fn utf8_problem(bytes: &[u8]) -> &'static str {
    let width = match bytes.first() {
        Some(0xC0..0xE0) => 2,
        Some(0xE0..0xF0) => 3,
        Some(0xF0..0xF8) => 4,
        _ => return "invalid leading UTF-8 octet",
    };
    let Some(trail) = bytes.get(1..width) else {
        return "incomplete UTF-8 octet sequence";
    };
    if trail.iter().any(|byte| byte & 0xC0 != 0x80) {
        return "invalid trailing UTF-8 octet";
    }
    match (bytes.first(), trail.first()) {
        (Some(0xC0 | 0xC1), _)
        | (Some(0xE0), Some(0x80..0xA0))
        | (Some(0xF0), Some(0x80..0x90)) => "invalid length of a UTF-8 sequence",
        _ => "invalid Unicode character",
    }
}

/// The offset of the first character of a text that YAML does not allow, escaped or not.
pub fn find_control(text: &str) -> Option<usize> {
    let mut offset = 0;
    for chunk in text.as_bytes().chunks(64) {
        // Most texts have nothing else, which takes few comparisons to see.
        let is_ordinary = |byte: &u8| matches!(byte, b' '..=b'~' | b'\n');
        if !chunk.iter().fold(true, |all, byte| all & is_ordinary(byte))
            && chunk.iter().copied().any(is_suspicious)
        {
            for (index, &byte) in chunk
                .iter()
                .enumerate()
                .filter(|&(_, &byte)| is_suspicious(byte))
            {
                let place = offset + index;
                let character = text.get(place..).and_then(|rest| rest.chars().next());
                if byte < 0x80 || character.is_some_and(|character| !is_allowed(character)) {
                    return Some(place);
                }
            }
        }
        offset += chunk.len();
    }
    None
}

/// Whether a character that begins with this byte may be one that is not allowed.
const fn is_suspicious(byte: u8) -> bool {
    matches!(byte, 0..=0x08 | 0x0B | 0x0C | 0x0E..=0x1F | 0x7F | 0xC2 | 0xEF)
}

const fn is_allowed(character: char) -> bool {
    matches!(
        character,
        '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{A0}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..
    )
}

/// The place just behind a text.
fn end_of(text: &str, first_line: u32) -> Position {
    let line = memchr::memchr_iter(b'\n', text.as_bytes()).count();
    let column = text.rsplit('\n').next().unwrap_or_default().chars().count();
    Position {
        line: first_line.saturating_add(u32::try_from(line).unwrap_or(u32::MAX)),
        column: u32::try_from(column).unwrap_or(u32::MAX).saturating_add(1),
        file: 0,
    }
}
