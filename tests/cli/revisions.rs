//! `revisions`: what the controller would decide, out of manifests.

use std::fs;
use std::path::Path;

use argocd_infisical::settings::consent::{Caller, admit};
use argocd_infisical::settings::digest::{Digest, DigestKey};
use argocd_infisical::settings::object::{Object, Reference};
use serde_json::{Value, json};

use crate::watch::{Watch, wait_for};
use crate::workspace::{Run, Workspace, run_in};

const APPLICATION: &str = "\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: lamp
  namespace: argocd
  labels: {argocd-infisical.io/environment: dev}
spec:
  project: home
  source: {repoURL: https://git.example.org/home.git, path: ., targetRevision: dev}
  syncPolicy: {automated: {}}
";

/// An override in an environment, as a Secret whose values are plain.
fn overriding(environment: &str, revision: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: o-{environment}\n  namespace: argocd-infisical\n  labels: \
         {{argocd-infisical.io/environment: {environment}}}\nstringData:\n  ARGOCD_TARGET_REVISION: \"{revision}\"\n"
    )
}

fn workspace(more: &str) -> Workspace {
    Workspace::new(&[("a.yaml", APPLICATION), ("more.yaml", more)])
}

/// The outcomes of the Applications, by name.
fn outcomes(run: &Run) -> Vec<(String, String)> {
    let shown: Value = serde_json::from_str(&run.stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let applications = shown["applications"].as_array().unwrap().iter();
    applications
        .map(|application| (text(&application["name"]), text(&application["outcome"])))
        .collect()
}

#[test]
fn the_exit_code_says_whether_anything_would_change_or_is_wrong() {
    let held = APPLICATION.replace(
        "  labels:",
        "  annotations: {argocd-infisical.io/hold: 'yes'}\n  labels:",
    );
    for (application, more, outcome, code) in [
        (APPLICATION, String::new(), "same", 0),
        (APPLICATION, overriding("dev", "dev"), "same", 0),
        (APPLICATION, overriding("test", "other"), "same", 0),
        (APPLICATION, overriding("dev", "other"), "change", 1),
        (APPLICATION, overriding("dev", "-x"), "refused", 1),
        (&held, overriding("dev", "other"), "held", 0),
        (
            &APPLICATION.replace("environment: dev", "environment: none"),
            String::new(),
            "refused",
            1,
        ),
    ] {
        let workspace = workspace(&more);
        workspace.write("a.yaml", application);
        let run = workspace.run(&["revisions", ".", "-o", "json"]);
        assert_eq!(run.stderr, "");
        let expected = [("lamp".to_owned(), outcome.to_owned())];
        assert_eq!(
            (run.code, outcomes(&run)),
            (code, expected.to_vec()),
            "{more}"
        );
    }
}

#[test]
fn no_refused_value_is_shown() {
    let refused = [
        "hunter2^",
        "refs/pull/31415/head",
        "^1.31415",
        "-hunter2",
        "hunter2\\e[31m",
    ];
    for value in refused {
        let workspace = workspace(&overriding("dev", value));
        for form in ["table", "json"] {
            let run = workspace.run(&["revisions", ".", "-o", form]);
            assert_eq!((run.code, run.stderr.as_str()), (1, ""));
            assert!(run.stdout.contains("refused"), "{}", run.stdout);
            let hidden = ["hunter2", "31415", "\u{1b}"];
            assert!(
                !hidden.iter().any(|hidden| run.stdout.contains(hidden)),
                "{}",
                run.stdout
            );
        }
    }
}

#[test]
fn what_an_application_says_cannot_steer_a_terminal() {
    let workspace = workspace("");
    workspace.write(
        "a.yaml",
        APPLICATION.replace("targetRevision: dev", "targetRevision: \"a\\e[31m\\nb\""),
    );
    let run = workspace.run(&["revisions", "."]);
    assert!(
        run.stdout.contains("a\u{fffd}[31m\u{fffd}b"),
        "{}",
        run.stdout
    );
    assert_eq!(run.stdout.lines().count(), 2);
}

#[test]
fn a_table_has_reasons_below_it_each_once() {
    let names = ["a", "b", "c", "d", "e"];
    let all = names.map(|name| APPLICATION.replace("name: lamp", &format!("name: {name}")));
    let workspace = workspace(&overriding("dev", "-x"));
    workspace.write("a.yaml", all.join("---\n"));
    let run = workspace.run(&["revisions", "."]);
    let (_, reasons) = run.stdout.split_once("\n\n").unwrap();
    let start = "argocd/a, argocd/b, argocd/c and 2 more: `ARGOCD_TARGET_REVISION` of Secret argocd-infisical/o-dev ";
    assert!(reasons.starts_with(start), "{reasons}");
    assert_eq!(reasons.lines().count(), 2, "{reasons}");
    assert!(
        reasons.contains("\n  hint: write a branch or a tag"),
        "{reasons}"
    );
}

/// The controller has done its part, and Argo CD cannot do its own.
#[test]
fn what_holds_up_a_deployment_stands_below_the_table_and_in_the_json() {
    for (message, code, words) in [
        (
            "Unable to resolve: unable to resolve 'dev' to a commit SHA",
            "RevisionNotFound",
            "its repository does not have the branch, tag or commit that it asks for\n  hint: push it, or ask for another",
        ),
        (
            "rpc error: overlays/dev: app path does not exist",
            "PathNotFound",
            "its revision does not have the directory that it asks for\n  hint: push the directory, or ask for another",
        ),
        (
            "Manifest generation error (cached): hunter2",
            "RenderPaused",
            "rendering failed several times, and Argo CD does not try again for an hour\n  hint: when the cause is mended",
        ),
    ] {
        let conditions = json!([
            {"type": "ComparisonError", "message": message},
            {"type": "ComparisonError", "message": message},
            {"type": "OrphanedResourceWarning", "message": "others"},
        ]);
        let status = format!("status: {{conditions: {conditions}}}\n");
        let workspace = Workspace::new(&[("a.yaml", &format!("{APPLICATION}{status}"))]);
        let run = workspace.run(&["revisions", "."]);
        let (_, below) = run.stdout.split_once("\n\n").unwrap();
        let start = format!("argocd/lamp: {words}");
        assert!(
            below.starts_with(&start) && below.lines().count() == 2,
            "{below}"
        );
        assert_eq!((run.code, run.stderr.as_str()), (0, ""));
        assert!(!run.stdout.contains("hunter2"));
        let run = workspace.run(&["revisions", ".", "-o", "json"]);
        let shown: Value = serde_json::from_str(&run.stdout).unwrap();
        let conditions = shown["applications"][0]["conditions"].as_array().unwrap();
        assert_eq!(conditions.len(), 1);
        assert_eq!(conditions[0]["code"], code);
    }
    let shown = workspace("").run(&["revisions", ".", "-o", "json"]).stdout;
    assert!(!shown.contains("conditions"));
}

#[test]
fn the_yaml_of_a_hint_is_whole() {
    let owner = "  ownerReferences: [{apiVersion: argoproj.io/v1alpha1, kind: ApplicationSet, name: lamps}]\n";
    let set = "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {name: lamps, namespace: argocd}\nspec: {}\n";
    let workspace = workspace(&format!("{}---\n{set}", overriding("dev", "other")));
    workspace.write(
        "a.yaml",
        APPLICATION.replace("spec:\n", &format!("{owner}spec:\n")),
    );
    let run = workspace.run(&["revisions", "."]);
    assert_eq!(run.code, 1);
    assert!(run.stdout.contains("contested\n"), "{}", run.stdout);
    let (_, yaml) = run.stdout.split_once("\n\n  spec:\n").unwrap();
    assert!(yaml.starts_with("    ignoreApplicationDifferences:\n    - jsonPointers:\n      - /spec/source/targetRevision\n"), "{yaml}");
}

#[test]
fn a_policy_decides() {
    let workspace = workspace("");
    let policy = "apiVersion: argocd-infisical.io/v1alpha1\nkind: ControllerPolicy\nenvironments:\n  dev: {default: trunk}\n";
    workspace.write("policy/p.yaml", policy);
    let run = workspace.run(&[
        "revisions",
        "a.yaml",
        "--policy",
        "policy/p.yaml",
        "-o",
        "json",
    ]);
    let shown: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(shown["applications"][0]["wanted"], "trunk");
    assert_eq!(run.code, 1);
    workspace.write("policy/p.yaml", policy.replace("default", "defualt"));
    let run = workspace.run(&["revisions", "a.yaml", "--policy", "policy/p.yaml"]);
    assert_eq!((run.code, run.stdout.as_str()), (1, ""));
    assert!(
        run.stderr.starts_with("error: policy/p.yaml:4: "),
        "{}",
        run.stderr
    );
}

#[test]
fn inputs_that_are_wrong() {
    let secret = overriding("dev", "hunter2");
    for (more, expected) in [
        ("a: [\n".to_owned(), "error: more.yaml:"),
        (
            APPLICATION.to_owned(),
            "error: more.yaml:1: Application `argocd/lamp` is there twice\n  it stands first in a.yaml:1\n",
        ),
        (
            secret.replace("  namespace: argocd-infisical\n", ""),
            "error: more.yaml:1: Secret `o-dev` names no namespace\nhint: add `metadata.namespace`, or say with `--namespace`",
        ),
        (
            secret.replace("stringData", "data"),
            "error: more.yaml:8: the value of `ARGOCD_TARGET_REVISION` in `data` is not valid base64\n",
        ),
        (
            APPLICATION
                .replace("name: lamp", "name: other")
                .replace("project: home", "project: [hunter2]"),
            "error: more.yaml:8: `spec.project` of the Application has to be a text, and is a list\n",
        ),
    ] {
        let workspace = workspace(&more);
        let run = workspace.run(&["revisions", "a.yaml", "more.yaml"]);
        assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{more}");
        assert!(run.stderr.starts_with(expected), "{}", run.stderr);
        assert!(!run.stderr.contains("hunter2"), "{}", run.stderr);
    }
    let workspace = workspace("apiVersion: apps/v1\nkind: Deployment\nspec: 1\n");
    let nobody =
        "error: there is no Application with the label `argocd-infisical.io/environment`\n";
    let missing = "error: none.yaml: cannot read manifests: no such file or directory\n";
    for (path, expected) in [("more.yaml", nobody), ("none.yaml", missing)] {
        let run = workspace.run(&["revisions", path]);
        assert_eq!((run.code, run.stdout.as_str()), (1, ""));
        assert!(run.stderr.starts_with(expected), "{}", run.stderr);
    }
}

#[test]
fn what_does_not_count_is_a_warning() {
    let elsewhere =
        overriding("dev", "other").replace("namespace: argocd-infisical", "namespace: tenant");
    let run = workspace(&elsewhere).run(&["revisions", "."]);
    assert_eq!(run.code, 0);
    let expected = "warning: more.yaml:1: `Secret tenant/o-dev` does not count: objects of its namespace are not read\nhint: ";
    assert!(run.stderr.starts_with(expected), "{}", run.stderr);
    assert!(run.stdout.ends_with("same\n"), "{}", run.stdout);
}

/// An Application that renders with the settings of a Secret in the controller's namespace.
fn with_settings() -> String {
    let plugin = "plugin: {name: argocd-infisical, parameters: [{name: settings, array: ['secret:argocd-infisical/s']}], env: [ENV]}";
    APPLICATION.replace(
        "targetRevision: dev}",
        &format!("targetRevision: dev, {plugin}}}"),
    )
}

const SETTINGS: &str = "\
apiVersion: v1
kind: Secret
metadata:
  name: s
  namespace: argocd-infisical
  labels: {argocd-infisical.io/settings: 'true'}
  annotations: {argocd-infisical.io/allowed: home/lamp, argocd-infisical.io/keys: HOSTNAME}
stringData: {HOSTNAME: hunter2}
";

#[test]
fn what_is_wrong_with_settings_is_shown_without_the_key() {
    let digest = format!("{{name: SETTINGS_DIGEST, value: v1.{}.1}}", "0".repeat(64));
    for env in ["", &digest] {
        for (objects, expected) in [
            ("", Some(("unknown", "SettingsAbsent"))),
            (SETTINGS, None),
            (
                &SETTINGS.replace("home/lamp", "home/other"),
                Some(("refused", "NoConsent")),
            ),
            (
                &SETTINGS.replace("{HOSTNAME: hunter2}", "{}"),
                Some(("unknown", "SettingsNotSynced")),
            ),
        ] {
            let workspace = workspace(objects);
            workspace.write("a.yaml", with_settings().replace("ENV", env));
            let run = workspace.run(&["revisions", ".", "-o", "json"]);
            let shown: Value = serde_json::from_str(&run.stdout).unwrap();
            let shown = &shown["applications"][0];
            assert_eq!(shown["outcome"], "same");
            let settings = shown.get("settings").map(|settings| {
                let text = |value: &Value| value.as_str().unwrap().to_owned();
                (
                    text(&settings["outcome"]),
                    text(&settings["reason"]["code"]),
                )
            });
            let expected = expected.map(|(outcome, code)| (outcome.to_owned(), code.to_owned()));
            let code = i32::from(expected.is_some());
            assert_eq!((run.code, settings), (code, expected), "{env} {objects}");
            let table = workspace.run(&["revisions", "."]);
            assert_eq!(table.code, code);
            let is_told = table.stdout.contains("\nargocd/lamp (settings): ");
            assert_eq!(is_told, code == 1, "{}", table.stdout);
        }
    }
}

#[test]
fn with_the_key_a_digest_that_differs_is_a_change() {
    let workspace = workspace(SETTINGS);
    workspace.write("key", "k".repeat(32));
    let run = |env: &str, key: &str| {
        workspace.write("a.yaml", with_settings().replace("ENV", env));
        workspace.run(&[
            "revisions",
            "a.yaml",
            "more.yaml",
            "--digest-key",
            key,
            "--format",
            "json",
        ])
    };
    let outcome = |run: &Run| {
        let shown: Value = serde_json::from_str(&run.stdout).unwrap();
        shown["applications"][0]["settings"]["outcome"].clone()
    };
    let entry = |digest: &str| format!("{{name: SETTINGS_DIGEST, value: {digest}}}");
    let other = entry(&format!("v1.{}.1", "0".repeat(64)));
    for env in ["", &other] {
        let run = run(env, "key");
        assert_eq!((run.code, outcome(&run)), (1, json!("change")), "{env}");
    }
    let key = DigestKey::new("k".repeat(32).as_bytes()).unwrap();
    let reference: Reference = "secret:argocd-infisical/s".parse().unwrap();
    let text = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    let object = Object {
        labels: [text("argocd-infisical.io/settings", "true")].into(),
        annotations: [
            text("argocd-infisical.io/allowed", "home/lamp"),
            text("argocd-infisical.io/keys", "HOSTNAME"),
        ]
        .into(),
        data: [("HOSTNAME".to_owned(), b"hunter2".to_vec())].into(),
    };
    let caller = Caller::new("home", "lamp").unwrap();
    let admitted = admit(&reference, Some(&object), &caller).ok();
    let digest = Digest::of(&key, &caller, [(&reference.object, admitted.as_ref())]);
    let same = run(&entry(&digest.at(1)), "key");
    assert_eq!((same.code, outcome(&same)), (0, json!("same")));
    let table = workspace.run(&["revisions", "a.yaml", "more.yaml", "--digest-key", "key"]);
    assert!(!table.stdout.contains("settings"), "{}", table.stdout);
    run(&other, "key");
    let table = workspace.run(&["revisions", "a.yaml", "more.yaml", "--digest-key", "key"]);
    let expected = "\nargocd/lamp (settings): the controller would write another digest\n";
    assert!(table.stdout.ends_with(expected), "{}", table.stdout);
    let missing = run(&other, "nowhere");
    assert_eq!((missing.code, missing.stdout.as_str()), (1, ""));
    let expected = "error: nowhere: cannot read the key of the digest: ";
    assert!(missing.stderr.starts_with(expected), "{}", missing.stderr);
}

#[test]
fn what_moves_nothing_is_a_warning() {
    let misspelt = overriding("dev", "other").replace("ARGOCD_TARGET_REVISION", "TARGET_REVISON");
    let run = workspace(&misspelt).run(&["revisions", "."]);
    let expected = "warning: `Secret argocd-infisical/o-dev` moves nothing here: its key `TARGET_REVISON` is none that says a revision\n\
                    hint: write `TARGET_REVISION` if that is what it is for\n";
    assert_eq!((run.code, run.stderr.as_str()), (0, expected));
    assert!(run.stdout.ends_with("same\n"), "{}", run.stdout);
}

#[test]
fn a_prod_that_is_not_protected_is_a_warning() {
    let workspace = workspace("");
    let head = "apiVersion: argocd-infisical.io/v1alpha1\nkind: ControllerPolicy\n";
    let rest = "environments: {prod: {default: main}, dev: {default: dev}}\n";
    workspace.write("policy/p.yaml", format!("{head}{rest}"));
    let arguments = ["revisions", "a.yaml", "--policy", "policy/p.yaml"];
    let run = workspace.run(&arguments);
    let expected = "warning: policy/p.yaml: the environment `prod` of the policy is not protected: no breaker stops a change of all of it\n\
                    hint: write `protected: true` in `environments.prod`; ";
    assert_eq!(run.code, 0);
    assert!(run.stderr.starts_with(expected), "{}", run.stderr);
    // The controller says so before it looks for its cluster.
    for form in ["text", "json"] {
        let arguments = [
            "controller",
            "--policy",
            "policy/p.yaml",
            "--kubeconfig",
            "nowhere",
            "--log-format",
            form,
        ];
        let run = workspace.run(&arguments);
        assert_eq!(run.code, 1);
        let first = run.stderr.lines().next().unwrap();
        assert!(
            first.contains("the environment `prod` of the policy is not protected"),
            "{first}"
        );
        let line: Option<Value> = serde_json::from_str(first).ok();
        assert_eq!(
            line.is_some_and(|line| line["level"] == "WARN"),
            form == "json",
            "{first}"
        );
    }
    workspace.write(
        "policy/p.yaml",
        format!("{head}{}", rest.replace("main}", "main, protected: true}")),
    );
    assert_eq!(workspace.run(&arguments).stderr, "");
}

#[test]
fn directories_are_searched_but_for_what_is_hidden() {
    let workspace = workspace("kind: [\n");
    fs::remove_file(workspace.path().join("more.yaml")).unwrap();
    workspace.write("deep/er/o.yml", overriding("dev", "other"));
    workspace.write(".git/x.yaml", "kind: [\n");
    workspace.write("notes.txt", "kind: [\n");
    let run = workspace.run(&["revisions", ".", "-o", "json"]);
    assert_eq!(outcomes(&run), [("lamp".to_owned(), "change".to_owned())]);
}

#[test]
fn the_command_line() {
    let workspace = workspace("");
    for arguments in [
        &["revisions"][..],
        &["revisions", ".", "--from-cluster"],
        &["revisions", ".", "--context", "x"],
        &["revisions", "--from-cluster", "--namespace", "x"],
        &["revisions", ".", "-o", "yaml"],
        &["revisions", "release", "lamp"],
        &["revisions", "release", "argocd/lamp/x"],
        &["revisions", "release", "argocd/../lamp"],
        &["revisions", "acknowledge", "hunter2"],
        &[
            "revisions",
            "acknowledge",
            "0123456789abcdef",
            "--minutes",
            "0",
        ],
    ] {
        let run = workspace.run(arguments);
        assert_eq!(
            (run.code, run.stdout.as_str()),
            (2, ""),
            "{arguments:?}: {}",
            run.stderr
        );
    }
    let run = workspace.run(&["revisions"]);
    assert!(run.stderr.contains("`--from-cluster`"), "{}", run.stderr);
}

#[test]
fn a_cluster_that_is_not_there() {
    let workspace = workspace("");
    let config = "apiVersion: v1\nkind: Config\ncurrent-context: a\ncontexts: [{name: a, context: {cluster: a, user: a}}]\n\
                  clusters: [{name: a, cluster: {server: \"https://127.0.0.1:1\"}}]\nusers: [{name: a, user: {token: hunter2}}]\n";
    workspace.write("config", config.replace("server:", "srv:"));
    for arguments in [
        &["--from-cluster"][..],
        &["release", "argocd/lamp"],
        &["acknowledge", "0123456789abcdef"],
        &["pause"],
        &["resume"],
    ] {
        let run = workspace.run(&[&["revisions"], arguments, &["--kubeconfig", "config"]].concat());
        assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{arguments:?}");
        assert!(
            run.stderr
                .starts_with("error: config: the cluster of the kubeconfig has no `server`\n"),
            "{}",
            run.stderr
        );
    }
}

#[test]
fn a_watch_shows_what_changes() {
    let workspace = workspace("");
    let out = workspace.path().join("out");
    let arguments = ["revisions", "a.yaml", "more", "--watch", "-o", "json"];
    fs::create_dir(workspace.path().join("more")).unwrap();
    let watch = Watch::run(&workspace, &arguments, fs::File::create(&out).unwrap());
    wait_for(&out, "\"outcome\": \"same\"");
    workspace.write("more/o.yaml", overriding("dev", "other"));
    wait_for(&out, "\"outcome\": \"change\"");
    workspace.write("more/o.yaml", "kind: [\n");
    wait_for(&workspace.path().join("log"), "error: more/o.yaml:");
    workspace.write(
        "more/o.yaml",
        overriding("dev", "other").replace("name: o-dev", "name: o-dev-2"),
    );
    wait_for(&out, "o-dev-2");
    watch.end();
    assert_eq!(workspace.read("out").matches("\"outcome\"").count(), 3);
}

#[test]
fn programs_get_the_example() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let run = run_in(root, &["revisions", "testdata/steer", "-o", "json"]);
    let shown: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(shown["breakers"], json!([]));
    let prod = &shown["applications"][1];
    assert_eq!(
        (&prod["outcome"], &prod["reason"]["code"]),
        (&json!("refused"), &json!("NotAllowed"))
    );
    assert!(prod.get("wanted").is_none() && prod.get("origin").is_none());
    let test = &shown["applications"][3];
    let expected = json!({
        "namespace": "argocd",
        "name": "home-assistant-test",
        "environment": "test",
        "project": "home",
        "default": "dev",
        "wanted": "feature/new-dashboard",
        "origin": {
            "kind": "Secret", "namespace": "argocd-infisical", "name": "home-assistant-test", "key": "ARGOCD_TARGET_REVISION",
        },
        "current": ["dev"],
        "sync": "Synced",
        "health": "Healthy",
        "outcome": "change",
    });
    assert_eq!(test, &expected);
}
