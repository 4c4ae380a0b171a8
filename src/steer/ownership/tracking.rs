//! Who creates an Application, by the marks on it.

use std::collections::BTreeSet;

use crate::settings::object::{is_label, is_subdomain};
use crate::steer::application::{Application, Name};
use crate::steer::owner::{Instance, OwnerName, Tracking};
use crate::steer::policy::Policy;

/// Who creates an Application and may write it again: `ApplicationSet`s, and apps of apps.
///
/// An Application that Argo CD tracks as a part of itself is its own owner: its manifest is in the repository that it deploys,
/// and a sync puts its fields back as any app of apps does. The label does not tell that, since charts set it on their own.
pub fn owners(application: &Application, instance: &Instance, policy: &Policy) -> Vec<OwnerName> {
    let own = policy.argocd_namespace.as_str();
    let by_annotation = || tracked(application, instance, own);
    let by_label = || labelled(application, instance, own);
    let parents: BTreeSet<Name> = match instance.tracking {
        Tracking::Annotation | Tracking::AnnotationAndLabel => {
            by_annotation().into_iter().collect()
        }
        Tracking::Label => by_label().into_iter().collect(),
        Tracking::Unknown => by_annotation().into_iter().chain(by_label()).collect(),
    };
    let sets: BTreeSet<Name> = sets(application).collect();
    let sets = sets.into_iter().map(OwnerName::ApplicationSet);
    sets.chain(parents.into_iter().map(OwnerName::Application))
        .collect()
}

fn sets(application: &Application) -> impl Iterator<Item = Name> {
    let references = application.metadata.owner_references.iter();
    let sets = references.filter(|owner| {
        let group = owner.api_version.split_once('/').map(|(group, _)| group);
        let is_set = owner.kind == "ApplicationSet" && group == Some("argoproj.io");
        is_set && is_subdomain(&owner.name)
    });
    sets.map(|owner| Name::new(&application.metadata.namespace, &owner.name))
}

/// The parent by annotation, `<parent>:<group>/<kind>:<namespace>/<name>`. One that was copied from another object names that
/// one, and is nothing.
// Argo CD: resourceTracking.getAppInstanceValue, isSelfReferencedObj
fn tracked(application: &Application, instance: &Instance, own: &str) -> Option<Name> {
    let annotations = application.metadata.annotations.as_ref()?;
    if instance.installation_id.is_some() && instance.installation_id != annotations.installation_id
    {
        return None;
    }
    let mut parts = annotations.tracking_id.as_deref()?.splitn(3, ':');
    let parent = parts.next()?;
    let (kind, name) = (parts.next()?, parts.next()?);
    let is_this = kind == "argoproj.io/Application" && name == application.name().to_string();
    is_this.then(|| parent_of(parent, own)).flatten()
}

fn labelled(application: &Application, instance: &Instance, own: &str) -> Option<Name> {
    let label = application.metadata.labels.get(&instance.instance_label)?;
    let parent = parent_of(label, own)?;
    (parent != application.name()).then_some(parent)
}

/// The name of an Application, as Argo CD writes it into marks. What no Application can be called is nobody; it would also be
/// a part of the address that the owner is asked for at.
fn parent_of(mark: &str, own: &str) -> Option<Name> {
    let name = Name::of_instance(mark, own);
    (is_label(&name.namespace) && is_subdomain(&name.name)).then_some(name)
}
