//! What is different between two outputs, for people to read: unified, short, and without the values of Secrets.

mod mask;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use similar::{ChangeTag, DiffTag, TextDiff};

use crate::failure::printable;
pub use mask::{Mask, without_secrets};

/// What looking for a short diff may take; past it a longer one is good enough.
const EFFORT: Duration = Duration::from_secs(2);

/// The longest line that is shown, in characters.
const LONGEST_LINE: usize = 300;

/// A unified diff of at most `lines` lines, each hunk with the object that its first change is in.
///
/// Values of Secrets are numbered rather than shown: the same number on both sides is the same value.
pub fn unified(theirs: &str, ours: &str, lines: usize) -> String {
    let mut mask = Mask::default();
    let theirs = mask.apply(theirs);
    let ours = mask.apply(ours);
    let diff = TextDiff::configure()
        .timeout(EFFORT)
        .diff_lines(theirs.as_str(), ours.as_str());
    let objects = objects(&theirs);
    let mut written = Vec::new();
    let mut left_out = 0_usize;
    for hunk in diff.unified_diff().iter_hunks() {
        let changed = hunk.ops().iter().find(|op| op.tag() != DiffTag::Equal);
        let start = changed.map_or(0, |op| op.old_range().start);
        let object = objects.range(..=start).next_back().map(|(_, name)| name);
        let object = object.map_or_else(String::new, |name| format!(" {name}"));
        let header = format!("{}{object}", hunk.header());
        let body = hunk.iter_changes().map(|change| {
            let sign = match change.tag() {
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
                ChangeTag::Equal => ' ',
            };
            let line = *change.value_ref();
            let end = if line.ends_with('\n') {
                ""
            } else {
                "\n\\ no newline at the end"
            };
            format!("{sign}{}{end}", line.trim_end_matches('\n'))
        });
        for line in std::iter::once(header).chain(body) {
            if written.len() < lines {
                written.push(shortened(&line));
            } else {
                left_out += 1;
            }
        }
    }
    let mut text = "--- kustomize\n+++ argocd-infisical\n".to_owned();
    for line in written {
        let _ = writeln!(text, "{line}");
    }
    if left_out > 0 {
        let _ = writeln!(text, "({left_out} more lines)");
    }
    text
}

/// A line of others, safe for a terminal and of bounded length.
pub fn shortened(line: &str) -> String {
    let line = printable(line);
    match line.char_indices().nth(LONGEST_LINE) {
        None => line,
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
    }
}

/// The lines at which objects begin, with their kinds and names.
fn objects(text: &str) -> BTreeMap<usize, String> {
    let mut found = BTreeMap::new();
    let mut current = Object::default();
    for (number, line) in text.lines().enumerate() {
        if line == "---" {
            current.end(&mut found);
            current = Object {
                start: number + 1,
                ..Object::default()
            };
        } else if let Some(kind) = line.strip_prefix("kind: ") {
            kind.clone_into(&mut current.kind);
        } else if !line.starts_with([' ', '-']) {
            current.is_in_metadata = line == "metadata:";
        } else if let Some(name) = line.strip_prefix("  name: ")
            && current.is_in_metadata
        {
            name.clone_into(&mut current.name);
        }
    }
    current.end(&mut found);
    found
}

#[derive(Default)]
struct Object {
    start: usize,
    kind: String,
    name: String,
    is_in_metadata: bool,
}

impl Object {
    fn end(&self, found: &mut BTreeMap<usize, String>) {
        let Self {
            start,
            kind,
            name,
            is_in_metadata: _,
        } = self;
        if !kind.is_empty() {
            found.insert(*start, format!("{kind} {name}").trim().to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const THEIRS: &str = "apiVersion: v1\nkind: Service\nmetadata:\n  name: a\n---\napiVersion: v1\ndata:\n  k: v\nkind: ConfigMap\nmetadata:\n  \
                          name: b\n";

    #[test]
    fn a_hunk_names_its_object() {
        let ours = THEIRS.replace("k: v", "k: w");
        let expected = "--- kustomize\n+++ argocd-infisical\n@@ -5,7 +5,7 @@ ConfigMap b\n ---\n apiVersion: v1\n data:\n-  k: v\n+  k: w\n kind: \
                        ConfigMap\n metadata:\n   name: b\n";
        assert_eq!(unified(THEIRS, &ours, 50), expected);
    }

    #[test]
    fn what_is_long_is_cut() {
        let ours = "x\n".repeat(30);
        let diff = unified("", &ours, 3);
        let expected =
            "--- kustomize\n+++ argocd-infisical\n@@ -0,0 +1,30 @@\n+x\n+x\n(28 more lines)\n";
        assert_eq!(diff, expected);
        let line = format!("\u{1b}{}", "y".repeat(1000));
        assert_eq!(shortened(&line).chars().count(), LONGEST_LINE + 1);
        assert!(!shortened(&line).contains('\u{1b}'));
    }

    #[test]
    fn a_missing_newline_at_the_end_is_seen() {
        let diff = unified("a: b\n", "a: b", 9);
        assert!(
            diff.ends_with("-a: b\n+a: b\n\\ no newline at the end\n"),
            "{diff}"
        );
    }

    #[test]
    fn a_changed_secret_is_seen_and_its_value_is_not() {
        let secret = |value: &str| format!("apiVersion: v1\ndata:\n  k: {value}\nkind: Secret\n");
        let diff = unified(&secret("aHVzaA=="), &secret("b3RoZXI="), 50);
        assert!(
            diff.contains("-  k: (value 1)\n+  k: (value 2)\n"),
            "{diff}"
        );
        assert!(!diff.contains("aHVz") && !diff.contains("b3Ro"), "{diff}");
    }
}
