//! Argo CD's own controllers, which deploy what the controller of ours asks for.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::{Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use serde_json::{Value, json};

use super::process::Controller;
use super::world::{self, World};
use crate::access::Kind;
use crate::argocd::git::Git;
use crate::argocd::server::{Argo, Plugin, argo, asked};
use crate::cluster::free_ports;
use crate::kubeconfig::User;
use crate::namespace::Namespace;
use crate::tools;

/// What a deployment may take at most, whatever the machine does; that it is fast, tests assert.
const DEADLINE: Duration = Duration::from_secs(150);

static LIVE: OnceLock<Live> = OnceLock::new();

/// Argo CD as a whole, which all tests share; `None`, visibly, where a program is missing.
#[track_caller]
pub(crate) fn live() -> Option<&'static Live> {
    let manager = tools::find("kube-controller-manager", "KUBE_CONTROLLER_MANAGER");
    let argo = argo();
    let (manager, argo) = (manager?, argo?);
    Some(LIVE.get_or_init(|| Live::start(argo, &mut Command::new(manager))))
}

/// Running controllers of Argo CD and of Kubernetes, with a namespace of their own.
pub(crate) struct Live {
    pub(crate) argo: &'static Argo,
    /// What the controller of ours goes by, with the usual policy.
    pub(crate) world: &'static World,
    plugin: Plugin,
    pub(crate) controller: Controller<'static>,
    application_controller: Mutex<u32>,
}

impl Live {
    /// Argo CD's namespace.
    pub(crate) const NAMESPACE: &str = "live-argocd";

    /// Where the settings are.
    pub(crate) const SETTINGS: &str = "live-settings";

    fn start(argo: &'static Argo, manager: &mut Command) -> Self {
        let admin = argo.cluster.admin();
        let namespace = Namespace::new(argo.cluster, Self::NAMESPACE);
        namespace.allow_applications(User::SIDECAR);
        let labels = json!({"app.kubernetes.io/part-of": "argocd"});
        let part = |name| json!({"metadata": {"name": name, "labels": labels}});
        admin.create::<ConfigMap>(Self::NAMESPACE, part("argocd-cm"));
        admin.create::<Secret>(Self::NAMESPACE, part("argocd-secret"));
        let project = json!({
            "metadata": {"name": "default"},
            "spec": {
                "sourceRepos": ["*"],
                "destinations": [{"namespace": "*", "server": "*"}],
                "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
            },
        });
        admin.create_of(Kind::PROJECT, Self::NAMESPACE, project);
        start_manager(argo, manager);
        let application_controller = start_application_controller(argo, Self::NAMESPACE);
        start_application_set_controller(argo);
        let world: &'static World = Box::leak(Box::new(World::around(
            argo.cluster,
            "live",
            Self::NAMESPACE,
        )));
        world.policy(json!({"plugins": ["live"]}));
        let settings = world.tenant("settings");
        let rule =
            json!({"apiGroups": [""], "resources": ["secrets", "configmaps"], "verbs": ["get"]});
        Namespace::existing(argo.cluster, &settings).bind(User::SIDECAR, "settings", &rule);
        Self {
            argo,
            plugin: argo.plugin("live", &["--argocd-namespace", Self::NAMESPACE]),
            controller: world.start(),
            world,
            application_controller: Mutex::new(application_controller),
        }
    }

    /// Kills Argo CD's application controller and starts another one.
    pub(crate) fn restart_application_controller(&self) {
        let mut id = self.application_controller.lock().unwrap();
        self.argo.kill(*id);
        *id = start_application_controller(self.argo, Self::NAMESPACE);
    }

    /// Creates an Application of a repository, with a namespace of its own name to deploy to.
    pub(crate) fn create(&self, name: &str, git: &Git, change: impl FnOnce(&mut Value)) {
        let namespace = Namespace::new(self.argo.cluster, name);
        let mut application = world::application(name, "dev", "dev");
        application["spec"]["source"]["repoURL"] = json!(git.url());
        application["spec"]["destination"]["namespace"] = json!(namespace.name);
        change(&mut application);
        self.world.create(application);
    }

    /// The plugin with the objects that settings come from, as it stands in a source.
    pub(crate) fn with_settings(&self, objects: &[&str]) -> Value {
        json!({
            "name": self.plugin.name,
            "parameters": [{"name": "settings", "array": objects}],
        })
    }
}

pub(super) fn start_manager(argo: &Argo, command: &mut Command) {
    let cluster = argo.cluster;
    command
        .arg("--kubeconfig")
        .arg(cluster.kubeconfig(User::ADMIN))
        .args(["--leader-elect=false", "--secure-port=0"])
        .arg(
            "--controllers=garbage-collector-controller,namespace-controller,deployment-controller,\
             replicaset-controller,serviceaccount-controller,job-controller",
        )
        .arg("--service-account-private-key-file")
        .arg(cluster.path("service-account.key"));
    argo.launch("kube-controller-manager", command);
}

pub(super) fn start_application_controller(argo: &Argo, namespace: &str) -> u32 {
    let [metrics] = free_ports();
    let mut command = argo.part("argocd-application-controller");
    command
        .env("ARGOCD_FAKE_IN_CLUSTER", "true")
        .env("KUBECONFIG", argo.cluster.kubeconfig(User::ADMIN))
        .env("HOSTNAME", "controller-0")
        .args(["--namespace", namespace, "--redis", &argo.redis()])
        .args([
            "--repo-server",
            &format!("127.0.0.1:{}", argo.repo_server().port),
        ])
        .args(["--repo-server-plaintext", "--logformat", "text"])
        .args(["--metrics-port", &metrics.to_string()]);
    let id = argo.launch("application-controller", &mut command);
    argo.wait_for("application-controller", || {
        asked(metrics, "GET /healthz HTTP/1.0\r\n\r\n").contains(" 200 ")
    });
    id
}

fn start_application_set_controller(argo: &Argo) {
    let [metrics, probe, webhook] = free_ports();
    let address = |port: u16| format!("127.0.0.1:{port}");
    let mut command = argo.part("argocd-applicationset-controller");
    command
        .env("ARGOCD_FAKE_IN_CLUSTER", "true")
        .env("KUBECONFIG", argo.cluster.kubeconfig(User::ADMIN))
        .args(["--namespace", Live::NAMESPACE])
        .args(["--argocd-repo-server", &address(argo.repo_server().port)])
        .args(["--repo-server-plaintext", "--logformat", "text"])
        .args(["--metrics-addr", &address(metrics)])
        .args(["--probe-addr", &address(probe)])
        .args(["--webhook-addr", &address(webhook)]);
    argo.launch("applicationset-controller", &mut command);
    argo.wait_for("applicationset-controller", || {
        argo.words("applicationset-controller")
            .contains("Starting workers")
    });
}

/// A repository whose branches show which one is deployed.
pub(crate) struct Branches<'a> {
    pub(crate) git: Git<'a>,
    commits: BTreeMap<String, String>,
}

impl<'a> Branches<'a> {
    /// The branches `main`, `dev` and `feature/login`, with a directory `app`.
    pub(crate) fn new(argo: &'a Argo) -> Self {
        let git = Git::new(
            argo,
            &[("app/kustomization.yaml", "resources: [one.yaml]\n")],
        );
        let mut branches = Self {
            git,
            commits: BTreeMap::new(),
        };
        for branch in ["main", "dev", "feature/login"] {
            branches.write(branch, &[("app/one.yaml", &shows(branch))]);
        }
        branches
    }

    /// Writes files into a branch, which may be a new one.
    pub(crate) fn write(&mut self, branch: &str, files: &[(&str, &str)]) {
        for (path, text) in files {
            self.git.write(path, text);
        }
        let commit = self.git.commit_to(branch);
        self.commits.insert(branch.to_owned(), commit);
    }

    /// The commit of a branch.
    pub(crate) fn commit(&self, branch: &str) -> &str {
        &self.commits[branch]
    }
}

/// An object that shows its branch.
pub(crate) fn shows(branch: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: one\ndata:\n  branch: {branch}\n")
}

/// Whether Argo CD has deployed a commit and says so: it is compared, in sync, and the last operation was for it and has
/// succeeded.
pub(crate) fn is_synced(application: &Value, commit: &str) -> bool {
    let status = &application["status"];
    let operation = &status["operationState"];
    status["sync"]["status"] == "Synced"
        && status["sync"]["revision"] == commit
        && operation["phase"] == "Succeeded"
        && operation["syncResult"]["revision"] == commit
}

/// Waits until an Application has been brought to something, and returns how long that took since a time.
#[track_caller]
pub(crate) fn wait_since(
    start: Instant,
    world: &World,
    name: &str,
    is_so: impl Fn(&Value) -> bool,
) -> Duration {
    loop {
        let application = world.application(name);
        if is_so(&application) {
            return start.elapsed();
        }
        assert!(
            start.elapsed() < DEADLINE,
            "{name} is not there after {DEADLINE:?}: {application:#}\nthe controller said:\n{}",
            world.words()
        );
        thread::sleep(Duration::from_millis(20));
    }
}
