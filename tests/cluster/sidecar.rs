//! What an API server makes of the manifests of the sidecar, over Argo CD's own.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::authorization::v1::SubjectAccessReview;
use k8s_openapi::api::core::v1::{ConfigMap, Container, PodSpec, Service, Volume};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use serde_json::{Value, json};

use crate::access::Access;
use crate::cluster::cluster;
use crate::namespace::Namespace;
use crate::tools;
use crate::workspace::Workspace;

const SERVER: &str = "argocd-repo-server";
const PARAMETERS: &str = "argocd-cmd-params-cm";

fn manifests() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/manifests"))
}

/// An object out of many.
#[track_caller]
fn object(text: &str, kind: &str, name: &str) -> (Value, String) {
    let mut objects = text.split("\n---\n").map(|text| text.to_owned() + "\n");
    let is_it = |text: &String| {
        text.contains(&format!("kind: {kind}\n")) && text.contains(&format!("\n  name: {name}\n"))
    };
    let text = objects.find(is_it).unwrap();
    (serde_saphyr::from_str(&text).unwrap(), text)
}

/// What a pod has of the sidecar, as the server writes it.
fn sidecar(deployment: Deployment) -> (Container, Vec<Volume>) {
    let PodSpec {
        containers,
        volumes,
        ..
    } = deployment.spec.template.spec.unwrap();
    let mut containers = containers.into_iter();
    let container = containers.find(|container| container.name == "argocd-infisical");
    let is_ours = |volume: &Volume| volume.name.starts_with("argocd-infisical-");
    let volumes: Vec<Volume> = volumes.unwrap().into_iter().filter(is_ours).collect();
    assert_eq!(volumes.len(), 5);
    (container.unwrap(), volumes)
}

/// Builds the components over Argo CD's objects.
fn build(stock: &str, namespace: &str) -> String {
    let workspace = Workspace::new(&[("stock.yaml", stock)]);
    for component in ["sidecar", "sidecar-metrics"] {
        let from = manifests().join("components").join(component);
        for file in fs::read_dir(from).unwrap().flatten() {
            let name = file.file_name();
            let to = format!("{component}/{}", name.to_str().unwrap());
            workspace.write(&to, fs::read(file.path()).unwrap());
        }
    }
    workspace.write(
        "kustomization.yaml",
        format!(
            "namespace: {namespace}\nresources: [stock.yaml]\ncomponents: [sidecar, sidecar-metrics]\n"
        ),
    );
    workspace.prints(&["build"])
}

/// Every object of the components is one that the server takes.
fn all_are_taken(admin: &Access, namespace: &str, built: &str) {
    let of = |kind: &str, name: &str| object(built, kind, name).0;
    let policy = "argocd-infisical-policy";
    admin.would_apply::<ConfigMap>(namespace, &of("ConfigMap", policy));
    admin.would_apply::<ConfigMap>(namespace, &of("ConfigMap", PARAMETERS));
    let role = "argocd-infisical-sidecar";
    admin.would_apply::<Role>(namespace, &of("Role", role));
    admin.would_apply::<RoleBinding>(namespace, &of("RoleBinding", role));
    let metrics = "argocd-infisical-sidecar-metrics";
    admin.would_apply::<Service>(namespace, &of("Service", metrics));
    admin.would_apply::<NetworkPolicy>(namespace, &of("NetworkPolicy", metrics));
}

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn component_and_patch_give_the_same_sidecar() {
    let Some(cluster) = cluster() else { return };
    let admin = cluster.admin();
    for argo_cd in tools::ARGO_CDS {
        let name = &format!("sidecar-of-{argo_cd}");
        let Some(directory) = tools::argo_cd_manifests(argo_cd) else {
            return;
        };
        let namespace = Namespace::new(cluster, name);
        let install = fs::read_to_string(directory.join("install.yaml")).unwrap();
        let (deployment, deployment_text) = object(&install, "Deployment", SERVER);
        let (parameters, parameters_text) = object(&install, "ConfigMap", PARAMETERS);

        let stock = format!("{deployment_text}---\n{parameters_text}");
        let built = build(&stock, namespace.name);
        all_are_taken(&admin, namespace.name, &built);
        let (whole, _) = object(&built, "Deployment", SERVER);
        let by_component = sidecar(admin.would_apply(namespace.name, &whole));

        // The same on what is installed already, as `kubectl patch` does it.
        admin.create::<Deployment>(namespace.name, deployment);
        admin.create::<ConfigMap>(namespace.name, parameters);
        let read = |file: &str| {
            let path = manifests().join("components/sidecar").join(file);
            serde_saphyr::from_str::<Value>(&fs::read_to_string(path).unwrap()).unwrap()
        };
        let patch = read("repo-server.yaml");
        let by_patch = sidecar(admin.would_merge(namespace.name, SERVER, &patch));
        assert_eq!(by_patch, by_component, "{argo_cd}");
        let patch = read("cmd-params.yaml");
        let patched: ConfigMap = admin.would_merge(namespace.name, PARAMETERS, &patch);
        assert_eq!(
            patched.data.unwrap()["reposerver.plugin.tar.exclusions"],
            ".git"
        );
    }
}

/// What Argo CD's `ServiceAccount` may do with what.
fn may(admin: &Access, namespace: &str, verb: &str, group: &str, resource: &str) -> bool {
    let user = format!("system:serviceaccount:{namespace}:{SERVER}");
    let attributes = json!({"namespace": namespace, "verb": verb, "group": group, "resource": resource, "name": "lamp"});
    let review = json!({"spec": {"user": user, "resourceAttributes": attributes}});
    let review: SubjectAccessReview = admin.create_global(review);
    review.status.is_some_and(|status| status.allowed)
}

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn the_role_is_for_looking_at_an_application() {
    let Some(cluster) = cluster() else { return };
    let admin = cluster.admin();
    // As `kubectl -n argocd apply -f rbac.yaml`: the ServiceAccount is that of the namespace.
    let namespace = Namespace::new(cluster, "sidecar-role");
    let text = fs::read_to_string(manifests().join("components/sidecar/rbac.yaml")).unwrap();
    let role = "argocd-infisical-sidecar";
    admin.create::<Role>(namespace.name, object(&text, "Role", role).0);
    admin.create::<RoleBinding>(namespace.name, object(&text, "RoleBinding", role).0);
    let may = |verb, group, resource| may(&admin, namespace.name, verb, group, resource);
    let start = Instant::now();
    while !may("get", "argoproj.io", "applications") {
        assert!(start.elapsed() < Duration::from_secs(10));
        thread::sleep(Duration::from_millis(20));
    }
    for (verb, group, resource) in [
        ("list", "argoproj.io", "applications"),
        ("patch", "argoproj.io", "applications"),
        ("get", "argoproj.io", "appprojects"),
        ("get", "", "secrets"),
        ("get", "", "configmaps"),
    ] {
        assert!(!may(verb, group, resource), "{verb} {resource}");
    }
}
