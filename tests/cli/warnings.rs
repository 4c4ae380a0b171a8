//! Where kustomize changes data without a word, the bytes are the same and a warning says so.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use crate::workspace::{Run, Workspace};

/// Far more than what a build with ten thousand warnings takes, and far less than one that reads its files for each.
const BOUND: Duration = Duration::from_secs(10);

/// Runs `build`, which must succeed; what it printed, and what it warned of.
fn built(files: &[(&str, &str)]) -> (String, String) {
    let Run {
        code,
        stdout,
        stderr,
    } = Workspace::new(files).run(&["build"]);
    assert_eq!(code, 0, "{stderr}");
    (stdout, stderr)
}

#[test]
fn integers_that_a_json_patch_takes_through_floats() {
    let (stdout, stderr) = built(&[
        (
            "kustomization.yaml",
            "resources: [one.yaml]\npatches:\n- target: {kind: Thing}\n  patch: |-\n    - op: add\n      path: /spec/a\n      \
             value: 9007199254740995\n",
        ),
        (
            "one.yaml",
            "apiVersion: example.org/v1\nkind: Thing\nmetadata:\n  name: one\nspec:\n  ids:\n  - 9007199254740992\n  - \
             9007199254740993\n",
        ),
    ]);
    assert!(
        stdout.contains(
            "  a: 9007199254740996\n  ids:\n  - 9007199254740992\n  - 9007199254740992\n"
        )
    );
    let message = "warning: one.yaml:8:5: kustomize changes the last digits of this integer, because a JSON 6902 patch goes \
                   through 64-bit floats\n  8 |   - 9007199254740993\n    |     ^\n  in: Thing.v1.example.org/one.[noNs]\n  \
                   field: spec.ids[1]\nhint: patch the object with a strategic merge patch, which leaves its numbers alone, or \
                   put the number in quotes\nwarning: kustomization.yaml:6:13: kustomize changes the last digits of this \
                   integer, because a JSON 6902 patch goes through 64-bit floats\n  6 |       path: /spec/a\n    |             \
                   ^\n  in: Thing.v1.example.org/one.[noNs]\n  field: /spec/a\nhint: patch the object with a strategic merge \
                   patch, which leaves its numbers alone, or put the number in quotes\n";
    assert_eq!(stderr, message);
}

#[test]
fn a_suffix_that_is_added_twice() {
    let (stdout, stderr) = built(&[
        (
            "kustomization.yaml",
            "resources: [one.yaml]\nimages:\n- name: nginx\n  tagSuffix: -x\n",
        ),
        (
            "one.yaml",
            "apiVersion: v1\nkind: Pod\nmetadata:\n  name: one\nspec:\n  containers:\n  - image: nginx:1\n    name: a\n---\n\
             apiVersion: v1\nkind: Pod\nmetadata:\n  name: two\nspec:\n  containers:\n  - image: nginx:2\n    name: a\n",
        ),
    ]);
    assert!(stdout.contains("image: nginx:1-x-x\n"));
    let message = "warning: kustomization.yaml:3:3: kustomize adds `tagSuffix` twice to this image, which is in a list of \
                   containers\n  3 | - name: nginx\n    |   ^\n  in: Pod.v1.[noGrp]/one.[noNs], and 1 more\n  field: \
                   spec.containers[].image\nhint: write half of it, or use `newTag`\n";
    assert_eq!(stderr, message);
}

#[test]
fn folded_texts_dates_and_words() {
    let (stdout, stderr) = built(&[
        (
            "kustomization.yaml",
            "resources: [one.yaml]\npatches:\n- target: {kind: Thing}\n  patch: |-\n    - {op: add, path: /spec/on, value: yes}\n",
        ),
        (
            "one.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: one\ndata:\n  version: 2012-10-17\n  text: >\n    a\n      b\n    \
             c\n---\napiVersion: example.org/v1\nkind: Thing\nmetadata:\n  name: one\nspec: {}\n",
        ),
    ]);
    assert!(
        stdout
            .contains("  text: |\n    a\n\n      b\n    c\n  version: \"2012-10-17T00:00:00Z\"\n")
    );
    assert!(stdout.contains("\n  \"on\": true\n"));
    let lines: Vec<&str> = stderr
        .lines()
        .filter(|line| line.starts_with("warning:"))
        .collect();
    assert_eq!(
        lines,
        [
            "warning: one.yaml:6:12: kustomize makes a time of this date",
            "warning: one.yaml:7:9: kustomize adds line breaks to this folded text (`>`)",
            "warning: kustomization.yaml:5:23: kustomize reads JSON 6902 patches as YAML 1.1, where a word in this value is no text",
        ]
    );
}

#[test]
fn the_rest_of_an_env_file() {
    let env = format!("A=1\nB={}\nC=3\n", "x".repeat(65_536));
    let (stdout, stderr) = built(&[
        (
            "kustomization.yaml",
            "secretGenerator:\n- name: one\n  envs: [some.env]\n",
        ),
        ("some.env", &env),
    ]);
    assert!(stdout.contains("  A: MQ==\n") && !stdout.contains("C:"));
    let message = "warning: some.env:2:1: kustomize ends reading this env file here, at a line of 64 KiB or more\n  in: \
                   Secret.v1.[noGrp]/one-2c8c4m2g5d.[noNs]\nhint: hand the value over as one of `files`\n";
    let hash = stdout.split("name: one-").nth(1).unwrap().trim_end();
    let hash = hash.split('\n').next().unwrap();
    assert_eq!(stderr, message.replace("2c8c4m2g5d", hash));
}

#[test]
fn what_means_the_same_is_no_matter_for_a_warning() {
    let files = [
        (
            "kustomization.yaml",
            "resources: [one.yaml]\npatches:\n- target: {kind: Thing}\n  patch: |-\n    - {op: add, path: /spec/on, value: 'yes'}\n    \
             - {op: replace, path: /spec/id, value: 1}\nimages:\n- name: nginx\n  newTag: '2'\n  tagSuffix: -x\n",
        ),
        (
            "one.yaml",
            "apiVersion: example.org/v1\nkind: Thing\nmetadata:\n  name: one\nspec:\n  id: 9007199254740993\n  mode: 0440\n  big: \
             1000000000000000000\n  time: 2020-01-01T00:00:00Z\n  text: >\n    a\n    b\n\n    c\n  containers: [{image: \
             'nginx:1'}]\n",
        ),
    ];
    Workspace::new(&files).prints(&["build"]);
}

#[test]
fn ten_thousand_dates() {
    let mut text = String::from("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: one\ndata:\n");
    for index in 0..10_000 {
        writeln!(text, "  key-{index}: 2012-10-17").unwrap();
    }
    let start = Instant::now();
    let (_, stderr) = built(&[
        ("kustomization.yaml", "resources: [one.yaml]\n"),
        ("one.yaml", &text),
    ]);
    assert!(start.elapsed() < BOUND, "{:?}", start.elapsed());
    assert_eq!(stderr.matches("makes a time of this date").count(), 20);
    assert!(stderr.contains("\n  6 |   key-0: 2012-10-17\n"), "{stderr}");
    assert!(stderr.contains("\n  field: data.key-19\n"), "{stderr}");
    assert!(stderr.ends_with("\nwarning: and 9980 more\n"), "{stderr}");
}

#[test]
fn ten_thousand_dropped_items() {
    let mut text = String::from(
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: one\nspec:\n  when: 2012-10-17\n  containers:\n  - name: a\n    env:\n",
    );
    for index in 0..20_000 {
        writeln!(
            text,
            "    - name: KEY_{}\n      value: v{index}",
            index % 10_000
        )
        .unwrap();
    }
    let start = Instant::now();
    let (_, stderr) = built(&[
        (
            "kustomization.yaml",
            "resources: [one.yaml]\npatches:\n- patch: |-\n    apiVersion: v1\n    kind: Pod\n    metadata:\n      name: one\n      \
             labels: {a: b}\n",
        ),
        ("one.yaml", &text),
    ]);
    assert!(start.elapsed() < BOUND, "{:?}", start.elapsed());
    assert_eq!(stderr.matches("kustomize drops this item").count(), 20);
    // One that says something else is told all the same.
    assert_eq!(stderr.matches("makes a time of this date").count(), 1);
    assert!(
        stderr.contains("\n  field: spec.containers[0].env[19]\n"),
        "{stderr}"
    );
    assert!(stderr.ends_with("\nwarning: and 9980 more\n"), "{stderr}");
}

#[test]
fn a_patch_for_a_name_that_many_have() {
    let mut files = vec![("kustomization.yaml".to_owned(), "resources:\n".to_owned())];
    for index in 0..9 {
        let folder = format!("n{index}");
        writeln!(files[0].1, "- {folder}").unwrap();
        files.push((
            format!("{folder}/kustomization.yaml"),
            format!("namespace: {folder}\nresources: [one.yaml]\n"),
        ));
        files.push((
            format!("{folder}/one.yaml"),
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: one\n".to_owned(),
        ));
    }
    files[0].1.push_str(
        "patches:\n- patch: |-\n    apiVersion: v1\n    kind: ConfigMap\n    metadata:\n      name: one\n",
    );
    let workspace = Workspace::new(&[]);
    for (path, text) in &files {
        workspace.write(path, text);
    }
    let stderr = workspace.run(&["build"]).stderr;
    assert_eq!(stderr.matches("one stands at n").count(), 5, "{stderr}");
    assert!(stderr.contains("\n  note: and 4 more\n"), "{stderr}");
}
