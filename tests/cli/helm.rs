//! Helm charts, with the real Helm.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::server::{Answer, Server};
use crate::tools;
use crate::workspace::Workspace;

const CHART: &str = "apiVersion: v2\nname: web\nversion: 1.2.3\n";
const VALUES: &str = "replicas: 1\nimage: {name: web, tag: v1}\nports: [80, 81]\nextra: {}\n";
const TEMPLATE: &str = "apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
  namespace: {{ .Release.Namespace }}
spec:
  replicas: {{ .Values.replicas }}
  template:
    spec:
      containers:
      - name: web
        image: {{ .Values.image.name }}:{{ .Values.image.tag }}
        args: {{ toYaml .Values.ports | nindent 8 }}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: capabilities
data:
  kube: {{ .Capabilities.KubeVersion }}
  has: {{ .Capabilities.APIVersions.Has \"example.org/v1\" | quote }}
  values: {{ toJson .Values | quote }}
";
const CRD: &str = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: as.example.org\n";
const TEST: &str =
    "apiVersion: v1\nkind: Pod\nmetadata:\n  name: test\n  annotations: {\"helm.sh/hook\": test}\n";

struct Programs {
    helm: PathBuf,
    kustomize: Option<PathBuf>,
}

fn programs() -> Option<Programs> {
    Some(Programs {
        helm: tools::helm()?,
        kustomize: tools::kustomize(),
    })
}

fn with_chart(files: &[(&str, &str)]) -> Workspace {
    let workspace = Workspace::new(files);
    for (path, text) in [
        ("Chart.yaml", CHART),
        ("values.yaml", VALUES),
        ("templates/web.yaml", TEMPLATE),
        ("templates/test.yaml", TEST),
        ("crds/crd.yaml", CRD),
    ] {
        workspace.write(&format!("charts/web/{path}"), text);
    }
    workspace
}

impl Programs {
    fn flags<'a>(&'a self, flags: &[&'a str]) -> Vec<&'a str> {
        let mut all = vec![
            "build",
            "--enable-helm",
            "--helm-command",
            self.helm.to_str().unwrap(),
        ];
        all.extend(flags);
        all
    }

    /// Builds with the program and, where it is there, with kustomize, which must print the same.
    #[track_caller]
    fn prints_as_kustomize(&self, workspace: &Workspace, flags: &[&str]) -> String {
        let arguments = self.flags(flags);
        let ours = workspace.prints(&arguments);
        if let Some(kustomize) = &self.kustomize {
            let mut theirs = Command::new(kustomize);
            let theirs = theirs.args(&arguments).current_dir(workspace.path());
            assert_eq!(ours, tools::printed(theirs));
        }
        ours
    }
}

#[test]
fn charts_are_off_unless_allowed() {
    let workspace = with_chart(&[(
        "kustomization.yaml",
        "resources: []\nhelmCharts:\n- name: web\n",
    )]);
    let message = "error: kustomization.yaml:3:3: the kustomization asks for a Helm chart, and Helm is switched off\n  3 | - name: \
                   web\n    |   ^\n  field: helmCharts[0]\nhint: allow Helm with `--enable-helm`, or render the chart with `helm \
                   template` into the repository\n";
    workspace.fails(&["build"], message);
}

#[test]
fn a_chart_in_the_repository() {
    let Some(programs) = programs() else { return };
    for chart in [
        "{name: web, releaseName: a}",
        "{name: web, releaseName: a, namespace: b}",
        "{name: web, releaseName: a, includeCRDs: true, skipTests: true}",
        "{name: web, releaseName: a, skipHooks: true, kubeVersion: 1.30.1, apiVersions: [example.org/v1]}",
        "{name: web, nameTemplate: from-template}",
        "{name: web, releaseName: a, valuesFile: own.yaml}",
        "{name: web, releaseName: a, additionalValuesFiles: [own.yaml]}",
        "{name: web, releaseName: a, valuesInline: {image: {tag: v2}, ports: [1], big: 12345678901234567}}",
        "{name: web, releaseName: a, valuesMerge: merge, valuesInline: {image: {tag: v2, more: x}, ports: [1]}}",
        "{name: web, releaseName: a, valuesMerge: replace, valuesInline: {image: {tag: v2}}}",
        "{name: web, releaseName: a, valuesInline: {image: null, extra: {a: 'on', b: 1.0, c: 0x10}}}",
    ] {
        let kustomization = format!(
            "namespace: outer\nnamePrefix: p-\ncommonLabels: {{a: b}}\nresources: [one.yaml]\nhelmCharts:\n- {chart}\n"
        );
        let workspace = with_chart(&[
            (
                "kustomization.yaml",
                kustomization.replace("commonLabels: {a: b}\n", "").as_str(),
            ),
            (
                "one.yaml",
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\n",
            ),
            ("own.yaml", "replicas: 7\n"),
        ]);
        let printed = programs.prints_as_kustomize(&workspace, &[]);
        assert!(printed.contains("name: p-"), "{chart}: {printed}");
    }
}

#[test]
fn other_ways_to_ask_for_a_chart() {
    let Some(programs) = programs() else { return };
    let generator = "apiVersion: builtin\nkind: HelmChartInflationGenerator\nmetadata: {name: g}\nname: web\nreleaseName: a\n\
                     valuesInline: {replicas: 3}\n";
    // The configuration is no YAML 1.1, whereas the kustomization is.
    let words = "apiVersion: builtin\nkind: HelmChartInflationGenerator\nmetadata: {name: g}\nname: web\nreleaseName: yes\n\
                 valuesInline: {replicas: 3, image: {name: on, tag: 1e3}, day: 2001-01-01}\n";
    for (kustomization, more) in [
        (
            "helmChartInflationGenerator:\n- {chartName: web, releaseName: a, valuesLocal: {replicas: 2}}\n",
            "",
        ),
        (
            "helmGlobals: {chartHome: ./charts}\nhelmCharts:\n- {name: web, releaseName: a}\n",
            "",
        ),
        ("generators: [generator.yaml]\n", generator),
        ("generators: [generator.yaml]\n", words),
        (
            "buildMetadata: [originAnnotations]\nhelmCharts:\n- {name: web, releaseName: a}\n",
            "",
        ),
    ] {
        let workspace = with_chart(&[("kustomization.yaml", kustomization)]);
        if !more.is_empty() {
            workspace.write("generator.yaml", more);
        }
        programs.prints_as_kustomize(&workspace, &[]);
        programs.prints_as_kustomize(
            &workspace,
            &[
                "--helm-kube-version",
                "1.29.0",
                "--helm-api-versions",
                "example.org/v1",
            ],
        );
    }
}

#[test]
fn the_namespace_of_an_overlay_is_that_of_the_chart() {
    let Some(programs) = programs() else { return };
    let workspace = with_chart(&[
        (
            "kustomization.yaml",
            "helmCharts:\n- {name: web, releaseName: a}\n",
        ),
        (
            "top/kustomization.yaml",
            "resources: [middle]\nnamespace: top\n",
        ),
        ("top/middle/kustomization.yaml", "resources: [base]\n"),
        (
            "top/middle/base/kustomization.yaml",
            "helmGlobals: {chartHome: charts}\nhelmCharts:\n- {name: web, releaseName: a}\n",
        ),
    ]);
    fs::rename(
        workspace.path().join("charts"),
        workspace.path().join("top/middle/base/charts"),
    )
    .unwrap();
    let printed = programs.prints_as_kustomize(&workspace, &["top"]);
    assert!(printed.contains("namespace: top"), "{printed}");
}

/// A chart as a server offers it: an index and an archive.
fn serve_chart(helm: &Path, workspace: &Workspace) -> Server {
    let package = Command::new(helm)
        .args(["package", "charts/web", "--destination", "packed"])
        .current_dir(workspace.path())
        .status();
    assert!(package.unwrap().success());
    let index = "apiVersion: v1\nentries:\n  web:\n  - name: web\n    version: 1.2.3\n    apiVersion: v2\n    urls: [web-1.2.3.tgz]\n";
    let archive = fs::read(workspace.path().join("packed/web-1.2.3.tgz")).unwrap();
    fs::remove_dir_all(workspace.path().join("charts")).unwrap();
    Server::start([
        ("/index.yaml", Answer::file(index)),
        ("/web-1.2.3.tgz", Answer::file(archive)),
    ])
}

#[test]
fn a_chart_is_pulled_and_the_repository_stays_as_it_is() {
    let Some(programs) = programs() else { return };
    let workspace = with_chart(&[]);
    let server = serve_chart(&programs.helm, &workspace);
    for version in ["", "version: 1.2.3, ", "version: ~1.2, "] {
        let kustomization = format!(
            "helmCharts:\n- {{name: web, {version}repo: '{}', releaseName: a, valuesInline: {{replicas: 4}}}}\n",
            server.url("")
        );
        workspace.write("kustomization.yaml", kustomization);
        let ours = workspace.prints(&programs.flags(&[]));
        assert!(ours.contains("replicas: 4"), "{ours}");
        assert!(!workspace.path().join("charts").exists());
        programs.prints_as_kustomize(&workspace, &[]);
        fs::remove_dir_all(workspace.path().join("charts")).unwrap_or_default();
    }
}

#[test]
fn charts_that_cannot_be_had() {
    let Some(programs) = programs() else { return };
    for (chart, words) in [
        ("{releaseName: a}", "a chart needs a name"),
        (
            "{name: none}",
            "there is no chart in `charts/none`, and no `repo` to pull it from",
        ),
        (
            "{name: none, repo: 'http://127.0.0.1:1'}",
            "`helm` says: Error: ",
        ),
        ("{name: -web}", "`name` of a chart begins with `-`"),
        (
            "{name: web, releaseName: --post-renderer=touch}",
            "`releaseName` of a chart begins with `-`",
        ),
        (
            "{name: web, valuesMerge: some}",
            "must be `override`, `merge` or `replace`, not `some`",
        ),
        ("{name: web, valuesFile: ../values.yaml}", "cannot read `"),
        (
            "{name: web, additionalValuesFiles: [none.yaml]}",
            "cannot read `none.yaml`",
        ),
        (
            "{name: web, valuesInline: {image: text}}",
            "`valuesInline` of chart `web` does not fit its values file",
        ),
        (
            "{name: web, valuesIinline: {}}",
            "did you mean `valuesInline`?",
        ),
        ("{name: web, version: 1}", "`version`"),
    ] {
        let workspace = with_chart(&[("kustomization.yaml", &format!("helmCharts:\n- {chart}\n"))]);
        let run = workspace.run(&programs.flags(&[]));
        assert_eq!(
            (run.code, run.stdout.as_str()),
            (1, ""),
            "{chart}: {}",
            run.stderr
        );
        let said = run.stderr.replace(programs.helm.to_str().unwrap(), "helm");
        assert!(
            said.contains(words) && said.contains("kustomization.yaml:2"),
            "{chart}: {said}"
        );
    }
}

#[test]
fn a_kustomization_cannot_lead_helm_elsewhere() {
    let Some(programs) = programs() else { return };
    let workspace = with_chart(&[]);
    let outside = fs::canonicalize(workspace.path().join("charts")).unwrap();
    let outside = outside.to_str().unwrap();
    for (kustomization, words) in [
        (
            format!("helmGlobals: {{chartHome: {outside}}}\nhelmCharts: [{{name: web, valuesMerge: replace, valuesInline: {{a: b}}}}]\n"),
            "`chartHome` leads to `",
        ),
        (
            "helmGlobals: {chartHome: ../charts}\nhelmCharts: [{name: web}]\n".to_owned(),
            "`chartHome` leads to `",
        ),
        (
            "helmGlobals: {configHome: ..}\nhelmCharts: [{name: web, repo: 'http://127.0.0.1:1'}]\n".to_owned(),
            "`configHome` leads to `",
        ),
        (
            "helmCharts: [{name: ../../charts/web}]\n".to_owned(),
            "`name` of a chart leads out of the directory with charts",
        ),
        (
            "helmGlobals: {chartHome: linked}\nhelmCharts: [{name: web}]\n".to_owned(),
            "`chartHome` leads to `",
        ),
        (
            "helmGlobals: {chartHome: own}\nhelmCharts: [{name: web, nameTemplate: 'x{{ env \"HOME\" }}'}]\n".to_owned(),
            "`nameTemplate` asks for the environment",
        ),
    ] {
        workspace.write("tree/kustomization.yaml", &kustomization);
        let link = workspace.path().join("tree/linked");
        if !link.exists() {
            symlink(outside, link).unwrap();
            let own = Command::new("cp").args(["-r", "charts", "tree/own"]).current_dir(workspace.path()).status();
            assert!(own.unwrap().success());
        }
        let run = workspace.run(&programs.flags(&["tree"]));
        assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{kustomization}: {}", run.stderr);
        assert!(run.stderr.contains(words), "{kustomization}: {}", run.stderr);
    }
    let kustomization =
        "helmGlobals: {chartHome: ../charts}\nhelmCharts: [{name: web, releaseName: a}]\n";
    workspace.write("tree/kustomization.yaml", kustomization);
    programs.prints_as_kustomize(
        &workspace,
        &["tree", "--load-restrictor", "LoadRestrictionsNone"],
    );
}

#[test]
fn a_chart_sees_nothing_of_the_environment() {
    let Some(programs) = programs() else { return };
    let workspace = with_chart(&[(
        "kustomization.yaml",
        "helmCharts: [{name: web, releaseName: a}]\n",
    )]);
    let mut command = crate::workspace::binary();
    let script = workspace.path().join("helm");
    workspace.write(
        "helm",
        format!(
            "#!/bin/sh\nenv >>'{}'\nexec '{}' \"$@\"\n",
            workspace.path().join("seen").display(),
            programs.helm.display()
        ),
    );
    let chmod = Command::new("chmod").arg("+x").arg(&script).status();
    assert!(chmod.unwrap().success());
    command
        .args(["build", "--enable-helm", "--helm-command", "./helm"])
        .current_dir(workspace.path())
        .env("HTTPS_PROXY", "http://user:hunter2@proxy:3128")
        .env("KUBECONFIG", "hunter2")
        .env("PATH", ".:/usr/bin:/bin");
    tools::printed(&mut command);
    let seen = workspace.read("seen");
    assert!(
        !seen.contains("hunter2") && !seen.contains("PATH=."),
        "{seen}"
    );
    assert!(seen.contains("HELM_PLUGINS="), "{seen}");
}

#[test]
fn a_chart_cannot_look_outside_or_bring_programs() {
    let Some(programs) = programs() else { return };
    let workspace = with_chart(&[(
        "kustomization.yaml",
        "helmCharts:\n- {name: web, releaseName: a}\n",
    )]);
    symlink(
        "/etc/hostname",
        workspace.path().join("charts/web/templates/link.txt"),
    )
    .unwrap();
    let run = workspace.run(&programs.flags(&[]));
    assert_eq!(run.code, 1);
    assert!(
        run.stderr
            .contains("the symbolic link `templates/link.txt` leads out of the chart"),
        "{}",
        run.stderr
    );
    let trap = workspace.path().join("trap");
    let workspace = with_chart(&[(
        "kustomization.yaml",
        "helmGlobals: {configHome: helm}\nhelmCharts:\n- {name: web, releaseName: a}\n",
    )]);
    // A plugin of Helm is a program that Helm runs; a downloader runs for addresses of its own.
    let plugin = format!(
        "name: p\nversion: 1.0.0\ncommand: touch {0}\ndownloaders:\n- command: touch {0}\n  protocols: [own]\n",
        trap.display()
    );
    workspace.write("helm/.data/plugins/p/plugin.yaml", &plugin);
    workspace.write("helm/plugins/p/plugin.yaml", &plugin);
    workspace.write("kustomization.yaml", "helmGlobals: {configHome: helm}\nhelmCharts:\n- {name: x, repo: 'own://a', releaseName: a}\n");
    let run = workspace.run(&programs.flags(&[]));
    assert_eq!(run.code, 1);
    assert!(!trap.exists(), "a plugin was run");
}
