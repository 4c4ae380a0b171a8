//! Everything that becomes of the Applications of a namespace, as a watch tells it.

use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use serde_json::Value;

use crate::access::Kind;
use crate::cluster::Cluster;

/// The revisions of an Application's sources; an empty text where there is none.
pub(crate) fn revisions(application: &Value) -> Vec<String> {
    let spec = &application["spec"];
    let of = |source: &Value| {
        source["targetRevision"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    match &spec["sources"] {
        Value::Array(sources) if !sources.is_empty() => sources.iter().map(of).collect(),
        _ => vec![of(&spec["source"])],
    }
}

/// Looks on until it is dropped.
pub(crate) struct Observer {
    seen: Arc<Mutex<Vec<Value>>>,
    _stop: Receiver<()>,
}

impl Observer {
    /// Looks at what becomes of the Applications of a namespace from now on.
    pub(crate) fn new(cluster: &'static Cluster, namespace: &str) -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (sender, receiver) = mpsc::sync_channel(1);
        let (list, namespace) = (Arc::clone(&seen), namespace.to_owned());
        let admin = cluster.admin();
        let version = admin.version_of(Kind::APPLICATION, &namespace);
        thread::spawn(move || {
            admin.watch_of(Kind::APPLICATION, &namespace, version, |object| {
                let mut list = list.lock().unwrap_or_else(PoisonError::into_inner);
                list.push(object);
                // Somebody still looks.
                !matches!(
                    sender.try_send(()),
                    Err(mpsc::TrySendError::Disconnected(()))
                )
            });
        });
        Self {
            seen,
            _stop: receiver,
        }
    }

    /// All that was seen of an Application, in order.
    pub(crate) fn of(&self, name: &str) -> Vec<Value> {
        let list = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        list.iter()
            .filter(|seen| seen["metadata"]["name"] == name)
            .cloned()
            .collect()
    }

    /// The revisions that an Application had, one after the other.
    pub(crate) fn history(&self, name: &str) -> Vec<Vec<String>> {
        let mut history: Vec<_> = self.of(name).iter().map(revisions).collect();
        history.dedup();
        history
    }
}
