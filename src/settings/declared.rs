//! The `ConfigMap` in which a repository declares its settings and their defaults.

use std::collections::BTreeMap;

use goyaml::{Data, Node, Tag};
use kustomize::metadata::{self, LOCAL_CONFIG};
use kustomize::{FileNames, Resource};

use super::schema::{Rule, Schemas};
use super::{Place, Value};
use crate::failure::Problem;

/// The annotation that makes a `ConfigMap` a declaration; its value is `settings`.
pub const ANNOTATION: &str = "argocd-infisical.io/declare";

/// A declared key.
pub struct Declared {
    /// The key.
    pub key: String,
    /// The default, or the value where [`crate::inject`] has put it in its place.
    pub text: Value,
    /// Where it is declared.
    pub place: Place,
    /// Where its default stands.
    pub default_place: Place,
    /// What its value must be.
    pub rule: Rule,
}

/// Whether a resource declares settings.
pub fn is_declaration(resource: &Resource) -> bool {
    metadata::annotation(resource.node(), ANNOTATION).is_some()
}

/// Checks a declaration as it was read, and tells where its keys stand.
///
/// # Errors
/// Where it is no `ConfigMap` of texts, would reach the cluster, or has a key twice.
pub fn check(resource: &Resource, names: &FileNames) -> Result<Vec<(String, Place)>, Problem> {
    let node = resource.node();
    let problem = |node: &Node, message: String| describe(message, node, resource, names);
    let purpose = metadata::annotation(node, ANNOTATION).unwrap_or_default();
    if purpose != "settings" {
        let message = format!("annotation `{ANNOTATION}` must be `settings`");
        return Err(problem(node, message).hint("settings are all that can be declared"));
    }
    if resource.gvk().kind != "ConfigMap" || resource.gvk().api_version() != "v1" {
        let message = "settings are declared in an object that is no ConfigMap".to_owned();
        return Err(
            problem(node, message).hint("declare them in a ConfigMap, whose values may be seen")
        );
    }
    // kustomize: an object with `"false"` reaches the output as one without the annotation does.
    if metadata::annotation(node, LOCAL_CONFIG).is_none_or(|value| value == "false") {
        let message = format!(
            "the ConfigMap that declares settings has no annotation `{LOCAL_CONFIG}: \"true\"`"
        );
        return Err(problem(node, message).hint(format!(
            "add `{LOCAL_CONFIG}: \"true\"`, so that kustomize keeps it out of the output"
        )));
    }
    if let Some(binary) = node.get("binaryData").filter(|binary| !binary.is_null()) {
        let message =
            "settings are text, and the ConfigMap that declares them has `binaryData`".to_owned();
        return Err(problem(binary, message).hint("declare settings in `data`"));
    }
    let Some(data) = node.get("data").filter(|data| !data.is_null()) else {
        return Ok(Vec::new());
    };
    let Some(entries) = data.entries() else {
        return Err(problem(data, "`data` must be a map of texts".into())
            .hint("write `KEY: \"default\"` lines"));
    };
    let mut found: Vec<(String, Place)> = Vec::with_capacity(entries.len());
    let mut lines = BTreeMap::new();
    for (key, value) in entries {
        let Some(name) = key.as_str().filter(|name| super::is_key(name)) else {
            let message = "the key of a setting holds characters that no key may have".to_owned();
            return Err(problem(key, message).hint("use letters, digits, `_`, `-` and `.`"));
        };
        if let Some(first) = lines.insert(name, key.position.line) {
            let message = format!("setting `{name}` is declared twice, first in line {first}");
            return Err(problem(key, message).hint("remove one of the two"));
        }
        if !matches!((&value.data, value.tag), (Data::Scalar(_), Tag::Str)) {
            let message = format!("the default of setting `{name}` is not a text");
            return Err(problem(value, message)
                .hint("put it in quotes; `\"\"` declares a setting without a default"));
        }
        found.push((name.to_owned(), place_of(key, names)));
    }
    Ok(found)
}

/// The keys of a declaration, with their defaults and rules as they are now. What is wrong with the rules is added to the
/// problems, once for a declaration that is in a build twice.
pub fn keys(
    resource: &Resource,
    names: &FileNames,
    schemas: &Schemas,
    problems: &mut Vec<Problem>,
) -> Vec<Declared> {
    let mut rules = schemas.read(resource, names).unwrap_or_else(|wrong| {
        for problem in wrong {
            let is_same = |known: &Problem| {
                known.message == problem.message && known.position == problem.position
            };
            if !problems.iter().any(is_same) {
                problems.push(problem);
            }
        }
        BTreeMap::new()
    });
    let entries = resource
        .node()
        .get("data")
        .and_then(Node::entries)
        .unwrap_or_default();
    entries
        .iter()
        .filter_map(|(key, value)| {
            let text = Value::new(
                value
                    .to_text()
                    .filter(|_| !value.is_null())
                    .unwrap_or_default(),
            );
            let key_text = key.as_str()?;
            Some(Declared {
                key: key_text.to_owned(),
                text,
                place: place_of(key, names),
                default_place: place_of(value, names),
                rule: rules.remove(key_text).unwrap_or_default(),
            })
        })
        .collect()
}

fn place_of(node: &Node, names: &FileNames) -> Place {
    let file = names.get(node.position.file).unwrap_or_default().to_owned();
    Place {
        file,
        line: node.position.line,
    }
}

fn describe(message: String, node: &Node, resource: &Resource, names: &FileNames) -> Problem {
    Problem::new(message)
        .in_repository(names.get(node.position.file), node.position)
        .resource(resource.id())
}
