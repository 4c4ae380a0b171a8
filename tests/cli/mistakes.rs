//! Common mistakes, below `testdata/errors`: what is said about them, and that docs/errors.md shows it beside what kustomize
//! says. `tools/record-errors` writes all of it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::workspace::Workspace;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}

fn cases() -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join("testdata/errors")).unwrap();
    let mut cases: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    cases
}

/// The files below a directory: their paths from there, and their texts.
fn files_below(directory: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut waiting = vec![directory.to_owned()];
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            waiting.extend(
                fs::read_dir(path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
        } else {
            let name = path.strip_prefix(directory).unwrap().to_str().unwrap();
            found.push((name.to_owned(), fs::read_to_string(&path).unwrap()));
        }
    }
    found
}

#[test]
fn common_mistakes_are_explained() {
    for case in cases() {
        let files = files_below(&case.join("in"));
        let files: Vec<(&str, &str)> = files
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_str()))
            .collect();
        let workspace = Workspace::new(&files);
        let directory = fs::read_to_string(case.join("dir")).unwrap_or_else(|_| ".".to_owned());
        let want = fs::read_to_string(case.join("want.err")).unwrap();
        workspace.fails(&["build", directory.trim_end()], &want);
    }
}

#[test]
fn the_document_shows_them_beside_kustomize() {
    let document = fs::read_to_string(root().join("docs/errors.md")).unwrap();
    let cases = cases();
    assert!(cases.len() >= 12, "only {} mistakes are shown", cases.len());
    for case in cases {
        let read = |name: &str| fs::read_to_string(case.join(name)).unwrap();
        let title = format!("### {}\n", read("title").trim_end());
        let (_, section) = document.split_once(&title).unwrap_or_else(|| {
            panic!(
                "docs/errors.md has no `{}`: run tools/record-errors",
                title.trim_end()
            )
        });
        let section = section.split("\n### ").next().unwrap();
        let mut texts = vec![("kustomize.err".to_owned(), read("kustomize.err"))];
        texts.push(("want.err".to_owned(), read("want.err")));
        texts.extend(files_below(&case.join("in")));
        for (name, text) in texts {
            let block = format!("\n{text}```\n");
            assert!(
                section.contains(&block),
                "docs/errors.md does not have {name} of {}: run tools/record-errors",
                case.display()
            );
        }
    }
}
