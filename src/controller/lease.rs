//! Who of several controllers writes: what the lease says, and until when it may be relied on.
//!
//! A lease is believed by the time at which it was seen to change, on a clock of one's own that never jumps; the times in it
//! are for people.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};

/// How long a lease lasts that is not renewed.
pub(super) const DURATION: Duration = Duration::from_secs(15);
/// How often it is renewed, and looked at.
pub(super) const RENEW: Duration = Duration::from_secs(2);
/// How long a request may take that changes the lease.
pub(super) const REQUEST: Duration = Duration::from_secs(4);
/// How long a write may take: none starts that could end later than the lease.
pub(super) const WRITE: Duration = Duration::from_secs(10);

/// What is known of the lease.
#[derive(Debug)]
pub(super) struct Tenure {
    identity: String,
    /// Until when this process holds it.
    held_until: Option<Instant>,
    /// What the lease of somebody else looked like, and since when.
    seen: Option<(Seen, Instant)>,
}

/// What changes whenever a lease is renewed.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    holder: String,
    renewed: Option<Timestamp>,
    transitions: i32,
}

/// What to do with the lease.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    /// Write this, which fails if the lease has changed since.
    Write(Box<Lease>),
    /// Somebody else has it.
    Wait,
}

impl Tenure {
    /// Nothing yet.
    pub(super) const fn new(identity: String) -> Self {
        Self {
            identity,
            held_until: None,
            seen: None,
        }
    }

    /// Until when writes may start: they end before the lease does.
    pub(super) fn writes_until(&self) -> Option<Instant> {
        self.held_until?.checked_sub(WRITE)
    }

    /// Whether this process holds it.
    pub(super) fn is_held(&self, now: Instant) -> bool {
        self.held_until.is_some_and(|until| now < until)
    }

    /// What to do, seeing the lease as it is.
    pub(super) fn step(&mut self, lease: Option<&Lease>, now: Instant, wall: Timestamp) -> Step {
        let spec = lease
            .and_then(|lease| lease.spec.clone())
            .unwrap_or_default();
        let holder = spec.holder_identity.clone().unwrap_or_default();
        if holder.is_empty() || holder == self.identity {
            return Step::Write(Box::new(self.ours(lease, spec, wall)));
        }
        self.held_until = None;
        let seen = Seen {
            holder,
            renewed: spec.renew_time.as_ref().map(|time| time.0),
            transitions: spec.lease_transitions.unwrap_or_default(),
        };
        let since = match &self.seen {
            Some((known, since)) if *known == seen => *since,
            _ => {
                self.seen = Some((seen, now));
                now
            }
        };
        let seconds = spec
            .lease_duration_seconds
            .and_then(|seconds| u64::try_from(seconds).ok());
        let lasts = seconds.map_or(DURATION, Duration::from_secs);
        if now < since + lasts {
            return Step::Wait;
        }
        Step::Write(Box::new(self.ours(lease, spec, wall)))
    }

    fn ours(&self, lease: Option<&Lease>, old: LeaseSpec, wall: Timestamp) -> Lease {
        let is_new = old.holder_identity.as_ref() != Some(&self.identity);
        let transitions = old.lease_transitions.unwrap_or_default();
        let is_taken = is_new && lease.is_some();
        Lease {
            metadata: lease.map_or_else(ObjectMeta::default, |lease| lease.metadata.clone()),
            spec: Some(LeaseSpec {
                holder_identity: Some(self.identity.clone()),
                lease_duration_seconds: i32::try_from(DURATION.as_secs()).ok(),
                acquire_time: match old.acquire_time {
                    Some(time) if !is_new => Some(time),
                    _ => Some(MicroTime(wall)),
                },
                renew_time: Some(MicroTime(wall)),
                lease_transitions: Some(transitions.saturating_add(i32::from(is_taken))),
                ..old
            }),
        }
    }

    /// What was written has been accepted. `sent` is from before it was sent: nobody can have seen it earlier.
    pub(super) fn accepted(&mut self, sent: Instant) {
        self.seen = None;
        self.held_until = Some(sent + DURATION);
    }

    /// Somebody else was faster, or the lease is given up.
    pub(super) const fn lost(&mut self) {
        self.held_until = None;
    }

    /// The lease without a holder, so that nobody has to wait for it to end; `None` where it is not ours.
    pub(super) fn released(&self, lease: &Lease) -> Option<Lease> {
        let spec = lease.spec.as_ref()?;
        if spec.holder_identity.as_ref() != Some(&self.identity) {
            return None;
        }
        let mut lease = lease.clone();
        if let Some(spec) = &mut lease.spec {
            spec.holder_identity = None;
            spec.lease_duration_seconds = Some(1);
        }
        Some(lease)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Clock(Instant);

    impl Clock {
        fn at(&self, seconds: u64) -> Instant {
            self.0 + Duration::from_secs(seconds)
        }
    }

    fn wall(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn may_write(tenure: &Tenure, now: Instant) -> bool {
        tenure.writes_until().is_some_and(|until| now < until)
    }

    fn written(step: Step) -> Lease {
        match step {
            Step::Write(lease) => *lease,
            Step::Wait => panic!("it waits"),
        }
    }

    fn holder(lease: &Lease) -> &str {
        lease
            .spec
            .as_ref()
            .unwrap()
            .holder_identity
            .as_deref()
            .unwrap_or_default()
    }

    #[test]
    fn writes_start_only_while_they_can_end_within_the_lease() {
        let clock = Clock(Instant::now());
        let mut tenure = Tenure::new("a".into());
        assert!(!may_write(&tenure, clock.at(0)));
        let lease = written(tenure.step(None, clock.at(0), wall(0)));
        assert_eq!(holder(&lease), "a");
        // Sent at 0, answered at 3: what counts is when it was sent.
        tenure.accepted(clock.at(0));
        assert!(may_write(&tenure, clock.at(4)) && !may_write(&tenure, clock.at(5)));
        assert!(tenure.is_held(clock.at(14)) && !tenure.is_held(clock.at(15)));
        tenure.accepted(clock.at(6));
        assert!(may_write(&tenure, clock.at(10)));
        tenure.lost();
        assert!(!may_write(&tenure, clock.at(6)));
    }

    #[test]
    fn what_is_sent_has_ended_when_the_lease_ends() {
        let start = Instant::now();
        let mut tenure = Tenure::new("a".into());
        tenure.accepted(start);
        // The last write that may start, and one that renews the lease as late as it can be started with it.
        let last = tenure.writes_until().unwrap();
        assert!(last > start + RENEW && !tenure.is_held(last + WRITE));
        assert!(tenure.is_held(last + Duration::from_millis(9_999)));
        assert!(tenure.is_held(start + RENEW + REQUEST));
    }

    #[test]
    fn a_lease_that_is_renewed_is_left_alone_whatever_its_times_say() {
        let clock = Clock(Instant::now());
        let mut one = Tenure::new("a".into());
        let mut other = Tenure::new("b".into());
        let mut lease = written(one.step(None, clock.at(0), wall(0)));
        for second in 0..40 {
            // The clocks of the two differ by a year.
            let step = other.step(Some(&lease), clock.at(second), wall(31_000_000));
            assert_eq!(step, Step::Wait, "{second}");
            if second % 10 == 9 {
                lease = written(one.step(Some(&lease), clock.at(second), wall(1)));
                let renewed = MicroTime(wall(i64::try_from(second).unwrap()));
                lease.spec.as_mut().unwrap().renew_time = Some(renewed);
            }
        }
    }

    #[test]
    fn a_lease_that_is_not_renewed_is_taken_when_it_ends() {
        let clock = Clock(Instant::now());
        let mut one = Tenure::new("a".into());
        let mut other = Tenure::new("b".into());
        let lease = written(one.step(None, clock.at(0), wall(0)));
        one.accepted(clock.at(0));
        assert_eq!(other.step(Some(&lease), clock.at(1), wall(1)), Step::Wait);
        assert_eq!(other.step(Some(&lease), clock.at(15), wall(15)), Step::Wait);
        let taken = written(other.step(Some(&lease), clock.at(16), wall(16)));
        assert_eq!(holder(&taken), "b");
        assert_eq!(taken.spec.as_ref().unwrap().lease_transitions, Some(1));
        // Whoever had it could start no write for ten seconds before.
        assert!(!may_write(&one, clock.at(5)));
        // And when it wakes up, it waits.
        assert_eq!(one.step(Some(&taken), clock.at(17), wall(17)), Step::Wait);
        assert!(!one.is_held(clock.at(17)));
    }

    #[test]
    fn a_lease_that_is_given_up_is_free_at_once() {
        let clock = Clock(Instant::now());
        let mut one = Tenure::new("a".into());
        let lease = written(one.step(None, clock.at(0), wall(0)));
        let released = one.released(&lease).unwrap();
        assert_eq!(holder(&released), "");
        let mut other = Tenure::new("b".into());
        assert!(other.released(&lease).is_none());
        let taken = written(other.step(Some(&released), clock.at(1), wall(1)));
        assert_eq!(holder(&taken), "b");
    }
}
