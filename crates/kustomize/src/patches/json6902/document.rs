//! The object that a JSON patch changes, and the places in it that JSON pointers name.

use std::collections::BTreeMap;

use goyaml::{Text, Value};

/// An entry of a map or an item of a list, there or not.
pub(super) struct Place<'a> {
    container: Container<'a>,
    key: String,
    /// How many entries there are in the lists and maps on the way.
    steps: usize,
}

enum Container<'a> {
    Object(&'a mut Vec<(Text, Value)>),
    Array(&'a mut Vec<Value>),
}

impl<'a> Place<'a> {
    /// Walks to the map or list that a pointer's last part speaks of.
    ///
    /// What stands before the first `/` is ignored, as in kustomize.
    pub(super) fn find(document: &'a mut Value, pointer: &str) -> Result<Self, String> {
        let mut parts = pointer.split('/').skip(1).map(unescape);
        let mut key = parts.next().ok_or("the path has no `/`")?;
        let mut container =
            Container::of(document).ok_or("the object is neither a map nor a list")?;
        let mut steps = container.len();
        for next in parts {
            container = Self {
                container,
                key: key.clone(),
                steps,
            }
            .into_value()?
            .and_then(Container::of)
            .ok_or_else(|| {
                format!("`{key}` on the way there is missing, or is neither a map nor a list")
            })?;
            steps = steps.saturating_add(container.len());
            key = next;
        }
        Ok(Self {
            container,
            key,
            steps,
        })
    }

    /// How many entries may have to be looked through, or moved, for what is done at the place.
    pub(super) const fn steps(&self) -> usize {
        self.steps
    }

    fn into_value(self) -> Result<Option<&'a mut Value>, String> {
        let Self {
            container,
            key,
            steps: _,
        } = self;
        match container {
            Container::Object(entries) => Ok(entries
                .iter_mut()
                .find(|(name, _)| *name == key)
                .map(|(_, value)| value)),
            Container::Array(items) => {
                let index = index(&key, items.len())?;
                Ok(items.get_mut(index))
            }
        }
    }

    /// The value, `None` for a key that a map does not have.
    pub(super) fn get(self) -> Result<Option<&'a Value>, String> {
        Ok(self.into_value()?.map(|value| &*value))
    }

    /// Sets an entry of a map, or inserts an item into a list.
    pub(super) fn add(self, value: Value) -> Result<(), String> {
        match self.container {
            Container::Object(entries) => set(entries, &self.key, value),
            Container::Array(items) if self.key == "-" => items.push(value),
            Container::Array(items) => {
                let index = index(&self.key, items.len() + 1)?;
                items.insert(index, value);
            }
        }
        Ok(())
    }

    /// Sets an entry of a map, which need not be there, or an item of a list, which must.
    // kustomize: partialDoc.get knows no missing key, so that `replace` adds.
    pub(super) fn replace(self, value: Value) -> Result<(), String> {
        match self.container {
            Container::Object(entries) => set(entries, &self.key, value),
            Container::Array(items) => {
                let index = index(&self.key, items.len())?;
                if let Some(item) = items.get_mut(index) {
                    *item = value;
                }
            }
        }
        Ok(())
    }

    /// Takes the value out of its map or list.
    pub(super) fn remove(self) -> Result<Value, String> {
        match self.container {
            Container::Object(entries) => {
                let index = entries.iter().position(|(name, _)| *name == self.key);
                index
                    .map(|index| entries.remove(index).1)
                    .ok_or_else(|| format!("there is no key `{}`", self.key))
            }
            Container::Array(items) => {
                let index = index(&self.key, items.len())?;
                Ok(items.remove(index))
            }
        }
    }
}

impl<'a> Container<'a> {
    const fn of(value: &'a mut Value) -> Option<Self> {
        match value {
            Value::Object(entries) => Some(Self::Object(entries)),
            Value::Array(items) => Some(Self::Array(items)),
            _ => None,
        }
    }

    const fn len(&self) -> usize {
        match self {
            Self::Object(entries) => entries.len(),
            Self::Array(items) => items.len(),
        }
    }
}

fn set(entries: &mut Vec<(Text, Value)>, key: &str, value: Value) {
    match entries.iter_mut().find(|(name, _)| name == key) {
        Some((_, slot)) => *slot = value,
        None => entries.push((key.into(), value)),
    }
}

/// Reads an index below `length`; negative ones count from the end.
fn index(key: &str, length: usize) -> Result<usize, String> {
    let number: i64 = key
        .parse()
        .map_err(|_| format!("`{key}` is no index of a list"))?;
    let distance = usize::try_from(number.unsigned_abs()).ok();
    let index = if number < 0 {
        distance.and_then(|distance| length.checked_sub(distance))
    } else {
        distance
    };
    index
        .filter(|index| *index < length)
        .ok_or_else(|| format!("the list is too short for index {number}"))
}

/// What to do about a pointer that leads nowhere: the first part that is not there, and what may have been meant.
pub(super) fn cure(document: &Value, pointer: &str) -> Option<String> {
    if !pointer.starts_with('/') {
        return Some(format!(
            "begin the path with `/`: `/{}`",
            pointer.replace('.', "/")
        ));
    }
    let mut here = document;
    let mut walked = String::new();
    let parts: Vec<&str> = pointer.split('/').skip(1).collect();
    for (position, written) in parts.iter().enumerate() {
        let part = unescape(written);
        let next = match here {
            Value::Object(entries) => {
                let Some((_, value)) = entries.iter().find(|(key, _)| *key == part) else {
                    let rest = parts.get(position..).unwrap_or_default();
                    let cure = cure_of_key(&part, entries, &walked);
                    return Some(match escaped_key(&walked, rest) {
                        Some(key) => format!("{cure}; a `/` in a key is written `~1`: `{key}`"),
                        None => cure,
                    });
                };
                value
            }
            Value::Array(items) => {
                match index(&part, items.len()).ok().and_then(|at| items.get(at)) {
                    Some(value) => value,
                    None => {
                        return Some(format!(
                            "`{walked}` is a list of {}: count from 0, or add at its end with `-`",
                            items.len()
                        ));
                    }
                }
            }
            _ => {
                return Some(format!(
                    "`{walked}` is neither a map nor a list, so nothing is below it"
                ));
            }
        };
        walked.push('/');
        walked.push_str(written);
        here = next;
    }
    None
}

/// The pointer with the `/` escaped that may belong to a key of labels or annotations; `rest` begins with the part that is
/// not there.
fn escaped_key(walked: &str, rest: &[&str]) -> Option<String> {
    const MAPS: [&str; 4] = ["labels", "annotations", "matchLabels", "nodeSelector"];
    let last = walked.rsplit('/').next().unwrap_or_default();
    let (map, key) = match rest.split_first() {
        Some((map, key)) if MAPS.contains(map) => (format!("{walked}/{map}"), key),
        _ if MAPS.contains(&last) => (walked.to_owned(), rest),
        _ => return None,
    };
    (key.len() > 1).then(|| format!("{map}/{}", key.join("~1")))
}

fn cure_of_key(key: &str, entries: &[(Text, Value)], walked: &str) -> String {
    let mut keys: Vec<&str> = entries.iter().map(|(key, _)| key.as_str()).collect();
    keys.sort_unstable();
    let escaped = |key: &str| key.replace('~', "~0").replace('/', "~1");
    let with_slash = keys
        .iter()
        .find(|known| known.starts_with(&format!("{key}/")));
    if let Some(known) = with_slash
        .copied()
        .or_else(|| crate::decode::nearest(key, &keys))
    {
        return format!("did you mean `{walked}/{}`?", escaped(known));
    }
    format!(
        "`{walked}/{}` is not there: add it first, with all that belongs below it",
        escaped(key)
    )
}

fn unescape(part: &str) -> String {
    // `~01` is `~1`: what one replacement writes, the next must not read.
    part.split("~1")
        .map(|piece| piece.replace("~0", "~"))
        .collect::<Vec<_>>()
        .join("/")
}

/// How many values a value is made of.
pub(super) fn size(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(size).sum(),
        Value::Object(entries) => entries.iter().map(|(_, value)| size(value)).sum(),
        _ => 0,
    }
}

/// The bytes that a value counts for, with all that are in it.
pub(super) fn weight(value: &Value) -> usize {
    crate::limits::Limits::NODE_BYTES
        + match value {
            Value::Array(items) => items.iter().map(weight).sum(),
            Value::Object(entries) => entries
                .iter()
                .map(|(key, value)| key.len() + weight(value))
                .sum(),
            Value::String(text) => text.len(),
            _ => 0,
        }
}

/// How many values are inside one another, at most.
pub(super) fn depth(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(depth).max().unwrap_or_default(),
        Value::Object(entries) => entries
            .iter()
            .map(|(_, value)| depth(value))
            .max()
            .unwrap_or_default(),
        _ => 0,
    }
}

/// Whether two values are the same, with scalars compared as they are written.
pub(super) fn is_equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Object(left), Value::Object(right)) => {
            let right_by_key: BTreeMap<&Text, &Value> = right
                .iter()
                .rev()
                .map(|(key, value)| (key, value))
                .collect();
            left.len() == right.len()
                && left.iter().all(|(key, value)| {
                    right_by_key
                        .get(key)
                        .is_some_and(|other| is_equal(value, other))
                })
        }
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .zip(right)
                    .all(|(left, right)| is_equal(left, right))
        }
        (Value::Object(_) | Value::Array(_), _) | (_, Value::Object(_) | Value::Array(_)) => false,
        _ => left.to_json() == right.to_json(),
    }
}
