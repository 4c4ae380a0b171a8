//! All the places that a path with `*` and patterns leads to.

use goyaml::{Data, Limits, Node, Style, Tag};
use regex::Regex;

use super::{conditioned_item, field_index, is_condition, items, split_condition, wrong_kind};
use crate::error::{Error, Result};
use crate::re2;

/// What is created at the end of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A text.
    Scalar,
    /// A list.
    Sequence,
    /// A map.
    Mapping,
}

impl Kind {
    /// The kind of a node.
    pub(crate) const fn of(node: &Node) -> Self {
        match node.data {
            Data::Scalar(_) | Data::Alias(_) => Self::Scalar,
            Data::Sequence(_) => Self::Sequence,
            Data::Mapping(_) => Self::Mapping,
        }
    }

    /// The kind of what a part of a path is looked for in; `last` where there is no further part.
    // kustomize: kyaml getPathPartKind
    pub(super) fn of_part(next: &str, last: Self) -> Self {
        if is_condition(next) || index(next).is_some() {
            Self::Sequence
        } else if next.is_empty() {
            last
        } else {
            Self::Mapping
        }
    }

    pub(super) fn fresh(self) -> Node {
        match self {
            Self::Scalar => Node::untyped(""),
            Self::Sequence => Node::sequence(Vec::new()),
            Self::Mapping => Node::mapping(Vec::new()),
        }
    }
}

/// Calls `visit` for every node that the path leads to and says for how many it did.
///
/// Conditions are regular expressions that need not match the whole text. With `create`, what is missing comes into
/// being on the way; its kind is that of the node at the end.
///
/// # Errors
/// Where a part of the path does not fit what it meets, and what `visit` returns.
// kustomize: kyaml PathMatcher
pub(crate) fn for_each_match(
    node: &mut Node,
    path: &[String],
    create: Option<Kind>,
    visit: &mut dyn FnMut(&mut Node) -> Result<()>,
) -> Result<usize> {
    Matcher { create, visit }.walk(node, path)
}

struct Matcher<'a> {
    create: Option<Kind>,
    visit: &'a mut dyn FnMut(&mut Node) -> Result<()>,
}

impl Matcher<'_> {
    fn walk(&mut self, node: &mut Node, path: &[String]) -> Result<usize> {
        let Some((part, rest)) = path.split_first() else {
            (self.visit)(node)?;
            return Ok(1);
        };
        if let Some(index) = index(part) {
            return self.item(node, index, rest);
        }
        if is_condition(part) {
            return self.matching_items(node, part, rest);
        }
        if part == "*" {
            items(node)?;
            let items = node.items_mut().map(Vec::as_mut_slice).unwrap_or_default();
            return items
                .iter_mut()
                .try_fold(0, |count, item| Ok(count + self.walk(item, rest)?));
        }
        self.field(node, part, rest)
    }

    fn field(&mut self, node: &mut Node, key: &str, rest: &[String]) -> Result<usize> {
        if key.is_empty() {
            return Err(wrong_kind(
                node,
                "an empty part of the path meets",
                "what it could name",
            ));
        }
        if let Some(index) = field_index(node, key)? {
            let Some((_, value)) = node
                .entries_mut()
                .and_then(|entries| entries.get_mut(index))
            else {
                return Ok(0);
            };
            return if value.is_scalar() && !rest.is_empty() {
                self.within_text(value, rest)
            } else {
                self.walk(value, rest)
            };
        }
        let Some(last) = self.create else {
            return Ok(0);
        };
        let mut fresh = Kind::of_part(rest.first().map_or("", String::as_str), last).fresh();
        let count = self.walk(&mut fresh, rest)?;
        // kustomize: what is created below a null is lost, because kyaml hangs it onto a scalar.
        if let Some(entries) = node.entries_mut() {
            // kustomize: a created key has no tag, so that one that reads as a number is one.
            goyaml::push_entry(entries, crate::metadata::untagged(key), fresh);
        }
        Ok(count)
    }

    // kustomize: PathMatcher.handleStructuredDataInScalar changes a copy that nobody writes back.
    fn within_text(&mut self, value: &Node, rest: &[String]) -> Result<usize> {
        let mut inner = parse_text(value)?;
        self.walk(&mut inner, rest)
    }

    fn item(&mut self, node: &mut Node, index: usize, rest: &[String]) -> Result<usize> {
        let length = items(node)?.map_or(0, <[_]>::len);
        if let Some(item) = node.items_mut().and_then(|items| items.get_mut(index)) {
            return self.walk(item, rest);
        }
        match self.create {
            Some(last) if index == length => {
                let mut fresh =
                    Kind::of_part(rest.first().map_or("", String::as_str), last).fresh();
                let count = self.walk(&mut fresh, rest)?;
                if let Some(items) = node.items_mut() {
                    items.push(fresh);
                }
                Ok(count)
            }
            _ => Err(
                Error::new(format!("there is no item {index} in a list of {length}"))
                    .position(node.position),
            ),
        }
    }

    fn matching_items(&mut self, node: &mut Node, part: &str, rest: &[String]) -> Result<usize> {
        let condition = Condition::new(part)?;
        items(node)?;
        let mut count = 0;
        for item in node.items_mut().map(Vec::as_mut_slice).unwrap_or_default() {
            count += self.matching_item(item, &condition, rest)?;
        }
        if count > 0 || self.create.is_none() {
            return Ok(count);
        }
        let mut fresh = conditioned_item(condition.key, condition.value);
        let count = self.matching_item(&mut fresh, &condition, rest)?;
        if count == 0 {
            return Err(
                Error::new(format!("an item created for `{part}` would not satisfy it"))
                    .hint("with `create`, write the value itself rather than a regular expression"),
            );
        }
        if let Some(items) = node.items_mut() {
            items.push(fresh);
        }
        Ok(count)
    }

    fn matching_item(
        &mut self,
        item: &mut Node,
        condition: &Condition<'_>,
        rest: &[String],
    ) -> Result<usize> {
        if !condition.matches(item)? {
            return Ok(0);
        }
        // kustomize: PathMatcher.visitPrimitiveElem ends the path at a plain item, whatever follows.
        self.walk(item, if condition.key.is_empty() { &[] } else { rest })
    }
}

/// `[key=pattern]`
struct Condition<'a> {
    key: &'a str,
    value: &'a str,
    pattern: Pattern<'a>,
}

enum Pattern<'a> {
    /// A pattern without special characters is a text to find.
    Text(&'a str),
    Regex(Regex),
}

impl<'a> Condition<'a> {
    fn new(part: &'a str) -> Result<Self> {
        let (key, value) = split_condition(part)?;
        let is_text = value
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'/' | b':'));
        let pattern = if is_text {
            Pattern::Text(value)
        } else {
            let regex = re2::compile(value).map_err(|_| {
                Error::new(format!("`{value}` is not a regular expression"))
                    .hint("write it in RE2 syntax")
            })?;
            Pattern::Regex(regex)
        };
        Ok(Self {
            key,
            value,
            pattern,
        })
    }

    /// Whether an item, as it is written in YAML with its comments, satisfies the condition.
    fn matches(&self, item: &Node) -> Result<bool> {
        let compared = if self.key.is_empty() {
            Some(item)
        } else {
            item.get(self.key)
        };
        let Some(compared) = compared else {
            return Ok(false);
        };
        let is_match = |text: &str| match &self.pattern {
            Pattern::Text(wanted) => text.contains(wanted),
            Pattern::Regex(regex) => regex.is_match(text),
        };
        if let Some(text) = compared
            .as_str()
            .filter(|text| is_written_as_it_is(compared, text))
        {
            return Ok(is_match(text));
        }
        let text = goyaml::encode(compared).map_err(|error| Error::malformed(&error))?;
        Ok(is_match(text.trim()))
    }
}

/// Whether the writer surely leaves a scalar as it is; most conditions are on names.
fn is_written_as_it_is(node: &Node, text: &str) -> bool {
    node.style == Style::PLAIN
        && node.tag == Tag::Str
        && text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'/' | b'.'))
        && goyaml::implicit_tag(text) == Tag::Str
        && node.anchor().is_none()
        && node.comments().is_none()
}

/// Reads the YAML or JSON in a text.
///
/// # Errors
/// Where it is none, or nothing.
fn parse_text(node: &Node) -> Result<Node> {
    let text = node.as_str().unwrap_or_default();
    let parsed = goyaml::parse(text.as_bytes(), &Limits::default());
    // What is wrong with it is not said, because that might show a value.
    let parsed = parsed.ok().flatten();
    parsed.ok_or_else(|| {
        Error::new("the path leads into a text that holds neither YAML nor JSON")
            .position(node.position)
            .hint("end the path at the field, or correct the text")
    })
}

/// Reads an index of a list.
fn index(part: &str) -> Option<usize> {
    part.parse::<i64>()
        .ok()
        .and_then(|index| usize::try_from(index).ok())
}
