//! How to reach a cluster: from inside a pod, or with a kubeconfig.

use std::env;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kube::Config;
use kube::config::{InClusterError, KubeConfigOptions, Kubeconfig, KubeconfigError, LoadDataError};

use crate::failure::{Failure, Problem};
use crate::files;

/// How long to wait for a connection.
const CONNECT: Duration = Duration::from_secs(3);

/// Which cluster, and as whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// The cluster that this process runs in, as the service account of its pod.
    Pod,
    /// A cluster of a kubeconfig.
    Kubeconfig {
        /// The file; `None` is what `KUBECONFIG` names, or `~/.kube/config`.
        file: Option<PathBuf>,
        /// The context; `None` is the current one.
        context: Option<String>,
    },
}

impl Access {
    /// What a program means that runs by itself: the pod around it, unless a kubeconfig or a context is named. What happens
    /// to be in the environment or in a home directory names nothing.
    pub fn of_program(file: Option<PathBuf>, context: Option<String>) -> Self {
        if file.is_none() && context.is_none() {
            Self::Pod
        } else {
            Self::Kubeconfig { file, context }
        }
    }

    /// What a person at a terminal means: the kubeconfig that is named, or the one that `kubectl` takes, or, where there
    /// is none, the cluster around this process.
    pub fn of_person(file: Option<PathBuf>, context: Option<String>) -> Self {
        let is_in_pod = env::var_os("KUBERNETES_SERVICE_HOST").is_some();
        let is_named = file.is_some() || context.is_some() || env::var_os("KUBECONFIG").is_some();
        let usual = || env::home_dir().is_some_and(|home| home.join(".kube/config").exists());
        if is_in_pod && !is_named && !usual() {
            Self::Pod
        } else {
            Self::Kubeconfig { file, context }
        }
    }

    /// What a client needs to know.
    ///
    /// # Errors
    /// Where there is no such cluster, or what describes it cannot be read. No message quotes a kubeconfig.
    pub(super) async fn config(&self) -> Result<Config, Failure> {
        let mut config = match self {
            Self::Pod => Config::incluster().map_err(|error| no_pod(&error))?,
            Self::Kubeconfig { file, context } => {
                let options = KubeConfigOptions {
                    context: context.clone(),
                    ..KubeConfigOptions::default()
                };
                let config = match file {
                    Some(file) => Config::from_custom_kubeconfig(read(file)?, &options).await,
                    None => Config::from_kubeconfig(&options).await,
                };
                config.map_err(|error| no_kubeconfig(&error, file.as_deref()))?
            }
        };
        config.connect_timeout = Some(CONNECT);
        // What is worth another try is decided where the time is known that is left.
        config.default_retry = false;
        Ok(config)
    }
}

fn read(file: &Path) -> Result<Kubeconfig, Failure> {
    // The library's own words would name another file where this one is missing.
    if let Err(error) = std::fs::File::open(file) {
        let message = format!("cannot read the kubeconfig: {}", files::plain(&error));
        return Err(Problem::new(message)
            .at(file.display().to_string(), 0)
            .into_failure());
    }
    Kubeconfig::read_from(file).map_err(|error| no_kubeconfig(&error, Some(file)))
}

fn no_pod(error: &InClusterError) -> Failure {
    let (message, hint) = match error {
        InClusterError::ReadEnvironmentVariable(_) => (
            "this process does not run in a pod of a cluster: KUBERNETES_SERVICE_HOST or KUBERNETES_SERVICE_PORT is not set",
            "run it in a pod, or name a kubeconfig with `--kubeconfig`",
        ),
        InClusterError::ReadDefaultNamespace(_) | InClusterError::ReadCertificateBundle(_) => (
            "the pod has no token to reach the API server with: files below /var/run/secrets/kubernetes.io/serviceaccount are missing or cannot be read",
            "mount a projected token there, with the certificate of the API server and the namespace",
        ),
        InClusterError::ParseClusterPort(_) | InClusterError::ParseClusterUrl(_) => (
            "KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are no address",
            "Kubernetes sets them; remove what overrides them",
        ),
        InClusterError::ParseCertificates(_) => (
            "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt is no certificate",
            "mount the ConfigMap `kube-root-ca.crt` there",
        ),
    };
    Problem::new(message).hint(hint).into_failure()
}

/// What is wrong with a kubeconfig. What the library says may quote one, and there are credentials in it.
fn no_kubeconfig(error: &KubeconfigError, file: Option<&Path>) -> Failure {
    let unreadable = |error: &std::io::Error, path: &Path| {
        format!("cannot read `{}`: {}", path.display(), files::plain(error))
    };
    let credential = |what: &str, error: &LoadDataError| match error {
        LoadDataError::ReadFile(error, path) => {
            format!("{what} of the kubeconfig: {}", unreadable(error, path))
        }
        LoadDataError::DecodeBase64(_) => format!("{what} of the kubeconfig is not base64"),
        LoadDataError::NoBase64DataOrFile => format!("the kubeconfig has no {what}"),
    };
    let mut line = 0;
    let message = match error {
        KubeconfigError::CurrentContextNotSet => "the kubeconfig names no current context".into(),
        KubeconfigError::LoadContext(name) => format!("the kubeconfig has no context `{name}`"),
        KubeconfigError::LoadClusterOfContext(name) => {
            format!("the kubeconfig has no cluster `{name}`")
        }
        KubeconfigError::FindPath => "there is no kubeconfig".into(),
        KubeconfigError::ReadConfig(error, path) => unreadable(error, path),
        KubeconfigError::Parse(error) => {
            let place = error.location().map_or(0, |location| location.line());
            line = u32::try_from(place).unwrap_or_default();
            "the kubeconfig is not valid".into()
        }
        KubeconfigError::KindMismatch | KubeconfigError::ApiVersionMismatch => {
            "the files of KUBECONFIG are of several kinds".into()
        }
        KubeconfigError::MissingClusterUrl => {
            "the cluster of the kubeconfig has no `server`".into()
        }
        KubeconfigError::ParseClusterUrl(_) => {
            "the `server` of the kubeconfig's cluster is no address".into()
        }
        KubeconfigError::ParseProxyUrl(_) => {
            "the `proxy-url` of the kubeconfig's cluster is no address".into()
        }
        KubeconfigError::LoadCertificateAuthority(error) => {
            credential("certificate authority", error)
        }
        KubeconfigError::LoadClientCertificate(error) => credential("client certificate", error),
        KubeconfigError::LoadClientKey(error) => credential("client key", error),
        KubeconfigError::ParseCertificates(_) => {
            "the certificate authority of the kubeconfig is no certificate".into()
        }
    };
    let mut problem = Problem::new(message)
        .hint("name a kubeconfig with `--kubeconfig` or KUBECONFIG, and one of its contexts with `--context`");
    if let Some(file) = file {
        problem = problem.at(file.display().to_string(), line);
    }
    problem.into_failure()
}
