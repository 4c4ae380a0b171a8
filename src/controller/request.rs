//! One request to the API server: its answer, or why there is none.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use kube::Client;
use kube::client::Body;
use serde::Deserialize;
use tokio::task::JoinSet;
use tokio::time::timeout_at;

use super::metrics::{Metrics, Verb};
use crate::cluster::Silence;
use crate::failure::printable_name;

/// How much of an answer is read at most.
const LARGEST: usize = 64 << 20;
/// How much of what the API server says of a request that it refuses is kept, in characters.
const MESSAGE: usize = 300;
/// What the API server says of a JSON Patch whose test fails, or that does not fit.
// Kubernetes: NewGenericServerResponse
const UNAPPLIED: &str = "the server rejected our request due to an error in our request";
/// How long to wait at most because the API server asks for it.
const LONGEST_ASKED: Duration = Duration::from_mins(2);

/// The way to the API server. Every request has a limit of time and is counted.
#[derive(Clone)]
pub(super) struct Api {
    client: Client,
    metrics: Arc<Metrics>,
}

/// What is asked for.
pub(super) struct Ask {
    /// What it is counted as.
    pub(super) verb: Verb,
    /// The path with its query.
    pub(super) path: String,
    /// The type and the bytes of what is sent along.
    pub(super) body: Option<(Method, &'static str, Vec<u8>)>,
}

/// Why there is no answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Refusal {
    /// The status; zero where none came.
    pub(super) code: u16,
    /// How long the API server asks to wait, as far as that is followed.
    pub(super) retry_after: Option<Duration>,
    /// What happened, in one line.
    pub(super) cause: String,
    /// Whether a `test` of a JSON Patch failed.
    pub(super) is_test: bool,
}

impl Ask {
    /// Asks for what is at a path.
    pub(super) const fn get(verb: Verb, path: String) -> Self {
        Self {
            verb,
            path,
            body: None,
        }
    }

    /// Sends JSON.
    pub(super) const fn send(verb: Verb, method: Method, path: String, body: Vec<u8>) -> Self {
        Self {
            verb,
            path,
            body: Some((method, "application/json", body)),
        }
    }

    /// Sends a JSON Patch.
    pub(super) const fn patch(path: String, body: Vec<u8>) -> Self {
        Self {
            verb: Verb::Patch,
            path,
            body: Some((Method::PATCH, "application/json-patch+json", body)),
        }
    }
}

impl Refusal {
    pub(super) fn silent(cause: impl Into<String>) -> Self {
        Self {
            cause: cause.into(),
            ..Self::default()
        }
    }

    /// Whether another try may help although nothing else changes.
    pub(super) const fn is_passing(&self) -> bool {
        matches!(self.code, 0 | 408 | 429 | 500..=599)
    }
}

impl Api {
    pub(super) const fn new(client: Client, metrics: Arc<Metrics>) -> Self {
        Self { client, metrics }
    }

    /// Asks, and reads the answer, within a limit.
    pub(super) async fn ask(&self, ask: Ask, limit: Duration) -> Result<Vec<u8>, Refusal> {
        self.ask_until(ask, Instant::now() + limit).await
    }

    /// Asks, and reads the answer, before a time. Nothing is sent after it.
    pub(super) async fn ask_until(&self, ask: Ask, end: Instant) -> Result<Vec<u8>, Refusal> {
        let verb = ask.verb;
        let answer = until(end, async {
            let response = self.send(ask).await?;
            read(response.into_body()).await
        });
        let answer = answer.await;
        self.count(verb, &answer);
        answer
    }

    /// Asks, and leaves the body of the answer to be read; only its beginning has a limit.
    pub(super) async fn open(&self, ask: Ask, limit: Duration) -> Result<Body, Refusal> {
        let verb = ask.verb;
        let answer = until(Instant::now() + limit, self.send(ask)).await;
        let answer = answer.map(Response::into_body);
        self.count(verb, &answer);
        answer
    }

    fn count<T>(&self, verb: Verb, answer: &Result<T, Refusal>) {
        let code = answer.as_ref().map_or_else(|refusal| refusal.code, |_| 200);
        self.metrics.request(verb, code);
    }

    async fn send(&self, ask: Ask) -> Result<Response<Body>, Refusal> {
        let Ask { path, body, .. } = ask;
        let (method, kind, body) = body.unwrap_or((Method::GET, "", Vec::new()));
        let mut request = Request::builder().method(method).uri(path);
        if !kind.is_empty() {
            request = request.header(CONTENT_TYPE, kind);
        }
        let request = request
            .body(Body::from(body))
            .map_err(|_| Refusal::silent("the request cannot be made"))?;
        let answer = self.client.send(request).await;
        let response = answer.map_err(|error| Refusal::silent(Silence::of(&error).cause()))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        let header = response.headers().get(RETRY_AFTER);
        let seconds = header.and_then(|value| value.to_str().ok()?.parse().ok());
        let body = read(response.into_body()).await.unwrap_or_default();
        Err(refusal(status, seconds.map(Duration::from_secs), &body))
    }
}

/// What an answer with a status other than success says.
pub(super) fn refusal(status: StatusCode, retry_after: Option<Duration>, body: &[u8]) -> Refusal {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Status {
        message: String,
        details: Option<Details>,
    }
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "camelCase", default)]
    struct Details {
        retry_after_seconds: Option<u64>,
        causes: Option<Vec<Cause>>,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Cause {
        message: String,
    }
    let Status { message, details } = serde_json::from_slice(body).unwrap_or_default();
    let details = details.unwrap_or_default();
    let seconds = details.retry_after_seconds.filter(|seconds| *seconds > 0);
    let asked = retry_after.or(seconds.map(Duration::from_secs));
    let causes = details.causes.unwrap_or_default();
    // Kubernetes: a JSON Patch that cannot be applied is 422 without a word on why; others that say no have one
    let is_test = status == StatusCode::UNPROCESSABLE_ENTITY
        && (message == UNAPPLIED
            || causes
                .iter()
                .map(|cause| &cause.message)
                .chain([&message])
                .any(|text| text.contains("test failed") || text.contains("testing value")));
    let message: String = printable_name(&message).chars().take(MESSAGE).collect();
    let code = status.as_u16();
    let cause = if message.is_empty() {
        format!("it answers with status {code}")
    } else {
        format!("it answers with status {code}: {message}")
    };
    Refusal {
        code,
        retry_after: asked.map(|asked| asked.min(LONGEST_ASKED)),
        cause,
        is_test,
    }
}

/// What comes of a request. If it ends by itself, which is a fault of this program, it counts as one without an answer: whoever
/// waits for it goes on, and tries again.
pub(super) async fn contained<T: Send + 'static>(
    request: impl Future<Output = Result<T, Refusal>> + Send + 'static,
) -> Result<T, Refusal> {
    let mut task = JoinSet::new();
    task.spawn(request);
    match task.join_next().await {
        Some(Ok(result)) => result,
        Some(Err(_)) | None => Err(Refusal::silent("the program has a fault")),
    }
}

/// What comes of a request before a time. After that it is not gone on with at all, not even where it could be at once, as in a
/// process that was stopped for a while: what it would send is out of date.
async fn until<T>(
    end: Instant,
    request: impl Future<Output = Result<T, Refusal>>,
) -> Result<T, Refusal> {
    let late = || Err(Refusal::silent("it does not answer in time"));
    let mut request = pin!(request);
    let in_time = poll_fn(|context| {
        if Instant::now() < end {
            request.as_mut().poll(context)
        } else {
            Poll::Ready(late())
        }
    });
    timeout_at(end.into(), in_time)
        .await
        .unwrap_or_else(|_| late())
}

/// Reads a whole body, into one piece as it comes.
async fn read(mut body: Body) -> Result<Vec<u8>, Refusal> {
    let mut whole = Vec::new();
    while let Some(bytes) = next(&mut body).await? {
        if whole.len() + bytes.len() > LARGEST {
            return Err(Refusal::silent("its answer is too long"));
        }
        whole.extend_from_slice(&bytes);
    }
    Ok(whole)
}

/// The next bytes of a body; `None` at its end.
pub(super) async fn next(body: &mut Body) -> Result<Option<Bytes>, Refusal> {
    loop {
        match body.frame().await {
            None => return Ok(None),
            Some(Ok(frame)) => {
                // Trailers are none.
                if let Ok(bytes) = frame.into_data() {
                    return Ok(Some(bytes));
                }
            }
            Some(Err(_)) => return Err(Refusal::silent("its answer breaks off")),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(code: u16, body: &serde_json::Value) -> Refusal {
        let status = StatusCode::from_u16(code).unwrap();
        refusal(status, None, body.to_string().as_bytes())
    }

    #[test]
    fn a_failed_test_of_a_patch_is_told_from_what_is_refused() {
        let test = json!({
            "message": "the server rejected our request due to an error in our request",
            "details": {"causes": [{"reason": "UnexpectedServerResponse", "message": "testing value /spec/source/targetRevision failed: test failed"}]},
        });
        assert!(refused(422, &test).is_test);
        // As Kubernetes 1.37 says it.
        let test = json!({
            "kind": "Status", "status": "Failure", "reason": "Invalid", "code": 422, "details": {},
            "message": "the server rejected our request due to an error in our request",
        });
        assert!(refused(422, &test).is_test);
        let denied = json!({"message": "ValidatingAdmissionPolicy 'argocd-infisical' denied request: a test"});
        let denied = refused(422, &denied);
        assert!(!denied.is_test && !denied.is_passing());
        assert!(
            denied
                .cause
                .contains("status 422: ValidatingAdmissionPolicy"),
            "{}",
            denied.cause
        );
    }

    #[test]
    fn how_long_to_wait_comes_from_the_header_or_the_body() {
        let body = json!({"message": "busy", "details": {"retryAfterSeconds": 3}});
        let seconds = |refusal: Refusal| refusal.retry_after.map(|time| time.as_secs());
        assert_eq!(seconds(refused(429, &body)), Some(3));
        let header = Some(Duration::from_secs(7));
        let busy = refusal(StatusCode::TOO_MANY_REQUESTS, header, b"Too many requests");
        assert!(busy.is_passing() && seconds(busy) == Some(7));
        assert_eq!(seconds(refused(503, &json!({}))), None);
        // But not for a day, and not for ever.
        for asked in [86_400, u64::MAX] {
            let body = json!({"details": {"retryAfterSeconds": asked}});
            assert_eq!(seconds(refused(429, &body)), Some(120));
            let header = Some(Duration::from_secs(asked));
            let busy = refusal(StatusCode::SERVICE_UNAVAILABLE, header, b"");
            assert_eq!(seconds(busy), Some(120));
        }
    }

    #[test]
    fn what_others_say_is_one_short_line() {
        let body = json!({"message": format!("a\n\u{1b}[31m{}", "x".repeat(5000))});
        let refusal = refused(500, &body);
        assert!(refusal.cause.chars().count() < 400 && !refusal.cause.contains('\n'));
        assert!(
            refused(404, &json!("no status"))
                .cause
                .ends_with("status 404")
        );
    }

    #[tokio::test]
    async fn a_silent_api_server_is_not_waited_for() {
        let silent = tower::service_fn(|_: Request<Body>| {
            std::future::pending::<Result<Response<Body>, tower::BoxError>>()
        });
        let metrics = Arc::<Metrics>::default();
        let api = Api::new(Client::new(silent, "default"), Arc::clone(&metrics));
        let patch = Ask::patch("/x".into(), Vec::new());
        let refusal = api.ask(patch, Duration::from_millis(10)).await.unwrap_err();
        assert!(refusal.is_passing() && refusal.cause.contains("in time"));
        let counted = "requests_total{verb=\"patch\",code=\"0\"} 1\n";
        assert!(metrics.text().contains(counted), "{}", metrics.text());
    }

    #[tokio::test]
    async fn nothing_is_sent_when_its_time_is_over_although_it_could_be_at_once() {
        let mut polls = 0;
        let stopped = poll_fn(|context| {
            polls += 1;
            // The process is stopped here, and goes on when the time is over.
            std::thread::sleep(Duration::from_millis(30));
            context.waker().wake_by_ref();
            Poll::<Result<(), Refusal>>::Pending
        });
        let end = Instant::now() + Duration::from_millis(20);
        assert!(until(end, stopped).await.unwrap_err().is_passing());
        assert_eq!(polls, 1);
        let never = poll_fn(|_| -> Poll<Result<(), Refusal>> { unreachable!() });
        assert!(until(Instant::now(), never).await.is_err());
    }

    #[tokio::test]
    async fn a_request_that_panics_is_one_without_an_answer() {
        let refusal = contained::<()>(async { panic!("a fault") }).await;
        let refusal = refusal.unwrap_err();
        assert!(refusal.is_passing());
    }
}
