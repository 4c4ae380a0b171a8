//! The cluster: one etcd and one kube-apiserver for all tests, on free ports of the loopback interface.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::access::Access;
use crate::audit::Audit;
use crate::kubeconfig::{self, User};
use crate::tools;
use crate::watchdog::Watchdog;

/// What the two may take to start; it is 3 s on an idle machine.
const DEADLINE: Duration = Duration::from_secs(90);

/// How often another pair of ports is tried, should somebody take one before the programs do.
const ATTEMPTS: usize = 3;

static CLUSTER: OnceLock<Result<Cluster, String>> = OnceLock::new();

/// The cluster that all tests share, each in namespaces of its own; `None`, visibly, where the programs are missing.
///
/// A static is never dropped: the watchdog sees the end of the process.
#[track_caller]
pub(crate) fn cluster() -> Option<&'static Cluster> {
    let programs = Programs::find()?;
    match CLUSTER.get_or_init(|| Cluster::start(&programs)) {
        Ok(cluster) => Some(cluster),
        Err(error) => panic!("no cluster: {error}"),
    }
}

/// A cluster that a test has for itself, since it makes objects whose names are fixed; `None`, visibly, where the programs are
/// missing.
#[track_caller]
pub(crate) fn another_cluster() -> Option<Cluster> {
    let programs = Programs::find()?;
    match Cluster::start(&programs) {
        Ok(cluster) => Some(cluster),
        Err(error) => panic!("no cluster: {error}"),
    }
}

/// The cluster whose programs tests stop, one test at a time; `None`, visibly, where the programs are missing.
#[track_caller]
pub(crate) fn unsteady_cluster() -> Option<(&'static Cluster, MutexGuard<'static, ()>)> {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    static TURN: Mutex<()> = Mutex::new(());
    let programs = Programs::find()?;
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let start = || match Cluster::start(&programs) {
        Ok(cluster) => cluster,
        Err(error) => panic!("no cluster: {error}"),
    };
    Some((CLUSTER.get_or_init(start), turn))
}

/// What a cluster is made of.
#[derive(Clone)]
struct Programs {
    etcd: PathBuf,
    kube_apiserver: PathBuf,
}

impl Programs {
    #[track_caller]
    fn find() -> Option<Self> {
        let etcd = tools::find("etcd", "ETCD");
        let kube_apiserver = tools::find("kube-apiserver", "KUBE_APISERVER");
        Some(Self {
            etcd: etcd?,
            kube_apiserver: kube_apiserver?,
        })
    }
}

/// A running cluster. Its programs end and its directory goes with it.
pub(crate) struct Cluster {
    directory: PathBuf,
    port: u16,
    /// The port of etcd.
    etcd: u16,
    programs: Programs,
    server: Mutex<u32>,
    watchdog: Mutex<Watchdog>,
}

impl Cluster {
    /// Starts one and waits until it is ready.
    ///
    /// # Errors
    /// Where it does not get ready; what its programs said last.
    fn start(programs: &Programs) -> Result<Self, String> {
        let mut started = Self::attempt(programs);
        for _ in 1..ATTEMPTS {
            if started.is_ok() {
                break;
            }
            started = Self::attempt(programs);
        }
        started
    }

    fn attempt(programs: &Programs) -> Result<Self, String> {
        let directory = tempfile::Builder::new()
            .prefix("argocd-infisical-cluster-")
            .tempdir()
            .unwrap()
            .keep();
        let [etcd, peers, port] = free_ports();
        let cluster = Self {
            watchdog: Mutex::new(Watchdog::new(&directory)),
            directory,
            port,
            etcd,
            programs: programs.clone(),
            server: Mutex::default(),
        };
        cluster.write_files();
        let mut etcd_command = etcd_command(programs, &cluster.directory, etcd, peers);
        cluster.launch("etcd", &mut etcd_command);
        cluster.launch_server();
        cluster.wait().map(|()| cluster)
    }

    fn write_files(&self) {
        let write = |name: &str, text: &str| fs::write(self.path(name), text).unwrap();
        write("tokens.csv", &kubeconfig::tokens());
        write("service-account.key", &service_account_key());
        write("audit-policy.yaml", Audit::POLICY);
    }

    fn launch_server(&self) {
        let Self {
            directory,
            port,
            etcd,
            programs,
            ..
        } = self;
        let mut command = kube_apiserver_command(programs, directory, *etcd, *port);
        *lock(&self.server) = self.launch("kube-apiserver", &mut command);
    }

    /// Kills the API server.
    pub(crate) fn kill_server(&self) {
        lock(&self.watchdog).kill(*lock(&self.server));
    }

    /// Asks the API server to end, and waits until it has.
    pub(crate) fn stop_server(&self) {
        lock(&self.watchdog).terminate(*lock(&self.server));
    }

    /// Starts the API server that has ended.
    pub(crate) fn start_server(&self) {
        self.launch_server();
        self.wait().unwrap();
    }

    /// Makes etcd forget all earlier versions of everything.
    pub(crate) fn compact(&self) {
        let client = ureq::Agent::new_with_defaults();
        let ask = |path: &str, body: Value| -> Value {
            let url = format!("http://127.0.0.1:{}/v3/{path}", self.etcd);
            let answer = client.post(url).send(body.to_string());
            let text = answer.unwrap().into_body().read_to_string().unwrap();
            serde_json::from_str(&text).unwrap()
        };
        let status = ask("maintenance/status", json!({}));
        let revision = &status["header"]["revision"];
        ask(
            "kv/compaction",
            json!({"revision": revision, "physical": true}),
        );
    }

    /// Starts a program whose words go to a file of its name.
    fn launch(&self, name: &str, command: &mut Command) -> u32 {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.log(name))
            .unwrap();
        command
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        lock(&self.watchdog).start(command)
    }

    /// Waits until the server says that it is ready, or says what the programs said.
    fn wait(&self) -> Result<(), String> {
        let start = Instant::now();
        while start.elapsed() < DEADLINE {
            if lock(&self.watchdog).has_lost_one() {
                return Err(format!("a program has ended\n{}", self.last_words()));
            }
            if self.certificate().is_file() && self.admin().is_ready() {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(100));
        }
        Err(format!("it is not ready\n{}", self.last_words()))
    }

    fn last_words(&self) -> String {
        let of = |name: &str| {
            let text = fs::read_to_string(self.log(name)).unwrap_or_default();
            let lines: Vec<&str> = text.lines().collect();
            let last = &lines[lines.len().saturating_sub(15)..];
            format!("{name} said:\n{}\n", last.join("\n"))
        };
        of("etcd") + &of("kube-apiserver")
    }

    fn log(&self, name: &str) -> PathBuf {
        self.path(&format!("{name}.log"))
    }

    /// A file in the directory that goes with the cluster.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// The port of the server on 127.0.0.1.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The server's certificate, with the authority that signed it.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.path("certificates/apiserver.crt")
    }

    /// Access as the user who may do everything.
    pub(crate) fn admin(&self) -> Access {
        self.access(User::ADMIN)
    }

    /// Access as a user.
    pub(crate) fn access(&self, user: User) -> Access {
        Access::new(&self.kubeconfig(user))
    }

    /// The kubeconfig file of a user.
    pub(crate) fn kubeconfig(&self, user: User) -> PathBuf {
        self.kubeconfig_at(user, self.port)
    }

    /// The kubeconfig file of a user for another port, behind which this server or none stands.
    pub(crate) fn kubeconfig_at(&self, user: User, port: u16) -> PathBuf {
        let path = self.path(&format!("{}-{port}.kubeconfig", user.name));
        // Tests run side by side; a file that is there is whole.
        if !path.is_file() {
            let text = kubeconfig::write(user, port, &self.certificate());
            let unfinished = tempfile::NamedTempFile::new_in(&self.directory).unwrap();
            fs::write(&unfinished, text).unwrap();
            unfinished.persist(&path).unwrap();
        }
        path
    }

    /// What the server was asked for.
    pub(crate) fn audit(&self) -> Audit<'_> {
        Audit::new(self)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn etcd_command(programs: &Programs, directory: &Path, port: u16, peers: u16) -> Command {
    let client = format!("http://127.0.0.1:{port}");
    let mut command = Command::new(&programs.etcd);
    command
        .arg("--data-dir")
        .arg(directory.join("etcd"))
        .args(["--listen-client-urls", &client])
        .args(["--advertise-client-urls", &client])
        .args(["--listen-peer-urls", &format!("http://127.0.0.1:{peers}")])
        .args(["--unsafe-no-fsync", "--log-level", "warn"]);
    command
}

fn kube_apiserver_command(programs: &Programs, directory: &Path, etcd: u16, port: u16) -> Command {
    let file = |flag: &str, name: &str| format!("--{flag}={}", directory.join(name).display());
    let mut command = Command::new(&programs.kube_apiserver);
    command
        .arg(format!("--etcd-servers=http://127.0.0.1:{etcd}"))
        .arg(format!("--secure-port={port}"))
        .args(["--bind-address=127.0.0.1", "--advertise-address=127.0.0.1"])
        // There is nobody to tell where the server is, and its own reconciler refuses a loopback address.
        .arg("--endpoint-reconciler-type=none")
        .arg(file("cert-dir", "certificates"))
        .arg("--service-account-issuer=https://kubernetes.default.svc")
        .arg(file(
            "service-account-signing-key-file",
            "service-account.key",
        ))
        .arg(file("service-account-key-file", "service-account.key"))
        .arg(file("token-auth-file", "tokens.csv"))
        .arg("--authorization-mode=RBAC")
        .arg("--service-cluster-ip-range=10.96.0.0/16")
        .arg("--disable-admission-plugins=ServiceAccount")
        .arg(file("audit-policy-file", "audit-policy.yaml"))
        .arg(file("audit-log-path", Audit::FILE))
        .arg("--audit-log-mode=blocking");
    command
}

/// Ports that nobody listens on just now.
pub(crate) fn free_ports<const N: usize>() -> [u16; N] {
    // All are taken before one is let go, so that they differ.
    let taken = [(); N].map(|()| TcpListener::bind(("127.0.0.1", 0)).unwrap());
    taken.map(|listener| listener.local_addr().unwrap().port())
}

/// A new private key for the curve P-256 in the form of SEC 1 (RFC 5915), which needs nothing but 32 random bytes.
fn service_account_key() -> String {
    let mut random = [0; 32];
    let mut source = File::open("/dev/urandom").unwrap();
    std::io::Read::read_exact(&mut source, &mut random).unwrap();
    // Below the order of the curve, and not zero.
    random[0] = 0x01;
    // SEQUENCE { INTEGER 1, OCTET STRING of 32 bytes, [0] { OBJECT IDENTIFIER 1.2.840.10045.3.1.7 } }
    let mut der = vec![0x30, 0x31, 0x02, 0x01, 0x01, 0x04, 0x20];
    der.extend(random);
    der.extend([
        0xa0, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07,
    ]);
    format!(
        "-----BEGIN EC PRIVATE KEY-----\n{}\n-----END EC PRIVATE KEY-----\n",
        STANDARD.encode(der)
    )
}
