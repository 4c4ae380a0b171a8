//! The one task that owns what is known: it takes in what watches tell, decides, and starts patches.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use kube::Client;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{sleep_until, timeout_at};

use super::Mode;
use super::election::Until;
use super::events::{self, Event};
use super::health::Health;
use super::knowledge::{Changed, Knowledge, Told};
use super::metrics::{Gauges, Verb};
use super::notice::{Key, Notice};
use super::owners::Owners;
use super::queue::{Job, Limits, Queue};
use super::request::Api;
use super::standing::Standings;
use super::streams::Stream;
use super::writer::{self, Outcome, Refused};
use crate::cluster;
use crate::settings::digest::DigestKey;
use crate::steer::Decider;
use crate::steer::application::{Application, Cause, Name};
use crate::steer::owner::{Instance, Owner, OwnerName};
use crate::steer::ownership;
use crate::steer::plan::{self, Decision};
use crate::steer::policy::Policy;
use crate::steer::reason::Class;
use crate::steer::state::State;

/// How often all is decided anew, whatever has changed.
const RECOMPUTE: Duration = Duration::from_mins(5);
/// How often the controller shows that it goes on.
const BEAT: Duration = Duration::from_secs(5);
/// How many notices are taken in before anything else happens.
const BATCH: usize = 512;
/// How long decisions rest after some were made, and how many times as long as those took: so decisions take a fifth of a
/// processor at most, however fast things change.
const REST: Duration = Duration::from_millis(5);
const SHARE: u32 = 4;
/// How long an owner, or Argo CD's settings, may take to be read.
const READ: Duration = Duration::from_secs(10);
/// How often Argo CD's settings are read.
const INSTANCE: Duration = Duration::from_mins(1);
/// How long patches under way are waited for at the end.
const END: Duration = Duration::from_secs(10);

/// The ways in and out.
pub(super) struct Ways {
    /// To the API server.
    pub(super) api: Api,
    /// The same, for what is read once.
    pub(super) client: Client,
    /// What watches tell.
    pub(super) notices: mpsc::Receiver<(usize, Notice)>,
    /// Until when writes may start.
    pub(super) lease: watch::Receiver<Until>,
    /// What people are told.
    pub(super) events: mpsc::Sender<Event>,
    /// Whoever asks how it goes.
    pub(super) health: Arc<Health>,
}

/// What was read of Argo CD.
enum Reading {
    Owner(OwnerName, Owner),
    Instance(Option<BTreeMap<String, String>>),
}

/// Owns what is known.
pub(super) struct Keeper {
    policy: Policy,
    streams: Vec<Stream>,
    mode: Mode,
    knowledge: Knowledge,
    queue: Queue,
    owners: Owners,
    standings: Standings,
    refused: Refused,
    /// Whether all that decisions are made from was known when it was looked at last.
    is_complete: bool,
    /// When Argo CD's settings were read; decisions wait for the first time.
    instance_at: Option<Instant>,
    is_reading_instance: bool,
    reported_at: Option<Instant>,
    is_leader: bool,
    rest_until: Option<Instant>,
    recompute_at: Instant,
}

impl Keeper {
    /// Knows nothing yet.
    pub(super) fn new(
        policy: Policy,
        digest_key: Option<DigestKey>,
        streams: Vec<Stream>,
        limits: Limits,
        mode: Mode,
    ) -> Self {
        let now = Instant::now();
        let state = State {
            projects: Some(BTreeMap::new()),
            digest_key,
            ..State::default()
        };
        Self {
            policy,
            mode,
            knowledge: Knowledge::new(state, streams.len()),
            queue: Queue::new(limits, now),
            owners: Owners::default(),
            standings: Standings::default(),
            refused: Refused::default(),
            is_complete: false,
            instance_at: None,
            is_reading_instance: false,
            reported_at: None,
            is_leader: false,
            rest_until: None,
            recompute_at: now + RECOMPUTE,
            streams,
        }
    }

    /// Goes on until it is time to end.
    pub(super) async fn run(mut self, mut ways: Ways, mut end: watch::Receiver<bool>) {
        let mut writes: JoinSet<Outcome> = JoinSet::new();
        let mut reads: JoinSet<Reading> = JoinSet::new();
        loop {
            let wake = self.turn(&ways, &mut writes, &mut reads);
            tokio::select! {
                biased;
                _ = end.wait_for(|end| *end) => break,
                Some(outcome) = writes.join_next() => self.finish(outcome, &ways),
                Some(reading) = reads.join_next() => self.read(reading, &ways),
                notice = ways.notices.recv() => match notice {
                    Some(notice) => self.take_all(notice, &mut ways),
                    // No watch ends by itself.
                    None => break,
                },
                Ok(()) = ways.lease.changed() => {}
                () = sleep_until(wake.into()) => {}
            }
        }
        // No other write begins; those under way are waited for.
        let limit = tokio::time::Instant::now() + END;
        while let Ok(Some(outcome)) = timeout_at(limit, writes.join_next()).await {
            self.finish(outcome, &ways);
        }
    }

    /// Takes in a notice, and those that have come with it.
    fn take_all(&mut self, first: (usize, Notice), ways: &mut Ways) {
        let now = Instant::now();
        self.take(first, ways, now);
        for _ in 0..BATCH {
            let Ok(notice) = ways.notices.try_recv() else {
                break;
            };
            self.take(notice, ways, now);
        }
    }

    fn take(&mut self, (watch, notice): (usize, Notice), ways: &Ways, now: Instant) {
        let landing = match &notice {
            Notice::Shown(shown) => match &shown.key {
                Key::Application(name) if self.queue.window.has(name) => Some(name.clone()),
                _ => None,
            },
            _ => None,
        };
        let told = self.knowledge.take(watch, notice, &self.policy, now);
        if let Some(name) = landing {
            let application = self.knowledge.state.applications.get(&name);
            let landed = self.queue.window.see(&name, application, now);
            if let Some(landed) = landed.filter(|landed| landed.is_synced) {
                ways.health.metrics.settled(landed.after);
            }
        }
        let stream = self.streams.get(watch).map(ToString::to_string);
        let stream = stream.unwrap_or_default();
        match told {
            Told::Nothing => {}
            Told::Odd(key) => {
                tracing::warn!(watch = %stream, object = ?key, "an object is not made as its kind asks for, and does not count");
            }
            Told::Failing(refusal) => {
                let cause = &refusal.cause;
                let rule = self.streams.get(watch).filter(|_| refusal.code == 403);
                let rule = rule.map(Stream::rule).unwrap_or_default();
                tracing::warn!(watch = %stream, %cause, %rule, "a watch fails");
            }
        }
    }

    /// Decides what is to be decided and starts what may be started; when there may be more to do.
    fn turn(
        &mut self,
        ways: &Ways,
        writes: &mut JoinSet<Outcome>,
        reads: &mut JoinSet<Reading>,
    ) -> Instant {
        let (now, wall) = (Instant::now(), Timestamp::now());
        while let Some(name) = self.standings.due(wall) {
            self.knowledge.changed.application(&name, now);
        }
        if now >= self.recompute_at {
            self.recompute_at = now + RECOMPUTE;
            self.knowledge.changed.everything(now);
            self.queue.tidy(now);
            for owner in self.owners.tidy(now) {
                self.knowledge.state.owners.remove(&owner);
            }
        }
        let is_leader = ways.lease.borrow().is_some();
        if is_leader && !self.is_leader {
            // What nobody was told while there was no leader is told by this one.
            self.knowledge.changed.everything(now);
        }
        self.is_leader = is_leader;
        self.look(ways, now);
        if self.may_decide(now) {
            self.decide(ways, now, wall);
        }
        self.start_reads(ways, reads, now);
        self.start_writes(ways, writes);
        self.report(ways, now);
        self.wake(now, wall)
    }

    /// Sees whether all that decisions are made from is known.
    fn look(&mut self, ways: &Ways, now: Instant) {
        let is_complete = self.knowledge.gate.is_complete(now) && self.instance_at.is_some();
        if is_complete != self.is_complete {
            self.is_complete = is_complete;
            self.reported_at = None;
            if is_complete {
                let applications = self.knowledge.state.applications.len();
                let objects = self.knowledge.state.objects.len();
                tracing::info!(applications, objects, "everything is known");
            } else {
                tracing::warn!("not everything is known any more: nothing is written");
            }
        }
        ways.health.beat(is_complete, now);
    }

    fn may_decide(&self, now: Instant) -> bool {
        self.is_complete
            && !self.knowledge.changed.is_empty()
            && self.rest_until.is_none_or(|until| until <= now)
    }

    fn decide(&mut self, ways: &Ways, now: Instant, wall: Timestamp) {
        let changed = std::mem::take(&mut self.knowledge.changed);
        let since = changed.since.unwrap_or(now);
        let (decisions, is_all) = self.decisions(&changed, ways, wall);
        let gone = changed.applications.iter();
        let applications = &self.knowledge.state.applications;
        let gone: Vec<Name> = gone
            .filter(|name| !applications.contains_key(name))
            .cloned()
            .collect();
        for name in gone {
            self.forget(&name, now);
        }
        if is_all {
            let applications = &self.knowledge.state.applications;
            self.standings
                .retain(|name| applications.contains_key(name));
        }
        for decision in decisions {
            self.adopt(decision, ways, since, now);
        }
        let took = now.elapsed();
        ways.health.metrics.decided(took);
        self.rest_until = Some(Instant::now() + REST.max(took * SHARE));
    }

    /// Decides of what has changed, or of everything where one has to do with the other; whether it is everything.
    fn decisions(&self, changed: &Changed, ways: &Ways, wall: Timestamp) -> (Vec<Decision>, bool) {
        let state = &self.knowledge.state;
        let decider = Decider::new(state, &self.policy, wall);
        if !changed.all {
            let found = changed.applications.iter();
            let found = found.filter_map(|name| state.applications.get(name));
            let decisions: Vec<_> = found
                .filter_map(|application| decider.decision(application))
                .collect();
            let environments = &self.policy.environments;
            let is_watched = |decision: &Decision| {
                let environment = environments.get(&decision.environment);
                decision.moves() && environment.is_some_and(|environment| environment.is_protected)
            };
            // A breaker counts all that move.
            if !decisions.iter().any(is_watched) {
                return (decisions, false);
            }
        }
        let plan = decider.plan();
        let mut breakers = BTreeMap::new();
        for tripped in &plan.breakers {
            breakers.insert(tripped.environment.clone(), tripped.changes);
        }
        ways.health.metrics.breakers(breakers);
        (plan.decisions, true)
    }

    /// Acts on a decision.
    fn adopt(&mut self, decision: Decision, ways: &Ways, since: Instant, now: Instant) {
        for transition in self.standings.note(&decision, &self.policy, self.is_leader) {
            events::tell(&ways.events, Event::stays(&decision, &transition));
        }
        if self.knowledge.state.memory.saw(&decision) {
            self.knowledge
                .changed
                .application(&decision.application, now);
        }
        if rests_on_owners(&decision) {
            self.want_owners(&decision.application, now);
        }
        let name = decision.application.clone();
        let application = self.knowledge.state.applications.get(&name);
        let version = application.map(|found| found.metadata.resource_version.clone());
        match Job::of(decision, version.unwrap_or_default(), since) {
            Some(job) => {
                let said = (self.mode == Mode::Observe).then(|| job.clone());
                if self.queue.put(job, now)
                    && let Some(job) = said
                {
                    writer::audit(&job, None, "would patch");
                }
            }
            None => self.queue.remove(&name),
        }
    }

    fn forget(&mut self, name: &Name, now: Instant) {
        self.standings.forget(name);
        self.queue.remove(name);
        self.queue.window.see(name, None, now);
        self.owners.forget(name);
        self.knowledge.state.memory.forget(name);
    }

    /// Asks for the owners of an Application that are not known well enough; whether there are any.
    fn want_owners(&mut self, name: &Name, now: Instant) -> bool {
        let state = &self.knowledge.state;
        let Some(application) = state.applications.get(name) else {
            return false;
        };
        let owners = ownership::owners(application, &state.instance, &self.policy);
        let wanted = owners
            .iter()
            .filter(|owner| self.owners.want(owner, name, now));
        wanted.count() > 0
    }

    fn start_reads(&mut self, ways: &Ways, reads: &mut JoinSet<Reading>, now: Instant) {
        let is_due = self.instance_at.is_none_or(|at| now >= at + INSTANCE);
        if is_due && !self.is_reading_instance {
            self.is_reading_instance = true;
            let (client, namespace) = (ways.client.clone(), self.policy.argocd_namespace.clone());
            reads.spawn(async move {
                Reading::Instance(cluster::argocd_config(&client, &namespace, READ).await)
            });
        }
        while let Some(name) = self.owners.next(now) {
            let client = ways.client.clone();
            reads.spawn(async move {
                let owner = cluster::owner(&client, &name, READ).await;
                Reading::Owner(name, owner)
            });
        }
    }

    /// Takes in what was read of Argo CD.
    fn read(&mut self, reading: Result<Reading, JoinError>, ways: &Ways) {
        let now = Instant::now();
        let is_answered = match &reading {
            Ok(Reading::Owner(_, owner)) => !matches!(owner, Owner::Unreadable),
            Ok(Reading::Instance(data)) => data.is_some(),
            Err(_) => false,
        };
        let code = if is_answered { 200 } else { 0 };
        ways.health.metrics.request(Verb::Get, code);
        match reading {
            Ok(Reading::Owner(name, owner)) => {
                let is_readable = !matches!(owner, Owner::Unreadable);
                self.knowledge.state.owners.insert(name.clone(), owner);
                for application in self.owners.found(&name, is_readable, now) {
                    self.knowledge.changed.application(&application, now);
                }
            }
            Ok(Reading::Instance(data)) => {
                self.is_reading_instance = false;
                self.instance_at = Some(now);
                // What was read before still tells more than nothing.
                let Some(data) = data else { return };
                let instance = Instance::from_config(&data);
                if self.knowledge.state.instance != instance {
                    self.knowledge.state.instance = instance;
                    self.knowledge.changed.everything(now);
                }
            }
            Err(_) => tracing::error!("a request ended by itself"),
        }
    }

    fn start_writes(&mut self, ways: &Ways, writes: &mut JoinSet<Outcome>) {
        if self.mode != Mode::Enforce || !self.is_complete {
            return;
        }
        let Some(until) = *ways.lease.borrow() else {
            return;
        };
        loop {
            let now = Instant::now();
            if now >= until {
                return;
            }
            let changed = &self.knowledge.changed;
            let Some(name) = self.queue.next(now).map(|job| job.name.clone()) else {
                return;
            };
            // What was decided before is not written: the next decision comes at once.
            if changed.all || changed.applications.contains(&name) || self.want_owners(&name, now) {
                self.queue.park(&name);
                continue;
            }
            if let Some(job) = self.queue.start(&name, now) {
                writes.spawn(writer::write(ways.api.clone(), job));
            }
        }
    }

    /// Takes in what became of a patch.
    fn finish(&mut self, outcome: Result<Outcome, JoinError>, ways: &Ways) {
        let (now, wall) = (Instant::now(), Timestamp::now());
        let Ok(outcome) = outcome else {
            tracing::error!("a patch ended by itself");
            return;
        };
        let took = now.saturating_duration_since(outcome.job.since);
        self.refused.note(&outcome, &ways.health.metrics, took);
        let Outcome { job, result } = outcome;
        match result {
            Ok(application) => {
                self.queue.done(&job, now);
                let within = self.policy.breaker.within.max(self.policy.flap.within);
                let memory = &mut self.knowledge.state.memory;
                memory.wrote(&job.decision, wall, within);
                if let Some(event) = Event::written(&job.decision) {
                    events::tell(&ways.events, event);
                }
                if let Some(application) = application {
                    self.knowledge.written(*application, &self.policy, now);
                }
            }
            Err(refusal) => {
                let is_busy = refusal.is_passing();
                self.queue.failed(&job, refusal.retry_after, is_busy, now);
            }
        }
        self.knowledge.changed.application(&job.name, now);
    }

    /// Sets figures, not too often.
    fn report(&mut self, ways: &Ways, now: Instant) {
        let is_due = self.reported_at.is_none_or(|at| now >= at + BEAT);
        if !is_due {
            return;
        }
        self.reported_at = Some(now);
        let metrics = &ways.health.metrics;
        let is_paused = |application: &&Application| {
            let mut conditions = application.status.conditions.iter();
            conditions.any(|condition| condition.cause == Cause::Paused)
        };
        let applications = self.knowledge.state.applications.values();
        metrics.set(Gauges {
            is_leader: self.is_leader,
            is_complete: self.is_complete,
            in_flight: self.queue.window.len(),
            waiting: self.queue.len(),
            paused: applications.filter(is_paused).count(),
        });
        metrics.applications(self.standings.groups());
        for (number, stream) in self.streams.iter().enumerate() {
            let is_synced = self.knowledge.gate.is_synced(number, now);
            metrics.synced(stream.to_string(), is_synced);
        }
    }

    /// When there may be something to do that nothing else tells of.
    fn wake(&mut self, now: Instant, wall: Timestamp) -> Instant {
        let rest = self
            .rest_until
            .filter(|_| !self.knowledge.changed.is_empty());
        let rest = rest.filter(|_| self.is_complete);
        let due = self.standings.next().map(|at| {
            let wait = at.duration_since(wall).max(SignedDuration::ZERO);
            now + wait.unsigned_abs()
        });
        let times = [
            rest,
            due,
            self.queue.wake(now),
            self.queue.window.expire(now),
            self.owners.wake(),
            self.knowledge.gate.closes(now),
            Some(self.recompute_at),
        ];
        let first = times.into_iter().flatten().min();
        let beat = now + BEAT;
        first.map_or(beat, |first| first.min(beat))
    }
}

/// Whether a decision might be another one were the owners known, or others.
fn rests_on_owners(decision: &Decision) -> bool {
    let settings = decision.settings.as_ref().map(|settings| &settings.outcome);
    let mut outcomes = settings.into_iter().chain([&decision.revision.outcome]);
    outcomes.any(|outcome| match outcome {
        plan::Outcome::Stays(reason) => {
            reason.class == Class::Contested || reason.code == "OwnerUnknown"
        }
        plan::Outcome::Same | plan::Outcome::Change => false,
    })
}
