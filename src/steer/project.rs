//! What is read of an `AppProject`: its sync windows.

use serde::Deserialize;

/// An `AppProject`, cut down to its sync windows while it is decoded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Project {
    /// `spec`.
    pub spec: ProjectSpec,
}

/// `spec` of an `AppProject`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ProjectSpec {
    /// When Applications may be synced.
    pub sync_windows: Option<Vec<SyncWindow>>,
}

/// One of `spec.syncWindows`.
// Argo CD: SyncWindow
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SyncWindow {
    /// `allow` or `deny`.
    pub kind: String,
    /// When it begins, five fields of cron.
    pub schedule: String,
    /// How long it lasts, as Go writes durations.
    pub duration: String,
    /// Names of Applications, with globs.
    pub applications: Option<Vec<String>>,
    /// Namespaces that are deployed to, with globs.
    pub namespaces: Option<Vec<String>>,
    /// Clusters that are deployed to, by name or address, with globs.
    pub clusters: Option<Vec<String>>,
    /// The time zone of the schedule; empty means UTC.
    pub time_zone: Option<String>,
    /// Whether all of applications, namespaces and clusters have to match.
    #[serde(rename = "andOperator")]
    pub and: bool,
}
