//! `render --from-cluster` where the API server is not there, not the right one, slow, or has enough to do.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use k8s_openapi::api::admissionregistration::v1::ValidatingWebhookConfiguration;
use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::api::flowcontrol::v1::{FlowSchema, PriorityLevelConfiguration};
use serde_json::json;

use crate::cluster::{Cluster, cluster};
use crate::kubeconfig::User;
use crate::namespace::Namespace;
use crate::operator::{self, Consent, with_data};
use crate::proxy::{self, Behaviour};
use crate::repository::Repository;

/// A namespace with an object `one` that a user may read.
fn namespace<'a>(cluster: &Cluster, name: &'a str, user: User) -> Namespace<'a> {
    let namespace = Namespace::new(cluster, name);
    namespace.allow(user, "configmaps", &["one"]);
    let map = operator::static_secret("one", &Consent::LAMP);
    namespace.config_map(with_data(map, &[("A", "one")]));
    namespace
}

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn credentials_that_the_server_does_not_know() {
    let Some(cluster) = cluster() else { return };
    namespace(cluster, "stranger", User::SIDECAR);
    let repository = Repository::new();
    let stranger = cluster.kubeconfig(User::STRANGER);
    let expected = format!(
        "error: the API server `127.0.0.1:{}` does not accept the credentials (status 401)\n\
         hint: see whether the token or certificate has expired, and is one of this cluster\n",
        cluster.port()
    );
    assert_eq!(repository.fails(&stranger, &["stranger/one"]), expected);
    // It is no fault of the objects: it is said once, and an optional one is no exception.
    let objects = ["stranger/one", "optional:stranger/two"];
    assert_eq!(repository.fails(&stranger, &objects), expected);
}

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn the_context_decides_who_asks() {
    let Some(cluster) = cluster() else { return };
    namespace(cluster, "context", User::SIDECAR);
    let repository = Repository::new();
    let sidecar = cluster.kubeconfig(User::SIDECAR);
    repository.shows(&sidecar, &["context/one"], ["one", "b"]);
    let told = repository.fails_with(&sidecar, &["context/one"], &["--context", "nobody"]);
    assert!(told.contains("does not let this identity read"), "{told}");
}

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn a_server_whose_certificate_is_not_known_is_not_asked() {
    let Some(cluster) = cluster() else { return };
    let namespace = namespace(cluster, "certificate", User::SIDECAR);
    let text = fs::read_to_string(cluster.kubeconfig(User::SIDECAR)).unwrap();
    let lines = text.lines();
    let kept: Vec<&str> = lines
        .filter(|line| !line.contains("certificate-authority"))
        .collect();
    let repository = Repository::new();
    let file = cluster.path("without-authority.kubeconfig");
    fs::write(&file, kept.join("\n")).unwrap();
    let told = repository.fails(&file, &["certificate/one"]);
    let expected = format!(
        "error: cannot read settings from the API server `127.0.0.1:{}`: ",
        cluster.port()
    );
    assert!(told.starts_with(&expected), "{told}");
    assert!(told.contains("certificate"), "{told}");
    let requests = cluster.audit().requests(User::SIDECAR, namespace.name);
    assert!(requests.is_empty(), "{requests:?}");
}

/// The kubeconfig of the sidecar for another port.
fn behind(cluster: &Cluster, behaviour: Behaviour) -> (PathBuf, u16) {
    let port = proxy::start(cluster.port(), behaviour);
    (cluster.kubeconfig_at(User::SIDECAR, port), port)
}

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn a_server_that_is_not_there_or_says_nothing() {
    let Some(cluster) = cluster() else { return };
    namespace(cluster, "gone", User::SIDECAR);
    let repository = Repository::new();
    let fails = |kubeconfig: &Path, port: u16, cause: &str| {
        let expected = format!(
            "error: cannot read settings from the API server `127.0.0.1:{port}`: {cause}\n\
             hint: see whether the API server runs and can be reached from here\n"
        );
        let objects = ["gone/one", "optional:gone/two"];
        assert_eq!(repository.fails(kubeconfig, &objects), expected);
    };
    let closed = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = closed.local_addr().unwrap().port();
    drop(closed);
    let kubeconfig = cluster.kubeconfig_at(User::SIDECAR, port);
    fails(&kubeconfig, port, "connection refused");
    let (kubeconfig, port) = behind(cluster, Behaviour::Silent);
    fails(&kubeconfig, port, "it does not answer in time");
}

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn a_server_that_is_slow_or_breaks_off_is_waited_for() {
    let Some(cluster) = cluster() else { return };
    namespace(cluster, "slow", User::SIDECAR);
    let repository = Repository::new();
    let slow = Behaviour::Slow(Duration::from_millis(1_500));
    let (kubeconfig, _) = behind(cluster, slow);
    repository.shows(&kubeconfig, &["slow/one"], ["one", "b"]);
    for closed in [1, 3] {
        let (kubeconfig, _) = behind(cluster, Behaviour::Flaky(closed));
        repository.shows(&kubeconfig, &["slow/one"], ["one", "b"]);
    }
    let (kubeconfig, port) = behind(cluster, Behaviour::Flaky(usize::MAX));
    let told = repository.fails(&kubeconfig, &["slow/one"]);
    assert!(
        told.starts_with(&format!(
            "error: cannot read settings from the API server `127.0.0.1:{port}`: "
        )),
        "{told}"
    );
}

/// What is written in two pieces goes out at once: a client that waits until the server has confirmed the first one (Nagle's
/// algorithm) waits 40 ms for it, with every connection.
#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn a_request_does_not_wait_for_a_confirmation() {
    let Some(cluster) = cluster() else { return };
    namespace(cluster, "at-once", User::SIDECAR);
    let repository = Repository::new();
    let (port, silences) = proxy::start_listening(cluster.port());
    let kubeconfig = cluster.kubeconfig_at(User::SIDECAR, port);
    // The machine may do something else in between; it does not do so every time.
    let shortest = (0..8).map(|_| {
        repository.shows(&kubeconfig, &["at-once/one"], ["one", "b"]);
        silences.recv_timeout(Duration::from_secs(10)).unwrap()
    });
    let shortest = shortest.min().unwrap();
    assert!(shortest < Duration::from_millis(30), "{shortest:?}");
}

/// The server's own priority and fairness lets one request of a user through at a time, and refuses the others.
#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn a_server_that_has_enough_to_do_is_asked_again() {
    let Some(cluster) = cluster() else { return };
    let namespace = namespace(cluster, "throttled", User::THROTTLED);
    let may_create = json!({"apiGroups": [""], "resources": ["configmaps"], "verbs": ["create"]});
    namespace.bind(User::THROTTLED, "creator", &may_create);
    take_seats(cluster, User::THROTTLED);
    make_creation_slow(cluster, namespace.name);
    let repository = Repository::new();
    let kubeconfig = cluster.kubeconfig(User::THROTTLED);

    let busy = Busy::start(cluster, namespace.name, Duration::from_secs(8));
    let told = repository.fails(&kubeconfig, &["throttled/one"]);
    let expected = format!(
        "error: cannot read settings from the API server `127.0.0.1:{}`: it answers with status 429\n",
        cluster.port()
    );
    assert!(told.starts_with(&expected), "{told}");
    busy.join();

    // However short the time is that is left, it is asked again.
    for time in [Duration::from_millis(1_200), Duration::from_millis(3_800)] {
        let asked = || cluster.audit().requests(User::THROTTLED, namespace.name);
        let busy = Busy::start(cluster, namespace.name, time);
        let before = asked().len();
        repository.shows(&kubeconfig, &["throttled/one"], ["one", "b"]);
        let gets = asked().split_off(before);
        let gets = gets
            .iter()
            .filter(|request| *request == "get configmaps one");
        assert!(gets.count() > 1, "it asked once");
        busy.join();
    }
}

/// Leaves a user the one request that is always let through.
fn take_seats(cluster: &Cluster, user: User) {
    let admin = cluster.admin();
    let limited = json!({
        "nominalConcurrencyShares": 0,
        "lendablePercent": 0,
        "borrowingLimitPercent": 0,
        "limitResponse": {"type": "Reject"},
    });
    admin.create_global::<PriorityLevelConfiguration>(json!({
        "metadata": {"name": "no-seats"},
        "spec": {"type": "Limited", "limited": limited},
    }));
    let everything =
        json!({"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"], "namespaces": ["*"]});
    let subject = json!({"kind": "User", "user": {"name": user.name}});
    admin.create_global::<FlowSchema>(json!({
        "metadata": {"name": "no-seats"},
        "spec": {
            "matchingPrecedence": 10,
            "priorityLevelConfiguration": {"name": "no-seats"},
            "rules": [{"subjects": [subject], "resourceRules": [everything]}],
        },
    }));
}

/// Lets the server ask somebody who says nothing before it creates anything in a namespace.
fn make_creation_slow(cluster: &Cluster, namespace: &str) {
    let port = proxy::start(cluster.port(), Behaviour::Silent);
    let rule = json!({"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]});
    let webhook = json!({
        "name": "silent.argocd-infisical.io",
        "clientConfig": {"url": format!("https://127.0.0.1:{port}/")},
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
        "rules": [rule],
        "timeoutSeconds": 30,
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
    });
    let configuration = json!({"metadata": {"name": "silent"}, "webhooks": [webhook]});
    let admin = cluster.admin();
    admin.create_global::<ValidatingWebhookConfiguration>(configuration);
}

/// A request that keeps the server busy with a user for a time.
struct Busy(JoinHandle<()>);

impl Busy {
    /// Begins one and waits until the server refuses another one.
    fn start(cluster: &'static Cluster, namespace: &'static str, time: Duration) -> Self {
        let holder = thread::spawn(move || {
            let access = cluster.access(User::THROTTLED);
            // Before the server goes by what it has been told, and while it is asked below, it answers at once.
            while access.try_create::<ConfigMap>(
                namespace,
                json!({"metadata": {"generateName": "busy-"}}),
                time,
            ) {
                thread::sleep(Duration::from_millis(20));
            }
        });
        let throttled = cluster.access(User::THROTTLED);
        let start = Instant::now();
        loop {
            match throttled.get::<ConfigMap>(namespace, "one") {
                Err(kube::Error::Api(status)) if status.code == 429 => return Self(holder),
                _ => assert!(start.elapsed() < Duration::from_secs(20), "it is not busy"),
            }
            thread::sleep(Duration::from_millis(50));
        }
    }

    fn join(self) {
        self.0.join().unwrap();
    }
}
