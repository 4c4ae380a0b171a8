//! What has been found of a cluster, put together.

use std::collections::BTreeSet;

use super::Observed;
use super::pager::Listed;
use super::words::{Wrong, odd};
use crate::cluster::pruned::{Kind, Projects, Pruned};
use crate::failure::{Failure, Problem};
use crate::settings::object::{Object, ObjectName};
use crate::steer::state::State;

/// What has been found so far.
#[derive(Default)]
pub(super) struct Found {
    pub(super) state: State,
    pub(super) warnings: Vec<Problem>,
    pub(super) wrong: Vec<Wrong>,
}

impl Found {
    /// Waits for lists, and takes what is in them.
    pub(super) async fn take<K: Kind>(&mut self, lists: Vec<Listed<K>>) -> Vec<Pruned<K>> {
        let mut items = Vec::new();
        for list in lists {
            match list.await {
                Ok(Ok(list)) => items.extend(list),
                Ok(Err(wrong)) => self.wrong.push(wrong),
                Err(_) => self.wrong.push(Wrong {
                    problem: Problem::new("a request ended by itself"),
                    is_of_the_way: false,
                    is_forbidden: false,
                }),
            }
        }
        items
    }

    pub(super) fn add(&mut self, name: ObjectName, object: Option<Object>) {
        match object {
            Some(object) => {
                self.state.objects.insert(name, object);
            }
            None => self
                .warnings
                .push(odd(name.kind.as_str(), &name.to_string())),
        }
    }

    /// Who may not read the projects gets decisions without their sync windows.
    pub(super) async fn projects(&mut self, lists: Vec<Listed<Projects>>) {
        let before = self.wrong.len();
        let projects = self.take(lists).await;
        let (forbidden, wrong): (Vec<_>, Vec<_>) = self
            .wrong
            .drain(before..)
            .partition(|wrong| wrong.is_forbidden);
        if forbidden.is_empty() && wrong.is_empty() {
            let named = projects.into_iter().map(|project| {
                let name = project.name().name;
                (name, project.into_content().unwrap_or_default())
            });
            self.state.projects = Some(named.collect());
        }
        self.wrong.extend(wrong);
        self.warnings.extend(forbidden.into_iter().map(|wrong| {
            let mut problem = wrong.problem;
            problem
                .notes
                .push("sync windows are not known, and do not count here".into());
            problem
        }));
    }

    pub(super) fn finish(self) -> Result<Observed, Failure> {
        let Self {
            state,
            warnings,
            wrong,
        } = self;
        if wrong.is_empty() {
            return Ok(Observed { state, warnings });
        }
        // That there is no way to the API server is said once, and so is each thing that may not be read.
        let mut is_way_told = false;
        let mut told = BTreeSet::new();
        let problems = wrong.into_iter().filter(|wrong| {
            let is_repeated = wrong.is_of_the_way && std::mem::replace(&mut is_way_told, true);
            !is_repeated && told.insert(wrong.problem.to_string())
        });
        Err(Failure::several(
            problems.map(|wrong| wrong.problem).collect(),
        ))
    }
}
