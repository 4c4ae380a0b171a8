//! What Applications say: how they call the plugin, in which environment they are, and what keeps them as they are.

use serde_json::json;

use super::cure;
use super::finding::{Code, Finding};
use super::look::{Found, Look, Rendered, named};
use super::seen::{DescribedApplication, Part};
use crate::steer::application::{Application, Cause};
use crate::steer::holds;
use crate::steer::ownership::{self, Field, owners};
use crate::steer::plan::{Decision, Outcome};
use crate::steer::policy::Policy;
use crate::steer::reason::{Class, Code as Why, Reason};
use crate::steer::{Name, decide};

/// How often a sync may be tried without holding up others for long.
const RETRIES: i64 = 10;

/// Finds what is wrong with them.
pub(super) fn examine(look: &Look<'_>, findings: &mut Vec<Finding>) {
    if matches!(look.seen.applications, Part::Absent) {
        let what = "applications.argoproj.io";
        let message =
            "the API server does not know Applications: Argo CD is not installed in this cluster";
        let cure =
            "# name the cluster in which Argo CD runs\nargocd-infisical doctor --context NAME";
        findings.push(Finding::new(Code::ArgocdMissing, what, message).cure(cure));
        return;
    }
    for (name, described) in look.applications() {
        let one = One {
            look,
            name,
            described,
            application: &described.application,
            rendered: look.rendered(described),
        };
        one.plugin(findings);
        one.settings(findings);
        one.environment(findings);
        one.status(findings);
        if look.state.applications.contains_key(name) {
            one.standing(findings);
            one.owners(findings);
            one.retries(findings);
        }
    }
    let plan = decide(&look.state, &look.policy, look.seen.now);
    findings.extend(
        plan.decisions
            .iter()
            .filter_map(|decision| decided(decision, &look.policy)),
    );
}

/// One Application.
struct One<'w, 'a> {
    look: &'w Look<'a>,
    name: &'a Name,
    described: &'a DescribedApplication,
    application: &'a Application,
    rendered: Vec<Rendered<'a>>,
}

impl One<'_, '_> {
    fn find(&self, code: Code, message: impl Into<String>, cure: impl Into<String>) -> Finding {
        Finding::new(code, named(self.name), message).cure(cure)
    }

    /// A part of a source, as YAML.
    fn of_source(pointer: &str, fields: &serde_json::Value) -> String {
        let place = pointer.trim_start_matches('/').replace('/', ".");
        cure::with(
            &format!("in `{place}`, where the Application is written"),
            fields,
        )
    }

    fn has_settings(&self) -> bool {
        self.rendered
            .iter()
            .any(|rendered| !rendered.references.is_empty())
    }

    fn plugin(&self, findings: &mut Vec<Finding>) {
        let usual = self
            .look
            .sockets
            .first()
            .map_or("argocd-infisical", String::as_str);
        for Rendered {
            pointer, source, ..
        } in &self.rendered
        {
            let name = source
                .plugin
                .as_ref()
                .and_then(|plugin| plugin.name.as_deref());
            let name = name.unwrap_or_default();
            let cure = Self::of_source(pointer, &json!({"plugin": {"name": usual}}));
            if name.is_empty() {
                let message = "its plugin has no name, and this plugin discovers nothing: Argo CD does not find it";
                findings.push(self.find(Code::PluginUnnamed, message, cure));
            } else if !self.look.sockets.contains(name) {
                let sockets: Vec<String> = self
                    .look
                    .sockets
                    .iter()
                    .map(|name| format!("`{name}`"))
                    .collect();
                let message = format!(
                    "it calls the plugin `{name}`, and what the repo-server has is {}",
                    sockets.join(", ")
                );
                findings.push(self.find(Code::PluginName, message, cure));
            } else if self.look.knows_policy && !self.look.policy.plugins.contains(name) {
                let message = format!(
                    "the controller's policy does not have the plugin `{name}`: its changed settings are not deployed"
                );
                let mut plugins: Vec<&str> = self
                    .look
                    .policy
                    .plugins
                    .iter()
                    .map(String::as_str)
                    .collect();
                plugins.push(name);
                let cure = cure::with("in the controller's policy", &json!({"plugins": plugins}));
                findings.push(self.find(Code::PluginUnknown, message, cure));
            }
            let tools = self.described.tools.iter().filter(|(at, _)| at == pointer);
            for (_, tool) in tools {
                let message =
                    format!("its source has `{tool}` beside `plugin`, and Argo CD renders neither");
                let cure = format!(
                    "# make parameters of the plugin of the fields of `{tool}`, under the same names: docs/plugin.md"
                );
                findings.push(self.find(Code::PluginAndTool, message, cure));
            }
        }
    }

    fn settings(&self, findings: &mut Vec<Finding>) {
        let mut references = Vec::new();
        for Rendered {
            pointer,
            references: texts,
            ..
        } in &self.rendered
        {
            for text in texts {
                match text {
                    Ok(reference) => references.push(reference.clone()),
                    Err(what) => {
                        let message = format!("an entry of its parameter `settings` {what}");
                        let example = json!({"plugin": {"parameters": [{"name": "settings", "array": ["secret:NAMESPACE/NAME"]}]}});
                        let cure = Self::of_source(pointer, &example);
                        findings.push(self.find(Code::SettingsParameter, message, cure));
                    }
                }
            }
        }
        if references.is_empty() {
            return;
        }
        for sidecar in &self.look.sidecars {
            let Some(Found::Valid(policy)) = &sidecar.policy else {
                continue;
            };
            for problem in policy.check(&references).err().into_iter().flatten() {
                let hint = problem.hint.as_deref().unwrap_or_default();
                let cure = format!("# {hint}");
                findings.push(self.find(Code::SettingsDenied, &problem.message, cure));
            }
        }
        if self.application.spec.is_hydrated {
            let message = "it has a `sourceHydrator`, which would commit settings to Git: the sidecar puts none in";
            let cure = "# take `settings` out of its parameters, or the `sourceHydrator` out of the Application";
            findings.push(self.find(Code::Hydrated, message, cure));
        }
    }

    fn environment(&self, findings: &mut Vec<Finding>) {
        if !self.look.knows_policy {
            return;
        }
        let label = &self.look.policy.environment_label;
        let environment = self.look.policy.environment_of(self.application);
        if environment.is_none() && self.has_settings() {
            let message = format!(
                "it has settings and no label `{label}`: the controller does not look at it, and what changes is not deployed"
            );
            let cure = cure::with(
                "where the Application is written",
                &json!({"metadata": {"labels": {label: "dev"}}}),
            );
            findings.push(self.find(Code::EnvironmentMissing, message, cure));
        }
        let is_watched = self
            .look
            .policy
            .application_namespaces
            .has(&self.name.namespace);
        if environment.is_some() && !is_watched {
            let message = "it has the label of an environment, and the controller does not look at Applications of its namespace";
            let mut namespaces = match &self.look.policy.application_namespaces {
                crate::steer::policy::Namespaces::All => Vec::new(),
                crate::steer::policy::Namespaces::Only(names) => names.iter().cloned().collect(),
            };
            namespaces.push(self.name.namespace.clone());
            let cure = cure::with(
                "in the controller's policy, with manifests/components/controller-namespace/applications for the namespace",
                &json!({"applicationNamespaces": namespaces}),
            );
            findings.push(self.find(Code::ApplicationNotWatched, message, cure));
        }
    }

    fn status(&self, findings: &mut Vec<Finding>) {
        let takes_part = self.look.state.applications.contains_key(self.name);
        if !takes_part && self.rendered.is_empty() {
            return;
        }
        for condition in &self.application.status.conditions {
            let Some(told) = condition.cause.told() else {
                continue;
            };
            let refresh = format!("argocd app get {} --hard-refresh", self.name);
            let (code, cure) = match condition.cause {
                Cause::Other => continue,
                Cause::Paused => (
                    Code::RenderPaused,
                    format!("# when the cause is mended\n{refresh}"),
                ),
                Cause::NoRevision => (
                    Code::RevisionNotFound,
                    "# push it, or set another revision: argocd-infisical revisions".to_owned(),
                ),
                Cause::NoPath => (
                    Code::RevisionNotFound,
                    format!("# push the directory, or set another revision; then\n{refresh}"),
                ),
            };
            findings.push(self.find(code, told.message, cure));
        }
    }

    fn standing(&self, findings: &mut Vec<Finding>) {
        let held = holds::standing(
            &self.look.state,
            &self.look.policy,
            self.application,
            self.look.seen.now,
        );
        let finding = held.reason.and_then(|reason| standing(self.name, &reason));
        findings.extend(finding);
    }

    fn owners(&self, findings: &mut Vec<Finding>) {
        let state = &self.look.state;
        let names = owners(self.application, &state.instance, &self.look.policy);
        let names = names.into_iter().filter_map(|name| {
            let owner = state.owners.get(&name)?;
            Some((name, owner))
        });
        let owners: Vec<_> = names.collect();
        let judge =
            |fields: &[Field]| ownership::judge(self.application, fields, &owners, &state.instance);
        let is_list = !self.application.spec.sources.is_empty();
        let (revision, digest) = if is_list {
            (Field::Sources, Field::Sources)
        } else {
            (Field::TargetRevision, Field::Env)
        };
        let mut fields = vec![revision];
        if self.has_settings() && digest != revision {
            fields.push(digest);
        }
        let Err(reason) = judge(&fields) else { return };
        let code = match reason.class() {
            Class::Contested => Code::IgnoreRulesMissing,
            _ => Code::OwnerUnknown,
        };
        findings.push(self.find(code, &reason.message, of_hint(&reason)));
        let contested = self
            .has_settings()
            .then(|| judge(&[digest]).err())
            .flatten();
        let automated = self.application.spec.sync_policy.automated.as_ref();
        let heals = automated.is_some_and(|automated| automated.self_heal == Some(true));
        let is_contested = contested.is_some_and(|reason| reason.class() == Class::Contested);
        if is_contested && self.application.is_automated() && !heals {
            let message = "its digest cannot be set and `selfHeal` is off: a changed setting is rendered, and never deployed";
            let cure = cure::with(
                "where the Application is written; better, add the rules that its owner lacks",
                &json!({"spec": {"syncPolicy": {"automated": {"selfHeal": true}}}}),
            );
            findings.push(self.find(Code::NeverDeploys, message, cure));
        }
    }

    fn retries(&self, findings: &mut Vec<Finding>) {
        let Some(limit) = self
            .described
            .retry
            .limit
            .filter(|limit| !(0..=RETRIES).contains(limit))
        else {
            return;
        };
        let times = if limit < 0 {
            "for ever".to_owned()
        } else {
            format!("{limit} times")
        };
        let message = format!(
            "a failing sync is tried {times}, always with the revision that it began with: one that somebody started by hand, or that waits for a hook, holds up another revision as long"
        );
        let cure = cure::with(
            "where the Application is written",
            &json!({"spec": {"syncPolicy": {"retry": {"limit": 5}}}}),
        );
        findings.push(self.find(Code::RetryLimit, message, cure));
    }
}

/// What keeps a whole Application.
pub(super) fn standing(name: &Name, reason: &Reason) -> Option<Finding> {
    let code = match reason.code {
        // The pause is told once, and what goes away needs nothing.
        Why::Paused | Why::Deleting => return None,
        Why::AutomationOff => Code::AutomationOff,
        Why::SyncWindow => Code::SyncWindow,
        Why::InvalidSyncWindow => Code::SyncWindowInvalid,
        _ => Code::Held,
    };
    let finding = Finding::new(code, named(name), &reason.message);
    Some(finding.cure(of_hint(reason)))
}

/// What is decided of a revision, where that is not what is asked for.
pub(super) fn decided(decision: &Decision, policy: &Policy) -> Option<Finding> {
    let Outcome::Stays(reason) = &decision.revision.outcome else {
        return None;
    };
    let mut message = reason.message.clone();
    let mut cure = of_hint(reason);
    let code = match (reason.code, reason.class()) {
        // These are told whether or not a change waits for them.
        (
            Why::Paused
            | Why::Deleting
            | Why::Hold
            | Why::ReconcileSkipped
            | Why::AutomationOff
            | Why::SyncWindow
            | Why::InvalidSyncWindow
            | Why::OwnedByApplication
            | Why::OwnedByApplicationSet
            | Why::OwnerUnknown,
            _,
        ) => return None,
        (Why::UnknownEnvironment, _) => {
            let environment = &decision.environment;
            message = format!(
                "its label `{}` says `{environment}`, and the policy has no such environment",
                policy.environment_label
            );
            let environments = policy.environments.keys().map(String::as_str);
            let environments: Vec<&str> = environments.collect();
            let words = format!(
                "in the controller's policy, beside {}; or name one of these",
                environments.join(", ")
            );
            cure = cure::with(
                &words,
                &json!({"environments": {environment: {"default": "main", "allowed": ["*"]}}}),
            );
            Code::EnvironmentUnknown
        }
        (Why::ProjectNotAllowed, _) => Code::ProjectNotInEnvironment,
        (_, Class::Refused) => Code::RevisionRefused,
        (_, Class::Unknown) => Code::RevisionUnknown,
        (_, Class::Contested) => Code::RevisionContested,
        (_, Class::Held) => Code::Held,
        (_, Class::Waiting) => Code::RevisionWaits,
    };
    Some(Finding::new(code, named(&decision.application), message).cure(cure))
}

/// What a reason says to do, with its words as comments.
fn of_hint(reason: &Reason) -> String {
    let hint = reason.hint.as_deref().unwrap_or_default();
    let (words, yaml) = match hint.split_once("\n\n") {
        Some((words, yaml)) => (words, yaml.trim_end()),
        None => (hint, ""),
    };
    let words = words.lines().map(|line| format!("# {line}"));
    let lines = words.chain(yaml.lines().map(ToOwned::to_owned));
    lines.collect::<Vec<_>>().join("\n")
}
