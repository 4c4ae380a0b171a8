//! One kustomization after another: what each loads, generates and changes, from the bases up.

mod ahead;
mod entry;
mod open;

use ahead::Ahead;
pub(crate) use entry::where_no_yaml;
use goyaml::{Position, Text};

use crate::build::Session;
use crate::config::Config;
use crate::crds;
use crate::error::{Error, Result};
use crate::files::{KUSTOMIZATION_FILES, base_name};
use crate::generators;
use crate::kustomization::{GeneratorArgs, Kustomization, Located};
use crate::layer_transformers;
use crate::limits;
use crate::load;
use crate::loader::{Found, Loaded, Loader, is_http};
use crate::origin::{self, Origin};
use crate::plugins;
use crate::references::variables::Variables;
use crate::repository::Repository;
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
    /// The number of its file.
    number: u32,
    /// Where it is, if origins are tracked.
    origin: Option<Origin>,
    /// The namespace of Helm charts that name none: that of this kustomization or the next one around it that has one.
    helm_namespace: Text,
}

/// Changes that count as one: those of a field of the kustomization or of a plugin configuration.
struct Step {
    transformers: Vec<Transformer>,
    origin: Option<Origin>,
    /// Where it is asked for.
    position: Position,
}

/// Whether a directory is used as a base or as a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    Base,
    Component,
}

impl<'a> Layer<'a> {
    pub(crate) const fn kustomization(&self) -> &Kustomization {
        &self.kustomization
    }

    pub(crate) const fn loader(&self) -> &Loader<'a> {
        &self.loader
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
        let mut ahead = self.go_ahead(paths, session).into_iter();
        for (index, path) in paths.iter().enumerate() {
            session.budget.check_time()?;
            let before = paths.get(..index).unwrap_or_default();
            let added = match ahead.next().flatten() {
                Some(ahead) => self.join(so_far, path, ahead, session),
                None => self.accumulate_entry(so_far, path, session),
            };
            added.map_err(|error| self.listed_twice(before, path, error))?;
        }
        Ok(())
    }

    /// Adds what has come of an entry of `resources` before its turn.
    fn join(
        &self,
        so_far: &mut Accumulated,
        path: &Located,
        ahead: Ahead,
        session: &mut Session,
    ) -> Result<()> {
        match ahead {
            Ahead::File(resources, weight) => {
                self.add_weighed(so_far, (resources, weight), path, session)
            }
            Ahead::Base(base) => {
                let (below, branch) = *base;
                if !session.join(branch) {
                    return self.accumulate_entry(so_far, path, session);
                }
                so_far
                    .merge(below)
                    .map_err(|error| self.needed_by(error, path))
            }
        }
    }

    /// Adds what one entry of `resources` leads to.
    fn accumulate_entry(
        &self,
        so_far: &mut Accumulated,
        path: &Located,
        session: &mut Session,
    ) -> Result<()> {
        if is_http(&path.text) {
            return self.accumulate_http(so_far, path, session);
        }
        let found = self.loader.find(&path.text);
        if found.is_file() || !(found.is_directory() || found.is_address()) {
            let place = |error: Error| {
                let error = entry::where_no_path(&path.text, error);
                self.blame(error.position(path.position))
            };
            let file = self.loader.load_found(&found).map_err(place)?;
            let resources = self.read_resources(&file, path, session)?;
            self.add_resources(so_far, resources, path, session)
        } else {
            self.accumulate_base(so_far, path, &found, session)
        }
    }

    /// Adds what is behind an HTTP address: a file with objects or, where it is none, a repository.
    fn accumulate_http(
        &self,
        so_far: &mut Accumulated,
        path: &Located,
        session: &mut Session,
    ) -> Result<()> {
        let place = |error: Error| self.blame(error.position(path.position));
        let as_file = match self.loader.load_http(&path.text) {
            Ok(file) => match self.read_resources(&file, path, session) {
                Ok(resources) => return self.add_resources(so_far, resources, path, session),
                Err(error) => error,
            },
            Err(error) if error.may_be_repository() => place(error.into_error(&path.text)),
            Err(error) => return Err(place(error.into_error(&path.text))),
        };
        if Repository::parse(&path.text).is_none() {
            return Err(as_file);
        }
        let as_file = as_file.details().message.clone();
        let found = self.loader.find(&path.text);
        self.accumulate_base(so_far, path, &found, session)
            .map_err(|error| error.note(format!("read as a file: {as_file}")))
    }

    /// Adds what another kustomization builds.
    fn accumulate_base(
        &self,
        so_far: &mut Accumulated,
        path: &Located,
        found: &Found,
        session: &mut Session,
    ) -> Result<()> {
        let base = self.open_below(path, found, Use::Base, session)?;
        let below = base
            .accumulate_below(Accumulated::default(), session)
            .map_err(|error| self.needed_by(error, path))?;
        so_far
            .merge(below)
            .map_err(|error| self.needed_by(error, path))
    }

    /// The objects of a file that an entry of `resources` names.
    fn read_resources(
        &self,
        file: &Loaded,
        path: &Located,
        session: &mut Session,
    ) -> Result<Vec<Resource>> {
        let read = load::resources_of_file(file, &session.options.limits.yaml);
        read.map_err(|error| {
            if KUSTOMIZATION_FILES.contains(&base_name(&path.text)) {
                self.blame(no_resource(&path.text).position(path.position))
            } else {
                self.needed_by(where_no_yaml(&file.bytes, error), path)
            }
        })
    }

    fn add_resources(
        &self,
        so_far: &mut Accumulated,
        resources: Vec<Resource>,
        path: &Located,
        session: &mut Session,
    ) -> Result<()> {
        let weight = limits::weight_of(&resources);
        self.add_weighed(so_far, (resources, weight), path, session)
    }

    fn add_weighed(
        &self,
        so_far: &mut Accumulated,
        (mut resources, weight): (Vec<Resource>, usize),
        path: &Located,
        session: &mut Session,
    ) -> Result<()> {
        let mut add = || {
            session.budget.charge(weight)?;
            self.annotate(&mut resources, &path.text)?;
            session.schema.note_kinds(&resources);
            session.loaded(&mut resources, &self.loader.names())?;
            so_far.resources.append_all(std::mem::take(&mut resources))
        };
        add().map_err(|error| self.needed_by(error, path))
    }

    fn configure(&self, so_far: &mut Accumulated) -> Result<()> {
        let in_configurations = |error| self.blame_field(error, "configurations");
        let own = Config::load(&self.loader, &self.kustomization.configurations)
            .map_err(in_configurations)?;
        so_far.config = so_far.config.merge(&own).map_err(in_configurations)?;
        let in_crds = |error| self.blame_field(error, "crds");
        let of_crds = crds::load(&self.loader, &self.kustomization.crds).map_err(in_crds)?;
        so_far.config = so_far.config.merge(&of_crds).map_err(in_crds)?;
        Ok(())
    }

    // kustomize: KustTarget.runGenerators
    fn generate(&self, resources: &mut Resources, session: &mut Session) -> Result<()> {
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
            let made = generators::config_map(&with_options(args), &self.loader);
            let mut made = made.map_err(|error| error.position(args.position))?;
            made.node_mut().complete_file(self.number);
            generated.push((made, self.builtin("ConfigMapGenerator")));
        }
        for args in &self.kustomization.secret_generators {
            let made = generators::secret(&with_options(args), &self.loader);
            let mut made = made.map_err(|error| error.position(args.position))?;
            made.node_mut().complete_file(self.number);
            generated.push((made, self.builtin("SecretGenerator")));
        }
        let limits = session.options.limits.yaml;
        for chart in &self.kustomization.helm_charts {
            let mut chart = chart.clone();
            if chart.namespace.is_empty() {
                chart.namespace.clone_from(&self.helm_namespace);
            }
            let globals = &self.kustomization.helm_globals;
            let made = generators::helm_chart(&chart, globals, &self.loader, &limits)?;
            let origin = self.builtin("HelmChartInflationGenerator");
            generated.extend(made.into_iter().map(|resource| (resource, origin.clone())));
        }
        for configuration in &self.plugin_configurations(&self.kustomization.generators, session)? {
            let origin = self.origin_of(configuration)?;
            let made = plugins::generate(configuration, &self.loader, &limits)?;
            session.notices.extend(plugins::ignored(configuration));
            generated.extend(made.into_iter().map(|resource| (resource, origin.clone())));
        }
        for (mut resource, origin) in generated {
            if let Some(origin) = origin {
                origin::set_if_missing(&mut resource, &origin)?;
            }
            session.budget.charge_node(resource.node(), 1)?;
            let position = resource.node().position;
            let absorbed = resources.absorb(resource);
            absorbed.map_err(|error| error.position(position))?;
        }
        Ok(())
    }

    // kustomize: KustTarget.runTransformers
    fn transform(&self, so_far: &mut Accumulated, session: &mut Session) -> Result<()> {
        let limits = &session.options.limits.yaml;
        let builtin =
            layer_transformers::of(&self.kustomization, &so_far.config, &self.loader, limits)
                .map_err(|error| self.blame(error))?;
        for change in builtin {
            let step = Step {
                transformers: vec![change.transformer],
                origin: self.builtin(change.kind),
                position: change.position,
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
            session.budget.check_time()?;
            if matches!(transformer, Transformer::Replacements(_)) {
                session.before_replacements(resources)?;
            }
            let schema = session.schema.use_for(transformer, resources);
            transformer
                .apply(schema, &session.budget, resources)
                .map_err(|error| self.blame(error.position(step.position)))?;
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
        let notices = &mut session.notices;
        let step = |configuration: &Resource| {
            let transformers = plugins::transformers(configuration, &self.loader, limits)?;
            notices.extend(plugins::ignored(configuration));
            Ok(Step {
                transformers,
                origin: self.origin_of(configuration)?,
                position: configuration.node().position,
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
        let steps = self.plugins(&self.kustomization.validators, session)?;
        if steps.is_empty() {
            return Ok(());
        }
        let before = plugins::snapshot(resources);
        for step in steps {
            let step_place = step.position;
            self.run(
                &Step {
                    origin: None,
                    ..step
                },
                resources,
                session,
            )?;
            if !plugins::is_unchanged(&before, &plugins::snapshot(resources)) {
                let error = Error::new("a validator changed the resources")
                    .hint("list it under `transformers`");
                return Err(self.blame(error.position(step_place)));
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
            match load::inline(&entry.text, entry.place, &session.options.limits.yaml) {
                Ok(mut resources) => {
                    session.budget.charge_resources(&resources)?;
                    self.annotate(&mut resources, base_name(&self.file))?;
                    session.schema.note_kinds(&resources);
                    inline.resources.append_all(resources)?;
                }
                // No path has several lines.
                Err(error) if entry.text.contains('\n') => return Err(self.blame(error)),
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

    /// Names the place of a field of this kustomization where an error names none.
    pub(crate) fn blame_field(&self, error: Error, field: &str) -> Error {
        self.blame(error.position(self.kustomization.place_of(field)))
    }

    /// Says that this kustomization asked for what is wrong.
    fn needed_by(&self, error: Error, path: &Located) -> Error {
        let names = self.loader.names();
        let error = error.with_names(&names);
        // What was asked for from outside stands in no line.
        let asked_by = names.get(path.position.file);
        let place = match (path.position.line, asked_by) {
            (0, Some(asked_by)) => asked_by.to_owned(),
            (line, _) => format!("{}:{line}", self.file),
        };
        error.needed_by(format!("`{}` in {place}", path.text))
    }
}

/// The error for a kustomization file that is listed as if it were a file of objects.
fn no_resource(path: &str) -> Error {
    let directory = path
        .rsplit_once('/')
        .map_or(".", |(directory, _)| directory);
    Error::new(format!(
        "`{path}` is a kustomization file, and holds no resources itself"
    ))
    .hint(format!("list its directory: `{directory}`"))
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
