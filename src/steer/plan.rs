//! What is decided of Applications.

use std::fmt;

use jiff::Timestamp;
use serde_json::Value;

use super::application::Name;
use super::reason::Reason;
use super::record;
use crate::settings::object::ObjectName;

/// What is decided of all Applications.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// One decision for each Application that takes part, by name.
    pub decisions: Vec<Decision>,
    /// The changes that breakers stopped.
    pub breakers: Vec<Tripped>,
}

/// A change that a breaker stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tripped {
    /// The environment.
    pub environment: String,
    /// What would change: to this revision, because of this.
    pub wanted: Wanted,
    /// What a person acknowledges to let it happen.
    pub hash: String,
    /// How many Applications would change or have changed just now.
    pub changes: usize,
    /// How many may.
    pub allowed: usize,
}

/// What is decided of one Application.
#[derive(Clone, Debug)]
pub struct Decision {
    /// The Application.
    pub application: Name,
    /// Which object of this name.
    pub uid: String,
    /// Its environment, as its label says.
    pub environment: String,
    /// Its project.
    pub project: String,
    /// The revision.
    pub revision: Revision,
    /// The settings; `None` where it has none.
    pub settings: Option<Settings>,
    /// What to write; `None` where nothing changes or may be changed.
    pub patch: Option<Patch>,
    /// When the decision may be another one although nothing else changes.
    pub again: Option<Timestamp>,
    /// What the breaker of its environment counts it as.
    pub counted: Counted,
}

/// What the breaker of an environment counts an Application as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Counted {
    /// Nothing: its environment has none, or it does not take part.
    #[default]
    Not,
    /// One of its Applications, whose revision stays.
    Still,
    /// One whose revision would change, or has changed a short time ago.
    Changes,
}

/// What is decided of the revision of an Application.
#[derive(Clone, Debug)]
pub struct Revision {
    /// The default of its environment; `None` where the environment is not known.
    pub default: Option<String>,
    /// What it should be, and who says so; `None` where that is not known.
    pub wanted: Option<Wanted>,
    /// What it is, of the sources that would move; several where they differ.
    pub current: Vec<String>,
    /// What happens.
    pub outcome: Outcome,
}

/// A revision that an Application should have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The revision.
    pub revision: String,
    /// Who says so.
    pub origin: Origin,
}

/// Who says which revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The default of the environment.
    Default,
    /// A key of an object.
    Override {
        /// The object.
        object: ObjectName,
        /// Its key.
        key: String,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => formatter.write_str("default"),
            Self::Override { object, key } => write!(formatter, "{object} {key}"),
        }
    }
}

/// What is decided of the settings of an Application.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The objects that it names, in order.
    pub objects: Vec<ObjectName>,
    /// What happens.
    pub outcome: Outcome,
}

/// What happens to a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is what it should be.
    Same,
    /// It changes.
    Change,
    /// It stays, for a reason.
    Stays(Reason),
}

/// What a patch is for: these have limits of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    /// The revision, and whatever else changes with it.
    Revision,
    /// The digest of the settings.
    Digest,
    /// Ending an operation that would deploy what is no longer wanted.
    Operation,
    /// Asking Argo CD to render again.
    Refresh,
    /// Noting what was decided, on the Application.
    Record,
}

/// A JSON Patch of one Application, with its tests.
#[derive(Clone, Debug, PartialEq)]
pub struct Patch {
    /// The most urgent of what it is for.
    pub purpose: Purpose,
    /// The operations of RFC 6902.
    pub operations: Vec<Value>,
    /// What changes, for the audit.
    pub changes: Vec<Change>,
    /// What is remembered once it is written.
    pub effect: Effect,
}

/// What a patch sets, as far as it is remembered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effect {
    /// The revision.
    pub revision: Option<String>,
    /// The digest, with its time.
    pub digest: Option<String>,
    /// The cause that a refresh is asked for.
    pub refresh: Option<String>,
    /// What of it is set once more, since an owner put it back by mistake.
    pub answers: Answers,
}

/// What is set once more, or was, since an owner put it back by mistake.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    /// The revision.
    pub revision: bool,
    /// The digest.
    pub digest: bool,
}

/// One field that changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The JSON pointer to it.
    pub field: String,
    /// What it was; `None` where it was missing.
    pub old: Option<String>,
    /// What it will be.
    pub new: String,
    /// Who says so.
    pub origin: Option<Origin>,
}

impl Change {
    /// Whether it is the record of what was decided: it has times in it, and follows from the other changes.
    pub fn is_record(&self) -> bool {
        let name = self.field.rsplit('/').next().unwrap_or_default();
        name.replace("~1", "/") == record::ANNOTATION
    }
}

impl Decision {
    /// Whether a source would get another revision.
    pub fn moves(&self) -> bool {
        let patch = self.patch.as_ref();
        patch.is_some_and(|patch| patch.purpose == Purpose::Revision)
    }
}
