use super::*;

/// Address, what Git takes, directory, reference.
const ADDRESSES: [[&str; 4]; 26] = [
    [
        "https://host.example/org/repo/some/dir",
        "https://host.example/org/repo",
        "some/dir",
        "",
    ],
    [
        "https://host.example/org/repo/dir?ref=branch",
        "https://host.example/org/repo",
        "dir",
        "branch",
    ],
    [
        "http://github.com/org/repo/dir",
        "https://github.com/org/repo",
        "dir",
        "",
    ],
    ["GitHub.com/org/repo", "https://github.com/org/repo", "", ""],
    [
        "git@github.com:org/repo/dir",
        "git@github.com:org/repo",
        "dir",
        "",
    ],
    [
        "git@github.com/org/repo/dir",
        "git@github.com:org/repo",
        "dir",
        "",
    ],
    [
        "ssh://git@github.com/org/repo//a/b?ref=v1.0.6",
        "git@github.com:org/repo",
        "a/b",
        "v1.0.6",
    ],
    [
        "ssh://org-1@github.com/org/repo",
        "org-1@github.com:org/repo",
        "",
        "",
    ],
    ["github.com:org/repo", "https://github.com/org/repo", "", ""],
    [
        "https://github.com/org/repo.git/dir",
        "https://github.com/org/repo.git",
        "dir",
        "",
    ],
    [
        "https://github.com/org/repo//a/?ref=v1",
        "https://github.com/org/repo",
        "a/",
        "v1",
    ],
    [
        "git@host.example:a/b/c.git?ref=v0.1.0",
        "git@host.example:a/b/c.git",
        "",
        "v0.1.0",
    ],
    [
        "git@host.example/a:b/c.git/dir",
        "git@host.example/a:b/c.git",
        "dir",
        "",
    ],
    [
        "https://host.example/a/_git/repo/dir?version=v1",
        "https://host.example/a/_git/repo",
        "dir",
        "v1",
    ],
    [
        "https://u@host.example/a/_git/repo//dir",
        "https://u@host.example/a/_git/repo",
        "/dir",
        "",
    ],
    [
        "git::https://host.example/a/b",
        "https://host.example/a/b",
        "",
        "",
    ],
    [
        "HTTPS://host.example/a/b",
        "https://host.example/a/b",
        "",
        "",
    ],
    [
        "https://host.example/a/b/c//d",
        "https://host.example/a/b/c",
        "d",
        "",
    ],
    [
        "file:///srv/repo.git/dir?ref=main",
        "file:///srv/repo.git",
        "dir",
        "main",
    ],
    [
        "file:///srv/repo//dir?ref=main",
        "file:///srv/repo",
        "dir",
        "main",
    ],
    ["file:///srv/repo", "file:///srv/repo", "", ""],
    [
        "file://git@home/repo.git//dir",
        "file://git@home/repo.git",
        "dir",
        "",
    ],
    [
        "ssh://git@host.example:443/a/b.git",
        "ssh://git@host.example:443/a/b.git",
        "",
        "",
    ],
    [
        "https://host.example/a/b/?ref=x_git/y.git",
        "https://host.example/a/b",
        "",
        "x_git/y.git",
    ],
    [
        "https://host.example/a/b?version=1&ref=2",
        "https://host.example/a/b",
        "",
        "2",
    ],
    [
        "https://host.example/a/b?ref=a%2Fb+c",
        "https://host.example/a/b",
        "",
        "a/b c",
    ],
];

#[test]
fn addresses_are_taken_apart() {
    for [written, url, directory, reference] in ADDRESSES {
        let repository = Repository::parse(written).unwrap_or_else(|| panic!("{written} is none"));
        // kustomize keeps a second slash behind `_git`; what is built is the same.
        let directory = directory.strip_prefix('/').unwrap_or(directory);
        assert_eq!(
            [
                repository.url.as_str(),
                &repository.directory,
                &repository.reference
            ],
            [url, directory, reference],
            "{written}"
        );
    }
}

#[test]
fn paths_are_no_addresses() {
    let paths = [
        "base",
        "../base",
        "/abs/base",
        "base/kustomization.yaml",
        "host.example/org/repo",
        "a:b",
        "",
        "ftp://host/org/repo",
        "https://host.example/org",
        "https://",
        "git@host.example:repo",
        "https://host.example/org/repo//../up",
        "@host:a/b",
        "1a@host:a/b",
        "https://host.example",
    ];
    for path in paths {
        assert_eq!(Repository::parse(path), None, "{path}");
    }
}

#[test]
fn a_query_says_how_long_and_whether_with_submodules() {
    let parse =
        |query: &str| Repository::parse(&format!("https://host.example/a/b?{query}")).unwrap();
    let default = DEFAULT_TIMEOUT;
    for (query, expected) in [
        ("timeout=61", Duration::from_secs(61)),
        ("timeout=1m30s", Duration::from_secs(90)),
        ("timeout=0.5h", Duration::from_mins(30)),
        ("timeout=0", default),
        ("timeout=-4", default),
        ("timeout=soon", default),
        ("timeout=61;", default),
        ("timeout=999999999999999999999h", default),
    ] {
        assert_eq!(parse(query).timeout, expected, "{query}");
    }
    assert!(parse("").submodules);
    assert!(!parse("submodules=false").submodules);
    assert!(parse("submodules=no").submodules);
    assert_eq!(parse("ref=x&bad=%zz").reference, "");
    assert_eq!(parse("ref=x;y").reference, "");
}

#[test]
fn only_a_whole_digest_is_a_commit() {
    let commit = |reference: &str| {
        Repository::parse(&format!("https://host.example/a/b?ref={reference}"))
            .unwrap()
            .commit()
            .map(str::to_owned)
    };
    assert_eq!(commit(&"a1".repeat(20)), Some("a1".repeat(20)));
    assert_eq!(commit(&"a1".repeat(32)), Some("a1".repeat(32)));
    assert_eq!(commit("a1b2c3d"), None);
    assert_eq!(commit(&"g1".repeat(20)), None);
}

#[test]
fn credentials_are_not_repeated() {
    assert_eq!(
        without_credentials(
            "cannot access 'https://me:secret@host/a.git/': no; `ssh://git@h/x` <https://a:b@c/d> https://plain"
        ),
        "cannot access 'https://host/a.git/': no; `ssh://git@h/x` <https://c/d> https://plain"
    );
}
