//! What is tried with an input, and what must be true of it.

mod build;
mod yaml;

use std::time::Duration;

use crate::random::Random;
use crate::seeds::Seeds;
use crate::tree::Tree;

/// A part of the program that is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// Reading and writing of documents.
    Yaml,
    /// Building of trees.
    Build,
}

/// What came of an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It was read, or built.
    Accepted,
    /// It was refused with an error.
    Refused(String),
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// What tells this fault from others.
    pub(crate) kind: String,
    /// What was seen.
    pub(crate) text: String,
}

impl Fault {
    pub(crate) fn new(kind: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            kind: kind.into(),
            text: text.into(),
        }
    }
}

impl Target {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Yaml => "yaml",
            Self::Build => "build",
        }
    }

    /// What one execution may take of a processor.
    pub(crate) const fn time(self) -> Duration {
        match self {
            Self::Yaml => Duration::from_secs(1),
            Self::Build => Duration::from_secs(5),
        }
    }

    /// The input of an execution.
    pub(crate) fn make(self, random: &mut Random, seeds: &Seeds) -> Tree {
        match self {
            Self::Yaml => yaml::make(random, seeds),
            Self::Build => build::make(random, seeds),
        }
    }

    /// Tries an input.
    ///
    /// # Errors
    /// Where something is wrong with what comes of it.
    pub(crate) fn check(self, tree: &Tree) -> Result<Outcome, Fault> {
        match self {
            Self::Yaml => yaml::check(tree.document()),
            Self::Build => build::check(tree),
        }
    }

    /// A stored input.
    pub(crate) fn read(self, text: &[u8]) -> Tree {
        match self {
            Self::Yaml => Tree::of_document(text.to_vec()),
            Self::Build => Tree::from_text(text),
        }
    }
}
