//! Numbers as Go reads and writes them.

use std::borrow::Cow;

use crate::resolve::Dialect;

/// A number of the kind that Go would choose for it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Number {
    Int(i64),
    Uint(u64),
    Float(f64),
}

/// Reads a number that begins with a digit or a sign; underscores in it mean nothing.
pub(crate) fn parse(text: &str, dialect: Dialect) -> Option<Number> {
    let digits: Cow<'_, str> = if text.contains('_') { text.replace('_', "").into() } else { text.into() };
    if let Some(number) = integer(&digits) {
        return Some(number);
    }
    if is_float(&digits) {
        return float(&digits).map(Number::Float);
    }
    // Go's base prefixes come after the sign; go-yaml also takes a sign after the prefix.
    if let Some(rest) = digits.strip_prefix("0b") {
        return signed(rest, 2).map(Number::Int);
    }
    if dialect == Dialect::V3 && let Some(rest) = digits.strip_prefix("0o") {
        return signed(rest, 8).map(Number::Int);
    }
    None
}

/// Reads a number that begins with a point, where underscores may only part digits.
pub(crate) fn parse_dotted(text: &str) -> Option<f64> {
    if !text.contains('_') {
        return if is_float(text) { float(text) } else { None };
    }
    let bytes = text.as_bytes();
    let parts_digits = |at: usize| {
        let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
        at.checked_sub(1).is_some_and(is_digit) && is_digit(at + 1)
    };
    if bytes.iter().enumerate().any(|(at, &byte)| byte == b'_' && !parts_digits(at)) {
        return None;
    }
    let digits = text.replace('_', "");
    if is_float(&digits) { float(&digits) } else { None }
}

/// Reads what Go's `strconv.ParseInt` and `ParseUint` read with base 0.
fn integer(text: &str) -> Option<Number> {
    let (is_negative, unsigned) = match text.as_bytes() {
        [b'-', ..] => (true, text.get(1..)?),
        [b'+', ..] => (false, text.get(1..)?),
        _ => (false, text),
    };
    let (radix, digits) = match unsigned.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, unsigned.get(2..)?),
        [b'0', b'o' | b'O', ..] => (8, unsigned.get(2..)?),
        [b'0', b'b' | b'B', ..] => (2, unsigned.get(2..)?),
        [b'0', _, ..] => (8, unsigned.get(1..)?),
        _ => (10, unsigned),
    };
    let magnitude = magnitude(digits, radix)?;
    if is_negative {
        return 0_i64.checked_sub_unsigned(magnitude).map(Number::Int);
    }
    match i64::try_from(magnitude) {
        Ok(number) => Some(Number::Int(number)),
        // `ParseUint` takes no sign.
        Err(_) if unsigned.len() == text.len() => Some(Number::Uint(magnitude)),
        Err(_) => None,
    }
}

fn signed(text: &str, radix: u32) -> Option<i64> {
    if text.starts_with(['+', '-']) { i64::from_str_radix(text, radix).ok() } else { None }
}

fn magnitude(digits: &str, radix: u32) -> Option<u64> {
    // Rust would take a second sign here.
    if digits.starts_with(['+', '-']) {
        return None;
    }
    u64::from_str_radix(digits, radix).ok()
}

/// Whether a text is a float for YAML: `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`.
pub(crate) fn is_float(text: &str) -> bool {
    let text = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))),
        None => (text, None),
    };
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let is_mantissa = match mantissa.split_once('.') {
        Some(("", fraction)) => !fraction.is_empty() && all_digits(fraction),
        Some((whole, fraction)) => all_digits(whole) && all_digits(fraction),
        None => !mantissa.is_empty() && all_digits(mantissa),
    };
    is_mantissa && exponent.is_none_or(|digits| !digits.is_empty() && all_digits(digits))
}

/// Reads a float; `None` where it is too large, which Go calls out of range.
fn float(text: &str) -> Option<f64> {
    text.parse::<f64>().ok().filter(|number| number.is_finite())
}
