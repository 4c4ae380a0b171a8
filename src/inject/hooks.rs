//! Where injection meets the engine: declarations are overlaid as they are read, kept up before each layer's
//! replacements, and placeholders are filled before names get their hashes.

use std::collections::{BTreeMap, HashSet};

use goyaml::{Data, Node, Position, Style, Tag};
use kustomize::{Error, FileNames, Hooks, Resource, Resources};

use super::apply::{Asked, Filled, Filler};
use super::carried::Carried;
use super::dollars::Dollars;
use super::evaluate::Evaluator;
use super::identity::{HINT, OTHER_COUNT, OTHER_OBJECT, is_same};
use super::report;
use super::uses::Record;
use crate::failure::{Failure, Problem};
use crate::settings::declared::{self, Declared};
use crate::settings::resolve::{Resolved, resolve};
use crate::settings::schema::Schemas;
use crate::settings::{Place, Settings};

/// What the resources of a build with the defaults were before placeholders were filled.
#[derive(Default)]
pub struct Defaults {
    objects: Vec<(String, Node)>,
}

/// Which part an injection has where the same tree may be built twice.
enum Part<'a> {
    /// Nobody knows yet whether the tree copies values. Until that is known, values are kept out of it.
    First {
        /// Whether a declared value could have been copied.
        has_copied: bool,
        /// What was seen, where it could.
        seen: Option<Defaults>,
    },
    /// The tree copies values, and this is what it is without them.
    Second(&'a Defaults),
    /// Values are put into declarations, and placeholders stay, so that only copied values make a difference.
    Probe,
    /// What is wrong is collected. That a value is missing is not among it.
    Survey,
}

/// Injects settings into one build.
pub struct Injector<'a> {
    settings: &'a Settings,
    /// Where keys are declared, as the files say: a merged `ConfigMap` has lost some of its places.
    places: BTreeMap<String, Place>,
    /// Their rules, as the files say, for the same reason.
    schemas: Schemas,
    is_declared: bool,
    part: Part<'a>,
    problems: Vec<Problem>,
    record: Record,
    dollars: Dollars,
}

impl<'a> Injector<'a> {
    /// Injects these settings, if the tree copies no value from a declaration; otherwise it is built with its defaults,
    /// for [`Self::into_defaults`].
    pub fn first(settings: &'a Settings) -> Self {
        Self::new(
            settings,
            Part::First {
                has_copied: false,
                seen: None,
            },
        )
    }

    /// Injects these settings into a tree that copies values.
    pub fn second(settings: &'a Settings, defaults: &'a Defaults) -> Self {
        Self::new(settings, Part::Second(defaults))
    }

    /// Puts these settings into declarations and fills no placeholder.
    pub fn probe(settings: &'a Settings) -> Self {
        Self::new(settings, Part::Probe)
    }

    /// Injects these settings to find out what is wrong, and goes on where one is missing. What comes out is of no use.
    pub fn survey(settings: &'a Settings) -> Self {
        Self::new(settings, Part::Survey)
    }

    fn new(settings: &'a Settings, part: Part<'a>) -> Self {
        Self {
            settings,
            places: BTreeMap::new(),
            schemas: Schemas::new(),
            is_declared: false,
            part,
            problems: Vec::new(),
            record: Record::default(),
            dollars: Dollars::default(),
        }
    }

    /// The resources with their defaults, where the tree has to be built once more, with the settings.
    pub fn take_defaults(&mut self) -> Option<Defaults> {
        match &mut self.part {
            Part::First { seen, .. } => seen.take(),
            Part::Second(_) | Part::Probe | Part::Survey => None,
        }
    }

    /// What was injected, once the build is done.
    pub fn take_record(&mut self) -> Record {
        std::mem::take(&mut self.record)
    }

    /// What ended the build, where it was the injection: all that is wrong, as the engine's error cannot say it.
    pub fn into_failure(self) -> Option<Failure> {
        (!self.problems.is_empty()).then(|| Failure::several(self.problems))
    }

    /// Ends the build if anything is wrong.
    fn check(&self) -> kustomize::Result<()> {
        if self.problems.is_empty() {
            Ok(())
        } else {
            Err(Error::new("settings cannot be injected"))
        }
    }

    /// Puts the values of settings in the place of a declaration's defaults.
    fn overlay(&mut self, resource: &mut Resource) {
        let Some(entries) = resource
            .node_mut()
            .get_mut("data")
            .and_then(Node::entries_mut)
        else {
            return;
        };
        for (key, slot) in entries {
            let Some(key) = key.as_str() else { continue };
            match self.settings.get(key) {
                Ok(None) => {}
                Ok(Some(found)) => {
                    let text = found.value.reveal().clone();
                    // Quoted, as a text stays a text wherever a replacement carries it.
                    let style = if text.contains('\n') {
                        Style::LITERAL
                    } else {
                        Style::DOUBLE_QUOTED
                    };
                    let position = slot.position;
                    *slot = Node::new(Data::Scalar(text), Tag::Str, style);
                    slot.position = position;
                }
                Err(problem)
                    if self
                        .problems
                        .iter()
                        .any(|known| known.message == problem.message) => {}
                Err(problem) => self.problems.push(problem),
            }
        }
    }

    fn overlay_all(&mut self, resources: &mut Resources) {
        if resources.iter().any(declared::is_declaration) {
            let all = resources.as_mut_slice().iter_mut();
            all.filter(|resource| declared::is_declaration(resource))
                .for_each(|resource| self.overlay(resource));
        }
    }

    /// The declared keys with their defaults and rules, as the last layer has left them.
    fn declared(&mut self, resources: &Resources, names: &FileNames) -> Vec<Declared> {
        let declarations = resources
            .iter()
            .filter(|resource| declared::is_declaration(resource));
        let mut found: Vec<Declared> = declarations
            .flat_map(|resource| declared::keys(resource, names, &self.schemas, &mut self.problems))
            .collect();
        for key in found.iter_mut().filter(|key| key.place.file.is_empty()) {
            if let Some(place) = self.places.get(&key.key) {
                key.place = place.clone();
            }
        }
        found
    }

    fn fill(&mut self, resources: &mut Resources, names: &FileNames, resolved: Resolved) {
        let evaluator = Evaluator::new(resolved);
        let mut filler = Filler::new(&evaluator, names);
        let mut mixed = Vec::new();
        let mut copied = Dollars::default();
        for (index, resource) in resources.as_mut_slice().iter_mut().enumerate() {
            let carried = match self.part {
                Part::First { .. } | Part::Probe | Part::Survey => Carried::default(),
                Part::Second(defaults) => defaults
                    .objects
                    .get(index)
                    .map_or_else(Carried::default, |(_, defaults)| {
                        Carried::take(resource.node_mut(), defaults)
                    }),
            };
            mixed.extend(
                carried
                    .mixed
                    .iter()
                    .map(|position| (*position, resource.id().to_string())),
            );
            filler.resource(index, resource);
            let guarded = carried.put_back(resource);
            copied.note(index, guarded);
        }
        let Filled {
            problems,
            asked,
            undeclared,
            uses,
            dollars,
            is_complete,
        } = filler.finish();
        self.dollars = dollars;
        self.dollars.add(copied);
        self.record.uses = uses;
        self.record.undeclared = undeclared;
        self.conclude(evaluator, &asked, is_complete);
        self.problems.extend(problems);
        let place = |what: &str, hint: &str, (position, id): (Position, String)| {
            Problem::new(what)
                .in_repository(names.get(position.file), position)
                .resource(&id)
                .hint(hint)
        };
        let what = "a setting is carried into a text that has placeholders of its own";
        let hint = "use a placeholder for both, or a replacement for both";
        self.problems
            .extend(mixed.into_iter().map(|found| place(what, hint, found)));
    }

    /// Takes down what the settings have come to, and what is wrong with all of them together.
    fn conclude(&mut self, evaluator: Evaluator, asked: &Asked, is_complete: bool) {
        let resolved = evaluator.resolved();
        self.problems.extend(report::violations(resolved));
        // A placeholder that nobody has looked at may have a default.
        let missing = if is_complete {
            evaluator.missing()
        } else {
            Vec::new()
        };
        if !missing.is_empty() && !matches!(self.part, Part::Survey) {
            let problem = report::missing(&missing, asked, resolved, self.settings);
            self.problems.push(problem);
        }
        self.record.missing = missing;
        self.record.resolved = evaluator.into_resolved();
    }

    /// Notes what the resources are with their defaults, where values may be copied and there are any.
    fn witness(&mut self, resources: &Resources) -> bool {
        let has_settings = !self.settings.sources().is_empty();
        match &mut self.part {
            Part::First {
                has_copied: true,
                seen,
            } if has_settings => {
                let objects = resources
                    .iter()
                    .map(|resource| (resource.id().to_string(), resource.node().clone()));
                *seen = Some(Defaults {
                    objects: objects.collect(),
                });
                true
            }
            Part::First { .. } | Part::Second(_) | Part::Probe | Part::Survey => false,
        }
    }

    /// Makes sure that there are the same objects as with the defaults, and the same declarations.
    fn compare_objects(&mut self, resources: &Resources, names: &FileNames) {
        let Part::Second(defaults) = self.part else {
            return;
        };
        let ids = resources.iter().map(|resource| resource.id().to_string());
        let differing = ids
            .zip(&defaults.objects)
            .find(|(id, (default, _))| id != default);
        if let Some((_, (default, node))) = differing {
            let position = node.position;
            let problem =
                Problem::new(OTHER_OBJECT).in_repository(names.get(position.file), position);
            self.problems.push(problem.resource(default).hint(HINT));
            return;
        }
        let pairs = resources.iter().zip(&defaults.objects);
        let deciding = pairs
            .filter(|(resource, _)| declared::is_declaration(resource))
            .filter(|(resource, (_, default))| {
                let (with, without) = (resource.node().get("metadata"), default.get("metadata"));
                !with
                    .zip(without)
                    .is_some_and(|(with, without)| is_same(with, without, &BTreeMap::new()))
            });
        let what = "a setting is carried into the metadata of a ConfigMap that declares settings";
        self.problems.extend(deciding.map(|(_, (default, node))| {
            let problem = Problem::new(what)
                .in_repository(names.get(node.position.file), node.position)
                .resource(default);
            problem.hint(HINT)
        }));
        if resources.len() != defaults.objects.len() {
            self.problems.push(Problem::new(OTHER_COUNT).hint(HINT));
        }
    }

    /// Complains of declared keys, and of declarations, that a layer has taken away.
    fn check_kept(&mut self, declared: &[Declared]) {
        let kept: HashSet<&str> = declared.iter().map(|kept| kept.key.as_str()).collect();
        for (key, place) in &self.places {
            if !kept.contains(key.as_str()) {
                let problem =
                    Problem::new(format!("a layer has taken away the declared key `{key}`"));
                let position = Position {
                    line: place.line,
                    ..Position::default()
                };
                let hint = "keep the key; to empty its default, set it to \"\"";
                self.problems.push(
                    problem
                        .in_repository(Some(&place.file), position)
                        .hint(hint),
                );
            }
        }
    }
}

impl Hooks for Injector<'_> {
    fn loaded(&mut self, resources: &mut [Resource], names: &FileNames) -> kustomize::Result<()> {
        let is_overlaid = matches!(self.part, Part::Second(_) | Part::Probe);
        for resource in resources
            .iter_mut()
            .filter(|resource| declared::is_declaration(resource))
        {
            self.is_declared = true;
            self.schemas.note(resource);
            match declared::check(resource, names) {
                Ok(places) => self.places.extend(places),
                Err(problem) => self.problems.push(problem),
            }
            if is_overlaid {
                self.overlay(resource);
            }
        }
        self.check()
    }

    fn before_replacements(&mut self, resources: &mut Resources) -> kustomize::Result<()> {
        if !resources.iter().any(declared::is_declaration) {
            return Ok(());
        }
        self.is_declared = true;
        self.record.may_copy = true;
        match &mut self.part {
            Part::First { has_copied, .. } => *has_copied = true,
            Part::Second(_) | Part::Probe => self.overlay_all(resources),
            Part::Survey => {}
        }
        self.check()
    }

    fn before_name_hashes(
        &mut self,
        resources: &mut Resources,
        names: &FileNames,
    ) -> kustomize::Result<()> {
        if self.is_declared && !resources.iter().any(declared::is_declaration) {
            let message = format!(
                "a layer has taken away the ConfigMap with the annotation `{}`",
                declared::ANNOTATION
            );
            let hint = "keep the annotation and the ConfigMap when you patch it";
            self.problems.push(Problem::new(message).hint(hint));
            return self.check();
        }
        if self.witness(resources) {
            return Ok(());
        }
        if matches!(self.part, Part::Probe) {
            self.overlay_all(resources);
            return self.check();
        }
        self.compare_objects(resources, names);
        let declarations = resources
            .iter()
            .filter(|resource| declared::is_declaration(resource));
        // A layer may have changed a default, and a generator may have made the whole of it.
        self.problems
            .extend(declarations.filter_map(|resource| declared::check(resource, names).err()));
        self.overlay_all(resources);
        self.check()?;
        let declared = self.declared(resources, names);
        self.check_kept(&declared);
        let resolved = match resolve(declared, self.settings) {
            Ok(resolved) => resolved,
            Err(problems) => {
                self.problems.extend(problems);
                Resolved::default()
            }
        };
        self.check()?;
        if resolved.is_empty() && !is_any_marked(resources) {
            return Ok(());
        }
        self.fill(resources, names, resolved);
        self.check()
    }

    fn before_variables(&mut self, resources: &mut Resources) -> kustomize::Result<()> {
        if !self.dollars.hide(resources) {
            let message = "the texts of this tree have every character for private use, and one must be left to keep \
                           values apart from variables";
            self.problems.push(
                Problem::new(message)
                    .hint("use replacements in the place of `vars`, or change the values"),
            );
        }
        self.check()
    }

    fn after_variables(&mut self, resources: &mut Resources) {
        self.dollars.show(resources);
    }
}

fn is_any_marked(resources: &Resources) -> bool {
    let mark = |resource: &Resource| {
        kustomize::metadata::annotation(resource.node(), super::TEMPLATE_ANNOTATION).is_some()
    };
    resources.iter().any(mark)
}
