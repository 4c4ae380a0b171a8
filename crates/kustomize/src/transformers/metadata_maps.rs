//! `labels`, `commonLabels` and `commonAnnotations`: entries for maps of strings in many places.

use goyaml::Node;

use crate::error::{Error, Result};
use crate::field_spec::{Create, FieldSpec};
use crate::metadata::{self, StringMap};
use crate::resource::Resource;

/// Sets the entries in every map that the field specs lead to.
///
/// # Errors
/// Where a field spec leads to something else than a map.
// kustomize: filters/labels and filters/annotations
pub fn apply(entries: &StringMap, specs: &[FieldSpec], resources: &mut [Resource]) -> Result<()> {
    if entries.is_empty() {
        return Ok(());
    }
    for resource in resources {
        for spec in specs {
            if !spec.covers(resource.node()) {
                continue;
            }
            let result = spec.apply(resource.node_mut(), Create::Mapping, &mut |node| set_all(node, entries));
            result.map_err(|error| error.resource(resource.id()))?;
        }
    }
    Ok(())
}

fn set_all(map: &mut Node, entries: &StringMap) -> Result<()> {
    if map.is_null() {
        return Ok(());
    }
    if !map.is_mapping() {
        return Err(Error::new("labels and annotations can only be added to a map").position(map.position));
    }
    for (key, value) in entries {
        metadata::set_entry(map, key, Node::string(value.clone()));
    }
    Ok(())
}
