//! The API server of a cluster: which one, as whom, and objects out of it.

mod access;
mod applications;
mod ask;
mod client;
mod objects;

pub use access::Access;
pub use applications::Application;
pub use client::Cluster;
