//! Which revision an Application gets, and which digest of its settings: decided, and nothing else.
//!
//! Nothing here asks an API server, a clock or a file. A [`State`] is what is known of a cluster; [`decide`] is a function of
//! it, a [`Policy`] and the time, and its [`Plan`] says of each Application what would be written and why, or why not. The
//! controller, `revisions` and the tests call the same function.

pub mod application;
mod breaker;
pub mod decide;
pub mod desired;
mod digests;
pub mod holds;
pub mod objects;
mod operation;
pub mod owner;
pub mod ownership;
pub mod patch;
pub mod plan;
pub mod policy;
pub mod project;
pub mod reason;
pub mod record;
pub mod revision;
mod sources;
pub mod state;
pub mod unheard;
pub mod windows;

pub use application::{Application, Name};
pub use decide::{Decider, decide};
pub use plan::{Decision, Plan};
pub use policy::Policy;
pub use revision::Revision;
pub use state::State;
