//! A namespace of a test's own, and the objects in it.

use std::thread;
use std::time::{Duration, Instant};

use k8s_openapi::api::authorization::v1::SubjectAccessReview;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace as NamespaceObject, Secret};
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use serde_json::{Value, json};

use crate::access::{Access, Kind};
use crate::cluster::Cluster;
use crate::kubeconfig::User;

/// What a Role may take to have an effect; it is milliseconds.
const DEADLINE: Duration = Duration::from_secs(10);

/// A new namespace.
pub(crate) struct Namespace<'a> {
    pub(crate) name: &'a str,
    admin: Access,
}

impl<'a> Namespace<'a> {
    /// Makes it; the name must be the test's own.
    pub(crate) fn new(cluster: &Cluster, name: &'a str) -> Self {
        let admin = cluster.admin();
        let object = json!({"metadata": {"name": name}});
        admin.create_global::<NamespaceObject>(object);
        Self { name, admin }
    }

    /// One that is there.
    pub(crate) fn existing(cluster: &Cluster, name: &'a str) -> Self {
        let admin = cluster.admin();
        Self { name, admin }
    }

    /// Creates a `ConfigMap` from its fields.
    pub(crate) fn config_map(&self, object: Value) {
        self.admin.create::<ConfigMap>(self.name, object);
    }

    /// Creates a Secret from its fields.
    pub(crate) fn secret(&self, object: Value) {
        self.admin.create::<Secret>(self.name, object);
    }

    /// Merges a change into a `ConfigMap`.
    pub(crate) fn change_config_map(&self, name: &str, change: &Value) {
        self.admin.change::<ConfigMap>(self.name, name, change);
    }

    /// Merges a change into a Secret.
    pub(crate) fn change_secret(&self, name: &str, change: &Value) {
        self.admin.change::<Secret>(self.name, name, change);
    }

    /// Lets a user get objects by their names, of one resource: `configmaps` or `secrets`.
    pub(crate) fn allow(&self, user: User, resource: &str, names: &[&str]) {
        let rule = json!({"apiGroups": [""], "resources": [resource], "resourceNames": names, "verbs": ["get"]});
        self.bind(user, resource, &rule);
        for name in names {
            self.wait_for(user, &json!({"resource": resource, "name": name}));
        }
    }

    /// Lets a user get all Applications of the namespace, as Argo CD's users do.
    pub(crate) fn allow_applications(&self, user: User) {
        let rule =
            json!({"apiGroups": ["argoproj.io"], "resources": ["applications"], "verbs": ["get"]});
        self.bind(user, "applications", &rule);
        self.wait_for(
            user,
            &json!({"group": "argoproj.io", "resource": "applications"}),
        );
    }

    /// Creates an Application from its fields.
    pub(crate) fn application(&self, object: Value) {
        self.admin.create_of(Kind::APPLICATION, self.name, object);
    }

    /// Binds a user to a Role with one rule.
    pub(crate) fn bind(&self, user: User, role: &str, permission: &Value) {
        let name = format!("{}-{role}", user.name);
        let role = json!({"metadata": {"name": name}, "rules": [permission]});
        self.admin.create::<Role>(self.name, role);
        let binding = json!({
            "metadata": {"name": name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user.name}],
        });
        self.admin.create::<RoleBinding>(self.name, binding);
    }

    /// Waits until the server goes by the Roles, which it watches as others do.
    fn wait_for(&self, user: User, what: &Value) {
        let start = Instant::now();
        while !self.is_allowed(user, what) {
            assert!(start.elapsed() < DEADLINE, "the Role has no effect");
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn is_allowed(&self, user: User, what: &Value) -> bool {
        let mut attributes = what.clone();
        attributes["namespace"] = json!(self.name);
        attributes["verb"] = json!("get");
        let review = json!({"spec": {"user": user.name, "resourceAttributes": attributes}});
        let review: SubjectAccessReview = self.admin.create_global(review);
        review.status.is_some_and(|status| status.allowed)
    }
}
