//! Which lines of the repository may be shown below an error: those that hold no secret, as far as can be told.

use std::collections::BTreeMap;

/// What a text is, for the question whether its lines may be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A kustomization file.
    Kustomization,
    /// A file of objects or of patches.
    Objects,
    /// Any other file that calls itself YAML, such as a JSON 6902 patch.
    Yaml,
}

/// Words that only texts have that may hold a secret.
const SECRETIVE: [&str; 8] = [
    "secret",
    "stringdata",
    "passw",
    "token",
    "credential",
    "private",
    "apikey",
    "api_key",
];

/// Fields that hold a value which somebody writes into an object, of which the line does not say what it is.
const PATCHES: [&str; 3] = ["value", "patch", "literals"];

/// Fields that say what an object is, and nothing that is in it.
const NAMES: [&str; 10] = [
    "apiversion",
    "kind",
    "name",
    "namespace",
    "behavior",
    "type",
    "immutable",
    "path",
    "op",
    "fieldpath",
];

/// Fields of a kustomization with nothing but names and paths.
const PUBLIC: [&str; 23] = [
    "apiversion",
    "kind",
    "metadata",
    "openapi",
    "nameprefix",
    "namesuffix",
    "namespace",
    "commonlabels",
    "labels",
    "images",
    "imagetags",
    "replicas",
    "sortoptions",
    "resources",
    "bases",
    "components",
    "crds",
    "configurations",
    "buildmetadata",
    "helmglobals",
    "generatoroptions",
    "replacements",
    "vars",
];

/// Lines above one that may say what it is about.
const NEIGHBOURS: usize = 3;

/// A text of which lines are to be shown; what a line needs of the text around it is found once.
pub(crate) struct Lines<'a> {
    text: &'a str,
    kind: Kind,
    all: Vec<&'a str>,
    /// Where sections begin: documents, or fields at the top of a kustomization.
    sections: Vec<usize>,
    /// Whether a section holds nothing that is a secret, by where it begins.
    is_open: BTreeMap<usize, bool>,
    is_secretive: Option<bool>,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(text: &'a str, kind: Kind) -> Self {
        let all: Vec<&str> = text.lines().collect();
        let begins = |line: &str| match kind {
            Kind::Kustomization => is_top_field(line),
            Kind::Objects | Kind::Yaml => line.starts_with("---"),
        };
        let sections = all.iter().enumerate();
        let sections = sections.filter(|(_, line)| begins(line));
        Self {
            text,
            kind,
            sections: sections.map(|(index, _)| index).collect(),
            all,
            is_open: BTreeMap::new(),
            is_secretive: None,
        }
    }

    /// A line, counted from 1, unless what stands there may be a secret. In a text that cannot be read lines are not
    /// known to be what they seem.
    pub(crate) fn get(&mut self, number: u32, is_malformed: bool) -> Option<&'a str> {
        let index = usize::try_from(number).ok()?.checked_sub(1)?;
        let line = *self.all.get(index)?;
        let may_show = match self.kind {
            _ if line.trim().is_empty() || holds_patch(line) => false,
            Kind::Kustomization | Kind::Objects if is_malformed => !self.is_secretive(),
            Kind::Kustomization => is_name(line) || self.is_open(index),
            Kind::Objects => self.may_show_in_objects(line, index),
            Kind::Yaml => key(line).is_some() && self.may_show_in_objects(line, index),
        };
        may_show.then_some(line)
    }

    /// Looks at the document that the line belongs to: where it is a Secret nothing but names may be shown.
    fn may_show_in_objects(&mut self, line: &str, index: usize) -> bool {
        let near = self.all.get(index.saturating_sub(NEIGHBOURS)..=index);
        is_name(line)
            || (near.is_some_and(|near| !near.iter().any(|line| is_secretive(line)))
                && self.is_open(index))
    }

    fn is_secretive(&mut self) -> bool {
        let text = self.text;
        *self.is_secretive.get_or_insert_with(|| is_secretive(text))
    }

    /// Whether the section that a line belongs to holds nothing that is a secret.
    fn is_open(&mut self, index: usize) -> bool {
        let next = self.sections.partition_point(|start| *start <= index);
        let start = next
            .checked_sub(1)
            .and_then(|before| self.sections.get(before));
        let start = start.copied().unwrap_or_default();
        let end = self.sections.get(next).copied();
        let section = self.all.get(start..end.unwrap_or(self.all.len()));
        let section = section.unwrap_or_default();
        let kind = self.kind;
        *self.is_open.entry(start).or_insert_with(|| match kind {
            Kind::Kustomization => is_open_field(section),
            Kind::Objects | Kind::Yaml => !section.iter().any(|line| is_of_secret(line)),
        })
    }
}

/// Whether a field at the top of a kustomization, of these lines, holds nothing that is a secret.
fn is_open_field(section: &[&str]) -> bool {
    let field = section.first().and_then(|first| key(first));
    let is_public = field.is_some_and(|field| PUBLIC.contains(&field.as_str()))
        // A text in braces may hold any field behind the first.
        && !section.iter().any(|line| line.contains(['{', '|', '>']));
    is_public || !section.iter().any(|line| is_secretive(line))
}

fn is_top_field(line: &str) -> bool {
    line.starts_with(|first: char| first.is_ascii_alphabetic()) && key(line).is_some()
}

fn is_secretive(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    SECRETIVE.iter().any(|word| text.contains(word))
}

/// Whether a line says that its object is a Secret, or a list of any objects, or has the fields of one.
fn is_of_secret(line: &str) -> bool {
    let line = line.to_ascii_lowercase();
    line.contains("stringdata")
        || line.match_indices("kind").any(|(at, word)| {
            let rest = line.get(at + word.len()..).unwrap_or_default();
            let value = rest.trim_start_matches(['"', '\'', ' ', '\t', ':']);
            value.len() < rest.len() && (value.starts_with("secret") || value.starts_with("list"))
        })
}

/// Whether a line holds the name of an object, its kind or another field that says what it is, or a field without a value.
fn is_name(line: &str) -> bool {
    let Some(field) = key(line) else {
        return false;
    };
    let value = line.split_once(':').map_or("", |(_, value)| value.trim());
    let is_field_alone = value.is_empty()
        && (matches!(
            field.as_str(),
            "metadata"
                | "labels"
                | "annotations"
                | "data"
                | "patches"
                | "target"
                | "select"
                | "source"
        ) || is_secretive(&field));
    let is_plain = !value.contains(['{', '[', ',', '"', '\'']);
    is_field_alone || (is_plain && NAMES.contains(&field.as_str()))
}

/// Whether a line holds, behind a field, a value that is patched into an object.
fn holds_patch(line: &str) -> bool {
    let line = line.to_ascii_lowercase();
    PATCHES.iter().any(|word| {
        line.match_indices(word).any(|(at, _)| {
            let rest = line.get(at + word.len()..).unwrap_or_default();
            let rest = rest.trim_start_matches(|c: char| {
                c.is_ascii_alphanumeric() || matches!(c, '"' | '\'' | ' ' | '\t' | '.' | '-' | '_')
            });
            rest.strip_prefix(':').is_some_and(|value| {
                !value
                    .trim_matches(|c: char| c.is_ascii_digit() || "|>+- \t".contains(c))
                    .is_empty()
            })
        })
    })
}

/// The field that a line begins with, in lower case.
fn key(line: &str) -> Option<String> {
    let (key, _) = line.trim_start_matches(['-', ' ', '\t']).split_once(':')?;
    let key = key.trim_end().trim_matches(['"', '\'']);
    let is_word = !key.is_empty()
        && key
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'/' | b'-'));
    is_word.then(|| key.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers of the lines that are shown.
    fn shown(text: &str, kind: Kind) -> Vec<u32> {
        shown_of(text, kind, false)
    }

    fn shown_of(text: &str, kind: Kind, is_malformed: bool) -> Vec<u32> {
        let mut lines = Lines::new(text, kind);
        let count = u32::try_from(text.lines().count()).unwrap();
        (1..=count)
            .filter(|number| lines.get(*number, is_malformed).is_some())
            .collect()
    }

    #[test]
    fn a_kustomization_hides_what_its_secrets_are_made_of() {
        let text = "resources:\n- secret.yaml\nsecretGenerator:\n- name: a\n  literals:\n  - A=x\n  envs: [x]\npatches:\n- \
                    path: a.yaml\n";
        assert_eq!(shown(text, Kind::Kustomization), [1, 2, 3, 4, 8, 9]);
        let text = "patches:\n- path: secret.yaml\n  target:\n    kind: Secret\n    x: y\n";
        assert_eq!(shown(text, Kind::Kustomization), [1, 2, 3, 4]);
        let text = "patches:\n- patch: |-\n    kind: Secret\n    metadata:\n      name: s\n    stringData:\n      a: x\n";
        assert_eq!(shown(text, Kind::Kustomization), [1, 3, 4, 5, 6]);
        let text = "resources: [a.yaml]\nsecretGenerator: [{name: a, literals: [A=x]}]\n";
        assert_eq!(shown(text, Kind::Kustomization), [1]);
        let text = "namespace: {secretGenerator: [\n  {literals: [\n  A=x]}]}\n";
        assert_eq!(shown(text, Kind::Kustomization), [0; 0]);
    }

    #[test]
    fn a_secret_shows_its_name_only() {
        let text = "apiVersion: v1\nkind: Deployment\nspec:\n  replicas: 1\n---\nkind: Secret\nmetadata:\n  name: s\ndata:\n  \
                    name: 'x'\n  a: |\n    x\n";
        assert_eq!(shown(text, Kind::Objects), [1, 2, 3, 4, 6, 7, 8, 9]);
        let text = "kind: List\nitems:\n- kind: \"Secret\"\n  data: {a: x}\n";
        assert_eq!(shown(text, Kind::Objects), [1]);
    }

    #[test]
    fn a_word_hides_the_lines_below_it() {
        let text = "kind: Deployment\nargs:\n- --token\n- abc\n- x\n- x\n- x\n- last\n";
        assert_eq!(shown(text, Kind::Objects), [1, 2, 7, 8]);
    }

    #[test]
    fn a_file_that_cannot_be_read_is_hidden_as_a_whole() {
        let text = "resources:\n- a.yaml\nsecretGenerator:\n";
        assert_eq!(shown_of(text, Kind::Objects, true), [0; 0]);
        assert_eq!(shown_of("a:\n\tb: c\n", Kind::Kustomization, true), [1, 2]);
    }

    #[test]
    fn values_of_patches_are_not_shown() {
        for line in [
            "- {patch: '[]', optionz: 1}",
            "  value: x",
            "  - {op: add, \"value\":\"x\"}",
            "  literals: [A=x]",
            "- sourceValue: x",
        ] {
            assert!(holds_patch(line), "{line}");
        }
        for line in [
            "namePrefx: a-",
            "patches:",
            "- patch: |-",
            "  value:",
            "- path: patch.yaml",
        ] {
            assert!(!holds_patch(line), "{line}");
        }
    }
}
