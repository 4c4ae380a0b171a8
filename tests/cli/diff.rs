//! `diff`: what a change of settings, or of the repository, changes in the output.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::tools;
use crate::workspace::{Run, Workspace, binary, run_in};

const KUSTOMIZATION: &str = "resources: [settings.yaml, one.yaml]\nconfigMapGenerator:\n- name: made\n  literals: [\"A=${{ settings.HOST \
                             }}\"]\n  options:\n    annotations: {argocd-infisical.io/template: \"true\"}\n";

const DECLARED: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\n  annotations:\n    \
                        config.kubernetes.io/local-config: \"true\"\n    argocd-infisical.io/declare: settings\ndata:\n  HOST: \
                        a.example.org\n  PIN: \"0000\"\n  SIZE: 1Gi\n";

const OBJECTS: &str = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: one\n  annotations:\n    argocd-infisical.io/template: \
                       \"true\"\nspec:\n  size: ${{ settings.SIZE }}\n  containers:\n  - name: one\n    envFrom:\n    - \
                       configMapRef: {name: made}\n---\napiVersion: v1\nkind: Secret\nmetadata:\n  name: two\n  annotations:\n    \
                       argocd-infisical.io/template: \"true\"\nstringData:\n  pin: pin ${{ settings.PIN }}\n";

fn workspace() -> Workspace {
    Workspace::new(&[
        ("kustomization.yaml", KUSTOMIZATION),
        ("settings.yaml", DECLARED),
        ("one.yaml", OBJECTS),
        ("new.env", "HOST=b.example.org\nPIN=1234\n"),
        ("old.env", "SIZE=2Gi\n"),
    ])
}

/// The names of objects with their hashes taken out.
fn without_hashes(text: &str) -> String {
    let word = |word: &str| match word.strip_prefix("made-") {
        Some(hash) if hash.len() == 10 => "made-HASH".to_owned(),
        _ => word.to_owned(),
    };
    let line = |line: &str| line.split(' ').map(word).collect::<Vec<_>>().join(" ");
    text.lines().map(|text| line(text) + "\n").collect()
}

#[test]
fn what_settings_change_is_shown_without_their_values() {
    let Run {
        code,
        stdout,
        stderr,
    } = workspace().run(&["diff", "-s", "new.env"]);
    assert_eq!((code, stderr.as_str()), (1, ""));
    let expected = "\
--- the defaults
+++ new.env
settings that differ: HOST, PIN

ConfigMap made-HASH
  ~ metadata.name  HOST (hash of ConfigMap made)
  ~ data.A         HOST

Secret two
  ~ stringData.pin  PIN

Pod one
  ~ spec.containers.0.envFrom.0.configMapRef.name  HOST (hash of ConfigMap made)
";
    assert_eq!(without_hashes(&stdout), expected);
}

#[test]
fn values_are_shown_on_demand_and_those_of_secrets_never() {
    let arguments = [
        "diff",
        "-s",
        "new.env",
        "--against",
        "old.env",
        "--show-values",
    ];
    let Run {
        code,
        stdout,
        stderr,
    } = workspace().run(&arguments);
    assert_eq!((code, stderr.as_str()), (1, ""));
    let expected = "\
--- old.env
+++ new.env
settings that differ: HOST, PIN, SIZE

ConfigMap made-HASH
  ~ metadata.name  HOST (hash of ConfigMap made)
  ~ data.A         HOST
      - a.example.org
      + b.example.org

Secret two
  ~ stringData.pin  PIN
      - (value 1)
      + (value 2)

Pod one
  ~ spec.size                                      SIZE
      - 2Gi
      + 1Gi
  ~ spec.containers.0.envFrom.0.configMapRef.name  HOST (hash of ConfigMap made)
";
    assert_eq!(without_hashes(&stdout), expected);
    let run = workspace().run(&[&arguments[..], &["--format", "json"]].concat());
    assert!(!run.stdout.contains("1234"), "{}", run.stdout);
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    let field = &report["objects"][0]["fields"][1];
    let expected = serde_json::json!({
        "field": "data.A", "change": "changed", "because": "settings", "settings": ["HOST"],
        "before": "a.example.org", "after": "b.example.org",
    });
    assert_eq!(field, &expected);
    let name = &report["objects"][0];
    assert_ne!(name["outputNameBefore"], name["resource"]["outputName"]);
    assert_eq!(name["resource"]["name"], "made");
}

#[test]
fn what_is_the_same_is_not_mentioned() {
    let workspace = workspace();
    for arguments in [
        &["diff"][..],
        &["diff", "-s", "new.env", "--against", "new.env"],
        &[
            "diff",
            "-s",
            "old.env",
            "-s",
            "new.env",
            "--against",
            "new.env",
            "--against",
            "old.env",
        ],
    ] {
        assert_eq!(workspace.prints(arguments), "", "{arguments:?}");
    }
    // A result may have two objects of one id.
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let tree = "testdata/kustomize/local-config/stays-beside-one-of-its-id/in";
    let Run { code, stdout, .. } = run_in(root, &["diff", tree]);
    assert_eq!((code, stdout.as_str()), (0, ""));
}

#[test]
fn a_side_that_cannot_be_rendered_is_named() {
    let workspace = workspace();
    workspace.write("settings.yaml", DECLARED.replace("a.example.org", "\"\""));
    let Run {
        code,
        stdout,
        stderr,
    } = workspace.run(&["diff", "-s", "new.env"]);
    assert_eq!((code, stdout.as_str()), (1, ""));
    assert!(
        stderr.contains("a required setting has no value"),
        "{stderr}"
    );
    assert!(
        stderr.contains("  note: this is about the defaults, with which the settings are compared; `--against` names other settings\n"),
        "{stderr}"
    );
}

/// A workspace that is a repository with one commit; nothing where there is no Git.
fn repository() -> Option<Workspace> {
    tools::git()?;
    let workspace = Workspace::new(&[]);
    for (path, text) in [
        ("app/base/kustomization.yaml", KUSTOMIZATION),
        ("app/base/settings.yaml", DECLARED),
        ("app/base/one.yaml", OBJECTS),
        (
            "app/over/kustomization.yaml",
            "namePrefix: x-\nresources: [../base]\n",
        ),
        ("new.env", "HOST=b.example.org\n"),
    ] {
        workspace.write(path, text);
    }
    git(
        workspace.path(),
        &["init", "--quiet", "--initial-branch=main", "."],
    );
    git(workspace.path(), &["add", "--all"]);
    git(workspace.path(), &["commit", "--quiet", "--message=a"]);
    Some(workspace)
}

fn git(directory: &Path, arguments: &[&str]) -> String {
    let mut git = Command::new("git");
    git.args(["-c", "user.name=a", "-c", "user.email=a@example.org"])
        .args(arguments)
        .current_dir(directory)
        .env_remove("GIT_DIR")
        .env_remove("GIT_INDEX_FILE")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null");
    tools::printed(&mut git)
}

/// Runs the binary where it finds Git.
fn run(directory: &Path, arguments: &[&str]) -> Run {
    let output = binary()
        .args(arguments)
        .current_dir(directory)
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .output()
        .unwrap();
    Run {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn another_commit_is_compared_and_the_repository_stays_as_it_is() {
    let Some(workspace) = repository() else {
        return;
    };
    workspace.write(
        "app/base/one.yaml",
        OBJECTS.replace("spec:\n  size", "spec:\n  added: {a: b}\n  size")
            + "---\napiVersion: v1\nkind: Service\nmetadata: {name: three}\n",
    );
    workspace.write("app/base/settings.yaml", DECLARED.replace("1Gi", "3Gi"));
    let before = git(workspace.path(), &["status", "--porcelain"]);
    let arguments = ["diff", "over", "--git", "HEAD", "-s", "../new.env"];
    let Run {
        code,
        stdout,
        stderr,
    } = run(&workspace.path().join("app"), &arguments);
    assert_eq!((code, stderr.as_str()), (1, ""));
    let expected = "\
--- ../new.env, commit HEAD
+++ ../new.env, the files as they are
settings that differ: SIZE

+ Service x-three

Pod x-one
  + spec.added  the repository
  ~ spec.size   SIZE
";
    assert_eq!(stdout, expected);
    assert_eq!(git(workspace.path(), &["status", "--porcelain"]), before);
    let same = run(
        workspace.path(),
        &[
            "diff",
            "app/over",
            "--git",
            "main",
            "--against",
            "new.env",
            "-s",
            "new.env",
            "--format",
            "json",
        ],
    );
    assert_eq!(same.code, 1, "{}", same.stderr);
    let report: Value = serde_json::from_str(&same.stdout).unwrap();
    assert_eq!(report["objects"][0]["change"], "added");
}

#[test]
fn errors_about_another_commit_say_so_and_name_files_as_they_are() {
    let Some(workspace) = repository() else {
        return;
    };
    workspace.write("app/base/one.yaml", OBJECTS.replace("SIZE", "SIZ"));
    git(
        workspace.path(),
        &["commit", "--quiet", "--all", "--message=b"],
    );
    workspace.write("app/base/one.yaml", OBJECTS);
    let Run {
        code,
        stdout,
        stderr,
    } = run(workspace.path(), &["diff", "app/over", "--git", "HEAD"]);
    assert_eq!((code, stdout.as_str()), (1, ""));
    assert!(
        stderr.starts_with("error: app/base/one.yaml:8:9: setting `SIZ` is not declared\n"),
        "{stderr}"
    );
    assert!(
        stderr.contains("  note: this is about commit `HEAD`\n"),
        "{stderr}"
    );
}

#[test]
fn a_reference_is_a_name_and_nothing_else() {
    let Some(workspace) = repository() else {
        return;
    };
    for (reference, what) in [
        (
            "--git=--output=/tmp/x",
            "the reference is no name of a commit",
        ),
        ("--git=a b", "the reference is no name of a commit"),
        ("--git=", "the reference is no name of a commit"),
        ("--git=nothing", "the repository has no commit `nothing`"),
        ("--git=HEAD:app", "the repository has no commit `HEAD:app`"),
    ] {
        let Run {
            code,
            stdout,
            stderr,
        } = run(workspace.path(), &["diff", "app/over", reference]);
        assert_eq!((code, stdout.as_str()), (1, ""), "{reference}");
        assert!(stderr.contains(what), "{stderr}");
    }
    git(workspace.path(), &["mv", "app", "moved"]);
    let Run { code, stderr, .. } = run(workspace.path(), &["diff", "moved/over", "--git", "HEAD"]);
    assert_eq!(code, 1);
    assert!(
        stderr.starts_with("error: there is no directory `moved/over`\n"),
        "{stderr}"
    );
    let outside = Workspace::new(&[
        ("kustomization.yaml", "resources: [a.yaml]\n"),
        ("a.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n"),
    ]);
    let Run { code, stderr, .. } = run(outside.path(), &["diff", "--git", "HEAD"]);
    assert_eq!(code, 1);
    assert!(stderr.contains("not a git repository"), "{stderr}");
}

/// The example of docs/settings.md: the website, whose one setting is changed.
#[test]
fn a_changed_setting_of_the_website_rolls_the_pods() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let overlay = "testdata/website/overlays/dev";
    // Plain kustomize prints the same as `build`; that is what the goldens are recorded from.
    let built = run_in(root, &["build", overlay]).stdout;
    assert!(built.contains("host: dev.example.org\n") && built.contains("replicas: 1\n"));
    let defaults = run_in(root, &["render", overlay]).stdout;
    let changed = Workspace::new(&[("some.env", "CONNECTIONS=2048\n")]);
    let settings = changed.path().join("some.env");
    let settings = settings.to_str().unwrap();
    let rendered = run_in(root, &["render", overlay, "-s", settings]).stdout;
    let name = |text: &str, start: &str| {
        let mut lines = text.lines().map(str::trim);
        let line = lines.find(|line| line.starts_with(&format!("name: {start}-")));
        line.unwrap().to_owned()
    };
    for made in ["dev-website-nginx", "dev-website-environment"] {
        let (before, after) = (name(&defaults, made), name(&rendered, made));
        assert_ne!(before, after);
        // The object itself, and the Deployment that uses it.
        assert_eq!(rendered.matches(&after).count(), 2, "{after}");
        assert_eq!(rendered.matches(&before).count(), 0, "{before}");
    }
    assert_eq!(
        name(&defaults, "dev-website-html"),
        name(&rendered, "dev-website-html")
    );
    let Run { code, stdout, .. } = run_in(root, &["diff", overlay, "-s", settings]);
    assert_eq!(code, 1);
    let fields: Vec<&str> = stdout
        .lines()
        .filter(|line| line.starts_with("  ~ "))
        .collect();
    assert_eq!(
        fields,
        [
            "  ~ metadata.name                CONNECTIONS (hash of ConfigMap dev-website-environment)",
            "  ~ data.CONNECTIONS_PER_CLIENT  CONNECTIONS",
            "  ~ metadata.name        CONNECTIONS (hash of ConfigMap dev-website-nginx)",
            "  ~ data.[default.conf]  CONNECTIONS",
            "  ~ spec.template.spec.containers.0.envFrom.0.configMapRef.name  CONNECTIONS (hash of ConfigMap dev-website-environment)",
            "  ~ spec.template.spec.volumes.0.configMap.name                  CONNECTIONS (hash of ConfigMap dev-website-nginx)",
        ],
        "{stdout}"
    );
}
