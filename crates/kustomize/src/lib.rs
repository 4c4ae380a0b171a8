//! `kustomize build` as a function: files in, resources out.

pub mod patches;
pub mod schema;
