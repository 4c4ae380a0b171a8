//! Patches: what changes a resource that is there already.

pub mod strategic_merge;
