//! Renders Kustomize with settings from Infisical for Argo CD.
//!
//! The engine stands in the package `kustomize` and knows nothing of settings; this package brings it files
//! ([`files`]), settings ([`settings`]) and placeholders to fill ([`inject`]), and tells people what went wrong
//! ([`failure`]).

pub mod cli;
pub mod external;
pub mod failure;
pub mod files;
pub mod inject;
pub mod process;
pub mod settings;
