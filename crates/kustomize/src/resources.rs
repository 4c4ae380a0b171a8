//! The ordered collection of a build's resources, and the rules for adding to it.

mod index;

use std::cell::RefCell;

use goyaml::{Position, Text};

use crate::error::{Error, Result};
use crate::id::ResId;
use crate::meant;
use crate::origin;
use crate::resource::{Behavior, PreviousId, Resource};
use crate::selector::CompiledSelector;
use crate::threads::{self, Threads};
use index::{Ids, Names};

/// What is said of two resources of one id.
pub(crate) const ALREADY_THERE: &str =
    "a resource with the same kind, name and namespace is already there";

/// Up to how many resources are looked at one by one rather than through an index.
const FEW: usize = 8;

/// Resources in the order in which they were loaded; no two have the same id.
#[derive(Clone, Debug, Default)]
pub struct Resources {
    list: Vec<Resource>,
    /// Whether two have the same id, as long as no more than single resources have changed since that was looked at.
    ids: Option<Ids>,
    /// Where a name is, as long as no more than single resources have changed since that was looked at.
    names: RefCell<Option<Names>>,
    /// Whether something that may rename resources has run since it was made sure that no two have the same id.
    may_have_twins: bool,
}

/// Resources whose change is worth a thing for a thread to do.
const WORTH_A_THING: usize = 16;

/// What has stayed as it was while resources were changed.
struct Kept {
    /// Their ids.
    ids: bool,
    /// All names that they have, or had.
    names: bool,
}

impl Kept {
    const fn all() -> Self {
        Self {
            ids: true,
            names: true,
        }
    }

    /// Notes what has changed of a resource that was something before, and other things before that.
    fn note(&mut self, id: &ResId, previous: &[PreviousId], resource: &Resource) {
        self.ids &= resource.id() == id;
        let had = |name: &Text| *name == id.name || previous.iter().any(|one| one.name == *name);
        let mut names = resource.notes.previous.iter().map(|one| &one.name);
        self.names &= had(resource.name()) && names.all(had);
    }
}

/// What two ids have alike that are the same.
pub(crate) type Key = (Text, Text, Text, Text, Text);

impl Resources {
    /// An empty collection.
    pub const fn new() -> Self {
        Self {
            list: Vec::new(),
            ids: None,
            names: RefCell::new(None),
            may_have_twins: false,
        }
    }

    /// Notes that resources may have been renamed, and with that have become alike.
    pub(crate) const fn note_renaming(&mut self) {
        self.may_have_twins = true;
    }

    /// Whether [`Self::note_renaming`] has been called since ids were checked.
    pub(crate) const fn may_have_twins(&self) -> bool {
        self.may_have_twins
    }

    /// The resources.
    pub fn as_slice(&self) -> &[Resource] {
        &self.list
    }

    /// The resources, to change all of them; [`Self::get_mut`] is for single ones.
    pub fn as_mut_slice(&mut self) -> &mut [Resource] {
        self.forget();
        &mut self.list
    }

    /// The resources as a list, to add to, take from and reorder without any check.
    pub fn as_mut_vec(&mut self) -> &mut Vec<Resource> {
        self.forget();
        &mut self.list
    }

    /// One resource, to change. What is known of all others stays known, so that many changes of single resources take
    /// no time for those that do not change.
    pub fn get_mut(&mut self, index: usize) -> Option<&mut Resource> {
        if let Some(ids) = &mut self.ids {
            ids.may_change(index);
        }
        if let Some(names) = self.names.get_mut() {
            names.may_change(index);
        }
        self.list.get_mut(index)
    }

    /// Changes each resource by itself, on as many threads as is worth it. Every part of the list has a state of its own
    /// while it is gone through; returned are the last ones, in order.
    ///
    /// What is known of the ids and names stays known where none has changed.
    pub(crate) fn change_each<S: Send>(
        &mut self,
        threads: Threads,
        begin: impl Fn() -> S + Sync,
        change: impl Fn(&mut S, &mut Resource) + Sync,
    ) -> Vec<S> {
        let threads = threads.worth(self.list.len() / WORTH_A_THING);
        let is_known = self.ids.is_some() || self.names.get_mut().is_some();
        let change_part = |part: &mut [Resource]| {
            let mut state = begin();
            let mut kept = Kept::all();
            for resource in part {
                let before =
                    is_known.then(|| (resource.id().clone(), resource.notes.previous.clone()));
                change(&mut state, resource);
                // It is asked for soon, and found faster while the object is at hand.
                resource.id();
                if let Some((id, previous)) = before {
                    kept.note(&id, &previous, resource);
                }
            }
            (state, kept)
        };
        let parts = threads::map_parts(&mut self.list, threads, change_part);
        if !parts.iter().all(|(_, kept)| kept.ids) {
            self.ids = None;
        }
        if !parts.iter().all(|(_, kept)| kept.names) {
            *self.names.get_mut() = None;
        }
        parts.into_iter().map(|(state, _)| state).collect()
    }

    fn forget(&mut self) {
        self.ids = None;
        *self.names.get_mut() = None;
    }

    /// Iterates over the resources.
    pub fn iter(&self) -> std::slice::Iter<'_, Resource> {
        self.list.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Makes room for so many more.
    pub(crate) fn reserve(&mut self, more: usize) {
        self.list.reserve(more);
    }

    /// Adds a resource whose id must be new.
    ///
    /// # Errors
    /// Where a resource with this id is there.
    pub fn append(&mut self, resource: Resource) -> Result<()> {
        let known = if self.may_have(resource.id()) {
            let mut known = self.list.iter();
            known.find(|known| known.id().is_same(resource.id()))
        } else {
            None
        };
        let Some(known) = known else {
            self.push(resource);
            return Ok(());
        };
        let first = known.node().position;
        Err(Error::new(ALREADY_THERE)
            .position(resource.node().position)
            .related("the other one stands at", first)
            .resource(resource.id())
            .hint("remove one of the two, or give it another name or namespace"))
    }

    /// Whether a resource with this id may be there; never said falsely that there is none.
    fn may_have(&mut self, id: &ResId) -> bool {
        if self.list.len() < FEW {
            return true;
        }
        let list = &self.list;
        let ids = self.ids.get_or_insert_with(|| Ids::of(list));
        ids.may_have(id, list)
    }

    fn push(&mut self, resource: Resource) {
        if let Some(ids) = &mut self.ids {
            ids.push(resource.id());
        }
        if let Some(names) = self.names.get_mut() {
            names.may_change(self.list.len());
        }
        self.list.push(resource);
    }

    /// Adds resources whose ids must be new.
    ///
    /// # Errors
    /// At the first that is not.
    pub fn append_all(&mut self, resources: impl IntoIterator<Item = Resource>) -> Result<()> {
        resources
            .into_iter()
            .try_for_each(|resource| self.append(resource))
    }

    /// Adds a generated resource by its behavior: creates, replaces or merges.
    ///
    /// # Errors
    /// Where the behavior does not fit what is there.
    // kustomize: resWrangler.appendReplaceOrMerge
    pub fn absorb(&mut self, mut resource: Resource) -> Result<()> {
        let id = resource.id().clone();
        let behavior = resource.notes.behavior.unwrap_or(Behavior::Unspecified);
        let matches = self.positions_by_any_id(&id.name, |known| known.is_same(&id));
        match (matches.as_slice(), behavior) {
            ([], Behavior::Merge | Behavior::Replace) => Err(Error::new(format!(
                "there is no resource that the generator could {}",
                behavior.word()
            ))
            .resource(&id)
            .hint(self.meant_by_generator(&id).unwrap_or_else(|| {
                "generate it with `behavior: create`, or add the base that has it".to_owned()
            }))),
            ([], Behavior::Create | Behavior::Unspecified) => self.append(resource),
            ([index], Behavior::Replace | Behavior::Merge) => {
                let Some(old) = self.get_mut(*index) else {
                    return Ok(());
                };
                if behavior == Behavior::Merge {
                    crate::generators::merge_data(&mut resource, old)?;
                }
                resource.inherit_metadata(old);
                if behavior == Behavior::Merge {
                    origin::inherit(&mut resource, old)?;
                    resource.notices.append(&mut old.notices);
                }
                *old = resource;
                Ok(())
            }
            ([index], Behavior::Create | Behavior::Unspecified) => Err(Error::new(
                "the generator would create a resource that is already there",
            )
            .related("the other one stands at", self.place(*index))
            .resource(&id)
            .hint("set `behavior: merge` or `behavior: replace` in the generator")),
            (_, _) => Err(Error::new(format!(
                "several resources could be {}d with the generated one",
                behavior.word()
            ))
            .resource(&id)
            .hint("give the generator the namespace of the one that is meant")),
        }
    }

    /// What to do about a generator that finds nothing.
    fn meant_by_generator(&self, id: &ResId) -> Option<String> {
        let same_name = |known: &ResId| known.name == id.name && known.gvk.group.is_empty();
        let in_namespace = |known: &ResId| same_name(known) && id.is_in_namespace_of(known);
        let other_kind = |known: &ResId| {
            let field = match known.gvk.kind.as_str() {
                "ConfigMap" => "configMapGenerator",
                "Secret" => "secretGenerator",
                _ => return None,
            };
            (in_namespace(known) && known.gvk.kind != id.gvk.kind)
                .then(|| format!("there is {known}: list the generator under `{field}`"))
        };
        let other_namespace = |known: &ResId| {
            let is_meant = same_name(known) && known.gvk.kind == id.gvk.kind;
            (is_meant && !known.namespace.is_empty()).then(|| {
                format!(
                    "there is {known}: add `namespace: {}` to the generator",
                    known.namespace
                )
            })
        };
        let mut ids = self.list.iter().map(Resource::id);
        ids.clone()
            .find_map(other_namespace)
            .or_else(|| ids.find_map(other_kind))
            .or_else(|| meant::hint(id, self))
    }

    /// Positions of the resources of which any id, today's or a previous one, has the name and passes the test.
    pub fn positions_by_any_id(&self, name: &str, test: impl Fn(&ResId) -> bool) -> Vec<usize> {
        self.positions_named(name, |resource| {
            resource.has_had_name(name)
                && !resource.is_empty()
                && resource.any_id(|id| id.name == name && test(id))
        })
    }

    /// Positions of the resources that a selector selects, by what they are or were at first.
    pub(crate) fn positions_selected(&self, selector: &CompiledSelector) -> Vec<usize> {
        self.positions_of(selector.literal_name(), |resource| {
            selector.matches(resource)
        })
    }

    /// Positions of the resources that pass the test; with a name, of those that have or had it.
    pub(crate) fn positions_of(
        &self,
        name: Option<&str>,
        test: impl Fn(&Resource) -> bool,
    ) -> Vec<usize> {
        if let Some(name) = name {
            let has_name = |resource: &Resource| resource.has_had_name(name) && test(resource);
            return self.positions_named(name, has_name);
        }
        let all = self.list.iter().enumerate();
        let found = all.filter(|(_, resource)| test(resource));
        found.map(|(index, _)| index).collect()
    }

    /// The one resource that is or was `id`.
    ///
    /// # Errors
    /// Where there is none, or more than one.
    // kustomize: resWrangler.GetById
    pub fn position_of(&self, id: &ResId) -> Result<usize> {
        match self
            .positions_by_any_id(&id.name, |known| known.is_same(id))
            .as_slice()
        {
            [index] => Ok(*index),
            [] => Err(Error::new(format!("no resource matches {id}"))),
            several => {
                let places = several.iter().map(|index| self.place(*index));
                Err(Error::new(format!("several resources match {id}"))
                    .related_to_each("one stands at", places)
                    .hint("give all but one of them another name, or a namespace"))
            }
        }
    }

    /// Takes away resources of which nothing is left.
    pub fn drop_empty(&mut self) {
        if self.list.iter().any(Resource::is_empty) {
            self.as_mut_vec().retain(|resource| !resource.is_empty());
        }
    }

    /// Takes away those of some resources of which nothing is left; their positions are in order.
    pub(crate) fn drop_empty_of(&mut self, positions: &[usize]) {
        for &index in positions.iter().rev() {
            if self.list.get(index).is_some_and(Resource::is_empty) {
                self.list.remove(index);
                if let Some(ids) = &mut self.ids {
                    ids.remove(index);
                }
                if let Some(names) = self.names.get_mut() {
                    names.remove(index);
                }
            }
        }
    }

    /// Makes sure that no two resources have the same id.
    ///
    /// # Errors
    /// At the first that repeats one.
    pub fn check_unique(&mut self) -> Result<()> {
        self.may_have_twins = false;
        let list = &self.list;
        let ids = self.ids.get_or_insert_with(|| Ids::of(list));
        if ids.are_unique(list) {
            return Ok(());
        }
        let list = std::mem::take(self.as_mut_vec());
        self.append_all(list)
    }

    /// The resource at a position.
    pub fn get(&self, index: usize) -> Option<&Resource> {
        self.list.get(index)
    }

    /// Where a resource stands in its file.
    pub(crate) fn place(&self, index: usize) -> Position {
        let resource = self.list.get(index);
        resource
            .map(|resource| resource.node().position)
            .unwrap_or_default()
    }

    /// Positions of the resources that pass a test, which none passes that never had the name.
    fn positions_named(&self, name: &str, test: impl Fn(&Resource) -> bool) -> Vec<usize> {
        let passes = |index: &usize| self.list.get(*index).is_some_and(&test);
        if self.list.len() <= FEW {
            return (0..self.list.len()).filter(passes).collect();
        }
        let mut names = self.names.borrow_mut();
        let names = names.get_or_insert_with(|| Names::of(&self.list));
        let positions = names.positions(name, &self.list).iter().copied();
        positions.filter(passes).collect()
    }
}

impl<'a> IntoIterator for &'a Resources {
    type Item = &'a Resource;
    type IntoIter = std::slice::Iter<'a, Resource>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// As [`ResId::is_same`] compares.
pub(crate) fn key(id: &ResId) -> Key {
    let ResId {
        gvk,
        name,
        namespace: _,
        cluster_scoped: _,
    } = id;
    (
        gvk.group.clone(),
        gvk.version.clone(),
        gvk.kind.clone(),
        name.clone(),
        id.effective_namespace().into(),
    )
}
