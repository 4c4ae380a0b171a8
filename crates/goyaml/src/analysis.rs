//! Which styles a scalar's text may be written in, as libyaml's emitter decides it.

/// What a text allows.
#[derive(Clone, Copy, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one independent answer"
)]
pub(crate) struct Analysis {
    /// Whether the text has a line break.
    pub(crate) is_multiline: bool,
    /// Whether the text may be written plain within `[]` and `{}`.
    pub(crate) allows_flow_plain: bool,
    /// Whether the text may be written plain outside of them.
    pub(crate) allows_block_plain: bool,
    /// Whether the text may be written within single quotes.
    pub(crate) allows_single_quoted: bool,
    /// Whether the text may be written as a block scalar.
    pub(crate) allows_block: bool,
    /// Whether the text has nothing but the printable characters of ASCII and line breaks.
    pub(crate) is_common: bool,
}

/// Whether a byte is one that only matters at the start of a text.
const IS_ORDINARY: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0x21;
    while byte < 0x7f {
        table[byte] = true;
        byte += 1;
    }
    let special = b",?[]{}:#";
    let mut index = 0;
    while index < special.len() {
        table[special[index] as usize] = false;
        index += 1;
    }
    table
};

/// Whether a character ends a line for libyaml, which includes NEL, LS and PS.
pub(crate) const fn is_break(character: char) -> bool {
    matches!(character, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Whether libyaml's emitter writes a character as it is; it holds all beyond U+FFFF for unprintable.
pub(crate) const fn is_printable(character: char) -> bool {
    matches!(
        character,
        '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}'
    )
}

/// Looks at a text; `are_tabs_plain` is false for go-yaml v3, which quotes tabs without escaping them in blocks.
pub(crate) fn analyze(text: &str, are_tabs_special: bool) -> Analysis {
    let (flow_indicator, block_indicator) = leading_indicators(text);
    if text.bytes().all(|byte| IS_ORDINARY[usize::from(byte)]) && !text.is_empty() {
        return Analysis {
            is_multiline: false,
            allows_flow_plain: !flow_indicator,
            allows_block_plain: !block_indicator,
            allows_single_quoted: true,
            allows_block: true,
            is_common: true,
        };
    }
    if text.is_empty() {
        return Analysis {
            is_multiline: false,
            allows_flow_plain: false,
            allows_block_plain: true,
            allows_single_quoted: true,
            allows_block: false,
            is_common: true,
        };
    }
    let mut found = Found {
        flow_indicator,
        block_indicator,
        ..Found::default()
    };
    found.scan(text, are_tabs_special);
    found.judge(text)
}

/// Whether the start of a text has a meaning in flow and in block context.
fn leading_indicators(text: &str) -> (bool, bool) {
    if text.starts_with("---") || text.starts_with("...") {
        return (true, true);
    }
    let mut bytes = text.bytes();
    let first = bytes.next();
    let is_blank_next = matches!(bytes.next(), None | Some(b' ' | b'\t'));
    match first {
        Some(
            b'#' | b',' | b'[' | b']' | b'{' | b'}' | b'&' | b'*' | b'!' | b'|' | b'>' | b'\''
            | b'"' | b'%' | b'@' | b'`',
        ) => (true, true),
        Some(b'?' | b':') => (true, is_blank_next),
        Some(b'-') => (is_blank_next, is_blank_next),
        _ => (false, false),
    }
}

/// What a character is to the one after it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Space,
    Tab,
    Break,
    Other,
}

/// What was met in a text.
#[derive(Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one thing that may be met anywhere in a text"
)]
struct Found {
    flow_indicator: bool,
    block_indicator: bool,
    line_break: bool,
    unprintable: bool,
    uncommon: bool,
    tab: bool,
    space_after_break: bool,
    break_after_space: bool,
}

impl Found {
    fn scan(&mut self, text: &str, are_tabs_special: bool) {
        let bytes = text.as_bytes();
        let mut at = 0;
        let mut previous = Kind::Other;
        while let Some(&byte) = bytes.get(at) {
            let mut width = 1;
            let mut kind = Kind::Other;
            match byte {
                _ if IS_ORDINARY[usize::from(byte)] => {}
                b' ' => {
                    kind = Kind::Space;
                    self.space_after_break |= previous == Kind::Break;
                }
                b'\t' => {
                    kind = Kind::Tab;
                    self.tab |= are_tabs_special;
                    self.unprintable |= !are_tabs_special;
                }
                b',' | b'?' | b'[' | b']' | b'{' | b'}' => self.flow_indicator |= at > 0,
                b':' if at > 0 => {
                    self.flow_indicator = true;
                    self.block_indicator |= matches!(bytes.get(at + 1), None | Some(b' ' | b'\t'));
                }
                b'#' if at > 0 && previous != Kind::Other => {
                    self.flow_indicator = true;
                    self.block_indicator = true;
                }
                b':' | b'#' => {}
                _ => {
                    let Some(character) = text.get(at..).and_then(|rest| rest.chars().next())
                    else {
                        return;
                    };
                    width = character.len_utf8();
                    self.unprintable |= !is_printable(character);
                    self.uncommon |= byte >= 0x7f;
                    if is_break(character) {
                        kind = Kind::Break;
                        self.line_break = true;
                        self.break_after_space |= previous == Kind::Space;
                    }
                }
            }
            previous = kind;
            at += width;
        }
    }

    fn judge(&self, text: &str) -> Analysis {
        let is_space_or_break = |character: char| character == ' ' || is_break(character);
        let is_never_plain = self.line_break
            || self.unprintable
            || self.tab
            || text.starts_with(is_space_or_break)
            || text.ends_with(is_space_or_break);
        let is_escaped = self.break_after_space || self.unprintable;
        Analysis {
            is_multiline: self.line_break,
            allows_flow_plain: !is_never_plain && !self.flow_indicator,
            allows_block_plain: !is_never_plain && !self.block_indicator,
            allows_single_quoted: !is_escaped && !self.space_after_break && !self.tab,
            allows_block: !is_escaped && !text.ends_with(' '),
            is_common: !self.uncommon,
        }
    }
}
