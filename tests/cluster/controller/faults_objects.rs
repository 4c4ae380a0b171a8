//! Objects that are deleted and made again, rewritten or restored: what is the same makes no difference.

use std::time::Instant;

use k8s_openapi::api::core::v1::Secret;
use serde_json::{Value, json};

use super::chance::{Chance, long_or};
use super::deploys::report;
use super::endings::Expected;
use super::live::{Branches, Live, is_synced, live, wait_since};
use super::objects::Written;
use super::storm::Storm;
use super::world::{World, application};
use crate::access::Kind;
use crate::operator::Writer;

const UNLIMITED: [&str; 4] = ["--in-flight", "0", "--revisions-per-second", "0"];

impl World {
    /// Deletes an Application, and makes one of the same name.
    fn make_again(&self, name: &str, application: Value) {
        self.admin.delete_of(Kind::APPLICATION, &self.argocd, name);
        self.wait_for("it to be gone", || {
            let got = self.admin.get_of(Kind::APPLICATION, &self.argocd, name);
            got.is_err()
        });
        self.create(application);
    }

    fn uid(&self, name: &str) -> Value {
        self.application(name)["metadata"]["uid"].clone()
    }
}

/// An object as a backup has it: without what the server gives.
fn saved(mut object: Value) -> Value {
    let metadata = object["metadata"].as_object_mut().unwrap();
    for field in [
        "uid",
        "resourceVersion",
        "creationTimestamp",
        "generation",
        "managedFields",
    ] {
        metadata.remove(field);
    }
    object
}

/// An Application of the same name is another one: it follows as a new one does, and nothing meant for the first one reaches it.
#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn an_application_that_is_made_again_is_a_new_one() {
    let Some(world) = World::new("objects-again") else {
        return;
    };
    let mut chance = Chance::new("objects again");
    let mut storm = Storm::new(&world, 3, chance.split());
    let _controller = world.launch("controller", &UNLIMITED);
    let names: Vec<String> = storm.expected().into_keys().collect();
    for number in 0..long_or(100, 12) {
        for _ in 0..3 {
            storm.step();
        }
        let name = chance.one_of(&names).clone();
        let environment = name.split('-').next().unwrap();
        let before = world.uid(&name);
        world.make_again(
            &name,
            application(&name, environment, &format!("born/{number}")),
        );
        assert_ne!(world.uid(&name), before);
    }
    world.comes_to_rest(&storm.expected());
    world.settle();
    world.comes_to_rest(&storm.expected());
    world.wrote_only(|name, revision| storm.has_asked(name, revision));
}

/// A world in which everything is where it should be.
struct Same {
    world: World,
    tenant: String,
    overrides: [Written; 2],
    settings: Written,
    expected: Expected,
    written: usize,
}

impl Same {
    #[track_caller]
    fn new(name: &str) -> Option<Self> {
        let world = World::new(name)?;
        world.environments(["one", "two"]);
        let expected = [
            ("rendered", "feature/login"),
            ("lamp", "feature/login"),
            ("desk", "r/1"),
            ("oven", "main"),
        ];
        let expected = expected.map(|(name, revision)| (name.to_owned(), revision.to_owned()));
        let settings = Written::settings("settings", "default/rendered").config_map();
        let same = Self {
            tenant: world.tenant("tenant"),
            overrides: [
                Written::of_environment("one", "one").revision("feature/login"),
                Written::of_application("own", "two", "desk").revision("r/1"),
            ],
            settings: settings.with("A", "1"),
            expected: expected.into(),
            written: 0,
            world,
        };
        same.put_all();
        let mut rendered = application("rendered", "one", "before");
        rendered["spec"]["source"]["plugin"] = json!({
            "name": "argocd-infisical",
            "parameters": [{"name": "settings", "array": [format!("{}/settings", same.tenant)]}],
        });
        same.world.create(rendered);
        same.world.create(application("lamp", "one", "before"));
        same.world.create(application("desk", "two", "before"));
        same.world.create(application("oven", "two", "before"));
        Some(same)
    }

    fn put_all(&self) {
        for object in &self.overrides {
            self.world.put(object);
        }
        self.settings.put(&self.world.admin, &self.tenant);
    }

    fn delete_all(&self) {
        for object in &self.overrides {
            object.delete(&self.world.admin, &self.world.own);
        }
        self.settings.delete(&self.world.admin, &self.tenant);
    }

    fn uids(&self) -> Vec<Value> {
        let own = self.world.admin.get::<Secret>(&self.world.own, "own");
        let mut uids = vec![json!(own.unwrap().metadata.uid)];
        uids.extend(self.expected.keys().map(|name| self.world.uid(name)));
        uids
    }

    /// Makes every object again, as from a backup.
    fn restore(&self) {
        let (world, before) = (&self.world, self.uids());
        self.delete_all();
        self.put_all();
        for object in world
            .admin
            .list_of(Kind::APPLICATION, &world.argocd)
            .unwrap()
        {
            let name = object["metadata"]["name"].as_str().unwrap().to_owned();
            world.make_again(&name, saved(object));
        }
        assert!(self.uids().iter().all(|uid| !before.contains(uid)));
    }

    #[track_caller]
    fn nothing_is_written(&self, what: &str) {
        self.world.settle();
        self.world.comes_to_rest(&self.expected);
        let writes = self.world.writes().split_off(self.written);
        assert!(writes.is_empty(), "{what}: {writes:?}");
    }
}

/// A restart, an upgrade, Secrets that were deleted and written again with the same values, and a cluster that was restored from a
/// backup, in which every object is another one: nothing is written.
#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn what_is_the_same_makes_no_writes() {
    let Some(mut same) = Same::new("objects-same") else {
        return;
    };
    let controller = same.world.launch("first", &[]);
    controller.wait();
    same.world.comes_to_rest(&same.expected);
    same.world.settle();
    assert_eq!(controller.stop(), Some(0));
    same.written = same.world.writes().len();
    // Another pod, as after an upgrade.
    let controller = same.world.launch("second", &[]);
    same.nothing_is_written("a restart");
    // While it looks on, and while nobody does.
    same.delete_all();
    same.put_all();
    same.nothing_is_written("Secrets written again");
    controller.kill();
    same.delete_all();
    same.put_all();
    let controller = same.world.launch("third", &[]);
    same.nothing_is_written("Secrets written again while nobody looked on");
    // A backup of everything, restored beside a controller that runs, and before one starts.
    same.restore();
    same.nothing_is_written("a backup restored");
    assert_eq!(controller.stop(), Some(0));
    same.restore();
    let _controller = same.world.launch("fourth", &[]);
    same.nothing_is_written("a backup restored while nobody looked on");
}

/// The operators write an object as a whole: labels go when somebody changes the resource, and come back with the next write.
#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn labels_that_come_and_go_move_nothing() {
    let Some(world) = World::new("objects-labels") else {
        return;
    };
    world.environments(["one", "two"]);
    let of_one = |writer| {
        Written::of_environment("one", "one")
            .by(writer)
            .revision("r/1")
    };
    let own = |writer| {
        Written::of_application("own", "two", "desk")
            .by(writer)
            .revision("r/2")
    };
    world.put(&of_one(Writer::StaticSecret));
    world.put(&own(Writer::StaticSecret));
    world.create(application("lamp", "one", "before"));
    world.create(application("desk", "two", "before"));
    let expected: Expected = [
        ("lamp".to_owned(), "r/1".to_owned()),
        ("desk".to_owned(), "r/2".to_owned()),
    ]
    .into();
    let _controller = world.start();
    world.comes_to_rest(&expected);
    world.settle();
    let written = world.writes().len();
    for _ in 0..long_or(100, 10) {
        for writer in Writer::ALL {
            // Another one takes it over, without labels at first.
            for object in [of_one(writer), own(writer)] {
                world.put(&object.clone().stripped());
                world.put(&object);
            }
        }
    }
    world.settle();
    world.comes_to_rest(&expected);
    // Nor when nobody gives them back for a while.
    for object in [of_one(Writer::Secret), own(Writer::Secret)] {
        world.put(&object.clone().stripped().empty());
    }
    world.settle();
    for (name, revision) in &expected {
        assert_eq!(&world.revision(name), revision);
    }
    assert_eq!(
        world.writes().len(),
        written,
        "{:?}",
        world.writes().split_off(written)
    );
}

/// Argo CD's cache is emptied again and again: it renders anew, and what is asked for is deployed. Nothing else is written.
#[test]
#[ignore = "needs Argo CD: tools/cluster-tier runs it"]
fn a_redis_that_is_flushed_changes_nothing() {
    let Some(live) = live() else { return };
    let Live { argo, world, .. } = live;
    let branches = Branches::new(argo);
    let name = "flushed";
    live.create(name, &branches.git, |_| {});
    wait_since(Instant::now(), world, name, |lamp| {
        is_synced(lamp, branches.commit("dev"))
    });
    let before = world.moves_of(name).len();
    let mut times = Vec::new();
    let rounds = long_or(10, 2);
    for _ in 0..rounds {
        for branch in ["feature/login", "main"] {
            argo.flush_redis();
            let start = Instant::now();
            world.put(&Written::of_application(name, "dev", name).revision(branch));
            world.wait_for_revision(name, branch);
            argo.flush_redis();
            let commit = branches.commit(branch);
            times.push(wait_since(start, world, name, |lamp| {
                is_synced(lamp, commit)
            }));
        }
    }
    assert_eq!(world.moves_of(name).len() - before, 2 * rounds);
    report(
        "revision, with Redis flushed before and after the patch",
        &times,
    );
}
