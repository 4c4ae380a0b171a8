//! The API server of a cluster: which one, as whom, and objects out of it.

mod access;
mod objects;

pub use access::Access;
pub use objects::Cluster;
