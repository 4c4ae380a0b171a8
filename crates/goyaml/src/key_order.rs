//! The order in which go-yaml writes the keys of a mapping: digit runs by their number, letters after all else.

use std::cmp::Ordering;

use crate::resolve::Dialect;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

/// Sorts entries by their keys.
///
/// The order is not transitive (`a10` < `a1b` < `a2` < `a10`), so that the result of a plain sort would depend on the
/// order of its input: entries are therefore sorted by bytes first, and equal sets of keys come out alike.
pub(crate) fn sort<T>(entries: &mut Vec<T>, dialect: Dialect, key: impl Fn(&T) -> &str) {
    let natural = |left: &T, right: &T| compare(key(left), key(right), dialect);
    let is_sorted = |entries: &[T]| {
        entries.is_sorted_by(|left, right| natural(left, right) != Ordering::Greater)
    };
    // Two or three keys rarely form a cycle, and what is in order already needs no second look.
    entries.sort_by(|left, right| key(left).cmp(key(right)));
    if !is_sorted(entries) {
        merge_sort(entries, &natural);
    }
}

/// A stable sort that, unlike the standard library's, bears an order that is not transitive.
fn merge_sort<T>(entries: &mut Vec<T>, compare: &impl Fn(&T, &T) -> Ordering) {
    if entries.len() < 2 {
        return;
    }
    let mut right = entries.split_off(entries.len() / 2);
    merge_sort(entries, compare);
    merge_sort(&mut right, compare);
    let mut left = std::mem::take(entries).into_iter().peekable();
    let mut right = right.into_iter().peekable();
    while let (Some(first), Some(second)) = (left.peek(), right.peek()) {
        let next = if compare(second, first) == Ordering::Less {
            right.next()
        } else {
            left.next()
        };
        entries.extend(next);
    }
    entries.extend(left);
    entries.extend(right);
}

/// Compares two keys as `keyList.Less` of go-yaml does; v3 puts letters first after a digit.
fn compare(left: &str, right: &str, dialect: Dialect) -> Ordering {
    let common = left
        .bytes()
        .zip(right.bytes())
        .take_while(|(left, right)| left == right)
        .count();
    if let (Some(left), Some(right)) = (left.as_bytes().get(common), right.as_bytes().get(common))
        && left.is_ascii_alphabetic()
        && right.is_ascii_alphabetic()
    {
        // Most keys differ in a letter first.
        return left.cmp(right);
    }
    let common = (0..=common)
        .rev()
        .find(|&at| left.is_char_boundary(at))
        .unwrap_or(0);
    let (prefix, left_rest) = left.split_at(common);
    let right_rest = right.get(common..).unwrap_or_default();
    let (Some(left_char), Some(right_char)) = (left_rest.chars().next(), right_rest.chars().next())
    else {
        return left.len().cmp(&right.len());
    };
    match (is_letter(left_char), is_letter(right_char)) {
        (true, true) => left_char.cmp(&right_char),
        (left_is_letter, right_is_letter) if left_is_letter != right_is_letter => {
            let letters_first =
                dialect == Dialect::V3 && prefix.chars().next_back().is_some_and(is_digit);
            if left_is_letter == letters_first {
                Ordering::Less
            } else {
                Ordering::Greater
            }
        }
        _ => {
            let start = if left_char == '0' || right_char == '0' {
                number_before(prefix)
            } else {
                0
            };
            let (left_number, left_digits) = digits(left_rest, start);
            let (right_number, right_digits) = digits(right_rest, start);
            left_number
                .cmp(&right_number)
                .then(left_digits.cmp(&right_digits))
                .then(left_char.cmp(&right_char))
        }
    }
}

/// 1 where the digits before a zero have a value, so that the zero counts as part of their number.
fn number_before(prefix: &str) -> i64 {
    i64::from(
        prefix
            .chars()
            .rev()
            .take_while(|&digit| is_digit(digit))
            .any(|digit| digit != '0'),
    )
}

/// The number that a text begins with, and how many digits it has; overflow wraps, as in Go.
fn digits(text: &str, start: i64) -> (i64, usize) {
    text.chars()
        .take_while(|&digit| is_digit(digit))
        .fold((start, 0), |(number, count), digit| {
            let value = i64::from(u32::from(digit)) - i64::from(u32::from('0'));
            (number.wrapping_mul(10).wrapping_add(value), count + 1)
        })
}

fn is_letter(letter: char) -> bool {
    letter.is_ascii_alphabetic()
        || !letter.is_ascii() && letter.general_category_group() == GeneralCategoryGroup::Letter
}

fn is_digit(digit: char) -> bool {
    digit.is_ascii_digit()
        || !digit.is_ascii() && digit.general_category() == GeneralCategory::DecimalNumber
}
