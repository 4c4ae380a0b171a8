//! A configuration that changes: the pod has it, and nobody else knows of it.

use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::place::{ENVIRONMENTS, Pilot};
use super::{deployment, doctor, last, name_of, renders, set_host};

/// How long what was added has to stay. Argo CD puts back what it would within three seconds.
const WHILE: Duration = Duration::from_secs(6);

/// The variables that Reloader adds, by what its strategy `env-vars` does with a Secret that has changed (v1.4.21): a Deployment
/// whose annotation names it, and in that the container that mounts it.
fn reload(pilot: &Pilot<'_>, environment: &str, secret: &str, hash: &str) -> String {
    let found = deployment(pilot, environment);
    let wanted = &found["metadata"]["annotations"]["secret.reloader.stakater.com/reload"];
    assert_eq!(wanted, secret);
    let pod = &found["spec"]["template"]["spec"];
    let has = |list: &Value, is_it: &dyn Fn(&Value) -> bool| {
        list.as_array()
            .unwrap()
            .iter()
            .find(|it| is_it(it))
            .cloned()
    };
    let volume = has(&pod["volumes"], &|it| it["secret"]["secretName"] == secret).unwrap();
    let container = has(&pod["containers"], &|it| {
        has(&it["volumeMounts"], &|mount| {
            mount["name"] == volume["name"]
        })
        .is_some()
    })
    .unwrap();
    let variable = format!(
        "STAKATER_{}_SECRET",
        secret.to_uppercase().replace(['-', '.'], "_")
    );
    let container = json!({"name": container["name"], "env": [{"name": variable, "value": hash}]});
    let change = json!({"spec": {"template": {"spec": {"containers": [container]}}}});
    let path = format!(
        "/apis/apps/v1/namespaces/{}/deployments/home-assistant?fieldManager=Reloader",
        name_of(environment)
    );
    let content = "application/strategic-merge-patch+json";
    pilot
        .reloader
        .send("PATCH", &path, content, &change)
        .unwrap();
    variable
}

/// What a variable of Home Assistant's container is, in a template.
fn value_of(template: &Value, name: &str) -> Value {
    let containers = template["spec"]["containers"].as_array().unwrap();
    let variables = containers[0]["env"].as_array().unwrap();
    let found = variables.iter().find(|it| it["name"] == name);
    found.map_or(Value::Null, |it| it["value"].clone())
}

/// Nothing of it passes through Git or Argo CD.
pub(super) fn is_live_without_argo_cd(pilot: &Pilot<'_>) {
    let before = last(&pilot.world.application(&name_of("prod")));
    nobody_asks_argo_cd(pilot);
    let (variable, hash) = pods_are_replaced(pilot);
    assert_eq!(last(&pilot.world.application(&name_of("prod"))), before);
    it_is_as_large_as_it_can_be(pilot);
    // Nor does a full sync take away what Reloader has added.
    set_host(pilot, "prod", "home.example.net");
    let template = &deployment(pilot, "prod")["spec"]["template"];
    assert_eq!(value_of(template, &variable), hash);
}

/// The Secret changes, and neither an Application nor what is rendered.
fn nobody_asks_argo_cd(pilot: &Pilot<'_>) {
    let (world, name) = (pilot.world, name_of("prod"));
    let all = || ENVIRONMENTS.map(|(environment, _)| renders(pilot, environment));
    let generation = || deployment(pilot, "prod")["metadata"]["generation"].clone();
    let (before, ran, rendered) = (world.application(&name), generation(), all());
    let writes = world.writes().len();
    pilot.configuration("prod", "# one more line\n");
    thread::sleep(WHILE);
    assert_eq!(world.writes().len(), writes);
    assert_eq!(all(), rendered);
    let after = world.application(&name);
    for field in [
        "/spec",
        "/status/sync",
        "/status/history",
        "/metadata/annotations",
    ] {
        assert_eq!(after.pointer(field), before.pointer(field), "{field}");
    }
    assert_eq!(generation(), ran);
}

/// There is no Reloader, whose image is somebody else's: a patch stands for it, with its account. Kubernetes makes other pods, and
/// for Argo CD nothing has changed. Returns the variable that was added, and its value.
fn pods_are_replaced(pilot: &Pilot<'_>) -> (String, &'static str) {
    let (world, name) = (pilot.world, name_of("prod"));
    let hash = "5baa61e4c9b93f3f0682250b6cf8331b7ee68fd8";
    let observer = world.observe();
    let variable = reload(pilot, "prod", "home-assistant-config", hash);
    let path = format!("/apis/apps/v1/namespaces/{name}/replicasets");
    let has_it = || {
        let sets = pilot.admin.send("GET", &path, "", &json!({})).unwrap();
        let sets = sets["items"].as_array().unwrap().clone();
        let has_it = |set: &Value| value_of(&set["spec"]["template"], &variable) == hash;
        sets.iter().map(has_it).collect::<Vec<_>>()
    };
    world.wait_for("another ReplicaSet", || {
        let sets = has_it();
        sets.contains(&true) && sets.contains(&false)
    });
    let refresh = json!({"metadata": {"annotations": {"argocd.argoproj.io/refresh": "normal"}}});
    world.change(&name, "kubectl-annotate", refresh);
    thread::sleep(WHILE);
    let seen = observer.of(&name);
    assert!(!seen.is_empty());
    let is_synced = |it: &Value| it["status"]["sync"]["status"] == "Synced";
    assert!(seen.iter().all(is_synced));
    let template = &deployment(pilot, "prod")["spec"]["template"];
    assert_eq!(value_of(template, &variable), hash);
    (variable, hash)
}

/// A byte more, and the server refuses it.
fn it_is_as_large_as_it_can_be(pilot: &Pilot<'_>) {
    let more = |line: &str| pilot.try_configuration("prod", line);
    more("#").unwrap();
    let room = 1024 * 1024 - pilot.length("prod");
    more(&"#".repeat(1 + room)).unwrap();
    let said = doctor(pilot);
    let finding = "Secret home-assistant-prod/home-assistant-config [object-large]\n  its values have 1048576 bytes together";
    assert!(said.contains(finding), "{said}");
    let refused = more(&"#".repeat(2 + room)).unwrap_err();
    assert_eq!(refused.code, 422);
    let words = "Too long: may not be more than 1048576 bytes";
    assert!(refused.message.contains(words), "{}", refused.message);
    pilot.configuration("prod", "");
}
