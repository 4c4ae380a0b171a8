//! `man`: the help as manual pages.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory as _};
use clap_mangen::Man;

use super::output::Done;
use super::{Cli, usage};
use crate::failure::{Failure, Problem};
use crate::files::plain;

/// Print a manual page, or write all of them
#[derive(clap::Args)]
#[command(after_help = "Examples:
  argocd-infisical man render | man -l -
  argocd-infisical man --output /usr/local/share/man/man1")]
pub(super) struct Args {
    /// Print the page of this command; without it, that of the program
    #[arg(value_name = "COMMAND")]
    command: Vec<String>,

    /// Write the pages of all commands into this directory
    #[arg(short, long, value_name = "DIR", conflicts_with = "command")]
    output: Option<PathBuf>,
}

impl Args {
    pub(super) fn run(self) -> Result<Done, Failure> {
        let Self { command, output } = self;
        let mut program = Cli::<super::Command>::command().disable_help_subcommand(true);
        // Only then the commands know their full names.
        program.build();
        let stdout = match output {
            Some(directory) => {
                write(&program, &directory)?;
                String::new()
            }
            None => page(find(&program, &command)?)?.1,
        };
        Ok(Done {
            warnings: Vec::new(),
            stdout: stdout.into(),
            is_well: true,
        })
    }
}

/// The command that words lead to.
fn find<'a>(program: &'a Command, words: &[String]) -> Result<&'a Command, Failure> {
    let mut found = program;
    for word in words {
        found = found.find_subcommand(word).ok_or_else(|| {
            usage(
                format!("there is no command `{}`", words.join(" ")),
                "`argocd-infisical --help` lists the commands",
            )
        })?;
    }
    Ok(found)
}

/// Writes the page of a command, and those of the commands below it.
fn write(command: &Command, directory: &Path) -> Result<(), Failure> {
    for inner in command
        .get_subcommands()
        .filter(|inner| !inner.is_hide_set())
    {
        write(inner, directory)?;
    }
    let (name, text) = page(command)?;
    let path = directory.join(name);
    fs::write(&path, text).map_err(|error| {
        Problem::new(format!("cannot write the page: {}", plain(&error)))
            .at(path.display().to_string(), 0)
            .hint("name a directory that is there and can be written to")
            .into_failure()
    })
}

/// A page with the name of its file.
fn page(command: &Command) -> Result<(String, String), Failure> {
    let man =
        Man::new(command.clone()).source(concat!("argocd-infisical ", env!("CARGO_PKG_VERSION")));
    let mut text = Vec::new();
    let written = man.render(&mut text);
    let text = written.ok().and_then(|()| String::from_utf8(text).ok());
    text.map(|text| (man.get_filename(), text))
        .ok_or_else(|| Failure::internal("a manual page cannot be written"))
}
