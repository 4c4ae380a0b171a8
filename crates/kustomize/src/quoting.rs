//! Which texts need quotes, as YAML 1.1 and JSON read them.

use goyaml::{Data, Dialect, Limits, Node, Scalar, Style, Tag};

/// Puts a text in quotes where YAML 1.1 would read something else, as whatever sets a field of a map does.
// kustomize: kyaml FieldSetter and IsYaml1_1NonString
pub(crate) fn quote_where_ambiguous(value: &mut Node) {
    let is_text = value.is_untyped() || value.tag == Tag::Str;
    if is_text
        && value.style == Style::PLAIN
        && value
            .as_str()
            .is_some_and(|text| may_be_no_text(text) && reads_as_no_text(text))
    {
        value.style = Style::DOUBLE_QUOTED;
        value.tag = Tag::Str;
    }
}

/// Gives the texts of a tree that was made of values the quotes that go-yaml would write them with.
pub(crate) fn quote_texts_where_needed(node: &mut Node) {
    for_each_text(node, &mut |node| {
        let is_plain = node.as_str().is_some_and(|text| {
            let is_word = text.bytes().all(|byte| {
                byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/')
            });
            let begins_plain = text.starts_with(|first: char| first.is_ascii_alphabetic());
            if is_word && begins_plain {
                !WORDS.iter().any(|word| word.eq_ignore_ascii_case(text))
            } else {
                reads_as_itself(text)
            }
        });
        if !is_plain {
            node.style = Style::DOUBLE_QUOTED;
        }
    });
}

fn for_each_text(node: &mut Node, change: &mut dyn FnMut(&mut Node)) {
    match &mut node.data {
        Data::Mapping(entries) => {
            for (_, value) in entries {
                for_each_text(value, change);
            }
        }
        Data::Sequence(items) => {
            for item in items {
                for_each_text(item, change);
            }
        }
        Data::Scalar(_) if node.tag == Tag::Str => change(node),
        Data::Scalar(_) | Data::Alias(_) => {}
    }
}

/// Whether a text stands for itself without quotes.
fn reads_as_itself(text: &str) -> bool {
    // A plain text is one line.
    if text.is_empty() || text.contains('\n') {
        return false;
    }
    let parsed = goyaml::parse(text.as_bytes(), &Limits::default());
    matches!(parsed, Ok(Some(node)) if node.tag == Tag::Str && node.style == Style::PLAIN && node.as_str() == Some(text)
        && !is_no_text(&node))
}

/// A quick look at what nearly every text fails.
fn may_be_no_text(text: &str) -> bool {
    match text.as_bytes() {
        [] => false,
        [
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'/' | b'$' | b'(',
            rest @ ..,
        ] => {
            (rest.len() < 5 && WORDS.iter().any(|word| word.eq_ignore_ascii_case(text)))
                || text.contains([':', '#'])
        }
        _ => true,
    }
}

/// Words that are no texts in YAML 1.1.
const WORDS: [&str; 9] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];

fn reads_as_no_text(text: &str) -> bool {
    if text.is_empty() || text.contains('\n') {
        return false;
    }
    match goyaml::parse(text.as_bytes(), &Limits::default()) {
        Err(_) => false,
        Ok(None) => true,
        Ok(Some(node)) => is_no_text(&node),
    }
}

/// Whether YAML 1.1 reads something else than a text.
fn is_no_text(node: &Node) -> bool {
    node.as_str().is_none_or(|written| {
        let resolved = goyaml::resolve(written, node.tag, node.style, Dialect::V2);
        !matches!(
            resolved,
            Ok(Scalar::Text(_) | Scalar::Timestamp(_)) | Err(_)
        )
    })
}
