//! `build`: exactly `kustomize build`.

use std::path::Path;
use std::sync::Arc;

use kustomize::files::{KUSTOMIZATION_FILES, base_name, join};
use kustomize::{FileError, Files, Hooks, Options, Output, Repository};

use super::engine::{EngineFlags, Task};
use super::flags::{Flags, Place};
use super::output::Done;
use crate::external::Outside;
use crate::failure::{Failure, Problem};
use crate::files::DiskFiles;

/// Build a kustomization, byte for byte as `kustomize build` does
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    place: Place,

    #[command(flatten)]
    flags: Flags,

    #[command(flatten)]
    engine: EngineFlags,
}

impl Args {
    pub(super) fn run(self) -> Result<Done, Failure> {
        let Self {
            place,
            flags,
            engine,
        } = self;
        let (options, mut warnings) = flags.options()?;
        let target = Target::new(&place.directory, flags.outside())?;
        let done = engine.build(&Task {
            target: &target,
            options: &options,
            output: place.output(),
            allowed: flags.allowed(),
        })?;
        warnings.extend(done.warnings);
        Ok(Done { warnings, ..done })
    }
}

/// The directory that is built.
pub(super) struct Target {
    files: DiskFiles,
    working_directory: String,
    root: String,
}

impl Target {
    pub(super) fn new(directory: &Path, outside: Arc<Outside>) -> Result<Self, Failure> {
        let Some(directory) = directory.to_str() else {
            return Err(Failure::usage("the directory's name is not UTF-8"));
        };
        if directory.is_empty() {
            return Err(Failure::usage("the directory's name is empty")
                .hint("name a directory, or `.` for this one"));
        }
        let working_directory = std::env::current_dir()
            .map_err(|error| Failure::input(format!("cannot tell the working directory: {error}")))?
            .into_os_string()
            .into_string()
            .map_err(|_| Failure::input("the working directory's name is not UTF-8"))?;
        let files = DiskFiles::new().with_outside(outside);
        if Repository::parse(directory).is_some() {
            return Ok(Self {
                files,
                working_directory,
                root: directory.to_owned(),
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
        })
    }

    /// The directory, as an absolute path without links.
    pub(super) fn root(&self) -> &Path {
        Path::new(&self.root)
    }

    pub(super) fn build(
        &self,
        options: &Options,
        hooks: &mut dyn Hooks,
    ) -> kustomize::Result<Output> {
        let named_from = Some(self.working_directory.clone());
        let options = Options {
            named_from,
            ..options.clone()
        };
        kustomize::build_with(&self.files, &self.root, &options, hooks)
    }

    pub(super) fn failure(&self, error: &kustomize::Error) -> Failure {
        self.locate(Problem::from(error).into_failure())
    }

    /// Adds the lines that are spoken of.
    pub(super) fn locate(&self, mut failure: Failure) -> Failure {
        for problem in failure
            .problems_mut()
            .iter_mut()
            .filter(|problem| problem.is_in_repository)
        {
            let Some(file) = &problem.file else { continue };
            problem.source_line =
                self.source_line(&join(&self.working_directory, file), problem.position.line);
        }
        failure
    }

    /// A line of a file of the repository, unless what stands there may be a secret.
    fn source_line(&self, path: &str, line: u32) -> Option<String> {
        const LONGEST: usize = 160;
        let index = usize::try_from(line).ok()?.checked_sub(1)?;
        let kustomize::Entry::File(path) = self.files.resolve(path).ok()? else {
            return None;
        };
        let text = String::from_utf8(self.files.read(&path).ok()?).ok()?;
        let is_kustomization = KUSTOMIZATION_FILES.contains(&base_name(&path));
        // Anything else, such as the env file of a generator, is nobody's business.
        let is_object = text.contains("apiVersion") && text.contains("kind");
        if !(is_kustomization || is_object) || may_hold_secrets(&text) {
            return None;
        }
        text.lines()
            .nth(index)
            .filter(|line| !line.trim().is_empty() && line.len() <= LONGEST)
            .filter(|line| !may_hold_patch(line))
            .map(str::to_owned)
    }
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

/// Whether a file may hold a secret: it speaks of one anywhere, in whatever spelling.
fn may_hold_secrets(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    ["secret", "stringdata", "password", "token"]
        .iter()
        .any(|word| text.contains(word))
}

/// Whether a line may hold a value that somebody patches into an object, of which the file does not say what it is.
fn may_hold_patch(line: &str) -> bool {
    let line = line.to_ascii_lowercase();
    ["value", "patch", "literals"]
        .iter()
        .any(|word| line.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_recognised() {
        assert!(may_hold_secrets("{\"kind\": \"Secret\"}"));
        assert!(may_hold_secrets("a:\n- secretGenerator:\n"));
        assert!(may_hold_secrets("kind:\tSecret\n"));
        assert!(!may_hold_secrets("replicas: x\nkind: Deployment\n"));
        assert!(may_hold_patch("- {patch: '[]', optionz: 1}"));
        assert!(!may_hold_patch("namePrefx: a-"));
    }

    #[test]
    fn an_empty_target_is_refused() {
        assert!(Target::new(Path::new(""), Arc::default()).is_err());
    }
}
