//! Who a resource is: group, version, kind, name and namespace, with kustomize's rules for comparing them.

use std::cmp::Ordering;
use std::fmt;

use goyaml::Text;

use crate::schema::Schema;

/// The namespace that [`ResId::effective_namespace`] gives to what cannot be in one.
pub(crate) const NOT_A_NAMESPACE: &str = "_non_namespaceable_";
/// The namespace of what does not name one.
pub(crate) const DEFAULT_NAMESPACE: &str = "default";

/// Kinds that others depend on: first in the legacy order of the output, and among field specs.
pub(crate) const ORDER_FIRST: [&str; 22] = [
    "Namespace",
    "ResourceQuota",
    "StorageClass",
    "CustomResourceDefinition",
    "ServiceAccount",
    "PodSecurityPolicy",
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
    "ConfigMap",
    "Secret",
    "Endpoints",
    "Service",
    "LimitRange",
    "PriorityClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Deployment",
    "StatefulSet",
    "CronJob",
    "PodDisruptionBudget",
];

/// Kinds that would get in the way of others: last in both orders.
pub(crate) const ORDER_LAST: [&str; 2] = [
    "MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration",
];

/// Group, version and kind; in selectors and field specs an empty part matches everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Gvk {
    /// API group, empty for the core group.
    pub group: Text,
    /// API version.
    pub version: Text,
    /// Kind.
    pub kind: Text,
}

impl Gvk {
    /// Splits an apiVersion (`apps/v1`, `v1`) and joins it with a kind.
    pub fn new(api_version: &str, kind: impl Into<Text>) -> Self {
        let (group, version) = split_api_version(api_version);
        Self {
            group: group.into(),
            version: version.into(),
            kind: kind.into(),
        }
    }

    /// The apiVersion field of objects of this kind.
    pub fn api_version(&self) -> Text {
        if self.group.is_empty() {
            self.version.clone()
        } else {
            [self.group.as_str(), "/", self.version.as_str()]
                .concat()
                .into()
        }
    }

    /// Whether this is what [`Self::new`] makes of an apiVersion and a kind.
    pub(crate) fn is(&self, api_version: &str, kind: &str) -> bool {
        self.kind == kind && split_api_version(api_version) == (&self.group, &self.version)
    }

    /// Whether every part that the selector names is equal.
    pub fn is_selected_by(&self, selector: &Self) -> bool {
        (selector.kind.is_empty() || selector.kind == self.kind)
            && (selector.group.is_empty() || selector.group == self.group)
            && (selector.version.is_empty() || selector.version == self.version)
    }

    /// What field specs are sorted by: kinds that others depend on first.
    // kustomize: Gvk.IsLessThan
    pub(crate) fn sort_key(&self) -> SortKey {
        let index = |list: &[&str]| {
            list.iter()
                .position(|kind| *kind == self.kind)
                .and_then(|at| i32::try_from(at).ok())
        };
        let first = i32::try_from(ORDER_FIRST.len()).unwrap_or(i32::MAX);
        let order = index(&ORDER_FIRST)
            .map(|at| at - first)
            .or_else(|| index(&ORDER_LAST).map(|at| at + 1))
            .unwrap_or(0);
        SortKey {
            order,
            gvk: self.clone(),
        }
    }

    /// Whether Kubernetes is known to keep objects of this kind outside namespaces.
    pub fn is_cluster_scoped(&self) -> bool {
        Schema::builtin().is_namespace_scoped(&self.api_version(), &self.kind) == Some(false)
    }
}

/// What field specs are sorted by; group, version and kind are compared as kustomize joins them.
#[derive(Debug)]
pub(crate) struct SortKey {
    order: i32,
    gvk: Gvk,
}

impl SortKey {
    fn joined(&self) -> impl Iterator<Item = u8> {
        fn or<'a>(text: &'a Text, none: &'static str) -> &'a str {
            if text.is_empty() { none } else { text }
        }
        let Gvk {
            group,
            version,
            kind,
        } = &self.gvk;
        let parts = [or(group, "~G"), "_", or(version, "~V"), "_", or(kind, "~K")];
        parts.into_iter().flat_map(str::bytes)
    }
}

impl Ord for SortKey {
    fn cmp(&self, other: &Self) -> Ordering {
        let order = self.order.cmp(&other.order);
        order.then_with(|| self.joined().cmp(other.joined()))
    }
}

impl PartialOrd for SortKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for SortKey {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for SortKey {}

/// Splits `group/version`; without a slash all of it is the version.
pub(crate) fn split_api_version(api_version: &str) -> (&str, &str) {
    api_version.split_once('/').unwrap_or(("", api_version))
}

impl fmt::Display for Gvk {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |text: &'_ Text, none: &'static str| {
            if text.is_empty() {
                Text::from(none)
            } else {
                text.clone()
            }
        };
        write!(
            formatter,
            "{}.{}.{}",
            part(&self.kind, "[noKind]"),
            part(&self.version, "[noVer]"),
            part(&self.group, "[noGrp]")
        )
    }
}

/// Which resource: kind, name and namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResId {
    /// Group, version and kind.
    pub gvk: Gvk,
    /// Name.
    pub name: Text,
    /// Namespace as written, empty where none is.
    pub namespace: Text,
    /// Whether the kind is known to live outside namespaces.
    pub cluster_scoped: bool,
}

impl ResId {
    /// The namespace that counts when resources are compared.
    pub fn effective_namespace(&self) -> &str {
        if self.cluster_scoped {
            NOT_A_NAMESPACE
        } else if self.namespace.is_empty() {
            DEFAULT_NAMESPACE
        } else {
            &self.namespace
        }
    }

    /// Whether both are the same resource.
    pub fn is_same(&self, other: &Self) -> bool {
        self.is_same_but_namespace(other) && self.is_in_namespace_of(other)
    }

    /// Whether both have the same kind and name, wherever they are.
    pub fn is_same_but_namespace(&self, other: &Self) -> bool {
        self.name == other.name && self.gvk == other.gvk
    }

    /// Whether both are in the same namespace, or both in none.
    pub fn is_in_namespace_of(&self, other: &Self) -> bool {
        self.effective_namespace() == other.effective_namespace()
    }

    /// Whether every part that the selector names is equal.
    pub fn is_selected_by(&self, selector: &Self) -> bool {
        (selector.name.is_empty() || selector.name == self.name)
            && (selector.namespace.is_empty() || selector.is_in_namespace_of(self))
            && self.gvk.is_selected_by(&selector.gvk)
    }
}

impl fmt::Display for ResId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = if self.name.is_empty() {
            "[noName]"
        } else {
            &self.name
        };
        let namespace = if self.namespace.is_empty() {
            "[noNs]"
        } else {
            &self.namespace
        };
        write!(formatter, "{}/{name}.{namespace}", self.gvk)
    }
}
