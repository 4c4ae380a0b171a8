//! More Applications than a page of a list has, and what a controller does that finds everything as it should be.

use super::objects::Written;
use super::world::{World, application};
use crate::access::Kind;

/// More than the hundred of a page.
const MANY: usize = 120;

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn all_pages_of_a_list_count_and_a_restart_writes_nothing() {
    let Some(world) = World::new("many-pages") else {
        return;
    };
    let names: Vec<String> = (0..MANY)
        .map(|number| format!("lamp-{number:03}"))
        .collect();
    for name in &names {
        world.create(application(name, "dev", "before"));
    }
    let dev = |revision: &str| Written::of_environment("dev", "dev").revision(revision);
    world.put(&dev("after"));
    let flags = [
        "--lease-name",
        "ours",
        "--in-flight",
        "0",
        "--revisions-per-second",
        "0",
    ];
    let controller = world.launch("first", &flags);
    controller.wait();
    for name in &names {
        world.wait_for_revision(name, "after");
    }
    // Everything was listed before anything was written: no Application was written twice.
    assert_eq!(world.moves().len(), MANY);
    let leases = world.admin.list_of(Kind::LEASE, &world.own).unwrap();
    let held: Vec<_> = leases
        .iter()
        .map(|lease| &lease["metadata"]["name"])
        .collect();
    assert_eq!(held, ["ours"]);
    world.settle();
    let before = world.writes().len();
    assert_eq!(controller.stop(), Some(0));
    let _controller = world.launch("second", &flags);
    world.settle();
    assert_eq!(world.writes().len(), before);
}
