//! Settings into resources: declared `ConfigMap`s are overlaid, placeholders are filled.
//!
//! All of it happens through the engine's [`kustomize::Hooks`]; without a declaration nothing is touched.

mod apply;
mod budget;
mod carried;
mod dollars;
mod empty;
mod evaluate;
mod field;
mod filters;
mod hooks;
mod identity;
mod language;
mod report;
mod scanner;
mod secret_data;
mod unmarked;
mod uses;

pub use empty::empty_fields;
pub use field::{Path, Step};
pub use hooks::{Defaults, Injector};
pub use identity::{Identity, without_hash};
pub use uses::{Record, Use, Way};

/// The annotation that opens an object to placeholders (`"true"`) or says that what looks like them is text (`"false"`).
pub const TEMPLATE_ANNOTATION: &str = "argocd-infisical.io/template";
