//! Texts into which a replacement or a variable has carried a setting's value.
//!
//! Nothing in a value may be read as a placeholder. So the resources are compared with those of a build with the defaults:
//! a text that differs holds a value, and is set aside while placeholders are filled.

use goyaml::{Data, Node, Position};
use kustomize::Resource;

use super::dollars::{Guarded, Part};
use super::field::{Path, Step};
use super::scanner;

/// What was set aside of one resource.
#[derive(Default)]
pub(super) struct Carried {
    nodes: Vec<(Path, Node)>,
    /// The dollar signs of the values.
    guarded: Vec<Guarded>,
    /// Where a value came into a text that has placeholders of its own, so that neither reading of it would be right.
    pub(super) mixed: Vec<Position>,
}

impl Carried {
    /// Takes what differs from the defaults out of a resource.
    pub(super) fn take(node: &mut Node, defaults: &Node) -> Self {
        let mut carried = Self::default();
        carried.compare(node, defaults, &mut Path::default());
        carried
    }

    /// Puts everything back, and tells where dollar signs of values are.
    pub(super) fn put_back(self, resource: &mut Resource) -> Vec<Guarded> {
        for (path, mut kept) in self.nodes {
            kept.protect();
            if !kept.is_scalar() {
                resource.filled.push(path.named());
            }
            if let Some(place) = path.find_mut(resource.node_mut()) {
                *place = kept;
            }
        }
        self.guarded
    }

    fn compare(&mut self, node: &mut Node, defaults: &Node, path: &mut Path) {
        match (&mut node.data, &defaults.data) {
            (Data::Scalar(text), Data::Scalar(default)) if text == default => {}
            (Data::Mapping(entries), Data::Mapping(others)) if has_same_keys(entries, others) => {
                for ((key, value), (_, other)) in entries.iter_mut().zip(others) {
                    path.0.push(Step::Key(key.to_text().unwrap_or_default()));
                    self.compare(value, other, path);
                    path.0.pop();
                }
            }
            (Data::Sequence(items), Data::Sequence(others)) if items.len() == others.len() => {
                for (index, (item, other)) in items.iter_mut().zip(others).enumerate() {
                    path.0.push(Step::Index(index));
                    self.compare(item, other, path);
                    path.0.pop();
                }
            }
            _ => {
                if has_placeholders(defaults) {
                    self.mixed.push(defaults.position);
                }
                match (&node.data, &defaults.data) {
                    (Data::Scalar(text), Data::Scalar(default)) => {
                        self.guarded
                            .extend(Guarded::new(path, &parts(text, default)));
                    }
                    _ => self.guarded.extend(Guarded::all(path, node)),
                }
                let kept = std::mem::replace(node, Node::string(""));
                self.nodes.push((path.clone(), kept));
            }
        }
    }
}

fn has_same_keys(entries: &[(Node, Node)], others: &[(Node, Node)]) -> bool {
    entries.len() == others.len()
        && entries
            .iter()
            .zip(others)
            .all(|((key, _), (other, _))| key.as_str() == other.as_str())
}

fn has_placeholders(node: &Node) -> bool {
    match &node.data {
        Data::Scalar(text) => scanner::may_hold_placeholders(text),
        Data::Alias(_) => false,
        Data::Sequence(items) => items.iter().any(has_placeholders),
        Data::Mapping(entries) => entries
            .iter()
            .any(|(key, value)| has_placeholders(key) || has_placeholders(value)),
    }
}

/// A text, taken apart into what it has in common with its default at both ends and what a value must have brought.
fn parts<'a>(text: &'a str, default: &str) -> [Part<'a>; 3] {
    let common = |pairs: &mut dyn Iterator<Item = (char, char)>| -> usize {
        let same = pairs.take_while(|(one, other)| one == other);
        same.map(|(one, _)| one.len_utf8()).sum()
    };
    let start = common(&mut text.chars().zip(default.chars()));
    let (before, rest) = text.split_at(start);
    let others = default.get(start..).unwrap_or_default();
    let end = common(&mut rest.chars().rev().zip(others.chars().rev()));
    let (value, after) = rest.split_at(rest.len() - end);
    [
        Part::Repository(before),
        Part::Value(value),
        Part::Repository(after),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Node {
        goyaml::parse(text.as_bytes(), &goyaml::Limits::default())
            .unwrap()
            .unwrap()
    }

    #[test]
    fn what_differs_is_set_aside_and_comes_back() {
        let mut node = read("a: ${{ settings.B }}\nb: [x, '${{ settings.C }}']\nc: {d: 1}\n");
        let before = goyaml::encode(&node).unwrap();
        let carried = Carried::take(
            &mut node,
            &read("a: default\nb: [x, '${{ settings.C }}']\nc: text\n"),
        );
        assert!(carried.mixed.is_empty());
        assert_eq!(
            goyaml::encode(&node).unwrap(),
            "a: \"\"\nb: [x, '${{ settings.C }}']\nc: \"\"\n"
        );
        let mut resource = Resource::new(node);
        carried.put_back(&mut resource);
        assert_eq!(goyaml::encode(resource.node()).unwrap(), before);
    }

    #[test]
    fn a_value_in_a_text_with_placeholders_is_reported() {
        let mut node = read("a: value ${{ settings.B }}\n");
        let carried = Carried::take(&mut node, &read("a: default ${{ settings.B }}\n"));
        assert_eq!(carried.mixed.len(), 1);
    }
}
