//! What the controller writes is deployed by Argo CD as it comes, in time.

use std::io::Write as _;
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::ConfigMap;
use serde_json::{Value, json};

use super::live::{Branches, Live, is_synced, live, shows, wait_since};
use super::objects::Written;
use crate::argocd::git::Git;
use crate::argocd::settings;

/// What may pass between the change of a Secret and its deployment, with the other programs on the same machine.
const LIMIT: Duration = Duration::from_secs(30);

/// Shows a figure where tests are run with `--nocapture`, and in the log of a failure.
pub(super) fn report(what: &str, times: &[Duration]) {
    let mut times = times.to_vec();
    times.sort();
    let seconds = |time: Option<&Duration>| time.map_or(0.0, Duration::as_secs_f64);
    let (first, middle) = (times.first(), times.get(times.len() / 2));
    let line = format!(
        "FIGURE {what}: n={} min={:.2} s median={:.2} s max={:.2} s\n",
        times.len(),
        seconds(first),
        seconds(middle),
        seconds(times.last()),
    );
    // Not the macro, whose output is kept back.
    std::io::stderr().write_all(line.as_bytes()).unwrap();
}

fn revision_of(name: &str) -> Written {
    Written::of_application(name, "dev", name)
}

/// The whole way of a revision, with Argo CD's settings as they come: default, override, another one, and release.
#[test]
#[ignore = "needs Argo CD: tools/cluster-tier runs it"]
fn a_revision_is_deployed_within_seconds_twenty_times() {
    let Some(live) = live() else { return };
    let Live { argo, world, .. } = live;
    let branches = Branches::new(argo);
    let names = ["loop-one", "loop-two"];
    for name in names {
        live.create(name, &branches.git, |lamp| {
            lamp["spec"]["source"]["targetRevision"] = json!("main");
        });
        // The default comes by itself.
        let start = Instant::now();
        wait_since(start, world, name, |lamp| {
            is_synced(lamp, branches.commit("dev"))
        });
    }
    let mut times = Vec::new();
    for _ in 0..5 {
        for name in names {
            for branch in ["feature/login", ""] {
                let start = Instant::now();
                world.put(&revision_of(name).revision(branch));
                let branch = if branch.is_empty() { "dev" } else { branch };
                let commit = branches.commit(branch);
                times.push(wait_since(start, world, name, |lamp| {
                    is_synced(lamp, commit)
                }));
                let one: ConfigMap = world.admin.get(name, "one").unwrap();
                assert_eq!(one.data.unwrap()["branch"], branch);
            }
        }
    }
    report("revision, Secret written to Synced", &times);
    assert_eq!(times.len(), 20);
    let patches = ["patches_total", "revision", "done"];
    let patches = live.controller.metric(&patches).unwrap();
    assert!(patches >= 20.0, "{patches}");
    assert!(times.iter().all(|time| *time < LIMIT), "{times:?}");
}

/// A repository whose object shows the setting `A`, in a label as well, which takes not every text.
pub(super) fn with_label(argo: &crate::argocd::server::Argo) -> Git<'_> {
    let files = settings::FILES.map(|(name, text)| (format!("app/{name}"), text.to_owned()));
    let files: Vec<(&str, String)> = files
        .iter()
        .map(|(name, text)| {
            let labelled = "  name: one\n  labels:\n    a: ${{ settings.A }}\n";
            (name.as_str(), text.replace("  name: one\n", labelled))
        })
        .collect();
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(name, text)| (*name, text.as_str()))
        .collect();
    let git = Git::new(argo, &files);
    git.commit_to("dev");
    git
}

/// Whether the object in the cluster shows a value, by a full sync that has ended well.
pub(super) fn is_deployed(live: &Live, name: &str, value: &str, lamp: &Value) -> bool {
    let status = &lamp["status"];
    let one = live.world.admin.get::<ConfigMap>(name, "one").ok();
    let data = one.and_then(|one| one.data).unwrap_or_default();
    status["sync"]["status"] == "Synced"
        && status["operationState"]["phase"] == "Succeeded"
        && data.get("a").is_some_and(|shown| shown == value)
}

fn history(lamp: &Value) -> usize {
    lamp["status"]["history"].as_array().map_or(0, Vec::len)
}

fn settings_of(name: &str, value: &str) -> Written {
    let object = Written::settings(name, &format!("default/{name}")).config_map();
    object.with("A", value)
}

pub(super) fn put_settings(live: &Live, name: &str, value: &str) -> Instant {
    let start = Instant::now();
    settings_of(name, value).put(&live.world.admin, Live::SETTINGS);
    start
}

/// An Application with a setting whose value is `one`, which is deployed.
#[track_caller]
fn with_setting(live: &Live, git: &Git, name: &str, policy: &Value) {
    put_settings(live, name, "one");
    live.create(name, git, |lamp| {
        let object = format!("{}/{name}", Live::SETTINGS);
        lamp["spec"]["source"]["plugin"] = live.with_settings(&[&object]);
        lamp["spec"]["syncPolicy"] = policy.clone();
    });
    wait_since(Instant::now(), live.world, name, |lamp| {
        is_deployed(live, name, "one", lamp)
    });
}

#[test]
#[ignore = "needs Argo CD: tools/cluster-tier runs it"]
fn a_setting_is_deployed_by_a_full_sync_with_and_without_self_heal() {
    let Some(live) = live() else { return };
    let git = with_label(live.argo);
    for (name, policy) in [
        ("setting-heals", json!({"automated": {"selfHeal": true}})),
        ("setting-plain", json!({"automated": {}})),
    ] {
        with_setting(live, &git, name, &policy);
        let mut times = Vec::new();
        for value in ["two", "three", "four"] {
            let before = history(&live.world.application(name));
            let start = put_settings(live, name, value);
            times.push(wait_since(start, live.world, name, |lamp| {
                is_deployed(live, name, value, lamp) && history(lamp) > before
            }));
        }
        report(name, &times);
        assert!(times.iter().all(|time| *time < LIMIT), "{times:?}");
    }
}

#[test]
#[ignore = "needs Argo CD: tools/cluster-tier runs it"]
fn a_setting_is_deployed_after_a_sync_that_failed() {
    let Some(live) = live() else { return };
    let git = with_label(live.argo);
    let mut times = Vec::new();
    for (name, heals) in [("failed-heals", true), ("failed-plain", false)] {
        let policy = json!({"automated": {"selfHeal": heals}, "retry": {"limit": 0}});
        with_setting(live, &git, name, &policy);
        // No label can have this value.
        put_settings(live, name, "no label");
        wait_since(Instant::now(), live.world, name, |lamp| {
            let phase = &lamp["status"]["operationState"]["phase"];
            phase == "Failed" || phase == "Error"
        });
        let start = put_settings(live, name, "three");
        times.push(wait_since(start, live.world, name, |lamp| {
            is_deployed(live, name, "three", lamp)
        }));
    }
    report("setting after a failed sync", &times);
    assert!(times.iter().all(|time| *time < LIMIT), "{times:?}");
}

/// The object appears only after so many failed renders that Argo CD tries no more, for an hour.
#[test]
#[ignore = "needs Argo CD: tools/cluster-tier runs it"]
fn an_object_that_appears_late_is_deployed() {
    let Some(live) = live() else { return };
    let git = with_label(live.argo);
    let name = "setting-late";
    live.create(name, &git, |lamp| {
        let object = format!("{}/{name}", Live::SETTINGS);
        lamp["spec"]["source"]["plugin"] = live.with_settings(&[&object]);
    });
    let is_paused = |lamp: &Value| {
        lamp["status"]["conditions"]
            .to_string()
            .contains("Manifest generation error (cached)")
    };
    let start = Instant::now();
    wait_since(start, live.world, name, |lamp| {
        let refresh =
            json!({"metadata": {"annotations": {"argocd.argoproj.io/refresh": "normal"}}});
        live.world.change(name, "kubectl-annotate", refresh);
        is_paused(lamp)
    });
    let start = put_settings(live, name, "one");
    let time = wait_since(start, live.world, name, |lamp| {
        is_deployed(live, name, "one", lamp)
    });
    report("setting that appears after three failed renders", &[time]);
    assert!(time < LIMIT, "{time:?}");
}

/// Argo CD tries a sync that fails five times by itself, for minutes, and starts nothing else meanwhile.
#[test]
#[ignore = "needs Argo CD: tools/cluster-tier runs it"]
fn a_switch_while_a_failed_sync_is_tried_again() {
    let Some(live) = live() else { return };
    let mut branches = Branches::new(live.argo);
    let broken = shows("broken").replace("  name: one\n", "  name: one\n  labels: {a: no label}\n");
    branches.write("broken", &[("app/one.yaml", &broken)]);
    let mut times = Vec::new();
    for name in ["retry-one", "retry-two"] {
        live.create(name, &branches.git, |_| {});
        wait_since(Instant::now(), live.world, name, |lamp| {
            is_synced(lamp, branches.commit("dev"))
        });
        live.world.put(&revision_of(name).revision("broken"));
        wait_since(Instant::now(), live.world, name, |lamp| {
            let state = &lamp["status"]["operationState"];
            state["phase"] == "Running" && state["finishedAt"].is_string()
        });
        let start = Instant::now();
        live.world.put(&revision_of(name).revision("feature/login"));
        let commit = branches.commit("feature/login");
        times.push(wait_since(start, live.world, name, |lamp| {
            is_synced(lamp, commit)
        }));
    }
    report("switch during a retry loop", &times);
    assert!(times.iter().all(|time| *time < LIMIT), "{times:?}");
}

/// A branch that is not there leaves what is deployed alone; the next override is followed as ever.
#[test]
#[ignore = "needs Argo CD: tools/cluster-tier runs it"]
fn a_branch_that_is_not_there_changes_nothing_in_the_cluster() {
    let Some(live) = live() else { return };
    let branches = Branches::new(live.argo);
    let name = "no-branch";
    live.create(name, &branches.git, |_| {});
    wait_since(Instant::now(), live.world, name, |lamp| {
        is_synced(lamp, branches.commit("dev"))
    });
    live.world.put(&revision_of(name).revision("nope"));
    wait_since(Instant::now(), live.world, name, |lamp| {
        lamp["status"]["conditions"]
            .to_string()
            .contains("unable to resolve")
    });
    let one: ConfigMap = live.world.admin.get(name, "one").unwrap();
    assert_eq!(one.data.unwrap()["branch"], "dev");
    let start = Instant::now();
    live.world.put(&revision_of(name).revision("feature/login"));
    let commit = branches.commit("feature/login");
    let time = wait_since(start, live.world, name, |lamp| is_synced(lamp, commit));
    assert!(time < LIMIT, "{time:?}");
}
