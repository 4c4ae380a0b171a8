//! What the platform's side writes as its policy, as text.

mod environments;
mod field;
mod labels;
mod written;

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use serde_saphyr::Spanned;

use self::written::{Written, WrittenBreaker, WrittenFlap, WrittenWrites};
use super::{Breaker, Flap, Namespaces, Policy};
use crate::settings::object::is_label;
use crate::settings::policy::API_VERSION;

/// What `kind` of the file is.
const KIND: &str = "ControllerPolicy";
const HINT: &str = "a policy of the controller says `apiVersion: argocd-infisical.io/v1alpha1` and `kind: ControllerPolicy`; docs/controller.md lists its fields";

const NAMESPACE: &str = "a namespace is called by lower-case letters, digits and `-`";

/// What is wrong with a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What is the matter; the field is in it.
    pub message: String,
    /// In which line; zero where that is not known.
    pub line: u32,
    /// What to do.
    pub hint: String,
}

type Text = Spanned<String>;

impl Fault {
    fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            line: 0,
            hint: hint.into(),
        }
    }

    fn at<T>(place: &Spanned<T>, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            line: u32::try_from(place.referenced.line()).unwrap_or_default(),
            ..Self::new(message, hint)
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { message, line, .. } = self;
        match line {
            0 => formatter.write_str(message),
            line => write!(formatter, "{message} (line {line})"),
        }
    }
}

impl Policy {
    /// Reads a policy from the text of its file.
    ///
    /// # Errors
    /// Where it is anything but a policy that makes sense.
    pub fn of_text(bytes: &[u8]) -> Result<Self, Fault> {
        let text = std::str::from_utf8(bytes)
            .map_err(|_| Fault::new("the policy is not UTF-8 text", "save it as UTF-8"))?;
        let written = serde_saphyr::from_str(text).map_err(|error| field::fault(&error, text))?;
        checked(written)
    }
}

/// The policy, with what is not written as it usually is.
fn checked(written: Written) -> Result<Policy, Fault> {
    let Written {
        api_version,
        kind,
        argocd_namespace,
        own_namespace,
        application_namespaces,
        override_namespaces,
        object_namespaces,
        environment_label,
        environments,
        plugins,
        writes,
        breaker,
        flap,
    } = written;
    if api_version != API_VERSION || kind != KIND {
        return Err(Fault::new("the file is no policy of the controller", HINT));
    }
    let usual = Policy::default();
    let argocd_namespace = or(argocd_namespace, usual.argocd_namespace, |text| {
        namespace("argocdNamespace", text)
    })?;
    let own_namespace = or(own_namespace, usual.own_namespace, |text| {
        namespace("ownNamespace", text)
    })?;
    let application_namespaces = or(
        application_namespaces,
        Namespaces::Only([argocd_namespace.clone()].into()),
        applications,
    )?;
    let override_namespaces = or(
        override_namespaces,
        [own_namespace.clone()].into(),
        overrides,
    )?;
    let object_namespaces = or(object_namespaces, usual.object_namespaces, |entries| {
        namespaces("objectNamespaces", entries)
    })?;
    let WrittenWrites {
        automation_off,
        denied_sync_windows,
    } = writes;
    Ok(Policy {
        argocd_namespace,
        own_namespace,
        application_namespaces,
        override_namespaces,
        object_namespaces,
        environment_label: or(environment_label, usual.environment_label, label)?,
        environments: or(environments, usual.environments, environments::all)?,
        plugins: or(plugins, usual.plugins, all_plugins)?,
        writes_unautomated: automation_off.unwrap_or(usual.writes_unautomated),
        writes_in_denied_windows: denied_sync_windows.unwrap_or(usual.writes_in_denied_windows),
        breaker: limit(breaker, usual.breaker)?,
        flap: rate(flap, usual.flap)?,
    })
}

/// What is written, checked, or what there is without it.
fn or<W, T>(
    written: Option<W>,
    usual: T,
    check: impl FnOnce(W) -> Result<T, Fault>,
) -> Result<T, Fault> {
    written.map_or(Ok(usual), check)
}

fn namespace(field: &str, text: Text) -> Result<String, Fault> {
    if is_label(&text.value) {
        return Ok(text.value);
    }
    let message = format!("`{field}` is nothing that a namespace can be called");
    Err(Fault::at(&text, message, NAMESPACE))
}

fn listed(field: &str, entries: Vec<Text>) -> Result<BTreeSet<String>, Fault> {
    let entry = |text: Text| {
        if is_label(&text.value) {
            return Ok(text.value);
        }
        let message = format!("`{field}` has an entry that no namespace can be called");
        Err(Fault::at(&text, message, NAMESPACE))
    };
    entries.into_iter().map(entry).collect()
}

/// A list of namespaces, or `*` by itself.
fn namespaces(field: &str, entries: Vec<Text>) -> Result<Namespaces, Fault> {
    let star = entries.iter().find(|text| text.value == "*");
    match star {
        None => listed(field, entries).map(Namespaces::Only),
        Some(_) if entries.len() == 1 => Ok(Namespaces::All),
        Some(star) => {
            let message = format!("`{field}` has `*`, which is every namespace, beside others");
            let hint = "write `*` alone, or leave it out";
            Err(Fault::at(star, message, hint))
        }
    }
}

fn applications(entries: Vec<Text>) -> Result<Namespaces, Fault> {
    let namespaces = namespaces("applicationNamespaces", entries)?;
    if namespaces == Namespaces::Only(BTreeSet::new()) {
        return Err(Fault::new(
            "`applicationNamespaces` has no entry",
            "name the namespaces of Applications, or leave the field out, which means Argo CD's",
        ));
    }
    Ok(namespaces)
}

fn overrides(entries: Vec<Text>) -> Result<BTreeSet<String>, Fault> {
    if let Some(star) = entries.iter().find(|text| text.value == "*") {
        let message = "`overrideNamespaces` has `*`: whoever could write an object anywhere would choose the revision of every Application";
        return Err(Fault::at(star, message, "name each namespace"));
    }
    listed("overrideNamespaces", entries)
}

fn label(text: Text) -> Result<String, Fault> {
    if labels::is_key(&text.value) {
        return Ok(text.value);
    }
    let message = "`environmentLabel` is nothing that a label can be called";
    let hint = "write a name of letters, digits, `-`, `_` and `.`, with a domain and `/` before it or without";
    Err(Fault::at(&text, message, hint))
}

fn all_plugins(entries: Vec<Text>) -> Result<BTreeSet<String>, Fault> {
    let entry = |text: Text| {
        if text.value.is_empty() || text.value.contains(char::is_whitespace) {
            let message = "`plugins` has an entry that no plugin can be called";
            let hint = "write what Applications have as `plugin.name`";
            return Err(Fault::at(&text, message, hint));
        }
        Ok(text.value)
    };
    entries.into_iter().map(entry).collect()
}

fn limit(written: WrittenBreaker, usual: Breaker) -> Result<Breaker, Fault> {
    let WrittenBreaker {
        least,
        percent,
        minutes,
    } = written;
    let percent = or(percent, usual.percent, |percent| match percent.value {
        0..=100 => Ok(percent.value),
        _ => Err(Fault::at(
            &percent,
            "`breaker.percent` is more than 100",
            "write a number from 0 to 100",
        )),
    })?;
    Ok(Breaker {
        least: least.unwrap_or(usual.least),
        percent,
        within: or(minutes, usual.within, |minutes| {
            time("breaker.minutes", &minutes)
        })?,
    })
}

fn rate(written: WrittenFlap, usual: Flap) -> Result<Flap, Fault> {
    let WrittenFlap { changes, minutes } = written;
    let changes = or(changes, usual.changes, |changes| match changes.value {
        0 => Err(Fault::at(
            &changes,
            "`flap.changes` is 0, so that no revision would ever change",
            "`changes` is at least 1",
        )),
        changes => Ok(changes),
    })?;
    Ok(Flap {
        changes,
        within: or(minutes, usual.within, |minutes| {
            time("flap.minutes", &minutes)
        })?,
    })
}

fn time(field: &str, minutes: &Spanned<u32>) -> Result<Duration, Fault> {
    match minutes.value {
        0 => Err(Fault::at(
            minutes,
            format!("`{field}` is 0"),
            "`minutes` is at least 1",
        )),
        minutes => Ok(Duration::from_mins(minutes.into())),
    }
}

#[cfg(test)]
mod tests;
