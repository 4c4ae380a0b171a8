//! How long something takes, in buckets.

use std::fmt::{self, Write as _};
use std::time::Duration;

use super::{Metric, PREFIX, head};

/// How often something took how long.
#[derive(Debug)]
pub(super) struct Histogram {
    ends: &'static [f64],
    /// By the first bucket that holds them; the last one has no upper end.
    counts: Vec<u64>,
    sum: Duration,
}

impl Histogram {
    /// None yet, in buckets with these upper ends in seconds.
    pub(super) fn new(ends: &'static [f64]) -> Self {
        Self {
            ends,
            counts: vec![0; ends.len() + 1],
            sum: Duration::ZERO,
        }
    }

    /// Counts one.
    pub(super) fn observe(&mut self, time: Duration) {
        let seconds = time.as_secs_f64();
        let bucket = self.ends.partition_point(|end| *end < seconds);
        if let Some(count) = self.counts.get_mut(bucket) {
            *count = count.saturating_add(1);
        }
        self.sum = self.sum.saturating_add(time);
    }

    /// Writes them in the format of Prometheus.
    pub(super) fn write(&self, to: &mut String, metric: Metric) -> fmt::Result {
        head(to, metric)?;
        let name = metric.0;
        let ends = self.ends.iter().map(ToString::to_string);
        let mut up_to = 0_u64;
        for (end, count) in ends.chain(["+Inf".to_owned()]).zip(&self.counts) {
            up_to = up_to.saturating_add(*count);
            writeln!(to, "{PREFIX}_{name}_bucket{{le=\"{end}\"}} {up_to}")?;
        }
        let sum = self.sum.as_secs_f64();
        writeln!(
            to,
            "{PREFIX}_{name}_sum {sum}\n{PREFIX}_{name}_count {up_to}"
        )
    }
}
