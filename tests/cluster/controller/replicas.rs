//! Several controllers, of which one writes.

use std::time::{Duration, Instant};

use super::objects::Written;
use super::process::Controller;
use super::world::{World, application};
use crate::access::Kind;

impl World {
    /// Who has the Lease.
    fn leader(&self) -> String {
        let leases = self.admin.list_of(Kind::LEASE, &self.own).unwrap();
        let lease = leases.first();
        let holder = lease.and_then(|lease| lease["spec"]["holderIdentity"].as_str());
        holder.unwrap_or_default().to_owned()
    }

    #[track_caller]
    fn wait_for_leader(&self, names: &[&str]) -> String {
        self.wait_for("a leader", || names.contains(&self.leader().as_str()));
        self.leader()
    }
}

fn of_dev(revision: &str) -> Written {
    Written::of_environment("dev", "dev").revision(revision)
}

fn two(world: &World) -> [(&'static str, Controller<'_>); 2] {
    ["left", "right"].map(|name| (name, world.launch(name, &[])))
}

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn another_one_goes_on_when_the_one_that_writes_is_killed_or_stopped() {
    let Some(world) = World::new("replicas-failover") else {
        return;
    };
    world.create(application("lamp", "dev", "before"));
    let observer = world.observe();
    let mut controllers: Vec<_> = two(&world).into();
    for (_, controller) in &controllers {
        controller.wait();
    }
    world.wait_for_revision("lamp", "dev");
    let mut take = |name: &str| {
        let position = controllers.iter().position(|(other, _)| *other == name);
        let gone = controllers.swap_remove(position.unwrap());
        let again = world.launch(&format!("{name}-again"), &[]);
        controllers.push((gone.0, again));
        gone.1
    };
    let first = world.wait_for_leader(&["left", "right"]);
    take(&first).kill();
    let start = Instant::now();
    world.put(&of_dev("one"));
    world.wait_for_revision("lamp", "one");
    let killed = start.elapsed();
    let second = world.leader();
    assert_ne!(first, second);
    let second = second.strip_suffix("-again").unwrap_or(&second).to_owned();
    let start = Instant::now();
    assert_eq!(take(&second).stop(), Some(0));
    world.put(&of_dev("two"));
    world.wait_for_revision("lamp", "two");
    let stopped = start.elapsed();
    super::deploys::report("failover after SIGKILL", &[killed]);
    super::deploys::report("failover after SIGTERM", &[stopped]);
    assert!(stopped < Duration::from_secs(15), "{stopped:?}");
    world.settle();
    assert_eq!(observer.history("lamp").concat(), ["dev", "one", "two"]);
    assert_eq!(world.moves_of("lamp").len(), 3);
}

/// One that sleeps through the end of its Lease, in the middle of anything, writes nothing that is out of date when it wakes.
#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn one_that_was_asleep_writes_nothing_old() {
    let Some(world) = World::new("replicas-asleep") else {
        return;
    };
    world.create(application("lamp", "dev", "dev"));
    let observer = world.observe();
    let controllers = two(&world);
    for (_, controller) in &controllers {
        controller.wait();
    }
    world.put(&of_dev("one"));
    world.wait_for_revision("lamp", "one");
    let leader = world.wait_for_leader(&["left", "right"]);
    let (_, asleep) = controllers
        .iter()
        .find(|(name, _)| *name == leader)
        .unwrap();
    asleep.pause();
    world.put(&of_dev("two"));
    world.wait_for_revision("lamp", "two");
    world.put(&of_dev("three"));
    world.wait_for_revision("lamp", "three");
    asleep.wake();
    asleep.wait();
    world.settle();
    assert_ne!(world.leader(), leader);
    assert_eq!(observer.history("lamp").concat(), ["one", "two", "three"]);
    let moves = world.moves_of("lamp");
    assert!(
        moves.iter().filter(|write| write.code == 200).count() == 3,
        "{moves:?}"
    );
}
