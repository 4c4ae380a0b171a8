//! What a placeholder stands for.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use goyaml::{Node, Tag, Text};
use minijinja::value::{Object, ValueKind};
use minijinja::{Environment, ErrorKind, UndefinedBehavior, Value};

use super::filters::{self, Block};
use super::language::check_language;
use crate::settings::resolve::{Resolved, Setting};
use crate::settings::types;

/// How much one expression may do, in minijinja's instructions, beside what it does with values.
const FUEL: u64 = 1_000;
/// How often one may go through the longest value.
const PASSES: usize = 32;
/// How many bytes minijinja takes for as much as one instruction.
const BYTES_PER_FUEL: usize = 64;

/// What a placeholder stands for.
pub(super) enum Outcome {
    /// A text.
    Text(Text),
    /// A number or a boolean, as its YAML text.
    Scalar(Text, Tag),
    /// A block of YAML.
    Block(Node),
}

/// Why a placeholder cannot be filled. No variant holds a value.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Keys that have neither a value nor a default; reported once for the whole build.
    Missing(Vec<String>),
    /// A key that is not declared.
    Undeclared(String),
    /// Keys that are read as a block and that the schema does not give such a type.
    NoBlock(Vec<String>),
    /// What a filter expected, and of which key.
    WrongType { keys: Vec<String>, expected: String },
    /// The expression is not of the language.
    Syntax(String),
}

/// Evaluates placeholders of one build.
pub(super) struct Evaluator {
    environment: Environment<'static>,
    scope: Arc<Scope>,
}

impl Evaluator {
    pub(super) fn new(resolved: Resolved) -> Self {
        let values = resolved
            .iter()
            .filter_map(|(_, setting)| setting.value.as_ref());
        let longest = values.map(|value| value.reveal().len()).max();
        let passes = longest.unwrap_or_default().saturating_mul(PASSES) / BYTES_PER_FUEL;
        let fuel = FUEL.saturating_add(u64::try_from(passes).unwrap_or(u64::MAX));
        let scope = Arc::new(Scope {
            resolved,
            log: Mutex::default(),
        });
        let mut environment = Environment::empty();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_fuel(Some(fuel));
        filters::add(&mut environment);
        let absorbing = Arc::clone(&scope);
        environment.add_filter("default", move |value: Value, other: Value| {
            if value.is_undefined() {
                absorbing.log().absorbed = true;
                other
            } else {
                value
            }
        });
        for (name, parse) in [
            ("yaml", types::yaml as fn(&str) -> _),
            ("json", types::json),
        ] {
            let scope = Arc::clone(&scope);
            environment.add_filter(name, move |value: Value| {
                scope.log().is_block = true;
                filters::block(&value, parse)
            });
        }
        Self { environment, scope }
    }

    /// What it was made of.
    pub(super) fn into_resolved(self) -> Resolved {
        let Self { environment, scope } = self;
        // Its filters share the scope.
        drop(environment);
        Arc::try_unwrap(scope).map_or_else(|scope| scope.resolved.clone(), |scope| scope.resolved)
    }

    pub(super) fn resolved(&self) -> &Resolved {
        &self.scope.resolved
    }

    /// Declared keys without a value, except those that every placeholder reading them has a default for. The schema may
    /// ask for a value whatever placeholders say, or for none unless one needs it.
    pub(super) fn missing(&self) -> Vec<String> {
        let log = self.scope.log();
        let is_missing = |key: &str, setting: &Setting| match setting.rule.required {
            Some(true) => true,
            Some(false) => log.needed.contains(key),
            None => log.needed.contains(key) || !log.dispensable.contains(key),
        };
        let settings = self
            .resolved()
            .iter()
            .filter(|(_, setting)| setting.value.is_none());
        settings
            .filter(|(key, setting)| is_missing(key, setting))
            .map(|(key, _)| key.to_owned())
            .collect()
    }

    /// The keys that the last expression has read, with those that have no value.
    pub(super) fn keys_read(&self) -> BTreeSet<String> {
        self.scope.log().read.clone()
    }

    /// How long the values are that the last expression has read, in bytes.
    pub(super) fn bytes_read(&self) -> usize {
        let log = self.scope.log();
        let settings = log.read.iter().filter_map(|key| self.resolved().get(key));
        let values = settings.filter_map(|setting| setting.value.as_ref());
        values.map(|value| value.reveal().len()).sum()
    }

    /// Evaluates what stands between `${{` and `}}`.
    pub(super) fn evaluate(&self, expression: &str) -> Result<Outcome, Refusal> {
        self.scope.log().start();
        check_language(expression)?;
        let result = match bare_key(expression) {
            // What nearly all placeholders are needs no compiler.
            Some(key) => Ok(self.scope.read(key).unwrap_or(Value::UNDEFINED)),
            None => self.compiled(expression)?,
        };
        let mut log = self.scope.log();
        if let Some(key) = log.undeclared.take() {
            return Err(Refusal::Undeclared(key));
        }
        let no_blocks = self.no_blocks(&log);
        let outcome = match result {
            _ if !no_blocks.is_empty() => Err(Refusal::NoBlock(no_blocks)),
            Ok(value) if value.is_undefined() => Err(undefined(&log)),
            Ok(value) => outcome(&value),
            Err(error) => Err(refusal(&error, &log)),
        };
        log.finish(matches!(outcome, Err(Refusal::Missing(_))));
        if log.read.is_empty() && outcome.is_ok() {
            return Err(Refusal::Syntax("the placeholder reads no setting".into()));
        }
        outcome
    }

    /// What a compiled expression gives.
    ///
    /// # Errors
    /// Where the text is no expression; that it cannot be evaluated is its value.
    fn compiled(&self, expression: &str) -> Result<Result<Value, minijinja::Error>, Refusal> {
        let compiled = self
            .environment
            .compile_expression(expression)
            .map_err(|_| {
                // What the error says in detail may quote the text.
                Refusal::Syntax("the placeholder is not one expression".into())
            })?;
        Ok(compiled.eval(Value::from_dyn_object(Arc::clone(&self.scope))))
    }

    /// Keys that were read as a block and are of another type.
    fn no_blocks(&self, log: &Log) -> Vec<String> {
        let is_other = |key: &&String| {
            let setting = self.resolved().get(key);
            log.is_block && setting.is_some_and(|setting| !setting.rule.kind.is_block())
        };
        log.read.iter().filter(is_other).cloned().collect()
    }
}

/// The key of an expression that is `settings.KEY` and nothing else.
fn bare_key(expression: &str) -> Option<&str> {
    let key = expression.strip_prefix("settings.")?;
    let is_start = |byte: &u8| byte.is_ascii_alphabetic() || *byte == b'_';
    let is_name = key.as_bytes().first().is_some_and(is_start)
        && key
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    is_name.then_some(key)
}

fn outcome(value: &Value) -> Result<Outcome, Refusal> {
    if let Some(Block(node)) = value.downcast_object_ref::<Block>() {
        return Ok(Outcome::Block(node.clone()));
    }
    match value.kind() {
        ValueKind::String => Ok(Outcome::Text(value.as_str().unwrap_or_default().into())),
        ValueKind::Bool => Ok(Outcome::Scalar(
            value.is_true().to_string().into(),
            Tag::Bool,
        )),
        ValueKind::Number if value.is_integer() => {
            Ok(Outcome::Scalar(value.to_string().into(), Tag::Int))
        }
        ValueKind::Number => {
            let number = f64::try_from(value.clone())
                .map_err(|_| Refusal::Syntax("the number is out of range".into()))?;
            let text = goyaml::emit(&goyaml::Value::Float(number)).unwrap_or_default();
            Ok(Outcome::Scalar(text.trim_end().into(), Tag::Float))
        }
        _ => Err(Refusal::Syntax(
            "the placeholder names no single setting".into(),
        )),
    }
}

fn undefined(log: &Log) -> Refusal {
    if log.empty.is_empty() {
        Refusal::Syntax("only `settings.KEY` can be read".into())
    } else {
        Refusal::Missing(log.empty.iter().cloned().collect())
    }
}

fn refusal(error: &minijinja::Error, log: &Log) -> Refusal {
    if let Some(expected) = filters::expected(error) {
        return Refusal::WrongType {
            keys: log.read.iter().cloned().collect(),
            expected: expected.to_owned(),
        };
    }
    match error.kind() {
        ErrorKind::UndefinedError => undefined(log),
        ErrorKind::UnknownFilter => {
            Refusal::Syntax(format!("unknown filter; there are {}", filters::NAMES))
        }
        ErrorKind::MissingArgument => {
            Refusal::Syntax("a filter lacks its argument: `default(\"…\")` takes one".into())
        }
        ErrorKind::TooManyArguments => Refusal::Syntax("a filter has an argument too many".into()),
        ErrorKind::OutOfFuel => Refusal::Syntax("the placeholder does too much".into()),
        // The details of other errors could quote a value.
        _ => Refusal::Syntax("the placeholder cannot be evaluated".into()),
    }
}

/// What expressions see: the one name `settings`, and below it the declared keys.
struct Scope {
    resolved: Resolved,
    log: Mutex<Log>,
}

/// Which settings were read, and how that ended.
#[derive(Default)]
struct Log {
    /// Keys that the expression has read.
    read: BTreeSet<String>,
    /// Those of them that have no value.
    empty: BTreeSet<String>,
    /// A key that is not declared.
    undeclared: Option<String>,
    /// Whether a `default` has stood in.
    absorbed: bool,
    /// Whether it is read as a block.
    is_block: bool,
    /// Keys without a value that some placeholder needs.
    needed: BTreeSet<String>,
    /// Keys without a value that some placeholder has a default for.
    dispensable: BTreeSet<String>,
}

impl Log {
    fn start(&mut self) {
        self.read.clear();
        self.empty.clear();
        self.undeclared = None;
        self.absorbed = false;
        self.is_block = false;
    }

    fn finish(&mut self, is_missing: bool) {
        let empty = self.empty.iter().cloned();
        if is_missing || !self.absorbed {
            self.needed.extend(empty);
        } else {
            self.dispensable.extend(empty);
        }
    }
}

impl Scope {
    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self, key: &str) -> Option<Value> {
        let mut log = self.log();
        let Some(setting) = self.resolved.get(key) else {
            log.undeclared.get_or_insert_with(|| key.to_owned());
            return None;
        };
        log.read.insert(key.to_owned());
        let Some(value) = &setting.value else {
            log.empty.insert(key.to_owned());
            return None;
        };
        Some(Value::from(value.reveal().as_str()))
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Scope")
    }
}

impl Object for Scope {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        (key.as_str() == Some("settings")).then(|| Value::from_object(Keys(Arc::clone(self))))
    }
}

struct Keys(Arc<Scope>);

impl fmt::Debug for Keys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Keys")
    }
}

impl Object for Keys {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.0.read(key.as_str()?)
    }
}
