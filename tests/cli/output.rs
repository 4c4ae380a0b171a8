//! Where output goes, and the flags of `kustomize build`.

use std::io::Read as _;
use std::process::Stdio;

use crate::workspace::{Run, Workspace, binary};

const TWO_NAMESPACES: &[(&str, &str)] = &[
    ("kustomization.yaml", "resources: [all.yaml]\n"),
    (
        "all.yaml",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: Web, namespace: Blue}\n---\napiVersion: v1\nkind: \
         Service\nmetadata: {name: web}\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: blue}\n",
    ),
];

const ONE: &[(&str, &str)] = &[
    ("kustomization.yaml", "resources: [one.yaml]\n"),
    (
        "one.yaml",
        "kind: ConfigMap\napiVersion: v1\nmetadata:\n  name: one\ndata: {b: x, a: y}\n",
    ),
];

const ONE_PRINTED: &str =
    "apiVersion: v1\ndata:\n  a: \"y\"\n  b: x\nkind: ConfigMap\nmetadata:\n  name: one\n";

#[test]
fn to_a_file() {
    let workspace = Workspace::new(ONE);
    assert_eq!(workspace.prints(&["build", "-o", "out.yaml"]), "");
    assert_eq!(workspace.read("out.yaml"), ONE_PRINTED);
}

#[test]
fn to_a_directory_a_file_for_each_resource() {
    let workspace = Workspace::new(TWO_NAMESPACES);
    workspace.write("out/.keep", "");
    assert_eq!(workspace.prints(&["build", "--output", "out"]), "");
    let deployment =
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: Web\n  namespace: Blue\n";
    assert_eq!(
        workspace.read("out/blue_apps_v1_deployment_web.yaml"),
        deployment
    );
    assert_eq!(
        workspace.read("out/default_v1_service_web.yaml"),
        "apiVersion: v1\nkind: Service\nmetadata:\n  name: web\n"
    );
    assert_eq!(
        workspace.read("out/v1_namespace_blue.yaml"),
        "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: blue\n"
    );
}

#[test]
fn with_one_namespace_file_names_do_not_name_it() {
    let workspace = Workspace::new(ONE);
    workspace.write("out/.keep", "");
    workspace.prints(&["build", "-o", "out"]);
    assert_eq!(workspace.read("out/v1_configmap_one.yaml"), ONE_PRINTED);
}

#[test]
fn nowhere_where_it_cannot_be_written() {
    let workspace = Workspace::new(ONE);
    workspace.fails(
        &["build", "-o", "none/out.yaml"],
        "error: cannot write `none/out.yaml`: no such file or directory\nhint: name a file or an existing directory\n",
    );
}

#[test]
fn a_failing_build_leaves_files_alone() {
    let workspace = Workspace::new(&[
        ("kustomization.yaml", "resources: [none.yaml]\n"),
        ("out.yaml", "before\n"),
    ]);
    assert_eq!(workspace.run(&["build", "-o", "out.yaml"]).code, 1);
    assert_eq!(workspace.read("out.yaml"), "before\n");
}

#[test]
fn all_three_names_of_the_kustomization_file() {
    for name in ["kustomization.yaml", "kustomization.yml", "Kustomization"] {
        let workspace = Workspace::new(&[(name, ONE[0].1), ONE[1]]);
        assert_eq!(workspace.prints(&["build"]), ONE_PRINTED, "{name}");
        assert_eq!(workspace.prints(&["build", "."]), ONE_PRINTED, "{name}");
        assert_eq!(
            workspace.prints(&["build", workspace.path().to_str().unwrap()]),
            ONE_PRINTED,
            "{name}"
        );
    }
}

#[test]
fn the_order_of_resources() {
    let workspace = Workspace::new(TWO_NAMESPACES);
    let kinds = |text: &str| -> Vec<String> {
        text.lines()
            .filter_map(|line| line.strip_prefix("kind: "))
            .map(str::to_owned)
            .collect()
    };
    assert_eq!(
        kinds(&workspace.prints(&["build"])),
        ["Namespace", "Service", "Deployment"]
    );
    let Run {
        code,
        stdout,
        stderr,
    } = workspace.run(&["build", "--reorder", "none"]);
    assert_eq!(kinds(&stdout), ["Deployment", "Service", "Namespace"]);
    assert_eq!(
        (code, stderr.as_str()),
        (
            0,
            "warning: `--reorder` is deprecated: use `sortOptions` in the kustomization\n"
        )
    );
    let Run {
        code,
        stdout,
        stderr,
    } = workspace.run(&["build", "--reorder", "fancy"]);
    let expected = "error: illegal flag value --reorder fancy; legal values: [legacy none]\n";
    assert_eq!((code, stdout.as_str(), stderr.as_str()), (2, "", expected));
}

#[test]
fn files_outside_are_read_only_where_that_is_asked_for() {
    let workspace = Workspace::new(&[
        ("app/kustomization.yaml", "resources: [../one.yaml]\n"),
        ONE[1],
    ]);
    assert_eq!(workspace.run(&["build", "app"]).code, 1);
    assert_eq!(
        workspace.prints(&["build", "app", "--load-restrictor", "LoadRestrictionsNone"]),
        ONE_PRINTED
    );
    let Run { code, stderr, .. } = workspace.run(&["build", "app", "--load-restrictor=none"]);
    let expected = "error: illegal flag value --load-restrictor none; legal values: [LoadRestrictionsRootOnly \
                    LoadRestrictionsNone]\n";
    assert_eq!((code, stderr.as_str()), (2, expected));
}

#[test]
fn switches_take_a_value_as_those_of_kustomize_do() {
    let workspace = Workspace::new(ONE);
    for flag in [
        "--enable-helm=true",
        "--enable-helm=false",
        "--enable-alpha-plugins=1",
        "--as-current-user=false",
        "--enable-exec=F",
    ] {
        workspace.prints(&["build", flag]);
        workspace.prints(&["build", flag, "."]);
    }
    workspace.prints(&["build", "--enable-helm", "."]);
    assert_eq!(workspace.run(&["build", "--enable-helm=maybe"]).code, 2);
    assert_eq!(workspace.run(&["build", "--as-current-user=true"]).code, 2);
}

#[test]
fn flags_that_can_have_no_effect_are_refused() {
    let workspace = Workspace::new(ONE);
    for (flag, name) in [
        ("--as-current-user", "as-current-user"),
        ("--enable-star", "enable-star"),
        ("-eA=b", "env"),
        ("--mount=x", "mount"),
        ("--network", "network"),
        ("--network-name=x", "network-name"),
        ("--stack-trace", "stack-trace"),
    ] {
        let Run {
            code,
            stdout,
            stderr,
        } = workspace.run(&["build", flag]);
        assert_eq!((code, stdout.as_str()), (2, ""), "{flag}");
        assert!(
            stderr.starts_with(&format!("error: flag `--{name}` is not supported: ")),
            "{stderr}"
        );
    }
}

#[test]
fn permissions_may_be_given_where_nothing_needs_them() {
    let workspace = Workspace::new(ONE);
    assert_eq!(
        workspace.prints(&[
            "build",
            "--enable-helm",
            "--enable-alpha-plugins",
            "--enable-exec"
        ]),
        ONE_PRINTED
    );
    workspace.write(
        "kustomization.yaml",
        "resources: [one.yaml]\nhelmCharts: [{name: x}]\n",
    );
    let Run {
        code,
        stdout,
        stderr,
    } = workspace.run(&["build", "--enable-helm"]);
    assert_eq!((code, stdout.as_str()), (1, ""));
    assert!(stderr.contains("helmCharts"), "{stderr}");
}

#[test]
fn a_wrong_command_line_has_its_own_exit_code() {
    let workspace = Workspace::new(ONE);
    for arguments in [
        &["build", "--none"][..],
        &["none"],
        &["build", "a", "b"],
        &[],
    ] {
        let Run {
            code,
            stdout,
            stderr,
        } = workspace.run(arguments);
        assert_eq!((code, stdout.as_str()), (2, ""), "{arguments:?}");
        assert!(!stderr.is_empty());
    }
    let Run { code, stdout, .. } = workspace.run(&["--version"]);
    assert_eq!(
        (code, stdout),
        (
            0,
            concat!("argocd-infisical ", env!("CARGO_PKG_VERSION"), "\n").to_owned()
        )
    );
}

#[test]
fn a_reader_that_has_had_enough_is_no_error() {
    let data: Vec<String> = (0..50_000)
        .map(|number| format!("  key-{number}: value\n"))
        .collect();
    let data = data.concat();
    let workspace = Workspace::new(&[ONE[0]]);
    workspace.write(
        "one.yaml",
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: one}}\ndata:\n{data}"),
    );
    let mut child = binary()
        .arg("build")
        .current_dir(workspace.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = [0; 10];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(
        (output.status.code(), output.stderr.as_slice()),
        (Some(0), &b""[..])
    );
}

#[test]
fn warnings_that_nobody_reads_do_not_cost_the_output() {
    let workspace = Workspace::new(&[
        (
            "kustomization.yaml",
            "resources: [one.yaml]\ncommonLabels: {a: b}\n",
        ),
        (
            "one.yaml",
            "apiVersion: v1\nkind: Service\nmetadata: {name: one}\n",
        ),
    ]);
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_argocd-infisical"))
        .arg("build")
        .current_dir(workspace.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stderr.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&output.stdout).contains("kind: Service"));
}
