//! Schemas that stand in comments: `containers: # {"items": …, "x-kubernetes-patch-strategy": "merge"}`, and which other
//! comments a tree keeps.

use std::collections::BTreeMap;

use goyaml::{Comments, Data, Node, Text, Value};

const SHORTHAND: &str = "$openapi";
const SETTERS: &str = "#/definitions/io.k8s.cli.setters.";

/// The schemas in the comments of some trees, by the comments' texts.
pub(super) struct CommentSchemas(BTreeMap<Text, Node>);

impl CommentSchemas {
    /// The schemas in the comments of trees, whose roots say whether to look.
    pub(super) fn of(roots: &[&Node]) -> Option<Self> {
        if roots.iter().all(|root| root.comments().is_none()) {
            return None;
        }
        let mut schemas = Self(BTreeMap::new());
        for root in roots {
            schemas.gather(root);
        }
        Some(schemas)
    }

    /// The schema in a comment of a node, be it of the node itself or of a key.
    pub(super) fn get(&self, node: &Node) -> Option<&Node> {
        self.0.get(comment(node)?)
    }

    fn gather(&mut self, node: &Node) {
        if let Some(text) = comment(node)
            && let Some(schema) = read(text)
        {
            self.0.insert(text.clone(), schema);
        }
        match &node.data {
            Data::Scalar(_) | Data::Alias(_) => {}
            Data::Sequence(items) => items.iter().for_each(|item| self.gather(item)),
            Data::Mapping(entries) => entries.iter().for_each(|(key, value)| {
                self.gather(key);
                self.gather(value);
            }),
        }
    }
}

/// Whether a text may have a comment that is a schema: a `#` with a `{` and a `"` behind it.
pub(crate) fn may_be_in(bytes: &[u8]) -> bool {
    memchr::memchr_iter(b'#', bytes).any(|place| {
        let behind = bytes.get(place + 1..).unwrap_or_default();
        let inside = behind
            .trim_ascii_start()
            .strip_prefix(b"{")
            .map(<[u8]>::trim_ascii_start);
        inside.is_some_and(|inside| inside.starts_with(b"\""))
    })
}

/// Whether a text may have a comment behind a value or above an item of a list: a `#` with white space before it.
pub(crate) fn may_be_beside_values(bytes: &[u8]) -> bool {
    let is_space = |place: usize| matches!(bytes.get(place), Some(b' ' | b'\t'));
    memchr::memchr_iter(b'#', bytes).any(|place| place.checked_sub(1).is_some_and(is_space))
}

/// Takes comments out of a tree, but for those that are schemas and those beside values, which a condition in a path is
/// compared with; marks the root where there are schemas.
pub(crate) fn keep_in(root: &mut Node) {
    if strip(root) {
        mark(root);
    }
}

/// Makes [`CommentSchemas::of`] look into a tree.
pub(super) fn mark(root: &mut Node) {
    root.comments_mut();
}

/// Takes the comments of a node away.
pub(super) fn clear(node: &mut Node) {
    if node.comments().is_some() {
        *node.comments_mut() = Comments::default();
    }
}

/// Gives a node the comments of the one that is merged into it.
// kustomize: Merger.SetComments
pub(super) fn inherit(target: &mut Node, patch: &Node) {
    let Some(comments) = patch.comments() else {
        return;
    };
    let own = target.comments_mut();
    if !comments.head.is_empty() {
        own.head.clone_from(&comments.head);
    }
    if !comments.line.is_empty() {
        own.line.clone_from(&comments.line);
    }
}

/// Takes the comments away that are neither schemas nor beside values; says whether a schema is left.
fn strip(node: &mut Node) -> bool {
    let has_schema = comment(node).is_some_and(|text| read(text).is_some());
    if !has_schema && !node.is_scalar() {
        clear(node);
    }
    let below = match &mut node.data {
        Data::Scalar(_) | Data::Alias(_) => false,
        Data::Sequence(items) => items
            .iter_mut()
            .fold(false, |found, item| strip(item) | found),
        Data::Mapping(entries) => entries.iter_mut().fold(false, |found, (key, value)| {
            let key_has_schema = strip(key);
            if !key_has_schema {
                clear(key);
            }
            key_has_schema | strip(value) | found
        }),
    };
    has_schema | below
}

/// The comment that may be a schema: the one on the line, or where there is none the one above.
// kustomize: FieldMeta.Read
fn comment(node: &Node) -> Option<&Text> {
    let comments = node.comments()?;
    [&comments.line, &comments.head]
        .into_iter()
        .find(|text| !text.is_empty())
}

/// Reads a comment as a schema; `None` for every other comment, and for a schema that says nothing.
fn read(comment: &str) -> Option<Node> {
    let value = Value::from_json(comment.trim_start_matches('#').as_bytes()).ok()?;
    let Value::Object(fields) = &value else {
        return None;
    };
    if fields.is_empty() {
        return None;
    }
    let are_texts = fields
        .iter()
        .all(|(_, value)| matches!(value, Value::String(_) | Value::Null));
    // kustomize: FieldMeta.processShortHand takes this for the name of a setter, whatever else is there.
    let shorthand = fields.iter().find(|(name, _)| name == SHORTHAND);
    match shorthand.map(|(_, value)| value) {
        Some(Value::String(name)) if are_texts && !name.is_empty() => {
            let reference = Node::string(format!("{SETTERS}{name}"));
            Some(Node::mapping(vec![(Node::string("$ref"), reference)]))
        }
        _ => Some(Node::from_value(&value)),
    }
}
