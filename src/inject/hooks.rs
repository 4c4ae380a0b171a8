//! Where injection meets the engine: declarations are overlaid as they are read, kept up before each layer's
//! replacements, and placeholders are filled before names get their hashes.

use std::collections::BTreeMap;

use goyaml::{Data, Node, Style, Tag};
use kustomize::{Error, FileNames, Hooks, Resource, Resources};

use super::apply::Filler;
use super::evaluate::Evaluator;
use super::guard;
use super::identity::Identity;
use super::report;
use crate::failure::{Failure, Problem};
use crate::settings::declared::{self, Declared};
use crate::settings::resolve::{Resolved, resolve};
use crate::settings::{Place, Settings};

/// Injects settings into one build.
pub struct Injector<'a> {
    settings: &'a Settings,
    /// Where keys are declared, as the files say: a merged `ConfigMap` has lost some of its places.
    places: BTreeMap<String, Place>,
    is_declared: bool,
    has_guarded: bool,
    suspect: Option<Identity>,
    problems: Vec<Problem>,
}

impl<'a> Injector<'a> {
    /// Injects these settings.
    pub const fn new(settings: &'a Settings) -> Self {
        Self {
            settings,
            places: BTreeMap::new(),
            is_declared: false,
            has_guarded: false,
            suspect: None,
            problems: Vec::new(),
        }
    }

    /// What identifies the objects, where a value may have become a part of it; to be compared with a build that has no
    /// settings.
    pub const fn suspect(&self) -> Option<&Identity> {
        self.suspect.as_ref()
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
                    let guarded = guard::guarded(found.value.reveal());
                    self.has_guarded |= guarded.is_some();
                    let text = guarded.unwrap_or_else(|| found.value.reveal().clone());
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

    fn declared(&mut self, resources: &Resources, names: &FileNames) -> Vec<Declared> {
        let declarations = resources
            .iter()
            .filter(|resource| declared::is_declaration(resource));
        let mut found: Vec<Declared> = declarations
            .flat_map(|resource| declared::keys(resource, names, &mut self.problems))
            .collect();
        for key in &mut found {
            if let Some(place) = self
                .places
                .get(&key.key)
                .filter(|_| key.place.file.is_empty())
            {
                key.place = place.clone();
            }
        }
        found
    }

    fn fill(&mut self, resources: &mut Resources, names: &FileNames, resolved: Resolved) {
        let evaluator = Evaluator::new(resolved);
        let mut filler = Filler::new(&evaluator, names);
        resources
            .as_mut_slice()
            .iter_mut()
            .for_each(|resource| filler.resource(resource));
        let (asked, problems) = filler.into_problems();
        let resolved = evaluator.resolved();
        self.problems.extend(report::violations(resolved));
        let missing = evaluator.missing();
        if !missing.is_empty() {
            let problem = report::missing(&missing, &asked, resolved, self.settings);
            self.problems.push(problem);
        }
        self.problems.extend(problems);
    }
}

impl Hooks for Injector<'_> {
    fn loaded(&mut self, resources: &mut [Resource], names: &FileNames) -> kustomize::Result<()> {
        for resource in resources
            .iter_mut()
            .filter(|resource| declared::is_declaration(resource))
        {
            self.is_declared = true;
            match declared::check(resource, names) {
                Ok(places) => self.places.extend(places),
                Err(problem) => self.problems.push(problem),
            }
            self.overlay(resource);
        }
        self.check()
    }

    fn before_replacements(&mut self, resources: &mut Resources) -> kustomize::Result<()> {
        if !resources.iter().any(declared::is_declaration) {
            return Ok(());
        }
        self.is_declared = true;
        self.overlay_all(resources);
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
            self.problems.push(
                Problem::new(message)
                    .hint("keep the annotation and the ConfigMap when you patch it"),
            );
            return self.check();
        }
        let declarations = resources
            .iter()
            .filter(|resource| declared::is_declaration(resource));
        // A layer may have changed a default, and a generator may have made the whole of it.
        self.problems
            .extend(declarations.filter_map(|resource| declared::check(resource, names).err()));
        self.overlay_all(resources);
        let resolved = match resolve(self.declared(resources, names), self.settings) {
            Ok(resolved) => resolved,
            Err(problems) => {
                self.problems.extend(problems);
                Resolved::default()
            }
        };
        self.check()?;
        let identity = Identity::of(resources);
        let values = resolved
            .iter()
            .filter(|(_, setting)| setting.origin.is_some())
            .filter_map(|(_, setting)| setting.value.as_ref());
        if values
            .into_iter()
            .any(|value| identity.holds(value.reveal()))
        {
            self.suspect = Some(identity);
        }
        if resolved.is_empty() && !is_any_marked(resources) {
            return Ok(());
        }
        self.fill(resources, names, resolved);
        if self.has_guarded {
            resources
                .as_mut_slice()
                .iter_mut()
                .for_each(|resource| guard::unguard(resource.node_mut()));
        }
        self.check()
    }
}

fn is_any_marked(resources: &Resources) -> bool {
    let mark = |resource: &Resource| {
        kustomize::metadata::annotation(resource.node(), super::TEMPLATE_ANNOTATION).is_some()
    };
    resources.iter().any(mark)
}
