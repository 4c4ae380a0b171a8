//! What was read of a cluster.

mod argocd;
mod infisical;
mod workload;

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding, Role, RoleBinding};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

pub use argocd::DescribedApplication;
pub(super) use infisical::Interval;
pub use infisical::{Connection, Synced};
pub use workload::Workload;
pub(super) use workload::{AUTO_RELOAD, is_reloader};
pub(super) use workload::{ContainerSeen, Mounted};

use super::finding::{Code, Finding};
use crate::settings::object::{Object, ObjectName};
use crate::steer::Name;
use crate::steer::owner::ApplicationSet;
use crate::steer::project::Project;

/// What was read of a part of a cluster.
#[derive(Clone, Debug)]
pub enum Part<T> {
    /// What is there.
    Known(T),
    /// It is not there, or the API server has no such kind.
    Absent,
    /// It was not shown.
    Unreadable(Unreadable),
}

/// Something that was not shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// What was asked for.
    pub what: String,
    /// Its namespace; `None` where it was asked for in all of them.
    pub namespace: Option<String>,
    /// Why not, in our words.
    pub cause: String,
    /// The RBAC rule that lets somebody read it; `None` where that is not the matter.
    pub rule: Option<Value>,
}

impl<T> Part<T> {
    /// What is there, where it is known.
    pub const fn known(&self) -> Option<&T> {
        match self {
            Self::Known(known) => Some(known),
            _ => None,
        }
    }

    /// Whether it is known not to be there.
    pub const fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// Makes something else of what is there.
    pub fn map<U>(self, make: impl FnOnce(T) -> U) -> Part<U> {
        match self {
            Self::Known(known) => Part::Known(make(known)),
            Self::Absent => Part::Absent,
            Self::Unreadable(unreadable) => Part::Unreadable(unreadable),
        }
    }

    const fn unreadable(&self) -> Option<&Unreadable> {
        match self {
            Self::Unreadable(unreadable) => Some(unreadable),
            _ => None,
        }
    }
}

/// `data` of a `ConfigMap`.
pub type Data = BTreeMap<String, String>;

/// Files that containers find in what is mounted: `ConfigMap`s, by name.
pub type Files = BTreeMap<Name, Part<Data>>;

/// What tells keys apart, and nothing more of a key.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyPrint {
    hash: [u8; 32],
    /// Whether it is as long as a key has to be.
    pub is_long_enough: bool,
}

impl KeyPrint {
    /// Takes the print of a key.
    pub fn of(key: &[u8]) -> Self {
        Self {
            hash: Sha256::digest(key).into(),
            is_long_enough: crate::settings::digest::DigestKey::new(key).is_ok(),
        }
    }
}

/// Who may do what.
pub struct Access {
    /// Roles.
    pub roles: Part<Vec<Role>>,
    /// `RoleBinding`s.
    pub role_bindings: Part<Vec<RoleBinding>>,
    /// `ClusterRole`s.
    pub cluster_roles: Part<Vec<ClusterRole>>,
    /// `ClusterRoleBinding`s.
    pub cluster_role_bindings: Part<Vec<ClusterRoleBinding>>,
}

/// What bounds the controller's token, as it stands in the cluster.
pub struct Admission {
    /// The `ValidatingAdmissionPolicy`.
    pub policy: Part<Value>,
    /// Its binding.
    pub binding: Part<Value>,
}

/// Objects of the Infisical operator.
pub struct Operator {
    /// `InfisicalConnection`s.
    pub connections: Part<Vec<Connection>>,
    /// `InfisicalStaticSecret`s.
    pub static_secrets: Part<Vec<Synced>>,
    /// `InfisicalSecret`s.
    pub secrets: Part<Vec<Synced>>,
}

/// What runs pods for long.
pub struct Workloads {
    /// Deployments.
    pub deployments: Part<Vec<Workload>>,
    /// `StatefulSet`s.
    pub stateful_sets: Part<Vec<Workload>>,
    /// `DaemonSet`s.
    pub daemon_sets: Part<Vec<Workload>>,
}

/// What was read of a cluster.
pub struct Seen {
    /// When.
    pub now: Timestamp,
    /// Argo CD's namespace.
    pub argocd_namespace: String,
    /// The controller's namespace.
    pub own_namespace: String,
    /// Deployments in Argo CD's namespace.
    pub argocd_deployments: Part<Vec<Deployment>>,
    /// Deployments in the controller's namespace.
    pub own_deployments: Part<Vec<Deployment>>,
    /// The `ConfigMap` `argocd-cm`.
    pub config: Part<Data>,
    /// The `ConfigMap` `argocd-cmd-params-cm`.
    pub parameters: Part<Data>,
    /// The `ConfigMap`s that sidecar and controller mount.
    pub files: Files,
    /// What people told the controller.
    pub controls: Part<Data>,
    /// The keys of digests in the Secrets that are mounted, by Secret; `None` where the Secret has no such key.
    pub keys: BTreeMap<Name, Part<BTreeMap<String, KeyPrint>>>,
    /// The Lease of the controller.
    pub lease: Part<Lease>,
    /// Who may do what.
    pub access: Access,
    /// What bounds the controller's token.
    pub admission: Admission,
    /// Applications.
    pub applications: Part<BTreeMap<Name, DescribedApplication>>,
    /// `ApplicationSet`s.
    pub application_sets: Part<BTreeMap<Name, ApplicationSet>>,
    /// `AppProject`s of Argo CD's namespace.
    pub projects: Part<BTreeMap<String, Project>>,
    /// `ConfigMap`s. Of values only those that say revisions are kept; of others, how long they are, in digits.
    pub config_maps: Part<BTreeMap<ObjectName, Object>>,
    /// Secrets outside Argo CD's namespace, in the same way.
    pub secrets: Part<BTreeMap<ObjectName, Object>>,
    /// Objects of the Infisical operator.
    pub operator: Operator,
    /// What runs pods for long.
    pub workloads: Workloads,
    /// Objects that are not made as their kind is.
    pub odd: Vec<String>,
}

/// Several parts that may not have been shown.
type Hidden<'a> = Vec<Option<&'a Unreadable>>;

impl Access {
    fn unreadable(&self) -> Hidden<'_> {
        let Self {
            roles,
            role_bindings,
            cluster_roles,
            cluster_role_bindings,
        } = self;
        vec![
            roles.unreadable(),
            role_bindings.unreadable(),
            cluster_roles.unreadable(),
            cluster_role_bindings.unreadable(),
        ]
    }
}

impl Admission {
    fn unreadable(&self) -> Hidden<'_> {
        let Self { policy, binding } = self;
        vec![policy.unreadable(), binding.unreadable()]
    }
}

impl Operator {
    fn unreadable(&self) -> Hidden<'_> {
        let Self {
            connections,
            static_secrets,
            secrets,
        } = self;
        vec![
            connections.unreadable(),
            static_secrets.unreadable(),
            secrets.unreadable(),
        ]
    }
}

impl Workloads {
    fn unreadable(&self) -> Hidden<'_> {
        let Self {
            deployments,
            stateful_sets,
            daemon_sets,
        } = self;
        vec![
            deployments.unreadable(),
            stateful_sets.unreadable(),
            daemon_sets.unreadable(),
        ]
    }
}

impl Seen {
    /// Everything that was not shown.
    fn unreadable(&self) -> Vec<&Unreadable> {
        let Self {
            now: _,
            argocd_namespace: _,
            own_namespace: _,
            argocd_deployments,
            own_deployments,
            config,
            parameters,
            files,
            controls,
            keys,
            lease,
            access,
            admission,
            applications,
            application_sets,
            projects,
            config_maps,
            secrets,
            operator,
            workloads,
            odd: _,
        } = self;
        let mut hidden = vec![
            argocd_deployments.unreadable(),
            own_deployments.unreadable(),
            config.unreadable(),
            parameters.unreadable(),
            controls.unreadable(),
            lease.unreadable(),
            applications.unreadable(),
            application_sets.unreadable(),
            projects.unreadable(),
            config_maps.unreadable(),
            secrets.unreadable(),
        ];
        hidden.extend(files.values().map(Part::unreadable));
        hidden.extend(keys.values().map(Part::unreadable));
        hidden.extend(access.unreadable());
        hidden.extend(admission.unreadable());
        hidden.extend(operator.unreadable());
        hidden.extend(workloads.unreadable());
        hidden.into_iter().flatten().collect()
    }
}

/// Finds what was not shown, and what could not be understood.
pub(super) fn examine(seen: &Seen, findings: &mut Vec<Finding>) {
    for Unreadable {
        what,
        namespace,
        cause,
        rule,
    } in seen.unreadable()
    {
        let message = format!("{cause}, so nothing is known of it");
        let mut finding = Finding::new(Code::Unreadable, what, message);
        if let Some(rule) = rule {
            finding.cure = super::cure::rule_for_reader(rule, namespace.as_deref());
        }
        findings.push(finding);
    }
    for what in &seen.odd {
        let message = "it is not made as its kind is, and does not count";
        let cure = "# look at its fields; the API server would refuse such a one where the definitions of its kind are installed";
        findings.push(Finding::new(Code::OddObject, what, message).cure(cure));
    }
}
