//! What stands in brackets.

use super::{NOTHING, escape};

/// The names that may stand in `[:…:]`.
const NAMES: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct",
    "space", "upper", "word", "xdigit",
];

/// Writes the class that a text begins with; gives what follows it.
///
/// # Errors
/// Where it has no end, and where something in it is not known.
// Go: parser.parseClass
pub(super) fn translate<'a>(text: &'a str, out: &mut String) -> Result<&'a str, &'static str> {
    let mut rest = text.strip_prefix('[').unwrap_or(text);
    out.push('[');
    if let Some(after) = rest.strip_prefix('^') {
        rest = after;
        out.push('^');
    }
    let mut is_first = true;
    loop {
        if let Some(after) = rest.strip_prefix(']').filter(|_| !is_first) {
            out.push(']');
            return Ok(after);
        }
        is_first = false;
        if let Some((inner, after)) = rest
            .strip_prefix("[:")
            .and_then(|named| named.split_once(":]"))
        {
            if !NAMES.contains(&inner.strip_prefix('^').unwrap_or(inner)) {
                return Err("an unknown class between `[:` and `:]`");
            }
            out.push_str("[:");
            out.push_str(inner);
            out.push_str(":]");
            rest = after;
        } else if let Some((set, after)) = escape::set(rest)? {
            out.push_str(&set);
            rest = after;
        } else {
            rest = range(rest, out)?;
        }
    }
}

/// A character or a range of them.
fn range<'a>(text: &'a str, out: &mut String) -> Result<&'a str, &'static str> {
    let (low, mut rest) = character(text)?;
    let mut high = low;
    if let Some(after) = rest.strip_prefix('-')
        && !after.is_empty()
        && !after.starts_with(']')
    {
        (high, rest) = character(after)?;
        if high < low {
            return Err("a range that ends before it begins");
        }
    }
    // Surrogates are in no text, and no bounds either.
    let low = char::from_u32(low).unwrap_or('\u{E000}');
    let high = char::from_u32(high).unwrap_or('\u{D7FF}');
    if low > high {
        out.push_str(NOTHING);
        return Ok(rest);
    }
    escape::push_literal(out, low);
    if low < high {
        out.push('-');
        escape::push_literal(out, high);
    }
    Ok(rest)
}

fn character(text: &str) -> Result<(u32, &str), &'static str> {
    if text.starts_with('\\') {
        return escape::character(text);
    }
    let mut characters = text.chars();
    let character = characters.next().ok_or("a `]` is missing")?;
    Ok((u32::from(character), characters.as_str()))
}
