//! Which Applications name which objects with settings: thousands of Secrets are written anew, and most concern a few.

use std::collections::{BTreeMap, BTreeSet};

use crate::plugin::parameters::SETTINGS;
use crate::settings::object::ObjectName;
use crate::steer::application::{Application, Name};

/// The Applications by the objects that they name, as `namespace/name`: what kind they name is not looked at.
#[derive(Debug, Default)]
pub(super) struct Mentions(BTreeMap<String, BTreeSet<Name>>);

impl Mentions {
    /// An Application is another one than before; `None` is none.
    pub(super) fn change(
        &mut self,
        name: &Name,
        before: Option<&Application>,
        after: Option<&Application>,
    ) {
        let (before, after) = (before.map(named), after.map(named));
        if before == after {
            return;
        }
        for object in before.into_iter().flatten() {
            if let Some(names) = self.0.get_mut(object) {
                names.remove(name);
                if names.is_empty() {
                    self.0.remove(object);
                }
            }
        }
        for object in after.into_iter().flatten() {
            let names = self.0.entry(object.to_owned()).or_default();
            names.insert(name.clone());
        }
    }

    /// Those that name an object.
    pub(super) fn of(&self, object: &ObjectName) -> impl Iterator<Item = &Name> {
        let ObjectName {
            namespace, name, ..
        } = object;
        let names = self.0.get(&format!("{namespace}/{name}"));
        names.into_iter().flatten()
    }
}

/// The objects that an Application names.
fn named(application: &Application) -> Vec<&str> {
    let spec = &application.spec;
    let only = spec.source.iter().map(|source| &**source);
    let sources = only.chain(&*spec.sources);
    let plugins = sources.filter_map(|source| source.plugin.as_ref());
    let parameters = plugins.flat_map(|plugin| &plugin.parameters);
    let lists = parameters.filter(|parameter| parameter.name == SETTINGS.name);
    let texts = lists.flat_map(|parameter| parameter.array.iter().flatten());
    // What stands before the last colon says of which kind it is, and whether it may be missing.
    texts
        .map(|text| text.rsplit(':').next().unwrap_or_default())
        .collect()
}
