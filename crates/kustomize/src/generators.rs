//! `ConfigMaps` and Secrets made of literals and files, and Helm charts.

mod config_map;
mod data;
mod helm;
mod key_values;
mod secret;
#[cfg(test)]
mod tests;

use goyaml::{Node, Style, Tag, Text};

use crate::error::{Error, Result};
use crate::kustomization::{GeneratorArgs, GeneratorOptions};
use crate::lost;
use crate::metadata::StringMap;
use crate::resource::{Behavior, Resource};

pub(crate) use config_map::config_map;
pub use data::base64_lines;
pub(crate) use data::merge_data;
pub(crate) use helm::helm_chart;
pub(crate) use secret::secret;

/// The options of one generator completed by those of the kustomization; a generator's own labels and annotations win.
// kustomize: types.MergeGlobalOptionsIntoLocal
pub(crate) fn merge_options(
    local: Option<&GeneratorOptions>,
    global: Option<&GeneratorOptions>,
) -> Option<GeneratorOptions> {
    let Some(GeneratorOptions {
        labels,
        annotations,
        disable_name_suffix_hash,
        immutable,
    }) = global
    else {
        return local.cloned();
    };
    let mut merged = local.cloned().unwrap_or_default();
    for (own, inherited) in [
        (&mut merged.labels, labels),
        (&mut merged.annotations, annotations),
    ] {
        for (key, value) in inherited {
            own.entry(key.clone()).or_insert_with(|| value.clone());
        }
    }
    merged.disable_name_suffix_hash |= disable_name_suffix_hash;
    merged.immutable |= immutable;
    Some(merged)
}

/// The object without its data.
// kustomize: generators.makeBaseNode
fn base(kind: &str, args: &GeneratorArgs) -> Result<Node> {
    if args.name.is_empty() {
        return Err(Error::new(format!("a generated {kind} needs a name"))
            .position(args.position)
            .field("name")
            .hint("give the generator a `name`"));
    }
    let mut metadata = vec![(Node::string("name"), data::text_node(args.name.clone()))];
    if !args.namespace.is_empty() {
        metadata.push((
            Node::string("namespace"),
            data::text_node(args.namespace.clone()),
        ));
    }
    let mut object = Node::mapping(vec![
        (Node::string("apiVersion"), Node::string("v1")),
        (Node::string("kind"), Node::string(kind)),
        (Node::string("metadata"), Node::mapping(metadata)),
    ]);
    object.position = args.position;
    Ok(object)
}

/// Adds what the options ask for and notes how the object is to be treated.
// kustomize: generators.copyLabelsAndAnnotations, setImmutable and resource.Factory.makeOne
fn finish(mut object: Node, args: &GeneratorArgs) -> Result<Resource> {
    let options = args.options.as_ref();
    if let Some(GeneratorOptions {
        labels,
        annotations,
        disable_name_suffix_hash: _,
        immutable,
    }) = options
    {
        if let Some(metadata) = object.get_mut("metadata") {
            for (field, map) in [("labels", labels), ("annotations", annotations)] {
                if !map.is_empty() {
                    metadata.set(
                        field,
                        quoted_map(map)
                            .map_err(|error| error.position(args.position).field(field))?,
                    );
                }
            }
        }
        if *immutable {
            object.set("immutable", Node::scalar("true", Tag::Bool));
        }
    }
    let mut resource = Resource::new(object);
    resource.notes.behavior = Some(Behavior::from_word(&args.behavior));
    let word = args.behavior.as_str();
    if !matches!(word, "" | "unspecified" | "create" | "replace" | "merge") {
        let notice = lost::behavior(word);
        resource
            .notices
            .push(notice.position(args.behavior_position));
    }
    resource.notes.needs_hash = options.is_none_or(|options| !options.disable_name_suffix_hash);
    Ok(resource)
}

fn quoted_map(map: &StringMap) -> Result<Node> {
    let mut entries = Vec::with_capacity(map.len());
    for (key, value) in map {
        check_key(key)?;
        let mut value = Node::string(value.clone());
        value.style = Style::SINGLE_QUOTED;
        entries.push((Node::string(key.clone()), value));
    }
    Ok(Node::mapping(entries))
}

/// Refuses a key that YAML does not read as a text.
// kustomize: yaml.FieldSetter writes keys without a tag or quotes, and fails on reading them back.
fn check_key(key: &Text) -> Result<()> {
    let what = match goyaml::implicit_tag(key) {
        Tag::Null => "null",
        Tag::Bool => "a boolean",
        Tag::Int | Tag::Float => "a number",
        Tag::Timestamp => "a date",
        Tag::Merge => "a merge key",
        Tag::Str | Tag::Binary | Tag::Seq | Tag::Map | Tag::Custom => return Ok(()),
    };
    Err(
        Error::new(format!("key `{key}` would be {what} in YAML, not a text"))
            .hint("choose a key that cannot be taken for anything but a text"),
    )
}
