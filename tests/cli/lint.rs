//! `lint`: what is wrong with settings, and what will be.

use serde_json::Value;

use crate::workspace::{Run, Workspace};

const DECLARED: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\n  annotations:\n    \
                        config.kubernetes.io/local-config: \"true\"\n    argocd-infisical.io/declare: settings\n    \
                        argocd-infisical.io/schema: |\n      NUMBER: {type: int, min: 3}\ndata:\n";

const OBJECT: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: one\n  annotations:\n    \
                      argocd-infisical.io/template: \"true\"\nspec:\n";

/// A tree with these lines of `data`, and these below `spec`.
fn tree(data: &str, spec: &str) -> Workspace {
    Workspace::new(&[
        (
            "kustomization.yaml",
            "resources: [settings.yaml, one.yaml]\n",
        ),
        ("settings.yaml", &format!("{DECLARED}{data}")),
        ("one.yaml", &format!("{OBJECT}{spec}")),
    ])
}

/// What is found must be just this.
#[track_caller]
fn finds(workspace: &Workspace, arguments: &[&str], expected: (i32, &str)) {
    let Run {
        code,
        stdout,
        stderr,
    } = workspace.run(&[&["lint"], arguments].concat());
    assert_eq!(stderr, "");
    assert_eq!(stdout, expected.1);
    assert_eq!(code, expected.0);
}

const ALLOW: [&str; 2] = ["--allow", "placeholder"];

#[test]
fn what_a_render_refuses_is_an_error() {
    let workspace = tree(
        "  HOSTNAME: a\n  NUMBER: \"1\"\n",
        "  a: ${{ settings.HOSTNMAE }}\n  b: ${{ settings.NUMBER | int }}\n  c: ${{ settings.HOSTNAME | upper }}\n",
    );
    let expected = "\
error: a setting breaks the schema [refused]
  `NUMBER` must be at least 3 (settings.yaml:9); its default stands in settings.yaml:12
hint: change the value, or the rule in the annotation `argocd-infisical.io/schema`

error: one.yaml:8:6: setting `HOSTNMAE` is not declared [undeclared-key]
  8 |   a: ${{ settings.HOSTNMAE }}
    |      ^
  in: Deployment.v1.apps/one.[noNs]
  field: spec.a
hint: did you mean `HOSTNAME`?

error: one.yaml:10:6: unknown filter; there are `default(…)`, `int`, `bool`, `float`, `b64encode`, `json` and `yaml` [refused]
  10 |   c: ${{ settings.HOSTNAME | upper }}
     |      ^
  in: Deployment.v1.apps/one.[noNs]
  field: spec.c
hint: a placeholder is `${{ settings.KEY }}` or `${{ settings.KEY | filter }}`; `$${{` is the text `${{`

3 errors, 0 warnings
";
    finds(&workspace, &ALLOW, (1, expected));
}

#[test]
fn keys_that_nothing_uses_and_keys_without_a_default() {
    let workspace = tree(
        "  ASKED: \"\"\n  DEFAULTED: \"\"\n  NUMBER: \"3\"\n  UNUSED: x\n",
        "  a: ${{ settings.ASKED }}\n  b: ${{ settings.DEFAULTED | default(\"x\") }}\n  c: ${{ settings.NUMBER | int }}\n",
    );
    let expected = "\
warning: settings.yaml:11: setting `ASKED` has no default, and a render needs one [missing-default]
  11 |   ASKED: \"\"
  it is asked for at one.yaml:8
hint: give it a default; or write `ASKED: {required: true}` into `argocd-infisical.io/schema` to say that a value must be handed in

warning: settings.yaml:14: no field takes the declared setting `UNUSED` [unused-key]
  14 |   UNUSED: x
hint: use it in a placeholder or a replacement, or take it out of the declaration

0 errors, 2 warnings
";
    finds(&workspace, &ALLOW, (0, expected));
    let strict = [&ALLOW[..], &["--strict"]].concat();
    finds(&workspace, &strict, (1, expected));
    // A value that is handed in, and a rule that asks for one, are both an answer.
    workspace.write("some.env", "ASKED=x\n");
    let more = ["--allow", "unused-key", "--strict"];
    let nothing = (0, "0 errors, 0 warnings\n");
    finds(
        &workspace,
        &[&ALLOW[..], &more, &["-s", "some.env"]].concat(),
        nothing,
    );
    let declared = workspace.read("settings.yaml");
    let rule = "      NUMBER: {type: int, min: 3}\n      ASKED: {required: true}\n";
    workspace.write(
        "settings.yaml",
        declared.replace("      NUMBER: {type: int, min: 3}\n", rule),
    );
    finds(&workspace, &[&ALLOW[..], &more].concat(), nothing);
}

#[test]
fn a_key_that_is_only_copied_is_used() {
    let workspace = tree("  HOST: a\n", "  host: x\n");
    workspace.write(
        "kustomization.yaml",
        "resources: [settings.yaml, one.yaml]\nreplacements:\n- source: {kind: ConfigMap, name: settings, fieldPath: data.HOST}\n  \
         targets:\n  - select: {kind: Deployment}\n    fieldPaths: [spec.host]\n",
    );
    workspace.write(
        "settings.yaml",
        format!("{DECLARED}  HOST: a\n  NUMBER: \"3\"\n"),
    );
    let Run { stdout, .. } = workspace.run(&["lint"]);
    assert!(
        stdout.contains("`NUMBER` [unused-key]") && !stdout.contains("`HOST`"),
        "{stdout}"
    );
}

#[test]
fn a_misspelt_key_of_the_settings_leaves_the_default_in_force() {
    let workspace = tree(
        "  HOSTNAME: a\n  NUMBER: \"3\"\n",
        "  a: ${{ settings.HOSTNAME }}\n  b: ${{ settings.NUMBER }}\n",
    );
    workspace.write("some.env", "NUMBER=4\nHOSTNMAE=x\nENTIRELY_DIFFERENT=y\n");
    let expected = "\
warning: some.env:2: the settings have `HOSTNMAE`, which is not declared, and no `HOSTNAME` [misspelt-key]
hint: did you mean `HOSTNAME`?

0 errors, 1 warning
";
    finds(
        &workspace,
        &[&ALLOW[..], &["-s", "some.env"]].concat(),
        (0, expected),
    );
    // What breaks a rule only with these settings is found too.
    workspace.write("some.env", "NUMBER=2\n");
    let Run { code, stdout, .. } = workspace.run(&["lint", "-s", "some.env"]);
    assert_eq!(code, 1);
    assert!(
        stdout.contains("its value stands in some.env:1"),
        "{stdout}"
    );
}

#[test]
fn placeholders_are_named_where_they_stand() {
    let workspace = tree(
        "  HOST: a\n  NUMBER: \"3\"\n",
        "  a: ${{ settings.HOST }}-${{ settings.NUMBER }}\n  b: ${{ settings.HOST }}\n",
    );
    let expected = "\
warning: one.yaml:8: plain kustomize leaves the placeholder for `HOST` as text [placeholder]
  8 |   a: ${{ settings.HOST }}-${{ settings.NUMBER }}
warning: one.yaml:8: plain kustomize leaves the placeholder for `NUMBER` as text [placeholder]
  8 |   a: ${{ settings.HOST }}-${{ settings.NUMBER }}
warning: one.yaml:9: plain kustomize leaves the placeholder for `HOST` as text [placeholder]
  9 |   b: ${{ settings.HOST }}
hint: copy the value with a replacement where it is all of a field; `--allow placeholder` says that only `render` is used

0 errors, 3 warnings
";
    finds(&workspace, &[], (0, expected));
}

#[test]
fn secrets_are_no_settings() {
    let key = "-----BEGIN PRIVATE KEY-----";
    let workspace = tree(
        &format!(
            "  DB_PASSWORD: \"\"\n  HARMLESS: \"{key}\"\n  INTO: x\n  LATER: x\n  NUMBER: \"3\"\n  TOKEN_TTL: \"5\"\n"
        ),
        "  a: ${{ settings.DB_PASSWORD | default(\"\") }}\n  b: ${{ settings.HARMLESS }}${{ settings.LATER }}\n  c: ${{ \
         settings.NUMBER }}${{ settings.TOKEN_TTL }}\n---\napiVersion: v1\nkind: Secret\nmetadata:\n  name: two\n  annotations:\n    \
         argocd-infisical.io/template: \"true\"\nstringData:\n  a: ${{ settings.INTO }}\n",
    );
    workspace.write("some.env", "LATER=ghp_0123456789abcdefghij\n");
    let run = workspace.run(&["lint", "--allow", "placeholder", "-s", "some.env"]);
    let found: Vec<&str> = run
        .stdout
        .lines()
        .filter(|line| line.ends_with("[secret]"))
        .collect();
    let says = |line: u32, what: &str| {
        format!("warning: settings.yaml:{line}: setting {what}, and settings may be seen [secret]")
    };
    assert_eq!(
        found,
        [
            says(11, "`DB_PASSWORD` is called like a secret"),
            says(12, "`HARMLESS` has a default that looks like a secret"),
            says(13, "`INTO` goes into a Secret"),
            says(14, "`LATER` has a value that looks like a secret"),
        ],
        "{}",
        run.stdout
    );
    assert!(!run.stdout.contains("ghp_"), "{}", run.stdout);
}

#[test]
fn empty_fields_of_pod_templates_drift() {
    let workspace = tree(
        "  NUMBER: \"3\"\n",
        "  replicas: ${{ settings.NUMBER | int }}\n  template:\n    metadata:\n      annotations: {}\n    spec:\n      containers:\n      - \
         name: a\n        env: []\n      - name: b\n        args: []\n",
    );
    let expected = "\
warning: one.yaml:11:20: the pod template has an empty `annotations` [empty-field]
  11 |       annotations: {}
     |                    ^
  in: Deployment.v1.apps/one.[noNs]
  field: spec.template.metadata.annotations
warning: one.yaml:15:14: the pod template has an empty `env` [empty-field]
  15 |         env: []
     |              ^
  in: Deployment.v1.apps/one.[noNs]
  field: spec.template.spec.containers.0.env
hint: leave the field out: once Reloader or the like has added to an empty one, Argo CD reports a difference for ever

0 errors, 2 warnings
";
    finds(&workspace, &ALLOW, (0, expected));
}

#[test]
fn injection_makes_no_empty_field() {
    let schema = DECLARED.replace("NUMBER: {type: int, min: 3}", "BLOCK: {type: yaml}");
    let template = "  template:\n    metadata:\n      annotations: FIRST\n    spec:\n      containers: SECOND\n";
    for (value, first, second, field) in [
        (
            "[]",
            "{a: b}",
            "[{name: a, env: \"${{ settings.BLOCK | yaml }}\"}]",
            "spec.template.spec.containers.0.env",
        ),
        (
            "{}",
            "${{ settings.BLOCK | yaml }}",
            "[{name: a}]",
            "spec.template.metadata.annotations",
        ),
        (
            "[{name: a}, {name: b, env: []}]",
            "{a: b}",
            "${{ settings.BLOCK | yaml }}",
            "spec.template.spec.containers.1.env",
        ),
        (
            "[{name: a, env: null}]",
            "{a: b}",
            "${{ settings.BLOCK | yaml }}",
            "spec.template.spec.containers.0.env",
        ),
    ] {
        let workspace = tree(
            "",
            &template.replace("FIRST", first).replace("SECOND", second),
        );
        workspace.write(
            "settings.yaml",
            format!("{schema}  BLOCK: \"[{{name: a}}]\"\n"),
        );
        workspace.write("some.env", format!("BLOCK='{value}'\n"));
        let Run {
            code,
            stdout,
            stderr,
        } = workspace.run(&["render", "-s", "some.env"]);
        assert_eq!((code, stdout.as_str()), (1, ""), "{value}");
        let last = field.rsplit('.').next().unwrap();
        let message = format!("setting `BLOCK` makes an empty `{last}` in a pod template\n");
        assert!(stderr.contains(&message), "{stderr}");
        assert!(stderr.starts_with("error: one.yaml:1"), "{stderr}");
        let said = format!("  field: {field}\n");
        assert!(stderr.contains(&said), "{stderr}");
        assert!(
            stderr.contains("  its value stands in some.env:1\n"),
            "{stderr}"
        );
    }
    // What nobody else adds to may be empty.
    let workspace = tree(
        "",
        "  template:\n    spec:\n      volumes: \"${{ settings.BLOCK | yaml }}\"\n      containers: [{name: a}]\n",
    );
    workspace.write("settings.yaml", format!("{schema}  BLOCK: \"[]\"\n"));
    assert!(workspace.prints(&["render"]).contains("volumes: []"));
}

#[test]
fn programs_get_findings_with_their_places() {
    let workspace = tree(
        "  NUMBER: \"3\"\n  UNUSED: x\n",
        "  a: ${{ settings.NUMBER }}\n",
    );
    let report = workspace.run(&["lint", "--allow", "placeholder", "--format", "json"]);
    let report: Value = serde_json::from_str(&report.stdout).unwrap();
    let expected = serde_json::json!({
        "errors": 0,
        "warnings": 1,
        "findings": [{
            "severity": "warning",
            "check": "unused-key",
            "key": "UNUSED",
            "file": "settings.yaml",
            "line": 12,
            "message": "no field takes the declared setting `UNUSED`",
            "hint": "use it in a placeholder or a replacement, or take it out of the declaration",
        }],
    });
    assert_eq!(report, expected);
}

#[test]
fn a_tree_that_does_not_build_is_no_finding() {
    let workspace = Workspace::new(&[("kustomization.yaml", "resources: [none.yaml]\n")]);
    let Run {
        code,
        stdout,
        stderr,
    } = workspace.run(&["lint"]);
    assert_eq!((code, stdout.as_str()), (1, ""));
    assert!(
        stderr.starts_with("error: kustomization.yaml:1:13: "),
        "{stderr}"
    );
    for check in ["refused", "undeclared-key"] {
        let Run { code, .. } = workspace.run(&["lint", "--allow", check]);
        assert_eq!(code, 2, "what a render refuses cannot be allowed");
    }
}

/// A tree of one file, without settings.
fn plain(object: &str) -> Workspace {
    Workspace::new(&[
        ("kustomization.yaml", "resources: [one.yaml]\n"),
        ("one.yaml", object),
    ])
}

const MOUNTED: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: one
spec:
  template:
    spec:
      containers:
      - name: a
        volumeMounts:
        - {name: file, mountPath: /a.yaml, subPath: a.yaml}
        - {name: whole, mountPath: /whole}
      volumes:
      - name: file
        secret: {secretName: files}
      - name: whole
        secret: {secretName: others}
";

#[test]
fn a_file_of_a_secret_that_never_changes() {
    let expected = "\
warning: one.yaml:11:11: a file of Secret `files` is mounted by `subPath`, which never changes in a running pod, and nothing restarts it [sub-path]
  11 |         - {name: file, mountPath: /a.yaml, subPath: a.yaml}
     |           ^
  in: Deployment.v1.apps/one.[noNs]
  field: spec.template.spec.containers.0.volumeMounts.0
hint: annotate the workload with `secret.reloader.stakater.com/reload: files` where Reloader runs, or mount the directory

warning: one.yaml:14:9: a file of Secret `files` is mounted by `subPath`, and the volume has no `items`: a key that is not there becomes an empty directory [sub-path]
  14 |       - name: file
     |         ^
  in: Deployment.v1.apps/one.[noNs]
  field: spec.template.spec.volumes.0
hint: name the key in `items` of the volume: the pod waits for it then

0 errors, 2 warnings
";
    finds(&plain(MOUNTED), &[], (0, expected));
    finds(
        &plain(MOUNTED),
        &["--allow", "sub-path"],
        (0, "0 errors, 0 warnings\n"),
    );
}

/// How many warnings there are of a Deployment with this annotation, on it and on its pods.
#[track_caller]
fn warns(annotation: &str, expected: usize) {
    let named = MOUNTED.replace(
        "secretName: files}",
        "secretName: files, items: [{key: a.yaml, path: a.yaml}]}",
    );
    let here = format!("metadata:\n  name: one\n  annotations: {{{annotation}}}\n");
    let inner = format!("  template:\n    metadata:\n      annotations: {{{annotation}}}\n");
    for text in [
        named.replace("metadata:\n  name: one\n", &here),
        named.replace("  template:\n", &inner),
    ] {
        let Run { stdout, .. } = plain(&text).run(&["lint"]);
        let count = stdout.matches("[sub-path]").count();
        assert_eq!(count, expected, "{annotation}\n{stdout}");
    }
}

#[test]
fn what_asks_for_a_restart() {
    for annotation in [
        "reloader.stakater.com/auto: 'true'",
        "secret.reloader.stakater.com/auto: 'true'",
        "secret.reloader.stakater.com/reload: 'other, files'",
        "secret.reloader.stakater.com/reload: 'fil.*'",
        "secrets.infisical.com/auto-reload: 'true'",
    ] {
        warns(annotation, 0);
    }
    for annotation in [
        "reloader.stakater.com/auto: 'false'",
        "secret.reloader.stakater.com/reload: 'other, file'",
        "secret.reloader.stakater.com/reload: '(files'",
        "configmap.reloader.stakater.com/reload: files",
        "configmap.reloader.stakater.com/auto: 'true'",
    ] {
        warns(annotation, 1);
    }
}

/// What the tree generates starts other pods by its name.
#[test]
fn a_file_of_a_generated_object_is_fine() {
    let workspace = plain(MOUNTED);
    workspace.write(
        "kustomization.yaml",
        "namePrefix: x-\nresources: [one.yaml]\nsecretGenerator: [{name: files, literals: [a.yaml=a]}]\n",
    );
    finds(&workspace, &[], (0, "0 errors, 0 warnings\n"));
    // Of the other kind it is another object.
    workspace.write(
        "kustomization.yaml",
        "resources: [one.yaml]\nconfigMapGenerator: [{name: files, literals: [a.yaml=a]}]\n",
    );
    assert!(
        workspace
            .run(&["lint"])
            .stdout
            .ends_with("0 errors, 2 warnings\n")
    );
}

#[test]
fn objects_of_the_operator() {
    let workspace = plain(
        "\
apiVersion: secrets.infisical.com/v1beta1
kind: InfisicalConnection
metadata: {name: one, namespace: a}
spec: {address: https://app.infisical.com/api}
---
apiVersion: secrets.infisical.com/v1beta1
kind: InfisicalStaticSecret
metadata: {name: two, namespace: a}
spec:
  syncOptions: {refreshInterval: 1m30s}
  targets:
  - namespace: b
    creationPolicy: Owner
    template:
      data:
        a.yaml: '{{ .A_YAML.Value }}'
        b.yaml: '{{ (secretFrom \"/b\" \"b.yaml\").Value }}'
---
apiVersion: secrets.infisical.com/v1alpha1
kind: InfisicalSecret
metadata: {name: three, namespace: a}
spec:
  syncConfig: {resyncInterval: 5m}
  managedKubeSecretReferences:
  - {secretNamespace: b, creationPolicy: Orphan}
",
    );
    let Run { stdout, code, .. } = workspace.run(&["lint"]);
    let lines: Vec<&str> = stdout
        .lines()
        .filter(|line| line.starts_with("warning: ") || line.starts_with("  field: "))
        .collect();
    let expected = [
        "warning: one.yaml:4:17: the operator adds `/api` to the `address` once more, and finds nothing there [operator]",
        "  field: spec.address",
        "warning: one.yaml:10:34: `1m30s` is no interval for the operator [operator]",
        "  field: spec.syncOptions.refreshInterval",
        "warning: one.yaml:12:16: an object of another namespace cannot be owned: the operator writes nothing [operator]",
        "  field: spec.targets.0.namespace",
        "warning: one.yaml:16:17: a key that is not in Infisical becomes the text `<no value>` here, or an empty one, and the operator reports success [operator]",
        "  field: spec.targets.0.template.data.a.yaml",
        "warning: one.yaml:23:32: with `5m` a change in Infisical may take longer than two minutes to be live [operator]",
        "  field: spec.syncConfig.resyncInterval",
    ];
    assert_eq!(lines, expected, "{stdout}");
    assert_eq!(code, 0);
}

/// The manifests of this repository have none of it.
#[test]
fn the_pilot_has_nothing_wrong() {
    let workspace = Workspace::of_manifests();
    for directory in ["environments/dev", "environments/prod", "revisions"] {
        let path = format!("manifests/pilot/{directory}");
        finds(
            &workspace,
            &[&path, "--strict"],
            (0, "0 errors, 0 warnings\n"),
        );
        let file = format!("{path}/kustomization.yaml");
        let text = workspace.read(&file);
        let older = text
            .replace("  # - ../../", "  - ../../")
            .replace("# components:\n#   -", "components:\n  -");
        assert_ne!(text, older);
        workspace.write(&file, older);
        finds(
            &workspace,
            &[&path, "--strict"],
            (0, "0 errors, 0 warnings\n"),
        );
    }
}
