//! An Application of Argo CD, cut down to what decisions are made from while it is decoded: a status alone has tens of
//! kilobytes, and there may be ten thousand Applications.

mod condition;
mod fields;
mod labels;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;

use crate::settings::consent::{BETWEEN, split_instance};

pub use condition::{Cause, Condition, Told};
pub use fields::{GitFields, Manager, Managers};
pub use labels::Labels;

/// The name of an Application. Argo CD calls one outside its own namespace `<namespace>_<name>`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    /// Its namespace.
    pub namespace: String,
    /// Its name in the namespace.
    pub name: String,
}

impl Name {
    /// A name out of its two parts.
    pub fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        let (namespace, name) = (namespace.into(), name.into());
        Self { namespace, name }
    }

    /// What Argo CD, and so every annotation of consent, calls it. `own` is Argo CD's namespace.
    // Argo CD: Application.InstanceName
    pub fn instance(&self, own: &str) -> String {
        self.instance_parts(own).concat()
    }

    /// The parts of what Argo CD calls it, one after the other.
    pub(super) fn instance_parts(&self, own: &str) -> [&str; 3] {
        if self.namespace == own {
            ["", "", &self.name]
        } else {
            [&self.namespace, BETWEEN, &self.name]
        }
    }

    /// The one that Argo CD calls this.
    pub fn of_instance(instance: &str, own: &str) -> Self {
        let (namespace, name) = split_instance(instance);
        Self::new(namespace.unwrap_or(own), name)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { namespace, name } = self;
        write!(formatter, "{namespace}/{name}")
    }
}

/// An Application, as far as decisions need it. What is not here is skipped while it is decoded.
#[derive(Clone, Debug, Deserialize)]
pub struct Application {
    /// Who it is, and what is written on it.
    pub metadata: Metadata,
    /// What it wants.
    #[serde(default)]
    pub spec: Spec,
    /// What Argo CD says of it.
    #[serde(default)]
    pub status: Status,
    /// An operation that waits to be started. Only whether there is one counts.
    #[serde(default, deserialize_with = "fields::is_there")]
    pub operation: bool,
}

/// `metadata`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Metadata {
    /// Its namespace.
    #[serde(default)]
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// What tells it from another one of the same name.
    #[serde(default)]
    pub uid: String,
    /// Which version this is.
    #[serde(default)]
    pub resource_version: String,
    /// Its labels.
    #[serde(default, deserialize_with = "fields::or_default")]
    pub labels: Labels,
    /// Those annotations that matter; `None` where it has no annotations at all.
    #[serde(default)]
    pub annotations: Option<Box<Annotations>>,
    /// Its owners.
    #[serde(default, deserialize_with = "fields::list")]
    pub owner_references: Vec<OwnerReference>,
    /// Who last wrote the fields that matter.
    #[serde(
        default,
        rename = "managedFields",
        deserialize_with = "fields::managers"
    )]
    pub managers: Managers,
    /// When it was asked to be deleted.
    #[serde(default, deserialize_with = "fields::time")]
    pub deletion_timestamp: Option<Timestamp>,
}

/// The annotations that matter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Annotations {
    /// Nothing of it is changed where this is there and not `false`.
    #[serde(rename = "argocd-infisical.io/hold")]
    pub hold: Option<String>,
    /// Which of several repositories moves: its `repoURL`s, one a line or separated by commas.
    #[serde(rename = "argocd-infisical.io/sources")]
    pub sources: Option<String>,
    /// What was set last, and why ([`super::record`]).
    #[serde(rename = "argocd-infisical.io/state")]
    pub state: Option<String>,
    /// Which Application, if any, has this one among its resources.
    #[serde(rename = "argocd.argoproj.io/tracking-id")]
    pub tracking_id: Option<String>,
    /// Which installation of Argo CD the Application is in that [`tracking_id`](Self::tracking_id) names.
    #[serde(rename = "argocd.argoproj.io/installation-id")]
    pub installation_id: Option<String>,
    /// How an app of apps syncs this object: `NAME=VALUE`, separated by commas.
    #[serde(rename = "argocd.argoproj.io/sync-options")]
    pub sync_options: Option<String>,
    /// What an app of apps leaves alone of this object (Argo CD 3.6).
    #[serde(rename = "argocd.argoproj.io/ignore-differences")]
    pub ignore_differences: Option<String>,
    /// A refresh that was asked for and is not done yet: `normal` or `hard`.
    #[serde(rename = "argocd.argoproj.io/refresh")]
    pub refresh: Option<String>,
    /// Argo CD does nothing with the Application where this is `true`.
    #[serde(rename = "argocd.argoproj.io/skip-reconcile")]
    pub skip_reconcile: Option<String>,
    /// Which fields the manifest has that was applied last from elsewhere, Git above all.
    #[serde(
        rename = "kubectl.kubernetes.io/last-applied-configuration",
        deserialize_with = "fields::last_applied"
    )]
    pub last_applied: Option<GitFields>,
}

/// An owner by reference.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OwnerReference {
    /// Its group and version.
    pub api_version: String,
    /// Its kind.
    pub kind: String,
    /// Its name, in the same namespace.
    pub name: String,
}

/// `spec`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Spec {
    /// Its project; empty means `default`.
    #[serde(deserialize_with = "fields::or_default")]
    pub project: String,
    /// Its only source.
    #[serde(deserialize_with = "fields::shared")]
    pub source: Option<Arc<Source>>,
    /// Its sources; where there is one, `source` counts for nothing.
    #[serde(deserialize_with = "fields::shared_list")]
    pub sources: Arc<[Source]>,
    /// Whether what is rendered for it is committed to a Git repository.
    #[serde(rename = "sourceHydrator", deserialize_with = "fields::is_there")]
    pub is_hydrated: bool,
    /// Where it is deployed.
    #[serde(deserialize_with = "fields::or_default")]
    pub destination: Destination,
    /// How it is synced.
    #[serde(deserialize_with = "fields::or_default")]
    pub sync_policy: SyncPolicy,
    /// What it leaves alone of the objects that it deploys: those of an app of apps matter.
    #[serde(deserialize_with = "fields::list")]
    pub ignore_differences: Vec<IgnoreDifferences>,
}

/// `spec.source`, or one of `spec.sources`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Source {
    /// Its repository.
    #[serde(rename = "repoURL", deserialize_with = "fields::or_default")]
    pub repo_url: String,
    /// The directory in it.
    #[serde(deserialize_with = "fields::or_default")]
    pub path: String,
    /// Its revision; `None` means `HEAD`.
    pub target_revision: Option<String>,
    /// The chart of a Helm repository.
    pub chart: Option<String>,
    /// What others call it that take files from it.
    #[serde(rename = "ref")]
    pub reference: Option<String>,
    /// The plugin that renders it.
    pub plugin: Option<Plugin>,
}

/// `spec.source.plugin`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Plugin {
    /// Which plugin; without a name, the first one that discovers the source.
    pub name: Option<String>,
    /// Its environment; `None` where the field is missing or null.
    #[serde(deserialize_with = "fields::list_or_none")]
    pub env: Option<Vec<EnvEntry>>,
    /// Its parameters, as they stand in the Application.
    #[serde(deserialize_with = "fields::list")]
    pub parameters: Vec<Parameter>,
}

/// One of `spec.source.plugin.env`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct EnvEntry {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// One of `spec.source.plugin.parameters`: strings and maps are not looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Its list of texts.
    #[serde(deserialize_with = "fields::list_or_none")]
    pub array: Option<Vec<String>>,
}

/// `spec.destination`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Destination {
    /// The API server's address.
    pub server: Option<String>,
    /// The cluster's name.
    pub name: Option<String>,
    /// The namespace.
    pub namespace: Option<String>,
}

/// `spec.syncPolicy`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SyncPolicy {
    /// Whether Argo CD syncs by itself.
    pub automated: Option<Automated>,
    /// `NAME=VALUE`, each.
    #[serde(deserialize_with = "fields::list")]
    pub sync_options: Vec<String>,
}

/// `spec.syncPolicy.automated`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Automated {
    /// Switched off where this is `false`.
    pub enabled: Option<bool>,
    /// Whether what changes in the cluster is put back.
    pub self_heal: Option<bool>,
}

/// One of `spec.ignoreDifferences`, of an Application or in the `ConfigMap` of Argo CD.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct IgnoreDifferences {
    /// The group of the objects.
    pub group: Option<String>,
    /// Their kind.
    pub kind: Option<String>,
    /// The name of one of them.
    pub name: Option<String>,
    /// The namespace of one of them.
    pub namespace: Option<String>,
    /// Fields, as JSON pointers.
    #[serde(deserialize_with = "fields::list")]
    pub json_pointers: Vec<String>,
    /// Fields, as expressions of jq.
    #[serde(rename = "jqPathExpressions", deserialize_with = "fields::list")]
    pub jq_path_expressions: Vec<String>,
    /// Whose fields.
    #[serde(deserialize_with = "fields::list")]
    pub managed_fields_managers: Vec<String>,
}

/// `status`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Status {
    /// What was compared last.
    #[serde(deserialize_with = "fields::or_default")]
    pub sync: SyncStatus,
    /// Whether the workloads are well.
    #[serde(deserialize_with = "fields::or_default")]
    pub health: HealthStatus,
    /// When the last comparison began; seconds only.
    #[serde(deserialize_with = "fields::time")]
    pub reconciled_at: Option<Timestamp>,
    /// The operation that runs, or ran last.
    pub operation_state: Option<Box<OperationState>>,
    /// What is wrong.
    #[serde(deserialize_with = "fields::list")]
    pub conditions: Vec<Condition>,
}

/// `status.sync`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SyncStatus {
    /// `Synced`, `OutOfSync` or `Unknown`.
    #[serde(deserialize_with = "fields::or_default")]
    pub status: String,
    /// With which sources.
    #[serde(deserialize_with = "fields::or_default")]
    pub compared_to: Sources,
}

/// A `source`, or `sources`, that Argo CD noted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Sources {
    /// The only one.
    #[serde(deserialize_with = "fields::shared")]
    pub source: Option<Arc<Source>>,
    /// All of them.
    #[serde(deserialize_with = "fields::shared_list")]
    pub sources: Arc<[Source]>,
}

/// `status.health`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct HealthStatus {
    /// `Healthy`, `Progressing`, `Degraded`, `Suspended`, `Missing` or `Unknown`.
    #[serde(deserialize_with = "fields::or_default")]
    pub status: String,
}

/// `status.operationState`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct OperationState {
    /// `Running`, `Terminating`, `Succeeded`, `Failed` or `Error`.
    pub phase: String,
    /// When it was started, as it is written.
    pub started_at: String,
    /// When it ended; while it runs, when its last attempt ended that will be followed by another one.
    #[serde(deserialize_with = "fields::time")]
    pub finished_at: Option<Timestamp>,
    /// What was asked for.
    #[serde(deserialize_with = "fields::or_default")]
    pub operation: Operation,
    /// What came of it.
    #[serde(deserialize_with = "fields::or_default")]
    pub sync_result: Sources,
}

/// `status.operationState.operation`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Operation {
    /// Who asked.
    #[serde(deserialize_with = "fields::or_default")]
    pub initiated_by: InitiatedBy,
    /// For a sync of what; `None` where it is none.
    pub sync: Option<Sources>,
}

/// `status.operationState.operation.initiatedBy`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct InitiatedBy {
    /// Whether Argo CD started it by itself.
    pub automated: bool,
}

impl Application {
    /// Its name.
    pub fn name(&self) -> Name {
        Name::new(&self.metadata.namespace, &self.metadata.name)
    }

    /// Its project, by the name that Argo CD gives one that is not named.
    // Argo CD: ApplicationSpec.GetProject
    pub fn project(&self) -> &str {
        match self.spec.project.as_str() {
            "" => "default",
            project => project,
        }
    }

    /// The annotations that matter, none where it has no annotations.
    pub fn annotations(&self) -> Annotations {
        let annotations = self.metadata.annotations.as_deref();
        annotations.cloned().unwrap_or_default()
    }

    /// Keeps the sources that Argo CD noted once where they are those that are wanted, or those of another note: nearly
    /// always all are the same.
    pub fn share(&mut self) {
        let Self { spec, status, .. } = self;
        let compared = &mut status.sync.compared_to;
        compared.share((&spec.source, &spec.sources));
        if let Some(state) = &mut status.operation_state {
            let sync = state.operation.sync.as_mut();
            for noted in sync.into_iter().chain([&mut state.sync_result]) {
                noted.share((&compared.source, &compared.sources));
                noted.share((&spec.source, &spec.sources));
            }
        }
    }

    /// Whether Argo CD syncs it by itself.
    // Argo CD: SyncPolicy.IsAutomatedSyncEnabled
    pub fn is_automated(&self) -> bool {
        let automated = self.spec.sync_policy.automated.as_ref();
        automated.is_some_and(|automated| automated.enabled != Some(false))
    }

    /// Its sources, each with the JSON pointer to it.
    // Argo CD: ApplicationSpec.GetSources
    pub fn sources(&self) -> Vec<(String, &Source)> {
        if self.spec.sources.is_empty() {
            let source = self.spec.source.iter();
            return source
                .map(|source| ("/spec/source".into(), &**source))
                .collect();
        }
        let sources = self.spec.sources.iter().enumerate();
        sources
            .map(|(index, source)| (format!("/spec/sources/{index}"), source))
            .collect()
    }
}

impl Sources {
    /// All of them.
    pub fn all(&self) -> &[Source] {
        match &self.source {
            Some(source) if self.sources.is_empty() => std::slice::from_ref(source),
            _ => &self.sources,
        }
    }

    fn share(&mut self, (source, sources): (&Option<Arc<Source>>, &Arc<[Source]>)) {
        if self.source == *source {
            self.source.clone_from(source);
        }
        if self.sources == *sources {
            self.sources = Arc::clone(sources);
        }
    }
}

impl Source {
    /// Its revision, by the name that Argo CD gives one that is not named.
    pub fn revision(&self) -> &str {
        match self.target_revision.as_deref() {
            None | Some("") => "HEAD",
            Some(revision) => revision,
        }
    }
}
