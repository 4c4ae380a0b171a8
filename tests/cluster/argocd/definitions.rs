//! Argo CD's types in the cluster, as they come with its Go module.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use serde_json::Value;

use crate::access::Kind;
use crate::cluster::Cluster;
use crate::tools;

/// What the server may take to know a type; it is a second.
const DEADLINE: Duration = Duration::from_secs(30);

static DEFINED: OnceLock<()> = OnceLock::new();

/// Makes sure that the cluster knows them; `None`, visibly, where the program is missing beside which they are.
#[track_caller]
pub(crate) fn define(cluster: &Cluster) -> Option<()> {
    let argocd = tools::find("argocd", "ARGOCD")?;
    DEFINED.get_or_init(|| define_once(cluster, &argocd));
    Some(())
}

/// Makes a cluster know them that does not.
pub(crate) fn define_once(cluster: &Cluster, argocd: &Path) {
    let admin = cluster.admin();
    for kind in ["application", "appproject", "applicationset"] {
        let file = argocd.with_file_name(format!("crds/{kind}-crd.yaml"));
        let text =
            fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let definition: Value = serde_saphyr::from_str(&text).unwrap();
        admin.create_global::<CustomResourceDefinition>(definition);
    }
    let start = Instant::now();
    for kind in [Kind::APPLICATION, Kind::PROJECT, Kind::APPLICATION_SET] {
        while admin.list_of(kind, "default").is_err() {
            assert!(
                start.elapsed() < DEADLINE,
                "the server does not know {}",
                kind.plural
            );
            thread::sleep(Duration::from_millis(50));
        }
    }
}
