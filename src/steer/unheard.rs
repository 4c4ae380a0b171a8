//! Labels and keys that look as if they said a revision, and that nobody listens to: most of them are misspelt.

use super::application::{Application, Name};
use super::desired::{KEY, OF, PLAIN_KEY, UNTIL, in_keys};
use super::policy::{APPLICATION, ENVIRONMENT, Policy};
use super::state::State;
use crate::settings::object::{Object, ObjectName};

/// A name that nobody made, and what was meant by it.
const PLAIN_UNTIL: &str = "TARGET_REVISION_UNTIL";
/// How many characters a misspelt name differs in.
const SLIPS: usize = 2;

/// Something of an object that moves nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unheard {
    /// The object.
    pub object: ObjectName,
    /// What is the matter with it.
    pub message: String,
    /// What to do.
    pub hint: String,
}

/// All of them, in objects with the label of an environment. Which Applications there are has to be known.
pub fn unheard(state: &State, policy: &Policy) -> Vec<Unheard> {
    let mut found = Vec::new();
    for (name, object) in &state.objects {
        let Some(environment) = object.labels.get(ENVIRONMENT) else {
            continue;
        };
        if !policy.counts(name.kind, &name.namespace) {
            continue;
        }
        let labelled = |application: &&Application| {
            policy.environment_of(application) == Some(environment.as_str())
        };
        let is_platform = policy.override_namespaces.contains(&name.namespace);
        let applications = state.applications.values().map(AsRef::as_ref);
        let applications = applications.filter(labelled);
        let listener = Listener {
            environment,
            namespace: &name.namespace,
            own: &policy.argocd_namespace,
            names: applications
                .map(Application::name)
                .filter(|application| is_platform || application.namespace == name.namespace)
                .collect(),
        };
        let said = listener.of_object(object).into_iter();
        found.extend(said.map(|(message, hint)| Unheard {
            object: name.clone(),
            message,
            hint,
        }));
    }
    found
}

/// Who may listen to an object.
struct Listener<'a> {
    environment: &'a str,
    namespace: &'a str,
    /// Argo CD's namespace.
    own: &'a str,
    names: Vec<Name>,
}

impl Listener<'_> {
    /// What is the matter with an object, each with what to do.
    fn of_object(&self, object: &Object) -> Vec<(String, String)> {
        let label = object.labels.get(APPLICATION).map(String::as_str);
        let mut all: Vec<_> = label
            .and_then(|label| self.of_label(label))
            .into_iter()
            .collect();
        all.extend(object.data.keys().filter_map(|key| self.of_key(key, label)));
        all
    }

    fn of_label(&self, label: &str) -> Option<(String, String)> {
        let is_meant = |name: &Name| {
            name.instance(self.own) == label
                || name.namespace == self.namespace && name.name == label
        };
        if self.names.iter().any(is_meant) {
            return None;
        }
        let message = format!(
            "its label `{APPLICATION}` says `{label}`, and there is no such Application in the environment `{}` that it may speak of",
            self.environment
        );
        let hint = "write the name of an Application with this environment's label; outside Argo CD's namespace it is `<namespace>_<name>`";
        Some((message, hint.into()))
    }

    fn of_key(&self, key: &str, label: Option<&str>) -> Option<(String, String)> {
        let (head, of) = match key.split_once(OF) {
            Some((head, of)) => (head, Some(of)),
            None => (key, None),
        };
        match of {
            None if [KEY, PLAIN_KEY, UNTIL].contains(&head) => None,
            Some(_) if [KEY, UNTIL].contains(&head) && label.is_some() => Some((
                format!(
                    "its key `{key}` is not looked at, since its label `{APPLICATION}` says which Application it speaks of"
                ),
                format!("write `{head}`, or take the label away"),
            )),
            Some(of) if [KEY, UNTIL].contains(&head) => {
                let mut names = self.names.iter();
                if names.any(|name| in_keys(name, self.own) == of) {
                    return None;
                }
                let message = format!(
                    "its key `{key}` names no Application of the environment `{}` that it may speak of",
                    self.environment
                );
                let meant = upper(of);
                let mut names = self.names.iter();
                let hint = if names.any(|name| in_keys(name, self.own) == meant) {
                    format!("write `{head}{OF}{meant}`")
                } else {
                    "write the Application's name in upper case, with `_` for every other character; outside Argo CD's namespace the name is `<namespace>_<name>`".into()
                };
                Some((message, hint))
            }
            _ => meant(head, of).map(|meant| {
                let message = format!("its key `{key}` is none that says a revision");
                (
                    message,
                    format!("write `{meant}` if that is what it is for"),
                )
            }),
        }
    }
}

/// The key that was meant by one that there is not, if it looks like one.
fn meant(head: &str, of: Option<&str>) -> Option<String> {
    let head = head.to_uppercase();
    let known = [
        (KEY, KEY),
        (UNTIL, UNTIL),
        (PLAIN_KEY, PLAIN_KEY),
        (PLAIN_UNTIL, UNTIL),
    ];
    let distance = |name: &str| strsim::damerau_levenshtein(name, &head);
    let nearest = known
        .into_iter()
        .min_by_key(|(name, _)| distance(name))
        .filter(|(name, _)| distance(name) <= SLIPS);
    // One underscore instead of two.
    let glued = || {
        let mut known = [(KEY, KEY), (PLAIN_KEY, KEY)].into_iter();
        known.find_map(|(name, key)| {
            let rest = head.strip_prefix(name)?.strip_prefix('_')?;
            Some((key, (!rest.is_empty()).then(|| rest.to_owned())?))
        })
    };
    match (nearest, of) {
        (Some((_, key)), None) => Some(key.to_owned()),
        // The short name has no form for one Application.
        (Some((PLAIN_KEY, _)), Some(of)) => Some(format!("{KEY}{OF}{}", upper(of))),
        (Some((_, key)), Some(of)) => Some(format!("{key}{OF}{}", upper(of))),
        (None, of) => glued().map(|(key, rest)| match of {
            None => format!("{key}{OF}{rest}"),
            Some(of) => format!("{key}{OF}{rest}{OF}{}", upper(of)),
        }),
    }
}

/// A name as keys have it.
fn upper(text: &str) -> String {
    let letter = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_uppercase()
        } else {
            '_'
        }
    };
    text.chars().map(letter).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::settings::object::ObjectKind;

    fn application(namespace: &str, name: &str, environment: &str) -> Application {
        let labels = json!({ENVIRONMENT: environment});
        let metadata = json!({"namespace": namespace, "name": name, "labels": labels});
        serde_json::from_value(json!({"metadata": metadata})).unwrap()
    }

    /// What is told of an object with these labels and this key, beside an Application `home-lamp` of dev.
    fn told(namespace: &str, more: &Value, key: &str) -> Vec<String> {
        let mut state = State::default();
        for (namespace, name, environment) in [
            ("argocd", "home-lamp", "dev"),
            ("team", "desk", "dev"),
            ("argocd", "oven", "test"),
        ] {
            let application = application(namespace, name, environment);
            state
                .applications
                .insert(application.name(), Box::new(application));
        }
        let mut labels = json!({ENVIRONMENT: "dev"});
        for (key, value) in more.as_object().unwrap() {
            labels[key] = value.clone();
        }
        let object = Object {
            labels: serde_json::from_value(labels).unwrap(),
            annotations: [].into(),
            data: [(key.to_owned(), b"hunter2".to_vec())].into(),
        };
        let name = ObjectName {
            kind: ObjectKind::Secret,
            namespace: namespace.into(),
            name: "o".into(),
        };
        state.objects.insert(name, object);
        let policy = Policy {
            object_namespaces: crate::steer::policy::Namespaces::Only(["team".to_owned()].into()),
            ..Policy::default()
        };
        let all = unheard(&state, &policy).into_iter();
        all.map(|unheard| format!("{}: {}", unheard.message, unheard.hint))
            .collect()
    }

    /// The namespace of an object, what its label says of an Application if it has one, its key, and what is told.
    type Case = (&'static str, &'static str, &'static str, &'static str);

    const OWN: &str = "argocd-infisical";

    const HEARD: [Case; 11] = [
        (OWN, "", "ARGOCD_TARGET_REVISION", ""),
        (OWN, "", "TARGET_REVISION", ""),
        (OWN, "", "ARGOCD_TARGET_REVISION_UNTIL", ""),
        (OWN, "", "ARGOCD_TARGET_REVISION__HOME_LAMP", ""),
        (OWN, "", "ARGOCD_TARGET_REVISION_UNTIL__HOME_LAMP", ""),
        (OWN, "", "ARGOCD_TARGET_REVISION__TEAM_DESK", ""),
        (OWN, "", "HOSTNAME", ""),
        (OWN, "home-lamp", "TARGET_REVISION", ""),
        ("team", "desk", "TARGET_REVISION", ""),
        (OWN, "team_desk", "TARGET_REVISION", ""),
        // What is not watched is told elsewhere.
        ("other", "nobody", "TARGET_REVISON", ""),
    ];

    const UNHEARD: [Case; 13] = [
        (OWN, "", "TARGET_REVISON", "write `TARGET_REVISION`"),
        (
            OWN,
            "",
            "argocd_target_revision",
            "write `ARGOCD_TARGET_REVISION`",
        ),
        (
            OWN,
            "",
            "TARGET_REVISION_UNTIL",
            "write `ARGOCD_TARGET_REVISION_UNTIL`",
        ),
        (
            OWN,
            "",
            "TARGET_REVISION__HOME_LAMP",
            "write `ARGOCD_TARGET_REVISION__HOME_LAMP`",
        ),
        (
            OWN,
            "",
            "ARGOCD_TARGET_REVISION_HOME_LAMP",
            "write `ARGOCD_TARGET_REVISION__HOME_LAMP`",
        ),
        (
            OWN,
            "",
            "ARGOCD_TARGET_REVISION__home-lamp",
            "write `ARGOCD_TARGET_REVISION__HOME_LAMP`",
        ),
        (OWN, "", "ARGOCD_TARGET_REVISION__NOBODY", "in upper case"),
        (OWN, "", "ARGOCD_TARGET_REVISION__OVEN", "in upper case"),
        (
            "team",
            "",
            "ARGOCD_TARGET_REVISION__HOME_LAMP",
            "in upper case",
        ),
        (
            OWN,
            "home-lamp",
            "ARGOCD_TARGET_REVISION__HOME_LAMP",
            "write `ARGOCD_TARGET_REVISION`, or",
        ),
        (OWN, "nobody", "TARGET_REVISION", "says `nobody`"),
        (OWN, "oven", "TARGET_REVISION", "in the environment `dev`"),
        (OWN, "desk", "TARGET_REVISION", "<namespace>_<name>"),
    ];

    #[test]
    fn what_nobody_listens_to_is_told_with_what_was_meant() {
        for (namespace, label, key, expected) in HEARD.into_iter().chain(UNHEARD) {
            let label = match label {
                "" => json!({}),
                label => json!({APPLICATION: label}),
            };
            let told = told(namespace, &label, key);
            assert_eq!(
                told.len(),
                usize::from(!expected.is_empty()),
                "{key}: {told:?}"
            );
            let told = told.concat();
            assert!(told.contains(expected), "{key}: {told}");
            assert!(!told.contains("hunter2"), "{told}");
        }
    }
}
