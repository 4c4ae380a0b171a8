//! What is decided, settings included as far as they can be judged.

use std::sync::Arc;

use jiff::Timestamp;

use crate::settings::digest::{DigestKey, VARIABLE};
use crate::steer::application::Application;
use crate::steer::decide;
use crate::steer::plan::{Outcome, Plan};
use crate::steer::policy::Policy;
use crate::steer::reason::Code;
use crate::steer::state::State;

/// The reasons that do not depend on the key of digests.
const KEYLESS: [Code; 5] = [
    Code::InvalidSettings,
    Code::NoConsent,
    Code::SettingsAbsent,
    Code::SettingsNotSynced,
    Code::SettingsNotWatched,
];
/// Any key does where no digest that it makes is looked at.
const STAND_IN: [u8; 32] = [0; 32];

/// What is decided. Without the key nobody can tell whether settings have changed: of them just what is wrong is in the plan,
/// and nothing where nothing is.
pub(super) fn decided(
    state: &mut State,
    policy: &Policy,
    key: Option<DigestKey>,
    now: Timestamp,
) -> Plan {
    if key.is_some() {
        state.digest_key = key;
        return decide(state, policy, now);
    }
    let mut plan = decide(state, policy, now);
    state.digest_key = DigestKey::new(&STAND_IN).ok();
    // Every digest would be another one, which would hide a refusal.
    for application in state.applications.values_mut() {
        forget_digest(application);
    }
    let judged = decide(state, policy, now);
    state.digest_key = None;
    for (decision, judged) in plan.decisions.iter_mut().zip(judged.decisions) {
        decision.settings = judged.settings.filter(|settings| {
            matches!(&settings.outcome, Outcome::Stays(reason) if KEYLESS.contains(&reason.code))
        });
    }
    plan
}

fn forget_digest(application: &mut Application) {
    let spec = &mut application.spec;
    let only = spec.source.iter_mut().map(Arc::make_mut);
    for source in only.chain(Arc::make_mut(&mut spec.sources)) {
        let plugin = source.plugin.as_mut();
        if let Some(env) = plugin.and_then(|plugin| plugin.env.as_mut()) {
            env.retain(|entry| entry.name != VARIABLE);
        }
    }
}
