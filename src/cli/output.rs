//! Where a build's result goes: standard output, a file, or a directory with a file for each resource.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

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
    pub(super) stdout: Parts,
    /// Whether the data is good news: the exit code says so too.
    pub(super) is_well: bool,
}

/// A text in parts, one after the other.
#[derive(Default)]
pub(super) struct Parts(Vec<String>);

impl Parts {
    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl From<String> for Parts {
    fn from(text: String) -> Self {
        Self(vec![text])
    }
}

/// A file, or files in a directory, that are written again and again. Nobody sees half of one.
#[derive(Default)]
pub(super) struct Kept {
    written: BTreeMap<PathBuf, String>,
}

impl Kept {
    /// Writes what is not there already, and takes away what it has written before and is no more.
    pub(super) fn write(&mut self, output: &Output, path: &Path) -> Result<(), Failure> {
        let files: BTreeMap<PathBuf, String> = if path.is_dir() {
            let files = individual_files(output)?.into_iter();
            files.map(|(name, text)| (path.join(name), text)).collect()
        } else {
            [(path.to_owned(), text(output)?)].into()
        };
        for (path, text) in &files {
            if self.written.get(path) != Some(text) || !path.exists() {
                replace_file(path, text)?;
            }
        }
        for path in self.written.keys() {
            if !files.contains_key(path) {
                // Who has taken it away already has done the same.
                drop(fs::remove_file(path));
            }
        }
        self.written = files;
        Ok(())
    }
}

/// Puts a whole file in the place of another.
fn replace_file(path: &Path, text: &str) -> Result<(), Failure> {
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let metadata = fs::metadata(&path).ok();
    if metadata
        .as_ref()
        .is_some_and(|metadata| !metadata.is_file())
    {
        // Such as a pipe.
        return write_file(&path, text);
    }
    let mode = metadata.map_or(0o666, |metadata| metadata.permissions().mode());
    let directory = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let written = tempfile::Builder::new()
        .prefix(".argocd-infisical-")
        .permissions(Permissions::from_mode(mode))
        .tempfile_in(directory.unwrap_or(Path::new(".")))
        .and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.persist(&path)?;
            Ok(())
        });
    written.map_err(|error| not_written(&path, &error))
}

/// Writes a result to where `--output` says; what is for standard output is returned.
///
/// All of it is made before any of it is written.
pub(super) fn write(output: &Output, path: Option<&Path>) -> Result<Parts, Failure> {
    let Some(path) = path else {
        let parts = output.to_parts();
        return parts
            .map(Parts)
            .map_err(|error| Problem::from(&error).into_failure());
    };
    if path.is_dir() {
        for (name, text) in individual_files(output)? {
            write_file(&path.join(name), &text)?;
        }
    } else {
        write_file(path, &text(output)?)?;
    }
    Ok(Parts::default())
}

/// The whole result as one text.
pub(super) fn text(output: &Output) -> Result<String, Failure> {
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
    fs::write(path, text).map_err(|error| not_written(path, &error))
}

fn not_written(path: &Path, error: &io::Error) -> Failure {
    Failure::input(format!(
        "cannot write `{}`: {}",
        path.display(),
        plain(error)
    ))
    .hint("name a file or an existing directory")
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
