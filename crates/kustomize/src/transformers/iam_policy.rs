//! `IAMPolicyGenerator`: a service account that is bound to an account of a cloud provider.

use goyaml::{Limits, Node, Text};

use crate::decode::{fields, text};
use crate::error::{Error, Result};
use crate::resource::Resource;

/// What an `IAMPolicyGenerator` is told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct IamPolicy {
    cloud: Text,
    service_account: Text,
    project: Text,
    name: Text,
    namespace: Text,
}

impl IamPolicy {
    /// Reads the generator's configuration.
    ///
    /// # Errors
    /// Where a field is of another type.
    pub(crate) fn decode(configuration: &Node) -> Result<Self> {
        let mut policy = Self::default();
        for (name, value) in fields(configuration, "the generator")? {
            match name.as_str() {
                "cloud" => policy.cloud = text(value, "cloud")?,
                "kubernetesservice" => {
                    for (name, part) in fields(value, "kubernetesService")? {
                        match name.as_str() {
                            "name" => policy.name = text(part, "kubernetesService.name")?,
                            "namespace" => {
                                policy.namespace = text(part, "kubernetesService.namespace")?;
                            }
                            _ => {}
                        }
                    }
                }
                "serviceaccount" => {
                    for (name, part) in fields(value, "serviceAccount")? {
                        match name.as_str() {
                            "name" => policy.service_account = text(part, "serviceAccount.name")?,
                            "projectid" => policy.project = text(part, "serviceAccount.projectId")?,
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(policy)
    }

    /// Makes the service account.
    ///
    /// # Errors
    /// For a cloud other than `gke`.
    // kustomize: filters/iampolicygenerator
    pub(crate) fn generate(&self) -> Result<Resource> {
        let Self {
            cloud,
            service_account,
            project,
            name,
            namespace,
        } = self;
        if cloud != "gke" {
            return Err(
                Error::new(format!("IAMPolicyGenerator knows no cloud `{cloud}`"))
                    .hint("`cloud` must be `gke`"),
            );
        }
        // kustomize: generateGkeIAMPolicyResources reads a text that the values are put into as they are.
        let mut written = format!(
            "
apiVersion: v1
kind: ServiceAccount
metadata:
  annotations:
    iam.gke.io/gcp-service-account: {service_account}@{project}.iam.gserviceaccount.com
  name: {name}
"
        );
        if !namespace.is_empty() {
            written.push_str("\n  namespace: ");
            written.push_str(namespace);
        }
        let parsed = goyaml::parse(written.as_bytes(), &Limits::default())
            .map_err(|error| Error::new(format!("the names make no YAML: {}", error.message)))?;
        let mut node = parsed.unwrap_or_else(Node::null);
        node.set_text_place(goyaml::TextPlace::at(goyaml::Position::default()));
        Ok(Resource::new(node))
    }
}

#[cfg(test)]
mod tests {
    use goyaml::Limits;

    use super::IamPolicy;

    fn policy(text: &str) -> IamPolicy {
        IamPolicy::decode(
            &goyaml::parse(text.as_bytes(), &Limits::default())
                .unwrap()
                .unwrap(),
        )
        .unwrap()
    }

    #[test]
    fn service_accounts_are_bound_to_accounts_of_the_cloud() {
        let policy = policy(
            "{cloud: gke, kubernetesService: {name: k8s-sa, namespace: ns}, \
             serviceAccount: {name: gsa, projectId: proj}}",
        );
        let mut out = String::new();
        goyaml::emit_canonical(policy.generate().unwrap().node(), &mut out).unwrap();
        let expected = "apiVersion: v1
kind: ServiceAccount
metadata:
  annotations:
    iam.gke.io/gcp-service-account: gsa@proj.iam.gserviceaccount.com
  name: k8s-sa
  namespace: ns
";
        assert_eq!(out, expected);
    }

    #[test]
    fn other_clouds_are_refused() {
        assert!(policy("{cloud: other}").generate().is_err());
    }
}
