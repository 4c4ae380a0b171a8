//! JSON as Go's `encoding/json` reads and writes it.

use crate::error::Error;
use crate::node::{Data, Node, Position, Style, Tag, Text};
use crate::number;
use crate::resolve::implicit_tag;
use crate::value::Value;

/// Collections inside one another that Go's reader takes.
const DEPTH: usize = 10_000;
/// Collections inside one another that are taken here, so that later recursion over the value stays bounded.
const SAFE_DEPTH: usize = if DEPTH < 1_000 { DEPTH } else { 1_000 };

impl Value {
    /// The value as Go's `json.Marshal` writes it: keys sorted by their bytes, `<`, `>` and `&` escaped, no spaces.
    ///
    /// Floats that are not finite, which JSON has no word for, become `null`.
    pub fn to_json(&self) -> String {
        let mut out = String::new();
        write(self, None, 0, &mut out);
        out
    }

    /// The value as Go's `json.MarshalIndent` writes it with two spaces for each level.
    pub fn to_json_indented(&self) -> String {
        let mut out = String::new();
        write(self, Some("  "), 0, &mut out);
        out
    }

    /// Reads a JSON text. Integers that fit 64 bits stay integers; of keys that repeat, the last one counts, and halves
    /// of a surrogate pair that stand alone become U+FFFD.
    ///
    /// Fails where Go's `json.Unmarshal` does, with the line and column.
    pub fn from_json(text: &[u8]) -> Result<Self, Error> {
        let depth = SAFE_DEPTH;
        Reader { text, at: 0, depth }.all()
    }
}

impl Node {
    /// Reads a JSON text as what it says: numbers keep their digits, and no text is changed.
    ///
    /// # Errors
    /// Where it is none, with the line and column; for a key that repeats, for half of a surrogate pair, and for
    /// collections further inside one another than `depth`.
    pub fn from_json(text: &[u8], depth: usize) -> Result<Self, Error> {
        Reader { text, at: 0, depth }.all()
    }
}

/// What is made of a JSON text.
trait Made: Sized {
    /// Whether everything must come back as it was written.
    const IS_EXACT: bool;

    fn null() -> Self;
    fn bool(value: bool) -> Self;
    /// A number that a float can hold.
    fn number(text: &str, float: f64) -> Self;
    fn text(text: String) -> Self;
    fn array(items: Vec<Self>) -> Self;
    fn object(entries: indexmap::IndexMap<Text, Self>) -> Self;
}

impl Made for Value {
    const IS_EXACT: bool = false;

    fn null() -> Self {
        Self::Null
    }

    fn bool(value: bool) -> Self {
        Self::Bool(value)
    }

    fn number(text: &str, float: f64) -> Self {
        let is_integer = !text.contains(['.', 'e', 'E']) && text != "-0";
        if let Some(number) = text.parse().ok().filter(|_| is_integer) {
            return Self::Int(number);
        }
        if let Some(number) = text.parse().ok().filter(|_| is_integer) {
            return Self::Uint(number);
        }
        Self::Float(float)
    }

    fn text(text: String) -> Self {
        Self::String(text.into())
    }

    fn array(items: Vec<Self>) -> Self {
        Self::Array(items)
    }

    fn object(entries: indexmap::IndexMap<Text, Self>) -> Self {
        Self::Object(entries.into_iter().collect())
    }
}

impl Made for Node {
    const IS_EXACT: bool = true;

    fn null() -> Self {
        Self::null()
    }

    fn bool(value: bool) -> Self {
        Self::scalar(if value { "true" } else { "false" }, Tag::Bool)
    }

    fn number(text: &str, _: f64) -> Self {
        Self::scalar(text, implicit_tag(text))
    }

    fn text(text: String) -> Self {
        Self::new(Data::Scalar(text.into()), Tag::Str, Style::DOUBLE_QUOTED)
    }

    fn array(items: Vec<Self>) -> Self {
        Self::new(Data::Sequence(items), Tag::Seq, Style::FLOW)
    }

    fn object(entries: indexmap::IndexMap<Text, Self>) -> Self {
        let entry = |(key, value): (Text, Self)| {
            let key = Self::new(Data::Scalar(key), Tag::Str, Style::DOUBLE_QUOTED);
            (key, value)
        };
        Self::new(
            Data::Mapping(entries.into_iter().map(entry).collect()),
            Tag::Map,
            Style::FLOW,
        )
    }
}

fn write(value: &Value, indent: Option<&str>, level: usize, out: &mut String) {
    match value {
        Value::Float(number) if number.is_finite() => out.push_str(&number::format_json(*number)),
        Value::Null | Value::Float(_) => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Int(number) => out.push_str(&number.to_string()),
        Value::Uint(number) => out.push_str(&number.to_string()),
        Value::String(text) => write_string(text, out),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                separate(index > 0, indent, level + 1, out);
                write(item, indent, level + 1, out);
            }
            close(items.is_empty(), ']', indent, level, out);
        }
        Value::Object(entries) => {
            let mut entries: Vec<&(Text, Value)> = entries.iter().collect();
            entries.sort_by(|(left, _), (right, _)| left.cmp(right));
            out.push('{');
            for (index, (key, value)) in entries.iter().enumerate() {
                separate(index > 0, indent, level + 1, out);
                write_string(key, out);
                out.push_str(if indent.is_some() { ": " } else { ":" });
                write(value, indent, level + 1, out);
            }
            close(entries.is_empty(), '}', indent, level, out);
        }
    }
}

fn separate(has_previous: bool, indent: Option<&str>, level: usize, out: &mut String) {
    if has_previous {
        out.push(',');
    }
    new_line(indent, level, out);
}

fn close(is_empty: bool, bracket: char, indent: Option<&str>, level: usize, out: &mut String) {
    if !is_empty {
        new_line(indent, level, out);
    }
    out.push(bracket);
}

fn new_line(indent: Option<&str>, level: usize, out: &mut String) {
    if let Some(indent) = indent {
        out.push('\n');
        out.extend((0..level).map(|_| indent));
    }
}

fn write_string(text: &str, out: &mut String) {
    out.push('"');
    let mut rest = text;
    while let Some(at) = rest.find(is_escaped) {
        let (plain, escaped) = rest.split_at(at);
        out.push_str(plain);
        let mut characters = escaped.chars();
        if let Some(character) = characters.next() {
            escape(character, out);
        }
        rest = characters.as_str();
    }
    out.push_str(rest);
    out.push('"');
}

const fn is_escaped(character: char) -> bool {
    matches!(
        character,
        '\0'..='\u{1f}' | '"' | '\\' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}'
    )
}

fn escape(character: char, out: &mut String) {
    match character {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\u{8}' => out.push_str("\\b"),
        '\u{c}' => out.push_str("\\f"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        _ => {
            out.push_str("\\u");
            let digits = (0..4)
                .rev()
                .map(|place| u32::from(character) >> (4 * place) & 0xf);
            out.extend(digits.filter_map(|digit| char::from_digit(digit, 16)));
        }
    }
}

/// A JSON text and how far it was read.
struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    /// How far collections may be inside one another.
    depth: usize,
}

impl Reader<'_> {
    fn error(&self, message: &str) -> Error {
        let before = self.text.get(..self.at).unwrap_or(self.text);
        let line_start = before
            .iter()
            .rposition(|&byte| byte == b'\n')
            .map_or(0, |at| at + 1);
        let line = before.split(|&byte| byte == b'\n').count();
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let position = Position {
            line: number(line),
            column: number(before.len() - line_start + 1),
            file: 0,
        };
        if self.at >= self.text.len() {
            return Error::new(position, "unexpected end of JSON input");
        }
        Error::new(position, message)
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn take(&mut self, wanted: u8) -> bool {
        let is_next = self.peek() == Some(wanted);
        self.at += usize::from(is_next);
        is_next
    }

    fn all<T: Made>(mut self) -> Result<T, Error> {
        let value = self.value(0)?;
        self.skip_space();
        if self.at < self.text.len() {
            return Err(self.error("invalid character after top-level value"));
        }
        Ok(value)
    }

    fn value<T: Made>(&mut self, depth: usize) -> Result<T, Error> {
        if depth > self.depth {
            return Err(self.error("exceeded max depth"));
        }
        self.skip_space();
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => Ok(T::text(self.string::<T>()?)),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word(b"true", T::bool(true)),
            Some(b'f') => self.word(b"false", T::bool(false)),
            Some(b'n') => self.word(b"null", T::null()),
            _ => Err(self.error("invalid character looking for beginning of value")),
        }
    }

    fn word<T: Made>(&mut self, word: &[u8], value: T) -> Result<T, Error> {
        for &byte in word {
            if !self.take(byte) {
                return Err(self.error("invalid character in literal"));
            }
        }
        Ok(value)
    }

    fn array<T: Made>(&mut self, depth: usize) -> Result<T, Error> {
        self.at += 1;
        let mut items = Vec::new();
        self.skip_space();
        if self.take(b']') {
            return Ok(T::array(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.skip_space();
            if self.take(b']') {
                return Ok(T::array(items));
            }
            if !self.take(b',') {
                return Err(self.error("invalid character after array element"));
            }
        }
    }

    fn object<T: Made>(&mut self, depth: usize) -> Result<T, Error> {
        self.at += 1;
        let mut object = indexmap::IndexMap::<Text, T>::new();
        self.skip_space();
        if self.take(b'}') {
            return Ok(T::object(object));
        }
        loop {
            self.skip_space();
            if self.peek() != Some(b'"') {
                return Err(
                    self.error("invalid character looking for beginning of object key string")
                );
            }
            let key = self.string::<T>()?;
            self.skip_space();
            if !self.take(b':') {
                return Err(self.error("invalid character after object key"));
            }
            let is_repeated = object.insert(key.into(), self.value(depth + 1)?).is_some();
            if is_repeated && T::IS_EXACT {
                return Err(self.error("a key that repeats"));
            }
            self.skip_space();
            if self.take(b'}') {
                return Ok(T::object(object));
            }
            if !self.take(b',') {
                return Err(self.error("invalid character after object key:value pair"));
            }
        }
    }

    fn digits(&mut self) -> Result<(), Error> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start {
            Err(self.error("invalid character in numeric literal"))
        } else {
            Ok(())
        }
    }

    fn number<T: Made>(&mut self) -> Result<T, Error> {
        let start = self.at;
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _has_sign = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        let text = self
            .text
            .get(start..self.at)
            .and_then(|text| str::from_utf8(text).ok())
            .unwrap_or_default();
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(T::number(text, number)),
            _ => Err(self.error("number out of range")),
        }
    }

    fn string<T: Made>(&mut self) -> Result<String, Error> {
        self.at += 1;
        let mut bytes = Vec::new();
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(crate::base64::to_utf8(bytes));
                }
                Some(b'\\') => {
                    self.at += 1;
                    let character = match self.escape()? {
                        Some(character) => character,
                        None if T::IS_EXACT => {
                            return Err(self.error("half of a surrogate pair"));
                        }
                        None => char::REPLACEMENT_CHARACTER,
                    };
                    bytes.extend(character.encode_utf8(&mut [0; 4]).bytes());
                }
                Some(byte @ 0x20..) => {
                    self.at += 1;
                    bytes.push(byte);
                }
                _ => return Err(self.error("invalid character in string literal")),
            }
        }
    }

    /// The character that an escape stands for; `None` for half of a surrogate pair, which stands alone.
    fn escape(&mut self) -> Result<Option<char>, Error> {
        let character = match self.peek() {
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at += 1;
                return self.unicode_escape();
            }
            _ => return Err(self.error("invalid character in string escape code")),
        };
        self.at += 1;
        Ok(Some(character))
    }

    /// Reads the digits after `\u`.
    fn unicode_escape(&mut self) -> Result<Option<char>, Error> {
        let first = self.four_digits()?;
        if let Some(character) = char::from_u32(first) {
            return Ok(Some(character));
        }
        let after_first = self.at;
        if (0xd800..0xdc00).contains(&first) && self.take(b'\\') && self.take(b'u') {
            let second = self.four_digits()?;
            if (0xdc00..0xe000).contains(&second) {
                let code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                return Ok(char::from_u32(code));
            }
        }
        self.at = after_first;
        Ok(None)
    }

    fn four_digits(&mut self) -> Result<u32, Error> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            let Some(digit) = digit else {
                return Err(self.error("invalid character in \\u hexadecimal character escape"));
            };
            code = code << 4 | digit;
            self.at += 1;
        }
        Ok(code)
    }
}
