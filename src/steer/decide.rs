//! The decision: everything that is known of an Application, put together.

mod moves;
mod relapse;
mod settings;
mod work;
mod writes;

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::application::Application;
use super::breaker;
use super::desired::Overrides;
use super::plan::{Counted, Decision, Plan};
use super::policy::Policy;
use super::state::State;
use work::Work;

/// Decides of all Applications.
pub fn decide(state: &State, policy: &Policy, now: Timestamp) -> Plan {
    Decider::new(state, policy, now).plan()
}

/// Decides of Applications, one or all.
pub struct Decider<'a> {
    state: &'a State,
    policy: &'a Policy,
    now: Timestamp,
    overrides: Overrides<'a>,
}

impl<'a> Decider<'a> {
    /// Looks at what is known once, for any number of Applications.
    pub fn new(state: &'a State, policy: &'a Policy, now: Timestamp) -> Self {
        Self {
            state,
            policy,
            now,
            overrides: Overrides::new(state, policy, now),
        }
    }

    /// Decides of all Applications.
    pub fn plan(&self) -> Plan {
        let applications = self.state.applications.values();
        let decisions = applications.filter_map(|application| self.decision(application));
        self.together(decisions.collect())
    }

    /// Decides of one Application, whatever happens to others; `None` where it does not take part.
    pub fn decision(&self, application: &'a Application) -> Option<Decision> {
        Work::new(self, application).map(|work| work.decision(None))
    }

    /// The same decisions as all Applications would get together, for those that were decided of alone; with them come all
    /// others of the environments whose breaker may stop one of them, and of those that are named: where a breaker counts
    /// otherwise than before, what it stopped or let through may be another matter.
    pub fn with_breakers(
        &self,
        mut decisions: Vec<Decision>,
        mut counted: BTreeSet<String>,
    ) -> Vec<Decision> {
        let moving = decisions
            .iter()
            .filter(|decision| decision.moves() && decision.counted != Counted::Not);
        counted.extend(moving.map(|decision| decision.environment.clone()));
        if counted.is_empty() {
            return decisions;
        }
        let all = self.state.applications.values();
        let all = all.filter(|application| {
            let environment = self.policy.environment_of(application);
            environment.is_some_and(|environment| counted.contains(environment))
        });
        decisions.retain(|decision| !counted.contains(&decision.environment));
        decisions.extend(all.filter_map(|application| self.decision(application)));
        self.together(decisions).decisions
    }

    /// Puts decisions together: those of a protected environment may be too many.
    pub fn together(&self, mut decisions: Vec<Decision>) -> Plan {
        let breakers = breaker::tripped(self.state, self.policy, &decisions, self.now);
        for decision in decisions.iter_mut().filter(|decision| decision.moves()) {
            let reason = breakers.iter().find_map(|tripped| tripped.stops(decision));
            let application = self.state.applications.get(&decision.application);
            let work = application.and_then(|application| Work::new(self, application));
            if let (Some(reason), Some(work)) = (reason, work) {
                *decision = work.decision(Some(reason));
            }
        }
        Plan {
            decisions,
            breakers,
        }
    }
}

#[cfg(test)]
mod specification;
#[cfg(test)]
mod tests;
