//! What becomes of placeholders.

use std::fmt::Write as _;

use crate::workspace::Workspace;

const DECLARED: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\n  annotations:\n    \
                        config.kubernetes.io/local-config: \"true\"\n    argocd-infisical.io/declare: settings\n    \
                        argocd-infisical.io/schema: \"BLOCK: {type: yaml}\"\ndata:\n  HOST: ha.example.org\n  N: \"3\"\n  ON: \"true\"\n  F: \"1.50\"\n  BLOCK: |\n    a: 1 # one\n    b: [\"2\", x]\n  \
                        LINES: |\n    first\n    second\n  EMPTY: \"\"\n  QUOTE: \"a: \\\"b\\\" # {c} 'd'\"\n";

/// A workspace with the settings above and this object.
fn workspace(object: &str) -> Workspace {
    Workspace::new(&[
        (
            "kustomization.yaml",
            "resources: [settings.yaml, object.yaml]\n",
        ),
        ("settings.yaml", &DECLARED.replace("  EMPTY: \"\"\n", "")),
        ("object.yaml", object),
    ])
}

fn marked(head: &str, rest: &str) -> String {
    format!(
        "{head}metadata:\n  name: one\n  annotations:\n    argocd-infisical.io/template: \"true\"\n{rest}"
    )
}

const POD: &str = "apiVersion: v1\nkind: Pod\n";
const CONFIG_MAP: &str = "apiVersion: v1\nkind: ConfigMap\n";

#[track_caller]
fn fails(object: &str, expected: &str) {
    let run = workspace(object).run(&["render"]);
    assert_eq!((run.code, run.stdout.as_str()), (1, ""));
    assert!(run.stderr.starts_with(expected), "{}", run.stderr);
}

#[test]
fn a_whole_scalar_takes_the_type_of_its_filter() {
    let object = marked(
        POD,
        "spec:\n  block: ${{ settings.BLOCK | yaml }}\n  bool: ${{ settings.ON | bool }}\n  float: \"${{ settings.F | float \
         }}\"\n  int: '${{ settings.N | int }}'\n  lines: ${{ settings.LINES }}\n  list:\n  - ${{ settings.N }}\n  quote: ${{ \
         settings.QUOTE }}\n  text: ${{ settings.ON }}\n",
    );
    let printed = workspace(&object).prints(&["render"]);
    let spec = "spec:\n  block:\n    a: 1\n    b:\n    - \"2\"\n    - x\n  bool: true\n  float: 1.5\n  int: 3\n  lines: |\n    first\n    \
                second\n  list:\n  - \"3\"\n  quote: 'a: \"b\" # {c} ''d'''\n  text: \"true\"\n";
    assert!(printed.ends_with(spec), "{printed}");
}

#[test]
fn texts_are_filled_in_place_and_other_braces_stay() {
    let object = marked(
        CONFIG_MAP,
        "data:\n  c: |\n    url: https://${{ settings.HOST }}:${{ settings.N | int }}/\n    jinja: {{ states('x') }} {% if a %}\n    \
         shell: ${HOME} $$ $(X)\n    escaped: $${{ settings.HOST }}\n  number: ${{ settings.N | int }}\n",
    );
    let printed = workspace(&object).prints(&["render"]);
    let data = "data:\n  c: |\n    url: https://ha.example.org:3/\n    jinja: {{ states('x') }} {% if a %}\n    shell: ${HOME} $$ \
                $(X)\n    escaped: ${{ settings.HOST }}\n  number: \"3\"\n";
    assert!(printed.contains(data), "{printed}");
}

#[test]
fn secrets_are_filled_within_their_base64() {
    let workspace = Workspace::new(&[
        (
            "kustomization.yaml",
            "resources: [settings.yaml]\nsecretGenerator:\n- name: s\n  literals: ['a=https://${{ settings.HOST }}']\n  options: \
             {disableNameSuffixHash: true, annotations: {argocd-infisical.io/template: 'true'}}\n",
        ),
        ("settings.yaml", &DECLARED.replace("  EMPTY: \"\"\n", "")),
    ]);
    let printed = workspace.prints(&["render"]);
    assert!(
        printed.contains("data:\n  a: aHR0cHM6Ly9oYS5leGFtcGxlLm9yZw==\n"),
        "{printed}"
    );
}

#[test]
fn a_changed_setting_changes_the_hash_and_what_refers_to_it() {
    let workspace = Workspace::new(&[
        (
            "kustomization.yaml",
            "resources: [settings.yaml, pod.yaml]\nconfigMapGenerator:\n- name: c\n  literals: ['a=${{ settings.HOST }}']\n  \
             options: {annotations: {argocd-infisical.io/template: 'true'}}\n",
        ),
        ("settings.yaml", &DECLARED.replace("  EMPTY: \"\"\n", "")),
        (
            "pod.yaml",
            "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  volumes:\n  - configMap: {name: c}\n    name: c\n",
        ),
        ("other.env", "HOST=other.example.org\n"),
    ]);
    let name = |text: &str| -> Vec<String> {
        text.lines()
            .map(str::trim)
            .filter_map(|line| line.strip_prefix("name: c-"))
            .map(str::to_owned)
            .collect()
    };
    let before = name(&workspace.prints(&["render"]));
    let after = name(&workspace.prints(&["render", "--settings", "other.env"]));
    assert_eq!((before.len(), before.first()), (2, before.last()));
    assert_eq!((after.len(), after.first()), (2, after.last()));
    assert_ne!(before, after);
}

#[test]
fn a_value_is_never_read_again() {
    let object = marked(CONFIG_MAP, "data:\n  a: ${{ settings.HOST }}\n  b: x\n");
    let workspace = workspace(&object);
    workspace.write(
        "kustomization.yaml",
        "resources: [settings.yaml, object.yaml]\nreplacements:\n- source: {kind: ConfigMap, name: settings, fieldPath: \
         data.HOST}\n  targets:\n  - select: {name: one}\n    fieldPaths: [data.b]\n",
    );
    workspace.write(
        "some.env",
        "HOST='$${{ settings.N }} ${{ settings.N }} ${{ \"'\n",
    );
    let printed = workspace.prints(&["render", "--settings", "some.env"]);
    let data = "data:\n  a: $${{ settings.N }} ${{ settings.N }} ${{ \"\n  b: $${{ settings.N }} ${{ settings.N }} ${{ \"\n";
    assert!(printed.contains(data), "{printed}");
}

#[test]
fn what_does_not_parse() {
    fails(
        &marked(POD, "spec:\n  a: x ${{ settings.HOST\n"),
        "error: object.yaml:8:6: a placeholder begins with `${{` and does not end\n  8 |   a: x ${{ settings.HOST\n    |      ^\n  \
         in: Pod.v1.[noGrp]/one.[noNs]\n  field: spec.a\nhint: close it with `}}`, or write `$${{` for the text `${{`\n",
    );
    fails(
        &marked(
            POD,
            "spec:\n  a: |\n    text\n    ${{ settings.HOST + 1 }}\n",
        ),
        "error: object.yaml:10: `+` has no meaning in a placeholder\n  10 |     ${{ settings.HOST + 1 }}\n",
    );
    fails(
        &marked(POD, "spec:\n  a: ${{ settings.HOST | }}\n"),
        "error: object.yaml:8:6: the placeholder is not one expression",
    );
    fails(
        &marked(POD, "spec:\n  a: ${{ settings.HOST | upper }}\n"),
        "error: object.yaml:8:6: unknown filter; there are ",
    );
    fails(
        &marked(POD, "spec:\n  a: ${{ github.sha }}\n"),
        "error: object.yaml:8:6: only `settings.KEY` can be read\n",
    );
}

#[test]
fn a_key_that_is_not_declared() {
    let run = workspace(&marked(POD, "spec:\n  a: ${{ settings.HOTS }}\n")).run(&["render"]);
    assert!(
        run.stderr
            .starts_with("error: object.yaml:8:6: setting `HOTS` is not declared\n"),
        "{}",
        run.stderr
    );
    assert!(
        run.stderr.ends_with("hint: did you mean `HOST`?\n"),
        "{}",
        run.stderr
    );
}

#[test]
fn where_no_setting_may_go() {
    let identity = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: one\n  namespace: ${{ settings.HOST }}\n  annotations: \
                    {argocd-infisical.io/template: \"true\"}\n";
    fails(
        identity,
        "error: object.yaml:5:14: no setting may go into `metadata.namespace`\n",
    );
    fails(
        &marked(POD, "spec:\n  ${{ settings.HOST }}: x\n"),
        "error: object.yaml:8:3: no setting may go into a key\n",
    );
    let role = marked(
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\n",
        "rules:\n- resourceNames: [\"${{ settings.HOST }}\"]\n",
    );
    fails(
        &role,
        "error: object.yaml:8:19: no setting may go into an RBAC object, which says who may do what\n",
    );
}

#[test]
fn a_block_needs_the_whole_field() {
    fails(
        &marked(CONFIG_MAP, "data:\n  a: x ${{ settings.BLOCK | yaml }}\n"),
        "error: object.yaml:8:6: `yaml` and `json` make a block, and this field is a text\n",
    );
}

#[test]
fn a_forgotten_mark() {
    let object = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: one\nspec:\n  a:\n  - |\n    x\n    ${{ settings.HOST }}\n";
    fails(
        object,
        "error: object.yaml:9: a placeholder stands in a resource that is not marked as a template\n  9 |     ${{ settings.HOST \
         }}\n  in: Pod.v1.[noGrp]/one.[noNs]\n  field: spec.a.0\nhint: add the annotation `argocd-infisical.io/template: \
         \"true\"` to fill it, or `\"false\"` to keep it as text\n",
    );
    let silenced = object.replace(
        "  name: one\n",
        "  name: one\n  annotations: {argocd-infisical.io/template: \"false\"}\n",
    );
    assert!(
        workspace(&silenced)
            .prints(&["render"])
            .contains("${{ settings.HOST }}")
    );
    let definition = object.replace(
        "v1\nkind: Pod",
        "apiextensions.k8s.io/v1\nkind: CustomResourceDefinition",
    );
    assert!(
        workspace(&definition)
            .prints(&["render"])
            .contains("${{ settings.HOST }}")
    );
}

#[test]
fn a_default_makes_a_key_dispensable() {
    let object = marked(
        POD,
        "spec:\n  a: ${{ settings.EMPTY | default(\"none\") }}\n",
    );
    let workspace = workspace(&object);
    workspace.write("settings.yaml", DECLARED);
    assert!(workspace.prints(&["render"]).contains("  a: none\n"));
    workspace.write("object.yaml", object.replace(" | default(\"none\")", ""));
    assert_eq!(workspace.run(&["render"]).code, 1);
}

#[test]
fn a_template_without_any_declaration() {
    let workspace = Workspace::new(&[
        ("kustomization.yaml", "resources: [object.yaml]\n"),
        (
            "object.yaml",
            &marked(POD, "spec:\n  a: ${{ settings.HOST }}\n"),
        ),
    ]);
    let run = workspace.run(&["render"]);
    assert_eq!((run.code, run.stdout.as_str()), (1, ""));
    let message =
        "error: object.yaml:8:6: a placeholder asks for a setting, and no settings are declared\n";
    assert!(run.stderr.starts_with(message), "{}", run.stderr);
    assert_eq!(workspace.run(&["build"]).code, 0);
    workspace.write(
        "object.yaml",
        marked(POD, "spec:\n  a: $${{ settings.HOST }} ${{ other }}\n"),
    );
    assert_eq!(workspace.prints(&["render"]), workspace.prints(&["build"]));
}

#[test]
fn a_hand_written_secret_says_that_it_encodes() {
    let secret = |filter: &str| {
        marked(
            "apiVersion: v1\nkind: Secret\n",
            &format!("data:\n  a: ${{{{ settings.HOST{filter} }}}}\n"),
        )
    };
    let printed = workspace(&secret(" | b64encode")).prints(&["render"]);
    assert!(
        printed.contains("data:\n  a: aGEuZXhhbXBsZS5vcmc=\n"),
        "{printed}"
    );
    fails(
        &secret(""),
        "error: object.yaml:8:6: the field holds base64, and the placeholder makes none\n",
    );
}

#[test]
fn a_replacement_cannot_carry_a_setting_into_an_identity() {
    let role = "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: one}\nrules: [{verbs: [get]}]\n";
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: one, namespace: here}\n";
    for (object, field, what) in [
        (
            role,
            "rules.0.verbs.0",
            "an RBAC object, which says who may do what\n  in: Role.",
        ),
        (
            pod,
            "metadata.namespace",
            "the name, namespace or kind of an object, or decides whether it is there\n  in: Pod.v1.[noGrp]/one.ha\n",
        ),
    ] {
        let workspace = workspace(object);
        let select = "replacements:\n- source: {kind: ConfigMap, name: settings, fieldPath: data.HOST, options: {delimiter: ., index: 0}}";
        workspace.write(
            "kustomization.yaml",
            format!("resources: [settings.yaml, object.yaml]\n{select}\n  targets:\n  - select: {{name: one}}\n    fieldPaths: [{field}]\n"),
        );
        assert_eq!(workspace.run(&["render"]).code, 0);
        workspace.write("some.env", "HOST=hunter2.x\n");
        let run = workspace.run(&["render", "--settings", "some.env"]);
        assert_eq!((run.code, run.stdout.as_str()), (1, ""));
        let expected = format!("error: object.yaml:1: a setting is carried into {what}");
        let stderr = run
            .stderr
            .replace("object.yaml:1:1:", "object.yaml:1:")
            .replace("    | ^\n", "")
            .replace("  1 | apiVersion: rbac.authorization.k8s.io/v1\n", "")
            .replace("  1 | apiVersion: v1\n", "");
        assert!(
            stderr.starts_with(&expected) && !run.stderr.contains("hunter2"),
            "{}",
            run.stderr
        );
    }
}

#[test]
fn a_value_may_look_like_a_part_of_a_name() {
    let workspace = workspace(&marked(POD, "spec:\n  a: ${{ settings.HOST }}\n"));
    workspace.write("some.env", "HOST=one\n");
    assert!(
        workspace
            .prints(&["render", "--settings", "some.env"])
            .contains("  a: one\n")
    );
}

#[test]
fn lines_of_files_that_are_generated() {
    let workspace = Workspace::new(&[
        (
            "base/kustomization.yaml",
            "resources: [settings.yaml]\nconfigMapGenerator:\n- name: marked\n  files: [app.conf]\n  options:\n    annotations: \
             {argocd-infisical.io/template: \"true\"}\n- name: unmarked\n  files: [app.conf]\n",
        ),
        ("base/settings.yaml", DECLARED),
        ("base/app.conf", "one\ntwo ${{ settings.HOTS }}\n"),
    ]);
    let message = "  `EMPTY`, declared at base/settings.yaml:20\nhint: give it with `--settings FILE`, or give it a default where \
                   it is declared\n\nerror: base/app.conf:2: setting `HOTS` is not declared\n  in: \
                   ConfigMap.v1.[noGrp]/marked.[noNs]\n  field: data.[app.conf]\nhint: did you mean `HOST`?\n\nerror: \
                   base/app.conf:2: a placeholder stands in a resource that is not marked as a template\n  in: \
                   ConfigMap.v1.[noGrp]/unmarked.[noNs]\n  field: data.[app.conf]\nhint: to the generator's \
                   `options.annotations` add `argocd-infisical.io/template: \"true\"` to fill it, or `\"false\"` to keep it \
                   as text\n";
    let message = format!("error: a required setting has no value\n{message}");
    workspace.fails(&["render", "base"], &message);
}

#[test]
fn parentheses_hide_no_setting() {
    for expression in [
        "(settings.HOST) | b64encode",
        "(settings).HOST",
        "( settings )[\"HOST\"]",
    ] {
        let unmarked = format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: one}}\nspec:\n  a: ${{{{ {expression} }}}}\n"
        );
        fails(
            &unmarked,
            "error: object.yaml:5:6: a placeholder stands in a resource that is not marked as a template\n",
        );
        let text = format!("'${{{{ {expression} }}}}'");
        fails(
            &marked(POD, &format!("spec:\n  a: {text}\n")),
            "error: object.yaml:8:6: `(` has a meaning only behind the name of a filter\n",
        );
        fails(
            &marked(POD, &format!("spec:\n  {text}: a\n")),
            "error: object.yaml:8:3: no setting may go into a key\n",
        );
        let role = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\n";
        fails(
            &marked(role, &format!("rules:\n- apiGroups: [{text}]\n")),
            "error: object.yaml:8:15: no setting may go into an RBAC object, which says who may do what\n",
        );
    }
}

#[test]
fn what_placeholders_put_in_is_bounded() {
    let text = "${{ settings.HOST }}".repeat(20);
    let mut object = marked(POD, "spec:\n");
    for index in 0..4 {
        writeln!(object, "  f{index}: {text}").unwrap();
    }
    let workspace = workspace(&object);
    workspace.write("values/HOST", "x".repeat(1 << 20));
    let run = workspace.run(&["render", "--settings", "values"]);
    assert_eq!((run.code, run.stdout.as_str()), (1, ""));
    let expected = "error: object.yaml:11:7: placeholders put more than 67108864 bytes of values into the resources\n";
    assert!(run.stderr.starts_with(expected), "{}", run.stderr);
    assert_eq!(run.stderr.matches("error:").count(), 1, "{}", run.stderr);
}

#[test]
fn what_aliases_of_a_value_stand_for_is_bounded() {
    let object = marked(POD, "spec:\n  a: ${{ settings.BLOCK | yaml }}\n");
    let workspace = workspace(&object);
    let aliases = "*a,".repeat(5_000);
    let value = format!("a: &a {}\nb: [{aliases}]\n", "x".repeat(100_000));
    workspace.write("values/BLOCK", value);
    let run = workspace.run(&["render", "--settings", "values"]);
    assert_eq!((run.code, run.stdout.as_str()), (1, ""));
    assert!(
        run.stderr
            .contains("placeholders put more than 67108864 bytes"),
        "{}",
        run.stderr
    );
}

#[test]
fn the_longest_value_goes_through_every_filter() {
    let object = marked(
        POD,
        "spec:\n  a: ${{ settings.HOST | b64encode }}\n  b: ${{ settings.BLOCK | yaml }}\n",
    );
    let workspace = workspace(&object);
    let text = "x".repeat(1 << 20);
    workspace.write("values/HOST", &text);
    workspace.write("values/BLOCK", format!("- {}\n", "x".repeat((1 << 20) - 3)));
    let printed = workspace.prints(&["render", "--settings", "values"]);
    assert!(printed.len() > 7 * (1 << 20) / 3, "{}", printed.len());
    let often = "${{ settings.HOST".to_owned() + &" | b64encode".repeat(100) + " }}";
    workspace.write(
        "object.yaml",
        marked(POD, &format!("spec:\n  a: {often}\n")),
    );
    let run = workspace.run(&["render", "--settings", "values"]);
    assert!(
        run.stderr.contains("the placeholder does too much"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_block_of_json_is_what_json_says() {
    let object = marked(POD, "spec:\n  a: ${{ settings.BLOCK | json }}\n");
    let workspace = workspace(&object);
    workspace.write(
        "settings.yaml",
        DECLARED
            .replace("  EMPTY: \"\"\n", "")
            .replace("{type: yaml}", "{type: json}")
            .replace(
                "  BLOCK: |\n    a: 1 # one\n    b: [\"2\", x]\n",
                "  BLOCK: \"{}\"\n",
            ),
    );
    workspace.write(
        "values/BLOCK",
        "{\"url\": \"https:\\/\\/\\ud83d\\ude00\", \"line\": \"a\u{85}b\", \"n\": [1, 2.50], \"yes\": \"no\"}",
    );
    let printed = workspace.prints(&["render", "--settings", "values"]);
    let spec = "spec:\n  a:\n    line: \"a\\Nb\"\n    \"n\":\n    - 1\n    - 2.5\n    url: \"https://\\U0001F600\"\n    \"yes\": \"no\"\n";
    assert!(printed.ends_with(spec), "{printed}");
    workspace.write("values/BLOCK", "{\"<<\": {\"hunter2\": 1}}");
    let run = workspace.run(&["render", "--settings", "values"]);
    assert_eq!((run.code, run.stdout.as_str()), (1, ""));
    assert!(
        run.stderr
            .contains("`BLOCK` must be an object or an array in JSON without a key `<<`"),
        "{}",
        run.stderr
    );
    assert!(!run.stderr.contains("hunter2"), "{}", run.stderr);
}
