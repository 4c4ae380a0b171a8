//! Reads rules out of the annotation of a declaration.

use std::cell::Cell;
use std::collections::BTreeMap;

use goyaml::{Limits, Node, Position, Style, Tag};
use kustomize::{FileNames, Resource};
use regex::{Regex, RegexBuilder};

use super::{ANNOTATION, Limit, Pattern, Rule, Type};
use crate::failure::Problem;
use crate::settings::{Place, types};

/// Bounds on the annotation; Kubernetes allows an object 256 KiB of annotations.
const LIMITS: Limits = Limits {
    bytes: 256 << 10,
    depth: 10,
    alias_nodes: 1_000,
};
/// How large a compiled pattern may be, in bytes.
const PATTERN_SIZE: usize = 1 << 20;
/// What even the smallest pattern counts for.
const SMALLEST_PATTERN: usize = 16 << 10;
/// How much the compiled patterns of a build may be together.
const ALL_PATTERNS: usize = 16 << 20;
/// What a pattern may take beside it while it is matched.
const MATCHING_SIZE: usize = 256 << 10;

const FIELDS: [&str; 5] = ["type", "min", "max", "pattern", "required"];

/// The annotations as they were read. A merged `ConfigMap` has lost their places, and they are known again by their text.
pub struct Schemas {
    annotations: Vec<Node>,
    /// What patterns may still take, in bytes; `None` once they have taken more.
    left: Cell<Option<usize>>,
}

impl Default for Schemas {
    fn default() -> Self {
        Self::new()
    }
}

impl Schemas {
    /// None yet.
    pub const fn new() -> Self {
        Self {
            annotations: Vec::new(),
            left: Cell::new(Some(ALL_PATTERNS)),
        }
    }

    /// Remembers where the schema of a declaration stands.
    pub fn note(&mut self, resource: &Resource) {
        self.annotations.extend(annotation(resource).cloned());
    }

    /// Reads the rules of a declaration, by key.
    ///
    /// # Errors
    /// Everything that is wrong with them, each with the line of the annotation.
    pub fn read(
        &self,
        resource: &Resource,
        names: &FileNames,
    ) -> Result<BTreeMap<String, Rule>, Vec<Problem>> {
        let Some((found, text)) =
            annotation(resource).and_then(|node| Some((node, node.as_str()?)))
        else {
            return Ok(BTreeMap::new());
        };
        let noted = || {
            self.annotations
                .iter()
                .find(|node| node.as_str() == Some(text))
        };
        let node = match names.get(found.position.file) {
            None => noted().unwrap_or(found),
            Some(_) => found,
        };
        let reader = Reader {
            resource,
            names,
            node,
            left: &self.left,
        };
        reader.all(text)
    }
}

fn annotation(resource: &Resource) -> Option<&Node> {
    let annotations = resource.node().get_path(&["metadata", "annotations"])?;
    annotations.get(ANNOTATION)
}

const WRITE: &str = "write lines such as `KEY: {type: int, min: 1}`";

/// Reads rules out of one annotation.
struct Reader<'a> {
    resource: &'a Resource,
    names: &'a FileNames,
    /// The annotation's value.
    node: &'a Node,
    left: &'a Cell<Option<usize>>,
}

/// A part of the schema that is wrong: where in it, why, and what to do.
struct Fault<'n>(&'n Node, String, String);

impl Reader<'_> {
    fn all(&self, text: &str) -> Result<BTreeMap<String, Rule>, Vec<Problem>> {
        let documents = goyaml::parse_documents(text.as_bytes(), &LIMITS).map_err(|error| {
            let message = format!("the schema is not valid YAML: {}", error.message);
            vec![self.problem(error.position, message).hint(WRITE)]
        })?;
        let entries = match documents.as_slice() {
            [] => return Ok(BTreeMap::new()),
            [document] if document.is_null() => return Ok(BTreeMap::new()),
            [document] => document.entries(),
            [..] => None,
        };
        let entries = entries.ok_or_else(|| {
            let message = "the schema must be one map from keys to rules".to_owned();
            vec![self.problem(Position::at(1, 1), message).hint(WRITE)]
        })?;
        self.rules(entries)
    }

    fn rules(&self, entries: &[(Node, Node)]) -> Result<BTreeMap<String, Rule>, Vec<Problem>> {
        let data = self.resource.node().get("data");
        let mut rules = BTreeMap::new();
        let mut problems = Vec::new();
        for (key, value) in entries {
            if self.left.get().is_none() {
                break;
            }
            let name = key.to_text().unwrap_or_default();
            let rule = if data.is_none_or(|data| data.get(&name).is_none()) {
                let message = format!("the schema has a rule for `{name}`, which is not declared");
                Err(Fault(
                    key,
                    message,
                    format!("add `{name}: \"\"` to `data`, or remove the rule"),
                ))
            } else if rules.contains_key(name.as_str()) {
                let message = format!("the schema has two rules for `{name}`");
                Err(Fault(key, message, "make one of the two".into()))
            } else {
                rule(&name, value, self.left)
            };
            match rule {
                Ok(mut rule) => {
                    let position = self.position(key.position);
                    rule.place = Place {
                        file: self.file(position).unwrap_or_default().to_owned(),
                        line: position.line,
                    };
                    rules.insert(name.to_string(), rule);
                }
                Err(Fault(node, message, hint)) => {
                    problems.push(self.problem(node.position, message).hint(hint));
                }
            }
        }
        if problems.is_empty() && self.left.get().is_some() {
            Ok(rules)
        } else {
            Err(problems)
        }
    }

    fn file(&self, position: Position) -> Option<&str> {
        self.names.get(position.file)
    }

    /// The place in the file of a place in the annotation, as exactly as the way it was written allows.
    fn position(&self, inner: Position) -> Position {
        let outer = self.node.position;
        if outer.line == 0 || !self.node.style.contains(Style::LITERAL) {
            return outer;
        }
        // What lacks its end is found behind the last line.
        let lines = self.node.as_str().map_or(1, |text| text.lines().count());
        let last = u32::try_from(lines).unwrap_or(u32::MAX).max(1);
        Position {
            line: outer.line.saturating_add(inner.line.clamp(1, last)),
            column: 0,
            ..outer
        }
    }

    fn problem(&self, inner: Position, message: String) -> Problem {
        let position = self.position(inner);
        let mut problem = Problem::new(message)
            .in_repository(self.file(position), position)
            .resource(self.resource.id());
        problem.field = Some(format!("metadata.annotations.[{ANNOTATION}]"));
        problem
    }
}

fn rule<'n>(key: &str, node: &'n Node, left: &Cell<Option<usize>>) -> Result<Rule, Fault<'n>> {
    let Some(entries) = node.entries() else {
        let message = format!("the rule for `{key}` must be a map");
        return Err(Fault(
            node,
            message,
            format!("write `{key}: {{type: string}}`"),
        ));
    };
    for (index, (name, _)) in entries.iter().enumerate() {
        let field = name.to_text().unwrap_or_default();
        if !FIELDS.contains(&field.as_str()) {
            let message = format!("unknown field `{field}` in the rule for `{key}`");
            let hint = "there are `type`, `min`, `max`, `pattern` and `required`";
            return Err(Fault(name, message, hint.into()));
        }
        if entries
            .iter()
            .take(index)
            .any(|(other, _)| other.to_text().as_ref() == Some(&field))
        {
            let message = format!("the rule for `{key}` has `{field}` twice");
            return Err(Fault(name, message, "remove one of the two".into()));
        }
    }
    let required = match node.get("required") {
        None => None,
        Some(value) => match value.as_str() {
            Some("true") if value.tag == Tag::Bool => Some(true),
            Some("false") if value.tag == Tag::Bool => Some(false),
            _ => {
                let message = format!("`required` of `{key}` must be `true` or `false`");
                return Err(Fault(value, message, "write it without quotes".into()));
            }
        },
    };
    Ok(Rule {
        kind: kind(key, node)?,
        pattern: node
            .get("pattern")
            .map(|value| pattern(key, value, left))
            .transpose()?,
        required,
        place: Place::default(),
    })
}

fn kind<'n>(key: &str, rule: &'n Node) -> Result<Type, Fault<'n>> {
    let Some(node) = rule.get("type") else {
        return unlimited(key, rule, Type::String);
    };
    match node.as_str().unwrap_or_default() {
        "int" => {
            let whole = |text: &str| types::int(text).ok();
            Ok(Type::Int(limit(key, rule, "an integer", whole)?))
        }
        "float" => {
            let number = |text: &str| types::float(text).ok();
            Ok(Type::Float(limit(key, rule, "a number", number)?))
        }
        "string" => unlimited(key, rule, Type::String),
        "bool" => unlimited(key, rule, Type::Bool),
        "yaml" => unlimited(key, rule, Type::Yaml),
        "json" => unlimited(key, rule, Type::Json),
        other => {
            let message = format!("unknown type `{other}` in the rule for `{key}`");
            let hint = "there are `string`, `int`, `float`, `bool`, `yaml` and `json`";
            Err(Fault(node, message, hint.into()))
        }
    }
}

fn unlimited<'n>(key: &str, rule: &'n Node, kind: Type) -> Result<Type, Fault<'n>> {
    match rule.get("min").or_else(|| rule.get("max")) {
        None => Ok(kind),
        Some(limit) => {
            let message = format!("`min` and `max` of `{key}` need a type that is a number");
            Err(Fault(
                limit,
                message,
                "add `type: int` or `type: float`".into(),
            ))
        }
    }
}

fn limit<'n, T: PartialOrd>(
    key: &str,
    rule: &'n Node,
    expected: &str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Limit<T>, Fault<'n>> {
    let read = |field: &str| {
        let Some(node) = rule.get(field) else {
            return Ok(None);
        };
        let is_number = matches!(node.tag, Tag::Int | Tag::Float);
        let number = node.as_str().filter(|_| is_number).and_then(&parse);
        number.map(Some).ok_or_else(|| {
            let message = format!("`{field}` of `{key}` must be {expected}");
            let hint = "write a decimal number without quotes";
            Fault(node, message, hint.into())
        })
    };
    let (min, max) = (read("min")?, read("max")?);
    if min
        .as_ref()
        .zip(max.as_ref())
        .is_some_and(|(min, max)| min > max)
    {
        let message = format!("`min` of `{key}` is larger than its `max`");
        return Err(Fault(
            rule,
            message,
            "no value could satisfy it: correct one of the two".into(),
        ));
    }
    Ok(Limit { min, max })
}

fn pattern<'n>(
    key: &str,
    node: &'n Node,
    left: &Cell<Option<usize>>,
) -> Result<Pattern, Fault<'n>> {
    let fault = |message: String| {
        Fault(
            node,
            message,
            "write a regular expression in quotes, in the syntax of Rust's `regex`".into(),
        )
    };
    let Some(written) = node.as_str().filter(|_| node.tag == Tag::Str) else {
        return Err(fault(format!("`pattern` of `{key}` must be a text")));
    };
    // Compiled by itself first, so that it cannot close the group that is put around it.
    let compiled =
        compile(written, PATTERN_SIZE).and_then(|_| counted(&format!("^(?:{written})$")));
    let compiled = compiled.map_err(|error| {
        let why = match &error {
            regex::Error::Syntax(text) => text
                .lines()
                .last()
                .unwrap_or_default()
                .trim_start_matches("error: ")
                .to_owned(),
            regex::Error::CompiledTooBig(_) => "it is too large".to_owned(),
            _ => "it cannot be compiled".to_owned(),
        };
        fault(format!(
            "`pattern` of `{key}` is not a valid regular expression: {why}"
        ))
    })?;
    let (compiled, size) = compiled;
    left.set(left.get().and_then(|left| left.checked_sub(size)));
    if left.get().is_none() {
        return Err(Fault(
            node,
            format!(
                "the patterns of the schemas are together larger than the {ALL_PATTERNS} bytes that they may have"
            ),
            "write classes such as `[a-z0-9]` in the place of `\\w`, and fewer or smaller counts"
                .into(),
        ));
    }
    Ok(Pattern {
        written: written.to_owned(),
        compiled,
    })
}

fn compile(text: &str, size: usize) -> Result<Regex, regex::Error> {
    RegexBuilder::new(text)
        .size_limit(size)
        .dfa_size_limit(MATCHING_SIZE)
        .nest_limit(50)
        .build()
}

/// Compiles a pattern, with the size that it counts for: at most twice its own.
fn counted(text: &str) -> Result<(Regex, usize), regex::Error> {
    let mut size = SMALLEST_PATTERN;
    loop {
        match compile(text, size) {
            Err(regex::Error::CompiledTooBig(_)) if size < PATTERN_SIZE => size *= 2,
            compiled => return compiled.map(|compiled| (compiled, size)),
        }
    }
}
