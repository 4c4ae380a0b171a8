//! What the parser says of a policy, with the field that it says it of.

use goyaml::{Node, parse_documents};

use super::{Fault, HINT};
use crate::settings::manifest::LIMITS;
use crate::settings::policy::plain;

/// How the parser begins where a value is of another kind, how that is told, and what to do.
const KINDS: [(&str, &str, &str); 6] = [
    (
        "expected sequence",
        "has to be a list",
        "write entries between `[` and `]`, or one a line behind `- `",
    ),
    (
        "expected mapping",
        "has to be a map",
        "write its fields below it",
    ),
    (
        "expected string",
        "has a list or a map where one value belongs",
        "write one value there, without `[` and `{`",
    ),
    (
        "cannot deserialize null",
        "has no value",
        "give it one, or leave the field out",
    ),
    (
        "invalid bool",
        "has to be `true` or `false`",
        "write `true` or `false`, without quotes",
    ),
    (
        "invalid u",
        "has to be a whole number, and none below 0",
        "write digits alone, at most 4294967295",
    ),
];
const FIELDS: &str = "docs/controller.md lists the fields";

/// The fault that the parser found.
pub(super) fn fault(error: &serde_saphyr::Error, text: &str) -> Fault {
    let number = |number: u64| u32::try_from(number).unwrap_or_default();
    let location = error.location();
    let line = location.map_or(0, |location| number(location.line()));
    let column = location.map_or(0, |location| number(location.column()));
    let said = plain(error);
    let field = field(text, (line, column));
    let kind = KINDS.iter().find(|(start, ..)| said.starts_with(start));
    let (message, hint) = match (kind, field) {
        (Some((_, message, hint)), Some(field)) => (format!("`{field}` {message}"), *hint),
        (None, Some(field)) => (format!("`{field}` is not valid: {said}"), FIELDS),
        (_, None) if said.contains(" field `") => {
            (format!("the policy is not valid: {said}"), FIELDS)
        }
        (_, None) => (format!("the policy is not valid: {said}"), HINT),
    };
    Fault {
        line,
        ..Fault::new(message, hint)
    }
}

/// The field whose value stands at a place, with those around it.
fn field(text: &str, place: (u32, u32)) -> Option<String> {
    let documents = parse_documents(text.as_bytes(), &LIMITS).ok()?;
    let mut path = path(documents.first()?, place)?;
    path.reverse();
    (!path.is_empty()).then(|| path.join("."))
}

/// The names of the fields around a place, the innermost first.
fn path<'n>(node: &'n Node, place: (u32, u32)) -> Option<Vec<&'n str>> {
    let of_entry = |(key, value): &'n (Node, Node)| {
        // A value that is not written has its place directly behind the key.
        let is_behind = |key: &Node| {
            let (line, column) = place;
            value.is_null() && key.position.line == line && key.position.column < column
        };
        let inner = match path(value, place) {
            None if !is_behind(key) => return None,
            inner => inner,
        };
        let mut path = inner.unwrap_or_default();
        path.push(key.as_str()?);
        Some(path)
    };
    let entries = node.entries().unwrap_or_default().iter();
    let mut items = node.items().unwrap_or_default().iter();
    let is_here = (node.position.line, node.position.column) == place;
    // Of several in a line the last one that can be meant is.
    entries
        .rev()
        .find_map(of_entry)
        .or_else(|| items.find_map(|item| path(item, place)))
        .or_else(|| is_here.then(Vec::new))
}
