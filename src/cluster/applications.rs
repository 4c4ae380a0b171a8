//! What an Application in the cluster says of itself.

use std::time::Duration;

use kube::Api;
use kube::core::{ApiResource, DynamicObject, GroupVersionKind};
use tokio::time::Instant;

use super::Cluster;
use super::ask::{Asked, ask};
use crate::failure::Failure;
use crate::steer::application::Name;

/// What an Application says, as far as settings are concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Application {
    /// Its project.
    pub project: String,
    /// Whether it has a `sourceHydrator`, so that what is rendered for it is committed to a Git repository.
    pub is_hydrated: bool,
}

impl Cluster {
    /// Looks an Application up by the name that the plugin is told; `None` where there is none. `own` is Argo CD's
    /// namespace.
    ///
    /// # Errors
    /// Where the API server does not say.
    pub fn application(
        &self,
        application: &str,
        own: &str,
        limit: Duration,
    ) -> Result<Option<Application>, Failure> {
        let Name { namespace, name } = Name::of_instance(application, own);
        let kind = GroupVersionKind::gvk("argoproj.io", "v1alpha1", "Application");
        let kind = ApiResource::from_gvk_with_plural(&kind, "applications");
        let api: Api<DynamicObject> = Api::namespaced_with(self.client.clone(), &namespace, &kind);
        let deadline = Instant::now() + limit;
        let answer = self.runtime.block_on(ask(deadline, || api.get_opt(&name)));
        match answer {
            Ok(found) => Ok(found.map(|application| {
                let spec = application.data.get("spec");
                let field = |name: &str| spec.and_then(|spec| spec.get(name));
                let project = field("project").and_then(|project| project.as_str());
                Application {
                    // Argo CD: Application.Spec.GetProject
                    project: project
                        .filter(|name| !name.is_empty())
                        .unwrap_or("default")
                        .to_owned(),
                    is_hydrated: field("sourceHydrator")
                        .is_some_and(|hydrator| !hydrator.is_null()),
                }
            })),
            Err(silence) => {
                let what = format!("Application {namespace}/{name}");
                let rule = "{apiGroups: [argoproj.io], resources: [applications], verbs: [get]}";
                Err(Failure::several(vec![silence.problem(&Asked {
                    what: "the Application",
                    object: &what,
                    namespace: Some(&namespace),
                    rule,
                    server: &self.server,
                })]))
            }
        }
    }
}
