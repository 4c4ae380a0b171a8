//! Lists, page by page, of one namespace or several.

use kube::api::ListParams;
use kube::{Api, Client};
use tokio::task::JoinHandle;
use tokio::time::Instant as Moment;

use super::words::Wrong;
use crate::cluster::ask::{Silence, ask};
use crate::cluster::pruned::{Kind, Pruned};
use crate::steer::policy::Namespaces;

/// How many objects an answer of the API server has at most: an Application may have tens of kilobytes.
const PAGE: u32 = 100;
/// How often a list is begun again that took too long.
const ATTEMPTS: usize = 3;

/// Who reads.
#[derive(Clone)]
pub(in crate::cluster) struct Reader {
    pub(in crate::cluster) client: Client,
    pub(in crate::cluster) server: String,
    pub(in crate::cluster) deadline: Moment,
}

/// A list that was asked for; what goes wrong is told in the words of [`Reader::told_of_list`].
pub(super) type Listed<K> = JoinHandle<Result<Vec<Pruned<K>>, Wrong>>;

impl Reader {
    /// Asks for the objects of each of some namespaces, all at the same time.
    pub(super) fn in_each<K: Kind>(
        &self,
        namespaces: &Namespaces,
        selected: &ListParams,
    ) -> Vec<Listed<K>> {
        let each = match namespaces {
            Namespaces::All => vec![None],
            Namespaces::Only(names) => names.iter().cloned().map(Some).collect(),
        };
        let ask = |namespace: Option<String>| {
            let (reader, selected) = (self.clone(), selected.clone());
            tokio::spawn(async move {
                let listed = reader.list(namespace.as_deref(), &selected).await;
                listed.map_err(|silence| reader.told_of_list::<K>(silence, namespace.as_deref()))
            })
        };
        each.into_iter().map(ask).collect()
    }

    /// A whole list, page by page.
    pub(in crate::cluster) async fn list<K: Kind>(
        &self,
        namespace: Option<&str>,
        selected: &ListParams,
    ) -> Result<Vec<Pruned<K>>, Silence> {
        let api: Api<Pruned<K>> = match namespace {
            Some(namespace) => Api::namespaced(self.client.clone(), namespace),
            None => Api::all(self.client.clone()),
        };
        let mut attempt = 1;
        let (mut items, mut page) = (Vec::new(), selected.clone().limit(PAGE));
        loop {
            match ask(self.deadline, || api.list(&page)).await {
                Ok(list) => {
                    items.extend(list.items);
                    match list.metadata.continue_.filter(|token| !token.is_empty()) {
                        Some(token) => page = page.continue_token(&token),
                        None => return Ok(items),
                    }
                }
                Err(Silence::Expired) if attempt < ATTEMPTS => {
                    attempt += 1;
                    (items, page) = (Vec::new(), selected.clone().limit(PAGE));
                }
                Err(silence) => return Err(silence),
            }
        }
    }
}
