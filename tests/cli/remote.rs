//! Bases in Git repositories and files behind HTTP.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use crate::server::{Answer, Server};
use crate::tools;
use crate::workspace::{Run, Workspace, binary};

const OBJECT: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: one\n";
const REMOTE: &str = "--enable-remote";
/// Repositories on this machine lie outside of a kustomization.
const LOCAL: [&str; 3] = [REMOTE, "--load-restrictor", "LoadRestrictionsNone"];

/// A workspace with a Git repository in `repository`.
struct Repository {
    workspace: Workspace,
}

impl Repository {
    /// Nothing where there is no Git.
    fn new(files: &[(&str, &str)]) -> Option<Self> {
        tools::git()?;
        let repository = Self {
            workspace: Workspace::new(&[]),
        };
        for (path, text) in files {
            repository
                .workspace
                .write(&format!("repository/{path}"), text);
        }
        repository.git(&["init", "--quiet", "--initial-branch=main", "."]);
        repository.commit();
        Some(repository)
    }

    fn git(&self, arguments: &[&str]) -> String {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=a", "-c", "user.email=a@example.org"])
            .args(["-c", "protocol.file.allow=always"])
            .args(arguments)
            .current_dir(self.workspace.path().join("repository"))
            .env_remove("GIT_DIR")
            .env_remove("GIT_INDEX_FILE")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null");
        tools::printed(&mut git).trim().to_owned()
    }

    fn commit(&self) -> String {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message=a"]);
        self.git(&["rev-parse", "HEAD"])
    }

    fn url(&self) -> String {
        let directory = fs::canonicalize(self.workspace.path()).unwrap();
        format!("file://{}/repository", directory.display())
    }

    /// Writes an overlay over an address and builds it.
    fn build(&self, address: &str, flags: &[&str]) -> Run {
        let overlay = format!("resources:\n- {address}\nnamePrefix: a-\n");
        self.workspace.write("overlay/kustomization.yaml", overlay);
        run(&self.workspace, &[&["build", "overlay"], flags].concat())
    }
}

/// Runs the binary where it finds Git.
fn run(workspace: &Workspace, arguments: &[&str]) -> Run {
    let output = binary()
        .args(arguments)
        .current_dir(workspace.path())
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .output()
        .unwrap();
    Run {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

fn base() -> Option<Repository> {
    Repository::new(&[
        ("base/kustomization.yaml", "resources: [one.yaml]\n"),
        ("base/one.yaml", OBJECT),
        ("kustomization.yaml", "resources: [base]\n"),
    ])
}

#[track_caller]
fn succeeds(run: &Run) -> &str {
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    &run.stdout
}

#[track_caller]
fn fails(run: &Run, words: &[&str]) {
    assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{}", run.stderr);
    for word in words {
        assert!(run.stderr.contains(word), "no `{word}` in: {}", run.stderr);
    }
}

const RESULT: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a-one\n";

#[test]
fn a_base_in_a_repository() {
    let Some(repository) = base() else { return };
    let commit = repository.git(&["rev-parse", "HEAD"]);
    repository.git(&["tag", "v1"]);
    let url = repository.url();
    for address in [
        url.clone(),
        format!("{url}//base"),
        format!("{url}//base?ref=main"),
        format!("{url}//base?ref=v1"),
        format!("{url}//base?ref=refs/heads/main"),
        format!("{url}//base?ref={commit}"),
        format!("{url}//base/?ref=main&submodules=false&timeout=20s"),
    ] {
        assert_eq!(
            succeeds(&repository.build(&address, &LOCAL)),
            RESULT,
            "{address}"
        );
    }
    let target = format!("{url}//base?ref=main");
    let built = run(&repository.workspace, &["build", &target, REMOTE]);
    assert_eq!(succeeds(&built), OBJECT);
}

#[test]
fn remote_bases_are_off_unless_allowed() {
    let Some(repository) = base() else { return };
    for address in [
        "https://github.com/a/b?ref=v1",
        "git@github.com:a/b",
        "ssh://host/a/b",
    ] {
        let run = repository.build(address, &[]);
        fails(
            &run,
            &[
                "error: overlay/kustomization.yaml:2:3: ",
                "is remote, and remote ",
                "are switched off",
                "hint: allow remote files and repositories with `--enable-remote`",
            ],
        );
    }
    let run = repository.build(&repository.url(), &[REMOTE]);
    fails(&run, &["is a repository on this machine"]);
}

#[test]
fn a_commit_is_fetched_once() {
    let Some(repository) = base() else { return };
    let commit = repository.git(&["rev-parse", "HEAD"]);
    let address = format!("{}//base?ref={commit}", repository.url());
    let flags = [&LOCAL[..], &["--cache-dir", "cache"]].concat();
    assert_eq!(succeeds(&repository.build(&address, &flags)), RESULT);
    let moved = repository.workspace.path().join("moved");
    fs::rename(repository.workspace.path().join("repository"), &moved).unwrap();
    assert_eq!(succeeds(&repository.build(&address, &flags)), RESULT);
    let branch = address.replace(&commit, "main");
    fails(&repository.build(&branch, &flags), &["`git` says: "]);
}

#[test]
fn a_reference_or_directory_that_is_not_there() {
    let Some(repository) = base() else { return };
    let url = repository.url();
    let run = repository.build(&format!("{url}//base?ref=none"), &LOCAL);
    fails(
        &run,
        &[
            "overlay/kustomization.yaml:2:3: cannot fetch",
            "hint: there is no such branch or tag",
        ],
    );
    let run = repository.build(&format!("{url}//none?ref=main"), &LOCAL);
    fails(&run, &["there is no directory `none` in the repository"]);
    let run = repository.build(&format!("{url}//base/one.yaml?ref=main"), &LOCAL);
    fails(
        &run,
        &["is a file where a directory with a kustomization is expected"],
    );
}

#[test]
fn an_error_in_a_repository_names_its_file_there() {
    let Some(repository) =
        Repository::new(&[("base/kustomization.yaml", "resources: [none.yaml]\n")])
    else {
        return;
    };
    let url = repository.url();
    let run = repository.build(&format!("{url}//base?ref=main"), &LOCAL);
    let place =
        format!("error: {url}//base/kustomization.yaml?ref=main:1:13: cannot read `none.yaml`");
    fails(&run, &[&place, "needed by: `"]);
}

#[test]
fn a_repository_cannot_look_outside() {
    let Some(repository) = base() else { return };
    repository
        .workspace
        .write("outside/kustomization.yaml", "resources: [one.yaml]\n");
    repository.workspace.write("outside/one.yaml", OBJECT);
    let at = |path: &str| repository.workspace.path().join("repository").join(path);
    let outside = fs::canonicalize(repository.workspace.path().join("outside")).unwrap();
    symlink(&outside, at("link")).unwrap();
    repository
        .workspace
        .write("repository/a/kustomization.yaml", "resources: [../link]\n");
    fs::create_dir(at("b")).unwrap();
    symlink(outside.join("one.yaml"), at("b/one.yaml")).unwrap();
    repository
        .workspace
        .write("repository/b/kustomization.yaml", "resources: [one.yaml]\n");
    repository.commit();
    let url = repository.url();
    for (directory, words) in [
        (
            "link",
            "leads out of its repository through a symbolic link",
        ),
        ("a", "base `../link` lies outside of the repository"),
        (
            "b",
            "file `one.yaml` is not in or below the kustomization's directory",
        ),
    ] {
        let run = repository.build(&format!("{url}//{directory}?ref=main"), &LOCAL);
        fails(&run, &[words]);
    }
}

#[test]
fn repositories_in_a_circle() {
    let Some(repository) = base() else { return };
    let address = format!("{}//circle?ref=main", repository.url());
    let text = format!("resources:\n- {address}\n");
    repository
        .workspace
        .write("repository/circle/kustomization.yaml", text);
    repository.commit();
    // What is fetched may look at other repositories, but not at those of this machine.
    fails(&repository.build(&address, &LOCAL), &["cycle: `"]);
}

#[test]
fn nothing_that_a_repository_says_is_run() {
    let Some(repository) = base() else { return };
    let trap = repository.workspace.path().join("trap");
    let url = repository.url();
    let run = repository.build(
        &format!("{url}?ref=--upload-pack=touch%20{}", trap.display()),
        &LOCAL,
    );
    fails(
        &run,
        &["the reference is no name of a branch, tag or commit"],
    );
    repository.workspace.write(
        "repository/.gitmodules",
        format!(
            "[submodule \"x\"]\n\tpath = x\n\turl = ext::touch {}\n",
            trap.display()
        ),
    );
    repository.git(&["add", "--all"]);
    let commit = repository.git(&["rev-parse", "HEAD"]);
    let link = format!("160000,{commit},x");
    repository.git(&["update-index", "--add", "--cacheinfo", &link]);
    repository.git(&["commit", "--quiet", "--message=a"]);
    fails(
        &repository.build(&format!("{url}?ref=main"), &LOCAL),
        &["`git` says: "],
    );
    assert!(!trap.exists(), "a program was run");
    let without = repository.build(&format!("{url}?ref=main&submodules=false"), &LOCAL);
    assert_eq!(succeeds(&without), RESULT);
}

#[test]
fn a_tree_that_is_refused_is_not_given_to_kustomize_with_a_way_out() {
    let (Some(repository), Some(kustomize)) = (base(), tools::kustomize()) else {
        return;
    };
    let trap = repository.workspace.path().join("trap");
    let kustomize = kustomize.to_str().unwrap();
    for address in [
        format!("file:///?ref=--upload-pack%3Dtouch%20{}", trap.display()),
        format!(
            "{}?ref=--upload-pack%3Dtouch%20{}",
            repository.url(),
            trap.display()
        ),
    ] {
        // The first entry is refused here and not by kustomize.
        let patch = "patches:\n- target: {name: 'a(?i)*'}\n  patch: '[{op: remove, path: /x}]'\n";
        repository.workspace.write(
            "tree/b/kustomization.yaml",
            format!("resources: [one.yaml]\n{patch}"),
        );
        repository.workspace.write("tree/b/one.yaml", OBJECT);
        repository.workspace.write(
            "tree/kustomization.yaml",
            format!("resources:\n- b\n- {address}\n"),
        );
        for arguments in [&["compare", "tree"][..], &["build", "tree", "--verify"]] {
            for more in [&LOCAL[..], &LOCAL[..1]] {
                let flags = [arguments, &["--kustomize", kustomize], more].concat();
                run(&repository.workspace, &flags);
                assert!(!trap.exists(), "a program was run: {flags:?}");
            }
        }
    }
}

#[test]
fn a_signal_ends_git_too_and_leaves_nothing_behind() {
    if tools::git().is_none() {
        return;
    }
    // It takes connections and never answers.
    let silent = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let workspace = Workspace::new(&[]);
    let url = format!(
        "git::http://{}/a/b.git?ref=main",
        silent.local_addr().unwrap()
    );
    fs::create_dir(workspace.path().join("tmp")).unwrap();
    let mut child = binary()
        .args(["build", &url, REMOTE])
        .current_dir(workspace.path())
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("TMPDIR", workspace.path().join("tmp"))
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let (connection, _) = silent.accept().unwrap();
    let kill = Command::new("kill").arg(child.id().to_string()).status();
    assert!(kill.unwrap().success());
    assert!(!child.wait().unwrap().success());
    // Git has gone when its end of the connection has.
    connection
        .set_read_timeout(Some(std::time::Duration::from_secs(20)))
        .unwrap();
    let mut request = Vec::new();
    std::io::Read::read_to_end(&mut &connection, &mut request).unwrap();
    let left: Vec<_> = fs::read_dir(workspace.path().join("tmp"))
        .unwrap()
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_submodule() {
    let Some(inner) = base() else { return };
    let Some(outer) = Repository::new(&[("README", "x\n")]) else {
        return;
    };
    outer.git(&["submodule", "--quiet", "add", &inner.url(), "inner"]);
    outer.commit();
    let address = format!("{}//inner/base?ref=main", outer.url());
    assert_eq!(succeeds(&outer.build(&address, &LOCAL)), RESULT);
}

#[test]
fn files_behind_http() {
    let server = Server::start([
        ("/one.yaml", Answer::file(OBJECT)),
        ("/moved.yaml", Answer::redirection("/one.yaml")),
        (
            "/patch.yaml",
            Answer::file("- {op: add, path: /data, value: {a: b}}\n"),
        ),
        ("/file.txt", Answer::file("text\n")),
    ]);
    let workspace = Workspace::new(&[]);
    for path in ["/one.yaml", "/moved.yaml"] {
        let kustomization = format!(
            "resources:\n- {}\nnamePrefix: a-\npatches:\n- path: {}\n  target: {{kind: ConfigMap}}\n",
            server.url(path),
            server.url("/patch.yaml")
        );
        workspace.write("kustomization.yaml", kustomization);
        let printed = workspace.prints(&["build", REMOTE]);
        assert_eq!(
            printed,
            "apiVersion: v1\ndata:\n  a: b\nkind: ConfigMap\nmetadata:\n  name: a-one\n"
        );
    }
    let kustomization = format!(
        "configMapGenerator:\n- name: one\n  options: {{disableNameSuffixHash: true}}\n  files: [\"{}\"]\n",
        server.url("/file.txt")
    );
    workspace.write("kustomization.yaml", kustomization);
    let printed = workspace.prints(&["build", REMOTE]);
    assert_eq!(
        printed,
        "apiVersion: v1\ndata:\n  file.txt: |\n    text\nkind: ConfigMap\nmetadata:\n  name: one\n"
    );
}

#[test]
fn files_behind_http_that_cannot_be_had() {
    let too_large = vec![b'#'; (64 << 20) + 1];
    let server = Server::start([
        ("/loop", Answer::redirection("/loop")),
        ("/page", Answer::file("<html>\n\t: not found: [</html>")),
        ("/large", Answer::file(too_large)),
    ]);
    let workspace = Workspace::new(&[]);
    for (path, words) in [
        ("/none", "the server answers with status 404"),
        ("/loop", "too many redirects"),
        ("/page", "a document is not a Kubernetes object"),
        ("/large", "the answer has more than 67108864 bytes"),
    ] {
        workspace.write(
            "kustomization.yaml",
            format!("resources:\n- {}\n", server.url(path)),
        );
        fails(&workspace.run(&["build", REMOTE]), &[words]);
        fails(
            &workspace.run(&["build"]),
            &["remote files are switched off"],
        );
    }
    let nobody = "http://127.0.0.1:1/one.yaml";
    workspace.write("kustomization.yaml", format!("resources:\n- {nobody}\n"));
    fails(
        &workspace.run(&["build", REMOTE]),
        &["kustomization.yaml:2:3: cannot read `http://127.0.0.1:1/one.yaml`: "],
    );
}

#[test]
fn an_address_that_is_neither_file_nor_repository() {
    if tools::git().is_none() {
        return;
    }
    let server = Server::start([]);
    let workspace = Workspace::new(&[]);
    let address = server.url("/organisation/name/directory?ref=v1");
    workspace.write("kustomization.yaml", format!("resources:\n- {address}\n"));
    let run = run(&workspace, &["build", REMOTE]);
    fails(
        &run,
        &[
            "cannot fetch",
            "`git` says: ",
            "note: read as a file: ",
            "status 404",
        ],
    );
}

#[test]
fn the_same_as_kustomize() {
    let (Some(repository), Some(kustomize)) = (base(), tools::kustomize()) else {
        return;
    };
    let url = repository.url();
    let server = Server::start([("/a/b/one.yaml", Answer::file(OBJECT.replace("one", "two")))]);
    let overlay = format!(
        "resources:\n- {url}//base?ref=main\n- {}\nnamePrefix: a-\nbuildMetadata: [originAnnotations, transformerAnnotations]\n\
         configMapGenerator:\n- name: three\n  literals: [a=b]\n",
        server.url("/a/b/one.yaml")
    );
    repository
        .workspace
        .write("overlay/kustomization.yaml", overlay);
    repository.workspace.write(
        "top/kustomization.yaml",
        format!("resources:\n- {url}\nbuildMetadata: [originAnnotations]\n"),
    );
    for target in [
        "overlay".to_owned(),
        "top".to_owned(),
        format!("{url}?ref=main"),
        format!("{url}//base"),
    ] {
        let ours = run(
            &repository.workspace,
            &[&["build", target.as_str()][..], &LOCAL].concat(),
        );
        let mut theirs = Command::new(&kustomize);
        let theirs = theirs
            .args(["build", &target])
            .current_dir(path(&repository));
        assert_eq!(succeeds(&ours), tools::printed(theirs), "{target}");
    }
}

fn path(repository: &Repository) -> &Path {
    repository.workspace.path()
}
