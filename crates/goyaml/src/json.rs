//! JSON as Go's `encoding/json` reads and writes it.

use crate::error::Error;
use crate::node::{Position, Text};
use crate::number;
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

    /// Reads a JSON text. Integers that fit 64 bits stay integers; of keys that repeat, the last one counts.
    ///
    /// Fails where Go's `json.Unmarshal` does, with the line and column.
    pub fn from_json(text: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader { text, at: 0 };
        let value = reader.value(0)?;
        reader.skip_space();
        if reader.at < text.len() {
            return Err(reader.error("invalid character after top-level value"));
        }
        Ok(value)
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
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0'..=' ' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' if character != ' ' => {
                out.push_str("\\u");
                let digits = (0..4)
                    .rev()
                    .map(|place| u32::from(character) >> (4 * place) & 0xf);
                out.extend(digits.filter_map(|digit| char::from_digit(digit, 16)));
            }
            _ => out.push(character),
        }
    }
    out.push('"');
}

/// A JSON text and how far it was read.
struct Reader<'a> {
    text: &'a [u8],
    at: usize,
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

    fn value(&mut self, depth: usize) -> Result<Value, Error> {
        if depth > SAFE_DEPTH {
            return Err(self.error("exceeded max depth"));
        }
        self.skip_space();
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => Ok(Value::String(self.string()?.into())),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word(b"true", Value::Bool(true)),
            Some(b'f') => self.word(b"false", Value::Bool(false)),
            Some(b'n') => self.word(b"null", Value::Null),
            _ => Err(self.error("invalid character looking for beginning of value")),
        }
    }

    fn word(&mut self, word: &[u8], value: Value) -> Result<Value, Error> {
        for &byte in word {
            if !self.take(byte) {
                return Err(self.error("invalid character in literal"));
            }
        }
        Ok(value)
    }

    fn array(&mut self, depth: usize) -> Result<Value, Error> {
        self.at += 1;
        let mut items = Vec::new();
        self.skip_space();
        if self.take(b']') {
            return Ok(Value::Array(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.skip_space();
            if self.take(b']') {
                return Ok(Value::Array(items));
            }
            if !self.take(b',') {
                return Err(self.error("invalid character after array element"));
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value, Error> {
        self.at += 1;
        let mut object = indexmap::IndexMap::<Text, Value>::new();
        self.skip_space();
        if self.take(b'}') {
            return Ok(Value::Object(Vec::new()));
        }
        loop {
            self.skip_space();
            if self.peek() != Some(b'"') {
                return Err(
                    self.error("invalid character looking for beginning of object key string")
                );
            }
            let key = self.string()?;
            self.skip_space();
            if !self.take(b':') {
                return Err(self.error("invalid character after object key"));
            }
            object.insert(key.into(), self.value(depth + 1)?);
            self.skip_space();
            if self.take(b'}') {
                return Ok(Value::Object(object.into_iter().collect()));
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

    fn number(&mut self) -> Result<Value, Error> {
        let start = self.at;
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        let mut is_integer = true;
        if self.take(b'.') {
            is_integer = false;
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            is_integer = false;
            let _has_sign = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        let text = self
            .text
            .get(start..self.at)
            .and_then(|text| str::from_utf8(text).ok())
            .unwrap_or_default();
        if is_integer && text != "-0" {
            if let Ok(number) = text.parse() {
                return Ok(Value::Int(number));
            }
            if let Ok(number) = text.parse() {
                return Ok(Value::Uint(number));
            }
        }
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Value::Float(number)),
            _ => Err(self.error("number out of range")),
        }
    }

    fn string(&mut self) -> Result<String, Error> {
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
                    let character = self.escape()?;
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

    fn escape(&mut self) -> Result<char, Error> {
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
        Ok(character)
    }

    /// Reads the digits after `\u`; halves of a surrogate pair that stand alone become U+FFFD, as in Go.
    fn unicode_escape(&mut self) -> Result<char, Error> {
        let first = self.four_digits()?;
        if let Some(character) = char::from_u32(first) {
            return Ok(character);
        }
        let after_first = self.at;
        if (0xd800..0xdc00).contains(&first) && self.take(b'\\') && self.take(b'u') {
            let second = self.four_digits()?;
            if (0xdc00..0xe000).contains(&second) {
                let code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
        }
        self.at = after_first;
        Ok(char::REPLACEMENT_CHARACTER)
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
