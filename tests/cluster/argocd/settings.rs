//! Settings in the cluster, and repositories that use them.

use serde_json::{Value, json};

use super::git::Git;
use super::server::Argo;
use crate::kubeconfig::User;
use crate::namespace::Namespace;
use crate::operator::{self, Consent, with_data};

/// What no message may hold: it stands in every object of the tests.
pub(crate) const VALUE: &str = "hunter2";

const KUSTOMIZATION: &str = "resources:\n- settings.yaml\n- one.yaml\n";

/// Files with one setting, `A`, whose default is empty, and an object that shows it.
pub(crate) const FILES: [(&str, &str); 3] = [
    ("kustomization.yaml", KUSTOMIZATION),
    ("settings.yaml", SETTINGS),
    ("one.yaml", ONE),
];

pub(crate) const SETTINGS: &str = "apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
  annotations:
    config.kubernetes.io/local-config: \"true\"
    argocd-infisical.io/declare: settings
data:
  A: \"\"
";

pub(crate) const ONE: &str = "apiVersion: v1
kind: ConfigMap
metadata:
  name: one
  annotations:
    argocd-infisical.io/template: \"true\"
data:
  a: ${{ settings.A }}
";

/// What the object is with a value.
pub(crate) fn shown(value: &str) -> [String; 1] {
    let object = json!({
        "apiVersion": "v1",
        "data": {"a": value},
        "kind": "ConfigMap",
        "metadata": {"annotations": {"argocd-infisical.io/template": "true"}, "name": "one"},
    });
    [object.to_string()]
}

/// A repository that shows the setting `A`, in its directory `app`.
pub(crate) fn repository(argo: &Argo) -> Git<'_> {
    let files = FILES.map(|(name, text)| (format!("app/{name}"), text));
    Git::new(
        argo,
        &files.each_ref().map(|(name, text)| (name.as_str(), *text)),
    )
}

/// A namespace whose `ConfigMap` called `one` the sidecar may get.
pub(crate) fn namespace<'a>(argo: &Argo, name: &'a str) -> Namespace<'a> {
    let namespace = Namespace::new(argo.cluster, name);
    namespace.allow(User::SIDECAR, "configmaps", &["one"]);
    namespace
}

/// The same, in which that object gives some readers a value of `A`.
pub(crate) fn with_value<'a>(
    argo: &Argo,
    name: &'a str,
    allowed: &'static str,
    value: &str,
) -> Namespace<'a> {
    let namespace = namespace(argo, name);
    namespace.config_map(object(&Consent::LAMP.allowed(allowed), value));
    namespace
}

/// An object called `one` with a value of `A`.
pub(crate) fn object(consent: &Consent, value: &str) -> Value {
    with_data(operator::static_secret("one", consent), &[("A", value)])
}
