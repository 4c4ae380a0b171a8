//! One of the two outputs that are compared.

use std::path::Path;

use kustomize::{ExternalError, Options};

use super::Args;
use crate::changes::Objects;
use crate::external::Checkout;
use crate::failure::Failure;
use crate::files::DiskFiles;
use crate::inject::Use;
use crate::render::trace::{Trace, trace};
use crate::render::{Rendered, render};
use crate::settings::{Settings, source};
use crate::target::Target;

/// An output and how it came about.
pub(super) struct Side {
    pub(super) rendered: Rendered,
    /// Every field that holds a setting.
    pub(super) uses: Vec<Use>,
    /// Keys that could not be followed.
    pub(super) unknown: Vec<String>,
    /// The sources of its settings; none for the defaults.
    pub(super) sources: Vec<String>,
    /// The state of the repository that it was made of, where that is not the same for both.
    pub(super) files: Option<String>,
}

impl Args {
    /// The two sides: what is compared with, and what it is about.
    pub(super) fn sides(&self, options: &Options) -> Result<(Side, Side), Failure> {
        let target = Target::here(&self.directory, self.flags.outside())?;
        let settings = self.settings.read()?;
        let mut against = Settings::default();
        source::read(
            self.against.iter().map(std::path::PathBuf::as_path),
            &mut against,
        )?;
        let mut right = Side::new(&target, options, &settings)?;
        right.files = self
            .git
            .is_some()
            .then(|| "the files as they are".to_owned());
        let left = match &self.git {
            None => Side::new(&target, options, &against).map_err(|failure| {
                failure.note(match self.against.as_slice() {
                    [] => "this is about the defaults, with which the settings are compared; `--against` names other settings",
                    [..] => "this is about what `--against` names",
                })
            })?,
            Some(reference) => {
                let settings = if self.against.is_empty() {
                    &settings
                } else {
                    &against
                };
                self.at_commit(&target, options, (reference, settings))?
            }
        };
        Ok((left, right))
    }

    fn at_commit(
        &self,
        target: &Target,
        options: &Options,
        (reference, settings): (&str, &Settings),
    ) -> Result<Side, Failure> {
        if !target.root().is_dir() {
            return Err(Failure::usage(
                "`--git` compares with another commit of a repository on this machine",
            )
            .hint("name a directory of it"));
        }
        let checkout = Checkout::new(target.root(), reference).map_err(|error| failure(&error))?;
        let about = |failure: Failure| failure.note(format!("this is about commit `{reference}`"));
        let files = checkout.files();
        // What lies in the repository is named as it is there.
        let moved = |path: &Path| {
            let inner = path.strip_prefix(checkout.top()).ok()?;
            Some(files.join(inner))
        };
        let working_directory = std::env::current_dir().ok().and_then(|path| moved(&path));
        let working_directory = working_directory.unwrap_or_else(|| files.clone());
        let (Some(directory), Some(working_directory)) =
            (moved(target.root()), working_directory.to_str())
        else {
            return Err(Failure::input(
                "the directory is not in the files of its repository",
            ));
        };
        let disk = DiskFiles::within(&files).map_err(|error| Failure::input(error.to_string()))?;
        let disk = disk.with_outside(self.flags.outside());
        let target = Target::new(&directory, working_directory, disk).map_err(|_| {
            let path = self.directory.display();
            Failure::input(format!("there is no directory `{path}`"))
                .note(format!("this is about commit `{reference}`"))
        })?;
        let mut side = Side::new(&target, options, settings).map_err(about)?;
        side.files = Some(format!("commit {reference}"));
        Ok(side)
    }
}

impl Side {
    fn new(target: &Target, options: &Options, settings: &Settings) -> Result<Self, Failure> {
        let rendered = render(target, options, settings)?;
        let Trace { mut uses, unknown } = trace(target, options, &rendered);
        uses.extend_from_slice(&rendered.record.uses);
        Ok(Self {
            rendered,
            uses,
            unknown,
            sources: settings.sources().to_vec(),
            files: None,
        })
    }

    pub(super) fn objects(&self) -> Objects<'_> {
        Objects::of(&self.rendered.output)
    }

    /// What it is called.
    pub(super) fn label(&self) -> String {
        let settings = match self.sources.as_slice() {
            [] => "the defaults".to_owned(),
            sources => sources.join(", "),
        };
        match &self.files {
            None => settings,
            Some(files) => format!("{settings}, {files}"),
        }
    }
}

fn failure(error: &ExternalError) -> Failure {
    match error {
        ExternalError::Failed { message, hint } => {
            let failure = Failure::input(message);
            match hint {
                Some(hint) => failure.hint(*hint),
                None => failure,
            }
        }
        ExternalError::SwitchedOff { .. } | ExternalError::Status(_) => {
            Failure::input("Git cannot be asked")
        }
    }
}
