//! What has been counted, and how Prometheus reads it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use super::Outcome;

/// How many projects are told apart. Only who runs Argo CD makes projects, but nobody has promised to make few.
const PROJECTS: usize = 100;
/// What all other projects are called; no project can be.
const OTHERS: &str = "(other)";
/// Upper ends of the buckets, as they are written and in microseconds.
const BUCKETS: [(&str, u64); 10] = [
    ("0.005", 5_000),
    ("0.01", 10_000),
    ("0.025", 25_000),
    ("0.05", 50_000),
    ("0.1", 100_000),
    ("0.25", 250_000),
    ("1", 1_000_000),
    ("5", 5_000_000),
    ("15", 15_000_000),
    ("45", 45_000_000),
];

const RENDERS: &str = "argocd_infisical_renders_total";
const DURATION: &str = "argocd_infisical_render_duration_seconds";
const READS: &str = "argocd_infisical_settings_reads_total";

/// What has been counted. Its text is the format of Prometheus, and is read again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    renders: BTreeMap<(String, Outcome), u64>,
    /// Renders by the first bucket that holds them; the last one has no upper end.
    buckets: [u64; BUCKETS.len() + 1],
    microseconds: u64,
    reads: u64,
}

impl Totals {
    /// Counts a render.
    pub fn add(&mut self, project: &str, outcome: Outcome, time: Duration, reads: u64) {
        let project = self.label(project);
        increase(self.renders.entry((project, outcome)).or_default(), 1);
        let time = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let bucket = BUCKETS.iter().position(|(_, end)| time <= *end);
        if let Some(count) = self.buckets.get_mut(bucket.unwrap_or(BUCKETS.len())) {
            increase(count, 1);
        }
        increase(&mut self.microseconds, time);
        increase(&mut self.reads, reads);
    }

    /// The label that stands for a project.
    fn label(&self, project: &str) -> String {
        let is_plain =
            |character: char| character.is_ascii_alphanumeric() || "-._".contains(character);
        let known: BTreeSet<&str> = self
            .renders
            .keys()
            .map(|(project, _)| project.as_str())
            .collect();
        let is_new = !known.contains(project);
        if !project.chars().all(is_plain) || (is_new && known.len() >= PROJECTS) {
            return OTHERS.to_owned();
        }
        project.to_owned()
    }

    /// Reads what [`fmt::Display`] writes; nothing else.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut totals = Self::default();
        let mut before = 0;
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (series, value) = line.rsplit_once(' ')?;
            let (name, labels) = series.split_once('{').unwrap_or((series, ""));
            match name.strip_prefix(DURATION) {
                Some("_bucket") => {
                    let end = labels.strip_prefix("le=\"")?.strip_suffix("\"}")?;
                    let bucket = BUCKETS.iter().position(|(text, _)| *text == end);
                    let up_to: u64 = value.parse().ok()?;
                    *totals.buckets.get_mut(bucket.unwrap_or(BUCKETS.len()))? =
                        up_to.checked_sub(before)?;
                    before = up_to;
                }
                Some("_sum") => {
                    let (seconds, fraction) = value.split_once('.')?;
                    let seconds: u64 = seconds.parse().ok()?;
                    let fraction: u64 = fraction.parse().ok()?;
                    totals.microseconds = seconds.checked_mul(1_000_000)?.checked_add(fraction)?;
                }
                Some("_count") => {}
                _ if name == READS => totals.reads = value.parse().ok()?,
                _ if name == RENDERS => {
                    let (project, outcome) = labels
                        .strip_prefix("project=\"")?
                        .strip_suffix("\"}")?
                        .split_once("\",outcome=\"")?;
                    let all = Outcome::ALL.into_iter();
                    let outcome = all.clone().find(|known| known.as_str() == outcome)?;
                    let key = (project.to_owned(), outcome);
                    totals.renders.insert(key, value.parse().ok()?);
                }
                _ => return None,
            }
        }
        (text == totals.to_string()).then_some(totals)
    }
}

fn increase(count: &mut u64, by: u64) {
    *count = count.saturating_add(by);
}

impl fmt::Display for Totals {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            formatter,
            "# HELP {RENDERS} Renders that Argo CD asked for, by how they ended."
        )?;
        writeln!(formatter, "# TYPE {RENDERS} counter")?;
        for ((project, outcome), count) in &self.renders {
            let outcome = outcome.as_str();
            writeln!(
                formatter,
                "{RENDERS}{{project=\"{project}\",outcome=\"{outcome}\"}} {count}"
            )?;
        }
        writeln!(
            formatter,
            "# HELP {DURATION} Time from the start of a render to its end."
        )?;
        writeln!(formatter, "# TYPE {DURATION} histogram")?;
        let ends = BUCKETS.iter().map(|(end, _)| *end).chain(["+Inf"]);
        let mut up_to = 0_u64;
        for (end, count) in ends.zip(self.buckets) {
            increase(&mut up_to, count);
            writeln!(formatter, "{DURATION}_bucket{{le=\"{end}\"}} {up_to}")?;
        }
        let (seconds, fraction) = (self.microseconds / 1_000_000, self.microseconds % 1_000_000);
        writeln!(formatter, "{DURATION}_sum {seconds}.{fraction:06}")?;
        writeln!(formatter, "{DURATION}_count {up_to}")?;
        writeln!(
            formatter,
            "# HELP {READS} Settings objects that were asked for at the API server."
        )?;
        writeln!(formatter, "# TYPE {READS} counter")?;
        writeln!(formatter, "{READS} {}", self.reads)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXPECTED: &str = r#"# HELP argocd_infisical_renders_total Renders that Argo CD asked for, by how they ended.
# TYPE argocd_infisical_renders_total counter
argocd_infisical_renders_total{project="home",outcome="settings"} 1
argocd_infisical_renders_total{project="home",outcome="success"} 2
# HELP argocd_infisical_render_duration_seconds Time from the start of a render to its end.
# TYPE argocd_infisical_render_duration_seconds histogram
argocd_infisical_render_duration_seconds_bucket{le="0.005"} 1
argocd_infisical_render_duration_seconds_bucket{le="0.01"} 1
argocd_infisical_render_duration_seconds_bucket{le="0.025"} 2
argocd_infisical_render_duration_seconds_bucket{le="0.05"} 2
argocd_infisical_render_duration_seconds_bucket{le="0.1"} 2
argocd_infisical_render_duration_seconds_bucket{le="0.25"} 2
argocd_infisical_render_duration_seconds_bucket{le="1"} 2
argocd_infisical_render_duration_seconds_bucket{le="5"} 2
argocd_infisical_render_duration_seconds_bucket{le="15"} 2
argocd_infisical_render_duration_seconds_bucket{le="45"} 2
argocd_infisical_render_duration_seconds_bucket{le="+Inf"} 3
argocd_infisical_render_duration_seconds_sum 60.025001
argocd_infisical_render_duration_seconds_count 3
# HELP argocd_infisical_settings_reads_total Settings objects that were asked for at the API server.
# TYPE argocd_infisical_settings_reads_total counter
argocd_infisical_settings_reads_total 5
"#;

    #[test]
    fn the_text_is_what_prometheus_reads_and_what_is_read_again() {
        let mut totals = Totals::default();
        totals.add("home", Outcome::Success, Duration::from_millis(5), 2);
        totals.add("home", Outcome::Success, Duration::from_micros(20_001), 3);
        totals.add("home", Outcome::Settings, Duration::from_mins(1), 0);
        assert_eq!(totals.to_string(), EXPECTED);
        assert_eq!(Totals::parse(EXPECTED), Some(totals));
        let empty = Totals::default();
        assert_eq!(Totals::parse(&empty.to_string()), Some(empty));
        assert_eq!(
            Totals::parse(&EXPECTED.replace("+Inf\"} 3", "+Inf\"} 2")),
            None
        );
    }

    #[test]
    fn labels_are_bounded_and_plain() {
        let mut totals = Totals::default();
        for number in 0..1000 {
            totals.add(&format!("p{number}"), Outcome::Success, Duration::ZERO, 0);
        }
        totals.add("a\"} 1\nx{y=\"", Outcome::Success, Duration::ZERO, 0);
        totals.add("p7", Outcome::Success, Duration::ZERO, 0);
        let text = totals.to_string();
        assert_eq!(text.matches("outcome=").count(), PROJECTS + 1);
        assert!(text.contains("{project=\"(other)\",outcome=\"success\"} 901\n"));
        assert!(text.contains("{project=\"p7\",outcome=\"success\"} 2\n"));
        assert_eq!(Totals::parse(&text), Some(totals));
    }
}
