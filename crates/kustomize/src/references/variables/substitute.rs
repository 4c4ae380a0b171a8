//! `$(NAME)` in texts, and what takes its place.

use std::collections::{BTreeMap, BTreeSet};

use goyaml::{Data, Node, Style, Tag, Text};

use crate::error::{Error, Result};

/// The value of a variable.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Text(Text),
    Int(i64),
    Float(f64),
    Bool(bool),
    /// A map or a list, which can stand in no text.
    Collection,
}

/// The values of all variables, and which of them have been used.
pub(super) struct Substitution {
    values: BTreeMap<Text, Value>,
    used: BTreeSet<Text>,
}

impl Substitution {
    pub(super) const fn new(values: BTreeMap<Text, Value>) -> Self {
        Self { values, used: BTreeSet::new() }
    }

    /// The variables that nothing has referred to, sorted.
    pub(super) fn unused(&self) -> Vec<&str> {
        self.values.keys().filter(|name| !self.used.contains(*name)).map(Text::as_str).collect()
    }

    /// Replaces references in a text, in the texts of a list or in those that a map holds.
    ///
    /// # Errors
    /// Where an item of a list or a key of a map is no text.
    // kustomize: filters/refvar Filter.set
    pub(super) fn apply(&mut self, node: &mut Node) -> Result<()> {
        match &mut node.data {
            _ if node.tag == Tag::Null => Ok(()),
            Data::Scalar(_) => self.replace_in(node),
            Data::Sequence(items) => items.iter_mut().try_for_each(|item| {
                if !is_text(item) {
                    return Err(Error::new("an item of a list that may refer to variables is not a text")
                        .position(item.position)
                        .hint("put the item in quotes"));
                }
                self.replace_in(item)
            }),
            Data::Mapping(entries) => entries.iter_mut().try_for_each(|(key, value)| {
                if !is_text(key) {
                    return Err(Error::new("a key of a map that may refer to variables is not a text")
                        .position(key.position)
                        .hint("put the key in quotes"));
                }
                self.replace_in(value)
            }),
            Data::Alias(_) => Err(Error::new("an alias stands where a value is expected").position(node.position)),
        }
    }

    /// Replaces references in a text and leaves anything else alone.
    fn replace_in(&mut self, node: &mut Node) -> Result<()> {
        if !is_text(node) {
            return Ok(());
        }
        let text = node.to_text().unwrap_or_default();
        // kustomize: updateNodeValue drops the style of every text it passes, whether it holds a reference or not.
        node.style = Style::PLAIN;
        if !text.contains('$') {
            return Ok(());
        }
        let (text, tag) = match self.whole(&text) {
            Some(value) => value,
            None => (self.expand(&text).map_err(|error| error.position(node.position))?, Tag::Str),
        };
        node.data = Data::Scalar(text);
        node.tag = tag;
        Ok(())
    }

    /// The value of a text that is a reference and nothing else; it keeps its type.
    fn whole(&mut self, text: &str) -> Option<(Text, Tag)> {
        let name = text.strip_prefix("$(")?.strip_suffix(')').filter(|name| !name.contains(')'))?;
        Some(match self.value(name)? {
            Value::Text(text) => (text, Tag::Str),
            Value::Int(number) => (number.to_string().into(), Tag::Int),
            Value::Float(number) => (number.to_string().into(), Tag::Float),
            Value::Bool(value) => (value.to_string().into(), Tag::Bool),
            Value::Collection => return None,
        })
    }

    // kustomize: refvar.DoReplacements and tryReadVariableName
    fn expand(&mut self, text: &str) -> Result<Text> {
        let mut expanded = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('$') {
            expanded.push_str(before);
            rest = after;
            match after.chars().next() {
                None => expanded.push('$'),
                Some('$') => {
                    expanded.push('$');
                    rest = after.get(1..).unwrap_or_default();
                }
                Some('(') => match after.split_once(')') {
                    Some((reference, after)) => {
                        self.push_value(&mut expanded, reference.get(1..).unwrap_or_default());
                        rest = after;
                    }
                    None => {
                        expanded.push_str("$(");
                        rest = after.get(1..).unwrap_or_default();
                    }
                },
                Some(other) if other.is_ascii() => {
                    expanded.extend(['$', other]);
                    rest = after.get(1..).unwrap_or_default();
                }
                // kustomize: takes the character's first byte for a character of its own, and cannot print the result.
                Some(other) => {
                    return Err(Error::new(format!("`${other}` cannot stand in a text that may refer to variables"))
                        .hint("write `$$` for a dollar sign"));
                }
            }
        }
        expanded.push_str(rest);
        Ok(expanded.into())
    }

    fn push_value(&mut self, expanded: &mut String, name: &str) {
        match self.value(name) {
            Some(Value::Text(text)) => expanded.push_str(&text),
            Some(Value::Int(number)) => expanded.push_str(&number.to_string()),
            Some(Value::Float(number)) => expanded.push_str(&shortest(number)),
            Some(Value::Bool(value)) => expanded.push_str(&value.to_string()),
            Some(Value::Collection) | None => {
                expanded.push_str("$(");
                expanded.push_str(name);
                expanded.push(')');
            }
        }
    }

    fn value(&mut self, name: &str) -> Option<Value> {
        let value = self.values.get(name)?;
        if *value != Value::Collection {
            self.used.insert(name.into());
        }
        Some(value.clone())
    }
}

fn is_text(node: &Node) -> bool {
    node.is_scalar() && node.tag == Tag::Str
}

/// A float as Go's `%v` prints it: with an exponent where that is below -4 or above 5.
fn shortest(number: f64) -> String {
    let scientific = format!("{number:e}");
    let Some((digits, exponent)) = scientific.split_once('e') else { return scientific };
    match exponent.parse::<i32>() {
        Ok(exponent) if exponent < -4 || exponent >= 6 => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{digits}e{sign}{:02}", exponent.unsigned_abs())
        }
        _ => number.to_string(),
    }
}
