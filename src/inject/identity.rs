//! What no setting may change: which objects there are, and who may do what.
//!
//! Placeholders are refused in such fields one by one. A replacement or a variable can carry a value there as well, and
//! nothing in the result tells where a text came from. So a tree in which values are copied is built with its defaults
//! too, and the two must agree.

use std::collections::BTreeMap;

use goyaml::{Data, Node, Position, Text};
use kustomize::{FileNames, Output, ResId, Resource};

use crate::failure::{Failure, Problem};
use crate::settings::Place;

/// What identifies the objects of a build, and the permissions that they give.
pub struct Identity {
    objects: Vec<Object>,
    /// Names that hashes of the content have been added to, by the names without.
    hashed: BTreeMap<String, Text>,
}

struct Object {
    /// Its id, without a hash.
    id: String,
    place: Place,
    /// The whole of an RBAC object.
    permissions: Option<Node>,
    /// The top-level `items` of another one, which Argo CD takes for objects.
    items: Option<Node>,
}

impl Identity {
    /// What identifies the objects of a result.
    pub fn of(output: &Output) -> Self {
        let mut hashed = BTreeMap::new();
        let objects = output.resources.iter();
        let objects = objects
            .map(|resource| Object::of(resource, &output.names, &mut hashed))
            .collect();
        Self { objects, hashed }
    }

    /// Compares a build with settings with the same one without.
    ///
    /// # Errors
    /// Where they differ.
    pub fn check(&self, defaults: &Self) -> Result<(), Failure> {
        // Only a changed hash of a generated object may make a difference, in the name and where it is referred to.
        let renamed: BTreeMap<&str, &str> = self
            .hashed
            .iter()
            .filter_map(|(id, name)| Some((name.as_str(), defaults.hashed.get(id)?.as_str())))
            .collect();
        for (index, without) in defaults.objects.iter().enumerate() {
            let Some(with) = self.objects.get(index) else {
                return Err(without.refuse("a setting decides whether an object is there"));
            };
            if with.id != without.id {
                return Err(without.refuse(OTHER_OBJECT));
            }
            let is_same = |with: &Option<Node>, without: &Option<Node>| match (with, without) {
                (Some(with), Some(without)) => is_same(with, without, &renamed),
                (None, None) => true,
                (Some(_), None) | (None, Some(_)) => false,
            };
            if !is_same(&with.permissions, &without.permissions) {
                return Err(without.refuse(
                    "a setting is carried into an RBAC object, which says who may do what",
                ));
            }
            if !is_same(&with.items, &without.items) {
                return Err(without.refuse(
                    "a setting is carried into top-level `items`, which Argo CD takes for objects",
                ));
            }
        }
        if self.objects.len() == defaults.objects.len() {
            return Ok(());
        }
        Err(Problem::new(OTHER_COUNT).hint(HINT).into_failure())
    }
}

/// What is wrong where an object is not the one that it is with the defaults.
pub(super) const OTHER_OBJECT: &str = "a setting is carried into the name, namespace or kind of an object, or decides whether it is there";

/// What is wrong where there are more or fewer objects than with the defaults.
pub(super) const OTHER_COUNT: &str = "a setting decides how many objects there are";

/// What to do about it.
pub(super) const HINT: &str =
    "take the target out of the replacement or variable, and write the value into the repository";

impl Object {
    fn of(resource: &Resource, names: &FileNames, hashed: &mut BTreeMap<String, Text>) -> Self {
        let id = without_hash(resource);
        if id.name != *resource.name() {
            hashed.insert(id.to_string(), resource.name().clone());
        }
        let is_permission = resource.gvk().group == "rbac.authorization.k8s.io";
        Self {
            id: id.to_string(),
            place: place_of(resource, names),
            permissions: is_permission.then(|| resource.node().clone()),
            items: resource
                .node()
                .get("items")
                .filter(|_| !is_permission)
                .cloned(),
        }
    }

    /// Says what is wrong with the object as its defaults name it: the other name may hold the value.
    fn refuse(&self, what: &str) -> Failure {
        let line = Position {
            line: self.place.line,
            ..Position::default()
        };
        Problem::new(what)
            .in_repository(Some(&self.place.file), line)
            .resource(&self.id)
            .hint(HINT)
            .into_failure()
    }
}

/// Who a resource of a result is, without the hash of its content that may be part of its name.
pub fn without_hash(resource: &Resource) -> ResId {
    let mut id = resource.id().clone();
    let before_hash = resource.notes.previous.last();
    if let Some(previous) = before_hash.filter(|_| resource.notes.needs_hash) {
        id.name = previous.name.clone();
    }
    id
}

/// Whether two trees say the same, up to names that differ by their hash.
pub(super) fn is_same(with: &Node, without: &Node, renamed: &BTreeMap<&str, &str>) -> bool {
    match (&with.data, &without.data) {
        (Data::Scalar(text), Data::Scalar(default)) => {
            text == default
                || renamed
                    .get(text.as_str())
                    .is_some_and(|name| *name == default.as_str())
        }
        (Data::Sequence(items), Data::Sequence(others)) => {
            items.len() == others.len()
                && items
                    .iter()
                    .zip(others)
                    .all(|(item, other)| is_same(item, other, renamed))
        }
        (Data::Mapping(entries), Data::Mapping(others)) => {
            entries.len() == others.len()
                && entries.iter().all(|(key, value)| {
                    let other = key.as_str().and_then(|key| without.get(key));
                    other.is_some_and(|other| is_same(value, other, renamed))
                })
        }
        _ => false,
    }
}

/// Where an object begins: its own place, or that of its first field that came out of a file.
fn place_of(resource: &Resource, names: &FileNames) -> Place {
    let node = resource.node();
    let fields = node.entries().unwrap_or_default();
    let mut positions = [node.position]
        .into_iter()
        .chain(fields.iter().map(|(key, _)| key.position));
    let position = positions
        .find(|position| position.line > 0)
        .unwrap_or_default();
    Place {
        file: names.get(position.file).unwrap_or_default().to_owned(),
        line: position.line,
    }
}
