//! `sortOptions`: the order of the output.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use goyaml::Text;

use crate::error::{Error, Result};
use crate::id::{Gvk, ORDER_FIRST, ORDER_LAST, ResId};
use crate::kustomization::{LegacySortOptions, SortOptions};
use crate::resource::Resource;
use crate::resources::Resources;

/// Sorts as a kustomization's `sortOptions` ask.
///
/// # Errors
/// Where `order` is no known order or has options of another one, and where two resources are the same.
// kustomize: SortOrderTransformerPlugin.Transform
pub(crate) fn apply(options: &SortOptions, resources: &mut Resources) -> Result<()> {
    let SortOptions {
        order,
        legacy: legacy_options,
    } = options;
    match (order.as_str(), legacy_options) {
        ("legacy", options) => legacy(resources, options.as_ref()),
        ("fifo", None) => Ok(()),
        ("fifo", Some(_)) => Err(Error::new(
            "`legacySortOptions` are set, but the order is `fifo`",
        )
        .field("sortOptions.legacySortOptions")
        .hint("set `order: legacy`, or remove the options")),
        (_, _) => {
            Err(Error::new("`sortOptions.order` must be `legacy` or `fifo`")
                .field("sortOptions.order")
                .hint("write `order: legacy` to sort by kind, `order: fifo` to keep the order of the files"))
        }
    }
}

/// Sorts by kind, the kinds in the order of the options, and then by what the resources are.
///
/// # Errors
/// Where two resources are the same.
pub(crate) fn legacy(resources: &mut Resources, options: Option<&LegacySortOptions>) -> Result<()> {
    let ranks = ranks(options);
    let all = resources.iter().enumerate();
    let mut sorted: Vec<Place> = all
        .map(|(index, resource)| Place {
            key: SortKey::new(resource.id(), &ranks),
            gvk: resource.gvk().clone(),
            index,
        })
        .collect();
    if sorted.len() <= INSERTION_SORTED {
        sort_by_insertion(&mut sorted);
    } else {
        sorted.sort_by(|left, right| left.key.cmp(&right.key));
        put_core_namespaces_first(&mut sorted);
    }
    let mut places = vec![0; sorted.len()];
    for (place, from) in sorted.iter().enumerate() {
        if let Some(slot) = places.get_mut(from.index) {
            *slot = place;
        }
    }
    put(resources.as_mut_slice(), places);
    resources.check_unique()
}

/// Puts each resource in its place.
fn put(list: &mut [Resource], mut places: Vec<usize>) {
    for index in 0..places.len() {
        // What comes here in exchange may belong somewhere else.
        while let Some(&place) = places.get(index).filter(|place| **place != index) {
            list.swap(index, place);
            places.swap(index, place);
        }
    }
}

/// Where a resource is, and what it is sorted by.
struct Place {
    key: SortKey,
    gvk: Gvk,
    index: usize,
}

/// Up to how many items Go's `sort.Sort` sorts by insertion.
const INSERTION_SORTED: usize = 12;

/// Sorts as Go does, which matters where namespaces of several groups meet other kinds of their rank: what comes first
/// there depends on who is compared with whom.
// kustomize: legacyIDSorter and gvkLessThan
fn sort_by_insertion(sorted: &mut [Place]) {
    for end in 1..sorted.len() {
        for place in (1..=end).rev() {
            let is_less = matches!((sorted.get(place), sorted.get(place - 1)), (Some(one), Some(before)) if is_less(one, before));
            if !is_less {
                break;
            }
            sorted.swap(place, place - 1);
        }
    }
}

fn is_less(one: &Place, other: &Place) -> bool {
    let (left, right) = (&one.key, &other.key);
    if one.gvk == other.gvk {
        return left.id < right.id;
    }
    let are_namespaces = one.gvk.kind == "Namespace" && other.gvk.kind == "Namespace";
    if are_namespaces && (one.gvk.group.is_empty() || other.gvk.group.is_empty()) {
        return left.gvk > right.gvk;
    }
    (left.rank, &left.gvk) < (right.rank, &right.gvk)
}

/// The rank of each kind that has one; all others have zero.
fn ranks(options: Option<&LegacySortOptions>) -> BTreeMap<Text, i64> {
    let (first, last): (Vec<Text>, Vec<Text>) = match options {
        Some(LegacySortOptions {
            order_first,
            order_last,
        }) => (order_first.clone(), order_last.clone()),
        None => (
            ORDER_FIRST.map(Text::from).to_vec(),
            ORDER_LAST.map(Text::from).to_vec(),
        ),
    };
    let before = (1..)
        .take(first.len())
        .map(|distance: i64| -distance)
        .collect::<Vec<_>>()
        .into_iter()
        .rev();
    let mut ranks: BTreeMap<Text, i64> = first.into_iter().zip(before).collect();
    ranks.extend(last.into_iter().zip(1..));
    ranks
}

/// What resources are sorted by; texts are compared as kustomize joins them, separators included.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct SortKey {
    rank: i64,
    gvk: String,
    id: String,
}

impl SortKey {
    // kustomize: legacyGVKSortString and legacyResIDSortString
    fn new(id: &ResId, ranks: &BTreeMap<Text, i64>) -> Self {
        let Gvk {
            group,
            version,
            kind,
        } = &id.gvk;
        Self {
            rank: ranks.get(kind).copied().unwrap_or_default(),
            gvk: [or(group, "~G"), or(version, "~V"), or(kind, "~K")].join("_"),
            id: [or(&id.namespace, "~X"), or(&id.name, "~N")].join("|"),
        }
    }
}

fn or<'a>(text: &'a Text, none: &'a str) -> &'a str {
    if text.is_empty() { none } else { text }
}

/// Turns the order of namespaces around: those of the core group go before other groups' kinds of that name.
// kustomize: gvkLessThan compares the other way round where one of two namespaces has no group.
fn put_core_namespaces_first(sorted: &mut [Place]) {
    let is_namespace = |place: &Place| place.gvk.kind == "Namespace";
    let Some(start) = sorted.iter().position(is_namespace) else {
        return;
    };
    let namespaces = sorted.get_mut(start..).unwrap_or_default();
    let length = namespaces
        .iter()
        .take_while(|place| is_namespace(place))
        .count();
    if let Some(namespaces) = namespaces.get_mut(..length) {
        namespaces.sort_by(|one, other| {
            let is_core = |place: &Place| place.gvk.group.is_empty();
            let (left, right) = (&one.key, &other.key);
            match (is_core(one), is_core(other)) {
                (true, true) => right
                    .gvk
                    .cmp(&left.gvk)
                    .then_with(|| left.id.cmp(&right.id)),
                (true, false) => std::cmp::Ordering::Less,
                (false, true) => std::cmp::Ordering::Greater,
                (false, false) => left.cmp(right),
            }
        });
    }
}
