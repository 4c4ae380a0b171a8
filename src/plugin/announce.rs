//! What the plugin tells Argo CD's UI: the parameters that there are, and what the repository declares.

use std::fmt::Write as _;
use std::path::Path;

use kustomize::Options;
use serde::Serialize;

use super::generate::target;
use super::options::{Described, Form, OPTIONS};
use super::parameters::SETTINGS;
use crate::failure::{Failure, Problem};
use crate::inject::{Injector, Record};
use crate::settings::Settings;
use crate::settings::policy::Policy;

/// The declared keys that are listed; an announcement is for people.
const LISTED: usize = 50;
/// The characters of a default that are shown.
const SHOWN: usize = 40;

/// A parameter as Argo CD is told of it.
// Argo CD: repository.ParameterAnnouncement
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Announcement {
    name: &'static str,
    title: &'static str,
    tooltip: String,
    required: bool,
    item_type: &'static str,
    collection_type: &'static str,
    /// The value where none is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    string: Option<&'static str>,
}

/// What is announced, and what stands in the way of more.
pub struct Announced {
    /// The parameters.
    pub parameters: Vec<Announcement>,
    /// Why the declared keys are not among what is told, or not all of them.
    pub problems: Vec<Problem>,
}

/// The parameters that a policy allows; the tooltip of `settings` lists the keys that the Application's directory declares.
///
/// Nothing is read but files. A kustomization that does not build has no keys to tell of, and the parameters are announced
/// without them.
pub fn announce(directory: &Path, policy: &Policy) -> Announced {
    let mut parameters = parameters(policy);
    let problems = match declared(directory) {
        Ok((record, problems)) => {
            if let Some(settings) = parameters.first_mut() {
                add_keys(&mut settings.tooltip, &record);
            }
            problems
        }
        Err(failure) => failure.problems().to_vec(),
    };
    Announced {
        parameters,
        problems,
    }
}

/// The parameters alone, `settings` first, for where there is no time to read anything.
pub fn parameters(policy: &Policy) -> Vec<Announcement> {
    let allowed = OPTIONS.iter();
    let allowed = allowed.filter(|option| policy.allows_parameter(option.name));
    std::iter::once(&SETTINGS).chain(allowed).map(of).collect()
}

/// The declared keys with their defaults, and what is wrong with them.
fn declared(directory: &Path) -> Result<(Record, Vec<Problem>), Failure> {
    let target = target(directory)?;
    let defaults = Settings::default();
    let mut survey = Injector::survey(&defaults);
    let built = target.build(&Options::default(), &mut survey);
    let record = survey.take_record();
    let failure = match (survey.into_failure(), built) {
        (Some(failure), _) => Some(target.locate(failure)),
        (None, Err(error)) => Some(target.failure(&error)),
        (None, Ok(_)) => None,
    };
    let problems = failure.map(|failure| failure.problems().to_vec());
    Ok((record, problems.unwrap_or_default()))
}

fn of(described: &Described) -> Announcement {
    let Described {
        name,
        form,
        title,
        tooltip,
    } = *described;
    let (item_type, collection_type, string) = match form {
        Form::Text => ("string", "string", None),
        Form::Switch => ("boolean", "string", Some("false")),
        Form::List => ("string", "array", None),
        Form::Map if name == "replicas" => ("number", "map", None),
        Form::Map => ("string", "map", None),
    };
    Announcement {
        name,
        title,
        tooltip: tooltip.to_owned(),
        required: false,
        item_type,
        collection_type,
        string,
    }
}

/// Adds the keys to a tooltip.
fn add_keys(text: &mut String, record: &Record) {
    let keys = &record.resolved;
    for (index, (key, setting)) in keys.iter().take(LISTED).enumerate() {
        let before = match index {
            0 => ". The repository declares these keys, whose values come from those objects: ",
            _ => "; ",
        };
        let kind = setting.rule.kind.name();
        let default = setting.value.as_ref().map(|value| value.reveal().as_str());
        let rest = match default {
            Some(default) => format!("default {}", shortened(default)),
            None if record.missing.iter().any(|missing| missing == key) => "required".to_owned(),
            None => "no default".to_owned(),
        };
        let _ = write!(text, "{before}{key} ({kind}, {rest})");
    }
    let more = keys.iter().count().saturating_sub(LISTED);
    if more > 0 {
        let _ = write!(text, "; and {more} more");
    }
}

/// The beginning of a text, in one line.
fn shortened(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    let shown: String = line
        .chars()
        .filter(|c| !c.is_control())
        .take(SHOWN)
        .collect();
    let mark = if shown.len() < text.trim_end().len() {
        "…"
    } else {
        ""
    };
    format!("{shown}{mark}")
}
