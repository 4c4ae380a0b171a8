//! What an administrator has mounted: the policy and the key of digests.

use std::path::PathBuf;

use crate::failure::Failure;
use crate::settings::digest::DigestKey;
use crate::settings::policy::Policy;

/// Files that are read anew by every call, so that a change of them needs no restart.
#[derive(clap::Args)]
pub(super) struct Mounted {
    /// Hold Applications to this policy
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,

    /// Check the digests of settings with this key, the controller's
    #[arg(long, value_name = "FILE")]
    digest_key: Option<PathBuf>,

    /// Go on without the key where its file is not there; an Application that has a digest still needs it
    #[arg(long, requires = "digest_key")]
    digest_key_may_be_missing: bool,
}

impl Mounted {
    /// The policy that is named, or the usual one.
    ///
    /// # Errors
    /// Where one is named that cannot be read or understood: it may forbid something.
    pub(super) fn policy(&self) -> Result<Policy, Failure> {
        Policy::named(self.policy.as_deref())
    }

    /// The key that is named.
    ///
    /// # Errors
    /// Where it cannot be read or is too short, or is not there although it has to be.
    pub(super) fn digest_key(&self) -> Result<Option<DigestKey>, Failure> {
        let Some(file) = &self.digest_key else {
            return Ok(None);
        };
        // Without a key nothing renders that has a digest, so nothing is lost where there is no controller yet.
        if self.digest_key_may_be_missing && file.try_exists().is_ok_and(|exists| !exists) {
            return Ok(None);
        }
        DigestKey::read(file).map(Some)
    }
}
