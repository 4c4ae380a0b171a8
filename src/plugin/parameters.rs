//! The parameters that an Application gives to the plugin, `ARGOCD_APP_PARAMETERS`.

use std::collections::{BTreeMap, BTreeSet};

use kustomize::Edits;
use serde::Deserialize;

use super::options::{self, Described, Form, OPTIONS, Value};
use super::variables::Variables;
use crate::failure::Problem;
use crate::settings::object::Reference;
use crate::settings::policy::Policy;

/// The parameter that names the objects which settings come from.
pub const SETTINGS: Described = Described {
    name: "settings",
    form: Form::List,
    title: "Settings",
    tooltip: "The objects that settings come from, later ones win: namespace/name for a ConfigMap, secret:namespace/name \
              for a Secret, optional: in front if it may be missing",
};

/// What an Application says to the plugin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters {
    /// The objects that settings come from, in order; later ones win.
    pub settings: Vec<Reference>,
    /// What is changed in the kustomization.
    pub edits: Edits,
}

/// A parameter as Argo CD writes it.
// Argo CD: ApplicationSourcePluginParameter
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    string: Option<String>,
    array: Option<Vec<String>>,
    map: Option<BTreeMap<String, String>>,
}

impl Parameters {
    /// Reads the parameters, and holds them against a policy. No text, or `null`, is an Application without parameters.
    ///
    /// # Errors
    /// Everything that is wrong with them: an unknown parameter or one that is given twice, too, since to leave it out of
    /// account would render something else than what was asked for.
    pub fn read(
        text: Option<&str>,
        policy: &Policy,
        variables: &Variables,
    ) -> Result<Self, Vec<Problem>> {
        let Some(text) = text.filter(|text| !text.is_empty()) else {
            return Ok(Self::default());
        };
        // Argo CD writes `null` for `plugin: {}`.
        let written: Option<Vec<Written>> = serde_json::from_str(text).map_err(|error| {
            let message = format!(
                "ARGOCD_APP_PARAMETERS is no list of parameters (column {})",
                error.column()
            );
            let hint = "each of `spec.source.plugin.parameters` has a `name` and one of `string`, `array` and `map`";
            vec![Problem::new(message).hint(hint)]
        })?;
        let mut problems = Vec::new();
        let mut names = BTreeSet::new();
        let mut values = BTreeMap::new();
        for written in written.unwrap_or_default() {
            let is_first = names.insert(written.name.clone());
            match written.value(is_first, policy) {
                Ok((name, value)) => drop(values.insert(name, value)),
                Err(problem) => problems.push(problem),
            }
        }
        let settings = match values.remove(SETTINGS.name) {
            Some(Value::List(texts)) => references(&texts, &mut problems),
            _ => Vec::new(),
        };
        if let Err(objections) = policy.check(&settings) {
            problems.extend(objections);
        }
        let edits = options::edits(values, variables).unwrap_or_else(|wrong| {
            problems.extend(wrong);
            Edits::default()
        });
        if problems.is_empty() {
            Ok(Self { settings, edits })
        } else {
            Err(problems)
        }
    }
}

impl Written {
    /// What is given for which parameter.
    fn value(self, is_first: bool, policy: &Policy) -> Result<(&'static str, Value), Problem> {
        let Self {
            name,
            string,
            array,
            map,
        } = self;
        if !is_first {
            let message = format!("the plugin parameter `{name}` is given twice");
            return Err(Problem::new(message).hint("give it once"));
        }
        if name != SETTINGS.name && !policy.allows_parameter(&name) {
            let message = format!("the policy does not allow the plugin parameter `{name}`");
            let hint = "leave it out, or ask who runs Argo CD to extend the policy";
            return Err(Problem::new(message).hint(hint));
        }
        let mut known = OPTIONS.iter().chain([&SETTINGS]);
        let Some(parameter) = known.find(|known| known.name == name) else {
            let message = format!("there is no plugin parameter `{name}`");
            return Err(Problem::new(message).hint(meant(&name)));
        };
        let value = match (parameter.form, string, array, map) {
            (Form::Text | Form::Switch, Some(text), None, None) => Value::Text(text),
            (Form::List, None, Some(list), None) => Value::List(list),
            (Form::Map, None, None, Some(map)) => Value::Map(map),
            _ => {
                let (form, hint) = parameter.written();
                let message = format!("the plugin parameter `{name}` is no `{form}`");
                return Err(Problem::new(message).hint(hint));
            }
        };
        if value.has_control() {
            let message = format!("the plugin parameter `{name}` has a control character");
            return Err(Problem::new(message).hint("take it out"));
        }
        Ok((parameter.name, value))
    }
}

impl Described {
    /// The field with its value, and how to write it.
    fn written(&self) -> (&'static str, String) {
        match self.form {
            Form::Text => ("string", "write `string: …`".to_owned()),
            Form::Switch => (
                "string",
                "write `string: \"true\"` or `string: \"false\"`".to_owned(),
            ),
            Form::List if *self == SETTINGS => (
                "array",
                "write `array: [namespace/name]`, with `secret:` in front for a Secret".to_owned(),
            ),
            Form::List => (
                "array",
                "write `array: […]`, with a text for each entry".to_owned(),
            ),
            Form::Map => (
                "map",
                "write `map: {name: \"value\"}`; values are texts".to_owned(),
            ),
        }
    }
}

/// The parameter that may have been meant, or all that there are.
fn meant(name: &str) -> String {
    let names = || {
        [SETTINGS]
            .into_iter()
            .chain(OPTIONS)
            .map(|known| known.name)
    };
    let distance = |known: &str| {
        strsim::damerau_levenshtein(&known.to_ascii_lowercase(), &name.to_ascii_lowercase())
    };
    let nearest = names().map(|known| (distance(known), known)).min();
    match nearest {
        Some((distance, known)) if distance <= 2 && distance < name.len() => {
            format!("did you mean `{known}`?")
        }
        _ => format!("there are {}", names().collect::<Vec<_>>().join(", ")),
    }
}

fn references(texts: &[String], problems: &mut Vec<Problem>) -> Vec<Reference> {
    let mut references = Vec::new();
    for text in texts {
        match text.parse() {
            Ok(reference) => references.push(reference),
            Err(wrong) => {
                let message = format!("the plugin parameter `settings`: `{text}` {wrong}");
                let hint = "write `namespace/name` for a ConfigMap, `secret:namespace/name` for a Secret, `optional:` in front if it may be missing";
                problems.push(Problem::new(message).hint(hint));
            }
        }
    }
    references
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<String>, String> {
        let parameters = Parameters::read(Some(text), &Policy::default(), &|_| None);
        parameters
            .map(|parameters| {
                let settings = parameters.settings.iter();
                settings
                    .map(|reference| reference.object.to_string())
                    .collect()
            })
            .map_err(|problems| {
                problems
                    .iter()
                    .map(|problem| problem.message.clone() + "\n")
                    .collect()
            })
    }

    #[test]
    fn no_parameters() {
        let none = Parameters::read(None, &Policy::default(), &|_| None);
        assert!(none.is_ok_and(|parameters| parameters == Parameters::default()));
        for text in ["", "null", "[]", r#"[{"name":"settings","array":[]}]"#] {
            assert_eq!(read(text), Ok(Vec::new()));
        }
    }

    #[test]
    fn objects_in_order() {
        let text = r#"[{"name":"settings","array":["b/x","optional:secret:a/y"]}]"#;
        assert_eq!(
            read(text),
            Ok(vec!["ConfigMap b/x".into(), "Secret a/y".into()])
        );
    }

    #[test]
    fn whatever_else_there_is_is_refused() {
        for (text, expected) in [
            ("{}", "is no list of parameters"),
            ("[null]", "is no list of parameters"),
            (r#"[{"array":["a/b"]}]"#, "is no list of parameters"),
            (
                r#"[{"name":"settings","name":"x","array":[]}]"#,
                "is no list of parameters",
            ),
            (
                r#"[{"name":"settings","Array":["a/b"]}]"#,
                "is no list of parameters",
            ),
            (
                r#"[{"name":"settings","array":["a/b",1]}]"#,
                "is no list of parameters",
            ),
            (
                r#"[{"name":"settings","array":["a/b"]}] []"#,
                "is no list of parameters",
            ),
            (r#"[{"name":"settings","string":"a/b"}]"#, "is no `array`"),
            (r#"[{"name":"settings","map":{"a":"b"}}]"#, "is no `array`"),
            (r#"[{"name":"settings"}]"#, "is no `array`"),
            (
                r#"[{"name":"settings","string":"","array":["a/b"]}]"#,
                "is no `array`",
            ),
            (
                r#"[{"name":"Settings","array":["a/b"]}]"#,
                "there is no plugin parameter `Settings`",
            ),
            (
                r#"[{"name":"policy","string":"/x"}]"#,
                "there is no plugin parameter `policy`",
            ),
            (
                r#"[{"name":"settings","array":["a/b"]},{"name":"settings","array":["c/d"]}]"#,
                "`settings` is given twice",
            ),
            (
                r#"[{"name":"settings","array":["a/*"]}]"#,
                "`a/*` has a name that no such object can have",
            ),
            (
                r#"[{"name":"settings","array":["a/b/../../secrets/c"]}]"#,
                "has a name that no such object can have",
            ),
            (
                r#"[{"name":"settings","array":["a/b","a/b"]}]"#,
                "`ConfigMap a/b` is named twice",
            ),
            (
                r#"[{"name":"settings","array":["a/b","optional:a/b"]}]"#,
                "`ConfigMap a/b` is named twice",
            ),
        ] {
            let told = read(text).err().unwrap_or_default();
            assert!(told.contains(expected), "{text}: {told}");
        }
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once() {
        let told = read(r#"[{"name":"x"},{"name":"settings","array":["a","b"]}]"#);
        assert_eq!(told.err().unwrap_or_default().lines().count(), 3);
    }

    #[test]
    fn the_policy_names_the_parameters_that_there_are() {
        let policy = Policy {
            parameters: Some(BTreeSet::new()),
            ..Policy::default()
        };
        let text = r#"[{"name":"settings","array":["a/b"]},{"name":"images","array":["a"]}]"#;
        let told = Parameters::read(Some(text), &policy, &|_| None)
            .err()
            .unwrap_or_default();
        assert_eq!(told.len(), 1);
        assert_eq!(
            told[0].message,
            "the policy does not allow the plugin parameter `images`"
        );
    }

    fn told(text: &str) -> String {
        let variables = |name: &str| (name == "ARGOCD_APP_NAME").then(|| "lamp".to_owned());
        let parameters = Parameters::read(Some(text), &Policy::default(), &variables);
        let problems = parameters.err().unwrap_or_default();
        problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn options_become_edits() {
        let text = r#"[
            {"name":"namePrefix","string":""},
            {"name":"images","array":["a=b:$ARGOCD_APP_NAME"]},
            {"name":"commonLabels","map":{"a":"${ARGOCD_APP_NAME}"}},
            {"name":"commonAnnotations","map":{"a":"$ARGOCD_APP_NAME"}},
            {"name":"replicas","map":{"a":"+3"}},
            {"name":"forceCommonLabels","string":"true"},
            {"name":"forceCommonAnnotations","string":"false"},
            {"name":"version","string":"5.8.2"},
            {"name":"kubeVersion","string":"v1.34.0"}
        ]"#;
        let variables = |name: &str| (name == "ARGOCD_APP_NAME").then(|| "lamp".to_owned());
        let read = Parameters::read(Some(text), &Policy::default(), &variables);
        let edits = read.ok().map(|parameters| parameters.edits);
        let pair = |value: &str| BTreeMap::from([("a".to_owned(), value.to_owned())]);
        let expected = Edits {
            asked_by: "plugin parameter".into(),
            images: vec!["a=b:lamp".into()],
            common_labels: pair("lamp"),
            common_annotations: pair("$ARGOCD_APP_NAME"),
            replicas: [("a".to_owned(), 3)].into(),
            force_common_labels: true,
            ..Edits::default()
        };
        assert_eq!(edits, Some(expected));
    }

    #[test]
    fn options_that_are_wrong() {
        for (text, expected) in [
            (r#"[{"name":"image","array":[]}]"#, "did you mean `images`?"),
            (
                r#"[{"name":"helm","string":"x"}]"#,
                "hint: there are settings, namePrefix",
            ),
            (
                r#"[{"name":"images","string":"a:1"}]"#,
                "`images` is no `array`",
            ),
            (
                r#"[{"name":"replicas","array":["a=1"]}]"#,
                "`replicas` is no `map`",
            ),
            (
                r#"[{"name":"replicas","map":{"a":"1.5"}}]"#,
                "the count of `a` is no whole number",
            ),
            (
                r#"[{"name":"replicas","map":{"a":1}}]"#,
                "is no list of parameters",
            ),
            (
                r#"[{"name":"forceCommonLabels","string":"True"}]"#,
                "is neither `true` nor `false`",
            ),
            (
                r#"[{"name":"forceCommonLabels","string":""}]"#,
                "is neither `true` nor `false`",
            ),
        ] {
            let told = told(text);
            assert!(told.contains(expected), "{text}: {told}");
        }
    }

    #[test]
    fn options_with_values_that_are_wrong() {
        for (text, expected) in [
            (
                r#"[{"name":"images","array":["a:$B"]}]"#,
                "`images[0]`: there is no variable `B`",
            ),
            (
                r#"[{"name":"commonLabels","map":{"a":"${"}}]"#,
                "`commonLabels.a`: a `${` is not followed",
            ),
            (
                r#"[{"name":"commonAnnotations","map":{"a":"$B"}},{"name":"commonAnnotationsEnvsubst","string":"true"}]"#,
                "`commonAnnotations.a`: there is no variable `B`",
            ),
            (
                r#"[{"name":"version","string":"v4.5.7"}]"#,
                "asks for another kustomize",
            ),
            (
                r#"[{"name":"kubeVersion","string":"latest"}]"#,
                "is no version: `latest`",
            ),
            (
                r#"[{"name":"namespace","string":"a\u0007"}]"#,
                "has a control character",
            ),
            (
                r#"[{"name":"patches","array":["patch: x\npatch: y"]}]"#,
                "<plugin parameter patches[0]>",
            ),
            (
                r#"[{"name":"patches","array":["target: {knd: x}"]}]"#,
                "unknown field `knd`",
            ),
        ] {
            let told = told(text);
            assert!(told.contains(expected), "{text}: {told}");
        }
        let all = told(
            r#"[{"name":"images","array":["a","-b"]},{"name":"x"},{"name":"version","string":"1"},{"name":"patches","array":["[","a: b"]}]"#,
        );
        assert_eq!(all.matches("error: ").count(), 6, "{all}");
    }

    #[test]
    fn the_policy_counts() {
        let policy = Policy {
            namespaces: Some(["home".to_owned()].into()),
            objects: 1,
            secretless_namespace: Some("home".into()),
            ..Policy::default()
        };
        let count = |text: &str| {
            let text = format!(r#"[{{"name":"settings","array":[{text}]}}]"#);
            Parameters::read(Some(&text), &policy, &|_| None)
                .err()
                .unwrap_or_default()
                .len()
        };
        assert_eq!(count(r#""home/a""#), 0);
        assert_eq!(count(r#""work/a""#), 1);
        assert_eq!(count(r#""secret:home/a""#), 1);
        assert_eq!(count(r#""home/a","home/b""#), 1);
    }
}
