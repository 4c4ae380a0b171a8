//! Transformer configurations: which fields each transformer changes, built in and from files.

use std::sync::{Arc, LazyLock};

use goyaml::{Limits, Node};

use crate::decode::{self, fields, list};
use crate::defaults;
use crate::error::{Error, Result};
use crate::field_spec::{self, FieldSpec};
use crate::id::Gvk;
use crate::kustomization::Located;
use crate::loader::Loader;

/// Field specs by transformer.
// kustomize: builtinconfig.TransformerConfig
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TransformerConfig {
    /// For `namePrefix`.
    pub name_prefix: Vec<FieldSpec>,
    /// For `nameSuffix`.
    pub name_suffix: Vec<FieldSpec>,
    /// For `namespace`.
    pub namespace: Vec<FieldSpec>,
    /// For `commonLabels`, and `labels` that include selectors.
    pub common_labels: Vec<FieldSpec>,
    /// For every entry of `labels`; nothing is built in.
    pub labels: Vec<FieldSpec>,
    /// For `labels` that include templates.
    pub template_labels: Vec<FieldSpec>,
    /// For `labels` that include volume claim templates.
    pub volume_claim_template_labels: Vec<FieldSpec>,
    /// For `commonAnnotations`.
    pub common_annotations: Vec<FieldSpec>,
    /// Where `$(NAME)` of a variable is replaced.
    pub var_reference: Vec<FieldSpec>,
    /// For `images`.
    pub images: Vec<FieldSpec>,
    /// For `replicas`.
    pub replicas: Vec<FieldSpec>,
    /// Which fields hold names of which kinds.
    pub name_references: Vec<NameBackReference>,
}

/// A kind and the fields that refer to resources of that kind by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NameBackReference {
    /// The kind that is referred to.
    pub target: Gvk,
    /// The fields that refer to it.
    pub referrers: Vec<FieldSpec>,
}

static BUILTIN: LazyLock<Arc<TransformerConfig>> = LazyLock::new(|| {
    let mut config = defaults::builtin_config();
    config.sort();
    Arc::new(config)
});

impl TransformerConfig {
    /// The built-in configuration with that of the files added to it.
    ///
    /// # Errors
    /// Where a file cannot be read, is no configuration, or disagrees with another on `create`.
    // kustomize: builtinconfig.MakeTransformerConfig
    pub fn load(loader: &Loader, paths: &[Located]) -> Result<Arc<Self>> {
        let builtin = Arc::clone(&BUILTIN);
        if paths.is_empty() {
            return Ok(builtin);
        }
        let mut own = Self::default();
        for path in paths {
            let file = loader.load(path)?;
            let read = Self::read(&file.bytes, file.number).and_then(|config| own.absorb(&config));
            read.map_err(|error| error.in_file(&file.name))?;
        }
        let mut merged = (*builtin).clone();
        merged.absorb(&own)?;
        Ok(Arc::new(merged))
    }

    /// Both configurations together; costs nothing where they are the same or one is empty.
    ///
    /// # Errors
    /// Where the two disagree on `create` of a field.
    pub fn merge(left: &Arc<Self>, right: &Arc<Self>) -> Result<Arc<Self>> {
        if Arc::ptr_eq(left, right) || right.is_empty() {
            return Ok(Arc::clone(left));
        }
        if left.is_empty() {
            return Ok(Arc::clone(right));
        }
        let mut merged = (**left).clone();
        merged.absorb(right)?;
        // A base with the built-in configuration adds nothing to one that has it; sharing keeps later merges cheap.
        Ok(if merged == **left { Arc::clone(left) } else { Arc::new(merged) })
    }

    /// Whether there is no field spec in it.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    // kustomize: TransformerConfig.Merge
    fn absorb(&mut self, other: &Self) -> Result<()> {
        for (into, from) in self.lists().into_iter().zip(other.clone().lists()) {
            field_spec::merge(into, from)?;
        }
        for reference in &other.name_references {
            match self.name_references.iter_mut().find(|known| known.target == reference.target) {
                Some(known) => field_spec::merge(&mut known.referrers, &reference.referrers)?,
                None => self.name_references.push(reference.clone()),
            }
        }
        self.sort();
        Ok(())
    }

    fn lists(&mut self) -> [&mut Vec<FieldSpec>; 11] {
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

    // kustomize: TransformerConfig.sortFields
    fn sort(&mut self) {
        for specs in self.lists() {
            specs.sort_by_cached_key(|spec| spec.gvk.sort_key());
        }
        self.name_references.sort_by_cached_key(|reference| reference.target.sort_key());
    }

    fn read(bytes: &[u8], number: u32) -> Result<Self> {
        let limits = Limits::default();
        let parsed = goyaml::parse(bytes, &limits).map_err(|error| Error::malformed(&error))?;
        let mut config = Self::default();
        let Some(mut node) = parsed else { return Ok(config) };
        node.expand_aliases(&limits).map_err(|error| Error::malformed(&error))?;
        node.set_file(number);
        for (name, value) in fields(&node, "the configuration")? {
            config.read_field(&name, value)?;
        }
        config.sort();
        Ok(config)
    }

    fn read_field(&mut self, name: &str, value: &Node) -> Result<()> {
        let slot = match name {
            "nameprefix" => &mut self.name_prefix,
            "namesuffix" => &mut self.name_suffix,
            "namespace" => &mut self.namespace,
            "commonlabels" => &mut self.common_labels,
            "labels" => &mut self.labels,
            "templatelabels" => &mut self.template_labels,
            "volumeclaimtemplatelabels" => &mut self.volume_claim_template_labels,
            "commonannotations" => &mut self.common_annotations,
            "varreference" => &mut self.var_reference,
            "images" => &mut self.images,
            "replicas" => &mut self.replicas,
            "namereference" => {
                self.name_references = list(value, "nameReference", name_reference)?;
                return Ok(());
            }
            // kustomize: a configuration file may hold anything else, and it is not looked at.
            _ => return Ok(()),
        };
        *slot = list(value, name, |item| decode::field_spec(item, name))?;
        Ok(())
    }
}

fn name_reference(node: &Node) -> Result<NameBackReference> {
    let mut reference = NameBackReference::default();
    for (name, value) in fields(node, "nameReference")? {
        match name.as_str() {
            "group" => reference.target.group = decode::text(value, "group")?,
            "version" => reference.target.version = decode::text(value, "version")?,
            "kind" => reference.target.kind = decode::text(value, "kind")?,
            "fieldspecs" => {
                reference.referrers = list(value, "fieldSpecs", |item| decode::field_spec(item, "fieldSpecs"))?;
            }
            _ => {}
        }
    }
    Ok(reference)
}
