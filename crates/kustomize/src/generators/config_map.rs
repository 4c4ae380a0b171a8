//! `configMapGenerator`

use goyaml::Node;

use super::data::{self, text_node};
use super::key_values::KeyValues;
use crate::error::Result;
use crate::kustomization::GeneratorArgs;
use crate::loader::Loader;
use crate::resource::Resource;

/// Makes a `ConfigMap`: texts under `data`, everything else as base64 under `binaryData`.
///
/// # Errors
/// Where the name is missing, a source is wrong or cannot be read, and where a key repeats.
// kustomize: generators.MakeConfigMap
pub(crate) fn config_map(args: &GeneratorArgs, loader: &Loader) -> Result<Resource> {
    let mut object = super::base("ConfigMap", args)?;
    let mut texts = Vec::new();
    let mut binaries = Vec::new();
    let mut values = KeyValues::load(args, loader)?;
    let notices = values.take_notices();
    for (key, value) in values {
        let key = Node::string(key);
        let (entries, mut node) = match std::str::from_utf8(&value.bytes) {
            Ok(text) => (&mut texts, text_node(text.into())),
            Err(_) => (&mut binaries, text_node(data::base64_lines(&value.bytes))),
        };
        node.position = value.position;
        entries.push((key, node));
    }
    for (field, entries) in [("data", texts), ("binaryData", binaries)] {
        if !entries.is_empty() {
            object.set(field, Node::mapping(entries));
        }
    }
    let mut made = super::finish(object, args)?;
    made.notices.extend(notices);
    Ok(made)
}
