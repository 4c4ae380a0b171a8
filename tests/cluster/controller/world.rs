//! A world of a test's own: namespaces, rights, a policy, and controllers.

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::{ConfigMap, Namespace as NamespaceObject};
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use kube::api::Patch;
use serde_json::{Value, json};

use super::objects::Written;
use super::observer::{self, Observer};
use super::process::{Controller, Start};
use crate::access::{Access, Kind};
use crate::argocd::definitions;
use crate::audit::Write;
use crate::cluster::{Cluster, cluster, unsteady_cluster};
use crate::kubeconfig::User;
use crate::tools;
use crate::watchdog::Watchdog;
use crate::workspace::{Run, run_in};

/// What anything may take that is waited for; it is less than a second on an idle machine.
const DEADLINE: Duration = Duration::from_mins(1);

/// The repository of Applications that nobody deploys.
pub(crate) const REPOSITORY: &str = "https://git.example.org/home.git";

/// The bytes of the digest's key.
pub(crate) const DIGEST_KEY: [u8; 32] = [7; 32];

/// A world.
pub(crate) struct World {
    pub(crate) cluster: &'static Cluster,
    pub(crate) admin: Access,
    /// Argo CD's namespace.
    pub(crate) argocd: String,
    /// The controller's own namespace.
    pub(crate) own: String,
    name: String,
    directory: PathBuf,
    watchdog: Mutex<Watchdog>,
    policy: Mutex<Value>,
    fences: AtomicUsize,
}

impl World {
    /// Makes one, whose name must be the test's own; `None`, visibly, where programs are missing.
    #[track_caller]
    pub(crate) fn new(name: &str) -> Option<Self> {
        let argocd = format!("{name}-argocd");
        let cluster = cluster()?;
        definitions::define(cluster)?;
        create_namespace(&cluster.admin(), &argocd);
        Some(Self::around(cluster, name, &argocd))
    }

    /// Makes one in a cluster whose programs may be stopped, as long as it is this test's turn.
    #[track_caller]
    pub(crate) fn unsteady(name: &str) -> Option<(Self, MutexGuard<'static, ()>)> {
        static DEFINED: OnceLock<()> = OnceLock::new();
        let argocd = tools::find("argocd", "ARGOCD")?;
        let (cluster, turn) = unsteady_cluster()?;
        DEFINED.get_or_init(|| definitions::define_once(cluster, &argocd));
        let namespace = format!("{name}-argocd");
        create_namespace(&cluster.admin(), &namespace);
        Some((Self::around(cluster, name, &namespace), turn))
    }

    /// Makes one around a namespace of Argo CD that is there.
    pub(crate) fn around(cluster: &'static Cluster, name: &str, argocd: &str) -> Self {
        let own = format!("{name}-own");
        let policy = json!({
            "apiVersion": "argocd-infisical.io/v1alpha1",
            "kind": "ControllerPolicy",
            "argocdNamespace": argocd,
            "ownNamespace": own,
            "applicationNamespaces": [argocd],
            "overrideNamespaces": [own],
        });
        let world = Self::with(cluster, name, [argocd, &own], policy);
        create_namespace(&world.admin, &world.own);
        world.allow_argocd();
        world.allow_own();
        world
    }

    /// Makes one of an installation by the manifests, with its namespaces, Roles and accounts, and a policy.
    pub(crate) fn installed(cluster: &'static Cluster, policy: Value) -> Self {
        Self::with(cluster, "installed", ["argocd", "argocd-infisical"], policy)
    }

    fn with(
        cluster: &'static Cluster,
        name: &str,
        [argocd, own]: [&str; 2],
        policy: Value,
    ) -> Self {
        let directory = tempfile::Builder::new()
            .prefix("argocd-infisical-controller-")
            .tempdir()
            .unwrap()
            .keep();
        let world = Self {
            cluster,
            admin: cluster.admin(),
            argocd: argocd.to_owned(),
            own: own.to_owned(),
            name: name.to_owned(),
            watchdog: Mutex::new(Watchdog::new(&directory)),
            directory,
            policy: Mutex::new(policy),
            fences: AtomicUsize::new(0),
        };
        fs::write(world.directory.join("digest.key"), DIGEST_KEY).unwrap();
        world
    }

    fn allow_argocd(&self) {
        self.allow(&self.argocd, "applications", &applications());
        let rules = json!([
            {"apiGroups": ["argoproj.io"], "resources": ["appprojects"], "verbs": ["get", "list", "watch"]},
            {"apiGroups": ["argoproj.io"], "resources": ["applicationsets"], "verbs": ["get"]},
            {"apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["argocd-cm"], "verbs": ["get"]},
        ]);
        self.allow(&self.argocd, "argocd", &rules);
    }

    /// Lets the controller do what it does in its own namespace.
    pub(crate) fn allow_own(&self) {
        self.allow(&self.own, "objects", &objects());
        let rules = json!([
            {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["get", "create", "update", "patch"]},
            {"apiGroups": ["", "events.k8s.io"], "resources": ["events"], "verbs": ["create", "patch"]},
        ]);
        self.allow(&self.own, "own", &rules);
    }

    /// Lets the controller do something in a namespace.
    pub(crate) fn allow(&self, namespace: &str, name: &str, rules: &Value) {
        let name = format!("controller-{name}");
        let role = json!({"metadata": {"name": name}, "rules": rules});
        self.admin.put::<Role>(namespace, role);
        let binding = json!({
            "metadata": {"name": name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
            "subjects": [{
                "apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": User::CONTROLLER.name,
            }],
        });
        self.admin.put::<RoleBinding>(namespace, binding);
    }

    /// Takes that back.
    pub(crate) fn deny(&self, namespace: &str, name: &str) {
        let name = format!("controller-{name}");
        self.admin.delete::<RoleBinding>(namespace, &name);
    }

    /// Gives the controller back what it may do in Argo CD's namespace or its own.
    pub(crate) fn allow_again(&self, namespace: &str) {
        if namespace == self.own {
            self.allow_own();
        } else {
            self.allow_argocd();
        }
    }

    /// Adds fields to the policy.
    pub(crate) fn policy(&self, fields: Value) {
        let mut policy = self.policy.lock().unwrap();
        let Value::Object(fields) = fields else {
            panic!("fields");
        };
        policy.as_object_mut().unwrap().extend(fields);
    }

    /// Sets the environments: these, and `test` for `settle`; the default of each is `main`, and everything is allowed.
    pub(crate) fn environments<'a>(&self, names: impl IntoIterator<Item = &'a str>) {
        let of = |name: &str| {
            (
                name.to_owned(),
                json!({"default": "main", "allowed": ["*"]}),
            )
        };
        let environments = names.into_iter().chain(["test"]).map(of);
        self.policy(json!({"environments": Value::Object(environments.collect())}));
    }

    /// A further namespace, of a tenant, with Applications and objects.
    pub(crate) fn tenant(&self, name: &str) -> String {
        let namespace = format!("{}-{name}", self.name);
        create_namespace(&self.admin, &namespace);
        self.allow(&namespace, "applications", &applications());
        self.allow(&namespace, "objects", &objects());
        let mut policy = self.policy.lock().unwrap();
        for field in ["applicationNamespaces", "objectNamespaces"] {
            if policy[field].is_null() {
                policy[field] = json!([]);
            }
            policy[field].as_array_mut().unwrap().push(json!(namespace));
        }
        namespace
    }

    /// Starts the controller and waits until it is ready.
    #[track_caller]
    pub(crate) fn start(&self) -> Controller<'_> {
        let controller = self.launch("controller", &[]);
        controller.wait();
        controller
    }

    /// Starts a controller with further flags.
    pub(crate) fn launch(&self, name: &str, flags: &[&str]) -> Controller<'_> {
        self.launch_by(name, self.cluster.kubeconfig(User::CONTROLLER), flags)
    }

    /// Starts a controller with a kubeconfig file of its own.
    pub(crate) fn launch_by(
        &self,
        name: &str,
        kubeconfig: PathBuf,
        flags: &[&str],
    ) -> Controller<'_> {
        self.launch_as(name, None, (kubeconfig, flags))
    }

    /// Starts a controller that is a test, in a process of its own, with a file for its clock.
    pub(crate) fn launch_test<'w>(
        &'w self,
        name: &str,
        (test, clock): (&'static str, &'w Path),
    ) -> Controller<'w> {
        let kubeconfig = self.cluster.kubeconfig(User::CONTROLLER);
        self.launch_as(name, Some((test, clock)), (kubeconfig, &[]))
    }

    fn launch_as<'w>(
        &'w self,
        name: &str,
        test: Option<(&'static str, &'w Path)>,
        (kubeconfig, flags): (PathBuf, &[&str]),
    ) -> Controller<'w> {
        let policy = self.write_policy();
        let key = self.directory.join("digest.key");
        let mut all = Vec::new();
        for (flag, file) in [("--policy", policy), ("--digest-key", key)] {
            if !flags.contains(&flag) {
                all.extend([flag.to_owned(), file.to_str().unwrap().to_owned()]);
            }
        }
        all.extend(flags.iter().map(ToString::to_string));
        Controller::start(Start {
            name: name.to_owned(),
            directory: &self.directory,
            watchdog: &self.watchdog,
            kubeconfig,
            flags: all,
            test,
        })
    }

    /// Creates an Application in Argo CD's namespace.
    pub(crate) fn create(&self, application: Value) {
        self.admin
            .create_of(Kind::APPLICATION, &self.argocd, application);
    }

    /// An Application in Argo CD's namespace.
    #[track_caller]
    pub(crate) fn application(&self, name: &str) -> Value {
        self.application_in(&self.argocd, name)
    }

    #[track_caller]
    pub(crate) fn application_in(&self, namespace: &str, name: &str) -> Value {
        self.admin
            .get_of(Kind::APPLICATION, namespace, name)
            .unwrap()
    }

    /// The revision of an Application with one source.
    #[track_caller]
    pub(crate) fn revision(&self, name: &str) -> String {
        observer::revisions(&self.application(name)).join(" ")
    }

    /// Merges a change into an Application as somebody.
    pub(crate) fn change(&self, name: &str, manager: &str, change: Value) {
        let patch = Patch::Merge(change);
        self.admin
            .patch_of(Kind::APPLICATION, (&self.argocd, name), &patch, manager);
    }

    /// Waits until an Application has a revision.
    #[track_caller]
    pub(crate) fn wait_for_revision(&self, name: &str, revision: &str) {
        self.wait_for_revision_in(&self.argocd, name, revision);
    }

    #[track_caller]
    pub(crate) fn wait_for_revision_in(&self, namespace: &str, name: &str, revision: &str) {
        self.wait_for(&format!("{name} to have {revision}"), || {
            let revisions = observer::revisions(&self.application_in(namespace, name));
            revisions.iter().all(|other| other == revision)
        });
    }

    /// Waits until something is so.
    #[track_caller]
    pub(crate) fn wait_for(&self, what: &str, is_so: impl Fn() -> bool) {
        let start = Instant::now();
        while !is_so() {
            assert!(
                start.elapsed() < DEADLINE,
                "waiting for {what}; the controllers said:\n{}",
                self.words()
            );
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Writes an object into the controller's own namespace.
    pub(crate) fn put(&self, object: &Written) {
        object.put(&self.admin, &self.own);
    }

    /// Writes the `ConfigMap` that tells the controller what people want.
    pub(crate) fn control(&self, values: &Value) {
        let object = json!({"metadata": {"name": "argocd-infisical-controls"}, "data": values});
        self.admin.put::<ConfigMap>(&self.own, object);
    }

    /// Waits until the controller has done all that follows from what was changed before: a new Application has got the
    /// revision of a new Secret, another one that of a new `ConfigMap`, and all of that once more, since the first round may
    /// have been one decision with what came before, whose patches are sent side by side.
    #[track_caller]
    pub(crate) fn settle(&self) {
        for _ in 0..2 {
            let number = self.fences.fetch_add(1, Ordering::Relaxed);
            let names = [
                format!("fence-secret-{number}"),
                format!("fence-map-{number}"),
            ];
            let revision = format!("fence/{number}");
            let secret = Written::of_application(&names[0], "test", &names[0]);
            let map = Written::of_application(&names[1], "test", &names[1]).config_map();
            for name in &names {
                self.create(application(name, "test", "before"));
            }
            self.put(&secret.revision(&revision));
            self.put(&map.revision(&revision));
            for name in &names {
                self.wait_for_revision(name, &revision);
            }
        }
    }

    /// What the controllers wrote on Applications, or tried to, without those that `settle` made.
    pub(crate) fn writes(&self) -> Vec<Write> {
        self.writes_in(&self.argocd)
    }

    pub(crate) fn writes_in(&self, namespace: &str) -> Vec<Write> {
        let mut writes = self.cluster.audit().writes(namespace);
        // Whatever it does, it patches Applications, and nothing else of Argo CD's.
        let is_patch = |write: &Write| write.verb == "patch" && write.resource == "applications";
        assert!(writes.iter().all(is_patch), "{writes:?}");
        writes.retain(|write| !write.name.starts_with("fence-"));
        writes
    }

    /// The writes of revisions alone.
    pub(crate) fn moves(&self) -> Vec<Write> {
        let mut writes = self.writes();
        writes.retain(Write::is_of_revision);
        writes
    }

    /// Those of one Application.
    pub(crate) fn moves_of(&self, name: &str) -> Vec<Write> {
        let mut moves = self.moves();
        moves.retain(|write| write.name == name);
        moves
    }

    /// Looks on from now.
    pub(crate) fn observe(&self) -> Observer {
        Observer::new(self.cluster, &self.argocd)
    }

    /// The Events of an Application: type, reason and message of each.
    pub(crate) fn events(&self, name: &str) -> Vec<String> {
        self.events_in(&self.argocd, name)
    }

    pub(crate) fn events_in(&self, namespace: &str, name: &str) -> Vec<String> {
        let events = self.admin.list_of(Kind::EVENT, namespace).unwrap();
        let of = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        events
            .iter()
            .filter(|event| event["involvedObject"]["name"] == name)
            .map(|event| {
                [&event["type"], &event["reason"], &event["message"]]
                    .map(of)
                    .join(" ")
            })
            .collect()
    }

    /// Waits until an Event of an Application has a text.
    #[track_caller]
    pub(crate) fn wait_for_event(&self, name: &str, text: &str) -> String {
        let found = RefCell::new(String::new());
        self.wait_for(&format!("an Event of {name} with `{text}`"), || {
            let mut events = self.events(name).into_iter();
            let event = events.find(|event| event.contains(text));
            event.is_some_and(|event| {
                found.replace(event);
                true
            })
        });
        found.into_inner()
    }

    /// All that the controllers of this world have said.
    pub(crate) fn logs(&self) -> String {
        let files = fs::read_dir(&self.directory).unwrap().flatten();
        let logs = files.filter(|file| file.path().extension().is_some_and(|end| end == "log"));
        let logs: Vec<String> = logs
            .map(|file| fs::read_to_string(file.path()).unwrap())
            .collect();
        logs.concat()
    }

    /// The same, and all Events in its namespaces.
    pub(crate) fn words(&self) -> String {
        let events = [&self.argocd, &self.own].map(|namespace| {
            let events = self.admin.list_of(Kind::EVENT, namespace).unwrap();
            let lines: Vec<String> = events.iter().map(|event| format!("{event}\n")).collect();
            lines.concat()
        });
        self.logs() + &events.concat()
    }

    /// Runs a command of the binary as the admin, with this world's policy.
    pub(crate) fn command(&self, arguments: &[&str]) -> Run {
        let (policy, kubeconfig) = (self.write_policy(), self.cluster.kubeconfig(User::ADMIN));
        let mut all = arguments.to_vec();
        all.extend(["--policy", policy.to_str().unwrap()]);
        all.extend(["--kubeconfig", kubeconfig.to_str().unwrap()]);
        run_in(&self.directory, &all)
    }

    /// The policy as it stands in the file.
    pub(crate) fn policy_text(&self) -> String {
        self.policy.lock().unwrap().to_string()
    }

    /// A file in the directory that goes with the world.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    fn write_policy(&self) -> PathBuf {
        let policy = self.directory.join("policy.yaml");
        fs::write(&policy, self.policy_text()).unwrap();
        policy
    }
}

fn create_namespace(admin: &Access, name: &str) {
    let object = json!({"metadata": {"name": name}});
    admin.create_global::<NamespaceObject>(object);
}

/// What the controller does with Applications.
fn applications() -> Value {
    json!([
        {"apiGroups": ["argoproj.io"], "resources": ["applications"], "verbs": ["get", "list", "watch", "patch"]},
        {"apiGroups": ["", "events.k8s.io"], "resources": ["events"], "verbs": ["create", "patch"]},
    ])
}

/// What it does with Secrets and `ConfigMap`s.
fn objects() -> Value {
    json!([{"apiGroups": [""], "resources": ["secrets", "configmaps"], "verbs": ["get", "list", "watch"]}])
}

/// An Application with one Git source that syncs itself.
pub(crate) fn application(name: &str, environment: &str, revision: &str) -> Value {
    json!({
        "metadata": {"name": name, "labels": {"argocd-infisical.io/environment": environment}},
        "spec": {
            "project": "default",
            "source": {"repoURL": REPOSITORY, "path": "app", "targetRevision": revision},
            "destination": {"namespace": "default", "server": "https://kubernetes.default.svc"},
            "syncPolicy": {"automated": {}},
        },
    })
}
