//! Objects of the Infisical operator: what it takes without a word, and does something else with than was meant.

use goyaml::Node;
use kustomize::Resource;

use super::Found;

/// The longest interval with which a change is live within two minutes: a minute for the rest of the way.
const LONGEST: u64 = 60;
/// The shortest interval that it takes.
const SHORTEST: u64 = 5;

/// What is found of an object, if it is one of the operator's.
pub(super) fn look(resource: &Resource) -> Vec<Found> {
    let gvk = resource.gvk();
    if &*gvk.group != "secrets.infisical.com" {
        return Vec::new();
    }
    let Some(spec) = resource.node().get("spec") else {
        return Vec::new();
    };
    let namespace = resource.namespace();
    match &*gvk.kind {
        "InfisicalConnection" => connection(spec),
        "InfisicalStaticSecret" => {
            let interval = ["syncOptions", "refreshInterval"];
            let targets = Targets {
                list: "targets",
                namespace: "namespace",
            };
            interval_of(spec, interval)
                .into_iter()
                .chain(targets.look(spec, namespace))
                .collect()
        }
        "InfisicalSecret" => {
            let interval = ["syncConfig", "resyncInterval"];
            let secrets = Targets {
                list: "managedKubeSecretReferences",
                namespace: "secretNamespace",
            };
            let config_maps = Targets {
                list: "managedKubeConfigMapReferences",
                namespace: "configMapNamespace",
            };
            interval_of(spec, interval)
                .into_iter()
                .chain(secrets.look(spec, namespace))
                .chain(config_maps.look(spec, namespace))
                .collect()
        }
        _ => Vec::new(),
    }
}

fn connection(spec: &Node) -> Vec<Found> {
    let hint = "write the address without `/api` at the end: https://app.infisical.com";
    let (message, position) = match spec.get("address") {
        None => (
            "the connection has no `address`: the operator takes the one of its own environment, which ends with `/api` in its chart",
            spec.position,
        ),
        Some(node) => {
            let text = node.as_str().unwrap_or_default();
            if !text.trim_end_matches('/').ends_with("/api") {
                return Vec::new();
            }
            (
                "the operator adds `/api` to the `address` once more, and finds nothing there",
                node.position,
            )
        }
    };
    vec![Found {
        message: message.to_owned(),
        hint: hint.to_owned(),
        field: "spec.address".to_owned(),
        position,
    }]
}

/// What is found of how often Infisical is asked.
fn interval_of(spec: &Node, [outer, inner]: [&str; 2]) -> Option<Found> {
    let node = spec.get_path(&[outer, inner])?;
    let text = node.as_str()?;
    let (message, hint) = match seconds(text) {
        None => (
            format!("`{text}` is no interval for the operator"),
            "write one number and one unit of `s`, `m`, `h`, `d` and `w`: `30s`, and `90s` in the place of `1m30s`",
        ),
        Some(seconds) if seconds < SHORTEST => (
            format!("`{text}` is shorter than the operator takes, which is {SHORTEST} seconds"),
            "write `5s` or longer; `30s` is short enough for two minutes in all",
        ),
        Some(seconds) if seconds > LONGEST => (
            format!(
                "with `{text}` a change in Infisical may take longer than two minutes to be live"
            ),
            "write `30s`",
        ),
        Some(_) => return None,
    };
    Some(Found {
        message,
        hint: hint.to_owned(),
        field: format!("spec.{outer}.{inner}"),
        position: node.position,
    })
}

/// An interval as the operator reads it: one number with one unit.
fn seconds(text: &str) -> Option<u64> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let number: u64 = is_number.then(|| number.parse().ok())??;
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        "w" => 604_800,
        _ => return None,
    };
    number.checked_mul(unit)
}

/// A list of what is written, in one version of the operator's objects.
struct Targets {
    list: &'static str,
    namespace: &'static str,
}

impl Targets {
    fn look(&self, spec: &Node, own: &str) -> Vec<Found> {
        let targets = spec.get(self.list).and_then(Node::items);
        let each = targets.unwrap_or_default().iter().enumerate();
        each.flat_map(|(index, target)| {
            let field = format!("spec.{}.{index}", self.list);
            let stray = self.stray(target, &field, own);
            stray.into_iter().chain(unguarded(target, &field))
        })
        .collect()
    }

    /// What is to go with an object of another namespace, which Kubernetes does not have.
    fn stray(&self, target: &Node, field: &str, own: &str) -> Option<Found> {
        let namespace = target.get(self.namespace)?;
        let is_owned = target.get("creationPolicy")?.as_str() == Some("Owner");
        let is_stray = !own.is_empty() && namespace.as_str() != Some(own);
        (is_owned && is_stray).then(|| Found {
            message: "an object of another namespace cannot be owned: the operator writes nothing"
                .to_owned(),
            hint: "put the object into the namespace that it writes to".to_owned(),
            field: format!("{field}.{}", self.namespace),
            position: namespace.position,
        })
    }
}

/// Templates that make text of a key that is not there.
fn unguarded(target: &Node, field: &str) -> Vec<Found> {
    let data = target.get_path(&["template", "data"]);
    let entries = data.and_then(Node::entries).unwrap_or_default();
    let bad = entries.iter().filter_map(|(key, value)| {
        let text = value.as_str()?;
        is_unguarded(text).then(|| Found {
            message: "a key that is not in Infisical becomes the text `<no value>` here, or an empty one, and the operator reports success".to_owned(),
            hint: "read it with `{{ (secretFrom \"/folder\" \"KEY\").Value }}`, which is an error then and leaves the object as it is; before v1beta1, guard it with `{{ if not … }}{{ fail \"…\" }}{{ end }}`".to_owned(),
            field: format!("{field}.template.data.{}", key.as_str().unwrap_or_default()),
            position: value.position,
        })
    });
    bad.collect()
}

/// Whether an action of a template writes the value of a key straight away. One with conditions or defaults knows what it
/// does.
fn is_unguarded(text: &str) -> bool {
    let mut actions = text.split("{{").skip(1).map(|rest| {
        let (action, _) = rest.split_once("}}").unwrap_or((rest, ""));
        action.trim_start_matches('-').trim()
    });
    let first = |action: &str| {
        action
            .split([' ', '\t', '\n'])
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    let is_control = |action: &str| {
        matches!(first(action).as_str(), "if" | "with" | "range")
            || ["fail ", "default ", "coalesce "]
                .iter()
                .any(|word| action.contains(word))
    };
    let writes = |action: &str| {
        let is_field = action.starts_with('.') && first(action).ends_with(".Value");
        is_field || action.starts_with("(index .") && action.contains(").Value")
    };
    let all: Vec<&str> = actions.by_ref().collect();
    all.iter().any(|action| writes(action)) && !all.iter().any(|action| is_control(action))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_number_and_one_unit() {
        for (text, expected) in [
            ("30s", Some(30)),
            ("2m", Some(120)),
            ("1w", Some(604_800)),
            ("1m30s", None),
            ("30", None),
            ("s", None),
            ("", None),
            ("-5s", None),
            ("1.5m", None),
            ("5µ", None),
            ("99999999999999999999s", None),
            ("9999999999999999999w", None),
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }

    #[test]
    fn a_template_without_a_guard() {
        for (text, expected) in [
            ("{{ .KEY.Value }}", true),
            ("{{- .KEY.Value | trim -}}", true),
            ("a: {{ .A.Value }}, b: {{ .B.Value }}", true),
            ("{{ (index . \"a.yaml\").Value }}", true),
            ("{{ (secretFrom \"/a\" \"a.yaml\").Value }}", false),
            (
                "{{ if not .A.Value }}{{ fail \"no A\" }}{{ end }}{{ .A.Value }}",
                false,
            ),
            ("{{ .A.Value | default \"b\" }}", false),
            ("{{ range . }}{{ .Value }}{{ end }}", false),
            ("{{ .A.SecretPath }}", false),
            ("no template, .A.Value }}", false),
            ("{{", false),
        ] {
            assert_eq!(is_unguarded(text), expected, "{text}");
        }
    }
}
