//! What the controller may write of an Application, said once more and independently; and what becomes of an Application by it.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::Value;

/// Why a JSON Patch is none that may be: it has to test which object it is, and may change the fields alone that are the
/// controller's. `is_asked_for` says of a revision whether anybody has asked for it.
pub(crate) fn refusal(operations: &[Value], is_asked_for: impl Fn(&str) -> bool) -> Option<String> {
    let tests: BTreeSet<&str> = operations
        .iter()
        .filter(|operation| operation["op"] == "test")
        .filter_map(|operation| operation["path"].as_str())
        .collect();
    if !tests.contains("/metadata/uid") {
        return Some("it does not test which object it is".into());
    }
    for operation in operations {
        let (op, path) = (text(&operation["op"]), text(&operation["path"]));
        if op == "test" {
            continue;
        }
        let value = &operation["value"];
        let is_allowed = match path {
            "/metadata/annotations" => value
                .as_object()
                .is_some_and(|all| all.iter().all(|(name, value)| is_annotation(name, value))),
            "/status/operationState/phase" => value == "Terminating",
            _ if path.starts_with("/metadata/annotations/") => {
                let name = path.trim_start_matches("/metadata/annotations/");
                is_annotation(&name.replace("~1", "/"), value)
            }
            _ if path.ends_with("/targetRevision") => {
                is_in_source(path, "targetRevision")
                    && tests.contains(path)
                    && is_asked_for(text(value))
            }
            _ => is_of_digest(path, value),
        };
        if !is_allowed || !matches!(op, "add" | "replace") {
            return Some(format!("it may not {op} {path}"));
        }
    }
    None
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Whether a path is of a field of one source, by how the field's name begins.
fn is_in_source(path: &str, field: &str) -> bool {
    if let Some(rest) = path.strip_prefix("/spec/source/") {
        return rest.starts_with(field);
    }
    let rest = path.strip_prefix("/spec/sources/").unwrap_or_default();
    let (number, rest) = rest.split_once('/').unwrap_or_default();
    number.parse::<usize>().is_ok() && rest.starts_with(field)
}

fn is_annotation(name: &str, value: &Value) -> bool {
    let value = text(value);
    match name {
        "argocd-infisical.io/state" => {
            serde_json::from_str::<Value>(value).is_ok_and(|record| record.is_object())
        }
        "argocd.argoproj.io/refresh" => value == "hard",
        "argocd.argoproj.io/refresh-timestamp" => value.parse::<Timestamp>().is_ok(),
        _ => false,
    }
}

fn is_of_digest(path: &str, value: &Value) -> bool {
    let is_digest = |value: &Value| text(value).starts_with("v1.");
    let is_entry = |entry: &Value| {
        entry["name"] == "SETTINGS_DIGEST"
            && is_digest(&entry["value"])
            && entry.as_object().is_some_and(|entry| entry.len() == 2)
    };
    let end = path.rsplit("plugin/env").next().unwrap_or_default();
    is_in_source(path, "plugin/env")
        && match end {
            "" => value
                .as_array()
                .is_some_and(|all| all.len() == 1 && all.iter().all(is_entry)),
            "/-" => is_entry(value),
            _ => end.ends_with("/value") && is_digest(value),
        }
}
