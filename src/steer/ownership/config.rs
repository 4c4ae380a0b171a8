//! What the `ConfigMap` `argocd-cm` says of who owns what.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::steer::application::IgnoreDifferences;
use crate::steer::owner::{Instance, Tracking};

/// The two sets of objects that a rule for Applications can be written for, as keys of the `ConfigMap` end, and as the older
/// key that has all of them in one text calls them.
// Argo CD: convertToOverrideKey
const SCOPES: [(&str, &str, &str); 2] = [
    ("argoproj.io_Application", "argoproj.io", "Application"),
    ("all", "*", "*"),
];

/// An entry of `resource.customizations`; its rules are YAML in YAML.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Customization {
    #[serde(default)]
    ignore_differences: Option<String>,
}

impl Instance {
    /// What the data of `argocd-cm` says. What cannot be read counts as no rule.
    pub fn from_config(data: &BTreeMap<String, String>) -> Self {
        let filled = |key: &str| data.get(key).filter(|value| !value.is_empty());
        let usual = Self::default();
        // Which method is the default depends on Argo CD's version.
        let tracking = match filled("application.resourceTrackingMethod").map(String::as_str) {
            Some("annotation") => Tracking::Annotation,
            Some("label") => Tracking::Label,
            Some("annotation+label") => Tracking::AnnotationAndLabel,
            _ => usual.tracking,
        };
        let label = filled("application.instanceLabelKey").cloned();
        Self {
            tracking,
            instance_label: label.unwrap_or(usual.instance_label),
            installation_id: filled("installationID").cloned(),
            ignore_differences: rules(data),
        }
    }
}

// Argo CD: SettingsManager.GetResourceOverrides
fn rules(data: &BTreeMap<String, String>) -> Vec<IgnoreDifferences> {
    let all = data.get("resource.customizations");
    let all: BTreeMap<String, Customization> = all
        .and_then(|text| serde_saphyr::from_str(text).ok())
        .unwrap_or_default();
    let scopes = SCOPES.iter().filter_map(|(scope, group, kind)| {
        let own = data.get(&format!(
            "resource.customizations.ignoreDifferences.{scope}"
        ));
        let text = own.or_else(|| {
            all.get(&format!("{group}/{kind}"))?
                .ignore_differences
                .as_ref()
        })?;
        let rule: IgnoreDifferences = serde_saphyr::from_str(text).ok()?;
        Some(IgnoreDifferences {
            group: Some((*group).to_owned()),
            kind: Some((*kind).to_owned()),
            name: None,
            namespace: None,
            ..rule
        })
    });
    scopes.collect()
}
