//! What one call of the plugin is about: who asks, for which commit, with which parameters.

use std::ffi::OsString;
use std::path::Path;

use super::parameters::Parameters;
use super::source_override;
use crate::failure::{Failure, Problem};
use crate::settings::consent::Caller;
use crate::settings::policy::Policy;

/// A call of the plugin to render an Application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The project of the Application; `None` where Argo CD does not tell it, which it does since 3.0.
    pub project: Option<String>,
    /// The Application, with its namespace and `_` in front outside Argo CD's namespace.
    pub application: String,
    /// The commit or digest that is rendered.
    pub revision: String,
    /// What the Application says to the plugin.
    pub parameters: Parameters,
    /// The digest of its settings that the controller has written for it, if any.
    pub digest: Option<String>,
}

/// A name in the place of a project that is not told, to check the name of the Application with.
const UNTOLD: &str = "untold";

impl Request {
    /// Who asks, in a project.
    pub fn caller(&self, project: &str) -> Caller {
        Caller {
            project: project.to_owned(),
            application: self.application.clone(),
        }
    }

    /// Reads a call from the environment that Argo CD's cmp-server makes, and from the directory of the Application.
    ///
    /// Of what an author of the Application can put into the environment, `ARGOCD_APP_PARAMETERS` and the digest are
    /// read, and nothing else: not `ARGOCD_ENV_…`, not `PARAM_…`. The variables that a parameter may name are Argo CD's.
    ///
    /// # Errors
    /// Everything that is wrong with it. Settings are refused for a revision that is no full commit SHA or digest: files
    /// that somebody uploads (`argocd app diff --local --server-side-generate`) come with the Application's identity and
    /// the revision `streamed`.
    pub fn read(
        variable: impl Fn(&str) -> Option<OsString>,
        directory: &Path,
        policy: &Policy,
    ) -> Result<Self, Failure> {
        let mut problems = Vec::new();
        let mut text = |name: &str| {
            let text = variable(name).map(OsString::into_string).transpose();
            text.unwrap_or_else(|_| {
                problems.push(Problem::new(format!("{name} is not UTF-8 text")));
                None
            })
        };
        let (project, application) = (text("ARGOCD_APP_PROJECT_NAME"), text("ARGOCD_APP_NAME"));
        let revision = text("ARGOCD_APP_REVISION").unwrap_or_default();
        let (parameters, digest) = (
            text("ARGOCD_APP_PARAMETERS"),
            text("ARGOCD_ENV_SETTINGS_DIGEST"),
        );
        match &application {
            Some(application) => {
                let project = project.as_deref().unwrap_or(UNTOLD);
                if let Err(wrong) = Caller::new(project, application) {
                    problems.push(nobody(&format!("the environment {wrong}")));
                }
            }
            None => problems.push(nobody("ARGOCD_APP_NAME is not set")),
        }
        let value_of = |name: &str| variable(name)?.into_string().ok();
        let parameters = Parameters::read(parameters.as_deref(), policy, &value_of)
            .map_err(|wrong| problems.extend(wrong))
            .unwrap_or_default();
        if let Err(wrong) = source_override::check(directory) {
            problems.extend(wrong);
        }
        if !parameters.settings.is_empty() && !is_pinned(&revision) {
            let message = "settings are only for a commit: ARGOCD_APP_REVISION is no full commit SHA or digest";
            let hint = "push what you want to see; to try files of your own, use `argocd-infisical render` with your own settings";
            problems.push(Problem::new(message).hint(hint));
        }
        match application {
            Some(application) if problems.is_empty() => Ok(Self {
                project,
                application,
                revision,
                parameters,
                digest: digest.filter(|digest| !digest.is_empty()),
            }),
            _ => Err(Failure::several(problems)),
        }
    }
}

fn nobody(message: &str) -> Problem {
    Problem::new(message).hint("this command is for Argo CD's cmp-server, which sets the name and the project of the Application; elsewhere use `render`")
}

/// Whether a revision is the full name of a commit, or of an image by its content.
fn is_pinned(revision: &str) -> bool {
    let is_hexadecimal = |text: &str, lengths: &[usize]| {
        lengths.contains(&text.len())
            && text
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    match revision.strip_prefix("sha256:") {
        Some(digest) => is_hexadecimal(digest, &[64]),
        None => is_hexadecimal(revision, &[40, 64]),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
    const PARAMETERS: &str = r#"[{"name":"settings","array":["home/a"]}]"#;

    fn read(changes: &[(&str, Option<&str>)]) -> Result<Request, String> {
        let directory = tempfile::tempdir().unwrap();
        read_in(directory.path(), changes)
    }

    fn read_in(directory: &Path, changes: &[(&str, Option<&str>)]) -> Result<Request, String> {
        let usual = [
            ("ARGOCD_APP_NAME", "lamp"),
            ("ARGOCD_APP_PROJECT_NAME", "home"),
            ("ARGOCD_APP_REVISION", COMMIT),
            ("ARGOCD_APP_PARAMETERS", PARAMETERS),
        ];
        let variable = |name: &str| {
            let other = changes.iter().find(|(other, _)| *other == name);
            let usual = usual.iter().find(|(other, _)| *other == name);
            let value = match other {
                Some((_, value)) => *value,
                None => usual.map(|(_, value)| *value),
            };
            value.map(OsString::from)
        };
        Request::read(variable, directory, &Policy::default())
            .map_err(|failure| failure.to_string())
    }

    #[test]
    fn a_usual_call() {
        let request = read(&[("ARGOCD_ENV_SETTINGS_DIGEST", Some("v1.x.0"))]).unwrap();
        assert_eq!(request.project.as_deref(), Some("home"));
        assert_eq!(request.caller("home"), "home/lamp".parse().unwrap());
        assert_eq!(request.parameters.settings.len(), 1);
        assert_eq!(request.digest.as_deref(), Some("v1.x.0"));
        assert_eq!(read(&[]).unwrap().digest, None);
        for none in [None, Some("null"), Some("[]")] {
            let request = read(&[("ARGOCD_APP_PARAMETERS", none)]).unwrap();
            assert!(request.parameters.settings.is_empty());
        }
    }

    #[test]
    fn nothing_else_in_the_environment_counts() {
        let usual = read(&[]).unwrap();
        let others = [
            ("ARGOCD_ENV_ARGOCD_APP_NAME", Some("other")),
            ("ARGOCD_ENV_ARGOCD_APP_PARAMETERS", Some("[]")),
            ("ARGOCD_ENV_POLICY", Some("/none")),
            ("ARGOCD_APP_NAMESPACE", Some("kube-system")),
            ("PARAM_SETTINGS_0", Some("secret:kube-system/a")),
            ("ARGOCD_APP_SOURCE_TARGET_REVISION", Some("prod")),
        ];
        assert_eq!(read(&others).unwrap(), usual);
    }

    #[test]
    fn settings_are_for_commits_only() {
        for revision in [
            None,
            Some(""),
            Some("streamed"),
            Some("main"),
            Some("HEAD"),
            Some("0123456"),
            Some("v1.2.3"),
            Some("0123456789ABCDEF0123456789ABCDEF01234567"),
            Some("0123456789abcdef0123456789abcdef0123456g"),
            Some("sha256:0123456789abcdef0123456789abcdef01234567"),
            Some(" 0123456789abcdef0123456789abcdef01234567"),
        ] {
            let told = read(&[("ARGOCD_APP_REVISION", revision)])
                .err()
                .unwrap_or_default();
            assert!(
                told.contains("is no full commit SHA"),
                "{revision:?}: {told}"
            );
            // Without settings there is nothing to see.
            let without = [
                ("ARGOCD_APP_REVISION", revision),
                ("ARGOCD_APP_PARAMETERS", None),
            ];
            assert!(read(&without).is_ok());
        }
        let digest = format!("sha256:{}", "a".repeat(64));
        assert!(read(&[("ARGOCD_APP_REVISION", Some(&digest))]).is_ok());
    }

    #[test]
    fn names_of_applications() {
        let caller = |name: &str| read(&[("ARGOCD_APP_NAME", Some(name))]);
        assert_eq!(caller("tenant_lamp").unwrap().application, "tenant_lamp");
        for name in [
            "",
            "tenant_lamp_x",
            "_lamp",
            "tenant/lamp",
            "*",
            "lamp,work/x",
            "lamp\n",
            "LAMP",
        ] {
            assert!(caller(name).is_err(), "{name:?}");
        }
        // Argo CD 2 does not tell it.
        let untold = read(&[("ARGOCD_APP_PROJECT_NAME", None)]).unwrap();
        assert_eq!(untold.project, None);
        for project in [Some(""), Some("*"), Some("home/x"), Some("a,b")] {
            assert!(
                read(&[("ARGOCD_APP_PROJECT_NAME", project)]).is_err(),
                "{project:?}"
            );
        }
        let told = read(&[("ARGOCD_APP_NAME", None)]).err().unwrap_or_default();
        assert!(
            told.contains("ARGOCD_APP_NAME is not set") && told.contains("hint: "),
            "{told}"
        );
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join(".argocd-source.yaml"), "plugin: {}\n").unwrap();
        let changes = [
            ("ARGOCD_APP_REVISION", Some("streamed")),
            ("ARGOCD_APP_NAME", Some("*")),
        ];
        let told = read_in(directory.path(), &changes)
            .err()
            .unwrap_or_default();
        assert_eq!(told.matches("error: ").count(), 3, "{told}");
    }
}
