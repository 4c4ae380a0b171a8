//! Real trees and documents, from which executions start.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::Failure;
use crate::tree::{Content, Tree};

/// What executions start from. All of it is in order, so that the same repository gives the same executions.
#[derive(Debug, Default)]
pub(crate) struct Seeds {
    pub(crate) documents: Vec<Vec<u8>>,
    /// Trees that can be built.
    pub(crate) trees: Vec<Tree>,
    /// Trees that are refused as they stand.
    pub(crate) refused: Vec<Tree>,
    /// Fields of kustomizations, each with its name.
    pub(crate) fields: Vec<(String, Vec<u8>)>,
    /// Values that stand behind a key somewhere.
    pub(crate) values: BTreeMap<Vec<u8>, Vec<Vec<u8>>>,
    /// Values of all keys.
    pub(crate) all_values: Vec<Vec<u8>>,
}

/// Files above this size are no seeds: mutating a large one is a slow way to mutate a small one.
const LARGEST: usize = 64 << 10;
/// Files that a tree may have.
const MOST_FILES: usize = 80;

impl Seeds {
    /// Reads the repository's test data, and further directories.
    ///
    /// # Errors
    /// Where a directory cannot be read.
    pub(crate) fn read(further: &[PathBuf]) -> Result<Self, Failure> {
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let of_repository = ["testdata", "manifests", "crates/goyaml/testdata"];
        let mut directories: Vec<PathBuf> =
            of_repository.map(|name| repository.join(name)).to_vec();
        directories.extend(further.iter().cloned());
        let mut files = BTreeMap::new();
        for (index, directory) in directories.iter().enumerate() {
            gather(directory, &format!("{index}"), &mut files)?;
        }
        let mut seeds = Self::default();
        for (path, content) in &files {
            if let Content::Bytes(bytes) = content {
                seeds.add_documents(path, bytes);
            }
        }
        seeds.add_trees(&files);
        seeds.add_vocabulary();
        let trees = std::mem::take(&mut seeds.trees);
        let is_built = |tree: &Tree| {
            let built = kustomize::build(
                &tree.to_files(),
                &tree.root(),
                &kustomize::Options::default(),
            );
            built.is_ok()
        };
        (seeds.trees, seeds.refused) = trees.into_iter().partition(is_built);
        if seeds.documents.is_empty() || seeds.trees.is_empty() {
            return Err("there are no seeds".into());
        }
        Ok(seeds)
    }

    fn add_documents(&mut self, path: &str, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        // Tables for the reader: a text, and what it is read as.
        if text.starts_with("%%%% input\n") {
            let cases = text.split("%%%% input\n").skip(1);
            let inputs = cases.filter_map(|case| Some(case.split_once("%%%% ")?.0));
            self.documents
                .extend(inputs.map(|input| input.as_bytes().to_vec()));
        } else if path.ends_with("testdata/documents.json") || path.ends_with("values.json") {
            let rows = goyaml::Value::from_json(bytes).ok();
            let rows = rows.as_ref().and_then(goyaml::Value::as_array);
            let source = |row: &goyaml::Value| {
                let source = row.get("source").or_else(|| row.get("json"))?;
                Some(source.as_str()?.as_bytes().to_vec())
            };
            let rows = rows.unwrap_or_default();
            self.documents.extend(rows.iter().filter_map(source));
        } else {
            self.documents.push(bytes.to_vec());
        }
    }

    /// Every directory with a kustomization is built, with all files of its case or repository.
    fn add_trees(&mut self, files: &BTreeMap<String, Content>) {
        let mut found = BTreeSet::new();
        for path in files.keys() {
            let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
            if !kustomize::files::KUSTOMIZATION_FILES.contains(&name) {
                continue;
            }
            let above = top_of(directory);
            if found.insert(directory) {
                let within = format!("{above}/");
                let range = files.range(within.clone()..);
                let range = range.take_while(|(path, _)| path.starts_with(&within));
                let files = range.filter_map(|(path, content)| {
                    Some((path.strip_prefix(&within)?.to_owned(), content.clone()))
                });
                let below = directory.strip_prefix(above).unwrap_or_default();
                self.trees.push(Tree {
                    directory: below.trim_start_matches('/').to_owned(),
                    files: files.take(MOST_FILES).collect(),
                });
            }
        }
    }

    fn add_vocabulary(&mut self) {
        let mut fields = BTreeSet::new();
        let mut values: BTreeMap<Vec<u8>, BTreeSet<Vec<u8>>> = BTreeMap::new();
        for tree in self.trees.iter().chain(&self.refused) {
            for (path, content) in &tree.files {
                let Content::Bytes(bytes) = content else {
                    continue;
                };
                let name = path.rsplit('/').next().unwrap_or_default();
                if kustomize::files::KUSTOMIZATION_FILES.contains(&name) {
                    fields.extend(fields_of(bytes));
                }
                for line in bytes.split(|byte| *byte == b'\n') {
                    if let Some((key, value)) = entry_of(line) {
                        values
                            .entry(key.to_vec())
                            .or_default()
                            .insert(value.to_vec());
                    }
                }
            }
        }
        self.fields.extend(fields);
        let all: BTreeSet<&Vec<u8>> = values.values().flatten().collect();
        self.all_values = all.into_iter().cloned().collect();
        let listed = |(key, values): (Vec<u8>, BTreeSet<_>)| (key, values.into_iter().collect());
        self.values = values.into_iter().map(listed).collect();
    }
}

/// The directory with all that a kustomization may need: that of its case, or of its application.
fn top_of(directory: &str) -> &str {
    let parts: Vec<&str> = directory.split('/').collect();
    let case = parts.iter().position(|part| *part == "in");
    let kept = match case {
        Some(index) => index + 1,
        // `0/homeassistant/overlays/dev`
        None => 2,
    };
    let length = parts
        .iter()
        .take(kept)
        .map(|part| part.len() + 1)
        .sum::<usize>();
    directory.get(..length - 1).unwrap_or(directory)
}

/// The fields at the top of a kustomization, as texts.
fn fields_of(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut fields: Vec<(String, Vec<u8>)> = Vec::new();
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let begins = line.first().is_some_and(u8::is_ascii_alphabetic);
        match (
            begins.then(|| entry_name(line)).flatten(),
            fields.last_mut(),
        ) {
            (Some(name), _) => fields.push((name, line.to_vec())),
            (None, Some((_, text))) => text.extend(line),
            (None, None) => {}
        }
    }
    for (_, text) in &mut fields {
        if !text.ends_with(b"\n") {
            text.push(b'\n');
        }
    }
    fields
}

fn entry_name(line: &[u8]) -> Option<String> {
    let end = line.iter().position(|byte| *byte == b':')?;
    String::from_utf8(line.get(..end)?.to_vec()).ok()
}

/// The key and the value in a line.
pub(crate) fn entry_of(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let line = line.trim_ascii();
    let line = line.strip_prefix(b"- ").unwrap_or(line);
    let end = line.windows(2).position(|pair| pair == b": ")?;
    let (key, value) = (line.get(..end)?, line.get(end + 2..)?.trim_ascii());
    (!value.is_empty() && key.len() < 40 && value.len() < 200).then_some((key, value))
}

/// The files in a directory and below it.
fn gather(
    directory: &Path,
    name: &str,
    files: &mut BTreeMap<String, Content>,
) -> Result<(), Failure> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let (path, kind) = (entry.path(), entry.file_type()?);
        let Ok(file) = entry.file_name().into_string() else {
            continue;
        };
        let name = format!("{name}/{file}");
        if kind.is_dir() {
            gather(&path, &name, files)?;
        } else if kind.is_symlink() {
            if let Ok(target) = fs::read_link(&path)?.into_os_string().into_string() {
                files.insert(name, Content::Link(target));
            }
        } else {
            let bytes = fs::read(&path)?;
            let is_table = path.extension().is_some_and(|extension| extension == "txt");
            if bytes.len() <= LARGEST || is_table {
                files.insert(name, Content::Bytes(bytes));
            }
        }
    }
    Ok(())
}
