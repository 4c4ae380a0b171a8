//! Values that kustomize's own way of writing would alter.

use goyaml::{Data, Node};
use kustomize::Output;

use crate::settings::resolve::Resolved;

/// Sees to it that every reader of the output gets the values of settings as they are, also where a replacement or a
/// variable has copied them, or the engine has written the field anew since.
///
/// Texts that hold no such value stay as kustomize writes them.
pub(super) fn protect(output: &mut Output, resolved: &Resolved) {
    let values: Vec<&str> = resolved
        .iter()
        .filter(|(_, setting)| setting.origin.is_some())
        .filter_map(|(_, setting)| setting.value.as_ref())
        .map(|value| value.reveal().as_str())
        .filter(|value| value.contains(may_matter))
        .collect();
    if values.is_empty() {
        return;
    }
    for resource in output.resources.as_mut_slice() {
        walk(resource.node_mut(), &values);
    }
}

/// Whether a text with this character in it may be altered: white space counts for where it stands.
const fn may_matter(character: char) -> bool {
    !matches!(character, '\n' | ' '..='~')
}

fn walk(node: &mut Node, values: &[&str]) {
    match &mut node.data {
        Data::Alias(_) => {}
        Data::Scalar(text) => {
            if values.iter().any(|value| text.contains(value)) {
                node.protect();
            }
        }
        Data::Sequence(items) => items.iter_mut().for_each(|item| walk(item, values)),
        Data::Mapping(entries) => entries
            .iter_mut()
            .for_each(|(_, value)| walk(value, values)),
    }
}
