//! What `revisions` shows of a cluster, and what people tell the controller with it.

use serde_json::{Value, json};

use super::objects::Written;
use super::world::{World, application};
use crate::access::Kind;
use crate::kubeconfig::User;
use crate::workspace::{Run, binary};

/// The annotation with the record.
const STATE: &str = "argocd-infisical.io/state";

/// What `revisions` says of the cluster.
fn shown(world: &World) -> (i32, Value) {
    let run = world.command(&["revisions", "--from-cluster", "-o", "json"]);
    assert_eq!(run.stderr, "");
    (run.code, serde_json::from_str(&run.stdout).unwrap())
}

/// Tells the controller something; it must be taken.
fn tell(world: &World, arguments: &[&str]) -> String {
    let run = world.command(&[&["revisions"], arguments].concat());
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{}", run.stdout);
    run.stdout
}

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn a_cluster_with_several_pages_is_shown_whole() {
    let Some(world) = World::new("shown-whole") else {
        return;
    };
    for number in 0..130 {
        world.create(application(&format!("app-{number:03}"), "dev", "dev"));
    }
    let mut stranger = application("stranger", "dev", "dev");
    stranger["metadata"]["labels"] = json!({"other": "dev"});
    world.create(stranger);
    let (code, all) = shown(&world);
    let applications = all["applications"].as_array().unwrap();
    assert_eq!((code, applications.len()), (0, 130));
    let status =
        json!({"status": {"sync": {"status": "OutOfSync"}, "health": {"status": "Degraded"}}});
    world.change("app-007", "test", status);
    world.put(&Written::of_application("own", "dev", "app-007").revision("feature/x"));
    let (code, all) = shown(&world);
    let other = |application: &&Value| application["outcome"] != "same";
    let others: Vec<&Value> = all["applications"]
        .as_array()
        .unwrap()
        .iter()
        .filter(other)
        .collect();
    assert_eq!((code, others.len()), (1, 1));
    let expected = json!({
        "namespace": world.argocd,
        "name": "app-007",
        "environment": "dev",
        "project": "default",
        "default": "dev",
        "wanted": "feature/x",
        "origin": {"kind": "Secret", "namespace": world.own, "name": "own", "key": "ARGOCD_TARGET_REVISION"},
        "current": ["dev"],
        "sync": "OutOfSync",
        "health": "Degraded",
        "outcome": "change",
    });
    assert_eq!(others[0], &expected);
}

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn what_may_not_be_read_is_told_all_at_once() {
    let Some(world) = World::new("shown-forbidden") else {
        return;
    };
    let policy = tempfile::NamedTempFile::new().unwrap();
    let fields = json!({
        "apiVersion": "argocd-infisical.io/v1alpha1", "kind": "ControllerPolicy",
        "argocdNamespace": world.argocd, "ownNamespace": world.own,
        "applicationNamespaces": [world.argocd], "overrideNamespaces": [world.own], "objectNamespaces": ["*"],
    });
    serde_json::to_writer(&policy, &fields).unwrap();
    let output = binary()
        .args(["revisions", "--from-cluster", "--policy"])
        .arg(policy.path())
        .arg("--kubeconfig")
        .arg(world.cluster.kubeconfig(User::NOBODY))
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
    let rules: Vec<&str> = said
        .lines()
        .filter(|line| line.starts_with("hint: "))
        .collect();
    let (argocd, own) = (&world.argocd, &world.own);
    let role = |namespace: &str, rule: &str| {
        format!("hint: bind it to a Role in namespace `{namespace}` with the rule `{rule}`")
    };
    let everywhere = |rule: &str| format!("hint: bind it to a ClusterRole with the rule `{rule}`");
    let expected = [
        role(
            argocd,
            "{apiGroups: [argoproj.io], resources: [applications], verbs: [list]}",
        ),
        everywhere("{apiGroups: [\"\"], resources: [configmaps], verbs: [list]}"),
        everywhere("{apiGroups: [\"\"], resources: [secrets], verbs: [list]}"),
        role(
            own,
            "{apiGroups: [\"\"], resources: [configmaps], resourceNames: [argocd-infisical-controls], verbs: [get]}",
        ),
    ];
    assert_eq!(rules, expected, "{said}");
}

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn a_release_is_written_into_the_record_or_printed() {
    let Some(world) = World::new("shown-release") else {
        return;
    };
    let record = json!({
        "environment": "dev", "revision": "feature/x", "digest": "v1.0.1",
        "override": {"kind": "Secret", "namespace": world.own, "name": "gone", "key": "ARGOCD_TARGET_REVISION", "rank": "environment"},
    });
    let mut recorded = application("recorded", "dev", "feature/x");
    recorded["metadata"]["annotations"] = json!({STATE: record.to_string(), "other": "stays"});
    world.create(recorded);
    let (code, all) = shown(&world);
    assert_eq!(
        (code, &all["applications"][0]["outcome"]),
        (1, &json!("unknown"))
    );
    let name = format!("{}/recorded", world.argocd);
    let said = tell(&world, &["release", &name]);
    assert_eq!(
        said,
        format!("{name} is released: it gets the default of dev\n")
    );
    let annotations = &world.application("recorded")["metadata"]["annotations"];
    let expected = json!({STATE: r#"{"environment":"dev","digest":"v1.0.1"}"#, "other": "stays"});
    assert_eq!(annotations, &expected);
    let (_, all) = shown(&world);
    assert_eq!(all["applications"][0]["outcome"], "change");
    // Once more, there is nothing to do.
    assert!(tell(&world, &["release", &name]).contains("has no override that is remembered"));

    let set = json!({"metadata": {"name": "set"}, "spec": {"generators": [], "template": {
        "metadata": {"name": "x"}, "spec": {"project": "default", "destination": {}},
    }}});
    world
        .admin
        .create_of(Kind::APPLICATION_SET, &world.argocd, set);
    let set = world
        .admin
        .get_of(Kind::APPLICATION_SET, &world.argocd, "set")
        .unwrap();
    let mut owned = application("owned", "dev", "feature/x");
    owned["metadata"]["ownerReferences"] = json!([{
        "apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet", "name": "set", "uid": set["metadata"]["uid"],
    }]);
    world.create(owned);
    let owned = format!("{}/owned", world.argocd);
    let Run {
        code,
        stdout,
        stderr,
    } = world.command(&["revisions", "release", &owned]);
    assert_eq!(code, 0);
    assert!(stderr.starts_with("note: the ApplicationSet `"), "{stderr}");
    let expected = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  labels:\n    argocd-infisical.io/application: owned\n    \
         argocd-infisical.io/environment: dev\n  name: released.{}.owned\n  namespace: {}\n",
        world.argocd, world.own
    );
    assert_eq!(stdout, expected);
    assert!(world.application("owned")["metadata"]["annotations"].is_null());
}

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn what_the_controller_is_told_is_written_beside_what_was_there() {
    let Some(world) = World::new("shown-controls") else {
        return;
    };
    world.create(application("app", "dev", "other"));
    assert_eq!(tell(&world, &["pause"]), "paused\n");
    let (_, all) = shown(&world);
    assert_eq!(all["applications"][0]["reason"]["code"], "Paused");
    for hash in ["0123456789abcdef", "fedcba9876543210"] {
        assert!(tell(&world, &["acknowledge", hash]).starts_with("acknowledged until "));
    }
    assert_eq!(tell(&world, &["resume"]), "resumed\n");
    let (_, all) = shown(&world);
    assert_eq!(all["applications"][0]["outcome"], "change");
    let map: k8s_openapi::api::core::v1::ConfigMap = world
        .admin
        .get(&world.own, "argocd-infisical-controls")
        .unwrap();
    let data = map.data.unwrap();
    assert_eq!(data["pause"], "false");
    let hashes: Vec<&str> = data["acknowledged"]
        .split(',')
        .map(|entry| entry.split_once('@').unwrap().0)
        .collect();
    assert_eq!(hashes, ["0123456789abcdef", "fedcba9876543210"]);
}
