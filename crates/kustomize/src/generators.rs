//! `configMapGenerator` and `secretGenerator`: objects made of literals, files and env files.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use goyaml::{Data, Node, Style, Tag, Text};

use crate::error::{Error, Result};
use crate::kustomization::{GeneratorArgs, GeneratorOptions};
use crate::loader::Loader;
use crate::metadata::{self, StringMap};
use crate::resource::{Behavior, Resource};

mod key_values;

use key_values::KeyValue;

/// Characters of base64 in a line.
const LINE_LENGTH: usize = 70;

/// Makes the ConfigMap of a generator.
///
/// # Errors
/// Where it has no name, where a source cannot be read, and where a key is illegal or comes twice.
// kustomize: generators.MakeConfigMap
pub(crate) fn config_map(args: &GeneratorArgs, loader: &Loader) -> Result<Resource> {
    let mut node = base("ConfigMap", args)?;
    for (key, pair) in data(args, loader)? {
        let (field, text) = match String::from_utf8(pair.value) {
            Ok(text) => ("data", Text::from(text)),
            Err(error) => ("binaryData", encode(error.as_bytes())),
        };
        let mut value = metadata::string_node(text);
        value.position = pair.position;
        add_entry(&mut node, field, &key, value);
    }
    finish(node, args)
}

/// Makes the Secret of a generator.
///
/// # Errors
/// As for [`config_map`].
// kustomize: generators.MakeSecret
pub(crate) fn secret(args: &GeneratorArgs, loader: &Loader) -> Result<Resource> {
    let mut node = base("Secret", args)?;
    let secret_type = if args.secret_type.is_empty() { Text::from("Opaque") } else { args.secret_type.clone() };
    node.set("type", metadata::string_node(secret_type));
    node.set("data", Node::mapping(Vec::new()));
    for (key, pair) in data(args, loader)? {
        let mut value = metadata::string_node(encode(&pair.value));
        value.position = pair.position;
        add_entry(&mut node, "data", &key, value);
    }
    finish(node, args)
}

/// The options of one generator over those of all.
// kustomize: types.MergeGlobalOptionsIntoLocal
pub(crate) fn merge_options(
    local: Option<&GeneratorOptions>,
    global: Option<&GeneratorOptions>,
) -> Option<GeneratorOptions> {
    let Some(global) = global else { return local.cloned() };
    let mut merged = local.cloned().unwrap_or_default();
    let GeneratorOptions { labels, annotations, disable_name_suffix_hash, immutable } = global;
    let add = |into: &mut StringMap, from: &StringMap| {
        for (key, value) in from {
            into.entry(key.clone()).or_insert_with(|| value.clone());
        }
    };
    add(&mut merged.labels, labels);
    add(&mut merged.annotations, annotations);
    merged.disable_name_suffix_hash |= disable_name_suffix_hash;
    merged.immutable |= immutable;
    Some(merged)
}

/// Lays the data of a generated resource over that of the one it is merged with.
///
/// # Errors
/// Where `stringData` of a Secret holds something else than texts.
// kustomize: the BehaviorMerge part of resWrangler.appendReplaceOrMerge
pub(crate) fn merge_data(resource: &mut Resource, old: &Resource) -> Result<()> {
    let is_secret = resource.gvk().group.is_empty() && resource.gvk().version == "v1" && resource.gvk().kind == "Secret";
    let mut data = metadata::values(old.node().get("data"));
    if is_secret {
        data.extend(string_data(old.node())?);
    }
    data.extend(metadata::values(resource.node().get("data")));
    let mut binary = metadata::values(old.node().get("binaryData"));
    binary.extend(metadata::values(resource.node().get("binaryData")));
    let node = resource.node_mut();
    for (field, map) in [("data", data), ("binaryData", binary)] {
        node.remove(field);
        if !map.is_empty() {
            node.set(field, metadata::string_map_node(&map));
        }
    }
    Ok(())
}

/// `stringData` as the API server would put it into `data`.
// kustomize: normalizeSecretStringData
fn string_data(node: &Node) -> Result<StringMap> {
    let mut found = StringMap::new();
    for (key, value) in node.get("stringData").and_then(Node::entries).unwrap_or_default() {
        let key = key.to_text().unwrap_or_default();
        let text = value.as_str().ok_or_else(|| {
            Error::new(format!("`stringData.{key}` of the Secret that is merged with is no text")).position(value.position)
        })?;
        found.insert(key, encode(if value.is_null() { b"" } else { text.as_bytes() }));
    }
    Ok(found)
}

fn base(kind: &str, args: &GeneratorArgs) -> Result<Node> {
    if args.name.is_empty() {
        return Err(Error::new(format!("a generator of a {kind} has no `name`"))
            .position(args.position)
            .field("name")
            .hint("give it a `name`: that of the object, without the hash"));
    }
    let mut metadata = Node::mapping(Vec::new());
    metadata.set("name", metadata::string_node(args.name.clone()));
    if !args.namespace.is_empty() {
        metadata.set("namespace", metadata::string_node(args.namespace.clone()));
    }
    let mut node = Node::mapping(Vec::new());
    node.set("apiVersion", Node::string("v1"));
    node.set("kind", Node::string(kind));
    node.set("metadata", metadata);
    node.position = args.position;
    Ok(node)
}

// kustomize: makeValidatedDataMap
fn data(args: &GeneratorArgs, loader: &Loader) -> Result<BTreeMap<Text, KeyValue>> {
    let mut found = BTreeMap::new();
    for pair in key_values::load(args, loader)? {
        let place = |error: Error| error.position(pair.position).field(args.name.as_str());
        let key = pair.key.clone();
        let place = pair.position;
        if found.insert(key.clone(), pair).is_some() {
            return Err(Error::new(format!("the generator `{}` gives the key `{key}` twice", args.name))
                .position(place)
                .hint("keep one of the two sources, or give one another key: `key=path`"));
        }
    }
    Ok(found)
}

fn add_entry(node: &mut Node, field: &str, key: &str, value: Node) {
    if node.get(field).is_none() {
        node.set(field, Node::mapping(Vec::new()));
    }
    if let Some(entries) = node.get_mut(field).and_then(Node::entries_mut) {
        entries.push((metadata::untagged(key), value));
    }
}

fn finish(mut node: Node, args: &GeneratorArgs) -> Result<Resource> {
    let options = args.options.clone().unwrap_or_default();
    for (field, map) in [("labels", &options.labels), ("annotations", &options.annotations)] {
        if !map.is_empty() {
            metadata::set_string_map(&mut node, field, map);
        }
    }
    if options.immutable {
        node.set("immutable", Node::new(Data::Scalar("true".into()), Tag::Bool, Style::PLAIN));
    }
    let mut resource = Resource::new(node);
    resource.notes.needs_hash = !options.disable_name_suffix_hash;
    resource.notes.behavior = Some(Behavior::from_word(&args.behavior));
    Ok(resource)
}

// kustomize: encodeBase64 breaks what is longer than a line, and then ends the last line too.
fn encode(bytes: &[u8]) -> Text {
    let encoded = STANDARD.encode(bytes);
    if encoded.len() < LINE_LENGTH {
        return encoded.into();
    }
    let mut text = String::with_capacity(encoded.len() + encoded.len() / LINE_LENGTH + 1);
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at_checked(LINE_LENGTH).unwrap_or((rest, ""));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text.into()
}
