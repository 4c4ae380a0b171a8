//! Documents: every reader, and every writer behind it.

use goyaml::{
    Dialect, Limits, Node, Value, emit, emit_canonical, encode, is_one_document, parse,
    parse_documents, parse_documents_with_comments, parse_with_comments,
};

use super::{Fault, Outcome};
use crate::random::Random;
use crate::seeds::Seeds;
use crate::text::{mutate, window};
use crate::tree::Tree;

/// Documents above this size are cut.
const LARGE: usize = 1_500;
/// What an execution may ask for is little, so that there are many of them.
const LIMITS: Limits = Limits {
    bytes: 1 << 20,
    depth: 1_000,
    alias_nodes: 10_000,
};

pub(super) fn make(random: &mut Random, seeds: &Seeds) -> Tree {
    let seed = random.of_list(&seeds.documents);
    let seed = seed.map_or(&[][..], |seed| seed.as_slice());
    let mut bytes = if seed.len() > LARGE {
        window(seed, random).to_vec()
    } else {
        seed.to_vec()
    };
    mutate(&mut bytes, random, seeds);
    Tree::of_document(bytes)
}

pub(super) fn check(bytes: &[u8]) -> Result<Outcome, Fault> {
    drop(is_one_document(bytes));
    drop(Value::from_json(bytes));
    drop(Node::from_json(bytes, LIMITS.depth));
    check_first(bytes)?;
    let kept = parse_documents_with_comments(bytes, &LIMITS);
    match parse_documents(bytes, &LIMITS) {
        Ok(documents) => {
            let kept = kept.map_err(|error| Fault::new("comments refuse", error.to_string()))?;
            same("comments change the number", &documents.len(), &kept.len())?;
            let checked = documents.iter().map(check_document);
            checked.collect::<Result<(), Fault>>()?;
            Ok(Outcome::Accepted)
        }
        Err(error) => {
            let told = error.to_string();
            same("comments change an error", &Some(error), &kept.err())?;
            Ok(Outcome::Refused(told))
        }
    }
}

/// The first document as it stands, aliases and all.
fn check_first(bytes: &[u8]) -> Result<(), Fault> {
    match (parse(bytes, &LIMITS), parse_with_comments(bytes, &LIMITS)) {
        (Ok(Some(mut plain)), Ok(Some(kept))) => {
            drop(encode(&kept));
            same(
                "comments change a document",
                &json_of(&plain),
                &json_of(&kept),
            )?;
            drop(plain.to_value(Dialect::V2));
            drop(plain.expand_aliases(&LIMITS));
            Ok(())
        }
        (Ok(None), Ok(None)) => Ok(()),
        (plain, kept) => same("comments change an error", &plain.err(), &kept.err()),
    }
}

fn json_of(node: &Node) -> Result<String, goyaml::Error> {
    node.to_value(Dialect::V3).map(|value| value.to_json())
}

/// Writes a document, and reads and writes that again.
fn check_document(node: &Node) -> Result<(), Fault> {
    drop(encode(node));
    drop(node.to_reencoded_value());
    check_json(node)?;
    let unique = node.check_unique_keys();
    let Ok(written) = written(node) else {
        return Ok(());
    };
    if unique.is_err() {
        return Err(Fault::new("a key twice is written", written));
    }
    check_text(&written)?;
    check_value(node, &written)
}

/// Makes sure that what was written has the value that it was written of.
fn check_value(node: &Node, text: &str) -> Result<(), Fault> {
    let Ok(Some(again)) = parse(text.as_bytes(), &LIMITS) else {
        return Ok(());
    };
    // A negative zero loses its sign.
    let value = |node: &Node| {
        let value = node.to_reencoded_value();
        value.map(|value| {
            [",", "]", "}"].iter().fold(value.to_json(), |text, end| {
                [":", "[", ","].iter().fold(text, |text, start| {
                    text.replace(&format!("{start}-0{end}"), &format!("{start}0{end}"))
                })
            })
        })
    };
    match (value(node), value(&again)) {
        (Ok(one), Ok(other)) if one != other && !is_unreadable(text) && !has_next_line(node) => {
            Err(Fault::new(
                "what is written means something else",
                format!("{one}\n{other}\n{text}"),
            ))
        }
        _ => Ok(()),
    }
}

/// Makes sure that a text that was written reads as what it was written of.
pub(super) fn check_text(text: &str) -> Result<(), Fault> {
    let fault = |kind: &str, seen: &str| Fault::new(kind, format!("{seen}\n{text}"));
    let again = match parse_documents(
        text.as_bytes(),
        &Limits {
            bytes: 1 << 28,
            ..LIMITS
        },
    ) {
        Ok(again) => again,
        Err(_) if is_unreadable(text) => return Ok(()),
        Err(error) => return Err(fault("what is written cannot be read", &error.to_string())),
    };
    let [again] = again.as_slice() else {
        // A null alone is no document.
        return if again.is_empty() {
            Ok(())
        } else {
            Err(fault("what is written is several", ""))
        };
    };
    match written(again) {
        Ok(second) if second == text || is_unreadable(text) => {}
        Ok(second) => return Err(fault("what is written is written otherwise", &second)),
        Err(error) => return Err(fault("what is read cannot be written", &error.to_string())),
    }
    Ok(())
}

/// Whether a text that was written has what kustomize's writer writes and its reader does not read as it was: a block
/// scalar that begins with a tab, whose indentation the writer does not tell, and the key `<<`, which it does not quote.
fn is_unreadable(text: &str) -> bool {
    text.contains("\n\t") || text.contains(" \t") || text.contains("<<:")
}

/// Whether a text of a document holds a next-line character, which the way through the writer folds.
fn has_next_line(node: &Node) -> bool {
    // Whatever else is in it: a value is not to be had of every document.
    format!("{node:?}").contains("\\u{85}")
}

fn written(node: &Node) -> Result<String, goyaml::Error> {
    let mut text = String::new();
    emit_canonical(node, &mut text).map(|()| text)
}

/// Writes the value of a document as JSON, and reads that again.
fn check_json(node: &Node) -> Result<(), Fault> {
    let Ok(value) = node.to_value(Dialect::V2) else {
        return Ok(());
    };
    drop(emit(&value));
    let text = value.to_json();
    let again = Value::from_json(text.as_bytes());
    let again =
        again.map_err(|error| Fault::new("JSON cannot be read", format!("{error}\n{text}")))?;
    same("JSON is written otherwise", &text, &again.to_json())?;
    drop(Node::from_value(&value));
    Ok(())
}

fn same<T: PartialEq + std::fmt::Debug>(kind: &str, one: &T, other: &T) -> Result<(), Fault> {
    if one == other {
        Ok(())
    } else {
        Err(Fault::new(kind, format!("{one:?}\n{other:?}")))
    }
}
