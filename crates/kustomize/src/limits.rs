//! How much a build may ask for, and what it has asked for so far.

#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use goyaml::{Data, Node};

use crate::deadline::Deadline;
use crate::error::{Error, Result};
use crate::resource::Resource;

/// Bounds on one build; what goes past them is refused with an error that names the bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bounds on each file. The parts that a path to a field may have are bounded by its depth too.
    pub yaml: goyaml::Limits,
    /// Kustomizations that are opened, each as often as it is listed.
    pub layers: usize,
    /// Kustomizations inside one another.
    pub nesting: usize,
    /// Files that are read, each as often as it is listed.
    pub files: usize,
    /// Bytes of these files.
    pub read: usize,
    /// Bytes that are loaded, generated and copied: those of the texts, and [`NODE_BYTES`](Self::NODE_BYTES) for each
    /// node.
    pub content: usize,
    /// Bytes of output.
    pub output: usize,
}

impl Limits {
    /// What a node counts for, beside its text.
    pub const NODE_BYTES: usize = 64;
    /// How many changes that kustomize makes without a word are told of one build.
    pub const NOTICES: usize = 100;
    /// How many of them that say the same of several places.
    pub const NOTICES_ALIKE: usize = 20;
    /// How many places are listed below one error.
    pub(crate) const PLACES: usize = 5;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            yaml: goyaml::Limits::default(),
            layers: 20_000,
            nesting: 100,
            files: 100_000,
            read: 256 << 20,
            content: 1 << 30,
            output: 512 << 20,
        }
    }
}

/// What a build may still ask for.
#[derive(Debug)]
pub(crate) struct Budget {
    limits: Limits,
    deadline: Deadline,
    layers: Cell<usize>,
    level: Cell<usize>,
    content: Cell<usize>,
    /// How often few bytes may still be counted until the clock is looked at.
    counts_until_look: Cell<u32>,
    /// What there was when it was made.
    begun: Amounts,
    /// What all that goes on at the same time may still ask for together.
    together: Option<Arc<Together>>,
}

/// What the branches of a build may still ask for together.
#[derive(Debug)]
struct Together {
    layers: AtomicUsize,
    content: AtomicUsize,
}

/// What branches of a build begin with.
#[derive(Debug)]
pub(crate) struct Allowance {
    limits: Limits,
    deadline: Deadline,
    level: usize,
    left: Amounts,
    together: Arc<Together>,
}

/// Bytes that come into being in many places, a few in each: they are counted when they have become many.
#[derive(Debug)]
pub(crate) struct Places<'a> {
    budget: &'a Budget,
    bytes: usize,
}

impl<'a> Places<'a> {
    /// So many are counted at once.
    const MANY: usize = 64 << 10;

    /// Those of a part of a build.
    pub(crate) const fn new(budget: &'a Budget) -> Self {
        Self { budget, bytes: 0 }
    }

    /// Adds those of a place that a path leads to, each part of which may be new.
    ///
    /// # Errors
    /// Where there are too many.
    pub(crate) fn add(&mut self, path: &str, bytes: usize) -> Result<()> {
        let parts = memchr::memchr_iter(b'/', path.as_bytes()).count() + 1;
        let new = parts
            .saturating_mul(Limits::NODE_BYTES)
            .saturating_add(bytes);
        self.bytes = self.bytes.saturating_add(new);
        if self.bytes < Self::MANY {
            return Ok(());
        }
        self.budget.charge(std::mem::take(&mut self.bytes))
    }

    /// Counts what has not been counted.
    ///
    /// # Errors
    /// Where it is too much.
    pub(crate) fn settle(self) -> Result<()> {
        self.budget.charge(self.bytes)
    }
}

/// How much a build asks for, or may.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Amounts {
    /// Kustomizations that were opened.
    layers: usize,
    /// Bytes that have come into being.
    pub(crate) content: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self::new(Limits::default(), Deadline::default())
    }
}

impl Budget {
    /// Bytes that are worth a look at the clock, which takes longer than to count a few.
    const WORTH_A_LOOK: usize = 4096;
    /// How often fewer are counted from one look to the next.
    const COUNTS_BETWEEN_LOOKS: u32 = 32;

    pub(crate) const fn new(limits: Limits, deadline: Deadline) -> Self {
        let left = Amounts {
            layers: limits.layers,
            content: limits.content,
        };
        Self {
            limits,
            deadline,
            layers: Cell::new(left.layers),
            level: Cell::new(0),
            content: Cell::new(left.content),
            counts_until_look: Cell::new(0),
            begun: left,
            together: None,
        }
    }

    /// What branches of the build begin with.
    pub(crate) fn allowance(&self) -> Allowance {
        let left = Amounts {
            layers: self.layers.get(),
            content: self.content.get(),
        };
        Allowance {
            limits: self.limits,
            deadline: self.deadline.clone(),
            level: self.level.get(),
            left,
            together: Arc::new(Together {
                layers: AtomicUsize::new(left.layers),
                content: AtomicUsize::new(left.content),
            }),
        }
    }

    /// The budget of a branch.
    pub(crate) fn of_branch(allowance: &Allowance) -> Self {
        let left = allowance.left;
        Self {
            layers: Cell::new(left.layers),
            level: Cell::new(allowance.level),
            content: Cell::new(left.content),
            begun: left,
            together: Some(Arc::clone(&allowance.together)),
            ..Self::new(allowance.limits, allowance.deadline.clone())
        }
    }

    /// What has been asked for since it was made.
    pub(crate) fn spent(&self) -> Amounts {
        Amounts {
            layers: self.begun.layers.saturating_sub(self.layers.get()),
            content: self.begun.content.saturating_sub(self.content.get()),
        }
    }

    /// The bytes that may still come into being.
    pub(crate) const fn left(&self) -> usize {
        self.content.get()
    }

    /// Until when the build may run, for work on several threads, which cannot share a budget.
    pub(crate) const fn deadline(&self) -> &Deadline {
        &self.deadline
    }

    /// Counts what a branch has asked for, if there is as much.
    pub(crate) fn spend(&self, spent: Amounts) -> bool {
        let layers = self.layers.get().checked_sub(spent.layers);
        let content = self.content.get().checked_sub(spent.content);
        let (Some(layers), Some(content)) = (layers, content) else {
            return false;
        };
        self.layers.set(layers);
        self.content.set(content);
        true
    }

    /// Counts a kustomization that is opened.
    ///
    /// # Errors
    /// Where there are too many.
    pub(crate) fn open_layer(&self) -> Result<()> {
        let together = self.together.as_deref();
        let is_left = together.is_none_or(|together| take(&together.layers, 1));
        let left = self.layers.get().checked_sub(1).filter(|_| is_left);
        let left = left.ok_or_else(|| {
            Error::new(format!(
                "the build opens more than {} kustomizations",
                self.limits.layers
            ))
            .hint("a base or component counts as often as it is listed")
        })?;
        self.layers.set(left);
        Ok(())
    }

    /// Makes sure that one more kustomization may be entered.
    ///
    /// # Errors
    /// Where too many are inside one another.
    pub(crate) fn check_nesting(&self) -> Result<()> {
        if self.level.get() >= self.limits.nesting {
            return Err(Error::new(format!(
                "more than {} kustomizations are inside one another",
                self.limits.nesting
            )));
        }
        Ok(())
    }

    /// Says that what follows is one kustomization further in.
    pub(crate) fn enter(&self) {
        self.level.set(self.level.get().saturating_add(1));
    }

    /// Takes back one [`Self::enter`].
    pub(crate) fn leave(&self) {
        self.level.set(self.level.get().saturating_sub(1));
    }

    /// Makes sure that there is time left.
    ///
    /// # Errors
    /// Where there is none.
    pub(crate) fn check_time(&self) -> Result<()> {
        self.deadline.check()
    }

    /// As [`Self::check_time`] where something is about to be done with many bytes, and now and then where they are few.
    ///
    /// # Errors
    /// As for [`Self::check_time`].
    pub(crate) fn check_time_for(&self, bytes: usize) -> Result<()> {
        match self.counts_until_look.get().checked_sub(1) {
            Some(left) if bytes < Self::WORTH_A_LOOK => self.counts_until_look.set(left),
            _ => {
                self.check_time()?;
                self.counts_until_look.set(Self::COUNTS_BETWEEN_LOOKS - 1);
            }
        }
        Ok(())
    }

    /// Counts bytes that come into being.
    ///
    /// # Errors
    /// Where there are too many, and where there is no time left, which is seen at many bytes and now and then at few.
    pub(crate) fn charge(&self, bytes: usize) -> Result<()> {
        self.check_time_for(bytes)?;
        let together = self.together.as_deref();
        let is_left = together.is_none_or(|together| take(&together.content, bytes));
        let left = self.content.get().checked_sub(bytes).filter(|_| is_left);
        let left = left.ok_or_else(|| {
            Error::new(format!(
                "the build loads, generates and copies more than {} bytes",
                self.limits.content
            ))
        })?;
        self.content.set(left);
        Ok(())
    }

    /// Counts a tree that comes into being `times` times.
    ///
    /// # Errors
    /// Where it is too much.
    pub(crate) fn charge_node(&self, node: &Node, times: usize) -> Result<()> {
        self.charge(weight(node).saturating_mul(times))
    }

    /// Counts resources that come into being.
    ///
    /// # Errors
    /// Where they are too much.
    pub(crate) fn charge_resources(&self, resources: &[Resource]) -> Result<()> {
        self.charge(weight_of(resources))
    }

    /// Makes sure that a tree at the end of a path is not too deep.
    ///
    /// # Errors
    /// Where it is.
    pub(crate) fn check_depth(&self, parts: usize, value: &Node) -> Result<()> {
        let depth = self.limits.yaml.depth;
        if parts.saturating_add(depth_of(value)) > depth {
            return Err(Error::new(format!(
                "the object would be deeper than {depth} levels"
            )));
        }
        Ok(())
    }

    /// Makes sure that a path to a field is not too long.
    ///
    /// # Errors
    /// Where it is.
    pub(crate) fn check_parts(&self, parts: usize) -> Result<()> {
        check_parts(parts, self.limits.yaml.depth)
    }
}

/// Makes sure that a path to a field has no more parts than an object may have levels.
///
/// # Errors
/// Where it has.
pub(crate) fn check_parts(parts: usize, limit: usize) -> Result<()> {
    if parts > limit {
        return Err(Error::new(format!("a path has more than {limit} parts")));
    }
    Ok(())
}

/// Takes so much of what is left, if there is as much.
pub(crate) fn take(left: &AtomicUsize, much: usize) -> bool {
    let less = |left: usize| left.checked_sub(much);
    left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less)
        .is_ok()
}

/// The bytes that resources count for.
pub(crate) fn weight_of(resources: &[Resource]) -> usize {
    resources.iter().fold(0, |sum, resource| {
        sum.saturating_add(weight(resource.node()))
    })
}

/// The bytes that a tree counts for.
fn weight(node: &Node) -> usize {
    Limits::NODE_BYTES.saturating_add(match &node.data {
        Data::Scalar(text) | Data::Alias(text) => text.len(),
        Data::Sequence(items) => items
            .iter()
            .fold(0, |sum, item| sum.saturating_add(weight(item))),
        Data::Mapping(entries) => entries.iter().fold(0, |sum, (key, value)| {
            sum.saturating_add(weight(key))
                .saturating_add(weight(value))
        }),
    })
}

fn depth_of(node: &Node) -> usize {
    match &node.data {
        Data::Scalar(_) | Data::Alias(_) => 0,
        Data::Sequence(items) => 1 + items.iter().map(depth_of).max().unwrap_or_default(),
        Data::Mapping(entries) => {
            1 + entries
                .iter()
                .map(|(_, value)| depth_of(value))
                .max()
                .unwrap_or_default()
        }
    }
}

/// About the bytes that a tree has when it is written, `level` levels in: how lines are broken and texts are quoted does not
/// count.
pub(crate) fn about_written_size(node: &Node, level: usize) -> usize {
    match &node.data {
        Data::Scalar(text) | Data::Alias(text) => text.len(),
        Data::Sequence(items) => items.iter().fold(0, |sum, item| {
            sum.saturating_add(line_size(level))
                .saturating_add(about_written_size(item, level.saturating_add(1)))
        }),
        Data::Mapping(entries) => entries.iter().fold(0, |sum, (key, value)| {
            sum.saturating_add(line_size(level))
                .saturating_add(about_written_size(key, level))
                .saturating_add(about_written_size(value, level.saturating_add(1)))
        }),
    }
}

/// The bytes of a line with an entry, without the entry.
const fn line_size(level: usize) -> usize {
    level.saturating_mul(2).saturating_add(3)
}
