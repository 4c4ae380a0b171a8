//! Which fields of two trees say something else.

use std::collections::BTreeMap;

use goyaml::{Data, Node, Position};
use kustomize::{Output, Resource};

use crate::inject::{Path, Step, without_hash};

/// A field that differs.
#[derive(Clone, Debug)]
pub struct Change<'n> {
    /// Which one.
    pub field: Path,
    /// What it is on the left; `None` where it is not there.
    pub left: Option<&'n Node>,
    /// What it is on the right; `None` where it is not there.
    pub right: Option<&'n Node>,
    /// Where it, or the nearest field around it that has a place, stands on the right; else on the left.
    pub position: Position,
}

/// Names with a hash of the content, by what the object is called without.
type Hashed = BTreeMap<String, String>;

/// The resources of a result by who they are without a hash, in the order of the result.
pub struct Objects<'o> {
    entries: Vec<(String, &'o Resource)>,
    hashed: Hashed,
}

/// Two resources that are one, or one that has no other.
pub struct Pair<'o> {
    /// Who they are, without a hash: on the right, where there are two.
    pub id: String,
    /// The left one.
    pub left: Option<&'o Resource>,
    /// The right one.
    pub right: Option<&'o Resource>,
}

impl<'o> Objects<'o> {
    /// The resources of a result.
    pub fn of(output: &'o Output) -> Self {
        let mut hashed = BTreeMap::new();
        let mut entries = Vec::with_capacity(output.resources.len());
        for resource in &output.resources {
            let id = without_hash(resource);
            if id.name != *resource.name() {
                hashed.insert(id.to_string(), resource.name().to_string());
            }
            entries.push((id.to_string(), resource));
        }
        Self { entries, hashed }
    }

    /// All of them, each with who it is.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &'o Resource)> {
        self.entries
            .iter()
            .map(|(id, resource)| (id.as_str(), *resource))
    }

    /// Puts resources together that are the same: by who they are, and what remains by its order where there is as much
    /// of it on both sides.
    pub fn pairs(&self, right: &Self) -> Vec<Pair<'o>> {
        let lefts = self.numbered();
        let rights = right.numbered();
        let gone: Vec<(&str, &'o Resource)> = self
            .keys()
            .filter(|key| !rights.contains_key(key))
            .filter_map(|key| Some((key.0, *lefts.get(&key)?)))
            .collect();
        let is_new = |key: &(&str, usize)| !lefts.contains_key(key);
        let is_renamed = gone.len() == right.keys().filter(is_new).count();
        let mut others = gone.iter().map(|(_, resource)| *resource);
        let entries = right.keys().zip(&right.entries);
        let mut pairs: Vec<Pair<'o>> = entries
            .map(|(key, (id, resource))| Pair {
                id: id.clone(),
                left: match lefts.get(&key) {
                    Some(left) => Some(*left),
                    None if is_renamed => others.next(),
                    None => None,
                },
                right: Some(*resource),
            })
            .collect();
        if !is_renamed {
            pairs.extend(gone.iter().map(|(id, resource)| Pair {
                id: (*id).to_owned(),
                left: Some(*resource),
                right: None,
            }));
        }
        pairs
    }

    /// Who each one is; a result may have two of one id, which are counted.
    fn keys(&self) -> impl Iterator<Item = (&str, usize)> {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        self.entries.iter().map(move |(id, _)| {
            let count = counts.entry(id).or_default();
            *count += 1;
            (id.as_str(), *count)
        })
    }

    fn numbered(&self) -> BTreeMap<(&str, usize), &'o Resource> {
        let resources = self.entries.iter().map(|(_, resource)| *resource);
        self.keys().zip(resources).collect()
    }

    /// Names with a hash on the left, by the names that they have on the right.
    pub fn renamed<'s>(&'s self, right: &'s Self) -> BTreeMap<&'s str, &'s str> {
        let renamed = right.hashed.iter();
        renamed
            .filter_map(|(id, name)| Some((name.as_str(), self.hashed.get(id)?.as_str())))
            .collect()
    }
}

/// The fields in which two objects differ, those that only follow the new hash of a name left out where `renamed` knows
/// them.
pub fn fields<'n>(
    left: &'n Node,
    right: &'n Node,
    renamed: &BTreeMap<&str, &str>,
) -> Vec<Change<'n>> {
    let mut walk = Walk {
        renamed,
        path: Path::default(),
        position: Position::default(),
        found: Vec::new(),
    };
    walk.compare(Some(left), Some(right));
    walk.found
}

struct Walk<'n, 'r> {
    renamed: &'r BTreeMap<&'r str, &'r str>,
    path: Path,
    position: Position,
    found: Vec<Change<'n>>,
}

impl<'n> Walk<'n, '_> {
    fn compare(&mut self, left: Option<&'n Node>, right: Option<&'n Node>) {
        let outer = self.position;
        let nodes = [right, left].into_iter().flatten();
        let mut positions = nodes.map(|node| node.position);
        self.position = positions
            .find(|position| position.line > 0)
            .unwrap_or(outer);
        match (left, right) {
            (Some(left), Some(right)) => self.both(left, right),
            _ => self.note(left, right),
        }
        self.position = outer;
    }

    fn both(&mut self, left: &'n Node, right: &'n Node) {
        match (&left.data, &right.data) {
            (Data::Scalar(text), Data::Scalar(other)) => {
                let is_renamed = self.renamed.get(other.as_str()).copied() == Some(text.as_str());
                if !is_renamed && (text != other || left.tag != right.tag) {
                    self.note(Some(left), Some(right));
                }
            }
            (Data::Mapping(entries), Data::Mapping(others)) => {
                for (key, value) in others {
                    let name = key.to_text().unwrap_or_default();
                    self.step(Step::Key(name.clone()), left.get(&name), Some(value));
                }
                for (key, value) in entries {
                    let name = key.to_text().unwrap_or_default();
                    if right.get(&name).is_none() {
                        self.step(Step::Key(name), Some(value), None);
                    }
                }
            }
            (Data::Sequence(items), Data::Sequence(others)) => self.items(items, others),
            (Data::Alias(name), Data::Alias(other)) if name == other => {}
            _ => self.note(Some(left), Some(right)),
        }
    }

    /// Items are told apart by their names where their number changes, else by their order.
    fn items(&mut self, lefts: &'n [Node], rights: &'n [Node]) {
        if lefts.len() == rights.len() || !(are_named(lefts) && are_named(rights)) {
            for index in 0..lefts.len().max(rights.len()) {
                self.step(Step::Index(index), lefts.get(index), rights.get(index));
            }
            return;
        }
        let named =
            |items: &'n [Node], name: Option<&str>| items.iter().find(|item| name_of(item) == name);
        for (index, item) in rights.iter().enumerate() {
            self.step(Step::Index(index), named(lefts, name_of(item)), Some(item));
        }
        for (index, item) in lefts.iter().enumerate() {
            if named(rights, name_of(item)).is_none() {
                self.step(Step::Index(index), Some(item), None);
            }
        }
    }

    fn step(&mut self, step: Step, left: Option<&'n Node>, right: Option<&'n Node>) {
        self.path.0.push(step);
        self.compare(left, right);
        self.path.0.pop();
    }

    fn note(&mut self, left: Option<&'n Node>, right: Option<&'n Node>) {
        self.found.push(Change {
            field: self.path.clone(),
            left,
            right,
            position: self.position,
        });
    }
}

fn name_of(item: &Node) -> Option<&str> {
    item.get("name").and_then(Node::as_str)
}

fn are_named(items: &[Node]) -> bool {
    let mut names: Vec<Option<&str>> = items.iter().map(name_of).collect();
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    names.len() == count && names.first().is_none_or(Option::is_some)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Node {
        goyaml::parse(text.as_bytes(), &goyaml::Limits::default())
            .unwrap()
            .unwrap()
    }

    #[track_caller]
    fn check(left: &str, right: &str, expected: &[&str]) {
        let (left, right) = (read(left), read(right));
        let found = fields(&left, &right, &[("new", "old")].into());
        let found: Vec<String> = found
            .iter()
            .map(|change| {
                let sign = match (change.left, change.right) {
                    (None, _) => '+',
                    (_, None) => '-',
                    _ => '~',
                };
                format!("{sign}{} {}", change.field, change.position.line)
            })
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn fields_that_differ() {
        check("a: {b: 1, c: x}\n", "a: {b: 1, c: x}\n", &[]);
        check(
            "a:\n  b: 1\n  c: x\n",
            "a:\n  b: 2\n  d: x\n",
            &["~a.b 2", "+a.d 3", "-a.c 3"],
        );
        check("a: 1\n", "a: '1'\n", &["~a 1"]);
        check("a: [x, y]\n", "a: [x, z, q]\n", &["~a.1 1", "+a.2 1"]);
        check("a: old\n", "a: new\n", &[]);
        check("a: new\n", "a: old\n", &["~a 1"]);
    }

    #[test]
    fn items_with_names_are_known_by_them() {
        check(
            "a: [{name: x, v: 1}, {name: y, v: 1}]\n",
            "a: [{name: w}, {name: x, v: 1}, {name: y, v: 2}]\n",
            &["+a.0 1", "~a.2.v 1"],
        );
        check(
            "a: [{name: x}, {name: y}]\n",
            "a: [{name: y}]\n",
            &["-a.0 1"],
        );
    }
}
