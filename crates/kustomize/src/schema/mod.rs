//! What is known of the types of resources: how their lists merge, and whether they live in a namespace.

mod custom;
mod table;

#[cfg(test)]
mod tests;

use custom::Custom;
use goyaml::Node;
use table::NodeIndex;

/// References followed from one schema to the next before a chain counts as endless.
const MAX_REFERENCES: usize = 32;

/// The types that a build knows: those of Kubernetes v1.21.2, those of a custom schema, or both.
///
/// Making one costs nothing; the built-in types are looked up in a table that is part of the program.
#[derive(Clone, Debug)]
pub struct Schema {
    custom: Option<Custom>,
    builtin: Builtin,
}

/// The part that the built-in types play beside a custom schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Builtin {
    /// The custom schema stands alone: what kustomize does where the first kustomization it reads names it.
    Replaced,
    /// The custom schema's definitions win over built-in ones of the same name or kind: what kustomize does where
    /// a merge has used the built-in schema before it comes to the custom one.
    Extended,
    /// The built-in definitions win: what kustomize does where it has asked for the scope of a kind that is not
    /// built in, but for no schema, before it comes to the custom one.
    Preferred,
}

/// Why a custom schema cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// A part of the `OpenAPI` document that must be a mapping is something else.
    #[error("invalid openapi schema: `{0}` is not a mapping")]
    NotMapping(&'static str),
}

/// The schema of a resource or of a field, an element or a value in it.
#[derive(Clone, Copy, Debug)]
pub struct FieldSchema<'a> {
    schema: &'a Schema,
    source: Source<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Source<'a> {
    Builtin(NodeIndex),
    Custom(&'a Node),
}

impl Default for Schema {
    fn default() -> Self {
        Self::builtin()
    }
}

impl Schema {
    /// The types of Kubernetes v1.21.2, the only version that kustomize has built in.
    pub const fn builtin() -> Self {
        Self {
            custom: None,
            builtin: Builtin::Preferred,
        }
    }

    /// The types of an `OpenAPI` v2 document (the file that `openapi.path` names).
    ///
    /// # Errors
    ///
    /// Where the document is not an `OpenAPI` document.
    pub fn with_custom(document: &Node, builtin: Builtin) -> Result<Self, SchemaError> {
        Ok(Self {
            custom: Some(Custom::new(document)?),
            builtin,
        })
    }

    /// The schema of a kind of resource; `None` where nothing is known of it.
    pub fn resource(&self, api_version: &str, kind: &str) -> Option<FieldSchema<'_>> {
        let builtin = table::resource(api_version, kind)
            .filter(|resource| resource.always_known || self.builtin != Builtin::Replaced);
        if let Some(resource) = builtin
            && resource.always_known
        {
            return resource.node.map(|node| self.at(Source::Builtin(node)));
        }
        let builtin = builtin
            .and_then(|resource| resource.node)
            .map(Source::Builtin);
        let custom = self
            .custom
            .as_ref()
            .and_then(|custom| custom.resource(api_version, kind))
            .map(Source::Custom);
        let source = if self.builtin == Builtin::Preferred {
            builtin.or(custom)
        } else {
            custom.or(builtin)
        };
        source.map(|source| self.at(source))
    }

    /// Whether a kind of resource lives in a namespace; `None` where that is not known.
    ///
    /// kustomize: `IsNamespaceScoped` answers for built-in kinds whatever schema is in use.
    pub fn is_namespace_scoped(&self, api_version: &str, kind: &str) -> Option<bool> {
        table::resource(api_version, kind)
            .and_then(|resource| resource.namespaced)
            .or_else(|| self.custom.as_ref()?.is_namespaced(api_version, kind))
    }

    /// Whether a kind of resource is known to live outside namespaces, as a Namespace or a Node does.
    pub fn is_cluster_scoped(&self, api_version: &str, kind: &str) -> bool {
        self.is_namespace_scoped(api_version, kind) == Some(false)
    }

    /// A schema that stands outside of all documents, as one in a comment does. Where it refers to another one that is
    /// not known, it says nothing.
    pub(crate) fn standalone<'a>(&'a self, schema: &'a Node) -> FieldSchema<'a> {
        let source = Source::Custom(schema);
        self.resolve(source).unwrap_or_else(|| self.at(source))
    }

    const fn at<'a>(&'a self, source: Source<'a>) -> FieldSchema<'a> {
        FieldSchema {
            schema: self,
            source,
        }
    }

    /// The definition with this name, from the document that wins.
    fn definition(&self, name: &str) -> Option<Source<'_>> {
        let custom = || {
            self.custom
                .as_ref()?
                .definitions
                .get(name)
                .map(Source::Custom)
        };
        let builtin = || table::definition(name).map(Source::Builtin);
        match self.builtin {
            Builtin::Replaced => custom(),
            Builtin::Extended => custom().or_else(builtin),
            Builtin::Preferred => builtin().or_else(custom),
        }
    }

    /// Follows references until there are none; `None` where one leads nowhere.
    fn resolve<'a>(&'a self, mut source: Source<'a>) -> Option<FieldSchema<'a>> {
        for _ in 0..MAX_REFERENCES {
            let Source::Custom(node) = source else { break };
            match custom::reference(node) {
                Ok(None) => break,
                Ok(Some(name)) => source = self.definition(&name)?,
                Err(()) => return None,
            }
        }
        // The table's references are followed already, but a custom definition may have taken the place of one.
        if let (Source::Builtin(node), Builtin::Extended, Some(custom)) =
            (source, self.builtin, &self.custom)
            && let Some(replacement) = node
                .definition_name()
                .and_then(|name| custom.definitions.get(name))
        {
            return Some(self.at(Source::Custom(replacement)));
        }
        Some(self.at(source))
    }
}

impl<'a> FieldSchema<'a> {
    /// The schema of the field with this name; in a map that takes any key, the schema of its values.
    pub fn field(&self, name: &str) -> Option<Self> {
        let source = match self.source {
            Source::Builtin(node) => node
                .property(name)
                .or_else(|| node.map_values())
                .map(Source::Builtin),
            Source::Custom(node) => custom::property(node, name)
                .or_else(|| custom::map_values(node))
                .map(Source::Custom),
        };
        self.schema.resolve(source?)
    }

    /// The schema of a list's elements; `None` for anything that is not a list.
    pub fn elements(&self) -> Option<Self> {
        let source = match self.source {
            Source::Builtin(node) => node.elements().map(Source::Builtin),
            Source::Custom(node) => custom::elements(node).map(Source::Custom),
        };
        self.schema.resolve(source?)
    }

    /// The schema that the path leads to, `[]` standing for a list's elements.
    pub fn lookup(&self, path: &[&str]) -> Option<Self> {
        path.iter().try_fold(*self, |schema, step| {
            if *step == "[]" {
                schema.elements()
            } else {
                schema.field(step)
            }
        })
    }

    /// The patch strategy as it is written (`merge`, `replace`, `retainKeys`, `merge,retainKeys`).
    pub fn patch_strategy(&self) -> Option<&'a str> {
        match self.source {
            Source::Builtin(node) => node.patch_strategy(),
            Source::Custom(node) => custom::patch_strategy(node),
        }
    }

    /// Whether the elements of the list are merged one by one.
    pub fn merges_elements(&self) -> bool {
        self.patch_strategy()
            .is_some_and(|strategies| strategies.split(',').any(|strategy| strategy == "merge"))
    }

    /// The fields that together tell the elements of a merged list apart; none for a list of scalars.
    pub fn merge_keys(&self) -> Vec<&'a str> {
        match self.source {
            Source::Builtin(node) => node.merge_keys(),
            Source::Custom(node) => custom::merge_keys(node),
        }
    }
}
