//! What several checks need to know: which containers are ours, what the policies say, and what Applications ask for.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::Container;
use serde_json::Value;

use super::pod::{self, Mounted, Pod};
use super::seen::{Data, DescribedApplication, Part, Seen};
use crate::plugin::parameters::SETTINGS;
use crate::settings;
use crate::settings::object::{Object, ObjectKind, ObjectName, Reference};
use crate::steer::Name;
use crate::steer::application::Source;
use crate::steer::owner::{Instance, Owner, OwnerName, Parent};
use crate::steer::ownership::owners;
use crate::steer::policy::{ENVIRONMENT, Policy};
use crate::steer::state::{Controls, State};

/// What is in the image.
const PLUGIN: &str = include_str!("../../plugin.yaml");
/// Where cmp-server looks for it.
pub(super) const PLUGIN_FILE: &str = "/home/argocd/cmp-server/config/plugin.yaml";

/// What is known before anything is checked.
pub(super) struct Look<'a> {
    /// What was read.
    pub(super) seen: &'a Seen,
    /// Argo CD's repo-server.
    pub(super) repo_server: Option<Pod<'a>>,
    /// The sidecars in it.
    pub(super) sidecars: Vec<Sidecar<'a>>,
    /// The controller.
    pub(super) controller: Option<(Pod<'a>, &'a Container)>,
    /// The controller's policy, or why there is none.
    pub(super) controller_policy: Found<Policy>,
    /// The controller's policy, or the usual one.
    pub(super) policy: Policy,
    /// Whether that is the one that counts; where it is not, nothing is said that hangs on it.
    pub(super) knows_policy: bool,
    /// The names under which the plugin can be called.
    pub(super) sockets: BTreeSet<String>,
    /// What decisions are made from.
    pub(super) state: State,
}

/// A sidecar, and what its files say.
pub(super) struct Sidecar<'a> {
    /// The container.
    pub(super) container: &'a Container,
    /// The `plugin.yaml` that it starts with.
    pub(super) plugin: Found<Value>,
    /// The policy that it holds Applications to; `None` where the plugin names none.
    pub(super) policy: Option<Found<settings::policy::Policy>>,
}

/// What is in a file.
#[derive(Clone, Debug)]
pub(super) enum Found<T> {
    /// This.
    Valid(T),
    /// It cannot be used, and why.
    Wrong(String),
    /// It is not known, or not in a `ConfigMap`.
    Unknown,
}

impl<T> Found<T> {
    pub(super) const fn valid(&self) -> Option<&T> {
        match self {
            Self::Valid(valid) => Some(valid),
            _ => None,
        }
    }
}

/// What is known of an object.
pub(super) enum Sight<'a> {
    /// It is there.
    There(&'a Object),
    /// It is not there.
    Absent,
    /// It could not be seen.
    Unknown,
}

/// A source that the plugin renders.
pub(super) struct Rendered<'a> {
    /// The JSON pointer to it.
    pub(super) pointer: String,
    /// It.
    pub(super) source: &'a Source,
    /// The objects with settings that it names, each with what is wrong with it.
    pub(super) references: Vec<Result<Reference, &'static str>>,
}

impl<'a> Look<'a> {
    /// Looks once.
    pub(super) fn new(seen: &'a Seen) -> Self {
        let deployments = seen.argocd_deployments.known();
        let mut pods = deployments.into_iter().flatten().filter_map(Pod::of);
        let repo_server = pods.find(is_repo_server);
        let own = seen.own_deployments.known();
        let mut pods = own.into_iter().flatten().filter_map(Pod::of);
        let controller = pods.find_map(|pod| {
            let mut containers = pod.spec.containers.iter();
            Some((pod, containers.find(|each| pod::is_controller(each))?))
        });
        let sidecars = repo_server
            .map(|pod| sidecars(seen, pod))
            .unwrap_or_default();
        let controller_policy = controller_policy(seen, controller);
        let policy = controller_policy
            .valid()
            .cloned()
            .unwrap_or_else(|| usual(seen));
        let sockets = sidecars
            .iter()
            .filter_map(|sidecar| socket(sidecar.plugin.valid()?));
        let mut sockets: BTreeSet<String> = sockets.collect();
        if sidecars.is_empty() {
            sockets.insert("argocd-infisical".into());
        }
        // Without a controller the usual one is what it will have.
        let is_to_come = controller.is_none() && seen.own_deployments.known().is_some();
        let knows_policy = controller_policy.valid().is_some() || is_to_come;
        let state = state(seen, &policy, knows_policy);
        Self {
            seen,
            repo_server,
            sidecars,
            controller,
            controller_policy,
            policy,
            knows_policy,
            sockets,
            state,
        }
    }

    /// All Applications.
    pub(super) fn applications(
        &self,
    ) -> impl Iterator<Item = (&'a Name, &'a DescribedApplication)> {
        self.seen.applications.known().into_iter().flatten()
    }

    /// The sources that the plugin renders, under any of its names.
    pub(super) fn rendered(&self, described: &'a DescribedApplication) -> Vec<Rendered<'a>> {
        let mut rendered = Vec::new();
        for (pointer, source) in described.application.sources() {
            let Some(plugin) = &source.plugin else {
                continue;
            };
            let name = plugin.name.as_deref().unwrap_or_default();
            let is_ours = self.sockets.contains(name)
                || self.policy.plugins.contains(name)
                || name.starts_with("argocd-infisical");
            let named = plugin
                .parameters
                .iter()
                .filter(|one| one.name == SETTINGS.name);
            let texts: Vec<&String> = named.flat_map(|one| one.array.iter().flatten()).collect();
            let looks_ours = name.is_empty() && texts.iter().any(|text| text.contains('/'));
            if is_ours || looks_ours {
                rendered.push(Rendered {
                    pointer,
                    source,
                    references: texts.into_iter().map(|text| text.parse()).collect(),
                });
            }
        }
        rendered
    }

    /// The objects with settings that an Application names.
    pub(super) fn references(&self, described: &'a DescribedApplication) -> Vec<Reference> {
        let rendered = self.rendered(described);
        let references = rendered
            .into_iter()
            .flat_map(|rendered| rendered.references);
        references.filter_map(Result::ok).collect()
    }

    /// What is known of an object.
    pub(super) fn object(&self, name: &ObjectName) -> Sight<'a> {
        let is_hidden =
            name.kind == ObjectKind::Secret && name.namespace == self.seen.argocd_namespace;
        let part = match name.kind {
            ObjectKind::ConfigMap => &self.seen.config_maps,
            ObjectKind::Secret => &self.seen.secrets,
        };
        let Some(known) = part.known().filter(|_| !is_hidden) else {
            return Sight::Unknown;
        };
        known.get(name).map_or(Sight::Absent, Sight::There)
    }

    /// All objects that could be seen.
    pub(super) fn objects(&self) -> impl Iterator<Item = (&'a ObjectName, &'a Object)> {
        let maps = self.seen.config_maps.known().into_iter().flatten();
        maps.chain(self.seen.secrets.known().into_iter().flatten())
    }

    /// Whether the controller looks at objects of a namespace, as far as is known.
    pub(super) fn is_watched(&self, kind: ObjectKind, namespace: &str) -> bool {
        !self.knows_policy || self.policy.counts(kind, namespace)
    }
}

fn is_repo_server(pod: &Pod<'_>) -> bool {
    let labels = pod.deployment.metadata.labels.as_ref();
    let label = |name: &str| {
        labels
            .and_then(|labels| labels.get(name))
            .map(String::as_str)
    };
    pod.name() == "argocd-repo-server"
        || label("app.kubernetes.io/name") == Some("argocd-repo-server")
        || label("app.kubernetes.io/component") == Some("repo-server")
}

fn sidecars<'a>(seen: &'a Seen, pod: Pod<'a>) -> Vec<Sidecar<'a>> {
    let containers = pod.spec.containers.iter();
    let ours = containers.filter(|container| pod::is_sidecar(container));
    let own = seen.argocd_namespace.as_str();
    let sidecar = |container: &'a Container| {
        let mounted = pod.file(container, PLUGIN_FILE);
        let text = match &mounted {
            None => Found::Valid(PLUGIN.to_owned()),
            Some(mounted) => text_of(seen, own, mounted),
        };
        let plugin = parsed(text, |text| {
            serde_saphyr::from_str(text).map_err(|_| "it is not valid YAML".to_owned())
        });
        let path = plugin.valid().and_then(policy_path);
        let policy = path.map(|path| {
            let text = match pod.file(container, &path) {
                None => Found::Wrong(format!("nothing is mounted at {path}")),
                Some(mounted) => text_of(seen, own, &mounted),
            };
            parsed(text, |text| {
                let policy = settings::policy::Policy::of_text(text.as_bytes())?;
                Ok(settings::policy::Policy {
                    secretless_namespace: Some(own.to_owned()),
                    ..policy
                })
            })
        });
        Sidecar {
            container,
            plugin,
            policy,
        }
    };
    ours.map(sidecar).collect()
}

/// The words of the command that renders.
pub(super) fn generate(plugin: &Value) -> Vec<&str> {
    let generate = &plugin["spec"]["generate"];
    let lists = [&generate["command"], &generate["args"]];
    let words = lists
        .into_iter()
        .flat_map(|list| list.as_array().into_iter().flatten());
    words.filter_map(Value::as_str).collect()
}

fn policy_path(plugin: &Value) -> Option<String> {
    let words = generate(plugin);
    pod::value_of(words.into_iter(), "--policy").map(ToOwned::to_owned)
}

/// The name under which cmp-server offers a plugin.
// Argo CD: PluginConfig.Address
fn socket(plugin: &Value) -> Option<String> {
    let name = plugin["metadata"]["name"]
        .as_str()
        .filter(|name| !name.is_empty())?;
    let version = plugin["spec"]["version"].as_str().unwrap_or_default();
    Some(if version.is_empty() {
        name.to_owned()
    } else {
        format!("{name}-{version}")
    })
}

fn text_of(seen: &Seen, namespace: &str, mounted: &Mounted<'_>) -> Found<String> {
    let Mounted::ConfigMap { name, key } = mounted else {
        return Found::Unknown;
    };
    match seen.files.get(&Name::new(namespace, *name)) {
        Some(Part::Known(data)) => data.get(key).map_or_else(
            || Found::Wrong(format!("ConfigMap {namespace}/{name} has no key `{key}`")),
            |text| Found::Valid(text.clone()),
        ),
        Some(Part::Absent) => Found::Wrong(format!("there is no ConfigMap {namespace}/{name}")),
        Some(Part::Unreadable(_)) | None => Found::Unknown,
    }
}

fn parsed<T>(text: Found<String>, parse: impl FnOnce(&str) -> Result<T, String>) -> Found<T> {
    match text {
        Found::Valid(text) => parse(&text).map_or_else(Found::Wrong, Found::Valid),
        Found::Wrong(why) => Found::Wrong(why),
        Found::Unknown => Found::Unknown,
    }
}

fn controller_policy(seen: &Seen, controller: Option<(Pod<'_>, &Container)>) -> Found<Policy> {
    let Some((pod, container)) = controller else {
        return Found::Unknown;
    };
    let Some(path) = pod::flag(container, "--policy") else {
        return Found::Valid(Policy::default());
    };
    let text = match pod.file(container, path) {
        None => Found::Wrong(format!("nothing is mounted at {path}")),
        Some(mounted) => text_of(seen, &seen.own_namespace, &mounted),
    };
    parsed(text, |text| {
        Policy::of_text(text.as_bytes()).map_err(|fault| fault.to_string())
    })
}

fn usual(seen: &Seen) -> Policy {
    let usual = Policy::default();
    Policy {
        argocd_namespace: seen.argocd_namespace.clone(),
        own_namespace: seen.own_namespace.clone(),
        application_namespaces: crate::steer::policy::Namespaces::Only(
            [seen.argocd_namespace.clone()].into(),
        ),
        override_namespaces: [seen.own_namespace.clone()].into(),
        ..usual
    }
}

/// What the controller would decide from.
fn state(seen: &Seen, policy: &Policy, knows_policy: bool) -> State {
    let mut state = State {
        instance: seen
            .config
            .known()
            .map(Instance::from_config)
            .unwrap_or_default(),
        projects: seen.projects.known().cloned(),
        controls: Controls {
            // A pause is told by itself, and what else would hold is looked for as if there were none.
            is_paused: false,
            ..seen
                .controls
                .known()
                .map(Controls::read)
                .unwrap_or_default()
        },
        ..State::default()
    };
    let all = seen.applications.known().filter(|_| knows_policy);
    for (name, described) in all.into_iter().flatten() {
        let application = &described.application;
        let takes_part = policy.environment_of(application).is_some();
        if takes_part && policy.application_namespaces.has(&name.namespace) {
            for owner in owners(application, &state.instance, policy) {
                let found = found_owner(seen, &owner);
                state.owners.insert(owner, found);
            }
            let application = Box::new(application.clone());
            state.applications.insert(name.clone(), application);
        }
    }
    let maps = seen.config_maps.known().into_iter().flatten();
    let secrets = seen.secrets.known().into_iter().flatten();
    let is_ours = |object: &Object| {
        let labels = &object.labels;
        let label = labels.get(settings::consent::LABEL);
        labels.contains_key(ENVIRONMENT) || label.is_some_and(|label| label == "true")
    };
    let watched = |name: &ObjectName| policy.counts(name.kind, &name.namespace);
    let objects = maps.chain(secrets);
    let objects = objects.filter(|(name, object)| is_ours(object) && watched(name));
    state.objects = objects
        .map(|(name, object)| (name.clone(), object.clone()))
        .collect();
    state
}

fn found_owner(seen: &Seen, name: &OwnerName) -> Owner {
    match name {
        OwnerName::Application(name) => match &seen.applications {
            Part::Known(all) => all.get(name).map_or(Owner::Absent, |found| {
                Owner::Application(Box::new(Parent::of(found.application.clone())))
            }),
            Part::Absent => Owner::Absent,
            Part::Unreadable(_) => Owner::Unreadable,
        },
        OwnerName::ApplicationSet(name) => match &seen.application_sets {
            Part::Known(all) => all.get(name).map_or(Owner::Absent, |found| {
                Owner::ApplicationSet(Box::new(found.clone()))
            }),
            Part::Absent => Owner::Absent,
            Part::Unreadable(_) => Owner::Unreadable,
        },
    }
}

/// The key of a digest that a container has, and the Secret it is in.
pub(super) fn digest_key<'a>(
    pod: Pod<'a>,
    container: &'a Container,
    path: &str,
) -> Option<(&'a str, String)> {
    match pod.file(container, path)? {
        Mounted::Secret { name, key } => Some((name, key)),
        Mounted::ConfigMap { .. } => None,
    }
}

/// A parameter out of `argocd-cmd-params-cm`.
pub(super) fn parameter<'a>(parameters: Option<&'a Data>, key: &str) -> Option<&'a str> {
    parameters?.get(key).map(String::as_str)
}

/// Applications by the names that consent goes by, for messages.
pub(super) fn named(application: &Name) -> String {
    format!("Application {application}")
}

/// Objects grouped by their namespaces.
pub(super) fn by_namespace<'r>(
    names: impl IntoIterator<Item = &'r ObjectName>,
) -> BTreeMap<&'r str, BTreeSet<&'r ObjectName>> {
    let mut grouped: BTreeMap<&str, BTreeSet<&ObjectName>> = BTreeMap::new();
    for name in names {
        grouped.entry(&name.namespace).or_default().insert(name);
    }
    grouped
}
