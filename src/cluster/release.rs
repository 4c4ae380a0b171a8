//! Telling the controller that an override is gone on purpose: in the record on the Application, or, where that would not stay,
//! by an object.

use std::time::Duration;

use kube::api::{Patch, PatchParams};
use kube::{Api, Error};
use serde_json::json;
use tokio::time::{Instant, timeout_at};

use super::Cluster;
use super::ask::{Asked, Silence, ask};
use super::owners::{argocd_config, owner};
use super::pruned::{Applications, Pruned};
use crate::failure::{Failure, Problem};
use crate::steer::Application;
use crate::steer::application::Name;
use crate::steer::holds::FIELD_MANAGER;
use crate::steer::owner::Instance;
use crate::steer::ownership::{keeps_annotation, owners};
use crate::steer::policy::Policy;
use crate::steer::record::{ANNOTATION, Record};

/// What became of a release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Released {
    /// The record says so; the default of the environment applies.
    Recorded {
        /// The environment.
        environment: String,
    },
    /// There is no override to forget.
    Nothing {
        /// The environment.
        environment: String,
    },
    /// The record would be put back by whoever owns the Application, so that an object without the key has to say so.
    ByObject {
        /// The environment.
        environment: String,
        /// Who puts annotations back.
        owner: String,
    },
}

/// How often it is tried again where somebody else wrote at the same time: Argo CD writes the status all the time.
const ATTEMPTS: usize = 5;

impl Cluster {
    /// Says that an override of an Application is gone on purpose.
    ///
    /// # Errors
    /// Where there is no such Application that takes part, or it cannot be read or written.
    pub fn release(
        &self,
        name: &Name,
        policy: &Policy,
        limit: Duration,
    ) -> Result<Released, Failure> {
        let deadline = Instant::now() + limit;
        self.runtime.block_on(async {
            let mut attempt = 1;
            loop {
                match self.release_once(name, policy, deadline).await {
                    Err(Unreleased::Changed) if attempt < ATTEMPTS => attempt += 1,
                    Err(Unreleased::Changed) => return Err(changed(name)),
                    Err(Unreleased::Failed(failure)) => return Err(failure),
                    Ok(released) => return Ok(released),
                }
            }
        })
    }

    async fn release_once(
        &self,
        name: &Name,
        policy: &Policy,
        deadline: Instant,
    ) -> Result<Released, Unreleased> {
        let failed =
            |silence, is_write| Unreleased::Failed(self.not_released(silence, name, is_write));
        let api: Api<Pruned<Applications>> = Api::namespaced(self.client.clone(), &name.namespace);
        let found = ask(deadline, || api.get_opt(&name.name)).await;
        let found = found.map_err(|silence| failed(silence, false))?;
        let application = found.and_then(Pruned::into_content);
        let application = application.ok_or_else(|| Unreleased::Failed(absent(name)))?;
        let metadata = &application.metadata;
        let label = &policy.environment_label;
        let environment = policy.environment_of(&application).map(str::to_owned);
        let environment = environment.ok_or_else(|| Unreleased::Failed(no_part(name, label)))?;
        if let Some(owner) = self.reverting(&application, policy, deadline).await {
            return Ok(Released::ByObject { environment, owner });
        }
        let before = application.annotations().state;
        let before = before.as_deref().and_then(Record::read);
        let is_released = before
            .as_ref()
            .is_some_and(|record| record.origin.is_none() && record.environment == environment);
        if is_released {
            return Ok(Released::Nothing { environment });
        }
        let record = Record::released(before, &environment).text();
        // With the version that was read: what somebody else wrote in between is not undone.
        let patch = Patch::Merge(json!({"metadata": {
            "uid": metadata.uid,
            "resourceVersion": metadata.resource_version,
            "annotations": {ANNOTATION: record},
        }}));
        let parameters = PatchParams {
            field_manager: Some(FIELD_MANAGER.into()),
            ..PatchParams::default()
        };
        let written = api.patch(&name.name, &parameters, &patch);
        match timeout_at(deadline, written).await {
            Ok(Ok(_)) => Ok(Released::Recorded { environment }),
            Ok(Err(Error::Api(status))) if status.code == 409 => Err(Unreleased::Changed),
            Ok(Err(error)) => Err(failed(Silence::of(&error), true)),
            Err(_) => {
                let silence = Silence::Passing("it does not answer in time".into());
                Err(failed(silence, true))
            }
        }
    }

    /// Who would put an annotation back.
    async fn reverting(
        &self,
        application: &Application,
        policy: &Policy,
        deadline: Instant,
    ) -> Option<String> {
        let rest = || deadline.saturating_duration_since(Instant::now());
        let config = argocd_config(&self.client, &policy.argocd_namespace, rest()).await;
        let instance = config.as_ref().map(Instance::from_config);
        for name in owners(application, &instance.unwrap_or_default(), policy) {
            let owner = owner(&self.client, &name, rest()).await;
            if !keeps_annotation(&[(name.clone(), &owner)], ANNOTATION) {
                return Some(name.to_string());
            }
        }
        None
    }

    fn not_released(&self, silence: Silence, name: &Name, is_write: bool) -> Failure {
        let object = format!("Application {name}");
        let verb = if is_write { "patch" } else { "get" };
        let rule =
            format!("{{apiGroups: [argoproj.io], resources: [applications], verbs: [{verb}]}}");
        let asked = Asked {
            what: "the Application",
            object: &object,
            namespace: Some(&name.namespace),
            rule: &rule,
            server: &self.server,
        };
        let problem = if is_write {
            silence.problem_of_write(&asked)
        } else {
            silence.problem(&asked)
        };
        problem.into_failure()
    }
}

/// Why nothing was released.
enum Unreleased {
    /// Somebody else wrote the Application at the same time.
    Changed,
    Failed(Failure),
}

fn absent(name: &Name) -> Failure {
    Problem::new(format!("there is no Application `{name}`"))
        .hint("name it as `namespace/name`")
        .into_failure()
}

fn no_part(name: &Name, label: &str) -> Failure {
    Problem::new(format!(
        "Application `{name}` takes no part: it has no label `{label}`"
    ))
    .hint("there is nothing to release")
    .into_failure()
}

fn changed(name: &Name) -> Failure {
    Problem::new(format!("Application `{name}` was changed at the same time"))
        .hint("try again")
        .into_failure()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::fake::{cluster, refusal};
    use super::*;

    const RECORD: &str = r#"{"environment":"dev","revision":"x","override":{"kind":"Secret","namespace":"a","name":"b","key":"K","rank":"environment"},"digest":"v1.0.1"}"#;

    fn application(annotations: &Value, more: &Value) -> Value {
        let mut metadata = json!({
            "namespace": "argocd", "name": "lamp", "uid": "u", "resourceVersion": "7",
            "labels": {"argocd-infisical.io/environment": "dev"}, "annotations": annotations,
        });
        for (key, value) in more.as_object().into_iter().flatten() {
            metadata[key] = value.clone();
        }
        json!({"metadata": metadata, "spec": {}})
    }

    fn release(
        answer: impl Fn(&str, usize) -> (u16, Value) + Clone + Send + 'static,
    ) -> (Result<Released, String>, Vec<Value>) {
        let (cluster, asked) = cluster(answer);
        let name = Name::new("argocd", "lamp");
        let released = cluster.release(&name, &Policy::default(), Duration::from_secs(5));
        (
            released.map_err(|failure| failure.to_string()),
            asked.sent("PATCH"),
        )
    }

    /// The release of an Application that is so; nothing else is there.
    fn of(application: Value) -> (Result<Released, String>, Vec<Value>) {
        release(move |request, _| {
            if request.ends_with("/argocd-cm") {
                return refusal(404);
            }
            (200, application.clone())
        })
    }

    fn environment() -> String {
        "dev".into()
    }

    #[test]
    fn the_record_forgets_the_override() {
        let (released, sent) = of(application(&json!({ANNOTATION: RECORD}), &json!({})));
        assert_eq!(
            released,
            Ok(Released::Recorded {
                environment: environment()
            })
        );
        let record = r#"{"environment":"dev","digest":"v1.0.1"}"#;
        let expected = json!({"metadata": {"uid": "u", "resourceVersion": "7", "annotations": {ANNOTATION: record}}});
        assert_eq!(sent, [expected]);
        // Without a record, one says that there is nothing to remember.
        let (released, sent) = of(application(&Value::Null, &json!({})));
        assert_eq!(
            released,
            Ok(Released::Recorded {
                environment: environment()
            })
        );
        assert_eq!(
            sent[0]["metadata"]["annotations"][ANNOTATION],
            r#"{"environment":"dev"}"#
        );
        // And then there is nothing to do.
        let (released, sent) = of(application(
            &json!({ANNOTATION: r#"{"environment":"dev"}"#}),
            &json!({}),
        ));
        assert_eq!(
            released,
            Ok(Released::Nothing {
                environment: environment()
            })
        );
        assert!(sent.is_empty());
    }

    #[test]
    fn where_the_annotation_would_not_stay_an_object_has_to_say_it() {
        let reference = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet", "name": "lamps"});
        let lamp = application(&Value::Null, &json!({"ownerReferences": [reference]}));
        let answers = |preserved: &Value| {
            let (lamp, preserved) = (lamp.clone(), preserved.clone());
            release(move |request, _| match request.rsplit('/').next() {
                Some("argocd-cm") => refusal(404),
                Some("lamps") => (
                    200,
                    json!({"metadata": {}, "spec": {"preservedFields": preserved}}),
                ),
                _ => (200, lamp.clone()),
            })
        };
        let (released, sent) = answers(&Value::Null);
        let owner = "the ApplicationSet `argocd/lamps`".to_owned();
        assert_eq!(
            released,
            Ok(Released::ByObject {
                environment: environment(),
                owner
            })
        );
        assert!(sent.is_empty());
        let (released, sent) = answers(&json!({"annotations": [ANNOTATION]}));
        assert_eq!(
            released,
            Ok(Released::Recorded {
                environment: environment()
            })
        );
        assert_eq!(sent.len(), 1);
    }

    #[test]
    fn it_is_tried_again_where_argo_cd_wrote_at_the_same_time() {
        let (released, sent) = release(|request, before| match request.split(' ').next() {
            Some("PATCH") if before == 0 => refusal(409),
            _ if request.ends_with("/argocd-cm") => refusal(404),
            _ => (200, application(&Value::Null, &json!({}))),
        });
        assert_eq!(
            released,
            Ok(Released::Recorded {
                environment: environment()
            })
        );
        assert_eq!(sent.len(), 2);
    }

    #[test]
    fn what_cannot_be_released() {
        let no_part = json!({"labels": {}});
        for (application, expected) in [
            (
                refusal(404),
                "error: there is no Application `argocd/lamp`\n",
            ),
            (
                (200, application(&Value::Null, &no_part)),
                "takes no part: it has no label `argocd-infisical.io/environment`",
            ),
            (
                refusal(403),
                "identity read `Application argocd/lamp` (status 403)\nhint: bind it to a Role in namespace `argocd` with the rule `{apiGroups: [argoproj.io], resources: [applications], verbs: [get]}`",
            ),
        ] {
            let (released, _) = release(move |_, _| application.clone());
            let told = released.unwrap_err();
            assert!(told.contains(expected), "{told}");
        }
        let (released, _) = release(|request, _| {
            if request.starts_with("PATCH") {
                return refusal(403);
            }
            (200, application(&Value::Null, &json!({})))
        });
        let told = released.unwrap_err();
        assert!(
            told.contains("identity write `Application argocd/lamp`")
                && told.contains("verbs: [patch]"),
            "{told}"
        );
    }
}
