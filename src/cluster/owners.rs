//! Who else writes an Application: its owners, and what `argocd-cm` says of all of them.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::{Api, Client};
use tokio::time::Instant;

use super::ask::{Silence, ask};
use super::pruned::{ApplicationSets, Applications, Kind, Pruned};
use crate::steer::application::Name;
use crate::steer::owner::{Owner, OwnerName, Parent};

/// The `ConfigMap` with Argo CD's own settings.
const ARGOCD_CM: &str = "argocd-cm";

/// Looks an owner up. Where the API server does not say, or says what cannot be understood, it counts as unreadable.
pub async fn owner(client: &Client, name: &OwnerName, limit: Duration) -> Owner {
    match name {
        OwnerName::Application(name) => {
            let found = get::<Applications>(client, name, limit).await;
            of(found, |application| {
                Owner::Application(Box::new(Parent::of(application)))
            })
        }
        OwnerName::ApplicationSet(name) => {
            let found = get::<ApplicationSets>(client, name, limit).await;
            of(found, |set| Owner::ApplicationSet(Box::new(set)))
        }
    }
}

async fn get<K: Kind>(
    client: &Client,
    Name { namespace, name }: &Name,
    limit: Duration,
) -> Result<Option<Pruned<K>>, Silence> {
    let api: Api<Pruned<K>> = Api::namespaced(client.clone(), namespace);
    ask(Instant::now() + limit, || api.get_opt(name)).await
}

fn of<K: Kind>(
    found: Result<Option<Pruned<K>>, Silence>,
    owner: impl FnOnce(K::Content) -> Owner,
) -> Owner {
    match found {
        Ok(None) => Owner::Absent,
        Ok(Some(found)) => found.into_content().map_or(Owner::Unreadable, owner),
        Err(_) => Owner::Unreadable,
    }
}

/// What the `ConfigMap` `argocd-cm` in Argo CD's namespace says; `None` where there is none, or the API server does not say.
pub async fn argocd_config(
    client: &Client,
    namespace: &str,
    limit: Duration,
) -> Option<BTreeMap<String, String>> {
    let api: Api<ConfigMap> = Api::namespaced(client.clone(), namespace);
    let found = ask(Instant::now() + limit, || api.get_opt(ARGOCD_CM)).await;
    Some(found.ok().flatten()?.data.unwrap_or_default())
}
