//! A directory that is built, where its files come from, and how messages name them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use kustomize::files::{KUSTOMIZATION_FILES, base_name, join};
use kustomize::{Deadline, FileError, FileNames, Files, Hooks, Options, Output, Repository};

use crate::external::Outside;
use crate::failure::{Failure, Problem, Warning};
use crate::files::DiskFiles;
use crate::snippet;

/// What a build may take, with what it fetches. Nobody waits longer for one that is meant, and one that is not has to end.
const TIME: Duration = Duration::from_mins(10);

/// The directory that is built.
pub struct Target {
    files: DiskFiles,
    working_directory: String,
    root: String,
    time: Option<Duration>,
}

impl Target {
    /// A directory as it is named in the working directory of the process.
    ///
    /// # Errors
    /// Where its name is none, or leads to nothing.
    pub fn here(directory: &Path, outside: Arc<Outside>) -> Result<Self, Failure> {
        let files = DiskFiles::new().with_outside(outside);
        Self::with_files(directory, files)
    }

    /// As [`Self::here`], with files that are read in a way of their own.
    ///
    /// # Errors
    /// As for [`Self::here`].
    pub fn with_files(directory: &Path, files: DiskFiles) -> Result<Self, Failure> {
        let working_directory = std::env::current_dir()
            .map_err(|error| Failure::input(format!("cannot tell the working directory: {error}")))?
            .into_os_string()
            .into_string()
            .map_err(|_| Failure::input("the working directory's name is not UTF-8"))?;
        Self::new(directory, &working_directory, files)
    }

    /// A directory, counted from a working directory, from which messages name files too.
    ///
    /// # Errors
    /// Where its name is none, or leads to nothing.
    pub fn new(
        directory: &Path,
        working_directory: &str,
        files: DiskFiles,
    ) -> Result<Self, Failure> {
        let Some(directory) = directory.to_str() else {
            return Err(Failure::usage("the directory's name is not UTF-8"));
        };
        if directory.is_empty() {
            return Err(Failure::usage("the directory's name is empty")
                .hint("name a directory, or `.` for this one"));
        }
        let working_directory = working_directory.to_owned();
        if Repository::parse(directory).is_some() {
            return Ok(Self {
                files,
                working_directory,
                root: directory.to_owned(),
                time: Some(TIME),
            });
        }
        let asked = join(&working_directory, directory);
        // The engine names files from where a link leads to; what is not there it complains about itself.
        let root = match files.resolve(&asked) {
            Ok(kustomize::Entry::Directory(resolved)) => resolved,
            Ok(kustomize::Entry::File(_)) => asked,
            Err(error) => return Err(unreadable(directory, &asked, &error)),
        };
        Ok(Self {
            files,
            working_directory,
            root,
            time: Some(TIME),
        })
    }

    /// The same, for as long as it takes: the caller ends it.
    #[must_use]
    pub fn without_deadline(self) -> Self {
        Self { time: None, ..self }
    }

    /// The directory, as an absolute path without links.
    pub fn root(&self) -> &Path {
        Path::new(&self.root)
    }

    /// Builds it, with a caller's part between the phases.
    ///
    /// # Errors
    /// What the engine and the hooks complain about.
    pub fn build(&self, options: &Options, hooks: &mut dyn Hooks) -> kustomize::Result<Output> {
        let named_from = Some(self.working_directory.clone());
        let start = Instant::now();
        let deadline = |time| Deadline::new(time, move || start.elapsed());
        let options = Options {
            named_from,
            deadline: self.time.map(deadline).unwrap_or_default(),
            ..options.clone()
        };
        kustomize::build_with(&self.files, &self.root, &options, hooks)
    }

    /// What the engine complains about, with the lines that it speaks of.
    pub fn failure(&self, error: &kustomize::Error) -> Failure {
        self.locate(Problem::from(error).into_failure())
    }

    /// What is said beside the result: kustomize's own lines first.
    pub fn warnings(&self, output: &Output) -> Vec<String> {
        let kustomize::Notices { list, more } = output.notices(&self.files);
        let notices = self.locate(Failure::several(list.iter().map(Problem::from).collect()));
        let notices = notices.problems().iter();
        let notices = notices.map(|problem| Warning(problem.clone()).text());
        let mut warnings = output.warnings.clone();
        warnings.extend(notices);
        if more > 0 {
            warnings.push(format!("warning: and {more} more"));
        }
        warnings
    }

    /// Adds the lines that are spoken of.
    pub fn locate(&self, mut failure: Failure) -> Failure {
        let mut texts: BTreeMap<String, Option<(String, snippet::Kind)>> = BTreeMap::new();
        for file in failure.problems().iter().filter_map(shown_file) {
            if !texts.contains_key(file) {
                texts.insert(file.to_owned(), self.text(file));
            }
        }
        let mut lines: BTreeMap<&str, snippet::Lines> = BTreeMap::new();
        for (file, text) in &texts {
            if let Some((text, kind)) = text {
                lines.insert(file, snippet::Lines::new(text, *kind));
            }
        }
        for problem in failure.problems_mut() {
            let lines = shown_file(problem).and_then(|file| lines.get_mut(file));
            problem.source_line = lines
                .and_then(|lines| lines.get(problem.position.line, problem.is_malformed_yaml))
                .map(Cow::into_owned);
        }
        failure
    }

    /// The text of a file of the repository, and what it is, unless it is no business of an error.
    fn text(&self, file: &str) -> Option<(String, snippet::Kind)> {
        let path = join(&self.working_directory, file);
        let kustomize::Entry::File(path) = self.files.resolve(&path).ok()? else {
            return None;
        };
        let text = String::from_utf8(self.files.read(&path).ok()?).ok()?;
        let kind = if KUSTOMIZATION_FILES.contains(&base_name(&path)) {
            snippet::Kind::Kustomization
        } else if text.contains("apiVersion") && text.contains("kind") {
            snippet::Kind::Objects
        } else if [".yaml", ".yml"].iter().any(|end| path.ends_with(end)) {
            snippet::Kind::Yaml
        } else {
            // Such as the env file of a generator.
            return None;
        };
        Some((text, kind))
    }
}

/// The file of the repository of which a line may be shown.
fn shown_file(problem: &Problem) -> Option<&str> {
    // What a generator reads may be anything.
    let is_data = matches!(problem.field.as_deref(), Some("envs" | "files"));
    let file = problem.file.as_deref().filter(|_| problem.is_in_repository);
    let file = file.filter(|file| !FileNames::is_of_fetched(file));
    file.filter(|file| !is_data || KUSTOMIZATION_FILES.contains(&base_name(file)))
}

/// Why the directory cannot be built, with the name that may have been meant.
fn unreadable(directory: &str, asked: &str, error: &FileError) -> Failure {
    let failure = Failure::input(format!("cannot read directory `{directory}`: {error}"));
    if *error != FileError::NotFound {
        return failure;
    }
    let (Some(parent), Some(name)) = (
        Path::new(asked).parent(),
        Path::new(asked).file_name().and_then(|name| name.to_str()),
    ) else {
        return failure;
    };
    match nearest_directory(parent, name) {
        Some(near) => {
            let path = Path::new(directory).with_file_name(near);
            failure.hint(format!("did you mean `{}`?", path.display()))
        }
        None => failure.hint(format!(
            "name a directory with a kustomization file; the path counts from {}",
            if Path::new(directory).is_absolute() {
                "the root of the disk"
            } else {
                "the working directory"
            }
        )),
    }
}

/// The directory within `parent` that is spelled most like `name`.
fn nearest_directory(parent: &Path, name: &str) -> Option<String> {
    let entries = std::fs::read_dir(parent).ok()?;
    entries
        .filter_map(|entry| entry.ok().filter(|entry| entry.path().is_dir()))
        .filter_map(|entry| entry.file_name().into_string().ok())
        .map(|known| (strsim::damerau_levenshtein(&known, name), known))
        .filter(|(distance, known)| *distance <= 2 && *distance < known.len().min(name.len()))
        .min()
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_target_is_refused() {
        assert!(Target::here(Path::new(""), Arc::default()).is_err());
    }

    #[test]
    fn a_build_has_a_deadline_unless_the_caller_ends_it() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(
            directory.path().join("kustomization.yaml"),
            "resources: []\nnamePrefix: a-\nconfigMapGenerator: [{name: x}]\n",
        )
        .unwrap();
        let target = Target::here(directory.path(), Arc::default()).unwrap();
        let build = |target: &Target| target.build(&Options::default(), &mut kustomize::NoHooks);
        assert!(build(&target).is_ok());
        let late = Target {
            time: Some(Duration::ZERO),
            ..target
        };
        let error = build(&late).unwrap_err();
        assert_eq!(
            error.details().message,
            "the build is not done after 0 seconds"
        );
        assert!(build(&late.without_deadline()).is_ok());
    }
}
