//! The pilot of `manifests/pilot` with the Home Assistant example, as a whole: from what the operator writes to what runs.

mod configuration;
mod place;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::networking::v1::Ingress;
use serde_json::{Value, json};

use super::deploys::report;
use super::live::{is_synced, wait_since};
use super::objects::Written;
use crate::kubeconfig::User;
use crate::workspace::run_in;
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
        nothing_is_wrong(pilot);
        a_branch_is_live_within_seconds_twenty_times(pilot);
        a_setting_is_live_by_a_full_sync(pilot);
        configuration::is_live_without_argo_cd(pilot);
        what_cannot_be_leaves_all_as_it_is(pilot);
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
        world.wait_for(&revision, || {
            pilot.source("argocd-infisical", &revision).is_some()
        });
    }
    report(
        "pilot, Applications applied to the operator's objects there",
        &[start.elapsed()],
    );
    pilot.wait_for_controller();
    report(
        "pilot, Applications applied to the controller ready",
        &[start.elapsed()],
    );
    let staging = name_of("staging");
    wait_since(start, world, &staging, |it| {
        let refresh =
            json!({"metadata": {"annotations": {"argocd.argoproj.io/refresh": "normal"}}});
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
        let commit = if branch == "main" {
            &pilot.main
        } else {
            &pilot.dev
        };
        let name = name_of(environment);
        times.push(wait_since(start, world, &name, |it| is_synced(it, commit)));
        assert_eq!(world.revision(&name), branch);
        assert_eq!(
            host(pilot, environment),
            format!("{environment}.lab.example.net")
        );
    }
    report("pilot, Secrets written to all four Synced", &times);
}

/// The host of the Ingress as it runs.
fn host(pilot: &Pilot<'_>, environment: &str) -> String {
    let ingress = pilot
        .world
        .admin
        .get::<Ingress>(&name_of(environment), "home-assistant");
    let rules = ingress.unwrap().spec.unwrap().rules.unwrap();
    rules[0].host.clone().unwrap()
}

fn a_branch_is_live_within_seconds_twenty_times(pilot: &Pilot<'_>) {
    let service = pilot.git.work().join("base/service.yaml");
    let text = fs::read_to_string(service).unwrap();
    pilot
        .git
        .write("base/service.yaml", &text.replace("8123", "8124"));
    let login = pilot.git.commit_to("feature/login");
    let (mut there, mut back) = (Vec::new(), Vec::new());
    // An Application's branch changes twenty times within ten minutes at most.
    for environment in ["dev", "test"] {
        let name = name_of(environment);
        for _ in 0..10 {
            for (branch, commit, times) in [
                ("feature/login", &login, &mut there),
                ("", &pilot.dev, &mut back),
            ] {
                let start = Instant::now();
                pilot.branch(environment, branch);
                let is_there = |it: &Value| is_synced(it, commit);
                times.push(wait_since(start, pilot.world, &name, is_there));
            }
        }
    }
    report("pilot, branch written to Synced", &there);
    report("pilot, branch emptied to Synced", &back);
    assert_eq!((there.len(), back.len()), (20, 20));
    let all = || there.iter().chain(&back);
    assert!(all().all(|time| *time < LIMIT), "{there:?} {back:?}");
}

/// How often Argo CD has had an environment rendered.
fn renders(pilot: &Pilot<'_>, environment: &str) -> usize {
    let log = pilot.argo.words("cmp-server-argocd-infisical");
    log.matches(&format!("/overlays/{environment} execID="))
        .count()
}

/// How often it has had the others rendered.
fn renders_of_others(pilot: &Pilot<'_>, environment: &str) -> Vec<usize> {
    let others = ENVIRONMENTS
        .iter()
        .filter(|(other, _)| *other != environment);
    others.map(|(other, _)| renders(pilot, other)).collect()
}

/// The last sync of the history, which has no syncs of single objects.
fn last(application: &Value) -> u64 {
    let history = application["status"]["history"].as_array();
    let entry = history.and_then(|history| history.last());
    entry.map_or(0, |entry| entry["id"].as_u64().unwrap())
}

/// Writes a host into the settings of an environment, and returns how long it took until a full sync has brought it there that
/// the history has.
#[track_caller]
fn set_host(pilot: &Pilot<'_>, environment: &str, value: &str) -> Duration {
    let name = name_of(environment);
    let before = last(&pilot.world.application(&name));
    let start = Instant::now();
    pilot.settings(environment, value);
    wait_since(start, pilot.world, &name, |it| {
        let state = &it["status"]["operationState"];
        it["status"]["sync"]["status"] == "Synced"
            && state["phase"] == "Succeeded"
            && last(it) > before
            && host(pilot, environment) == value
    })
}

fn a_setting_is_live_by_a_full_sync(pilot: &Pilot<'_>) {
    let (world, name) = (pilot.world, name_of("test"));
    let others = renders_of_others(pilot, "test");
    for heals in [true, false] {
        let change = json!({"spec": {"syncPolicy": {"automated": {"selfHeal": heals}}}});
        world.change(&name, "kubectl-edit", change);
        let value = |number| format!("{heals}-{number}.lab.example.net");
        let times = [1, 2, 3].map(|number| set_host(pilot, "test", &value(number)));
        report(
            &format!("pilot, setting written to full sync, selfHeal {heals}"),
            &times,
        );
        assert!(times.iter().all(|time| *time < LIMIT), "{times:?}");
        // No host is called so: the API server refuses it.
        pilot.settings("test", "no host");
        wait_since(Instant::now(), world, &name, |it| {
            let state = &it["status"]["operationState"];
            let has_ended = state["finishedAt"].is_string();
            state["phase"] != "Succeeded" && has_ended
        });
        let time = set_host(pilot, "test", &value(4));
        report(
            &format!("pilot, setting mended after a failed sync, selfHeal {heals}"),
            &[time],
        );
        assert!(time < LIMIT, "{time:?}");
    }
    assert_eq!(renders_of_others(pilot, "test"), others);
}

/// The Deployment as it runs.
fn deployment(pilot: &Pilot<'_>, environment: &str) -> Value {
    let deployment = pilot
        .world
        .admin
        .get::<Deployment>(&name_of(environment), "home-assistant");
    serde_json::to_value(deployment.unwrap()).unwrap()
}

/// No word of `doctor`'s but on what takes a kubelet, and none of `revisions`'.
fn nothing_is_wrong(pilot: &Pilot<'_>) {
    let said = doctor(pilot);
    let codes: Vec<&str> = said.lines().filter(|line| line.ends_with(']')).collect();
    let unready = [
        "Deployment argocd/argocd-repo-server [sidecar-not-ready]",
        "Deployment argocd-infisical/controller [controller-not-ready]",
    ];
    assert_eq!(codes, unready, "{said}");
    let said = revisions(pilot);
    let same = |line: &str| line.starts_with("argocd/home-assistant-") && line.ends_with("same");
    assert!(said.lines().skip(1).all(same), "{said}");
    assert_eq!(said.lines().count(), 1 + ENVIRONMENTS.len());
    // By the usual policy nobody looks at the settings, and it says whose policy that is.
    let kubeconfig = pilot.installation.kubeconfig_of(User::ADMIN);
    let arguments = [
        "revisions",
        "--from-cluster",
        "--kubeconfig",
        kubeconfig.to_str().unwrap(),
    ];
    let usual = run_in(Path::new("."), &arguments);
    assert_eq!(
        usual.stderr,
        "warning: this is decided by the usual policy, which watches no namespace of settings\nhint: name the policy that the controller has: `--policy FILE`\n"
    );
}

fn doctor(pilot: &Pilot<'_>) -> String {
    let kubeconfig = pilot.installation.kubeconfig_of(User::ADMIN);
    let run = run_in(
        Path::new("."),
        &["doctor", "--kubeconfig", kubeconfig.to_str().unwrap()],
    );
    assert_eq!(run.stderr, "");
    run.stdout
}

fn revisions(pilot: &Pilot<'_>) -> String {
    let run = pilot.world.command(&["revisions", "--from-cluster"]);
    assert_eq!(run.stderr, "");
    run.stdout
}

/// Both say what is the matter and what to do.
#[track_caller]
fn say(pilot: &Pilot<'_>, message: &str, hint: &str, cured: &str) {
    let said = revisions(pilot);
    let expected = format!("\nargocd/home-assistant-staging: {message}\n  hint: {hint}\n");
    assert!(said.contains(&expected), "{said}");
    let said = doctor(pilot);
    let expected = format!("\n  {message}\n    # {cured}\n");
    assert!(said.contains(&expected), "{said}");
}

fn what_cannot_be_leaves_all_as_it_is(pilot: &Pilot<'_>) {
    let (world, name) = (pilot.world, name_of("staging"));
    let before = deployment(pilot, "staging");
    let wait_for = |words: &str| {
        wait_since(Instant::now(), world, &name, |it| {
            it["status"]["conditions"].to_string().contains(words)
        });
    };
    pilot.branch("staging", "feature/nope");
    wait_for("unable to resolve");
    say(
        pilot,
        "its repository does not have the branch, tag or commit that it asks for",
        "push it, or ask for another revision, or for none; what runs stays as it is until then",
        "push it, or set another revision: argocd-infisical revisions",
    );

    let overlay = pilot.git.work().join("overlays/staging");
    let aside = pilot.git.work().join("overlays/aside");
    fs::rename(&overlay, &aside).unwrap();
    pilot.git.commit_to("feature/elsewhere");
    fs::rename(&aside, &overlay).unwrap();
    pilot.branch("staging", "feature/elsewhere");
    wait_for("app path does not exist");
    say(
        pilot,
        "its revision does not have the directory that it asks for",
        "push the directory, or ask for another revision, or for none; what runs stays as it is until then",
        "push the directory, or set another revision; then",
    );

    let other = Written::of_application("other", "staging", &name);
    world.put(&other.clone().revision("feature/login"));
    world.wait_for_event(&name, "Conflict");
    let message = "Secret argocd-infisical/home-assistant-staging-revision and Secret argocd-infisical/other ask for different revisions: key `ARGOCD_TARGET_REVISION`";
    let hint = "let them agree, or remove the key from one of them; nothing moves until then";
    say(pilot, message, hint, hint);
    assert_eq!(world.revision(&name), "feature/elsewhere");
    other.delete(&world.admin, &world.own);

    what_the_project_denies(pilot);

    let after = deployment(pilot, "staging");
    for field in ["/metadata/uid", "/metadata/generation"] {
        assert_eq!(after.pointer(field), before.pointer(field), "{field}");
    }
    // Without a sync, which has nothing to do.
    pilot.branch("staging", "");
    wait_since(Instant::now(), world, &name, |it| {
        let sync = &it["status"]["sync"];
        sync["status"] == "Synced" && sync["revision"] == pilot.dev
    });
    nothing_is_wrong(pilot);
}

/// Whoever may push to the repository does not get the operator to write.
fn what_the_project_denies(pilot: &Pilot<'_>) {
    let object = "apiVersion: secrets.infisical.com/v1beta1\nkind: InfisicalStaticSecret\nmetadata: {name: stray}\nspec:\n  \
                  infisicalAuthRef: {name: infisical, namespace: home-assistant-staging}\n  syncOptions: {refreshInterval: 30s}\n  \
                  sources: []\n  targets: []\n";
    pilot.git.write("base/stray.yaml", object);
    let base = pilot.git.work().join("base/kustomization.yaml");
    let text = fs::read_to_string(base).unwrap();
    let strayed = text.replace("  - service.yaml\n", "  - service.yaml\n  - stray.yaml\n");
    pilot.git.write("base/kustomization.yaml", &strayed);
    pilot.git.commit_to("stray");
    pilot.branch("staging", "stray");
    wait_since(Instant::now(), pilot.world, &name_of("staging"), |it| {
        it["status"]
            .to_string()
            .contains("InfisicalStaticSecret is not permitted in project home")
    });
}
