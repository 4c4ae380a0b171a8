//! Typed fields out of YAML nodes, by the rules of Go's `encoding/json` behind `sigs.k8s.io/yaml`: field names match in
//! any case, null is the zero value, and a text field takes a string only.

use goyaml::{Dialect, Node, Scalar, Text};

use crate::error::{Error, Result};
use crate::field_spec::FieldSpec;
use crate::id::{Gvk, ResId};
use crate::kustomization::Located;
use crate::metadata::StringMap;
use crate::selector::Selector;

/// The entries of a map and their names in lower case; nothing for null.
///
/// # Errors
/// Where the node is no map, or a key no text.
pub(crate) fn fields<'a>(node: &'a Node, what: &str) -> Result<Vec<(String, &'a Node)>> {
    if node.is_null() {
        return Ok(Vec::new());
    }
    let entries = node.entries().ok_or_else(|| wrong(node, what, "a map"))?;
    let mut found = Vec::with_capacity(entries.len());
    for (key, value) in entries {
        let name = key.as_str().ok_or_else(|| {
            Error::new("a key is not a text")
                .position(key.position)
                .hint("put the key in quotes")
        })?;
        found.push((name.to_ascii_lowercase(), value));
    }
    Ok(found)
}

/// The error for a field that does not exist, with the nearest one that does.
pub(crate) fn unknown(node: &Node, name: &str, known: &[&str]) -> Error {
    let entry = node.entries().unwrap_or_default().iter().find(|(key, _)| {
        key.as_str()
            .is_some_and(|key| key.eq_ignore_ascii_case(name))
    });
    let written = entry.and_then(|(key, _)| key.as_str()).unwrap_or(name);
    let error = Error::new(format!("unknown field `{written}`"))
        .field(written)
        .position(entry.map(|(key, _)| key.position).unwrap_or_default());
    match nearest(name, known) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint(fields_here(known)),
    }
}

/// Names the fields, as many as somebody reads.
fn fields_here(known: &[&str]) -> String {
    const SHOWN: usize = 10;
    let shown = known.get(..SHOWN).filter(|_| known.len() > SHOWN + 1);
    match shown {
        Some(shown) => format!(
            "the fields here are {} and {} more",
            shown.join(", "),
            known.len() - SHOWN
        ),
        None => format!("the fields here are {}", known.join(", ")),
    }
}

/// A text.
///
/// # Errors
/// Where the node is a number, a boolean or a collection.
pub(crate) fn text(node: &Node, field: &str) -> Result<Text> {
    match scalar(node, field, "a text")? {
        Scalar::Null => Ok(Text::new()),
        Scalar::Text(text) => Ok(text.as_ref().into()),
        Scalar::Timestamp(_) => Ok(node.to_text().unwrap_or_default()),
        Scalar::Bool(_) | Scalar::Int(_) | Scalar::Uint(_) | Scalar::Float(_) => {
            Err(wrong(node, field, "a text").hint("put the value in quotes"))
        }
    }
}

/// A text, or a number or boolean that becomes one because a text is needed.
///
/// # Errors
/// Where the node is anything else.
// sigs.k8s.io/yaml does so for the fields of a struct, but not for those of one that is embedded in it.
pub(crate) fn any_text(node: &Node, field: &str) -> Result<Text> {
    let resolved = node
        .as_str()
        .map(|written| goyaml::resolve(written, node.tag, node.style, Dialect::V2));
    match resolved.and_then(|scalar| scalar.ok()?.needed_text()) {
        Some(text) => Ok(text),
        None => text(node, field),
    }
}

/// A text and its place.
///
/// # Errors
/// As for [`text`].
pub(crate) fn located(node: &Node, field: &str) -> Result<Located> {
    Ok(Located {
        text: text(node, field)?,
        position: node.position,
        place: node.text_place(),
    })
}

/// A boolean.
///
/// # Errors
/// Where the node is anything else.
pub(crate) fn boolean(node: &Node, field: &str) -> Result<bool> {
    match scalar(node, field, "a boolean")? {
        Scalar::Null => Ok(false),
        Scalar::Bool(value) => Ok(value),
        _ => Err(wrong(node, field, "a boolean")),
    }
}

/// 2^63, which is one more than the largest whole number.
pub(crate) const MAX_INTEGER: f64 = 9_223_372_036_854_775_808.0;

/// A whole number.
///
/// # Errors
/// Where the node is anything else.
pub(crate) fn integer(node: &Node, field: &str) -> Result<i64> {
    match scalar(node, field, "a whole number")? {
        Scalar::Null => Ok(0),
        Scalar::Int(value) => Ok(value),
        // Go's JSON writes a float without a fraction as an integer.
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the float is a whole number within the range"
        )]
        Scalar::Float(value) if value.fract() == 0.0 && value.abs() < MAX_INTEGER => {
            Ok(value as i64)
        }
        _ => Err(wrong(node, field, "a whole number")),
    }
}

/// A list, each item read by `read`; nothing for null.
///
/// # Errors
/// Where the node is no list, and what `read` returns.
pub(crate) fn list<T>(
    node: &Node,
    field: &str,
    mut read: impl FnMut(&Node) -> Result<T>,
) -> Result<Vec<T>> {
    if node.is_null() {
        return Ok(Vec::new());
    }
    let items = node.items().ok_or_else(|| wrong(node, field, "a list"))?;
    items.iter().map(&mut read).collect()
}

/// A list of texts with their places.
///
/// # Errors
/// As for [`list`] and [`text`].
pub(crate) fn located_list(node: &Node, field: &str) -> Result<Vec<Located>> {
    list(node, field, |item| located(item, field))
}

/// A map of texts.
///
/// # Errors
/// Where a value is no text.
pub(crate) fn string_map(node: &Node, field: &str) -> Result<StringMap> {
    if node.is_null() {
        return Ok(StringMap::new());
    }
    let entries = node.entries().ok_or_else(|| wrong(node, field, "a map"))?;
    let mut map = StringMap::new();
    for (key, value) in entries {
        let name = key_text(key, field)?;
        let value = match text(value, field) {
            Ok(value) => value,
            Err(_) => text(value, &format!("{field}.{name}"))?,
        };
        map.insert(name, value);
    }
    Ok(map)
}

/// A key as JSON has it.
// sigs.k8s.io/yaml writes keys that are no text, such as `y` in YAML 1.1, as the text of what they stand for.
fn key_text(key: &Node, field: &str) -> Result<Text> {
    Ok(match scalar(key, field, "a map with texts as keys")? {
        Scalar::Null => "null".into(),
        Scalar::Bool(true) => "true".into(),
        Scalar::Bool(false) => "false".into(),
        Scalar::Int(number) => number.to_string().into(),
        Scalar::Uint(number) => number.to_string().into(),
        Scalar::Text(text) => text.as_ref().into(),
        Scalar::Float(_) | Scalar::Timestamp(_) => key.to_text().unwrap_or_default(),
    })
}

/// A field spec: `group`, `version`, `kind`, `path`, `create`.
///
/// # Errors
/// Where a field is of another type or, if `strict`, unknown.
pub(crate) fn field_spec(node: &Node, field: &str, strict: bool) -> Result<FieldSpec> {
    let mut spec = FieldSpec::default();
    for (name, value) in fields(node, field)? {
        match name.as_str() {
            "group" => spec.gvk.group = text(value, "group")?,
            "version" => spec.gvk.version = text(value, "version")?,
            "kind" => spec.gvk.kind = text(value, "kind")?,
            "path" => spec.path = text(value, "path")?,
            "create" => spec.create = boolean(value, "create")?,
            _ if strict => {
                let known = ["group", "version", "kind", "path", "create"];
                return Err(unknown(node, &name, &known));
            }
            _ => {}
        }
    }
    Ok(spec)
}

/// A selector: the parts of an id, `labelSelector`, `annotationSelector`.
///
/// # Errors
/// Where a field is of another type or, if `strict`, unknown.
pub(crate) fn selector(node: &Node, field: &str, strict: bool) -> Result<Selector> {
    let mut selector = Selector::default();
    for (name, value) in fields(node, field)? {
        match name.as_str() {
            "labelselector" => selector.labels = text(value, "labelSelector")?,
            "annotationselector" => selector.annotations = text(value, "annotationSelector")?,
            _ if id_field(&mut selector.id, &name, value)? => {}
            _ if strict => {
                let known = [
                    "group",
                    "version",
                    "kind",
                    "name",
                    "namespace",
                    "labelSelector",
                    "annotationSelector",
                ];
                return Err(unknown(node, &name, &known));
            }
            _ => {}
        }
    }
    Ok(selector)
}

/// Reads one field of an id; says whether it was one.
///
/// # Errors
/// Where the field is no text.
pub(crate) fn id_field(id: &mut ResId, name: &str, value: &Node) -> Result<bool> {
    let Gvk {
        group,
        version,
        kind,
    } = &mut id.gvk;
    let slot = match name {
        "group" => group,
        "version" => version,
        "kind" => kind,
        "name" => &mut id.name,
        "namespace" => &mut id.namespace,
        _ => return Ok(false),
    };
    *slot = text(value, name)?;
    Ok(true)
}

fn scalar<'a>(node: &'a Node, field: &str, expected: &str) -> Result<Scalar<'a>> {
    let Some(text) = node.as_str() else {
        return Err(wrong(node, field, expected));
    };
    goyaml::resolve(text, node.tag, node.style, Dialect::V2).map_err(|error| {
        Error::new(error.message)
            .position(node.position)
            .field(field)
    })
}

fn wrong(node: &Node, field: &str, expected: &str) -> Error {
    let resolved = node
        .as_str()
        .map(|text| goyaml::resolve(text, node.tag, node.style, Dialect::V2));
    let found = match resolved {
        None if node.is_mapping() => "a map",
        None => "a list",
        Some(Ok(Scalar::Null)) => "null",
        Some(Ok(Scalar::Bool(_))) => "a boolean",
        Some(Ok(Scalar::Int(_) | Scalar::Uint(_))) => "a number",
        Some(Ok(Scalar::Float(_))) => "a decimal number",
        Some(Ok(Scalar::Timestamp(_))) => "a date",
        Some(Ok(Scalar::Text(_)) | Err(_)) => "a text",
    };
    let error =
        Error::new(format!("`{field}` must be {expected}, not {found}")).position(node.position);
    match (expected, found) {
        ("a list", _) => error.hint(as_list(node, field)),
        ("a text", "a list") => error.hint("write one text, without `- `"),
        ("a text", "a map") => error.hint("write one text; a `: ` in it needs quotes around it"),
        ("a whole number" | "a boolean", "a text") => error.hint("write it without quotes"),
        ("a text", "null") => error.hint("write a text, or leave the field out"),
        ("a map", _) => {
            error.hint("write `key: value` in lines of their own, further to the right")
        }
        _ => error,
    }
}

/// How to write what is no list as one.
fn as_list(node: &Node, field: &str) -> String {
    const PATHS: [&str; 11] = [
        "resources",
        "bases",
        "components",
        "crds",
        "configurations",
        "generators",
        "transformers",
        "validators",
        "files",
        "envs",
        "paths",
    ];
    let key = node.entries().and_then(<[_]>::first);
    let key = key.and_then(|(key, _)| key.as_str()).and_then(path_in);
    match (field, key) {
        ("literals", Some(key)) => return format!("write each entry as `- {key}=…`"),
        ("images" | "replicas", Some(key)) if !is_field_of(field, key) => {
            return format!("begin each entry with its name: `- name: {key}`");
        }
        ("labels", Some(key)) if !is_field_of(field, key) => {
            return format!("write them below `pairs`: `- pairs: {{{key}: …}}`");
        }
        (_, Some(key)) => return format!("put `- ` in front of `{key}`"),
        _ => {}
    }
    match node.as_str().and_then(path_in) {
        Some(path) if PATHS.contains(&field) => {
            format!("write `- {path}` in a line of its own, or `{field}: [{path}]`")
        }
        _ => "begin each entry with `- `".to_owned(),
    }
}

/// Whether a key is a field of the entries of a list.
fn is_field_of(list: &str, key: &str) -> bool {
    let known: &[&str] = match list {
        "images" => &["name", "newName", "newTag", "tagSuffix", "digest"],
        "labels" => &["pairs", "includeSelectors", "includeTemplates", "fields"],
        _ => &["name", "count"],
    };
    known.iter().any(|known| known.eq_ignore_ascii_case(key))
}

/// The text where it is a path or a name, as far as can be told, and nothing that may not be shown.
pub(crate) fn path_in(text: &str) -> Option<&str> {
    const LONGEST: usize = 100;
    let may_be_in =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'/');
    (!text.is_empty() && text.len() <= LONGEST && text.bytes().all(may_be_in)).then_some(text)
}

/// The known word with the fewest edits, if it is near enough to be meant.
pub(crate) fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let word = word.to_ascii_lowercase();
    let best = known
        .iter()
        .map(|one| (edits(&word, &one.to_ascii_lowercase()), *one))
        .min()?;
    // A word of which every letter differs is another word.
    (best.0 <= 1 + word.len() / 4 && best.0 < word.len()).then_some(best.1)
}

/// How many letters have to be added, removed, changed or swapped.
fn edits(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut above: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    let mut last = None;
    for (i, a) in left.chars().enumerate() {
        let mut next = vec![i + 1];
        for (j, b) in right.iter().enumerate() {
            let at =
                |row: &[usize], index: usize| row.get(index).copied().unwrap_or(usize::MAX - 1);
            let mut cost = (at(&row, j) + usize::from(a != *b))
                .min(at(&row, j + 1) + 1)
                .min(at(&next, j) + 1);
            // Two letters the other way round are one mistake.
            let before = j.checked_sub(1).and_then(|index| right.get(index));
            if last == Some(*b) && before == Some(&a) {
                cost = cost.min(at(&above, j - 1) + 1);
            }
            next.push(cost);
        }
        above = std::mem::replace(&mut row, next);
        last = Some(a);
    }
    row.last().copied().unwrap_or_default()
}
