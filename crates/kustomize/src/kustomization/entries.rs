//! Reading the entries of lists in a kustomization file, which plugin configurations have too.

use goyaml::{Node, Text};

use super::{
    Image, Label, LegacySortOptions, Located, Patch, Replacement, ReplacementField, Replica,
    SortOptions, Var, replacement_fields,
};
use crate::decode::{
    boolean, field_spec, fields, id_field, integer, list, located, path_in, selector, string_map,
    text, unknown,
};
use crate::error::{Error, Result};
use crate::id::ResId;

/// Reads an entry of `labels`.
///
/// # Errors
/// Where a field is unknown (if `strict`) or of another type.
pub(crate) fn label(node: &Node, strict: bool) -> Result<Label> {
    let mut label = Label {
        position: node.position,
        ..Label::default()
    };
    for (name, value) in fields(node, "labels")? {
        match name.as_str() {
            "pairs" => label.pairs = string_map(value, "pairs")?,
            "includeselectors" => label.include_selectors = boolean(value, "includeSelectors")?,
            "includetemplates" => label.include_templates = boolean(value, "includeTemplates")?,
            "includevolumeclaimtemplates" => {
                label.include_volume_claim_templates =
                    boolean(value, "includeVolumeClaimTemplates")?;
            }
            "fields" => {
                label.fields = list(value, "fields", |item| field_spec(item, "fields", strict))?;
            }
            _ if strict => {
                let known = [
                    "pairs",
                    "includeSelectors",
                    "includeTemplates",
                    "includeVolumeClaimTemplates",
                    "fields",
                ];
                return Err(unknown(node, &name, &known));
            }
            _ => {}
        }
    }
    Ok(label)
}

/// Reads an entry of `patches` or `patchesJson6902`.
///
/// # Errors
/// Where a field is unknown (if `strict`) or of another type.
pub(crate) fn patch(node: &Node, strict: bool) -> Result<Patch> {
    let mut patch = Patch {
        position: node.position,
        ..Patch::default()
    };
    let entry = fields(node, "patches").map_err(|error| not_a_patch(node, error))?;
    for (name, value) in entry {
        match name.as_str() {
            "path" => patch.path = located(value, "path")?,
            "patch" => {
                let read = located(value, "patch");
                patch.patch = read.map_err(|error| no_text(value, error))?;
            }
            "target" if value.is_null() => {}
            "target" => patch.target = Some(selector(value, "target", strict)?),
            "options" => patch_options(value, &mut patch, strict)?,
            _ if strict => {
                return Err(unknown(
                    node,
                    &name,
                    &["path", "patch", "target", "options"],
                ));
            }
            _ => {}
        }
    }
    Ok(patch)
}

/// The error for an entry that is not a map.
fn not_a_patch(node: &Node, error: Error) -> Error {
    let Some(text) = node.as_str() else {
        return error;
    };
    let form = path_in(text).map_or_else(
        || "`- patch: |-`, with the patch below, further to the right".to_owned(),
        |path| format!("`- path: {path}`"),
    );
    Error::new("an entry of `patches` must be a map, not a text")
        .position(node.position)
        .hint(format!("write {form}"))
}

/// The error for a patch that is written as what it describes.
fn no_text(node: &Node, error: Error) -> Error {
    if node.is_scalar() {
        return error;
    }
    error.replace_hint("write `patch: |-` and leave the lines below as they are")
}

fn patch_options(node: &Node, patch: &mut Patch, strict: bool) -> Result<()> {
    for (name, value) in fields(node, "options")? {
        match name.as_str() {
            "allownamechange" => patch.allow_name_change = boolean(value, "allowNameChange")?,
            "allowkindchange" => patch.allow_kind_change = boolean(value, "allowKindChange")?,
            _ if strict => {
                return Err(unknown(
                    node,
                    &name,
                    &["allowNameChange", "allowKindChange"],
                ));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Reads an entry of `images`.
///
/// # Errors
/// Where a field is unknown (if `strict`) or of another type.
pub(crate) fn image(node: &Node, strict: bool) -> Result<Image> {
    let mut image = Image {
        position: node.position,
        ..Image::default()
    };
    for (name, value) in fields(node, "images")? {
        match name.as_str() {
            "name" => image.name = text(value, "name")?,
            "newname" => image.new_name = text(value, "newName")?,
            "tagsuffix" => image.tag_suffix = text(value, "tagSuffix")?,
            "newtag" => image.new_tag = text(value, "newTag")?,
            "digest" => image.digest = text(value, "digest")?,
            _ if strict => {
                return Err(unknown(
                    node,
                    &name,
                    &["name", "newName", "newTag", "tagSuffix", "digest"],
                ));
            }
            _ => {}
        }
    }
    Ok(image)
}

/// Reads an entry of `replicas`.
///
/// # Errors
/// Where a field is unknown (if `strict`) or of another type.
pub(crate) fn replica(node: &Node, strict: bool) -> Result<Replica> {
    let mut replica = Replica {
        position: node.position,
        ..Replica::default()
    };
    for (name, value) in fields(node, "replicas")? {
        match name.as_str() {
            "name" => replica.name = text(value, "name")?,
            "count" => replica.count = integer(value, "count")?,
            _ if strict => return Err(unknown(node, &name, &["name", "count"])),
            _ => {}
        }
    }
    Ok(replica)
}

/// Reads an entry of `replacements`.
///
/// # Errors
/// Where a field is unknown or of another type, and where there is both a `path` and a replacement.
pub(super) fn replacement_field(node: &Node) -> Result<ReplacementField> {
    let mut path = Located::default();
    if let Some((_, value)) = fields(node, "replacements")?
        .into_iter()
        .find(|(name, _)| name == "path")
    {
        path = located(value, "path")?;
    }
    let replacement =
        if path.text.is_empty() || node.entries().is_some_and(|entries| entries.len() > 1) {
            replacement_fields::decode_replacement(node, true)?
        } else {
            Replacement::default()
        };
    if !path.text.is_empty() && (replacement.source.is_some() || !replacement.targets.is_empty()) {
        return Err(
            Error::new("a replacement has both `path` and a replacement of its own")
                .position(node.position)
                .hint("make two entries of it"),
        );
    }
    Ok(ReplacementField {
        path,
        replacement,
        position: node.position,
    })
}

/// Reads an entry of `vars`.
///
/// # Errors
/// Where a field is unknown or of another type.
pub(super) fn var(node: &Node) -> Result<Var> {
    let mut var = Var {
        position: node.position,
        field_path: "metadata.name".into(),
        ..Var::default()
    };
    for (name, value) in fields(node, "vars")? {
        match name.as_str() {
            "name" => var.name = text(value, "name")?,
            "objref" => var.object = var_object(value)?,
            "fieldref" => {
                for (name, part) in fields(value, "fieldref")? {
                    match name.as_str() {
                        "fieldpath" => var.field_path = text(part, "fieldpath")?,
                        _ => return Err(unknown(value, &name, &["fieldpath"])),
                    }
                }
            }
            _ => return Err(unknown(node, &name, &["name", "objref", "fieldref"])),
        }
    }
    Ok(var)
}

// kustomize: types.Target.GVK
fn var_object(node: &Node) -> Result<ResId> {
    let mut object = ResId::default();
    let mut api_version = Text::new();
    for (name, value) in fields(node, "objref")? {
        if name == "apiversion" {
            api_version = text(value, "apiVersion")?;
        } else if !id_field(&mut object, &name, value)? {
            return Err(unknown(
                node,
                &name,
                &[
                    "apiVersion",
                    "group",
                    "version",
                    "kind",
                    "name",
                    "namespace",
                ],
            ));
        }
    }
    match *api_version.split('/').collect::<Vec<_>>() {
        [version] if !version.is_empty() => object.gvk.version = version.into(),
        [group, version] => {
            object.gvk.group = group.into();
            object.gvk.version = version.into();
        }
        // kustomize: an apiVersion of more parts counts for nothing, as an empty one.
        _ => {}
    }
    Ok(object)
}

/// Reads `sortOptions`.
///
/// # Errors
/// Where a field is unknown or of another type.
pub(super) fn sort_options(node: &Node) -> Result<Option<SortOptions>> {
    if node.is_null() {
        return Ok(None);
    }
    let mut options = SortOptions::default();
    for (name, value) in fields(node, "sortOptions")? {
        match name.as_str() {
            "order" => options.order = text(value, "order")?,
            "legacysortoptions" if value.is_null() => {}
            "legacysortoptions" => options.legacy = Some(legacy_sort_options(value)?),
            _ => return Err(unknown(node, &name, &["order", "legacySortOptions"])),
        }
    }
    Ok(Some(options))
}

fn legacy_sort_options(node: &Node) -> Result<LegacySortOptions> {
    let mut options = LegacySortOptions::default();
    for (name, value) in fields(node, "legacySortOptions")? {
        match name.as_str() {
            "orderfirst" => {
                options.order_first = list(value, "orderFirst", |item| text(item, "orderFirst"))?;
            }
            "orderlast" => {
                options.order_last = list(value, "orderLast", |item| text(item, "orderLast"))?;
            }
            _ => return Err(unknown(node, &name, &["orderFirst", "orderLast"])),
        }
    }
    Ok(options)
}
