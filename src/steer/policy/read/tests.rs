use std::io::Write as _;

use super::*;
use crate::steer::policy::Environment;

const HEAD: &str = "apiVersion: argocd-infisical.io/v1alpha1\nkind: ControllerPolicy\n";

fn parsed(rest: &str) -> Result<Policy, (String, u32)> {
    parse(format!("{HEAD}{rest}").as_bytes()).map_err(|Fault { message, line }| (message, line))
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(ToString::to_string).collect()
}

#[test]
fn without_fields_it_is_the_usual_one() {
    assert_eq!(parsed("").unwrap(), Policy::default());
    assert_eq!(Policy::named(None).unwrap(), Policy::default());
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
        assert!(parse(whole).is_err());
    }
}

#[test]
fn a_failure_names_the_file_and_what_to_do() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(file, "{HEAD}flap: {{minutes: 0}}").unwrap();
    let name = file.path().display().to_string();
    assert_eq!(
        Policy::read(file.path()).unwrap_err().to_string(),
        format!("error: {name}:3: `flap.minutes` is 0\nhint: {HINT}\n")
    );
    let missing = Policy::named(Some(Path::new("/nowhere/policy.yaml"))).unwrap_err();
    assert!(
        missing
            .to_string()
            .starts_with("error: /nowhere/policy.yaml: cannot read the policy: ")
    );
}
