//! One question to an API server, asked again where the answer may be another next time.

use std::time::Duration;
use std::{fmt, io};

use kube::Error;
use tokio::time::{Instant, sleep, timeout_at};

use crate::failure::Problem;

/// How long to wait for one answer.
const ANSWER: Duration = Duration::from_secs(5);
/// How long to wait before the first repetition; each one after it waits twice as long.
const PAUSE: Duration = Duration::from_millis(100);
/// How long to wait at most: longer pauses would leave the end of the time unused.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Why there is no answer.
pub(crate) enum Silence {
    /// Another try may help.
    Passing(String),
    /// The API server does not know who asks.
    Unauthorized,
    /// Who asks may not.
    Forbidden,
    /// The API server has no such resource.
    Unknown,
    /// The list went on from a time that the API server no longer remembers.
    Expired,
    /// No other try helps.
    Final(String),
}

/// Something that was asked for, for messages.
pub(super) struct Asked<'a> {
    /// What such things are called.
    pub(super) what: &'a str,
    /// Which one.
    pub(super) object: &'a dyn fmt::Display,
    /// Its namespace; `None` where it was asked for in all of them.
    pub(super) namespace: Option<&'a str>,
    /// The RBAC rule that lets somebody read it.
    pub(super) rule: &'a str,
    /// Who was asked.
    pub(super) server: &'a str,
}

/// Asks until there is an answer, or there will not be one in time.
pub(super) async fn ask<T, A: Future<Output = Result<T, Error>>>(
    deadline: Instant,
    question: impl Fn() -> A,
) -> Result<T, Silence> {
    let mut pause = PAUSE;
    loop {
        let last = deadline.min(Instant::now() + ANSWER);
        let silence = match timeout_at(last, question()).await {
            Ok(Ok(answer)) => return Ok(answer),
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

impl Silence {
    /// Why an answer counts for nothing that cannot be decoded.
    pub(super) const NO_SUCH_OBJECT: &str = "its answer is no such object";

    pub(crate) fn of(error: &Error) -> Self {
        match error {
            Error::Api(status) => match status.code {
                401 => Self::Unauthorized,
                403 => Self::Forbidden,
                404 => Self::Unknown,
                410 => Self::Expired,
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
            Error::SerdeError(_) | Error::FromUtf8(_) => Self::Final(Self::NO_SUCH_OBJECT.into()),
            // A program of the kubeconfig may have said anything.
            Error::Auth(_) => Self::Final("the kubeconfig's credentials cannot be had".into()),
            _ => Self::Final("the request cannot be made".into()),
        }
    }

    /// Why, in a few words.
    pub(crate) fn cause(self) -> String {
        match self {
            Self::Passing(cause) | Self::Final(cause) => cause,
            Self::Unauthorized => "it does not accept the credentials (status 401)".into(),
            Self::Forbidden => "it does not let this identity do it (status 403)".into(),
            Self::Unknown => "it has no such resource (status 404)".into(),
            Self::Expired => "it does not remember that version (status 410)".into(),
        }
    }

    /// What to tell of something that was asked for.
    pub(super) fn problem(self, asked: &Asked<'_>) -> Problem {
        self.told(asked, "read")
    }

    /// What to tell of something that was to be written.
    pub(super) fn problem_of_write(self, asked: &Asked<'_>) -> Problem {
        self.told(asked, "write")
    }

    fn told(self, asked: &Asked<'_>, verb: &str) -> Problem {
        let Asked {
            what,
            object,
            namespace,
            rule,
            server,
        } = asked;
        let way = if verb == "read" { "from" } else { "through" };
        match self {
            Self::Passing(cause) => Problem::new(format!(
                "cannot {verb} {what} {way} the API server {server}: {cause}"
            ))
            .hint("see whether the API server runs and can be reached from here"),
            Self::Final(cause) => Problem::new(format!(
                "cannot {verb} {what} {way} the API server {server}: {cause}"
            ))
            .hint(
                "see whether this is the API server, and whether the credentials are meant for it",
            ),
            Self::Unauthorized => Problem::new(format!(
                "the API server {server} does not accept the credentials (status 401)"
            ))
            .hint("see whether the token or certificate has expired, and is one of this cluster"),
            Self::Forbidden => Problem::new(format!(
                "the API server does not let this identity {verb} `{object}` (status 403)"
            ))
            .hint(match namespace {
                Some(namespace) => format!(
                    "bind it to a Role in namespace `{namespace}` with the rule `{rule}`"
                ),
                None => format!("bind it to a ClusterRole with the rule `{rule}`"),
            }),
            Self::Unknown => Problem::new(format!(
                "the API server {server} has no {what} (status 404)"
            ))
            .hint("see whether this is the cluster that is meant, and whether Argo CD is installed there"),
            Self::Expired => Problem::new(format!(
                "cannot read {what} from the API server {server}: they change faster than it lists them (status 410)"
            ))
            .hint("try again"),
        }
    }

    /// Whether it says something of the way to the API server alone, and nothing of what was asked for.
    pub(super) const fn is_of_the_way(&self) -> bool {
        !matches!(self, Self::Forbidden | Self::Unknown | Self::Expired)
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
        Some(error) => crate::files::plain(error),
        None => cause.to_string(),
    })
}
