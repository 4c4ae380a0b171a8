//! Lists of field specs as many objects go through them.
//!
//! Of the built-in lists, which most builds use alone, it is found out once which field specs are for a kind, and an object
//! walks the ways that they have in common once. Lists of a repository's own are gone through one after the other, and of
//! them nothing is kept.

mod tree;

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::{Arc, PoisonError, RwLock};

use goyaml::Node;

use crate::error::Result;
use crate::field_spec::{self, Create, FieldSpec};
use crate::metadata;
use tree::Tree;

/// Of how many kinds a built-in list keeps what is for them, and how long their names may be: a repository may have as many
/// kinds as objects, and these lists are those of all builds of a process.
const MOST_KINDS: usize = 256;
const MOST_BYTES: usize = 256;

/// Field specs, in the order in which they are applied. A clone costs nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct FieldSpecs(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    list: Vec<FieldSpec>,
    /// What is known of the kinds that have been asked for; nothing where that is not kept.
    kinds: Option<RwLock<Kinds>>,
}

/// The field specs of a list that are for a kind, by kind and apiVersion.
type Kinds = BTreeMap<String, BTreeMap<String, Arc<Ways<FieldSpec>>>>;

/// The field specs of a list that cover an object.
pub(crate) enum Covering<'a> {
    /// As they are known of its kind.
    Known(Arc<Ways<FieldSpec>>),
    /// As they were found for it.
    Found(Ways<&'a FieldSpec>),
}

/// Field specs that all cover the same objects, and their ways through these.
#[derive(Debug)]
pub(crate) struct Ways<S> {
    specs: Vec<S>,
    /// All of them as one, where that comes to the same.
    tree: Option<Tree>,
}

impl<S: Borrow<FieldSpec>> Ways<S> {
    /// Field specs that objects go through in one walk where they can; that many objects do makes it worth finding out.
    pub(crate) fn together(specs: Vec<S>) -> Self {
        Self {
            tree: Tree::of(&specs),
            specs,
        }
    }

    /// Field specs that objects go through one after the other.
    pub(crate) const fn one_by_one(specs: Vec<S>) -> Self {
        Self { specs, tree: None }
    }

    /// How many field specs there are.
    pub(crate) const fn len(&self) -> usize {
        self.specs.len()
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
                let spec = spec.borrow();
                spec.apply_to_covered(object, create, &mut |node| set(index, spec, node))
            });
        };
        let of = |index: usize| self.specs.get(index).map(Borrow::borrow);
        let applied = tree.apply(object, create, &mut |index, node| {
            of(index).map_or(Ok(()), |spec| set(index, spec, node))
        });
        applied.map_err(|(index, error)| {
            let path = of(index).map_or("", |spec| &spec.path);
            error.field(path)
        })
    }
}

impl Covering<'_> {
    /// The field specs, in their order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &FieldSpec> + Clone {
        let (known, found) = match self {
            Self::Known(ways) => (ways.specs.as_slice(), Default::default()),
            Self::Found(ways) => (Default::default(), ways.specs.as_slice()),
        };
        known.iter().chain(found.iter().copied())
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Known(ways) => ways.len(),
            Self::Found(ways) => ways.len(),
        }
    }

    /// Whether an object goes through them in one walk.
    pub(crate) fn is_one_walk(&self) -> bool {
        match self {
            Self::Known(ways) => ways.tree.is_some(),
            Self::Found(ways) => ways.tree.is_some(),
        }
    }

    /// Whether one of them may change of which kind an object is, and with that, which field specs cover it.
    pub(crate) fn may_change_kind(&self) -> bool {
        // None that is built in does.
        matches!(self, Self::Found(ways) if ways.specs.iter().any(|spec| spec.may_change_kind()))
    }

    /// Whether the path of one leads through the end of another's.
    pub(crate) fn is_one_within_another(&self) -> bool {
        // In this order, what is behind a path comes right after it.
        let mut paths: Vec<&str> = self.iter().map(|spec| spec.path.as_str()).collect();
        paths.sort_unstable_by(|one, other| parts_first(one).cmp(parts_first(other)));
        let mut neighbours = paths.iter().zip(paths.iter().skip(1));
        neighbours.any(|(outer, inner)| {
            let rest = inner.strip_prefix(*outer);
            rest.is_some_and(|rest| rest.starts_with('/'))
        })
    }

    /// As [`Ways::apply`].
    ///
    /// # Errors
    /// As for [`Ways::apply`].
    pub(crate) fn apply(
        &self,
        object: &mut Node,
        create: Create,
        set: &mut dyn FnMut(usize, &FieldSpec, &mut Node) -> Result<()>,
    ) -> Result<()> {
        match self {
            Self::Known(ways) => ways.apply(object, create, set),
            Self::Found(ways) => ways.apply(object, create, set),
        }
    }
}

/// The bytes of a path, in an order in which the end of a part comes before everything else.
fn parts_first(path: &str) -> impl Iterator<Item = u16> {
    path.bytes().map(|byte| match byte {
        b'/' => 0,
        byte => u16::from(byte) + 1,
    })
}

impl FieldSpecs {
    /// Field specs that are built in. Of them it is kept what is for a kind.
    pub(crate) fn built_in(list: Vec<FieldSpec>) -> Self {
        Self(Arc::new(Inner {
            list,
            kinds: Some(RwLock::default()),
        }))
    }

    /// The field specs, to change.
    pub(crate) fn edit(&mut self) -> &mut Vec<FieldSpec> {
        let inner = Arc::make_mut(&mut self.0);
        // One that nobody else has is no copy.
        inner.kinds = None;
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
    pub(crate) fn of(&self, object: &Node) -> Covering<'_> {
        let kind = metadata::top_field(object, "kind");
        let api_version = metadata::top_field(object, "apiVersion");
        let list = self.0.list.iter();
        let covering = list.filter(|spec| spec.is_of(kind, || api_version));
        let find = || Covering::Found(Ways::one_by_one(covering.clone().collect()));
        let Some(kinds) = &self.0.kinds else {
            return find();
        };
        let known = kinds.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(ways) = known.get(kind).and_then(|of_kind| of_kind.get(api_version)) {
            return Covering::Known(Arc::clone(ways));
        }
        let count: usize = known.values().map(BTreeMap::len).sum();
        drop(known);
        if count >= MOST_KINDS || kind.len() + api_version.len() > MOST_BYTES {
            return find();
        }
        let ways = Arc::new(Ways::together(covering.clone().cloned().collect()));
        let mut known = kinds.write().unwrap_or_else(PoisonError::into_inner);
        let of_kind = known.entry(kind.to_owned()).or_default();
        of_kind.insert(api_version.to_owned(), Arc::clone(&ways));
        Covering::Known(ways)
    }
}

impl Clone for Inner {
    /// A copy to change, which is not the built-in list any more.
    fn clone(&self) -> Self {
        Self {
            list: self.list.clone(),
            kinds: None,
        }
    }
}

impl From<Vec<FieldSpec>> for FieldSpecs {
    fn from(list: Vec<FieldSpec>) -> Self {
        Self(Arc::new(Inner { list, kinds: None }))
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

    fn paths(specs: &FieldSpecs, api_version: &str, kind: &str) -> String {
        let object = object(api_version, kind);
        let found = specs.of(&object);
        let paths: Vec<&str> = found.iter().map(|spec| spec.path.as_str()).collect();
        paths.join(" ")
    }

    #[test]
    fn each_kind_has_those_that_cover_it_before_and_after_a_change() {
        let list = vec![spec("A", "a"), spec("", "b"), spec("B", "c")];
        for mut specs in [FieldSpecs::built_in(list.clone()), list.into()] {
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
    }

    #[test]
    fn what_is_kept_is_bounded_and_of_built_in_lists_alone() {
        let specs = FieldSpecs::built_in(vec![spec("", "a")]);
        let kept = |specs: &FieldSpecs| {
            let kinds = specs.0.kinds.as_ref().map(|kinds| kinds.read().unwrap());
            kinds.map(|kinds| kinds.values().map(BTreeMap::len).sum::<usize>())
        };
        let long = "K".repeat(MOST_BYTES);
        assert_eq!(paths(&specs, "apps/v1", &long), "a");
        assert_eq!(kept(&specs), Some(0));
        for kind in 0..2 * MOST_KINDS {
            assert_eq!(paths(&specs, "apps/v1", &format!("K{kind}")), "a");
        }
        assert_eq!(kept(&specs), Some(MOST_KINDS));
        let mut own = specs.clone();
        own.edit().push(spec("", "b"));
        assert_eq!(paths(&own, "apps/v1", "K"), "a b");
        assert_eq!(kept(&own), None);
        drop(own);
        let mut alone = specs;
        alone.edit().push(spec("", "b"));
        assert_eq!(paths(&alone, "apps/v1", "K1"), "a b");
    }

    #[test]
    fn a_path_may_be_within_another() {
        let is_so = |paths: &[&str]| {
            let specs: Vec<_> = paths.iter().map(|path| spec("", path)).collect();
            let specs = FieldSpecs::from(specs);
            specs.of(&object("apps/v1", "A")).is_one_within_another()
        };
        assert!(is_so(&["a/b", "c", "a", "a-c", "a"]));
        assert!(is_so(&["x", "a/b-/d", "a/b/c", "a/b-"]));
        assert!(!is_so(&["a/b", "ab/c", "a-", "a/c"]));
        assert!(!is_so(&["a", "a"]));
    }
}
