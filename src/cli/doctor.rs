//! `doctor`: what is wrong with an installation, and what cures it.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use goyaml::Value;
use jiff::Timestamp;

use super::flags::Format;
use super::json::{array, count, document, filled, object, some, string};
use super::output::Done;
use crate::cluster::{Access, Cluster};
use crate::doctor::{Finding, Severity, examine};
use crate::failure::{Failure, printable, printable_name};
use crate::progress::Progress;

/// What all requests together may take.
const LIMIT: Duration = Duration::from_mins(1);

/// Find what is wrong with an installation in a cluster, with the YAML that cures it
///
/// It reads the sidecar, the controller, Roles, Applications, settings, and what the Infisical operator and Reloader do, and writes
/// nothing. No value of a setting or Secret is shown. What may not be read is an error of its own.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  argocd-infisical doctor
  argocd-infisical doctor --context staging -o json | jq '.findings[].code'")]
pub(super) struct Args {
    /// The kubeconfig of the cluster
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,

    /// The context of the kubeconfig
    #[arg(long, value_name = "NAME")]
    context: Option<String>,

    /// Argo CD's namespace
    #[arg(long, value_name = "NAME", default_value = "argocd")]
    argocd_namespace: String,

    /// The controller's namespace
    #[arg(long, value_name = "NAME", default_value = "argocd-infisical")]
    controller_namespace: String,

    /// Report as `text` or `json`
    #[arg(
        short,
        long,
        visible_alias = "format",
        value_enum,
        value_name = "FORMAT",
        default_value_t,
        hide_possible_values = true
    )]
    output: Format,
}

impl Args {
    pub(super) fn run(self) -> Result<Done, Failure> {
        let Self {
            kubeconfig,
            context,
            argocd_namespace,
            controller_namespace,
            output,
        } = self;
        let _progress = Progress::start("looking at the installation");
        let cluster = Cluster::new(&Access::of_person(kubeconfig, context))?;
        let namespaces = (argocd_namespace.as_str(), controller_namespace.as_str());
        let seen = cluster.installation(namespaces, Timestamp::now(), LIMIT)?;
        let findings = examine(&seen);
        Ok(Done {
            warnings: Vec::new(),
            stdout: match output {
                Format::Text => text(&findings).into(),
                Format::Json => json(&findings).into(),
            },
            is_well: of(&findings, Severity::Error) == 0,
        })
    }
}

fn of(findings: &[Finding], severity: Severity) -> usize {
    findings
        .iter()
        .filter(|finding| finding.severity == severity)
        .count()
}

fn text(findings: &[Finding]) -> String {
    let mut text = String::new();
    let mut group = None;
    for Finding {
        severity,
        code,
        what,
        message,
        cure,
    } in findings
    {
        if group != Some(*severity) {
            group = Some(*severity);
            let _ = writeln!(text, "{}\n", counted(findings, *severity));
        }
        let _ = writeln!(text, "{} [{}]", printable_name(what), code.as_str());
        let _ = writeln!(text, "  {}", printable_name(message));
        for line in printable(cure).lines() {
            let _ = writeln!(text, "{}", format!("    {line}").trim_end());
        }
        text.push('\n');
    }
    let severities = [Severity::Error, Severity::Warning, Severity::Note];
    let counts = severities.map(|severity| counted(findings, severity));
    let _ = writeln!(text, "{}", counts.join(", "));
    text
}

fn counted(findings: &[Finding], severity: Severity) -> String {
    match of(findings, severity) {
        1 => format!("1 {}", severity.as_str()),
        count => format!("{count} {}s", severity.as_str()),
    }
}

fn json(findings: &[Finding]) -> String {
    document(&object([
        ("findings", array(findings.iter().map(entry))),
        ("errors", count(of(findings, Severity::Error))),
        ("warnings", count(of(findings, Severity::Warning))),
        ("notes", count(of(findings, Severity::Note))),
    ]))
}

fn entry(finding: &Finding) -> Value {
    let Finding {
        severity,
        code,
        what,
        message,
        cure,
    } = finding;
    some([
        ("severity", Some(string(severity.as_str()))),
        ("code", Some(string(code.as_str()))),
        ("what", Some(string(what.as_str()))),
        ("message", Some(string(message.as_str()))),
        ("cure", filled(cure)),
    ])
}
