//! An installation that is well, out of the manifests as they are shipped, to plant faults in.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::coordination::v1::Lease;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::doctor::seen::{
    Access, Admission, Connection, Data, DescribedApplication, Files, KeyPrint, Operator, Part,
    Seen, Synced, Unreadable, Workload, Workloads,
};
use crate::doctor::{Finding, examine, mounted_in, pod};
use crate::settings::object::{Object, ObjectKind, ObjectName};
use crate::steer::Name;

/// What is shipped for the controller.
const INSTALL: [&str; 5] = [
    include_str!("../../../manifests/install/admission-policy.yaml"),
    include_str!("../../../manifests/install/deployment.yaml"),
    include_str!("../../../manifests/install/role.yaml"),
    include_str!("../../../manifests/install/role-argocd.yaml"),
    include_str!("../../../manifests/components/controller-namespace/objects/role.yaml"),
];
/// What is shipped for the sidecar.
const SIDECAR: [&str; 3] = [
    include_str!("../../../manifests/components/sidecar/rbac.yaml"),
    include_str!("../../../manifests/components/sidecar/policy.yaml"),
    include_str!("../../../manifests/components/sidecar/cmd-params.yaml"),
];
const PATCH: &str = include_str!("../../../manifests/components/sidecar/repo-server.yaml");
const POLICY: &str = include_str!("../../../manifests/install/policy.yaml");
/// What is shipped as examples, in the namespace of the settings.
const HOME: [&str; 3] = [
    include_str!("../../../manifests/examples/settings-access/role.yaml"),
    include_str!("../../../manifests/examples/settings-access/rolebinding.yaml"),
    include_str!("../../../manifests/examples/infisical/settings.yaml"),
];

/// When it is looked at.
pub(super) const NOW: &str = "2026-05-01T12:00:00Z";

/// An installation, as its objects.
pub(super) struct World {
    objects: BTreeMap<String, Value>,
    /// The resources that may not be read, by their plural names.
    pub(super) hidden: BTreeSet<&'static str>,
    /// The resources that the API server does not know.
    pub(super) unknown: BTreeSet<&'static str>,
    /// The keys of digests, by namespace.
    pub(super) keys: BTreeMap<&'static str, Vec<u8>>,
    /// What is not made as its kind is.
    pub(super) odd: Vec<String>,
}

fn documents(text: &str) -> impl Iterator<Item = Value> {
    text.split("\n---\n")
        .map(|text| serde_saphyr::from_str(text).unwrap())
}

impl World {
    /// One that is well.
    pub(super) fn new() -> Self {
        let mut world = Self {
            objects: BTreeMap::new(),
            hidden: BTreeSet::new(),
            unknown: BTreeSet::new(),
            keys: [("argocd", vec![7; 32]), ("argocd-infisical", vec![7; 32])].into(),
            odd: Vec::new(),
        };
        for text in INSTALL {
            for mut object in documents(text) {
                if object["metadata"]["name"] == "argocd-infisical-controller-objects" {
                    object["metadata"]["namespace"] = json!("home");
                }
                world.add(object);
            }
        }
        for text in SIDECAR {
            for mut object in documents(text) {
                object["metadata"]["namespace"] = json!("argocd");
                world.add(object);
            }
        }
        for text in HOME {
            for mut object in documents(text) {
                object["metadata"]["namespace"] = json!("home");
                world.add(object);
            }
        }
        let policy = POLICY.replace("objectNamespaces: []", "objectNamespaces: [home]");
        world.add(json!({
            "kind": "ConfigMap", "metadata": {"namespace": "argocd-infisical", "name": "controller-policy"}, "data": {"policy.yaml": policy},
        }));
        world.argocd();
        world.home();
        world.pods();
        world.set(
            "Deployment/controller",
            "/spec/template/spec/containers/0/image",
            json!("registry.example.org/argocd-infisical:0.1.0"),
        );
        world
    }

    fn argocd(&mut self) {
        let mut repo_server = documents(PATCH).next().unwrap();
        repo_server["metadata"]["namespace"] = json!("argocd");
        let spec = &mut repo_server["spec"]["template"]["spec"];
        spec["serviceAccountName"] = json!("argocd-repo-server");
        spec["automountServiceAccountToken"] = json!(false);
        spec["containers"][0]["image"] = json!("registry.example.org/argocd-infisical:0.1.0");
        let own = json!({
            "name": "argocd-repo-server",
            "image": "quay.io/argoproj/argocd:v3.6.1",
            "env": [{
                "name": "ARGOCD_REPO_SERVER_PLUGIN_TAR_EXCLUSIONS",
                "valueFrom": {"configMapKeyRef": {
                    "name": "argocd-cmd-params-cm", "key": "reposerver.plugin.tar.exclusions", "optional": true,
                }},
            }],
            "volumeMounts": [{"name": "plugins", "mountPath": "/home/argocd/cmp-server/plugins"}],
        });
        spec["containers"].as_array_mut().unwrap().insert(0, own);
        let volumes = spec["volumes"].as_array_mut().unwrap();
        volumes.extend(["var-files", "plugins"].map(|name| json!({"name": name, "emptyDir": {}})));
        self.add(repo_server);
        self.add(json!({"kind": "ConfigMap", "metadata": {"namespace": "argocd", "name": "argocd-cm"}, "data": {}}));
        self.add(json!({"kind": "AppProject", "metadata": {"namespace": "argocd", "name": "home"}, "spec": {}}));
        self.add(json!({
            "kind": "Lease",
            "metadata": {"namespace": "argocd-infisical", "name": "argocd-infisical"},
            "spec": {"holderIdentity": "one", "leaseDurationSeconds": 15, "renewTime": "2026-05-01T11:59:55.000000Z"},
        }));
        self.add(json!({
            "kind": "Application",
            "metadata": {
                "namespace": "argocd", "name": "homeassistant", "labels": {"argocd-infisical.io/environment": "dev"},
            },
            "spec": {
                "project": "home",
                "source": {
                    "repoURL": "https://git.example.org/home.git",
                    "path": "overlays/dev",
                    "targetRevision": "dev",
                    "plugin": {
                        "name": "argocd-infisical",
                        "parameters": [{"name": "settings", "array": ["secret:home/homeassistant-settings"]}],
                    },
                },
                "syncPolicy": {"automated": {"selfHeal": true}, "retry": {"limit": 5}},
            },
        }));
    }

    fn home(&mut self) {
        self.add(json!({
            "kind": "Secret",
            "metadata": {
                "namespace": "home",
                "name": "homeassistant-settings",
                "labels": {"argocd-infisical.io/settings": "true"},
                "annotations": {
                    "argocd-infisical.io/allowed": "home/homeassistant",
                    "argocd-infisical.io/keys": "HOSTNAME, REPLICAS",
                    "secrets.infisical.com/version": "1",
                },
            },
            "data": {"HOSTNAME": "hunter2", "REPLICAS": "hunter2"},
        }));
        self.add(json!({
            "kind": "Secret",
            "metadata": {
                "namespace": "argocd-infisical", "name": "revisions", "labels": {"argocd-infisical.io/environment": "dev"},
            },
            "data": {"ARGOCD_TARGET_REVISION": "dev"},
        }));
        self.set(
            "InfisicalStaticSecret/homeassistant-settings",
            "/status/conditions",
            json!([{"type": "secrets.infisical.com/LastReconcileStatus", "status": "True"}]),
        );
    }

    fn pods(&mut self) {
        self.add(json!({
            "kind": "Deployment",
            "metadata": {
                "namespace": "home", "name": "homeassistant",
                "annotations": {
                    "secret.reloader.stakater.com/reload": "configuration",
                    "kubectl.kubernetes.io/last-applied-configuration": r#"{"spec":{"template":{"spec":{"containers":[{"name":"app"}]}}}}"#,
                },
            },
            "spec": {"selector": {}, "template": {"spec": {
                "containers": [{"name": "app", "image": "example.org/app:1"}],
                "volumes": [
                    {"name": "configuration", "secret": {
                        "secretName": "configuration", "items": [{"key": "configuration.yaml", "path": "configuration.yaml"}],
                    }},
                    {"name": "other", "configMap": {"name": "other", "optional": true}},
                    {"name": "tmp", "emptyDir": {}},
                ],
            }}},
        }));
        // Of values that say no revision nothing is read but their length.
        self.add(json!({
            "kind": "Secret",
            "metadata": {
                "namespace": "home", "name": "configuration", "annotations": {"secrets.infisical.com/version": "1"},
            },
            "data": {"configuration.yaml": "900000", "secrets.yaml": "", "more.yaml": "43712"},
        }));
        self.add(json!({
            "kind": "Deployment",
            "metadata": {"namespace": "reloader", "name": "reloader"},
            "spec": {"selector": {}, "template": {"spec": {"containers": [{
                "name": "reloader",
                "image": "ghcr.io/stakater/reloader:v1.4.21",
                "args": ["--reload-on-create=true", "--sync-after-restart=true"],
            }]}}},
        }));
    }

    /// Adds an object, or puts it in the place of another one.
    pub(super) fn add(&mut self, object: Value) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (kind, name) = (text(&object["kind"]), text(&object["metadata"]["name"]));
        let mut key = format!("{kind}/{name}");
        // The application and its namespace go by the short name; Roles of a name are told apart.
        if self
            .objects
            .get(&key)
            .is_some_and(|other| other["metadata"]["namespace"] != object["metadata"]["namespace"])
        {
            key = format!("{kind}/{}/{name}", text(&object["metadata"]["namespace"]));
        }
        self.objects.insert(key, object);
    }

    /// Takes an object away.
    pub(super) fn remove(&mut self, key: &str) {
        assert!(self.objects.remove(key).is_some(), "there is no {key}");
    }

    /// Sets a field of an object, with what is above it.
    pub(super) fn set(&mut self, key: &str, pointer: &str, value: Value) {
        let mut place = self
            .objects
            .get_mut(key)
            .unwrap_or_else(|| panic!("there is no {key}"));
        for token in pointer.split('/').skip(1) {
            let token = token.replace("~1", "/").replace("~0", "~");
            if let Value::Array(items) = place {
                let index: usize = token.parse().unwrap();
                if index == items.len() {
                    items.push(Value::Null);
                }
                place = &mut items[index];
            } else {
                place = &mut place[token];
            }
        }
        *place = value;
    }

    /// Takes a field of an object away.
    pub(super) fn unset(&mut self, key: &str, pointer: &str) {
        let (above, token) = pointer.rsplit_once('/').unwrap();
        let object = self.objects.get_mut(key).unwrap();
        let above = object.pointer_mut(above).unwrap();
        let gone = match above {
            Value::Array(items) => Some(items.remove(token.parse().unwrap())),
            above => above
                .as_object_mut()
                .unwrap()
                .remove(&token.replace("~1", "/")),
        };
        assert!(gone.is_some(), "{key} has no {pointer}");
    }

    /// Takes what is mounted at a path out of the sidecar.
    pub(super) fn unmount(&mut self, path: &str) {
        let object = self
            .objects
            .get_mut("Deployment/argocd-repo-server")
            .unwrap();
        let mounts = object
            .pointer_mut("/spec/template/spec/containers/1/volumeMounts")
            .unwrap();
        mounts
            .as_array_mut()
            .unwrap()
            .retain(|mount| mount["mountPath"] != path);
    }

    /// Mounts another plugin.yaml in the sidecar.
    pub(super) fn plugin(&mut self, change: impl FnOnce(&mut Value)) {
        let mut plugin: Value =
            serde_saphyr::from_str(include_str!("../../../plugin.yaml")).unwrap();
        change(&mut plugin);
        let text = plugin.to_string();
        self.add(json!({"kind": "ConfigMap", "metadata": {"namespace": "argocd", "name": "plugin"}, "data": {"plugin.yaml": text}}));
        let mount = json!({"name": "plugin", "mountPath": "/home/argocd/cmp-server/config/plugin.yaml", "subPath": "plugin.yaml"});
        let volume = json!({"name": "plugin", "configMap": {"name": "plugin"}});
        let spec = "/spec/template/spec";
        self.set(
            "Deployment/argocd-repo-server",
            &format!("{spec}/containers/1/volumeMounts/7"),
            mount,
        );
        self.set(
            "Deployment/argocd-repo-server",
            &format!("{spec}/volumes/7"),
            volume,
        );
    }

    /// What is found.
    pub(super) fn findings(&self) -> Vec<Finding> {
        examine(&self.seen())
    }

    fn of(&self, kind: &str) -> impl Iterator<Item = &Value> {
        self.objects
            .values()
            .filter(move |object| object["kind"] == kind)
    }

    fn part<T>(&self, plural: &'static str, read: impl FnOnce() -> T) -> Part<T> {
        if self.hidden.contains(plural) {
            return Part::Unreadable(Unreadable {
                what: format!("{plural} in all namespaces"),
                namespace: None,
                cause: "it may not be read (status 403)".into(),
                rule: Some(json!({"apiGroups": ["x"], "resources": [plural], "verbs": ["list"]})),
            });
        }
        if self.unknown.contains(plural) {
            return Part::Absent;
        }
        Part::Known(read())
    }

    fn typed<T: DeserializeOwned>(&self, plural: &'static str, kind: &str) -> Part<Vec<T>> {
        self.part(plural, || {
            self.of(kind)
                .map(|object| serde_json::from_value(object.clone()).unwrap())
                .collect()
        })
    }

    fn read<T>(
        &self,
        plural: &'static str,
        kind: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Part<Vec<T>> {
        self.part(plural, || {
            self.of(kind)
                .map(|object| read(&object.to_string()).unwrap())
                .collect()
        })
    }

    fn named<T>(
        &self,
        plural: &'static str,
        kind: &str,
        read: impl Fn(&Value) -> T,
    ) -> Part<BTreeMap<Name, T>> {
        self.part(plural, || {
            self.of(kind)
                .map(|object| (name(object), read(object)))
                .collect()
        })
    }

    fn get(&self, kind: &str, wanted: &Name) -> Option<&Value> {
        self.of(kind).find(|object| name(object) == *wanted)
    }

    fn data(&self, wanted: &Name) -> Part<Data> {
        let hidden = if wanted.namespace == "argocd" {
            "configmaps-of-argocd"
        } else {
            "configmaps-of-own"
        };
        let found = self.part(hidden, || self.get("ConfigMap", wanted));
        match found {
            Part::Known(None) | Part::Absent => Part::Absent,
            Part::Known(Some(map)) => {
                Part::Known(serde_json::from_value(map["data"].clone()).unwrap_or_default())
            }
            Part::Unreadable(unreadable) => Part::Unreadable(unreadable),
        }
    }

    fn outlines(
        &self,
        plural: &'static str,
        kind: ObjectKind,
    ) -> Part<BTreeMap<ObjectName, Object>> {
        let of = |object: &Value| {
            let map = |field: &Value| serde_json::from_value(field.clone()).unwrap_or_default();
            let data: BTreeMap<String, String> = map(&object["data"]);
            Object {
                labels: map(&object["metadata"]["labels"]),
                annotations: map(&object["metadata"]["annotations"]),
                data: data
                    .into_iter()
                    .map(|(key, text)| (key, text.into_bytes()))
                    .collect(),
            }
        };
        let named = self.named(plural, kind.as_str(), of);
        named.map(|items| {
            let items = items
                .into_iter()
                .filter(|(name, _)| kind == ObjectKind::ConfigMap || name.namespace != "argocd");
            items
                .map(|(Name { namespace, name }, object)| {
                    (
                        ObjectName {
                            kind,
                            namespace,
                            name,
                        },
                        object,
                    )
                })
                .collect()
        })
    }

    fn object(&self, plural: &'static str, kind: &str) -> Part<Value> {
        let wanted = Name::new("", "argocd-infisical-controller");
        match self.part(plural, || self.get(kind, &wanted).cloned()) {
            Part::Known(Some(found)) => Part::Known(found),
            Part::Known(None) | Part::Absent => Part::Absent,
            Part::Unreadable(unreadable) => Part::Unreadable(unreadable),
        }
    }

    fn deployments(&self, namespace: &str) -> Part<Vec<Deployment>> {
        let all = self.typed::<Deployment>("deployments", "Deployment");
        all.map(|all| {
            let all = all.into_iter();
            all.filter(|each| each.metadata.namespace.as_deref() == Some(namespace))
                .collect()
        })
    }

    /// What is mounted in the containers of Deployments.
    fn mounted(
        &self,
        deployments: [(&str, &Part<Vec<Deployment>>); 2],
    ) -> (Files, BTreeMap<Name, Part<BTreeMap<String, KeyPrint>>>) {
        let (mut files, mut keys) = (BTreeMap::new(), BTreeMap::new());
        for (namespace, part) in deployments {
            for mounted in part.known().into_iter().flat_map(|all| mounted_in(all)) {
                match mounted {
                    pod::Mounted::ConfigMap { name, .. } => {
                        let name = Name::new(namespace, name);
                        files.insert(name.clone(), self.data(&name));
                    }
                    pod::Mounted::Secret { name, .. } => {
                        let key = self.keys.get(namespace);
                        let key = key.map(|key| [("key".to_owned(), KeyPrint::of(key))].into());
                        let found = key.map_or(Part::Absent, Part::Known);
                        keys.insert(Name::new(namespace, name), found);
                    }
                }
            }
        }
        (files, keys)
    }

    fn access(&self) -> Access {
        Access {
            roles: self.typed("roles", "Role"),
            role_bindings: self.typed("rolebindings", "RoleBinding"),
            cluster_roles: self.typed("clusterroles", "ClusterRole"),
            cluster_role_bindings: self.typed("clusterrolebindings", "ClusterRoleBinding"),
        }
    }

    fn operator(&self) -> Operator {
        let read = Synced::read_static;
        Operator {
            connections: self.read(
                "infisicalconnections",
                "InfisicalConnection",
                Connection::read,
            ),
            static_secrets: self.read("infisicalstaticsecrets", "InfisicalStaticSecret", read),
            secrets: self.read("infisicalsecrets", "InfisicalSecret", Synced::read_secret),
        }
    }

    fn workloads(&self) -> Workloads {
        let of = |plural, kind| self.read(plural, kind, |json| Workload::read(kind, json));
        Workloads {
            deployments: of("workloads", "Deployment"),
            stateful_sets: of("statefulsets", "StatefulSet"),
            daemon_sets: of("daemonsets", "DaemonSet"),
        }
    }

    fn admission(&self) -> Admission {
        let (policy, binding) = (
            "ValidatingAdmissionPolicy",
            "ValidatingAdmissionPolicyBinding",
        );
        Admission {
            policy: self.object("validatingadmissionpolicies", policy),
            binding: self.object("validatingadmissionpolicybindings", binding),
        }
    }

    fn lease(&self) -> Part<Lease> {
        let name = Name::new("argocd-infisical", "argocd-infisical");
        match self.part("leases", || self.get("Lease", &name).cloned()) {
            Part::Known(Some(lease)) => Part::Known(serde_json::from_value(lease).unwrap()),
            Part::Known(None) | Part::Absent => Part::Absent,
            Part::Unreadable(unreadable) => Part::Unreadable(unreadable),
        }
    }

    fn seen(&self) -> Seen {
        let (argocd, own) = (
            self.deployments("argocd"),
            self.deployments("argocd-infisical"),
        );
        let (files, keys) = self.mounted([("argocd", &argocd), ("argocd-infisical", &own)]);
        let projects = self.named("appprojects", "AppProject", |object| {
            serde_json::from_value(object.clone()).unwrap()
        });
        Seen {
            now: NOW.parse::<Timestamp>().unwrap(),
            argocd_namespace: "argocd".into(),
            own_namespace: "argocd-infisical".into(),
            argocd_deployments: argocd,
            own_deployments: own,
            config: self.data(&Name::new("argocd", "argocd-cm")),
            parameters: self.data(&Name::new("argocd", "argocd-cmd-params-cm")),
            files,
            controls: self.data(&Name::new("argocd-infisical", "argocd-infisical-controls")),
            keys,
            lease: self.lease(),
            access: self.access(),
            admission: self.admission(),
            applications: self.named("applications", "Application", |object| {
                DescribedApplication::read(&object.to_string()).unwrap()
            }),
            application_sets: self.named("applicationsets", "ApplicationSet", |object| {
                serde_json::from_value(object.clone()).unwrap()
            }),
            projects: projects.map(|items| {
                let items = items.into_iter();
                items.map(|(name, project)| (name.name, project)).collect()
            }),
            config_maps: self.outlines("configmaps", ObjectKind::ConfigMap),
            secrets: self.outlines("secrets", ObjectKind::Secret),
            operator: self.operator(),
            workloads: self.workloads(),
            odd: self.odd.clone(),
        }
    }
}

fn name(object: &Value) -> Name {
    let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default();
    Name::new(text("namespace"), text("name"))
}
