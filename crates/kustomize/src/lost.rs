//! What kustomize changes in the data without a word: found where it happens, told beside the result.

use std::collections::BTreeSet;

use goyaml::{Alteration, Data, Dialect, Node, Scalar, Tag, Value};

use crate::decode;
use crate::error::Error;
use crate::named_path::NamedPath;
use crate::patches::strategic_merge::{Dropped, Keyless};

/// The largest integer that a 64-bit float has together with all below it.
const EXACT: u64 = 1 << 53;

/// Scalars of an object that mean something else once they are written; no field within one that was filled is named.
pub(crate) fn texts(object: &Node, filled: &[NamedPath]) -> Vec<Error> {
    let mut found = Vec::new();
    // Nearly all objects have none, and no path has to be known to see that.
    if !is_any_altered(object) {
        return found;
    }
    walk(object, &mut NamedPath::default(), &mut |node, path| {
        if let Some(alteration) = node.alteration() {
            let path = path.clone().outside_of(filled);
            found.push(
                altered(alteration)
                    .position(node.position)
                    .field(path.as_str()),
            );
        }
    });
    found
}

/// Whether any scalar of an object means something else once it is written.
pub(crate) fn is_any_altered(node: &Node) -> bool {
    match &node.data {
        Data::Scalar(_) | Data::Alias(_) => node.alteration().is_some(),
        Data::Mapping(entries) => entries.iter().any(|(_, value)| is_any_altered(value)),
        Data::Sequence(items) => items.iter().any(is_any_altered),
    }
}

fn altered(alteration: Alteration) -> Error {
    match alteration {
        Alteration::Folded => Error::new("kustomize adds line breaks to this folded text (`>`)")
            .hint("write it with `|`, or without lines that are indented further"),
        Alteration::NextLine => {
            Error::new("kustomize replaces the character U+0085 (next line) in this text")
                .hint("write a line break in its place")
        }
        Alteration::Date => Error::new("kustomize makes a time of this date")
            .hint("put it in quotes if a text is meant"),
        Alteration::LargeInteger => {
            Error::new("kustomize makes a float of this integer, which changes its digits")
                .hint("put it in quotes if a text is meant")
        }
    }
}

/// As [`texts`], and integers that lose digits because a JSON 6902 patch takes all of the object through floats;
/// `patched` is what the patch makes of it. Integers that come from the patch itself are not found here.
pub(crate) fn in_json(object: &Node, patched: &Value) -> Vec<Error> {
    let mut inexact = Vec::new();
    inexact_integers(patched, &mut inexact);
    let inexact: BTreeSet<i128> = inexact.into_iter().collect();
    let mut found = Vec::new();
    if inexact.is_empty() && !is_any_altered(object) {
        return found;
    }
    walk(object, &mut NamedPath::default(), &mut |node, path| {
        if let Some(alteration) = node.alteration() {
            found.push(
                altered(alteration)
                    .position(node.position)
                    .field(path.as_str()),
            );
        }
        let number = || node.as_str().and_then(|text| text.parse::<i128>().ok());
        let loses_digits = !inexact.is_empty()
            && node.tag == Tag::Int
            && number().is_some_and(|number| inexact.contains(&number));
        if loses_digits {
            found.push(rounded().position(node.position).field(path.as_str()));
        }
    });
    found
}

/// The warning for an integer that loses digits.
pub(crate) fn rounded() -> Error {
    Error::new("kustomize changes the last digits of this integer, because a JSON 6902 patch goes through 64-bit floats")
        .hint("patch the object with a strategic merge patch, which leaves its numbers alone, or put the number in quotes")
}

/// The warning for a word that is no text in a JSON 6902 patch.
pub(crate) fn word() -> Error {
    Error::new(
        "kustomize reads JSON 6902 patches as YAML 1.1, where a word in this value is no text",
    )
    .hint("put it in quotes if a text is meant; otherwise write `true` or `false`")
}

/// Whether the value of an operation has something that is a text in YAML 1.2 and none in YAML 1.1: `yes`, `off`.
pub(crate) fn has_word(value: &Node) -> bool {
    let mut found = false;
    walk(value, &mut NamedPath::default(), &mut |node, _| {
        let resolved = node
            .as_str()
            .map(|text| goyaml::resolve(text, node.tag, node.style, Dialect::V2));
        let is_text = matches!(resolved, None | Some(Ok(Scalar::Text(_)) | Err(_)));
        found |= node.tag == Tag::Str && !is_text;
    });
    found
}

/// The warning for a `tagSuffix` that is added twice.
pub(crate) fn suffix() -> Error {
    Error::new("kustomize adds `tagSuffix` twice to this image, which is in a list of containers")
        .hint("write half of it, or use `newTag`")
}

/// The warning for an element of a list that a strategic merge drops.
pub(crate) fn element(dropped: &Dropped) -> Error {
    Error::new(format!(
        "kustomize drops this item, because another one in the list has the same `{}` and a patch merges the list",
        dropped.keys
    ))
    .position(dropped.position)
    .related("the one that stays stands at", dropped.other)
    .hint("keep one of the two, or patch the object with a JSON 6902 patch")
}

/// The warning for an element of a patch that empties the list it is to be merged into.
pub(crate) fn keyless(keyless: &Keyless) -> Error {
    let keys = &keyless.keys;
    Error::new(format!(
        "kustomize drops items of this list, because this item of the patch has no `{keys}`"
    ))
    .position(keyless.position)
    .related("one that is dropped stands at", keyless.other)
    .hint(format!(
        "give the item the `{keys}` of the one that it changes"
    ))
}

/// The warning for a JSON pointer without a `/` in front.
pub(crate) fn first_part(path: &str) -> Error {
    let taken = path.split_once('/').map_or("", |(_, rest)| rest);
    Error::new(format!(
        "kustomize takes this path for `/{taken}`, because it does not begin with `/`"
    ))
    .hint(format!("write `/{path}`"))
}

/// The warning for an operation without a value.
pub(crate) fn no_value(operation: &str) -> Error {
    Error::new(format!(
        "kustomize writes null here, because this `{operation}` has no `value`"
    ))
    .hint("add a `value`; to take the field away write `op: remove`")
}

/// The warning for a `behavior` that is none.
pub(crate) fn behavior(word: &str) -> Error {
    let known = ["create", "replace", "merge"];
    let near = decode::nearest(word, &known);
    Error::new(format!(
        "kustomize takes `behavior: {word}`, which is none, for `create`"
    ))
    .hint(near.map_or_else(
        || "the behaviors are `create`, `replace` and `merge`".to_owned(),
        |near| format!("did you mean `{near}`?"),
    ))
}

/// The warning for a key of a `ConfigMap` or Secret; which one is not said, because it may be a part of a value.
pub(crate) fn data_key() -> Error {
    Error::new("kustomize makes a key of this that no API server takes")
        .hint("a key is made of letters, digits, `-`, `_` and `.`, and an entry is `key=value`, without `export`")
}

/// The warning for a field of a plugin configuration that does not exist.
pub(crate) fn ignored_field(name: &str, known: &[&str]) -> Error {
    Error::new(format!(
        "kustomize ignores `{name}`, which is no field here"
    ))
    .hint(decode::nearest(name, known).map_or_else(
        || format!("the fields here are {}", known.join(", ")),
        |near| format!("did you mean `{near}`?"),
    ))
}

/// The warning for the end of an env file that is not read.
pub(crate) fn rest_of_env_file() -> Error {
    Error::new("kustomize ends reading this env file here, at a line of 64 KiB or more")
        .hint("hand the value over as one of `files`")
}

/// Whether a value holds an integer that a 64-bit float does not have.
pub(crate) fn is_inexact(value: &Value) -> bool {
    let mut found = Vec::new();
    inexact_integers(value, &mut found);
    !found.is_empty()
}

fn inexact_integers(value: &Value, found: &mut Vec<i128>) {
    match value {
        Value::Int(number) if is_rounded(number.unsigned_abs()) => found.push((*number).into()),
        Value::Uint(number) if is_rounded(*number) => found.push((*number).into()),
        Value::Array(items) => items.iter().for_each(|item| inexact_integers(item, found)),
        Value::Object(entries) => {
            for (_, value) in entries {
                inexact_integers(value, found);
            }
        }
        _ => {}
    }
}

/// Whether a float of this size cannot hold all the digits: those behind the 53 first bits must be zero.
const fn is_rounded(number: u64) -> bool {
    let spare = (u64::BITS - number.leading_zeros()).saturating_sub(EXACT.trailing_zeros());
    number.trailing_zeros() < spare
}

/// Visits every scalar with its path.
fn walk(node: &Node, path: &mut NamedPath, visit: &mut dyn FnMut(&Node, &NamedPath)) {
    let length = path.len();
    match &node.data {
        Data::Scalar(_) | Data::Alias(_) => visit(node, path),
        Data::Mapping(entries) => {
            for (key, value) in entries {
                path.push_key(key.as_str().unwrap_or_default());
                walk(value, path, visit);
                path.truncate(length);
            }
        }
        Data::Sequence(items) => {
            for (index, item) in items.iter().enumerate() {
                path.push_index(index);
                walk(item, path, visit);
                path.truncate(length);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_hold_53_bits() {
        for number in [0, 1, EXACT, EXACT + 2, 1 << 60, !0x7ff] {
            assert!(!is_rounded(number), "{number}");
        }
        for number in [EXACT + 1, (1 << 60) + 1, u64::MAX] {
            assert!(is_rounded(number), "{number}");
        }
    }
}
