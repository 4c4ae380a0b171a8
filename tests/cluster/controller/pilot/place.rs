//! What `docs/getting-started.md` comes to, in a cluster of its own: Argo CD's controllers and Kubernetes', the sidecar's plugin
//! and our controller with the accounts, Roles and policies that the manifests give them. Infisical's operator alone is played.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use k8s_openapi::api::core::v1::Secret;
use serde_json::{Value, json};

use super::super::live;
use super::super::process::Controller;
use super::super::world::World;
use crate::admission::taken::definition;
use crate::argocd::git::Git;
use crate::argocd::server::{Argo, DIGEST_KEY};
use crate::cluster::free_ports;
use crate::doctor;
use crate::infisical;
use crate::installation::{Caller, Installation, Refusal, namespace, objects};
use crate::tools::{self, printed};
use crate::workspace::{Workspace, run_in};

/// The environments, each with the branch that it follows by itself.
pub(super) const ENVIRONMENTS: [(&str, &str); 4] = [
    ("dev", "dev"),
    ("test", "dev"),
    ("staging", "dev"),
    ("prod", "main"),
];

/// Where this repository is.
const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The pilot, as it runs.
pub(super) struct Pilot<'a> {
    pub(super) argo: &'a Argo,
    pub(super) world: &'a World,
    pub(super) installation: &'static Installation,
    pub(super) admin: Caller,
    /// With the account of Reloader.
    pub(super) reloader: Caller,
    /// The repository of the application.
    pub(super) git: Git<'a>,
    /// The commits of its branches.
    pub(super) main: String,
    pub(super) dev: String,
    controller: Controller<'a>,
}

/// Sets it up and runs something with it; nothing, visibly, where a program is missing. All programs but those of the cluster
/// end with it.
#[track_caller]
pub(super) fn with(run: impl FnOnce(&Pilot<'_>)) {
    let manager = tools::find("kube-controller-manager", "KUBE_CONTROLLER_MANAGER");
    let installation = Installation::new();
    let (Some(manager), Some(installation)) = (manager, installation) else {
        return;
    };
    let installation: &'static Installation = Box::leak(Box::new(installation));
    let Some(argo) = Argo::beside(installation.cluster()) else {
        return;
    };
    let admin = installation.admin();
    infisical::define(&admin);
    let any = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    admin.apply(&definition(
        "monitoring.coreos.com",
        "v1",
        "ServiceMonitor",
        &any,
    ));

    let (git, platform) = repositories(&argo);
    let main = printed(
        argo.git()
            .arg("-C")
            .arg(git.work())
            .args(["rev-parse", "HEAD"]),
    );
    let dev = git.commit_to("dev");
    argo_cd(&admin, &argo, installation);
    live::start_manager(&argo, &mut Command::new(manager));
    live::start_application_controller(&argo, "argocd");
    let world = World::installed(installation.cluster(), policy(&platform.work()));
    let apply = |directory: &str| {
        let built = run_in(&platform.work(), &["build", directory]);
        assert_eq!((built.code, built.stderr.as_str()), (0, ""), "{directory}");
        for object in objects(&built.stdout) {
            admin.apply(&object);
        }
    };
    // Without components/infisical-operator, which is a chart of somebody else's.
    for directory in [
        "manifests/pilot/controller",
        "manifests/components/reloader",
        "manifests/components/infisical-boundaries",
    ] {
        apply(directory);
    }
    credentials(&admin);
    let controller = world.launch_by("controller", installation.kubeconfig(), &[]);
    apply("manifests/pilot/argocd");
    let pilot = Pilot {
        argo: &argo,
        world: &world,
        installation,
        reloader: installation.caller("reloader", "reloader"),
        admin,
        git,
        main: main.trim().to_owned(),
        dev,
        controller,
    };
    run(&pilot);
}

/// The commands of a step of the guide.
fn step(number: usize) -> String {
    let guide = fs::read_to_string(Path::new(ROOT).join("docs/getting-started.md")).unwrap();
    let (_, rest) = guide.split_once(&format!("\n**{number}. ")).unwrap();
    let (_, rest) = rest.split_once("\n```console\n$ ").unwrap();
    let (commands, _) = rest.split_once("\n```\n").unwrap();
    assert!(!commands.contains("\n$ "), "one command line: {commands}");
    commands.to_owned()
}

/// The repositories of the application and of the platform, made by the steps of the guide, and served on a port.
fn repositories(argo: &Argo) -> (Git<'_>, Git<'_>) {
    let (application, platform) = (Git::empty(argo), Git::empty(argo));
    let [port] = free_ports();
    let mut daemon = argo.git();
    daemon
        .args(["daemon", "--listen=127.0.0.1", "--reuseaddr"])
        .arg(format!("--port={port}"))
        .args(["--export-all", "--enable=receive-pack"])
        .args([application.bare(), platform.bare()]);
    argo.launch("git-daemon", &mut daemon);
    argo.wait_for("git-daemon", || {
        std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
    });
    let address = |git: &Git| format!("git://127.0.0.1:{port}{}", git.bare().display());
    // The guide makes this directory.
    fs::remove_dir_all(application.work()).unwrap();
    let commands = format!("{}\n{}", step(3), step(4))
        .replace("/tmp/home-assistant", application.work().to_str().unwrap())
        .replace("/tmp/platform", platform.work().to_str().unwrap());
    printed(
        Command::new("bash")
            .args(["-euc", &commands])
            .current_dir(ROOT)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_AUTHOR_NAME", "test")
            .env("GIT_AUTHOR_EMAIL", "test@example.org")
            .env("GIT_COMMITTER_NAME", "test")
            .env("GIT_COMMITTER_EMAIL", "test@example.org")
            .env("APPLICATION", address(&application))
            .env("PLATFORM", address(&platform))
            .env("PROJECT", "8a6a3a7e-2f0b-4c5d-9a53-1d2b3c4d5e6f"),
    );
    (application, platform)
}

/// Argo CD with the sidecar: what stands in the cluster, and the programs that a kubelet would start.
fn argo_cd(admin: &Caller, argo: &Argo, installation: &Installation) {
    let workspace = Workspace::of_manifests();
    doctor::argo_cd(&workspace);
    for object in objects(&workspace.prints(&["build", "argocd"])) {
        admin.apply(&object);
    }
    let labels = json!({"app.kubernetes.io/part-of": "argocd"});
    admin.apply(&json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "argocd-secret", "namespace": "argocd", "labels": labels},
    }));
    admin.apply(&json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject",
        "metadata": {"name": "default", "namespace": "argocd"},
        "spec": {
            "sourceRepos": ["*"], "destinations": [{"namespace": "*", "server": "*"}],
            "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
        },
    }));
    for namespace in ["argocd", "argocd-infisical"] {
        admin.apply(&json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": "argocd-infisical-digest", "namespace": namespace},
            "data": {"key": STANDARD.encode(DIGEST_KEY)},
        }));
    }

    // plugin.yaml as it is in the image, with the files where they are here.
    let component = Path::new(ROOT).join("manifests/components/sidecar/policy.yaml");
    let component: Value = serde_saphyr::from_str(&fs::read_to_string(component).unwrap()).unwrap();
    let policy = argo.path("sidecar-policy.yaml");
    fs::write(&policy, component["data"]["policy.yaml"].as_str().unwrap()).unwrap();
    let metrics = argo.path("sidecar-metrics");
    fs::create_dir(&metrics).unwrap();
    let kubeconfig = installation.kubeconfig_of_account("argocd", "argocd-repo-server");
    let text = fs::read_to_string(Path::new(ROOT).join("plugin.yaml")).unwrap();
    let text = text
        .replace(
            "/etc/argocd-infisical/policy/policy.yaml",
            policy.to_str().unwrap(),
        )
        .replace(
            "/etc/argocd-infisical/digest/key",
            argo.path("digest.key").to_str().unwrap(),
        )
        .replace(
            "/var/lib/argocd-infisical/metrics",
            metrics.to_str().unwrap(),
        );
    let mut definition: Value = serde_saphyr::from_str(&text).unwrap();
    let arguments = definition["spec"]["generate"]["args"]
        .as_array_mut()
        .unwrap();
    // What the pod has of its own.
    arguments.push(json!("--argocd-namespace=argocd"));
    arguments.push(json!(format!("--kubeconfig={}", kubeconfig.display())));
    argo.defined("argocd-infisical", &definition.to_string(), Vec::new());
    argo.repo_server();
}

/// The pilot's policy of the controller.
fn policy(platform: &Path) -> Value {
    let path = platform.join("manifests/pilot/controller/policy.yaml");
    serde_saphyr::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn credentials(admin: &Caller) {
    let namespaces = ENVIRONMENTS.map(|(environment, _)| format!("home-assistant-{environment}"));
    for name in namespaces
        .iter()
        .map(String::as_str)
        .chain(["infisical-operator-system"])
    {
        admin.apply(&namespace(name));
        admin.apply(&json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": "infisical-universal-auth", "namespace": name},
            "stringData": {"clientId": "id", "clientSecret": "hunter2"},
        }));
    }
}

impl Pilot<'_> {
    /// Waits until the controller sees all that it has to see.
    #[track_caller]
    pub(super) fn wait_for_controller(&self) {
        self.controller.wait();
    }

    /// The object of the operator's that says what a Secret is made of, if it is there.
    pub(super) fn source(&self, namespace: &str, name: &str) -> Option<Value> {
        self.admin
            .send("GET", &path_of(namespace, name), "", &json!({}))
            .ok()
    }

    /// What the operator does with what Infisical has: it writes the whole Secret anew, with exactly the labels and annotations that
    /// its object says, the version and itself as the owner, and notes that it is done.
    ///
    /// # Errors
    /// What the server says instead of taking it.
    fn infisical(
        &self,
        namespace: &str,
        name: &str,
        values: &[(&str, &str)],
    ) -> Result<(), Refusal> {
        static VERSIONS: AtomicUsize = AtomicUsize::new(0x58c7_568b);
        let source = self.source(namespace, name).unwrap();
        let target = &source["spec"]["targets"][0];
        assert_eq!(target["creationPolicy"], "Owner");
        if let Some(template) = target["template"]["data"].as_object() {
            assert!(template.keys().eq(values.iter().map(|(key, _)| key)));
        }
        let length: usize = values.iter().map(|(_, value)| value.len()).sum();
        let number = VERSIONS.fetch_add(1, Ordering::Relaxed);
        let mut metadata = target["metadata"].clone();
        metadata["name"] = target["name"].clone();
        metadata["annotations"]["secrets.infisical.com/version"] =
            json!(format!("W/\"secrets-{length}-{number:08x}\""));
        metadata["ownerReferences"] = json!([{
            "apiVersion": source["apiVersion"], "kind": source["kind"], "name": name,
            "uid": source["metadata"]["uid"], "controller": true, "blockOwnerDeletion": true,
        }]);
        let data: serde_json::Map<String, Value> = values
            .iter()
            .map(|(key, value)| ((*key).to_owned(), json!(STANDARD.encode(value))))
            .collect();
        let secrets = format!(
            "/api/v1/namespaces/{}/secrets",
            target["namespace"].as_str().unwrap()
        );
        let one = format!("{secrets}/{}", target["name"].as_str().unwrap());
        let there = self.admin.send("GET", &one, "", &json!({})).ok();
        if let Some(there) = &there {
            metadata["resourceVersion"] = there["metadata"]["resourceVersion"].clone();
        }
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": target["secretType"], "data": data,
        });
        let (method, path) = match there {
            Some(_) => ("PUT", one),
            None => ("POST", secrets),
        };
        self.admin
            .send(method, &path, "application/json", &secret)?;
        let condition =
            json!({"type": "secrets.infisical.com/LastReconcileStatus", "status": "True"});
        let done = json!({"status": {"conditions": [condition]}});
        let content = "application/merge-patch+json";
        let path = path_of(namespace, name);
        self.admin.send("PATCH", &path, content, &done).unwrap();
        Ok(())
    }

    /// Somebody writes the branch of an environment into Infisical.
    #[track_caller]
    pub(super) fn branch(&self, environment: &str, branch: &str) {
        let name = format!("home-assistant-{environment}-revision");
        let values = [("ARGOCD_TARGET_REVISION", branch)];
        self.infisical("argocd-infisical", &name, &values).unwrap();
    }

    /// The settings of an environment, with the name of its host.
    #[track_caller]
    pub(super) fn settings(&self, environment: &str, host: &str) {
        let values = [
            ("HOSTNAME", host),
            ("LOG_LEVEL", "info"),
            ("REPLICAS", "1"),
            ("RESOURCES", "limits:\n  memory: 768Mi\n"),
            ("STORAGE_SIZE", "2Gi"),
            ("TIMEZONE", "Europe/Amsterdam"),
        ];
        let namespace = format!("home-assistant-{environment}");
        self.infisical(&namespace, "home-assistant-settings", &values)
            .unwrap();
    }

    /// The configuration of an environment, with a line more than the example's.
    #[track_caller]
    pub(super) fn configuration(&self, environment: &str, line: &str) {
        self.try_configuration(environment, line).unwrap();
    }

    /// The same.
    ///
    /// # Errors
    /// What the server says instead of taking it.
    pub(super) fn try_configuration(&self, environment: &str, line: &str) -> Result<(), Refusal> {
        let read = |name: &str| {
            let path = Path::new(ROOT)
                .join("testdata/homeassistant/settings")
                .join(name);
            fs::read_to_string(path).unwrap()
        };
        let (main, secrets) = (read("configuration.yaml"), read("secrets.yaml"));
        let values = [
            ("configuration.yaml", &*format!("{main}{line}")),
            ("secrets.yaml", &*secrets),
        ];
        let namespace = format!("home-assistant-{environment}");
        self.infisical(&namespace, "home-assistant-config", &values)
    }

    /// How many bytes the configuration has.
    pub(super) fn length(&self, environment: &str) -> usize {
        let namespace = format!("home-assistant-{environment}");
        let secret = self
            .world
            .admin
            .get::<Secret>(&namespace, "home-assistant-config");
        let data = secret.unwrap().data.unwrap();
        data.values().map(|value| value.0.len()).sum()
    }
}

fn path_of(namespace: &str, name: &str) -> String {
    format!(
        "/apis/secrets.infisical.com/v1beta1/namespaces/{namespace}/infisicalstaticsecrets/{name}"
    )
}
