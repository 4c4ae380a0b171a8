//! The changes that the fields of a kustomization ask for, in kustomize's order.

use goyaml::Limits;

use crate::config::Config;
use crate::error::{Error, Result};
use crate::field_spec::{self, FieldSpec};
use crate::kustomization::{
    self, Kustomization, Label, Located, Patch as PatchEntry, ReplacementField,
};
use crate::load;
use crate::loader::{Loaded, Loader};
use crate::metadata;
use crate::patches;
use crate::patches::json6902::JsonPatch;
use crate::resource::Resource;
use crate::transformers::{Affix, NamespaceArgs, Transformer};

/// A change and the kind of plugin that kustomize makes it with.
type Named = (&'static str, Transformer);

/// The changes of a kustomization, each with the kind of its plugin, with every file that they need read.
///
/// # Errors
/// Where a file cannot be read, and where a patch or replacement is none.
// kustomize: KustTarget.configureBuiltinTransformers
pub(crate) fn of(
    kustomization: &Kustomization,
    config: &Config,
    loader: &Loader,
    limits: &Limits,
) -> Result<Vec<Named>> {
    let mut list = patches_of(kustomization, loader, limits)?;
    list.extend(names_of(kustomization, config));
    list.extend(labels_of(kustomization, config)?);
    for entry in &kustomization.patches_json6902 {
        let patch = json_patch(entry, loader).map_err(|error| error.position(entry.position))?;
        list.push(("PatchJson6902Transformer", patch));
    }
    for replica in &kustomization.replicas {
        let replicas = Transformer::Replicas(replica.clone(), config.get().replicas.clone());
        list.push(("ReplicaCountTransformer", replicas));
    }
    for image in &kustomization.images {
        let image = Transformer::Image(image.clone(), config.get().images.clone());
        list.push(("ImageTagTransformer", image));
    }
    if !kustomization.replacements.is_empty() {
        let replacements = replacements(&kustomization.replacements, loader, limits)?;
        list.push((
            "ReplacementTransformer",
            Transformer::Replacements(replacements),
        ));
    }
    Ok(list)
}

/// `patchesStrategicMerge` and `patches`.
fn patches_of(
    kustomization: &Kustomization,
    loader: &Loader,
    limits: &Limits,
) -> Result<Vec<Named>> {
    let mut list = Vec::new();
    if !kustomization.patches_strategic_merge.is_empty() {
        let patches = strategic_patches(&kustomization.patches_strategic_merge, loader, limits)?;
        if patches.is_empty() {
            return Err(Error::new("the patches are empty").field("patchesStrategicMerge"));
        }
        list.push((
            "PatchStrategicMergeTransformer",
            Transformer::StrategicPatches(patches),
        ));
    }
    for entry in &kustomization.patches {
        let patch = patch(entry, loader, limits).map_err(|error| error.position(entry.position))?;
        list.push(("PatchTransformer", patch));
    }
    Ok(list)
}

/// `namespace`, `namePrefix` and `nameSuffix`.
fn names_of(kustomization: &Kustomization, config: &Config) -> Vec<Named> {
    let mut list = Vec::new();
    if !kustomization.namespace.is_empty() {
        let namespace = kustomization.namespace.clone();
        let args = NamespaceArgs {
            namespace,
            ..NamespaceArgs::default()
        };
        let namespace = Transformer::Namespace(args, config.get().namespace.clone());
        list.push(("NamespaceTransformer", namespace));
    }
    if !kustomization.name_prefix.is_empty() {
        let (prefix, specs) = (
            kustomization.name_prefix.clone(),
            config.get().name_prefix.clone(),
        );
        list.push((
            "PrefixTransformer",
            Transformer::NameAffix(Affix::Prefix, prefix, specs),
        ));
    }
    if !kustomization.name_suffix.is_empty() {
        let (suffix, specs) = (
            kustomization.name_suffix.clone(),
            config.get().name_suffix.clone(),
        );
        list.push((
            "SuffixTransformer",
            Transformer::NameAffix(Affix::Suffix, suffix, specs),
        ));
    }
    list
}

/// `labels`, `commonLabels` and `commonAnnotations`.
fn labels_of(kustomization: &Kustomization, config: &Config) -> Result<Vec<Named>> {
    let mut list = Vec::new();
    for label in &kustomization.labels {
        let labels = Transformer::MetadataMap(label.pairs.clone(), label_specs(label, config)?);
        list.push(("LabelTransformer", labels));
    }
    // kustomize: with any `labels`, the transformer for `commonLabels` runs too, and leaves its trace in annotations.
    if !kustomization.common_labels.is_empty() || !kustomization.labels.is_empty() {
        let (labels, specs) = (&kustomization.common_labels, &config.get().common_labels);
        list.push((
            "LabelTransformer",
            Transformer::MetadataMap(labels.clone(), specs.clone()),
        ));
    }
    if !kustomization.common_annotations.is_empty() {
        let (annotations, specs) = (
            &kustomization.common_annotations,
            &config.get().common_annotations,
        );
        list.push((
            "AnnotationsTransformer",
            Transformer::MetadataMap(annotations.clone(), specs.clone()),
        ));
    }
    Ok(list)
}

/// Where the pairs of an entry of `labels` go.
fn label_specs(label: &Label, config: &Config) -> Result<Vec<FieldSpec>> {
    let mut specs = label.fields.clone();
    field_spec::merge(&mut specs, &config.get().labels)?;
    if label.include_selectors {
        field_spec::merge(&mut specs, &config.get().common_labels)?;
        return Ok(specs);
    }
    if label.include_templates {
        field_spec::merge(&mut specs, &config.get().template_labels)?;
    }
    if label.include_volume_claim_templates {
        field_spec::merge(&mut specs, &config.get().volume_claim_template_labels)?;
    }
    field_spec::merge(
        &mut specs,
        &[FieldSpec::of_every_kind("metadata/labels", true)],
    )?;
    Ok(specs)
}

/// Reads an entry of `patches`.
///
/// # Errors
/// Where it names no patch or two, and where the patch is none.
pub(crate) fn patch(entry: &PatchEntry, loader: &Loader, limits: &Limits) -> Result<Transformer> {
    let (text, file) = patch_source(entry, entry.patch.trim(), loader, "patches")?;
    let parsed = patches::parse(&text, limits);
    let mut patch = match (parsed, &file) {
        (Ok(patch), _) => patch,
        (Err(error), Some(file)) => return Err(error.in_file(&file.name)),
        // Lines of an inline patch count from its own start, which nobody sees.
        (Err(error), None) => return Err(error.replace_position(entry.position)),
    };
    if let patches::Patch::StrategicMerge(objects) = &mut patch {
        for object in objects {
            match &file {
                Some(file) => object.node_mut().set_file(file.number),
                None => object.node_mut().set_place(entry.position),
            }
            object.notes.name_change_allowed |= entry.allow_name_change;
            object.notes.kind_change_allowed |= entry.allow_kind_change;
            if entry.allow_name_change || entry.allow_kind_change {
                // kustomize: Resource.enable writes all annotations of the patch anew, as strings: a null deletes nothing.
                let annotations = metadata::annotations(object.node());
                metadata::set_string_map(object.node_mut(), "annotations", &annotations);
            }
        }
    }
    Ok(Transformer::Patch {
        patch,
        target: entry.target.clone(),
    })
}

/// The text of a patch that stands in the entry or in a file, and the file.
fn patch_source(
    entry: &PatchEntry,
    inline: &str,
    loader: &Loader,
    field: &str,
) -> Result<(String, Option<Loaded>)> {
    let refuse = |what: &str| Err(Error::new(format!("an entry of `{field}` {what}")).field(field));
    match (inline.is_empty(), entry.path.is_empty()) {
        (true, true) => refuse("needs `patch` or `path`"),
        (false, false) => refuse("has both `patch` and `path`"),
        (false, true) => Ok((inline.to_owned(), None)),
        (true, false) => {
            let file = loader.load_path(&entry.path)?;
            let text = std::str::from_utf8(&file.bytes).map_err(|error| {
                let byte = error.valid_up_to();
                Error::new(format!("the file is not UTF-8 text: byte {byte} is not"))
                    .in_file(&file.name)
            })?;
            Ok((text.to_owned(), Some(file)))
        }
    }
}

/// Reads an entry of `patchesJson6902`.
///
/// # Errors
/// Where it names no target, no patch or two, and where the patch is none.
// kustomize: PatchJson6902TransformerPlugin.Config
pub(crate) fn json_patch(entry: &PatchEntry, loader: &Loader) -> Result<Transformer> {
    let refuse = |message: &str| Err(Error::new(message).field("patchesJson6902"));
    let Some(target) = entry
        .target
        .clone()
        .filter(|target| !target.id.name.is_empty())
    else {
        return refuse("an entry of `patchesJson6902` needs `target.name`");
    };
    let (text, file) = patch_source(entry, &entry.patch, loader, "patchesJson6902")?;
    let patch = JsonPatch::parse(&text).map_err(|error| match &file {
        Some(file) => error.in_file(&file.name),
        None => error.replace_position(entry.position),
    })?;
    if patch.is_empty() {
        return refuse("the patch is empty");
    }
    Ok(Transformer::JsonPatch { patch, target })
}

/// Reads entries of `patchesStrategicMerge`, each a patch or the path of a file.
///
/// # Errors
/// Where an entry is neither.
// kustomize: loadFromPaths
pub(crate) fn strategic_patches(
    entries: &[Located],
    loader: &Loader,
    limits: &Limits,
) -> Result<Vec<Resource>> {
    let mut patches = Vec::new();
    for entry in entries {
        match load::inline(&entry.text, entry.position, limits) {
            Ok(inline) => patches.extend(inline),
            Err(error) if entry.text.contains('\n') => return Err(error),
            Err(_) => patches.extend(load::resources_of_file(&loader.load(entry)?, limits)?),
        }
    }
    Ok(patches)
}

/// Reads `replacements`, following `path`.
///
/// # Errors
/// Where a file cannot be read or holds no replacements.
pub(crate) fn replacements(
    entries: &[ReplacementField],
    loader: &Loader,
    limits: &Limits,
) -> Result<Vec<kustomization::Replacement>> {
    let mut found = Vec::new();
    for entry in entries {
        if entry.path.is_empty() {
            found.push(entry.replacement.clone());
            continue;
        }
        let file = loader
            .load_path(&entry.path)
            .map_err(|error| error.position(entry.position))?;
        let node = load::document(&file.bytes, file.number, limits)
            .and_then(|node| node.ok_or_else(|| Error::new("the file holds no replacement")))
            .map_err(|error| error.in_file(&file.name))?;
        found.extend(
            crate::transformers::replacements::read_file(&node)
                .map_err(|error| error.in_file(&file.name))?,
        );
    }
    Ok(found)
}
