//! Whether the controller is well, and what it has counted, over HTTP.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use http::StatusCode;

use super::metrics::Metrics;

/// How long the controller may take for one turn.
const PATIENCE: Duration = Duration::from_mins(1);

/// What is known of the controller by whoever asks.
#[derive(Debug)]
pub(super) struct Health {
    start: Instant,
    beat: AtomicU64,
    is_ready: AtomicBool,
    /// What it has counted.
    pub(super) metrics: Arc<Metrics>,
}

impl Health {
    /// Of a controller that has just begun.
    pub(super) fn new(metrics: Arc<Metrics>) -> Self {
        Self {
            start: Instant::now(),
            beat: AtomicU64::new(0),
            is_ready: AtomicBool::new(false),
            metrics,
        }
    }

    /// The controller goes on.
    pub(super) fn beat(&self, is_ready: bool, now: Instant) {
        let time = now.saturating_duration_since(self.start).as_millis();
        let time = u64::try_from(time).unwrap_or(u64::MAX);
        self.beat.store(time, Ordering::Relaxed);
        self.is_ready.store(is_ready, Ordering::Relaxed);
    }

    fn is_alive(&self, now: Instant) -> bool {
        let beat = self.start + Duration::from_millis(self.beat.load(Ordering::Relaxed));
        now.saturating_duration_since(beat) < PATIENCE
    }

    /// What is answered at a path.
    pub(super) fn answer(&self, path: &str, now: Instant) -> (StatusCode, String) {
        let (alive, ready) = (self.is_alive(now), self.is_ready.load(Ordering::Relaxed));
        let of = |is_well, not: &str| {
            if is_well {
                (StatusCode::OK, "ok\n".to_owned())
            } else {
                (StatusCode::SERVICE_UNAVAILABLE, format!("{not}\n"))
            }
        };
        match path {
            "/healthz" => of(alive, "it has done nothing for a minute"),
            "/readyz" => of(
                alive && ready,
                "not every watch shows all that there is; watch_synced in /metrics and the log tell which",
            ),
            "/metrics" => (StatusCode::OK, self.metrics.text()),
            _ => (
                StatusCode::NOT_FOUND,
                "there are /metrics, /healthz and /readyz\n".to_owned(),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_alive_while_it_goes_on_and_ready_when_it_says_so() {
        let health = Health::new(Arc::default());
        let start = health.start;
        let status = |path, now| health.answer(path, now).0.as_u16();
        assert_eq!(status("/healthz", start), 200);
        assert_eq!(status("/readyz", start), 503);
        health.beat(true, start + Duration::from_secs(10));
        assert_eq!(status("/readyz", start + Duration::from_secs(69)), 200);
        assert_eq!(status("/healthz", start + Duration::from_secs(70)), 503);
        assert_eq!(status("/readyz", start + Duration::from_secs(70)), 503);
        assert_eq!(status("/metrics", start), 200);
        assert_eq!(status("/", start), 404);
    }
}
