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
