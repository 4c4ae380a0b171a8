//! The companion controller: watches what decisions are made from, decides, and patches Applications.
//!
//! The decisions are [`crate::steer`]'s. Here is what surrounds them: watches fill the state, one task owns it and decides,
//! and patches go out within limits while the lease is held.

mod bucket;
mod clock;
mod election;
mod events;
mod figures;
mod gate;
mod health;
mod keeper;
mod knowledge;
mod lease;
mod lines;
mod log;
mod mentions;
mod metrics;
mod notice;
mod overview;
mod owners;
mod pace;
mod pause;
mod queue;
mod readings;
mod request;
mod round;
mod streams;
mod turns;
mod union;
mod watch;
mod window;
mod writer;
mod writes;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Builder;
use tokio::sync::{mpsc, watch as told};
use tokio::task::JoinSet;
use tokio::time::timeout;

pub use self::clock::Clock;
use self::election::Election;
use self::events::Event;
use self::health::Health;
use self::keeper::{Keeper, Ways};
pub use self::log::LogFormat;
use self::metrics::Metrics;
use self::notice::Notice;
pub use self::queue::Limits;
use self::request::Api;
use self::streams::{Stream, Subject};
use self::watch::Watch;
use crate::cluster::{Access, connect};
use crate::failure::Failure;
use crate::serve::{Signals, listen, serve};
use crate::settings::digest::DigestKey;
use crate::settings::object::ObjectKind;
use crate::steer::policy::Policy;

/// How many threads do the work: the lease is renewed while a decision takes its time.
const THREADS: usize = 2;
/// How many notices of watches wait.
const NOTICES: usize = 1024;
/// How long those under way are waited for at the end.
const END: Duration = Duration::from_secs(12);

/// What the controller does.
pub struct Config {
    /// How the cluster is reached.
    pub access: Access,
    /// What the platform's side decides.
    pub policy: Policy,
    /// Whether it writes.
    pub mode: Mode,
    /// The key of digests; without one, settings are not watched over.
    pub digest_key: Option<DigestKey>,
    /// Where figures are served, and whether it is well.
    pub listen: SocketAddr,
    /// The form of the log.
    pub log: LogFormat,
    /// The name of the lease in the controller's namespace.
    pub lease: String,
    /// What this process is called, as no other one is.
    pub identity: String,
    /// Limits on patches.
    pub limits: Limits,
    /// What tells the time of day; the system's, unless a test needs another one.
    pub clock: Clock,
}

/// Whether the controller writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It says what it would do.
    Observe,
    /// It does it.
    Enforce,
}

/// Runs the controller until the process is told to end.
///
/// # Errors
/// Where it cannot begin.
pub fn run(config: Config) -> Result<(), Failure> {
    let cannot = |error: io::Error| Failure::internal(format!("cannot start a runtime: {error}"));
    let runtime = Builder::new_multi_thread()
        .worker_threads(THREADS)
        .enable_all()
        .build()
        .map_err(cannot)?;
    log::start(config.log);
    let result = runtime.block_on(async {
        let signals = Signals::listen().map_err(cannot)?;
        let (end, ended) = told::channel(false);
        let work = tokio::spawn(work(config, ended));
        tokio::pin!(work);
        tokio::select! {
            result = &mut work => return result.unwrap_or_else(|_| Err(fault())),
            signal = signals.wait() => signal.map_err(cannot)?,
        }
        tracing::info!("ends");
        end.send_replace(true);
        timeout(END, work)
            .await
            .map_or(Ok(()), |result| result.unwrap_or_else(|_| Err(fault())))
    });
    // What is still being read is of no use any more.
    runtime.shutdown_background();
    result
}

fn fault() -> Failure {
    Failure::internal("the program has a fault")
}

async fn work(config: Config, end: told::Receiver<bool>) -> Result<(), Failure> {
    let Config {
        access,
        policy,
        mode,
        digest_key,
        listen: address,
        log: _,
        lease,
        identity,
        limits,
        clock,
    } = config;
    let (client, server) = connect(&access).await?;
    let listener = listen(address).await?;
    let metrics = Arc::<Metrics>::default();
    let health = Arc::new(Health::new(Arc::clone(&metrics)));
    let answers = Arc::clone(&health);
    let answer = move |path: &str| answers.answer(path, Instant::now());
    tokio::spawn(serve(listener, Arc::new(answer)));
    let api = Api::new(client, Arc::clone(&metrics));
    tracing::info!(version = env!("CARGO_PKG_VERSION"), ?mode, %identity, %server, "begins");
    let streams = streams::streams(&policy);
    let (to, notices) = mpsc::channel(NOTICES);
    let mut tasks = JoinSet::new();
    for (number, stream) in streams.iter().enumerate() {
        start(&mut tasks, (number, stream.clone()), &api, &to);
    }
    drop(to);
    let (until, lease_until) = told::channel(None);
    let (end_of_lease, lease_ended) = told::channel(false);
    let (events, told_events) = mpsc::channel::<Event>(events::WAITING);
    let mut leading = JoinSet::new();
    if mode == Mode::Enforce {
        let own = &policy.own_namespace;
        let held = Election::new(api.clone(), own, &lease, identity.clone());
        leading.spawn(held.run(until, lease_ended));
        tasks.spawn(events::run(api.clone(), told_events, identity));
    }
    let ways = Ways {
        api,
        notices,
        lease: lease_until,
        events,
        health,
        clock,
    };
    let keeper = Keeper::new(policy, digest_key, streams, limits, mode);
    tokio::select! {
        () = keeper.run(ways, end) => {}
        // None ends before the keeper does, unless it has a fault: then nothing would be seen, or written, any more.
        _ = tasks.join_next() => return Err(fault()),
        Some(_) = leading.join_next() => return Err(fault()),
    }
    // Only now: those under way needed it.
    end_of_lease.send_replace(true);
    while leading.join_next().await.is_some() {}
    Ok(())
}

/// Starts a watch.
fn start(
    tasks: &mut JoinSet<()>,
    (number, stream): (usize, Stream),
    api: &Api,
    to: &mpsc::Sender<(usize, Notice)>,
) {
    let (api, to) = (api.clone(), to.clone());
    macro_rules! watch {
        ($read:expr) => {
            tasks.spawn(
                Watch {
                    number,
                    stream,
                    api,
                    read: $read,
                    to,
                }
                .run(),
            )
        };
    }
    match stream.subject {
        Subject::Applications => watch!(notice::application),
        Subject::Objects(ObjectKind::ConfigMap) => watch!(notice::config_map),
        Subject::Objects(ObjectKind::Secret) => watch!(notice::secret),
        Subject::Projects => watch!(notice::project),
        Subject::Controls => watch!(notice::controls),
    };
}
