//! `controller`: what the flags mean.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::ValueEnum;
use jiff::Timestamp;
use serde_json::json;

use super::output::{Done, Parts};
use super::watch::say;
use super::{policy as policies, usage};
use crate::cluster::Access;
use crate::controller::{self, Clock, Config, Limits, LogFormat, Mode};
use crate::failure::{Failure, Problem, Warning};
use crate::settings::digest::DigestKey;
use crate::settings::object::is_subdomain;

/// Keep the revisions and the settings of Argo CD's Applications as environments and objects say
#[derive(clap::Args)]
#[command(after_help = "Examples:
  argocd-infisical controller --policy policy.yaml --digest-key /etc/argocd-infisical/digest/key
  argocd-infisical controller --policy policy.yaml --mode observe --kubeconfig ~/.kube/config")]
pub(super) struct Args {
    /// Take environments, namespaces and limits from this policy
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,

    /// Report only (`observe`), or write (`enforce`)
    #[arg(
        long,
        value_enum,
        value_name = "MODE",
        default_value = "enforce",
        hide_possible_values = true
    )]
    mode: ModeFlag,

    /// Watch over settings, with the key of digests in this file
    #[arg(long, value_name = "FILE")]
    digest_key: Option<PathBuf>,

    /// Serve /metrics, /healthz and /readyz at this address
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "0.0.0.0:8080")]
    listen: SocketAddr,

    /// Log as `text` or `json`
    #[arg(
        long,
        value_enum,
        value_name = "FORMAT",
        default_value = "text",
        hide_possible_values = true
    )]
    log_format: FormFlag,

    /// Reach the cluster of this kubeconfig; without it and `--context`, the one around the pod
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,

    /// Take this context of the kubeconfig, or of the usual one; without it, the current one
    #[arg(long, value_name = "NAME")]
    context: Option<String>,

    /// Take turns with other controllers by this lease in the controller's namespace
    #[arg(long, value_name = "NAME", default_value = "argocd-infisical")]
    lease_name: String,

    /// Hold the lease under this name, which no other controller may have; without it, under the name of the host
    #[arg(long, value_name = "NAME")]
    identity: Option<String>,

    /// Have at most so many Applications patched and not yet synced at a time; 0 is no limit
    #[arg(long, value_name = "NUMBER", default_value_t = 50)]
    in_flight: usize,

    /// Set so many revisions a second; 0 is no limit
    #[arg(long, value_name = "NUMBER", default_value_t = 10)]
    revisions_per_second: u32,

    /// Set so many digests a second; 0 is no limit
    #[arg(long, value_name = "NUMBER", default_value_t = 5)]
    digests_per_second: u32,
}

#[derive(Clone, Copy, ValueEnum)]
enum ModeFlag {
    /// Report only.
    Observe,
    /// Write.
    Enforce,
}

#[derive(Clone, Copy, ValueEnum)]
enum FormFlag {
    /// For people.
    Text,
    /// For programs.
    Json,
}

impl FormFlag {
    /// Warns before the log begins.
    fn say(self, problem: Problem) {
        match self {
            Self::Text => say(&[Warning(problem).text()]),
            Self::Json => {
                let (timestamp, level) = (Timestamp::now().to_string(), "WARN");
                let message = problem.message.clone();
                let line = json!({"timestamp": timestamp, "level": level, "message": message, "hint": problem.hint});
                say(&[format!("{line}\n")]);
            }
        }
    }
}

impl Args {
    pub(super) fn run(self) -> Result<Done, Failure> {
        controller::run(self.config()?)?;
        Ok(Done {
            warnings: Vec::new(),
            stdout: Parts::default(),
            is_well: true,
        })
    }

    fn config(self) -> Result<Config, Failure> {
        let Self {
            policy,
            mode,
            digest_key,
            listen,
            log_format,
            kubeconfig,
            context,
            lease_name,
            identity,
            in_flight,
            revisions_per_second,
            digests_per_second,
        } = self;
        let digest_key = digest_key.map(|file| DigestKey::read(&file)).transpose()?;
        let hint = "it is lower-case letters, digits, `-` and `.`";
        if !is_subdomain(&lease_name) {
            let message = format!("a lease cannot be called `{lease_name}`");
            return Err(usage(message, hint));
        }
        let identity = identity.unwrap_or_else(host);
        if identity.is_empty()
            || identity.contains(|letter: char| letter.is_whitespace() || letter.is_control())
        {
            let message = format!("a controller cannot be called {identity:?}");
            let hint = "name it with `--identity` as no other one is, without white space";
            return Err(usage(message, hint));
        }
        let file = policy;
        let policy = policies::named(file.as_deref())?;
        if let Some(problem) = policies::unprotected(&policy, file.as_deref()) {
            log_format.say(problem);
        }
        Ok(Config {
            access: Access::of_program(kubeconfig, context),
            policy,
            mode: match mode {
                ModeFlag::Observe => Mode::Observe,
                ModeFlag::Enforce => Mode::Enforce,
            },
            digest_key,
            listen,
            log: match log_format {
                FormFlag::Text => LogFormat::Text,
                FormFlag::Json => LogFormat::Json,
            },
            lease: lease_name,
            identity,
            limits: Limits {
                in_flight,
                revisions_per_second,
                digests_per_second,
            },
            clock: Clock::default(),
        })
    }
}

/// What this host is called; a pod's host is called as the pod is.
fn host() -> String {
    rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn config(flags: &[&str]) -> Config {
        let line = Line::try_parse_from(["controller"].iter().chain(flags)).unwrap();
        line.args.config().unwrap()
    }

    #[test]
    fn without_flags_it_is_the_pods_and_has_limits() {
        let config = config(&[]);
        assert_eq!(config.access, Access::Pod);
        assert_eq!((config.mode, config.log), (Mode::Enforce, LogFormat::Text));
        assert_eq!(config.lease, "argocd-infisical");
        let Limits {
            in_flight,
            revisions_per_second,
            digests_per_second,
        } = config.limits;
        let limits = (in_flight, revisions_per_second, digests_per_second);
        assert_eq!(limits, (50, 10, 5));
    }

    #[test]
    fn every_flag_means_something() {
        let config = config(&[
            "--context=c",
            "--mode=observe",
            "--log-format=json",
            "--lease-name=l",
            "--identity=i",
            "--in-flight=1",
            "--revisions-per-second=2",
            "--digests-per-second=0",
        ]);
        let context = Some("c".to_owned());
        let file = None;
        assert_eq!(config.access, Access::Kubeconfig { file, context });
        assert_eq!((config.mode, config.log), (Mode::Observe, LogFormat::Json));
        assert_eq!((&*config.lease, &*config.identity), ("l", "i"));
        let Limits {
            in_flight,
            revisions_per_second,
            digests_per_second,
        } = config.limits;
        let limits = (in_flight, revisions_per_second, digests_per_second);
        assert_eq!(limits, (1, 2, 0));
    }
}
