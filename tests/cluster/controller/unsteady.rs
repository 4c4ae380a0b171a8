//! An API server that answers as it should some of the time, by chance.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::chance::Chance;
use super::faults::{self, Answer, Server};
use crate::cluster::Cluster;

/// One between a controller and the API server.
pub(crate) struct Unsteady {
    server: Server,
    /// In how many of a hundred cases something goes wrong.
    percent: Arc<AtomicUsize>,
    patches: Arc<Mutex<Vec<String>>>,
    faults: Arc<AtomicUsize>,
}

impl Unsteady {
    /// One that is steady at first.
    pub(crate) fn new(cluster: &Cluster, chance: Chance) -> Self {
        let (percent, count) = <(Arc<AtomicUsize>, Arc<AtomicUsize>)>::default();
        let patches = Arc::<Mutex<Vec<String>>>::default();
        let chance = Mutex::new(chance);
        let (rate, faults, asked) = (
            Arc::clone(&percent),
            Arc::clone(&count),
            Arc::clone(&patches),
        );
        let server = faults::start(cluster, move |method, target| {
            if method == "PATCH" {
                asked.lock().unwrap().push(target.to_owned());
            }
            let rate = rate.load(Ordering::SeqCst);
            let mut chance = chance.lock().unwrap();
            if !chance.happens(rate) {
                return Answer::Pass;
            }
            faults.fetch_add(1, Ordering::SeqCst);
            if rate == 100 {
                return Answer::Broken;
            }
            fault(&mut chance, method, target)
        });
        Self {
            server,
            percent,
            patches,
            faults: count,
        }
    }

    /// Lets something go wrong in so many of a hundred cases; in all of them, nothing gets through at all.
    pub(crate) fn set(&self, percent: usize) {
        self.percent.store(percent, Ordering::SeqCst);
        if percent == 100 {
            self.hang_up();
        }
    }

    /// Ends all connections, watches above all.
    pub(crate) fn hang_up(&self) {
        self.server.hang_up();
    }

    /// The kubeconfig file that leads to it.
    pub(crate) fn kubeconfig(&self) -> &Path {
        &self.server.kubeconfig
    }

    /// The path of every patch that came.
    pub(crate) fn patches(&self) -> Vec<String> {
        self.patches.lock().unwrap().clone()
    }

    /// How often something went wrong.
    pub(crate) fn faults(&self) -> usize {
        self.faults.load(Ordering::SeqCst)
    }
}

fn fault(chance: &mut Chance, method: &str, target: &str) -> Answer {
    let is_watch = target.contains("watch=true");
    match chance.below(if method == "GET" { 11 } else { 9 }) {
        0 => Answer::Refused(429, Some(1)),
        1 => Answer::Refused(500, None),
        2 => Answer::Refused(503, None),
        3 => Answer::Refused(409, None),
        4 => Answer::Broken,
        5 => Answer::Unanswered,
        6 if !is_watch => Answer::Half,
        7 => Answer::Silent(chance.millis(500, 12_000)),
        9 if is_watch => Answer::ExpiredEvent,
        9 | 10 if target.contains("limit=") || is_watch => Answer::Expired,
        _ => Answer::Late(chance.millis(10, 2000)),
    }
}

/// What is seen of a process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// After so many seconds.
    pub(crate) at: f64,
    /// What it has in memory, in kilobytes.
    pub(crate) memory: f64,
    /// How many files, sockets among them, it has open.
    pub(crate) files: f64,
}

impl Sample {
    /// Looks at a process.
    pub(crate) fn of(id: u32, start: Instant) -> Option<Self> {
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))?;
        let memory = line.trim().trim_end_matches(" kB").parse().ok()?;
        let files = std::fs::read_dir(format!("/proc/{id}/fd")).ok()?.count();
        Some(Self {
            at: start.elapsed().as_secs_f64(),
            memory,
            files: f64::from(u32::try_from(files).ok()?),
        })
    }
}

/// How much something grows in an hour, by the straight line that is nearest to what was seen, and its mean.
pub(crate) fn slope(samples: &[Sample], of: impl Fn(&Sample) -> f64) -> (f64, f64) {
    let count = f64::from(u32::try_from(samples.len()).unwrap());
    let mean = |of: &dyn Fn(&Sample) -> f64| samples.iter().map(of).sum::<f64>() / count;
    let (at, value) = (mean(&|sample| sample.at), mean(&of));
    let above = samples.iter();
    let above = above.map(|sample| (sample.at - at) * (of(sample) - value));
    let below = samples.iter().map(|sample| (sample.at - at).powi(2));
    (
        above.sum::<f64>() / below.sum::<f64>() * Duration::from_hours(1).as_secs_f64(),
        value,
    )
}
