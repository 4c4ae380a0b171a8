//! What is known of who else writes an Application, and of the rules that make a patch of ours stay.

use std::fmt;

use serde::Deserialize;

use super::application::{Application, IgnoreDifferences, Name, SyncPolicy};

/// Somebody who creates an Application and may write it again.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OwnerName {
    /// An app of apps.
    Application(Name),
    /// An `ApplicationSet`.
    ApplicationSet(Name),
}

/// What was found of an owner.
#[derive(Clone, Debug)]
pub enum Owner {
    /// An app of apps.
    Application(Box<Parent>),
    /// An `ApplicationSet`.
    ApplicationSet(Box<ApplicationSet>),
    /// There is none of this name.
    Absent,
    /// The API server did not say.
    Unreadable,
}

/// An app of apps, as far as it matters to the Applications that it deploys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parent {
    /// What it leaves alone.
    pub ignore_differences: Vec<IgnoreDifferences>,
    /// How it syncs.
    pub sync_policy: SyncPolicy,
}

impl Parent {
    /// What of an Application matters to those that it deploys.
    pub fn of(application: Application) -> Self {
        let spec = application.spec;
        Self {
            ignore_differences: spec.ignore_differences,
            sync_policy: spec.sync_policy,
        }
    }
}

impl fmt::Display for OwnerName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Application(name) => write!(formatter, "the Application `{name}`"),
            Self::ApplicationSet(name) => write!(formatter, "the ApplicationSet `{name}`"),
        }
    }
}

/// An `ApplicationSet`, as far as it matters to the Applications that it makes. Decoded from the object itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ApplicationSet {
    /// `spec`.
    pub spec: ApplicationSetSpec,
}

/// `spec` of an `ApplicationSet`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ApplicationSetSpec {
    /// What it leaves alone.
    pub ignore_application_differences: Option<Vec<IgnoreApplicationDifferences>>,
    /// Which annotations and labels it leaves alone.
    pub preserved_fields: Option<PreservedFields>,
    /// What it does with Applications that are there.
    pub sync_policy: Option<ApplicationSetSyncPolicy>,
}

/// One of `spec.ignoreApplicationDifferences`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct IgnoreApplicationDifferences {
    /// Only of the Application of this name.
    pub name: Option<String>,
    /// Fields, as JSON pointers.
    pub json_pointers: Option<Vec<String>>,
    /// Fields, as expressions of jq.
    #[serde(rename = "jqPathExpressions")]
    pub jq_path_expressions: Option<Vec<String>>,
}

/// `spec.preservedFields`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct PreservedFields {
    /// Names of annotations.
    pub annotations: Option<Vec<String>>,
}

/// `spec.syncPolicy` of an `ApplicationSet`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ApplicationSetSyncPolicy {
    /// `create-only`, `create-delete`, `create-update` or `sync`.
    pub applications_sync: Option<String>,
}

/// What the `ConfigMap` `argocd-cm` says that decides who owns an Application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// How Argo CD marks what it deploys.
    pub tracking: Tracking,
    /// The label that marks it, where it does so by label.
    pub instance_label: String,
    /// What tells this installation from others that deploy to the same clusters.
    pub installation_id: Option<String>,
    /// What every app of apps leaves alone of Applications, by `resource.customizations.ignoreDifferences`.
    pub ignore_differences: Vec<IgnoreDifferences>,
}

/// `application.resourceTrackingMethod`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tracking {
    /// By annotation, the default since 3.0.
    Annotation,
    /// By label.
    Label,
    /// By both.
    AnnotationAndLabel,
    /// It is not known: whichever mark is found counts.
    Unknown,
}

impl Default for Instance {
    fn default() -> Self {
        Self {
            tracking: Tracking::Unknown,
            instance_label: "app.kubernetes.io/instance".into(),
            installation_id: None,
            ignore_differences: Vec::new(),
        }
    }
}
