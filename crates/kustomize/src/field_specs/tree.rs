//! Several field specs as a tree of the parts of their paths, for one walk through an object.

use std::borrow::Borrow;

use goyaml::{Data, Node, Text};

use crate::error::{Error, Result};
use crate::field_spec::{Create, FieldSpec, check_names_field, enter, meets_text, split_path};

/// The most field specs that are made a tree of, the bytes of their paths, and the fields in it: a tree is small, whatever the
/// paths are, and no path in it has too many parts for a field spec alone.
const MOST_SPECS: usize = 64;
const MOST_BYTES: usize = 16 << 10;
const MOST_FIELDS: usize = 128;

/// What several field specs lead to.
///
/// Each finds, creates and changes what it would if all that come before it had been applied before: none leads through
/// the end of another. What is done at one node is done in the order of the field specs; at several, in that of the tree.
#[derive(Debug)]
pub(super) struct Tree(Branch);

/// What comes behind a part of a path.
#[derive(Debug, Default)]
struct Branch {
    /// The first field spec whose way leads here.
    first: usize,
    /// The first of them that creates what is missing.
    creator: Option<usize>,
    /// The field specs whose way ends here, in order.
    ends: Vec<usize>,
    /// In the order in which their fields are created.
    fields: Vec<Field>,
}

#[derive(Debug)]
struct Field {
    name: Text,
    /// Whether it is written with `[]`.
    is_list: bool,
    behind: Branch,
}

/// A walk through an object.
struct Walk<'a> {
    create: Create,
    set: &'a mut dyn FnMut(usize, &mut Node) -> Result<()>,
    /// The first field spec, in order, that has failed.
    failed: Option<(usize, Error)>,
}

impl Tree {
    /// A tree of the field specs; nothing where to apply them one after the other could come to something else, or
    /// where they are too many.
    pub(super) fn of<S: Borrow<FieldSpec>>(specs: &[S]) -> Option<Self> {
        let specs: Vec<&FieldSpec> = specs.iter().map(Borrow::borrow).collect();
        let bytes = specs.iter().map(|spec| spec.path.len());
        // One alone goes its way as fast without.
        if specs.len() < 2 || specs.len() > MOST_SPECS || bytes.sum::<usize>() > MOST_BYTES {
            return None;
        }
        let mut fields: usize = 0;
        let mut root = Branch::default();
        for (index, spec) in specs.iter().enumerate() {
            let mut here = &mut root;
            for part in &split_path(&spec.path, '/') {
                let name = part.strip_suffix("[]").unwrap_or(part);
                let is_usual = !name.is_empty() && name.trim() == name;
                if !is_usual || check_names_field(name).is_err() {
                    return None;
                }
                let (is_new, behind) = here.field(name, name.len() != part.len(), index)?;
                fields += usize::from(is_new);
                if fields > MOST_FIELDS {
                    return None;
                }
                here = behind;
                if spec.create {
                    here.creator.get_or_insert(index);
                }
            }
            here.ends.push(index);
        }
        root.sort();
        root.is_unambiguous(&specs).then_some(Self(root))
    }

    /// Calls `set` on every node that the path of a field spec leads to, with the number of the field spec. All of them
    /// cover the object.
    ///
    /// # Errors
    /// As for [`FieldSpec::apply`], with the number of the field spec; of several, the one of the first.
    pub(super) fn apply(
        &self,
        object: &mut Node,
        create: Create,
        set: &mut dyn FnMut(usize, &mut Node) -> Result<()>,
    ) -> std::result::Result<(), (usize, Error)> {
        let mut walk = Walk {
            create,
            set,
            failed: None,
        };
        walk.through(&self.0, object);
        walk.failed.map_or(Ok(()), Err)
    }
}

impl Branch {
    /// The branch of a field, for the field spec of this number, and before it whether it is new; nothing where it is a list
    /// for one and not for another.
    fn field(&mut self, name: &str, is_list: bool, first: usize) -> Option<(bool, &mut Self)> {
        let known = self.fields.iter().position(|field| field.name == name);
        let index = known.unwrap_or(self.fields.len());
        if known.is_none() {
            self.fields.push(Field {
                name: name.into(),
                is_list,
                behind: Self {
                    first,
                    ..Self::default()
                },
            });
        }
        let field = self.fields.get_mut(index)?;
        let is_new = known.is_none();
        (field.is_list == is_list).then_some((is_new, &mut field.behind))
    }

    /// Brings the fields into the order in which field specs one after the other create them.
    fn sort(&mut self) {
        self.fields
            .sort_by_key(|field| field.behind.creator.unwrap_or(field.behind.first));
        for field in &mut self.fields {
            field.behind.sort();
        }
    }

    /// Whether no way ends where that of another field spec goes on, and whether all that end in one place create it, or
    /// none does.
    fn is_unambiguous(&self, specs: &[&FieldSpec]) -> bool {
        let is_end_or_way = self.ends.is_empty() || self.fields.is_empty();
        let creates = |index: &&usize| specs.get(**index).is_some_and(|spec| spec.create);
        let creating = self.ends.iter().filter(creates).count();
        let is_agreed = creating == 0 || creating == self.ends.len();
        let mut behind = self.fields.iter().map(|field| &field.behind);
        is_end_or_way && is_agreed && behind.all(|behind| behind.is_unambiguous(specs))
    }
}

impl Walk<'_> {
    fn fail(&mut self, index: usize, error: Error) {
        if self.is_before_failure(index) {
            self.failed = Some((index, error));
        }
    }

    /// Whether no field spec that comes before this one has failed, nor this one.
    fn is_before_failure(&self, index: usize) -> bool {
        self.failed
            .as_ref()
            .is_none_or(|(failed, _)| index < *failed)
    }

    fn through(&mut self, branch: &Branch, node: &mut Node) {
        if !self.is_before_failure(branch.first) {
            return;
        }
        for end in &branch.ends {
            if self.is_before_failure(*end)
                && let Err(error) = (self.set)(*end, node)
            {
                self.fail(*end, error);
            }
        }
        if branch.fields.is_empty() || node.is_null() {
            return;
        }
        match &mut node.data {
            Data::Sequence(items) => {
                for item in items {
                    self.through(branch, item);
                }
            }
            Data::Mapping(entries) => {
                for field in &branch.fields {
                    self.field(field, entries);
                }
            }
            Data::Scalar(_) | Data::Alias(_) => {
                self.fail(branch.first, meets_text(node.position));
            }
        }
    }

    fn field(&mut self, field: &Field, entries: &mut Vec<(Node, Node)>) {
        let behind = &field.behind;
        let create = match behind.creator {
            Some(_) => self.create,
            None => Create::Never,
        };
        let is_end = !behind.ends.is_empty();
        let value = enter(entries, &field.name, field.is_list, create, is_end);
        if let Some(value) = value {
            self.through(behind, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use goyaml::{Limits, Position, Tag};
    use proptest::prelude::*;
    use proptest::sample::select;
    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::TestRunner;

    use super::*;
    use crate::field_specs::Ways;

    /// What a field spec does to what it leads to, so that another one sees it.
    fn mark(index: usize, node: &mut Node) -> Result<()> {
        match &mut node.data {
            Data::Scalar(text) if text == "bad" => Err(Error::new(format!("bad for {index}"))),
            Data::Scalar(text) => {
                text.push_str(&index.to_string());
                Ok(())
            }
            Data::Mapping(entries) => {
                let key = crate::metadata::untagged(format!("set-{index}"));
                entries.push((key, Node::null()));
                Ok(())
            }
            Data::Sequence(_) | Data::Alias(_) => Err(Error::new(format!("no text for {index}"))),
        }
    }

    /// Where each field spec was, in its order; then what has come of the object, or the error.
    fn shown(mut calls: Vec<(usize, Position)>, node: &Node, result: Result<()>) -> String {
        match result {
            Ok(()) => {
                calls.sort_by_key(|(index, _)| *index);
                format!("{calls:?} {node:?}")
            }
            Err(error) => format!("{error:?}"),
        }
    }

    fn spec(path: &str, create: bool) -> FieldSpec {
        FieldSpec::of_every_kind(path, create)
    }

    fn value() -> impl Strategy<Value = String> {
        let leaf = select(vec!["x", "bad", "null", "{}", "[]", "7"]).prop_map(str::to_owned);
        leaf.prop_recursive(5, 40, 3, |inner| {
            let key = select(vec!["a", "b", "c", "d"]);
            let map = prop::collection::btree_map(key, inner.clone(), 0..4).prop_map(|map| {
                let entries = map.iter().map(|(key, value)| format!("{key}: {value}"));
                format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
            });
            let list = prop::collection::vec(inner, 0..3)
                .prop_map(|items| format!("[{}]", items.join(", ")));
            prop_oneof![3 => map, 1 => list]
        })
    }

    fn path() -> impl Strategy<Value = String> {
        let part = select(vec!["a", "a", "b", "b", "c", "d", "b[]"]);
        prop::collection::vec(part, 1..5).prop_map(|parts| parts.join("/"))
    }

    fn specs() -> impl Strategy<Value = Vec<FieldSpec>> {
        let spec = (path(), any::<bool>()).prop_map(|(path, create)| spec(&path, create));
        prop::collection::vec(spec, 2..6)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3000))]
        #[test]
        fn a_tree_does_what_one_after_the_other_does(
            text in value(),
            specs in specs(),
            creates in any::<bool>(),
        ) {
            let create = if creates { Create::Mapping } else { Create::Scalar(Tag::Str) };
            let parsed = goyaml::parse(text.as_bytes(), &Limits::default());
            let mut one = parsed.unwrap().unwrap();
            let mut other = one.clone();
            let (mut before, mut now) = (Vec::new(), Vec::new());
            let mut each = specs.iter().enumerate();
            let expected = each.try_for_each(|(index, spec)| {
                spec.apply(&mut one, create, &mut |node| {
                    before.push((index, node.position));
                    mark(index, node)
                })
            });
            let found = Ways::together(specs).apply(&mut other, create, &mut |index, _, node| {
                now.push((index, node.position));
                mark(index, node)
            });
            prop_assert_eq!(shown(before, &one, expected), shown(now, &other, found));
        }
    }

    #[test]
    fn many_of_these_lists_are_trees() {
        let mut runner = TestRunner::deterministic();
        let is_tree = |_| {
            let specs = specs().new_tree(&mut runner).unwrap().current();
            Tree::of(&specs).is_some()
        };
        let trees = (0..300).map(is_tree).filter(|is_tree| *is_tree).count();
        assert!(trees > 100, "{trees}");
    }

    #[test]
    fn what_depends_on_the_order_is_no_tree() {
        let is_tree = |specs: &[(&str, bool)]| {
            let specs: Vec<_> = specs.iter().map(|(path, is)| spec(path, *is)).collect();
            Tree::of(&specs).is_some()
        };
        assert!(is_tree(&[
            ("a/b", true),
            ("/a/c[]/d", false),
            ("a/b", true)
        ]));
        assert!(!is_tree(&[("a/b", true), ("a", true)]));
        assert!(!is_tree(&[("a/b", true), ("a/b/c", false)]));
        assert!(!is_tree(&[("a/b", true), ("a/b", false)]));
        assert!(!is_tree(&[("a/b[]", true), ("a/b/c", true)]));
        assert!(!is_tree(&[("a//b", true), ("c", true)]));
        assert!(!is_tree(&[("a/*", true), ("c", true)]));
        assert!(is_tree(&[("a\\/b", true), ("a/b", true)]));
        assert!(!is_tree(&vec![("a", false); MOST_SPECS + 1]));
        let long = "a/".repeat(MOST_FIELDS + 1);
        let long = long.trim_end_matches('/');
        assert!(is_tree(&[(&long[2..], false); 2]));
        assert!(!is_tree(&[(long, false); 2]));
        assert!(!is_tree(&[(&*"a".repeat(MOST_BYTES), false); 2]));
    }
}
