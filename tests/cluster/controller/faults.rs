//! A server between the controller and the API server that reads requests, and answers some of them as it likes.

use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread;

use http::{Request, Response, Uri};
use http_body_util::{BodyExt as _, Collected};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use kube::Client;
use kube::client::Body;
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::task::AbortHandle;

use crate::cluster::Cluster;
use crate::kubeconfig::{self, User};

/// What becomes of a request.
pub(crate) enum Answer {
    /// It is passed on.
    Pass,
    /// It is passed on with another path and query.
    Instead(String),
    /// The version of a list that goes on is gone from the server (410).
    Expired,
    /// The version of a watch is, as its first event says.
    ExpiredEvent,
}

/// A running one.
pub(crate) struct Server {
    /// The kubeconfig file that leads to it.
    pub(crate) kubeconfig: PathBuf,
    connections: Arc<Mutex<Vec<AbortHandle>>>,
}

impl Server {
    /// Ends all connections, in the middle of whatever they carry.
    pub(crate) fn hang_up(&self) {
        for connection in self.connections.lock().unwrap().drain(..) {
            connection.abort();
        }
    }
}

/// Starts one. It asks with method, path and query what becomes of a request.
pub(crate) fn start(
    cluster: &Cluster,
    behaviour: impl Fn(&str, &str) -> Answer + Send + Sync + 'static,
) -> Server {
    let direct = cluster.kubeconfig(User::CONTROLLER);
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let path = cluster.path(&format!("faults-{port}.kubeconfig"));
    let text = kubeconfig::write(User::CONTROLLER, port, &cluster.certificate());
    std::fs::write(&path, text.replace("https://", "http://")).unwrap();
    let behaviour: Arc<Behaviour> = Arc::new(behaviour);
    let connections = Arc::<Mutex<Vec<AbortHandle>>>::default();
    let server = Server {
        kubeconfig: path,
        connections: Arc::clone(&connections),
    };
    thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let file = Kubeconfig::read_from(direct).unwrap();
            let options = KubeConfigOptions::default();
            let config = kube::Config::from_custom_kubeconfig(file, &options).await;
            let mut config = config.unwrap();
            config.proxy_url = None;
            config.default_retry = false;
            config.read_timeout = None;
            let client = Client::try_from(config).unwrap();
            let listener = TcpListener::from_std(listener).unwrap();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (client, behaviour) = (client.clone(), Arc::clone(&behaviour));
                let connection = tokio::spawn(async move {
                    let service = service_fn(move |request| {
                        answer(request, client.clone(), Arc::clone(&behaviour))
                    });
                    // Either side may go away at any time.
                    drop(
                        http1::Builder::new()
                            .serve_connection(TokioIo::new(stream), service)
                            .await,
                    );
                });
                connections.lock().unwrap().push(connection.abort_handle());
            }
        });
    });
    server
}

type Behaviour = dyn Fn(&str, &str) -> Answer + Send + Sync;

async fn answer(
    request: Request<Incoming>,
    client: Client,
    behaviour: Arc<Behaviour>,
) -> Result<Response<Body>, Infallible> {
    let (mut head, body) = request.into_parts();
    let target = head.uri.path_and_query().unwrap().as_str().to_owned();
    let expired = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "reason": "Expired", "code": 410,
        "message": "The provided continue parameter is too old to display a consistent list result.",
    });
    let target = match behaviour(head.method.as_str(), &target) {
        Answer::Pass => target,
        Answer::Instead(target) => target,
        Answer::Expired => return Ok(json_answer(410, &expired.to_string())),
        Answer::ExpiredEvent => {
            let event = json!({"type": "ERROR", "object": expired});
            return Ok(json_answer(200, &format!("{event}\n")));
        }
    };
    head.uri = target.parse::<Uri>().unwrap();
    head.headers.remove("host");
    head.headers.remove("authorization");
    let body = body.collect().await.map(Collected::to_bytes);
    let request = Request::from_parts(head, Body::from(body.unwrap_or_default().to_vec()));
    Ok(match client.send(request).await {
        Ok(response) => response,
        Err(error) => json_answer(502, &json!({"message": error.to_string()}).to_string()),
    })
}

fn json_answer(status: u16, text: &str) -> Response<Body> {
    Response::builder()
        .status(status)
        .header("content-type", "application/json")
        .body(Body::from(text.as_bytes().to_vec()))
        .unwrap()
}
