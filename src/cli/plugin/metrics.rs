//! `plugin metrics`: the figures of renders for Prometheus.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::super::output::{Done, Parts};
use crate::failure::Failure;
use crate::plugin::metrics_server;

/// Serve what `plugin generate --metrics-directory` has counted, until the end of the process
#[derive(clap::Args)]
#[command(after_help = "Examples:
  argocd-infisical plugin metrics --metrics-directory /var/lib/argocd-infisical")]
pub(super) struct Metrics {
    /// Listen on this address
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "0.0.0.0:8088")]
    listen: SocketAddr,

    /// Serve the figures in this directory
    #[arg(long, value_name = "DIR")]
    metrics_directory: PathBuf,
}

impl Metrics {
    pub(super) fn run(self) -> Result<Done, Failure> {
        metrics_server::serve(self.listen, &self.metrics_directory)?;
        Ok(Done {
            warnings: Vec::new(),
            stdout: Parts::default(),
            is_well: true,
        })
    }
}
