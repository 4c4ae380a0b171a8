//! Which scalars come out of go-yaml v3, JSON and go-yaml v2 as something else than they are.

use crate::node::{Data, Node, Style, Tag};
use crate::resolve::{Dialect, Scalar, resolve};
use crate::to_value::reencoded_text;

/// What becomes of a scalar when it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alteration {
    /// A folded text gains or loses line breaks.
    Folded,
    /// A text loses its U+0085, which ends a line for go-yaml v2.
    NextLine,
    /// A date without quotes becomes a time.
    Date,
    /// An integer beyond 64 bits becomes a float, and loses digits.
    LargeInteger,
}

impl Node {
    /// What becomes of a scalar when [`emit_canonical`](crate::emit_canonical) writes it, where that means something else.
    pub fn alteration(&self) -> Option<Alteration> {
        let Data::Scalar(text) = &self.data else {
            return None;
        };
        match self.tag {
            Tag::Timestamp if self.style == Style::PLAIN => {
                // What has a time already is only written another way.
                let is_date = !text.contains(['T', 't']);
                is_date.then_some(Alteration::Date)
            }
            Tag::Float if self.style == Style::PLAIN => {
                let digits = text.trim_start_matches(['+', '-']);
                let is_integer =
                    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
                (is_integer && !is_exact(self)).then_some(Alteration::LargeInteger)
            }
            Tag::Str | Tag::Custom if self.style.contains(Style::FOLDED) => {
                let written = reencoded_text(self)?;
                (written != text.as_str()).then_some(Alteration::Folded)
            }
            // With escapes nothing is lost.
            Tag::Str if self.style.contains(Style::ESCAPED) => None,
            Tag::Str => {
                (!text.is_ascii() && text.contains('\u{85}')).then_some(Alteration::NextLine)
            }
            _ => None,
        }
    }
}

/// Whether the float that a text of digits stands for is that integer.
fn is_exact(node: &Node) -> bool {
    let text = node.as_str().unwrap_or_default();
    match resolve(text, node.tag, node.style, Dialect::V3) {
        Ok(Scalar::Float(number)) => {
            let exact = format!("{number:.0}");
            exact.trim_start_matches('-')
                == text.trim_start_matches(['+', '-']).trim_start_matches('0')
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Limits, parse};

    #[test]
    fn what_means_something_else_is_found() {
        for (text, expected) in [
            ("a: 2020-01-01", Some(Alteration::Date)),
            ("a: 2020-01-01 10:00:00", Some(Alteration::Date)),
            ("a: '2020-01-01'", None),
            ("a: 2020-01-01T10:00:00.00Z", None),
            (
                "a: 123456789012345678901234",
                Some(Alteration::LargeInteger),
            ),
            ("a: 100000000000000000000", None),
            ("a: 18446744073709551615", None),
            ("a: 1.25", None),
            ("a: 0440", None),
            ("a: >\n  one\n    two\n  three\n", Some(Alteration::Folded)),
            ("a: >\n  one\n  two\n\n  three\n", None),
            ("a: |\n  one\n    two\n", None),
            ("a: \"x\\Ny\"", Some(Alteration::NextLine)),
            ("a: é", None),
            ("a: {}", None),
        ] {
            let node = parse(text.as_bytes(), &Limits::default()).unwrap().unwrap();
            assert_eq!(node.get("a").unwrap().alteration(), expected, "{text}");
        }
    }
}
