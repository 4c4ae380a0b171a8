//! Who else writes an Application: its owners, and what `argocd-cm` says of all of them.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::{Api, Client};
use tokio::time::Instant;

use super::ask::{Silence, ask};
use super::pruned::{ApplicationSets, Applications, Kind, Pruned};
use crate::steer::application::{Application, Name};
use crate::steer::owner::{ApplicationSet, Owner, OwnerName, Parent};

/// The `ConfigMap` with Argo CD's own settings.
const ARGOCD_CM: &str = "argocd-cm";

/// Looks an owner up. Where the API server does not say, or says what cannot be understood, it counts as unreadable.
pub(super) async fn owner(client: &Client, name: &OwnerName, limit: Duration) -> Owner {
    match name {
        OwnerName::Application(name) => {
            let found = get::<Applications>(client, name, limit).await;
            of(found, of_application)
        }
        OwnerName::ApplicationSet(name) => {
            let found = get::<ApplicationSets>(client, name, limit).await;
            of(found, of_set)
        }
    }
}

/// Where an owner is asked for.
pub(crate) fn path_of_owner(name: &OwnerName) -> String {
    fn path<K: Kind>(Name { namespace, name }: &Name) -> String {
        let (group, version, plural) = (K::GROUP, K::VERSION, K::PLURAL);
        format!("/apis/{group}/{version}/namespaces/{namespace}/{plural}/{name}")
    }
    match name {
        OwnerName::Application(name) => path::<Applications>(name),
        OwnerName::ApplicationSet(name) => path::<ApplicationSets>(name),
    }
}

/// Reads an owner out of the API server's answer.
pub(crate) fn owner_of(name: &OwnerName, json: &str) -> Owner {
    let owner = match name {
        OwnerName::Application(_) => Applications::prune(json).map(of_application),
        OwnerName::ApplicationSet(_) => ApplicationSets::prune(json).map(of_set),
    };
    owner.unwrap_or(Owner::Unreadable)
}

fn of_application(application: Application) -> Owner {
    Owner::Application(Box::new(Parent::of(application)))
}

fn of_set(set: ApplicationSet) -> Owner {
    Owner::ApplicationSet(Box::new(set))
}

/// Where the settings of Argo CD itself are asked for.
pub(crate) fn path_of_argocd_config(namespace: &str) -> String {
    format!("/api/v1/namespaces/{namespace}/configmaps/{ARGOCD_CM}")
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
pub(super) async fn argocd_config(
    client: &Client,
    namespace: &str,
    limit: Duration,
) -> Option<BTreeMap<String, String>> {
    let api: Api<ConfigMap> = Api::namespaced(client.clone(), namespace);
    let found = ask(Instant::now() + limit, || api.get_opt(ARGOCD_CM)).await;
    Some(found.ok().flatten()?.data.unwrap_or_default())
}
