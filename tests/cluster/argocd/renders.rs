//! What the plugin renders, and what Argo CD makes of it.

use std::path::Path;

use serde_json::Value;

use super::call::Call;
use super::git::Git;
use super::server::argo;
use super::settings::{self, shown};
use crate::kubeconfig::User;
use crate::namespace::Namespace;
use crate::operator::{self, Consent, with_data};
use crate::tools::printed;
use crate::workspace::{Run, binary, run_in};

const HOME_ASSISTANT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/homeassistant");

/// The objects of a text, as the repo-server would have them.
fn objects(text: &str) -> Vec<Value> {
    let documents = text.split("\n---\n");
    documents
        .map(|document| serde_saphyr::from_str(document).unwrap())
        .collect()
}

/// The settings of an environment: file names and what is in them.
fn values(environment: &str) -> Vec<(String, String)> {
    let directory = Path::new(HOME_ASSISTANT)
        .join("settings")
        .join(environment)
        .join("settings.d");
    let entries = std::fs::read_dir(directory).unwrap().map(Result::unwrap);
    entries
        .map(|entry| {
            let name = entry.file_name().into_string().unwrap();
            (name, std::fs::read_to_string(entry.path()).unwrap())
        })
        .collect()
}

/// An application as a Git repository holds it, with its settings in an object of the cluster: what Argo CD gets is what
/// `render` prints with the same settings in a file.
#[test]
#[ignore = "needs Argo CD: tools/cluster-tier runs it"]
fn home_assistant_is_what_render_prints() {
    let Some(argo) = argo() else { return };
    let git = Git::of_directory(argo, Path::new(HOME_ASSISTANT));
    let namespace = Namespace::new(argo.cluster, "home-assistant");
    namespace.allow(
        User::SIDECAR,
        "configmaps",
        &["dev", "prod", "staging", "test"],
    );
    for environment in ["dev", "prod", "staging", "test"] {
        let values = values(environment);
        let values: Vec<(&str, &str)> = values
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let consent = Consent::LAMP.allowed("smart-home/home-assistant-*");
        namespace.config_map(with_data(
            operator::static_secret(environment, &consent),
            &values,
        ));
        let overlay = format!("overlays/{environment}");
        let file = format!("settings/{environment}/settings.yaml");
        let Run {
            code,
            stdout,
            stderr,
        } = run_in(
            Path::new(HOME_ASSISTANT),
            &["render", &overlay, "--settings", &file],
        );
        assert_eq!((code, stderr.as_str()), (0, ""));
        let application = format!("home-assistant-{environment}");
        let outcome = Call::new(argo, &git, &overlay)
            .of("smart-home", &application)
            .by(argo.usual())
            .settings(&[&format!("home-assistant/{environment}")])
            .once();
        let rendered: Vec<Value> = outcome
            .manifests()
            .iter()
            .map(|text| serde_json::from_str(text).unwrap())
            .collect();
        assert_eq!(rendered, objects(&stdout), "{environment}");
        assert_eq!(outcome.source_type, "Plugin");
    }
}

/// `plugin.yaml` as it is installed, in a cmp-server that finds the binary on its path.
#[test]
#[ignore = "needs Argo CD: tools/cluster-tier runs it"]
fn the_plugin_as_it_is_installed() {
    let Some(argo) = argo() else { return };
    let definition =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/plugin.yaml")).unwrap();
    // What the Deployment mounts lies elsewhere.
    let mounted = tempfile::tempdir().unwrap();
    let here = mounted.path().to_str().unwrap();
    let definition = definition
        .replace("/etc/argocd-infisical", here)
        .replace("/var/lib/argocd-infisical", here);
    std::fs::create_dir(mounted.path().join("policy")).unwrap();
    let policy = "apiVersion: argocd-infisical.io/v1alpha1\nkind: Policy\n";
    std::fs::write(mounted.path().join("policy/policy.yaml"), policy).unwrap();
    let parsed: Value = serde_saphyr::from_str(&definition).unwrap();
    let generate = &parsed["spec"]["generate"];
    let words = [&generate["command"], &generate["args"]];
    let words = words
        .into_iter()
        .flat_map(|words| words.as_array().unwrap());
    let command = words
        .map(|word| word.as_str().unwrap().to_owned())
        .collect();
    let plugin = argo.defined("argocd-infisical", &definition, command);
    let git = settings::repository(argo);
    let declared = settings::SETTINGS.replace("A: \"\"", "A: default");
    git.write("app/settings.yaml", &declared);
    git.commit();
    let call = Call::new(argo, &git, "app").by(&plugin);
    assert_eq!(call.once().manifests(), shown("default"));
    // There is no token here.
    let told = "error: this process does not run in a pod of a cluster: KUBERNETES_SERVICE_HOST or KUBERNETES_SERVICE_PORT is not set
hint: run it in a pod, or name a kubeconfig with `--kubeconfig`
";
    call.settings(&["a/one"])
        .fails(&plugin.failure("lamp", told));

    // What the user interface asks for: whatever the plugin announces arrives.
    let told = printed(
        binary()
            .args(["plugin", "parameters"])
            .current_dir(git.work().join("app")),
    );
    let mut announced: Vec<Value> = serde_json::from_str(&told).unwrap();
    for parameter in &mut announced {
        // Argo CD leaves out what is empty.
        let fields = parameter.as_object_mut().unwrap();
        fields.retain(|_, value| !matches!(value, Value::Bool(false)) && *value != "");
    }
    assert!(
        announced.len() > 10 && told.contains("A (string, default default)"),
        "{told}"
    );
    let outcome = Call::new(argo, &git, "app").by(&plugin).details().once();
    assert_eq!(
        (outcome.error.as_str(), outcome.source_type.as_str()),
        ("", "Plugin")
    );
    assert_eq!(outcome.parameters.unwrap(), announced);
}

#[test]
#[ignore = "needs Argo CD: tools/cluster-tier runs it"]
fn a_setting_reaches_what_is_deployed_and_no_log() {
    let Some(argo) = argo() else { return };
    let git = settings::repository(argo);
    let value = "a-value-that-stands-nowhere-else";
    settings::with_value(argo, "argo-value", "home/lamp", value);
    let plugin = argo.plugin("logs", &[]);
    let call = Call::new(argo, &git, "app").by(&plugin);
    let call = call.settings(&["argo-value/one"]);
    assert_eq!(call.once().manifests(), shown(value));
    let words = argo.words("cmp-server-logs") + &argo.words("repo-server");
    assert!(words.contains("GenerateManifest") && !words.contains(value));
}

/// The plugin is for Applications that name it: it has no discovery that could take others, or lose its own.
#[test]
#[ignore = "needs Argo CD: tools/cluster-tier runs it"]
fn which_applications_the_plugin_is_for() {
    let Some(argo) = argo() else { return };
    settings::with_value(argo, "argo-match", "home/lamp", "of-home");
    let git = settings::repository(argo);
    let call = Call::new(argo, &git, "app");
    let named = call.clone().by(argo.usual()).settings(&["argo-match/one"]);
    let named = named.once();
    assert_eq!(named.manifests(), shown("of-home"));
    assert_eq!(named.source_type, "Plugin");
    // One that names nothing is Argo CD's own, placeholders and all.
    let native = call.clone().once();
    assert_eq!(native.source_type, "Kustomize");
    assert!(native.manifests().concat().contains("${{ settings.A }}"));
    // One that leaves it to Argo CD which plugin it is finds none.
    let unnamed = call.env("A", "b").once();
    assert!(
        unnamed
            .error
            .contains("could not find plugin supporting the given repository"),
        "{unnamed:?}"
    );
}
