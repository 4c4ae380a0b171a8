//! A repository with settings, and the binary in it.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::workspace::{Run, Workspace};

/// What no message may hold: it stands in every object of the tests.
pub(crate) const VALUE: &str = "hunter2";

/// What a failing run may take: the 5 s in which objects are read, and what else the machine does.
const DEADLINE: Duration = Duration::from_secs(15);

const KUSTOMIZATION: &str = "resources:\n- settings.yaml\n- one.yaml\n";
const DECLARED: &str = "apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
  annotations:
    config.kubernetes.io/local-config: \"true\"
    argocd-infisical.io/declare: settings
data:
  A: a
  B: b
";

/// Two settings, with defaults, and an object that shows them.
pub(crate) struct Repository {
    workspace: Workspace,
}

impl Repository {
    pub(crate) fn new() -> Self {
        Self {
            workspace: Workspace::new(&[
                ("kustomization.yaml", KUSTOMIZATION),
                ("settings.yaml", DECLARED),
                ("one.yaml", &one("A", "B")),
            ]),
        }
    }

    /// Takes the default of `A`.
    pub(crate) fn without_default(self) -> Self {
        let declared = DECLARED.replace("A: a", "A: \"\"");
        self.workspace.write("settings.yaml", declared);
        self
    }

    /// Shows other expressions.
    pub(crate) fn showing(self, first: &str, second: &str) -> Self {
        self.workspace.write("one.yaml", one(first, second));
        self
    }

    /// Writes a file.
    pub(crate) fn write(&self, path: &str, text: &str) {
        self.workspace.write(path, text);
    }

    /// Renders as Application `lamp` of project `home`; must succeed with these values.
    #[track_caller]
    pub(crate) fn shows(&self, kubeconfig: &Path, objects: &[&str], values: [&str; 2]) {
        let Run {
            code,
            stdout,
            stderr,
        } = self.run(kubeconfig, objects, &[]);
        let [first, second] = values;
        let expected = format!(
            "apiVersion: v1\ndata:\n  a: {first}\n  b: {second}\nkind: ConfigMap\nmetadata:\n  annotations:\n    \
             argocd-infisical.io/template: \"true\"\n  name: one\n"
        );
        assert_eq!((code, stderr.as_str()), (0, ""));
        assert_eq!(stdout, expected);
    }

    /// Renders; must fail in time, with nothing on standard output and no value in what it says, which is returned.
    #[track_caller]
    pub(crate) fn fails(&self, kubeconfig: &Path, objects: &[&str]) -> String {
        self.fails_with(kubeconfig, objects, &[])
    }

    /// The same with more arguments.
    #[track_caller]
    pub(crate) fn fails_with(&self, kubeconfig: &Path, objects: &[&str], more: &[&str]) -> String {
        let start = Instant::now();
        let Run {
            code,
            stdout,
            stderr,
        } = self.run(kubeconfig, objects, more);
        assert!(start.elapsed() < DEADLINE, "{:?}", start.elapsed());
        assert_eq!((code, stdout.as_str()), (1, ""), "{stderr}");
        assert!(stderr.starts_with("error: "), "{stderr}");
        assert!(!stderr.contains(VALUE), "{stderr}");
        assert!(!stderr.contains("token-of-"), "{stderr}");
        stderr
    }

    fn run(&self, kubeconfig: &Path, objects: &[&str], more: &[&str]) -> Run {
        let kubeconfig = kubeconfig.to_str().unwrap();
        let mut arguments = vec![
            "render",
            "--application",
            "home/lamp",
            "--kubeconfig",
            kubeconfig,
        ];
        for object in objects {
            arguments.extend(["--from-cluster", object]);
        }
        arguments.extend(more);
        self.workspace.run(&arguments)
    }
}

fn one(first: &str, second: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: one\n  annotations:\n    argocd-infisical.io/template: \
         \"true\"\ndata:\n  a: ${{{{ settings.{first} }}}}\n  b: ${{{{ settings.{second} }}}}\n"
    )
}
