//! Keeps the lease, and says until when writes may start.

use std::time::{Duration, Instant};

use http::Method;
use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use tokio::sync::watch;
use tokio::time::sleep;

use super::lease::{RENEW, REQUEST, Step, Tenure};
use super::metrics::Verb;
use super::request::{Api, Ask, Refusal};

/// How long to try to give the lease back.
const RELEASE: Duration = Duration::from_secs(2);

/// Until when writes may start; `None` where this process does not hold the lease.
pub(super) type Until = Option<Instant>;

/// The lease, and whom it is asked of.
pub(super) struct Election {
    api: Api,
    path: String,
    name: String,
    tenure: Tenure,
    /// As it was seen or written last.
    lease: Option<Lease>,
}

impl Election {
    /// A lease of a name in a namespace, for somebody who is called like this.
    pub(super) fn new(api: Api, namespace: &str, name: &str, identity: String) -> Self {
        Self {
            api,
            path: format!("/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"),
            name: name.to_owned(),
            tenure: Tenure::new(identity),
            lease: None,
        }
    }

    /// Takes the lease when it is free, and keeps it, until told to end; then gives it back.
    pub(super) async fn run(mut self, until: watch::Sender<Until>, mut end: watch::Receiver<bool>) {
        let mut was_held = false;
        let mut failed = Refusal::default();
        loop {
            let result = self.round().await;
            let is_held = self.tenure.is_held(Instant::now());
            if is_held != was_held {
                let lease = &self.name;
                if is_held {
                    tracing::info!(%lease, "holds the lease");
                } else {
                    tracing::warn!(%lease, "does not hold the lease any more");
                }
                was_held = is_held;
            }
            match result {
                Ok(()) => failed = Refusal::default(),
                Err(refusal) if refusal != failed => {
                    let lease = &self.name;
                    tracing::warn!(%lease, cause = %refusal.cause, "cannot renew the lease");
                    failed = refusal;
                }
                Err(_) => {}
            }
            until.send_replace(self.tenure.writes_until());
            tokio::select! {
                () = sleep(RENEW) => {}
                _ = end.wait_for(|end| *end) => break,
            }
        }
        until.send_replace(None);
        self.release().await;
    }

    /// Looks at the lease, and writes it where it is free or ours.
    async fn round(&mut self) -> Result<(), Refusal> {
        let now = Instant::now();
        if self.lease.is_none() || !self.tenure.is_held(now) {
            self.lease = self.read().await?;
        }
        let now = Instant::now();
        let step = self.tenure.step(self.lease.as_ref(), now, Timestamp::now());
        let Step::Write(lease) = step else {
            return Ok(());
        };
        // From before it is sent: nobody can have seen it earlier.
        let sent = Instant::now();
        match self.write(&lease).await {
            Ok(written) => {
                self.lease = Some(written);
                self.tenure.accepted(sent);
                Ok(())
            }
            Err(refusal) => {
                self.lease = None;
                if matches!(refusal.code, 404 | 409) {
                    // Somebody else was faster; who it is will be seen.
                    self.tenure.lost();
                    return Ok(());
                }
                Err(refusal)
            }
        }
    }

    async fn read(&self) -> Result<Option<Lease>, Refusal> {
        let path = format!("{}/{}", self.path, self.name);
        match self.api.ask(Ask::get(Verb::Lease, path), REQUEST).await {
            Ok(bytes) => decoded(&bytes).map(Some),
            Err(refusal) if refusal.code == 404 => Ok(None),
            Err(refusal) => Err(refusal),
        }
    }

    async fn write(&self, lease: &Lease) -> Result<Lease, Refusal> {
        let mut lease = lease.clone();
        let (method, path) = match &lease.metadata.resource_version {
            Some(_) => (Method::PUT, format!("{}/{}", self.path, self.name)),
            None => (Method::POST, self.path.clone()),
        };
        lease.metadata.name = Some(self.name.clone());
        let body = serde_json::to_vec(&lease).map_err(|_| odd())?;
        let ask = Ask::send(Verb::Lease, method, path, body);
        decoded(&self.api.ask(ask, REQUEST).await?)
    }

    async fn release(mut self) {
        let lease = self.lease.take();
        let Some(released) = lease.and_then(|lease| self.tenure.released(&lease)) else {
            return;
        };
        self.tenure.lost();
        let written = tokio::time::timeout(RELEASE, self.write(&released)).await;
        if matches!(written, Ok(Ok(_))) {
            tracing::info!(lease = %self.name, "has given the lease back");
        }
    }
}

fn decoded(bytes: &[u8]) -> Result<Lease, Refusal> {
    serde_json::from_slice(bytes).map_err(|_| odd())
}

fn odd() -> Refusal {
    Refusal::silent("its answer is no lease")
}
