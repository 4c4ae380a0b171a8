use super::*;
use crate::steer::plan::{Counted, Effect, Outcome, Patch, Revision};

const NO_LIMITS: Limits = Limits {
    in_flight: 0,
    revisions_per_second: 0,
    digests_per_second: 0,
};

fn job(name: &str, purpose: Purpose, since: Instant) -> Job {
    job_of("default", name, purpose, since)
}

fn job_of(project: &str, name: &str, purpose: Purpose, since: Instant) -> Job {
    let decision = Decision {
        application: Name::new("argocd", name),
        uid: "u".into(),
        environment: "dev".into(),
        project: project.into(),
        revision: Revision {
            default: None,
            wanted: None,
            current: Vec::new(),
            outcome: Outcome::Change,
        },
        settings: None,
        patch: Some(Patch {
            purpose,
            operations: Vec::new(),
            changes: Vec::new(),
            effect: Effect::default(),
        }),
        again: None,
        counted: Counted::Not,
    };
    Job::of(decision, "1".into(), since).unwrap()
}

/// Starts all that may be started.
fn start(queue: &mut Queue, now: Instant) -> Vec<Job> {
    let mut started = Vec::new();
    while let Some(name) = queue.next(now).map(|job| job.name.clone()) {
        started.extend(queue.start(&name, now));
    }
    started
}

fn names(jobs: &[Job]) -> Vec<&str> {
    jobs.iter().map(|job| job.name.name.as_str()).collect()
}

#[test]
fn revisions_go_first_and_one_application_has_one_patch_under_way() {
    let now = Instant::now();
    let mut queue = Queue::new(NO_LIMITS, now);
    for (name, purpose) in [
        ("a", Purpose::Record),
        ("b", Purpose::Digest),
        ("c", Purpose::Refresh),
        ("d", Purpose::Revision),
        ("e", Purpose::Operation),
    ] {
        queue.put(job(name, purpose, now), now);
    }
    let started = start(&mut queue, now);
    assert_eq!(names(&started), ["d", "b", "e", "c", "a"]);
    queue.put(job("d", Purpose::Digest, now), now);
    assert!(start(&mut queue, now).is_empty());
    queue.done(&started[0], now);
    assert_eq!(names(&start(&mut queue, now)), ["d"]);
}

#[test]
fn the_window_holds_back_revisions_and_digests_only() {
    let now = Instant::now();
    let limits = Limits {
        in_flight: 2,
        ..NO_LIMITS
    };
    let mut queue = Queue::new(limits, now);
    for name in ["a", "b", "c"] {
        queue.put(job(name, Purpose::Revision, now), now);
    }
    // Those under way count.
    let started = start(&mut queue, now);
    assert_eq!(names(&started), ["a", "b"]);
    for job in &started {
        queue.done(job, now);
    }
    queue.put(job("d", Purpose::Refresh, now), now);
    // One that is in flight has its place.
    queue.put(job("b", Purpose::Digest, now), now);
    assert_eq!(names(&start(&mut queue, now)), ["b", "d"]);
    assert_eq!(queue.window.see(&Name::new("argocd", "a"), None, now), None);
    assert_eq!(names(&start(&mut queue, now)), ["c"]);
}

#[test]
fn a_storm_of_changes_makes_few_writes_and_the_last_one_wins() {
    let start_of_all = Instant::now();
    let mut queue = Queue::new(NO_LIMITS, start_of_all);
    let mut written = Vec::new();
    for change in 0..1000_u32 {
        let now = start_of_all + Duration::from_millis(60) * change;
        let mut next = job("a", Purpose::Revision, now);
        next.version = change.to_string();
        queue.put(next, now);
        for job in start(&mut queue, now) {
            queue.done(&job, now);
            written.push(job.version);
        }
    }
    let end = start_of_all + Duration::from_mins(2);
    written.extend(start(&mut queue, end).into_iter().map(|job| job.version));
    assert!((20..=30).contains(&written.len()), "{written:?}");
    assert_eq!(written.first().map(String::as_str), Some("0"));
    assert_eq!(written.last().map(String::as_str), Some("999"));
}

#[test]
fn what_is_late_again_and_again_waits_seconds_and_not_minutes() {
    let mut now = Instant::now();
    let mut queue = Queue::new(NO_LIMITS, now);
    let mut wait = |why, now: Instant| {
        queue.put(job("a", Purpose::Revision, now), now);
        let started = start(&mut queue, now);
        queue.failed(&started[0], None, why, now);
        queue.put(job("a", Purpose::Revision, now), now);
        queue.wake(now).unwrap()
    };
    for _ in 0..20 {
        let until = wait(Why::Late, now);
        assert!(until - now <= Duration::from_secs(5));
        now = until;
    }
    // A failure is another matter.
    assert!(wait(Why::Refused, now) - now >= Duration::from_secs(30));
}

#[test]
fn what_failed_waits_and_a_busy_server_is_left_alone() {
    let now = Instant::now();
    let mut queue = Queue::new(NO_LIMITS, now);
    queue.put(job("a", Purpose::Revision, now), now);
    let started = start(&mut queue, now);
    queue.failed(&started[0], None, Why::Refused, now);
    queue.put(job("a", Purpose::Revision, now), now);
    queue.put(job("b", Purpose::Revision, now), now);
    let others = start(&mut queue, now);
    assert_eq!(names(&others), ["b"]);
    let wake = queue.wake(now).unwrap();
    assert!(wake > now && wake <= now + Duration::from_secs(1));
    assert_eq!(names(&start(&mut queue, wake)), ["a"]);
    queue.failed(&others[0], Some(Duration::from_secs(7)), Why::Busy, now);
    queue.put(job("c", Purpose::Refresh, now), now);
    assert!(start(&mut queue, now + Duration::from_secs(6)).is_empty());
    assert_eq!(queue.wake(now), Some(now + Duration::from_secs(7)));
    assert_eq!(
        names(&start(&mut queue, now + Duration::from_secs(7))),
        ["c"]
    );
}

#[test]
fn buckets_hold_back_and_say_until_when() {
    let now = Instant::now();
    let limits = Limits {
        revisions_per_second: 2,
        digests_per_second: 1,
        ..NO_LIMITS
    };
    let mut queue = Queue::new(limits, now);
    for name in ["a", "b", "c"] {
        queue.put(job(name, Purpose::Revision, now), now);
    }
    for name in ["d", "e"] {
        queue.put(job(name, Purpose::Digest, now), now);
    }
    assert_eq!(names(&start(&mut queue, now)), ["a", "b", "d"]);
    let wake = now + Duration::from_millis(500);
    assert_eq!(queue.wake(now), Some(wake));
    assert_eq!(names(&start(&mut queue, wake)), ["c"]);
    assert_eq!(queue.wake(wake), Some(now + Duration::from_secs(1)));
}

#[test]
fn a_patch_that_is_replaced_has_waited_as_long() {
    let now = Instant::now();
    let later = now + Duration::from_secs(5);
    let mut queue = Queue::new(NO_LIMITS, now);
    queue.put(job("a", Purpose::Revision, now), now);
    queue.put(job("a", Purpose::Digest, later), later);
    assert_eq!(queue.next(later).map(|job| job.since), Some(now));
    queue.park(&Name::new("argocd", "a"));
    assert!(queue.next(later).is_none());
    queue.put(job("a", Purpose::Digest, later), later);
    assert!(queue.next(later).is_some());
    queue.remove(&Name::new("argocd", "a"));
    assert!(queue.next(later).is_none() && queue.len() == 0);
}

#[test]
fn another_record_is_no_other_patch() {
    let now = Instant::now();
    let mut queue = Queue::new(NO_LIMITS, now);
    let with = |revision: &str, record: &str| {
        let mut job = job("a", Purpose::Revision, now);
        let change = |field: &str, new: &str| Change {
            field: field.into(),
            old: None,
            new: new.into(),
            origin: None,
        };
        job.decision.patch.as_mut().unwrap().changes = vec![
            change("/spec/source/targetRevision", revision),
            change("/metadata/annotations/argocd-infisical.io~1state", record),
        ];
        job
    };
    assert!(queue.put(with("x", "1"), now));
    assert!(!queue.put(with("x", "2"), now));
    assert!(queue.put(with("y", "2"), now));
}

#[test]
fn projects_take_turns_whatever_comes_anew_of_what_waits() {
    let now = Instant::now();
    let limits = Limits {
        revisions_per_second: 1,
        ..NO_LIMITS
    };
    let mut queue = Queue::new(limits, now);
    let all = |queue: &mut Queue| {
        for number in 0..100 {
            let name = format!("a{number:02}");
            queue.put(job_of("many", &name, Purpose::Revision, now), now);
        }
    };
    all(&mut queue);
    let mut started = start(&mut queue, now);
    queue.put(job_of("few", "z", Purpose::Revision, now), now);
    // What is decided anew keeps its turn.
    all(&mut queue);
    for second in 1..=4 {
        let now = now + Duration::from_secs(second);
        if second == 3 {
            queue.park(&Name::new("argocd", "a02"));
            queue.put(job_of("many", "a02", Purpose::Revision, now), now);
        }
        started.extend(start(&mut queue, now));
    }
    assert_eq!(names(&started), ["a00", "a01", "z", "a02", "a03"]);
}
