//! The programs: Redis, a repo-server, and a cmp-server for each set of flags.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use super::{definitions, processes};
use crate::cluster::{Cluster, cluster, free_ports};
use crate::kubeconfig::User;
use crate::namespace::Namespace;
use crate::tools;
use crate::watchdog::Watchdog;

/// What each of them may take to start; it is a second on an idle machine.
const DEADLINE: Duration = Duration::from_mins(1);

/// Argo CD's namespace.
pub(crate) const NAMESPACE: &str = "argocd";

/// The bytes of the digest's key.
pub(crate) const DIGEST_KEY: [u8; 32] = [7; 32];

static ARGO: OnceLock<Argo> = OnceLock::new();

/// The programs that all tests share; `None`, visibly, where one is missing.
///
/// A static is never dropped: the watchdog sees the end of the process.
#[track_caller]
pub(crate) fn argo() -> Option<&'static Argo> {
    let programs = Programs::find();
    let cluster = cluster();
    let (programs, cluster) = (programs?, cluster?);
    Some(ARGO.get_or_init(|| {
        prepare(cluster);
        Argo::start(programs, cluster)
    }))
}

/// Argo CD's types, its namespace, and the sidecar's right to look at Applications.
fn prepare(cluster: &Cluster) {
    definitions::define(cluster);
    let namespace = Namespace::new(cluster, NAMESPACE);
    namespace.allow_applications(User::SIDECAR);
}

struct Programs {
    argocd: PathBuf,
    client: PathBuf,
    redis: PathBuf,
    kustomize: PathBuf,
    git: PathBuf,
}

impl Programs {
    #[track_caller]
    fn find() -> Option<Self> {
        let argocd = tools::find("argocd", "ARGOCD");
        let client = tools::find("argocd-repo-client", "ARGOCD_REPO_CLIENT");
        let redis = tools::find("redis-server", "REDIS_SERVER");
        let (kustomize, git) = (tools::kustomize(), tools::git());
        Some(Self {
            argocd: argocd?,
            client: client?,
            redis: redis?,
            kustomize: kustomize?,
            git: git?,
        })
    }
}

/// Running programs. They end, and their directory goes, with this process.
pub(crate) struct Argo {
    directory: PathBuf,
    programs: Programs,
    pub(crate) cluster: &'static Cluster,
    watchdog: Mutex<Watchdog>,
    redis: u16,
    usual: OnceLock<Plugin>,
    repo_server: OnceLock<RepoServer>,
}

impl Argo {
    /// The programs once more, beside another cluster; `None`, visibly, where one is missing.
    #[track_caller]
    pub(crate) fn beside(cluster: &'static Cluster) -> Option<Self> {
        Some(Self::start(Programs::find()?, cluster))
    }

    fn start(programs: Programs, cluster: &'static Cluster) -> Self {
        let directory = tempfile::Builder::new()
            .prefix("argocd-infisical-argocd-")
            .tempdir()
            .unwrap()
            .keep();
        let [redis] = free_ports();
        let argo = Self {
            watchdog: Mutex::new(Watchdog::new(&directory)),
            directory,
            programs,
            cluster,
            redis,
            usual: OnceLock::new(),
            repo_server: OnceLock::new(),
        };
        for name in ["plugins", "path", "traps", "home", "tls", "ssh"] {
            fs::create_dir(argo.path(name)).unwrap();
        }
        fs::write(argo.path("digest.key"), DIGEST_KEY).unwrap();
        argo.set_traps();
        let mut command = Command::new(&argo.programs.redis);
        command
            .args(["--port", &redis.to_string(), "--bind", "127.0.0.1"])
            .args(["--save", "", "--appendonly", "no"])
            .current_dir(&argo.directory);
        argo.launch("redis", &mut command);
        argo.wait_for("redis", || asked(redis, "PING\r\n").contains("PONG"));
        argo
    }

    /// Fills a directory with programs that nothing of ours may start, and that tell on who does.
    fn set_traps(&self) {
        let trap = format!(
            "#!/bin/sh\necho \"$0 $*\" >>'{}'\nexit 1\n",
            self.path("sprung").display()
        );
        let names = [
            "git",
            "helm",
            "kustomize",
            "kubectl",
            "sh",
            "bash",
            "env",
            "ssh",
            "curl",
            "argocd",
            "gpg",
            "id",
            "aws",
        ];
        for name in names {
            let path = self.path("traps").join(name);
            fs::write(&path, &trap).unwrap();
            executable(&path);
        }
    }

    /// What has started one of the traps.
    pub(crate) fn sprung_traps(&self) -> String {
        fs::read_to_string(self.path("sprung")).unwrap_or_default()
    }

    /// Whether it is another version than the one that the goldens were recorded for.
    pub(crate) fn is_another_version(&self) -> bool {
        let usual = tools::version("argocd").map(|version| format!("argocd-{version}/argocd"));
        usual.is_none_or(|usual| !self.programs.argocd.ends_with(usual))
    }

    /// A file in the directory that goes with the programs.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// The program that calls a repo-server.
    pub(crate) fn client(&self) -> Command {
        let mut command = Command::new(&self.programs.client);
        command.env_clear().env("HOME", self.path("home"));
        command
    }

    /// Argo CD's program as one of its parts, under the name that it has in the image, which stands in what it writes; with
    /// nothing of this process's environment.
    pub(crate) fn part(&self, name: &str) -> Command {
        let program = self.path(name);
        if !program.exists() {
            std::os::unix::fs::symlink(&self.programs.argocd, &program).unwrap();
        }
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("HOME", self.path("home"))
            .env("PATH", "/usr/bin:/bin")
            .current_dir(&self.directory);
        command
    }

    /// Where Redis is.
    pub(crate) fn redis(&self) -> String {
        format!("127.0.0.1:{}", self.redis)
    }

    /// Takes everything out of Redis.
    pub(crate) fn flush_redis(&self) {
        assert!(asked(self.redis, "FLUSHALL\r\n").contains("OK"));
    }

    /// Git, with nobody's configuration.
    pub(crate) fn git(&self) -> Command {
        let mut command = Command::new(&self.programs.git);
        command
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_SYSTEM", "/dev/null")
            .args(["-c", "user.name=test", "-c", "user.email=test@example.org"]);
        command
    }

    /// The plugin with its usual flags: the sidecar's identity, Argo CD's namespace and the key of the digest.
    pub(crate) fn usual(&self) -> &Plugin {
        self.usual.get_or_init(|| self.plugin("usual", &[]))
    }

    /// The repo-server that all tests share.
    pub(crate) fn repo_server(&self) -> &RepoServer {
        self.repo_server
            .get_or_init(|| self.start_repo_server("repo-server"))
    }

    /// Starts a cmp-server whose plugin has these flags besides the usual ones, which they may override.
    pub(crate) fn plugin(&self, name: &str, flags: &[&str]) -> Plugin {
        let mut command: Vec<String> =
            [env!("CARGO_BIN_EXE_argocd-infisical"), "plugin", "generate"]
                .map(ToOwned::to_owned)
                .into();
        let kubeconfig = self.cluster.kubeconfig(User::SIDECAR);
        let usual = [
            ("--permits-directory", self.path(&format!("permits-{name}"))),
            ("--argocd-namespace", NAMESPACE.into()),
            ("--digest-key", self.path("digest.key")),
            ("--kubeconfig", kubeconfig),
        ];
        for (flag, value) in usual {
            if !flags.contains(&flag) {
                command.extend([flag.to_owned(), value.to_str().unwrap().to_owned()]);
            }
        }
        command.extend(flags.iter().map(|flag| (*flag).to_owned()));
        let definition = json!({
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "ConfigManagementPlugin",
            "metadata": {"name": name},
            "spec": {"generate": {"command": command}},
        });
        self.defined(name, &definition.to_string(), command)
    }

    /// Starts a cmp-server with a `plugin.yaml`.
    pub(crate) fn defined(&self, name: &str, definition: &str, command: Vec<String>) -> Plugin {
        let directory = self.path(&format!("cmp-{name}"));
        fs::create_dir(&directory).unwrap();
        fs::write(directory.join("plugin.yaml"), definition).unwrap();
        let mut plugin = Plugin {
            name: name.to_owned(),
            command,
            id: 0,
        };
        self.start_cmp_server(&mut plugin);
        plugin
    }

    /// Starts the cmp-server of a plugin, again if need be.
    pub(crate) fn start_cmp_server(&self, plugin: &mut Plugin) {
        let name = &plugin.name;
        let directory = self.path(&format!("cmp-{name}"));
        let own = Path::new(env!("CARGO_BIN_EXE_argocd-infisical"))
            .parent()
            .unwrap();
        let traps = self.path("traps");
        let mut command = Command::new(&self.programs.argocd);
        command
            .env_clear()
            .env("ARGOCD_BINARY_NAME", "argocd-cmp-server")
            .env("ARGOCD_PLUGINSOCKFILEPATH", self.path("plugins"))
            .env("ARGOCD_CMP_WORKDIR", &directory)
            .env("HOME", self.path("home"))
            .env("TMPDIR", &directory)
            .env(
                "PATH",
                std::env::join_paths([traps.as_path(), own]).unwrap(),
            )
            .arg("--config-dir-path")
            .arg(&directory)
            .args(["--logformat", "text", "--loglevel", "info"])
            .current_dir(&directory);
        let log = format!("cmp-server-{name}");
        let socket = self.path(&format!("plugins/{name}.sock"));
        drop(fs::remove_file(&socket));
        plugin.id = self.launch(&log, &mut command);
        self.wait_for(&log, || {
            let kind = fs::symlink_metadata(&socket).map(|metadata| metadata.file_type());
            kind.is_ok_and(|kind| kind.is_socket())
        });
    }

    /// Starts a repo-server, which knows all plugins.
    pub(crate) fn start_repo_server(&self, name: &str) -> RepoServer {
        let [port, metrics] = free_ports();
        let mut server = RepoServer {
            name: name.to_owned(),
            port,
            metrics,
            id: 0,
        };
        self.restart(&mut server);
        server
    }

    /// Starts a repo-server that does not run, or not any more.
    pub(crate) fn restart(&self, server: &mut RepoServer) {
        let RepoServer {
            name,
            port,
            metrics,
            id,
        } = server;
        let directory = self.path(name);
        fs::create_dir_all(&directory).unwrap();
        let beside = self.programs.argocd.parent().unwrap();
        let kustomize = self.programs.kustomize.parent().unwrap();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = [beside, kustomize]
            .into_iter()
            .map(Path::to_owned)
            .chain(std::env::split_paths(&path));
        let mut command = Command::new(&self.programs.argocd);
        command
            .env_clear()
            .env("ARGOCD_BINARY_NAME", "argocd-repo-server")
            .env("ARGOCD_PLUGINSOCKFILEPATH", self.path("plugins"))
            .env("ARGOCD_GPG_ENABLED", "false")
            .env("ARGOCD_REPO_SERVER_PLUGIN_TAR_EXCLUSIONS", ".git")
            .env("ARGOCD_ASK_PASS_SOCK", directory.join("askpass.sock"))
            .env("ARGOCD_TLS_DATA_PATH", self.path("tls"))
            .env("ARGOCD_SSH_DATA_PATH", self.path("ssh"))
            .env("HOME", self.path("home"))
            .env("TMPDIR", &directory)
            .env("PATH", std::env::join_paths(path).unwrap())
            .args(["--redis", &format!("127.0.0.1:{}", self.redis)])
            .args(["--address", "127.0.0.1", "--port", &port.to_string()])
            .args(["--metrics-address", "127.0.0.1"])
            .args(["--metrics-port", &metrics.to_string()])
            .args(["--disable-tls", "--client-ca-path", ""])
            .args(["--logformat", "text", "--loglevel", "info"])
            .current_dir(&directory);
        *id = self.launch(name, &mut command);
        self.wait_for(name, || {
            let request = "GET /healthz?full=true HTTP/1.0\r\n\r\n";
            asked(*metrics, request).starts_with("HTTP/1.0 200")
        });
    }

    /// Kills a program.
    pub(crate) fn kill(&self, id: u32) {
        self.watchdog().kill(id);
    }

    fn watchdog(&self) -> std::sync::MutexGuard<'_, Watchdog> {
        self.watchdog.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a program whose words go to a file of its name.
    pub(crate) fn launch(&self, name: &str, command: &mut Command) -> u32 {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.log(name))
            .unwrap();
        command
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        self.watchdog().start(command)
    }

    /// Waits until a program is ready, or says what it said.
    pub(crate) fn wait_for(&self, name: &str, is_ready: impl Fn() -> bool) {
        let start = Instant::now();
        while !is_ready() {
            if start.elapsed() > DEADLINE {
                let text = self.words(name);
                let lines: Vec<&str> = text.lines().collect();
                let last = lines[lines.len().saturating_sub(15)..].join("\n");
                panic!("{name} is not ready; it said:\n{last}");
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn log(&self, name: &str) -> PathBuf {
        self.path(&format!("{name}.log"))
    }

    /// What a program has said.
    pub(crate) fn words(&self, name: &str) -> String {
        fs::read_to_string(self.log(name)).unwrap_or_default()
    }
}

/// A repo-server.
pub(crate) struct RepoServer {
    name: String,
    pub(crate) port: u16,
    metrics: u16,
    pub(crate) id: u32,
}

/// A cmp-server and the plugin that it calls.
pub(crate) struct Plugin {
    pub(crate) name: String,
    /// What it starts for each render.
    command: Vec<String>,
    pub(crate) id: u32,
}

impl Plugin {
    /// What a user reads where a render has failed, around what the plugin says, whose messages end in line ends.
    pub(crate) fn failure(&self, application: &str, told: &str) -> String {
        format!(
            "rpc error: code = Unknown desc = CMP processing failed for application \
             \"{application}\": error generating manifests in cmp: rpc error: code = Unknown desc = error generating \
             manifests: `{}` failed exit status 1: {}",
            self.command.join(" "),
            told.trim_end()
        )
    }

    /// The processes of the plugin that render just now.
    pub(crate) fn renders(&self) -> Vec<u32> {
        processes::with_arguments(&self.command)
    }

    /// Waits until so many renders run.
    #[track_caller]
    pub(crate) fn wait_for_renders(&self, count: usize) -> Vec<u32> {
        let start = Instant::now();
        loop {
            let renders = self.renders();
            if renders.len() == count {
                return renders;
            }
            let many = renders.len();
            assert!(
                start.elapsed() < Duration::from_secs(20),
                "{many} renders, not {count}"
            );
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// What somebody on a port answers, or nothing.
pub(crate) fn asked(port: u16, question: &str) -> String {
    let ask = || {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        stream.write_all(question.as_bytes())?;
        let mut answer = [0; 64];
        let length = stream.read(&mut answer)?;
        Ok::<_, std::io::Error>(String::from_utf8_lossy(&answer[..length]).into_owned())
    };
    ask().unwrap_or_default()
}

fn executable(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}
