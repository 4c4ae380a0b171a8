//! Where a build's result goes: standard output, a file, or a directory with a file for each resource.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use kustomize::{Gvk, Output, Resource};

use crate::failure::{Failure, Problem};
use crate::files::plain;

/// Bytes that file systems take for a name.
const LONGEST_NAME: usize = 255;

/// What a command that has succeeded wants to be printed.
pub(super) struct Done {
    /// Lines for standard error.
    pub(super) warnings: Vec<String>,
    /// Data for standard output.
    pub(super) stdout: String,
    /// Whether the data is good news: the exit code says so too.
    pub(super) is_well: bool,
}

/// Writes a result to where `--output` says; what is for standard output is returned.
///
/// All of it is made before any of it is written.
pub(super) fn write(output: &Output, path: Option<&Path>) -> Result<String, Failure> {
    let Some(path) = path else {
        return text(output);
    };
    if path.is_dir() {
        for (name, text) in individual_files(output)? {
            write_file(&path.join(name), &text)?;
        }
    } else {
        write_file(path, &text(output)?)?;
    }
    Ok(String::new())
}

fn text(output: &Output) -> Result<String, Failure> {
    output
        .to_yaml()
        .map_err(|error| Problem::from(&error).into_failure())
}

// kustomize: Writer.WriteIndividualFiles
fn individual_files(output: &Output) -> Result<Vec<(String, String)>, Failure> {
    let is_namespaced = |resource: &&Resource| !resource.id().cluster_scoped;
    let resources = output.resources.iter();
    let namespaces: BTreeSet<&str> = resources
        .filter(is_namespaced)
        .map(|resource| resource.id().effective_namespace())
        .collect();
    let mut files = Vec::with_capacity(output.resources.len());
    for resource in &output.resources {
        let mut name = file_name(resource.gvk(), resource.name());
        if namespaces.len() > 1 && is_namespaced(&resource) {
            name = format!(
                "{}_{name}",
                resource.id().effective_namespace().to_lowercase()
            );
        }
        if name.contains(['/', '\0']) || name.len() > LONGEST_NAME {
            let mut problem =
                Problem::new("the name of the resource cannot be part of a file name")
                    .hint("write to a file or to standard output");
            problem.resource = Some(resource.id().to_string());
            return Err(problem.into_failure());
        }
        let mut text = String::new();
        resource
            .emit(&mut text)
            .map_err(|error| Problem::from(&error.with_names(&output.names)).into_failure())?;
        files.push((name, text));
    }
    Ok(files)
}

// kustomize: fileName
fn file_name(gvk: &Gvk, name: &str) -> String {
    let parts = [gvk.group.as_str(), gvk.version.as_str(), gvk.kind.as_str()];
    let gvk = parts
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("_");
    format!("{}_{}.yaml", gvk.to_lowercase(), name.to_lowercase())
}

/// Writes a file.
pub(super) fn write_file(path: &Path, text: &str) -> Result<(), Failure> {
    fs::write(path, text).map_err(|error| {
        Failure::input(format!(
            "cannot write `{}`: {}",
            path.display(),
            plain(&error)
        ))
        .hint("name a file or an existing directory")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_as_kustomize_names_them() {
        assert_eq!(
            file_name(&Gvk::new("apps/v1", "Deployment"), "Web"),
            "apps_v1_deployment_web.yaml"
        );
        assert_eq!(
            file_name(&Gvk::new("v1", "Service"), "web"),
            "v1_service_web.yaml"
        );
    }
}
