//! What Argo CD asks of a Config Management Plugin.

pub mod announce;
pub mod generate;
pub mod memory;
pub mod metrics;
pub mod metrics_server;
pub mod options;
pub mod parameters;
pub mod permits;
pub mod probe;
pub mod request;
mod source_override;
pub mod variables;
