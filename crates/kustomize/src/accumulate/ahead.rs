//! Entries of `resources` that are gone through at the same time: files are read, and the kustomizations of bases built,
//! before it is their turn.
//!
//! What comes of an entry is joined to the build when it is the entry's turn. Nothing is joined of an entry that fails, goes
//! on to what lies elsewhere, or names a schema: that one is gone through again, in its turn, with the same end as ever.

#[cfg(test)]
mod tests;

use super::{Accumulated, Layer, Use};
use crate::build::{Branch, Session, Trunk};
use crate::error::{Error, Result};
use crate::hooks::NoHooks;
use crate::kustomization::{Kustomization, Located};
use crate::load;
use crate::loader::{Reads, is_http};
use crate::resource::Resource;
use crate::threads;

/// What has come of an entry before its turn.
pub(super) enum Ahead {
    /// The objects of a file, and the bytes that they count for.
    File(Vec<Resource>, usize),
    /// What a base builds.
    Base(Box<(Accumulated, Branch)>),
}

impl Layer<'_> {
    /// Goes through entries of `resources` on several threads, if there are enough of them; for each entry, in order,
    /// what has come of it, if anything.
    pub(super) fn go_ahead(&self, paths: &[Located], session: &Session) -> Vec<Option<Ahead>> {
        let threads = session.threads_worth(paths.len());
        if threads < 2 {
            return Vec::new();
        }
        let trunk = session.trunk();
        let results = threads::map(paths, threads, |path| self.ahead_of(path, &trunk));
        results.into_iter().map(Option::flatten).collect()
    }

    fn ahead_of(&self, path: &Located, trunk: &Trunk) -> Option<Ahead> {
        let reads = self.loader.reads_apart();
        let ahead = self.try_ahead_of(path, trunk, &reads);
        if ahead.is_none() {
            reads.give_back();
        }
        ahead
    }

    fn try_ahead_of(&self, path: &Located, trunk: &Trunk, reads: &Reads) -> Option<Ahead> {
        if is_http(&path.text) {
            return None;
        }
        let found = self.loader.find(&path.text);
        if found.is_address() {
            return None;
        }
        let mut hooks = NoHooks;
        let mut session = Session::branch(trunk, reads, &mut hooks);
        if found.is_file() {
            let file = self.loader.load_counted(&found, reads).ok()?;
            let limits = &trunk.options().limits.yaml;
            let resources = load::resources_of_file(&file, limits).ok()?;
            session.budget.charge_resources(&resources).ok()?;
            return Some(Ahead::File(resources, session.budget.spent().content));
        }
        if !(found.is_directory() && trunk.has_bases()) {
            return None;
        }
        let base = self
            .open_below(path, &found, Use::Base, &mut session)
            .ok()?;
        let below = base
            .accumulate_below(Accumulated::default(), &mut session)
            .ok()?;
        let branch = session.into_branch()?;
        Some(Ahead::Base(Box::new((below, branch))))
    }
}

/// Makes sure that a kustomization can be built before its turn.
///
/// # Errors
/// Where it cannot; nobody is told.
pub(super) fn check(kustomization: &Kustomization) -> Result<()> {
    // Which schema counts depends on who is first.
    if kustomization.openapi.is_empty() {
        Ok(())
    } else {
        Err(Error::new(
            "a kustomization that names a schema waits for its turn",
        ))
    }
}
