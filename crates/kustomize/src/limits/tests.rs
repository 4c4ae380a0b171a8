use super::Limits;
use crate::{MemoryFiles, Options, build};

const OBJECT: &str = "kind: Foo\napiVersion: v1\nmetadata:\n  name: d\nspec:\n  a: xxxxxxxx\n";

fn files(list: &[(&str, &str)]) -> MemoryFiles {
    let mut files = MemoryFiles::new();
    for (path, text) in list {
        files.insert(path, *text);
    }
    files
}

fn message(files: &MemoryFiles, limits: Limits) -> String {
    let options = Options {
        limits,
        ..Options::default()
    };
    build(files, "/r", &options)
        .and_then(|output| output.to_yaml())
        .expect_err("the limit is kept")
        .to_string()
}

/// The message for a kustomization with one object.
fn message_for(kustomization: &str, limits: Limits) -> String {
    let kustomization = format!("resources: [a.yaml]\n{kustomization}");
    message(
        &files(&[
            ("/r/kustomization.yaml", &kustomization),
            ("/r/a.yaml", OBJECT),
        ]),
        limits,
    )
}

fn chain(field: &str, kind: &str, count: usize, copies: usize) -> MemoryFiles {
    let mut files = MemoryFiles::new();
    files.insert("/r/kustomization.yaml", format!("{field}: [../c0]\n"));
    for number in 0..count {
        let next = format!("../c{},", number + 1).repeat(copies);
        let text = format!("kind: {kind}\nnamePrefix: x\n{field}: [{next}]\n");
        files.insert(&format!("/c{number}/kustomization.yaml"), text);
    }
    let last = format!("/c{count}/kustomization.yaml");
    files.insert(&last, format!("kind: {kind}\nnamePrefix: x\n"));
    files
}

#[test]
fn kustomizations_are_counted_as_often_as_they_are_listed() {
    for (field, kind) in [("components", "Component"), ("resources", "Kustomization")] {
        let error = message(&chain(field, kind, 30, 2), Limits::default());
        assert!(
            error.contains("the build opens more than 20000 kustomizations"),
            "{error}"
        );
    }
}

#[test]
fn kustomizations_are_nested_only_so_far() {
    for (field, kind) in [("components", "Component"), ("resources", "Kustomization")] {
        let error = message(&chain(field, kind, 150, 1), Limits::default());
        assert!(
            error.contains("more than 100 kustomizations are inside one another"),
            "{error}"
        );
    }
}

#[test]
fn replacements_copy_only_so_much() {
    let mut replacements = "replacements:\n".to_owned();
    for number in 0..40 {
        let target = format!(
            "{{select: {{kind: Foo}}, options: {{create: true}}, fieldPaths: [spec.k{number}]}}"
        );
        let source = "{kind: Foo, fieldPath: spec}";
        replacements.extend([format!("- {{source: {source}, targets: [{target}]}}\n")]);
    }
    let limits = Limits {
        content: 1 << 20,
        ..Limits::default()
    };
    let error = message_for(&replacements, limits);
    assert!(
        error.contains("the build loads, generates and copies more than 1048576 bytes"),
        "{error}"
    );
}

#[test]
fn paths_and_what_they_make_are_only_so_deep() {
    let replacement = |source: &str, path: &str| {
        format!(
            "replacements:\n- {source}\n  targets:\n  - select: {{kind: Foo}}\n    options: {{create: true}}\n    \
             fieldPaths: [spec{path}]\n"
        )
    };
    let cases = [
        (
            replacement("sourceValue: x", &".a".repeat(1_000_000)),
            "a path has more than 1000 parts",
        ),
        (
            replacement(
                "source: {kind: Foo, fieldPath: metadata}",
                &".a".repeat(999),
            ),
            "the object would be deeper than 1000 levels",
        ),
        (
            format!(
                "labels:\n- pairs: {{a: b}}\n  fields:\n  - {{path: spec{}, create: true}}\n",
                "/b".repeat(1_000_000)
            ),
            "a path has more than 1000 parts",
        ),
    ];
    for (kustomization, expected) in cases {
        let error = message_for(&kustomization, Limits::default());
        assert!(
            error.contains(expected),
            "{}",
            error.get(..200).unwrap_or(&error)
        );
    }
}

#[test]
fn what_is_too_much_is_not_written() {
    let limits = Limits {
        output: 40,
        ..Limits::default()
    };
    assert_eq!(message_for("", limits), "the output has more than 40 bytes");
}

#[test]
fn aliases_of_a_long_text_count() {
    let object = format!(
        "{OBJECT}  long: &x {}\n  list: [{}]\n",
        "x".repeat(1_000_000),
        "*x,".repeat(20_000)
    );
    let files = files(&[
        ("/r/kustomization.yaml", "resources: [a.yaml]"),
        ("/r/a.yaml", &object),
    ]);
    let error = message(&files, Limits::default());
    assert!(
        error.contains("the build loads, generates and copies more than 1073741824 bytes"),
        "{error}"
    );
}

#[test]
fn an_affix_is_counted_for_each_name() {
    let limits = Limits {
        content: 5_000,
        ..Limits::default()
    };
    let error = message_for(&format!("namePrefix: {}", "x".repeat(4_500)), limits);
    assert!(error.contains("more than 5000 bytes"), "{error}");
}
