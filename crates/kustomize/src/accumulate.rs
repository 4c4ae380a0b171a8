//! One kustomization after another: what each loads, generates and changes, from the bases up.

use crate::build::Session;
use crate::config::Config;
use crate::crds;
use crate::error::{Error, Result};
use crate::files::{KUSTOMIZATION_FILES, base_name};
use crate::generators;
use crate::kustomization::{GeneratorArgs, Kustomization, Located};
use crate::layer_transformers;
use crate::load;
use crate::loader::{Found, Loader};
use crate::origin::{self, Origin};
use crate::plugins;
use crate::references::variables::Variables;
use crate::resource::Resource;
use crate::resources::Resources;
use crate::transformers::Transformer;

/// What the kustomizations so far have gathered.
#[derive(Debug, Default)]
pub(crate) struct Accumulated {
    pub(crate) resources: Resources,
    pub(crate) config: Config,
    pub(crate) variables: Variables,
}

/// A kustomization that has been read and is about to be accumulated.
pub(crate) struct Layer<'a> {
    loader: Loader<'a>,
    kustomization: Kustomization,
    /// How errors name its file.
    file: String,
    /// Where it is, if origins are tracked.
    origin: Option<Origin>,
}

/// Changes that count as one: those of a field of the kustomization or of a plugin configuration.
struct Step {
    transformers: Vec<Transformer>,
    origin: Option<Origin>,
}

/// Whether a directory is used as a base or as a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    Base,
    Component,
}

impl<'a> Layer<'a> {
    /// Reads the kustomization file of the directory that is built.
    ///
    /// # Errors
    /// As for [`Self::open`].
    pub(crate) fn open_root(loader: Loader<'a>, session: &mut Session) -> Result<Self> {
        let mut layer = Self::open(loader, session, None)?;
        session.tracks_origins = !layer.kustomization.build_metadata.is_empty();
        layer.origin = session.tracks_origins.then(Origin::root);
        Ok(layer)
    }

    /// Reads the kustomization file of a directory.
    ///
    /// # Errors
    /// Where there is none or more than one, where it is wrong, and where it is not of the kind that its use needs.
    fn open(loader: Loader<'a>, session: &mut Session, used_as: Option<Use>) -> Result<Self> {
        session.budget.open_layer()?;
        let file = Self::find_file(&loader)?;
        let kustomization = Kustomization::read(&file, &session.options.limits.yaml)
            .map_err(|error| error.in_file(&file.name))?;
        session
            .warnings
            .extend(kustomization.warnings.iter().cloned());
        let layer = Self {
            loader,
            kustomization,
            file: file.name,
            origin: None,
        };
        let limits = &session.options.limits.yaml;
        let chosen = session
            .schema
            .choose(&layer.kustomization, &layer.loader, limits);
        chosen.map_err(|error| layer.blame(error))?;
        let is_component = layer.kustomization.kind == "Component";
        match used_as {
            Some(Use::Component) if !is_component => Err(layer.blame(
                Error::new(
                    "a kustomization is listed under `components`, but its kind is not `Component`",
                )
                .hint("list it under `resources`, or make it a component: `kind: Component`"),
            )),
            Some(Use::Base) if is_component => Err(layer.blame(
                Error::new("a component is listed under `resources`")
                    .hint("list it under `components`"),
            )),
            _ => Ok(layer),
        }
    }

    pub(crate) const fn kustomization(&self) -> &Kustomization {
        &self.kustomization
    }

    pub(crate) const fn loader(&self) -> &Loader<'a> {
        &self.loader
    }

    // kustomize: LoadKustFile
    fn find_file(loader: &Loader) -> Result<crate::loader::Loaded> {
        let named = KUSTOMIZATION_FILES.iter().map(|name| loader.find(name));
        let present: Vec<Found> = named.filter(Found::is_file).collect();
        let directory = loader.display(loader.root());
        match present.as_slice() {
            [file] => loader.load_found(file),
            [] => Err(
                Error::new(format!("there is no kustomization file in `{directory}`"))
                    .hint("add a `kustomization.yaml`, or name the directory that has one"),
            ),
            several => Err(Error::new(format!(
                "there are several kustomization files in `{directory}`: {}",
                several
                    .iter()
                    .map(Found::path)
                    .collect::<Vec<_>>()
                    .join(", ")
            ))
            .hint("keep one of them")),
        }
    }

    /// Adds this kustomization, and everything below it, to what is there: nothing for a base or the root, what the
    /// kustomization that uses it has loaded for a component.
    ///
    /// # Errors
    /// Where anything in it is wrong.
    // kustomize: KustTarget.accumulateTarget
    pub(crate) fn accumulate(
        &self,
        mut so_far: Accumulated,
        session: &mut Session,
    ) -> Result<Accumulated> {
        self.accumulate_resources(&mut so_far, &self.kustomization.resources, session)?;
        self.configure(&mut so_far)
            .map_err(|error| self.blame(error))?;
        self.generate(&mut so_far.resources, session)
            .map_err(|error| self.blame(error))?;
        for path in &self.kustomization.components {
            let component =
                self.open_below(path, &self.loader.find(&path.text), Use::Component, session)?;
            // kustomize: accumulateDirectory merges what a component has made of its parent into an empty accumulator.
            let mut merged = Accumulated::default();
            component
                .accumulate_below(so_far, session)
                .and_then(|accumulated| merged.merge(accumulated))
                .map_err(|error| self.needed_by(error, path))?;
            so_far = merged;
        }
        self.transform(&mut so_far, session)?;
        so_far
            .variables
            .add(&self.kustomization.vars, &mut so_far.resources)
            .map_err(|error| self.blame(error))?;
        Ok(so_far)
    }

    /// As [`Self::accumulate`], one level further in.
    fn accumulate_below(&self, so_far: Accumulated, session: &mut Session) -> Result<Accumulated> {
        session.budget.enter();
        let accumulated = self.accumulate(so_far, session);
        session.budget.leave();
        accumulated
    }

    // kustomize: KustTarget.accumulateResources
    fn accumulate_resources(
        &self,
        so_far: &mut Accumulated,
        paths: &[Located],
        session: &mut Session,
    ) -> Result<()> {
        for path in paths {
            let found = self.loader.find(&path.text);
            let place = |error: Error| self.blame(error.position(path.position));
            if found.is_directory() {
                let base = self.open_below(path, &found, Use::Base, session)?;
                let below = base
                    .accumulate_below(Accumulated::default(), session)
                    .map_err(|error| self.needed_by(error, path))?;
                so_far
                    .merge(below)
                    .map_err(|error| self.needed_by(error, path))?;
            } else {
                let file = self.loader.load_found(&found).map_err(place)?;
                let added = load::resources_of_file(&file, &session.options.limits.yaml).and_then(
                    |mut resources| {
                        session.budget.charge_resources(&resources)?;
                        self.annotate(&mut resources, &path.text)?;
                        session.schema.note_kinds(&resources);
                        session.loaded(&mut resources, &self.loader.names().borrow())?;
                        so_far.resources.append_all(resources)
                    },
                );
                added.map_err(|error| self.needed_by(error, path))?;
            }
        }
        Ok(())
    }

    fn open_below(
        &self,
        path: &Located,
        found: &Found,
        used_as: Use,
        session: &mut Session,
    ) -> Result<Self> {
        session
            .budget
            .check_nesting()
            .map_err(|error| self.blame(error))?;
        let entered = self.loader.enter(found);
        let loader = entered.map_err(|error| self.blame(error.position(path.position)))?;
        let mut layer = Layer::open(loader, session, Some(used_as))
            .map_err(|error| self.needed_by(error, path))?;
        layer.origin = self.origin.as_ref().map(|origin| origin.join(&path.text));
        Ok(layer)
    }

    fn configure(&self, so_far: &mut Accumulated) -> Result<()> {
        let own = Config::load(&self.loader, &self.kustomization.configurations)?;
        so_far.config = so_far.config.merge(&own)?;
        let of_crds = crds::load(&self.loader, &self.kustomization.crds)?;
        so_far.config = so_far.config.merge(&of_crds)?;
        Ok(())
    }

    // kustomize: KustTarget.runGenerators
    fn generate(&self, resources: &mut Resources, session: &mut Session) -> Result<()> {
        if let Some(position) = self.kustomization.helm {
            return Err(crate::kustomization::helm_refused(position));
        }
        let with_options = |args: &GeneratorArgs| {
            let options = generators::merge_options(
                args.options.as_ref(),
                self.kustomization.generator_options.as_ref(),
            );
            GeneratorArgs {
                options,
                ..args.clone()
            }
        };
        let mut generated = Vec::new();
        for args in &self.kustomization.config_map_generators {
            generated.push((
                generators::config_map(&with_options(args), &self.loader)?,
                self.builtin("ConfigMapGenerator"),
            ));
        }
        for args in &self.kustomization.secret_generators {
            generated.push((
                generators::secret(&with_options(args), &self.loader)?,
                self.builtin("SecretGenerator"),
            ));
        }
        for configuration in &self.plugin_configurations(&self.kustomization.generators, session)? {
            let origin = self.origin_of(configuration)?;
            let made = plugins::generate(configuration, &self.loader)?;
            generated.extend(made.into_iter().map(|resource| (resource, origin.clone())));
        }
        for (mut resource, origin) in generated {
            if let Some(origin) = origin {
                origin::set_if_missing(&mut resource, &origin)?;
            }
            session.budget.charge_node(resource.node(), 1)?;
            resources.absorb(resource)?;
        }
        Ok(())
    }

    // kustomize: KustTarget.runTransformers
    fn transform(&self, so_far: &mut Accumulated, session: &mut Session) -> Result<()> {
        let limits = &session.options.limits.yaml;
        let builtin =
            layer_transformers::of(&self.kustomization, &so_far.config, &self.loader, limits)
                .map_err(|error| self.blame(error))?;
        for (kind, transformer) in builtin {
            let step = Step {
                transformers: vec![transformer],
                origin: self.builtin(kind),
            };
            self.run(&step, &mut so_far.resources, session)?;
        }
        for step in self.plugins(&self.kustomization.transformers, session)? {
            self.run(&step, &mut so_far.resources, session)?;
        }
        self.validate(&mut so_far.resources, session)
    }

    // kustomize: multiTransformer.Transform
    fn run(&self, step: &Step, resources: &mut Resources, session: &mut Session) -> Result<()> {
        for transformer in &step.transformers {
            if matches!(transformer, Transformer::Replacements(_)) {
                session.before_replacements(resources)?;
            }
            let schema = session.schema.use_for(transformer);
            transformer
                .apply(schema, &session.budget, resources)
                .map_err(|error| self.blame(error))?;
        }
        if let Some(origin) = &step.origin {
            let annotate = |resource| origin::add_transformation(resource, origin);
            resources
                .as_mut_slice()
                .iter_mut()
                .try_for_each(annotate)
                .map_err(|error| self.blame(error))?;
        }
        Ok(())
    }

    /// What entries of `transformers` or `validators` configure.
    fn plugins(&self, entries: &[Located], session: &mut Session) -> Result<Vec<Step>> {
        let configurations = self.plugin_configurations(entries, session)?;
        let limits = &session.options.limits.yaml;
        let step = |configuration: &Resource| {
            let transformers = plugins::transformers(configuration, &self.loader, limits)?;
            Ok(Step {
                transformers,
                origin: self.origin_of(configuration)?,
            })
        };
        configurations
            .iter()
            .map(step)
            .collect::<Result<_>>()
            .map_err(|error| self.blame(error))
    }

    /// Runs the transformers that are listed as validators; they must change nothing.
    // kustomize: KustTarget.runValidators
    fn validate(&self, resources: &mut Resources, session: &mut Session) -> Result<()> {
        for step in self.plugins(&self.kustomization.validators, session)? {
            let before = plugins::snapshot(resources);
            self.run(
                &Step {
                    origin: None,
                    ..step
                },
                resources,
                session,
            )?;
            if !plugins::is_unchanged(&before, &plugins::snapshot(resources)) {
                let error = Error::new("a validator changed the resources").field("validators");
                return Err(self.blame(error.hint("list it under `transformers`")));
            }
        }
        Ok(())
    }

    /// The plugin configurations behind `generators`, `transformers` or `validators`: inline, in files, or what a
    /// kustomization builds.
    fn plugin_configurations(
        &self,
        entries: &[Located],
        session: &mut Session,
    ) -> Result<Resources> {
        let mut inline = Accumulated::default();
        let mut paths = Vec::new();
        for entry in entries {
            match load::inline(&entry.text, entry.position, &session.options.limits.yaml) {
                Ok(mut resources) => {
                    session.budget.charge_resources(&resources)?;
                    self.annotate(&mut resources, base_name(&self.file))?;
                    inline.resources.append_all(resources)?;
                }
                Err(_) => paths.push(entry.clone()),
            }
        }
        let outside = std::mem::replace(&mut session.reads_plugins, true);
        let read = self.accumulate_resources(&mut inline, &paths, session);
        session.reads_plugins = outside;
        read.map(|()| inline.resources)
    }

    /// Notes that resources come from a file of this directory.
    fn annotate(&self, resources: &mut [Resource], file: &str) -> Result<()> {
        let Some(origin) = self.origin.as_ref().map(|origin| origin.join(file)) else {
            return Ok(());
        };
        resources
            .iter_mut()
            .try_for_each(|resource| origin::set(resource, &origin))
    }

    /// The origin of what a field of this kustomization does.
    fn builtin(&self, kind: &str) -> Option<Origin> {
        self.origin
            .as_ref()
            .map(|origin| origin.builtin(base_name(&self.file), kind))
    }

    /// The origin of what a plugin configuration does.
    fn origin_of(&self, configuration: &Resource) -> Result<Option<Origin>> {
        if self.origin.is_some() {
            Origin::of_plugin(configuration)
        } else {
            Ok(None)
        }
    }

    /// Names this kustomization's file where an error names none.
    fn blame(&self, error: Error) -> Error {
        error.in_file(&self.file)
    }

    /// Says that this kustomization asked for what is wrong.
    fn needed_by(&self, error: Error, path: &Located) -> Error {
        let line = path.position.line;
        let error = error.with_names(&self.loader.names().borrow());
        error.needed_by(format!("`{}` in {}:{line}", path.text, self.file))
    }
}

impl Accumulated {
    // kustomize: ResAccumulator.MergeAccumulator
    fn merge(&mut self, other: Self) -> Result<()> {
        let Self {
            mut resources,
            config,
            variables,
        } = other;
        self.resources
            .append_all(std::mem::take(resources.as_mut_vec()))?;
        self.config = self.config.merge(&config)?;
        self.variables.merge(variables)
    }
}
