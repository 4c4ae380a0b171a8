//! Changes of overrides by chance, with what has to come of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::json;

use super::chance::Chance;
use super::endings::Expected;
use super::objects::Written;
use super::world::{World, application};
use crate::access::Access;

/// The environments that change, and their Applications.
const ENVIRONMENTS: [&str; 2] = ["one", "two"];

/// What people and operators do to the overrides of a world, one thing after the other.
pub(crate) struct Storm {
    chance: Chance,
    access: Access,
    namespace: String,
    number: usize,
    /// What is asked for: by environment, and by Application.
    of_environments: BTreeMap<String, String>,
    of_applications: BTreeMap<String, String>,
    applications: Vec<(String, String)>,
    /// What was asked for at any time, by environment or Application.
    asked: BTreeMap<String, BTreeSet<String>>,
}

impl Storm {
    /// Makes Applications in the two environments, so many in each, and objects for both and for each of them.
    pub(crate) fn new(world: &World, each: usize, chance: Chance) -> Self {
        world.environments(ENVIRONMENTS);
        // How often a revision changes is not what is tried here.
        world.policy(json!({"flap": {"changes": 100_000, "minutes": 1}}));
        let mut storm = Self::over(world, chance, &[]);
        for environment in ENVIRONMENTS {
            for number in 0..each {
                let name = format!("{environment}-{number}");
                world.create(application(&name, environment, "before"));
                storm.applications.push((name, environment.to_owned()));
            }
        }
        storm.write_all();
        storm
    }

    /// Goes over Applications that are there, each with its environment.
    pub(crate) fn over(world: &World, chance: Chance, applications: &[(&str, &str)]) -> Self {
        let owned =
            |(name, environment): &(&str, &str)| ((*name).to_owned(), (*environment).to_owned());
        Self {
            chance,
            access: world.cluster.admin(),
            namespace: world.own.clone(),
            number: 0,
            of_environments: BTreeMap::new(),
            of_applications: BTreeMap::new(),
            applications: applications.iter().map(owned).collect(),
            asked: BTreeMap::new(),
        }
    }

    fn of_environment(&self, name: &str) -> Written {
        let object = Written::of_environment(&format!("environment-{name}"), name);
        let revision = self.of_environments.get(name).cloned();
        object.revision(&revision.unwrap_or_default())
    }

    fn of_application(&self, name: &str, environment: &str) -> Written {
        let object = Written::of_application(&format!("own-{name}"), environment, name);
        let revision = self.of_applications.get(name).cloned();
        object.revision(&revision.unwrap_or_default())
    }

    fn put(&self, object: &Written) {
        object.put(&self.access, &self.namespace);
    }

    /// Waits until the server answers again, so that no connection is used that is none any more.
    pub(crate) fn reconnect(&self, world: &World) {
        for access in [&self.access, &world.admin] {
            world.wait_for("the server", || access.is_ready());
        }
    }

    /// Writes every object as it should be.
    pub(crate) fn write_all(&self) {
        for environment in ENVIRONMENTS {
            self.put(&self.of_environment(environment));
        }
        for (name, environment) in &self.applications {
            self.put(&self.of_application(name, environment));
        }
    }

    fn another(&mut self, asks: &str) -> String {
        self.number += 1;
        let revision = format!("r/{}", self.number);
        let asked = self.asked.entry(asks.to_owned()).or_default();
        asked.insert(revision.clone());
        revision
    }

    /// Changes one thing.
    pub(crate) fn step(&mut self) {
        let environment = (*self.chance.one_of(&ENVIRONMENTS)).to_owned();
        let (name, of) = self.chance.one_of(&self.applications.clone()).clone();
        match self.chance.below(10) {
            0..4 => {
                let revision = self.another(&name);
                self.of_applications.insert(name.clone(), revision);
                self.put(&self.of_application(&name, &of));
            }
            4 | 5 => {
                let revision = self.another(&environment);
                self.of_environments.insert(environment.clone(), revision);
                self.put(&self.of_environment(&environment));
            }
            6 => {
                self.of_applications.remove(&name);
                self.put(&self.of_application(&name, &of));
            }
            7 => {
                self.of_environments.remove(&environment);
                self.put(&self.of_environment(&environment));
            }
            8 => {
                let object = self.of_application(&name, &of);
                object.delete(&self.access, &self.namespace);
                self.put(&object);
            }
            _ => {
                let object = self.of_application(&name, &of);
                self.put(&object.clone().stripped());
                self.put(&object);
            }
        }
    }

    /// Goes on until told to end, with a pause after each change.
    pub(crate) fn rage(&mut self, pause: Duration, end: &AtomicBool) {
        while !end.load(Ordering::SeqCst) {
            self.step();
            thread::sleep(pause);
        }
    }

    /// What has to come of it.
    pub(crate) fn expected(&self) -> Expected {
        let revision = |(name, environment): &(String, String)| {
            let of_application = self.of_applications.get(name);
            let of_environment = || self.of_environments.get(environment);
            let revision = of_application.or_else(of_environment);
            (
                name.clone(),
                revision.map_or("main", |text| text).to_owned(),
            )
        };
        self.applications.iter().map(revision).collect()
    }

    /// Whether somebody has asked for a revision of an Application at any time.
    pub(crate) fn has_asked(&self, name: &str, revision: &str) -> bool {
        let mut applications = self.applications.iter();
        let environment = applications.find(|(other, _)| other == name);
        let environment = environment.map(|(_, environment)| environment.as_str());
        let by = |asks: &str| {
            let asked = self.asked.get(asks);
            asked.is_some_and(|asked| asked.contains(revision))
        };
        revision == "main" || by(name) || environment.is_some_and(by)
    }

    /// How many changes there were that asked for something new.
    pub(crate) fn changes(&self) -> usize {
        self.number
    }
}
