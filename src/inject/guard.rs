//! Keeps a value that a replacement carries around from being read as a placeholder.
//!
//! Replacements copy values out of the overlaid `ConfigMap` before placeholders are filled. Nothing in a value may be read
//! again, so while it travels a mark stands on either side of each character with which a placeholder could begin; when all
//! placeholders are filled the marks are taken away.

use goyaml::{Data, Node, Text};

/// A character that Unicode sets aside for use within a program.
const MARK: char = '\u{fdd0}';

/// The value with marks, `None` where it needs none.
pub(super) fn guarded(value: &str) -> Option<Text> {
    if !value.contains(['$', '{']) {
        return None;
    }
    let mut text = String::with_capacity(value.len() + 8);
    for character in value.chars() {
        if matches!(character, '$' | '{') {
            text.extend([MARK, character, MARK]);
        } else {
            text.push(character);
        }
    }
    Some(text.into())
}

/// Takes the marks out of a tree.
pub(super) fn unguard(node: &mut Node) {
    match &mut node.data {
        Data::Scalar(text) if text.contains(MARK) => {
            *text = text
                .chars()
                .filter(|character| *character != MARK)
                .collect();
        }
        Data::Scalar(_) | Data::Alias(_) => {}
        Data::Sequence(items) => items.iter_mut().for_each(unguard),
        Data::Mapping(entries) => entries.iter_mut().for_each(|(key, value)| {
            unguard(key);
            unguard(value);
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inject::scanner;

    #[test]
    fn a_value_is_never_a_placeholder_whatever_it_is_joined_to() {
        for (before, value, after) in [
            ("", "${{ settings.A }}", ""),
            ("$", "{{ settings.A }}", ""),
            ("", "$", "{{ settings.A }}"),
            ("${", "{", " x }}"),
        ] {
            let joined = format!("{before}{}{after}", guarded(value).unwrap_or_default());
            assert!(!scanner::may_hold_placeholders(&joined), "{joined}");
            let mut node = Node::string(joined);
            unguard(&mut node);
            assert_eq!(
                node.as_str(),
                Some(format!("{before}{value}{after}").as_str())
            );
        }
    }
}
