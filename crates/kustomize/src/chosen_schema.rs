//! Which schema a build uses: the built-in one, or the first that a kustomization names.

use std::collections::BTreeSet;

use goyaml::{Limits, Text};

use crate::error::{Error, Result};
use crate::id::Gvk;
use crate::kustomization::Kustomization;
use crate::load;
use crate::loader::Loader;
use crate::resource::Resource;
use crate::resources::Resources;
use crate::schema::{Builtin, Schema};
use crate::transformers::Transformer;

/// The Kubernetes version whose schema is built in.
const BUILTIN_VERSION: &str = "v1.21.2";

/// What a schema file must be.
const EXPECTED: &str = "name a file of OpenAPI definitions: `{\"definitions\": {…}}`";

/// The schema of a build, and what decides how a custom one goes together with the built-in one.
#[derive(Debug)]
pub(crate) struct ChosenSchema {
    schema: Schema,
    /// Whether a kustomization has named a schema; the first one counts.
    is_chosen: bool,
    /// Whether a strategic merge has used the schema.
    has_merged: bool,
    /// Whether a resource has been loaded of whose kind nothing is built in.
    has_unknown_kind: bool,
    /// The kinds that resources were loaded of, of all of which something is known.
    known_kinds: BTreeSet<Gvk>,
    /// Why the file that was named is no schema.
    broken: Option<Error>,
}

impl ChosenSchema {
    /// The built-in schema, until a kustomization names another.
    pub(crate) const fn new() -> Self {
        Self {
            schema: Schema::builtin(),
            is_chosen: false,
            has_merged: false,
            has_unknown_kind: false,
            known_kinds: BTreeSet::new(),
            broken: None,
        }
    }

    /// Whether a kustomization has named one.
    pub(crate) const fn is_chosen(&self) -> bool {
        self.is_chosen
    }

    /// Takes note of what a branch of the build has taken note of, in which no schema was named.
    pub(crate) fn join(&mut self, branch: Self) {
        self.has_merged |= branch.has_merged;
        self.has_unknown_kind |= branch.has_unknown_kind;
        self.known_kinds.extend(branch.known_kinds);
    }

    /// The schema for a transformer that is about to run; remembers whether one has merged by it, on which it depends how
    /// a custom schema that is named later goes together with it.
    pub(crate) fn use_for(&mut self, transformer: &Transformer, resources: &Resources) -> &Schema {
        self.has_merged = self.has_merged || transformer.merges(resources);
        &self.schema
    }

    /// Takes note of the kinds of resources that a layer has loaded.
    pub(crate) fn note_kinds(&mut self, resources: &[Resource]) {
        for gvk in resources.iter().map(Resource::gvk) {
            if self.has_unknown_kind {
                return;
            }
            if self.known_kinds.contains(gvk) {
                continue;
            }
            let scope = self
                .schema
                .is_namespace_scoped(&gvk.api_version(), &gvk.kind);
            if scope.is_some() {
                self.known_kinds.insert(gvk.clone());
            }
            self.has_unknown_kind = scope.is_none();
        }
    }

    /// Takes the schema that a kustomization names, unless one has been named before.
    ///
    /// # Errors
    /// Where the file is no schema, the version is not built in, or both are named.
    // kustomize: openapi.SetSchema and initSchema, which adds a custom schema to what has been initialised before it.
    pub(crate) fn choose(
        &mut self,
        kustomization: &Kustomization,
        loader: &Loader,
        limits: &Limits,
    ) -> Result<()> {
        let openapi = &kustomization.openapi;
        let Some(path) = openapi.get("path") else {
            return self.choose_version(openapi.get("version"));
        };
        let file = loader
            .load_path(path)
            .map_err(|error| error.field("openapi.path"))?;
        if self.is_chosen {
            return Ok(());
        }
        if openapi.contains_key("version") {
            return Err(Error::new("`openapi` has both `path` and `version`")
                .field("openapi")
                .hint("name a schema file or a built-in version"));
        }
        self.is_chosen = true;
        let document = load::document(&file.bytes, file.number, limits).and_then(|node| {
            node.ok_or_else(|| Error::new("the schema file is empty").hint(EXPECTED))
        });
        let builtin = match (self.has_merged, self.has_unknown_kind) {
            (true, _) => Builtin::Extended,
            (false, true) => Builtin::Preferred,
            (false, false) => Builtin::Replaced,
        };
        let schema = document.and_then(|document| {
            Schema::with_custom(&document, builtin)
                .map_err(|error| Error::new(error.to_string()).hint(EXPECTED))
        });
        match schema {
            Ok(schema) => self.schema = schema,
            Err(error) => self.broken = Some(error.in_file(&file.name)),
        }
        Ok(())
    }

    /// Makes sure that the schema is one, if the build has asked it anything.
    ///
    /// # Errors
    /// Where the file that a kustomization names is no schema.
    // kustomize: openapi.initSchema reads it for a strategic merge, and for the scope of a kind that is not built in.
    pub(crate) fn check(&mut self, resources: &[Resource]) -> Result<()> {
        let Some(error) = self.broken.take() else {
            return Ok(());
        };
        self.note_kinds(resources);
        if self.has_merged || self.has_unknown_kind {
            Err(error)
        } else {
            Ok(())
        }
    }

    fn choose_version(&mut self, version: Option<&Text>) -> Result<()> {
        let Some(version) = version.filter(|version| !version.is_empty() && !self.is_chosen) else {
            return Ok(());
        };
        if version != BUILTIN_VERSION {
            return Err(
                Error::new(format!("OpenAPI version `{version}` is not built in"))
                    .field("openapi.version")
                    .hint(format!("the only one that is, is `{BUILTIN_VERSION}`")),
            );
        }
        self.is_chosen = true;
        Ok(())
    }
}
