//! Whether a patch of ours stays, or whoever else writes the Application puts the field back.
//!
//! What counts is who owns the *field*. An app of apps applies what Git has: a field that Git does not have is ours. An
//! `ApplicationSet` writes the whole `spec`. Both have rules that make them leave fields alone; where those are missing, a patch
//! would deploy another revision for the seconds until it is put back, so it is not written.

mod advice;
mod config;
mod git;
mod path;
mod rules;
mod tracking;

#[cfg(test)]
mod tests;

use super::application::{Application, GitFields, Manager, Managers};
use super::owner::{ApplicationSet, Instance, Owner, OwnerName, Parent};
use super::reason::{Code, Reason};

pub use tracking::owners;

/// The option of an app of apps without which its rules hide differences, and a sync undoes them all the same.
const RESPECT: &str = "RespectIgnoreDifferences=true";

/// The option that makes a sync replace the object, whatever else it has.
const REPLACE: &str = "Replace=true";

/// A field that is written here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// `spec.source.targetRevision`.
    TargetRevision,
    /// `spec.source.plugin.env`: the list is one field.
    Env,
    /// `spec.sources`: the list is one field, whatever of it is written.
    Sources,
}

impl Field {
    /// The JSON pointer to it.
    pub const fn pointer(self) -> &'static str {
        match self {
            Self::TargetRevision => "/spec/source/targetRevision",
            Self::Env => "/spec/source/plugin/env",
            Self::Sources => "/spec/sources",
        }
    }

    /// Its name, from the top of the Application.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TargetRevision => "spec.source.targetRevision",
            Self::Env => "spec.source.plugin.env",
            Self::Sources => "spec.sources",
        }
    }

    fn managers(self, managers: &Managers) -> &[Manager] {
        match self {
            Self::TargetRevision => &managers.target_revision,
            Self::Env => &managers.env,
            Self::Sources => &managers.sources,
        }
    }

    const fn is_in(self, manifest: GitFields) -> bool {
        match self {
            Self::TargetRevision => manifest.target_revision,
            Self::Env => manifest.env,
            Self::Sources => manifest.sources,
        }
    }

    fn is_set(self, application: &Application) -> bool {
        let spec = &application.spec;
        let source = spec.source.as_ref();
        match self {
            Self::TargetRevision => source.is_some_and(|source| source.target_revision.is_some()),
            Self::Env => {
                let plugin = source.and_then(|source| source.plugin.as_ref());
                plugin.is_some_and(|plugin| plugin.env.is_some())
            }
            Self::Sources => !spec.sources.is_empty(),
        }
    }
}

/// Whether a patch of exactly these fields stays.
///
/// # Errors
/// Who would put a field back, and the rule that is missing; or that an owner is not known.
pub fn judge(
    application: &Application,
    fields: &[Field],
    owners: &[(OwnerName, &Owner)],
    instance: &Instance,
) -> Result<(), Reason> {
    if fields.is_empty() {
        return Ok(());
    }
    let mut unknown = None;
    for (name, owner) in owners {
        match owner {
            Owner::Application(parent) => {
                contest_parent(application, fields, name, parent, instance)?;
            }
            Owner::ApplicationSet(set) => contest_set(application, fields, name, set)?,
            // Nobody is there who could write.
            Owner::Absent => {}
            Owner::Unreadable => unknown = unknown.or(Some(name)),
        }
    }
    unknown.map_or(Ok(()), |name| Err(advice::unknown(name)))
}

/// Whether an annotation that is written here stays on an Application.
///
/// A rule for one Application by name does not count: this is asked for all that an owner has.
pub fn keeps_annotation(owners: &[(OwnerName, &Owner)], annotation: &str) -> bool {
    owners.iter().all(|(_, owner)| match owner {
        // Git does not have it, and what Git does not have is left alone, unless the object is replaced.
        Owner::Application(parent) => !has_option(parent, REPLACE),
        Owner::ApplicationSet(set) => keeps_in_set(set, annotation),
        Owner::Absent => true,
        Owner::Unreadable => false,
    })
}

fn keeps_in_set(set: &ApplicationSet, annotation: &str) -> bool {
    let path = ["metadata", "annotations", annotation];
    !updates(set)
        || advice::preserved(set).contains(&annotation)
        || rules::of_set(set, None).any(|rule| rules::covers_in_set(rule, &path))
}

/// Objects where an app of apps would put a field back.
fn contest_parent(
    application: &Application,
    fields: &[Field],
    name: &OwnerName,
    parent: &Parent,
    instance: &Instance,
) -> Result<(), Reason> {
    let replaces = has_option(parent, REPLACE) || rules::is_replaced(application);
    let contested: Vec<(Field, bool)> = fields
        .iter()
        .map(|field| (*field, git::has(application, *field)))
        .filter(|(_, is_in_git)| *is_in_git || replaces)
        .collect();
    if contested.is_empty() {
        return Ok(());
    }
    let rules = rules::of_parent(application, parent, instance);
    let uncovered: Vec<(Field, bool)> = contested
        .iter()
        .filter(|(field, is_in_git)| !rules.cover(*field, *is_in_git))
        .copied()
        .collect();
    let respects = has_option(parent, RESPECT);
    if uncovered.is_empty() && respects {
        return Ok(());
    }
    let missing = advice::MissingInParent {
        contested: &contested,
        uncovered: &uncovered,
        respects,
    };
    Err(missing.reason(name))
}

/// Objects where an `ApplicationSet` would put a field back: it does so with a field that its template does not have, too.
fn contest_set(
    application: &Application,
    fields: &[Field],
    name: &OwnerName,
    set: &ApplicationSet,
) -> Result<(), Reason> {
    if !updates(set) {
        return Ok(());
    }
    // The annotation `argocd.argoproj.io/ignore-differences` of a template does nothing without a rule, and with one only in
    // some versions: it does not count.
    let rules: Vec<_> = rules::of_set(set, Some(&application.metadata.name)).collect();
    let is_uncovered = |field: &&Field| {
        let mut rules = rules.iter();
        !rules.any(|rule| rules::covers_in_set(rule, &path::of(**field)))
    };
    let uncovered: Vec<Field> = fields.iter().filter(is_uncovered).copied().collect();
    if uncovered.is_empty() {
        return Ok(());
    }
    Err(advice::missing_in_set(name, set, &uncovered))
}

/// Whether an `ApplicationSet` writes Applications that are there. That the controller may be started so that it heeds another
/// policy than this one is told nowhere in the cluster.
fn updates(set: &ApplicationSet) -> bool {
    let policy = set.spec.sync_policy.as_ref();
    let policy = policy.and_then(|policy| policy.applications_sync.as_deref());
    !matches!(policy, Some("create-only" | "create-delete"))
}

// Argo CD: SyncOptions.HasOption, which knows no spaces and no other spelling
fn has_option(parent: &Parent, option: &str) -> bool {
    let options = &parent.sync_policy.sync_options;
    options.iter().any(|each| each == option)
}
