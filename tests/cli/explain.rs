//! `explain`: which field got which setting, where it came from, and why.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::workspace::{Run, Workspace, run_in};

/// The tree in `testdata/tools`: every way in which a setting can reach a field.
fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/tools")
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[track_caller]
fn prints(directory: &Path, arguments: &[&str]) -> String {
    let Run {
        code,
        stdout,
        stderr,
    } = run_in(directory, arguments);
    assert_eq!((code, stderr.as_str()), (0, ""));
    stdout
}

const FIELDS: &str = "\
ConfigMap my-made-2748f727mg
  FIELD       SETTING  BY           AT
  data.LEVEL  LEVEL    placeholder  base/kustomization.yaml:4

Service my-one
  FIELD              SETTING  BY    AT
  spec.externalName  CHAINED  copy  base/objects.yaml:6

Deployment my-one
  FIELD                                   SETTING          BY           AT
  metadata.annotations.peer               CHAINED          copy         base/objects.yaml:11
  metadata.annotations.url                HOST             copy         base/objects.yaml:11
  spec.template.spec.containers.0.args.0  VARIABLE         copy         base/objects.yaml:22
  spec.template.spec.containers.0.args.1  LEVEL, OPTIONAL  placeholder  base/objects.yaml:22

";

#[test]
fn every_way_into_a_field_is_followed() {
    let settings = "\
SETTING     VALUE    FROM                   ALLOWED BY                  FIELDS
CHAINED     default  base/settings.yaml:9   declared in the repository  2
HOST        set      settings.env:1         named on the command line   1
LEVEL       default  base/settings.yaml:11  declared in the repository  2
OPTIONAL    none     -                      -                           1
OVERRIDDEN  default  base/settings.yaml:13  declared in the repository  0
UNUSED      default  base/settings.yaml:14  declared in the repository  0
VARIABLE    set      settings.env:2         named on the command line   1
";
    let stdout = prints(&example(), &["explain", "-s", "settings.env"]);
    assert_eq!(stdout, format!("{FIELDS}{settings}"));
}

#[test]
fn values_are_shown_where_they_are_asked_for() {
    let arguments = ["explain", "-s", "settings.env"];
    let hidden = prints(&example(), &arguments);
    let shown = prints(&example(), &[&arguments[..], &["--show-values"]].concat());
    for value in ["other.example.org", "good day", "info"] {
        assert!(!hidden.contains(value), "{hidden}");
        assert!(shown.contains(&format!("\"{value}\"\n")), "{shown}");
    }
}

#[test]
fn places_outlive_patches_and_merged_generators() {
    // JSON 6902 patches write the whole Deployment anew; the overlay's generator is merged with that of the base.
    for (overlay, places) in [
        (
            "testdata/homeassistant/overlays/test",
            [
                "  spec.replicas                                    REPLICAS   placeholder  \
                 testdata/homeassistant/base/deployment.yaml:10\n",
                "TIMEZONE      default  testdata/homeassistant/overlays/test/settings.yaml:14 ",
            ],
        ),
        (
            "testdata/website/overlays/dev",
            [
                "  data.CONNECTIONS_PER_CLIENT  CONNECTIONS  placeholder  testdata/website/base/kustomization.yaml:27\n",
                "TITLE        default  testdata/website/overlays/dev/settings.yaml:7 ",
            ],
        ),
    ] {
        let stdout = prints(root(), &["explain", overlay]);
        for place in places {
            assert!(stdout.contains(place), "no `{place}` in: {stdout}");
        }
    }
}

#[test]
fn a_program_gets_the_same_and_all_of_a_field_at_once() {
    let arguments = ["explain", "-s", "settings.env", "--format", "json"];
    let report: Value = serde_json::from_str(&prints(&example(), &arguments)).unwrap();
    let fields = report["fields"].as_array().unwrap();
    let url = fields
        .iter()
        .find(|field| field["field"] == "metadata.annotations.url")
        .unwrap();
    let expected = serde_json::json!({
        "by": "copy",
        "field": "metadata.annotations.url",
        "file": "base/objects.yaml",
        "line": 11,
        "resource": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "my-one", "outputName": "my-one"},
        "settings": [{
            "key": "HOST", "state": "set", "file": "settings.env", "line": 1, "fields": 1,
            "allowedBy": "named on the command line",
            "declaredFile": "base/settings.yaml", "declaredLine": 10,
        }],
    });
    assert_eq!(url, &expected);
    assert_eq!(report["settings"].as_array().unwrap().len(), 7);
    assert_eq!(report["unknown"], serde_json::json!([]));
    let shown = prints(&example(), &[&arguments[..], &["--show-values"]].concat());
    let report: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(report["settings"][1]["value"], "other.example.org");
}

#[test]
fn a_tree_without_settings_has_nothing_to_explain() {
    let workspace = Workspace::new(&[
        ("kustomization.yaml", "resources: [one.yaml]\n"),
        (
            "one.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\n",
        ),
    ]);
    assert_eq!(workspace.prints(&["explain"]), "no field takes a setting\n");
}

#[test]
fn what_cannot_be_rendered_cannot_be_explained() {
    let Run {
        code,
        stdout,
        stderr,
    } = run_in(root(), &["explain", "testdata/website/overlays/prod"]);
    assert_eq!((code, stdout.as_str()), (1, ""));
    assert!(
        stderr.starts_with("error: a required setting has no value\n"),
        "{stderr}"
    );
}

const OVERLAYS: [(&str, &str); 6] = [
    ("website", "dev"),
    ("website", "prod"),
    ("homeassistant", "dev"),
    ("homeassistant", "test"),
    ("homeassistant", "staging"),
    ("homeassistant", "prod"),
];

const CHANGES: [(&str, &str); 8] = [
    ("HOSTNAME", "changed.example.org"),
    ("REPLICAS", "1"),
    ("CONNECTIONS", "4096"),
    ("TITLE", "changed"),
    ("BANNER", "changed"),
    ("LOG_LEVEL", "changed"),
    ("STORAGE_SIZE", "77Gi"),
    ("TIMEZONE", "Changed/Zone"),
];

/// Changes one setting after another in the two applications, and compares what becomes different in the output with
/// what `explain` says.
#[test]
fn what_a_changed_setting_changes_is_what_is_explained() {
    let mut checked = 0;
    for (application, environment) in OVERLAYS {
        let overlay = format!("testdata/{application}/overlays/{environment}");
        let settings = format!("testdata/{application}/settings/{environment}/settings.yaml");
        let arguments = ["explain", &overlay, "-s", &settings, "--format", "json"];
        let explained: Value = serde_json::from_str(&prints(root(), &arguments)).unwrap();
        for (key, value) in CHANGES {
            let of_key = |field: &&Value| {
                let settings = field["settings"].as_array().unwrap();
                settings.iter().any(|setting| setting["key"] == key)
            };
            let fields = explained["fields"].as_array().unwrap().iter();
            let expected: BTreeSet<String> = fields
                .filter(of_key)
                .map(|field| name(&field["resource"], field))
                .collect();
            if is_declared(&explained, key)
                && let Some(found) = changed_by((key, value), &overlay, &settings)
            {
                assert_eq!(found, expected, "{overlay} {key}");
                checked += 1;
            }
        }
    }
    assert!(checked >= 20, "only {checked} settings were changed");
}

/// The fields that another value of a key changes, those that follow a hash left out; nothing where it is no other.
fn changed_by(
    (key, value): (&str, &str),
    overlay: &str,
    settings: &str,
) -> Option<BTreeSet<String>> {
    let workspace = Workspace::new(&[("changed.env", &format!("{key}={value}\n"))]);
    let changed = workspace.path().join("changed.env");
    let changed = changed.to_str().unwrap();
    let with = ["diff", overlay, "-s", settings, "-s", changed];
    let against = ["--against", settings, "--format", "json"];
    let run = run_in(root(), &[&with[..], &against].concat());
    assert_eq!(run.stderr, "");
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    let objects = report["objects"].as_array().unwrap();
    if report["settings"] == serde_json::json!([]) {
        assert_eq!((run.code, objects.len()), (0, 0));
        return None;
    }
    let mut found = BTreeSet::new();
    for object in objects {
        for field in object["fields"].as_array().unwrap() {
            assert_eq!(
                field["settings"],
                serde_json::json!([key]),
                "{overlay} {field}"
            );
            if field["because"] == "settings" {
                found.insert(name(&object["resource"], field));
            } else {
                assert_eq!(field["because"], "hash", "{overlay} {field}");
            }
        }
    }
    Some(found)
}

fn is_declared(explained: &Value, key: &str) -> bool {
    let settings = explained["settings"].as_array().unwrap();
    settings.iter().any(|setting| setting["key"] == key)
}

fn name(resource: &Value, field: &Value) -> String {
    format!(
        "{} {} {}",
        resource["kind"], resource["name"], field["field"]
    )
}

#[test]
fn a_key_that_has_no_other_value_is_said_to_be_unknown() {
    let workspace = Workspace::new(&[
        (
            "kustomization.yaml",
            "resources: [settings.yaml, one.yaml]\nreplacements:\n- source: {kind: ConfigMap, name: settings, fieldPath: data.NAME}\n  \
             targets:\n  - select: {kind: Service}\n    fieldPaths: ['spec.ports.[name=http].name']\n- source: {kind: ConfigMap, name: settings, \
             fieldPath: data.OTHER}\n  targets:\n  - select: {kind: Service}\n    fieldPaths: ['spec.ports.[name=^http$].port']\n",
        ),
        (
            "settings.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\n  annotations:\n    config.kubernetes.io/local-config: \
             \"true\"\n    argocd-infisical.io/declare: settings\ndata:\n  NAME: http\n  OTHER: \"8080\"\n",
        ),
        (
            "one.yaml",
            "apiVersion: v1\nkind: Service\nmetadata: {name: one}\nspec:\n  ports:\n  - name: http\n    port: 80\n",
        ),
    ]);
    let Run {
        code,
        stdout,
        stderr,
    } = workspace.run(&["explain"]);
    assert_eq!(code, 0, "{stderr}");
    assert_eq!(
        stderr,
        "warning: where `NAME` is copied to is not known: with another value of it the tree does not build\n"
    );
    assert!(
        stdout.contains("NAME     default  settings.yaml:9   declared in the repository  ?\n"),
        "{stdout}"
    );
    assert!(
        stdout.contains("spec.ports.0.port  OTHER    copy  one.yaml:7\n"),
        "{stdout}"
    );
}
