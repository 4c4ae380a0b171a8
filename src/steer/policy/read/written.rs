//! A policy as it is written.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_saphyr::Spanned;

use crate::settings::policy::given;

type Text = Spanned<String>;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Written {
    pub(super) api_version: String,
    pub(super) kind: String,
    #[serde(default, deserialize_with = "given")]
    pub(super) argocd_namespace: Option<Text>,
    #[serde(default, deserialize_with = "given")]
    pub(super) own_namespace: Option<Text>,
    #[serde(default, deserialize_with = "given")]
    pub(super) application_namespaces: Option<Vec<Text>>,
    #[serde(default, deserialize_with = "given")]
    pub(super) override_namespaces: Option<Vec<Text>>,
    #[serde(default, deserialize_with = "given")]
    pub(super) object_namespaces: Option<Vec<Text>>,
    #[serde(default, deserialize_with = "given")]
    pub(super) environment_label: Option<Text>,
    #[serde(default, deserialize_with = "given")]
    pub(super) environments: Option<BTreeMap<String, WrittenEnvironment>>,
    #[serde(default, deserialize_with = "given")]
    pub(super) plugins: Option<Vec<Text>>,
    #[serde(default)]
    pub(super) writes: WrittenWrites,
    #[serde(default)]
    pub(super) breaker: WrittenBreaker,
    #[serde(default)]
    pub(super) flap: WrittenFlap,
}

/// What is not written allows nothing, but the default.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct WrittenEnvironment {
    pub(super) default: Text,
    #[serde(default, deserialize_with = "given")]
    pub(super) allowed: Option<Vec<Text>>,
    #[serde(default)]
    pub(super) commits: bool,
    #[serde(default)]
    pub(super) protected: bool,
    #[serde(default, deserialize_with = "given")]
    pub(super) projects: Option<Vec<Text>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct WrittenWrites {
    #[serde(default, deserialize_with = "given")]
    pub(super) automation_off: Option<bool>,
    #[serde(default, deserialize_with = "given")]
    pub(super) denied_sync_windows: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct WrittenBreaker {
    #[serde(default, deserialize_with = "given")]
    pub(super) least: Option<usize>,
    #[serde(default, deserialize_with = "given")]
    pub(super) percent: Option<Spanned<usize>>,
    #[serde(default, deserialize_with = "given")]
    pub(super) minutes: Option<Spanned<u32>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct WrittenFlap {
    #[serde(default, deserialize_with = "given")]
    pub(super) changes: Option<Spanned<usize>>,
    #[serde(default, deserialize_with = "given")]
    pub(super) minutes: Option<Spanned<u32>>,
}
