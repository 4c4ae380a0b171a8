//! What finds resources again without a look at all of them: by names, and by whole ids.
//!
//! Both are made when they are first asked, and then follow what changes: a change of one resource costs no more than
//! looking at that one.

use std::hash::{BuildHasherDefault, DefaultHasher, Hash as _, Hasher};

use goyaml::Text;
use indexmap::IndexMap;

use crate::id::ResId;
use crate::resource::Resource;

/// Where the resources are that have, or had, a name. A position may be there of a resource that has lost the name with
/// all memory of it, so that whoever asks has to look.
#[derive(Clone, Debug)]
pub(super) struct Names {
    positions: IndexMap<Text, Vec<usize>>,
    stale: Vec<usize>,
}

/// How many resources have the same id, by a number made of the id.
#[derive(Clone, Debug)]
pub(super) struct Ids {
    /// The number of each resource.
    numbers: Vec<u64>,
    counts: IndexMap<u64, usize, BuildHasherDefault<Number>>,
    /// How many resources have the number of another one before them.
    repeated: usize,
    stale: Vec<usize>,
}

impl Names {
    pub(super) fn of(list: &[Resource]) -> Self {
        let mut names = Self {
            positions: IndexMap::with_capacity(list.len()),
            stale: Vec::new(),
        };
        for (index, resource) in list.iter().enumerate() {
            names.note(index, resource);
        }
        names
    }

    /// Says that a resource may get other names.
    pub(super) fn may_change(&mut self, index: usize) {
        if self.stale.last() != Some(&index) {
            self.stale.push(index);
        }
    }

    /// The positions for a name, in order.
    pub(super) fn positions(&mut self, name: &str, list: &[Resource]) -> &[usize] {
        for index in std::mem::take(&mut self.stale) {
            if let Some(resource) = list.get(index) {
                self.note(index, resource);
            }
        }
        self.positions.get(name).map_or(&[], Vec::as_slice)
    }

    fn note(&mut self, index: usize, resource: &Resource) {
        let previous = resource.notes.previous.iter();
        let mut last = resource.name();
        self.add(last, index);
        for name in previous.map(|previous| &previous.name) {
            if name != last {
                self.add(name, index);
            }
            last = name;
        }
    }

    fn add(&mut self, name: &Text, index: usize) {
        let Some(positions) = self.positions.get_mut(name) else {
            self.positions.insert(name.clone(), vec![index]);
            return;
        };
        if positions.last().is_none_or(|last| *last < index) {
            positions.push(index);
        } else if let Err(place) = positions.binary_search(&index) {
            positions.insert(place, index);
        }
    }

    /// Follows the removal of a resource.
    pub(super) fn remove(&mut self, index: usize) {
        let below = |position: usize| match position.cmp(&index) {
            std::cmp::Ordering::Less => Some(position),
            std::cmp::Ordering::Equal => None,
            std::cmp::Ordering::Greater => Some(position - 1),
        };
        for positions in self.positions.values_mut().chain([&mut self.stale]) {
            // Most names are those of one resource.
            if positions.iter().any(|position| *position >= index) {
                *positions = positions.iter().copied().filter_map(below).collect();
            }
        }
    }
}

impl Ids {
    pub(super) fn of(list: &[Resource]) -> Self {
        let mut ids = Self {
            numbers: Vec::with_capacity(list.len()),
            counts: IndexMap::with_capacity_and_hasher(list.len(), BuildHasherDefault::new()),
            repeated: 0,
            stale: Vec::new(),
        };
        for resource in list {
            ids.push(resource.id());
        }
        ids
    }

    /// Says that a resource may get another id.
    pub(super) fn may_change(&mut self, index: usize) {
        if self.stale.last() != Some(&index) {
            self.stale.push(index);
        }
    }

    /// Adds the id of a resource that comes behind all others.
    pub(super) fn push(&mut self, id: &ResId) {
        let number = number(id);
        self.numbers.push(number);
        self.count(number);
    }

    /// Whether any resource may have this id; where it is said that none has, none has.
    pub(super) fn may_have(&mut self, id: &ResId, list: &[Resource]) -> bool {
        self.settle(list);
        self.counts.contains_key(&number(id))
    }

    /// Whether no two resources have the same id; two different ones may, very rarely, be taken for one.
    pub(super) fn are_unique(&mut self, list: &[Resource]) -> bool {
        self.settle(list);
        self.repeated == 0
    }

    /// Follows the removal of a resource.
    pub(super) fn remove(&mut self, index: usize) {
        if index < self.numbers.len() {
            let number = self.numbers.remove(index);
            self.discount(number);
        }
        self.stale.retain(|stale| *stale != index);
        for stale in &mut self.stale {
            if *stale > index {
                *stale -= 1;
            }
        }
    }

    fn settle(&mut self, list: &[Resource]) {
        for index in std::mem::take(&mut self.stale) {
            let (Some(resource), Some(known)) = (list.get(index), self.numbers.get_mut(index))
            else {
                continue;
            };
            let now = number(resource.id());
            let before = std::mem::replace(known, now);
            if before != now {
                self.discount(before);
                self.count(now);
            }
        }
    }

    fn count(&mut self, number: u64) {
        let count = self.counts.entry(number).or_default();
        *count += 1;
        if *count > 1 {
            self.repeated += 1;
        }
    }

    fn discount(&mut self, number: u64) {
        if let Some(count) = self.counts.get_mut(&number) {
            *count -= 1;
            if *count > 0 {
                self.repeated -= 1;
            } else {
                self.counts.swap_remove(&number);
            }
        }
    }
}

/// The hash of a number that is a hash already.
#[derive(Default)]
struct Number(u64);

impl Hasher for Number {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

/// A number that is the same for ids that are the same, as [`ResId::is_same`] compares.
fn number(id: &ResId) -> u64 {
    let ResId {
        gvk,
        name,
        namespace: _,
        cluster_scoped: _,
    } = id;
    let mut hasher = DefaultHasher::new();
    (gvk, name, id.effective_namespace()).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use goyaml::{Limits, Node};

    use super::*;
    use crate::resources::Resources;
    use crate::threads::Threads;

    fn resource(name: &str) -> Resource {
        let text = format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\n");
        let parsed = goyaml::parse(text.as_bytes(), &Limits::default());
        Resource::new(parsed.unwrap().unwrap_or_else(Node::null))
    }

    #[test]
    fn names_and_ids_follow_changes_and_removals() {
        let mut list: Vec<Resource> = ["a", "b", "c"].map(resource).into();
        let (mut names, mut ids) = (Names::of(&list), Ids::of(&list));
        assert!(ids.are_unique(&list));
        list[2].remember_id();
        list[2].set_name("b");
        names.may_change(2);
        ids.may_change(2);
        assert_eq!(names.positions("b", &list), [1, 2]);
        assert_eq!(names.positions("c", &list), [2]);
        assert!(!ids.are_unique(&list));
        list.remove(1);
        names.remove(1);
        ids.remove(1);
        assert_eq!(names.positions("b", &list), [1]);
        assert_eq!(names.positions("c", &list), [1]);
        assert!(ids.are_unique(&list));
        assert!(ids.may_have(list[1].id(), &list) && !ids.may_have(resource("c").id(), &list));
    }

    #[test]
    fn what_is_known_follows_changes_of_each() {
        let mut resources = Resources::new();
        for number in 0..20 {
            resources.append(resource(&format!("n{number}"))).unwrap();
        }
        let found =
            |resources: &Resources, name: &str| resources.positions_by_any_id(name, |_| true);
        assert_eq!(found(&resources, "n3"), [3]);
        resources.check_unique().unwrap();
        let change = |resources: &mut Resources, change: fn(&mut Resource)| {
            resources.change_each(Threads::One, || (), |(), resource| change(resource));
        };
        change(&mut resources, |resource| {
            resource.node_mut().set("data", Node::null());
        });
        assert_eq!(found(&resources, "n3"), [3]);
        resources.check_unique().unwrap();
        change(&mut resources, |resource| {
            if resource.name() == "n3" {
                resource.remember_id();
                resource.set_name("n4");
            }
        });
        assert_eq!(found(&resources, "n3"), [3]);
        assert_eq!(found(&resources, "n4"), [3, 4]);
        assert!(resources.check_unique().is_err());
    }
}
