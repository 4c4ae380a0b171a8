//! Who restarts pods when a Secret changes.

use serde_json::json;

use super::cure;
use super::finding::{Code, Finding};
use super::look::Look;
use super::pod::{image_of, value_of};
use super::seen::{AUTO_RELOAD, ContainerSeen, Workload, is_reloader};

/// How many objects a message names.
const NAMED: usize = 5;

/// Finds what is wrong with it.
pub(super) fn examine(look: &Look<'_>, findings: &mut Vec<Finding>) {
    let workloads = &look.seen.workloads;
    let all = all(look);
    let asking = asking(look);
    for workload in &asking {
        one(workload, findings);
    }
    let reloaders = all.iter().flat_map(|workload| {
        let containers = workload.containers.iter();
        containers
            .filter(|container| image_of(&container.image).name == "reloader")
            .map(move |container| (*workload, container))
    });
    let reloaders: Vec<_> = reloaders.collect();
    for (workload, container) in &reloaders {
        reloader(workload, container, &asking, findings);
    }
    if reloaders.is_empty() && !asking.is_empty() && workloads.deployments.known().is_some() {
        let message = format!(
            "no Reloader runs, and these ask for restarts: {}; their pods go on with the old values",
            named(&asking)
        );
        let cure = "# from the repository; without it, Reloader's own base: https://github.com/stakater/Reloader//deployments/kubernetes?ref=v1.4.21\nkubectl apply -k manifests/components/reloader";
        findings.push(Finding::new(Code::ReloaderMissing, "Reloader", message).cure(cure));
    }
}

/// All workloads that could be seen.
fn all<'a>(look: &Look<'a>) -> Vec<&'a Workload> {
    let workloads = &look.seen.workloads;
    let parts = [
        &workloads.deployments,
        &workloads.stateful_sets,
        &workloads.daemon_sets,
    ];
    let known = parts.into_iter().filter_map(|part| part.known());
    known.flatten().collect()
}

/// Those that ask for restarts.
pub(super) fn asking<'a>(look: &Look<'a>) -> Vec<&'a Workload> {
    let mut asking = all(look);
    asking.retain(|workload| asks(workload));
    asking
}

fn asks(workload: &Workload) -> bool {
    workload
        .reloads
        .iter()
        .any(|annotation| is_reloader(annotation))
}

pub(super) fn what(workload: &Workload) -> String {
    format!("{} {}", workload.kind, workload.name)
}

fn named(workloads: &[&Workload]) -> String {
    let names = workloads.iter().take(NAMED).map(|workload| what(workload));
    let mut names: Vec<String> = names.collect();
    if workloads.len() > NAMED {
        names.push(format!("{} more", workloads.len() - NAMED));
    }
    names.join(", ")
}

/// A workload that asks for restarts.
fn one(workload: &Workload, findings: &mut Vec<Finding>) {
    if workload.reloads.contains(AUTO_RELOAD) {
        let message = "the operator and Reloader both restart it: two rollouts for each change";
        let cure = format!("# where it is written, take out the annotation\n# {AUTO_RELOAD}");
        findings.push(Finding::new(Code::TwoReloaders, what(workload), message).cure(cure));
    }
    for field in &workload.empty {
        let message = format!(
            "`{field}` stands empty in its manifest: once Reloader has added to it, Argo CD reports a difference that no sync removes"
        );
        let cure = format!("# take `{field}` out of the manifest");
        findings.push(Finding::new(Code::EmptyField, what(workload), message).cure(cure));
    }
}

fn reloader(
    workload: &Workload,
    container: &ContainerSeen,
    asking: &[&Workload],
    findings: &mut Vec<Finding>,
) {
    let words = || {
        container
            .command
            .iter()
            .chain(&container.args)
            .map(String::as_str)
    };
    let is_on =
        |flag: &str| value_of(words(), flag) == Some("true") || words().any(|word| word == flag);
    let (create, sync) = (is_on("--reload-on-create"), is_on("--sync-after-restart"));
    let args = json!({"args": ["--reload-on-create=true", "--sync-after-restart=true"]});
    if !create || !sync {
        let message = match (create, sync) {
            (true, _) => {
                "it runs without `--sync-after-restart`: what changes while it does not run is missed"
            }
            (false, true) => {
                "it runs without `--reload-on-create`: a Secret that is deleted and made again is missed"
            }
            (false, false) => {
                "it runs without `--reload-on-create` and `--sync-after-restart`: what changes while it does not run, and a Secret that is made again, are missed"
            }
        };
        let cure = cure::with("arguments of its container", &args);
        findings.push(Finding::new(Code::ReloaderFlags, what(workload), message).cure(cure));
    }
    if sync && value_of(words(), "--reload-strategy") == Some("annotations") {
        let message = "with `--reload-strategy=annotations` and `--sync-after-restart` it restarts every workload whenever it starts itself";
        let cure = "# take `--reload-strategy` out: `env-vars` knows what it has done";
        findings.push(Finding::new(Code::ReloaderStrategy, what(workload), message).cure(cure));
    }
    if let Some(list) = value_of(words(), "--namespaces").filter(|list| !list.is_empty()) {
        let is_left_out = |workload: &&&Workload| {
            !list
                .split(',')
                .any(|each| each.trim() == workload.name.namespace)
        };
        let left_out: Vec<&Workload> = asking.iter().filter(is_left_out).copied().collect();
        if !left_out.is_empty() {
            let message = format!(
                "its `--namespaces` leave out some that ask for restarts: {}",
                named(&left_out)
            );
            let cure = "# add their namespaces to `--namespaces`, and to its Roles";
            findings
                .push(Finding::new(Code::ReloaderNamespaces, what(workload), message).cure(cure));
        }
    }
}
