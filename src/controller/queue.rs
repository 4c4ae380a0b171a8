//! Patches that wait to be made: in which order, and how many at a time.
//!
//! There is at most one for each Application. Revisions go before digests, and both have limits: Applications that Argo CD
//! is busy with already, and how many begin in a second. Projects take turns. What was written often of late, or failed,
//! waits.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::bucket::Bucket;
use super::pause::Pause;
use super::turns::Turns;
use super::window::Window;
use crate::steer::application::Name;
use crate::steer::patch;
use crate::steer::plan::{Change, Decision, Purpose};

/// How many patches are under way at most.
const UNDER_WAY: usize = 32;
/// How long to wait between two patches of one Application for the same purpose. After so many in a row it doubles with each
/// up to the longest: somebody who tries things out is not kept waiting, and a machine that runs wild is.
const SPACING: Duration = Duration::from_secs(1);
const IN_A_ROW: u32 = 20;
const LONGEST_SPACING: Duration = Duration::from_secs(30);
/// After how long without one they begin anew.
const QUIET: Duration = Duration::from_mins(1);
/// How long to wait after a failure, at first and at most.
const PAUSE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(2));

/// Limits on patches; zero is no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many Applications may be in flight.
    pub in_flight: usize,
    /// How many revisions are set in a second.
    pub revisions_per_second: u32,
    /// How many digests are set in a second.
    pub digests_per_second: u32,
}

/// The patches that wait, and what is known of those that were made.
#[derive(Debug)]
pub(super) struct Queue {
    waiting: BTreeMap<Name, (Job, Place)>,
    /// Those of them that may be made as soon as limits allow.
    ready: BTreeSet<(Purpose, u64, Name)>,
    turns: BTreeMap<Purpose, Turns>,
    /// Those that have to wait, and until when.
    later: BTreeSet<(Instant, Name)>,
    under_way: BTreeMap<Name, Purpose>,
    pauses: BTreeMap<Name, (Pause, Instant)>,
    recent: BTreeMap<(Name, Purpose), Recent>,
    revisions: Bucket,
    digests: Bucket,
    /// Until when the API server wants to be left alone.
    busy_until: Option<Instant>,
    /// The Applications that Argo CD is busy with.
    pub(super) window: Window,
}

/// A patch to make.
#[derive(Clone, Debug)]
pub(super) struct Job {
    /// Which Application.
    pub(super) name: Name,
    /// What its patch is for.
    pub(super) purpose: Purpose,
    /// What is sent. Thousands may wait, and a tree of JSON is several times as large.
    pub(super) body: Box<[u8]>,
    /// What was decided of it, with a patch whose operations are in the body.
    pub(super) decision: Box<Decision>,
    /// Which version of the Application it was decided from.
    pub(super) version: String,
    /// Since when it is known that it has to be made.
    pub(super) since: Instant,
    /// When it is its turn; zero where that has not been said yet.
    turn: u64,
}

/// Where a patch waits.
#[derive(Clone, Copy, Debug)]
enum Place {
    Ready,
    Later(Instant),
    /// For another one of the same Application to be made, or to be put there.
    Aside,
}

#[derive(Clone, Copy, Debug)]
struct Recent {
    last: Instant,
    streak: u32,
}

impl Recent {
    fn next(&self) -> Instant {
        let doublings = self.streak.saturating_sub(IN_A_ROW).min(10);
        let spacing = SPACING.saturating_mul(1 << doublings);
        self.last + spacing.min(LONGEST_SPACING)
    }
}

impl Job {
    /// The patch of a decision; `None` where it has none.
    pub(super) fn of(mut decision: Decision, version: String, since: Instant) -> Option<Self> {
        let patch = decision.patch.as_mut()?;
        let operations = std::mem::take(&mut patch.operations);
        Some(Self {
            name: decision.application.clone(),
            purpose: patch.purpose,
            body: patch::text(&operations).into_bytes().into_boxed_slice(),
            decision: Box::new(decision),
            version,
            since,
            turn: 0,
        })
    }

    /// The fields that change.
    pub(super) fn changes(&self) -> &[Change] {
        let patch = self.decision.patch.as_ref();
        patch.map(|patch| &*patch.changes).unwrap_or_default()
    }

    /// Whether it changes the same as another one of the Application. Records have times in them, and do not count.
    fn is_same(&self, other: &Self) -> bool {
        let counts = |change: &&Change| !change.is_record();
        let (ours, theirs) = (self.changes().iter(), other.changes().iter());
        self.purpose == other.purpose && ours.filter(counts).eq(theirs.filter(counts))
    }
}

impl Queue {
    /// An empty one.
    pub(super) fn new(limits: Limits, now: Instant) -> Self {
        let Limits {
            in_flight,
            revisions_per_second,
            digests_per_second,
        } = limits;
        Self {
            waiting: BTreeMap::new(),
            ready: BTreeSet::new(),
            turns: BTreeMap::new(),
            later: BTreeSet::new(),
            under_way: BTreeMap::new(),
            pauses: BTreeMap::new(),
            recent: BTreeMap::new(),
            revisions: Bucket::new(revisions_per_second, now),
            digests: Bucket::new(digests_per_second, now),
            busy_until: None,
            window: Window::new(in_flight),
        }
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Puts a patch in the place of the one that waits for the Application, if any. It has waited since that one has.
    /// Whether it is another patch.
    pub(super) fn put(&mut self, mut job: Job, now: Instant) -> bool {
        let known = self.take(&job.name).map(|(known, _)| known);
        let known = known.filter(|known| known.decision.uid == job.decision.uid);
        let is_same = known.as_ref().is_some_and(|known| known.is_same(&job));
        if let Some(known) = known {
            job.since = known.since.min(job.since);
            if known.purpose == job.purpose {
                job.turn = known.turn;
            }
        }
        self.line_up(job, now);
        !is_same
    }

    /// Nothing is to be written of an Application any more.
    pub(super) fn remove(&mut self, name: &Name) {
        self.take(name);
    }

    /// Leaves a patch where it is until another one is put there.
    pub(super) fn park(&mut self, name: &Name) {
        if let Some((job, _)) = self.take(name) {
            self.waiting.insert(name.clone(), (job, Place::Aside));
        }
    }

    fn take(&mut self, name: &Name) -> Option<(Job, Place)> {
        let (job, place) = self.waiting.remove(name)?;
        match place {
            Place::Ready => self.ready.remove(&(job.purpose, job.turn, name.clone())),
            Place::Later(until) => self.later.remove(&(until, name.clone())),
            Place::Aside => true,
        };
        Some((job, place))
    }

    fn line_up(&mut self, mut job: Job, now: Instant) {
        if job.turn == 0 {
            let turns = self.turns.entry(job.purpose).or_default();
            job.turn = turns.give(&job.decision.project);
        }
        let (name, purpose) = (job.name.clone(), job.purpose);
        let pause = self.pauses.get(&name).map(|(_, until)| *until);
        let recent = self.recent.get(&(name.clone(), purpose)).map(Recent::next);
        let place = match pause.max(recent).filter(|until| *until > now) {
            _ if self.under_way.contains_key(&name) => Place::Aside,
            Some(until) => Place::Later(until),
            None => Place::Ready,
        };
        match place {
            Place::Ready => self.ready.insert((purpose, job.turn, name.clone())),
            Place::Later(until) => self.later.insert((until, name.clone())),
            Place::Aside => true,
        };
        self.waiting.insert(name, (job, place));
    }

    /// The patch to make next, if one may be made now. It waits on until [`Self::start`].
    pub(super) fn next(&mut self, now: Instant) -> Option<&Job> {
        while let Some((until, _)) = self.later.first()
            && *until <= now
        {
            let (_, name) = self.later.pop_first()?;
            if let Some((job, place)) = self.waiting.get_mut(&name) {
                *place = Place::Ready;
                self.ready.insert((job.purpose, job.turn, name));
            }
        }
        if self.under_way.len() >= UNDER_WAY || self.busy_until.is_some_and(|until| until > now) {
            return None;
        }
        let name = self.choose(now)?;
        self.waiting.get(name).map(|(job, _)| job)
    }

    fn choose(&self, now: Instant) -> Option<&Name> {
        let mut purpose = None;
        loop {
            let first = match purpose {
                None => self.ready.first(),
                Some(purpose) => self.first(purpose),
            };
            let (of, _, name) = first?;
            let has_token = self
                .bucket(*of)
                .is_none_or(|bucket| bucket.wait(now).is_none());
            if has_token && !is_limited(*of) {
                return Some(name);
            }
            if has_token {
                if !self.is_full() {
                    return Some(name);
                }
                // One that is in flight has its place.
                let is_ready = |name: &&Name| {
                    let waiting = self.waiting.get(*name);
                    waiting.is_some_and(|(job, place)| {
                        job.purpose == *of && matches!(place, Place::Ready)
                    })
                };
                if let Some(name) = self.window.names().find(is_ready) {
                    return Some(name);
                }
            }
            purpose = Some(after(*of)?);
        }
    }

    /// The first one of those for a purpose, or after it.
    fn first(&self, purpose: Purpose) -> Option<&(Purpose, u64, Name)> {
        // Turns begin at one.
        self.ready.range((purpose, 0, Name::new("", ""))..).next()
    }

    /// Whether there is room for no other Application, counting those that are about to be in flight.
    fn is_full(&self) -> bool {
        let starting = self.under_way.iter();
        let starting =
            starting.filter(|(name, purpose)| is_limited(**purpose) && !self.window.has(name));
        self.window.is_full(starting.count())
    }

    fn bucket(&self, purpose: Purpose) -> Option<&Bucket> {
        match purpose {
            Purpose::Revision => Some(&self.revisions),
            Purpose::Digest => Some(&self.digests),
            Purpose::Operation | Purpose::Refresh | Purpose::Record => None,
        }
    }

    /// A patch is under way from now on.
    pub(super) fn start(&mut self, name: &Name, now: Instant) -> Option<Job> {
        let (job, _) = self.take(name)?;
        self.turns.entry(job.purpose).or_default().take(job.turn);
        self.under_way.insert(name.clone(), job.purpose);
        match job.purpose {
            Purpose::Revision => self.revisions.take(now),
            Purpose::Digest => self.digests.take(now),
            Purpose::Operation | Purpose::Refresh | Purpose::Record => {}
        }
        Some(job)
    }

    /// A patch was made.
    pub(super) fn done(&mut self, job: &Job, now: Instant) {
        self.under_way.remove(&job.name);
        self.pauses.remove(&job.name);
        let purpose = job.purpose;
        let recent = self.recent.entry((job.name.clone(), purpose));
        let recent = recent.or_insert(Recent {
            last: now,
            streak: 0,
        });
        if recent.last != now {
            let is_quiet = now.saturating_duration_since(recent.last) > QUIET;
            recent.streak = if is_quiet {
                0
            } else {
                recent.streak.saturating_add(1)
            };
            recent.last = now;
        }
        if is_limited(purpose) {
            self.window
                .start(job.name.clone(), job.decision.uid.clone(), now);
        }
        self.resume(&job.name, now);
    }

    /// A patch was not made. Whether the API server is busy, so that all have to wait.
    pub(super) fn failed(
        &mut self,
        job: &Job,
        asked: Option<Duration>,
        is_busy: bool,
        now: Instant,
    ) {
        self.under_way.remove(&job.name);
        let pause = self.pauses.entry(job.name.clone());
        let (pause, until) = pause.or_insert_with(|| (Pause::new(PAUSE.0, PAUSE.1), now));
        *until = now + pause.next(asked);
        if is_busy {
            let wait = asked.unwrap_or(PAUSE.0);
            self.busy_until = self.busy_until.max(Some(now + wait));
        }
        self.resume(&job.name, now);
    }

    /// What has come to wait while a patch of the same Application was under way is lined up.
    fn resume(&mut self, name: &Name, now: Instant) {
        if let Some((job, _)) = self.take(name) {
            self.line_up(job, now);
        }
    }

    /// When something may be made that may not be made now; `None` where only other things can bring that about.
    pub(super) fn wake(&self, now: Instant) -> Option<Instant> {
        let later = self.later.first().map(|(until, _)| *until);
        let busy = self.busy_until.filter(|until| *until > now);
        let of = |purpose: Purpose| {
            let first = self.first(purpose);
            let is_waiting = first.is_some_and(|(of, ..)| *of == purpose);
            self.bucket(purpose).filter(|_| is_waiting)?.wait(now)
        };
        let times = [later, busy, of(Purpose::Revision), of(Purpose::Digest)];
        times.into_iter().flatten().min()
    }

    /// Forgets what does not matter any more.
    pub(super) fn tidy(&mut self, now: Instant) {
        self.recent
            .retain(|_, recent| now.saturating_duration_since(recent.last) <= QUIET);
        self.pauses
            .retain(|_, (_, until)| now.saturating_duration_since(*until) <= PAUSE.1);
    }
}

/// Whether the window counts what a patch is for.
const fn is_limited(purpose: Purpose) -> bool {
    matches!(purpose, Purpose::Revision | Purpose::Digest)
}

/// The purpose that comes next.
const fn after(purpose: Purpose) -> Option<Purpose> {
    match purpose {
        Purpose::Revision => Some(Purpose::Digest),
        Purpose::Digest => Some(Purpose::Operation),
        Purpose::Operation => Some(Purpose::Refresh),
        Purpose::Refresh => Some(Purpose::Record),
        Purpose::Record => None,
    }
}

#[cfg(test)]
mod tests;
