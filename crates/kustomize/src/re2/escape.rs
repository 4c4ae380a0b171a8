//! What a backslash begins.

/// Appends a character so that it stands for itself, within brackets or not.
pub(super) fn push_literal(out: &mut String, character: char) {
    if character.is_ascii_alphanumeric() || !character.is_ascii() {
        out.push(character);
    } else {
        out.push_str(&format_code(u32::from(character)));
    }
}

fn format_code(code: u32) -> String {
    format!("\\x{{{code:X}}}")
}

/// Reads a class such as `\d` or `\pL`, and writes it in brackets; gives what follows as well.
///
/// # Errors
/// Where a Unicode class is unknown.
pub(super) fn set(text: &str) -> Result<Option<(String, &str)>, &'static str> {
    let mut characters = text.chars();
    let (Some('\\'), Some(letter)) = (characters.next(), characters.next()) else {
        return Ok(None);
    };
    let rest = characters.as_str();
    let (inner, is_negated) = match letter {
        'd' => ("0-9", false),
        'D' => ("0-9", true),
        's' => (r"\t\n\f\r\x20", false),
        'S' => (r"\t\n\f\r\x20", true),
        'w' => ("0-9A-Za-z_", false),
        'W' => ("0-9A-Za-z_", true),
        'p' | 'P' => return unicode(rest, letter == 'P').map(Some),
        _ => return Ok(None),
    };
    Ok(Some((bracketed(inner, is_negated), rest)))
}

fn bracketed(inner: &str, is_negated: bool) -> String {
    let negation = if is_negated { "^" } else { "" };
    format!("[{negation}{inner}]")
}

/// Reads what follows `\p` or `\P`.
fn unicode(text: &str, is_negated: bool) -> Result<(String, &str), &'static str> {
    let unknown = "an unknown Unicode class";
    let (name, rest) = if let Some(braced) = text.strip_prefix('{') {
        braced.split_once('}').ok_or(unknown)?
    } else {
        let length = text.chars().next().map_or(0, char::len_utf8);
        text.split_at_checked(length).ok_or(unknown)?
    };
    let (name, is_negated) = match name.strip_prefix('^') {
        Some(name) => (name, !is_negated),
        None => (name, is_negated),
    };
    let inner = match name {
        "Any" => r"\x00-\x{10FFFF}".to_owned(),
        // Go leaves unassigned code points out; surrogates are in no text.
        "C" => r"\p{Cc}\p{Cf}\p{Co}".to_owned(),
        "Cs" => super::NOTHING.to_owned(),
        _ if CATEGORIES.contains(&name) => format!("\\p{{{name}}}"),
        _ if is_script(name) => format!("\\p{{Script={name}}}"),
        _ => return Err(unknown),
    };
    Ok((bracketed(&inner, is_negated), rest))
}

/// General categories, but those that Go takes otherwise.
const CATEGORIES: [&str; 34] = [
    "Cc", "Cf", "Co", "L", "Ll", "Lm", "Lo", "Lt", "Lu", "M", "Mc", "Me", "Mn", "N", "Nd", "Nl",
    "No", "P", "Pc", "Pd", "Pe", "Pf", "Pi", "Po", "Ps", "S", "Sc", "Sk", "Sm", "So", "Z", "Zl",
    "Zp", "Zs",
];

/// Scripts whose names have four letters; other words of four letters are codes, which Go does not know.
const SHORT_SCRIPTS: [&str; 9] = [
    "Ahom", "Cham", "Kawi", "Lisu", "Miao", "Modi", "Newa", "Thai", "Toto",
];

/// Whether a name has the form of a script's name; whether there is one is seen when the pattern is compiled.
fn is_script(name: &str) -> bool {
    let is_word = |word: &str| {
        word.starts_with(|first: char| first.is_ascii_uppercase())
            && word
                .chars()
                .nth(1)
                .is_some_and(|second| second.is_ascii_lowercase())
            && word.chars().all(|letter| letter.is_ascii_alphabetic())
    };
    name.split('_').all(|word| is_word(word) || word == "A")
        && (name.len() != 4 || SHORT_SCRIPTS.contains(&name))
        && regex::Regex::new(&format!("\\p{{Script={name}}}")).is_ok()
}

/// Reads an escaped character: its code, which may be a surrogate's, and what follows.
///
/// # Errors
/// Where Go knows no such escape.
// Go: parser.parseEscape
pub(super) fn character(text: &str) -> Result<(u32, &str), &'static str> {
    let unknown = "an invalid escape sequence";
    let mut characters = text.chars();
    characters.next();
    let letter = characters.next().ok_or("a `\\` at the end")?;
    let rest = characters.as_str();
    let code = match letter {
        'a' => 7,
        'f' => 12,
        'n' => 10,
        'r' => 13,
        't' => 9,
        'v' => 11,
        'x' => return hexadecimal(rest).ok_or(unknown),
        '0'..='7' => return octal(text.get(1..).unwrap_or_default()).ok_or(unknown),
        _ if letter.is_ascii() && !letter.is_ascii_alphanumeric() => u32::from(letter),
        _ => return Err(unknown),
    };
    Ok((code, rest))
}

/// Up to three octal digits; a single one other than zero would be a reference to a group.
fn octal(text: &str) -> Option<(u32, &str)> {
    let length = text
        .bytes()
        .take(3)
        .take_while(|byte| matches!(byte, b'0'..=b'7'))
        .count();
    let (digits, rest) = text.split_at_checked(length)?;
    if digits.len() == 1 && digits != "0" {
        return None;
    }
    Some((u32::from_str_radix(digits, 8).ok()?, rest))
}

/// Two hexadecimal digits, or any number of them in braces.
fn hexadecimal(text: &str) -> Option<(u32, &str)> {
    let (digits, rest) = match text.strip_prefix('{') {
        Some(braced) => braced.split_once('}')?,
        None => text.split_at_checked(2)?,
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let significant = digits.trim_start_matches('0');
    let code = if significant.is_empty() {
        0
    } else {
        u32::from_str_radix(significant, 16).ok()?
    };
    (code <= u32::from(char::MAX)).then_some((code, rest))
}
