//! The kinds of objects that an installation is made of, and what is kept of one.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding, Role, RoleBinding};

use crate::cluster::objects;
use crate::cluster::pruned::{Kind, decode, ours};
use crate::doctor::{Connection, DescribedApplication, Synced, Workload};
use crate::settings::consent::REVISION;
use crate::settings::is_missing;
use crate::settings::object::Object;

/// A kind, and how it is read.
macro_rules! kind {
    ($name:ident, $content:ty, $group:literal, $version:literal, $kind:literal, $plural:literal, $read:expr) => {
        #[doc = concat!("`", $kind, "`s.")]
        pub(super) enum $name {}

        impl Kind for $name {
            type Content = $content;
            const GROUP: &'static str = $group;
            const VERSION: &'static str = $version;
            const KIND: &'static str = $kind;
            const PLURAL: &'static str = $plural;

            fn prune(json: &str) -> Option<$content> {
                $read(json)
            }
        }
    };
}

kind!(
    Deployments,
    Deployment,
    "apps",
    "v1",
    "Deployment",
    "deployments",
    decode
);
kind!(
    DeploymentWorkloads,
    Workload,
    "apps",
    "v1",
    "Deployment",
    "deployments",
    |json| { Workload::read("Deployment", json) }
);
kind!(
    StatefulSetWorkloads,
    Workload,
    "apps",
    "v1",
    "StatefulSet",
    "statefulsets",
    |json| { Workload::read("StatefulSet", json) }
);
kind!(
    DaemonSetWorkloads,
    Workload,
    "apps",
    "v1",
    "DaemonSet",
    "daemonsets",
    |json| { Workload::read("DaemonSet", json) }
);
kind!(
    Roles,
    Role,
    "rbac.authorization.k8s.io",
    "v1",
    "Role",
    "roles",
    decode
);
kind!(
    RoleBindings,
    RoleBinding,
    "rbac.authorization.k8s.io",
    "v1",
    "RoleBinding",
    "rolebindings",
    decode
);
kind!(
    ClusterRoles,
    ClusterRole,
    "rbac.authorization.k8s.io",
    "v1",
    "ClusterRole",
    "clusterroles",
    decode
);
kind!(
    ClusterRoleBindings,
    ClusterRoleBinding,
    "rbac.authorization.k8s.io",
    "v1",
    "ClusterRoleBinding",
    "clusterrolebindings",
    decode
);
kind!(
    DescribedApplications,
    DescribedApplication,
    "argoproj.io",
    "v1alpha1",
    "Application",
    "applications",
    DescribedApplication::read
);
kind!(
    Connections,
    Connection,
    "secrets.infisical.com",
    "v1beta1",
    "InfisicalConnection",
    "infisicalconnections",
    Connection::read
);
kind!(
    StaticSecrets,
    Synced,
    "secrets.infisical.com",
    "v1beta1",
    "InfisicalStaticSecret",
    "infisicalstaticsecrets",
    Synced::read_static
);
kind!(
    InfisicalSecrets,
    Synced,
    "secrets.infisical.com",
    "v1alpha1",
    "InfisicalSecret",
    "infisicalsecrets",
    Synced::read_secret
);
kind!(
    MapOutlines,
    Object,
    "",
    "v1",
    "ConfigMap",
    "configmaps",
    |json| { Some(outline(objects::of_config_map(decode::<ConfigMap>(json)?))) }
);
kind!(
    SecretOutlines,
    Object,
    "",
    "v1",
    "Secret",
    "secrets",
    |json| { Some(outline(objects::of_secret(decode::<Secret>(json)?))) }
);

/// An object without its values: of those that say revisions they are kept, of others how long they are; nothing of one that counts
/// as missing.
fn outline(object: Object) -> Object {
    let mut object = ours(object);
    for (key, value) in &mut object.data {
        if key.contains(REVISION) {
            continue;
        }
        *value = if is_missing(value) {
            Vec::new()
        } else {
            value.len().to_string().into_bytes()
        };
    }
    object
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_left_behind() {
        let json = r#"{"data": {"TOKEN": "aHVudGVyMg==", "EMPTY": "", "NONE": "PG5vIHZhbHVlPg==", "ARGOCD_TARGET_REVISION": "ZGV2"}}"#;
        let object = SecretOutlines::prune(json).unwrap();
        let data: Vec<(&str, &[u8])> = object
            .data
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_slice()))
            .collect();
        assert_eq!(
            data,
            [
                ("ARGOCD_TARGET_REVISION", b"dev".as_slice()),
                ("EMPTY", b""),
                ("NONE", b""),
                ("TOKEN", b"7"),
            ]
        );
    }
}
