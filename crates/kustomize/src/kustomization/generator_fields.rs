//! Reading generators and their options, from a kustomization or from a plugin configuration.

use goyaml::Node;

use super::{GeneratorArgs, GeneratorOptions};
use crate::decode::{boolean, fields, located, located_list, string_map, text, unknown};
use crate::error::Result;

const FIELDS: [&str; 9] = [
    "name",
    "namespace",
    "behavior",
    "literals",
    "files",
    "envs",
    "env",
    "options",
    "type",
];

/// Reads a generator.
///
/// In a kustomization (`strict`) an unknown field is an error and `env` counts as the last of `envs`. A plugin
/// configuration may have other fields, takes name and namespace from its metadata where it gives none, and `env` does
/// nothing in it.
///
/// # Errors
/// Where a field is of another type or, if `strict`, unknown.
pub(crate) fn decode_generator(
    node: &Node,
    is_secret: bool,
    strict: bool,
) -> Result<GeneratorArgs> {
    let mut args = GeneratorArgs {
        position: node.position,
        ..GeneratorArgs::default()
    };
    let mut metadata = GeneratorArgs::default();
    let mut env = None;
    for (name, value) in fields(node, "a generator")? {
        match name.as_str() {
            "name" => args.name = text(value, "name")?,
            "namespace" => args.namespace = text(value, "namespace")?,
            "behavior" => {
                args.behavior = text(value, "behavior")?;
                args.behavior_position = value.position;
            }
            "literals" => args.literals = located_list(value, "literals")?,
            "files" => args.files = located_list(value, "files")?,
            "envs" => args.envs = located_list(value, "envs")?,
            "env" => {
                env = Some(located(value, "env")?).filter(|env| strict && !env.text.is_empty());
            }
            "options" if value.is_null() => args.options = None,
            "options" => args.options = Some(decode_generator_options(value, strict)?),
            "type" if is_secret => args.secret_type = text(value, "type")?,
            "metadata" if !strict => metadata = decode_metadata(value)?,
            _ if strict => {
                let known = if is_secret {
                    FIELDS.as_slice()
                } else {
                    FIELDS.split_last().map_or(&[][..], |(_, rest)| rest)
                };
                return Err(unknown(node, &name, known));
            }
            _ => {}
        }
    }
    args.envs.extend(env);
    if args.name.is_empty() {
        args.name = metadata.name;
    }
    if args.namespace.is_empty() {
        args.namespace = metadata.namespace;
    }
    Ok(args)
}

/// Reads `generatorOptions`, or the `options` of a generator.
///
/// # Errors
/// Where a field is of another type or, if `strict`, unknown.
pub(crate) fn decode_generator_options(node: &Node, strict: bool) -> Result<GeneratorOptions> {
    let mut options = GeneratorOptions::default();
    for (name, value) in fields(node, "generator options")? {
        match name.as_str() {
            "labels" => options.labels = string_map(value, "labels")?,
            "annotations" => options.annotations = string_map(value, "annotations")?,
            "disablenamesuffixhash" => {
                options.disable_name_suffix_hash = boolean(value, "disableNameSuffixHash")?;
            }
            "immutable" => options.immutable = boolean(value, "immutable")?,
            _ if strict => {
                return Err(unknown(
                    node,
                    &name,
                    &[
                        "labels",
                        "annotations",
                        "disableNameSuffixHash",
                        "immutable",
                    ],
                ));
            }
            _ => {}
        }
    }
    Ok(options)
}

/// Reads name and namespace from the metadata of a plugin configuration.
///
/// # Errors
/// Where a field is of another type, also one that is not used.
pub(crate) fn decode_metadata(node: &Node) -> Result<GeneratorArgs> {
    let mut metadata = GeneratorArgs::default();
    for (name, value) in fields(node, "metadata")? {
        match name.as_str() {
            "name" => metadata.name = text(value, "metadata.name")?,
            "namespace" => metadata.namespace = text(value, "metadata.namespace")?,
            "labels" => drop(string_map(value, "metadata.labels")?),
            "annotations" => drop(string_map(value, "metadata.annotations")?),
            _ => {}
        }
    }
    Ok(metadata)
}
