//! Whether a schema has the shape of one.

use goyaml::{Dialect, Node, Scalar};

use crate::decode::MAX_INTEGER;

/// What may stand in a field of a schema; null always may.
// kustomize: kube-openapi's spec.Schema, read from what sigs.k8s.io/yaml makes of YAML 1.1.
#[derive(Clone, Copy)]
enum Shape {
    Text,
    Boolean,
    Number,
    Integer,
    Texts,
    List,
    TextOrTexts,
    Schema,
    Schemas,
    SchemaOrSchemas,
    SchemaOrBoolean,
    MapOfSchemas,
    MapOfSchemasOrTexts,
    Documentation,
}

/// The first part of a schema that makes it none.
pub(super) fn misfit(schema: &Node) -> Option<&Node> {
    if schema.is_null() {
        return None;
    }
    let Some(entries) = schema.entries() else {
        return Some(schema);
    };
    entries.iter().find_map(|(key, value)| {
        let shape = shape_of(key.as_str()?)?;
        misfit_of(value, shape)
    })
}

/// The first part of a list of texts that makes it none.
pub(super) fn misfit_of_texts(node: &Node) -> Option<&Node> {
    misfit_of(node, Shape::Texts)
}

fn shape_of(field: &str) -> Option<Shape> {
    Some(match field {
        "id" | "description" | "format" | "title" | "pattern" | "discriminator" => Shape::Text,
        "nullable" | "exclusiveMaximum" | "exclusiveMinimum" | "uniqueItems" | "readOnly" => {
            Shape::Boolean
        }
        "maximum" | "minimum" | "multipleOf" => Shape::Number,
        "maxLength" | "minLength" | "maxItems" | "minItems" | "maxProperties" | "minProperties" => {
            Shape::Integer
        }
        "type" => Shape::TextOrTexts,
        "required" => Shape::Texts,
        "enum" => Shape::List,
        "not" => Shape::Schema,
        "allOf" | "oneOf" | "anyOf" => Shape::Schemas,
        "items" => Shape::SchemaOrSchemas,
        "additionalItems" | "additionalProperties" => Shape::SchemaOrBoolean,
        "properties" | "patternProperties" | "definitions" => Shape::MapOfSchemas,
        "dependencies" => Shape::MapOfSchemasOrTexts,
        "externalDocs" => Shape::Documentation,
        _ => return None,
    })
}

fn misfit_of<'n>(node: &'n Node, shape: Shape) -> Option<&'n Node> {
    if node.is_null() {
        return None;
    }
    let is_right = |is_right: bool| (!is_right).then_some(node);
    let scalar = || {
        let resolved = goyaml::resolve(node.as_str()?, node.tag, node.style, Dialect::V2);
        resolved.ok()
    };
    let each_item = |shape| {
        let Some(items) = node.items() else {
            return Some(node);
        };
        items.iter().find_map(|item| misfit_of(item, shape))
    };
    let each_value = |find: &dyn Fn(&'n str, &'n Node) -> Option<&'n Node>| {
        let Some(entries) = node.entries() else {
            return Some(node);
        };
        let mut entries = entries.iter();
        entries.find_map(|(key, value)| find(key.as_str().unwrap_or_default(), value))
    };
    match shape {
        Shape::Text => is_right(matches!(scalar(), Some(Scalar::Text(_)))),
        Shape::Boolean => is_right(matches!(scalar(), Some(Scalar::Bool(_)))),
        Shape::Number => is_right(matches!(
            scalar(),
            Some(Scalar::Int(_) | Scalar::Uint(_) | Scalar::Float(_))
        )),
        // Go's JSON writes a float without a fraction as an integer.
        Shape::Integer => is_right(match scalar() {
            Some(Scalar::Int(_)) => true,
            Some(Scalar::Float(number)) => number.fract() == 0.0 && number.abs() < MAX_INTEGER,
            _ => false,
        }),
        Shape::List => is_right(node.items().is_some()),
        Shape::Texts => each_item(Shape::Text),
        Shape::Schemas => each_item(Shape::Schema),
        Shape::TextOrTexts if node.is_sequence() => each_item(Shape::Text),
        Shape::TextOrTexts => misfit_of(node, Shape::Text),
        Shape::SchemaOrSchemas if node.is_sequence() => each_item(Shape::Schema),
        // kube-openapi: SchemaOrArray.UnmarshalJSON looks at maps and lists alone.
        Shape::SchemaOrSchemas if node.is_scalar() => None,
        Shape::SchemaOrBoolean if node.is_scalar() => misfit_of(node, Shape::Boolean),
        Shape::Schema | Shape::SchemaOrSchemas | Shape::SchemaOrBoolean => misfit(node),
        Shape::MapOfSchemas => each_value(&|_, schema| misfit(schema)),
        Shape::MapOfSchemasOrTexts => each_value(&|_, value| match value.items() {
            Some(_) => misfit_of_texts(value),
            None if value.is_mapping() => misfit(value),
            None => None,
        }),
        Shape::Documentation => each_value(&|name, value| {
            let is_text = matches!(name, "description" | "url");
            misfit_of(value, Shape::Text).filter(|_| is_text)
        }),
    }
}
