//! Renders that take too long, come together, or are not waited for; and programs that are started again.

use std::fs::File;
use std::thread;
use std::time::{Duration, Instant};

use super::call::Call;
use super::git::Git;
use super::processes;
use super::server::{Argo, Plugin, RepoServer, argo};
use super::settings::{self, shown};
use crate::kubeconfig::User;
use crate::proxy::{self, Behaviour};

/// A plugin whose API server takes every connection and says nothing.
fn silent(argo: &Argo, name: &str, flags: &[&str]) -> (Plugin, u16) {
    let port = proxy::start(argo.cluster.port(), Behaviour::Silent);
    let kubeconfig = argo.cluster.kubeconfig_at(User::SIDECAR, port);
    let mut all = vec!["--kubeconfig", kubeconfig.to_str().unwrap()];
    all.extend(flags);
    (argo.plugin(name, &all), port)
}

#[test]
#[ignore = "needs Argo CD: tools/cluster-tier runs it"]
fn what_is_waited_for_is_told_before_the_time_is_over() {
    let Some(argo) = argo() else { return };
    let git = settings::repository(argo);
    let (plugin, port) = silent(argo, "silent", &["--timeout", "2"]);
    let call = Call::new(argo, &git, "app")
        .by(&plugin)
        .settings(&["a/one"]);
    call.within(Duration::from_secs(30)).fails(&plugin.failure(
        "lamp",
        &format!(
            "error: cannot read the Application from the API server `127.0.0.1:{port}`: it does not answer in time
hint: see whether the API server runs and can be reached from here
"
        ),
    ));
    assert!(plugin.renders().is_empty());
}

#[test]
#[ignore = "needs Argo CD: tools/cluster-tier runs it"]
fn a_render_that_takes_too_long() {
    let Some(argo) = argo() else { return };
    let object = |number: usize| {
        let metadata = format!("metadata: {{name: map-{number}}}");
        format!("apiVersion: v1\nkind: ConfigMap\n{metadata}\ndata: {{a: b, c: d}}\n")
    };
    let objects: Vec<String> = (0..100_000).map(object).collect();
    let objects = objects.join("---\n");
    let kustomization = "namePrefix: x-\nresources: [objects.yaml]\n";
    let git = Git::new(
        argo,
        &[
            ("app/kustomization.yaml", kustomization),
            ("app/objects.yaml", &objects),
        ],
    );
    let plugin = argo.plugin("short", &["--timeout", "1"]);
    let call = Call::new(argo, &git, "app")
        .by(&plugin)
        .within(Duration::from_secs(30));
    call.fails(&plugin.failure(
        "lamp",
        "error: the render is not done after 1 seconds
hint: render less at a time, or give the sidecar more CPU; beyond 45 seconds, Argo CD's own limit \
         (`controller.repo.server.timeout.seconds`) and `--timeout` have to grow together
",
    ));
    assert!(plugin.renders().is_empty());
}

/// Nothing of it is left, whoever gives up.
#[test]
#[ignore = "needs Argo CD: tools/cluster-tier runs it"]
fn a_caller_that_does_not_wait() {
    let Some(argo) = argo() else { return };
    let git = settings::repository(argo);
    let (plugin, _) = silent(argo, "waiting", &[]);
    let call = Call::new(argo, &git, "app")
        .by(&plugin)
        .settings(&["a/one"]);

    let short = call.clone().within(Duration::from_secs(2)).once();
    // cmp-server terminates and kills the plugin 100 ms before the caller gives up; a user reads whatever arrives first.
    let signals = ["` failed signal: killed", "` failed signal: terminated"];
    let is_killed = signals.iter().any(|end| short.error.ends_with(end));
    assert!(is_killed || short.code == "DeadlineExceeded", "{short:?}");
    assert!(short.time() < Duration::from_secs(4), "{short:?}");
    plugin.wait_for_renders(0);

    let cancelled = call.cancelled_after(Duration::from_secs(5));
    let running = cancelled.clone();
    let outcomes = thread::scope(|scope| {
        let caller = scope.spawn(move || running.many(3, 3));
        plugin.wait_for_renders(3);
        caller.join().unwrap()
    });
    let codes: Vec<&str> = outcomes
        .iter()
        .map(|outcome| outcome.code.as_str())
        .collect();
    assert_eq!(codes, ["Canceled"; 3]);
    plugin.wait_for_renders(0);
    assert_eq!(processes::children(plugin.id), Vec::<u32>::new());
}

#[test]
#[ignore = "needs Argo CD: tools/cluster-tier runs it"]
fn ten_at_a_time() {
    let Some(argo) = argo() else { return };
    let git = settings::repository(argo);
    settings::with_value(argo, "argo-ten", "home/lamp", "one");
    // One after the other, or all at once: they all get there.
    for concurrency in ["1", "10"] {
        let plugin = argo.plugin(
            &format!("ten-{concurrency}"),
            &["--concurrency", concurrency],
        );
        let call = Call::new(argo, &git, "app")
            .by(&plugin)
            .settings(&["argo-ten/one"]);
        for outcome in call.many(10, 10) {
            assert_eq!(outcome.manifests(), shown("one"));
        }
    }
}

#[test]
#[ignore = "needs Argo CD: tools/cluster-tier runs it"]
fn who_finds_no_permit_in_time_is_told() {
    let Some(argo) = argo() else { return };
    let git = settings::repository(argo);
    settings::with_value(argo, "argo-permits", "home/lamp", "one");
    let plugin = argo.plugin("permits", &["--concurrency", "1", "--timeout", "5"]);
    let call = Call::new(argo, &git, "app")
        .by(&plugin)
        .settings(&["argo-permits/one"]);
    assert_eq!(call.once().manifests(), shown("one"));
    // What a render of another project would hold.
    let lock = File::open(argo.path("permits-permits/render-0")).unwrap();
    lock.lock().unwrap();
    let told = "error: the time was over before other renders were done
hint: render again; if it happens often, give the sidecar more CPU, `--concurrency` or `--timeout`
";
    call.fails(&plugin.failure("lamp", told));
    drop(lock);
    assert_eq!(call.once().manifests(), shown("one"));
}

#[test]
#[ignore = "needs Argo CD: tools/cluster-tier runs it"]
fn programs_that_are_started_again() {
    let Some(argo) = argo() else { return };
    let git = settings::repository(argo);
    settings::with_value(argo, "argo-again", "home/lamp", "one");
    let mut server = argo.start_repo_server("again");
    let mut plugin = argo.plugin("again", &[]);
    let call = |server: &RepoServer, plugin: &Plugin| {
        let call = Call::new(argo, &git, "app")
            .by(plugin)
            .settings(&["argo-again/one"]);
        call.at(server)
    };
    assert_eq!(call(&server, &plugin).once().manifests(), shown("one"));
    argo.kill(server.id);
    assert_eq!(call(&server, &plugin).once().code, "Unavailable");
    argo.restart(&mut server);
    assert_eq!(call(&server, &plugin).once().manifests(), shown("one"));

    argo.kill(plugin.id);
    // What is in the cache does not need it.
    assert_eq!(
        call(&server, &plugin).cached().once().manifests(),
        shown("one")
    );
    let outcome = call(&server, &plugin).once();
    // Never what Kustomize would make of it without the plugin.
    assert!(
        outcome.error.contains("could not find cmp-server plugin"),
        "{}",
        outcome.error
    );
    argo.start_cmp_server(&mut plugin);
    let start = Instant::now();
    assert_eq!(call(&server, &plugin).once().manifests(), shown("one"));
    assert!(start.elapsed() < Duration::from_secs(30));
}
