//! `build`: exactly `kustomize build`.

use std::path::Path;

use kustomize::files::{base_name, join};
use kustomize::{Files, Hooks, Options, Output};

use super::flags::Flags;
use super::output::{self, Done};
use crate::failure::{Failure, Problem};
use crate::files::{DiskFiles, not_found};

/// Build a kustomization, byte for byte as `kustomize build` does
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    flags: Flags,
}

impl Args {
    pub(super) fn run(self) -> Result<Done, Failure> {
        let Self { flags } = self;
        let (options, mut warnings) = flags.options()?;
        let target = Target::new(&flags.directory)?;
        let output = target
            .build(&options, &mut kustomize::NoHooks)
            .map_err(|error| target.failure(&error))?;
        let stdout =
            output::write(&output, flags.output()).map_err(|failure| target.locate(failure))?;
        warnings.extend(output.warnings);
        Ok(Done { warnings, stdout })
    }
}

/// The directory that is built.
pub(super) struct Target {
    files: DiskFiles,
    working_directory: String,
    root: String,
}

impl Target {
    pub(super) fn new(directory: &Path) -> Result<Self, Failure> {
        let Some(directory) = directory.to_str() else {
            return Err(Failure::usage("the directory's name is not UTF-8"));
        };
        if directory.is_empty() {
            return Err(Failure::usage("the directory's name is empty")
                .hint("name a directory, or `.` for this one"));
        }
        if directory.contains("://") || directory.contains("?ref=") || directory.starts_with("git@")
        {
            return Err(Failure::usage(format!(
                "`{directory}` is remote, and remote kustomizations are not built here"
            ))
            .hint("clone the repository and name the directory in it"));
        }
        let working_directory = std::env::current_dir()
            .map_err(|error| Failure::input(format!("cannot tell the working directory: {error}")))?
            .into_os_string()
            .into_string()
            .map_err(|_| Failure::input("the working directory's name is not UTF-8"))?;
        let files = DiskFiles::new();
        let asked = join(&working_directory, directory);
        // The engine names files from where a link leads to; what is not there it complains about itself.
        let root = match files.resolve(&asked) {
            Ok(kustomize::Entry::Directory(resolved)) => resolved,
            Err(kustomize::FileError::NotFound) => return Err(not_found(directory, &asked)),
            Ok(kustomize::Entry::File(_)) | Err(_) => asked,
        };
        Ok(Self {
            files,
            working_directory,
            root,
        })
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
        let is_kustomization = matches!(
            base_name(&path),
            "kustomization.yaml" | "kustomization.yml" | "Kustomization"
        );
        // Anything else, such as the env file of a generator, is nobody's business.
        let is_object = text.contains("apiVersion") && text.contains("kind");
        if !(is_kustomization || is_object) || may_hold_secrets(&text) {
            return None;
        }
        text.lines()
            .nth(index)
            .filter(|line| !line.trim().is_empty() && line.len() <= LONGEST)
            .map(str::to_owned)
    }
}

/// Whether a text has the look of a Secret, or of a generator of one.
fn may_hold_secrets(text: &str) -> bool {
    let compact: String = text
        .chars()
        .filter(|character| !matches!(character, ' ' | '"' | '\''))
        .collect();
    ["kind:Secret", "secretGenerator:", "stringData:"]
        .iter()
        .any(|word| compact.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_recognised() {
        assert!(may_hold_secrets("{\"kind\": \"Secret\"}"));
        assert!(may_hold_secrets("a:\n- secretGenerator:\n"));
        assert!(!may_hold_secrets("secretName: x\nkind: Deployment\n"));
    }

    #[test]
    fn remote_targets_are_refused() {
        for remote in [
            "https://github.com/a/b",
            "git@github.com:a/b",
            "github.com/a/b?ref=v1",
            "",
        ] {
            assert!(Target::new(Path::new(remote)).is_err(), "{remote}");
        }
    }
}
