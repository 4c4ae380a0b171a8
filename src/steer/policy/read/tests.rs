use super::*;
use crate::steer::policy::Environment;

const HEAD: &str = "apiVersion: argocd-infisical.io/v1alpha1\nkind: ControllerPolicy\n";

fn parsed(rest: &str) -> Result<Policy, (String, u32)> {
    let policy = Policy::of_text(format!("{HEAD}{rest}").as_bytes());
    policy.map_err(|Fault { message, line, .. }| (message, line))
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(ToString::to_string).collect()
}

#[test]
fn without_fields_it_is_the_usual_one() {
    assert_eq!(parsed("").unwrap(), Policy::default());
    assert_eq!(
        parsed("breaker: {}\nflap: {}\nwrites: {}\n").unwrap(),
        Policy::default()
    );
}

/// Every field, none of them as it usually is.
const ALL: &str = "\
argocdNamespace: cd
ownNamespace: own
applicationNamespaces: [cd, teams]
overrideNamespaces: [own, infisical]
objectNamespaces: ['*']
environmentLabel: example.org/stage
environments:
  live:
    default: refs/heads/release
    allowed: [release, refs/tags/v*]
    commits: true
    protected: true
    projects: [shop, default]
  play:
    default: dev
plugins: [settings, settings-v1]
writes: {automationOff: true, deniedSyncWindows: true}
breaker: {least: 0, percent: 100, minutes: 1}
flap: {changes: 1, minutes: 60}
";

#[test]
fn all_fields() {
    let live = Environment {
        default: "refs/heads/release".into(),
        allowed: vec!["release".into(), "refs/tags/v*".into()],
        commits: true,
        is_protected: true,
        projects: Some(set(&["shop", "default"])),
    };
    let play = Environment {
        default: "dev".into(),
        allowed: vec!["dev".into()],
        commits: false,
        is_protected: false,
        projects: None,
    };
    let expected = Policy {
        argocd_namespace: "cd".into(),
        own_namespace: "own".into(),
        application_namespaces: Namespaces::Only(set(&["cd", "teams"])),
        override_namespaces: set(&["own", "infisical"]),
        object_namespaces: Namespaces::All,
        environment_label: "example.org/stage".into(),
        environments: [("live".to_owned(), live), ("play".to_owned(), play)].into(),
        plugins: set(&["settings", "settings-v1"]),
        writes_unautomated: true,
        writes_in_denied_windows: true,
        breaker: Breaker {
            least: 0,
            percent: 100,
            within: Duration::from_mins(1),
        },
        flap: Flap {
            changes: 1,
            within: Duration::from_hours(1),
        },
    };
    assert_eq!(parsed(ALL).unwrap(), expected);
}

#[test]
fn namespaces_follow_those_that_are_named() {
    let policy = parsed("argocdNamespace: cd\nownNamespace: own\n").unwrap();
    assert_eq!(
        policy.application_namespaces,
        Namespaces::Only(set(&["cd"]))
    );
    assert_eq!(policy.override_namespaces, set(&["own"]));
}

#[test]
fn lists_may_be_empty_that_allow_something() {
    let policy = parsed("overrideNamespaces: []\nobjectNamespaces: []\nplugins: []\n").unwrap();
    assert!(policy.override_namespaces.is_empty() && policy.plugins.is_empty());
    assert_eq!(policy.object_namespaces, Namespaces::Only(BTreeSet::new()));
}

/// A policy from its third line on, its first line that is wrong, and what is wrong with it.
const WRONG: [(&str, u32, &str); 37] = [
    (
        "argocdNamespace: Argo\n",
        3,
        "`argocdNamespace` is nothing that a namespace can be called",
    ),
    (
        "argocdNamespace: ''\n",
        3,
        "`argocdNamespace` is nothing that a namespace can be called",
    ),
    (
        "plugins: [a]\nownNamespace: a.b\n",
        4,
        "`ownNamespace` is nothing that a namespace can be called",
    ),
    (
        "applicationNamespaces:\n- a\n- b_c\n",
        5,
        "`applicationNamespaces` has an entry that no namespace can be called",
    ),
    (
        "applicationNamespaces: [team-*]\n",
        3,
        "`applicationNamespaces` has an entry that no namespace can be called",
    ),
    (
        "applicationNamespaces:\n- a\n- '*'\n",
        5,
        "`applicationNamespaces` has `*`, which is every namespace, beside others",
    ),
    (
        "applicationNamespaces: []\n",
        0,
        "`applicationNamespaces` has no entry",
    ),
    (
        "overrideNamespaces:\n- a\n- '*'\n",
        5,
        "`overrideNamespaces` has `*`: whoever could write an object anywhere would choose the revision of every Application",
    ),
    (
        "overrideNamespaces: ['']\n",
        3,
        "`overrideNamespaces` has an entry that no namespace can be called",
    ),
    (
        "objectNamespaces: ['*', '*']\n",
        3,
        "`objectNamespaces` has `*`, which is every namespace, beside others",
    ),
    (
        "objectNamespaces: [-a]\n",
        3,
        "`objectNamespaces` has an entry that no namespace can be called",
    ),
    (
        "environmentLabel: a/b/c\n",
        3,
        "`environmentLabel` is nothing that a label can be called",
    ),
    (
        "environmentLabel: ''\n",
        3,
        "`environmentLabel` is nothing that a label can be called",
    ),
    ("environments: {}\n", 0, "`environments` has no entry"),
    (
        "environments:\n  a b:\n    default: dev\n",
        5,
        "`environments` has a name that no label can have as its value",
    ),
    (
        "environments:\n  '':\n    default: dev\n",
        5,
        "`environments` has a name that no label can have as its value",
    ),
    (
        "environments:\n  a:\n    default: HEAD\n",
        5,
        "`environments.a.default` is `HEAD`, which is whatever branch the repository calls its default",
    ),
    (
        "environments:\n  a:\n    default: ''\n",
        5,
        "`environments.a.default` is empty",
    ),
    (
        "environments:\n  a:\n    default: 1.x\n",
        5,
        "`environments.a.default` is a semver range, which Argo CD resolves against tags",
    ),
    (
        "environments:\n  a:\n    default: '*'\n    allowed: ['*']\n",
        5,
        "`environments.a.default` is a semver range, which Argo CD resolves against tags",
    ),
    (
        "environments:\n  a:\n    allowed: [b]\n    default: dev\n",
        6,
        "`environments.a.default` is not allowed by `environments.a.allowed`",
    ),
    (
        "environments:\n  a:\n    default: dev\n    allowed: []\n",
        5,
        "`environments.a.default` is not allowed by `environments.a.allowed`",
    ),
    (
        "environments:\n  a:\n    default: refs/tags/v1\n    allowed: [v1]\n",
        5,
        "`environments.a.default` is not allowed by `environments.a.allowed`",
    ),
    (
        "environments:\n  a:\n    default: 0123456789abcdef0123456789abcdef01234567\n    allowed: ['*']\n",
        5,
        "`environments.a.default` is not allowed by `environments.a.allowed`",
    ),
    (
        "environments:\n  a:\n    default: dev\n    allowed:\n    - dev\n    - refs/pull/*\n",
        8,
        "`environments.a.allowed` has an entry that is a ref that is neither a branch nor a tag",
    ),
    (
        "environments:\n  a:\n    default: dev\n    allowed: [dev, 0123456789abcdef0123456789abcdef01234567]\n",
        6,
        "`environments.a.allowed` has an entry that is a commit: `commits` says whether those are allowed",
    ),
    (
        "environments:\n  a:\n    default: dev\n    allowed: [dev, '']\n",
        6,
        "`environments.a.allowed` has an entry that is empty",
    ),
    (
        "environments:\n  a:\n    default: dev\n    allowed: [dev, 'v[0-9]']\n",
        6,
        "`environments.a.allowed` has an entry that has a character that no Git ref may have",
    ),
    (
        "environments:\n  a:\n    default: dev\n    projects: [a_b]\n",
        6,
        "`environments.a.projects` has an entry that no AppProject can be called",
    ),
    (
        "environments:\n  a:\n    default: dev\n    projects: ['*']\n",
        6,
        "`environments.a.projects` has an entry that no AppProject can be called",
    ),
    (
        "plugins: ['']\n",
        3,
        "`plugins` has an entry that no plugin can be called",
    ),
    (
        "plugins: [a b]\n",
        3,
        "`plugins` has an entry that no plugin can be called",
    ),
    (
        "breaker:\n  percent: 101\n",
        4,
        "`breaker.percent` is more than 100",
    ),
    ("breaker: {minutes: 0}\n", 3, "`breaker.minutes` is 0"),
    ("flap: {minutes: 0}\n", 3, "`flap.minutes` is 0"),
    (
        "flap: {changes: 0}\n",
        3,
        "`flap.changes` is 0, so that no revision would ever change",
    ),
    (
        "kind: ControllerPolicy\n",
        3,
        "the policy is not valid: duplicate mapping key: kind",
    ),
];

#[test]
fn what_makes_no_sense_is_refused() {
    for (rest, line, message) in WRONG {
        assert_eq!(
            parsed(rest).err(),
            Some((message.to_owned(), line)),
            "{rest}"
        );
    }
}

/// Every field, with what it is in.
const FIELDS: [(&[&str], &[&str]); 5] = [
    (
        &[],
        &[
            "argocdNamespace",
            "ownNamespace",
            "applicationNamespaces",
            "overrideNamespaces",
            "objectNamespaces",
            "environmentLabel",
            "environments",
            "plugins",
            "writes",
            "breaker",
            "flap",
        ],
    ),
    (&["writes"], &["automationOff", "deniedSyncWindows"]),
    (&["breaker"], &["least", "percent", "minutes"]),
    (&["flap"], &["changes", "minutes"]),
    (
        &["environments", "a"],
        &["default", "allowed", "commits", "protected", "projects"],
    ),
];

/// A policy with one field, and what else it needs.
fn with(parents: &[&str], field: &str, value: &str) -> String {
    let needed = if parents.len() == 2 && field != "default" {
        "default: dev, "
    } else {
        ""
    };
    let inner = format!("{needed}{field}: {value}");
    let whole = parents
        .iter()
        .rfold(inner, |inner, parent| format!("{parent}: {{{inner}}}"));
    format!("{whole}\n")
}

#[test]
fn a_field_that_says_nothing_is_refused() {
    for (parents, fields) in FIELDS {
        for field in fields {
            for value in ["~", "null", "", "{a: [b]}", "[[a]]", "[~]"] {
                let rest = with(parents, field, value);
                assert!(parsed(&rest).is_err(), "{rest}");
            }
        }
    }
}

#[test]
fn what_is_misspelt_is_refused() {
    for (parents, fields) in FIELDS {
        for field in fields {
            let rest = with(parents, &format!("{field}s2"), "a");
            let (message, line) = parsed(&rest).unwrap_err();
            assert!(line == 3 && message.contains(field), "{rest}: {message}");
        }
    }
    for rest in [
        "namespace: a\n",
        "applicationNamespaces: a\n",
        "applicationNamespaces: '*'\n",
        "environments: [a]\n",
        "environments: {a: dev}\n",
        "environments: {a: {}}\n",
        "environments: {a: {default: dev, commits: maybe}}\n",
        "environments: {a: {default: dev}, a: {default: b}}\n",
        "environments: {a: {default: dev, default: dev}}\n",
        "breaker: {least: -1}\n",
        "breaker: {percent: -1}\n",
        "breaker: {minutes: 1.5}\n",
        "breaker: {minutes: 4294967296}\n",
        "writes: true\n",
        "writes: {automationOff: 1}\n",
        "---\na: b\n",
        "a: &a [*a]\n",
        "\tplugins: [a]\n",
    ] {
        assert!(parsed(rest).is_err(), "{rest}");
    }
    for whole in [
        &b""[..],
        b"\xff",
        b"- a\n",
        b"kind: ControllerPolicy\n",
        b"apiVersion: v1\nkind: ControllerPolicy\n",
        b"apiVersion: argocd-infisical.io/v1alpha1\nkind: Policy\n",
    ] {
        assert!(Policy::of_text(whole).is_err());
    }
}

/// A policy from its third line on, what is wrong with it, and the beginning of what to do.
const TOLD: [(&str, &str, &str); 19] = [
    (
        "breaker: {least: -1}\n",
        "`breaker.least` has to be a whole number, and none below 0",
        "write digits",
    ),
    (
        "breaker: {minutes: 4294967296}\n",
        "`breaker.minutes` has to be a whole number, and none below 0",
        "write digits alone, at most 4294967295",
    ),
    (
        "breaker:\n  least:\n  percent: 3\n",
        "`breaker.least` has to be a whole number, and none below 0",
        "write digits",
    ),
    (
        "breaker:\n  percent: 3\n  minutes: a\n",
        "`breaker.minutes` has to be a whole number, and none below 0",
        "write digits",
    ),
    (
        "plugins: a\n",
        "`plugins` has to be a list",
        "write entries",
    ),
    (
        "objectNamespaces:\n",
        "`objectNamespaces` has to be a list",
        "write entries",
    ),
    (
        "plugins: [a, [b]]\n",
        "`plugins` has a list or a map where one value belongs",
        "write one value",
    ),
    ("plugins: [a, ~]\n", "`plugins` has no value", "give it one"),
    (
        "environments: {a: {default: dev, protected: often}}\n",
        "`environments.a.protected` has to be `true` or `false`",
        "write `true`",
    ),
    (
        "environments:\n  a:\n    default: dev\n  b: dev\n",
        "`environments.b` has to be a map",
        "write its fields",
    ),
    (
        "environments: {a: {}}\n",
        "`environments.a` is not valid: missing field `default`",
        LISTED,
    ),
    (
        "writes: true\n",
        "`writes` has to be a map",
        "write its fields",
    ),
    (
        "writes: {x: true}\n",
        "the policy is not valid: unknown field `x`, expected one of automationOff, deniedSyncWindows",
        LISTED,
    ),
    (
        "environments: {a: {default: dev, allowed: [b]}}\n",
        "`environments.a.default` is not allowed by `environments.a.allowed`",
        "`allowed` has to cover `default`",
    ),
    (
        "environments: {a: {default: 0123456789abcdef0123456789abcdef01234567}}\n",
        "`environments.a.allowed` has an entry that is a commit: `commits` says whether those are allowed",
        "write patterns",
    ),
    (
        "environments: {a: {default: 0123456789abcdef0123456789abcdef01234567, allowed: []}}\n",
        "`environments.a.default` is not allowed by `environments.a.allowed`",
        "a default that is a commit takes `commits: true`",
    ),
    (
        "flap: {minutes: 0}\n",
        "`flap.minutes` is 0",
        "`minutes` is at least 1",
    ),
    (
        "ownNamespace: A\n",
        "`ownNamespace` is nothing that a namespace can be called",
        NAMESPACE,
    ),
    ("plugins: [a\n", "the policy is not valid: ", HINT),
];
const LISTED: &str = "docs/controller.md lists the fields";

#[test]
fn each_fault_has_its_field_and_a_hint_of_its_own() {
    for (rest, expected, to_do) in TOLD {
        let fault = Policy::of_text(format!("{HEAD}{rest}").as_bytes()).unwrap_err();
        let Fault { message, hint, .. } = fault;
        assert!(message.starts_with(expected), "{rest}: {message}");
        assert!(hint.starts_with(to_do), "{rest}: {hint}");
    }
}
