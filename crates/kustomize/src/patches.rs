//! Patches: strategic merge and JSON 6902, and what they are applied to.

use goyaml::{Limits, Node, TextPlace};

use crate::error::{Error, Result};
use crate::id::ResId;
use crate::limits::Budget;
use crate::load;
use crate::lost;
use crate::meant;
use crate::metadata;
use crate::resource::{MadeBy, Resource};
use crate::resources::Resources;
use crate::schema::Schema;
use crate::selector::Selector;

pub(crate) mod json6902;
pub(crate) mod strategic_merge;

use json6902::JsonPatch;

/// A patch whose text has been read.
#[derive(Debug)]
pub(crate) enum Patch {
    /// Strategic merge patches, in the order in which they were written.
    StrategicMerge(Vec<Resource>),
    /// One JSON 6902 patch.
    Json(JsonPatch),
}

impl Patch {
    /// Says where the patch stands: in a file of its own, or in a text.
    pub(crate) fn set_place(&mut self, file: Option<u32>, place: TextPlace) {
        match self {
            Self::Json(patch) => patch.set_place(file, place),
            Self::StrategicMerge(objects) => {
                for object in objects {
                    match file {
                        Some(file) => object.node_mut().set_file(file),
                        None => object.node_mut().set_text_place(place),
                    }
                }
            }
        }
    }
}

/// Reads an entry of `patches`, which may be of either form.
///
/// # Errors
/// Where it is neither, or both.
// kustomize: PatchTransformerPlugin.Config
pub(crate) fn parse(text: &str, limits: &Limits) -> Result<Patch> {
    let strategic = load::resources(text.as_bytes(), limits);
    // What begins with a letter is no list, and so no list of operations.
    let begins_with_letter = text.starts_with(|first: char| first.is_ascii_alphabetic());
    let strategic = match strategic {
        Ok(objects) if begins_with_letter => return Ok(as_patches(objects)),
        strategic => strategic,
    };
    match (strategic, JsonPatch::parse(text)) {
        (Ok(objects), Ok(json)) if !objects.is_empty() && !json.is_empty() => Err(Error::new(
            "the patch reads as a strategic merge patch and as a JSON 6902 patch",
        )
        .hint("make two entries of it")),
        (Ok(objects), _) => Ok(as_patches(objects)),
        (Err(_), Ok(json)) => Ok(Patch::Json(json)),
        (Err(as_object), Err(as_json)) => {
            if is_operation(text) {
                return Err(as_json.replace_hint(
                    "put `- ` in front of `op`, and two spaces in front of the lines below",
                ));
            }
            // Whichever form the text looks like is the one that its author wants to hear about.
            let is_list = text.trim_start().starts_with(['-', '[']);
            let error = if is_list && !as_object.details().is_malformed_yaml {
                as_json
            } else {
                as_object
            };
            Err(if error.details().is_malformed_yaml {
                error
            } else {
                error.replace_hint(PATCH_FORMS)
            })
        }
    }
}

/// Strategic merge patches that were read of a text of their own.
fn as_patches(mut objects: Vec<Resource>) -> Patch {
    for object in &mut objects {
        let version = object.node().get("apiVersion").map(|node| node.position);
        let version = version.unwrap_or_default();
        object.made_by = MadeBy::Patch {
            version: (version.line, version.column),
        };
    }
    Patch::StrategicMerge(objects)
}

/// Whether a text is an operation that is no item of a list.
fn is_operation(text: &str) -> bool {
    let parsed = goyaml::parse(text.as_bytes(), &Limits::default());
    let parsed = parsed.ok().flatten();
    parsed.is_some_and(|node| node.get("op").is_some() && node.get("kind").is_none())
}

/// What a patch looks like.
const PATCH_FORMS: &str = "a patch is a list of JSON 6902 operations, or an object with `apiVersion`, `kind`, \
                           `metadata.name` and the fields to change";

/// Applies a patch to what the selector selects or, without one, to what the patch names.
///
/// # Errors
/// Where nothing is named, where the patch names what is not there, and where it does not fit.
// kustomize: PatchTransformerPlugin.Transform
pub(crate) fn apply(
    patch: &Patch,
    target: Option<&Selector>,
    (schema, budget): (&Schema, &Budget),
    resources: &mut Resources,
) -> Result<()> {
    match (patch, target) {
        (Patch::StrategicMerge(patches), Some(target)) => {
            let [patch] = patches.as_slice() else {
                return if patches.is_empty() {
                    Ok(())
                } else {
                    Err(Error::new(
                        "several strategic merge patches in one entry cannot have a `target`",
                    )
                    .field("target")
                    .hint("make each patch an entry of its own"))
                };
            };
            let selected = select(target, resources)?;
            budget.charge_node(patch.node(), selected.len())?;
            apply_to_each(patch, &selected, schema, resources)
        }
        (Patch::StrategicMerge(patches), None) => {
            let mut changed = Vec::with_capacity(patches.len());
            for patch in patches {
                budget.check_time()?;
                let index = target_of(patch, resources)?;
                if let Some(resource) = resources.get_mut(index) {
                    merge(patch, schema, resource)?;
                    changed.push(index);
                }
            }
            changed.sort_unstable();
            resources.drop_empty_of(&changed);
            Ok(())
        }
        (Patch::Json(patch), Some(target)) => {
            let selected = select(target, resources)?;
            budget.charge(patch.weight().saturating_mul(selected.len()))?;
            for &index in &selected {
                budget.check_time()?;
                let Some(resource) = resources.get_mut(index) else {
                    continue;
                };
                resource.remember_id();
                edit(patch, budget, resource)?;
                resources.note_renaming();
            }
            resources.drop_empty_of(&selected);
            Ok(())
        }
        (Patch::Json(_), None) => Err(Error::new("a JSON 6902 patch needs a `target`")
            .field("target")
            .hint("say what it is for: `target: {kind: Deployment, name: …}`")),
    }
}

/// Applies entries of `patchesStrategicMerge`.
///
/// # Errors
/// Where a patch names what is not there, and where it does not fit.
// kustomize: PatchStrategicMergeTransformerPlugin.Transform
pub(crate) fn apply_strategic(
    patches: &[Resource],
    (schema, budget): (&Schema, &Budget),
    resources: &mut Resources,
) -> Result<()> {
    patches.iter().try_for_each(|patch| {
        budget.check_time()?;
        let index = target_of(patch, resources)?;
        apply_to_each(patch, &[index], schema, resources)
    })
}

/// Applies an entry of `patchesJson6902`.
///
/// # Errors
/// Where the patch does not fit.
// kustomize: PatchJson6902TransformerPlugin.Transform, which, unlike `patches`, notes no previous id.
pub(crate) fn apply_json(
    patch: &JsonPatch,
    target: &Selector,
    budget: &Budget,
    resources: &mut Resources,
) -> Result<()> {
    let selected = select(target, resources)?;
    budget.charge(patch.weight().saturating_mul(selected.len()))?;
    for &index in &selected {
        budget.check_time()?;
        let Some(resource) = resources.get_mut(index) else {
            continue;
        };
        edit(patch, budget, resource)?;
        resources.note_renaming();
    }
    resources.drop_empty_of(&selected);
    Ok(())
}

/// Whether a patch with this target meets a resource; one without names what it is for, and fails where that is not there.
pub(crate) fn finds(target: Option<&Selector>, resources: &Resources) -> bool {
    target.is_none_or(|target| select(target, resources).is_ok_and(|found| !found.is_empty()))
}

fn select(target: &Selector, resources: &Resources) -> Result<Vec<usize>> {
    Ok(resources.positions_selected(&target.compile()?))
}

fn target_of(patch: &Resource, resources: &Resources) -> Result<usize> {
    let id: ResId = patch.original_id();
    resources.position_of(&id).map_err(|error| {
        let name = patch.node().get_path(&["metadata", "name"]);
        let error = error.position(name.unwrap_or(patch.node()).position);
        // kustomize: an object without apiVersion is of another kind than any that has one.
        let meant = without_version(&id, resources).or_else(|| meant::hint(&id, resources));
        let error = if error.details().related.is_empty() {
            error
        } else {
            error.replace_hint(format!(
                "give all but one of them another name, or a namespace; or patch all of them by `target: {{kind: {}, \
                 name: {}}}` beside the patch",
                id.gvk.kind, id.name
            ))
        };
        let error = match meant {
            Some(hint) => error.hint(hint),
            None => error,
        };
        error.hint(
            "a patch without `target` is for the resource with its apiVersion, kind, name and namespace, as they are \
             before prefixes and suffixes are added",
        )
    })
}

/// What to do where it is the apiVersion that the patch lacks.
fn without_version(id: &ResId, resources: &Resources) -> Option<String> {
    if !id.gvk.api_version().is_empty() {
        return None;
    }
    let is_meant = |known: &ResId| {
        let is_kind = known.gvk.kind == id.gvk.kind;
        is_kind && known.name == id.name && id.is_in_namespace_of(known)
    };
    let meant = resources
        .iter()
        .find(|resource| resource.any_id(is_meant))?;
    let version = meant.gvk().api_version();
    Some(format!(
        "the patch has no `apiVersion`: write `apiVersion: {version}`"
    ))
}

// kustomize: resWrangler.ApplySmPatch
fn apply_to_each(
    patch: &Resource,
    selected: &[usize],
    schema: &Schema,
    resources: &mut Resources,
) -> Result<()> {
    if selected.is_empty() {
        return Ok(());
    }
    let mut patch = patch.clone();
    let node = patch.node_mut();
    // kustomize: Resource.CopyMergeMetaDataFieldsFrom writes the patch's labels and annotations anew, as strings: a null
    // there becomes the text `null` (or `~`) and deletes nothing, and a null or empty map of them has no effect at all.
    let (labels, annotations) = (metadata::labels(node), metadata::annotations(node));
    metadata::set_string_map(node, "labels", &labels);
    metadata::set_string_map(node, "annotations", &annotations);
    let (name, namespace) = (patch.name().clone(), patch.namespace().clone());
    patch.set_name(&name);
    patch.set_namespace(&namespace);
    for index in selected {
        let Some(resource) = resources.get_mut(*index) else {
            continue;
        };
        let mut copy = patch.clone();
        let gvk = resource.gvk().clone();
        copy.set_gvk(&gvk);
        copy.made_by = MadeBy::Reading;
        copy.set_kind(&patch.gvk().kind);
        merge(&copy, schema, resource)?;
        if gvk.api_version().is_empty() && !resource.is_empty() {
            // kustomize: the apiVersion that the object does not have is written into the patch, as nothing.
            metadata::set_entry(resource.node_mut(), "apiVersion", metadata::untagged(""));
        }
    }
    resources.drop_empty_of(selected);
    let may_rename = patch.notes.name_change_allowed || patch.notes.kind_change_allowed;
    // kustomize: resWrangler.ApplySmPatch adds all resources anew, also where something else has made two alike.
    if may_rename || resources.may_have_twins() {
        resources.check_unique()
    } else {
        Ok(())
    }
}

// kustomize: Resource.ApplySmPatch
fn merge(patch: &Resource, schema: &Schema, resource: &mut Resource) -> Result<()> {
    let id = resource.id().clone();
    let keeps_name = !patch.notes.name_change_allowed;
    let keeps_kind = !patch.notes.kind_change_allowed;
    resource.made_by = MadeBy::Merge {
        keeps_name,
        keeps_kind,
        version: match patch.made_by {
            MadeBy::Patch { version } => Some(version),
            MadeBy::Reading | MadeBy::Merge { .. } | MadeBy::JsonPatch => None,
        },
    };
    if !keeps_name || !keeps_kind {
        resource.remember_id();
    }
    let result = if rewrites_annotations(patch.node()) {
        resource.edit_with_notes(|node| merge_node(patch, schema, node))
    } else {
        merge_node(patch, schema, resource.node_mut())
    };
    let notices = result.map_err(|error| error.position(patch.node().position).resource(&id))?;
    resource.notices.extend(notices);
    resource.settle_shared();
    if resource.is_empty() {
        return Ok(());
    }
    // kustomize: kind, name and namespace are written back whatever the patch says, and lose their type with that.
    if keeps_kind {
        resource.set_kind(&id.gvk.kind);
    }
    if keeps_name {
        resource.set_name(&id.name);
    }
    resource.set_namespace(&id.namespace);
    Ok(())
}

fn merge_node(patch: &Resource, schema: &Schema, node: &mut Node) -> Result<Vec<Error>> {
    let target = std::mem::replace(node, Node::null());
    let merged = strategic_merge::apply(schema, patch.node(), target)?;
    *node = merged.node.unwrap_or_else(Node::null);
    let dropped = merged.dropped.iter().map(lost::element);
    Ok(dropped
        .chain(merged.keyless.iter().map(lost::keyless))
        .collect())
}

/// Whether a patch could drop or replace all annotations, or not fit them, among which kustomize keeps its notes.
fn rewrites_annotations(patch: &Node) -> bool {
    let has_directive = |node: Option<&Node>| {
        node.is_some_and(|node| node.get("$patch").is_some() || !node.is_mapping())
    };
    let metadata = patch.get("metadata");
    has_directive(Some(patch))
        || has_directive(metadata)
        || has_directive(metadata.and_then(|node| node.get("annotations")))
}

fn edit(patch: &JsonPatch, budget: &Budget, resource: &mut Resource) -> Result<()> {
    let id = resource.id().clone();
    let notes = resource.notes.clone();
    resource.made_by = MadeBy::JsonPatch;
    let mut notices = Vec::new();
    let result = resource.edit_with_notes(|node| {
        *node = patch.apply(node, &mut notices)?;
        if patch.copies() {
            budget.charge_node(node, 1)?;
        }
        Ok(())
    });
    // kustomize: the notes are put back, whatever the patch did to the annotations that hold them.
    resource.notes = notes;
    resource.notices.append(&mut notices);
    // kustomize: with them all annotations are written anew, as strings.
    let annotations = metadata::annotations(resource.node());
    metadata::set_string_map(resource.node_mut(), "annotations", &annotations);
    result.map_err(|error: Error| error.resource(&id))
}
