//! Until when a build may run.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::error::{Error, Result};

/// Until when a build may run; without one it runs until it is done.
///
/// The engine has no clock, so that the caller brings it. It is looked at wherever a file is read and a transformer or a
/// patch begins, and again and again while resources are made and changed: a build ends soon after its time is over, not
/// at once.
#[derive(Clone, Default)]
pub struct Deadline(Option<Arc<Watch>>);

struct Watch {
    limit: Duration,
    elapsed: Box<dyn Fn() -> Duration + Send + Sync>,
}

impl Deadline {
    /// A build that may take so long, with a clock that says how long it has taken.
    pub fn new(limit: Duration, elapsed: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        let elapsed = Box::new(elapsed);
        Self(Some(Arc::new(Watch { limit, elapsed })))
    }

    /// Makes sure that there is time left.
    ///
    /// # Errors
    /// Where there is none.
    pub(crate) fn check(&self) -> Result<()> {
        match &self.0 {
            Some(watch) if (watch.elapsed)() >= watch.limit => {
                let seconds = watch.limit.as_secs_f64();
                Err(
                    Error::new(format!("the build is not done after {seconds} seconds")).hint(
                        "build less at a time: long lists of patches, images or replacements cost as much as there are resources to try them on",
                    ),
                )
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Deadline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let limit = self.0.as_ref().map(|watch| watch.limit);
        f.debug_tuple("Deadline").field(&limit).finish()
    }
}
