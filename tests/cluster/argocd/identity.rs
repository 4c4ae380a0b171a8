//! Who gets which values: what Argo CD says of an Application counts, and nothing that its authors can say.

use serde_json::{Value, json};

use super::call::Call;
use super::server::{Argo, NAMESPACE, argo};
use super::settings::{self, VALUE, shown};
use super::{git::Git, processes};
use crate::kubeconfig::User;
use crate::namespace::Namespace;
use crate::proxy::{self, Behaviour};
use crate::workspace::binary;

/// What is said of an object that is not for an Application.
fn not_for(object: &str, project: &str, application: &str) -> String {
    let (namespace, name) = object.split_once('/').unwrap();
    format!(
        "error: `ConfigMap {object}` is not there, is not for Application `{application}` of project `{project}`, or is not for \
         the sidecar to read
hint: its owner sets the label `argocd-infisical.io/settings: \"true\"` and the annotation `argocd-infisical.io/allowed: \
         {project}/{application}`; who runs Argo CD gives the sidecar the rule `{{apiGroups: [\"\"], resources: [configmaps], \
         resourceNames: [{name}], verbs: [get]}}` in namespace `{namespace}`
"
    )
}

fn application(name: &str, spec: Value) -> Value {
    let mut spec = spec;
    spec["project"] = json!("home");
    spec["destination"] = json!({"namespace": "lamp", "server": "https://kubernetes.default.svc"});
    json!({"metadata": {"name": name}, "spec": spec})
}

/// Two teams, one sidecar: whatever either writes into its Application or its repository.
#[test]
#[ignore = "needs Argo CD: tools/cluster-tier runs it"]
fn each_project_gets_what_its_objects_owners_allow() {
    let Some(argo) = argo() else { return };
    settings::with_value(argo, "argo-home", "home/lamp", "of-home");
    settings::with_value(argo, "argo-work", "work/fan", "of-work");
    let git = settings::repository(argo);
    let call = || Call::new(argo, &git, "app").by(argo.usual());
    let lamp = || call().of("home", "lamp");
    let fan = || call().of("work", "fan");
    assert_eq!(
        lamp().settings(&["argo-home/one"]).once().manifests(),
        shown("of-home")
    );
    assert_eq!(
        fan().settings(&["argo-work/one"]).once().manifests(),
        shown("of-work")
    );

    let refused = argo
        .usual()
        .failure("fan", &not_for("argo-home/one", "work", "fan"));
    fan().settings(&["argo-home/one"]).fails(&refused);
    fan()
        .settings(&["argo-work/one", "argo-home/one"])
        .fails(&refused);
    // What may be missing is missing.
    let optional = fan().settings(&["argo-work/one", "optional:argo-home/one"]);
    assert_eq!(optional.once().manifests(), shown("of-work"));
    // The same name in another project.
    let refused = argo
        .usual()
        .failure("lamp", &not_for("argo-home/one", "work", "lamp"));
    call()
        .of("work", "lamp")
        .settings(&["argo-home/one"])
        .fails(&refused);

    // Variables of the Application's own get a prefix, and none of them is read.
    let refused = argo
        .usual()
        .failure("fan", &not_for("argo-home/one", "work", "fan"));
    fan()
        .settings(&["argo-home/one"])
        .env("ARGOCD_APP_PROJECT_NAME", "home")
        .env("ARGOCD_APP_NAME", "lamp")
        .env("APP_NAME", "lamp")
        .env("KUBECONFIG", "/nowhere")
        .fails(&refused);
    // Parameters become variables as well, PARAM_…
    let parameters = json!([{"name": "settings", "array": ["argo-home/one"]}, {"name": "project", "string": "home"}]);
    let outcome = fan().parameters(parameters).once();
    let unknown = argo
        .usual()
        .failure("fan", "error: there is no plugin parameter `project`");
    assert!(outcome.error.starts_with(&unknown), "{outcome:?}");
    let twice = json!([{"name": "settings", "array": ["argo-work/one"]}, {"name": "settings", "array": ["argo-home/one"]}]);
    let told = "error: the plugin parameter `settings` is given twice\nhint: give it once\n";
    fan()
        .parameters(twice)
        .fails(&argo.usual().failure("fan", told));
}

#[test]
#[ignore = "needs Argo CD: tools/cluster-tier runs it"]
fn a_repository_that_says_what_its_application_is_to_read() {
    let Some(argo) = argo() else { return };
    settings::with_value(argo, "argo-own", "home/lamp", VALUE);
    let text = "plugin:\n  parameters:\n  - {name: settings, array: [argo-own/one]}\n";
    for file in [".argocd-source.yaml", ".argocd-source-lamp.yaml"] {
        let git = settings::repository(argo);
        git.write(&format!("app/{file}"), text);
        git.commit();
        let told = format!(
            "error: {file}:1: a file of the repository may not say which plugin renders it, or with which parameters
hint: say it in the Application's `spec.source.plugin`
"
        );
        let call = Call::new(argo, &git, "app").by(argo.usual());
        call.fails(&argo.usual().failure("lamp", &told));
        call.settings(&["argo-own/one"])
            .fails(&argo.usual().failure("lamp", &told));
    }
}

/// `argocd app diff --local --server-side-generate`: anybody who may see an Application may upload files of their own, which
/// are rendered in its name.
#[test]
#[ignore = "needs Argo CD: tools/cluster-tier runs it"]
fn uploaded_files_get_no_values() {
    let Some(argo) = argo() else { return };
    settings::with_value(argo, "argo-upload", "home/lamp", VALUE);
    let git = settings::repository(argo);
    let call = Call::new(argo, &git, "app")
        .by(argo.usual())
        .uploading(&git);
    let told = "error: settings are only for a commit: ARGOCD_APP_REVISION is no full commit SHA or digest
hint: push what you want to see; to try files of your own, use `argocd-infisical render` with your own settings
";
    let call_with = call.clone().settings(&["argo-upload/one"]);
    call_with.fails(&argo.usual().failure("lamp", told));
    // Without settings there is nothing to keep from anybody.
    let git = settings::repository(argo);
    git.write(
        "app/settings.yaml",
        &settings::SETTINGS.replace("A: \"\"", "A: default"),
    );
    let call = Call::new(argo, &git, "app")
        .by(argo.usual())
        .uploading(&git);
    assert_eq!(call.once().manifests(), shown("default"));
}

/// What is rendered for it is committed to Git.
#[test]
#[ignore = "needs Argo CD: tools/cluster-tier runs it"]
fn an_application_that_is_hydrated_gets_no_values() {
    let Some(argo) = argo() else { return };
    settings::with_value(argo, "argo-hydrated", "home/*", VALUE);
    let git = settings::repository(argo);
    let source = json!({"repoURL": git.url(), "path": "app", "targetRevision": "main"});
    let hydrator = json!({
        "drySource": source,
        "syncSource": {"targetBranch": "rendered", "path": "app"},
    });
    let namespace = argo.namespace();
    namespace.application(application("hydrated", json!({"sourceHydrator": hydrator})));
    namespace.application(application("plain", json!({"source": source})));
    let call = |name| {
        let call = Call::new(argo, &git, "app")
            .by(argo.usual())
            .of("home", name);
        call.settings(&["argo-hydrated/one"])
    };
    let told = "error: the Application has a `sourceHydrator`, which commits what is rendered to Git: it gets no settings
hint: remove `sourceHydrator`, or the parameter `settings`
";
    call("hydrated").fails(&argo.usual().failure("hydrated", told));
    assert_eq!(call("plain").once().manifests(), shown(VALUE));
    // One that is only about to be created.
    assert_eq!(call("new").once().manifests(), shown(VALUE));
}

/// Argo CD 2.14 does not tell the plugin the project: it is the one that the Application itself is in.
#[test]
#[ignore = "needs Argo CD: tools/cluster-tier runs it"]
fn the_project_is_looked_up_where_it_is_not_told() {
    let Some(argo) = argo() else { return };
    settings::with_value(argo, "argo-untold", "home/*", VALUE);
    let git = settings::repository(argo);
    let source = json!({"repoURL": git.url(), "path": "app", "targetRevision": "main"});
    let namespace = argo.namespace();
    namespace.application(application("untold", json!({"source": source})));
    let mut other = application("untold-other", json!({"source": source}));
    other["spec"]["project"] = json!("work");
    namespace.application(other);
    let generate = |name: &str| {
        let mut command = binary();
        command
            .args([
                "plugin",
                "generate",
                "--argocd-namespace",
                NAMESPACE,
                "--kubeconfig",
            ])
            .arg(argo.cluster.kubeconfig(User::SIDECAR))
            .arg("--permits-directory")
            .arg(git.work().join("permits"))
            .env("ARGOCD_APP_NAME", name)
            .env("ARGOCD_APP_REVISION", "0".repeat(40))
            .env(
                "ARGOCD_APP_PARAMETERS",
                r#"[{"name":"settings","array":["argo-untold/one"]}]"#,
            )
            .current_dir(git.work().join("app"));
        command.output().unwrap()
    };
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let well = generate("untold");
    assert!(text(&well.stdout).contains(VALUE), "{}", text(&well.stderr));
    for (name, told) in [
        (
            "untold-other",
            "is not for Application `untold-other` of project `work`",
        ),
        ("nobody", "nobody tells the project of the Application"),
    ] {
        let refused = generate(name);
        assert!(refused.stdout.is_empty() && !refused.status.success());
        assert!(
            text(&refused.stderr).contains(told),
            "{}",
            text(&refused.stderr)
        );
    }
}

/// An Application in a namespace of its own has that in its name, and is looked for there.
#[test]
#[ignore = "needs Argo CD: tools/cluster-tier runs it"]
fn an_application_in_another_namespace() {
    let Some(argo) = argo() else { return };
    settings::with_value(argo, "argo-elsewhere", "home/argo-tenant_*", "one");
    settings::with_value(argo, "argo-here", "home/*", VALUE);
    let tenant = Namespace::new(argo.cluster, "argo-tenant");
    let git = settings::repository(argo);
    let call = |name, object| {
        let call = Call::new(argo, &git, "app")
            .by(argo.usual())
            .of("home", name);
        call.settings(&[object])
    };
    let forbidden = "error: the API server does not let this identity read `Application argo-tenant/lamp` (status 403)
hint: bind it to a Role in namespace `argo-tenant` with the rule `{apiGroups: [argoproj.io], resources: [applications], \
                     verbs: [get]}`
";
    let lamp = call("argo-tenant_lamp", "argo-elsewhere/one");
    lamp.fails(&argo.usual().failure("argo-tenant_lamp", forbidden));
    tenant.allow_applications(User::SIDECAR);
    assert_eq!(lamp.once().manifests(), shown("one"));
    // Neither is taken for the other.
    let here = not_for("argo-here/one", "home", "argo-tenant_lamp");
    call("argo-tenant_lamp", "argo-here/one")
        .fails(&argo.usual().failure("argo-tenant_lamp", &here));
    let elsewhere = not_for("argo-elsewhere/one", "home", "lamp");
    call("lamp", "argo-elsewhere/one").fails(&argo.usual().failure("lamp", &elsewhere));
    let source = json!({"repoURL": git.url(), "path": "app", "targetRevision": "main"});
    let hydrator =
        json!({"drySource": source, "syncSource": {"targetBranch": "rendered", "path": "app"}});
    tenant.application(application("dry", json!({"sourceHydrator": hydrator})));
    argo.namespace()
        .application(application("dry", json!({"source": source})));
    let dry = call("argo-tenant_dry", "argo-elsewhere/one").once();
    assert!(
        dry.error.contains("the Application has a `sourceHydrator`"),
        "{}",
        dry.error
    );
}

/// Every cmp-server of the tests has a path full of traps, which tell of whoever starts one of them.
#[test]
#[ignore = "needs Argo CD: tools/cluster-tier runs it"]
fn no_program_is_started_beside_the_token() {
    let Some(argo) = argo() else { return };
    settings::with_value(argo, "argo-children", "home/lamp", "one");
    let git = settings::repository(argo);
    let call = |git: &Git| {
        let call = Call::new(argo, git, "app").by(argo.usual());
        call.settings(&["argo-children/one"])
    };
    assert_eq!(call(&git).once().manifests(), shown("one"));
    for (file, text) in [
        (
            "kustomization.yaml",
            "resources: ['https://example.org/base.git?ref=v1']\n",
        ),
        (
            "kustomization.yaml",
            "resources: ['git@example.org:base']\n",
        ),
        (
            "kustomization.yaml",
            "resources: [settings.yaml, one.yaml]\nhelmCharts: [{name: x, repo: 'https://example.org'}]\n",
        ),
        (
            "kustomization.yaml",
            "resources: [settings.yaml, one.yaml]\nhelmGlobals: {chartHome: charts}\nhelmCharts: [{name: x}]\n",
        ),
        (
            "kustomization.yaml",
            "resources: [one.yaml, settings.yaml]\ntransformers: [exec.yaml]\n",
        ),
    ] {
        let git = settings::repository(argo);
        let exec = "apiVersion: v1\nkind: Exec\nmetadata:\n  name: exec\n  annotations:\n    config.kubernetes.io/function: 'exec: {path: ./sh}'\n";
        git.write("app/exec.yaml", exec);
        git.write("app/sh", "#!/bin/sh\nkubectl\n");
        git.write(
            "app/charts/x/Chart.yaml",
            "apiVersion: v2\nname: x\nversion: 1.0.0\n",
        );
        git.write(&format!("app/{file}"), text);
        git.commit();
        let outcome = call(&git).once();
        assert!(
            outcome.error.contains("failed exit status 1: error: "),
            "{text}: {outcome:?}"
        );
    }
    assert_eq!(argo.sprung_traps(), "");
    // The traps work.
    let trap = std::process::Command::new(argo.path("traps/kustomize"))
        .status()
        .unwrap();
    assert!(!trap.success() && argo.sprung_traps().contains("traps/kustomize"));
    std::fs::remove_file(argo.path("sprung")).unwrap();
}

/// A render is one process: what it waits for, it waits for itself.
#[test]
#[ignore = "needs Argo CD: tools/cluster-tier runs it"]
fn a_render_is_one_process() {
    let Some(argo) = argo() else { return };
    let git = settings::repository(argo);
    let port = proxy::start(argo.cluster.port(), Behaviour::Silent);
    let kubeconfig = argo.cluster.kubeconfig_at(User::SIDECAR, port);
    let plugin = argo.plugin(
        "alone",
        &[
            "--kubeconfig",
            kubeconfig.to_str().unwrap(),
            "--timeout",
            "3",
        ],
    );
    let call = Call::new(argo, &git, "app")
        .by(&plugin)
        .settings(&["a/one"]);
    std::thread::scope(|scope| {
        let caller = scope.spawn(|| call.once());
        let render = plugin.wait_for_renders(1)[0];
        while !caller.is_finished() {
            let children = processes::children(render);
            assert_eq!(children, Vec::<u32>::new());
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        assert_ne!(caller.join().unwrap().error, "");
    });
    assert_eq!(argo.sprung_traps(), "");
}

impl Argo {
    /// Argo CD's namespace.
    fn namespace(&self) -> Namespace<'static> {
        Namespace::existing(self.cluster, NAMESPACE)
    }
}
