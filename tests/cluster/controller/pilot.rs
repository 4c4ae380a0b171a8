//! `manifests/pilot` and the Home Assistant example, deployed by Argo CD. The operator alone is played: the Secrets are those
//! that it would write.

use std::fs;
use std::path::Path;
use std::time::Instant;

use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::api::networking::v1::Ingress;
use serde_json::{Value, json};

use super::live::{Live, is_synced, live, wait_since};
use super::objects::Written;
use crate::access::Kind;
use crate::argocd::git::Git;
use crate::infisical;
use crate::installation::{Caller, objects};
use crate::kubeconfig::User;
use crate::namespace::Namespace;
use crate::workspace::Workspace;

const ENVIRONMENT: &str = "home-assistant-dev";

/// An object of the pilot, with these repositories in the place of the example's.
fn filled(mut object: Value, application: &str, platform: &str) -> Value {
    let text = object.to_string();
    let text = text
        .replace(
            "https://git.example.org/home/home-assistant.git",
            application,
        )
        .replace(
            "https://git.example.org/platform/argocd-infisical.git",
            platform,
        );
    object = serde_json::from_str(&text).unwrap();
    let metadata = object["metadata"].as_object_mut().unwrap();
    metadata.remove("namespace");
    object
}

/// What the operator writes in dev, as the example has it.
fn synced(live: &Live) {
    for name in ["settings", "home-assistant-config"] {
        let path = format!("testdata/homeassistant/settings/dev/{name}.yaml");
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
        let written: Value = serde_saphyr::from_str(&text).unwrap();
        let metadata = &written["metadata"];
        let secret = json!({
            "metadata": {
                "name": metadata["name"],
                "labels": metadata["labels"],
                "annotations": metadata["annotations"],
            },
            "type": written["type"],
            "data": written["data"],
        });
        live.world.admin.put::<Secret>(ENVIRONMENT, secret);
    }
}

/// Creates the projects and the two Applications of dev. Returns those that are wanted: the platform's, then the other.
fn create(live: &Live, workspace: &Workspace, application: &Git, platform: &Git) -> [Value; 2] {
    let built = objects(&workspace.prints(&["build", "manifests/pilot/argocd"]));
    let all: Vec<Value> = built
        .into_iter()
        .map(|object| filled(object, &application.url(), &platform.url()))
        .collect();
    for project in all.iter().filter(|object| object["kind"] == "AppProject") {
        let admin = &live.world.admin;
        admin.create_of(Kind::PROJECT, Live::NAMESPACE, project.clone());
    }
    let named = |name: &str| {
        let is_it =
            |object: &&Value| object["kind"] == "Application" && object["metadata"]["name"] == name;
        all.iter().find(is_it).unwrap().clone()
    };
    [
        named(&format!("{ENVIRONMENT}-platform")),
        named(ENVIRONMENT),
    ]
}

#[test]
#[ignore = "needs Argo CD: tools/cluster-tier runs it"]
fn home_assistant_follows_its_branch() {
    let Some(live) = live() else { return };
    let Live { argo, world, .. } = live;
    infisical::define(&Caller::new(argo.cluster, User::ADMIN.token));
    let workspace = Workspace::of_manifests();
    let platform = Git::of_directory(argo, workspace.path());
    let commit = platform.commit_to("main");
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/homeassistant");
    let git = Git::of_directory(argo, Path::new(example));
    let dev = git.commit_to("dev");

    // The namespace and the operator's objects come out of an Application that asks for nothing.
    let [before, mut application] = create(live, &workspace, &git, &platform);
    let start = Instant::now();
    world.create(before);
    let name = format!("{ENVIRONMENT}-platform");
    wait_since(start, world, &name, |it| is_synced(it, &commit));
    synced(live);
    Namespace::existing(argo.cluster, ENVIRONMENT).allow(
        User::SIDECAR,
        "secrets",
        &["home-assistant-settings"],
    );

    // Home Assistant itself, with its settings, at the default of its environment.
    let parameters = application["spec"]["source"]["plugin"]["parameters"].take();
    application["spec"]["source"]["plugin"] = live.with_settings(&[]);
    application["spec"]["source"]["plugin"]["parameters"] = parameters;
    let start = Instant::now();
    world.create(application);
    wait_since(start, world, ENVIRONMENT, |it| is_synced(it, &dev));
    let host = || {
        let ingress = world.admin.get::<Ingress>(ENVIRONMENT, "home-assistant");
        let rules = ingress.unwrap().spec.unwrap().rules.unwrap();
        rules[0].host.clone().unwrap()
    };
    assert_eq!(host(), "ha-dev.lab.example.net");

    // A branch, as somebody writes it into Infisical, and back.
    let text = fs::read_to_string(git.work().join("base/service.yaml")).unwrap();
    git.write("base/service.yaml", &text.replace("8123", "8124"));
    let login = git.commit_to("feature/login");
    let revision = Written::of_application("home-assistant-dev-revision", "dev", ENVIRONMENT);
    for (branch, commit) in [("feature/login", &login), ("", &dev)] {
        let start = Instant::now();
        world.put(&revision.clone().revision(branch));
        let time = wait_since(start, world, ENVIRONMENT, |it| is_synced(it, commit));
        super::deploys::report("Home Assistant, revision written to Synced", &[time]);
    }

    // Whoever may push to the repository does not get the operator to write.
    let object = "apiVersion: secrets.infisical.com/v1beta1\nkind: InfisicalStaticSecret\nmetadata: {name: stray}\nspec:\n  \
                  infisicalAuthRef: {name: infisical, namespace: home-assistant-dev}\n  syncOptions: {refreshInterval: 30s}\n  \
                  sources: []\n  targets: []\n";
    git.write("base/stray.yaml", object);
    let base = fs::read_to_string(git.work().join("base/kustomization.yaml")).unwrap();
    let base = base.replace("  - service.yaml\n", "  - service.yaml\n  - stray.yaml\n");
    git.write("base/kustomization.yaml", &base);
    git.commit_to("stray");
    world.put(&revision.revision("stray"));
    wait_since(Instant::now(), world, ENVIRONMENT, |it| {
        it["status"]
            .to_string()
            .contains("InfisicalStaticSecret is not permitted in project home")
    });
}
