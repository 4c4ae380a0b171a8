//! Every kind of wrong input has a message that names the place, the cause and what to do.

use crate::workspace::Workspace;

const OBJECT: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: one\n";

#[test]
fn an_unknown_field() {
    let workspace = Workspace::new(&[
        (
            "kustomization.yaml",
            "resources:\n- one.yaml\nnamePrefx: a-\n",
        ),
        ("one.yaml", OBJECT),
    ]);
    let message = "error: kustomization.yaml:3:1: unknown field `namePrefx`\n  3 | namePrefx: a-\n    | ^\n  field: namePrefx\nhint: did you mean \
                   `namePrefix`?\n";
    workspace.fails(&["build"], message);
}

#[test]
fn a_missing_file_in_a_base() {
    let workspace = Workspace::new(&[
        ("overlay/kustomization.yaml", "resources:\n- ../base\n"),
        ("base/kustomization.yaml", "resources:\n- none.yaml\n"),
    ]);
    let message = "error: base/kustomization.yaml:2:3: cannot read `none.yaml`: no such file or directory\n  2 | - none.yaml\n    \
                   |   ^\n  field: resources[0]\n  needed by: `../base` in overlay/kustomization.yaml:2\nhint: the path counts from the \
                   kustomization's directory, `base`\n";
    workspace.fails(&["build", "overlay"], message);
}

#[test]
fn a_cycle() {
    let workspace = Workspace::new(&[
        ("a/kustomization.yaml", "resources:\n- ../b\n"),
        ("b/kustomization.yaml", "resources:\n- ../a\n"),
    ]);
    let message = "error: b/kustomization.yaml:2:3: cycle: `../a` leads to `a`, which is being built\n  2 | \
                   - ../a\n    |   ^\n  field: resources[0]\n  needed by: `../b` in a/kustomization.yaml:2\nhint: a base cannot be the kustomization \
                   itself, one that uses it, or a directory above them\n";
    workspace.fails(&["build", "a"], message);
}

#[test]
fn a_path_outside_the_root() {
    let workspace = Workspace::new(&[
        ("a/kustomization.yaml", "resources:\n- ../one.yaml\n"),
        ("one.yaml", OBJECT),
    ]);
    let message = "error: a/kustomization.yaml:2:3: file `../one.yaml` is not in or below the kustomization's directory `a`\n  2 \
                   | - ../one.yaml\n    |   ^\n  field: resources[0]\nhint: move it below that directory, or make the directory it is in a base with a \
                   kustomization of its own\n";
    workspace.fails(&["build", "a"], message);
}

#[test]
fn a_link_that_leads_outside_the_root() {
    let workspace = Workspace::new(&[
        ("a/kustomization.yaml", "resources:\n- link.yaml\n"),
        ("one.yaml", OBJECT),
    ]);
    std::os::unix::fs::symlink("../one.yaml", workspace.path().join("a/link.yaml")).unwrap();
    let run = workspace.run(&["build", "a"]);
    assert_eq!((run.code, run.stdout.as_str()), (1, ""));
    let expected = "error: a/kustomization.yaml:2:3: file `link.yaml` is not in or below the kustomization's directory `a`\n";
    assert!(run.stderr.starts_with(expected), "{}", run.stderr);
}

#[test]
fn a_duplicate_id() {
    let workspace = Workspace::new(&[
        ("kustomization.yaml", "resources:\n- one.yaml\n- two.yaml\n"),
        ("one.yaml", OBJECT),
        ("two.yaml", OBJECT),
    ]);
    let message = "error: two.yaml:1:1: a resource with the same kind, name and namespace is already there\n  1 | apiVersion: \
                   v1\n    | ^\n  the other one stands at one.yaml:1\n  in: ConfigMap.v1.[noGrp]/one.[noNs]\n  needed by: `two.yaml` in kustomization.yaml:3\nhint: \
                   remove one of the two, or give it another name or namespace\n";
    workspace.fails(&["build"], message);
}

#[test]
fn invalid_yaml() {
    let workspace = Workspace::new(&[("kustomization.yaml", "resources:\n- one.yaml\n")]);
    workspace.write("one.yaml", format!("{OBJECT} data: {{}}\n"));
    let message = "error: one.yaml:5:2: invalid YAML: did not find expected key\n  5 |  data: {}\n    |  ^\n  needed by: \
                   `one.yaml` in kustomization.yaml:2\nhint: check the indentation: what belongs to one map or list begins in \
                   the same column; and that quotes and brackets are closed\n";
    workspace.fails(&["build"], message);
}

#[test]
fn not_utf8() {
    let workspace = Workspace::new(&[("kustomization.yaml", "resources:\n- one.yaml\n")]);
    workspace.write(
        "one.yaml",
        b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: caf\xe9\n",
    );
    let message = "error: one.yaml:4:12: invalid YAML: incomplete UTF-8 octet sequence\n  needed by: `one.yaml` in \
                   kustomization.yaml:2\nhint: save the file as UTF-8\n";
    workspace.fails(&["build"], message);
}

#[test]
fn an_object_without_a_kind() {
    let workspace = Workspace::new(&[
        ("kustomization.yaml", "resources:\n- one.yaml\n"),
        ("one.yaml", "apiVersion: v1\nmetadata:\n  name: one\n"),
    ]);
    let run = workspace.run(&["build"]);
    assert_eq!((run.code, run.stdout.as_str()), (1, ""));
    assert!(
        run.stderr
            .starts_with("error: one.yaml:1:1: an object has no `kind`\n"),
        "{}",
        run.stderr
    );
}

#[test]
fn an_empty_kustomization() {
    let workspace = Workspace::new(&[("kustomization.yaml", "")]);
    let message = "error: kustomization.yaml: the kustomization file is empty\nhint: list at least one file or directory under \
                   `resources`, or a generator\n";
    workspace.fails(&["build"], message);
}

#[test]
fn a_result_without_resources_is_no_error_of_build_but_one_of_render() {
    let workspace = Workspace::new(&[("kustomization.yaml", "resources: []\n")]);
    assert_eq!(workspace.prints(&["build"]), "");
    let message = "error: the result is empty: it has no resources\nhint: Argo CD takes an empty result for the wish to delete \
                   everything; use `build` if it is meant\n";
    workspace.fails(&["render"], message);
}

#[test]
fn a_directory_without_a_kustomization() {
    let workspace = Workspace::new(&[("one.yaml", OBJECT)]);
    let message = "error: there is no kustomization file in `.`\nhint: add a `kustomization.yaml` with `resources: \
                   [one.yaml]`\n";
    workspace.fails(&["build"], message);
}

#[test]
fn a_directory_that_is_none() {
    let workspace = Workspace::new(&[("one.yaml", OBJECT)]);
    let run = workspace.run(&["build", "one.yaml"]);
    assert!(
        run.stderr
            .contains("one.yaml` is a file, not a directory\nhint: "),
        "{}",
        run.stderr
    );
    let message = "error: cannot read directory `none`: no such file or directory\nhint: name a directory with a kustomization \
                   file; the path counts from the working directory\n";
    workspace.fails(&["build", "none"], message);
    workspace.write("overlays/staging/one.yaml", OBJECT);
    let message = "error: cannot read directory `overlays/stagin`: no such file or directory\nhint: did you mean \
                   `overlays/staging`?\n";
    workspace.fails(&["render", "overlays/stagin"], message);
}

#[test]
fn a_path_of_a_replacement_that_does_not_fit() {
    let workspace = Workspace::new(&[
        (
            "kustomization.yaml",
            "resources: [one.yaml]\nreplacements:\n- sourceValue: x\n  targets:\n  - select: {name: one}\n    \
             fieldPaths:\n    - list.5\n",
        ),
        (
            "one.yaml",
            "apiVersion: v1\nkind: Service\nmetadata: {name: one}\nlist: [a]\n",
        ),
    ]);
    let message = "error: kustomization.yaml:7:7: there is no item 5 in a list of 1\n  7 |     - list.5\n    |       ^\n  what the \
                   path leads to stands at one.yaml:4\n  in: Service.v1.[noGrp]/one.[noNs]\n  field: list.5\nhint: check the \
                   path: an item of a list is its index, counted from 0, or `[key=value]`\n";
    workspace.fails(&["build"], message);
}

#[test]
fn a_remote_directory() {
    let message = "error: base `https://github.com/example/repository?ref=v1` is remote, and remote bases are switched off\nhint: \
                   allow remote files and repositories with `--enable-remote`, or copy it into the repository and name it by its \
                   path\n";
    Workspace::new(&[]).fails(
        &["build", "https://github.com/example/repository?ref=v1"],
        message,
    );
}

#[test]
fn a_pipe_is_refused_and_does_not_block() {
    let workspace = Workspace::new(&[("kustomization.yaml", "resources:\n- pipe\n")]);
    let made = std::process::Command::new("mkfifo")
        .arg(workspace.path().join("pipe"))
        .status();
    if made.is_ok_and(|status| status.success()) {
        let run = workspace.run(&["build"]);
        assert_eq!((run.code, run.stdout.as_str()), (1, ""));
        assert!(
            run.stderr.contains("is not a regular file"),
            "{}",
            run.stderr
        );
    }
}

#[test]
fn a_directory_behind_a_link() {
    let workspace = Workspace::new(&[
        (
            "real/deep/app/kustomization.yaml",
            "resources:\n- ../base\n",
        ),
        ("real/deep/base/kustomization.yaml", "namePrefx: a-\n"),
        ("base/kustomization.yaml", "namePrefix: wrong-file\n"),
    ]);
    std::os::unix::fs::symlink("real/deep/app", workspace.path().join("link")).unwrap();
    let message = "error: real/deep/base/kustomization.yaml:1:1: unknown field `namePrefx`\n  1 | namePrefx: a-\n";
    let run = workspace.run(&["build", "link"]);
    assert_eq!((run.code, run.stdout.as_str()), (1, ""));
    assert!(run.stderr.starts_with(message), "{}", run.stderr);
}

#[test]
fn deep_nesting_is_read_and_deeper_is_refused() {
    let workspace = Workspace::new(&[("kustomization.yaml", "resources:\n- one.yaml\n")]);
    let nested = |depth: usize| format!("{OBJECT}x: {}{}\n", "[".repeat(depth), "]".repeat(depth));
    workspace.write("one.yaml", nested(900));
    assert_eq!(workspace.run(&["render"]).code, 0);
    workspace.write("one.yaml", nested(100_000));
    let run = workspace.run(&["render"]);
    assert_eq!((run.code, run.stdout.as_str()), (1, ""));
    assert!(
        run.stderr.starts_with("error: one.yaml:5:"),
        "{}",
        run.stderr
    );
}
