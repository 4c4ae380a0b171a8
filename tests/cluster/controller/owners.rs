//! Applications that somebody else creates: what would be put back is not written, and it is said what to add.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::deploys;
use super::live::{Branches, Live, is_synced, live, wait_since};
use super::objects::Written;
use super::world::{World, application};
use crate::access::Kind;
use crate::audit::Write;
use crate::kubeconfig::User;
use crate::namespace::Namespace;
use crate::workspace::run_in;

/// How long what was written has to stay. Argo CD puts back what it would within three seconds, and an `ApplicationSet` within
/// one.
const WHILE: Duration = Duration::from_secs(8);

/// The manifest of an Application in a repository.
fn manifest(live: &Live, name: &str, branches: &Branches<'_>) -> Value {
    let mut child = application(name, "dev", "main");
    child["apiVersion"] = json!("argoproj.io/v1alpha1");
    child["kind"] = json!("Application");
    child["metadata"]["namespace"] = json!(live.world.argocd);
    child["spec"]["source"]["repoURL"] = json!(branches.git.url());
    let namespace = Namespace::new(live.argo.cluster, name);
    child["spec"]["destination"]["namespace"] = json!(namespace.name);
    child
}

/// An app of apps that has one Application, with a spec of its own.
fn app_of_apps(
    live: &Live,
    name: &str,
    branches: &mut Branches<'_>,
    spec: &Value,
    change: impl Fn(&mut Value),
) {
    let child = format!("{name}-child");
    let mut manifest = manifest(live, &child, branches);
    change(&mut manifest);
    let path = format!("apps/{name}");
    let kustomization = "resources: [child.yaml]\n";
    branches.write(
        "main",
        &[
            (&format!("{path}/kustomization.yaml"), kustomization),
            (&format!("{path}/child.yaml"), &manifest.to_string()),
        ],
    );
    let mut parent = application(name, "dev", "main");
    // It is none of those that move.
    parent["metadata"]["labels"] = json!({});
    parent["spec"]["source"]["repoURL"] = json!(branches.git.url());
    parent["spec"]["source"]["path"] = json!(path);
    parent["spec"]["destination"]["namespace"] = json!(live.world.argocd);
    parent["spec"]["syncPolicy"] = json!({"automated": {"selfHeal": true}});
    for (field, value) in spec.as_object().unwrap() {
        if field == "syncOptions" {
            parent["spec"]["syncPolicy"][field] = value.clone();
        } else {
            parent["spec"][field] = value.clone();
        }
    }
    live.world.create(parent);
    live.world.wait_for("the child", || {
        let application = live
            .world
            .admin
            .get_of(Kind::APPLICATION, &live.world.argocd, &child);
        application.is_ok()
    });
}

/// The Application has what was written, and keeps it, whatever its owner does.
#[track_caller]
fn stays(live: &Live, name: &str, history: &[&str]) {
    let observer = live.world.observe();
    thread::sleep(WHILE);
    let seen: Vec<_> = observer.history(name).concat();
    let last = history.last().copied().unwrap_or_default();
    assert!(seen.iter().all(|revision| revision == last), "{seen:?}");
    assert_eq!(live.world.revision(name), last);
}

#[test]
#[ignore = "needs Argo CD: tools/cluster-tier runs it"]
fn an_app_of_apps_without_rules_is_not_fought() {
    let Some(live) = live() else { return };
    let mut branches = Branches::new(live.argo);
    app_of_apps(live, "owner-plain", &mut branches, &json!({}), |_| {});
    let child = "owner-plain-child";
    let event = live.world.wait_for_event(child, "OwnedByApplication");
    for line in [
        "ignoreDifferences:",
        "RespectIgnoreDifferences=true",
        "argocd-infisical",
    ] {
        assert!(event.contains(line), "{event}");
    }
    stays(live, child, &["main"]);
    assert!(live.world.moves_of(child).is_empty());
    both_say(
        live,
        child,
        &["ignoreDifferences:", "RespectIgnoreDifferences=true"],
    );
}

/// `revisions` and `doctor` say of an Application what to add to its owner.
#[track_caller]
fn both_say(live: &Live, name: &str, lines: &[&str]) {
    let run = live.world.command(&["revisions", "--from-cluster"]);
    let row = format!("{}/{name} ", live.world.argocd);
    let mut rows = run.stdout.lines();
    let row = rows.find(|line| line.starts_with(&row)).unwrap();
    assert!(row.ends_with(" contested"), "{row}");
    let kubeconfig = live.argo.cluster.kubeconfig(User::ADMIN);
    let mut doctor = vec!["doctor", "--kubeconfig", kubeconfig.to_str().unwrap()];
    doctor.extend(["--argocd-namespace", &live.world.argocd]);
    doctor.extend(["--controller-namespace", &live.world.own]);
    let doctor = run_in(Path::new("."), &doctor).stdout;
    let what = format!(
        "Application {}/{name} [ignore-rules-missing]\n",
        live.world.argocd
    );
    let (_, finding) = doctor.split_once(&what).unwrap();
    let (finding, _) = finding.split_once("\n\n").unwrap();
    // Of several with the same reason the first ones are named: the block is told by what is to be added.
    let block = |block: &&str| lines.iter().all(|line| block.contains(line));
    assert!(
        run.stdout.split("\n\n").any(|it| block(&it)),
        "{}",
        run.stdout
    );
    assert!(block(&finding), "{finding}");
}

#[test]
#[ignore = "needs Argo CD: tools/cluster-tier runs it"]
fn an_app_of_apps_with_rules_leaves_the_revision_alone() {
    let Some(live) = live() else { return };
    let mut branches = Branches::new(live.argo);
    let rules = |fields: Value| {
        let mut rule = json!({"group": "argoproj.io", "kind": "Application"});
        rule.as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        json!({"ignoreDifferences": [rule], "syncOptions": ["RespectIgnoreDifferences=true"]})
    };
    let by_manager = rules(json!({"managedFieldsManagers": ["argocd-infisical"]}));
    let by_pointer = rules(json!({"jsonPointers": ["/spec/source/targetRevision"]}));
    app_of_apps(live, "owner-manager", &mut branches, &by_manager, |_| {});
    app_of_apps(live, "owner-pointer", &mut branches, &by_pointer, |_| {});
    // Git says nothing of the revision: nobody puts anything back.
    app_of_apps(live, "owner-silent", &mut branches, &json!({}), |child| {
        child["spec"]["source"]
            .as_object_mut()
            .unwrap()
            .remove("targetRevision");
    });
    let names = ["owner-manager", "owner-pointer", "owner-silent"];
    for name in names {
        live.world
            .wait_for_revision(&format!("{name}-child"), "dev");
    }
    let observer = live.world.observe();
    thread::sleep(WHILE);
    // A full sync of the parent leaves it alone, too.
    for name in names {
        // With the options of its policy, as `argocd app sync` has them.
        let options = &live.world.application(name)["spec"]["syncPolicy"]["syncOptions"];
        let sync = json!({"revision": branches.commit("main"), "syncOptions": options});
        let operation = json!({"operation": {"sync": sync}});
        live.world.change(name, "kubectl-patch", operation);
        let start = Instant::now();
        wait_since(start, live.world, name, |parent| {
            parent["operation"].is_null()
        });
    }
    thread::sleep(WHILE);
    for name in names {
        let child = format!("{name}-child");
        let seen = observer.history(&child).concat();
        assert!(
            seen.iter().all(|revision| revision == "dev"),
            "{child}: {seen:?}"
        );
        assert_eq!(live.world.moves_of(&child).len(), 1);
        let start = Instant::now();
        wait_since(start, live.world, &child, |child| {
            is_synced(child, branches.commit("dev"))
        });
    }
}

fn application_set(live: &Live, name: &str, branches: &Branches<'_>, rules: &Value) {
    let child = manifest(live, &format!("{name}-child"), branches);
    generate(live, name, child, rules);
}

/// An `ApplicationSet` that makes one Application, which it leaves alone as far as rules say so.
fn generate(live: &Live, name: &str, mut template: Value, rules: &Value) {
    template
        .as_object_mut()
        .unwrap()
        .retain(|field, _| field == "metadata" || field == "spec");
    let set = json!({
        "metadata": {"name": name},
        "spec": {
            "generators": [{"list": {"elements": [{"name": "one"}]}}],
            "ignoreApplicationDifferences": rules,
            "template": template,
        },
    });
    live.world
        .admin
        .create_of(Kind::APPLICATION_SET, &live.world.argocd, set);
    let child = format!("{name}-child");
    live.world.wait_for("the child", || {
        let application = live
            .world
            .admin
            .get_of(Kind::APPLICATION, &live.world.argocd, &child);
        application.is_ok()
    });
}

#[test]
#[ignore = "needs Argo CD: tools/cluster-tier runs it"]
fn an_application_set_without_rules_is_not_fought_and_with_them_it_is_followed() {
    let Some(live) = live() else { return };
    let branches = Branches::new(live.argo);
    application_set(live, "set-plain", &branches, &Value::Null);
    let pointers = json!([{"jsonPointers": ["/spec/source/targetRevision"]}]);
    application_set(live, "set-rules", &branches, &pointers);
    let event = live
        .world
        .wait_for_event("set-plain-child", "OwnedByApplicationSet");
    for line in [
        "ignoreApplicationDifferences:",
        "/spec/source/targetRevision",
    ] {
        assert!(event.contains(line), "{event}");
    }
    live.world.wait_for_revision("set-rules-child", "dev");
    stays(live, "set-rules-child", &["dev"]);
    assert_eq!(live.world.revision("set-plain-child"), "main");
    assert!(live.world.moves_of("set-plain-child").is_empty());
    assert_eq!(live.world.moves_of("set-rules-child").len(), 1);
    let lines = [
        "ignoreApplicationDifferences:",
        "/spec/source/targetRevision",
    ];
    both_say(live, "set-plain-child", &lines);
    // The rule that the Event names is enough.
    let patch =
        kube::api::Patch::Merge(json!({"spec": {"ignoreApplicationDifferences": pointers}}));
    live.world.admin.patch_of(
        Kind::APPLICATION_SET,
        (&live.world.argocd, "set-plain"),
        &patch,
        "kubectl-edit",
    );
    // What is known of an owner is relied on for a minute; then any change of the Application is looked at with new eyes.
    thread::sleep(Duration::from_secs(61));
    let note = json!({"metadata": {"annotations": {"example.org/note": "x"}}});
    live.world
        .change("set-plain-child", "kubectl-annotate", note);
    live.world.wait_for_revision("set-plain-child", "dev");
    stays(live, "set-plain-child", &["dev"]);
    assert_eq!(live.world.moves_of("set-plain-child").len(), 1);
}

/// Where the digest would be put back, a setting is deployed all the same, if Argo CD heals: by a refresh, which is asked for
/// once for each change.
#[test]
#[ignore = "needs Argo CD: tools/cluster-tier runs it"]
fn settings_of_an_application_set_without_rules_are_rendered_by_a_refresh() {
    let Some(live) = live() else { return };
    let git = deploys::with_label(live.argo);
    let child = "set-settings-child";
    let object = format!("{}/{child}", Live::SETTINGS);
    deploys::put_settings(live, child, "one");
    let namespace = Namespace::new(live.argo.cluster, child);
    let mut template = application(child, "dev", "dev");
    template["spec"]["source"]["repoURL"] = json!(git.url());
    template["spec"]["source"]["plugin"] = live.with_settings(&[&object]);
    template["spec"]["destination"]["namespace"] = json!(namespace.name);
    template["spec"]["syncPolicy"] = json!({"automated": {"selfHeal": true}});
    generate(live, "set-settings", template, &Value::Null);
    let deployed =
        |value: &'static str| move |lamp: &Value| deploys::is_deployed(live, child, value, lamp);
    wait_since(Instant::now(), live.world, child, deployed("one"));
    live.world.wait_for_event(child, "OwnedByApplicationSet");
    let mut times = Vec::new();
    for value in ["two", "three"] {
        let start = deploys::put_settings(live, child, value);
        times.push(wait_since(start, live.world, child, deployed(value)));
    }
    deploys::report("setting of an ApplicationSet, by a refresh", &times);
    let mut writes = live.world.writes();
    writes.retain(|write| write.name == child);
    let is_refresh = |write: &Write| {
        let text = json!(write.operations).to_string();
        text.contains("refresh-timestamp") && !text.contains("SETTINGS_DIGEST")
    };
    // One for what there was at first, and one for each change.
    assert!(
        writes.iter().all(is_refresh) && writes.len() <= 3,
        "{writes:?}"
    );
}

/// A program that puts back what was written, although nothing told of it before.
#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn a_revert_that_happens_all_the_same_is_not_answered() {
    let Some(world) = World::new("owner-revert") else {
        return;
    };
    world.create(application("lamp", "dev", "main"));
    let controller = world.start();
    world.wait_for_revision("lamp", "dev");
    let back = json!({"spec": {"source": {"targetRevision": "main"}}});
    world.change("lamp", "argocd-controller", back);
    world.wait_for_event("lamp", "Reverted");
    world.settle();
    controller.kill();
    let _controller = world.start();
    world.settle();
    assert_eq!(world.revision("lamp"), "main");
    assert_eq!(world.moves_of("lamp").len(), 1);
    // What is wanted next is another question.
    world.put(&Written::of_environment("dev", "dev").revision("feature/login"));
    world.wait_for_revision("lamp", "feature/login");
}
