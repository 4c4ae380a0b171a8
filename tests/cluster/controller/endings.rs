//! How a test ends: every Application is where the library itself says, and where the test says, and nothing was written that may
//! not be.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::{Duration, Instant};

use argocd_infisical::cluster::{Access, Cluster};
use argocd_infisical::settings::digest::DigestKey;
use argocd_infisical::steer::plan::{Outcome, Plan};
use argocd_infisical::steer::{Policy, decide};
use jiff::Timestamp;
use serde_json::Value;

use super::world::{DIGEST_KEY, World};
use crate::audit::Write;
use crate::kubeconfig::User;

/// What may be waited for until all is where it should be, after the last fault.
const DEADLINE: Duration = Duration::from_mins(2);

/// What is expected of Applications: the revision of each, by name.
pub(crate) type Expected = BTreeMap<String, String>;

impl World {
    /// What the library decides of all that the API server has now, at a time.
    pub(crate) fn decided(&self, now: Timestamp) -> Plan {
        let policy = Policy::of_text(self.policy_text().as_bytes()).ok().unwrap();
        let access = Access::Kubeconfig {
            file: Some(self.cluster.kubeconfig(User::ADMIN)),
            context: None,
        };
        let cluster = Cluster::new(&access).unwrap();
        let mut state = cluster.observe(&policy, DEADLINE).unwrap().state;
        state.digest_key = DigestKey::new(&DIGEST_KEY).ok();
        decide(&state, &policy, now)
    }

    /// What would still be written, or is not as the test says.
    fn open(&self, expected: &Expected, now: Timestamp) -> Vec<String> {
        let plan = self.decided(now);
        let mut decided = Expected::new();
        let mut open = Vec::new();
        for decision in &plan.decisions {
            let name = decision.application.name.clone();
            if let Some(patch) = &decision.patch {
                open.push(format!("{name} would be patched: {:?}", patch.changes));
            }
            if let Outcome::Stays(reason) = &decision.revision.outcome {
                open.push(format!("{name} stays: {reason:?}"));
            }
            if let Some(Outcome::Stays(reason)) = decision.settings.as_ref().map(|of| &of.outcome) {
                open.push(format!("the settings of {name} stay: {reason:?}"));
            }
            if expected.contains_key(&name) {
                decided.insert(name, decision.revision.current.join(" "));
            }
        }
        for (name, revision) in expected {
            let has = decided.get(name);
            if has != Some(revision) {
                open.push(format!("{name} has {has:?}, not {revision}"));
            }
        }
        open
    }

    /// Waits until every Application is where the library says and where the test says. Returns how long that took.
    #[track_caller]
    pub(crate) fn comes_to_rest(&self, expected: &Expected) -> Duration {
        self.comes_to_rest_at(expected, Timestamp::now)
    }

    #[track_caller]
    pub(crate) fn comes_to_rest_at(
        &self,
        expected: &Expected,
        now: impl Fn() -> Timestamp,
    ) -> Duration {
        let start = Instant::now();
        loop {
            let open = self.open(expected, now());
            if open.is_empty() {
                return start.elapsed();
            }
            assert!(
                start.elapsed() < DEADLINE,
                "it does not come to rest:\n{}\nthe controllers said:\n{}",
                open.join("\n"),
                self.last_words()
            );
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// All that was written is what may be written: the fields that are the controller's, of the object that it was decided of,
    /// and of an Application no revision that nobody asked for it.
    #[track_caller]
    pub(crate) fn wrote_only(&self, is_asked_for: impl Fn(&str, &str) -> bool) {
        for write in self.writes() {
            let why = refusal(&write, &is_asked_for);
            assert!(why.is_none(), "{why:?}: {write:?}");
        }
    }

    /// The last lines of what the controllers have said.
    pub(crate) fn last_words(&self) -> String {
        let words = self.logs();
        let lines: Vec<&str> = words.lines().collect();
        lines[lines.len().saturating_sub(60)..].join("\n")
    }
}

/// Why a write is none that may be.
fn refusal(write: &Write, is_asked_for: &impl Fn(&str, &str) -> bool) -> Option<String> {
    let tests: BTreeSet<&str> = write
        .operations
        .iter()
        .filter(|operation| operation["op"] == "test")
        .filter_map(|operation| operation["path"].as_str())
        .collect();
    if !tests.contains("/metadata/uid") {
        return Some("it does not test which object it is".into());
    }
    for operation in &write.operations {
        let (op, path) = (text(&operation["op"]), text(&operation["path"]));
        if op == "test" {
            continue;
        }
        let value = &operation["value"];
        let is_allowed = match path {
            "/metadata/annotations" => value
                .as_object()
                .is_some_and(|all| all.iter().all(|(name, value)| is_annotation(name, value))),
            "/status/operationState/phase" => value == "Terminating",
            _ if path.starts_with("/metadata/annotations/") => {
                let name = path.trim_start_matches("/metadata/annotations/");
                is_annotation(&name.replace("~1", "/"), value)
            }
            _ if path.ends_with("/targetRevision") => {
                is_in_source(path, "targetRevision")
                    && tests.contains(path)
                    && is_asked_for(&write.name, text(value))
            }
            _ => is_of_digest(path, value),
        };
        if !is_allowed || !matches!(op, "add" | "replace") {
            return Some(format!("it may not {op} {path}"));
        }
    }
    None
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Whether a path is of a field of one source, at the beginning of the field's name.
fn is_in_source(path: &str, field: &str) -> bool {
    if let Some(rest) = path.strip_prefix("/spec/source/") {
        return rest.starts_with(field);
    }
    let rest = path.strip_prefix("/spec/sources/").unwrap_or_default();
    let (number, rest) = rest.split_once('/').unwrap_or_default();
    number.parse::<usize>().is_ok() && rest.starts_with(field)
}

fn is_annotation(name: &str, value: &Value) -> bool {
    let value = text(value);
    match name {
        "argocd-infisical.io/state" => {
            serde_json::from_str::<Value>(value).is_ok_and(|record| record.is_object())
        }
        "argocd.argoproj.io/refresh" => value == "hard",
        "argocd.argoproj.io/refresh-timestamp" => value.parse::<Timestamp>().is_ok(),
        _ => false,
    }
}

fn is_of_digest(path: &str, value: &Value) -> bool {
    let is_digest = |value: &Value| text(value).starts_with("v1.");
    let is_entry = |entry: &Value| {
        entry["name"] == "SETTINGS_DIGEST"
            && is_digest(&entry["value"])
            && entry.as_object().is_some_and(|entry| entry.len() == 2)
    };
    let end = path.rsplit("plugin/env").next().unwrap_or_default();
    is_in_source(path, "plugin/env")
        && match end {
            "" => value
                .as_array()
                .is_some_and(|all| all.len() == 1 && all.iter().all(is_entry)),
            "/-" => is_entry(value),
            _ => end.ends_with("/value") && is_digest(value),
        }
}
