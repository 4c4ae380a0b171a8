//! The field specs that kustomize has built in, as tables in the order in which it applies them.

// The tables keep one row a line.
#[rustfmt::skip]
mod labels;
#[rustfmt::skip]
mod name_references;
#[rustfmt::skip]
mod simple;
#[rustfmt::skip]
mod variables;

use crate::config::{NameBackReference, TransformerConfig};
use crate::field_spec::FieldSpec;
use crate::field_specs::FieldSpecs;
use crate::id::Gvk;

/// Group, version and kind.
type KindRow = (&'static str, &'static str, &'static str);

/// Group, version, kind, path, and whether the field is created where it is missing.
type Row = (&'static str, &'static str, &'static str, &'static str, bool);

/// Makes the configuration of the tables.
pub(crate) fn builtin_config() -> TransformerConfig {
    TransformerConfig {
        name_prefix: field_specs(simple::NAME_PREFIX).into(),
        name_suffix: field_specs(simple::NAME_SUFFIX).into(),
        namespace: field_specs(simple::NAMESPACE).into(),
        common_labels: field_specs(labels::COMMON_LABELS).into(),
        labels: FieldSpecs::default(),
        template_labels: field_specs(labels::TEMPLATE_LABELS).into(),
        volume_claim_template_labels: field_specs(labels::VOLUME_CLAIM_TEMPLATE_LABELS).into(),
        common_annotations: field_specs(simple::COMMON_ANNOTATIONS).into(),
        var_reference: field_specs(variables::VAR_REFERENCE).into(),
        images: field_specs(simple::IMAGES).into(),
        replicas: field_specs(simple::REPLICAS).into(),
        name_references: name_references(),
    }
}

/// Makes the part of it that says which fields refer to others.
pub(crate) fn name_references() -> Vec<NameBackReference> {
    let reference = |(target, referrers): &(KindRow, &[Row])| NameBackReference {
        target: gvk(*target),
        referrers: field_specs(referrers),
    };
    name_references::NAME_REFERENCES
        .iter()
        .map(reference)
        .collect()
}

fn field_specs(rows: &[Row]) -> Vec<FieldSpec> {
    let field_spec = |&(group, version, kind, path, create): &Row| FieldSpec {
        gvk: gvk((group, version, kind)),
        path: path.into(),
        create,
    };
    rows.iter().map(field_spec).collect()
}

fn gvk((group, version, kind): KindRow) -> Gvk {
    Gvk {
        group: group.into(),
        version: version.into(),
        kind: kind.into(),
    }
}
