//! `crds`: `OpenAPI` definitions whose annotations say which fields hold names, labels and annotations.

mod schema;
#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;

use goyaml::{Limits, Node, Tag, Text, Value};

use crate::config::{Config, NameBackReference, TransformerConfig, check_count};
use crate::error::{Error, Result};
use crate::field_spec::FieldSpec;
use crate::id::Gvk;
use crate::kustomization::Located;
use crate::load;
use crate::loader::Loader;

/// How far references to other definitions are followed.
const MAX_DEPTH: usize = 64;
/// How many fields the definitions of one file may lead to; what two fields refer to counts twice.
const MAX_FIELDS: usize = 500_000;

/// What the files of `crds` say about the fields of the kinds that they define.
///
/// # Errors
/// Where a file cannot be read or holds no `OpenAPI` definitions.
// kustomize: accumulator.LoadConfigFromCRDs
pub(crate) fn load(loader: &Loader, paths: &[Located]) -> Result<Config> {
    if paths.is_empty() {
        return Ok(Config::Empty);
    }
    let mut config = TransformerConfig::default();
    for path in paths {
        let file = loader.load(path)?;
        let read = Definitions::read(&file.bytes, file.number)
            .and_then(|definitions| definitions.add_to(&mut config));
        read.map_err(|error| error.in_file(&file.name))?;
    }
    Ok(Config::Own(Arc::new(config)))
}

/// Definitions, each with the name of its type.
#[derive(Default)]
struct Definitions {
    list: Vec<(Text, Node)>,
    /// The last one of each name.
    places: BTreeMap<Text, usize>,
    /// How many fields have been looked at.
    fields: Cell<usize>,
}

impl Definitions {
    fn read(bytes: &[u8], file: u32) -> Result<Self> {
        // kustomize: makeNameToApiMap takes a file for JSON by its first byte.
        if bytes.first() == Some(&b'{') {
            Value::from_json(bytes).map_err(|error| {
                Error::new(format!("invalid JSON: {}", error.message))
                    .hint("a file of definitions that begins with `{` must be strict JSON")
            })?;
        }
        let document = load::document(bytes, file, &Limits::default())?;
        // A file of comments says nothing; kustomize crashes on one without a single byte.
        let Some(node) = document.filter(|node| !node.is_null()) else {
            return if bytes.is_empty() {
                Err(Error::new("the file is empty")
                    .hint("`crds` names files of OpenAPI definitions"))
            } else {
                Ok(Self::default())
            };
        };
        let entries = node.entries().ok_or_else(|| not_openapi(&node))?;
        let definition = |(name, value): &(Node, Node)| {
            check_definition(value)?;
            Ok((name.to_text().unwrap_or_default(), value.clone()))
        };
        let list: Vec<(Text, Node)> = entries.iter().map(definition).collect::<Result<_>>()?;
        let names = list.iter().enumerate();
        let places = names.map(|(index, (name, _))| (name.clone(), index));
        Ok(Self {
            places: places.collect(),
            list,
            fields: Cell::new(0),
        })
    }

    // kustomize: makeConfigFromApiMap
    fn add_to(&self, config: &mut TransformerConfig) -> Result<()> {
        for (name, _) in &self.list {
            let properties = self.properties(name);
            let has = |field| {
                properties
                    .iter()
                    .any(|(key, _)| key.as_str() == Some(field))
            };
            if ["kind", "apiVersion", "metadata"].into_iter().all(has) {
                let kind = name.rsplit('.').next().unwrap_or_default();
                let mut found = TransformerConfig::default();
                self.add_fields(&mut found, kind, name, &mut Vec::new())?;
                config.absorb(&found)?;
            }
        }
        Ok(())
    }

    // kustomize: loadCrdIntoConfig
    fn add_fields(
        &self,
        config: &mut TransformerConfig,
        kind: &str,
        name: &str,
        path: &mut Vec<Text>,
    ) -> Result<()> {
        if path.len() >= MAX_DEPTH {
            return Err(
                Error::new(format!("the definition of `{kind}` refers to itself"))
                    .field(path.join("/"))
                    .hint("take the `$ref` that closes the circle out of the file"),
            );
        }
        for (key, property) in self.properties(name) {
            self.count_field(kind)?;
            path.push(key.to_text().unwrap_or_default());
            add_property(config, kind, property, path)?;
            if let Some(reference) = property
                .get("$ref")
                .and_then(Node::to_text)
                .filter(|text| !text.is_empty())
            {
                self.add_fields(config, kind, &reference, path)?;
            }
            path.pop();
        }
        Ok(())
    }

    /// Counts a field: where fields refer to the same definitions, their number may double at each level.
    fn count_field(&self, kind: &str) -> Result<()> {
        let fields = self.fields.get().saturating_add(1);
        self.fields.set(fields);
        if fields > MAX_FIELDS {
            return Err(Error::new(format!(
                "the definition of `{kind}` leads to more than {MAX_FIELDS} fields"
            ))
            .hint("take `$ref`s out of the file that lead to no names, labels or annotations"));
        }
        Ok(())
    }

    fn properties(&self, name: &str) -> &[(Node, Node)] {
        let place = self
            .places
            .get(name)
            .and_then(|index| self.list.get(*index));
        let definition = place.map(|(_, definition)| definition);
        let schema = definition.and_then(|definition| definition_field(definition, "schema"));
        schema
            .and_then(|schema| schema.get("properties"))
            .and_then(Node::entries)
            .unwrap_or_default()
    }
}

/// A field of a definition; its name matches in any case, those within the schema do not.
fn definition_field<'a>(definition: &'a Node, name: &str) -> Option<&'a Node> {
    let is_named = |(key, _): &&(Node, Node)| {
        key.as_str()
            .is_some_and(|key| key.eq_ignore_ascii_case(name))
    };
    definition
        .entries()?
        .iter()
        .find(is_named)
        .map(|(_, value)| value)
}

/// Makes sure that a definition has the shape of one.
fn check_definition(definition: &Node) -> Result<()> {
    if !definition.is_mapping() && !definition.is_null() {
        return Err(not_openapi(definition));
    }
    let dependencies = definition_field(definition, "dependencies");
    let in_schema = definition_field(definition, "schema").and_then(schema::misfit);
    let misfit = dependencies.and_then(schema::misfit_of_texts).or(in_schema);
    let misfit = misfit.map(|node| {
        Error::new("an OpenAPI definition has a value of another type here")
            .position(node.position)
            .hint("look the field up in the OpenAPI specification, and check the indentation")
    });
    misfit.map_or(Ok(()), Err)
}

fn add_property(
    config: &mut TransformerConfig,
    kind: &str,
    property: &Node,
    path: &[Text],
) -> Result<()> {
    let field = |path: String| FieldSpec {
        gvk: Gvk {
            kind: kind.into(),
            ..Gvk::default()
        },
        path: path.into(),
        create: false,
    };
    let here = path.join("/");
    for (extension, list) in [
        ("x-kubernetes-annotation", &mut config.common_annotations),
        ("x-kubernetes-label-selector", &mut config.common_labels),
        ("x-kubernetes-identity", &mut config.name_prefix),
    ] {
        if string_extension(property, extension).is_some() {
            check_count(list.len())?;
            list.merge(&[field(here.clone())])?;
        }
    }
    let version = string_extension(property, "x-kubernetes-object-ref-api-version");
    let target_kind = string_extension(property, "x-kubernetes-object-ref-kind");
    if let (Some(version), Some(target_kind)) = (version, target_kind) {
        let name_key = string_extension(property, "x-kubernetes-object-ref-name-key")
            .unwrap_or_else(|| "name".into());
        config.add_name_reference(&NameBackReference {
            target: Gvk {
                group: Text::new(),
                version,
                kind: target_kind,
            },
            referrers: vec![field(format!("{here}/{name_key}"))],
        })?;
    }
    Ok(())
}

/// The text of an `x-` field; nothing where it is no text.
fn string_extension(property: &Node, name: &str) -> Option<Text> {
    let value = property.get(name)?;
    value.to_text().filter(|_| value.tag == Tag::Str)
}

fn not_openapi(node: &Node) -> Error {
    Error::new("the file holds no OpenAPI definitions")
        .position(node.position)
        .hint("`crds` names files of OpenAPI definitions; list a CustomResourceDefinition under `resources`")
}
