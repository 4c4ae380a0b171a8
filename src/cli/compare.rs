//! `compare`: every kustomization below a directory, with the engine here and with the real kustomize.

mod json;
mod pool;
mod report;
mod walk;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::thread;

use kustomize::{Options, Threads};

use super::engine::ReferenceFlags;
use super::flags::{Flags, Format, FormatFlag};
use super::output::Done;
use crate::failure::Failure;
use crate::reference::Reference;
use pool::Comparison;

/// Build every kustomization below a directory with both engines, and compare
#[derive(clap::Args)]
#[command(after_help = "Examples:
  argocd-infisical compare .
  argocd-infisical compare deploy --enable-helm --format json | jq '.kustomizations[].class'")]
pub(super) struct Args {
    /// Compare the kustomizations in and below this directory
    #[arg(default_value = ".", value_name = "DIR")]
    directory: PathBuf,

    /// Build this many at a time [default: one for each processor]
    #[arg(short, long, value_name = "N")]
    jobs: Option<NonZeroUsize>,

    #[command(flatten)]
    format: FormatFlag,

    #[command(flatten)]
    reference: ReferenceFlags,

    #[command(flatten)]
    flags: Flags,
}

/// What was compared with what.
struct Report {
    reference: Reference,
    version: String,
    comparisons: Vec<Comparison>,
}

impl Args {
    /// The report, and whether all is well.
    pub(super) fn run(self) -> Result<Done, Failure> {
        let Self {
            directory,
            jobs,
            format,
            reference,
            flags,
        } = self;
        let (options, mut warnings) = flags.options()?;
        // Several are built at the same time.
        let options = Options {
            threads: Threads::One,
            ..options
        };
        let reference = reference.find()?.with_allowed(&flags.allowed(), &options);
        let outside = flags.outside();
        let version = reference.version()?;
        let found = walk::kustomizations(&directory)?;
        warnings.extend(found.warnings);
        let jobs = jobs.or_else(|| thread::available_parallelism().ok());
        let comparisons = pool::Pool {
            directory: &directory,
            paths: &found.paths,
            options: &options,
            reference: &reference,
            outside: &outside,
        }
        .run(jobs.map_or(1, NonZeroUsize::get))?;
        let report = Report {
            reference,
            version,
            comparisons,
        };
        let stdout = match format.format {
            Format::Text => report::text(&report),
            Format::Json => json::text(&report),
        };
        let is_well = report.comparisons.iter().all(|c| c.class.is_well());
        Ok(Done {
            warnings,
            stdout: stdout.into(),
            is_well,
        })
    }
}
