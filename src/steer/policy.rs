//! What the platform's side decides: environments, who is believed, and limits.

pub(super) mod pattern;
mod read;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

pub use read::Fault;

use super::application::Application;
use super::revision::{Kind, Revision};
use crate::settings::object::ObjectKind;

/// The label that makes an Application take part, and says of an object which environment it speaks of.
pub const ENVIRONMENT: &str = "argocd-infisical.io/environment";
/// The label of an object that speaks of one Application.
pub const APPLICATION: &str = "argocd-infisical.io/application";

/// What the platform's side decides, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Argo CD's namespace.
    pub argocd_namespace: String,
    /// The namespace of the controller, where its own objects are.
    pub own_namespace: String,
    /// The namespaces of Applications.
    pub application_namespaces: Namespaces,
    /// The namespaces whose objects are believed for Applications of every namespace.
    pub override_namespaces: BTreeSet<String>,
    /// The other namespaces whose objects are watched: settings may come from them, and an object with a revision governs
    /// Applications of its own namespace.
    pub object_namespaces: Namespaces,
    /// The key of the label that names the environment.
    pub environment_label: String,
    /// The environments by name.
    pub environments: BTreeMap<String, Environment>,
    /// The names under which Applications call the plugin.
    pub plugins: BTreeSet<String>,
    /// Whether Applications are written whose automated sync is off.
    pub writes_unautomated: bool,
    /// Whether Applications are written while a sync window denies.
    pub writes_in_denied_windows: bool,
    /// How many changes a protected environment may have at once.
    pub breaker: Breaker,
    /// How often the revision of one Application may change.
    pub flap: Flap,
}

/// A choice of namespaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Namespaces {
    /// Every namespace.
    All,
    /// These.
    Only(BTreeSet<String>),
}

/// One environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    /// The revision where nothing overrides it.
    pub default: String,
    /// Patterns of what it may be overridden with: `*` stands for any text, `refs/tags/…` is for tags in full,
    /// `refs/heads/…` for branches in full, anything else for short names and for branches in full by their names. `*`
    /// alone is for all of them.
    pub allowed: Vec<String>,
    /// Whether it may be overridden with the full SHA of a commit.
    pub commits: bool,
    /// Whether the breaker watches it.
    pub is_protected: bool,
    /// The projects whose Applications may take part; `None` is all of them.
    pub projects: Option<BTreeSet<String>>,
}

/// A limit on the changes of a protected environment: more than `max(least, percent of its Applications)` within the time
/// stop until they are acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Breaker {
    /// As many are always allowed.
    pub least: usize,
    /// Per cent of the Applications of the environment.
    pub percent: usize,
    /// The time.
    pub within: Duration,
}

/// A limit on the changes of one Application's revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flap {
    /// How many changes.
    pub changes: usize,
    /// Within which time.
    pub within: Duration,
}

impl Policy {
    /// The environment that an Application says it is of, if it takes part.
    pub fn environment_of<'a>(&self, application: &'a Application) -> Option<&'a str> {
        application.metadata.labels.get(&self.environment_label)
    }

    /// Whether there is an environment of this name, and it is protected.
    pub fn protects(&self, environment: &str) -> bool {
        let environment = self.environments.get(environment);
        environment.is_some_and(|environment| environment.is_protected)
    }

    /// Whether objects of a namespace count: those of the override and object namespaces, but never a Secret of Argo CD's.
    pub fn counts(&self, kind: ObjectKind, namespace: &str) -> bool {
        let is_hidden = kind == ObjectKind::Secret && namespace == self.argocd_namespace;
        !is_hidden && self.watched().has(namespace)
    }

    /// The namespaces whose objects count, but for what [`counts`](Self::counts) says of Secrets.
    pub fn watched(&self) -> Namespaces {
        match &self.object_namespaces {
            Namespaces::All => Namespaces::All,
            Namespaces::Only(names) => Namespaces::Only(names | &self.override_namespaces),
        }
    }
}

impl Environment {
    /// Whether it may be overridden with a revision.
    pub fn allows(&self, revision: &Revision) -> bool {
        match revision.kind() {
            Kind::Commit => self.commits,
            Kind::Name | Kind::Branch | Kind::Tag => {
                let mut patterns = self.allowed.iter();
                patterns.any(|pattern| pattern::allows(pattern, revision))
            }
        }
    }
}

impl Namespaces {
    /// Whether a namespace is one of them.
    pub fn has(&self, namespace: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(names) => names.contains(namespace),
        }
    }
}

impl Default for Policy {
    fn default() -> Self {
        let environment = |default: &str, allowed: &[&str], is_protected| Environment {
            default: default.into(),
            allowed: allowed.iter().map(ToString::to_string).collect(),
            commits: true,
            is_protected,
            projects: None,
        };
        let only = |name: &str| Namespaces::Only([name.to_owned()].into());
        let usual = |name: &str| (name.to_owned(), environment("dev", &["*"], false));
        let mut environments: BTreeMap<_, _> = ["dev", "test", "staging"].map(usual).into();
        let prod = environment("main", &["main", "refs/tags/*"], true);
        environments.insert("prod".into(), prod);
        Self {
            argocd_namespace: "argocd".into(),
            own_namespace: "argocd-infisical".into(),
            application_namespaces: only("argocd"),
            override_namespaces: ["argocd-infisical".to_owned()].into(),
            object_namespaces: Namespaces::Only(BTreeSet::new()),
            environment_label: ENVIRONMENT.into(),
            environments,
            plugins: ["argocd-infisical".to_owned()].into(),
            writes_unautomated: false,
            writes_in_denied_windows: false,
            breaker: Breaker {
                least: 5,
                percent: 10,
                within: Duration::from_mins(10),
            },
            flap: Flap {
                changes: 20,
                within: Duration::from_mins(10),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_objects_count() {
        use ObjectKind::{ConfigMap, Secret};

        let set = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        let mut policy = Policy {
            override_namespaces: set(&["own", "argocd"]),
            object_namespaces: Namespaces::Only(set(&["home"])),
            ..Policy::default()
        };
        for (namespace, of_map, of_secret) in [
            ("own", true, true),
            ("home", true, true),
            ("argocd", true, false),
            ("other", false, false),
        ] {
            assert_eq!(policy.counts(ConfigMap, namespace), of_map, "{namespace}");
            assert_eq!(policy.counts(Secret, namespace), of_secret, "{namespace}");
        }
        policy.object_namespaces = Namespaces::All;
        assert!(policy.counts(Secret, "other") && policy.counts(ConfigMap, "argocd"));
        assert!(!policy.counts(Secret, "argocd"));
    }
}
