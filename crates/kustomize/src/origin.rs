//! `buildMetadata`: annotations that say where a resource comes from and what has changed it.

#[cfg(test)]
mod tests;

use goyaml::{Dialect, Limits, Node, Scalar, Style, Tag, Text};

use crate::decode::{any_text, fields, list, text};
use crate::error::{Error, Result};
use crate::metadata;
use crate::repository::Repository;
use crate::resource::Resource;

/// The annotation that says where a resource comes from.
pub(crate) const ORIGIN: &str = "config.kubernetes.io/origin";

/// The annotation that lists what has changed a resource.
pub(crate) const TRANSFORMATIONS: &str = "alpha.config.kubernetes.io/transformations";

/// Where a resource, or a change of it, comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Origin {
    /// The file or directory, relative to the directory that is built.
    path: Text,
    /// The remote repository.
    repository: Text,
    /// The reference in it.
    reference: Text,
    /// The file that configures the generator or transformer.
    configured_in: Text,
    /// The generator or transformer.
    configured_by: Configuration,
}

/// Which generator or transformer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Configuration {
    api_version: Text,
    kind: Text,
    name: Text,
    namespace: Text,
}

impl Origin {
    /// The directory that is built.
    pub(crate) fn root() -> Self {
        Self::default()
    }

    /// A file or directory named by a kustomization in this directory.
    // kustomize: Origin.Append
    pub(crate) fn join(&self, path: &str) -> Self {
        let Some(repository) = Repository::parse(path) else {
            return Self {
                path: join(&self.path, path),
                ..self.clone()
            };
        };
        // kustomize: takes the top of a repository for a directory of the name that stands for one not cloned yet.
        let directory = match repository.directory.as_str() {
            "" => "notCloned",
            directory => directory,
        };
        Self {
            path: join("", directory),
            repository: repository.url.into(),
            reference: repository.reference.into(),
            ..self.clone()
        }
    }

    /// What a field of the kustomization in this directory configures: the built-in plugin of the given kind.
    pub(crate) fn builtin(&self, kustomization_file: &str, kind: &str) -> Self {
        Self {
            path: Text::new(),
            configured_in: join(&self.path, kustomization_file),
            configured_by: Configuration {
                api_version: "builtin".into(),
                kind: kind.into(),
                ..Configuration::default()
            },
            ..self.clone()
        }
    }

    /// What a plugin configuration configures; nothing where its own origin is not known.
    ///
    /// # Errors
    /// Where the annotation with its origin cannot be read.
    // kustomize: resource.OriginFromCustomPlugin
    pub(crate) fn of_plugin(configuration: &Resource) -> Result<Option<Self>> {
        let id = configuration.id();
        Ok(Self::of(configuration)?.map(|origin| Self {
            path: Text::new(),
            configured_in: origin.path,
            configured_by: Configuration {
                api_version: id.gvk.api_version(),
                kind: id.gvk.kind.clone(),
                name: id.name.clone(),
                namespace: id.namespace.clone(),
            },
            repository: origin.repository,
            reference: origin.reference,
        }))
    }

    /// The origin in a resource's annotation.
    fn of(resource: &Resource) -> Result<Option<Self>> {
        annotation(resource, ORIGIN, Self::decode)
    }

    fn decode(node: &Node) -> Result<Self> {
        let mut origin = Self::default();
        for (name, value) in fields(node, "an origin")? {
            match name.as_str() {
                "path" => origin.path = any_text(value, "path")?,
                "repo" => origin.repository = any_text(value, "repo")?,
                "ref" => origin.reference = any_text(value, "ref")?,
                "configuredin" => origin.configured_in = any_text(value, "configuredIn")?,
                "configuredby" => origin.configured_by = Configuration::decode(value)?,
                _ => {}
            }
        }
        Ok(origin)
    }

    fn to_node(&self) -> Node {
        let Self {
            path,
            repository,
            reference,
            configured_in,
            configured_by,
        } = self;
        let parts = [
            ("path", path),
            ("repo", repository),
            ("ref", reference),
            ("configuredIn", configured_in),
        ];
        let mut node = filled_fields(&parts);
        let configured_by = configured_by.to_node();
        if configured_by
            .entries()
            .is_some_and(|entries| !entries.is_empty())
        {
            node.set("configuredBy", configured_by);
        }
        if node.entries().is_some_and(<[_]>::is_empty) {
            node.style = Style::FLOW;
        }
        node
    }
}

impl Configuration {
    fn decode(node: &Node) -> Result<Self> {
        let mut configuration = Self::default();
        for (name, value) in fields(node, "configuredBy")? {
            match name.as_str() {
                "apiversion" => configuration.api_version = text(value, "apiVersion")?,
                "kind" => configuration.kind = text(value, "kind")?,
                "name" => configuration.name = text(value, "name")?,
                "namespace" => configuration.namespace = text(value, "namespace")?,
                _ => {}
            }
        }
        Ok(configuration)
    }

    fn to_node(&self) -> Node {
        let Self {
            api_version,
            kind,
            name,
            namespace,
        } = self;
        filled_fields(&[
            ("apiVersion", api_version),
            ("kind", kind),
            ("name", name),
            ("namespace", namespace),
        ])
    }
}

/// Says where a resource comes from.
///
/// # Errors
/// Where the origin cannot be written as YAML, and where the annotations are no map.
// kustomize: resWrangler.AnnotateAll, which leaves the other annotations as they are.
pub(crate) fn set(resource: &mut Resource, origin: &Origin) -> Result<()> {
    check_map(resource)?;
    let written = goyaml::encode(&origin.to_node()).map_err(|error| Error::new(error.message))?;
    if let Some(annotations) = metadata::map_mut(resource.node_mut(), "annotations") {
        metadata::set_entry(annotations, ORIGIN, metadata::string_node(written.into()));
    }
    Ok(())
}

/// Says where a generated resource comes from, unless that is known.
///
/// # Errors
/// As for [`set`].
// kustomize: resWrangler.AddOriginAnnotation
pub(crate) fn set_if_missing(resource: &mut Resource, origin: &Origin) -> Result<()> {
    match Origin::of(resource) {
        Ok(None) => annotate(resource, ORIGIN, &origin.to_node()),
        // kustomize: an annotation that cannot be read counts as one.
        Ok(Some(_)) | Err(_) => Ok(()),
    }
}

/// Says that a transformer has run over a resource: one of unknown origin must have been made by it.
///
/// # Errors
/// Where an annotation that is there cannot be read.
// kustomize: resWrangler.AddTransformerAnnotation
pub(crate) fn add_transformation(resource: &mut Resource, transformer: &Origin) -> Result<()> {
    if Origin::of(resource)?.is_none() {
        return set(resource, transformer);
    }
    let read = |node: &Node| list(node, "transformations", Origin::decode);
    let mut all = annotation(resource, TRANSFORMATIONS, read)?.unwrap_or_default();
    all.push(transformer.clone());
    annotate(
        resource,
        TRANSFORMATIONS,
        &Node::sequence(all.iter().map(Origin::to_node).collect()),
    )
}

/// Gives a resource the origin of the one that it is merged into.
///
/// # Errors
/// Where the annotation cannot be read.
pub(crate) fn inherit(resource: &mut Resource, old: &Resource) -> Result<()> {
    match Origin::of(old)? {
        Some(origin) => set(resource, &origin),
        None => Ok(()),
    }
}

/// What `read` finds in the YAML that an annotation holds.
fn annotation<T>(
    resource: &Resource,
    name: &str,
    read: impl Fn(&Node) -> Result<T>,
) -> Result<Option<T>> {
    let Some(written) = metadata::annotation(resource.node(), name) else {
        return Ok(None);
    };
    let parsed = goyaml::parse(written.as_bytes(), &Limits::default())
        .map_err(|error| Error::malformed(&error));
    let found = parsed.and_then(|node| read(&node.unwrap_or_else(Node::null)));
    // Lines count from the start of the annotation, which says nothing to anybody.
    let place = resource.node().position;
    let blame = |error: Error| {
        error
            .replace_position(place)
            .field(format!("metadata.annotations.{name}"))
            .resource(resource.id())
    };
    found.map(Some).map_err(blame)
}

fn annotate(resource: &mut Resource, name: &str, value: &Node) -> Result<()> {
    check_map(resource)?;
    let written = goyaml::encode(value).map_err(|error| Error::new(error.message))?;
    let mut annotations = metadata::annotations(resource.node());
    annotations.insert(name.into(), written.into());
    metadata::set_string_map(resource.node_mut(), "annotations", &annotations);
    Ok(())
}

fn check_map(resource: &Resource) -> Result<()> {
    let present = resource.node().get_path(&["metadata", "annotations"]);
    match present.filter(|node| !node.is_mapping() && !node.is_null()) {
        Some(present) => Err(Error::new("annotations can only be added to a map")
            .position(present.position)
            .field("metadata.annotations")
            .resource(resource.id())),
        None => Ok(()),
    }
}

/// A map of the fields that are not empty.
fn filled_fields(parts: &[(&str, &Text)]) -> Node {
    let filled = parts.iter().filter(|(_, value)| !value.is_empty());
    Node::mapping(
        filled
            .map(|(name, value)| (Node::string(*name), quoted_where_needed(value)))
            .collect(),
    )
}

/// A text in quotes where an older YAML would see another type, as Go writes the texts of a struct.
fn quoted_where_needed(text: &Text) -> Node {
    let mut node = Node::string(text.clone());
    if !matches!(
        goyaml::resolve(text, Tag::Str, Style::PLAIN, Dialect::V2),
        Ok(Scalar::Text(_))
    ) {
        node.style = Style::DOUBLE_QUOTED;
    }
    node
}

/// Joins a path to a relative directory and cleans the result.
// Go: filepath.Join
fn join(directory: &str, path: &str) -> Text {
    let mut parts: Vec<&str> = Vec::new();
    for part in directory.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    if parts.is_empty() && !(directory.is_empty() && path.is_empty()) {
        ".".into()
    } else {
        parts.join("/").into()
    }
}
