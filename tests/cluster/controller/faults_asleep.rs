//! A leader that is stopped past the end of its Lease, in the middle of a storm, and goes on when another one has taken over.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::chance::{Chance, long_or, say};
use super::storm::Storm;
use super::unsteady::Unsteady;
use super::world::World;

const UNLIMITED: [&str; 4] = ["--in-flight", "0", "--revisions-per-second", "0"];

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn a_leader_that_slept_through_its_lease_writes_nothing_afterwards() {
    let Some(world) = World::new("asleep-storm") else {
        return;
    };
    let mut chance = Chance::new("asleep");
    let mut storm = Storm::new(&world, 6, chance.split());
    let names = ["left", "right"];
    let servers = [(); 2].map(|()| Unsteady::new(world.cluster, chance.split()));
    let controllers: Vec<_> = names
        .iter()
        .zip(&servers)
        .map(|(name, server)| world.launch_by(name, server.kubeconfig().to_owned(), &UNLIMITED))
        .collect();
    for controller in &controllers {
        controller.wait();
    }
    let leads = |index: usize| controllers[index].metric(&["controller_leader"]) == Some(1.0);
    world.wait_for("a leader", || leads(0) || leads(1));
    let end = AtomicBool::new(false);
    let mut takeovers = Vec::new();
    thread::scope(|scope| {
        let raging = scope.spawn(|| storm.rage(Duration::from_millis(30), &end));
        for _ in 0..long_or(15, 1) {
            world.wait_for("a leader", || leads(0) || leads(1));
            let asleep = usize::from(!leads(0));
            thread::sleep(chance.millis(500, 2500));
            controllers[asleep].pause();
            let start = Instant::now();
            let other = 1 - asleep;
            let before = servers[other].patches().len();
            world.wait_for("the other one to write", || {
                servers[other].patches().len() > before
            });
            takeovers.push(start.elapsed());
            thread::sleep(chance.millis(500, 2000));
            let slept = servers[asleep].patches().len();
            controllers[asleep].wake();
            // For as long as it could hold a Lease that it believes in.
            thread::sleep(Duration::from_secs(5));
            let woken = servers[asleep].patches().split_off(slept);
            assert!(woken.is_empty(), "it woke and asked for {woken:?}");
        }
        end.store(true, Ordering::SeqCst);
        raging.join().unwrap();
    });
    world.comes_to_rest(&storm.expected());
    world.settle();
    world.comes_to_rest(&storm.expected());
    world.wrote_only(|name, revision| storm.has_asked(name, revision));
    let writers: BTreeSet<_> = servers
        .iter()
        .map(|server| !server.patches().is_empty())
        .collect();
    assert_eq!(writers, [true].into());
    super::deploys::report("a leader stopped, until the other one writes", &takeovers);
    say(&format!("FIGURE asleep: {} changes", storm.changes()));
}
