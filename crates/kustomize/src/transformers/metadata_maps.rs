//! `labels`, `commonLabels` and `commonAnnotations`: entries for maps of strings in many places.

use goyaml::{Node, Text};

use crate::error::{Error, Result};
use crate::field_spec::{Create, FieldSpec};
use crate::field_specs::FieldSpecs;
use crate::limits::{Budget, Limits, Places};
use crate::metadata::{self, StringMap};
use crate::resource::Resource;
use crate::transformers::pass::OfEach;

/// Sets entries in every map that field specs lead to.
pub(crate) struct Entries<'a> {
    new: &'a StringMap,
    specs: &'a FieldSpecs,
    weight: usize,
}

impl<'a> Entries<'a> {
    pub(crate) fn new(entries: &'a StringMap, specs: &'a FieldSpecs) -> Self {
        Self {
            new: entries,
            specs,
            weight: weight(entries),
        }
    }
}

impl OfEach for Entries<'_> {
    fn change(&self, resource: &mut Resource, budget: &Budget) -> Result<()> {
        if self.new.is_empty() {
            return Ok(());
        }
        apply(self.new, self.specs, resource, budget)
    }

    fn weight(&self, _resource: &Resource) -> usize {
        self.weight
    }

    fn most(&self, _content: usize, resources: usize) -> usize {
        self.weight.saturating_mul(resources)
    }
}

/// Sets the entries in every map of a resource that the field specs lead to.
///
/// # Errors
/// Where a field spec leads to something else than a map, and where there are too many maps.
// kustomize: filters/labels and filters/annotations
pub(crate) fn apply(
    entries: &StringMap,
    specs: &FieldSpecs,
    resource: &mut Resource,
    budget: &Budget,
) -> Result<()> {
    let covering = specs.of(resource.node());
    let changes_kind = covering.may_change_kind();
    let most = if changes_kind {
        specs.len()
    } else {
        covering.len()
    };
    let marks: Vec<u32> = match most {
        0 | 1 => Vec::new(),
        _ => entries.values().map(|text| resource.share(text)).collect(),
    };
    let entries: Vec<_> = entries.iter().collect();
    let mut is_any_shared = false;
    let mut places = Places::new(budget);
    let mut set = |spec: &FieldSpec, map: &mut Node, (chunk, marks): (&[_], &[u32])| {
        let bytes = chunk.iter().copied().map(weight_of).sum();
        places.add(&spec.path, bytes)?;
        is_any_shared |= is_any_marked(map, chunk);
        set_all(map, chunk, marks)
    };
    let node = resource.node();
    let sees_no_notes = !covering.iter().any(|spec| sees_notes(spec, node));
    let result = if covering.is_one_walk() && sees_no_notes {
        let node = resource.node_mut();
        covering.apply(node, Create::Mapping, &mut |_, spec, map| {
            set(spec, map, (&entries, &marks))
        })
    } else {
        // kustomize: entry by entry, each through all field specs; that matters where one creates what another looks for.
        let length = if changes_kind || covering.is_one_within_another() {
            1
        } else {
            entries.len()
        };
        let mut rounds = entries.chunks(length).enumerate();
        rounds.try_for_each(|(round, chunk)| {
            budget.check_time()?;
            let marks = marks.get(round * length..).unwrap_or_default();
            let mut apply = |spec: &FieldSpec| {
                let mut set = |map: &mut Node| set(spec, map, (chunk, marks));
                // kustomize: its notes are annotations, so that there may be a map of them for no other reason.
                if sees_notes(spec, resource.node()) {
                    resource.edit_with_notes(|node| spec.apply(node, Create::Mapping, &mut set))
                } else {
                    spec.apply(resource.node_mut(), Create::Mapping, &mut set)
                }
            };
            if changes_kind {
                // Which of the others cover the object is seen when it is their turn.
                specs.iter().try_for_each(&mut apply)
            } else {
                covering.iter().try_for_each(&mut apply)
            }
        })
    };
    result.map_err(|error| error.resource(resource.id()))?;
    if is_any_shared {
        resource.settle_shared();
    }
    places.settle()
}

/// Whether any of the entries, which are in order, overwrites a value that stands in other places, too.
fn is_any_marked(map: &Node, entries: &[(&Text, &Text)]) -> bool {
    let is_written = |key: &str| {
        let found = entries.binary_search_by(|(other, _)| other.as_str().cmp(key));
        found.is_ok()
    };
    let mut there = map.entries().unwrap_or_default().iter();
    there.any(|(key, value)| value.mark() != 0 && key.as_str().is_some_and(is_written))
}

/// Whether a field spec finds the annotations of an object only if the notes are among them.
fn sees_notes(spec: &FieldSpec, node: &Node) -> bool {
    !spec.create
        && spec.path.trim_start_matches('/') == "metadata/annotations"
        && node.get_path(&["metadata", "annotations"]).is_none()
}

/// The bytes that the entries count for where they are added.
fn weight(entries: &StringMap) -> usize {
    entries.iter().map(weight_of).sum()
}

fn weight_of((key, value): (&Text, &Text)) -> usize {
    key.len() + value.len() + 2 * Limits::NODE_BYTES
}

fn set_all(map: &mut Node, entries: &[(&Text, &Text)], marks: &[u32]) -> Result<()> {
    if map.is_null() {
        return Ok(());
    }
    if !map.is_mapping() {
        return Err(
            Error::new("labels and annotations can only be added to a map")
                .position(map.position)
                .hint("write the field as `key: value`, one in a line"),
        );
    }
    let new = entries.iter().enumerate().map(|(index, (key, value))| {
        let mut value = Node::string((*value).clone());
        value.set_mark(marks.get(index).copied().unwrap_or_default());
        (*key, value)
    });
    metadata::set_entries(map, new);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resource(text: &str) -> Resource {
        let parsed = goyaml::parse(text.as_bytes(), &goyaml::Limits::default());
        Resource::new(parsed.unwrap().unwrap())
    }

    fn field_specs(specs: &[(&str, &str)]) -> FieldSpecs {
        let spec = |(kind, path): &(&str, &str)| {
            let mut spec = FieldSpec::of_every_kind(path, true);
            spec.gvk.kind = (*kind).into();
            spec
        };
        specs.iter().map(spec).collect::<Vec<_>>().into()
    }

    #[test]
    fn a_label_of_the_object_itself_may_change_for_which_field_specs_it_is() {
        let mut resource = resource("{apiVersion: v1, kind: Foo, metadata: {name: a}}");
        let specs = field_specs(&[("", " "), ("Foo", "foo"), ("Bar", "bar")]);
        let labels = StringMap::from([("kind".into(), "Bar".into())]);
        apply(&labels, &specs, &mut resource, &Budget::default()).unwrap();
        assert!(resource.node().get("foo").is_none());
        assert!(resource.node().get_path(&["bar", "kind"]).is_some());
    }

    #[test]
    fn places_that_come_to_be_of_the_object_share_their_labels_too() {
        let mut resource = resource("{apiVersion: v1, kind: Foo, metadata: {name: a}}");
        let specs = field_specs(&[("Foo", " "), ("Bar", "foo"), ("Bar", "bar")]);
        let labels = StringMap::from([("kind".into(), "Bar".into()), ("q".into(), "r".into())]);
        apply(&labels, &specs, &mut resource, &Budget::default()).unwrap();
        let labels = StringMap::from([("q".into(), "s".into())]);
        let foo = field_specs(&[("", "foo")]);
        apply(&labels, &foo, &mut resource, &Budget::default()).unwrap();
        for place in ["foo", "bar"] {
            let label = resource.node().get_path(&[place, "q"]);
            assert_eq!(label.and_then(Node::as_str), Some("s"), "{place}");
        }
    }
}
