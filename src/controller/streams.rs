//! Which watches there are: one for each kind, namespace and selector.

use std::collections::BTreeSet;
use std::fmt;

use crate::settings::consent::LABEL as SETTINGS;
use crate::settings::object::ObjectKind;
use crate::steer::Policy;
use crate::steer::policy::{ENVIRONMENT, Namespaces};
use crate::steer::state::Controls;

/// What a watch is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Subject {
    /// Applications that take part.
    Applications,
    /// Objects with revisions or settings.
    Objects(ObjectKind),
    /// Projects, for their sync windows.
    Projects,
    /// What people tell the controller.
    Controls,
}

/// One watch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stream {
    /// What it is for.
    pub(super) subject: Subject,
    /// Its namespace; `None` is all of them.
    pub(super) namespace: Option<String>,
    /// Its selector of labels, and of fields; either may be empty.
    pub(super) labels: String,
    pub(super) fields: String,
}

impl Subject {
    /// The resource, as RBAC rules have it.
    pub(super) const fn resource(self) -> &'static str {
        match self {
            Self::Applications => "applications",
            Self::Objects(kind) => kind.resource(),
            Self::Projects => "appprojects",
            Self::Controls => ObjectKind::ConfigMap.resource(),
        }
    }

    /// Its API group.
    pub(super) const fn group(self) -> &'static str {
        match self {
            Self::Applications | Self::Projects => "argoproj.io",
            Self::Objects(_) | Self::Controls => "",
        }
    }
}

impl Stream {
    /// The path, up to its query.
    pub(super) fn path(&self) -> String {
        let root = match self.subject.group() {
            "" => "/api/v1".to_owned(),
            group => format!("/apis/{group}/v1alpha1"),
        };
        let resource = self.subject.resource();
        match &self.namespace {
            None => format!("{root}/{resource}"),
            Some(namespace) => format!("{root}/namespaces/{namespace}/{resource}"),
        }
    }

    /// The RBAC rule that lets it be watched.
    pub(super) fn rule(&self) -> String {
        let (group, resource) = (self.subject.group(), self.subject.resource());
        let group = if group.is_empty() { "\"\"" } else { group };
        format!("{{apiGroups: [{group}], resources: [{resource}], verbs: [get, list, watch]}}")
    }
}

impl fmt::Display for Stream {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let resource = self.subject.resource();
        match &self.namespace {
            None => write!(formatter, "{resource} of all namespaces")?,
            Some(namespace) => write!(formatter, "{resource} of namespace {namespace}")?,
        }
        match (self.labels.as_str(), self.fields.as_str()) {
            ("", "") => Ok(()),
            ("", selector) | (selector, _) => write!(formatter, " ({selector})"),
        }
    }
}

/// All watches that a policy asks for.
pub(super) fn streams(policy: &Policy) -> Vec<Stream> {
    let mut streams = Vec::new();
    for namespace in each(&policy.application_namespaces) {
        streams.push(Stream {
            subject: Subject::Applications,
            namespace,
            labels: policy.environment_label.clone(),
            fields: String::new(),
        });
    }
    for kind in [ObjectKind::ConfigMap, ObjectKind::Secret] {
        for namespace in object_namespaces(policy) {
            let is_own = namespace.as_deref() == Some(&*policy.argocd_namespace);
            if kind == ObjectKind::Secret && is_own {
                continue;
            }
            let fields = if kind == ObjectKind::Secret && namespace.is_none() {
                format!("metadata.namespace!={}", policy.argocd_namespace)
            } else {
                String::new()
            };
            for labels in [format!("{SETTINGS}=true"), ENVIRONMENT.to_owned()] {
                streams.push(Stream {
                    subject: Subject::Objects(kind),
                    namespace: namespace.clone(),
                    labels,
                    fields: fields.clone(),
                });
            }
        }
    }
    streams.push(Stream {
        subject: Subject::Projects,
        namespace: Some(policy.argocd_namespace.clone()),
        labels: String::new(),
        fields: String::new(),
    });
    streams.push(Stream {
        subject: Subject::Controls,
        namespace: Some(policy.own_namespace.clone()),
        labels: String::new(),
        fields: format!("metadata.name={}", Controls::NAME),
    });
    streams
}

fn each(namespaces: &Namespaces) -> Vec<Option<String>> {
    match namespaces {
        Namespaces::All => vec![None],
        Namespaces::Only(names) => names.iter().cloned().map(Some).collect(),
    }
}

/// The namespaces with objects, each once.
fn object_namespaces(policy: &Policy) -> Vec<Option<String>> {
    match &policy.object_namespaces {
        Namespaces::All => vec![None],
        Namespaces::Only(names) => {
            let names: BTreeSet<_> = names.union(&policy.override_namespaces).collect();
            names.into_iter().cloned().map(Some).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(policy: &Policy) -> Vec<String> {
        let streams = streams(policy);
        streams.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn one_for_each_kind_namespace_and_selector() {
        let policy = Policy {
            object_namespaces: Namespaces::Only(["home".to_owned(), "argocd".to_owned()].into()),
            ..Policy::default()
        };
        let both = |what: &str| {
            [
                format!("{what} (argocd-infisical.io/settings=true)"),
                format!("{what} (argocd-infisical.io/environment)"),
            ]
        };
        let mut expected =
            vec!["applications of namespace argocd (argocd-infisical.io/environment)".to_owned()];
        for namespace in ["argocd", "argocd-infisical", "home"] {
            expected.extend(both(&format!("configmaps of namespace {namespace}")));
        }
        // Of Argo CD's own namespace no Secret is ever asked for.
        for namespace in ["argocd-infisical", "home"] {
            expected.extend(both(&format!("secrets of namespace {namespace}")));
        }
        expected.push("appprojects of namespace argocd".into());
        expected.push(
            "configmaps of namespace argocd-infisical (metadata.name=argocd-infisical-controls)"
                .into(),
        );
        assert_eq!(shown(&policy), expected);
    }

    #[test]
    fn of_all_namespaces_the_secrets_of_argo_cd_are_left_out() {
        let policy = Policy {
            application_namespaces: Namespaces::All,
            object_namespaces: Namespaces::All,
            ..Policy::default()
        };
        let streams = streams(&policy);
        let secrets = streams
            .iter()
            .filter(|stream| stream.subject == Subject::Objects(ObjectKind::Secret));
        let fields: Vec<_> = secrets.map(|stream| stream.fields.as_str()).collect();
        assert_eq!(fields, ["metadata.namespace!=argocd"; 2]);
        assert_eq!(streams[0].path(), "/apis/argoproj.io/v1alpha1/applications");
    }
}
