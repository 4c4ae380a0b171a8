//! Reading the arguments of generators, from a kustomization or a plugin configuration.

use goyaml::Node;

use super::{GeneratorArgs, GeneratorOptions};
use crate::decode::{boolean, fields, located, located_list, string_map, text, unknown};
use crate::error::Result;

/// Reads an entry of `configMapGenerator` or `secretGenerator`.
///
/// # Errors
/// Where a field is unknown (if `strict`) or of another type.
pub(crate) fn decode_generator(node: &Node, is_secret: bool, strict: bool) -> Result<GeneratorArgs> {
    let mut args = GeneratorArgs { position: node.position, ..GeneratorArgs::default() };
    let mut env = None;
    for (name, value) in fields(node, "the generator")? {
        match name.as_str() {
            "name" => args.name = text(value, "name")?,
            "namespace" => args.namespace = text(value, "namespace")?,
            "behavior" => args.behavior = text(value, "behavior")?,
            "literals" => args.literals = located_list(value, "literals")?,
            "files" => args.files = located_list(value, "files")?,
            "envs" => args.envs = located_list(value, "envs")?,
            "env" => env = Some(located(value, "env")?),
            "options" => {
                args.options = (!value.is_null()).then(|| decode_generator_options(value, strict)).transpose()?;
            }
            "type" if is_secret => args.secret_type = text(value, "type")?,
            // An object that configures the plugin has metadata, where its name and namespace stand.
            "metadata" if !strict => {
                for (name, value) in fields(value, "metadata")? {
                    match name.as_str() {
                        "name" => args.name = text(value, "name")?,
                        "namespace" => args.namespace = text(value, "namespace")?,
                        _ => {}
                    }
                }
            }
            _ if strict => return Err(unknown(node, &name, known(is_secret))),
            _ => {}
        }
    }
    args.envs.extend(env.filter(|env| !env.text.is_empty()));
    Ok(args)
}

const fn known(is_secret: bool) -> &'static [&'static str] {
    const FIELDS: [&str; 9] =
        ["type", "name", "namespace", "behavior", "literals", "files", "envs", "env", "options"];
    if is_secret { &FIELDS } else { FIELDS.split_at(1).1 }
}

/// Reads `generatorOptions`, or the `options` of one generator.
///
/// # Errors
/// Where a field is unknown (if `strict`) or of another type.
pub(crate) fn decode_generator_options(node: &Node, strict: bool) -> Result<GeneratorOptions> {
    let mut options = GeneratorOptions::default();
    for (name, value) in fields(node, "the options")? {
        match name.as_str() {
            "labels" => options.labels = string_map(value, "labels")?,
            "annotations" => options.annotations = string_map(value, "annotations")?,
            "disablenamesuffixhash" => options.disable_name_suffix_hash = boolean(value, "disableNameSuffixHash")?,
            "immutable" => options.immutable = boolean(value, "immutable")?,
            _ if strict => {
                return Err(unknown(node, &name, &["labels", "annotations", "disableNameSuffixHash", "immutable"]));
            }
            _ => {}
        }
    }
    Ok(options)
}
