//! Name references: where a resource was renamed, the fields that name it follow.

mod candidates;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use goyaml::{Data, Dialect, Node, Scalar, Text};

use crate::config::{Config, NameBackReference};
use crate::error::{Error, Result};
use crate::field_spec::{Create, FieldSpec};
use crate::field_specs::Ways;
use crate::id::{Gvk, ResId};
use crate::limits::Budget;
use crate::metadata;
use crate::resource::Resource;
use crate::resources::Resources;
use crate::threads::Threads;
use candidates::{Candidate, Candidates};

/// Rewrites every name that refers to a renamed resource.
///
/// # Errors
/// Where a name could mean several resources that now have different names, and where there is no time left.
// kustomize: nameReferenceTransformer and filters/nameref
pub(crate) fn fix(
    config: &Config,
    (budget, threads): (&Budget, Threads),
    resources: &mut Resources,
) -> Result<()> {
    resources.iter().try_for_each(check_history)?;
    let candidates = Candidates::collect(resources);
    // Also where nothing is renamed: a reference that leads to what cannot be a name fails the build.
    let fixer = Fixer {
        candidates: &candidates,
        references: config.name_references(),
    };
    let deadline = budget.deadline();
    let begin = || (Kinds::default(), None);
    let ended = resources.change_each(threads, begin, |(kinds, failed), resource| {
        if failed.is_none() {
            let ended = deadline.check();
            *failed = ended.and_then(|()| fixer.fix(kinds, resource)).err();
        }
    });
    match ended.into_iter().find_map(|(_, failed)| failed) {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

/// The fields in which the resources of a kind name others.
struct Referring<'a> {
    /// Of which kind those are, field by field.
    targets: Vec<&'a Gvk>,
    ways: Ways<&'a FieldSpec>,
}

/// What is known of kinds, by their original group, version and kind, and how many fields that are.
#[derive(Default)]
struct Kinds<'a> {
    known: BTreeMap<Gvk, Referring<'a>>,
    fields: usize,
    /// Of the last kind that is not kept.
    not_kept: Option<Referring<'a>>,
}

/// Of how many kinds, and how many fields, is kept what is known: a repository may have as many kinds as objects.
const MOST_KINDS: usize = 64;
const MOST_FIELDS: usize = 1 << 14;

/// What rewrites the names in one resource after the other.
struct Fixer<'a> {
    candidates: &'a Candidates,
    references: &'a [NameBackReference],
}

impl<'a> Fixer<'a> {
    fn fix(&self, kinds: &mut Kinds<'a>, resource: &mut Resource) -> Result<()> {
        if resource.is_empty() {
            return Ok(());
        }
        let original = resource.original_id().gvk;
        let Referring { targets, ways } = kinds.of(original, self.references);
        if targets.is_empty() {
            return Ok(());
        }
        check_version(resource)?;
        let referrer = Referrer::new(resource)?;
        let node = resource.node_mut();
        let fixed = ways.apply(node, Create::Never, &mut |index, spec, node| {
            let Some(target) = targets.get(index) else {
                return Ok(());
            };
            let finder = Finder {
                candidates: self.candidates,
                referrer: &referrer,
                target,
                path: &spec.path,
            };
            finder.fix(node)
        });
        fixed.map_err(|error| error.resource(&referrer.id))
    }
}

impl<'a> Kinds<'a> {
    /// What is known of a kind.
    fn of(&mut self, original: Gvk, references: &'a [NameBackReference]) -> &Referring<'a> {
        let Self {
            known,
            fields,
            not_kept,
        } = self;
        let has_room = known.len() < MOST_KINDS;
        let place = match known.entry(original) {
            Entry::Occupied(kept) => return kept.into_mut(),
            Entry::Vacant(place) => place,
        };
        let (targets, specs) = referring(references, place.key());
        let with_these = fields.saturating_add(targets.len());
        if has_room && with_these <= MOST_FIELDS {
            *fields = with_these;
            let ways = Ways::together(specs);
            return place.insert(Referring { targets, ways });
        }
        let ways = Ways::one_by_one(specs);
        not_kept.insert(Referring { targets, ways })
    }
}

/// Refuses a resource whose version is not what kustomize makes of it.
// kustomize: Filter.confirmNodeMatchesReferrer, which takes the word of a null for a version once, and once not, and has no
// group before the slash.
fn check_version(resource: &Resource) -> Result<()> {
    let Some(version) = resource.node().get("apiVersion") else {
        return Ok(());
    };
    let text = version.as_str().unwrap_or_default();
    let error = if version.is_null() && !text.is_empty() {
        Error::new("`apiVersion` is null").hint("write the version, or leave the field out")
    } else if !version.is_null() && text.starts_with('/') {
        Error::new("`apiVersion` begins with a slash")
            .hint("write `v1`, or a group and a version: `apps/v1`")
    } else {
        return Ok(());
    };
    Err(error.position(version.position).resource(resource.id()))
}

/// Refuses a resource of which kustomize cannot tell who it was: it keeps the names in a list with commas.
// kustomize: utils.PrevIds, which counts names, namespaces and kinds.
fn check_history(resource: &Resource) -> Result<()> {
    resource.check_notes()?;
    let names = || {
        resource
            .notes
            .previous
            .iter()
            .map(|previous| &previous.name)
    };
    let message = if names().any(|name| name.contains(',')) {
        "a resource had a name with a comma"
    } else if names().any(Text::is_empty) && names().any(|name| !name.is_empty()) {
        "a resource had no name for a time"
    } else {
        return Ok(());
    };
    Err(Error::new(message)
        .position(resource.node().position)
        .resource(resource.id())
        .hint("look for a patch or replacement that writes to `metadata.name`"))
}

/// The fields in which a resource of this kind names others, and before them of which kind those are.
// The kind may have changed since: what was selected by the original one is walked whatever it is now.
fn referring<'a>(
    references: &'a [NameBackReference],
    original: &Gvk,
) -> (Vec<&'a Gvk>, Vec<&'a FieldSpec>) {
    let fields = references.iter().flat_map(|reference| {
        let referrers = reference.referrers.iter();
        let found = referrers.filter(|referrer| original.is_selected_by(&referrer.gvk));
        found.map(|referrer| (&reference.target, referrer))
    });
    fields.unzip()
}

/// The resource whose fields are rewritten.
struct Referrer {
    id: ResId,
    prefixes: Vec<Text>,
    suffixes: Vec<Text>,
    /// Namespaces of the service accounts that a `RoleBinding` names.
    subject_namespaces: Vec<Text>,
    role_ref: Option<Gvk>,
}

impl Referrer {
    fn new(resource: &Resource) -> Result<Self> {
        let node = resource.node();
        Ok(Self {
            id: resource.id().clone(),
            prefixes: resource.notes.prefixes.clone(),
            suffixes: resource.notes.suffixes.clone(),
            subject_namespaces: subject_namespaces(node)
                .map_err(|error| error.resource(resource.id()))?,
            role_ref: role_ref(node),
        })
    }

    // kustomize: resWrangler.SubsetThatCouldBeReferencedByResource
    fn can_refer_to(&self, candidate: &Candidate) -> bool {
        self.id.cluster_scoped
            || candidate.id.cluster_scoped
            || candidate.id.is_in_namespace_of(&self.id)
            || self.subject_namespaces.contains(&candidate.id.namespace)
    }

    // kustomize: Filter.sameCurrentNamespaceAsReferrer
    fn may_name(&self, candidate: &Candidate) -> bool {
        self.id.cluster_scoped
            || candidate.id.cluster_scoped
            || candidate.id.gvk.kind == "ServiceAccount"
            || candidate.id.is_in_namespace_of(&self.id)
    }

    // kustomize: Resource.PrefixesSuffixesEquals
    fn has_affixes_of(&self, candidate: &Candidate, allow_empty: bool) -> bool {
        let equal = |own: &[Text], other: &[Text]| {
            (allow_empty && (own.is_empty() || other.is_empty())) || end_alike(own, other)
        };
        equal(&candidate.prefixes, &self.prefixes) && equal(&candidate.suffixes, &self.suffixes)
    }
}

// kustomize: getNamespacesForRoleBinding
fn subject_namespaces(node: &Node) -> Result<Vec<Text>> {
    let mut found = Vec::new();
    if metadata::top_field(node, "kind") != "RoleBinding" {
        return Ok(found);
    }
    for subject in node
        .get("subjects")
        .and_then(Node::items)
        .unwrap_or_default()
    {
        let refuse = |message: &str| {
            Error::new(message)
                .position(subject.position)
                .field("subjects")
                .hint("a subject is `{kind: ServiceAccount, name: …, namespace: …}`")
        };
        if !subject.is_mapping() {
            return Err(refuse("a subject of a RoleBinding must be a map"));
        }
        let (Some(namespace), Some(kind)) = (subject.get("namespace"), subject.get("kind")) else {
            continue;
        };
        let kind = decoded_text(kind);
        let kind = kind.ok_or_else(|| refuse("the `kind` of a subject must be a text"))?;
        if kind == "ServiceAccount" {
            let text = decoded_text(namespace);
            let text =
                text.ok_or_else(|| refuse("the `namespace` of a ServiceAccount must be a text"))?;
            found.push(text.as_ref().into());
        }
    }
    Ok(found)
}

/// The text that a scalar stands for; `None` for what stands for anything else.
fn decoded_text(node: &Node) -> Option<Cow<'_, str>> {
    match goyaml::resolve(node.as_str()?, node.tag, node.style, Dialect::V3) {
        Ok(Scalar::Text(text)) => Some(text),
        _ => None,
    }
}

fn role_ref(node: &Node) -> Option<Gvk> {
    let role_ref = node.get("roleRef")?;
    // kustomize: what is no scalar counts as empty.
    let group = role_ref.get("apiGroup")?.to_text().unwrap_or_default();
    let kind = role_ref.get("kind")?.to_text().unwrap_or_default();
    Some(Gvk {
        group,
        version: Text::new(),
        kind,
    })
}

// kustomize: utils.SameEndingSubSlice
fn end_alike(left: &[Text], right: &[Text]) -> bool {
    let (short, long) = if left.len() <= right.len() {
        (left, right)
    } else {
        (right, left)
    };
    if short.is_empty() {
        long.is_empty()
    } else {
        long.ends_with(short)
    }
}

/// What a name could mean.
struct Meant<'a> {
    /// The resources; of several, those that may have the prefixes and suffixes of the referrer.
    candidates: Vec<&'a Candidate>,
    /// Whether there are several, with whatever prefixes and suffixes.
    are_several: bool,
}

impl<'a> Meant<'a> {
    fn of(candidates: Vec<&'a Candidate>) -> Self {
        Self {
            are_several: candidates.len() > 1,
            candidates,
        }
    }
}

/// Finds what one field of one referrer names.
struct Finder<'a> {
    candidates: &'a Candidates,
    referrer: &'a Referrer,
    target: &'a Gvk,
    path: &'a str,
}

impl<'a> Finder<'a> {
    fn fix(&self, node: &mut Node) -> Result<()> {
        if node.is_null() {
            return Ok(());
        }
        match &mut node.data {
            Data::Scalar(_) => self.fix_scalar(node),
            Data::Mapping(_) => self.fix_mapping(node),
            Data::Sequence(items) => items
                .iter_mut()
                .filter(|item| !item.is_null())
                .try_for_each(|item| match item.data {
                    Data::Scalar(_) => self.fix_scalar(item),
                    Data::Mapping(_) => self.fix_mapping(item),
                    Data::Sequence(_) | Data::Alias(_) => Err(Error::new(
                        "expected a name, or a map with a name",
                    )
                    .position(item.position)
                    .hint(
                        "correct the path of the name reference in `configurations`, or the field",
                    )),
                }),
            Data::Alias(_) => Ok(()),
        }
    }

    fn fix_scalar(&self, node: &mut Node) -> Result<()> {
        let old = node.to_text().unwrap_or_default();
        let same_name = |left: &Candidate, right: &Candidate| left.id.name == right.id.name;
        let selected = self.choose(&old, self.meant(&old), same_name);
        if let Some(referral) = selected.map_err(|error| error.position(node.position))?
            && referral.id.name != old
        {
            metadata::replace_scalar(node, metadata::untagged(referral.id.name.clone()));
        }
        Ok(())
    }

    fn fix_mapping(&self, node: &mut Node) -> Result<()> {
        let Some(name) = node.get("name") else {
            return Err(
                Error::new("the path of a name reference leads to a map without `name`")
                    .position(node.position)
                    .hint("add `name`, or correct the path in `configurations`"),
            );
        };
        let old = name.to_text().unwrap_or_default();
        let namespace = node
            .get("namespace")
            .filter(|namespace| !namespace.is_null());
        let meant = match namespace {
            Some(namespace) => {
                let namespace = namespace.to_text().unwrap_or_default();
                self.meant_in(&old, &namespace)
            }
            None => self.meant(&old),
        };
        let same = |left: &Candidate, right: &Candidate| {
            left.id.name == right.id.name && left.id.namespace == right.id.namespace
        };
        let selected = self.choose(&old, meant, same);
        let Some(referral) = selected.map_err(|error| error.position(node.position))? else {
            return Ok(());
        };
        if referral.id.name == old && referral.id.namespace.is_empty() {
            return Ok(());
        }
        metadata::set_entry(node, "name", metadata::untagged(referral.id.name.clone()));
        if !referral.id.namespace.is_empty() {
            metadata::set_entry(
                node,
                "namespace",
                metadata::untagged(referral.id.namespace.clone()),
            );
        }
        Ok(())
    }

    /// The resources that a name could mean.
    fn meant(&self, old: &Text) -> Meant<'a> {
        let kind = &self.target.kind;
        let crowd = self.candidates.crowd(old).filter(|_| !kind.is_empty());
        let Some(crowd) = crowd else {
            let named = self.candidates.named(old);
            return Meant::of(named.filter(|candidate| self.may_mean(candidate)).collect());
        };
        let first = crowd.of_kind(kind, self.referrer);
        let first: Vec<&Candidate> = first
            .filter(|candidate| self.may_mean(candidate))
            .take(2)
            .collect();
        if first.len() < 2 {
            return Meant::of(first);
        }
        let alike = crowd.alike(kind, self.referrer).into_iter();
        Meant {
            candidates: alike.filter(|candidate| self.may_mean(candidate)).collect(),
            are_several: true,
        }
    }

    /// The resources that a name with a namespace could mean: by where they were at first if any resource was there, else
    /// by where they are.
    // kustomize: Filter.filterMapCandidatesByNamespace
    fn meant_in(&self, old: &Text, namespace: &Text) -> Meant<'a> {
        let mut there = self.candidates.originally_in(namespace);
        let was_any_there = there.any(|candidate| self.referrer.can_refer_to(candidate));
        let is_there = |candidate: &&Candidate| {
            let id = if was_any_there {
                candidate.original()
            } else {
                &candidate.id
            };
            id.effective_namespace() == namespace.as_str()
        };
        let named = self.candidates.named(old).filter(is_there);
        Meant::of(named.filter(|candidate| self.may_mean(candidate)).collect())
    }

    fn may_mean(&self, candidate: &Candidate) -> bool {
        self.referrer.can_refer_to(candidate)
            && candidate
                .previous
                .iter()
                .any(|id| id.gvk.is_selected_by(self.target))
            && self.fits_role_ref(candidate)
            && self.referrer.may_name(candidate)
    }

    // kustomize: Filter.selectReferral
    fn choose(
        &self,
        old: &Text,
        meant: Meant<'a>,
        same: impl Fn(&Candidate, &Candidate) -> bool,
    ) -> Result<Option<&'a Candidate>> {
        let Meant {
            mut candidates,
            are_several,
        } = meant;
        if are_several {
            candidates.retain(|candidate| self.referrer.has_affixes_of(candidate, true));
            if candidates.len() > 1 {
                candidates.retain(|candidate| self.referrer.has_affixes_of(candidate, false));
            }
        }
        let Some((first, others)) = candidates.split_first() else {
            return Ok(None);
        };
        if others.iter().all(|other| same(first, other)) {
            return Ok(Some(first));
        }
        let ids: Vec<String> = candidates
            .iter()
            .map(|candidate| candidate.id.to_string())
            .collect();
        Err(Error::new(format!("`{old}` could mean any of {}", ids.join(", ")))
            .hint("give the resources different names, or refer to one by the name that it has in the end"))
    }

    fn fits_role_ref(&self, candidate: &Candidate) -> bool {
        match &self.referrer.role_ref {
            Some(role) if self.path.ends_with("roleRef/name") => candidate
                .previous
                .iter()
                .any(|id| id.gvk.is_selected_by(role)),
            _ => true,
        }
    }
}
