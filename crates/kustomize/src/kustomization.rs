//! The kustomization file: its fields, as they were written.

use std::collections::BTreeMap;

use goyaml::{Node, Position, Text, TextPlace, Value};

use crate::field_spec::FieldSpec;
use crate::id::ResId;
use crate::metadata::StringMap;
use crate::selector::Selector;

/// A text of the kustomization file and where it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Located {
    /// The text.
    pub text: Text,
    /// Where it stands.
    pub position: Position,
    /// The same, to tell where a place within the text is.
    pub place: TextPlace,
}

/// A kustomization or a component.
#[derive(Clone, Debug, Default)]
pub struct Kustomization {
    /// `Kustomization` or `Component`.
    pub kind: Text,
    /// `openapi`: which schema, where not the built-in one.
    pub openapi: StringMap,
    /// `namePrefix`
    pub name_prefix: Text,
    /// `nameSuffix`
    pub name_suffix: Text,
    /// `namespace`
    pub namespace: Text,
    /// `commonLabels`
    pub common_labels: StringMap,
    /// `labels`
    pub labels: Vec<Label>,
    /// `commonAnnotations`
    pub common_annotations: StringMap,
    /// `patchesStrategicMerge`: paths or patches
    pub patches_strategic_merge: Vec<Located>,
    /// `patchesJson6902`
    pub patches_json6902: Vec<Patch>,
    /// `patches`
    pub patches: Vec<Patch>,
    /// `images`, and after them `imageTags`
    pub images: Vec<Image>,
    /// `replacements`
    pub replacements: Vec<ReplacementField>,
    /// `replicas`
    pub replicas: Vec<Replica>,
    /// `vars`
    pub vars: Vec<Var>,
    /// `sortOptions`
    pub sort_options: Option<SortOptions>,
    /// `resources`, and after them `bases`
    pub resources: Vec<Located>,
    /// `components`
    pub components: Vec<Located>,
    /// `crds`
    pub crds: Vec<Located>,
    /// `configMapGenerator`
    pub config_map_generators: Vec<GeneratorArgs>,
    /// `secretGenerator`
    pub secret_generators: Vec<GeneratorArgs>,
    /// `helmCharts`, and after them `helmChartInflationGenerator`
    pub helm_charts: Vec<HelmChart>,
    /// `helmGlobals`, or what `helmChartInflationGenerator` says for all charts
    pub helm_globals: HelmGlobals,
    /// `generatorOptions`
    pub generator_options: Option<GeneratorOptions>,
    /// `configurations`
    pub configurations: Vec<Located>,
    /// `generators`: paths or plugin configurations
    pub generators: Vec<Located>,
    /// `transformers`: paths or plugin configurations
    pub transformers: Vec<Located>,
    /// `validators`: paths or plugin configurations
    pub validators: Vec<Located>,
    /// `buildMetadata`
    pub build_metadata: Vec<Text>,
    /// Where each field stands, by its name in lower case, and the values of the fields in it (`openapi.path`).
    pub places: BTreeMap<String, Position>,
    /// What kustomize prints to stderr about the file.
    pub warnings: Vec<String>,
}

impl Kustomization {
    /// Where a field stands; nowhere if it is not there.
    pub fn place_of(&self, field: &str) -> Position {
        self.places
            .get(&field.to_ascii_lowercase())
            .copied()
            .unwrap_or_default()
    }
}

/// One entry of `labels`.
#[derive(Clone, Debug, Default)]
pub struct Label {
    /// `pairs`
    pub pairs: StringMap,
    /// `includeSelectors`
    pub include_selectors: bool,
    /// `includeTemplates`
    pub include_templates: bool,
    /// `includeVolumeClaimTemplates`
    pub include_volume_claim_templates: bool,
    /// `fields`
    pub fields: Vec<FieldSpec>,
    /// Where the entry stands.
    pub position: Position,
}

/// One entry of `patches` or `patchesJson6902`.
#[derive(Clone, Debug, Default)]
pub struct Patch {
    /// `path` of a file with the patch
    pub path: Located,
    /// `patch`, the patch itself
    pub patch: Located,
    /// `target`
    pub target: Option<Selector>,
    /// `options.allowNameChange`
    pub allow_name_change: bool,
    /// `options.allowKindChange`
    pub allow_kind_change: bool,
    /// Where the entry stands.
    pub position: Position,
}

/// One entry of `images`.
#[derive(Clone, Debug, Default)]
pub struct Image {
    /// `name`, a regular expression
    pub name: Text,
    /// `newName`
    pub new_name: Text,
    /// `tagSuffix`
    pub tag_suffix: Text,
    /// `newTag`
    pub new_tag: Text,
    /// `digest`
    pub digest: Text,
    /// Where the entry stands.
    pub position: Position,
}

/// One entry of `replicas`.
#[derive(Clone, Debug, Default)]
pub struct Replica {
    /// `name` of the resources
    pub name: Text,
    /// `count`
    pub count: i64,
    /// Where the entry stands.
    pub position: Position,
}

/// One entry of `replacements`: a file of replacements or a replacement.
#[derive(Clone, Debug, Default)]
pub struct ReplacementField {
    /// `path` of a file with one replacement or a list of them
    pub path: Located,
    /// The replacement itself.
    pub replacement: Replacement,
    /// Where the entry stands.
    pub position: Position,
}

/// A value and the fields it is written to.
#[derive(Clone, Debug, Default)]
pub struct Replacement {
    /// `source`
    pub source: Option<ReplacementSource>,
    /// `sourceValue`
    pub source_value: Option<Text>,
    /// `targets`
    pub targets: Vec<ReplacementTarget>,
    /// Where the replacement stands.
    pub position: Position,
}

/// Where a replacement's value comes from.
#[derive(Clone, Debug, Default)]
pub struct ReplacementSource {
    /// The resource; its parts are taken literally.
    pub id: ResId,
    /// `fieldPath`, empty for the default `metadata.name`
    pub field_path: Text,
    /// Where `fieldPath` stands.
    pub field_path_position: Option<Position>,
    /// `options`
    pub options: Option<FieldOptions>,
    /// Where the source stands.
    pub position: Position,
}

/// Where a replacement's value goes.
#[derive(Clone, Debug, Default)]
pub struct ReplacementTarget {
    /// `select`
    pub select: Option<Selector>,
    /// `reject`
    pub reject: Vec<Selector>,
    /// `fieldPaths`, empty for the default `metadata.name`
    pub field_paths: Vec<Located>,
    /// `options`
    pub options: Option<FieldOptions>,
    /// Where the target stands.
    pub position: Position,
}

/// How a field is read or written.
#[derive(Clone, Debug, Default)]
pub struct FieldOptions {
    /// `delimiter`
    pub delimiter: Text,
    /// `index` of the part between delimiters
    pub index: i64,
    /// `encoding`, which kustomize reads and does not use
    pub encoding: Text,
    /// `create` where missing
    pub create: bool,
}

/// One entry of `vars`.
#[derive(Clone, Debug, Default)]
pub struct Var {
    /// `name`
    pub name: Text,
    /// `objref`
    pub object: ResId,
    /// `fieldref.fieldpath`, `metadata.name` where it is not given
    pub field_path: Text,
    /// Where the entry stands.
    pub position: Position,
}

/// `sortOptions`
#[derive(Clone, Debug, Default)]
pub struct SortOptions {
    /// `order`
    pub order: Text,
    /// `legacySortOptions`
    pub legacy: Option<LegacySortOptions>,
}

/// `sortOptions.legacySortOptions`
#[derive(Clone, Debug, Default)]
pub struct LegacySortOptions {
    /// `orderFirst`: kinds
    pub order_first: Vec<Text>,
    /// `orderLast`: kinds
    pub order_last: Vec<Text>,
}

/// One entry of `configMapGenerator` or `secretGenerator`.
#[derive(Clone, Debug, Default)]
pub struct GeneratorArgs {
    /// `name`
    pub name: Text,
    /// `namespace`
    pub namespace: Text,
    /// `behavior`
    pub behavior: Text,
    /// Where `behavior` stands.
    pub behavior_position: Position,
    /// `literals`
    pub literals: Vec<Located>,
    /// `files`
    pub files: Vec<Located>,
    /// `envs`, and after them `env`
    pub envs: Vec<Located>,
    /// `options`
    pub options: Option<GeneratorOptions>,
    /// `type`, of a Secret
    pub secret_type: Text,
    /// Where the entry stands.
    pub position: Position,
}

/// `generatorOptions`, or the `options` of one generator.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GeneratorOptions {
    /// `labels`
    pub labels: StringMap,
    /// `annotations`
    pub annotations: StringMap,
    /// `disableNameSuffixHash`
    pub disable_name_suffix_hash: bool,
    /// `immutable`
    pub immutable: bool,
}

/// `helmGlobals`
#[derive(Clone, Debug, Default)]
pub struct HelmGlobals {
    /// `chartHome`, the directory with charts
    pub chart_home: Text,
    /// `configHome`, the directory with Helm's configuration
    pub config_home: Text,
}

/// One entry of `helmCharts`.
#[derive(Clone, Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the fields are those of the kustomization"
)]
pub struct HelmChart {
    /// `name`
    pub name: Text,
    /// `version`
    pub version: Text,
    /// `repo`
    pub repository: Text,
    /// `releaseName`
    pub release_name: Text,
    /// `namespace`
    pub namespace: Text,
    /// `additionalValuesFiles`
    pub additional_values_files: Vec<Located>,
    /// `valuesFile`, empty for that of the chart
    pub values_file: Text,
    /// `valuesInline`, where there are any
    pub values_inline: Option<Value>,
    /// `valuesMerge`
    pub values_merge: Text,
    /// `includeCRDs`
    pub include_crds: bool,
    /// `skipHooks`
    pub skip_hooks: bool,
    /// `apiVersions`
    pub api_versions: Vec<Text>,
    /// `kubeVersion`
    pub kube_version: Text,
    /// `nameTemplate`
    pub name_template: Text,
    /// `skipTests`
    pub skip_tests: bool,
    /// `debug`
    pub debug: bool,
    /// `devel`
    pub devel: bool,
    /// Where the entry stands.
    pub position: Position,
}

/// A plugin configuration as an object, from a file or inline.
pub type PluginConfiguration = Node;

mod arguments;
mod entries;
pub(crate) mod generator_fields;
pub(crate) mod helm_fields;
mod read;
pub(crate) mod replacement_fields;

pub(crate) use entries::{image, patch, replica};
pub(crate) use read::patch_of_text;
