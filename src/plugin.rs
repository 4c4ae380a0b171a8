//! What Argo CD asks of a Config Management Plugin.

pub mod parameters;
pub mod request;
mod source_override;
