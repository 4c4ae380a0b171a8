//! The environments of a policy, which have to make sense by themselves: nobody is asked later.

use std::collections::{BTreeMap, BTreeSet};

use super::written::WrittenEnvironment;
use super::{Fault, Text, labels};
use crate::settings::object::is_subdomain;
use crate::steer::policy::{Environment, pattern};
use crate::steer::revision::{Kind, Revision};

/// All of them, checked.
pub(super) fn all(
    written: BTreeMap<String, WrittenEnvironment>,
) -> Result<BTreeMap<String, Environment>, Fault> {
    if written.is_empty() {
        return Err(Fault::new(
            "`environments` has no entry",
            "name at least one, or leave the field out, which means the usual ones",
        ));
    }
    let entry = |(name, written): (String, WrittenEnvironment)| {
        if !labels::is_value(&name) {
            let message = "`environments` has a name that no label can have as its value";
            let hint = "write letters and digits, with `-`, `_` and `.` between them";
            return Err(Fault::at(&written.default, message, hint));
        }
        let environment = environment(&name, written)?;
        Ok((name, environment))
    };
    written.into_iter().map(entry).collect()
}

fn environment(name: &str, written: WrittenEnvironment) -> Result<Environment, Fault> {
    let WrittenEnvironment {
        default,
        allowed,
        commits,
        protected,
        projects,
    } = written;
    let field = |field: &str| format!("`environments.{name}.{field}`");
    let revision = Revision::parse(&default.value).map_err(|illegal| {
        let message = format!("{} {illegal}", field("default"));
        Fault::at(&default, message, illegal.hint())
    })?;
    let patterns = allowed.unwrap_or_else(|| vec![default.clone()]);
    for text in &patterns {
        if let Some(fault) = pattern::fault(&text.value) {
            let message = format!("{} has an entry that {fault}", field("allowed"));
            let hint = "write patterns such as `main`, `release/*`, `refs/tags/v*` or `*`; `commits: true` allows full SHAs";
            return Err(Fault::at(text, message, hint));
        }
    }
    let environment = Environment {
        default: revision.as_str().to_owned(),
        allowed: patterns.into_iter().map(|text| text.value).collect(),
        commits,
        is_protected: protected,
        projects: projects
            .map(|projects| the_projects(&field("projects"), projects))
            .transpose()?,
    };
    if environment.allows(&revision) {
        return Ok(environment);
    }
    let message = format!(
        "{} is not allowed by {}",
        field("default"),
        field("allowed")
    );
    let hint = match revision.kind() {
        Kind::Commit => "a default that is a commit takes `commits: true`",
        _ => "`allowed` has to cover `default`: add a pattern for it",
    };
    Err(Fault::at(&default, message, hint))
}

fn the_projects(field: &str, entries: Vec<Text>) -> Result<BTreeSet<String>, Fault> {
    let entry = |text: Text| {
        if is_subdomain(&text.value) {
            return Ok(text.value);
        }
        let message = format!("{field} has an entry that no AppProject can be called");
        let hint = "name AppProjects; without the field, those of all may take part";
        Err(Fault::at(&text, message, hint))
    };
    entries.into_iter().map(entry).collect()
}
