//! Selectors: which resources a patch or a replacement is for.

use goyaml::Text;
use regex::Regex;

use crate::error::{Error, Result};
use crate::id::{Gvk, ResId};
use crate::metadata::{self, StringMap};
use crate::re2;
use crate::resource::Resource;

/// Parts of an id as regular expressions, and label expressions; empty parts match everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector {
    /// Kind, name and namespace; each an anchored regular expression.
    pub id: ResId,
    /// A label selector that the annotations must satisfy.
    pub annotations: Text,
    /// A label selector that the labels must satisfy.
    pub labels: Text,
}

/// A [`Selector`] whose expressions are compiled.
#[derive(Debug)]
pub struct CompiledSelector {
    group: Pattern,
    version: Pattern,
    kind: Pattern,
    name: Pattern,
    namespace: Pattern,
    labels: Vec<Requirement>,
    annotations: Vec<Requirement>,
}

#[derive(Debug)]
enum Pattern {
    Anything,
    /// Most patterns are plain names, which need no regular expression.
    Literal(Text),
    Regex(Regex),
}

impl Selector {
    /// Compiles the expressions.
    ///
    /// # Errors
    /// Where one is no regular expression or no label selector.
    pub fn compile(&self) -> Result<CompiledSelector> {
        let Self {
            id,
            annotations,
            labels,
        } = self;
        let ResId {
            gvk:
                Gvk {
                    group,
                    version,
                    kind,
                },
            name,
            namespace,
            cluster_scoped: _,
        } = id;
        Ok(CompiledSelector {
            group: Pattern::new("group", group)?,
            version: Pattern::new("version", version)?,
            kind: Pattern::new("kind", kind)?,
            name: Pattern::new("name", name)?,
            namespace: Pattern::new("namespace", namespace)?,
            labels: parse_requirements("labelSelector", labels)?,
            annotations: parse_requirements("annotationSelector", annotations)?,
        })
    }
}

impl CompiledSelector {
    /// The one name that it selects, where that is no expression.
    pub(crate) fn literal_name(&self) -> Option<&str> {
        match &self.name {
            Pattern::Literal(name) => Some(name),
            Pattern::Anything | Pattern::Regex(_) => None,
        }
    }

    /// Whether the resource is selected, by what it is or by what it was at first.
    // kustomize: resWrangler.Select
    pub fn matches(&self, resource: &Resource) -> bool {
        let current = resource.id();
        if !self.matches_gvk(&current.gvk) {
            return false;
        }
        if !self.matches_name_and_namespace(resource, current) {
            return false;
        }
        (self.labels.is_empty() || satisfies(&self.labels, &metadata::labels(resource.node())))
            && (self.annotations.is_empty()
                || satisfies(&self.annotations, &metadata::annotations(resource.node())))
    }

    fn matches_name_and_namespace(&self, resource: &Resource, current: &ResId) -> bool {
        let name = self.name.matches(&current.name);
        let namespace = self.namespace.matches(current.effective_namespace());
        if (name && namespace) || resource.notes.previous.is_empty() {
            return name && namespace;
        }
        let original = resource.original_id();
        (name || self.name.matches(&original.name))
            && (namespace || self.namespace.matches(original.effective_namespace()))
    }

    /// Whether group, version and kind match.
    pub fn matches_gvk(&self, gvk: &Gvk) -> bool {
        self.kind.matches(&gvk.kind)
            && self.group.matches(&gvk.group)
            && self.version.matches(&gvk.version)
    }

    /// Whether an id matches as written, with its namespace taken literally; labels do not count.
    // kustomize: TargetSelectorRegex.Selects
    pub fn matches_id(&self, id: &ResId) -> bool {
        self.matches_gvk(&id.gvk)
            && self.name.matches(&id.name)
            && self.namespace.matches(&id.namespace)
    }

    /// Whether labels and annotations satisfy the selectors for them.
    pub fn matches_metadata(&self, resource: &Resource) -> bool {
        (self.labels.is_empty() || satisfies(&self.labels, &metadata::labels(resource.node())))
            && (self.annotations.is_empty()
                || satisfies(&self.annotations, &metadata::annotations(resource.node())))
    }
}

impl Pattern {
    fn new(part: &str, expression: &Text) -> Result<Self> {
        if expression.is_empty() {
            return Ok(Self::Anything);
        }
        // A dot in a plain name is a wildcard in kustomize too, so only names without any special character qualify.
        if expression
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'/'))
        {
            return Ok(Self::Literal(expression.clone()));
        }
        re2::compile(&format!("^(?:{expression})$"))
            .map(Self::Regex)
            .map_err(|reason| {
                Error::new(format!(
                    "`{part}` of the selector is not a regular expression: {reason}"
                ))
                .hint("write a regular expression in RE2 syntax; it has to match the whole text")
            })
    }

    fn matches(&self, text: &str) -> bool {
        match self {
            Self::Anything => true,
            Self::Literal(literal) => literal == text,
            Self::Regex(regex) => regex.is_match(text),
        }
    }
}

/// One condition of a label selector.
#[derive(Debug, PartialEq, Eq)]
struct Requirement {
    key: String,
    operator: Operator,
}

#[derive(Debug, PartialEq, Eq)]
enum Operator {
    Exists,
    DoesNotExist,
    In(Vec<String>),
    NotIn(Vec<String>),
    GreaterThan(i64),
    LessThan(i64),
}

impl Requirement {
    // apimachinery: labels.Requirement.Matches
    fn is_met(&self, labels: &StringMap) -> bool {
        let value = labels.get(self.key.as_str());
        match &self.operator {
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
            Operator::In(values) => {
                value.is_some_and(|value| values.iter().any(|one| one == value.as_str()))
            }
            Operator::NotIn(values) => {
                value.is_none_or(|value| values.iter().all(|one| one != value.as_str()))
            }
            Operator::GreaterThan(bound) => number(value).is_some_and(|number| number > *bound),
            Operator::LessThan(bound) => number(value).is_some_and(|number| number < *bound),
        }
    }
}

fn number(value: Option<&Text>) -> Option<i64> {
    value?.parse().ok()
}

fn satisfies(requirements: &[Requirement], labels: &StringMap) -> bool {
    requirements
        .iter()
        .all(|requirement| requirement.is_met(labels))
}

/// Reads the selector language of `kubectl get --selector`.
fn parse_requirements(part: &str, text: &str) -> Result<Vec<Requirement>> {
    let mut parser = RequirementParser { rest: text };
    parser.all().ok_or_else(|| {
        Error::new(format!("`{part}` is not a label selector"))
            .hint("write it as for `kubectl get --selector`: `key=value`, `key!=value`, `key in (a, b)`, `key`, `!key`")
    })
}

struct RequirementParser<'a> {
    rest: &'a str,
}

impl<'a> RequirementParser<'a> {
    fn all(&mut self) -> Option<Vec<Requirement>> {
        let mut found = Vec::new();
        self.skip_space();
        if self.rest.is_empty() {
            return Some(found);
        }
        loop {
            found.push(self.one()?);
            self.skip_space();
            if self.rest.is_empty() {
                return Some(found);
            }
            self.take(",")?;
        }
    }

    fn one(&mut self) -> Option<Requirement> {
        self.skip_space();
        if self.take("!").is_some() {
            let key = self.key()?;
            return Some(Requirement {
                key,
                operator: Operator::DoesNotExist,
            });
        }
        let key = self.key()?;
        self.skip_space();
        if self.rest.is_empty() || self.rest.starts_with(',') {
            return Some(Requirement {
                key,
                operator: Operator::Exists,
            });
        }
        let operator = self.operator()?;
        Some(Requirement { key, operator })
    }

    fn operator(&mut self) -> Option<Operator> {
        if self.take("==").is_some() || self.take("=").is_some() {
            return Some(Operator::In(vec![self.value()?]));
        }
        if self.take("!=").is_some() {
            return Some(Operator::NotIn(vec![self.value()?]));
        }
        if self.take(">").is_some() {
            return self.value()?.parse().ok().map(Operator::GreaterThan);
        }
        if self.take("<").is_some() {
            return self.value()?.parse().ok().map(Operator::LessThan);
        }
        match self.word()? {
            "in" => Some(Operator::In(self.set()?)),
            "notin" => Some(Operator::NotIn(self.set()?)),
            _ => None,
        }
    }

    fn set(&mut self) -> Option<Vec<String>> {
        self.skip_space();
        self.take("(")?;
        let mut values = Vec::new();
        loop {
            values.push(self.value()?);
            self.skip_space();
            if self.take(")").is_some() {
                return Some(values);
            }
            self.take(",")?;
        }
    }

    // apimachinery: content.IsLabelKey
    fn key(&mut self) -> Option<String> {
        let key = self.word()?;
        let (prefix, name) = match key.split_once('/') {
            Some((prefix, name)) => (Some(prefix), name),
            None => (None, key),
        };
        let is_valid = is_label_word(name) && prefix.is_none_or(is_subdomain);
        is_valid.then(|| key.to_owned())
    }

    /// A value may be empty.
    // apimachinery: content.IsLabelValue
    fn value(&mut self) -> Option<String> {
        let value = self.word().unwrap_or_default();
        (value.is_empty() || is_label_word(value)).then(|| value.to_owned())
    }

    fn word(&mut self) -> Option<&'a str> {
        self.skip_space();
        let end = self
            .rest
            .find(|c: char| c.is_whitespace() || "=!<>(),".contains(c))
            .unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        (!word.is_empty()).then_some(word)
    }

    fn take(&mut self, token: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(token)?;
        Some(())
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start();
    }
}

/// Up to 63 letters, digits, `-`, `_` and `.`, with a letter or digit at both ends.
fn is_label_word(word: &str) -> bool {
    let is_end = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    word.len() <= 63
        && is_end(word.bytes().next())
        && is_end(word.bytes().next_back())
        && word
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

/// Up to 253 lower-case letters, digits and `-` in parts between dots.
fn is_subdomain(text: &str) -> bool {
    let is_end = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_part = |part: &str| {
        let bytes = part.as_bytes();
        bytes.first().is_some_and(is_end)
            && bytes.last().is_some_and(is_end)
            && bytes.iter().all(|byte| is_end(byte) || *byte == b'-')
    };
    text.len() <= 253 && text.split('.').all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> StringMap {
        pairs
            .iter()
            .map(|(key, value)| (Text::from(*key), Text::from(*value)))
            .collect()
    }

    #[test]
    fn label_selectors_follow_kubectl() {
        let cases = [
            ("a=b", true),
            ("a==b", true),
            ("a!=b", false),
            ("a in (x, b)", true),
            ("a notin (x)", true),
            ("missing notin (x)", true),
            ("missing", false),
            ("!missing", true),
            ("a,n>3,n<5", true),
            ("a=", false),
            ("a=b,missing=x", false),
        ];
        for (text, expected) in cases {
            let requirements = parse_requirements("labelSelector", text).expect("a selector");
            assert_eq!(
                satisfies(&requirements, &labels(&[("a", "b"), ("n", "4")])),
                expected,
                "{text}"
            );
        }
        let long = format!("a!={}", "b".repeat(70));
        let invalid = [
            "-bad!=b",
            "a=-b",
            "!a/",
            "/a",
            "A.b/c",
            "a/b/c",
            "a in (b, c-)",
            &long,
        ];
        for text in invalid {
            assert!(parse_requirements("labelSelector", text).is_err(), "{text}");
        }
        for text in ["a.b-c/D_e", "x,!y", "a in (,b)"] {
            assert!(parse_requirements("labelSelector", text).is_ok(), "{text}");
        }
        for text in ["a in b", "a=b c", "=b", "a in (b", "a ~ b", ","] {
            assert!(parse_requirements("labelSelector", text).is_err(), "{text}");
        }
    }
}
