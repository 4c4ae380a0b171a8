//! Settings objects out of a cluster: one request for each.

use std::time::Duration;

use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::{Api, Client, Error};
use tokio::time::Instant;

use super::Cluster;
use super::ask::{Asked, Silence, ask};
use crate::failure::Failure;
use crate::settings::object::{Object, ObjectKind, ObjectName, Reference};
use crate::settings::reading::{Audience, Reading};

impl Cluster {
    /// Reads objects, at the same time, within a limit for all of them together.
    ///
    /// # Errors
    /// Where the API server does not say of each of them what it holds, or that it is not there: all of these. Who is no
    /// person is not told that this identity may not read one.
    pub fn read(
        &self,
        references: &[Reference],
        audience: Audience,
        limit: Duration,
    ) -> Result<Reading, Failure> {
        let (objects, silences) = self.runtime.block_on(async {
            let deadline = Instant::now() + limit;
            let requests: Vec<_> = references
                .iter()
                .map(|reference| {
                    let (client, name) = (self.client.clone(), reference.object.clone());
                    tokio::spawn(async move {
                        ask(deadline, || get(client.clone(), name.clone())).await
                    })
                })
                .collect();
            let (mut objects, mut silences) = (Vec::new(), Vec::new());
            for (reference, request) in references.iter().zip(requests) {
                let reference = reference.clone();
                match request.await {
                    Ok(Ok(object)) => objects.push((reference, object)),
                    Ok(Err(Silence::Forbidden)) if audience == Audience::Author => {
                        objects.push((reference, None));
                    }
                    Ok(Err(silence)) => silences.push((reference, silence)),
                    Err(_) => {
                        let silence = Silence::Final("the request ended by itself".into());
                        silences.push((reference, silence));
                    }
                }
            }
            (objects, silences)
        });
        if silences.is_empty() {
            return Ok(Reading::new(objects, audience));
        }
        // That there is no way to the API server is said once.
        let mut is_way_told = false;
        let mut problems = Vec::new();
        for (reference, silence) in silences {
            if silence.is_of_the_way() && std::mem::replace(&mut is_way_told, true) {
                continue;
            }
            problems.push(silence.problem(&Asked {
                what: "settings",
                object: &reference.object,
                namespace: Some(&reference.object.namespace),
                rule: &reference.object.rule(),
                server: &self.server,
            }));
        }
        Err(Failure::several(problems))
    }
}

async fn get(client: Client, name: ObjectName) -> Result<Option<Object>, Error> {
    let ObjectName {
        kind,
        namespace,
        name,
    } = name;
    match kind {
        ObjectKind::ConfigMap => {
            let api: Api<ConfigMap> = Api::namespaced(client, &namespace);
            let found = api.get_opt(&name).await?;
            Ok(found.map(of_config_map))
        }
        ObjectKind::Secret => {
            let api: Api<Secret> = Api::namespaced(client, &namespace);
            let found = api.get_opt(&name).await?;
            Ok(found.map(of_secret))
        }
    }
}

/// What a `ConfigMap` says.
pub(super) fn of_config_map(map: ConfigMap) -> Object {
    let texts = map.data.unwrap_or_default().into_iter();
    let texts = texts.map(|(key, text)| (key, text.into_bytes()));
    let bytes = map.binary_data.unwrap_or_default().into_iter();
    object(
        map.metadata,
        texts.chain(bytes.map(|(key, bytes)| (key, bytes.0))),
    )
}

/// What a Secret says.
pub(super) fn of_secret(secret: Secret) -> Object {
    let bytes = secret.data.unwrap_or_default().into_iter();
    object(secret.metadata, bytes.map(|(key, bytes)| (key, bytes.0)))
}

fn object(metadata: ObjectMeta, data: impl Iterator<Item = (String, Vec<u8>)>) -> Object {
    Object {
        labels: metadata.labels.unwrap_or_default(),
        annotations: metadata.annotations.unwrap_or_default(),
        data: data.collect(),
    }
}
