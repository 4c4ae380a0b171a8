//! Goes through patch and target together: what becomes of each field.

use std::cell::RefCell;
use std::collections::BTreeMap;

use goyaml::{Data, Node, Style};

use super::comment_schema::{self, CommentSchemas};
use super::directive::Directive;
use super::{Dropped, Keyless, MergeError, MergeProblem};
use crate::quoting;
use crate::schema::{FieldSchema, Schema};

/// A merge in progress.
///
/// Its four ways through a tree differ in who speaks: [`Self::merge`] has target and patch, [`Self::keep`] has a target
/// on which the patch is silent, [`Self::adopt`] has a patch where the target has nothing, and [`Self::settle`] has
/// what lies inside of something adopted, where kustomize lays the patch over itself.
#[derive(Clone, Copy)]
pub(super) struct Walk<'a> {
    schema: &'a Schema,
    /// The schemas in comments of target and patch, where there are any.
    comments: Option<&'a CommentSchemas>,
    /// Elements that are lost to others with the same merge keys.
    dropped: &'a RefCell<Vec<Dropped>>,
    /// Elements of the patch that lack theirs.
    keyless: &'a RefCell<Vec<Keyless>>,
}

/// Which node a place holds after the merge. The node itself was changed where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The target's.
    Target,
    /// The patch's.
    Patch,
    /// None.
    Gone,
}

impl<'a> Walk<'a> {
    pub(super) const fn new(
        schema: &'a Schema,
        comments: Option<&'a CommentSchemas>,
        (dropped, keyless): (&'a RefCell<Vec<Dropped>>, &'a RefCell<Vec<Keyless>>),
    ) -> Self {
        Self {
            schema,
            comments,
            dropped,
            keyless,
        }
    }

    pub(super) fn note_keyless(self, keyless: Keyless) {
        self.keyless.borrow_mut().push(keyless);
    }

    pub(super) fn note_dropped(self, dropped: Dropped) {
        self.dropped.borrow_mut().push(dropped);
    }

    /// Merges where both have something, be it `null`. What goes into the target is taken out of the patch.
    pub(super) fn merge(
        self,
        schema: Option<FieldSchema<'a>>,
        target: &mut Node,
        patch: &mut Node,
    ) -> Result<Outcome, MergeError> {
        if patch.is_null() {
            return Ok(Outcome::Gone);
        }
        if target.is_null() {
            return Ok(if self.adopt(schema, patch)? {
                Outcome::Patch
            } else {
                Outcome::Gone
            });
        }
        let schema = self
            .commented(&[target, patch])
            .or(schema)
            .or_else(|| self.detect(target))
            .or_else(|| self.detect(patch));
        if self.comments.is_some() {
            comment_schema::inherit(target, patch);
        }
        match (&target.data, &patch.data) {
            (Data::Mapping(_), Data::Mapping(_)) => self.merge_mappings(schema, target, patch),
            (Data::Sequence(_), Data::Sequence(_)) => self.merge_sequences(schema, target, patch),
            (Data::Scalar(_), Data::Scalar(_)) => Ok(Outcome::Patch),
            (Data::Alias(_), _) => Ok(Outcome::Gone),
            _ => Err(MergeError::wrong_kind(kind_name(target), patch)),
        }
    }

    fn merge_mappings(
        self,
        schema: Option<FieldSchema<'a>>,
        target: &mut Node,
        patch: &mut Node,
    ) -> Result<Outcome, MergeError> {
        inherit_style(target, patch);
        match Directive::take_from_mapping(patch)? {
            Directive::Delete => Ok(Outcome::Gone),
            Directive::Replace => {
                self.settle_fields(schema, patch)?;
                Ok(Outcome::Patch)
            }
            Directive::Merge => {
                self.merge_fields(schema, target, patch)?;
                Ok(Outcome::Target)
            }
        }
    }

    fn merge_sequences(
        self,
        schema: Option<FieldSchema<'a>>,
        target: &mut Node,
        patch: &mut Node,
    ) -> Result<Outcome, MergeError> {
        inherit_style(target, patch);
        let Some(schema) = schema.filter(FieldSchema::merges_elements) else {
            return Ok(Outcome::Patch);
        };
        match Directive::take_from_list(patch)? {
            Directive::Delete => Ok(Outcome::Gone),
            Directive::Replace => {
                self.settle_elements(schema, patch)?;
                Ok(Outcome::Patch)
            }
            Directive::Merge => {
                self.merge_elements(schema, target, Some(patch))?;
                Ok(Outcome::Target)
            }
        }
    }

    fn merge_fields(
        self,
        schema: Option<FieldSchema<'a>>,
        target: &mut Node,
        patch: &mut Node,
    ) -> Result<(), MergeError> {
        let (Some(fields), Some(changes)) = (target.entries_mut(), patch.entries_mut()) else {
            return Ok(());
        };
        // New fields come in the order of their names.
        let mut by_name = BTreeMap::new();
        for (key, value) in std::mem::take(changes) {
            let name = key.to_text().unwrap_or_default();
            by_name.entry(name).or_insert((key, value));
        }

        retain_fields(fields, |key, name, value| {
            let Some((change_key, mut change)) = by_name.remove(name) else {
                let stays = self.keep(self.field(schema, key, name, value), value)?;
                quoting::quote_where_ambiguous(value);
                return Ok(stays);
            };
            let schema = self
                .commented(&[value, key, &change, &change_key])
                .or_else(|| schema?.field(name));
            match self.merge(schema, value, &mut change)? {
                Outcome::Target => quoting::quote_where_ambiguous(value),
                Outcome::Patch => {
                    // kustomize: `FieldSetter` keeps the style of the field that is there, and with it its quotes.
                    change.set_style(value.style);
                    change.set_mark(value.mark());
                    *value = change;
                }
                Outcome::Gone => return Ok(false),
            }
            Ok(true)
        })?;
        for (mut key, mut value) in by_name.into_values() {
            let name = field_name(&key)?;
            let schema = self.field(schema, &key, name, &value);
            let stays = self.adopt(schema, &mut value);
            if stays.map_err(|error| error.inside(name))? {
                // kustomize: `FieldSetter` makes a key of its own, without the comments of the one in the patch.
                if self.comments.is_some() {
                    comment_schema::clear(&mut key);
                }
                quoting::quote_where_ambiguous(&mut value);
                fields.push((key, value));
            }
        }
        Ok(())
    }

    /// Goes over a part of the target on which the patch is silent; false where nothing of it stays.
    pub(super) fn keep(
        self,
        schema: Option<FieldSchema<'a>>,
        target: &mut Node,
    ) -> Result<bool, MergeError> {
        if target.is_null() {
            // kustomize: `Merger.VisitMap` keeps the nulls that are written out, less their comments.
            comment_schema::clear(target);
            return Ok(target.as_str().is_some_and(|text| !text.is_empty()));
        }
        let schema = self
            .commented(&[target])
            .or(schema)
            .or_else(|| self.detect(target));
        match &mut target.data {
            Data::Scalar(_) => Ok(true),
            Data::Alias(_) => Ok(false),
            Data::Mapping(fields) => {
                retain_fields(fields, |key, name, value| {
                    let stays = self.keep(self.field(schema, key, name, value), value)?;
                    quoting::quote_where_ambiguous(value);
                    Ok(stays)
                })?;
                Ok(true)
            }
            Data::Sequence(_) => {
                if let Some(schema) = schema.filter(FieldSchema::merges_elements) {
                    self.merge_elements(schema, target, None)?;
                }
                Ok(true)
            }
        }
    }

    /// Makes a part of the patch fit to stand where the target has nothing; false where nothing of it stays.
    pub(super) fn adopt(
        self,
        schema: Option<FieldSchema<'a>>,
        patch: &mut Node,
    ) -> Result<bool, MergeError> {
        if patch.is_null() {
            return Ok(false);
        }
        let schema = self
            .commented(&[patch])
            .or(schema)
            .or_else(|| self.detect(patch));
        match &patch.data {
            Data::Scalar(_) => Ok(true),
            Data::Alias(_) => Ok(false),
            Data::Mapping(_) => {
                // kustomize: `Merger.VisitMap` overlooks an unknown directive where there is nothing to merge with.
                if Directive::take_from_mapping(patch) == Ok(Directive::Delete) {
                    return Ok(false);
                }
                self.settle_fields(schema, patch)?;
                Ok(true)
            }
            Data::Sequence(_) => {
                if let Some(schema) = schema.filter(FieldSchema::merges_elements) {
                    // kustomize: `setAssociativeSequenceElements` gathers the elements in a list of its own.
                    if patch.items().is_some_and(|items| !items.is_empty()) {
                        patch.style = Style::PLAIN;
                    }
                    self.settle_elements(schema, patch)?;
                }
                Ok(true)
            }
        }
    }

    /// Cleans what lies inside of an adopted part of the patch; false where nothing of it stays.
    pub(super) fn settle(
        self,
        schema: Option<FieldSchema<'a>>,
        patch: &mut Node,
    ) -> Result<bool, MergeError> {
        if patch.is_null() {
            return Ok(false);
        }
        let schema = self
            .commented(&[patch])
            .or(schema)
            .or_else(|| self.detect(patch));
        match &patch.data {
            Data::Scalar(_) => Ok(true),
            Data::Alias(_) => Ok(false),
            Data::Mapping(_) => {
                if Directive::take_from_mapping(patch)? == Directive::Delete {
                    return Ok(false);
                }
                self.settle_fields(schema, patch)?;
                Ok(true)
            }
            Data::Sequence(_) => {
                let Some(schema) = schema.filter(FieldSchema::merges_elements) else {
                    return Ok(true);
                };
                if Directive::take_from_list(patch)? == Directive::Delete {
                    return Ok(false);
                }
                self.settle_elements(schema, patch)?;
                Ok(true)
            }
        }
    }

    fn settle_fields(
        self,
        schema: Option<FieldSchema<'a>>,
        patch: &mut Node,
    ) -> Result<(), MergeError> {
        let Some(fields) = patch.entries_mut() else {
            return Ok(());
        };
        retain_fields(fields, |key, name, value| {
            let stays = self.settle(self.field(schema, key, name, value), value)?;
            quoting::quote_where_ambiguous(value);
            Ok(stays)
        })
    }

    /// The schema of a field; for a scalar it is not looked up, since nothing depends on it.
    fn field(
        self,
        schema: Option<FieldSchema<'a>>,
        key: &Node,
        name: &str,
        value: &Node,
    ) -> Option<FieldSchema<'a>> {
        if value.is_scalar() {
            return None;
        }
        self.commented(&[value, key])
            .or_else(|| schema?.field(name))
    }

    /// The first schema in a comment of these nodes.
    fn commented(self, nodes: &[&Node]) -> Option<FieldSchema<'a>> {
        let comments = self.comments?;
        let schema = nodes.iter().find_map(|node| comments.get(node))?;
        Some(self.schema.standalone(schema))
    }

    /// The schema of a resource that stands where no schema is known, by its own apiVersion and kind.
    fn detect(self, node: &Node) -> Option<FieldSchema<'a>> {
        let text = |name| {
            node.get(name)
                .filter(|value| !value.is_null())
                .and_then(Node::as_str)
        };
        self.schema.resource(text("apiVersion")?, text("kind")?)
    }
}

/// Keeps the fields for which `keep` says so; an error stops it and carries the field's name.
fn retain_fields(
    fields: &mut Vec<(Node, Node)>,
    mut keep: impl FnMut(&Node, &str, &mut Node) -> Result<bool, MergeError>,
) -> Result<(), MergeError> {
    let mut failure = None;
    fields.retain_mut(|(key, value)| {
        if failure.is_some() {
            return true;
        }
        let kept = field_name(key)
            .and_then(|name| keep(key, name, value).map_err(|error| error.inside(name)));
        kept.unwrap_or_else(|error| {
            failure = Some(error);
            true
        })
    });
    failure.map_or(Ok(()), Err)
}

/// kustomize: `FieldSetter` takes an empty name for "the scalar itself" and fails.
fn field_name(key: &Node) -> Result<&str, MergeError> {
    key.as_str()
        .filter(|name| !name.is_empty())
        .ok_or(MergeError::new(MergeProblem::EmptyFieldName))
}

/// kustomize: `Merger.SetStyle` writes an empty collection in the style of what comes into it.
fn inherit_style(target: &mut Node, patch: &Node) {
    let is_empty = match &target.data {
        Data::Mapping(fields) => fields.is_empty(),
        Data::Sequence(items) => items.is_empty(),
        Data::Scalar(_) | Data::Alias(_) => false,
    };
    if is_empty {
        target.style = patch.style;
    }
}

/// The name of a node's kind in messages.
pub(super) const fn kind_name(node: &Node) -> &'static str {
    match node.data {
        Data::Scalar(_) => "a scalar",
        Data::Sequence(_) => "a list",
        Data::Mapping(_) => "a mapping",
        Data::Alias(_) => "an alias",
    }
}
