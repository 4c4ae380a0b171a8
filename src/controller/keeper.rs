//! The one task that owns what is known: it takes in what watches tell, decides, and starts patches.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep_until, timeout_at};

use super::Mode;
use super::clock::{Clock, Jumps};
use super::election::Until;
use super::events::{self, Event};
use super::figures::{self, Figures};
use super::health::Health;
use super::knowledge::{Knowledge, Told};
use super::metrics::Gauges;
use super::notice::{Key, Notice};
use super::overview::Overview;
use super::pace::Pace;
use super::queue::{Job, Limits};
use super::readings::{Reading, Readings};
use super::request::Api;
use super::round::{Round, Tell};
use super::streams::Stream;
use super::writer::{self, Attempt};
use super::writes::Writes;
use crate::settings::digest::DigestKey;
use crate::steer::application::Name;
use crate::steer::ownership;
use crate::steer::plan::{Decision, Outcome};
use crate::steer::policy::Policy;
use crate::steer::reason::{Class, Code};
use crate::steer::state::State;

/// How often all is decided anew, whatever has changed.
const RECOMPUTE: Duration = Duration::from_mins(5);
/// How many notices are taken in before anything else happens.
const BATCH: usize = 512;
/// How long patches under way are waited for at the end.
const END: Duration = Duration::from_secs(10);

/// The ways in and out.
pub(super) struct Ways {
    /// To the API server.
    pub(super) api: Api,
    /// What watches tell.
    pub(super) notices: mpsc::Receiver<(usize, Notice)>,
    /// Until when writes may start.
    pub(super) lease: watch::Receiver<Until>,
    /// What people are told.
    pub(super) events: mpsc::Sender<Event>,
    /// Whoever asks how it goes.
    pub(super) health: Arc<Health>,
    /// What tells the time of day.
    pub(super) clock: Clock,
}

/// Owns what is known.
pub(super) struct Keeper {
    policy: Policy,
    streams: Vec<Stream>,
    mode: Mode,
    knowledge: Knowledge,
    writes: Writes,
    readings: Readings,
    overview: Overview,
    figures: Figures,
    jumps: Jumps,
    /// Whether all that decisions are made from was known when it was looked at last.
    is_complete: bool,
    is_leader: bool,
    pace: Pace,
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
            writes: Writes::new(limits, now),
            readings: Readings::default(),
            overview: Overview::default(),
            figures: Figures::default(),
            jumps: Jumps::default(),
            is_complete: false,
            is_leader: false,
            pace: Pace::default(),
            recompute_at: now + RECOMPUTE,
            streams,
        }
    }

    /// Goes on until it is time to end.
    pub(super) async fn run(mut self, mut ways: Ways, mut end: watch::Receiver<bool>) {
        loop {
            let wake = self.turn(&ways);
            tokio::select! {
                biased;
                _ = end.wait_for(|end| *end) => break,
                Some(attempt) = self.writes.next() => self.finish(attempt, &ways),
                Some(reading) = self.readings.next() => self.read(reading),
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
        while let Ok(Some(attempt)) = timeout_at(limit, self.writes.next()).await {
            self.finish(attempt, &ways);
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
                Key::Application(name) if self.writes.queue.window.has(name) => Some(name.clone()),
                _ => None,
            },
            _ => None,
        };
        let told = self.knowledge.take(watch, notice, &self.policy, now);
        if let Some(name) = landing {
            let application = self.knowledge.state.applications.get(&name);
            let application = application.map(|application| &**application);
            let landed = self.writes.queue.window.see(&name, application, now);
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
    fn turn(&mut self, ways: &Ways) -> Instant {
        let (now, wall) = (Instant::now(), ways.clock.now());
        while let Some(name) = self.overview.due(wall) {
            self.knowledge.changed.application(&name, now);
        }
        if self.jumps.see(now, wall) {
            self.knowledge.changed.everything(now);
        }
        if now >= self.recompute_at {
            self.recompute_at = now + RECOMPUTE;
            self.knowledge.changed.everything(now);
            self.writes.queue.tidy(now);
            for owner in self.readings.owners.tidy(now) {
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
        let argocd = &self.policy.argocd_namespace;
        self.readings.start(&ways.api, argocd, now);
        self.start_writes(ways);
        self.report(ways, now);
        self.wake(now, wall)
    }

    /// Sees whether all that decisions are made from is known.
    fn look(&mut self, ways: &Ways, now: Instant) {
        let is_complete = self.knowledge.gate.is_complete(now) && self.readings.has_instance();
        if is_complete != self.is_complete {
            self.is_complete = is_complete;
            self.figures.are_due();
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
            && self.pace.until(self.knowledge.changed.is_small()) <= Some(now)
    }

    fn decide(&mut self, ways: &Ways, now: Instant, wall: Timestamp) {
        let (knowledge, overview) = (&mut self.knowledge, &mut self.overview);
        let mut tell = |transition| events::tell(&ways.events, Event::stays(transition));
        let tell: Tell = if self.is_leader {
            Some(&mut tell)
        } else {
            None
        };
        let Round {
            changed,
            decisions,
            gone,
        } = Round::of(knowledge, overview, &self.policy, tell, (now, wall));
        for name in gone {
            self.forget(&name, now);
        }
        let since = changed.since.unwrap_or(now);
        for decision in decisions {
            self.adopt(decision, since, now);
        }
        ways.health.metrics.breakers(self.overview.stopped());
        let took = now.elapsed();
        ways.health.metrics.decided(took);
        self.pace.after(changed.is_small(), took, Instant::now());
    }

    /// Acts on a decision.
    fn adopt(&mut self, decision: Decision, since: Instant, now: Instant) {
        if rests_on_owners(&decision) {
            self.want_owners(&decision.application, now);
        }
        let name = decision.application.clone();
        let application = self.knowledge.state.applications.get(&name);
        let version = application.map(|found| found.metadata.resource_version.clone());
        match Job::of(decision, version.unwrap_or_default(), since) {
            Some(job) => {
                let said = (self.mode == Mode::Observe).then(|| job.clone());
                if self.writes.queue.put(job, now)
                    && let Some(job) = said
                {
                    writer::audit(&job, None, "would patch");
                }
            }
            None => self.writes.queue.remove(&name),
        }
    }

    /// Gives up what was to be done with an Application that is gone.
    fn forget(&mut self, name: &Name, now: Instant) {
        self.writes.queue.remove(name);
        self.writes.queue.window.see(name, None, now);
        self.readings.owners.forget(name);
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
            .filter(|owner| self.readings.owners.want(owner, name, now));
        wanted.count() > 0
    }

    /// Starts the patches that may be started.
    fn start_writes(&mut self, ways: &Ways) {
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
            let Some(name) = self.writes.queue.next(now).map(|job| job.name.clone()) else {
                return;
            };
            // What was decided before is not written: the next decision comes at once.
            let changed = &self.knowledge.changed;
            if changed.all || changed.applications.contains(&name) || self.want_owners(&name, now) {
                self.writes.queue.park(&name);
            } else {
                self.writes.start(&name, &ways.api, now);
            }
        }
    }

    /// Takes in what became of a patch.
    fn finish(&mut self, attempt: Attempt, ways: &Ways) {
        let (now, wall) = (Instant::now(), ways.clock.now());
        let Attempt { job, result } = attempt;
        self.writes.note(&job, &result, &ways.health.metrics, now);
        if let Ok(application) = result {
            let within = self.policy.breaker.within.max(self.policy.flap.within);
            let memory = &mut self.knowledge.state.memory;
            memory.wrote(&job.decision, wall, within);
            if let Some(event) = Event::written(&job.decision) {
                events::tell(&ways.events, event);
            }
            if let Some(application) = application {
                self.knowledge.written(application, &self.policy, now);
            }
        }
        self.knowledge.changed.application(&job.name, now);
    }

    /// Takes in what was read of Argo CD.
    fn read(&mut self, reading: Reading) {
        let now = Instant::now();
        match reading {
            Reading::Owner(name, owner) => {
                for application in self.readings.owner_came(&name, &owner, now) {
                    self.knowledge.changed.application(&application, now);
                }
                self.knowledge.state.owners.insert(name, owner);
            }
            Reading::Instance(instance) => {
                self.readings.instance_came(now);
                // What was read before still tells more than nothing.
                let Some(instance) = instance else { return };
                if self.knowledge.state.instance != instance {
                    self.knowledge.state.instance = instance;
                    self.knowledge.changed.everything(now);
                }
            }
        }
    }

    /// Sets figures, not too often.
    fn report(&mut self, ways: &Ways, now: Instant) {
        if !self.figures.begin(now) {
            return;
        }
        let metrics = &ways.health.metrics;
        metrics.set(Gauges {
            is_leader: self.is_leader,
            is_complete: self.is_complete,
            in_flight: self.writes.queue.window.len(),
            waiting: self.writes.queue.len(),
            paused: figures::paused(&self.knowledge.state, &self.overview),
        });
        metrics.applications(self.overview.groups());
        for (number, stream) in self.streams.iter().enumerate() {
            let is_synced = self.knowledge.gate.is_synced(number, now);
            metrics.synced(stream.to_string(), is_synced);
        }
    }

    /// When there may be something to do that nothing else tells of.
    fn wake(&mut self, now: Instant, wall: Timestamp) -> Instant {
        let changed = &self.knowledge.changed;
        let wait = self.pace.until(changed.is_small());
        let wait = wait.filter(|_| self.is_complete && !changed.is_empty());
        let due = self.overview.next().map(|at| {
            let wait = at.duration_since(wall).max(SignedDuration::ZERO);
            now + wait.unsigned_abs()
        });
        let times = [
            wait,
            due,
            self.writes.queue.wake(now),
            self.writes.queue.window.expire(now),
            self.readings.owners.wake(),
            self.knowledge.gate.closes(now),
            Some(self.recompute_at),
        ];
        let first = times.into_iter().flatten().min();
        let beat = now + figures::BEAT;
        first.map_or(beat, |first| first.min(beat))
    }
}

/// Whether a decision might be another one were the owners known, or others.
fn rests_on_owners(decision: &Decision) -> bool {
    let settings = decision.settings.as_ref().map(|settings| &settings.outcome);
    let mut outcomes = settings.into_iter().chain([&decision.revision.outcome]);
    outcomes.any(|outcome| match outcome {
        Outcome::Stays(reason) => {
            reason.class() == Class::Contested || reason.code == Code::OwnerUnknown
        }
        Outcome::Same | Outcome::Change => false,
    })
}
