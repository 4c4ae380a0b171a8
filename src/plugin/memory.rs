//! How much memory a render may take.
//!
//! The engine counts what it loads and makes, and says which bound was passed. This is the wall behind that: what passes it
//! ends the process alone, and not the container with everybody's renders in it.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::failure::Failure;

/// Lets the process have at most so much address space, in MiB; what has a lower limit already keeps it.
///
/// # Errors
/// Where the system does not take the limit.
pub fn limit(mebibytes: u64) -> Result<(), Failure> {
    let wanted = mebibytes.saturating_mul(1 << 20);
    let Rlimit { current, maximum } = getrlimit(Resource::As);
    let lowest = |limit: Option<u64>| limit.map_or(wanted, |limit| limit.min(wanted));
    let limit = Rlimit {
        current: Some(lowest(current)),
        maximum: Some(lowest(maximum)),
    };
    setrlimit(Resource::As, limit).map_err(|error| {
        Failure::input(format!("cannot limit the memory of this process: {error}"))
    })
}
