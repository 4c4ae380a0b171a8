//! `plugin probe`: what Kubernetes runs to find out whether the sidecar is well.

use std::path::PathBuf;
use std::time::Duration;

use super::super::output::{Done, Parts};
use super::mounted::Mounted;
use crate::failure::Failure;
use crate::plugin::probe;

/// Check that cmp-server answers and that a render would work
#[derive(clap::Args)]
#[command(after_help = "Examples:
  argocd-infisical plugin probe --timeout 3")]
pub(super) struct Probe {
    /// Ask the cmp-server that listens on this socket
    #[arg(
        long,
        value_name = "FILE",
        default_value = "/home/argocd/cmp-server/plugins/argocd-infisical.sock"
    )]
    socket: PathBuf,

    /// Give cmp-server so many seconds to answer
    #[arg(long, value_name = "SECONDS", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=600))]
    timeout: u64,

    #[command(flatten)]
    mounted: Mounted,
}

impl Probe {
    pub(super) fn run(self) -> Result<Done, Failure> {
        let Self {
            socket,
            timeout,
            mounted,
        } = self;
        let mut problems = Vec::new();
        problems.extend(probe::server(&socket, Duration::from_secs(timeout)).err());
        problems.extend(probe::render().err());
        problems.extend(probe::temporary_directory().err());
        let read = [mounted.policy().map(drop), mounted.digest_key().map(drop)];
        for failure in read.into_iter().filter_map(Result::err) {
            problems.extend_from_slice(failure.problems());
        }
        if problems.is_empty() {
            Ok(Done {
                warnings: Vec::new(),
                stdout: Parts::default(),
                is_well: true,
            })
        } else {
            Err(Failure::several(problems))
        }
    }
}
