//! What the guide shows is what the program says.

use std::fs;
use std::path::Path;

use crate::workspace::{Run, run_in};

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
        .split_once("```console\n$ argocd-infisical revisions steer\n")
        .unwrap();
    let (table, _) = block.split_once("```\n").unwrap();
    let Run { stdout, stderr, .. } = run_in(&root.join("testdata"), &["revisions", "steer"]);
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
