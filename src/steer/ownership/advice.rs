//! What to add to an owner so that it leaves our fields alone, as the YAML that does it.

use goyaml::Value;

use super::{Code, Field, RESPECT, Reason};
use crate::steer::holds::FIELD_MANAGER;
use crate::steer::owner::{ApplicationSet, IgnoreApplicationDifferences, OwnerName};
use crate::steer::record::ANNOTATION as STATE;

/// The most bytes of what an `ApplicationSet` has, for a hint that shows it: that is made and kept for each of its Applications.
const MOST: usize = 4096;

/// An owner of which it is not known what it would do.
pub(super) fn unknown(name: &OwnerName) -> Reason {
    let (resource, namespace) = match name {
        OwnerName::Application(name) => ("applications", &name.namespace),
        OwnerName::ApplicationSet(name) => ("applicationsets", &name.namespace),
    };
    let message =
        format!("{name}, which owns it, is not known, so it may put back what is written");
    let hint = format!(
        "it is asked for again; if this stays, let the controller `get` `{resource}` of `argoproj.io` in the namespace `{namespace}`"
    );
    Reason::new(Code::OwnerUnknown, message).hint(hint)
}

/// What an app of apps lacks.
pub(super) struct MissingInParent<'a> {
    /// The fields that it would put back without rules, and whether Git has them.
    pub(super) contested: &'a [(Field, bool)],
    /// Those of them that no rule covers.
    pub(super) uncovered: &'a [(Field, bool)],
    /// Whether it heeds rules when it syncs.
    pub(super) respects: bool,
}

impl MissingInParent<'_> {
    /// The reason why nothing is written.
    pub(super) fn reason(&self, name: &OwnerName) -> Reason {
        let fields: Vec<Field> = self.contested.iter().map(|(field, _)| *field).collect();
        let is_in_git = self.contested.iter().all(|(_, is_in_git)| *is_in_git);
        let why = if is_in_git {
            "its manifests in Git have it"
        } else {
            "it replaces the whole object (`Replace=true`)"
        };
        let message = format!("{name} would put back {}: {why}", named(&fields));
        let mut missing = Vec::new();
        if !self.uncovered.is_empty() {
            missing.push("a rule in `spec.ignoreDifferences`".to_owned());
        }
        if !self.respects {
            missing.push(format!("`{RESPECT}` in `spec.syncPolicy.syncOptions`"));
        }
        let mut hint = format!(
            "give {name}, where it is written, what it lacks of this: {}",
            missing.join(" and ")
        );
        if fields.contains(&Field::Sources) {
            hint += "\n`spec.sources` is one field: a rule on one of its entries does not count, and with a rule on all of it, \
                     what Git changes of them no longer arrives";
        }
        let reason = Reason::new(Code::OwnedByApplication, message);
        reason.hint(with_yaml(hint, &self.yaml()))
    }

    fn yaml(&self) -> Value {
        // One rule on the manager serves all fields, now and later. It saves nothing from being replaced that Git does not have.
        let is_saved = self.contested.iter().all(|(_, is_in_git)| *is_in_git);
        let rule = if is_saved {
            ("managedFieldsManagers", list([FIELD_MANAGER]))
        } else {
            let fields = self.contested.iter();
            (
                "jsonPointers",
                list(fields.map(|(field, _)| field.pointer())),
            )
        };
        let rule = object([
            ("group", text("argoproj.io")),
            ("kind", text("Application")),
            rule,
        ]);
        let options = object([("syncOptions", list([RESPECT]))]);
        let spec = object([
            ("ignoreDifferences", Value::Array(vec![rule])),
            ("syncPolicy", options),
        ]);
        object([("spec", spec)])
    }
}

/// The annotations that an `ApplicationSet` leaves alone.
pub(super) fn preserved(set: &ApplicationSet) -> Vec<&str> {
    let preserved = set.spec.preserved_fields.iter();
    let annotations = preserved.flat_map(|preserved| preserved.annotations.iter().flatten());
    annotations.map(String::as_str).collect()
}

/// The reason why nothing is written that an `ApplicationSet` would put back.
pub(super) fn missing_in_set(
    name: &OwnerName,
    set: &ApplicationSet,
    uncovered: &[Field],
) -> Reason {
    let message = format!("{name} would put back {}", named(uncovered));
    let pointers = uncovered.iter();
    let pointers: Vec<String> = pointers
        .map(|field| format!("`{}`", field.pointer()))
        .collect();
    let pointers = pointers.join(" and ");
    let mut missing = vec![format!("{pointers} in `spec.ignoreApplicationDifferences`")];
    if !super::keeps_in_set(set, STATE) {
        missing.push(format!("`{STATE}` in `spec.preservedFields.annotations`"));
    }
    let mut hint = format!(
        "let {name}, where it is written, have this; it lacks {}",
        missing.join(" and ")
    );
    if uncovered.contains(&Field::Sources) {
        hint += "\n`spec.sources` is one field: a rule on one of its entries does not count, since the list is written whole, and \
                 with a rule on all of it, what the template changes of them no longer arrives";
    }
    let reason = Reason::new(Code::OwnedByApplicationSet, message);
    if letters_of(set) <= MOST {
        return reason.hint(with_yaml(hint, &yaml_of_set(set, uncovered)));
    }
    hint += "\nbeside all that it has there, which is too much to be shown:";
    let missing = yaml_of_set(&ApplicationSet::default(), uncovered);
    reason.hint(with_yaml(hint, &missing))
}

/// About the bytes of the two lists of an `ApplicationSet`.
fn letters_of(set: &ApplicationSet) -> usize {
    const OF_A_LINE: usize = 8;
    let rules = set.spec.ignore_application_differences.iter().flatten();
    let lines = rules.clone().count();
    let texts = rules.flat_map(|rule| {
        let IgnoreApplicationDifferences {
            name,
            json_pointers,
            jq_path_expressions,
        } = rule;
        let lists = [json_pointers, jq_path_expressions];
        let listed = lists.into_iter().flatten().flatten();
        name.iter().chain(listed).map(String::as_str)
    });
    let texts = texts.chain(preserved(set));
    let texts: usize = texts.map(|text| text.len() + OF_A_LINE).sum();
    texts + lines * OF_A_LINE
}

/// The two lists of an `ApplicationSet`, with what is there and what is missing.
fn yaml_of_set(set: &ApplicationSet, uncovered: &[Field]) -> Value {
    let rules = set.spec.ignore_application_differences.clone();
    let mut rules = rules.unwrap_or_default();
    let missing = uncovered.iter().map(|field| field.pointer().to_owned());
    let for_all = rules.iter_mut().find(|rule| {
        let name = rule.name.as_deref().unwrap_or_default();
        name.is_empty() && rule.json_pointers.is_some()
    });
    if let Some(rule) = for_all {
        rule.json_pointers.get_or_insert_default().extend(missing);
    } else {
        rules.push(IgnoreApplicationDifferences {
            json_pointers: Some(missing.collect()),
            ..Default::default()
        });
    }
    let mut annotations = preserved(set);
    if !annotations.contains(&STATE) {
        annotations.push(STATE);
    }
    let rules = rules.iter().map(written).collect();
    let preserved = object([("annotations", list(annotations))]);
    let spec = object([
        ("ignoreApplicationDifferences", Value::Array(rules)),
        ("preservedFields", preserved),
    ]);
    object([("spec", spec)])
}

fn written(rule: &IgnoreApplicationDifferences) -> Value {
    let IgnoreApplicationDifferences {
        name,
        json_pointers,
        jq_path_expressions,
    } = rule;
    let fields = [
        ("name", name.as_deref().map(text)),
        ("jsonPointers", json_pointers.as_ref().map(list)),
        ("jqPathExpressions", jq_path_expressions.as_ref().map(list)),
    ];
    let fields = fields.into_iter();
    object(fields.filter_map(|(key, value)| Some((key, value?))))
}

fn named(fields: &[Field]) -> String {
    let names: Vec<String> = fields
        .iter()
        .map(|field| format!("`{}`", field.as_str()))
        .collect();
    names.join(" and ")
}

/// Some words, an empty line and YAML. Where an owner has characters that YAML cannot have, the words must do.
fn with_yaml(words: String, yaml: &Value) -> String {
    match goyaml::emit(yaml) {
        Ok(yaml) => format!("{words}\n\n{yaml}"),
        Err(_) => words,
    }
}

fn object(fields: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
    let fields = fields.into_iter().map(|(key, value)| (key.into(), value));
    Value::Object(fields.collect())
}

fn list(items: impl IntoIterator<Item = impl AsRef<str>>) -> Value {
    Value::Array(items.into_iter().map(|item| text(item.as_ref())).collect())
}

fn text(text: &str) -> Value {
    Value::String(text.into())
}
