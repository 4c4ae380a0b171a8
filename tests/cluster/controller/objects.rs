//! Secrets and `ConfigMap`s with labels and annotations of ours, as the operators write them.

use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use serde_json::Value;

use crate::access::Access;
use crate::operator::{Writer, with_data, with_secret_data};

const ENVIRONMENT: &str = "argocd-infisical.io/environment";
const APPLICATION: &str = "argocd-infisical.io/application";
const SETTINGS: &str = "argocd-infisical.io/settings";
const ALLOWED: &str = "argocd-infisical.io/allowed";
const KEYS: &str = "argocd-infisical.io/keys";

/// The key of a revision.
pub(crate) const KEY: &str = "ARGOCD_TARGET_REVISION";

/// An object that somebody writes: a Secret of the Infisical operator's, unless something else is said.
#[derive(Clone)]
pub(crate) struct Written {
    writer: Writer,
    is_config_map: bool,
    name: String,
    labels: Vec<(&'static str, String)>,
    annotations: Vec<(&'static str, String)>,
    data: Vec<(String, String)>,
}

impl Written {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            writer: Writer::StaticSecret,
            is_config_map: false,
            name: name.to_owned(),
            labels: Vec::new(),
            annotations: Vec::new(),
            data: Vec::new(),
        }
    }

    /// One that overrides the revision of an environment.
    pub(crate) fn of_environment(name: &str, environment: &str) -> Self {
        Self::new(name).label(ENVIRONMENT, environment)
    }

    /// One that overrides the revision of one Application.
    pub(crate) fn of_application(name: &str, environment: &str, application: &str) -> Self {
        Self::of_environment(name, environment).label(APPLICATION, application)
    }

    /// One with settings that `readers` may see.
    pub(crate) fn settings(name: &str, readers: &str) -> Self {
        let object = Self::new(name).label(SETTINGS, "true");
        object.annotation(ALLOWED, readers)
    }

    pub(crate) fn label(mut self, key: &'static str, value: &str) -> Self {
        self.labels.push((key, value.to_owned()));
        self
    }

    pub(crate) fn annotation(mut self, key: &'static str, value: &str) -> Self {
        self.annotations.push((key, value.to_owned()));
        self
    }

    /// With the keys of a Secret that settings may be taken from.
    pub(crate) fn keys(self, keys: &str) -> Self {
        self.annotation(KEYS, keys)
    }

    /// Without labels and annotations.
    pub(crate) fn stripped(self) -> Self {
        Self {
            labels: Vec::new(),
            annotations: Vec::new(),
            ..self
        }
    }

    /// By somebody else.
    pub(crate) fn by(self, writer: Writer) -> Self {
        Self { writer, ..self }
    }

    /// A `ConfigMap`.
    pub(crate) fn config_map(self) -> Self {
        Self {
            is_config_map: true,
            ..self
        }
    }

    /// With one more value.
    pub(crate) fn with(mut self, key: &str, value: &str) -> Self {
        self.data.push((key.to_owned(), value.to_owned()));
        self
    }

    /// With a revision.
    pub(crate) fn revision(self, revision: &str) -> Self {
        self.with(KEY, revision)
    }

    /// Without values.
    pub(crate) fn empty(self) -> Self {
        Self {
            data: Vec::new(),
            ..self
        }
    }

    /// Writes all of it into a namespace, over what is there.
    pub(crate) fn put(&self, access: &Access, namespace: &str) {
        if self.is_config_map {
            access.put::<ConfigMap>(namespace, self.object());
        } else {
            access.put::<Secret>(namespace, self.object());
        }
    }

    /// Deletes it.
    pub(crate) fn delete(&self, access: &Access, namespace: &str) {
        if self.is_config_map {
            access.delete::<ConfigMap>(namespace, &self.name);
        } else {
            access.delete::<Secret>(namespace, &self.name);
        }
    }

    fn object(&self) -> Value {
        let Self {
            writer,
            is_config_map,
            name,
            labels,
            annotations,
            data,
        } = self;
        let object = writer.object(name, &borrowed(labels), &borrowed(annotations));
        let data = borrowed(data);
        if *is_config_map {
            with_data(object, &data)
        } else {
            with_secret_data(object, &data)
        }
    }
}

fn borrowed<K: AsRef<str>>(pairs: &[(K, String)]) -> Vec<(&str, &str)> {
    let pairs = pairs.iter();
    pairs
        .map(|(key, value)| (key.as_ref(), value.as_str()))
        .collect()
}
