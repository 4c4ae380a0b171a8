//! `doctor`, as far as it goes without a cluster.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use argocd_infisical::doctor::Code;
use regex::Regex;

use crate::workspace::{Run, Workspace};

#[test]
fn the_guide_has_a_row_for_each_code_and_no_other() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let guide = fs::read_to_string(root.join("docs/doctor.md")).unwrap();
    let (_, codes) = guide.split_once("\n## The codes\n").unwrap();
    let row = Regex::new(r"(?m)^\| `([a-z-]+)` \| (\w+) \| [^|]+ \| [^|]+ \|$").unwrap();
    let rows: BTreeMap<&str, &str> = row
        .captures_iter(codes)
        .map(|found| found.extract())
        .map(|(_, [code, severity])| (code, severity))
        .collect();
    let expected: BTreeMap<&str, &str> = Code::ALL
        .iter()
        .map(|code| (code.as_str(), code.severity().as_str()))
        .collect();
    assert_eq!(rows, expected);
    let all = Regex::new(r"(?m)^\| `[a-z-]+` \|").unwrap();
    assert_eq!(all.find_iter(codes).count(), rows.len());
}

#[test]
fn without_a_cluster_nothing_is_well() {
    let workspace = Workspace::new(&[]);
    let Run {
        code,
        stdout,
        stderr,
        ..
    } = workspace.run(&["doctor", "--kubeconfig", "missing"]);
    assert_eq!((code, stdout.as_str()), (1, ""));
    assert!(stderr.contains("cannot read the kubeconfig"), "{stderr}");
}
