//! The rules that a declaration gives its keys: types, limits, patterns, and which keys must have a value.

mod read;

use std::fmt;

use regex::Regex;

use super::{Place, types};

pub use read::Schemas;

/// The annotation with the rules: a YAML map from keys to what their values must be.
pub const ANNOTATION: &str = "argocd-infisical.io/schema";

/// What a value must be.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rule {
    /// Its type.
    pub kind: Type,
    /// The pattern that the whole of it matches.
    pattern: Option<Pattern>,
    /// Whether a value is asked for: always, only where a placeholder cannot do without, or where none is told.
    pub required: Option<bool>,
    /// Where the rule stands.
    pub place: Place,
}

/// The type of a setting, with the limits that the type allows.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Type {
    /// Any text.
    #[default]
    String,
    /// An integer.
    Int(Limit<i64>),
    /// A finite number.
    Float(Limit<f64>),
    /// `true` or `false`.
    Bool,
    /// A mapping or a list in YAML.
    Yaml,
    /// An object or an array in JSON.
    Json,
}

/// The smallest and the largest number that are allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit<T> {
    min: Option<T>,
    max: Option<T>,
}

/// A regular expression for the whole of a value.
#[derive(Clone, Debug)]
struct Pattern {
    written: String,
    compiled: Regex,
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.written == other.written
    }
}

impl Type {
    /// Whether the filters `yaml` and `json` may read a setting of this type.
    pub const fn is_block(&self) -> bool {
        matches!(self, Self::Yaml | Self::Json)
    }

    /// Whether a value can only be on or off, or a number with a fraction.
    pub const fn is_switch(&self) -> bool {
        matches!(self, Self::Bool | Self::Float(_))
    }

    /// As a schema writes it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Int(_) => "int",
            Self::Float(_) => "float",
            Self::Bool => "bool",
            Self::Yaml => "yaml",
            Self::Json => "json",
        }
    }

    fn violation(&self, text: &str) -> Option<String> {
        let expected = match self {
            Self::String => return None,
            Self::Int(limit) => match types::int(text) {
                Ok(number) => return limit.violation(&number),
                Err(expected) => expected,
            },
            Self::Float(limit) => match types::float(text) {
                Ok(number) => return limit.violation(&number),
                Err(expected) => expected,
            },
            Self::Bool => types::bool(text).err()?,
            Self::Yaml => types::yaml(text).err()?,
            Self::Json => types::json(text).err()?,
        };
        Some(format!("must be {expected}"))
    }
}

impl<T: PartialOrd + fmt::Display> Limit<T> {
    fn violation(&self, number: &T) -> Option<String> {
        match (&self.min, &self.max) {
            (Some(min), _) if number < min => Some(format!("must be at least {min}")),
            (_, Some(max)) if number > max => Some(format!("must be at most {max}")),
            _ => None,
        }
    }
}

impl Rule {
    /// What a value breaks, without the value.
    pub fn violations(&self, text: &str) -> Vec<String> {
        let pattern = self
            .pattern
            .as_ref()
            .filter(|pattern| !pattern.compiled.is_match(text))
            .map(|pattern| format!("must match the pattern `{}` as a whole", pattern.written));
        self.kind
            .violation(text)
            .into_iter()
            .chain(pattern)
            .collect()
    }
}
