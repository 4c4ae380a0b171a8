//! Objects of kinds that there is no type for: those of Argo CD above all.

use std::thread;
use std::time::{Duration, Instant};

use futures::{Stream, TryStreamExt as _};
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams, WatchEvent};
use kube::api::{ApiResource, DynamicObject, WatchParams};
use serde_json::{Value, json};

use super::Access;

/// A kind of objects in namespaces.
#[derive(Clone, Copy)]
pub(crate) struct Kind {
    group: &'static str,
    version: &'static str,
    name: &'static str,
    pub(crate) plural: &'static str,
}

impl Kind {
    pub(crate) const APPLICATION: Self = Self::argoproj("Application", "applications");
    pub(crate) const APPLICATION_SET: Self = Self::argoproj("ApplicationSet", "applicationsets");
    pub(crate) const PROJECT: Self = Self::argoproj("AppProject", "appprojects");
    pub(crate) const EVENT: Self = Self {
        group: "",
        version: "v1",
        name: "Event",
        plural: "events",
    };
    pub(crate) const LEASE: Self = Self {
        group: "coordination.k8s.io",
        version: "v1",
        name: "Lease",
        plural: "leases",
    };

    const fn argoproj(name: &'static str, plural: &'static str) -> Self {
        Self {
            group: "argoproj.io",
            version: "v1alpha1",
            name,
            plural,
        }
    }

    fn resource(self) -> ApiResource {
        let Self {
            group,
            version,
            name,
            plural,
        } = self;
        let api_version = if group.is_empty() {
            version.to_owned()
        } else {
            format!("{group}/{version}")
        };
        ApiResource {
            group: group.into(),
            version: version.into(),
            api_version,
            kind: name.into(),
            plural: plural.into(),
        }
    }
}

impl Access {
    fn api(&self, kind: Kind, namespace: &str) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), namespace, &kind.resource())
    }

    /// Creates an object of a kind, as soon as the server knows what that is.
    pub(crate) fn create_of(&self, kind: Kind, namespace: &str, mut object: Value) {
        let resource = kind.resource();
        object["apiVersion"] = json!(resource.api_version);
        object["kind"] = json!(resource.kind);
        let object: DynamicObject = serde_json::from_value(object).unwrap();
        let api = self.api(kind, namespace);
        let parameters = PostParams::default();
        let start = Instant::now();
        loop {
            let created = api.create(&parameters, &object);
            match self.runtime.block_on(created) {
                Err(kube::Error::Api(status))
                    if status.code == 404 && start.elapsed() < Duration::from_secs(20) =>
                {
                    thread::sleep(Duration::from_millis(50));
                }
                created => {
                    created.unwrap();
                    return;
                }
            }
        }
    }

    /// Reads an object of a kind.
    ///
    /// # Errors
    /// What the server answers instead.
    pub(crate) fn get_of(
        &self,
        kind: Kind,
        namespace: &str,
        name: &str,
    ) -> Result<Value, kube::Error> {
        let got = self.runtime.block_on(self.api(kind, namespace).get(name))?;
        Ok(serde_json::to_value(got).unwrap())
    }

    /// Writes the whole of an object of a kind that was read before.
    ///
    /// # Errors
    /// What the server answers instead.
    pub(crate) fn replace_of(
        &self,
        kind: Kind,
        namespace: &str,
        object: Value,
    ) -> Result<(), kube::Error> {
        let object: DynamicObject = serde_json::from_value(object).unwrap();
        let name = object.metadata.name.clone().unwrap();
        let api = self.api(kind, namespace);
        let parameters = PostParams::default();
        let replaced = api.replace(&name, &parameters, &object);
        self.runtime.block_on(replaced).map(drop)
    }

    /// Deletes an object of a kind.
    pub(crate) fn delete_of(&self, kind: Kind, namespace: &str, name: &str) {
        let api = self.api(kind, namespace);
        let parameters = DeleteParams::default();
        drop(
            self.runtime
                .block_on(api.delete(name, &parameters))
                .unwrap(),
        );
    }

    /// Reads all objects of a kind in a namespace.
    ///
    /// # Errors
    /// What the server answers instead.
    pub(crate) fn list_of(&self, kind: Kind, namespace: &str) -> Result<Vec<Value>, kube::Error> {
        let parameters = ListParams::default();
        let api = self.api(kind, namespace);
        let list = self.runtime.block_on(api.list(&parameters))?;
        let items = list.items.into_iter();
        Ok(items
            .map(|item| serde_json::to_value(item).unwrap())
            .collect())
    }

    /// Patches an object of a kind, as somebody with this name of a field manager.
    pub(crate) fn patch_of(
        &self,
        kind: Kind,
        (namespace, name): (&str, &str),
        patch: &Patch<Value>,
        manager: &str,
    ) {
        let parameters = PatchParams {
            field_manager: Some(manager.to_owned()),
            ..PatchParams::default()
        };
        let api = self.api(kind, namespace);
        let patched = api.patch(name, &parameters, patch);
        self.runtime.block_on(patched).unwrap();
    }

    /// The version of all objects of a kind in a namespace, from which they can be watched.
    pub(crate) fn version_of(&self, kind: Kind, namespace: &str) -> String {
        let parameters = ListParams::default().limit(1);
        let api = self.api(kind, namespace);
        let list = self.runtime.block_on(api.list(&parameters)).unwrap();
        list.metadata.resource_version.unwrap()
    }

    /// Calls with each object of a kind in a namespace that is made or changed after a version, until told to stop or the
    /// server goes away.
    pub(crate) fn watch_of(
        &self,
        kind: Kind,
        namespace: &str,
        version: String,
        mut see: impl FnMut(Value) -> bool,
    ) {
        let api = self.api(kind, namespace);
        self.runtime.block_on(async {
            let mut version = version;
            let parameters = WatchParams::default();
            loop {
                let Ok(events) = api.watch(&parameters, &version).await else {
                    return;
                };
                let mut events = std::pin::pin!(events);
                while let Some(object) = next(&mut events).await {
                    version = object.metadata.resource_version.clone().unwrap_or_default();
                    if !see(serde_json::to_value(object).unwrap()) {
                        return;
                    }
                }
            }
        });
    }
}

/// The next object that was added or changed.
async fn next(
    events: &mut (impl Stream<Item = Result<WatchEvent<DynamicObject>, kube::Error>> + Unpin),
) -> Option<DynamicObject> {
    loop {
        match events.try_next().await.ok()?? {
            WatchEvent::Added(object) | WatchEvent::Modified(object) => return Some(object),
            WatchEvent::Deleted(_) | WatchEvent::Bookmark(_) => {}
            WatchEvent::Error(_) => return None,
        }
    }
}
