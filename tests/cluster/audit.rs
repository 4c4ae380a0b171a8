//! What the server was asked for, by its audit log.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use k8s_openapi::api::core::v1::ConfigMap;
use serde_json::Value;

use crate::cluster::Cluster;
use crate::kubeconfig::User;

/// The log of a cluster.
pub(crate) struct Audit<'a> {
    cluster: &'a Cluster,
}

impl<'a> Audit<'a> {
    /// The file in the cluster's directory.
    pub(crate) const FILE: &'static str = "audit.log";

    /// The controller's account, where it is installed.
    const ACCOUNT: &'static str = "system:serviceaccount:argocd-infisical:controller";

    /// A line for each request for a `ConfigMap` or a Secret, written before it is answered, and one for each write of an
    /// Application by the controller, with what it said and whether that was done.
    pub(crate) const POLICY: &'static str = "apiVersion: audit.k8s.io/v1
kind: Policy
rules:
- level: Metadata
  omitStages: [ResponseStarted, ResponseComplete, Panic]
  resources:
  - group: \"\"
    resources: [configmaps, secrets]
- level: Request
  omitStages: [RequestReceived, ResponseStarted, Panic]
  users: [controller, 'system:serviceaccount:argocd-infisical:controller']
  verbs: [create, update, patch, delete, deletecollection]
  resources:
  - group: argoproj.io
    resources: [\"*\"]
- level: None
";

    pub(crate) fn new(cluster: &'a Cluster) -> Self {
        Self { cluster }
    }

    /// What a user asked for in a namespace: verb, resource and name, in order.
    pub(crate) fn requests(&self, user: User, namespace: &str) -> Vec<String> {
        let text = self.whole();
        let is_theirs = |event: &Value| {
            event["user"]["username"] == user.name
                && event["objectRef"]["namespace"] == namespace
                && event["objectRef"]["apiGroup"].is_null()
        };
        let events = text.lines().map(|line| serde_json::from_str(line).unwrap());
        events
            .filter(is_theirs)
            .map(|event: Value| {
                let of = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                let object = &event["objectRef"];
                [&event["verb"], &object["resource"], &object["name"]]
                    .map(of)
                    .join(" ")
            })
            .collect()
    }

    /// What the controller wrote, or tried to write, on Argo CD's objects in a namespace, in order.
    pub(crate) fn writes(&self, namespace: &str) -> Vec<Write> {
        let text = self.whole();
        let is_theirs = |event: &Value| {
            let object = &event["objectRef"];
            let user = &event["user"]["username"];
            (user == User::CONTROLLER.name || user == Self::ACCOUNT)
                && object["namespace"] == namespace
                && object["apiGroup"] == "argoproj.io"
        };
        let events = text.lines().map(|line| serde_json::from_str(line).unwrap());
        let events: Vec<Value> = events.filter(is_theirs).collect();
        events.iter().map(Write::of).collect()
    }

    /// Waits until a user has asked for so much in a namespace.
    pub(crate) fn wait_for_requests(&self, user: User, namespace: &str, count: usize) {
        let start = Instant::now();
        while self.requests(user, namespace).len() < count {
            assert!(start.elapsed() < Duration::from_secs(20), "it does not ask");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// The log with everything in it that was answered before: a request that the log must show is the last one.
    fn whole(&self) -> String {
        static MARKS: AtomicUsize = AtomicUsize::new(0);
        let mark = format!("mark-{}", MARKS.fetch_add(1, Ordering::Relaxed));
        let absent = self.cluster.admin().get::<ConfigMap>("default", &mark);
        assert!(absent.is_err());
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(10) {
            let text = fs::read_to_string(self.cluster.path(Self::FILE)).unwrap_or_default();
            let is_there = text.contains(&format!("\"name\":\"{mark}\""));
            if is_there && text.ends_with('\n') {
                return text;
            }
            thread::sleep(Duration::from_millis(20));
        }
        panic!("the audit log does not show a request");
    }
}

/// A request that would write.
#[derive(Clone, Debug)]
pub(crate) struct Write {
    pub(crate) verb: String,
    pub(crate) resource: String,
    pub(crate) name: String,
    /// The operations of the patch.
    pub(crate) operations: Vec<Value>,
    /// The HTTP status of the answer.
    pub(crate) code: u64,
    /// When the server got it.
    pub(crate) at: Timestamp,
}

impl Write {
    fn of(event: &Value) -> Self {
        let of = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let object = &event["objectRef"];
        Self {
            verb: of(&event["verb"]),
            resource: of(&object["resource"]),
            name: of(&object["name"]),
            operations: match &event["requestObject"] {
                Value::Array(operations) => operations.clone(),
                other => vec![other.clone()],
            },
            code: event["responseStatus"]["code"].as_u64().unwrap_or_default(),
            at: of(&event["requestReceivedTimestamp"]).parse().unwrap(),
        }
    }

    /// Whether it would change a revision.
    pub(crate) fn is_of_revision(&self) -> bool {
        self.operations.iter().any(|operation| {
            let path = operation["path"].as_str().unwrap_or("targetRevision");
            // A whole source, or something that is no JSON Patch, may well have one.
            let is_source = !operation["op"].is_string()
                || path == "/spec"
                || path.ends_with("/source")
                || path.ends_with("/sources");
            operation["op"] != "test" && (is_source || path.ends_with("/targetRevision"))
        })
    }
}
