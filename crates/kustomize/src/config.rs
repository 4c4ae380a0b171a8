//! Which fields the transformers change: kustomize's own table, and what `configurations` and `crds` add to it.

#[cfg(test)]
mod tests;

use std::sync::{Arc, LazyLock};

use goyaml::{Limits, Node};

use crate::decode::{field_spec, fields, list, text, unknown};
use crate::defaults;
use crate::error::{Error, Result};
use crate::field_spec::{self as specs, FieldSpec};
use crate::id::Gvk;
use crate::kustomization::Located;
use crate::loader::Loader;
use crate::transformers::sort;

/// The built-in configuration: constant, and shared by every build.
static BUILTIN: LazyLock<Arc<TransformerConfig>> = LazyLock::new(|| Arc::new(defaults::builtin_config()));

/// The fields that hold field specs, in the order of [`TransformerConfig::lists`].
const LISTS: [&str; 11] = [
    "namePrefix",
    "nameSuffix",
    "namespace",
    "commonLabels",
    "labels",
    "templateLabels",
    "volumeClaimTemplateLabels",
    "commonAnnotations",
    "varReference",
    "images",
    "replicas",
];

/// The one field that holds something else.
const NAME_REFERENCE: &str = "nameReference";

/// Which fields each transformer changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TransformerConfig {
    /// `namePrefix`
    pub name_prefix: Vec<FieldSpec>,
    /// `nameSuffix`
    pub name_suffix: Vec<FieldSpec>,
    /// `namespace`
    pub namespace: Vec<FieldSpec>,
    /// `commonLabels`
    pub common_labels: Vec<FieldSpec>,
    /// `labels`
    pub labels: Vec<FieldSpec>,
    /// `templateLabels`
    pub template_labels: Vec<FieldSpec>,
    /// `volumeClaimTemplateLabels`
    pub volume_claim_template_labels: Vec<FieldSpec>,
    /// `commonAnnotations`
    pub common_annotations: Vec<FieldSpec>,
    /// `varReference`
    pub var_reference: Vec<FieldSpec>,
    /// `images`
    pub images: Vec<FieldSpec>,
    /// `replicas`
    pub replicas: Vec<FieldSpec>,
    /// `nameReference`
    pub name_references: Vec<NameBackReference>,
}

/// A kind, and the fields that name objects of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NameBackReference {
    /// The kind that is named.
    pub target: Gvk,
    /// The fields that name it.
    pub referrers: Vec<FieldSpec>,
}

impl TransformerConfig {
    /// The configuration that every kustomization has; cheap to ask for.
    pub fn builtin() -> Arc<Self> {
        Arc::clone(&BUILTIN)
    }

    /// The built-in configuration with what the files of `configurations` add.
    ///
    /// # Errors
    /// Where a file cannot be read or is wrong, and where two field specs disagree.
    // kustomize: builtinconfig.MakeTransformerConfig
    pub fn load(loader: &Loader, paths: &[Located]) -> Result<Arc<Self>> {
        let mut added = Self::default();
        for path in paths {
            let file = loader.load(path)?;
            let read = Self::read(&file.bytes, file.number).and_then(|config| added.absorb(&config));
            read.map_err(|error| error.in_file(&file.name))?;
        }
        Self::merge(&Self::builtin(), &Arc::new(added))
    }

    /// Both together: what the second has and the first has not goes after the first's, and all is sorted by kind.
    ///
    /// # Errors
    /// Where two field specs disagree on `create`.
    // kustomize: TransformerConfig.Merge
    pub fn merge(left: &Arc<Self>, right: &Arc<Self>) -> Result<Arc<Self>> {
        // Nearly every kustomization has the built-in configuration and nothing else.
        if Arc::ptr_eq(left, right) || right.is_empty() {
            return Ok(Arc::clone(left));
        }
        if left.is_empty() && Arc::ptr_eq(right, &BUILTIN) {
            return Ok(Arc::clone(right));
        }
        let mut merged = (**left).clone();
        merged.absorb(right)?;
        Ok(Arc::new(merged))
    }

    /// As [`Self::merge`], in place.
    ///
    /// # Errors
    /// As for [`Self::merge`].
    pub(crate) fn absorb(&mut self, other: &Self) -> Result<()> {
        for ((name, own), incoming) in LISTS.into_iter().zip(self.lists_mut()).zip(other.lists()) {
            specs::merge(own, incoming).map_err(|error| error.field(name))?;
        }
        for reference in &other.name_references {
            self.add_name_reference(reference)?;
        }
        self.sort();
        Ok(())
    }

    /// Adds the fields of a kind to those that the kind has.
    ///
    /// # Errors
    /// Where two field specs disagree on `create`.
    // kustomize: nbrSlice.mergeOne
    pub(crate) fn add_name_reference(&mut self, added: &NameBackReference) -> Result<()> {
        let mut is_known = false;
        for known in self.name_references.iter_mut().filter(|known| known.target == added.target) {
            is_known = true;
            specs::merge(&mut known.referrers, &added.referrers).map_err(|error| error.field(NAME_REFERENCE))?;
        }
        if !is_known {
            self.name_references.push(added.clone());
        }
        Ok(())
    }

    fn is_empty(&self) -> bool {
        self.name_references.is_empty() && self.lists().iter().all(|list| list.is_empty())
    }

    // kustomize: TransformerConfig.sortFields
    fn sort(&mut self) {
        for list in self.lists_mut() {
            list.sort_by_cached_key(|spec| order(&spec.gvk));
        }
        self.name_references.sort_by_cached_key(|reference| order(&reference.target));
    }

    // kustomize: makeTransformerConfigFromBytes
    fn read(bytes: &[u8], file: u32) -> Result<Self> {
        let limits = Limits::default();
        let Some(mut node) = goyaml::parse(bytes, &limits).map_err(|error| Error::malformed(&error))? else {
            return Ok(Self::default());
        };
        node.expand_aliases(&limits).map_err(|error| Error::malformed(&error))?;
        node.check_unique_keys().map_err(|error| Error::malformed(&error))?;
        node.set_file(file);
        Self::decode(&node)
    }

    fn decode(node: &Node) -> Result<Self> {
        let mut config = Self::default();
        for (name, value) in fields(node, "the configuration")? {
            if name.eq_ignore_ascii_case(NAME_REFERENCE) {
                config.name_references = list(value, NAME_REFERENCE, name_reference)?;
                continue;
            }
            let place = LISTS.iter().position(|known| known.eq_ignore_ascii_case(&name));
            let slot = place.and_then(|index| config.lists_mut().into_iter().nth(index));
            let Some(slot) = slot else {
                return Err(unknown(node, &name, &[LISTS.as_slice(), &[NAME_REFERENCE]].concat()));
            };
            *slot = list(value, &name, strict_field_spec)?;
        }
        config.sort();
        Ok(config)
    }

    const fn lists(&self) -> [&Vec<FieldSpec>; LISTS.len()] {
        let Self {
            name_prefix,
            name_suffix,
            namespace,
            common_labels,
            labels,
            template_labels,
            volume_claim_template_labels,
            common_annotations,
            var_reference,
            images,
            replicas,
            name_references: _,
        } = self;
        [
            name_prefix,
            name_suffix,
            namespace,
            common_labels,
            labels,
            template_labels,
            volume_claim_template_labels,
            common_annotations,
            var_reference,
            images,
            replicas,
        ]
    }

    const fn lists_mut(&mut self) -> [&mut Vec<FieldSpec>; LISTS.len()] {
        let Self {
            name_prefix,
            name_suffix,
            namespace,
            common_labels,
            labels,
            template_labels,
            volume_claim_template_labels,
            common_annotations,
            var_reference,
            images,
            replicas,
            name_references: _,
        } = self;
        [
            name_prefix,
            name_suffix,
            namespace,
            common_labels,
            labels,
            template_labels,
            volume_claim_template_labels,
            common_annotations,
            var_reference,
            images,
            replicas,
        ]
    }
}

/// What configurations are sorted by: the legacy order of kinds, then the parts as one text.
// kustomize: Gvk.IsLessThan
fn order(gvk: &Gvk) -> (i64, String) {
    let Gvk { group, version, kind } = gvk;
    let part = |text: &str, none: &str| if text.is_empty() { none.to_owned() } else { text.to_owned() };
    (sort::default_rank(kind), [part(group, "~G"), part(version, "~V"), part(kind, "~K")].join("_"))
}

fn name_reference(node: &Node) -> Result<NameBackReference> {
    let mut reference = NameBackReference::default();
    for (name, value) in fields(node, NAME_REFERENCE)? {
        match name.as_str() {
            "group" => reference.target.group = text(value, "group")?,
            "version" => reference.target.version = text(value, "version")?,
            "kind" => reference.target.kind = text(value, "kind")?,
            "fieldspecs" => reference.referrers = list(value, "fieldSpecs", strict_field_spec)?,
            _ => return Err(unknown(node, &name, &["group", "version", "kind", "fieldSpecs"])),
        }
    }
    Ok(reference)
}

/// A field spec of a configuration file, in which an unknown field is an error.
fn strict_field_spec(node: &Node) -> Result<FieldSpec> {
    const KNOWN: [&str; 5] = ["group", "version", "kind", "path", "create"];
    for (name, _) in fields(node, "a field spec")? {
        if !KNOWN.contains(&name.as_str()) {
            return Err(unknown(node, &name, &KNOWN));
        }
    }
    field_spec(node, "a field spec")
}
