//! What a build may fetch from elsewhere and which programs it may run for that: Git, HTTP, Helm.
//!
//! All of it is off unless whoever runs the program turns it on. What comes in is bounded in time and size, programs get
//! an environment of their own ([`program`]), and nothing that a repository says can become one of their options.

mod git;
mod helm;
mod history;
mod http;
mod program;

pub use history::Checkout;
pub use program::{for_network, git_environment};

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use crate::interrupt::Scratch;
use kustomize::{ChartSource, ChartTemplate, External, ExternalError, HelmDefaults, Repository};
/// What a build may fetch and run.
#[derive(Clone, Debug, Default)]
pub struct Allowed {
    /// Git repositories and files behind HTTP.
    pub remote: bool,
    /// Helm charts, from the repository or from elsewhere.
    pub helm: bool,
    /// The Helm program.
    pub helm_command: PathBuf,
    /// What charts are told where a kustomization says nothing.
    pub helm_defaults: HelmDefaults,
    /// The directory that keeps repositories whose commit is named; none to keep nothing.
    pub cache: Option<PathBuf>,
    /// Whether no flag could allow more: beside a token for an API server, no program is started and nothing is fetched.
    pub is_sidecar: bool,
}

/// The way out for the builds of one process. What was fetched is kept until it is dropped, failures too, so that a
/// build that is done twice sees the same and nothing is waited for twice.
#[derive(Debug, Default)]
pub struct Outside {
    allowed: Allowed,
    http: http::Client,
    files: Once<Vec<u8>>,
    directories: Once<String>,
    spent: Mutex<Spent>,
    /// Whether Helm is of a version that works.
    helm: OnceLock<Result<(), ExternalError>>,
    /// Directories that go when the process is done.
    temporary: Mutex<Vec<Scratch>>,
}

/// What has been asked of others so far.
#[derive(Debug, Default)]
struct Spent {
    time: Duration,
    bytes: usize,
}

/// The time that all fetches of a process may take together, those side by side each counted.
const TIME_LIMIT: Duration = Duration::from_mins(30);

/// The bytes of all files behind HTTP, which are kept in memory.
const HTTP_LIMIT: usize = 1 << 30;

/// Answers by question. Each is looked for once, however many ask at the same time, and those who ask something else do
/// not wait.
#[derive(Debug)]
struct Once<T>(Mutex<BTreeMap<String, Slot<T>>>);

type Slot<T> = Arc<OnceLock<Result<T, ExternalError>>>;

impl<T> Default for Once<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> Once<T> {
    fn get(
        &self,
        question: String,
        find: impl FnOnce() -> Result<T, ExternalError>,
    ) -> Result<T, ExternalError> {
        let slot = Arc::clone(self.slots().entry(question).or_default());
        slot.get_or_init(find).clone()
    }

    fn slots(&self) -> MutexGuard<'_, BTreeMap<String, Slot<T>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const ENABLE_REMOTE: &str = "allow remote files and repositories with `--enable-remote`, or copy it into the repository \
                             and name it by its path";
const ENABLE_HELM: &str =
    "allow Helm with `--enable-helm`, or render the chart with `helm template` into the repository";
const NO_REMOTE: &str =
    "the sidecar fetches nothing: copy it into the repository and name it by its path";
const NO_HELM: &str =
    "the sidecar starts no programs: render the chart with `helm template` into the repository";

impl Outside {
    /// Makes a way out.
    pub fn new(allowed: Allowed) -> Self {
        Self {
            allowed,
            ..Self::default()
        }
    }

    /// Whether a path lies in what was fetched.
    pub fn has_fetched(&self, path: &Path) -> bool {
        let slots = self.directories.slots();
        let mut directories = slots.values().filter_map(|slot| slot.get()?.as_ref().ok());
        directories.any(|directory| path.starts_with(directory))
    }

    /// Keeps a directory until the process is done.
    fn keep(&self, directory: Scratch) {
        let mut temporary = self
            .temporary
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        temporary.push(directory);
    }

    /// Fetches something, if there is time left, and counts what it has taken.
    fn spend<T>(
        &self,
        fetch: impl FnOnce() -> Result<T, ExternalError>,
        size: impl FnOnce(&T) -> usize,
    ) -> Result<T, ExternalError> {
        if self.spent().time > TIME_LIMIT {
            let seconds = TIME_LIMIT.as_secs();
            let message = format!("what is fetched takes longer than {seconds} s altogether");
            return Err(failed(message));
        }
        let start = Instant::now();
        let fetched = fetch();
        let mut spent = self.spent();
        spent.time = spent.time.saturating_add(start.elapsed());
        let fetched = fetched?;
        spent.bytes = spent.bytes.saturating_add(size(&fetched));
        if spent.bytes > HTTP_LIMIT {
            let message = format!("the files that are fetched have more than {HTTP_LIMIT} bytes");
            return Err(failed(message));
        }
        Ok(fetched)
    }

    fn spent(&self) -> MutexGuard<'_, Spent> {
        self.spent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn helm(&self) -> Result<helm::Helm, ExternalError> {
        let helm = helm::Helm::new(&self.allowed.helm_command);
        let version = self.helm.get_or_init(|| helm.check_version());
        version.clone().map(|()| helm)
    }

    fn check_remote(&self) -> Result<(), ExternalError> {
        if self.allowed.remote {
            Ok(())
        } else {
            Err(self.switched_off(ENABLE_REMOTE, NO_REMOTE))
        }
    }

    fn check_helm(&self) -> Result<(), ExternalError> {
        if self.allowed.helm {
            Ok(())
        } else {
            Err(self.switched_off(ENABLE_HELM, NO_HELM))
        }
    }

    fn switched_off(&self, enable: &'static str, in_sidecar: &'static str) -> ExternalError {
        let hint = if self.allowed.is_sidecar {
            in_sidecar
        } else {
            enable
        };
        ExternalError::SwitchedOff { hint: Some(hint) }
    }
}

impl External for Outside {
    fn get(&self, url: &str) -> Result<Vec<u8>, ExternalError> {
        self.check_remote()?;
        self.files.get(url.to_owned(), || {
            self.spend(|| self.http.get(url), Vec::len)
        })
    }

    fn check_out(&self, repository: &Repository) -> Result<String, ExternalError> {
        self.check_remote()?;
        let Repository {
            written: _,
            url,
            reference,
            directory: _,
            submodules,
            timeout: _,
        } = repository;
        let question = format!("git {submodules} {reference} {url}");
        self.directories.get(question, || {
            let check_out = || git::check_out(repository, self.allowed.cache.as_deref());
            let (directory, temporary) = self.spend(check_out, |_| 0)?;
            if let Some(temporary) = temporary {
                self.keep(temporary);
            }
            Ok(directory)
        })
    }

    fn pull_chart(&self, chart: &ChartSource) -> Result<String, ExternalError> {
        self.check_helm()?;
        self.directories.get(format!("helm {chart:?}"), || {
            let helm = self.helm()?;
            let (directory, temporary) = self.spend(|| helm.pull(chart), |_| 0)?;
            self.keep(temporary);
            Ok(directory)
        })
    }

    fn template_chart(&self, chart: &ChartTemplate) -> Result<Vec<u8>, ExternalError> {
        self.check_helm()?;
        self.helm()?.template(chart)
    }

    fn helm_defaults(&self) -> HelmDefaults {
        self.allowed.helm_defaults.clone()
    }
}

/// Something outside that was tried and failed.
fn failed(message: impl Into<String>) -> ExternalError {
    ExternalError::Failed {
        message: message.into(),
        hint: None,
    }
}

/// As [`failed`], with what to do.
fn failed_with_hint(message: impl Into<String>, hint: &'static str) -> ExternalError {
    ExternalError::Failed {
        message: message.into(),
        hint: Some(hint),
    }
}
