//! Trees that mean harm, built by the whole program: refused in little time and little memory, with a message that says why.

use std::fmt::Write as _;
use std::fs::File;
use std::os::unix::fs::symlink;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::workspace::Workspace;

const OBJECT: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: one\n";
/// What a build may take, on a machine with much else to do.
const TIME: Duration = Duration::from_mins(1);
/// The files of a directory with very many.
const FILES: u32 = 20_000;
/// The address space of the process in KiB, a stack of 256 MiB and what the allocator sets aside included.
const MEMORY: u32 = 1 << 20;

/// Builds a directory, which has to be refused within the bounds with a message that says this.
#[track_caller]
fn refused(workspace: &Workspace, directory: &str, said: &str) {
    let output = run(workspace, directory);
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(
        (output.status.code(), output.stdout.len()),
        (Some(1), 0),
        "{message:.500}"
    );
    assert!(message.contains(said), "{message:.1000}");
}

/// Builds a directory, which has to succeed within the bounds.
#[track_caller]
fn built(workspace: &Workspace) {
    let output = run(workspace, ".");
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{message:.500}");
}

#[track_caller]
fn run(workspace: &Workspace, directory: &str) -> Output {
    run_within(MEMORY, workspace, directory)
}

/// Builds a directory with so many KiB of address space.
#[track_caller]
fn run_within(memory: u32, workspace: &Workspace, directory: &str) -> Output {
    let start = Instant::now();
    let script = format!("ulimit -v {memory} && exec \"$0\" \"$@\"");
    let output = Command::new("/bin/sh")
        .args(["-c", &script, env!("CARGO_BIN_EXE_argocd-infisical")])
        .args([
            "build",
            directory,
            "--load-restrictor",
            "LoadRestrictionsNone",
        ])
        .current_dir(workspace.path())
        .env_clear()
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(
        output.status.signal(),
        None,
        "it was killed: {message:.500}"
    );
    assert!(start.elapsed() < TIME, "{:?}", start.elapsed());
    output
}

/// Fields that name a file, with `PATH` where the name stands.
const FIELDS: [&str; 10] = [
    "resources: [PATH]",
    "configMapGenerator: [{name: g, files: [PATH]}]",
    "configMapGenerator: [{name: g, envs: [PATH]}]",
    "patches: [{path: PATH}]",
    "patchesStrategicMerge: [PATH]",
    "replacements: [{path: PATH}]",
    "configurations: [PATH]",
    "crds: [PATH]",
    "openapi: {path: PATH}",
    "transformers: [PATH]",
];

/// Names a path in each field.
fn refused_in_each_field(workspace: &Workspace, path: &str, said: &str) {
    for field in FIELDS {
        workspace.write("kustomization.yaml", field.replace("PATH", path));
        refused(workspace, ".", said);
    }
}

#[test]
fn a_file_of_a_gibibyte_is_refused_by_its_size() {
    let workspace = Workspace::new(&[]);
    let large = |name: &str| {
        let file = File::create(workspace.path().join(name)).unwrap();
        file.set_len(1 << 30).unwrap();
    };
    large("large.yaml");
    let said = "cannot read `large.yaml`: larger than the limit of 67108864 bytes";
    refused_in_each_field(&workspace, "large.yaml", said);
    large("kustomization.yaml");
    refused(&workspace, ".", "larger than the limit of 67108864 bytes");
}

#[test]
fn devices_and_pipes_are_refused_unread() {
    let workspace = Workspace::new(&[]);
    for (name, target) in [
        ("zero", "/dev/zero"),
        ("terminal", "/dev/tty"),
        ("random", "/dev/random"),
    ] {
        symlink(target, workspace.path().join(name)).unwrap();
        refused_in_each_field(&workspace, name, "is not a regular file");
    }
    let pipe = workspace.path().join("pipe");
    let made = Command::new("mkfifo").arg(&pipe).status();
    if made.is_ok_and(|status| status.success()) {
        refused_in_each_field(&workspace, "pipe", "is not a regular file");
        std::fs::remove_file(workspace.path().join("kustomization.yaml")).unwrap();
        symlink("pipe", workspace.path().join("kustomization.yaml")).unwrap();
        refused(&workspace, ".", "is not a regular file");
    } else {
        eprintln!("SKIPPED: there is no mkfifo to make a pipe with");
    }
}

#[test]
fn a_base_far_above_is_refused() {
    let workspace = Workspace::new(&[]);
    for path in ["..", "../../../..", "../../../../../../../../../../../.."] {
        workspace.write("kustomization.yaml", format!("resources: [{path}]\n"));
        refused(&workspace, ".", "cycle: ");
    }
}

#[test]
fn without_room_for_a_stack_it_is_said() {
    let workspace = Workspace::new(&[("kustomization.yaml", "resources: []\n")]);
    let output = run_within(250_000, &workspace, ".");
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert_eq!(
        message,
        "error: there are no 256 MiB for a stack\nhint: allow the process more address space (`ulimit -v`); only what is used of it takes memory\n"
    );
}

#[test]
fn laughs_take_no_memory() {
    let workspace = Workspace::new(&[("kustomization.yaml", "resources: [one.yaml]\n")]);
    let mut text = format!("{OBJECT}a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let before = format!("*a{},", level - 1).repeat(9);
        writeln!(text, "a{level}: &a{level} [{before}]").unwrap();
    }
    workspace.write("one.yaml", &text);
    refused(
        &workspace,
        ".",
        "exceeded max number of 1000000 nodes from aliases",
    );
}

#[test]
fn bases_that_double_at_each_layer_take_no_memory() {
    let workspace = Workspace::new(&[
        ("base/kustomization.yaml", "resources: [one.yaml]\n"),
        ("base/one.yaml", OBJECT),
    ]);
    let mut below = "base".to_owned();
    for layer in 0..40 {
        for side in ["a", "b"] {
            let text = format!("namePrefix: {side}\nresources: [../../{below}]\n");
            workspace.write(&format!("{layer}/{side}/kustomization.yaml"), text);
        }
        workspace.write(
            &format!("{layer}/kustomization.yaml"),
            "resources: [a, b]\n",
        );
        below = layer.to_string();
    }
    refused(
        &workspace,
        &below,
        "the build opens more than 20000 kustomizations",
    );
}

#[test]
fn a_file_that_is_listed_very_often_takes_no_memory_beyond_the_limit() {
    let workspace = Workspace::new(&[]);
    let mut entries = String::new();
    for number in 0..2_000 {
        writeln!(entries, "  - k{number}=large").unwrap();
    }
    workspace.write(
        "kustomization.yaml",
        format!("configMapGenerator:\n- name: g\n  files:\n{entries}"),
    );
    let file = File::create(workspace.path().join("large")).unwrap();
    file.set_len(8 << 20).unwrap();
    refused(&workspace, ".", "the build reads more than 268435456 bytes");
}

#[test]
fn very_many_files_take_no_more_than_the_bounds() {
    let workspace = Workspace::new(&[("kustomization.yaml", "resources: [object-x.yaml]\n")]);
    for number in 0..FILES {
        workspace.write(&format!("object-{number:07}.yaml"), "");
    }
    refused(
        &workspace,
        ".",
        "cannot read `object-x.yaml`: no such file or directory",
    );
    // Each of them is read, and the first one that is not there ends it.
    let list = (0..100_000).fold(String::from("resources:\n"), |mut list, number| {
        let _ = writeln!(list, "- object-{number:07}.yaml");
        list
    });
    workspace.write("kustomization.yaml", list);
    let missing = format!("cannot read `object-{FILES:07}.yaml`");
    refused(&workspace, ".", &missing);
}

/// One object of each of so many kinds.
fn kinds(count: usize, letters: usize) -> String {
    let tail = "k".repeat(letters);
    (0..count).fold(String::new(), |mut text, number| {
        let kind = format!("K{number}{tail}");
        writeln!(
            text,
            "{{apiVersion: v1, kind: {kind}, metadata: {{name: a}}}}\n---"
        )
        .unwrap();
        text
    })
}

#[test]
fn field_specs_of_very_many_kinds_take_no_memory() {
    let few: Vec<String> = (0..63)
        .map(|number| format!("{{path: a{number}/b{number}/c{number}/d{number}/e{number}}}"))
        .collect();
    let labels = |fields: &str, entries: usize| {
        let mut text = format!(
            "resources: [all.yaml]\nlabels:\n- {{pairs: {{q: w}}, fields: &f [{fields}]}}\n"
        );
        for entry in 1..entries {
            writeln!(text, "- {{pairs: {{q{entry}: w}}, fields: *f}}").unwrap();
        }
        text
    };
    let workspace = Workspace::new(&[("all.yaml", &kinds(256, 0))]);
    workspace.write("kustomization.yaml", labels(&few.join(", "), 100));
    built(&workspace);
    workspace.write("all.yaml", kinds(256, 10_000));
    workspace.write("kustomization.yaml", labels("{path: b}", 40));
    built(&workspace);
    workspace.write(
        "kustomization.yaml",
        "resources: [all.yaml]\nnamePrefix: x-\nconfigurations: [c.yaml]\n",
    );
    let references = |specs: &[String]| {
        format!(
            "nameReference:\n- kind: Secret\n  fieldSpecs: [{}]\n",
            specs.join(", ")
        )
    };
    workspace.write("all.yaml", kinds(3_000, 0));
    let long = "a".repeat(1 << 20);
    let long = ["", "/b"].map(|end| format!("{{path: {long}{end}}}"));
    workspace.write("c.yaml", references(&long));
    built(&workspace);
    workspace.write("all.yaml", kinds(600, 0));
    let many: Vec<String> = (0..9_000)
        .map(|number| format!("{{path: a/{number}}}"))
        .collect();
    workspace.write("c.yaml", references(&many));
    built(&workspace);
}
