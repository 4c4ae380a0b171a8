//! Which field a text stands in, and what a setting may become there.

use std::fmt;

use goyaml::{Data, Node, Text};
use kustomize::metadata::LOCAL_CONFIG;
use kustomize::{Gvk, NamedPath};

use super::TEMPLATE_ANNOTATION;
use crate::settings::declared;

/// A step from an object to a field.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Into a map.
    Key(Text),
    /// Into a list.
    Index(usize),
}

/// The way from the top of an object to a field.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path(pub Vec<Step>);

/// What a setting may become in a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room {
    /// Whatever its filter says.
    Any,
    /// Text, as Kubernetes allows nothing else there.
    Text,
    /// Base64, or text whose filter makes base64.
    Base64,
    /// Nothing: what the object is and what it is called is decided in the repository.
    Identity,
    /// Nothing: who may do what is decided in the repository.
    Permissions,
    /// Nothing: an annotation by which an object is dropped, declares settings, or is filled.
    Decision,
}

impl Path {
    /// Whether it leads to what another one leads to, or further into it.
    pub fn is_within(&self, outer: &Self) -> bool {
        self.0.starts_with(&outer.0)
    }

    /// The last step, where it is one into a map.
    pub fn last_key(&self) -> Option<&str> {
        self.key(self.0.len().checked_sub(1)?)
    }

    /// What it leads to, from the top of an object.
    pub(super) fn find_mut<'a>(&self, node: &'a mut Node) -> Option<&'a mut Node> {
        self.0
            .iter()
            .try_fold(node, |node, step| match (&mut node.data, step) {
                (Data::Sequence(items), Step::Index(index)) => items.get_mut(*index),
                (Data::Mapping(entries), Step::Key(wanted)) => {
                    let mut entries = entries.iter_mut();
                    let found = entries.find(|(key, _)| key.to_text().as_ref() == Some(wanted));
                    found.map(|(_, value)| value)
                }
                _ => None,
            })
    }

    /// The path as the engine's messages write it.
    pub(super) fn named(&self) -> NamedPath {
        let mut named = NamedPath::default();
        for step in &self.0 {
            match step {
                Step::Key(key) => named.push_key(key),
                Step::Index(index) => named.push_index(*index),
            }
        }
        named
    }

    fn key(&self, index: usize) -> Option<&str> {
        match self.0.get(index) {
            Some(Step::Key(key)) => Some(key),
            Some(Step::Index(_)) | None => None,
        }
    }

    /// What a setting may become in this field of an object of this kind.
    pub(super) fn room(&self, gvk: &Gvk) -> Room {
        if gvk.group == "rbac.authorization.k8s.io" {
            return Room::Permissions;
        }
        // Argo CD takes an object with such a list for the objects in it, whatever its kind is.
        if self.key(0) == Some("items") {
            return Room::Identity;
        }
        let is_core = gvk.group.is_empty();
        match (self.key(0), self.key(1)) {
            (Some("apiVersion" | "kind"), None)
            | (Some("metadata"), Some("name" | "namespace" | "generateName")) => Room::Identity,
            (Some("metadata"), Some("annotations")) if self.key(2).is_some_and(decides) => {
                Room::Decision
            }
            (Some("metadata"), Some("labels" | "annotations")) => Room::Text,
            (Some("data"), _) if is_core && gvk.kind == "ConfigMap" => Room::Text,
            (Some("stringData"), _) if is_core && gvk.kind == "Secret" => Room::Text,
            (Some("data"), _) if is_core && gvk.kind == "Secret" => Room::Base64,
            _ => Room::Any,
        }
    }
}

/// Whether an annotation decides what becomes of its object.
fn decides(annotation: &str) -> bool {
    let all = [LOCAL_CONFIG, declared::ANNOTATION, TEMPLATE_ANNOTATION];
    all.contains(&annotation)
}

impl fmt::Display for Path {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.0.iter().enumerate() {
            let dot = if index > 0 { "." } else { "" };
            match step {
                Step::Key(key) if key.contains(['.', '/']) => write!(formatter, "{dot}[{key}]")?,
                Step::Key(key) => write!(formatter, "{dot}{key}")?,
                Step::Index(number) => write!(formatter, "{dot}{number}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(keys: &[&str]) -> Path {
        Path(keys.iter().map(|key| Step::Key((*key).into())).collect())
    }

    #[test]
    fn paths_are_written_as_kustomize_writes_them() {
        let mut at = path(&["metadata", "annotations", "example.org/x"]);
        assert_eq!(at.to_string(), "metadata.annotations.[example.org/x]");
        at = path(&["spec", "containers"]);
        at.0.push(Step::Index(0));
        assert_eq!(at.to_string(), "spec.containers.0");
    }

    #[test]
    fn fields_have_their_rules() {
        let gvk = Gvk::new;
        assert_eq!(
            path(&["metadata", "name"]).room(&gvk("v1", "Pod")),
            Room::Identity
        );
        assert_eq!(path(&["kind"]).room(&gvk("v1", "Pod")), Room::Identity);
        assert_eq!(
            path(&["metadata", "labels", "a"]).room(&gvk("v1", "Pod")),
            Room::Text
        );
        assert_eq!(
            path(&["data", "a"]).room(&gvk("v1", "ConfigMap")),
            Room::Text
        );
        assert_eq!(
            path(&["data", "a"]).room(&gvk("v1", "Secret")),
            Room::Base64
        );
        assert_eq!(
            path(&["data", "a"]).room(&gvk("example.org/v1", "Secret")),
            Room::Any
        );
        assert_eq!(
            path(&["rules"]).room(&gvk("rbac.authorization.k8s.io/v1", "Role")),
            Room::Permissions
        );
        for kind in ["v1/Pod", "example.org/v1/Any"] {
            let (version, kind) = kind.rsplit_once('/').unwrap();
            assert_eq!(
                path(&["items", "a"]).room(&gvk(version, kind)),
                Room::Identity
            );
            assert_eq!(
                path(&["spec", "items"]).room(&gvk(version, kind)),
                Room::Any
            );
        }
        assert_eq!(
            path(&["spec", "replicas"]).room(&gvk("apps/v1", "Deployment")),
            Room::Any
        );
    }
}
