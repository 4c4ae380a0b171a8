//! The API server of a cluster: which one, as whom, and objects out of it.

mod access;
mod applications;
mod ask;
mod client;
mod controls;
#[cfg(test)]
mod fake;
mod installation;
mod objects;
mod observe;
mod owners;
mod pruned;
mod release;

pub use access::Access;
pub use applications::Application;
pub(crate) use ask::Silence;
pub use client::Cluster;
pub(crate) use client::connect;
pub use controls::Control;
pub use observe::Observed;
pub(crate) use owners::{owner_of, path_of_argocd_config, path_of_owner};
pub use pruned::{ApplicationSets, Applications, ConfigMaps, Kind, Projects, Pruned, Secrets};
pub use release::Released;
