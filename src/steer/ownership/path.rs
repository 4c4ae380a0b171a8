//! The ways that rules name fields: JSON pointers, and expressions of jq that are plain paths.

use super::Field;

/// The path of a field.
pub(super) fn of(field: Field) -> Vec<&'static str> {
    field.pointer().split('/').skip(1).collect()
}

/// Whether a JSON pointer names a field or something that it is part of.
pub(super) fn pointer_covers(pointer: &str, path: &[impl AsRef<str>]) -> bool {
    // RFC 6901: the whole document has no pointer that could be removed, and a part may be empty.
    let Some(parts) = pointer.strip_prefix('/') else {
        return false;
    };
    let parts: Vec<String> = parts
        .split('/')
        .map(|part| part.replace("~1", "/").replace("~0", "~"))
        .collect();
    begins(path, &parts)
}

/// Whether an expression of jq names a field or something that it is part of: one path of keys, or several with commas between
/// them. Anything else that jq can do counts for nothing.
pub(super) fn jq_covers(expression: &str, path: &[impl AsRef<str>]) -> bool {
    let paths = jq_paths(expression).unwrap_or_default();
    paths.iter().any(|parts| begins(path, parts))
}

fn begins(path: &[impl AsRef<str>], parts: &[String]) -> bool {
    parts.len() <= path.len()
        && path
            .iter()
            .zip(parts)
            .all(|(key, part)| key.as_ref() == part)
}

fn jq_paths(expression: &str) -> Option<Vec<Vec<String>>> {
    let mut paths = Vec::new();
    let mut rest = expression.trim_start();
    loop {
        let (path, after) = jq_path(rest)?;
        paths.push(path);
        let after = after.trim();
        if after.is_empty() {
            return Some(paths);
        }
        rest = after.strip_prefix(',')?.trim_start();
    }
}

/// One path at the beginning of a text, `.spec.source` or `.spec["source"]`, and what follows it.
fn jq_path(text: &str) -> Option<(Vec<String>, &str)> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((part, after)) = jq_step(rest, parts.is_empty()) {
        parts.push(part);
        rest = after.strip_prefix('?').unwrap_or(after);
    }
    (!parts.is_empty()).then_some((parts, rest))
}

/// One step of a path: `.name`, `."name"`, `["name"]` or `.["name"]`. The first one begins with a dot.
fn jq_step(text: &str, is_first: bool) -> Option<(String, &str)> {
    if let Some(bracketed) = text.strip_prefix(".[").or_else(|| {
        let bracketed = text.strip_prefix('[');
        bracketed.filter(|_| !is_first)
    }) {
        let (name, rest) = jq_string(bracketed.trim_start())?;
        return Some((name, rest.trim_start().strip_prefix(']')?));
    }
    let named = text.strip_prefix('.')?;
    if named.starts_with('"') {
        return jq_string(named);
    }
    let is_part = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let end = named
        .find(|character| !is_part(character))
        .unwrap_or(named.len());
    let (name, rest) = named.split_at(end);
    let begins_well = !name.starts_with(|first: char| first.is_ascii_digit());
    (!name.is_empty() && begins_well).then(|| (name.to_owned(), rest))
}

/// A string at the beginning of a text; one with a backslash may have an expression in it.
fn jq_string(text: &str) -> Option<(String, &str)> {
    let (name, rest) = text.strip_prefix('"')?.split_once('"')?;
    (!name.contains('\\')).then(|| (name.to_owned(), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_covers_what_it_names_and_all_below() {
        let covers = |pointer| pointer_covers(pointer, &of(Field::TargetRevision));
        for pointer in ["/spec", "/spec/source", "/spec/source/targetRevision"] {
            assert!(covers(pointer), "{pointer}");
        }
        for pointer in [
            "",
            "/",
            "spec/source",
            "/spec/",
            "/spec/sourc",
            "/spec/source/targetRevision/",
            "/spec/source/targetRevision/0",
            "/spec/sources/0/targetRevision",
            "/Spec/source",
        ] {
            assert!(!covers(pointer), "{pointer}");
        }
        let annotation = ["metadata", "annotations", "argocd-infisical.io/state"];
        let pointer = "/metadata/annotations/argocd-infisical.io~1state";
        assert!(pointer_covers(pointer, &annotation));
        assert!(!pointer_covers(
            "/metadata/annotations/a~01b",
            &["metadata", "annotations", "a/b"]
        ));
        assert!(pointer_covers(
            "/metadata/annotations/a~01b",
            &["metadata", "annotations", "a~1b"]
        ));
    }

    #[test]
    fn an_expression_of_jq_covers_where_it_is_a_plain_path() {
        let covers = |expression| jq_covers(expression, &of(Field::TargetRevision));
        for expression in [
            ".spec",
            ".spec.source",
            ".spec.source.targetRevision",
            " .spec.source.targetRevision ",
            ".spec.\"source\".targetRevision",
            ".spec[\"source\"].targetRevision",
            ".[\"spec\"].source",
            ".spec.source?.targetRevision?",
            ".spec.syncPolicy, .spec.source.targetRevision",
        ] {
            assert!(covers(expression), "{expression}");
        }
        for expression in [
            "",
            ".",
            "spec.source",
            "[\"spec\"]",
            ".spec.sources",
            ".spec.source.targetRevision.x",
            ".spec.source.targetRevision | select(. == \"main\")",
            ".spec.source[]",
            ".spec..targetRevision",
            ".spec.source,",
            ".spec.\"so\\u0075rce\"",
            ".spec[\"source",
            ".spec.sources[].targetRevision",
        ] {
            assert!(!covers(expression), "{expression}");
        }
    }
}
