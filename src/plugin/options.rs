//! The options of Argo CD's own Kustomize source, as parameters of the plugin.

use std::collections::BTreeMap;

use kustomize::Edits;

use super::variables::{Variables, substitute};
use crate::failure::Problem;
use crate::reference;

/// How a parameter gives its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `string`: any text.
    Text,
    /// `string`: `true` or `false`.
    Switch,
    /// `array`
    List,
    /// `map`
    Map,
}

/// A parameter that there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Described {
    /// Its name, that of the field in `spec.source.kustomize`.
    pub name: &'static str,
    /// How it gives its value.
    pub form: Form,
    /// What it is called where people see it.
    pub title: &'static str,
    /// What it does, and how its value is written.
    pub tooltip: &'static str,
}

const fn described(
    name: &'static str,
    form: Form,
    title: &'static str,
    tooltip: &'static str,
) -> Described {
    Described {
        name,
        form,
        title,
        tooltip,
    }
}

/// The options, in the order of Argo CD's documentation.
// Argo CD: ApplicationSourceKustomize
pub const OPTIONS: [Described; 18] = [
    described(
        "namePrefix",
        Form::Text,
        "Name prefix",
        "Put in front of the names of all resources",
    ),
    described(
        "nameSuffix",
        Form::Text,
        "Name suffix",
        "Put behind the names of all resources",
    ),
    described(
        "namespace",
        Form::Text,
        "Namespace",
        "The namespace of all resources",
    ),
    described(
        "images",
        Form::List,
        "Images",
        "Other images, each as name=new:tag@digest; parts may be missing, and * keeps what the repository says",
    ),
    described(
        "replicas",
        Form::Map,
        "Replicas",
        "Numbers of replicas, by the names of workloads",
    ),
    described(
        "commonLabels",
        Form::Map,
        "Common labels",
        "Labels of all resources, their selectors and pods",
    ),
    described(
        "labelWithoutSelector",
        Form::Switch,
        "Labels without selectors",
        "true keeps the common labels out of selectors and pods",
    ),
    described(
        "labelIncludeTemplates",
        Form::Switch,
        "Labels in templates",
        "true adds the common labels to pods too, where labelWithoutSelector is true",
    ),
    described(
        "forceCommonLabels",
        Form::Switch,
        "Force common labels",
        "true lets the common labels win over those in the kustomization file",
    ),
    described(
        "commonAnnotations",
        Form::Map,
        "Common annotations",
        "Annotations of all resources and pods",
    ),
    described(
        "commonAnnotationsEnvsubst",
        Form::Switch,
        "Variables in common annotations",
        "true replaces variables such as ${ARGOCD_APP_REVISION} in the values of common annotations",
    ),
    described(
        "forceCommonAnnotations",
        Form::Switch,
        "Force common annotations",
        "true lets the common annotations win over those in the kustomization file",
    ),
    described(
        "patches",
        Form::List,
        "Patches",
        "Patches, each the YAML of an entry of patches: patch or path, target, options",
    ),
    described(
        "components",
        Form::List,
        "Components",
        "Directories of Kustomize components to add",
    ),
    described(
        "ignoreMissingComponents",
        Form::Switch,
        "Ignore missing components",
        "true leaves out components whose directory has no kustomization file",
    ),
    described(
        "version",
        Form::Text,
        "Kustomize version",
        "The only version there is: that of the kustomize whose output this plugin equals",
    ),
    described(
        "kubeVersion",
        Form::Text,
        "Kubernetes version",
        "Tells Helm charts a version; changes nothing else",
    ),
    described(
        "apiVersions",
        Form::List,
        "API versions",
        "Tells Helm charts what the cluster serves; changes nothing else",
    ),
];

/// A value that was given, in the form that its parameter has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    List(Vec<String>),
    Map(BTreeMap<String, String>),
}

impl Value {
    /// Whether a text has a character in it that no manifest may have as it is.
    pub(super) fn has_control(&self) -> bool {
        let has =
            |text: &String| text.contains(|c: char| c.is_control() && !matches!(c, '\n' | '\t'));
        match self {
            Self::Text(text) => has(text),
            Self::List(list) => list.iter().any(has),
            Self::Map(map) => map.iter().any(|(name, value)| has(name) || has(value)),
        }
    }
}

/// What was given, by the names of parameters, and what is wrong with it.
struct Given<'a> {
    values: BTreeMap<&'static str, Value>,
    variables: &'a Variables<'a>,
    problems: Vec<Problem>,
}

/// What the options come to.
///
/// # Errors
/// Everything that is wrong with them.
pub(super) fn edits(
    values: BTreeMap<&'static str, Value>,
    variables: &Variables,
) -> Result<Edits, Vec<Problem>> {
    let mut given = Given {
        values,
        variables,
        problems: Vec::new(),
    };
    let substitutes = given.switch("commonAnnotationsEnvsubst");
    let edits = Edits {
        asked_by: "plugin parameter".to_owned(),
        name_prefix: given.text("namePrefix"),
        name_suffix: given.text("nameSuffix"),
        namespace: given.text("namespace"),
        images: given.images(),
        replicas: given.replicas(),
        common_labels: given.pairs("commonLabels", true),
        label_without_selector: given.switch("labelWithoutSelector"),
        label_include_templates: given.switch("labelIncludeTemplates"),
        force_common_labels: given.switch("forceCommonLabels"),
        common_annotations: given.pairs("commonAnnotations", substitutes),
        force_common_annotations: given.switch("forceCommonAnnotations"),
        patches: given.list("patches"),
        components: given.list("components"),
        ignore_missing_components: given.switch("ignoreMissingComponents"),
    };
    given.check_versions();
    let Given { mut problems, .. } = given;
    problems.extend(edits.check().iter().map(Problem::from));
    if problems.is_empty() {
        Ok(edits)
    } else {
        Err(problems)
    }
}

impl Given<'_> {
    fn text(&mut self, name: &str) -> String {
        match self.values.remove(name) {
            Some(Value::Text(text)) => text,
            _ => String::new(),
        }
    }

    fn list(&mut self, name: &str) -> Vec<String> {
        match self.values.remove(name) {
            Some(Value::List(list)) => list,
            _ => Vec::new(),
        }
    }

    fn map(&mut self, name: &str) -> BTreeMap<String, String> {
        match self.values.remove(name) {
            Some(Value::Map(map)) => map,
            _ => BTreeMap::new(),
        }
    }

    fn switch(&mut self, name: &str) -> bool {
        match self.values.remove(name) {
            Some(Value::Text(text)) if text == "true" => true,
            Some(Value::Text(text)) if text != "false" => {
                let message =
                    format!("the plugin parameter `{name}` is neither `true` nor `false`");
                let hint = "write `string: \"true\"` or `string: \"false\"`";
                self.problems.push(Problem::new(message).hint(hint));
                false
            }
            _ => false,
        }
    }

    fn images(&mut self) -> Vec<String> {
        let images = self.list("images");
        let images = images.iter().enumerate();
        images
            .map(|(index, image)| self.substituted(&format!("images[{index}]"), image))
            .collect()
    }

    fn replicas(&mut self) -> BTreeMap<String, i64> {
        let mut replicas = BTreeMap::new();
        for (name, count) in self.map("replicas") {
            if let Ok(count) = count.parse() {
                replicas.insert(name, count);
                continue;
            }
            let message = format!(
                "the plugin parameter `replicas`: the count of `{name}` is no whole number"
            );
            let hint = format!("write `{name}: \"3\"`");
            self.problems.push(Problem::new(message).hint(hint));
        }
        replicas
    }

    /// Names and values; variables in values are replaced where that is asked for.
    fn pairs(&mut self, name: &str, substitutes: bool) -> BTreeMap<String, String> {
        let mut pairs = self.map(name);
        if substitutes {
            for (key, value) in &mut pairs {
                *value = self.substituted(&format!("{name}.{key}"), value);
            }
        }
        pairs
    }

    fn substituted(&mut self, place: &str, text: &str) -> String {
        substitute(text, self.variables).unwrap_or_else(|problem| {
            let message = format!("the plugin parameter `{place}`: {}", problem.message);
            let hint = problem.hint.clone().unwrap_or_default();
            self.problems.push(Problem::new(message).hint(hint));
            // What is wrong with the rest of it is told as well.
            text.to_owned()
        })
    }

    /// What speaks of other programs: the only kustomize there is, and Helm.
    fn check_versions(&mut self) {
        let version = self.text("version");
        let own = reference::VERSION;
        let is_own =
            version.is_empty() || version.trim_start_matches('v') == own.trim_start_matches('v');
        if !is_own {
            let message = format!(
                "the plugin parameter `version` asks for another kustomize, and this plugin prints what {own} prints: `{version}`"
            );
            let hint = format!(
                "leave it out, or write `{own}`; what needs another kustomize has to stay a source with `kustomize`"
            );
            self.problems.push(Problem::new(message).hint(hint));
        }
        let kubernetes = self.text("kubeVersion");
        if !kubernetes.is_empty() && !is_version(&kubernetes) {
            let message =
                format!("the plugin parameter `kubeVersion` is no version: `{kubernetes}`");
            self.problems
                .push(Problem::new(message).hint("write `1.34.0` or the like"));
        }
        drop(self.list("apiVersions"));
    }
}

/// Whether a text begins with the numbers of a version.
// Argo CD: parseKubeVersion, by way of version.ParseGeneric
fn is_version(text: &str) -> bool {
    let text = text.trim_start();
    let text = text.strip_prefix('v').unwrap_or(text);
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.');
    let numbers = text.get(..end.unwrap_or(text.len())).unwrap_or_default();
    let mut parts = numbers.trim_end_matches('.').split('.');
    let is_number = |part: &str| !part.is_empty() && (part == "0" || !part.starts_with('0'));
    parts.clone().count() >= 2 && parts.all(is_number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_kubernetes() {
        for text in ["1.34", "v1.34.0", "1.34.0+k3s1", "1.30.1-rc.1"] {
            assert!(is_version(text), "{text}");
        }
        for text in ["1", "one", "v", "1.x", "1..2", "01.2"] {
            assert!(!is_version(text), "{text}");
        }
    }
}
