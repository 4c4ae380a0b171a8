//! Renders Kustomize with settings from Infisical for Argo CD.
//!
//! The engine stands in the package `kustomize` and knows nothing of settings; this package brings it files
//! ([`files`]), settings ([`settings`]) and placeholders to fill ([`inject`]), tells people what went wrong
//! ([`failure`]), and compares it with the real kustomize ([`mod@reference`], [`diff`]).

pub mod changes;
pub mod cli;
pub mod cluster;
mod contained;
pub mod controller;
pub mod diff;
pub mod doctor;
pub mod external;
pub mod failure;
pub mod files;
mod hex;
pub mod inject;
mod interrupt;
pub mod lint;
pub mod manifests;
pub mod plugin;
pub mod process;
mod progress;
pub mod reference;
pub mod render;
mod serve;
pub mod settings;
mod snippet;
pub mod steer;
pub mod target;
