//! Objects as the Infisical operator writes them: its labels, annotations and type.
//!
//! They have no owner, as with `creationPolicy: Orphan` and as an object that was there before: Kubernetes' garbage collector runs
//! in the same cluster, and would delete them for an owner that is not there.

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
    object(name, &consent.labels(), &consent.annotations())
}

/// What `InfisicalSecret` (v1alpha1) makes without a template: the labels and annotations of the resource itself, lists of
/// what was copied, and the version.
pub(crate) fn secret(name: &str, consent: &Consent) -> Value {
    copied(name, &consent.labels(), &consent.annotations())
}

fn copied(name: &str, labels: &[(&str, &str)], own: &[(&str, &str)]) -> Value {
    let (managed_labels, managed_annotations) = (names(labels), names(own));
    let mut annotations = own.to_vec();
    annotations.push(("secrets.infisical.com/managed-labels", &managed_labels));
    annotations.push((
        "secrets.infisical.com/managed-annotations",
        &managed_annotations,
    ));
    object(name, labels, &annotations)
}

fn names(pairs: &[(&str, &str)]) -> String {
    let names: Vec<&str> = pairs.iter().map(|(name, _)| *name).collect();
    names.join(",")
}

fn object(name: &str, labels: &[(&str, &str)], annotations: &[(&str, &str)]) -> Value {
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
    json!({"metadata": {
        "name": name,
        "labels": map(labels),
        "annotations": map(&annotations),
    }})
}

/// Who writes an object into the cluster.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Writer {
    /// `InfisicalStaticSecret` (v1beta1), by its target's `metadata`.
    StaticSecret,
    /// `InfisicalSecret` (v1alpha1), by its own labels and annotations.
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
        match self {
            Self::StaticSecret => object(name, labels, annotations),
            Self::Secret => copied(name, labels, annotations),
            Self::ExternalSecret => external_secret(name, labels, annotations),
        }
    }
}

fn external_secret(name: &str, labels: &[(&str, &str)], annotations: &[(&str, &str)]) -> Value {
    let mut object = object(name, labels, annotations);
    let metadata = &mut object["metadata"];
    let labels = metadata["labels"].as_object_mut().unwrap();
    labels.insert(
        "reconcile.external-secrets.io/managed".into(),
        json!("true"),
    );
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
