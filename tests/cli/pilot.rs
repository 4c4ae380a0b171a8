//! `manifests/pilot`: that it says the same everywhere, and as the example application and its settings say.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use argocd_infisical::steer::Policy;
use argocd_infisical::steer::policy::Namespaces;
use serde_json::{Value, json};

use crate::manifests::{builds, named, objects, only, read, repository, texts};
use crate::workspace::Workspace;

const ENVIRONMENTS: [&str; 4] = ["dev", "test", "staging", "prod"];

/// What stands below a path, in each of some objects.
fn each<'a>(objects: &'a [Value], kind: &str) -> Vec<&'a Value> {
    let of_kind = objects.iter().filter(|object| object["kind"] == kind);
    of_kind.collect()
}

#[track_caller]
fn called<'a>(objects: &'a [Value], kind: &str, name: &str) -> &'a Value {
    let mut found = each(objects, kind).into_iter();
    found
        .find(|object| object["metadata"]["name"] == name)
        .unwrap_or_else(|| panic!("{kind} {name}"))
}

fn environment(workspace: &Workspace, name: &str) -> Vec<Value> {
    objects(&builds(
        workspace,
        &format!("manifests/pilot/environments/{name}"),
    ))
}

#[test]
fn every_kustomization_builds_as_with_kustomize() {
    let workspace = Workspace::of_manifests();
    let mut built = BTreeSet::new();
    for below in [
        "pilot",
        "components/reloader",
        "components/infisical-operator",
        "components/infisical-boundaries",
    ] {
        let root = workspace.path().join("manifests").join(below);
        for entry in walkdir::WalkDir::new(root) {
            let path = entry.unwrap().into_path();
            let directory = path.parent().unwrap();
            if path.ends_with("kustomization.yaml") {
                let directory = directory.strip_prefix(workspace.path()).unwrap();
                let directory = directory.to_str().unwrap().to_owned();
                assert!(!objects(&builds(&workspace, &directory)).is_empty());
                built.insert(directory);
            }
        }
    }
    assert_eq!(built.len(), 15, "{built:?}");
}

/// Every field that names a namespace.
fn namespaces(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let is_one = ["namespace", "secretNamespace"].contains(&key.as_str());
                if let (true, Some(name)) = (is_one, value.as_str()) {
                    found.insert(name.into());
                }
                namespaces(value, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| namespaces(item, found)),
        _ => {}
    }
}

/// What the operator writes is what the example has for its settings and its configuration.
#[test]
fn the_operator_writes_what_the_example_has() {
    let workspace = Workspace::of_manifests();
    for name in ENVIRONMENTS {
        let built = environment(&workspace, name);
        let own = format!("home-assistant-{name}");
        let mut found = BTreeSet::new();
        for object in &built {
            if object["apiVersion"]
                .as_str()
                .unwrap()
                .starts_with("secrets.infisical.com/")
            {
                namespaces(object, &mut found);
            }
            assert_eq!(object["metadata"]["namespace"], own.as_str());
        }
        assert_eq!(found, BTreeSet::from([own.clone()]), "{name}");
        for secret in ["home-assistant-config", "home-assistant-settings"] {
            let file = match secret {
                "home-assistant-settings" => "settings".to_owned(),
                other => other.to_owned(),
            };
            let path = format!("testdata/homeassistant/settings/{name}/{file}.yaml");
            let written = read(&path);
            let spec = &called(&built, "InfisicalStaticSecret", secret)["spec"];
            assert_eq!(spec["sources"][0]["environmentSlug"], name);
            assert_eq!(spec["syncOptions"]["refreshInterval"], "30s");
            let target = &spec["targets"][0];
            let metadata = &written["metadata"];
            assert_eq!(target["name"], metadata["name"]);
            assert_eq!(target["namespace"], metadata["namespace"]);
            assert_eq!(target["secretType"], written["type"]);
            assert_eq!(target["metadata"]["labels"], metadata["labels"], "{path}");
            // The one that the operator adds by itself.
            let mut annotations = metadata["annotations"].clone();
            annotations
                .as_object_mut()
                .unwrap()
                .remove("secrets.infisical.com/version");
            assert_eq!(target["metadata"]["annotations"], annotations, "{path}");
            if let Some(template) = target["template"]["data"].as_object() {
                let data = written["data"].as_object().unwrap();
                assert!(template.keys().eq(data.keys()));
            }
        }
    }
}

/// The keys that may be seen are those that are declared, and the files those that are mounted.
#[test]
fn the_repository_asks_for_what_is_written() {
    let workspace = Workspace::of_manifests();
    let built = environment(&workspace, "dev");
    let settings = called(&built, "InfisicalStaticSecret", "home-assistant-settings");
    let keys =
        &settings["spec"]["targets"][0]["metadata"]["annotations"]["argocd-infisical.io/keys"];
    let declared = read("testdata/homeassistant/base/settings.yaml");
    let declared: Vec<&str> = declared["data"]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(
        keys.as_str().unwrap().split(',').collect::<Vec<_>>(),
        declared
    );

    let written = called(&built, "InfisicalStaticSecret", "home-assistant-config");
    let written = written["spec"]["targets"][0]["template"]["data"]
        .as_object()
        .unwrap();
    let deployment = read_golden("dev");
    let pod = &only(&deployment, "Deployment")["spec"]["template"]["spec"];
    let items = named(&pod["volumes"], "configuration")["secret"]["items"]
        .as_array()
        .unwrap()
        .iter();
    let mounted: Vec<&str> = items.map(|item| item["key"].as_str().unwrap()).collect();
    assert_eq!(mounted, written.keys().collect::<Vec<_>>());
    let role = called(&built, "Role", "argocd-infisical-settings");
    assert_eq!(
        role["rules"][0]["resourceNames"],
        json!([settings["metadata"]["name"]])
    );
}

#[track_caller]
fn read_golden(environment: &str) -> Vec<Value> {
    let path = format!("testdata/golden/homeassistant/{environment}.render.yaml");
    objects(&fs::read_to_string(repository().join(path)).unwrap())
}

/// Uncomments the component for operators without v1beta1.
fn with_older(workspace: &Workspace, path: &str) {
    let text = workspace.read(path);
    let changed = text
        .replace("  # - ../../infisical-secret", "  - ../../infisical-secret")
        .replace("# components:\n#   - ", "components:\n  - ");
    assert_ne!(text, changed);
    workspace.write(path, changed);
}

/// What is written by an object of either version: namespace, name, type, labels and annotations.
fn targets(built: &[Value]) -> Vec<Value> {
    let newer = each(built, "InfisicalStaticSecret")
        .into_iter()
        .map(|object| {
            let target = &object["spec"]["targets"][0];
            json!([
                target["namespace"],
                target["name"],
                target["secretType"],
                target["creationPolicy"],
                target["metadata"]
            ])
        });
    let older = each(built, "InfisicalSecret").into_iter().map(|object| {
        let target = &object["spec"]["managedKubeSecretReferences"][0];
        json!([
            target["secretNamespace"],
            target["secretName"],
            target["secretType"],
            target["creationPolicy"],
            target["template"]["metadata"]
        ])
    });
    newer.chain(older).collect()
}

/// Where values come from: project, environment, folder, how often.
fn origins(built: &[Value]) -> Vec<Value> {
    let newer = each(built, "InfisicalStaticSecret")
        .into_iter()
        .map(|object| {
            let spec = &object["spec"];
            let source = &spec["sources"][0];
            json!([
                source["projectId"],
                source["environmentSlug"],
                source["secretPath"],
                spec["syncOptions"]["refreshInterval"]
            ])
        });
    let older = each(built, "InfisicalSecret").into_iter().map(|object| {
        let spec = &object["spec"];
        let source = &spec["authentication"]["universalAuth"]["secretsScope"];
        json!([
            source["projectId"],
            source["envSlug"],
            source["secretsPath"],
            spec["syncConfig"]["resyncInterval"]
        ])
    });
    newer.chain(older).collect()
}

#[test]
fn the_component_for_older_operators_writes_the_same() {
    for directory in ["environments/dev", "environments/prod", "revisions"] {
        let workspace = Workspace::of_manifests();
        let directory = format!("manifests/pilot/{directory}");
        let newer = objects(&builds(&workspace, &directory));
        with_older(&workspace, &format!("{directory}/kustomization.yaml"));
        let older = objects(&builds(&workspace, &directory));
        let is_newer = |object: &Value| object["apiVersion"] == "secrets.infisical.com/v1beta1";
        assert!(!older.iter().any(is_newer));
        assert_eq!(targets(&newer), targets(&older), "{directory}");
        assert_eq!(origins(&newer), origins(&older), "{directory}");
        assert!(!targets(&newer).is_empty());
    }
}

/// A key of a file that is not in Infisical is an error and no text; one of a revision is no error, since that releases it.
#[test]
fn missing_keys_are_guarded_where_they_have_to_be() {
    let workspace = Workspace::of_manifests();
    for path in ["environments/dev", "revisions"] {
        let path = format!("manifests/pilot/{path}/kustomization.yaml");
        with_older(&workspace, &path);
    }
    let older = environment(&workspace, "dev");
    let template = &called(&older, "InfisicalSecret", "home-assistant-config")["spec"]["managedKubeSecretReferences"]
        [0]["template"];
    assert_eq!(template["includeAllSecrets"], false);
    for (key, text) in template["data"].as_object().unwrap() {
        let read = format!("(index . \"{key}\").Value");
        let guard = format!(
            "{{{{ if not {read} }}}}{{{{ fail \"no {key}\" }}}}{{{{ end }}}}{{{{ {read} }}}}"
        );
        assert_eq!(text.as_str().unwrap(), guard);
    }
    let newer = environment(&Workspace::of_manifests(), "dev");
    let template = &called(&newer, "InfisicalStaticSecret", "home-assistant-config")["spec"]["targets"]
        [0]["template"];
    for (key, text) in template["data"].as_object().unwrap() {
        assert_eq!(
            text,
            &json!(format!(
                "{{{{ (secretFrom \"/home-assistant\" \"{key}\").Value }}}}"
            ))
        );
    }
    let revisions = objects(&builds(&workspace, "manifests/pilot/revisions"));
    for object in each(&revisions, "InfisicalSecret") {
        let template = &object["spec"]["managedKubeSecretReferences"][0]["template"];
        assert_eq!(
            (&template["includeAllSecrets"], &template["data"]),
            (&json!(true), &Value::Null)
        );
    }
}

#[test]
fn the_applications_agree_with_everything_they_name() {
    let workspace = Workspace::of_manifests();
    let argocd = objects(&builds(&workspace, "manifests/pilot/argocd"));
    let policy = Policy::default();
    for name in ENVIRONMENTS {
        let full = format!("home-assistant-{name}");
        let application = called(&argocd, "Application", &full);
        let spec = &application["spec"];
        let source = &spec["source"];
        let labels = json!({"argocd-infisical.io/environment": name});
        assert_eq!(application["metadata"]["labels"], labels);
        let default = policy.environments[name].default.as_str();
        assert_eq!(source["targetRevision"], default);
        let overlay = source["path"].as_str().unwrap();
        let example = repository().join("testdata/homeassistant");
        assert!(example.join(overlay).is_dir());
        assert_eq!(spec["destination"]["namespace"], full.as_str());
        let automated = json!({"prune": true, "selfHeal": true});
        assert_eq!(spec["syncPolicy"]["automated"], automated);
        let parameter = named(&source["plugin"]["parameters"], "settings");
        let settings = format!("secret:{full}/home-assistant-settings");
        assert_eq!(texts(&parameter["array"]), [settings]);
        // What the environment renders is for the namespace that the project has.
        for object in read_golden(name) {
            let at = &object["metadata"]["namespace"];
            assert!(at.is_null() && object["kind"] == "Namespace" || *at == *full);
        }
    }
}

/// The settings are there before they are asked for, out of an Application that asks for none.
#[test]
fn the_platform_comes_first() {
    let workspace = Workspace::of_manifests();
    let argocd = objects(&builds(&workspace, "manifests/pilot/argocd"));
    for name in ENVIRONMENTS {
        let full = format!("home-assistant-{name}");
        let platform = &called(&argocd, "Application", &format!("{full}-platform"))["spec"];
        let source = &platform["source"];
        assert_eq!(source["plugin"], Value::Null);
        let built = objects(&builds(&workspace, source["path"].as_str().unwrap()));
        called(&built, "InfisicalStaticSecret", "home-assistant-settings");
        assert_eq!(platform["destination"]["namespace"], full.as_str());
        let options = texts(&platform["syncPolicy"]["syncOptions"]);
        assert_eq!(options, ["CreateNamespace=true"]);
    }
}

#[test]
fn each_environment_has_a_revision_of_its_own() {
    let workspace = Workspace::of_manifests();
    let built = objects(&builds(&workspace, "manifests/pilot/revisions"));
    let policy = Policy::default();
    for name in ENVIRONMENTS {
        let full = format!("home-assistant-{name}");
        let revision = called(&built, "InfisicalStaticSecret", &format!("{full}-revision"));
        assert_eq!(revision["spec"]["sources"][0]["environmentSlug"], name);
        let target = &revision["spec"]["targets"][0];
        let labels = &target["metadata"]["labels"];
        assert_eq!(labels["argocd-infisical.io/environment"], name);
        assert_eq!(labels["argocd-infisical.io/application"], full.as_str());
        let namespace = target["namespace"].as_str().unwrap();
        assert!(policy.override_namespaces.contains(namespace));
        // A key that is gone has to be gone.
        assert_eq!(target["template"], Value::Null);
    }
}

#[test]
fn the_projects_allow_what_they_are_for() {
    let workspace = Workspace::of_manifests();
    let argocd = objects(&builds(&workspace, "manifests/pilot/argocd"));
    for application in each(&argocd, "Application") {
        let spec = &application["spec"];
        let project = called(&argocd, "AppProject", spec["project"].as_str().unwrap());
        let project = &project["spec"];
        let repositories = project["sourceRepos"].as_array().unwrap();
        assert!(repositories.contains(&spec["source"]["repoURL"]));
        let namespace = spec["destination"]["namespace"].as_str().unwrap();
        let mut destinations = project["destinations"].as_array().unwrap().iter();
        let allows = |destination: &Value| {
            let pattern = destination["namespace"].as_str().unwrap();
            let start = pattern.strip_suffix('*');
            start.map_or(pattern == namespace, |start| namespace.starts_with(start))
        };
        assert!(destinations.any(allows), "{namespace}");
    }
    // No kind of the cluster but namespaces, and nothing of the operator's in the hands of the application.
    let namespaces = json!([{"group": "", "kind": "Namespace"}]);
    for project in each(&argocd, "AppProject") {
        assert_eq!(project["spec"]["clusterResourceWhitelist"], namespaces);
    }
    let denied = &called(&argocd, "AppProject", "home")["spec"]["namespaceResourceBlacklist"];
    let operator = json!({"group": "secrets.infisical.com", "kind": "*"});
    assert!(denied.as_array().unwrap().contains(&operator));
}

/// The template of the set, for an element, by the only two things that it takes from one.
fn filled(template: &Value, environment: &str, revision: &str) -> Value {
    let text = template
        .to_string()
        .replace("{{ .environment }}", environment)
        .replace("{{ .revision }}", revision);
    serde_json::from_str(&text).unwrap()
}

#[test]
fn the_set_makes_the_same_applications() {
    let workspace = Workspace::of_manifests();
    let argocd = objects(&builds(&workspace, "manifests/pilot/argocd"));
    let set = objects(&builds(&workspace, "manifests/pilot/applicationset"));
    let set = &only(&set, "ApplicationSet")["spec"];
    let elements = set["generators"][0]["list"]["elements"].as_array().unwrap();
    assert_eq!(elements.len(), ENVIRONMENTS.len());
    for element in elements {
        let environment = element["environment"].as_str().unwrap();
        let made = filled(
            &set["template"],
            environment,
            element["revision"].as_str().unwrap(),
        );
        let written = called(
            &argocd,
            "Application",
            made["metadata"]["name"].as_str().unwrap(),
        );
        assert_eq!(made["spec"], written["spec"]);
        assert_eq!(made["metadata"]["labels"], written["metadata"]["labels"]);
    }
    let pointers =
        json!([{"jsonPointers": ["/spec/source/targetRevision", "/spec/source/plugin/env"]}]);
    assert_eq!(set["ignoreApplicationDifferences"], pointers);
    assert_eq!(
        set["preservedFields"],
        json!({"annotations": ["argocd-infisical.io/state"]})
    );
}

#[test]
fn the_parent_leaves_the_controllers_fields_alone() {
    let built = objects(&builds(
        &Workspace::of_manifests(),
        "manifests/pilot/app-of-apps",
    ));
    let spec = &only(&built, "Application")["spec"];
    assert_eq!(
        spec["ignoreDifferences"],
        json!([{"group": "argoproj.io", "kind": "Application", "managedFieldsManagers": ["argocd-infisical"]}])
    );
    assert_eq!(
        texts(&spec["syncPolicy"]["syncOptions"]),
        ["RespectIgnoreDifferences=true"]
    );
    let path = spec["source"]["path"].as_str().unwrap();
    assert!(repository().join(path).join("kustomization.yaml").is_file());
}

#[test]
fn controller_and_reloader_look_where_the_pilot_is() {
    let expected: BTreeSet<String> = ENVIRONMENTS
        .iter()
        .map(|name| format!("home-assistant-{name}"))
        .collect();
    let text = fs::read(repository().join("manifests/pilot/controller/policy.yaml"));
    let policy = Policy::of_text(&text.unwrap()).unwrap();
    assert_eq!(policy.object_namespaces, Namespaces::Only(expected.clone()));
    let usual = Policy {
        object_namespaces: policy.object_namespaces.clone(),
        ..Policy::default()
    };
    assert_eq!(policy, usual);

    let workspace = Workspace::of_manifests();
    let reloader = objects(&builds(&workspace, "manifests/components/reloader"));
    let pod = &only(&reloader, "Deployment")["spec"]["template"]["spec"];
    let container = named(&pod["containers"], "reloader");
    assert_eq!(container["image"], "ghcr.io/stakater/reloader:v1.4.21");
    let words = texts(&container["args"]);
    let named_ones = words
        .iter()
        .find_map(|word| word.strip_prefix("--namespaces="))
        .unwrap();
    assert_eq!(
        named_ones
            .split(',')
            .map(ToOwned::to_owned)
            .collect::<BTreeSet<_>>(),
        expected
    );
    for word in [
        "--reload-strategy=env-vars",
        "--reload-on-create=true",
        "--sync-after-restart=true",
    ] {
        assert!(words.iter().any(|it| it == word), "{word}");
    }
    // It has its rights in each of them, and nowhere else.
    let account = &only(&reloader, "ServiceAccount")["metadata"];
    for name in ENVIRONMENTS {
        let built = environment(&workspace, name);
        let subject = &called(&built, "RoleBinding", "reloader")["subjects"][0];
        assert_eq!(
            (&subject["name"], &subject["namespace"]),
            (&account["name"], &account["namespace"])
        );
        called(&built, "Role", "argocd-infisical-controller-objects");
    }
    assert!(each(&reloader, "ClusterRole").is_empty());
}

/// Runs the container `check-config` of the example, with a Home Assistant that says this and ends with that status.
fn checked(report: &str, status: i32) -> Output {
    let deployment = read_golden("prod");
    let pod = &only(&deployment, "Deployment")["spec"]["template"]["spec"];
    let words = texts(&named(&pod["initContainers"], "check-config")["command"]);
    let workspace = Workspace::new(&[
        ("report", report),
        (
            "python3",
            &format!(
                "#!/bin/sh\n[ \"$*\" = '-m homeassistant --script check_config --config /config' ] || exit 99\ncat \"${{0%/*}}/report\"\nexit {status}\n"
            ),
        ),
    ]);
    let python = workspace.path().join("python3");
    let mut permissions = fs::metadata(&python).unwrap().permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o755);
    fs::set_permissions(&python, permissions).unwrap();
    let path = format!(
        "{}:{}",
        workspace.path().display(),
        std::env::var("PATH").unwrap()
    );
    Command::new(&words[0])
        .args(&words[1..])
        .env("PATH", path)
        .output()
        .unwrap()
}

#[test]
fn a_broken_configuration_does_not_start() {
    let good = "Testing configuration at /config\n";
    let bad =
        "Testing configuration at /config\n\u{1b}[1mFailed config\u{1b}[0m\n  General Errors:\n";
    for (report, status, expected) in [
        (good, 0, Some(0)),
        (bad, 2, Some(1)),
        // 256 broken parts.
        (bad, 0, Some(1)),
        // It did not come so far as to say it.
        (good, 1, Some(1)),
        ("Segmentation fault\n", 139, Some(139)),
    ] {
        let output = checked(report, status);
        assert_eq!(output.status.code(), expected, "{report} {status}");
        assert_eq!(String::from_utf8(output.stdout).unwrap(), report);
    }
}

/// What Argo CD takes for a difference for ever once Reloader has added to it, and what is not written out.
#[test]
fn the_example_has_no_empty_fields_and_no_anchors() {
    let deployment = Path::new("testdata/homeassistant/base/deployment.yaml");
    let text = fs::read_to_string(repository().join(deployment)).unwrap();
    let has_anchor = |line: &str| line.contains(": &") || line.contains(": *");
    assert!(!text.lines().any(has_anchor));
    for name in ENVIRONMENTS {
        let overlay = format!("testdata/homeassistant/overlays/{name}");
        let run = crate::workspace::run_in(
            repository(),
            &["lint", &overlay, "--allow", "placeholder", "--strict"],
        );
        assert_eq!(
            (run.code, run.stdout.as_str()),
            (0, "0 errors, 0 warnings\n"),
            "{name}"
        );
        // The configuration is mounted and never rendered.
        for object in read_golden(name) {
            assert!(!object.to_string().contains("default_config"), "{name}");
        }
    }
}

/// What is put into Infisical comes out as it is: nothing that it would trim or take for a reference.
#[test]
fn the_configuration_comes_through_infisical() {
    for file in ["configuration.yaml", "secrets.yaml"] {
        let path = format!("testdata/homeassistant/settings/{file}");
        let text = fs::read_to_string(repository().join(path)).unwrap();
        assert_eq!(text, format!("{}\n", text.trim()), "{file}");
        assert!(!text.contains("${"), "{file}");
        assert!(text.len() < 512 * 1024, "{file}");
        let parsed = goyaml::parse(text.as_bytes(), &goyaml::Limits::default());
        assert!(parsed.unwrap().unwrap().is_mapping(), "{file}");
        for name in ENVIRONMENTS {
            let secret = read(&format!(
                "testdata/homeassistant/settings/{name}/home-assistant-config.yaml"
            ));
            assert!(secret["data"][file].is_string(), "{name}");
        }
    }
}
