//! How a test ends: every Application is where the library itself says, and where the test says, and nothing was written that may
//! not be.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use argocd_infisical::cluster::{Access, Cluster};
use argocd_infisical::settings::digest::DigestKey;
use argocd_infisical::steer::plan::{Outcome, Plan};
use argocd_infisical::steer::{Policy, decide};
use jiff::Timestamp;
use serde_json::Value;

use super::world::{DIGEST_KEY, World};
use crate::kubeconfig::User;
use crate::patches::refusal;

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
            // While a server starts or ends, or knows of no right, it refuses what it has not even read.
            if write.code >= 400 && write.operations == [Value::Null] {
                continue;
            }
            let why = refusal(&write.operations, |revision| {
                is_asked_for(&write.name, revision)
            });
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
