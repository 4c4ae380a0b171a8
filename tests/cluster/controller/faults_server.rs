//! An API server that goes away, forgets, refuses and breaks off, and others who write the same objects.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use kube::api::Patch;
use serde_json::json;

use super::chance::{Chance, is_long, long_or, say};
use super::endings::Expected;
use super::faults::{self, Answer, Server};
use super::objects::Written;
use super::storm::Storm;
use super::unsteady::Unsteady;
use super::world::{World, application};
use crate::access::Kind;

/// Without limits on how much is written at once.
const UNLIMITED: [&str; 4] = ["--in-flight", "0", "--revisions-per-second", "0"];

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn a_server_that_stops_and_starts_loses_nothing() {
    let Some((world, _turn)) = World::unsteady("server-stops") else {
        return;
    };
    let mut chance = Chance::new("server stops");
    let mut storm = Storm::new(&world, 4, chance.split());
    let cluster = world.cluster;
    let controller = world.launch("controller", &UNLIMITED);
    controller.wait();
    let mut times = Vec::new();
    for round in 0..long_or(10, 2) {
        for _ in 0..15 {
            storm.step();
        }
        // One that is asked to waits for a minute for those who watch.
        if is_long() && round % 3 == 2 {
            cluster.stop_server();
        } else {
            cluster.kill_server();
        }
        // In the long form sometimes for longer than what was seen before may be relied on.
        thread::sleep(Duration::from_secs(long_or(round * 5, 1)));
        cluster.start_server();
        storm.reconnect(&world);
        for _ in 0..15 {
            storm.step();
        }
        times.push(world.comes_to_rest(&storm.expected()));
    }
    world.settle();
    world.comes_to_rest(&storm.expected());
    world.wrote_only(|name, revision| storm.has_asked(name, revision));
    assert!(controller.is_ready());
    super::deploys::report("at rest after the API server was away", &times);
    assert_eq!(controller.stop(), Some(0));
}

/// What the controller knows is too old for the server, which answers 410 in earnest: all is listed again.
#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn what_the_server_has_forgotten_is_listed_again() {
    let Some((world, _turn)) = World::unsteady("server-forgets") else {
        return;
    };
    let mut chance = Chance::new("server forgets");
    let mut storm = Storm::new(&world, 4, chance.split());
    let server = Unsteady::new(world.cluster, chance.split());
    let kubeconfig = server.kubeconfig().to_owned();
    let controller = world.launch_by("controller", kubeconfig, &UNLIMITED);
    controller.wait();
    world.comes_to_rest(&storm.expected());
    let lists = |controller: &super::process::Controller<'_>| {
        controller.metric(&["requests_total", "verb=\"list\"", "code=\"200\""])
    };
    for _ in 0..long_or(5, 1) {
        let before = lists(&controller).unwrap();
        server.set(100);
        for _ in 0..15 {
            storm.step();
        }
        // It begins with what there is now, and etcd has nothing older.
        world.cluster.kill_server();
        world.cluster.start_server();
        storm.reconnect(&world);
        world.cluster.compact();
        server.set(0);
        world.comes_to_rest(&storm.expected());
        // Each of the seven watches, one after the other.
        world.wait_for("all to be listed again", || {
            lists(&controller).is_some_and(|after| after >= before + 7.0)
        });
    }
    world.wrote_only(|name, revision| storm.has_asked(name, revision));
    assert_eq!(controller.stop(), Some(0));
}

/// Between two pages of a list etcd is compacted.
#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn a_list_that_etcd_forgets_half_way_is_begun_again() {
    let Some((world, _turn)) = World::unsteady("server-compacts") else {
        return;
    };
    let mut chance = Chance::new("server compacts");
    let mut storm = Storm::new(&world, 4, chance.split());
    let (pages, seen) = <(Arc<AtomicUsize>, Arc<AtomicUsize>)>::default();
    let wait = Arc::new(AtomicBool::new(true));
    let (count, waits) = (Arc::clone(&pages), Arc::clone(&wait));
    let server = faults::start(world.cluster, move |_, target| {
        if !target.contains("limit=") {
            return Answer::Pass;
        }
        if target.contains("continue=") {
            count.fetch_add(1, Ordering::SeqCst);
            if waits.load(Ordering::SeqCst) {
                return Answer::Late(Duration::from_secs(3));
            }
        }
        Answer::Instead(
            target
                .replace("limit=40", "limit=2")
                .replace("limit=16", "limit=2"),
        )
    });
    let controller = world.launch_by("controller", server.kubeconfig.clone(), &UNLIMITED);
    world.wait_for("a second page", || pages.load(Ordering::SeqCst) > 0);
    for _ in 0..15 {
        storm.step();
        seen.fetch_add(1, Ordering::SeqCst);
    }
    world.cluster.compact();
    wait.store(false, Ordering::SeqCst);
    controller.wait();
    world.comes_to_rest(&storm.expected());
    world.wrote_only(|name, revision| storm.has_asked(name, revision));
}

/// Two controllers, each with a server that does what it likes in a third of all cases.
#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn whatever_the_server_answers_all_ends_where_it_should() {
    let Some(world) = World::new("server-unsteady") else {
        return;
    };
    let mut chance = Chance::new("server unsteady");
    let mut storm = Storm::new(&world, 4, chance.split());
    let servers = [(); 2].map(|()| Unsteady::new(world.cluster, chance.split()));
    let mut controllers = Vec::new();
    for (name, server) in ["left", "right"].into_iter().zip(&servers) {
        let kubeconfig = server.kubeconfig().to_owned();
        controllers.push(world.launch_by(name, kubeconfig, &UNLIMITED));
    }
    controllers[0].wait();
    for server in &servers {
        server.set(33);
    }
    let end = AtomicBool::new(false);
    thread::scope(|scope| {
        let raging = scope.spawn(|| storm.rage(Duration::from_millis(200), &end));
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(long_or(300, 15)) {
            thread::sleep(chance.millis(500, 3000));
            servers[chance.below(2)].hang_up();
        }
        end.store(true, Ordering::SeqCst);
        raging.join().unwrap();
    });
    for server in &servers {
        server.set(0);
    }
    let took = world.comes_to_rest(&storm.expected());
    world.settle();
    world.comes_to_rest(&storm.expected());
    world.wrote_only(|name, revision| storm.has_asked(name, revision));
    for controller in &controllers {
        assert_eq!(controller.get("/healthz").0, 200);
        controller.wait();
    }
    let faults = servers.each_ref().map(Unsteady::faults);
    say(&format!(
        "FIGURE unsteady server: {faults:?} faults in {} changes, {} writes, at rest {:.1} s after the last fault",
        storm.changes(),
        world.moves().len(),
        took.as_secs_f64()
    ));
}

/// A server that answers the first patch in a way of its own, with the times at which patches came.
fn with_first_patch(
    world: &World,
    answer: impl Fn() -> Answer + Send + Sync + 'static,
) -> (Server, Arc<Mutex<Vec<Instant>>>) {
    let times = Arc::<Mutex<Vec<Instant>>>::default();
    let seen = Arc::clone(&times);
    let server = faults::start(world.cluster, move |method, target| {
        if method != "PATCH" || target.contains("/fence-") {
            return Answer::Pass;
        }
        let mut seen = seen.lock().unwrap();
        seen.push(Instant::now());
        if seen.len() == 1 {
            answer()
        } else {
            Answer::Pass
        }
    });
    (server, times)
}

#[track_caller]
fn with_lamp(name: &str) -> Option<World> {
    let world = World::new(name)?;
    world.environments(["one"]);
    world.create(application("lamp", "one", "before"));
    Some(world)
}

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn who_asks_for_time_gets_it() {
    let Some(world) = with_lamp("server-busy") else {
        return;
    };
    let (server, times) = with_first_patch(&world, || Answer::Refused(429, Some(3)));
    let _controller = world.launch_by("controller", server.kubeconfig, &UNLIMITED);
    world.wait_for("a patch that is refused", || {
        !times.lock().unwrap().is_empty()
    });
    // Others wait, too: it is the server that is busy.
    for number in 0..3 {
        world.create(application(&format!("desk-{number}"), "one", "before"));
    }
    for name in ["lamp", "desk-0", "desk-1", "desk-2"] {
        world.wait_for_revision(name, "main");
    }
    let times = times.lock().unwrap().clone();
    for time in &times[1..] {
        assert!(*time - times[0] >= Duration::from_secs(3), "{times:?}");
    }
    assert_eq!(world.moves_of("lamp").len(), 1);
}

/// The server has written it, and its answer is lost: it is not written twice.
#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn a_patch_whose_answer_is_lost_is_made_once() {
    for (name, half) in [("server-unanswered", false), ("server-half", true)] {
        let Some(world) = with_lamp(name) else { return };
        let lost = move || {
            if half {
                Answer::Half
            } else {
                Answer::Unanswered
            }
        };
        let (server, _) = with_first_patch(&world, lost);
        let _controller = world.launch_by("controller", server.kubeconfig, &UNLIMITED);
        world.wait_for_revision("lamp", "main");
        world.settle();
        let moves = world.moves_of("lamp");
        let done = moves.iter().filter(|write| write.code == 200).count();
        assert_eq!(done, 1, "{moves:?}");
        world.comes_to_rest(&[("lamp".to_owned(), "main".to_owned())].into());
        // And it goes on.
        world.put(&Written::of_environment("one", "one").revision("dev"));
        world.wait_for_revision("lamp", "dev");
    }
}

/// A patch that is never answered keeps no other one, and is tried again.
#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn a_patch_that_is_never_answered_is_tried_again() {
    let Some(world) = with_lamp("server-silent") else {
        return;
    };
    let silent = || Answer::Silent(Duration::from_mins(5));
    let (server, times) = with_first_patch(&world, silent);
    let _controller = world.launch_by("controller", server.kubeconfig, &UNLIMITED);
    world.wait_for("a patch", || !times.lock().unwrap().is_empty());
    let start = Instant::now();
    world.create(application("desk", "one", "before"));
    world.wait_for_revision("desk", "main");
    assert!(
        start.elapsed() < Duration::from_secs(8),
        "{:?}",
        start.elapsed()
    );
    assert_eq!(world.revision("lamp"), "before");
    world.wait_for_revision("lamp", "main");
    let took = start.elapsed();
    assert!(took < Duration::from_secs(20), "{took:?}");
}

/// Others write the same Application all the time, as a whole and as fast as they can: nobody's change is lost.
#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn others_who_write_the_same_application_lose_nothing() {
    const WRITERS: usize = 3;
    let Some(world) = with_lamp("server-others") else {
        return;
    };
    world.policy(json!({"flap": {"changes": 100_000, "minutes": 1}}));
    let of_one = |revision: &str| Written::of_environment("one", "one").revision(revision);
    world.put(&of_one("r/0"));
    let controller = world.launch("controller", &UNLIMITED);
    world.wait_for_revision("lamp", "r/0");
    let end = AtomicBool::new(false);
    let changes = long_or(60, 8);
    let counts: Vec<(usize, usize)> = thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|number| {
                let (world, end) = (&world, &end);
                scope.spawn(move || increment(world, number, end))
            })
            .collect();
        scope.spawn(|| touch_hold(&world, &end));
        for number in 1..=changes {
            world.put(&of_one(&format!("r/{number}")));
            thread::sleep(Duration::from_millis(1200));
        }
        end.store(true, Ordering::SeqCst);
        writers
            .into_iter()
            .map(|writer| writer.join().unwrap())
            .collect()
    });
    let expected: Expected = [("lamp".to_owned(), format!("r/{changes}"))].into();
    world.comes_to_rest(&expected);
    let lamp = world.application("lamp");
    for (number, (done, _)) in counts.iter().enumerate() {
        let count = &lamp["metadata"]["annotations"][&counter(number)];
        assert_eq!(count, &json!(done.to_string()));
    }
    world.wrote_only(|_, revision| revision.starts_with("r/") || revision == "main");
    let moves = world.moves_of("lamp");
    let late = moves.iter().filter(|write| write.code != 200).count();
    let done = moves.len() - late;
    assert!(!controller.words().contains("may not patch it"));
    // One that was late waits, longer each time, and may find that something else is asked for by then.
    assert!(done > 2, "{done} writes of {changes} changes");
    let theirs: usize = counts.iter().map(|(done, _)| done).sum();
    let conflicts: usize = counts.iter().map(|(_, conflicts)| conflicts).sum();
    say(&format!(
        "FIGURE other writers: {theirs} writes and {conflicts} conflicts of theirs, {done} writes of ours and {late} that were late"
    ));
}

fn counter(number: usize) -> String {
    format!("writer.example.org/{number}")
}

/// Changes what every patch tests, and what no decision rests on.
fn touch_hold(world: &World, end: &AtomicBool) {
    let access = world.cluster.admin();
    for value in [json!("false"), json!(null)].iter().cycle() {
        if end.load(Ordering::SeqCst) {
            return;
        }
        let annotations = json!({"argocd-infisical.io/hold": value});
        let change = Patch::Merge(json!({"metadata": {"annotations": annotations}}));
        let name = (&*world.argocd, "lamp");
        access.patch_of(Kind::APPLICATION, name, &change, "kubectl-annotate");
        thread::sleep(Duration::from_millis(long_or(15, 40)));
    }
}

/// Counts in an annotation, as a program that reads an object and writes it back; how often, and how often in vain.
fn increment(world: &World, number: usize, end: &AtomicBool) -> (usize, usize) {
    let access = world.cluster.admin();
    let (mut done, mut conflicts) = (0, 0);
    while !end.load(Ordering::SeqCst) {
        let mut lamp = access
            .get_of(Kind::APPLICATION, &world.argocd, "lamp")
            .unwrap();
        lamp["metadata"]["annotations"][&counter(number)] = json!((done + 1).to_string());
        match access.replace_of(Kind::APPLICATION, &world.argocd, lamp) {
            Ok(()) => done += 1,
            Err(kube::Error::Api(status)) if status.code == 409 => conflicts += 1,
            Err(error) => panic!("{error}"),
        }
    }
    (done, conflicts)
}
