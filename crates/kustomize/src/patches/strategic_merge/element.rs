//! Finding elements of a list by the values of their merge keys, by the different rules that kyaml has for it.

use goyaml::{Node, Text};

use super::MergeError;

/// Merge keys and the values looked for; the one key `""` stands for the text of a scalar element itself.
#[derive(Clone, Debug)]
pub(super) struct ElementSelector<'a> {
    pub(super) keys: Vec<&'a str>,
    pub(super) values: Vec<Text>,
}

/// What becomes of an element when another is set in its list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is another element and stays.
    Stays,
    /// It is the one that is replaced or removed.
    Matches,
    /// It is not looked at and falls out of the list.
    Drops,
}

impl ElementSelector<'_> {
    /// Whether the first key and its value can tell mappings apart.
    fn wants_mappings(&self) -> bool {
        let is_set = |text: Option<&str>| text.is_some_and(|text| !text.is_empty());
        is_set(self.keys.first().copied()) && is_set(self.values.first().map(Text::as_str))
    }

    /// kustomize: `ElementSetter.Filter` loses empty elements, and all others where it is given no values.
    pub(super) fn fate(&self, element: &Node) -> Result<Fate, MergeError> {
        if is_empty(element) {
            return Ok(Fate::Drops);
        }
        if !element.is_mapping() && self.wants_mappings() {
            return Ok(Fate::Stays);
        }
        Ok(match (self.matches(element)?, self.values.is_empty()) {
            (true, _) => Fate::Matches,
            (false, false) => Fate::Stays,
            (false, true) => Fate::Drops,
        })
    }

    /// Whether an element stays when the ones that match are removed.
    pub(super) fn keeps(&self, element: &Node) -> Result<bool, MergeError> {
        Ok(self.fate(element)? == Fate::Stays)
    }

    /// A key without a value goes by the key before it; an empty value matches whatever the field holds.
    fn matches(&self, element: &Node) -> Result<bool, MergeError> {
        let mut matched = false;
        for (index, key) in self.keys.iter().enumerate() {
            if let Some(value) = self.values.get(index) {
                matched = field_matches(element, key, value)?;
            }
            if !matched {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether this is the element to merge with; kustomize: `ElementMatcher` wants an empty value to be there.
    pub(super) fn finds(&self, element: &Node) -> bool {
        if self.keys.first().is_none_or(|key| key.is_empty()) {
            return self
                .values
                .first()
                .is_some_and(|value| raw_text(element) == *value);
        }
        !element.is_null()
            && element.is_mapping()
            && self
                .keys
                .iter()
                .zip(&self.values)
                .all(|(key, value)| element.get(key).map(raw_text) == Some(value))
    }
}

fn field_matches(element: &Node, key: &str, value: &str) -> Result<bool, MergeError> {
    if key.is_empty() {
        return match element.as_str() {
            Some(text) => Ok(text == value),
            None => Err(MergeError::wrong_kind("a scalar", element)),
        };
    }
    if !element.is_mapping() {
        return Err(MergeError::wrong_kind("a mapping", element));
    }
    Ok(element
        .get(key)
        .is_some_and(|field| value.is_empty() || raw_text(field) == value))
}

/// The text of a scalar, be it null; empty for a collection.
pub(super) fn raw_text(node: &Node) -> &str {
    node.as_str().unwrap_or_default()
}

/// The text by which a merge key tells an element apart; empty where the element has none.
pub(super) fn key_text(element: &Node, key: &str) -> Text {
    let field = if key.is_empty() {
        Some(element)
    } else {
        element.get(key).filter(|field| !field.is_null())
    };
    field.and_then(Node::to_text).unwrap_or_default()
}

/// The texts by which merge keys tell an element apart.
pub(super) fn key_texts(element: &Node, keys: &[&str]) -> Vec<Text> {
    keys.iter().map(|key| key_text(element, key)).collect()
}

/// Whether a list does not hold such an element: a null or a mapping without fields.
pub(super) fn is_empty(element: &Node) -> bool {
    element.is_null() || element.entries().is_some_and(<[_]>::is_empty)
}
