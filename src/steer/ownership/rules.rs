//! The rules by which an owner leaves fields alone.

use serde::Deserialize;

use super::{Field, REPLACE, git, path};
use crate::steer::application::{Application, IgnoreDifferences, Name};
use crate::steer::holds::FIELD_MANAGER;
use crate::steer::owner::{ApplicationSet, IgnoreApplicationDifferences, Instance, Parent};
use crate::steer::policy::pattern::matches;

const GROUP: &str = "argoproj.io";
const KIND: &str = "Application";

/// The rules of an app of apps that speak of one Application.
pub(super) struct ParentRules<'a> {
    rules: Vec<&'a IgnoreDifferences>,
    /// The pointers that the Application itself has in Git.
    own: Vec<String>,
}

/// The rules that speak of an Application: of the app of apps, of Argo CD as a whole, and of the Application itself.
pub(super) fn of_parent<'a>(
    application: &Application,
    parent: &'a Parent,
    instance: &'a Instance,
) -> ParentRules<'a> {
    let rules = parent.ignore_differences.iter();
    let rules = rules.chain(&instance.ignore_differences);
    let name = application.name();
    ParentRules {
        rules: rules.filter(|rule| speaks_of(rule, &name)).collect(),
        own: own(application),
    }
}

impl ParentRules<'_> {
    /// Whether a field is left alone.
    ///
    /// A rule on a manager works by comparing: what only the cluster has is no difference to it, so it saves nothing from being
    /// replaced. It works from the first patch on, which makes the field ours in the same moment.
    // Argo CD: managedfields.Normalize
    pub(super) fn cover(&self, field: Field, is_in_git: bool) -> bool {
        let path = path::of(field);
        let mut own = self.own.iter();
        own.any(|pointer| path::pointer_covers(pointer, &path))
            || self.rules.iter().any(|rule| {
                let mut managers = rule.managed_fields_managers.iter();
                covers(&rule.json_pointers, &rule.jq_path_expressions, &path)
                    || is_in_git && managers.any(|manager| manager == FIELD_MANAGER)
            })
    }
}

/// The rules of an `ApplicationSet` for the Application of a name, or those for all of them.
pub(super) fn of_set<'a>(
    set: &'a ApplicationSet,
    name: Option<&'a str>,
) -> impl Iterator<Item = &'a IgnoreApplicationDifferences> {
    let rules = set.spec.ignore_application_differences.iter().flatten();
    rules.filter(move |rule| match rule.name.as_deref() {
        None | Some("") => true,
        named => named == name,
    })
}

/// Whether a rule of an `ApplicationSet` leaves a field alone.
pub(super) fn covers_in_set(rule: &IgnoreApplicationDifferences, path: &[&str]) -> bool {
    let pointers = rule.json_pointers.as_deref().unwrap_or_default();
    let expressions = rule.jq_path_expressions.as_deref().unwrap_or_default();
    covers(pointers, expressions, path)
}

/// Whether the Application itself says that it is replaced.
// Argo CD: resource.HasAnnotationOption, in syncContext.applyObject
pub(super) fn is_replaced(application: &Application) -> bool {
    let annotations = application.metadata.annotations.as_ref();
    let options = annotations.and_then(|annotations| annotations.sync_options.as_deref());
    let mut options = options.iter().flat_map(|options| options.split(','));
    options.any(|option| option.trim() == REPLACE)
}

fn covers(pointers: &[String], expressions: &[String], path: &[&str]) -> bool {
    pointers
        .iter()
        .any(|pointer| path::pointer_covers(pointer, path))
        || expressions
            .iter()
            .any(|expression| path::jq_covers(expression, path))
}

// Argo CD: IgnoreDiffConfig.HasIgnoreDifference
fn speaks_of(rule: &IgnoreDifferences, name: &Name) -> bool {
    let is = |wanted: &Option<String>, is: &str| {
        let wanted = wanted.as_deref().unwrap_or_default();
        wanted.is_empty() || wanted == is
    };
    let matches = |pattern: &Option<String>, text: &str| {
        matches(pattern.as_deref().unwrap_or_default(), text)
    };
    // An empty group is the core group, not every one. What else Argo CD's patterns can do counts for nothing.
    matches(&rule.group, GROUP)
        && matches(&rule.kind, KIND)
        && is(&rule.name, &name.name)
        && is(&rule.namespace, &name.namespace)
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Own {
    json_pointers: Option<Vec<String>>,
}

/// The pointers of the annotation that an Application has in Git (Argo CD 3.6; nobody sets it where nothing reads it).
// Argo CD: ExtractIgnoreDifferencesFromAnnotations
fn own(application: &Application) -> Vec<String> {
    let annotations = application.metadata.annotations.as_ref();
    let text = annotations.and_then(|annotations| annotations.ignore_differences.as_deref());
    let Some(text) = text.filter(|_| git::has_ignore_differences(application)) else {
        return Vec::new();
    };
    let own: Own = serde_saphyr::from_str(text).unwrap_or_default();
    own.json_pointers.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_match_any_text() {
        for pattern in [
            "*",
            "**",
            "argoproj.io",
            "argoproj*",
            "*.io",
            "a*o*.io",
            "*argoproj.io*",
        ] {
            assert!(matches(pattern, GROUP), "{pattern}");
        }
        for pattern in [
            "",
            "argoproj",
            "*argoproj",
            "argoproj.io/v1alpha1",
            "a*x*o",
            "argoproj.io*o",
        ] {
            assert!(!matches(pattern, GROUP), "{pattern}");
        }
    }
}
