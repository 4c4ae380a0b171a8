//! A state out of manifests: what would be decided if a cluster had just these objects.

mod typed;

use std::collections::BTreeSet;
use std::collections::btree_map::{BTreeMap, Entry};

use goyaml::{Node, parse_documents};
use serde::Deserialize;

use crate::failure::{Item, Problem};
use crate::settings::consent;
use crate::settings::manifest::{LIMITS, values};
use crate::settings::object::{Object, ObjectKind, ObjectName};
use crate::steer::application::{Application, Name};
use crate::steer::owner::{ApplicationSet, Instance, Owner, OwnerName, Parent};
use crate::steer::ownership::owners;
use crate::steer::policy::{ENVIRONMENT, Policy};
use crate::steer::project::Project;
use crate::steer::state::{Controls, State};
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
    instance: Instance,
    controls: Controls,
    /// Where each object stands.
    places: BTreeMap<(&'static str, Name), Place>,
    left_out: Vec<Problem>,
}

/// The `ConfigMap` with Argo CD's own settings.
const ARGOCD_CM: &str = "argocd-cm";

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
    pub fn new(policy: &'a Policy, namespace: Option<&'a str>) -> Self {
        Self {
            policy,
            namespace,
            applications: BTreeMap::new(),
            sets: BTreeMap::new(),
            projects: BTreeMap::new(),
            objects: BTreeMap::new(),
            instance: Instance::default(),
            controls: Controls::default(),
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
        let is_known = kind == ObjectKind::ConfigMap
            && name.is_some_and(|name| [Controls::NAME, ARGOCD_CM].contains(&name));
        if !is_labelled && !is_known {
            return Ok(());
        }
        let (name, metadata) = self.head(kind.as_str(), node, place)?;
        let entries = values(node, &place.file)?;
        self.once(kind.as_str(), &name, place)?;
        let data = entries.into_iter().map(|entry| (entry.key, entry.value));
        let data: BTreeMap<String, Vec<u8>> = data.collect();
        if kind == ObjectKind::ConfigMap {
            let policy = self.policy;
            match (name.name.as_str(), &name.namespace) {
                (Controls::NAME, own) if *own == policy.own_namespace => {
                    self.controls = Controls::read(&texts(&data));
                }
                (ARGOCD_CM, own) if *own == policy.argocd_namespace => {
                    self.instance = Instance::from_config(&texts(&data));
                }
                _ => {}
            }
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
        if policy.counts(kind, &name.namespace) {
            return true;
        }
        if kind == ObjectKind::Secret && name.namespace == policy.argocd_namespace {
            self.leave_out(
                (kind.as_str(), name),
                place,
                "no Secret of Argo CD's namespace is ever read",
                "put it into a namespace of `overrideNamespaces` or `objectNamespaces` of the policy",
            );
        } else {
            self.leave_out(
                (kind.as_str(), name),
                place,
                "objects of its namespace are not read",
                "add the namespace to `overrideNamespaces` or `objectNamespaces` of the policy",
            );
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
            Entry::Vacant(entry) => {
                entry.insert(place.clone());
                Ok(())
            }
            Entry::Occupied(entry) => {
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
            if policy.environment_of(application).is_none() {
                continue;
            }
            if policy.application_namespaces.has(&name.namespace) {
                let application = Box::new(application.clone());
                state.applications.insert(name.clone(), application);
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
        state.objects = std::mem::take(&mut self.objects).into_iter().collect();
        state.controls = std::mem::take(&mut self.controls);
        state.instance = std::mem::take(&mut self.instance);
        let taking_part = state.applications.values();
        let names: BTreeSet<OwnerName> = taking_part
            .flat_map(|application| owners(application, &state.instance, policy))
            .collect();
        for name in names {
            let owner = self.owner(&name);
            state.owners.insert(name, owner);
        }
        (state, self.left_out)
    }

    /// An owner. What stands in no manifest may be in the cluster all the same.
    fn owner(&self, name: &OwnerName) -> Owner {
        let found = match name {
            OwnerName::Application(name) => self
                .applications
                .get(name)
                .map(|application| Owner::Application(Box::new(Parent::of(application.clone())))),
            OwnerName::ApplicationSet(name) => {
                let set = self.sets.get(name);
                set.map(|set| Owner::ApplicationSet(Box::new(set.clone())))
            }
        };
        found.unwrap_or(Owner::Unreadable)
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

#[cfg(test)]
mod tests {
    use super::*;

    const APPLICATION: &str = "\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: lamp
  namespace: argocd
  labels: {argocd-infisical.io/environment: dev}
  ownerReferences: [{apiVersion: argoproj.io/v1alpha1, kind: ApplicationSet, name: lamps, uid: x}]
  annotations: {argocd-infisical.io/hold: \"true\"}
spec:
  project: home
  source: {repoURL: https://git.example.org/home.git, targetRevision: dev}
";
    const SECRET: &str = "\
apiVersion: v1
kind: Secret
metadata:
  name: settings
  namespace: argocd-infisical
  labels: {argocd-infisical.io/environment: dev}
data:
  ARGOCD_TARGET_REVISION: bWFpbg==
";

    fn read(text: &str, namespace: Option<&str>) -> Result<(State, Vec<String>), String> {
        let policy = Policy::default();
        let mut manifests = Manifests::new(&policy, namespace);
        manifests
            .add(text.as_bytes(), "a.yaml")
            .map_err(|problems| {
                let told = problems.iter().map(ToString::to_string);
                told.collect::<String>()
            })?;
        let (state, left_out) = manifests.state();
        Ok((state, left_out.iter().map(ToString::to_string).collect()))
    }

    #[test]
    fn what_decisions_are_made_from() {
        let more = "\
apiVersion: v1
kind: List
items:
- {apiVersion: argoproj.io/v1alpha1, kind: ApplicationSet, metadata: {name: lamps, namespace: argocd}, spec: {template: {}}}
- {apiVersion: argoproj.io/v1alpha1, kind: AppProject, metadata: {name: home, namespace: argocd}, spec: {syncWindows: null}}
- {apiVersion: v1, kind: ConfigMap, metadata: {name: argocd-infisical-controls, namespace: argocd-infisical}, data: {pause: \"true\"}}
- {apiVersion: v1, kind: ConfigMap, metadata: {name: argocd-cm, namespace: argocd}, data: {application.instanceLabelKey: a/b}}
- {apiVersion: v1, kind: ConfigMap, metadata: {name: other}, data: {}}
- {apiVersion: apps/v1, kind: Deployment, metadata: {name: other}, spec: 1}
";
        let text = format!("{APPLICATION}---\n{SECRET}---\nno: kind\n---\n# nothing\n---\n{more}");
        let (state, left_out) = read(&text, None).unwrap();
        assert!(left_out.is_empty(), "{left_out:?}");
        let application = &state.applications[&Name::new("argocd", "lamp")];
        assert_eq!(application.annotations().hold.as_deref(), Some("true"));
        assert_eq!(application.sources()[0].1.revision(), "dev");
        let (name, object) = state.objects.first_key_value().unwrap();
        assert_eq!(name.to_string(), "Secret argocd-infisical/settings");
        assert_eq!(object.data["ARGOCD_TARGET_REVISION"], b"main");
        assert_eq!(object.labels[ENVIRONMENT], "dev");
        assert!(state.projects.unwrap().contains_key("home"));
        assert!(state.controls.is_paused);
        assert_eq!(state.instance.instance_label, "a/b");
        let owners: Vec<_> = state.owners.iter().collect();
        assert!(
            matches!(
                owners[..],
                [(OwnerName::ApplicationSet(_), Owner::ApplicationSet(_))]
            ),
            "{owners:?}"
        );
        // An owner that stands in no manifest is not one that is not there.
        let (state, _) = read(APPLICATION, None).unwrap();
        assert!(matches!(
            state.owners.values().next(),
            Some(Owner::Unreadable)
        ));
        assert!(state.projects.is_none());
    }

    #[test]
    fn a_namespace_is_named_by_the_object_or_on_the_command_line() {
        let nowhere = APPLICATION.replace("  namespace: argocd\n", "");
        let told = read(&nowhere, None).err().unwrap();
        let expected = "error: a.yaml:1: Application `lamp` names no namespace\nhint: add `metadata.namespace`, or say with `--namespace` where such objects go\n";
        assert_eq!(told, expected);
        let (state, _) = read(&nowhere, Some("argocd")).unwrap();
        let (name, application) = state.applications.first_key_value().unwrap();
        assert_eq!(
            (name.to_string(), application.name()),
            ("argocd/lamp".into(), name.clone())
        );
    }

    #[test]
    fn what_does_not_count_is_told() {
        let application = APPLICATION.replace("namespace: argocd\n", "namespace: other\n");
        let elsewhere = SECRET.replace("namespace: argocd-infisical\n", "namespace: other\n");
        let own = SECRET.replace("namespace: argocd-infisical\n", "namespace: argocd\n");
        let text = format!("{application}---\n{elsewhere}---\n{own}");
        let (state, left_out) = read(&text, None).unwrap();
        assert!(state.applications.is_empty() && state.objects.is_empty());
        let expected = [
            "error: a.yaml:13: `Secret other/settings` does not count: objects of its namespace are not read",
            "error: a.yaml:22: `Secret argocd/settings` does not count: no Secret of Argo CD's namespace is ever read",
            "error: a.yaml:1: `Application other/lamp` does not count: Applications of its namespace take no part",
        ];
        let first: Vec<_> = left_out
            .iter()
            .filter_map(|text| text.lines().next())
            .collect();
        assert_eq!(first, expected);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line_and_without_a_value() {
        let twice = format!("{APPLICATION}---\n{APPLICATION}");
        for (text, expected) in [
            ("a: [\n".to_owned(), "error: a.yaml:"),
            (
                SECRET.replace("bWFpbg==", "hunter2!"),
                "error: a.yaml:8: the value of `ARGOCD_TARGET_REVISION` in `data` is not valid base64\n",
            ),
            (
                APPLICATION.replace("targetRevision: dev", "targetRevision: 31415"),
                "error: a.yaml:11: `spec.source.targetRevision` of the Application has to be a text, and is a number\n  in: Application argocd/lamp\n",
            ),
            (
                APPLICATION.replace("  name: lamp\n", ""),
                "error: a.yaml:1: the Application has no `metadata.name`\n",
            ),
            (
                APPLICATION.replace("spec:", "spec: &hunter2\n  sources: 31415"),
                "error: a.yaml:10: `spec.sources` of the Application has to be a list, and is a number\n",
            ),
            (
                twice,
                "error: a.yaml:13: Application `argocd/lamp` is there twice\n  it stands first in a.yaml:1\n",
            ),
        ] {
            let told = read(&text, None).err().unwrap();
            assert!(told.starts_with(expected), "{told}");
            assert!(
                !told.contains("hunter2") && !told.contains("31415"),
                "{told}"
            );
        }
    }
}
