//! What is wrong with a tree's settings, or will be: found without a cluster, and without values.
//!
//! A tree is surveyed with its defaults: what a render would refuse is collected and not stopped at, and what it takes is
//! looked at for what somebody will regret. Settings that are handed in are checked as a render would.

mod operator;
mod secret;
mod sub_path;

use std::collections::BTreeSet;

use goyaml::Position;
use kustomize::{FileNames, Hooks, Options, Resource, Resources};

use crate::failure::{Failure, Item, Problem};
use crate::inject::{Injector, Path, Record, Use, Way, empty_fields};
use crate::render::render;
use crate::render::trace::{self, Trace};
use crate::settings::resolve::Setting;
use crate::settings::{Place, Settings, schema};
use crate::target::Target;

/// Something that was found.
#[derive(Clone, Debug)]
pub struct Finding {
    /// What was looked for.
    pub check: Check,
    /// The setting that it is about.
    pub key: Option<String>,
    /// What was found, where, and what to do.
    pub problem: Problem,
}

/// What is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Check {
    /// What a render refuses otherwise: a broken rule, a forgotten mark.
    Refused,
    /// A key that a placeholder asks for and that is not declared.
    UndeclaredKey,
    /// A declared key that no field takes.
    UnusedKey,
    /// A key of the settings that is not declared and spelled almost like one that is.
    MisspeltKey,
    /// A key without a default that the schema does not ask a value for.
    MissingDefault,
    /// A placeholder, which plain kustomize leaves as text.
    Placeholder,
    /// A setting that looks like a secret, or goes into one.
    Secret,
    /// An empty field of a pod template that others add to.
    EmptyField,
    /// A file out of an object that is not of the tree, mounted so that it never changes, or is a directory.
    SubPath,
    /// An object of the Infisical operator that does something else than was meant.
    Operator,
    /// A key of which nobody knows where it is copied to.
    Untraced,
}

impl Check {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Refused,
        Self::UndeclaredKey,
        Self::UnusedKey,
        Self::MisspeltKey,
        Self::MissingDefault,
        Self::Placeholder,
        Self::Secret,
        Self::EmptyField,
        Self::SubPath,
        Self::Operator,
        Self::Untraced,
    ];

    /// Its name, for the command line and for programs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::UndeclaredKey => "undeclared-key",
            Self::UnusedKey => "unused-key",
            Self::MisspeltKey => "misspelt-key",
            Self::MissingDefault => "missing-default",
            Self::Placeholder => "placeholder",
            Self::Secret => "secret",
            Self::EmptyField => "empty-field",
            Self::SubPath => "sub-path",
            Self::Operator => "operator",
            Self::Untraced => "untraced",
        }
    }

    /// Whether a tree with it is not rendered.
    pub const fn is_error(self) -> bool {
        matches!(self, Self::Refused | Self::UndeclaredKey)
    }
}

/// Looks at a tree, and at settings where there are any.
///
/// # Errors
/// Where the tree does not build, whatever the settings.
pub fn lint(
    target: &Target,
    options: &Options,
    settings: &Settings,
) -> Result<Vec<Finding>, Failure> {
    let defaults = Settings::default();
    let mut survey = Survey {
        injector: Injector::survey(&defaults),
        findings: Vec::new(),
    };
    let built = target.build(options, &mut survey);
    let Survey {
        mut injector,
        mut findings,
    } = survey;
    let record = injector.take_record();
    match (built, injector.into_failure()) {
        (_, Some(failure)) => refused(&failure, &record, &mut findings),
        (Err(error), None) => return Err(target.failure(&error)),
        (Ok(_), None) => {}
    }
    let Trace { uses, unknown } = trace::of_record(target, options, &record);
    let tree = Tree {
        record: &record,
        copies: &uses,
        unknown: &unknown,
        settings,
        is_whole: !findings.iter().any(|finding| finding.check.is_error()),
    };
    tree.look(&mut findings);
    if !settings.sources().is_empty()
        && let Err(failure) = render(target, options, settings)
    {
        refused(&failure, &record, &mut findings);
    }
    findings.sort_by_cached_key(|finding| {
        let problem = &finding.problem;
        (problem.file.clone(), problem.position.line, finding.check)
    });
    Ok(findings)
}

/// Takes over what a render refuses, each once.
fn refused(failure: &Failure, record: &Record, findings: &mut Vec<Finding>) {
    for problem in failure.problems() {
        let is_known = findings.iter().any(|finding| {
            let known = &finding.problem;
            (&known.message, &known.file, known.position)
                == (&problem.message, &problem.file, problem.position)
        });
        if !is_known {
            let undeclared = record.undeclared_by(problem);
            findings.push(Finding {
                check: undeclared.map_or(Check::Refused, |_| Check::UndeclaredKey),
                key: undeclared.map(str::to_owned),
                problem: problem.clone(),
            });
        }
    }
}

/// Looks at resources before anything is filled, and has an injection find what it would refuse.
struct Survey<'a> {
    injector: Injector<'a>,
    findings: Vec<Finding>,
}

impl Hooks for Survey<'_> {
    fn loaded(&mut self, resources: &mut [Resource], names: &FileNames) -> kustomize::Result<()> {
        self.injector.loaded(resources, names)
    }

    fn before_replacements(&mut self, resources: &mut Resources) -> kustomize::Result<()> {
        self.injector.before_replacements(resources)
    }

    fn before_name_hashes(
        &mut self,
        resources: &mut Resources,
        names: &FileNames,
    ) -> kustomize::Result<()> {
        for resource in resources.iter() {
            for (field, position) in empty_fields(resource) {
                let found = empty_field(&field, position);
                self.add(Check::EmptyField, found.of(resource, names));
            }
            for found in sub_path::look(resource, resources) {
                self.add(Check::SubPath, found.of(resource, names));
            }
            for found in operator::look(resource) {
                self.add(Check::Operator, found.of(resource, names));
            }
        }
        self.injector.before_name_hashes(resources, names)
    }
}

impl Survey<'_> {
    fn add(&mut self, check: Check, problem: Problem) {
        self.findings.push(Finding {
            check,
            key: None,
            problem,
        });
    }
}

fn empty_field(field: &Path, position: Position) -> Found {
    let last = field.last_key().unwrap_or_default();
    Found {
        message: format!("the pod template has an empty `{last}`"),
        hint: "leave the field out: once Reloader or the like has added to an empty one, Argo CD reports a difference for ever".to_owned(),
        field: field.to_string(),
        position,
    }
}

/// Something that is found in a field of a resource.
struct Found {
    /// What.
    message: String,
    /// What to do.
    hint: String,
    /// The field.
    field: String,
    /// Its place.
    position: Position,
}

impl Found {
    /// The problem that it is.
    fn of(self, resource: &Resource, names: &FileNames) -> Problem {
        let Self {
            message,
            hint,
            field,
            position,
        } = self;
        let mut problem = Problem::new(message)
            .in_repository(names.get(position.file), position)
            .resource(resource.id())
            .hint(hint);
        problem.field = Some(field);
        problem
    }
}

/// What a survey with the defaults has found of a tree.
struct Tree<'a> {
    record: &'a Record,
    copies: &'a [Use],
    unknown: &'a [String],
    settings: &'a Settings,
    /// Whether every placeholder could be read.
    is_whole: bool,
}

impl Tree<'_> {
    fn look(&self, findings: &mut Vec<Finding>) {
        for (key, setting) in self.record.resolved.iter() {
            let found = [
                (Check::UnusedKey, self.unused(key)),
                (Check::MissingDefault, self.missing_default(key, setting)),
                (Check::Secret, self.secret(key, setting)),
                (Check::Untraced, self.untraced(key)),
            ];
            let place = &setting.declared_at;
            for (check, problem) in found {
                findings.extend(problem.map(|problem| Finding {
                    check,
                    key: Some(key.to_owned()),
                    problem: at(problem, place),
                }));
            }
        }
        self.placeholders(findings);
        self.misspelt(findings);
    }

    fn uses(&self) -> impl Iterator<Item = &Use> {
        self.record.uses.iter().chain(self.copies)
    }

    fn unused(&self, key: &str) -> Option<Problem> {
        if !self.is_whole
            || self.uses().any(|used| used.keys.contains(key))
            || self.unknown.iter().any(|unknown| unknown == key)
        {
            return None;
        }
        let message = format!("no field takes the declared setting `{key}`");
        let hint = "use it in a placeholder or a replacement, or take it out of the declaration";
        Some(Problem::new(message).hint(hint))
    }

    fn untraced(&self, key: &str) -> Option<Problem> {
        self.unknown.iter().find(|unknown| *unknown == key)?;
        let message = format!(
            "where `{key}` is copied to is not known: with another value of it the tree does not build"
        );
        let hint = "look at the replacements that read it; with `options.delimiter` every value needs as many parts";
        Some(Problem::new(message).hint(hint))
    }

    /// What is said of a key that has no default, without which a render may fail.
    fn missing_default(&self, key: &str, setting: &Setting) -> Option<Problem> {
        let is_missing = self.record.missing.iter().any(|missing| missing == key);
        let is_told = setting.rule.required == Some(true);
        let is_given = matches!(self.settings.get(key), Ok(Some(_)));
        if !is_missing || is_told || is_given {
            return None;
        }
        let message = format!("setting `{key}` has no default, and a render needs one");
        let mut problem = Problem::new(message).hint(format!(
            "give it a default; or write `{key}: {{required: true}}` into `{}` to say that a value must be handed in",
            schema::ANNOTATION
        ));
        let uses = self.uses().filter(|used| used.keys.contains(key));
        let places: BTreeSet<&Place> = uses.map(|used| &used.place).collect();
        let items = places.into_iter().map(|place| Item {
            text: "it is asked for at".into(),
            file: place.file.clone(),
            line: place.line,
            is_in_repository: true,
        });
        problem.items.extend(items.take(3));
        Some(problem)
    }

    fn secret(&self, key: &str, setting: &Setting) -> Option<Problem> {
        let has_secret = |text: &str| secret::is_value(text);
        let default = setting.value.as_ref();
        let what = if secret::is_name(key) && !setting.rule.kind.is_switch() {
            "is called like a secret"
        } else if default.is_some_and(|value| has_secret(value.reveal())) {
            "has a default that looks like a secret"
        } else if let Ok(Some(found)) = self.settings.get(key)
            && has_secret(found.value.reveal())
        {
            "has a value that looks like a secret"
        } else if self
            .uses()
            .any(|used| used.keys.contains(key) && is_in_secret(used))
        {
            "goes into a Secret"
        } else {
            return None;
        };
        let message = format!("setting `{key}` {what}, and settings may be seen");
        let hint = "keep it in a Secret that the pod mounts or reads with `secretKeyRef`: Argo CD stores what is rendered in plain text and shows it to whoever may read the Application";
        Some(Problem::new(message).hint(hint))
    }

    fn placeholders(&self, findings: &mut Vec<Finding>) {
        let filled = self.record.uses.iter();
        let filled = filled.filter(|used| used.way == Way::Placeholder);
        let places: BTreeSet<(&Place, &BTreeSet<String>)> =
            filled.map(|used| (&used.place, &used.keys)).collect();
        for (place, keys) in places {
            let names: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
            let message = format!(
                "plain kustomize leaves the placeholder for {} as text",
                names.join(" and ")
            );
            let hint = "copy the value with a replacement where it is all of a field; `--allow placeholder` says that only `render` is used";
            findings.push(Finding {
                check: Check::Placeholder,
                key: keys.first().cloned(),
                problem: at(Problem::new(message).hint(hint), place),
            });
        }
    }

    /// Keys that the settings have instead of a declared one.
    fn misspelt(&self, findings: &mut Vec<Finding>) {
        let resolved = &self.record.resolved;
        for (key, origin) in self.settings.keys() {
            if resolved.get(key).is_some() {
                continue;
            }
            let near = resolved.nearest(key);
            let Some(near) = near.filter(|near| matches!(self.settings.get(near), Ok(None))) else {
                continue;
            };
            let message =
                format!("the settings have `{key}`, which is not declared, and no `{near}`");
            let problem = Problem::new(message)
                .at(&origin.file, origin.line)
                .hint(format!("did you mean `{near}`?"));
            findings.push(Finding {
                check: Check::MisspeltKey,
                key: Some(near.to_owned()),
                problem,
            });
        }
    }
}

fn is_in_secret(used: &Use) -> bool {
    used.object.starts_with("Secret.v1.[noGrp]/")
}

fn at(problem: Problem, place: &Place) -> Problem {
    let position = Position {
        line: place.line,
        ..Position::default()
    };
    problem.in_repository(Some(&place.file), position)
}
