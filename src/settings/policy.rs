//! Policy: what an administrator lets the Applications of an installation ask for.
//!
//! It is a file of the sidecar. Nothing that an author of an Application writes can widen it, and a file that cannot be
//! read or understood allows nothing.

use std::collections::BTreeSet;
use std::path::Path;

use serde::{Deserialize, Deserializer};

use super::object::{ObjectKind, Reference, is_label};
use crate::failure::{Failure, Problem};
use crate::files;

/// What `apiVersion` of a policy is.
pub const API_VERSION: &str = "argocd-infisical.io/v1alpha1";

/// How many objects an Application may name where the policy does not say it.
const OBJECTS: usize = 16;
/// How long a value may be where the policy does not say it, in bytes: what an object of Kubernetes can hold.
pub const VALUE_BYTES: usize = 1 << 20;

/// What Applications may ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The namespaces in which settings may stand; `None` is all of them.
    pub namespaces: Option<BTreeSet<String>>,
    /// The kinds of objects in which they may stand.
    pub kinds: BTreeSet<ObjectKind>,
    /// How many objects one Application may name.
    pub objects: usize,
    /// How long a value may be, in bytes.
    pub value_bytes: usize,
    /// The parameters of the plugin that Applications may set, besides `settings`; `None` is all that there are.
    pub parameters: Option<BTreeSet<String>>,
    /// The namespace of which no Secret is read: the one where Argo CD keeps its own.
    pub secretless_namespace: Option<String>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            namespaces: None,
            kinds: [ObjectKind::ConfigMap, ObjectKind::Secret].into(),
            objects: OBJECTS,
            value_bytes: VALUE_BYTES,
            parameters: None,
            secretless_namespace: None,
        }
    }
}

/// A policy as it is written.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Written {
    api_version: String,
    kind: String,
    #[serde(default)]
    settings: WrittenSettings,
    #[serde(default, deserialize_with = "given")]
    parameters: Option<BTreeSet<String>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WrittenSettings {
    #[serde(default, deserialize_with = "given")]
    namespaces: Option<BTreeSet<String>>,
    #[serde(default, deserialize_with = "given")]
    kinds: Option<BTreeSet<WrittenKind>>,
    #[serde(default, deserialize_with = "given")]
    max_objects: Option<usize>,
    #[serde(default, deserialize_with = "given")]
    max_value_bytes: Option<usize>,
}

/// A field that is there has to say something: a list of which every line is a comment must not mean that all is allowed.
pub(crate) fn given<'a, T, D>(from: D) -> Result<Option<T>, D::Error>
where
    T: Deserialize<'a>,
    D: Deserializer<'a>,
{
    T::deserialize(from).map(Some)
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
enum WrittenKind {
    ConfigMap,
    Secret,
}

impl Policy {
    /// The policy that is named, or the usual one.
    ///
    /// # Errors
    /// Where one is named that cannot be read or understood: it may forbid something.
    pub fn named(file: Option<&Path>) -> Result<Self, Failure> {
        file.map_or_else(|| Ok(Self::default()), Self::read)
    }

    /// Reads a policy from a file.
    ///
    /// # Errors
    /// Where there is no such file, or it holds anything but a policy.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let name = path.display().to_string();
        let hint = "a policy says `apiVersion: argocd-infisical.io/v1alpha1` and `kind: Policy`; docs/settings.md lists its fields";
        let wrong = |message: String, line: u32| {
            Problem::new(message)
                .at(name.clone(), line)
                .hint(hint)
                .into_failure()
        };
        let bytes = files::read_regular(path)
            .map_err(|error| wrong(format!("cannot read the policy: {error}"), 0))?;
        Self::parse(&bytes).map_err(|(message, line)| wrong(message, line))
    }

    /// Reads a policy from the text of its file.
    ///
    /// # Errors
    /// Where it is anything but a policy; why, with the line.
    pub fn of_text(bytes: &[u8]) -> Result<Self, String> {
        Self::parse(bytes).map_err(|(message, line)| match line {
            0 => message,
            line => format!("{message} (line {line})"),
        })
    }

    fn parse(bytes: &[u8]) -> Result<Self, (String, u32)> {
        let text = std::str::from_utf8(bytes)
            .map_err(|_| ("the policy is not UTF-8 text".to_owned(), 0))?;
        let written: Written = serde_saphyr::from_str(text).map_err(|error| {
            let line = error.location().map_or(0, |location| location.line());
            let line = u32::try_from(line).unwrap_or_default();
            (format!("the policy is not valid: {}", plain(&error)), line)
        })?;
        let Written {
            api_version,
            kind,
            settings,
            parameters,
        } = written;
        if api_version != API_VERSION || kind != "Policy" {
            return Err(("the file is no policy".into(), 0));
        }
        let WrittenSettings {
            namespaces,
            kinds,
            max_objects,
            max_value_bytes,
        } = settings;
        let mut all = namespaces.iter().flatten();
        if all.any(|namespace| !is_label(namespace)) {
            let message = "`settings.namespaces` has an entry that no namespace can be called";
            return Err((message.into(), 0));
        }
        let usual = Self::default();
        Ok(Self {
            namespaces,
            kinds: kinds.map_or(usual.kinds, |kinds| {
                kinds.into_iter().map(Into::into).collect()
            }),
            objects: max_objects.unwrap_or(usual.objects),
            value_bytes: max_value_bytes.unwrap_or(usual.value_bytes),
            parameters,
            secretless_namespace: None,
        })
    }

    /// Whether an Application may set a parameter of the plugin.
    pub fn allows_parameter(&self, name: &str) -> bool {
        let allowed = self.parameters.as_ref();
        allowed.is_none_or(|allowed| allowed.contains(name))
    }

    /// Checks that objects may be named; none has been asked for yet.
    ///
    /// # Errors
    /// What is not allowed of it, all of it.
    pub fn check(&self, references: &[Reference]) -> Result<(), Vec<Problem>> {
        let mut problems: Vec<Problem> = references
            .iter()
            .filter_map(|reference| self.objection(reference))
            .collect();
        if references.len() > self.objects {
            let message = format!(
                "{} objects are named for settings, and the policy allows {}",
                references.len(),
                self.objects
            );
            problems.push(Problem::new(message).hint("put the settings into fewer objects"));
        }
        let repeated = references.iter().enumerate().find(|(index, reference)| {
            let mut before = references.iter().take(*index);
            before.any(|other| other.object == reference.object)
        });
        if let Some((_, reference)) = repeated {
            let message = format!("`{}` is named twice for settings", reference.object);
            problems.push(Problem::new(message).hint("name it once"));
        }
        if problems.is_empty() {
            Ok(())
        } else {
            Err(problems)
        }
    }

    fn objection(&self, reference: &Reference) -> Option<Problem> {
        let object = &reference.object;
        let ask = "name another object, or ask who runs Argo CD to extend the policy";
        if !self.kinds.contains(&object.kind) {
            let message = format!(
                "settings out of `{object}`: the policy allows no {}",
                object.kind.as_str()
            );
            return Some(Problem::new(message).hint(ask));
        }
        let is_known = |known: &BTreeSet<String>| known.contains(&object.namespace);
        if !self.namespaces.as_ref().is_none_or(is_known) {
            let message =
                format!("settings out of `{object}`: the policy does not allow its namespace");
            return Some(Problem::new(message).hint(ask));
        }
        let is_argo_cd = self.secretless_namespace.as_ref() == Some(&object.namespace);
        if is_argo_cd && object.kind == ObjectKind::Secret {
            let message = format!(
                "settings out of `{object}`: Secrets of Argo CD's own namespace are never read"
            );
            return Some(Problem::new(message).hint("keep settings in another namespace"));
        }
        None
    }
}

impl From<WrittenKind> for ObjectKind {
    fn from(kind: WrittenKind) -> Self {
        match kind {
            WrittenKind::ConfigMap => Self::ConfigMap,
            WrittenKind::Secret => Self::Secret,
        }
    }
}

/// The first line of what the parser says, without the place, which is told elsewhere, and without advice to programmers.
pub(crate) fn plain(error: &serde_saphyr::Error) -> String {
    let text = error.without_snippet().to_string();
    let line = text.lines().next().unwrap_or_default();
    let line = line.rsplit_once(" at line ").map_or(line, |(line, _)| line);
    let line = line.split(", set ").next().unwrap_or(line);
    line.trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "apiVersion: argocd-infisical.io/v1alpha1\nkind: Policy\n";

    fn parse(rest: &str) -> Result<Policy, String> {
        Policy::parse(format!("{HEAD}{rest}").as_bytes()).map_err(|(message, _)| message)
    }

    fn objections(policy: &Policy, references: &[&str]) -> Vec<String> {
        let references: Vec<Reference> = references
            .iter()
            .map(|reference| reference.parse().unwrap())
            .collect();
        let problems = policy.check(&references).err().unwrap_or_default();
        problems
            .into_iter()
            .map(|problem| problem.message.clone())
            .collect()
    }

    #[test]
    fn without_fields_it_is_the_usual_one() {
        assert_eq!(parse("").unwrap(), Policy::default());
    }

    #[test]
    fn a_field_without_a_value_allows_nothing() {
        for rest in [
            "settings:\n  namespaces:\n  # - home\n",
            "settings: {namespaces: ~}\n",
            "settings: {namespaces: null}\n",
            "settings: {namespaces: ''}\n",
            "settings: {kinds: }\n",
            "settings: {maxObjects: }\n",
            "settings: {maxValueBytes: ~}\n",
            "settings:\n",
            "parameters:\n",
        ] {
            assert!(parse(rest).is_err(), "{rest}");
        }
        let none = parse("settings: {namespaces: [], kinds: []}\nparameters: []\n").unwrap();
        assert_eq!(objections(&none, &["home/a"]).len(), 1);
        assert!(!none.allows_parameter("images"));
    }

    #[test]
    fn all_fields() {
        let policy = parse(
            "settings: {namespaces: [home, lab], kinds: [ConfigMap], maxObjects: 2, maxValueBytes: 10}\nparameters: [images]\n",
        )
        .unwrap();
        assert_eq!(policy.value_bytes, 10);
        assert_eq!(policy.parameters, Some(["images".to_owned()].into()));
        assert!(objections(&policy, &["home/a", "lab/a"]).is_empty());
        assert_eq!(
            objections(&policy, &["home/a", "other/a", "secret:home/a"]),
            [
                "settings out of `ConfigMap other/a`: the policy does not allow its namespace",
                "settings out of `Secret home/a`: the policy allows no Secret",
                "3 objects are named for settings, and the policy allows 2",
            ]
        );
    }

    #[test]
    fn an_empty_list_allows_nothing() {
        let policy = parse("settings: {namespaces: []}\n").unwrap();
        assert_eq!(objections(&policy, &["home/a"]).len(), 1);
        let policy = parse("settings: {kinds: []}\n").unwrap();
        assert_eq!(objections(&policy, &["home/a"]).len(), 1);
    }

    #[test]
    fn secrets_of_argo_cd_are_not_read() {
        let policy = Policy {
            secretless_namespace: Some("argocd".into()),
            ..Policy::default()
        };
        assert_eq!(objections(&policy, &["secret:argocd/a"]).len(), 1);
        assert!(objections(&policy, &["argocd/a", "secret:home/a"]).is_empty());
    }

    #[test]
    fn an_object_is_named_once() {
        let twice = ["secret:home/a", "optional:secret:home/a"];
        assert_eq!(
            objections(&Policy::default(), &twice),
            ["`Secret home/a` is named twice for settings"]
        );
        assert!(objections(&Policy::default(), &["secret:home/a", "home/a"]).is_empty());
    }

    #[test]
    fn what_is_misspelt_is_refused() {
        for rest in [
            "setings: {}\n",
            "settings: {namespace: [a]}\n",
            "settings: {kinds: [secrets]}\n",
            "settings: {namespaces: \"*\"}\n",
            "settings: {namespaces: ['*']}\n",
            "settings: {maxObjects: -1}\n",
            "settings: {maxObjects: many}\n",
            "kind: Policy\n",
            "---\na: b\n",
        ] {
            assert!(parse(rest).is_err(), "{rest}");
        }
        assert_eq!(
            parse("kind: Policy\n").unwrap_err(),
            "the policy is not valid: duplicate mapping key: kind"
        );
        assert!(Policy::parse(b"").is_err());
        assert!(Policy::parse(b"apiVersion: v1\nkind: Policy\n").is_err());
        assert!(Policy::parse(b"\xff").is_err());
    }
}
