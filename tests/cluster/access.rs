//! A client of the cluster for the tests themselves.

mod dynamic;

use std::fmt::Debug;
use std::path::Path;
use std::time::Duration;

pub(crate) use dynamic::Kind;
use k8s_openapi::NamespaceResourceScope;
use kube::api::{Api, DeleteParams, GetParams, Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config, Resource, ResourceExt as _};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

/// What the tests create, read and change.
pub(crate) trait Object:
    Resource<DynamicType = (), Scope = NamespaceResourceScope>
    + Clone
    + Debug
    + DeserializeOwned
    + Serialize
{
}

impl<T> Object for T where
    T: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + Debug
        + DeserializeOwned
        + Serialize
{
}

/// Access as one user. It blocks.
pub(crate) struct Access {
    runtime: Runtime,
    client: Client,
}

impl Access {
    pub(crate) fn new(kubeconfig: &Path) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let client = runtime.block_on(async {
            let file = Kubeconfig::read_from(kubeconfig).unwrap();
            let options = KubeConfigOptions::default();
            let mut config = Config::from_custom_kubeconfig(file, &options)
                .await
                .unwrap();
            // The server is on this machine, whatever the environment says.
            config.proxy_url = None;
            // A test sees each answer.
            config.default_retry = false;
            Client::try_from(config).unwrap()
        });
        Self { runtime, client }
    }

    /// Whether the server answers, and says that all of it has started.
    pub(crate) fn is_ready(&self) -> bool {
        let request = kube::core::Request::new("").get("readyz", &GetParams::default());
        let answer = self.client.request_text(request.unwrap());
        self.runtime.block_on(answer).is_ok_and(|text| text == "ok")
    }

    /// Creates an object that belongs to no namespace, and returns it as the server made it.
    pub(crate) fn create_global<K>(&self, object: Value) -> K
    where
        K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Serialize,
    {
        let object: K = serde_json::from_value(object).unwrap();
        let api: Api<K> = Api::all(self.client.clone());
        let parameters = PostParams::default();
        let created = api.create(&parameters, &object);
        self.runtime.block_on(created).unwrap()
    }

    /// Creates an object in a namespace.
    pub(crate) fn create<K: Object>(&self, namespace: &str, object: Value) {
        let object: K = serde_json::from_value(object).unwrap();
        let api: Api<K> = Api::namespaced(self.client.clone(), namespace);
        let parameters = PostParams::default();
        let created = api.create(&parameters, &object);
        self.runtime.block_on(created).unwrap();
    }

    /// Writes the whole of an object, as the operators do: creates it, or replaces the one that is there.
    pub(crate) fn put<K: Object>(&self, namespace: &str, object: Value) {
        let mut object: K = serde_json::from_value(object).unwrap();
        let api: Api<K> = Api::namespaced(self.client.clone(), namespace);
        let parameters = PostParams::default();
        self.runtime.block_on(async {
            let name = object.name_unchecked();
            let there = api.get_opt(&name).await.unwrap();
            let Some(there) = there else {
                api.create(&parameters, &object).await.unwrap();
                return;
            };
            object.meta_mut().resource_version = there.resource_version();
            api.replace(&name, &parameters, &object).await.unwrap();
        });
    }

    /// Deletes an object of a namespace.
    pub(crate) fn delete<K: Object>(&self, namespace: &str, name: &str) {
        let api: Api<K> = Api::namespaced(self.client.clone(), namespace);
        let parameters = DeleteParams::default();
        let deleted = api.delete(name, &parameters);
        drop(self.runtime.block_on(deleted).unwrap());
    }

    /// Tries to create an object in a namespace, and gives up after a time. Returns whether there was an answer.
    pub(crate) fn try_create<K: Object>(
        &self,
        namespace: &str,
        object: Value,
        time: Duration,
    ) -> bool {
        let object: K = serde_json::from_value(object).unwrap();
        let api: Api<K> = Api::namespaced(self.client.clone(), namespace);
        let parameters = PostParams::default();
        let created = async { timeout(time, api.create(&parameters, &object)).await };
        self.runtime.block_on(created).is_ok()
    }

    /// Merges a change into an object of a namespace.
    pub(crate) fn change<K: Object>(&self, namespace: &str, name: &str, change: &Value) {
        let api: Api<K> = Api::namespaced(self.client.clone(), namespace);
        let parameters = PatchParams::default();
        let patch = Patch::Merge(change);
        let changed = api.patch(name, &parameters, &patch);
        self.runtime.block_on(changed).unwrap();
    }

    /// Reads an object of a namespace.
    ///
    /// # Errors
    /// What the server answers instead.
    pub(crate) fn get<K: Object>(&self, namespace: &str, name: &str) -> Result<K, kube::Error> {
        let api: Api<K> = Api::namespaced(self.client.clone(), namespace);
        self.runtime.block_on(api.get(name))
    }

    /// What an object of a namespace would be once it is applied; nothing is changed.
    pub(crate) fn would_apply<K: Object>(&self, namespace: &str, object: &Value) -> K {
        let parameters = PatchParams::apply("test").force().dry_run();
        let name = object["metadata"]["name"].as_str().unwrap();
        self.would_patch(namespace, name, &Patch::Apply(object), &parameters)
    }

    /// What an object of a namespace would be with a strategic merge patch; nothing is changed.
    pub(crate) fn would_merge<K: Object>(&self, namespace: &str, name: &str, patch: &Value) -> K {
        let parameters = PatchParams::default().dry_run();
        self.would_patch(namespace, name, &Patch::Strategic(patch), &parameters)
    }

    fn would_patch<K: Object>(
        &self,
        namespace: &str,
        name: &str,
        patch: &Patch<&Value>,
        parameters: &PatchParams,
    ) -> K {
        let api: Api<K> = Api::namespaced(self.client.clone(), namespace);
        let patched = api.patch(name, parameters, patch);
        self.runtime.block_on(patched).unwrap()
    }
}
