//! `plugin.yaml` and `manifests`: what they say holds together, and builds.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use argocd_infisical::steer::Policy;
use serde_json::{Value, json};

use crate::tools;
use crate::workspace::{Workspace, binary};

pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[track_caller]
pub(crate) fn read(path: &str) -> Value {
    let text = fs::read_to_string(repository().join(path)).unwrap();
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The one of a list that has a name.
#[track_caller]
pub(crate) fn named<'a>(list: &'a Value, name: &str) -> &'a Value {
    let mut items = list.as_array().unwrap().iter();
    items.find(|item| item["name"] == name).unwrap()
}

pub(crate) fn texts(list: &Value) -> Vec<String> {
    let items = list.as_array().unwrap().iter();
    items
        .map(|item| item.as_str().unwrap().to_owned())
        .collect()
}

/// The pod that the component's patch describes.
fn pod() -> Value {
    read("manifests/components/sidecar/repo-server.yaml")["spec"]["template"]["spec"].take()
}

/// Runs what `plugin.yaml` says for an Application, with what is mounted in the workspace: whether it succeeds, and what is
/// printed.
fn call(workspace: &Workspace, command: &Value) -> (bool, String, String) {
    let here = workspace.path().to_str().unwrap();
    let mut words = texts(&command["command"]);
    words.extend(texts(&command["args"]));
    assert_eq!(words.remove(0), "argocd-infisical");
    let placed = words.iter().map(|word| {
        word.replace("/etc/argocd-infisical", here)
            .replace("/var/lib/argocd-infisical", here)
    });
    let output = binary()
        .args(placed)
        .env("TMPDIR", here)
        .env("ARGOCD_APP_NAME", "lamp")
        .env("ARGOCD_APP_PROJECT_NAME", "home")
        .env(
            "ARGOCD_APP_REVISION",
            "0123456789abcdef0123456789abcdef01234567",
        )
        .current_dir(workspace.path().join("app"))
        .output()
        .unwrap();
    (
        output.status.success(),
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

#[test]
fn the_plugin_is_called_as_it_is_meant() {
    let plugin = read("plugin.yaml");
    let spec = plugin["spec"].as_object().unwrap();
    assert_eq!(plugin["kind"], "ConfigManagementPlugin");
    assert_eq!(plugin["metadata"]["name"], "argocd-infisical");
    assert_eq!(
        spec.keys().collect::<Vec<_>>(),
        ["generate", "parameters"],
        "neither discovery nor a version"
    );
    let workspace = Workspace::new(&[
        ("app/kustomization.yaml", "resources: [one.yaml]\n"),
        (
            "app/one.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: one\n",
        ),
        ("metrics/.keep", ""),
    ]);
    let run = |command| call(&workspace, command);
    let generate = || {
        let (is_well, _, stderr) = run(&plugin["spec"]["generate"]);
        (is_well, stderr)
    };
    // Nothing renders where the policy is not mounted.
    let (is_well, stderr) = generate();
    assert!(
        !is_well && stderr.contains("policy.yaml: cannot read the policy"),
        "{stderr}"
    );
    // A first installation has no controller, and no key.
    let policy = read("manifests/components/sidecar/policy.yaml");
    let policy = policy["data"]["policy.yaml"].as_str().unwrap();
    workspace.write("policy/policy.yaml", policy);
    assert_eq!(generate(), (true, String::new()));
    assert!(
        workspace
            .path()
            .join("metrics/argocd-infisical.prom")
            .exists()
    );
    let (is_well, stdout, stderr) = run(&plugin["spec"]["parameters"]["dynamic"]);
    assert_eq!((is_well, stderr.as_str()), (true, ""));
    let announced: Value = serde_json::from_str(&stdout).unwrap();
    named(&announced, "settings");
    workspace.write("digest/key", "short");
    assert!(!generate().0);
}

#[test]
fn what_the_plugin_names_is_mounted() {
    let pod = pod();
    let sidecar = named(&pod["containers"], "argocd-infisical");
    let mounts: Vec<PathBuf> = sidecar["volumeMounts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|mount| mount["mountPath"].as_str().unwrap().into())
        .collect();
    let plugin = read("plugin.yaml");
    let generate = texts(&plugin["spec"]["generate"]["args"]);
    let probe = texts(&sidecar["startupProbe"]["exec"]["command"]);
    let mut paths = 0;
    for word in generate.iter().chain(&probe) {
        if let Some((_, path)) = word.split_once("=/") {
            let path = Path::new("/").join(path);
            let is_mounted = mounts.iter().any(|mount| path.starts_with(mount));
            assert!(is_mounted, "{}", path.display());
            paths += 1;
        }
    }
    assert_eq!(paths, 5);
    // The probe looks at what a render needs.
    for word in &probe[3..] {
        assert!(generate.contains(word), "{word}");
    }
    // Each of its volumes is Argo CD's or described beside it, and each of these is mounted.
    for mount in sidecar["volumeMounts"].as_array().unwrap() {
        let name = mount["name"].as_str().unwrap();
        if !["var-files", "plugins"].contains(&name) {
            named(&pod["volumes"], name);
        }
    }
    for volume in pod["volumes"].as_array().unwrap() {
        named(&sidecar["volumeMounts"], volume["name"].as_str().unwrap());
    }
}

#[test]
fn the_helm_values_say_the_same_as_the_component() {
    let text = fs::read_to_string(repository().join("manifests/helm/values.yaml")).unwrap();
    assert!(
        !text.contains("{{"),
        "the chart would take it for a template"
    );
    let values = read("manifests/helm/values.yaml");
    let server = &values["repoServer"];
    let pod = pod();
    assert_eq!(server["extraContainers"], pod["containers"]);
    assert_eq!(server["volumes"], pod["volumes"]);
    assert_eq!(server["automountServiceAccountToken"], false);
    assert_eq!(
        values["configs"]["params"],
        read("manifests/components/sidecar/cmd-params.yaml")["data"]
    );
    assert_eq!(
        values["extraObjects"],
        json!([read("manifests/components/sidecar/policy.yaml")])
    );
    let rbac = fs::read_to_string(repository().join("manifests/components/sidecar/rbac.yaml"));
    let rbac = rbac.unwrap();
    let (role, _) = rbac.split_once("---\n").unwrap();
    let role: Value = serde_saphyr::from_str(role).unwrap();
    assert_eq!(server["rbac"], role["rules"]);
}

#[test]
fn a_settings_role_is_for_get_and_names() {
    for path in [
        "manifests/examples/settings-access/role.yaml",
        "manifests/components/sidecar/rbac.yaml",
    ] {
        let text = fs::read_to_string(repository().join(path)).unwrap();
        let role: Value = serde_saphyr::from_str(text.split("---\n").next().unwrap()).unwrap();
        for rule in role["rules"].as_array().unwrap() {
            assert_eq!(rule["verbs"], json!(["get"]), "{path}");
            if rule["apiGroups"] == json!([""]) {
                assert!(!texts(&rule["resourceNames"]).is_empty(), "{path}");
            }
        }
    }
}

/// Checks the two containers of an installation, what they mount, and who has the token.
#[track_caller]
fn check(built: &str) {
    let objects = built.split("\n---\n");
    let of = |kind: &str, name: &str| {
        let is_it = |text: &&str| {
            text.contains(&format!("\nkind: {kind}\n"))
                && format!("{text}\n").contains(&format!("\n  name: {name}\n"))
        };
        let text = objects.clone().find(is_it).unwrap();
        serde_saphyr::from_str::<Value>(text).unwrap()
    };
    let server = of("Deployment", "argocd-repo-server");
    let pod = &server["spec"]["template"]["spec"];
    for name in ["argocd-infisical", "argocd-infisical-metrics"] {
        let container = named(&pod["containers"], name);
        assert_eq!(container["image"], "registry.example.org/a:1");
        for mount in container["volumeMounts"].as_array().unwrap() {
            named(&pod["volumes"], mount["name"].as_str().unwrap());
        }
    }
    assert_eq!(pod["automountServiceAccountToken"], false);
    // The token is for the sidecar alone.
    for container in pod["containers"].as_array().unwrap() {
        let mounts = container["volumeMounts"].as_array().unwrap();
        let has_token = mounts
            .iter()
            .any(|mount| mount["name"] == "argocd-infisical-token");
        assert_eq!(has_token, container["name"] == "argocd-infisical");
    }
    let parameters = of("ConfigMap", "argocd-cmd-params-cm");
    assert_eq!(
        parameters["data"]["reposerver.plugin.tar.exclusions"],
        ".git"
    );
}

#[test]
fn the_components_build_over_argo_cds_own_manifests() {
    let Some(kustomize) = tools::kustomize() else {
        return;
    };
    for argo_cd in tools::ARGO_CDS {
        let Some(module) = tools::argo_cd_manifests(argo_cd) else {
            return;
        };
        for install in ["install.yaml", "ha/install.yaml"] {
            let stock = fs::read(module.join(install)).unwrap();
            let workspace = Workspace::new(&[]);
            workspace.write("install.yaml", stock);
            workspace.write(
                "kustomization.yaml",
                "namespace: argocd\nresources: [install.yaml]\ncomponents: [sidecar, sidecar-metrics]\n\
                 images: [{name: argocd-infisical, newName: registry.example.org/a, newTag: \"1\"}]\n",
            );
            for component in ["sidecar", "sidecar-metrics"] {
                let from = repository().join("manifests/components").join(component);
                for file in fs::read_dir(from).unwrap().flatten() {
                    let name = file.file_name();
                    let to = format!("{component}/{}", name.to_str().unwrap());
                    workspace.write(&to, fs::read(file.path()).unwrap());
                }
            }
            let ours = workspace.prints(&["build"]);
            let theirs = tools::printed(
                Command::new(&kustomize)
                    .arg("build")
                    .current_dir(workspace.path()),
            );
            assert!(ours == theirs, "{argo_cd} {install}");
            check(&ours);
        }
    }
}

/// What a kustomization of `manifests` builds to, here and with kustomize, which has to be the same.
#[track_caller]
pub(crate) fn builds(workspace: &Workspace, directory: &str) -> String {
    let path = workspace.path().join(directory);
    let ours = workspace.prints(&["build", path.to_str().unwrap()]);
    if let Some(kustomize) = tools::kustomize() {
        let theirs = tools::printed(Command::new(&kustomize).arg("build").arg(&path));
        assert!(ours == theirs, "{directory}");
    }
    ours
}

/// Every object of a stream.
pub(crate) fn objects(built: &str) -> Vec<Value> {
    let documents = built.split("\n---\n");
    documents
        .map(|text| serde_saphyr::from_str(text).unwrap())
        .collect()
}

/// The only object of a kind.
#[track_caller]
pub(crate) fn only<'a>(objects: &'a [Value], kind: &str) -> &'a Value {
    let mut of_kind = objects.iter().filter(|object| object["kind"] == kind);
    let object = of_kind.next().unwrap();
    assert!(of_kind.next().is_none(), "{kind}");
    object
}

#[test]
fn every_kustomization_builds() {
    let workspace = Workspace::of_manifests();
    for directory in ["install", "examples/settings-access", "examples/infisical"] {
        builds(&workspace, &format!("manifests/{directory}"));
    }
    // The components, as their own words say.
    let component = |name: &str| format!("components: [../manifests/components/{name}]\n");
    for name in ["objects", "applications"] {
        let text = component(&format!("controller-namespace/{name}"));
        workspace.write(
            "team/kustomization.yaml",
            format!("namespace: team\n{text}"),
        );
        for object in objects(&builds(&workspace, "team")) {
            assert_eq!(object["metadata"]["namespace"], "team");
            if object["kind"] == "RoleBinding" {
                assert_eq!(object["subjects"][0]["namespace"], "argocd-infisical");
            }
        }
    }
    for name in ["controller-all-namespaces", "controller-monitoring"] {
        let text = component(name);
        workspace.write(
            "whole/kustomization.yaml",
            format!("resources: [../manifests/install]\n{text}"),
        );
        builds(&workspace, "whole");
    }
}

/// None is left out, whatever is added: those that are whole as they stand, components in a kustomization that they are for.
#[test]
fn whatever_is_added_builds_as_with_kustomize() {
    let workspace = Workspace::of_manifests();
    let manifests = workspace.path().join("manifests");
    let mut left_out = Vec::new();
    let mut built = 0;
    for entry in walkdir::WalkDir::new(&manifests).sort_by_file_name() {
        let path = entry.unwrap().into_path();
        if !path.ends_with("kustomization.yaml") {
            continue;
        }
        let directory = path.parent().unwrap();
        let name = directory.strip_prefix(&manifests).unwrap();
        let name = name.to_str().unwrap().to_owned();
        let text = fs::read_to_string(&path).unwrap();
        // Argo CD's own manifests are what these are for; others of these tests build them over a copy.
        let is_of_argo_cd = ["components/sidecar", "components/sidecar-metrics"].contains(&&*name);
        if text.contains("https://raw.githubusercontent.com/") || is_of_argo_cd {
            left_out.push(name);
            continue;
        }
        built += 1;
        if text.contains("\nkind: Component\n") {
            let whole = match &*name {
                "pilot/infisical-secret/environment" => "pilot/environments/base",
                "pilot/infisical-secret/revisions" => "pilot/revisions",
                _ => "install",
            };
            let text =
                format!("resources: [../manifests/{whole}]\ncomponents: [../manifests/{name}]\n");
            workspace.write("whole/kustomization.yaml", text);
            builds(&workspace, "whole");
        } else {
            builds(&workspace, &format!("manifests/{name}"));
        }
    }
    let expected = [
        "components/sidecar",
        "components/sidecar-metrics",
        "examples/argocd",
    ];
    assert_eq!(left_out, expected);
    assert!(built >= 22, "{built}");
}

/// The rules of a Role of the built installation, by the verbs for each resource.
fn verbs(role: &Value, resource: &str) -> Vec<String> {
    let rules = role["rules"].as_array().unwrap().iter();
    let for_it = rules.filter(|rule| texts(&rule["resources"]).iter().any(|it| it == resource));
    for_it.flat_map(|rule| texts(&rule["verbs"])).collect()
}

#[test]
fn the_controller_may_do_what_it_has_to() {
    let built = objects(&builds(&Workspace::of_manifests(), "manifests/install"));
    let of_cluster = |object: &&Value| {
        let kind = object["kind"].as_str().unwrap();
        kind.starts_with("ClusterRole")
    };
    assert_eq!(built.iter().find(of_cluster), None);
    for role in built.iter().filter(|object| object["kind"] == "Role") {
        for rule in role["rules"].as_array().unwrap() {
            for list in ["apiGroups", "resources", "verbs"] {
                assert!(!texts(&rule[list]).contains(&"*".to_owned()));
            }
        }
        if role["metadata"]["namespace"] == "argocd" {
            assert!(verbs(role, "secrets").is_empty());
            assert_eq!(
                verbs(role, "applications"),
                ["get", "list", "watch", "patch"]
            );
        } else {
            assert_eq!(verbs(role, "secrets"), ["get", "list", "watch"]);
        }
    }
    // The policy is about this identity, everywhere in it.
    let account = &only(&built, "ServiceAccount")["metadata"];
    let of = |field: &str| account[field].as_str().unwrap();
    let (namespace, name) = (of("namespace"), of("name"));
    let policy = only(&built, "ValidatingAdmissionPolicy");
    assert_eq!(
        policy["spec"]["matchConditions"][0]["expression"],
        format!("request.userInfo.username == \"system:serviceaccount:{namespace}:{name}\"")
    );
    let binding = only(&built, "ValidatingAdmissionPolicyBinding");
    assert_eq!(binding["spec"]["policyName"], policy["metadata"]["name"]);
    assert_eq!(binding["spec"]["validationActions"], json!(["Deny"]));
    for binding in built
        .iter()
        .filter(|object| object["kind"] == "RoleBinding")
    {
        let subject = json!({"kind": "ServiceAccount", "name": name, "namespace": namespace});
        assert_eq!(binding["subjects"], json!([subject]));
    }
    let pod = &only(&built, "Deployment")["spec"]["template"]["spec"];
    assert_eq!(pod["serviceAccountName"], name);
}

#[test]
fn what_the_controller_is_told_is_mounted() {
    let built = objects(&builds(&Workspace::of_manifests(), "manifests/install"));
    let deployment = only(&built, "Deployment");
    let pod = &deployment["spec"]["template"]["spec"];
    let container = named(&pod["containers"], "controller");
    let mounts = container["volumeMounts"].as_array().unwrap();
    let mut paths = 0;
    for word in texts(&container["args"]) {
        if let Some((_, path)) = word.split_once("=/") {
            let path = Path::new("/").join(path);
            let is_under = |mount: &&Value| path.starts_with(mount["mountPath"].as_str().unwrap());
            let mount = mounts.iter().find(is_under).unwrap();
            named(&pod["volumes"], mount["name"].as_str().unwrap());
            paths += 1;
        }
    }
    assert_eq!((paths, mounts.len()), (2, 2));
    // The policy is the one that is generated, and the key the one that the sidecar has.
    let policy = only(&built, "ConfigMap");
    assert_eq!(
        named(&pod["volumes"], "policy")["configMap"]["name"],
        policy["metadata"]["name"]
    );
    let sidecar = self::pod();
    let sidecar = named(&sidecar["volumes"], "argocd-infisical-digest");
    let secret = &named(&pod["volumes"], "digest")["secret"];
    assert_eq!(secret["secretName"], sidecar["secret"]["secretName"]);
    assert_eq!(
        secret["optional"],
        Value::Null,
        "settings would not be watched"
    );
    let plugin = read("plugin.yaml");
    let generate = texts(&plugin["spec"]["generate"]["args"]);
    let file = |words: &[String]| {
        let word = words
            .iter()
            .find_map(|word| word.strip_prefix("--digest-key="));
        word.map(ToOwned::to_owned)
    };
    assert_eq!(file(&texts(&container["args"])), file(&generate));
    // Whatever selects the pods selects these.
    let labels = deployment["spec"]["template"]["metadata"]["labels"]
        .as_object()
        .unwrap();
    for selector in [
        &deployment["spec"]["selector"]["matchLabels"],
        &only(&built, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
        &only(&built, "NetworkPolicy")["spec"]["podSelector"]["matchLabels"],
    ] {
        for (key, value) in selector.as_object().unwrap() {
            assert_eq!(labels.get(key), Some(value), "{key}");
        }
    }
}

/// The manifest has what is decided without one, so that whoever edits it sees all of it.
#[test]
fn the_policy_is_the_usual_one_written_out() {
    let path = repository().join("manifests/install/policy.yaml");
    let policy = Policy::of_text(&fs::read(path).unwrap()).unwrap();
    assert_eq!(policy, Policy::default());
    // Every field that there is has a row in the guide.
    let guide = fs::read_to_string(repository().join("docs/controller.md")).unwrap();
    let (_, reference) = guide.split_once("\n## The policy file\n").unwrap();
    for (field, value) in read("manifests/install/policy.yaml").as_object().unwrap() {
        let below = value.as_object().filter(|_| field != "environments");
        let names = match below {
            Some(below) => below.keys().map(|name| format!("{field}.{name}")).collect(),
            None => vec![field.clone()],
        };
        for name in names {
            let is_there = ["apiVersion", "kind"].contains(&name.as_str())
                || reference.contains(&format!("\n| `{name}` |"));
            assert!(is_there, "{name}");
        }
    }
}

/// The YAML of the guide that follows a mark.
#[track_caller]
fn in_guide(mark: &str) -> String {
    let guide = fs::read_to_string(repository().join("docs/controller.md")).unwrap();
    let start = format!("<!-- {mark} -->\n```yaml\n");
    let (_, rest) = guide.split_once(&start).unwrap();
    let (text, _) = rest.split_once("```\n").unwrap();
    text.to_owned()
}

/// As it stands, and with the block that adds a policy.
#[test]
fn the_kustomization_of_the_guide_builds() {
    let workspace = Workspace::of_manifests();
    let alone = in_guide("the controller");
    workspace.write("kustomization.yaml", &alone);
    let image = |built: &[Value]| {
        let pod = &only(built, "Deployment")["spec"]["template"]["spec"];
        named(&pod["containers"], "controller")["image"].clone()
    };
    let built = objects(&builds(&workspace, "."));
    assert_eq!(image(&built), "REGISTRY/argocd-infisical:0.1.0");
    workspace.write("kustomization.yaml", alone + &in_guide("with a policy"));
    workspace.write("policy.yaml", "own: true\n");
    let built = objects(&builds(&workspace, "."));
    let policies = built.iter().filter(|object| object["kind"] == "ConfigMap");
    let policies: Vec<_> = policies
        .filter_map(|object| object["data"]["policy.yaml"].as_str())
        .collect();
    assert_eq!(policies, ["own: true\n"]);
}

#[test]
fn the_controller_may_be_for_revisions_alone() {
    let workspace = Workspace::of_manifests();
    workspace.write("alone/kustomization.yaml", in_guide("without settings"));
    let built = objects(&builds(&workspace, "alone"));
    let pod = &only(&built, "Deployment")["spec"]["template"]["spec"];
    let container = named(&pod["containers"], "controller");
    assert_eq!(
        texts(&container["args"]),
        ["--policy=/etc/argocd-infisical/policy/policy.yaml"]
    );
    for list in [&container["volumeMounts"], &pod["volumes"]] {
        assert_eq!(list.as_array().unwrap().len(), 1);
        named(list, "policy");
    }
}

#[test]
fn argo_cd_may_be_in_another_namespace() {
    let workspace = Workspace::of_manifests();
    workspace.write(
        "elsewhere/kustomization.yaml",
        in_guide("another namespace"),
    );
    let policy = fs::read_to_string(repository().join("manifests/install/policy.yaml")).unwrap();
    workspace.write("elsewhere/policy.yaml", policy);
    let built = objects(&builds(&workspace, "elsewhere"));
    for object in &built {
        assert_ne!(object["metadata"]["namespace"], "argocd");
    }
    let is_there = |object: &&Value| object["metadata"]["namespace"] == "openshift-gitops";
    assert_eq!(built.iter().filter(is_there).count(), 2);
}

/// What has to change with the version, and with the toolchain.
#[test]
fn versions_agree() {
    let read = |path: &str| fs::read_to_string(repository().join(path)).unwrap();
    let image = format!("image: argocd-infisical:{}\n", env!("CARGO_PKG_VERSION"));
    for path in [
        "manifests/components/sidecar/repo-server.yaml",
        "manifests/components/sidecar-metrics/repo-server.yaml",
        "manifests/helm/values.yaml",
        "manifests/install/deployment.yaml",
    ] {
        assert!(read(path).contains(&image), "{path}");
    }
    let toolchain = read("rust-toolchain.toml");
    let (_, rest) = toolchain.split_once("channel = \"").unwrap();
    let (toolchain, _) = rest.split_once('"').unwrap();
    let dockerfile = read("Dockerfile");
    assert!(dockerfile.contains(&format!("FROM rust:{toolchain}-alpine AS build\n")));
    assert!(dockerfile.contains(&format!("RUSTUP_TOOLCHAIN={toolchain}\n")));
    // Two ways to the same image.
    let script = read("tools/image");
    for path in [
        "home/argocd/cmp-server/config",
        "home/argocd/cmp-server/plugins",
        "etc/ssl/certs",
        "usr/local/bin",
        "argocd:x:",
    ] {
        assert!(dockerfile.contains(path) && script.contains(path), "{path}");
    }
}
