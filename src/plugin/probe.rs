//! Whether the sidecar can do what it is for: cmp-server answers, and this program renders.

use std::env;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use kustomize::{MemoryFiles, Options, build_with};

use self::health::Trouble;
use crate::failure::Problem;
use crate::files::plain;
use crate::inject::Injector;
use crate::settings::Settings;

mod health;

/// Asks cmp-server whether it is well, as Kubernetes' own probes ask: Kubernetes cannot reach a Unix socket itself.
///
/// # Errors
/// Where it does not say so within a time.
pub fn server(socket: &Path, limit: Duration) -> Result<(), Problem> {
    health::check(socket, limit).map_err(|trouble| {
        let (message, hint) = told(&trouble, limit);
        Problem::new(message)
            .at(socket.display().to_string(), 0)
            .hint(hint)
    })
}

fn told(trouble: &Trouble, limit: Duration) -> (String, &'static str) {
    match trouble {
        Trouble::NoSocket => (
            "cmp-server has no socket here".into(),
            "wait until it has started; then look whether the volume of the plugins is mounted here, and whether plugin.yaml has the name of the socket without a version",
        ),
        Trouble::Unheard => (
            "nobody listens on the socket".into(),
            "cmp-server has ended; its container's log says why",
        ),
        Trouble::Forbidden => (
            "this process may not connect to the socket".into(),
            "run it as the user of cmp-server, 999 for Argo CD",
        ),
        Trouble::Unreachable(error) => (
            format!("cannot connect to the socket: {}", plain(error)),
            "name the socket of cmp-server with `--socket`",
        ),
        Trouble::Silent => (
            format!(
                "cmp-server does not answer within {} seconds",
                limit.as_secs()
            ),
            "it hangs or gets no CPU: look at its container's log and at the limits of its resources",
        ),
        Trouble::NoGrpc => (
            "what listens on the socket does not speak gRPC".into(),
            "name the socket of cmp-server with `--socket`",
        ),
        Trouble::Refused(code) => (
            format!("the server refuses to say whether it is well (gRPC status {code})"),
            "name the socket of cmp-server with `--socket`; Argo CD's has a health service since 2.4",
        ),
        Trouble::Unwell(status) => (
            format!("cmp-server says that it does not serve (health status {status})"),
            "its container's log says why",
        ),
    }
}

const KUSTOMIZATION: &str = "namePrefix: a-\nresources: [settings.yaml, one.yaml]\n";
const DECLARATION: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\n  annotations:\n    \
                           config.kubernetes.io/local-config: \"true\"\n    argocd-infisical.io/declare: settings\ndata: {KEY: \"1\"}\n";
const RESOURCE: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: one\n  annotations: {argocd-infisical.io/template: \"true\"}\n\
                        data: {key: \"${{ settings.KEY }}\"}\n";
const EXPECTED: &str = "apiVersion: v1\ndata:\n  key: \"1\"\nkind: ConfigMap\nmetadata:\n  annotations:\n    \
                        argocd-infisical.io/template: \"true\"\n  name: a-one\n";

/// Renders a small tree that is built in.
///
/// # Errors
/// Where something else comes out than what has to.
pub fn render() -> Result<(), Problem> {
    let mut files = MemoryFiles::new();
    files.insert("/app/kustomization.yaml", KUSTOMIZATION);
    files.insert("/app/settings.yaml", DECLARATION);
    files.insert("/app/one.yaml", RESOURCE);
    let settings = Settings::default();
    let mut injector = Injector::first(&settings);
    let text = build_with(&files, "/app", &Options::default(), &mut injector)
        .and_then(|output| output.to_yaml());
    match text {
        Ok(text) if text == EXPECTED => Ok(()),
        _ => Err(
            Problem::new("the program does not render the tree that is built in").hint(
                "the binary is damaged, or was built for another machine: pull the image again",
            ),
        ),
    }
}

/// Checks that checkouts find room where temporary files are.
///
/// # Errors
/// Where nothing can be written there.
pub fn temporary_directory() -> Result<(), Problem> {
    let directory = env::temp_dir();
    let written = tempfile::tempfile_in(&directory).and_then(|mut file| file.write_all(&[0; 4096]));
    written.map_err(|error| {
        Problem::new(format!("cannot write temporary files: {}", plain(&error)))
            .at(directory.display().to_string(), 0)
            .hint("mount an `emptyDir` there that the sidecar alone has; if it is full, give it more room")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_built_in_renders() {
        assert!(render().is_ok());
    }
}
