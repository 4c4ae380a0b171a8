//! The Applications and objects of an installation of some size.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::super::objects::KEY;
use super::super::world::REPOSITORY;

/// The label that a tenth of the Applications have besides, so that they can be watched alone.
pub(super) const FEW: &str = "scale.example.org/environment";
/// The label of those that no controller watches: a bare loop patches them.
pub(super) const BARE: &str = "scale.example.org/bare";
/// The Secret of an environment with keys that speak of single Applications.
pub(super) const KEYS: &str = "keys";
/// How many Applications share one Secret with settings.
const BLOCK: usize = 10;
/// How many projects there are.
const PROJECTS: usize = 20;

/// An installation. Every second block of ten Applications has settings, from one Secret for each block; as many Applications
/// of `dev` have a Secret with a revision of their own.
#[derive(Clone, Copy)]
pub(super) struct Fleet {
    /// How many Applications there are, besides those that are not watched.
    pub(super) size: usize,
}

/// An Application of it.
pub(super) struct Member {
    /// Its name.
    pub(super) name: String,
    /// Its environment.
    pub(super) environment: &'static str,
    /// Its project.
    pub(super) project: String,
    number: usize,
    is_watched: bool,
}

impl Fleet {
    /// All that are watched.
    pub(super) fn members(self) -> impl Iterator<Item = Member> {
        (0..self.size).map(|number| Member::new(number, true))
    }

    /// Those of an environment.
    pub(super) fn of(self, environment: &'static str) -> Vec<Member> {
        let members = self.members();
        members
            .filter(|member| member.environment == environment)
            .collect()
    }

    /// As many as the environment `storm` has, which are not watched.
    pub(super) fn bare(self) -> Vec<Member> {
        let storm = self.of("storm").into_iter();
        storm
            .map(|member| Member::new(member.number, false))
            .collect()
    }

    /// How many are written when a controller sees them for the first time: with a digest of their settings, or with the
    /// override that is in force.
    pub(super) fn written(self) -> usize {
        let overridden: BTreeSet<usize> = self.overridden().iter().map(|one| one.number).collect();
        let is_written = |member: &Member| {
            member.has_settings()
                || matches!(member.environment, "storm" | "paced")
                || overridden.contains(&member.number)
        };
        self.members().filter(is_written).count()
    }

    /// The Applications that have a Secret of their own.
    pub(super) fn overridden(self) -> Vec<Member> {
        let mut members = self.of("dev");
        members.truncate(self.size / (2 * BLOCK));
        members
    }

    /// The projects.
    pub(super) fn projects() -> impl Iterator<Item = Value> {
        (0..PROJECTS).map(|number| {
            json!({
                "apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject",
                "metadata": {"name": project(number)},
                "spec": {"sourceRepos": ["*"], "destinations": [{"namespace": "*", "server": "*"}]},
            })
        })
    }

    /// All Secrets, for the controller's own namespace.
    pub(super) fn secrets(self) -> Vec<Value> {
        let main = revision(KEY, "main");
        let mut secrets = vec![
            of_environment("storm", "storm", &main),
            of_environment("paced", "paced", &main),
            of_environment(KEYS, "staging", &json!({})),
        ];
        for member in self.overridden() {
            let labels = json!({
                "argocd-infisical.io/environment": member.environment,
                "argocd-infisical.io/application": member.name,
            });
            let name = member.secret();
            secrets.push(json!({
                "apiVersion": "v1", "kind": "Secret",
                "metadata": {"name": name, "labels": labels}, "data": main,
            }));
        }
        for block in (0..self.size / BLOCK).step_by(2) {
            let keys: Vec<String> = (0..BLOCK).map(|key| format!("SETTING_{key}")).collect();
            let data = keys.iter().map(|key| {
                let value = format!("{key} of block {block}: {}", "x".repeat(80));
                (key.clone(), json!(STANDARD.encode(value)))
            });
            let annotations = json!({
                "argocd-infisical.io/allowed": format!("{}/*", project(block)),
                "argocd-infisical.io/keys": keys.join(","),
                "secrets.infisical.com/version": "W/\"secrets-31-9ae0daaf\"",
            });
            let labels = json!({"argocd-infisical.io/settings": "true"});
            secrets.push(json!({
                "apiVersion": "v1", "kind": "Secret",
                "metadata": {"name": settings(block), "labels": labels, "annotations": annotations},
                "data": Value::Object(data.collect()),
            }));
        }
        secrets
    }
}

impl Member {
    fn new(number: usize, is_watched: bool) -> Self {
        let project = project(number / BLOCK);
        let kind = if is_watched { "service" } else { "bare" };
        Self {
            name: format!("{project}-{kind}-{number:05}"),
            environment: match number % BLOCK {
                0 | 1 => "storm",
                2..=5 => "dev",
                6 => "paced",
                7 => "staging",
                _ => "prod",
            },
            project,
            number,
            is_watched,
        }
    }

    fn has_settings(&self) -> bool {
        (self.number / BLOCK).is_multiple_of(2)
    }

    /// The Secret with its revision, where it has one.
    pub(super) fn secret(&self) -> String {
        format!("revision-{}", self.name)
    }

    /// The key of its revision in a Secret of its environment.
    pub(super) fn key(&self) -> String {
        let name = self.name.to_uppercase().replace('-', "_");
        format!("{KEY}__{name}")
    }

    /// The source that it wants.
    pub(super) fn source(&self, own: &str) -> Value {
        let mut source = json!({
            "repoURL": REPOSITORY,
            "path": format!("applications/{}/overlays/{}", self.project, self.environment),
            "targetRevision": "main",
        });
        if self.has_settings() {
            let secret = format!("secret:{own}/{}", settings(self.number / BLOCK));
            source["plugin"] = json!({
                "name": "argocd-infisical",
                "parameters": [{"name": "settings", "array": [secret]}],
            });
        }
        source
    }

    /// The Application, as Argo CD has left it when it was synced.
    pub(super) fn application(&self, own: &str, few: usize) -> Value {
        let Self {
            name,
            environment,
            project,
            number,
            is_watched,
        } = self;
        let label = if *is_watched {
            "argocd-infisical.io/environment"
        } else {
            BARE
        };
        let mut labels =
            json!({label: environment, "team": project, "app.kubernetes.io/part-of": "shop"});
        if *is_watched && *number < few {
            labels[FEW] = json!(environment);
        }
        let source = self.source(own);
        let destination = json!({"namespace": name, "server": "https://kubernetes.default.svc"});
        json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
            "metadata": {
                "name": name, "labels": labels,
                "annotations": {"notifications.argoproj.io/subscribe.on-sync-failed.slack": project},
                "finalizers": ["resources-finalizer.argocd.argoproj.io"],
            },
            "spec": {
                "project": project, "source": source, "destination": destination,
                "syncPolicy": {"automated": {"prune": true, "selfHeal": true}, "syncOptions": ["CreateNamespace=true"]},
            },
            "status": status(name, &source, &destination),
        })
    }
}

fn project(number: usize) -> String {
    format!("team-{:02}", number % PROJECTS)
}

fn settings(block: usize) -> String {
    format!("settings-{block:04}")
}

fn of_environment(name: &str, environment: &str, data: &Value) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": name, "labels": {"argocd-infisical.io/environment": environment}},
        "data": data,
    })
}

/// The data of a Secret with a revision.
pub(super) fn revision(key: &str, revision: &str) -> Value {
    json!({key: STANDARD.encode(revision)})
}

/// A status of some twenty kilobytes: sixty resources, the last sync with its result, and ten entries of history.
fn status(name: &str, source: &Value, destination: &Value) -> Value {
    const COMMIT: &str = "6f1ed002ab5595859014ebf0951522d9a1f4c2b3";
    const TIME: &str = "2026-11-30T03:20:11Z";
    let kinds = [
        ("", "v1", "ConfigMap"),
        ("", "v1", "Service"),
        ("apps", "v1", "Deployment"),
        ("networking.k8s.io", "v1", "Ingress"),
        ("autoscaling", "v2", "HorizontalPodAutoscaler"),
    ];
    let resources = (0..60).map(|number| {
        let (group, version, kind) = kinds[number % kinds.len()];
        json!({
            "group": group, "version": version, "kind": kind, "namespace": name, "name": format!("{name}-{number:02}"),
            "status": "Synced", "health": {"status": "Healthy"},
        })
    });
    let results = (0..30).map(|number| {
        let (group, version, kind) = kinds[number % kinds.len()];
        json!({
            "group": group, "version": version, "kind": kind, "namespace": name, "name": format!("{name}-{number:02}"),
            "status": "Synced", "syncPhase": "Sync", "hookPhase": "Running", "message": format!("{kind} configured"),
        })
    });
    let history = (0..10).map(|id| {
        json!({
            "id": id, "revision": COMMIT, "deployedAt": TIME, "deployStartedAt": TIME,
            "initiatedBy": {"automated": true}, "source": source,
        })
    });
    let (resources, results): (Vec<_>, Vec<_>) = (resources.collect(), results.collect());
    let history: Vec<_> = history.collect();
    json!({
        "health": {"status": "Healthy"},
        "history": history,
        "operationState": {
            "operation": {"initiatedBy": {"automated": true}, "retry": {"limit": 5}, "sync": {"revision": COMMIT, "prune": true}},
            "phase": "Succeeded", "message": "successfully synced (all tasks run)",
            "startedAt": TIME, "finishedAt": TIME,
            "syncResult": {"revision": COMMIT, "source": source, "resources": results},
        },
        "reconciledAt": TIME,
        "resources": resources,
        "sourceType": "Kustomize",
        "summary": {"images": ["registry.example.org/shop/backend:1.42.0", "registry.example.org/shop/frontend:1.42.0"]},
        "sync": {
            "comparedTo": {"source": source, "destination": destination},
            "revision": COMMIT, "status": "Synced",
        },
    })
}
