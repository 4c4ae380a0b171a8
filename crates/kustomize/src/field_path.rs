//! The paths of replacements: `spec.containers.[name=app].image`, with `*` and indices.

mod matcher;
#[cfg(test)]
mod tests;

use goyaml::{Data, Node};

use crate::error::{Error, Result};
use crate::field_spec::split_path;

pub(crate) use matcher::{Kind, for_each_match};

/// Splits a path at its dots; what stands in brackets stays whole, and a map key sheds its brackets.
// kustomize: kyaml utils.SmarterPathSplitter
pub(crate) fn split(path: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let mut pieces = split_path(path, '.').into_iter();
    while let Some(piece) = pieces.next() {
        if !piece.starts_with('[') || piece.ends_with(']') {
            parts.push(piece);
            continue;
        }
        let mut bracketed = piece;
        for next in pieces.by_ref() {
            bracketed.push('.');
            bracketed.push_str(&next);
            if next.ends_with(']') {
                break;
            }
        }
        let is_condition = bracketed.contains('=');
        parts.push(if is_condition {
            bracketed
        } else {
            bracketed.trim_matches(['[', ']']).to_owned()
        });
    }
    parts
}

/// The node that a path leads to; `*` is no part of such a path, and `-` is the last item of a list.
///
/// # Errors
/// Where a part does not fit what it meets: a key in a list or a text, an index in a map.
// kustomize: kyaml PathGetter
pub(crate) fn lookup<'a>(node: &'a Node, path: &[String]) -> Result<Option<&'a Node>> {
    let mut found = node;
    for part in path
        .iter()
        .map(|part| part.trim())
        .filter(|part| !part.is_empty())
    {
        match step(found, part)? {
            Some(Step::Field(index)) => {
                let Some((_, value)) = found.entries().and_then(|entries| entries.get(index))
                else {
                    return Ok(None);
                };
                found = value;
            }
            Some(Step::Item(index)) => {
                let Some(item) = found.items().and_then(|items| items.get(index)) else {
                    return Ok(None);
                };
                found = item;
            }
            None => return Ok(None),
        }
    }
    Ok(Some(found))
}

/// As [`lookup`], to change.
///
/// # Errors
/// As for [`lookup`].
pub(crate) fn lookup_mut<'a>(node: &'a mut Node, path: &[String]) -> Result<Option<&'a mut Node>> {
    let mut found = node;
    for part in path
        .iter()
        .map(|part| part.trim())
        .filter(|part| !part.is_empty())
    {
        let Some(step) = step(found, part)? else {
            return Ok(None);
        };
        let Some(next) = found.child_mut(&step) else {
            return Ok(None);
        };
        found = next;
    }
    Ok(Some(found))
}

/// As [`lookup_mut`], with what is missing created: maps and lists on the way, a text at its end. Items that an index
/// names are not created, nor is anything below a null.
///
/// # Errors
/// As for [`lookup`].
// kustomize: kyaml LookupCreate
pub(crate) fn lookup_or_create<'a>(
    node: &'a mut Node,
    path: &[String],
) -> Result<Option<&'a mut Node>> {
    let mut found = node;
    let mut parts = path
        .iter()
        .map(|part| part.trim())
        .filter(|part| !part.is_empty())
        .peekable();
    while let Some(part) = parts.next() {
        let step = match step(found, part)? {
            Some(step) => step,
            None if found.is_null() => return Ok(None),
            None => {
                let Some(step) = create(found, part, parts.peek().copied()) else {
                    return Ok(None);
                };
                step
            }
        };
        let Some(next) = found.child_mut(&step) else {
            return Ok(None);
        };
        found = next;
    }
    Ok(Some(found))
}

/// Which child of a node a part of a path means.
enum Step {
    Field(usize),
    Item(usize),
}

trait Child {
    fn child_mut(&mut self, step: &Step) -> Option<&mut Self>;
}

impl Child for Node {
    fn child_mut(&mut self, step: &Step) -> Option<&mut Self> {
        match *step {
            Step::Field(index) => self.entries_mut()?.get_mut(index).map(|(_, value)| value),
            Step::Item(index) => self.items_mut()?.get_mut(index),
        }
    }
}

fn step(node: &Node, part: &str) -> Result<Option<Step>> {
    if let Ok(index) = part.parse::<i64>() {
        let index =
            usize::try_from(index).map_err(|_| Error::new(format!("index {index} is negative")))?;
        let length = items(node)?.map_or(0, <[_]>::len);
        return Ok(Some(index).filter(|index| *index < length).map(Step::Item));
    }
    if part == "-" {
        let last = items(node)?.and_then(|items| items.len().checked_sub(1));
        return last.map(|last| Some(Step::Item(last))).ok_or_else(|| {
            Error::new("the list has no last item").hint(
                "the list is empty; add an item with `options.create: true` or in the resource",
            )
        });
    }
    if part == "*" {
        return Err(Error::new("`*` cannot be used here")
            .hint("name one field; `*` is for the targets of replacements"));
    }
    if is_condition(part) {
        let (key, value) = split_condition(part)?;
        let matches = |item: &Node| {
            let item = if key.is_empty() {
                Some(item)
            } else {
                item.get(key)
            };
            item.is_some_and(|item| item.as_str().unwrap_or_default() == value)
        };
        return Ok(items(node)?
            .and_then(|items| items.iter().position(matches))
            .map(Step::Item));
    }
    field_index(node, part).map(|index| index.map(Step::Field))
}

fn create(node: &mut Node, part: &str, next: Option<&str>) -> Option<Step> {
    if part == "-" || part.parse::<i64>().is_ok() {
        return None;
    }
    match &mut node.data {
        Data::Sequence(items) => {
            let (key, value) = split_condition(part).ok()?;
            items.push(conditioned_item(key, value));
            Some(Step::Item(items.len() - 1))
        }
        Data::Mapping(entries) => {
            let fresh = Kind::of_part(next.unwrap_or_default(), Kind::Scalar).fresh();
            goyaml::push_entry(entries, crate::metadata::untagged(part), fresh);
            Some(Step::Field(entries.len() - 1))
        }
        Data::Scalar(_) | Data::Alias(_) => None,
    }
}

/// An item that satisfies `[key=value]` or, without a key, `[=value]`.
fn conditioned_item(key: &str, value: &str) -> Node {
    let value = crate::metadata::untagged(value);
    if key.is_empty() {
        value
    } else {
        Node::mapping(vec![(Node::string(key), value)])
    }
}

/// The position of a key in a map; nothing for null.
fn field_index(node: &Node, key: &str) -> Result<Option<usize>> {
    match &node.data {
        Data::Mapping(entries) => Ok(entries
            .iter()
            .position(|(name, _)| name.as_str() == Some(key))),
        _ if node.is_null() => Ok(None),
        _ => Err(wrong_kind(
            node,
            &format!("`{key}` is looked for in"),
            "a map",
        )),
    }
}

/// The items of a list; nothing for null.
fn items(node: &Node) -> Result<Option<&[Node]>> {
    match &node.data {
        Data::Sequence(items) => Ok(Some(items)),
        _ if node.is_null() => Ok(None),
        _ => Err(wrong_kind(node, "an item is looked for in", "a list")),
    }
}

fn wrong_kind(node: &Node, what: &str, expected: &str) -> Error {
    let found = match node.data {
        Data::Scalar(_) => "a single value",
        Data::Sequence(_) => "a list",
        Data::Mapping(_) => "a map",
        Data::Alias(_) => "an alias",
    };
    Error::new(format!("{what} {found}, which is not {expected}")).position(node.position)
}

/// Whether a part of a path is `[…]`.
fn is_condition(part: &str) -> bool {
    part.starts_with('[') && part.ends_with(']')
}

/// Splits `[key=value]`.
fn split_condition(part: &str) -> Result<(&str, &str)> {
    let inner = part.strip_suffix(']').unwrap_or(part);
    let inner = inner.strip_prefix('[').unwrap_or(inner);
    inner.split_once('=').ok_or_else(|| {
        Error::new(format!("`{part}` is no condition for the items of a list"))
            .hint("write `[key=value]`, or `[=value]` for a list of plain values")
    })
}

/// Whether nothing is there: null, an empty map or an empty list.
pub(crate) fn is_nil_or_empty(node: &Node) -> bool {
    match &node.data {
        Data::Sequence(items) => items.is_empty(),
        Data::Mapping(entries) => entries.is_empty(),
        Data::Scalar(_) | Data::Alias(_) => node.is_null(),
    }
}
