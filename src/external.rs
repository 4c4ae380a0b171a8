//! What a build may fetch from elsewhere and which programs it may run for that: Git, HTTP, Helm.
//!
//! All of it is off unless whoever runs the program turns it on. What comes in is bounded in time and size, programs get
//! an environment of their own ([`program`]), and nothing that a repository says can become one of their options.

mod git;
mod helm;
mod http;
mod program;
mod progress;

pub use program::inherited;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use kustomize::{ChartSource, ChartTemplate, External, ExternalError, HelmDefaults, Repository};
use tempfile::TempDir;

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
}

/// The way out for the builds of one process. What was fetched is kept until it is dropped, so that a build that is done
/// twice sees the same.
#[derive(Debug, Default)]
pub struct Outside {
    allowed: Allowed,
    http: http::Client,
    fetched: Mutex<Fetched>,
}

/// What was fetched so far, by what was asked for.
#[derive(Debug, Default)]
struct Fetched {
    files: BTreeMap<String, Vec<u8>>,
    directories: BTreeMap<String, String>,
    /// Directories that go when the process is done.
    temporary: Vec<TempDir>,
    is_helm_known: bool,
}

const ENABLE_REMOTE: &str = "allow remote files and repositories with `--enable-remote`, or copy it into the repository \
                             and name it by its path";
const ENABLE_HELM: &str =
    "allow Helm with `--enable-helm`, or render the chart with `helm template` into the repository";

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
        let fetched = self.fetched.lock().unwrap_or_else(PoisonError::into_inner);
        let mut directories = fetched.directories.values();
        directories.any(|directory| path.starts_with(directory))
    }

    fn check_remote(&self) -> Result<(), ExternalError> {
        if self.allowed.remote {
            Ok(())
        } else {
            Err(ExternalError::SwitchedOff {
                hint: Some(ENABLE_REMOTE),
            })
        }
    }

    fn check_helm(&self) -> Result<(), ExternalError> {
        if self.allowed.helm {
            Ok(())
        } else {
            Err(ExternalError::SwitchedOff {
                hint: Some(ENABLE_HELM),
            })
        }
    }

    /// The directory fetched for a question, asked once.
    fn directory(
        &self,
        question: String,
        fetch: impl FnOnce(&mut Fetched) -> Result<String, ExternalError>,
    ) -> Result<String, ExternalError> {
        let mut fetched = self.fetched.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(directory) = fetched.directories.get(&question) {
            return Ok(directory.clone());
        }
        let directory = fetch(&mut fetched)?;
        fetched.directories.insert(question, directory.clone());
        Ok(directory)
    }
}

impl External for Outside {
    fn get(&self, url: &str) -> Result<Vec<u8>, ExternalError> {
        self.check_remote()?;
        let mut fetched = self.fetched.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bytes) = fetched.files.get(url) {
            return Ok(bytes.clone());
        }
        let bytes = self.http.get(url)?;
        fetched.files.insert(url.to_owned(), bytes.clone());
        Ok(bytes)
    }

    fn check_out(&self, repository: &Repository) -> Result<String, ExternalError> {
        self.check_remote()?;
        let question = format!(
            "git {} {} {}",
            repository.submodules, repository.reference, repository.url
        );
        self.directory(question, |fetched| {
            git::check_out(
                repository,
                self.allowed.cache.as_deref(),
                &mut fetched.temporary,
            )
        })
    }

    fn pull_chart(&self, chart: &ChartSource) -> Result<String, ExternalError> {
        self.check_helm()?;
        self.directory(format!("helm {chart:?}"), |fetched| {
            let helm = helm::Helm::new(&self.allowed.helm_command, &mut fetched.is_helm_known)?;
            let (directory, temporary) = helm.pull(chart)?;
            fetched.temporary.push(temporary);
            Ok(directory)
        })
    }

    fn template_chart(&self, chart: &ChartTemplate) -> Result<Vec<u8>, ExternalError> {
        self.check_helm()?;
        let mut fetched = self.fetched.lock().unwrap_or_else(PoisonError::into_inner);
        let helm = helm::Helm::new(&self.allowed.helm_command, &mut fetched.is_helm_known)?;
        drop(fetched);
        helm.template(chart)
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
