//! Strategic merge: a patch that looks like the resource, laid over it.
//!
//! Mappings merge field by field, a `null` in the patch takes a field away, scalars and most lists are replaced, and
//! lists that the schema gives a merge key are merged element by element, new elements first. `$patch: delete`,
//! `replace` and `merge` in a mapping, or alone in an element of a merged list, say otherwise for that place.
//! `$setElementOrder`, `$deleteFromPrimitiveList` and `$retainKeys` mean nothing here: they are ordinary fields.
//!
//! A merge goes over the whole resource, also where the patch is silent: there, elements of merged lists that repeat a
//! key are reduced to one, and fields with nothing behind the colon vanish (`field: null` stays).
//!
//! A comment that is a schema (`# {"items": …}`) stands in the place of the one that is known of its field.

pub(crate) mod comment_schema;
mod directive;
mod dropped;
mod element;
mod keyless;
mod list;
mod walk;

#[cfg(test)]
mod tests;

use std::cell::RefCell;

use goyaml::{Node, Position};

use crate::schema::Schema;
use comment_schema::CommentSchemas;
pub(crate) use dropped::Dropped;
pub(crate) use keyless::Keyless;
use walk::{Outcome, Walk};

/// Why a patch does not fit its resource.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {problem}", if path.is_empty() { "the resource" } else { path.as_str() })]
pub struct MergeError {
    /// Where, as field names with `.` between them and list elements in brackets; empty for the resource itself.
    pub path: String,
    /// What is wrong there.
    pub problem: MergeProblem,
    /// Where the part of the patch stands that does not fit, if it is known.
    pub position: Position,
}

/// What can be wrong between a patch and its resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MergeProblem {
    /// The two disagree about what a field is, or a list holds what it cannot hold.
    #[error("wrong node kind: expected {expected} but got {found}")]
    WrongKind {
        /// What is needed here.
        expected: &'static str,
        /// What is there.
        found: &'static str,
    },
    /// The patch has a `$patch` that is not one of the three.
    #[error("unknown `$patch` directive: expected `delete`, `replace` or `merge`")]
    UnknownDirective,
    /// A mapping has an empty key.
    #[error("a field with an empty name cannot be merged")]
    EmptyFieldName,
}

impl MergeProblem {
    /// What to do about it.
    pub(crate) const fn cure(self) -> &'static str {
        match self {
            Self::WrongKind { .. } => {
                "write the field as the resource has it: a map merges into a map, a list into a list"
            }
            Self::UnknownDirective => {
                "write `$patch: delete`, `$patch: replace` or `$patch: merge`"
            }
            Self::EmptyFieldName => "give the field a name",
        }
    }
}

impl MergeError {
    const fn new(problem: MergeProblem) -> Self {
        Self {
            path: String::new(),
            problem,
            position: Position {
                line: 0,
                column: 0,
                file: 0,
            },
        }
    }

    fn wrong_kind(expected: &'static str, found: &Node) -> Self {
        Self {
            position: found.position,
            ..Self::new(MergeProblem::WrongKind {
                expected,
                found: walk::kind_name(found),
            })
        }
    }

    /// The same error seen from the mapping or list around it.
    fn inside(mut self, step: &str) -> Self {
        let separator = if self.path.is_empty() || self.path.starts_with('[') {
            ""
        } else {
            "."
        };
        self.path = format!("{step}{separator}{}", self.path);
        self
    }
}

/// What a merge gives.
#[derive(Debug)]
pub(crate) struct Merged {
    /// The resource; `None` where the patch deletes it.
    pub(crate) node: Option<Node>,
    /// Elements of lists that are gone although the patch does not say so.
    pub(crate) dropped: Vec<Dropped>,
    /// Elements of the patch that drop such elements.
    pub(crate) keyless: Vec<Keyless>,
}

/// Lays a patch over a resource.
///
/// # Errors
///
/// Where patch and resource disagree about the kind of a field, or the patch has an unknown `$patch` directive.
pub(crate) fn apply(schema: &Schema, patch: &Node, target: Node) -> Result<Merged, MergeError> {
    let mut target = target;
    let mut patch = patch.clone();
    let comments = CommentSchemas::of(&[&target, &patch]);
    let (dropped, keyless) = (RefCell::default(), RefCell::default());
    let walk = Walk::new(schema, comments.as_ref(), (&dropped, &keyless));
    let outcome = walk.merge(None, &mut target, &mut patch)?;
    if comments.is_some() {
        comment_schema::mark(&mut target);
    }
    Ok(Merged {
        node: match outcome {
            // kustomize: `Resource.ApplyFilter` throws away the node that a `$patch: replace` of the whole resource gives.
            Outcome::Target | Outcome::Patch => Some(target),
            Outcome::Gone => None,
        },
        dropped: dropped.into_inner(),
        keyless: keyless.into_inner(),
    })
}
