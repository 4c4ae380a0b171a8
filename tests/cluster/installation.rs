//! A cluster with `manifests/install` in it, and what the API server answers to anybody.

use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

use crate::cluster::{Cluster, another_cluster};
use crate::kubeconfig::User;
use crate::tools;
use crate::workspace::Workspace;

/// What the server may take until it goes by what was written; it is milliseconds.
const DEADLINE: Duration = Duration::from_secs(20);

static INSTALLATION: OnceLock<Option<Installation>> = OnceLock::new();

/// The installation that all its tests share; `None`, visibly, where the programs are missing.
#[track_caller]
pub(crate) fn installation() -> Option<&'static Installation> {
    INSTALLATION.get_or_init(Installation::new).as_ref()
}

/// A cluster of its own with Argo CD's types and the controller's manifests.
pub(crate) struct Installation {
    cluster: Cluster,
    token: String,
}

impl Installation {
    /// One more, where a test writes in earnest; `None`, visibly, where the programs are missing.
    #[track_caller]
    pub(crate) fn new() -> Option<Self> {
        let argo_cd = tools::argo_cd_manifests("argocd")?;
        let cluster = another_cluster()?;
        let admin = Caller::new(&cluster, User::ADMIN.token);
        for name in ["application", "applicationset", "appproject"] {
            let text = fs::read_to_string(argo_cd.join(format!("crds/{name}-crd.yaml"))).unwrap();
            admin.apply(&serde_saphyr::from_str(&text).unwrap());
        }
        for name in ["argocd", "home", "team"] {
            admin.apply(&namespace(name));
        }
        let workspace = Workspace::of_manifests();
        for object in objects(&workspace.prints(&["build", "manifests/install"])) {
            admin.apply(&object);
        }
        // A type that was created just now cannot be listed at once.
        for resource in ["applications", "applicationsets", "appprojects"] {
            let path = format!("/apis/argoproj.io/v1alpha1/{resource}");
            wait_until(|| admin.send("GET", &path, "", &json!({})).is_ok());
        }
        let token = token(&admin, "argocd-infisical", "controller");
        Some(Self { cluster, token })
    }

    /// Who may do everything.
    pub(crate) fn admin(&self) -> Caller {
        Caller::new(&self.cluster, User::ADMIN.token)
    }

    /// The cluster.
    pub(crate) const fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// Who holds the token of an account.
    pub(crate) fn caller(&self, namespace: &str, account: &str) -> Caller {
        Caller::new(&self.cluster, &token(&self.admin(), namespace, account))
    }

    /// The kubeconfig file of a user.
    pub(crate) fn kubeconfig_of(&self, user: User) -> PathBuf {
        self.cluster.kubeconfig(user)
    }

    /// A kubeconfig file with the token of the controller, in the directory that goes with the cluster.
    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.kubeconfig_with("controller", &self.token)
    }

    /// One with the token of an account.
    pub(crate) fn kubeconfig_of_account(&self, namespace: &str, account: &str) -> PathBuf {
        self.kubeconfig_with(account, &token(&self.admin(), namespace, account))
    }

    fn kubeconfig_with(&self, name: &str, token: &str) -> PathBuf {
        let text = fs::read_to_string(self.cluster.kubeconfig(User::ADMIN)).unwrap();
        let path = self.cluster.path(&format!("{name}.kubeconfig"));
        fs::write(&path, text.replace(User::ADMIN.token, token)).unwrap();
        path
    }

    /// Who holds the token of the controller.
    pub(crate) fn controller(&self) -> Caller {
        Caller::new(&self.cluster, &self.token)
    }
}

/// A token of an account.
fn token(admin: &Caller, namespace: &str, account: &str) -> String {
    let path = format!("/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token");
    let review =
        json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}});
    let token = admin.send("POST", &path, "application/json", &review);
    token.unwrap()["status"]["token"].as_str().unwrap().into()
}

/// Every object of a stream.
pub(crate) fn objects(built: &str) -> Vec<Value> {
    let documents = built.split("\n---\n");
    documents
        .map(|text| serde_saphyr::from_str(text).unwrap())
        .collect()
}

pub(crate) fn namespace(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
}

/// What the server says instead: the HTTP status, and a message.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) code: u16,
    pub(crate) message: String,
}

/// Somebody with a token.
pub(crate) struct Caller {
    runtime: Runtime,
    client: Client,
}

impl Caller {
    pub(crate) fn new(cluster: &Cluster, token: &str) -> Self {
        let text = fs::read_to_string(cluster.kubeconfig(User::ADMIN)).unwrap();
        let file = Kubeconfig::from_yaml(&text.replace(User::ADMIN.token, token)).unwrap();
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let client = runtime.block_on(async {
            let options = KubeConfigOptions::default();
            let mut config = Config::from_custom_kubeconfig(file, &options)
                .await
                .unwrap();
            config.proxy_url = None;
            config.default_retry = false;
            Client::try_from(config).unwrap()
        });
        Self { runtime, client }
    }

    /// Sends a request.
    ///
    /// # Errors
    /// What the server says instead of doing it.
    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        content: &str,
        body: &Value,
    ) -> Result<Value, Refusal> {
        let body = if method == "GET" || method == "DELETE" {
            Vec::new()
        } else {
            serde_json::to_vec(body).unwrap()
        };
        let request = http::Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", content)
            .body(body);
        let answer = self.client.request::<Value>(request.unwrap());
        self.runtime.block_on(answer).map_err(|error| match error {
            kube::Error::Api(status) => Refusal {
                code: status.code,
                message: status.message.clone(),
            },
            error => panic!("{method} {path}: {error}"),
        })
    }

    /// Applies an object, as soon as the server knows its kind.
    #[track_caller]
    pub(crate) fn apply(&self, object: &Value) {
        self.applied(object, "");
    }

    /// Has the server check an object, as it would be applied.
    #[track_caller]
    pub(crate) fn would_apply(&self, object: &Value) {
        self.applied(object, "&dryRun=All&fieldValidation=Strict");
    }

    #[track_caller]
    fn applied(&self, object: &Value, options: &str) {
        let path = format!("{}?fieldManager=test&force=true{options}", path(object));
        let start = Instant::now();
        loop {
            match self.send("PATCH", &path, "application/apply-patch+yaml", object) {
                // A type that was created just now.
                Err(Refusal { code: 404, .. }) if start.elapsed() < DEADLINE => {
                    thread::sleep(Duration::from_millis(50));
                }
                applied => {
                    applied.unwrap_or_else(|refusal| panic!("{path}: {}", refusal.message));
                    return;
                }
            }
        }
    }

    /// What a JSON Patch of an Application in Argo CD's namespace would come to.
    ///
    /// # Errors
    /// What the server says instead of doing it.
    pub(crate) fn would_patch(&self, name: &str, operations: &Value) -> Result<Value, Refusal> {
        self.would_change(name, "application/json-patch+json", operations)
    }

    /// An Application in Argo CD's namespace, as it is.
    #[track_caller]
    pub(crate) fn application(&self, name: &str) -> Value {
        let path = format!("/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/{name}");
        self.send("GET", &path, "", &json!({})).unwrap()
    }

    /// What a patch of some kind would come to.
    ///
    /// # Errors
    /// What the server says instead of doing it.
    pub(crate) fn would_change(
        &self,
        name: &str,
        content: &str,
        patch: &Value,
    ) -> Result<Value, Refusal> {
        let address = format!(
            "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/{name}?dryRun=All&fieldManager=argocd-infisical{}",
            if content.contains("apply") {
                "&force=true"
            } else {
                ""
            }
        );
        self.send("PATCH", &address, content, patch)
    }
}

/// Calls until it is so.
#[track_caller]
pub(crate) fn wait_until(is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < DEADLINE, "it never is");
        thread::sleep(Duration::from_millis(50));
    }
}

/// Where an object is at the API server.
fn path(object: &Value) -> String {
    let of = |field: &Value| field.as_str().map(ToOwned::to_owned);
    let version = of(&object["apiVersion"]).unwrap();
    let kind = of(&object["kind"]).unwrap().to_lowercase();
    let plural = match kind.strip_suffix('y') {
        Some(start) => format!("{start}ies"),
        None if kind.ends_with('s') => kind + "es",
        None => kind + "s",
    };
    let root = if version.contains('/') { "apis" } else { "api" };
    let name = of(&object["metadata"]["name"]).unwrap();
    match of(&object["metadata"]["namespace"]) {
        Some(namespace) => format!("/{root}/{version}/namespaces/{namespace}/{plural}/{name}"),
        None => format!("/{root}/{version}/{plural}/{name}"),
    }
}
