//! Regular expressions as Go's `regexp` reads them, made into those of the `regex` crate.
//!
//! The two dialects look alike and are not: what one of them refuses means something else in the other, and `\d` is
//! ASCII here and Unicode there. A pattern is read by Go's rules and written anew, with every character that could mean
//! something escaped. Groups capture nothing, because only whether a text matches is ever asked.

mod class;
mod escape;
#[cfg(test)]
mod tests;

use regex::{Regex, RegexBuilder};

/// How often a part may be repeated, all repetitions around it multiplied.
const REPEAT_LIMIT: usize = 1_000;

/// Groups inside one another.
const NESTING_LIMIT: u32 = 1_000;

/// Bytes of a compiled pattern.
const SIZE_LIMIT: usize = 64 << 20;

/// What matches no text at all.
const NOTHING: &str = r"[^\x00-\x{10FFFF}]";

/// Compiles a pattern in Go's syntax.
///
/// # Errors
/// Where Go refuses the pattern, with the reason; the pattern is not quoted.
pub(crate) fn compile(pattern: &str) -> Result<Regex, &'static str> {
    let translated = Translator::new(pattern).run()?;
    RegexBuilder::new(&translated)
        .nest_limit(NESTING_LIMIT)
        .size_limit(SIZE_LIMIT)
        .build()
        .map_err(|_| "it is too large")
}

/// What a group, or the pattern itself, has come to so far.
#[derive(Debug, Default)]
struct Group {
    /// How often the last part is repeated; none where there is nothing to repeat.
    last: Option<usize>,
    /// Whether the last part is a repetition, which cannot be repeated again.
    is_repetition: bool,
    /// How often any part is repeated at most.
    most: usize,
}

impl Group {
    fn part(&mut self, repeated: usize) {
        self.last = Some(repeated);
        self.is_repetition = false;
        self.most = self.most.max(repeated);
    }
}

struct Translator<'a> {
    rest: &'a str,
    out: String,
    group: Group,
    outer: Vec<Group>,
}

impl<'a> Translator<'a> {
    fn new(pattern: &'a str) -> Self {
        Self {
            rest: pattern,
            out: String::with_capacity(pattern.len()),
            group: Group::default(),
            outer: Vec::new(),
        }
    }

    fn run(mut self) -> Result<String, &'static str> {
        while let Some(next) = self.rest.chars().next() {
            match next {
                '(' => self.open()?,
                ')' => self.close()?,
                '|' => {
                    self.advance(1);
                    self.out.push('|');
                    self.group.last = None;
                }
                '^' | '$' | '.' => {
                    self.advance(1);
                    self.out.push(next);
                    self.group.part(1);
                }
                '*' | '+' | '?' => {
                    self.advance(1);
                    let repeated = self.group.last.unwrap_or_default();
                    self.repeat(&next.to_string(), repeated)?;
                }
                '{' => self.brace()?,
                '[' => {
                    self.rest = class::translate(self.rest, &mut self.out)?;
                    self.group.part(1);
                }
                '\\' => self.backslash()?,
                _ => {
                    self.advance(next.len_utf8());
                    self.literal(next);
                }
            }
        }
        if self.outer.is_empty() {
            Ok(self.out)
        } else {
            Err("a `)` is missing")
        }
    }

    fn advance(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }

    fn literal(&mut self, character: char) {
        escape::push_literal(&mut self.out, character);
        self.group.part(1);
    }

    fn open(&mut self) -> Result<(), &'static str> {
        let Some(after) = self.rest.strip_prefix("(?") else {
            self.advance(1);
            self.enter("(?:");
            return Ok(());
        };
        for opening in ["P<", "<"] {
            if let Some((name, rest)) = after
                .strip_prefix(opening)
                .and_then(|named| named.split_once('>'))
            {
                let is_word = |byte: u8| byte == b'_' || byte.is_ascii_alphanumeric();
                if name.is_empty() || !name.bytes().all(is_word) {
                    return Err("a group has an invalid name");
                }
                self.rest = rest;
                self.enter("(?:");
                return Ok(());
            }
        }
        let end = after.find([':', ')']).ok_or("an invalid `(?`")?;
        let flags = after.get(..end).unwrap_or_default();
        check_flags(flags)?;
        self.rest = after.get(end..).unwrap_or_default();
        let is_group = self.rest.starts_with(':');
        self.advance(1);
        if is_group {
            self.enter(&format!("(?{flags}:"));
        } else {
            if !flags.is_empty() {
                self.out.push_str("(?");
                self.out.push_str(flags);
                self.out.push(')');
            }
            // Go would repeat what stands before the flags, which nobody can mean.
            self.group.last = None;
        }
        Ok(())
    }

    fn enter(&mut self, opening: &str) {
        self.out.push_str(opening);
        self.outer.push(std::mem::take(&mut self.group));
    }

    fn close(&mut self) -> Result<(), &'static str> {
        self.advance(1);
        let outer = self.outer.pop().ok_or("a `)` has no `(`")?;
        let inner = std::mem::replace(&mut self.group, outer);
        self.out.push(')');
        self.group.part(inner.most);
        Ok(())
    }

    fn repeat(&mut self, operator: &str, repeated: usize) -> Result<(), &'static str> {
        if self.group.last.is_none() {
            return Err("there is nothing to repeat");
        }
        if self.group.is_repetition {
            return Err("a repetition cannot be repeated");
        }
        self.out.push_str(operator);
        if self.rest.starts_with('?') {
            self.advance(1);
            self.out.push('?');
        }
        self.group.part(repeated);
        self.group.is_repetition = true;
        Ok(())
    }

    /// A counted repetition, or a brace that is none and stands for itself.
    fn brace(&mut self) -> Result<(), &'static str> {
        let Some((least, most, rest)) = counts(self.rest) else {
            self.advance(1);
            self.literal('{');
            return Ok(());
        };
        let is_too_large = |count: usize| count > REPEAT_LIMIT;
        if is_too_large(least) || most.is_some_and(|most| is_too_large(most) || least > most) {
            return Err("an invalid number of repetitions");
        }
        let repeated = most
            .unwrap_or(least.max(1))
            .saturating_mul(self.group.last.unwrap_or_default());
        let operator = match most {
            Some(most) => format!("{{{least},{most}}}"),
            None => format!("{{{least},}}"),
        };
        self.rest = rest;
        self.repeat(&operator, repeated)?;
        if (least >= 2 || most.is_some_and(|most| most >= 2)) && is_too_large(repeated) {
            return Err("an invalid number of repetitions");
        }
        Ok(())
    }

    fn backslash(&mut self) -> Result<(), &'static str> {
        if let Some(after) = self.rest.strip_prefix(r"\Q") {
            let (quoted, rest) = after.split_once(r"\E").unwrap_or((after, ""));
            for character in quoted.chars() {
                self.literal(character);
            }
            self.rest = rest;
            return Ok(());
        }
        let look = match self.rest.as_bytes().get(1) {
            Some(b'A') => r"\A",
            Some(b'z') => r"\z",
            Some(b'b') => r"(?-u:\b)",
            Some(b'B') => r"(?-u:\B)",
            _ => "",
        };
        if !look.is_empty() {
            self.advance(2);
            self.out.push_str(look);
            self.group.part(1);
            return Ok(());
        }
        if let Some((set, rest)) = escape::set(self.rest)? {
            self.rest = rest;
            self.out.push_str(&set);
            self.group.part(1);
            return Ok(());
        }
        let (code, rest) = escape::character(self.rest)?;
        self.rest = rest;
        if let Some(character) = char::from_u32(code) {
            self.literal(character);
        } else {
            self.out.push_str(NOTHING);
            self.group.part(1);
        }
        Ok(())
    }
}

/// Makes sure that flags are some of `imsU`, taken away behind at most one `-`.
fn check_flags(flags: &str) -> Result<(), &'static str> {
    let (set, unset) = match flags.split_once('-') {
        Some((set, unset)) => (set, Some(unset)),
        None => (flags, None),
    };
    let is_known = |flags: &str| flags.chars().all(|flag| "imsU".contains(flag));
    if is_known(set) && unset.is_none_or(|unset| !unset.is_empty() && is_known(unset)) {
        Ok(())
    } else {
        Err("an invalid `(?`")
    }
}

/// Reads `{2}`, `{2,}` or `{2,3}`: the least and the most, and what follows.
fn counts(text: &str) -> Option<(usize, Option<usize>, &str)> {
    let (inner, rest) = text.strip_prefix('{')?.split_once('}')?;
    let (least, most) = match inner.split_once(',') {
        None => (count(inner)?, Some(count(inner)?)),
        Some((least, "")) => (count(least)?, None),
        Some((least, most)) => (count(least)?, Some(count(most)?)),
    };
    Some((least, most, rest))
}

/// Reads a number without leading zeros; one that is too large stays so.
fn count(digits: &str) -> Option<usize> {
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let has_zeros = digits.len() > 1 && digits.starts_with('0');
    (is_number && !has_zeros).then(|| digits.parse().unwrap_or(usize::MAX))
}
