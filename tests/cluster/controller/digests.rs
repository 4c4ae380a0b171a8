//! The digest of the settings, which makes Argo CD render and deploy again.

use std::time::Duration;

use argocd_infisical::cluster::{Access, Cluster};
use argocd_infisical::failure::Failure;
use argocd_infisical::settings::consent::Caller;
use argocd_infisical::settings::digest::{DigestKey, VARIABLE};
use argocd_infisical::settings::reading::Audience;
use serde_json::{Value, json};

use super::objects::{KEY, Written};
use super::world::{DIGEST_KEY, World, application};
use crate::kubeconfig::User;

/// An Application that the plugin renders with objects, which comes with an environment of its own.
fn rendered(name: &str, objects: &[String]) -> Value {
    let mut application = application(name, "dev", "dev");
    application["spec"]["source"]["plugin"] = json!({
        "name": "argocd-infisical",
        "env": [{"name": "OWN", "value": "kept"}],
        "parameters": [
            {"name": "namePrefix", "string": "x-"},
            {"name": "settings", "array": objects},
        ],
    });
    application
}

/// The entries of an Application's plugin, but the digest's.
fn others(application: &Value) -> Vec<Value> {
    let entries = application["spec"]["source"]["plugin"]["env"].as_array();
    let mut entries = entries.cloned().unwrap_or_default();
    entries.retain(|entry| entry["name"] != VARIABLE);
    entries
}

/// The digests in the environment of the plugin.
fn digests(application: &Value) -> Vec<String> {
    let entries = application["spec"]["source"]["plugin"]["env"].as_array();
    let entries = entries.into_iter().flatten();
    entries
        .filter(|entry| entry["name"] == VARIABLE)
        .map(|entry| entry["value"].as_str().unwrap().to_owned())
        .collect()
}

impl World {
    fn digest(&self, name: &str) -> Option<String> {
        let digests = digests(&self.application(name));
        assert!(digests.len() < 2, "{digests:?}");
        digests.into_iter().next()
    }

    /// Waits until an Application has a digest that it had not before.
    #[track_caller]
    fn wait_for_digest(&self, name: &str, before: Option<&str>) -> String {
        self.wait_for(&format!("a new digest of {name}"), || {
            let digest = self.digest(name);
            digest.is_some() && digest.as_deref() != before
        });
        self.digest(name).unwrap()
    }

    /// Part of a digest: what the sidecar computes of these objects for an Application of the project `default`.
    fn computed(&self, name: &str, objects: &[String]) -> String {
        let access = Access::Kubeconfig {
            file: Some(self.cluster.kubeconfig(User::ADMIN)),
            context: None,
        };
        let fail = |failure: Failure| -> ! { panic!("{failure}") };
        let cluster = Cluster::new(&access).unwrap_or_else(|failure| fail(failure));
        let references: Vec<_> = objects.iter().map(|text| text.parse().unwrap()).collect();
        let reading = cluster.read(&references, Audience::Author, Duration::from_secs(10));
        let reading = reading.unwrap_or_else(|failure| fail(failure));
        let key = DigestKey::new(&DIGEST_KEY).unwrap_or_else(|problem| panic!("{problem}"));
        let caller: Caller = format!("default/{name}").parse().unwrap();
        hash(&reading.digest(&key, &caller).at(1))
    }
}

/// A digest without its time.
fn hash(digest: &str) -> String {
    digest.rsplit_once('.').unwrap().0.to_owned()
}

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn it_appears_and_is_what_the_sidecar_computes() {
    let Some(world) = World::new("digest-appears") else {
        return;
    };
    let tenant = world.tenant("tenant");
    let map = Written::settings("map", "default/lamp").config_map();
    let secret = Written::settings("secret", "default/la*").keys("A, B");
    map.with("A", "one").put(&world.admin, &tenant);
    secret
        .with("A", "two")
        .with("C", "x")
        .put(&world.admin, &tenant);
    let objects = [
        format!("{tenant}/map"),
        format!("secret:{tenant}/secret"),
        format!("optional:{tenant}/absent"),
    ];
    world.create(rendered("lamp", &objects));
    let mut without = rendered("without-env", &objects);
    let plugin = without["spec"]["source"]["plugin"].as_object_mut().unwrap();
    plugin.remove("env");
    plugin["parameters"][1]["array"] = json!([format!("optional:{tenant}/absent")]);
    world.create(without);
    let mut other = rendered("other-plugin", &objects);
    other["spec"]["source"]["plugin"]["name"] = json!("another");
    world.create(other);
    let _controller = world.start();
    let digest = world.wait_for_digest("lamp", None);
    assert_eq!(hash(&digest), world.computed("lamp", &objects));
    let lamp = world.application("lamp");
    assert_eq!(others(&lamp), [json!({"name": "OWN", "value": "kept"})]);
    let parameters = &lamp["spec"]["source"]["plugin"]["parameters"];
    assert_eq!(parameters[0], json!({"name": "namePrefix", "string": "x-"}));
    let digest = world.wait_for_digest("without-env", None);
    assert_eq!(hash(&digest), world.computed("without-env", &objects[2..]));
    world.settle();
    assert_eq!(world.digest("other-plugin"), None);
    assert!(world.moves().is_empty());
}

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn it_follows_the_settings_and_nothing_else() {
    let Some(world) = World::new("digest-follows") else {
        return;
    };
    let tenant = world.tenant("tenant");
    let secret = || Written::settings("settings", "default/lamp").keys("A, B");
    let put = |object: Written| object.put(&world.admin, &tenant);
    put(secret().with("A", "one"));
    let objects = [format!("secret:{tenant}/settings")];
    world.create(rendered("lamp", &objects));
    let controller = world.start();
    let first = world.wait_for_digest("lamp", None);

    // What is no setting of the Application: other keys, keys of revisions, other annotations, other objects.
    put(secret()
        .with("A", "one")
        .with("C", "x")
        .with(KEY, "feature/login"));
    put(secret()
        .with("A", "one")
        .annotation("example.org/note", "x"));
    put(Written::settings("another", "*/*").with("A", "x"));
    world.settle();
    assert_eq!(world.digest("lamp"), Some(first.clone()));

    // A new setting, and back: never the same digest twice.
    put(secret().with("A", "one").with("B", "hunter2"));
    let second = world.wait_for_digest("lamp", Some(&first));
    put(secret().with("A", "one"));
    let third = world.wait_for_digest("lamp", Some(&second));
    assert_eq!(hash(&first), hash(&third));
    assert_ne!(first, third);
    assert_eq!(hash(&third), world.computed("lamp", &objects));

    // The object is made anew with the same data, and the controller starts anew.
    secret().delete(&world.admin, &tenant);
    world.wait_for_event("lamp", "SettingsAbsent");
    world.settle();
    assert_eq!(world.digest("lamp"), Some(third.clone()));
    put(secret().with("A", "one"));
    world.settle();
    controller.kill();
    let _controller = world.start();
    world.settle();
    assert_eq!(world.digest("lamp"), Some(third));
    let words = world.words();
    assert!(!words.contains("hunter2") && world.moves().is_empty());
}

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn consent_that_is_taken_back_is_a_change_and_so_is_an_object_that_appears() {
    let Some(world) = World::new("digest-consent") else {
        return;
    };
    let tenant = world.tenant("tenant");
    let map = |readers: &str| {
        Written::settings("map", readers)
            .config_map()
            .with("A", "one")
    };
    let put = |object: Written| object.put(&world.admin, &tenant);
    let objects = [format!("{tenant}/map")];
    world.create(rendered("lamp", &objects));
    let _controller = world.start();
    world.wait_for_event("lamp", "SettingsAbsent");
    world.settle();
    assert_eq!(world.digest("lamp"), None);
    // It appears, for others.
    put(map("default/fan, other/lamp"));
    world.wait_for_event("lamp", "NoConsent");
    world.settle();
    assert_eq!(world.digest("lamp"), None);
    put(map("default/fan, default/lamp"));
    let first = world.wait_for_digest("lamp", None);
    put(map("default/fan"));
    let second = world.wait_for_digest("lamp", Some(&first));
    assert_ne!(hash(&first), hash(&second));
    put(map("default/lamp"));
    let third = world.wait_for_digest("lamp", Some(&second));
    assert_eq!(hash(&third), world.computed("lamp", &objects));
}

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn a_revision_and_a_digest_are_one_patch() {
    let Some(world) = World::new("digest-both") else {
        return;
    };
    let tenant = world.tenant("tenant");
    let map = Written::settings("map", "default/*").config_map();
    map.with("A", "one").put(&world.admin, &tenant);
    let mut lamp = rendered("lamp", &[format!("{tenant}/map")]);
    lamp["spec"]["source"]["targetRevision"] = json!("before");
    world.create(lamp);
    let mut several = rendered("several", &[format!("{tenant}/map")]);
    let source = several["spec"]["source"].take();
    let chart =
        json!({"repoURL": "https://charts.example.org", "chart": "x", "targetRevision": "1.2.3"});
    several["spec"]["sources"] = json!([chart, source]);
    several["spec"]["sources"][1]["targetRevision"] = json!("before");
    world.create(several);
    let _controller = world.start();
    world.wait_for_revision("lamp", "dev");
    let digest = world.digest("lamp");
    assert!(digest.is_some());
    world.wait_for("both of several", || {
        world.revision("several") == "1.2.3 dev"
    });
    let entries = &world.application("several")["spec"]["sources"][1]["plugin"]["env"];
    assert_eq!(entries[1]["name"], VARIABLE);
    world.settle();
    for name in ["lamp", "several"] {
        let mut writes = world.writes();
        writes.retain(|write| write.name == name);
        assert_eq!(writes.len(), 1, "{writes:?}");
    }
}

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn where_it_may_not_look_it_says_so() {
    let Some(world) = World::new("digest-unwatched") else {
        return;
    };
    let outside = crate::namespace::Namespace::new(world.cluster, "digest-unwatched-else");
    let map = Written::settings("map", "default/*").config_map();
    map.with("A", "hunter2").put(&world.admin, outside.name);
    let secret = Written::settings("secret", "default/*").keys("A");
    secret.with("A", "hunter2").put(&world.admin, &world.argocd);
    let secret = format!("secret:{}/secret", world.argocd);
    for (name, object) in [("lamp", format!("{}/map", outside.name)), ("fan", secret)] {
        world.create(rendered(name, &[object]));
    }
    let _controller = world.start();
    for name in ["lamp", "fan"] {
        world.wait_for_event(name, "SettingsNotWatched");
    }
    world.settle();
    assert!(world.writes().is_empty());
    assert!(!world.words().contains("hunter2"));
}
