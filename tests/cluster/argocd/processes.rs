//! The processes of this machine.

use std::fs;

/// Those with exactly these arguments, that have not ended.
pub(crate) fn with_arguments(arguments: &[String]) -> Vec<u32> {
    let whole: Vec<u8> = arguments
        .iter()
        .flat_map(|argument| argument.bytes().chain([0]))
        .collect();
    let has_them = |id: &u32| {
        // One that has ended has none.
        fs::read(format!("/proc/{id}/cmdline")).is_ok_and(|bytes| bytes == whole)
    };
    all().filter(has_them).collect()
}

/// The ids of the children of a process.
pub(crate) fn children(parent: u32) -> Vec<u32> {
    let is_child = |id: &u32| {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        // proc_pid_stat(5): state and parent follow the name, which stands in parentheses.
        let fields = stat
            .rsplit_once(") ")
            .map(|(_, rest)| rest)
            .unwrap_or_default();
        fields.split(' ').nth(1) == Some(&parent.to_string())
    };
    all().filter(is_child).collect()
}

fn all() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}
