//! What the Infisical operator syncs: whether, and how often.

use serde_json::json;

use super::cure;
use super::finding::{Code, Finding};
use super::look::Look;
use super::seen::{Interval, Synced};

/// Above this, the two minutes cannot be kept.
const SELDOM: u64 = 60;
/// Below this, the operator takes its default.
const SHORTEST: u64 = 5;

/// Finds what is wrong with it.
pub(super) fn examine(look: &Look<'_>, findings: &mut Vec<Finding>) {
    let operator = &look.seen.operator;
    if operator.static_secrets.is_absent() && operator.secrets.is_absent() {
        let what = "secrets.infisical.com";
        let message = "the Infisical operator is not installed: whoever else writes the objects with settings is not looked at";
        let cure = "# an Application of Argo CD that installs the operator's chart, pinned\nkubectl apply -k manifests/components/infisical-operator";
        findings.push(Finding::new(Code::OperatorMissing, what, message).cure(cure));
    }
    let fixed = operator.static_secrets.known().into_iter().flatten();
    for synced in fixed.chain(operator.secrets.known().into_iter().flatten()) {
        status(synced, findings);
        interval(synced, findings);
    }
    for connection in operator.connections.known().into_iter().flatten() {
        let address = connection.address.as_deref();
        let message = match address.map(|address| address.trim_end_matches('/')) {
            None => {
                "it has no address, and the one that the operator is usually installed with ends in `/api`, which is not one for this kind"
            }
            Some(address) if address.ends_with("/api") => {
                "its address ends in `/api`, which is not one for this kind"
            }
            Some(_) => continue,
        };
        let what = format!("InfisicalConnection {}", connection.name);
        let cure = cure::with(
            "a patch of it",
            &json!({"spec": {"address": "https://app.infisical.com"}}),
        );
        findings.push(Finding::new(Code::ConnectionAddress, what, message).cure(cure));
    }
}

fn what(synced: &Synced) -> String {
    format!("{} {}", synced.kind, synced.name)
}

fn status(synced: &Synced, findings: &mut Vec<Finding>) {
    let Synced {
        kind,
        name,
        conditions,
        targets,
        ..
    } = synced;
    let describe = format!(
        "kubectl -n {} describe {} {}",
        name.namespace,
        kind.to_lowercase(),
        name.name
    );
    let targets: Vec<String> = targets.iter().map(ToString::to_string).collect();
    let of = |name: &str| {
        let mut conditions = conditions.iter();
        conditions.find(|condition| condition.kind.rsplit('/').next() == Some(name))
    };
    let states = [
        "LastReconcileStatus",
        "ReadyToSyncSecrets",
        "LoadedInfisicalToken",
    ];
    let failing = states
        .into_iter()
        .filter(|state| of(state).is_some_and(|condition| condition.status == "False"));
    let failing: Vec<&str> = failing.collect();
    if !failing.is_empty() {
        let message = format!(
            "the operator says {}: {} stays as it is",
            failing.join(" and ") + " is `False`",
            targets.join(", ")
        );
        let cure = format!("# what the operator says\n{describe}");
        findings.push(Finding::new(Code::NotSynced, what(synced), message).cure(cure));
    } else if states.into_iter().all(|state| of(state).is_none()) {
        let message = "the operator has said nothing of it yet";
        let cure =
            format!("# see whether the operator runs, and looks at this namespace\n{describe}");
        findings.push(Finding::new(Code::NeverSynced, what(synced), message).cure(cure));
    }
}

fn interval(synced: &Synced, findings: &mut Vec<Finding>) {
    let seconds = match &synced.interval {
        Interval::Default(seconds) | Interval::Seconds(seconds) => Some(*seconds),
        Interval::Text(text) => seconds(text),
    };
    let fields = if synced.kind == "InfisicalSecret" {
        json!({"spec": {"syncConfig": {"resyncInterval": "30s"}}})
    } else {
        json!({"spec": {"syncOptions": {"refreshInterval": "30s"}}})
    };
    let cure = cure::with("a patch of it", &fields);
    let finding = match seconds {
        Some(seconds) if seconds > SELDOM => {
            let message = format!(
                "it is synced every {seconds} s: a change in Infisical takes that long before anything else begins"
            );
            Finding::new(Code::RefreshInterval, what(synced), message)
        }
        Some(seconds) if seconds >= SHORTEST => return,
        _ => {
            let message = "its interval is none that the operator takes: one number and one of s, m, h, d, w, at least 5s";
            Finding::new(Code::RefreshIntervalInvalid, what(synced), message)
        }
    };
    findings.push(finding.cure(cure));
}

/// An interval, as the operator reads it: one number and one unit.
fn seconds(text: &str) -> Option<u64> {
    let unit = match text.chars().last()? {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 24 * 3600,
        'w' => 7 * 24 * 3600,
        _ => return None,
    };
    let number: u64 = text.get(..text.len() - 1)?.parse().ok()?;
    number.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals() {
        for (text, expected) in [
            ("30s", Some(30)),
            ("1m", Some(60)),
            ("2h", Some(7200)),
            ("1w", Some(604_800)),
            ("1m30s", None),
            ("30", None),
            ("", None),
            ("s", None),
            ("-5s", None),
            ("30ä", None),
            ("99999999999999999999w", None),
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }
}
