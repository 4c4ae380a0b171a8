//! Texts that go-yaml's usual styles do not give back to every reader.

use crate::emit::{Place, Shape};
use crate::node::{Data, Node, Style, Tag};
use crate::to_value::ToValue;

impl Node {
    /// Sets [`Style::ESCAPED`] on every text below that kustomize would write in a way that some reader of YAML takes for
    /// another text or for none: with line ends that only YAML 1.1 knows, with characters that YAML refuses unless they are
    /// escaped, or changed by one of the writers and readers that it goes through.
    pub fn protect(&mut self) {
        match &mut self.data {
            Data::Alias(_) => {}
            Data::Scalar(_) => {
                if is_fragile(self) {
                    self.tag = Tag::Str;
                    self.style = Style::ESCAPED;
                }
            }
            Data::Sequence(items) => items.iter_mut().for_each(Self::protect),
            Data::Mapping(entries) => entries.iter_mut().for_each(|(_, value)| value.protect()),
        }
    }
}

impl Node {
    /// Whether a key below is a text that [`Self::protect`] would have to escape, which it cannot: keys have no style.
    pub fn has_fragile_key(&self) -> bool {
        match &self.data {
            Data::Alias(_) | Data::Scalar(_) => false,
            Data::Sequence(items) => items.iter().any(Self::has_fragile_key),
            Data::Mapping(entries) => entries
                .iter()
                .any(|(key, value)| is_fragile(key) || value.has_fragile_key()),
        }
    }
}

fn is_fragile(node: &Node) -> bool {
    let text = node.as_str().unwrap_or_default();
    text.contains(is_foreign)
        || match ToValue::REENCODED.shape(node, Place::default()) {
            Ok(Shape::Text(written)) => node.tag == Tag::Str && written != text,
            Ok(_) => false,
            Err(_) => true,
        }
}

/// Whether a character ends a line for some readers only, or may not stand in a text as it is.
const fn is_foreign(character: char) -> bool {
    matches!(
        character,
        '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
    )
}

#[cfg(test)]
mod tests {
    use crate::{Data, Limits, Node, Style, Tag, emit_canonical, parse};

    fn protected(text: &str, style: Style) -> Node {
        let mut node = Node::new(Data::Scalar(text.into()), Tag::Str, style);
        node.protect();
        node
    }

    #[test]
    fn what_every_reader_reads_alike_keeps_its_style() {
        for text in [
            "", "a", "a: b", "a\nb\n", " a\n", "\ta", "a\tb", "\r", "\u{1}", "é😀", "'", "---\n",
        ] {
            let style = if text.contains('\n') {
                Style::LITERAL
            } else {
                Style::PLAIN
            };
            assert_eq!(protected(text, style).style, style, "{text:?}");
        }
    }

    #[test]
    fn what_is_escaped_comes_back() {
        for text in [
            "\u{85}",
            "a\u{2028}b",
            "\u{2029}\n",
            "\u{7f}",
            "\u{9f}",
            "\u{feff}a",
            "a\u{feff}",
            "\u{fffe}",
            "\t\n",
            "é\u{85}\"\\",
        ] {
            let style = if text.contains('\n') {
                Style::LITERAL
            } else {
                Style::PLAIN
            };
            let node = protected(text, style);
            assert_eq!(node.style, Style::ESCAPED, "{text:?}");
            let map = Node::new(
                Data::Mapping(vec![(Node::string("a"), node)]),
                Tag::Map,
                Style::PLAIN,
            );
            let mut out = String::new();
            emit_canonical(&map, &mut out).unwrap();
            assert!(
                out.starts_with("a: \"") && out.lines().count() == 1,
                "{out}"
            );
            let read = parse(out.as_bytes(), &Limits::default()).unwrap().unwrap();
            assert_eq!(read.get("a").and_then(Node::as_str), Some(text), "{out}");
        }
    }
}
