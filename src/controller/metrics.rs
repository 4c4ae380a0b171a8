//! Figures of the controller, for Prometheus. No label names an Application: their number is not bounded.

mod histogram;

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use self::histogram::Histogram;
use crate::steer::plan::Purpose;

/// What all names begin with.
const PREFIX: &str = "argocd_infisical_controller";
/// Upper ends of the buckets, in seconds: of what the controller itself takes, and of what Argo CD takes.
const SHORT: &[f64] = &[
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0,
];
const LONG: &[f64] = &[
    0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0, 180.0, 300.0,
];
const TINY: &[f64] = &[
    0.0001, 0.0005, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0,
];

/// What a request is counted as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verb {
    /// A page of a list.
    List,
    /// The beginning of a watch.
    Watch,
    /// One object.
    Get,
    /// A patch of an Application.
    Patch,
    /// The lease.
    Lease,
    /// An Event.
    Event,
}

impl Verb {
    const fn as_str(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Watch => "watch",
            Self::Get => "get",
            Self::Patch => "patch",
            Self::Lease => "lease",
            Self::Event => "event",
        }
    }
}

/// What became of a patch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Written {
    /// It was made.
    Done,
    /// The Application has changed, or is gone.
    Outdated,
    /// The API server refuses it.
    Refused,
    /// The API server did not answer, or was too busy.
    Failed,
}

impl Written {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Outdated => "outdated",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

/// What Applications are counted by: the environment, and for the revision or the settings, what happens and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Group {
    /// The environment, one of the policy's.
    pub(super) environment: String,
    /// `revision` or `settings`.
    pub(super) field: &'static str,
    /// `same`, `change`, or the class of a reason.
    pub(super) outcome: &'static str,
    /// The code of the reason, or nothing.
    pub(super) code: &'static str,
}

/// All figures.
#[derive(Debug, Default)]
pub(super) struct Metrics(Mutex<Figures>);

#[derive(Debug)]
struct Figures {
    requests: BTreeMap<(Verb, u16), u64>,
    patches: BTreeMap<(&'static str, Written), u64>,
    applications: BTreeMap<Group, usize>,
    synced: BTreeMap<String, bool>,
    breakers: BTreeMap<String, usize>,
    gauges: Gauges,
    decision: Histogram,
    change_to_patch: Histogram,
    patch_to_synced: Histogram,
}

/// Figures that are set and not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Gauges {
    /// Whether this process holds the lease.
    pub(super) is_leader: bool,
    /// Whether all that decisions are made from is known.
    pub(super) is_complete: bool,
    /// How many Applications have been patched and not been synced yet.
    pub(super) in_flight: usize,
    /// How many patches wait.
    pub(super) waiting: usize,
    /// Of how many Applications with watched settings Argo CD does not try to render again for a while.
    pub(super) paused: usize,
}

impl Default for Figures {
    fn default() -> Self {
        Self {
            requests: BTreeMap::new(),
            patches: BTreeMap::new(),
            applications: BTreeMap::new(),
            synced: BTreeMap::new(),
            breakers: BTreeMap::new(),
            gauges: Gauges::default(),
            decision: Histogram::new(TINY),
            change_to_patch: Histogram::new(SHORT),
            patch_to_synced: Histogram::new(LONG),
        }
    }
}

/// The name of a purpose as a label.
pub(super) const fn purpose(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Revision => "revision",
        Purpose::Digest => "digest",
        Purpose::Operation => "operation",
        Purpose::Refresh => "refresh",
        Purpose::Record => "record",
    }
}

impl Metrics {
    fn figures(&self) -> MutexGuard<'_, Figures> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a request by the status of its answer, zero for none.
    pub(super) fn request(&self, verb: Verb, code: u16) {
        count(&mut self.figures().requests, (verb, code));
    }

    /// Counts a patch.
    pub(super) fn patch(&self, of: Purpose, written: Written) {
        count(&mut self.figures().patches, (purpose(of), written));
    }

    /// Sets how many Applications there are of each group.
    pub(super) fn applications(&self, groups: BTreeMap<Group, usize>) {
        self.figures().applications = groups;
    }

    /// Sets whether a watch shows all that there is.
    pub(super) fn synced(&self, watch: String, is_synced: bool) {
        self.figures().synced.insert(watch, is_synced);
    }

    /// Sets which breakers stop how many changes, by environment.
    pub(super) fn breakers(&self, breakers: BTreeMap<String, usize>) {
        self.figures().breakers = breakers;
    }

    /// Sets figures.
    pub(super) fn set(&self, gauges: Gauges) {
        self.figures().gauges = gauges;
    }

    /// Notes how long decisions took.
    pub(super) fn decided(&self, time: Duration) {
        self.figures().decision.observe(time);
    }

    /// Notes how long it took from when a change was seen until it was patched.
    pub(super) fn changed(&self, time: Duration) {
        self.figures().change_to_patch.observe(time);
    }

    /// Notes how long it took from a patch until Argo CD had synced it.
    pub(super) fn settled(&self, time: Duration) {
        self.figures().patch_to_synced.observe(time);
    }

    /// All figures in the format of Prometheus.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        let written = self.figures().write(&mut text);
        // Nothing fails that writes to a text.
        written.map(|()| text).unwrap_or_default()
    }
}

fn count<K: Ord>(counts: &mut BTreeMap<K, u64>, key: K) {
    let count = counts.entry(key).or_default();
    *count = count.saturating_add(1);
}

/// A value of a label, as Prometheus reads it.
fn label(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('"', "\\\"");
    text.replace('\n', "\\n")
}

impl Figures {
    fn write(&self, to: &mut String) -> fmt::Result {
        let Self {
            requests,
            patches,
            applications,
            synced,
            breakers,
            gauges,
            decision,
            change_to_patch,
            patch_to_synced,
        } = self;
        let version = env!("CARGO_PKG_VERSION");
        let build = [(format!("version=\"{version}\""), 1)];
        series(to, &BUILD, build)?;
        let requests = requests.iter().map(|((verb, code), count)| {
            let verb = verb.as_str();
            (format!("verb=\"{verb}\",code=\"{code}\""), *count)
        });
        series(to, &REQUESTS, requests)?;
        let patches = patches.iter().map(|((purpose, result), count)| {
            let result = result.as_str();
            (format!("purpose=\"{purpose}\",result=\"{result}\""), *count)
        });
        series(to, &PATCHES, patches)?;
        let applications = applications
            .iter()
            .map(|(group, count)| (group.labels(), size(*count)));
        series(to, &APPLICATIONS, applications)?;
        let synced = synced.iter().map(|(watch, is_synced)| {
            (format!("watch=\"{}\"", label(watch)), u64::from(*is_synced))
        });
        series(to, &SYNCED, synced)?;
        let breakers = breakers.iter().map(|(environment, changes)| {
            (
                format!("environment=\"{}\"", label(environment)),
                size(*changes),
            )
        });
        series(to, &BREAKERS, breakers)?;
        gauges.write(to)?;
        decision.write(to, DECISION)?;
        change_to_patch.write(to, CHANGE_TO_PATCH)?;
        patch_to_synced.write(to, PATCH_TO_SYNCED)
    }
}

impl Group {
    fn labels(&self) -> String {
        let Self {
            environment,
            field,
            outcome,
            code,
        } = self;
        let environment = label(environment);
        format!(
            "environment=\"{environment}\",field=\"{field}\",outcome=\"{outcome}\",code=\"{code}\""
        )
    }
}

impl Gauges {
    fn write(self, to: &mut String) -> fmt::Result {
        let Self {
            is_leader,
            is_complete,
            in_flight,
            waiting,
            paused,
        } = self;
        single(to, &LEADER, usize::from(is_leader))?;
        single(to, &COMPLETE, usize::from(is_complete))?;
        single(to, &IN_FLIGHT, in_flight)?;
        single(to, &WAITING, waiting)?;
        single(to, &RENDER_PAUSED, paused)
    }
}

/// The name of a metric, its type, and what it tells.
type Metric = (&'static str, &'static str, &'static str);

const BUILD: Metric = (
    "build_info",
    "gauge",
    "The version of the program, in a label.",
);
const REQUESTS: Metric = (
    "requests_total",
    "counter",
    "Requests to the API server by the status of the answer, 0 for none.",
);
const PATCHES: Metric = (
    "patches_total",
    "counter",
    "Patches of Applications by what they are for and what became of them.",
);
const APPLICATIONS: Metric = (
    "applications",
    "gauge",
    "Applications that take part, by what is decided of their revision and settings.",
);
const SYNCED: Metric = (
    "watch_synced",
    "gauge",
    "Whether a watch shows all that there is; nothing is written while one does not.",
);
const BREAKERS: Metric = (
    "breaker_tripped",
    "gauge",
    "Applications whose change the breaker of an environment stops until it is acknowledged.",
);
const LEADER: Metric = ("leader", "gauge", "Whether this process holds the lease.");
const COMPLETE: Metric = (
    "complete",
    "gauge",
    "Whether all that decisions are made from is known.",
);
const IN_FLIGHT: Metric = (
    "in_flight",
    "gauge",
    "Applications that were patched and that Argo CD has not finished with.",
);
const WAITING: Metric = (
    "patches_waiting",
    "gauge",
    "Patches that wait for a limit, a pause or the lease.",
);
const RENDER_PAUSED: Metric = (
    "render_paused",
    "gauge",
    "Applications with watched settings whose rendering failed so often that Argo CD does not try again for a while.",
);
const DECISION: Metric = ("decision_seconds", "histogram", "Time that decisions took.");
const CHANGE_TO_PATCH: Metric = (
    "change_to_patch_seconds",
    "histogram",
    "Time from when a change was seen until it was patched, with the time it had to wait.",
);
const PATCH_TO_SYNCED: Metric = (
    "patch_to_synced_seconds",
    "histogram",
    "Time from a patch until Argo CD had synced it.",
);

fn head(to: &mut String, (name, kind, help): Metric) -> fmt::Result {
    writeln!(
        to,
        "# HELP {PREFIX}_{name} {help}\n# TYPE {PREFIX}_{name} {kind}"
    )
}

/// Writes a metric with labels.
fn series(
    to: &mut String,
    metric: &Metric,
    values: impl IntoIterator<Item = (String, u64)>,
) -> fmt::Result {
    head(to, *metric)?;
    let name = metric.0;
    values
        .into_iter()
        .try_for_each(|(labels, value)| writeln!(to, "{PREFIX}_{name}{{{labels}}} {value}"))
}

/// Writes a metric without labels.
fn single(to: &mut String, metric: &Metric, value: usize) -> fmt::Result {
    head(to, *metric)?;
    writeln!(to, "{PREFIX}_{} {value}", metric.0)
}

fn size(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_what_prometheus_reads() {
        let metrics = Metrics::default();
        metrics.request(Verb::Patch, 200);
        metrics.request(Verb::Patch, 200);
        metrics.request(Verb::Watch, 0);
        metrics.patch(Purpose::Revision, Written::Done);
        metrics.synced("secrets of \"x\"".into(), false);
        metrics.breakers([("prod".to_owned(), 7)].into());
        metrics.decided(Duration::from_millis(2));
        let group = Group {
            environment: "dev".into(),
            field: "revision",
            outcome: "held",
            code: "Paused",
        };
        metrics.applications([(group, 3)].into());
        metrics.set(Gauges {
            is_leader: true,
            in_flight: 4,
            ..Gauges::default()
        });
        let text = metrics.text();
        for line in [
            "requests_total{verb=\"patch\",code=\"200\"} 2",
            "requests_total{verb=\"watch\",code=\"0\"} 1",
            "patches_total{purpose=\"revision\",result=\"done\"} 1",
            "applications{environment=\"dev\",field=\"revision\",outcome=\"held\",code=\"Paused\"} 3",
            "watch_synced{watch=\"secrets of \\\"x\\\"\"} 0",
            "breaker_tripped{environment=\"prod\"} 7",
            "leader 1",
            "in_flight 4",
            "decision_seconds_bucket{le=\"0.001\"} 0",
            "decision_seconds_bucket{le=\"0.005\"} 1",
            "decision_seconds_bucket{le=\"+Inf\"} 1",
            "decision_seconds_sum 0.002",
            "decision_seconds_count 1",
        ] {
            assert!(
                text.contains(&format!("\n{PREFIX}_{line}\n")),
                "{line}\n{text}"
            );
        }
        // Every series has its help and type, once.
        let heads = text
            .lines()
            .filter(|line| line.starts_with("# TYPE"))
            .count();
        assert_eq!(
            heads,
            text.lines()
                .filter(|line| line.starts_with("# HELP"))
                .count()
        );
    }
}
