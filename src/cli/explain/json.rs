//! The report for programs.

use goyaml::Value;
use kustomize::Resource;

use super::{Report, State, source};
use crate::cli::json::{array, count, document, filled, line, object, some, string};
use crate::inject::{Use, Way, without_hash};
use crate::settings::Place;
use crate::settings::resolve::Setting;

/// The report as JSON.
pub(super) fn text(report: &Report) -> String {
    let fields = report.fields();
    let fields = fields
        .iter()
        .flat_map(|(resource, uses)| uses.iter().map(|used| field(report, resource, used)));
    let settings = report.rendered.record.resolved.iter();
    let settings = settings.map(|(key, found)| setting(report, key, found));
    let unknown = report.unknown.iter().map(|key| string(key.as_str()));
    document(&object([
        ("fields", array(fields)),
        ("settings", array(settings)),
        ("unknown", array(unknown)),
    ]))
}

/// An object: who it is, and the name that it has in the output.
pub(in crate::cli) fn resource(resource: &Resource) -> Value {
    some([
        ("apiVersion", Some(string(resource.gvk().api_version()))),
        ("kind", Some(string(resource.gvk().kind.clone()))),
        ("namespace", filled(resource.namespace())),
        ("name", Some(string(without_hash(resource).name))),
        ("outputName", Some(string(resource.name().clone()))),
    ])
}

fn field(report: &Report, of: &Resource, used: &Use) -> Value {
    let Use {
        object: _,
        field,
        place: Place { file, line: number },
        way,
        keys,
    } = used;
    let way = match way {
        Way::Placeholder => "placeholder",
        Way::Copy => "copy",
    };
    let settings = keys.iter().filter_map(|key| {
        let found = report.rendered.record.resolved.get(key)?;
        Some(setting(report, key, found))
    });
    some([
        ("resource", Some(resource(of))),
        ("field", Some(string(field.to_string()))),
        ("file", filled(file)),
        ("line", line(*number)),
        ("by", Some(string(way))),
        ("settings", Some(array(settings))),
    ])
}

fn setting(report: &Report, key: &str, setting: &Setting) -> Value {
    let state = State::of(setting);
    let from = Some(source(setting)).filter(|_| state != State::None);
    let value = setting.value.as_ref().filter(|_| report.are_values_shown);
    let declared = &setting.declared_at;
    some([
        ("key", Some(string(key))),
        ("state", Some(string(state.word()))),
        ("file", from.and_then(|from| filled(&from.file))),
        ("line", from.and_then(|from| line(from.line))),
        ("allowedBy", report.allowed(setting).map(string)),
        ("declaredFile", filled(&declared.file)),
        ("declaredLine", line(declared.line)),
        ("fields", Some(count(report.count(key)))),
        ("value", value.map(|value| string(value.reveal().clone()))),
    ])
}
