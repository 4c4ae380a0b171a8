//! How much memory a render may take.
//!
//! The engine counts what it loads and makes, and says which bound was passed. This is the wall behind that: what passes it
//! ends the process alone, and not the container with everybody's renders in it.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::failure::Failure;

/// Lets the process have at most so much more address space, in MiB, than it has now; what has a lower limit already keeps
/// it. What it has now is above all what the allocator set aside and has not touched.
///
/// # Errors
/// Where the system does not take the limit.
pub fn limit(mebibytes: u64) -> Result<(), Failure> {
    let wanted = mebibytes.saturating_mul(1 << 20).saturating_add(taken());
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

/// The address space of this process, in bytes; none where the system does not tell.
fn taken() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm.split(' ').next().and_then(|pages| pages.parse().ok());
    let page = u64::try_from(rustix::param::page_size()).unwrap_or_default();
    pages.unwrap_or(0_u64).saturating_mul(page)
}
