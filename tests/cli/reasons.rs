//! Every reason that people are told has a row in the guide.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use regex::Regex;
use walkdir::WalkDir;

/// The codes in the source, where a reason is made.
fn codes(root: &Path) -> BTreeSet<String> {
    // By itself, or by a closure that knows the class and takes a code and a message.
    let made = Regex::new(
        r#"(?:Reason::new\(\s*Class::\w+,|\b[a-z_]+\()\s*"([A-Z]\w+)",\s*(?:&?format!|&?message|"[A-Za-z`])"#,
    )
    .unwrap();
    let mut codes = BTreeSet::new();
    for entry in WalkDir::new(root.join("src/steer")) {
        let entry = entry.unwrap();
        if entry.file_type().is_file() {
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
    let codes = codes(root);
    assert!(codes.len() > 25, "{codes:?}");
    assert_eq!(rows, codes);
}
