//! The command line: what can be typed, and what happens with it.

mod build;
mod compare;
mod completions;
mod controller;
mod diff;
mod doctor;
mod elsewhere;
mod engine;
mod explain;
mod flags;
mod json;
mod lint;
mod man;
mod output;
mod paint;
mod plugin;
mod policy;
mod render;
mod revisions;
mod settings;
mod table;
mod watch;

use std::convert::Infallible;
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::contained::{contained, contained_on_large_stack};
use crate::failure::{Failure, Kind, printable};
use crate::files::plain;
use output::{Done, Parts};

/// Renders Kustomize with settings from Infisical
#[derive(Parser)]
#[command(name = "argocd-infisical", version, about, long_about = None, disable_help_subcommand = true)]
#[command(after_help = "Examples:
  argocd-infisical render overlays/dev --settings settings.yaml
  argocd-infisical explain --help

Exit codes: 0 done, 1 an input is wrong, 2 the command line is wrong, 3 a fault of the program")]
struct Cli<C: Subcommand> {
    #[command(subcommand)]
    command: C,
}

#[derive(Subcommand)]
enum Command {
    Build(build::Args),
    Compare(compare::Args),
    Completions(completions::Args),
    Controller(controller::Args),
    Diff(diff::Args),
    Doctor(doctor::Args),
    Explain(explain::Args),
    Lint(lint::Args),
    Man(man::Args),
    Plugin(plugin::Args),
    Render(render::Args),
    Revisions(revisions::Args),
}

/// The command that is run most often, which is read without the others being described to clap: that would take a
/// fourth of what the build of a small directory takes.
#[derive(Subcommand)]
enum BuildAlone {
    Build(build::Args),
}

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    let Err(failure) = contained_on_large_stack(|| end(on_this_thread()));
    ExitCode::from(fail(&failure))
}

#[expect(
    clippy::exit,
    reason = "all that there was to do is done; to give the stack back takes time for nothing"
)]
fn end(code: u8) -> Infallible {
    std::process::exit(code.into())
}

fn on_this_thread() -> u8 {
    let result = parse()
        .map_err(Ended::Clap)
        .and_then(|command| run(command).map_err(Ended::Failed));
    let printed = match &result {
        Ok(Done {
            warnings, stdout, ..
        }) => {
            // Nobody may be listening to the warnings; the data is for somebody else.
            drop(print_warnings(warnings));
            print(stdout)
        }
        Err(Ended::Clap(error)) => error.print(),
        Err(Ended::Failed(failure)) => paint::tell(&failure.to_string()),
    };
    let code = match &result {
        Ok(done) if !done.is_well => Kind::Input.exit_code(),
        _ => 0,
    };
    match result {
        Err(Ended::Failed(failure)) => failure.kind().exit_code(),
        Err(Ended::Clap(error)) if error.use_stderr() => Kind::Usage.exit_code(),
        _ => match printed {
            // Whoever read the output may have had enough.
            Ok(()) => code,
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => code,
            Err(error) => fail(&Failure::input(format!(
                "cannot write the output: {}",
                plain(&error)
            ))),
        },
    }
}

fn fail(failure: &Failure) -> u8 {
    drop(paint::tell(&failure.to_string()));
    failure.kind().exit_code()
}

enum Ended {
    Clap(clap::Error),
    Failed(Failure),
}

fn parse() -> Result<Command, clap::Error> {
    if std::env::args_os()
        .nth(1)
        .is_some_and(|name| name == "build")
    {
        if let Some(directory) = directory_alone(std::env::args_os().skip(2)) {
            return Ok(Command::Build(build::Args::of_directory(directory)));
        }
        let BuildAlone::Build(args) = Cli::try_parse()?.command;
        return Ok(Command::Build(args));
    }
    Cli::try_parse().map(|cli| cli.command)
}

/// The directory that is built, where that is all that `build` is asked. To tell clap of all that could have been asked
/// takes longer than the build of a small directory.
fn directory_alone(mut arguments: impl Iterator<Item = OsString>) -> Option<PathBuf> {
    let directory = arguments.next()?;
    let is_name = !directory.is_empty() && !directory.as_encoded_bytes().starts_with(b"-");
    (is_name && arguments.next().is_none()).then(|| directory.into())
}

fn run(command: Command) -> Result<Done, Failure> {
    contained(|| match command {
        Command::Build(args) => args.run(),
        Command::Compare(args) => args.run(),
        Command::Completions(args) => args.run(),
        Command::Controller(args) => args.run(),
        Command::Diff(args) => args.run(),
        Command::Doctor(args) => args.run(),
        Command::Explain(args) => args.run(),
        Command::Lint(args) => args.run(),
        Command::Man(args) => args.run(),
        Command::Plugin(args) => args.run(),
        Command::Render(args) => args.run(),
        Command::Revisions(args) => args.run(),
    })?
}

fn print(text: &Parts) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    for part in text.iter() {
        stdout.write_all(part.as_bytes())?;
    }
    stdout.flush()
}

fn print_warnings(warnings: &[String]) -> io::Result<()> {
    let text: String = warnings
        .iter()
        .flat_map(|warning| [printable(warning), "\n".to_owned()])
        .collect();
    paint::tell(&text)
}

/// A wrong command line that clap itself cannot recognise.
fn usage(message: impl Into<String>, hint: &str) -> Failure {
    Failure::usage(message).hint(hint)
}

#[cfg(test)]
mod tests {
    use clap::error::ErrorKind;
    use clap::{Command, CommandFactory as _};

    use super::Parser as _;

    type Program = super::Cli<super::Command>;

    #[test]
    fn the_command_line_is_consistent() {
        Program::command().debug_assert();
    }

    /// Every command with the words that lead to it.
    fn commands() -> Vec<(Vec<String>, Command)> {
        fn below(words: &[String], command: &Command, found: &mut Vec<(Vec<String>, Command)>) {
            for inner in command.get_subcommands() {
                let words = [words, &[inner.get_name().to_owned()]].concat();
                below(&words, inner, found);
                found.push((words, inner.clone()));
            }
        }
        let mut found = Vec::new();
        below(&[], &Program::command(), &mut found);
        assert!(found.len() >= 20, "{}", found.len());
        found
    }

    #[test]
    fn a_directory_alone_is_what_clap_makes_of_it() {
        let alone = |words: &[&str]| super::directory_alone(words.iter().map(Into::into));
        for directory in [
            "overlays/dev",
            ".",
            "build",
            "a=b",
            "https://example.org/a?ref=b",
        ] {
            let line = ["argocd-infisical", "build", directory];
            let super::Command::Build(args) = Program::try_parse_from(line).unwrap().command else {
                unreachable!("`build` is the command");
            };
            let directory = alone(&[directory]).unwrap();
            assert_eq!(super::build::Args::of_directory(directory), args);
        }
        let others: [&[&str]; 7] = [
            &[],
            &[""],
            &["-"],
            &["--"],
            &["-h"],
            &["a", "b"],
            &["a", "-o"],
        ];
        for words in others {
            assert_eq!(alone(words), None, "{words:?}");
        }
    }

    #[test]
    fn help_lines_are_imperative_and_have_no_full_stop() {
        for (words, command) in commands() {
            let about = command.get_about().map(ToString::to_string);
            let about = about.unwrap_or_default();
            assert!(!about.is_empty() && !about.ends_with('.'), "{words:?}");
            for argument in command.get_arguments() {
                let help = argument
                    .get_help()
                    .map(ToString::to_string)
                    .unwrap_or_default();
                assert!(
                    !help.is_empty() && !help.ends_with('.'),
                    "{words:?} {}: {help}",
                    argument.get_id()
                );
            }
        }
    }

    /// The examples of a help, as a shell splits them, without what they are piped into.
    fn examples(command: &Command) -> Vec<Vec<String>> {
        let help = command.get_after_help().map(ToString::to_string);
        let help = help.unwrap_or_default();
        let lines = help
            .lines()
            .filter_map(|line| line.strip_prefix("  argocd-infisical "));
        let words = lines.map(|line| {
            let words = line
                .split(' ')
                .take_while(|word| !["|", ">"].contains(word));
            words.map(str::to_owned).collect()
        });
        words.collect()
    }

    #[test]
    fn every_command_shows_examples_that_are_accepted() {
        let mut all = commands();
        all.push((Vec::new(), Program::command()));
        for (path, command) in all {
            let examples = examples(&command);
            assert!(!examples.is_empty(), "{path:?}");
            for example in examples {
                assert!(example.starts_with(&path), "{path:?}: {example:?}");
                let line =
                    std::iter::once("argocd-infisical").chain(example.iter().map(String::as_str));
                match Program::try_parse_from(line) {
                    Ok(_) => {}
                    Err(error) => assert_eq!(error.kind(), ErrorKind::DisplayHelp, "{error}"),
                }
            }
        }
    }

    #[test]
    fn no_arguments_show_the_help() {
        let error = Program::try_parse_from(["argocd-infisical"])
            .err()
            .map(|error| error.kind());
        assert_eq!(
            error,
            Some(ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand)
        );
    }
}
