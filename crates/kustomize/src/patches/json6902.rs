//! JSON 6902 patches, with the liberties that kustomize's library takes with them.

mod document;
mod forms;
mod places;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use goyaml::{Dialect, Limits, Node, Position, TextPlace, Value};

use crate::error::{Error, Result};
use crate::lost;
use crate::quoting;
use document::Place;

/// A list of operations, in the order in which they are carried out.
#[derive(Clone, Debug, Default)]
pub(crate) struct JsonPatch {
    operations: Vec<Operation>,
}

/// One operation as it was written.
///
/// Its fields are only looked at when it is carried out: a patch that nothing is selected for may hold anything.
#[derive(Clone, Debug, Default)]
struct Operation {
    op: Option<Value>,
    path: Option<Value>,
    from: Option<Value>,
    value: Option<Value>,
    /// Where its path stands.
    position: Position,
    /// Whether its value has a word that is no text in YAML 1.1.
    has_word: bool,
    /// Whether `value` is written just as Go's encoder writes it, which `test` compares.
    has_canonical_value: bool,
}

/// The operations that there are.
const NAMES: [&str; 6] = ["add", "remove", "replace", "move", "copy", "test"];

/// How many values the `copy` operations of one patch may add to an object.
const COPY_LIMIT: usize = 1_000_000;

/// How many entries of lists and maps the operations of one patch may look through, or move, in an object.
const STEP_LIMIT: usize = 100_000_000;

/// What the operations of a patch have taken so far.
#[derive(Default)]
struct Spent {
    copied: usize,
    steps: usize,
}

impl Spent {
    /// Walks to a place, and counts what that takes.
    fn find<'a>(&mut self, document: &'a mut Value, pointer: &str) -> Result<Place<'a>, String> {
        let place = Place::find(document, pointer)?;
        self.steps = self.steps.saturating_add(place.steps());
        if self.steps > STEP_LIMIT {
            return Err(format!(
                "the operations so far have gone through {STEP_LIMIT} entries of lists and maps"
            ));
        }
        Ok(place)
    }
}

impl JsonPatch {
    /// Reads a patch: JSON where the text begins with `[`, otherwise the first document of a YAML text.
    ///
    /// # Errors
    /// Where the text cannot be read or is no list of maps. Operations are not looked into yet.
    // kustomize: jsonPatchFromBytes
    pub(crate) fn parse(text: &str) -> Result<Self> {
        if text.is_empty() {
            return Err(Error::new("the JSON patch is empty").hint(
                "write at least one operation: `- {op: replace, path: /spec/replicas, value: 2}`",
            ));
        }
        let is_json = text.starts_with('[');
        let value = if is_json {
            read_json(text)?
        } else {
            read_yaml(text)?
        };
        let items = match value {
            Value::Null => Vec::new(),
            Value::Array(items) => items,
            _ => return Err(not_a_patch()),
        };
        let compact = if is_json {
            compact(text)
        } else {
            String::new()
        };
        let written = is_json.then(|| scalars(&compact));
        let operations = items
            .into_iter()
            .map(|item| match item {
                Value::Null => Ok(Operation::default()),
                Value::Object(_) => Ok(Operation::new(item, written.as_ref())),
                _ => Err(not_a_patch()),
            })
            .collect::<Result<Vec<Operation>>>()?;
        let mut patch = Self { operations };
        patch.find_operations(text);
        Ok(patch)
    }

    /// Notes what the way through JSON and floats changes, in the object and in the patch.
    fn note_losses(&self, node: &Node, patched: &Value, notices: &mut Vec<Error>) {
        let object = lost::in_json(node, patched);
        if !object.is_empty() {
            let changed = self.changed_fields();
            notices.extend(object.into_iter().filter(|notice| {
                let field = notice.details().field.as_deref();
                !field.is_some_and(|field| is_within(field, &changed))
            }));
        }
        for operation in &self.operations {
            let is_used = matches!(operation.name(), "add" | "replace");
            let is_inexact = operation.value.as_ref().is_some_and(lost::is_inexact);
            let made = [
                (is_inexact, lost::rounded as fn() -> Error),
                // The word itself may be a secret: its line is not to be shown.
                (operation.has_word, lost::word),
            ];
            for (_, make) in made.iter().filter(|(happens, _)| is_used && *happens) {
                notices.push(operation.blame(make()));
            }
        }
    }

    /// The fields that operations change, each step with a dot behind it.
    fn changed_fields(&self) -> BTreeSet<String> {
        let changes = self
            .operations
            .iter()
            .filter(|operation| matches!(operation.name(), "add" | "remove" | "replace"));
        let paths = changes.filter_map(|operation| operation.path().ok());
        paths
            .filter(|path| !path.is_empty())
            .map(|path| steps(&dotted(path)))
            .collect()
    }

    /// Notes where in the text the operations begin; a text that is JSON but no YAML leaves them without a place.
    fn find_operations(&mut self, text: &str) {
        let Ok(Some(list)) = goyaml::parse(text.as_bytes(), &Limits::default()) else {
            return;
        };
        for (operation, item) in self
            .operations
            .iter_mut()
            .zip(list.items().unwrap_or_default())
        {
            let field = match operation.name() {
                "move" | "copy" => "from",
                "unknown" => "op",
                name if !NAMES.contains(&name) => "op",
                _ => "path",
            };
            operation.position = item.get(field).unwrap_or(item).position;
            let is_yaml = !text.starts_with('[');
            let value = item.get("value").filter(|_| is_yaml);
            operation.has_word = value.is_some_and(lost::has_word);
        }
    }

    /// Says where the patch stands: in a file of its own, or in a text.
    pub(crate) fn set_place(&mut self, file: Option<u32>, place: TextPlace) {
        let locate = |inner: Position| match file {
            Some(file) => Position { file, ..inner },
            None => place.locate(inner),
        };
        for operation in &mut self.operations {
            operation.position = locate(operation.position);
        }
    }

    /// Whether there is no operation.
    pub(crate) const fn is_empty(&self) -> bool {
        self.operations.is_empty()
    }

    /// The bytes that the values in the patch count for each time it is applied.
    pub(crate) fn weight(&self) -> usize {
        self.operations
            .iter()
            .filter_map(|operation| operation.value.as_ref())
            .map(document::weight)
            .sum()
    }

    /// Whether an operation copies a part of the object.
    pub(crate) fn copies(&self) -> bool {
        self.operations
            .iter()
            .any(|operation| operation.name() == "copy")
    }

    /// The object after all operations.
    ///
    /// The object passes through JSON, even where there is no operation: keys are sorted, styles vanish and every number
    /// becomes a float first.
    ///
    /// # Errors
    /// Where an operation cannot be carried out; the error names it by its position in the patch.
    // kustomize: filters/patchjson6902 Filter
    pub(crate) fn apply(&self, node: &Node, notices: &mut Vec<Error>) -> Result<Node> {
        let mut value = node
            .to_reencoded_value()
            .map_err(|error| Error::malformed(&error))?;
        let mut spent = Spent::default();
        for (index, operation) in self.operations.iter().enumerate() {
            operation.apply(&mut value, &mut spent).map_err(|problem| {
                let error = operation
                    .error(index, &problem)
                    .related("the object stands at", node.position);
                match operation.cure(&value) {
                    Some(hint) => error.hint(hint),
                    None => error,
                }
            })?;
        }
        if value.as_object().is_none() {
            return Err(Error::new("after the JSON patch the object is a list")
                .position(node.position)
                .hint("an operation with the path `\"\"` must keep the object a map"));
        }
        self.note_losses(node, &value, notices);
        self.note_forms(notices);
        let mut patched = Node::from_value(&value);
        // kustomize: RNode.UnmarshalJSON writes the values as YAML and reads that.
        quoting::quote_texts_where_needed(&mut patched);
        places::restore(&mut patched, node);
        Ok(patched)
    }
}

fn read_json(text: &str) -> Result<Value> {
    Value::from_json(text.as_bytes()).map_err(|error| {
        Error::new(format!("invalid JSON in the patch: {}", error.message))
            .hint("a patch that begins with `[` must be strict JSON: quoted keys, no comments, no trailing commas")
    })
}

// kustomize: sigs.k8s.io/yaml YAMLToJSON
fn read_yaml(text: &str) -> Result<Value> {
    let limits = Limits::default();
    let malformed = |error: goyaml::Error| Error::malformed(&error);
    let Some(mut node) = goyaml::parse(text.as_bytes(), &limits).map_err(malformed)? else {
        return Ok(Value::Null);
    };
    node.expand_aliases(&limits).map_err(malformed)?;
    node.to_value(Dialect::V2).map_err(malformed)
}

fn not_a_patch() -> Error {
    Error::new("a JSON 6902 patch must be a list of operations, each a map with `op` and `path`")
        .hint("write `- {op: replace, path: /spec/replicas, value: 2}`")
}

/// The text without the space between its tokens.
fn compact(text: &str) -> String {
    let mut compact = String::with_capacity(text.len());
    let mut in_string = false;
    let mut is_escaped = false;
    for character in text.chars() {
        if !in_string && matches!(character, ' ' | '\t' | '\r' | '\n') {
            continue;
        }
        in_string = if character == '"' && !is_escaped {
            !in_string
        } else {
            in_string
        };
        is_escaped = in_string && character == '\\' && !is_escaped;
        compact.push(character);
    }
    compact
}

impl Operation {
    fn new(mut item: Value, written: Option<&BTreeSet<&str>>) -> Self {
        let op = item.remove("op");
        let value = item.remove("value");
        let has_canonical_value = match (&value, written) {
            (Some(value), Some(written)) if op.as_ref().and_then(Value::as_str) == Some("test") => {
                is_written_as_go_does(value, written)
            }
            _ => true,
        };
        Self {
            op,
            path: item.remove("path"),
            from: item.remove("from"),
            value,
            position: Position::default(),
            has_word: false,
            has_canonical_value,
        }
    }

    fn apply(&self, document: &mut Value, spent: &mut Spent) -> Result<(), String> {
        match self.name() {
            "add" => self.add(document, spent, self.value.clone().unwrap_or_default()),
            "remove" => spent.find(document, self.path()?)?.remove().map(drop),
            "replace" => self.replace(document, spent),
            "move" => {
                let value = spent.find(document, self.from()?)?.remove()?;
                self.add(document, spent, value)
            }
            "copy" => {
                // A missing key counts as null, as everywhere in kustomize's library.
                let value = spent
                    .find(document, self.from()?)?
                    .get()?
                    .cloned()
                    .unwrap_or_default();
                spent.copied = spent.copied.saturating_add(document::size(&value));
                if spent.copied > COPY_LIMIT {
                    return Err(format!("the patch copies more than {COPY_LIMIT} values"));
                }
                self.add(document, spent, value)
            }
            "test" => self.test(document, spent),
            _ => Err("`op` must be one of add, remove, replace, move, copy, test".to_owned()),
        }
    }

    fn add(&self, document: &mut Value, spent: &mut Spent, value: Value) -> Result<(), String> {
        let path = self.path()?;
        check_depth(path, &value)?;
        spent.find(document, path)?.add(value)
    }

    fn replace(&self, document: &mut Value, spent: &mut Spent) -> Result<(), String> {
        let path = self.path()?;
        if path.is_empty() {
            let value = self.value.clone().unwrap_or_default();
            if !matches!(value, Value::Object(_) | Value::Array(_)) {
                return Err("the whole object can only be replaced by a map".to_owned());
            }
            *document = value;
            return Ok(());
        }
        let value = self.value.clone().unwrap_or_default();
        check_depth(path, &value)?;
        spent.find(document, path)?.replace(value)
    }

    fn test(&self, document: &mut Value, spent: &mut Spent) -> Result<(), String> {
        let path = self.path()?;
        let found = if path.is_empty() {
            Some(&*document)
        } else {
            spent.find(document, path)?.get()?
        };
        let found = found.unwrap_or(&Value::Null);
        let wanted = self.value.as_ref().unwrap_or(&Value::Null);
        let is_equal = self.has_canonical_value && document::is_equal(found, wanted);
        if is_equal {
            Ok(())
        } else {
            Err("the value there is another one".to_owned())
        }
    }

    fn name(&self) -> &str {
        self.op
            .as_ref()
            .and_then(Value::as_str)
            .unwrap_or("unknown")
    }

    fn path(&self) -> Result<&str, String> {
        self.path
            .as_ref()
            .and_then(Value::as_str)
            .ok_or_else(|| "`path` is missing or no text".to_owned())
    }

    fn from(&self) -> Result<&str, String> {
        self.from
            .as_ref()
            .and_then(Value::as_str)
            .ok_or_else(|| "`from` is missing or no text".to_owned())
    }

    /// What to do where the operation cannot be carried out.
    fn cure(&self, document: &Value) -> Option<String> {
        let path = match self.name() {
            "move" | "copy" => self.from(),
            "add" | "remove" | "replace" | "test" => self.path(),
            _ => {
                let near = crate::decode::nearest(self.name(), &NAMES);
                return Some(near.map_or_else(
                    || "an operation is `{op: replace, path: /spec/replicas, value: 2}`".to_owned(),
                    |near| format!("did you mean `{near}`?"),
                ));
            }
        };
        match path {
            Ok(path) => document::cure(document, path),
            Err(_) => {
                Some("write the path with `/` between its parts: `/spec/replicas`".to_owned())
            }
        }
    }

    fn error(&self, index: usize, problem: &str) -> Error {
        let path = self.path().unwrap_or_default();
        self.blame(Error::new(format!(
            "operation {} of the JSON patch, `{}` at `{path}`, failed: {problem}",
            index + 1,
            self.name()
        )))
    }

    /// Says which operation an error is about, and which field.
    fn blame(&self, error: Error) -> Error {
        let field = dotted(self.path().unwrap_or_default());
        let error = error.position(self.position);
        if field.is_empty() {
            error
        } else {
            error.field(field)
        }
    }
}

/// A JSON pointer in the form that paths have everywhere else: `spec.ids[1]`.
fn dotted(pointer: &str) -> String {
    let mut path = String::new();
    for step in pointer.split('/').skip(1) {
        let is_index = step == "-" || step.bytes().all(|byte| byte.is_ascii_digit());
        if is_index && !step.is_empty() && !path.is_empty() {
            path.extend(["[", step, "]"]);
            continue;
        }
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(&step.replace("~1", "/").replace("~0", "~"));
    }
    path
}

/// A path with a dot behind each step, whether it is an index or not.
fn steps(path: &str) -> String {
    path.replace('[', ".").replace(']', "") + "."
}

/// Whether a field is one of these, or inside of one.
fn is_within(field: &str, changed: &BTreeSet<String>) -> bool {
    let steps = steps(field);
    let mut ends = steps.match_indices('.');
    ends.any(|(end, _)| steps.get(..=end).is_some_and(|part| changed.contains(part)))
}

/// Keeps an object from growing deeper than what can be read.
fn check_depth(path: &str, value: &Value) -> Result<(), String> {
    let depth = path
        .matches('/')
        .count()
        .saturating_add(document::depth(value));
    let limit = Limits::default().depth;
    if depth > limit {
        Err(format!("the object would be deeper than {limit} levels"))
    } else {
        Ok(())
    }
}

/// Whether a value stands in the patch as Go's encoder would write it.
// kustomize: lazyNode.equal compares scalars as they are written, so `1.0` is not `1` and `"a<b"` is no text of an object.
fn is_written_as_go_does(value: &Value, written: &BTreeSet<&str>) -> bool {
    match value {
        Value::Array(items) => items
            .iter()
            .all(|item| is_written_as_go_does(item, written)),
        Value::Object(entries) => entries
            .iter()
            .all(|(_, value)| is_written_as_go_does(value, written)),
        Value::Null | Value::Bool(_) => true,
        Value::Int(_) | Value::Uint(_) | Value::Float(_) | Value::String(_) => {
            written.contains(value.to_json().as_str())
        }
    }
}

/// The scalars that are values in a JSON text without space between its tokens, as they are written.
fn scalars(text: &str) -> BTreeSet<&str> {
    let mut found = BTreeSet::new();
    let mut rest = text;
    while let Some(first) = rest.bytes().next() {
        let length = match first {
            b'"' => text_length(rest),
            b'[' | b']' | b'{' | b'}' | b',' | b':' => 1,
            _ => rest.find([',', ']', '}', ':']).unwrap_or(rest.len()),
        };
        let (token, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        let is_scalar = length > 1 || first.is_ascii_digit();
        if is_scalar && !after.starts_with(':') {
            found.insert(token);
        }
        rest = after;
    }
    found
}

/// The bytes of the text in quotes that a JSON text begins with.
fn text_length(text: &str) -> usize {
    let mut is_escaped = false;
    for (index, byte) in text.bytes().enumerate().skip(1) {
        if is_escaped {
            is_escaped = false;
        } else if byte == b'\\' {
            is_escaped = true;
        } else if byte == b'"' {
            return index + 1;
        }
    }
    text.len()
}
