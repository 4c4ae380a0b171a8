//! What Kubernetes lets labels be called and say.

use crate::settings::object::is_subdomain;

/// As long as the name and the value of a label may be.
const LONGEST: usize = 63;

/// Whether a text can be the key of a label: a name, with a domain and `/` in front or not.
pub(super) fn is_key(text: &str) -> bool {
    match text.split_once('/') {
        Some((domain, name)) => is_subdomain(domain) && is_value(name),
        None => is_value(text),
    }
}

/// Whether a text can be the value of a label, and is not empty.
pub(super) fn is_value(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_end = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let is_inner = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    text.len() <= LONGEST
        && is_end(bytes.first())
        && is_end(bytes.last())
        && bytes.iter().all(is_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_values() {
        let long = "a".repeat(LONGEST);
        for text in ["a", "A.b_c-1", "1", &long] {
            assert!(is_value(text) && is_key(text), "{text}");
            assert!(is_key(&format!("a.example.org/{text}")), "{text}");
        }
        let longer = "a".repeat(LONGEST + 1);
        for text in ["", "-a", "a-", "a b", "a/", "/a", "é", "a*", &longer] {
            assert!(!is_value(text) && !is_key(text), "{text}");
            assert!(!is_key(&format!("example.org/{text}")), "{text}");
        }
        for text in ["a/b/c", "Example.org/a", "a_b/c", "-a/b"] {
            assert!(!is_key(text), "{text}");
        }
    }
}
