//! `plugin`: what Argo CD's cmp-server calls.

mod metrics;
mod mounted;
mod probe;

use std::env;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use super::output::{self, Done};
use crate::cluster::Access;
use crate::contained::{contained, on_large_stack};
use crate::failure::{Failure, Kind, Problem, Warning};
use crate::files::plain;
use crate::plugin::announce::{self, Announced};
use crate::plugin::generate::{self, Administration};
use crate::plugin::memory;
use crate::plugin::metrics::{Outcome, Progress, count};
use crate::plugin::permits::Permits;
use crate::plugin::request::Request;
use crate::settings::policy::Policy;
use metrics::Metrics;
use mounted::Mounted;
use probe::Probe;

/// Serve as a Config Management Plugin of Argo CD
#[derive(clap::Args)]
#[command(after_help = "Examples:
  argocd-infisical plugin generate --policy /etc/argocd-infisical/policy/policy.yaml")]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    Generate(Generate),
    Metrics(Metrics),
    Parameters(Parameters),
    Probe(Probe),
}

impl Args {
    pub(super) fn run(self) -> Result<Done, Failure> {
        match self.command {
            Command::Generate(args) => args.run(),
            Command::Metrics(args) => args.run(),
            Command::Parameters(args) => args.run(),
            Command::Probe(args) => args.run(),
        }
    }
}

/// Render the Application in the working directory, as the environment of cmp-server describes it
#[derive(clap::Args)]
#[command(after_help = "Examples:
  argocd-infisical plugin generate --policy /etc/argocd-infisical/policy/policy.yaml --timeout 45")]
struct Generate {
    #[command(flatten)]
    mounted: Mounted,

    /// Read settings from the cluster of a kubeconfig; without it, from the one around the pod
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,

    /// Argo CD's namespace, of which no Secret is read; without it, that of the pod
    #[arg(long, value_name = "NAME")]
    argocd_namespace: Option<String>,

    /// Give up after so many seconds; Argo CD itself waits for 60 by default, fetching included
    #[arg(long, value_name = "SECONDS", default_value_t = 45, value_parser = clap::value_parser!(u64).range(1..))]
    timeout: u64,

    /// Use at most so much memory, in MiB of address space beyond what the program begins with; a render that needs more is ended
    #[arg(long, value_name = "MIB", default_value_t = 2048, value_parser = clap::value_parser!(u64).range(1024..))]
    memory: u64,

    /// Let so many renders run at a time; without it, two for each CPU, and four at least
    #[arg(long, value_name = "NUMBER")]
    concurrency: Option<usize>,

    /// Keep the locks that count renders in this directory; without it, in one of the temporary directory
    #[arg(long, value_name = "DIR")]
    permits_directory: Option<PathBuf>,

    /// Count the render in this directory, if it is there, for `plugin metrics`
    #[arg(long, value_name = "DIR")]
    metrics_directory: Option<PathBuf>,
}

/// Where a pod finds its namespace.
const NAMESPACE: &str = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";

impl Generate {
    fn run(self) -> Result<Done, Failure> {
        let start = Instant::now();
        let progress = Arc::new(Progress::default());
        let metrics = self.metrics_directory.clone();
        let mut done = self.in_time(start, &progress);
        let Some(metrics) = metrics else {
            return done;
        };
        let outcome = match &done {
            Ok(_) => Outcome::Success,
            Err(failure) if failure.kind() == Kind::Internal => Outcome::Fault,
            Err(_) => progress.stage(),
        };
        let counted = count(&metrics, &progress, outcome, start.elapsed());
        if let (Ok(done), Err(error)) = (&mut done, counted) {
            done.warnings.push(not_counted(&metrics, &error));
        }
        done
    }

    fn in_time(self, start: Instant, progress: &Arc<Progress>) -> Result<Done, Failure> {
        memory::limit(self.memory)?;
        let limit = Duration::from_secs(self.timeout);
        // Whatever waits gives up a little earlier, so that it can say what it has waited for.
        let deadline = start
            .checked_add(limit.saturating_sub(limit / 20))
            .unwrap_or(start);
        let seen = Arc::clone(progress);
        within(limit, move || self.render(deadline, &seen))?.unwrap_or_else(|| {
            progress.enter(Outcome::Deadline);
            Err(Problem::new(format!(
                "the render is not done after {} seconds",
                limit.as_secs()
            ))
            .hint("render less at a time, or give the sidecar more CPU; beyond 45 seconds, Argo CD's own limit (`controller.repo.server.timeout.seconds`) and `--timeout` have to grow together")
            .into_failure())
        })
    }

    fn render(self, deadline: Instant, progress: &Progress) -> Result<Done, Failure> {
        let mut policy = self.mounted.policy()?;
        let digest_key = self.mounted.digest_key()?;
        let own = || std::fs::read_to_string(NAMESPACE).ok();
        let namespace = self.argocd_namespace.or_else(own);
        policy.secretless_namespace = namespace
            .map(|namespace| namespace.trim().to_owned())
            .filter(|namespace| !namespace.is_empty());
        let access = match self.kubeconfig {
            Some(file) => Access::Kubeconfig {
                file: Some(file),
                context: None,
            },
            None => Access::Pod,
        };
        let cpus = || (thread::available_parallelism().map_or(2, usize::from) * 2).max(4);
        let permits = self
            .permits_directory
            .unwrap_or_else(|| env::temp_dir().join("argocd-infisical-permits"));
        let administration = Administration {
            namespace: policy.secretless_namespace.clone(),
            policy,
            digest_key,
            access,
            permits: Permits::new(&permits, self.concurrency.unwrap_or_else(cpus)),
        };
        let directory = generate::directory()?;
        progress.enter(Outcome::Request);
        let request = Request::read(|name| env::var_os(name), &directory, &administration.policy)?;
        let work = generate::Work { deadline, progress };
        let (target, rendered) = generate::generate(&request, &directory, &administration, work)?;
        let output = &rendered.output;
        let stdout = output::write(output, None).map_err(|failure| target.locate(failure))?;
        Ok(Done {
            warnings: target.warnings(output),
            stdout,
            is_well: true,
        })
    }
}

/// Print the parameters that there are, as Argo CD's UI asks for them in the directory of an Application
#[derive(clap::Args)]
#[command(after_help = "Examples:
  argocd-infisical plugin parameters --policy /etc/argocd-infisical/policy/policy.yaml | jq")]
struct Parameters {
    /// Leave out what this policy does not allow
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,

    /// Stop looking for declared keys after so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    timeout: u64,

    /// Use at most so much memory, in MiB of address space beyond what the program begins with
    #[arg(long, value_name = "MIB", default_value_t = 2048, value_parser = clap::value_parser!(u64).range(1024..))]
    memory: u64,
}

impl Parameters {
    fn run(self) -> Result<Done, Failure> {
        memory::limit(self.memory)?;
        let policy = Policy::named(self.policy.as_deref())?;
        let directory = generate::directory()?;
        let known = policy.clone();
        let look = move || announce::announce(&directory, &known);
        let unknown = |problems| Announced {
            parameters: announce::parameters(&policy),
            problems,
        };
        let announced = match within(Duration::from_secs(self.timeout), look) {
            Ok(Some(announced)) => announced,
            Ok(None) => unknown(vec![Problem::new(format!(
                "the declared keys are not known after {} seconds",
                self.timeout
            ))]),
            Err(failure) => unknown(failure.problems().to_vec()),
        };
        let Announced {
            parameters,
            problems,
        } = announced;
        let mut stdout = serde_json::to_string_pretty(&parameters)
            .map_err(|_| Failure::internal("the parameters cannot be written as JSON"))?;
        stdout.push('\n');
        Ok(Done {
            warnings: problems
                .into_iter()
                .map(|problem| Warning(problem).text())
                .collect(),
            stdout: stdout.into(),
            is_well: true,
        })
    }
}

fn not_counted(directory: &Path, error: &std::io::Error) -> String {
    let problem = Problem::new(format!("the render is not counted: {}", plain(error)))
        .at(directory.display().to_string(), 0)
        .hint("the directory of `--metrics-directory` must be one that this process can write to");
    Warning(problem).text()
}

/// Does some work in a thread of its own; `None` where it is not done in time.
///
/// # Errors
/// Where it fails by a fault of the program.
fn within<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<Option<T>, Failure> {
    let (sender, receiver) = mpsc::channel();
    let work = move || drop(sender.send(contained(work)));
    // It is not waited for: what is not done in time ends with the process.
    drop(on_large_stack(work)?);
    match receiver.recv_timeout(limit) {
        Ok(done) => done.map(Some),
        Err(RecvTimeoutError::Timeout) => Ok(None),
        Err(RecvTimeoutError::Disconnected) => Err(Failure::internal("the program has a fault")),
    }
}
