//! What is wrong with an installation, and what cures it.
//!
//! Nothing here asks an API server or a clock: [`Seen`] is what was read of a cluster, and [`examine`] is a function of it. What
//! could not be read is a finding of its own, so that silence always means that something was looked at and is well. No value of
//! a setting or of a Secret reaches a finding.

mod access;
mod applications;
mod argocd;
mod controller;
mod cure;
mod files;
mod finding;
mod look;
mod objects;
mod operator;
mod pod;
mod reloader;
mod seen;
mod sidecar;

#[cfg(test)]
mod tests;

pub use finding::{Code, Finding, Severity};
pub use pod::{Mounted, lease_in, mounted_in};
pub use seen::{
    Access, Admission, Connection, Data, DescribedApplication, Files, KeyPrint, Operator, Part,
    Seen, Synced, Unreadable, Workload, Workloads,
};

use look::Look;

/// Finds what is wrong, the worst first.
pub fn examine(seen: &Seen) -> Vec<Finding> {
    let look = Look::new(seen);
    let mut findings = Vec::new();
    seen::examine(seen, &mut findings);
    sidecar::examine(&look, &mut findings);
    argocd::examine(&look, &mut findings);
    controller::examine(&look, &mut findings);
    access::examine(&look, &mut findings);
    applications::examine(&look, &mut findings);
    objects::examine(&look, &mut findings);
    operator::examine(&look, &mut findings);
    reloader::examine(&look, &mut findings);
    files::examine(&look, &mut findings);
    findings.sort_by(|one, other| {
        (one.severity, one.code, &one.what).cmp(&(other.severity, other.code, &other.what))
    });
    findings.dedup();
    findings
}
