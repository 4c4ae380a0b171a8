//! Objects as the Infisical operator writes them: its labels, annotations, owner references and type.

use serde_json::{Value, json};

/// What an object's owner says, which the operator copies or is told to write.
pub(crate) struct Consent {
    label: Option<&'static str>,
    allowed: Option<&'static str>,
    keys: Option<&'static str>,
}

impl Consent {
    /// Nothing.
    pub(crate) const NONE: Self = Self {
        label: None,
        allowed: None,
        keys: None,
    };

    /// `home/lamp` may read all of a `ConfigMap`.
    pub(crate) const LAMP: Self = Self {
        label: Some("true"),
        allowed: Some("home/lamp"),
        keys: None,
    };

    /// With the keys that may be read.
    pub(crate) const fn keys(self, keys: &'static str) -> Self {
        Self {
            keys: Some(keys),
            ..self
        }
    }

    /// With other readers.
    pub(crate) const fn allowed(self, allowed: &'static str) -> Self {
        Self {
            allowed: Some(allowed),
            ..self
        }
    }

    /// With another label.
    pub(crate) const fn label(self, label: &'static str) -> Self {
        Self {
            label: Some(label),
            ..self
        }
    }

    fn labels(&self) -> Vec<(&'static str, &'static str)> {
        let label = self
            .label
            .map(|label| ("argocd-infisical.io/settings", label));
        label.into_iter().collect()
    }

    fn annotations(&self) -> Vec<(&'static str, &'static str)> {
        let allowed = self
            .allowed
            .map(|allowed| ("argocd-infisical.io/allowed", allowed));
        let keys = self.keys.map(|keys| ("argocd-infisical.io/keys", keys));
        allowed.into_iter().chain(keys).collect()
    }
}

/// What `InfisicalStaticSecret` (v1beta1) makes of a target with a `metadata` block: exactly its labels and annotations,
/// and the version.
pub(crate) fn static_secret(name: &str, consent: &Consent) -> Value {
    let owner = owner("v1beta1", "InfisicalStaticSecret", name);
    object(
        name,
        &consent.labels(),
        &consent.annotations(),
        Some(&owner),
    )
}

/// What `InfisicalSecret` (v1alpha1) makes without a template: the labels and annotations of the resource itself, lists of
/// what was copied, and the version.
pub(crate) fn secret(name: &str, consent: &Consent) -> Value {
    let labels = consent.labels();
    let own = consent.annotations();
    let (managed_labels, managed_annotations) = (names(&labels), names(&own));
    let mut annotations = own;
    annotations.push(("secrets.infisical.com/managed-labels", &managed_labels));
    annotations.push((
        "secrets.infisical.com/managed-annotations",
        &managed_annotations,
    ));
    let owner = owner("v1alpha1", "InfisicalSecret", name);
    object(name, &labels, &annotations, Some(&owner))
}

/// What it makes of a Secret that was there before: it never becomes its owner.
pub(crate) fn adopted(name: &str, consent: &Consent) -> Value {
    object(name, &consent.labels(), &consent.annotations(), None)
}

fn names(pairs: &[(&str, &str)]) -> String {
    let names: Vec<&str> = pairs.iter().map(|(name, _)| *name).collect();
    names.join(",")
}

fn owner(version: &str, kind: &str, name: &str) -> Value {
    json!({
        "apiVersion": format!("secrets.infisical.com/{version}"),
        "kind": kind,
        "name": name,
        "uid": "0f9c2a1e-8f0b-4a55-9a53-6f5d0c9a7e11",
        "controller": true,
        "blockOwnerDeletion": true,
    })
}

fn object(
    name: &str,
    labels: &[(&str, &str)],
    annotations: &[(&str, &str)],
    owner: Option<&Value>,
) -> Value {
    let map = |pairs: &[(&str, &str)]| -> Value {
        let pairs = pairs.iter();
        Value::Object(
            pairs
                .map(|(key, value)| ((*key).to_owned(), json!(value)))
                .collect(),
        )
    };
    let mut annotations = annotations.to_vec();
    annotations.push((
        "secrets.infisical.com/version",
        r#"W/"secrets-31-9ae0daaf""#,
    ));
    let owners: Vec<&Value> = owner.into_iter().collect();
    json!({"metadata": {
        "name": name,
        "labels": map(labels),
        "annotations": map(&annotations),
        "ownerReferences": owners,
    }})
}

/// Who writes an object into the cluster.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Writer {
    /// `InfisicalStaticSecret` (v1beta1), by its target's `metadata`.
    StaticSecret,
    /// `InfisicalSecret` (v1alpha1), by its template's `metadata`.
    Secret,
    /// External Secrets, by the `metadata` of the target's template.
    ExternalSecret,
}

impl Writer {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::StaticSecret, Self::Secret, Self::ExternalSecret];

    /// An object with these labels and annotations, and what the writer adds.
    pub(crate) fn object(
        self,
        name: &str,
        labels: &[(&str, &str)],
        annotations: &[(&str, &str)],
    ) -> Value {
        let (version, kind) = match self {
            Self::StaticSecret => ("v1beta1", "InfisicalStaticSecret"),
            Self::Secret => ("v1alpha1", "InfisicalSecret"),
            Self::ExternalSecret => return external_secret(name, labels, annotations),
        };
        let owner = owner(version, kind, name);
        object(name, labels, annotations, Some(&owner))
    }
}

fn external_secret(name: &str, labels: &[(&str, &str)], annotations: &[(&str, &str)]) -> Value {
    let owner = owner("v1", "ExternalSecret", name);
    let mut object = object(name, labels, annotations, Some(&owner));
    let metadata = &mut object["metadata"];
    metadata["ownerReferences"][0]["apiVersion"] = json!("external-secrets.io/v1");
    let labels = metadata["labels"].as_object_mut().unwrap();
    labels.insert(
        "reconcile.external-secrets.io/managed".into(),
        json!("true"),
    );
    let creator = json!("a3f2b9c40d1e5f6a7b8c9d0e1f2a3b4c5d6e7f8091a2b3c4d5e6f708");
    labels.insert("reconcile.external-secrets.io/created-by".into(), creator);
    let annotations = metadata["annotations"].as_object_mut().unwrap();
    annotations.remove("secrets.infisical.com/version");
    let hash = json!("b1946ac92492d2347c6235b4d2611184");
    annotations.insert("reconcile.external-secrets.io/data-hash".into(), hash);
    object
}

/// The object with values.
pub(crate) fn with_data(mut object: Value, values: &[(&str, &str)]) -> Value {
    let values = values.iter();
    object["data"] = Value::Object(
        values
            .map(|(key, value)| ((*key).to_owned(), json!(value)))
            .collect(),
    );
    object
}

/// The object, a Secret, with values and the type that the operator gives where nothing is said.
pub(crate) fn with_secret_data(mut object: Value, values: &[(&str, &str)]) -> Value {
    let values = values.iter();
    object["stringData"] = Value::Object(
        values
            .map(|(key, value)| ((*key).to_owned(), json!(value)))
            .collect(),
    );
    object["type"] = json!("Opaque");
    object
}
