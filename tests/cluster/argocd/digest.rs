//! The digest as a contract: what Argo CD keeps under a digest is what those settings make.

use std::thread;
use std::time::Duration;

use argocd_infisical::cluster::{Access, Cluster};
use argocd_infisical::settings::consent::Caller;
use argocd_infisical::settings::digest::{DigestKey, VARIABLE};
use argocd_infisical::settings::reading::Audience;
use serde_json::json;

use super::call::{Call, Outcome};
use super::git::Git;
use super::server::{Argo, DIGEST_KEY, argo};
use super::settings::{self, shown};
use crate::kubeconfig::User;

/// What the controller writes for `lamp` of project `home` at a time.
fn digest(argo: &Argo, object: &str, seconds: u64) -> String {
    let access = Access::Kubeconfig {
        file: Some(argo.cluster.kubeconfig(User::SIDECAR)),
        context: None,
    };
    let fail = |failure: argocd_infisical::failure::Failure| -> ! { panic!("{failure}") };
    let cluster = Cluster::new(&access).unwrap_or_else(|failure| fail(failure));
    let reference = object.parse().unwrap();
    let reading = cluster.read(&[reference], Audience::Author, Duration::from_secs(10));
    let reading = reading.unwrap_or_else(|failure| fail(failure));
    let key = DigestKey::new(&DIGEST_KEY).unwrap_or_else(|problem| panic!("{problem}"));
    let caller: Caller = "home/lamp".parse().unwrap();
    reading.digest(&key, &caller).at(seconds)
}

fn call<'a>(argo: &'a Argo, git: &Git, object: &str, digest: &str) -> Call<'a> {
    let call = Call::new(argo, git, "app")
        .by(argo.usual())
        .settings(&[object]);
    call.env(VARIABLE, digest).cached()
}

const STALE: &str = "error: the settings are not those that SETTINGS_DIGEST speaks of
hint: the controller writes a new digest within seconds; if this stays, see whether it runs, and whether it and the sidecar have \
                     the same key
";

#[test]
#[ignore = "needs Argo CD: tools/cluster-tier runs it"]
fn settings_that_it_speaks_of() {
    let Some(argo) = argo() else { return };
    settings::with_value(argo, "digest-same", "home/lamp", "one");
    let git = settings::repository(argo);
    let written = digest(argo, "digest-same/one", 1);
    let outcome = call(argo, &git, "digest-same/one", &written).once();
    assert_eq!(outcome.manifests(), shown("one"));
}

#[test]
#[ignore = "needs Argo CD: tools/cluster-tier runs it"]
fn other_settings_are_waited_for_and_refused() {
    let Some(argo) = argo() else { return };
    let namespace = settings::with_value(argo, "digest-other", "home/lamp", "one");
    let git = settings::repository(argo);
    let before = digest(argo, "digest-other/one", 1);
    namespace.change_config_map("one", &json!({"data": {"A": "two"}}));
    let stale = argo.usual().failure("lamp", STALE);
    for written in [
        before.as_str(),
        "v1",
        "v1.x.1",
        "v2",
        &before.to_uppercase(),
    ] {
        let outcome = call(argo, &git, "digest-other/one", written).once();
        assert_eq!(outcome.error, stale, "{written}");
        let time = outcome.time();
        assert!(
            time > Duration::from_millis(4_500) && time < Duration::from_secs(30),
            "{time:?}"
        );
    }
}

#[test]
#[ignore = "needs Argo CD: tools/cluster-tier runs it"]
fn settings_that_arrive_in_time() {
    let Some(argo) = argo() else { return };
    let namespace = settings::with_value(argo, "digest-late", "home/lamp", "two");
    let git = settings::repository(argo);
    let change = |value: &str| namespace.change_config_map("one", &json!({"data": {"A": value}}));
    let second = digest(argo, "digest-late/one", 1);
    change("one");
    let before = argo
        .cluster
        .audit()
        .requests(User::SIDECAR, "digest-late")
        .len();
    let outcome = thread::scope(|scope| {
        let caller = scope.spawn(|| call(argo, &git, "digest-late/one", &second).once());
        // Until it has read the object once: no change, no wait.
        argo.cluster
            .audit()
            .wait_for_requests(User::SIDECAR, "digest-late", before + 1);
        change("two");
        caller.join().unwrap()
    });
    assert_eq!(outcome.manifests(), shown("two"));
}

/// From A to B and back, with what Argo CD's cache has kept in between.
#[test]
#[ignore = "needs Argo CD: tools/cluster-tier runs it"]
fn there_and_back_again() {
    let Some(argo) = argo() else { return };
    let namespace = settings::with_value(argo, "digest-back", "home/lamp", "one");
    let git = settings::repository(argo);
    let change = |value: &str| namespace.change_config_map("one", &json!({"data": {"A": value}}));
    let render = |written: &str| -> Outcome { call(argo, &git, "digest-back/one", written).once() };

    let first = digest(argo, "digest-back/one", 1);
    assert_eq!(render(&first).manifests(), shown("one"));
    change("two");
    // Kept: the controller has not told of the change yet.
    assert_eq!(render(&first).manifests(), shown("one"));
    let second = digest(argo, "digest-back/one", 2);
    assert_eq!(render(&second).manifests(), shown("two"));
    // The change back comes before the digest of it, and the other way round.
    change("one");
    let third = digest(argo, "digest-back/one", 3);
    assert_eq!(first.replace(".1", ".3"), third);
    change("two");
    assert_eq!(render(&third).error, argo.usual().failure("lamp", STALE));
    change("one");
    assert_eq!(render(&third).manifests(), shown("one"));
    // All three are kept, each with what it speaks of, whatever the settings are.
    change("three");
    for (written, value) in [(&first, "one"), (&second, "two"), (&third, "one")] {
        assert_eq!(render(written).manifests(), shown(value));
    }
}

#[test]
#[ignore = "needs Argo CD: tools/cluster-tier runs it"]
fn another_key() {
    let Some(argo) = argo() else { return };
    settings::with_value(argo, "digest-key", "home/lamp", "one");
    let git = settings::repository(argo);
    let written = digest(argo, "digest-key/one", 1);
    let other = argo.path("other.key");
    std::fs::write(&other, [8; 32]).unwrap();
    let plugin = argo.plugin("other-key", &["--digest-key", other.to_str().unwrap()]);
    let call = |plugin| {
        Call::new(argo, &git, "app")
            .by(plugin)
            .settings(&["digest-key/one"])
    };
    call(&plugin)
        .env(VARIABLE, &written)
        .fails(&plugin.failure("lamp", STALE));
    // Without a digest there is nothing to hold it against.
    assert_eq!(call(&plugin).once().manifests(), shown("one"));
}

/// After three failures Argo CD asks no more, for an hour: a new digest ends that.
#[test]
#[ignore = "needs Argo CD: tools/cluster-tier runs it"]
fn a_new_digest_ends_the_pause_after_failures() {
    let Some(argo) = argo() else { return };
    let namespace = settings::with_value(argo, "digest-pause", "home/lamp", "");
    let git = settings::repository(argo);
    let render = |written: &str| call(argo, &git, "digest-pause/one", written).once();
    let missing = digest(argo, "digest-pause/one", 1);
    for _ in 0..3 {
        let outcome = render(&missing);
        assert!(
            outcome
                .error
                .contains("error: a required setting has no value"),
            "{outcome:?}"
        );
    }
    namespace.change_config_map("one", &json!({"data": {"A": "one"}}));
    let pause = "Manifest generation error (cached): ";
    let outcome = render(&missing);
    assert!(outcome.error.contains(pause), "{outcome:?}");
    let there = digest(argo, "digest-pause/one", 2);
    assert_eq!(render(&there).manifests(), shown("one"));
}
