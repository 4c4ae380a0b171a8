//! What the guide shows is what the program says.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

use crate::workspace::{Run, Workspace, run_in};

#[test]
fn the_output_of_the_tools_in_the_guide() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let guide = fs::read_to_string(root.join("docs/settings.md")).unwrap();
    let (_, tools) = guide.split_once("\n## Tools\n").unwrap();
    let (tools, _) = tools.split_once("\n## ").unwrap_or((tools, ""));
    let blocks = tools.split("```console\n$ argocd-infisical ").skip(1);
    let mut checked = 0;
    for block in blocks {
        let (block, _) = block.split_once("```\n").unwrap();
        let (command, output) = block.split_once('\n').unwrap();
        if command.contains("--watch") {
            continue;
        }
        let arguments: Vec<&str> = command.split(' ').collect();
        let Run { stdout, stderr, .. } = run_in(&root.join("testdata"), &arguments);
        assert_eq!(
            (stdout.as_str(), stderr.as_str()),
            (output, ""),
            "{command}"
        );
        checked += 1;
    }
    assert_eq!(checked, 4);
}

#[test]
fn what_the_guide_to_revisions_shows() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let guide = fs::read_to_string(root.join("docs/revisions.md")).unwrap();
    let (_, block) = guide
        .split_once("```console\n$ argocd-infisical revisions testdata/steer\n")
        .unwrap();
    let (table, _) = block.split_once("```\n").unwrap();
    let Run { stdout, stderr, .. } = run_in(root, &["revisions", "testdata/steer"]);
    assert_eq!((stdout.as_str(), stderr.as_str()), (table, ""));
    let (_, block) = guide.split_once("```json\n").unwrap();
    let (example, _) = block.split_once("```\n").unwrap();
    let example: serde_json::Value = serde_json::from_str(example).unwrap();
    let Run { stdout, .. } = run_in(root, &["revisions", "testdata/steer", "-o", "json"]);
    let shown: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert!(
        shown["applications"].as_array().unwrap().contains(&example),
        "{stdout}"
    );
}

/// The guides, and what stands beside them.
fn pages() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages = vec![
        root.join("README.md"),
        root.join("ARCHITECTURE.md"),
        root.join("CONTRIBUTING.md"),
        root.join("CHANGELOG.md"),
        root.join("manifests/README.md"),
    ];
    let docs = fs::read_dir(root.join("docs")).unwrap();
    pages.extend(docs.map(|entry| entry.unwrap().path()));
    pages.retain(|page| page.extension().is_some_and(|ending| ending == "md"));
    pages
}

/// What is not in blocks of code.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut is_code = false;
    text.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    })
}

/// The anchors of a page, as they are made of its headings.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = prose(text).filter_map(|line| {
        Some(line.trim_start_matches('#').trim()).filter(|_| line.starts_with('#'))
    });
    headings
        .map(|heading| {
            let lower = heading.to_lowercase();
            let kept = lower
                .chars()
                .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        })
        .collect()
}

#[test]
fn every_link_leads_somewhere() {
    let link = Regex::new(r"\]\(([^()\s]+)\)").unwrap();
    let mut checked = 0;
    let mut broken = Vec::new();
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        let lines: Vec<&str> = prose(&text).collect();
        for target in link.captures_iter(&lines.join("\n")) {
            let target = &target[1];
            if target.contains("://") {
                continue;
            }
            let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
            let file = if path.is_empty() {
                page.clone()
            } else {
                page.parent().unwrap().join(path)
            };
            let is_there = file.exists()
                && (anchor.is_empty()
                    || anchors(&fs::read_to_string(&file).unwrap()).contains(anchor));
            if !is_there {
                broken.push(format!("{}: {target}", page.display()));
            }
            checked += 1;
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
    assert!(checked > 100, "{checked}");
}

/// What a diff of the migration adds is in the example, and what it takes away is not.
#[test]
fn the_diffs_of_the_migration_are_those_of_the_example() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let guide = fs::read_to_string(root.join("docs/migration.md")).unwrap();
    let mut checked = 0;
    for block in guide.split("<!-- diff -->\n```diff\n").skip(1) {
        let (diff, _) = block.split_once("```\n").unwrap();
        let mut lines = diff.lines();
        let old = lines.next().unwrap().strip_prefix("--- a/").unwrap();
        assert_eq!(lines.next().unwrap().strip_prefix("+++ b/"), Some(old));
        let text = fs::read_to_string(root.join("testdata/homeassistant").join(old)).unwrap();
        // Each of its lines in this order, what is left out between them.
        let mut rest = text.lines();
        for line in lines.filter(|line| *line != "@@") {
            let (sign, line) = line.split_at(1);
            if sign == "-" {
                let is_there = text.lines().any(|it| it == line);
                assert!(!is_there, "{old}: {line}");
            } else {
                assert!(rest.any(|it| it == line), "{old}: {line}");
            }
            checked += 1;
        }
    }
    assert!(checked > 40, "{checked}");
}

/// Each address and number that the guide has replaced stands in the manifests, and none is left behind.
#[test]
fn the_first_steps_fill_in_everything() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let guide = fs::read_to_string(root.join("docs/getting-started.md")).unwrap();
    let replaced = Regex::new(r#"-e "s\|([^|]+)\|\$"#).unwrap();
    let replaced: Vec<String> = replaced
        .captures_iter(&guide)
        .map(|found| found[1].to_owned())
        .collect();
    assert_eq!(replaced.len(), 3);
    let workspace = Workspace::of_manifests();
    let mut used = BTreeSet::new();
    for entry in walkdir::WalkDir::new(workspace.path().join("manifests/pilot")) {
        let entry = entry.unwrap();
        if !entry.file_type().is_file() {
            continue;
        }
        let mut text = fs::read_to_string(entry.path()).unwrap();
        for from in &replaced {
            if text.contains(from.as_str()) {
                used.insert(from);
                text = text.replace(from.as_str(), "");
            }
        }
        for left in ["git.example.org", "00000000-0000"] {
            assert!(!text.contains(left), "{}", entry.path().display());
        }
    }
    assert_eq!(used.len(), 3);
    // Every directory that a step applies is one.
    let applied = Regex::new(r"-k manifests/([a-z/-]+)").unwrap();
    let named = Regex::new(r"for directory in ([a-z/ -]+); do").unwrap();
    let mut directories: Vec<String> = applied
        .captures_iter(&guide)
        .map(|found| found[1].to_owned())
        .filter(|name| !name.is_empty())
        .collect();
    directories.extend(
        named.captures(&guide).unwrap()[1]
            .split(' ')
            .map(ToOwned::to_owned),
    );
    assert!(directories.len() >= 6, "{directories:?}");
    for directory in directories {
        let file = root
            .join("manifests")
            .join(&directory)
            .join("kustomization.yaml");
        assert!(file.is_file(), "{directory}");
    }
}
