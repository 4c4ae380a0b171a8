//! Every reason that people are told is given somewhere, and has a row in the guide.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use argocd_infisical::steer::reason::Code;
use regex::Regex;
use walkdir::WalkDir;

/// The codes in the source, where a reason is made.
fn made(root: &Path) -> BTreeSet<String> {
    let made = Regex::new(r"\bReason::new\(\s*Code::(\w+)").unwrap();
    let mut codes = BTreeSet::new();
    for entry in WalkDir::new(root.join("src/steer")) {
        let entry = entry.unwrap();
        let mut parts = entry.path().iter();
        let is_test = parts.any(|part| part == "tests" || part == "tests.rs");
        if entry.file_type().is_file() && !is_test {
            let text = fs::read_to_string(entry.path()).unwrap();
            let (code, _) = text.split_once("#[cfg(test)]").unwrap_or((&text, ""));
            codes.extend(made.captures_iter(code).map(|found| found[1].to_owned()));
        }
    }
    codes
}

#[test]
fn the_guide_has_a_row_for_each_reason_and_no_other() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let guide = fs::read_to_string(root.join("docs/controller.md")).unwrap();
    let (_, reasons) = guide.split_once("\n## Reasons\n").unwrap();
    let (reasons, _) = reasons.split_once("\n## ").unwrap_or((reasons, ""));
    let row = Regex::new(r"(?m)^\| `([A-Z]\w+)` \|").unwrap();
    let rows: BTreeSet<String> = row
        .captures_iter(reasons)
        .map(|found| found[1].to_owned())
        .collect();
    let codes: BTreeSet<String> = Code::ALL.iter().map(ToString::to_string).collect();
    assert_eq!(rows, codes);
    assert_eq!(made(root), codes);
}
