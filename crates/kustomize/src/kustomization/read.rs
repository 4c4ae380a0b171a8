//! Reading a kustomization file: every field by its name in any case, nothing unknown, nothing ignored.

use std::collections::BTreeSet;

use goyaml::{Limits, Node, Text};

use super::entries::{image, label, patch, replacement_field, replica, sort_options, var};
use super::{
    HelmChart, HelmGlobals, Image, Kustomization, Patch, arguments, generator_fields, helm_fields,
};
use crate::accumulate::where_no_yaml;
use crate::decode::{fields, list, located_list, string_map, text, unknown};
use crate::error::{Error, Result};
use crate::load;
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
    helm_globals: Option<HelmGlobals>,
    legacy_charts: Vec<(HelmChart, HelmGlobals)>,
    has_content: bool,
}

impl Kustomization {
    /// Reads a kustomization file.
    ///
    /// # Errors
    /// Where it is no YAML, empty (unless it `may_be_empty`), of another kind or version, or has an unknown field or a
    /// field of another type.
    pub fn read(file: &Loaded, limits: &Limits, may_be_empty: bool) -> Result<Self> {
        let read = load::document(&file.bytes, file.number, limits);
        let read = read.map_err(|error| where_no_yaml(&file.bytes, error))?;
        let nothing = || may_be_empty.then(|| Node::mapping(Vec::new()));
        let mut node = read.or_else(nothing).ok_or_else(empty)?;
        refuse_flux(&node)?;
        arguments::prepare(&mut node)?;
        let mut kustomization = Self::default();
        let mut gathered = Gathered {
            has_content: may_be_empty,
            ..Gathered::default()
        };
        let mut found = fields(&node, "the kustomization")?;
        sort_repeated(&mut found, &node);
        for (name, value) in found {
            kustomization.read_field(&mut gathered, &node, &name, value)?;
        }
        for (key, value) in node.entries().unwrap_or_default() {
            let name = key.as_str().unwrap_or_default().to_ascii_lowercase();
            for (key, value) in value.entries().unwrap_or_default() {
                let path = format!("{name}.{}", key.as_str().unwrap_or_default());
                let path = path.to_ascii_lowercase();
                kustomization.places.insert(path, value.position);
            }
            kustomization.places.insert(name, key.position);
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
                    return Err(unknown_field(node, name));
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
            "helmglobals" => {
                gathered.helm_globals = (!value.is_null())
                    .then(|| helm_fields::globals(value))
                    .transpose()?;
            }
            "helmcharts" => self.helm_charts = list(value, "helmCharts", helm_fields::chart)?,
            "helmchartinflationgenerator" => {
                gathered.legacy_charts =
                    list(value, "helmChartInflationGenerator", helm_fields::legacy)?;
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
            .position(at("kind"))
            .hint("correct the `kind`, or leave it out; objects go into files of their own"));
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
        let mut globals = HelmGlobals::default();
        for (chart, of_chart) in gathered.legacy_charts {
            self.helm_charts.push(chart);
            // kustomize: the last one that says something counts for all.
            if !of_chart.chart_home.is_empty() {
                globals.chart_home = of_chart.chart_home;
            }
            if !of_chart.config_home.is_empty() {
                globals.config_home = of_chart.config_home;
            }
        }
        self.helm_globals = gathered.helm_globals.unwrap_or(globals);
        Ok(self)
    }
}

/// Reads an entry of `patches` from a text of its own.
///
/// # Errors
/// Where it is no YAML, or no such entry.
pub(crate) fn patch_of_text(text: &str, file: u32, limits: &Limits) -> Result<Patch> {
    let read = load::document(text.as_bytes(), file, limits)?;
    let mut node = read.ok_or_else(|| {
        Error::new("a patch is empty").hint("write `patch` or `path`, and `target`")
    })?;
    arguments::pass(&mut node)?;
    patch(&node, true)
}

fn unknown_field(node: &Node, name: &str) -> Error {
    let mut known = FIELDS.to_vec();
    known.push("buildMetadata");
    let error = unknown(node, name, &known);
    if crate::decode::nearest(name, &known).is_some() {
        return error;
    }
    error.replace_hint(if matches!(name, "spec" | "data" | "stringdata" | "rules") {
        "an object goes into a file of its own, and that file under `resources`"
    } else {
        "fields here are resources, components, namespace, namePrefix, labels, patches, images, replicas, replacements, \
         configMapGenerator, secretGenerator and others; what belongs to one of them is indented"
    })
}

/// Refuses the object by which Flux builds a kustomization; kustomize refuses its apiVersion.
fn refuse_flux(node: &Node) -> Result<()> {
    let version = node.get("apiVersion");
    let is_flux = |version: &&Node| {
        let text = version.as_str();
        text.is_some_and(|text| text.starts_with("kustomize.toolkit.fluxcd.io/"))
    };
    match version.filter(is_flux) {
        Some(version) => Err(Error::new("this is an object of Flux, not a kustomization file")
            .position(version.position)
            .field("apiVersion")
            .hint("build the directory that its `spec.path` names; the object itself goes into a file of another name")),
        None => Ok(()),
    }
}

/// Puts fields in the order of their names as written, where one is there twice in different cases: the last one counts.
// kustomize: reads a kustomization as JSON, in which the fields are sorted.
fn sort_repeated(fields: &mut Vec<(String, &Node)>, node: &Node) {
    let names: BTreeSet<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
    if names.len() == fields.len() {
        return;
    }
    let entries = node.entries().unwrap_or_default();
    let written = entries
        .iter()
        .map(|(key, _)| key.as_str().unwrap_or_default());
    let mut sorted: Vec<_> = written.zip(std::mem::take(fields)).collect();
    sorted.sort_by_key(|(written, _)| *written);
    fields.extend(sorted.into_iter().map(|(_, field)| field));
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
