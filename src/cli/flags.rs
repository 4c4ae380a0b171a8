//! The flags of `kustomize build`, as its version 5.8 has them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{ArgAction, ValueEnum};
use kustomize::{LoadRestrictions, Options, Reorder, Threads};

use super::elsewhere::Elsewhere;
use super::usage;
use crate::external::{Allowed, Outside};
use crate::failure::Failure;

/// What is built, and where the output goes.
#[derive(clap::Args, Default)]
#[cfg_attr(test, derive(Debug, PartialEq))]
pub(super) struct Place {
    /// Build the kustomization in this directory
    #[arg(default_value = ".", value_name = "DIR")]
    pub(super) directory: PathBuf,

    /// Write to this file, or into this directory a file for each resource
    #[arg(short, long, value_name = "PATH")]
    output: Option<PathBuf>,
}

/// For whom a report is written.
#[derive(clap::Args)]
pub(super) struct FormatFlag {
    /// Report as `text` or `json`
    #[arg(
        short = 'o',
        long,
        visible_alias = "output",
        value_enum,
        value_name = "FORMAT",
        default_value_t,
        hide_possible_values = true
    )]
    pub(super) format: Format,
}

/// The form of a report.
#[derive(Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

/// How it is built: what `kustomize build` takes besides.
#[derive(clap::Args, Default)]
#[cfg_attr(test, derive(Debug, PartialEq))]
pub(super) struct Flags {
    /// Let kustomizations read files outside their directories with `LoadRestrictionsNone`
    #[arg(
        long,
        value_name = "RESTRICTION",
        default_value = "LoadRestrictionsRootOnly",
        hide_default_value = true
    )]
    load_restrictor: String,

    /// Order resources before output, `legacy` or `none` (deprecated: use `sortOptions`)
    #[arg(long, value_name = "ORDER")]
    reorder: Option<String>,

    /// Add the label `app.kubernetes.io/managed-by` (deprecated: use `buildMetadata`)
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", hide_default_value = true, action = ArgAction::Set, value_name = "BOOL", value_parser = switch)]
    enable_managedby_label: bool,

    #[command(flatten)]
    elsewhere: Elsewhere,

    /// Allow plugins (for compatibility; a kustomization with plugins of its own is refused)
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", hide_default_value = true, action = ArgAction::Set, value_name = "BOOL", value_parser = switch)]
    enable_alpha_plugins: bool,

    /// Allow programs as functions (for compatibility; a kustomization with functions is refused)
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", hide_default_value = true, action = ArgAction::Set, value_name = "BOOL", value_parser = switch)]
    enable_exec: bool,

    #[command(flatten)]
    refused: Refused,
}

/// Flags of kustomize that say how to run what is never run here. To take them and do nothing would be a lie.
#[derive(clap::Args, Default)]
#[cfg_attr(test, derive(Debug, PartialEq))]
#[expect(
    clippy::struct_excessive_bools,
    reason = "a command line is made of switches"
)]
struct Refused {
    /// Run functions as the current user (refused)
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", hide_default_value = true, action = ArgAction::Set, value_name = "BOOL", value_parser = switch)]
    as_current_user: bool,
    /// Run Starlark functions (refused)
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", hide_default_value = true, action = ArgAction::Set, value_name = "BOOL", value_parser = switch)]
    enable_star: bool,
    /// Set an environment variable of functions (refused)
    #[arg(short, long, hide = true)]
    env: Vec<String>,
    /// Mount a file for functions (refused)
    #[arg(long, hide = true)]
    mount: Vec<String>,
    /// Give functions the network (refused)
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", hide_default_value = true, action = ArgAction::Set, value_name = "BOOL", value_parser = switch)]
    network: bool,
    /// Name the network of functions (refused)
    #[arg(long, hide = true)]
    network_name: Option<String>,
    /// Print a stack trace (refused)
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", hide_default_value = true, action = ArgAction::Set, value_name = "BOOL", value_parser = switch)]
    stack_trace: bool,
}

impl Place {
    /// A directory, with its output on standard output.
    pub(super) fn at(directory: PathBuf) -> Self {
        Self {
            directory,
            output: None,
        }
    }

    /// Where the output goes, if not to standard output.
    // kustomize: an empty path counts as none.
    pub(super) fn output(&self) -> Option<&Path> {
        self.output
            .as_deref()
            .filter(|path| !path.as_os_str().is_empty())
    }
}

impl Flags {
    /// What clap makes of a command line without any of them.
    pub(super) fn none() -> Self {
        Self {
            load_restrictor: "LoadRestrictionsRootOnly".to_owned(),
            elsewhere: Elsewhere::none(),
            ..Self::default()
        }
    }

    /// The way to what lies elsewhere.
    pub(super) fn outside(&self) -> Arc<Outside> {
        Arc::new(Outside::new(self.allowed()))
    }

    /// What may be fetched and run.
    pub(super) fn allowed(&self) -> Allowed {
        self.elsewhere.allowed()
    }

    /// The engine's options, and warnings about flags.
    ///
    /// # Errors
    /// Where a value is not one of kustomize's, and where a flag cannot have its effect.
    pub(super) fn options(&self) -> Result<(Options, Vec<String>), Failure> {
        self.refused.check()?;
        let load_restrictions = match self.load_restrictor.as_str() {
            "LoadRestrictionsRootOnly" | "" => LoadRestrictions::RootOnly,
            "LoadRestrictionsNone" => LoadRestrictions::None,
            other => {
                let legal = "[LoadRestrictionsRootOnly LoadRestrictionsNone]";
                return Err(illegal_value("load-restrictor", other, legal));
            }
        };
        let reorder = match self.reorder.as_deref() {
            None => Reorder::Unspecified,
            Some("legacy") => Reorder::Legacy,
            Some("none") => Reorder::None,
            Some(other) => return Err(illegal_value("reorder", other, "[legacy none]")),
        };
        let mut warnings = Vec::new();
        if self.reorder.is_some() {
            warnings.push(
                "warning: `--reorder` is deprecated: use `sortOptions` in the kustomization"
                    .to_owned(),
            );
        }
        if self.enable_managedby_label {
            let instead = "use `managedByLabel` in `buildMetadata` of the kustomization";
            warnings.push(format!(
                "warning: `--enable-managedby-label` is deprecated: {instead}"
            ));
        }
        // kustomize: isManagedByLabelEnabled
        let by_environment =
            std::env::var_os("KUSTOMIZE_ENABLE_MANAGEDBY_LABEL").is_some_and(|value| value == "on");
        let managed_by_label = self.enable_managedby_label || by_environment;
        Ok((
            Options {
                load_restrictions,
                reorder,
                managed_by_label,
                threads: Threads::OfMachine,
                ..Options::default()
            },
            warnings,
        ))
    }
}

impl Refused {
    fn check(&self) -> Result<(), Failure> {
        const FUNCTIONS: &str = "functions in containers and programs are not run here";
        let Self {
            as_current_user,
            enable_star,
            env,
            mount,
            network,
            network_name,
            stack_trace,
        } = self;
        let given = [
            ("as-current-user", *as_current_user, FUNCTIONS),
            ("enable-star", *enable_star, FUNCTIONS),
            ("env", !env.is_empty(), FUNCTIONS),
            ("mount", !mount.is_empty(), FUNCTIONS),
            ("network", *network, FUNCTIONS),
            ("network-name", network_name.is_some(), FUNCTIONS),
            (
                "stack-trace",
                *stack_trace,
                "errors name their place and there are no stack traces",
            ),
        ];
        match given.into_iter().find(|(_, is_given, _)| *is_given) {
            None => Ok(()),
            Some((flag, _, why)) => Err(usage(
                format!("flag `--{flag}` is not supported: {why}"),
                "leave the flag out",
            )),
        }
    }
}

/// The value of a switch: kustomize takes `--switch=true` as well as `--switch`.
// Go: strconv.ParseBool
pub(super) fn switch(value: &str) -> Result<bool, String> {
    match value {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Ok(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Ok(false),
        _ => Err("the values are `true` and `false`".to_owned()),
    }
}

fn illegal_value(flag: &str, value: &str, legal: &str) -> Failure {
    Failure::usage(format!(
        "illegal flag value --{flag} {value}; legal values: {legal}"
    ))
}
