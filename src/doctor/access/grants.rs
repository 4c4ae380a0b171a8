//! The rules that count for an account.

use std::collections::BTreeMap;

use k8s_openapi::api::rbac::v1::{PolicyRule, RoleRef, Subject};

use super::READS;
use crate::doctor::cure::Account;
use crate::doctor::seen;

/// A rule that counts for somebody.
pub(super) struct Grant<'a> {
    /// Where; `None` is everywhere.
    pub(super) namespace: Option<&'a str>,
    pub(super) rule: &'a PolicyRule,
    /// The Role, for messages.
    pub(super) role: String,
    /// Whether the account itself is named, and not a group that it is in.
    pub(super) is_direct: bool,
}

/// All rules that count for somebody.
pub(super) struct Grants<'a> {
    pub(super) all: Vec<Grant<'a>>,
    /// Whether all Roles and bindings could be seen.
    pub(super) is_complete: bool,
}

impl<'a> Grants<'a> {
    pub(super) fn of(access: &'a seen::Access, account: &Account<'_>) -> Self {
        let seen::Access {
            roles,
            role_bindings,
            cluster_roles,
            cluster_role_bindings,
        } = access;
        let mut all = Vec::new();
        let mut named: BTreeMap<(Option<&str>, &str), &[PolicyRule]> = BTreeMap::new();
        for role in roles.known().into_iter().flatten() {
            let name = role.metadata.name.as_deref().unwrap_or_default();
            let rules = role.rules.as_deref().unwrap_or_default();
            named.insert((role.metadata.namespace.as_deref(), name), rules);
        }
        for role in cluster_roles.known().into_iter().flatten() {
            let name = role.metadata.name.as_deref().unwrap_or_default();
            named.insert((None, name), role.rules.as_deref().unwrap_or_default());
        }
        let mut add = |reference: &'a RoleRef,
                       subjects: Option<&'a Vec<Subject>>,
                       namespace: Option<&'a str>| {
            let subjects = subjects.into_iter().flatten();
            let named_as = subjects.filter_map(|subject| is_directly(subject, account, namespace));
            let Some(is_direct) = named_as.max() else {
                return;
            };
            let is_cluster_role = reference.kind == "ClusterRole";
            let place = if is_cluster_role { None } else { namespace };
            let rules = named.get(&(place, reference.name.as_str()));
            for rule in rules.copied().unwrap_or_default() {
                let role = match place {
                    Some(namespace) => format!("Role {namespace}/{}", reference.name),
                    None => format!("ClusterRole {}", reference.name),
                };
                all.push(Grant {
                    namespace,
                    rule,
                    role,
                    is_direct,
                });
            }
        };
        for binding in role_bindings.known().into_iter().flatten() {
            let namespace = binding.metadata.namespace.as_deref();
            add(&binding.role_ref, binding.subjects.as_ref(), namespace);
        }
        for binding in cluster_role_bindings.known().into_iter().flatten() {
            add(&binding.role_ref, binding.subjects.as_ref(), None);
        }
        let is_complete = roles.known().is_some()
            && role_bindings.known().is_some()
            && cluster_roles.known().is_some()
            && cluster_role_bindings.known().is_some();
        Self { all, is_complete }
    }

    /// Whether something may be done; without a namespace, everywhere.
    pub(super) fn allow(&self, need: &Need<'_>, verb: &str) -> bool {
        self.all.iter().any(|grant| {
            let is_there = grant.namespace.is_none() || grant.namespace == need.namespace;
            is_there && grant.covers(verb, need.group, need.resource) && grant.has_name(need.name)
        })
    }
}

impl Grant<'_> {
    pub(super) fn covers(&self, verb: &str, group: &str, resource: &str) -> bool {
        let has = |list: Option<&Vec<String>>, wanted: &str| {
            let mut list = list.into_iter().flatten();
            list.any(|each| each == wanted || each == "*")
        };
        let verbs = Some(&self.rule.verbs);
        has(verbs, verb)
            && has(self.rule.api_groups.as_ref(), group)
            && has(self.rule.resources.as_ref(), resource)
    }

    pub(super) fn is_named(&self) -> bool {
        self.rule
            .resource_names
            .as_ref()
            .is_some_and(|names| !names.is_empty())
    }

    pub(super) fn has_name(&self, name: Option<&str>) -> bool {
        let names = self.rule.resource_names.iter().flatten();
        let mut names = names.map(String::as_str);
        !self.is_named() || names.any(|each| Some(each) == name)
    }

    pub(super) fn reads_secrets(&self) -> bool {
        READS.iter().any(|verb| self.covers(verb, "", "secrets"))
    }

    pub(super) fn has_wildcard(&self) -> bool {
        let lists = [
            Some(&self.rule.verbs),
            self.rule.resources.as_ref(),
            self.rule.api_groups.as_ref(),
        ];
        lists
            .into_iter()
            .flatten()
            .flatten()
            .any(|each| each == "*")
    }

    /// Where it counts, for messages.
    pub(super) fn place(&self) -> String {
        match self.namespace {
            Some(namespace) => format!("in namespace {namespace}"),
            None => "in all namespaces".into(),
        }
    }
}

/// Whether a subject is an account by its own name (`true`) or by a group.
fn is_directly(subject: &Subject, account: &Account<'_>, namespace: Option<&str>) -> Option<bool> {
    let Account {
        namespace: own,
        name,
    } = account;
    match subject.kind.as_str() {
        "ServiceAccount" => {
            let of = subject
                .namespace
                .as_deref()
                .filter(|namespace| !namespace.is_empty());
            (subject.name == *name && of.or(namespace) == Some(*own)).then_some(true)
        }
        "User" => (subject.name == format!("system:serviceaccount:{own}:{name}")).then_some(true),
        "Group" => {
            let is_in = subject.name == "system:serviceaccounts"
                || subject.name == "system:authenticated"
                || subject.name == format!("system:serviceaccounts:{own}");
            is_in.then_some(false)
        }
        _ => None,
    }
}

/// Something that has to be allowed.
#[derive(Clone, Copy)]
pub(super) struct Need<'a> {
    pub(super) namespace: Option<&'a str>,
    pub(super) group: &'a str,
    pub(super) resource: &'a str,
    pub(super) name: Option<&'a str>,
    pub(super) verbs: &'a [&'a str],
}
