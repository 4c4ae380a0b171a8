//! Many changes at once, and a process that is killed in the middle of them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::json;

use super::chance::{Chance, long_or, say};
use super::endings::Expected;
use super::objects::Written;
use super::observer::revisions;
use super::storm::Storm;
use super::world::{World, application};
use crate::audit::Write;

/// Without limits on how much is written at once, under one identity: its Lease is its own after a restart.
const FLAGS: [&str; 6] = [
    "--in-flight",
    "0",
    "--revisions-per-second",
    "0",
    "--identity",
    "storm",
];

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn kills_in_the_middle_of_a_storm_lose_nothing() {
    let Some(world) = World::new("storm-kills") else {
        return;
    };
    let kills = long_or(100, 10);
    let mut chance = Chance::new("kills");
    let mut storm = Storm::new(&world, 6, chance.split());
    let end = AtomicBool::new(false);
    thread::scope(|scope| {
        let raging = scope.spawn(|| storm.rage(Duration::from_millis(20), &end));
        for _ in 0..kills {
            let controller = world.launch("killed", &FLAGS);
            thread::sleep(chance.millis(300, 1500));
            controller.kill();
        }
        end.store(true, Ordering::SeqCst);
        raging.join().unwrap();
    });
    let before = world.moves().len();
    // Otherwise none was killed while it wrote.
    assert!(before > kills, "{before} writes");
    let _controller = world.launch("last", &FLAGS);
    let took = world.comes_to_rest(&storm.expected());
    world.settle();
    world.comes_to_rest(&storm.expected());
    world.wrote_only(|name, revision| storm.has_asked(name, revision));
    for name in storm.expected().keys() {
        let application = world.application(name);
        let record = &application["metadata"]["annotations"]["argocd-infisical.io/state"];
        let record: serde_json::Value = serde_json::from_str(record.as_str().unwrap()).unwrap();
        assert_eq!(record["revision"], revisions(&application)[0], "{name}");
    }
    say(&format!(
        "FIGURE {kills} kills in {} changes: {before} writes of revisions, at rest {:.1} s after the last start",
        storm.changes(),
        took.as_secs_f64()
    ));
}

/// When an Application was written, in order.
fn times(moves: &[Write]) -> BTreeMap<&str, Vec<Timestamp>> {
    let mut times = BTreeMap::<&str, Vec<Timestamp>>::new();
    for write in moves.iter().filter(|write| write.code == 200) {
        times.entry(&write.name).or_default().push(write.at);
    }
    times
}

/// One Secret changes a thousand times a minute. An Application is patched for one purpose once a second at most, and its revision
/// changes no more than `flap.changes` times within `flap.minutes`; then it stays, and gets what is asked for last when that
/// time is over.
#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn a_storm_of_changes_makes_few_writes_and_the_last_one_wins() {
    let Some(world) = World::new("storm-changes") else {
        return;
    };
    let (changes, lasts) = long_or((1000, 60), (100, 6));
    let (most, minutes) = (20, 1);
    world.environments(["one"]);
    world.policy(json!({"flap": {"changes": most, "minutes": minutes}}));
    let of_one = |revision: &str| Written::of_environment("one", "one").revision(revision);
    world.put(&of_one("r/0"));
    let names: Vec<String> = (0..5).map(|number| format!("lamp-{number}")).collect();
    for name in &names {
        world.create(application(name, "one", "r/0"));
    }
    let _controller = world.launch("storm", &FLAGS);
    world.settle();
    let before = world.moves().len();
    let start = Instant::now();
    for number in 1..=changes {
        world.put(&of_one(&format!("r/{number}")));
        let due = Duration::from_secs(lasts) * number / changes;
        thread::sleep(due.saturating_sub(start.elapsed()));
    }
    let raged = start.elapsed();
    let last = format!("r/{changes}");
    let expected: Expected = names
        .iter()
        .map(|name| (name.clone(), last.clone()))
        .collect();
    let took = world.comes_to_rest(&expected);
    let all = start.elapsed();
    let moves = world.moves().split_off(before);
    let times = times(&moves);
    // From the first to the last there is a second between two.
    let by_spacing = usize::try_from(all.as_secs()).unwrap() + 2;
    for (name, times) in &times {
        assert!(times.len() <= by_spacing, "{name}: {times:?}");
        for two in times.windows(2) {
            let between = two[1].duration_since(two[0]);
            assert!(between.as_millis() >= 1000, "{name}: {two:?}");
        }
        for many in times.windows(most + 1) {
            let between = many[most].duration_since(many[0]);
            assert!(between.as_secs() >= minutes * 60 - 1, "{name}: {many:?}");
        }
    }
    assert_eq!(times.len(), names.len());
    world.wrote_only(|_, revision| revision.starts_with("r/"));
    let counts: Vec<usize> = times.values().map(Vec::len).collect();
    say(&format!(
        "FIGURE storm: {changes} changes in {:.1} s, writes of each Application {counts:?}, the last one {:.1} s after the end",
        raged.as_secs_f64(),
        took.as_secs_f64()
    ));
}
