//! Rows in columns, for people.

use crate::failure::printable_name;

/// The rows in columns that are as wide as they need to be, each line behind an indentation.
pub(super) fn text<const COLUMNS: usize>(indent: &str, rows: &[[String; COLUMNS]]) -> String {
    let rows: Vec<[String; COLUMNS]> = rows
        .iter()
        .map(|row| row.each_ref().map(|cell| printable_name(cell)))
        .collect();
    let mut widths = [0; COLUMNS];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let mut text = String::new();
    for row in &rows {
        let mut line = indent.to_owned();
        for (width, cell) in widths.iter().zip(row) {
            line.push_str(cell);
            let blanks = width - cell.chars().count() + 2;
            line.extend(std::iter::repeat_n(' ', blanks));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["a", "b"], ["longer", ""], ["\u{fc}\n", "c"]];
        let rows = rows.map(|row| row.map(str::to_owned));
        assert_eq!(
            text("  ", &rows),
            "  a       b\n  longer\n  \u{fc}\u{fffd}      c\n"
        );
    }
}
