//! Transformer configurations: which fields each transformer changes, built in and from files.

use std::sync::{Arc, LazyLock};

use goyaml::{Limits, Node};

use crate::decode::{self, fields, list};
use crate::defaults;
use crate::error::{Error, Result};
use crate::field_spec::{self, FieldSpec};
use crate::field_specs::FieldSpecs;
use crate::id::Gvk;
use crate::kustomization::Located;
use crate::load;
use crate::loader::Loader;

/// Field specs by transformer.
// kustomize: builtinconfig.TransformerConfig
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TransformerConfig {
    /// For `namePrefix`.
    pub name_prefix: FieldSpecs,
    /// For `nameSuffix`.
    pub name_suffix: FieldSpecs,
    /// For `namespace`.
    pub namespace: FieldSpecs,
    /// For `commonLabels`, and `labels` that include selectors.
    pub common_labels: FieldSpecs,
    /// For every entry of `labels`; nothing is built in.
    pub labels: FieldSpecs,
    /// For `labels` that include templates.
    pub template_labels: FieldSpecs,
    /// For `labels` that include volume claim templates.
    pub volume_claim_template_labels: FieldSpecs,
    /// For `commonAnnotations`.
    pub common_annotations: FieldSpecs,
    /// Where `$(NAME)` of a variable is replaced.
    pub var_reference: FieldSpecs,
    /// For `images`.
    pub images: FieldSpecs,
    /// For `replicas`.
    pub replicas: FieldSpecs,
    /// Which fields hold names of which kinds.
    pub name_references: Vec<NameBackReference>,
}

/// A kind and the fields that refer to resources of that kind by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct NameBackReference {
    /// The kind that is referred to.
    pub target: Gvk,
    /// The fields that refer to it.
    pub referrers: Vec<FieldSpec>,
}

/// The built-in configuration as a kustomization starts with it.
static BUILTIN: LazyLock<TransformerConfig> = LazyLock::new(|| {
    let mut config = defaults::builtin_config();
    config.sort();
    config.built_in()
});

/// The built-in configuration as it is after a kustomization has merged it into the empty one.
static BUILTIN_MERGED: LazyLock<TransformerConfig> = LazyLock::new(|| {
    let mut config = TransformerConfig::default();
    // A table that disagreed with itself would fail every build, and so every test.
    if config.absorb(&BUILTIN).is_err() {
        return BUILTIN.clone();
    }
    config.built_in()
});

/// The built-in fields that refer to others, which every build needs, while many need no more of the configuration.
static BUILTIN_REFERENCES: LazyLock<Vec<NameBackReference>> = LazyLock::new(|| {
    let mut references = defaults::name_references();
    sort_references(&mut references);
    references
});

/// The configuration of a layer; the built-in one is made when it is first looked at, which many builds never do.
#[derive(Clone, Debug, Default)]
pub(crate) enum Config {
    /// No field specs at all.
    #[default]
    Empty,
    /// The built-in ones, as a kustomization starts with them.
    Builtin,
    /// The built-in ones, after a kustomization has merged them into nothing.
    BuiltinMerged,
    /// Any others.
    Own(Arc<TransformerConfig>),
}

impl Config {
    /// The field specs.
    pub(crate) fn get(&self) -> &TransformerConfig {
        static EMPTY: LazyLock<TransformerConfig> = LazyLock::new(TransformerConfig::default);
        match self {
            Self::Empty => &EMPTY,
            Self::Builtin => &BUILTIN,
            Self::BuiltinMerged => &BUILTIN_MERGED,
            Self::Own(config) => config,
        }
    }

    /// Which fields hold names of which kinds.
    pub(crate) fn name_references(&self) -> &[NameBackReference] {
        match self {
            // Merging them into nothing changes nothing here.
            Self::Builtin | Self::BuiltinMerged => &BUILTIN_REFERENCES,
            Self::Empty | Self::Own(_) => &self.get().name_references,
        }
    }

    /// The built-in configuration with that of the files added to it.
    ///
    /// # Errors
    /// Where a file cannot be read, is no configuration, or disagrees with another on `create`.
    // kustomize: builtinconfig.MakeTransformerConfig
    pub(crate) fn load(loader: &Loader, paths: &[Located]) -> Result<Self> {
        if paths.is_empty() {
            return Ok(Self::Builtin);
        }
        let mut own = TransformerConfig::default();
        for path in paths {
            let file = loader.load(path)?;
            let read = TransformerConfig::read(&file.bytes, file.number)
                .and_then(|config| own.absorb(&config));
            read.map_err(|error| error.in_file(&file.name))?;
        }
        let mut merged = BUILTIN.clone();
        merged.absorb(&own)?;
        Ok(Self::Own(Arc::new(merged)))
    }

    /// Both configurations together; costs nothing where the second is the built-in one, as that of most bases.
    ///
    /// # Errors
    /// Where the two disagree on `create` of a field.
    pub(crate) fn merge(&self, other: &Self) -> Result<Self> {
        match (self, other) {
            (_, Self::Empty) => Ok(self.clone()),
            (Self::Empty | Self::BuiltinMerged, Self::Builtin | Self::BuiltinMerged) => {
                Ok(Self::BuiltinMerged)
            }
            (Self::Own(own), Self::Own(same)) if Arc::ptr_eq(own, same) => Ok(self.clone()),
            _ => {
                // kustomize: merging into the empty configuration drops a field spec of every kind where an earlier
                // one of some kind has its path, so that configurations can override the built-in ones.
                let mut merged = self.get().clone();
                merged.absorb(other.get())?;
                Ok(if merged == *self.get() {
                    self.clone()
                } else {
                    Self::Own(Arc::new(merged))
                })
            }
        }
    }
}

/// The field specs that the configurations and CRDs of a build may have.
const MOST_SPECS: usize = 10_000;

/// The fields of a configuration file.
const FIELDS: [&str; 12] = [
    "namePrefix",
    "nameSuffix",
    "namespace",
    "commonLabels",
    "labels",
    "templateLabels",
    "volumeClaimTemplateLabels",
    "commonAnnotations",
    "nameReference",
    "varReference",
    "images",
    "replicas",
];

impl TransformerConfig {
    /// Adds what another configuration has.
    ///
    /// # Errors
    /// Where a field is there with another `create`.
    // kustomize: TransformerConfig.Merge
    pub(crate) fn absorb(&mut self, other: &Self) -> Result<()> {
        check_count(self.count().saturating_add(other.count()))?;
        for (into, from) in self.lists_mut().into_iter().zip(other.lists()) {
            into.merge(from)?;
        }
        other
            .name_references
            .iter()
            .try_for_each(|reference| self.add_name_reference(reference))?;
        self.sort();
        Ok(())
    }

    /// Adds fields that refer to resources of a kind.
    ///
    /// # Errors
    /// Where a field is there with another `create`.
    pub(crate) fn add_name_reference(&mut self, reference: &NameBackReference) -> Result<()> {
        match self
            .name_references
            .iter_mut()
            .find(|known| known.target == reference.target)
        {
            Some(known) => {
                check_count(known.referrers.len())?;
                field_spec::merge(&mut known.referrers, &reference.referrers)?;
            }
            None => self.name_references.push(reference.clone()),
        }
        Ok(())
    }

    /// As one that is built in.
    fn built_in(mut self) -> Self {
        for specs in self.lists_mut() {
            *specs = FieldSpecs::built_in(std::mem::take(specs.edit()));
        }
        self
    }

    fn lists(&self) -> [&FieldSpecs; 11] {
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

    fn lists_mut(&mut self) -> [&mut FieldSpecs; 11] {
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

    /// How many field specs there are.
    fn count(&self) -> usize {
        let listed = self.lists().into_iter().map(|list| list.len());
        let referrers = self
            .name_references
            .iter()
            .map(|reference| reference.referrers.len().saturating_add(1));
        listed.chain(referrers).fold(0, usize::saturating_add)
    }

    // kustomize: TransformerConfig.sortFields
    fn sort(&mut self) {
        for specs in self.lists_mut() {
            // Most are in order, and are shared as long as nobody changes them.
            if !specs.is_sorted_by_key(|spec| spec.gvk.sort_key()) {
                specs.edit().sort_by_cached_key(|spec| spec.gvk.sort_key());
            }
        }
        sort_references(&mut self.name_references);
    }

    fn read(bytes: &[u8], number: u32) -> Result<Self> {
        let mut config = Self::default();
        let Some(node) = load::document(bytes, number, &Limits::default())? else {
            return Ok(config);
        };
        // kustomize: configurations are read by yaml.UnmarshalStrict, the kustomization itself is not.
        node.check_unique_keys()
            .map_err(|error| Error::malformed(&error))?;
        for (name, value) in fields(&node, "the configuration")? {
            if !config.read_field(&name, value)? {
                return Err(decode::unknown(&node, &name, &FIELDS));
            }
        }
        config.sort();
        Ok(config)
    }

    fn read_field(&mut self, name: &str, value: &Node) -> Result<bool> {
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
                return Ok(true);
            }
            _ => return Ok(false),
        };
        *slot = list(value, name, strict_field_spec)?.into();
        Ok(true)
    }
}

/// Makes sure that there are not too many field specs: each is compared with each.
pub(crate) fn check_count(count: usize) -> Result<()> {
    if count > MOST_SPECS {
        return Err(Error::new(format!(
            "the configurations have more than {MOST_SPECS} field specs"
        ))
        .hint("leave out those of kinds that are not there"));
    }
    Ok(())
}

fn sort_references(references: &mut [NameBackReference]) {
    references.sort_by_cached_key(|reference| reference.target.sort_key());
}

fn name_reference(node: &Node) -> Result<NameBackReference> {
    let mut reference = NameBackReference::default();
    for (name, value) in fields(node, "nameReference")? {
        match name.as_str() {
            "group" => reference.target.group = decode::text(value, "group")?,
            "version" => reference.target.version = decode::text(value, "version")?,
            "kind" => reference.target.kind = decode::text(value, "kind")?,
            "fieldspecs" => {
                reference.referrers = list(value, "fieldSpecs", strict_field_spec)?;
            }
            _ => {
                return Err(decode::unknown(
                    node,
                    &name,
                    &["group", "version", "kind", "fieldSpecs"],
                ));
            }
        }
    }
    Ok(reference)
}

/// A field spec of a configuration file, in which an unknown field is an error.
fn strict_field_spec(node: &Node) -> Result<FieldSpec> {
    let mut spec = FieldSpec::default();
    for (name, value) in fields(node, "a field spec")? {
        match name.as_str() {
            "group" => spec.gvk.group = decode::text(value, "group")?,
            "version" => spec.gvk.version = decode::text(value, "version")?,
            "kind" => spec.gvk.kind = decode::text(value, "kind")?,
            "path" => spec.path = decode::any_text(value, "path")?,
            "create" => spec.create = decode::boolean(value, "create")?,
            _ => {
                return Err(decode::unknown(
                    node,
                    &name,
                    &["group", "version", "kind", "path", "create"],
                ));
            }
        }
    }
    Ok(spec)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_built_in_changes_of_which_kind_an_object_is() {
        for config in [Config::Builtin, Config::BuiltinMerged] {
            let lists = config.get().lists();
            let mut specs = lists.into_iter().flat_map(|list| list.iter());
            assert!(specs.all(|spec| !spec.may_change_kind()));
        }
    }

    #[test]
    fn built_in_references_are_those_of_the_built_in_configuration() {
        for config in [Config::Builtin, Config::BuiltinMerged] {
            assert_eq!(config.name_references(), config.get().name_references);
        }
    }
}
