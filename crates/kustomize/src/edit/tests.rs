use crate::edit::Edits;
use crate::{Error, MemoryFiles, Options, Related, build};

const DEPLOYMENT: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  replicas: 1\n  template:\n    spec: {containers: [{name: a, image: app}]}\n";

fn built(files: &[(&str, &str)], edits: Edits) -> Result<String, Error> {
    let mut tree = MemoryFiles::new();
    tree.insert("/r/app/web.yaml", DEPLOYMENT);
    for (path, text) in files {
        tree.insert(&format!("/r/{path}"), *text);
    }
    let edits = Edits {
        asked_by: "parameter".into(),
        ..edits
    };
    let options = Options {
        named_from: Some("/r".into()),
        edits,
        ..Options::default()
    };
    build(&tree, "/r/app", &options)?.to_yaml()
}

/// The message with its file and line, the places beside it, and what needed it.
fn told(files: &[(&str, &str)], edits: Edits) -> String {
    let error = built(files, edits).unwrap_err();
    let details = error.details();
    let mut parts = vec![format!(
        "{}:{}: {}",
        details.file.as_deref().unwrap_or_default(),
        details.position.line,
        details.message
    )];
    let place = |related: &Related| {
        let file = related.file.as_deref().unwrap_or_default();
        format!("{} {file}", related.text)
    };
    parts.extend(details.related.iter().map(place));
    parts.extend(details.trail.iter().cloned());
    parts.join(" | ")
}

fn pairs(list: &[(&str, &str)]) -> std::collections::BTreeMap<String, String> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    list.iter().map(owned).collect()
}

#[test]
fn an_empty_kustomization_may_get_all_from_its_edits() {
    let component = (
        "part/kustomization.yaml",
        "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nconfigMapGenerator: [{name: a, options: {disableNameSuffixHash: true}}]\n",
    );
    let edits = || Edits {
        components: vec!["../part".into()],
        ..Edits::default()
    };
    for text in [
        "",
        "# nothing\n",
        "kind: Kustomization\n",
        "resources: []\n",
    ] {
        let files = [("app/kustomization.yaml", text), component];
        let built = built(&files, edits()).unwrap();
        assert_eq!(
            built,
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n"
        );
    }
    let message = told(&[("app/kustomization.yaml", "")], Edits::default());
    assert_eq!(
        message,
        "app/kustomization.yaml:0: the kustomization file is empty"
    );
}

#[test]
fn bases_are_not_edited() {
    let files = [
        (
            "base/kustomization.yaml",
            "resources: [a.yaml]\nnamePrefix: base-\n",
        ),
        (
            "base/a.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n",
        ),
        (
            "app/kustomization.yaml",
            "resources: [../base]\nnamePrefix: app-\n",
        ),
    ];
    let edits = Edits {
        name_prefix: "new-".into(),
        ..Edits::default()
    };
    assert!(built(&files, edits).unwrap().contains("name: new-base-a\n"));
}

#[test]
fn errors_point_into_the_file_or_name_what_was_asked_for() {
    let kustomization = |text| [("app/kustomization.yaml", text)];
    let labels = Edits {
        common_labels: pairs(&[("app", "x"), ("new", "y")]),
        ..Edits::default()
    };
    assert_eq!(
        told(
            &kustomization("resources: [web.yaml]\ncommonLabels:\n  other: a\n  app: b\n"),
            labels.clone()
        ),
        "app/kustomization.yaml:4: the label `app` is in the kustomization already | asked for by <parameter commonLabels>"
    );
    assert_eq!(
        told(
            &kustomization("resources: [web.yaml]\nlabels:\n- pairs: {app: b}\n"),
            Edits {
                label_without_selector: true,
                ..labels
            }
        ),
        "app/kustomization.yaml:3: the label `app` is in the kustomization already | asked for by <parameter commonLabels>"
    );
    let replicas = Edits {
        replicas: [("none".to_owned(), 3)].into(),
        ..Edits::default()
    };
    assert_eq!(
        told(&kustomization("resources: [web.yaml]\n"), replicas.clone()),
        "<parameter replicas>:0: no resource named `none` has replicas"
    );
    // What is wrong in the file itself is told with its line.
    assert!(
        told(
            &kustomization("resources: [web.yaml]\n\nimags: []\n"),
            replicas
        )
        .starts_with("app/kustomization.yaml:3: unknown field `imags`")
    );
}

#[test]
fn errors_in_patches_name_the_entry() {
    let kustomization = [("app/kustomization.yaml", "resources: [web.yaml]\n")];
    let patches = |text: &str| Edits {
        patches: vec![
            "patch: |-\n  kind: x\n  metadata: {name: y}\ntarget: {kind: Service}".into(),
            text.into(),
        ],
        ..Edits::default()
    };
    for (text, expected) in [
        ("pach: x", "<parameter patches[1]>:1: unknown field `pach`"),
        ("patch: [", "<parameter patches[1]>:2: invalid YAML"),
        (
            "a text",
            "<parameter patches[1]>:1: an entry of `patches` must be a map",
        ),
        ("", "<parameter patches[1]>:0: a patch is empty"),
        (
            "target: {kind: Deployment}",
            "<parameter patches[1]>:1: an entry of `patches` needs",
        ),
        (
            "target:\n  kind: Deployment\npatch: |-\n  - op: remove\n    path: /none",
            "<parameter patches[1]>:5: ",
        ),
        (
            "patch: |-\n  apiVersion: apps/v1\n  kind: Deployment\n  metadata: {name: other}",
            "<parameter patches[1]>:4: ",
        ),
        (
            "path: none.yaml",
            "<parameter patches[1]>:1: cannot read `none.yaml`",
        ),
        (
            "path: a\noptions: {other: true}",
            "<parameter patches[1]>:2: unknown field `other`",
        ),
    ] {
        let message = told(&kustomization, patches(text));
        assert!(message.starts_with(expected), "{message}");
    }
}

#[test]
fn errors_in_components_name_the_entry() {
    let kustomization = [("app/kustomization.yaml", "resources: [web.yaml]\n")];
    let components = |path: &str| Edits {
        components: vec![path.into()],
        ..Edits::default()
    };
    assert_eq!(
        told(&kustomization, components("../none")),
        "<parameter components[0]>:0: cannot read `../none`: no such file or directory"
    );
    let files = [
        kustomization[0],
        ("part/kustomization.yaml", "kind: Component\nresorces: []\n"),
        ("base/kustomization.yaml", "resources: [a.yaml]\n"),
    ];
    assert_eq!(
        told(&files, components("../part")),
        "part/kustomization.yaml:2: unknown field `resorces` | `../part` in <parameter components[0]>"
    );
    assert!(
        told(&files, components("../base")).starts_with(
            "<parameter components[0]>:0: `base` is listed under `components`, but it is a kustomization"
        )
    );
}

#[test]
fn components_that_are_missing() {
    let part = |name: &str| {
        format!(
            "kind: Component\nconfigMapGenerator: [{{name: {name}, options: {{disableNameSuffixHash: true}}}}]\n"
        )
    };
    let (one, two) = (part("one"), part("two"));
    let files = [
        ("app/kustomization.yaml", "resources: [web.yaml]\n"),
        ("parts/one/kustomization.yaml", one.as_str()),
        ("parts/two/Kustomization", two.as_str()),
        ("parts/none/other.yaml", ""),
        ("parts/.hidden/other.yaml", ""),
    ];
    let edits = |ignore| Edits {
        components: [
            "../gone",
            "../parts/none",
            "../parts/two",
            "../parts/one",
            "../parts/two",
        ]
        .map(str::to_owned)
        .to_vec(),
        ignore_missing_components: ignore,
        ..Edits::default()
    };
    // All that are there, also behind one that is missing.
    let text = built(&files, edits(true)).unwrap();
    assert!(
        text.contains("name: one\n") && text.contains("name: two\n"),
        "{text}"
    );
    assert!(
        told(&files, edits(false))
            .starts_with("<parameter components[0]>:0: cannot read `../gone`")
    );
    let pattern = |pattern: &str| Edits {
        components: vec![pattern.to_owned()],
        ..Edits::default()
    };
    let text = built(&files, pattern("../parts/[ot]*")).unwrap();
    assert!(
        text.contains("name: one\n") && text.contains("name: two\n"),
        "{text}"
    );
    assert!(told(&files, pattern("../parts/*")).contains("none"));
}

#[test]
fn arguments_that_are_none() {
    let wrong = |edits: Edits| {
        let errors = edits.check();
        let place = |error: &Error| error.details().file.clone().unwrap_or_default();
        errors.iter().map(place).collect::<Vec<_>>()
    };
    let list = |texts: &[&str]| {
        texts
            .iter()
            .map(|text| (*text).to_owned())
            .collect::<Vec<_>>()
    };
    let edits = Edits {
        images: list(&["a:1", "-a:1", "a", ""]),
        components: list(&["a", "--help", ""]),
        replicas: [("a=b".to_owned(), 1), ("a".to_owned(), 1)].into(),
        common_labels: pairs(&[("a", "b"), ("", ""), ("a:b", "c")]),
        common_annotations: pairs(&[("-a", "b"), ("a=b", "")]),
        label_include_templates: true,
        patches: list(&["path: a", "x: y"]),
        ..Edits::default()
    };
    assert_eq!(
        wrong(edits),
        [
            "<images[1]>",
            "<images[3]>",
            "<replicas>",
            "<commonLabels>",
            "<commonLabels>",
            "<commonAnnotations>",
            "<components[1]>",
            "<components[2]>",
            "<images[2]>",
            "<labelIncludeTemplates>",
            "<patches[1]>",
        ]
    );
    assert_eq!(wrong(Edits::default()), [""; 0]);
}
