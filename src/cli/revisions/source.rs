//! Where the state comes from that is decided on.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use walkdir::{DirEntry, WalkDir};

use crate::cluster::{Access, Cluster, Observed};
use crate::failure::{Failure, Problem};
use crate::files::{self, Seen};
use crate::manifests::Manifests;
use crate::progress::Progress;
use crate::steer::policy::Policy;
use crate::steer::state::State;

/// How long a whole cluster may take.
const LIMIT: Duration = Duration::from_mins(1);
/// How files of manifests end.
const ENDINGS: [&str; 3] = ["yaml", "yml", "json"];

/// Which cluster.
#[derive(clap::Args)]
pub(super) struct ClusterFlags {
    /// The kubeconfig of the cluster
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,

    /// The context of the kubeconfig
    #[arg(long, value_name = "NAME")]
    context: Option<String>,
}

impl ClusterFlags {
    /// Whether any of them was typed.
    pub(super) const fn is_given(&self) -> bool {
        self.kubeconfig.is_some() || self.context.is_some()
    }

    /// The cluster.
    ///
    /// # Errors
    /// Where there is none.
    pub(super) fn connect(&self) -> Result<Cluster, Failure> {
        let access = Access::of_person(self.kubeconfig.clone(), self.context.clone());
        Cluster::new(&access)
    }
}

/// Where the state comes from.
pub(super) enum Source {
    /// A cluster.
    Cluster(Cluster),
    /// Files and directories, with the namespace of objects that name none.
    Manifests(Vec<PathBuf>, Option<String>),
}

impl Source {
    /// Reads a state, and what there is to say about it. Files are noted.
    ///
    /// # Errors
    /// Where something cannot be read.
    pub(super) fn read(
        &self,
        policy: &Policy,
        seen: &Seen,
    ) -> Result<(State, Vec<Problem>), Failure> {
        match self {
            Self::Cluster(cluster) => {
                let Observed {
                    state,
                    mut warnings,
                } = {
                    let _progress = Progress::start("reading the cluster");
                    cluster.observe(policy, LIMIT)?
                };
                if state.applications.is_empty() {
                    warnings.push(nobody(policy));
                }
                Ok((state, warnings))
            }
            Self::Manifests(paths, namespace) => {
                let (state, left_out) = from_files(paths, namespace.as_deref(), policy, seen)?;
                if state.applications.is_empty() {
                    let mut problems = left_out;
                    problems.insert(0, nobody(policy));
                    return Err(Failure::several(problems));
                }
                Ok((state, left_out))
            }
        }
    }
}

fn nobody(policy: &Policy) -> Problem {
    let label = &policy.environment_label;
    Problem::new(format!("there is no Application with the label `{label}`"))
        .hint("the label is what makes an Application take part; it names the environment")
}

fn from_files(
    paths: &[PathBuf],
    namespace: Option<&str>,
    policy: &Policy,
    seen: &Seen,
) -> Result<(State, Vec<Problem>), Failure> {
    let mut manifests = Manifests::new(policy, namespace);
    let mut problems = Vec::new();
    let mut found = BTreeSet::new();
    for path in paths {
        match files_of(path, seen) {
            Ok(files) => found.extend(files),
            Err(problem) => problems.push(problem),
        }
    }
    for file in found {
        let name = file.display().to_string();
        seen.note(&file);
        match files::read_named(&file) {
            Ok(bytes) => problems.extend(manifests.add(&bytes, &name).err().unwrap_or_default()),
            Err(error) => problems.push(unreadable(&name, &error)),
        }
    }
    if problems.is_empty() {
        Ok(manifests.state())
    } else {
        Err(Failure::several(problems))
    }
}

/// The file itself, or the manifests in and below a directory, but for what is hidden.
fn files_of(path: &Path, seen: &Seen) -> Result<Vec<PathBuf>, Problem> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let is_hidden = |entry: &DirEntry| {
        entry.depth() > 0 && entry.file_name().as_encoded_bytes().starts_with(b".")
    };
    let mut found = Vec::new();
    for entry in WalkDir::new(path)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(|entry| !is_hidden(entry))
    {
        let entry = entry.map_err(|error| {
            let place = error.path().unwrap_or(path).display().to_string();
            let why = error.io_error().map(files::plain).unwrap_or_default();
            unreadable(&place, &why)
        })?;
        let ending = entry.path().extension().and_then(|ending| ending.to_str());
        if entry.file_type().is_dir() {
            seen.note_whole(entry.path());
        } else if ending.is_some_and(|ending| ENDINGS.contains(&ending)) && entry.path().is_file() {
            // The file itself may be a link.
            let file = entry.path();
            found.push(file.strip_prefix(".").unwrap_or(file).to_owned());
        }
    }
    Ok(found)
}

fn unreadable(name: &str, error: &dyn std::fmt::Display) -> Problem {
    Problem::new(format!("cannot read manifests: {error}"))
        .at(name, 0)
        .hint("name YAML or JSON files, or directories that hold them")
}
