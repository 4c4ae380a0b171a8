//! Calls of a repo-server.

use std::io::Write as _;
use std::process::Stdio;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::git::Git;
use super::server::{Argo, Plugin, RepoServer};

/// What one call gave.
#[derive(Debug, Deserialize)]
pub(crate) struct Outcome {
    manifests: Option<Vec<String>>,
    pub(crate) parameters: Option<Vec<Value>>,
    #[serde(rename = "sourceType")]
    pub(crate) source_type: String,
    pub(crate) code: String,
    pub(crate) error: String,
    pub(crate) milliseconds: f64,
}

impl Outcome {
    /// The objects, each as the repo-server writes it.
    #[track_caller]
    pub(crate) fn manifests(&self) -> &[String] {
        assert_eq!((self.code.as_str(), self.error.as_str()), ("", ""));
        self.manifests.as_deref().unwrap_or_default()
    }

    /// How long it took.
    pub(crate) fn time(&self) -> Duration {
        Duration::from_secs_f64(self.milliseconds / 1000.0)
    }
}

/// A call for an Application, by default `lamp` of project `home`, with everything new.
#[derive(Clone)]
pub(crate) struct Call<'a> {
    argo: &'a Argo,
    port: u16,
    request: Value,
}

impl<'a> Call<'a> {
    /// A render of a directory of a repository.
    pub(crate) fn new(argo: &'a Argo, git: &Git, path: &str) -> Self {
        let source = json!({"repoURL": git.url(), "targetRevision": "main", "path": path});
        Self {
            argo,
            port: argo.repo_server().port,
            request: json!({
                "call": "generate", "application": "lamp", "project": "home", "namespace": "lamp",
                "source": source, "noCache": true,
            }),
        }
    }

    fn with(mut self, name: &str, value: Value) -> Self {
        self.request[name] = value;
        self
    }

    /// At another repo-server.
    pub(crate) fn at(self, server: &RepoServer) -> Self {
        Self {
            port: server.port,
            ..self
        }
    }

    /// For another Application of another project.
    pub(crate) fn of(self, project: &str, application: &str) -> Self {
        self.with("project", json!(project))
            .with("application", json!(application))
    }

    /// By a plugin.
    pub(crate) fn by(mut self, plugin: &Plugin) -> Self {
        self.request["source"]["plugin"]["name"] = json!(plugin.name);
        self
    }

    /// With objects as parameter `settings`.
    pub(crate) fn settings(self, objects: &[&str]) -> Self {
        self.parameters(json!([{"name": "settings", "array": objects}]))
    }

    /// With parameters of the plugin.
    pub(crate) fn parameters(mut self, parameters: Value) -> Self {
        self.request["source"]["plugin"]["parameters"] = parameters;
        self
    }

    /// With a variable in the plugin's environment.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        let list = &mut self.request["source"]["plugin"]["env"];
        if list.is_null() {
            *list = json!([]);
        }
        list.as_array_mut()
            .unwrap()
            .push(json!({"name": name, "value": value}));
        self
    }

    /// With Kustomize options of Argo CD's own.
    pub(crate) fn kustomize(mut self, options: Value) -> Self {
        self.request["source"]["kustomize"] = options;
        self
    }

    /// What is in the cache will do.
    pub(crate) fn cached(self) -> Self {
        self.with("noCache", json!(false))
    }

    /// With a deadline.
    pub(crate) fn within(self, time: Duration) -> Self {
        let time = u64::try_from(time.as_millis()).unwrap();
        self.with("timeout", json!(time))
    }

    /// Hung up after a time.
    pub(crate) fn cancelled_after(self, time: Duration) -> Self {
        let time = u64::try_from(time.as_millis()).unwrap();
        self.with("cancelAfter", json!(time))
    }

    /// Of files that the caller sends along.
    pub(crate) fn uploading(self, git: &Git) -> Self {
        self.with("call", json!("upload"))
            .with("directory", json!(git.work()))
    }

    /// For what Argo CD's user interface shows.
    pub(crate) fn details(self) -> Self {
        self.with("call", json!("details"))
    }

    /// So often, so many at a time.
    #[track_caller]
    pub(crate) fn many(self, count: usize, parallel: usize) -> Vec<Outcome> {
        let request = self
            .with("count", json!(count))
            .with("parallel", json!(parallel));
        request.make()
    }

    /// Once.
    #[track_caller]
    pub(crate) fn once(&self) -> Outcome {
        let mut outcomes = self.make();
        assert_eq!(outcomes.len(), 1);
        outcomes.remove(0)
    }

    /// Once; must fail with this text.
    #[track_caller]
    pub(crate) fn fails(&self, expected: &str) {
        let outcome = self.once();
        assert_eq!(outcome.error, expected);
        assert_eq!(outcome.manifests.unwrap_or_default(), Vec::<String>::new());
    }

    #[track_caller]
    fn make(&self) -> Vec<Outcome> {
        let mut client = self
            .argo
            .client()
            .arg(format!("127.0.0.1:{}", self.port))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = client.stdin.take().unwrap();
        writeln!(input, "{}", self.request).unwrap();
        drop(input);
        let output = client.wait_with_output().unwrap();
        assert!(output.status.success());
        let mut answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        serde_json::from_value(answer["results"].take()).unwrap()
    }
}
