//! The changes that the fields of a kustomization ask for, in kustomize's order.

use std::sync::OnceLock;

use goyaml::{Limits, Position, TextPlace};

use crate::config::Config;
use crate::error::{Error, Result};
use crate::field_spec::{self, FieldSpec};
use crate::field_specs::FieldSpecs;
use crate::kustomization::{
    self, Kustomization, Label, Located, Patch as PatchEntry, ReplacementField,
};
use crate::load;
use crate::loader::{Loaded, Loader};
use crate::metadata;
use crate::patches;
use crate::patches::json6902::JsonPatch;
use crate::plugins::texts;
use crate::resource::Resource;
use crate::threads::{self, Threads};
use crate::transformers::{Affix, NamespaceArgs, Transformer};

/// Patches whose texts are worth a thing for a thread to do.
const WORTH_A_THING: usize = 2;

/// A change that a field of the kustomization asks for.
pub(crate) struct Change {
    /// The kind of plugin that kustomize makes it with.
    pub(crate) kind: &'static str,
    /// The change.
    pub(crate) transformer: Transformer,
    /// Where it is asked for.
    pub(crate) position: Position,
}

impl Change {
    const fn new(kind: &'static str, transformer: Transformer, position: Position) -> Self {
        Self {
            kind,
            transformer,
            position,
        }
    }
}

/// The changes of a kustomization, with every file that they need read.
///
/// # Errors
/// Where a file cannot be read, and where a patch or replacement is none.
// kustomize: KustTarget.configureBuiltinTransformers
pub(crate) fn of(
    kustomization: &Kustomization,
    config: &Config,
    (loader, threads): (&Loader, Threads),
    limits: &Limits,
) -> Result<Vec<Change>> {
    let mut list = patches_of(kustomization, (loader, threads), limits)?;
    list.extend(names_of(kustomization, config));
    list.extend(labels_of(kustomization, config)?);
    for entry in &kustomization.patches_json6902 {
        let patch = json_patch(entry, loader).map_err(|error| error.position(entry.position))?;
        list.push(Change::new(
            "PatchJson6902Transformer",
            patch,
            entry.position,
        ));
    }
    for replica in &kustomization.replicas {
        let replicas = Transformer::Replicas(replica.clone(), config.get().replicas.clone());
        list.push(Change::new(
            "ReplicaCountTransformer",
            replicas,
            replica.position,
        ));
    }
    for image in &kustomization.images {
        let change = Transformer::Image(image.clone(), config.get().images.clone());
        list.push(Change::new("ImageTagTransformer", change, image.position));
    }
    if !kustomization.replacements.is_empty() {
        let replacements = replacements(&kustomization.replacements, loader, limits)?;
        list.push(Change::new(
            "ReplacementTransformer",
            Transformer::Replacements(replacements),
            kustomization.place_of("replacements"),
        ));
    }
    Ok(list)
}

/// `patchesStrategicMerge` and `patches`.
fn patches_of(
    kustomization: &Kustomization,
    (loader, threads): (&Loader, Threads),
    limits: &Limits,
) -> Result<Vec<Change>> {
    let mut list = Vec::new();
    if !kustomization.patches_strategic_merge.is_empty() {
        let patches = strategic_patches(&kustomization.patches_strategic_merge, loader, limits)?;
        if patches.is_empty() {
            return Err(Error::new("the patches are empty")
                .position(kustomization.place_of("patchesStrategicMerge"))
                .field("patchesStrategicMerge")
                .hint("write an object with the fields to change into them, or remove them"));
        }
        list.push(Change::new(
            "PatchStrategicMergeTransformer",
            Transformer::StrategicPatches(patches),
            kustomization.place_of("patchesStrategicMerge"),
        ));
    }
    // Those that stand in the kustomization are read ahead; the files of the others in their order.
    let threads = threads.worth(kustomization.patches.len() / WORTH_A_THING);
    let mut ahead = if threads > 1 {
        let is_inline = |entry: &PatchEntry| entry.path.text.is_empty();
        let read = |entry| is_inline(entry).then(|| patch(entry, loader, limits));
        threads::map(kustomization.patches.iter(), threads, read).into_iter()
    } else {
        Vec::new().into_iter()
    };
    for entry in &kustomization.patches {
        let read = ahead.next().flatten().flatten();
        let patch = read.unwrap_or_else(|| patch(entry, loader, limits));
        let patch = patch.map_err(|error| error.position(entry.position))?;
        list.push(Change::new("PatchTransformer", patch, entry.position));
    }
    Ok(list)
}

/// `namespace`, `namePrefix` and `nameSuffix`.
fn names_of(kustomization: &Kustomization, config: &Config) -> Vec<Change> {
    let mut list = Vec::new();
    if !kustomization.namespace.is_empty() {
        let namespace = kustomization.namespace.clone();
        let args = NamespaceArgs {
            namespace,
            ..NamespaceArgs::default()
        };
        let namespace = Transformer::Namespace(args, config.get().namespace.clone());
        list.push(Change::new(
            "NamespaceTransformer",
            namespace,
            kustomization.place_of("namespace"),
        ));
    }
    if !kustomization.name_prefix.is_empty() {
        let (prefix, specs) = (
            kustomization.name_prefix.clone(),
            config.get().name_prefix.clone(),
        );
        list.push(Change::new(
            "PrefixTransformer",
            Transformer::NameAffix(Affix::Prefix, prefix, specs),
            kustomization.place_of("namePrefix"),
        ));
    }
    if !kustomization.name_suffix.is_empty() {
        let (suffix, specs) = (
            kustomization.name_suffix.clone(),
            config.get().name_suffix.clone(),
        );
        list.push(Change::new(
            "SuffixTransformer",
            Transformer::NameAffix(Affix::Suffix, suffix, specs),
            kustomization.place_of("nameSuffix"),
        ));
    }
    list
}

/// `labels`, `commonLabels` and `commonAnnotations`.
fn labels_of(kustomization: &Kustomization, config: &Config) -> Result<Vec<Change>> {
    let mut list = Vec::new();
    for label in &kustomization.labels {
        let specs = label_specs(label, config).map_err(|error| error.position(label.position))?;
        let labels = Transformer::MetadataMap(label.pairs.clone(), specs);
        list.push(Change::new("LabelTransformer", labels, label.position));
    }
    // kustomize: with any `labels`, the transformer for `commonLabels` runs too, and leaves its trace in annotations.
    if !kustomization.common_labels.is_empty() || !kustomization.labels.is_empty() {
        let labels = &kustomization.common_labels;
        let specs = if labels.is_empty() {
            FieldSpecs::default()
        } else {
            config.get().common_labels.clone()
        };
        list.push(Change::new(
            "LabelTransformer",
            Transformer::MetadataMap(labels.clone(), specs),
            kustomization.place_of("commonLabels"),
        ));
    }
    if !kustomization.common_annotations.is_empty() {
        let (annotations, specs) = (
            &kustomization.common_annotations,
            &config.get().common_annotations,
        );
        list.push(Change::new(
            "AnnotationsTransformer",
            Transformer::MetadataMap(annotations.clone(), specs.clone()),
            kustomization.place_of("commonAnnotations"),
        ));
    }
    Ok(list)
}

/// Where the pairs of an entry of `labels` go. Most bases ask for the same.
fn label_specs(label: &Label, config: &Config) -> Result<FieldSpecs> {
    let known = known_label_specs(label, config);
    if let Some(specs) = known.and_then(OnceLock::get) {
        return Ok(specs.clone());
    }
    let mut specs = label.fields.clone();
    field_spec::merge(&mut specs, &config.get().labels)?;
    if label.include_selectors {
        field_spec::merge(&mut specs, &config.get().common_labels)?;
    } else {
        if label.include_templates {
            field_spec::merge(&mut specs, &config.get().template_labels)?;
        }
        if label.include_volume_claim_templates {
            field_spec::merge(&mut specs, &config.get().volume_claim_template_labels)?;
        }
        let own = FieldSpec::of_every_kind("metadata/labels", true);
        field_spec::merge(&mut specs, &[own])?;
    }
    Ok(match known {
        Some(known) => known.get_or_init(|| FieldSpecs::built_in(specs)).clone(),
        None => specs.into(),
    })
}

/// Where it is kept where the labels go that an entry without `fields` asks for, if the configuration is the built-in one.
fn known_label_specs(label: &Label, config: &Config) -> Option<&'static OnceLock<FieldSpecs>> {
    const INCLUDES: usize = 3;
    type Known = [OnceLock<FieldSpecs>; 1 << INCLUDES];
    static OF_BUILTIN: Known = [const { OnceLock::new() }; 1 << INCLUDES];
    static OF_MERGED: Known = [const { OnceLock::new() }; 1 << INCLUDES];
    let known = match config {
        Config::Builtin => &OF_BUILTIN,
        Config::BuiltinMerged => &OF_MERGED,
        Config::Empty | Config::Own(_) => return None,
    };
    let includes: [bool; INCLUDES] = [
        label.include_selectors,
        label.include_templates,
        label.include_volume_claim_templates,
    ];
    let index = includes.into_iter().fold(0, |index, is_included| {
        index << 1 | usize::from(is_included)
    });
    known.get(index).filter(|_| label.fields.is_empty())
}

/// Reads an entry of `patches`.
///
/// # Errors
/// Where it names no patch or two, and where the patch is none.
pub(crate) fn patch(entry: &PatchEntry, loader: &Loader, limits: &Limits) -> Result<Transformer> {
    let inline = entry.patch.text.trim();
    let skipped = entry.patch.text.len() - entry.patch.text.trim_start().len();
    let skipped = entry.patch.text.get(..skipped).unwrap_or_default();
    let lines = u32::try_from(skipped.matches('\n').count()).unwrap_or_default();
    let source = Source::of(entry, inline, loader, "patches")?;
    let place = source.place.skip_lines(lines);
    let mut patch =
        patches::parse(&source.text, limits).map_err(|error| source.blame(error, place))?;
    patch.set_place(source.file.as_ref().map(|file| file.number), place);
    if let patches::Patch::StrategicMerge(objects) = &mut patch {
        for object in objects {
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

/// The text of a patch that stands in the entry or in a file.
struct Source {
    text: String,
    /// The file, if it stands in one of its own.
    file: Option<Loaded>,
    /// Where it stands if it does not.
    place: TextPlace,
}

impl Source {
    fn of(entry: &PatchEntry, inline: &str, loader: &Loader, field: &str) -> Result<Self> {
        let refuse =
            |what: &str| Err(Error::new(format!("an entry of `{field}` {what}")).field(field));
        match (inline.is_empty(), entry.path.text.is_empty()) {
            (true, true) => refuse("needs `patch` or `path`").map_err(|error: Error| {
                error.hint("write the patch below `patch: |-`, or name a file with `path`")
            }),
            (false, false) => refuse("has both `patch` and `path`")
                .map_err(|error: Error| error.hint("remove one of the two")),
            (false, true) => Ok(Self {
                text: inline.to_owned(),
                file: None,
                place: entry.patch.place,
            }),
            (true, false) => {
                let file = loader.load(&entry.path)?;
                let text = std::str::from_utf8(&file.bytes).map_err(|error| {
                    let byte = error.valid_up_to();
                    Error::new(format!("the file is not UTF-8 text: byte {byte} is not"))
                        .in_file(&file.name)
                        .hint("save the file as UTF-8")
                })?;
                Ok(Self {
                    text: text.to_owned(),
                    file: Some(file),
                    place: TextPlace::default(),
                })
            }
        }
    }

    /// Names the file and the place in it.
    fn blame(&self, error: Error, place: TextPlace) -> Error {
        match &self.file {
            Some(file) => error.in_file(&file.name),
            None => error.within(place),
        }
    }
}

/// Reads an entry of `patchesJson6902`.
///
/// # Errors
/// Where it names no target, no patch or two, and where the patch is none.
// kustomize: PatchJson6902TransformerPlugin.Config
pub(crate) fn json_patch(entry: &PatchEntry, loader: &Loader) -> Result<Transformer> {
    let refuse = |message: &str| Error::new(message).field("patchesJson6902");
    let Some(target) = entry
        .target
        .clone()
        .filter(|target| !target.id.name.is_empty())
    else {
        return Err(refuse("an entry of `patchesJson6902` needs `target.name`")
            .hint("say what it is for: `target: {kind: Deployment, name: …}`"));
    };
    let source = Source::of(entry, &entry.patch.text, loader, "patchesJson6902")?;
    let mut patch =
        JsonPatch::parse(&source.text).map_err(|error| source.blame(error, source.place))?;
    if patch.is_empty() {
        return Err(refuse("the patch is empty"));
    }
    patch.set_place(source.file.as_ref().map(|file| file.number), source.place);
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
        match load::inline(&entry.text, entry.place, limits) {
            Ok(inline) => patches.extend(inline),
            Err(error) if entry.text.contains('\n') => return Err(no_strategic_patch(error)),
            Err(_) => {
                let file = load::resources_of_file(&loader.load(entry)?, limits);
                patches.extend(file.map_err(no_strategic_patch)?);
            }
        }
    }
    Ok(patches)
}

/// An error of reading patches, with the form that they should have.
pub(crate) fn no_strategic_patch(error: Error) -> Error {
    if error.details().is_malformed_yaml {
        return error;
    }
    error.replace_hint(
        "a strategic merge patch is an object with `apiVersion`, `kind`, `metadata.name` and the fields to change",
    )
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
        if entry.path.text.is_empty() {
            found.push(entry.replacement.clone());
            continue;
        }
        let file = loader.load(&entry.path)?;
        let mut node = load::document(&file.bytes, file.number, limits)
            .and_then(|node| {
                node.ok_or_else(|| {
                    Error::new("the file holds no replacement")
                        .hint("write `- source: …` and `  targets: …`")
                })
            })
            .map_err(|error| error.in_file(&file.name))?;
        texts::make_in_replacements(&mut node);
        found.extend(
            crate::transformers::replacements::read_file(&node)
                .map_err(|error| error.in_file(&file.name))?,
        );
    }
    Ok(found)
}
