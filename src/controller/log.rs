//! The log of the controller, on stderr.

use std::io;

use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::time::FormatTime;
use tracing_subscriber::fmt::{self, format};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// The target of the lines that tell of patches.
pub(super) const AUDIT: &str = "argocd_infisical::audit";

/// The form of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs: an object a line.
    Json,
}

struct Now;

impl FormatTime for Now {
    fn format_time(&self, to: &mut format::Writer<'_>) -> std::fmt::Result {
        write!(to, "{:.3}", jiff::Timestamp::now())
    }
}

/// Begins to log. Only what this program says itself: libraries would quote what they cannot decode.
pub(super) fn start(form: LogFormat) {
    let targets = Targets::new().with_target("argocd_infisical", Level::INFO);
    let registry = tracing_subscriber::registry().with(targets);
    let layer = fmt::layer().with_writer(io::stderr).with_timer(Now);
    // Whoever has set one up already, such as a test, keeps it.
    drop(match form {
        LogFormat::Text => registry.with(layer.with_ansi(false)).try_init(),
        LogFormat::Json => registry.with(layer.json().flatten_event(true)).try_init(),
    });
}
