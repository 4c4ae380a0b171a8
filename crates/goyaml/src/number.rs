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
    let digits: Cow<'_, str> = if text.contains('_') {
        text.replace('_', "").into()
    } else {
        text.into()
    };
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
    if dialect == Dialect::V3
        && let Some(rest) = digits.strip_prefix("0o")
    {
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
    if bytes
        .iter()
        .enumerate()
        .any(|(at, &byte)| byte == b'_' && !parts_digits(at))
    {
        return None;
    }
    let digits = text.replace('_', "");
    if is_float(&digits) {
        float(&digits)
    } else {
        None
    }
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
    if text.starts_with(['+', '-']) {
        i64::from_str_radix(text, radix).ok()
    } else {
        None
    }
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
        Some((mantissa, exponent)) => (
            mantissa,
            Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)),
        ),
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

/// The shortest decimal digits that read back as the same float, and where the point is.
struct Decimal {
    is_negative: bool,
    /// At least one digit, without zeros at the end.
    digits: String,
    /// How many digits stand before the point; negative where zeros follow it.
    point: i32,
}

impl Decimal {
    fn new(number: impl ryu::Float) -> Self {
        let mut buffer = ryu::Buffer::new();
        let text = buffer.format_finite(number);
        let is_negative = text.starts_with('-');
        let (mantissa, exponent) = text
            .trim_start_matches('-')
            .split_once('e')
            .unwrap_or((text.trim_start_matches('-'), "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = format!("{whole}{fraction}");
        let leading_zeros = all.len() - all.trim_start_matches('0').len();
        let digits = all.trim_matches('0');
        if digits.is_empty() {
            return Self {
                is_negative,
                digits: "0".to_owned(),
                point: 1,
            };
        }
        let places = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
        let exponent = exponent.parse::<i32>().unwrap_or_default();
        Self {
            is_negative,
            digits: digits.to_owned(),
            point: places(whole.len()) - places(leading_zeros) + exponent,
        }
    }

    /// As Go's format `e`, with as many digits in the exponent as asked for.
    fn scientific(&self, exponent_digits: usize) -> String {
        let Self {
            is_negative,
            digits,
            point,
        } = self;
        let (first, rest) = digits.split_at(1);
        let sign = if *is_negative { "-" } else { "" };
        let dot = if rest.is_empty() { "" } else { "." };
        let exponent = point - 1;
        let exponent_sign = if exponent < 0 { '-' } else { '+' };
        let exponent = exponent.unsigned_abs();
        format!("{sign}{first}{dot}{rest}e{exponent_sign}{exponent:0exponent_digits$}")
    }

    /// As Go's format `f`.
    fn positional(&self) -> String {
        let Self {
            is_negative,
            digits,
            point,
        } = self;
        let sign = if *is_negative { "-" } else { "" };
        let count = digits.len();
        match usize::try_from(*point) {
            Ok(0) | Err(_) => {
                let zeros = "0".repeat(usize::try_from(point.unsigned_abs()).unwrap_or_default());
                format!("{sign}0.{zeros}{digits}")
            }
            Ok(point) if point >= count => format!("{sign}{digits}{}", "0".repeat(point - count)),
            Ok(point) => {
                let (whole, fraction) = digits.split_at(point);
                format!("{sign}{whole}.{fraction}")
            }
        }
    }
}

/// A finite float as Go's `encoding/json` writes it.
pub(crate) fn format_json(number: f64) -> String {
    let decimal = Decimal::new(number);
    let magnitude = number.abs();
    if magnitude != 0.0 && !(1e-6..1e21).contains(&magnitude) {
        return decimal.scientific(if magnitude < 1.0 { 1 } else { 2 });
    }
    decimal.positional()
}

/// A finite float as Go's `strconv.FormatFloat` writes it in the format `g` with the shortest digits.
pub(crate) fn format_general(number: f64) -> String {
    general(&Decimal::new(number))
}

/// As [`format_general`] for a number that is cut to 32 bits first, and may be infinite or not a number.
pub(crate) fn format_general_32(number: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "Go's `FormatFloat` with 32 bits cuts the number too"
    )]
    let number = number as f32;
    match number {
        f32::INFINITY => ".inf".to_owned(),
        f32::NEG_INFINITY => "-.inf".to_owned(),
        _ if number.is_nan() => ".nan".to_owned(),
        _ => general(&Decimal::new(number)),
    }
}

fn general(decimal: &Decimal) -> String {
    if (-3..=6).contains(&decimal.point) {
        decimal.positional()
    } else {
        decimal.scientific(2)
    }
}

/// The kind of number that a finite float becomes by being written as JSON and read by go-yaml.
pub(crate) fn through_json(number: f64) -> Number {
    let text = format_json(number);
    parse(&text, Dialect::V2).unwrap_or(Number::Float(number))
}
