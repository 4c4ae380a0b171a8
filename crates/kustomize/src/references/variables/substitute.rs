//! `$(NAME)` in texts, and what takes its place.

use std::collections::{BTreeMap, BTreeSet};

use goyaml::{Data, Node, Style, Tag, Text};

use crate::error::{Error, Result};
use crate::generators::base64_lines;
use crate::limits::Budget;

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
pub(super) struct Substitution<'a> {
    budget: &'a Budget,
    values: BTreeMap<Text, Value>,
    used: BTreeSet<Text>,
}

impl<'a> Substitution<'a> {
    pub(super) const fn new(values: BTreeMap<Text, Value>, budget: &'a Budget) -> Self {
        Self {
            budget,
            values,
            used: BTreeSet::new(),
        }
    }

    /// The variables that nothing has referred to, sorted.
    pub(super) fn unused(&self) -> Vec<&str> {
        self.values
            .keys()
            .filter(|name| !self.used.contains(*name))
            .map(Text::as_str)
            .collect()
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
                    return Err(Error::new(
                        "an item of a list that may refer to variables is not a text",
                    )
                    .position(item.position)
                    .hint("put the item in quotes"));
                }
                self.replace_in(item)
            }),
            Data::Mapping(entries) => entries.iter_mut().try_for_each(|(key, value)| {
                if !is_text(key) {
                    return Err(Error::new(
                        "a key of a map that may refer to variables is not a text",
                    )
                    .position(key.position)
                    .hint("put the key in quotes"));
                }
                self.replace_in(value)
            }),
            Data::Alias(_) => {
                Err(Error::new("an alias stands where a value is expected").position(node.position))
            }
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
        node.set_tag(Tag::Str);
        if !text.contains('$') {
            return Ok(());
        }
        let (text, tag) = match self.whole(&text) {
            Some(value) => value,
            None => (self.expand(&text)?, Tag::Str),
        };
        node.data = Data::Scalar(text);
        node.set_tag(tag);
        Ok(())
    }

    /// The value of a text that is a reference and nothing else; it keeps its type.
    fn whole(&mut self, text: &str) -> Option<(Text, Tag)> {
        let name = text
            .strip_prefix("$(")?
            .strip_suffix(')')
            .filter(|name| !name.contains(')'))?;
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
        let mut expanded = Vec::with_capacity(text.len());
        let mut rest = text;
        // A text may have many beginnings of references without an end; each looks for it once.
        let behind_last = text.rfind(')').map_or(usize::MAX, |last| text.len() - last);
        while let Some((before, after)) = rest.split_once('$') {
            expanded.extend_from_slice(before.as_bytes());
            let reference = Some(after)
                .filter(|after| after.len() >= behind_last)
                .and_then(|after| after.strip_prefix('('))
                .and_then(|inside| inside.split_once(')'));
            if let Some((name, after)) = reference {
                let written = self.written(name);
                self.budget.charge(written.len())?;
                expanded.extend_from_slice(written.as_bytes());
                rest = after;
                continue;
            }
            // What follows a dollar sign is taken with it, so that the second of two begins no reference.
            let next = after.chars().next();
            if next != Some('$') {
                expanded.push(b'$');
            }
            if let Some(next) = next {
                push_as_bytes(&mut expanded, next);
                rest = after.get(next.len_utf8()..).unwrap_or_default();
            } else {
                rest = after;
            }
        }
        expanded.extend_from_slice(rest.as_bytes());
        // kustomize: yaml.Node.SetString writes as base64 what is no UTF-8.
        let text = String::from_utf8(expanded);
        Ok(text.map_or_else(|error| base64_lines(error.as_bytes()), Text::from))
    }

    /// A variable's value within a text; a reference to no variable stays as it is.
    fn written(&mut self, name: &str) -> Text {
        match self.value(name) {
            Some(Value::Text(text)) => text,
            Some(Value::Int(number)) => number.to_string().into(),
            Some(Value::Float(number)) => shortest(number).into(),
            Some(Value::Bool(value)) => value.to_string().into(),
            Some(Value::Collection) | None => ["$(", name, ")"].concat().into(),
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
    node.is_scalar() && (node.tag == Tag::Str || node.is_untyped())
}

// kustomize: the first byte of a character behind a dollar sign is taken for a character of its own.
fn push_as_bytes(text: &mut Vec<u8>, character: char) {
    let mut buffer = [0; 4];
    if let Some((first, others)) = character.encode_utf8(&mut buffer).as_bytes().split_first() {
        text.extend_from_slice(char::from(*first).encode_utf8(&mut [0; 2]).as_bytes());
        text.extend_from_slice(others);
    }
}

/// A float as Go's `%v` prints it: with an exponent where that is below -4 or above 5.
fn shortest(number: f64) -> String {
    let scientific = format!("{number:e}");
    let Some((digits, exponent)) = scientific.split_once('e') else {
        return scientific;
    };
    match exponent.parse::<i32>() {
        Ok(exponent) if !(-4..6).contains(&exponent) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{digits}e{sign}{:02}", exponent.unsigned_abs())
        }
        _ => number.to_string(),
    }
}
