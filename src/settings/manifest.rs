//! Manifests (Secret, `ConfigMap`) as settings.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use goyaml::{Data, Limits, Node, Tag};

use super::{Place, Settings};
use crate::failure::Problem;

/// Bounds on a manifest of settings; a Secret holds at most 1 MiB.
pub(crate) const LIMITS: Limits = Limits {
    bytes: 64 << 20,
    depth: 100,
    alias_nodes: 10_000,
};

/// The fields of a `ConfigMap`, besides `apiVersion` and `kind`.
const CONFIG_MAP: [&str; 4] = ["metadata", "data", "binaryData", "immutable"];
/// The fields of a Secret, besides `apiVersion` and `kind`.
const SECRET: [&str; 5] = ["metadata", "data", "stringData", "type", "immutable"];

/// Adds what the objects of a manifest hold; of two that have the same key the later one wins.
pub(super) fn read(bytes: &[u8], file: &str, settings: &mut Settings) -> Result<(), Problem> {
    // What the parser says is left out where it could quote: it speaks of a file that may hold secrets.
    let documents = goyaml::parse_documents(bytes, &LIMITS).map_err(|error| {
        Problem::new("the settings file is not valid YAML")
            .at(file, error.position.line)
            .hint("settings files are Secret or ConfigMap manifests, `.env` files or directories with a file for each key")
    })?;
    if documents.is_empty() {
        return Err(Problem::new("the settings file holds no object")
            .at(file, 0)
            .hint("add a Secret or a ConfigMap"));
    }
    let mut reader = Reader { file, settings };
    documents
        .iter()
        .try_for_each(|document| reader.object(document))
}

struct Reader<'a> {
    file: &'a str,
    settings: &'a mut Settings,
}

impl Reader<'_> {
    fn object(&mut self, object: &Node) -> Result<(), Problem> {
        let text = |field: &str| object.get(field).and_then(Node::as_str).unwrap_or_default();
        let (version, kind) = (text("apiVersion"), text("kind"));
        match (version, kind) {
            ("v1", "List") => {
                self.fields(object, &["metadata", "items"], &["items"])?;
                let items = object.get("items").filter(|items| !items.is_null());
                let items = match items.map(|items| items.items().ok_or(items)) {
                    None => &[],
                    Some(Ok(items)) => items,
                    Some(Err(node)) => {
                        return Err(Problem::new("`items` must be a list of objects")
                            .at(self.file, node.position.line)
                            .hint("write each object as an item, behind `- `"));
                    }
                };
                items.iter().try_for_each(|item| self.object(item))
            }
            ("v1", "ConfigMap") => {
                self.fields(object, &CONFIG_MAP, &["data", "binaryData"])?;
                self.values(object)
            }
            ("v1", "Secret") => {
                self.fields(object, &SECRET, &["data", "stringData"])?;
                self.values(object)
            }
            _ => Err(self.unsupported(object, kind)),
        }
    }

    /// Checks that the fields of an object are known ones, with one among them that holds values: what is misspelt would
    /// otherwise leave the defaults in force.
    fn fields(&self, object: &Node, known: &[&str], values: &[&str]) -> Result<(), Problem> {
        let entries = object.entries().unwrap_or_default();
        for (key, _) in entries {
            let name = key.as_str().unwrap_or_default();
            if name == "apiVersion" || name == "kind" || known.contains(&name) {
                continue;
            }
            // The name itself may be a value that stands in a wrong place.
            let near = known
                .iter()
                .map(|known| {
                    let lower = known.to_lowercase();
                    (
                        strsim::damerau_levenshtein(&lower, &name.to_lowercase()),
                        known,
                    )
                })
                .filter(|(distance, _)| *distance <= 2)
                .min();
            let hint = near.map_or_else(
                || format!("values stand in `{}`", values.join("` or `")),
                |(_, near)| format!("did you mean `{near}`?"),
            );
            return Err(Problem::new("the object has an unknown field")
                .at(self.file, key.position.line)
                .hint(hint));
        }
        if values.iter().any(|field| object.get(field).is_some()) {
            return Ok(());
        }
        let names = values.join("` nor `");
        let message = match values {
            [_] => format!("the object has no `{names}`"),
            _ => format!("the object has neither `{names}`"),
        };
        Err(Problem::new(message)
            .at(self.file, object.position.line)
            .hint("add the values, or leave the object out"))
    }

    fn unsupported(&self, object: &Node, kind: &str) -> Problem {
        // What stands there may be a value in a wrong place, so it is not quoted.
        let message = if kind.is_empty() {
            "a document is no Kubernetes object: it has no `kind`"
        } else {
            "settings cannot come from an object of this kind"
        };
        Problem::new(message)
            .at(self.file, object.position.line)
            .hint("settings come from objects with `apiVersion: v1` and `kind: Secret` or `kind: ConfigMap`")
    }

    fn values(&mut self, object: &Node) -> Result<(), Problem> {
        for Entry { key, value, line } in values(object, self.file)? {
            let origin = Place {
                file: self.file.to_owned(),
                line,
            };
            self.settings.insert(key, value, origin);
        }
        Ok(())
    }
}

/// A value of an object.
pub(crate) struct Entry {
    /// Its key.
    pub(crate) key: String,
    /// The value, decoded.
    pub(crate) value: Vec<u8>,
    /// The line of the key.
    pub(crate) line: u32,
}

/// The values of a `ConfigMap` or Secret; of two that have the same key the later one wins.
///
/// # Errors
/// Where one is no value. It is not quoted.
pub(crate) fn values(object: &Node, file: &str) -> Result<Vec<Entry>, Problem> {
    let mut entries = Vec::new();
    if object.get("kind").and_then(Node::as_str) == Some("Secret") {
        each((object, file), "data", encoded, &mut entries)?;
        // Kubernetes: what stands in both is taken from stringData.
        each((object, file), "stringData", plain, &mut entries)?;
    } else {
        each((object, file), "data", plain, &mut entries)?;
        each((object, file), "binaryData", encoded, &mut entries)?;
    }
    Ok(entries)
}

fn each(
    (object, file): (&Node, &str),
    field: &'static str,
    decode: impl Fn(&Node) -> Option<Vec<u8>>,
    found: &mut Vec<Entry>,
) -> Result<(), Problem> {
    let Some(map) = object.get(field).filter(|map| !map.is_null()) else {
        return Ok(());
    };
    let at = |node: &Node, message: String| Problem::new(message).at(file, node.position.line);
    let Some(entries) = map.entries() else {
        return Err(
            at(map, format!("`{field}` must be a map of texts")).hint("write `KEY: value` lines")
        );
    };
    let mut lines = BTreeMap::new();
    for (key, value) in entries {
        let line = key.position.line;
        let Some(name) = key.as_str().filter(|name| super::is_key(name)) else {
            return Err(at(
                key,
                format!("a key of `{field}` holds characters that no key may have"),
            )
            .hint("use letters, digits, `_`, `-` and `.`"));
        };
        if let Some(first) = lines.insert(name, line) {
            let message =
                format!("key `{name}` of `{field}` is there twice, first in line {first}");
            return Err(at(key, message).hint("remove one of the two"));
        }
        let Some(bytes) = decode(value) else {
            let is_secret = object.get("kind").and_then(Node::as_str) == Some("Secret");
            let (what, hint) = not_decoded(field, is_secret);
            return Err(at(value, format!("the value of `{name}` in `{field}` {what}")).hint(hint));
        };
        found.push(Entry {
            key: name.to_owned(),
            value: bytes,
            line,
        });
    }
    Ok(())
}

/// What is wrong with a value that is none, and what to do.
fn not_decoded(field: &str, is_secret: bool) -> (&'static str, &'static str) {
    match field {
        "data" if is_secret => (
            "is not valid base64",
            "encode the value, or move it to `stringData`",
        ),
        "binaryData" => (
            "is not valid base64",
            "encode the value, or move it to `data`",
        ),
        _ => ("is not a text", "put the value in quotes"),
    }
}

fn plain(node: &Node) -> Option<Vec<u8>> {
    match (&node.data, node.tag) {
        (Data::Scalar(text), Tag::Str) => Some(text.as_bytes().to_vec()),
        (Data::Scalar(_), Tag::Null) => Some(Vec::new()),
        _ => None,
    }
}

/// Base64 as Kubernetes reads it: line breaks within it do not count.
fn encoded(node: &Node) -> Option<Vec<u8>> {
    match (&node.data, node.tag) {
        (Data::Scalar(_), Tag::Null) => Some(Vec::new()),
        (Data::Scalar(text), _) => {
            let text: String = text
                .chars()
                .filter(|character| !matches!(character, '\n' | '\r'))
                .collect();
            STANDARD.decode(text).ok()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(text: &str) -> Result<Settings, Problem> {
        let mut settings = Settings::default();
        read(text.as_bytes(), "s.yaml", &mut settings).map(|()| settings)
    }

    fn value(settings: &Settings, key: &str) -> Option<String> {
        settings
            .get(key)
            .ok()
            .flatten()
            .map(|found| found.value.reveal().to_string())
    }

    #[test]
    fn objects_of_several_kinds() {
        let text = "apiVersion: v1\nkind: Secret\ndata: {A: aGk=, B: aGk=}\nstringData: {B: plain}\n---\napiVersion: v1\nkind: \
                    List\nitems:\n- apiVersion: v1\n  kind: ConfigMap\n  data: {C: \"3\"}\n";
        let settings = read_all(text).unwrap_or_else(|problem| panic!("{problem}"));
        assert_eq!(value(&settings, "A").as_deref(), Some("hi"));
        assert_eq!(value(&settings, "B").as_deref(), Some("plain"));
        assert_eq!(value(&settings, "C").as_deref(), Some("3"));
    }

    /// Manifests that are wrong, and what is said of them.
    const WRONG: [(&str, &str); 15] = [
        (
            "apiVersion: v1\nkind: Secret\ndata:\n  A: hunter2!\n",
            "s.yaml:4: the value of `A` in `data` is not valid base64",
        ),
        (
            "apiVersion: v1\nkind: ConfigMap\ndata:\n  A: 12345678\n",
            "s.yaml:4: the value of `A` in `data` is not a text",
        ),
        (
            "apiVersion: v1\nkind: Secret\nstringData:\n  A: x\n  A: hunter2\n",
            "s.yaml:5: key `A` of `stringData` is there twice, first in line 4",
        ),
        (
            "apiVersion: v1\nkind: Secret\ndata:\n  hunter2: [\n",
            "s.yaml:",
        ),
        (
            "apiVersion: v1\nkind: Secret\nstringData:\n  hunter2 x: a\n",
            "s.yaml:4: a key of `stringData`",
        ),
        (
            "apiVersion: apps/v1\nkind: Deployment\n",
            "s.yaml:1: settings cannot come from an object of this kind",
        ),
        (
            "apiVersion: v1\nkind: hunter2\n",
            "s.yaml:1: settings cannot come from an object of this kind",
        ),
        (
            "apiVersion: v1\nkind: Secret\nstringdata:\n  A: hunter2\n",
            "s.yaml:3: the object has an unknown field\nhint: did you mean `stringData`?",
        ),
        (
            "apiVersion: v1\nkind: Secret\ndata: {}\nhunter2: x\n",
            "s.yaml:4: the object has an unknown field\nhint: values stand in `data` or `stringData`",
        ),
        (
            "apiVersion: v1\nkind: Secret\n",
            "s.yaml:1: the object has neither `data` nor `stringData`",
        ),
        (
            "apiVersion: v1\nkind: List\n",
            "s.yaml:1: the object has no `items`",
        ),
        (
            "apiVersion: v1\nkind: List\nitems: hunter2\n",
            "s.yaml:3: `items` must be a list of objects",
        ),
        (
            "A: hunter2\n",
            "s.yaml:1: a document is no Kubernetes object",
        ),
        (
            "apiVersion: v1\nkind: Secret\ndata: hunter2\n",
            "s.yaml:3: `data` must be a map of texts",
        ),
        ("", "s.yaml: the settings file holds no object"),
    ];

    #[test]
    fn what_is_wrong_is_told_without_the_value() {
        for (text, expected) in WRONG {
            let problem = read_all(text)
                .err()
                .map(|problem| problem.to_string())
                .unwrap_or_default();
            assert!(
                problem.starts_with(&format!("error: {expected}")),
                "{problem}"
            );
            assert!(
                !problem.contains("hunter2") && !problem.contains("12345678"),
                "{problem}"
            );
        }
    }
}
