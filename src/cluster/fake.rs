//! An API server that answers as a test says.

use std::sync::{Arc, Mutex};

use http::{Request, Response};
use http_body_util::BodyExt as _;
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};
use tokio::runtime::Builder;

use super::Cluster;

/// What the API server was asked, as `METHOD path`, each with what was sent along.
#[derive(Clone, Default)]
pub(super) struct Asked(Arc<Mutex<Vec<(String, Value)>>>);

impl Asked {
    /// The requests, without what was sent along.
    pub(super) fn requests(&self) -> Vec<String> {
        let asked = self.0.lock().unwrap();
        asked.iter().map(|(request, _)| request.clone()).collect()
    }

    /// What was sent along with requests of a method.
    pub(super) fn sent(&self, method: &str) -> Vec<Value> {
        let asked = self.0.lock().unwrap();
        let sent = asked
            .iter()
            .filter(|(request, _)| request.starts_with(method));
        sent.map(|(_, body)| body.clone()).collect()
    }
}

/// A cluster whose API server answers so: to a request, `METHOD path`, that has come as often before.
pub(super) fn cluster(
    answer: impl Fn(&str, usize) -> (u16, Value) + Clone + Send + 'static,
) -> (Cluster, Asked) {
    let asked = Asked::default();
    let seen = asked.clone();
    let service = tower::service_fn(move |request: Request<Body>| {
        let (seen, answer) = (seen.clone(), answer.clone());
        async move {
            let path = request.uri().path_and_query().unwrap();
            let name = format!("{} {path}", request.method());
            let body = request.into_body().collect().await.unwrap().to_bytes();
            let body = serde_json::from_slice(&body).unwrap_or_default();
            let mut seen = seen.0.lock().unwrap();
            let before = seen.iter().filter(|(other, _)| *other == name).count();
            let (status, said) = answer(&name, before);
            seen.push((name, body));
            let said = Body::from(said.to_string().into_bytes());
            Ok::<_, tower::BoxError>(Response::builder().status(status).body(said).unwrap())
        }
    });
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let client = {
        let _guard = runtime.enter();
        Client::new(service, "default")
    };
    let cluster = Cluster {
        runtime,
        client,
        server: "`there`".into(),
    };
    (cluster, asked)
}

/// A list of one page; there are more where the token is not empty.
pub(super) fn list(items: &Value, token: &str) -> (u16, Value) {
    let metadata = json!({"continue": token});
    let body = json!({"kind": "List", "apiVersion": "v1", "metadata": metadata, "items": items});
    (200, body)
}

/// A refusal, with words that nobody must quote.
pub(super) fn refusal(code: u16) -> (u16, Value) {
    let reason = if code == 404 { "NotFound" } else { "Other" };
    let body = json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "hunter2", "reason": reason, "code": code,
    });
    (code, body)
}
