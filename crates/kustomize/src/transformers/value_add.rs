//! `ValueAddTransformer`: one text into fields of many resources, whole or as a part of a path.

#[cfg(test)]
mod tests;

use goyaml::{Limits, Node, Text};

use super::namespace::{self, NamespaceArgs};
use crate::decode::{fields, integer, list, located, selector, text};
use crate::error::{Error, Result};
use crate::field_path;
use crate::files::base_name;
use crate::limits::Budget;
use crate::loader::Loader;
use crate::metadata;
use crate::plugins::texts;
use crate::resource::Resource;
use crate::resources::Resources;
use crate::selector::{CompiledSelector, Selector};

/// What a `ValueAddTransformer` is told.
#[derive(Clone, Debug, Default)]
pub(crate) struct ValueAdd {
    value: Text,
    targets: Vec<Target>,
}

#[derive(Clone, Debug, Default)]
struct Target {
    selector: Option<Selector>,
    field_path: Text,
    /// Where the value goes in a path, from 1; zero where it takes the place of the field.
    path_position: usize,
}

/// Reads the transformer's configuration, and the file of targets that it may name.
///
/// # Errors
/// Where a field is of another type, where there is no target, and where the file cannot be read.
// kustomize: ValueAddTransformerPlugin.Config
pub(crate) fn decode(configuration: &Node, loader: &Loader<'_>) -> Result<ValueAdd> {
    let mut decoded = ValueAdd::default();
    let mut from_file = Vec::new();
    for (name, value) in fields(configuration, "the transformer")? {
        match name.as_str() {
            "value" => decoded.value = text(value, "value")?.trim().into(),
            "targets" => decoded.targets = list(value, "targets", target)?,
            "targetfilepath" if !text(value, "targetFilePath")?.is_empty() => {
                from_file = targets_of_file(&located(value, "targetFilePath")?, loader)?;
            }
            _ => {}
        }
    }
    decoded.targets.append(&mut from_file);
    if decoded.value.is_empty() {
        decoded.value = base_name(loader.root()).into();
    }
    if decoded.targets.is_empty() {
        return Err(Error::new("a ValueAddTransformer has no `targets`")
            .position(configuration.position)
            .hint("add `targets: [{fieldPath: …}]`"));
    }
    Ok(decoded)
}

/// Writes the value into the fields of the targets.
///
/// # Errors
/// Where a path meets what it does not fit, or ends at a map or list.
// kustomize: ValueAddTransformerPlugin.Transform
pub(crate) fn apply(add: &ValueAdd, budget: &Budget, resources: &mut Resources) -> Result<()> {
    for target in &add.targets {
        let selector = target
            .selector
            .as_ref()
            .map(Selector::compile)
            .transpose()?;
        let is_selected = |resource: &Resource| {
            selector
                .as_ref()
                .is_none_or(|selector: &CompiledSelector| selector.matches(resource))
        };
        for resource in resources
            .as_mut_slice()
            .iter_mut()
            .filter(|resource| is_selected(resource))
        {
            let id = resource.id().clone();
            add.write(target, budget, resource)
                .map_err(|error| error.field(target.field_path.as_str()).resource(&id))?;
        }
    }
    Ok(())
}

impl ValueAdd {
    fn write(&self, target: &Target, budget: &Budget, resource: &mut Resource) -> Result<()> {
        if target.field_path == "metadata/namespace" {
            let args = NamespaceArgs {
                namespace: self.value.clone(),
                ..NamespaceArgs::default()
            };
            return namespace::move_one(&args, &[], resource, budget);
        }
        let path = split(&target.field_path);
        budget.check_parts(path.len())?;
        budget.charge(self.value.len())?;
        let Some(field) = field_path::lookup_or_create(resource.node_mut(), &path)? else {
            return Ok(());
        };
        let Some(current) = field.as_str() else {
            return Err(Error::new("the field is a map or a list, not a text")
                .position(field.position)
                .hint("let `fieldPath` lead to a text"));
        };
        let value = match target.path_position.checked_sub(1) {
            Some(position) => insert_part(current, position, &self.value),
            None => self.value.to_string(),
        };
        metadata::replace_scalar(field, metadata::untagged(value));
        Ok(())
    }
}

fn targets_of_file(
    path: &crate::kustomization::Located,
    loader: &Loader<'_>,
) -> Result<Vec<Target>> {
    let file = loader.load(path)?;
    let parsed = goyaml::parse(&file.bytes, &Limits::default());
    let mut node = parsed.map_err(|error| Error::malformed(&error).in_file(&file.name))?;
    if let Some(node) = &mut node {
        texts::make_in_targets(node);
    }
    let mut targets = Vec::new();
    for (name, value) in node
        .as_ref()
        .map_or(Ok(Vec::new()), |node| fields(node, "the file of targets"))?
    {
        if name == "targets" {
            targets = list(value, "targets", target).map_err(|error| error.in_file(&file.name))?;
        }
    }
    Ok(targets)
}

fn target(node: &Node) -> Result<Target> {
    let mut target = Target::default();
    for (name, value) in fields(node, "targets")? {
        match name.as_str() {
            "selector" if !value.is_null() => {
                target.selector = Some(selector(value, "selector", false)?);
            }
            "fieldpath" => target.field_path = text(value, "fieldPath")?,
            "filepathposition" => {
                target.path_position = usize::try_from(integer(value, "filePathPosition")?)
                    .map_err(|_| {
                        Error::new("`filePathPosition` cannot be negative")
                            .position(value.position)
                            .hint("count from 1; 0 is the whole text")
                    })?;
            }
            _ => {}
        }
    }
    if target.field_path.is_empty() {
        return Err(Error::new("`fieldPath` cannot be empty")
            .position(node.position)
            .hint("name the field, with `/` between its parts"));
    }
    Ok(target)
}

/// Splits a path at its slashes but those behind a backslash.
fn split(path: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for piece in path.split('/') {
        match parts.last_mut() {
            Some(last) if last.ends_with('\\') => {
                last.pop();
                last.push('/');
                last.push_str(piece);
            }
            _ => parts.push(piece.to_owned()),
        }
    }
    parts
}

/// Inserts a part into a path of files; a position past its end means the end. An absolute path stays one.
// kustomize: filesys.InsertPathPart
fn insert_part(path: &str, position: usize, part: &str) -> String {
    let root = if path.starts_with('/') { "/" } else { "" };
    let mut parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    parts.insert(position.min(parts.len()), part);
    clean(&format!("{root}{}", parts.join("/")))
}

/// Resolves `.` and `..`, as Go's `filepath.Join` does.
fn clean(path: &str) -> String {
    let is_absolute = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/').filter(|part| !matches!(*part, "" | ".")) {
        let is_up = part == "..";
        if is_up && parts.last().is_some_and(|last| *last != "..") {
            parts.pop();
        } else if !(is_up && is_absolute) {
            parts.push(part);
        }
    }
    let joined = parts.join("/");
    if is_absolute {
        format!("/{joined}")
    } else {
        joined
    }
}
