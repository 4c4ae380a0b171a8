//! A client of the API server as the controller's own is made, so that what the two do can be compared.

use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::{StreamExt as _, stream};
use http::header::CONTENT_TYPE;
use http::{Method, Request};
use http_body_util::BodyExt as _;
use hyper_util::client::legacy::{self, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use kube::client::{Body, ConfigExt as _};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tower::{BoxError, ServiceBuilder};

use crate::cluster::Cluster;
use crate::kubeconfig::User;

/// How many requests are under way at a time: as many as the controller's.
const AT_ONCE: usize = 32;

/// A server, and who asks it.
#[derive(Clone)]
pub(super) struct Server {
    client: Client,
}

/// An Application that a watch shows.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) at: Instant,
    pub(super) name: String,
    version: String,
    pub(super) source: Value,
    /// Whether it was compared with that source.
    pub(super) is_compared: bool,
}

impl Seen {
    pub(super) fn revision(&self) -> &str {
        self.source["targetRevision"].as_str().unwrap_or_default()
    }
}

/// A request that writes.
pub(super) struct Write {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) kind: &'static str,
    pub(super) body: Vec<u8>,
}

impl Write {
    pub(super) fn create(path: &str, object: &Value) -> Self {
        Self {
            method: Method::POST,
            path: format!("{path}?fieldManager=argocd-server"),
            kind: "application/json",
            body: object.to_string().into_bytes(),
        }
    }

    pub(super) fn merge(path: &str, change: &Value) -> Self {
        Self {
            method: Method::PATCH,
            path: format!("{path}?fieldManager=argocd-server"),
            kind: "application/merge-patch+json",
            body: change.to_string().into_bytes(),
        }
    }

    pub(super) fn patch(path: &str, operations: &Value) -> Self {
        Self {
            method: Method::PATCH,
            path: format!("{path}?fieldManager=argocd-infisical"),
            kind: "application/json-patch+json",
            body: operations.to_string().into_bytes(),
        }
    }
}

impl Server {
    pub(super) async fn new(cluster: &Cluster, user: User) -> Self {
        let file = Kubeconfig::read_from(cluster.kubeconfig(user)).unwrap();
        let options = KubeConfigOptions::default();
        let mut config = Config::from_custom_kubeconfig(file, &options)
            .await
            .unwrap();
        config.proxy_url = None;
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        connector.set_nodelay(true);
        let connector = config
            .rustls_https_connector_with_connector(connector)
            .unwrap();
        let service = ServiceBuilder::new()
            .layer(config.base_uri_layer())
            .option_layer(config.auth_layer().unwrap())
            .map_err(BoxError::from)
            .service(legacy::Client::builder(TokioExecutor::new()).build(connector));
        Self {
            client: Client::new(service, "default"),
        }
    }

    async fn ask(&self, request: Request<Body>) -> Body {
        let (parts, body) = self.client.send(request).await.unwrap().into_parts();
        if parts.status.is_success() {
            return body;
        }
        let text = body.collect().await.unwrap().to_bytes();
        panic!("{}: {}", parts.status, String::from_utf8_lossy(&text));
    }

    pub(super) async fn get(&self, path: &str) -> Bytes {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let body = self.ask(request).await;
        body.collect().await.unwrap().to_bytes()
    }

    pub(super) async fn write(&self, write: Write) -> Bytes {
        let Write {
            method,
            path,
            kind,
            body,
        } = write;
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(CONTENT_TYPE, kind);
        let body = self.ask(request.body(Body::from(body)).unwrap()).await;
        body.collect().await.unwrap().to_bytes()
    }

    /// Writes all of it, as many at a time as the controller does.
    pub(super) async fn write_all(&self, writes: impl IntoIterator<Item = Write>) {
        stream::iter(writes)
            .for_each_concurrent(AT_ONCE, |write| async {
                drop(self.write(write).await);
            })
            .await;
    }

    /// Watches Applications from now on.
    pub(super) async fn watch(&self, path: &str) -> UnboundedReceiver<Seen> {
        let list = self.get(&format!("{path}?limit=1")).await;
        let list: Value = serde_json::from_slice(&list).unwrap();
        let version = list["metadata"]["resourceVersion"].as_str().unwrap();
        let body = self.open(path, version).await;
        let (to, from) = unbounded_channel();
        let (server, path, version) = (self.clone(), path.to_owned(), version.to_owned());
        tokio::spawn(async move { server.look(body, (path, version), to).await });
        from
    }

    async fn open(&self, path: &str, version: &str) -> Body {
        let path = format!("{path}?watch=true&timeoutSeconds=3600&resourceVersion={version}");
        self.ask(Request::get(path).body(Body::empty()).unwrap())
            .await
    }

    /// Tells of what is seen. The API server ends a watch that is behind, and it goes on where it was.
    async fn look(
        &self,
        mut body: Body,
        (path, mut version): (String, String),
        to: UnboundedSender<Seen>,
    ) {
        loop {
            let mut bytes = Vec::new();
            while let Some(Ok(frame)) = body.frame().await {
                bytes.extend_from_slice(&frame.into_data().unwrap_or_default());
                while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
                    let line: Vec<u8> = bytes.drain(..=end).collect();
                    let seen = seen(&line);
                    version.clone_from(&seen.version);
                    if to.send(seen).is_err() {
                        return;
                    }
                }
            }
            body = self.open(&path, &version).await;
        }
    }
}

fn seen(line: &[u8]) -> Seen {
    #[derive(Deserialize)]
    struct Event {
        object: Application,
    }
    #[derive(Deserialize)]
    struct Application {
        metadata: Metadata,
        spec: Source,
        status: Status,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Metadata {
        name: String,
        resource_version: String,
    }
    #[derive(Deserialize)]
    struct Status {
        sync: Sync,
    }
    #[derive(Deserialize)]
    struct Sync {
        #[serde(rename = "comparedTo")]
        compared_to: Source,
    }
    #[derive(Deserialize)]
    struct Source {
        source: Value,
    }
    let Event { object } = serde_json::from_slice(line)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(line)));
    let source = object.spec.source;
    Seen {
        at: Instant::now(),
        name: object.metadata.name,
        version: object.metadata.resource_version,
        is_compared: object.status.sync.compared_to.source == source,
        source,
    }
}

/// What Argo CD writes when it has compared an Application with a source.
pub(super) fn compared(source: &Value) -> Value {
    json!({"status": {"sync": {"comparedTo": {"source": source}}}})
}

/// The times of something, in order.
pub(super) struct Times(Vec<Duration>);

impl Times {
    pub(super) fn new(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        Self(times)
    }

    /// The time that so many of a hundred do not exceed.
    pub(super) fn percentile(&self, percent: usize) -> Duration {
        let place = (self.0.len() * percent).div_ceil(100).max(1) - 1;
        self.0[place]
    }
}
