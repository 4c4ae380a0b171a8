//! The types of Infisical's operator as far as the manifests use them, the manifests themselves, and the policy that keeps an
//! object of the operator in its namespace.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::installation::{
    Caller, Installation, Refusal, installation, namespace, objects, wait_until,
};
use crate::workspace::Workspace;

const GROUP: &str = "secrets.infisical.com";

/// An object with these fields, of which some have to be there; no other field is one.
fn object(required: &[&str], fields: &[(&str, Value)]) -> Value {
    let properties: Value = fields
        .iter()
        .map(|(name, schema)| ((*name).to_owned(), schema.clone()))
        .collect::<serde_json::Map<_, _>>()
        .into();
    json!({"type": "object", "required": required, "properties": properties})
}

fn array(items: &Value) -> Value {
    json!({"type": "array", "items": items})
}

fn one_of(values: &[&str]) -> Value {
    json!({"type": "string", "enum": values})
}

/// Fields that are texts, and all have to be there.
fn texts(names: &[&str]) -> Value {
    let fields: Vec<(&str, Value)> = names.iter().map(|name| (*name, string())).collect();
    object(names, &fields)
}

fn string() -> Value {
    json!({"type": "string"})
}

fn boolean() -> Value {
    json!({"type": "boolean"})
}

fn map() -> Value {
    json!({"type": "object", "additionalProperties": {"type": "string"}})
}

fn connection() -> Value {
    let certificate = texts(&["name", "namespace", "key"]);
    let tls = object(&[], &[("caCertificate", certificate)]);
    object(&[], &[("address", string()), ("tls", tls)])
}

fn auth() -> Value {
    let methods = [
        "universal",
        "kubernetes",
        "aws-iam",
        "azure",
        "gcp-id-token",
        "gcp-iam",
        "ldap",
    ];
    let reference = texts(&["name", "namespace", "key"]);
    let both = ["clientIdRef", "clientSecretRef"];
    let universal = both.map(|name| (name, reference.clone()));
    object(
        &["infisicalConnectionRef", "method"],
        &[
            ("infisicalConnectionRef", texts(&["name", "namespace"])),
            ("method", one_of(&methods)),
            ("universal", object(&both, &universal)),
        ],
    )
}

fn static_secret() -> Value {
    let source = object(
        &["environmentSlug", "secretPath"],
        &[
            ("projectId", string()),
            ("projectSlug", string()),
            ("environmentSlug", string()),
            ("secretPath", string()),
            ("tagSlugs", array(&string())),
            ("recursive", boolean()),
        ],
    );
    // The operator takes one text as `data`, too.
    let template = object(
        &["engineVersion", "data"],
        &[("engineVersion", one_of(&["v1"])), ("data", map())],
    );
    let metadata = object(
        &["labels", "annotations"],
        &[("labels", map()), ("annotations", map())],
    );
    let target = object(
        &["name", "namespace", "kind", "creationPolicy"],
        &[
            ("name", string()),
            ("namespace", string()),
            ("kind", one_of(&["Secret", "ConfigMap"])),
            ("creationPolicy", one_of(&["Owner", "Orphan"])),
            ("secretType", string()),
            ("template", template),
            ("metadata", metadata),
        ],
    );
    let options = object(
        &["refreshInterval"],
        &[("refreshInterval", string()), ("instantUpdates", boolean())],
    );
    object(
        &["infisicalAuthRef", "syncOptions", "sources", "targets"],
        &[
            ("infisicalAuthRef", texts(&["name", "namespace"])),
            ("syncOptions", options),
            ("sources", array(&source)),
            ("targets", array(&target)),
        ],
    )
}

fn secret() -> Value {
    let scope = object(
        &["envSlug", "secretsPath"],
        &[
            ("envSlug", string()),
            ("secretsPath", string()),
            ("projectId", string()),
            ("projectSlug", string()),
            ("secretName", string()),
            ("recursive", boolean()),
        ],
    );
    let credentials = texts(&["secretName", "secretNamespace"]);
    let universal = object(
        &["credentialsRef", "secretsScope"],
        &[("credentialsRef", credentials), ("secretsScope", scope)],
    );
    let metadata = object(&[], &[("labels", map()), ("annotations", map())]);
    let template = object(
        &[],
        &[
            ("includeAllSecrets", boolean()),
            ("data", map()),
            ("metadata", metadata),
        ],
    );
    let managed = object(
        &["secretName", "secretNamespace"],
        &[
            ("secretName", string()),
            ("secretNamespace", string()),
            ("secretType", string()),
            ("creationPolicy", string()),
            ("template", template),
        ],
    );
    let sync = object(
        &[],
        &[("resyncInterval", string()), ("instantUpdates", boolean())],
    );
    object(
        &[],
        &[
            ("hostAPI", string()),
            ("syncConfig", sync),
            (
                "authentication",
                object(&[], &[("universalAuth", universal)]),
            ),
            ("managedKubeSecretReferences", array(&managed)),
        ],
    )
}

/// As far as these name namespaces: the pilot has none of them, and the policy is for them as well.
fn others(field: &str, reference: Value) -> Value {
    let account = texts(&["name", "namespace"]);
    let kubernetes = object(&[], &[("serviceAccountRef", account)]);
    let authentication = object(&[], &[("kubernetesAuth", kubernetes)]);
    object(
        &[],
        &[("authentication", authentication), (field, reference)],
    )
}

fn dynamic_secret() -> Value {
    let target = texts(&["secretName", "secretNamespace"]);
    others("managedSecretReference", target)
}

fn push_secret() -> Value {
    let source = texts(&["secretName", "secretNamespace"]);
    others("push", object(&[], &[("secret", source)]))
}

/// Has the server know the operator's types: no field but theirs, so that one that is misspelt is refused.
pub(crate) fn define(admin: &Caller) {
    for (version, kind, spec) in [
        ("v1beta1", "InfisicalConnection", connection()),
        ("v1beta1", "InfisicalAuth", auth()),
        ("v1beta1", "InfisicalStaticSecret", static_secret()),
        ("v1alpha1", "InfisicalSecret", secret()),
        ("v1alpha1", "InfisicalDynamicSecret", dynamic_secret()),
        ("v1alpha1", "InfisicalPushSecret", push_secret()),
    ] {
        let singular = kind.to_lowercase();
        let plural = format!("{singular}s");
        let status = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
        let schema = json!({
            "type": "object", "required": ["spec"], "properties": {"spec": spec, "status": status},
        });
        admin.apply(&json!({
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": format!("{plural}.{GROUP}")},
            "spec": {
                "group": GROUP,
                "scope": "Namespaced",
                "names": {"kind": kind, "plural": plural, "singular": singular},
                "versions": [{
                    "name": version, "served": true, "storage": true,
                    "schema": {"openAPIV3Schema": schema},
                }],
            },
        }));
    }
    for (version, plural) in [
        ("v1beta1", "infisicalconnections"),
        ("v1beta1", "infisicalauths"),
        ("v1beta1", "infisicalstaticsecrets"),
        ("v1alpha1", "infisicalsecrets"),
        ("v1alpha1", "infisicaldynamicsecrets"),
        ("v1alpha1", "infisicalpushsecrets"),
    ] {
        let path = format!("/apis/{GROUP}/{version}/{plural}");
        wait_until(|| admin.send("GET", &path, "", &json!({})).is_ok());
    }
}

/// Namespaces that the manifests name and do not create: Argo CD does, or the operator's chart.
fn namespaces(admin: &Caller) {
    for name in [
        "home-assistant-dev",
        "home-assistant-test",
        "home-assistant-staging",
        "home-assistant-prod",
        "infisical-operator-system",
        "reloader",
    ] {
        admin.apply(&namespace(name));
    }
}

fn built(workspace: &Workspace, directory: &str) -> Vec<Value> {
    objects(&workspace.prints(&["build", directory]))
}

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn the_pilot_is_what_the_server_takes() {
    let Some(installation) = installation() else {
        return;
    };
    let admin = installation.admin();
    define(&admin);
    namespaces(&admin);
    let workspace = Workspace::of_manifests();
    let mut checked = 0;
    for directory in [
        "pilot/argocd",
        "pilot/applicationset",
        "pilot/app-of-apps",
        "pilot/controller",
        "pilot/revisions",
        "components/infisical-operator",
        "components/infisical-boundaries",
        "components/reloader",
    ] {
        for object in built(&workspace, &format!("manifests/{directory}")) {
            admin.would_apply(&object);
            checked += 1;
        }
    }
    for environment in ["dev", "test", "staging", "prod"] {
        let directory = format!("manifests/pilot/environments/{environment}");
        let newer = built(&workspace, &directory);
        // The same once more with the component for older operators, as its comment says.
        let path = format!("{directory}/kustomization.yaml");
        let text = workspace.read(&path);
        workspace.write(&path, text.replace("  # - ../", "  - ../"));
        let older = built(&workspace, &directory);
        assert_ne!(newer, older);
        for object in newer.iter().chain(&older) {
            admin.would_apply(object);
            checked += 1;
        }
    }
    let path = "manifests/pilot/revisions/kustomization.yaml";
    let text = workspace.read(path);
    let text = text
        .replace("# components:", "components:")
        .replace("#   - ../", "  - ../");
    workspace.write(path, text);
    let older = built(&workspace, "manifests/pilot/revisions");
    assert_eq!(older.len(), 4);
    for object in &older {
        assert_eq!(object["kind"], "InfisicalSecret");
        admin.would_apply(object);
    }
    assert!(checked > 90, "{checked}");
}

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn home_assistant_is_what_the_server_takes() {
    let Some(installation) = installation() else {
        return;
    };
    let admin = installation.admin();
    namespaces(&admin);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for environment in ["dev", "test", "staging", "prod"] {
        let golden = format!("testdata/golden/homeassistant/{environment}.render.yaml");
        let text = fs::read_to_string(root.join(golden)).unwrap();
        for object in objects(&text) {
            // Of somebody else's type, which this server does not know.
            if object["kind"] != "ServiceMonitor" {
                admin.would_apply(&object);
            }
        }
    }
}

/// An object that is tried.
fn tried(kind: &str, version: &str, spec: &Value) -> Value {
    json!({
        "apiVersion": format!("{GROUP}/{version}"),
        "kind": kind,
        "metadata": {"name": "tried", "namespace": "team"},
        "spec": spec,
    })
}

/// What the pilot's own object of a kind says, in the namespace of a team.
fn spec_of(kind: &str, name: &str) -> Value {
    let workspace = Workspace::of_manifests();
    workspace.write(
        "team/kustomization.yaml",
        "namespace: team\nresources: [../manifests/pilot/environments/base]\n",
    );
    let all = built(&workspace, "team");
    let mut of_kind = all
        .into_iter()
        .filter(|object| object["kind"] == kind && object["metadata"]["name"] == name);
    of_kind.next().unwrap()["spec"].take()
}

/// What the server says to an object that is applied, without doing it.
fn answer(admin: &Caller, object: &Value) -> Result<Value, Refusal> {
    let version = object["apiVersion"].as_str().unwrap();
    let plural = format!("{}s", object["kind"].as_str().unwrap().to_lowercase());
    let namespace = object["metadata"]["namespace"].as_str().unwrap();
    let path = format!(
        "/apis/{version}/namespaces/{namespace}/{plural}/tried?fieldManager=test&force=true&dryRun=All&fieldValidation=Strict"
    );
    admin.send("PATCH", &path, "application/apply-patch+yaml", object)
}

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn a_misspelt_field_of_the_operator_is_refused() {
    let Some(installation) = installation() else {
        return;
    };
    let admin = installation.admin();
    define(&admin);
    let spec = spec_of("InfisicalStaticSecret", "home-assistant-config");
    let good = tried("InfisicalStaticSecret", "v1beta1", &spec);
    assert!(answer(&admin, &good).is_ok());
    for (path, from, to) in [
        ("/spec/syncOptions", "refreshInterval", "resyncInterval"),
        ("/spec/sources/0", "environmentSlug", "envSlug"),
        ("/spec/sources/0", "projectId", "projectID"),
        ("/spec/targets/0", "secretType", "type"),
        ("/spec/targets/0/metadata", "annotations", "annotation"),
        ("/spec/targets/0/template", "data", "stringData"),
    ] {
        let mut bad = good.clone();
        let place = bad.pointer_mut(path).unwrap().as_object_mut().unwrap();
        let value = place.remove(from).unwrap();
        place.insert(to.into(), value);
        let refusal = answer(&admin, &bad).expect_err(to);
        assert!(refusal.message.contains(to) || refusal.message.contains(from));
    }
}

/// Applies the policy, and waits until it is in force.
fn bounded(installation: &Installation) -> Caller {
    let admin = installation.admin();
    define(&admin);
    let workspace = Workspace::of_manifests();
    for object in built(&workspace, "manifests/components/infisical-boundaries") {
        admin.apply(&object);
    }
    let mut spec = spec_of("InfisicalStaticSecret", "home-assistant-settings");
    spec["targets"][0]["namespace"] = json!("kube-system");
    let stray = tried("InfisicalStaticSecret", "v1beta1", &spec);
    wait_until(|| answer(&admin, &stray).is_err());
    admin
}

#[track_caller]
fn is_refused(admin: &Caller, object: &Value, words: &str) {
    let refusal = answer(admin, object).expect_err(words);
    assert!(
        refusal
            .message
            .contains("ValidatingAdmissionPolicy 'argocd-infisical-boundaries'")
            && refusal.message.contains(words)
            && refusal.message.ends_with("which is team"),
        "{}",
        refusal.message
    );
}

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn an_object_of_the_operator_stays_in_its_namespace() {
    let Some(installation) = installation() else {
        return;
    };
    let admin = bounded(installation);
    let kind = "InfisicalStaticSecret";
    let spec = spec_of(kind, "home-assistant-settings");
    let written = "may write to its own namespace alone";
    assert!(answer(&admin, &tried(kind, "v1beta1", &spec)).is_ok());

    // A revision that a tenant writes for everybody, and a Secret of Argo CD's.
    for target in ["argocd-infisical", "argocd", ""] {
        let mut stray = spec.clone();
        stray["targets"][0]["namespace"] = json!(target);
        is_refused(&admin, &tried(kind, "v1beta1", &stray), written);
    }
    // One that is there besides one that may be.
    let mut second = spec.clone();
    let mut target = spec["targets"][0].clone();
    target["namespace"] = json!("argocd-infisical");
    second["targets"].as_array_mut().unwrap().push(target);
    is_refused(&admin, &tried(kind, "v1beta1", &second), written);

    // Credentials of somebody else.
    let mut borrowed = spec.clone();
    borrowed["infisicalAuthRef"]["namespace"] = json!("infisical-operator-system");
    let used = "may use what is in its own namespace alone";
    is_refused(&admin, &tried(kind, "v1beta1", &borrowed), used);
    let auth = spec_of("InfisicalAuth", "infisical");
    assert!(answer(&admin, &tried("InfisicalAuth", "v1beta1", &auth)).is_ok());
    for name in ["clientIdRef", "clientSecretRef"] {
        let mut borrowed = auth.clone();
        borrowed["universal"][name]["namespace"] = json!("argocd");
        let object = tried("InfisicalAuth", "v1beta1", &borrowed);
        is_refused(
            &admin,
            &object,
            "may use credentials of its own namespace alone",
        );
    }
    let mut elsewhere = auth.clone();
    elsewhere["infisicalConnectionRef"]["namespace"] = json!("argocd");
    is_refused(&admin, &tried("InfisicalAuth", "v1beta1", &elsewhere), used);
}

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn so_does_one_of_the_older_version() {
    let Some(installation) = installation() else {
        return;
    };
    let admin = bounded(installation);
    let spec = |credentials: &str, target: &str| {
        json!({
            "authentication": {"universalAuth": {
                "credentialsRef": {"secretName": "a", "secretNamespace": credentials},
                "secretsScope": {"envSlug": "dev", "secretsPath": "/"},
            }},
            "managedKubeSecretReferences": [{"secretName": "a", "secretNamespace": target}],
        })
    };
    let object = |spec: &Value| tried("InfisicalSecret", "v1alpha1", spec);
    assert!(answer(&admin, &object(&spec("team", "team"))).is_ok());
    let written = "may write to its own namespace alone";
    is_refused(&admin, &object(&spec("team", "argocd-infisical")), written);
    let used = "may use what is in its own namespace alone";
    is_refused(&admin, &object(&spec("argocd", "team")), used);

    // The two that write and read Secrets for other ends.
    let login = |place: &str| json!({"kubernetesAuth": {"serviceAccountRef": {"name": "a", "namespace": place}}});
    let secret = |place: &str| json!({"secretName": "a", "secretNamespace": place});
    let dynamic = |login: Value, target: &str| {
        let spec = json!({"authentication": login, "managedSecretReference": secret(target)});
        tried("InfisicalDynamicSecret", "v1alpha1", &spec)
    };
    assert!(answer(&admin, &dynamic(login("team"), "team")).is_ok());
    is_refused(&admin, &dynamic(login("team"), "argocd"), written);
    is_refused(&admin, &dynamic(login("argocd"), "team"), used);
    let push = |source: &str| {
        let spec = json!({"authentication": login("team"), "push": {"secret": secret(source)}});
        tried("InfisicalPushSecret", "v1alpha1", &spec)
    };
    assert!(answer(&admin, &push("team")).is_ok());
    is_refused(&admin, &push("argocd"), used);
}

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn one_that_is_there_cannot_be_turned_elsewhere() {
    let Some(installation) = installation() else {
        return;
    };
    let admin = bounded(installation);
    let kind = "InfisicalStaticSecret";
    let mut object = tried(kind, "v1beta1", &spec_of(kind, "home-assistant-settings"));
    object["metadata"]["name"] = json!("turned");
    admin.apply(&object);
    let path = format!("/apis/{GROUP}/v1beta1/namespaces/team/infisicalstaticsecrets/turned");
    let turn = json!([{"op": "replace", "path": "/spec/targets/0/namespace", "value": "argocd-infisical"}]);
    let answer = admin.send("PATCH", &path, "application/json-patch+json", &turn);
    let refusal = answer.expect_err("the policy");
    assert!(
        refusal
            .message
            .contains("may write to its own namespace alone")
    );
}

/// The pilot's own objects stay within the policy, and the platform's revisions beside it.
#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn the_pilot_stays_within_the_policy() {
    let Some(installation) = installation() else {
        return;
    };
    let admin = bounded(installation);
    namespaces(&admin);
    let workspace = Workspace::of_manifests();
    for directory in [
        "environments/dev",
        "environments/test",
        "environments/staging",
        "environments/prod",
        "revisions",
    ] {
        for object in built(&workspace, &format!("manifests/pilot/{directory}")) {
            admin.would_apply(&object);
        }
    }
}
