//! What reasons are called.

use std::fmt;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// What a reason is called in Events, metrics and JSON: one word in camel case that stays the same.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $($(#[$doc])* $name,)*
        }

        impl Code {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The word.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }
        }
    };
}

codes! {
    /// Its label names an environment that the policy does not have.
    UnknownEnvironment,
    /// The environment is for other projects.
    ProjectNotAllowed,
    /// It has a `sourceHydrator`.
    Hydrated,
    /// None of its sources is a Git repository.
    NoGitSource,
    /// It has more sources than are looked at.
    TooManySources,
    /// Its sources are of several Git repositories.
    AmbiguousSources,
    /// Its annotation names something that is none of its sources.
    UnknownSource,
    /// Two objects of one rank ask for different revisions.
    Conflict,
    /// A key stands for two Applications.
    KeyCollision,
    /// What is asked for is no revision.
    InvalidRevision,
    /// The environment may not have the revision.
    NotAllowed,
    /// The time of an override is none.
    InvalidExpiry,
    /// A sync window of the project cannot be read.
    InvalidSyncWindow,
    /// The plugin's parameter cannot be read.
    InvalidSettings,
    /// An object does not allow the Application to read it.
    NoConsent,
    /// The object of the override in force is not to be seen.
    OverrideGone,
    /// An owner cannot be read.
    OwnerUnknown,
    /// An object with settings is not there, or lacks the label.
    SettingsAbsent,
    /// An object with settings is there and empty.
    SettingsNotSynced,
    /// An object with settings is where nothing is watched.
    SettingsNotWatched,
    /// An app of apps would put it back.
    OwnedByApplication,
    /// An `ApplicationSet` would put it back.
    OwnedByApplicationSet,
    /// Another program has put it back.
    Reverted,
    /// Somebody removed the digest.
    DigestReverted,
    /// A person changed the revision.
    ChangedByPerson,
    /// It is held by its annotation.
    Hold,
    /// The controller is paused.
    Paused,
    /// Its automated sync is off.
    AutomationOff,
    /// Argo CD is told to skip it.
    ReconcileSkipped,
    /// It is being deleted.
    Deleting,
    /// A sync window denies.
    SyncWindow,
    /// Too many Applications would change at once.
    Breaker,
    /// Its revision changed too often.
    Flapping,
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
