//! `secretGenerator`

use goyaml::Node;

use super::data::{self, text_node};
use super::key_values::KeyValues;
use crate::error::Result;
use crate::kustomization::GeneratorArgs;
use crate::loader::Loader;
use crate::resource::Resource;

/// The type of a Secret that names none.
const DEFAULT_TYPE: &str = "Opaque";

/// Makes a Secret, with every value as base64.
///
/// # Errors
/// Where the name is missing, a source is wrong or cannot be read, and where a key repeats.
// kustomize: generators.MakeSecret
pub(crate) fn secret(args: &GeneratorArgs, loader: &Loader) -> Result<Resource> {
    let mut object = super::base("Secret", args)?;
    let secret_type = if args.secret_type.is_empty() {
        DEFAULT_TYPE.into()
    } else {
        args.secret_type.clone()
    };
    object.set("type", text_node(secret_type));
    let mut values = KeyValues::load(args, loader)?;
    let notices = values.take_notices();
    let entries = values.into_iter().map(|(key, value)| {
        let mut node = text_node(data::base64_lines(&value.bytes));
        node.position = value.position;
        (Node::string(key), node)
    });
    object.set("data", Node::mapping(entries.collect()));
    let mut made = super::finish(object, args)?;
    made.notices.extend(notices);
    Ok(made)
}
