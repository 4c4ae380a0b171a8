//! All that decisions are made from, read once.

mod found;
mod pager;
mod words;

use std::collections::BTreeSet;
use std::time::Duration;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::ListParams;
use tokio::time::Instant as Moment;

use super::Cluster;
use super::ask::ask;
use super::owners::{argocd_config, owner};
use super::pruned::{Applications, ConfigMaps, Projects, Secrets};
use crate::failure::{Failure, Problem};
use crate::settings::consent;
use crate::settings::object::ObjectKind;
use crate::steer::owner::{Instance, Owner, OwnerName};
use crate::steer::ownership::owners;
use crate::steer::policy::{self, Namespaces, Policy};
use crate::steer::state::{Controls, State};
use found::Found;
pub(super) use pager::Reader;
use words::{Wrong, odd};

/// How many owners are asked for at the same time.
const OWNERS: usize = 20;
/// What was found.
pub struct Observed {
    /// What is known of the cluster.
    pub state: State,
    /// What is not known of it, although decisions can be made without.
    pub warnings: Vec<Problem>,
}

impl Cluster {
    /// Reads everything that decisions are made from, within a limit for all of it together.
    ///
    /// # Errors
    /// Where a part of it cannot be had without which a decision might be another one: all such parts.
    pub fn observe(&self, policy: &Policy, limit: Duration) -> Result<Observed, Failure> {
        let reader = Reader {
            client: self.client.clone(),
            server: self.server.clone(),
            deadline: Moment::now() + limit,
        };
        self.runtime.block_on(reader.all(policy))
    }
}

impl Reader {
    async fn all(self, policy: &Policy) -> Result<Observed, Failure> {
        let mut found = Found::default();
        let label = ListParams::default().labels(&policy.environment_label);
        let applications = self.in_each::<Applications>(&policy.application_namespaces, &label);
        let watched = policy.watched();
        let (mut maps, mut secrets) = (Vec::new(), Vec::new());
        for labels in [
            format!("{}=true", consent::LABEL),
            policy::ENVIRONMENT.into(),
        ] {
            let selected = ListParams::default().labels(&labels);
            maps.extend(self.in_each::<ConfigMaps>(&watched, &selected));
            let (namespaces, selected) = of_secrets(policy, selected);
            secrets.extend(self.in_each::<Secrets>(&namespaces, &selected));
        }
        let own = Namespaces::Only([policy.argocd_namespace.clone()].into());
        let projects = self.in_each::<Projects>(&own, &ListParams::default());
        for application in found.take(applications).await {
            let name = application.name();
            match application.into_content() {
                Some(application) => {
                    found.state.applications.insert(name, Box::new(application));
                }
                None => found.warnings.push(odd("Application", &name.to_string())),
            }
        }
        for map in found.take(maps).await {
            found.add(map.object_name(), map.into_content());
        }
        for secret in found.take(secrets).await {
            found.add(secret.object_name(), secret.into_content());
        }
        found.projects(projects).await;
        match self.controls(&policy.own_namespace).await {
            Ok(controls) => found.state.controls = controls,
            Err(wrong) => found.wrong.push(wrong),
        }
        if found.wrong.is_empty() {
            let rest = self.rest();
            let config = argocd_config(&self.client, &policy.argocd_namespace, rest).await;
            found.state.instance = config
                .as_ref()
                .map(Instance::from_config)
                .unwrap_or_default();
            self.owners(&mut found.state, policy).await;
        }
        found.finish()
    }

    /// What is left of the time.
    fn rest(&self) -> Duration {
        self.deadline.saturating_duration_since(Moment::now())
    }

    /// Asks for all who create Applications and may write them again.
    async fn owners(&self, state: &mut State, policy: &Policy) {
        let instance = &state.instance;
        let names = state.applications.values();
        let names = names.flat_map(|application| owners(application, instance, policy));
        let names: Vec<OwnerName> = names.collect::<BTreeSet<_>>().into_iter().collect();
        for names in names.chunks(OWNERS) {
            let ask = |name: &OwnerName| {
                let (client, name, rest) = (self.client.clone(), name.clone(), self.rest());
                tokio::spawn(async move { owner(&client, &name, rest).await })
            };
            let asked: Vec<_> = names.iter().map(ask).collect();
            for (name, asked) in names.iter().zip(asked) {
                let found = asked.await.unwrap_or(Owner::Unreadable);
                state.owners.insert(name.clone(), found);
            }
        }
    }

    async fn controls(&self, namespace: &str) -> Result<Controls, Wrong> {
        let api: Api<ConfigMap> = Api::namespaced(self.client.clone(), namespace);
        let found = ask(self.deadline, || api.get_opt(Controls::NAME)).await;
        let found = found.map_err(|silence| {
            let object = format!("ConfigMap {namespace}/{}", Controls::NAME);
            let rule = format!(
                "{{apiGroups: [\"\"], resources: [configmaps], resourceNames: [{}], verbs: [get]}}",
                Controls::NAME
            );
            self.told(
                silence,
                "what the controller is told",
                (&object, Some(namespace), &rule),
            )
        })?;
        let data = found.and_then(|found| found.data).unwrap_or_default();
        Ok(Controls::read(&data))
    }
}

/// The namespaces whose Secrets count, and how they are asked for: of Argo CD's own nothing may even be asked for.
fn of_secrets(policy: &Policy, selected: ListParams) -> (Namespaces, ListParams) {
    match policy.watched() {
        Namespaces::All => {
            let field = format!("metadata.namespace!={}", policy.argocd_namespace);
            (Namespaces::All, selected.fields(&field))
        }
        Namespaces::Only(mut names) => {
            names.retain(|name| policy.counts(ObjectKind::Secret, name));
            (Namespaces::Only(names), selected)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::fake::{cluster, list, refusal};
    use super::*;
    use crate::steer::application::Name;

    /// Reads everything from an API server that answers so; what it was asked comes back, too.
    fn observe(
        policy: &Policy,
        answer: impl Fn(&str, usize) -> (u16, Value) + Clone + Send + 'static,
    ) -> (Result<Observed, String>, Vec<String>) {
        let (cluster, asked) = cluster(answer);
        let found = cluster.observe(policy, Duration::from_secs(5));
        let asked = asked.requests().into_iter();
        let asked = asked.map(|request| request.strip_prefix("GET ").unwrap().to_owned());
        (
            found.map_err(|failure| failure.to_string()),
            asked.collect(),
        )
    }

    /// What there is where there is nothing.
    fn nothing(path: &str) -> (u16, Value) {
        if path.ends_with(Controls::NAME) {
            return refusal(404);
        }
        list(&json!([]), "")
    }

    fn item(namespace: &str, name: &str) -> Value {
        json!({"metadata": {"namespace": namespace, "name": name}, "data": {}})
    }

    #[test]
    fn a_list_is_read_page_by_page_and_begun_again_where_it_expires() {
        let (found, asked) = observe(&Policy::default(), |path, before| {
            if path.contains("/applications?") {
                let is_next = path.contains("continue=more");
                return match (is_next, before) {
                    (false, _) => list(&json!([item("argocd", "a")]), "more"),
                    (true, 0) => refusal(410),
                    (true, _) => list(
                        &json!([item("argocd", "b"), {"metadata": {"name": "odd"}, "spec": 1}]),
                        "",
                    ),
                };
            }
            if path.contains("/secrets?") && path.contains("settings") {
                return list(&json!([item("argocd-infisical", "s")]), "");
            }
            if path.ends_with(Controls::NAME) {
                return (200, json!({"metadata": {}, "data": {"pause": "true"}}));
            }
            nothing(path)
        });
        let Observed { state, warnings } = found.unwrap();
        let names: Vec<_> = state.applications.keys().map(Name::to_string).collect();
        assert_eq!(names, ["argocd/a", "argocd/b"]);
        let names: Vec<_> = state.objects.keys().map(ToString::to_string).collect();
        assert_eq!(names, ["Secret argocd-infisical/s"]);
        assert!(state.controls.is_paused && state.projects.is_some());
        assert!(
            warnings[0]
                .message
                .starts_with("`/odd` is not made as a Application"),
            "{}",
            warnings[0]
        );
        // Nothing but this is asked for.
        let kinds = asked
            .iter()
            .map(|path| path.split(['?', '&']).next().unwrap());
        let kinds: BTreeSet<&str> = kinds.collect();
        let expected = [
            "/api/v1/namespaces/argocd-infisical/configmaps",
            "/api/v1/namespaces/argocd-infisical/configmaps/argocd-infisical-controls",
            "/api/v1/namespaces/argocd-infisical/secrets",
            "/api/v1/namespaces/argocd/configmaps/argocd-cm",
            "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications",
            "/apis/argoproj.io/v1alpha1/namespaces/argocd/appprojects",
        ];
        assert_eq!(kinds.into_iter().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn secrets_of_argo_cd_are_never_asked_for() {
        let mut policy = Policy {
            object_namespaces: Namespaces::All,
            ..Policy::default()
        };
        let secrets = |policy: &Policy| {
            let (found, asked) = observe(policy, |path, _| nothing(path));
            assert!(found.is_ok());
            let secrets = asked.into_iter().filter(|path| path.contains("secrets"));
            secrets.collect::<Vec<_>>()
        };
        let all = secrets(&policy);
        let field = "fieldSelector=metadata.namespace%21%3Dargocd";
        assert!(
            !all.is_empty() && all.iter().all(|path| path.contains(field)),
            "{all:?}"
        );
        let only = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        policy.object_namespaces = Namespaces::Only(only(&["argocd", "home"]));
        policy.override_namespaces = only(&["argocd"]);
        let some = secrets(&policy);
        assert!(
            !some.is_empty() && some.iter().all(|path| path.contains("/namespaces/home/")),
            "{some:?}"
        );
    }

    #[test]
    fn what_may_not_be_read_is_told_with_the_rule_that_lets_it() {
        let (found, _) = observe(&Policy::default(), |path, _| {
            if path.contains("/secrets?") || path.contains("/appprojects?") {
                return refusal(403);
            }
            nothing(path)
        });
        let expected = "error: the API server does not let this identity read `secrets in namespace argocd-infisical` (status 403)\n\
                        hint: bind it to a Role in namespace `argocd-infisical` with the rule `{apiGroups: [\"\"], resources: [secrets], verbs: [list]}`\n";
        assert_eq!(found.err().unwrap(), expected);
        // Without projects there are decisions, and a word of it.
        let (found, _) = observe(&Policy::default(), |path, _| {
            if path.contains("/appprojects?") {
                return refusal(403);
            }
            nothing(path)
        });
        let Observed { state, warnings } = found.unwrap();
        assert!(state.projects.is_none());
        assert!(
            warnings[0]
                .to_string()
                .contains("note: sync windows are not known"),
            "{}",
            warnings[0]
        );
    }

    #[test]
    fn owners_are_asked_for_where_an_application_has_one() {
        let (found, asked) = observe(&Policy::default(), |path, _| {
            if path.contains("/applications?") {
                let owned = |name: &str, set: &str| {
                    let owner = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet", "name": set});
                    json!({"metadata": {"namespace": "argocd", "name": name, "ownerReferences": [owner]}})
                };
                return list(
                    &json!([
                        owned("a", "there"),
                        owned("b", "there"),
                        owned("c", "gone"),
                        owned("d", "hidden")
                    ]),
                    "",
                );
            }
            match path.rsplit('/').next() {
                Some("there") => (
                    200,
                    json!({"metadata": {}, "spec": {"syncPolicy": {"applicationsSync": "create-only"}}}),
                ),
                Some("hidden") => refusal(403),
                Some("gone" | "argocd-cm") => refusal(404),
                _ => nothing(path),
            }
        });
        let state = found.unwrap().state;
        let of = |name: &str| &state.owners[&OwnerName::ApplicationSet(Name::new("argocd", name))];
        assert!(
            matches!(of("there"), Owner::ApplicationSet(set) if set.spec.sync_policy.is_some())
        );
        assert!(matches!(of("gone"), Owner::Absent));
        assert!(matches!(of("hidden"), Owner::Unreadable));
        let sets = asked.iter().filter(|path| path.contains("applicationsets"));
        assert_eq!(sets.count(), 3);
        assert!(asked.contains(&"/api/v1/namespaces/argocd/configmaps/argocd-cm".to_owned()));
    }

    #[test]
    fn a_cluster_without_argo_cd() {
        let (found, _) = observe(&Policy::default(), |path, _| {
            if path.contains("argoproj.io") {
                return refusal(404);
            }
            nothing(path)
        });
        let told = found.err().unwrap();
        assert!(
            told.starts_with("error: the API server `there` has no applications (status 404)\nhint: see whether this is the cluster that is meant"),
            "{told}"
        );
        assert!(!told.contains("hunter2"), "{told}");
    }
}
