//! The `$patch` key, which says that a place is to be deleted or replaced.

use goyaml::Node;

use super::element::ElementSelector;
use super::{MergeError, MergeProblem};

const KEY: &str = "$patch";

/// What a patch asks for at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Directive {
    /// Merge: also where nothing is said.
    Merge,
    /// Replace what is there.
    Replace,
    /// Take away what is there.
    Delete,
}

impl Directive {
    /// Takes the directive out of a mapping.
    pub(super) fn take_from_mapping(patch: &mut Node) -> Result<Self, MergeError> {
        let Some(value) = patch.get(KEY) else {
            return Ok(Self::Merge);
        };
        let directive = Self::from_value(value)?;
        patch.remove(KEY);
        Ok(directive)
    }

    /// Takes the directive out of a list, where it is an element of its own.
    ///
    /// kustomize: `determineSequenceNodePatchStrategy` looks at the first element with the key alone, and takes every
    /// element with the same directive out of the list, whatever else is in it.
    pub(super) fn take_from_list(patch: &mut Node) -> Result<Self, MergeError> {
        let items = patch.items().unwrap_or_default();
        let Some((element, value)) = items.iter().find_map(|item| Some((item, item.get(KEY)?)))
        else {
            return Ok(Self::Merge);
        };
        if element.entries().is_some_and(|entries| entries.len() > 1) {
            return Ok(Self::Merge);
        }
        let directive = Self::from_value(value)?;
        let selector = ElementSelector {
            keys: vec![KEY],
            values: value.to_text().into_iter().collect(),
        };
        let mut failure = None;
        if let Some(items) = patch.items_mut() {
            items.retain(|item| {
                selector.keeps(item).unwrap_or_else(|error| {
                    failure = Some(error);
                    true
                })
            });
        }
        failure.map_or(Ok(directive), Err)
    }

    fn from_value(value: &Node) -> Result<Self, MergeError> {
        match value.as_str() {
            Some("delete") => Ok(Self::Delete),
            Some("replace") => Ok(Self::Replace),
            Some("merge") => Ok(Self::Merge),
            _ => Err(MergeError {
                position: value.position,
                ..MergeError::new(MergeProblem::UnknownDirective)
            }),
        }
    }
}
