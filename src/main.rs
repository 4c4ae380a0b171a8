//! The `argocd-infisical` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    argocd_infisical::cli::main()
}
