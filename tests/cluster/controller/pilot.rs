//! The pilot of `manifests/pilot` with the Home Assistant example, as a whole: from what the operator writes to what runs.

mod place;

use std::time::{Duration, Instant};

use k8s_openapi::api::networking::v1::Ingress;
use serde_json::{Value, json};

use super::deploys::report;
use super::live::{is_synced, wait_since};
use place::{ENVIRONMENTS, Pilot};

/// What may pass between the change of a Secret and its deployment, with the other programs on the same machine.
const LIMIT: Duration = Duration::from_secs(30);

fn name_of(environment: &str) -> String {
    format!("home-assistant-{environment}")
}

#[test]
#[ignore = "needs Argo CD: tools/cluster-tier runs it"]
fn home_assistant_in_four_environments() {
    place::with(|pilot| {
        the_four_follow_their_branches(pilot);
        a_branch_is_live_within_seconds_twenty_times(pilot);
        for n in ["repo-server","cmp-server-argocd-infisical","application-controller"] { std::fs::write(format!("/tmp/dbg-{n}.log"), pilot.argo.words(n)).unwrap(); }
    });
}

/// The operator's objects come first, out of Applications that ask for nothing; the Secrets after Argo CD has given up.
fn the_four_follow_their_branches(pilot: &Pilot<'_>) {
    let start = Instant::now();
    let world = pilot.world;
    for (environment, _) in ENVIRONMENTS {
        let name = name_of(environment);
        for secret in ["home-assistant-config", "home-assistant-settings"] {
            world.wait_for(secret, || pilot.source(&name, secret).is_some());
        }
        let revision = format!("{name}-revision");
        world.wait_for(&revision, || pilot.source("argocd-infisical", &revision).is_some());
    }
    report("pilot, Applications applied to the operator's objects there", &[start.elapsed()]);
    pilot.wait_for_controller();
    report("pilot, Applications applied to the controller ready", &[start.elapsed()]);
    let staging = name_of("staging");
    wait_since(start, world, &staging, |it| {
        let refresh = json!({"metadata": {"annotations": {"argocd.argoproj.io/refresh": "normal"}}});
        world.change(&staging, "kubectl-annotate", refresh);
        let conditions = it["status"]["conditions"].to_string();
        conditions.contains("Manifest generation error (cached)")
    });
    let start = Instant::now();
    for (environment, _) in ENVIRONMENTS {
        pilot.configuration(environment, "");
        pilot.settings(environment, &format!("{environment}.lab.example.net"));
        pilot.branch(environment, "");
    }
    let mut times = Vec::new();
    for (environment, branch) in ENVIRONMENTS {
        let commit = if branch == "main" { &pilot.main } else { &pilot.dev };
        let name = name_of(environment);
        times.push(wait_since(start, world, &name, |it| is_synced(it, commit)));
        assert_eq!(world.revision(&name), branch);
        assert_eq!(host(pilot, environment), format!("{environment}.lab.example.net"));
    }
    report("pilot, Secrets written to all four Synced", &times);
}

/// The host of the Ingress as it runs.
fn host(pilot: &Pilot<'_>, environment: &str) -> String {
    let ingress = pilot.world.admin.get::<Ingress>(&name_of(environment), "home-assistant");
    let rules = ingress.unwrap().spec.unwrap().rules.unwrap();
    rules[0].host.clone().unwrap()
}

fn a_branch_is_live_within_seconds_twenty_times(pilot: &Pilot<'_>) {
    let service = pilot.git.work().join("base/service.yaml");
    let text = std::fs::read_to_string(service).unwrap();
    pilot.git.write("base/service.yaml", &text.replace("8123", "8124"));
    let login = pilot.git.commit_to("feature/login");
    let (mut there, mut back) = (Vec::new(), Vec::new());
    let dev = name_of("dev");
    for _ in 0..2 {
        for (branch, commit, times) in [
            ("feature/login", &login, &mut there),
            ("", &pilot.dev, &mut back),
        ] {
            let start = Instant::now();
            pilot.branch("dev", branch);
            times.push(wait_since(start, pilot.world, &dev, |it| is_synced(it, commit)));
        }
    }
    report("pilot, branch written to Synced", &there);
    report("pilot, branch emptied to Synced", &back);
    
    let all = || there.iter().chain(&back);
    assert!(all().all(|time| *time < LIMIT), "{there:?} {back:?}");
}
