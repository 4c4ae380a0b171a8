//! The objects of a cluster that hold settings, and how an Application names them.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use super::is_key;

/// What kind of object holds settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ObjectKind {
    /// A `ConfigMap`, whose values anybody may see.
    ConfigMap,
    /// A Secret, of which single keys may be seen.
    Secret,
}

impl ObjectKind {
    /// As Kubernetes writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ConfigMap => "ConfigMap",
            Self::Secret => "Secret",
        }
    }

    /// The name of the resource in paths and in RBAC rules.
    pub const fn resource(self) -> &'static str {
        match self {
            Self::ConfigMap => "configmaps",
            Self::Secret => "secrets",
        }
    }
}

/// Which object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectName {
    /// Its kind.
    pub kind: ObjectKind,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl ObjectName {
    /// The RBAC rule that lets somebody read it, in its namespace.
    pub fn rule(&self) -> String {
        let resource = self.kind.resource();
        let name = &self.name;
        format!(
            "{{apiGroups: [\"\"], resources: [{resource}], resourceNames: [{name}], verbs: [get]}}"
        )
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            kind,
            namespace,
            name,
        } = self;
        write!(formatter, "{} {namespace}/{name}", kind.as_str())
    }
}

/// An object as an Application names it: `namespace/name` for a `ConfigMap`, `secret:namespace/name` for a Secret, with
/// `optional:` in front if it may be missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Which object.
    pub object: ObjectName,
    /// Whether it may be missing.
    pub is_optional: bool,
}

impl FromStr for Reference {
    /// What is wrong with the text, as the end of a sentence that names it.
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (is_optional, rest) = text
            .strip_prefix("optional:")
            .map_or((false, text), |rest| (true, rest));
        let (kind, rest) = rest
            .strip_prefix("secret:")
            .map_or((ObjectKind::ConfigMap, rest), |rest| {
                (ObjectKind::Secret, rest)
            });
        let Some((namespace, name)) = rest.split_once('/') else {
            return Err("has no `/` between a namespace and a name");
        };
        if !is_label(namespace) {
            return Err("has a namespace that no namespace can have");
        }
        if !is_subdomain(name) {
            return Err("has a name that no such object can have");
        }
        Ok(Self {
            object: ObjectName {
                kind,
                namespace: namespace.to_owned(),
                name: name.to_owned(),
            },
            is_optional,
        })
    }
}

/// Whether a text can be the name of a namespace, a project or the like.
// Kubernetes: RFC 1123 label
pub(crate) fn is_label(text: &str) -> bool {
    let is_alphanumeric = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = text.as_bytes();
    text.len() <= 63
        && bytes.first().is_some_and(is_alphanumeric)
        && bytes.last().is_some_and(is_alphanumeric)
        && bytes
            .iter()
            .all(|byte| is_alphanumeric(byte) || *byte == b'-')
}

/// Whether a text can be the name of most objects.
// Kubernetes: RFC 1123 subdomain
pub(crate) fn is_subdomain(text: &str) -> bool {
    let is_part = |part: &str| {
        let is_alphanumeric = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let bytes = part.as_bytes();
        bytes.first().is_some_and(is_alphanumeric)
            && bytes.last().is_some_and(is_alphanumeric)
            && bytes
                .iter()
                .all(|byte| is_alphanumeric(byte) || *byte == b'-')
    };
    text.len() <= 253 && text.split('.').all(is_part)
}

/// What a cluster says of an object, as far as settings are concerned.
///
/// It can be neither printed nor formatted: it holds values.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Object {
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
    /// Its values: `data` and `binaryData`, decoded.
    pub data: BTreeMap<String, Vec<u8>>,
}

impl Object {
    /// The keys of a comma-separated list in an annotation; `None` where there is no such annotation.
    pub(super) fn listed_keys(&self, annotation: &str) -> Option<Vec<&str>> {
        let list = self.annotations.get(annotation)?;
        Some(items(list).filter(|key| is_key(key)).collect())
    }
}

/// The items of a list with commas, without blanks around them; empty ones do not count.
pub(super) fn items(list: &str) -> impl Iterator<Item = &str> {
    list.split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_a_reference() {
        let shown = |text: &str| {
            let reference: Reference = text.parse().unwrap();
            (reference.object.to_string(), reference.is_optional)
        };
        assert_eq!(
            shown("home/settings"),
            ("ConfigMap home/settings".into(), false)
        );
        assert_eq!(shown("secret:home/a.b"), ("Secret home/a.b".into(), false));
        assert_eq!(shown("optional:home/a"), ("ConfigMap home/a".into(), true));
        assert_eq!(
            shown("optional:secret:home/a"),
            ("Secret home/a".into(), true)
        );
    }

    #[test]
    fn what_is_no_reference() {
        for text in [
            "",
            "settings",
            "/settings",
            "home/",
            "home/a/b",
            "home/*",
            "*/a",
            "Home/a",
            "home/A",
            "home/a_b",
            "home/../x",
            "home/a?watch=1",
            "home/-a",
            "home./a",
            "secret:optional:home/a",
            "secret:secret:home/a",
            "optional:optional:home/a",
            "configmap:home/a",
            "home/a ",
            "home/a\n",
            "home/%2e%2e",
        ] {
            assert!(text.parse::<Reference>().is_err(), "{text:?}");
        }
        let long = format!("home/{}", "a".repeat(254));
        assert!(long.parse::<Reference>().is_err());
    }
}
