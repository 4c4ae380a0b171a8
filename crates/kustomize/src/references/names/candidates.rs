//! What the resources of a build are and were called, and which of them a name could mean.

use std::collections::BTreeMap;

use goyaml::Text;
use indexmap::IndexMap;

use super::Referrer;
use crate::id::{DEFAULT_NAMESPACE, NOT_A_NAMESPACE, ResId};
use crate::resources::Resources;

/// From how many resources of a name on they are found by more than their name.
const MANY: usize = 32;

/// What is known of every resource before any reference is rewritten.
pub(super) struct Candidates {
    list: Vec<Candidate>,
    by_old_name: IndexMap<Text, Vec<usize>>,
    by_original_namespace: IndexMap<Text, Vec<usize>>,
    /// The names that many have had.
    crowded: IndexMap<Text, Places>,
}

/// What is known of one resource.
pub(super) struct Candidate {
    pub(super) id: ResId,
    pub(super) previous: Vec<ResId>,
    pub(super) prefixes: Vec<Text>,
    pub(super) suffixes: Vec<Text>,
}

/// Kind and namespace.
type Place = (Text, Text);
/// The prefix and the suffix that were added last.
type Affixes = (Option<Text>, Option<Text>);
/// Where resources of one name are in the list: by any kind that they had and the namespace that they are in, then by
/// their affixes.
type Places = BTreeMap<Place, BTreeMap<Affixes, Vec<usize>>>;

/// The many resources that had one name.
pub(super) struct Crowd<'a> {
    candidates: &'a Candidates,
    places: &'a Places,
}

impl Candidates {
    pub(super) fn collect(resources: &Resources) -> Self {
        let mut result = Self {
            list: Vec::with_capacity(resources.len()),
            by_old_name: IndexMap::with_capacity(resources.len()),
            by_original_namespace: IndexMap::new(),
            crowded: IndexMap::new(),
        };
        for (index, resource) in resources.iter().enumerate() {
            let candidate = Candidate {
                id: resource.id().clone(),
                previous: resource.previous_ids().collect(),
                prefixes: resource.notes.prefixes.clone(),
                suffixes: resource.notes.suffixes.clone(),
            };
            for previous in &candidate.previous {
                let Some(positions) = result.by_old_name.get_mut(&previous.name) else {
                    result
                        .by_old_name
                        .insert(previous.name.clone(), vec![index]);
                    continue;
                };
                if positions.last() != Some(&index) {
                    positions.push(index);
                }
            }
            let namespace = candidate.original().effective_namespace();
            if let Some(positions) = result.by_original_namespace.get_mut(namespace) {
                positions.push(index);
            } else {
                let namespace = namespace.into();
                result.by_original_namespace.insert(namespace, vec![index]);
            }
            result.list.push(candidate);
        }
        let crowded = result.by_old_name.iter();
        let crowded = crowded.filter(|(_, positions)| positions.len() > MANY);
        result.crowded = crowded
            .map(|(name, positions)| (name.clone(), result.places(positions)))
            .collect();
        result
    }

    fn places(&self, positions: &[usize]) -> Places {
        let mut places = Places::new();
        for &index in positions {
            let Some(candidate) = self.list.get(index) else {
                continue;
            };
            let affixes = (
                candidate.prefixes.last().cloned(),
                candidate.suffixes.last().cloned(),
            );
            for previous in &candidate.previous {
                let namespace = candidate.id.effective_namespace().into();
                let place = places
                    .entry((previous.gvk.kind.clone(), namespace))
                    .or_default();
                let positions = place.entry(affixes.clone()).or_default();
                if positions.last() != Some(&index) {
                    positions.push(index);
                }
            }
        }
        places
    }

    /// All that had a name, in order.
    pub(super) fn named(&self, name: &Text) -> impl Iterator<Item = &Candidate> {
        self.at(self.by_old_name.get(name).into_iter().flatten().copied())
    }

    /// All that were in a namespace at first, in order.
    pub(super) fn originally_in(&self, namespace: &Text) -> impl Iterator<Item = &Candidate> {
        let positions = self.by_original_namespace.get(namespace);
        self.at(positions.into_iter().flatten().copied())
    }

    /// Those that had a name, where they are many.
    pub(super) fn crowd(&self, name: &Text) -> Option<Crowd<'_>> {
        let places = self.crowded.get(name)?;
        Some(Crowd {
            candidates: self,
            places,
        })
    }

    fn at(&self, positions: impl Iterator<Item = usize>) -> impl Iterator<Item = &Candidate> {
        positions.filter_map(|index| self.list.get(index))
    }
}

impl Candidate {
    pub(super) fn original(&self) -> &ResId {
        self.previous.first().unwrap_or(&self.id)
    }
}

impl<'a> Crowd<'a> {
    /// At least those that had a kind and are where the referrer can refer to; in no order, and each once.
    pub(super) fn of_kind(
        &self,
        kind: &Text,
        referrer: &Referrer,
    ) -> impl Iterator<Item = &'a Candidate> {
        let candidates = self.candidates;
        let groups = self.groups(kind, referrer).into_iter();
        let positions = groups.flat_map(|group| group.values().flatten().copied());
        candidates.at(positions)
    }

    /// Of these at least those that have no prefix (suffix) or end in that of the referrer, in order.
    pub(super) fn alike(&self, kind: &Text, referrer: &Referrer) -> Vec<&'a Candidate> {
        let (prefix, suffix) = (referrer.prefixes.last(), referrer.suffixes.last());
        let fits = |own: Option<&Text>, other: &Option<Text>| {
            own.is_none() || other.is_none() || own == other.as_ref()
        };
        let mut positions: Vec<usize> = Vec::new();
        for group in self.groups(kind, referrer) {
            if let Some(prefix) = prefix {
                for prefix in [None, Some(prefix.clone())] {
                    let of_prefix = group.range((prefix.clone(), None)..);
                    let of_prefix = of_prefix.take_while(|((other, _), _)| *other == prefix);
                    for ((_, other), found) in of_prefix {
                        if fits(suffix, other) {
                            positions.extend(found);
                        }
                    }
                }
            } else {
                let fitting = group.iter().filter(|((_, other), _)| fits(suffix, other));
                positions.extend(fitting.flat_map(|(_, found)| found));
            }
        }
        positions.sort_unstable();
        self.candidates.at(positions.into_iter()).collect()
    }

    /// The places to look at.
    fn groups(&self, kind: &Text, referrer: &Referrer) -> Vec<&'a BTreeMap<Affixes, Vec<usize>>> {
        let namespaces = referrer.namespaces();
        if namespaces.is_empty() {
            let all = self.places.iter();
            let found = all.filter(|((other, _), _)| kind == other);
            return found.map(|(_, group)| group).collect();
        }
        let place = |namespace| self.places.get(&(kind.clone(), namespace));
        namespaces.into_iter().filter_map(place).collect()
    }
}

impl Referrer {
    /// The namespaces of what it can refer to, each once; none where it can refer to everything.
    fn namespaces(&self) -> Vec<Text> {
        if self.id.cluster_scoped {
            return Vec::new();
        }
        let mut found: Vec<Text> = vec![self.id.effective_namespace().into()];
        let subjects = self.subject_namespaces.iter().cloned();
        let subjects = subjects.map(|namespace| {
            if namespace.is_empty() {
                DEFAULT_NAMESPACE.into()
            } else {
                namespace
            }
        });
        for namespace in subjects.chain([NOT_A_NAMESPACE.into()]) {
            if !found.contains(&namespace) {
                found.push(namespace);
            }
        }
        found
    }
}
