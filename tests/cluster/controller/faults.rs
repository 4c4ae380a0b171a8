//! A server between the controller and the API server that reads requests, and answers some of them as it likes.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use futures::stream;
use http::{Request, Response, Uri};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Collected, Full, StreamBody};
use hyper::body::{Frame, Incoming};
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
use tokio::time::sleep;

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
    /// The server refuses it with a status, and asks to wait for so many seconds.
    Refused(u16, Option<u64>),
    /// The connection breaks before the server hears of it.
    Broken,
    /// The server does it, and the connection breaks before its answer.
    Unanswered,
    /// The server does it, and the connection breaks in the middle of its answer.
    Half,
    /// Nothing happens for a while; then the connection breaks.
    Silent(Duration),
    /// It is passed on after a while.
    Late(Duration),
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

/// What is answered.
type Reply = Response<UnsyncBoxBody<Bytes, io::Error>>;

type Behaviour = dyn Fn(&str, &str) -> Answer + Send + Sync;

async fn answer(
    request: Request<Incoming>,
    client: Client,
    behaviour: Arc<Behaviour>,
) -> io::Result<Reply> {
    let (mut head, body) = request.into_parts();
    let target = head.uri.path_and_query().unwrap().as_str().to_owned();
    let expired = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "reason": "Expired", "code": 410,
        "message": "The provided continue parameter is too old to display a consistent list result.",
    });
    let answer = behaviour(head.method.as_str(), &target);
    let target = match &answer {
        Answer::Pass | Answer::Unanswered | Answer::Half => target,
        Answer::Late(time) => {
            sleep(*time).await;
            target
        }
        Answer::Instead(target) => target.clone(),
        Answer::Expired => return Ok(json_answer(410, &expired.to_string())),
        Answer::ExpiredEvent => {
            let event = json!({"type": "ERROR", "object": expired});
            return Ok(json_answer(200, &format!("{event}\n")));
        }
        Answer::Refused(status, seconds) => return Ok(refused(*status, *seconds)),
        Answer::Broken => return Err(io::ErrorKind::ConnectionReset.into()),
        Answer::Silent(time) => {
            sleep(*time).await;
            return Err(io::ErrorKind::TimedOut.into());
        }
    };
    head.uri = target.parse::<Uri>().unwrap();
    head.headers.remove("host");
    head.headers.remove("authorization");
    let body = body.collect().await.map(Collected::to_bytes);
    // Whoever goes away in the middle of a request has not made it.
    let body = body.map_err(io::Error::other)?;
    let request = Request::from_parts(head, Body::from(body.to_vec()));
    let response = match client.send(request).await {
        Ok(response) => response,
        Err(error) => {
            let message = json!({"message": error.to_string()}).to_string();
            return Ok(json_answer(502, &message));
        }
    };
    match answer {
        Answer::Unanswered => Err(io::ErrorKind::ConnectionReset.into()),
        Answer::Half => half(response).await,
        _ => Ok(response.map(|body| body.map_err(io::Error::other).boxed_unsync())),
    }
}

/// The beginning of an answer, as long as the whole of it by its head.
async fn half(response: Response<Body>) -> io::Result<Reply> {
    let (mut head, body) = response.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    head.headers.remove("transfer-encoding");
    head.headers.insert("content-length", body.len().into());
    let beginning = body.slice(..body.len() / 2);
    let end: io::Result<Frame<Bytes>> = Err(io::ErrorKind::ConnectionReset.into());
    let parts = stream::iter([Ok(Frame::data(beginning)), end]);
    Ok(Response::from_parts(
        head,
        StreamBody::new(parts).boxed_unsync(),
    ))
}

fn refused(status: u16, seconds: Option<u64>) -> Reply {
    let message = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": status,
        "message": "not now",
    });
    let mut response = json_answer(status, &message.to_string());
    if let Some(seconds) = seconds {
        response.headers_mut().insert("retry-after", seconds.into());
    }
    response
}

fn json_answer(status: u16, text: &str) -> Reply {
    Response::builder()
        .status(status)
        .header("content-type", "application/json")
        .body(
            Full::from(text.as_bytes().to_vec())
                .map_err(|never| match never {})
                .boxed_unsync(),
        )
        .unwrap()
}
