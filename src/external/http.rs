//! Files behind HTTP.

use std::sync::OnceLock;
use std::time::Duration;

use kustomize::{ExternalError, without_credentials};
use ureq::Agent;
use ureq::tls::{RootCerts, TlsConfig};

use super::failed;
use crate::files::SIZE_LIMIT;
use crate::progress::Progress;

/// How long a file may take, redirections included.
const TIMEOUT: Duration = Duration::from_secs(30);

/// What Go's client follows too.
const REDIRECTIONS: u32 = 10;

/// Fetches files; makes its agent when it is first needed.
#[derive(Debug, Default)]
pub(super) struct Client(OnceLock<Agent>);

impl Client {
    pub(super) fn get(&self, url: &str) -> Result<Vec<u8>, ExternalError> {
        let _progress = Progress::start(&format!("fetching {}", without_credentials(url)));
        let reason = |error: &ureq::Error| failed(without_credentials(&error.to_string()));
        let mut answer = self
            .agent()
            .get(url)
            .call()
            .map_err(|error| reason(&error))?;
        let status = answer.status();
        if !status.is_success() {
            return Err(ExternalError::Status(status.as_u16()));
        }
        let body = answer.body_mut().with_config().limit(SIZE_LIMIT);
        body.read_to_vec().map_err(|error| match error {
            ureq::Error::BodyExceedsLimit(limit) => {
                failed(format!("the answer has more than {limit} bytes"))
            }
            error => reason(&error),
        })
    }

    fn agent(&self) -> &Agent {
        self.0.get_or_init(|| {
            // The machine's own list of authorities, so that a house's own authority counts here as in every other tool.
            let tls = TlsConfig::builder()
                .root_certs(RootCerts::PlatformVerifier)
                .build();
            Agent::config_builder()
                .timeout_global(Some(TIMEOUT))
                .max_redirects(REDIRECTIONS)
                .http_status_as_error(false)
                .user_agent(concat!("argocd-infisical/", env!("CARGO_PKG_VERSION")))
                .tls_config(tls)
                .build()
                .into()
        })
    }
}
