//! What people tell the controller: a `ConfigMap` in its namespace, read and written for them.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Patch, PatchParams, PostParams};
use kube::core::ObjectMeta;
use kube::{Api, Error};
use serde_json::json;
use tokio::time::{Instant, timeout_at};

use super::Cluster;
use super::ask::{Asked, Silence, ask};
use crate::failure::Failure;
use crate::steer::holds::FIELD_MANAGER;
use crate::steer::state::Controls;

/// How often it is tried again where somebody else wrote at the same time.
const ATTEMPTS: usize = 5;

/// A key of the `ConfigMap`, and what it is to say.
pub struct Control {
    /// The key.
    pub key: &'static str,
    /// The text.
    pub text: String,
}

impl Cluster {
    /// Tells the controller in a namespace something, after what it was told before.
    ///
    /// # Errors
    /// Where that cannot be read or written.
    pub fn tell(
        &self,
        namespace: &str,
        what: impl Fn(&Controls) -> Control,
        limit: Duration,
    ) -> Result<(), Failure> {
        self.runtime.block_on(async {
            let deadline = Instant::now() + limit;
            let api: Api<ConfigMap> = Api::namespaced(self.client.clone(), namespace);
            for attempt in 1.. {
                let found = ask(deadline, || api.get_opt(Controls::NAME)).await;
                let found =
                    found.map_err(|silence| self.told(silence, namespace, Doing::Reading))?;
                let is_new = found.is_none();
                let written = timeout_at(deadline, write(&api, found, &what)).await;
                let doing = if is_new {
                    Doing::Creating
                } else {
                    Doing::Changing
                };
                let silence = match written {
                    Ok(Ok(())) => return Ok(()),
                    Ok(Err(Error::Api(status))) if status.code == 409 && attempt < ATTEMPTS => {
                        continue;
                    }
                    Ok(Err(error)) => Silence::of(&error),
                    Err(_) => Silence::Passing("it does not answer in time".into()),
                };
                return Err(self.told(silence, namespace, doing));
            }
            Ok(())
        })
    }

    fn told(&self, silence: Silence, namespace: &str, doing: Doing) -> Failure {
        let name = Controls::NAME;
        let object = format!("ConfigMap {namespace}/{name}");
        let named = |verb: &str| {
            format!(
                "{{apiGroups: [\"\"], resources: [configmaps], resourceNames: [{name}], verbs: [{verb}]}}"
            )
        };
        let rule = match doing {
            Doing::Reading => named("get"),
            Doing::Changing => named("patch"),
            // What is not there yet has no name for a rule to go by.
            Doing::Creating => {
                "{apiGroups: [\"\"], resources: [configmaps], verbs: [create]}".to_owned()
            }
        };
        let asked = Asked {
            what: "what the controller is told",
            object: &object,
            namespace: Some(namespace),
            rule: &rule,
            server: &self.server,
        };
        let problem = match doing {
            Doing::Reading => silence.problem(&asked),
            Doing::Creating | Doing::Changing => silence.problem_of_write(&asked),
        };
        problem.into_failure()
    }
}

#[derive(Clone, Copy)]
enum Doing {
    Reading,
    Creating,
    Changing,
}

async fn write(
    api: &Api<ConfigMap>,
    found: Option<ConfigMap>,
    what: impl Fn(&Controls) -> Control,
) -> Result<(), Error> {
    let Some(found) = found else {
        let Control { key, text } = what(&Controls::default());
        let map = ConfigMap {
            metadata: ObjectMeta {
                name: Some(Controls::NAME.to_owned()),
                ..ObjectMeta::default()
            },
            data: Some(BTreeMap::from([(key.to_owned(), text)])),
            ..ConfigMap::default()
        };
        let parameters = PostParams {
            field_manager: Some(FIELD_MANAGER.into()),
            ..PostParams::default()
        };
        return api.create(&parameters, &map).await.map(drop);
    };
    let controls = Controls::read(&found.data.unwrap_or_default());
    let Control { key, text } = what(&controls);
    // With its version: what somebody else wrote in between is not undone.
    let patch = json!({"metadata": {"resourceVersion": found.metadata.resource_version}, "data": {key: text}});
    let parameters = PatchParams {
        field_manager: Some(FIELD_MANAGER.into()),
        ..PatchParams::default()
    };
    let patch = Patch::Merge(patch);
    let written = api.patch(Controls::NAME, &parameters, &patch);
    written.await.map(drop)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::fake::{cluster, refusal};
    use super::*;

    const PATH: &str = "/api/v1/namespaces/own/configmaps/argocd-infisical-controls";

    fn tell(
        answer: impl Fn(&str, usize) -> (u16, Value) + Clone + Send + 'static,
    ) -> (Result<(), String>, Vec<Value>) {
        let (cluster, asked) = cluster(answer);
        let what = |controls: &Controls| {
            let before = controls.acknowledged.keys().cloned();
            Control {
                key: Controls::ACKNOWLEDGED,
                text: before
                    .chain(["new".to_owned()])
                    .collect::<Vec<_>>()
                    .join(","),
            }
        };
        let told = cluster.tell("own", what, Duration::from_secs(5));
        let sent = [asked.sent("POST"), asked.sent("PATCH")].concat();
        (told.map_err(|failure| failure.to_string()), sent)
    }

    fn map(version: &str) -> (u16, Value) {
        (
            200,
            json!({"metadata": {"resourceVersion": version}, "data": {"acknowledged": "old"}}),
        )
    }

    #[test]
    fn what_is_not_there_is_created() {
        let (told, sent) = tell(|request, _| match request.split(' ').next() {
            Some("GET") => refusal(404),
            _ => (201, json!({"metadata": {}})),
        });
        assert_eq!(told, Ok(()));
        assert_eq!(sent[0]["metadata"]["name"], "argocd-infisical-controls");
        assert_eq!(sent[0]["data"], json!({"acknowledged": "new"}));
    }

    #[test]
    fn what_others_write_at_the_same_time_is_not_lost() {
        let (told, sent) = tell(
            |request, before| match (request.split(' ').next(), before) {
                (Some("GET"), 0) => map("1"),
                (Some("GET"), _) => map("2"),
                (_, 0) => refusal(409),
                _ => map("3"),
            },
        );
        assert_eq!(told, Ok(()));
        let patch = |version: &str| json!({"metadata": {"resourceVersion": version}, "data": {"acknowledged": "old,new"}});
        assert_eq!(sent, [patch("1"), patch("2")]);
    }

    #[test]
    fn what_is_not_allowed_is_told_with_the_rule() {
        for (refused, found, verb, rule) in [
            (
                "GET",
                404,
                "read",
                "resourceNames: [argocd-infisical-controls], verbs: [get]",
            ),
            (
                "POST",
                404,
                "write",
                "resources: [configmaps], verbs: [create]",
            ),
            (
                "PATCH",
                200,
                "write",
                "resourceNames: [argocd-infisical-controls], verbs: [patch]",
            ),
        ] {
            let (told, _) = tell(move |request, _| {
                if request.starts_with(refused) {
                    return refusal(403);
                }
                assert!(
                    request.starts_with("GET") && request.ends_with(PATH),
                    "{request}"
                );
                if found == 200 { map("1") } else { refusal(404) }
            });
            let told = told.unwrap_err();
            let expected =
                format!("identity {verb} `ConfigMap own/argocd-infisical-controls` (status 403)");
            assert!(told.contains(&expected) && told.contains(rule), "{told}");
            assert!(!told.contains("hunter2"), "{told}");
        }
    }
}
