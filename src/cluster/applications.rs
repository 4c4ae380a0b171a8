//! What an Application in the cluster says of itself.

use std::time::Duration;

use kube::Api;
use kube::core::{ApiResource, DynamicObject, GroupVersionKind};
use tokio::time::Instant;

use super::Cluster;
use super::ask::{Asked, ask};
use crate::failure::Failure;
use crate::settings::consent::Caller;

impl Cluster {
    /// Whether an Application has a `sourceHydrator`, so that what is rendered for it is committed to a Git repository;
    /// `None` where there is no such Application. `own` is Argo CD's namespace.
    ///
    /// # Errors
    /// Where the API server does not say.
    pub fn is_hydrated(
        &self,
        caller: &Caller,
        own: &str,
        limit: Duration,
    ) -> Result<Option<bool>, Failure> {
        let (namespace, name) = caller
            .application
            .split_once('_')
            .unwrap_or((own, &caller.application));
        let kind = GroupVersionKind::gvk("argoproj.io", "v1alpha1", "Application");
        let kind = ApiResource::from_gvk_with_plural(&kind, "applications");
        let api: Api<DynamicObject> = Api::namespaced_with(self.client.clone(), namespace, &kind);
        let deadline = Instant::now() + limit;
        let answer = self.runtime.block_on(ask(deadline, || api.get_opt(name)));
        match answer {
            Ok(found) => Ok(found.map(|application| {
                let spec = application.data.get("spec");
                spec.and_then(|spec| spec.get("sourceHydrator"))
                    .is_some_and(|hydrator| !hydrator.is_null())
            })),
            Err(silence) => {
                let what = format!("Application {namespace}/{name}");
                let rule = "{apiGroups: [argoproj.io], resources: [applications], verbs: [get]}";
                Err(Failure::several(vec![silence.problem(&Asked {
                    what: "the Application",
                    object: &what,
                    namespace,
                    rule,
                    server: &self.server,
                })]))
            }
        }
    }
}
