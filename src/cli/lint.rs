//! `lint`: what is wrong with a tree's settings, without a cluster.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::ValueEnum;
use clap::builder::PossibleValue;
use goyaml::Value;

use super::flags::{Flags, Format, FormatFlag};
use super::json::{array, count, document, filled, line, object, some, string};
use super::output::Done;
use super::settings::SettingsFlags;
use crate::failure::{Details, Failure, Item, Warning};
use crate::lint::{Check, Finding, lint};
use crate::progress::Progress;
use crate::target::Target;

/// Find what is wrong with settings: undeclared and unused keys, missing defaults, secrets, placeholders
#[derive(clap::Args)]
#[command(after_help = "Examples:
  argocd-infisical lint overlays/dev --settings settings.yaml
  argocd-infisical lint overlays/prod --strict --allow unused-key")]
pub(super) struct Args {
    /// Look at the kustomization in this directory
    #[arg(default_value = ".", value_name = "DIR")]
    directory: PathBuf,

    #[command(flatten)]
    settings: SettingsFlags,

    /// Fail where there are warnings too
    #[arg(long)]
    strict: bool,

    /// Leave out what this check finds
    #[arg(long, value_enum, value_name = "CHECK")]
    allow: Vec<Check>,

    #[command(flatten)]
    format: FormatFlag,

    #[command(flatten)]
    flags: Flags,
}

impl ValueEnum for Check {
    fn value_variants<'a>() -> &'a [Self] {
        // What a render refuses cannot be allowed.
        Self::ALL.get(2..).unwrap_or_default()
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name()))
    }
}

impl Args {
    pub(super) fn run(self) -> Result<Done, Failure> {
        let Self {
            directory,
            settings,
            strict,
            allow,
            format,
            flags,
        } = self;
        let (options, warnings) = flags.options()?;
        let _progress = Progress::with("looking at", &directory);
        let target = Target::here(&directory, flags.outside())?;
        let settings = settings.read()?;
        let mut findings = lint(&target, &options, &settings)?;
        findings.retain(|finding| !allow.contains(&finding.check));
        let problems = findings.iter().map(|finding| finding.problem.clone());
        let located = target.locate(Failure::several(problems.collect()));
        for (finding, problem) in findings.iter_mut().zip(located.problems()) {
            finding.problem = problem.clone();
        }
        let errors = findings.iter().filter(|found| found.check.is_error());
        let errors = errors.count();
        let stdout = match format.format {
            Format::Text => text(&findings, errors),
            Format::Json => json(&findings, errors),
        };
        Ok(Done {
            warnings,
            stdout: stdout.into(),
            is_well: errors == 0 && (!strict || findings.is_empty()),
        })
    }
}

fn text(findings: &[Finding], errors: usize) -> String {
    let mut text = String::new();
    for (index, finding) in findings.iter().enumerate() {
        let mut problem = finding.problem.clone();
        // What to do about several alike is said once, behind the last of them.
        let next = findings.get(index + 1);
        let goes_on = next.is_some_and(|next| {
            next.check == finding.check && next.problem.hint == finding.problem.hint
        });
        if goes_on {
            problem.hint = None;
        }
        let _ = write!(problem.message, " [{}]", finding.check.name());
        let end = if goes_on { "" } else { "\n" };
        if finding.check.is_error() {
            let _ = write!(text, "{problem}{end}");
        } else {
            let _ = write!(text, "{}{end}", Warning(problem));
        }
    }
    let number = |count: usize, what: &str| match count {
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    };
    let warnings = findings.len() - errors;
    let _ = writeln!(
        text,
        "{}, {}",
        number(errors, "error"),
        number(warnings, "warning")
    );
    text
}

fn json(findings: &[Finding], errors: usize) -> String {
    document(&object([
        ("findings", array(findings.iter().map(entry))),
        ("errors", count(errors)),
        ("warnings", count(findings.len() - errors)),
    ]))
}

fn entry(finding: &Finding) -> Value {
    let Finding {
        check,
        key,
        problem,
    } = finding;
    let Details {
        message,
        file,
        position,
        field,
        resource,
        items,
        hint,
        ..
    } = &**problem;
    let text = |text: &Option<String>| text.as_deref().and_then(filled);
    let severity = if check.is_error() { "error" } else { "warning" };
    some([
        ("severity", Some(string(severity))),
        ("check", Some(string(check.name()))),
        ("key", text(key)),
        ("file", text(file)),
        ("line", line(position.line)),
        ("column", line(position.column)),
        ("message", filled(message)),
        ("resource", text(resource)),
        ("field", text(field)),
        (
            "places",
            (!items.is_empty()).then(|| array(items.iter().map(place))),
        ),
        ("hint", text(hint)),
    ])
}

fn place(item: &Item) -> Value {
    some([
        ("text", filled(&item.text)),
        ("file", filled(&item.file)),
        ("line", line(item.line)),
    ])
}
