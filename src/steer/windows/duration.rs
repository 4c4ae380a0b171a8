//! Durations as Go writes them: `1h30m`, `1.5h`, `-2s`.

use jiff::SignedDuration;

/// As much as Go can count, in nanoseconds, below zero; above it is one less.
const MOST: u64 = 1 << 63;

/// Reads a duration; `None` where Go reads none.
// Go: time.ParseDuration
pub(super) fn parse(text: &str) -> Option<SignedDuration> {
    let is_negative = text.starts_with('-');
    let mut rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    if rest == "0" {
        return Some(SignedDuration::ZERO);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let (part, behind) = amount(rest)?;
        total = total.checked_add(part).filter(|total| *total <= MOST)?;
        rest = behind;
    }
    let signed = if is_negative {
        0_i64.checked_sub_unsigned(total)
    } else {
        i64::try_from(total).ok()
    };
    signed.map(SignedDuration::from_nanos)
}

/// One number with its unit in nanoseconds, and what stands behind it.
fn amount(text: &str) -> Option<(u64, &str)> {
    let is_digit = |byte: u8| byte.is_ascii_digit();
    let (whole, rest) = split(text, is_digit);
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(rest) => split(rest, is_digit),
        None => ("", rest),
    };
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let (unit, rest) = split(rest, |byte| byte != b'.' && !is_digit(byte));
    let unit = nanoseconds(unit)?;
    let whole: u64 = if whole.is_empty() {
        0
    } else {
        whole.parse().ok()?
    };
    let amount = whole.checked_mul(unit).filter(|amount| *amount <= MOST)?;
    let amount = amount.checked_add(part_of(unit, fraction))?;
    (amount <= MOST).then_some((amount, rest))
}

/// What the digits behind a point are of a unit, cut off below a nanosecond.
fn part_of(unit: u64, fraction: &str) -> u64 {
    // More digits than these are less than a nanosecond of an hour.
    let digits = fraction.get(..17).unwrap_or(fraction);
    let Ok(number) = digits.parse::<u128>() else {
        return 0;
    };
    let scale = digits.bytes().fold(1_u128, |scale, _| scale * 10);
    u64::try_from(number * u128::from(unit) / scale).unwrap_or_default()
}

fn split(text: &str, is_in: impl Fn(u8) -> bool) -> (&str, &str) {
    let end = text.bytes().position(|byte| !is_in(byte));
    // What is in begins or ends with no part of a character: all its bounds are ASCII.
    text.split_at_checked(end.unwrap_or(text.len()))
        .unwrap_or((text, ""))
}

fn nanoseconds(unit: &str) -> Option<u64> {
    Some(match unit {
        "ns" => 1,
        // The micro sign, and the Greek letter.
        "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_go_reads() {
        for (text, nanoseconds) in [
            ("0", 0),
            ("-0", 0),
            ("+0", 0),
            ("0s", 0),
            ("1h", 3_600_000_000_000),
            ("1h30m", 5_400_000_000_000),
            ("30m1h", 5_400_000_000_000),
            ("1m1m", 120_000_000_000),
            ("+1.5h", 5_400_000_000_000),
            ("-1.5h", -5_400_000_000_000),
            (".5s", 500_000_000),
            ("1.s", 1_000_000_000),
            ("0.100000000000000000000h", 360_000_000_000),
            ("1us", 1_000),
            ("1µs", 1_000),
            ("1μs", 1_000),
            ("0.9ns", 0),
            ("007m", 420_000_000_000),
            ("9223372036854775807ns", i64::MAX),
            ("-9223372036854775808ns", i64::MIN),
        ] {
            let expected = SignedDuration::from_nanos(nanoseconds);
            assert_eq!(parse(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_go_does_not_read() {
        for text in [
            "",
            "-",
            "+",
            "--1h",
            "1",
            "h",
            ".h",
            "1.h.",
            "1d",
            "1H",
            "1 h",
            " 1h",
            "1h ",
            "1h30",
            "1e3s",
            "é",
            "1é",
            "00",
            "1_0s",
            "9223372036854775808ns",
            "99999999999999999999s",
            "2562048h",
            "1h-30m",
        ] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }
}
