//! Colours on standard error, for people at a terminal: of the words that begin a line.
//!
//! `NO_COLOR`, `CLICOLOR`, `CLICOLOR_FORCE` and `TERM` count as <https://bixense.com/clicolors> and <https://no-color.org> have them.
//! Standard output is data and never has colours.

use std::borrow::Cow;
use std::io::{self, Write as _};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};

/// The words, as only this program begins a line with them: lines of others are set off.
const LABELS: [(&str, Style); 3] = [
    ("error:", AnsiColor::Red.on_default().bold()),
    ("warning:", AnsiColor::Yellow.on_default().bold()),
    ("hint:", AnsiColor::Cyan.on_default().bold()),
];

/// Writes to standard error.
pub(super) fn tell(text: &str) -> io::Result<()> {
    let stderr = io::stderr();
    let text = match AutoStream::choice(&stderr) {
        ColorChoice::Never => Cow::Borrowed(text),
        _ => Cow::Owned(painted(text)),
    };
    stderr.lock().write_all(text.as_bytes())
}

/// A text with colours.
fn painted(text: &str) -> String {
    text.split_inclusive('\n').map(painted_line).collect()
}

fn painted_line(line: &str) -> Cow<'_, str> {
    let mut labels = LABELS.iter();
    let label = labels.find_map(|(label, style)| Some((label, style, line.strip_prefix(label)?)));
    match label {
        Some((label, style, rest)) => Cow::Owned(format!("{style}{label}{style:#}{rest}")),
        None => Cow::Borrowed(line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_begin_a_line_are_painted_and_nothing_else() {
        let text = "error: a: hint: b\n  error: c\nhint: d\nwarnings\n\nwarning: e";
        let expected = "\u{1b}[1m\u{1b}[31merror:\u{1b}[0m a: hint: b\n  error: c\n\
                        \u{1b}[1m\u{1b}[36mhint:\u{1b}[0m d\nwarnings\n\n\u{1b}[1m\u{1b}[33mwarning:\u{1b}[0m e";
        assert_eq!(painted(text), expected);
        assert_eq!(painted(""), "");
    }
}
