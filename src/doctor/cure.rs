//! What cures a finding, as the YAML or command that somebody can copy.

use goyaml::Value as Yaml;
use serde_json::{Value, json};

/// A value as YAML; what YAML cannot have is left out.
pub(super) fn yaml(value: &Value) -> String {
    let value = Yaml::from_json(value.to_string().as_bytes());
    let text = value.ok().and_then(|value| goyaml::emit(&value).ok());
    text.unwrap_or_default().trim_end().to_owned()
}

/// YAML with a line of words before it.
pub(super) fn with(words: &str, value: &Value) -> String {
    format!("# {words}\n{}", yaml(value))
}

/// Several objects, in one file.
pub(super) fn documents(values: &[Value]) -> String {
    let texts: Vec<String> = values.iter().map(yaml).collect();
    texts.join("\n---\n")
}

/// A rule for whoever runs this.
pub(super) fn rule_for_reader(rule: &Value, namespace: Option<&str>) -> String {
    let place = match namespace {
        Some(namespace) => format!(
            "for whoever runs `doctor`: a Role in namespace {namespace}, bound to them, with"
        ),
        None => "for whoever runs `doctor`: a ClusterRole, bound to them, with".to_owned(),
    };
    with(&place, &json!({"rules": [rule]}))
}

/// A part of the repo-server's pod.
pub(super) fn in_pod(words: &str, spec: &Value) -> String {
    with(words, &json!({"spec": {"template": {"spec": spec}}}))
}

/// A rule of RBAC.
pub(super) fn rule(group: &str, resources: &[&str], names: &[&str], verbs: &[&str]) -> Value {
    let mut rule = json!({"apiGroups": [group], "resources": resources, "verbs": verbs});
    if !names.is_empty() {
        rule["resourceNames"] = json!(names);
    }
    rule
}

/// Who is let do something: a `ServiceAccount`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Account<'a> {
    /// Its namespace.
    pub(super) namespace: &'a str,
    /// Its name.
    pub(super) name: &'a str,
}

/// A Role with these rules and the binding of it; without a namespace for all of them.
pub(super) fn role(
    name: &str,
    namespace: Option<&str>,
    rules: &[Value],
    account: &Account<'_>,
) -> String {
    let (prefix, mut metadata) = (
        if namespace.is_some() { "" } else { "Cluster" },
        json!({"name": name}),
    );
    if let Some(namespace) = namespace {
        metadata["namespace"] = json!(namespace);
    }
    let version = "rbac.authorization.k8s.io/v1";
    let role = format!("{prefix}Role");
    documents(&[
        json!({"apiVersion": version, "kind": role, "metadata": metadata, "rules": rules}),
        json!({
            "apiVersion": version,
            "kind": format!("{prefix}RoleBinding"),
            "metadata": metadata,
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": role, "name": name},
            "subjects": [{"kind": "ServiceAccount", "name": account.name, "namespace": account.namespace}],
        }),
    ])
}
