//! Reading a kustomization file: every field by its name in any case, nothing unknown, nothing ignored.

use goyaml::{Limits, Node, Position, Text};

use super::{
    Image, Kustomization, Label, LegacySortOptions, Patch, ReplacementField, Replica, SortOptions,
    Var, generator_fields, replacement_fields,
};
use crate::decode::{
    boolean, field_spec, fields, id_field, integer, list, located_list, selector, string_map, text,
    unknown,
};
use crate::error::{Error, Result};
use crate::id::ResId;
use crate::loader::Loaded;

const FIELDS: [&str; 33] = [
    "apiVersion",
    "kind",
    "metadata",
    "openapi",
    "namePrefix",
    "nameSuffix",
    "namespace",
    "commonLabels",
    "labels",
    "commonAnnotations",
    "patchesStrategicMerge",
    "patchesJson6902",
    "patches",
    "images",
    "imageTags",
    "replacements",
    "replicas",
    "vars",
    "sortOptions",
    "resources",
    "components",
    "crds",
    "bases",
    "configMapGenerator",
    "secretGenerator",
    "helmGlobals",
    "helmCharts",
    "helmChartInflationGenerator",
    "generatorOptions",
    "configurations",
    "generators",
    "transformers",
    "validators",
];

/// Deprecated fields, in the order in which kustomize warns of them.
const DEPRECATED: [(&str, &str, &str); 6] = [
    ("bases", "resources", ""),
    ("commonLabels", "labels", ""),
    ("imageTags", "images", ""),
    ("patchesJson6902", "patches", ""),
    ("patchesStrategicMerge", "patches", ""),
    ("vars", "replacements", "[EXPERIMENTAL] "),
];

/// What is gathered beside the kustomization itself while its fields are read.
#[derive(Default)]
struct Gathered {
    api_version: Text,
    bases: Vec<super::Located>,
    image_tags: Vec<Image>,
    has_content: bool,
}

impl Kustomization {
    /// Reads a kustomization file.
    ///
    /// # Errors
    /// Where it is no YAML, empty, of another kind or version, or has an unknown field or a field of another type.
    pub fn read(file: &Loaded, limits: &Limits) -> Result<Self> {
        let mut node = goyaml::parse(&file.bytes, limits)
            .map_err(|error| Error::malformed(&error))?
            .ok_or_else(empty)?;
        node.expand_aliases(limits)
            .map_err(|error| Error::malformed(&error))?;
        node.set_file(file.number);
        let mut kustomization = Self::default();
        let mut gathered = Gathered::default();
        for (name, value) in fields(&node, "the kustomization")? {
            kustomization.read_field(&mut gathered, &node, &name, value)?;
        }
        kustomization.complete(gathered, &node)
    }

    fn read_field(
        &mut self,
        gathered: &mut Gathered,
        node: &Node,
        name: &str,
        value: &Node,
    ) -> Result<()> {
        match name {
            "apiversion" => gathered.api_version = text(value, "apiVersion")?,
            "kind" => self.kind = text(value, "kind")?,
            _ => {
                gathered.has_content |= !value.is_null() && value.as_str() != Some("");
                if !self.read_transformation(gathered, name, value)?
                    && !self.read_operand(gathered, name, value)?
                {
                    let mut known = FIELDS.to_vec();
                    known.push("buildMetadata");
                    return Err(unknown(node, name, &known));
                }
                self.warn(name, value);
            }
        }
        Ok(())
    }

    fn read_transformation(
        &mut self,
        gathered: &mut Gathered,
        name: &str,
        value: &Node,
    ) -> Result<bool> {
        match name {
            "nameprefix" => self.name_prefix = text(value, "namePrefix")?,
            "namesuffix" => self.name_suffix = text(value, "nameSuffix")?,
            "namespace" => self.namespace = text(value, "namespace")?,
            "commonlabels" => self.common_labels = string_map(value, "commonLabels")?,
            "labels" => self.labels = list(value, "labels", |item| label(item, true))?,
            "commonannotations" => {
                self.common_annotations = string_map(value, "commonAnnotations")?;
            }
            "patchesstrategicmerge" => {
                self.patches_strategic_merge = located_list(value, "patchesStrategicMerge")?;
            }
            "patchesjson6902" => {
                self.patches_json6902 = list(value, "patchesJson6902", |item| patch(item, true))?;
            }
            "patches" => self.patches = list(value, "patches", |item| patch(item, true))?,
            "images" => self.images = list(value, "images", |item| image(item, true))?,
            "imagetags" => {
                gathered.image_tags = list(value, "imageTags", |item| image(item, true))?;
            }
            "replacements" => self.replacements = list(value, "replacements", replacement_field)?,
            "replicas" => self.replicas = list(value, "replicas", |item| replica(item, true))?,
            "vars" => self.vars = list(value, "vars", var)?,
            "sortoptions" => self.sort_options = sort_options(value)?,
            "configurations" => self.configurations = located_list(value, "configurations")?,
            "transformers" => self.transformers = located_list(value, "transformers")?,
            "validators" => self.validators = located_list(value, "validators")?,
            "buildmetadata" => self.build_metadata = build_metadata(value)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn read_operand(&mut self, gathered: &mut Gathered, name: &str, value: &Node) -> Result<bool> {
        match name {
            "metadata" => metadata(value)?,
            "openapi" => self.openapi = string_map(value, "openapi")?,
            "resources" => self.resources = located_list(value, "resources")?,
            "bases" => gathered.bases = located_list(value, "bases")?,
            "components" => self.components = located_list(value, "components")?,
            "crds" => self.crds = located_list(value, "crds")?,
            "configmapgenerator" => {
                self.config_map_generators = list(value, "configMapGenerator", |item| {
                    generator_fields::decode_generator(item, false, true)
                })?;
            }
            "secretgenerator" => {
                self.secret_generators = list(value, "secretGenerator", |item| {
                    generator_fields::decode_generator(item, true, true)
                })?;
            }
            "generatoroptions" => {
                self.generator_options = (!value.is_null())
                    .then(|| generator_fields::decode_generator_options(value, true))
                    .transpose()?;
            }
            "helmglobals" | "helmcharts" | "helmchartinflationgenerator" => {
                let asks = value
                    .items()
                    .map_or(!value.is_null(), |items| !items.is_empty());
                if asks && name != "helmglobals" {
                    self.helm = Some(value.position);
                }
            }
            "generators" => self.generators = located_list(value, "generators")?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn warn(&mut self, name: &str, value: &Node) {
        if value.is_null() {
            return;
        }
        if let Some((field, instead, experimental)) = DEPRECATED
            .iter()
            .find(|(field, _, _)| field.eq_ignore_ascii_case(name))
        {
            self.warnings.push(format!(
                "# Warning: '{field}' is deprecated. Please use '{instead}' instead. {experimental}Run 'kustomize edit \
                 fix' to update your Kustomization automatically."
            ));
        }
    }

    // kustomize: Kustomization.FixKustomization, CheckEmpty and EnforceFields
    fn complete(mut self, gathered: Gathered, node: &Node) -> Result<Self> {
        if !gathered.has_content {
            return Err(empty());
        }
        if self.kind.is_empty() {
            self.kind = "Kustomization".into();
        }
        let at = |field: &str| {
            node.get(field)
                .map(|value| value.position)
                .unwrap_or_default()
        };
        if !matches!(self.kind.as_str(), "Kustomization" | "Component") {
            return Err(Error::new(format!(
                "kind must be `Kustomization` or `Component`, not `{}`",
                self.kind
            ))
            .position(at("kind")));
        }
        let version = if self.kind == "Component" {
            "v1alpha1"
        } else {
            "v1beta1"
        };
        let expected = format!("kustomize.config.k8s.io/{version}");
        if !gathered.api_version.is_empty() && gathered.api_version != expected.as_str() {
            return Err(Error::new(format!(
                "apiVersion of a {} must be `{expected}`",
                self.kind
            ))
            .position(at("apiVersion"))
            .hint(format!(
                "write `apiVersion: {expected}`, or leave the field out"
            )));
        }
        let order = |warning: &String| {
            DEPRECATED
                .iter()
                .position(|(field, _, _)| warning.contains(&format!("'{field}'")))
        };
        self.warnings.sort_by_key(order);
        self.resources.extend(gathered.bases);
        self.images.extend(gathered.image_tags);
        Ok(self)
    }
}

fn empty() -> Error {
    Error::new("the kustomization file is empty")
        .hint("list at least one file or directory under `resources`, or a generator")
}

fn metadata(node: &Node) -> Result<()> {
    for (name, value) in fields(node, "metadata")? {
        match name.as_str() {
            "name" | "namespace" => drop(text(value, &name)?),
            "labels" | "annotations" => drop(string_map(value, &name)?),
            _ => {
                return Err(unknown(
                    node,
                    &name,
                    &["name", "namespace", "labels", "annotations"],
                ));
            }
        }
    }
    Ok(())
}

fn build_metadata(node: &Node) -> Result<Vec<Text>> {
    list(node, "buildMetadata", |item| text(item, "buildMetadata"))
}

/// Reads an entry of `labels`.
///
/// # Errors
/// Where a field is unknown (if `strict`) or of another type.
pub(crate) fn label(node: &Node, strict: bool) -> Result<Label> {
    let mut label = Label::default();
    for (name, value) in fields(node, "labels")? {
        match name.as_str() {
            "pairs" => label.pairs = string_map(value, "pairs")?,
            "includeselectors" => label.include_selectors = boolean(value, "includeSelectors")?,
            "includetemplates" => label.include_templates = boolean(value, "includeTemplates")?,
            "includevolumeclaimtemplates" => {
                label.include_volume_claim_templates =
                    boolean(value, "includeVolumeClaimTemplates")?;
            }
            "fields" => label.fields = list(value, "fields", |item| field_spec(item, "fields"))?,
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
    for (name, value) in fields(node, "patches")? {
        match name.as_str() {
            "path" => patch.path = text(value, "path")?,
            "patch" => patch.patch = text(value, "patch")?,
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
    let mut image = Image::default();
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

fn replacement_field(node: &Node) -> Result<ReplacementField> {
    let mut path = Text::new();
    if let Some((_, value)) = fields(node, "replacements")?
        .into_iter()
        .find(|(name, _)| name == "path")
    {
        path = text(value, "path")?;
    }
    let replacement = if path.is_empty() || node.entries().is_some_and(|entries| entries.len() > 1)
    {
        replacement_fields::decode_replacement(node, true)?
    } else {
        super::Replacement::default()
    };
    if !path.is_empty() && (replacement.source.is_some() || !replacement.targets.is_empty()) {
        return Err(
            Error::new("a replacement has both `path` and a replacement of its own")
                .position(node.position),
        );
    }
    Ok(ReplacementField {
        path,
        replacement,
        position: node.position,
    })
}

fn var(node: &Node) -> Result<Var> {
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

fn sort_options(node: &Node) -> Result<Option<SortOptions>> {
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

/// The place of a field that asks for charts, as an error.
pub(crate) fn helm_refused(position: Position) -> Error {
    Error::new("Helm charts are not inflated by this engine")
        .position(position)
        .field("helmCharts")
        .hint("render the chart with `helm template` into the repository, or let Argo CD use it as a source of its own")
}
