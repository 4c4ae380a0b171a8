//! The controller with very many Applications: what it takes of memory and time, and what it adds to what the API server takes.
//!
//! A thousand of them in the gate, where only what is far off fails; `tools/bench-controller` has ten thousand, and limits.
#![expect(
    clippy::cast_precision_loss,
    clippy::float_cmp,
    clippy::similar_names,
    clippy::unchecked_time_subtraction,
    reason = "figures of metrics are whole numbers far below 2^52, and times go forwards"
)]

mod fleet;
mod report;
mod server;
mod usage;

use std::collections::BTreeSet;
use std::env;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{sleep, timeout};

use self::fleet::{BARE, FEW, Fleet, KEYS, Member, revision};
use self::report::{Started, figure, milliseconds, print_table, started};
use self::server::{Seen, Server, Times, Write, compared};
use super::objects::KEY;
use super::process::Controller;
use super::world::{REPOSITORY, World};
use crate::kubeconfig::User;

/// How many Applications there are, unless this says otherwise.
const VARIABLE: &str = "ARGOCD_INFISICAL_SCALE";
const FEWEST: usize = 1000;
/// What anything may take that is waited for.
const DEADLINE: Duration = Duration::from_mins(20);
/// No limits.
const UNBOUND: [&str; 6] = [
    "--in-flight",
    "0",
    "--revisions-per-second",
    "0",
    "--digests-per-second",
    "0",
];

/// A world with a fleet in it.
struct Scale {
    world: World,
    fleet: Fleet,
    runtime: Runtime,
    admin: Server,
    /// The user that the controller is.
    controller: Server,
    is_whole: bool,
}

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn ten_thousand_applications() {
    let Some(world) = World::new("scale") else {
        return;
    };
    let scale = Scale::new(world);
    scale.make();
    scale.first_start();
    let few = scale.restart(FEW, scale.few());
    let all = scale.restart("argocd-infisical.io/environment", scale.fleet.size);
    let controller = scale.start(&UNBOUND);
    let mut rows = vec![scale.refreshes(&controller)];
    let overridden = scale.fleet.overridden();
    let own = overridden
        .iter()
        .map(|member| (member, member.secret(), KEY.to_owned()));
    let of_environment = scale.fleet.of("staging");
    let keys = of_environment.iter();
    let keys = keys.map(|member| (member, KEYS.to_owned(), member.key()));
    rows.extend(scale.latency(
        &controller,
        "an Application's own Secret",
        &own.collect::<Vec<_>>(),
    ));
    rows.extend(scale.latency(
        &controller,
        "an Application's key in its environment's Secret",
        &keys.collect::<Vec<_>>(),
    ));
    rows.push(scale.storm());
    assert_eq!(controller.stop(), Some(0));
    rows.push(scale.paced());
    print_table(&["", &few.count(), &all.count()], &started(&few, &all));
    print_table(&["", "the controller", "beside it"], &rows);
}

impl Scale {
    fn new(world: World) -> Self {
        let size = env::var(VARIABLE).map_or(FEWEST, |size| size.parse().unwrap());
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let of = |user| runtime.block_on(Server::new(world.cluster, user));
        let (admin, controller) = (of(User::ADMIN), of(User::CONTROLLER));
        let of = |is_protected: bool| json!({"default": "main", "allowed": ["*"], "protected": is_protected});
        world.policy(json!({
            "environments": {
                "dev": of(false), "staging": of(false), "storm": of(false), "paced": of(false), "prod": of(true),
            },
            // The same Applications move again and again.
            "flap": {"changes": 1000, "minutes": 1},
        }));
        Self {
            world,
            fleet: Fleet { size },
            runtime,
            admin,
            controller,
            is_whole: size > FEWEST,
        }
    }

    fn few(&self) -> usize {
        self.fleet.size / 10
    }

    fn applications(&self) -> String {
        format!(
            "/apis/argoproj.io/v1alpha1/namespaces/{}/applications",
            self.world.argocd
        )
    }

    fn application(&self, name: &str) -> String {
        format!("{}/{name}", self.applications())
    }

    fn secret(&self, name: &str) -> String {
        format!("/api/v1/namespaces/{}/secrets/{name}", self.world.own)
    }

    /// Sets the revision in a Secret, for those that a key speaks of.
    async fn say(&self, secret: &str, key: &str, to: &str) {
        let change = json!({"data": revision(key, to)});
        let write = Write::merge(&self.secret(secret), &change);
        drop(self.admin.write(write).await);
    }

    /// Makes everything.
    fn make(&self) {
        let start = Instant::now();
        let (argocd, own) = (&self.world.argocd, &self.world.own);
        let projects = format!("/apis/argoproj.io/v1alpha1/namespaces/{argocd}/appprojects");
        let path_of_secrets = format!("/api/v1/namespaces/{own}/secrets");
        let projects = Fleet::projects().map(|project| Write::create(&projects, &project));
        let secrets = self.fleet.secrets();
        let secrets = secrets
            .iter()
            .map(|secret| Write::create(&path_of_secrets, secret));
        let count = secrets.len();
        let path = self.applications();
        let members = self.fleet.members().chain(self.fleet.bare());
        let few = self.few();
        let applications =
            members.map(|member| Write::create(&path, &member.application(own, few)));
        let sample = self.fleet.of("dev")[0].name.clone();
        self.runtime.block_on(async {
            self.admin
                .write_all(projects.chain(secrets).chain(applications))
                .await;
        });
        let bytes = self
            .runtime
            .block_on(self.admin.get(&self.application(&sample)))
            .len();
        let size = self.fleet.size;
        let took = start.elapsed();
        figure(&format!(
            "{size} Applications of {bytes} bytes and {count} Secrets made in {:.1} s",
            took.as_secs_f64()
        ));
    }

    fn start(&self, flags: &[&str]) -> Controller<'_> {
        let controller = self.world.launch("controller", flags);
        wait("the first decision", || decisions(&controller).1 >= 1.0);
        wait("the lease", || value(&controller, &["_leader 1"]) == 1.0);
        controller
    }

    /// All Applications with settings get their digest, and those with an override their record.
    fn first_start(&self) {
        let start = Instant::now();
        let controller = self.world.launch("first", &UNBOUND);
        let wanted = self.fleet.written() as f64;
        let done = || values(&controller, "result=\"done\"").iter().sum::<f64>();
        wait("all digests and records", || done() >= wanted);
        let took = start.elapsed();
        thread::sleep(Duration::from_secs(1));
        let id = controller.id();
        figure(&format!(
            "first start: {:.1} s with {} patches, processor {:.1} s, {}",
            took.as_secs_f64(),
            done(),
            usage::processor(id).as_secs_f64(),
            usage::memory(id)
        ));
        // One patch has all that there is to write of an Application.
        assert_eq!(done(), wanted);
        assert_eq!(controller.stop(), Some(0));
    }

    /// Starts with everything as it should be.
    fn restart(&self, label: &str, size: usize) -> Started {
        self.world.policy(json!({"environmentLabel": label}));
        let start = Instant::now();
        let controller = self.world.launch("restarted", &UNBOUND);
        let id = controller.id();
        wait("the first decision", || decisions(&controller).1 >= 1.0);
        let (took, processor) = (start.elapsed(), usage::processor(id));
        let (seconds, _) = decisions(&controller);
        thread::sleep(Duration::from_secs(if self.is_whole { 10 } else { 6 }));
        let counted: f64 = values(&controller, "_applications{").iter().sum();
        let settings: f64 = values(&controller, "field=\"revision\"").iter().sum();
        assert_eq!(settings, size as f64, "of {counted}");
        let before = usage::processor(id);
        let is_all = self.is_whole && size == self.fleet.size;
        let idle = Duration::from_secs(if is_all { 60 } else { 5 });
        thread::sleep(idle);
        let idle = (usage::processor(id) - before).as_secs_f64() * 60.0 / idle.as_secs_f64();
        let used = usage::memory(id);
        // Everything is decided anew.
        let (before, count) = decisions(&controller);
        let processor_before = usage::processor(id);
        self.world
            .control(&json!({"acknowledged": format!("{size}")}));
        wait("another decision", || decisions(&controller).1 > count);
        let decided = decisions(&controller).0 - before;
        let spent = usage::processor(id) - processor_before;
        figure(&format!(
            "restart with {size}: {:.2} s, processor {:.2} s, {}; first decision {:.1} ms, another of all {:.1} ms (processor {:.1} ms); idle {idle:.3} s a minute",
            took.as_secs_f64(),
            processor.as_secs_f64(),
            usage::memory(id),
            seconds * 1000.0,
            decided * 1000.0,
            milliseconds(spent),
        ));
        let started = Started {
            size,
            took,
            processor,
            memory: used,
            decision: Duration::from_secs_f64(decided),
            idle,
        };
        let patches: f64 = values(&controller, "patches_total{").iter().sum();
        assert_eq!(patches, 0.0, "{}", controller.words());
        if self.is_whole && !cfg!(debug_assertions) {
            assert!(used.resident < 80 << 10, "{used:?}");
        }
        assert_eq!(controller.stop(), Some(0));
        started
    }

    /// Argo CD looks at each Application every three minutes, and writes when that was.
    fn refreshes(&self, controller: &Controller<'_>) -> [String; 3] {
        let time = if self.is_whole { 20 } else { 5 };
        let rate = (self.fleet.size / 180).max(1);
        let members: Vec<Member> = self.fleet.of("prod");
        let id = controller.id();
        let before = usage::processor(id);
        self.runtime.block_on(async {
            for second in 0..time {
                let start = Instant::now();
                let these = members.iter().cycle().skip(second * rate).take(rate);
                let writes = these.map(|member| {
                    let at = format!("2026-11-30T04:00:{second:02}Z");
                    let change = json!({"status": {"reconciledAt": at}});
                    Write::merge(&self.application(&member.name), &change)
                });
                self.admin.write_all(writes).await;
                sleep(Duration::from_secs(1).saturating_sub(start.elapsed())).await;
            }
        });
        let spent = usage::processor(id) - before;
        let writes = rate * time;
        let used = format!(
            "{:.2} s of the processor a minute, {:.2} ms each",
            spent.as_secs_f64() * 60.0 / time as f64,
            milliseconds(spent) / writes as f64
        );
        let what = format!("{rate} refreshes a second by Argo CD");
        figure(&format!("{what}: {used}"));
        [what, used, String::new()]
    }

    /// From a Secret that is written to the Application that is patched, beside the same patch alone. Each Application has a
    /// Secret that its revision is said in, by a key.
    fn latency(
        &self,
        controller: &Controller<'_>,
        what: &str,
        said: &[(&Member, String, String)],
    ) -> [[String; 3]; 2] {
        let rounds = if self.is_whole { 200 } else { 30 };
        let (processor, decided) = (usage::processor(controller.id()), decisions(controller));
        let bare = self.fleet.bare();
        let (mut ours, mut raw) = (Vec::new(), Vec::new());
        let (mut both, mut one_by_one) = (Vec::new(), Vec::new());
        self.runtime.block_on(async {
            let mut seen = self.admin.watch(&self.applications()).await;
            for round in 0..rounds {
                let (member, secret, key) = &said[round % said.len()];
                // The other Applications are the same ones each time.
                let to = format!("feature/{}-{round}", member.environment);
                let start = Instant::now();
                self.say(secret, key, &to).await;
                let written = Instant::now();
                let at = see(&mut seen, &member.name, &to).await;
                ours.push(at.saturating_duration_since(written));
                both.push(at - start);
                sleep(Duration::from_millis(30)).await;
                let member = &bare[round % bare.len()];
                let path = self.application(&member.name);
                let now = self.admin.get(&path).await;
                let patch = patch(&serde_json::from_slice(&now).unwrap(), &to);
                let sent = Instant::now();
                drop(self.controller.write(Write::patch(&path, &patch)).await);
                let took = see(&mut seen, &member.name, &to).await - sent;
                raw.push(took);
                one_by_one.push(written - start + took);
                sleep(Duration::from_millis(30)).await;
            }
        });
        let processor = usage::processor(controller.id()) - processor;
        let (seconds, _) = decisions(controller);
        let [ours, raw, both, one_by_one] = [ours, raw, both, one_by_one].map(Times::new);
        let shown = |times: &Times| {
            let [half, most] = [50, 99].map(|percent| milliseconds(times.percentile(percent)));
            format!("p50 {half:.1} ms, p99 {most:.1} ms")
        };
        let rows = [
            [
                format!("{what} written → Application patched"),
                shown(&ours),
                format!("the patch: {}", shown(&raw)),
            ],
            [
                "the same, from before the Secret is written".to_owned(),
                shown(&both),
                format!("the two writes: {}", shown(&one_by_one)),
            ],
        ];
        for [what, ours, raw] in &rows {
            figure(&format!("{what}: {ours}; {raw}"));
        }
        figure(&format!(
            "for each the processor {:.2} ms, decisions {:.2} ms in all",
            milliseconds(processor) / rounds as f64,
            (seconds - decided.0) * 1000.0 / rounds as f64,
        ));
        let more = ours.percentile(50).saturating_sub(raw.percentile(50));
        let allowed = Duration::from_millis(if self.is_whole { 5 } else { 200 });
        assert!(more < allowed, "{more:?}");
        rows
    }

    /// One Secret moves all Applications of an environment, beside a loop that sends the same patches.
    fn storm(&self) -> [String; 3] {
        let rounds = if self.is_whole { 3 } else { 2 };
        let members = names(&self.fleet.of("storm"));
        let bare = names(&self.fleet.bare());
        let (mut ours, mut raw) = (Vec::new(), Vec::new());
        self.runtime.block_on(async {
            let mut seen = self.admin.watch(&self.applications()).await;
            for round in 0..rounds {
                let to = format!("release/{round}");
                let mut patches = Vec::new();
                for name in &bare {
                    let path = self.application(name);
                    let now: Value = serde_json::from_slice(&self.admin.get(&path).await).unwrap();
                    patches.push(Write::patch(&path, &patch(&now, &to)));
                }
                let start = Instant::now();
                let patched = self.controller.write_all(patches);
                let ((), end) = tokio::join!(patched, see_all(&mut seen, &bare, &to));
                raw.push(end.saturating_duration_since(start));
                sleep(Duration::from_millis(1500)).await;
                let start = Instant::now();
                self.say("storm", KEY, &to).await;
                let end = see_all(&mut seen, &members, &to).await;
                ours.push(end.saturating_duration_since(start));
                sleep(Duration::from_millis(1500)).await;
            }
        });
        let rate = |times: Vec<Duration>| {
            members.len() as f64 / Times::new(times).percentile(0).as_secs_f64()
        };
        let all = format!("best of {ours:.2?} and {raw:.2?}");
        let (ours, raw) = (rate(ours), rate(raw));
        let ratio = ours / raw;
        let what = format!("a Secret moves {} Applications, no limits", members.len());
        figure(&format!(
            "{what}: {ours:.0} a second, the loop {raw:.0}, ratio {ratio:.2} ({all})"
        ));
        assert!(ratio >= if self.is_whole { 0.9 } else { 0.3 }, "{ratio}");
        let beside = format!("a loop of the same patches: {raw:.0} a second (ratio {ratio:.2})");
        [what, format!("{ours:.0} a second"), beside]
    }

    /// With the limits that there are by default, and an Argo CD that takes its time.
    fn paced(&self) -> [String; 3] {
        let takes = Duration::from_secs(if self.is_whole { 8 } else { 6 });
        let controller = self.start(&[]);
        let members = names(&self.fleet.of("paced"));
        let count = members.len().min(200);
        let (mut patched, mut landed) = (Vec::new(), Vec::new());
        let mut most = 0;
        self.runtime.block_on(async {
            let mut seen = self.admin.watch(&self.applications()).await;
            self.say("paced", KEY, "slowly").await;
            let mut flying = BTreeSet::new();
            while patched.len() < count {
                let seen = timeout(DEADLINE, seen.recv()).await.unwrap().unwrap();
                if !members.contains(&seen.name) || seen.revision() != "slowly" {
                    continue;
                }
                if seen.is_compared {
                    flying.remove(&seen.name);
                    landed.push(seen.at);
                } else if flying.insert(seen.name.clone()) {
                    patched.push(seen.at);
                    most = most.max(flying.len());
                    let (admin, path) = (self.admin.clone(), self.application(&seen.name));
                    tokio::spawn(async move {
                        sleep(takes).await;
                        drop(
                            admin
                                .write(Write::merge(&path, &compared(&seen.source)))
                                .await,
                        );
                    });
                }
            }
        });
        let within = |start: &Instant, seconds: u64| {
            let end = *start + Duration::from_secs(seconds);
            patched
                .iter()
                .filter(|at| *at >= start && **at < end)
                .count()
        };
        let fastest = |seconds| patched.iter().map(|start| within(start, seconds)).max();
        let fastest = |seconds| fastest(seconds).unwrap_or_default();
        let took = *patched.last().unwrap() - patched[0];
        let seconds = (0..=took.as_secs()).map(|second| patched[0] + Duration::from_secs(second));
        let by_second: Vec<String> = seconds.map(|start| within(&start, 1).to_string()).collect();
        let what =
            format!("a Secret moves {count} Applications by default, where a sync takes {takes:?}");
        let rate = format!(
            "{:.1} patches a second, {} in five seconds at most, {most} in flight at most",
            count as f64 / took.as_secs_f64(),
            fastest(5)
        );
        let by_second = format!("second by second: {}", by_second.join(" "));
        figure(&format!("{what}: {rate}; {by_second}"));
        // A bucket that is full holds those of a second, and what is seen late is seen with what comes after it.
        assert!(fastest(5) <= 75, "{}", fastest(5));
        assert!(most <= 50, "{most}");
        assert_eq!(controller.stop(), Some(0));
        [what, rate, by_second]
    }
}

fn names(members: &[Member]) -> BTreeSet<String> {
    members.iter().map(|member| member.name.clone()).collect()
}

/// The patch that the controller would make of an Application for a revision.
fn patch(application: &Value, to: &str) -> Value {
    const STATE: &str = "/metadata/annotations/argocd-infisical.io~1state";
    let (metadata, spec) = (&application["metadata"], &application["spec"]);
    let environment = &metadata["labels"][BARE];
    let state = &metadata["annotations"]["argocd-infisical.io/state"];
    let record = json!({
        "environment": environment, "revision": to,
        "override": {"kind": "Secret", "namespace": "scale-own", "name": "storm", "key": "ARGOCD_TARGET_REVISION", "rank": "environment"},
        "moved": "2026-11-30T03:20:11Z",
    });
    json!([
        {"op": "test", "path": "/metadata/uid", "value": metadata["uid"]},
        {"op": "test", "path": format!("/metadata/labels/{}", BARE.replace('/', "~1")), "value": environment},
        {"op": "test", "path": "/spec/project", "value": spec["project"]},
        {"op": "test", "path": "/metadata/annotations/argocd-infisical.io~1hold", "value": null},
        {"op": "test", "path": STATE, "value": state},
        {"op": "test", "path": "/spec/source/repoURL", "value": REPOSITORY},
        {"op": "test", "path": "/spec/source/chart", "value": null},
        {"op": "test", "path": "/spec/source/targetRevision", "value": spec["source"]["targetRevision"]},
        {"op": "add", "path": "/spec/source/targetRevision", "value": to},
        {"op": "add", "path": STATE, "value": record.to_string()},
    ])
}

/// Waits until an Application is seen with a revision, and tells when that was.
async fn see(seen: &mut UnboundedReceiver<Seen>, name: &str, revision: &str) -> Instant {
    see_all(seen, &[name.to_owned()].into(), revision).await
}

async fn see_all(
    seen: &mut UnboundedReceiver<Seen>,
    names: &BTreeSet<String>,
    revision: &str,
) -> Instant {
    let mut wanted: BTreeSet<&String> = names.iter().collect();
    loop {
        let seen = timeout(DEADLINE, seen.recv()).await.unwrap().unwrap();
        if seen.revision() == revision {
            wanted.remove(&seen.name);
        }
        if wanted.is_empty() {
            return seen.at;
        }
    }
}

#[track_caller]
fn wait(what: &str, is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < DEADLINE, "waiting for {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// How long all decisions took, in seconds, and how often there were some.
fn decisions(controller: &Controller<'_>) -> (f64, f64) {
    let of = |end: &str| value(controller, &[&format!("decision_seconds_{end}")]);
    (of("sum"), of("count"))
}

fn value(controller: &Controller<'_>, parts: &[&str]) -> f64 {
    controller.metric(parts).unwrap_or_default()
}

/// The values of all series whose name and labels have a part.
fn values(controller: &Controller<'_>, part: &str) -> Vec<f64> {
    let (_, body) = controller.get("/metrics");
    let lines = body.lines().filter(|line| !line.starts_with('#'));
    let lines = lines.filter(|line| line.contains(part));
    lines
        .filter_map(|line| line.rsplit(' ').next()?.parse().ok())
        .collect()
}
