//! Where the text of a scalar stands, so that a place within the text can be told as a place in the file.

use crate::node::{Data, Node, Position, Style};

/// Where the text of a scalar stands in its file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TextPlace {
    /// Where the scalar begins.
    position: Position,
    /// How far its lines are indented; zero where they are not one by one those of the file.
    indent: u8,
    /// Lines of the scalar that are not in the text, because it was trimmed.
    skipped: u32,
}

impl TextPlace {
    /// A text of which only the beginning is known.
    pub const fn at(position: Position) -> Self {
        Self {
            position,
            indent: 0,
            skipped: 0,
        }
    }

    /// The same for what is left of the scalar after its first lines.
    #[must_use]
    pub const fn skip_lines(self, lines: u32) -> Self {
        Self {
            skipped: self.skipped.saturating_add(lines),
            ..self
        }
    }

    /// Where the scalar begins.
    pub const fn position(self) -> Position {
        self.position
    }

    /// The place in the file of a place in the text: exactly in a block that keeps its lines (`|`), where the scalar
    /// begins in any other.
    pub const fn locate(self, inner: Position) -> Position {
        if self.indent == 0 || inner.line == 0 {
            return self.position;
        }
        let indent = if inner.column == 0 { 0 } else { self.indent };
        Position {
            line: self
                .position
                .line
                .saturating_add(self.skipped)
                .saturating_add(inner.line),
            column: inner.column.saturating_add(indent as u32),
            file: self.position.file,
        }
    }
}

impl Node {
    /// Where the text of this scalar stands.
    pub const fn text_place(&self) -> TextPlace {
        TextPlace {
            position: self.position,
            indent: self.indent,
            skipped: 0,
        }
    }

    /// Says of the node and all below it that they were read from the text of a scalar that stands at `place`.
    pub fn set_text_place(&mut self, place: TextPlace) {
        self.for_each_place(&mut |position, indent| {
            *position = place.locate(*position);
            *indent = match (*indent, place.indent) {
                (0, _) | (_, 0) => 0,
                // Zero, should the sum be too large, says that lines are not known.
                (inner, outer) => inner.checked_add(outer).unwrap_or_default(),
            };
        });
    }

    /// Takes the places of another tree for what stands at the same path in both.
    pub fn copy_places(&mut self, from: &Self) {
        self.position = from.position;
        self.indent = from.indent;
        match (&mut self.data, &from.data) {
            (Data::Sequence(items), Data::Sequence(others)) => {
                for (item, other) in items.iter_mut().zip(others) {
                    item.copy_places(other);
                }
            }
            (Data::Mapping(entries), Data::Mapping(_)) => {
                for (key, value) in entries {
                    let name = key.as_str();
                    let others = from.entries().unwrap_or_default();
                    if let Some((other_key, other)) =
                        others.iter().find(|(other, _)| other.as_str() == name)
                    {
                        key.copy_places(other_key);
                        value.copy_places(other);
                    }
                }
            }
            _ => {}
        }
    }

    /// Notes how far the lines of a block that keeps them are indented.
    pub(crate) fn set_indent(&mut self, indent: u8) {
        if self.style.contains(Style::LITERAL) {
            self.indent = indent;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Limits, parse};

    fn read(text: &str) -> Node {
        parse(text.as_bytes(), &Limits::default()).unwrap().unwrap()
    }

    fn located(text: &str, inner: Position) -> (u32, u32) {
        let node = read(text);
        let found = node.get("a").unwrap().text_place().locate(inner);
        (found.line, found.column)
    }

    #[test]
    fn a_line_of_a_literal_block_is_a_line_of_the_file() {
        assert_eq!(located("a: |\n  one\n  two\n", Position::at(2, 1)), (3, 3));
        assert_eq!(located("a: |\n\n    one\n", Position::at(2, 2)), (3, 6));
        assert_eq!(
            located("# x\na: &x |2-\n    one\n", Position::at(1, 3)),
            (3, 5)
        );
        assert_eq!(located("a: |\n  one\n", Position::at(1, 0)), (2, 0));
    }

    #[test]
    fn other_scalars_only_tell_where_they_begin() {
        for text in ["a: >\n  one\n  two\n", "a: 'one\n  two'", "a: one\n  two"] {
            assert_eq!(located(text, Position::at(2, 1)), (1, 4), "{text}");
        }
        assert_eq!(
            located("a: !!str\n  |\n  one\n", Position::at(1, 1)),
            (1, 4)
        );
    }

    #[test]
    fn a_text_within_a_text_is_found_too() {
        let outer = read("a: |\n  b: |\n    c: 1\n  d: >\n    e: 1\n");
        let place = outer.get("a").unwrap().text_place();
        let mut inner = read(outer.get("a").unwrap().as_str().unwrap());
        inner.set_text_place(place);
        let at = |key: &str, inner_place| inner.get(key).unwrap().text_place().locate(inner_place);
        assert_eq!(at("b", Position::at(1, 4)), Position::at(3, 8));
        assert_eq!(at("d", Position::at(1, 4)), Position::at(4, 6));
    }

    #[test]
    fn lines_in_front_of_the_text_count() {
        let node = read("a: |\n\n\n  one\n");
        let place = node.get("a").unwrap().text_place().skip_lines(2);
        assert_eq!(place.locate(Position::at(1, 1)), Position::at(4, 3));
    }
}
