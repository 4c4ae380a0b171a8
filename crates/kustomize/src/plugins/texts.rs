//! Where a plugin needs texts, and so takes numbers and booleans for them.

use goyaml::{Dialect, Node, Style, Tag};

/// What the plugin needs at a place.
// sigs.k8s.io/yaml: convertToJSONableObject, which knows the type of a field, but not of one that is embedded.
enum Needs {
    /// A text.
    Text,
    /// The same for each value of a map, or each item of a list.
    Each(&'static Self),
    /// These fields; others stay as they are.
    Fields(&'static [(&'static str, Self)]),
}

use Needs::{Each, Fields, Text};

const TEXTS: Needs = Each(&Text);
const FIELD_SPECS: Needs = Each(&Fields(&[("path", Text)]));
const SELECTOR: Needs = Fields(&[("labelSelector", Text), ("annotationSelector", Text)]);
const METADATA: Needs = Fields(&[
    ("name", Text),
    ("namespace", Text),
    ("labels", TEXTS),
    ("annotations", TEXTS),
]);

const GENERATOR: Needs = Fields(&[("metadata", METADATA)]);
const NAMESPACE: Needs = Fields(&[
    ("metadata", METADATA),
    ("fieldSpecs", FIELD_SPECS),
    ("setRoleBindingSubjects", Text),
]);
const LABELS: Needs = Fields(&[("labels", TEXTS), ("fieldSpecs", FIELD_SPECS)]);
const ANNOTATIONS: Needs = Fields(&[("annotations", TEXTS), ("fieldSpecs", FIELD_SPECS)]);
const IMAGE: Needs = Fields(&[
    (
        "imageTag",
        Fields(&[
            ("name", Text),
            ("newName", Text),
            ("tagSuffix", Text),
            ("newTag", Text),
            ("digest", Text),
        ]),
    ),
    ("fieldSpecs", FIELD_SPECS),
]);
const REPLICAS: Needs = Fields(&[
    ("replica", Fields(&[("name", Text)])),
    ("fieldSpecs", FIELD_SPECS),
]);
const PATCH: Needs = Fields(&[("path", Text), ("patch", Text), ("target", SELECTOR)]);
const STRATEGIC_PATCHES: Needs = Fields(&[("paths", TEXTS), ("patches", Text)]);
const JSON_PATCH: Needs = Fields(&[("path", Text), ("jsonOp", Text), ("target", SELECTOR)]);
const REPLACEMENTS: Needs = Fields(&[("replacements", Each(&Fields(&[("path", Text)])))]);
const ADD_TARGETS: Needs = Each(&Fields(&[("selector", SELECTOR), ("fieldPath", Text)]));
const VALUE_ADD: Needs = Fields(&[
    ("value", Text),
    ("targets", ADD_TARGETS),
    ("targetFilePath", Text),
]);
/// In a file of its own a replacement is no part that is embedded in another.
const REPLACEMENT: Needs = Fields(&[
    (
        "source",
        Fields(&[("fieldPath", Text), ("options", FIELD_OPTIONS)]),
    ),
    ("sourceValue", Text),
    (
        "targets",
        Each(&Fields(&[
            ("select", SELECTOR),
            ("reject", Each(&SELECTOR)),
            ("fieldPaths", TEXTS),
            ("options", FIELD_OPTIONS),
        ])),
    ),
]);
const FIELD_OPTIONS: Needs = Fields(&[("delimiter", Text), ("encoding", Text)]);

/// Makes texts of the numbers and booleans that stand where a plugin of this kind needs a text.
pub(super) fn make(configuration: &mut Node, kind: &str) {
    let needs = match kind {
        "ConfigMapGenerator" | "SecretGenerator" => GENERATOR,
        "NamespaceTransformer" => NAMESPACE,
        "LabelTransformer" => LABELS,
        "AnnotationsTransformer" => ANNOTATIONS,
        "ImageTagTransformer" => IMAGE,
        "ReplicaCountTransformer" => REPLICAS,
        "PatchTransformer" => PATCH,
        "PatchStrategicMergeTransformer" => STRATEGIC_PATCHES,
        "PatchJson6902Transformer" => JSON_PATCH,
        "ReplacementTransformer" => REPLACEMENTS,
        "ValueAddTransformer" => VALUE_ADD,
        _ => return,
    };
    satisfy(configuration, &needs);
}

/// The same for a file that holds a replacement, or a list of them.
pub(crate) fn make_in_replacements(file: &mut Node) {
    let list = Each(&REPLACEMENT);
    satisfy(
        file,
        if file.is_sequence() {
            &list
        } else {
            &REPLACEMENT
        },
    );
}

/// The same for a file that holds the targets of a `ValueAddTransformer`.
pub(crate) fn make_in_targets(file: &mut Node) {
    satisfy(file, &Fields(&[("targets", ADD_TARGETS)]));
}

fn satisfy(node: &mut Node, needs: &Needs) {
    match needs {
        Text => make_text(node),
        Each(needs) => {
            for (_, value) in node.entries_mut().into_iter().flatten() {
                satisfy(value, needs);
            }
            for item in node.items_mut().into_iter().flatten() {
                satisfy(item, needs);
            }
        }
        Fields(fields) => {
            for (key, value) in node.entries_mut().into_iter().flatten() {
                let name = key.as_str().unwrap_or_default();
                let field = fields
                    .iter()
                    .find(|(field, _)| field.eq_ignore_ascii_case(name));
                if let Some((_, needs)) = field {
                    satisfy(value, needs);
                }
            }
        }
    }
}

fn make_text(node: &mut Node) {
    let text = node
        .as_str()
        .and_then(|text| goyaml::resolve(text, node.tag, node.style, Dialect::V2).ok())
        .and_then(|scalar| scalar.needed_text());
    if let Some(text) = text {
        node.set_tag(Tag::Str);
        node.set_style(Style::DOUBLE_QUOTED);
        node.set_text(text);
    }
}
