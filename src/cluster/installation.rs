//! All that tells whether an installation is well, read once.

mod kinds;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::admissionregistration::v1::{
    ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding,
};
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::Api;
use kube::api::ListParams;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::Instant as Moment;

use super::Cluster;
use super::ask::{Asked, Silence, ask};
use super::observe::Reader;
use super::pruned::{ApplicationSets, Kind, Projects};
use crate::doctor::{
    Access, Admission, Data, Files, KeyPrint, Mounted, Operator, Part, Seen, Unreadable, Workloads,
    lease_in, mounted_in,
};
use crate::failure::{Failure, Problem};
use crate::settings::object::{ObjectKind, ObjectName};
use crate::steer::Name;
use crate::steer::state::Controls;
use kinds::{
    ClusterRoleBindings, ClusterRoles, Connections, DaemonSetWorkloads, DeploymentWorkloads,
    Deployments, DescribedApplications, InfisicalSecrets, MapOutlines, RoleBindings, Roles,
    SecretOutlines, StatefulSetWorkloads, StaticSecrets,
};

/// The name of what bounds the controller's token.
const ADMISSION: &str = "argocd-infisical-controller";

/// The objects of a list, by name.
type Listed<T> = Part<Vec<(Name, T)>>;

impl Cluster {
    /// Reads everything that tells whether an installation is well, within a limit for all of it together. What is not shown is
    /// a part of what comes back.
    ///
    /// # Errors
    /// Where there is no way to the API server.
    pub fn installation(
        &self,
        (argocd, own): (&str, &str),
        now: Timestamp,
        limit: Duration,
    ) -> Result<Seen, Failure> {
        let surveyor = Surveyor {
            reader: Reader {
                client: self.client.clone(),
                server: self.server.clone(),
                deadline: Moment::now() + limit,
            },
            noted: Arc::default(),
        };
        self.runtime.block_on(surveyor.all((argocd, own), now))
    }
}

/// Who reads, and what is found on the way.
#[derive(Clone)]
struct Surveyor {
    reader: Reader,
    noted: Arc<Mutex<Noted>>,
}

#[derive(Default)]
struct Noted {
    /// Why there is no way to the API server.
    way: Option<Problem>,
    odd: Vec<String>,
}

/// What is asked for, for messages and rules.
#[derive(Clone)]
struct Question {
    group: &'static str,
    plural: &'static str,
    namespace: Option<String>,
    /// The object, where it is one.
    name: Option<String>,
}

impl Question {
    fn object(
        group: &'static str,
        plural: &'static str,
        namespace: Option<&str>,
        name: &str,
    ) -> Self {
        Self {
            group,
            plural,
            namespace: namespace.map(Into::into),
            name: Some(name.to_owned()),
        }
    }

    fn what(&self) -> String {
        let Self {
            plural,
            namespace,
            name,
            ..
        } = self;
        match (namespace, name) {
            (Some(namespace), Some(name)) => format!("{plural} {namespace}/{name}"),
            (None, Some(name)) => format!("{plural} {name}"),
            (Some(namespace), None) => format!("{plural} in namespace {namespace}"),
            (None, None) => format!("{plural} in all namespaces"),
        }
    }

    fn rule(&self) -> Value {
        let verb = if self.name.is_some() { "get" } else { "list" };
        let mut rule =
            json!({"apiGroups": [self.group], "resources": [self.plural], "verbs": [verb]});
        if let Some(name) = &self.name {
            rule["resourceNames"] = json!([name]);
        }
        rule
    }
}

impl Surveyor {
    async fn all(self, (argocd, own): (&str, &str), now: Timestamp) -> Result<Seen, Failure> {
        let everywhere = ListParams::default();
        // None of Argo CD's own Secrets; and none that are large and hold something else for sure.
        let secrets = ListParams::default().fields(&format!(
            "metadata.namespace!={argocd},type!=helm.sh/release.v1,type!=kubernetes.io/service-account-token"
        ));
        let argocd_deployments = self.list::<Deployments>(Some(argocd), &everywhere);
        let own_deployments = self.list::<Deployments>(Some(own), &everywhere);
        let applications = self.list::<DescribedApplications>(None, &everywhere);
        let application_sets = self.list::<ApplicationSets>(None, &everywhere);
        let projects = self.list::<Projects>(Some(argocd), &everywhere);
        let config_maps = self.list::<MapOutlines>(None, &everywhere);
        let secrets = self.list::<SecretOutlines>(None, &secrets);
        let access = tokio::spawn(self.clone().access());
        let operator = tokio::spawn(self.clone().operator());
        let workloads = tokio::spawn(self.clone().workloads());

        let argocd_deployments = values(argocd_deployments).await;
        let own_deployments = values(own_deployments).await;
        let none = Vec::new();
        let in_argocd = argocd_deployments.known().unwrap_or(&none);
        let in_own = own_deployments.known().unwrap_or(&none);
        let (files, keys) = self.mounted([(argocd, in_argocd), (own, in_own)]).await;
        let lease = self.lease(own, lease_in(in_own)).await;
        let seen = Seen {
            now,
            argocd_namespace: argocd.to_owned(),
            own_namespace: own.to_owned(),
            config: self.data(argocd, "argocd-cm").await,
            parameters: self.data(argocd, "argocd-cmd-params-cm").await,
            files,
            controls: self.data(own, Controls::NAME).await,
            keys,
            lease,
            access: access.await.map_err(|_| ended())?,
            admission: self.admission().await,
            applications: by_name(applications).await,
            application_sets: by_name(application_sets).await,
            projects: listed(projects).await.map(|items| {
                let items = items.into_iter();
                items.map(|(name, project)| (name.name, project)).collect()
            }),
            config_maps: objects(ObjectKind::ConfigMap, config_maps).await,
            secrets: objects(ObjectKind::Secret, secrets).await,
            operator: operator.await.map_err(|_| ended())?,
            workloads: workloads.await.map_err(|_| ended())?,
            argocd_deployments,
            own_deployments,
            odd: Vec::new(),
        };
        self.finish(seen)
    }

    async fn access(self) -> Access {
        let everywhere = ListParams::default();
        let roles = self.list::<Roles>(None, &everywhere);
        let role_bindings = self.list::<RoleBindings>(None, &everywhere);
        let cluster_roles = self.list::<ClusterRoles>(None, &everywhere);
        let cluster_role_bindings = self.list::<ClusterRoleBindings>(None, &everywhere);
        Access {
            roles: values(roles).await,
            role_bindings: values(role_bindings).await,
            cluster_roles: values(cluster_roles).await,
            cluster_role_bindings: values(cluster_role_bindings).await,
        }
    }

    async fn admission(&self) -> Admission {
        let policies = "validatingadmissionpolicies";
        let bindings = "validatingadmissionpolicybindings";
        Admission {
            policy: self.global::<ValidatingAdmissionPolicy>(policies).await,
            binding: self
                .global::<ValidatingAdmissionPolicyBinding>(bindings)
                .await,
        }
    }

    async fn operator(self) -> Operator {
        let everywhere = ListParams::default();
        let connections = self.list::<Connections>(None, &everywhere);
        let static_secrets = self.list::<StaticSecrets>(None, &everywhere);
        let secrets = self.list::<InfisicalSecrets>(None, &everywhere);
        Operator {
            connections: values(connections).await,
            static_secrets: values(static_secrets).await,
            secrets: values(secrets).await,
        }
    }

    async fn workloads(self) -> Workloads {
        let everywhere = ListParams::default();
        let deployments = self.list::<DeploymentWorkloads>(None, &everywhere);
        let stateful_sets = self.list::<StatefulSetWorkloads>(None, &everywhere);
        let daemon_sets = self.list::<DaemonSetWorkloads>(None, &everywhere);
        Workloads {
            deployments: values(deployments).await,
            stateful_sets: values(stateful_sets).await,
            daemon_sets: values(daemon_sets).await,
        }
    }

    fn finish(self, mut seen: Seen) -> Result<Seen, Failure> {
        let mut noted = self.noted.lock().map_err(|_| ended())?;
        if let Some(problem) = noted.way.take() {
            return Err(problem.into_failure());
        }
        seen.odd = std::mem::take(&mut noted.odd);
        seen.odd.sort();
        seen.odd.dedup();
        Ok(seen)
    }

    /// Asks for all objects of a kind; the answer is waited for later.
    fn list<K: Kind>(
        &self,
        namespace: Option<&str>,
        selected: &ListParams,
    ) -> JoinHandle<Listed<K::Content>> {
        let question = Question {
            group: K::GROUP,
            plural: K::PLURAL,
            namespace: namespace.map(Into::into),
            name: None,
        };
        let (surveyor, selected) = (self.clone(), selected.clone());
        tokio::spawn(async move {
            let namespace = question.namespace.as_deref();
            let listed = surveyor.reader.list::<K>(namespace, &selected).await;
            let items = surveyor.part(listed, &question);
            items.map(|items| {
                let items = items
                    .into_iter()
                    .map(|item| (item.name(), item.into_content()));
                let (whole, odd): (Vec<_>, Vec<_>) =
                    items.partition(|(_, content)| content.is_some());
                if let Ok(mut noted) = surveyor.noted.lock() {
                    let odd = odd
                        .into_iter()
                        .map(|(name, _)| format!("{} {name}", K::KIND));
                    noted.odd.extend(odd);
                }
                let whole = whole.into_iter();
                whole
                    .filter_map(|(name, content)| Some((name, content?)))
                    .collect()
            })
        })
    }

    /// What an answer says; where there is no way to the API server, that is noted.
    fn part<T>(&self, answer: Result<T, Silence>, question: &Question) -> Part<T> {
        let silence = match answer {
            Ok(known) => return Part::Known(known),
            Err(Silence::Unknown) => return Part::Absent,
            Err(silence) => silence,
        };
        let unreadable = |cause: &str, rule| {
            Part::Unreadable(Unreadable {
                what: question.what(),
                namespace: question.namespace.clone(),
                cause: cause.to_owned(),
                rule,
            })
        };
        match &silence {
            Silence::Forbidden => {
                unreadable("it may not be read (status 403)", Some(question.rule()))
            }
            Silence::Expired => {
                unreadable("it changes faster than it is listed (status 410)", None)
            }
            Silence::Final(cause) if cause == Silence::NO_SUCH_OBJECT => unreadable(cause, None),
            _ => {
                let problem = silence.problem(&Asked {
                    what: question.plural,
                    object: &question.what(),
                    namespace: question.namespace.as_deref(),
                    rule: "",
                    server: &self.reader.server,
                });
                if let Ok(mut noted) = self.noted.lock() {
                    noted.way.get_or_insert(problem);
                }
                unreadable("it was not shown", None)
            }
        }
    }

    /// One object of a namespace.
    async fn get<K>(&self, group: &'static str, plural: &'static str, name: &Name) -> Part<K>
    where
        K: kube::Resource<Scope = kube::core::NamespaceResourceScope, DynamicType = ()>
            + Clone
            + std::fmt::Debug
            + DeserializeOwned,
    {
        let question = Question::object(group, plural, Some(&name.namespace), &name.name);
        let api: Api<K> = Api::namespaced(self.reader.client.clone(), &name.namespace);
        let found = ask(self.reader.deadline, || api.get(&name.name)).await;
        self.part(found, &question)
    }

    /// What bounds the controller's token.
    async fn global<K>(&self, plural: &'static str) -> Part<Value>
    where
        K: kube::Resource<DynamicType = ()>
            + Clone
            + std::fmt::Debug
            + DeserializeOwned
            + Serialize,
    {
        let question = Question::object("admissionregistration.k8s.io", plural, None, ADMISSION);
        let api: Api<K> = Api::all(self.reader.client.clone());
        let found = ask(self.reader.deadline, || api.get(ADMISSION)).await;
        let found = self.part(found, &question);
        found.map(|found| serde_json::to_value(found).unwrap_or_default())
    }

    async fn data(&self, namespace: &str, name: &str) -> Part<Data> {
        let name = Name::new(namespace, name);
        let found = self.get::<ConfigMap>("", "configmaps", &name).await;
        found.map(|map| map.data.unwrap_or_default())
    }

    async fn lease(&self, namespace: &str, name: &str) -> Part<Lease> {
        let name = Name::new(namespace, name);
        self.get("coordination.k8s.io", "leases", &name).await
    }

    /// What is mounted in our containers; of Secrets the prints of what is in them.
    async fn mounted(
        &self,
        deployments: [(&str, &Vec<k8s_openapi::api::apps::v1::Deployment>); 2],
    ) -> (Files, BTreeMap<Name, Part<BTreeMap<String, KeyPrint>>>) {
        let (mut maps, mut secrets) = (BTreeSet::new(), BTreeSet::new());
        for (namespace, deployments) in deployments {
            for mounted in mounted_in(deployments) {
                match mounted {
                    Mounted::ConfigMap { name, .. } => maps.insert(Name::new(namespace, name)),
                    Mounted::Secret { name, .. } => secrets.insert(Name::new(namespace, name)),
                };
            }
        }
        let (mut files, mut keys) = (Files::new(), BTreeMap::new());
        for name in maps {
            let data = self.data(&name.namespace, &name.name).await;
            files.insert(name, data);
        }
        for name in secrets {
            let secret = self.get::<Secret>("", "secrets", &name).await;
            let prints = secret.map(|secret| {
                let data = secret.data.unwrap_or_default().into_iter();
                data.map(|(key, bytes)| (key, KeyPrint::of(&bytes.0)))
                    .collect()
            });
            keys.insert(name, prints);
        }
        (files, keys)
    }
}

fn ended() -> Failure {
    Failure::internal("a request ended by itself")
}

/// Waits for a list.
async fn listed<T>(list: JoinHandle<Listed<T>>) -> Listed<T> {
    list.await.unwrap_or_else(|_| {
        Part::Unreadable(Unreadable {
            what: "a list".into(),
            namespace: None,
            cause: "the request ended by itself".into(),
            rule: None,
        })
    })
}

async fn values<T>(list: JoinHandle<Listed<T>>) -> Part<Vec<T>> {
    let items = listed(list).await;
    items.map(|items| items.into_iter().map(|(_, item)| item).collect())
}

async fn by_name<T>(list: JoinHandle<Listed<T>>) -> Part<BTreeMap<Name, T>> {
    listed(list).await.map(|items| items.into_iter().collect())
}

async fn objects<T>(
    kind: ObjectKind,
    list: JoinHandle<Listed<T>>,
) -> Part<BTreeMap<ObjectName, T>> {
    let named = |(Name { namespace, name }, object)| {
        let name = ObjectName {
            kind,
            namespace,
            name,
        };
        (name, object)
    };
    let items = listed(list).await;
    items.map(|items| items.into_iter().map(named).collect())
}
