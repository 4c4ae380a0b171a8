//! `.argocd-source.yaml`: what a repository says over the head of the Application that is rendered from it.

use std::fs;
use std::path::Path;

use goyaml::{Limits, Tag};

use crate::failure::Problem;
use crate::files;

/// How the names of these files begin; Argo CD takes `.argocd-source.yaml` and `.argocd-source-<application>.yaml`.
const PREFIX: &str = ".argocd-source";
/// Bounds on one of them: a few lines of YAML.
const LIMITS: Limits = Limits {
    bytes: 64 << 10,
    depth: 100,
    alias_nodes: 10_000,
};
/// How many of them a directory may have, more than enough for the Applications that are rendered from it.
const FILES: usize = 1_000;

/// Checks that none of these files in a directory says anything of the plugin: who may write to the repository would
/// choose the objects that settings come from.
///
/// # Errors
/// Where one does, or cannot be read.
pub(super) fn check(directory: &Path) -> Result<(), Vec<Problem>> {
    let unreadable = |error: &std::io::Error| {
        let message = format!("cannot list the directory: {}", files::plain(error));
        vec![Problem::new(message).at(directory.display().to_string(), 0)]
    };
    let entries = fs::read_dir(directory).map_err(|error| unreadable(&error))?;
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.map_err(|error| unreadable(&error))?.file_name();
        let name = name.to_string_lossy().into_owned();
        // A file system may not tell cases apart.
        if name.to_ascii_lowercase().starts_with(PREFIX) {
            names.push(name);
        }
    }
    if names.len() > FILES {
        let message = format!("there are more than {FILES} files `{PREFIX}…`");
        return Err(vec![
            Problem::new(message).hint("remove those that no Application needs"),
        ]);
    }
    names.sort();
    let problems: Vec<Problem> = names
        .iter()
        .filter_map(|name| objection(&directory.join(name), name))
        .collect();
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems)
    }
}

fn objection(path: &Path, name: &str) -> Option<Problem> {
    let problem = |message: &str, line| {
        Problem::new(message)
            .at(name, line)
            .hint("say it in the Application's `spec.source.plugin`")
    };
    let is_small_file = fs::symlink_metadata(path)
        .is_ok_and(|metadata| metadata.is_file() && metadata.len() <= LIMITS.bytes as u64);
    let bytes = files::read_regular(path).ok().filter(|_| is_small_file);
    let Some(bytes) = bytes else {
        return Some(problem(
            "the file is a link, too large, or cannot be read, so it is not known what it says of the plugin",
            0,
        ));
    };
    let Ok(documents) = goyaml::parse_documents(&bytes, &LIMITS) else {
        return Some(problem(
            "the file is not valid YAML, so it is not known what it says of the plugin",
            0,
        ));
    };
    for document in &documents {
        for (key, _) in document.entries().unwrap_or_default() {
            let text = key.as_str().unwrap_or_default();
            // encoding/json: a field is found whatever the case of its name. What has another tag than a text may be one
            // for Go all the same (`!!binary`), or bring fields with it (`<<`).
            if text.eq_ignore_ascii_case("plugin") || key.tag != Tag::Str {
                let message = "a file of the repository may not say which plugin renders it, or with which parameters";
                return Some(problem(message, key.position.line));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(name: &str, text: &[u8]) -> Option<String> {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join(name), text).unwrap();
        fs::write(directory.path().join("kustomization.yaml"), "plugin: {}\n").unwrap();
        let problems = check(directory.path()).err()?;
        Some(
            problems
                .iter()
                .map(|problem| problem.to_string() + "\n")
                .collect(),
        )
    }

    #[test]
    fn what_says_nothing_of_the_plugin_is_left_alone() {
        assert_eq!(told("values.yaml", b"plugin: {}\n"), None);
        assert_eq!(told(".argocd-source.yaml", b""), None);
        assert_eq!(
            told(".argocd-source.yaml", b"kustomize: {images: [a=b]}\n"),
            None
        );
        assert_eq!(told(".argocd-source.yaml", b"helm: {plugin: x}\n"), None);
    }

    #[test]
    fn every_way_to_say_something_of_it() {
        for name in [
            ".argocd-source.yaml",
            ".argocd-source-lamp.yaml",
            ".argocd-source-tenant_lamp.yaml",
        ] {
            for text in [
                "plugin: {parameters: [{name: settings, array: [a/b]}]}\n",
                "kustomize: {}\nPlugin: {}\n",
                "PLUGIN: null\n",
                "\"plu\\x67in\": {}\n",
                "{plugin: {}}",
                "<<: {plugin: {}}\n",
                "a: &a {plugin: {}}\n<<: *a\n",
                "a: 1\n---\nplugin: {}\n",
                "a: [\n",
                "a: 1\na: 2\nplugin: x\n",
                "!!binary cGx1Z2lu: {}\n",
                "!<tag:yaml.org,2002:binary> cGx1Z2lu: {}\n",
                "!!binary \"cGx1Z2lu\": {}\n",
                "? !!binary cGx1Z2lu\n: {}\n",
                "1: x\n",
            ] {
                let told = told(name, text.as_bytes()).unwrap_or_default();
                assert!(
                    told.starts_with(&format!("error: {name}")),
                    "{text}: {told}"
                );
            }
        }
        assert!(
            told(
                ".argocd-source.yaml",
                b"\xff\xfep\0l\0u\0g\0i\0n\0:\0 \x001\0"
            )
            .is_some()
        );
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_file_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join(".argocd-source.yaml")).unwrap();
        assert!(check(directory.path()).is_err());
        let directory = tempfile::tempdir().unwrap();
        let link = directory.path().join(".argocd-source.yaml");
        std::os::unix::fs::symlink("/none", &link).unwrap();
        assert!(check(directory.path()).is_err());
        fs::write(directory.path().join("good.yaml"), "helm: {}\n").unwrap();
        fs::remove_file(&link).unwrap();
        std::os::unix::fs::symlink("good.yaml", &link).unwrap();
        assert!(check(directory.path()).is_err());
        fs::remove_file(&link).unwrap();
        fs::write(&link, format!("helm: {{}}\n#{}\n", " ".repeat(70_000))).unwrap();
        assert!(check(directory.path()).is_err());
    }
}
