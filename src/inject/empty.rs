//! Fields of pod templates that must not be there empty.
//!
//! A controller such as Reloader adds an annotation or a variable to a pod template. Where the repository has none of
//! them Argo CD takes no notice; beside an empty map or list, or a null, it reports a difference that no sync removes.

use goyaml::{Data, Node, Position};
use kustomize::Resource;

use super::field::{Path, Step};

/// Lists of containers of a pod.
const CONTAINERS: [&str; 3] = ["containers", "initContainers", "ephemeralContainers"];

/// The fields of an object's pod templates that are there and empty, each with where it stands.
pub fn empty_fields(resource: &Resource) -> Vec<(Path, Position)> {
    let templates = templates(resource.node(), &Path::default());
    below(resource.node(), &Path::default(), &templates)
}

/// Where the pod templates of an object are, or of a part of one that stands at a path.
pub(super) fn templates(node: &Node, path: &Path) -> Vec<Path> {
    let mut found = Vec::new();
    walk(node, &mut path.clone(), &mut |path, node| {
        if is_template(path, node) {
            found.push(path.clone());
        }
    });
    found
}

/// Whether a node at a path is a pod template.
pub(super) fn is_template(path: &Path, node: &Node) -> bool {
    node.is_mapping()
        && path.last_key() == Some("template")
        && node.get_path(&["spec", "containers"]).is_some()
}

/// The fields of pod templates that are empty in a part of an object, which stands at a path.
pub(super) fn below(node: &Node, path: &Path, templates: &[Path]) -> Vec<(Path, Position)> {
    let mut found = Vec::new();
    walk(node, &mut path.clone(), &mut |path, node| {
        let inner = templates.iter().find_map(|template| {
            path.is_within(template)
                .then(|| path.0.get(template.0.len()..))?
        });
        if is_empty(node) && inner.is_some_and(is_added_to) {
            found.push((path.clone(), node.position));
        }
    });
    found
}

/// Visits a tree, each node with its path.
fn walk(node: &Node, path: &mut Path, visit: &mut dyn FnMut(&Path, &Node)) {
    visit(path, node);
    let mut step = |step: Step, node: &Node| {
        path.0.push(step);
        walk(node, path, visit);
        path.0.pop();
    };
    match &node.data {
        Data::Mapping(entries) => entries
            .iter()
            .for_each(|(key, value)| step(Step::Key(key.to_text().unwrap_or_default()), value)),
        Data::Sequence(items) => items
            .iter()
            .enumerate()
            .for_each(|(index, item)| step(Step::Index(index), item)),
        Data::Scalar(_) | Data::Alias(_) => {}
    }
}

/// The part of a path that says nothing of a value: all of it where what a value at `outer` has added is one of the names
/// that every pod has.
pub(super) fn without_value(path: &Path, outer: &Path) -> Path {
    let is_known = |step: &Step| match step {
        Step::Index(_) => true,
        Step::Key(key) => {
            matches!(
                key.as_str(),
                "spec" | "template" | "jobTemplate" | "metadata" | "annotations" | "env"
            ) || CONTAINERS.contains(&key.as_str())
        }
    };
    let added = path.0.iter().skip(outer.0.len());
    if added.clone().all(is_known) {
        path.clone()
    } else {
        outer.clone()
    }
}

fn is_empty(node: &Node) -> bool {
    match &node.data {
        Data::Mapping(entries) => entries.is_empty(),
        Data::Sequence(items) => items.is_empty(),
        Data::Scalar(_) => node.is_null(),
        Data::Alias(_) => false,
    }
}

/// Whether a path from a pod template leads to its annotations, or to the variables of one of its containers.
fn is_added_to(path: &[Step]) -> bool {
    let is_key = |step: &Step, name: &str| matches!(step, Step::Key(key) if key == name);
    match path {
        [metadata, field] => is_key(metadata, "metadata") && is_key(field, "annotations"),
        [spec, containers, Step::Index(_), field] => {
            is_key(spec, "spec")
                && CONTAINERS.iter().any(|name| is_key(containers, name))
                && is_key(field, "env")
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let node = goyaml::parse(text.as_bytes(), &goyaml::Limits::default());
        let node = node.unwrap().unwrap();
        let path = Path::default();
        let found = below(&node, &path, &templates(&node, &path));
        let found: Vec<String> = found.iter().map(|(path, _)| path.to_string()).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn only_what_others_add_to_counts() {
        check(
            "spec: {template: {metadata: {annotations: {}, labels: {}}, spec: {containers: []}}}\n",
            &["spec.template.metadata.annotations"],
        );
        check(
            "spec: {jobTemplate: {spec: {template: {spec: {containers: [{env: []}, {env: [{}]}], initContainers: [{env: ~}]}}}}}\n",
            &[
                "spec.jobTemplate.spec.template.spec.containers.0.env",
                "spec.jobTemplate.spec.template.spec.initContainers.0.env",
            ],
        );
        check(
            "metadata: {annotations: {}}\nspec: {containers: [{env: []}]}\n",
            &[],
        );
        check(
            "spec: {template: {metadata: {annotations: {}}, type: Opaque}}\n",
            &[],
        );
        check(
            "spec: {template: {spec: {volumes: [], containers: [{args: []}]}}}\n",
            &[],
        );
    }
}
