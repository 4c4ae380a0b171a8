//! Plugin configurations: objects that ask for a built-in generator or transformer.

mod affixes;
mod known_fields;
pub(crate) mod texts;

use std::collections::BTreeMap;

use goyaml::{Limits, Node, Text};

use crate::decode::{
    self, boolean, field_spec, fields, list, located, located_list, selector, string_map, text,
};
use crate::error::{Error, ErrorKind, Result};
use crate::field_specs::FieldSpecs;
use crate::generators;
use crate::id::ResId;
use crate::kustomization::{
    self, Located, Patch, ReplacementField, generator_fields, helm_fields, replacement_fields,
};
use crate::layer_transformers;
use crate::load;
use crate::loader::Loader;
use crate::resource::{MadeBy, Notes, Resource};
use crate::resources::{Key, Resources, key};
use crate::transformers::iam_policy::IamPolicy;
use crate::transformers::namespace::RoleBindingSubjects;
use crate::transformers::{NamespaceArgs, Transformer, value_add};

/// What a built-in generator makes of its configuration.
///
/// # Errors
/// Where the configuration is of no built-in generator, or wrong.
pub(crate) fn generate(
    configuration: &Resource,
    loader: &Loader,
    limits: &Limits,
) -> Result<Vec<Resource>> {
    check_builtin(configuration)?;
    if configuration.gvk().kind == "HelmChartInflationGenerator" {
        let (chart, globals) = helm_fields::configuration(&written(configuration)?)?;
        return generators::helm_chart(&chart, &globals, loader, limits)
            .map_err(|error| error.resource(configuration.id()));
    }
    let node = read(configuration)?;
    let made = match configuration.gvk().kind.as_str() {
        "ConfigMapGenerator" => generators::config_map(
            &generator_fields::decode_generator(&node, false, false)?,
            loader,
        ),
        "SecretGenerator" => generators::secret(
            &generator_fields::decode_generator(&node, true, false)?,
            loader,
        ),
        "IAMPolicyGenerator" => IamPolicy::decode(&node).and_then(|policy| policy.generate()),
        _ => Err(refuse(configuration, "generator")),
    };
    made.map(|resource| vec![resource])
        .map_err(|error| error.position(node.position).resource(configuration.id()))
}

/// The changes that a configuration asks for.
///
/// # Errors
/// Where the configuration is of no built-in transformer, or wrong.
pub(crate) fn transformers(
    configuration: &Resource,
    loader: &Loader,
    limits: &Limits,
) -> Result<Vec<Transformer>> {
    check_builtin(configuration)?;
    if let Some(made) = affixes::transformers(configuration) {
        return made;
    }
    let node = read(configuration)?;
    let settings = Settings {
        node: &node,
        loader,
        limits,
    };
    let made = match configuration.gvk().kind.as_str() {
        "NamespaceTransformer" => settings.namespace(),
        "LabelTransformer" => settings.metadata_map("labels"),
        "AnnotationsTransformer" => settings.metadata_map("annotations"),
        "ImageTagTransformer" => settings.image(),
        "ReplicaCountTransformer" => settings.replicas(),
        "PatchTransformer" => kustomization::patch(&node, false)
            .and_then(|entry| layer_transformers::patch(&entry, loader, limits)),
        "PatchStrategicMergeTransformer" => settings.strategic_patches(),
        "PatchJson6902Transformer" => settings.json_patch(),
        "ReplacementTransformer" => settings.replacements(),
        "HashTransformer" => Ok(Transformer::NameHash),
        "ValueAddTransformer" => value_add::decode(&node, loader).map(Transformer::ValueAdd),
        _ => Err(refuse(configuration, "transformer")),
    };
    made.map(|transformer| vec![transformer])
        .map_err(|error| error.position(node.position).resource(configuration.id()))
}

pub(crate) use known_fields::ignored;

/// What a validator must leave as it is: who the resources are, and their texts, if they can be written at all.
pub(crate) fn snapshot(resources: &Resources) -> Vec<Snapshot> {
    let of = |resource: &Resource| {
        let mut text = String::new();
        let written = resource.emit(&mut text).is_ok();
        Snapshot {
            id: resource.id().clone(),
            text: written.then_some(text),
            notes: resource.notes.clone(),
            made_by: resource.made_by,
        }
    };
    resources.iter().map(of).collect()
}

/// What a resource was at some time.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Snapshot {
    id: ResId,
    text: Option<String>,
    notes: Notes,
    /// kustomize: the first patch makes new nodes of what it leaves as it is, which counts as a change.
    made_by: MadeBy,
}

/// Whether two snapshots are equal; two resources of one id are never equal to anything.
// kustomize: resWrangler.ErrorIfNotEqualSets
pub(crate) fn is_unchanged<'a>(before: &'a [Snapshot], after: &'a [Snapshot]) -> bool {
    let by_id = |snapshots: &'a [Snapshot]| -> BTreeMap<Key, &'a Snapshot> {
        snapshots.iter().map(|one| (key(&one.id), one)).collect()
    };
    let (known, found) = (by_id(before), by_id(after));
    before.len() == after.len()
        && known.len() == before.len()
        && found.len() == after.len()
        && known == found
}

fn check_builtin(configuration: &Resource) -> Result<()> {
    let gvk = configuration.gvk();
    if !gvk.group.is_empty() || gvk.version != "builtin" {
        return Err(refuse(configuration, "plugin"));
    }
    Ok(())
}

/// The configuration as its plugin reads it, with texts where the plugin needs them.
fn read(configuration: &Resource) -> Result<Node> {
    let mut node = written(configuration)?;
    texts::make(&mut node, &configuration.gvk().kind);
    Ok(node)
}

/// The configuration as its plugin gets it: kustomize writes it as text first.
fn written(configuration: &Resource) -> Result<Node> {
    let mut written = String::new();
    configuration.emit(&mut written)?;
    let parsed = goyaml::parse(written.as_bytes(), &Limits::default())
        .map_err(|error| Error::malformed(&error))?;
    let mut node = parsed.unwrap_or_else(Node::null);
    forget_places(&mut node);
    node.copy_places(configuration.node());
    Ok(node)
}

/// Forgets places, which are those of the written text.
fn forget_places(node: &mut Node) {
    node.position = goyaml::Position::default();
    if let Some(entries) = node.entries_mut() {
        for (key, value) in entries {
            key.position = goyaml::Position::default();
            forget_places(value);
        }
    } else if let Some(items) = node.items_mut() {
        items.iter_mut().for_each(forget_places);
    }
}

/// The built-in plugins.
const KINDS: [&str; 18] = [
    "ConfigMapGenerator",
    "SecretGenerator",
    "IAMPolicyGenerator",
    "HelmChartInflationGenerator",
    "PrefixTransformer",
    "SuffixTransformer",
    "PrefixSuffixTransformer",
    "NamespaceTransformer",
    "LabelTransformer",
    "AnnotationsTransformer",
    "ImageTagTransformer",
    "ReplicaCountTransformer",
    "PatchTransformer",
    "PatchStrategicMergeTransformer",
    "PatchJson6902Transformer",
    "ReplacementTransformer",
    "HashTransformer",
    "ValueAddTransformer",
];

fn refuse(configuration: &Resource, what: &str) -> Error {
    let kind = &configuration.gvk().kind;
    let hint = decode::nearest(kind, &KINDS).map_or_else(
        || "only built-in plugins run (`apiVersion: builtin`); exec, container and Go plugins do not".to_owned(),
        |near| format!("built-in plugins have `apiVersion: builtin`; did you mean `kind: {near}`?"),
    );
    Error::new(format!("`{kind}` is not a built-in {what}"))
        .kind(ErrorKind::NeedsPlugin)
        .position(configuration.node().position)
        .resource(configuration.id())
        .hint(hint)
}

/// A configuration and what is needed to follow it.
struct Settings<'a> {
    node: &'a Node,
    loader: &'a Loader<'a>,
    limits: &'a Limits,
}

impl<'a> Settings<'a> {
    fn field(&self, field: &str) -> Result<Option<&'a Node>> {
        let lower = field.to_ascii_lowercase();
        Ok(fields(self.node, "the configuration")?
            .into_iter()
            .find(|(name, _)| *name == lower)
            .map(|(_, value)| value))
    }

    fn text(&self, field: &str) -> Result<Text> {
        self.field(field)?
            .map_or_else(|| Ok(Text::new()), |node| text(node, field))
    }

    fn located(&self, field: &str) -> Result<Located> {
        self.field(field)?
            .map_or_else(|| Ok(Located::default()), |node| located(node, field))
    }

    fn field_specs(&self) -> Result<FieldSpecs> {
        let specs = self.field("fieldSpecs")?;
        let read = |item: &Node| field_spec(item, "fieldSpecs", false);
        let read = specs.map(|node| list(node, "fieldSpecs", read));
        Ok(read.transpose()?.unwrap_or_default().into())
    }

    fn namespace(&self) -> Result<Transformer> {
        let mut args = NamespaceArgs::default();
        if let Some(metadata) = self.field("metadata")? {
            args.namespace = generator_fields::decode_metadata(metadata)?.namespace;
        }
        if let Some(unset_only) = self.field("unsetOnly")? {
            args.unset_only = boolean(unset_only, "unsetOnly")?;
        }
        args.subjects = match self.text("setRoleBindingSubjects")?.as_str() {
            "" | "defaultOnly" => RoleBindingSubjects::DefaultOnly,
            "allServiceAccounts" => RoleBindingSubjects::AllServiceAccounts,
            "none" => RoleBindingSubjects::None,
            other => {
                return Err(Error::new(format!(
                    "`{other}` is no value for `setRoleBindingSubjects`"
                ))
                .field("setRoleBindingSubjects")
                .hint("the values are `defaultOnly`, `allServiceAccounts` and `none`"));
            }
        };
        Ok(Transformer::Namespace(args, self.field_specs()?))
    }

    fn metadata_map(&self, field: &str) -> Result<Transformer> {
        let map = self
            .field(field)?
            .map_or_else(|| Ok(BTreeMap::new()), |node| string_map(node, field))?;
        Ok(Transformer::MetadataMap(map, self.field_specs()?))
    }

    fn image(&self) -> Result<Transformer> {
        let image = self
            .field("imageTag")?
            .map(|node| kustomization::image(node, false))
            .transpose()?;
        Ok(Transformer::Image(
            image.unwrap_or_default(),
            self.field_specs()?,
        ))
    }

    fn replicas(&self) -> Result<Transformer> {
        let replica = self
            .field("replica")?
            .map(|node| kustomization::replica(node, false))
            .transpose()?;
        Ok(Transformer::Replicas(
            replica.unwrap_or_default(),
            self.field_specs()?,
        ))
    }

    fn strategic_patches(&self) -> Result<Transformer> {
        let paths = self
            .field("paths")?
            .map_or_else(|| Ok(Vec::new()), |node| located_list(node, "paths"))?;
        let inline = self.located("patches")?;
        if paths.is_empty() && inline.text.is_empty() {
            return Err(Error::new("the configuration needs `paths` or `patches`")
                .hint("write the patches below `patches: |-`, or list files under `paths`"));
        }
        let mut patches = layer_transformers::strategic_patches(&paths, self.loader, self.limits)?;
        let inline = load::inline(&inline.text, inline.place, self.limits);
        patches.extend(inline.map_err(layer_transformers::no_strategic_patch)?);
        if patches.is_empty() {
            return Err(Error::new("the patches are empty")
                .hint("write an object with the fields to change"));
        }
        Ok(Transformer::StrategicPatches(patches))
    }

    fn json_patch(&self) -> Result<Transformer> {
        let target = self
            .field("target")?
            .map(|node| selector(node, "target", false))
            .transpose()?;
        let entry = Patch {
            path: self.located("path")?,
            patch: self.located("jsonOp")?,
            target,
            position: self.node.position,
            ..Patch::default()
        };
        layer_transformers::json_patch(&entry, self.loader)
    }

    fn replacements(&self) -> Result<Transformer> {
        let read = |item: &Node| {
            let path = fields(item, "replacements")?
                .into_iter()
                .find(|(name, _)| name == "path");
            let path = path.map_or_else(
                || Ok(Located::default()),
                |(_, value)| located(value, "path"),
            )?;
            let replacement = replacement_fields::decode_replacement(item, false)?;
            Ok(ReplacementField {
                path,
                replacement,
                position: item.position,
            })
        };
        let entries = self
            .field("replacements")?
            .map_or_else(|| Ok(Vec::new()), |node| list(node, "replacements", read))?;
        let found = layer_transformers::replacements(&entries, self.loader, self.limits)?;
        Ok(Transformer::Replacements(found))
    }
}
