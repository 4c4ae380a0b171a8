//! Fields of plugin configurations that kustomize does not know, and ignores.

use goyaml::Node;

use crate::error::Error;
use crate::lost;
use crate::resource::Resource;

/// The fields of a configuration of this kind, beside those that every object has; `None` where they are not known.
fn known(kind: &str) -> Option<&'static [&'static str]> {
    Some(match kind {
        "ConfigMapGenerator" => &[
            "name",
            "namespace",
            "behavior",
            "literals",
            "files",
            "envs",
            "options",
        ],
        "SecretGenerator" => &[
            "name",
            "namespace",
            "behavior",
            "literals",
            "files",
            "envs",
            "options",
            "type",
        ],
        "IAMPolicyGenerator" => &["cloud", "kubernetesService", "serviceAccount"],
        "PrefixTransformer" => &["prefix", "fieldSpecs"],
        "SuffixTransformer" => &["suffix", "fieldSpecs"],
        "PrefixSuffixTransformer" => &["prefix", "suffix", "fieldSpecs"],
        "NamespaceTransformer" => &["fieldSpecs", "unsetOnly", "setRoleBindingSubjects"],
        "LabelTransformer" => &["labels", "fieldSpecs"],
        "AnnotationsTransformer" => &["annotations", "fieldSpecs"],
        "ImageTagTransformer" => &["imageTag", "fieldSpecs"],
        "ReplicaCountTransformer" => &["replica", "fieldSpecs"],
        "PatchTransformer" => &["path", "patch", "target", "options"],
        "PatchStrategicMergeTransformer" => &["paths", "patches"],
        "PatchJson6902Transformer" => &["target", "path", "jsonOp"],
        "ReplacementTransformer" => &["replacements"],
        "HashTransformer" => &[],
        "ValueAddTransformer" => &["value", "targets", "targetFilePath"],
        _ => return None,
    })
}

/// The fields of an entry of `fieldSpecs`.
const FIELD_SPEC: [&str; 5] = ["group", "version", "kind", "path", "create"];

/// What kustomize ignores in a configuration of a built-in plugin.
pub(crate) fn ignored(configuration: &Resource) -> Vec<Error> {
    let Some(known) = known(&configuration.gvk().kind) else {
        return Vec::new();
    };
    let node = configuration.node();
    // Those that add to names know their fields only as they are written.
    let is_known = if known.contains(&"prefix") || known.contains(&"suffix") {
        str::eq
    } else {
        str::eq_ignore_ascii_case
    };
    let mut found = unknown(
        node,
        &[&["apiVersion", "kind", "metadata"], known].concat(),
        is_known,
    );
    for (name, value) in node.entries().unwrap_or_default() {
        let name = name.as_str().unwrap_or_default();
        if is_known("fieldSpecs", name) && known.contains(&"fieldSpecs") {
            let specs = value.items().unwrap_or_default();
            found.extend(
                specs
                    .iter()
                    .flat_map(|spec| unknown(spec, &FIELD_SPEC, is_known)),
            );
        }
    }
    let about = |notice: Error| notice.resource(configuration.id());
    found.into_iter().map(about).collect()
}

fn unknown(node: &Node, known: &[&str], is_known: fn(&str, &str) -> bool) -> Vec<Error> {
    let entries = node.entries().unwrap_or_default().iter();
    let names = entries.filter_map(|(key, _)| Some((key.as_str()?, key.position)));
    names
        .filter(|(name, _)| !known.iter().any(|one| is_known(one, name)))
        .map(|(name, position)| lost::ignored_field(name, known).position(position))
        .collect()
}
