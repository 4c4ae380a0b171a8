//! A state out of manifests: what would be decided if a cluster had just these objects.

mod typed;

use std::collections::BTreeMap;
use std::fmt::Display;

use goyaml::{Node, parse_documents};
use serde::Deserialize;

use super::application::{Application, Name};
use super::controls;
use super::owner::{ApplicationSet, Owner, OwnerName, Parent};
use super::policy::{ENVIRONMENT, Namespaces, Policy};
use super::project::Project;
use super::state::{Controls, State};
use crate::failure::{Item, Problem};
use crate::settings::consent;
use crate::settings::manifest::{LIMITS, values};
use crate::settings::object::{Object, ObjectKind, ObjectName};
use typed::decode;

/// The objects of manifests, as far as they matter.
pub struct Manifests<'a> {
    policy: &'a Policy,
    /// The namespace of objects that name none.
    namespace: Option<&'a str>,
    /// Every Application, also those that take no part: they may own others.
    applications: BTreeMap<Name, Application>,
    sets: BTreeMap<Name, ApplicationSet>,
    projects: BTreeMap<String, Project>,
    objects: BTreeMap<ObjectName, Object>,
    controls: Controls,
    /// Where each object stands.
    places: BTreeMap<(&'static str, Name), Place>,
    left_out: Vec<Problem>,
}

/// Where an object stands.
#[derive(Clone)]
struct Place {
    file: String,
    line: u32,
}

/// `metadata` of any object.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Metadata {
    name: Option<String>,
    namespace: Option<String>,
    labels: Option<BTreeMap<String, String>>,
    annotations: Option<BTreeMap<String, String>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Head {
    metadata: Metadata,
}

impl<'a> Manifests<'a> {
    /// None yet. `namespace` is that of objects that name none; without it, they are an error.
    pub const fn new(policy: &'a Policy, namespace: Option<&'a str>) -> Self {
        Self {
            policy,
            namespace,
            applications: BTreeMap::new(),
            sets: BTreeMap::new(),
            projects: BTreeMap::new(),
            objects: BTreeMap::new(),
            controls: Controls {
                is_paused: false,
                acknowledged: std::collections::BTreeSet::new(),
            },
            places: BTreeMap::new(),
            left_out: Vec::new(),
        }
    }

    /// Adds the objects of a file: YAML or JSON, with several documents and lists. What decisions are not made from is
    /// passed over.
    ///
    /// # Errors
    /// Where it is no YAML, or an object in it cannot be understood or is there twice: all that is wrong with it. No value is
    /// quoted.
    pub fn add(&mut self, bytes: &[u8], file: &str) -> Result<(), Vec<Problem>> {
        // What the parser says is left out where it could quote: there may be Secrets.
        let documents = parse_documents(bytes, &LIMITS).map_err(|error| {
            let problem = Problem::new("the file is not valid YAML")
                .at(file, error.position.line)
                .hint("correct the YAML there; indentation, tabs and quotes are the usual causes");
            vec![problem]
        })?;
        let mut problems = Vec::new();
        for document in &documents {
            self.object(document, file, &mut problems);
        }
        if problems.is_empty() {
            Ok(())
        } else {
            Err(problems)
        }
    }

    fn object(&mut self, node: &Node, file: &str, problems: &mut Vec<Problem>) {
        let text = |field: &str| node.get(field).and_then(Node::as_str).unwrap_or_default();
        let (version, kind) = (text("apiVersion"), text("kind"));
        let group = version.split_once('/').map_or("", |(group, _)| group);
        let place = Place {
            file: file.to_owned(),
            line: node.position.line,
        };
        let added = match (group, kind) {
            ("argoproj.io", "Application") => self.application(node, &place),
            ("argoproj.io", "ApplicationSet") => self.set(node, &place),
            ("argoproj.io", "AppProject") => self.project(node, &place),
            ("", "ConfigMap") => self.settings(ObjectKind::ConfigMap, node, &place),
            ("", "Secret") => self.settings(ObjectKind::Secret, node, &place),
            (_, list) if list.ends_with("List") => {
                let items = node.get("items").and_then(Node::items).unwrap_or_default();
                for item in items {
                    self.object(item, file, problems);
                }
                Ok(())
            }
            _ => Ok(()),
        };
        problems.extend(added.err());
    }

    fn application(&mut self, node: &Node, place: &Place) -> Result<(), Problem> {
        let (name, _) = self.head("Application", node, place)?;
        let mut application: Application = decoded("Application", &name, node, place)?;
        application.metadata.namespace.clone_from(&name.namespace);
        self.once("Application", &name, place)?;
        self.applications.insert(name, application);
        Ok(())
    }

    fn set(&mut self, node: &Node, place: &Place) -> Result<(), Problem> {
        let (name, _) = self.head("ApplicationSet", node, place)?;
        let set = decoded("ApplicationSet", &name, node, place)?;
        self.once("ApplicationSet", &name, place)?;
        self.sets.insert(name, set);
        Ok(())
    }

    fn project(&mut self, node: &Node, place: &Place) -> Result<(), Problem> {
        let (name, _) = self.head("AppProject", node, place)?;
        let project = decoded("AppProject", &name, node, place)?;
        self.once("AppProject", &name, place)?;
        if name.namespace == self.policy.argocd_namespace {
            self.projects.insert(name.name, project);
        }
        Ok(())
    }

    /// A `ConfigMap` or Secret: only those with a label of ours count, and those that have a part of their own.
    fn settings(&mut self, kind: ObjectKind, node: &Node, place: &Place) -> Result<(), Problem> {
        let labels = node.get_path(&["metadata", "labels"]);
        let label = |key| {
            labels
                .and_then(|labels| labels.get(key))
                .and_then(Node::as_str)
        };
        let is_labelled = label(consent::LABEL) == Some("true") || label(ENVIRONMENT).is_some();
        let name = node.get_path(&["metadata", "name"]).and_then(Node::as_str);
        let is_known = kind == ObjectKind::ConfigMap && name == Some(controls::NAME);
        if !is_labelled && !is_known {
            return Ok(());
        }
        let (name, metadata) = self.head(kind.as_str(), node, place)?;
        let entries = values(node, &place.file)?;
        self.once(kind.as_str(), &name, place)?;
        let data = entries.into_iter().map(|entry| (entry.key, entry.value));
        let data: BTreeMap<String, Vec<u8>> = data.collect();
        if is_known && name.namespace == self.policy.own_namespace {
            self.controls = Controls::of(&texts(&data));
        }
        if is_labelled && self.is_watched(kind, &name, place) {
            let Name { namespace, name } = name;
            let name = ObjectName {
                kind,
                namespace,
                name,
            };
            let object = Object {
                labels: metadata.labels.unwrap_or_default(),
                annotations: metadata.annotations.unwrap_or_default(),
                data,
            };
            self.objects.insert(name, object);
        }
        Ok(())
    }

    fn is_watched(&mut self, kind: ObjectKind, name: &Name, place: &Place) -> bool {
        let policy = self.policy;
        let is_own = name.namespace == policy.argocd_namespace;
        let is_named = policy.override_namespaces.contains(&name.namespace)
            || policy.object_namespaces.has(&name.namespace);
        if kind == ObjectKind::Secret && is_own {
            self.leave_out(
                (kind.as_str(), name),
                place,
                "no Secret of Argo CD's namespace is ever read",
                "put it into a namespace of `overrideNamespaces` or `objectNamespaces` of the policy",
            );
        } else if !is_named {
            self.leave_out(
                (kind.as_str(), name),
                place,
                "objects of its namespace are not read",
                "add the namespace to `overrideNamespaces` or `objectNamespaces` of the policy",
            );
        } else {
            return true;
        }
        false
    }

    fn leave_out(&mut self, (kind, name): (&str, &Name), place: &Place, why: &str, hint: &str) {
        let problem = Problem::new(format!("`{kind} {name}` does not count: {why}"))
            .at(&place.file, place.line)
            .hint(hint);
        self.left_out.push(problem);
    }

    /// Who an object is.
    fn head(
        &self,
        kind: &'static str,
        node: &Node,
        place: &Place,
    ) -> Result<(Name, Metadata), Problem> {
        let Head { metadata } = decode(node).map_err(|mismatch| wrong(kind, &mismatch, place))?;
        let name = metadata.name.as_deref().filter(|name| !name.is_empty());
        let Some(name) = name else {
            let message = format!("the {kind} has no `metadata.name`");
            return Err(Problem::new(message)
                .at(&place.file, place.line)
                .hint("give it a name"));
        };
        let namespace = metadata.namespace.as_deref().or(self.namespace);
        let Some(namespace) = namespace.filter(|namespace| !namespace.is_empty()) else {
            return Err(Problem::new(format!("{kind} `{name}` names no namespace"))
                .at(&place.file, place.line)
                .hint(
                    "add `metadata.namespace`, or say with `--namespace` where such objects go",
                ));
        };
        Ok((Name::new(namespace, name), metadata))
    }

    fn once(&mut self, kind: &'static str, name: &Name, place: &Place) -> Result<(), Problem> {
        let first = self.places.entry((kind, name.clone()));
        match first {
            std::collections::btree_map::Entry::Vacant(entry) => {
                entry.insert(place.clone());
                Ok(())
            }
            std::collections::btree_map::Entry::Occupied(entry) => {
                let first = entry.get();
                let mut problem = Problem::new(format!("{kind} `{name}` is there twice"))
                    .at(&place.file, place.line)
                    .hint("leave one of the two out");
                problem.items.push(Item {
                    text: "it stands first in".into(),
                    file: first.file.clone(),
                    line: first.line,
                    is_in_repository: false,
                });
                Err(problem)
            }
        }
    }

    /// The state, and what was left out although it looks as if it were to count.
    pub fn state(mut self) -> (State, Vec<Problem>) {
        let policy = self.policy;
        let mut state = State::default();
        for (name, application) in &self.applications {
            if !application
                .metadata
                .labels
                .contains_key(&policy.environment_label)
            {
                continue;
            }
            if policy.application_namespaces.has(&name.namespace) {
                state.applications.insert(name.clone(), application.clone());
            } else if let Some(place) = self.places.get(&("Application", name.clone())).cloned() {
                let hint = "add the namespace to `applicationNamespaces` of the policy";
                let problem = Problem::new(format!(
                    "`Application {name}` does not count: Applications of its namespace take no part"
                ));
                let problem = problem.at(place.file, place.line).hint(hint);
                self.left_out.push(problem);
            }
        }
        if !self.projects.is_empty() {
            state.projects = Some(std::mem::take(&mut self.projects));
        }
        state.objects = std::mem::take(&mut self.objects);
        state.controls = std::mem::take(&mut self.controls);
        (state, self.left_out)
    }
}

/// The data of a `ConfigMap` as texts.
fn texts(data: &BTreeMap<String, Vec<u8>>) -> BTreeMap<String, String> {
    let text = |bytes: &Vec<u8>| String::from_utf8_lossy(bytes).into_owned();
    data.iter()
        .map(|(key, bytes)| (key.clone(), text(bytes)))
        .collect()
}

fn decoded<'a, T: Deserialize<'a>>(
    kind: &str,
    name: &Name,
    node: &'a Node,
    place: &Place,
) -> Result<T, Problem> {
    decode(node).map_err(|mismatch| {
        let mut problem = wrong(kind, &mismatch, place);
        problem.resource = Some(format!("{kind} {name}"));
        problem
    })
}

fn wrong(kind: &str, mismatch: &typed::Mismatch, place: &Place) -> Problem {
    let message = match mismatch.field() {
        Some(field) => format!("`{field}` of the {kind} {mismatch}"),
        None => format!("the {kind} {mismatch}"),
    };
    Problem::new(message)
        .at(&place.file, mismatch.line)
        .hint("write it as Argo CD's reference has it")
}
