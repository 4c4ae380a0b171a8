//! What reasons are called, and what kind each is.

use std::fmt;

use super::Class;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident: $class:ident,)*) => {
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

            /// What kind of reason it is.
            pub const fn class(self) -> Class {
                match self {
                    $(Self::$name => Class::$class,)*
                }
            }
        }
    };
}

codes! {
    /// Its label names an environment that the policy does not have.
    UnknownEnvironment: Refused,
    /// The environment is for other projects.
    ProjectNotAllowed: Refused,
    /// It has a `sourceHydrator`.
    Hydrated: Refused,
    /// None of its sources is a Git repository.
    NoGitSource: Refused,
    /// It has more sources than are looked at.
    TooManySources: Refused,
    /// Its sources are of several Git repositories.
    AmbiguousSources: Refused,
    /// Its annotation names something that is none of its sources.
    UnknownSource: Refused,
    /// Two objects of one rank ask for different revisions.
    Conflict: Refused,
    /// A key stands for two Applications.
    KeyCollision: Refused,
    /// What is asked for is no revision.
    InvalidRevision: Refused,
    /// The environment may not have the revision.
    NotAllowed: Refused,
    /// The time of an override is none.
    InvalidExpiry: Refused,
    /// A sync window of the project cannot be read.
    InvalidSyncWindow: Refused,
    /// The plugin's parameter cannot be read.
    InvalidSettings: Refused,
    /// An object does not allow the Application to read it.
    NoConsent: Refused,
    /// The object of the override in force is not to be seen.
    OverrideGone: Unknown,
    /// An owner cannot be read.
    OwnerUnknown: Unknown,
    /// An object with settings is not there, or lacks the label.
    SettingsAbsent: Unknown,
    /// An object with settings is there and empty.
    SettingsNotSynced: Unknown,
    /// An object with settings is where nothing is watched.
    SettingsNotWatched: Unknown,
    /// An app of apps would put it back.
    OwnedByApplication: Contested,
    /// An `ApplicationSet` would put it back.
    OwnedByApplicationSet: Contested,
    /// Another program has put it back.
    Reverted: Contested,
    /// Somebody removed the digest.
    DigestReverted: Contested,
    /// A person changed the revision.
    ChangedByPerson: Held,
    /// It is held by its annotation.
    Hold: Held,
    /// The controller is paused.
    Paused: Held,
    /// Its automated sync is off.
    AutomationOff: Held,
    /// Argo CD is told to skip it.
    ReconcileSkipped: Held,
    /// It is being deleted.
    Deleting: Held,
    /// A sync window denies.
    SyncWindow: Waiting,
    /// Too many Applications would change at once.
    Breaker: Waiting,
    /// Its revision changed too often.
    Flapping: Waiting,
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
