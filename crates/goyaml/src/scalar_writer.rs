//! Scalars as text: the five styles of YAML, with libyaml's folding of long lines.

use crate::analysis::{is_break, is_printable};

/// How many characters a text has.
fn width(text: &str) -> usize {
    if text.is_ascii() {
        text.len()
    } else {
        text.chars().count()
    }
}

/// YAML text in the making.
pub(crate) struct Output<'a> {
    text: &'a mut String,
    line_start: usize,
    /// The bytes at which the text is full: nothing is indented beyond them, which may make a text a thousand times as
    /// long.
    limit: usize,
    /// The column after which a line is folded at the next space.
    width: usize,
}

impl<'a> Output<'a> {
    /// Appends to a text, whose end is taken for the start of a line.
    pub(crate) const fn new(text: &'a mut String, width: usize) -> Self {
        let line_start = text.len();
        Self {
            text,
            line_start,
            limit: usize::MAX,
            width,
        }
    }

    /// The same, for a text of so many bytes.
    pub(crate) const fn within(self, limit: usize) -> Self {
        Self { limit, ..self }
    }

    /// Whether the text has more bytes than it may have.
    pub(crate) const fn is_too_long(&self) -> bool {
        self.text.len() > self.limit
    }

    pub(crate) fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    pub(crate) fn push_char(&mut self, character: char) {
        self.text.push(character);
    }

    pub(crate) fn newline(&mut self) {
        self.text.push('\n');
        self.line_start = self.text.len();
    }

    /// Whether nothing has been written since the last line break.
    pub(crate) const fn is_line_start(&self) -> bool {
        self.line_start == self.text.len()
    }

    /// Ends the line, unless the last thing written has ended it.
    pub(crate) fn end_line(&mut self) {
        if !self.is_line_start() {
            self.newline();
        }
    }

    pub(crate) fn indent(&mut self, mut columns: usize) {
        const SPACES: &str = "                                                                ";
        if self.is_too_long() {
            return;
        }
        while let Some(rest) = columns.checked_sub(SPACES.len()) {
            self.text.push_str(SPACES);
            columns = rest;
        }
        self.text
            .push_str(SPACES.get(..columns).unwrap_or_default());
    }

    fn break_line(&mut self, indent: usize) {
        self.newline();
        self.indent(indent);
    }

    /// How many characters the line has so far.
    pub(crate) fn column(&self) -> usize {
        width(self.text.get(self.line_start..).unwrap_or_default())
    }

    /// Whether a text may reach the width at which lines are folded.
    fn may_fold(&self, text: &str) -> bool {
        (self.text.len() - self.line_start).saturating_add(text.len()) > self.width
    }

    /// Writes a plain scalar, which has no line breaks.
    pub(crate) fn plain(&mut self, text: &str, indent: usize, may_fold: bool) {
        if !may_fold || !self.may_fold(text) {
            return self.push(text);
        }
        let mut column = self.column();
        let mut rest = text;
        let mut was_space = false;
        while let Some(space) = memchr::memchr(b' ', rest.as_bytes()) {
            let (word, behind) = rest.split_at(space);
            if !word.is_empty() {
                self.push(word);
                column += width(word);
                was_space = false;
            }
            rest = behind.get(1..).unwrap_or_default();
            if !was_space && column > self.width && !rest.starts_with(' ') {
                self.break_line(indent);
                column = indent;
            } else {
                self.text.push(' ');
                column += 1;
            }
            was_space = true;
        }
        self.push(rest);
    }

    /// Writes a scalar within single quotes.
    pub(crate) fn single_quoted(&mut self, text: &str, indent: usize, may_fold: bool) {
        self.text.push('\'');
        let mut column = self.column();
        let (mut was_space, mut was_break) = (false, false);
        let mut rest = text;
        loop {
            let run = self.push_ordinary(rest, was_break.then_some(indent));
            if run > 0 {
                column = run + if was_break { indent } else { column };
                (was_space, was_break) = (false, false);
                rest = rest.get(run..).unwrap_or_default();
            }
            let at = text.len() - rest.len();
            let mut characters = rest.chars();
            let Some(character) = characters.next() else {
                break;
            };
            rest = characters.as_str();
            if character == ' ' {
                let is_inside = at > 0 && !rest.is_empty() && !rest.starts_with(' ');
                if may_fold && !was_space && is_inside && column > self.width {
                    self.break_line(indent);
                    column = indent;
                } else {
                    self.text.push(' ');
                    column += 1;
                }
                was_space = true;
            } else if is_break(character) {
                if !was_break && character == '\n' {
                    self.newline();
                }
                self.push_break(character);
                column = 0;
                was_break = true;
            } else {
                if was_break {
                    self.indent(indent);
                    column = indent;
                }
                if character == '\'' {
                    self.text.push('\'');
                    column += 1;
                }
                self.text.push(character);
                column += 1;
                (was_space, was_break) = (false, false);
            }
        }
        self.text.push('\'');
    }

    /// Writes what a text begins with that has no meaning within single quotes, with an indentation before it if there is
    /// any of it and the indentation is given; says how long it is, in bytes and characters alike.
    fn push_ordinary(&mut self, text: &str, indent: Option<usize>) -> usize {
        let is_ordinary = |byte: &u8| byte.is_ascii_graphic() && *byte != b'\'';
        let run = text.bytes().take_while(is_ordinary).count();
        if run > 0 {
            self.indent(indent.unwrap_or_default());
            self.push(text.get(..run).unwrap_or_default());
        }
        run
    }

    /// Writes a scalar within double quotes, with escapes.
    pub(crate) fn double_quoted(&mut self, text: &str, indent: usize, may_fold: bool) {
        self.text.push('"');
        // go-yaml: is_bom looks at the start of the text where it means the place it is at.
        let escapes_all = text.starts_with('\u{feff}');
        let mut column = self.column();
        let mut was_space = false;
        for (at, character) in text.char_indices() {
            let is_space = character == ' ' && !escapes_all;
            if escapes_all
                || matches!(character, '"' | '\\')
                || is_break(character)
                || !is_printable(character)
            {
                let written = self.text.len();
                self.escape(character);
                column += self.text.len() - written;
            } else if is_space
                && may_fold
                && !was_space
                && at > 0
                && at + 1 < text.len()
                && column > self.width
            {
                self.break_line(indent);
                column = indent;
                if text.as_bytes().get(at + 1) == Some(&b' ') {
                    self.text.push('\\');
                    column += 1;
                }
            } else {
                self.text.push(character);
                column += 1;
            }
            was_space = is_space;
        }
        self.text.push('"');
    }

    fn escape(&mut self, character: char) {
        let short = match character {
            '\0' => "\\0",
            '\u{7}' => "\\a",
            '\u{8}' => "\\b",
            '\t' => "\\t",
            '\n' => "\\n",
            '\u{b}' => "\\v",
            '\u{c}' => "\\f",
            '\r' => "\\r",
            '\u{1b}' => "\\e",
            '"' => "\\\"",
            '\\' => "\\\\",
            '\u{85}' => "\\N",
            '\u{a0}' => "\\_",
            '\u{2028}' => "\\L",
            '\u{2029}' => "\\P",
            _ => {
                let code = u32::from(character);
                let long = match code {
                    0..=0xff => format!("\\x{code:02X}"),
                    0x100..=0xffff => format!("\\u{code:04X}"),
                    _ => format!("\\U{code:08X}"),
                };
                return self.push(&long);
            }
        };
        self.push(short);
    }

    /// Writes a block scalar whose line breaks are kept (`|`).
    pub(crate) fn literal(&mut self, text: &str, indent: usize) {
        self.block_header('|', text);
        self.newline();
        self.literal_lines(text, indent);
    }

    /// Writes the lines of a block scalar whose line breaks are kept.
    pub(crate) fn literal_lines(&mut self, text: &str, indent: usize) {
        if text.is_ascii() && !text.contains('\r') {
            for line in text.split_inclusive('\n') {
                if line != "\n" {
                    self.indent(indent);
                }
                self.push(line);
                if line.ends_with('\n') {
                    self.line_start = self.text.len();
                }
            }
            return;
        }
        for line in text.split_inclusive(is_break) {
            let content = line.trim_end_matches(is_break);
            if !content.is_empty() {
                self.indent(indent);
                self.text.push_str(content);
            }
            if let Some(end) = line.chars().next_back().filter(|&end| is_break(end)) {
                self.push_break(end);
            }
        }
    }

    /// Writes a block scalar whose single line breaks are spaces (`>`), on lines that are never folded.
    pub(crate) fn folded(&mut self, text: &str, indent: usize) {
        self.block_header('>', text);
        self.newline();
        self.folded_lines(text, indent);
    }

    /// Writes the lines of a block scalar whose single line breaks are spaces, none of which is folded.
    pub(crate) fn folded_lines(&mut self, text: &str, indent: usize) {
        // go-yaml: yaml_emitter_write_folded_scalar looks at the start of the text where it means the place it is at.
        let after_breaks = text.trim_start_matches(is_break);
        let adds_break = !matches!(after_breaks.chars().next(), None | Some(' ' | '\t' | '\0'));
        let (mut was_break, mut is_indented_line) = (true, true);
        for character in text.chars() {
            if is_break(character) {
                if !was_break && !is_indented_line && character == '\n' && adds_break {
                    self.newline();
                }
                self.push_break(character);
                was_break = true;
            } else {
                if was_break {
                    self.indent(indent);
                    is_indented_line = matches!(character, ' ' | '\t');
                }
                self.text.push(character);
                was_break = false;
            }
        }
    }

    /// Writes a line break as it is, whatever its kind.
    pub(crate) fn push_break(&mut self, character: char) {
        self.text.push(character);
        self.line_start = self.text.len();
    }

    /// Writes the indicator of a block scalar, the indentation hint for a text that begins with white space, and how the breaks at its end count.
    pub(crate) fn block_header(&mut self, indicator: char, text: &str) {
        self.text.push(indicator);
        if text.starts_with(' ') || text.starts_with(is_break) {
            self.text.push('2');
        }
        let mut backwards = text.chars().rev();
        match (backwards.next().is_some_and(is_break), backwards.next()) {
            (false, _) => self.text.push('-'),
            (true, None) => self.text.push('+'),
            (true, Some(before)) if is_break(before) => self.text.push('+'),
            (true, Some(_)) => {}
        }
    }
}
