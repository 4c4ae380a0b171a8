//! What a person tells the controller: that an override is gone on purpose, that a change is meant, to stop and to go on.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use goyaml::Value;
use jiff::{SignedDuration, Timestamp};

use super::source::ClusterFlags;
use crate::cli::json::{object, string};
use crate::cli::output::Done;
use crate::cli::policy;
use crate::cluster::{Control, Released};
use crate::failure::{Failure, Problem, printable};
use crate::settings::object::{is_label, is_subdomain};
use crate::steer::application::Name;
use crate::steer::policy::{APPLICATION, ENVIRONMENT, Policy};
use crate::steer::state::Controls;

/// How long all questions of one command may take together.
const LIMIT: Duration = Duration::from_secs(30);
/// The digits of a hash.
const DIGITS: usize = 16;
/// How long a label's value may be.
const LABEL: usize = 63;

/// Where the controller is.
#[derive(clap::Args)]
struct Controller {
    /// The policy of the controller, for its namespace
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,

    #[command(flatten)]
    cluster: ClusterFlags,
}

/// Say that the override of an Application is gone on purpose, so that the default applies
#[derive(clap::Args)]
#[command(after_help = "Examples:
  argocd-infisical revisions release argocd/lamp-dev")]
pub(super) struct Release {
    /// The Application
    #[arg(value_name = "NAMESPACE/NAME")]
    application: Named,

    #[command(flatten)]
    controller: Controller,
}

/// Let a change happen that the breaker of an environment stopped
#[derive(clap::Args)]
#[command(after_help = "Examples:
  argocd-infisical revisions acknowledge 0123456789abcdef --minutes 30")]
pub(super) struct Acknowledge {
    /// The hash that the controller reports
    #[arg(value_name = "HASH")]
    hash: Hash,

    /// For how many minutes the acknowledgement is valid
    #[arg(long, value_name = "NUMBER", default_value_t = 60, value_parser = clap::value_parser!(u16).range(1..))]
    minutes: u16,

    #[command(flatten)]
    controller: Controller,
}

/// Stop the controller from writing anything
#[derive(clap::Args)]
#[command(after_help = "Examples:
  argocd-infisical revisions pause")]
pub(super) struct Pause {
    #[command(flatten)]
    controller: Controller,
}

/// Let the controller write again
#[derive(clap::Args)]
#[command(after_help = "Examples:
  argocd-infisical revisions resume --policy policy.yaml")]
pub(super) struct Resume {
    #[command(flatten)]
    controller: Controller,
}

/// An Application, as it is typed.
#[derive(Clone)]
struct Named(Name);

impl FromStr for Named {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (namespace, name) = text
            .split_once('/')
            .ok_or("has no `/` between a namespace and a name")?;
        if !is_label(namespace) || !is_subdomain(name) {
            return Err("names no Application");
        }
        Ok(Self(Name::new(namespace, name)))
    }
}

/// A hash of a change.
#[derive(Clone)]
struct Hash(String);

impl FromStr for Hash {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if text.len() != DIGITS || !text.bytes().all(is_digit) {
            return Err("is no such hash: one has 16 hexadecimal digits");
        }
        Ok(Self(text.to_owned()))
    }
}

impl Controller {
    fn policy(&self) -> Result<Policy, Failure> {
        policy::named(self.policy.as_deref())
    }

    fn tell(&self, what: impl Fn(&Controls) -> Control, done: &str) -> Result<Done, Failure> {
        let namespace = self.policy()?.own_namespace;
        self.cluster.connect()?.tell(&namespace, what, LIMIT)?;
        Ok(said(done))
    }
}

impl Acknowledge {
    pub(super) fn run(self) -> Result<Done, Failure> {
        let now = Timestamp::now();
        let until = now + SignedDuration::from_mins(self.minutes.into());
        let until = Timestamp::from_second(until.as_second()).unwrap_or(until);
        let what = |controls: &Controls| Control {
            key: Controls::ACKNOWLEDGED,
            text: controls.acknowledging(&self.hash.0, until, now),
        };
        let done = format!("acknowledged until {until}");
        self.controller.tell(what, &done)
    }
}

impl Pause {
    pub(super) fn run(self) -> Result<Done, Failure> {
        self.controller.tell(|_| pause("true"), "paused")
    }
}

impl Resume {
    pub(super) fn run(self) -> Result<Done, Failure> {
        self.controller.tell(|_| pause("false"), "resumed")
    }
}

fn pause(text: &str) -> Control {
    Control {
        key: Controls::PAUSE,
        text: text.to_owned(),
    }
}

impl Release {
    pub(super) fn run(self) -> Result<Done, Failure> {
        let policy = self.controller.policy()?;
        let name = self.application.0;
        let cluster = self.controller.cluster.connect()?;
        match cluster.release(&name, &policy, LIMIT)? {
            Released::Recorded { environment } => Ok(said(&format!(
                "{name} is released: it gets the default of {environment}"
            ))),
            Released::Nothing { environment } => Ok(said(&format!(
                "{name} has no override that is remembered: it gets the default of {environment}"
            ))),
            Released::ByObject { environment, owner } => {
                let manifest = released(&name, &environment, &policy)?;
                let note = format!(
                    "note: {owner} puts annotations back: create this object, which releases {name} while it is there"
                );
                Ok(Done {
                    warnings: vec![note],
                    stdout: manifest.into(),
                    is_well: true,
                })
            }
        }
    }
}

/// An object without the key, for one Application: it says that there is no override.
fn released(name: &Name, environment: &str, policy: &Policy) -> Result<String, Failure> {
    let instance = name.instance(&policy.argocd_namespace);
    if instance.len() > LABEL {
        let message = format!("`{name}` is too long a name for the label `{APPLICATION}`");
        return Err(Problem::new(message)
            .hint("let its owner leave the annotation `argocd-infisical.io/state` alone")
            .into_failure());
    }
    let own = &policy.own_namespace;
    let mut believed = policy.override_namespaces.iter();
    let namespace = believed.find(|namespace| *namespace == own);
    let namespace = namespace
        .or(policy.override_namespaces.first())
        .unwrap_or(own);
    let labels = object([
        (APPLICATION, string(instance)),
        (ENVIRONMENT, string(environment)),
    ]);
    let metadata = object([
        ("labels", labels),
        (
            "name",
            string(format!("released.{}.{}", name.namespace, name.name)),
        ),
        ("namespace", string(namespace.as_str())),
    ]);
    let map: Value = object([
        ("apiVersion", string("v1")),
        ("kind", string("ConfigMap")),
        ("metadata", metadata),
    ]);
    goyaml::emit(&map).map_err(|error| Failure::internal(error.message))
}

fn said(text: &str) -> Done {
    Done {
        warnings: Vec::new(),
        stdout: format!("{}\n", printable(text)).into(),
        is_well: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_without_the_key_speaks_of_one_application() {
        let mut policy = Policy::default();
        let expected = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  labels:\n    argocd-infisical.io/application: tenant_lamp\n    \
                        argocd-infisical.io/environment: dev\n  name: released.tenant.lamp\n  namespace: argocd-infisical\n";
        let name = Name::new("tenant", "lamp");
        assert_eq!(released(&name, "dev", &policy).unwrap(), expected);
        // It lies where it is believed.
        policy.override_namespaces = ["platform".to_owned()].into();
        let map = released(&Name::new("argocd", "lamp"), "dev", &policy).unwrap();
        assert!(
            map.contains("application: lamp\n") && map.ends_with("namespace: platform\n"),
            "{map}"
        );
        let long = Name::new("argocd", "a".repeat(64));
        assert!(released(&long, "dev", &policy).is_err());
    }

    #[test]
    fn a_hash_is_typed_as_it_is_reported() {
        assert!("0123456789abcdef".parse::<Hash>().is_ok());
        for text in [
            "",
            "0123456789ABCDEF",
            "0123456789abcde",
            "0123456789abcdef0",
            "0123456789abcde,",
        ] {
            assert!(text.parse::<Hash>().is_err(), "{text}");
        }
    }
}
