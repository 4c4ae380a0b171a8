//! Who may do what: too much, or too little.

mod grants;

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::rbac::v1::PolicyRule;
use serde_json::Value;

use super::cure::{self, Account};
use super::finding::{Code, Finding, Severity};
use super::look::{Look, by_namespace};
use crate::settings::object::{ObjectKind, ObjectName};
use crate::steer::policy::Namespaces;
use grants::{Grant, Grants, Need};

/// Verbs that show what an object holds.
const READS: [&str; 3] = ["get", "list", "watch"];
/// Verbs that change something.
const WRITES: [&str; 5] = ["create", "update", "patch", "delete", "deletecollection"];

/// Finds what is too much and too little.
pub(super) fn examine(look: &Look<'_>, findings: &mut Vec<Finding>) {
    let seen = look.seen;
    if let Some(pod) = look.repo_server.filter(|_| !look.sidecars.is_empty()) {
        let account = Account {
            namespace: &seen.argocd_namespace,
            name: pod.account(),
        };
        let grants = Grants::of(&seen.access, &account);
        let subject = Subjected {
            look,
            account,
            grants,
        };
        subject.sidecar_has_too_much(findings);
        if subject.grants.is_complete {
            subject.sidecar_lacks_settings(findings);
            subject.sidecar_lacks_applications(findings);
        }
    }
    if let Some((pod, _)) = look.controller {
        let account = Account {
            namespace: &seen.own_namespace,
            name: pod.account(),
        };
        let grants = Grants::of(&seen.access, &account);
        let subject = Subjected {
            look,
            account,
            grants,
        };
        subject.controller_has_too_much(findings);
        if subject.grants.is_complete && look.knows_policy {
            subject.controller_lacks(findings);
        }
    }
}

/// An account, and what it may do.
struct Subjected<'w, 'a> {
    look: &'w Look<'a>,
    account: Account<'w>,
    grants: Grants<'a>,
}

impl<'w> Subjected<'w, '_> {
    fn what(&self, grant: &Grant<'_>) -> String {
        let Account { namespace, name } = &self.account;
        format!("{} for ServiceAccount {namespace}/{name}", grant.role)
    }

    fn sidecar_has_too_much(&self, findings: &mut Vec<Finding>) {
        let argocd = self.look.seen.argocd_namespace.as_str();
        for grant in &self.grants.all {
            let mut find = |code, message: String, cure: String| {
                findings.push(Finding::new(code, self.what(grant), message).cure(cure));
            };
            let place = grant.place();
            if grant.reads_secrets() {
                if grant.has_wildcard() {
                    let message = format!("a rule with `*` lets the sidecar read Secrets {place}");
                    find(Code::RbacWildcard, message, self.named(grant.namespace));
                } else if !grant.is_named() {
                    let message = format!(
                        "the sidecar may read every Secret {place}: a rule on Secrets has no `resourceNames`"
                    );
                    find(
                        Code::RbacSecretsUnnamed,
                        message,
                        self.named(grant.namespace),
                    );
                }
                if grant.namespace.is_none_or(|namespace| namespace == argocd) {
                    let message = format!(
                        "the sidecar may read Secrets of Argo CD's namespace, where its credentials are ({place})"
                    );
                    let cure =
                        "# take Secrets out of the Role, and keep settings in another namespace";
                    find(Code::RbacArgocdSecrets, message, cure.into());
                }
            }
            // A rule with `*` on Secrets has been told.
            let is_told = grant.reads_secrets() && grant.has_wildcard();
            let writes = WRITES.iter().any(|write| {
                grant
                    .rule
                    .verbs
                    .iter()
                    .any(|verb| verb == write || verb == "*")
            });
            if grant.is_direct && writes && !is_told {
                let message = format!(
                    "the sidecar may change {} {place}, and only has to `get`",
                    resources(grant.rule)
                );
                find(
                    Code::RbacWrites,
                    message,
                    "# take the other verbs out of the Role".into(),
                );
            }
        }
    }

    /// The Role that the sidecar needs for settings in a namespace.
    fn named(&self, namespace: Option<&str>) -> String {
        let wanted = self.wanted();
        let wanted = by_namespace(&wanted);
        let namespaces: Vec<_> = match namespace {
            Some(namespace) => wanted.get_key_value(namespace).into_iter().collect(),
            None => wanted.iter().collect(),
        };
        let roles = namespaces
            .into_iter()
            .map(|(namespace, names)| self.role(namespace, names));
        let roles: Vec<String> = roles.collect();
        if roles.is_empty() {
            return "# take the rule out: no Application names settings there".into();
        }
        format!("# instead of it\n{}", roles.join("\n---\n"))
    }

    fn role(&self, namespace: &str, names: &BTreeSet<&ObjectName>) -> String {
        let kinds = [ObjectKind::ConfigMap, ObjectKind::Secret];
        let rules = kinds.into_iter().filter_map(|kind| {
            let names = names.iter().filter(|name| name.kind == kind);
            let names: Vec<&str> = names.map(|name| name.name.as_str()).collect();
            (!names.is_empty()).then(|| cure::rule("", &[kind.resource()], &names, &["get"]))
        });
        let rules: Vec<Value> = rules.collect();
        cure::role(
            "argocd-infisical-settings",
            Some(namespace),
            &rules,
            &self.account,
        )
    }

    /// The objects that Applications name and that may be read.
    fn wanted(&self) -> BTreeSet<ObjectName> {
        let argocd = &self.look.seen.argocd_namespace;
        let references = self.look.applications();
        let references = references.flat_map(|(_, described)| self.look.references(described));
        let names = references.map(|reference| reference.object);
        names
            .filter(|name| name.kind == ObjectKind::ConfigMap || name.namespace != *argocd)
            .collect()
    }

    fn sidecar_lacks_settings(&self, findings: &mut Vec<Finding>) {
        let wanted = self.wanted();
        let is_missing = |name: &ObjectName| {
            let need = Need {
                namespace: Some(&name.namespace),
                group: "",
                resource: name.kind.resource(),
                name: Some(&name.name),
                verbs: &["get"],
            };
            !self.grants.allow(&need, "get")
        };
        for (namespace, names) in by_namespace(&wanted) {
            let missing = names.iter().filter(|name| is_missing(name));
            let missing: Vec<String> = missing.map(ToString::to_string).collect();
            if missing.is_empty() {
                continue;
            }
            let message = format!(
                "the sidecar may not read what Applications name as settings: {}",
                missing.join(", ")
            );
            let what = format!("Namespace {namespace}");
            let finding = Finding::new(Code::RbacSettingsMissing, what, message);
            findings.push(finding.cure(self.role(namespace, &names)));
        }
    }

    fn sidecar_lacks_applications(&self, findings: &mut Vec<Finding>) {
        let with = self
            .look
            .applications()
            .filter(|(_, described)| !self.look.references(described).is_empty());
        let namespaces: BTreeSet<&str> = with.map(|(name, _)| name.namespace.as_str()).collect();
        for namespace in namespaces {
            let need = Need {
                namespace: Some(namespace),
                group: "argoproj.io",
                resource: "applications",
                name: None,
                verbs: &["get"],
            };
            if self.grants.allow(&need, "get") {
                continue;
            }
            let message = "the sidecar may not look whether an Application has a `sourceHydrator`, and so puts settings into none";
            let rules = [cure::rule("argoproj.io", &["applications"], &[], &["get"])];
            let cure = cure::role(
                "argocd-infisical-sidecar",
                Some(namespace),
                &rules,
                &self.account,
            );
            let what = format!("Namespace {namespace}");
            findings.push(Finding::new(Code::RbacApplicationsMissing, what, message).cure(cure));
        }
    }

    fn controller_has_too_much(&self, findings: &mut Vec<Finding>) {
        let argocd = self.look.seen.argocd_namespace.as_str();
        let is_everywhere = self.look.policy.object_namespaces == Namespaces::All;
        for grant in &self.grants.all {
            let mut find = |code, message: String, severity: Option<Severity>| {
                let cure = "# narrow it to what manifests/install and manifests/components/controller-namespace have";
                let finding = Finding::new(code, self.what(grant), message).cure(cure);
                findings.push(match severity {
                    Some(severity) => finding.of_severity(severity),
                    None => finding,
                });
            };
            let place = grant.place();
            if grant.has_wildcard() && grant.reads_secrets() {
                let message = format!("a rule with `*` lets the controller read Secrets {place}");
                find(Code::RbacWildcard, message, None);
            }
            if grant.reads_secrets() {
                if grant.namespace.is_none_or(|namespace| namespace == argocd) {
                    let message = format!(
                        "the controller may read Secrets of Argo CD's namespace, where its credentials are ({place})"
                    );
                    // Whoever watches all namespaces has been told so.
                    find(
                        Code::RbacArgocdSecrets,
                        message,
                        is_everywhere.then_some(Severity::Warning),
                    );
                }
                let is_needed = !self.look.knows_policy
                    || grant.namespace.map_or(is_everywhere, |namespace| {
                        self.look.is_watched(ObjectKind::Secret, namespace)
                            || namespace == self.account.namespace
                            || namespace == argocd
                    });
                if !is_needed {
                    let message = format!(
                        "the controller may read Secrets {place}, and its policy does not watch there"
                    );
                    find(Code::RbacControllerWide, message, None);
                }
            }
            if let Some(what) = grant.is_direct.then(|| excess(grant)).flatten() {
                let message = format!("the controller may {what} {place}, and never does");
                find(Code::RbacWrites, message, None);
            }
        }
    }

    fn controller_lacks(&self, findings: &mut Vec<Finding>) {
        let mut missing: BTreeMap<Option<&str>, Vec<Value>> = BTreeMap::new();
        for need in self.controller_needs() {
            let verbs = need
                .verbs
                .iter()
                .filter(|verb| !self.grants.allow(&need, verb));
            let verbs: Vec<&str> = verbs.copied().collect();
            if !verbs.is_empty() {
                let names: Vec<&str> = need.name.into_iter().collect();
                let rule = cure::rule(need.group, &[need.resource], &names, &verbs);
                missing.entry(need.namespace).or_default().push(rule);
            }
        }
        for (namespace, rules) in missing {
            let told = rules.iter().map(|rule| {
                let list = |field: &str| {
                    let items = rule[field].as_array().into_iter().flatten();
                    items
                        .filter_map(Value::as_str)
                        .collect::<Vec<_>>()
                        .join("/")
                };
                format!("{} {}", list("verbs"), list("resources"))
            });
            let told: Vec<String> = told.collect();
            let message = format!("the controller may not: {}", told.join(", "));
            let what = namespace.map_or_else(
                || "all namespaces".into(),
                |name| format!("Namespace {name}"),
            );
            let cure = cure::role(
                "argocd-infisical-controller-missing",
                namespace,
                &rules,
                &self.account,
            );
            findings.push(Finding::new(Code::RbacControllerMissing, what, message).cure(cure));
        }
    }

    fn controller_needs(&self) -> Vec<Need<'w>> {
        let policy = &self.look.policy;
        let need = |namespace, group, resource, verbs| Need {
            namespace,
            group,
            resource,
            name: None,
            verbs,
        };
        let own = Some(self.account.namespace);
        let argocd = Some(policy.argocd_namespace.as_str());
        let mut needs = vec![
            need(argocd, "argoproj.io", "appprojects", &READS),
            Need {
                name: Some("argocd-cm"),
                ..need(argocd, "", "configmaps", &["get"])
            },
            Need {
                name: Some(super::pod::lease_name(
                    self.look.controller.map(|(_, container)| container),
                )),
                ..need(own, "coordination.k8s.io", "leases", &["get", "update"])
            },
            need(own, "coordination.k8s.io", "leases", &["create"]),
        ];
        for namespace in each(&policy.application_namespaces) {
            needs.push(need(
                namespace,
                "argoproj.io",
                "applications",
                &["get", "list", "watch", "patch"],
            ));
            needs.push(need(namespace, "argoproj.io", "applicationsets", &["get"]));
            needs.push(need(namespace, "events.k8s.io", "events", &["create"]));
        }
        let watched = match &policy.object_namespaces {
            Namespaces::All => vec![None],
            Namespaces::Only(names) => {
                let names = names.union(&policy.override_namespaces);
                names.map(|name| Some(name.as_str())).collect()
            }
        };
        for namespace in watched {
            needs.push(need(namespace, "", "configmaps", &READS));
            let counts = |name| policy.counts(ObjectKind::Secret, name);
            if namespace.is_none_or(counts) {
                needs.push(need(namespace, "", "secrets", &READS));
            }
        }
        needs
    }
}

fn each(namespaces: &Namespaces) -> Vec<Option<&str>> {
    match namespaces {
        Namespaces::All => vec![None],
        Namespaces::Only(names) => names.iter().map(|name| Some(name.as_str())).collect(),
    }
}

fn resources(rule: &PolicyRule) -> String {
    let resources = rule
        .resources
        .as_ref()
        .map(|resources| resources.join(", "));
    resources.unwrap_or_default()
}

/// What of a rule of the controller is more than it ever needs.
fn excess(grant: &Grant<'_>) -> Option<String> {
    let objects = [("", "secrets"), ("", "configmaps")];
    for (group, resource) in objects {
        if let Some(verb) = WRITES
            .iter()
            .find(|verb| grant.covers(verb, group, resource))
        {
            return Some(format!("{verb} {resource}"));
        }
    }
    let mut verbs = WRITES.iter().filter(|verb| **verb != "patch");
    let verb = verbs.find(|verb| grant.covers(verb, "argoproj.io", "applications"))?;
    Some(format!("{verb} applications"))
}
