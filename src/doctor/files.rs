//! Files out of objects: whether workloads that ask for restarts find what they mount, and whether it still fits.

use super::finding::{Code, Finding};
use super::look::{Look, Sight};
use super::objects::MANAGED;
use super::reloader::{asking, what};
use super::seen::{Mounted, Workload};
use crate::settings::is_missing;
use crate::settings::object::{Object, ObjectKind};

/// How large all values of an object may be together.
// Kubernetes: MaxSecretSize
const LARGEST: usize = 1024 * 1024;
/// From how much on it is said.
const LARGE: usize = LARGEST / 10 * 9;

/// Finds what is wrong with them.
pub(super) fn examine(look: &Look<'_>, findings: &mut Vec<Finding>) {
    for workload in asking(look) {
        for mounted in &workload.files {
            files(look, workload, mounted, findings);
        }
    }
    for (name, object) in look.objects() {
        let size = size(object);
        if size < LARGE || !object.annotations.contains_key(MANAGED) {
            continue;
        }
        let message = format!(
            "its values have {size} bytes together, of {LARGEST} at most: one that is larger cannot be written, and it stays as it is then"
        );
        let cure = "# take something out in Infisical, or split it into several objects";
        findings.push(Finding::new(Code::ObjectLarge, name.to_string(), message).cure(cure));
    }
}

/// How large the values of an object are together, as far as they are known by their length.
fn size(object: &Object) -> usize {
    let lengths = object.data.values().filter_map(|value| {
        let digits = std::str::from_utf8(value).ok()?;
        digits.parse::<usize>().ok()
    });
    lengths.fold(0, usize::saturating_add)
}

/// One object that a workload mounts.
fn files(look: &Look<'_>, workload: &Workload, mounted: &Mounted, findings: &mut Vec<Finding>) {
    let Mounted { object: name, keys } = mounted;
    let mut find = |code, message| {
        let cure = format!(
            "# put it into Infisical, or see what the operator says\nkubectl -n {} describe infisicalstaticsecrets,infisicalsecrets",
            name.namespace
        );
        findings.push(Finding::new(code, what(workload), message).cure(cure));
    };
    let object = match look.object(name) {
        Sight::There(object) => object,
        Sight::Unknown => return,
        // Of some types Secrets are not read: one that is mounted as a whole may be of these.
        Sight::Absent if name.kind == ObjectKind::Secret && keys.is_empty() => return,
        Sight::Absent => {
            let message = format!("it mounts {name}, which is not there: no new pod starts");
            find(Code::FileMissing, message);
            return;
        }
    };
    let list = |is_so: &dyn Fn(Option<&Vec<u8>>) -> bool| {
        let keys = keys.iter().filter(|key| is_so(object.data.get(*key)));
        let keys: Vec<String> = keys.map(|key| format!("`{key}`")).collect();
        keys.join(", ")
    };
    let missing = list(&|value| value.is_none());
    if !missing.is_empty() {
        let message = format!("it mounts {missing} of {name}, which lacks it: no new pod starts");
        find(Code::FileMissing, message);
    }
    let empty = list(&|value| value.is_some_and(|value| is_missing(value)));
    if !empty.is_empty() {
        let message = format!(
            "it mounts {empty} of {name}, which is empty, or `<no value>`: pods start with that"
        );
        find(Code::FileEmpty, message);
    }
}
