//! Objects out of a cluster: one request for each, repeated where the API server may answer differently next time.

use std::io;
use std::time::Duration;

use hyper_util::client::legacy::{self, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::client::ConfigExt as _;
use kube::{Api, Client, Config, Error};
use tokio::runtime::{Builder, Runtime};
use tokio::time::{Instant, sleep, timeout_at};
use tower::{BoxError, ServiceBuilder};

use super::Access;
use crate::failure::{Failure, Problem};
use crate::settings::object::{Object, ObjectKind, ObjectName, Reference};
use crate::settings::reading::Reading;

/// How long to wait for one answer.
const ANSWER: Duration = Duration::from_secs(5);
/// How long to wait before the first repetition; each one after it waits twice as long.
const PAUSE: Duration = Duration::from_millis(100);
/// How long to wait at most: longer pauses would leave the end of the time unused.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// A client of one API server.
pub struct Cluster {
    runtime: Runtime,
    client: Client,
    server: String,
}

/// Why there is no answer.
enum Silence {
    /// Another try may help.
    Passing(String),
    /// The API server does not know who asks.
    Unauthorized,
    /// Who asks may not.
    Forbidden,
    /// No other try helps.
    Final(String),
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
        let (client, server) = runtime.block_on(async {
            let config = access.config().await?;
            let server = server(&config);
            let client = client(config).map_err(|error| unusable(&error, &server))?;
            Ok::<_, Failure>((client, server))
        })?;
        Ok(Self {
            runtime,
            client,
            server,
        })
    }

    /// Reads objects, at the same time, within a limit for all of them together.
    ///
    /// # Errors
    /// Where the API server does not say of each of them what it holds, or that it is not there: all of these.
    pub fn read(&self, references: &[Reference], limit: Duration) -> Result<Reading, Failure> {
        let (objects, silences) = self.runtime.block_on(async {
            let deadline = Instant::now() + limit;
            let requests: Vec<_> = references
                .iter()
                .map(|reference| {
                    let (client, name) = (self.client.clone(), reference.object.clone());
                    tokio::spawn(async move { ask(&client, &name, deadline).await })
                })
                .collect();
            let (mut objects, mut silences) = (Vec::new(), Vec::new());
            for (reference, request) in references.iter().zip(requests) {
                let reference = reference.clone();
                match request.await {
                    Ok(Ok(object)) => objects.push((reference, object)),
                    Ok(Err(silence)) => silences.push((reference, silence)),
                    Err(_) => {
                        let silence = Silence::Final("the request ended by itself".into());
                        silences.push((reference, silence));
                    }
                }
            }
            (objects, silences)
        });
        if silences.is_empty() {
            return Ok(Reading::new(objects));
        }
        let mut problems: Vec<Problem> = Vec::new();
        for (reference, silence) in silences {
            let problem = silence.problem(&reference.object, &self.server);
            // That there is no way to the API server is said once.
            if problems
                .iter()
                .all(|other| other.message != problem.message)
            {
                problems.push(problem);
            }
        }
        Err(Failure::several(problems))
    }
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
    let connector = config.rustls_https_connector_with_connector(connector)?;
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .option_layer(config.auth_layer()?)
        .layer(config.extra_headers_layer()?)
        .map_err(BoxError::from)
        .service(legacy::Client::builder(TokioExecutor::new()).build(connector));
    Ok(Client::new(service, config.default_namespace))
}

/// Asks for one object until there is an answer, or there will not be one in time.
async fn ask(
    client: &Client,
    name: &ObjectName,
    deadline: Instant,
) -> Result<Option<Object>, Silence> {
    let mut pause = PAUSE;
    loop {
        let last = deadline.min(Instant::now() + ANSWER);
        let silence = match timeout_at(last, get(client, name)).await {
            Ok(Ok(object)) => return Ok(object),
            Ok(Err(error)) => Silence::of(&error),
            Err(_) => Silence::Passing("it does not answer in time".into()),
        };
        let is_worth_it = matches!(silence, Silence::Passing(_));
        if !is_worth_it || Instant::now() + pause >= deadline {
            return Err(silence);
        }
        sleep(pause).await;
        pause = LONGEST_PAUSE.min(pause * 2);
    }
}

async fn get(client: &Client, name: &ObjectName) -> Result<Option<Object>, Error> {
    let ObjectName {
        kind,
        namespace,
        name,
    } = name;
    match kind {
        ObjectKind::ConfigMap => {
            let api: Api<ConfigMap> = Api::namespaced(client.clone(), namespace);
            let found = api.get_opt(name).await?;
            Ok(found.map(|map| {
                let texts = map.data.unwrap_or_default().into_iter();
                let texts = texts.map(|(key, text)| (key, text.into_bytes()));
                let bytes = map.binary_data.unwrap_or_default().into_iter();
                object(
                    map.metadata,
                    texts.chain(bytes.map(|(key, bytes)| (key, bytes.0))),
                )
            }))
        }
        ObjectKind::Secret => {
            let api: Api<Secret> = Api::namespaced(client.clone(), namespace);
            let found = api.get_opt(name).await?;
            Ok(found.map(|secret| {
                let bytes = secret.data.unwrap_or_default().into_iter();
                object(secret.metadata, bytes.map(|(key, bytes)| (key, bytes.0)))
            }))
        }
    }
}

fn object(metadata: ObjectMeta, data: impl Iterator<Item = (String, Vec<u8>)>) -> Object {
    Object {
        labels: metadata.labels.unwrap_or_default(),
        annotations: metadata.annotations.unwrap_or_default(),
        data: data.collect(),
    }
}

impl Silence {
    fn of(error: &Error) -> Self {
        match error {
            Error::Api(status) => match status.code {
                401 => Self::Unauthorized,
                403 => Self::Forbidden,
                code @ (429 | 500..=599) => Self::Passing(format!("it answers with status {code}")),
                code => Self::Final(format!("it answers with status {code}")),
            },
            Error::Service(cause) => {
                let cause = innermost(cause.as_ref());
                if cause.contains("certificate") {
                    return Self::Final(cause);
                }
                Self::Passing(cause)
            }
            Error::HyperError(cause) => Self::Passing(innermost(cause)),
            // The library would quote what it cannot decode.
            Error::SerdeError(_) | Error::FromUtf8(_) => {
                Self::Final("its answer is no such object".into())
            }
            // A program of the kubeconfig may have said anything.
            Error::Auth(_) => Self::Final("the kubeconfig's credentials cannot be had".into()),
            _ => Self::Final("the request cannot be made".into()),
        }
    }

    fn problem(self, object: &ObjectName, server: &str) -> Problem {
        match self {
            Self::Passing(cause) => Problem::new(format!(
                "cannot read settings from the API server {server}: {cause}"
            ))
            .hint("see whether the API server runs and can be reached from here"),
            Self::Final(cause) => Problem::new(format!(
                "cannot read settings from the API server {server}: {cause}"
            ))
            .hint(
                "see whether this is the API server, and whether the credentials are meant for it",
            ),
            Self::Unauthorized => Problem::new(format!(
                "the API server {server} does not accept the credentials (status 401)"
            ))
            .hint("see whether the token or certificate has expired, and is one of this cluster"),
            Self::Forbidden => {
                let ObjectName {
                    kind,
                    namespace,
                    name,
                } = object;
                let resource = kind.resource();
                Problem::new(format!(
                    "the API server does not let this identity read `{object}` (status 403)"
                ))
                .hint(format!(
                    "bind it to a Role in namespace `{namespace}` with the rule `{{apiGroups: [\"\"], resources: [{resource}], resourceNames: [{name}], verbs: [get]}}`"
                ))
            }
        }
    }
}

/// The cause at the bottom of an error of the connection.
fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    let plain = cause.downcast_ref::<io::Error>().and_then(|error| {
        // What hides behind an error of input and output is no source of it.
        let inner = error.get_ref()?;
        Some(inner.to_string())
    });
    plain.unwrap_or_else(|| match cause.downcast_ref::<io::Error>() {
        Some(error) => crate::files::plain(error).to_string(),
        None => cause.to_string(),
    })
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
