//! The hash of a generated object's content that ends its name.

#[cfg(test)]
mod tests;

use goyaml::{Node, Text, Value};
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::metadata;
use crate::resource::Resource;
use crate::resources::Resources;
use crate::threads::Threads;

/// Characters of the hash in a name.
const LENGTH: usize = 10;

/// Adds its hash to the name of every resource that asks for one.
///
/// # Errors
/// Where the content of one cannot be written as JSON.
// kustomize: HashTransformerPlugin.Transform
pub(crate) fn apply(resources: &mut Resources, threads: Threads) -> Result<()> {
    if !resources.iter().any(|resource| resource.notes.needs_hash) {
        return Ok(());
    }
    let begin = || Ok(());
    let ended = resources.change_each(threads, begin, |ended, resource| {
        if ended.is_ok() && resource.notes.needs_hash {
            *ended = add_to_name(resource);
        }
    });
    ended.into_iter().collect()
}

fn add_to_name(resource: &mut Resource) -> Result<()> {
    let hash = hash(resource.node()).map_err(|error| error.resource(resource.id()))?;
    resource.remember_id();
    let name = format!("{}-{hash}", resource.name());
    resource.set_name(&name);
    Ok(())
}

/// The hash of an object: of the data of a `ConfigMap` or `Secret`, of the whole of anything else.
///
/// # Errors
/// Where the content cannot be written as JSON.
// kustomize: hasher.Hash
pub(crate) fn hash(node: &Node) -> Result<Text> {
    let content = match metadata::top_field(node, "kind") {
        "ConfigMap" => config_map(node)?,
        "Secret" => secret(node)?,
        // kustomize hashes go-yaml's own node structures here, with lines and comments; nothing generates such objects.
        _ => node
            .to_reencoded_value()
            .map_err(|error| Error::malformed(&error))?
            .to_json(),
    };
    let digest = Sha256::digest(content.as_bytes());
    let hex = digest
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 0xf])
        .take(LENGTH);
    Ok(hex.map(letter).collect())
}

fn config_map(node: &Node) -> Result<String> {
    let mut content = named("ConfigMap");
    content.push(("data".into(), field(node, "data")?));
    push_map(&mut content, node, "binaryData")?;
    Ok(Value::Object(content).to_json())
}

fn secret(node: &Node) -> Result<String> {
    let mut content = named("Secret");
    content.push(("type".into(), field(node, "type")?));
    content.push(("data".into(), field(node, "data")?));
    push_map(&mut content, node, "stringData")?;
    Ok(Value::Object(content).to_json())
}

fn named(kind: &str) -> Vec<(Text, Value)> {
    // kustomize: the hasher looks the name up as one key `metadata/name`, which no object has.
    vec![
        ("kind".into(), Value::String(kind.into())),
        ("name".into(), Value::String(Text::new())),
    ]
}

/// Adds a field that only counts as a map.
fn push_map(content: &mut Vec<(Text, Value)>, node: &Node, key: &str) -> Result<()> {
    if node.get(key).is_some_and(|value| !value.is_scalar()) {
        content.push((key.into(), field(node, key)?));
    }
    Ok(())
}

// kustomize: hasher getNodeValues
fn field(node: &Node, key: &str) -> Result<Value> {
    let Some(value) = node.get(key) else {
        return Ok(Value::String(Text::new()));
    };
    if let Some(text) = value.to_text() {
        return Ok(Value::String(text));
    }
    let value = value
        .to_reencoded_value()
        .map_err(|error| Error::malformed(&error).field(key))?;
    // A list is no map, and what is no map is forgotten.
    Ok(if value.as_object().is_some() {
        value.through_float64()
    } else {
        Value::Null
    })
}

/// A hexadecimal digit in the alphabet of Kubernetes' name hashes, which has no vowels.
const fn letter(digit: u8) -> char {
    match digit {
        0 => 'g',
        1 => 'h',
        3 => 'k',
        10 => 'm',
        14 => 't',
        2..=9 => (b'0' + digit) as char,
        _ => (b'a' + (digit - 10) % 6) as char,
    }
}
