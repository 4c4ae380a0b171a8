//! What a process takes.

use std::fmt;
use std::fs;
use std::time::Duration;

/// What a process takes of memory, in KiB.
#[derive(Clone, Copy, Debug)]
pub(super) struct Memory {
    /// All that is resident.
    pub(super) resident: u64,
    /// What of it is no file's.
    pub(super) anonymous: u64,
    /// The most that was ever resident.
    pub(super) peak: u64,
}

impl fmt::Display for Memory {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [resident, anonymous, peak] =
            [self.resident, self.anonymous, self.peak].map(|kibibytes| kibibytes as f64 / 1024.0);
        write!(
            formatter,
            "memory {resident:.1} MiB (anonymous {anonymous:.1} MiB, at most {peak:.1} MiB)"
        )
    }
}

pub(super) fn memory(id: u32) -> Memory {
    let text = fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let of = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        let number = line.and_then(|line| line.split_whitespace().next());
        number.unwrap().parse().unwrap()
    };
    Memory {
        resident: of("VmRSS:"),
        anonymous: of("RssAnon:"),
        peak: of("VmHWM:"),
    }
}

/// How long its threads have run.
pub(super) fn processor(id: u32) -> Duration {
    let threads = fs::read_dir(format!("/proc/{id}/task")).unwrap().flatten();
    let of = |text: String| text.split(' ').next().unwrap().parse::<u64>().unwrap();
    let times =
        threads.map(|thread| of(fs::read_to_string(thread.path().join("schedstat")).unwrap()));
    Duration::from_nanos(times.sum())
}
