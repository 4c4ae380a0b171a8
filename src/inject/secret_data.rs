//! The base64 in which a Secret holds its values.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use goyaml::Text;

/// The text that a value holds in base64; `None` where it holds none.
pub(super) fn decode(text: &str) -> Option<String> {
    let compact: String = text
        .chars()
        .filter(|character| !character.is_ascii_whitespace())
        .collect();
    String::from_utf8(STANDARD.decode(compact).ok()?).ok()
}

/// Encodes a value of a Secret, in lines where it was generated.
pub(super) fn encode(bytes: &[u8], is_wrapped: bool) -> Text {
    if is_wrapped {
        kustomize::base64_lines(bytes)
    } else {
        STANDARD.encode(bytes).into()
    }
}

/// Whether a text is base64 as Kubernetes reads it.
pub(super) fn is_base64(text: &str) -> bool {
    let compact: String = text
        .chars()
        .filter(|character| !matches!(character, '\n' | '\r'))
        .collect();
    STANDARD.decode(compact).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_those_of_the_generators() {
        let text = |length: usize| "x".repeat(length);
        assert_eq!(encode(text(51).as_bytes(), true), STANDARD.encode(text(51)));
        let wrapped = encode(text(54).as_bytes(), true);
        assert_eq!(wrapped.lines().map(str::len).collect::<Vec<_>>(), [70, 2]);
        assert!(wrapped.ends_with('\n'));
        assert!(!encode(text(54).as_bytes(), false).contains('\n'));
        assert_eq!(decode(&wrapped), Some(text(54)));
    }
}
