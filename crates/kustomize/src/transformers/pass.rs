//! Changes of resources of which none has to do with another: one resource after the other goes through several of them,
//! and many resources do so on several threads.
//!
//! An object is large beside what changes in it, and is at hand for one change after the other so. What comes of it, the
//! error included, is what it would be if each change went through all resources in its turn.

#[cfg(test)]
mod tests;

use goyaml::Position;

use crate::error::{Error, Result};
use crate::limits::Budget;
use crate::origin::{self, Origin};
use crate::resource::Resource;
use crate::resources::Resources;
use crate::threads::Threads;

/// The most changes that are made in one pass: each may keep something at hand.
const MOST: usize = 16;

/// A change of each resource by itself.
pub(crate) trait OfEach: Sync {
    /// Changes one.
    ///
    /// # Errors
    /// Where the change does not fit it, and where it becomes too much.
    fn change(&self, resource: &mut Resource, budget: &Budget) -> Result<()>;

    /// The bytes that it counts for in one, which are counted before any is changed.
    fn weight(&self, _resource: &Resource) -> usize {
        0
    }

    /// The most bytes that it counts for in so many resources that count for so much themselves.
    fn most(&self, _content: usize, _resources: usize) -> usize {
        0
    }

    /// What is said where it has made two resources the same; nothing where it cannot.
    fn on_twins(&self) -> Option<fn(Error) -> Error> {
        None
    }
}

/// A change of a pass.
pub(crate) struct Part<'a> {
    /// The change.
    pub(crate) change: Box<dyn OfEach + 'a>,
    /// Where it is asked for.
    pub(crate) position: Position,
    /// What is noted of it in the resources.
    pub(crate) origin: Option<Origin>,
}

/// Changes that resources go through together.
#[derive(Default)]
pub(crate) struct Pass<'a> {
    parts: Vec<Part<'a>>,
}

/// What is done to a resource: the changes in their order, each noted after it is made.
type Stage = (usize, bool);

/// The first thing that has gone wrong, in the order in which changes would go through all resources.
type First = Option<(Stage, Error)>;

impl<'a> Pass<'a> {
    /// Adds a change.
    pub(crate) fn push(&mut self, part: Part<'a>) {
        self.parts.push(part);
    }

    /// Whether it has to be gone through before another change is added.
    pub(crate) fn is_full(&self) -> bool {
        let is_last = |part: &Part| part.change.on_twins().is_some();
        self.parts.len() >= MOST || self.parts.last().is_some_and(is_last)
    }

    /// Lets all resources go through it.
    ///
    /// # Errors
    /// Where a change does not fit a resource, and where the resources become too much.
    pub(crate) fn run(
        &self,
        threads: Threads,
        budget: &Budget,
        resources: &mut Resources,
    ) -> Result<()> {
        if self.parts.is_empty() {
            return Ok(());
        }
        budget.check_time()?;
        if !self.is_surely_allowed(budget, resources) {
            // Which change is too much is seen when all that is before it has been made.
            let mut parts = self.parts.iter();
            return parts.try_for_each(|part| part.run(budget, resources));
        }
        // Whatever a change says of itself, all parts together have what is left.
        let allowance = budget.allowance();
        let begin = || (Budget::of_branch(&allowance), First::None);
        let change = |(budget, first): &mut (Budget, First), resource: &mut Resource| {
            if let Err(gone_wrong) = self.change(resource, budget, first.as_ref()) {
                *first = Some(gone_wrong);
            }
        };
        let ended = resources.change_each(threads, begin, change);
        let spent = ended.iter().map(|(budget, _)| budget.spent().content);
        let spent = spent.sum();
        let found = ended.into_iter().filter_map(|(_, first)| first);
        // Of those in the same stage, the one that comes first in the list.
        let first = found.reduce(|first, next| if next.0 < first.0 { next } else { first });
        if let Some(last) = self.parts.last()
            && first
                .as_ref()
                .is_none_or(|(stage, _)| *stage == (self.parts.len() - 1, true))
        {
            last.check_twins(resources)?;
        }
        first.map_or_else(|| budget.charge(spent), |(_, error)| Err(error))
    }

    /// Makes the changes to a resource that come before the first thing that has gone wrong.
    fn change(
        &self,
        resource: &mut Resource,
        budget: &Budget,
        first: Option<&(Stage, Error)>,
    ) -> std::result::Result<(), (Stage, Error)> {
        for (index, part) in self.parts.iter().enumerate() {
            let comes_first = |stage| first.is_none_or(|(other, _)| stage < *other);
            let (changed, noted) = ((index, false), (index, true));
            if comes_first(changed) {
                let weighed = budget.charge(part.change.weight(resource));
                let made = weighed.and_then(|()| part.change.change(resource, budget));
                made.map_err(|error| (changed, error.position(part.position)))?;
            }
            if comes_first(noted) {
                part.note(resource).map_err(|error| (noted, error))?;
            }
        }
        Ok(())
    }

    /// Whether there is no doubt that the changes are not too much.
    fn is_surely_allowed(&self, budget: &Budget, resources: &Resources) -> bool {
        let content = budget.spent().content;
        let more = self.parts.iter().fold(0_usize, |more, part| {
            let content = content.saturating_add(more);
            more.saturating_add(part.change.most(content, resources.len()))
        });
        more <= budget.left()
    }
}

impl<'a> Part<'a> {
    /// A change of which nothing is noted.
    pub(crate) fn of(change: Box<dyn OfEach + 'a>) -> Self {
        Self {
            change,
            position: Position::default(),
            origin: None,
        }
    }

    /// Makes the change to all resources.
    ///
    /// # Errors
    /// As for [`Pass::run`].
    pub(crate) fn run(&self, budget: &Budget, resources: &mut Resources) -> Result<()> {
        let place = |error: Error| error.position(self.position);
        budget.check_time().map_err(place)?;
        let weights = resources
            .iter()
            .map(|resource| self.change.weight(resource));
        let weight = weights.fold(0, usize::saturating_add);
        budget.charge(weight).map_err(place)?;
        let mut all = resources.as_mut_slice().iter_mut();
        all.try_for_each(|resource| self.change.change(resource, budget))
            .map_err(place)?;
        self.check_twins(resources)?;
        let mut all = resources.as_mut_slice().iter_mut();
        all.try_for_each(|resource| self.note(resource))
    }

    fn note(&self, resource: &mut Resource) -> Result<()> {
        match &self.origin {
            Some(origin) => origin::add_transformation(resource, origin),
            None => Ok(()),
        }
    }

    fn check_twins(&self, resources: &mut Resources) -> Result<()> {
        let Some(say) = self.change.on_twins() else {
            return Ok(());
        };
        let checked = resources.check_unique();
        checked.map_err(|error| say(error).position(self.position))
    }
}
