//! The report for programs.

use goyaml::{Node, Value};

use super::text::value;
use super::{Cause, FieldChange, ObjectChange, Report, title};
use crate::cli::explain::resource;
use crate::cli::json::{array, document, object, some, string};
use crate::diff::Mask;

/// The report as JSON.
pub(super) fn text(report: &Report) -> String {
    let mut values = report.are_values_shown.then(Mask::default);
    let objects = report.objects.iter();
    let objects = objects.map(|object| entry(object, values.as_mut()));
    let objects: Vec<Value> = objects.collect();
    document(&object([
        ("left", string(report.left.label())),
        ("right", string(report.right.label())),
        ("settings", keys(report.keys.iter().copied())),
        ("objects", array(objects)),
    ]))
}

fn keys<'a>(keys: impl Iterator<Item = &'a str>) -> Value {
    array(keys.map(string))
}

fn entry(of: &ObjectChange, mut values: Option<&mut Mask>) -> Value {
    let ObjectChange {
        left,
        right,
        fields,
    } = of;
    let kind = right.or(*left).map(title).unwrap_or_default();
    let fields: Vec<Value> = fields
        .iter()
        .map(|change| {
            field(
                change,
                values.as_deref_mut().map(|mask| (kind.as_str(), mask)),
            )
        })
        .collect();
    let before = left.filter(|left| right.is_some_and(|right| right.name() != left.name()));
    some([
        (
            "change",
            Some(string(change(left.as_ref(), right.as_ref()))),
        ),
        ("resource", right.or(*left).map(resource)),
        (
            "outputNameBefore",
            before.map(|left| string(left.name().clone())),
        ),
        ("fields", Some(array(fields))),
    ])
}

const fn change<T>(left: Option<&T>, right: Option<&T>) -> &'static str {
    match (left, right) {
        (None, _) => "added",
        (_, None) => "removed",
        _ => "changed",
    }
}

fn field(of: &FieldChange, values: Option<(&str, &mut Mask)>) -> Value {
    let FieldChange {
        change: found,
        keys: names,
        cause,
    } = of;
    let (word, owner) = match cause {
        Cause::Settings => ("settings", None),
        Cause::Hash(owner) => ("hash", Some(owner)),
        Cause::Repository => ("repository", None),
        Cause::Unknown => ("unknown", None),
    };
    let (mut before, mut after) = (None, None);
    if let Some((kind, mask)) = values {
        let mut shown = |node: Option<&Node>| {
            node.map(|node| string(value(Some(node), of, kind, mask).trim_end_matches('\n')))
        };
        before = shown(found.left);
        after = shown(found.right);
    }
    some([
        ("field", Some(string(found.field.to_string()))),
        ("change", Some(string(change(found.left, found.right)))),
        ("because", Some(string(word))),
        ("settings", Some(keys(names.iter().copied()))),
        ("hashOf", owner.map(|owner| string(owner.as_str()))),
        ("before", before),
        ("after", after),
    ])
}
