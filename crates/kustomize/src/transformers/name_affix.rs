//! `namePrefix` and `nameSuffix`.

use goyaml::{Node, Tag, Text};

use crate::error::{Error, Result};
use crate::field_spec::{Create, FieldSpec};
use crate::id::Gvk;
use crate::limits::{Budget, Places};
use crate::metadata;
use crate::resource::Resource;
use crate::transformers::pass::OfEach;

/// Which end of the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Affix {
    /// `namePrefix`
    Prefix,
    /// `nameSuffix`
    Suffix,
}

/// A prefix or suffix for the names of all resources that may be renamed.
pub(crate) struct Renaming<'a> {
    pub(crate) affix: Affix,
    pub(crate) text: &'a Text,
    pub(crate) specs: &'a [FieldSpec],
}

impl OfEach for Renaming<'_> {
    // kustomize: PrefixTransformer and SuffixTransformer
    fn change(&self, resource: &mut Resource, budget: &Budget) -> Result<()> {
        let (affix, text) = (self.affix, self.text);
        let original = resource.original_id();
        if is_name_fixed(&original.gvk) {
            return Ok(());
        }
        let mut places = Places::new(budget);
        for spec in self
            .specs
            .iter()
            .filter(|spec| original.gvk.is_selected_by(&spec.gvk))
        {
            if spec.path == "metadata/name" && !text.is_empty() {
                let affixes = match affix {
                    Affix::Prefix => &mut resource.notes.prefixes,
                    Affix::Suffix => &mut resource.notes.suffixes,
                };
                affixes.push(text.clone());
                resource.remember_id();
            }
            let result = spec.apply(
                resource.node_mut(),
                Create::Scalar(Tag::Str),
                &mut |node: &mut Node| {
                    if !node.is_scalar() {
                        return Err(Error::new(
                            "a name that gets a prefix or suffix must be a text",
                        )
                        .position(node.position));
                    }
                    let name = node.as_str().unwrap_or_default();
                    let renamed = match affix {
                        Affix::Prefix => [text, name].concat(),
                        Affix::Suffix => [name, text].concat(),
                    };
                    places.add(&spec.path, renamed.len())?;
                    metadata::replace_scalar(node, metadata::untagged(renamed));
                    Ok(())
                },
            );
            result.map_err(|error| error.resource(resource.id()))?;
        }
        places.settle()
    }

    fn weight(&self, resource: &Resource) -> usize {
        resource.name().len().saturating_add(self.text.len())
    }

    fn most(&self, content: usize, resources: usize) -> usize {
        content.saturating_add(self.text.len().saturating_mul(resources))
    }
}

// kustomize: prefixFieldSpecsToSkip
fn is_name_fixed(gvk: &Gvk) -> bool {
    matches!(gvk.kind.as_str(), "CustomResourceDefinition" | "Namespace")
        || (gvk.kind == "APIService" && gvk.group == "apiregistration.k8s.io")
}
