//! `completions`: what a shell needs to complete this program's command line.

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::Cli;
use super::output::Done;
use crate::failure::Failure;

/// Print what a shell needs to complete commands and flags
#[derive(clap::Args)]
#[command(after_help = "Examples:
  argocd-infisical completions bash > /etc/bash_completion.d/argocd-infisical
  argocd-infisical completions zsh > ~/.zfunc/_argocd-infisical
  argocd-infisical completions fish > ~/.config/fish/completions/argocd-infisical.fish")]
pub(super) struct Args {
    /// Complete in this shell
    #[arg(value_enum, value_name = "SHELL")]
    shell: Shell,
}

impl Args {
    pub(super) fn run(self) -> Result<Done, Failure> {
        let mut command = Cli::<super::Command>::command();
        let name = command.get_name().to_owned();
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command, name, &mut script);
        let stdout = String::from_utf8(script)
            .map_err(|_| Failure::internal("the completions are not UTF-8"))?;
        Ok(Done {
            warnings: Vec::new(),
            stdout: stdout.into(),
            is_well: true,
        })
    }
}
