//! `kustomize build` as a function: files in, resources out.
//!
//! [`build`] reads a kustomization and everything below it through a [`Files`] and returns the resources and what
//! kustomize would print to stderr. It touches no disk, no network, no clock and no environment, and keeps no state; what
//! it needs from outside of the files it asks of an [`External`].

mod accumulate;
mod build;
mod chosen_schema;
mod config;
mod crds;
mod deadline;
mod decode;
mod defaults;
mod edit;
mod error;
mod external;
mod field_at;
mod field_path;
pub mod field_spec;
mod field_specs;
pub mod files;
mod generators;
mod hooks;
mod id;
pub mod kustomization;
mod layer_transformers;
mod limits;
mod load;
mod loader;
mod lost;
mod meant;
pub mod metadata;
mod named_path;
mod notices;
mod origin;
mod patches;
mod plugins;
mod quoting;
mod re2;
mod references;
mod repository;
mod resource;
mod resources;
pub mod schema;
mod selector;
mod shared;
mod threads;
mod transformers;

pub use build::{Options, Output, Reorder, VERSION, build, build_with};
pub use deadline::Deadline;
pub use edit::Edits;
pub use error::{Details, Error, ErrorKind, Related, Result};
pub use external::{
    ChartSource, ChartTemplate, External, ExternalError, HelmConfig, HelmDefaults, NoExternal,
};
pub use files::{Entry, FileError, Files, Found, MemoryFiles, Opened};
pub use generators::base64_lines;
pub use hooks::{Hooks, NoHooks};
pub use id::{Gvk, ResId};
pub use limits::Limits;
pub use loader::{FileNames, LoadRestrictions};
pub use named_path::NamedPath;
pub use notices::Notices;
pub use repository::{Repository, without_credentials};
pub use resource::{Notes, Resource};
pub use resources::Resources;
pub use threads::{STACK_SIZE, Threads};
