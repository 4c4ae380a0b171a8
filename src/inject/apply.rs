//! Fills the placeholders of a resource.

mod walk;

use std::collections::{BTreeMap, BTreeSet};

use kustomize::{FileNames, Resource, metadata};

use super::TEMPLATE_ANNOTATION;
use super::budget::Budget;
use super::dollars::Dollars;
use super::evaluate::Evaluator;
use super::unmarked;
use super::uses::Use;
use crate::failure::Problem;
use crate::settings::{Place, declared};
use walk::Walked;

/// Fills the placeholders of one build and collects what is wrong.
pub(super) struct Filler<'a> {
    evaluator: &'a Evaluator,
    names: &'a FileNames,
    problems: Vec<Problem>,
    /// Which placeholders ask for keys that are missing.
    asked: Asked,
    /// Keys that placeholders ask for and that are not declared.
    undeclared: BTreeSet<String>,
    uses: Vec<Use>,
    dollars: Dollars,
    budget: Budget,
}

/// What has come of filling.
pub(super) struct Filled {
    pub(super) problems: Vec<Problem>,
    pub(super) asked: Asked,
    pub(super) undeclared: BTreeSet<String>,
    pub(super) uses: Vec<Use>,
    pub(super) dollars: Dollars,
    /// Whether all placeholders were looked at.
    pub(super) is_complete: bool,
}

/// Places by the key that is asked for there.
pub(super) type Asked = BTreeMap<String, BTreeSet<Place>>;

/// What a resource says about placeholders in it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Template,
    PlainText,
    None,
}

impl<'a> Filler<'a> {
    pub(super) fn new(evaluator: &'a Evaluator, names: &'a FileNames) -> Self {
        Self {
            evaluator,
            names,
            problems: Vec::new(),
            asked: Asked::new(),
            undeclared: BTreeSet::new(),
            uses: Vec::new(),
            dollars: Dollars::default(),
            budget: Budget::new(),
        }
    }

    pub(super) fn finish(self) -> Filled {
        let Self {
            evaluator: _,
            names: _,
            problems,
            asked,
            undeclared,
            uses,
            dollars,
            budget,
        } = self;
        Filled {
            problems,
            asked,
            undeclared,
            uses,
            dollars,
            is_complete: !budget.is_spent(),
        }
    }

    /// Fills the resource with this index.
    pub(super) fn resource(&mut self, index: usize, resource: &mut Resource) {
        if declared::is_declaration(resource) {
            return;
        }
        match self.mark(resource) {
            Mark::PlainText => {}
            // Nothing is touched where nothing is declared, not even an escape.
            Mark::Template if self.evaluator.resolved().is_empty() => {
                let problem =
                    Problem::new("a placeholder asks for a setting, and no settings are declared")
                        .hint(format!(
                            "declare them in a ConfigMap with the annotation `{}: settings`",
                            declared::ANNOTATION
                        ));
                self.problems
                    .extend(unmarked::find(resource, self.names, problem));
            }
            Mark::None if self.evaluator.resolved().is_empty() => {}
            Mark::Template => {
                let Walked { guarded, blocks } = walk::fill(self, resource);
                resource.filled.extend(blocks);
                self.dollars.note(index, guarded);
            }
            // A definition of fields may well describe texts with placeholders.
            Mark::None if resource.gvk().kind == "CustomResourceDefinition" => {}
            Mark::None => {
                let message = "a placeholder stands in a resource that is not marked as a template";
                let where_to = match resource.notes.behavior {
                    Some(_) => "to the generator's `options.annotations` add",
                    None => "add the annotation",
                };
                let problem = Problem::new(message).hint(format!(
                    "{where_to} `{TEMPLATE_ANNOTATION}: \"true\"` to fill it, or `\"false\"` to keep it as text"
                ));
                self.problems
                    .extend(unmarked::find(resource, self.names, problem));
            }
        }
    }

    fn mark(&mut self, resource: &Resource) -> Mark {
        match metadata::annotation(resource.node(), TEMPLATE_ANNOTATION) {
            None => Mark::None,
            Some("true") => Mark::Template,
            Some("false") => Mark::PlainText,
            Some(_) => {
                let message =
                    format!("annotation `{TEMPLATE_ANNOTATION}` must be `\"true\"` or `\"false\"`");
                let position = resource.node().position;
                let problem =
                    Problem::new(message).in_repository(self.names.get(position.file), position);
                self.problems.push(problem.resource(resource.id()));
                Mark::PlainText
            }
        }
    }
}

/// What is said of a key that is not declared.
pub(super) fn not_declared(key: &str) -> String {
    format!("setting `{key}` is not declared")
}
