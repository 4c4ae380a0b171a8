//! Each kind of finding: what makes it, and what does not.

mod faults;
mod quiet;
mod world;

use std::collections::BTreeSet;

use super::applications::{decided, standing};
use super::*;
use crate::steer::Name;
use crate::steer::plan::{Counted, Decision, Outcome, Revision};
use crate::steer::policy::Policy;
use crate::steer::reason::{Code as Why, Reason};
use world::World;

/// What is found, and the change that makes it so.
type Fault = (Code, fn(&mut World));

fn codes(world: &World) -> BTreeSet<&'static str> {
    world
        .findings()
        .iter()
        .map(|finding| finding.code.as_str())
        .collect()
}

fn planted(fault: fn(&mut World)) -> World {
    let mut world = World::new();
    fault(&mut world);
    world
}

#[test]
fn what_is_shipped_is_well() {
    let findings = World::new().findings();
    assert!(findings.is_empty(), "{findings:#?}");
}

#[test]
fn each_fault_is_found_and_has_a_cure() {
    let mut wrong = Vec::new();
    for (index, (code, fault)) in faults::all().enumerate() {
        let findings = planted(fault).findings();
        let mut found = findings.iter().filter(|finding| finding.code == code);
        let Some(finding) = found.next() else {
            let instead: Vec<_> = findings
                .iter()
                .map(|finding| finding.code.as_str())
                .collect();
            wrong.push(format!(
                "row {index}: {} is not found: {instead:?}",
                code.as_str()
            ));
            continue;
        };
        let is_whole =
            !finding.cure.is_empty() && !finding.what.is_empty() && !finding.message.ends_with('.');
        if !is_whole {
            wrong.push(format!("row {index}: {finding:?}"));
        }
        // No value reaches a finding.
        if format!("{findings:?}").contains("hunter2") {
            wrong.push(format!("row {index}: {} shows a value", code.as_str()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn what_is_no_fault_is_not_found() {
    let mut wrong = Vec::new();
    for (index, (code, change)) in quiet::ALL.iter().enumerate() {
        if codes(&planted(*change)).contains(code.as_str()) {
            wrong.push(format!("row {index}: {}", code.as_str()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn decision(why: Why) -> Decision {
    Decision {
        application: Name::new("argocd", "lamp"),
        uid: String::new(),
        environment: "dev".into(),
        project: "home".into(),
        revision: Revision {
            default: None,
            wanted: None,
            current: Vec::new(),
            outcome: Outcome::Stays(Reason::new(why, "x").hint("do\n\nspec: {}\n")),
        },
        settings: None,
        patch: None,
        again: None,
        counted: Counted::Not,
    }
}

/// Reasons of the controller, and what becomes of them.
const REASONS: [(Why, Option<Code>); 8] = [
    (Why::Conflict, Some(Code::RevisionRefused)),
    (Why::OverrideGone, Some(Code::RevisionUnknown)),
    (Why::Reverted, Some(Code::RevisionContested)),
    (Why::Flapping, Some(Code::RevisionWaits)),
    (Why::ChangedByPerson, Some(Code::Held)),
    (Why::ProjectNotAllowed, Some(Code::ProjectNotInEnvironment)),
    (Why::Paused, None),
    (Why::SyncWindow, None),
];

#[test]
fn what_the_controller_decides_is_told() {
    for (why, expected) in REASONS {
        let found = decided(&decision(why), &Policy::default());
        assert_eq!(found.as_ref().map(|found| found.code), expected, "{why}");
        if let Some(found) = found {
            assert_eq!(found.cure, "# do\nspec: {}");
        }
    }
    let name = Name::new("argocd", "lamp");
    let paused = Reason::new(Why::Paused, "x");
    assert!(standing(&name, &paused).is_none());
}

#[test]
fn every_kind_of_finding_has_a_row() {
    let rows: BTreeSet<Code> = faults::all().map(|(code, _)| code).collect();
    let reasons: BTreeSet<Code> = REASONS.iter().filter_map(|(_, code)| *code).collect();
    let missing: Vec<_> = Code::ALL
        .iter()
        .filter(|code| !rows.contains(code) && !reasons.contains(code))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn what_is_hidden_is_told_and_nothing_is_made_up() {
    let mut wrong = Vec::new();
    for hidden in [
        "deployments",
        "configmaps-of-argocd",
        "configmaps-of-own",
        "leases",
        "roles",
        "rolebindings",
        "clusterroles",
        "clusterrolebindings",
        "validatingadmissionpolicies",
        "validatingadmissionpolicybindings",
        "applications",
        "applicationsets",
        "appprojects",
        "configmaps",
        "secrets",
        "infisicalconnections",
        "infisicalstaticsecrets",
        "infisicalsecrets",
        "workloads",
        "statefulsets",
        "daemonsets",
    ] {
        let mut world = World::new();
        world.hidden.insert(hidden);
        let found = codes(&world);
        if found != [Code::Unreadable.as_str()].into() {
            wrong.push(format!("{hidden}: {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_rule_that_is_missing_is_one_to_copy() {
    let mut world = World::new();
    world.hidden.insert("secrets");
    let finding = world.findings().remove(0);
    assert_eq!(
        finding.cure,
        "# for whoever runs `doctor`: a ClusterRole, bound to them, with\nrules:\n- apiGroups:\n  - x\n  resources:\n  - secrets\n  verbs:\n  - list"
    );
}

#[test]
fn the_role_that_the_sidecar_lacks() {
    let mut world = World::new();
    world.remove("RoleBinding/argocd-infisical-settings");
    let findings = world.findings();
    let finding = findings
        .iter()
        .find(|finding| finding.code == Code::RbacSettingsMissing)
        .unwrap();
    assert_eq!(finding.what, "Namespace home");
    assert_eq!(
        finding.cure,
        "apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: argocd-infisical-settings
  namespace: home
rules:
- apiGroups:
  - \"\"
  resourceNames:
  - homeassistant-settings
  resources:
  - secrets
  verbs:
  - get
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: argocd-infisical-settings
  namespace: home
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: argocd-infisical-settings
subjects:
- kind: ServiceAccount
  name: argocd-repo-server
  namespace: argocd"
    );
}

#[test]
fn consent_is_added_to_what_is_there() {
    let mut world = World::new();
    world.set(
        "Secret/homeassistant-settings",
        "/metadata/annotations/argocd-infisical.io~1allowed",
        serde_json::json!("lab/other"),
    );
    let findings = world.findings();
    let finding = findings
        .iter()
        .find(|finding| finding.code == Code::SettingsNotAllowed)
        .unwrap();
    assert!(
        finding.cure.ends_with(
            "metadata:\n  annotations:\n    argocd-infisical.io/allowed: lab/other, home/homeassistant\n    argocd-infisical.io/keys: HOSTNAME, REPLICAS\n  labels:\n    argocd-infisical.io/settings: \"true\""
        ),
        "{}",
        finding.cure
    );
}

#[test]
fn the_worst_comes_first() {
    let mut world = World::new();
    world.unknown.insert("infisicalstaticsecrets");
    world.unknown.insert("infisicalsecrets");
    world.keys.clear();
    world.unmount("/tmp");
    let severities: Vec<_> = world
        .findings()
        .iter()
        .map(|finding| finding.severity)
        .collect();
    assert!(severities.is_sorted());
    assert_eq!(severities.last(), Some(&Severity::Note));
}
