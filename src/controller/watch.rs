//! One watch: lists all that there is, page by page, and follows what changes.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use http::StatusCode;
use kube::ResourceExt as _;
use kube::client::Body;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::sync::mpsc::Sender;
use tokio::time::{sleep, timeout};

use super::lines::Lines;
use super::metrics::Verb;
use super::notice::{Notice, Read};
use super::pause::Pause;
use super::request::{self, Api, Ask, Refusal};
use super::streams::{Stream, Subject};
use crate::cluster::{Kind, Pruned};

/// How many objects a page has, which is held as a whole: an object of etcd may have one and a half megabytes, and all that
/// a page may have has to fit into what is read of an answer.
const PAGE: usize = 40;
const PAGE_OF_OBJECTS: usize = 16;
/// How long one page may take.
const LIST: Duration = Duration::from_mins(1);
/// How long the beginning of a watch may take.
const OPEN: Duration = Duration::from_secs(30);
/// When the API server ends a watch by itself, in seconds.
const WATCH: u64 = 290;
/// How long a watch may be silent: the API server says every minute where it is.
const SILENCE: Duration = Duration::from_secs(150);
/// How long a watch has to last for its end to be an ordinary one; one that ends at once is not asked for at once again.
const ORDINARY: Duration = Duration::from_secs(5);
/// How long to wait after a failure, at first and at most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(15));

/// One watch, and whom it tells.
pub(super) struct Watch<K: Kind> {
    /// Its number.
    pub(super) number: usize,
    /// What it asks for.
    pub(super) stream: Stream,
    /// Whom it asks.
    pub(super) api: Api,
    /// How it reads an object.
    pub(super) read: Read<K>,
    /// Whom it tells.
    pub(super) to: Sender<(usize, Notice)>,
}

/// Why a list or a watch has ended.
enum End {
    /// It goes on where it was.
    Closed,
    /// The API server does not know any more what happened since: all has to be listed again.
    Expired,
    /// It has failed.
    Failed(Refusal),
    /// Nobody listens any more.
    Deaf,
}

impl From<Refusal> for End {
    fn from(refusal: Refusal) -> Self {
        match refusal.code {
            410 => Self::Expired,
            _ => Self::Failed(refusal),
        }
    }
}

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(default)]
    metadata: PageMetadata,
    // What a page of nothing has may be null.
    #[serde(borrow)]
    items: Option<Vec<&'a RawValue>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct PageMetadata {
    resource_version: Option<String>,
    #[serde(rename = "continue")]
    next: Option<String>,
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    object: &'a RawValue,
}

impl<K: Kind> Watch<K> {
    /// Lists and watches until nobody listens any more.
    pub(super) async fn run(self) {
        let mut pause = Pause::new(PAUSE.0, PAUSE.1);
        loop {
            let end = match self.list().await {
                Ok(version) => self.follow(version, &mut pause).await,
                Err(end) => end,
            };
            let refusal = match end {
                End::Deaf => return,
                End::Failed(refusal) => refusal,
                // In the middle of a list too: what has been listed is of no use then.
                End::Closed | End::Expired => Refusal::default(),
            };
            let wait = pause.next(refusal.retry_after);
            if refusal != Refusal::default() && self.tell(Notice::Failing(refusal)).await.is_err() {
                return;
            }
            sleep(wait).await;
        }
    }

    /// Lists all that there is, and tells which version of everything that is.
    async fn list(&self) -> Result<String, End> {
        self.tell(Notice::Begin).await?;
        let mut page = self.page("").await?;
        loop {
            let Page { metadata, items } =
                serde_json::from_slice(&page).map_err(|_| End::Failed(odd()))?;
            let next = metadata.next.unwrap_or_default();
            if next.is_empty() {
                self.show_all(items).await?;
                self.tell(Notice::Complete).await?;
                let version = metadata.resource_version.unwrap_or_default();
                return Ok(version);
            }
            // The API server gets the next page together while this one is taken in.
            let (following, shown) = tokio::join!(self.page(&next), self.show_all(items));
            shown?;
            page = following?;
        }
    }

    /// A page of a list, from where the one before has ended.
    async fn page(&self, from: &str) -> Result<Vec<u8>, Refusal> {
        let limit = match self.stream.subject {
            Subject::Objects(_) => PAGE_OF_OBJECTS,
            _ => PAGE,
        };
        let path = self.path(&[("limit", &limit.to_string()), ("continue", from)]);
        self.api.ask(Ask::get(Verb::List, path), LIST).await
    }

    async fn show_all(&self, items: Option<Vec<&RawValue>>) -> Result<(), End> {
        for item in items.unwrap_or_default() {
            self.show(Pruned::of(item.get())).await?;
        }
        Ok(())
    }

    /// Watches what happens after a version, as long as that can be.
    async fn follow(&self, mut version: String, pause: &mut Pause) -> End {
        let mut is_failing = false;
        loop {
            let start = Instant::now();
            let end = match self.open(&version).await {
                Ok(body) => {
                    if std::mem::take(&mut is_failing) && self.tell(Notice::Well).await.is_err() {
                        return End::Deaf;
                    }
                    self.events(body, &mut version).await
                }
                Err(refusal) => refusal.into(),
            };
            let has_lasted = start.elapsed() >= ORDINARY;
            if has_lasted {
                pause.reset();
            }
            let asked = match end {
                End::Expired | End::Deaf => return end,
                End::Closed if has_lasted => continue,
                End::Closed => None,
                End::Failed(refusal) => {
                    is_failing = true;
                    let asked = refusal.retry_after;
                    if self.tell(Notice::Failing(refusal)).await.is_err() {
                        return End::Deaf;
                    }
                    asked
                }
            };
            sleep(pause.next(asked)).await;
        }
    }

    async fn open(&self, version: &str) -> Result<Body, Refusal> {
        let path = self.path(&[
            ("watch", "true"),
            ("allowWatchBookmarks", "true"),
            ("timeoutSeconds", &WATCH.to_string()),
            ("resourceVersion", version),
        ]);
        self.api.open(Ask::get(Verb::Watch, path), OPEN).await
    }

    /// Tells of events until there are no more.
    async fn events(&self, mut body: Body, version: &mut String) -> End {
        let mut lines = Lines::default();
        loop {
            let bytes = match timeout(SILENCE, request::next(&mut body)).await {
                Ok(Ok(Some(bytes))) => bytes,
                Ok(Err(refusal)) => return refusal.into(),
                // Whether anybody is still there is seen when it is asked again.
                Err(_) | Ok(Ok(None)) => return End::Closed,
            };
            if lines.push(&bytes).is_err() {
                return End::Failed(odd());
            }
            while let Some(line) = lines.next() {
                if let Err(end) = self.event(&line, version).await {
                    return end;
                }
            }
        }
    }

    async fn event(&self, line: &[u8], version: &mut String) -> Result<(), End> {
        let event: Event = serde_json::from_slice(line).map_err(|_| End::Failed(odd()))?;
        let json = event.object.get();
        if event.kind == "ERROR" {
            return Err(failed(json).into());
        }
        let object = Pruned::of(json);
        if let Some(of) = object.resource_version().filter(|of| !of.is_empty()) {
            *version = of;
        }
        match &*event.kind {
            "ADDED" | "MODIFIED" => self.show(object).await,
            "DELETED" => self.tell(Notice::Gone((self.read)(object).key)).await,
            _ => Ok(()),
        }
    }

    async fn show(&self, object: Pruned<K>) -> Result<(), End> {
        self.tell(Notice::Shown((self.read)(object))).await
    }

    async fn tell(&self, notice: Notice) -> Result<(), End> {
        let told = self.to.send((self.number, notice)).await;
        told.map_err(|_| End::Deaf)
    }

    /// The path with the selectors and a query; what is empty is left out.
    fn path(&self, query: &[(&str, &str)]) -> String {
        let Stream { labels, fields, .. } = &self.stream;
        let selectors = [("labelSelector", &**labels), ("fieldSelector", &**fields)];
        let pairs = selectors.iter().chain(query);
        let pairs = pairs.filter(|(_, value)| !value.is_empty());
        let mut text = form_urlencoded::Serializer::new(String::new());
        text.extend_pairs(pairs);
        format!("{}?{}", self.stream.path(), text.finish())
    }
}

/// What an event says that tells of an error.
fn failed(json: &str) -> Refusal {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Status {
        code: u16,
    }
    let Status { code } = serde_json::from_str(json).unwrap_or_default();
    let status = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    request::refusal(status, None, json.as_bytes())
}

fn odd() -> Refusal {
    Refusal::silent("its answer is not what it should be")
}
