//! What a value may not do when a replacement or a variable carries it somewhere.

use crate::workspace::{Run, Workspace};

const DECLARED: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\n  annotations:\n    \
                        config.kubernetes.io/local-config: \"true\"\n    argocd-infisical.io/declare: settings\ndata:\n  V: \
                        get\n  W: other\n";

const ROLE: &str = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: one}\nrules: [{verbs: \
                    [get]}]\n";

/// Renders an object with a value for `V` and the given rest of the kustomization.
fn render(object: &str, rest: &str, value: &str) -> Run {
    let workspace = Workspace::new(&[("settings.yaml", DECLARED), ("object.yaml", object)]);
    workspace.write(
        "kustomization.yaml",
        format!("resources: [settings.yaml, object.yaml]\n{rest}"),
    );
    workspace.write(
        "references.yaml",
        "varReference:\n- {kind: ClusterRole, path: rules/verbs}\n",
    );
    let quoted = value.replace('\'', "''").replace('\n', "\n\n");
    workspace.write(
        "values.yaml",
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: v}}\ndata:\n  V: '{quoted}'\n"),
    );
    workspace.run(&["render", "--settings", "values.yaml"])
}

#[track_caller]
fn refused(run: &Run, what: &str) {
    assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{}", run.stderr);
    assert!(run.stderr.contains(what), "{}", run.stderr);
}

fn replacement(options: &str, target: &str) -> String {
    format!(
        "replacements:\n- source: {{kind: ConfigMap, name: settings, fieldPath: data.V{options}}}\n  targets:\n  - {target}\n"
    )
}

#[test]
fn a_variable_gives_no_permission() {
    let rest = "configurations: [references.yaml]\nvars:\n- name: V\n  objref: {apiVersion: v1, kind: ConfigMap, name: \
                settings}\n  fieldref: {fieldpath: data.V}\n";
    let object = ROLE.replace("[get]}", "[$(V)]}");
    refused(
        &render(&object, rest, "delete"),
        "is carried into an RBAC object",
    );
}

#[test]
fn a_replacement_gives_no_permission_whatever_the_value() {
    let target = "{select: {kind: ClusterRole}, fieldPaths: [rules.0.verbs.0]}";
    refused(
        &render(ROLE, &replacement("", target), "*"),
        "is carried into an RBAC object",
    );
    let options = ", options: {delimiter: x, index: 0}";
    refused(
        &render(ROLE, &replacement(options, target), "listxyz"),
        "is carried into an RBAC object",
    );
}

#[test]
fn a_changed_hash_in_an_rbac_object_is_no_change_of_permissions() {
    let object = format!("{ROLE}---\napiVersion: v1\nkind: Service\nmetadata: {{name: one}}\nspec: {{externalName: x}}\n")
        .replace("verbs: [get]", "resources: [configmaps], resourceNames: [made], verbs: [get]");
    let rest = replacement(
        "",
        "{select: {kind: Service}, fieldPaths: [spec.externalName]}",
    ) + "configMapGenerator:\n- name: made\n  literals: [\"A=${{ settings.V }}\"]\n  options: {annotations: \
           {argocd-infisical.io/template: \"true\"}}\n";
    let run = render(&object, &rest, "here");
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stdout.contains("externalName: here"), "{}", run.stdout);
}

#[test]
fn a_value_stays_a_text_in_embedded_yaml() {
    let object = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\ndata:\n  config.yaml: |\n    title: x\n    admin: \
                  false\n";
    let target = "{select: {name: one}, fieldPaths: ['data.config\\.yaml.title']}";
    let run = render(object, &replacement("", target), "{\"admin\":true}");
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(
        run.stdout.contains("    title: '{\"admin\":true}'\n"),
        "{}",
        run.stdout
    );
}

#[test]
fn a_value_decides_not_which_objects_there_are() {
    let base = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: one, labels: {drop: x}}\n";
    let workspace = Workspace::new(&[
        ("base/settings.yaml", DECLARED),
        ("base/object.yaml", base),
        (
            "kustomization.yaml",
            "resources: [base]\npatches:\n- target: {labelSelector: drop=yes}\n  patch: '{apiVersion: v1, kind: x, metadata: \
             {name: x}, $patch: delete}'\n",
        ),
        ("some.env", "V=yes\n"),
    ]);
    let rest = replacement(
        "",
        "{select: {name: one}, fieldPaths: [metadata.labels.drop]}",
    );
    workspace.write(
        "base/kustomization.yaml",
        format!("resources: [settings.yaml, object.yaml]\n{rest}"),
    );
    refused(
        &workspace.run(&["render", "--settings", "some.env"]),
        "a setting decides",
    );
    let marked = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: one\n  annotations:\n    \
                  argocd-infisical.io/template: \"true\"\n    config.kubernetes.io/local-config: \"${{ settings.V }}\"\n";
    refused(
        &render(marked, "", "x"),
        "in an annotation that decides what becomes of the object",
    );
}

#[test]
fn a_value_is_never_read_as_a_placeholder() {
    let object = "apiVersion: v1\nkind: Service\nmetadata:\n  name: one\n  annotations:\n    argocd-infisical.io/template: \
                  \"true\"\nspec: {externalName: \"${{ x }}\", other: x}\n";
    let part = "{select: {name: one}, fieldPaths: [spec.externalName], options: {delimiter: \" \", index: 1}}";
    let run = render(object, &replacement("", part), "settings.W");
    refused(
        &run,
        "is carried into a text that has placeholders of its own",
    );
    assert!(!run.stderr.contains("settings.W"), "{}", run.stderr);
    let object = object.replace("${{ x }}", "plain");
    let whole = "{select: {name: one}, fieldPaths: [spec.other]}";
    for value in [
        "${{ settings.W }}",
        "$${{ settings.W }}",
        "${{ broken",
        "\u{fdd0}$",
    ] {
        let run = render(&object, &replacement("", whole), value);
        assert_eq!(run.code, 0, "{}", run.stderr);
        assert!(run.stdout.contains(value), "{value}: {}", run.stdout);
    }
}

#[test]
fn a_value_is_never_read_as_a_variable_whatever_its_characters() {
    let object = "apiVersion: v1\nkind: Service\nmetadata:\n  name: one\n  annotations:\n    argocd-infisical.io/template: \
                  \"true\"\n    a: ${{ settings.V }}$(HOST)\n    b: $(VALUE)\nspec: {externalName: x}\n";
    let rest = "vars:\n- name: HOST\n  objref: {apiVersion: v1, kind: Service, name: one}\n  fieldref: {fieldpath: \
                spec.externalName}\n- name: VALUE\n  objref: {apiVersion: v1, kind: ConfigMap, name: settings}\n  \
                fieldref: {fieldpath: data.V}\n";
    for value in [
        "$(HOST)",
        "$(HOST)\u{10fffd}",
        "$(HOST)\u{e000}$$\u{f0000}",
        "\u{10fffd}",
    ] {
        let run = render(object, rest, value);
        assert_eq!(run.code, 0, "{}", run.stderr);
        let object = goyaml::parse(run.stdout.as_bytes(), &goyaml::Limits::default());
        let object = object.unwrap().unwrap();
        let text = |key: &str| {
            object
                .get_path(&["metadata", "annotations", key])
                .and_then(goyaml::Node::to_text)
        };
        assert_eq!(text("a"), Some(format!("{value}x").into()));
        assert_eq!(text("b"), Some(value.into()));
    }
}

#[test]
fn a_value_is_no_patch() {
    let workspace = Workspace::new(&[
        ("settings.yaml", DECLARED),
        (
            "kustomization.yaml",
            "resources: [settings.yaml, object.yaml]\ntransformers: [plugins]\n",
        ),
        (
            "object.yaml",
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: one}\nspec: {replicas: 1}\n",
        ),
        ("plugins/settings.yaml", DECLARED),
        (
            "plugins/plugin.yaml",
            "apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: p}\ntarget: {kind: Deployment}\npatch: |-\n  - {op: \
             add, path: /spec/a, value: true}\n",
        ),
        (
            "some.env",
            "V='[{op: add, path: /spec/hostNetwork, value: true}]'\n",
        ),
    ]);
    let rest = replacement(
        "",
        "{select: {kind: PatchTransformer}, fieldPaths: [patch]}",
    );
    workspace.write(
        "plugins/kustomization.yaml",
        format!(
            "resources: [settings.yaml, plugin.yaml]\n{rest}transformers:\n- |-\n  apiVersion: builtin\n  kind: \
             PatchTransformer\n  metadata: {{name: d}}\n  target: {{kind: ConfigMap}}\n  patch: '{{apiVersion: v1, kind: x, \
             metadata: {{name: x}}, $patch: delete}}'\n"
        ),
    );
    let run = workspace.run(&["render", "--settings", "some.env"]);
    assert!(!run.stdout.contains("hostNetwork"), "{}", run.stdout);
}

#[test]
fn a_declared_key_that_a_layer_takes_away_is_missed() {
    let workspace = Workspace::new(&[
        ("base/settings.yaml", DECLARED),
        ("base/kustomization.yaml", "resources: [settings.yaml]\n"),
        (
            "kustomization.yaml",
            "resources: [base]\npatches:\n- patch: '{apiVersion: v1, kind: ConfigMap, metadata: {name: settings}, data: {V: \
             null}}'\n",
        ),
    ]);
    refused(
        &workspace.run(&["render"]),
        "a layer has taken away the declared key `V`",
    );
}

#[test]
fn a_value_is_no_schema() {
    for target in [
        "{select: {name: settings}, fieldPaths: ['metadata.annotations.[argocd-infisical.io/schema]'], options: {create: true}}",
        "{select: {name: one}, fieldPaths: ['metadata.annotations.[argocd-infisical.io/declare]'], options: {create: true}}",
    ] {
        let object = DECLARED
            .replace("name: settings", "name: one")
            .replace("    argocd-infisical.io/declare: settings\n", "")
            .replace("V:", "hunter2:");
        let value = if target.contains("declare]") {
            "settings"
        } else {
            "hunter2: {type: hunter2}"
        };
        let run = render(&object, &replacement("", target), value);
        refused(
            &run,
            "is carried into the metadata of a ConfigMap that declares settings",
        );
        assert!(!run.stderr.contains("hunter2"), "{}", run.stderr);
    }
}

#[test]
fn a_value_is_in_no_object_of_a_list() {
    let object = "apiVersion: example.org/v1\nkind: Any\nmetadata: {name: one}\nitems:\n- apiVersion: \
                  rbac.authorization.k8s.io/v1\n  kind: ClusterRole\n  metadata: {name: two}\n  rules: [{verbs: [get]}]\n";
    let target = "{select: {kind: Any}, fieldPaths: [items.0.rules.0.verbs.0]}";
    refused(
        &render(object, &replacement("", target), "*"),
        "is carried into top-level `items`",
    );
    let object = object
        .replace(
            "{name: one}",
            "{name: one, annotations: {argocd-infisical.io/template: \"true\"}}",
        )
        .replace("[{verbs: [get]}]", "${{ settings.V }}");
    let run = render(&object, "", "x");
    refused(&run, "no setting may go into `items.0.rules`");
}
