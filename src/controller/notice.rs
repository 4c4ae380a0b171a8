//! What watches tell.

use kube::ResourceExt as _;

use super::request::Refusal;
use crate::cluster::{Applications, ConfigMaps, Kind, Projects, Pruned, Secrets};
use crate::settings::consent::keep_what_may_be_read;
use crate::settings::object::{Object, ObjectName};
use crate::steer::application::{Application, Name};
use crate::steer::project::Project;
use crate::steer::state::Controls;

/// What a watch tells.
pub(super) enum Notice {
    /// It begins to list all that there is.
    Begin,
    /// An object is there.
    Shown(Shown),
    /// An object is not there, or not selected, any more.
    Gone(Key),
    /// It has listed all that there is.
    Complete,
    /// It goes on after it has failed.
    Well,
    /// It fails, and tries again.
    Failing(Refusal),
}

/// An object that is there.
pub(super) struct Shown {
    /// Which one.
    pub(super) key: Key,
    /// Its version.
    pub(super) version: String,
    /// What is kept of it; `None` where it is not made as its kind asks for.
    pub(super) thing: Option<Thing>,
}

/// Which object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    /// An Application.
    Application(Name),
    /// An object with revisions or settings.
    Object(ObjectName),
    /// A project.
    Project(String),
    /// What people tell the controller.
    Controls,
}

/// What is kept of an object.
pub(super) enum Thing {
    /// An Application.
    Application(Box<Application>),
    /// An object with revisions or settings.
    Object(Object),
    /// A project.
    Project(Project),
    /// What people tell the controller.
    Controls(Controls),
}

/// Reads an object of a kind.
pub(super) type Read<K> = fn(Pruned<K>) -> Shown;

fn shown<K: Kind>(object: Pruned<K>, key: Key, thing: impl FnOnce(K::Content) -> Thing) -> Shown {
    let version = object.resource_version().unwrap_or_default();
    Shown {
        key,
        version,
        thing: object.into_content().map(thing),
    }
}

/// Reads an Application.
pub(super) fn application(object: Pruned<Applications>) -> Shown {
    let key = Key::Application(object.name());
    shown(object, key, |application| {
        Thing::Application(Box::new(application))
    })
}

fn readable(mut object: Object) -> Thing {
    keep_what_may_be_read(&mut object);
    Thing::Object(object)
}

/// Reads a `ConfigMap` with revisions or settings.
pub(super) fn config_map(object: Pruned<ConfigMaps>) -> Shown {
    let key = Key::Object(object.object_name());
    shown(object, key, readable)
}

/// Reads a Secret with revisions or settings.
pub(super) fn secret(object: Pruned<Secrets>) -> Shown {
    let key = Key::Object(object.object_name());
    shown(object, key, readable)
}

/// Reads a project.
pub(super) fn project(object: Pruned<Projects>) -> Shown {
    let key = Key::Project(object.name().name);
    shown(object, key, Thing::Project)
}

/// Reads what people tell the controller.
pub(super) fn controls(object: Pruned<ConfigMaps>) -> Shown {
    shown(object, Key::Controls, |object| {
        let text = |(key, value): (&String, &Vec<u8>)| {
            (key.clone(), String::from_utf8_lossy(value).into_owned())
        };
        Thing::Controls(Controls::read(&object.data.iter().map(text).collect()))
    })
}
