//! `build --engine kustomize` and `build --verify`.

use std::path::Path;

use crate::reference::{real, stand_in, text};
use crate::workspace::{Run, Workspace};

const SECRET: &[(&str, &str)] = &[
    ("app/kustomization.yaml", "resources: [secret.yaml]\n"),
    (
        "app/secret.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {k: hush}\n",
    ),
];

const BROKEN: &[(&str, &str)] = &[("app/kustomization.yaml", "resources: [none.yaml]\n")];

const REMOTE: &[(&str, &str)] = &[(
    "app/kustomization.yaml",
    "resources: ['https://example.com/a.yaml']\n",
)];

const OURS: &str = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: a\nstringData:\n  k: hush\n";

/// What `build` does with a stand-in, beside what is expected of it on standard error.
#[track_caller]
fn fails(files: &[(&str, &str)], script: &str, arguments: &[&str], message: &str) -> Workspace {
    let workspace = Workspace::new(files);
    let kustomize = stand_in(&workspace, script);
    let mut all = vec!["build", "app", "--kustomize", &kustomize];
    all.extend(arguments);
    workspace.fails(&all, message);
    workspace
}

#[test]
fn what_kustomize_says_when_it_fails() {
    fails(
        SECRET,
        "echo '# Warning: old' >&2; echo 'Error: it is wrong' >&2; exit 1",
        &["--engine", "kustomize"],
        "error: kustomize fails: it is wrong\n",
    );
    fails(
        SECRET,
        "kill -9 $$",
        &["--engine", "kustomize"],
        "error: kustomize fails: it was killed by signal 9\n",
    );
    fails(
        SECRET,
        "while :; do :; done",
        &["--engine", "kustomize", "--timeout", "1"],
        "error: kustomize has not ended after 1 seconds\nhint: give it more with `--timeout`\n",
    );
}

#[test]
fn a_difference_is_shown_without_the_values_of_secrets() {
    fails(
        SECRET,
        "printf 'apiVersion: v1\\nkind: Secret\\nmetadata:\\n  name: a\\nstringData:\\n  k: other\\n'",
        &["--verify"],
        "error: kustomize prints something else\nhint: report it with what was built\n--- kustomize\n+++ argocd-infisical\n@@ -3,4 +3,4 @@ Secret \
         a\n metadata:\n   name: a\n stringData:\n-  k: (value 1)\n+  k: (value 2)\n",
    );
}

#[test]
fn one_that_fails_is_named() {
    fails(
        SECRET,
        "echo 'Error: it is wrong' >&2; exit 1",
        &["--verify"],
        "error: kustomize fails and `--engine builtin` does not: it is wrong\n",
    );
    let ours = "error: app/kustomization.yaml:1:13: cannot read `none.yaml`: no such file or directory\n  1 | resources: [none.yaml]\n    |             \
                ^\n  field: resources[0]\n";
    let hint = "hint: the path counts from the kustomization's directory, `app`\n";
    fails(
        BROKEN,
        "echo 'a: b'",
        &["--verify"],
        &format!("{ours}  note: kustomize builds this directory\n{hint}"),
    );
    fails(
        BROKEN,
        "echo 'Error: it is wrong' >&2; exit 1",
        &["--verify"],
        &format!("{ours}  note: kustomize fails too: it is wrong\n{hint}"),
    );
}

#[test]
fn kustomize_is_not_asked_about_what_is_remote() {
    let workspace = Workspace::new(REMOTE);
    let mark = text(&workspace.path().join("mark"));
    let kustomize = stand_in(&workspace, &format!("echo x >{mark}; exit 1"));
    let Run { code, stderr, .. } =
        workspace.run(&["build", "app", "--verify", "--kustomize", &kustomize]);
    assert_eq!(code, 1);
    assert!(stderr.contains("is remote"), "{stderr}");
    assert!(!Path::new(&mark).exists());
}

#[test]
fn wrong_command_lines() {
    let workspace = Workspace::new(SECRET);
    let Run { code, stderr, .. } = workspace.run(&["build", "app", "--verify"]);
    let expected = "error: there is no program `kustomize` on the `PATH`\nhint: name it with `--kustomize PATH` or `ARGOCD_INFISICAL_KUSTOMIZE`\n";
    assert_eq!((code, stderr.as_str()), (2, expected));
    for arguments in [
        &["build", "app", "--verify", "--engine", "kustomize"][..],
        &["build", "app", "--engine", "other"],
        &["build", "app", "--timeout", "0"],
        &[
            "build",
            "app",
            "--engine",
            "kustomize",
            "--kustomize",
            "app",
        ],
        &["render", "app", "--engine", "kustomize"],
        &["render", "app", "--verify"],
    ] {
        assert_eq!(workspace.run(arguments).code, 2, "{arguments:?}");
    }
    // Without need for it nobody looks for it.
    assert_eq!(
        workspace.prints(&["build", "app", "--kustomize", "none"]),
        OURS
    );
}

#[test]
fn the_real_one_prints_the_same() {
    let Some(kustomize) = real() else { return };
    let kustomize = text(&kustomize);
    let workspace = Workspace::new(SECRET);
    for flag in [&["--verify"][..], &["--engine", "kustomize"], &[]] {
        let mut arguments = vec!["build", "app", "--kustomize", &kustomize];
        arguments.extend(flag);
        assert_eq!(workspace.prints(&arguments), OURS);
        arguments.extend(["--output", "out.yaml"]);
        assert_eq!(workspace.prints(&arguments), "");
        assert_eq!(workspace.read("out.yaml"), OURS);
        workspace.write("out/.keep", "");
        *arguments.last_mut().unwrap() = "out";
        assert_eq!(workspace.prints(&arguments), "");
        assert_eq!(workspace.read("out/v1_secret_a.yaml"), OURS);
    }
}

#[test]
fn flags_reach_the_real_one() {
    let Some(kustomize) = real() else { return };
    let workspace = Workspace::new(&[
        ("app/kustomization.yaml", "resources: [../a.yaml]\n"),
        (
            "a.yaml",
            "apiVersion: v1\nkind: Service\nmetadata: {name: b}\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n",
        ),
    ]);
    let arguments = [
        "build",
        "app",
        "--kustomize",
        &text(&kustomize),
        "--load-restrictor=LoadRestrictionsNone",
        "--reorder=none",
        "--enable-managedby-label",
    ];
    let verified = workspace.run(&[&arguments[..], &["--verify"]].concat());
    assert_eq!(verified.code, 0, "{}", verified.stderr);
    let theirs = workspace.run(&[&arguments[..], &["--engine", "kustomize"]].concat());
    assert_eq!(theirs.stdout, verified.stdout);
    assert!(theirs.stdout.contains("managed-by: kustomize-v5.8.2"));
    assert!(theirs.stdout.find("kind: Service") < theirs.stdout.find("kind: Namespace"));
}
