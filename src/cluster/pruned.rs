//! Objects of the API server, cut down while they are decoded to what decisions are made from.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::core::NamespaceResourceScope;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::objects;
use crate::settings::object::{Object, ObjectKind, ObjectName};
use crate::steer;
use crate::steer::application::Name;
use crate::steer::owner;
use crate::steer::project;

/// What our labels and annotations begin with.
const OURS: &str = "argocd-infisical.io/";
/// Other labels and annotations that are kept: they say which operator wrote an object, and which version of its source.
const PROVENANCE: [&str; 3] = [
    "secrets.infisical.com/version",
    "reconcile.external-secrets.io/managed",
    "reconcile.external-secrets.io/data-hash",
];

/// A kind of objects, and what is kept of one.
pub trait Kind: Send + Sync + 'static {
    /// What is kept of an object, besides what tells it from others.
    type Content: Clone + Send + Sync + 'static;
    /// The API group; empty for the core.
    const GROUP: &'static str;
    /// The version in the group.
    const VERSION: &'static str;
    /// The kind.
    const KIND: &'static str;
    /// The resource, as paths and RBAC rules have it.
    const PLURAL: &'static str;

    /// What is kept of an object; `None` where it is not made as such an object is.
    ///
    /// Why it is not is left out: it could quote a value.
    fn prune(json: &str) -> Option<Self::Content>;

    /// Which object it is, where that is kept of it; otherwise it is read once more for that.
    fn head(_: &Self::Content) -> Option<ObjectMeta> {
        None
    }
}

/// Applications of Argo CD.
pub enum Applications {}
/// `ApplicationSet`s of Argo CD.
pub enum ApplicationSets {}
/// `AppProject`s of Argo CD.
pub enum Projects {}
/// `ConfigMap`s, as settings.
pub enum ConfigMaps {}
/// Secrets, as settings.
pub enum Secrets {}

/// An object, as the typed API of `kube` decodes it.
///
/// One that is not made as its kind asks for has no content, and is no error: it would fail the list that it is in.
pub struct Pruned<K: Kind> {
    /// Its name, namespace, uid and version; nothing else of it is kept.
    metadata: ObjectMeta,
    content: Option<K::Content>,
    kind: PhantomData<K>,
}

impl<K: Kind> Pruned<K> {
    /// Cuts down the text of one object.
    pub fn of(json: &str) -> Self {
        let content = K::prune(json);
        let known = content.as_ref().and_then(K::head);
        Self {
            metadata: known.unwrap_or_else(|| head(json)),
            content,
            kind: PhantomData,
        }
    }

    /// What is kept of it; `None` where it is not made as its kind asks for.
    pub const fn content(&self) -> Option<&K::Content> {
        self.content.as_ref()
    }

    /// As [`Self::content`], for good.
    pub fn into_content(self) -> Option<K::Content> {
        self.content
    }

    /// Its namespace and name.
    pub fn name(&self) -> Name {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        Name::new(text(&self.metadata.namespace), text(&self.metadata.name))
    }
}

impl Pruned<ConfigMaps> {
    /// Its name among objects with settings.
    pub fn object_name(&self) -> ObjectName {
        object_name(ObjectKind::ConfigMap, self.name())
    }
}

impl Pruned<Secrets> {
    /// Its name among objects with settings.
    pub fn object_name(&self) -> ObjectName {
        object_name(ObjectKind::Secret, self.name())
    }
}

fn object_name(kind: ObjectKind, Name { namespace, name }: Name) -> ObjectName {
    ObjectName {
        kind,
        namespace,
        name,
    }
}

impl<K: Kind> Clone for Pruned<K> {
    fn clone(&self) -> Self {
        Self {
            metadata: self.metadata.clone(),
            content: self.content.clone(),
            kind: PhantomData,
        }
    }
}

impl<K: Kind> fmt::Debug for Pruned<K> {
    /// Says which object; what it holds may be secret.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", K::KIND, self.name())
    }
}

impl<'a, K: Kind> Deserialize<'a> for Pruned<K> {
    fn deserialize<D: Deserializer<'a>>(from: D) -> Result<Self, D::Error> {
        // The text of the object is set aside first: a fault in the middle of it then ends nothing but itself.
        Ok(Self::of(Box::<RawValue>::deserialize(from)?.get()))
    }
}

/// Which object a text is of, as far as that can be read.
fn head(json: &str) -> ObjectMeta {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Head {
        metadata: Metadata,
    }
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "camelCase", default)]
    struct Metadata {
        namespace: Option<String>,
        name: Option<String>,
        uid: Option<String>,
        resource_version: Option<String>,
    }
    let Head { metadata } = serde_json::from_str(json).unwrap_or_default();
    let Metadata {
        namespace,
        name,
        uid,
        resource_version,
    } = metadata;
    ObjectMeta {
        namespace,
        name,
        uid,
        resource_version,
        ..ObjectMeta::default()
    }
}

impl<K: Kind> kube::Resource for Pruned<K> {
    type DynamicType = ();
    type Scope = NamespaceResourceScope;

    fn kind((): &()) -> Cow<'_, str> {
        K::KIND.into()
    }

    fn group((): &()) -> Cow<'_, str> {
        K::GROUP.into()
    }

    fn version((): &()) -> Cow<'_, str> {
        K::VERSION.into()
    }

    fn plural((): &()) -> Cow<'_, str> {
        K::PLURAL.into()
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

impl Kind for Applications {
    type Content = steer::Application;
    const GROUP: &'static str = "argoproj.io";
    const VERSION: &'static str = "v1alpha1";
    const KIND: &'static str = "Application";
    const PLURAL: &'static str = "applications";

    fn prune(json: &str) -> Option<steer::Application> {
        let mut application: steer::Application = decode(json)?;
        application.share();
        Some(application)
    }

    fn head(application: &steer::Application) -> Option<ObjectMeta> {
        let metadata = &application.metadata;
        Some(ObjectMeta {
            namespace: Some(metadata.namespace.clone()),
            name: Some(metadata.name.clone()),
            uid: Some(metadata.uid.clone()),
            resource_version: Some(metadata.resource_version.clone()),
            ..ObjectMeta::default()
        })
    }
}

/// A kind of Argo CD whose objects are decoded as they are.
macro_rules! of_argocd {
    ($name:ty, $content:ty, $kind:literal, $plural:literal) => {
        impl Kind for $name {
            type Content = $content;
            const GROUP: &'static str = "argoproj.io";
            const VERSION: &'static str = "v1alpha1";
            const KIND: &'static str = $kind;
            const PLURAL: &'static str = $plural;

            fn prune(json: &str) -> Option<$content> {
                decode(json)
            }
        }
    };
}

of_argocd!(
    ApplicationSets,
    owner::ApplicationSet,
    "ApplicationSet",
    "applicationsets"
);
of_argocd!(Projects, project::Project, "AppProject", "appprojects");

impl Kind for ConfigMaps {
    type Content = Object;
    const GROUP: &'static str = "";
    const VERSION: &'static str = "v1";
    const KIND: &'static str = "ConfigMap";
    const PLURAL: &'static str = "configmaps";

    fn prune(json: &str) -> Option<Object> {
        Some(ours(objects::of_config_map(decode::<ConfigMap>(json)?)))
    }
}

impl Kind for Secrets {
    type Content = Object;
    const GROUP: &'static str = "";
    const VERSION: &'static str = "v1";
    const KIND: &'static str = "Secret";
    const PLURAL: &'static str = "secrets";

    fn prune(json: &str) -> Option<Object> {
        Some(ours(objects::of_secret(decode::<Secret>(json)?)))
    }
}

pub(super) fn decode<T: DeserializeOwned>(json: &str) -> Option<T> {
    serde_json::from_str(json).ok()
}

/// Leaves out the labels and annotations of others.
pub(super) fn ours(mut object: Object) -> Object {
    let is_kept = |key: &str| key.starts_with(OURS) || PROVENANCE.contains(&key);
    object.labels.retain(|key, _| is_kept(key));
    object.annotations.retain(|key, _| is_kept(key));
    object
}

#[cfg(test)]
mod tests {
    use kube::core::{ObjectList, WatchEvent};
    use kube::{Resource as _, ResourceExt as _};
    use serde_json::json;

    use super::*;

    fn list<K: Kind>(items: &serde_json::Value) -> Vec<Pruned<K>> {
        let text = json!({
            "apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": "7", "continue": "x"}, "items": items,
        });
        let list: ObjectList<Pruned<K>> = serde_json::from_str(&text.to_string()).unwrap();
        list.items
    }

    #[test]
    fn one_odd_application_does_not_fail_a_list() {
        let of = |name: &str, spec: &serde_json::Value| {
            let metadata =
                json!({"namespace": "argocd", "name": name, "uid": "u", "resourceVersion": "3"});
            json!({"metadata": metadata, "spec": spec})
        };
        let items = list::<Applications>(&json!([
            of("odd", &json!({"sources": "none"})),
            of(
                "good",
                &json!({"source": {"repoURL": "r", "targetRevision": "dev"}})
            ),
            json!({}),
        ]));
        let revision = |item: &Pruned<Applications>| {
            let application = item.content()?;
            Some(application.spec.source.as_ref()?.revision().to_owned())
        };
        let found: Vec<_> = items
            .iter()
            .map(|item| (item.name().to_string(), revision(item)))
            .collect();
        let expected = [
            ("argocd/odd", None),
            ("argocd/good", Some("dev".to_owned())),
            ("/", None),
        ];
        assert_eq!(
            found,
            expected.map(|(name, revision)| (name.to_owned(), revision))
        );
        assert_eq!(items[0].resource_version().as_deref(), Some("3"));
        assert_eq!(items[0].uid().as_deref(), Some("u"));
    }

    #[test]
    fn what_a_watch_says_is_decoded_the_same() {
        let text = r#"{"type":"MODIFIED","object":{"apiVersion":"v1","kind":"ConfigMap","metadata":{"namespace":"a","name":"b"},"data":{"A":"1"}}}"#;
        let WatchEvent::Modified(found) =
            serde_json::from_str::<WatchEvent<Pruned<ConfigMaps>>>(text).unwrap()
        else {
            panic!("it is another event");
        };
        assert_eq!(found.object_name().to_string(), "ConfigMap a/b");
        assert_eq!(found.content().unwrap().data["A"], b"1");
    }

    #[test]
    fn of_an_object_our_labels_and_its_provenance_are_kept() {
        let items = list::<Secrets>(&json!([{
            "metadata": {
                "namespace": "a",
                "name": "b",
                "labels": {"argocd-infisical.io/environment": "dev", "app": "x"},
                "annotations": {
                    "argocd-infisical.io/keys": "A",
                    "secrets.infisical.com/version": "W/\"secrets-1-0\"",
                    "kubectl.kubernetes.io/last-applied-configuration": "hunter2",
                },
            },
            "data": {"A": "aGk=", "B": "/w=="},
        }]));
        assert_eq!(format!("{items:?}"), "[Secret a/b]");
        let object = items[0].content().unwrap();
        let keys = |map: &std::collections::BTreeMap<String, String>| {
            map.keys().cloned().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(keys(&object.labels), "argocd-infisical.io/environment");
        assert_eq!(
            keys(&object.annotations),
            "argocd-infisical.io/keys secrets.infisical.com/version"
        );
        assert_eq!(
            (&*object.data["A"], &*object.data["B"]),
            (&b"hi"[..], &[0xff][..])
        );
        // A config map's `binaryData` are values too.
        let items = list::<ConfigMaps>(
            &json!([{"metadata": {}, "binaryData": {"A": "/w=="}, "data": {"B": "b"}}]),
        );
        let object = items[0].content().unwrap();
        assert_eq!(
            (&*object.data["A"], &*object.data["B"]),
            (&[0xff][..], &b"b"[..])
        );
        // Base64 that is none.
        let items =
            list::<Secrets>(&json!([{"metadata": {"name": "b"}, "data": {"A": "hunter2!"}}]));
        assert!(items[0].content().is_none());
    }

    #[test]
    fn paths_are_those_of_the_api_server() {
        let path = Pruned::<Applications>::url_path(&(), Some("argocd"));
        assert_eq!(
            path,
            "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications"
        );
        assert_eq!(Pruned::<Secrets>::url_path(&(), None), "/api/v1/secrets");
    }
}
