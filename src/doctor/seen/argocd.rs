//! An Application, with what decisions are not made from.

use serde::Deserialize;
use serde_json::Value;

use crate::steer::Application;

/// An Application, with what decisions are not made from and can be wrong all the same.
#[derive(Clone, Debug)]
pub struct DescribedApplication {
    /// What decisions are made from.
    pub application: Application,
    /// How often a sync is tried.
    pub retry: Retry,
    /// Which other tools stand beside the plugin, each with the source's JSON pointer.
    pub tools: Vec<(String, &'static str)>,
}

/// `spec.syncPolicy.retry`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Retry {
    /// How often; `None` where it is not said, and below zero for ever.
    pub limit: Option<i64>,
}

/// The fields of a source that exclude a plugin.
const TOOLS: [&str; 3] = ["kustomize", "helm", "directory"];

impl DescribedApplication {
    /// Reads an Application; `None` where it is not made as one.
    pub fn read(json: &str) -> Option<Self> {
        let application = serde_json::from_str(json).ok()?;
        let value: Value = serde_json::from_str(json).ok()?;
        let retry = value.pointer("/spec/syncPolicy/retry").cloned();
        let retry = retry.and_then(|retry| serde_json::from_value(retry).ok());
        let mut tools = Vec::new();
        let mut look = |pointer: String| {
            let source = value.pointer(&pointer);
            let Some(source) = source.filter(|source| source["plugin"].is_object()) else {
                return;
            };
            for tool in TOOLS {
                // Argo CD: ApplicationSourceKustomize.IsZero and its like; an empty one counts for nothing.
                if source[tool]
                    .as_object()
                    .is_some_and(|tool| !tool.is_empty())
                {
                    tools.push((pointer.clone(), tool));
                }
            }
        };
        let count = value["spec"]["sources"].as_array().map_or(0, Vec::len);
        if count == 0 {
            look("/spec/source".into());
        }
        for index in 0..count {
            look(format!("/spec/sources/{index}"));
        }
        Some(Self {
            application,
            retry: retry.unwrap_or_default(),
            tools,
        })
    }
}
