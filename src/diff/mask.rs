//! Text that may hold Secrets, without their values.
//!
//! It works on lines, not on what they mean: what is compared are the very bytes, and a program that was named by
//! somebody may print anything. Where it is unsure it hides.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Fields that hold the values of a Secret, and one that quotes them.
const DATA: [&str; 3] = [
    "data",
    "stringData",
    "kubectl.kubernetes.io/last-applied-configuration",
];

/// Behind these words a message of kustomize may quote the content of a Secret, or of what one is made of.
const QUOTING: [&str; 15] = [
    "literal source",
    "utf8 bytes",
    "data:",
    "data\"",
    "data\\\"",
    "stringData",
    "with config:",
    "patch from [",
    "decoding [",
    "decoding `",
    "for value",
    "value:",
    "value\"",
    "jsonOp",
    "patch:",
];

/// Replaces the values of Secrets by numbers, the same value of the same key by the same number.
#[derive(Debug, Default)]
pub struct Mask {
    numbers: BTreeMap<(String, String), usize>,
}

impl Mask {
    /// The text with numbers for values.
    pub fn apply(&mut self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        for document in lines.split_inclusive(|line| line.trim_end() == "---") {
            if document.iter().any(|line| speaks_of_secret(line)) {
                self.document(document, &mut out);
            } else {
                out.extend(document.iter().copied());
            }
        }
        out
    }

    fn document(&mut self, lines: &[&str], out: &mut String) {
        let mut rest = lines;
        while let Some((line, after)) = rest.split_first() {
            let entry = Entry::read(line);
            let (below, next) = entry.split(after);
            if DATA.contains(&entry.key.trim_matches(['"', '\''])) {
                self.data(&entry, below, out);
                rest = next;
            } else if entry.value.is_empty() {
                out.push_str(line);
                rest = after;
            } else {
                let value = format!("{line}{}", below.concat());
                if value.contains("Secret") && value.contains("ata") {
                    self.hide(&entry, below, out);
                } else {
                    out.push_str(&value);
                }
                rest = next;
            }
        }
    }

    /// A field with values, each of which is hidden.
    fn data(&mut self, entry: &Entry, below: &[&str], out: &mut String) {
        if !entry.value.is_empty() {
            return self.hide(entry, below, out);
        }
        out.push_str(entry.line);
        let mut rest = below;
        while let Some((line, after)) = rest.split_first() {
            let entry = Entry::read(line);
            let (below, next) = entry.split(after);
            self.hide(&entry, below, out);
            rest = next;
        }
    }

    fn hide(&mut self, entry: &Entry, below: &[&str], out: &mut String) {
        let value = (
            entry.key.to_owned(),
            format!("{}{}", entry.value, below.concat()),
        );
        let next = self.numbers.len() + 1;
        let number = *self.numbers.entry(value).or_insert(next);
        let start = entry.line.len() - entry.line.trim_start().len();
        out.push_str(entry.line.get(..start).unwrap_or_default());
        if !entry.key.is_empty() {
            out.push_str(entry.key);
            out.push_str(": ");
        }
        let _ = writeln!(out, "(value {number})");
    }
}

/// A line of YAML, taken apart.
struct Entry<'t> {
    line: &'t str,
    /// What lies deeper belongs to it.
    indent: usize,
    key: &'t str,
    /// What stands behind the key, or all of it where there is no key.
    value: &'t str,
}

impl<'t> Entry<'t> {
    fn read(line: &'t str) -> Self {
        let mut content = line.trim_start();
        let dash = line.len() - content.len();
        while let Some(item) = content.strip_prefix("- ") {
            content = item.trim_start();
        }
        let inner = line.len() - content.len();
        let content = content.trim_end();
        let (key, value) = match content.split_once(": ") {
            Some((key, value)) => (key, value.trim_start()),
            None => match content.strip_suffix(':') {
                Some(key) => (key, ""),
                None => ("", content),
            },
        };
        Self {
            line,
            indent: if key.is_empty() { dash } else { inner },
            key,
            value,
        }
    }

    /// The lines that belong to it, and those that follow.
    fn split<'l>(&self, after: &'l [&'t str]) -> (&'l [&'t str], &'l [&'t str]) {
        let holds = |line: &&&str| {
            let content = line.trim_start();
            let indent = line.len() - content.len();
            // The items of a list may stand below their key without being deeper.
            let is_item = self.value.is_empty() && content.starts_with("- ");
            content.is_empty() || indent > self.indent || (is_item && indent == self.indent)
        };
        after.split_at(after.iter().take_while(holds).count())
    }
}

/// Whether a line makes the object that it is in a Secret, or holds an object in JSON that is one.
fn speaks_of_secret(line: &str) -> bool {
    let bare: String = line
        .chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '"' | '\'' | ',' | '\\'))
        .collect();
    bare.trim_start_matches('-') == "kind:Secret"
        || (bare.contains("kind:Secret") && bare.contains("ata"))
        || (line.contains("kind") && line.contains("Secret\""))
}

/// A message of another program without what may be the content of a Secret.
pub fn without_secrets(message: &str) -> String {
    let end = QUOTING
        .iter()
        .filter_map(|words| Some(message.find(words)? + words.len()))
        .min();
    match end.and_then(|end| message.get(..end)) {
        None => message.to_owned(),
        Some(start) => format!("{start} … (the rest is not shown, as it may hold a secret)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn masked(text: &str, expected: &str) {
        assert_eq!(Mask::default().apply(text), expected);
    }

    #[test]
    fn values_of_every_form() {
        masked(
            "apiVersion: v1\ndata:\n  a: x1\n  b: |\n    x2\n\n    x3\n  \"c\": 'x4\n\n    x5'\nkind: Secret\nmetadata:\n  name: s\nstringData: \
             {d: x6}\ntype: Opaque\n",
            "apiVersion: v1\ndata:\n  a: (value 1)\n  b: (value 2)\n  \"c\": (value 3)\nkind: Secret\nmetadata:\n  name: s\nstringData: (value \
             4)\ntype: Opaque\n",
        );
    }

    #[test]
    fn equal_values_have_equal_numbers() {
        let mut mask = Mask::default();
        let text = "kind: Secret\ndata:\n  a: x\n";
        assert_eq!(mask.apply(text), mask.apply(text));
        assert_ne!(mask.apply(text), mask.apply(&text.replace('x', "y")));
    }

    #[test]
    fn other_objects_are_left_alone() {
        for text in [
            "data:\n  a: x\nkind: ConfigMap\n",
            "kind: ExternalSecret\nspec:\n  data:\n  - secretKey: a\n",
            "kind: RoleBinding\n---\nkind: SecretStore\ndata: x\n",
        ] {
            masked(text, text);
        }
        masked(
            "data: {a: x}\nkind: ConfigMap\n---\ndata: {a: x}\nkind: \"Secret\"\n",
            "data: {a: x}\nkind: ConfigMap\n---\ndata: (value 1)\nkind: \"Secret\"\n",
        );
    }

    #[test]
    fn secrets_within_other_objects() {
        masked(
            "kind: Work\nspec:\n  manifests:\n  - data:\n      a: x\n    kind: Secret\n  - kind: Secret\n    stringData:\n      a: x\n",
            "kind: Work\nspec:\n  manifests:\n  - data:\n      a: (value 1)\n    kind: Secret\n  - kind: Secret\n    stringData:\n      a: \
             (value 1)\n",
        );
        masked(
            "data:\n  all.yaml: |\n    kind: Secret\n    stringData:\n      a: x\n  b: y\nkind: ConfigMap\n",
            "data:\n  all.yaml: (value 1)\n  b: (value 2)\nkind: ConfigMap\n",
        );
        masked(
            "kind: A\nnote: '{\"kind\":\"Secret\",\n  \"data\":{\"a\":\"x\"}}'\nother: z\n",
            "kind: A\nnote: (value 1)\nother: z\n",
        );
        masked(
            "kind: A\nlist:\n- |\n  kind: Secret\n  data: {a: x}\n- z\n",
            "kind: A\nlist:\n(value 1)\n- z\n",
        );
        masked(
            "{\"kind\":\"Secret\",\"data\":{\"a\":\"x\"}}",
            "(value 1)\n",
        );
    }

    #[test]
    fn what_kubectl_notes_down() {
        masked(
            "kind: Secret\nmetadata:\n  annotations:\n    kubectl.kubernetes.io/last-applied-configuration: |\n      x\n  name: s\n",
            "kind: Secret\nmetadata:\n  annotations:\n    kubectl.kubernetes.io/last-applied-configuration: (value 1)\n  name: s\n",
        );
    }

    #[test]
    fn messages_are_cut_before_a_secret() {
        for (message, shown) in [
            ("no such file", "no such file"),
            (
                "field 'metadata/name' of Secret a",
                "field 'metadata/name' of Secret a",
            ),
        ] {
            assert_eq!(without_secrets(message), shown);
        }
        for message in [
            "invalid literal source x1, expected key=value",
            "unable to parse patch [kind: Secret stringData: {a: x1}]",
            "unable to parse patch [{\"data\":{\"a\":\"x1\"},\"kind\":\"Secret\"}]",
            "line 3 has invalid utf8 bytes : [x1]",
            "options.index 9 is out of bounds for value x1",
            "unable to parse SM or JSON patch from [patch: \"password x1\"]",
            "plugin HelmChartInflationGenerator with config: `valuesInline: {a: x1}`",
            "decoding [{\"op\":\"add\",\"value\":\"x1\"}]",
            "trouble with data: x1",
        ] {
            assert!(!without_secrets(message).contains("x1"), "{message}");
        }
    }
}
