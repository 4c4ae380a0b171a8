//! Lists of field specs as many objects go through them: which of them are for a kind is found out once, and what an
//! object has in common on the ways to its fields is walked once.

mod tree;

use std::collections::BTreeSet;
use std::ops::Deref;
use std::sync::{Arc, PoisonError, RwLock};

use goyaml::{Node, Text};
use indexmap::{Equivalent, IndexMap};

use crate::error::Result;
use crate::field_spec::{self, Create, FieldSpec};
use crate::metadata;
use tree::Tree;

/// Of how many kinds a list keeps what is for them, and how many field specs that may be: a repository may have as many kinds
/// as objects, and the built-in lists are those of all builds of a process.
const MOST_KINDS: usize = 256;
const MOST_KEPT: usize = 1 << 14;

/// Field specs, in the order in which they are applied. A clone costs nothing, and knows what is found out later.
#[derive(Clone, Debug, Default)]
pub(crate) struct FieldSpecs(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    list: Vec<FieldSpec>,
    /// What is for the kinds that have been asked for.
    of_kinds: RwLock<IndexMap<Kind, Arc<Covering>>>,
}

/// apiVersion and kind.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Kind(Text, Text);

/// The same, of an object at hand.
#[derive(Hash)]
struct KindOf<'a>(&'a str, &'a str);

impl Equivalent<Kind> for KindOf<'_> {
    fn equivalent(&self, key: &Kind) -> bool {
        self.0 == key.0 && self.1 == key.1
    }
}

/// The field specs of a list that cover the objects of one kind.
#[derive(Debug)]
pub(crate) struct Covering {
    specs: Vec<FieldSpec>,
    /// All of them as one, where that comes to the same.
    tree: Option<Tree>,
}

impl Deref for Covering {
    type Target = [FieldSpec];

    fn deref(&self) -> &[FieldSpec] {
        &self.specs
    }
}

impl Covering {
    /// Field specs that cover the objects for which they are asked.
    pub(crate) fn new(specs: Vec<FieldSpec>) -> Self {
        Self {
            tree: Tree::of(&specs),
            specs,
        }
    }

    /// Whether an object goes through them together.
    pub(crate) const fn is_one_walk(&self) -> bool {
        self.tree.is_some()
    }

    /// Whether the path of one leads through the end of another's.
    pub(crate) fn is_one_within_another(&self) -> bool {
        let ends: BTreeSet<&str> = self.specs.iter().map(|spec| spec.path.as_str()).collect();
        self.specs.iter().any(|spec| {
            let slashes = memchr::memchr_iter(b'/', spec.path.as_bytes());
            let mut through = slashes.filter_map(|slash| spec.path.get(..slash));
            through.any(|way| ends.contains(way))
        })
    }

    /// Calls `set` on every node that the path of one of them leads to, with its number. What is done at one node is done
    /// in the order of the field specs; at several, it may be in another.
    ///
    /// # Errors
    /// As for [`FieldSpec::apply`]; of several, the one of the first field spec.
    pub(crate) fn apply(
        &self,
        object: &mut Node,
        create: Create,
        set: &mut dyn FnMut(usize, &FieldSpec, &mut Node) -> Result<()>,
    ) -> Result<()> {
        let Some(tree) = &self.tree else {
            let mut specs = self.specs.iter().enumerate();
            return specs.try_for_each(|(index, spec)| {
                spec.apply_to_covered(object, create, &mut |node| set(index, spec, node))
            });
        };
        let of = |index: usize| self.specs.get(index);
        let mut set =
            |index, node: &mut Node| of(index).map_or(Ok(()), |spec| set(index, spec, node));
        let applied = tree.apply(object, create, &mut set);
        applied.map_err(|(index, error)| {
            let path = of(index).map_or("", |spec| &spec.path);
            error.field(path)
        })
    }
}

impl FieldSpecs {
    /// The field specs, to change.
    pub(crate) fn edit(&mut self) -> &mut Vec<FieldSpec> {
        let inner = Arc::make_mut(&mut self.0);
        inner.of_kinds = RwLock::default();
        &mut inner.list
    }

    /// Adds field specs that are not there yet.
    ///
    /// # Errors
    /// Where the same field is there with another `create`.
    pub(crate) fn merge(&mut self, incoming: &[FieldSpec]) -> Result<()> {
        if incoming.is_empty() {
            return Ok(());
        }
        field_spec::merge(self.edit(), incoming)
    }

    /// Those that cover an object.
    pub(crate) fn of(&self, object: &Node) -> Arc<Covering> {
        let kind = metadata::top_field(object, "kind");
        let api_version = metadata::top_field(object, "apiVersion");
        let of_kinds = self.0.of_kinds.read();
        let of_kinds = of_kinds.unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = of_kinds.get(&KindOf(api_version, kind)) {
            return Arc::clone(found);
        }
        drop(of_kinds);
        let list = self.0.list.iter();
        let covering = list.filter(|spec| spec.is_of(kind, || api_version));
        let specs: Vec<FieldSpec> = covering.cloned().collect();
        let of_kinds = self.0.of_kinds.write();
        let mut of_kinds = of_kinds.unwrap_or_else(PoisonError::into_inner);
        let kept: usize = of_kinds.values().map(|covering| covering.len()).sum();
        if of_kinds.len() >= MOST_KINDS || kept + specs.len() > MOST_KEPT {
            // A tree that nobody else goes through is not worth it.
            return Arc::new(Covering { specs, tree: None });
        }
        let found = Arc::new(Covering::new(specs));
        let kind = Kind(api_version.into(), kind.into());
        of_kinds.insert(kind, Arc::clone(&found));
        found
    }
}

impl Clone for Inner {
    fn clone(&self) -> Self {
        Self::from(self.list.clone())
    }
}

impl From<Vec<FieldSpec>> for Inner {
    fn from(list: Vec<FieldSpec>) -> Self {
        Self {
            list,
            of_kinds: RwLock::default(),
        }
    }
}

impl From<Vec<FieldSpec>> for FieldSpecs {
    fn from(list: Vec<FieldSpec>) -> Self {
        Self(Arc::new(list.into()))
    }
}

impl Deref for FieldSpecs {
    type Target = [FieldSpec];

    fn deref(&self) -> &[FieldSpec] {
        &self.0.list
    }
}

impl PartialEq for FieldSpecs {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.list == other.0.list
    }
}

impl Eq for FieldSpecs {}

#[cfg(test)]
mod tests {
    use goyaml::Limits;

    use super::*;
    use crate::id::Gvk;

    fn object(api_version: &str, kind: &str) -> Node {
        let text = format!("apiVersion: {api_version}\nkind: {kind}\n");
        let parsed = goyaml::parse(text.as_bytes(), &Limits::default());
        parsed.unwrap().unwrap()
    }

    fn spec(kind: &str, path: &str) -> FieldSpec {
        FieldSpec {
            gvk: Gvk::new("apps/v1", kind),
            path: path.into(),
            create: false,
        }
    }

    #[test]
    fn each_kind_has_those_that_cover_it_before_and_after_a_change() {
        let mut specs = FieldSpecs::from(vec![spec("A", "a"), spec("", "b"), spec("B", "c")]);
        let paths = |specs: &FieldSpecs, api_version: &str, kind: &str| {
            let found = specs.of(&object(api_version, kind));
            let paths: Vec<String> = found.iter().map(|spec| spec.path.to_string()).collect();
            paths.join(" ")
        };
        let same = specs.clone();
        for _ in 0..2 {
            assert_eq!(paths(&specs, "apps/v1", "A"), "a b");
            assert_eq!(paths(&specs, "apps/v1", "B"), "b c");
            assert_eq!(paths(&specs, "v1", "A"), "");
        }
        specs.merge(&[spec("A", "d")]).unwrap();
        assert_eq!(paths(&specs, "apps/v1", "A"), "a b d");
        assert_eq!(paths(&same, "apps/v1", "A"), "a b");
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let specs = FieldSpecs::from(vec![spec("", "a")]);
        for kind in 0..2 * MOST_KINDS {
            assert_eq!(specs.of(&object("apps/v1", &format!("K{kind}"))).len(), 1);
        }
        assert_eq!(specs.0.of_kinds.read().unwrap().len(), MOST_KINDS);
        let many = (0..MOST_KEPT / 4).map(|number| spec("", &format!("a{number}")));
        let specs = FieldSpecs::from(many.collect::<Vec<_>>());
        for kind in 0..8 {
            let found = specs.of(&object("apps/v1", &format!("K{kind}")));
            assert_eq!(found.len(), MOST_KEPT / 4);
        }
        assert_eq!(specs.0.of_kinds.read().unwrap().len(), 4);
    }

    #[test]
    fn a_path_may_be_within_another() {
        let is_so = |paths: &[&str]| {
            let specs: Vec<_> = paths.iter().map(|path| spec("", path)).collect();
            Covering::new(specs).is_one_within_another()
        };
        assert!(is_so(&["a/b", "c", "a"]));
        assert!(!is_so(&["a/b", "ab/c", "a-", "a/c"]));
    }
}
