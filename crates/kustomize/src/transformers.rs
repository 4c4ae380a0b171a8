//! What a kustomization does to the resources below it, one kind of change per module.

use goyaml::Text;

use crate::error::Result;
use crate::field_specs::FieldSpecs;
use crate::kustomization::{Image, Replacement, Replica};
use crate::limits::Budget;
use crate::metadata::StringMap;
use crate::patches::{self, Patch, json6902::JsonPatch};
use crate::resource::Resource;
use crate::resources::Resources;
use crate::schema::Schema;
use crate::selector::Selector;
use crate::threads::Threads;

pub(crate) mod iam_policy;
pub(crate) mod images;
pub(crate) mod metadata_maps;
pub(crate) mod name_affix;
pub(crate) mod name_hash;
pub(crate) mod namespace;
pub(crate) mod pass;
pub(crate) mod replacements;
pub(crate) mod replicas;
pub(crate) mod sort;
pub(crate) mod value_add;

use images::Update;
use metadata_maps::Entries;
pub(crate) use name_affix::Affix;
use name_affix::Renaming;
use namespace::Move;
pub(crate) use namespace::NamespaceArgs;
use pass::{OfEach, Part};

/// A change that is ready to be made: everything that it needs has been read.
#[derive(Debug)]
pub(crate) enum Transformer {
    /// An entry of `patches`.
    Patch {
        /// The patch.
        patch: Patch,
        /// What it is for; without it, what the patch names.
        target: Option<Selector>,
    },
    /// `patchesStrategicMerge`
    StrategicPatches(Vec<Resource>),
    /// An entry of `patchesJson6902`
    JsonPatch {
        /// The patch.
        patch: JsonPatch,
        /// What it is for.
        target: Selector,
    },
    /// `namespace`
    Namespace(NamespaceArgs, FieldSpecs),
    /// `namePrefix` or `nameSuffix`
    NameAffix(Affix, Text, FieldSpecs),
    /// Labels or annotations.
    MetadataMap(StringMap, FieldSpecs),
    /// An entry of `replicas`
    Replicas(Replica, FieldSpecs),
    /// An entry of `images`
    Image(Image, FieldSpecs),
    /// `replacements`
    Replacements(Vec<Replacement>),
    /// Hashes for the names of generated resources, out of turn.
    NameHash,
    /// A value that is set or added to a path.
    ValueAdd(value_add::ValueAdd),
}

impl Transformer {
    /// Whether it merges into any of the resources by the schema.
    pub(crate) fn merges(&self, resources: &Resources) -> bool {
        match self {
            Self::Patch {
                patch: Patch::StrategicMerge(patches),
                target,
            } => !patches.is_empty() && patches::finds(target.as_ref(), resources),
            Self::StrategicPatches(_) => true,
            _ => false,
        }
    }

    /// The change as one of each resource by itself, if it is such a one.
    pub(crate) fn of_each(&self) -> Option<Box<dyn OfEach + '_>> {
        Some(match self {
            Self::Namespace(args, specs) => Box::new(Move { args, specs }),
            Self::NameAffix(affix, text, specs) => Box::new(Renaming {
                affix: *affix,
                text,
                specs,
            }),
            Self::MetadataMap(entries, specs) => Box::new(Entries::new(entries, specs)),
            Self::Image(image, specs) => Box::new(Update::new(image, specs)),
            _ => return None,
        })
    }

    /// Makes the change. Of those that may leave nothing of a resource, each takes such resources away.
    ///
    /// # Errors
    /// Where it does not fit the resources, and where they become too much.
    pub(crate) fn apply(
        &self,
        schema: &Schema,
        budget: &Budget,
        resources: &mut Resources,
    ) -> Result<()> {
        match self {
            Self::Patch { patch, target } => {
                patches::apply(patch, target.as_ref(), (schema, budget), resources)?;
            }
            Self::StrategicPatches(patches) => {
                patches::apply_strategic(patches, (schema, budget), resources)?;
            }
            Self::JsonPatch { patch, target } => {
                patches::apply_json(patch, target, budget, resources)?;
            }
            Self::Replicas(replica, specs) => replicas::apply(replica, specs, resources)?,
            Self::Replacements(replacements) => {
                replacements::apply(replacements, budget, resources)?;
                resources.drop_empty();
            }
            Self::NameHash => name_hash::apply(resources, Threads::One)?,
            Self::ValueAdd(add) => {
                value_add::apply(add, budget, resources)?;
                resources.drop_empty();
            }
            Self::Namespace(..) | Self::NameAffix(..) | Self::MetadataMap(..) | Self::Image(..) => {
                if let Some(change) = self.of_each() {
                    Part::of(change).run(budget, resources)?;
                }
            }
        }
        Ok(())
    }
}
