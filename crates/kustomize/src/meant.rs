//! Which resource may have been meant by an id that none has.

use crate::decode;
use crate::id::ResId;
use crate::resource::Resource;
use crate::resources::Resources;

/// What to do about an id that no resource has: the one that differs in a single part is named. Empty parts of the id
/// match everything.
pub(crate) fn hint(wanted: &ResId, resources: &Resources) -> Option<String> {
    let fits = |id: &ResId| {
        let kind = id.gvk.is_selected_by(&wanted.gvk);
        let name = wanted.name.is_empty() || id.name == wanted.name;
        let namespace = wanted.namespace.is_empty() || wanted.is_in_namespace_of(id);
        (kind, name, namespace)
    };
    let find = |parts: (bool, bool, bool)| {
        resources
            .iter()
            .find(|resource| resource.any_id(|id| fits(id) == parts))
            .map(Resource::id)
    };
    // Where the namespace is left out and still matters, one that fits otherwise is in another.
    if let Some(other) = find((true, true, false)).or_else(|| find((true, true, true))) {
        let namespace = if other.namespace.is_empty() {
            "no namespace".to_owned()
        } else {
            format!("namespace `{}`", other.namespace)
        };
        return Some(format!("there is one in {namespace}: {other}"));
    }
    if let Some(near) = nearest_name(wanted, resources) {
        return Some(format!("did you mean `{near}`?"));
    }
    let other = find((false, true, true)).or_else(|| find((false, true, false)))?;
    Some(format!(
        "there is {other}; check `apiVersion` (or `group` and `version`) and `kind`"
    ))
}

/// The name that is spelled most like the one that is wanted, among the resources of that kind.
fn nearest_name(wanted: &ResId, resources: &Resources) -> Option<String> {
    let of_kind = |id: &ResId| id.gvk.is_selected_by(&wanted.gvk);
    let mut names: Vec<String> = Vec::new();
    for resource in resources {
        let ids = std::iter::once(resource.id().clone()).chain(resource.previous_ids());
        names.extend(ids.filter(of_kind).map(|id| id.name.to_string()));
    }
    let names: Vec<&str> = (names.iter().map(String::as_str))
        .filter(|name| *name != wanted.name)
        .collect();
    decode::nearest(&wanted.name, &names).map(str::to_owned)
}
