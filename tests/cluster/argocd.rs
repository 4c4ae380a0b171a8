//! Argo CD's own repo-server and cmp-server, Redis, and the binary as their plugin.
//!
//! The tests call the repo-server as Argo CD's controller does. There is one set of programs for all of them; each has
//! repositories, namespaces and, where it needs other flags, a cmp-server of its own. `$ARGOCD` names another version.

mod call;
mod deadlines;
pub(crate) mod definitions;
mod digest;
mod failures;
pub(crate) mod git;
mod identity;
mod parity;
mod processes;
mod renders;
pub(crate) mod server;
pub(crate) mod settings;
