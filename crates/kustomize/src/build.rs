//! A build from its root: options in, resources and warnings out.

use goyaml::{Limits, Node, Text};

use crate::accumulate::{Accumulated, Layer};
use crate::error::{Error, Result};
use crate::files::Files;
use crate::hooks::{Hooks, NoHooks};
use crate::kustomization::{Kustomization, SortOptions};
use crate::loader::{FileNames, LoadRestrictions, Loader};
use crate::metadata;
use crate::references;
use crate::resource::Resource;
use crate::resources::Resources;
use crate::schema::{Builtin, Schema};
use crate::transformers::{Transformer, metadata_maps, name_hash, sort};

/// How `managed-by` labels name the engine: as the kustomize whose output it equals.
const MANAGED_BY: &str = "kustomize-v5.8.2";

const SORTED_TWICE: &str = "Warning: Sorting order is set both in 'kustomization.yaml' ('sortOptions') and in a CLI \
                            flag ('--reorder'). Using the kustomization file over the CLI flag.";

/// The Kubernetes version whose schema is built in.
const BUILTIN_SCHEMA: &str = "v1.21.2";

/// What may be asked of a build.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Whether kustomizations may read files outside their directories.
    pub load_restrictions: LoadRestrictions,
    /// The order of the output where the kustomization names none.
    pub reorder: Reorder,
    /// Whether every resource gets the label `app.kubernetes.io/managed-by`.
    pub managed_by_label: bool,
    /// Bounds on what files may ask for.
    pub limits: Limits,
    /// The directory, as an absolute path, from which errors name files; without it, the one that is built.
    pub named_from: Option<String>,
}

/// The order of the output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reorder {
    /// None was asked for: as [`Self::Legacy`].
    #[default]
    Unspecified,
    /// Namespaces and definitions first, webhooks last, the rest by kind and name.
    Legacy,
    /// As loaded.
    None,
}

/// What a build gives.
#[derive(Debug)]
pub struct Output {
    /// The resources, in order.
    pub resources: Resources,
    /// What kustomize prints to stderr, line by line.
    pub warnings: Vec<String>,
    /// The files that were read.
    pub names: FileNames,
}

impl Output {
    /// The bytes that `kustomize build` prints.
    ///
    /// # Errors
    /// Where a resource holds what JSON cannot say: a key that is no text, a key twice, an infinite number.
    pub fn to_yaml(&self) -> Result<String> {
        let mut text = String::new();
        for (index, resource) in self.resources.iter().enumerate() {
            if index > 0 {
                text.push_str("---\n");
            }
            resource.emit(&mut text).map_err(|error| error.with_names(&self.names))?;
        }
        Ok(text)
    }
}

/// Builds the kustomization in a directory.
///
/// # Errors
/// Where anything in it, or in what it is made of, is wrong.
pub fn build(files: &dyn Files, root: &str, options: &Options) -> Result<Output> {
    build_with(files, root, options, &mut NoHooks)
}

/// As [`build`], with a caller's part between the phases.
///
/// # Errors
/// As for [`build`], and what the hooks return.
pub fn build_with(files: &dyn Files, root: &str, options: &Options, hooks: &mut dyn Hooks) -> Result<Output> {
    let loader = Loader::new(files, root, options)?;
    let names = std::rc::Rc::clone(loader.names());
    let mut session = Session::new(options, hooks);
    let built = build_root(loader, &mut session);
    let warnings = session.warnings;
    match built {
        Ok(resources) => Ok(Output { resources, warnings, names: names.take() }),
        Err(error) => Err(error.with_names(&names.borrow())),
    }
}

/// What the layers of one build share.
pub(crate) struct Session<'a> {
    pub(crate) options: &'a Options,
    pub(crate) hooks: &'a mut dyn Hooks,
    pub(crate) warnings: Vec<String>,
    /// Whether annotations say where resources come from while they are built.
    pub(crate) tracks_origins: bool,
    schema: Schema,
    /// Whether a kustomization has named a schema; the first one counts.
    is_schema_chosen: bool,
    /// Whether a strategic merge has used the schema.
    has_merged: bool,
    /// Whether a resource has been loaded of whose kind nothing is built in.
    has_unknown_kind: bool,
}

impl<'a> Session<'a> {
    fn new(options: &'a Options, hooks: &'a mut dyn Hooks) -> Self {
        Self {
            options,
            hooks,
            warnings: Vec::new(),
            tracks_origins: false,
            schema: Schema::builtin(),
            is_schema_chosen: false,
            has_merged: false,
            has_unknown_kind: false,
        }
    }

    /// The schema for a transformer.
    pub(crate) fn schema_for(&mut self, transformer: &Transformer) -> &Schema {
        self.has_merged |= transformer.merges();
        &self.schema
    }

    /// Takes note of the kinds of resources that a layer has loaded.
    pub(crate) fn note_kinds(&mut self, resources: &[Resource]) {
        self.has_unknown_kind = self.has_unknown_kind
            || resources.iter().any(|resource| {
                let gvk = resource.gvk();
                self.schema.is_namespace_scoped(&gvk.api_version(), &gvk.kind).is_none()
            });
    }

    /// Takes the schema that a kustomization names; the first one counts for the whole build.
    // kustomize: openapi.SetSchema and initSchema, which adds a custom schema to what has been initialised before it.
    pub(crate) fn use_schema_of(&mut self, kustomization: &Kustomization, loader: &Loader) -> Result<()> {
        let openapi = &kustomization.openapi;
        let Some(path) = openapi.get("path") else {
            return self.use_version(openapi.get("version"));
        };
        let file = loader.load_path(path).map_err(|error| error.field("openapi.path"))?;
        if self.is_schema_chosen {
            return Ok(());
        }
        if openapi.contains_key("version") {
            return Err(Error::new("`openapi` has both `path` and `version`")
                .field("openapi")
                .hint("name a schema file or a built-in version"));
        }
        let document = self.parse_schema(&file.bytes).map_err(|error| error.in_file(&file.name))?;
        let builtin = match (self.has_merged, self.has_unknown_kind) {
            (true, _) => Builtin::Extended,
            (false, true) => Builtin::Preferred,
            (false, false) => Builtin::Replaced,
        };
        self.schema = Schema::with_custom(&document, builtin)
            .map_err(|error| Error::new(error.to_string()).in_file(&file.name))?;
        self.is_schema_chosen = true;
        Ok(())
    }

    fn use_version(&mut self, version: Option<&Text>) -> Result<()> {
        let Some(version) = version.filter(|version| !version.is_empty() && !self.is_schema_chosen) else {
            return Ok(());
        };
        if version != BUILTIN_SCHEMA {
            return Err(Error::new(format!("OpenAPI version `{version}` is not built in"))
                .field("openapi.version")
                .hint(format!("the only one that is, is `{BUILTIN_SCHEMA}`")));
        }
        self.is_schema_chosen = true;
        Ok(())
    }

    fn parse_schema(&self, bytes: &[u8]) -> Result<Node> {
        let limits = &self.options.limits;
        let document = goyaml::parse(bytes, limits).map_err(|error| Error::malformed(&error))?;
        let mut document = document.ok_or_else(|| Error::new("the schema file is empty"))?;
        document.expand_aliases(limits).map_err(|error| Error::malformed(&error))?;
        Ok(document)
    }
}

fn build_root(loader: Loader, session: &mut Session) -> Result<Resources> {
    let layer = Layer::open_root(loader, session)?;
    let (sort_options, build_metadata) = {
        let kustomization = layer.kustomization();
        (kustomization.sort_options.clone(), kustomization.build_metadata.clone())
    };
    let Accumulated { mut resources, config, variables } =
        layer.accumulate(Accumulated::default(), session)?;
    let names = std::rc::Rc::clone(layer.loader().names());
    session.hooks.before_name_hashes(&mut resources, &names.borrow())?;
    name_hash::apply(&mut resources)?;
    references::names::fix(&config, &mut resources)?;
    variables.resolve(&config, &mut resources, &mut session.warnings)?;
    drop_local(&mut resources)?;
    order(sort_options.as_ref(), session, &mut resources)?;
    let asks = |what: &str| build_metadata.iter().any(|option| option == what);
    if session.options.managed_by_label || asks("managedByLabel") {
        let label = [("app.kubernetes.io/managed-by".into(), MANAGED_BY.into())].into();
        let everywhere = [crate::field_spec::FieldSpec::of_every_kind("metadata/labels", true)];
        metadata_maps::apply(&label, &everywhere, resources.as_mut_slice())?;
    }
    for resource in resources.as_mut_slice() {
        resource.finish(asks("originAnnotations"), asks("transformerAnnotations"));
    }
    Ok(resources)
}

/// Takes away what only this kustomization uses, and makes sure that nothing has lost its kind or name.
// kustomize: KustTarget.IgnoreLocal
fn drop_local(resources: &mut Resources) -> Result<()> {
    resources.drop_empty();
    for resource in resources.iter() {
        crate::load::check_object(resource.node()).map_err(|error| error.resource(resource.id()))?;
    }
    resources.as_mut_vec().retain(|resource| {
        let local = metadata::annotation(resource.node(), "config.kubernetes.io/local-config");
        local.is_none_or(|value| value == "false")
    });
    Ok(())
}

// kustomize: Kustomizer.applySortOrder
fn order(sort_options: Option<&SortOptions>, session: &mut Session, resources: &mut Resources) -> Result<()> {
    match (sort_options, session.options.reorder) {
        (Some(options), reorder) => {
            if reorder != Reorder::Unspecified {
                session.warnings.push(SORTED_TWICE.to_owned());
            }
            sort::apply(options, resources)
        }
        (None, Reorder::Legacy | Reorder::Unspecified) => sort::legacy(resources, None),
        (None, Reorder::None) => Ok(()),
    }
}
