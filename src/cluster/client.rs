//! A client of one API server.

use std::time::Duration;

use hyper_util::client::legacy::{self, connect::HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use kube::client::ConfigExt as _;
use kube::{Client, Config, Error};
use tokio::runtime::{Builder, Runtime};
use tower::{BoxError, ServiceBuilder};

use super::Access;
use crate::failure::Failure;

/// How long a connection may be silent before its other end is asked for a sign, how long to wait for it, and how often.
const KEEPALIVE: Duration = Duration::from_secs(15);
const KEEPALIVE_PAUSE: Duration = Duration::from_secs(5);
const KEEPALIVE_RETRIES: u32 = 3;

/// A client of one API server.
pub struct Cluster {
    pub(super) runtime: Runtime,
    pub(super) client: Client,
    pub(super) server: String,
}

impl Cluster {
    /// Prepares a client; nothing is asked yet.
    ///
    /// # Errors
    /// Where there is no such cluster.
    pub fn new(access: &Access) -> Result<Self, Failure> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Failure::internal(format!("cannot start a runtime: {error}")))?;
        let (client, server) = runtime.block_on(connect(access))?;
        Ok(Self {
            runtime,
            client,
            server,
        })
    }
}

/// Prepares a client on the runtime of whoever calls, and tells what its API server is called; nothing is asked yet.
///
/// # Errors
/// Where there is no such cluster.
pub(crate) async fn connect(access: &Access) -> Result<(Client, String), Failure> {
    let config = access.config().await?;
    let server = server(&config);
    let client = client(config).map_err(|error| unusable(&error, &server))?;
    Ok((client, server))
}

/// A client as the library makes one, but for one thing: what is written is sent at once. With Nagle's algorithm, the usual
/// thing, the first request of a connection waits 40 ms until the end of the TLS handshake is confirmed.
fn client(config: Config) -> Result<Client, Error> {
    if config.proxy_url.is_some() {
        // It has none of the protocols, and says which.
        return Client::try_from(config);
    }
    let mut connector = HttpConnector::new();
    connector.enforce_http(false);
    connector.set_nodelay(true);
    connector.set_connect_timeout(config.connect_timeout);
    // A connection whose other end is gone is noticed although nothing is written to it, as with a watch.
    connector.set_keepalive(Some(KEEPALIVE));
    connector.set_keepalive_interval(Some(KEEPALIVE_PAUSE));
    connector.set_keepalive_retries(Some(KEEPALIVE_RETRIES));
    let connector = config.rustls_https_connector_with_connector(connector)?;
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .option_layer(config.auth_layer()?)
        .layer(config.extra_headers_layer()?)
        .map_err(BoxError::from)
        .service(
            legacy::Client::builder(TokioExecutor::new())
                // Without it, connections that nothing is sent through stay until something is.
                .pool_timer(TokioTimer::new())
                .build(connector),
        );
    Ok(Client::new(service, config.default_namespace))
}

/// The address of an API server, without what might be secret in it.
fn server(config: &Config) -> String {
    let address = &config.cluster_url;
    let host = address.host().unwrap_or_default();
    match address.port_u16() {
        Some(port) => format!("`{host}:{port}`"),
        None => format!("`{host}`"),
    }
}

fn unusable(error: &Error, server: &str) -> Failure {
    let cause = match error {
        Error::ProxyProtocolUnsupported { .. } | Error::ProxyProtocolDisabled { .. } => {
            "its kubeconfig asks for a proxy, which is not supported"
        }
        Error::Auth(_) => "the kubeconfig's credentials cannot be had",
        _ => "its certificates or credentials cannot be used",
    };
    Failure::input(format!("cannot reach the API server {server}: {cause}"))
        .hint("look at the cluster and the user in the kubeconfig, or at what is mounted below /var/run/secrets/kubernetes.io/serviceaccount")
}
