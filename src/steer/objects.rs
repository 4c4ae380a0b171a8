//! The watched objects, with an index of those that may override revisions: which ones speak of an Application is asked with
//! every decision, and there may be thousands.

use std::collections::btree_map;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;

use super::policy::{APPLICATION, ENVIRONMENT};
use crate::settings::object::{Object, ObjectName};

/// The watched objects, by name.
#[derive(Default)]
pub struct Objects {
    all: BTreeMap<ObjectName, Object>,
    /// Those that speak of an environment, by it and by the namespace that they are in: who may write any number of them in
    /// one namespace does not make decisions of others slow.
    by_environment: BTreeMap<String, BTreeMap<String, Speaking>>,
}

/// The objects of a namespace that speak of an environment.
#[derive(Default)]
struct Speaking {
    /// Of all its Applications.
    of_all: BTreeSet<ObjectName>,
    /// Of one, by what they call it.
    of_one: BTreeMap<String, BTreeSet<ObjectName>>,
}

impl Objects {
    /// Puts an object in, in the place of one of the same name.
    pub fn insert(&mut self, name: ObjectName, object: Object) {
        self.remove(&name);
        if let Some(environment) = object.labels.get(ENVIRONMENT) {
            let speaking = self.by_environment.entry(environment.clone()).or_default();
            let speaking = speaking.entry(name.namespace.clone()).or_default();
            let names = match object.labels.get(APPLICATION) {
                None => &mut speaking.of_all,
                Some(application) => speaking.of_one.entry(application.clone()).or_default(),
            };
            names.insert(name.clone());
        }
        self.all.insert(name, object);
    }

    /// Takes an object out.
    pub fn remove(&mut self, name: &ObjectName) {
        let Some(object) = self.all.remove(name) else {
            return;
        };
        let Some(environment) = object.labels.get(ENVIRONMENT) else {
            return;
        };
        let Some(namespaces) = self.by_environment.get_mut(environment) else {
            return;
        };
        let Some(speaking) = namespaces.get_mut(&name.namespace) else {
            return;
        };
        match object.labels.get(APPLICATION) {
            None => {
                speaking.of_all.remove(name);
            }
            Some(application) => {
                if let Some(names) = speaking.of_one.get_mut(application) {
                    names.remove(name);
                    if names.is_empty() {
                        speaking.of_one.remove(application);
                    }
                }
            }
        }
        if speaking.of_all.is_empty() && speaking.of_one.is_empty() {
            namespaces.remove(&name.namespace);
        }
        if namespaces.is_empty() {
            self.by_environment.remove(environment);
        }
    }

    /// The objects of some namespaces that speak of an environment, or of an Application in it by one of these names, in order.
    pub(super) fn speaking<'n>(
        &self,
        environment: &str,
        namespaces: impl IntoIterator<Item = &'n str>,
        names: [&str; 2],
    ) -> Vec<(&ObjectName, &Object)> {
        let Some(in_namespaces) = self.by_environment.get(environment) else {
            return Vec::new();
        };
        let speaking = namespaces
            .into_iter()
            .filter_map(|namespace| in_namespaces.get(namespace));
        let found = speaking.flat_map(|Speaking { of_all, of_one }| {
            let of_one = names.iter().filter_map(|name| of_one.get(*name));
            of_all.iter().chain(of_one.flatten())
        });
        let mut found: Vec<&ObjectName> = found.collect();
        found.sort_unstable();
        // Both names may be the same, and a namespace may be asked for twice.
        found.dedup();
        found
            .into_iter()
            .filter_map(|name| self.all.get_key_value(name))
            .collect()
    }
}

impl Deref for Objects {
    type Target = BTreeMap<ObjectName, Object>;

    fn deref(&self) -> &Self::Target {
        &self.all
    }
}

impl<'a> IntoIterator for &'a Objects {
    type Item = (&'a ObjectName, &'a Object);
    type IntoIter = btree_map::Iter<'a, ObjectName, Object>;

    fn into_iter(self) -> Self::IntoIter {
        self.all.iter()
    }
}

impl FromIterator<(ObjectName, Object)> for Objects {
    fn from_iter<T: IntoIterator<Item = (ObjectName, Object)>>(from: T) -> Self {
        let mut objects = Self::default();
        for (name, object) in from {
            objects.insert(name, object);
        }
        objects
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;
    use crate::settings::object::ObjectKind;

    fn name(text: &str) -> ObjectName {
        let (namespace, name) = text.split_once('/').unwrap();
        ObjectName {
            kind: ObjectKind::Secret,
            namespace: namespace.into(),
            name: name.into(),
        }
    }

    fn object(environment: &str, application: &str) -> Object {
        let labels = [(ENVIRONMENT, environment), (APPLICATION, application)];
        let labels = labels.into_iter().filter(|(_, value)| !value.is_empty());
        Object {
            labels: labels
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .collect(),
            ..Object::default()
        }
    }

    fn speaking<'a>(
        objects: &'a BTreeMap<ObjectName, Object>,
        environment: &str,
        namespaces: &[&str],
        names: [&str; 2],
    ) -> Vec<&'a ObjectName> {
        let speaks = |object: &Object| {
            let application = object.labels.get(APPLICATION);
            object.labels.get(ENVIRONMENT).map(String::as_str) == Some(environment)
                && application.is_none_or(|application| names.contains(&application.as_str()))
        };
        let found = objects.iter().filter(|(_, object)| speaks(object));
        let found = found.filter(|(name, _)| namespaces.contains(&&*name.namespace));
        found.map(|(name, _)| name).collect()
    }

    proptest! {
        #[test]
        fn the_index_says_what_all_objects_say(steps in prop::collection::vec(
            (select(vec!["n/a", "n/b", "m/a", "m/b", "k/c"]), select(vec!["", "dev", "prod"]), select(vec!["", "x", "y"]), any::<bool>()), 0..40,
        )) {
            let mut objects = Objects::default();
            for (object_name, environment, application, is_there) in steps {
                if is_there {
                    objects.insert(name(object_name), object(environment, application));
                } else {
                    objects.remove(&name(object_name));
                }
                for environment in ["dev", "prod"] {
                    for names in [["x", "x"], ["x", "y"], ["z", "y"]] {
                        for namespaces in [&[][..], &["n"], &["n", "m", "n"], &["x", "k"]] {
                            let asked = namespaces.iter().copied();
                            let found = objects.speaking(environment, asked, names);
                            let found: Vec<&ObjectName> = found.into_iter().map(|(name, _)| name).collect();
                            prop_assert_eq!(found, speaking(&objects, environment, namespaces, names));
                        }
                    }
                }
            }
            let all: Vec<ObjectName> = objects.keys().cloned().collect();
            for name in &all {
                objects.remove(name);
            }
            prop_assert!(objects.by_environment.is_empty());
        }
    }
}
