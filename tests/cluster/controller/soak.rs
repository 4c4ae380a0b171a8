//! Half an hour of everything at once, with Argo CD's own application controller: changes, restarts and faults by chance.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::ConfigMap;
use serde_json::{Value, json};

use super::chance::{Chance, is_long, long_or, say};
use super::deploys::with_label;
use super::endings::Expected;
use super::live::{Branches, Live, live};
use super::objects::Written;
use super::process::Controller;
use super::unsteady::{Sample, Unsteady, slope};
use super::world::World;
use crate::access::Kind;
use crate::argocd::git::Git;

/// The environment of all that takes part, and the label of the Applications: other tests' controllers leave them alone.
const ENVIRONMENT: &str = "soak";
const OF_SETTINGS: &str = "soak-settings";
const LABEL: &str = "soak.example.org/environment";

const BRANCHES: [&str; 3] = ["main", "dev", "feature/login"];

/// Applications that change their revision, and those that change their settings.
const MOVING: [&str; 4] = ["soak-one", "soak-two", "soak-three", "soak-four"];
const WITH_SETTINGS: [&str; 2] = ["soak-plain", "soak-heals"];

/// How long it lasts.
fn length() -> Duration {
    let named = std::env::var("ARGOCD_INFISICAL_SOAK_SECONDS").ok();
    let seconds = named.map_or(long_or(1800, 60), |seconds| seconds.parse().unwrap());
    Duration::from_secs(seconds)
}

/// What a controller is in.
struct Replica<'w> {
    name: &'static str,
    server: Unsteady,
    running: Option<Controller<'w>>,
    paused_until: Option<Instant>,
    unsteady_until: Option<Instant>,
}

impl<'w> Replica<'w> {
    fn new(world: &'w World, name: &'static str, chance: Chance) -> Self {
        let mut replica = Self {
            name,
            server: Unsteady::new(world.cluster, chance),
            running: None,
            paused_until: None,
            unsteady_until: None,
        };
        replica.start(world);
        replica
    }

    fn start(&mut self, world: &'w World) {
        let kubeconfig = self.server.kubeconfig().to_owned();
        let controller = world.launch_by(self.name, kubeconfig, &[]);
        self.running = Some(controller);
    }

    fn end(&mut self, kindly: bool) {
        self.wake();
        let Some(controller) = self.running.take() else {
            return;
        };
        if kindly {
            assert_eq!(controller.stop(), Some(0));
        } else {
            controller.kill();
        }
    }

    fn pause(&mut self, time: Duration) {
        if let Some(controller) = self.running.as_ref() {
            controller.pause();
            self.paused_until = Some(Instant::now() + time);
        }
    }

    fn wake(&mut self) {
        if let (Some(_), Some(controller)) = (self.paused_until.take(), &self.running) {
            controller.wake();
        }
    }

    fn disturb(&mut self, percent: usize, time: Duration) {
        self.server.set(percent);
        self.unsteady_until = Some(Instant::now() + time);
    }

    /// Ends what has lasted long enough.
    fn tend(&mut self, all: bool) {
        let is_over =
            |until: Option<Instant>| until.is_some_and(|end| all || end <= Instant::now());
        if is_over(self.paused_until) {
            self.wake();
        }
        if is_over(self.unsteady_until) {
            self.server.set(0);
            self.unsteady_until = None;
        }
    }
}

/// What is asked for.
struct Soak<'w> {
    live: &'static Live,
    world: &'w World,
    chance: Chance,
    /// By Application, or by the name of the environment.
    revisions: BTreeMap<String, String>,
    settings: BTreeMap<String, usize>,
    specs: BTreeMap<String, Value>,
    held: Option<&'static str>,
    denied: Option<(&'static str, Instant)>,
    counts: BTreeMap<&'static str, usize>,
}

impl<'w> Soak<'w> {
    fn object(&self, name: &str) -> Written {
        let revision = self.revisions.get(name).map_or("", |text| text);
        let object = if name == ENVIRONMENT {
            Written::of_environment(name, ENVIRONMENT)
        } else {
            Written::of_application(name, ENVIRONMENT, name)
        };
        object.revision(revision)
    }

    fn setting(&self, name: &str) -> Written {
        let object = Written::settings(name, &format!("default/{name}")).config_map();
        object.with("A", &format!("v-{}", self.settings[name]))
    }

    fn put_setting(&self, name: &str) {
        self.setting(name).put(&self.world.admin, Live::SETTINGS);
    }

    fn create(&mut self, name: &'static str, spec: Value) {
        let is_moving = MOVING.contains(&name);
        let environment = if is_moving { ENVIRONMENT } else { OF_SETTINGS };
        let labels = json!({LABEL: environment});
        let application = json!({"metadata": {"name": name, "labels": labels}, "spec": spec});
        self.world.create(application);
        self.specs.insert(name.to_owned(), spec);
    }

    /// Deletes an Application, whose resources stay, and makes it again as it was at first.
    fn make_again(&self, name: &str) {
        let admin = &self.world.admin;
        admin.delete_of(Kind::APPLICATION, Live::NAMESPACE, name);
        let labels = json!({LABEL: ENVIRONMENT});
        let spec = &self.specs[name];
        let application = json!({"metadata": {"name": name, "labels": labels}, "spec": spec});
        self.world.wait_for("it to be gone", || {
            admin
                .get_of(Kind::APPLICATION, Live::NAMESPACE, name)
                .is_err()
        });
        self.world.create(application);
    }

    fn wanted(&self, name: &str) -> &str {
        let of = |name: &str| self.revisions.get(name).map(String::as_str);
        of(name).or_else(|| of(ENVIRONMENT)).unwrap_or("dev")
    }

    fn expected(&self) -> Expected {
        let moving = MOVING.iter().map(|name| (*name, self.wanted(name)));
        let settings = WITH_SETTINGS.iter().map(|name| (*name, "dev"));
        let all = moving.chain(settings);
        all.map(|(name, revision)| (name.to_owned(), revision.to_owned()))
            .collect()
    }

    /// Whether Argo CD has deployed what is asked for.
    fn is_deployed(&self, name: &str) -> bool {
        let application = self.world.application(name);
        let one = self.world.admin.get::<ConfigMap>(name, "one").ok();
        let data = one.and_then(|one| one.data).unwrap_or_default();
        let (key, value) = match self.settings.get(name) {
            Some(number) => ("a", format!("v-{number}")),
            None => ("branch", self.wanted(name).to_owned()),
        };
        application["status"]["sync"]["status"] == "Synced" && data.get(key) == Some(&value)
    }

    /// One thing that people, operators, machines or networks do.
    fn step(&mut self, replicas: &mut [Replica<'w>; 2]) {
        let name = *self.chance.one_of(&MOVING);
        let did = match self.chance.below(100) {
            0..30 => self.ask(name),
            30..45 => {
                let name = *self.chance.one_of(&WITH_SETTINGS);
                *self.settings.entry(name.to_owned()).or_default() += 1;
                self.put_setting(name);
                "setting changed"
            }
            45..50 => {
                let object = self.object(name);
                object.delete(&self.world.admin, &self.world.own);
                self.world.put(&object);
                "object deleted and made again"
            }
            50..55 => {
                let object = self.object(name);
                self.world.put(&object.clone().stripped());
                self.world.put(&object);
                "labels taken away and given back"
            }
            55..60 => {
                self.make_again(name);
                "Application deleted and made again"
            }
            60..65 => self.hold(name),
            what => self.fail(what, replicas),
        };
        *self.counts.entry(did).or_default() += 1;
    }

    /// One thing that goes wrong.
    fn fail(&mut self, what: usize, replicas: &mut [Replica<'w>; 2]) -> &'static str {
        let (seconds, which) = (self.chance.millis(1000, 20_000), self.chance.below(2));
        match what {
            65..72 => {
                replicas[1].end(what.is_multiple_of(2));
                replicas[1].start(self.world);
                "controller ended and started"
            }
            72..77 => {
                replicas[which].pause(seconds);
                "controller paused"
            }
            77..85 => {
                replicas[which].disturb(30, seconds);
                "API server unsteady"
            }
            85..89 => {
                replicas[which].disturb(100, seconds);
                "API server away"
            }
            89..92 => {
                replicas[which].server.hang_up();
                "connections cut"
            }
            92..95 => self.deny(seconds),
            95..97 => {
                self.live.argo.flush_redis();
                "Redis flushed"
            }
            97..99 => {
                self.world.cluster.compact();
                "etcd compacted"
            }
            _ if is_long() => {
                self.live.restart_application_controller();
                "Argo CD's controller killed and started"
            }
            _ => "nothing",
        }
    }

    fn ask(&mut self, name: &str) -> &'static str {
        let asks = if self.chance.happens(25) {
            ENVIRONMENT
        } else {
            name
        };
        if self.chance.happens(25) {
            self.revisions.remove(asks);
        } else {
            let revision = (*self.chance.one_of(&BRANCHES)).to_owned();
            self.revisions.insert(asks.to_owned(), revision);
        }
        self.world.put(&self.object(asks));
        "revision asked for"
    }

    fn hold(&mut self, name: &'static str) -> &'static str {
        self.release();
        self.annotate(name, &json!("true"));
        self.held = Some(name);
        "Application held"
    }

    fn release(&mut self) {
        if let Some(name) = self.held.take() {
            self.annotate(name, &Value::Null);
        }
    }

    fn annotate(&self, name: &str, value: &Value) {
        let hold = json!({"metadata": {"annotations": {"argocd-infisical.io/hold": value}}});
        self.world.change(name, "kubectl-annotate", hold);
    }

    /// Takes away what the controllers may do in their own namespace: look at objects, or hold the Lease.
    fn deny(&mut self, time: Duration) -> &'static str {
        self.grant();
        let role = *self.chance.one_of(&["objects", "own"]);
        self.world.deny(&self.world.own, role);
        self.denied = Some((role, Instant::now() + time));
        "rights taken away"
    }

    fn grant(&mut self) {
        if self.denied.take().is_some() {
            self.world.allow_own();
        }
    }

    fn tend(&mut self, replicas: &mut [Replica<'w>; 2], all: bool) {
        for replica in &mut *replicas {
            replica.tend(all);
        }
        if self
            .denied
            .is_some_and(|(_, until)| all || until <= Instant::now())
        {
            self.grant();
        }
        if all {
            self.release();
        }
    }
}

fn begun<'w>(
    (live, world): (&'static Live, &'w World),
    gits: [&Git<'_>; 2],
    chance: Chance,
) -> Soak<'w> {
    let mut soak = Soak {
        live,
        world,
        chance,
        revisions: BTreeMap::new(),
        settings: BTreeMap::new(),
        specs: BTreeMap::new(),
        held: None,
        denied: None,
        counts: BTreeMap::new(),
    };
    world.put(&soak.object(ENVIRONMENT));
    for name in MOVING.iter().chain(&WITH_SETTINGS) {
        crate::namespace::Namespace::new(live.argo.cluster, name);
        let is_moving = MOVING.contains(name);
        let git = gits[usize::from(!is_moving)];
        let mut spec = json!({
            "project": "default",
            "source": {"repoURL": git.url(), "path": "app", "targetRevision": "dev"},
            "destination": {"namespace": name, "server": "https://kubernetes.default.svc"},
            "syncPolicy": {"automated": {"selfHeal": *name == "soak-heals"}},
        });
        if is_moving {
            world.put(&soak.object(name));
        } else {
            soak.settings.insert((*name).to_owned(), 0);
            soak.put_setting(name);
            let object = format!("{}/{name}", Live::SETTINGS);
            spec["source"]["plugin"] = live.with_settings(&[&object]);
        }
        soak.create(name, spec);
    }
    soak
}

/// The controllers' world: Argo CD's namespace is shared with other tests, and the label tells theirs from ours.
fn world(live: &'static Live) -> World {
    let world = World::around(live.argo.cluster, "soak", Live::NAMESPACE);
    world.policy(json!({
        "environmentLabel": LABEL,
        "environments": {
            ENVIRONMENT: {"default": "dev", "allowed": ["*"]},
            OF_SETTINGS: {"default": "dev"},
        },
        "objectNamespaces": [Live::SETTINGS],
        "plugins": ["live"],
        "flap": {"changes": 100_000, "minutes": 1},
    }));
    world
}

#[test]
#[ignore = "needs Argo CD: tools/cluster-tier runs it"]
fn it_goes_on_for_long_whatever_happens() {
    let Some(live) = live() else { return };
    let world = world(live);
    let mut chance = Chance::new("soak");
    let (branches, labelled) = (Branches::new(live.argo), with_label(live.argo));
    let mut soak = begun((live, &world), [&branches.git, &labelled], chance.split());
    let mut replicas = ["left", "right"].map(|name| Replica::new(&world, name, chance.split()));
    let id = replicas[0].running.as_ref().unwrap().id();
    let (length, start, over) = (length(), Instant::now(), AtomicBool::new(false));
    let samples = Mutex::new(Vec::new());
    thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::SeqCst) {
                samples.lock().unwrap().extend(Sample::of(id, start));
                thread::sleep(Duration::from_secs(1));
            }
        });
        // However this ends, the other thread does, too.
        let _end = End(&over);
        while start.elapsed() < length {
            let pause = soak.chance.millis(200, 2000);
            soak.step(&mut replicas);
            soak.tend(&mut replicas, false);
            thread::sleep(pause);
        }
        soak.tend(&mut replicas, true);
        say(&format!("SOAK {:?} did {:?}", start.elapsed(), soak.counts));
        let faults: Vec<usize> = replicas
            .iter()
            .map(|replica| replica.server.faults())
            .collect();
        let took = world.comes_to_rest(&soak.expected());
        for name in soak.expected().keys() {
            world.wait_for(&format!("{name} to be deployed"), || soak.is_deployed(name));
        }
        let deployed = start.elapsed().saturating_sub(length);
        say(&format!(
            "FIGURE soak: {length:?}, faults {faults:?}, at rest {:.1} s after the last, deployed {:.1} s after it",
            took.as_secs_f64(),
            deployed.as_secs_f64()
        ));
    });
    let allowed: Vec<&str> = BRANCHES.to_vec();
    let writes = world.writes();
    let ours = writes
        .iter()
        .filter(|write| write.name.starts_with("soak-"));
    let done = ours.filter(|write| write.code == 200).count();
    world.wrote_only(|name, revision| !name.starts_with("soak-") || allowed.contains(&revision));
    say(&format!("FIGURE soak: {done} patches"));
    is_flat(&samples.into_inner().unwrap());
}

/// Ends a thread with a scope.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// The one that was never started again has as much in memory, and as many files open, as after the first third.
fn is_flat(samples: &[Sample]) {
    let later = &samples[samples.len() / 3..];
    let (memory, mean) = slope(later, |sample| sample.memory);
    let (files, mean_files) = slope(later, |sample| sample.files);
    let most =
        |of: fn(&Sample) -> f64, samples: &[Sample]| samples.iter().map(of).fold(0.0, f64::max);
    let most_files = most(|sample| sample.files, later);
    let most_memory = most(|sample| sample.memory, later);
    say(&format!(
        "FIGURE soak: {} samples, memory {:.1} MB on average, {:.1} MB at most, {:+.1} MB an hour; files {mean_files:.1} on average, {most_files} at most, {files:+.1} an hour",
        samples.len(),
        mean / 1000.0,
        most_memory / 1000.0,
        memory / 1000.0,
    ));
    // A connection for each request that waits, and no more.
    assert!(most_files < 150.0, "{most_files} files");
    assert!(most_memory < 150_000.0, "{most_memory} kB");
    // In a minute nothing can be told from a slope.
    if later.len() >= 600 {
        assert!(memory < 4000.0, "{memory} kB more an hour");
        assert!(files < 10.0, "{files} files more an hour");
    }
}
