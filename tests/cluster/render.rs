//! `render --from-cluster`: which objects give values, which do not, and what is said then.

use serde_json::{Value, json};

use crate::cluster::cluster;
use crate::kubeconfig::User;
use crate::namespace::Namespace;
use crate::operator::{self, Consent, with_data, with_secret_data};
use crate::repository::{Repository, VALUE};

/// What is said of an object that is absent, and of one that is not for the caller.
fn nothing_to_read(object: &str, keys: &str) -> String {
    format!(
        "error: `{object}` is not there, or is not for Application `lamp` of project `home`\n\
         hint: its owner sets the label `argocd-infisical.io/settings: \"true\"` and the annotation \
         `argocd-infisical.io/allowed: home/lamp`{keys}\n"
    )
}

const AND_KEYS: &str = ", and in `argocd-infisical.io/keys` the keys that may be read";

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn objects_as_the_operator_writes_them() {
    let Some(cluster) = cluster() else { return };
    let namespace = Namespace::new(cluster, "written");
    let names = ["static", "plain"];
    namespace.allow(User::SIDECAR, "configmaps", &names);
    namespace.allow(User::SIDECAR, "secrets", &names);
    let forms = [operator::static_secret, operator::secret];
    let sidecar = cluster.kubeconfig(User::SIDECAR);
    let repository = Repository::new();
    for (name, form) in names.into_iter().zip(forms) {
        let map = with_data(
            form(name, &Consent::LAMP),
            &[("A", "from-the-map"), ("OTHER", VALUE)],
        );
        namespace.config_map(map);
        // Of `B` nobody has said that it may be read.
        let secret = form(name, &Consent::LAMP.keys("A, OTHER"));
        let values = [("A", "from-the-secret"), ("B", VALUE)];
        namespace.secret(with_secret_data(secret, &values));
        let (map, secret) = (format!("written/{name}"), format!("secret:written/{name}"));
        repository.shows(&sidecar, &[&map], ["from-the-map", "b"]);
        repository.shows(&sidecar, &[&secret], ["from-the-secret", "b"]);
        repository.shows(&sidecar, &[&map, &secret], ["from-the-secret", "b"]);
        repository.shows(&sidecar, &[&secret, &map], ["from-the-map", "b"]);
    }
}

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn later_objects_win_key_by_key() {
    let Some(cluster) = cluster() else { return };
    let namespace = Namespace::new(cluster, "later");
    namespace.allow(User::SIDECAR, "configmaps", &["one", "two", "three"]);
    let create = |name, values: &[(&str, &str)]| {
        namespace.config_map(with_data(
            operator::static_secret(name, &Consent::LAMP),
            values,
        ));
    };
    create("one", &[("A", "first"), ("B", "first")]);
    create("two", &[("A", "second"), ("B", "<no value>")]);
    create("three", &[("A", ""), ("B", "")]);
    let sidecar = cluster.kubeconfig(User::SIDECAR);
    let objects = ["later/one", "later/two", "later/three"];
    Repository::new().shows(&sidecar, &objects, ["second", "first"]);
}

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn a_value_is_bytes_in_either_kind() {
    let Some(cluster) = cluster() else { return };
    let namespace = Namespace::new(cluster, "bytes");
    namespace.allow(User::SIDECAR, "configmaps", &["text", "binary"]);
    let mut map = operator::static_secret("text", &Consent::LAMP);
    map["binaryData"] = json!({"A": "b25l"});
    namespace.config_map(map);
    // 0xff is no text.
    let mut map = operator::static_secret("binary", &Consent::LAMP);
    map["binaryData"] = json!({"A": "aHVudGVyMv8="});
    namespace.config_map(map);
    let sidecar = cluster.kubeconfig(User::SIDECAR);
    let repository = Repository::new();
    repository.shows(&sidecar, &["bytes/text"], ["one", "b"]);
    let told = repository.fails(&sidecar, &["bytes/binary"]);
    assert!(
        told.starts_with(
            "error: ConfigMap bytes/binary: the value of setting `A` is not UTF-8 text\n"
        ),
        "{told}"
    );
}

/// One object at a time: what is not for the caller reads, byte for byte, like what is not there.
#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn what_is_not_for_the_caller_reads_like_what_is_absent() {
    let Some(cluster) = cluster() else { return };
    let namespace = Namespace::new(cluster, "refused");
    let refused = [
        ("none", Consent::NONE),
        ("unlabelled", Consent::NONE.allowed("home/lamp").keys("A")),
        ("wrong-label", Consent::LAMP.label("false").keys("A")),
        (
            "other-application",
            Consent::LAMP.allowed("home/fan").keys("A"),
        ),
        (
            "other-project",
            Consent::LAMP.allowed("work/lamp").keys("A"),
        ),
        ("any-project", Consent::LAMP.allowed("*/lamp").keys("A")),
        (
            "other-namespace",
            Consent::LAMP.allowed("home/apps_*").keys("A"),
        ),
    ];
    let mut names = refused.each_ref().map(|(name, _)| *name).to_vec();
    names.extend(["absent", "no-keys"]);
    namespace.allow(User::SIDECAR, "configmaps", &names);
    namespace.allow(User::SIDECAR, "secrets", &names);
    let sidecar = cluster.kubeconfig(User::SIDECAR);
    let repository = Repository::new();
    let check = |name: &str, kinds: &[(&str, &str, &str)]| {
        for (prefix, kind, keys) in kinds {
            let told = repository.fails(&sidecar, &[&format!("{prefix}refused/{name}")]);
            assert_eq!(
                told,
                nothing_to_read(&format!("{kind} refused/{name}"), keys)
            );
        }
    };
    let kinds = [("", "ConfigMap", ""), ("secret:", "Secret", AND_KEYS)];
    check("absent", &kinds);
    for (name, consent) in &refused {
        let values = [("A", VALUE), ("B", VALUE)];
        namespace.config_map(with_data(operator::static_secret(name, consent), &values));
        namespace.secret(with_secret_data(
            operator::static_secret(name, consent),
            &values,
        ));
        check(name, &kinds);
    }
    let secret = operator::static_secret("no-keys", &Consent::LAMP);
    namespace.secret(with_secret_data(secret, &[("A", VALUE)]));
    check("no-keys", &kinds[1..]);
}

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn what_an_owner_changes_counts_with_the_next_run() {
    let Some(cluster) = cluster() else { return };
    let namespace = Namespace::new(cluster, "changed");
    namespace.allow(User::SIDECAR, "secrets", &["one"]);
    let secret = operator::static_secret("one", &Consent::LAMP.keys("A"));
    namespace.secret(with_secret_data(secret, &[("A", "one"), ("B", "two")]));
    let sidecar = cluster.kubeconfig(User::SIDECAR);
    let repository = Repository::new();
    let object = ["secret:changed/one"];
    repository.shows(&sidecar, &object, ["one", "b"]);
    let change = |metadata: Value| namespace.change_secret("one", &json!({"metadata": metadata}));
    change(json!({"annotations": {"argocd-infisical.io/keys": "A,B"}}));
    repository.shows(&sidecar, &object, ["one", "two"]);
    change(json!({"annotations": {"argocd-infisical.io/keys": ""}}));
    repository.shows(&sidecar, &object, ["a", "b"]);
    change(json!({"labels": {"argocd-infisical.io/settings": null}}));
    let told = repository.fails(&sidecar, &object);
    assert_eq!(told, nothing_to_read("Secret changed/one", AND_KEYS));
}

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn what_is_optional_may_be_missing() {
    let Some(cluster) = cluster() else { return };
    let namespace = Namespace::new(cluster, "optional");
    namespace.allow(User::SIDECAR, "configmaps", &["there", "absent"]);
    namespace.allow(User::SIDECAR, "secrets", &["absent"]);
    let map = operator::static_secret("there", &Consent::LAMP);
    namespace.config_map(with_data(map, &[("A", "one")]));
    let sidecar = cluster.kubeconfig(User::SIDECAR);
    let repository = Repository::new();
    let absent = [
        "optional:optional/absent",
        "optional:secret:optional/absent",
    ];
    repository.shows(&sidecar, &absent, ["a", "b"]);
    repository.shows(&sidecar, &["optional:optional/there"], ["one", "b"]);
    let both = ["optional/there", "optional:optional/absent"];
    repository.shows(&sidecar, &both, ["one", "b"]);
    // Nobody has said whether it is there.
    let told = repository.fails(&sidecar, &["optional:optional/elsewhere"]);
    assert!(told.contains("does not let this identity read"), "{told}");
}

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn the_rule_that_is_missing_is_named() {
    let Some(cluster) = cluster() else { return };
    let namespace = Namespace::new(cluster, "forbidden");
    namespace.allow(User::SIDECAR, "configmaps", &["one"]);
    for name in ["one", "two"] {
        let consent = Consent::LAMP.keys("A");
        let values = [("A", VALUE)];
        namespace.config_map(with_data(operator::static_secret(name, &consent), &values));
        namespace.secret(with_secret_data(
            operator::static_secret(name, &consent),
            &values,
        ));
    }
    let sidecar = cluster.kubeconfig(User::SIDECAR);
    let repository = Repository::new();
    let forbidden = |kind: &str, resource: &str, name: &str| {
        format!(
            "error: the API server does not let this identity read `{kind} forbidden/{name}` (status 403)\n\
             hint: bind it to a Role in namespace `forbidden` with the rule `{{apiGroups: [\"\"], resources: [{resource}], \
             resourceNames: [{name}], verbs: [get]}}`\n"
        )
    };
    let told = repository.fails(&sidecar, &["forbidden/two"]);
    assert_eq!(told, forbidden("ConfigMap", "configmaps", "two"));
    let told = repository.fails(&sidecar, &["secret:forbidden/one"]);
    assert_eq!(told, forbidden("Secret", "secrets", "one"));
    // All of them at once.
    let told = repository.fails(
        &sidecar,
        &["forbidden/one", "forbidden/two", "secret:forbidden/two"],
    );
    for object in ["`ConfigMap forbidden/two`", "`Secret forbidden/two`"] {
        assert!(told.contains(object), "{told}");
    }
    assert!(!told.contains("forbidden/one"), "{told}");
    // Who may get nothing is told no less, and nothing of what there is.
    let nobody = cluster.kubeconfig(User::NOBODY);
    let told = repository.fails(&nobody, &["forbidden/two"]);
    assert_eq!(told, forbidden("ConfigMap", "configmaps", "two"));
    assert_eq!(
        repository.fails(&nobody, &["forbidden/none"]),
        forbidden("ConfigMap", "configmaps", "none")
    );
    // The rule does what is promised.
    namespace.allow(User::NOBODY, "configmaps", &["two"]);
    repository.shows(&nobody, &["forbidden/two"], [VALUE, "b"]);
}

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn what_the_operator_has_not_filled_yet() {
    let Some(cluster) = cluster() else { return };
    let namespace = Namespace::new(cluster, "filling");
    namespace.allow(User::SIDECAR, "configmaps", &["one"]);
    namespace.allow(User::SIDECAR, "secrets", &["one"]);
    namespace.config_map(operator::static_secret("one", &Consent::LAMP));
    namespace.secret(with_secret_data(
        operator::static_secret("one", &Consent::LAMP.keys("A,B")),
        &[],
    ));
    let sidecar = cluster.kubeconfig(User::SIDECAR);
    let repository = Repository::new().without_default();
    for (object, kind) in [
        ("filling/one", "ConfigMap"),
        ("secret:filling/one", "Secret"),
    ] {
        assert_eq!(
            repository.fails(&sidecar, &[object]),
            format!(
                "error: `{kind} filling/one` holds nothing yet\n\
                 hint: wait until the operator has synced it, and look at the status of what it is synced from\n"
            )
        );
    }
    // What is there without being a value leaves the setting missing, and the message names the object.
    let missing = "error: a required setting has no value\n";
    for value in ["", "<no value>"] {
        namespace.change_config_map("one", &json!({"data": {"A": value, "B": "two"}}));
        namespace.change_secret("one", &json!({"stringData": {"A": value, "B": "two"}}));
        for (object, kind) in [
            ("filling/one", "ConfigMap"),
            ("secret:filling/one", "Secret"),
        ] {
            let told = repository.fails(&sidecar, &[object]);
            assert!(told.starts_with(missing), "{told}");
            assert!(
                told.contains(&format!("set it in `{kind} filling/one`")),
                "{told}"
            );
            // With a default it is what counts.
            Repository::new().shows(&sidecar, &[object], ["a", "two"]);
        }
    }
}

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn one_request_for_each_object() {
    let Some(cluster) = cluster() else { return };
    let namespace = Namespace::new(cluster, "counted");
    namespace.allow(User::SIDECAR, "configmaps", &["one", "two", "absent"]);
    namespace.allow(User::SIDECAR, "secrets", &["one"]);
    for name in ["one", "two"] {
        let map = operator::static_secret(name, &Consent::LAMP);
        namespace.config_map(with_data(map, &[("A", name)]));
    }
    let secret = operator::static_secret("one", &Consent::LAMP.keys("B"));
    namespace.secret(with_secret_data(secret, &[("B", "secret")]));
    let sidecar = cluster.kubeconfig(User::SIDECAR);
    // A replacement that copies a setting makes the tree be built twice, which is no reason to ask twice.
    let repository = Repository::new();
    repository.write(
        "kustomization.yaml",
        "resources:\n- settings.yaml\n- one.yaml\nreplacements:\n- source: {kind: ConfigMap, name: settings, fieldPath: data.B}\n  \
         targets:\n  - select: {kind: ConfigMap, name: one}\n    fieldPaths: [data.b]\n",
    );
    let objects = [
        "counted/one",
        "counted/two",
        "secret:counted/one",
        "optional:counted/absent",
    ];
    repository.shows(&sidecar, &objects, ["two", "secret"]);
    let mut requests = cluster.audit().requests(User::SIDECAR, namespace.name);
    requests.sort();
    assert_eq!(
        requests,
        [
            "get configmaps absent",
            "get configmaps one",
            "get configmaps two",
            "get secrets one"
        ]
    );
    // What is denied is asked for once as well.
    let denied = cluster.kubeconfig(User::NOBODY);
    repository.fails(&denied, &["counted/one"]);
    let requests = cluster.audit().requests(User::NOBODY, namespace.name);
    assert_eq!(requests, ["get configmaps one"]);
}

#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn what_the_policy_denies_is_not_asked_for() {
    let Some(cluster) = cluster() else { return };
    let namespace = Namespace::new(cluster, "policy");
    namespace.allow(User::SIDECAR, "configmaps", &["one"]);
    namespace.allow(User::SIDECAR, "secrets", &["one"]);
    let consent = Consent::LAMP.keys("A");
    let values = [("A", VALUE)];
    namespace.config_map(with_data(operator::static_secret("one", &consent), &values));
    namespace.secret(with_secret_data(
        operator::static_secret("one", &consent),
        &values,
    ));
    let sidecar = cluster.kubeconfig(User::SIDECAR);
    let repository = Repository::new();
    let policy = |settings: &str| {
        let text = format!(
            "apiVersion: argocd-infisical.io/v1alpha1\nkind: Policy\nsettings: {settings}\n"
        );
        repository.write("policy.yaml", &text);
    };
    let fails = |object| repository.fails_with(&sidecar, &[object], &["--policy", "policy.yaml"]);
    policy("{kinds: [ConfigMap]}");
    assert!(fails("secret:policy/one").contains("the policy allows no Secret"));
    policy("{namespaces: [other]}");
    assert!(fails("policy/one").contains("the policy does not allow its namespace"));
    assert!(
        cluster
            .audit()
            .requests(User::SIDECAR, namespace.name)
            .is_empty()
    );
    policy("{maxValueBytes: 3}");
    let told = fails("policy/one");
    assert!(
        told.contains("`A`") && told.contains("ConfigMap policy/one"),
        "{told}"
    );
    assert_eq!(
        cluster
            .audit()
            .requests(User::SIDECAR, namespace.name)
            .len(),
        1
    );
}

/// The value of an object is in no message, whatever the repository does with it.
#[test]
#[ignore = "needs a cluster: tools/cluster-tier runs it"]
fn no_message_holds_a_value() {
    let Some(cluster) = cluster() else { return };
    let namespace = Namespace::new(cluster, "leaks");
    namespace.allow(User::SIDECAR, "configmaps", &["one"]);
    namespace.allow(User::SIDECAR, "secrets", &["one"]);
    let value = format!("{VALUE}: [");
    let values = [("A", value.as_str()), ("B", value.as_str())];
    let consent = Consent::LAMP.keys("A,B");
    namespace.config_map(with_data(operator::secret("one", &consent), &values));
    namespace.secret(with_secret_data(operator::secret("one", &consent), &values));
    let sidecar = cluster.kubeconfig(User::SIDECAR);
    for object in ["leaks/one", "secret:leaks/one"] {
        for expression in [
            "A | int",
            "A | bool",
            "A | float",
            "A | yaml",
            "A | json",
            "A | none",
            "A.x",
            "A()",
            "A + 1",
            "C",
        ] {
            let repository = Repository::new().showing(expression, "B");
            repository.fails(&sidecar, &[object]);
        }
        let schemas = [
            "A: {type: int}",
            "A: {type: yaml}",
            "A: {pattern: \"[0-9]+\"}",
        ];
        for schema in schemas {
            let repository = Repository::new();
            let declared = format!(
                "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\n  annotations:\n    \
                 config.kubernetes.io/local-config: \"true\"\n    argocd-infisical.io/declare: settings\n    \
                 argocd-infisical.io/schema: '{schema}'\ndata:\n  A: \"\"\n  B: b\n"
            );
            repository.write("settings.yaml", &declared);
            repository.fails(&sidecar, &[object]);
        }
        // A value where the tree cannot take it.
        let repository = Repository::new();
        repository.write(
            "kustomization.yaml",
            "resources:\n- settings.yaml\n- one.yaml\nreplacements:\n- source: {kind: ConfigMap, name: settings, fieldPath: data.A}\n  \
             targets:\n  - select: {kind: ConfigMap, name: one}\n    fieldPaths: [kind]\n",
        );
        repository.fails(&sidecar, &[object]);
    }
}
